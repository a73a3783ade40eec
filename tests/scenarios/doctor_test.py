#!/usr/bin/python3
"""`stanzagate check --live` before real servers: nothing where they are set up well, and each thing
that is wrong by its name, with the line to set."""

from pathlib import Path

from harness.certificates import make_certificate
from harness.doctor import REGISTRAR, Report, at, write_configuration
from harness.ejabberd import Ejabberd
from harness.gate import run_program
from harness.network import free_port
from harness.prosody import Prosody
from harness.raw_upstream import RawUpstream
from harness.scenario import Scenario, main

HOST = "good.test"
COMPRESSION = "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>"
LIMITS = "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>8192</max-bytes></limits>"
BINDING = ("<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>"
           "<channel-binding type='tls-exporter'/></sasl-channel-binding>")


class Examined(Scenario):
    def examine(self, host: str, upstream: str, **keywords) -> Report:
        return Report(write_configuration(self.temporary_folder(), host, upstream, **keywords))

    def assert_found(self, report: Report, *ids: str, line: str = "") -> None:
        """These findings and no others; with a line among those to set."""
        self.assertEqual(report.ids(), list(ids), report.json)
        self.assertEqual(report.code, 1 if report.json["problems"] else 0)
        self.assertIn(line, report.lines())


class BeforeProsody(Examined):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, HOST, "insecure.test")
        cls.proxy_port, cls.tls_port = free_port(), free_port()
        tls = {"certificate": cls.certificate.certificate, "key": cls.certificate.key}
        cls.server = cls.enterClassContext(Prosody(
            cls.folder,
            {
                HOST: {"ssl": tls},
                "closed.test": {"modules_disabled": ["register_ibr"]},
                "redirecting.test": {"modules_enabled": ["register_redirect"],
                                     "registration_url": "https://example.org/"},
                "insecure.test": {"modules_disabled": ["test_secure"]},
                "mute.test": {"modules_disabled": ["test_secure", "tls"]},
                "compressing.test": {"modules_enabled": ["test_offers"],
                                     "test_offers": [COMPRESSION]},
                "small.test": {"modules_enabled": ["test_offers"], "test_offers": [LIMITS]},
                "external.test": {"modules_enabled": ["test_offers"],
                                  "test_mechanisms": ["EXTERNAL"]},
                "binding.test": {"modules_enabled": ["test_offers"], "test_offers": [BINDING],
                                 "test_mechanisms": ["SCRAM-SHA-1-PLUS"]},
                "hiding.test": {"modules_enabled": ["test_offers"],
                                "test_hides_registration": True},
            },
            {"ssl": tls, "test_proxy_header_ports": [cls.proxy_port],
             "c2s_direct_tls_ports": [cls.tls_port]},
            ["test_secure", "test_proxy_header"]))
        cls.with_header = f"tcp://127.0.0.1:{cls.proxy_port}"
        cls.without = f"tcp://127.0.0.1:{cls.server.c2s_port}"

    def test_well_configured(self):
        report = self.examine(HOST, at(self.with_header))
        self.assert_found(report)
        self.assertIn("by its stream, Prosody", report.facts())
        self.assertIn("with a PROXY header (v2)", report.facts())
        self.assertIn(f"offers registration to {REGISTRAR}", report.facts())

    def test_nothing_is_changed(self):
        self.examine(HOST, at(self.with_header))
        requests = self.server.registration_requests()
        self.assertTrue(requests)
        for request in requests:
            self.assertRegex(request, r"type='get'|type=\"get\"")
        self.assertEqual(self.server.accounts(HOST), set())
        self.assert_not_logged(self.server.process, "RECV: <auth")

    def test_header_not_taken(self):
        report = self.examine(HOST, at(self.without))
        self.assert_found(report, "proxy-header-not-taken",
                          line=f"Prosody: proxy_port_mappings = {{ [{self.server.c2s_port}]")
        self.assertIn("not-well-formed", report.findings()[0]["seen"])
        self.assertNotIn("ejabberd", report.lines())

    def test_header_expected(self):
        report = self.examine(HOST, at(self.with_header, "none"))
        self.assert_found(report, "proxy-header-expected", line='proxy_protocol = "v2"')

    def test_header_of_another_version(self):
        report = self.examine(HOST, at(self.with_header, "v1"))
        self.assert_found(report, "proxy-header-version", line='proxy_protocol = "v2"')

    def test_registration_open_to_loopback(self):
        report = self.examine(HOST, at(self.without, "none"))
        self.assert_found(report, "registration-open", line="allowlist_registration_only = true")
        self.assertIn("loopback", report.findings()[0]["what"])

    def test_unknown_host(self):
        for address in (at(self.with_header),
                        at(f"starttls://127.0.0.1:{self.server.c2s_port}", "none")):
            report = self.examine("unknown.test", address)
            self.assert_found(report, "host-unknown", line='VirtualHost "unknown.test"')

    def test_starttls_required(self):
        report = self.examine("insecure.test", at(self.with_header))
        self.assert_found(report, "starttls-required", line="secure_interfaces = ")

    def test_no_way_to_log_in(self):
        report = self.examine("mute.test", at(self.with_header))
        self.assert_found(report, "no-mechanisms", line="c2s_require_encryption = false")

    def test_compression(self):
        report = self.examine("compressing.test", at(self.with_header))
        self.assert_found(report, "compression", line="modules_disabled")

    def test_external(self):
        report = self.examine("external.test", at(self.with_header))
        self.assert_found(report, "external", line='"EXTERNAL"')

    def test_channel_binding(self):
        report = self.examine("binding.test", at(self.with_header))
        self.assert_found(report, "channel-binding", line='"SCRAM-SHA-1-PLUS"')
        self.assertIn("XEP-0440", report.findings()[0]["seen"])

    def test_small_stanzas_are_noted(self):
        report = self.examine("small.test", at(self.with_header))
        self.assert_found(report, "stanza-size", line="c2s_unauthed_stanza_size_limit")
        self.assertEqual((report.code, report.json["notes"]), (0, 1))

    def test_registration_not_offered(self):
        report = self.examine("closed.test", at(self.with_header))
        self.assert_found(report, "registration-not-offered", line="allow_registration = true")
        self.assertIn(REGISTRAR, report.findings()[0]["seen"])
        # but where nobody may register, there is nothing wrong with that
        self.assert_found(self.examine("closed.test", at(self.with_header), whitelist="[]"))

    def test_redirected_by_the_server(self):
        report = self.examine("redirecting.test", at(self.with_header))
        self.assert_found(report, "redirected-by-server", line="register_redirect")

    def test_not_advertised(self):
        report = self.examine("hiding.test", at(self.with_header))
        self.assert_found(report, "registration-not-advertised", line='advertise = "always"')
        self.assert_found(self.examine("hiding.test", at(self.with_header),
                                       registration='advertise = "always"'))

    def test_certificates(self):
        starttls = ("insecure.test", f"starttls://127.0.0.1:{self.server.c2s_port}")
        trusted = f'ca = "{self.certificate.certificate}"\n'
        for host, address in (starttls, (HOST, f"tls://127.0.0.1:{self.tls_port}")):
            report = self.examine(host, at(address, "none", trusted))
            self.assertEqual(report.ids(), ["registration-open"], report.json)
            report = self.examine(host, at(address, "none"))
            self.assert_found(report, "certificate-refused", "registration-open", line="ca = ")
            self.assertIn("OpenSSL: self-signed certificate", report.findings()[0]["seen"])
        # direct TLS by a name that the certificate does not have is refused by Prosody itself
        host, address = starttls
        report = self.examine(host, at(address, "none", trusted + 'name = "other.test"'))
        self.assert_found(report, "certificate-refused", "registration-open",
                          line=f'name = "{HOST}"')
        self.assertIn("hostname mismatch", report.findings()[0]["seen"])

    def test_no_tls(self):
        in_the_clear = f"127.0.0.1:{self.server.c2s_port}"
        report = self.examine(HOST, at(f"tls://{in_the_clear}", "none"))
        self.assert_found(report, "no-tls", line=f"starttls://{in_the_clear}")
        report = self.examine(HOST, at(f"starttls://{in_the_clear}", "none"))
        self.assert_found(report, "no-tls", line='modules_enabled = { "tls"')

    def test_several_at_once(self):
        report = self.examine("compressing.test", at(self.without))
        self.assert_found(report, "proxy-header-not-taken", "compression")

    def test_every_address_and_every_host(self):
        port = free_port()
        folder = self.temporary_folder()
        file = write_configuration(folder, HOST, f"""
address = ["{self.with_header}", "tcp://127.0.0.1:{port}"]
proxy_protocol = "v2"

[[host]]
name = "*.rooms.test"
self_signed = true
upstream = {{ address = "{self.with_header}", proxy_protocol = "v2" }}
""")
        report = Report(file)
        self.assert_found(report, "not-connected", line=str(port))
        self.assertEqual(len(report.json["upstreams"]), 2)
        self.assertIn("--host some.rooms.test", report.json["skipped"][0])
        # named, the other is left out
        report = Report(file, "--host", "a.rooms.test")
        self.assert_found(report, "host-unknown", line='VirtualHost "a.rooms.test"')
        self.assertEqual(report.json["skipped"], [])
        self.assertEqual(Report(file, "--host", "elsewhere.test").code, 1)

    def test_for_people(self):
        folder = self.temporary_folder()
        well = run_program("check", "--live", "-c",
                           write_configuration(folder, HOST, at(self.with_header)), timeout=60)
        self.assertEqual(well.returncode, 0, well.stdout)
        self.assertIn(": ok: ", well.stdout)
        self.assertTrue(well.stdout.endswith("1 upstream examined: nothing is wrong\n"),
                        well.stdout)
        ill = run_program("check", "--live", "-c",
                          write_configuration(folder, HOST, at(self.without)), timeout=60)
        self.assertEqual(ill.returncode, 1)
        self.assertIn("  problem: the server does not take the PROXY header\n", ill.stdout)
        self.assertTrue(ill.stdout.endswith("1 upstream examined: 1 problem\n"), ill.stdout)

    def test_errors_of_the_configuration_come_first(self):
        file = write_configuration(self.temporary_folder(), HOST, at(self.with_header, "v3"))
        done = run_program("check", "--live", "-c", file)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("error:", done.stderr)
        self.assertEqual(run_program("check", "--json", "-c", file).returncode, 2)


