"""`comity pull` and `comity push` beside medallion (the TAXII server of OASIS), between two nodes, and with servers that
misbehave."""
import base64
import http.server
import json
import pathlib
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid

import pytest

from conftest import COMITY, ROOT, wait_for
from ports import free_port

TAXII = "application/taxii+json;version=2.1"
MEDALLION = pathlib.Path(sys.executable).parent / "medallion"
DATA = ROOT.parent / "shared" / "data" / "taxii" / "medallion" / "default_data.json"


def indicator(n, modified="2026-01-01T00:00:00.000Z", **more):
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.UUID(int=n, version=4)}",
            "created": "2026-01-01T00:00:00.000Z", "modified": modified, "name": f"number {n}",
            "pattern": f"[ipv4-addr:value = '198.51.100.{n % 256}']", "pattern_type": "stix",
            "valid_from": "2026-01-01T00:00:00Z", **more}


def config(node, *lines, readers="members"):
    path = node.dir / "config"
    kept = [l for l in path.read_text().splitlines() if not l.startswith(("read shared", "write shared", "unmarked"))]
    path.write_text("\n".join([*kept, f"read shared {readers}", "write shared members", "unmarked shared green", *lines]) + "\n")


@pytest.fixture
def puller(bare):
    config(bare)
    return bare


def exchange(node, verb, url, *words, code=0):
    p = node.run(verb, url, "--plain", "--private", "--json", *words, code=code)
    return json.loads(p.stdout.decode().splitlines()[-1]) if p.stdout.strip() else None


def stored(node, serve, collection="shared"):
    """All versions of all objects that the node has, as it serves them."""
    names = {c["name"] for c in node.json("access", "list")}
    if "reader" not in names:
        (made,) = node.json("access", "add", "reader", "--party", "node.example", "--rights", "read,write,operate", "--token")
        node.secret = made["secret"]
    server = serve(node)
    objects, after = [], ""
    while True:
        answer = server.get(f"/taxii2/comity/collections/{collection}/objects/?match[version]=all&limit=1000{after}",
                            headers={"Accept": TAXII, "Authorization": "Bearer " + node.secret})
        assert answer.status == 200, answer.body
        page = answer.json()
        objects += page.get("objects", [])
        if not page.get("more"):
            break
        after = "&next=" + urllib.parse.quote(page["next"])
    server.stop()
    return objects


def key(o):
    return o["id"], o.get("modified", o.get("created", ""))


# ---- a real server of others ----

