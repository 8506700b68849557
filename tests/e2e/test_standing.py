"""Standing: a year of matters against a second implementation, and what the commands say."""
import datetime
import hashlib
import json
import subprocess

import pytest

import conftest
import second_standing

MAKE_YEAR = conftest.COMITY.parent / "bench" / "make_year"
PERIODS = [(), ("2025-03-01T00:00:00Z",), ("2025-01-01T00:00:00Z", "2025-04-01T00:00:00Z"),
           ("2025-06-15T12:34:56.789Z", "2025-07-01T00:00:00Z"), ("2025-02-01T00:00:00Z", "2025-12-31T23:00:00Z")]


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    if not MAKE_YEAR.exists():
        pytest.skip(f"{MAKE_YEAR.name} is not built")
    node = conftest.Node(tmp_path_factory.mktemp("year") / "node")
    made = subprocess.run([MAKE_YEAR, node.dir, "10000", "1"], capture_output=True, text=True, timeout=5 * conftest.TIMEOUT)
    assert made.returncode == 0, made.stderr
    return node


@pytest.fixture(scope="module")
def ledger(year):
    entries = [e for name in ("public", "circle")
               for e in second_standing.entries_of(year.text("ledger", "show", name, "--raw", "--from", "0", "--limit", "10000000"))]
    assert sum(e.kind == "notice" for e in entries) > 10000
    return second_standing.Ledger("cert.example", entries)


def options(period):
    return [word for pair in zip(("--from", "--to"), period) for word in pair]


@pytest.mark.parametrize("demonstration", [False, True])
@pytest.mark.parametrize("period", PERIODS)
def test_a_second_implementation_agrees(year, ledger, period, demonstration):
    told = year.text("standing", "--json", *options(period), *["--demonstration"] * demonstration).splitlines()
    second = second_standing.Standing(ledger, *map(second_standing.ms_of, period), demonstration=demonstration)
    parties = second.parties()
    assert [json.loads(line)["party"] for line in told] == parties
    for line, party in zip(told, parties):
        assert json.loads(line) == second.of(party), party


def test_numbers_are_spelled_alike(year, ledger):
    """Not only equal: as printed, with four digits."""
    for line in year.text("standing", "--json").splitlines():
        words = json.loads(line, parse_float=str)
        for share in (words["arrived"], words["overdue"], words["reporter"]["false"]):
            assert share["rate"] is None or len(share["rate"].split(".")[1]) == 4


def test_the_year_has_all_of_it(ledger):
    """So that the comparison above is one of everything, not of empty figures."""
    all_of_it = [second_standing.Standing(ledger).of(p) for p in second_standing.Standing(ledger).parties()]
    for name in ("disputed", "disputed_standing", "reopened", "re_offence_30d", "not_ours", "cannot", "overdue"):
        assert any(s[name]["rate"] for s in all_of_it), name
        assert any(s[name]["rate"] is None for s in all_of_it), name
    assert any(s["disputed_standing"]["unknown"] for s in all_of_it)
    assert any(s["fixed_by_node"] for s in all_of_it) and any(s["withdrawn"] for s in all_of_it)
    assert any(row["uplift"]["low"] for s in all_of_it for u in s["reporter"]["uplift"] for row in u["after"])
    assert any(row["uplift"]["value"] is None for s in all_of_it for u in s["reporter"]["uplift"] for row in u["after"])
    assert any(m.follows for m in ledger.matters.values())


def test_one_party_is_the_same_as_among_all(year):
    for line in year.text("standing", "--json").splitlines()[::10]:
        party = json.loads(line)["party"]
        assert year.text("standing", party, "--json").strip() == line


def test_past_periods_stay(year):
    """What is asked as of June is the same whatever came later: here, with the later half withdrawn from sight."""
    whole = year.text("standing", "party-1.example", "--json", "--to", "2025-06-01T00:00:00Z")
    assert json.loads(whole)["until"] == "2025-06-01T00:00:00.000Z"
    assert json.loads(whole)["fixed"]["done"] < json.loads(year.text("standing", "party-1.example", "--json"))["fixed"]["done"]