class BeforeNobody(Examined):
    def test_nothing_listens(self):
        report = self.examine(HOST, at(f"tcp://127.0.0.1:{free_port()}"))
        self.assert_found(report, "not-connected", line="proxy_ports = ")
        self.assertIn("Connection refused", report.findings()[0]["seen"])

    def test_no_such_name(self):
        report = self.examine(HOST, at("tcp://no-such-name.invalid:5222"))
        self.assert_found(report, "no-such-name")

    def test_silence(self):
        with RawUpstream() as upstream:
            report = self.examine(HOST, at(f"tcp://127.0.0.1:{upstream.port}"),
                                  patience="1s")
        self.assert_found(report, "no-answer", line="use_proxy_protocol: true")
        self.assertIn("says nothing", report.findings()[0]["seen"])


def listeners(certificate: Path, ports: dict[str, int]) -> str:
    settings = {
        "plain": {},
        "insecure": {"use_proxy_protocol": "true", "starttls": "true",
                     "starttls_required": "true"},
        "starttls": {"starttls": "true"},
    }
    text = ""
    for name, port in ports.items():
        text += f'  -\n    port: {port}\n    ip: "127.0.0.1"\n    module: ejabberd_c2s\n'
        text += "    access: c2s\n"
        text += "".join(f"    {key}: {value}\n" for key, value in settings[name].items())
    return text


