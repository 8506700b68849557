"""What an agreement gives is sent and taken while its term is kept, not while it is suspended, and again when it was restored. Two
nodes: a.example keeps the agreement, b.example follows a's ledgers and knows of it from there. bench/make_agreement gave
them the months that it takes."""
import json
import subprocess
import time
import uuid

import pytest

from conftest import COMITY, TIMEOUT, Node, wait_for
from delivery_lab import LOOPBACK, Place
from ports import free_port

PROGRAM = COMITY.parent / "bench" / "make_agreement"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="skipped: bench/make_agreement is not built")

MEDIA = "application/taxii+json;version=2.1"
WINDOWS = {"in-force": "gggggg", "suspended": "ggmmmm", "restored": "ggmmmmggg"}


class Made(Place):
    def __init__(self, folder, name, serve):
        self.name, self.serve, self.server = name, serve, None
        self.node = Node(folder / name)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def settle(self, other):
        """What an operator sets up, now: the other reads and writes a collection of this node, and is of its circle."""
        with open(self.node.dir / "config", "w") as config:
            config.write(f"requests-per-minute 0\ncollection shared {uuid.uuid4()} Shared\nread shared members\n"
                         f"write shared members\nunmarked shared green\n{LOOPBACK}")
        (made,) = self.node.json("access", "add", "tool." + self.name, "--party", self.name, "--rights", "read,write,operate", "--token")
        self.token = made["secret"]
        (made,) = self.node.json("access", "add", "tool." + other.name, "--party", other.name, "--rights", "read,write", "--token")
        self.other_token = made["secret"]
        self.file_url(self.url)

    def as_other(self, method, path, body=None):
        return self.server.ask(method, "/taxii2/comity/collections/" + path, body,
                               {"Authorization": "Bearer " + self.other_token, "Accept": MEDIA, "Content-Type": MEDIA})


def indicator():
    at = "2026-01-01T00:00:00.000Z"
    return json.dumps({"objects": [{"type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}", "created": at,
                                    "modified": at, "indicator_types": ["malicious-activity"], "pattern_type": "stix",
                                    "pattern": "[ipv4-addr:value = '192.0.2.1']", "valid_from": at}]}).encode()


def build(tmp_path, serve, windows):
    a, b = (Made(tmp_path, name, serve) for name in ("a.example", "b.example"))
    subprocess.run([PROGRAM, a.node.dir, b.node.dir, windows], check=True, timeout=TIMEOUT)
    a.settle(b)
    b.settle(a)
    a.start()
    b.start()
    a.knows(b)
    b.knows(a)
    for place, other in ((a, b), (b, a)):
        place.node.run("party", "approve", other.name)
    return a, b


def follow(b, a):
    followed = json.loads(b.node.run("follow", a.url, "--plain", "--private", "--json").stdout.decode().splitlines()[-1])
    assert followed["circle_open"], followed


@pytest.fixture(params=WINDOWS)
def pair(request, tmp_path, serve):
    a, b = build(tmp_path, serve, WINDOWS[request.param])
    follow(b, a)
    return a, b, request.param == "suspended"


def may(place, suspended, *words):
    p = place.node.run(*words, "--json", code=None)
    if not suspended:
        assert p.returncode == 0, p.stderr
        return json.loads(p.stdout.decode().splitlines()[0])["id"]
    assert p.returncode != 0
    assert json.loads(p.stderr.decode().splitlines()[-1])["error"] == "suspended", p.stderr
    return None


def submit_request(place, by, *lines):
    note, id = by.signer.statement("request", f"{place.name}/circle", *lines, "need help",
                                   f"date {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}", f"text {uuid.uuid4()}")
    return place.submit(note), id


