"""Many sessions in one event loop: WebSocket and BOSH clients, and an upstream that echoes."""

import asyncio
import os
import random
import re
import struct

from .raw_upstream import AUTH, HEADER, MECHANISMS, SUCCESS

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
_FEATURES = f"<stream:features>{MECHANISMS}</stream:features>".encode()
_NUMBER = re.compile(rb"<message[^>]* from='(\d+)' nr='(\d+)'")


def message(session: int, number: int) -> bytes:
    """What a session says; its upstream says the same."""
    return b"<message from='%d' nr='%d' xmlns='jabber:client'>%s</message>" % (
        session, number, b"x" * (number * 37 % 400))


class EchoServer:
    """Authenticates everybody, then sends back all that it gets."""

    async def start(self) -> "EchoServer":
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        self._server = server
        return self

    async def _serve(self, reader, writer) -> None:
        try:
            await self._open(reader, writer)
            await reader.readuntil(AUTH.encode())
            writer.write(SUCCESS.encode())
            await self._open(reader, writer)
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _open(reader, writer) -> None:
        await reader.readuntil(b"<stream:stream ")
        await reader.readuntil(b">")
        writer.write(HEADER.encode() + _FEATURES)


class Gathering:
    """Set once all are there."""

    def __init__(self, count: int):
        self.missing = count
        self.complete = asyncio.Event()

    def arrive(self) -> asyncio.Event:
        self.missing -= 1
        if self.missing == 0:
            self.complete.set()
        return self.complete


class Member:
    """One session: it says `count` messages in random bursts, and gets each back, once, in order."""

    def __init__(self, session: int, port: int, host: str, count: int):
        self.session, self.port, self.host, self.count = session, port, host, count
        self.chance = random.Random(session)
        self.said = 0
        self.heard = 0

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    def burst(self) -> list[bytes]:
        """The next messages, none where all are said."""
        first = self.said
        self.said = min(self.count, first + self.chance.randint(1, 5))
        return [message(self.session, number) for number in range(first, self.said)]

    def hear(self, xml: bytes) -> None:
        for session, number in _NUMBER.findall(xml):
            if (int(session), int(number)) != (self.session, self.heard):
                raise AssertionError(f"{self.session} heard message {number} of {session} "
                                     f"instead of its own {self.heard}")
            self.heard += 1


