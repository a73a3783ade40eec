#!/usr/bin/python3
"""The admin address: every metric changes when, and only when, its thing happens; health while the
process stops; the address moves with a reload; and the `status` command."""

import signal
import socket
import ssl

from harness.admin import Metrics, admin_address, ask, metrics, status
from harness.canonical import stream_error_of
from harness.certificates import make_certificate
from harness.gate import Gate, run_program
from harness.network import STRANGER, free_port
from harness.processes import wait_until
from harness.raw_client import RawClient, stream_header
from harness.raw_upstream import AUTH, SUCCESS, read_until
from harness.ruled import GET, HOST, Ruled, registration
from harness.scenario import main

RULES = """
[[rule]]
name = "office"
from = "127.0.1.0/24"
action = "forward"
[[rule]]
name = "spam"
from = "127.0.3.0/24"
action = "refuse"
"""
LISTENERS = """
[server]
drain = "30s"
workers = 2
admin = "{admin}"
{server}

[limits]
connections_per_address = 3

[[listen]]
address = "127.0.0.1:0"
tls = "starttls"

[[listen]]
address = "127.0.0.1:0"
tls = "direct"
serve = ["xmpp", "websocket", "bosh"]
"""
# Whose upstream is not there.
DEAD_HOST = """
[[host]]
name = "*.dead.test"
self_signed = true
upstream = "tcp://127.0.0.1:{port}"
"""


class AdminScenario(Ruled):
    def gate_with_admin(self, admin: str = "127.0.0.1:0", server: str = "") -> Gate:
        self.dead_port = free_port()
        head = LISTENERS.format(admin=admin, server=server)
        return self.ruled(RULES, head=head,
                          registration=DEAD_HOST.format(port=self.dead_port))

    def rewrite(self, gate: Gate, old: str, new: str) -> None:
        text = gate.config_file.read_text()
        self.assertIn(old, text)
        gate.config_file.write_text(text.replace(old, new))

    def reload(self, gate: Gate, event: str = "reloaded") -> None:
        before = len(gate.events(event))
        gate.process.signal(signal.SIGHUP)
        wait_until(lambda: len(gate.events(event)) > before, f"it logs {event}", 10)


