"""Five years of two hundred parties, by script, into nodes by different ways: all of them hold the same bytes, and so do readers who were
given nothing but files."""
import hashlib
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

import conftest
from conftest import COMITY, Node

MAKE_HISTORY = COMITY.parent / "bench" / "make_history"
SANITIZED = COMITY.parent.name != "build"
ASKED, STATEMENTS = (8000, 6000) if SANITIZED else (56000, 50000)  # some are refused, and left out
SEED = 7
LEDGERS = ("public", "circle")


def play(node, batch, most=None, **more):
    words = [MAKE_HISTORY, "play", node.dir, ASKED, SEED, batch] + ([most] if most is not None else [])
    return subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def played(process):
    out, err = process.communicate(timeout=20 * conftest.TIMEOUT)
    assert process.returncode == 0, err
    return out


def is_over(process):
    return process.poll() is not None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """In memory, where there is some: the ways are many commits, and a disk's own time is not what is tried here."""
    shm = pathlib.Path("/dev/shm")
    made = tmp_path_factory.mktemp("history")
    if os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > 1 << 30:
        made = shm / f"comity-history-{os.getpid()}"
        made.mkdir()
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def begun(folder):
    """A node with the keys that all of them have, and nothing but its first statements."""
    if not MAKE_HISTORY.exists():
        pytest.skip(f"{MAKE_HISTORY.name} is not built")
    node = Node(folder / "begun")
    subprocess.run([MAKE_HISTORY, "begin", node.dir], check=True, timeout=conftest.TIMEOUT)
    return node


def another(begun, name):
    node = Node(begun.dir.parent / name)
    shutil.copytree(begun.dir, node.dir)
    return node


@pytest.fixture(scope="module")
def first(begun):
    """In large batches."""
    node = another(begun, "first")
    node.said = played(play(node, 500))
    node.audited = node.audit()
    return node


def bytes_of(audited):
    return {name: audited[name] for name in ("public", "circle", "state", "state_keys")}


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and ".p/" not in str(p)}


def journal_size(node):
    return sum(p.stat().st_size for p in (node.dir / "journal").iterdir())


def test_all_kinds_are_in_it(first):
    logged = {line.split()[0]: int(line.split()[1]) for line in first.said.splitlines() if " logged " in line}
    audited = first.audited
    assert audited["public"] + audited["circle"] == sum(logged.values()) + 2  # the rules, and the node itself
    assert sum(logged.values()) >= STATEMENTS
    kinds = {"party", "proof", "vouch", "plan", "certificate", "notice", "share", "request", "pledge", "agreement", "answer", "withdraw", "tick",
             "control", "vocabulary"}
    assert kinds <= set(logged) and all(logged[kind] > 0 for kind in kinds)


def test_killed_in_the_middle_and_made_anew(first, begun):
    """In small batches; killed a few times at any moment, its views once thrown away, and gone on with."""
    node = another(begun, "second")
    whole, rng = journal_size(first), random.Random(SEED)
    killed = 0
    for part in (0.15, 0.4, 0.7):
        process = play(node, 7)
        until = whole * (part + rng.random() / 10)
        while journal_size(node) < until and not is_over(process):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        if part == 0.4:
            shutil.rmtree(node.dir / "views")
    assert killed == 3
    played(play(node, 7))
    assert bytes_of(node.audit()) == bytes_of(first.audited)
    for ledger in LEDGERS:
        assert tree(node.dir / "ledger" / ledger) == tree(first.dir / "ledger" / ledger)


def test_from_the_journal_alone(first, begun):
    """A third one is given the journal; views and tiles it makes itself."""
    node = another(begun, "third")
    for name in ("journal", "views", "ledger"):
        shutil.rmtree(node.dir / name)
    shutil.copytree(first.dir / "journal", node.dir / "journal")
    played(play(node, 500))  # opens it for writing; all that it has to say is there
    audited = node.audit()
    assert bytes_of(audited) == bytes_of(first.audited) and audited["views"] == first.audited["views"]
    for ledger in LEDGERS:
        assert tree(node.dir / "ledger" / ledger) == tree(first.dir / "ledger" / ledger)


def test_one_by_one_through_the_sequencer(first, begun):
    """As a server takes them: each with its own commit, signatures verified by another thread. The beginning of the history alone."""
    some = STATEMENTS // 10
    by_batch, by_one = another(begun, "some-batch"), another(begun, "some-one")
    played(play(by_batch, 100, some))
    played(play(by_one, 0, some))
    # A batch ends behind what was asked for.
    assert bytes_of(by_one.audit()) == bytes_of(by_batch.audit())


# ---- readers ----

@pytest.fixture(scope="module")
def reader(folder):
    def make(name):
        node = Node(folder / name)
        node.run("init", f"{name}.example")
        return node

    return make


