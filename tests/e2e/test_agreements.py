"""Agreements by the commands: offered at one node, read and signed at another, and what is said of them from both sides."""

import pytest

from conftest import at, wait_for
from delivery_lab import Place

SWIFT = "swift acknowledged at-least 90% within 2d each 30d least 5 gives share"
HOLD = "hold restraint scan,exercise in power each 90d"
SHOW = ("agreement", "show")


@pytest.fixture
def two(tmp_path, serve):
    a, b = Place(tmp_path, "a.example", serve).start(), Place(tmp_path, "b.example", serve).start()
    a.knows(b)
    b.node.run("follow", a.url)
    return a, b


def offered(a, *options):
    (made,) = a.node.json("agreement", "offer", "--with", "b.example", *options)
    (one,) = [x for x in a.node.json("agreement", "list") if made["id"] in [s["statement"] for s in x["signed"]]]
    return one


def test_offered_here_and_signed_there(two):
    a, b = two
    one = offered(a, "--term", SWIFT, "--term", "answer help-answered at-least 80% within 1d each 30d gives help of b.example",
                  "--start", at(3), "--end", at(400), "--consult", "20d", "--restore", "3")
    assert one["phase"] == "offered" and one["parties"] == ["a.example", "b.example"] and one["depositary"] == "a.example"
    assert one["consult"] == "20d" and one["restore"] == 3 and one["exit_notice"] == "90d" and one["codes"]
    id_ = one["id"]

    offer = one["signed"][0]["statement"]
    wait_for(lambda: b.has(offer), "the offer")  # the other is told; the agreement itself is read at its depositary
    assert b.node.json("agreement", "list") == []
    b.node.run("follow")
    assert b.node.json("agreement", "list", "b.example") == [one] and b.node.json(*SHOW, id_[:8]) == [one]
    assert b.node.json("agreement", "list", "c.example") == []
    seen = b.node.run("agreement", "sign", id_, code=2).stdout.decode()  # shown in plain words, and not signed
    assert "both alike: at least 90 %" in seen and "only b.example: at least 80 %" in seen and "never rest" in seen
    assert "stays bound for 90d" in seen and "kept by    a.example" in seen
    assert a.node.json(*SHOW, id_)[0]["phase"] == "offered"

    assert a.node.error("agreement", "sign", id_, "--yes") == "not-yours"  # it was not offered to itself
    (sent,) = b.node.json("agreement", "sign", id_, "--yes")
    assert sent["depositary"] == "a.example"
    (now,) = a.node.json(*SHOW, id_)
    assert now["phase"] == "countersigned" and now["id"] == id_
    assert [s["party"] for s in now["signed"]] == ["a.example", "b.example"] and now["signed"][1]["statement"] == sent["id"]

    def seen_from_here():
        b.node.run("follow")  # what was logged a moment ago may not be published yet
        return [x for x in b.node.json("agreement", "list") if x == now]

    wait_for(seen_from_here, "the second signature")
    assert b.node.json(*SHOW, sent["id"][:12]) == [now]
    assert b.node.error("agreement", "sign", id_, "--yes") == "agreement"

    assert b.node.error("agreement", "resolve", id_, "swift") == "agreement"  # nothing to resolve yet, says the depositary
    assert "a.example says" in b.node.run("agreement", "resolve", id_, "swift", code=1).stderr.decode()
    b.node.run("agreement", "leave", id_)  # from the other's node
    left = a.node.json(*SHOW, id_)[0]
    assert left["phase"] == "countersigned" and left["leaves"] is not None
    a.stop()
    b.stop()
    a.node.audit()
    b.node.audit()


def test_anybody_reads_them_over_http(two):
    a, b = two
    a.node.run("pledge", "make", "--norm", "un 2015 c", "--term", SWIFT.replace(" gives share", ""))
    a.node.run("pledge", "make", "--norm", "osce 2016 11")
    first, second = offered(a, "--term", SWIFT), offered(a, "--term", SWIFT, "--restore", "4")

    def got(path):
        answer = a.server.get(path)
        assert answer.status == 200, answer.body
        return answer.json()

    pledges = got("/pledges")
    assert pledges["pledges"] == a.node.json("pledge", "list") and not pledges["more"]
    one = got("/pledges?party=a.example&limit=1")
    assert one["pledges"] == pledges["pledges"][:1] and one["more"]
    assert got(f"/pledges?after={one['pledges'][0]['id']}")["pledges"] == pledges["pledges"][1:]
    assert got("/pledges?party=b.example")["pledges"] == []
    agreements = got("/agreements")
    assert agreements["agreements"] == a.node.json("agreement", "list") and len(agreements["agreements"]) == 2
    one = got("/agreements?limit=1&party=b.example")
    assert one["more"] and got(f"/agreements?after={one['agreements'][0]['id']}")["agreements"] == agreements["agreements"][1:]
    assert got(f"/agreements/{second['id']}") == got(f"/agreements/{second['signed'][0]['statement']}") == second != first
    for path, status in (("/agreements/" + "0" * 64, 404), ("/agreements/x", 404), ("/pledges?limit=0", 400), ("/pledges?what=1", 400),
                         ("/agreements?after=x", 400), ("/agreements?party=no%20one", 400)):
        assert a.server.get(path).status == status, path


