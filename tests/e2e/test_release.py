"""Releases that are the same for everyone, or seen not to be; and statements that lapse."""
import hashlib
import json

import pytest

from conftest import Node, at

PRODUCT = "pkg:generic/app"
NOW = ("--at", "2026-11-20T00:00:00Z")


@pytest.fixture
def artefacts(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(f"artefact {name}".encode())
    return tmp_path


def release(node, *words):
    return node.json("release", "file", "--product", PRODUCT, *words)[-1]["id"]


def breaches(node, *words, code=6):
    return node.json("release", "check", *words, code=code)


def test_two_hashes_for_one_version(bare, artefacts):
    release(bare, "--version", "1", "--regions", "all", "--artefact", f"all={artefacts / 'a'}")
    assert breaches(bare, code=0) == []
    id = release(bare, "--version", "2", "--regions", "US,CN", "--artefact", f"CN={artefacts / 'b'}", "--artefact", f"US={artefacts / 'a'}")
    (found,) = breaches(bare)
    assert found["id"] == id and found["breaches"] == ["two-hashes"] and found["promised"] == ["CN", "US"]
    assert {l["sha256"] for l in found["shown_by"]} == {hashlib.sha256((artefacts / n).read_bytes()).hexdigest() for n in "ab"}
    assert breaches(bare, PRODUCT, "1", code=0) == [] and len(breaches(bare, PRODUCT)) == 1
    bare.run("withdraw", id)
    assert breaches(bare, code=0) == []
    (listed,) = bare.json("release", "list", PRODUCT, "2")
    assert listed["withdrawn"] and listed["taken_back"] == 1
    bare.audit()


def test_a_region_left_out(bare, artefacts):
    a = artefacts / "a"
    release(bare, "--version", "1", "--regions", "CN,DE", "--artefact", f"CN={a}", *NOW)
    (found,) = breaches(bare)
    assert found["breaches"] == ["left-out"]
    (left,) = found["left_out"]
    assert left["region"] == "DE" and left["came"] is None and left["lag_hours"] > 24
    # it comes at last: not when its maker says it came
    release(bare, "--version", "1", "--regions", "CN,DE", "--artefact", f"DE={a}", *NOW)
    (found,) = breaches(bare)
    (left,) = found["left_out"]
    assert left["came"] > "2026-11-22" and left["lag_hours"] > 24
    assert "left out: DE, for" in bare.text("release", "check", code=6)


def test_what_two_others_saw(bare, artefacts):
    """Two parties, established by the operator's word, got the same other bytes."""
    id = release(bare, "--version", "1", "--regions", "all", "--artefact", f"all={artefacts / 'a'}")
    for i, name in enumerate(("one.example", "two.example", "three.example")):
        bare.run("party", "add", name, "--role", "operator", "--claim", f"AS{64500 + i}")
        bare.run("party", "approve", name)
    bare.run("release", "seen", id, artefacts / "b", "--region", "DE", "--from", "one.example")
    assert breaches(bare, code=0) == []
    bare.run("vouch", "for", "two.example", "--from", "one.example")
    bare.run("release", "seen", id, artefacts / "b", "--region", "DE", "--from", "two.example")
    assert breaches(bare, code=0) == []  # related
    bare.run("release", "seen", id, artefacts / "b", "--region", "FR", "--from", "three.example")
    (found,) = breaches(bare)
    assert found["breaches"] == ["two-hashes-seen"]
    assert [l["by"] for l in found["shown_by"]] == ["node.example", "one.example", "three.example"]
    assert len(found["seen"]) == 3
    assert bare.error("release", "seen", id, artefacts / "b", "--region", "DE", code=None) == "statement-header"
    bare.audit()


def test_says_what_is_missing(bare, artefacts):
    for words in (["--version", "1", "--regions", "CN"], ["--regions", "CN", "--artefact", "CN=x"],
                  ["--version", "1", "--regions", "China", "--artefact", f"CN={artefacts / 'a'}"],
                  ["--version", "1", "--regions", "CN", "--artefact", f"{artefacts / 'a'}"],
                  ["--version", "1", "--regions", "CN", "--artefact", "CN=sha256:00"]):
        assert bare.error("release", "file", "--product", PRODUCT, *words, code=2) == "usage", words
    assert bare.error("release", "check", "pkg:generic/none") == "not-found"


def test_on_a_node_that_only_follows(bare, artefacts, serve, tmp_path, templates):
    release(bare, "--version", "1", "--regions", "CN,DE", "--artefact", f"CN={artefacts / 'a'}", *NOW)
    bare.run("canary", "say", "weakening", "--until", at(190))
    reader = Node(tmp_path / "reader")
    templates.copy("release-reader", lambda n: n.run("init", "reader.example"), reader)
    reader.run("follow", serve(bare).url, "--plain", "--private")
    (theirs,), (ours,) = breaches(reader, "--ledger", "node.example"), breaches(bare)
    assert theirs["id"] == ours["id"] and theirs["breaches"] == ours["breaches"] == ["left-out"]
    (canary,) = reader.json("canary", "list", "--ledger", "node.example")
    assert canary["name"] == "weakening" and not canary["lapsed"]


def test_canaries(bare):
    text = "We were not asked to weaken this product and did not."
    bare.run("canary", "say", "weakening", "--until", at(40), "--text", text)
    until = at(190)
    bare.run("canary", "say", "weakening", "--until", until, "--text", text)
    (canary,) = bare.json("canary", "list")
    assert canary["until"] == until.replace("Z", ".000Z") and canary["renewals"] == 1 and canary["gaps"] == 0
    assert not canary["lapsed"] and canary["text"] == text
    bare.run("withdraw", canary["statement"])
    (canary,) = bare.json("canary", "list")
    assert canary["lapsed"]
    shown = bare.text("canary", "list")
    assert "lapsed since" in shown and "and nothing else" in shown and "compelled" not in shown
    assert bare.error("canary", "say", "weakening", "--until", at(400)) == "statement-header"
    assert bare.error("canary", "say", "weakening", code=2) == "usage"
    assert json.dumps(bare.json("canary", "list", "nobody.example")) == "[]"
