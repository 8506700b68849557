"""Certificates: issued, signed by several, objected to, suspended, withdrawn. Envelopes and statements are judged by other
people's libraries (securesystemslib, in-toto-attestation) and by CycloneDX's own schema."""
import base64
import copy
import hashlib
import json
import random

import pytest

from conftest import ROOT, Node, at, token_of
from signing import Signer

SCHEMAS = ROOT.parent / "shared" / "data" / "disclosure" / "cyclonedx" / "schema"
TYPE = "application/vnd.in-toto+json.dsse"
PUBLIC = "node.example/public"
UNTIL = at(1100)

DECLARATIONS = {
    "assessors": [{"bom-ref": "lab", "thirdParty": True, "organization": {"name": "A laboratory", "url": ["https://lab.example"]}}],
    "attestations": [{"summary": "all of it", "assessor": "lab", "map": [
        {"requirement": "r-1", "claims": ["open"], "counterClaims": ["shut"],
         "conformance": {"score": 0.9, "rationale": "as read", "mitigationStrategies": ["audit"]}, "confidence": {"score": 1}}]}],
    "claims": [{"bom-ref": "open", "target": "router", "predicate": "There is no undisclosed access", "reasoning": "we looked",
                "evidence": ["audit"], "counterEvidence": ["leak"]},
               {"bom-ref": "shut", "predicate": "There was one in 4.1"}],
    "evidence": [{"bom-ref": "audit", "propertyName": "audit", "description": "a report", "created": "2026-01-01T00:00:00Z",
                  "data": [{"name": "report", "contents": {"attachment": {"content": "text"}}}], "author": {"name": "An auditor"}},
                 {"bom-ref": "leak"}],
    "targets": {"components": [{"bom-ref": "router", "type": "firmware", "name": "router"}]},
    "affirmation": {"statement": "so it is"},
}


@pytest.fixture
def place(empty, templates):
    def prepare(n):
        n.run("init", "node.example")
        for party, role in (("body", "response-team"), ("lab", "researcher"), ("maker", "vendor"), ("critic", "response-team")):
            n.run("party", "add", f"{party}.example", "--role", role)

    templates.copy("certificates", prepare, empty)
    folder = empty.dir.parent
    (folder / "firmware").write_bytes(b"firmware 4.2")
    (folder / "claims.json").write_text(json.dumps(DECLARATIONS))
    empty.folder = folder
    return empty


def issue(node, *more, who="body.example"):
    (filed,) = node.json("certificate", "issue", "--from", who, "--predicate", "evaluation", "--subject", node.folder / "firmware",
                         "--subject", "pkg:generic/router@4.2", "--scheme", "eucc", "--level", "substantial", "--laboratory",
                         "lab.example", "--until", UNTIL, "--declarations", node.folder / "claims.json", *more)
    return filed.get("id")


def show(node, id, *more):
    (told,) = node.json("certificate", "show", id, *more)
    return told


def firmware(node):
    return "sha256:" + hashlib.sha256((node.folder / "firmware").read_bytes()).hexdigest()


def test_side_by_side(place):
    id = issue(place)
    told = show(place, id)
    assert told["predicate"] == "evaluation" and told["from"] == "body.example" and told["status"] == "valid"
    assert told["subjects"] == ["pkg:generic/router@4.2", firmware(place)]
    assert told["agrees"] is True and told["envelope_here"] is True and told["end"] == UNTIL.replace("Z", ".000Z")
    assert [(s["party"], s["good"]) for s in told["signers"]] == [("body.example", True)]
    claim, other = told["claims"]
    assert claim["assessed"] == {"by": "A laboratory", "third_party": True, "requirement": "r-1", "conformance": 0.9, "confidence": 1}
    assert (claim["evidence"], claim["counter_evidence"], claim["counter"], other["counter"]) == (1, 1, False, True)

    place.run("certificate", "counter", id, "--from", "critic.example", "--text", "There is an account that nobody mentions")
    place.run("certificate", "status", id, "withdrawn", "--from", "maker.example", "--reason", "we disagree")
    told = show(place, id)
    assert told["counters"] == 2 and told["status"] == "valid"
    assert [(v["from"], v["predicate"], v.get("text"), v.get("counts")) for v in told["about_it"]] == [
        ("critic.example", "counter", "There is an account that nobody mentions", None),
        ("maker.example", "status", None, False)]
    text = place.text("certificate", "show", id)
    assert "claimed" in text and "against it" in text and "There is an account" in text and "maker.example calls it" in text
    assert "A laboratory, a third party" in text and "✓" not in text and "trusted" not in text

    place.run("certificate", "status", id, "suspended", "--from", "lab.example", "--reason", "a flaw")
    told = show(place, id)
    assert (told["status"], told["status_reason"]) == ("suspended", "a flaw")
    place.run("certificate", "status", id, "valid", "--from", "body.example")  # it cannot say that away
    assert show(place, id)["status"] == "suspended"
    place.audit()


