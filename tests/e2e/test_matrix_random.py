"""Worlds drawn by chance (TEST_SEED): things that a reader may not see come and go, and every answer of every door stays what it
was, byte for byte; and whoever may see them does."""
import base64
import hashlib
import http.client
import json
import os
import random
import re
import urllib.parse
import uuid

import pytest

from conftest import TAXII, bearer, token_of, wait_for
from signing import Signer, sealed
from test_api import EVIDENCE, Events
from test_matrix import CONFIG, MARKINGS

SEED = int(os.environ.get("TEST_SEED", "1"))
TURNS = int(os.environ.get("COMITY_TURNS", "10"))
CIRCLE, PUBLIC = "node.example/circle", "node.example/public"
PLAN = ("activity scan", "start 2026-01-01T00:00:00Z", "end 2026-02-01T00:00:00Z", "source 192.0.2.0/24", "target any")
OLD = {  # TLP 1.0
    "white": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "red": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}
RANK = {"clear": 0, "white": 0, "green": 1, "amber": 2, "amber+strict": 3, "red": 4}
UNMARKED = {"shared": 2, "open": 0, "closed": 4}
COLLECTIONS = ("shared", "open", "closed")

#   reader: party, rights
READERS = {
    "anybody": None,
    "stranger": ("stranger.example", "read,write"),  # no party here
    "other": ("other.example", "read,write"),        # a party that nobody accepted
    "author": ("author.example", "read,write"),      # likewise, and it writes notices
    "addressee": ("addressee.example", "read,write"),
    "named": ("named.example", "read,write"),        # in the lists of collections
    "pen": ("team.example", "write"),
    "member": ("team.example", "read,write"),
    "holder": ("op.example", "read,write"),          # of AS64500, by an approved claim
    "box": ("node.example", "read,write"),           # the node's party, without its eyes
    "operator": ("node.example", "read,write,operate"),
}
MEMBERS = {"member", "holder", "box", "operator"}
# The strictest that each sees; None: it is not there.
SEES = {
    "shared": {"named": 4, "member": 3, "holder": 3, "box": 3, "operator": 4},
    "open": {"anybody": 0, "stranger": 0, "other": 0, "author": 0, "addressee": 0, "named": 4, "member": 1, "holder": 1,
             "box": 1, "operator": 4},
    "closed": {"named": 4, "operator": 4},
}


class Connection:
    """One reader's, kept open."""

    def __init__(self, server, token):
        self.place = urllib.parse.urlsplit(server.url)
        self.headers = bearer(token) if token else {}
        self.c = http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=120)

    def ask(self, method, path, body=None, **headers):
        """(status, headers in lower case without Date, body)"""
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        if path.startswith("/taxii2"):
            headers.setdefault("Accept", TAXII)
        for last in (False, True):
            try:
                self.c.request(method, path, body, {**self.headers, **headers})
                r = self.c.getresponse()
                content = r.read()
                break
            except (http.client.HTTPException, ConnectionError):  # it was closed between two requests
                self.c.close()
                if last:
                    raise
        fields = {k.lower(): v for k, v in r.getheaders() if k.lower() not in ("date", "connection", "keep-alive")}
        return r.status, fields, content

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)


