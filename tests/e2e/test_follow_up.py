"""What answers set in motion, as commands and a server do it: taken further, disputed with evidence, help asked for."""
import json
import time

from conftest import TIMEOUT


def routed(node, *addresses):
    """A notice to net.example, which claims AS64500; ee.example is the national team."""
    for party, role, claim in (("net.example", "operator", "AS64500"), ("ee.example", "response-team", "country EE"),
                               ("other.example", "operator", "AS64777")):
        (made,) = node.json("party", "add", party, "--role", role, "--claim", claim)
        node.run("party", "approve", party)
    report = node.dir.parent / "report.csv"
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - 3600))
    report.write_text("timestamp,ip,port,protocol,infection\n" + "".join(f"{now},{a},4444,tcp,x\n" for a in addresses))
    node.run("route", report)
    (notice,) = node.json("notice", "list")
    assert notice["to"] == "net.example", notice
    return notice


def notices(node):
    return node.json("notice", "list")


def test_not_ours_goes_to_whom_it_names(node):
    notice = routed(node, "5.44.0.1")
    assert node.error("answer", notice["id"], "fixed", "--from", "net.example", "--better", "AS64501") == "statement-header"
    assert "follow-up" in node.text("answer", notice["id"], "not-ours", "--from", "net.example", "--better", "other.example")
    (done,) = node.json("follow-up")
    assert done["re"] == notice["id"] and done["reason"] == "not-ours" and done["to"] == "other.example"
    assert node.json("follow-up") == []
    second = notices(node)[1]
    assert second["id"] == done["id"] and second["to"] == "other.example" and second["events"] == notice["events"]
    shown = node.text("notice", "show", second["id"])
    assert f"re        {notice['id']}" in shown and "reason    not-ours" in shown
    # The evidence came along, under a seal of its own.
    assert "5.44.0.1" in node.text("notice", "show", second["id"], "--as", "csv")
    # It comes back to nobody: up to the holder, then to the national team, then it is told that nobody is left.
    node.run("answer", second["id"], "not-ours", "--from", "other.example", "--better", "net.example")
    (third,) = node.json("follow-up")
    assert third["to"] == "AS64500"
    node.run("answer", third["id"], "not-ours", "--for", "AS64500", "--via", "mail")
    assert "to ee.example by" in node.text("follow-up")
    node.run("answer", notices(node)[3]["id"], "not-ours", "--from", "ee.example")
    (last,) = node.json("follow-up")
    assert "to" not in last
    assert "nobody is left" in node.text("follow-up")
    node.audit()


def test_a_server_takes_it_further_by_itself(node, serve):
    notice = routed(node, "5.44.0.1")
    node.run("answer", notice["id"], "not-ours", "--from", "net.example")
    server = serve(node, "--log", "json")
    server.wait_for_log("1 not theirs")
    assert "comity_followed_up_total 1" in server.get("/metrics").body.decode()
    server.stop()
    assert [n["to"] for n in notices(node)] == ["net.example", "AS64500"]
    node.audit()


def test_cannot_asks_for_help(node):
    notice = routed(node, "5.44.0.1")
    assert node.error("answer", notice["id"], "working", "--from", "net.example", "--need", "access", code=2) == "usage"
    said = node.json("answer", notice["id"], "cannot", "--from", "net.example", "--need", "legal", "--text", "not our customer")
    assert [s["what"] for s in said] == ["answer", "request"]
    raw = node.text("ledger", "show", "circle", "--raw")
    request = raw[raw.index("comity/1 request"):]
    assert "to node.example\nto ee.example\n" in request and "need legal\ntext not our customer\n" in request
    assert f"re {notice['id']}\n" in request
    node.run("answer", said[1]["id"], "accepted", "--from", "ee.example")
    # The second time nothing new is asked, unless it is said what for.
    assert [s["what"] for s in node.json("answer", notice["id"], "cannot", "--from", "net.example")] == ["answer"]
    node.audit()


def test_a_dispute_carries_its_evidence(node, tmp_path):
    notice = routed(node, "5.44.0.1")
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps({"seen": "nothing on that port"}))
    assert node.error("answer", notice["id"], "fixed", "--from", "net.example", "--evidence", proof, code=2) == "usage"
    node.run("answer", notice["id"], "disputed", "--from", "net.example", "--evidence", proof)
    raw = node.text("ledger", "show", "circle", "--raw")
    assert f"body application/json {proof.stat().st_size} sealed-sha256:" in raw and "nothing on that port" not in raw
    assert notices(node)[0]["standing"] == "disputed"
    node.audit()


def test_seen_after_it_was_fixed(node):
    notice = routed(node, "5.44.0.1")
    node.run("answer", notice["id"], "fixed", "--from", "net.example")
    time.sleep(1.1)  # times in reports are whole seconds
    report = node.dir.parent / "again.csv"
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time()))
    report.write_text(f"timestamp,ip,port,protocol,infection\n{now},5.44.0.1,4444,tcp,x\n")
    node.run("route", report)
    first, second = notices(node)
    assert first["standing"] == "re-observed" and not first["ended"]
    assert second["to"] == "net.example" and "again     1" in node.text("notice", "show", second["id"])
    node.audit()
