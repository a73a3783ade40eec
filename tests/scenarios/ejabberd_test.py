#!/usr/bin/python3
"""ejabberd behind the gate, which tells it with a PROXY header who comes.

Debian's 23.01 has no allow_unencrypted_sasl2 (nor SASL2), and needs none: without `starttls` on its
listener it offers SCRAM-SHA-1 and PLAIN in the clear.
"""

from harness.account_story import REGISTRATION, Story
from harness.canonical import REGISTER, error_of
from harness.certificates import make_certificate
from harness.ejabberd import Ejabberd
from harness.gate import LISTENERS, Gate
from harness.network import STRANGER, WHITELISTED
from harness.raw_client import RawClient
from harness.scenario import Scenario, main

HOST = "ejabberd.test"
REGISTRAR = "127.0.0.2"  # the only address that ejabberd itself lets register; the gate lets two


class BehindTheGate(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(
            Ejabberd(cls.folder, [HOST], registrars=[f"{REGISTRAR}/32"]))
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.gate = cls.enterClassContext(Gate(cls.folder, LISTENERS + REGISTRATION + f"""
[[host]]
name = "{HOST}"
certificate = "{cls.certificate.certificate}"
key = "{cls.certificate.key}"

[host.upstream]
address = ["tcp://127.0.0.1:{cls.server.c2s_port}"]
proxy_protocol = "v2"
"""))

    def story(self) -> Story:
        return Story(self, self.gate, HOST, self.certificate)

    def test_1_accounts_live(self):
        story = self.story()
        story.run(story.accounts_live(REGISTRAR))
        story.assert_decided(REGISTRAR, "set", "whitelist", "forward")
        registered = f"The account ann@{HOST} was registered from IP address {REGISTRAR}"
        self.assert_logged(self.server.process, registered)

    def test_2_strangers_are_redirected(self):
        story = self.story()
        seen_before = len(self.server.registration_requests())
        story.run(story.stranger_is_redirected("starttls"))
        story.run(story.stranger_is_redirected("direct"))
        # ejabberd ends the stream on any other stanza before authentication: so none afterwards
        story.stranger_asks_in_bytes()
        story.assert_decided(STRANGER, "get", "default", "redirect")
        self.assertEqual(len(self.server.registration_requests()), seen_before)
        self.assert_not_logged(self.server.process, "The account mallory")

    def test_3_strangers_log_in_under_their_own_address(self):
        story = self.story()
        story.run(story.sign_up("carl", "pw", "direct", REGISTRAR))
        story.run(story.stranger_logs_in("carl", "pw"))
        accepted = f"authentication for carl@{HOST} by mnesia backend from {STRANGER}"
        self.assert_logged(self.server.process, accepted)

    def test_forwarded_is_still_the_servers_to_refuse(self):
        with RawClient(self.gate.port("direct"), WHITELISTED) as client:
            client.wrap(self.certificate.client_context(), HOST)
            client.open(HOST)
            answer = client.ask(f"<iq type='set' id='n'><query xmlns='{REGISTER}'><username>nn"
                                "</username><password>pw</password></query></iq>")
            self.assertEqual(error_of(answer)[:2], ("auth", "forbidden"))


if __name__ == "__main__":
    main()
