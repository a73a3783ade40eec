#!/usr/bin/python3
"""System calls that fail, each kind at every step of a session: strace makes them fail.

While one kind fails every few calls, clients come one by one with the same story (TLS, a redirect, login,
echo, end), so that the failure falls on another step of it each time. Beside them somebody is logged in.
A story may break; nothing else may: the process lives, the one beside is served unless the failure fell on
a call of its own, each session ends once, and when calls no longer fail everything is as before."""

import contextlib
import os
import shutil
import signal
import ssl
import subprocess
import time
from pathlib import Path

from harness.canonical import REGISTER
from harness.certificates import make_certificate
from harness.gate import Gate, host_table
from harness.processes import wait_until
from harness.raw_client import Closed, RawClient
from harness.recorder import RecordingUpstream
from harness.scenario import Scenario, main

HOST = "calls.test"
STRANGER = "127.0.9.9"
STORIES = 12
SKIPPED = 77

# What fails, how, and which calls of it: from the first on, every so many. Every one of these can happen: out
# of descriptors or memory, a peer that is gone, a network that is, a signal. Not a send() into a connection that
# was reset, or its shutdown(): strace cannot make the rest of that true, and ends_test.py resets real ones.
FAILURES = [
    ("recvfrom", "ECONNRESET", "3+11"),
    ("recvfrom", "ETIMEDOUT", "2+7"),
    ("recvfrom", "EINTR", "1+3"),
    ("sendto", "EHOSTUNREACH", "3+11"),
    ("sendto", "ETIMEDOUT", "2+7"),
    ("sendto", "EINTR", "1+3"),
    ("sendto", "ENOBUFS", "1+9"),
    ("connect", "ECONNREFUSED", "1+2"),
    ("connect", "ENETUNREACH", "1+3"),
    ("connect", "EADDRNOTAVAIL", "1+2"),
    ("socket", "EMFILE", "1+2"),
    ("socket", "ENOBUFS", "1+3"),
    ("accept4", "ECONNABORTED", "1+3"),
    ("accept4", "EMFILE", "1+4"),
    ("accept4", "ENOMEM", "1+4"),
    ("epoll_ctl", "ENOMEM", "2+5"),
    ("epoll_ctl", "ENOSPC", "1+3"),
    ("epoll_wait", "EINTR", "1+2"),
    ("setsockopt", "ENOMEM", "1+2"),
    ("getsockname", "ENOBUFS", "1+2"),
]


class Injection:
    """A context manager: for as long, calls of the process fail so."""

    def __init__(self, pid: int, call: str, error: str, when: str):
        self._command = ["strace", "-f", "-q", "-p", str(pid), "-o", os.devnull, "-e", f"trace={call}",
                         "-e", f"inject={call}:error={error}:when={when}"]

    def __enter__(self):
        self._strace = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        return self

    def attached(self, pid: int) -> bool:
        if self._strace.poll() is not None:
            raise RuntimeError(f"strace: {self._strace.stderr.read()}")
        return all(_tracer(pid, thread) == self._strace.pid
                   for thread in os.listdir(f"/proc/{pid}/task"))

    def __exit__(self, *_):
        self._strace.send_signal(signal.SIGINT)  # it lets go of the process
        self._strace.communicate(timeout=20)


def _tracer(pid: int, thread: str) -> int:
    with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("TracerPid"))


def can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-q", "-o", os.devnull, "-e", "inject=getpid:error=EPERM", "true"],
                          capture_output=True, check=False).returncode == 0


class SystemCalls(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.upstream = cls.enterClassContext(RecordingUpstream())
        cls.gate = cls.enterClassContext(Gate(cls.folder, f"""
[server]
drain = "1s"
workers = 1
[limits]
connections_per_address = 1000
connect_rate = "10000/s"
handshake_timeout = "2s"
negotiation_timeout = "3s"
[[listen]]
address = "127.0.0.1:0"
tls = "direct"
[[listen]]
address = "127.0.0.1:0"
tls = "starttls"
""" + host_table(HOST, f"tcp://127.0.0.1:{cls.upstream.port}", cls.certificate,
                 'url = "https://example.org/"\nwhitelist = []')))
        cls.pid = cls.gate.process.child.pid

    def story(self, door: str) -> None:
        """All that a session goes through; raises where it breaks."""
        with RawClient(self.gate.port(door), STRANGER, timeout=1) as client:
            if door == "direct":
                client.wrap(self.certificate.client_context(), HOST)
            else:
                client.starttls(HOST, self.certificate.client_context())
            client.open(HOST)
            answer = client.ask(f"<iq type='get' id='1'><query xmlns='{REGISTER}'/></iq>")
            self.assertEqual(answer.get("type"), "result")
            client.login(HOST, "user", "secret")
            for number in range(3):
                echo = client.ask(f"<message id='m{number}'>{'x' * 3000}</message>")
                self.assertEqual(echo.get("id"), f"m{number}")
            client.send("</stream:stream>")  # which comes back like the rest
            client.receive()
            client.socket.unwrap().close()

    def tell(self, door: str) -> bool:
        try:
            self.story(door)
            return True
        except (OSError, ssl.SSLError, Closed, ValueError, AssertionError):
            return False

    def beside(self) -> RawClient:
        client = self.enterContext(RawClient(self.gate.port("direct"), "127.0.9.1"))
        client.wrap(self.certificate.client_context(), HOST)
        client.open(HOST)
        client.login(HOST, "user", "secret")
        return client

    def open_sockets(self) -> int:
        folder, count = Path(f"/proc/{self.pid}/fd"), 0
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # closed a moment ago
                count += os.readlink(folder / name).startswith("socket:")
        return count

    def test_at_every_step(self):
        self.story("direct")
        wait_until(lambda: self.gate.events("session_end"), "the first one is over")
        sockets = self.open_sockets()
        broken = 0
        for call, error, when in FAILURES:
            with self.subTest(call=call, error=error):
                broken += self.assert_survives(call, error, when)
                wait_until(lambda: self.open_sockets() == sockets, "no socket is left behind", 15)
        self.assertGreater(broken, len(FAILURES), "hardly anything has failed")
        ends = [event["session"] for event in self.gate.events("session_end")]
        self.assertEqual(len(ends), len(set(ends)), "a session has ended twice")
        print(f"({len(FAILURES)} kinds of failure, {len(ends)} sessions, {broken} stories broken)",
              end=" ", flush=True)

    def assert_survives(self, call: str, error: str, when: str) -> int:
        beside = self.beside()
        with Injection(self.pid, call, error, when) as injection:
            wait_until(lambda: injection.attached(self.pid), "strace has taken hold", 10)
            told = [self.tell("direct" if number % 2 else "starttls") for number in range(STORIES)]
        self.assertTrue(self.gate.process.running(), f"it died of {call} {error}")
        for door in ("direct", "starttls"):
            self.assert_recovers(door)
        # Calls of its own are few while the others come: those on its sockets are none.
        beside.send("<message id='here'/>")
        self.assertEqual(beside.next().get("id"), "here")
        beside.close()
        return told.count(False)

    def assert_recovers(self, door: str) -> None:
        """At once, but for accepting, which is tried again after a moment."""
        deadline = time.monotonic() + 10
        while not self.tell(door):
            self.assertLess(time.monotonic(), deadline, "it does not recover")
            time.sleep(0.1)


if __name__ == "__main__":
    if not can_trace():
        print("skipped: this needs strace, and leave to trace processes")
        raise SystemExit(SKIPPED)
    main()
