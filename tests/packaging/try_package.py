#!/usr/bin/python3
"""Tries the package as operators would, on a bare Debian 12 that boots with systemd.

First every command of docs/first-hour.md is run in order, and has to print what the page shows; then,
with a Prosody that has mod_register_redirect, those of docs/moving-from-mod_register_redirect.md.

try_package.py PACKAGE.deb [FOLDER]    FOLDER keeps what was fetched for the next time

It needs root, systemd-nspawn, mmdebstrap and a Debian mirror. The machine is a folder with namespaces of
its own: its network is a loopback interface and nothing else, so what it installs is fetched before. Exit
code 77, and why, where this machine cannot do it.
"""

import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/scenarios"))

from harness.documents import blocks, commands, is_as_shown  # noqa: E402
from machine import CannotTry, Machine, fetch_system, run, say  # noqa: E402

FIRST_HOUR = "docs/first-hour.md"
MOVING = "docs/moving-from-mod_register_redirect.md"
SKIPPED = 77


def follow_first_hour(machine: Machine) -> int:
    """How many commands did not print what the page shows."""
    wrong = 0
    begun = time.monotonic()
    for block in blocks(FIRST_HOUR):
        for command in commands(block.text) if block.tag == "sh" else []:
            started = time.monotonic()
            code, printed = machine.run(command.text)
            took = time.monotonic() - started
            say(f"\n[{started - begun:6.1f} s, took {took:.1f} s] $ {command.text}\n{printed.rstrip()}")
            if not is_as_shown(command.shown, printed.splitlines()):
                wrong += 1
                say(f"!! {block} shows (exit code {code}):\n" + "\n".join(command.shown))
    say(f"\nall of it took {time.monotonic() - begun:.0f} s of the machine's time")
    return wrong


# A Prosody as the page has it, with what the first hour left: ask.py and a certificate.
BEFORE_MOVING = r"""
apt-get install -y prosody-modules ./stanzagate_*.deb
rm /etc/prosody/conf.d/behind-the-gate.cfg.lua
cat > /etc/prosody/conf.d/example.org.cfg.lua <<'END'
VirtualHost "example.org"
    allow_registration = true
    modules_enabled = { "register_redirect" }
    registration_whitelist = { "192.0.2.7" }
    registration_url = "https://example.org/register"
END
install -m 640 -g prosody fullchain.pem /etc/prosody/certs/example.org.crt
install -m 640 -g prosody privkey.pem /etc/prosody/certs/example.org.key
systemctl restart prosody
sleep 1
python3 ask.py"""
# What the page says in words, before the step of that number.
IN_WORDS = {
    "3": r"""
install -m 640 -g stanzagate /etc/prosody/certs/example.org.* /etc/stanzagate/certificates/
sed -i -e 's#/etc/prosody/certs/example#certificates/example#' \
    -e 's#^upstream .*#upstream = "tcp://127.0.0.1:15222"#' /etc/stanzagate/stanzagate.toml
stanzagate check""",
    "4": r"""
sed -i '/register_redirect/d; /registration_/d' /etc/prosody/conf.d/example.org.cfg.lua
cat > /etc/prosody/conf.d/behind-the-gate.cfg.lua <<'END'
{prosody}
END""",
    "5": r"""
sleep 1
python3 ask.py
ss -tlnp | grep ':5222 .*stanzagate'""",
}
AFTER_MOVING_BACK = r"""
sleep 1
python3 ask.py
ss -tlnp | grep ':5222 .*lua'"""


def move(machine: Machine) -> int:
    """How many steps of the page did not end well."""
    prosody = next(block.text for block in blocks("docs/servers.md") if block.tag == "lua")
    steps = [("before", BEFORE_MOVING)]
    for block in blocks(MOVING):
        if block.tag == "sh":
            in_words = IN_WORDS.get(block.heading.partition(".")[0])
            if in_words:
                steps.append(("in words", in_words.replace("{prosody}", prosody)))
            steps.append((str(block), block.text))
    steps.append(("and back", AFTER_MOVING_BACK))
    wrong = 0
    for name, text in steps:
        code, printed = machine.run("set -eo pipefail\n" + text)
        say(f"\n[{name}: exit code {code}]\n{text}\n--- printed:\n{printed.rstrip()}")
        wrong += int(code != 0)
    return wrong


def main(package: Path, keep: Path | None) -> int:
    if os.geteuid() != 0:
        raise CannotTry("only root can boot a machine")
    missing = [tool for tool in ("systemd-nspawn", "mmdebstrap", "nsenter") if not shutil.which(tool)]
    if missing:
        raise CannotTry(f"not there: {' '.join(missing)}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stanzagate-try-")))
        shutil.copy(package, folder / "package.deb")
        keep = keep or folder
        keep.mkdir(parents=True, exist_ok=True)
        archive = fetch_system(keep, folder / "package.deb")
        machine = folder / "machine"
        machine.mkdir()
        run("tar", "--extract", "--numeric-owner", "--xattrs", f"--file={archive}",
            f"--directory={machine}")
        shutil.copy(package, machine / "root" / package.name)
        say(f"== booting it, and following {FIRST_HOUR}")
        booted = stack.enter_context(Machine(machine))
        wrong = follow_first_hour(booted)
        say(f"== following {MOVING}")
        wrong += move(booted)
    say(f"== {wrong} commands did not do what the pages say" if wrong
        else "== every command did what the pages say")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else None))
    except CannotTry as reason:
        print(f"skipped: {reason}", file=sys.stderr)
        sys.exit(SKIPPED)
