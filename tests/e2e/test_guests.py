"""Guests: statements of another node's ledger, with its receipt, by the command line and over HTTP."""
import base64
import hashlib
import json

import pytest

from conftest import Node, token_of
from signing import Signer, sealed

EVIDENCE = "application/vnd.comity.evidence+zstd"


def with_receipt(node, id, tmp_path):
    """The note and the receipt, as `ledger proof` gives them."""
    path = tmp_path / (id + ".receipt")
    node.run("ledger", "proof", id, "--out", path)
    receipt = path.read_text()
    (extra,) = [line for line in receipt.splitlines() if line.startswith("extra ")]
    entry = base64.b64decode(extra.removeprefix("extra ")).decode()
    return entry.partition("\n")[2], receipt, path


def bare_hash(receipt):
    """Of the receipt without its entry, as a node keeps it."""
    kept = "".join(line for line in receipt.splitlines(True) if not line.startswith("extra "))
    return hashlib.sha256(kept.encode()).hexdigest()


@pytest.fixture
def other(tmp_path):
    node = Node(tmp_path / "other")
    node.run("init", "other.example", "--title", "The other")
    return node


@pytest.fixture
def first(tmp_path):
    node = Node(tmp_path / "first")
    node.run("init", "first.example")
    return node


def party_of(node):
    (shown,) = node.json("party", "show")
    return shown


def introduce(a, b, tmp_path):
    """a's party statement, logged at b."""
    note, _, receipt = with_receipt(a, party_of(a)["statement"], tmp_path)
    b.run("submit", "--receipt", receipt, "-", stdin=note.encode())


def notice(node, to, tmp_path):
    name = party_of(node)["party"]
    body, _ = sealed(name, EVIDENCE, b"rows")
    key = Signer((node.dir / "keys" / "party.key").read_text())
    note, id = key.statement("notice", name + "/circle", "to " + to, "class malicious-code/infected-system", "events 1", body)
    node.run("submit", "-", stdin=note.encode())
    return note, id


def test_update_and_show(first):
    first.run("party", "update", "--url", "https://first.example:8443", "--contact", "soc@first.example",
              "--contact", "noc@first.example")
    shown = party_of(first)
    assert shown["url"] == "https://first.example:8443" and shown["home"] == "first.example"
    assert shown["contacts"] == ["soc@first.example", "noc@first.example"] and shown["roles"] == ["node"]
    assert [k.split("+")[0] for k in shown["ledger_keys"]] == ["first.example/public", "first.example/circle"]
    first.run("party", "update", "--title", "First", "--contact", "only@first.example")
    again = party_of(first)
    assert again["title"] == "First" and again["contacts"] == ["only@first.example"] and again["url"] == shown["url"]
    assert again["ledger_keys"] == shown["ledger_keys"]
    assert first.error("party", "update", "--url", "https://first.example/path") == "statement-header"
    assert first.error("party", "show", "nobody.example") == "party-unknown"
    first.audit()


def test_by_hand(first, other, tmp_path):
    note, id = notice(first, "other.example", tmp_path)
    _, receipt, path = with_receipt(first, id, tmp_path)
    assert other.error("submit", "--receipt", path, "-", stdin=note.encode()) == "party-unknown"
    introduce(first, other, tmp_path)
    assert other.error("submit", "-", stdin=note.encode()) == "statement-ledger"
    _, wrong = notice(first, "other.example", tmp_path)
    _, _, wrong = with_receipt(first, wrong, tmp_path)
    assert other.error("submit", "--receipt", wrong, "-", stdin=note.encode()) == "receipt"
    (logged,) = other.json("submit", "--receipt", path, "-", stdin=note.encode())
    assert logged["id"] == id and logged["ledger"] == "circle"
    assert other.error("submit", "--receipt", path, "-", stdin=note.encode()) == "statement-repeated"
    assert other.audit()["guests"] == 2
    # Its place in this node's ledger is proved as any other's.
    other.run("ledger", "proof", id, "--out", tmp_path / "here.receipt")
    (key,) = [k for k in party_of(other)["ledger_keys"] if k.startswith("other.example/circle")]
    other.run("verify", tmp_path / "here.receipt", "--key", key)


def test_over_http(first, other, serve, tmp_path):
    token = token_of(other, "courier", "other.example", "read,write")
    note, id = notice(first, "other.example", tmp_path)
    _, receipt, _ = with_receipt(first, id, tmp_path)
    mine, mine_receipt, _ = with_receipt(first, party_of(first)["statement"], tmp_path)
    server = serve(other)

    def ask(method, path, body=None, who=token):
        headers = {"Authorization": "Bearer " + who} if who else {}
        return server.ask(method, path, json.dumps(body) if body else None,
                          {**headers, "Content-Type": "application/json"} if body else headers)

    def bring(note, receipt):
        return ask("POST", "/statements/with-body", {"note": note, "receipt": receipt})

    assert bring(note, receipt).json()["code"] == "party-unknown"
    assert bring(mine, mine_receipt).status == 201
    assert bring(note, mine_receipt).json()["code"] == "receipt"
    assert bring(note, "x" * (160 * 1024 + 1)).json()["code"] == "too-long"
    answer = bring(note, receipt)
    assert answer.status == 201 and answer.json()["id"] == id, answer.body
    assert bring(note, receipt).json()["repeated"] is True

    shown = ask("GET", "/statements/" + id).json()
    assert shown["home"] == "first.example" and shown["home_logged"] <= shown["logged"]
    assert shown["ledger"] == "circle" and shown["note"] == note
    assert ask("GET", "/statements/" + party_of(first)["statement"], who=None).json()["home"] == "first.example"
    # What proves where it comes from is nobody's body.
    for kept in (bare_hash(receipt), bare_hash(mine_receipt)):
        for who in (token, None):
            assert ask("GET", "/body/" + kept, who=who).status == 404
    assert ask("GET", "/statements/" + id, who=None).status == 404
    server.stop()
    assert other.audit()["guests"] == 2
