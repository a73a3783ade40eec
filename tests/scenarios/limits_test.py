#!/usr/bin/python3
"""The limits, at the wire: connections, rates, times and sizes; and what counts them."""

import contextlib
import re
import socket
import time

from harness.admin import metrics
from harness.certificates import make_certificate
from harness.gate import Gate, host_table
from harness.processes import wait_until
from harness.raw_client import stream_header
from harness.raw_tls import RawTls, read_exactly, read_to_end
from harness.raw_upstream import (AUTH, HEADER, MECHANISMS, RawUpstream, authenticate,
                                  push_until_stuck, read_until)
from harness.scenario import Scenario, main

HOST = "limits.test"
KIB = 1024


class Limits(Scenario):
    LIMITS = ""  # the keys of [limits]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.upstream = cls.enterClassContext(RawUpstream())
        listeners = "".join(f'[[listen]]\naddress = ["127.0.0.1:0", "[::1]:0"]\ntls = "{tls}"\n'
                            for tls in ("direct", "starttls", "none"))
        cls.gate = cls.enterClassContext(Gate(
            cls.folder, f'[server]\ndrain = "1s"\nadmin = "127.0.0.1:0"\n[limits]\n{cls.LIMITS}\n'
            f'{listeners}' + host_table(
                HOST, f"tcp://127.0.0.1:{cls.upstream.port}", cls.certificate,
                'url = "https://example.org/"\nwhitelist = []')))

    def dial(self, source: str, door: str = "none", address: str = "127.0.0.1") -> socket.socket:
        index = 1 if ":" in address else 0
        client = socket.create_connection((address, self.gate.port(door, index)), 10, (source, 0))
        self.addCleanup(client.close)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    @contextlib.contextmanager
    def assert_counted(self, by: int, name: str, **labels: str):
        """What is done inside adds so much to a metric."""
        before = metrics(self.gate).value(name, **labels)
        yield

        def counted() -> bool:
            return metrics(self.gate).value(name, **labels) - before == by

        wait_until(counted, f"{name} {labels} is {by} more", 10)

    def secure(self, client: socket.socket) -> RawTls:
        return RawTls(client, self.certificate.client_context(), HOST).handshake()

    def is_served(self, client: socket.socket) -> bool:
        """Whether a header for nobody is answered, on a door without TLS."""
        try:
            client.sendall(stream_header("nobody.test").encode())
            return b"host-unknown" in read_to_end(client)
        except (ConnectionResetError, BrokenPipeError):
            return False

    def is_open(self, client: socket.socket) -> bool:
        """Not refused: a refused one ends before anything is said."""
        client.settimeout(0.3)
        try:
            return client.recv(1) != b""
        except TimeoutError:
            return True
        except ConnectionResetError:
            return False
        finally:
            client.settimeout(10)

    def open_stream(self, source: str, door: str = "none"):
        client = self.dial(source, door)
        channel = self.secure(client) if door == "direct" else client
        channel.sendall(stream_header(HOST).encode())
        upstream = self.upstream.accept()
        read_until(upstream, stream_header(HOST).encode())
        upstream.sendall((HEADER + f"<stream:features>{MECHANISMS}</stream:features>").encode())
        read_until(channel, b"</stream:features>")
        return channel, upstream

    def authenticated(self, door: str):
        channel, upstream = self.open_stream("127.0.1.1", door)
        authenticate(channel, upstream)
        return channel, upstream

    def assert_ended_with(self, channel, condition: str) -> None:
        answer = read_to_end(channel).decode()
        self.assertRegex(answer, rf"<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:"
                                 r"xmpp-streams'/>(<[^>]*/>)?</stream:error></stream:stream>$")


