#!/usr/bin/python3
"""Rule files: what matches, what then happens, and lists that change while the gate runs."""

import os
import time

from harness.canonical import stream_error_of
from harness.network import STRANGER
from harness.processes import wait_until
from harness.raw_client import Closed
from harness.ruled import GET, HOST, URL, Ruled, registration
from harness.scenario import main

PING = "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>"


class Matching(Ruled):
    def test_addresses_and_lists(self):
        gate = self.ruled("""
[lists]
office = ["127.0.1.0/24"]
spam = { file = "spam.txt" }

[[rule]]
name = "office"
from = ["@office", "127.0.2.1"]
not_from = "127.0.1.7"
action = "forward"

[[rule]]
name = "spam"
from = "@spam"
action = "refuse"
""", {"spam.txt": "# who\n127.0.3.0/24   # and why\n127.0.1.7\n"})
        self.assert_form(self.ask(gate, "127.0.1.1"))
        self.assert_form(self.ask(gate, "127.0.2.1"))
        self.assert_refused(self.ask(gate, "127.0.1.7"))
        self.assert_refused(self.ask(gate, "127.0.3.9"))
        self.assert_redirected(self.ask(gate, "127.0.2.2"))
        for peer, rule, action in (("127.0.1.1", "office", "forward"),
                                   ("127.0.1.7", "spam", "refuse"),
                                   ("127.0.2.2", "default", "redirect")):
            self.assert_decided(gate, peer=peer, host=HOST, transport="direct", request="get",
                                rule=rule, action=action)

    def test_the_first_that_matches_decides(self):
        gate = self.ruled("""
[[rule]]
name = "some"
from = "127.0.1.1"
action = "forward"
[[rule]]
name = "all"
action = "refuse"
[[rule]]
name = "never"
from = "127.0.1.2"
action = "forward"
""")
        self.assert_form(self.ask(gate, "127.0.1.1"))
        self.assert_refused(self.ask(gate, "127.0.1.2"))
        self.assertTrue(any("can never match" in event.get("message", "")
                            for event in gate.events("configuration")))

    def test_transport(self):
        gate = self.ruled('[[rule]]\nname = "doors"\ntransport = "starttls"\naction = "forward"\n')
        self.assert_form(self.ask(gate, door="starttls"))
        self.assert_redirected(self.ask(gate, door="direct"))
        self.assert_decided(gate, transport="starttls", rule="doors", action="forward")
        self.assert_decided(gate, transport="direct", rule="default", action="redirect")


