#!/usr/bin/python3
"""The settings of docs/servers.md, to the letter but for the ports, with a real Prosody, ejabberd and
jabberd2: strangers are redirected, who may registers, and everybody logs in."""

import re
import subprocess

from harness.account_story import REGISTRATION, Story
from harness.certificates import make_certificate
from harness.documents import Block, ROOT, blocks
from harness.ejabberd import Ejabberd
from harness.gate import LISTENERS, Gate
from harness.jabberd2 import Jabberd2
from harness.network import STRANGER, WHITELISTED, free_port
from harness.processes import wait_until
from harness.prosody import Prosody
from harness.scenario import Scenario, main

PAGE = "docs/servers.md"
HOST = "behind.example"
PORT = "15222"


def block(tag: str, begins: str = "") -> Block:
    return next(one for one in blocks(PAGE) if one.tag == tag and one.text.startswith(begins))


def at_the_gate(settings: Block) -> str:
    """The first `upstream = ...` that the page names behind the settings of a server."""
    text = (ROOT / PAGE).read_text().split(settings.text, 1)[1]
    return re.search(r"At the gate: `(upstream = [^`]*)`", text)[1]


class BehindTheGate(Scenario):
    def gate(self, settings: Block, port: int) -> Story:
        certificate = make_certificate(self.folder, HOST)
        upstream = at_the_gate(settings)
        self.assertIn(PORT, upstream)
        gate = self.enterContext(Gate(self.temporary_folder(), LISTENERS + REGISTRATION + f"""
[[host]]
name = "{HOST}"
certificate = "{certificate.certificate}"
key = "{certificate.key}"
{upstream.replace(PORT, str(port))}
"""))
        return Story(self, gate, HOST, certificate)

    def lives_behind(self, story: Story, registrar: str = WHITELISTED) -> None:
        story.run(story.accounts_live(registrar))
        for tls in ("starttls", "direct"):
            story.run(story.stranger_is_redirected(tls))
        story.run(story.sign_up("carl", "pw", "starttls", registrar))
        story.run(story.stranger_logs_in("carl", "pw"))
        story.assert_decided(registrar, "set", "whitelist", "forward")
        story.assert_decided(STRANGER, "get", "default", "redirect")

    def prosody(self, settings: Block) -> Prosody:
        server = Prosody(self.temporary_folder(), {HOST: {}})
        file = server.folder / "prosody.cfg.lua"
        said = set(re.findall(r"^(\w+) =", settings.text, re.MULTILINE))
        kept = [line for line in file.read_text().splitlines() if line.split(" =")[0] not in said]
        options = settings.text.replace(PORT, str(server.c2s_port))
        file.write_text("\n".join([options, *kept]) + "\n")
        return self.enterContext(server)

    def test_prosody_with_what_debian_has(self):
        settings = block("lua", "c2s_ports = { 15222 }")
        server = self.prosody(settings)
        story = self.gate(settings, server.c2s_port)
        self.lives_behind(story)
        self.assertEqual(server.accounts(HOST), {"ann", "bob", "carl"})
        self.assertFalse([request for request in server.registration_requests()
                          if "mallory" in request])

    def test_prosody_with_a_module_that_debian_has_not(self):
        """As far as it can be tried: it is read, and nothing stands in for the module."""
        settings = block("lua", "-- add")
        file = self.folder / "options.lua"
        file.write_text(settings.text)
        subprocess.run(["luac5.4", "-p", file], check=True)

    def test_ejabberd(self):
        settings = block("yaml", "listen:")
        server = Ejabberd(self.temporary_folder(), [HOST], registrars=["127.0.0.2/32"])
        file = server.folder / "ejabberd.yml"
        listens = settings.text.replace(PORT, str(server.c2s_port)) + "\n"
        text, changed = re.subn(r"^listen:\n(?:  .*\n)+", lambda _: listens, file.read_text(),
                                flags=re.MULTILINE)
        self.assertEqual(changed, 1)
        file.write_text(text)
        self.enterContext(server)
        self.lives_behind(self.gate(settings, server.c2s_port), "127.0.0.2")
        self.assert_not_logged(server.process, "The account mallory")

    def test_jabberd2(self):
        settings = block("xml", "<local>")
        server = Jabberd2(self.temporary_folder(), HOST)
        file = server.folder / "c2s.xml"
        local = settings.text.replace(PORT, str(server.c2s_port)).replace("example.org", HOST)
        text, changed = re.subn(r"<local>.*</local>", lambda _: local, file.read_text(),
                                flags=re.DOTALL)
        self.assertEqual(changed, 1)
        file.write_text(text)
        self.enterContext(server)
        self.lives_behind(self.gate(settings, server.c2s_port))
        self.assertEqual(server.accounts(), {"ann", "bob", "carl"})

    def test_ejabberd_of_debian_does_not_know_the_later_option(self):
        """docs/servers.md says to leave it out there. With a later one this test is to go."""
        self.assertIn("`allow_unencrypted_sasl2: true`", (ROOT / PAGE).read_text())
        server = Ejabberd(self.temporary_folder(), [HOST])
        file = server.folder / "ejabberd.yml"
        file.write_text("allow_unencrypted_sasl2: true\n" + file.read_text())
        server.process.start()
        self.addCleanup(server.process.stop)
        log = server.folder / "server.log"
        wait_until(lambda: "allow_unencrypted_sasl2" in server.process.log()
                   or (log.exists() and "allow_unencrypted_sasl2" in log.read_text()),
                   "it names the option", 40)
        wait_until(lambda: not server.process.running(), "it ends", 40)

    def test_prosody_with_invitations(self):
        """The modules that the page names are there."""
        text = (ROOT / PAGE).read_text()
        modules = re.findall(r'"(invites\w*)"', text)
        self.assertEqual(modules, ["invites", "invites_register", "invites_adhoc"])
        self.enterContext(Prosody(self.temporary_folder(), {HOST: {}}, modules=modules))


if __name__ == "__main__":
    main()
