"""Rows of the essay's table (docs/regime.md) that no other file shows: what plans explain, one node alone, and who signs no
intrusive plan at either door."""
import time

import pytest

from conftest import at


@pytest.fixture
def scanner(node):
    node.run("party", "add", "scans.example", "--role", "researcher", "--claim", "prefix 9.9.9.0/24")
    node.run("party", "approve", "scans.example")
    node.run("plan", "file", "--from", "scans.example", "--source", "9.9.9.0/24", "--purpose", "Census", "--start", at(-1), "--port", "22")
    return node


def report(path, sources, seen):
    """Honeypot logins: both sides spoke."""
    columns = ["timestamp", "protocol", "src_ip", "src_port", "dst_ip", "dst_port", "application"]
    rows = [[seen, "tcp", s, "40000", "203.0.113.9", port, "ssh"] for s, port in sources]
    path.write_text("\n".join(",".join(f'"{v}"' for v in r) for r in [columns, *rows]) + "\n")
    return path


def test_e31_the_share_that_plans_explain_is_recomputed(scanner, tmp_path):
    """Anyone with the raw rows and the plans gets the same numbers as the node."""
    time.sleep(2)
    sources = [(f"9.9.9.{i}", "22") for i in range(10)] + [(f"8.8.8.{i}", "22") for i in range(20, 25)] + [("9.9.9.77", "23")]
    path = report(tmp_path / "event4_honeypot_brute_force-x.csv", sources, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()))
    summary = next(line for line in scanner.json("route", path) if "rejected" in line)
    counts = {k: summary[k] for k in ("explained", "breach", "undeclared")}
    asked = [scanner.json("plan", "match", s, "--port", p, "--transport", "tcp", "--handshake", "--target", "203.0.113.9")[0]["verdict"]
             for s, p in sources]
    assert counts == {v: asked.count(v) for v in counts}
    assert counts == {"explained": 10, "breach": 1, "undeclared": 5}


def test_e32_one_node_alone_is_useful(scanner):
    """Who goes first has a directory, an answer to "whose scan is this?", and a probing.txt, with nobody else there."""
    time.sleep(2)
    assert "scans.example" in scanner.text("party", "list")
    assert scanner.text("plan", "whose", "9.9.9.7", "--port", "22", "--handshake").startswith("9.9.9.7 is scans.example's scan")
    (plan,) = [p for p in scanner.json("plan", "list")]
    text = scanner.text("plan", "export", plan["id"], "--as", "probing", "--contact", "mailto:probes@scans.example")
    assert "Contact: mailto:probes@scans.example" in text


@pytest.mark.parametrize("door", ["file", "submit"])
def test_e20_a_response_team_signs_no_intrusive_plan(bare, door):
    bare.run("party", "add", "csirt.example", "--role", "response-team", "--claim", "prefix 192.0.2.0/24")
    bare.run("party", "approve", "csirt.example")
    words = ("--from", "csirt.example", "--source", "192.0.2.0/24", "--target", "203.0.113.0/24", "--to", "other.example", "--purpose", "x")
    if door == "file":
        assert bare.error("plan", "file", *words, "--intrusive") == "role"
        assert bare.error("plan", "file", *words, "--activity", "red-team") == "role"
        return
    (plan,) = bare.json("plan", "file", *words)
    assert bare.error("plan", "change", plan["id"], "--intrusive") == "role"
