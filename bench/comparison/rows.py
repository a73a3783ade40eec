"""What is measured: the workloads, and the rows of the table with their targets (design.md,
section 3)."""

from dataclasses import dataclass, field

PROXIES = ("stanzagate", "haproxy", "nginx")
GB = 1e9


@dataclass(frozen=True)
class Workload:
    """One run of the load generator against one proxy."""

    name: str
    load: list[str]  # mode and what it needs
    amount: tuple[str, int, int]  # the option that says how much, in full, and for --quick
    per: str = ""  # which count of the load's report the CPU time is divided by
    unit: float = 1.0  # and by how many of them: 1e9 for bytes
    proxies: tuple[str, ...] = PROXIES
    memory: bool = False  # measure memory, not CPU
    left: bool = False  # and what closed sessions leave
    most_rounds: int = 1000
    quick_rounds: int = 1000
    door: str = "direct"  # by which clients come: load's option

    def arguments(self, quick: bool) -> list[str]:
        option, full, little = self.amount
        return [*self.load, option, str(little if quick else full)]


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    unit: str
    workload: Workload
    metric: str = "cpu"  # of what a run gives: see measure.py
    scale: float = 1.0  # from that to `unit`
    to_haproxy: float | None = None  # the ratio to reach
    to_nginx: float | None = None
    at_most: float | None = None  # the figure to reach, in `unit`
    digits: int = 2


def _flood(mode: str, stanza: int) -> Workload:
    return Workload(f"{mode}-{stanza}", [mode, "--stanza", str(stanza), "--sessions", "8"],
                    ("--bytes", 1_000_000_000, 300_000_000), "bytes", GB)


def _records(stanza: int) -> Workload:
    return Workload(f"records-{stanza}", ["records", "--stanza", str(stanza), "--sessions", "8"],
                    ("--bytes", 1_000_000 * stanza, 200_000 * stanza), "stanzas")


def _connects(mode: str, *more: str, **settings) -> Workload:
    return Workload("-".join([mode, *more[1:]]), [mode, "--sessions", "16", *more],
                    ("--count", 2000, 400), "connections", **settings)


_ECHO = Workload("echo", ["echo", "--rate", "1000", "--stanza", "400", "--sessions", "50"],
                 ("--count", 5000, 1500), "stanzas", proxies=(*PROXIES, "none"))
_MEMORY = Workload("memory", ["idle", "--first", "500"], ("--sessions", 5500, 1500), memory=True,
                   left=True, most_rounds=2, quick_rounds=1)  # it varies by 1 % only
_REGISTRATION = _connects("registration", proxies=(*PROXIES, "prosody"))


def _bulk(name: str, title: str, workload: Workload, *targets: float) -> Row:
    return Row(name, title, "CPU s/GB", workload, "cpu", 1.0, *targets, digits=3)


def _each(name: str, title: str, unit: str, workload: Workload, *targets: float,
          digits: int = 0) -> Row:
    return Row(name, title, f"CPU us/{unit}", workload, "cpu", 1e6, *targets, digits=digits)


def _door(door: str, title: str) -> list[Row]:
    """What others do here is less: they pass HTTP on. So there is nothing to reach."""
    echo = Workload(f"{door}-echo",
                    ["echo", "--rate", "1000", "--stanza", "400", "--sessions", "50"],
                    ("--count", 5000, 500), "stanzas", quick_rounds=1, door=door)
    idle = Workload(f"{door}-idle", ["idle", "--first", "200"], ("--sessions", 2200, 500),
                    memory=True, most_rounds=2, quick_rounds=1, door=door)
    return [
        _each(f"{door}-echo-cpu", f"{title}: echo at 1,000/s", "stanza", echo, digits=1),
        Row(f"{door}-echo-p50", f"{title}: echo at 1,000/s, half within", "us", echo, "p50_us",
            digits=0),
        Row(f"{door}-echo-p99", f"{title}: echo at 1,000/s, 99 % within", "us", echo, "p99_us",
            digits=0),
        Row(f"{door}-idle", f"{title}: memory of an idle session", "KiB PSS", idle, "memory",
            1 / 1024, digits=1),
    ]


ROWS = [
    _bulk("up-200", "to the server, 200 B stanzas", _flood("flood-up", 200), 0.92, 0.92),
    _bulk("up-4k", "to the server, 4 KB stanzas", _flood("flood-up", 4096), 0.92, 0.92),
    _bulk("up-64k", "to the server, 64 KB stanzas", _flood("flood-up", 65536), 0.92, 0.92),
    _bulk("down-1k", "to the client, 1 KB stanzas", _flood("flood-down", 1024), 0.78, 0.82),
    _each("record-200", "one TLS record per 200 B stanza", "stanza", _records(200), 0.30, 0.82,
          digits=3),
    _each("record-1k", "one TLS record per 1 KB stanza", "stanza", _records(1024), 0.35, 0.70,
          digits=3),
    _each("handshake", "full handshake, up to the server's header", "connection",
          _connects("handshake"), 0.87, 1.02),
    _each("handshake-bare", "full handshake, then close", "connection",
          _connects("handshake", "--until", "ticket")),
    _each("resumed", "resumed handshake, up to the server's header", "connection",
          _connects("resumed"), 0.88, 1.01),
    _each("resumed-bare", "resumed handshake, then close", "connection",
          _connects("resumed", "--until", "ticket")),
    _each("setup", "XMPP set-up to the bind result", "connection", _connects("setup"), 0.88, 1.00),
    _each("registration", "registration get and set", "connection", _REGISTRATION, 0.85, 0.97),
    Row("echo-p50", "echo at 1,000/s, half within", "us", _ECHO, "p50_us", 1.0, 1.00, 1.00,
        digits=0),
    Row("echo-p99", "echo at 1,000/s, 99 % within", "us", _ECHO, "p99_us", digits=0),
    Row("echo-p999", "echo at 1,000/s, 99.9 % within", "us", _ECHO, "p999_us", digits=0),
    _each("echo-cpu", "echo at 1,000/s", "stanza", _ECHO, digits=1),
    Row("memory", "memory of an idle session", "KiB PSS", _MEMORY, "memory", 1 / 1024,
        at_most=14.0, digits=1),
    Row("memory-left", "memory left by a closed session", "KiB PSS", _MEMORY, "memory_left",
        1 / 1024, at_most=1.0, digits=1),
    *_door("websocket", "WebSocket"),
    *_door("bosh", "BOSH"),
]
