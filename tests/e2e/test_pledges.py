"""Norms and pledges by the commands: what is promised, what is refused and why, and that a pledge shortens what is due."""
import datetime
import hashlib

import pytest

from conftest import at
from signing import Signer

TERM = "swift acknowledged at-least 90% within 1d each 30d"
HOLD = "hold restraint scan,exercise in power each 90d"
PUBLIC, CIRCLE = "node.example/public", "node.example/circle"
DAY = datetime.timedelta(days=1)


@pytest.fixture
def node(bare):
    bare.run("party", "add", "op.example", "--role", "operator", "--claim", "AS64500", "--approve")
    return bare


def make(node, *options, code=0):
    (made,) = node.json("pledge", "make", *options, code=code)
    return made["id"]


def shown(node, id_):
    (one,) = node.json("pledge", "show", id_)
    return one


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_norms_are_listed_and_shown(bare):
    norms = bare.json("norm", "list")
    assert {(n["set"], n["version"]): sum(m["set"] == n["set"] and m["version"] == n["version"] for m in norms) for n in norms} == {
        ("industry", 2017): 5, ("osce", 2016): 16, ("un", 2015): 11, ("un", 2021): 11}
    assert {n["set"] for n in bare.json("norm", "list", "--set", "un")} == {"un"}
    text = bare.text("norm", "list", "--set", "un", "--metrics")
    assert "un 2015 c" in text and "no knowing use" in text and "re-offence" in text and "osce" not in text
    (c,) = bare.json("norm", "show", "un", "2015", "c")
    assert c == bare.json("norm", "show", "un 2015 c")[0]
    assert c["grade"] == "measured" and "acknowledged" in c["metrics"] and c["document"].startswith("A/70/174")
    (later,) = bare.json("norm", "show", "un 2021 c")
    assert later["text"] != c["text"]
    assert "no program can see" in bare.text("norm", "show", "osce", "2016", "1")
    metrics = {m["metric"]: m for m in bare.json("norm", "metrics")}
    assert len(metrics) == 18
    assert metrics["fixed"]["within"] and metrics["fixed"]["direction"] == "at-least" and metrics["fixed"]["unit"] == "share"
    assert metrics["remedy-time"]["later"] and "Nothing measures it yet" in bare.text("norm", "metrics")
    assert set(c["metrics"]) <= set(metrics)
    assert bare.error("norm", "show", "un 2018 c") == "norm"
    assert bare.error("norm", "list", "--set", "other") == "norm"


def test_a_pledge_is_made_listed_shown_and_withdrawn(node):
    own = make(node, "--norm", "un 2015 c", "--term", TERM, "--term", "again re-offence at-most 2.5% each 90d", "--unilateral",
               "--text", "We mean it.")
    declared = make(node, "--norm", "osce 2016 11", "--from", "op.example", "--end", at(1100))
    assert [p["id"] for p in node.json("pledge", "list")] == [own, declared]  # by name, then by the ledger
    assert [p["id"] for p in node.json("pledge", "list", "op.example")] == [declared]
    assert node.json("pledge", "list", "nobody.example") == []
    one = shown(node, own[:12])
    assert one == node.json("pledge", "list", "node.example")[0]
    assert one["party"] == "node.example" and one["norm"] == "un 2015 c" and one["grade"] == "measured"
    assert [t["term"] for t in one["terms"]] == [TERM, "again re-offence at-most 2.5% each 90d"]
    assert one["unilateral"] and not one["declaration"] and one["end"] is None and one["text"] == "We mean it."
    text = node.text("pledge", "show", own)
    assert "at least 90 %" in text and "within 1 day" in text and TERM in text and "in force" in text
    assert shown(node, declared)["declaration"] and "declared" in node.text("pledge", "list", "op.example")
    assert "not measured" in node.text("pledge", "show", declared)

    assert node.run("pledge", "withdraw", declared, code=None).returncode == 1  # the node is not op.example
    node.run("pledge", "withdraw", own, "--text", "We cannot.")
    one = shown(node, own)
    assert one["withdrawn"] and one["end"] is not None and len(one["terms"]) == 2
    assert "withdrawn" in node.text("pledge", "list")
    assert node.error("pledge", "withdraw", own) == "outcome"
    story = node.text("matter", own)
    assert "pledged un 2015 c: " + TERM in story and "withdrew it" in story
    node.audit()


@pytest.mark.parametrize("options, error", [
    (["--norm", "un 2015 z"], "norm"),
    (["--norm", "un 2015 e", "--term", TERM], "norm"),
    (["--norm", "un 2015 c", "--term", "swift goodwill at-least 90% each 30d"], "term"),
    (["--norm", "un 2015 c", "--term", "swift acknowledged at-least 0% within 1d each 30d"], "term"),
    (["--norm", "un 2015 c", "--term", "swift acknowledged at-least 100.1% within 1d each 30d"], "term"),
    (["--norm", "un 2015 c", "--term", "swift acknowledged at-least 90% within 1d each 1s"], "term"),
    (["--norm", "un 2015 c", "--term", "swift acknowledged at-least 90% within 1d each 36500d"], "term"),
    (["--norm", "un 2015 c", "--term", TERM, "--term", "x acknowledged at-least 50% within 1d each 30d"], "term"),
    (["--norm", "un 2015 c", "--term", TERM, "--end", "2020-01-01T00:00:00Z"], "statement-header"),
    (["--norm", "un 2015 f", "--term", HOLD], "term"),
    (["--norm", "un 2015 f", "--term", HOLD, "--asset", "water=AS64500"], "term"),
    (["--norm", "un 2015 c", "--text", "x" * 281], "statement-header"),
])
def test_what_cannot_be_kept_is_refused(node, options, error):
    assert node.error("pledge", "make", *options) == error
    assert node.json("pledge", "list") == []


