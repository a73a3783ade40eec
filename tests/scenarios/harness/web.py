"""The frame of the scenarios with web clients: one Prosody with only its TCP port open, the gate's
HTTP door before it, and one relay for whoever is on the whitelist and one for a stranger.

With WEB_DOORS=prosody the same clients meet the HTTP doors of Prosody itself, and its community
module mod_register_redirect: what fails there, too, is not the gate's fault.
"""

import os
import shutil
from pathlib import Path

from . import scenario
from .account_story import TEXT, URL
from .canonical import OOB, REGISTER, error_of, parse, show
from .certificates import make_certificate
from .chromium import PROGRAM as CHROMIUM
from .cutting_relay import CuttingRelay
from .gate import Gate, host_table
from .network import STRANGER, WHITELISTED, free_port
from .processes import wait_until
from .prosody import Prosody
from .raw_client import RawClient
from .static_files import StaticFiles

HOST = "web.test"
PAGES = Path(__file__).resolve().parent.parent / "web"
_BUILD = Path(__file__).resolve().parents[3] / "build"
# Where `./dev test` has put the packages of web/package-lock.json, and where screenshots go.
CLIENTS = Path(os.environ.get("STANZAGATE_WEB") or _BUILD / "web").resolve()
SCREENSHOTS = CLIENTS / "screenshots"
DOORS = os.environ.get("WEB_DOORS") or "gate"
_SKIPPED = 77  # what ctest is told to take for "skipped"

# What web clients use of a server; Converse.js opens no chat where there is no block list.
_MODULES = ["test_secure", "smacks", "carbons", "pep", "blocklist"]
_GATE = f"""
[server]
drain = "1s"

[[listen]]
address = "127.0.0.1:0"
tls = "direct"
serve = ["xmpp", "websocket", "bosh"]

[http]
websocket_path = "/xmpp-websocket"
bosh_path = "/http-bind"

[registration]
whitelist = ["{WHITELISTED}"]
url = "{URL}"
"""


def missing() -> str:
    """What these scenarios need and this machine does not have; "" if it has everything."""
    for program in ("node", CHROMIUM):
        if shutil.which(program) is None:
            return f"there is no program `{program}`"
    if not (CLIENTS / "node_modules" / "@xmpp" / "client").exists():
        return f"there are no web clients in {CLIENTS}: `./dev test` gets them from npm's registry"
    return ""


def main() -> None:
    if reason := missing():
        print(f"SKIPPED: {reason}", flush=True)
        raise SystemExit(1 if os.environ.get("CI") else _SKIPPED)
    scenario.main()


class WebScenario(scenario.Scenario):
    """self.near and self.far are relays: through the first a client is on the whitelist, through
    the second it is a stranger. relay() makes one for a client that is to be cut off alone."""

    transport = ""  # as the gate's log calls it

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        if DOORS == "prosody":
            cls.gate = None
            cls.server, door = cls._prosody_alone()
        else:
            cls.server = cls.enterClassContext(Prosody(
                cls.folder, {HOST: {}}, modules=_MODULES))
            cls.gate = cls.enterClassContext(Gate(cls.folder, _GATE + host_table(
                HOST, f"tcp://127.0.0.1:{cls.server.c2s_port}", cls.certificate)))
            door = cls.gate.port("direct")
        cls.near = cls.enterClassContext(CuttingRelay(door, WHITELISTED))
        cls.far = cls.enterClassContext(CuttingRelay(door, STRANGER))
        cls.files = cls.enterClassContext(StaticFiles(
            pages=PAGES, clients=CLIENTS / "node_modules"))

    @classmethod
    def _prosody_alone(cls) -> tuple[Prosody, int]:
        port = free_port()
        server = cls.enterClassContext(Prosody(
            cls.folder, {HOST: {}},
            {"https_ports": [port], "https_interfaces": ["127.0.0.1"],
             "https_ssl": {"certificate": cls.certificate.certificate,
                           "key": cls.certificate.key},
             "registration_whitelist": [WHITELISTED], "registration_url": URL},
            [*_MODULES, "websocket", "bosh", "register_redirect"]))
        return server, port

    def websocket(self, relay: CuttingRelay) -> str:
        return f"wss://{HOST}:{relay.port}/xmpp-websocket"

    def bosh(self, relay: CuttingRelay) -> str:
        return f"https://{HOST}:{relay.port}/http-bind"

    def relay(self, source: str) -> CuttingRelay:
        return self.enterContext(CuttingRelay(self.near.target, source))

    def give_account(self, user: str, password: str = "pw") -> str:
        """Registered at the server itself, for tests of something else."""
        with RawClient(self.server.c2s_port, WHITELISTED) as client:
            client.open(HOST)
            reply = client.ask(f"<iq type='set' id='r'><query xmlns='{REGISTER}'><username>{user}"
                               f"</username><password>{password}</password></query></iq>")
            self.assertEqual(reply.get("type"), "result", show(reply))
        return f"{user}@{HOST}"

    def assert_registered(self, answers: list[str], user: str) -> None:
        """The answers to a `get` and a `set` are the server's own, and there is an account."""
        form, done = map(parse, answers)
        self.assertIsNotNone(form.find(f"{{{REGISTER}}}query/{{{REGISTER}}}username"), show(form))
        self.assertEqual(done.get("type"), "result", show(done))
        self.assertIn(user, self.server.accounts(HOST))
        self.assert_decided(WHITELISTED, "set", "forward")

    def assert_redirected(self, answers: list[str], user: str) -> None:
        self.assert_refused(answers)
        self.assert_stranger_unheard(user, "get", "set")

    def assert_refused(self, answers: list[str]) -> None:
        redirect, refusal = map(parse, answers)
        self.assertEqual(redirect.get("type"), "result", show(redirect))
        self.assertEqual(redirect.findtext(f".//{{{REGISTER}}}instructions"), TEXT)
        self.assertEqual(redirect.findtext(f".//{{{OOB}}}url"), URL)
        self.assertEqual(refusal.get("type"), "error", show(refusal))
        self.assertEqual(error_of(refusal)[:2], ("cancel", "not-authorized"))
        if self.gate:  # Prosody's module gives no text here
            self.assertEqual(error_of(refusal)[2], TEXT)

    def assert_stranger_unheard(self, user: str, *requests: str) -> None:
        self.assertNotIn(user, self.server.accounts(HOST))
        for request in requests:
            self.assert_decided(STRANGER, request, "redirect")
        if self.gate:
            self.assertFalse([request for request in self.server.registration_requests()
                              if user in request])

    def assert_decided(self, peer: str, request: str, action: str) -> None:
        """The gate logged such a decision. (Prosody's own doors log none.)"""
        if not self.gate:
            return
        wanted = {"peer": peer, "host": HOST, "transport": self.transport, "request": request,
                  "action": action}
        wait_until(lambda: any(wanted.items() <= event.items()
                               for event in self.gate.events("registration")),
                   f"the gate logs {wanted}", 5)
