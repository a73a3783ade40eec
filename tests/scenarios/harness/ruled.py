"""A gate with a rule file, before an upstream that records."""

from pathlib import Path

from .canonical import OOB, REGISTER, error_of, show
from .certificates import make_certificate
from .gate import LISTENERS, Gate, host_table
from .processes import wait_until
from .raw_client import RawClient
from .recorder import RecordingUpstream
from .scenario import Scenario

HOST = "rules.test"
URL = "https://example.org/register"
GET = f"<iq type='get' id='get'><query xmlns='{REGISTER}'/></iq>"
# What the upstream answers to a `set`, by the user's name.
REPLIES = {b"<username>good</username>": b"<iq type='result' id='set'/>",
           b"<username>taken</username>":
               b"<iq type='error' id='set'><error type='cancel'>"
               b"<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
           b"<ping": b"<iq type='result' id='ping'/>",
           b"id='get'": b"<iq type='result' id='get'><query xmlns='jabber:iq:register'>"
                        b"<username/></query></iq>"}


def registration(user: str, extra: str = "id='set'") -> str:
    return (f"<iq type='set' {extra}><query xmlns='{REGISTER}'><username>{user}</username>"
            "<password>pw</password></query></iq>")


class Ruled(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.upstream = cls.enterClassContext(RecordingUpstream(replies=REPLIES))

    def configuration(self, registration: str = "", head: str = LISTENERS) -> str:
        return head + f"""
[registration]
whitelist = []
url = "{URL}"
rules = ["rules.toml"]
{registration}
""" + host_table(HOST, f"tcp://127.0.0.1:{self.upstream.port}", self.certificate)

    def ruled(self, rules: str, files: dict[str, str] | None = None, **configuration) -> Gate:
        """A gate with these rules, and with files beside them."""
        self.place: Path = self.temporary_folder()
        for name, text in {"rules.toml": rules, **(files or {})}.items():
            (self.place / name).write_text(text, encoding="utf-8")
        return self.enterContext(Gate(self.place, self.configuration(**configuration)))

    def client(self, gate: Gate, source: str = "127.0.0.1", door: str = "direct",
               header: str = "") -> RawClient:
        client = self.enterContext(RawClient(gate.port(door), source))
        if door == "starttls":
            client.starttls(HOST, self.certificate.client_context())
        else:
            client.wrap(self.certificate.client_context(), HOST)
        client.open(HOST, header)
        return client

    def ask(self, gate: Gate, source: str = "127.0.0.1", request: str = GET,
            door: str = "direct"):
        with self.client(gate, source, door) as client:
            return client.ask(request)

    def assert_form(self, reply) -> None:
        """Forwarded: the upstream's own."""
        self.assertIsNotNone(reply.find(f"{{{REGISTER}}}query/{{{REGISTER}}}username"),
                             show(reply))

    def assert_redirected(self, reply, text: str | None = None) -> None:
        self.assertEqual(reply.get("type"), "result", show(reply))
        self.assertEqual(reply.findtext(f".//{{{OOB}}}url"), URL, show(reply))
        if text is not None:
            self.assertEqual(reply.findtext(f".//{{{REGISTER}}}instructions"), text)

    def assert_refused(self, reply, condition: str = "not-authorized",
                       text: str | None = None) -> None:
        self.assertEqual(reply.get("type"), "error", show(reply))
        self.assertEqual(error_of(reply)[:2], ("cancel", condition))
        if text is not None:
            self.assertEqual(error_of(reply)[2], text)

    def assert_decided(self, gate: Gate, **fields: str) -> None:
        self.wait_for_event(gate, "registration", **fields)

    def wait_for_event(self, gate: Gate, event: str, **fields: str) -> dict[str, str]:
        """One line of the log that has all of these, which may come a moment later."""

        def logged():
            return next((found for found in gate.events(event)
                         if fields.items() <= found.items()), None)

        return wait_until(logged, f"the gate logs {event} {fields}", 10)
