#!/usr/bin/python3
"""Converse.js, a whole web client, in a real browser: what its users see, over WebSocket and over
BOSH. The screenshots are left in build/web/screenshots."""

import json
from urllib.parse import urlencode

from harness.account_story import TEXT, URL
from harness.chromium import Chromium, Page
from harness.cutting_relay import CuttingRelay
from harness.network import STRANGER, WHITELISTED
from harness.web import HOST, SCREENSHOTS, WebScenario, main


class Converse:
    """Over whichever transport the class below names."""

    url_setting = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = cls.enterClassContext(Chromium(cls.folder, [HOST]))

    def page(self, relay: CuttingRelay, fragment: str = "") -> Page:
        door = self.websocket if self.transport == "websocket" else self.bosh
        settings = urlencode({self.url_setting: door(relay), "domain": HOST})
        page = self.browser.page(f"{self.files.url}/pages/converse.html?{settings}{fragment}")
        self.addCleanup(page.close)
        return page

    def screenshot(self, page: Page, name: str) -> None:
        page.screenshot(SCREENSHOTS / f"{name}-{self.transport}.png")

    def log_in(self, user: str, relay: CuttingRelay, password: str = "pw") -> Page:
        page = self.page(relay, "#converse/login")
        page.type("#converse-login input[name=jid]", user)
        page.type("#converse-login input[name=password]", password)
        page.click("#converse-login [type=submit]")
        self.wait_for_log_in(page)
        return page

    def wait_for_log_in(self, page: Page) -> None:
        page.wait_for("document.querySelector('converse-user-profile') && window.available",
                      "somebody is logged in")

    def open_chat(self, page: Page, jid: str) -> None:
        page.run("openChat", jid)
        page.wait_for("document.querySelector('textarea.chat-textarea')", "a chat to write in")

    def say(self, page: Page, body: str) -> None:
        page.type("textarea.chat-textarea", body)
        page.press_enter()

    def wait_for_message(self, page: Page, body: str) -> None:
        page.wait_for("Array.from(document.querySelectorAll('.chat-msg__text'))"
                      f".some((shown) => shown.innerText.trim() === {json.dumps(body)})",
                      f"the message {body!r}")

    def test_registers_when_allowed(self):
        user = "ann"
        page = self.page(self.near, "#converse/register")
        page.type("#converse-register input[name=username]", user)
        page.type("#converse-register input[name=password]", "open-sesame")
        self.screenshot(page, "registers")
        page.click("#converse-register input[type=submit]")
        self.wait_for_log_in(page)  # it goes on by itself
        self.assertIn(user, self.server.accounts(HOST))
        self.assert_decided(WHITELISTED, "get", "forward")
        self.assert_decided(WHITELISTED, "set", "forward")
        if self.gate:
            self.assert_not_logged(self.gate.process, "open-sesame")

    def test_strangers_are_redirected(self):
        page = self.page(self.far, "#converse/register")
        page.wait_for("document.querySelector('#converse-register .instructions')?.innerText",
                      "instructions")
        self.screenshot(page, "redirected")
        self.assertEqual(page.text("#converse-register .instructions"), TEXT)
        link = "document.querySelector('#converse-register a.form-url')"
        self.assertEqual(page.evaluate(f"{link}.href"), URL)
        self.assertEqual(page.evaluate("document.querySelectorAll('#converse-register"
                                       " input[name]').length"), 0, "there is no form to fill in")
        self.assert_stranger_unheard("mallory", "get")
        # There is a button all the same. Whoever presses it is told again.
        page.click("#converse-register input[type=submit]")
        page.wait_for("document.body.innerText.includes('Registration failed')", "the refusal")
        if self.gate:
            self.assertIn(TEXT, page.text())
        self.screenshot(page, "refused")
        self.assert_stranger_unheard("mallory", "get", "set")

    def two_in_a_chat(self, first: str, relay: CuttingRelay, second: str) -> tuple[Page, Page]:
        for user in (first, second):
            self.give_account(user)
        pages = self.log_in(first, relay), self.log_in(second, self.near)
        for page, other in zip(pages, (second, first)):
            self.open_chat(page, f"{other}@{HOST}")
        return pages

    def test_chats(self):
        gwen, hugo = self.two_in_a_chat("gwen", self.far, "hugo")
        self.say(gwen, "Hello, hugo")
        self.wait_for_message(hugo, "Hello, hugo")
        self.say(hugo, "<b>Hello</b> & 'ünïcödé' 🂡")
        self.wait_for_message(gwen, "<b>Hello</b> & 'ünïcödé' 🂡")
        self.screenshot(hugo, "chats")

    def test_goes_on_after_a_dropped_connection(self):
        relay = self.relay(STRANGER)
        ines, jack = self.two_in_a_chat("ines", relay, "jack")
        self.assertGreater(relay.cut(), 0)
        self.say(jack, "while you were away")
        self.wait_for_message(ines, "while you were away")
        self.say(ines, "and here again")
        self.wait_for_message(jack, "and here again")


class OverWebSocket(Converse, WebScenario):
    transport = "websocket"
    url_setting = "websocket_url"


class OverBosh(Converse, WebScenario):
    transport = "bosh"
    url_setting = "bosh_service_url"


if __name__ == "__main__":
    main()
