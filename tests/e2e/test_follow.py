"""`comity follow` between real servers, and with a server that answers what no node may."""
import hashlib
import http.server
import json
import random
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest

from conftest import COMITY, Node
from signing import Signer

OUT = ("--plain", "--private")


def make(tmp_path, templates, name):
    node = Node(tmp_path / name.split(".")[0])
    templates.copy(f"follow-{name}", lambda n: n.run("init", name), node)
    return node


@pytest.fixture
def a(tmp_path, templates):
    return make(tmp_path, templates, "a.example")


@pytest.fixture
def b(tmp_path, templates):
    return make(tmp_path, templates, "b.example")


def follow(node, url, *words, code=0):
    p = node.run("follow", url, *OUT, "--json", *words, code=code)
    return json.loads(p.stdout.decode().splitlines()[-1]) if code == 0 else json.loads(p.stderr.decode().splitlines()[-1])


def listed(node):
    rows = node.json("follow", "list")
    return rows[0] if rows else None


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and ".p/" not in str(p)}


def same_tiles(follower, node, ledger):
    theirs, ours = tree(node.dir / "ledger" / ledger), tree(follower.dir / "followed" / "b.example" / ledger)
    assert theirs == ours


def report(tmp_path, address="5.44.0.9"):
    path = tmp_path / "report.jsonl"
    path.write_text(json.dumps({"time.source": "2026-11-20T10:00:00Z", "source.ip": address, "source.port": 4711,
                                "classification.taxonomy": "malicious-code",
                                "classification.type": "infected-system"}) + "\n")
    return path


def same_state(follower, node):
    (row,) = follower.json("follow", "list", "--digest")
    assert row["public_folded"] == row["public"] and row["circle_folded"] == row["circle"]
    assert row["state"] == node.audit()["state"]


def test_follow_and_follow_again(a, b, serve):
    b.run("party", "add", "m.example", "--role", "operator", "--claim", "AS64500", "--approve")
    server = serve(b)
    first = follow(a, server.url)
    assert first["node"] == "b.example" and first["first"] and not first["circle_open"]
    assert first["public"] == first["public_new"] > 3 and first["parties"] == 2 and first["refused"] == 0
    again = follow(a, server.url + "/")
    assert not again["first"] and again["public_new"] == 0 and again["parties"] == 0
    same_tiles(a, b, "public")
    b.run("party", "add", "n.example", "--role", "operator", "--claim", "AS64501", "--approve")
    (third,) = a.json("follow", *OUT)
    assert third["public_new"] > 0 and third["parties"] == 1
    row = listed(a)
    assert row["node"] == "b.example" and row["forks"] == 0 and row["public_folded"] == row["public"] == third["public"]
    a.audit()
    assert "b.example" in a.text("follow", "list")
    a.run("follow", "remove", "b.example")
    assert listed(a) is None and not (a.dir / "followed" / "b.example").exists()
    assert a.error("follow", "remove", "b.example") == "not-found"
    b.audit()


def test_the_key_can_be_asked_for(a, b, serve):
    server = serve(b)
    wrong = follow(a, server.url, "--key", "00" * 32, code=1)
    assert wrong["error"] == "key" and listed(a) is None
    assert follow(a, server.url, "--key", "no key", code=2)["error"] == "usage"
    key = follow(a, server.url)["key"]
    a.run("follow", "remove", "b.example")
    assert follow(a, server.url, "--key", key)["first"]
    assert follow(a, server.url, "--key", "11" * 32, code=1)["error"] == "key"


def test_another_node_of_that_name_is_refused(a, b, serve, tmp_path):
    follow(a, serve(b).url)
    impostor = Node(tmp_path / "impostor")
    impostor.run("init", "b.example")
    server = serve(impostor)
    assert follow(a, server.url, code=1)["error"] == "key"
    a.run("follow", "remove", "b.example")
    assert follow(a, server.url, code=1)["error"] == "key"  # its party statement stays here


def test_not_oneself_and_no_node(a, served):
    assert follow(a, "https://b.example/path", code=2)["error"] == "usage"
    assert follow(a, "ftp://b.example", code=2)["error"] == "usage"
    assert a.error("follow", "http://127.0.0.1:1") == "refused-url"  # plain only where the operator says so
    with_itself = served.node
    assert follow(with_itself, served.url, code=2)["error"] == "usage"


