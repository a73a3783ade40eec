#!/usr/bin/python3
"""What `explain` says of the rule files in config/rules/, of a stranger and of a friend."""

import json
import re
import zoneinfo
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.canonical import OOB, REGISTER, error_of, parse, stream_error_of
from harness.certificates import make_certificate
from harness.countries import write_countries
from harness.gate import LISTENERS, host_table, run_program
from harness.scenario import Scenario, main

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "config" / "rules"
HOST = "example.org"
URL = "https://example.org/register"
STRANGER, FRIEND = "203.0.114.9", "192.0.2.7"


@dataclass
class Case:
    who: str
    rule: str
    action: str
    more: tuple = ()
    not_because: str = ""  # the key for which the first rule does not match
    text: str = ""
    condition: str = "not-authorized"  # of the error, where it is refused
    delay: str = ""

    def __str__(self) -> str:
        return " ".join((self.who, *self.more))


CASES = {
    "closed-with-web-form": [
        Case(FRIEND, "office", "forward"),
        Case(STRANGER, "web-form", "redirect", not_because="from",
             text=f"To get an account on {HOST}, please visit {URL}."),
        Case(STRANGER, "web-form", "redirect", ("--lang", "de"), "from",
             f"Ein Konto auf {HOST} gibt es unter {URL}."),
    ],
    "invite-only": [
        Case(FRIEND, "invited", "forward", ("--invited",)),
        Case(STRANGER, "not-invited", "refuse", (), "invited",
             f"Accounts on {HOST} are by invitation: ask a member for a link. More at {URL}.",
             "forbidden"),
    ],
    "open-with-quotas": [
        Case(FRIEND, "campus", "forward", not_because="from"),
        Case(STRANGER, "open", "forward", not_because="from"),
        Case("198.51.100.1", "spam", "refuse", delay="10000", text="Registration is not open to "
             "your network. Write to admin@example.org."),
    ],
    "under-attack": [
        Case(FRIEND, "trusted", "forward"),
        Case(STRANGER, "closed", "refuse", (), "from", f"Registration on {HOST} is closed for the "
             f"moment, except by invitation. Please see {URL}.", delay="10000"),
        Case(STRANGER, "from-browsers", "forward", ("--transport", "websocket"), "from"),
        Case(STRANGER, "from-browsers", "forward", ("--transport", "bosh"), "from"),
        Case(STRANGER, "closed", "refuse", ("--transport", "direct"), "from",
             delay="10000"),
        Case(STRANGER, "default", "redirect", ("--invited",), "from"),
        Case("203.0.113.7", "attackers", "close", (), "from", delay="30000"),
    ],
}


