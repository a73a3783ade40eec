"""Sessions that are authenticated already, with both ends in the test's hand."""

import socket
import ssl
import threading

from .certificates import make_certificate
from .gate import Gate, host_table
from .raw_client import stream_header
from .raw_tls import RawTls
from .raw_upstream import HEADER, MECHANISMS, RawUpstream, authenticate, read_until
from .recorder import RecordingUpstream
from .scenario import Scenario

HOST = "relay.test"


class Relaying(Scenario):
    """One worker in front of upstreams in the clear and under TLS, and of one that echoes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST, f"tls.{HOST}", f"echo.{HOST}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cls.certificate.certificate, cls.certificate.key)
        cls.upstream = cls.enterClassContext(RawUpstream())
        cls.tls_upstream = cls.enterClassContext(RawUpstream(context))
        cls.echo = cls.enterClassContext(RecordingUpstream())
        registration = 'url = "https://example.org/"'
        cls.gate = cls.enterClassContext(Gate(cls.folder, f"""
[server]
drain = "1s"
workers = 1

[limits]
connections_per_address = 1000
connect_rate = "1000/s"

[[listen]]
address = "127.0.0.1:0"
tls = "starttls"

[[listen]]
address = "127.0.0.1:0"
tls = "direct"

[[listen]]
address = "127.0.0.1:0"
tls = "none"
""" + host_table(HOST, f"tcp://127.0.0.1:{cls.upstream.port}", cls.certificate, registration)
            + host_table(f"echo.{HOST}", f"tcp://127.0.0.1:{cls.echo.port}", cls.certificate,
                         registration)
            + f"""
[[host]]
name = "tls.{HOST}"
certificate = "{cls.certificate.certificate}"
key = "{cls.certificate.key}"
[host.registration]
{registration}
[host.upstream]
address = "tls://127.0.0.1:{cls.tls_upstream.port}"
ca = "{cls.certificate.certificate}"
""", env={"ASAN_OPTIONS": "quarantine_size_mb=1"}))  # memory that is freed shall be gone

    sources = (f"127.0.{net}.{end}" for net in range(20, 250) for end in range(1, 255))

    def connect(self, door: str = "direct", host: str = HOST, receive_buffer: int = 0):
        """A client behind TLS, with nothing said yet. Each has an address of its own, by which the
        log tells one session from another."""
        self.source = next(self.sources)
        plain = socket.socket()
        self.addCleanup(plain.close)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.bind((self.source, 0))
        plain.settimeout(15)
        plain.connect(("127.0.0.1", self.gate.port(door)))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if door == "none":
            return plain
        return RawTls(plain, self.certificate.client_context(), host).handshake()

    def negotiating(self, door: str = "direct", host: str = HOST, **client_settings):
        """Both ends of a session in which the server has offered its mechanisms."""
        client = self.connect(door, host=host, **client_settings)
        accepted = {}
        upstream = self.tls_upstream if host.startswith("tls.") else self.upstream
        accepting = threading.Thread(target=lambda: accepted.update(it=upstream.accept()))
        accepting.start()  # a TLS upstream shakes hands in accept()
        client.sendall(stream_header(host).encode())
        accepting.join()
        connection = accepted["it"]
        read_until(connection, stream_header(host).encode())
        connection.sendall((HEADER + f"<stream:features>{MECHANISMS}</stream:features>").encode())
        read_until(client, b"</stream:features>")
        return client, connection

    def relaying(self, door: str = "direct", host: str = HOST, **client_settings):
        """Both ends of an authenticated session."""
        client, connection = self.negotiating(door, host, **client_settings)
        authenticate(client, connection)
        return client, connection
