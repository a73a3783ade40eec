"""`stanzagate check --live` before a server, and what it finds there."""

import json
from pathlib import Path

from .gate import LISTENERS, run_program

# Whom the gate lets register; ejabberd is told the same in the tests.
REGISTRAR = "127.0.0.2"


def write_configuration(folder: Path, host: str, upstream: str, certificate=None,
                        whitelist: str = f'["{REGISTRAR}"]', registration: str = "",
                        patience: str = "30s") -> Path:
    """One host; `upstream` are the lines of [host.upstream]."""
    served = "self_signed = true" if certificate is None else (
        f'certificate = "{certificate.certificate}"\nkey = "{certificate.key}"')
    file = folder / "doctor.toml"
    file.write_text(LISTENERS + f"""
[registration]
url = "https://example.org/register"
whitelist = {whitelist}
{registration}

[[host]]
name = "{host}"
{served}

[host.upstream]
connect_timeout = "{patience}"
{upstream}
""")
    return file


def at(address: str, proxy_protocol: str = "v2", more: str = "") -> str:
    return f'address = "{address}"\nproxy_protocol = "{proxy_protocol}"\n{more}'


class Report:
    """What it said as JSON, and its exit code."""

    def __init__(self, file: Path, *arguments: str):
        done = run_program("check", "--live", "--json", "-c", file, *arguments, timeout=180)
        self.code = done.returncode
        self.errors = done.stderr
        self.json = json.loads(done.stdout) if done.stdout else None

    def findings(self) -> list[dict]:
        return [finding for upstream in self.json["upstreams"] for finding in upstream["findings"]]

    def ids(self) -> list[str]:
        return [finding["id"] for finding in self.findings()]

    def facts(self) -> str:
        return "\n".join(fact for upstream in self.json["upstreams"] for fact in upstream["facts"])

    def lines(self) -> str:
        """Everything to set, one line each, with the place before it."""
        return "\n".join(f"{setting['where']}: {line}" for finding in self.findings()
                         for setting in finding["set"] for line in setting["lines"])
