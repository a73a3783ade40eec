#!/usr/bin/python3
"""A thousand WebSocket and a thousand BOSH sessions at once: nothing is lost, doubled or mixed up."""

import asyncio
import collections

from harness.certificates import make_certificate
from harness.crowd import EchoServer, Gathering, OverBosh, OverWebsocket
from harness.gate import Gate, host_table
from harness.processes import wait_until
from harness.scenario import Scenario, main

HOST = "crowd.test"
EACH = 1000
MESSAGES = 20
AT_ONCE = 100  # logging in


class Crowd(Scenario):
    def test_two_thousand_sessions_that_echo(self):
        asyncio.run(asyncio.wait_for(self.crowd(), 380))

    async def crowd(self) -> None:
        echo = await EchoServer().start()
        certificate = make_certificate(self.folder, HOST)
        gate = Gate(self.folder, f"""
[server]
drain = "1s"
workers = 2

[limits]
connections_per_address = 20000
connect_rate = "100000/s"

[[listen]]
address = "127.0.0.1:0"
tls = "none"
serve = ["websocket", "bosh"]
""" + host_table(HOST, f"tcp://127.0.0.1:{echo.port}", certificate,
                 'url = "https://example.org/"'))
        with gate:
            port = gate.port("none")
            members = [kind(EACH * index + number, port, HOST, MESSAGES)
                       for index, kind in enumerate((OverWebsocket, OverBosh))
                       for number in range(EACH)]
            await self.everybody_talks(members)
            await asyncio.to_thread(
                wait_until, lambda: len(gate.events("session_end")) >= len(members),
                "every session has ended")
            ends = collections.Counter(
                (end["transport"], end["why"], end["authenticated"])
                for end in gate.events("session_end"))
            self.assertEqual(ends, {("websocket", "client_closed", "yes"): EACH,
                                    ("bosh", "client_closed", "yes"): EACH})
            cuts = sum(member.cuts for member in members if isinstance(member, OverBosh))
            self.assertGreater(cuts, EACH)
            print(f"{cuts} connections were lost", flush=True)

    async def everybody_talks(self, members: list) -> None:
        logged_in, have_heard = Gathering(len(members)), Gathering(len(members))
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(member) -> None:
            async with slots:
                await member.log_in()
            await member.rest(logged_in.arrive())
            await member.talk()
            self.assertEqual(member.heard, MESSAGES)
            await member.rest(have_heard.arrive())  # nobody leaves before all have talked
            await member.leave()

        async with asyncio.TaskGroup() as group:
            for member in members:
                group.create_task(one(member))


if __name__ == "__main__":
    main()
