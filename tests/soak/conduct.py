"""Conducts a soak: starts the gate, the clients and their servers, and says what happens when."""

import argparse
import heapq
import itertools
import os
import signal
import time
from collections.abc import Callable

from comparison import processes
from harness.admin import Metrics, admin_address, ask
from harness.certificates import make_certificate
from harness.gate import Gate, host_table
from harness.network import free_port
from harness.processes import wait_until
from orders import Load
from records import count_log

HOST, SECOND = "soak.test", "second.soak.test"
SETTLE = 4  # seconds; the gate gives memory back a second after many sessions have gone
WORD = 600  # seconds that the load generator may take for what it was told
RULES = {
    "a": '[[rule]]\nname = "a1"\naction = "redirect"\ntext = "A: please visit {url}"\n',
    "b": '[[rule]]\nname = "b1"\nhost = ["nobody.test"]\naction = "refuse"\n'
         '[[rule]]\nname = "b2"\naction = "redirect"\ntext = "B: please visit {url}"\n',
    "broken": '[[rule]]\nname = "c1"\naction = "forwrad"\n',
}


def configuration(of_an_address: int, broken: bool = False) -> str:
    """What all sessions have in common; the limit changes with reloads."""
    return f"""
[server]
workers = 2
admin = "127.0.0.1:0"
drain = "1s"

[limits]
connections_per_address = {of_an_address}
connect_rate = "500/s"
handshake_timeout = "60s"
negotiation_timeout = "5m"
{'handshake_timeuot = "1s"' if broken else ''}

[[listen]]
address = "127.0.0.1:0"
tls = "starttls"

[[listen]]
address = "127.0.0.1:0"
tls = "direct"
serve = ["xmpp", "websocket", "bosh"]

[registration]
whitelist = []
url = "https://example.org/register"
rules = ["rules.toml"]
"""


