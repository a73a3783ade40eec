#!/usr/bin/python3
"""A new process takes the place of the old one, and nobody who connects is refused: by SIGUSR2, and
by sockets that a service manager holds."""

import http.client
import shutil
import signal
import socket
import ssl
import threading
import unittest

from harness.admin import admin_address, ask, metrics
from harness.canonical import SASL, stream_error_of
from harness.certificates import make_certificate
from harness.crowd_at_the_door import HEADER, CrowdAtTheDoor
from harness.gate import Gate, host_table, program, run_program
from harness.network import accepts, free_port
from harness.processes import Process, wait_until
from harness.raw_client import RawClient, stream_header
from harness.recorder import RecordingUpstream
from harness.scenario import Scenario, main
from harness.succession import ActivatedGate, LogReader, Succession

HOST = "takeover.test"
TAKEOVERS = 20
RESTARTS = 20

HEAD = """
[server]
drain = "{drain}"
workers = {workers}
admin = "{admin}"

[limits]
connect_rate = "1000000/s"
connections_per_address = 10000

[[listen]]
address = "{starttls}"
tls = "starttls"

[[listen]]
address = "{direct}"
tls = "direct"
serve = ["xmpp", "websocket", "bosh"]
"""
AUTH = f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>"
BOSH = "xmlns='http://jabber.org/protocol/httpbind'"


