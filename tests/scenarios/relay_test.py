#!/usr/bin/python3
"""After authentication the gate is a wire: every byte, both ways, in little memory."""

import asyncio
import hashlib
import random
import select
import socket
import ssl
import threading

from harness.canonical import SASL
from harness.raw_client import stream_header
from harness.raw_tls import RawTls, read_exactly
from harness.raw_upstream import (AUTH, HEADER, MECHANISMS, SUCCESS, memory_kib, push_until_stuck,
                                  read_until)
from harness.relaying import HOST, Relaying
from harness.scenario import main

MIB = 1 << 20
SEED = 4077


class Bytes(Relaying):
    def transfer(self, source, sink, data: bytes, piece: int):
        """Sends and reads in the background; what is returned waits for it and compares."""
        result = {}

        def send() -> None:
            for start in range(0, len(data), piece):
                source.sendall(data[start:start + piece])

        def receive() -> None:
            result["got"] = hashlib.sha256(read_exactly(sink, len(data), 60)).hexdigest()

        threads = [threading.Thread(target=send), threading.Thread(target=receive)]
        for thread in threads:
            thread.start()

        def compare() -> None:
            for thread in threads:
                thread.join()
            self.assertEqual(result.get("got"), hashlib.sha256(data).hexdigest())

        return compare

    def test_megabytes_both_ways_at_once(self):
        chance = random.Random(SEED)
        for door, host, size in (("none", HOST, 24 * MIB), ("direct", HOST, 24 * MIB),
                                 ("direct", f"tls.{HOST}", 8 * MIB)):
            with self.subTest(door=door, host=host):
                up, down = chance.randbytes(size), chance.randbytes(size)
                client, upstream = self.relaying(door, host)
                compare = [self.transfer(Locked(upstream), Locked(client), down, 100_000),
                           self.transfer(Locked(client), Locked(upstream), up, 70_000)]
                for check in compare:
                    check()

    def test_pieces_of_all_sizes(self):
        chance = random.Random(SEED)
        for host in (HOST, f"tls.{HOST}"):
            client, upstream = self.relaying(host=host)
            for size in (1, 2, 3, 1000, 16383, 16384, 16385, 65535, 65536, 65537, 81920, 200_000):
                data = chance.randbytes(size)
                client.sendall(data)
                self.assertTrue(read_exactly(upstream, size) == data, f"up {size}")
                upstream.sendall(data[::-1])
                self.assertTrue(read_exactly(client, size) == data[::-1], f"down {size}")

    def test_many_small_records_in_one_packet(self):
        client, upstream = self.relaying()
        stanzas = [b"<message id='%d'/>" % number for number in range(2000)]
        client.socket.sendall(b"".join(client.encrypt(stanza) for stanza in stanzas))
        self.assertTrue(read_exactly(upstream, sum(map(len, stanzas))) == b"".join(stanzas))

    def test_a_record_byte_by_byte(self):
        client, upstream = self.relaying()
        for byte in client.encrypt(b"<presence/>"):
            client.socket.sendall(bytes([byte]))
        self.assertEqual(read_exactly(upstream, 11), b"<presence/>")

    def test_success_and_what_follows_in_one_segment(self):
        chance = random.Random(SEED)
        for size in (1, 1000, 150_000):
            after, pipelined = chance.randbytes(size), chance.randbytes(size)
            client = self.connect()
            client.sendall(stream_header(HOST).encode())
            upstream = self.upstream.accept()
            read_until(upstream, b"version='1.0'>")
            upstream.sendall((HEADER + f"<stream:features>{MECHANISMS}</stream:features>").encode())
            read_until(client, b"</stream:features>")
            client.sendall(AUTH.encode() + pipelined)
            read_until(upstream, AUTH.encode())
            upstream.sendall(SUCCESS.encode() + after)
            expected = SUCCESS.encode() + after
            self.assertTrue(read_exactly(client, len(expected)) == expected)
            self.assertTrue(read_exactly(upstream, size) == pipelined)

    def test_many_sessions_at_once(self):
        asyncio.run(asyncio.wait_for(self.echo_in_many(500), 55))

    async def echo_in_many(self, count: int) -> None:
        """All are open at once, and each sees its own bytes and nobody else's."""
        context = self.certificate.client_context()
        auth = f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>".encode()
        everybody = asyncio.Barrier(count)
        slots = asyncio.Semaphore(50)

        async def one(number: int) -> None:
            async with slots:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self.gate.port("direct"), ssl=context,
                    server_hostname=f"echo.{HOST}", local_addr=(f"127.0.1.{number % 100 + 1}", 0))
                header = stream_header(f"echo.{HOST}").encode()
                for said, mark in ((header, b"</stream:features>"), (auth, b"<success"),
                                   (b"", b"/>"), (header, b"</stream:features>")):
                    writer.write(said)
                    await reader.readuntil(mark)
            await everybody.wait()
            for round_ in range(5):
                said = b"<message from='%d' nr='%d'>" % (number, round_) * 40
                writer.write(said)
                self.assertEqual(await reader.readexactly(len(said)), said)
            writer.close()

        await asyncio.gather(*(one(number) for number in range(count)))

    def test_one_busy_session_does_not_starve_another(self):
        """How much of one that sends as fast as it can passes while a quiet one waits for an echo."""
        busy, sink = self.relaying("none")
        quiet, upstream = self.relaying()
        done = threading.Event()
        passed = 0

        def flood() -> None:
            block = bytes(MIB)
            while not done.is_set():
                busy.sendall(block)

        def drain() -> None:
            nonlocal passed
            while data := sink.recv(MIB):
                passed += len(data)

        threads = [threading.Thread(target=flood), threading.Thread(target=drain)]
        for thread in threads:
            thread.start()
        try:
            most = 0
            for _ in range(50):
                before = passed
                quiet.sendall(b"ping")
                self.assertEqual(read_exactly(upstream, 4), b"ping")
                most = max(most, passed - before)
        finally:
            done.set()
            threads[0].join()
            busy.shutdown(socket.SHUT_WR)
            threads[1].join()
        self.assertGreater(passed, 0)
        self.assertLess(most, 512 * MIB)  # the test's own threads take turns of many megabytes


