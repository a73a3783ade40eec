#!/usr/bin/python3
"""The harness itself, with no gate: that the comparison can fail, and that the recording upstream
and the raw client understand each other byte by byte."""

import unittest

from harness.canonical import REGISTER, SASL, canonical, parse
from harness.cutting_relay import CuttingRelay
from harness.gate import log_fields
from harness.network import STRANGER
from harness.raw_client import RawClient, stream_header
from harness.recorder import RecordingUpstream
from harness.scenario import main


class Comparison(unittest.TestCase):
    QUERY = f"<query xmlns='{REGISTER}'><instructions>T</instructions></query>"

    def test_same_meaning(self):
        one = parse(f"<iq type='result' id='a'>{self.QUERY}</iq>")
        same = parse(f'<iq id="a" type="result"><r:query xmlns:r="{REGISTER}"><r:instructions>'
                     "<![CDATA[T]]></r:instructions></r:query></iq>")
        self.assertEqual(canonical(one), canonical(same))

    def test_differences_are_seen(self):
        one = canonical(parse(f"<iq type='result' id='a'>{self.QUERY}</iq>"))
        for other in (f"<iq type='result' id='b'>{self.QUERY}</iq>",
                      f"<iq type='result' id='a' to='x'>{self.QUERY}</iq>",
                      f"<iq type='result' id='a'>{self.QUERY}<x/></iq>",
                      f"<iq type='result' id='a'>{self.QUERY} </iq>",
                      f"<iq xmlns='other' type='result' id='a'>{self.QUERY}</iq>",
                      "<iq type='result' id='a'/>"):
            self.assertNotEqual(one, canonical(parse(other)), other)


class LogLines(unittest.TestCase):
    def test_fields(self):
        fields = log_fields('time=1 event=x text="a b=c" empty= last=[::1]:5222')
        self.assertEqual(fields, {"time": "1", "event": "x", "text": "a b=c", "empty": "",
                                  "last": "[::1]:5222"})


class Recording(unittest.TestCase):
    def test_login_and_echo(self):
        for size in (1, 7, 100_000):
            with RecordingUpstream() as upstream, RawClient(upstream.port) as client:
                auth = f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>"
                client.open("a.test")
                self.assertEqual(client.ask(auth).tag, f"{{{SASL}}}success")
                client.open("a.test")
                said = "<message>ü</message>".encode() + bytes(range(256))
                for start in range(0, len(said), size):
                    client.send(said[start:start + size])
                while not client.received.endswith(said):
                    client.receive()
                header = stream_header("a.test").encode()
                self.assertEqual(upstream.everything(), header + auth.encode() + header + said)

    def test_a_nested_header_is_not_answered(self):
        with RecordingUpstream() as upstream, RawClient(upstream.port) as client:
            client.open("a.test")
            client.send("<iq id='x'/>" + stream_header("a.test"))
            auth = f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>"
            self.assertEqual(client.ask(auth).tag, f"{{{SASL}}}success")


class Relay(unittest.TestCase):
    def relayed(self, upstream: RecordingUpstream) -> tuple[CuttingRelay, RawClient]:
        relay = self.enterContext(CuttingRelay(upstream.port, STRANGER))
        client = self.enterContext(RawClient(relay.port))
        client.open("a.test")
        return relay, client

    def test_cuts(self):
        with RecordingUpstream() as upstream:
            relay, client = self.relayed(upstream)
            self.assertEqual(upstream.everything(), stream_header("a.test").encode())
            self.assertEqual(relay.down(), 1)
            self.assertRaises(ConnectionResetError, client.receive)
            with self.assertRaises(ConnectionResetError), RawClient(relay.port) as late:
                late.receive()
            relay.up()
            with RawClient(relay.port) as again:
                again.open("a.test")
            self.assertEqual(relay.connections, 2)

    def test_loses_answers(self):
        with RecordingUpstream() as upstream:
            relay, client = self.relayed(upstream)
            relay.lose_answers()
            client.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>AA==</auth>")
            relay.wait_for_loss()
            self.assertIn(b"</auth>", upstream.everything())
            relay.cut()
            self.assertRaises(ConnectionResetError, client.receive)


if __name__ == "__main__":
    main()
