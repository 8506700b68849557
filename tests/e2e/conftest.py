"""Runs the built program as a user would. COMITY names the binary (default: build/comity)."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMITY = pathlib.Path(os.environ.get("COMITY", ROOT / "build" / "comity")).resolve()

TIMEOUT = int(os.environ.get("COMITY_TIMEOUT", "120"))

# Registry files of our own making: documentation AS numbers on ordinary addresses.
DELEGATED = """2.3|ripencc|20261101|6|19930901|20261101|+0000
ripencc|*|ipv4|*|3|summary
ripencc|*|ipv6|*|1|summary
ripencc|*|asn|*|2|summary
ripencc|EE|ipv4|5.44.0.0|65536|20120101|allocated|aaaa
ripencc|FI|ipv4|5.45.0.0|65536|20120101|allocated|bbbb
ripencc|EE|ipv6|2a00:1000::|32|20120101|allocated|aaaa
ripencc|EE|asn|64500|1|20120101|allocated|aaaa
ripencc|FI|asn|64501|1|20120101|allocated|bbbb
"""
ROUTES_V4 = """% origin, prefix, peers
64500\t5.44.0.0/16\t300
64501\t5.45.0.0/16\t300
64501\t5.44.128.0/24\t200
"""
ROUTES_V6 = """% origin, prefix, peers
64500\t2a00:1000::/32\t300
"""
NAMES = """64500 EXAMPLE-EE Example Network of Tallinn, EE
64501 EXAMPLE-FI Example Network of Helsinki, FI
"""


def at(days):
    """The time so many days from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))


def wait_for(look, what=""):
    """What `look` gives, as soon as that is something."""
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"it never came: {what}")


class Node:
    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.env = {k: v for k, v in os.environ.items() if k not in ("COMITY_DIR", "NO_COLOR")}
        self.env["COMITY_DIR"] = str(self.dir)

    def run(self, *words, stdin=None, code=0):
        p = subprocess.run([str(COMITY), *map(str, words)], input=stdin, env=self.env, capture_output=True, timeout=TIMEOUT)
        assert code is None or p.returncode == code, (words, p.returncode, p.stdout[-2000:], p.stderr[-2000:])
        return p

    def text(self, *words, **more):
        return self.run(*words, **more).stdout.decode()

    def json(self, *words, **more):
        out = self.run(*words, "--json", **more).stdout.decode()
        return [json.loads(line) for line in out.splitlines()]

    def error(self, *words, code=1, stdin=None):
        p = self.run(*words, "--json", code=code, stdin=stdin)
        error = json.loads(p.stderr.decode().splitlines()[-1])
        assert error["advice"], error
        return error["error"]

    def build_territory(self):
        files = {"delegated-ripencc-extended-latest": DELEGATED, "riswhoisdump.IPv4": ROUTES_V4,
                 "riswhoisdump.IPv6": ROUTES_V6, "asn.txt": NAMES}
        folder = self.dir.parent / "registry-files"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_text(content)
        return self.run("territory", "build", *sorted(str(folder / name) for name in files))

    def audit(self):
        (result,) = self.json("ledger", "audit")
        assert result["result"] == "ok"
        return result


class Templates:
    """Nodes that are prepared once and copied for each test that wants one: a command costs more than a copy."""

    def __init__(self, folder):
        self.folder, self.made = folder, {}

    def copy(self, name, prepare, node):
        """Gives `node` what prepare(another) made of another; returns what that returned."""
        template = Node(self.folder / name / "node")
        if name not in self.made:
            shutil.rmtree(template.dir.parent, ignore_errors=True)
            template.dir.parent.mkdir()
            self.made[name] = prepare(template)
        shutil.copytree(template.dir, node.dir)
        return self.made[name]


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    return Templates(tmp_path_factory.mktemp("templates"))


# What sanitizers have to say goes into files: of every process, also of those whose output nobody reads.
OPTIONS = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
           "UBSAN_OPTIONS": "print_stacktrace=1", "TSAN_OPTIONS": "halt_on_error=1"}
TAXII = "application/taxii+json;version=2.1"

