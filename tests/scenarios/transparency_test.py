#!/usr/bin/python3
"""Nothing leaks and nothing changes: an upstream that records every byte stands behind the gate.

Every stream is cut in several ways: whole, byte by byte, and at random (seeded).
"""

import random

from harness.canonical import REGISTER, SASL, stream_error_of
from harness.certificates import make_certificate
from harness.gate import LISTENERS, Gate, host_table
from harness.network import STRANGER
from harness.processes import wait_until
from harness.raw_client import Closed, RawClient, stream_header
from harness.recorder import Connection, RecordingUpstream
from harness.scenario import Scenario, main
from harness.streams import BAD_REQUESTS, FAULTS, REQUESTS, random_stanza, random_stream

HOST = "clear.test"
AUTH = f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>"
SEED = 20260


def cuts(data: bytes, chance: random.Random) -> list[bytes]:
    """The data in random pieces, most of them small."""
    pieces = []
    while data:
        size = chance.choice((1, 2, 3, 7, 50, 1000))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def ways_to_cut(data: bytes) -> list[list[bytes]]:
    chance = random.Random(SEED)
    bytewise = [data[i:i + 1] for i in range(len(data))]
    return [[data], bytewise, cuts(data, chance), cuts(data, chance)]


class Transparency(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.upstream = cls.enterClassContext(RecordingUpstream())
        limits = "[limits]\nconnections_per_address = 1000\nconnect_rate = \"1000/s\"\n"
        cls.gate = cls.enterClassContext(Gate(cls.folder, limits + LISTENERS + host_table(
            HOST, f"tcp://127.0.0.1:{cls.upstream.port}", cls.certificate,
            'url = "https://example.org/"\nwhitelist = []')))

    def connect(self) -> tuple[RawClient, Connection]:
        """A stranger with an open stream, and what the upstream has of it."""
        index = len(self.upstream.connections)
        client = self.enterContext(RawClient(self.gate.port("direct"), STRANGER))
        client.wrap(self.certificate.client_context(), HOST)
        client.open(HOST)
        return client, self.upstream.connection(index)

    def log_in(self, client: RawClient) -> None:
        self.assertEqual(client.ask(AUTH).tag, f"{{{SASL}}}success")
        client.open(HOST)

    def assert_received(self, connection: Connection, expected: bytes, what: str = "") -> None:
        """The upstream got exactly this, after the stream header; the end of it marks the end."""
        header = stream_header(HOST).encode()
        whole = header + expected

        def complete() -> bool:
            return len(connection.received) >= len(whole)

        try:
            wait_until(complete, "the upstream has it all", 10)
        except TimeoutError:
            pass  # the difference tells more
        got = connection.received
        self.assertTrue(got == whole, f"{what}\n  expected {whole[-500:]!r}\n  got {got[-500:]!r}")

    # --- nothing leaks

    def test_no_registration_request_reaches_the_server(self):
        for request, kind in REQUESTS:
            for pieces in ways_to_cut(request.encode()):
                with self.subTest(request=request, pieces=len(pieces)):
                    self.assert_answered_here(pieces, kind)

    def test_what_can_be_read_in_two_ways_is_answered_here(self):
        for request in BAD_REQUESTS:
            for pieces in ways_to_cut(request.encode()):
                with self.subTest(request=request, pieces=len(pieces)):
                    self.assert_answered_here(pieces, "bad-request")

    def assert_answered_here(self, pieces: list[bytes], kind: str) -> None:
        """Answered, and what comes before and after is all that the upstream sees."""
        client, connection = self.connect()
        before, after = b"<iq type='get' id='before'><a/></iq>", b"<message id='after'/>"
        client.send(before)
        for piece in pieces:
            client.send(piece)
        client.send(after)
        answer = client.next()
        wanted = {"get": ("result", f".//{{{REGISTER}}}instructions"),
                  "set": ("error", ".//{urn:ietf:params:xml:ns:xmpp-stanzas}not-authorized"),
                  "bad-request": ("error", ".//{urn:ietf:params:xml:ns:xmpp-stanzas}bad-request")}
        self.assertEqual(answer.get("type"), wanted[kind][0])
        self.assertIsNotNone(answer.find(wanted[kind][1]))
        self.assert_received(connection, before + after)
        client.close()

    def test_pipelined_with_the_header(self):
        """Everything in the first write: nothing is read in the wrong state."""
        for request, kind in REQUESTS[:4]:
            index = len(self.upstream.connections)
            client = self.enterContext(RawClient(self.gate.port("direct"), STRANGER))
            client.wrap(self.certificate.client_context(), HOST)
            client.send(stream_header(HOST) + request + "<message id='after'/>")
            self.assertTrue(client.next().tag.endswith("}features"))
            self.assertEqual(client.next().get("type"), "result" if kind == "get" else "error")
            self.assert_received(self.upstream.connection(index), b"<message id='after'/>")

    def test_bad_input_is_refused_before_it_is_forwarded(self):
        for name, data, condition in FAULTS:
            for pieces in ways_to_cut(data)[:1] + ways_to_cut(data)[2:3]:
                with self.subTest(name, pieces=len(pieces)):
                    client, connection = self.connect()
                    client.send(b"<message id='fine'/>")
                    self.send_all(client, pieces)
                    self.assertEqual(stream_error_of(client.next()), condition)
                    with self.assertRaises((Closed, ConnectionResetError)):
                        client.next()
                    wait_until(lambda ended=connection: ended.ended, "the upstream is left")
                    self.assert_received(connection, b"<message id='fine'/>", name)

    def send_all(self, client: RawClient, pieces: list[bytes]) -> None:
        """As much of it as the gate still takes."""
        try:
            for piece in pieces:
                client.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass

    # --- nothing changes

    def test_before_authentication(self):
        chance = random.Random(SEED)
        for round_ in range(12):
            with self.subTest(round_):
                client, connection = self.connect()
                said = random_stream(chance)
                for piece in cuts(said, chance):
                    client.send(piece)
                self.assert_received(connection, said)
                self.assert_client_gets(client, connection, random_stream(chance), chance)
                client.close()

    def assert_client_gets(self, client: RawClient, connection: Connection, said: bytes,
                           chance: random.Random) -> None:
        """What the upstream says arrives as it is said."""
        already = len(client.received)
        for piece in cuts(said, chance):
            connection.send(piece)
        while len(client.received) < already + len(said):
            client.receive()
        got = client.received[already:]
        self.assertTrue(got == said, f"\n  expected {said[:500]!r}\n  got {got[:500]!r}")

    def test_every_stanza_comes_when_its_last_byte_does(self):
        """Peers wait for each other: nothing may be kept back for what follows it."""
        chance = random.Random(SEED)
        client, connection = self.connect()
        said = b""
        for _ in range(50):
            stanza = random_stanza(chance)
            for piece in cuts(stanza, chance):
                client.send(piece)
            said += stanza
            self.assert_received(connection, said)

    def test_after_authentication_nothing_is_looked_at(self):
        """Not XML, not UTF-8, not small: an echo of it comes back."""
        chance = random.Random(SEED)
        for size in (1, 16_384, 3_000_000):
            client, _ = self.connect()
            self.log_in(client)
            already = len(client.received)
            said = chance.randbytes(size)
            for start in range(0, size, 20_000):
                client.send(said[start:start + 20_000])
                while len(client.received) < already + start:
                    client.receive()
            while len(client.received) < already + size:
                client.receive()
            self.assertTrue(client.received[already:] == said)
            client.close()

    def test_registration_after_login_is_not_the_gates(self):
        client, connection = self.connect()
        self.log_in(client)
        request = f"<iq type='set' id='change'><query xmlns='{REGISTER}'/></iq>".encode()
        client.send(request)
        while request not in client.received:
            client.receive()
        self.assertTrue(connection.received.endswith(request))

    def test_pipelined_behind_the_login(self):
        """A client that does not wait: the same bytes, in the same order."""
        client, connection = self.connect()
        rest = (stream_header(HOST) + "<message>1</message>").encode()
        client.send(AUTH.encode() + rest)
        while b"<message>1</message>" not in client.received:
            client.receive()
        self.assert_received(connection, AUTH.encode() + rest)


if __name__ == "__main__":
    main()