class TakeoverScenario(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.upstream = cls.enterClassContext(RecordingUpstream())

    def configuration(self, drain: str = "10m", workers: int = 2, admin: str = "127.0.0.1:0",
                      starttls: str = "127.0.0.1:0", direct: str = "127.0.0.1:0") -> str:
        return HEAD.format(drain=drain, workers=workers, admin=admin, starttls=starttls,
                           direct=direct) + host_table(
            HOST, f"tcp://127.0.0.1:{self.upstream.port}", self.certificate,
            'url = "https://a.example/"')

    def context(self) -> ssl.SSLContext:
        return self.certificate.client_context()

    def negotiating(self, port: int) -> RawClient:
        client = self.enterContext(RawClient(port))
        client.wrap(self.context(), HOST)
        client.open(HOST)
        return client

    def log_in(self, client: RawClient) -> RawClient:
        client.ask(AUTH)
        client.restart()
        client.send(stream_header(HOST))
        client.next()
        return client

    def assert_echo(self, client: RawClient, text: str) -> None:
        client.send(text)
        while text.encode() not in client.received:
            client.receive()

    def assert_served(self, *crowds: CrowdAtTheDoor) -> None:
        for crowd in crowds:
            self.assertEqual(crowd.failures, [], f"{crowd.served} were served")
            self.assertGreater(crowd.served, 20)  # however busy the machine is
            print(f"served: {crowd.served}", flush=True)


class KeepsAsking(threading.Thread):
    """Asks the admin address whether the gate is ready, again and again; stop() tells what it was
    told beside that."""

    def __init__(self, address: str):
        super().__init__()
        self.address, self.asked, self.others = address, 0, []
        self._stop_asking = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._stop_asking.wait(0.01):
            self.asked += 1
            try:
                code, _, _ = ask(self.address, "/readyz")
            except (OSError, http.client.HTTPException) as error:
                code = repr(error)
            if code != 200:
                self.others.append(code)

    def stop(self) -> list:
        self._stop_asking.set()
        self.join()
        return self.others


class BySignal(TakeoverScenario):
    def gate(self, **configuration) -> Gate:
        return self.enterContext(
            Gate(self.temporary_folder(), self.configuration(**configuration)))

    def succession(self, gate: Gate) -> Succession:
        return self.enterContext(Succession(gate))

    def test_under_load(self):
        """Twenty in a row, with other numbers of workers each time, while hundreds connect every
        second; who was logged in before the first is there after the last."""
        gate = self.gate()
        address = admin_address(gate)
        succession = self.succession(gate)
        plain = CrowdAtTheDoor(HOST, gate.port("starttls"))
        direct = CrowdAtTheDoor(HOST, gate.port("direct"), self.context(), threads=1)
        client = self.log_in(self.negotiating(gate.port("direct")))
        admin = KeepsAsking(address)
        with plain, direct:
            for number in range(TAKEOVERS):
                gate.config_file.write_text(self.configuration(workers=1 + number % 4))
                succession.take_over()
                self.assertEqual(int(succession.log.look("ready")[-1]["workers"]), 1 + number % 4)
                self.assert_echo(client, f"<message id='{number}'/>")
        self.assertEqual(admin.stop(), [], f"asked {admin.asked} times")
        self.assert_served(plain, direct)
        self.assertTrue(gate.process.running(), "it lives on for who is logged in")
        client.close()
        self.assertEqual(gate.process.wait(20), 0)
        # all of the others had nobody to wait for
        for pid in succession.successors[:-1]:
            self.assertEqual(succession.wait(pid), 0)
        del succession.successors[:-1]

    def test_who_negotiates_goes_on(self):
        """Nobody asks them to leave, until the process that they are with has to."""
        gate = self.gate()
        succession = self.succession(gate)
        client = self.negotiating(gate.port("direct"))
        in_handshake = self.enterContext(RawClient(gate.port("direct")))
        wait_until(lambda: metrics(gate).value("connections") == 2, "both are in")
        succession.take_over()
        self.log_in(client)
        in_handshake.wrap(self.context(), HOST)
        in_handshake.open(HOST)
        self.log_in(in_handshake)
        self.assert_echo(client, "<message id='here'/>")
        late = self.negotiating(gate.port("direct"))
        # the old one hears SIGTERM, too, as from `systemctl stop`
        gate.terminate()
        succession.signal(signal.SIGTERM)
        self.assertEqual(stream_error_of(late.next()), "system-shutdown")
        late.close()
        self.assert_echo(client, "<message id='still here'/>")
        self.assertTrue(gate.process.running())
        client.close()
        in_handshake.close()
        self.assertEqual(gate.process.wait(10), 0)

    def test_drain_ends_who_stays(self):
        gate = self.gate(drain="1s")
        succession = self.succession(gate)
        negotiating = self.negotiating(gate.port("direct"))
        relaying = self.log_in(self.negotiating(gate.port("direct")))
        succession.take_over()
        self.assertEqual(stream_error_of(negotiating.next()), "system-shutdown")
        negotiating.close()
        relaying.until_closed()
        self.assertEqual(gate.process.wait(10), 0)

    def test_one_that_fails_leaves_the_old_one_serving(self):
        gate = self.gate()
        succession = self.succession(gate)
        client = self.log_in(self.negotiating(gate.port("direct")))
        good = gate.config_file.read_text()
        elsewhere = good.replace('address = "127.0.0.1:0"', 'address = "192.0.2.1:5222"', 1)
        for text, code in (("nonsense", 1), (elsewhere, 3)):
            with self.subTest(code=code):
                gate.config_file.write_text(text)
                failed = succession.try_to_take_over("takeover_failed")
                self.assertIn(f"exit code {code}", failed["reason"])
                self.assert_echo(client, "<message id='before'/>")
                self.negotiating(gate.port("direct")).close()
                self.assertEqual(ask(admin_address(gate), "/readyz")[0], 200)
        gate.config_file.write_text(good)
        succession.take_over()
        self.assert_echo(client, "<message id='after'/>")
        client.close()
        self.assertEqual(gate.process.wait(10), 0)

    def test_one_that_fails_under_load(self):
        """More workers have more sockets: none of them takes connections before all is bound."""
        gate = self.gate(workers=1)
        succession = self.succession(gate)
        with CrowdAtTheDoor(HOST, gate.port("starttls")) as crowd:
            gate.config_file.write_text(
                self.configuration(workers=8, direct="192.0.2.1:5222"))
            for _ in range(5):
                succession.try_to_take_over("takeover_failed")
        self.assert_served(crowd)

    def test_the_program_of_now_is_started(self):
        """What a package has put in the place of the running one."""
        folder = self.temporary_folder()
        installed = folder / "program"
        installed.symlink_to(program())
        gate = Gate(folder, self.configuration())
        gate.process.argv[0] = str(installed)
        with gate, Succession(gate) as succession:
            new = folder / "new"
            new.write_text("#!/bin/sh\necho the new program >&2\n"
                           f"exec {program()} \"$@\"\n")
            new.chmod(0o755)
            new.replace(installed)
            succession.take_over()
            self.assert_logged(gate.process, "the new program")

    def test_addresses_change(self):
        """One goes, one comes, and one stays."""
        stays, goes, comes = free_port(), free_port(), free_port()
        configured = {"starttls": f"127.0.0.1:{stays}", "direct": f"127.0.0.1:{goes}"}
        gate = self.gate(**configured)
        succession = self.succession(gate)
        configured["direct"] = f"127.0.0.1:{comes}"
        gate.config_file.write_text(self.configuration(**configured))
        succession.take_over()
        self.assertEqual(succession.log.look("inherited_socket")[-1]["address"],
                         f"127.0.0.1:{goes}")
        self.assertTrue(accepts(stays) and accepts(comes))
        self.assertEqual(gate.process.wait(10), 0)
        self.assertFalse(accepts(goes))

    def test_admin_socket_in_a_file(self):
        file = self.temporary_folder() / "admin"
        gate = self.gate(admin=f"unix:{file}")
        with Succession(gate) as succession:
            admin = KeepsAsking(f"unix:{file}")
            for _ in range(3):
                succession.take_over()
            self.assertEqual(gate.process.wait(10), 0)
            self.assertTrue(file.exists(), "it is the new one's now")
            told = run_program("status", "-c", gate.config_file)
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertEqual(admin.stop(), [])
        self.assertFalse(file.exists(), "and goes with it")

    def test_a_second_one_is_refused_while_one_is_under_way(self):
        gate = self.gate()
        succession = self.succession(gate)
        old = succession.pid
        for _ in range(2):
            succession.signal(signal.SIGUSR2)
        new = int(succession.wait_for("taken_over", 1)["pid"])
        succession.pid = new
        succession.successors.append(new)
        # two signals may also come as one, so a third comes when it is over: nobody would hear it
        self.assertNotEqual(old, new)
        self.assertEqual(len(succession.log.look("takeover")), 1)

    def test_bosh_sessions_live_where_their_connection_leads(self):
        gate = self.gate()
        succession = self.succession(gate)
        port = gate.port("direct")

        def post(connection: http.client.HTTPSConnection, body: str) -> str:
            connection.request("POST", "/http-bind", body, {"Host": HOST})
            return connection.getresponse().read().decode()

        old, new = (http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=20, context=self.lax_context()) for _ in range(2))
        opened = post(old, f"<body {BOSH} rid='1' to='{HOST}' wait='5' hold='1' ver='1.6' "
                           "xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'/>")
        sid = opened.partition(" sid='")[2].partition("'")[0]
        self.assertTrue(sid, opened)
        succession.take_over()
        self.assertIn("<success", post(old, f"<body {BOSH} rid='2' sid='{sid}'>{AUTH}</body>"))
        self.assertIn("item-not-found", post(new, f"<body {BOSH} rid='3' sid='{sid}'/>"))
        post(old, f"<body {BOSH} rid='3' sid='{sid}' type='terminate'/>")
        old.close()
        self.assertEqual(gate.process.wait(10), 0)
        new.close()

    def lax_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