class Connections(Limits):
    LIMITS = 'connections = 8\nconnections_per_address = 3\nconnect_rate = "1000/s"'

    def test_per_address_and_in_all(self):
        first = [self.dial("127.0.1.1") for _ in range(3)]
        self.assertTrue(all(self.is_open(client) for client in first))
        with self.assert_counted(2, "refused_connections_total", reason="connections_per_address"):
            self.assertFalse(self.is_open(self.dial("127.0.1.1")))
            self.assertFalse(self.is_open(self.dial("127.0.1.1", "direct")))  # over all doors
        second = [self.dial("127.0.1.2", door) for door in ("none", "direct", "starttls")]
        third = [self.dial("127.0.1.3") for _ in range(2)]
        self.assertTrue(all(self.is_open(client) for client in second + third))
        with self.assert_counted(1, "refused_connections_total", reason="connections"):
            self.assertFalse(self.is_open(self.dial("127.0.1.4")))  # the ninth
        for client in first + second + third:
            client.close()

        def all_are_back() -> bool:
            clients = [self.dial(f"127.0.2.{number}") for number in range(1, 9)]
            served = [self.is_open(client) for client in clients]
            for client in clients:
                client.close()
            return all(served)

        wait_until(all_are_back, "what ended is given back")
        reasons = {event["reason"] for event in self.gate.events("refused_connections")}
        self.assertEqual(reasons, {"connections", "connections_per_address"})


class Rate(Limits):
    LIMITS = 'connect_rate = "5/s"'

    def test_burst_and_refill(self):
        """Ten at once, then one every 200 ms; other addresses are not touched."""
        clients = [self.dial("127.0.1.1") for _ in range(14)]
        served = sum(self.is_served(client) for client in clients)
        self.assertTrue(10 <= served <= 12, served)
        self.assertEqual(metrics(self.gate).value("refused_connections_total", reason="connect_rate"),
                         14 - served)
        self.assertTrue(self.is_served(self.dial("127.0.1.2")))
        self.assertTrue(self.is_served(self.dial("::1", address="::1")))

        def served_again() -> bool:
            return self.is_served(self.dial("127.0.1.1"))

        wait_until(served_again, "the bucket fills", 10)


