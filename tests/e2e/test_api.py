"""The statements API of `comity serve`, as its OpenAPI description says."""
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

import pytest

from conftest import ROOT, TIMEOUT, Node, Server, wait_for
from signing import Signer, sealed

PLAN = ("activity scan", "start 2026-01-01T00:00:00Z", "end 2026-02-01T00:00:00Z", "source 192.0.2.0/24", "target any",
        "purpose a survey")
PUBLIC, CIRCLE = "node.example/public", "node.example/circle"
EVIDENCE = "application/vnd.comity.evidence+zstd"


class World:
    """A node with two members, one of which answers for AS64500, and a party that nobody accepted."""

    def __init__(self, node, serve, templates):
        self.node = node
        self.tokens = templates.copy("world", self.prepare, node)
        self.keys = {p: Signer.of(node, p) for p in ("op.example", "cert.example", "other.example")}
        self.server = serve(node, "--log", "json")

    @staticmethod
    def prepare(node):
        node.run("init", "node.example")
        node.run("party", "add", "op.example", "--role", "operator", "--claim", "AS64500", "--approve")
        node.run("party", "add", "cert.example", "--role", "response-team", "--approve")
        node.run("party", "add", "other.example", "--role", "researcher")
        tokens = {}
        for party in ("op.example", "cert.example", "other.example", "node.example"):
            rights = "read,write,operate" if party == "node.example" else "read,write"
            (made,) = node.json("access", "add", "tool." + party, "--party", party, "--rights", rights, "--token")
            tokens[party] = made["secret"]
        return tokens

    def ask(self, method, path, who=None, body=None, **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        if who:
            headers["Authorization"] = "Bearer " + self.tokens[who]
        return self.server.ask(method, path, body, headers)

    def submit(self, note, who=None):
        return self.ask("POST", "/statements", who, note.encode(), Content_Type="text/plain")

    def submit_with_body(self, note, payload, salt, who="cert.example", **more):
        content = {"note": note, "body": base64.b64encode(payload).decode(), "salt": salt.hex(), **more}
        return self.ask("POST", "/statements/with-body", who, json.dumps(content), Content_Type="application/json")

    def plan(self, who="op.example", *more):
        return self.keys[who].statement("plan", PUBLIC, *PLAN, *more, f"reference https://op.example/{os.urandom(8).hex()}")

    def notice(self, *lines, author="cert.example", payload=b"rows"):
        body, salt = sealed(author, EVIDENCE, payload)
        note, id = self.keys[author].statement("notice", CIRCLE, *lines, "class malicious-code/infected-system", "events 1",
                                               body)
        return note, id, payload, salt

    def listed(self, query="", who=None):
        answer = self.ask("GET", "/statements" + query, who)
        assert answer.status == 200, answer.body
        return answer.json()

    def ids(self, query="", who=None):
        return [s["id"] for s in self.listed(query, who)["statements"]]


@pytest.fixture
def world(empty, serve, templates):
    return World(empty, serve, templates)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory, templates):
    """One for all tests that change nothing."""
    world = World(Node(tmp_path_factory.mktemp("quiet") / "node"), Server, templates)
    yield world
    world.server.stop()


