#!/usr/bin/python3
"""TLS as docs/tls.md has it, at both doors: versions, cipher suites, groups, and what must not be:
renegotiation, compression, early data."""

import re
import socket
import subprocess
from pathlib import Path

from harness.canonical import TLS
from harness.certificates import make_certificate
from harness.client_hello import (P_256, P_384, SSL_3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, X25519,
                                  Answer, answer_to, client_hello)
from harness.gate import Gate, host_table
from harness.processes import wait_until
from harness.raw_client import stream_header
from harness.raw_upstream import RawUpstream, read_until
from harness.scenario import Scenario, main

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "tls.md"
HOSTS = {"ecdsa": "ecdsa.test", "rsa": "rsa.test"}  # the kind of certificate
DOORS = ("direct", "starttls")
HANDSHAKE_FAILURE, PROTOCOL_VERSION, INAPPROPRIATE_FALLBACK = 40, 70, 86
FALLBACK = 0x5600  # TLS_FALLBACK_SCSV (RFC 7507): says something about the client, is no cipher
PROCEED = f"<proceed xmlns='{TLS}'/>".encode()


def documented(version: str) -> dict[int, str]:
    """The suites of a version's table: number -> name."""
    rows = re.findall(r"^\| `(\S+)` \| 0x([0-9A-F]{4}) \| ([0-9.]+)", DOCUMENT.read_text(), re.M)
    return {int(number, 16): name for name, number, where in rows if where == version}


def known_ciphers() -> dict[int, str]:
    """Every cipher that OpenSSL has a name for, those without encryption among them."""
    listed = subprocess.run(["openssl", "ciphers", "-V", "ALL:eNULL:@SECLEVEL=0"], check=True,
                            capture_output=True, text=True).stdout
    rows = re.findall(r"^\s*0x(..),0x(..) - (\S+)", listed, re.M)
    return {int(high + low, 16): name for high, low, name in rows}


