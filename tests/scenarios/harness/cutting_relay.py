"""A TCP relay in the test's hand: it lends a client a source address and breaks its connections."""

import socket
import struct
import threading

from .processes import wait_until

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class CuttingRelay:
    """A context manager. Whoever connects to 127.0.0.1:`port` arrives at `target` from `source`."""

    def __init__(self, target: int, source: str):
        self.target, self._source = target, source
        self._lock = threading.Lock()
        self._pairs: set[_Pair] = set()
        self._refusing = False
        self._losing = False
        self.connections = 0  # so far
        self.lost_bytes = 0  # see lose_answers()
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
            self._losing = False
            pairs, self._pairs = self._pairs, set()
            for pair in pairs:
                pair.cut()
        return len(pairs)

    def refuse(self) -> None:
        """Nobody new gets through until up()."""
        self._refusing = True

    def down(self) -> int:
        self.refuse()
        return self.cut()

    def up(self) -> None:
        self._refusing = False

    def lose_answers(self) -> None:
        """From here on, until cut(), what the target answers does not arrive; of a new connection the
        TLS 1.3 handshake still does."""
        self.lost_bytes = 0
        self._losing = True

    def wait_for_loss(self) -> None:
        wait_until(lambda: self.lost_bytes, "an answer is lost")

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                client.close()
            else:
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
        pair = _Pair(client, upstream)
        with self._lock:
            self._pairs.add(pair)
            self.connections += 1
        threading.Thread(target=self._serve, args=(pair,), daemon=True).start()

    def _serve(self, pair: "_Pair") -> None:
        answering = threading.Thread(target=self._copy, args=(pair, pair.upstream, pair.client),
                                     daemon=True)
        answering.start()
        self._copy(pair, pair.client, pair.upstream)
        answering.join()
        with self._lock:
            self._pairs.discard(pair)
            pair.close()

    def _copy(self, pair: "_Pair", source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                pair.note(source)
                if self._losing and pair.asked and source is pair.upstream:
                    self.lost_bytes += len(data)
                else:
                    sink.sendall(data)
            if not pair.is_cut:
                sink.shutdown(socket.SHUT_WR)
        except OSError:  # one end was reset: so is the other
            pair.cut()


class _Pair:
    def __init__(self, client: socket.socket, upstream: socket.socket):
        self.client, self.upstream = client, upstream
        self.answered = False
        self.asked = False  # something after the target's first words, which begin the handshake
        self.is_cut = False
        for end in (client, upstream):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def note(self, speaker: socket.socket) -> None:
        if speaker is self.upstream:
            self.answered = True
        elif self.answered:
            self.asked = True

    def cut(self) -> None:
        """Wakes both threads that read, without a word to either end; close() then resets them."""
        self.is_cut = True
        for end in (self.client, self.upstream):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            try:
                end.shutdown(socket.SHUT_RD)
            except OSError:
                pass  # it was reset already

    def close(self) -> None:
        self.client.close()
        self.upstream.close()
