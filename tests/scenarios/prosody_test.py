#!/usr/bin/python3
"""Prosody behind the gate, with a client library that people use."""

from harness.account_story import REGISTRATION, Story
from harness.canonical import CLIENT, REGISTER_FEATURE, SASL, STREAMS, TLS, stream_error_of
from harness.certificates import make_certificate
from harness.gate import LISTENERS, Gate, host_table
from harness.network import STRANGER, WHITELISTED, free_port
from harness.prosody import Prosody
from harness.raw_client import RawClient, plain_credentials
from harness.scenario import Scenario, main

HOST = "prosody.test"
SASL2 = "urn:xmpp:sasl:2"


class BehindTheGate(Scenario):
    """Plain TCP to the server, which counts that as secure; a second port with a PROXY header."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy_port = free_port()
        cls.server = cls.enterClassContext(Prosody(
            cls.folder, {HOST: {}},
            {"test_proxy_header_ports": [cls.proxy_port]},
            ["test_secure", "test_proxy_header", "sasl2", "legacyauth"]))
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.gate = cls.enterClassContext(Gate(cls.folder, LISTENERS + REGISTRATION + host_table(
            HOST, f"tcp://127.0.0.1:{cls.server.c2s_port}", cls.certificate)))

    def story(self, gate: Gate | None = None) -> Story:
        return Story(self, gate or self.gate, HOST, self.certificate)

    def open(self, source: str = WHITELISTED, tls: str = "direct") -> RawClient:
        client = self.enterContext(RawClient(self.gate.port(tls), source))
        client.wrap(self.certificate.client_context(), HOST)
        return client

    def test_1_accounts_live(self):
        story = self.story()
        story.run(story.accounts_live())
        story.assert_decided(WHITELISTED, "set", "whitelist", "forward")
        self.assertLessEqual({"ann", "bob"}, self.server.accounts(HOST))

    def test_2_strangers_are_redirected(self):
        story = self.story()
        seen_before = len(self.server.registration_requests())
        story.run(story.stranger_is_redirected("starttls"))
        story.run(story.stranger_is_redirected("direct"))
        story.stranger_asks_in_bytes("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
        story.assert_decided(STRANGER, "get", "default", "redirect")
        story.assert_decided(STRANGER, "set", "default", "redirect")
        self.assertEqual(len(self.server.registration_requests()), seen_before)
        self.assertNotIn("mallory", self.server.accounts(HOST))

    def test_3_strangers_log_in(self):
        story = self.story()
        story.run(story.sign_up("carl", "pw", "direct"))
        story.run(story.stranger_logs_in("carl", "pw"))

    def test_passwords_are_not_logged(self):
        story = self.story()
        story.run(story.sign_up("dora", "Sesame-open-7", "starttls"))
        with self.open(STRANGER) as client:
            client.open(HOST)
            client.ask("<iq type='set' id='s'><query xmlns='jabber:iq:register'>"
                       "<username>x</username><password>Sesame-open-8</password></query></iq>")
            client.login(HOST, "dora", "Sesame-open-7")
        self.assert_not_logged(self.gate.process, "Sesame")
        self.assert_not_logged(self.gate.process, plain_credentials("dora", "Sesame-open-7"))

    def test_features_before_and_inside_tls(self):
        client = self.enterContext(RawClient(self.gate.port("starttls"), STRANGER))
        features = client.open(HOST)
        self.assertEqual([child.tag for child in features], [f"{{{TLS}}}starttls"])
        self.assertIsNotNone(features.find(f"{{{TLS}}}starttls/{{{TLS}}}required"))
        self.assertEqual(client.header().get("from"), HOST)
        client.secure(self.certificate.client_context(), HOST)
        features = client.open(HOST)
        self.assertIsNone(features.find(f"{{{TLS}}}starttls"))
        self.assertIsNotNone(features.find(f"{{{SASL}}}mechanisms"))
        self.assertIsNotNone(features.find(REGISTER_FEATURE))

    def test_proxy_header_tells_the_server_who_comes(self):
        configuration = LISTENERS + REGISTRATION + f"""
[[host]]
name = "{HOST}"
certificate = "{self.certificate.certificate}"
key = "{self.certificate.key}"

