#!/usr/bin/python3
"""Real servers read what the gate forwards as the gate read it: every stream of tests/smuggling
goes through the gate to Prosody and to ejabberd, from a stranger and from a whitelisted client, and
each server tells what stanzas it found in it.

The servers' own parsers are at work; a module of ours notes each stanza behind them and drops it, so
that what a server would answer does not end the stream before its end.
"""

import re
import socket

from harness.canonical import REGISTER
from harness.certificates import make_certificate
from harness.ejabberd import Ejabberd
from harness.gate import Gate, host_table
from harness.network import STRANGER, WHITELISTED
from harness.processes import wait_until
from harness.prosody import Prosody
from harness.scenario import Scenario, main
from harness.stanzas import corpus, ejabberd_reads, prosody_reads, read_sessions

HOST = "example.org"
_XML = "http://www.w3.org/XML/1998/namespace"
# Enough of the server's answer to know that what was sent together was passed on.
_ANSWERED = re.compile(rb"<(\w+:)?features")


class Smuggling(Scenario):
    """A server, behind a gate of its own. What it reads stands in the file `cls.stanzas`."""

    @classmethod
    def behind(cls, port: int) -> None:
        certificate = make_certificate(cls.folder, HOST)
        registration = 'url = "https://example.org/register"\nwhitelist = ["127.0.0.1"]'
        hosts = [host_table(host, f"tcp://127.0.0.1:{port}", certificate, registration)
                 for host in (HOST, "second.example")]
        strict = registration.replace('"127.0.0.1"', "")
        hosts.append(host_table("strict.example", f"tcp://127.0.0.1:{port}", certificate, strict))
        cls.gate = cls.enterClassContext(Gate(cls.folder, """
[limits]
connect_rate = "100000/s"
negotiation_timeout = "2s"  # where the gate waits for an answer that never comes

[[listen]]
address = "127.0.0.1:0"
tls = "none"
""" + "".join(hosts)))

    def say(self, data: bytes, source: str, answered: bool) -> None:
        """The whole stream at once, then the end; until the gate has closed too."""
        with socket.create_connection(("127.0.0.1", self.gate.port("none")), 15,
                                      (source, 0)) as client:
            received = b""
            try:
                client.sendall(data)
                while answered and not _ANSWERED.search(received):
                    more = client.recv(65536)
                    if not more:
                        return
                    received += more
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
            except ConnectionError:
                pass  # the gate has refused the rest

    def check(self, server: str, reads) -> None:
        """`reads` makes a server's tree into the texts that it may be."""
        for source, kind in ((STRANGER, "strangers"), (WHITELISTED, "whitelisted")):
            seen = 0
            for stream in corpus():
                passage = getattr(stream, kind)
                ended = len(read_sessions(self.stanzas))
                self.say(stream.data, source, answered=bool(passage.forwarded))
                if not passage.forwarded:
                    continue
                sessions = wait_until(
                    lambda: len(found := read_sessions(self.stanzas)) > ended and found,
                    f"{server} ends the session of {stream.name}")
                with self.subTest(stream.name, who=kind):
                    self.assertEqual(len(sessions), ended + 1, "one session")
                    trees = sessions[-1]
                    seen += len(trees)
                    self.compare(server, stream, passage, trees, reads)
                    if source == STRANGER:
                        self.assertFalse([tree for tree in trees if asks_to_register(tree)])
            self.assertGreater(seen, 100)

    def compare(self, server: str, stream, passage, trees: list, reads) -> None:
        both = (trees, passage.forwarded)
        if stream.but != f"{server} answers":
            self.assertLessEqual(len(trees), len(passage.elements), both)
        if stream.but != f"{server} stops":
            self.assertGreaterEqual(len(trees), len(passage.elements), both)
        alike = [element in reads(tree, stream) for tree, element in zip(trees, passage.elements)]
        self.assertEqual(all(alike), stream.but != f"{server} differs", both)


def asks_to_register(tree: list) -> bool:
    """By what the server took it for; what keeps a prefix is unknown to ejabberd, whatever its xmlns."""
    name, attributes, children = tree
    if name != "iq" or dict(attributes).get("type") in ("result", "error"):
        return False
    return any(dict(child[1]).get("xmlns") == REGISTER
               for child in children if not isinstance(child, str) and ":" not in child[0])


class ProsodyReads(Smuggling):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stanzas = cls.folder / "stanzas"
        server = cls.enterClassContext(Prosody(
            cls.folder, {HOST: {}}, {"test_stanzas_file": cls.stanzas},
            modules=["test_secure", "test_stanzas"]))
        cls.behind(server.c2s_port)

    def test_as_the_gate_does(self):
        self.check("prosody", lambda tree, stream: prosody_reads(tree))


class EjabberdReads(Smuggling):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stanzas = cls.folder / "stanzas"
        server = cls.enterClassContext(Ejabberd(
            cls.folder, [HOST], use_proxy_protocol=False, stanzas=cls.stanzas))
        cls.behind(server.c2s_port)

    def test_as_the_gate_does(self):
        def reads(tree, stream):
            header = re.search(rb"<[\w:]*stream\s[^>]*>", stream.data)[0].decode()
            declared = dict(re.findall(r"xmlns:?(\w*)='([^']*)'", header))
            return [ejabberd_reads(tree, {"": "", "xml": _XML} | declared)]

        self.check("ejabberd", reads)


if __name__ == "__main__":
    main()