class World:
    def __init__(self, node, serve):
        node.run("init", "node.example")
        (node.dir / "config").write_text(CONFIG + "requests-per-minute 0\nunmarked shared amber\nunmarked open clear\n"
                                                  "unmarked closed red\n")
        node.run("party", "add", "op.example", "--role", "operator", "--claim", "AS64500", "--approve")
        node.run("party", "add", "team.example", "--role", "response-team", "--approve")
        for party in ("other.example", "author.example", "addressee.example"):
            node.run("party", "add", party, "--role", "researcher")
        self.node = node
        self.keys = {p: Signer.of(node, p + ".example") for p in ("op", "team", "other", "author", "addressee")}
        tokens = {r: token_of(node, r, *who) if who else None for r, who in READERS.items()}
        self.server = serve(node)
        self.tokens = tokens
        self.of = {r: Connection(self.server, t) for r, t in tokens.items()}
        self.statements, self.objects, self.bodies, self.postings = ["0" * 64], [f"indicator--{uuid.UUID(int=1, version=4)}"], [], []
        for party in ("op", "other"):  # how it is kept is counted from the circle
            self.submit(self.keys[party].statement("pledge", PUBLIC, "norm un 2015 c", "term swift acknowledged at-least 90% within 1d each 1d")[0])

    def submit(self, note, reader="anybody"):
        status, _, body = self.of[reader].ask("POST", "/statements", note.encode(), Content_Type="text/plain")
        assert status == 201, body
        return json.loads(body)["id"]

    def plan(self):
        return self.submit(self.keys["other"].statement("plan", PUBLIC, *PLAN, f"purpose {uuid.uuid4()}")[0])

    def notice(self, author, *lines):
        payload = os.urandom(50)
        line, salt = sealed(author + ".example", EVIDENCE, payload)
        note, id = self.keys[author].statement("notice", CIRCLE, *lines, "class malicious-code/infected-system", "events 1", line)
        self.bodies += [re.search("sealed-sha256:([0-9a-f]+)", line)[1], hashlib.sha256(payload).hexdigest()]
        self.statements.append(id)
        content = {"note": note, "body": base64.b64encode(payload).decode(), "salt": salt.hex()}
        status, _, body = self.of["operator"].ask("POST", "/statements/with-body", json.dumps(content), Content_Type="application/json")
        assert status == 201, body
        return id, payload

    def post(self, reader, collection, *objects):
        return self.of[reader].ask("POST", f"/taxii2/comity/collections/{collection}/objects/",
                                   json.dumps({"objects": objects}).encode(), Content_Type=TAXII)

    def share(self, collection, *objects):
        status, _, body = self.post("operator", collection, *objects)
        answer = json.loads(body)
        assert status == 202 and answer["success_count"] == len(objects), body
        self.postings.append(answer["id"])
        self.objects += [o["id"] for o in objects if o["id"] not in self.objects]

    def published(self):
        """Waits until the public ledger's checkpoint holds all of it."""
        size = sum(s["ledger"] == "public" for s in json.loads(self.of["operator"].get("/statements?limit=1000")[2])["statements"])
        wait_for(lambda: int(self.of["anybody"].get("/ledger/public/checkpoint")[2].split(b"\n")[1]) == size, "the checkpoint")

    def everything(self, reader, ledgers=True, collections=COLLECTIONS):
        """Every answer that this reader can get. ledgers: what follows from the circle's ledger too."""
        ask, answers = self.of[reader].get, []
        paths = ["/healthz", "/openapi.json", "/answer/none", f"/answer/{'A' * 90}", "/taxii2/", "/taxii2/comity/", "/taxii2/comity/collections/"]
        own = ("notices", "parties", "plans", "statements") if ledgers else ()
        if ledgers:
            paths += ["/statements" + q for q in (
                "", "?limit=1", "?limit=2", "?after=1", "?kind=notice", "?kind=answer", "?kind=withdraw", "?kind=share",
                "?kind=party", "?party=op.example", "?party=AS64500", "?party=AS64501", "?party=addressee.example",
                "?party=author.example", "?party=node.example", "?party=country%20EE", "?party=prefix%205.44.0.0/16",
                "?party=addressee.example&kind=notice&limit=1")]
            paths += [f"/statements/{s}{d}" for s in self.statements for d in ("", "/body")]
            paths += [f"/statements?matter={s}{q}" for s in self.statements for q in ("", "&kind=answer", "&limit=1")]
            paths += [f"/{d}{q}" for d in ("pledges", "agreements") for q in ("", "?party=op.example", "?limit=1", "?after=" + "0" * 64)]
            paths += [f"/{d}/{s}" for d in ("matters", "requests", "agreements") for s in self.statements]
            paths += ["/requests" + q for q in ("", "?need=ping", "?to=addressee.example", "?to=op.example&need=ping", "?limit=1")]
            paths += [f"/parties/{p}.example?at=2036-01-01T00:00:00Z" for p in ("addressee", "author", "op", "other", "nobody")]
            paths += ["/standing" + q for q in ("", "/addressee.example", "/author.example", "/op.example", "/other.example",
                                                "/stranger.example", "/AS64500", "/AS64501", "?limit=1")]
            paths += ["/certificates", "/certificates?limit=1", "/certificates?from=op.example"]
            paths += ["/promises" + q for q in ("", "/author.example", "/op.example", "/other.example", "/stranger.example", "?limit=1")]
            paths += [f"/body/{b}" for b in self.bodies]
            for ledger in ("public", "circle", "none"):
                paths += [f"/ledger/{ledger}/{d}" for d in ("checkpoint", "tile/entries/000", "tile/0/000", "tile/0/000.p/1",
                                                             "tile/entries/000.p/2", "tile/1/000", "proof/0", "proof/1",
                                                             "proof/9999")]
            paths += [f"/statements/{s}/receipt" for s in self.statements[:1]]  # a receipt holds the newest checkpoint
        paths += [f"/taxii2/comity/status/{p}/" for p in (*self.postings, uuid.UUID(int=2, version=4))]
        for collection in (*collections, *own):
            root = f"/taxii2/comity/collections/{collection}/"
            paths += [root + d for d in ("", "objects/", "objects/?limit=1", "manifest/", "manifest/?limit=2", "deletions/",
                                         "deletions/?limit=1", "objects/?match[type]=indicator",
                                         "objects/?match[version]=all", "objects/?match[version]=first",
                                         "manifest/?match[version]=all&match[spec_version]=2.1,2.0",
                                         "objects/?added_after=2026-01-01T00:00:00Z")]
            for one in self.objects:
                paths += [f"{root}objects/{one}/", f"{root}objects/{one}/?match[version]=all", f"{root}objects/{one}/versions/",
                          f"{root}manifest/?match[id]={one}"]
        for s in self.statements if ledgers else ():
            one = f"report--{uuid.UUID(s[:32], version=4)}"
            paths += [f"/taxii2/comity/collections/{c}/objects/{one}/" for c in ("notices", "statements")]
        for path in paths:
            answers.append((path, ask(path)))
        answers.append(("behind a proxy", self.of[reader].get("/metrics", X_Forwarded_For="192.0.2.1")
                        if reader != "operator" else None))
        return answers

    def listed(self, reader, collection, query=""):
        status, _, body = self.of[reader].get(f"/taxii2/comity/collections/{collection}/objects/{query}")
        return [(o["id"], o.get("modified")) for o in json.loads(body).get("objects", [])] if status == 200 else None


