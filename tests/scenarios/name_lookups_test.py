#!/usr/bin/python3
"""Upstreams that have names, and a name server in all its moods. Beside each mood somebody is logged in and
notices nothing."""

import socket
import struct
import time

from harness.canonical import REGISTER, SASL
from harness.certificates import make_certificate
from harness.gate import Gate, host_table
from harness.name_server import (NO_SUCH_NAME, REFUSED, SERVER_FAILURE, NameServer, asking,
                                 can_ask_another)
from harness.processes import wait_until
from harness.raw_client import stream_header
from harness.raw_upstream import read_until
from harness.recorder import RecordingUpstream
from harness.scenario import Scenario, main

SKIPPED = 77
NAME_SERVER = "127.0.53.53"
FRESH = 30  # seconds that the gate does not ask again
BESIDE = "beside.example"
HEAD = """
[server]
drain = "1s"
workers = 1
[limits]
connections_per_address = 1000
connect_rate = "1000/s"
[registration]
url = "https://example.org/"
whitelist = []
[[listen]]
address = "127.0.0.1:0"
tls = "none"
"""


def garbage(question: bytes) -> bytes:
    return question[:2] + bytes(range(100))


def empty(question: bytes) -> bytes:
    """There is such a name, but it has no address."""
    return question[:2] + struct.pack("!5H", 0x8180, 1, 0, 0, 0) + question[12:]


def silence(_question: bytes) -> None:
    return None


MOODS = {"failing": SERVER_FAILURE, "unknown": NO_SUCH_NAME, "refusing": REFUSED, "garbled": garbage,
         "empty": empty, "silent": silence}


