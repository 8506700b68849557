"""Plans from filing to closing: acknowledged, active, overdue, recalled, sealed and revealed; and who may not break in."""
import datetime
import json
import stat

import pytest

from conftest import Node, bearer
from signing import Signer

PUBLIC, CIRCLE = "node.example/public", "node.example/circle"
SCAN = ("--source", "198.51.100.0/24", "--purpose", "a test")


def at(**ago):
    """A time so long ago."""
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ahead(**more):
    return at(**{name: -n for name, n in more.items()})


def prepare(node):
    node.run("init", "node.example")
    node.run("party", "add", "scan.example", "--role", "researcher")
    node.run("party", "add", "op.example", "--role", "operator", "--claim", "prefix 192.0.2.0/24", "--approve")
    node.run("party", "add", "other.example", "--role", "researcher")
    node.run("party", "add", "team.example", "--role", "response-team", "--approve")
    (made,) = node.json("access", "add", "tool", "--party", "team.example", "--rights", "read,write", "--token")
    return made["secret"]


@pytest.fixture
def world(tmp_path, templates):
    node = Node(tmp_path / "node")
    node.token = templates.copy("plans", prepare, node)
    return node


def file(node, *more, command="file"):
    (filed,) = node.json("plan", command, "--from", "scan.example", *SCAN, *more)
    return filed["id"]


def show(node, id):
    (plan,) = node.json("plan", "show", id)
    return plan


def phase(node, id):
    return show(node, id)["phase"]


def test_filed_acknowledged_active_overdue_closed(world):
    id = file(world, "--start", ahead(hours=1), "--end", ahead(hours=2), "--transport", "tcp", "--port", "443", "--rate", "100",
              "--contact", "mailto:duty@scan.example", "--stop-within", "30m", "--marker", "ptr scan.example")
    assert phase(world, id) == "filed" and not show(world, id)["short_notice"]
    world.run("answer", id, "acknowledged", "--from", "op.example")
    world.run("answer", id, "objected", "--from", "other.example", "--text", "not on a holiday")
    assert {"acknowledged": 2, "objected": 1}.items() <= show(world, id).items()
    world.run("plan", "delay", id)
    assert phase(world, id) == "delayed"
    world.run("plan", "start", id)
    assert phase(world, id) == "active"
    world.run("plan", "suspend", id, "--text", "the line is full")
    assert phase(world, id) == "suspended"
    world.run("plan", "close", id, "--text", "4,096 hosts, nothing broken")
    assert phase(world, id) == "closed"
    assert "443" in world.text("plan", "show", id)
    assert world.error("plan", "start", id, "--text", "again") == "outcome"
    world.audit()


def test_show_lists_all_terms(world):
    start, end = ahead(hours=1), ahead(hours=2)
    terms = {"activity": "research", "start": start, "end": end, "repeat": "daily 3", "rate": "100", "rate_each": "5",
             "contact": "mailto:duty@scan.example", "reference": "https://scan.example/study", "ethics": "https://scan.example/board",
             "stop_within": "30m", "purpose": "a test", "sources": ["198.51.100.0/24"], "alternates": ["203.0.113.0/28"],
             "targets": ["192.0.2.0/25", "AS64500", "country EE", "www.example.org"], "excludes": ["192.0.2.7/32"],
             "transports": ["tcp", "udp"], "ports": ["443", "1-1024"], "markers": ["ptr scan.example", "in-band https://scan.example/why"],
             "to": ["op.example"]}
    options = {"rate_each": "rate-each", "stop_within": "stop-within", "alternates": "alternate", "targets": "target",
               "excludes": "exclude", "transports": "transport", "ports": "port", "markers": "marker"}
    given = [w for name, value in terms.items() if name not in ("sources", "purpose")
             for v in (value if isinstance(value, list) else [value]) for w in ("--" + options.get(name, name), v)]
    plan = show(world, file(world, *given))
    assert {name: plan[name] for name in terms} == terms and plan["intrusive"] is False
    world.audit()


def test_ladder(world):
    """What nobody closed; the window lies so long ago that each rung is reached."""
    begun = at(days=1)
    recent = file(world, "--start", begun, "--end", at(minutes=29))
    uncertain = file(world, "--start", begun, "--end", at(minutes=31))
    alert = file(world, "--start", begun, "--end", at(minutes=121))
    assert [phase(world, p) for p in (recent, uncertain, alert)] == ["active", "uncertain", "alert"]
    assert [p["id"] for p in world.json("plan", "list", "--overdue")] == [alert, uncertain]
    world.run("plan", "seen", recent, "--from", "other.example", "--time", at(days=2))
    assert phase(world, recent) == "distress"
    assert len(world.json("plan", "list", "--overdue")) == 3
    for p in (recent, uncertain, alert):
        world.run("plan", "close", p)
    assert world.json("plan", "list", "--overdue") == []
    assert len(world.json("plan", "list", "--party", "scan.example")) == 3
    assert world.json("plan", "list", "--party", "op.example") == []


def test_change_and_cancel(world):
    id = file(world, "--start", ahead(hours=1), "--end", ahead(hours=2), "--rate", "5")
    (later,) = world.json("plan", "change", id, "--end", ahead(hours=3), "--rate", "7")
    assert phase(world, id) == "changed" and show(world, id)["after"] == later["id"]
    text = world.text("plan", "show", later["id"])
    assert "rate         7" in text and "198.51.100.0/24" in text and "a test" in text
    assert world.error("plan", "change", later["id"], "--start", at(hours=1)) == "plan-window"
    world.run("plan", "cancel", later["id"])
    assert phase(world, later["id"]) == "cancelled"
    assert world.error("plan", "change", later["id"], "--rate", "9") == "outcome"


