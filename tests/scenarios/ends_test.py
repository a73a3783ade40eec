#!/usr/bin/python3
"""How authenticated sessions end: half-closed, closed, reset, broken; nothing is lost or made up,
and each end is said once."""

import random
import socket
import ssl
import struct
import threading

from harness.processes import wait_until
from harness.raw_tls import read_exactly, read_to_end
from harness.relaying import HOST, Relaying
from harness.scenario import main

MIB = 1 << 20
SEED = 4077


class Ends(Relaying):
    def assert_ended(self, why: str) -> None:
        """The session of this test's latest client has ended, and its end was said once."""
        def events() -> list[dict[str, str]]:
            return [event for event in self.gate.events("session_end")
                    if event["peer"] == self.source]

        wait_until(events, f"the end of {self.source}'s session")
        self.assertEqual([event["why"] for event in events()], [why])

    def test_client_half_closes_with_close_notify(self):
        """It said all it has to say; what the server still says must come, and then its end."""
        for fin in (False, True):
            with self.subTest(fin=fin):
                client, upstream = self.relaying()
                client.sendall(b"last words")
                client.close_notify(fin)
                self.assertEqual(read_to_end(upstream), b"last words")
                said = random.Random(SEED).randbytes(3 * MIB)
                threading.Thread(target=lambda sock=upstream, data=said: (
                    sock.sendall(data), sock.shutdown(socket.SHUT_WR))).start()
                self.assertTrue(read_to_end(client) == said)
                self.assertEqual(client.closed_with, "close_notify")
                client.wait_for_fin()
                self.assert_ended("client_closed")

    def test_client_half_closes_with_fin_only(self):
        client, upstream = self.relaying()
        client.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(read_to_end(upstream), b"")
        upstream.sendall(b"more")
        self.assertEqual(client.receive(), b"more")
        upstream.close()
        self.assertEqual(client.receive(), b"")
        self.assertEqual(client.closed_with, "close_notify")
        self.assert_ended("client_closed")

    def test_upstream_half_closes(self):
        for host in (HOST, f"tls.{HOST}"):
            with self.subTest(host):
                client, upstream = self.relaying(host=host)
                said = random.Random(SEED).randbytes(3 * MIB)

                def say(sock=upstream, data=said) -> None:
                    sock.sendall(data)
                    if isinstance(sock, ssl.SSLSocket):
                        sock.unwrap()
                    else:
                        sock.shutdown(socket.SHUT_WR)

                speaker = threading.Thread(target=say)
                speaker.start()
                self.assertTrue(read_to_end(client) == said)
                self.assertEqual(client.closed_with, "close_notify")
                if host == HOST:  # after its close_notify an SSLSocket can no longer read
                    client.sendall(b"and I?")
                    client.close_notify(fin=True)
                    self.assertEqual(read_to_end(upstream), b"and I?")
                else:
                    client.close_notify(fin=True)
                speaker.join()
                self.assert_ended("upstream_closed")

    def test_an_upstream_that_half_closed_still_hears_all(self):
        client, upstream = self.relaying("none")
        upstream.shutdown(socket.SHUT_WR)
        self.assertEqual(client.recv(1), b"")
        said = random.Random(SEED).randbytes(24 * MIB)

        def speak() -> None:
            client.sendall(said)
            client.shutdown(socket.SHUT_WR)

        speaker = threading.Thread(target=speak)
        speaker.start()
        self.assertTrue(read_to_end(upstream) == said)
        speaker.join()
        self.assert_ended("upstream_closed")

    def test_last_words_of_an_upstream_that_resets(self):
        """A server that closes with bytes unread resets the connection right behind what it said:
        the client hears it all the same, though it goes on talking."""
        said = b"x" * 30_000 + b"</stream:stream>"
        for round_ in range(20):
            client, upstream = self.relaying("none")
            client.sendall(b"unread")
            wait_until(lambda sock=upstream: sock.recv(6, socket.MSG_PEEK), "it arrived")
            talker = threading.Thread(target=self.talk, args=(client,))
            talker.start()
            upstream.sendall(said)
            upstream.close()
            talker.join()
            self.assertTrue(read_to_end(client) == said, round_)

    @staticmethod
    def talk(client: socket.socket) -> None:
        try:
            for _ in range(30):
                client.sendall(b"and more")
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def test_client_vanishes(self):
        """Nothing is invented: the server can keep the session for resumption (XEP-0198)."""
        for with_tls in (True, False):
            client, upstream = self.relaying("direct" if with_tls else "none")
            client.sendall(b"<message/>")
            self.assertEqual(read_exactly(upstream, 10), b"<message/>")
            plain = client.socket if with_tls else client
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            plain.close()
            self.assertEqual(read_to_end(upstream), b"")
            self.assert_ended("network_error")

    def test_client_vanishes_before_login(self):
        client, upstream = self.negotiating()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        self.assertEqual(read_to_end(upstream), b"")
        self.assert_ended("network_error")

    def test_broken_tls_ends_the_session(self):
        for begin in (self.negotiating, self.relaying):
            with self.subTest(begin.__name__):
                client, upstream = begin()
                record = bytearray(client.encrypt(b"<message/>"))
                record[-1] ^= 1
                client.socket.sendall(record)
                self.assertEqual(read_to_end(upstream), b"")
                self.assertEqual(client.receive(), b"")
                self.assertNotEqual(client.closed_with, "close_notify")
                self.assert_ended("network_error")

    def test_upstream_resets(self):
        client, upstream = self.relaying()
        upstream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        upstream.close()
        self.assertEqual(client.receive(), b"")
        client.close()
        self.assert_ended("network_error")


if __name__ == "__main__":
    main()
