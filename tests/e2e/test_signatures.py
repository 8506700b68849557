"""Requests that others sign with a party's key: by hand from RFC 9421 with `cryptography`, and by http-message-signatures."""
import base64
import hashlib
import json
import time
import types
import uuid

import pytest
from conftest import TAXII

ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519",
                              reason="no cryptography: python3-cryptography or PyPI")

KNOWN = "/taxii2/comity/status/2d086da7-4bdc-4f91-900e-d77486753710/"  # wants to know who asks


def key_of(node, party):
    """Go's private form: PRIVATE+KEY+name+id+base64 of an algorithm's byte and the seed."""
    for file in (node.dir / "keys").iterdir():
        words = file.read_text().strip().split("+", 4)
        if words[2] == party:
            return ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(words[4])[1:])
    raise AssertionError(party)


def public_of(key):
    from cryptography.hazmat.primitives import serialization
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def fingerprint(key):
    return hashlib.sha256(b"\x01" + public_of(key)).hexdigest()


def signed(key, method, authority, path, query="", body=None, created=None, keyid=None):
    lines, names, headers = [], ["@method", "@authority", "@path", "@query"], {}
    values = {"@method": method, "@authority": authority, "@path": path, "@query": "?" + query}
    if body is not None:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers["Content-Digest"] = values["content-digest"] = f"sha-256=:{digest}:"
        names.append("content-digest")
    for name in names:
        lines.append(f'"{name}": {values[name]}')
    listed = " ".join(f'"{n}"' for n in names)
    params = (f'({listed});created={created or int(time.time())};keyid="{keyid or fingerprint(key)}";alg="ed25519";'
              f'nonce="{uuid.uuid4().hex}"')
    lines.append(f'"@signature-params": {params}')
    made = base64.b64encode(key.sign("\n".join(lines).encode())).decode()
    return {**headers, "Signature-Input": f"sig={params}", "Signature": f"sig=:{made}:", "Accept": TAXII}


@pytest.fixture
def party(node):
    node.run("party", "add", "op.example", "--role", "operator", "--claim", "AS64500", "--approve")
    return key_of(node, "op.example")


def test_a_party_is_known_by_its_signature(node, party, serve):
    with serve(node) as s:
        assert s.told("GET", KNOWN, {"Accept": TAXII})[0] == 401
        assert s.told("GET", KNOWN, signed(party, "GET", s.authority, KNOWN))[0] == 404  # known, and no such thing
        assert s.told("GET", "/statements?kind=party", signed(party, "GET", s.authority, "/statements", "kind=party"))[0] == 200
        for wrong in (signed(party, "POST", s.authority, KNOWN), signed(party, "GET", "other.example", KNOWN),
                      signed(party, "GET", s.authority, "/"), signed(party, "GET", s.authority, KNOWN, "x=y"),
                      signed(party, "GET", s.authority, KNOWN, created=int(time.time()) - 400),
                      signed(party, "GET", s.authority, KNOWN, created=int(time.time()) + 400),
                      signed(party, "GET", s.authority, KNOWN, keyid="00" * 32),
                      signed(ed25519.Ed25519PrivateKey.generate(), "GET", s.authority, KNOWN)):
            assert s.told("GET", KNOWN, wrong)[0] == 401


def test_what_is_signed_is_taken_once_and_whole(node, party, serve):
    with serve(node) as s:
        body = b"no statement"
        good = signed(party, "POST", s.authority, "/statements", body=body)
        first = json.loads(s.told("POST", "/statements", good, body)[2])
        assert first["status"] == 400 and first["code"] != "field"  # let in, and then refused for what it is
        assert s.told("POST", "/statements", good, body)[0] == 401
        good = signed(party, "POST", s.authority, "/statements", body=body)
        other = json.loads(s.told("POST", "/statements", good, b"no Statement")[2])
        assert other["status"] == 400 and other["code"] == "field"
        uncovered = signed(party, "POST", s.authority, "/statements")
        assert s.told("POST", "/statements", uncovered, body)[0] == 401


def test_another_implementation_signs(node, party, serve):
    library = pytest.importorskip("http_message_signatures", reason="no http-message-signatures from PyPI")

    class Keys(library.HTTPSignatureKeyResolver):
        def resolve_private_key(self, key_id):
            return party

        def resolve_public_key(self, key_id):
            return party.public_key()

    with serve(node) as s:
        message = types.SimpleNamespace(method="GET", url=f"http://{s.authority}{KNOWN}", headers={"Accept": TAXII})
        signer = library.HTTPMessageSigner(signature_algorithm=library.algorithms.ED25519, key_resolver=Keys())
        signer.sign(message, key_id=fingerprint(party), label="theirs", nonce="n",
                    covered_component_ids=("@method", "@authority", "@path", "@query"))
        assert s.told("GET", KNOWN, dict(message.headers))[0] == 404
        message.headers["Signature"] = message.headers["Signature"].replace("=:", "=:AA", 1)
        assert s.told("GET", KNOWN, dict(message.headers))[0] == 401
