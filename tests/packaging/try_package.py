#!/usr/bin/python3
"""Tries the package as a new operator would: on a bare Debian 12 that boots with systemd, every command of
docs/first-hour.md is run in order, and has to print what the page shows.

try_package.py PACKAGE.deb [FOLDER]    FOLDER keeps what was fetched for the next time

It needs root, systemd-nspawn, mmdebstrap and a Debian mirror. The machine that it boots is a folder with
namespaces of its own: its network is a loopback interface and nothing else, so what it installs is fetched
before. Exit code 77, and why, where this machine cannot do it.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/scenarios"))

from harness.documents import blocks, commands, is_as_shown, pages  # noqa: E402
from harness.processes import wait_until  # noqa: E402

PAGE = "docs/first-hour.md"
# What the page installs with apt, besides the package: fetched before, for the machine has no network.
FETCHED = ("prosody", "openssl", "curl", "python3-slixmpp")
SKIPPED = 77
FRESH_FOR = 7 * 86400  # seconds that the fetched system is used again

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
               "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_PAGER": "cat"}


class CannotTry(Exception):
    """This machine is not made for it."""


def say(text: str) -> None:
    print(text, flush=True)


def run(*command, **options) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise CannotTry(f"{command[0]} ended with {done.returncode}:\n"
                        f"{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def fetch_system(folder: Path, package: Path) -> Path:
    """A bare Debian 12 as an archive, and in it the packages that the page will install."""
    depends = run("dpkg-deb", "--field", package, "Depends")
    what = hashlib.sha256((depends + " ".join(FETCHED)).encode()).hexdigest()[:12]
    archive = folder / f"debian-12-{what}.tar"
    if archive.exists() and time.time() - archive.stat().st_mtime < FRESH_FOR:
        return archive
    say("== fetching a bare Debian 12, and what the page installs with apt")
    # Of priority required and important, as debootstrap makes it, and what logind waits for.
    into_root = 'cp /etc/resolv.conf "$1/etc/resolv.conf"'
    # mmdebstrap leaves out what is recommended, an operator's apt does not.
    apt = 'chroot "$1" apt-get -q -y -o APT::Install-Recommends=true '
    fetch = apt + "update && " + apt + "install --download-only /tmp/package.deb " + " ".join(FETCHED)
    run("mmdebstrap", "--variant=debootstrap", "--include=dbus", "--dpkgopt=force-unsafe-io",
        "--skip=cleanup/apt", "--skip=cleanup/tmp", "--format=tar",
        f"--customize-hook={into_root}",
        f"--customize-hook=copy-in {package.parent}/package.deb /tmp",
        f"--customize-hook={fetch}", "--customize-hook=rm $1/tmp/package.deb",
        "bookworm", archive.with_suffix(".new"))
    archive.with_suffix(".new").rename(archive)
    return archive


class Machine:
    """The folder, booted. A context manager."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.console = folder.parent / "console.log"
        self.child: subprocess.Popen | None = None
        self.first = 0  # the process that is number 1 in there

    def __enter__(self) -> "Machine":
        command = ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.folder}",
                   "--private-network", "--register=no", "--keep-unit", "--console=pipe",
                   "--hostname=gate", "--link-journal=no"]
        with self.console.open("wb") as console:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console,
                                          stderr=subprocess.STDOUT)
        try:
            wait_until(self._find_first, "the machine has a first process", 30)
            wait_until(lambda: self.run("systemctl is-system-running --wait")[1].strip()
                       in ("running", "degraded"), "the machine is up", 90)
        except (RuntimeError, TimeoutError) as problem:
            self.__exit__()
            console = self.console.read_text(errors="replace")[-3000:]
            raise CannotTry(f"systemd does not boot here: {problem}\n{console}") from problem
        return self

    def __exit__(self, *_) -> None:
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)  # which nspawn takes for: power off
            try:
                self.child.wait(30)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def _find_first(self) -> bool:
        if self.child.poll() is not None:
            raise RuntimeError(f"systemd-nspawn ended with {self.child.returncode}")
        for task in Path(f"/proc/{self.child.pid}/task").iterdir():
            children = (task / "children").read_text().split()
            for pid in children:
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                if name in ("systemd", "init"):
                    self.first = int(pid)
                    return True
        return False

    def run(self, command: str) -> tuple[int, str]:
        """As root on that machine: exit code, and what it prints on both streams."""
        enter = ["nsenter", f"--target={self.first}", "--mount", "--uts", "--ipc", "--net", "--pid",
                 "--cgroup", "--root", "--wdns=/root", "bash", "-c", command]
        done = subprocess.run(enter, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, env=ENVIRONMENT,
                              errors="replace")
        return done.returncode, done.stdout


def try_renewal(machine: Machine) -> int:
    """The hook that the documents give to certbot, run as certbot runs it. 1 where it fails."""
    hook, = (block.text for page in pages() for block in blocks(page)
             if block.text.startswith("#!/bin/sh") and "RENEWED_LINEAGE" in block.text)
    folder, file = "/etc/letsencrypt/live/example.org", "/etc/letsencrypt/renewal-hooks/deploy/stanzagate"
    code, printed = machine.run(
        f"set -e; mkdir -p {folder} {os.path.dirname(file)}\n"
        f"cp fullchain.pem privkey.pem {folder}; rm /etc/stanzagate/certificates/*\n"
        f"cat > {file} <<'HOOK'\n{hook}\nHOOK\nchmod +x {file}\n"
        f"since=$(date +@%s); RENEWED_LINEAGE={folder} {file}\n"
        "test \"$(stat -c '%a %U %G' /etc/stanzagate/certificates/privkey.pem)\" = '640 root stanzagate'\n"
        "journalctl -u stanzagate --since $since -o cat -g event=reloaded")
    say(f"\na renewed certificate is taken by the documents' hook: exit code {code}\n{printed.rstrip()}")
    return int(code != 0)


def try_page(machine: Machine) -> int:
    """How many commands did not print what the page shows."""
    wrong = 0
    begun = time.monotonic()
    for block in blocks(PAGE):
        if "apt-get remove" in block.text:
            wrong += try_renewal(machine)
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
        say(f"== booting it, and following {PAGE}")
        wrong = try_page(stack.enter_context(Machine(machine)))
    say(f"== {wrong} commands did not print what the page shows" if wrong
        else "== every command printed what the page shows")
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
