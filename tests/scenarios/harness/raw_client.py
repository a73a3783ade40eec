"""An XMPP client that says exactly what it is told to, byte by byte."""

import base64
import socket
import ssl
import struct
import time
import xml.etree.ElementTree as ET

from .canonical import CLIENT, SASL, STREAMS, TLS
from .network import WHITELISTED


class Closed(Exception):
    """The server ended the connection."""


def stream_header(domain: str, extra: str = "") -> str:
    return (
        f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}'"
        f" to='{domain}' version='1.0'{extra}>"
    )


def plain_credentials(user: str, password: str) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


class RawClient:
    """connect, [starttls], open, then send() and next().

    What has arrived since the last stream header is parsed anew at every look: the parser that
    Debian's Python brings keeps back a stanza that comes in pieces.
    """

    def __init__(self, port: int, source: str = WHITELISTED, timeout: float = 10.0,
                 address: str = "127.0.0.1"):
        self.timeout = timeout
        self.received = b""  # since the last stream header was sent
        self._taken = 0
        self.socket = socket.create_connection((address, port), timeout, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Ends the connection at once, as a client that crashed (RST)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def wrap(self, context: ssl.SSLContext, name: str | None) -> None:
        self.socket = context.wrap_socket(self.socket, server_hostname=name)

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def receive(self) -> bytes:
        """Whatever comes next, at least a byte."""
        data = self.socket.recv(65536)
        if not data:
            raise Closed(f"after {self.received[-300:]!r}")
        self.received += data
        return data

    def _parsed(self) -> tuple[ET.Element | None, list[ET.Element], bool]:
        """The stream header, the complete elements, and whether the stream was closed."""
        parser = ET.XMLPullParser(("start", "end"))
        parser.feed(self.received)
        root, elements, depth = None, [], 0
        for event, element in parser.read_events():
            if event == "start":
                root = element if root is None else root
                depth += 1
            else:
                depth -= 1
                if depth == 1:
                    elements.append(element)
        return root, elements, root is not None and depth == 0

    def next(self) -> ET.Element:
        """The next complete element of the stream."""
        deadline = time.monotonic() + self.timeout
        while True:
            root, elements, closed = self._parsed()
            if len(elements) > self._taken:
                self._taken += 1
                return elements[self._taken - 1]
            if closed:
                raise Closed("the stream")
            if time.monotonic() > deadline:
                raise TimeoutError(f"no further element after {self.received[-300:]!r}")
            self.receive()

    def header(self) -> ET.Element:
        """The stream header that the server answered with."""
        while self._parsed()[0] is None:
            self.receive()
        return self._parsed()[0]

    def restart(self) -> None:
        """From here on a new stream: what was received is forgotten."""
        self.received, self._taken = b"", 0

    def open(self, domain: str, extra: str = "") -> ET.Element:
        """Sends a stream header and returns the stream features."""
        self.restart()
        self.send(stream_header(domain, extra))
        return self.next()

    def starttls(self, domain: str, context: ssl.SSLContext, name: str | None = None) -> None:
        self.open(domain)
        self.secure(context, name or domain)

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """STARTTLS on a stream that is open."""
        self.send(f"<starttls xmlns='{TLS}'/>")
        answer = self.next()
        if answer.tag != f"{{{TLS}}}proceed":
            raise AssertionError(f"no <proceed/> but {answer.tag}")
        self.wrap(context, name)

    def ask(self, text: str) -> ET.Element:
        self.send(text)
        return self.next()

    def login(self, domain: str, user: str, password: str) -> ET.Element:
        """SASL PLAIN, the new stream, and its features; the result of binding is returned."""
        credentials = plain_credentials(user, password)
        answer = self.ask(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{credentials}</auth>")
        if answer.tag != f"{{{SASL}}}success":
            raise AssertionError(f"no <success/> but {ET.tostring(answer, encoding='unicode')}")
        self.open(domain)
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        return self.ask(f"<iq type='set' id='bind'>{bind}</iq>")

    def until_closed(self) -> bytes:
        """Everything that still comes before the server ends the connection."""
        rest = b""
        try:
            while True:
                rest += self.receive()
        except (Closed, ConnectionResetError):
            return rest
        except ssl.SSLError as error:
            if error.reason != "UNEXPECTED_EOF_WHILE_READING":
                raise
            return rest
