#!/usr/bin/python3
"""How the program starts, says what is wrong, and stops."""

import os
import re
import shutil
import signal
import socket
import subprocess
import unittest
from pathlib import Path

from harness.canonical import SASL, stream_error_of
from harness.certificates import make_certificate
from harness.gate import LISTENERS, Gate, host_table, program, run_program
from harness.network import free_port
from harness.processes import wait_until
from harness.raw_client import Closed, RawClient, stream_header
from harness.recorder import RecordingUpstream
from harness.scenario import Scenario, main

HOST = "life.test"


class Lifecycle(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.upstream = cls.enterClassContext(RecordingUpstream())

    def configuration(self, head: str = LISTENERS) -> str:
        upstream = f"tcp://127.0.0.1:{self.upstream.port}"
        return head + host_table(HOST, upstream, self.certificate, 'url = "https://a.example/"')

    def write(self, text: str):
        file = self.temporary_folder() / "stanzagate.toml"
        file.write_text(text)
        return file

    def gate(self, head: str = LISTENERS, env: dict | None = None) -> Gate:
        return self.enterContext(Gate(self.temporary_folder(), self.configuration(head), env=env))

    def negotiating(self, gate: Gate) -> RawClient:
        client = self.enterContext(RawClient(gate.port("direct")))
        client.wrap(self.certificate.client_context(), HOST)
        client.open(HOST)
        return client

    def relaying(self, gate: Gate) -> RawClient:
        client = self.negotiating(gate)
        client.ask(f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>")
        client.restart()
        client.send(stream_header(HOST))
        client.next()
        return client

    def assert_echo(self, client: RawClient, text: str) -> None:
        client.send(text)
        while text.encode() not in client.received:
            client.receive()


class Commands(Lifecycle):
    def test_check_accepts(self):
        done = run_program("check", "-c", self.write(self.configuration()))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.strip() or done.stderr.strip(), "no summary")
        self.assertNotIn("error:", done.stderr)

    def test_check_reports_every_error_with_its_place(self):
        file = self.write("[limits]\nstanza_size = 12\nstanza_dept = 3\n" + self.configuration())
        done = run_program("check", "-c", file)
        self.assertEqual(done.returncode, 1)
        for line in (2, 3):
            self.assertRegex(done.stderr, rf"(?m)^{re.escape(str(file))}:{line}:\d+: error: \S")
        self.assertIn("stanza_depth", done.stderr)  # the nearest key
        self.assertEqual(run_program("run", "-c", file).returncode, 1)

    def test_check_of_no_file(self):
        for command in ("check", "run"):
            done = run_program(command, "-c", self.folder / "absent.toml")
            self.assertEqual(done.returncode, 1)
            self.assertIn("absent.toml", done.stderr)

    def test_check_serves_nothing(self):
        port = free_port()
        head = f'[[listen]]\naddress = "127.0.0.1:{port}"\ntls = "direct"\n'
        with socket.create_server(("127.0.0.1", port)):
            done = run_program("check", "-c", self.write(self.configuration(head)))
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_wrong_command_lines(self):
        for arguments in (["serve"], ["run", "--nonsense"], ["check", "-c"], []):
            with self.subTest(arguments=arguments):
                done = run_program(*arguments)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertTrue(done.stderr.strip())

    def test_no_such_command(self):
        done = run_program("nosuch")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, 'stanzagate: there is no command "nosuch"; there are run, '
                                      "check, explain, import-prosody and status\n")
        self.assertIn('did you mean "check"?', run_program("chekc").stderr)

    def test_explain_a_host_that_is_not_served(self):
        file = self.write(self.configuration())
        for more in ((), ("--json",)):
            done = run_program("explain", "-c", file, "--host", "nobody.example", "--from",
                               "192.0.2.1", *more)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("default", done.stdout)
            self.assertRegex(done.stderr, "warning: --host: .*nobody.example.* host-unknown")
        for host in ("", "user@", "."):
            done = run_program("explain", "-c", file, f"--host={host}", "--from", "192.0.2.1")
            self.assertEqual((done.returncode, done.stdout), (2, ""), host)
            self.assertTrue(done.stderr.strip())

    def test_version_and_help(self):
        version = run_program("--version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"\d+\.\d+\.\d+")
        usage = run_program("--help")
        self.assertEqual(usage.returncode, 0)
        for command in ("run", "check", "explain"):
            self.assertIn(command, usage.stdout)

    def test_output_that_cannot_be_written(self):
        file = self.write(self.configuration())
        prosody = self.temporary_folder() / "prosody.cfg.lua"
        prosody.write_text('VirtualHost "a.test"\n')
        asked = ["explain", "-c", file, "--host", HOST, "--from", "192.0.2.1"]
        for arguments in (["check", "-c", file], asked, ["import-prosody", prosody],
                          ["--version"], ["--help"]):
            with self.subTest(arguments=arguments), open("/dev/full", "w") as full:
                done = subprocess.run([program(), *map(str, arguments)], stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=30)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn("stanzagate: the output cannot be written to standard output",
                              done.stderr)
                if not arguments[0].startswith("--"):  # whose end of the line is a flush
                    self.assertIn("output: No space left on device", done.stderr)
        with open("/dev/full", "w") as full:  # what was wrong before stays the reason
            done = subprocess.run([program(), "check", "-c", str(self.folder / "absent.toml")],
                                  stdout=full, stderr=subprocess.PIPE, timeout=30)
            self.assertEqual(done.returncode, 1)

    def test_busy_port(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            head = f'[[listen]]\naddress = "{address}"\ntls = "direct"\n'
            done = run_program("run", "-c", self.write(self.configuration(head)))
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn(address, done.stderr)

    def test_second_gate_on_the_same_port(self):
        address = f"127.0.0.1:{self.gate().port('direct')}"
        head = f'[[listen]]\naddress = "{address}"\ntls = "direct"\n'
        done = run_program("run", "-c", self.write(self.configuration(head)))
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(address, done.stderr)

    def test_descriptors(self):
        """As many as it may have; and it says so where these are too few."""
        file = self.write(self.configuration("[limits]\nconnections = 2000\n" + LISTENERS))
        limited = ["prlimit", "--nofile=512:1024"]
        checked = subprocess.run([*limited, program(), "check", "-c", file], check=True,
                                 capture_output=True, text=True)
        self.assertRegex(checked.stderr, r":1:1: warning: limits.connections: 2000 need .* 1024")
        gate = Gate(self.temporary_folder(), file.read_text())
        gate.process.argv[:0] = limited
        with gate:
            limits = Path(f"/proc/{gate.process.child.pid}/limits").read_text()
            self.assertRegex(limits, r"(?m)^Max open files +1024 +1024 ")
            self.assert_logged(gate.process, "limits.connections: 2000 need")

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to become somebody else")
    def test_too_few_threads(self):
        place = self.temporary_folder()
        for folder in (self.folder, place):
            folder.chmod(0o755)
        file = place / "gate.toml"
        file.write_text(self.configuration("[server]\nworkers = 64\n" + LISTENERS.replace(
            "[server]", "")))
        # The tree may be root's alone.
        copy = shutil.copy(program(), place / "stanzagate")
        done = subprocess.run(["prlimit", "--nproc=40", copy, "run", "-c", file], timeout=30,
                              user=54321, group=54321, extra_groups=[], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("event=cannot_start reason=\"threads: ", done.stderr)

    def test_tells_systemd(self):
        path = str(self.temporary_folder() / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.bind(path)
            supervisor.settimeout(20)
            gate = self.gate(env={"NOTIFY_SOCKET": path})
            self.assertIn(b"READY=1", supervisor.recv(4096))
            gate.terminate()
            said = b""
            while b"STOPPING=1" not in said:
                said = supervisor.recv(4096)
            self.assertEqual(gate.process.wait(), 0)


class Stopping(Lifecycle):
    def test_idle_gate_ends_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            gate = self.gate(self.patient())
            gate.process.signal(number)
            self.assertEqual(gate.process.wait(5), 0)

    @staticmethod
    def patient() -> str:
        """Would wait far longer than any of these tests."""
        return LISTENERS.replace('"1s"', '"10m"')

    def test_draining(self):
        """A negotiating client is told; a relaying one goes on to its end, and nobody new comes."""
        gate = self.gate(self.patient())
        negotiating, relaying = self.negotiating(gate), self.relaying(gate)
        self.assert_echo(relaying, "<message id='before'/>")
        port = gate.port("direct")
        gate.terminate()
        self.assertEqual(stream_error_of(negotiating.next()), "system-shutdown")
        with self.assertRaises(Closed):
            negotiating.next()
        negotiating.close()
        self.assert_nobody_new(port)
        self.assert_echo(relaying, "<message id='while draining'/>")
        self.assertTrue(gate.process.running())
        relaying.close()
        self.assertEqual(gate.process.wait(10), 0)

    def assert_nobody_new(self, port: int) -> None:
        def refused() -> bool:
            with socket.socket() as late:
                late.settimeout(5)
                return late.connect_ex(("127.0.0.1", port)) != 0

        wait_until(refused, "a draining gate takes no connections", 5)

    def test_drain_passes(self):
        gate = self.gate()
        relaying = self.relaying(gate)
        gate.terminate()
        self.assertEqual(gate.process.wait(10), 0)
        self.assertNotIn(b"</stream:stream>", relaying.until_closed())  # not ours to say

    def test_second_signal_ends_at_once(self):
        gate = self.gate(self.patient())
        negotiating, relaying = self.negotiating(gate), self.relaying(gate)
        gate.terminate()
        self.assertEqual(stream_error_of(negotiating.next()), "system-shutdown")
        self.assertTrue(gate.process.running())
        gate.terminate()
        self.assertEqual(gate.process.wait(5), 0)
        relaying.until_closed()


if __name__ == "__main__":
    main()
