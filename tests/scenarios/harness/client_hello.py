"""A ClientHello built by hand, to offer what no library offers, and the answer to it. RFC 5246 section
7.4.1, RFC 8446 section 4.1."""

import os
import socket
import struct
from dataclasses import dataclass

SSL_3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = range(0x300, 0x305)
X25519, P_256, P_384 = 0x1D, 0x17, 0x18
_SIGNATURES = [0x0403, 0x0503, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0201, 0x0203]


@dataclass(frozen=True)
class Answer:
    """What a server chose; or, where `alert` is set, the number of the alert it refused with."""

    alert: int | None = None
    version: int = 0
    cipher: int = 0
    compression: int = 0
    retry: bool = False  # it asked for another ClientHello, with a key of a group that it likes


def _numbers(numbers, length: str = "!H") -> bytes:
    body = b"".join(struct.pack("!H", number) for number in numbers)
    return struct.pack(length, len(body)) + body


def _extension(number: int, body: bytes) -> bytes:
    return struct.pack("!HH", number, len(body)) + body


def client_hello(name: str, version: int, ciphers, groups=(X25519, P_256, P_384),
                 compressions: bytes = b"\0") -> bytes:
    """As records. For TLS 1.3 it has a key share of X25519, if that is among the groups."""
    server_name = name.encode()
    entry = b"\0" + struct.pack("!H", len(server_name)) + server_name
    extensions = _extension(0, struct.pack("!H", len(entry)) + entry)
    extensions += _extension(10, _numbers(groups))
    extensions += _extension(11, b"\1\0")  # uncompressed points
    extensions += _extension(13, _numbers(_SIGNATURES))
    extensions += _extension(0xFF01, b"\0")  # secure renegotiation
    if version == TLS_1_3:
        extensions += _extension(43, _numbers([TLS_1_3], "!B"))
        share = struct.pack("!HH", X25519, 32) + os.urandom(32) if X25519 in groups else b""
        extensions += _extension(51, struct.pack("!H", len(share)) + share)
    body = struct.pack("!H", min(version, TLS_1_2)) + os.urandom(32) + b"\0"
    body += _numbers(ciphers) + struct.pack("!B", len(compressions)) + compressions
    body += struct.pack("!H", len(extensions)) + extensions
    message = b"\1" + struct.pack("!I", len(body))[1:] + body
    return b"".join(b"\x16" + struct.pack("!HH", min(version, TLS_1_0), len(part)) + part
                    for part in (message[at:at + 16384] for at in range(0, len(message), 16384)))


def answer_to(connection: socket.socket, hello: bytes) -> Answer:
    """The first record that comes back: ServerHello or an alert."""
    connection.sendall(hello)
    kind, _, length = struct.unpack("!BHH", _exactly(connection, 5))
    body = _exactly(connection, length)
    if kind == 21:
        return Answer(alert=body[1])
    if kind != 22 or body[0] != 2:
        raise AssertionError(f"neither ServerHello nor alert: {kind} {body[:40]!r}")
    version = struct.unpack("!H", body[4:6])[0]
    random, session = body[6:38], body[38]
    cipher, compression = struct.unpack("!HB", body[39 + session:42 + session])
    extensions = body[44 + session:]
    while extensions:
        number, size = struct.unpack("!HH", extensions[:4])
        if number == 43:
            version = struct.unpack("!H", extensions[4:6])[0]
        extensions = extensions[4 + size:]
    retry = random == bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891"
                                    "c2a211167abb8c5e079e09e2c8a8339c")
    return Answer(None, version, cipher, compression, retry)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError(f"ended after {data!r}")
        data += more
    return data
