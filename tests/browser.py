"""A real Chromium, without a window: what a page shows, asks for and complains about.

Speaks the DevTools protocol over a pipe, so that no package and no port is needed.
Protocol: https://chromedevtools.github.io/devtools-protocol/, messages as JSON ended by a NUL.
"""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from dataclasses import dataclass, field

import pytest

SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-pipe", "--hide-scrollbars",
)  # fmt: skip
LONGEST_S = 60.0
EVENTS = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")


@dataclass
class Seen:
    """A page as it was shown once.

    Attributes:
        width: of the window in CSS pixels.
        scheme: `light` or `dark`.
        complaints: what stood on the console, and exceptions.
        requests: addresses that were asked for, the page's own apart.
        found: what `script` returned.
        picture: a PNG of the whole page.
    """

    width: int
    scheme: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    found: dict = field(default_factory=dict)
    picture: bytes = b""


class Browser:
    """Chromium with a profile of its own, until `close`."""

    def __init__(self, folder):
        chromium = shutil.which("chromium")
        if chromium is None:
            pytest.skip("not installed: chromium (.ci/packages installs it)")
        self._number, self._rest, self._events = 0, b"", []
        to_it, self._write = os.pipe()
        self._read, from_it = os.pipe()
        # descriptors 3 and 4 by a shell, from numbers above them so that neither covers the other
        theirs = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (to_it, from_it)]
        script = f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}'
        command = [chromium, *SWITCHES, f"--user-data-dir={folder}", "about:blank"]
        with (folder / "chromium.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", script, "chromium", *command],
                pass_fds=theirs, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        for each in (to_it, from_it, *theirs):
            os.close(each)

    def show(self, path, script="({})", *, width=1280, scheme="light", picture=False) -> Seen:
        """Open a file at some width and colour scheme, and run a script in it."""
        seen = Seen(width, scheme)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable", session)
        self._call(
            "Emulation.setDeviceMetricsOverride", session,
            width=width, height=900, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        preference = {"name": "prefers-color-scheme", "value": scheme}
        self._call("Emulation.setEmulatedMedia", session, features=[preference])
        self._events.clear()
        self._call("Page.navigate", session, url=path.as_uri())
        self._wait("Page.loadEventFired")
        seen.found = self._evaluate(session, script)
        if picture:
            size = self._call("Page.getLayoutMetrics", session)["cssContentSize"]
            shot = self._call(
                "Page.captureScreenshot", session,
                captureBeyondViewport=True, clip=size | {"scale": 1},
            )  # fmt: skip
            seen.picture = base64.b64decode(shot["data"])
        self._call("Target.closeTarget", targetId=target)
        for event in self._events:
            if event["method"] in EVENTS:
                seen.complaints.append(json.dumps(event["params"])[:500])
            elif event["method"] == "Network.requestWillBeSent":
                seen.requests.append(event["params"]["request"]["url"])
        seen.requests.remove(path.as_uri())
        return seen

    def close(self):
        """End it."""
        with contextlib.suppress(OSError, RuntimeError):
            self._call("Browser.close")
        for each in (self._read, self._write):
            os.close(each)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _evaluate(self, session, script):
        answer = self._call("Runtime.evaluate", session, expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"]["value"]

    def _call(self, method, session=None, **params):
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self._events.append(answer)

    def _wait(self, method):
        while not any(event.get("method") == method for event in self._events):
            self._events.append(self._message())

    def _message(self):
        deadline = time.monotonic() + LONGEST_S
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0, deadline - time.monotonic()))
            part = os.read(self._read, 1 << 16) if ready else b""
            if not part:
                raise RuntimeError("chromium ended or does not answer")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)
