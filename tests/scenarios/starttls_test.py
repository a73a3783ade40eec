#!/usr/bin/python3
"""The doors byte by byte: what is said in the clear, what must never be believed, TLS versions and
alerts, and bad input at the wire. doors_test.py has the same doors as clients use them."""

import re
import socket
import ssl
import threading

from harness.canonical import STREAMS, TLS
from harness.certificates import make_certificate
from harness.gate import Gate, host_table
from harness.network import STRANGER
from harness.processes import wait_until
from harness.raw_client import stream_header
from harness.raw_tls import RawTls, read_exactly, read_to_end
from harness.raw_upstream import RawUpstream, read_until
from harness.scenario import Scenario, main

HOST = "one.test"
STARTTLS = f"<starttls xmlns='{TLS}'/>"
FEATURES = f"<stream:features>{STARTTLS[:-2]}><required/></starttls></stream:features>"
PROCEED = f"<proceed xmlns='{TLS}'/>"


class Doors(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.upstream = cls.enterClassContext(RawUpstream())
        cls.gate = cls.enterClassContext(Gate(cls.folder, """
[server]
drain = "1s"

[limits]
connections_per_address = 1000
connect_rate = "1000/s"

[[listen]]
address = "127.0.0.1:0"
tls = "direct"

[[listen]]
address = ["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"]
tls = "starttls"

[[listen]]
address = "127.0.0.1:0"
tls = "none"
""" + host_table(HOST, f"tcp://127.0.0.1:{cls.upstream.port}", cls.certificate,
                 'url = "https://example.org/"\nwhitelist = []')))

    def connect(self, door: str, index: int = 0, address: str = "127.0.0.1") -> socket.socket:
        source = "::1" if ":" in address else STRANGER
        client = socket.create_connection((address, self.gate.port(door, index)), 15, (source, 0))
        self.addCleanup(client.close)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def opened(self, client: socket.socket) -> None:
        client.sendall(stream_header(HOST).encode())
        read_until(client, b"</stream:features>")

    def proceeded(self, client: socket.socket) -> None:
        self.opened(client)
        client.sendall(STARTTLS.encode())
        self.assertEqual(read_exactly(client, len(PROCEED)), PROCEED.encode())

    def tls(self, client: socket.socket) -> RawTls:
        return RawTls(client, self.certificate.client_context(), HOST)

    def assert_nobody_heard(self) -> None:
        self.assertTrue(self.upstream.nobody_came(), "something reached the upstream")


class StartTls(Doors):
    def test_every_byte_in_the_clear(self):
        client = self.connect("starttls")
        client.sendall(stream_header(HOST, " from='ann@one.test' xml:lang='sv'").encode())
        said = read_until(client, b"</stream:features>").decode()
        header, features = re.fullmatch(r"(<\?xml.*?\?><stream:stream [^>]*>)(.*)", said).groups()
        self.assertEqual(features, FEATURES)
        for attribute in ("xmlns='jabber:client'", f"xmlns:stream='{STREAMS}'", f"from='{HOST}'",
                          "to='ann@one.test'", "version='1.0'"):
            self.assertIn(attribute, header)
        first_id = re.search(r" id='([^']+)'", header)[1]
        self.assertGreaterEqual(len(first_id), 16)
        client.sendall(STARTTLS.encode())
        self.assertEqual(read_exactly(client, len(PROCEED)), PROCEED.encode())
        secure = self.tls(client).handshake()
        secure.send(stream_header(HOST))
        upstream = self.upstream.accept()
        # the upstream gets the second header, and that only
        self.assertEqual(read_until(upstream, b"version='1.0'>"), stream_header(HOST).encode())
        secure.close()
        self.assertEqual(read_to_end(upstream), b"")
        self.assert_nobody_heard()

    def test_byte_by_byte(self):
        client = self.connect("starttls")
        for byte in (stream_header(HOST) + "\n" + STARTTLS).encode():
            client.sendall(bytes([byte]))
        read_until(client, PROCEED.encode())
        secure = self.tls(client).handshake(piece=1)
        secure.send(stream_header(HOST))
        read_until(self.upstream.accept(), b"version='1.0'>")

    def test_a_header_and_starttls_in_one_packet(self):
        client = self.connect("starttls")
        client.sendall((stream_header(HOST) + STARTTLS).encode())
        answer = read_until(client, PROCEED.encode())
        self.assertTrue(answer.endswith((FEATURES + PROCEED).encode()))
        self.tls(client).handshake()

    def test_anything_behind_starttls_in_the_same_packet(self):
        """The log tells it from a client that just went away."""
        def refused() -> int:
            return sum(event["why"] == "refused" for event in self.gate.events("session_end"))

        hello, before = self.hello(), refused()
        attempts = (b" ", b"\n", b"<", b"\0", b"x", b"<iq type='get' id='1'/>", hello,
                    b"</stream:stream>", stream_header(HOST).encode(), b"\x16", b" " * 100_000)
        for behind in attempts:
            with self.subTest(behind[:20]):
                client = self.connect("starttls")
                self.opened(client)
                client.sendall(STARTTLS.encode() + behind)
                answer = read_to_end(client)
                self.assertNotIn(b"proceed", answer)
                client.close()
        self.assert_nobody_heard()
        wait_until(lambda: refused() - before >= len(attempts), "each was refused")

    def hello(self) -> bytes:
        tls = RawTls(None, self.certificate.client_context(), HOST)
        try:
            tls.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return tls.take_out()

    def test_anything_behind_proceed_that_is_not_tls(self):
        request = b"<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>"
        for behind in (b" ", b"<iq type='get' id='1'/>", request, b"\0" * 5, b"GET / HTTP/1.0\r\n"):
            with self.subTest(behind):
                client = self.connect("starttls")
                self.proceeded(client)
                client.sendall(behind)
                try:
                    client.sendall(self.hello())
                except OSError:
                    pass
                # an alert at most: no XML, and no handshake
                self.assertFalse({b"<", b"\x16"} & {read_to_end(client)[:1]})
        self.assert_nobody_heard()

    def test_clear_text_within_the_handshake(self):
        """Between the records of a handshake that would succeed."""
        client = self.connect("starttls")
        self.proceeded(client)
        hello = self.hello()
        client.sendall(hello[:-1])
        client.sendall(b"<iq/>" + hello[-1:])
        self.assertNotIn(b"<", read_to_end(client)[:1])
        self.assert_nobody_heard()

    def test_anything_but_starttls(self):
        for said in ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AA==</auth>",
                     "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>",
                     "<message/>", "<starttls/>", "<starttls xmlns='jabber:client'/>"):
            with self.subTest(said):
                client = self.connect("starttls")
                self.opened(client)
                client.sendall((said + STARTTLS).encode())
                answer = read_to_end(client).decode()
                self.assertIn("<not-authorized", answer)
                self.assertTrue(answer.endswith("</stream:stream>"), answer)
                self.assertNotIn("proceed", answer)
        self.assert_nobody_heard()

    def test_starttls_within_tls(self):
        client = self.connect("starttls")
        self.proceeded(client)
        secure = self.tls(client).handshake()
        secure.send(stream_header(HOST))
        upstream = self.upstream.accept()
        read_until(upstream, b"version='1.0'>")
        upstream.sendall(b"<stream:stream xmlns='jabber:client' xmlns:stream='" + STREAMS.encode()
                         + b"' version='1.0' id='1'><stream:features></stream:features>")
        read_until(secure, b"</stream:features>")
        secure.send(STARTTLS)
        self.assertNotIn(b"proceed", read_to_end(secure))
        self.assertEqual(read_to_end(upstream), b"")

    def test_closing_the_stream(self):
        client = self.connect("starttls")
        self.opened(client)
        client.sendall(b"</stream:stream>")
        self.assertEqual(read_to_end(client), b"</stream:stream>")

    def test_every_address_of_a_listener(self):
        for index, address in enumerate(("127.0.0.1", "127.0.0.2", "::1")):
            self.proceeded(self.connect("starttls", index, address))

    def test_ids_differ(self):
        ids = set()
        for _ in range(20):
            client = self.connect("starttls")
            client.sendall(stream_header(HOST).encode())
            ids.add(re.search(rb" id='([^']+)'", read_until(client, b"</stream:features>"))[1])
        self.assertEqual(len(ids), 20)


