#!/usr/bin/python3
"""Checks what no compiler does: the arrows of #include, sizes of files, names of types, and a few habits.

check_tree.py ROOT    prints FILE:LINE: MESSAGE for everything wrong; exits with 1 if anything is
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

MOST_LINES = 400
EXCUSE = re.compile(r"Longer than 400 lines:\s*\S")
SUFFIXES = {".hpp", ".cpp", ".h", ".cc", ".py", ".sh", ".lua", ".cmake"}

# layer -> the layers it may include, itself among them
ARROWS = {
    "config": {"config"},
    "certs": {"config", "certs"},
    "filters": {"config", "filters"},
    "proxy": {"config", "certs", "filters", "proxy"},
}

# name -> what the names of its headers match, in full
LIBRARIES = {
    "Asio": r"boost/asio(/.*|\.hpp)",
    "Beast": r"boost/beast(/.*|\.hpp)",
    "OpenSSL": r"openssl/.*",
    "Expat": r"expat\.h|expat_external\.h",
    "spdlog": r"spdlog/.*",
    "threads": r"thread|mutex|shared_mutex|condition_variable|future|atomic|semaphore|stop_token",
    "sockets": r"sys/socket\.h|netinet/.*|arpa/inet\.h|netdb\.h|sys/epoll\.h|poll\.h|unistd\.h",
    "toml++": r"toml\+\+/.*|toml\.hpp",
}
FORBIDDEN = {
    "config": {"Asio", "Beast", "OpenSSL", "Expat", "spdlog"},
    "certs": {"Asio", "Beast", "Expat", "spdlog"},
    "filters": {"Asio", "Beast", "OpenSSL", "spdlog", "threads", "sockets"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
NAMESPACE = re.compile(r"namespace ([\w:]+) \{")
TYPE = re.compile(r"(?:struct|class|enum class) (\w+)\b[^;]*\{")
TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)")
NAMED_TEST = re.compile(r"`(\w+\.[A-Z]\w*)`")
CLOCK = re.compile(r"::now\s*\(|\btime\s*\(\s*(nullptr|NULL|0|&)|\b(clock_gettime|gettimeofday)\b")


def sources(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every source file below the root that is not built, with its lines."""
    skipped = {"build", ".git", "__pycache__", "node_modules"}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if skipped.intersection(relative.parts) or not path.is_file():
            continue
        if path.suffix in SUFFIXES or relative.as_posix() in ("dev", ".ci/run"):
            yield relative, path.read_text(encoding="utf-8").splitlines()


def check_length(path: Path, lines: list[str]) -> Iterator[str]:
    if len(lines) > MOST_LINES and not any(EXCUSE.search(line) for line in lines):
        yield (f"{path}:{MOST_LINES + 1}: {len(lines)} lines: split it by responsibility,"
               ' or say in it why not ("Longer than 400 lines: ...")')


def check_header(path: Path, lines: list[str]) -> Iterator[str]:
    if path.suffix == ".hpp" and "#pragma once" not in lines:
        yield f"{path}:1: no #pragma once"


def includes(lines: list[str]) -> Iterator[tuple[int, bool, str]]:
    """(line, whether in quotes, what)"""
    for number, line in enumerate(lines, 1):
        if match := INCLUDE.match(line):
            yield number, match[1] == '"', match[2]


def check_own_header_first(root: Path, path: Path, lines: list[str]) -> Iterator[str]:
    own = path.with_suffix(".hpp")
    if path.suffix != ".cpp" or not (root / own).exists():
        return
    first = next(includes(lines), None)
    if first is None or first[2] != own.as_posix():
        yield f'{path}:{first[0] if first else 1}: the first include is not "{own.as_posix()}"'


def check_arrows(path: Path, lines: list[str]) -> Iterator[str]:
    layer = path.parts[0]
    if layer not in ARROWS:
        return
    for number, quoted, what in includes(lines):
        target = what.split("/")[0]
        if quoted and target not in ARROWS:
            yield f'{path}:{number}: "{what}" is not named from the root'
        elif target in ARROWS and target not in ARROWS[layer]:
            yield f"{path}:{number}: {layer}/ must not include {target}/ ({what})"


def check_libraries(path: Path, lines: list[str]) -> Iterator[str]:
    layer = path.parts[0]
    for number, _, what in includes(lines):
        for library in sorted(FORBIDDEN.get(layer, ())):
            if re.fullmatch(LIBRARIES[library], what):
                yield f"{path}:{number}: {layer}/ must not use {library} (<{what}>)"


def check_umbrella(path: Path, lines: list[str]) -> Iterator[str]:
    for number, _, what in includes(lines):
        if what in ("boost/asio.hpp", "boost/beast.hpp", "boost/asio/ssl.hpp"):
            yield f"{path}:{number}: <{what}> takes in everything: include what is used"


def check_clocks(path: Path, lines: list[str]) -> Iterator[str]:
    if path.parts[0] != "filters":
        return
    for number, line in enumerate(lines, 1):
        if CLOCK.search(line.split("//")[0]):
            yield f"{path}:{number}: filters/ reads no clock: time is a parameter"


def check_toml_in_one_file(files: list[tuple[Path, list[str]]]) -> Iterator[str]:
    """toml++ takes long to compile and is nobody's business but the reader's."""
    found = [(path, number) for path, lines in files for number, _, what in includes(lines)
             if re.fullmatch(LIBRARIES["toml++"], what)]
    users = {path for path, _ in found}
    for path, number in found:
        if path.suffix != ".cpp" or path.parts[0] != "config":
            yield f"{path}:{number}: toml++ belongs in one .cpp of config/"
        elif len(users) > 1:
            yield f"{path}:{number}: toml++ is in {len(users)} files, and belongs in one"


def check_conformance(root: Path, files: list[tuple[Path, list[str]]]) -> Iterator[str]:
    """The tables name tests, and tests are renamed."""
    tables = Path("docs/conformance.md")
    if not (root / tables).exists():
        return
    tests = {f"{suite}.{name}" for path, lines in files if path.suffix == ".cpp"
             for suite, name in TEST.findall("\n".join(lines))}
    for number, line in enumerate((root / tables).read_text(encoding="utf-8").splitlines(), 1):
        for name in NAMED_TEST.findall(line):
            if name not in tests:
                yield f"{tables}:{number}: there is no test {name}"


def check_types(files: list[tuple[Path, list[str]]]) -> Iterator[str]:
    """Two types of one name in one namespace: each file would see one, and the linker mix them up."""
    known: dict[tuple[str, str], Path] = {}
    for path, lines in files:
        if path.suffix != ".hpp":
            continue
        space = ""
        for number, line in enumerate(lines, 1):
            if match := NAMESPACE.match(line):
                space = match[1]
            elif match := TYPE.match(line):
                first = known.setdefault((space, match[1]), path)
                if first != path:
                    yield f"{path}:{number}: {match[1]} is the name of a type in {first}, too"


def check(root: Path) -> list[str]:
    files = list(sources(root))
    problems: list[str] = []
    for path, lines in files:
        for one in (check_length, check_header, check_arrows, check_libraries, check_umbrella,
                    check_clocks):
            problems += one(path, lines)
        problems += check_own_header_first(root, path, lines)
    problems += check_conformance(root, files)
    problems += check_types(files)
    return problems + list(check_toml_in_one_file(files))


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    problems = check(Path(sys.argv[1]))
    print("\n".join(problems) or "nothing to object to")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
