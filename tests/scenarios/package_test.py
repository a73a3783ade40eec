#!/usr/bin/python3
"""The Debian package: what is in it, what its scripts do, and what is left after it.

It is made of the build of the program under test, and installed by the real dpkg into an empty folder:
the package's scripts get that folder as DPKG_ROOT, and nothing of this machine is touched.
"""

import os
import shutil
import stat
import subprocess
import sys
import unittest
from pathlib import Path

from harness.certificates import make_certificate
from harness.gate import Gate, program
from harness.scenario import Scenario, main

TOOLS = ("cpack", "lowdown", "dpkg", "dpkg-shlibdeps", "systemd-sysusers", "systemd-tmpfiles",
         "systemd-analyze")
CONFIGURATION = "etc/stanzagate/stanzagate.toml"
UNIT = "lib/systemd/system/stanzagate.service"
SOCKET_UNIT = "lib/systemd/system/stanzagate.socket"

# The README's, with ports that are free.
TEN_LINES = """
[[listen]]
address = ["127.0.0.1:0", "[::1]:0"]

[[host]]
name        = "example.org"
certificate = "{certificate}"
key         = "{key}"
upstream    = {{ address = "tcp://192.0.2.10:15222", proxy_protocol = "v2" }}

[registration]
whitelist = ["192.0.2.0/24"]
url       = "https://example.org/register"
"""


def run(*command, **options) -> subprocess.CompletedProcess:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=150, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n"
                             f"{done.stdout}{done.stderr}")
    return done


def cpack_config() -> Path:
    return Path(program()).resolve().parent / "CPackConfig.cmake"


def traces_on_this_machine() -> list[str]:
    """What would be here if a script of the package had not kept to its folder."""
    accounts = [f"{file}: {line}" for file in ("/etc/passwd", "/etc/group")
                for line in Path(file).read_text().splitlines() if line.startswith("stanzagate:")]
    files = ("/etc/stanzagate", "/usr/bin/stanzagate", "/lib/systemd/system/stanzagate.service")
    return accounts + [file for file in files if os.path.lexists(file)]


