#!/usr/bin/python3
"""Guards what stanzagate costs against regressions, without a clock: counts instructions and memory
allocations (callgrind), system calls (strace) and the memory of an idle session, and compares them
with what bench/guard.json has recorded.

Each count is the difference of two amounts of work, so that start-up is in neither. See
bench/README.md.
"""

import argparse
import json
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True

from comparison import processes, proxies  # noqa: E402
from comparison.measure import Load  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "bench" / "guard.json"
CORES = ",".join(map(str, sorted(os.sched_getaffinity(0))))

# OpenSSL chooses code by what the CPU can. These are not used (leaf 7 of cpuid): AVX-512, ADX, SHA,
# VAES, VPCLMULQDQ. What is left is what valgrind shows of every CPU since Haswell.
COMMON_CPU = "OPENSSL_ia32cap=~0x0:~0x600F02B0000"

# What a count may be above the recorded one, in parts of it. From run to run instructions differ by
# 0.1 %, system calls by 3 %, bytes by 1 %. The rest is for another machine and for a patch of a
# library; one call more for each wake-up is far above it.
TOLERANCE = {"instructions": 0.05, "allocations": 0.05, "system_calls": 0.10, "bytes": 0.03}

ALLOCATORS = {prefix + name for name in ("malloc", "calloc", "realloc")
              for prefix in ("", "__libc_")}  # the name depends on which symbols are there
SANITY = 0.5  # what is below so much of the recorded count was not measured, but missed


@dataclass(frozen=True)
class Work:
    name: str
    what: str
    load: tuple[str, ...]
    option: str
    few: int
    many: int
    done: str  # in the load's report
    strace: bool = True

    def arguments(self, amount: int) -> list[str]:
        return [*self.load, "--sessions", "1", self.option, str(amount)]


# One session at a time, so that the counts do not depend on what happens to come together.
WORKS = [
    Work("echo", "stanza of 400 B, there and back", ("echo", "--rate", "0", "--stanza", "400"),
         "--count", 200, 1200, "stanzas"),
    Work("records", "stanza of 200 B in a record of its own, many at once",
         ("records", "--stanza", "200"), "--bytes", 200 * 327 * 2, 200 * 327 * 12,  # 327 a write
         "stanzas", strace=False),  # how much one recv() brings depends on time
    Work("setup", "session up to the bind result", ("setup",), "--count", 5, 25, "connections"),
    Work("registration", "connection with a registration get and set", ("registration",),
         "--count", 5, 25, "connections"),
]
FEW_IDLE, MANY_IDLE = 500, 3000
SETTLE = 0.5  # seconds, for what the load does not wait for