@pytest.fixture
def world(empty, serve):
    return World(empty, serve)


def assert_same(before, after, reader, what):
    for (path, one), (_, other) in zip(before, after, strict=True):
        assert one == other, (SEED, reader, what, path, one, other)


def names(reader, words):
    party = READERS[reader] and READERS[reader][0]
    return party in words or (reader == "holder" and "AS64500" in words)


def test_hidden_statements(world):
    rng = random.Random(SEED)
    world.plan()
    world.notice("author", "to addressee.example", "tlp GREEN")
    world.notice("team", "to AS64500", "tlp AMBER")
    outcomes = {"addressee": 0, "author": 0, "holder": 0}
    for _ in range(4):
        author = rng.choice(["author", "team"])
        to = rng.sample(["addressee.example", "AS64500", "AS64501", "country EE", "op.example", "elsewhere.example"], rng.randint(1, 2))
        cc = rng.sample(["addressee.example", "author.example", "op.example", "team.example"], rng.randint(0, 1))
        tlp = rng.choice([None, "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"])
        secret = (author, to, cc, tlp)
        sees = {r: r in MEMBERS or names(r, [author + ".example", *to, *cc]) for r in READERS if r != "pen"} | {"pen": False}
        first = {r: names(r, [author + ".example", *to]) or r == "operator" for r in READERS}
        blind = [r for r in READERS if not sees[r]]
        world.published()
        before = {r: world.everything(r) for r in blind}
        lines = [f"to {x}" for x in to] + [f"cc {x}" for x in cc] + ([f"tlp {tlp}"] if tlp else [])
        id, payload = world.notice(author, *lines)
        world.statements.pop(), world.bodies.pop(), world.bodies.pop()
        replies = []
        for who in ("addressee", "op"):
            if f"{who}.example" in to or (who == "op" and "AS64500" in to):
                replies.append(world.submit(world.keys[who].statement("answer", CIRCLE, f"re {id}", "outcome working",
                                                                      "text we look into it")[0]))
        if rng.random() < 0.5:
            replies.append(world.submit(world.keys[author].statement("withdraw", CIRCLE, f"re {id}")[0]))
        for r in blind:
            assert_same(before[r], world.everything(r), r, secret)
            for one in (id, *replies):
                nothing = [world.of[r].get(f"/statements/{'0' * 64}{d}") for d in ("", "/body", "/receipt")]
                assert [world.of[r].get(f"/statements/{one}{d}") for d in ("", "/body", "/receipt")] == nothing
                assert json.loads(world.of[r].get(f"/statements?matter={one}")[2])["statements"] == []
                for kind in ("report", "note"):
                    view = f"{kind}--{uuid.UUID(one[:32], version=4)}"
                    assert world.of[r].get(f"/taxii2/comity/collections/statements/objects/{view}/")[0] == 404 or r == "pen"
        for r in set(READERS) - set(blind):
            assert world.of[r].get(f"/statements/{id}")[0] == 200, (r, secret)
            found = [s["id"] for s in json.loads(world.of[r].get(f"/statements?matter={id}")[2])["statements"]]
            assert found == [id, *replies], (r, secret)
            for one in replies:
                assert world.of[r].get(f"/statements/{one}")[0] == 200, (r, secret)
            copied = names(r, cc) and tlp != "RED"
            body = world.of[r].get(f"/statements/{id}/body")
            if first[r] or copied or tlp == "CLEAR" or (tlp == "GREEN" and r in MEMBERS):
                assert body[0] == 200 and body[2] == payload, (r, secret)
            else:
                assert body[0] == 403 and payload not in body[2], (r, secret)
            outcomes[r] = outcomes.get(r, 0) + 1
        for r in READERS:
            for b in (hashlib.sha256(payload).hexdigest(),):
                assert world.of[r].get(f"/body/{b}")[0] == 404
        world.statements += [id, *replies]
    assert outcomes["operator"] == 4


