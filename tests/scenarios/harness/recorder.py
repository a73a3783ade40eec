"""An upstream that records every byte it is sent and answers as little as a client needs."""

import socket
import threading

from .canonical import CLIENT, SASL, STREAMS
from .processes import wait_until

FEATURES = f"<mechanisms xmlns='{SASL}'><mechanism>PLAIN</mechanism></mechanisms>"


class Connection:
    """One accepted connection. `received` is everything it brought, from the first byte on.

    Stream headers are answered with a header and features, a SASL <auth/> with <success/>; what
    follows the header after that comes back as it is. Before it, only `replies` are given: text
    that is sent when its key is seen.
    """

    def __init__(self, accepted: socket.socket, features: str, replies: dict[bytes, bytes]):
        self.socket = accepted
        self.received = b""
        self.ended = False
        self._features = features
        self._replies = replies
        self._seen = 0  # how much of `received` has been acted upon
        self._authenticated = False
        self._echoing = False

    def start(self) -> None:
        threading.Thread(target=self._serve, daemon=True).start()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def close(self) -> None:
        # shutdown() first: close() alone leaves a recv() in the other thread waiting
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def _serve(self) -> None:
        try:
            while data := self.socket.recv(65536):
                if not self.received:
                    self._seen = _length_of_proxy_header(data)
                self.received += data
                while self._act():
                    pass
        except OSError:
            pass
        self.ended = True
        self.close()  # as a server does when a client is gone

    def _act(self) -> bool:
        """Answers the next thing that is there to answer, if any."""
        rest = self.received[self._seen:]
        if self._echoing:
            self._seen = len(self.received)
            if rest:
                self.send(rest)
            return False
        header_end = _end_of_header(rest)
        if header_end:
            self._seen += header_end
            offered = "" if self._authenticated else self._features
            header = (
                f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}'"
                f" id='recorded' version='1.0' xml:lang='en'>"
                f"<stream:features>{offered}</stream:features>"
            )
            self.send(header.encode())
            self._echoing = self._authenticated
            return True
        if b"</auth>" in rest:
            self._seen += rest.index(b"</auth>") + len(b"</auth>")
            self._authenticated = True
            self.send(f"<success xmlns='{SASL}'/>".encode())
            return True
        for key, reply in self._replies.items():
            if key in rest:
                self._seen += rest.index(key) + len(key)
                self.send(reply)
                return True
        return False


def _length_of_proxy_header(first: bytes) -> int:
    """Of a PROXY v1 or v2 header, which comes whole in the first read, or 0."""
    if first.startswith(b"PROXY "):
        return first.index(b"\r\n") + 2
    if first.startswith(b"\r\n\r\n\0\r\nQUIT\n"):
        return 16 + int.from_bytes(first[14:16], "big")
    return 0


def _end_of_header(data: bytes) -> int:
    """The length of a complete stream header at the beginning of the data, else 0."""
    start = data.find(b"<stream:stream")
    prolog = data[:start].strip()
    if start < 0 or (prolog and not (prolog.startswith(b"<?xml") and prolog.endswith(b"?>"))):
        return 0
    return data.find(b">", start) + 1


class RecordingUpstream:
    """A context manager; `connections` in the order they came, `port` on the address. A `greeting`
    is sent to whoever connects, before anything else."""

    def __init__(self, features: str = FEATURES, replies: dict[bytes, bytes] | None = None,
                 port: int = 0, address: str = "127.0.0.1"):
        self.connections: list[Connection] = []
        self.greeting = b""
        self._features = features
        self._replies = replies or {}
        self._listener = socket.create_server((address, port))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            connection.close()

    def _accept(self) -> None:
        try:
            while True:
                accepted, _ = self._listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                accepted.sendall(self.greeting)
                connection = Connection(accepted, self._features, self._replies)
                self.connections.append(connection)
                connection.start()
        except OSError:
            pass

    def everything(self) -> bytes:
        return b"".join(connection.received for connection in self.connections)

    def connection(self, index: int = 0) -> Connection:
        wait_until(lambda: len(self.connections) > index, f"upstream connection {index}")
        return self.connections[index]
