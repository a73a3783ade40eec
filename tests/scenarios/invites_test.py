#!/usr/bin/python3
"""Invitations (XEP-0445): Prosody makes them, and `invited = true` lets in who has one."""

import re

from harness.canonical import OOB, REGISTER, error_of, show, stream_error_of
from harness.certificates import make_certificate
from harness.gate import LISTENERS, Gate, host_table
from harness.network import STRANGER
from harness.processes import wait_until
from harness.prosody import Prosody
from harness.raw_client import RawClient, stream_header
from harness.scenario import Scenario, main

HOST = "invites.test"
PARS = "urn:xmpp:pars:0"
INVITATIONS = 9
URL = "https://example.org/invitations"
RULES = """
[[rule]]
name = "invited"
invited = true
action = "forward"
"""


def get(identifier: str) -> str:
    return f"<iq type='get' id='{identifier}' to='{HOST}'><query xmlns='{REGISTER}'/></iq>"


def registration(user: str, identifier: str = "set") -> str:
    return (f"<iq type='set' id='{identifier}' to='{HOST}'><query xmlns='{REGISTER}'>"
            f"<username>{user}</username><password>pw</password></query></iq>")


def token_iq(token: str, identifier: str = "token") -> str:
    return (f"<iq type='set' id='{identifier}' to='{HOST}'>"
            f"<preauth xmlns='{PARS}' token='{token}'/></iq>")