@pytest.mark.parametrize("options", [[], ["--norm", "un 2015 f", "--term", HOLD, "--asset", "power"],
                                     ["--norm", "un 2015 f", "--term", HOLD, "--asset", "power=all"],
                                     ["--norm", "un 2015 f", "--term", HOLD, "--asset", "Power=AS64500"],
                                     ["--norm", "un 2015 c", "--start", "tomorrow"]])
def test_wrong_use_says_so(node, options):
    assert node.error("pledge", "make", *options, code=2) == "usage"


def test_assets_are_committed_to_and_stay_here(node):
    id_ = make(node, "--norm", "un 2015 f", "--term", HOLD, "--asset", "power=prefix 192.0.2.0/24", "--asset", "power=op.example")
    one = shown(node, id_)
    kept = node.dir / "assets"
    assert kept.stat().st_mode & 0o777 == 0o600
    lines = [line.split(" ", 3) for line in kept.read_text().splitlines()]
    assert [(s, r) for _, _, s, r in lines] == [("power", "prefix 192.0.2.0/24"), ("power", "op.example")]
    assert [a["commitment"] for a in one["assets"]] == [c for c, *_ in lines]
    for commitment, salt, _, resource in lines:  # as anyone can open it
        assert hashlib.sha256(b"comity/1 asset\n" + bytes.fromhex(salt) + resource.encode()).hexdigest() == commitment
    assert "prefix 192.0.2.0/24" in node.text("pledge", "show", id_)
    for path in node.dir.rglob("*"):  # told nowhere else
        if path.is_file() and path != kept:
            assert b"192.0.2.0/24" not in path.read_bytes(), path
    kept.unlink()
    assert "192.0.2.0" not in node.text("pledge", "show", id_)


def test_a_pledge_shortens_what_is_due(node):
    author = Signer((node.dir / "keys" / "party.key").read_text())

    def notice(class_, *more):
        text, id_ = author.statement("notice", CIRCLE, "to op.example", f"class {class_}", f"events {len(node.json('notice', 'list')) + 1}",
                                   *more, "body application/vnd.comity.evidence+zstd 10 sealed-sha256:" + "00" * 32)
        node.run("submit", "-", stdin=text.encode())
        (one,) = [n for n in node.json("notice", "list") if n["id"] == id_]
        return time_of(one["due"]) - time_of(one["logged"])

    infected, weak = "malicious-code/infected-system", "vulnerable/weak-crypto"
    assert notice(infected) == 3 * DAY and notice(weak) == 14 * DAY
    id_ = make(node, "--norm", "un 2015 c", "--term", TERM.replace("1d", "5d"), "--from", "op.example")
    assert notice(infected) == 3 * DAY  # never longer than its class
    assert notice(weak) == 5 * DAY
    assert notice(weak, "due " + at(9)) > 8 * DAY
    early, _ = author.statement("notice", CIRCLE, "to op.example", f"class {weak}", "events 77",
                              "due " + at(4),
                              "body application/vnd.comity.evidence+zstd 10 sealed-sha256:" + "00" * 32)
    refused = node.run("submit", "-", stdin=early.encode(), code=None)
    assert refused.returncode == 1 and b"at least 5d" in refused.stdout + refused.stderr
    node.run("pledge", "withdraw", id_, "--from", "op.example")
    assert notice(weak) == 14 * DAY
    node.audit()


def test_many_with_many_assets_are_listed(node, serve, tmp_path):
    """A reader's request has room for one at a time, not for all: 60 pledges of 400 commitments each."""
    key, paths = Signer((node.dir / "keys" / "party.key").read_text()), []
    for i in range(60):
        assets = (f"asset power {hashlib.sha256(f'{i} {j}'.encode()).hexdigest()}" for j in range(400))
        note, _ = key.statement("pledge", PUBLIC, f"date 2026-01-01T00:00:{i:02}Z", "norm un 2015 f", f"term {HOLD}", *assets)
        paths.append(tmp_path / f"{i}")
        paths[-1].write_text(note)
    node.run("submit", *paths)
    server = serve(node)
    told = server.ask("GET", "/pledges?limit=1000").json()
    assert [len(p["assets"]) for p in told["pledges"]] == [400] * 60 and told["more"] is False
    assert server.ask("GET", f"/pledges?limit=1&after={told['pledges'][58]['id']}").json()["pledges"] == told["pledges"][59:]


@pytest.mark.parametrize("words", [["pledge", "list"], ["agreement", "list"], ["request", "list", "--to"], ["ping", "list", "--to"],
                                   ["certificate", "list", "--from"], ["vouch", "list", "--party"]])
def test_what_is_no_domain_is_not_looked_up(bare, words):
    for text in ("a" * 3000, "A.example", "a..example", ""):
        assert bare.error(*words, text, code=2) == "usage", text
    assert bare.error("party", "show", "a" * 3000) == "party-unknown"
