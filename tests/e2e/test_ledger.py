"""The ledger can be checked by anyone, and damage is found."""
import json
import shutil

from conftest import Node


def filled(node):
    for i in range(5):
        node.run("party", "add", f"p{i}.example", "--claim", f"AS6451{i}", "--approve")
    return node


def test_a_receipt_verifies_offline_and_not_when_changed(node, tmp_path):
    (added,) = node.json("party", "add", "p.example")
    receipt = tmp_path / "receipt"
    node.run("ledger", "proof", added["id"], "--out", receipt)
    (said,) = node.json("verify", receipt)
    assert said["result"] == "ok" and said["id"] == added["id"]
    key = next(c["key"] for c in node.json("ledger", "show") if c["origin"].endswith("/public"))
    elsewhere = Node(tmp_path / "nowhere")
    assert elsewhere.json("verify", receipt, "--key", key)[0]["kind"] == "party"
    good = receipt.read_text()
    for old, new in (("index ", "index 1"), ("node.example", "nodf.example")):
        receipt.write_text(good.replace(old, new, 1))
        elsewhere.run("verify", receipt, "--key", key, code=None)
        assert elsewhere.run("verify", receipt, "--key", key, code=None).returncode != 0
    other = next(c["key"] for c in node.json("ledger", "show") if c["origin"].endswith("/circle"))
    receipt.write_text(good)
    assert elsewhere.run("verify", receipt, "--key", other, code=None).returncode == 4


def test_the_views_come_back_from_the_journal(node):
    before = filled(node).audit()
    shutil.rmtree(node.dir / "views")
    node.run("party", "add", "another.example")
    after = node.audit()
    assert after["public"] == before["public"] + 1


def test_the_tiles_come_back_from_the_journal(node):
    filled(node).audit()
    shutil.rmtree(node.dir / "ledger")
    node.run("party", "add", "another.example")
    node.audit()


def test_the_audit_finds_a_flipped_byte(node):
    filled(node)
    found = 0
    files = [p for d in ("journal", "ledger") for p in sorted((node.dir / d).rglob("*")) if p.is_file() and p.stat().st_size]
    for path in files:
        good = path.read_bytes()
        used = good.rstrip(b"\0")
        if not used:
            continue
        bad = bytearray(good)
        bad[len(used) // 2] ^= 1
        path.write_bytes(bytes(bad))
        p = node.run("ledger", "audit", "--json", code=None)
        assert p.returncode == 4, (path, p.returncode, p.stdout, p.stderr)
        path.write_bytes(good)
        found += 1
    assert found >= 4
    node.audit()


def test_a_foreign_statement_must_be_whole_and_at_home(node, tmp_path):
    assert node.error("submit", "-", stdin=b"comity/1 party\n") in ("note", "short", "statement")
    assert node.error("submit", "-", stdin=b"") == "empty"
    other = Node(tmp_path / "other")
    other.run("init", "other.example")
    text = other.text("ledger", "show", "public", "--raw", "--from", "1", "--limit", "1")
    note = text.split("\n", 1)[1].rstrip("\n") + "\n"
    assert node.error("submit", "-", stdin=note.encode()) == "statement-ledger"


def test_many_files_are_submitted_and_one_that_is_refused_stops_none(node, tmp_path):
    before = node.audit()["public"]
    files = []
    for i in range(6):
        # Made and signed on a copy of the node, so that this node has not seen them.
        copy = Node(tmp_path / f"copy{i}")
        shutil.copytree(node.dir, copy.dir)
        (added,) = copy.json("party", "add", f"p{i}.example")
        text = copy.text("ledger", "show", "public", "--raw", "--from", str(added["index"]), "--limit", "1")
        path = tmp_path / f"note{i}"
        path.write_text(text.split("\n", 1)[1].rstrip("\n") + "\n")
        files.append(path)
    files[2].write_text(files[2].read_text().replace("p2.example", "p9.example"))
    (tmp_path / "empty").write_text("")
    p = node.run("submit", *files[:5], files[0], tmp_path / "empty", tmp_path / "missing", files[5], "--json", code=None)
    said = [json.loads(line) for line in p.stdout.splitlines()]
    assert [s["index"] for s in said] == [before + 1 + i for i in range(5)]  # behind the first tick
    assert [json.loads(line)["error"] for line in p.stderr.splitlines()] == \
        ["note-unsigned", "statement-repeated", "empty", "not-found"]
    assert p.returncode == 4
    assert node.audit()["public"] == before + 6