def test_without_a_node_there(a):
    assert follow(a, "http://127.0.0.1:1", code=3)["error"] == "unreachable"
    assert listed(a) is None


def test_circle_is_for_members(a, b, serve, tmp_path):
    """A is no member of B, then becomes one; the state is folded anew with the circle in it."""
    b.run("party", "add", "m.example", "--role", "operator", "--approve")
    server = serve(b)
    assert not follow(a, server.url)["circle_open"]
    assert follow(b, serve(a).url)["node"] == "a.example"  # so b knows a, but it is no member yet
    assert not follow(a, server.url)["circle_open"]
    b.run("party", "approve", "a.example")
    opened = follow(a, server.url)
    assert opened["circle_open"]
    same_tiles(a, b, "circle")
    same_tiles(a, b, "public")
    same_state(a, b)
    # Notices at B are in its circle; the mirror goes on.
    b.build_territory()
    b.run("route", report(tmp_path))
    for notice in b.json("notice", "list"):
        b.run("answer", notice["id"], "acknowledged", "--for", notice["to"], "--via", "mail")
    more = follow(a, server.url)
    assert more["circle_new"] > 0
    same_state(a, b)
    # The node leaves the circle again: what is mirrored stays, what is new in public waits.
    b.run("party", "approve", "a.example", "--object")
    closed = follow(a, server.url)
    assert not closed["circle_open"] and closed["circle"] == more["circle"]
    a.audit()
    b.audit()


def test_in_a_server_of_its_own(a, b, serve):
    """The follower's own server runs meanwhile: the command borrows the node."""
    b.run("party", "add", "m.example", "--role", "operator", "--claim", "AS64500", "--approve")
    mine, theirs = serve(a), serve(b)
    assert follow(a, theirs.url)["parties"] == 2
    assert mine.get("/node").json()["node"] == "a.example"
    mine.stop()
    a.audit()


# ---- one who answers what no node may ----

class Hostile:
    """Passes everything on to a real server, but for what `change(path, body)` makes of it: None passes on, (status, body)
    answers, "hang" never ends."""

    def __init__(self, target):
        outer = self
        self.target, self.change, self.paths = target, lambda path, body: None, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.paths.append(self.path)
                try:
                    with urllib.request.urlopen(urllib.request.Request(outer.target + self.path), timeout=60) as r:
                        status, body = r.status, r.read()
                except urllib.error.HTTPError as e:
                    status, body = e.code, e.read()
                changed = outer.change(self.path, body)
                location = None
                if changed == "hang":
                    self.send_response(200)
                    self.end_headers()
                    try:
                        while True:
                            self.wfile.write(b"x" * 65536)
                    except OSError:
                        self.close_connection = True
                        return
                if changed is not None:
                    status, body = changed[:2]
                    location = changed[2] if len(changed) > 2 else None
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hostile():
    made = []

    def start(target):
        made.append(Hostile(target))
        return made[-1]

    yield start
    for h in made:
        h.close()


def flip(body):
    return body[:-1] + bytes([body[-1] ^ 1])