class Doors(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.upstream = cls.enterClassContext(RawUpstream())
        hosts = "".join(host_table(name, f"tcp://127.0.0.1:{cls.upstream.port}",
                                   make_certificate(cls.folder, name, kind=kind),
                                   'url = "https://example.org/"') for kind, name in HOSTS.items())
        cls.gate = cls.enterClassContext(Gate(cls.folder, """
[server]
drain = "1s"

[limits]
connections_per_address = 10000
connect_rate = "100000/s"

[[listen]]
address = "127.0.0.1:0"
tls = "direct"

[[listen]]
address = "127.0.0.1:0"
tls = "starttls"
""" + hosts))
        cls.ports = {door: cls.gate.port(door) for door in DOORS}

    def at(self, door: str, host: str) -> socket.socket:
        """A connection that is about to shake hands."""
        client = socket.create_connection(("127.0.0.1", self.ports[door]), 15)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if door == "starttls":
            client.sendall((stream_header(host) + f"<starttls xmlns='{TLS}'/>").encode()[:-1])
            read_until(client, b"</stream:features>")
            client.sendall(b">")
            self.assertEqual(client.recv(len(PROCEED), socket.MSG_WAITALL), PROCEED)
        return client

    def offer(self, door: str, host: str, version: int, ciphers, **more) -> Answer:
        with self.at(door, host) as client:
            return answer_to(client, client_hello(host, version, ciphers, **more))


class Versions(Doors):
    ALL_CIPHERS = [*documented("1.2"), 0x2F, 0x35, 0x0A, 0xC013, 0xC009, 0xC014, 0xC00A]

    def test_old_ones_are_refused(self):
        for door in DOORS:
            for version in SSL_3, TLS_1_0, TLS_1_1:
                with self.subTest(door=door, version=hex(version)):
                    answer = self.offer(door, HOSTS["ecdsa"], version, self.ALL_CIPHERS)
                    # SSL 3 has no alert of that name
                    self.assertEqual(answer.alert, HANDSHAKE_FAILURE if version == SSL_3
                                     else PROTOCOL_VERSION)

    def test_new_ones_are_not(self):
        for door in DOORS:
            for version in TLS_1_2, TLS_1_3:
                with self.subTest(door=door, version=hex(version)):
                    answer = self.offer(door, HOSTS["ecdsa"], version,
                                        [*documented("1.2"), *documented("1.3")])
                    self.assertEqual((answer.alert, answer.version), (None, version))

    def test_a_forced_fallback_is_noticed(self):
        for door in DOORS:
            answer = self.offer(door, HOSTS["ecdsa"], TLS_1_2, [*documented("1.2"), FALLBACK])
            self.assertEqual(answer.alert, INAPPROPRIATE_FALLBACK)


class Ciphers(Doors):
    def test_the_documented_ones_are_forward_secret_aead(self):
        self.assertEqual(len(documented("1.2")), 6)
        self.assertEqual(len(documented("1.3")), 3)
        known = known_ciphers()
        for version in "1.2", "1.3":
            for number, name in documented(version).items():
                self.assertEqual(known[number], name)
                self.assertRegex(name, "^(ECDHE-(ECDSA|RSA)|TLS)[-_].*(GCM|POLY1305)")

    def test_each_one_alone(self):
        """Whatever OpenSSL can say: at both doors, with both kinds of certificate."""
        known = known_ciphers()
        self.assertGreater(len(known), 100)
        for door in DOORS:
            accepted = {}
            for version, label in (TLS_1_2, "1.2"), (TLS_1_3, "1.3"):
                for kind, host in HOSTS.items():
                    for number in known:
                        answer = self.offer(door, host, version, [number])
                        if answer.alert is None:
                            self.assertEqual(answer.cipher, number)
                            accepted.setdefault(label, set()).add(number)
                        else:
                            self.assertEqual(answer.alert, HANDSHAKE_FAILURE, known[number])
            self.assertEqual(accepted, {label: set(documented(label)) for label in ("1.2", "1.3")})

    def test_every_number_there_is(self):
        """Thousands at once, and again without the one that was chosen, until none is."""
        for door in DOORS:
            for version, label in (TLS_1_2, "1.2"), (TLS_1_3, "1.3"):
                accepted = set()
                for host in HOSTS.values():
                    for first in range(0, 0x10000, 8000):
                        accepted |= self.accepted_of(door, host, version, first)
                self.assertEqual(accepted, set(documented(label)), door)

    def accepted_of(self, door: str, host: str, version: int, first: int) -> set[int]:
        offered = set(range(first, min(first + 8000, 0x10000))) - {FALLBACK}
        found = set()
        while True:
            answer = self.offer(door, host, version, sorted(offered - found))
            if answer.alert is not None:
                self.assertEqual(answer.alert, HANDSHAKE_FAILURE)
                return found
            found.add(answer.cipher)

    def test_groups(self):
        """Each alone: the documented elliptic curves, and no finite fields."""
        for door in DOORS:
            accepted = {group for group in [*range(1, 0x40), *range(0x100, 0x106)]
                        if self.offer(door, HOSTS["rsa"], TLS_1_2, documented("1.2"),
                                      groups=[group]).alert is None}
            self.assertEqual(accepted, {X25519, P_256, P_384})

    def test_no_compression(self):
        for door in DOORS:
            answer = self.offer(door, HOSTS["ecdsa"], TLS_1_2, documented("1.2"),
                                compressions=b"\1\0")
            self.assertEqual((answer.alert, answer.compression), (None, 0))
            only = self.offer(door, HOSTS["ecdsa"], TLS_1_2, documented("1.2"), compressions=b"\1")
            self.assertIsNotNone(only.alert)


class SClient:
    """openssl s_client at a door: said to it is what is written, `output` is what it says."""

    def __init__(self, port: int, door: str, folder: Path, *options):
        host = HOSTS["ecdsa"]
        starttls = ["-starttls", "xmpp", "-xmpphost", host] if door == "starttls" else []
        self._log = (folder / "s_client.log").open("w+b")
        self.child = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host,
             *starttls, *map(str, options)], stdin=subprocess.PIPE, stdout=self._log,
            stderr=subprocess.STDOUT)

    @property
    def output(self) -> str:
        return Path(self._log.name).read_text(errors="replace")

    def says(self, pattern: str) -> None:
        wait_until(lambda: re.search(pattern, self.output), f"s_client says {pattern!r}")

    def write(self, line: str) -> None:
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()

    def __enter__(self) -> "SClient":
        return self

    def __exit__(self, *_) -> None:
        self.child.stdin.close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self._log.close()