def test_recall(world):
    id = file(world, "--target", "192.0.2.0/25", "--start", at(hours=1), "--end", ahead(hours=5), "--stop-within", "30m")
    assert world.error("plan", "recall", id, "--from", "other.example") == "not-yours"
    (order,) = world.json("plan", "recall", id, "--from", "op.example", "--text", "it floods our line")
    plan = show(world, id)
    (shown,) = plan["orders"]
    assert shown["request"] == order["id"] and shown["need"] == "recall" and shown["from"] == "op.example"
    ordered, by = (datetime.datetime.fromisoformat(shown[k].replace("Z", "+00:00")) for k in ("ordered", "stop_by"))
    assert by - ordered == datetime.timedelta(minutes=30)
    assert plan["recalled"] == shown["ordered"] and plan["stopped"] is None and not plan["stopped_late"]
    world.run("answer", order["id"], "working", "--from", "scan.example")
    world.run("plan", "suspend", id)
    plan = show(world, id)
    assert plan["stopped"] is not None and not plan["stopped_late"] and plan["orders"][0]["outcome"] == "working"
    world.audit()


def test_explain_and_confirm(world):
    id = file(world, "--start", at(hours=1), "--end", ahead(hours=5))
    world.run("plan", "explain", id, "--from", "other.example")
    assert world.error("plan", "confirm", id, code=2) == "usage"
    (asked,) = world.json("plan", "confirm", id, "--from", "op.example", "--source", "198.51.100.9", "--first", at(minutes=5))
    world.run("answer", asked["id"], "accepted", "--from", "scan.example")
    assert [o["outcome"] for o in show(world, id)["orders"]] == [None, "accepted"]


def test_sealed_and_revealed(world):
    id = file(world, "--start", at(minutes=10), "--end", ahead(hours=1), "--countersigner", "op.example",
              "--countersigner", "other.example", command="seal")
    told = world.text("plan", "show", id)
    assert "198.51.100" not in told and "a test" not in told and phase(world, id) == "sealed"
    (kept,) = (world.dir / "sealed").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and "198.51.100.0/24" in kept.read_text()
    world.run("answer", id, "acknowledged", "--from", "op.example")
    world.run("answer", id, "acknowledged", "--from", "other.example")
    assert show(world, id)["countersigned"] == 2
    whole = kept.read_text()
    kept.write_text(whole + "rate 5\n")
    assert world.error("plan", "reveal", id) == "sealed"
    kept.write_text(whole)
    (shown,) = world.json("plan", "reveal", id)
    assert phase(world, id) == "revealed" and show(world, shown["id"])["before"] == id
    assert "198.51.100.0/24" in world.text("plan", "show", shown["id"])
    kept.unlink()
    other = file(world, command="seal")
    next((world.dir / "sealed").iterdir()).unlink()
    assert world.error("plan", "reveal", other) == "not-found"
    world.audit()


def test_a_second_late(world):
    """Filed after what it would explain."""
    seen = at(seconds=1)
    file(world, "--start", at(hours=1), "--end", ahead(hours=1))
    (match,) = world.json("plan", "match", "198.51.100.7", "--time", seen)
    assert match["verdict"] == "late"


BREAK_IN = ("--target", "192.0.2.0/25", "--to", "op.example", "--start", ahead(days=20), "--end", ahead(days=21))


def test_a_response_team_breaks_in_nowhere(world, serve):
    for how in (("--intrusive",), ("--activity", "red-team"), ("--activity", "exercise", "--intrusive")):
        assert world.error("plan", "file", "--from", "team.example", *SCAN, *BREAK_IN, *how) == "role"
    # By a change of a harmless one, and by what a seal hides.
    (plain,) = world.json("plan", "file", "--from", "team.example", *SCAN)
    assert world.error("plan", "change", plain["id"], "--intrusive", *BREAK_IN) == "role"
    (sealed,) = world.json("plan", "seal", "--from", "team.example", *SCAN, *BREAK_IN, "--intrusive")
    assert world.error("plan", "reveal", sealed["id"]) == "role"
    lines = ("activity red-team", "start " + BREAK_IN[5], "end " + BREAK_IN[7], "source 198.51.100.0/24",
             "target 192.0.2.0/25", "to op.example", "purpose a test")
    note, _ = Signer.of(world, "team.example").statement("plan", PUBLIC, *lines)
    assert world.error("submit", "-", stdin=note.encode()) == "role"
    server = serve(world)
    for who in ({}, bearer(world.token)):
        answer = server.ask("POST", "/statements", note.encode(), {"Content-Type": "text/plain", **who})
        assert answer.status == 403 and json.loads(answer.body)["code"] == "role"
    # A researcher's is taken, and says that nobody consented yet.
    note, id = Signer.of(world, "scan.example").statement("plan", PUBLIC, *lines)
    assert server.ask("POST", "/statements", note.encode(), {"Content-Type": "text/plain"}).status == 201
    server.stop()
    assert show(world, id)["consent"] is False
    world.run("answer", id, "accepted", "--from", "op.example")
    assert show(world, id)["consent"] is True
