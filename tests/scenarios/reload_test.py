#!/usr/bin/python3
"""SIGHUP: a new configuration takes the place of the old one in one step, or not at all."""

import os
import signal
import socket
import ssl
import threading

from harness.canonical import SASL
from harness.certificates import Certificate, make_certificate
from harness.gate import Gate
from harness.network import accepts, free_port
from harness.processes import wait_until
from harness.raw_client import RawClient
from harness.ruled import GET, HOST, Ruled
from harness.scenario import main

AUTH = f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>"
REFUSE = '[[rule]]\nname = "no"\naction = "refuse"\n'
FORWARD = '[[rule]]\nname = "yes"\naction = "forward"\n'


def doors(*ports: int, tls: str = "direct") -> str:
    return '[server]\ndrain = "1s"\n' + "".join(
        f'[[listen]]\naddress = "127.0.0.1:{port}"\ntls = "{tls}"\n' for port in ports)


class Reload(Ruled):
    def replace(self, name: str, text: str) -> None:
        (self.place / "new").write_text(text)
        os.replace(self.place / "new", self.place / name)

    def reload(self, gate: Gate) -> str:
        """The event that ends it: `reloaded` or `reload_failed`."""
        def ends() -> list[str]:
            return [event["event"] for event in gate.events()
                    if event.get("event") in ("reloaded", "reload_failed")]

        before = len(ends())
        gate.process.signal(signal.SIGHUP)
        wait_until(lambda: len(ends()) > before, "the gate ends reloading")
        return ends()[-1]

    def at(self, port: int, certificate: Certificate | None = None) -> RawClient:
        """An open stream at a door."""
        client = self.enterContext(RawClient(port))
        client.wrap((certificate or self.certificate).client_context(), HOST)
        client.open(HOST)
        return client

    def log_in(self, client: RawClient) -> RawClient:
        client.ask(AUTH)
        client.open(HOST)
        self.assert_echo(client, "<message id='logged in'/>")
        return client

    def assert_echo(self, client: RawClient, text: str) -> None:
        client.send(text)
        while text.encode() not in client.received:
            client.receive()

    def assert_refuses_connections(self, port: int) -> None:
        wait_until(lambda: not accepts(port), f"port {port} is closed", 5)