def test_for_people(year):
    text = year.text("standing", "party-0.example")
    assert "Acknowledging is not admitting" in text and "never good" in text and "of 1" in text
    listed = year.text("standing")
    assert "no ranking" in listed and "party-0.example" in listed
    assert year.error("standing", "party-0.example", "--from", "2030-01-01T00:00:00Z", code=2) == "usage"
    assert year.error("standing", "not a party", code=2) == "usage"


def test_who_is_unknown_has_no_figures(year):
    (s,) = year.json("standing", "nobody.example")
    assert s["notices"] == 0 and s["acknowledged"]["rate"] is None and s["fixed"]["after"][0]["share"] is None
    assert "no data" in year.text("standing", "nobody.example")


def test_stix_view(year):
    validator = pytest.importorskip("stix2validator", reason="stix2-validator is not installed")
    for party in ("party-0.example", "AS64500", "reporter-1.example", "cert.example"):
        bundle = json.loads(year.text("standing", party, "--stix"))
        result = validator.validate_instance(bundle, validator.ValidationOptions(silent=True))
        assert not result.errors, result.errors
        note = bundle["objects"][-1]
        assert note["type"] == "note" and "Acknowledging is not admitting" in note["content"] and party in note["abstract"]


def test_a_matter_in_words(year, ledger):
    found = next(m for m in ledger.matters.values() if "disputed" in m.at and "fixed" in m.at and m.by_node["fixed"])
    text = year.text("matter", found.id[:12])
    assert "disputes it" in text and "says that it is fixed" in text and "recorded by mail" in text
    assert "Acknowledging is not admitting" in text
    (told,) = year.json("matter", found.id)
    assert told["id"] == found.id and second_standing.ms_of(told["disputed"]) == found.at["disputed"]
    assert [line["kind"] for line in told["history"]][0] == "notice"
    assert [line.get("outcome") for line in told["history"]].count("disputed") >= 1
    passed = next(m for m in ledger.matters.values() if m.follows)
    assert "passed it on to" in year.text("matter", passed.id)
    assert year.error("matter", "00000000") == "matter-unknown"


# ---- what notices did: controls ----

HEADER = "timestamp,protocol,src_ip,src_port,dst_ip,dst_port,username\n"
BRUTE = "intrusion-attempts/brute-force"


def ago(days):
    return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)


def seen(node, folder, addresses, when):
    """A report that the addresses were seen then."""
    path = folder / f"event4_honeypot_brute_force-{len(list(folder.iterdir()))}.csv"
    path.write_text(HEADER + "".join(f"{when:%Y-%m-%d %H:%M:%S},tcp,{a},1000,192.0.2.1,22,root\n" for a in addresses))
    node.run("route", path)


@pytest.fixture
def watched(node, tmp_path):
    """Told: 22 sources of AS64500, 11 of them seen again after 10 days. Nobody answers for 20 more, all seen again after 20."""
    folder = tmp_path / "reports"
    folder.mkdir()
    told, untold = [f"5.44.1.{i}" for i in range(22)], [f"9.9.9.{i}" for i in range(20)]
    begin = ago(80)
    seen(node, folder, told + untold, begin)
    seen(node, folder, told[:11], begin + datetime.timedelta(days=10))
    seen(node, folder, untold, begin + datetime.timedelta(days=20))
    seen(node, folder, ["5.44.2.1"], ago(20))  # too young
    return node


def test_controls_are_counted_signed_and_shown(watched):
    node = watched
    (dry,) = node.json("control", "--dry-run")
    assert dry["class"] == BRUTE and "id" not in dry
    assert dry["notified"] == {"all": 22, "gone": [11, 11, 22, 22]}
    assert dry["control"] == {"all": 20, "gone": [0, 0, 0, 20]}
    before = node.json("standing", "node.example")[0]
    assert before["reporter"]["uplift"] == []
    (logged,) = node.json("control", "--class", "brute-force")
    text = node.text("ledger", "show", "circle", "--raw", "--from", "0", "--limit", "1000")
    (e,) = [e for e in second_standing.entries_of(text) if e.kind == "control"]
    assert e.id == logged["id"] and e.get("notified-gone") == "11 11 22 22"
    digest = hashlib.sha256((node.dir / "territory.table").read_bytes()).hexdigest()
    assert e.all("table")[0].endswith(f"sha256:{digest}") and len(e.all("table")) > 1
    (s,) = node.json("standing", "node.example")
    (u,) = s["reporter"]["uplift"]
    third = u["after"][2]
    assert (u["class"], third["days"], third["notified"]["numerator"], third["control"]["numerator"]) == (BRUTE, 14, 22, 0)
    assert third["uplift"]["value"] == 1.0 and third["uplift"]["low"] > 0.7
    assert "look-alikes" in node.text("standing", "node.example")
    node.run("withdraw", logged["id"])
    assert node.json("standing", "node.example")[0]["reporter"]["uplift"] == []
    assert node.error("control", "--to", f"{ago(29):%Y-%m-%dT%H:%M:%SZ}", code=2) == "usage"
    assert node.error("control", "--from", f"{ago(40):%Y-%m-%dT%H:%M:%SZ}", "--to", f"{ago(50):%Y-%m-%dT%H:%M:%SZ}", code=2)
    assert node.json("control", "--from", "2020-01-01T00:00:00Z", "--to", "2020-02-01T00:00:00Z") == []
    node.audit()


