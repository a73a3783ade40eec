#!/usr/bin/python3
"""@xmpp/client, a library for web clients, over WebSocket."""

from harness.cutting_relay import CuttingRelay
from harness.network import STRANGER, WHITELISTED
from harness.node_client import NodeClient, NodeError
from harness.processes import wait_until
from harness.web import CLIENTS, HOST, PAGES, WebScenario, main

LONG = "<&>'\" ünïcödé 🂡 " + "long " * 4000


class OverWebSocket(WebScenario):
    transport = "websocket"

    def client(self, name: str) -> NodeClient:
        return self.enterContext(NodeClient(
            self.temporary_folder(), PAGES / "websocket_client.mjs", CLIENTS,
            self.certificate.certificate, name))

    def log_in(self, user: str, relay: CuttingRelay, password: str = "pw") -> NodeClient:
        client = self.client(user)
        client.jid = client.call("log_in", service=self.websocket(relay), domain=HOST,
                                 username=user, password=password)
        self.assertTrue(client.jid.startswith(f"{user}@{HOST}/"), client.jid)
        return client

    def register(self, client: NodeClient, user: str, relay: CuttingRelay, **more) -> dict:
        return client.call("register", service=self.websocket(relay), domain=HOST, username=user,
                           password="pw", **more)

    def assert_arrives(self, sender: NodeClient, receiver: NodeClient, body: str) -> None:
        sender.call("send", to=receiver.jid, body=body)
        self.assertEqual(receiver.call("next_message"), {"from": sender.jid, "body": body})

    def test_registers_when_allowed_and_goes_on_to_log_in(self):
        ann = self.client("ann")
        outcome = self.register(ann, "ann", self.near, log_in=True)
        self.assert_registered(outcome["answers"], "ann")
        self.assertTrue(outcome["jid"].startswith(f"ann@{HOST}/"), outcome)
        self.assertEqual(ann.call("ping"), "result")
        self.assertEqual(ann.call("stop"), "offline")

    def test_strangers_are_redirected(self):
        outcome = self.register(self.client("mallory"), "mallory", self.far)
        self.assert_redirected(outcome["answers"], "mallory")

    def test_strangers_are_redirected_and_log_in_on_the_same_stream(self):
        self.give_account("carl")
        carl = self.client("carl")
        outcome = self.register(carl, "carl", self.far, log_in=True)
        self.assert_refused(outcome["answers"])
        self.assertEqual(carl.call("ping"), "result")

    def test_a_wrong_password_is_refused(self):
        self.give_account("dora")
        with self.assertRaisesRegex(NodeError, "not-authorized"):
            self.log_in("dora", self.far, password="wrong")

    def test_messages_both_ways(self):
        self.give_account("erin")
        self.give_account("fred")
        erin = self.log_in("erin", self.near)
        fred = self.log_in("fred", self.far)
        self.assert_arrives(erin, fred, "Hello, fred")
        self.assert_arrives(fred, erin, LONG)
        for number in range(50):
            erin.call("send", to=fred.jid, body=f"number {number}")
        bodies = [fred.call("next_message")["body"] for _ in range(50)]
        self.assertEqual(bodies, [f"number {number}" for number in range(50)])
        self.assertEqual(erin.call("stop"), "offline")
        self.assertEqual(fred.call("stop"), "offline")

    def resumes(self, source: str, names: tuple[str, str], break_off) -> None:
        for name in names:
            self.give_account(name)
        gina, hans = names
        relay = self.relay(source)
        gina, hans = self.log_in(gina, relay), self.log_in(hans, self.near)
        self.assert_arrives(gina, hans, "before")
        before = gina.call("status")
        gina.call("send", to=hans.jid, body="at the last moment")  # may or may not have got through
        break_off(gina, relay)
        hans.call("send", to=gina.jid, body="while you were away")
        relay.up()
        wait_until(lambda: gina.call("resumptions") == 1, "the session is resumed", 20)
        self.assertEqual(gina.call("next_message"),
                         {"from": hans.jid, "body": "while you were away"})
        self.assertEqual(hans.call("next_message")["body"], "at the last moment")
        self.assert_arrives(gina, hans, "after")
        self.assert_arrives(hans, gina, "and back")
        after = gina.call("status")
        self.assertEqual((after["id"], after["jid"]), (before["id"], before["jid"]))
        self.assertEqual(relay.connections, 2)
        for client in (gina, hans):
            self.assertEqual(client.call("other_messages"), [], "nothing came twice")
            self.assertEqual(client.call("stop"), "offline")

    def test_resumes_after_the_network_reset_the_connection(self):
        self.resumes(STRANGER, ("gina", "hans"), lambda _, relay: relay.down())

    def test_resumes_after_the_client_lost_its_socket(self):
        def drop(client: NodeClient, relay: CuttingRelay) -> None:
            relay.refuse()
            client.call("drop")

        self.resumes(WHITELISTED, ("ines", "jack"), drop)


if __name__ == "__main__":
    main()
