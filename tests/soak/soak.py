#!/usr/bin/python3
"""A soak: half an hour of mixed traffic at the edge of what one process may have open.

Held sessions that talk all the time, sessions that come and go, storms of registrations, reloads,
and a second host whose server goes away and comes back. In the end: was a byte lost or altered, did a
session end that should not, is memory what it was before, and do the gate's own counters agree? Prints
a table, writes FOLDER/result.json, and ends with 1 where anything is wrong.

What it runs: bench/load/modes/soak.cpp and soak_sink.cpp against $STANZAGATE_PROGRAM, or the release
build. --short is for a sanitized program, too: memory is not judged then.
"""

import argparse
import json
import resource
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "scenarios"), str(ROOT / "bench")]

from conduct import Soak  # noqa: E402
from harness import gate  # noqa: E402
from verdict import judge, table  # noqa: E402

# A session takes two descriptors in the gate, one of BOSH three: its client has two connections.
SPARE_DESCRIPTORS = 1000
SHORT = {"minutes": 1.0, "sessions": 1000, "websocket": 60, "bosh": 40, "second": 60, "slow": 8,
         "rate": 300, "churn": 8, "storm": 210, "storm_every": 10, "spell": 6, "reload_every": 4,
         "outage_every": 20, "check_every": 25, "patience": 120}


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float, nargs="?", default=30, help="default: 30")
    parser.add_argument("--short", action="store_true",
                        help="a minute with 1,000 sessions and less of everything")
    for name, default, what in (
            ("sessions", 9000, "that are held"),
            ("websocket", 300, "of these, over WebSocket"),
            ("bosh", 300, "of these, over BOSH"),
            ("second", 200, "of these, of the host whose server goes away"),
            ("slow", 36, "of these, that do not read for a while, now and then"),
            ("spell", 15, "that while, in seconds, at most"),
            ("rate", 3000, "stanzas in a second that are said and answered"),
            ("churn", 20, "sessions in a second that end and are replaced"),
            ("storm", 300, "connections in a registration storm"),
            ("storm-every", 10, "seconds"),
            ("reload-every", 5, "seconds; each fifth is broken"),
            ("outage-every", 60, "seconds"),
            ("outage", 5, "seconds that it lasts"),
            ("check-every", 300, "seconds until all is quiet, and memory is looked at"),
            ("patience", 60, "seconds that an answer may take"),
            ("seed", 1, "of all that is drawn")):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{what} ({default})")
    parser.add_argument("--most-left", type=float, default=8,
                        help="MiB that may be left when all have gone (8)")
    parser.add_argument("--most-grown", type=float, default=8,
                        help="MiB that the same sessions may take more at the end than at first (8)")
    parser.add_argument("--sabotage", choices=("alter", "lose", "double", "skip", "cut", "digest",
                                               "kill", "reload"),
                        help="break something on purpose: the verdict must say so")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "soak",
                        help="for the result and the logs (build/soak)")
    parser.add_argument("--load", type=Path,
                        default=ROOT / "build" / "bench" / "stanzagate_load")
    if "--short" in sys.argv:
        parser.set_defaults(**SHORT)  # what is said besides holds all the same
    return parser.parse_args()


def take_descriptors(options: argparse.Namespace) -> None:
    """All that there may be, for this process and those it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = 2 * options.sessions + options.bosh + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{options.sessions} sessions take about {wanted} descriptors, and a process"
                         f" may have {hard} (ulimit -Hn): fewer --sessions")


def main() -> int:
    options = read_options()
    take_descriptors(options)
    if shutil.which(options.load) is None:
        raise SystemExit(f"no load generator at {options.load}: ./dev soak builds it")
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    print(f"{gate.program()}, {options.minutes:g} minutes, {options.sessions} sessions, seed "
          f"{options.seed}; logs in {options.folder}", flush=True)
    result = Soak(options).run()
    problems = judge(result, options, with_memory=not options.short)
    result["problems"] = problems
    (options.folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(table(result))
    for problem in problems:
        print(f"WRONG: {problem}")
    print(f"the soak {'failed' if problems else 'passed'}", flush=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
