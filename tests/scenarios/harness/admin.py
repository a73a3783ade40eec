"""What operators and their tools ask at the admin address."""

import http.client
import json
import re
import socket
from pathlib import Path

from .gate import Gate

_LINE = re.compile(r'(\w+)(?:\{(.*)\})? (\S+)')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class _OverSocket(http.client.HTTPConnection):
    def __init__(self, path: Path):
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def admin_address(gate: Gate) -> str:
    """The last one that it logged: "127.0.0.1:PORT" or "unix:PATH"."""
    return gate.events("admin_listening")[-1]["address"]


def ask(address: str, path: str, method: str = "GET",
        headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    """Status, headers (names in lower case) and body."""
    if address.startswith("unix:"):
        connection = _OverSocket(Path(address.removeprefix("unix:")))
    else:
        connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        answered = {name.lower(): value for name, value in response.getheaders()}
        return response.status, answered, response.read().decode()
    finally:
        connection.close()


def status(gate: Gate) -> dict:
    return json.loads(ask(admin_address(gate), "/status.json")[2])


class Metrics(dict):
    """The lines of /metrics, by name and labels."""

    def __init__(self, text: str):
        super().__init__()
        for line in text.splitlines():
            if not line.startswith("#"):
                name, labels, value = _LINE.fullmatch(line).groups()
                key = frozenset(_LABEL.findall(labels or ""))
                self[name.removeprefix("stanzagate_"), key] = float(value)

    def value(self, name: str, **labels: str) -> float:
        """The sum of all lines of that name that have these labels."""
        return sum(value for (found, all_labels), value in self.items()
                   if found == name and labels.items() <= dict(all_labels).items())


def metrics(gate: Gate) -> Metrics:
    return Metrics(ask(admin_address(gate), "/metrics")[2])
