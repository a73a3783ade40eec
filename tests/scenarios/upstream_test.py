#!/usr/bin/python3
"""The way to the server: TLS and its verification, failover, PROXY headers, and a server that is
not there."""

import socket
import ssl
import struct

from harness.canonical import REGISTER, SASL, stream_error_of
from harness.certificates import make_certificate
from harness.gate import LISTENERS, Gate, host_table
from harness.network import STRANGER, WHITELISTED, free_port
from harness.processes import wait_until
from harness.prosody import Prosody
from harness.raw_client import Closed, RawClient, stream_header
from harness.raw_upstream import RawUpstream
from harness.recorder import RecordingUpstream
from harness.scenario import Scenario, main

HOST = "upstream.test"
INNER_NAME = "xmpp1.internal"  # what the server's certificate says


class Misconfigured(Scenario):
    def test_one_warning_however_many_names_clients_invent(self):
        certificate = make_certificate(self.folder, HOST)
        offers = "".join(f"<mechanism>{name}</mechanism>" for name in ("EXTERNAL", "SCRAM-SHA-1-PLUS"))
        with RecordingUpstream(features=f"<mechanisms xmlns='{SASL}'>{offers}</mechanisms>") as upstream, \
                Gate(self.folder, LISTENERS + host_table(
                    "*", f"tcp://127.0.0.1:{upstream.port}", certificate, 'url = "https://example.org/"')) as gate:
            for number in range(10):
                with RawClient(gate.port("direct")) as client:
                    client.wrap(certificate.client_context(), HOST)
                    client.open(f"made-up-{number}.test")
            wait_until(lambda: len(gate.events("session_end")) == 10, "all are gone")
            self.assertEqual(sorted((event["host"], event["offers"])
                                    for event in gate.events("upstream_misconfigured")),
                             [("*", "-PLUS mechanisms"), ("*", "EXTERNAL")])


class TlsThatFails(Scenario):
    """The log says why, and no more than that: not what nobody has asked to be verified."""

    def reason(self, settings: str = "verify = false", **server) -> str:
        certificate = make_certificate(self.temporary_folder(), HOST)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
        for key, value in server.items():
            setattr(context, key, value)
        with RawUpstream(context) as upstream, Gate(self.temporary_folder(), LISTENERS + f"""
[registration]
url = "https://example.org/"

[[host]]
name = "{HOST}"
certificate = "{certificate.certificate}"
key = "{certificate.key}"

[host.upstream]
address = "tls://127.0.0.1:{upstream.port}"
{settings}
""") as gate, RawClient(gate.port("direct")) as client:
            client.wrap(certificate.client_context(), HOST)
            client.send(stream_header(HOST))
            with self.assertRaises(OSError):
                upstream.accept()
            return wait_until(lambda: gate.events("upstream_failed"), "it is said")[0]["reason"]

    def test_the_certificate(self):
        self.assertEqual(self.reason(settings=""), "self-signed certificate")

    def test_what_the_server_demands(self):
        """A certificate of the gate's own: an alert, since TLS 1.2 tells it within the handshake."""
        self.assertIn("alert handshake failure", self.reason(
            verify_mode=ssl.CERT_REQUIRED, maximum_version=ssl.TLSVersion.TLSv1_2))


