"""What people do with accounts through the gate, on whichever server stands behind it."""

import asyncio
from dataclasses import dataclass

from .canonical import REGISTER, error_of, parse
from .certificates import Certificate
from .gate import Gate
from .network import STRANGER, WHITELISTED
from .processes import wait_until
from .raw_client import RawClient
from .slixmpp_client import Client

URL = "https://example.org/register"
TEXT = f"Please visit {URL} to register an account on this server."
REGISTRATION = f"""
[registration]
whitelist = ["{WHITELISTED}", "127.0.0.2"]
url = "{URL}"
"""


@dataclass
class Story:
    """One host behind one gate. `test` is the TestCase that asserts."""

    test: object
    gate: Gate
    host: str
    certificate: Certificate

    def client(self, user: str, password: str, tls: str, source: str = WHITELISTED) -> Client:
        return Client(f"{user}@{self.host}", password, self.gate.port(tls),
                      self.certificate.certificate, tls == "direct", source)

    def run(self, coroutine) -> None:
        asyncio.run(asyncio.wait_for(coroutine, 60))

    async def sign_up(self, user: str, password: str, tls: str, source: str = WHITELISTED) -> None:
        attempt = await self.client(user, password, tls, source).sign_up()
        self.test.assertIsNone(attempt.error, attempt.error)
        self.test.assertLessEqual({"username", "password"}, attempt.fields)

    async def accounts_live(self, source: str = WHITELISTED) -> None:
        """Two register over different doors, log in over different doors, talk both ways, and one
        changes the password."""
        await self.sign_up("ann", "first", "starttls", source)
        await self.sign_up("bob", "other", "direct", source)
        ann = self.client("ann", "first", "direct", source)
        bob = self.client("bob", "other", "starttls", source)
        await asyncio.gather(ann.log_in(), bob.log_in())
        await self.talk(ann, bob, "Hello, bob")
        await self.talk(bob, ann, "<&>'\" ünïcödé 🂡 " + "long " * 4000)
        await ann.change_password("second")
        await asyncio.gather(ann.leave(), bob.leave())
        again = self.client("ann", "second", "starttls", source)
        await again.log_in()
        await again.leave()
        with self.test.assertRaises(ConnectionError):
            await self.client("ann", "first", "direct", source).log_in()

    async def talk(self, sender: Client, receiver: Client, body: str) -> None:
        sender.send_message(mto=receiver.boundjid, mbody=body, mtype="chat")
        message = await receiver.next_message()
        self.test.assertEqual(message["body"], body)
        self.test.assertEqual(message["from"], sender.boundjid)

    async def stranger_is_redirected(self, tls: str) -> None:
        """A library that follows the protocol gets instructions, url, and an error for its set."""
        attempt = await self.client("mallory", "pw", tls, STRANGER).sign_up()
        self.test.assertEqual(attempt.instructions, TEXT)
        self.test.assertEqual(attempt.url, URL)
        self.test.assertEqual(attempt.fields, set())
        self.test.assertIsNotNone(attempt.error)
        error = error_of(parse(str(attempt.error)))
        self.test.assertEqual(error, ("cancel", "not-authorized", TEXT))

    async def stranger_logs_in(self, user: str, password: str) -> None:
        """Only registering is forbidden to strangers."""
        client = self.client(user, password, "direct", STRANGER)
        await client.log_in()
        await client.leave()

    def stranger_asks_in_bytes(self, afterwards: str = "") -> None:
        """Byte by byte, many times on one stream; then something that the server answers."""
        with RawClient(self.gate.port("direct"), STRANGER) as client:
            client.wrap(self.certificate.client_context(), self.host)
            client.open(self.host)
            for number in range(3):
                request = f"<iq type='get' id='split-{number}'><query xmlns='{REGISTER}'/></iq>"
                for byte in request.encode():
                    client.send(bytes([byte]))
                reply = client.next()
                self.test.assertEqual(reply.get("id"), f"split-{number}")
                instructions = reply.findtext(f".//{{{REGISTER}}}instructions")
                self.test.assertEqual(instructions, TEXT)
            if afterwards:
                expected = parse(afterwards).get("id")
                self.test.assertEqual(client.ask(afterwards).get("id"), expected)

    def assert_decided(self, peer: str, request: str, rule: str, action: str) -> None:
        """The gate logged such a decision: one line, which may come a moment after the answer."""
        wanted = {"peer": peer, "host": self.host, "request": request, "rule": rule,
                  "action": action}

        def logged() -> bool:
            events = self.gate.events("registration")
            return any(wanted.items() <= event.items() for event in events)

        wait_until(logged, f"the gate logs {wanted}", 5)