def problem(answer, status, code=None):
    assert answer.status == status, (answer.status, answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status and told["title"]
    assert code is None or told["code"] == code, told
    return told


def test_submit_and_read_back(world):
    note, id = world.plan()
    answer = world.submit(note)
    assert answer.status == 201, answer.body
    place = answer.json()
    assert place["id"] == id and place["ledger"] == "public" and not place["repeated"]
    assert answer.headers["Location"] == f"/statements/{id}"
    assert place["receipt"].startswith("c2sp.org/tlog-proof@v1\n")

    again = world.submit(note)
    assert again.status == 200 and again.json()["repeated"] and again.json()["index"] == place["index"]

    one = world.ask("GET", f"/statements/{id}").json()
    assert one["note"] == note and one["index"] == place["index"] and one["kind"] == "plan"
    assert {"name": "activity", "value": "scan"} in one["headers"]
    text = world.ask("GET", f"/statements/{id}", Accept="text/plain")
    assert text.body.decode() == note

    world.server.stop()
    assert id in {p["id"] for p in world.node.json("plan", "list")}
    world.node.audit()


def test_receipt_verifies_offline(world, tmp_path):
    note, id = world.plan()
    receipt = tmp_path / "receipt"
    given = world.submit(note).json()["receipt"]

    def fetched():
        answer = world.ask("GET", f"/statements/{id}/receipt")
        return answer.body if answer.status == 200 else problem(answer, 404) and None

    receipt.write_bytes(wait_for(fetched, "the receipt"))
    assert receipt.read_text().startswith("c2sp.org/tlog-proof@v1\n") and given
    world.server.stop()
    proof = tmp_path / "proof"
    world.node.run("ledger", "proof", id, "--out", proof)
    assert world.node.run("verify", proof)


@pytest.mark.parametrize("text, status, code", [
    ("", 400, "empty"),
    ("no note at all", 400, None),
    ("comity/1 plan\nledger node.example/public\n\n\u2014 a b\n", 400, None),
    ("x" * 70000, 413, None),
])
def test_what_is_no_statement(quiet, text, status, code):
    problem(quiet.submit(text), status, code)


def test_refusals_have_their_code(quiet):
    stranger = Signer.fresh("stranger.example")
    problem(quiet.submit(stranger.statement("plan", PUBLIC, *PLAN)[0]), 422, "party-unknown")
    problem(quiet.submit(quiet.keys["op.example"].statement("plan", "elsewhere.example/public", *PLAN)[0]), 422,
            "statement-ledger")
    note, _ = quiet.plan()
    flipped = note.replace("a survey", "a Survey")
    problem(quiet.submit(flipped), 403, "note-signature")
    problem(quiet.ask("POST", "/statements", body=note.encode(), Content_Type="application/json"), 415, "media-type")
    problem(quiet.ask("PUT", "/statements", body=b""), 405)


def test_a_party_enters_by_its_own_statement(world):
    fresh = Signer.fresh("fresh.example")
    note, id = fresh.party(PUBLIC, "role researcher")
    assert world.submit(note).status == 201
    assert world.submit(fresh.statement("plan", PUBLIC, *PLAN)[0]).status == 201
    assert id in world.ids("?party=fresh.example")


def test_bodies(world):
    note, id, payload, salt = world.notice("to AS64500", payload=b"the rows")
    problem(world.submit_with_body(note, b"other rows", salt), 400, "body")
    problem(world.submit_with_body(note, payload, bytes(32)), 400, "body")
    problem(world.submit_with_body(note, payload, salt, who=None), 401, "credentials")
    assert world.submit_with_body(note, payload, salt).status == 201

    for who in ("op.example", "cert.example", "node.example"):
        answer = world.ask("GET", f"/statements/{id}/body", who)
        assert answer.status == 200 and answer.body == payload, (who, answer.body)
        assert answer.headers["Comity-Salt"] == salt.hex()
        assert answer.headers["Content-Type"] == EVIDENCE
    for who in ("other.example", None):
        problem(world.ask("GET", f"/statements/{id}/body", who), 404)
        problem(world.ask("GET", f"/statements/{id}", who), 404)
        assert id not in world.ids(who=who)


def test_a_member_sees_headers_and_not_bodies(world):
    body = (b"rows for other.example",)
    note, id, payload, salt = world.notice("to other.example", payload=body[0])
    assert world.submit_with_body(note, payload, salt).status == 201
    assert world.ask("GET", f"/statements/{id}", "op.example").status == 200
    problem(world.ask("GET", f"/statements/{id}/body", "op.example"), 403, "not-yours")
    assert world.ask("GET", f"/statements/{id}/body", "other.example").body == payload


def test_absent_and_hidden_are_one(world):
    note, id, payload, salt = world.notice("to cert.example")
    assert world.submit_with_body(note, payload, salt).status == 201
    nothing = hashlib.sha256(b"nothing").hexdigest()
    for path in ("", "/body", "/receipt"):
        for who in (None, "other.example"):
            hidden = world.ask("GET", f"/statements/{id}{path}", who)
            absent = world.ask("GET", f"/statements/{nothing}{path}", who)
            drop = {"Date"}
            assert hidden.status == absent.status == 404
            assert hidden.body == absent.body
            assert {k: v for k, v in hidden.headers.items() if k not in drop} == \
                   {k: v for k, v in absent.headers.items() if k not in drop}


def test_lists_by_kind_party_matter_and_position(world):
    ids = []
    for _ in range(7):
        note, id = world.plan()
        assert world.submit(note).status == 201
        ids.append(id)
    cert, cert_id = world.plan("cert.example")
    assert world.submit(cert).status == 201
    assert world.ids("?kind=plan") == [*ids, cert_id]
    assert world.ids("?kind=plan&party=op.example") == ids
    note, answer_id = world.keys["cert.example"].statement("answer", PUBLIC, f"re {ids[2]}", "outcome acknowledged")
    assert world.submit(note).status == 201
    assert world.ids(f"?matter={ids[2]}") == [ids[2], answer_id]
    assert world.ids(f"?matter={ids[2]}&kind=answer") == [answer_id]

    walked, after = [], 0
    while True:
        page = world.listed(f"?kind=plan&limit=3&after={after}")
        walked += [s["id"] for s in page["statements"]]
        assert len(page["statements"]) <= 3
        after = page["next"]
        if not page["more"]:
            break
    assert walked == [*ids, cert_id]
    assert world.listed(f"?kind=plan&after={after}")["statements"] == []
    positions = [s["position"] for s in world.listed()["statements"]]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("query", ["?kind=nonsense", "?limit=0", "?limit=-1", "?limit=x", "?after=1&after=2", "?matter=12",
                                   "?party=%20", "?nonsense=1", "?kind=plan&kind=plan", "?party=%zz", "?party=%ff"])
def test_bad_queries(quiet, query):
    problem(quiet.ask("GET", "/statements" + query), 400)


class Events:
    """A server-sent event stream, read on a thread."""

    def __init__(self, world, query="", who=None, **headers):
        headers = {"Accept": "text/event-stream", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if who:
            headers["Authorization"] = "Bearer " + world.tokens[who]
        self.connection = world.server.connect()
        self.connection.request("GET", "/statements" + query, headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200 and self.answer.headers["Content-Type"] == "text/event-stream"
        self.seen, self.last = [], None
        self.news = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while line := self.answer.fp.readline() if not self.answer.chunked else self.answer.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                self.last = value
            if name == "data":
                with self.news:
                    self.seen.append(json.loads(value)["id"])
                    self.news.notify()
        with self.news:
            self.seen.append(None)
            self.news.notify()

    def wait_for(self, id):
        with self.news:
            assert self.news.wait_for(lambda: id in self.seen or None in self.seen, TIMEOUT), self.seen
        assert id in self.seen

    def close(self):
        self.connection.sock.close() if self.connection.sock else None


def test_followers(world):
    everyone, op, plans = Events(world), Events(world, who="op.example"), Events(world, "?kind=plan")
    note, plan_id = world.plan()
    assert world.submit(note).status == 201
    for one in (everyone, op, plans):
        one.wait_for(plan_id)
    notice, notice_id, payload, salt = world.notice("to AS64500")
    assert world.submit_with_body(notice, payload, salt).status == 201
    op.wait_for(notice_id)
    last, last_id = world.plan()
    assert world.submit(last).status == 201
    for one in (everyone, op, plans):
        one.wait_for(last_id)
        assert len(one.seen) == len(set(one.seen))
    assert notice_id not in everyone.seen and notice_id not in plans.seen
    assert plans.seen == [plan_id, last_id]
    assert everyone.seen == world.ids()

    behind = Events(world, "?kind=plan", Last_Event_ID=str(next(s["position"] for s in world.listed("?kind=plan")["statements"])))
    behind.wait_for(last_id)
    assert behind.seen == [last_id]


def test_a_server_that_stops_ends_its_streams(world):
    one = Events(world)
    world.server.stop()
    with one.news:
        assert one.news.wait_for(lambda: None in one.seen, 60)


def test_long_poll(world):
    after = world.listed()["next"]
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(world.listed(f"?after={after}&wait=60")))
    waiting.start()
    note, id = world.plan()
    assert world.submit(note).status == 201
    waiting.join(60)
    assert [s["id"] for s in answers[0]["statements"]] == [id]
    nothing = world.listed(f"?after={answers[0]['next']}&wait=1")
    assert nothing["statements"] == [] and not nothing["more"]


def test_public_bodies_are_found_by_hash_and_private_ones_are_not(world):
    _, _, payload, salt = given = world.notice("to cert.example")
    assert world.submit_with_body(given[0], payload, salt).status == 201
    reference = next(s["body"]["hash"] for s in world.listed("?kind=notice", "cert.example")["statements"])
    problem(world.ask("GET", f"/body/{reference}", "cert.example"), 404)
    problem(world.ask("GET", f"/body/{hashlib.sha256(payload).hexdigest()}"), 404)


def test_description(quiet):
    answer = quiet.ask("GET", "/openapi.json")
    assert answer.json() == json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert answer.json()["openapi"].startswith("3.1")


def test_the_front_page_leads_to_what_is_there(world):
    answer = world.ask("GET", "/")
    assert answer.headers["Content-Type"].startswith("text/html") and "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = answer.body.decode()
    links = re.findall(r'href="([^"]+)"', page)
    assert "node.example" in page and len(links) >= 4
    for link in links:
        answer = world.ask("GET", link)
        assert answer.status == 200, (link, answer.body)


def schemathesis():
    name = pathlib.Path(sys.executable).parent / "schemathesis"
    return str(name) if name.exists() else shutil.which("schemathesis")


@pytest.mark.skipif(schemathesis() is None, reason="schemathesis is not installed")
def test_answers_fit_the_description(world, tmp_path):
    for _ in range(3):
        assert world.submit(world.plan()[0]).status == 201
    done = subprocess.run(
        [schemathesis(), "run", f"{world.server.url}/openapi.json", "--header",
         "Authorization: Bearer " + world.tokens["op.example"], "--max-examples", "25", "--seed", "7", "--phases",
         "examples,coverage,fuzzing", "--checks",
         "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
         "response_headers_conformance", "--request-timeout", "60", "--no-color"],
        cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