def test_offers_are_declined_and_taken_back(two):
    a, b = two
    first, second, third = (offered(a, "--term", SWIFT, "--restore", k) for k in ("2", "4", "5"))
    b.node.run("follow")
    b.node.run("agreement", "decline", first["id"], "--text", "not these")
    a.node.run("agreement", "leave", second["id"])
    phases = {x["id"]: x["phase"] for x in a.node.json("agreement", "list")}
    assert phases == {first["id"]: "ended", second["id"]: "ended", third["id"]: "offered"}
    assert a.node.error("agreement", "decline", second["id"]) == "agreement"
    assert b.node.error("agreement", "leave", third["id"]) == "agreement"  # it never signed
    a.stop()
    assert b.node.error("agreement", "decline", third["id"], code=3) == "unreachable"


def test_assets_stay_with_whose_they_are(two):
    a, b = two
    (theirs,) = b.node.json("agreement", "asset", "power", "prefix 198.51.100.0/24")
    token = b.node.text("agreement", "asset", "power", "AS64501").strip()
    assert token.startswith("power=") and len(token) == len("power=") + 64
    one = offered(a, "--term", HOLD, "--asset", "power=prefix 192.0.2.0/24", "--their-asset", f"power={theirs['commitment']}",
                  "--their-asset", token)
    assert sorted((x["party"], x["set"]) for x in one["assets"]) == [("a.example", "power"), ("b.example", "power"), ("b.example", "power")]
    b.node.run("follow")
    b.node.run("agreement", "sign", one["id"], "--yes")
    mine, other = a.node.text(*SHOW, one["id"]), b.node.text(*SHOW, one["id"])
    assert "prefix 192.0.2.0/24" in mine and "198.51.100.0" not in mine
    assert "198.51.100.0/24" in other and "AS64501" in other and "192.0.2.0" not in other
    for place in (a, b):
        assert (place.node.dir / "assets").stat().st_mode & 0o777 == 0o600

    # Not in force yet: the depositary says so; what is not ours opens nothing.
    evidence = ("--evidence", one["signed"][0]["statement"])
    assert b.node.error("agreement", "allege", one["id"], "hold", "--asset", "AS64501", *evidence) == "agreement"
    assert a.node.error("agreement", "allege", one["id"], "hold", "--asset", "AS64501", *evidence) == "not-found"
    assert a.node.error("agreement", "allege", one["id"], "hold", code=2) == "usage"


@pytest.mark.parametrize("options, error, code", [
    (["--term", "x goodwill at-least 9% each 30d"], "term", 1),
    (["--term", "x update-lag at-most 1d each 30d"], "term", 1),
    (["--term", SWIFT, "--term", "y acknowledged at-least 10% within 2d each 30d"], "term", 1),
    (["--term", HOLD], "term", 1),
    (["--term", SWIFT, "--exit-notice", "1d"], "statement-header", 1),
    (["--term", SWIFT, "--start", "2020-01-01T00:00:00Z"], "agreement", 1),
    (["--term", SWIFT, "--asset", "power"], "usage", 2),
    ([], "usage", 2),
])
def test_what_cannot_be_agreed_is_refused(bare, options, error, code):
    bare.run("party", "add", "b.example", "--role", "operator")
    assert bare.error("agreement", "offer", "--with", "b.example", *options, code=code) == error
    assert bare.json("agreement", "list") == []


def test_both_parties_at_one_node(bare):
    for name in ("a.example", "b.example"):
        bare.run("party", "add", name, "--role", "operator")
    assert bare.error("agreement", "offer", "--with", "c.example", "--from", "a.example", "--term", SWIFT) == "party-unknown"
    assert bare.error("agreement", "offer", "--with", "a.example", "--from", "a.example", "--term", SWIFT, code=2) == "usage"
    bare.run("agreement", "offer", "--with", "b.example", "--from", "a.example", "--term", SWIFT)
    (one,) = bare.json("agreement", "list")
    assert one["depositary"] == "node.example" and one["offered_by"] == "a.example"
    assert bare.error("agreement", "resolve", one["id"], "swift") == "not-yours"
    bare.run("agreement", "sign", one["id"], "--yes", "--from", "b.example")
    assert bare.json(*SHOW, one["id"])[0]["phase"] == "countersigned"
    assert bare.error(*SHOW, "0" * 64) == "matter-unknown"
    assert bare.error(*SHOW, "12", code=2) == "usage"
    story = bare.text("matter", one["signed"][0]["statement"])
    assert "a.example offered an agreement with b.example" in story and SWIFT in story
    text = bare.text("agreement", "list")
    assert "a.example" in text and "countersigned" in text and "1 term" in text
    bare.audit()
