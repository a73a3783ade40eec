"""Headless Chromium, driven over its DevTools protocol through a pair of pipes: no port, no driver.

    with Chromium(folder, ["web.test"]) as browser:
        page = browser.page("http://127.0.0.1:8000/")
        page.wait_for("document.querySelector('h1')", "a heading")
"""

import base64
import fcntl
import json
import os
import select
import time
from pathlib import Path

from .processes import Process, wait_until

PROGRAM = "chromium"
_TIMEOUT = 30.0
# The protocol's pipes are the browser's descriptors 3 and 4, and until then out of the way.
_WITH_PIPES = 'exec "${@:3}" 3<&"$1" 4>&"$2"'
_OUT_OF_THE_WAY = 20


class BrowserError(Exception):
    """The browser, or a script in a page, said no."""


class Chromium:
    """A context manager. `names` lead to loopback, every other name nowhere."""

    def __init__(self, folder: Path, names: list[str], name: str = "chromium"):
        resolve = [f"MAP {host} 127.0.0.1" for host in names]
        resolve += ["MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"]
        profile = folder / f"{name}-profile"
        profile.mkdir()
        self._flags = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors",
            "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
            "--disable-backgrounding-occluded-windows", "--lang=en", "--no-proxy-server",
            "--log-level=3",  # there is no desktop bus, and it says so at length
            f"--user-data-dir={profile}", "--host-resolver-rules=" + ", ".join(resolve),
            "--remote-debugging-pipe", "about:blank"]
        # The profile is also its home: nothing is left elsewhere.
        self.process = Process(name, [], folder, {"HOME": str(profile), "XDG_CONFIG_HOME": "",
                                                  "XDG_CACHE_HOME": ""})
        self._number = 0
        self._received = b""
        self._events: list[dict] = []

    def __enter__(self) -> "Chromium":
        browser_reads, self._commands = os.pipe()
        self._answers, browser_writes = os.pipe()
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
                  for end in (browser_reads, browser_writes)]
        self.process.argv = ["bash", "-c", _WITH_PIPES, "bash", *map(str, theirs), PROGRAM,
                             *self._flags]
        self.process.streams["pass_fds"] = theirs
        try:
            self.process.start()
        finally:
            for end in (browser_reads, browser_writes, *theirs):
                os.close(end)
        try:
            self.call("Browser.getVersion")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        try:
            if self.process.running():
                self.call("Browser.close", timeout=5)
                self.process.wait(10)
        except Exception:
            pass  # it is ended below, whatever it does
        finally:
            self.process.stop()
            os.close(self._commands)
            os.close(self._answers)

    def page(self, url: str, width: int = 1000, height: int = 760) -> "Page":
        """A new page with storage of its own, as another person's browser."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, target["targetId"], attached["sessionId"])
        page.call("Page.enable")
        page.call("Runtime.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        page.open(url)
        return page

    def call(self, method: str, session: str | None = None, timeout: float = _TIMEOUT,
             **parameters) -> dict:
        """One command of the protocol, and its answer."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            message = self._next(deadline, method)
            if message.get("id") == command["id"]:
                break
            if "method" in message:
                self._events.append(message)
        if "error" in message:
            raise BrowserError(f"{method}: {message['error']}")
        return message["result"]

    def events(self, session: str) -> list[dict]:
        """What pages of that session reported up to the last answer."""
        return [event for event in self._events if event.get("sessionId") == session]

    def _next(self, deadline: float, what: str) -> dict:
        while b"\0" not in self._received:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                raise TimeoutError(f"the browser did not answer {what}")
            data = os.read(self._answers, 1 << 20)
            if not data:
                raise BrowserError(f"the browser ended:\n{self.process.log()[-2000:]}")
            self._received += data
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)


class Page:
    def __init__(self, browser: Chromium, target: str, session: str):
        self._browser, self._session = browser, session
        self._target: str | None = target

    def call(self, method: str, **parameters) -> dict:
        return self._browser.call(method, self._session, **parameters)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait_for(f"location.href.startsWith({json.dumps(url.partition('#')[0])})"
                      " && document.readyState === 'complete'", f"{url} is loaded")

    def evaluate(self, expression: str):
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                           returnByValue=True, userGesture=True)
        if details := answer.get("exceptionDetails"):
            said = details.get("exception", {}).get("description") or details["text"]
            raise BrowserError(f"{said}\nin {expression[:300]}")
        return answer["result"].get("value")

    def run(self, function: str, *arguments):
        """Calls a global function of the page with these, by value."""
        return self.evaluate(f"{function}({', '.join(map(json.dumps, arguments))})")

    def wait_for(self, expression: str, what: str, timeout: float = 20.0) -> None:
        try:
            wait_until(lambda: self.evaluate(f"Boolean({expression})"), what, timeout)
        except TimeoutError as late:
            shown = self.evaluate("document.body.innerText.slice(0, 2000)")
            raise TimeoutError(f"{late}; the page shows:\n{shown}\n{self.console()}") from None

    def text(self, selector: str = "body") -> str:
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def click(self, selector: str) -> None:
        element = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(f"{element} !== null", f"there is {selector}")
        self.evaluate(f"{element}.click()")

    def type(self, selector: str, text: str) -> None:
        """Puts the cursor there and types, as a keyboard would."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(f"{element} !== null", f"there is {selector}")
        self.evaluate(f"{element}.focus(), {element}.select?.()")
        self.call("Input.insertText", text=text)

    def press_enter(self) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r",
                      windowsVirtualKeyCode=13)

    def screenshot(self, file: Path) -> Path:
        """As it looks when everything has faded in."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.evaluate("""document.getAnimations().forEach((animation) => {
            if (Number.isFinite(animation.effect.getComputedTiming().endTime)) animation.finish();
        })""")
        data = self.call("Page.captureScreenshot", format="png")["data"]
        file.write_bytes(base64.b64decode(data))
        return file

    def console(self) -> str:
        """What scripts said and what went wrong in them, for the report after a failure."""
        lines = []
        for event in self._browser.events(self._session):
            if event["method"] == "Runtime.consoleAPICalled":
                words = (str(word.get("value", word.get("description", "")))
                         for word in event["params"]["args"])
                lines.append(" ".join(words))
            elif event["method"] == "Runtime.exceptionThrown":
                details = event["params"]["exceptionDetails"]
                lines.append(details.get("exception", {}).get("description", details["text"]))
        return "\n".join(lines[-40:])

    def close(self) -> None:
        """Once or more often."""
        if self._target:
            self._browser.call("Target.closeTarget", targetId=self._target)
            self._target = None
