"""Statements as STIX: what a node shows of each kind is read by other people's readers of STIX, and the signed note in it
verifies."""
import base64
import hashlib
import json
import uuid

import pytest

from conftest import TAXII, token_of, wait_for
from delivery_lab import Place
from signing import Signer, sealed
from test_api import EVIDENCE, PLAN

stix2 = pytest.importorskip("stix2", reason="stix2 is not installed: nobody else reads STIX here")
validator = pytest.importorskip("stix2validator", reason="stix2-validator is not installed: nobody judges STIX here")
exceptions = pytest.importorskip("cryptography.exceptions")

EXTENSION = "extension-definition--2784c119-7561-4003-b680-5f786171108e"
CIRCLE, PUBLIC = "node.example/circle", "node.example/public"
TYPES = {"party": "identity", "plan": "grouping", "notice": "report"}
HOSTILE = 'say "</script>\\u0000\\" {}[]:, \\\'%s \\'
TOOL = f"tool--{uuid.UUID(int=5, version=4)}"


class Views:
    def __init__(self, node, serve):
        node.run("init", "node.example")
        (node.dir / "config").write_text(f"collection shared {uuid.UUID(int=7, version=4)} Shared\nread shared members\n"
                                         "write shared members\n")
        node.run("party", "add", "op.example", "--role", "operator", "--role", "vendor", "--claim", "AS64500", "--approve")
        node.run("party", "add", "cert.example", "--role", "response-team", "--approve")
        node.run("party", "add", "other.example", "--role", "researcher")
        self.tokens = {r: token_of(node, r, r, "read,write,operate" if r == "node.example" else "read,write")
                       for r in ("node.example", "op.example", "cert.example", "other.example")}
        self.keys = {n: Signer.of(node, n + ".example") for n in ("op", "cert", "other")}
        self.node, self.server = node, serve(node)
        self.notes = {}  # id: (kind, note)

    def ask(self, method, path, who="node.example", body=None, **headers):
        headers = {"Authorization": "Bearer " + self.tokens[who], **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.server.ask(method, path, body, headers)

    def say(self, who, kind, ledger, *lines, payload=None):
        media = EVIDENCE
        content = {}
        if payload is not None:
            line, salt = sealed(self.keys[who].name, media, payload)
            lines = (*lines, line)
            content = {"body": base64.b64encode(payload).decode(), "salt": salt.hex()}
        note, id = self.keys[who].statement(kind, ledger, *lines)
        content["note"] = note
        answer = self.ask("POST", "/statements/with-body", body=json.dumps(content), Content_Type="application/json")
        assert answer.status == 201, (kind, answer.body)
        self.notes[id] = (kind, note)
        return id

    def collection(self, name, query="?match[version]=all", who="node.example"):
        """The views of statements, and the bytes of the answer. Beside them is what explains them."""
        answer = self.ask("GET", f"/taxii2/comity/collections/{name}/objects/{query}", who, Accept=TAXII)
        assert answer.status == 200, answer.body
        objects = answer.json().get("objects", [])
        views = [o for o in objects if EXTENSION in o.get("extensions", {})]
        assert {o["type"] for o in objects if o not in views} <= {"identity", "extension-definition"}
        return views, answer.body


@pytest.fixture
def views(empty, serve):
    v = Views(empty, serve)
    plan = v.say("op", "plan", PUBLIC, *PLAN, f"reference https://op.example/{uuid.uuid4()}")
    odd = v.say("cert", "plan", PUBLIC, *PLAN[:-1], f"purpose {HOSTILE}")
    notice = v.say("cert", "notice", CIRCLE, "to AS64500", "to op.example", "cc other.example", "tlp AMBER+STRICT",
                   "class malicious-code/infected-system", "events 3", "first 2026-11-01T00:00:00Z", "last 2026-11-02T00:00:00Z",
                   payload=b"rows")
    plain = v.say("other", "notice", CIRCLE, "to prefix 2001:db8::/32", "class vulnerable/weak-crypto", "events 1", payload=b"more")
    red = v.say("cert", "notice", CIRCLE, "to country EE", "tlp RED", "class other/undetermined", "events 1", payload=b"red")
    v.say("op", "answer", CIRCLE, f"re {notice}", "outcome working", f"text {HOSTILE}")
    v.say("cert", "answer", PUBLIC, f"re {plan}", "outcome acknowledged")
    v.say("op", "answer", PUBLIC, f"re {odd}", "outcome objected", "text not in our networks")
    v.say("other", "withdraw", CIRCLE, f"re {plain}", "text wrong network")
    v.say("cert", "withdraw", PUBLIC, f"re {odd}")
    v.say("cert", "withdraw", CIRCLE, f"re {red}")
    v.say("op", "answer", CIRCLE, f"re {notice}", "outcome cannot")
    v.say("op", "request", CIRCLE, f"re {notice}", "to other.example", "need access", f"text {HOSTILE}", f"x-header {HOSTILE}")
    v.say("cert", "pledge", PUBLIC, "norm un 2015 e", f"text pledge {HOSTILE}", f"x-header {HOSTILE}")
    for kind, ledger in (("case", CIRCLE), ("advisory", PUBLIC), ("embargo", CIRCLE)):
        v.say("cert", kind, ledger, f"text {kind} {HOSTILE}", f"x-header {HOSTILE}", f"re {notice if ledger == CIRCLE else plan}")
    v.say("op", "advisory", PUBLIC, "text " + "x" * 30000)
    posted = v.ask("POST", "/taxii2/comity/collections/shared/objects/", "cert.example", json.dumps({"objects": [
        {"type": "tool", "spec_version": "2.1", "id": TOOL, "name": "t", "created": "2026-01-01T00:00:00.000Z",
         "modified": "2026-01-01T00:00:00.000Z"}]}), Content_Type=TAXII, Accept=TAXII)
    assert posted.status == 202 and posted.json()["success_count"] == 1, posted.body
    return v


def statements(v):
    return v.ask("GET", "/statements?limit=1000").json()["statements"]


def test_every_kind_is_stix(views):
    shown, _ = views.collection("statements")
    logged = statements(views)
    assert len(shown) == len(logged)
    kinds = {s["kind"] for s in logged}
    assert {"party", "plan", "notice", "answer", "withdraw", "share", "tick", "rules", "pledge", "request", "case"} <= kinds, kinds
    for o, s in zip(shown, logged):
        extension = o["extensions"][EXTENSION]
        assert extension["statement_id"] == s["id"] and extension["kind"] == s["kind"]
        assert o["type"] == TYPES.get(s["kind"], "note")
        result = validator.validate_instance(o, validator.ValidationOptions(version="2.1", silent=True))
        assert result.is_valid, (s["kind"], [str(e) for e in result.errors], o)
        parsed = stix2.parse(json.dumps(o), allow_custom=False, version="2.1")
        assert parsed.id == o["id"]
        assert o["modified"] == s["logged"]
    for name, kind in (("parties", "party"), ("plans", "plan")):
        assert views.collection(name)[0] == [o for o in shown if o["extensions"][EXTENSION]["kind"] == kind]
    to_op, _ = views.collection("notices", who="op.example")
    mine = [o for o in shown if o["type"] == "report" and {"AS64500", "op.example"} & set(o["extensions"][EXTENSION]["addressees"])]
    assert to_op == mine and len(mine) == 1


def test_whole_bundles_are_stix(views):
    objects = json.loads(views.collection("statements")[1])["objects"]
    bundle = {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": objects}
    result = validator.validate_string(json.dumps(bundle), validator.ValidationOptions(version="2.1", silent=True))
    results = result if isinstance(result, list) else [result]
    assert all(r.is_valid for r in results), [str(e) for r in results for e in r.errors]
    assert len(stix2.parse(bundle, allow_custom=False).objects) == len(objects)


def verify(note, key):
    """As C2SP's signed note says; the key is 01 and the public key."""
    text, _, signature = note.rpartition("\n\n")
    text += "\n"
    name, _, line = signature.removeprefix("\u2014 ").rstrip("\n").partition(" ")
    raw = base64.b64decode(line, validate=True)
    assert raw[:4] == hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    from cryptography.hazmat.primitives.asymmetric import ed25519
    ed25519.Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], text.encode())
    return name, text


