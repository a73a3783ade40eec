"""Runs one workload against one proxy and says what it cost."""

import json
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

from . import processes
from .proxies import HOST, Proxy, free_port
from .rows import Workload

SETTLE = 0.05  # seconds, for the proxy to finish what the load does not wait for


class Load:
    """The load generator, stopped where it is ready and where it is done."""

    def __init__(self, command: list, log: Path):
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=errors, text=True)

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def reach(self, phase: str) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load generator failed: {self._log.read_text().strip()}")
        report = json.loads(line)
        assert report.pop("phase") == phase
        return report

    def go_on(self) -> None:
        self._process.stdin.write("\n")
        self._process.stdin.flush()


class Bench:
    def __init__(self, load: Path, folder: Path, quick: bool, proxy_cores: str, load_core: str):
        self._load, self._folder, self._quick = load, folder, quick
        self._proxy_cores, self._load_core = proxy_cores, load_core

    def run(self, workload: Workload, proxy: Proxy | None) -> dict[str, float]:
        """`proxy` None: the clients talk to the sink itself, in the clear."""
        sink = free_port()
        serve = "xmpp" if workload.door == "direct" else workload.door
        started = (proxy.start(self._folder, self._proxy_cores, sink, serve=serve) if proxy
                   else nullcontext())
        with started as running:
            if workload.memory:
                return self._memory(workload, running, sink)
            return self._cpu(workload, running, sink)

    def _start_load(self, arguments: list[str], running, sink: int,
                    door: str = "direct") -> Load:
        address = f"127.0.0.1:{running.port if running else sink}"
        command = ["taskset", "-c", self._load_core, self._load, *arguments, "--wait",
                   "--host", HOST, "--connect", address]
        command += ["--door", door if running else "plain"]
        if running and running.name != "stanzagate" and door != "direct":
            command += ["--sink-door", door]  # they pass HTTP on
        if not running or running.name != "prosody":  # which is a server itself
            command += ["--sink", f"127.0.0.1:{sink}"]
        return Load(command, self._folder / "load.err")

    def _cpu(self, workload: Workload, running, sink: int) -> dict[str, float]:
        with self._start_load(workload.arguments(self._quick), running, sink,
                              workload.door) as load:
            load.reach("ready")
            time.sleep(SETTLE)
            before = processes.cpu(running.pid) if running else None
            load.go_on()
            result = load.reach("done")
            time.sleep(SETTLE)
            if running:
                spent = processes.cpu(running.pid) - before
                result["cpu_seconds"] = spent.used
                result["waited_share"] = spent.waited / result["seconds"]
                result["cpu"] = spent.used / result[workload.per] * workload.unit
            load.go_on()
        return result

    def _memory(self, workload: Workload, running, sink: int) -> dict[str, float]:
        """What a session adds where there are some already: what the proxy sets up once, or keeps
        of those that have gone, is not counted. What is left is, beside a proxy that has served
        only a few."""
        few = (["setup", "--count", "50"] if workload.door == "direct" else
               ["idle", "--sessions", "50"])
        with self._start_load(few, running, sink, workload.door) as load:
            load.reach("ready")
            load.go_on()
            load.reach("done")
            load.go_on()
        time.sleep(0.5)
        at_first = processes.pss(running.pid), processes.descriptors(running.pid)
        with self._start_load(workload.arguments(self._quick), running, sink,
                              workload.door) as load:
            first = load.reach("first")["sessions"]
            time.sleep(0.5)
            some = processes.pss(running.pid)
            load.go_on()
            load.reach("ready")
            time.sleep(0.5 if self._quick else 1)
            full = processes.pss(running.pid)
            load.go_on()
            result = load.reach("done")
            each = (full - some) / (result["sessions"] - first)
            if not workload.left:
                load.go_on()
                return result | {"memory": each, "memory_at_first": at_first[0]}
            deadline = time.monotonic() + 10
            while processes.descriptors(running.pid) > at_first[1] and time.monotonic() < deadline:
                time.sleep(0.1)
            time.sleep(2)
            left = processes.pss(running.pid)
            load.go_on()
        return result | {"memory": each,
                         "memory_left": (left - at_first[0]) / result["sessions"],
                         "memory_at_first": at_first[0]}
