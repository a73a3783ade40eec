#!/usr/bin/python3
"""Private keys and passwords: in no core dump, in no line of the log, and no copy of a key file is left in
memory."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess

from harness.canonical import REGISTER, SASL
from harness.certificates import Certificate, make_certificate
from harness.countries import write_countries
from harness.gate import Gate, host_table, is_sanitized, program
from harness.network import free_port
from harness.processes import wait_until
from harness.raw_client import Closed, RawClient, plain_credentials, stream_header
from harness.recorder import RecordingUpstream
from harness.scenario import Scenario, main

HOST = "secrets.test"
PASSWORD = "correct horse battery"
HEAD = """
[server]
drain = "1s"
log = { level = "debug" }

[limits]
connections_per_address = 20

[registration]
whitelist = []
url = "https://example.org/"
rules = ["rules.toml"]

[[listen]]
address = "127.0.0.1:0"
tls = "direct"

[[listen]]
address = "127.0.0.1:0"
tls = "starttls"

[[listen]]
address = "127.0.0.1:0"
tls = "none"
proxy_protocol_from = ["127.0.0.77"]
"""
RULES = '[lists]\nspam = { file = "spam.txt" }\n[[rule]]\nname = "spam"\nfrom = "@spam"\naction = "refuse"\n'


def join(made: Certificate) -> Certificate:
    """Both in one file."""
    both = made.certificate.with_suffix(".pem")
    both.write_text(made.certificate.read_text() + made.key.read_text())
    return Certificate(both, both)


class Secrets(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.other = make_certificate(cls.folder, "dead.test", kind="rsa")
        cls.joined = join(make_certificate(cls.folder, "joined.test", kind="rsa"))
        cls.upstream = cls.enterClassContext(RecordingUpstream(
            f"<mechanisms xmlns='{SASL}'><mechanism>PLAIN</mechanism>"
            "<mechanism>SCRAM-SHA-1-PLUS</mechanism></mechanisms>"))

    def gate(self, *options: str) -> Gate:
        return self.enterContext(self.configured(*options))

    def configured(self, *options: str) -> Gate:
        self.place = self.temporary_folder()
        (self.place / "rules.toml").write_text(RULES)
        (self.place / "spam.txt").write_text("192.0.2.1\n")
        return Gate(
            self.place, HEAD + host_table(HOST, f"tcp://127.0.0.1:{self.upstream.port}",
                                          self.certificate)
            + host_table("dead.test", f"tls://127.0.0.1:{free_port()}", self.other)
            + host_table("joined.test", f"tcp://127.0.0.1:{self.upstream.port}", self.joined),
            options=options)

    def key_lines(self) -> set[str]:
        return {line for made in (self.certificate, self.other, self.joined)
                for line in made.key.read_text().splitlines() if "-----" not in line}


class Log(Secrets):
    def provoke(self, gate: Gate) -> None:
        """Whatever makes the gate write a line, with secrets in every place where there are some."""
        context = self.certificate.client_context()
        key = self.certificate.key.read_text()
        with RawClient(gate.port("direct")) as client:
            client.wrap(context, HOST)
            client.open(HOST)
            client.ask(f"<iq type='set' id='1'><query xmlns='{REGISTER}'><username>u</username>"
                       f"<password>{PASSWORD}</password></query></iq>")
            client.ask(f"<auth xmlns='{SASL}' mechanism='PLAIN'>"
                       f"{plain_credentials('u', PASSWORD)}</auth>")
        with RawClient(gate.port("direct")) as client:  # a stream error, beside a password
            client.wrap(context, HOST)
            client.open(HOST)
            client.send(f"<auth>{PASSWORD}</wrong>")
            client.until_closed()
        with RawClient(gate.port("direct")) as client:
            client.send(PASSWORD + "\n" + key)  # is no TLS
            client.until_closed()
        with RawClient(gate.port("none"), "127.0.0.77") as client:
            client.send(f"PROXY {PASSWORD}\r\n")
            client.until_closed()
        with RawClient(gate.port("starttls")) as client:
            client.send(stream_header("nobody.test", f" from='{PASSWORD}'"))
            client.until_closed()
        with RawClient(gate.port("none")) as client:
            client.send(stream_header("dead.test"))
            client.until_closed()
        crowd = [RawClient(gate.port("none")) for _ in range(60)]
        for client in crowd:
            client.close()
        self.spoil_files(gate, key)

    def spoil_files(self, gate: Gate, key: str) -> None:
        """Key files where others belong, and others where keys belong."""
        (self.place / "spam.txt").write_text(key)
        wait_until(lambda: gate.events("list"), "it says what it thinks of the list", 10)
        right = gate.config_file.read_text()
        wrong = [right.replace(str(self.certificate.certificate), str(self.certificate.key)),
                 right.replace(f'key = "{self.certificate.key}"', f'key = "{self.other.key}"'),
                 right.replace('"rules.toml"', f'"{self.certificate.key}"'),
                 right + key]
        for count, text in enumerate(wrong, 1):
            gate.config_file.write_text(text)
            gate.process.signal(signal.SIGHUP)
            wait_until(lambda count=count: len(gate.events("reload_failed")) == count, "it fails")
        gate.config_file.write_text(right.replace('"debug"', '"info"'))
        gate.process.signal(signal.SIGHUP)
        wait_until(lambda: gate.events("restart_needed"), "it reloads")

    def test_holds_no_key_and_no_password(self):
        gate = self.gate()
        self.provoke(gate)
        gate.terminate()
        self.assertEqual(gate.process.wait(), 0)
        seen = {event["event"] for event in gate.events() if "event" in event}
        self.assertLessEqual(
            {"configuration", "registration", "stream_error", "session_end", "upstream_failed",
             "upstream_misconfigured", "proxy_header_refused", "refused_connections", "list",
             "list_reloaded", "reload_failed", "restart_needed", "draining", "stopped"}, seen)
        log = gate.process.log()
        for line in self.key_lines():
            self.assertNotIn(line, log)
            self.assertNotIn(line[:24], log)
        for word in (PASSWORD, plain_credentials("u", PASSWORD)):
            self.assertNotIn(word, log)


class Memory(Secrets):
    @staticmethod
    def memory(pid: int):
        """What it has in memory that can be written to, piece by piece."""
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
                open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for first, last, mode in re.findall(r"(?m)^(\w+)-(\w+) (\S+)", maps.read()):
                if mode.startswith("rw"):
                    memory.seek(int(first, 16))
                    try:
                        yield memory.read(int(last, 16) - int(first, 16))
                    except OSError:
                        continue

    def test_the_text_of_a_key_is_wiped(self):
        if is_sanitized():
            self.skipTest("its memory has terabytes, and keeps what was freed")
        gate = self.gate("--core-dumps")  # lets this test look
        gate.process.signal(signal.SIGHUP)  # and is read anew
        wait_until(lambda: gate.events("reloaded"), "it reloads")
        # The files may be read once more just now. What is left behind by that would stay.
        wait_until(lambda: not self.key_lines_in_memory(gate.process.child.pid),
                   "no line of a key file is in memory", 5)

    def key_lines_in_memory(self, pid: int) -> list[str]:
        pieces = list(self.memory(pid))
        self.assertTrue(any(HOST.encode() in piece for piece in pieces), "it looks at nothing")
        return [line for line in self.key_lines()
                if any(line.encode()[:32] in piece for piece in pieces)]


class CoreDumps(Secrets):
    @staticmethod
    def core_limit(gate: Gate) -> str:
        with open(f"/proc/{gate.process.child.pid}/limits", encoding="ascii") as limits:
            return re.search(r"Max core file size +(\S+)", limits.read())[1]

    def setUp(self):
        self.enterContext(unlimited_core())

    def test_are_off(self):
        """Even where the limit is raised from outside (if this user may): the process says no."""
        gate = self.configured()
        child = gate.process.start().child
        self.addCleanup(gate.process.stop)
        wait_until(gate.ready, "the gate is ready")
        self.assertEqual(self.core_limit(gate), "0")
        with contextlib.suppress(PermissionError):
            resource.prlimit(child.pid, resource.RLIMIT_CORE,
                             resource.getrlimit(resource.RLIMIT_CORE))
        self.assertFalse(left_a_dump(child))
        control = self.configured("--core-dumps")
        child = control.process.start().child
        self.addCleanup(control.process.stop)
        wait_until(control.ready, "the gate is ready")
        if not left_a_dump(child):
            print("(this system takes no core dumps)", end=" ", flush=True)

    def test_can_be_switched_on(self):
        if is_sanitized():
            self.skipTest("sanitizers switch core dumps off")
        gate = self.gate("--core-dumps")
        self.assertNotEqual(self.core_limit(gate), "0")

    def test_another_user_may_still_read_its_own_files(self):
        """A process that cannot be dumped owns nothing in /proc; what it needs there it still gets."""
        if os.geteuid() != 0:
            self.skipTest("needs root, to become somebody else")
        place = self.temporary_folder()
        os.chmod(self.folder, 0o755)
        os.chmod(place, 0o755)
        write_countries(place / "countries.mmdb", {"192.0.2.0/24": "SE"})
        (place / "g.toml").write_text(
            f'[server]\ngeoip = "{place}/countries.mmdb"\n[[listen]]\naddress = "127.0.0.1:1"\n'
            'tls = "none"\n' + host_table(HOST, "tcp://127.0.0.1:1", self.certificate,
                                          'url = "https://example.org/"'))
        # The tree may be root's alone.
        copy = shutil.copy(program(), place / "stanzagate")
        done = subprocess.run([copy, "run", "-c", place / "g.toml"], user=65534, timeout=20,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 3, done.stderr)  # port 1 is root's
        self.assertIn("cannot_listen", done.stderr)


def left_a_dump(child: subprocess.Popen) -> bool:
    os.kill(child.pid, signal.SIGABRT)
    status = os.waitpid(child.pid, 0)[1]
    child.returncode = -os.WTERMSIG(status)
    return os.WCOREDUMP(status)


class unlimited_core:
    def __enter__(self):
        self._before = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (self._before[1], self._before[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_CORE, self._before)


if __name__ == "__main__":
    main()