class Upstreams(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.inner = make_certificate(cls.folder, INNER_NAME)
        cls.tls_port = free_port()
        tls = {"certificate": cls.inner.certificate, "key": cls.inner.key}
        # Prosody's port for direct TLS refuses an SNI that is none of its hosts
        cls.server = cls.enterClassContext(Prosody(
            cls.folder, {HOST: {"ssl": tls}, INNER_NAME: {"ssl": tls}},
            {"ssl": tls, "c2s_direct_tls_ports": [cls.tls_port]}))
        cls.starttls = f"starttls://127.0.0.1:{cls.server.c2s_port}"
        cls.tls = f"tls://127.0.0.1:{cls.tls_port}"

    def gate(self, *addresses: str, settings: str = "") -> Gate:
        listed = ", ".join(f'"{address}"' for address in addresses)
        return self.enterContext(Gate(self.temporary_folder(), LISTENERS + f"""
[registration]
url = "https://example.org/"

[[host]]
name = "{HOST}"
certificate = "{self.certificate.certificate}"
key = "{self.certificate.key}"

[host.upstream]
address = [{listed}]
connect_timeout = "2s"
{settings}
"""))

    def trusting(self, name: str = INNER_NAME) -> str:
        return f'ca = "{self.inner.certificate}"\nname = "{name}"'

    def client(self, gate: Gate, source: str = WHITELISTED) -> RawClient:
        client = self.enterContext(RawClient(gate.port("direct"), source))
        client.wrap(self.certificate.client_context(), HOST)
        return client

    def assert_serves(self, gate: Gate, user: str) -> None:
        client = self.client(gate)
        client.open(HOST)
        done = client.ask(f"<iq type='set' id='r'><query xmlns='{REGISTER}'><username>{user}"
                          "</username><password>pw</password></query></iq>")
        self.assertEqual(done.get("type"), "result")
        self.assertEqual(client.login(HOST, user, "pw").get("type"), "result")

    def assert_unavailable(self, gate: Gate) -> None:
        """The stream is answered, then ended with internal-server-error."""
        client = self.client(gate)
        error = client.open(HOST)
        self.assertEqual(stream_error_of(error), "internal-server-error")
        header = client.header()
        self.assertEqual(header.get("from"), HOST)
        self.assertTrue(header.get("id"))
        with self.assertRaises(Closed):
            client.next()

    def test_starttls(self):
        self.assert_serves(self.gate(self.starttls, settings=self.trusting()), "amy")

    def test_direct_tls(self):
        self.assert_serves(self.gate(self.tls, settings=self.trusting()), "ben")

    def test_name_must_match(self):
        for address in (self.starttls, self.tls):
            self.assert_unavailable(self.gate(address, settings=self.trusting("xmpp2.internal")))
            # without `name` it is the host's, which the certificate does not have either
            self.assert_unavailable(
                self.gate(address, settings=f'ca = "{self.inner.certificate}"'))

    def test_issuer_must_be_trusted(self):
        for address in (self.starttls, self.tls):
            self.assert_unavailable(self.gate(address, settings=f'name = "{INNER_NAME}"'))
            self.assert_unavailable(self.gate(
                address, settings=f'ca = "{self.certificate.certificate}"\nname = "{INNER_NAME}"'))

    def test_verification_can_be_switched_off(self):
        self.assert_serves(self.gate(self.tls, settings="verify = false"), "cat")
        self.assert_serves(self.gate(self.starttls, settings="verify = false"), "dan")

    def test_a_ca_file_is_read_again(self):
        ca = self.temporary_folder() / "ca.pem"
        ca.write_text(self.certificate.certificate.read_text())
        gate = self.gate(self.tls, settings=f'ca = "{ca}"\nname = "{INNER_NAME}"')
        self.assert_unavailable(gate)
        ca.write_text(self.inner.certificate.read_text())
        wait_until(lambda: gate.events("authorities_reloaded"), "it is taken")
        self.assert_serves(gate, "hal")
        ca.write_text("nothing")
        wait_until(lambda: gate.events("authorities"), "it is told of", 20)
        self.assert_serves(gate, "ida")

    def test_a_server_without_starttls_hears_nothing(self):
        with RecordingUpstream() as recorder:
            gate = self.gate(f"starttls://127.0.0.1:{recorder.port}", settings=self.trusting())
            self.assert_unavailable(gate)
            received = recorder.everything()
            self.assertIn(b"<stream:stream", received)
            self.assertNotIn(b"<auth", received)

    def test_failover(self):
        dead = f"tls://127.0.0.1:{free_port()}"
        gate = self.gate(dead, self.starttls, settings=self.trusting())
        self.assert_serves(gate, "eva")
        self.assert_serves(gate, "fay")

    def test_failover_from_one_that_fails_tls(self):
        with RecordingUpstream() as not_tls:
            not_tls.greeting = b"HTTP/1.0 400 Bad Request\r\n\r\n"
            gate = self.gate(f"tls://127.0.0.1:{not_tls.port}", self.tls, settings=self.trusting())
            self.assert_serves(gate, "gus")

    def test_comes_back(self):
        """A server that was down is found again without a restart of the gate."""
        port = free_port()
        gate = self.gate(f"tcp://127.0.0.1:{port}")
        self.assert_unavailable(gate)
        with RecordingUpstream(port=port):
            def served() -> bool:
                return self.client(gate).open(HOST).tag.endswith("}features")

            wait_until(served, "the server is found again")

    def test_nobody_there(self):
        gate = self.gate(*[f"tcp://127.0.0.1:{free_port()}" for _ in range(3)])
        self.assert_unavailable(gate)
        self.assert_unavailable(gate)

    def test_server_dies_before_authentication(self):
        with RecordingUpstream() as recorder:
            client = self.client(self.gate(f"tcp://127.0.0.1:{recorder.port}"))
            client.open(HOST)
            recorder.connection().close()
            self.assertEqual(stream_error_of(client.next()), "internal-server-error")
            with self.assertRaises(Closed):
                client.next()

    def test_server_dies_while_relaying(self):
        """Then half a stanza may be on its way: the connection just ends."""
        with RecordingUpstream() as recorder:
            client = self.client(self.gate(f"tcp://127.0.0.1:{recorder.port}"))
            client.open(HOST)
            client.ask(f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>")
            client.restart()
            client.send(stream_header(HOST) + "<message><body>half")
            while b"half" not in client.received:
                client.receive()
            recorder.connection().close()
            self.assertEqual(client.until_closed(), b"")

    def first_bytes(self, setting: str) -> tuple[bytes, tuple, tuple]:
        """What an upstream got, and the two ends of the client's connection."""
        with RecordingUpstream() as recorder:
            gate = self.gate(f"tcp://127.0.0.1:{recorder.port}",
                             settings=f'proxy_protocol = "{setting}"')
            client = self.client(gate, STRANGER)
            client.open(HOST)
            ends = client.socket.getsockname(), client.socket.getpeername()
            return recorder.connection().received, *ends

    def test_proxy_v1(self):
        received, client, gate = self.first_bytes("v1")
        header = f"PROXY TCP4 {client[0]} {gate[0]} {client[1]} {gate[1]}\r\n".encode()
        self.assertEqual(received[:len(header) + 1], header + b"<")

    def test_proxy_v2(self):
        received, client, gate = self.first_bytes("v2")
        self.assertEqual(received[:14], b"\r\n\r\n\0\r\nQUIT\n\x21\x11")
        length = struct.unpack("!H", received[14:16])[0]
        source, destination = socket.inet_aton(client[0]), socket.inet_aton(gate[0])
        ends = source + destination + struct.pack("!HH", client[1], gate[1])
        self.assertEqual(received[16:28], ends)
        self.assertEqual(received[16 + length:17 + length], b"<")

    def test_no_proxy_header_unless_asked_for(self):
        self.assertTrue(self.first_bytes("none")[0].startswith(b"<"))


if __name__ == "__main__":
    main()