def test_what_the_doors_do(pair):
    a, b, suspended = pair
    # Objects: b at a, whose own ledger says it; a at b, which knows it from the mirror.
    for place in (a, b):
        for method, path, body, good in (("GET", "shared/objects/", None, 200), ("GET", "shared/manifest/", None, 200),
                                         ("POST", "shared/objects/", indicator(), 202)):
            answer = place.as_other(method, path, body)
            assert answer.status == (403 if suspended else good), (place.name, path, answer.body)
            assert (b"suspended" in answer.body) == suspended
        # What was taken back, and what is made from the ledgers, is the floor.
        assert place.as_other("GET", "shared/deletions/").status == 200
        for made in ("notices", "parties", "plans"):
            assert place.as_other("GET", made + "/objects/").status == 200
        assert place.ask("GET", "/taxii2/comity/collections/shared/objects/", Accept=MEDIA).status == 200, "the node's own operator"
    # Requests for help: both ask, both are asked.
    asked = [may(a, suspended, "request", "help", "--to", "b.example"), may(b, suspended, "request", "help", "--to", "a.example")]
    for place, by, to in ((a, a, b), (b, b, a), (a, b, a), (b, a, b)):
        answer, _ = submit_request(place, by, f"to {to.name}")
        assert answer.status == (403 if suspended else 201), answer.body
        assert (b'"suspended"' in answer.body) == suspended
    # The floor: critical help, pings, notices, plans, and their answers.
    critical = may(a, False, "request", "help", "--to", "b.example", "--critical", "energy")
    ping = may(b, False, "ping", "a.example")
    answer, by_wire = submit_request(b, b, "to a.example", "critical health")
    assert answer.status == 201, answer.body
    notice = a.notice("to b.example")
    wait_for(lambda: all(b.has(id) for id in (critical, notice)) and all(a.has(id) for id in (ping, by_wire)), "the floor")
    b.node.run("answer", notice, "acknowledged")
    b.node.run("request", "offer", critical)
    wait_for(lambda: ("b.example", "acknowledged") in a.outcomes(notice), "the answer to a notice")
    wait_for(lambda: ("b.example", "offered") in a.outcomes(critical), "the answer to a request")
    if not suspended:
        wait_for(lambda: b.has(asked[0]) and a.has(asked[1]), "the requests")


def test_a_flood_changes_nothing_below_the_floor(pair):
    a, b, suspended = pair
    ids = [b.notice("to a.example", payload=b"flood %d" % i) for i in range(60)]
    wait_for(lambda: all(a.has(id) for id in ids), "the flood")
    critical = may(a, False, "request", "help", "--to", "b.example", "--critical", "energy")
    notice = a.notice("to b.example")
    wait_for(lambda: b.has(critical) and b.has(notice), "the floor")
    wait_for(lambda: ("b.example", "received") in a.outcomes(notice), "received")
    may(a, suspended, "request", "help", "--to", "b.example")
    assert a.as_other("GET", "shared/objects/").status == (403 if suspended else 200)


def refused(place, id):
    return [i for i in place.node.json("outbox") if i["id"] == id and i["step"] == "refused"]


def test_who_does_not_follow_is_told_by_the_other(tmp_path, serve):
    """b never looked at a's ledgers, so it files and sends; a, which keeps the agreement, does not take it."""
    a, b = build(tmp_path, serve, WINDOWS["suspended"])
    asked = may(b, False, "request", "help", "--to", "a.example")
    critical = may(b, False, "request", "help", "--to", "a.example", "--critical", "water")
    (item,) = wait_for(lambda: refused(b, asked), "the refusal")
    assert "suspended" in item["detail"]
    wait_for(lambda: a.has(critical), "the floor")
    assert not a.has(asked)


def test_what_was_filed_before_is_not_sent_after(tmp_path, serve):
    """It waits in the outbox when b learns of the suspension: it is withheld without a word to a, and the floor goes on waiting."""
    a, b = build(tmp_path, serve, WINDOWS["suspended"])
    b.stop()
    with open(b.node.dir / "config", "a") as config:
        config.write("deliver no\n")
    b.start()
    asked = may(b, False, "request", "help", "--to", "a.example")
    critical = may(b, False, "request", "help", "--to", "a.example", "--critical", "water")
    follow(b, a)
    a.stop()
    b.stop()
    config = (b.node.dir / "config").read_text().replace("deliver no\n", "")
    (b.node.dir / "config").write_text(config)
    b.start()
    (item,) = wait_for(lambda: refused(b, asked), "that it is withheld")
    assert "suspended" in item["detail"] and "share" not in item["detail"]
    assert not refused(b, critical)
    a.start()
    b.node.run("outbox", "retry", critical, code=None)
    wait_for(lambda: a.has(critical), "the floor")
    assert not a.has(asked)
