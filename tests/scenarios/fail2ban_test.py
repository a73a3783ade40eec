#!/usr/bin/python3
"""The filter for fail2ban, with lines that the program itself has written."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from harness.certificates import make_certificate
from harness.gate import Gate, host_table
from harness.processes import wait_until
from harness.raw_client import Closed, RawClient
from harness.recorder import RecordingUpstream
from harness.scenario import Scenario, main

FILTER = Path(__file__).resolve().parents[2] / "packaging/fail2ban/filter.d/stanzagate.conf"
HOST = "flood.test"
REGISTER = "<query xmlns='jabber:iq:register'/>"

HEAD = """
[server]
drain = "0s"
workers = 1
log = {{ format = "{format}" }}

[limits]
connect_rate = "{rate}"

[[listen]]
address = "127.0.0.1:0"
tls = "direct"
"""

# Whose name in the log needs quotes, and holds what a filter must not take for a field.
RULES = """
[[rule]]
name = "a \\"rule\\" peer=192.0.2.1 action=forward"
action = "refuse"
"""


class Filter(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.upstream = cls.enterClassContext(RecordingUpstream())

    def gate(self, log: str, registration: str, rate: str = "1000/s") -> Gate:
        folder = self.temporary_folder()
        (folder / "rules.toml").write_text(RULES)
        text = HEAD.format(format=log, rate=rate) + host_table(
            HOST, f"tcp://127.0.0.1:{self.upstream.port}", self.certificate,
            'url = "https://a.example/"\n' + registration)
        gate = Gate(folder, text)
        # the JSON log has its own shape
        gate.events = lambda name=None: [
            line for line in map(fields, gate.process.log().splitlines())
            if name is None or line.get("event") == name]
        return self.enterContext(gate)

    def client(self, gate: Gate, source: str = "127.0.0.1") -> RawClient:
        client = self.enterContext(RawClient(gate.port("direct"), source))
        client.wrap(self.certificate.client_context(), HOST)
        return client

    def ask(self, gate: Gate, kind: str) -> None:
        before = len(gate.events("registration"))
        client = self.client(gate)
        client.open(HOST)
        client.send(f"<iq type='{kind}' id='1'>{REGISTER}</iq>")
        wait_until(lambda: len(gate.events("registration")) > before, "it is decided")

    def matches(self, gate: Gate, mode: str, *peers: str) -> list[str]:
        """The events that fail2ban would count, as EVENT ACTION-OR-REASON, by address."""
        done = subprocess.run(
            ["fail2ban-regex", "--print-all-matched", "-v", str(gate.process.log_file),
             f"{FILTER}[mode={mode}]"], capture_output=True, text=True, timeout=60)
        self.assertIn("Failregex:", done.stdout, done.stderr)
        listed = done.stdout.partition("Matched line(s):")[2].partition("`-")[0]
        lines = re.findall(r"^\|  (.*)$", listed, re.MULTILINE)
        # -v tells which address, and when: the log's own time, not now
        hits = re.findall(r"^\|      (\S+)  \w+ ", done.stdout, re.MULTILINE)
        self.assertEqual(set(hits), set(peers or ["127.0.0.1"]) if lines else set())
        self.assertEqual(len(hits), len(lines))
        found = [fields(line) for line in lines]
        return [f"{line['event']} {line.get('action') or line.get('reason')}" for line in found]

    def test_counts_registrations_that_are_not_let_through(self):
        for log in ("text", "json"):
            for registration, action in (("whitelist = []", "redirect"),
                                         ('rules = ["rules.toml"]', "refuse"),
                                         ('whitelist = ["127.0.0.1"]', "forward")):
                with self.subTest(f"{log}, {action}"):
                    gate = self.gate(log, registration)
                    for kind in ("get", "set"):
                        self.ask(gate, kind)
                    self.assertEqual({line["action"] for line in gate.events("registration")},
                                     {action})
                    counted = [] if action == "forward" else [f"registration {action}"] * 2
                    self.assertEqual(self.matches(gate, "registration"), counted)
                    self.assertEqual(self.matches(gate, "connections"), [])

    def test_counts_connections_beyond_the_rate(self):
        """Of each address for itself, and again when it does not stop."""
        peers = ("127.0.0.1", "127.0.0.2")
        for log in ("text", "json"):
            with self.subTest(log):
                gate = self.gate(log, "whitelist = []", rate="1/h")
                for peer in 3 * peers:
                    try:
                        self.client(gate, peer)
                    except (Closed, OSError):
                        pass
                wait_until(lambda gate=gate: sum("repeated" in event for event in gate.events(
                    "refused_connections")) == 2, "it says how often", 20)
                self.assertEqual(self.matches(gate, "connections", *peers),
                                 ["refused_connections connect_rate"] * 4)
                self.assertEqual(self.matches(gate, "registration"), [])


def fields(line: str) -> dict[str, str]:
    if line.startswith("{"):
        return {key: str(value) for key, value in json.loads(line).items()}
    pairs = re.findall(r'([\w.]+)=("(?:[^"\\]|\\.)*"|\S*)', line)
    return {key: json.loads(value) if value.startswith('"') else value for key, value in pairs}


if __name__ == "__main__":
    if shutil.which("fail2ban-regex") is None:
        print("skipped: fail2ban is not installed")
        sys.exit(77)
    main()
