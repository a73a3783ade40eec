#!/usr/bin/python3
"""The status page in a real browser: what it shows, that it asks nobody else, and that it can be read
on a phone. The screenshots are left in build/web/screenshots."""

import os
import shutil

from harness import scenario
from harness.admin import admin_address
from harness.chromium import PROGRAM, Chromium, Page
from harness.gate import LISTENERS
from harness.network import STRANGER
from harness.ruled import GET, HOST, Ruled, registration
from harness.web import SCREENSHOTS

RULES = """
[[rule]]
name = "<b>office</b> & friends"
from = "127.0.1.0/24"
action = "forward"
"""
_SKIPPED = 77  # what ctest is told to take for "skipped"


class StatusPage(Ruled):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = cls.enterClassContext(Chromium(cls.folder, []))

    def setUp(self):
        super().setUp()
        head = LISTENERS.replace("[server]", '[server]\nadmin = "127.0.0.1:0"')
        self.gate = self.ruled(RULES, head=head)
        self.url = f"http://{admin_address(self.gate)}/"

    def page(self, width: int = 1200, height: int = 1300) -> Page:
        page = self.browser.page(self.url, width, height)
        self.addCleanup(page.close)
        page.wait_for("document.getElementById('state').textContent === 'accepting'",
                      "it shows the status")
        return page

    def rows(self, page: Page, table: str) -> list[list[str]]:
        return page.evaluate(f"[...document.querySelectorAll('#{table} tbody tr')]"
                             ".map((row) => [...row.cells].map((cell) => cell.textContent))")

    def test_shows_what_happens(self):
        page = self.page()
        self.assertEqual(self.rows(page, "decisions"), [["none yet"]])
        with self.client(self.gate, STRANGER) as client:
            self.assert_redirected(client.ask(GET))
            self.assert_form(self.ask(self.gate, "127.0.1.1"))
            self.assert_refused(client.ask(registration("good")))
            page.wait_for("document.querySelectorAll('#decisions tbody tr').length === 3",
                          "three decisions, by itself")
            # What an operator wrote is shown as it was written.
            name = "<b>office</b> & friends"
            self.assertEqual([row[1:] for row in self.rows(page, "decisions")],
                             [[HOST, "default", "redirect", "set", "direct TLS", "127.0.0.0/24"],
                              [HOST, name, "forward", "get", "direct TLS", "127.0.1.0/24"],
                              [HOST, "default", "redirect", "get", "direct TLS", "127.0.0.0/24"]])
            self.assertEqual(self.rows(page, "rules"),
                             [[HOST, name, "forward", "1", "0"],
                              [HOST, "default", "redirect", "1", "1"]])
            self.assertIn(["direct TLS", "0", "1", "0"], self.rows(page, "connections"))
        captions = page.evaluate("[...document.querySelectorAll('figcaption .dim')]"
                                 ".map((most) => most.textContent)")
        self.assertRegex(captions[0], r"^at most [123] a minute$")
        self.assertEqual(captions[3], "at most 0 B a minute")
        self.assertEqual(page.evaluate("[999, 1500, 2e6].map((size) => short(size, 'B'))"),
                         ["999 B", "1.5 kB", "2.0 MB"])
        self.assertEqual(self.rows(page, "certificates")[0][0], HOST)
        self.assertEqual(self.rows(page, "upstreams")[0][1],
                         f"tcp://127.0.0.1:{self.upstream.port}")
        page.screenshot(SCREENSHOTS / "status-light.png")
        page.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark"}])
        page.screenshot(SCREENSHOTS / "status-dark.png")
        dark, light = (page.evaluate("getComputedStyle(document.body).backgroundColor"),
                       self.page().evaluate("getComputedStyle(document.body).backgroundColor"))
        self.assertNotEqual(dark, light)
        self.assertEqual(page.console(), "")

    def test_asks_nobody_else(self):
        page = self.page()
        asked = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
        self.assertEqual(set(asked), {self.url + "status.json"})
        refused_by = page.evaluate("""new Promise((refused) => {
            addEventListener("securitypolicyviolation", (event) => refused(event.violatedDirective));
            fetch("http://127.0.0.2/").catch(() => {});
        })""")
        self.assertEqual(refused_by, "connect-src", "its policy would not let it")

    def test_can_be_read_on_a_phone(self):
        for _ in range(3):
            self.ask(self.gate, STRANGER)
        page = self.page(390, 1900)
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 390)
        page.screenshot(SCREENSHOTS / "status-phone.png")

    def test_says_when_nobody_answers(self):
        page = self.page()
        self.gate.terminate()
        self.gate.process.wait()
        page.wait_for("document.getElementById('state').className === 'lost'", "it says so")


def main() -> None:
    if shutil.which(PROGRAM) is None:
        print(f"SKIPPED: there is no program `{PROGRAM}`", flush=True)
        raise SystemExit(1 if os.environ.get("CI") else _SKIPPED)
    scenario.main()


if __name__ == "__main__":
    main()
