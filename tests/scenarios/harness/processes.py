"""Child processes with captured output. They end with this process, however it ends."""

import ctypes
import os
import re
import signal
import subprocess
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

# Every process of this run, for the report after a failure.
started: list["Process"] = []


def wait_until(holds, what: str, timeout: float = 20.0):
    """Polls until holds() is true, and returns that value."""
    deadline = time.monotonic() + timeout
    while not (value := holds()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s: {what}")
        time.sleep(0.02)
    return value


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One program, its output in FOLDER/NAME.log. start(), then stop() or wait()."""

    def __init__(self, name: str, argv: list, folder: Path, env: dict | None = None):
        self.name = name
        self.streams = {"stdin": subprocess.DEVNULL}  # more of Popen's arguments
        self.argv = [str(word) for word in argv]
        self.log_file = folder / f"{name}.log"
        self.folder = folder
        self.env = {**os.environ, **(env or {})}
        self.child: subprocess.Popen | None = None
        self._last_log = ""

    def start(self) -> "Process":
        started.append(self)
        with self.log_file.open("wb") as log:
            self.child = subprocess.Popen(
                self.argv,
                **{"stdout": log, "stderr": subprocess.STDOUT, **self.streams},
                cwd=self.folder,
                env=self.env,
                preexec_fn=_die_with_parent,
            )
        return self

    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def log(self) -> str:
        if self.log_file.exists():
            self._last_log = self.log_file.read_text(errors="replace")
        return self._last_log

    def wait_for_log(self, pattern: str, timeout: float = 20.0) -> re.Match:
        def found():
            match = re.search(pattern, self.log())
            if match is None and not self.running():
                match = re.search(pattern, self.log())
                if match is None:
                    raise RuntimeError(f"{self.name} ended before it logged {pattern!r}")
            return match

        return wait_until(found, f"{self.name} logs {pattern!r}", timeout)

    def signal(self, number: int) -> None:
        self.child.send_signal(number)

    def wait(self, timeout: float = 20.0) -> int:
        code = self.child.wait(timeout)
        self.log()
        return code

    def stop(self, timeout: float = 10.0) -> int | None:
        """Asks it to end, makes it end after the timeout. None where it never ran."""
        if self.child is None:
            return None
        if self.running():
            self.signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.wait()



class Server:
    """A context manager around `process`: what it yields has passed ready()."""

    process: Process

    def ready(self) -> bool:
        raise NotImplementedError

    def __enter__(self):
        self.process.start()
        try:
            wait_until(self._ready_or_dead, f"{self.process.name} is ready", 60)
        except BaseException:
            self.process.stop()
            raise
        return self

    def __exit__(self, *_):
        self.process.stop()

    def _ready_or_dead(self) -> bool:
        if not self.process.running():
            raise RuntimeError(f"{self.process.name} ended at once:\n{self.process.log()[-3000:]}")
        return self.ready()
