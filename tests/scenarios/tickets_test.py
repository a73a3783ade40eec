#!/usr/bin/python3
"""Session tickets: sealed with keys from a file that several machines share and that changes under
them, or with keys in memory."""

import base64
import os
import signal
import ssl
from pathlib import Path

from harness.certificates import make_certificate
from harness.certified import HOST, Certified
from harness.gate import Gate, run_program
from harness.raw_client import RawClient, stream_header
from harness.raw_upstream import HEADER, read_until
from harness.scenario import main


class TicketKeys(Certified):
    @staticmethod
    def key() -> str:
        return base64.b64encode(os.urandom(80)).decode() + "\n"

    def setUp(self):
        self.mine = make_certificate(self.temporary_folder(), HOST)
        self.contexts = {}
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            self.contexts[version] = context = self.mine.client_context()
            context.minimum_version = context.maximum_version = version

    def connect(self, gate: Gate, context: ssl.SSLContext, session=None) -> tuple[object, bool]:
        """The session of a new connection, and whether it was the given one's."""
        with RawClient(gate.port("direct")) as client:
            client.socket = context.wrap_socket(client.socket, server_hostname=HOST, session=session)
            client.send(stream_header(HOST))
            upstream = self.upstream.accept()
            read_until(upstream, b"version='1.0'>")
            upstream.sendall(HEADER.encode())
            client.header()  # with TLS 1.3 the ticket has come by now
            return client.socket.session, client.socket.session_reused

    def sessions(self, gate: Gate) -> dict:
        return {version: self.connect(gate, context)[0]
                for version, context in self.contexts.items()}

    def resume(self, gate: Gate, sessions: dict) -> set[bool]:
        return {self.connect(gate, self.contexts[version], session)[1]
                for version, session in sessions.items()}

    def replace(self, file: Path, text: str, gates: list[Gate], count: int) -> None:
        new = file.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o600)
        os.replace(new, file)
        for gate in gates:
            self.wait_for_event(gate, "ticket_keys_reloaded", count)

    def test_machines_that_share_a_file(self):
        keys = [self.key() for _ in range(5)]
        files = [self.temporary_folder() / "tickets.keys" for _ in range(2)]
        for file in files:
            file.write_text("# these days\n" + "".join(keys[:3]))
            file.chmod(0o600)
        one, two = (self.gate(self.host(self.files(self.mine)), f'ticket_keys = "{file}"', name)
                    for file, name in zip(files, ("one", "two")))
        held = self.log_in(one)
        old = self.sessions(one)
        self.assertEqual(self.resume(one, old), {True})
        self.assertEqual(self.resume(two, old), {True})
        # The next file is on one of them first; both open what the other seals.
        self.replace(files[0], "".join(keys[1:4]), [one], 1)
        self.assertEqual(self.resume(two, self.sessions(one)), {True})
        self.assertEqual(self.resume(one, self.sessions(two)), {True})
        self.replace(files[1], "".join(keys[1:4]), [two], 1)
        self.assertEqual(self.resume(two, old), {True})
        # The key of the old sessions is not in the next.
        self.replace(files[1], "".join(keys[2:5]), [two], 2)
        self.assertEqual(self.resume(two, old), {False})
        self.assertEqual(self.resume(one, old), {True})
        self.assertTrue(held.lives())
        for gate in one, two:
            self.no_errors(gate)
            self.assert_not_logged(gate.process, "server.ticket_keys")

    def test_a_broken_file_changes_nothing(self):
        file = self.temporary_folder() / "tickets.keys"
        file.write_text(self.key())
        file.chmod(0o600)
        gate = self.gate(self.host(self.files(self.mine)), f'ticket_keys = "{file}"')
        sessions, secret = self.sessions(gate), self.key()
        file.write_text(secret + "# and\n" + secret[8:])
        told = self.wait_for_event(gate, "ticket_keys", level="error")
        self.assertEqual((told["file"], told["line"]), (str(file), "3"))
        self.assertEqual(told["consequence"], "the keys in use stay")
        self.assertEqual(self.resume(gate, sessions), {True})
        self.assertNotIn(secret[8:30], gate.process.log())
        checked = run_program("check", "-c", gate.config_file)
        self.assertEqual(checked.returncode, 1)
        self.assertRegex(checked.stderr, rf"{file}:3:1: error: server.ticket_keys: a key has 80 bytes")

    def test_those_in_memory_outlive_a_reload(self):
        gate = self.gate(self.host(self.files(self.mine)))
        sessions = self.sessions(gate)
        gate.process.signal(signal.SIGHUP)
        self.wait_for_event(gate, "reloaded")
        self.assertEqual(self.resume(gate, sessions), {True})


if __name__ == "__main__":
    main()