class Soak:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.folder = options.folder
        self.result: dict = {"options": {key: value for key, value in vars(options).items()
                                         if isinstance(value, (int, float, str))},
                             "memory": [], "reloads": {"ok": 0, "failed": 0}, "outages": 0,
                             "broke_off": None}
        self._order = itertools.count()
        self._calendar: list = []
        self._kinds = itertools.cycle(("a", "b", "limit", "a", "broken", "b", "limit", "a", "b",
                                       "broken limit"))
        self._limits = itertools.cycle((64, 60))
        self._outage = False

    def run(self) -> dict:
        self._ports = free_port(), free_port()
        certificate = make_certificate(self.folder, HOST, SECOND)
        self._hosts = "".join(host_table(name, f"tcp://127.0.0.1:{port}", certificate)
                              for name, port in zip((HOST, SECOND), self._ports, strict=True))
        self._write("rules.toml", RULES["a"])
        self.gate = Gate(self.folder, configuration(60) + self._hosts)
        self.gate.process.start()
        try:
            wait_until(self.gate.ready, "the gate is ready", 60)
            self._admin = admin_address(self.gate)
            with self._load("soak-sink") as self.sink, self._load("soak") as self.clients:
                self.sink.reach("ready", 60)
                self.clients.reach("ready", 60)
                self._conduct()
        except (RuntimeError, TimeoutError, OSError) as error:
            self.result["broke_off"] = str(error)
        self.result["exit_code"] = self.gate.process.stop(60)
        self.result["failures"] = self._failures()
        self.result["log"] = count_log(self.gate.process.log_file, SECOND)
        return self.result

    def _conduct(self) -> None:
        options, pid = self.options, self.gate.process.child.pid
        # So that what is compared has had as many sessions at once before as after.
        self._tell(f"raise {options.sessions}", "raised")
        self._tell(f"storm {options.storm}", "storm")
        self._tell("finish", "finished")
        time.sleep(SETTLE)
        self._began = time.monotonic()
        self._look("before")
        self._tell(f"raise {options.sessions}", "raised")
        time.sleep(1)
        self._look("raised")
        cpu, began = processes.cpu(pid).used, time.monotonic()
        self._tell("run", "run")
        self._play(60 * options.minutes)
        self.result["cpu_share"] = (processes.cpu(pid).used - cpu) / (time.monotonic() - began)
        self._look_when_quiet()
        self.result["seconds"] = time.monotonic() - began
        self.result["clients"] = self._tell("finish", "finished")
        wait_until(lambda: self._open_connections() == 0, "the gate lets all go", 60)
        time.sleep(SETTLE)
        self._look("after")
        self.result["sink"] = self.sink.tell("report", "report", WORD)
        self.result["metrics"] = [[name, dict(labels), value]
                                  for (name, labels), value in self._metrics().items()]
        self.clients.order("quit")
        self.sink.order("quit")

    def _play(self, seconds: float) -> None:
        """Everything in its turn, until the time is up and nothing is broken that will be whole."""
        options, end = self.options, time.monotonic() + seconds
        self._in(options.reload_every, self._reload)
        self._in(options.outage_every / 2, self._go_down)
        self._in(options.check_every, self._check)
        if options.sabotage == "kill":
            self._in(seconds / 2, lambda: self.gate.process.signal(signal.SIGKILL))
        if options.sabotage == "reload":
            self._in(seconds / 2, self._hang_up)
        while time.monotonic() < end or self._outage:
            if not self.gate.process.running():
                raise RuntimeError(f"the gate ended with {self.gate.process.wait()}")
            when, _, action = self._calendar[0]
            if when > time.monotonic():
                time.sleep(min(0.2, max(0, when - time.monotonic())))
                continue
            heapq.heappop(self._calendar)
            action()

    def _in(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._calendar, (time.monotonic() + seconds, next(self._order), action))

    def _reload(self) -> None:
        kind = next(self._kinds)
        if "limit" in kind:
            self._write(self.gate.config_file.name,
                        configuration(next(self._limits), "broken" in kind) + self._hosts)
        else:
            self._write("rules.toml", RULES[kind])
        self.result["reloads"]["failed" if "broken" in kind else "ok"] += 1
        self._hang_up()
        if kind == "broken limit":  # whole again for the next time
            self._write(self.gate.config_file.name, configuration(60) + self._hosts)
        self._in(self.options.reload_every, self._reload)

    def _hang_up(self) -> None:
        """Two signals at once would be one reload: wait until it is done."""
        before = self._metrics().value("reloads_total")
        self.gate.process.signal(signal.SIGHUP)
        wait_until(lambda: self._metrics().value("reloads_total") > before, "a reload", 60)

    def _go_down(self) -> None:
        self._outage = True
        self.clients.tell("outage", "outage", WORD)
        self.sink.tell("down reset" if self.result["outages"] % 2 else "down fin", "down", WORD)
        self.clients.tell("outage", "outage", WORD)  # who began in between has no server either
        self.result["outages"] += 1
        self._in(self.options.outage, self._come_up)
        self._in(self.options.outage_every, self._go_down)

    def _come_up(self) -> None:
        self.sink.tell("up", "up", WORD)
        self.clients.tell("over", "over", WORD)
        self._in(3, self._outage_is_over)  # by then all are there again

    def _outage_is_over(self) -> None:
        self._outage = False

    def _check(self) -> None:
        if self._outage:
            return self._in(1, self._check)
        self._look_when_quiet()
        self._tell("run", "run")
        self._in(self.options.check_every, self._check)

    def _look_when_quiet(self) -> None:
        self._tell("pause", "paused")
        time.sleep(SETTLE)
        self._look("quiet")

    def _look(self, state: str) -> None:
        pid = self.gate.process.child.pid
        look = {"state": state, "seconds": round(time.monotonic() - self._began),
                "pss": processes.pss(pid), "private": processes.private(pid),
                "descriptors": processes.descriptors(pid)}
        self.result["memory"].append(look)
        print(f"{look['seconds']:5} s  {state:7} {look['pss'] / 2**20:8.1f} MiB PSS"
              f"  {look['descriptors']:6} descriptors", flush=True)

    def _tell(self, order: str, phase: str) -> dict:
        return self.clients.tell(order, phase, WORD)

    def _metrics(self) -> Metrics:
        return Metrics(ask(self._admin, "/metrics")[2])

    def _open_connections(self) -> float:
        return self._metrics().value("connections")

    def _write(self, name: str, text: str) -> None:
        (self.folder / "new").write_text(text)
        os.replace(self.folder / "new", self.folder / name)

    def _load(self, mode: str) -> Load:
        options = self.options
        command = [options.load, mode, "--seed", options.seed]
        if mode == "soak":
            command += ["--host", HOST, "--second-host", SECOND]
            direct, starttls = (f"127.0.0.1:{self.gate.port(tls)}" for tls in ("direct", "starttls"))
            command += ["--connect", direct, "--starttls", starttls]
            for name in ("sessions", "rate", "websocket", "bosh", "second", "slow", "spell", "churn",
                         "storm", "storm-every", "patience"):
                command += [f"--{name}", getattr(options, name.replace("-", "_"))]
        else:
            sink, second = (f"127.0.0.1:{port}" for port in self._ports)
            command += ["--sink", sink, "--second-sink", second]
            if options.sabotage not in (None, "kill", "reload"):
                command += ["--sabotage", options.sabotage]
        return Load(mode, command, self.folder)

    def _failures(self) -> list[str]:
        return [line.removeprefix("FAILURE ")
                for mode in ("soak", "soak-sink") if (self.folder / f"{mode}.log").exists()
                for line in (self.folder / f"{mode}.log").read_text(errors="replace").splitlines()]
