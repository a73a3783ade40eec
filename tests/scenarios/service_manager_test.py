#!/usr/bin/python3
"""What a service manager is told, by which process, and when: sd_notify(3) without systemd."""

import ctypes
import os
import re
import signal
import socket
import struct
import time
import unittest
from pathlib import Path

from harness.certificates import make_certificate
from harness.gate import LISTENERS, Gate, host_table
from harness.processes import wait_until
from harness.scenario import Scenario, main
from harness.succession import ActivatedGate, Succession, adopt_orphans

HOST = "notify.test"
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
_WALL = 0x40000000  # threads, too


class ServiceManager:
    """The socket that programs report to. A context manager."""

    def __init__(self, folder: Path):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next(self, timeout: float = 20, passing_over: str = "") -> tuple[str, int] | None:
        """The next report and which process it is from, or None."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                data, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(12))
            except TimeoutError:
                return None
            pid, _, _ = struct.unpack("iII", ancillary[0][2])
            if data.decode() != passing_over:
                return data.decode(), pid
        return None


class Told(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)

    def setUp(self):
        self.manager = self.enterContext(ServiceManager(self.temporary_folder()))

    def configuration(self) -> str:
        return LISTENERS + host_table(HOST, "tcp://127.0.0.1:9", self.certificate,
                                      'url = "https://a.example/"')

    def gate(self, **env: str) -> Gate:
        """Started by the service manager, which it has told that it is ready."""
        return self.enterContext(ActivatedGate(
            self.temporary_folder(), self.configuration(), [],
            env={"NOTIFY_SOCKET": self.manager.path, **env}))

    def assert_told(self, text: str, pid: int, **options) -> None:
        told = self.manager.next(**options)
        self.assertIsNotNone(told, f"nothing was said, not even {text}")
        self.assertRegex(told[0], f"^{text}$")
        self.assertEqual(told[1], pid)

    def assert_reloading(self, pid: int) -> None:
        before = time.monotonic_ns() // 1000
        told, by = self.manager.next()
        found = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", told)
        self.assertTrue(found, told)
        self.assertEqual(by, pid)
        self.assertLess(abs(int(found[1]) - before), 60_000_000)


class Reports(Told):
    def test_start_reload_stop(self):
        gate = self.gate()
        pid = gate.process.child.pid
        self.assert_told("READY=1", pid)
        good = gate.config_file.read_text()
        for text in (good, "nonsense", good):
            gate.config_file.write_text(text)
            gate.process.signal(signal.SIGHUP)
            self.assert_reloading(pid)
            self.assert_told("READY=1", pid)
        gate.terminate()
        self.assert_told("STOPPING=1", pid)

    def test_takeover(self):
        """The old one says who comes after it, and only then does that one speak."""
        gate = self.gate()
        old = gate.process.child.pid
        self.assert_told("READY=1", old)
        with Succession(gate) as succession:
            new = succession.take_over()
            self.assert_reloading(old)
            self.assert_told(f"MAINPID={new}", old)
            self.assert_told("READY=1", new)
            succession.signal(signal.SIGHUP)
            self.assert_reloading(new)
            self.assert_told("READY=1", new)
            self.assertEqual(gate.process.wait(10), 0)
            succession.signal(signal.SIGTERM)
            self.assert_told("STOPPING=1", new)

    def test_takeover_that_fails(self):
        gate = self.gate()
        pid = gate.process.child.pid
        self.assert_told("READY=1", pid)
        with Succession(gate) as succession:
            good = gate.config_file.read_text()
            gate.config_file.write_text("nonsense")
            succession.try_to_take_over("takeover_failed")
            self.assert_reloading(pid)
            self.assert_told("READY=1", pid)
            gate.config_file.write_text(good)


class Successors(Told):
    """What becomes of the old process, with which somebody stays."""

    def configuration(self) -> str:
        return super().configuration().replace('drain = "1s"', 'drain = "10m"')

    def somebody(self, gate: Gate) -> socket.socket:
        return self.enterContext(socket.create_connection(("127.0.0.1", gate.port("starttls"))))

    def test_one_that_dies_takes_the_old_one_along(self):
        adopt_orphans()
        gate = self.gate_to_stop()
        self.somebody(gate)
        succession = Succession(gate)
        new = succession.take_over()
        succession.signal(signal.SIGKILL)
        self.assertEqual(gate.process.wait(30), 3)
        self.assertEqual(int(succession.log.look("successor_ended")[0]["pid"]), new)
        self.assertEqual(succession.wait(new), -signal.SIGKILL, "its new parent learns how")

    def gate_to_stop(self) -> Gate:
        """One that need not end with 0."""
        gate = Gate(self.temporary_folder(), self.configuration(),
                    env={"NOTIFY_SOCKET": self.manager.path})
        self.addCleanup(gate.process.stop)
        return gate.__enter__()


class Thread:
    """One thread of a process, stopped as long as this is entered: what a thread looks like that
    hangs."""

    def __init__(self, pid: int, name: str):
        self.tid, = (int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()
                     if (task / "comm").read_text().strip() == name)
        self.libc = ctypes.CDLL(None, use_errno=True)

    def ptrace(self, request: int) -> None:
        if self.libc.ptrace(request, self.tid, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        try:
            self.ptrace(PTRACE_SEIZE)
        except PermissionError as error:
            raise unittest.SkipTest("only root may stop a thread of another process") from error
        self.ptrace(PTRACE_INTERRUPT)
        os.waitpid(self.tid, _WALL)

    def __exit__(self, *_):
        self.ptrace(PTRACE_DETACH)


class Watchdog(Told):
    ALIVE = "WATCHDOG=1"

    def test_is_told_again_and_again(self):
        gate = self.gate(WATCHDOG_USEC="400000")
        pid = gate.process.child.pid
        self.assert_told("READY=1", pid)
        for _ in range(5):
            self.assert_told(self.ALIVE, pid)

    def test_follows_a_takeover(self):
        gate = self.gate(WATCHDOG_USEC="400000")
        old = gate.process.child.pid
        self.assert_told("READY=1", old)
        with Succession(gate) as succession:
            new = succession.take_over()
            while (told := self.manager.next()) != (f"MAINPID={new}", old):
                self.assertIsNotNone(told)
            self.assert_told("READY=1", new)
            for _ in range(3):
                self.assert_told(self.ALIVE, new)

    def test_that_is_meant_for_another_process(self):
        gate = self.enterContext(Gate(
            self.temporary_folder(), self.configuration(),
            env={"NOTIFY_SOCKET": self.manager.path, "WATCHDOG_USEC": "40000",
                 "WATCHDOG_PID": "1"}))
        self.assert_told("READY=1", gate.process.child.pid)
        self.assertIsNone(self.manager.next(timeout=1))

    def test_hears_nothing_while_a_worker_is_stuck(self):
        gate = self.gate(WATCHDOG_USEC="400000")
        pid = gate.process.child.pid
        self.assert_told("READY=1", pid)
        self.assert_told(self.ALIVE, pid)
        with Thread(pid, "worker-0"):
            # what was under way, and then nothing for longer than the watchdog waits
            wait_until(lambda: gate.events("worker_stuck"), "it says that one is stuck", 10)
            while self.manager.next(timeout=0.001):
                pass
            self.assertIsNone(self.manager.next(timeout=1))
        self.assert_told(self.ALIVE, pid)


if __name__ == "__main__":
    main()
