"""The load generator, told by lines what to do."""

import json
import queue
import subprocess
import threading
import time
from pathlib import Path


class Load:
    """A context manager; what it says on standard error stands in FOLDER/NAME.log."""

    def __init__(self, name: str, command: list, folder: Path):
        self._name, self._command = name, list(map(str, command))
        self._log = folder / f"{name}.log"
        self._said: queue.Queue[dict | None] = queue.Queue()

    def __enter__(self) -> "Load":
        with self._log.open("wb") as errors:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=errors, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_) -> None:
        try:
            self._process.stdin.close()  # it ends with it
        except BrokenPipeError:
            pass
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._said.put(json.loads(line))
        self._said.put(None)

    def order(self, line: str) -> None:
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # reach() tells

    def reach(self, phase: str, seconds: float) -> dict:
        deadline = time.monotonic() + seconds
        while True:
            try:
                said = self._said.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"{self._name} has not said within {seconds:g} s: "
                                   f"{phase}") from None
            if said is None:
                last = self._log.read_text(errors="replace").strip().splitlines()[-1:]
                raise RuntimeError(f"{self._name} has ended: {' '.join(last)}")
            if said.pop("phase") == phase:
                return said

    def tell(self, line: str, phase: str, seconds: float) -> dict:
        self.order(line)
        return self.reach(phase, seconds)
