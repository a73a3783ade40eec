#!/usr/bin/python3
"""The demonstration: a real Prosody, stanzagate before it, and a client library that people use.

demo.py         tell the story, then leave both servers running until Ctrl-C
demo.py --once  tell the story and end

It checks what it tells: the exit code is 0 only if everything went as it says.
"""

import asyncio
import os
import signal
import sys
import tempfile
import textwrap
from contextlib import ExitStack
from pathlib import Path
from xml.dom import minidom

from harness.certificates import Certificate, make_certificate
from harness.gate import Gate
from harness.network import STRANGER, WHITELISTED
from harness.processes import wait_until
from harness.prosody import Prosody
from harness.slixmpp_client import Client

HOST = "demo.example"
URL = "https://demo.example/join"
COLOURS = {"title": "1", "sent": "36", "received": "32", "log": "33", "dim": "2", "wrong": "31"}
COLOURED = sys.stdout.isatty() and "NO_COLOR" not in os.environ


class Wrong(Exception):
    """Something was not as the story has it."""


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Wrong(what)


def paint(style: str, text: str) -> str:
    return f"\033[{COLOURS[style]}m{text}\033[0m" if COLOURED else text


def say(text: str = "", style: str | None = None, label: str = "") -> None:
    """A paragraph, with a label in the margin where there is one."""
    if style == "title":
        print("\n" + paint(style, text), flush=True)
        return
    lines = text.splitlines() or [""]
    for number, line in enumerate(lines):
        margin = f"  {label if number == 0 else '':<12}"
        print(margin + (paint(style, line) if style else line), flush=True)


def pretty(xml: str) -> str:
    indented = minidom.parseString(xml).documentElement.toprettyxml(indent="  ")
    return indented.rstrip()