SANITIZER = re.compile(r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed")


# What the leak check says of a process that is killed at that moment. It is no finding.
KILLED = re.compile(r"(==\d+==Unable to get registers from thread \d+\.\s*)*")


def reports(folder):
    return {path for path in folder.iterdir() if not KILLED.fullmatch(path.read_text(errors="replace"))}


def said(folder):
    return "".join(path.read_text(errors="replace") for path in sorted(folder.iterdir()))


@pytest.fixture(scope="session", autouse=True)
def sanitizer_reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sanitizer")
    for name, value in OPTIONS.items():
        os.environ[name] = f"{os.environ.get(name, value)}:log_path={folder}/report"
    yield folder
    assert not reports(folder), said(folder)[-20000:]


@pytest.fixture(autouse=True)
def no_sanitizer_report(sanitizer_reports):
    before = reports(sanitizer_reports)
    yield
    assert reports(sanitizer_reports) <= before, said(sanitizer_reports)[-20000:]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Server:
    """`comity serve` for a node, until the end of the test; its log is in `self.log()`."""

    def __init__(self, node, *options, env=None, listen=("--listen", "127.0.0.1:0")):
        self.node = node
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([str(COMITY), "serve", "--json", *listen, *map(str, options)],
                                        env={**node.env, **(env or {})}, stdout=subprocess.PIPE, stderr=self.errors)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"comity serve ended with {self.process.wait(TIMEOUT)}: {self.log()}")
        self.ready = json.loads(line)
        self.urls = self.ready["listening"]
        self.url = self.urls[0]
        self.expected = 0  # its exit code

    def log(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def log_lines(self):
        """Those in JSON, for a server with --log json."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    def wait_for_log(self, text):
        for _ in range(TIMEOUT * 20):
            if text in self.log():
                return
            time.sleep(0.05)
        raise AssertionError((text, self.log()[-4000:]))

    def connect(self, url=None, **more):
        parts = urllib.parse.urlsplit(url or self.url)
        if parts.scheme == "https":
            return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT, **more)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)

    def ask(self, method, path, body=None, headers=None, url=None, **more):
        connection = self.connect(url, **more)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    @property
    def authority(self):
        return urllib.parse.urlsplit(self.url).netloc

    def told(self, method, path, headers=None, body=None):
        """What two answers can be compared by: (status, headers in lower case without Date, body)."""
        answer = self.ask(method, path, body, headers)
        return answer.status, {k.lower(): v for k, v in answer.headers.items() if k.lower() != "date"}, answer.body

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.stop()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Fails the test if it does not end well, or a sanitizer reported anything."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"comity serve does not end: {self.log()[-4000:]}") from None
        finally:
            self.process.stdout.close()
        log = self.log()
        assert not SANITIZER.search(log), log[-20000:]
        assert code == self.expected, (code, log[-4000:])


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def token_of(node, name, party, rights="read"):
    (made,) = node.json("access", "add", name, "--party", party, "--rights", rights, "--token")
    return made["secret"]


@pytest.fixture
def serve():
    """serve(node, *options) starts a server; all are stopped at the end, and each must have ended well."""
    servers = []

    def start(node, *options, **more):
        servers.append(Server(node, *options, **more))
        return servers[-1]

    yield start
    failures = []
    for server in servers:
        try:
            server.stop()
        except AssertionError as e:
            failures.append(e)
    if failures:
        raise failures[0]


@pytest.fixture
def served(bare, serve):
    """A server for a fresh node without territory, on a free port of loopback, with its log in JSON lines."""
    return serve(bare, "--log", "json")


@pytest.fixture
def empty(tmp_path):
    """A folder that is no node yet."""
    return Node(tmp_path / "node")


@pytest.fixture
def bare(empty, templates):
    """A fresh node without territory."""
    templates.copy("bare", lambda n: n.run("init", "node.example"), empty)
    return empty


@pytest.fixture
def node(empty, templates):
    def prepare(n):
        n.run("init", "node.example")
        n.build_territory()

    templates.copy("node", prepare, empty)
    return empty


def pytest_configure(config):
    if not COMITY.exists():
        pytest.exit(f"{COMITY} is not built: run make first", returncode=1)
