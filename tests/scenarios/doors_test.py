#!/usr/bin/python3
"""The ways in: certificates by name, ALPN, STARTTLS without injection, PROXY headers from
balancers, IPv6, and streams for nobody."""

import socket
import ssl
import struct

from harness.canonical import OOB, REGISTER, TLS, stream_error_of
from harness.certificates import make_certificate
from harness.gate import Gate, host_table
from harness.network import STRANGER
from harness.processes import wait_until
from harness.raw_client import Closed, RawClient, stream_header
from harness.recorder import RecordingUpstream
from harness.scenario import Scenario, main

HOSTS = ["one.test", "two.test", "*.wild.test"]
BALANCER = "127.0.0.5"
GET = f"<iq type='get' id='g'><query xmlns='{REGISTER}'/></iq>"

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL_HEADER = SIGNATURE + b"\x20\x00\x00\x00"


def v2_header(source: str, family: int = socket.AF_INET, extra: bytes = b"") -> bytes:
    """A PROXY v2 header for a connection from source, port 4242."""
    addresses = socket.inet_pton(family, source) * 2 + struct.pack("!HH", 4242, 5222)
    kind = b"\x21\x11" if family == socket.AF_INET else b"\x21\x21"
    return SIGNATURE + kind + struct.pack("!H", len(addresses + extra)) + addresses + extra


