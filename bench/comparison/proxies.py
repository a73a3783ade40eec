"""Starts and stops what is compared, each with the configuration that stands beside this file."""

import itertools
import os
import signal
import socket
import string
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOST = "bench.test"


_ports = itertools.cycle(range(21000, 32000))


def free_port() -> int:
    """Another one each time; below those that the kernel gives to outgoing connections, so that it
    stays free until somebody binds it."""
    for port in itertools.islice(_ports, 11000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def make_certificate(folder: Path) -> None:
    """ECDSA P-256: certificate.pem, key.pem, and both in one file for HAProxy."""
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "30", "-subj", f"/CN={HOST}",
                    "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-addext", f"subjectAltName=DNS:{HOST}",
                    "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
                   check=True, capture_output=True, stdin=subprocess.DEVNULL)
    both = (folder / "certificate.pem").read_text() + (folder / "key.pem").read_text()
    (folder / "both.pem").write_text(both)


class Proxy:
    """A program with a configuration of its own, pinned to one core; a context manager."""

    def __init__(self, name: str, template: str, command: list, version: list,
                 http_template: str | None = None):
        self.name = name
        self._template = HERE / template
        self._http_template = HERE / (http_template or template)
        self._command = command
        self._version = version

    def start(self, folder: Path, cores: str, upstream: int, workers: int = 1,
              more: str = "", serve: str = "xmpp") -> "Running":
        """`serve`: "xmpp", "websocket" or "bosh". `workers`, and `more` at the end of the
        configuration: for stanzagate only."""
        port = free_port()
        template = self._template if serve == "xmpp" else self._http_template
        config = folder / template.name
        text = string.Template(template.read_text())
        config.write_text(text.substitute(port=port, upstream=upstream, folder=folder,
                                          workers=workers, serve=serve) + more)
        command = ["taskset", "-c", cores, *self._command, config]
        return Running(self.name, command, port, folder / f"{self.name}.err")

    def version(self) -> str:
        done = subprocess.run(self._version, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        return (done.stdout + done.stderr).strip().splitlines()[0]


class Running:
    def __init__(self, name: str, command: list, port: int, log: Path):
        self.name, self.port, self._log = name, port, log
        with log.open("wb") as file:
            self._process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                                             stdout=file, stderr=file)
        self.pid = self._process.pid  # taskset becomes the program

    def __enter__(self) -> "Running":
        deadline = time.monotonic() + 15
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"{self.name} does not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.02)
        time.sleep(0.1)
        return self

    def __exit__(self, *_) -> None:
        self.end(self.pid)

    def end(self, process: int) -> None:
        """Asks `process`, which is the program itself where a tracer runs it, and waits."""
        if self._process.poll() is None:
            os.kill(process, signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        """Asks the kernel, not the program: a connection would be work already."""
        wanted = f"0100007F:{self.port:04X}"
        rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
        return any(row.split()[1] == wanted and row.split()[3] == "0A" for row in rows)


def known(stanzagate: Path) -> dict[str, Proxy]:
    return {proxy.name: proxy for proxy in (
        Proxy("stanzagate", "stanzagate.toml", [stanzagate, "run", "-c"],
              [stanzagate, "--version"]),
        Proxy("haproxy", "haproxy.cfg", ["haproxy", "-db", "-f"], ["haproxy", "-v"],
              "haproxy_http.cfg"),
        Proxy("nginx", "nginx.conf", ["nginx", "-c"], ["nginx", "-v"], "nginx_http.conf"),
        Proxy("prosody", "prosody.cfg.lua", ["prosody", "-F", "--config"],
              ["dpkg-query", "-W", "prosody"]),
    )}
