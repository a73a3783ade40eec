"""Clients that come without end, each to hear the gate's stream header and go."""

import re
import socket
import ssl
import threading
import time

from .raw_client import stream_header

HEADER = rb"<stream:stream [^>]*>"
FEATURES = HEADER + rb".*</stream:features>"


class CrowdAtTheDoor:
    """Threads that connect one client after the other; a context manager. Then `failures` says what
    went wrong, and `served` how many were served: have heard what matches `until`."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None = None,
                 threads: int = 4, until: bytes = FEATURES, pause: float = 0.005):
        self.host, self.port, self.context, self.until = host, port, context, until
        self.pause = pause  # of each thread, between two of its clients
        self.failures: list[str] = []
        self.served = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._come_and_go) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _come_and_go(self) -> None:
        while not self._stop.wait(self.pause):
            began, stage, heard = time.monotonic(), "connecting", b""
            try:
                with socket.create_connection(("127.0.0.1", self.port), 20) as plain:
                    stage = "in the handshake"
                    client = plain if self.context is None else self.context.wrap_socket(
                        plain, server_hostname=self.host)
                    stage = "waiting for the header"
                    client.sendall(stream_header(self.host).encode())
                    while not re.search(self.until, heard, re.DOTALL):
                        data = client.recv(65536)
                        if not data:
                            raise ConnectionError("closed")
                        heard += data
            except OSError as error:
                after = time.monotonic() - began
                with self._lock:
                    self.failures.append(f"{stage}, after {after:.3f} s: {error!r}: {heard!r}")
            else:
                with self._lock:
                    self.served += 1