def believing_in_early_data(pem: str, size: int) -> bytes:
    """A session of OpenSSL's, changed so that it says the server takes early data: DER.
    SSL_SESSION is a SEQUENCE; `max_early_data` is its field [15], which is left out where it is 0."""

    def element(data: bytes) -> tuple[int, bytes, bytes]:
        tag, size, at = data[0], data[1], 2
        if size & 0x80:
            at += size & 0x7F
            size = int.from_bytes(data[2:at], "big")
        return tag, data[at:at + size], data[at + size:]

    body = element(subprocess.run(["openssl", "base64", "-d"], check=True, capture_output=True,
                                  input=re.sub("-----.*", "", pem).strip().encode() + b"\n"
                                  ).stdout)[1]
    before, rest = b"", body
    while rest and not 0xAF <= rest[0] <= 0xBE:  # tags below [15] stay before it
        whole = rest
        rest = element(rest)[2]
        before += whole[:len(whole) - len(rest)]
    assert not rest or rest[0] != 0xAF, "there is a max_early_data already"
    body = before + b"\xaf\x04\x02\x02" + size.to_bytes(2, "big") + rest
    return b"\x30\x82" + len(body).to_bytes(2, "big") + body


class Afterwards(Doors):
    def test_renegotiation_is_refused(self):
        for door in DOORS:
            with self.subTest(door=door):
                with SClient(self.ports[door], door, self.temporary_folder(), "-tls1_2") as client:
                    client.says("Verify return code")
                    client.write("R")
                    client.says("no renegotiation")

    def test_early_data_is_not_offered_and_not_taken(self):
        for door in DOORS:
            with self.subTest(door=door):
                folder = self.temporary_folder()
                ticket, forged = folder / "session.pem", folder / "forged.der"
                with SClient(self.ports[door], door, folder, "-tls1_3", "-sess_out", ticket) as client:
                    wait_until(lambda: ticket.exists() and "END" in ticket.read_text(), "a ticket")
                    client.write("Q")
                    client.says(r"Max Early Data: 0\b")
                pem = ticket.read_text()
                forged.write_bytes(believing_in_early_data(pem, 4096))
                subprocess.run(["openssl", "sess_id", "-inform", "DER", "-in", forged, "-out",
                                ticket], check=True, capture_output=True)
                early = folder / "early"
                early.write_text(stream_header(HOSTS["ecdsa"]))
                with SClient(self.ports[door], door, folder, "-tls1_3", "-sess_in", ticket,
                             "-early_data", early) as client:
                    client.says("Early data was")
                    client.says("Reused, TLSv1.3")
                    self.assertIn("Early data was rejected", client.output)
                self.assertTrue(self.upstream.nobody_came(), "early data reached the upstream")


class Ends(Doors):
    def test_each_handshake_that_failed_was_one_session(self):
        for door in DOORS:
            self.offer(door, HOSTS["ecdsa"], TLS_1_0, Versions.ALL_CIPHERS)
        wait_until(lambda: len(self.gate.events("session_end")) == len(DOORS), "both ends", 5)
        self.assertEqual({event["why"] for event in self.gate.events("session_end")},
                         {"handshake_failed"})


if __name__ == "__main__":
    main()
