"""All input is hostile: a stable code, a sentence that says what to do, nothing half-done."""
import fcntl
import os
import subprocess

import pytest

from conftest import COMITY

FILES = {
    "empty": (b"", {"empty"}),
    "binary": (bytes(range(256)) * 40, {"format-unknown", "encoding"}),
    "utf16": ("timestamp,ip\n".encode("utf-16"), {"encoding", "format-unknown"}),
    "latin1-header": "t\xefmestamp,ip\n".encode("latin-1"),
    "endless-line": (b"x" * 300000, {"format-unknown", "too-long"}),
    "truncated-gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b", {"compression"}),
    "header-only-junk": (b"a,b,c\n1,2,3\n", {"csv", "format-unknown"}),
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_unreadable_files_are_refused_and_change_nothing(node, name):
    content, codes = FILES[name] if isinstance(FILES[name], tuple) else (FILES[name], {"encoding", "format-unknown"})
    path = node.dir.parent / name
    path.write_bytes(content)
    before = [c["size"] for c in node.json("ledger", "show")]
    assert node.error("route", path) in codes
    assert [c["size"] for c in node.json("ledger", "show")] == before
    node.audit()


def test_quotes_gone_wrong_cost_only_their_rows(node):
    head = "timestamp,ip,port,tag\n"
    good = '"2026-11-01 10:00:00",5.44.1.%d,22,x\n'
    path = node.dir.parent / "scan_ssh.csv"
    path.write_text(head + good % 1 + '"2026-11-01 10:00:00",5.44.1.9,22,"a"b\n' + good % 2)
    result = node.json("route", path)[-1]
    assert result["events"] == 2 and result["rejected"] == 1


def test_a_missing_file_names_itself(node):
    p = node.run("route", "/no/such/file", code=None)
    assert p.returncode == 1 and b"/no/such/file" in p.stderr and b"not-found" in p.stderr


def test_a_missing_table_says_how_to_build_one(empty):
    empty.run("init", "node.example")
    p = empty.run("lookup", "5.44.1.2", code=1)
    assert b"table-missing" in p.stderr and b"territory update" in p.stderr


def test_a_missing_node_says_how_to_make_one(empty):
    p = empty.run("notice", "list", code=1)
    assert b"node-missing" in p.stderr and b"comity init" in p.stderr


def test_init_never_replaces_a_node(node):
    assert node.error("init", "node.example") == "node-exists"
    assert node.error("init", "Not A Domain") == "domain"


def test_a_second_writer_is_turned_away_and_readers_are_not(node):
    locks = [p for p in node.dir.rglob("*lock*") if p.is_file() and p.suffix != ".mdb"]
    assert locks, "no lock file"
    held = [open(p, "r+b") for p in locks]
    for f in held:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert node.error("party", "add", "p.example", code=5) == "busy"
    assert node.json("party", "list")
    for f in held:
        f.close()
    node.run("party", "add", "p.example")


@pytest.mark.parametrize("words", [["lookup"], ["route"], ["frobnicate"], ["plan"], ["lookup", "--no-such", "1.2.3.4"],
                                   ["notice", "show", "xyz"], ["plan", "file", "--from", "node.example"]])
def test_wrong_use_is_exit_code_2(node, words):
    assert node.run(*words, code=2).stderr


@pytest.mark.parametrize("address", ["256.1.1.1", "1.2.3", "1.2.3.4.5", "::g", "", "1.2.3.4/24", "01.2.3.4"])
def test_bad_addresses(node, address):
    assert b"address" in node.run("lookup", "--", address, code=1).stderr + node.run("lookup", "--", address, code=1).stdout


def test_help_and_completion_cover_every_command():
    listing = subprocess.run([COMITY, "help"], capture_output=True, text=True, check=True).stdout
    names = ["answer", "init", "ledger audit", "ledger proof", "ledger show", "lookup", "notice list", "notice show", "party add",
             "plan file", "plan list", "plan match", "plan whose", "route", "territory build", "territory show", "territory update", "verify"]
    for name in names:
        assert name in listing
        assert subprocess.run([COMITY, "help", *name.split()], capture_output=True, check=True).stdout
    for shell in ("bash", "zsh", "fish"):
        text = subprocess.run([COMITY, "completion", shell], capture_output=True, text=True, check=True).stdout
        assert "territory" in text
        if shell == "bash":
            subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_output_without_room_is_an_error(node):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        p = subprocess.run([str(COMITY), "help"], stdout=full, stderr=subprocess.PIPE)
    assert p.returncode == 3
