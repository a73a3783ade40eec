#!/usr/bin/python3
"""How stanzagate's cost grows: with idle sessions, with hosts and certificates, with workers.

Prints a table for each; what it should show is that a session costs the same however many there
are. See bench/README.md.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from comparison import processes, proxies  # noqa: E402
from comparison.measure import Load  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


class Scaling:
    def __init__(self, proxy: proxies.Proxy, load: Path, folder: Path):
        self._proxy, self._load, self._folder = proxy, load, folder

    def start(self, cores: str = "0", **settings):
        self._sink = proxies.free_port()
        return self._proxy.start(self._folder, cores, self._sink, **settings)

    def load(self, running, host: str, *arguments) -> Load:
        return Load(["taskset", "-c", "1", self._load, *arguments, "--wait", "--host", host,
                     "--connect", f"127.0.0.1:{running.port}",
                     "--sink", f"127.0.0.1:{self._sink}"], self._folder / "load.err")

    def cost(self, running, host: str, *arguments) -> tuple[float, dict]:
        """CPU seconds of a run, and its report."""
        with self.load(running, host, *arguments) as load:
            load.reach("ready")
            before = processes.cpu(running.pid)
            load.go_on()
            report = load.reach("done")
            spent = processes.cpu(running.pid) - before
            load.go_on()
        return spent.used, report

    def sessions(self, counts: list[int]) -> None:
        print("\nidle sessions: memory and set-up of each")
        with_all = []
        for count in counts:
            with self.start() as running:
                with self.load(running, proxies.HOST, "idle", "--first", 50,
                               "--sessions", count + 50) as load:
                    load.reach("first")
                    cpu, memory = processes.cpu(running.pid), processes.pss(running.pid)
                    load.go_on()
                    load.reach("ready")
                    spent = processes.cpu(running.pid) - cpu
                    held = processes.pss(running.pid) - memory
                    load.go_on()
                    load.reach("done")
                    load.go_on()
            with_all.append((count, held))
            print(f"  {count:6} sessions  {held / count / 1024:7.2f} KiB PSS"
                  f"  {spent.used / count * 1e6:7.0f} CPU us")
        print(f"  each more: {slope(with_all) / 1024:.2f} KiB PSS")

    def hosts(self, counts: list[int], handshakes: int) -> None:
        print("\nhosts, each with a certificate of its own: memory of all, and a full handshake")
        names = [f"h{number}.{proxies.HOST}" for number in range(max(counts))]
        for name in names:
            make_certificate(self._folder, name)
        with_all = []
        for count in counts:
            more = "".join(host_table(self._folder, name) for name in names[:count])
            with self.start(more=more) as running:
                memory = processes.pss(running.pid)
                cpu = processes.cpu(running.pid).used
                spent, report = self.cost(running, names[count - 1], "handshake", "--until",
                                          "ticket", "--count", handshakes, "--sessions", 16)
            with_all.append((count, memory))
            print(f"  {count:6} hosts  {memory / 2**20:7.2f} MiB PSS  start {cpu:6.3f} CPU s"
                  f"  {spent / report['connections'] * 1e6:7.0f} CPU us")
        print(f"  each more: {slope(with_all) / 1024:.2f} KiB PSS")

    def workers(self, counts: list[int], gigabytes: float, connections: int) -> None:
        print("\nworkers (on both cores, one of which is the load's too)")
        for count in counts:
            with self.start("0,1", workers=count) as running:
                flood, moved = self.cost(running, proxies.HOST, "flood-up", "--bytes",
                                         int(gigabytes * 1e9), "--sessions", 16)
                set_up, made = self.cost(running, proxies.HOST, "setup", "--count", connections,
                                         "--sessions", 16)
            print(f"  {count:6} workers  {flood / moved['bytes'] * 1e9:7.3f} CPU s/GB"
                  f"  {set_up / made['connections'] * 1e6:7.0f} CPU us for a set-up")


def slope(points: list[tuple[int, float]]) -> float:
    """Of the straight line nearest to the points."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    return (sum((x - middle_x) * (y - middle_y) for x, y in points)
            / sum((x - middle_x) ** 2 for x, _ in points))


def make_certificate(folder: Path, name: str) -> None:
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                    "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-addext", f"subjectAltName=DNS:{name}", "-keyout", folder / f"{name}.key",
                    "-out", folder / f"{name}.crt"],
                   check=True, capture_output=True, stdin=subprocess.DEVNULL)


def host_table(folder: Path, name: str) -> str:
    """Nobody gets as far as its server."""
    return (f'[[host]]\nname = "{name}"\ncertificate = "{folder}/{name}.crt"\n'
            f'key = "{folder}/{name}.key"\nupstream = "tcp://192.0.2.1:5222"\n')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stanzagate", type=Path, default=ROOT / "build" / "stanzagate")
    parser.add_argument("--load", type=Path, default=ROOT / "build" / "bench" / "stanzagate_load")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, 20_000))
    proxy = proxies.known(options.stanzagate)["stanzagate"]
    with tempfile.TemporaryDirectory(prefix="stanzagate-bench-") as temporary:
        folder = Path(temporary)
        proxies.make_certificate(folder)
        scaling = Scaling(proxy, options.load, folder)
        scaling.sessions([100, 1000, 3000, 9000])
        scaling.hosts([1, 10, 100, 1000], 2000)
        scaling.workers([1, 2], 2, 3000)


if __name__ == "__main__":
    main()