def test_notices_in_proportion_to_addresses(node, tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    seen(node, folder, ["5.44.1.1"], ago(1))
    (s,) = node.json("standing", "AS64500", "--addresses")
    assert s["exposure"]["addresses"] == 256 * s["exposure"]["blocks"] and s["exposure"]["dated"]
    assert s["notices"] == 1 and s["exposure"]["notices_per_million"] == round(1e6 / s["exposure"]["addresses"], 4)
    assert s["exposure"]["digest"] == hashlib.sha256((node.dir / "territory.table").read_bytes()).hexdigest()
    assert "exposure" not in node.json("standing", "AS64500")[0]
    assert s["arrived"]["denominator"] == 0 and s["arrived_so_far"] == 0
    text = node.text("standing", "AS64500", "--addresses")
    assert "for a million addresses" in text and s["exposure"]["digest"] in text
    assert "so far 0 of 1" in text


# ---- over HTTP, and from elsewhere ----


def read(server, path, token):
    answer = server.get(path, headers={"Authorization": "Bearer " + token})
    assert answer.status == 200, answer.body
    return answer.json()


def test_over_http_as_by_the_command(node, serve, tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    seen(node, folder, ["5.44.1.1"], ago(1))
    (notice,) = node.json("notice", "list")
    node.run("answer", notice["id"], "disputed", "--for", "AS64500", "--via", "mail")
    token = conftest.token_of(node, "reader", "node.example", "read,operate")
    server = serve(node)
    for query, options in (("", ()), ("?addresses=yes", ("--addresses",))):
        told = read(server, "/standing/AS64500" + query, token)
        assert told == node.json("standing", "AS64500", "--to", told["until"], *options)[0]
    assert read(server, "/standing/nobody.example?addresses=yes", token).get("exposure") is None
    for bad in ("/standing/AS64500?addresses=no", "/standing?addresses=yes"):
        assert server.get(bad, headers={"Authorization": "Bearer " + token}).status == 400
    assert read(server, "/matters/" + notice["id"], token) == node.json("matter", notice["id"])[0]


def test_from_a_mirror_byte_for_byte(tmp_path, serve):
    """Another node follows this one and says the same, also of what is past."""
    if not MAKE_YEAR.exists():
        pytest.skip(f"{MAKE_YEAR.name} is not built")
    node, other = conftest.Node(tmp_path / "node"), conftest.Node(tmp_path / "other")
    made = subprocess.run([MAKE_YEAR, node.dir, "200", "7"], capture_output=True, text=True, timeout=conftest.TIMEOUT)
    assert made.returncode == 0, made.stderr
    other.run("init", "b.example")
    with_other = ("--plain", "--private")
    node.run("follow", serve(other).url, *with_other)
    node.run("party", "approve", "b.example")
    other.run("follow", serve(node).url, *with_other)
    for options in ([], ["--to", "2025-07-01T00:00:00Z"], ["party-1.example"], ["AS64500", "--stix"], ["--demonstration"]):
        own = node.run("standing", *options, "--json").stdout
        assert own == other.run("standing", *options, "--ledger", "cert.example", "--json").stdout and own, options
    assert other.json("standing", "party-1.example")[0]["notices"] == 0
    assert other.error("standing", "--ledger", "c.example") in ("not-found", "party-unknown")
    assert other.error("standing", "--ledger", "no node", code=2) == "usage"