class Times(Limits):
    LIMITS = ('handshake_timeout = "1s"\nnegotiation_timeout = "2s"\n'
              'connections_per_address = 1000\nconnect_rate = "1000/s"')

    def timed(self, work) -> float:
        began = time.monotonic()
        work()
        return time.monotonic() - began

    def assert_took(self, work, seconds: float) -> None:
        # Not before; how long after says nothing on a busy machine.
        self.assertGreater(self.timed(work), seconds - 0.1)

    def test_silence(self):
        client = self.dial("127.0.1.1", "direct")
        with self.assert_counted(1, "handshakes_total", result="timeout"):
            self.assert_took(lambda: self.assertEqual(read_to_end(client), b""), 1)
        client = self.dial("127.0.1.1", "starttls")
        with self.assert_counted(1, "session_ends_total", why="timeout"):
            self.assert_took(lambda: self.assert_ended_with(client, "policy-violation"), 1)
        client = self.dial("127.0.1.1", "none")
        with self.assert_counted(1, "session_ends_total", why="timeout"), \
                self.assert_counted(1, "stream_errors_total", condition="policy-violation"):
            self.assert_took(lambda: self.assert_ended_with(client, "policy-violation"), 2)

    def test_a_byte_now_and_then(self):
        """What trickles is no reason to wait longer."""
        hello = RawTls(self.dial("127.0.1.1", "direct"), self.certificate.client_context(), HOST)
        try:
            hello.tls.do_handshake()
        except OSError:
            pass
        header = stream_header(HOST).encode()
        for door, said in (("direct", hello.take_out()), ("starttls", header)):
            client = self.dial("127.0.1.1", door)
            self.assert_took(lambda sock=client, data=said: self.trickle(sock, data), 1)

    def trickle(self, client: socket.socket, data: bytes) -> None:
        client.settimeout(0.1)
        for byte in data:
            try:
                client.sendall(bytes([byte]))
                while client.recv(65536):
                    pass
                return
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                return
        self.fail("it was listened to to the end")

    def test_starttls_counts_from_the_first_byte(self):
        client = self.dial("127.0.1.1", "starttls")

        def dawdle() -> None:
            client.sendall(stream_header(HOST).encode())
            read_until(client, b"</stream:features>")
            time.sleep(0.6)
            client.sendall(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            read_until(client, b"/>")
            self.assertEqual(read_to_end(client), b"")

        self.assert_took(dawdle, 1)

    def test_negotiation(self):
        """However busy the client is; and what it waits for does not matter."""
        channel, upstream = self.open_stream("127.0.1.1", "direct")
        began = time.monotonic()
        while time.monotonic() - began < 1.5:
            channel.sendall(b"<iq type='get' id='1'><a xmlns='urn:x'/></iq> ")
            time.sleep(0.1)
        self.assert_ended_with(channel, "policy-violation")
        self.assertGreater(time.monotonic() - began, 1.4)
        self.assertNotIn(b"</stream:stream>", read_to_end(upstream))

        channel, upstream = self.open_stream("127.0.1.1", "direct")
        channel.sendall(AUTH.encode())
        read_until(upstream, AUTH.encode())
        self.assert_took(lambda: self.assert_ended_with(channel, "policy-violation"), 2)

    def test_a_client_that_never_reads(self):
        """Its answers pile up and cannot be sent: it is let go all the same."""
        client = socket.socket()
        self.addCleanup(client.close)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.bind(("127.0.1.9", 0))
        client.connect(("127.0.0.1", self.gate.port("none")))
        client.sendall(stream_header(HOST).encode())
        upstream = self.upstream.accept()
        read_until(upstream, b"version='1.0'>")
        upstream.sendall((HEADER + f"<stream:features>{MECHANISMS}</stream:features>").encode())
        ask = b"<iq type='get' id='%s'><query xmlns='jabber:iq:register'/></iq>" % (b"x" * 4000)
        push_until_stuck(client, ask * 4000, quiet=0.3)

        def ended() -> bool:
            return any(event["peer"] == "127.0.1.9" for event in self.gate.events("session_end"))

        wait_until(ended, "the session ends", 12)

    def test_no_timeout_after_authentication(self):
        channel, upstream = self.authenticated("direct")
        time.sleep(2.5)
        channel.sendall(b"alive")
        self.assertEqual(read_exactly(upstream, 5), b"alive")


class Sizes(Limits):
    LIMITS = 'connections_per_address = 1000\nconnect_rate = "1000/s"'  # 16 KiB, 16 deep, 32

    def message(self, size: int) -> bytes:
        frame = len(b"<message><body></body></message>")
        return b"<message><body>" + b"x" * (size - frame) + b"</body></message>"

    def assert_passes(self, said: bytes, piece: int = 1 << 20) -> None:
        channel, upstream = self.open_stream("127.0.1.1")
        for start in range(0, len(said), piece):
            channel.sendall(said[start:start + piece])
        self.assertTrue(read_exactly(upstream, len(said), 10) == said)
        channel.close()

    def assert_refused(self, said: bytes, piece: int = 1 << 20) -> None:
        """With the right error, and nothing of it reaches the upstream."""
        channel, upstream = self.open_stream("127.0.1.1")
        channel.sendall(b"<message/>")
        with self.assert_counted(1, "stream_errors_total", condition="policy-violation"):
            try:
                for start in range(0, len(said), piece):
                    channel.sendall(said[start:start + piece])
            except (BrokenPipeError, ConnectionResetError):
                pass
            self.assert_ended_with(channel, "policy-violation")
        self.assertEqual(read_to_end(upstream), b"<message/>")

    def test_stanza_size(self):
        for piece in (1 << 20, 1000):
            self.assert_passes(self.message(16 * KIB), piece)
            self.assert_refused(self.message(16 * KIB + 1), piece)
        self.assert_passes(self.message(16 * KIB) * 5)
        # what never ends is not waited for
        self.assert_refused(b"<message><body>" + b"x" * 17 * KIB)
        self.assert_refused(b"<message " + b" " * 17 * KIB)

    def test_header_size(self):
        plain = len(stream_header(HOST, " x=''"))
        for size, passes in ((16 * KIB, True), (16 * KIB + 1, False)):
            header = stream_header(HOST, f" x='{'y' * (size - plain)}'").encode()
            self.assertEqual(len(header), size)
            client = self.dial("127.0.1.1")
            client.sendall(header)
            if passes:
                self.assertTrue(read_until(self.upstream.accept(), b"'>") == header)
            else:
                self.assert_ended_with(client, "policy-violation")
                self.assertTrue(self.upstream.nobody_came())

    def test_depth_and_attributes(self):
        def deep(levels: int) -> bytes:
            return b"<message>" + b"<a>" * (levels - 1) + b"</a>" * (levels - 1) + b"</message>"

        def wide(count: int) -> bytes:
            return b"<message " + b" ".join(b"a%d='1'" % i for i in range(count)) + b"/>"

        self.assert_passes(deep(16))
        self.assert_refused(deep(17))
        self.assert_passes(wide(32))
        self.assert_refused(wide(33))
        self.assert_passes(wide(31).replace(b"/>", b" xmlns:p='urn:x'/>"))
        self.assert_refused(wide(32).replace(b"/>", b" xmlns:p='urn:x'/>"))

    def test_the_upstream_may_say_more(self):
        """Before authentication too: up to 256 KiB in one stanza."""
        for size in (17 * KIB, 256 * KIB):
            channel, upstream = self.open_stream("127.0.1.1", "direct")
            upstream.sendall(self.message(size))
            self.assertTrue(read_exactly(channel, size) == self.message(size))
            channel.close()
        channel, upstream = self.open_stream("127.0.1.1", "direct")
        upstream.sendall(self.message(256 * KIB + 1))
        answer = read_to_end(channel)
        self.assertTrue(re.match(rb"<stream:error><internal-server-error ", answer), answer[:200])

    def test_after_authentication_there_is_no_size(self):
        channel, upstream = self.authenticated("none")
        channel.sendall(self.message(300 * KIB))
        self.assertTrue(read_exactly(upstream, 300 * KIB) == self.message(300 * KIB))


class Totals(Limits):
    """What one client may do before it is authenticated, in all."""

    LIMITS = 'negotiation_bytes = "64KiB"\nnegotiation_requests = 5'
    GET = b"<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>"

    def test_bytes(self):
        channel, upstream = self.open_stream("127.0.1.1", "direct")
        message = b"<message><body>" + b"x" * 8000 + b"</body></message>"
        for _ in range(8):
            channel.sendall(message)
            self.assertTrue(read_exactly(upstream, len(message)) == message)
        with self.assert_counted(1, "stream_errors_total", condition="policy-violation"):
            channel.sendall(message)
            self.assert_ended_with(channel, "policy-violation")
        self.assertEqual(read_to_end(upstream), b"")

    def test_requests(self):
        channel, upstream = self.open_stream("127.0.1.1", "direct")
        for _ in range(5):
            channel.sendall(self.GET)
            read_until(channel, b"</iq>")
        with self.assert_counted(1, "stream_errors_total", condition="policy-violation"):
            channel.sendall(self.GET)
            self.assert_ended_with(channel, "policy-violation")
        self.assertEqual(read_to_end(upstream), b"")

    def test_not_after_authentication(self):
        channel, upstream = self.authenticated("direct")
        said = self.GET * 2000
        channel.sendall(said)
        self.assertTrue(read_exactly(upstream, len(said)) == said)


class ProxyHeader(Scenario):
    """A balancer that says nothing is not waited for longer than a client."""

    def test_silence_and_trickle(self):
        certificate = make_certificate(self.folder, HOST)
        gate = self.enterContext(Gate(
            self.folder, '[server]\ndrain = "1s"\nadmin = "127.0.0.1:0"\n[limits]\n'
            'handshake_timeout = "1s"\n[[listen]]\naddress = "127.0.0.1:0"\ntls = "direct"\n'
            'proxy_protocol_from = ["127.0.0.0/8"]\n' + host_table(
                HOST, "tcp://127.0.0.1:1", certificate, 'url = "https://example.org/"'), "behind"))
        for said in (b"", b"PROXY TCP4 "):
            with socket.create_connection(("127.0.0.1", gate.port("direct")), 10) as client:
                began = time.monotonic()
                client.sendall(said)
                self.assertEqual(read_to_end(client), b"")
                self.assertGreater(time.monotonic() - began, 0.9)
        wait_until(lambda: metrics(gate).value("session_ends_total", why="timeout") == 2,
                   "both are counted", 5)


if __name__ == "__main__":
    main()
