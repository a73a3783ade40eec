"""The built program with a configuration of its own."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from .processes import Process, Server

# Both doors, on ports the kernel chooses; the log tells which. Stopping waits only a second.
LISTENERS = """
[server]
drain = "1s"

[[listen]]
address = "127.0.0.1:0"
tls = "starttls"

[[listen]]
address = "127.0.0.1:0"
tls = "direct"
"""


def program() -> str:
    """The program under test: $STANZAGATE_PROGRAM, else the release build of this tree."""
    root = Path(__file__).resolve().parents[3]
    path = os.environ.get("STANZAGATE_PROGRAM") or root / "build" / "stanzagate"
    if shutil.which(path) is None:
        raise RuntimeError(f"no program at {path}: ./dev build makes it")
    return str(path)


def is_sanitized() -> bool:
    """Whether a sanitizer is in it, which takes memory of its own and has its own mind about core dumps."""
    symbols = subprocess.run(["readelf", "-W", "--dyn-syms", program()], check=True,
                             capture_output=True, text=True).stdout
    return re.search(r"__(asan|tsan|ubsan)_\w+", symbols) is not None


def run_program(*arguments, timeout: float = 30.0) -> subprocess.CompletedProcess:
    """Runs a command that ends by itself."""
    command = [program(), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL)


def host_table(name: str, upstream: str, certificate, registration: str = "") -> str:
    """A [[host]] whose upstream is one address; `registration` are keys of [host.registration]."""
    return f"""
[[host]]
name = "{name}"
certificate = "{certificate.certificate}"
key = "{certificate.key}"
upstream = "{upstream}"

[host.registration]
{registration}
"""


def log_fields(line: str) -> dict[str, str]:
    """The fields of a logfmt line."""
    pairs = re.findall(r'([\w.]+)=("(?:[^"\\]|\\.)*"|\S*)', line)
    return {key: value.strip('"') for key, value in pairs}


class Gate(Server):
    """Gate(folder, TOML); a context manager. Leaving it checks that the program ends with 0, which
    is also how a sanitized program reports what it found."""

    def __init__(self, folder: Path, configuration: str, name: str = "gate",
                 env: dict | None = None, options: tuple = ()):
        self.config_file = folder / f"{name}.toml"
        self.config_file.write_text(configuration)
        self.process = Process(name, [program(), "run", "-c", self.config_file, *options],
                               folder, env)

    def ready(self) -> bool:
        return any(line.get("event") == "ready" for line in self.events())

    def __exit__(self, kind, *_):
        if not self.process.running() and self.process.child.poll() is not None:
            code = self.process.wait()
        else:
            code = self.process.stop()
        if kind is None and code != 0:
            raise AssertionError(f"the gate ended with {code}, not 0")

    def events(self, name: str | None = None) -> list[dict[str, str]]:
        """What it logged, line by line; with a name, only those events."""
        lines = [log_fields(line) for line in self.process.log().splitlines()]
        return [line for line in lines if name is None or line.get("event") == name]

    def port(self, tls: str, index: int = 0) -> int:
        """The port of the index-th listening address with that kind of TLS."""
        found = [event for event in self.events("listening") if event.get("tls") == tls]
        return int(found[index]["address"].rpartition(":")[2])

    def terminate(self) -> None:
        self.process.signal(signal.SIGTERM)
