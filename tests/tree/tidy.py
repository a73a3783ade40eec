#!/usr/bin/python3
"""Runs clang-tidy over files of a build, several at a time as one source.

tidy.py BUILD FILE...    BUILD has the compile_commands.json; exits with 1 if anything is found

clang-tidy spends its time on the headers of others that each file includes, so files with the same
compiler options are read together, ten as one, apart from those that each define an `is_blank` of
their own, say. If that finds anything, or does not go together after all, each is read alone, and
that decides.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TIDY = os.environ.get("CLANG_TIDY", "clang-tidy-19")
AT_ONCE = 10
# .clang-tidy's, and the sources, which are what the joined source includes
OURS = r".*/(config|certs|filters|proxy)/.*\.[ch]pp$"
# What is defined at the left margin, members of classes aside. A guess is enough.
DEFINED = re.compile(r"^(?!return|using namespace|namespace)[a-z][\w:<>,&* ]*?[ &*](\w+)(?:\(| = | \{|\{|;)",
                     re.MULTILINE)


def options(entry: dict) -> list[str]:
    """The compiler and its options, without launcher, input, output and precompiled headers."""
    words = iter(shlex.split(entry["command"]))
    compiler = next(word for word in words if Path(word).name.startswith("clang++"))
    kept = [compiler]
    for word in words:
        if word in ("-o", "-c"):
            next(words)
        elif word == "-Xclang":
            value = next(words)
            if "pch" not in value and value != "-include":
                kept += [word, value]
        elif word != "-Winvalid-pch" and word != entry["file"]:
            kept.append(word)
    return kept


def joined(build: Path, files: set[Path]) -> dict[Path, list[dict]]:
    """New source -> the entries of the files that it includes."""
    alike: dict[tuple[str, ...], list[dict]] = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        if Path(entry["file"]).resolve() in files:
            alike.setdefault(tuple(options(entry)), []).append(entry)
    groups = [group for entries in alike.values() for group in in_groups(entries)]
    return {build / "tidy" / f"{number}.cpp": group for number, group in enumerate(groups)}


def in_groups(entries: list[dict]) -> list[list[dict]]:
    """Of about equal size, in none of which two files define the same name."""
    count = -(-len(entries) // AT_ONCE)
    groups: list[tuple[list[dict], set[str]]] = [([], set()) for _ in range(count)]
    for entry in entries:
        defined = set(DEFINED.findall(Path(entry["file"]).read_text(encoding="utf-8")))
        fitting = [group for group in groups if not group[1] & defined]
        if not fitting:
            groups.append(([], set()))
            fitting = groups[-1:]
        members, names = min(fitting, key=lambda group: len(group[0]))
        members.append(entry)
        names |= defined
    return [members for members, _ in groups if members]


def prepare(folder: Path, sources: dict[Path, list[dict]]) -> None:
    folder.mkdir(exist_ok=True)
    database = []
    for source, entries in sources.items():
        lines = (f'#include "{entry["file"]}"  // NOLINT(bugprone-suspicious-include)\n'
                 for entry in entries)
        source.write_text("".join(lines), encoding="utf-8")
        for file in [str(source)] + [entry["file"] for entry in entries]:
            # One file's names shadow another's where they are read together.
            quiet = ["-Wno-shadow"] if file == str(source) else []
            database.append({"directory": entries[0]["directory"], "file": file,
                             "arguments": [*options(entries[0]), *quiet, "-c", file]})
    (folder / "compile_commands.json").write_text(json.dumps(database), encoding="utf-8")


def tidy(folder: Path, file: str) -> tuple[bool, str]:
    # The joined source stands in the build folder, so the settings are named.
    settings = Path(__file__).resolve().parents[2] / ".clang-tidy"
    run = subprocess.run([TIDY, "-p", folder, "--quiet", f"--config-file={settings}",
                          f"--header-filter={OURS}", file],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return run.returncode == 0, run.stdout


def main(build: str, *names: str) -> int:
    files = {Path(name).resolve() for name in names}
    sources = joined(Path(build).resolve(), files)
    folder = Path(build).resolve() / "tidy"
    prepare(folder, sources)
    found = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        together = dict(zip(sources, pool.map(lambda source: tidy(folder, str(source)), sources)))
        alone = [entry["file"] for source, (good, _) in together.items() if not good
                 for entry in sources[source]]
        if alone:
            print(f"tidy: reading {len(alone)} files one by one", file=sys.stderr)
        for good, output in pool.map(lambda file: tidy(folder, file), alone):
            if not good:
                found += 1
                print(output)
    for good, output in together.values():
        if not good and not found:
            print(f"tidy: each is good alone; what stood between them:\n{output}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
