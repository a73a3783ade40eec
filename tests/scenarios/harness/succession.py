"""Gates that follow one another: processes that take over from each other, or get their sockets from
a service manager."""

import ctypes
import os
import signal
import socket
import sys
from pathlib import Path

from .gate import Gate, log_fields
from .processes import wait_until

_PR_SET_CHILD_SUBREAPER = 36
_ACTIVATE = Path(__file__).with_name("activate.py")


def adopt_orphans() -> None:
    """Processes whose parent has ended become this one's children, so that it sees how they end."""
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError("prctl")


class LogReader:
    """What a log file says, as it grows."""

    def __init__(self, file: Path):
        self._file = file.open(encoding="utf-8", errors="replace")
        self._rest = ""
        self.events: list[dict[str, str]] = []

    def look(self, name: str) -> list[dict[str, str]]:
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        # of what a load of clients leaves behind nobody asks
        self.events += [log_fields(line) for line in lines if " event=session_end " not in line]
        return [event for event in self.events if event.get("event") == name]


class Succession:
    """A gate and the processes that take its place. A context manager, inside that of the gate; it
    ends with all of them gone, each with exit code 0."""

    def __init__(self, gate: Gate):
        self.gate = gate
        self.log = LogReader(gate.process.log_file)
        self.pid = gate.process.child.pid
        self.successors: list[int] = []

    def __enter__(self):
        adopt_orphans()
        return self

    def __exit__(self, kind, *_):
        if kind is not None:  # whatever it was: leave nobody behind
            for event in self.log.look("takeover"):
                try:
                    os.kill(int(event["pid"]), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return
        self.signal(signal.SIGTERM)
        for pid in self.successors:
            code = self.wait(pid)
            if code != 0:
                raise AssertionError(f"process {pid} ended with {code}, not 0")

    @staticmethod
    def wait(pid: int, timeout: float = 30) -> int:
        """The exit code of a process that has come to this one, or will."""

        def ended():
            try:
                found, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:  # its parent still lives
                return None
            return (status,) if found else None

        status, = wait_until(ended, f"process {pid} ends", timeout)
        return os.waitstatus_to_exitcode(status)

    def signal(self, number: int) -> None:
        """To the one that serves."""
        os.kill(self.pid, number)

    def wait_for(self, event: str, count: int, timeout: float = 60) -> dict[str, str]:
        return wait_until(lambda: self.log.look(event)[count - 1:], f"it logs {event}", timeout)[0]

    def try_to_take_over(self, event: str) -> dict[str, str]:
        before = len(self.log.look(event))
        self.signal(signal.SIGUSR2)
        return self.wait_for(event, before + 1)

    def take_over(self) -> int:
        """The process that serves now."""
        self.pid = int(self.try_to_take_over("taken_over")["pid"])
        self.successors.append(self.pid)
        return self.pid


class ActivatedGate(Gate):
    """A gate with listening sockets that are open already; they stay open when it ends."""

    def __init__(self, folder: Path, configuration: str, sockets: list[socket.socket], **options):
        super().__init__(folder, configuration, **options)
        descriptors = [made.fileno() for made in sockets]
        self.process.argv = [sys.executable, "-B", str(_ACTIVATE), *map(str, descriptors), "--",
                             *self.process.argv]
        self.process.streams["pass_fds"] = descriptors
