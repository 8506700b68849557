"""Readers x markings x doors, over HTTP. What one may see is compared with the rules in words; and for whoever may not see
something, every answer of every door is the same, byte for byte, before and after it is there."""
import json

import pytest
from conftest import TAXII, bearer, token_of

LEVELS = ["clear", "green", "amber", "amber+strict", "red"]
MARKINGS = {  # TLP 2.0
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
COLLECTION = "84707118-4dc6-46ae-a11c-7fa51216a73e"
OPEN = "0d5d1c53-5e0c-4b9f-8e6e-3f0a52a3bb10"
CLOSED = "5a9f2d8e-77c1-4d0b-a1f4-91c1b3e0d7aa"
CONFIG = f"""listen 127.0.0.1:0
collection shared {COLLECTION} Shared by members
read shared members named.example
write shared members
collection open {OPEN} For everybody
read open all named.example
write open members
collection closed {CLOSED} For those who are named
read closed named.example
write closed named.example
"""
HEADER = "timestamp,protocol,src_ip,src_port,dst_ip,dst_port,username\n"


def notice(node, tmp_path, address, minute):
    """A notice to whoever answers for the address: 5.44/16 is op's, 5.45/16 nobody's that is here."""
    path = tmp_path / f"event4_honeypot_brute_force-{address}-{minute}.csv"
    path.write_text(HEADER + f"2026-11-01 10:{minute:02}:00,tcp,{address},1000,192.0.2.1,22,root\n")
    notices = node.json("route", path)[:-1]
    assert len(notices) == 1
    return notices[0]["notice"]


def prepare(node):
    node.run("init", "node.example")
    node.build_territory()
    (node.dir / "config").write_text(CONFIG)
    node.run("party", "add", "op.example", "--role", "operator", "--claim", "AS64500")
    node.run("party", "add", "team.example", "--role", "response-team", "--approve")
    return {
        "anybody": None,
        "op": token_of(node, "op", "op.example"),
        "stranger": token_of(node, "stranger", "stranger.example"),
        "named": token_of(node, "named", "named.example"),
        "member": token_of(node, "member", "team.example"),
        "pen": token_of(node, "pen", "team.example", "write"),
        "operator": token_of(node, "operator", "node.example", "read,write,operate"),
    }


@pytest.fixture
def node_of_many(empty, templates):
    empty.tokens = templates.copy("matrix", prepare, empty)
    return empty


def headers(node, reader, taxii=True):
    token = node.tokens[reader]
    return {**(bearer(token) if token else {}), **({"Accept": TAXII} if taxii else {})}


def indicator(n, level):
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{n:08x}-1111-4111-8111-111111111111",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "pattern_type": "stix",
            "pattern": f"[ipv4-addr:value = '5.44.0.{n}']", "valid_from": "2026-01-01T00:00:00Z",
            "object_marking_refs": [MARKINGS[level]]}


def share(s, node, collection, objects):
    status, _, body = s.told("POST", f"/taxii2/comity/collections/{collection}/objects/",
                            {**headers(node, "operator"), "Content-Type": TAXII}, json.dumps({"objects": objects}).encode())
    assert status == 202, body
    answer = json.loads(body)
    assert answer["success_count"] == len(objects), answer.get("failures")


# Up to which of LEVELS each reader sees a collection; None: it is not there, or only for writing.
SEES = {
    "shared": {"anybody": None, "op": None, "stranger": None, "named": 4, "member": 3, "pen": None, "operator": 4},
    "open": {"anybody": 0, "op": 0, "stranger": 0, "named": 4, "member": 1, "pen": None, "operator": 4},
    "closed": {"anybody": None, "op": None, "stranger": None, "named": 4, "member": None, "pen": None, "operator": 4},
}


