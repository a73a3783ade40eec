"""What processes cost, as the kernel counts it: CPU time and memory of a whole tree of them."""

import os
from dataclasses import dataclass
from pathlib import Path


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


@dataclass(frozen=True)
class Cpu:
    used: float  # seconds on a core: user and system
    waited: float  # seconds ready to run while something else did: the noise of the machine

    def __sub__(self, before: "Cpu") -> "Cpu":
        return Cpu(self.used - before.used, self.waited - before.waited)


def cpu(pid: int) -> Cpu:
    """In all threads of the whole tree. /proc/PID/schedstat counts nanoseconds, where utime and
    stime of /proc/PID/stat come in ticks of 10 ms."""
    used = waited = 0
    for process in tree(pid):
        for task in Path(f"/proc/{process}/task").iterdir():
            fields = (task / "schedstat").read_text().split()
            used += int(fields[0])
            waited += int(fields[1])
    return Cpu(used / 1e9, waited / 1e9)


def pss(pid: int) -> int:
    """Bytes of memory, where pages that several processes share count in shares."""
    return _memory(pid, "Pss:")


def private(pid: int) -> int:
    """Bytes of memory that nobody else has."""
    return _memory(pid, "Private_Dirty:")


def _memory(pid: int, kind: str) -> int:
    total = 0
    for process in tree(pid):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith(kind):
                total += int(line.split()[1]) * 1024
    return total


def descriptors(pid: int) -> int:
    return sum(len(os.listdir(f"/proc/{process}/fd")) for process in tree(pid))