class Explain(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        write_countries(cls.folder / "countries.mmdb",
                        {f"{FRIEND}/32": "SE", "2001:db8:5e::/48": "NO", f"{STRANGER}/32": "DE"})

    def configuration(self, *names: str) -> Path:
        file = self.folder / f"{names[0]}.toml"
        rules = json.dumps([f"{RULES / name}.toml" for name in names])
        file.write_text(
            LISTENERS.replace("[server]", '[server]\ngeoip = "countries.mmdb"')
            + '[[listen]]\naddress = "127.0.0.1:0"\ntls = "direct"\n'
            + 'serve = ["websocket", "bosh"]\n'
            + f'[registration]\nurl = "{URL}"\nrules = {rules}\n'
            + host_table(HOST, "tcp://192.0.2.10:15222", self.certificate))
        return file

    def explain(self, file: Path, case: Case, *more: str) -> str:
        done = run_program("explain", "-c", file, "--host", HOST, "--from", case.who,
                           *case.more, *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def check(self, name: str, case: Case) -> None:
        file = self.configuration(name)
        for request in ("get", "set"):
            told = json.loads(self.explain(file, case, "--json", "--request", request))
            self.assertEqual((told["rule"], told["action"]), (case.rule, case.action))
            lines = self.explain(file, case, "--request", request).splitlines()
            if case.not_because:
                self.assertIn(f": no match: {case.not_because}: ", lines[0])
            after = f", after {case.delay} ms" if case.delay else ""
            decided = lines.index(f"decided by {case.rule}: {case.action}{after}")
            self.assertIn("matches", lines[decided - 1])
            said = lines[decided + 1] if decided + 1 < len(lines) else None
            # What ends the stream is no iq, and so no reply.
            self.assertEqual(told["reply"], None if case.action == "close" else said)
            self.check_reply(case, request, said)

    def check_reply(self, case: Case, request: str, reply: str | None) -> None:
        if case.action == "forward":
            self.assertIsNone(reply)
        elif case.action == "close":
            prefixed = reply.removesuffix("</stream:stream>").replace(
                "<stream:error", "<stream:error xmlns:stream='http://etherx.jabber.org/streams'", 1)
            self.assertEqual(stream_error_of(parse(prefixed)), "policy-violation")
        elif case.action == "redirect" and request == "get":
            answer = parse(reply)
            self.assertEqual(answer.findtext(f".//{{{OOB}}}url"), URL)
            self.assertIn(case.text, answer.findtext(f".//{{{REGISTER}}}instructions"))
        else:
            kind, condition, text = error_of(parse(reply))
            self.assertEqual((kind, condition), ("cancel", case.condition))
            self.assertIn(case.text, text)

    def test_examples(self):
        for name, cases in CASES.items():
            for case in cases:
                with self.subTest(file=name, case=str(case)):
                    self.check(name, case)

    def test_office_hours(self):
        """Whatever time it is: what is to be expected depends on the clock in Stockholm."""
        closed = "Registration is open Monday to Friday, 8 to 18. Or write to us: "
        for friend in (FRIEND, "2001:db8:5e::1"):
            is_open = self.office_hours()
            case = (Case(friend, "office-hours", "forward") if is_open else
                    Case(friend, "closed-now", "redirect", (), "during", closed))
            try:
                self.check("office-hours-one-country", case)
            except AssertionError:
                if is_open == self.office_hours():  # else the hour has struck meanwhile
                    raise
        for stranger in (STRANGER, "192.0.2.99"):  # the second one's country is not known
            file = self.configuration("office-hours-one-country")
            self.assertIn("decided by abroad: refuse",
                          self.explain(file, Case(stranger, "abroad", "refuse")))

    @staticmethod
    def office_hours() -> bool:
        now = datetime.now(zoneinfo.ZoneInfo("Europe/Stockholm"))
        return now.weekday() < 5 and 8 <= now.hour < 18

    def test_the_documentation_says_what_it_says(self):
        """Each `$ stanzagate explain` of docs/rules.md; save for those that the clock decides."""
        stories = (ROOT / "docs" / "rules.md").read_text().split("\n### ")[1:]
        done = 0
        for story in stories:
            names = re.search(r"^rules = .*", story, re.MULTILINE)
            names = re.findall(r"rules/([\w-]+)\.toml", names[0] if names else story)
            file = self.configuration(*(names if "\nrules = " in story else names[:1]))
            for block in re.findall(r"(?:^    .*\n)+", story, re.MULTILINE):
                command, *output = [line[4:] for line in block.splitlines()]
                if any("office-hours" in line for line in output):
                    continue
                arguments = command.replace("stanzagate.toml", str(file)).split()[2:]
                with self.subTest(command=command):
                    self.assertEqual(run_program(*arguments).stdout.splitlines(), output)
                done += 1
        self.assertEqual(done, 9)

    def test_no_example_is_forgotten(self):
        self.assertEqual({file.stem for file in RULES.glob("*.toml")},
                         {*CASES, "office-hours-one-country"})

    def test_check_has_nothing_to_say(self):
        for file in RULES.glob("*.toml"):
            done = run_program("check", "-c", self.configuration(file.stem))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn(str(file), done.stderr)


if __name__ == "__main__":
    main()