class Guard:
    def __init__(self, program: Path, load: Path, folder: Path):
        self._program, self._load, self._folder = program, load, folder

    def counts(self) -> dict[str, dict[str, float]]:
        idle = self._idle()
        jobs = {}
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for work in WORKS:
                for count in [self._callgrind] + [self._strace] * work.strace:
                    for amount in work.few, work.many:
                        jobs[work, count, amount] = pool.submit(count, work, amount)
        result = {work.name: {} for work in WORKS} | {"idle": {"bytes": idle}}
        for (work, count, amount), job in jobs.items():
            if amount == work.many:
                few = jobs[work, count, work.few].result()
                result[work.name] |= each(few, job.result())
        return result

    def _callgrind(self, work: Work, amount: int) -> dict[str, float]:
        folder = self._own_folder(f"{work.name}-{amount}-callgrind")
        out = folder / "counts"
        done = self._run(folder, ["valgrind", "--quiet", "--tool=callgrind",
                                  f"--callgrind-out-file={out}"], work, amount)
        text = out.read_text(errors="replace")
        return {"done": done, "allocations": calls(text, ALLOCATORS),
                "instructions": int(re.search(r"^totals: (\d+)", text, re.M).group(1))}

    def _strace(self, work: Work, amount: int) -> dict[str, float]:
        folder = self._own_folder(f"{work.name}-{amount}-strace")
        out = folder / "counts"
        done = self._run(folder, ["strace", "-f", "-c", "-U", "name,calls", "-o", out], work,
                         amount)
        total = re.search(r"^total +(\d+)", out.read_text(), re.M)
        return {"done": done, "system_calls": int(total.group(1))}

    def _run(self, folder: Path, prefix: list, work: Work, amount: int) -> int:
        sink = proxies.free_port()
        with self._proxy(prefix).start(folder, CORES, sink) as running:
            with self._loading(folder, work.arguments(amount), running, sink) as load:
                load.reach("ready")
                load.go_on()
                done = load.reach("done")[work.done]
                load.go_on()
            running.end(processes.tree(running.pid)[-1])  # so that the tracer sees its end
        return done

    def _idle(self) -> int:
        """Private bytes only: they do not depend on who else uses the libraries."""
        folder, sink = self._own_folder("idle"), proxies.free_port()
        arguments = ["idle", "--first", FEW_IDLE, "--sessions", MANY_IDLE]
        with self._proxy([]).start(folder, CORES, sink) as running:
            with self._loading(folder, arguments, running, sink) as load:
                load.reach("first")
                time.sleep(SETTLE)
                few = processes.private(running.pid)
                load.go_on()
                load.reach("ready")
                time.sleep(SETTLE)
                many = processes.private(running.pid)
        return round((many - few) / (MANY_IDLE - FEW_IDLE))

    def _own_folder(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        for file in "certificate.pem", "key.pem":
            shutil.copy(self._folder / file, folder)
        return folder

    def _proxy(self, prefix: list) -> proxies.Proxy:
        return proxies.Proxy("stanzagate", "stanzagate.toml",
                             ["env", COMMON_CPU, *prefix, self._program, "run", "-c"], [])

    def _loading(self, folder: Path, arguments: list, running, sink: int) -> Load:
        return Load([self._load, *arguments, "--wait", "--host", proxies.HOST,
                     "--connect", f"127.0.0.1:{running.port}", "--sink", f"127.0.0.1:{sink}"],
                    folder / "load.err")


def each(few: dict[str, float], many: dict[str, float]) -> dict[str, float]:
    done = many["done"] - few["done"]
    return {key: round((many[key] - few[key]) / done, 2) for key in many if key != "done"}


def calls(callgrind: str, functions: set[str]) -> int:
    """How often these were called. A function's name stands with its number the first time only."""
    numbers = {number for number, name in re.findall(r"^c?fn=(\(\d+\)) (.+)$", callgrind, re.M)
               if name.partition("'")[0] in functions}
    return sum(int(count) for number, count in
               re.findall(r"^cfn=(\(\d+\)).*\ncalls=(\d+)", callgrind, re.M)
               if number in numbers)


def compare(measured: dict, recorded: dict) -> bool:
    what = {work.name: work.what for work in WORKS} | {"idle": "idle session"}
    good = True
    for name, counts in measured.items():
        print(f"\neach {what[name]}")
        for key, value in counts.items():
            before = recorded.get(name, {}).get(key)
            if before is None:
                good, verdict = False, "not recorded"
            else:
                most, least = before * (1 + TOLERANCE[key]), before * SANITY
                verdict = f"recorded {before:12,.2f}  {value / before - 1:+7.1%}"
                if value > most:
                    verdict += f"  TOO MANY: more than {TOLERANCE[key]:+.0%}"
                elif value < least:
                    verdict += "  TOO FEW to be true: record anew if it is"
                good = good and least <= value <= most
            print(f"  {key:14} {value:12,.2f}  {verdict}")
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true",
                        help="write what is measured to bench/guard.json, to be committed")
    parser.add_argument("--stanzagate", type=Path, default=ROOT / "build" / "stanzagate")
    parser.add_argument("--load", type=Path, default=ROOT / "build" / "bench" / "stanzagate_load")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="stanzagate-guard-") as temporary:
        folder = Path(temporary)
        proxies.make_certificate(folder)
        measured = Guard(options.stanzagate, options.load, folder).counts()
    if options.record:
        RECORDED.write_text(json.dumps(measured, indent=1) + "\n")
    good = compare(measured, json.loads(RECORDED.read_text()))
    print("\nnothing costs more than it did" if good else
          "\nIt costs more than it did (or less: say so with --record). If that is meant, record it"
          " with bench/guard.py --record, and say in the commit why.")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
