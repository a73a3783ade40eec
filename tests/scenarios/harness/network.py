"""Loopback addresses and ports."""

import random
import socket

# All of 127.0.0.0/8 is this machine, so a client chooses who it is by the address it binds to.
WHITELISTED = "127.0.0.1"
STRANGER = "127.0.0.9"

# Below the range the kernel takes ports for outgoing connections from.
_FIRST, _LAST = 12000, 30000


def free_port(address: str = "127.0.0.1") -> int:
    """A port nobody listens on, drawn at random so that tests side by side rarely meet."""
    for _ in range(200):
        port = random.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


def accepts(port: int, address: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
