#!/usr/bin/python3
"""PROXY headers, read from balancers and written to servers, at every cut and on every door."""

import re
import socket
import struct
import time

from harness.canonical import TLS
from harness.certificates import make_certificate
from harness.gate import Gate
from harness.network import STRANGER
from harness.processes import wait_until
from harness.raw_client import stream_header
from harness.raw_tls import RawTls, read_exactly, read_to_end
from harness.raw_upstream import HEADER, MECHANISMS, RawUpstream, read_until
from harness.scenario import Scenario, main

HOST = "behind.test"
BALANCER = "127.0.0.5"
FRIEND, ENEMY, FRIEND6 = "192.0.2.7", "192.0.2.8", "2001:db8::7"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
GET = b"<iq type='get' id='g'><query xmlns='jabber:iq:register'/></iq>"
TRAILER = b"<message id='after'/>"


def crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def v2(source: str = FRIEND, tlvs: bytes = b"", command: int = 0x21, ports=(4242, 5222)) -> bytes:
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    target = "2001:db8::1" if ":" in source else "192.0.2.1"
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    body = addresses + struct.pack("!HH", *ports) + tlvs
    kind = 0x21 if ":" in source else 0x11
    return SIGNATURE + bytes([command, kind]) + struct.pack("!H", len(body)) + body


def with_checksum(header_of, wrong: int = 0) -> bytes:
    """header_of(tlv) with a right CRC32C, or one that is off by `wrong`."""
    value = crc32c(header_of(tlv(3, bytes(4)))) ^ wrong
    return header_of(tlv(3, struct.pack("!I", value)))


def v1(source: str = FRIEND, target: str = "192.0.2.1") -> bytes:
    kind = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {kind} {source} {target} 4242 5222\r\n".encode()


SSL_TLV = tlv(0x20, b"\x01\0\0\0\0" + tlv(0x21, b"TLSv1.3"))

# (name, header, the address it gives, decision)
BELIEVED = [
    ("v1", v1(), FRIEND, "forward"),
    ("v1, an enemy", v1(ENEMY), ENEMY, "redirect"),
    ("v1, IPv6", v1(FRIEND6, "2001:db8::1"), FRIEND6, "forward"),
    ("v2", v2(), FRIEND, "forward"),
    ("v2, an enemy", v2(ENEMY), ENEMY, "redirect"),
    ("v2, IPv6", v2(FRIEND6), FRIEND6, "forward"),
    ("v2, mapped", v2("::ffff:" + FRIEND), FRIEND, "forward"),
    ("v2, TLVs", v2(tlvs=tlv(1, b"xmpp-client") + tlv(2, b"behind.test") + SSL_TLV
                    + tlv(0xE0, b"")), FRIEND, "forward"),
    ("v2, CRC32C", with_checksum(lambda field: v2(tlvs=field)), FRIEND, "forward"),
    ("v2, CRC32C amid TLVs",
     with_checksum(lambda field: v2(ENEMY, tlv(4, b"abc") + field + SSL_TLV)), ENEMY, "redirect"),
    ("v2, as long as may be", v2(tlvs=tlv(4, b"x" * (4096 - 28 - 3))), FRIEND, "forward"),
    ("LOCAL", SIGNATURE + b"\x20\0\0\0", BALANCER, "forward"),
    ("LOCAL with addresses", v2(ENEMY, command=0x20), BALANCER, "forward"),
    ("v1 UNKNOWN", b"PROXY UNKNOWN\r\n", None, "redirect"),
    ("v1 UNKNOWN with more", b"PROXY UNKNOWN ::1 ::1 4242 5222\r\n", None, "redirect"),
    ("v2 UNSPEC", SIGNATURE + b"\x21\0\0\0", None, "redirect"),
    ("v2 UNSPEC with more", SIGNATURE + b"\x21\0\0\x03abc", None, "redirect"),
]