def drawn_object(rng, id=None, modified="2026-01-01T00:00:00.000Z"):
    """An object with some marking, the definitions that it needs, and how strict it is in each collection."""
    o = {"type": "indicator", "spec_version": "2.1", "id": id or f"indicator--{uuid.UUID(int=rng.getrandbits(128), version=4)}",
         "created": "2026-01-01T00:00:00.000Z", "modified": modified, "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
         "pattern": f"[ipv4-addr:value = '5.44.0.{rng.randrange(256)}']", "name": f"{rng.getrandbits(64):x}"}
    how = rng.choice(["none", "old", "new", "granular", "both", "statement", "unknown"])
    level, more = None, []
    if how in ("old", "new", "both"):
        word, mark = rng.choice(list((OLD if how == "old" else MARKINGS).items()))
        o["object_marking_refs"], level = [mark], RANK[word]
    if how in ("granular", "both"):
        word, mark = rng.choice(list(MARKINGS.items()))
        o["granular_markings"] = [{"selectors": ["name"], "marking_ref": mark}]
        level = max(level or 0, RANK[word])
    if how in ("statement", "unknown"):
        mark = f"marking-definition--{uuid.UUID(int=rng.getrandbits(128), version=4)}"
        o["object_marking_refs"] = [mark]
        if how == "statement":
            more.append({"type": "marking-definition", "spec_version": "2.1", "id": mark, "created": "2026-01-01T00:00:00.000Z",
                         "definition_type": "statement", "definition": {"statement": "Copyright"},
                         "object_marking_refs": [MARKINGS["clear"]]})
        else:
            level = 4
    return o, more, level


