"""Mailboxes and the outbox, as an operator sees them."""
from test_repeats import brute


def outbox(node, *words):
    return [(i["way"], i["to"], i["step"], i["contact"]) for i in node.json("outbox", *words)]


def test_what_is_logged_is_queued(node, tmp_path):
    assert outbox(node, "--all") == []
    node.run("route", brute(tmp_path, "1", [("2026-11-01 10:00:00", "5.44.1.1", 1000, "a"), ("2026-11-01 10:05:00", "5.45.1.2", 1, "b")]))
    assert sorted(outbox(node)) == [("mail", "AS64500", "waiting", None), ("mail", "AS64501", "waiting", None)]
    item = next(i for i in node.json("outbox") if i["to"] == "AS64500")
    assert item["attempts"] == 0 and item["next"] == item["queued"] and item["matter"] == item["id"]
    assert [i["to"] for i in node.json("outbox", item["id"])] == ["AS64500"]
    assert [i["to"] for i in node.json("outbox", item["id"][:9])] == ["AS64500"]
    assert node.json("outbox", "retry", item["id"][:8])[0]["waiting"] == 1
    assert node.json("outbox", "retry", "--all")[0]["waiting"] == 2
    assert "no-such" not in node.text("outbox") and "mail: 2 waiting" in node.text("outbox")
    for words in (("outbox", "retry"), ("outbox", "abc"), ("outbox", "zzzzzzzz")):
        assert node.run(*words, code=2)
    assert node.run("outbox", "0000000000000000", code=1)
    # By hand, for who called: what was sent has arrived.
    node.run("answer", item["id"], "working", "--for", "AS64500", "--via", "desk")
    assert outbox(node) == [("mail", "AS64501", "waiting", None)]
    assert ("mail", "AS64500", "arrived", None) in outbox(node, "--all")
    node.run("ledger", "audit")


def contacts(node, *words):
    return [(c["to"], c["source"], c["mail"]) for c in node.json("contact", "list", *words)]


def test_contacts(node, tmp_path):
    assert contacts(node) == [] and "No contacts" in node.text("contact", "list")
    node.run("contact", "add", "AS64500", "noc@as64500.example")
    node.run("contact", "add", "country", "EE", "cert@ee.example")
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    assert contacts(node) == [("AS64500", "operator", "abuse@as64500.example"), ("country EE", "operator", "cert@ee.example")]
    assert contacts(node, "country", "EE") == [("country EE", "operator", "cert@ee.example")]
    key = tmp_path / "key"
    key.write_bytes(b"\x98\x33 not much of a key")
    node.run("contact", "add", "AS64500", "abuse@as64500.example", "--openpgp", key)
    assert node.json("contact", "list", "AS64500")[0]["openpgp"]
    key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    node.run("contact", "add", "AS64500", "abuse@as64500.example", "--openpgp", key, code=2)
    for words in (("AS64500", "not a mailbox"), ("AS64500", "a@b.example\r\nBcc: c@d.example"), ("all", "a@b.example"), ("AS0", "a@b.example")):
        node.run("contact", "add", *words, code=2)
    node.run("contact", "remove", "AS64500")
    assert contacts(node) == [("country EE", "operator", "cert@ee.example")]
    # Who reads here needs no mail, unless the operator knows a mailbox.
    node.run("party", "add", "op.example", "--role", "operator", "--claim", "AS64500", "--approve")
    row = [("2026-11-01 10:00:00", "5.44.1.1", 1000, "a")]
    node.run("route", brute(tmp_path, "1", row))
    assert outbox(node) == []
    node.run("contact", "add", "op.example", "noc@op.example")
    node.run("route", brute(tmp_path, "2", [("2026-11-20 10:00:00", "5.44.1.9", 1000, "a")]))
    assert outbox(node) == [("mail", "op.example", "waiting", None)]
    node.run("ledger", "audit")
