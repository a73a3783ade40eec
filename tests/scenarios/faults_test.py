#!/usr/bin/python3
"""What breaks around the gate breaks one session, or none: upstreams that die, hang, half-close or talk
nonsense in each stage; no descriptors; broken files at a reload; a log that cannot be written. Beside
each fault somebody is logged in, and notices nothing.

Elsewhere: upstreams that come back, and several of them (upstream_test); the ends of authenticated
sessions (ends_test); broken configurations and rules at a reload, a key that does not fit yet
(reload_test); broken lists (rules_test); clocks that go backwards (filters/quotas_test.cpp)."""

import os
import resource
import select
import signal
import socket
import ssl
import struct
import time

from harness.certificates import make_certificate
from harness.gate import Gate, host_table
from harness.network import free_port
from harness.processes import wait_until
from harness.raw_client import stream_header
from harness.raw_tls import RawTls, read_to_end
from harness.raw_upstream import (AUTH, HEADER, MECHANISMS, RawUpstream, authenticate, read_until)
from harness.recorder import RecordingUpstream
from harness.scenario import Scenario, main

HOST = "faults.test"
ECHO = f"echo.{HOST}"
STUCK, SILENT_TLS = f"stuck.{HOST}", f"tls.{HOST}"
REGISTRATION = 'url = "https://example.org/"'
FEATURES = f"<stream:features>{MECHANISMS}</stream:features>"
HEAD = """
[server]
drain = "1s"
workers = 1

[limits]
connections_per_address = 1000
connect_rate = "1000/s"
negotiation_timeout = "2s"
"""
DOORS = "".join(f'[[listen]]\naddress = "127.0.0.1:{{{tls}}}"\ntls = "{tls}"\n'
                for tls in ("direct", "none"))


class Faults(Scenario):
    sources = (f"127.0.{net}.{end}" for net in range(20, 250) for end in range(1, 255))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST, ECHO, STUCK, SILENT_TLS)
        cls.upstream = cls.enterClassContext(RawUpstream())
        cls.echo = cls.enterClassContext(RecordingUpstream())

    def configuration(self, certificate=None, **ports: int) -> str:
        doors = DOORS.format(**{"direct": 0, "none": 0} | ports)
        certificate = certificate or self.certificate
        return HEAD + doors + host_table(
            HOST, f"tcp://127.0.0.1:{self.upstream.port}", certificate, REGISTRATION) + host_table(
            ECHO, f"tcp://127.0.0.1:{self.echo.port}", certificate, REGISTRATION)

    def gate(self, configuration: str | None = None) -> Gate:
        return self.enterContext(Gate(self.temporary_folder(),
                                      configuration or self.configuration()))

    def dial(self, port: int) -> socket.socket:
        """Each has an address of its own, by which the log tells one session from another."""
        self.source = next(self.sources)
        client = socket.create_connection(("127.0.0.1", port), 15, (self.source, 0))
        self.addCleanup(client.close)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def logged_in(self, port: int) -> socket.socket:
        """The one that notices nothing: what it says comes back."""
        client = self.dial(port)
        client.sendall(stream_header(ECHO).encode())
        read_until(client, b"</stream:features>")
        client.sendall(AUTH.encode())
        read_until(client, b"/>")
        client.sendall(stream_header(ECHO).encode())
        read_until(client, b"</stream:features>")
        self.assert_echo(client)
        return client

    def assert_echo(self, client: socket.socket) -> None:
        client.sendall(b"<message>still here</message>")
        read_until(client, b"<message>still here</message>")

    def assert_ended(self, gate: Gate, source: str, why: str) -> None:
        def ends() -> list[str]:
            return [event["why"] for event in gate.events("session_end")
                    if event["peer"] == source]

        wait_until(ends, f"the session of {source} ends", 10)
        self.assertEqual(ends(), [why])


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def half_close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)


# What goes wrong with an upstream -> the end of a session that is not authenticated, and its stream error.
DEAD = "upstream_closed", b"internal-server-error"
NONSENSE = "refused", b"internal-server-error"
PAGE = b"HTTP/1.1 400 Bad Request\r\n\r\n<html><body>no</body></html>"
WRONGS = {
    "killed": (reset, DEAD),
    "closed": (socket.socket.close, DEAD),
    "half-closed": (half_close, DEAD),
    "web server": (lambda to: to.sendall(PAGE), NONSENSE),
    "binary": (lambda to: to.sendall(bytes(range(256)) * 20), NONSENSE),
    "no end of it": (lambda to: to.sendall(b"<stream:features>" + b"<a>" * 100_000), NONSENSE),
    "hanging": (lambda to: None, ("timeout", b"policy-violation")),
}
STAGES = ("connected", "header", "features", "auth")


