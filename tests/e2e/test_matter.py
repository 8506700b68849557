"""`comity matter`: one matter's history as it is told, how it was delivered, and both sides of what is disputed or passed on."""
import json
import time

import second_standing
from conftest import wait_for
from delivery_lab import Place
from test_follow_up import notices, routed


def told(node, id):
    """The words, and the object of the same."""
    (found,) = node.json("matter", id)
    return node.text("matter", id), found


def agrees(node, name):
    """Standing with guests in the ledger: answers or notices that another node logged first."""
    entries = [e for l in ("public", "circle")
               for e in second_standing.entries_of(node.text("ledger", "show", l, "--raw", "--from", "0", "--limit", "100000"))]
    second = second_standing.Standing(second_standing.Ledger(name, entries))
    lines = [json.loads(line) for line in node.text("standing", "--json").splitlines()]
    assert [s["party"] for s in lines] == second.parties()
    assert lines == [second.of(s["party"]) for s in lines]
    return {s["party"]: s for s in lines}, entries


def test_how_it_was_delivered_to_nodes(tmp_path, serve):
    a, b, c = (Place(tmp_path, name, serve).start() for name in ("a.example", "b.example", "c.example"))
    a.knows(b)
    a.knows(c)
    c.stop()
    id, waits = a.notice("to b.example"), a.notice("to c.example")
    wait_for(lambda: a.outcomes(id))
    b.node.run("answer", id, "disputed")
    wait_for(lambda: len(a.outcomes(id)) == 2)
    for node in (a.node, b.node):
        text, found = told(node, id)
        assert "disputes it" in text and "with and without" in text and "Acknowledging is not admitting" in text
        assert [l.get("outcome") for l in found["history"]] == [None, "received", "disputed"]
    text, found = told(a.node, id)
    assert "to b.example at its node: arrived" in text
    assert [(d["way"], d["to"], d["step"]) for d in found["delivery"]] == [("node", "b.example", "arrived")]
    assert found == a.ask("GET", "/matters/" + id).json()
    failed = wait_for(lambda: (d := a.node.json("matter", waits)[0]["delivery"]) and d[0]["attempts"] and d)
    assert failed[0]["step"] == "waiting" and failed[0]["next"] and failed[0]["detail"]
    text, found = told(a.node, waits)
    assert "to c.example at its node: waiting" in text and "attempt" in text and "next try" in text
    assert "nobody has answered; an answer is due by" in text
    a.stop()
    b.stop()
    standing, entries = agrees(a.node, "a.example")
    assert sum(e.home for e in entries) > 2 and standing["b.example"]["disputed"]["numerator"] == 1
    assert standing["b.example"]["arrived_so_far"] == 1 and standing["c.example"]["arrived_so_far"] == 0
    standing, entries = agrees(b.node, "b.example")
    assert any(e.home and e.kind == "notice" for e in entries) and standing["a.example"]["reporter"]["filed"] == 1


def test_passed_on_and_by_mail(node):
    notice = routed(node, "5.44.0.1")
    node.run("answer", notice["id"], "not-ours", "--from", "net.example", "--better", "AS64777")
    (done,) = node.json("follow-up")
    text, found = told(node, notice["id"])
    assert f"It stands: not-ours; {done['id'][:12]} took it further" in text and "says that it is not theirs" in text
    assert found["not_ours"] and found["history"][-1]["better"] == "AS64777"
    text, second = told(node, done["id"])
    assert f"passed it on to {done['to']}, because the addressee says that it is not theirs" in text and notice["id"][:12] in text
    assert (done["id"], notice["id"], "not-ours") in [(l["id"], l.get("re"), l.get("reason")) for l in second["history"]]
    mails = [d for d in second["delivery"] if d["way"] == "mail"]
    assert [d["to"] for d in mails] == [done["to"]] and "by mail: waiting" in text
    agrees(node, "node.example")


def test_seen_again(node):
    notice = routed(node, "5.44.0.1")
    node.run("answer", notice["id"], "fixed", "--from", "net.example")
    time.sleep(1.1)  # times in reports are whole seconds
    report = node.dir.parent / "again.csv"
    report.write_text(f"timestamp,ip,port,protocol,infection\n{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())},5.44.0.1,4444,tcp,x\n")
    node.run("route", report)
    text, found = told(node, notice["id"])
    assert "saw it again" in text and found["re_observed"] and not found["ended"]
    assert len(notices(node)) == 2
    standing, _ = agrees(node, "node.example")
    assert standing["net.example"]["reopened"]["numerator"] == 1 and standing["net.example"]["fixed"]["done"] == 1
