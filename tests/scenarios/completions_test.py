#!/usr/bin/python3
"""What the shells offer after `stanzagate`: the commands and options that the program has."""

import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness.gate import run_program

FOLDER = Path(__file__).resolve().parents[2] / "packaging/completions"

# Sets COMP_WORDS as bash does, and prints what the function offers.
IN_BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_stanzagate stanzagate "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def commands() -> set[str]:
    text = run_program("--help").stdout.partition("Subcommands:")[2]
    return set(re.findall(r"^  ([a-z-]+) ", text, re.MULTILINE))


def supported() -> set[str]:
    return {name for name in commands()
            if "not supported" not in run_program(name, "--help").stdout}


def options(command: str) -> set[str]:
    return set(re.findall(r"--[a-z-]+", run_program(command, "--help").stdout))


def offered_by_bash(*words: str) -> set[str]:
    done = subprocess.run(["bash", "-c", IN_BASH, "bash", FOLDER / "stanzagate.bash", "stanzagate",
                           *words], capture_output=True, text=True, timeout=30, check=True)
    return set(done.stdout.split("\n")) - {""}


def offered_by_fish(line: str) -> set[str]:
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {FOLDER}/stanzagate.fish; complete -C '{line}'"],
        capture_output=True, text=True, timeout=60, check=True)
    return {found.split("\t")[0] for found in done.stdout.splitlines()}


class Bash(unittest.TestCase):
    def test_commands(self):
        self.assertEqual(offered_by_bash(""), commands() | {"--help", "--version"})
        self.assertEqual(offered_by_bash("ex"), {"explain"})

    def test_options(self):
        for command in supported():
            with self.subTest(command):
                self.assertEqual(offered_by_bash(command, "--"), options(command))

    def test_values(self):
        self.assertEqual(offered_by_bash("explain", "--request", ""), {"get", "set"})
        self.assertEqual(offered_by_bash("explain", "--transport", "w"), {"websocket"})

    def test_files(self):
        here = str(FOLDER / "stanzagate.b")
        whole = {str(FOLDER / "stanzagate.bash")}
        self.assertEqual(offered_by_bash("run", "-c", here), whole)
        self.assertEqual(offered_by_bash("import-prosody", here), whole)


@unittest.skipUnless(shutil.which("fish"), "fish is not installed")
class Fish(unittest.TestCase):
    def test_commands_and_options(self):
        self.assertEqual(offered_by_fish("stanzagate "), commands())
        for command in supported():
            with self.subTest(command):
                self.assertEqual(offered_by_fish(f"stanzagate {command} --"), options(command))


@unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
class Zsh(unittest.TestCase):
    def test_is_right(self):
        subprocess.run(["zsh", "-n", FOLDER / "_stanzagate"], check=True, timeout=30)
        text = (FOLDER / "_stanzagate").read_text()
        for word in commands() | options("explain"):
            self.assertRegex(text, rf"(?<![\w-]){word}(?![\w-])")


if __name__ == "__main__":
    unittest.main(verbosity=2)
