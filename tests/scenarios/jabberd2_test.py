#!/usr/bin/python3
"""jabberd2 behind the gate: a server that was not thought of when the gate was made.

It lets anybody register, sees every client come from the gate, and takes more for a registration
request than the protocol does. So the gate is the only guard.
"""

import itertools

from harness.account_story import REGISTRATION, Story
from harness.canonical import REGISTER
from harness.certificates import make_certificate
from harness.gate import LISTENERS, Gate, host_table, run_program
from harness.jabberd2 import Jabberd2
from harness.network import STRANGER, WHITELISTED
from harness.raw_client import Closed, RawClient
from harness.scenario import Scenario, main

HOST = "jabberd.test"

# Pieces of requests, put together in every way.
_IQS = ["iq {type}{to}", "iq xmlns='jabber:client' {type}{to}", "c:iq xmlns:c='jabber:client' {type}{to}",
        "iq xmlns='urn:x' {type}{to}"]
_TYPES = ["type='set'", "type='&#115;et'", "type='result' xmlns:x='urn:x' x:type='set'",
          "xmlns:x='urn:x' x:type='set' type='result'", "xmlns:x='urn:x' x:type='set'",
          "type='error' xmlns:x='jabber:client' x:type='set'"]
_TOS = ["", f" to='{HOST}'", " to=''", f" xmlns:y='urn:y' to='elsewhere.test' y:to='{HOST}'"]
_CHILDREN = ["<query xmlns='{ns}'>{form}</query>", "<r:query xmlns:r='{ns}'>{prefixed}</r:query>",
             "<query xmlns='jabber&#58;iq:register'>{form}</query>",
             "<query xmlns='{ns}'>{form}</query><ping xmlns='urn:xmpp:ping'/>",
             "<x xmlns='urn:x'><query xmlns='{ns}'>{form}</query></x>"]


def requests() -> list[tuple[str, str]]:
    """Each with the name of its account."""
    found = []
    for number, (iq, kind, to, child) in enumerate(
            itertools.product(_IQS, _TYPES, _TOS, _CHILDREN)):
        name = f"u{number}"
        form = f"<username>{name}</username><password>pw</password>"
        prefixed = form.replace("<", "<r:").replace("<r:/", "</r:")
        tag = iq.format(type=kind, to=to)
        body = child.format(ns=REGISTER, form=form, prefixed=prefixed)
        found.append((name, f"<{tag} id='1'>{body}</{tag.split()[0]}>"))
    return found


REQUESTS = requests()


class BehindTheGate(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Jabberd2(cls.folder, HOST))
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.gate = cls.enterClassContext(Gate(cls.folder, """
[limits]
connections_per_address = 1000
connect_rate = "100000/s"

[[listen]]
address = "127.0.0.1:0"
tls = "none"
""" + LISTENERS + REGISTRATION
            + host_table(HOST, f"tcp://127.0.0.1:{cls.server.c2s_port}", cls.certificate)))

    def story(self) -> Story:
        return Story(self, self.gate, HOST, self.certificate)

    def test_1_accounts_live(self):
        story = self.story()
        story.run(story.accounts_live())
        story.assert_decided(WHITELISTED, "set", "whitelist", "forward")
        self.assertLessEqual({"ann", "bob"}, self.server.accounts())

    def test_2_strangers_are_redirected(self):
        story = self.story()
        story.run(story.stranger_is_redirected("starttls"))
        story.run(story.stranger_is_redirected("direct"))
        story.stranger_asks_in_bytes()
        story.assert_decided(STRANGER, "get", "default", "redirect")
        self.assertNotIn("mallory", self.server.accounts())

    def test_3_strangers_log_in(self):
        story = self.story()
        story.run(story.sign_up("carl", "pw", "direct"))
        story.run(story.stranger_logs_in("carl", "pw"))

    def test_4_nothing_that_makes_an_account_gets_through(self):
        """What the server takes for a request is learned from the server itself."""
        before = self.server.accounts()
        for _, request in REQUESTS:
            self.say(self.gate.port("none"), STRANGER, request)
        self.assertEqual(self.server.accounts() - before, set())

        for _, request in REQUESTS:
            self.say(self.server.c2s_port, STRANGER, request)
        made = self.server.accounts() - before
        beyond_xmpp = {name for name, request in REQUESTS if " x:type='set'" in request}
        self.assertGreater(len(made), 100, "the server was asked nothing that it understands")
        self.assertTrue(made & beyond_xmpp, "the server is stricter than it was")

    def say(self, port: int, source: str, request: str) -> None:
        """On a stream of its own, until that ends."""
        with RawClient(port, source) as client:
            client.open(HOST)
            client.send(request + "</stream:stream>")
            try:
                while True:
                    client.receive()
            except (Closed, ConnectionResetError):
                pass

    def test_5_check_live_says_that_the_gate_is_the_only_guard(self):
        said = run_program("check", "-c", self.gate.config_file, "--live")
        self.assertEqual(said.returncode, 1, said.stdout + said.stderr)
        self.assertIn("- logs in by PLAIN", said.stdout)
        problems = [line for line in said.stdout.splitlines() if "problem: " in line]
        self.assertEqual(problems, ["  problem: registration is open to loopback"])


if __name__ == "__main__":
    main()
