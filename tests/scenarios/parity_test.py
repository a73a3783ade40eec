#!/usr/bin/python3
"""The same settings give the same answers as Prosody's mod_register_redirect.

One Prosody with the module is asked directly over plain TCP; another, without it, stands behind the
gate. Each row of the reference is a virtual host. Answers are compared as canonical XML.

What was seen of the reference (Prosody 0.12.3) beyond its table:
- a request with a `from` gets an answer with that as its `to`; `from` of the answer is there only
  where the request had a `to`;
- an empty id comes back empty, and no id as none;
- `to` is looked at before anything else: an empty one is jid-malformed, and of "a.test/resource" or
  "user@a.test" the module does not hear. There stanzagate decides by the domain instead;
- `to` comes back in lower case.
"""

import json
import xml.etree.ElementTree as ET

from harness.canonical import CLIENT, OOB, REGISTER, STANZA_ERRORS, canonical, error_of, show
from harness.certificates import make_certificate
from harness.gate import LISTENERS, Gate, host_table, run_program
from harness.network import STRANGER, WHITELISTED
from harness.prosody import Prosody
from harness.raw_client import RawClient
from harness.redirect_reference import (
    CAPITALS,
    FAILURES,
    GLOBAL_ADMINS,
    GLOBAL_REDIRECTS,
    REDIRECTS,
    Row,
)
from harness.scenario import Scenario, main

GET = f"<query xmlns='{REGISTER}'/>"
SET = f"<query xmlns='{REGISTER}'><username>eve</username><password>pw</password></query>"

# Attributes of the request: what is escaped, what is absent, who it is from and to.
REQUESTS = [
    "id='r&amp;1' to='{host}'",
    "id='r2'",
    "id='&lt;&quot;&apos;&#233;&#x1F600;&gt;'",
    "id='r4' from='someone@{host}/here'",
    "id='r5' from='someone@{host}' to='{host}'",
    "id='r6' xml:lang='de'",
    "id=''",
    "",
]


def toml(settings: dict) -> str:
    return "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())


def without_empty_url(reply: ET.Element) -> ET.Element:
    """Difference 1: where there is no url, stanzagate has no oob element."""
    query = reply.find(f"{{{REGISTER}}}query")
    oob = query.find(f"{{{OOB}}}x")
    if oob is not None and not oob.findtext(f"{{{OOB}}}url"):
        query.remove(oob)
    return reply