REFUSED = [
    ("wrong CRC32C", with_checksum(lambda field: v2(tlvs=field), wrong=1)),
    ("two CRC32Cs", v2(tlvs=tlv(3, bytes(4)) * 2)),
    ("short CRC32C", v2(tlvs=tlv(3, bytes(3)))),
    ("TLV beyond the end", v2(tlvs=b"\x04\x00\x09abc")),
    ("half a TLV", v2(tlvs=b"\x04\x00")),
    ("addresses cut", SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11)),
    ("version 3", v2(command=0x31)),
    ("unknown command", v2(command=0x22)),
    ("UDP", v2().replace(b"\x21\x11", b"\x21\x12", 1)),
    ("Unix", SIGNATURE + b"\x21\x31" + struct.pack("!H", 216) + bytes(216)),
    ("too long", v2(tlvs=tlv(4, b"x" * 4096))),
    ("v1, bad address", v1("300.0.2.7")),
    ("v1, IPv6 as TCP4", b"PROXY TCP4 ::1 ::1 4242 5222\r\n"),
    ("v1, leading zero", b"PROXY TCP4 192.0.2.7 192.0.2.1 04242 5222\r\n"),
    ("v1, bad port", b"PROXY TCP4 192.0.2.7 192.0.2.1 4242 65536\r\n"),
    ("v1, no CR", b"PROXY TCP4 192.0.2.7 192.0.2.1 4242 5222\n"),
    ("v1, too long", b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n"),
    ("none", b""),
]

DOORS = ("direct", "starttls", "none")


class Behind(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST, f"v1.{HOST}", f"v2.{HOST}")
        cls.upstream = cls.enterClassContext(RawUpstream())
        listeners = "".join(f"""
[[listen]]
address = ["127.0.0.1:0", "[::1]:0"]
tls = "{tls}"
proxy_protocol_from = ["{BALANCER}", "127.0.0.6"]
""" for tls in DOORS)
        hosts = "".join(f"""
[[host]]
name = "{name}"
certificate = "{cls.certificate.certificate}"
key = "{cls.certificate.key}"
[host.upstream]
address = "tcp://127.0.0.1:{cls.upstream.port}"
proxy_protocol = "{sends}"
""" for name, sends in ((HOST, "none"), (f"v1.{HOST}", "v1"), (f"v2.{HOST}", "v2")))
        cls.gate = cls.enterClassContext(Gate(cls.folder, f"""
[server]
drain = "1s"
[limits]
handshake_timeout = "1500ms"
connections_per_address = 1000
connect_rate = "10000/s"
[registration]
whitelist = ["{FRIEND}", "{FRIEND6}", "{BALANCER}"]
url = "https://example.org/"
""" + listeners + hosts))

    def connect(self, door: str, source: str = BALANCER, address: str = "127.0.0.1"):
        """The socket alone."""
        index = 1 if ":" in address else 0
        client = socket.create_connection((address, self.gate.port(door, index)), 15, (source, 0))
        self.addCleanup(client.close)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def secure(self, client: socket.socket, door: str, first: bytes = b"", host: str = HOST):
        """Through the door; what comes first goes out in one packet with the first bytes of it."""
        if door == "none":
            client.sendall(first + stream_header(host).encode())
            return client
        if door == "starttls":
            client.sendall(first + stream_header(host).encode())
            read_until(client, b"</stream:features>")
            client.sendall(f"<starttls xmlns='{TLS}'/>".encode())
            read_until(client, b"/>")
            first = b""
        tls = RawTls(client, self.certificate.client_context(), host)
        if first:
            original = tls.take_out
            waiting = [first]
            tls.take_out = lambda: (waiting.pop() if waiting else b"") + original()
        tls.handshake()
        tls.send(stream_header(host))
        return tls

    def opened(self, channel, host: str = HOST):
        """The stream is answered; the upstream's end, and what it was sent before the header."""
        upstream = self.upstream.accept()
        received = read_until(upstream, stream_header(host).encode())
        upstream.sendall((HEADER + f"<stream:features>{MECHANISMS}</stream:features>").encode())
        read_until(channel, b"</stream:features>")
        return upstream, received.removesuffix(stream_header(host).encode())

    def decision(self, channel, upstream) -> str:
        """What becomes of a registration request."""
        channel.sendall(GET + TRAILER)
        received = read_until(upstream, TRAILER)
        self.assertIn(received, (GET + TRAILER, TRAILER))
        return "forward" if received.startswith(GET) else "redirect"

    def assert_refused(self, client: socket.socket) -> None:
        rest = read_to_end(client)
        self.assertNotIn(b"<stream:features", rest)
        self.assertNotIn(b"<proceed", rest)
        self.assertNotEqual(rest[:1], b"\x16")  # no ServerHello
        self.assertTrue(self.upstream.nobody_came())