def test_a_withdrawal_shows_above(place):
    id = issue(place)
    (middle,) = place.json("certificate", "issue", "--from", "lab.example", "--predicate", "validation", "--re", id, "--subject",
                           place.folder / "firmware", "--until", UNTIL)
    (top,) = place.json("certificate", "issue", "--from", "maker.example", "--predicate", "declaration", "--subject",
                        "pkg:generic/router", "--cites", middle["id"])
    assert show(place, top["id"])["rests_on_bad"] is None
    assert show(place, top["id"], "--at", at(1200))["rests_on_bad"] == {
        "id": middle["id"], "unknown": False, "expired": True, "key_revoked": False, "status": "valid"}
    place.run("certificate", "withdraw", id, "--from", "body.example", "--text", "our mistake")
    for above in (middle["id"], top["id"]):
        assert show(place, above)["rests_on_bad"]["id"] == id
        assert show(place, above)["rests_on_bad"]["status"] == "withdrawn"
    assert "rests on what no longer holds" in place.text("certificate", "show", top["id"])
    # Citing it now is no error; it shows.
    (late,) = place.json("certificate", "issue", "--from", "maker.example", "--predicate", "declaration", "--subject", "pkg:a/b",
                         "--cites", id)
    assert show(place, late["id"])["rests_on_bad"]["id"] == id
    assert place.error("certificate", "status", id, "valid", "--from", "body.example") == "outcome"
    assert place.error("certificate", "withdraw", id, "--from", "lab.example") == "not-yours"


def test_found_by_subject(place):
    id = issue(place)
    (every,) = place.json("certificate", "issue", "--from", "maker.example", "--predicate", "declaration", "--subject",
                          "pkg:generic/router")
    found = lambda what: [c["id"] for c in place.json("certificate", "list", "--subject", what)]
    assert found(place.folder / "firmware") == [id] == found(firmware(place))
    assert found("pkg:Generic/router@4.2?arch=arm") == [id, every["id"]]
    assert found("pkg:generic/router@4.3") == [every["id"]]
    assert found("pkg:generic/other") == []
    assert [c["id"] for c in place.json("certificate", "list", "--from", "maker.example")] == [every["id"]]


def test_a_revoked_key(place):
    id = issue(place)
    place.run("party", "revoke", "--party", "body.example")
    told = show(place, id)
    assert told["key_revoked"] is True and told["agrees"] is True
    assert "a key that was revoked" in place.text("certificate", "show", id)
    assert place.error("certificate", "issue", "--from", "body.example", "--predicate", "declaration", "--subject", "pkg:a/b") == "party-unknown"


# ---- several signers, on two nodes ----

def test_two_nodes_sign_one_envelope(place, tmp_path):
    other = Node(tmp_path / "other" / "node")
    other.dir.parent.mkdir()
    other.run("init", "other.example")
    other.run("party", "add", "abroad.example", "--role", "response-team")
    draft, signed = place.folder / "draft.json", place.folder / "signed.json"
    assert issue(place, "--draft", draft) is None
    assert place.json("certificate", "list") == []
    other.run("certificate", "cosign", draft, "--from", "abroad.example", "--out", signed)
    assert other.error("certificate", "cosign", signed, "--from", "abroad.example") == "exists"
    place.run("certificate", "cosign", signed, "--from", "lab.example")
    envelope = json.loads(signed.read_text())
    assert len(envelope["signatures"]) == 3
    (filed,) = place.json("certificate", "issue", "--envelope", signed, "--from", "body.example")
    told = show(place, filed["id"])
    assert [(s["party"], s["good"]) for s in told["signers"]] == [("body.example", True), (None, None), ("lab.example", True)]
    exported = place.run("certificate", "export", filed["id"]).stdout
    assert exported == signed.read_bytes()
    (tmp_path / "back.json").write_bytes(exported)
    (seen,) = other.json("certificate", "verify", tmp_path / "back.json", code=4)  # the issuer is nobody there
    assert [s["party"] for s in seen["signers"]] == ["", "abroad.example", ""]
    assert place.json("certificate", "verify", filed["id"])[0]["agrees"] is True
    # Who did not sign may not file it.
    envelope["signatures"] = envelope["signatures"][1:2]
    signed.write_text(json.dumps(envelope))
    assert place.error("certificate", "issue", "--envelope", signed, "--from", "lab.example") == "certificate"