def test_hidden_objects(world):
    rng = random.Random(SEED)
    visible, _, _ = drawn_object(rng)
    visible["object_marking_refs"] = [MARKINGS["clear"]]
    visible.pop("granular_markings", None)
    for collection in COLLECTIONS:
        world.share(collection, visible)
    hidden = 0
    world.published()
    for turn in range(TURNS):
        collection = rng.choice(COLLECTIONS)
        kind = rng.choice(["new", "version"])  # or a newer version of what all may see
        o, more, level = drawn_object(rng, **({} if kind == "new" else {
            "id": visible["id"], "modified": f"2026-02-{turn + 1:02}T00:00:00.000Z"}))
        level = UNMARKED[collection] if level is None else level
        if level == 4 and collection != "closed":
            answer = json.loads(world.post("operator", collection, o, *more)[2])
            assert answer["failure_count"] == 1 and answer["failures"][0]["message"].startswith("tlp"), answer
            continue
        for m in more:
            world.share(collection, m)
        sees = {r: SEES[collection].get(r) is not None and SEES[collection][r] >= level for r in READERS}
        blind = [r for r in READERS if not sees[r]]
        hidden += len(blind)
        if o["id"] not in world.objects:
            world.objects.append(o["id"])
        posting = world.postings[-1]
        before = {r: world.everything(r, ledgers=r not in MEMBERS) for r in blind}
        world.share(collection, o)
        world.postings.pop()
        assert world.postings[-1] == posting
        for r in blind:
            assert_same(before[r], world.everything(r, ledgers=r not in MEMBERS), r, (collection, level, kind))
        for r in set(READERS) - set(blind):
            assert (o["id"], o["modified"]) in world.listed(r, collection, f"?match[id]={o['id']}&match[version]=all"), r
            text = world.of[r].get(f"/taxii2/comity/collections/{collection}/objects/{o['id']}/?match[version]={o['modified']}")[2]
            assert o["name"].encode() in text, r
        if rng.random() < 0.5:  # and when it goes
            before = {r: world.everything(r, ledgers=r not in MEMBERS) for r in blind}
            path = f"/taxii2/comity/collections/{collection}/objects/{o['id']}/?match[version]={o['modified']}"
            for r in blind:
                if r in ("named", "operator"):
                    continue
                away = world.of[r].ask("DELETE", path.replace(o["id"], f"indicator--{uuid.UUID(int=3, version=4)}"))
                assert world.of[r].ask("DELETE", path) == away and away[0] in (401, 403, 404), r
            assert (o["id"], o["modified"]) in world.listed("operator", collection, "?match[version]=all")
            assert world.of["operator"].ask("DELETE", path)[0] == 200
            for r in blind:
                assert_same(before[r], world.everything(r, ledgers=r not in MEMBERS), r, ("deleted", collection, level, kind))
            assert o["id"].encode() in world.of["operator"].get(f"/taxii2/comity/collections/{collection}/deletions/")[2]
    assert hidden > TURNS


def told(answer, *ids):
    """What a posting's answer says, but for names and times."""
    status, fields, body = answer
    text = body.decode()
    for n, id in enumerate(ids):
        text = text.replace(id, f"ID{n}")
    text = re.sub(r'"id":"[0-9a-f-]{36}"', '"id":"posting"', text)
    return status, {k: v for k, v in fields.items() if k != "content-length"}, re.sub(r'"request_timestamp":"[^"]*"', "", text)


@pytest.mark.parametrize("collection, writer, level", [("open", "member", "amber"), ("open", "member", "amber+strict"),
                                                       ("shared", "pen", "amber"), ("open", "pen", "green")])
def test_what_is_posted_meets_nothing_hidden(world, collection, writer, level):
    """Conflicts, repeats and deletions tell only of what the writer may see."""
    rng = random.Random(SEED)

    def marked(**more):
        o, _, _ = drawn_object(rng, **more)
        o.pop("granular_markings", None)
        o["object_marking_refs"] = [MARKINGS[level]]
        return o

    def ledger_says():
        last = json.loads(world.of["member"].get("/statements?kind=share&limit=1000")[2])["statements"][-1]
        return [h for h in last["headers"] if h["name"] not in ("body", "date")], last["body"]["size"]

    conflict, repeat, gone, fresh = marked(), marked(), marked(), marked()
    world.share(collection, conflict, repeat, gone)
    assert world.of["operator"].ask("DELETE", f"/taxii2/comity/collections/{collection}/objects/{gone['id']}/")[0] == 200
    for o in (conflict, repeat, gone):
        sent = dict(fresh, id=o["id"]) if o is not repeat else o
        plain = dict(sent, id=marked()["id"])
        met, met_says = told(world.post(writer, collection, sent), sent["id"]), ledger_says()
        new, new_says = told(world.post(writer, collection, plain), plain["id"]), ledger_says()
        assert met == new and met[0] == 202 and '"success_count":1' in met[2], (met, new)
        assert met_says == new_says
        both = [told(world.post(writer, collection, dict(x, modified="2026-05-01T00:00:00.000Z"), x), x["id"]) for x in (sent, plain)]
        assert met_says != [] and len(both) == 2
    kept = json.loads(world.of["operator"].get(f"/taxii2/comity/collections/{collection}/objects/{conflict['id']}/?match[version]="
                                               f"{conflict['modified']}")[2])["objects"]
    assert kept == [conflict]  # the first one
    # A marking that is hidden is as unknown as one that is not there.
    mark = {"type": "marking-definition", "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z", "definition_type": "statement",
            "definition": {"statement": "x"}, "object_marking_refs": [MARKINGS[level]],
            "id": f"marking-definition--{uuid.UUID(int=rng.getrandbits(128), version=4)}"}
    world.share(collection, mark)
    absent = f"marking-definition--{uuid.UUID(int=rng.getrandbits(128), version=4)}"
    one, other = (dict(marked(), object_marking_refs=[MARKINGS[level], m]) for m in (mark["id"], absent))
    assert told(world.post(writer, collection, one), one["id"]) == told(world.post(writer, collection, other), other["id"])