class BeforeEjabberd(Examined):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        certificate = make_certificate(cls.folder, HOST)
        both = cls.folder / "both.pem"
        both.write_text(certificate.certificate.read_text() + certificate.key.read_text())
        both.chmod(0o644)
        cls.certificate = certificate
        cls.ports = {name: free_port() for name in ("plain", "insecure", "starttls")}
        cls.server = cls.enterClassContext(Ejabberd(
            cls.folder, [HOST, "bare.test", "closed.test", "redirecting.test"],
            registrars=[f"{REGISTRAR}/32"], listeners=listeners(both, cls.ports),
            options=f"""\
certfiles: ["{both}"]
host_config:
  "bare.test":
    modules: {{mod_ping: {{}}}}
  "closed.test":
    modules: {{mod_register: {{access: none}}}}
  "redirecting.test":
    modules: {{mod_register: {{redirect_url: "https://example.org/"}}}}
"""))
        cls.address = f"tcp://127.0.0.1:{cls.server.c2s_port}"

    def at(self, name: str) -> str:
        return f"tcp://127.0.0.1:{self.ports[name]}"

    def test_well_configured(self):
        report = self.examine(HOST, at(self.address))
        self.assert_found(report)
        self.assertIn("by its stream, ejabberd", report.facts())
        self.assertIn(f"offers registration to {REGISTRAR}", report.facts())
        self.assert_found(self.examine(HOST, at(self.address, "v1")))

    def test_nothing_is_changed(self):
        self.examine(HOST, at(self.address))
        self.assertTrue(self.server.registration_requests())
        self.assert_not_logged(self.server.process, "was registered from IP address")
        self.assert_not_logged(self.server.process, "<auth")

    def test_header_not_taken(self):
        report = self.examine(HOST, at(self.at("plain")))
        self.assert_found(report, "proxy-header-not-taken", line="use_proxy_protocol: true")
        self.assertNotIn("Prosody", report.lines())

    def test_header_expected(self):
        report = self.examine(HOST, at(self.address, "none"))
        self.assert_found(report, "proxy-header-expected", line='proxy_protocol = "v2"')

    def test_registration_open_to_loopback(self):
        report = self.examine(HOST, at(self.at("plain"), "none"))
        self.assert_found(report, "registration-open", line="ip_access: registrars")

    def test_unknown_host(self):
        report = self.examine("unknown.test", at(self.address))
        self.assert_found(report, "host-unknown", line='hosts: ["unknown.test"]')

    def test_starttls_required(self):
        report = self.examine(HOST, at(self.at("insecure")))
        self.assert_found(report, "starttls-required", line="starttls_required: false")

    def test_channel_binding(self):
        """ejabberd binds to the TLS connection of the leg."""
        report = self.examine(HOST, at(f"starttls://127.0.0.1:{self.ports['starttls']}", "none",
                                       f'ca = "{self.certificate.certificate}"'))
        self.assert_found(report, "channel-binding", "registration-open",
                          line="disable_sasl_mechanisms: [")

    def test_registration_not_offered(self):
        report = self.examine("bare.test", at(self.address))
        self.assert_found(report, "registration-not-offered", line="mod_register:")

    def test_not_advertised(self):
        """Where nobody may register, ejabberd sends the form all the same."""
        report = self.examine("closed.test", at(self.address))
        self.assert_found(report, "registration-not-advertised", line="ip_access: ")

    def test_redirected_by_the_server(self):
        report = self.examine("redirecting.test", at(self.address))
        self.assert_found(report, "redirected-by-server", line="redirect_url")


if __name__ == "__main__":
    main()