class NameLookups(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, "example.org")
        cls.upstream = cls.enterClassContext(RecordingUpstream())
        cls.names = cls.enterClassContext(NameServer(NAME_SERVER))

    def setUp(self):
        self.names.wrongs = {}
        self.names.asked.clear()

    def gate(self, *hosts: str, seconds: int = 1, port: int = 0) -> Gate:
        """Each host's upstream is host.test, of which is asked twice for so many seconds."""
        folder = self.temporary_folder()
        tables = "".join(
            host_table(f"{host}.example", f"tcp://{host}.test:{port or self.upstream.port}",
                       self.certificate)
            for host in hosts)
        gate = Gate(folder, HEAD + tables)
        gate.process.argv = asking(self.names, folder, seconds) + gate.process.argv
        return self.enterContext(gate)

    def dial(self, gate: Gate) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", gate.port("none")), 15)
        self.addCleanup(client.close)
        return client

    def logged_in(self, gate: Gate, host: str) -> socket.socket:
        client = self.dial(gate)
        client.sendall(stream_header(host).encode())
        read_until(client, b"</stream:features>")
        client.sendall(f"<auth xmlns='{SASL}' mechanism='PLAIN'>AHUAcA==</auth>".encode())
        read_until(client, b"/>")
        client.sendall(stream_header(host).encode())
        read_until(client, b"</stream:features>")
        return client

    def assert_echo(self, client: socket.socket) -> None:
        client.sendall(b"<message>still here</message>")
        read_until(client, b"<message>still here</message>")

    def assert_served(self, gate: Gate, host: str) -> None:
        client = self.dial(gate)
        client.sendall((stream_header(host) +
                        f"<iq type='get' id='1'><query xmlns='{REGISTER}'/></iq>").encode())
        self.assertIn(b"https://example.org/", read_until(client, b"</iq>"))

    def assert_unavailable(self, gate: Gate, host: str) -> None:
        client = self.dial(gate)
        client.sendall(stream_header(host).encode())
        said = read_until(client, b"</stream:stream>")
        self.assertTrue(said.find(b"<stream:stream") < said.find(b"<internal-server-error"), said)

    def test_a_name_that_nobody_knows_yet(self):
        gate = self.gate("beside", *MOODS)
        beside = self.logged_in(gate, BESIDE)
        self.names.wrongs = MOODS
        for number, mood in enumerate(MOODS):
            with self.subTest(mood):
                host = f"{mood}.example"
                self.assert_unavailable(gate, host)
                wait_until(lambda count=number + 1: self.ends(gate) == ["upstream_failed"] * count,
                           "the session ends once", 10)
                self.assertIn("reason", gate.events("upstream_failed")[-1])
                self.assert_echo(beside)
        self.names.wrongs = {}
        for mood in MOODS:
            self.assert_served(gate, f"{mood}.example")

    def test_a_crowd_asks_once(self):
        gate = self.gate("crowded")
        self.names.wrongs = {"crowded": silence}
        clients = [self.dial(gate) for _ in range(50)]
        for client in clients:
            client.sendall(stream_header("crowded.example").encode())
        wait_until(lambda: self.names.asked, "the first question")
        time.sleep(0.3)  # what the others would ask
        self.names.wrongs = {}  # by the second try, a second later
        for client in clients:
            read_until(client, b"</stream:features>")
        self.assertLessEqual(len(self.names.asked), 4)  # A and AAAA, twice

    def test_names_that_were_known_before(self):
        moods = ("failing", "unknown", "silent")
        gate = self.gate("beside", *moods)
        beside = self.logged_in(gate, BESIDE)
        for mood in moods:
            self.assert_served(gate, f"{mood}.example")
        time.sleep(FRESH + 1)
        self.names.asked.clear()
        self.names.wrongs = MOODS
        for mood in moods:
            with self.subTest(mood):
                for _ in range(5):
                    self.assert_served(gate, f"{mood}.example")
                self.assertIn(f"{mood}.test", self.names.asked)
        self.assert_echo(beside)
        self.names.wrongs = {}
        for mood in moods:
            with self.subTest(mood):
                wait_until(lambda name=mood: self.is_looked_up_anew(gate, name), mood)
                self.assertTrue(self.told_of(gate, "name_lookup_failed", f"{mood}.test"))
        self.assertEqual(gate.events("upstream_failed"), [])

    def test_a_name_whose_first_address_hangs(self):
        """The system sorts 127.0.0.1 first, since it is the nearest to itself (RFC 6724)."""
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            for _ in range(4):  # so many that no more fit
                waiting = self.enterContext(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            self.enterContext(RecordingUpstream(address="127.0.53.2", port=port))
            self.names.addresses = {"twofold": ["127.0.0.1", "127.0.53.2"]}
            gate = self.gate("twofold", port=port)
            for _ in range(5):
                self.assert_served(gate, "twofold.example")
            failures = gate.events("upstream_failed")
            self.assertEqual([line["address"] for line in failures], [f"127.0.0.1:{port}"],
                             "one was kept waiting")
            self.assertEqual(failures[0]["upstream"], f"tcp://twofold.test:{port}")

    def test_the_end_waits_for_no_name(self):
        gate = self.gate("silent", seconds=5)
        self.names.wrongs = MOODS
        client = self.dial(gate)
        client.sendall(stream_header("silent.example").encode())
        wait_until(lambda: self.names.asked, "the first question")
        gate.terminate()
        read_until(client, b"</stream:stream>")
        client.close()
        self.assertEqual(gate.process.wait(), 0)
        self.assertLessEqual(len(self.names.asked), 2, "A and AAAA are not asked for once more")

    def is_looked_up_anew(self, gate: Gate, name: str) -> bool:
        self.assert_served(gate, f"{name}.example")
        return self.told_of(gate, "name_lookup_resumed", f"{name}.test")

    def ends(self, gate: Gate) -> list[str]:
        return [event["why"] for event in gate.events("session_end")]

    def told_of(self, gate: Gate, event: str, name: str) -> bool:
        return any(line["name"] == name for line in gate.events(event))


if __name__ == "__main__":
    if not can_ask_another():
        print("skipped: this needs root, to serve port 53 and to mount files")
        raise SystemExit(SKIPPED)
    main()