def test_a_follower_reads_the_same(place, tmp_path, serve):
    from test_follow import follow, same_state
    place.run("certificate", "status", issue(place), "suspended", "--from", "lab.example")
    follower = Node(tmp_path / "follower" / "node")
    follower.dir.parent.mkdir()
    follower.run("init", "c.example")
    server = serve(place)
    follow(follower, server.url)
    server.stop()
    same_state(follower, place)


# ---- other people's judges ----

def ssl_key(signer):
    signing = pytest.importorskip("securesystemslib.signer", reason="securesystemslib is not installed: nobody else judges envelopes")
    return signing.SSlibKey(signer.fingerprint, "ed25519", "ed25519", {"public": signer.public[1:].hex()})


def test_their_library_verifies_our_envelope(place):
    dsse = pytest.importorskip("securesystemslib.dsse", reason="securesystemslib is not installed: nobody else judges envelopes")
    statement_of = pytest.importorskip("in_toto_attestation.v1.statement", reason="in-toto-attestation is not installed")
    exceptions = pytest.importorskip("securesystemslib.exceptions")
    draft = place.folder / "draft.json"
    issue(place, "--draft", draft)
    place.run("certificate", "cosign", draft, "--from", "lab.example")
    keys = [ssl_key(Signer.of(place, d)) for d in ("body.example", "lab.example")]
    envelope = dsse.Envelope.from_dict(json.loads(draft.read_text()))
    assert envelope.payload_type == "application/vnd.in-toto+json"
    assert len(envelope.verify(keys, 2)) == 2
    with pytest.raises(exceptions.VerificationError):
        envelope.verify([ssl_key(Signer.of(place, "maker.example"))], 1)
    from google.protobuf import json_format
    statement = statement_of.Statement.copy_from_pb(json_format.Parse(envelope.payload, statement_of.spb.Statement()))
    statement.validate()
    assert statement.pb.predicate_type == "comity:evaluation/v1"
    assert [dict(s.digest) for s in statement.pb.subject] == [
        {"sha256": firmware(place)[7:]}, {"purlSha256": hashlib.sha256(b"pkg:generic/router@4.2").hexdigest()}]
    envelope.payload += b" "
    with pytest.raises(exceptions.VerificationError):
        envelope.verify(keys, 1)


def test_we_verify_the_envelope_of_their_library(place):
    dsse = pytest.importorskip("securesystemslib.dsse", reason="securesystemslib is not installed: nobody else makes envelopes")
    signing = pytest.importorskip("securesystemslib.signer")
    maker = Signer.of(place, "maker.example")
    payload = {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "f", "digest": {"sha256": "ab" * 32, "sha512": "00"}}],
               "predicateType": "comity:declaration/v1",
               "predicate": {"issuer": "maker.example", "law": ["2024/2847"], "no_undisclosed_access": True, "ours": {"x": 1}}}
    envelope = dsse.Envelope(json.dumps(payload, indent=2).encode(), "application/vnd.in-toto+json", {})
    envelope.sign(signing.CryptoSigner(maker.key, ssl_key(maker)))
    path = place.folder / "theirs.json"
    path.write_text(json.dumps(envelope.to_dict()))
    (seen,) = place.json("certificate", "verify", path)
    assert seen["agrees"] is True and [s["party"] for s in seen["signers"]] == ["maker.example"]
    (filed,) = place.json("certificate", "issue", "--envelope", path, "--from", "maker.example")
    told = show(place, filed["id"])
    assert told["agrees"] is True and told["subjects"] == ["sha256:" + "ab" * 32]
    back = json.loads(place.run("certificate", "export", filed["id"], "--payload").stdout)
    assert back == payload
    # URL-safe base64 is the same envelope.
    other = json.loads(path.read_text())
    other["payload"] = base64.urlsafe_b64encode(base64.b64decode(other["payload"])).decode()
    other["signatures"][0]["sig"] = base64.urlsafe_b64encode(base64.b64decode(other["signatures"][0]["sig"])).decode()
    path.write_text(json.dumps(other))
    assert place.json("certificate", "verify", path)[0]["agrees"] is True


