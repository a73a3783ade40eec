"""A TCP relay in the test's hand: it lends a client a source address, and breaks its connections."""

import socket
import struct
import threading

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class CuttingRelay:
    """A context manager. Whoever connects to 127.0.0.1:`port` arrives at `target` from `source`."""

    def __init__(self, target: int, source: str):
        self.target, self._source = target, source
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._down = False
        self._deaf = False
        self.lost_bytes = 0  # of what the target said while its answers were being lost
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> "CuttingRelay":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> int:
        """Resets every connection at both ends, as a network does that has forgotten them. Says how
        many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                _shut(end)
        return len(pairs)

    def refuse(self) -> None:
        """Nobody new gets through until up()."""
        self._down = True

    def down(self) -> int:
        self.refuse()
        return self.cut()

    def up(self) -> None:
        self._down = False

    def lose_answers(self) -> None:
        """From here on the target hears its clients and they do not hear it, until hear_again()."""
        self.lost_bytes = 0
        self._deaf = True

    def hear_again(self) -> int:
        """Cuts what has lost answers; new connections are whole."""
        cut = self.cut()
        self._deaf = False
        return cut

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._down:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                client.close()
                continue
            self._relay(client)

    def _relay(self, client: socket.socket) -> None:
        upstream = socket.socket()
        upstream.bind((self._source, 0))
        try:
            upstream.connect(("127.0.0.1", self.target))
        except OSError:
            client.close()
            upstream.close()
            return
        pair = (client, upstream)
        for end in pair:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._pairs.add(pair)
            self.connections += 1
        done = threading.Semaphore(0)
        for source, sink in (pair, reversed(pair)):
            threading.Thread(target=self._copy, args=(source, sink, source is upstream, done),
                             daemon=True).start()
        threading.Thread(target=self._close, args=(pair, done), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, answers: bool,
              done: threading.Semaphore) -> None:
        try:
            while data := source.recv(65536):
                if answers and self._deaf:
                    self.lost_bytes += len(data)
                else:
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _shut(source)
            _shut(sink)
        finally:
            done.release()

    def _close(self, pair: tuple[socket.socket, socket.socket], done: threading.Semaphore) -> None:
        """Closes both once neither is being read from: a closed number may be anyone's."""
        for _ in pair:
            done.acquire()
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            end.close()


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other side was quicker