class Parity(Scenario):
    """One stream to the module and one through the gate, asked alike."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rows = [*REDIRECTS, *FAILURES, CAPITALS]
        in_clear = {"c2s_require_encryption": False, "allow_unencrypted_plain_auth": True}
        cls.module = cls.enterClassContext(
            Prosody(cls.folder, {row.host: row.for_prosody() for row in rows},
                    in_clear, name="module"))
        cls.module_with_admins = cls.enterClassContext(
            Prosody(cls.folder, {row.host: row.for_prosody() for row in GLOBAL_REDIRECTS},
                    {**in_clear, "admins": GLOBAL_ADMINS}, name="admins"))
        served = [*REDIRECTS, *GLOBAL_REDIRECTS, CAPITALS]
        cls.plain = cls.enterClassContext(
            Prosody(cls.folder, {row.host: {} for row in served}, modules=["test_secure"],
                    name="plain"))
        cls.certificate = make_certificate(cls.folder, *[row.host for row in served])
        cls.gate = cls.enterClassContext(Gate(cls.folder, cls.configuration(served), "parity"))

    @classmethod
    def configuration(cls, rows: list[Row]) -> str:
        upstream = f"tcp://127.0.0.1:{cls.plain.c2s_port}"
        hosts = [host_table(row.host, upstream, cls.certificate, toml(row.settings))
                 for row in rows]
        registration = {"whitelist": [WHITELISTED], "admins": GLOBAL_ADMINS}
        return "\n".join([LISTENERS, "[registration]", toml(registration), *hosts])

    def ask_module(self, row: Row, module: Prosody | None = None, client: str | None = None):
        connection = RawClient((module or self.module).c2s_port, client or row.client)
        self.addCleanup(connection.close)
        connection.open(row.host)
        return connection

    def ask_gate(self, row: Row, client: str | None = None, tls: str = "direct"):
        connection = RawClient(self.gate.port(tls), client or row.client)
        self.addCleanup(connection.close)
        context = self.certificate.client_context()
        if tls == "direct":
            connection.wrap(context, row.host)
        else:
            connection.starttls(row.host, context)
        connection.open(row.host)
        return connection

    def compare_row(self, row: Row, module: RawClient, gate: RawClient) -> None:
        for attributes in REQUESTS:
            attributes = attributes.format(host=row.host)
            with self.subTest(row=row.name, attributes=attributes):
                self.compare_get(row, module, gate, f"<iq type='get' {attributes}>{GET}</iq>")
                self.compare_set(row, module, gate, f"<iq type='set' {attributes}>{SET}</iq>")

    def assert_same(self, request: str, expected: ET.Element, actual: ET.Element) -> None:
        shown = f"\n  asked  {request}\n  module {show(expected)}\n  gate   {show(actual)}"
        self.assertEqual(canonical(actual), canonical(expected), shown)

    def compare_get(self, row: Row, module: RawClient, gate: RawClient, request: str) -> None:
        expected, actual = module.ask(request), gate.ask(request)
        instructions = expected.findtext(f".//{{{REGISTER}}}instructions")
        self.assertEqual(instructions, row.instructions, "the module is not as the reference says")
        self.assertEqual(expected.findtext(f".//{{{OOB}}}url"), row.url)
        self.assert_same(request, without_empty_url(expected), actual)

    def compare_set(self, row: Row, module: RawClient, gate: RawClient, request: str) -> None:
        expected, actual = module.ask(request), gate.ask(request)
        self.assertEqual(error_of(expected), ("cancel", "not-authorized", ""))
        # Difference 4: the error carries the instructions.
        error = actual.find(f"{{{CLIENT}}}error")
        text = error.find(f"{{{STANZA_ERRORS}}}text")
        self.assertIsNotNone(text, f"no text in {show(actual)}")
        self.assertEqual(text.text, row.instructions)
        error.remove(text)
        self.assert_same(request, expected, actual)

    def test_every_redirect(self):
        for row in REDIRECTS:
            self.compare_row(row, self.ask_module(row), self.ask_gate(row))

    def test_admins_of_the_whole_server(self):
        for row in GLOBAL_REDIRECTS:
            module = self.ask_module(row, self.module_with_admins)
            self.compare_row(row, module, self.ask_gate(row))

    def test_starttls_door_answers_alike(self):
        row = REDIRECTS[0]
        self.compare_row(row, self.ask_module(row), self.ask_gate(row, tls="starttls"))

    def test_scheme_in_capitals(self):
        """Difference 3."""
        module, gate = self.ask_module(CAPITALS), self.ask_gate(CAPITALS)
        request = f"<iq type='get' id='c1'>{GET}</iq>"
        self.assertEqual(error_of(module.ask(request)), ("wait", "internal-server-error", ""))
        reply = gate.ask(request)
        self.assertEqual(reply.findtext(f".//{{{REGISTER}}}instructions"), CAPITALS.instructions)
        self.assertEqual(reply.findtext(f".//{{{OOB}}}url"), CAPITALS.url)

    def test_whitelisted_gets_the_form_and_registers(self):
        row = REDIRECTS[0]
        module, gate = self.ask_module(row, client=WHITELISTED), self.ask_gate(row, WHITELISTED)
        for request in (f"<iq type='get' id='w1' to='{row.host}'>{GET}</iq>",
                        f"<iq type='set' id='w2'>{SET}</iq>"):
            expected, actual = module.ask(request), gate.ask(request)
            self.assertEqual(expected.get("type"), "result")
            self.assert_same(request, expected, actual)
        self.assertEqual(self.plain.accounts(row.host), {"eve"})

    def test_strangers_register_nowhere(self):
        row = REDIRECTS[4]
        gate = self.ask_gate(row, STRANGER)
        gate.ask(f"<iq type='set' id='stranger-was-here'>{SET}</iq>")
        other = self.ask_gate(row, STRANGER)
        other.ask("<iq type='get' id='after'><ping xmlns='urn:xmpp:ping'/></iq>")
        self.assert_not_logged(self.plain.process, "stranger-was-here")
        self.assertEqual(self.plain.accounts(row.host), set())

    def test_other_stanzas_are_the_servers_to_answer(self):
        row = REDIRECTS[0]
        module, gate = self.ask_module(row), self.ask_gate(row)
        for request in ("<iq type='get' id='o1'><ping xmlns='urn:xmpp:ping'/></iq>",
                        f"<iq type='get' id='o2' to='{row.host}'><query xmlns='jabber:x'/></iq>",
                        "<iq type='set' id='o3'><a xmlns='b'>jabber:iq:register</a></iq>"):
            expected, actual = module.ask(request), gate.ask(request)
            self.assert_same(request, expected, actual)

    def test_after_login_the_password_changes_in_band(self):
        row = REDIRECTS[1]
        for account, connection in (("mod", self.ask_module(row, client=WHITELISTED)),
                                    ("gate", self.ask_gate(row, WHITELISTED))):
            query = f"<query xmlns='{REGISTER}'><username>{account}</username>"
            first, second = (f"{query}<password>{word}</password></query>" for word in ("a", "b"))
            done = connection.ask(f"<iq type='set' id='p1'>{first}</iq>")
            self.assertEqual(done.get("type"), "result")
            connection.login(row.host, account, "a")
            changed = connection.ask(f"<iq type='set' id='p2' to='{row.host}'>{second}</iq>")
            self.assertEqual(changed.get("type"), "result", show(changed))


class Failures(Scenario):
    """Difference 2: what the module answers internal-server-error to, `check` refuses."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, *[row.host for row in FAILURES])
        cls.module = cls.enterClassContext(
            Prosody(cls.folder, {row.host: row.for_prosody() for row in FAILURES},
                    {"c2s_require_encryption": False}, name="module"))

    def test_the_module_fails(self):
        for row in FAILURES:
            with self.subTest(row=row.name), RawClient(self.module.c2s_port, STRANGER) as client:
                client.open(row.host)
                for kind, query in (("get", GET), ("set", SET)):
                    answer = client.ask(f"<iq type='{kind}' id='f'>{query}</iq>")
                    error = ("wait", "internal-server-error", "")
                    self.assertEqual(error_of(answer), error)

    def test_check_and_run_refuse(self):
        for row in FAILURES:
            file = self.folder / f"{row.name}.toml"
            host = host_table(row.host, "tcp://127.0.0.1:5222", self.certificate,
                              toml(row.settings))
            file.write_text(LISTENERS + host)
            for command in ("check", "run"):
                with self.subTest(row=row.name, command=command):
                    done = run_program(command, "-c", file)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assert_points_at(file, row.error_key, done.stderr)

    def assert_points_at(self, file, key: str, output: str) -> None:
        """An error line FILE:LINE:COLUMN: whose line has the key (any line where there is none)."""
        self.assertRegex(output, rf"(?m)^{file}:[1-9]\d*:[1-9]\d*: error: \S")
        error = next(line for line in output.splitlines() if ": error: " in line)
        number = int(error.removeprefix(f"{file}:").split(":")[0])
        lines = file.read_text().splitlines()
        self.assertLessEqual(number, len(lines))
        if key:
            self.assertTrue(lines[number - 1].startswith(f"{key} ="), error)


if __name__ == "__main__":
    main()
