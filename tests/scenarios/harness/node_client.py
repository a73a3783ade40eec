"""@xmpp/client in a Node of its own (web/websocket_client.mjs), call by call."""

import json
import queue
import subprocess
import threading
from pathlib import Path

from .processes import Process

_TIMEOUT = 30.0


class NodeError(Exception):
    """The client said no; the text is its stack."""


class NodeClient:
    """A context manager. client.call("log_in", service=..., ...): what the script returns."""

    def __init__(self, folder: Path, script: Path, clients: Path, trusted: Path, name: str):
        self.process = Process(f"node-{name}", ["node", script], folder,
                               {"STANZAGATE_WEB": str(clients),
                                "NODE_EXTRA_CA_CERTS": str(trusted)})
        self.process.streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._answers: queue.Queue = queue.Queue()
        self._number = 0

    def __enter__(self) -> "NodeClient":
        self.process.start()
        threading.Thread(target=self._read, args=(self.process.child.stdout,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.process.stop()
        self.process.child.stdin.close()
        self.process.child.stdout.close()

    def call(self, name: str, **settings):
        self._number += 1
        request = {"id": self._number, "call": name, **settings}
        self.process.child.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.child.stdin.flush()
        try:
            answer = self._answers.get(timeout=_TIMEOUT)
        except queue.Empty:
            raise TimeoutError(f"{self.process.name} did not answer {name}") from None
        if answer is None:
            raise NodeError(f"{self.process.name} ended:\n{self.process.log()[-3000:]}")
        assert answer["id"] == self._number, "one call at a time"
        if "error" in answer:
            raise NodeError(f"{name}: {answer['error']}")
        return answer.get("result")

    def _read(self, stdout) -> None:
        for line in stdout:
            self._answers.put(json.loads(line))
        self._answers.put(None)
