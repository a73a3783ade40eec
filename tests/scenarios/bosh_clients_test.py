#!/usr/bin/python3
"""strophe.js, a library for web clients, over BOSH in a real browser, with CORS as it is there."""

from harness.chromium import BrowserError, Chromium, Page
from harness.cutting_relay import CuttingRelay
from harness.network import STRANGER, WHITELISTED
from harness.web import HOST, WebScenario, main

LONG = "<&>'\" ünïcödé 🂡 " + "long " * 4000


class OverBosh(WebScenario):
    transport = "bosh"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = cls.enterClassContext(Chromium(cls.folder, [HOST]))

    def page(self) -> Page:
        page = self.browser.page(f"{self.files.url}/pages/strophe.html")
        self.addCleanup(page.close)
        return page

    def account(self, user: str, relay: CuttingRelay, password: str = "pw") -> dict:
        return {"service": self.bosh(relay), "domain": HOST, "username": user,
                "password": password}

    def log_in(self, user: str, relay: CuttingRelay, password: str = "pw") -> Page:
        page = self.page()
        page.jid = page.run("logIn", self.account(user, relay, password))
        self.assertTrue(page.jid.startswith(f"{user}@{HOST}/"), page.jid)
        return page

    def two(self, first: str, relay: CuttingRelay, second: str) -> tuple[Page, Page]:
        for user in (first, second):
            self.give_account(user)
        return self.log_in(first, relay), self.log_in(second, self.near)

    def next_message(self, page: Page) -> dict:
        page.wait_for("messages.length > 0", "a message")
        return page.evaluate("messages.shift()")

    def wait_for_held_request(self, page: Page) -> None:
        page.wait_for("requests.at(-1).status === null", "a request without an answer")

    def assert_arrives(self, sender: Page, receiver: Page, body: str) -> None:
        sender.run("say", receiver.jid, body)
        self.assertEqual(self.next_message(receiver), {"from": sender.jid, "body": body})

    def assert_no_more(self, *pages: Page) -> None:
        """Nothing came twice, and each session still is the first one."""
        for page in pages:
            self.assertEqual(page.run("iq", "urn:xmpp:ping", "ping"), "result")
            self.assertEqual(page.evaluate("messages"), [])
            self.assertIn(page.evaluate("statuses.at(-1)"), ("CONNECTED", "ATTACHED"))
            self.assertEqual(page.run("leave"), "DISCONNECTED")

    def test_registers_when_allowed_and_goes_on_to_log_in(self):
        ann = self.page()
        answers = ann.run("register", {**self.account("ann", self.near), "go_on": True})
        self.assert_registered(answers, "ann")
        self.assert_no_more(ann)

    def test_strangers_are_redirected(self):
        answers = self.page().run("register", self.account("mallory", self.far))
        self.assert_redirected(answers, "mallory")

    def test_strangers_are_redirected_and_log_in_on_the_same_stream(self):
        self.give_account("carl")
        carl = self.page()
        answers = carl.run("register", {**self.account("carl", self.far), "go_on": True})
        self.assert_refused(answers)
        self.assert_no_more(carl)

    def test_a_wrong_password_is_refused(self):
        self.give_account("dora")
        with self.assertRaisesRegex(BrowserError, "AUTHFAIL"):
            self.log_in("dora", self.far, "wrong")

    def test_messages_both_ways(self):
        erin, fred = self.two("erin", self.far, "fred")
        self.assert_arrives(erin, fred, "Hello, fred")
        self.assert_arrives(fred, erin, LONG)
        for number in range(50):
            erin.run("say", fred.jid, f"number {number}")
        bodies = [self.next_message(fred)["body"] for _ in range(50)]
        self.assertEqual(bodies, [f"number {number}" for number in range(50)])
        self.assert_no_more(erin, fred)

    def test_goes_on_after_its_connections_were_cut(self):
        relay = self.relay(STRANGER)
        gina, hans = self.two("gina", relay, "hans")
        self.assert_arrives(gina, hans, "before")
        session = gina.run("session")
        for number in range(3):
            self.assertGreater(relay.cut(), 0)
            hans.run("say", gina.jid, f"while you were away {number}")
            self.assertEqual(self.next_message(gina)["body"], f"while you were away {number}")
            self.assert_arrives(gina, hans, f"after {number}")
        self.assertEqual(gina.run("session")["sid"], session["sid"])
        self.assert_no_more(gina, hans)

    def test_repeats_requests_whose_answers_were_lost(self):
        relay = self.relay(WHITELISTED)
        ines, jack = self.two("ines", relay, "jack")
        for number in range(2):
            # The answer to the request that is held brings a message, and is lost.
            self.wait_for_held_request(ines)
            relay.lose_answers()
            jack.run("say", ines.jid, f"in a lost answer {number}")
            relay.wait_for_loss()
            self.assertGreater(relay.cut(), 0)
            self.assertEqual(self.next_message(ines)["body"], f"in a lost answer {number}")
            # A request is heard, which ends the one that is held, and that answer is lost.
            self.wait_for_held_request(ines)
            relay.lose_answers()
            self.assert_arrives(ines, jack, f"heard {number}")
            relay.wait_for_loss()
            self.assertGreater(relay.cut(), 0)
            self.assert_arrives(jack, ines, f"back {number}")
        self.assert_no_more(ines, jack)

    def test_another_page_attaches_to_the_session(self):
        relay = self.relay(STRANGER)
        kate, lars = self.two("kate", relay, "lars")
        self.assert_arrives(lars, kate, "to the first page")
        session = kate.run("session")
        kate.close()
        relay.cut()
        lars.run("say", session["jid"], "while nobody was there")
        again = self.page()
        again.jid = session["jid"]
        again.run("attach", self.bosh(relay), session)
        self.assertEqual(self.next_message(again)["body"], "while nobody was there")
        self.assert_arrives(again, lars, "from the second page")
        self.assert_arrives(lars, again, "to the second page")
        self.assert_no_more(again, lars)


if __name__ == "__main__":
    main()