def statements_of(node, ledger):
    """Each as (kind, its note)."""
    raw = node.text("ledger", "show", ledger, "--raw", "--from", "0", "--limit", "10000000")
    for entry in raw.split("logged ")[1:]:
        note = entry.split("\n", 1)[1]
        yield note.split("\n", 1)[0].split()[1], note.rstrip("\n") + "\n"


@pytest.fixture(scope="module")
def files(first, folder):
    """What its operator publishes: tiles and checkpoints as they lie in its directory, public bodies by their hash, and the
    node's own party statement, which is an entry of the public tiles."""
    www, source = folder / "www", Node(folder / "source")
    (www / "body").mkdir(parents=True)
    for ledger in LEDGERS:
        shutil.copytree(first.dir / "ledger" / ledger, www / "ledger" / ledger)
    statements = list(statements_of(first, "public"))
    own = next(note for kind, note in statements if kind == "party" and "\nfrom cert.example\n" in note)
    (www / "node").write_text(json.dumps({"statement": own}))
    bodies = {(kind, found) for kind, note in statements for found in re.findall(r"^body .* sha256:([0-9a-f]{64})$", note, re.M)}
    shutil.copytree(first.dir, source.dir)
    with conftest.Server(source) as server:
        for _, found in bodies:
            answer = server.get(f"/body/{found}")
            assert answer.status == 200 and hashlib.sha256(answer.body).hexdigest() == found
            (www / "body" / found).write_bytes(answer.body)
    proofs = {found for kind, found in bodies if kind == "proof"}
    assert len(proofs) > 50 and len(bodies) > len(proofs)
    return www, proofs


class Files:
    """Plain HTTP of a folder, by Python's own server; remembers what was asked for."""

    def __init__(self, www):
        outer = self
        self.paths = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __init__(self, *words):
                super().__init__(*words, directory=str(www))

            def log_message(self, *words):
                outer.paths.append((self.command, self.path))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def same_standing(reader, first, *words):
    ours = first.run("standing", "--json", *words).stdout
    theirs = reader.run("standing", "--ledger", "cert.example", "--json", *words).stdout
    assert ours == theirs
    return ours


def digest(reader):
    (row,) = reader.json("follow", "list", "--digest")
    assert row["forks"] == 0 and row["public_folded"] == row["public"] and row["circle_folded"] == row["circle"]
    return row


def test_a_mirror_of_the_server(first, reader, folder):
    """Years later the circle is open to all: who follows the running server holds the same state, also of what the server says meanwhile
    (ticks, verdicts on proofs whose time is over)."""
    node, mirror = Node(folder / "served"), reader("mirror")
    shutil.copytree(first.dir, node.dir)
    for _ in range(5):
        with conftest.Server(node) as server:
            for _ in range(conftest.TIMEOUT):
                (round_,) = mirror.json("follow", server.url, "--plain", "--private")
                if round_["public"] > first.audited["public"] and round_["public_new"] == 0:
                    break
                time.sleep(1)
        audited = node.audit()
        if round_["public"] == audited["public"]:
            break  # else it said something more before it ended
    assert round_["circle_open"] and [round_[name] for name in LEDGERS] == [audited[name] for name in LEDGERS]
    assert round_["circle"] == first.audited["circle"]
    assert digest(mirror)["state"] == audited["state"]
    same_standing(mirror, node)


def test_a_reader_of_files(first, reader, files):
    """The fourth node is given only tiles and public bodies over plain HTTP, and computes what the node itself does."""
    fourth, (www, proofs) = reader("fourth"), files
    served = Files(www)
    try:
        (round_,) = fourth.json("follow", served.url, "--plain", "--private")
    finally:
        served.stop()
    assert {command for command, path in served.paths} == {"GET"}
    assert all(path.split("/")[1] in ("node", "ledger", "body") for _, path in served.paths)
    assert round_["circle_open"] and [round_[name] for name in LEDGERS] == [first.audited[name] for name in LEDGERS]
    assert digest(fourth)["state"] == first.audited["state"]
    kept = {hashlib.sha256(p.read_bytes()).hexdigest() for p in (fourth.dir / "followed" / "cert.example" / "body").rglob("*") if p.is_file()}
    assert kept == proofs
    lines = [json.loads(line) for line in same_standing(fourth, first).splitlines()]
    assert len(lines) > 100 and sum(line["notices"] for line in lines) > STATEMENTS // 10
    same_standing(fourth, first, "--from", "2022-01-01T00:00:00Z", "--to", "2023-01-01T00:00:00Z")
    promises = [json.loads(line) for line in same_standing(fourth, first, "--pledges").splitlines()]
    judged = {window["judged"] for p in promises for pledge in p["pledges"] for term in pledge["terms"] for window in term["windows"]}
    assert len(promises) > 100 and (SANITIZED or {"met", "missed"} <= judged)  # of few notices nothing is judged
    assert any(p["declarations"] for p in promises) and any(p["agreements"] for p in promises)
    fourth.audit()
