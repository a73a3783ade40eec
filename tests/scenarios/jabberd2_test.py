#!/usr/bin/python3
"""jabberd2 behind the gate: a server that was not thought of when the gate was made.

It lets anybody register and sees every client come from the gate, which is the only guard.
"""

from harness.account_story import REGISTRATION, Story
from harness.certificates import make_certificate
from harness.gate import LISTENERS, Gate, host_table, run_program
from harness.jabberd2 import Jabberd2
from harness.network import STRANGER, WHITELISTED
from harness.scenario import Scenario, main

HOST = "jabberd.test"


class BehindTheGate(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Jabberd2(cls.folder, HOST))
        cls.certificate = make_certificate(cls.folder, HOST)
        cls.gate = cls.enterClassContext(Gate(cls.folder, LISTENERS + REGISTRATION
            + host_table(HOST, f"tcp://127.0.0.1:{cls.server.c2s_port}", cls.certificate)))

    def story(self) -> Story:
        return Story(self, self.gate, HOST, self.certificate)

    def test_1_accounts_live(self):
        story = self.story()
        story.run(story.accounts_live())
        story.assert_decided(WHITELISTED, "set", "whitelist", "forward")
        self.assertLessEqual({"ann", "bob"}, self.server.accounts())

    def test_2_strangers_are_redirected(self):
        story = self.story()
        story.run(story.stranger_is_redirected("starttls"))
        story.run(story.stranger_is_redirected("direct"))
        story.stranger_asks_in_bytes()
        story.assert_decided(STRANGER, "get", "default", "redirect")
        self.assertNotIn("mallory", self.server.accounts())

    def test_3_strangers_log_in(self):
        story = self.story()
        story.run(story.sign_up("carl", "pw", "direct"))
        story.run(story.stranger_logs_in("carl", "pw"))

    def test_4_check_live_says_that_the_gate_is_the_only_guard(self):
        said = run_program("check", "-c", self.gate.config_file, "--live")
        self.assertEqual(said.returncode, 1, said.stdout + said.stderr)
        self.assertIn("- logs in by PLAIN", said.stdout)
        problems = [line for line in said.stdout.splitlines() if "problem: " in line]
        self.assertEqual(problems, ["  problem: registration is open to loopback"])


if __name__ == "__main__":
    main()