def test_the_signed_note_verifies(views):
    objects, _ = views.collection("statements")
    keys, seen = {}, set()
    for o in objects:
        extension = o["extensions"][EXTENSION]
        note = extension["signed_note"]
        fields = [line.partition(" ")[::2] for line in note.split("\n\n")[0].split("\n")]
        if extension["kind"] == "party":
            keys[extension["from_party"]] = base64.b64decode(dict(fields)["public-key"])
        name, text = verify(note, keys[extension["from_party"]])
        assert name == extension["from_party"] == dict(fields)["from"] and extension["ledger"] == dict(fields)["ledger"]
        assert hashlib.sha256(text.encode()).hexdigest() == extension["statement_id"]
        assert extension["kind"] == fields[0][1]
        assert extension.get("addressees", []) == [v for n, v in fields if n == "to"]
        assert extension.get("refers_to", "") == dict(fields).get("re", "")
        if extension["statement_id"] in views.notes:
            assert views.notes[extension["statement_id"]] == (extension["kind"], note)
            seen.add(extension["statement_id"])
        with pytest.raises(exceptions.InvalidSignature):
            verify(note.replace("comity/1", "comity/2", 1), keys[extension["from_party"]])
    assert seen == set(views.notes)


def test_ids_and_bytes_are_stable(views):
    objects, body = views.collection("statements")
    assert views.collection("statements")[1] == body
    ids = [o["id"] for o in objects if o["type"] != "identity"]
    assert len(ids) == len(set(ids))
    for o in objects:
        s = o["extensions"][EXTENSION]["statement_id"]
        if o["type"] != "identity":
            assert o["id"] == f"{o['type']}--{uuid.UUID(s[:32], version=4)}"
            one, _ = views.collection("statements", f"{o['id']}/")
            assert one == [o]
    identities = {o["extensions"][EXTENSION]["from_party"]: o["id"] for o in objects if o["type"] == "identity"}
    assert len(set(identities.values())) == len(identities)
    for o in objects:
        if o["type"] != "identity":
            assert o["created_by_ref"] == identities[o["extensions"][EXTENSION]["from_party"]]
    by_statement = {o["extensions"][EXTENSION]["statement_id"]: o["id"] for o in objects}
    for o in objects:
        re = o["extensions"][EXTENSION].get("refers_to")
        if re and o["extensions"][EXTENSION]["kind"] in ("answer", "withdraw"):
            assert o["object_refs"] == [by_statement[re]]
    views.server.stop()
    views.node.run("ledger", "audit")


