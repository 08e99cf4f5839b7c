"""Debian's Chromium, driven over the pipe of its own protocol: no driver and no package between.

A Page keeps what its console said and what its policy stopped; a test asks that there be nothing.
Waiting is for what the page shows, by a promise in the page that is kept when the page changes.
"""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import threading

from .program import LIMIT_S, Waiter

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--metrics-recording-only",
    "--password-store=basic",
    "--use-mock-keychain",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
    "--remote-debugging-pipe",
]

# Calls back when `holds` does; looks again whenever the page changes, and at each turn of it.
WAIT = """
new Promise((done) => {
  const holds = () => { try { return (%s); } catch { return false; } };
  const seen = () => {
    const found = holds();
    if (!found) return false;
    observer.disconnect();
    clearInterval(again);
    done(found);
    return true;
  };
  const observer = new MutationObserver(seen);
  observer.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
  const again = setInterval(seen, 200);
  seen();
})
"""


def find_chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


def far_end(reads, writes, which):
    """The browser's end of a pipe away from the descriptors that it is to have there."""
    ends = [reads, writes]
    moved = fcntl.fcntl(ends[which], fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(ends[which])
    ends[which] = moved
    return ends


class Browser:
    name = "chromium"

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="drover-browser-")
        out_read, self.out = far_end(*os.pipe(), 0)
        self.incoming, in_write = far_end(*os.pipe(), 1)
        # The browser reads descriptor 3 and writes descriptor 4.
        script = f"exec 3<&{out_read} 4>&{in_write} {out_read}<&- {in_write}>&-; exec \"$@\""
        command = [find_chromium(), *FLAGS, f"--user-data-dir={self.folder}", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", script, "chromium", *command],
            pass_fds=(out_read, in_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.folder},
            start_new_session=True,
        )
        os.close(out_read)
        os.close(in_write)
        self.waiter = Waiter()
        self.answers = {}
        self.handlers = {}  # by session
        self.last_id = 0
        self.ended = False
        self.lock = threading.Lock()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        rest = b""
        while piece := os.read(self.incoming, 1 << 16):
            *messages, rest = (rest + piece).split(b"\0")
            for raw in messages:
                self.take(json.loads(raw))
        with self.waiter.changed:
            self.ended = True
            self.waiter.changed.notify_all()

    def take(self, message):
        if "id" in message:
            with self.waiter.changed:
                self.answers[message["id"]] = message
                self.waiter.changed.notify_all()
        elif message.get("sessionId") in self.handlers:
            self.handlers[message["sessionId"]](message["method"], message["params"])

    def call(self, method, session=None, **params):
        with self.lock:
            self.last_id += 1
            number = self.last_id
            message = {"id": number, "method": method, "params": params}
            if session:
                message["sessionId"] = session
            os.write(self.out, json.dumps(message).encode() + b"\0")

        def answered():
            assert not self.ended, "the browser ended"
            return self.answers.pop(number, None)

        answer = self.waiter.until(answered, f"the browser's answer to {method}")
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def page(self, **options):
        return Page(self, **options)

    def stop(self):
        if not self.ended:
            self.call("Browser.close")
        self.process.wait(LIMIT_S)
        os.close(self.out)
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    """A tab with storage of its own. `dark`, `width` and `height` are what its reader has."""

    def __init__(self, browser, dark=False, width=1280, height=900):
        self.browser = browser
        self.said = []  # errors of the console, of scripts and of the policy
        self.forgiven = []
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call(
            "Target.createTarget", url="about:blank", browserContextId=self.context
        )["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        browser.handlers[self.session] = self.hear
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def hear(self, method, params):
        if method == "Runtime.exceptionThrown":
            self.said.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.said.append(f"{params['type']}: {params['args']}")
        elif method == "Log.entryAdded":
            self.said.append(f"{params['entry']['source']}: {params['entry']['text']}")

    def forgive(self, *words):
        """What a test brings about itself."""
        self.forgiven += words

    def forgives(self, said):
        return any(words in said for words in self.forgiven)

    def open(self, url):
        failed = self.call("Page.navigate", url=url).get("errorText")
        assert not failed, f"{url}: {failed}"
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script, wait=False):
        """The value of an expression of the page."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=wait, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression):
        """Until it is true of the page; what it was."""
        try:
            return self.run(WAIT % expression, wait=True)
        except AssertionError:
            raise AssertionError(f"never true: {expression}\n{self.text()}\n{self.said}") from None

    def text(self, selector="body"):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText")

    def texts(self, selector):
        """Of each element that matches, as it is in the document."""
        find = f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)"
        return self.run(find)

    def click(self, selector):
        """By a real pointer, so that what lies above it would be hit in its stead."""
        where = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            "return {x: b.x + b.width / 2, y: b.y + b.height / 2}; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **where
            )

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key, code=0, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    def heap_bytes(self):
        """Of the page's scripts, after what nobody needs is gone."""
        for _ in range(2):
            self.call("HeapProfiler.collectGarbage")
        return self.call("Runtime.getHeapUsage")["usedSize"]

    def counts(self):
        return self.call("Memory.getDOMCounters")

    def shoot(self, path, whole=True):
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=whole, format="png")
        path.write_bytes(base64.b64decode(picture["data"]))

    def close(self):
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)