class Demo:
    def __init__(self, folder: Path, stack: ExitStack):
        self.certificate: Certificate = make_certificate(folder, HOST)
        self.server = stack.enter_context(Prosody(folder, {HOST: {}}, modules=["test_secure"]))
        self.configuration = textwrap.dedent(f"""\
            [[listen]]
            address = "127.0.0.1:0"
            tls = "starttls"

            [[listen]]
            address = "127.0.0.1:0"
            tls = "direct"

            [[host]]
            name = "{HOST}"
            certificate = "{self.certificate.certificate.name}"
            key = "{self.certificate.key.name}"
            upstream = "tcp://127.0.0.1:{self.server.c2s_port}"

            [registration]
            whitelist = ["{WHITELISTED}"]
            url = "{URL}"
            """)
        self.gate = stack.enter_context(Gate(folder, self.configuration))

    def client(self, user: str, source: str, tls: str) -> Client:
        return Client(f"{user}@{HOST}", "open-sesame", self.gate.port(tls),
                      self.certificate.certificate, tls == "direct", source)

    def introduce(self) -> None:
        say("A registration gate before a real XMPP server", "title")
        say(f"127.0.0.1:{self.server.c2s_port}, plain TCP, own data folder", label="Prosody")
        say(f"127.0.0.1:{self.gate.port('starttls')} STARTTLS\n"
            f"127.0.0.1:{self.gate.port('direct')} direct TLS", label="stanzagate")
        say(f"{HOST}, with a certificate made just now", label="host")
        say(self.configuration.rstrip(), "dim", label="settings")

    async def stranger(self) -> None:
        say(f"1. A stranger at {STRANGER} wants an account", "title")
        say(f"slixmpp, from {STRANGER}, STARTTLS", label="client")
        client = self.client("mallory", STRANGER, "starttls")
        attempt = await client.sign_up()
        self.show_exchange(client)
        self.show_log(STRANGER, 2, "redirect")
        expect(attempt.url == URL, f"the stranger is sent to {URL}")
        expect(URL in attempt.instructions, "the instructions name the address")
        expect(not attempt.fields, "the stranger gets no form to fill in")
        expect(attempt.error is not None, "the stranger's set is refused")
        seen = len(self.server.registration_requests())
        accounts = self.server.accounts(HOST)
        say(f"{seen} registration requests seen, {len(accounts)} accounts", label="Prosody")
        expect(seen == 0 and not accounts, "Prosody heard nothing of it")

    async def whitelisted(self) -> None:
        say(f"2. A client at {WHITELISTED}, which is on the whitelist, wants one too", "title")
        say(f"slixmpp, from {WHITELISTED}, STARTTLS", label="client")
        client = self.client("ann", WHITELISTED, "starttls")
        attempt = await client.sign_up()
        self.show_exchange(client)
        self.show_log(WHITELISTED, 2, "forward")
        expect({"username", "password"} <= attempt.fields, "the form is Prosody's own")
        expect(attempt.error is None, "the account is made")
        seen = len(self.server.registration_requests())
        accounts = self.server.accounts(HOST)
        say(f"{seen} registration requests seen, accounts: {', '.join(accounts)}", label="Prosody")
        expect(seen == 2 and accounts == {"ann"}, "Prosody made the account")

    async def logged_in(self) -> None:
        say("3. The new account is used, from anywhere", "title")
        say(f"slixmpp, from {STRANGER}, direct TLS", label="client")
        client = self.client("ann", STRANGER, "direct")
        await client.log_in()
        say(f"as {client.boundjid}", label="logged in")
        client.send_message(mto=client.boundjid, mbody="Nothing stands between us.", mtype="chat")
        message = await client.next_message()
        say(f"\"{message['body']}\" from {message['from'].bare} to itself", label="message")
        expect(message["from"] == client.boundjid, "the message comes from the account itself")
        await client.leave()

    def show_exchange(self, client: Client) -> None:
        for direction, stanza in client.transcript:
            say(pretty(stanza), direction, label="sent" if direction == "sent" else "came back")

    def show_log(self, peer: str, count: int, action: str) -> None:
        """The gate's own lines for the last decisions, as it wrote them."""
        def lines_of_peer() -> list[str]:
            return [line for line in self.gate.process.log().splitlines()
                    if "event=registration " in line and f"peer={peer} " in line]

        wait_until(lambda: len(lines_of_peer()) >= count, f"{count} decisions are logged", 5)
        lines = lines_of_peer()
        say("\n".join(lines), "log", label="gate's log")
        expect(len(lines) == count, f"one log line for each of the {count} requests")
        expect(all(f"action={action}" in line for line in lines), f"both say {action}")

    def invite(self) -> None:
        port = self.gate.port("direct")
        header = (f"<stream:stream xmlns='jabber:client' to='{HOST}' version='1.0'"
                  " xmlns:stream='http://etherx.jabber.org/streams'>")
        request = "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>"
        say("Both go on running. Ctrl-C ends them.", "title")
        say(f"(printf \"{header}{request}\"; sleep 1) |\n"
            f"  openssl s_client -quiet -connect 127.0.0.1:{port} -servername {HOST}"
            f" -alpn xmpp-client -bind {STRANGER}:0", label="be a stranger")
        say(f"ann@{HOST}, password open-sesame, server 127.0.0.1, "
            f"port {self.gate.port('starttls')}", label="or log in")
        say(f"{self.gate.process.log_file}\n{self.server.process.log_file}", label="logs")


async def tell(demo: Demo) -> None:
    await demo.stranger()
    await demo.whitelisted()
    await demo.logged_in()


def main() -> int:
    if sys.argv[1:] not in ([], ["--once"]):
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stanzagate-demo-")))
        try:
            demo = Demo(folder, stack)
            demo.introduce()
            asyncio.run(asyncio.wait_for(tell(demo), 60))
        except Exception as problem:
            print(paint("wrong", f"\nThis went wrong: {problem!r}"))
            for log in sorted(folder.rglob("*.log")):
                print(f"\n----- {log.name}\n{log.read_text(errors='replace')[-3000:]}")
            return 1
        if not sys.argv[1:]:
            demo.invite()
            signal.pause()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print()