def test_a_party_s_next_statement_is_a_version(views):
    fresh = views.keys["other"]
    note, id = fresh.party(PUBLIC, "role researcher", "title The others")
    assert views.ask("POST", "/statements", body=note.encode(), Content_Type="text/plain").status == 201
    objects, _ = views.collection("parties")
    own = [o for o in objects if o["extensions"][EXTENSION]["from_party"] == "other.example"]
    assert len(own) == 2 and own[0]["id"] == own[1]["id"] and own[0]["created"] == own[1]["created"]
    assert own[0]["modified"] < own[1]["modified"] and own[1]["name"] == "The others"
    assert own[1]["extensions"][EXTENSION]["statement_id"] == id
    latest, _ = views.collection("parties", "")
    assert [o for o in latest if o["id"] == own[0]["id"]] == [own[1]]
    for o in own:
        assert validator.validate_instance(o, validator.ValidationOptions(version="2.1", silent=True)).is_valid


def test_guests_are_the_same_objects_at_every_node(tmp_path, serve):
    """A notice that came from another node, its answer, and a request: who made it and its home are the same there and here."""
    a, b = (Place(tmp_path, name, serve).start() for name in ("a.example", "b.example"))
    a.knows(b)
    notice = a.notice("to b.example")
    wait_for(lambda: b.has(notice))
    b.node.run("answer", notice, "cannot", "--text", "no access")
    wait_for(lambda: len(a.listed(f"?matter={notice}")) == len(b.listed(f"?matter={notice}")) == 4)

    def shown(place):
        reply = place.ask("GET", "/taxii2/comity/collections/statements/objects/?limit=100", Accept=TAXII)
        assert reply.status == 200, reply.body
        return {o["extensions"][EXTENSION]["statement_id"]: o for o in reply.json()["objects"]
                if EXTENSION in o.get("extensions", {})}

    there, here = shown(a), shown(b)
    kinds = []
    for logged in b.listed(f"?matter={notice}"):
        view, extension = here[logged["id"]], here[logged["id"]]["extensions"][EXTENSION]
        kinds.append(logged["kind"])
        home = logged.get("home", "b.example")
        assert view == there[logged["id"]]
        assert view["modified"] == view["created"] == logged.get("home_logged", logged["logged"])
        assert extension["ledger"] == f"{home}/circle" and extension["from_party"] == logged["from"] == home
        author = [p for p in b.listed("?kind=party") if p["from"] == home][-1]
        assert view["created_by_ref"] == here[author["id"]]["id"]
        result = validator.validate_instance(view, validator.ValidationOptions(version="2.1", silent=True))
        assert result.is_valid, [str(e) for e in result.errors]
        assert stix2.parse(json.dumps(view), allow_custom=False, version="2.1").id == view["id"]
        reply = b.ask("GET", f"/taxii2/comity/collections/statements/objects/{view['id']}/?match[version]={view['modified']}",
                      Accept=TAXII)
        assert reply.json()["objects"][0] == view
    assert sorted(kinds) == ["answer", "answer", "notice", "request"]
