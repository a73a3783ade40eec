#!/usr/bin/python3
"""Requests to register in every disguise: what makes an account is learned from the servers themselves,
which here let anybody register, and none of it gets through the gate."""

import itertools

from harness.canonical import REGISTER, SASL
from harness.certificates import make_certificate
from harness.ejabberd import Ejabberd
from harness.gate import Gate, host_table
from harness.jabberd2 import Jabberd2
from harness.network import STRANGER
from harness.prosody import Prosody
from harness.raw_client import Closed, RawClient, plain_credentials
from harness.scenario import Scenario, main

HOST = "disguised.test"
PASSWORD = "pw"

# Pieces of requests, put together in every way.
_IQS = ["iq", "iq xmlns='jabber:client'", "c:iq xmlns:c='jabber:client'", "iq xmlns='urn:x'"]
_TYPES = ["type='set'", "type='&#115;et'", "type='result' xmlns:x='urn:x' x:type='set'",
          "xmlns:x='urn:x' x:type='set' type='result'", "xmlns:x='urn:x' x:type='set'",
          "type='error' xmlns:x='jabber:client' x:type='set'"]
_TOS = ["", f" to='{HOST}'", " to=''", f" xmlns:y='urn:y' to='elsewhere.test' y:to='{HOST}'"]
_CHILDREN = ["<query xmlns='{ns}'>{form}</query>", "<r:query xmlns:r='{ns}'>{prefixed}</r:query>",
             "<query xmlns='jabber&#58;iq:register'>{form}</query>",
             "<query xmlns='{ns}'>{form}</query><ping xmlns='urn:xmpp:ping'/>",
             "<x xmlns='urn:x'><query xmlns='{ns}'>{form}</query></x>"]
BEHIND_IT = f"<iq type='get' id='behind'><query xmlns='{REGISTER}'/></iq>"
PLAIN = "u0"  # the account of the first of them, which wears none


def requests() -> dict[str, str]:
    """By the name of the account that each would make."""
    found = {}
    for number, (iq, kind, to, child) in enumerate(
            itertools.product(_IQS, _TYPES, _TOS, _CHILDREN)):
        name = f"u{number}"
        form = f"<username>{name}</username><password>{PASSWORD}</password>"
        prefixed = form.replace("<", "<r:").replace("<r:/", "</r:")
        body = child.format(ns=REGISTER, form=form, prefixed=prefixed)
        found[name] = f"<{iq} {kind}{to} id='1'>{body}</{iq.split()[0]}>"
    return found


REQUESTS = requests()


class Disguises(Scenario):
    def look_at(self, server) -> set[str]:
        """The accounts that the requests make where no gate is in the way."""
        certificate = make_certificate(self.folder, HOST)
        gate = self.enterContext(Gate(self.temporary_folder(), """
[limits]
connections_per_address = 1000
connect_rate = "100000/s"

[[listen]]
address = "127.0.0.1:0"
tls = "none"
""" + host_table(HOST, f"tcp://127.0.0.1:{server.c2s_port}", certificate,
                 'url = "https://example.org/"\nwhitelist = []')))
        for request in REQUESTS.values():
            self.say(gate.port("none"), request)
        self.assertEqual(self.accounts(server.c2s_port), set())
        for request in REQUESTS.values():
            self.say(server.c2s_port, request)
        made = self.accounts(server.c2s_port)
        print(f"({len(made)} without the gate)", end=" ", flush=True)
        return made

    def say(self, port: int, request: str) -> None:
        """On a stream of its own, until what comes behind it is answered or the stream ends."""
        with RawClient(port, STRANGER) as client:
            client.open(HOST)
            client.send(request + BEHIND_IT)
            try:
                while client.next().get("id") != "behind":
                    pass
            except (Closed, ConnectionResetError):
                pass

    def accounts(self, port: int) -> set[str]:
        """Those that one can log in with."""
        return {name for name in REQUESTS if self.logs_in(port, name)}

    def logs_in(self, port: int, name: str) -> bool:
        with RawClient(port, STRANGER) as client:
            client.open(HOST)
            answer = client.ask(f"<auth xmlns='{SASL}' mechanism='PLAIN'>"
                                f"{plain_credentials(name, PASSWORD)}</auth>")
            return answer.tag == f"{{{SASL}}}success"

    def test_prosody(self):
        options = {"c2s_require_encryption": False, "allow_unencrypted_plain_auth": True}
        server = self.enterContext(Prosody(self.temporary_folder(), {HOST: options}))
        self.assertLessEqual({PLAIN}, self.look_at(server))

    def test_ejabberd(self):
        server = self.enterContext(Ejabberd(self.temporary_folder(), [HOST], use_proxy_protocol=False,
                                            registrars=["127.0.0.0/8"]))
        self.assertLessEqual({PLAIN}, self.look_at(server))

    def test_jabberd2(self):
        """It goes by attributes in any namespace."""
        server = self.enterContext(Jabberd2(self.temporary_folder(), HOST))
        made = self.look_at(server)
        self.assertIn(PLAIN, made)
        self.assertTrue([name for name in made if " x:type='set'" in REQUESTS[name]])


if __name__ == "__main__":
    main()
