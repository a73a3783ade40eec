"""A client library that people use (slixmpp), made to choose its source address."""

import asyncio
import logging
from pathlib import Path

for chatty in ("slixmpp", "asyncio"):  # before the import, which logs, too
    logging.getLogger(chatty).setLevel(logging.CRITICAL)

import slixmpp  # noqa: E402
from slixmpp.exceptions import IqError  # noqa: E402

from .network import WHITELISTED  # noqa: E402

TIMEOUT = 15


class Client(slixmpp.ClientXMPP):
    """One client of one account. sign_up() or log_in(), then leave()."""

    def __init__(self, jid: str, password: str, port: int, ca: Path, direct_tls: bool = False,
                 source: str = WHITELISTED):
        super().__init__(jid, password)
        self.ca_certs = str(ca)
        self._port, self._direct_tls, self._source = port, direct_tls, source
        for plugin in ("xep_0030", "xep_0066", "xep_0077", "xep_0199"):
            self.register_plugin(plugin)
        self["xep_0077"].create_account = False
        self.transcript: list[tuple[str, str]] = []  # ("sent" or "received", a registration iq)
        self.add_filter("out", lambda stanza: self._note("sent", stanza))
        self.add_filter("in", lambda stanza: self._note("received", stanza))
        self.messages: asyncio.Queue = asyncio.Queue()
        self.add_event_handler("message", self.messages.put_nowait)

    def _note(self, direction: str, stanza):
        if isinstance(stanza, slixmpp.Iq) and not self._session_started:
            self.transcript.append((direction, str(stanza)))
        return stanza

    async def _connect_routine(self) -> None:
        """As the library's own, without looking up names and from the chosen address."""
        self.event_when_connected = "connected"
        await self.loop.create_connection(
            lambda: self,
            "127.0.0.1",
            self._port,
            ssl=self.get_ssl_context() if self._direct_tls else None,
            server_hostname=self.boundjid.host if self._direct_tls else None,
            local_addr=(self._source, 0),
        )

    def _connect(self) -> None:
        self.connect(("127.0.0.1", self._port), use_ssl=self._direct_tls,
                     force_starttls=not self._direct_tls, disable_starttls=self._direct_tls)

    async def log_in(self) -> None:
        started = asyncio.ensure_future(self.wait_until("session_start", TIMEOUT))
        failed = asyncio.ensure_future(self.wait_until("failed_auth", TIMEOUT))
        self._connect()
        done, _ = await asyncio.wait({started, failed}, timeout=TIMEOUT,
                                     return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        failed.cancel()
        if started not in done:
            await self.leave()
            raise ConnectionError("the server did not let the client in")
        started.result()
        await self.get_roster(timeout=TIMEOUT)
        self.send_presence()

    async def sign_up(self) -> "SignUp":
        """Asks for the registration form when the server offers one, and answers it with a `set`.
        The connection ends after it."""
        outcome: asyncio.Future = asyncio.get_running_loop().create_future()

        async def register(form) -> None:
            attempt = SignUp(form)
            request = self.Iq(stype="set")
            request["register"]["username"] = self.boundjid.user
            request["register"]["password"] = self.password
            try:
                await request.send(timeout=TIMEOUT)
            except IqError as refused:
                attempt.error = refused.iq
            if not outcome.done():
                outcome.set_result(attempt)

        # Debian's slixmpp 1.8.3 holds every iq but the one that binds until the session has begun
        self._always_send_everything = True
        self["xep_0077"].create_account = True
        self.add_event_handler("register", register)
        self._connect()
        try:
            return await asyncio.wait_for(outcome, TIMEOUT)
        finally:
            await self.leave()

    async def change_password(self, password: str) -> None:
        await self["xep_0077"].change_password(password, jid=self.boundjid.host, timeout=TIMEOUT)

    async def next_message(self) -> slixmpp.Message:
        return await asyncio.wait_for(self.messages.get(), TIMEOUT)

    async def leave(self) -> None:
        self.cancel_connection_attempt()
        if self.transport is not None:
            await asyncio.wait_for(self.disconnect(wait=1), TIMEOUT)


class SignUp:
    """What came of asking: the form (the answer to `get`), and the error of the `set` if any."""

    def __init__(self, form: slixmpp.Iq):
        self.form = form
        self.error: slixmpp.Iq | None = None

    @property
    def instructions(self) -> str:
        return self.form["register"]["instructions"]

    @property
    def url(self) -> str:
        return self.form["register"]["oob"]["url"]

    @property
    def fields(self) -> set[str]:
        return set(self.form["register"]["fields"])