class Upstreams(Faults):
    def in_stage(self, port: int, stage: str) -> tuple[socket.socket, socket.socket]:
        """Client and upstream of a session that has come so far and no further."""
        client = self.dial(port)
        client.sendall(stream_header(HOST).encode())
        upstream = self.upstream.accept()
        read_until(upstream, b"version='1.0'>")
        if stage != "connected":
            upstream.sendall(HEADER.encode())
        if stage in ("features", "auth"):
            upstream.sendall(FEATURES.encode())
            read_until(client, b"</stream:features>")
        if stage == "auth":
            client.sendall(AUTH.encode())
            read_until(upstream, AUTH.encode())
        return client, upstream

    def test_before_authentication(self):
        """The client hears why, on a stream of its own if it has had none, and nothing else."""
        gate = self.gate()
        port = gate.port("none")
        bystander = self.logged_in(port)
        for stage in STAGES:
            for name, (goes_wrong, (why, condition)) in WRONGS.items():
                with self.subTest(stage=stage, wrong=name):
                    client, upstream = self.in_stage(port, stage)
                    source = self.source
                    goes_wrong(upstream)
                    said = read_to_end(client)
                    client.close()
                    self.assertIn(condition, said)
                    self.assertTrue(said.endswith(b"</stream:stream>"), said[-200:])
                    self.assertNotIn(b"HTTP", said)
                    self.assertNotIn(b"\x01", said)
                    self.assert_ended(gate, source, why)
                    self.assert_echo(bystander)

    def test_after_authentication(self):
        """Then every byte is the server's own, and its end is the end."""
        gate = self.gate()
        port = gate.port("none")
        bystander = self.logged_in(port)
        for name, why in {"killed": "network_error", "closed": "upstream_closed"}.items():
            with self.subTest(wrong=name):
                client, upstream = self.in_stage(port, "features")
                source = self.source
                authenticate(client, upstream)
                upstream.sendall(b"HTTP/1.1 \x00\xff")  # is passed on
                read_until(client, b"HTTP/1.1 \x00\xff")
                WRONGS[name][0](upstream)
                self.assertEqual(read_to_end(client), b"")
                client.close()
                self.assert_ended(gate, source, why)
                self.assert_echo(bystander)

    def test_that_hang_before_a_word(self):
        """One whose queue is full, and one that takes the connection and says nothing of TLS."""
        with socket.socket() as full, socket.create_server(("127.0.0.1", 0)) as silent:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = [socket.socket() for _ in range(4)]  # so many that no more fit
            for one in waiting:
                self.addCleanup(one.close)
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            more = "".join(f"""
[[host]]
name = "{name}"
certificate = "{self.certificate.certificate}"
key = "{self.certificate.key}"
[host.upstream]
address = "{scheme}://127.0.0.1:{listener.getsockname()[1]}"
connect_timeout = "500ms"
[host.registration]
{REGISTRATION}
""" for name, scheme, listener in ((STUCK, "tcp", full), (SILENT_TLS, "tls", silent)))
            gate = self.gate(self.configuration() + more)
            bystander = self.logged_in(gate.port("none"))
            for name in STUCK, SILENT_TLS:
                with self.subTest(name):
                    client = self.dial(gate.port("none"))
                    client.sendall(stream_header(name).encode())
                    self.assertIn(b"internal-server-error", read_to_end(client))
                    client.close()
                    self.assert_ended(gate, self.source, "upstream_failed")
                    self.assert_echo(bystander)


class Descriptors(Faults):
    def test_there_are_none_left(self):
        """Who is in stays and is served; who comes waits; one line says so; then all goes on by
        itself."""
        gate = self.gate()
        port, pid = gate.port("none"), gate.process.child.pid
        bystander = self.logged_in(port)
        used = len(os.listdir(f"/proc/{pid}/fd"))
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 5, limits[1]))
        idle = [self.dial(port) for _ in range(5)]
        wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) == used + 5, "all are taken")
        waiting = [self.dial(port) for _ in range(5)]
        wait_until(lambda: gate.events("accept_paused"), "it says so")
        # One that is in, and now asks for an upstream: there is no descriptor for it.
        unlucky = idle.pop()
        source = unlucky.getsockname()[0]
        unlucky.sendall(stream_header(ECHO).encode())
        self.assertIn(b"internal-server-error", read_to_end(unlucky))
        unlucky.close()
        self.assert_ended(gate, source, "upstream_failed")
        before = cpu_seconds(pid)
        for _ in range(10):
            self.assert_echo(bystander)
            time.sleep(0.1)
        self.assertLess(cpu_seconds(pid) - before, 0.5, "it spins")
        self.assertEqual(len(gate.events("accept_paused")), 1)
        for client in idle:
            client.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        for client in waiting:
            client.sendall(stream_header(ECHO).encode())
            read_until(client, b"</stream:features>")
        self.assertEqual(len(gate.events("accept_paused")), 1)
        self.assertEqual(len(gate.events("accept_resumed")), 1)
        self.assert_echo(bystander)


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Files(Faults):
    def test_certificates_replaced_by_garbage(self):
        mine = make_certificate(self.temporary_folder(), HOST, ECHO)
        gate = self.gate(self.configuration(mine))
        bystander = self.logged_in(gate.port("none"))
        good = {file: file.read_bytes() for file in (mine.certificate, mine.key)}
        cut = mine.certificate.read_bytes()[:200]
        failed = 0
        for file in good:
            for garbage in (b"", b"\x00\xff" * 500, cut, b"-----BEGIN CERTIFICATE-----\n" * 50):
                with self.subTest(file=file.suffix, garbage=garbage[:10]):
                    file.write_bytes(garbage)
                    gate.process.signal(signal.SIGHUP)
                    failed += 1
                    wait_until(lambda count=failed: len(gate.events("reload_failed")) == count,
                               "it says that it does not reload")
                    RawTls(self.dial(gate.port("direct")), trusting(good[mine.certificate]), HOST
                           ).handshake()
                    self.assert_echo(bystander)
                    file.write_bytes(good[file])
        gate.process.signal(signal.SIGHUP)
        wait_until(lambda: gate.events("reloaded"), "it reloads once they are whole again")
        self.assert_echo(bystander)


