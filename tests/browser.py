"""A headless Chromium driven over a pipe by the DevTools protocol: no port, no library."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--remote-debugging-pipe", "about:blank",
)  # fmt: skip
# Chromium expects the two ends there. A program of its own moves them and then becomes Chromium,
# since no Python may run between fork and exec where libraries have started threads.
AS_3_AND_4 = """
import os, sys
low, high = (os.dup(int(end)) for end in sys.argv[1:3])
for end, place in ((low, 3), (high, 4)):
    os.dup2(end, place)
    os.set_inheritable(place, True)  # it may have been there already, as a copy for us alone
os.execv(sys.argv[3], sys.argv[3:])
"""


def found():
    """The browser of this machine, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page. Whatever it logs, throws or asks of a network is kept in `events`."""

    def __init__(self, width=1280, height=900):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self.out = os.pipe()
        self.inp, from_browser = os.pipe()

        ends = (to_browser, from_browser)
        self.process = subprocess.Popen(
            [sys.executable, "-c", AS_3_AND_4, *map(str, ends), found(), *FLAGS,
             f"--user-data-dir={self.folder.name}"],
            pass_fds=ends, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.rest, self.session, self.events = 0, b"", None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility", "DOM"):
            self.call(f"{domain}.enable")
        self.size(width, height)

    def close(self):
        self.session = None
        self.call("Browser.close")  # and with it the processes that it started
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.inp)
        self.folder.cleanup()

    def call(self, method, **params):
        """Ask, and wait for the answer; what comes meanwhile are events."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(60)
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def open(self, path, fragment=""):
        """Load a local file, and wait until it has loaded."""
        self.call("Page.navigate", url="about:blank")
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri() + fragment)
        self.wait_for("document.readyState === 'complete'")

    def wait_for(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not self.value(condition):
            assert time.monotonic() < end, f"never: {condition}"
            time.sleep(0.02)

    def value(self, expression):
        """What a JavaScript expression comes to."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def texts(self, selector):
        return self.value(
            f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent.trim())"
        )

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key, code=0, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, text=text,
                      windowsVirtualKeyCode=code)  # fmt: skip

    def tab(self):
        self.press("Tab", 9)

    def enter(self):
        self.press("Enter", 13, "\r")

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 500)  # fmt: skip

    def dark(self, on=True):
        scheme = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def script(self, on):
        self.call("Emulation.setScriptExecutionDisabled", value=not on)

    def picture(self, path):
        import base64

        answer = self.call("Page.captureScreenshot", format="png")
        Path(path).write_bytes(base64.b64decode(answer["data"]))

    def complaints(self):
        """Errors, exceptions and requests for anything but the page itself."""
        self.value("0")  # whatever was under way has been told by now
        bad = []
        for event in self.events:
            method, params = event.get("method"), event.get("params", {})
            if (
                method == "Runtime.exceptionThrown"
                or (method == "Log.entryAdded" and params["entry"]["level"] != "info")
                or method == "Runtime.consoleAPICalled"
            ):
                bad.append(params)
            if method == "Network.requestWillBeSent":
                url = params["request"]["url"]
                if not url.startswith(("file:", "data:", "about:")):
                    bad.append(url)
        return bad

    def _next(self, seconds):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.inp], [], [], seconds)
            assert ready, "the browser says nothing"
            read = os.read(self.inp, 1 << 20)
            assert read, "the browser ended"
            self.rest += read
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)