class Invitations(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Prosody(
            cls.folder, {HOST: {}}, {"test_invitations": INVITATIONS},
            ["test_secure", "invites", "invites_register", "test_invitation"]))
        cls.tokens = wait_until(cls.made, "Prosody makes invitations", 30)
        cls.certificate = make_certificate(cls.folder, HOST)
        (cls.folder / "rules.toml").write_text(RULES)
        cls.gate = cls.enterClassContext(Gate(cls.folder, LISTENERS + f"""
[registration]
whitelist = []
url = "{URL}"
rules = ["rules.toml"]
""" + host_table(HOST, f"tcp://127.0.0.1:{cls.server.c2s_port}", cls.certificate)))

    @classmethod
    def made(cls) -> list[str] | None:
        found = re.findall(r"\binvitation (\S+)", cls.server.process.log())
        return found if len(found) == INVITATIONS else None

    def open(self, door: str = "direct") -> RawClient:
        client = self.enterContext(RawClient(self.gate.port(door), STRANGER))
        if door == "starttls":
            client.starttls(HOST, self.certificate.client_context())
        else:
            client.wrap(self.certificate.client_context(), HOST)
        client.open(HOST)
        return client

    def assert_redirected(self, reply) -> None:
        self.assertEqual(reply.get("type"), "result")
        self.assertEqual(reply.findtext(f".//{{{OOB}}}url"), URL)

    def assert_form(self, reply) -> None:
        self.assertEqual(reply.get("type"), "result")
        self.assertIsNotNone(reply.find(f"{{{REGISTER}}}query/{{{REGISTER}}}username"))

    def assert_turned_down(self, reply) -> None:
        self.assertEqual(error_of(reply)[:2], ("cancel", "not-authorized"))
        self.assertIn(URL, error_of(reply)[2])

    def register(self, client: RawClient, user: str) -> None:
        reply = client.ask(registration(user))
        self.assertEqual(reply.get("type"), "result", show(reply))
        self.assertIn(user, self.server.accounts(HOST))

    def test_with_a_token(self):
        """Each door: the token, the form, the account, and then logging in."""
        for door in ("starttls", "direct"):
            with self.subTest(door=door):
                client = self.open(door)
                self.assertEqual(client.ask(token_iq(self.tokens.pop())).get("type"), "result")
                self.assert_form(client.ask(get("form")))
                self.register(client, f"guest{door}")
                bound = client.login(HOST, f"guest{door}", "pw")
                self.assertEqual(bound.get("type"), "result")

    def test_without_a_token(self):
        seen = len(self.server.registration_requests())
        client = self.open()
        self.assert_redirected(client.ask(get("g")))
        self.assert_turned_down(client.ask(registration("nobody")))
        self.assertEqual(len(self.server.registration_requests()), seen)
        self.assertNotIn("nobody", self.server.accounts(HOST))

    def test_a_wrong_token_does_not_help(self):
        client = self.open()
        refused = client.ask(token_iq("guessed"))
        self.assertEqual(error_of(refused)[:2], ("cancel", "forbidden"))  # the server's own words
        self.assert_redirected(client.ask(get("g")))
        self.assert_turned_down(client.ask(registration("guesser")))
        # the right one does, on the same stream
        self.assertEqual(client.ask(token_iq(self.tokens.pop(), "again")).get("type"), "result")
        self.register(client, "second")

    def test_an_answer_that_was_not_asked_for_does_not_help(self):
        """The client cannot say for itself that it is invited."""
        client = self.open()
        client.send("<iq type='result' id='token'/>")
        self.assert_turned_down(client.ask(registration("liar")))

    def test_one_token_one_account(self):
        token = self.tokens.pop()
        client = self.open()
        client.ask(token_iq(token))
        self.register(client, "only")
        self.assert_turned_down(client.ask(registration("another", "more")))
        again = self.open()
        self.assertEqual(again.ask(token_iq(token)).get("type"), "error")
        self.assert_turned_down(again.ask(registration("another")))
        self.assertNotIn("another", self.server.accounts(HOST))

    def test_one_token_on_many_streams_one_account(self):
        """Prosody judges it when it is shown: by itself it lets all of them register."""
        token = self.tokens.pop()
        streams = [self.open() for _ in range(5)]
        for stream in streams:
            self.assertEqual(stream.ask(token_iq(token)).get("type"), "result")
        self.register(streams[2], "single")
        for number in (0, 1, 3, 4):
            self.assert_turned_down(streams[number].ask(registration(f"many{number}")))
        self.assertFalse([name for name in self.server.accounts(HOST) if name.startswith("many")])

    def test_a_set_that_the_server_refuses_does_not_use_it_up(self):
        client = self.open()
        client.ask(token_iq(self.tokens.pop()))
        wrong = client.ask(f"<iq type='set' id='w' to='{HOST}'><query xmlns='{REGISTER}'>"
                           "<username/><password/></query></iq>")
        self.assertEqual(wrong.get("type"), "error")
        self.assertNotIn(URL, error_of(wrong)[2])  # the server's
        self.register(client, "patient")

    def test_a_token_is_for_one_stream(self):
        first, second = self.open(), self.open()
        first.ask(token_iq(self.tokens.pop()))
        self.assert_redirected(second.ask(get("g")))
        self.assert_form(first.ask(get("g")))

    def test_all_in_one_write(self):
        """What follows a token waits for the server's word on it."""
        client = self.enterContext(RawClient(self.gate.port("direct"), STRANGER))
        client.wrap(self.certificate.client_context(), HOST)
        client.send(stream_header(HOST) + token_iq(self.tokens.pop()) + registration("hasty"))
        client.next()  # features
        self.assertEqual([client.next().get("type") for _ in range(2)], ["result", "result"])
        self.assertIn("hasty", self.server.accounts(HOST))
        client = self.enterContext(RawClient(self.gate.port("direct"), STRANGER))
        client.wrap(self.certificate.client_context(), HOST)
        client.send(stream_header(HOST) + token_iq("wrong") + registration("hastier"))
        client.next()
        self.assertEqual(client.next().get("id"), "token")
        self.assert_turned_down(client.next())

    def test_a_set_that_cannot_be_followed(self):
        """Without an id nobody could tell whether it has used up the invitation."""
        client = self.open()
        client.ask(token_iq(self.tokens.pop()))
        reply = client.ask(registration("nameless").replace(" id='set'", ""))
        self.assertEqual(error_of(reply)[:2], ("modify", "bad-request"))
        self.assertNotIn("nameless", self.server.accounts(HOST))

    def test_too_many_guesses_end_the_stream(self):
        client = self.open()
        for number in range(3):
            self.assertEqual(client.ask(token_iq("guess", f"t{number}")).get("type"), "error")
        last = client.ask(token_iq("guess", "t3"))
        self.assertEqual(stream_error_of(last), "policy-violation")

    def test_tokens_are_not_logged(self):
        client = self.open()
        client.ask(token_iq("a-secret-token"))
        client.ask(get("g"))
        self.assert_not_logged(self.gate.process, "a-secret-token")


if __name__ == "__main__":
    main()