class BackPressure(Relaying):
    """Whoever does not read makes the other wait; the gate does not pay for it."""

    ALLOWED_KIB = 4096

    def assert_bounded(self, source, sink, data: bytes, what: str) -> None:
        before = memory_kib(self.gate.process.child.pid)
        pending = push_until_stuck(source, data)
        grown = memory_kib(self.gate.process.child.pid) - before
        print(f"{what}: {pending // 1024} KiB pending, the gate's memory +{grown} KiB", flush=True)
        self.assertLess(pending, len(data), "never stuck: the data is too small")
        self.assertLess(grown, self.ALLOWED_KIB)
        rest = threading.Thread(target=lambda: source.sendall(data[pending:]))
        rest.start()
        got = read_exactly(sink, len(data), 50)
        rest.join()
        self.assertEqual(len(got), len(data))
        self.assertTrue(got == data)

    def test_slow_client(self):
        client, upstream = self.relaying()
        self.assert_bounded(upstream, client, random.Random(SEED).randbytes(48 * MIB),
                            "a client that does not read")

    def test_slow_upstream(self):
        client, upstream = self.relaying("none")
        self.assert_bounded(client, upstream, random.Random(SEED).randbytes(48 * MIB),
                            "an upstream that does not read")

    def test_one_direction_goes_on_while_the_other_is_stuck(self):
        client, upstream = self.relaying()
        data = bytes(48 * MIB)
        push_until_stuck(upstream, data)
        client.sendall(b"still heard")
        self.assertEqual(read_exactly(upstream, 11), b"still heard")

    def test_before_authentication_a_client_that_never_reads(self):
        """It asks and asks, and its answers wait: the gate stops listening to it."""
        client = self.connect("none", receive_buffer=4096)
        client.sendall(stream_header(HOST).encode())
        upstream = self.upstream.accept()
        read_until(upstream, b"version='1.0'>")
        upstream.sendall((HEADER + f"<stream:features>{MECHANISMS}</stream:features>").encode())
        ask = b"<iq type='get' id='%s'><query xmlns='jabber:iq:register'/></iq>" % (b"x" * 4000)
        before = memory_kib(self.gate.process.child.pid)
        stuck = push_until_stuck(client, ask * 4000)
        grown = memory_kib(self.gate.process.child.pid) - before
        print(f"registration flood: {stuck // 1024} KiB pending, +{grown} KiB", flush=True)
        self.assertLess(stuck, len(ask) * 4000)
        self.assertLess(grown, self.ALLOWED_KIB)


class Locked:
    """One TLS object for two threads: only one at a time is in OpenSSL, and neither waits in it."""

    _locks: dict[int, threading.Lock] = {}

    def __init__(self, client):
        self.client = client
        self.is_tls = isinstance(client, RawTls)
        if isinstance(client, ssl.SSLSocket):
            client.setblocking(False)
        self.lock = self._locks.setdefault(id(client), threading.Lock())

    def attempt(self, step):
        """Of Python's own TLS socket: whatever it takes, without waiting in it."""
        while True:
            with self.lock:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    waiting = [self.client], []
                except ssl.SSLWantWriteError:
                    waiting = [], [self.client]
            select.select(*waiting, [], 0.05)  # the other thread may have read what it waits for

    def sendall(self, data: bytes) -> None:
        if isinstance(self.client, ssl.SSLSocket):
            rest = memoryview(data)
            while rest:
                rest = rest[self.attempt(lambda: self.client.send(rest)):]
            return None
        if not self.is_tls:
            return self.client.sendall(data)
        with self.lock:
            encrypted = self.client.encrypt(data)
        return self.client.socket.sendall(encrypted)

    def recv(self, size: int) -> bytes:
        if isinstance(self.client, ssl.SSLSocket):
            return self.attempt(lambda: self.client.recv(size))
        if not self.is_tls:
            return self.client.recv(size)
        while True:
            with self.lock:
                try:
                    return self.client.tls.read(size)
                except ssl.SSLWantReadError:
                    pass
            arrived = self.client.socket.recv(65536)
            with self.lock:
                if not arrived:
                    return b""
                self.client._in.write(arrived)


if __name__ == "__main__":
    main()