class Answers(Ruled):
    def test_refuse(self):
        gate = self.ruled("""
[[rule]]
name = "no"
action = "refuse"
refusal = "forbidden"
text = "Not from {address} on {host}."
""")
        client = self.client(gate, STRANGER)
        for request in (GET, registration("good")):
            text = f"Not from {STRANGER} on {HOST}."
            self.assert_refused(client.ask(request), "forbidden", text)
        self.assertEqual(client.ask(PING).get("id"), "ping")  # the stream goes on
        self.assert_decided(gate, request="get", rule="no", action="refuse")
        self.assert_decided(gate, request="set", rule="no", action="refuse")

    def test_close(self):
        gate = self.ruled('[[rule]]\nname = "out"\naction = "close"\n')
        client = self.client(gate)
        before = len(self.upstream.everything())
        self.assertEqual(stream_error_of(client.ask(registration("good"))), "policy-violation")
        with self.assertRaises(Closed):
            client.next()
        self.assert_decided(gate, request="set", rule="out", action="close")
        self.wait_for_event(gate, "stream_error", condition="policy-violation")
        self.wait_for_event(gate, "session_end", why="refused")
        self.assertNotIn(b"<username>", self.upstream.everything()[before:])

    def test_delay(self):
        """The answer comes after it; what follows on the stream waits too, in order, and what
        others ask does not wait."""
        gate = self.ruled("""
[[rule]]
name = "slow"
from = "127.0.1.1"
action = "refuse"
delay = "700ms"
""")
        client, other = self.client(gate, "127.0.1.1"), self.client(gate, "127.0.1.2")
        began = time.monotonic()
        client.send(GET + PING + registration("good"))
        self.assert_redirected(other.ask(GET))
        self.assertEqual(client.received.count(b"id='get'"), 0)
        self.assertEqual(client.next().get("id"), "get")
        self.assertGreaterEqual(time.monotonic() - began, 0.7)
        self.assertEqual(client.next().get("id"), "ping")
        self.assert_refused(client.next())
        self.assertGreaterEqual(time.monotonic() - began, 1.4)

    def test_delay_before_close(self):
        gate = self.ruled('[[rule]]\nname = "out"\naction = "close"\ndelay = "500ms"\n')
        client = self.client(gate)
        began = time.monotonic()
        self.assertEqual(stream_error_of(client.ask(GET)), "policy-violation")
        self.assertGreaterEqual(time.monotonic() - began, 0.5)

    def test_a_client_that_does_not_wait_for_its_answer(self):
        gate = self.ruled('[[rule]]\nname = "slow"\naction = "refuse"\ndelay = "30s"\n')
        client = self.client(gate)
        client.send(GET)
        self.assert_decided(gate, rule="slow")
        client.reset()
        self.wait_for_event(gate, "session_end")

    def test_text_by_language(self):
        gate = self.ruled("""
[[rule]]
name = "words"
action = "redirect"
text = { en = "Go to {url} ({lang})", de = "Besuchen Sie {url}", pt-BR = "Visite {url}" }
""")
        client = self.client(gate, header=" xml:lang='de-AT'")
        self.assert_redirected(client.ask(GET), f"Besuchen Sie {URL}")
        for lang, text in (("en", f"Go to {URL} (en)"), ("pt-BR", f"Visite {URL}"),
                           ("xx", f"Go to {URL} (xx)")):
            asked = GET.replace("id='get'", f"id='get' xml:lang='{lang}'")
            with self.subTest(lang=lang):
                self.assert_redirected(client.ask(asked), text)


class Quotas(Ruled):
    RULES = """
[[rule]]
name = "some"
quota = { count = 2, per = "1h", by = "address" }
action = "forward"
"""

    def succeed(self, gate, source: str) -> None:
        self.assertEqual(self.ask(gate, source, registration("good")).get("type"), "result")

    def test_by_address(self):
        gate = self.ruled(self.RULES)
        for _ in range(4):
            self.assert_form(self.ask(gate, "127.0.1.1"))  # asking costs nothing
        for _ in range(3):
            refused = self.ask(gate, "127.0.1.1", registration("taken"))
            self.assert_refused(refused, "conflict")  # nor does what the server refuses
        self.succeed(gate, "127.0.1.1")
        self.succeed(gate, "127.0.1.1")
        self.assert_refused(self.ask(gate, "127.0.1.1", registration("good")))
        self.assert_redirected(self.ask(gate, "127.0.1.1"))
        self.succeed(gate, "127.0.1.2")
        self.assert_decided(gate, peer="127.0.1.1", request="set", rule="some", action="forward")
        self.assert_decided(gate, peer="127.0.1.1", request="set", rule="default",
                            action="redirect")

    def test_one_at_a_time_on_one_stream(self):
        gate = self.ruled(self.RULES)
        client = self.client(gate, "127.0.1.1")
        client.send(registration("good") * 3)
        self.assertEqual([client.next().get("type") for _ in range(3)],
                         ["result", "result", "error"])

    def test_many_at_once(self):
        """An attempt under way takes its place before it is answered; one that fails gives it
        back."""
        gate = self.ruled(self.RULES)
        first, second, third = (self.client(gate, "127.0.1.1") for _ in range(3))
        for client in (first, second):
            client.send(registration("unanswered"))
        self.wait_for_attempts("unanswered", 2)
        self.assert_refused(third.ask(registration("good")))
        answers = self.upstream.connections[-3]  # the first one's
        answers.send(b"<iq type='error' id='set'><error type='cancel'/></iq>")
        self.assertEqual(first.next().get("type"), "error")
        self.assertEqual(third.ask(registration("good")).get("type"), "result")

    def test_who_hangs_up_has_used_it(self):
        gate = self.ruled(self.RULES)
        for number in (1, 2):
            client = self.client(gate, "127.0.1.1")
            client.send(registration("silence"))
            self.wait_for_attempts("silence", number)
            client.reset()
        wait_until(lambda: len(gate.events("session_end")) == 2, "the gate sees both leave")
        self.assert_refused(self.ask(gate, "127.0.1.1", registration("good")))

    def wait_for_attempts(self, user: str, count: int) -> None:
        wait_until(lambda: self.upstream.everything().count(user.encode()) == count,
                   f"{count} attempts reach the upstream")

    def test_a_set_without_an_id(self):
        """Nobody could tell its answer from another's, so it is not forwarded."""
        gate = self.ruled(self.RULES)
        for extra in ("", "id=''"):
            refused = self.ask(gate, "127.0.1.1", registration("good", extra))
            self.assertEqual(refused.get("type"), "error")
            self.assertIn("bad-request", str([child.tag for child in refused.iter()]))
        self.succeed(gate, "127.0.1.1")


