"""A real browser: Debian's chromium, driven by its chromium-driver through W3C WebDriver. Nothing but Python's own library, so
that it also runs by itself in a network namespace: `python3 browser.py URL OUTCOME [REMARK]` answers by the page at URL."""
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from ports import free_port

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PATIENCE = 120  # seconds
TAB, SPACE, DOWN, ENTER = "\ue004", " ", "\ue015", "\ue007"


def missing():
    """Why there is no browser; None: there is one."""
    for program, package in (("chromedriver", "chromium-driver"), ("chromium", "chromium")):
        if not shutil.which(program):
            return f"{program} is not installed (Debian's package {package})"
    return None


class Browser:
    def __init__(self, width=1280, height=900, dark=False, authority=None):
        self.folder = tempfile.mkdtemp(prefix="comity-browser-")
        port = free_port()
        self.log = open(f"{self.folder}/log", "wb")
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=self.log, stderr=self.log)
        self.base, self.session = f"http://127.0.0.1:{port}", None
        try:
            self.start(width, height, dark, authority)
        except BaseException:
            self.close()
            raise

    def start(self, width, height, dark, authority):
        # A machine for tests has no sandbox to give, and a small /dev/shm.
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--no-proxy-server",
                     f"--window-size={width},{height}", f"--user-data-dir={self.folder}/profile"]
        if dark:
            arguments.append("--force-dark-mode")  # the preference of a dark system; pages are asked, not inverted
        if authority:
            arguments.append(f"--ignore-certificate-errors-spki-list={authority}")
        options = {"args": arguments, "mobileEmulation": {"deviceMetrics": {"width": width, "height": height,
                                                                           "pixelRatio": 1.0}}} if width < 600 else {"args": arguments}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        until = time.monotonic() + PATIENCE
        while self.session is None:
            try:
                self.session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
            except urllib.error.URLError:
                if self.driver.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.05)
        if dark:
            self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])

    def ask(self, method, path, body=None):
        prefix = f"/session/{self.session}" if self.session else ""
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + prefix + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as e:
            raise RuntimeError(json.load(e)["value"]["message"]) from None

    def devtools(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, url):
        self.ask("POST", "/url", {"url": url})

    @property
    def url(self):
        return self.ask("GET", "/url")

    def run(self, script, *arguments):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        return self.ask("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def text(self):
        return self.run("return document.body.innerText")

    def find(self, selector):
        return self.ask("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.ask("POST", f"/element/{self.find(selector)}/click")

    def type(self, selector, text):
        self.ask("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def keys(self, *keys):
        """To whatever has the focus, as a keyboard sends them."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def focus(self):
        """What has the focus: its id, else its name, else its tag."""
        return self.run("const e = document.activeElement; return e.id || e.name || e.tagName.toLowerCase()")

    def screenshot(self, path):
        """The whole page."""
        shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        with open(path, "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    def complaints(self):
        """What the browser's console has: a broken policy, a missing file."""
        return [line["message"] for line in self.ask("POST", "/se/log", {"type": "browser"})]

    def close(self):
        try:
            if self.session:
                self.ask("DELETE", "")
        except (OSError, RuntimeError):
            pass
        self.driver.terminate()
        try:
            self.driver.wait(20)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()


def answer(url, outcome, remark="", authority=None):
    """As a person would: reads, chooses, writes, sends. Gives what the page says then."""
    with Browser(authority=authority) as b:
        b.open(url)
        b.click(f"label[for={outcome}], label:has(#{outcome})")
        if remark:
            b.type("#text", remark)
        b.click("button[type=submit]")
        until = time.monotonic() + PATIENCE
        while "?" not in b.url and time.monotonic() < until:
            time.sleep(0.05)
        return b.text()


if __name__ == "__main__":
    print(answer(sys.argv[1], sys.argv[2], *sys.argv[3:]))