@pytest.fixture(scope="module")
def cyclonedx():
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed: nobody judges declarations")
    referencing = pytest.importorskip("referencing")
    if not SCHEMAS.exists():
        pytest.skip(f"{SCHEMAS} is absent")
    schemas = {p.name: json.loads(p.read_text()) for p in SCHEMAS.iterdir()}
    resources = []
    for name, schema in schemas.items():
        resource = referencing.Resource.from_contents(schema, default_specification=referencing.jsonschema.DRAFT7)
        resources += [(name, resource), (schema.get("$id", name), resource), ("http://cyclonedx.org/schema/" + name, resource)]
    validator = jsonschema.Draft7Validator(schemas["bom-1.6.SNAPSHOT.schema.json"],
                                           registry=referencing.Registry().with_resources(resources))

    def valid(declarations):
        return validator.is_valid({"bomFormat": "CycloneDX", "specVersion": "1.6", "declarations": declarations})
    return valid


def places_in(value, path=()):
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places_in(inner, (*path, key))


def spoilt(dice):
    """The declarations with one thing in them changed. Components have more members than we look at, so they get no others."""
    whole = {"": copy.deepcopy(DECLARATIONS)}
    path = ("", *dice.choice([p for p in places_in(DECLARATIONS) if p]))
    at = whole
    for key in path[:-1]:
        at = at[key]
    how = dice.randrange(4)
    if how == 0 and isinstance(at, dict) and "components" not in path:
        at["unheard-of"] = 1
    elif how == 1:
        del at[path[-1]]
    else:
        at[path[-1]] = dice.choice([1, 1.5, -1, "", None, True, [], {}, ["x"], {"x": 1}, "nobody"])
    return whole[""]


def test_what_we_take_their_schema_takes(place, cyclonedx):
    dice, path, taken = random.Random(11), place.folder / "spoilt.json", 0
    assert cyclonedx(DECLARATIONS)
    for i in range(120):
        declarations = spoilt(dice)
        path.write_text(json.dumps(declarations))
        p = place.run("certificate", "issue", "--predicate", "declaration", "--subject", "pkg:a/b", "--declarations", path, "--draft",
                      place.folder / "out.json", code=None)
        assert p.returncode in (0, 1), (declarations, p.stderr)
        if p.returncode == 0:
            taken += 1
            assert cyclonedx(declarations), declarations
    assert 10 < taken < 110


# ---- by HTTP ----

def envelope_of(signer, statement, more=()):
    payload = json.dumps(statement).encode()
    encoded = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(payload) + payload
    signatures = [{"keyid": s.fingerprint, "sig": base64.b64encode(s.key.sign(encoded)).decode()} for s in (signer, *more)]
    return {"payloadType": "application/vnd.in-toto+json", "payload": base64.b64encode(payload).decode(), "signatures": signatures}


def statement_of(issuer, **predicate):
    return {"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"sha256": "cd" * 32}}],
            "predicateType": "comity:declaration/v1", "predicate": {"issuer": issuer, **predicate}}


def test_a_signature_need_not_name_its_key(place):
    maker, lab = Signer.of(place, "maker.example"), Signer.of(place, "lab.example")
    path = place.folder / "unnamed.json"
    for signer, code, said in ((maker, 0, [("maker.example", True)]), (lab, 4, [("", False)])):
        envelope = envelope_of(signer, statement_of("maker.example"))
        del envelope["signatures"][0]["keyid"]
        path.write_text(json.dumps(envelope))
        (seen,) = place.json("certificate", "verify", path, code=code)
        assert seen["agrees"] is (code == 0) and [(s["party"], s["good"]) for s in seen["signers"]] == said


def test_submitted_with_its_envelope(place):
    maker = Signer.of(place, "maker.example")
    envelope = place.folder / "envelope.json"
    envelope.write_text(json.dumps(envelope_of(maker, statement_of("maker.example"))))
    body = envelope.read_bytes()
    note, id = maker.statement("certificate", PUBLIC, "predicate declaration", "subject sha256:" + "cd" * 32,
                               f"body {TYPE} {len(body)} sha256:{hashlib.sha256(body).hexdigest()}")
    path = place.folder / "note"
    path.write_text(note)
    assert place.error("submit", path) == "body"
    other = place.folder / "other.json"
    other.write_bytes(body + b" ")
    assert place.error("submit", "--body", other, path) == "body"
    assert place.error("submit", "--body", envelope, path, path, code=2) == "usage"
    assert place.error("submit", "--body", place.folder / "none", path) == "not-found"
    (logged,) = place.json("submit", "--body", envelope, path)
    assert logged["id"] == id
    told = show(place, id)
    assert told["envelope_here"] is True and told["agrees"] is True
    place.audit()


