#!/usr/bin/python3
"""A hundred reloads while a thousand clients are logged in and others ask to register."""

import asyncio
import os
import random
import re
import resource
import signal
import time

from harness.canonical import OOB, REGISTER, SASL, error_of, parse
from harness.certificates import make_certificate
from harness.gate import LISTENERS, Gate, host_table
from harness.raw_client import stream_header
from harness.raw_upstream import HEADER, MECHANISMS, SUCCESS
from harness.scenario import Scenario, main

HOST = "load.test"
URL = "https://example.org/{}"
SESSIONS = 1000
ASKING = 20
RELOADS = 100
SEED = 4242
LOGGED = re.compile(r"event=registration .* rule=(\S+) action=(\S+)")

# They differ in everything that a decision is made of.
RULES = {
    "a": '[[rule]]\nname = "a1"\naction = "redirect"\ntext = "A {url}"\n'
         f'url = "{URL.format("a")}"\n',
    "b": '[[rule]]\nname = "b1"\naction = "refuse"\nrefusal = "forbidden"\ntext = "B {url}"\n'
         f'url = "{URL.format("b")}"\n',
}
BROKEN = '[[rule]]\nname = "c1"\naction = "forwrad"\n'


class Upstream:
    """Lets everybody in, and then says what it hears."""

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=SESSIONS)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer) -> None:
        try:
            await reader.readuntil(b"version='1.0'>")
            writer.write((HEADER + f"<stream:features>{MECHANISMS}</stream:features>").encode())
            await reader.readuntil(b"</auth>")
            writer.write(SUCCESS.encode())
            while data := await reader.read(65536):
                writer.write(data)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


class Log:
    """What the gate adds to its log, as it comes."""

    def __init__(self, gate: Gate):
        self.file = gate.process.log_file.open(encoding="utf-8")
        self.text = ""

    def look(self) -> str:
        self.text += self.file.read()
        return self.text

    async def count(self, event: str, wanted: int) -> None:
        deadline = time.monotonic() + 15
        while self.look().count(f" event={event} ") < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not {wanted} times in the log: {event}")
            await asyncio.sleep(0.005)


class UnderLoad(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 4 * SESSIONS
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        cls.certificate = make_certificate(cls.folder, HOST)

    def write(self, name: str, text: str) -> None:
        (self.folder / "new").write_text(text)
        os.replace(self.folder / "new", self.folder / name)

    def test_all_of_it(self):
        asyncio.run(asyncio.wait_for(self.all_of_it(), 60))

    async def all_of_it(self) -> None:
        async with Upstream() as upstream:
            self.write("rules.toml", RULES["a"])
            configuration = LISTENERS + '[registration]\nwhitelist = []\n' \
                'rules = ["rules.toml"]\nurl = "https://example.org/"\n' + host_table(
                    HOST, f"tcp://127.0.0.1:{upstream.port}", self.certificate)
            with Gate(self.folder, configuration) as gate:
                self.log, self.port = Log(gate), gate.port("direct")
                slots = asyncio.Semaphore(50)
                clients = await asyncio.gather(
                    *(self.logged_in(number, slots) for number in range(SESSIONS)))
                self.now, self.heard = "a", [0] * ASKING
                self.stop, self.answers = asyncio.Event(), {"a": 0, "b": 0}
                async with asyncio.TaskGroup() as group:
                    for number in range(ASKING):
                        group.create_task(self.keep_asking(number))
                    await self.reload_often(gate, clients)
                    self.stop.set()
                await asyncio.gather(*(self.echo(client, b"<message id='last'/>")
                                       for client in clients))
                self.assertNotIn("authenticated=yes", self.log.look(), "sessions ended")
                self.check_log()
                for _, writer in clients:
                    writer.close()
        print(f"answers: {self.answers}", flush=True)
        self.assertGreater(min(self.answers.values()), RELOADS)

    async def connect(self, number: int):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.certificate.client_context(), server_hostname=HOST,
            local_addr=(f"127.0.{1 + number // 200}.{1 + number % 200}", 0))
        writer.write(stream_header(HOST).encode())
        await reader.readuntil(b"</stream:features>")
        return reader, writer

    async def logged_in(self, number: int, slots: asyncio.Semaphore):
        async with slots:
            reader, writer = await self.connect(number)
            writer.write(f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>".encode())
            await reader.readuntil(SUCCESS.encode())
            return reader, writer

    async def echo(self, client, said: bytes) -> None:
        reader, writer = client
        writer.write(said)
        self.assertEqual(await reader.readexactly(len(said)), said)

    async def reload_often(self, gate: Gate, clients) -> None:
        chance = random.Random(SEED)
        reloaded, failed = 0, 0
        for number in range(RELOADS):
            if number % 10 == 9:
                self.write("rules.toml", BROKEN)
                failed += 1
            else:
                self.now = "b" if self.now == "a" else "a"
                self.write("rules.toml", RULES[self.now])
                reloaded += 1
            gate.process.signal(signal.SIGHUP)
            await asyncio.gather(*(self.echo(client, b"<message id='%d'/>" % number)
                                   for client in chance.sample(clients, 20)))
            await self.log.count("reloaded", reloaded)
            await self.log.count("reload_failed", failed)
            # Now nothing but the new one may be heard; what was under way comes first.
            self.heard = [0] * ASKING
            while min(self.heard) < 3:
                await asyncio.sleep(0.002)

    async def keep_asking(self, number: int) -> None:
        """On one stream, from the first reload to the last."""
        reader, writer = await self.connect(SESSIONS + number)
        asked, last = 0, "a"
        while not self.stop.is_set():
            asked += 1
            writer.write(f"<iq type='get' id='{asked}'><query xmlns='{REGISTER}'/></iq>".encode())
            reply = parse((await reader.readuntil(b"</iq>")).decode())
            self.assertEqual(reply.get("id"), str(asked))
            whose = self.whose(reply)
            if whose != self.now:
                self.assertNotEqual(last, self.now, "an old answer after a new one")
            last = whose
            self.answers[whose] += 1
            self.heard[number] += whose == self.now
        writer.close()

    def whose(self, reply) -> str:
        """Which configuration it is wholly from."""
        if reply.get("type") == "result":
            self.assertEqual(reply.findtext(f".//{{{REGISTER}}}instructions"),
                             "A " + URL.format("a"))
            self.assertEqual(reply.findtext(f".//{{{OOB}}}url"), URL.format("a"))
            return "a"
        self.assertEqual(error_of(reply), ("cancel", "forbidden", "B " + URL.format("b")))
        return "b"

    def check_log(self) -> None:
        logged = set(LOGGED.findall(self.log.text))
        self.assertEqual(logged, {("a1", "redirect"), ("b1", "refuse")})
        wrong = [line for line in self.log.text.splitlines()
                 if " event=configuration " in line and "level=error" in line]
        self.assertEqual(len(wrong), RELOADS // 10)
        for line in wrong:
            self.assertIn(f"file={self.folder}/rules.toml line=3 column=10", line)


if __name__ == "__main__":
    main()