class Package(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        run("cpack", "-G", "DEB", "--config", cpack_config(), "-B", cls.folder / "cpack")
        cls.package, = (cls.folder / "cpack").glob("*.deb")

    def setUp(self):
        self.root = self.temporary_folder()
        # What dpkg and the scripts expect of a system.
        for folder in ("etc", "var/lib/dpkg/info", "var/lib/dpkg/updates"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").touch()
        (self.root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (self.root / "etc/group").write_text("root:x:0:\n")
        self.before = self.files()
        machine = traces_on_this_machine()
        self.addCleanup(lambda: self.assertEqual(traces_on_this_machine(), machine))

    def dpkg(self, *arguments) -> None:
        run("dpkg", f"--root={self.root}", "--force-script-chrootless", "--force-depends",
            f"--log={self.root}/dpkg.log", *arguments)

    def install(self) -> None:
        self.dpkg("--install", self.package)

    def files(self) -> set[str]:
        """All below the root but dpkg's own, and what systemd-sysusers keeps."""
        found = {path.relative_to(self.root).as_posix() for path in self.root.rglob("*")}
        own = ("var/lib/dpkg", "dpkg.log", "etc/passwd", "etc/group", "etc/shadow", "etc/gshadow",
               "etc/.pwd.lock", "etc/subuid", "etc/subgid")
        return {file for file in found if not file.startswith(own)}

    def state(self, path: str) -> tuple[int, int, int]:
        """(mode, user, group)"""
        found = (self.root / path).lstat()
        return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid

    def account(self, file: str) -> list[str]:
        lines = (self.root / "etc" / file).read_text().splitlines()
        return next(line.split(":") for line in lines if line.startswith("stanzagate:"))

    def test_installs_with_the_right_owners_and_modes(self):
        self.install()
        user = self.account("passwd")
        self.assertLess(int(user[2]), 1000, "it is a user of the system")
        self.assertTrue(user[6].endswith("/nologin"), user)
        for path, mode in (("usr/bin/stanzagate", 0o755), (CONFIGURATION, 0o644), (UNIT, 0o644),
                           (SOCKET_UNIT, 0o644), ("etc/stanzagate", 0o755),
                           ("usr/lib/sysusers.d/stanzagate.conf", 0o644),
                           ("usr/lib/tmpfiles.d/stanzagate.conf", 0o644),
                           ("usr/share/bash-completion/completions/stanzagate", 0o644),
                           ("usr/share/zsh/vendor-completions/_stanzagate", 0o644),
                           ("usr/share/fish/vendor_completions.d/stanzagate.fish", 0o644),
                           ("usr/share/doc/stanzagate/copyright", 0o644),
                           ("usr/share/doc/stanzagate/examples/rules/invite-only.toml", 0o644),
                           ("usr/share/man/man1/stanzagate.1.gz", 0o644),
                           ("usr/share/man/man5/stanzagate.toml.5.gz", 0o644),
                           ("usr/share/man/man5/stanzagate-rules.5.gz", 0o644)):
            with self.subTest(path):
                self.assertEqual(self.state(path), (mode, 0, 0))
        group = int(self.account("group")[2])
        self.assertEqual(self.state("etc/stanzagate/certificates"), (0o750, 0, group))
        self.assertNotIn("etc/systemd/system/multi-user.target.wants/stanzagate.service",
                         self.files(), "it is not started before it is configured")

    def test_its_program_takes_its_configuration_once_certificates_are_there(self):
        self.install()
        installed = self.root / "usr/bin/stanzagate"
        configuration = self.root / CONFIGURATION
        done = subprocess.run([installed, "check", "-c", configuration], capture_output=True,
                              text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        errors = [line for line in done.stderr.splitlines() if " error: " in line]
        self.assertTrue(errors and all(".pem" in line for line in errors), done.stderr)

        made = make_certificate(self.folder, "example.org")
        shutil.copy(made.certificate, configuration.parent / "fullchain.pem")
        shutil.copy(made.key, configuration.parent / "privkey.pem")
        self.assertIn(": ok:", run(installed, "check", "-c", configuration).stdout)

    def test_its_program_runs(self):
        self.install()
        made = make_certificate(self.folder, "example.org")
        text = TEN_LINES.format(certificate=made.certificate, key=made.key)
        gate = Gate(self.temporary_folder(), text)
        gate.process.argv[0] = str(self.root / "usr/bin/stanzagate")
        with gate:
            self.assertEqual(len(gate.events("listening")), 2)

    def test_its_unit_is_right(self):
        self.install()
        unit = self.folder / "stanzagate.service"
        # verify looks for programs on this machine
        text = (self.root / UNIT).read_text()
        unit.write_text(text.replace("/usr/bin/", f"{self.root}/usr/bin/"))
        sockets = unit.with_suffix(".socket")
        shutil.copy(self.root / SOCKET_UNIT, sockets)
        done = run("systemd-analyze", "verify", "--man=no", unit, sockets,
                   env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
        about_it = [line for line in (done.stdout + done.stderr).splitlines()
                    if "stanzagate" in line]
        self.assertEqual(about_it, [])
        # what it may do is little, and stays so
        run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)

    def test_removal_leaves_the_configuration_and_purging_nothing(self):
        self.install()
        edited = self.root / CONFIGURATION
        edited.write_text(edited.read_text() + "# mine\n")
        self.dpkg("--remove", "stanzagate")
        self.assertEqual(self.files() - self.before, {"etc/stanzagate", CONFIGURATION})
        self.install()
        self.assertIn("# mine", edited.read_text(), "an upgrade keeps what was edited")
        # what `systemctl enable` makes
        for wanted_by, unit in (("multi-user", UNIT), ("sockets", SOCKET_UNIT)):
            wants = self.root / f"etc/systemd/system/{wanted_by}.target.wants"
            wants.mkdir(parents=True)
            (wants / Path(unit).name).symlink_to(f"/{unit}")
        self.dpkg("--purge", "stanzagate")
        self.assertEqual([file for file in self.files() - self.before if "stanzagate" in file], [])

    def test_purging_spares_certificates_of_the_operator(self):
        self.install()
        key = self.root / "etc/stanzagate/certificates/privkey.pem"
        key.write_text("a key\n")
        self.dpkg("--purge", "stanzagate")
        self.assertEqual(key.read_text(), "a key\n")

    @unittest.skipUnless(shutil.which("lexgrog"), "man-db is not installed")
    def test_its_manual_pages_are_found_by_what_they_are_about(self):
        self.install()
        pages = sorted((self.root / "usr/share/man").rglob("*.gz"))
        self.assertEqual(len(pages), 3)
        for page in pages:
            with self.subTest(page.name):
                name = page.name.removesuffix(".gz").rpartition(".")[0]
                self.assertIn(f'"{name} - ', run("lexgrog", page).stdout)


if __name__ == "__main__":
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0:
        print("skipped: only root can install with the right owners")
        sys.exit(77)
    if missing or not cpack_config().exists():
        print("skipped: not there:", *missing, "" if cpack_config().exists() else cpack_config())
        sys.exit(77)
    main()
