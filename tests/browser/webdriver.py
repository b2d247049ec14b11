"""A headless Chromium driven over HTTP (W3C WebDriver), with nothing but Python's standard library."""
import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


SKIPPED = 77  # what a test answers where there is no browser


def require_browser():
    """Ends a test as skipped where there is no browser."""
    if not shutil.which("chromedriver"):
        print("skipped: expected chromedriver (Debian: chromium-driver); script/bootstrap installs it")
        sys.exit(SKIPPED)


class Browser:
    """One Chromium with a profile of its own; use as a context manager."""

    def __init__(self, patience=1.0):
        """patience: times the seconds that are waited for what a page should become."""
        self.patience = patience
        self.session = None
        self.profile = tempfile.mkdtemp(prefix="fokker-browser-")
        self.port = free_port()
        # With a home of its own the browser leaves no traces and heeds no settings of the user.
        environment = dict(os.environ, HOME=self.profile, XDG_CONFIG_HOME=self.profile)
        # No proxy of the environment: the driver is on this machine.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.driver = subprocess.Popen(["chromedriver", f"--port={self.port}", "--log-level=SEVERE"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                self.call("GET", "/status")
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise RuntimeError("chromedriver does not answer")
                time.sleep(0.1)
        options = {"args": ARGUMENTS + [f"--user-data-dir={self.profile}/profile"],
                   "perfLoggingPrefs": {"enableNetwork": True, "enablePage": True}}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options,
                        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = answer["sessionId"]

    def __exit__(self, *_):
        if self.session:
            try:
                self.command("DELETE", "")
            except (OSError, RuntimeError):
                pass
        self.driver.terminate()
        self.driver.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with self.opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error).get("value", {})
            raise RuntimeError(f"{path}: {value.get('error')}: {value.get('message', '').splitlines()[0]}") from error

    def command(self, method, path, body=None):
        return self.call(method, f"/session/{self.session}{path}", body)

    def open(self, url):
        self.command("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """The value that a function's body returns in the page."""
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script, *arguments, seconds=20):
        """Waits until the script's value is true; whether it became so."""
        deadline = time.monotonic() + seconds * self.patience
        while not self.run(script, *arguments):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def find(self, selector):
        return self.command("POST", "/elements", {"using": "css selector", "value": selector})

    def type(self, element, keys):
        self.command("POST", f"/element/{element[ELEMENT]}/value", {"text": keys})

    def click(self, element):
        self.command("POST", f"/element/{element[ELEMENT]}/click", {})

    def devtools(self, method, **parameters):
        return self.command("POST", "/goog/cdp/execute", {"cmd": method, "params": parameters})

    def log(self, kind):
        """Entries since the last call: "browser" for the console, "performance" for network events."""
        return self.command("POST", "/se/log", {"type": kind})

    def set_theme(self, name):
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": name}])

    def set_size(self, width, height):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=False)

    def screenshot(self, file, full=True):
        picture = self.devtools("Page.captureScreenshot", captureBeyondViewport=full, format="png")
        with open(file, "wb") as out:
            out.write(base64.b64decode(picture["data"]))
