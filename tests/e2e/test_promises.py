"""Promises: a year of them against a second implementation, byte for byte, and what the command says."""
import json
import subprocess
import urllib.error
import urllib.request

import pytest

import conftest
import second_promises
import second_standing

MAKE_YEAR = conftest.COMITY.parent / "bench" / "make_year"
PERIODS = [(), ("2025-03-01T00:00:00Z",), ("2025-01-01T00:00:00Z", "2025-04-01T00:00:00Z"),
           ("2025-06-15T12:34:56.789Z", "2025-12-20T00:00:00Z"), ("2025-12-31T00:00:00Z",)]


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    if not MAKE_YEAR.exists():
        pytest.skip(f"{MAKE_YEAR.name} is not built")
    node = conftest.Node(tmp_path_factory.mktemp("promises") / "node")
    made = subprocess.run([MAKE_YEAR, node.dir, "12000", "3", "pledges"], capture_output=True, text=True,
                          timeout=5 * conftest.TIMEOUT)
    assert made.returncode == 0, made.stderr
    return node


@pytest.fixture(scope="module")
def second(year):
    entries = [e for name in ("public", "circle")
               for e in second_standing.entries_of(year.text("ledger", "show", name, "--raw", "--from", "0", "--limit", "10000000"))]
    assert sum(e.kind == "pledge" for e in entries) > 60
    return second_promises.Promises("cert.example", entries)


def options(period):
    return [word for pair in zip(("--from", "--to"), period) for word in pair]


@pytest.mark.parametrize("demonstration", [False, True])
@pytest.mark.parametrize("period", PERIODS)
def test_a_second_implementation_agrees(year, second, period, demonstration):
    told = year.text("standing", "--pledges", "--json", *options(period), *["--demonstration"] * demonstration).splitlines()
    parties = second.parties(demonstration)
    assert [json.loads(line)["party"] for line in told] == parties
    for line, party in zip(told, parties):
        words = second_promises.spelled(second.of(party, *map(second_standing.ms_of, period), demonstration=demonstration))
        assert json.loads(line) == json.loads(words), party
        assert line == words, party


def test_the_year_has_all_of_it(second):
    """So that the comparison above is one of everything, not of empty figures."""
    terms = [t for p in second.parties() for pledge in second.of(p)["pledges"] for t in pledge["terms"]]
    judged = {(t["metric"], w["judged"]) for t in terms for w in t["windows"]}
    for metric in ("acknowledged", "acknowledge-p50", "acknowledge-p90", "fixed", "plan-explained", "uplift", "re-offence",
                   "false-notices"):
        assert {j for m, j in judged if m == metric} & {"met", "missed"}, metric
    windows = [w for t in terms for w in t["windows"]]
    assert any(w.get("undisputed") for w in windows) and any(w["share"]["unknown"] for w in windows)
    assert {"met", "missed", "too-few", None} == {w["judged"] for w in windows}
    assert any(d["withdrawn"] for p in second.parties() for d in second.of(p)["pledges"])


def test_the_text_is_for_everybody(year):
    text = year.text("standing", "--pledges")
    parties = [line for line in text.splitlines() if line.endswith(".example") and not line.startswith(" ")]
    assert parties == sorted(parties) and len(parties) > 40
    for words in ("at least 80 % of the notices to it acknowledged by a person within 2 days, each 30 days",
                  "declared, not measured", "windows met", "missed", "with too few cases", "disputed, without", "withdrawn 2025-07-20",
                  "beside look-alikes", "no sum and no ranking", "Acknowledging is not admitting"):
        assert words in text, words
    assert all(len(line) <= 110 for line in text.splitlines())
    one = year.text("standing", "party-0.example", "--pledges")
    assert "party-0.example" in one and "party-4.example" not in one
    assert "90.25 %" in year.text("standing", "--pledges", "--demonstration")


def test_what_is_asked_wrongly(year):
    assert year.error("standing", "party-3.example", "--pledges") == "not-found"
    assert year.error("standing", "AS64500", "--pledges", code=2) == "usage"
    assert year.error("standing", "--pledges", "--stix", code=2) == "usage"
    assert year.error("standing", "--pledges", "--from", "yesterday", code=2) == "usage"


def test_nobody_promised_anything(node):
    assert "Nobody promised anything." in node.text("standing", "--pledges")
    assert node.text("standing", "--pledges", "--json") == ""


def test_over_http(bare, serve):
    """That a party pledged is public; how it was kept is for members, the operator and the party itself."""
    bare.run("party", "add", "team.example", "--role", "response-team", "--approve")
    bare.run("party", "add", "other.example", "--role", "researcher")
    bare.run("pledge", "make", "--norm", "un 2015 c", "--term", "swift acknowledged at-least 90% within 1d each 30d")
    tokens = {name: conftest.token_of(bare, name, party) for name, party in
              (("member", "team.example"), ("other", "other.example"), ("own", "node.example"))}
    server = serve(bare)

    def get(path, reader=None):
        request = urllib.request.Request(server.url + path, headers=conftest.bearer(tokens[reader]) if reader else {})
        try:
            with urllib.request.urlopen(request, timeout=conftest.TIMEOUT) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as e:
            return e.code, json.load(e)

    status, told = get("/promises/node.example", "member")
    assert status == 200 and told["pledges"][0]["terms"][0]["metric"] == "acknowledged"
    (line,) = bare.text("standing", "--pledges", "--json").splitlines()
    printed = json.loads(line)
    assert {**told, "until": None} == {**printed, "until": None}
    status, page = get("/promises", "member")
    assert status == 200 and [p["party"] for p in page["promises"]] == ["node.example"] and page["more"] is False
    assert get("/promises?after=node.example", "member")[1]["promises"] == []
    for reader in (None, "other"):
        assert get("/promises", reader)[1] == {"promises": [], "next": None, "more": False}
        assert get("/promises/node.example", reader)[0] == 404
    assert get("/promises/other.example", "other")[0] == 404  # it promised nothing
    for path in ("/promises/AS64500", "/promises/team.example", "/promises/..."):
        assert get(path, "member")[0] == 404, path
    for path in ("/promises?limit=0", "/promises/node.example?limit=1", "/promises/node.example?addresses=yes", "/promises?from=now"):
        assert get(path, "member")[0] == 400, path
