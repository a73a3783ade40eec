#!/usr/bin/python3
"""Many at once who are slow: what they cost in memory is bounded, and nobody else waits for them."""

import http.client
import resource
import socket
import threading

from harness.admin import metrics
from harness.certificates import make_certificate
from harness.gate import Gate, host_table, is_sanitized
from harness.processes import wait_until
from harness.raw_client import stream_header
from harness.raw_tls import RawTls, read_exactly
from harness.raw_upstream import (AUTH, HEADER, MECHANISMS, SUCCESS, RawUpstream, authenticate,
                                  push_until_stuck, read_until)
from harness.scenario import Scenario, main

HOST = "slow.test"
KIB = 1024
WRITERS = 1000
READERS = 100
# What docs/reliability.md states, in KiB.
WRITER_COSTS_AT_MOST = 64
READER_COSTS_AT_MOST = 96
BOSH_READER_COSTS_AT_MOST = 256
BOSH = "xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'"


def memory_kib(gate: Gate) -> float:
    """What the process has for itself: the system's buffers of its sockets are not in it."""
    with open(f"/proc/{gate.process.child.pid}/smaps_rollup", encoding="ascii") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


class SlowPeers(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.upstream = cls.enterClassContext(RawUpstream())
        cls.gate = cls.enterClassContext(Gate(
            cls.folder, '[server]\ndrain = "1s"\nadmin = "127.0.0.1:0"\n[limits]\n'
            'connections_per_address = 10000\nconnect_rate = "100000/s"\n'
            'negotiation_timeout = "10m"\n'
            '[[listen]]\naddress = "127.0.0.1:0"\ntls = "direct"\n'
            '[[listen]]\naddress = "127.0.0.1:0"\ntls = "none"\nserve = ["xmpp", "bosh"]\n' + host_table(
                HOST, f"tcp://127.0.0.1:{cls.upstream.port}", cls.certificate,
                'url = "https://example.org/"\nwhitelist = []')))

    def dial(self, door: str, buffer: int = 0):
        client = socket.socket()
        self.addCleanup(client.close)
        client.settimeout(30)
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.connect(("127.0.0.1", self.gate.port(door)))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if door == "none":
            return client
        return RawTls(client, self.certificate.client_context(), HOST).handshake()

    def open_stream(self, door: str, buffer: int = 0):
        client = self.dial(door, buffer)
        client.sendall(stream_header(HOST).encode())
        upstream = self.upstream.accept()
        read_until(upstream, b"version='1.0'>")
        upstream.sendall((HEADER + f"<stream:features>{MECHANISMS}</stream:features>").encode())
        read_until(client, b"</stream:features>")
        return client, upstream

    def assert_others_are_served(self) -> None:
        client, upstream = self.open_stream("direct")
        authenticate(client, upstream)
        client.sendall(b"<presence/>")
        self.assertEqual(read_exactly(upstream, 11), b"<presence/>")
        client.close()
        upstream.close()

    def test_a_thousand_that_write_byte_by_byte(self):
        """All in the middle of a stanza at once. Each of its bytes arrives alone; the limit ends it in the end."""
        self.assert_others_are_served()
        before = memory_kib(self.gate)
        streams = [self.open_stream("none") for _ in range(WRITERS)]
        said = b"<message><body a='>>>>'>" + b">" * 120
        for byte in said:
            for client, _ in streams:
                client.sendall(bytes([byte]))
        self.assert_others_are_served()
        cost = (memory_kib(self.gate) - before) / WRITERS
        print(f"(a slow writer: {cost:.1f} KiB)", end=" ", flush=True)
        if not is_sanitized():
            self.assertLess(cost, WRITER_COSTS_AT_MOST)
        for _, upstream in streams:
            upstream.setblocking(False)
            with self.assertRaises(BlockingIOError):
                upstream.recv(1)  # nothing of a stanza that is not whole
            upstream.setblocking(True)
        for client, _ in streams:
            client.sendall(b"</body></message>")
        for _, upstream in streams:
            self.assertEqual(read_exactly(upstream, len(said) + 17), said + b"</body></message>")
            upstream.close()

    def test_a_hundred_that_do_not_read(self):
        """Whichever side stops, the other one is stopped: what is kept for a session has a bound."""
        flood = b"<message/>" * 800_000  # more than any socket takes
        for slow in ("client", "upstream"):
            for door in ("none", "direct"):
                with self.subTest(slow=slow, door=door):
                    self.assert_costs_little(slow, door, flood)

    def assert_costs_little(self, slow: str, door: str, flood: bytes) -> None:
        self.assert_others_are_served()
        before = memory_kib(self.gate)
        sessions = [self.open_stream(door, 4096 if slow == "client" else 0) for _ in range(READERS)]
        for client, upstream in sessions:
            authenticate(client, upstream)
        idle = memory_kib(self.gate)

        def push(client, upstream) -> None:
            if slow == "client":
                push_until_stuck(upstream, flood, quiet=0.3)
            elif door == "none":
                push_until_stuck(client, flood, quiet=0.3)
            else:
                push_until_stuck(client.socket, client.encrypt(flood), quiet=0.3)

        threads = [threading.Thread(target=push, args=session) for session in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assert_others_are_served()
        cost = (memory_kib(self.gate) - idle) / READERS
        print(f"(a {slow} that does not read, {door}: {cost:.1f} KiB above {(idle - before) / READERS:.1f})",
              end=" ", flush=True)
        if not is_sanitized():
            self.assertLess(cost, READER_COSTS_AT_MOST)
        for client, upstream in sessions:
            client.close()
            upstream.close()
        wait_until(lambda: metrics(self.gate).value("connections") == 0, "all are gone", 20)

    def open_bosh(self) -> "BoshReader":
        reader = BoshReader(self.gate.port("none"), self.upstream)
        self.addCleanup(reader.connection.close)
        return reader

    def test_a_hundred_over_bosh_that_fetch_little(self):
        """The last responses are kept for a client that asks again, beside what waits for it."""
        flood = b"<message/>" * 800_000
        before = memory_kib(self.gate)
        readers = [self.open_bosh() for _ in range(READERS)]
        idle = memory_kib(self.gate)
        cost = 0.0
        for _ in range(5):
            threads = [threading.Thread(target=reader.push, args=(flood,)) for reader in readers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            cost = max(cost, (memory_kib(self.gate) - idle) / READERS)
            for reader in readers:
                reader.ask("<presence xmlns='jabber:client'/>")
        self.assert_others_are_served()
        print(f"(a client over BOSH that fetches little: {cost:.1f} KiB above "
              f"{(idle - before) / READERS:.1f})", end=" ", flush=True)
        if not is_sanitized():
            self.assertLess(cost, BOSH_READER_COSTS_AT_MOST)
        for reader in readers:
            reader.ask("", "type='terminate'")
            reader.connection.close()
            reader.upstream.close()
        wait_until(lambda: metrics(self.gate).value("connections") == 0, "all are gone", 20)


class BoshReader:
    """An authenticated session over BOSH, and its server's end."""

    def __init__(self, port: int, upstream: RawUpstream):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.rid = 1
        self.said = 0  # bytes of the flood
        self.sid = ""
        self.send("", f"to='{HOST}' wait='30' hold='2' ver='1.6' xmpp:version='1.0'")
        self.upstream = upstream.accept()
        read_until(self.upstream, b"version='1.0'>")
        self.upstream.sendall((HEADER + f"<stream:features>{MECHANISMS}</stream:features>").encode())
        created = self.answer()
        self.sid = created.split("sid='")[1].split("'")[0]
        if "<stream:features" not in created:
            self.ask("")
        self.send(AUTH)
        read_until(self.upstream, AUTH.encode())
        self.upstream.sendall(SUCCESS.encode())
        self.answer()
        self.send("", "xmpp:restart='true'")
        read_until(self.upstream, b"version='1.0'>")
        self.upstream.sendall((HEADER + "<stream:features/>").encode())
        self.answer()

    def send(self, payload: str, attributes: str = "") -> None:
        sid = f"sid='{self.sid}'" if self.sid else ""
        self.connection.request("POST", "/http-bind", f"<body {BOSH} rid='{self.rid}' {sid} "
                                f"{attributes}>{payload}</body>")
        self.rid += 1

    def answer(self) -> str:
        return self.connection.getresponse().read().decode()

    def ask(self, payload: str, attributes: str = "") -> str:
        self.send(payload, attributes)
        return self.answer()

    def push(self, flood: bytes) -> None:
        """Goes on with the flood where it stopped."""
        self.said += push_until_stuck(self.upstream, flood[self.said:], quiet=0.3)


if __name__ == "__main__":
    main()
