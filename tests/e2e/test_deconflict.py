"""Before a takedown: whoever holds what is on the list is found with a contact, and nobody is told anything else."""

import pytest
from conftest import wait_for
from delivery_lab import Place, header

LIST = 4000
HELD = range(1, LIST, 4)  # 1,000 of them are somebody's sinkholes
NAMES = [f"c{i}.botnet{i % 7}.example" for i in range(LIST)]


@pytest.fixture
def three(tmp_path, serve):
    """A, who speaks for a country, and two that hold sinkholes; each knows A."""
    places = [Place(tmp_path, name, serve) for name in ("a.example", "b.example", "c.example")]
    a = places[0]
    a.node.run("party", "update", "--url", a.url, "--claim", "country EE")
    a.node.run("party", "approve", "a.example")
    for place in places:
        place.start()
    for other in places[1:]:
        other.knows(a)
        a.knows(other)
        other.node.run("party", "approve", "a.example")
    return places


def sinkholes(place, party, names, contact, seal):
    """A party there, and its plans for these names."""
    place.node.run("party", "add", party, "--role", "researcher")
    for i in range(0, len(names), 250):
        targets = [w for n in names[i : i + 250] for w in ("--target", n)]
        place.node.run("plan", "seal" if seal else "file", "--from", party, "--activity", "sinkhole", "--source", "203.0.113.0/29",
                       *targets, "--contact", contact, "--purpose", "Counting infected machines")


@pytest.fixture
def seizure(three, tmp_path):
    """A's takedown, filed, and its list."""
    a, b, c = three
    held = [NAMES[i] for i in HELD]
    sinkholes(b, "research.example", held[:500], "mailto:sink@research.example", seal=True)
    sinkholes(c, "lab.example", held[500:], "mailto:duty@lab.example", seal=False)
    (plan,) = a.node.json("plan", "file", "--activity", "takedown", "--source", "198.51.100.0/28", "--target", "any", "--purpose",
                          "Seizing the names of a botnet")
    path = tmp_path / "list.txt"
    path.write_text("# to be seized\n" + "".join(n + "\n" for n in NAMES))
    return plan["id"], path


def shown(place, plan, path):
    *held, total = place.node.json("deconflict", "show", plan, path)
    return held, total


def test_all_sinkholes_come_back_before_the_seizure_is_ready(three, seizure):
    a, b, c = three
    plan, path = seizure
    assert a.node.error("answer", plan, "started") == "deconfliction"
    (asked,) = a.node.json("deconflict", "ask", plan, path)
    assert asked == {"items": LIST, "asked": 3}
    assert shown(a, plan, path)[1]["ready"] is False
    assert a.node.error("answer", plan, "started") == "deconfliction"
    for place in three:
        wait_for(lambda: any(header(r, "need") == "deconflict" for r in place.listed("?kind=request")), "the request")
        place.node.json("deconflict", "answer")
    wait_for(lambda: shown(a, plan, path)[1]["silent"] == 0, "the answers")
    held, total = shown(a, plan, path)
    assert total == {"items": LIST, "held": 1000, "asked": 3, "answered": 3, "objected": 0, "silent": 0, "unread": 0, "ready": True}
    contacts = {h["item"]: (h["party"], h["contact"], h["node"]) for h in held}
    assert sorted(contacts) == sorted(NAMES[i] for i in HELD)
    assert contacts[NAMES[1]] == ("research.example", "mailto:sink@research.example", "b.example")
    assert contacts[NAMES[LIST - 3]] == ("lab.example", "mailto:duty@lab.example", "c.example")
    a.node.run("answer", plan, "started")
    # Neither side holds more of the other's list than what both have.
    for place in (b, c):
        everything = b"".join(p.read_bytes() for p in (place.node.dir / "journal").iterdir())
        assert NAMES[0].encode() not in everything and NAMES[2].encode() not in everything
    for place in three:
        place.stop()
        place.node.audit()


def test_who_speaks_for_no_country_is_told_nothing(three, seizure):
    a, b, c = three
    _, path = seizure
    b.knows(c)
    c.knows(b)
    (plan,) = b.node.json("plan", "file", "--activity", "takedown", "--source", "198.51.100.0/28", "--target", "any", "--purpose",
                          "Curious")
    b.node.run("deconflict", "ask", plan["id"], path)
    (asked,) = wait_for(lambda: [r for r in c.listed("?kind=request") if r["from"] == "b.example"], "the request")
    c.node.json("deconflict", "answer")
    wait_for(lambda: ("c.example", "objected") in b.outcomes(asked["id"]), "the refusal")
    held, total = shown(b, plan["id"], path)
    assert not [h for h in held if h["node"] == "c.example"] and total["unread"] == 0


def test_another_list_reads_no_answer(three, seizure, tmp_path):
    a, _, _ = three
    plan, path = seizure
    a.node.run("deconflict", "ask", plan, path)
    a.node.json("deconflict", "answer")
    other = tmp_path / "other.txt"
    other.write_text("".join(n + "\n" for n in reversed(NAMES)))
    held, total = shown(a, plan, other)
    assert held == [] and total["unread"] == 1


def test_asking_without_end_is_refused(three, seizure):
    a, _, _ = three
    plan, path = seizure
    for _ in range(10):
        a.node.run("deconflict", "ask", plan, path, "--again")
    assert a.node.error("deconflict", "ask", plan, path, "--again") == "rate"
    (asked,) = a.node.json("deconflict", "ask", plan, path)
    assert asked["asked"] == 0


def test_bad_lists(three, seizure, tmp_path):
    a, _, _ = three
    plan, _ = seizure
    bad = tmp_path / "bad.txt"
    for text, code in (("", "empty"), ("no domain!\n", "domain"), ("2001:db8::/33\n", "prefix"),
                       ("".join(f"n{i}.example\n" for i in range(10001)), "too-long")):
        bad.write_text(text)
        assert a.node.error("deconflict", "ask", plan, bad) == code