def test_what_is_said_about_a_hidden_matter(world):
    """Answers to what their author may not see are refused as answers to nothing, whoever brings them."""
    id, _ = world.notice("team", "to AS64500", "tlp RED")
    absent = hashlib.sha256(b"absent").hexdigest()
    forged = Signer.fresh("op.example")
    for key, lines in [(world.keys["other"], ["outcome working"]), (world.keys["addressee"], ["outcome closed"]),
                       (world.keys["author"], ["outcome nonsense"]), (world.keys["other"], ["outcome working", "for op.example", "via mail"]),
                       (forged, ["outcome working"]), (Signer.fresh("unknown.example"), ["outcome working"])]:
        for kind in ("answer", "withdraw"):
            answers = [world.of[r].ask("POST", "/statements", key.statement(kind, CIRCLE, f"re {re_}", *lines)[0].encode(),
                                       Content_Type="text/plain") for r in ("anybody", "other") for re_ in (id, absent)]
            assert answers[0][0] >= 400 and all(a == answers[0] for a in answers), (kind, lines, answers)
    note = world.keys["op"].statement("answer", CIRCLE, f"re {id}", "outcome working")[0]
    spoilt = re.sub(r"(\u2014 op.example .{20})(.)", lambda m: m[1] + ("A" if m[2] != "A" else "B"), note)
    first, second = (world.of["anybody"].ask("POST", "/statements", text.encode(), Content_Type="text/plain")
                     for text in (spoilt, spoilt.replace(id, absent)))
    assert first == second and first[0] == 403
    assert json.loads(world.of["other"].ask("POST", "/statements", world.keys["team"].statement(
        "answer", CIRCLE, f"re {id}", "outcome working")[0].encode(), Content_Type="text/plain")[2])["code"] == "not-yours"
    world.submit(note)


def test_who_follows_hears_nothing_of_it(world):
    """Streams and long polls of readers who may not see what is logged give the same bytes as if it were not."""
    blind = ["anybody", "stranger", "other", "named", "pen"]
    seen = world.plan()
    streams = {r: Events(world, who=r if READERS[r] else None) for r in blind}
    follower = Events(world, who="addressee")
    for s in streams.values():
        s.wait_for(seen)
    reached = json.loads(world.of["anybody"].get("/statements?limit=1000")[2])["next"]
    empty = {r: world.of[r].get(f"/statements?after={reached}") for r in blind}
    started = {r: len(s.seen) for r, s in streams.items()}
    id, _ = world.notice("team", "to addressee.example")
    answer = world.submit(world.keys["addressee"].statement("answer", CIRCLE, f"re {id}", "outcome working")[0])
    follower.wait_for(answer)
    for r in blind:
        assert world.of[r].get(f"/statements?after={reached}") == empty[r]
        polled = world.of[r].get(f"/statements?after={reached}&wait=1")
        assert polled[2] == empty[r][2], r
    last = world.plan()
    for r, s in streams.items():
        s.wait_for(last)
        assert s.seen[started[r]:] == [last], r
        s.close()
    follower.close()
