"""Self-signed certificates, made on the spot."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    certificate: Path  # also what a client trusts
    key: Path

    def client_context(self) -> ssl.SSLContext:
        """One that tells a connection's end by close_notify from a bare FIN."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        return context


_KINDS = {"ecdsa": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
          "rsa": ["-newkey", "rsa:2048"]}


def make_certificate(folder: Path, *names: str, kind: str = "ecdsa") -> Certificate:
    """Valid for 30 days, for all names."""
    stem = names[0].replace("*", "any")
    made = Certificate(folder / f"{stem}.crt", folder / f"{stem}.key")
    command = ["openssl", "req", "-x509", "-nodes", "-days", "30", "-subj", f"/CN={names[0]}"]
    command += _KINDS[kind]
    command += ["-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)]
    command += ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    made.key.chmod(0o644)  # a server under its own user reads it; the folder is private to the run
    return made