class EveryMetric(AdminScenario):
    """Each test tells what its doing adds to which metrics, and that nothing else has changed, save
    for what every session adds."""

    # Of sessions themselves, looked at in tests of their own.
    ALWAYS = {"connections", "connections_total", "handshakes_total", "session_ends_total",
              "relayed_bytes_total", "certificate_expiry_seconds"}

    def setUp(self):
        super().setUp()
        self.gate = self.gate_with_admin()
        self.before = metrics(self.gate)

    def wait_for(self, name: str, count: float, **labels: str) -> None:
        def reached():
            now = metrics(self.gate).value(name, **labels)
            return now - self.before.value(name, **labels) == count
        wait_until(reached, f"{name} {labels} is {count} more", 10)

    def changes(self, seen: Metrics | None = None) -> dict[tuple, float]:
        now = seen or metrics(self.gate)
        return {(name, labels): value - self.before.get((name, labels), 0)
                for (name, labels), value in now.items()
                if value != self.before.get((name, labels), 0)}

    def assert_only(self, name: str, lines: dict[tuple[tuple[str, str], ...], float]) -> None:
        """All that has changed are these lines of one metric, by so much."""
        found = {key: by for key, by in self.changes().items() if key[0] not in self.ALWAYS}
        self.assertEqual(found, {(name, frozenset(labels)): by for labels, by in lines.items()})

    def test_registrations(self):
        self.assert_form(self.ask(self.gate, "127.0.1.1"))
        self.assert_redirected(self.ask(self.gate, STRANGER))
        self.assert_redirected(self.ask(self.gate, STRANGER, door="starttls"))
        self.assert_refused(self.ask(self.gate, STRANGER, registration("good")))
        self.assert_refused(self.ask(self.gate, "127.0.3.3"))

        def line(rule, action, request):
            return (("host", HOST), ("rule", rule), ("action", action), ("request", request))
        self.assert_only("registrations_total", {
            line("office", "forward", "get"): 1, line("default", "redirect", "get"): 2,
            line("default", "redirect", "set"): 1, line("spam", "refuse", "get"): 1})
        decisions = status(self.gate)["decisions"]
        self.assertEqual([(d["rule"], d["request"], d["transport"], d["address"])
                          for d in decisions],
                         [("spam", "get", "direct", "127.0.3.0/24"),
                          ("default", "set", "direct", "127.0.0.0/24"),
                          ("default", "get", "starttls", "127.0.0.0/24"),
                          ("default", "get", "direct", "127.0.0.0/24"),
                          ("office", "get", "direct", "127.0.1.0/24")])
        self.assertEqual(sum(status(self.gate)["minutes"]["redirected"]), 3)

    def test_handshakes(self):
        with self.client(self.gate):
            self.wait_for("handshakes_total", 1, result="ok")
        with RawClient(self.gate.port("direct")) as client:
            client.send(b"\x00 this is no TLS")
            self.wait_for("handshakes_total", 1, result="failed")
            self.wait_for("session_ends_total", 1, why="handshake_failed")
        self.assertEqual(metrics(self.gate).value("handshakes_total")
                         - self.before.value("handshakes_total"), 2)
        self.assert_only("", {})

    def test_stream_errors(self):
        client = self.client(self.gate)
        self.assertEqual(stream_error_of(client.ask("<a:b/>")), "not-well-formed")
        other = self.enterContext(RawClient(self.gate.port("direct")))
        other.wrap(self.certificate.client_context(), HOST)
        other.send(stream_header("nobody.test"))
        read_until(other.socket, b"</stream:stream>")
        self.assert_only("stream_errors_total", {(("condition", "not-well-formed"),): 1,
                                                 (("condition", "host-unknown"),): 1})

    def test_refused_connections(self):
        for _ in range(3):
            self.client(self.gate, "127.0.4.4")
        with self.assertRaises((ConnectionError, ssl.SSLError)):
            self.client(self.gate, "127.0.4.4")
        self.assert_only("refused_connections_total", {(("reason", "connections_per_address"),): 1})
        self.assertEqual(metrics(self.gate).value("connections"), 3)

    def test_upstream_failures(self):
        client = self.enterContext(RawClient(self.gate.port("direct")))
        client.socket = ssl._create_unverified_context().wrap_socket(
            client.socket, server_hostname="any.dead.test")
        client.send(stream_header("any.dead.test"))
        read_until(client.socket, b"</stream:stream>")
        found = {key: by for key, by in self.changes().items() if key[0] not in self.ALWAYS}
        self.assertEqual(found, {
            ("upstream_failures_total", frozenset({("host", "*.dead.test")})): 1,
            ("stream_errors_total", frozenset({("condition", "internal-server-error")})): 1})
        upstream = next(u for u in status(self.gate)["upstreams"] if u["host"] == "*.dead.test")
        self.assertEqual(upstream["address"], f"tcp://127.0.0.1:{self.dead_port}")
        self.assertEqual(upstream["reason"], "Connection refused")
        self.assertTrue(upstream["failed_lately"])

    def test_reloads(self):
        self.reload(self.gate)
        self.rewrite(self.gate, "[limits]", "[limit]")
        self.reload(self.gate, "reload_failed")
        self.assert_only("reloads_total", {(("result", "ok"),): 1, (("result", "failed"),): 1})

    def test_connections_and_bytes(self):
        with self.client(self.gate) as client:
            self.wait_for("connections", 1, transport="direct", stage="negotiating")
            client.send(AUTH)
            read_until(client.socket, SUCCESS.encode())
            self.wait_for("connections", 1, transport="direct", stage="relaying")
            self.upstream.connections[-1].send(b"x" * 100_000)
            read_until(client.socket, b"x" * 1000)
            self.wait_for("relayed_bytes_total", 100_000, direction="to_client")
            client.send(b"y" * 70_000)
            self.wait_for("relayed_bytes_total", 70_000, direction="to_upstream")
        self.wait_for("connections", 0)
        self.wait_for("connections_total", 1, transport="direct")
        with socket.create_connection(("127.0.0.1", self.gate.port("starttls"))):
            self.wait_for("connections", 1, transport="starttls", stage="handshake")
        self.wait_for("connections", 0)
        self.wait_for("session_ends_total", 2)
        self.assert_only("", {})

    def test_what_is_always_there(self):
        now = self.before
        self.assertEqual(now.value("build_info"), 1)
        self.assertGreater(now.value("start_time_seconds"), 1e9)
        left = now.value("certificate_expiry_seconds", host=HOST)
        self.assertGreater(left, 3600)
        certificate = next(c for c in status(self.gate)["certificates"] if c["host"] == HOST)
        self.assertEqual(certificate["days_left"], left // 86400)
        self.assertEqual({name for name, _ in now} | {"registrations_total"}, {
            "connections", "connections_total", "handshakes_total", "registrations_total",
            "relayed_bytes_total", "stream_errors_total", "refused_connections_total",
            "upstream_failures_total", "certificate_expiry_seconds", "reloads_total",
            "build_info", "session_ends_total", "quotas_out_of_space_total",
            "dns_list_failures_total", "start_time_seconds"})


class Address(AdminScenario):
    def test_health_while_it_stops(self):
        gate = self.gate_with_admin()
        address = admin_address(gate)
        self.assertEqual([ask(address, path)[0] for path in ("/healthz", "/readyz")], [200, 200])
        client = self.client(gate)
        client.send(AUTH)
        read_until(client.socket, SUCCESS.encode())  # so that the gate waits for it
        gate.terminate()
        wait_until(lambda: ask(address, "/readyz")[0] == 503, "it is not ready any more", 10)
        self.assertEqual(ask(address, "/healthz")[0], 200)
        self.assertTrue(status(gate)["draining"])
        client.close()
        self.assertEqual(gate.process.wait(), 0)

    def test_pages(self):
        address = admin_address(self.gate_with_admin())
        for path in ("/", "/metrics", "/status.json", "/healthz", "/readyz"):
            code, headers, body = ask(address, path)
            self.assertEqual((code, headers["cache-control"], headers["x-content-type-options"]),
                             (200, "no-store", "nosniff"), path)
            code, head, nothing = ask(address, path, "HEAD")
            self.assertEqual((code, nothing), (200, ""), path)
        self.assertEqual(ask(address, "/other")[0], 404)
        self.assertEqual(ask(address, "/metrics", "POST")[0], 405)
        self.assertIn("default-src 'none'", ask(address, "/")[1]["content-security-policy"])

    def test_moves_with_a_reload(self):
        gate = self.gate_with_admin()
        address = admin_address(gate)
        self.rewrite(gate, 'admin = "127.0.0.1:0"', 'admin = "unix:admin.sock"')
        self.reload(gate)
        path = self.place / "admin.sock"
        self.assertEqual(admin_address(gate), f"unix:{path}")
        self.assertEqual(metrics(gate).value("reloads_total", result="ok"), 1)
        with self.assertRaises(ConnectionError):
            ask(address, "/healthz")
        self.rewrite(gate, "unix:admin.sock", "unix:none/admin.sock")
        self.reload(gate, "reload_failed")
        self.assertEqual(metrics(gate).value("reloads_total", result="failed"), 1)
        self.rewrite(gate, 'admin = "unix:none/admin.sock"\n', "")
        self.reload(gate)
        self.assertFalse(path.exists())

    def test_moves_to_another_address_of_its_port(self):
        gate = self.gate_with_admin()
        port = admin_address(gate).rpartition(":")[2]
        self.rewrite(gate, 'admin = "127.0.0.1:0"', f'admin = "127.0.0.1:{port}"')
        self.reload(gate)
        self.rewrite(gate, f'admin = "127.0.0.1:{port}"',
                     f'admin = "0.0.0.0:{port}"\nadmin_public = true')
        self.reload(gate)
        self.assertEqual(admin_address(gate), f"0.0.0.0:{port}")
        self.assertEqual(ask(f"127.0.0.2:{port}", "/healthz")[0], 200)
        self.rewrite(gate, f'admin = "0.0.0.0:{port}"', f'admin = "127.0.0.1:{port}"')
        self.reload(gate)
        self.assertEqual(ask(f"127.0.0.1:{port}", "/healthz")[0], 200)
        with self.assertRaises(ConnectionError):
            ask(f"127.0.0.2:{port}", "/healthz")

    def test_other_names_are_answered_where_all_may_ask(self):
        """A page from elsewhere whose name leads here (DNS rebinding) learns nothing."""
        gate = self.gate_with_admin()
        address = admin_address(gate)
        elsewhere = {"Host": "rebound.example:9090"}
        code, _, body = ask(address, "/status.json", headers=elsewhere)
        self.assertEqual(code, 421)
        self.assertIn("admin_public", body)
        self.assertEqual(ask(address, "/", headers={"Host": "localhost:9090"})[0], 200)
        self.rewrite(gate, 'admin = "127.0.0.1:0"', 'admin = "127.0.0.1:0"\nadmin_public = true')
        self.reload(gate)
        self.assertEqual(ask(address, "/status.json", headers=elsewhere)[0], 200)
        self.rewrite(gate, 'admin = "127.0.0.1:0"\nadmin_public = true',
                     'admin = "unix:admin.sock"')
        self.reload(gate)
        self.assertEqual(ask(admin_address(gate), "/status.json", headers=elsewhere)[0], 200)

    def test_an_address_that_cannot_be_had(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            admin = f"127.0.0.1:{taken.getsockname()[1]}"
            gate = self.gate_with_admin()
            self.rewrite(gate, '"127.0.0.1:0"\n\n\n[limits]', f'"{admin}"\n\n\n[limits]')
            result = run_program("run", "-c", gate.config_file)
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn(f'event=cannot_listen address={admin} reason="Address already in use"',
                      result.stderr)

    def test_full_addresses(self):
        gate = self.gate_with_admin(server='status_addresses = "full"')
        self.ask(gate, STRANGER)
        self.assertEqual(status(gate)["decisions"][0]["address"], STRANGER)


class StatusCommand(AdminScenario):
    def test_prints_a_table(self):
        gate = self.gate_with_admin("unix:admin.sock")
        with self.client(gate, STRANGER) as client:
            self.assert_redirected(client.ask(GET))
            result = run_program("status", "-c", gate.config_file)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = [line.split() for line in result.stdout.splitlines()]
        self.assertEqual(lines[0][0], "stanzagate")
        self.assertIn(["direct", "0", "1", "0"], lines)
        self.assertIn(["default", "redirect", "1", "0", "0"], lines)
        self.assertIn([HOST], [line[:1] for line in lines])

    def test_nobody_there(self):
        gate = self.gate_with_admin("unix:admin.sock")
        gate.terminate()
        gate.process.wait()
        result = run_program("status", "-c", gate.config_file)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(result.stderr, f"stanzagate status: unix:{self.place}/admin.sock: "
                                        "No such file or directory\n")

    def test_no_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            gate = self.gate_with_admin()
            self.rewrite(gate, 'admin = "127.0.0.1:0"', f'admin = "{address}"')
            result = run_program("status", "-c", gate.config_file)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(result.stderr,
                         f"stanzagate status: {address}: no answer within 10 s\n")

    def test_no_address(self):
        gate = self.gate_with_admin()
        self.rewrite(gate, 'admin = "127.0.0.1:0"\n', "")
        result = run_program("status", "-c", gate.config_file)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("set server.admin", result.stderr)

    def test_a_configuration_that_is_wrong(self):
        file = self.temporary_folder() / "gate.toml"
        file.write_text("[server]\nadmin = 1\n")
        result = run_program("status", "-c", file)
        self.assertEqual(result.returncode, 1)
        self.assertIn("error: server.admin", result.stderr)


if __name__ == "__main__":
    main()
