"""Proofs as users meet them: filed by a command or brought by HTTP, judged, acted on, and verified again by others."""
import base64
import hashlib
import json
import os
import time
from datetime import datetime, timedelta, timezone

import pytest

import rpki_lab
from conftest import TIMEOUT, Node
from signing import Signer

MEDIA_TYPE = "application/vnd.comity.proof+json"
PUBLIC = "cert.example/public"
V4 = "prefix 192.0.2.0/24"
OUT = ("--plain", "--private")

# One case of the laboratory for each way to be wrong, and the code that it gets.
WRONG = ["tampered-signature", "overclaim", "beyond", "wrong-file", "expired", "revoked", "stale", "no-authority", "inherit"]


def key_text(node, party):
    return node.run("proof", "text", "--party", party).stdout


def prepare(node):
    """A node with two parties, and all kinds of checklists over the key of one of them."""
    node.run("init", "cert.example")
    node.build_territory()
    tokens = {}
    for party in ("op.example", "rival.example"):
        node.run("party", "add", party, "--role", "operator", "--claim", V4, "--claim", "prefix 5.44.7.0/24")
        tokens[party] = node.json("access", "add", "tool." + party, "--party", party, "--rights", "read,write", "--token")[0]["secret"]
    lab = rpki_lab.Lab(node.dir.parent / "lab")
    cases = {case.name: case for case in rpki_lab.cases(lab, key_text(node, "op.example"))}
    wide = rpki_lab.Lab(node.dir.parent / "wide", held=["5.44.0.0/16"])
    lists = {"ta.crl": wide.ta.crl(), "ca.crl": wide.ca.crl()}
    for party, name in (("op.example", "own"), ("rival.example", "rival")):
        text = key_text(node, party)
        sig = wide.checklist(["5.44.7.0/24"], [("key.txt", text)])
        cases[name] = rpki_lab.Case(wide, name, "ok", sig, text, objects=lists)
    (node.dir.parent / "wide.tal").write_text(wide.tal())
    cases["good"].write(node.dir.parent / "tal")
    node.run("anchor", "add", node.dir.parent / "tal" / "test.tal", node.dir.parent / "wide.tal")
    return tokens, cases


class World:
    def __init__(self, node, templates, folder):
        self.node, self.folder = node, folder
        self.tokens, self.cases = templates.copy("proof", prepare, node)
        self.keys = {party: Signer.of(node, party) for party in self.tokens}

    def files(self, name):
        case, folder = self.cases[name], self.folder / "files" / name
        case.write(folder)
        words = ["--checklist", folder / "checklist.sig"]
        for path in sorted(folder.iterdir()):
            if path.suffix in (".cer", ".crl"):
                words += ["--certificate" if path.suffix == ".cer" else "--crl", path]
        return words

    def file(self, name, *resources, party="op.example", code=0):
        words = ["proof", "file", "rsc", "--from", party, *self.files(name)]
        for resource in resources or [V4]:
            words += ["--resource", resource]
        return self.node.json(*words) if code == 0 else self.node.error(*words)

    def evidence(self, name, **changes):
        case = self.cases[name]
        roles = {".cer": "certificate", ".crl": "crl"}
        parts = [("checklist", case.checklist)] + [(roles[n[-4:]], content) for n, content in case.objects.items()]
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return json.dumps({"method": "rsc", "obtained": now,
                           "parts": [{"role": r, "data": base64.b64encode(b).decode()} for r, b in parts], **changes}).encode()

    def statement(self, body, *resources, party="op.example", method="rsc"):
        lines = [f"method {method}", *(f"resource {r}" for r in resources or [V4])]
        return self.keys[party].statement("proof", PUBLIC, *lines,
                                          f"body {MEDIA_TYPE} {len(body)} sha256:{hashlib.sha256(body).hexdigest()}")

    def bring(self, server, note, body, who="op.example"):
        headers = {"Content-Type": "application/json", **({"Authorization": "Bearer " + self.tokens[who]} if who else {})}
        return server.ask("POST", "/statements/with-body", json.dumps({"note": note, "body": base64.b64encode(body).decode()}), headers)

    def verdict(self, server, id):
        """What the server says by itself, in a moment."""
        for _ in range(TIMEOUT * 10):
            answers = server.get(f"/statements?matter={id}&kind=answer").json()["statements"]
            if answers:
                return {h["name"]: h["value"] for h in answers[-1]["headers"]}
            time.sleep(0.1)
        raise AssertionError(server.log()[-4000:])


