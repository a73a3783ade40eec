"""A TLS client in memory on a socket: every record and every end of it is in the test's hand."""

import socket
import ssl
import time


class RawTls:
    """RawTls(socket, context, name); then handshake(), send(), receive().

    Unlike ssl.SSLSocket it can go on reading after its own close_notify, it tells a close_notify
    from a bare FIN, and it shows the bytes before they go out.
    """

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, name: str | None):
        self.socket = connection
        self.closed_with = ""  # how the gate ended: "close_notify", "FIN", "RST", an alert's text
        self.wire_ended = False
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name)

    def take_out(self) -> bytes:
        """The bytes that would go out now."""
        return self._out.read()

    def flush(self, piece: int = 0) -> None:
        """Sends what is to go out; with `piece`, in pieces of that many bytes."""
        data = self.take_out()
        step = piece or len(data) or 1
        for start in range(0, len(data), step):
            self.socket.sendall(data[start:start + step])

    def handshake(self, piece: int = 0) -> "RawTls":
        while True:
            try:
                self.tls.do_handshake()
                self.flush(piece)
                return self
            except ssl.SSLWantReadError:
                self.flush(piece)
                self._fill()
                if self.wire_ended:
                    raise ConnectionError(f"handshake: {self.closed_with}") from None

    def encrypt(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self.take_out()

    def send(self, data: bytes | str) -> None:
        data = data.encode() if isinstance(data, str) else data
        for start in range(0, len(data), 1 << 20):
            self.socket.sendall(self.encrypt(data[start:start + (1 << 20)]))

    def sendall(self, data: bytes) -> None:
        self.send(data)

    def receive(self, size: int = 65536) -> bytes:
        """The next bytes; b"" at the end, which closed_with explains."""
        while not self.closed_with:
            try:
                if data := self.tls.read(size):
                    return data
                self.closed_with = "close_notify"  # if this end has not said so before
            except ssl.SSLZeroReturnError:
                self.closed_with = "close_notify"
            except ssl.SSLWantReadError:
                self._fill()
            except ssl.SSLEOFError:
                self.closed_with = self.closed_with or "FIN"
            except ssl.SSLError as error:
                self.closed_with = self.closed_with or error.reason or str(error)
        return b""

    def recv(self, size: int) -> bytes:
        return self.receive(size)

    def close_notify(self, fin: bool = False) -> None:
        """Says that nothing more comes; what comes back can still be read."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass  # it would wait for the other's
        self.flush()
        if fin:
            self.socket.shutdown(socket.SHUT_WR)

    def wait_for_fin(self) -> None:
        while not self.wire_ended:
            self._fill()

    def settimeout(self, seconds: float) -> None:
        self.socket.settimeout(seconds)

    def close(self) -> None:
        self.socket.close()

    def _fill(self) -> None:
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data, self.closed_with, self.wire_ended = b"", self.closed_with or "RST", True
            return
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
            self.wire_ended = True


def read_exactly(source, size: int, timeout: float = 30.0) -> bytes:
    """So many bytes of anything with recv(); fewer where it ends before."""
    deadline = time.monotonic() + timeout
    parts = bytearray()
    while len(parts) < size and time.monotonic() < deadline:
        data = source.recv(min(65536, size - len(parts)))
        if not data:
            break
        parts += data
    return bytes(parts)


def read_to_end(source) -> bytes:
    parts = bytearray()
    try:
        while data := source.recv(65536):
            parts += data
    except ConnectionResetError:
        pass
    return bytes(parts)
