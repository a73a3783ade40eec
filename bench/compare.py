#!/usr/bin/python3
"""Measures stanzagate, HAProxy and nginx side by side, on one machine in one run.

Each proxy has a core of its own, the load generator another. A round measures every proxy in turn;
ratios are taken within a round. See bench/README.md.
"""

import argparse
import json
import os
import platform
import resource
import shlex
import shutil
import signal
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

sys.dont_write_bytecode = True  # nothing but results is written into the tree

from comparison import picture, proxies, results  # noqa: E402
from comparison.measure import Bench  # noqa: E402
from comparison.rows import ROWS  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
MOST_DESCRIPTORS = 20_000
NOISY = 0.05  # of the time that a proxy could have run, spent waiting for its core


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="how often all is measured (8; --quick: 2)")
    parser.add_argument("--quick", action="store_true",
                        help="small amounts: under two minutes, and coarse")
    parser.add_argument("--only", metavar="ROW,...",
                        help="rows, or how the names of some begin (\"bosh\"): "
                        + ", ".join(row.name for row in ROWS))
    parser.add_argument("--name", help="of the files in the folder of results (date and time)")
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results",
                        help="the folder of results")
    parser.add_argument("--stanzagate", type=Path, default=ROOT / "build" / "stanzagate")
    parser.add_argument("--load", type=Path, default=ROOT / "build" / "bench" / "stanzagate_load")
    parser.add_argument("--cores", default="0,1", help="the proxy's and the load's (0,1)")
    options = parser.parse_args()
    if options.rounds is None:
        options.rounds = 2 if options.quick else 8
    wanted = options.only.split(",") if options.only else [row.name for row in ROWS]
    for word in wanted:
        if not any(is_meant(row.name, word) for row in ROWS):
            parser.error(f"no such row: {word}")
    options.rows = [row for row in ROWS if any(is_meant(row.name, word) for word in wanted)]
    options.cores = options.cores.split(",")
    if options.rounds < 1 or len(options.cores) != 2:
        parser.error("--rounds: one or more; --cores: two")
    for program in (options.stanzagate, options.load):
        if not program.exists():
            parser.error(f"{program} is not built")
    return options


def is_meant(row: str, word: str) -> bool:
    """`word` is a row's name, or how the names of several begin."""
    if any(word == known.name for known in ROWS):
        return row == word
    return row.startswith(word + "-")


def machine() -> dict:
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text()
              .splitlines() if line.startswith("model name")]
    return {"cpu": models[0] if models else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "load_average": os.getloadavg()}


def measure(options: argparse.Namespace, available: dict, folder: Path) -> dict[str, list]:
    """Workload -> for each round {proxy: {metric: value}}"""
    bench = Bench(options.load, folder, options.quick, *options.cores)
    workloads = list({row.workload.name: row.workload for row in options.rows}.values())
    rounds = {workload.name: [] for workload in workloads}
    for number in range(options.rounds):
        for workload in workloads:
            if number >= (workload.quick_rounds if options.quick else workload.most_rounds):
                continue
            names = [name for name in workload.proxies if name == "none" or name in available]
            shift = number % len(names)  # whoever comes first has no advantage of it
            measured = {}
            for name in names[shift:] + names[:shift]:
                print(f"round {number + 1} of {options.rounds}: {workload.name}, {name}",
                      file=sys.stderr)
                measured[name] = once_more(bench, workload, available.get(name))
            rounds[workload.name].append(measured)
    return rounds


def once_more(bench: Bench, workload, proxy) -> dict[str, float]:
    """What is measured here should not fail, but half an hour is not lost where it does once."""
    try:
        return bench.run(workload, proxy)
    except RuntimeError as error:
        print(f"once more, since {error}", file=sys.stderr)
        return bench.run(workload, proxy) | {"failed_before": 1}


def what_was_asked(options: argparse.Namespace) -> str:
    """The command that gives the same rows again, without where things are on this machine."""
    words = ["bench/compare.py", "--rounds", str(options.rounds)]
    words += ["--quick"] if options.quick else []
    words += ["--only", options.only] if options.only else []
    return shlex.join(words)


def most_waiting(rounds: dict[str, list]) -> float:
    return max((run.get("waited_share", 0) for all_rounds in rounds.values()
                for measured in all_rounds for run in measured.values()), default=0)


def save(options: argparse.Namespace, began: datetime, versions: dict, before: dict,
         rounds: dict, summaries: list) -> None:
    name = options.name or began.strftime("%Y-%m-%d-%H%M")
    command = what_was_asked(options)
    waited = most_waiting(rounds)
    options.results.mkdir(exist_ok=True)
    path = options.results / name
    path.with_suffix(".json").write_text(json.dumps({
        "date": began.isoformat(timespec="seconds"), "command": command, "machine": before,
        "load_average_after": os.getloadavg(), "versions": versions,
        "most_waiting_share": waited, "rows": [one.as_json() for one in summaries],
        "runs": rounds}, indent=1) + "\n")
    where = (f"{began:%Y-%m-%d %H:%M} UTC, {before['cpu']}, {before['cores']} cores, Linux"
             f" {before['kernel']}, {options.rounds} rounds")
    about = f"{where}, `{command}`"
    quiet = f"A proxy waited for its core for {waited:.1%} of a run at most."
    known = ", ".join(versions.values())
    path.with_suffix(".md").write_text(
        f"{about}\n\n{known}\n\n{quiet}\n\n{results.as_markdown(summaries)}\n")
    drawn = picture.draw(summaries, where, path.with_suffix(".png"))
    print(f"\n{about}\n\n{results.as_text(summaries)}\n\n{quiet}")
    if waited > NOISY:
        print("This machine was busy with other things: do not rely on these figures.")
    print(f"written: {path}.json, .md" + (", .png" if drawn else " (no matplotlib, no picture)"))


def main() -> None:
    options = arguments()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit != resource.RLIM_INFINITY:
        limit = min(limit, MOST_DESCRIPTORS)
    else:
        limit = MOST_DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends what was started, too
    before, began = machine(), datetime.now(timezone.utc)
    available = {name: proxy for name, proxy in proxies.known(options.stanzagate).items()
                 if name == "stanzagate" or shutil.which(name)}
    versions = {name: proxy.version() for name, proxy in available.items()}
    with tempfile.TemporaryDirectory(prefix="stanzagate-bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        proxies.make_certificate(folder)
        (folder / "key.pem").chmod(0o644)  # for servers with a user of their own; it lives minutes
        rounds = measure(options, available, folder)
    summaries = [results.Summary(row, rounds[row.workload.name]) for row in options.rows]
    save(options, began, versions, before, rounds, summaries)


if __name__ == "__main__":
    main()