class OverWebsocket(Member):
    async def log_in(self) -> None:
        self.reader, self.writer = await self.connect()
        self.writer.write(f"GET /xmpp-websocket HTTP/1.1\r\nHost: {self.host}\r\n"
                          "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise AssertionError(head)
        opening = f"<open xmlns='{FRAMING}' to='{self.host}' version='1.0'/>".encode()
        for said, expected in ((opening, (b"<open ", b"<stream:features")),
                               (AUTH.encode(), (b"<success",)),
                               (opening, (b"<open ", b"<stream:features"))):
            self._say(said)
            for begin in expected:
                text = await self._frame()
                if not text.startswith(begin):
                    raise AssertionError(text)

    async def rest(self, until: asyncio.Event) -> None:
        await until.wait()

    async def talk(self) -> None:
        async def say_all() -> None:
            while burst := self.burst():
                for text in burst:
                    self._say(text)
                await asyncio.sleep(self.chance.random() * 0.2)

        saying = asyncio.create_task(say_all())
        while self.heard < self.count:
            self.hear(await self._frame())
        await saying

    async def leave(self) -> None:
        self._say(f"<close xmlns='{FRAMING}'/>".encode())
        text = await self._frame()
        if not text.startswith(b"<close "):
            raise AssertionError(text)
        self.writer.close()

    def _say(self, text: bytes) -> None:
        mask = os.urandom(4)
        length = (bytes([0x80 | len(text)]) if len(text) < 126
                  else b"\xfe" + struct.pack(">H", len(text)))
        covered = bytes(byte ^ mask[i % 4] for i, byte in enumerate(text))
        self.writer.write(b"\x81" + length + mask + covered)

    async def _frame(self) -> bytes:
        head = await self.reader.readexactly(2)
        if head[0] != 0x81:
            raise AssertionError(head)
        size = head[1]
        if size == 126:
            size = struct.unpack(">H", await self.reader.readexactly(2))[0]
        return await self.reader.readexactly(size)


class OverBosh(Member):
    """Its requests take turns on two connections. Now and then one is lost before the answer, and
    the request is sent again."""

    cut_of_ten = 1

    async def log_in(self) -> None:
        self.sid = ""
        self.rid = self.chance.randint(1, 1 << 40)
        self.connections = [None, None]
        self.pending = []
        self.cuts = 0
        opening = (f" to='{self.host}' wait='30' hold='1' ver='1.11' xmlns:xmpp='urn:xmpp:xbosh'"
                   " xmpp:version='1.0'")
        created = await self._ask(self._body(opening))
        self.sid = re.search(rb" sid='([^']+)'", created)[1].decode()
        if b"<stream:features" not in created:
            await self._expect("", "", b"<stream:features")
        await self._expect("", AUTH, b"<success")
        await self._expect(" xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'", "",
                           b"<stream:features")

    async def _expect(self, attributes: str, payload: str, expected: bytes) -> None:
        answer = await self._ask(self._body(attributes, payload.encode()))
        if expected not in answer:
            raise AssertionError(answer)

    async def rest(self, until: asyncio.Event) -> None:
        """A session that has no request open for a minute is over."""
        waiting = asyncio.create_task(until.wait())
        while not until.is_set():
            if not self.pending:
                self.pending.append(self._start(b""))
            await asyncio.wait((waiting, self.pending[0]), return_when=asyncio.FIRST_COMPLETED)
            if self.pending[0].done():
                self.hear(await self.pending.pop(0))

    async def talk(self) -> None:
        pending = self.pending
        while self.heard < self.count:
            while len(pending) < 2 and (self.said < self.count or not pending):
                pending.append(self._start(b"".join(self.burst())))
                await asyncio.sleep(self.chance.random() * 0.05)
            self.hear(await pending.pop(0))

    async def leave(self) -> None:
        self.pending.append(self._start(b"", " type='terminate'"))
        answers = [await asked for asked in self.pending]
        for answer in answers:
            self.hear(answer)  # nothing comes twice
        if b"type='terminate'" not in answers[0]:
            raise AssertionError(answers)
        for connection in self.connections:
            if connection:
                connection[1].close()

    def _body(self, attributes: str, payload: bytes = b"") -> tuple[int, bytes]:
        self.rid += 1
        sid = f" sid='{self.sid}'" if self.sid else ""
        head = f"<body xmlns='http://jabber.org/protocol/httpbind' rid='{self.rid}'{sid}{attributes}>"
        return self.rid, head.encode() + payload + b"</body>"

    def _start(self, payload: bytes, attributes: str = "") -> asyncio.Task:
        return asyncio.create_task(self._ask(self._body(attributes, payload), may_cut=True))

    async def _ask(self, request: tuple[int, bytes], may_cut: bool = False) -> bytes:
        rid, body = request
        while True:
            if may_cut and self.chance.randrange(10) < self.cut_of_ten:
                _, writer = await self._send(rid, body)
                await asyncio.sleep(self.chance.random() * 0.02)
                writer.close()
                self.connections[rid % 2] = None
                self.cuts += 1
            try:
                reader, _ = await self._send(rid, body)
                answer = await self._answer(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                self.connections[rid % 2] = None  # it was not used for too long, say
                continue
            # The copy on the lost connection may be read last, and is then taken for the newer
            # one (XEP-0124 section 14.3); so the request is repeated (section 17.3).
            if b"type='error'" not in answer:
                return answer

    async def _send(self, rid: int, body: bytes):
        if self.connections[rid % 2] is None:
            self.connections[rid % 2] = await self.connect()
        connection = self.connections[rid % 2]
        connection[1].write(f"POST /http-bind HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: "
                            f"{len(body)}\r\n\r\n".encode() + body)
        return connection

    @staticmethod
    async def _answer(reader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise AssertionError(head)
        length = re.search(rb"(?i)content-length: (\d+)", head)
        return await reader.readexactly(int(length[1]))