@pytest.fixture
def medallion(tmp_path):
    if not MEDALLION.exists():
        pytest.skip("medallion is not installed")
    if not DATA.exists():
        pytest.skip("../shared is absent: no data for medallion")
    port = free_port()
    (tmp_path / "medallion.json").write_text(json.dumps({
        "backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(DATA)},
        "users": {"admin": "Password0"}, "taxii": {"max_page_size": 3}}))
    (tmp_path / "password").write_text("Password0\n")
    server = subprocess.Popen([str(MEDALLION), "--host", "127.0.0.1", "--port", str(port), str(tmp_path / "medallion.json")],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"

    def wants_a_password():
        try:
            urllib.request.urlopen(f"{url}/taxii2/", timeout=5)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    try:
        wait_for(wants_a_password, "medallion")
        yield url, ("--user", "admin", "--password-file", str(tmp_path / "password"))
    finally:
        server.kill()
        server.wait()


def fetch(url, path):
    token = base64.b64encode(b"admin:Password0").decode()
    request = urllib.request.Request(url + path, headers={"Accept": TAXII, "Authorization": "Basic " + token})
    return json.load(urllib.request.urlopen(request, timeout=60))


def whole(url, collection):
    objects, query = [], "?match[version]=all&limit=3"
    while True:
        page = fetch(url, f"{collection}objects/{query}")
        objects += page.get("objects", [])
        if not page.get("more"):
            return objects
        query = "?match[version]=all&limit=3&next=" + page["next"]


HIGH = "/trustgroup1/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/"
EMPTY = "/trustgroup1/collections/365fed99-08fa-fdcd-a1b3-fb247eb41d01/"


def test_pull_and_push_with_medallion(medallion, puller, serve):
    url, login = medallion
    theirs = whole(url, HIGH)
    assert len(theirs) > 3  # several pages
    got = exchange(puller, "pull", f"{url}/trustgroup1/", "--collection", "High Value Indicator Collection", *login)
    assert got["seen"] == got["added"] == len(theirs) and got["refused"] == 0
    again = exchange(puller, "pull", url + HIGH, *login)
    assert again["added"] == 0 and again["refused"] == 0
    mine = stored(puller, serve)
    assert sorted(mine, key=key) == sorted(theirs, key=key)

    before = {key(o) for o in whole(url, EMPTY)}
    sent = exchange(puller, "push", url + EMPTY, *login)
    assert sent["refused"] == 0 and sent["seen"] == len(mine)
    assert {key(o) for o in whole(url, EMPTY)} == before | {key(o) for o in mine}
    assert exchange(puller, "push", url + EMPTY, *login)["seen"] == 0
    puller.audit()


def test_wrong_password(medallion, puller, tmp_path):
    url, _ = medallion
    (tmp_path / "wrong").write_text("wrong\n")
    p = puller.run("pull", url + HIGH, "--plain", "--private", "--user", "admin", "--password-file", tmp_path / "wrong",
                   "--json", code=None)
    assert p.returncode == 1 and json.loads(p.stderr.decode().splitlines()[-1])["error"] == "credentials"


# ---- between two nodes ----

def test_between_nodes(tmp_path, serve):
    from conftest import Node
    source, mirror = Node(tmp_path / "source"), Node(tmp_path / "mirror")
    for n in (source, mirror):
        n.run("init", "node.example")
        config(n)
    (made,) = source.json("access", "add", "peer", "--party", "node.example", "--rights", "read,write,operate", "--token")
    (tmp_path / "token").write_text(made["secret"])
    server = serve(source)
    headers = {"Accept": TAXII, "Content-Type": TAXII, "Authorization": "Bearer " + made["secret"]}
    collection = "/taxii2/comity/collections/shared/"

    def post(objects):
        answer = server.ask("POST", collection + "objects/", json.dumps({"objects": objects}), headers)
        assert answer.status == 202 and answer.json()["failure_count"] == 0, answer.body

    post([indicator(n) for n in range(1500)])
    post([indicator(n, modified="2026-02-02T00:00:00.000001Z") for n in range(10)])
    url, token = server.url + collection, ("--token-file", tmp_path / "token")
    got = exchange(mirror, "pull", url, *token)
    assert got["added"] == 1510
    gone = indicator(3)["id"]
    assert server.ask("DELETE", f"{collection}objects/{gone}/", None, headers).status == 200
    post([indicator(n) for n in range(1500, 1510)])
    got = exchange(mirror, "pull", url, *token)
    assert got["added"] == 10 and got["deleted"] == 2, got
    got = exchange(mirror, "pull", url, *token)
    assert got["seen"] == got["deleted"] == 0
    server.stop()
    assert sorted(stored(mirror, serve), key=key) == sorted(stored(source, serve), key=key)
    mirror.audit()


def test_signed_requests_between_nodes(tmp_path, serve):
    """The mirror is a party of the source: it signs, and needs no password."""
    from conftest import Node
    from signing import Signer
    source, mirror = Node(tmp_path / "source"), Node(tmp_path / "mirror")
    source.run("init", "node.example")
    mirror.run("init", "mirror.example")
    for n in (source, mirror):
        config(n)
    key_file = (mirror.dir / "keys" / "party.key").read_text()
    note, _ = Signer(key_file).party("node.example/public", "role node")
    source.run("submit", "-", stdin=note.encode())
    source.run("party", "approve", "mirror.example")
    server = serve(source)
    (made_url,) = (server.url + "/taxii2/comity/collections/shared/",)
    got = exchange(mirror, "pull", made_url, "--sign")
    assert got["seen"] == 0
    p = mirror.run("pull", made_url, "--plain", "--private", "--json", code=1)
    assert json.loads(p.stderr.decode().splitlines()[-1])["error"] in ("credentials", "not-found")


# ---- servers that misbehave ----

class Script(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        path, _, query = self.path.partition("?")
        if path == "/c/":
            self.reply({"id": str(uuid.UUID(int=7, version=4)), "title": "t", "can_read": True, "can_write": True})
        elif path == "/c/deletions/" and not self.server.deletions:
            self.reply({"title": "none"}, status=404)
        else:
            status, headers, body = self.server.script(path, urllib.parse.parse_qs(query), len(self.server.asked))
            self.reply(body, status, headers)

    def reply(self, body, status=200, headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", TAXII)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def scripted():
    servers = []

    def start(script, deletions=False):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Script)
        server.script, server.asked, server.deletions = script, [], deletions
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        server.url = f"http://127.0.0.1:{server.server_port}/c/"
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def stamp(n):
    return f"2026-03-01T00:00:{n // 1000:02d}.{n % 1000:03d}000Z"


def paged(total, size, headers=True, with_next=False):
    """A server of `total` objects in pages, by date."""

    def script(path, query, _):
        after = query.get("added_after", [""])[0]
        start = int(query["next"][0]) if "next" in query else next((n for n in range(total) if stamp(n) > after), total)
        some = [indicator(n) for n in range(start, min(start + size, total))]
        if path.endswith("manifest/"):
            return 200, {}, {"more": start + size < total, "objects": [
                {"id": indicator(n)["id"], "date_added": stamp(n), "version": "2026-01-01T00:00:00.000Z"}
                for n in range(start, min(start + size, total))]}
        body = {"objects": some, "more": start + size < total} if some else {}
        if with_next and body.get("more"):
            body["next"] = str(start + size)
        dates = {"X-TAXII-Date-Added-First": stamp(start), "X-TAXII-Date-Added-Last": stamp(start + len(some) - 1)}
        return 200, dates if headers and some else {}, body

    return script


@pytest.mark.parametrize("with_next", [False, True])
@pytest.mark.parametrize("headers", [True, False])
def test_pages_of_all_kinds(puller, scripted, serve, with_next, headers):
    server = scripted(paged(250, 40, headers, with_next))
    got = exchange(puller, "pull", server.url)
    assert got["added"] == 250, got
    asked = len(server.asked)
    again = exchange(puller, "pull", server.url)
    assert again["added"] == 0 and len(server.asked) - asked <= 5  # goes on at the end, not from the beginning
    assert {o["id"] for o in stored(puller, serve)} == {indicator(n)["id"] for n in range(250)}


def refused(node, url, code, exit_code=None):
    p = node.run("pull", url, "--plain", "--private", "--json", code=None)
    assert p.returncode != 0 and (exit_code is None or p.returncode == exit_code)
    error = json.loads(p.stderr.decode().splitlines()[-1])
    assert error["error"] == code, error
    return error


LAST = {"X-TAXII-Date-Added-Last": stamp(1)}


@pytest.mark.parametrize("script, code", [
    (lambda p, q, n: (200, LAST, {"more": True, "next": "a", "objects": [indicator(1)]}), "peer"),  # goes round
    (lambda p, q, n: (200, LAST, {"more": True, "next": str(n % 5), "objects": [indicator(n % 5)]}), "peer"),
    (lambda p, q, n: (200, LAST, {"more": True, "objects": [indicator(1)]}), "peer"),  # no way on
    (lambda p, q, n: (200, LAST, {"more": True, "next": str(n)}), "peer"),  # for ever nothing
    (lambda p, q, n: (200, {}, b"{\"objects\": ["), "peer"),
    (lambda p, q, n: (200, {}, b"<html>"), "peer"),
    (lambda p, q, n: (200, {}, b"[" * 100000), "peer"),
    (lambda p, q, n: (200, LAST, {"more": True, "next": "x" * 10000, "objects": [indicator(1)]}), "peer"),
    (lambda p, q, n: (302, {"Location": "http://127.0.0.1:1/"}, b""), "refused-url"),
    (lambda p, q, n: (401, {}, {}), "credentials"),
    (lambda p, q, n: (418, {}, {"title": "\x1b[31mtea"}), "peer"),
])
def test_servers_that_cannot_be_pulled_from(puller, scripted, script, code):
    server = scripted(script)
    error = refused(puller, server.url, code)
    assert "\x1b" not in error["detail"]
    assert len(server.asked) < 200
    puller.audit()


def test_a_server_that_is_busy_is_asked_again(puller, scripted):
    good = paged(10, 10)
    server = scripted(lambda p, q, n: (503, {"Retry-After": "1"}, {}) if n in (2, 3) else good(p, q, n))
    assert exchange(puller, "pull", server.url)["added"] == 10


def test_what_cannot_be_kept_is_told(puller, scripted, serve):
    bad = [indicator(1), {"type": "indicator"}, indicator(2, modified="yesterday"), {"id": 7}, indicator(3),
           indicator(4, object_marking_refs=["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"])]
    server = scripted(lambda p, q, n: (200, LAST, {"objects": bad}))
    got = exchange(puller, "pull", server.url)
    assert got["added"] == 2 and got["refused"] == 4, got
    kept = [json.loads(line) for line in open(got["refused_in"])]
    assert [json.loads(k["object"]) for k in kept] == [bad[1], bad[2], bad[3], bad[5]] and all(k["why"] for k in kept)
    assert {o["id"] for o in stored(puller, serve)} == {indicator(1)["id"], indicator(3)["id"]}


def test_conflicts_keep_the_first(puller, scripted, serve):
    server = scripted(lambda p, q, n: (200, LAST, {"objects": [indicator(1), indicator(1, description="other words")]}))
    got = exchange(puller, "pull", server.url)
    assert got["added"] == 1 and got["conflicts"] == 1
    assert stored(puller, serve) == [indicator(1)]


def test_a_forgotten_next_begins_anew_behind_the_last_date(puller, scripted):
    good = paged(90, 30, with_next=True)
    state = {"limit": 3}

    def script(path, query, n):
        if state["limit"] and n > state["limit"]:
            return 400, {}, {"title": "unknown next"}
        return good(path, query, n)

    server = scripted(script)
    refused(puller, server.url, "peer")
    state["limit"] = 0

    def forgetful(path, query, n):
        if query.get("next") == ["60"] and not state.get("seen"):
            state["seen"] = True
            return 400, {}, {"title": "unknown next"}
        return good(path, query, n)

    server.script = forgetful
    got = exchange(puller, "pull", server.url)
    assert got["added"] >= 30


def test_killed_in_the_middle_nothing_is_lost(puller, scripted, serve):
    server = scripted(paged(600, 20))
    command = [str(COMITY), "pull", server.url, "--plain", "--private"]
    for kill_at in (3, 9, 14, 22, 29):
        p = subprocess.Popen(command, env=puller.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        asked = len(server.asked)
        while p.poll() is None and len(server.asked) < asked + kill_at:
            time.sleep(0.001)
        p.send_signal(signal.SIGKILL)
        p.wait()
    exchange(puller, "pull", server.url)
    assert {o["id"] for o in stored(puller, serve)} == {indicator(n)["id"] for n in range(600)}
    puller.audit()


def test_the_node_is_free_while_the_other_side_is_asked(puller, scripted, serve):
    """The pull runs beside the service; its own server takes objects in the middle of each answer of the other one."""
    (made,) = puller.json("access", "add", "reader", "--party", "node.example", "--rights", "read,write,operate", "--token")
    puller.secret = made["secret"]
    service = serve(puller)
    good = paged(120, 30)
    posted = []

    def script(path, query, n):
        if path.endswith("objects/"):
            number = 1000 + len(posted)
            answer = service.ask("POST", "/taxii2/comity/collections/shared/objects/", json.dumps({"objects": [indicator(number)]}),
                                 {"Accept": TAXII, "Content-Type": TAXII, "Authorization": "Bearer " + puller.secret})
            posted.append((answer.status, number))
        return good(path, query, n)

    server = scripted(script)
    assert exchange(puller, "pull", server.url)["added"] == 120
    service.stop()
    assert len(posted) >= 4 and {status for status, _ in posted} == {202}
    assert {o["id"] for o in stored(puller, serve)} == {indicator(n)["id"] for n in [*range(120), *(n for _, n in posted)]}
    puller.audit()


def test_only_https_unless_the_operator_says_so(puller, scripted):
    server = scripted(paged(1, 1))
    assert puller.error("pull", server.url) == "refused-url"
    assert puller.error("pull", server.url, "--plain") == "refused-url"  # a private address
    assert server.asked == []