NONSENSE = {
    "garbage instead of a card": ("/node", lambda body: (200, b"\x00\xff not JSON")),
    "no statement in the card": ("/node", lambda body: (200, b'{"node": "b.example"}')),
    "a card with a bad signature": ("/node", lambda body: (200, body.replace(b"title b.example", b"title c.example"))),
    "a card of another kind": ("/node", lambda body: (200, json.dumps({"statement": "comity/1 notice\n"}).encode())),
    "no checkpoint": ("checkpoint", lambda body: (200, b"hello\n")),
    "a checkpoint with a bad signature": ("public/checkpoint", lambda body: (200, body.replace(b"\n\n", b"\nextension\n\n"))),
    "a checkpoint of another origin": ("public/checkpoint", lambda body: (200, body.replace(b"b.example", b"c.example"))),
    "no checkpoint any more": ("public/checkpoint", lambda body: (404, b"gone")),
    "a truncated tile": ("tile/entries", lambda body: (200, body[:-3])),
    "a longer tile": ("tile/entries", lambda body: (200, body + b"\x00\x01x")),
    "an empty tile": ("tile/entries", lambda body: (200, b"")),
    "a wrong hash": ("tile/entries", lambda body: (200, flip(body))),
    "no tile": ("tile/entries", lambda body: (404, b"")),
    "a tile that is closed": ("tile/entries", lambda body: (401, b"")),
    "another status": ("tile/entries", lambda body: (418, b"")),
    "a never-ending tile": ("tile/entries", lambda body: "hang"),
    "a never-ending checkpoint": ("public/checkpoint", lambda body: "hang"),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense(a, b, serve, hostile, what):
    part, change = NONSENSE[what]
    proxy = hostile(serve(b).url)
    proxy.change = lambda path, body: change(body) if part in path else None
    assert follow(a, proxy.url, code=1)["error"] == "peer"
    kept = a.dir / "followed" / "b.example" / "public" / "checkpoint"
    assert not kept.exists()
    proxy.change = lambda path, body: None  # the peer comes to its senses
    got = follow(a, proxy.url)
    assert got["public"] == got["public_new"]
    a.audit()


def test_redirect(a, b, serve, hostile):
    target = serve(b)
    proxy = hostile(target.url)
    proxy.change = lambda path, body: (302, b"", target.url + path)
    assert follow(a, proxy.url, code=1)["error"] == "refused-url"


def test_later_is_waited_for(a, b, serve, hostile):
    proxy = hostile(serve(b).url)
    answers = [(503, b""), (429, b""), None]
    proxy.change = lambda path, body: answers.pop(0) if "tile" in path and answers else None
    assert follow(a, proxy.url)["public"] > 0


def test_unreachable_is_told(a, b, serve, hostile):
    proxy = hostile(serve(b).url)
    proxy.change = lambda path, body: (503, b"") if "tile" in path else None
    assert follow(a, proxy.url, code=3)["error"] == "unreachable"


def test_ledger_that_shrinks(a, b, serve, hostile):
    server = serve(b)
    proxy = hostile(server.url)
    old = server.get("/ledger/public/checkpoint").body
    b.run("party", "add", "m.example", "--role", "operator")
    before = follow(a, proxy.url)
    proxy.change = lambda path, body: (200, old) if "public/checkpoint" in path else None
    assert follow(a, proxy.url, code=1)["error"] == "peer"
    assert listed(a)["public"] == before["public"] and listed(a)["forks"] == 0
    proxy.change = lambda path, body: None
    assert follow(a, proxy.url)["public_new"] == 0


@pytest.mark.parametrize("more", [0, 1, 3])
def test_ledger_that_forks(a, b, serve, hostile, tmp_path, more):
    """Two nodes with the same keys and another history: B, copied, goes on differently."""
    other = Node(tmp_path / "other")
    shutil.copytree(b.dir, other.dir)
    b.run("party", "add", "m.example", "--role", "operator")
    b.run("party", "add", "n.example", "--role", "operator")
    server = serve(b)
    proxy = hostile(server.url)
    before = follow(a, proxy.url)
    for i in range(1 + more):
        other.run("party", "add", f"x{i}.example", "--role", "operator")
    proxy.target = serve(other).url
    assert follow(a, proxy.url, code=4)["error"] == "ledger-fork"
    row = listed(a)
    assert row["forks"] == 1 and row["public"] == before["public"]
    evidence = (a.dir / "followed" / "b.example" / "fork-1").read_text()
    assert evidence.count("b.example/public\n") == 2
    assert "FORKED" in a.text("follow", "list")
    proxy.target = server.url
    assert follow(a, proxy.url, code=4)["error"] == "ledger-fork"  # it stands still
    assert listed(a)["forks"] == 1
    a.audit()


def test_killed_in_the_middle(a, b, serve):
    """However often it is killed, it goes on, and ends with the same files."""
    for i in range(6):
        b.run("party", "add", f"op{i}.example", "--role", "operator", "--claim", f"AS{64500 + i}", "--approve")
    server = serve(b)
    rng = random.Random(5)
    for _ in range(25):
        p = subprocess.Popen([str(COMITY), "follow", server.url, *OUT], env=a.env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * 0.08)
        p.send_signal(signal.SIGKILL)
        p.wait()
    got = follow(a, server.url)
    same_tiles(a, b, "public")
    assert listed(a)["public_folded"] == got["public"]
    assert {p["party"] for p in a.json("party", "list")} >= {f"op{i}.example" for i in range(6)}
    a.audit()


# ---- more than a tile ----

def log_many(node, folder, key, kind, ledger, count):
    folder.mkdir(exist_ok=True)
    paths = []
    for _ in range(count):
        log_many.serial += 1
        note, id = key.statement(kind, f"b.example/{ledger}", f"text {kind} {log_many.serial}")
        path = folder / id
        path.write_text(note)
        paths.append(path)
    if paths:
        node.run("submit", *paths)


log_many.serial = 0


@pytest.fixture
def large(a, b, serve, tmp_path):
    """B with entries of several bundles in both ledgers; A is a member of its circle."""
    (b.dir / "config").write_text((b.dir / "config").read_text() + "\nrequests-per-minute 0\n")
    with serve(a) as known:
        follow(b, known.url)
    b.run("party", "approve", "a.example")
    b.run("party", "add", "m.example", "--role", "operator", "--claim", "AS64500", "--approve")
    b.many = lambda kind, ledger, count: log_many(b, tmp_path / "notes", Signer.of(b, "m.example"), kind, ledger, count)
    b.many("advisory", "public", 700)
    b.many("case", "circle", 1300)
    return b


def test_more_than_a_tile(a, large, serve):
    b = large
    server = serve(b)
    got = follow(a, server.url)
    assert got["public"] > 700 and got["circle"] >= 1300
    for public, circle in ((1, 0), (0, 1), (3, 250), (250, 6), (256, 512), (0, 0)):  # partial ones grow, some become full
        b.many("advisory", "public", public)
        b.many("case", "circle", circle)
        more = follow(a, server.url)
        assert (more["public_new"], more["circle_new"]) == (public, circle)
        same_tiles(a, b, "public")
        same_tiles(a, b, "circle")
    same_state(a, b)
    a.audit()
    b.audit()


def test_killed_among_full_bundles(a, large, serve, hostile):
    """Each time another bundle came through; what is there is not asked for again, and all ends as it must."""
    b = large
    b.many("advisory", "public", 1400)
    server = serve(b)
    proxy = hostile(server.url)  # which takes the signatures away: the circle is closed
    folder = a.dir / "followed" / "b.example"
    came = threading.Event()
    room = [0]

    def change(path, body):
        if "tile/entries/" in path and ".p/" not in path:
            room[0] -= 1
            if room[0] < 0:
                came.set()
                time.sleep(20)

    def bundles():
        return {str(p) for p in folder.rglob("tile/entries/*") if p.is_file() and ".p/" not in str(p)}

    proxy.change = change
    seen = [0]
    for bundle in (1, 1, 2):
        room[0] = bundle
        came.clear()
        p = subprocess.Popen([str(COMITY), "follow", proxy.url, *OUT], env=a.env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        while not came.wait(0.1):
            assert p.poll() is None
        for _ in range(200):  # what came is written, if this one and not a killed one had asked for it
            if len(bundles()) > seen[-1]:
                break
            time.sleep(0.05)
        p.send_signal(signal.SIGKILL)
        p.wait()
        seen.append(len(bundles()))
        assert not (folder / "public" / "checkpoint").exists()
    assert seen == sorted(seen) and seen[-1] > 1
    proxy = hostile(server.url)  # another one, which heard nothing of the killed ones
    follow(a, proxy.url)
    full = [p for p in proxy.paths if "tile/entries/" in p and ".p/" not in p]
    assert len(full) == len(set(full)) == 2100 // 256 - seen[-1] > 0
    follow(a, server.url)
    same_tiles(a, b, "public")
    same_tiles(a, b, "circle")
    same_state(a, b)
    a.audit()


def test_a_server_ends_while_it_folds(a, large, serve):
    """And goes on where it was."""
    theirs = serve(large)
    follows(a, f"follow {theirs.url}")
    for delay in (0.02, 0.1, 0.2, 0.3):
        mine = serve(a)
        time.sleep(delay)
        mine.stop()
    follow(a, theirs.url)
    same_state(a, large)
    a.audit()


# ---- what becomes of guests ----

def test_filed_anew_and_withdrawn(a, b, serve, tmp_path):
    def say(note_and_id):
        b.run("submit", "-", stdin=note_and_id[0].encode())
        return note_and_id[1]

    for party in ("m.example", "n.example"):
        b.run("party", "add", party, "--role", "operator", "--claim", "AS64500", "--approve")
    m, n = Signer.of(b, "m.example"), Signer.of(b, "n.example")
    public = "b.example/public"
    server = serve(b)
    assert follow(a, server.url)["parties"] == 3
    # Filed anew at home, and by now without an approved claim: it stands here as it stands there.
    say(m.party(public, "role operator", "title M anew", "contact mailto:soc@m.example"))
    assert follow(a, server.url)["parties"] == 1
    (shown,) = a.json("party", "show", "m.example")
    assert shown["title"] == "M anew" and shown["home"] == "b.example" and shown["contacts"] == ["soc@m.example"]
    assert shown["statement"] == b.json("party", "show", "m.example")[0]["statement"]
    # Withdrawn, as it stood here.
    (row,) = b.json("party", "show", "n.example")
    say(n.statement("withdraw", public, f"re {row['statement']}", "text no more"))
    b.run("party", "add", "o.example", "--role", "operator")
    got = follow(a, server.url)
    assert (got["parties"], got["refused"]) == (1, 0), got
    assert a.error("party", "show", "n.example") == b.error("party", "show", "n.example") == "party-unknown"
    # Filed anew and withdrawn between two rounds, among others of the same moment.
    id = say(m.party(public, "role operator", "title M once more"))
    many = [m.statement("advisory", public, f"text {i}") for i in range(5)]
    many.append(m.statement("withdraw", public, f"re {id}"))
    paths = []
    for note, name in many:
        (tmp_path / name).write_text(note)
        paths.append(tmp_path / name)
    b.run("submit", *paths)
    got = follow(a, server.url)
    assert (got["parties"], got["refused"]) == (2, 0), got
    assert a.error("party", "show", "m.example") == "party-unknown"
    got = follow(a, server.url)
    assert (got["parties"], got["refused"]) == (0, 0), got
    # It may come back.
    say(m.party(public, "role operator", "claim AS64500"))
    b.run("party", "approve", "m.example")
    assert follow(a, server.url)["parties"] == 1
    assert a.json("party", "show", "m.example")[0]["home"] == "b.example"
    same_tiles(a, b, "public")
    assert a.audit()["guests"] == 8
    b.audit()


# ---- claims of followed nodes ----

@pytest.fixture
def territory(a):
    a.build_territory()
    return a


def test_claims_of_a_followed_node(territory, b, serve, tmp_path):
    """M is known at B alone. A report at A goes to M, and says why."""
    a = territory
    (before,) = a.json("lookup", "5.44.0.9")
    assert before["rule"] == "holder"
    b.run("party", "add", "m.example", "--role", "operator", "--claim", "AS64500", "--approve")
    b.run("party", "add", "unapproved.example", "--role", "operator", "--claim", "AS64501")
    server = serve(b)
    follow(a, server.url)
    server.stop()  # from here on there is no network
    (found,) = a.json("lookup", "5.44.0.9")
    assert found["rule"] == "claimed-as"
    assert any("m.example claims AS64500, approved by b.example, followed" in r for r in found["reasons"]), found
    assert found["party"] == "m.example"
    (other,) = a.json("lookup", "5.45.0.9")
    assert other["rule"] == "holder"  # B did not approve it
    a.run("route", report(tmp_path))
    (notice,) = a.json("notice", "list")
    assert notice["to"] == "m.example", notice
    assert [(row["way"], row["to"]) for row in a.json("outbox")] == [("node", "b.example")]
    # Our own operator's approval comes first.
    a.run("party", "add", "ours.example", "--role", "operator", "--claim", "AS64500", "--approve")
    (found,) = a.json("lookup", "5.44.0.9")
    assert found["party"] == "ours.example" and "m.example" in json.dumps(found["copies"]), found
    a.run("follow", "remove", "b.example")
    (found,) = a.json("lookup", "5.44.0.9")
    assert not any("followed" in r for r in found["reasons"])
    a.audit()


def test_who_takes_only_proofs_takes_no_word_for_them(territory, b, serve, tmp_path):
    """B says that it verified a proof. Nobody did: its body is nonsense."""
    a = territory
    b.run("party", "add", "m.example", "--role", "operator")
    body, until = b"nothing", (datetime.now(timezone.utc) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = f"body application/vnd.comity.proof+json {len(body)} sha256:{hashlib.sha256(body).hexdigest()}"
    proof, name = Signer.of(b, "m.example").statement("proof", "b.example/public", "method dnssec", "resource prefix 5.44.0.0/16", line)
    answer, _ = Signer.of(b, "party").statement("answer", "b.example/public", f"re {name}", "outcome accepted", f"until {until}")
    for number, note in enumerate((proof, answer)):
        (tmp_path / f"{number}.note").write_text(note)
        b.run("submit", tmp_path / f"{number}.note")
    server = serve(b)
    follow(a, server.url)
    server.stop()
    assert a.json("lookup", "5.44.0.9")[0]["rule"] == "claimed-prefix"  # its word, as its operator's
    a.run("policy", "set", "divert", "rsc", "dnssec")
    assert a.json("lookup", "5.44.0.9")[0]["rule"] == "holder"
    a.run("policy", "set", "divert", "operator", "dnssec")
    assert a.json("lookup", "5.44.0.9")[0]["rule"] == "claimed-prefix"


def test_claims_of_a_forked_node_do_not_count(territory, b, serve, hostile, tmp_path):
    a = territory
    b.run("party", "add", "m.example", "--role", "operator", "--claim", "AS64500", "--approve")
    other = Node(tmp_path / "other")
    shutil.copytree(b.dir, other.dir)
    b.run("party", "add", "n.example", "--role", "operator")
    proxy = hostile(serve(b).url)
    follow(a, proxy.url)
    assert a.json("lookup", "5.44.0.9")[0]["rule"] == "claimed-as"
    other.run("party", "add", "x.example", "--role", "operator")
    proxy.target = serve(other).url
    assert follow(a, proxy.url, code=4)["error"] == "ledger-fork"
    assert a.json("lookup", "5.44.0.9")[0]["rule"] == "holder"


# ---- while a server serves ----

def follows(node, *lines):
    path = node.dir / "config"
    path.write_text(path.read_text() + "\n".join(["", "outgoing-private yes", "outgoing-plain yes", "follow-interval 1s", *lines, ""]))


def test_rounds_of_a_server(a, b, serve):
    theirs = serve(b)
    b.run("party", "add", "m.example", "--role", "operator", "--claim", "AS64500", "--approve")
    follows(a, f"follow {theirs.url}")
    mine = serve(a)
    mine.wait_for_log("compare its key with its people")
    mine.wait_for_log("2 parties")
    b.run("party", "add", "n.example", "--role", "operator", "--claim", "AS64501", "--approve")
    mine.wait_for_log("1 parties")
    assert {p["party"] for p in a.json("party", "list")} >= {"b.example", "m.example", "n.example"}
    theirs.stop()
    mine.wait_for_log("unreachable")
    mine.stop()
    assert listed(a)["public_folded"] == listed(a)["public"]
    a.audit()


def test_a_server_with_the_wrong_key(a, b, serve):
    theirs = serve(b)
    follows(a, f"follow {theirs.url} {'ab' * 32}")
    mine = serve(a)
    mine.wait_for_log("another key")
    mine.stop()
    assert listed(a) is None


def test_a_server_ends_while_a_peer_is_silent(a, b, serve, hostile):
    proxy = hostile(serve(b).url)
    silent = threading.Event()

    def change(path, body):
        if "tile" in path:
            silent.set()
            time.sleep(30)

    proxy.change = change
    follows(a, f"follow {proxy.url}")
    mine = serve(a)
    assert silent.wait(60)
    mine.stop()
    a.audit()
