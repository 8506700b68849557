"""Keys that change: at a running server, with followers, killed in the middle; sponsors and their vouches by commands."""
import json
import os
import pathlib
import random
import signal
import subprocess
import time

import pytest

from conftest import COMITY, Node, wait_for
from delivery_lab import Place
from signing import Signer

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAULTS = ROOT / "build" / "tests" / "crash" / "faults.so"


def make(tmp_path, templates, name):
    node = Node(tmp_path / name.split(".")[0])
    templates.copy(f"keys-{name}", lambda n: n.run("init", name), node)
    return node


@pytest.fixture
def a(tmp_path, templates):
    return make(tmp_path, templates, "a.example")


@pytest.fixture
def b(tmp_path, templates):
    return make(tmp_path, templates, "b.example")


def shown(node, *party):
    return node.json("party", "show", *party)[0]


def keys(node, *party):
    return shown(node, *party)["keys"]


def follow(node, url, *words):
    return json.loads(node.run("follow", url, "--plain", "--private", "--json", *words).stdout.splitlines()[-1])


def test_rotate_while_it_is_served(a, b, serve):
    with serve(b) as server:
        before = follow(a, server.url)["key"]
        assert before == keys(b)[-1]["fingerprint"]
        new = b.json("party", "rotate")[-1]["fingerprint"]
        assert [k["fingerprint"] for k in keys(b)] == [before, new]
        assert keys(b)[0]["until"] == keys(b)[1]["from"]
        b.run("party", "update", "--title", "with the new key")
        # The ledger shows that the known key announced the new one.
        follow(a, server.url)
        again = follow(a, server.url)
        assert again["key"] == new
        (row,) = a.json("follow", "list", "--digest")
        assert row["key"] == new and row["forks"] == 0
        assert row["state"] == b.audit()["state"]
        # What the server signs itself is by the new key: it goes on and ends well.
        b.run("party", "rotate")
        follow(a, server.url)
        assert server.get("/node").status == 200
    assert len(keys(b)) == 3
    b.audit()
    old = [p for p in (b.dir / "keys").iterdir() if ".key." in p.name]
    assert len(old) == 2 and all(p.stat().st_mode & 0o77 == 0 for p in old)


def rotate_twice(node, party):
    for _ in range(2):
        node.run("party", "rotate", "--party", party)
    return [k["fingerprint"] for k in keys(node, party)]


def test_a_follower_missed_keys(a, b, serve):
    b.run("party", "add", "op.example", "--claim", "AS64500", "--approve")
    with serve(b) as server:
        follow(a, server.url)
        assert len(keys(a, "b.example")) == len(keys(a, "op.example")) == 1
        all = {party: rotate_twice(b, party) for party in ("b.example", "op.example")}
        for _ in range(2):
            follow(a, server.url)
    for party, fingerprints in all.items():
        assert len(fingerprints) == 3
        assert [k["fingerprint"] for k in keys(a, party)] == fingerprints
    # And one more, that the party withdrew with.
    rotate_twice(b, "op.example")
    b.run("party", "revoke", "--party", "op.example")
    with serve(b) as server:
        for _ in range(2):
            r = follow(a, server.url)
    assert r["refused"] == 0
    assert a.error("party", "show", "op.example") == "party-unknown"
    a.audit()


def test_missed_keys_of_who_delivers(tmp_path, serve):
    a, b = (Place(tmp_path, name, serve).start() for name in ("a.example", "b.example"))
    a.knows(b)
    a.node.run("party", "add", "op.example", "--role", "response-team")
    op = lambda: Signer((a.node.dir / "keys" / "op.example.key").read_text())

    def arrives(signer):
        id = a.notice("to b.example", signer=signer)
        wait_for(lambda: a.outcomes(id), "received")

    arrives(None)
    arrives(op())
    b.stop()
    all = {party: rotate_twice(a.node, party) for party in ("a.example", "op.example")}
    ids = [a.notice("to b.example"), a.notice("to b.example", signer=op())]
    b.start()
    for id in ids:
        wait_for(lambda: a.outcomes(id), "received with a key that came later")
    b.stop()
    for party, fingerprints in all.items():
        assert [k["fingerprint"] for k in keys(b.node, party)] == fingerprints
    # Who followed nobody until now, and knows the node by a former key only.
    rotate_twice(a.node, "a.example")
    assert follow(b.node, a.url)["refused"] == 0
    assert len(keys(b.node, "a.example")) == 5
    a.stop()
    a.node.audit()
    b.node.audit()