[host.upstream]
address = ["tcp://127.0.0.1:{self.proxy_port}"]
proxy_protocol = "v2"
"""
        with Gate(self.folder, configuration, "gate-proxy") as gate:
            story = self.story(gate)
            story.run(story.sign_up("erin", "pw", "starttls", "127.0.0.2"))
            story.run(story.stranger_logs_in("erin", "pw"))
            story.run(story.stranger_is_redirected("direct"))
        self.assert_logged(self.server.process, "PROXY header names 127.0.0.2")
        self.assert_logged(self.server.process, f"PROXY header names {STRANGER}")
        self.assertIn("erin", self.server.accounts(HOST))

    def test_sasl2_in_lock_step(self):
        """SASL2 in one write with the stream header: no new stream follows its success."""
        story = self.story()
        story.run(story.sign_up("fred", "pw", "direct"))
        client = self.open(STRANGER)
        client.send(
            f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}'"
            f" to='{HOST}' version='1.0'><authenticate xmlns='{SASL2}' mechanism='PLAIN'>"
            f"<initial-response>{plain_credentials('fred', 'pw')}</initial-response>"
            "</authenticate>")
        self.assertIsNotNone(client.next().find(f"{{{SASL2}}}authentication"))
        self.assertEqual(client.next().tag, f"{{{SASL2}}}success")
        self.assertEqual(client.next().tag, f"{{{STREAMS}}}features")
        bound = client.ask("<iq type='set' id='b'>"
                           "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        self.assertEqual(bound.get("type"), "result")

    def test_legacy_authentication(self):
        """XEP-0078: the result of an iq authenticates; the password may then change in band."""
        story = self.story()
        story.run(story.sign_up("gina", "pw", "direct"))
        client = self.open(STRANGER)
        client.open(HOST)
        done = client.ask(f"<iq type='set' id='a' to='{HOST}'><query xmlns='jabber:iq:auth'>"
                          "<username>gina</username><password>pw</password>"
                          "<resource>old</resource></query></iq>")
        self.assertEqual((done.get("type"), done.get("id")), ("result", "a"))
        changed = client.ask(f"<iq type='set' id='p' to='{HOST}'>"
                             "<query xmlns='jabber:iq:register'><username>gina</username>"
                             "<password>new</password></query></iq>")
        self.assertEqual((changed.get("type"), changed.get("id")), ("result", "p"))

    def test_legacy_authentication_without_a_password(self):
        """Prosody answers a set that lacks fields with their list, in a result: nobody is authenticated."""
        client = self.open(STRANGER)
        client.open(HOST)
        fields = client.ask("<iq type='set' id='a'><query xmlns='jabber:iq:auth'/></iq>")
        self.assertEqual((fields.get("type"), len(fields)), ("result", 1))
        self.assert_not_registered(client, "iris")

    def assert_not_registered(self, client: RawClient, user: str) -> None:
        reply = client.ask("<iq type='set' id='r'><query xmlns='jabber:iq:register'>"
                           f"<username>{user}</username><password>pw</password></query></iq>")
        self.assertEqual(reply.get("type"), "error")
        self.assertNotIn(user, self.server.accounts(HOST))

    def test_an_iq_in_the_name_of_a_namespace(self):
        """Prosody takes an element in the namespace iq/jabber:iq:register for an iq with such a child."""
        for number, child in enumerate(("query xmlns='jabber:iq:register'", "z xmlns='urn:z'")):
            with self.subTest(child):
                client = self.open(STRANGER)
                client.open(HOST)
                client.send("<query xmlns='iq/jabber:iq:register' type='set' id='a'>"
                            f"<{child}><username>kate{number}</username><password>pw</password>"
                            f"</{child.split()[0]}></query>")
                self.assertEqual(stream_error_of(client.next()), "invalid-namespace")
                self.assertNotIn(f"kate{number}", self.server.accounts(HOST))

    def test_a_host_in_other_characters(self):
        """Beside a host that everybody may register at: Prosody takes each of these for the strict one."""
        upstream = f"tcp://127.0.0.1:{self.server.c2s_port}"
        everybody = 'whitelist = ["0.0.0.0/0", "::/0"]\nurl = "https://a.example/"'
        gate = self.enterContext(Gate(
            self.temporary_folder(), LISTENERS + REGISTRATION +
            host_table(HOST, upstream, self.certificate) +
            host_table("*", upstream, self.certificate, everybody)))
        for number, spelling in enumerate(("\uff50rosody.test", "pro\u00adsody.test",
                                           "prosody\uff0etest")):
            with self.subTest(ascii(spelling)):
                client = self.enterContext(RawClient(gate.port("direct"), STRANGER))
                client.wrap(self.certificate.client_context(), HOST)
                client.open(spelling)
                self.assert_not_registered(client, f"jane{number}")

    def test_wrong_password_then_right_one(self):
        """A failed try leaves the stream as it was: still decided, still usable."""
        story = self.story()
        story.run(story.sign_up("hans", "pw", "direct"))
        client = self.open(STRANGER)
        client.open(HOST)
        wrong = plain_credentials("hans", "wrong")
        failure = client.ask(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{wrong}</auth>")
        self.assertEqual(failure.tag, f"{{{SASL}}}failure")
        reply = client.ask("<iq type='get' id='g'><query xmlns='jabber:iq:register'/></iq>")
        self.assertIsNotNone(reply.find(".//{jabber:x:oob}url"))
        self.assertEqual(client.login(HOST, "hans", "pw").get("type"), "result")


if __name__ == "__main__":
    main()