class BySocketActivation(TakeoverScenario):
    def listening(self, count: int = 1, shared: bool = False,
                  port: int = 0) -> list[socket.socket]:
        """Sockets of one address, as a service manager opens them."""
        made = []
        for _ in range(count):
            opened = self.enterContext(socket.socket())
            if shared:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            opened.bind(("127.0.0.1", port))
            opened.listen(4096)
            port = opened.getsockname()[1]
            made.append(opened)
        return made

    def activated(self, sockets: list[list[socket.socket]], workers: int = 2,
                  **options) -> ActivatedGate:
        """`sockets`: those of the starttls door, of the direct one, and of the admin."""
        names = dict(zip(("starttls", "direct", "admin"),
                         (f"127.0.0.1:{of_one[0].getsockname()[1]}" for of_one in sockets)))
        text = self.configuration("1s", workers, **names)
        return ActivatedGate(self.temporary_folder(), text, sum(sockets, []), **options)

    def test_restarts_under_load(self):
        """Who connects meanwhile waits in the socket. Who was in when it stopped has heard so."""
        sockets = [self.listening(), self.listening(), self.listening()]
        port = sockets[0][0].getsockname()[1]
        with CrowdAtTheDoor(HOST, port, until=HEADER) as crowd:
            for number in range(RESTARTS):
                with self.activated(sockets, 1 + number % 3, name=f"gate-{number}") as gate:
                    before = crowd.served
                    wait_until(lambda: crowd.served >= before + 20, "it serves")
            # the last ones wait for another
            with self.activated(sockets, name="gate-last"):
                crowd.stop()
        self.assert_served(crowd)

    def test_every_socket_and_every_worker_is_used(self):
        for count, shared, workers in ((1, False, 3), (5, True, 2), (2, True, 3)):
            with self.subTest(sockets=count, workers=workers):
                doors = [self.listening(count, shared), self.listening()]
                with self.activated(doors, workers) as gate:
                    logged = gate.events("listening")[0]
                    self.assertEqual(logged["inherited"], str(count))
                    for _ in range(200):  # each socket gets some, but with a chance of 2^-60
                        with RawClient(gate.port("starttls")) as client:
                            client.open(HOST)
                    self.assertNotIn("inherited_socket", gate.process.log())

    def test_what_no_address_names_is_closed(self):
        doors, extra = [self.listening(), self.listening()], self.listening()
        gate = self.activated(doors)
        with ActivatedGate(self.temporary_folder(), gate.config_file.read_text(),
                           sum(doors, []) + extra) as gate:
            warned, = gate.events("inherited_socket")
            self.assertEqual(warned["address"], f"127.0.0.1:{extra[0].getsockname()[1]}")

    def test_a_takeover_passes_them_on(self):
        """And what a service manager has opened is never bound a second time."""
        doors = [self.listening(1, True), self.listening()]
        gate = self.enterContext(self.activated(doors, 1))
        with Succession(gate) as succession:
            for workers in (3, 2):
                text = gate.config_file.read_text()
                gate.config_file.write_text(text.replace("workers = 1", f"workers = {workers}"))
                succession.take_over()
                self.assertEqual({event["inherited"] for event in succession.log.look("listening")},
                                 {"1"})
            self.assertEqual(gate.process.wait(10), 0)

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "systemd is not installed")
    def test_with_the_tool_of_systemd(self):
        ports = [free_port(), free_port()]
        file = self.temporary_folder() / "gate.toml"
        file.write_text(self.configuration("1s", starttls=f"127.0.0.1:{ports[0]}",
                                           direct=f"127.0.0.1:{ports[1]}"))
        process = Process("activated", [
            "systemd-socket-activate", *(f"--listen=127.0.0.1:{port}" for port in ports),
            program(), "run", "-c", file], self.temporary_folder())
        process.start()
        self.addCleanup(process.stop)
        process.wait_for_log("Listening on")
        wait_until(lambda: accepts(ports[1]), "it listens")
        self.negotiating(ports[1]).close()
        log = LogReader(process.log_file)
        self.assertEqual([event["inherited"] for event in log.look("listening")], ["1", "1"])
        process.signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 0)


if __name__ == "__main__":
    main()