@pytest.fixture
def world(empty, templates, tmp_path):
    return World(empty, templates, tmp_path)


def notices(node, tmp_path, address):
    path = tmp_path / f"report-{os.urandom(4).hex()}.jsonl"
    path.write_text(json.dumps({"time.source": "2026-11-20T10:00:00Z", "source.ip": address, "source.port": 4711,
                                "classification.taxonomy": "malicious-code", "classification.type": "infected-system"}) + "\n")
    before = {n["id"] for n in node.json("notice", "list")}
    node.run("route", path)
    return [n["to"] for n in node.json("notice", "list") if n["id"] not in before]


def test_the_key_statement_says_where_it_goes(world):
    text = key_text(world.node, "op.example").decode()
    assert text == f"comity-key 1\nparty op.example\nkey {world.keys['op.example'].fingerprint}\n"
    txt = world.node.text("proof", "text", "--party", "op.example", "--txt").splitlines()
    assert [line.split(" ")[0] for line in txt] == ["_comity.op.example.", "_comity.7.44.5.in-addr.arpa.", "_comity.2.0.192.in-addr.arpa."]
    assert all(f'"v=comity1; party=op.example; key={world.keys["op.example"].fingerprint}"' in line for line in txt)
    (told,) = world.node.json("proof", "text", "--party", "op.example")
    assert told["statement"] == text and told["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert world.node.error("proof", "text", "--party", "nobody.example") == "party-unknown"


def test_a_proof_diverts_a_notice_that_a_claim_did_not(world, tmp_path):
    assert notices(world.node, tmp_path, "5.44.7.9") == ["AS64500"]
    proof, verdict = world.file("own", "prefix 5.44.7.0/24")
    assert proof["what"] == "proof" and verdict["what"] == "verdict"
    assert notices(world.node, tmp_path, "5.44.7.10") == ["op.example"]
    assert notices(world.node, tmp_path, "5.44.8.10") == ["AS64500"]
    (told,) = world.node.json("party", "show", "op.example")
    (held,) = told["holdings"]
    assert (held["resource"], held["basis"], held["holds"]) == ("prefix 5.44.7.0/24", "rsc", True)
    assert held["because"] == proof["id"] and held["until"] and held["rivals"] == []
    assert told["profile"]["bases"] == ["rsc"] and told["profile"]["prefixes"] == 1
    assert "score" not in json.dumps(told)

    world.node.run("withdraw", proof["id"], "--from", "op.example")
    assert notices(world.node, tmp_path, "5.44.7.11") == ["AS64500"]
    (told,) = world.node.json("party", "show", "op.example")
    assert [h["holds"] for h in told["holdings"]] == [False]
    world.node.audit()


def test_each_wrong_proof_is_refused_by_name_and_not_filed(world):
    for name in WRONG:
        assert world.file(name, code=1) == world.cases[name].expected, name
    assert world.file("good", "prefix 203.0.113.0/24", code=1) == "evidence-resource"
    assert world.file("good", party="rival.example", code=1) == "evidence-file"
    assert world.node.json("proof", "list") == []
    world.node.run("anchor", "remove", "test.tal")
    assert world.file("good", code=1) == "evidence-chain"
    world.node.run("anchor", "add", world.node.dir.parent / "files" / "good" / "test.tal")
    assert len(world.file("good")) == 2
    world.node.audit()


def test_files_that_are_no_evidence(world, tmp_path):
    empty, pem = tmp_path / "empty", tmp_path / "bad.pem"
    empty.write_bytes(b"")
    pem.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    for words, code in ((("--checklist", empty), "evidence"), (("--checklist", pem), "evidence"),
                        (("--checklist", tmp_path / "missing"), "not-found"), ((), "evidence"),
                        (("--signature", empty), "usage"), (("--evidence", empty), "evidence")):
        assert world.node.error("proof", "file", "rsc", "--from", "op.example", "--resource", V4, *words,
                                code=2 if code == "usage" else 1) == code, words
    assert world.node.error("proof", "file", "roa", code=2) == "usage"
    assert world.node.error("proof", "file", "rsc", "--resource", "nonsense resource", code=2) == "usage"


def test_pem_is_read_too(world, tmp_path):
    folder = tmp_path / "pem"
    world.cases["good"].write(folder)
    for name in ("ta.cer", "ca.cer"):
        (folder / name).write_bytes(rpki_lab.openssl("x509", "-inform", "DER", "-in", folder / name))
    both = folder / "chain.pem"
    both.write_bytes((folder / "ta.cer").read_bytes() + (folder / "ca.cer").read_bytes())
    world.node.run("proof", "file", "rsc", "--from", "op.example", "--resource", V4, "--checklist", folder / "checklist.sig",
                   "--certificate", both, "--crl", folder / "ta.crl", "--crl", folder / "ca.crl")
    (row,) = world.node.json("proof", "list", "--party", "op.example")
    assert row["verdict"] == "accepted"
    (shown,) = world.node.json("proof", "show", row["id"])
    assert [p["role"] for p in shown["evidence"]["parts"]] == ["checklist", "certificate", "certificate", "crl", "crl"]


def test_the_server_judges_what_comes_by_http(world, serve):
    server = serve(world.node, "--log", "json")
    told = {}
    for name in ["good", *WRONG]:
        body = world.evidence(name)
        note, id = world.statement(body)
        answer = world.bring(server, note, body)
        assert answer.status == 201, answer.body
        told[name] = (id, world.verdict(server, id))
    assert told["good"][1]["outcome"] == "accepted" and told["good"][1]["until"]
    for name in WRONG:
        assert (told[name][1]["outcome"], told[name][1]["reason"]) == ("objected", world.cases[name].expected), name
    party = server.get("/parties/op.example").json()
    assert [(h["resource"], h["basis"], h["holds"], h["because"]) for h in party["holdings"]] == [(V4, "rsc", True, told["good"][0])]
    assert party["profile"]["bases"] == ["rsc"] and "last_answered" not in party["profile"]
    assert party["claims"] and party["key"] == world.keys["op.example"].fingerprint
    later = server.get("/parties/op.example?at=2028-01-01T00:00:00Z").json()
    assert [h["holds"] for h in later["holdings"]] == [False] and later["profile"]["prefixes"] == 0
    assert server.get("/parties/nobody.example").status == 404
    assert server.get("/parties/op.example?when=now").status == 400
    body = server.get(f"/statements/{told['good'][0]}/body")
    assert body.status == 200 and json.loads(body.body)["method"] == "rsc"
    server.stop()
    world.node.audit()


def test_hostile_evidence_is_objected_to(world, serve):
    server = serve(world.node, "--log", "json")
    nested = b"\x30\x80" * 300000
    bombs = {
        "nested": world.evidence("good", parts=[{"role": "checklist", "data": base64.b64encode(nested).decode()}]),
        "long": world.evidence("good", parts=[{"role": "checklist", "data": base64.b64encode(
            b"\x30\x84\x7f\xff\xff\xff" + b"\0" * 700000).decode()}]),
        "many": world.evidence("good", parts=[{"role": "checklist", "data": "MAA="}] + [{"role": "crl", "data": "MAA="}] * 255),
        "more": world.evidence("good", parts=[{"role": "crl", "data": "MAA="}] * 257),
        "no json": b"\0" * 1000,
        "deep": b"[" * 100000,
        "other method": world.evidence("good", method="dnssec"),
        "from the future": world.evidence("good", obtained="2036-01-01T00:00:00Z"),
    }
    for name, body in bombs.items():
        note, id = world.statement(body)
        answer = world.bring(server, note, body)
        assert answer.status == 201, (name, answer.body)
        said = world.verdict(server, id)
        assert said["outcome"] == "objected" and said["reason"].startswith("evidence"), (name, said)
    body = b" " * ((1 << 20) + 1)
    note, _ = world.statement(body)
    answer = world.bring(server, note, body)
    assert answer.status == 413 and answer.json()["code"] == "too-long"
    good = world.evidence("good")
    note, id = world.statement(good)
    assert world.bring(server, note, good).status == 201
    assert world.verdict(server, id)["outcome"] == "accepted"
    server.stop()
    world.node.audit()


def test_who_is_not_known_gets_nothing_looked_at(world, serve):
    server = serve(world.node, "--log", "json")
    body = world.evidence("good")
    note, id = world.statement(body)
    assert world.bring(server, note, body, who=None).status == 401
    stranger = Signer.fresh("stranger.example")
    forged, forged_id = stranger.statement("proof", PUBLIC, "method rsc", f"resource {V4}",
                                           f"body {MEDIA_TYPE} {len(body)} sha256:{hashlib.sha256(body).hexdigest()}")
    assert world.bring(server, forged, body).status in (403, 422)
    swapped = note[:-6] + ("AAA=\n" if not note.endswith("AAA=\n") else "AAE=\n")
    assert world.bring(server, swapped, body).status in (400, 403)
    answer = world.bring(server, note, body[:-1] + b" ")
    assert answer.status == 400 and answer.json()["code"] == "body"
    answer = server.ask("POST", "/statements", note.encode(), {"Content-Type": "text/plain"})
    assert answer.status == 400 and answer.json()["code"] == "body"
    assert server.get(f"/statements/{id}").status == 404 and server.get(f"/statements/{forged_id}").status == 404
    assert server.get("/statements?kind=proof").json()["statements"] == []


def test_a_proof_without_its_body_shows_nothing(world, serve, tmp_path):
    note, id = world.statement(world.evidence("good"))
    path = tmp_path / "proof.txt"
    path.write_text(note)
    world.node.run("submit", path)
    assert world.node.error("proof", "verify", id) == "body"
    (row,) = world.node.json("proof", "list")
    assert row["verdict"] is None
    server = serve(world.node, "--log", "json")
    assert world.verdict(server, id)["reason"] == "body"


def test_two_parties_with_one_prefix_are_both_shown(world):
    world.file("own", "prefix 5.44.7.0/24")
    world.file("rival", "prefix 5.44.7.0/24", party="rival.example")
    for party, other in (("op.example", "rival.example"), ("rival.example", "op.example")):
        (told,) = world.node.json("party", "show", party)
        assert [(h["holds"], h["rivals"]) for h in told["holdings"]] == [(True, [other])]
        assert f"so does {other}" in world.node.text("party", "show", party)


def test_a_third_node_verifies_again(world, serve, templates, tmp_path):
    proof, _ = world.file("good")
    server = serve(world.node, "--log", "json")
    third = Node(tmp_path / "third")
    third.run("init", "third.example")
    third.run("follow", server.url, *OUT)
    server.stop()
    assert third.error("proof", "verify", proof["id"]) == "evidence-chain"
    third.run("anchor", "add", world.files("good")[1].parent / "test.tal")
    (told,) = third.json("proof", "verify", proof["id"])
    assert told["holds"] and told["verdict"] == "accepted" and told["anchor"] == "test.tal"
    later = (datetime.now(timezone.utc) + timedelta(days=300)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert third.error("proof", "verify", proof["id"], "--at", later).startswith("evidence-")
    (shown,) = third.json("proof", "show", proof["id"])
    assert shown["node"] == "cert.example" and len(shown["evidence"]["parts"]) == 5
    assert third.error("proof", "accept", proof["id"]) == "not-yours"

    kept = list((third.dir / "followed" / "cert.example" / "body").iterdir())
    assert len(kept) == 1
    kept[0].write_bytes(kept[0].read_bytes()[:-1] + b" ")
    assert third.error("proof", "verify", proof["id"], code=4) == "damaged"
    kept[0].unlink()
    assert third.error("proof", "verify", proof["id"]) == "body"


def test_without_any_node_from_two_files(world, tmp_path):
    body = world.evidence("good")
    note, _ = world.statement(body)
    (tmp_path / "note.txt").write_text(note)
    (tmp_path / "body.json").write_bytes(body)
    (told,) = world.node.json("proof", "verify", tmp_path / "note.txt", "--body", tmp_path / "body.json")
    assert told["holds"] and told["resources"] == [V4]
    (tmp_path / "body.json").write_bytes(body[:-1] + b" ")
    assert world.node.error("proof", "verify", tmp_path / "note.txt", "--body", tmp_path / "body.json") == "body"
    assert world.node.error("proof", "verify", tmp_path / "note.txt", code=2) == "usage"


def test_what_rested_on_an_anchor_falls_with_it(world, serve):
    proof, _ = world.file("good")
    other, _ = world.file("own", "prefix 5.44.7.0/24")
    world.node.run("anchor", "remove", "test.tal")
    server = serve(world.node, "--log", "json")
    for _ in range(TIMEOUT * 10):
        answers = server.get(f"/statements?matter={proof['id']}&kind=answer").json()["statements"]
        if len(answers) > 1:
            break
        time.sleep(0.1)
    assert {"name": "reason", "value": "evidence-chain"} in answers[-1]["headers"]
    held = {h["resource"]: h["holds"] for h in server.get("/parties/op.example").json()["holdings"]}
    assert held == {V4: False, "prefix 5.44.7.0/24": True}
    assert len(server.get(f"/statements?matter={other['id']}&kind=answer").json()["statements"]) == 1
    server.stop()
    assert world.node.error("proof", "accept", proof["id"]) == "evidence-chain"
    world.node.run("anchor", "add", world.files("good")[1].parent / "test.tal")
    time.sleep(1.1)  # the same words in the same second are the same statement
    world.node.run("proof", "accept", proof["id"])
    (told,) = world.node.json("party", "show", "op.example")
    assert {h["resource"] for h in told["holdings"] if h["holds"]} == {V4, "prefix 5.44.7.0/24"}
    world.node.audit()


def test_a_mandate_waits_for_the_operator(world, serve, tmp_path):
    node = world.node
    for domain, role in (("gov.example", "government"), ("other.example", "operator")):
        node.run("party", "add", domain, "--role", role)
    text = tmp_path / "decree.txt"
    text.write_text("op.example is the national team.\n")
    words = ("proof", "mandate", "EE", "--party", "op.example")
    assert node.error(*words, "--from", "other.example") == "role"
    assert node.error("proof", "mandate", "Estonia", "--party", "op.example", "--from", "gov.example", code=2) == "usage"
    (mandate,) = node.json(*words, "--from", "gov.example", "--text", text)
    server = serve(node, "--log", "json")
    note, id = world.statement(world.evidence("good"))
    assert world.bring(server, note, world.evidence("good")).status in (201, 400)
    time.sleep(0.5)
    assert server.get(f"/statements?matter={mandate['id']}&kind=answer").json()["statements"] == []
    assert server.get("/parties/op.example").json()["profile"]["countries"] == 0
    server.stop()
    node.run("proof", "accept", mandate["id"], "--until", (datetime.now(timezone.utc) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    (told,) = node.json("party", "show", "op.example")
    assert told["profile"]["countries"] == 1 and "mandate" in told["profile"]["bases"]
    assert node.error("proof", "object", mandate["id"], code=2) == "usage"
    node.run("proof", "object", mandate["id"], "--reason", "evidence-revoked")
    (told,) = node.json("party", "show", "op.example")
    assert told["profile"]["countries"] == 0
    node.audit()


def test_anchors_are_the_operators(world, tmp_path):
    names = {a["name"]: a["kind"] for a in world.node.json("anchor", "list")}
    assert names["test.tal"] == "rpki" and names["wide.tal"] == "rpki"
    bad = tmp_path / "bad.tal"
    bad.write_text("no locator\n")
    assert world.node.error("anchor", "add", bad) == "anchor"