@pytest.mark.parametrize("collection", SEES)
def test_collections_show_each_reader_its_part(node_of_many, collection, serve):
    node = node_of_many
    levels = LEVELS if collection == "closed" else LEVELS[:-1]  # RED is taken where all readers are named
    objects = [indicator(i + 1, level) for i, level in enumerate(levels)]
    root = f"/taxii2/comity/collections/{collection}/"
    with serve(node) as s:
        share(s, node, collection, objects)
        for reader, most in SEES[collection].items():
            seen = [o["id"] for o in objects[:most + 1]] if most is not None else []
            for door, member in (("objects/", "objects"), ("manifest/", "objects")):
                status, fields, body = s.told("GET", root + door, headers(node, reader))
                if most is None:
                    absent = s.told("GET", "/taxii2/comity/collections/none/" + door, headers(node, reader))
                    if reader == "pen" and collection != "closed":
                        assert status == 403, door  # it may write there, so it knows
                    else:
                        assert (status, body) == (absent[0], absent[2]), (reader, door)  # as if it did not exist
                    assert not any(o["id"].encode() in body for o in objects)
                    continue
                assert status == 200, (reader, door)
                assert [o["id"] for o in json.loads(body).get(member, [])] == seen, (reader, door)
            for o in objects:
                for door in (f"objects/{o['id']}/", f"objects/{o['id']}/versions/"):
                    status, _, body = s.told("GET", root + door, headers(node, reader))
                    assert (status == 200) == (o["id"] in seen), (reader, door)
                    assert status == 200 or o["pattern"].encode() not in body


def everything(s, node, reader, statements, objects):
    """Every answer that this reader can get, as one list. Nothing in it may depend on what the reader may not see."""
    answers = []

    def ask(path, taxii=False):
        answers.append((path, s.told("GET", path, headers(node, reader, taxii))))

    for query in ("", "?kind=notice", "?kind=party", "?kind=share", "?party=op.example", "?party=AS64500",
                  "?party=node.example", "?party=AS64501", "?limit=1", "?limit=2"):
        ask("/statements" + query)
    ask("/node")
    for party in ("", "/op.example", "/team.example", "/node.example", "/AS64500", "/AS64501", "/AS64502"):
        ask("/standing" + party)
    for one in statements:
        ask(f"/matters/{one}")
        ask(f"/statements?matter={one}")
        for door in ("", "/body", "/receipt"):
            ask(f"/statements/{one}{door}")
    ask("/taxii2/comity/", True)
    ask("/taxii2/comity/collections/", True)
    for collection in ("shared", "open", "notices", "parties", "plans", "statements"):
        root = f"/taxii2/comity/collections/{collection}/"
        for door in ("", "objects/", "objects/?limit=1", "manifest/", "manifest/?limit=2", "deletions/",
                     "objects/?match[type]=indicator", "objects/?match[version]=all"):
            ask(root + door, True)
        for one in objects:
            ask(f"{root}objects/{one}/", True)
            ask(f"{root}objects/{one}/versions/", True)
            ask(f"{root}objects/?match[id]={one}", True)
    return answers


def assert_same(before, after, reader):
    assert len(before) == len(after)
    for (path, one), (_, other) in zip(before, after):
        assert one == other, (reader, path, one, other)


def test_a_hidden_notice_changes_no_answer(node_of_many, tmp_path, serve):
    node = node_of_many
    shown = notice(node, tmp_path, "5.44.1.1", 1)
    blind = ["anybody", "op", "stranger", "named", "pen"]
    # Its id is known beforehand from a copy of the world: ask for what is not there, then for what is hidden.
    with serve(node) as s:
        first = everything(s, node, "operator", [shown], [])
    hidden = notice(node, tmp_path, "5.45.1.1", 2)
    with serve(node) as s:
        after = {r: everything(s, node, r, [shown, hidden], []) for r in blind}
        assert everything(s, node, "operator", [shown], []) != first  # it is there for who may see it
        assert any(p == f"/statements/{hidden}" and a[0] == 200 for p, a in everything(s, node, "member", [hidden], []))
        for reader in blind:
            absent = s.told("GET", "/statements/" + "0" * 64, headers(node, reader, False))
            for door in ("", "/body", "/receipt"):
                assert s.told("GET", f"/statements/{hidden}{door}", headers(node, reader, False)) == absent
            assert s.told("GET", f"/matters/{hidden}", headers(node, reader, False)) == absent
            assert s.told("GET", "/standing", headers(node, reader, False))[2] == \
                b'{"standings":[],"next":null,"more":false}\n'
    another = notice(node, tmp_path, "5.45.2.2", 3)
    with serve(node) as s:
        for reader in blind:
            assert_same(after[reader], everything(s, node, reader, [shown, hidden], []), reader)
            assert another.encode() not in b"".join(a[2] for _, a in everything(s, node, reader, [another], [])[:10])