class Configurations(Reload):
    def test_rules_on_open_streams(self):
        gate = self.ruled(REFUSE)
        client = self.client(gate)
        self.assert_refused(client.ask(GET))
        self.replace("rules.toml", FORWARD)
        self.assertEqual(self.reload(gate), "reloaded")
        self.assert_form(client.ask(GET))
        self.assertEqual(gate.events("reloaded")[0]["file"], str(gate.config_file))

    def test_a_broken_configuration_changes_nothing(self):
        gate = self.ruled(REFUSE)
        client, right = self.client(gate), gate.config_file.read_text()
        rules = self.place / "rules.toml"
        broken = [
            ("rules.toml", FORWARD + "\nactoin = 1\n", rules, ("5", "1"), "action"),
            ("rules.toml", FORWARD + "[[rule]\n", rules, ("4", None), ""),
            (gate.config_file.name, right + "\n[server]\n", gate.config_file, (None, None), ""),
            (gate.config_file.name, right.replace('drain = "1s"', "drain = 1"), gate.config_file,
             ("3", None), "drain"),
            (gate.config_file.name, right.replace(".crt", ".gone"), gate.config_file,
             (None, None), ".gone"),
        ]
        for number, (name, text, file, (line, column), words) in enumerate(broken):
            with self.subTest(text=text[-40:]):
                self.replace(name, text)
                self.assertEqual(self.reload(gate), "reload_failed")
                errors = [event for event in gate.events("configuration")
                          if event["level"] == "error"]
                self.assertGreater(len(errors), number)
                self.assertEqual(errors[-1]["file"], str(file))
                self.assertEqual(errors[-1]["line"], line or errors[-1]["line"])
                self.assertEqual(errors[-1]["column"], column or errors[-1]["column"])
                self.assertIn(words, errors[-1]["message"])
                self.assert_refused(client.ask(GET))
                self.assert_refused(self.ask(gate))
                self.replace("rules.toml", REFUSE)
                self.replace(gate.config_file.name, right)
        self.replace("rules.toml", FORWARD)
        self.assertEqual(self.reload(gate), "reloaded")
        self.assert_form(client.ask(GET))

    def test_a_configuration_that_is_gone(self):
        gate = self.ruled(REFUSE)
        os.rename(gate.config_file, self.place / "elsewhere")
        self.assertEqual(self.reload(gate), "reload_failed")
        self.assert_refused(self.ask(gate))

    def test_what_needs_a_restart(self):
        gate = self.ruled(REFUSE)
        text = gate.config_file.read_text()

        def told(server: str) -> list[str]:
            before = len(gate.events("restart_needed"))
            gate.config_file.write_text(text.replace("[server]", "[server]\n" + server))
            self.assertEqual(self.reload(gate), "reloaded")
            return [event["key"] for event in gate.events("restart_needed")[before:]]

        both = 'workers = 7\nlog = { level = "debug" }'
        self.assertEqual(told(both), ["server.workers", "server.log"])
        self.assertEqual(told(both), ["server.workers", "server.log"], "it still waits")
        self.assertEqual(told("workers = 7"), ["server.workers"])
        self.assertEqual(told(""), [], "it is what runs")

    def test_a_quota_survives(self):
        rules = '[[rule]]\nname = "one"\nquota = { count = 1, per = "1h", by = "all" }\n' \
                'action = "forward"\n'
        gate = self.ruled(rules)
        good = GET.replace("'get'", "'set'").replace("/></iq>", "><username>good</username>"
                                                     "</query></iq>")
        self.assertEqual(self.ask(gate, request=good).get("type"), "result")
        self.replace("rules.toml", FORWARD.replace("yes", "other").replace(
            'action', 'from = "192.0.2.1"\naction') + rules)
        self.assertEqual(self.reload(gate), "reloaded")
        self.assert_refused(self.ask(gate, request=good))

    def test_a_host_that_is_gone(self):
        """Who is logged in stays; nobody new comes in, and those in between get no account."""
        gate = self.ruled(FORWARD)
        there, between = self.log_in(self.client(gate)), self.client(gate)
        text = gate.config_file.read_text()
        gate.config_file.write_text(text.replace(f'name = "{HOST}"', 'name = "new.test"'))
        self.assertEqual(self.reload(gate), "reloaded")
        self.assert_redirected(between.ask(GET))
        self.assert_echo(there, "<message id='still here'/>")
        self.assert_decided(gate, rule="default", action="redirect")