class Reading(Behind):
    def test_believed(self):
        """In one packet with what follows; the decision and the log go by the header's address."""
        for door in DOORS:
            for name, header, address, expected in BELIEVED:
                with self.subTest(name, door=door):
                    channel = self.secure(self.connect(door), door, header)
                    upstream, _ = self.opened(channel)
                    before = len(self.gate.events("registration"))
                    self.assertEqual(self.decision(channel, upstream), expected)
                    wait_until(lambda n=before: len(self.gate.events("registration")) > n, "logged")
                    event = self.gate.events("registration")[-1]
                    self.assertEqual(event["action"], expected)
                    if address:
                        self.assertEqual(event["peer"], address)
                    else:
                        self.assertNotIn(event.get("peer"), (FRIEND, "::1"))
                    channel.close()

    def test_cut_at_every_byte(self):
        header = with_checksum(lambda field: v2(tlvs=tlv(4, b"ab") + field))
        for door in DOORS:
            for whole in (header, v1()):
                for cut in range(1, len(whole)):
                    with self.subTest(door=door, cut=cut):
                        client = self.connect(door)
                        client.sendall(whole[:cut])
                        if cut % 8 == 0:
                            time.sleep(0.005)  # so that it is read alone, now and then
                        channel = self.secure(client, door, whole[cut:])
                        upstream, _ = self.opened(channel)
                        self.assertEqual(self.decision(channel, upstream), "forward")
                        channel.close()

    def test_byte_by_byte(self):
        for door in DOORS:
            for header in (v1(FRIEND6, "2001:db8::1"), v2(FRIEND6, SSL_TLV)):
                client = self.connect(door)
                for byte in header:
                    client.sendall(bytes([byte]))
                channel = self.secure(client, door)
                upstream, _ = self.opened(channel)
                self.assertEqual(self.decision(channel, upstream), "forward")
                channel.close()

    def test_refused(self):
        for door in DOORS:
            for name, header in REFUSED:
                with self.subTest(name, door=door):
                    client = self.connect(door)
                    client.sendall(header + stream_header(HOST).encode())
                    self.assert_refused(client)

    def test_from_strangers_nothing_is_believed(self):
        for door in DOORS:
            for name, header, *_ in BELIEVED:
                with self.subTest(name, door=door):
                    client = self.connect(door, STRANGER)
                    client.sendall(header + stream_header(HOST).encode())
                    self.assert_refused(client)

    def test_strangers_need_none(self):
        for door in DOORS:
            channel = self.secure(self.connect(door, STRANGER), door)
            upstream, _ = self.opened(channel)
            self.assertEqual(self.decision(channel, upstream), "redirect")

    def test_a_second_header_is_the_clients(self):
        """Only the balancer's own, the first, counts."""
        for door in DOORS:
            with self.subTest(door):
                client = self.connect(door)
                client.sendall(v2(ENEMY) + v2(FRIEND) + stream_header(HOST).encode())
                self.assert_refused(client)

    def test_silence(self):
        """A balancer that says nothing, or half a header, or a byte now and then."""
        for door in DOORS:
            for first in (b"", b"PROXY TCP4 192", v2()[:20]):
                with self.subTest(door=door, first=first):
                    client = self.connect(door)
                    began = time.monotonic()
                    client.sendall(first)
                    self.assert_refused(client)
                    self.assertGreater(time.monotonic() - began, 1.3)
        client = self.connect("none")
        with self.assertRaises((BrokenPipeError, ConnectionResetError)):
            for byte in v2(tlvs=tlv(4, b"x" * 100)):
                client.sendall(bytes([byte]))
                time.sleep(0.1)

    def test_half_a_header_and_the_end(self):
        """Nothing more can come: no need to wait for the timeout."""
        def ends() -> list[str]:
            return [event["why"] for event in self.gate.events("session_end")]

        before = ends()
        for first in (b"", b"P", v2()[:20]):
            client = self.connect("none")
            client.sendall(first)
            client.shutdown(socket.SHUT_WR)
            self.assert_refused(client)
        wait_until(lambda: len(ends()) >= len(before) + 3, "all are told")
        self.assertEqual(ends().count("timeout"), before.count("timeout"))