class Doors(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.upstream = cls.enterClassContext(RecordingUpstream())
        cls.certificates = {name: make_certificate(cls.folder, name) for name in HOSTS}
        tables = [host_table(name, f"tcp://127.0.0.1:{cls.upstream.port}", certificate)
                  for name, certificate in cls.certificates.items()]
        cls.gate = cls.enterClassContext(Gate(cls.folder, f"""
[server]
drain = "1s"

[limits]
handshake_timeout = "2s"
connections_per_address = 1000
connect_rate = "1000/s"

[[listen]]
address = ["127.0.0.1:0", "[::1]:0"]
tls = "direct"

[[listen]]
address = "127.0.0.1:0"
tls = "starttls"

[[listen]]
address = "127.0.0.1:0"
tls = "none"
proxy_protocol_from = ["{BALANCER}"]

[registration]
whitelist = ["192.0.2.7", "2001:db8::7", "{BALANCER}", "::1"]
url = "https://example.org/"
""" + "\n".join(tables)))

    def client(self, tls: str, source: str = STRANGER) -> RawClient:
        return self.enterContext(RawClient(self.gate.port(tls), source))

    def trusting(self, pattern: str) -> ssl.SSLContext:
        return self.certificates[pattern].client_context()

    # --- certificates and ALPN

    def test_certificate_by_sni(self):
        for name, pattern in (("one.test", "one.test"), ("two.test", "two.test"),
                              ("a.wild.test", "*.wild.test")):
            client = self.client("direct")
            client.wrap(self.trusting(pattern), name)
            self.assertTrue(client.open(name).tag.endswith("}features"))
        client = self.client("direct")
        with self.assertRaises(ssl.SSLCertVerificationError):
            client.wrap(self.trusting("one.test"), "two.test")

    def test_certificate_by_stream_where_there_is_no_sni(self):
        for name in ("one.test", "two.test"):
            context = self.trusting(name)
            context.check_hostname = False
            client = self.client("starttls")
            client.open(name)
            client.secure(context, None)
            self.assertTrue(client.open(name).tag.endswith("}features"))

    def test_alpn(self):
        for offered, chosen in ((["xmpp-client"], "xmpp-client"),
                                (["h2", "xmpp-client"], "xmpp-client"), ([], None)):
            context = self.trusting("one.test")
            if offered:
                context.set_alpn_protocols(offered)
            client = self.client("direct")
            client.wrap(context, "one.test")
            self.assertEqual(client.socket.selected_alpn_protocol(), chosen)
        context = self.trusting("one.test")
        context.set_alpn_protocols(["h2"])
        with self.assertRaises((ssl.SSLError, ConnectionResetError)):
            self.client("direct").wrap(context, "one.test")

    def test_who_speaks_for_others_over_http_is_counted_where_it_speaks_xmpp(self):
        """Whether ALPN or its first bytes say so, or the door serves nothing else."""
        certificate = self.certificates["one.test"]
        everything = 'serve = ["xmpp", "websocket", "bosh"]\n'
        for tls, serve, alpn in (("direct", everything, True), ("direct", everything, False),
                                 ("direct", "", True), ("none", everything, False), ("none", "", False)):
            with self.subTest(tls=tls, serve=serve, alpn=alpn), Gate(
                    self.temporary_folder(), '[limits]\nconnections_per_address = 2\n'
                    f'[[listen]]\naddress = "127.0.0.1:0"\ntls = "{tls}"\n{serve}'
                    f'forwarded_from = ["{BALANCER}"]\n' + host_table(
                        "one.test", f"tcp://127.0.0.1:{self.upstream.port}", certificate,
                        'url = "https://example.org/"')) as gate:
                served = 0
                clients = [RawClient(gate.port(tls), BALANCER) for _ in range(4)]
                for client in clients:
                    context = certificate.client_context()
                    if alpn:
                        context.set_alpn_protocols(["xmpp-client"])
                    try:
                        if tls == "direct":
                            client.wrap(context, "one.test")
                        client.open("one.test")
                        served += 1
                    except (Closed, OSError):
                        pass
                for client in clients:
                    client.close()
                self.assertEqual(served, 2)
                wait_until(lambda told=gate: told.events("refused_connections"), "it is told of")

    # --- STARTTLS

    def test_bytes_behind_starttls_end_the_connection(self):
        """What was said in the clear must not count as said under TLS (CVE-2011-0411)."""
        before = len(self.upstream.everything())
        for cut in (0, 1):
            client = self.client("starttls")
            client.open("one.test")
            client.send(f"<starttls xmlns='{TLS}'/>" + GET[:len(GET) // (cut + 1)])
            rest = client.until_closed()
            self.assertNotIn(b"<query", rest)
        self.assertEqual(len(self.upstream.everything()), before)

    def test_nothing_in_the_clear_reaches_the_server(self):
        before = len(self.upstream.everything())
        client = self.client("starttls", BALANCER)
        client.open("one.test")
        client.send(GET)
        self.assertNotIn(b"<query", client.until_closed())
        self.assertEqual(len(self.upstream.everything()), before)

    def test_silence_ends(self):
        """handshake_timeout: neither TLS nor STARTTLS comes."""
        for tls in ("direct", "starttls"):
            self.client(tls).until_closed()

    # --- streams for nobody

    def test_unknown_host(self):
        for tls in ("none", "starttls"):
            client = self.client(tls)
            self.assertEqual(stream_error_of(client.open("nobody.test")), "host-unknown")
            self.assertTrue(client.header().get("id"))
            with self.assertRaises(Closed):
                client.next()

    def test_no_host(self):
        client = self.client("none")
        client.restart()
        client.send(stream_header("x").replace(" to='x'", ""))
        self.assertEqual(stream_error_of(client.next()), "improper-addressing")

    # --- PROXY headers

    def asks_behind(self, header: bytes, source: str = BALANCER) -> str:
        """How a registration is decided that comes behind these first bytes."""
        client = self.client("none", source)
        index = len(self.upstream.connections)
        client.send(header)
        features = client.open("one.test")
        self.assertIsNone(features.find(f"{{{TLS}}}starttls"))
        client.send(GET)
        connection = self.upstream.connection(index)
        end = GET.encode()

        def decided() -> str:
            if connection.received.endswith(end):
                return "forwarded"
            client.socket.settimeout(0.02)
            try:
                client.receive()
            except TimeoutError:
                return ""
            return "redirected" if OOB.encode() in client.received else ""

        return wait_until(decided, "a decision", 10)

    def test_the_header_says_who_comes(self):
        v1 = "PROXY TCP4 {} 127.0.0.1 4242 5222\r\n"
        noop = b"\x04\x00\x03abc"
        for header, decision in (
            (v2_header("192.0.2.7"), "forwarded"),
            (v2_header("192.0.2.8"), "redirected"),
            (v2_header("192.0.2.7", extra=noop), "forwarded"),
            (v2_header("2001:db8::7", socket.AF_INET6), "forwarded"),
            (v2_header("2001:db8::8", socket.AF_INET6), "redirected"),
            (v2_header("::ffff:192.0.2.7", socket.AF_INET6), "forwarded"),
            (v1.format("192.0.2.7").encode(), "forwarded"),
            (v1.format("192.0.2.8").encode(), "redirected"),
            (LOCAL_HEADER, "forwarded"),  # under the balancer's own address
            (b"PROXY UNKNOWN\r\n", "redirected"),  # under none
            (SIGNATURE + b"\x21\x00\x00\x00", "redirected"),
        ):
            with self.subTest(header):
                self.assertEqual(self.asks_behind(header), decision)

    def test_the_header_in_pieces(self):
        header = v2_header("192.0.2.7", extra=b"\x04\x00\x03abc")
        client = self.client("none", BALANCER)
        for byte in header + stream_header("one.test").encode():
            client.send(bytes([byte]))
        self.assertTrue(client.next().tag.endswith("}features"))
        peers = {event.get("peer") for event in self.gate.events()}
        self.assertFalse(any(peer and peer.startswith("127.0.0.5:") for peer in peers))

    def test_the_header_is_written_for_a_balancer_and_for_nobody_else(self):
        """A balancer must send one; from anyone else it is refused."""
        for source, first in ((STRANGER, v2_header("192.0.2.7")),
                              (STRANGER, b"PROXY TCP4 192.0.2.7 127.0.0.1 4242 5222\r\n"),
                              (BALANCER, b""),
                              (BALANCER, b"PROXY TCP4 300.0.2.7 127.0.0.1 4242 5222\r\n"),
                              (BALANCER, v2_header("192.0.2.7")[:14] + b"\0\x04abcd")):
            with self.subTest(source=source, first=first):
                client = self.client("none", source)
                client.send(first + stream_header("one.test").encode())
                self.assertNotIn(b"features", client.until_closed())

    def test_without_a_balancer_the_plain_door_serves_too(self):
        self.assertEqual(self.asks_behind(b"", STRANGER), "redirected")

    # --- IPv6

    def test_ipv6(self):
        client = self.enterContext(
            RawClient(self.gate.port("direct", 1), "::1", address="::1"))
        client.wrap(self.trusting("one.test"), "one.test")
        index = len(self.upstream.connections) - 1
        client.open("one.test")
        client.send(GET)
        wait_until(lambda: self.upstream.connections[index + 1].received.endswith(GET.encode()),
                   "an IPv6 client is known by its address")


if __name__ == "__main__":
    main()