class Versions(Doors):
    def context(self, version: ssl.TLSVersion) -> ssl.SSLContext:
        context = self.certificate.client_context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        return context

    def alert(self, context: ssl.SSLContext, name: str | None = HOST) -> int:
        """The number of the alert that ends the handshake."""
        client = self.connect("direct")
        tls = RawTls(client, context, name)
        try:
            tls.tls.do_handshake()
        except ssl.SSLWantReadError:
            tls.flush()
        answer = read_to_end(client)
        self.assertEqual((answer[0], len(answer)), (21, 7), answer)
        return answer[6]

    def test_old_versions_are_refused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            self.assertEqual(self.alert(self.context(version)), 70)  # protocol_version

    def test_new_ones_are_not(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            tls = RawTls(self.connect("direct"), self.context(version), HOST).handshake(piece=7)
            tls.send(stream_header(HOST))
            read_until(self.upstream.accept(), b"version='1.0'>")

    def test_wrong_alpn(self):
        context = self.certificate.client_context()
        context.set_alpn_protocols(["http/1.1", "xmpp-server"])
        self.assertEqual(self.alert(context), 120)  # no_application_protocol

    def test_alpn_does_not_matter_under_starttls(self):
        context = self.certificate.client_context()
        context.set_alpn_protocols(["http/1.1"])
        client = self.connect("starttls")
        self.proceeded(client)
        RawTls(client, context, HOST).handshake()

    def test_unknown_name_gets_the_first_certificate(self):
        context = self.certificate.client_context()
        context.check_hostname = False
        RawTls(self.connect("direct"), context, "unknown.test").handshake()


# (name, what is said first, condition): none of these opens a stream.
HEADERS = [
    ("unknown host", stream_header("two.test"), "host-unknown"),
    ("no host", stream_header(HOST).replace(f" to='{HOST}'", ""), "improper-addressing"),
    ("empty host", stream_header(""), "improper-addressing"),
    ("no version", stream_header(HOST).replace(" version='1.0'>", ">"), "unsupported-version"),
    ("version 0.9", stream_header(HOST).replace("version='1.0'>", "version='0.9'>"),
     "unsupported-version"),
    ("wrong root", stream_header(HOST).replace("stream:stream ", "stream:strean "),
     "invalid-namespace"),
    ("wrong streams namespace", stream_header(HOST).replace(STREAMS, "urn:x"), "invalid-namespace"),
    ("DTD", stream_header(HOST).replace("?>", "?><!DOCTYPE a>"), "restricted-xml"),
    ("entities", stream_header(HOST).replace("?>", "?><!DOCTYPE a [<!ENTITY b 'c'>]>"),
     "restricted-xml"),
    ("processing instruction", "<?php x ?>" + stream_header(HOST)[21:], "restricted-xml"),
    ("comment", "<!-- x -->" + stream_header(HOST)[21:], "restricted-xml"),
    ("BOM", "\ufeff" + stream_header(HOST), None),
    ("Latin 1", stream_header(HOST).replace("?>", " encoding='ISO-8859-1'?>"),
     "unsupported-encoding"),
    ("XML 1.1", stream_header(HOST).replace("<?xml version='1.0'", "<?xml version='1.1'"), None),
    ("not XML", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", None),
    ("too long", stream_header(HOST, " id='" + "x" * 17_000 + "'"), "policy-violation"),
]


class BadInput(Doors):
    def assert_stream_error(self, answer: bytes, condition: str | None) -> None:
        """A whole stream: header first, then the error, then its end."""
        text = answer.decode()
        self.assertRegex(text, r"^<\?xml version='1\.0'( encoding='[^']*')?\?><stream:stream ")
        self.assertRegex(text, r" id='[^']+'")
        self.assertEqual(text.count("<stream:error>"), 1, text)
        self.assertTrue(text.endswith("</stream:error></stream:stream>"), text)
        if condition:
            self.assertIn(f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'", text)

    def said(self, door: str, data: bytes, piece: int) -> bytes:
        client = self.connect(door)
        channel = self.tls(client).handshake() if door == "direct" else client
        try:
            for start in range(0, len(data), piece):
                channel.sendall(data[start:start + piece])
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_to_end(channel)

    def test_headers(self):
        for door in ("starttls", "direct", "none"):
            for name, header, condition in HEADERS:
                for piece in (1 << 20, 1 if len(header) < 1000 else 999):
                    if "version" in name and door != "starttls" and condition:
                        continue  # behind TLS the version is between client and server
                    with self.subTest(name, door=door, piece=piece):
                        answer = self.said(door, header.encode(), piece)
                        self.assert_stream_error(answer, condition)
        self.assert_nobody_heard()

    def test_utf_16(self):
        for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
            for door in ("starttls", "none"):
                with self.subTest(encoding, door=door):
                    answer = self.said(door, stream_header(HOST).encode(encoding), 1 << 20)
                    self.assert_stream_error(answer, None)
        self.assert_nobody_heard()

    def test_a_client_that_goes_on_talking_still_hears_why(self):
        """Closing under bytes that arrive resets the connection, and the error with it."""
        for door in ("direct", "none"):
            client = self.connect(door)
            channel = self.tls(client).handshake() if door == "direct" else client
            data = stream_header("two.test").encode() + b"<message/>" * 200_000
            if door == "direct":
                data = channel.encrypt(data)  # here: two threads must not use one TLS at a time
            talker = threading.Thread(target=self.talk, args=(client, data))
            talker.start()
            client.settimeout(15)
            answer = b""
            while b"</stream:stream>" not in answer:
                more = channel.recv(65536)
                self.assertTrue(more, "closed before the error")
                answer += more
            self.assert_stream_error(answer, "host-unknown")
            talker.join()

    @staticmethod
    def talk(client: socket.socket, data: bytes) -> None:
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def test_one_session_end_each(self):
        """Whatever happens to them, sessions end once and are all accounted for."""
        def counted() -> bool:
            ends = [event["session"] for event in self.gate.events("session_end")]
            self.assertEqual(len(ends), len(set(ends)))
            return bool(ends)

        self.said("none", b"x", 1)
        wait_until(counted, "sessions end")


if __name__ == "__main__":
    main()
