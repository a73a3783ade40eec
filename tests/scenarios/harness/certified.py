"""A gate whose certificates a test replaces, and sessions that must not notice."""

import socket
import ssl
import subprocess
from pathlib import Path

from .certificates import Certificate
from .gate import LISTENERS, Gate
from .processes import wait_until
from .raw_client import RawClient, stream_header
from .raw_upstream import HEADER, MECHANISMS, RawUpstream, authenticate, read_until
from .scenario import Scenario

HOST = "certificates.test"


def der(certificate: Path) -> bytes:
    """Of the first certificate in a file."""
    end = "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(certificate.read_text().split(end)[0] + end)


class Held:
    """A session that is logged in, both ends of it."""

    def __init__(self, client: RawClient, upstream: socket.socket):
        self.client, self.upstream = client, upstream

    def lives(self) -> bool:
        """What either says arrives at the other."""
        for source, sink in ((self.client.socket, self.upstream), (self.upstream, self.client.socket)):
            source.sendall(b"<message id='still here'/>")
            read_until(sink, b"<message id='still here'/>")
        return True


class Certified(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.upstream = cls.enterClassContext(RawUpstream())

    def gate(self, hosts: str, server: str = "", name: str = "gate") -> Gate:
        """A gate with an admin address; `hosts` says the certificates of each."""
        self.place = self.temporary_folder()
        head = LISTENERS.replace("[server]\n", f'[server]\nadmin = "127.0.0.1:0"\n{server}\n')
        head += '[limits]\nconnect_rate = "10000/s"\n'
        text = head + '[registration]\nurl = "https://example.org/"\n' + hosts
        return self.enterContext(Gate(self.place, text, name))

    def host(self, certificates: str, name: str = HOST) -> str:
        return (f'[[host]]\nname = "{name}"\nupstream = "tcp://127.0.0.1:{self.upstream.port}"\n'
                + certificates + "\n")

    @staticmethod
    def files(*pairs: Certificate) -> str:
        certificates = ", ".join(f'"{pair.certificate}"' for pair in pairs)
        keys = ", ".join(f'"{pair.key}"' for pair in pairs)
        return f"certificate = [{certificates}]\nkey = [{keys}]"

    def log_in(self, gate: Gate, host: str = HOST) -> Held:
        client = self.enterContext(RawClient(gate.port("direct")))
        client.wrap(ssl._create_unverified_context(), host)
        client.send(stream_header(host))
        upstream = self.upstream.accept()
        read_until(upstream, b"version='1.0'>")
        features = f"<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{MECHANISMS}"
        upstream.sendall((HEADER + features + "</stream:features>").encode())
        read_until(client.socket, b"</stream:features>")
        authenticate(client.socket, upstream)
        return Held(client, upstream)

    @staticmethod
    def shown(gate: Gate, host: str = HOST) -> bytes:
        """The certificate that a new connection is shown."""
        with RawClient(gate.port("direct")) as client:
            client.wrap(ssl._create_unverified_context(), host)
            return client.socket.getpeercert(binary_form=True)

    def wait_until_shown(self, gate: Gate, certificate: bytes, host: str = HOST) -> None:
        wait_until(lambda: self.shown(gate, host) == certificate, "the new certificate is shown", 15)

    def wait_for_event(self, gate: Gate, event: str, count: int = 1, **fields: str) -> dict[str, str]:
        """The count-th line of the log that has all of these."""
        def logged():
            found = [line for line in gate.events(event) if fields.items() <= line.items()]
            return found[count - 1] if len(found) >= count else None

        return wait_until(logged, f"the gate logs {event} {fields}", 15)

    def no_errors(self, gate: Gate) -> None:
        self.assertEqual([line for line in gate.events() if line.get("level") == "error"], [])


def s_client(gate: Gate, *options: str) -> str:
    """What openssl s_client says of a connection."""
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gate.port('direct')}",
                           "-servername", HOST, *map(str, options)], capture_output=True, text=True,
                          input="", timeout=20).stdout