def trusting(pem: bytes) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=pem.decode())


class LogThatIsNotWritten(Faults):
    def served(self, stderr) -> tuple[Gate, int]:
        """A gate whose log nobody here can read, so its ports are chosen for it."""
        port = free_port()
        gate = Gate(self.temporary_folder(), self.configuration(none=port))
        gate.process.streams["stderr"] = stderr
        gate.process.start()
        self.addCleanup(gate.process.stop)

        def there() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(there, "it serves")
        return gate, port

    def assert_serves_to_the_end(self, gate: Gate, port: int) -> None:
        bystander = self.logged_in(port)
        for _ in range(5):
            client = self.dial(port)
            client.sendall(stream_header("nobody.test").encode())  # which is logged
            self.assertIn(b"host-unknown", read_to_end(client))
        gate.process.signal(signal.SIGHUP)
        self.logged_in(port)
        self.assert_echo(bystander)
        gate.terminate()
        self.assertEqual(gate.process.wait(10), 0)

    def test_its_reader_is_gone(self):
        reader, writer = os.pipe()
        gate, port = self.served(writer)
        os.close(writer)
        os.close(reader)
        self.assert_serves_to_the_end(gate, port)

    def test_the_disk_is_full(self):
        with open("/dev/full", "wb") as full:
            gate, port = self.served(full)
        self.assert_serves_to_the_end(gate, port)

    def test_its_reader_does_not_read_and_names_are_long(self):
        """A line is never more than a pipe takes at once, however long a name a client invents."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        _, port = self.served(writer)
        bystander = self.logged_in(port)
        self.fill(writer)
        os.close(writer)
        os.read(reader, 2 * select.PIPE_BUF)  # there is room again, but not for the whole name
        client = self.dial(port)
        client.sendall(stream_header("x" * 15_000).encode())
        self.assertIn(b"host-unknown", read_to_end(client))
        self.assert_echo(bystander)
        os.set_blocking(reader, False)
        said = os.read(reader, 1 << 20)
        self.assertTrue(b" host=" + b"x" * 255 + "… ".encode() in said, said[-1000:])

    @staticmethod
    def fill(pipe: int) -> None:
        os.set_blocking(pipe, False)
        try:
            while True:
                os.write(pipe, b"y" * 1000)
        except BlockingIOError:
            os.set_blocking(pipe, True)  # the gate's end is the same

    def test_its_reader_does_not_read(self):
        """A pipe that is full holds up nobody; how much was not said is said later."""
        reader, writer = os.pipe()
        gate, port = self.served(writer)
        self.fill(writer)
        os.close(writer)
        bystander = self.logged_in(port)
        lost = 20
        for _ in range(lost):
            client = self.dial(port)
            client.sendall(stream_header("nobody.test").encode())
            self.assertIn(b"host-unknown", read_to_end(client))
        self.assert_echo(bystander)
        drained = b""
        os.set_blocking(reader, False)
        try:
            while data := os.read(reader, 65536):
                drained += data
        except BlockingIOError:
            pass
        self.assertNotIn(b"log_lost", drained)
        client = self.dial(port)
        client.sendall(stream_header("nobody.test").encode())
        read_to_end(client)

        def said() -> bytes:
            nonlocal drained
            try:
                drained += os.read(reader, 65536)
            except BlockingIOError:
                pass
            return drained if b"log_lost count=" in drained else b""

        count = int(wait_until(said, "log_lost").partition(b"log_lost count=")[2].split()[0])
        self.assertGreaterEqual(count, lost)
        gate.terminate()
        self.assertEqual(gate.process.wait(10), 0)
        os.close(reader)


if __name__ == "__main__":
    main()