def test_a_node_with_another_ledger_is_another(tmp_path, serve):
    a = Place(tmp_path, "a.example", serve)
    b = Place(tmp_path, "b.example", serve).start()
    (tmp_path / "other").mkdir()
    other = Place(tmp_path / "other", "a.example", serve).start()
    a.start()
    b.knows(a)
    assert b.node.error("follow", other.url, "--plain", "--private") == "key"
    assert b.node.json("follow", "list") == []


def test_sponsors(a):
    for name in ("s1", "s2"):
        a.run("party", "add", f"{name}.example", "--claim", f"AS6450{name[1]}", "--approve")
    a.run("party", "add", "new.example")
    assert not shown(a, "new.example")["sponsorship"]["established"]
    vouch = a.json("vouch", "for", "new.example", "--from", "s1.example", "--visited")[0]
    a.run("vouch", "for", "new.example", "--from", "s2.example")
    s = shown(a, "new.example")["sponsorship"]
    assert s["sponsored"] and s["established"] and s["sponsors"] == 2 and s["vouches"] == 2
    assert len(a.json("vouch", "list", "--party", "new.example")) == 2
    a.run("vouch", "withdraw", vouch["id"][:12], "--from", "s1.example")
    s = shown(a, "new.example")["sponsorship"]
    assert s["sponsored"] and s["ends"] == s["notice_ends"]  # two weeks of notice
    assert "it counts until" in a.run("party", "show", "new.example").stdout.decode()
    (row,) = [v for v in a.json("vouch", "list") if v["id"] == vouch["id"]]
    assert row["visited"] and row["in_force"] and "withdrawn" in row
    a.audit()


def test_lost_and_revoked(a):
    a.run("party", "add", "op.example", "--claim", "AS64500", "--approve")
    for name in ("s1", "s2"):
        a.run("party", "add", f"{name}.example", "--claim", f"AS6450{name[1]}", "--approve")
    a.run("party", "revoke", "--party", "op.example")
    assert a.error("party", "update", "--from", "op.example", "--title", "x") == "party-unknown"
    p = a.run("party", "recover", "--party", "op.example", "--json", code=1)
    new = json.loads(p.stdout.splitlines()[0])["fingerprint"]
    assert "0 of 2" in p.stderr.decode()
    for name in ("s1", "s2"):
        a.run("vouch", "for", "op.example", "--from", f"{name}.example", "--recovery", "--key", new)
    # The same key again, and from when it may.
    p = a.run("party", "recover", "--party", "op.example", "--json", code=1)
    assert json.loads(p.stdout.splitlines()[0])["fingerprint"] == new
    assert "enough sponsors" in p.stderr.decode() and "from 2" in p.stderr.decode()
    a.audit()


def alive(node, party, count):
    """Whatever happened, one of the keys is good, and the next call ends what was begun."""
    node.run("party", "update", "--from", party, "--title", f"after {count}")
    node.run("party", "rotate", "--party", party)
    node.run("party", "update", "--from", party, "--title", f"again {count}")


def test_killed_within(a):
    a.run("party", "add", "op.example")
    chance = random.Random(int(os.environ.get("TEST_SEED", "1")))
    ended = 0
    for i in range(24):
        party = ["a.example", "op.example"][i % 2]
        p = subprocess.Popen([COMITY, "party", "rotate", "--party", party, "--dir", str(a.dir)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * 0.06)
        p.send_signal(signal.SIGKILL)
        ended += p.wait() == 0
        alive(a, party, i)
    assert ended < 24
    a.audit()


@pytest.mark.skipif(not FAULTS.exists() or str(COMITY) != str(ROOT / "build" / "comity"), reason="needs build/tests/crash/faults.so")
@pytest.mark.parametrize("kind", ["write", "sync", "rename"])
@pytest.mark.parametrize("party", ["a.example", "op.example"])
def test_ends_at_each_step(a, tmp_path, kind, party):
    """From the n-th call on nothing reaches the disk any more, for each n."""
    a.run("party", "add", "op.example")
    at = 0
    while True:
        log = tmp_path / "faults"
        log.write_text("")
        env = {**os.environ, "LD_PRELOAD": str(FAULTS), "FAULTS_UNDER": str(a.dir), "FAULTS_KINDS": kind,
               "FAULTS_AT": str(at), "FAULTS_ERROR": "5", "FAULTS_LAST": "1", "FAULTS_LOG": str(log)}
        p = subprocess.run([COMITY, "party", "rotate", "--party", party, "--dir", str(a.dir)], env=env,
                           capture_output=True)
        alive(a, party, f"{kind} {at}")
        if p.returncode == 0:
            break
        at += 1
        assert at < 200
    assert at > 0
    a.audit()