def test_a_hidden_object_changes_no_answer(node_of_many, serve):
    node = node_of_many
    seen = indicator(1, "clear")
    secrets = {"open": indicator(2, "amber+strict"), "shared": indicator(3, "amber"), "closed": indicator(4, "red")}
    ids = [seen["id"], *(o["id"] for o in secrets.values())]

    def of_collections(s, reader, *without):
        answers = everything(s, node, reader, [], ids)
        return [a for a in answers if not any(w in a[0] for w in ("/statements", "/standing")) and not any(f"/{w}/" in a[0] for w in without)]

    with serve(node) as s:
        for collection in secrets:
            share(s, node, collection, [seen])
        before = {r: everything(s, node, r, [], ids) for r in ("anybody", "op", "stranger", "pen")}
        member = of_collections(s, "member", "shared")
        for collection, secret in secrets.items():
            share(s, node, collection, [secret])
        for reader, answers in before.items():
            assert_same(answers, everything(s, node, reader, [], ids), reader)
        # A member sees that something was shared, in the circle's ledger, and nothing of it in the collections.
        assert_same(member, of_collections(s, "member", "shared"), "member")
        assert of_collections(s, "named") != of_collections(s, "member")


def test_wrong_credentials_open_nothing(node_of_many, serve):
    node = node_of_many
    with serve(node) as s:
        for path in ("/statements", "/taxii2/", "/taxii2/comity/", "/taxii2/comity/collections/", "/body/" + "0" * 64,
                     "/taxii2/comity/collections/shared/objects/", "/taxii2/comity/collections/none/objects/"):
            answers = {s.told("GET", path, {"Accept": TAXII, "Authorization": a})[0]
                       for a in ("Bearer wrong", "Digest x", "Basic !")}
            assert answers == {401}, path


def test_standing_is_for_members_and_for_oneself(node_of_many, tmp_path, serve):
    node = node_of_many
    told = notice(node, tmp_path, "5.44.1.1", 1)  # to AS64500
    node.run("party", "approve", "op.example")
    node.run("answer", told, "acknowledged", "--for", "op.example", "--via", "mail")
    with serve(node) as s:
        for reader in node.tokens:
            own = reader == "op"
            all_of_it = reader in ("member", "operator") or own  # op is a member now that its claims are approved
            for party in ("op.example", "AS64500", "nobody.example"):
                status, _, body = s.told("GET", f"/standing/{party}", headers(node, reader, False))
                assert status == (200 if all_of_it else 404), (reader, party)
                if status == 200:
                    standing = json.loads(body)
                    assert standing["party"] == party
                    assert standing["notices"] == (1 if party == "AS64500" else 0)
            status, _, body = s.told("GET", "/standing?limit=1", headers(node, reader, False))
            page = json.loads(body)
            assert status == 200 and len(page["standings"]) == all_of_it and page["more"] == all_of_it
            if all_of_it:
                status, _, body = s.told("GET", f"/standing?after={page['next']}", headers(node, reader, False))
                assert [x["party"] for x in json.loads(body)["standings"]] == ["node.example"]
            status, _, body = s.told("GET", f"/matters/{told}", headers(node, reader, False))
            assert status == (200 if all_of_it else 404)
            if status == 200:
                matter = json.loads(body)
                assert [line["kind"] for line in matter["history"]] == ["notice", "answer"]
                assert "not admitting" in matter["note"] and ("delivery" in matter) == (reader == "operator")
        status, fields, body = s.told("GET", "/standing/AS64500",
                                      {**headers(node, "member", False), "Accept": "application/stix+json"})
        bundle = json.loads(body)
        assert status == 200 and [o["type"] for o in bundle["objects"]] == ["identity", "identity", "note"]
        for query, code in (("?from=nonsense", 400), ("?to=2026", 400), ("?wrong=1", 400), ("?demonstration=no", 400),
                            ("?from=9999-01-01T00:00:00Z", 400), ("?demonstration=yes", 200)):
            assert s.told("GET", "/standing/AS64500" + query, headers(node, "member", False))[0] == code, query
