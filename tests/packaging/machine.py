"""A bare Debian 12 in a folder, booted with systemd in namespaces of its own, without a network."""

import hashlib
import signal
import subprocess
import time
from pathlib import Path

from harness.processes import wait_until

# What the pages install with apt, besides the package: fetched before, for the machine has no network.
FETCHED = ("prosody", "prosody-modules", "openssl", "curl", "python3-slixmpp")
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
    say("== fetching a bare Debian 12, and what the pages install with apt")
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
        enter = ["timeout", "180", "nsenter", f"--target={self.first}", "--mount", "--uts", "--ipc",
                 "--net", "--pid", "--cgroup", "--root", "--wdns=/root", "bash", "-c", command]
        done = subprocess.run(enter, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT, errors="replace")
        return done.returncode, done.stdout