class Doors(Reload):
    def test_added_removed_and_kept(self):
        kept, removed, added = (free_port() for _ in range(3))
        gate = self.ruled(FORWARD, head=doors(kept, removed))
        on_kept, on_removed = (self.log_in(self.at(port)) for port in (kept, removed))
        half = self.enterContext(RawClient(kept))  # connected before, speaks after
        gate.config_file.write_text(self.configuration(head=doors(added, kept)))
        self.assertEqual(self.reload(gate), "reloaded")
        self.assert_refuses_connections(removed)
        for client in (on_kept, on_removed):
            self.assert_echo(client, "<message id='after'/>")
        half.wrap(self.certificate.client_context(), HOST)
        half.open(HOST)
        for port in (kept, added):
            self.log_in(self.at(port))
        # and back
        gate.config_file.write_text(self.configuration(head=doors(kept, removed)))
        self.assertEqual(self.reload(gate), "reloaded")
        self.assert_refuses_connections(added)
        self.log_in(self.at(removed))
        self.assert_echo(on_removed, "<message id='and back'/>")

    def test_nobody_is_turned_away_at_a_door_that_stays(self):
        """One connects after another, through many reloads that add and remove the door beside."""
        kept, other = free_port(), free_port()
        gate = self.ruled(FORWARD, head="[limits]\nconnect_rate = \"10000/s\"\n" + doors(kept))
        done, served, failed = threading.Event(), [], []

        def keep_connecting() -> None:
            while not done.is_set():
                try:
                    with RawClient(kept) as client:
                        client.wrap(self.certificate.client_context(), HOST)
                        client.open(HOST)
                    served.append(1)
                except Exception as error:  # whatever it is, the test tells
                    failed.append(error)

        threads = [threading.Thread(target=keep_connecting) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for number in range(30):
                ports = (kept, other) if number % 2 == 0 else (kept,)
                gate.config_file.write_text(self.configuration(
                    head="[limits]\nconnect_rate = \"10000/s\"\n" + doors(*ports)))
                self.assertEqual(self.reload(gate), "reloaded")
        finally:
            done.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failed, [])
        self.assertGreater(len(served), 30)

    def test_a_door_that_cannot_be_opened(self):
        kept, fine = free_port(), free_port()
        gate = self.ruled(FORWARD, head=doors(kept))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            gate.config_file.write_text(self.configuration(head=doors(fine, port)))
            self.replace("rules.toml", REFUSE)
            self.assertEqual(self.reload(gate), "reload_failed")
        self.wait_for_event(gate, "cannot_listen", address=f"127.0.0.1:{port}")
        self.assertFalse(accepts(fine))
        self.assertNotIn(f"127.0.0.1:{fine}", self.listening(gate))
        self.assert_form(self.at(kept).ask(GET))

    def listening(self, gate: Gate) -> list[str]:
        return [event["address"] for event in gate.events("listening")]

    def test_an_admin_address_that_cannot_be_bound(self):
        """Nothing is said to be listened at that is not, since the whole is refused."""
        kept, more = free_port(), free_port()
        gate = self.ruled(FORWARD, head=doors(kept))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            admin = taken.getsockname()[1]
            head = doors(kept, more).replace("[server]\n", f'[server]\nadmin = "127.0.0.1:{admin}"\n')
            gate.config_file.write_text(self.configuration(head=head))
            self.assertEqual(self.reload(gate), "reload_failed")
        self.assertFalse(accepts(more))
        self.assertEqual(self.listening(gate), [f"127.0.0.1:{kept}"])
        self.assertEqual(self.reload(gate), "reloaded")
        self.wait_for_event(gate, "listening", address=f"127.0.0.1:{more}")
        self.assertTrue(accepts(more))

    def test_a_door_of_another_kind(self):
        """Its socket stays; who comes from now on is served in the new way."""
        port = free_port()
        gate = self.ruled(FORWARD, head=doors(port))
        before = self.log_in(self.at(port))
        gate.config_file.write_text(self.configuration(head=doors(port, tls="starttls")))
        self.assertEqual(self.reload(gate), "reloaded")

        with RawClient(port) as client:
            client.starttls(HOST, self.certificate.client_context())
            client.open(HOST)
        self.assert_echo(before, "<message id='after'/>")


class Certificates(Reload):
    def test_replaced(self):
        """Under the same names, as programs that renew certificates do it."""
        port = free_port()
        mine = make_certificate(self.temporary_folder(), HOST)
        old = ssl.PEM_cert_to_DER_cert(mine.certificate.read_text())
        configuration = self.configuration(head=doors(port)).replace(
            str(self.certificate.certificate), str(mine.certificate)).replace(
            str(self.certificate.key), str(mine.key))
        self.place = self.temporary_folder()
        (self.place / "rules.toml").write_text(FORWARD)
        gate = self.enterContext(Gate(self.place, configuration))
        before = self.log_in(self.at(port, mine))
        self.assertEqual(before.socket.getpeercert(binary_form=True), old)
        renewed = make_certificate(self.temporary_folder(), HOST)
        new = ssl.PEM_cert_to_DER_cert(renewed.certificate.read_text())

        os.replace(renewed.certificate, mine.certificate)  # the key does not fit yet
        self.assertEqual(self.reload(gate), "reload_failed")
        self.assertEqual(self.shown(port), old)
        os.replace(renewed.key, mine.key)
        self.assertEqual(self.reload(gate), "reloaded")
        self.assertEqual(self.shown(port), new)
        self.log_in(self.at(port, mine))
        self.assert_echo(before, "<message id='after'/>")

    def shown(self, port: int) -> bytes:
        context = ssl._create_unverified_context()
        with RawClient(port) as client:
            client.wrap(context, HOST)
            return client.socket.getpeercert(binary_form=True)


if __name__ == "__main__":
    main()