def test_at_the_door(place, serve):
    maker, lab = Signer.of(place, "maker.example"), Signer.of(place, "lab.example")
    token = token_of(place, "maker", "maker.example", "read,write")
    server = serve(place)

    def post(envelope, *lines, subjects=("sha256:" + "cd" * 32,), signer=maker, with_body=True):
        body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
        note, id = signer.statement("certificate", PUBLIC, "predicate declaration", *(f"subject {s}" for s in subjects), *lines,
                                    f"body {TYPE} {len(body)} sha256:{hashlib.sha256(body).hexdigest()}")
        content = {"note": note, **({"body": base64.b64encode(body).decode()} if with_body else {})}
        answer = server.ask("POST", "/statements/with-body", json.dumps(content),
                            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        return answer, id

    good = envelope_of(maker, statement_of("maker.example"))
    text = json.dumps(good)
    refused = [
        ("65 signatures", {**good, "signatures": good["signatures"] * 65}, (), {}),
        ("payload no base64", {**good, "payload": "{}"}, (), {}),
        ("a member twice", text.replace('{"payloadType"', '{"payload": "e30=", "payloadType"', 1).encode(), (), {}),
        ("no JSON", b"envelope", (), {}),
        ("signed by another", envelope_of(lab, statement_of("maker.example")), (), {}),
        ("another issuer", envelope_of(maker, statement_of("lab.example")), (), {}),
        ("a scheme only in the header", good, ("scheme eucc",), {}),
        ("a scheme only in the body", envelope_of(maker, statement_of("maker.example", scheme="eucc")), (), {}),
        ("another subject", good, (), {"subjects": ("sha256:" + "ce" * 32,)}),
        ("a subject more", good, (), {"subjects": ("sha256:" + "cd" * 32, "pkg:a/b")}),
        ("a changed payload", {**good, "payload": base64.b64encode(
            json.dumps(statement_of("maker.example", place="elsewhere")).encode()).decode()}, (), {}),
        ("references to nothing", envelope_of(maker, statement_of("maker.example", declarations={"claims": [{"target": "t"}]})), (), {}),
    ]
    for what, envelope, lines, more in refused:
        answer, _ = post(envelope, *lines, **more)
        assert answer.status in (400, 409, 422) and answer.json()["code"] == "certificate", (what, answer.status, answer.body)
    answer, _ = post(good, with_body=False)
    assert answer.json()["code"] == "body", answer.body
    answer, _ = post(good, subjects=[f"pkg:a/p{i}" for i in range(1001)])
    assert answer.json()["code"] in ("certificate", "statement-header"), answer.body
    assert server.ask("GET", "/certificates").json() == {"certificates": [], "next": None, "more": False}

    first, id = post(good)
    assert first.status == 201, first.body
    second, other = post(envelope_of(maker, statement_of("maker.example", law=["a"]), [lab]), f"cites {id}")
    assert second.status == 201, second.body
    listed = server.ask("GET", f"/certificates?subject=sha256:{'cd' * 32}").json()["certificates"]
    assert [c["id"] for c in listed] == [id, other] and listed[1]["cites"] == [id]
    page = server.ask("GET", "/certificates?limit=1&from=maker.example").json()
    assert [c["id"] for c in page["certificates"]] == [id] and page["more"] is True
    page = server.ask("GET", f"/certificates?limit=1&from=maker.example&after={page['next']}").json()
    assert [c["id"] for c in page["certificates"]] == [other] and page["more"] is False
    told = server.ask("GET", f"/certificates/{other}").json()
    assert told["agrees"] is True and [s["party"] for s in told["signers"]] == ["maker.example", "lab.example"]
    assert server.ask("GET", f"/certificates/{'00' * 32}").status == 404
    for query in ("subject=router", "colour=green", "limit=0", "limit=1001", "after=-1", "after=9007199254740993", "from=",
                  "from=no%20one", "limit=1&limit=1"):
        answer = server.ask("GET", f"/certificates?{query}")
        assert answer.status == 400 and answer.json()["code"] == "usage", (query, answer.body)

    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed: nobody compares with openapi.json")
    api = json.loads((ROOT / "docs" / "openapi.json").read_text())
    for name, value in (("Certificate", listed[0]), ("ToldCertificate", told)):
        jsonschema.validate(value, {"$ref": f"#/components/schemas/{name}", "components": api["components"]})
    text = server.ask("GET", f"/matters/{id}").json()
    assert text["history"][0]["says"] == "maker.example filed a certificate: declaration"