class Writing(Behind):
    def first_segment(self, upstream: socket.socket) -> bytes:
        """What the first recv() brings: ejabberd makes only one."""
        return upstream.recv(65536)

    def header_sent(self, version: str, first: bytes, source: str, address: str = "127.0.0.1"):
        host = f"{version}.{HOST}"
        client = self.connect("none", source, address)
        ends = client.getsockname()[:2], client.getpeername()[:2]
        client.sendall(first + stream_header(host).encode())
        upstream = self.upstream.accept()
        segment = self.first_segment(upstream)
        self.assertTrue(segment.endswith(stream_header(host).encode()), segment)
        return segment.removesuffix(stream_header(host).encode()), ends

    def test_v1(self):
        sent, (client, gate) = self.header_sent("v1", b"", STRANGER)
        expected = f"PROXY TCP4 {client[0]} {gate[0]} {client[1]} {gate[1]}\r\n"
        self.assertEqual(sent, expected.encode())
        sent, (client, gate) = self.header_sent("v1", b"", "::1", "::1")
        self.assertEqual(sent, f"PROXY TCP6 ::1 ::1 {client[1]} {gate[1]}\r\n".encode())

    def test_v2(self):
        sent, (client, gate) = self.header_sent("v2", b"", STRANGER)
        self.assertEqual(sent[:16], SIGNATURE + b"\x21\x11\x00\x0c")
        self.assertEqual(sent[16:], socket.inet_aton(client[0]) + socket.inet_aton(gate[0])
                         + struct.pack("!HH", client[1], gate[1]))
        sent, (client, gate) = self.header_sent("v2", b"", "::1", "::1")
        self.assertEqual(sent[:16], SIGNATURE + b"\x21\x21\x00\x24")
        self.assertEqual(sent[16:], socket.inet_pton(socket.AF_INET6, "::1") * 2
                         + struct.pack("!HH", client[1], gate[1]))

    def test_what_a_balancer_told_is_passed_on(self):
        sent, _ = self.header_sent("v1", v2(ENEMY, SSL_TLV), BALANCER)
        self.assertEqual(sent, f"PROXY TCP4 {ENEMY} 192.0.2.1 4242 5222\r\n".encode())
        sent, _ = self.header_sent("v2", v1(FRIEND6, "2001:db8::1"), BALANCER)
        self.assertEqual(sent, v2(FRIEND6))
        # two families: the IPv4 end is written as IPv6
        sent, _ = self.header_sent("v1", b"PROXY TCP6 2001:db8::7 ::ffff:192.0.2.1 4242 5222\r\n",
                                   BALANCER)
        self.assertEqual(sent, b"PROXY TCP6 2001:db8::7 ::ffff:192.0.2.1 4242 5222\r\n")

    def test_local_and_unknown_become_full_headers(self):
        """Servers mistreat both: they get the connection's own ends."""
        for first in (b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0"):
            sent, (client, gate) = self.header_sent("v1", first, BALANCER)
            expected = f"PROXY TCP4 {client[0]} {gate[0]} {client[1]} {gate[1]}\r\n"
            self.assertEqual(sent, expected.encode())

    def test_each_session_has_its_own(self):
        seen = set()
        for number in range(5):
            sent, _ = self.header_sent("v1", v1(f"198.51.100.{number}"), BALANCER)
            seen.add(re.search(rb"TCP4 (\S+)", sent)[1])
        self.assertEqual(len(seen), 5)

    def test_none_unless_asked_for(self):
        client = self.connect("none", STRANGER)
        client.sendall(stream_header(HOST).encode())
        upstream = self.upstream.accept()
        self.assertEqual(read_exactly(upstream, 5), b"<?xml")


if __name__ == "__main__":
    main()
