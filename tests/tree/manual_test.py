#!/usr/bin/python3
"""The manual pages do not fall behind: stanzagate.toml(5) names every key of the example with its
default, stanzagate-rules(5) every key of docs/rules.md, stanzagate(1) every option of the program."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs/man"

# Said once, at the place whose keys they repeat.
SAID_ELSEWHERE = {"[host.registration]"}
NO_DEFAULT, REQUIRED = "no default", "required"


def keys_of_example(text: str) -> dict[tuple[str, str], str]:
    """(table, key) -> its default, NO_DEFAULT or REQUIRED"""
    found: dict[tuple[str, str], str] = {}
    table = ""
    required = after_comment = False
    for line in text.splitlines():
        if line.startswith("# ") or not line:
            required = line.startswith("# REQUIRED") or "REQUIRED:" in line or (
                required and after_comment and bool(line))
            after_comment = bool(line)
            continue
        after_comment = False
        written = line.removeprefix("#")
        if written.startswith("["):
            table, is_commented_table = written, line.startswith("#")
        elif match := re.match(r"(\w+) = (.*)", written):
            key, value = match.groups()
            if (table, key) in found or table in SAID_ELSEWHERE:
                continue
            is_default = not line.startswith("#") or (is_commented_table and table == "[http]")
            found[table, key] = REQUIRED if required else value if is_default else NO_DEFAULT
    # the first key of a table that is required as a whole
    found["[host.upstream]", "address"] = REQUIRED
    return found


def keys_of_manual(text: str) -> dict[tuple[str, str], str]:
    found = {}
    table = ""
    for line in text.splitlines():
        if match := re.match(r"## (\[.*\])$", line):
            table = match[1]
        elif match := re.match(r"- \*\*`(\w+)`\*\* \((?:default `(.*?)`|(no default|required).*?)\):",
                               line):
            found[table, match[1]] = match[2] or match[3]
    return found


class Manual(unittest.TestCase):
    def test_every_key_is_named_with_its_default(self):
        example = keys_of_example((ROOT / "config/stanzagate.example.toml").read_text())
        manual = keys_of_manual((MANUAL / "stanzagate.toml.5.md").read_text())
        self.assertGreater(len(example), 35)
        self.maxDiff = None
        self.assertEqual(manual, example)

    def test_every_key_of_a_rule_is_named(self):
        looks_at = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/rules.md").read_text(), re.MULTILINE)
        self.assertGreater(len(looks_at), 8)
        manual = (MANUAL / "stanzagate-rules.5.md").read_text()
        for key in [*looks_at, "name", "action", "delay", "url", "text", "oob", "refusal"]:
            self.assertIn(f"**`{key}`**", manual)

    def test_every_option_is_named(self):
        source = (ROOT / "proxy/main.cpp").read_text()
        options = set(re.findall(r'"(?:-\w,)?(--[a-z-]+)"', source))
        commands = {name for name, what in re.findall(
            r'add_subcommand\(\s*"([a-z-]+)",\s*"([^"]*)"', source) if "not supported" not in what}
        self.assertGreater(len(options), 6)
        self.assertIn("import-prosody", commands)
        manual = (MANUAL / "stanzagate.1.md").read_text()
        for word in sorted(options | commands):
            with self.subTest(word):
                self.assertRegex(manual, rf"`(stanzagate )?{word}`|\*\*`{word}`\*\*")


if __name__ == "__main__":
    unittest.main(verbosity=2)
