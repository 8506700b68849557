"""Mailboxes and the outbox, as an operator sees them."""
import gzip
import http.server
import json
import threading

import pytest

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


WHOIS = {
    "test.db.aut-num": "aut-num: AS64500\nabuse-c: AA1-TEST\n\naut-num: AS64501\norg: ORG-B-TEST\n",
    "test.db.inetnum.gz": "inetnum: 5.44.0.0 - 5.44.255.255\nabuse-c: AA1-TEST\n\ninetnum: nonsense\nabuse-c: AA1-TEST\n",
    "test.db.role.gz": "role: Desk\nnic-hdl: AA1-TEST\nabuse-mailbox: abuse@as64500.example\n",
    "test.db.organisation": "organisation: ORG-B-TEST\ne-mail: office@as64501.example\n",
}


def test_whois(node, tmp_path):
    files = []
    for name, text in WHOIS.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    said = node.json("contact", "import", "whois", *files)[0]
    assert said == {"objects": 6, "rejected": 1, "as_numbers": 2, "ranges_ipv4": 1, "ranges_ipv6": 0, "mailboxes": 2}
    assert contacts(node, "AS64500") == [("AS64500", "whois", "abuse@as64500.example")]
    assert contacts(node, "prefix", "5.44.3.0/24") == [("prefix 5.44.3.0/24", "whois", "abuse@as64500.example")]
    node.run("contact", "add", "AS64500", "noc@as64500.example")
    assert [c[1:] for c in contacts(node, "AS64500")] == [("operator", "noc@as64500.example"), ("whois", "abuse@as64500.example")]
    # What cannot be read leaves the table as it was; another import takes its place.
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"aut-num: AS7\ne-mail: a@b.example\n" * 1000)[:-30])
    (tmp_path / "prose").write_text("Nothing of the kind.\n")
    for bad in ("cut.gz", "prose", "missing"):
        node.run("contact", "import", "whois", tmp_path / bad, code=1)
    assert contacts(node, "AS64501") == [("AS64501", "whois", "office@as64501.example")]
    (tmp_path / "other").write_text("aut-num: AS7\ne-mail: seven@as7.example\n")
    node.run("contact", "import", "whois", tmp_path / "other")
    assert contacts(node, "AS64501") == [] and contacts(node, "AS7") == [("AS7", "whois", "seven@as7.example")]
    table = node.dir / "contacts.table"
    table.write_bytes(table.read_bytes()[:-1])
    node.run("contact", "list", "AS7", code=4)
    for words in (("whois",), ("dns", "AS7")):
        node.run("contact", "import", *words, code=2)


def jcard(*mails):
    return ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Desk"]] + [["email", {"type": "abuse"}, "text", m] for m in mails]]


ABUSE = {"roles": ["abuse"], "vcardArray": jcard("abuse@REGISTER.example")}
REGISTER = {
    "/rdap/autnum/64500": (200, {"entities": [{"roles": ["registrant"], "vcardArray": jcard("boss@a.example"), "entities": [ABUSE]}]}),
    "/rdap/autnum/64501": (200, {"entities": [{"roles": ["registrant"], "vcardArray": jcard("boss@a.example")}]}),
    "/rdap/autnum/64503": (500, {}),
    "/rdap/autnum/64504": (200, "no register"),
    "/rdap/autnum/64505": (302, {}),
    "/rdap/autnum/64506": (200, {"entities": [{"roles": ["abuse"], "vcardArray": jcard("a b@c.example", "x@c.example\r\nBcc: y@z.example", "second@c.example")}]}),
    "/rdap/ip/5.44.0.0/16": (200, {"entities": [ABUSE]}),
}


@pytest.fixture
def register():
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status, what = REGISTER.get(self.path, (404, {}))
            body = what.encode() if isinstance(what, str) else json.dumps(what).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/rdap+json")
            if status == 302:
                self.send_header("Location", "/rdap/autnum/64500")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_rdap(node, register):
    port, asked = register
    node.run("contact", "import", "rdap", "AS64500", code=1)
    assert asked == []
    with open(node.dir / "config", "a") as f:
        f.write(f"outgoing-private yes\noutgoing-plain yes\nrdap-server http://127.0.0.1:{port}/rdap/\nrdap-daily 7\n")
    assert node.json("contact", "import", "rdap", "AS64500")[0]["mail"] == "abuse@register.example"
    assert node.json("contact", "import", "rdap", "AS64506")[0]["mail"] == "second@c.example"
    # It has an entry without such a mailbox, or none: known, so that it is not asked again and again.
    for number in ("AS64501", "AS64502"):
        assert node.json("contact", "import", "rdap", number) == []
        assert (number, "rdap", None) in contacts(node)
    # Of an address only the registered block is told.
    assert node.json("contact", "import", "rdap", "prefix", "5.44.1.1/32")[0]["mail"] == "abuse@register.example"
    assert asked == [f"/rdap/autnum/{n}" for n in (64500, 64506, 64501, 64502)] + ["/rdap/ip/5.44.0.0/16"]
    for whom in (("country", "EE"), ("op.example",), ("prefix", "203.0.113.0/24")):
        node.run("contact", "import", "rdap", *whom, code=1)
    assert len(asked) == 5
    for number in ("AS64503", "AS64504", "AS64505"):
        assert node.run("contact", "import", "rdap", number, code=None).returncode in (1, 3)
        assert number not in [c[0] for c in contacts(node)]
    assert len(asked) == 8
    for number in ("AS1", "AS2"):
        node.run("contact", "import", "rdap", number)
    # What was said is in the journal, so it counts for the next process too.
    assert b"rdap-daily" in node.run("contact", "import", "rdap", "AS3", code=1).stderr and len(asked) == 10
    node.run("ledger", "audit")
