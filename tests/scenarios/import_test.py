#!/usr/bin/python3
"""What import-prosody makes of a configuration decides and answers as that Prosody does.

One Prosody runs with mod_register_redirect and many hosts. Its own configuration file is imported,
`check` accepts the result, and for each host the module's answers are compared with what `explain`
says the gate would answer.
"""

import json
import xml.etree.ElementTree as ET

from harness.canonical import OOB, REGISTER, canonical, error_of, show
from harness.gate import run_program
from harness.network import STRANGER, WHITELISTED
from harness.prosody import Prosody
from harness.raw_client import RawClient
from harness.redirect_reference import FAILURES, REDIRECTS, URL
from harness.scenario import Scenario, main

MODULE = {"modules_enabled": ["register_redirect"], "registration_url": URL}

# Options as operators write them too, and which of the two clients the module lets pass.
ODDITIES = {
    "string.test": {**MODULE, "registration_whitelist": WHITELISTED},
    "empty.test": {**MODULE, "registration_whitelist": []},
    "network.test": {**MODULE, "registration_whitelist": ["127.0.0.0/8"]},
    "allowlist.test": {**MODULE, "registration_whitelist": [WHITELISTED],
                       "registration_allowlist": [STRANGER]},
    "misspelt.test": {"modules_enabled": ["register_redirect"], "registrarion_url": URL,
                      "admins": ["a@a.test"]},
    "textboolean.test": {**MODULE, "registration_oob": "false", "registration_text": "T"},
    "oddboolean.test": {**MODULE, "registration_oob": "yes", "registration_text": "T"},
    "listtext.test": {**MODULE, "registration_text": ["T {host}", "U"]},
    "stringadmins.test": {"modules_enabled": ["register_redirect"], "admins": "a@a.test"},
    "disabled.test": {"modules_disabled": ["register_redirect"]},
    "without.test": {},
}


class Import(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rows = {row.host: row.for_prosody() for row in [*REDIRECTS, *FAILURES]}
        options = {"c2s_require_encryption": False, "admins": ["chief@example.org"]}
        cls.prosody = cls.enterClassContext(
            Prosody(cls.folder, {**cls.rows, **ODDITIES}, options))
        cls.done = run_program("import-prosody", cls.prosody.folder / "prosody.cfg.lua")
        cls.file = cls.folder / "imported.toml"
        cls.file.write_text(cls.done.stdout)

    def of_module(self, host: str, client: str, kind: str) -> ET.Element:
        with RawClient(self.prosody.c2s_port, client) as connection:
            connection.open(host)
            return connection.ask(f"<iq type='{kind}' id='1' to='{host}'>"
                                  f"<query xmlns='{REGISTER}'/></iq>")

    def of_gate(self, host: str, client: str, kind: str) -> dict:
        done = run_program("explain", "-c", self.file, "--host", host, "--from", client,
                           "--request", kind, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def compare(self, host: str, client: str) -> None:
        expected = self.of_module(host, client, "get")
        actual = self.of_gate(host, client, "get")
        if expected.find(f".//{{{REGISTER}}}username") is not None:  # the server's own form
            self.assertEqual(actual["action"], "forward", show(expected))
            return
        self.assertEqual(actual["action"], "redirect", show(expected))
        if expected.get("type") == "error":
            self.assertEqual(error_of(expected)[1], "internal-server-error")
            return  # which a client of the gate never meets
        query = expected.find(f"{{{REGISTER}}}query")
        oob = query.find(f"{{{OOB}}}x")
        if oob is not None and not oob.findtext(f"{{{OOB}}}url"):
            query.remove(oob)
        self.assertEqual(canonical(ET.fromstring(actual["reply"])), canonical(expected))
        refused = self.of_module(host, client, "set")
        reply = ET.fromstring(self.of_gate(host, client, "set")["reply"])
        self.assertEqual(error_of(reply)[:2], error_of(refused)[:2])

    def test_check_accepts_it(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        done = run_program("check", "-c", self.file)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_host_is_decided_and_answered_alike(self):
        for host in [*self.rows, *ODDITIES]:
            for client in (STRANGER, WHITELISTED):
                with self.subTest(host=host, client=client):
                    self.compare(host, client)

    def test_warnings_say_where_and_what(self):
        file = self.prosody.folder / "prosody.cfg.lua"
        for text in ("registrarion_url: mod_register_redirect never read this",
                     "registration_allowlist is read by mod_register_limits only",
                     "\"127.0.0.0/8\" lets nobody pass",
                     "mod_register_redirect answers internal-server-error"):
            with self.subTest(text=text):
                self.assertRegex(self.done.stderr, rf"(?m)^{file}:\d+:\d+: warning: .*{text}")
        self.assertNotIn(": error: ", self.done.stderr)


class Wrong(Scenario):
    def test_a_file_that_cannot_be_read(self):
        done = run_program("import-prosody", self.folder / "none.cfg.lua")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("none.cfg.lua:1:1: error: ", done.stderr)

    def test_a_file_that_cannot_be_evaluated(self):
        file = self.folder / "wrong.cfg.lua"
        file.write_text("VirtualHost 'a.test'\nos.execute('touch " + str(self.folder) + "/x')\n")
        done = run_program("import-prosody", file)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(f"{file}:2:1: error: os.execute", done.stderr)
        self.assertFalse((self.folder / "x").exists())

    def test_no_file(self):
        self.assertEqual(run_program("import-prosody").returncode, 2)


if __name__ == "__main__":
    main()