class Lists(Ruled):
    RULES = """
[lists]
friends = { file = "friends.txt" }
[[rule]]
name = "friends"
from = "@friends"
action = "forward"
"""
    OLD, NEW = "127.0.1.1", "127.0.1.2"

    def setUp(self):
        self.gate = self.ruled(self.RULES, {"friends.txt": f"{self.OLD}\n"})
        self.file = self.place / "friends.txt"
        self.assert_form(self.ask(self.gate, self.OLD))
        self.assert_redirected(self.ask(self.gate, self.NEW))

    def replace(self, text: str) -> None:
        new = self.place / "friends.new"
        new.write_text(text)
        os.replace(new, self.file)

    def read_again(self, entries: str) -> None:
        event = self.wait_for_event(self.gate, "list_reloaded", entries=entries)
        self.assertEqual(event["list"], "friends")
        self.assertEqual(event["file"], str(self.file))

    def test_replaced_by_renaming(self):
        open_since = self.client(self.gate, self.NEW)
        self.replace(f"{self.NEW}\n127.0.1.3\n")
        self.read_again("2")
        self.assert_form(self.ask(self.gate, self.NEW))
        self.assert_form(open_since.ask(GET))  # open streams too
        self.assert_redirected(self.ask(self.gate, self.OLD))

    def test_written_in_place(self):
        self.file.write_text(f"{self.OLD}\n{self.NEW}\n127.0.1.3\n")
        self.read_again("3")
        for source in (self.OLD, self.NEW):
            self.assert_form(self.ask(self.gate, source))

    def test_a_broken_line(self):
        self.replace(f"{self.OLD}\n\nnot an address\n{self.NEW}\n")
        self.read_again("2")
        warning = self.wait_for_event(self.gate, "list", level="warning")
        self.assertEqual((warning["file"], warning["line"]), (str(self.file), "3"))
        self.assertIn("not an address", warning["message"])
        self.assert_form(self.ask(self.gate, self.NEW))

    def test_a_vanished_file(self):
        self.file.unlink()
        warning = self.wait_for_event(self.gate, "list", level="warning")
        self.assertIn("friends.txt", warning["message"])
        self.assert_form(self.ask(self.gate, self.OLD))
        self.replace(f"{self.NEW}\n127.0.1.3\n127.0.1.4\n")
        self.read_again("3")
        self.assert_redirected(self.ask(self.gate, self.OLD))
        self.assert_form(self.ask(self.gate, self.NEW))


if __name__ == "__main__":
    main()
