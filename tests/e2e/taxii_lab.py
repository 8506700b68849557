"""A node that serves TAXII, and who calls it. Shared by the TAXII tests."""
import base64
import http.client
import json
import socket
import ssl
import subprocess
import threading
import urllib.parse
import uuid

import pytest

from conftest import COMITY, Node

requests = pytest.importorskip("requests")

requests.packages.urllib3.disable_warnings()

MEDIA = "application/taxii+json;version=2.1"
ROOT = "/taxii2/comity/"
PASSWORD = "correct horse battery"
FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"
RED = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
WHITE = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
RED2 = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"

#   tool: party, rights
TOOLS = {
    "team": ("team.example", "read,write"),      # a member
    "other": ("other.example", "read,write"),    # another member
    "reader": ("team.example", "read"),
    "writer": ("team.example", "write"),
    "stranger": ("stranger.example", "read,write"),  # registered, not accepted
    "operator": ("node.example", "read,write,operate"),
}
#   alias: read, write, unmarked
COLLECTIONS = {
    "shared": ("members", "members", "amber"),
    "open": ("all", "members", "clear"),
    "named": ("team.example", "team.example other.example", "red"),
    "feed": ("members", "node.example", "green"),       # members only read
    "drop": ("node.example", "members", "green"),       # members only write
    "hidden": ("node.example", "node.example", "green"),
}
POOL = 100


def now_id(kind="indicator"):
    return f"{kind}--{uuid.uuid4()}"


def indicator(n=0, id=None, modified="2026-01-01T00:00:00.000Z", **more):
    created = "2026-01-01T00:00:00.000Z"
    return {"type": "indicator", "spec_version": "2.1", "id": id or now_id(), "created": created, "modified": modified,
            "name": f"indicator {n}", "indicator_types": ["malicious-activity"],
            "pattern": f"[ipv4-addr:value = '192.0.2.{n % 256}']", "pattern_type": "stix",
            "valid_from": created, **more}


def identity(name="Somebody", **more):
    return {"type": "identity", "spec_version": "2.1", "id": now_id("identity"), "created": "2026-01-01T00:00:00.000Z",
            "modified": "2026-01-01T00:00:00.000Z", "name": name, "identity_class": "organization", **more}


def address(n=0, **more):
    return {"type": "ipv4-addr", "id": now_id("ipv4-addr"), "value": f"198.51.100.{n % 256}", **more}


class Caller:
    """One tool's session. Paths begin at the API root unless they begin with '/'."""

    def __init__(self, base, name=None):
        self.base, self.name = base, name
        self.session = requests.Session()
        self.session.verify = False
        self.session.trust_env = False
        if name:
            self.session.auth = (name, PASSWORD)

    def url(self, path):
        return self.base + (path if path.startswith("/") else ROOT + path)

    def ask(self, method, path, code=200, accept=MEDIA, headers=None, **more):
        headers = dict(headers or {})
        if accept is not None:
            headers.setdefault("Accept", accept)
        else:
            headers["Accept"] = None
        r = self.session.request(method, self.url(path), headers=headers, timeout=60, allow_redirects=False, **more)
        assert code is None or r.status_code == code, (method, path, more.get("params"), r.status_code, r.text[:500])
        return r

    def get(self, path, code=200, **more):
        return self.ask("GET", path, code, **more)

    def json(self, path, **params):
        return self.get(path, params=params).json()

    def objects(self, alias, **params):
        return self.json(f"collections/{alias}/objects/", **params).get("objects", [])

    def manifest(self, alias, **params):
        return self.json(f"collections/{alias}/manifest/", **params).get("objects", [])

    def post(self, alias, *objects, code=202, raw=None, content_type=MEDIA, accept=MEDIA):
        body = raw if raw is not None else json.dumps({"objects": list(objects)}).encode()
        return self.ask("POST", f"collections/{alias}/objects/", code, accept=accept, data=body,
                        headers={"Content-Type": content_type})

    def add(self, alias, *objects):
        """All of them, with success."""
        status = self.post(alias, *objects).json()
        assert status["success_count"] == len(objects), status
        return status

    def delete(self, alias, id, code=200, **params):
        return self.ask("DELETE", f"collections/{alias}/objects/{id}/", code, params=params)


class Lab:
    def __init__(self, folder, more=""):
        self.node = Node(folder / "node")
        self.process = None
        self.taken = 0
        password = folder / "password"
        password.write_text(PASSWORD)
        self.node.run("init", "node.example")
        for domain in ("team.example", "other.example"):
            self.node.run("party", "add", domain, "--approve")
        self.node.run("party", "add", "stranger.example")
        for name, (party, rights) in TOOLS.items():
            self.node.run("access", "add", name, "--party", party, "--rights", rights, "--password-file", password)
        self.ids = {alias: str(uuid.uuid4()) for alias in (*COLLECTIONS, *(f"t{i}" for i in range(POOL)))}
        lines = ["listen 127.0.0.1:0", "listen-tls 127.0.0.1:0", "requests-per-minute 0", more]
        for alias, id in self.ids.items():
            read, write, unmarked = COLLECTIONS.get(alias, ("members", "members", "green"))
            lines += [f"collection {alias} {id} Collection {alias}", f"read {alias} {read}", f"write {alias} {write}",
                      f"unmarked {alias} {unmarked}"]
        (self.node.dir / "config").write_text("\n".join(lines) + "\n")
        self.start()

    def start(self):
        self.process = subprocess.Popen([str(COMITY), "serve", "--json"], env=self.node.env, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read().decode()
        self.errors = []
        threading.Thread(target=self._drain, args=(self.process.stderr,), daemon=True).start()
        self.plain, self.tls = json.loads(line)["listening"]
        self.callers = {}

    def _drain(self, stream):
        for line in stream:
            self.errors.append(line)

    def stop(self):
        if self.process:
            self.process.terminate()
            code = self.process.wait(timeout=60)
            self.process = None
            assert code == 0, b"".join(self.errors)[-3000:].decode()

    def restart(self):
        self.stop()
        self.start()

    def __getattr__(self, name):
        """lab.team, lab.reader, … and lab.nobody, who has no credentials."""
        if name not in TOOLS and name != "nobody":
            raise AttributeError(name)
        return self.caller(name)

    def caller(self, name):
        if name not in self.callers:
            self.callers[name] = Caller(self.plain, name if name != "nobody" else None)
        return self.callers[name]

    def fresh(self):
        """An empty collection that members read and write."""
        alias = f"t{self.taken}"
        self.taken += 1
        assert self.taken <= POOL
        return alias

    def raw(self, method, path, headers, body=None, name="team"):
        """Nothing but what is said here goes out."""
        place = urllib.parse.urlsplit(self.plain)
        c = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        c.putrequest(method, path, skip_accept_encoding=True)
        if name:
            c.putheader("Authorization", "Basic " + base64.b64encode(f"{name}:{PASSWORD}".encode()).decode())
        for key, value in headers.items():
            c.putheader(key, value)
        c.endheaders(body)
        r = c.getresponse()
        r.content = r.read()
        c.close()
        return r

    def handshake(self, **settings):
        """A TLS connection with these settings of the context; its version and suite."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        for key, value in settings.items():
            if key == "ciphers":
                context.set_ciphers(value)
            else:
                setattr(context, key, value)
        place = urllib.parse.urlsplit(self.tls)
        with socket.create_connection((place.hostname, place.port), timeout=30) as s:
            with context.wrap_socket(s) as t:
                return t.version(), t.cipher()[0]
