"""An upstream that does nothing by itself: the test holds its sockets."""

import socket
import ssl

from .canonical import CLIENT, SASL, STREAMS

MECHANISMS = f"<mechanisms xmlns='{SASL}'><mechanism>PLAIN</mechanism></mechanisms>"
HEADER = (f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}'"
          " id='raw' version='1.0' xml:lang='en'>")
SUCCESS = f"<success xmlns='{SASL}'/>"
AUTH = f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>"


class RawUpstream:
    """A context manager; accept() gives the next connection, as a socket."""

    def __init__(self, context: ssl.SSLContext | None = None, receive_buffer: int = 0):
        self._listener = socket.socket()
        if receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(1024)
        self._listener.settimeout(15)
        self.port = self._listener.getsockname()[1]
        self._context = context
        self._accepted = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        for connection in self._accepted:
            connection.close()

    def accept(self) -> socket.socket:
        connection, _ = self._listener.accept()
        connection.settimeout(15)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context:
            connection = self._context.wrap_socket(connection, server_side=True)
        self._accepted.append(connection)
        return connection

    def nobody_came(self) -> bool:
        """Nothing has connected that was not accepted."""
        self._listener.setblocking(False)
        try:
            self._accepted.append(self._listener.accept()[0])
            return False
        except BlockingIOError:
            return True
        finally:
            self._listener.settimeout(15)


def read_until(source, mark: bytes) -> bytes:
    """Up to the mark, which is the end of what has arrived."""
    data = b""
    while not data.endswith(mark):
        more = source.recv(65536)
        if not more:
            raise ConnectionError(f"ended after {data[-300:]!r}")
        data += more
    return data


def authenticate(client, upstream: socket.socket) -> None:
    """On an open stream: from here on the gate relays."""
    client.sendall(AUTH.encode())
    read_until(upstream, AUTH.encode())
    upstream.sendall(SUCCESS.encode())
    read_until(client, SUCCESS.encode())


def memory_kib(pid: int) -> int:
    """What a process has in memory."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def push_until_stuck(sink: socket.socket, data: bytes, quiet: float = 0.5) -> int:
    """How many of the bytes are taken before nothing is taken for a while."""
    sink.settimeout(quiet)
    sent = 0
    try:
        while sent < len(data):
            sent += sink.send(data[sent:sent + 65536])
    except (TimeoutError, ssl.SSLWantWriteError):
        pass
    sink.settimeout(15)
    return sent
