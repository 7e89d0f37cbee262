"""A headless Chromium with one page, driven by playwright; the browser itself is the machine's."""

import json
import shutil

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


def found():
    """The browser of this machine, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page. What it logs, throws or asks of a network is kept in `complaints`."""

    def __init__(self):
        self.driver = sync_playwright().start()
        self.chromium = self.driver.chromium.launch(executable_path=found(), args=FLAGS)
        self.page = self.chromium.new_page()
        self.devtools = self.page.context.new_cdp_session(self.page)
        self.complaints = []
        self.size(1280, 900)
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)

    def close(self):
        self.chromium.close()
        self.driver.stop()

    def open(self, path, fragment=""):
        """Load a local file, and wait until it has loaded."""
        self.page.goto("about:blank")
        self.complaints.clear()
        self.page.goto(path.as_uri() + fragment)

    def value(self, expression):
        """What a JavaScript expression comes to, out of the page's own reach."""
        answer = self.devtools.send(
            "Runtime.evaluate", {"expression": expression, "returnByValue": True}
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def texts(self, selector):
        return self.value(
            f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent.trim())"
        )

    def type(self, text):
        self.page.keyboard.insert_text(text)

    def press(self, key):
        self.page.keyboard.press(key)

    def size(self, width, height):
        """A window of that size; a narrow one is a phone's."""
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.devtools.send("Emulation.setDeviceMetricsOverride", screen)

    def script(self, on):
        self.devtools.send("Emulation.setScriptExecutionDisabled", {"value": not on})

    def _asked(self, request):
        if not request.url.startswith(("file:", "data:", "about:")):
            self.complaints.append(request.url)
