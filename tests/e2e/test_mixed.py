"""A folder of mixed reports: however it is routed, each addressee, class and source has the same count in the end.

COMITY_MIXED_ROWS: how many rows (default 4000; tests/crash/soak takes a million). COMITY_MIXED_KILLS: how many times the
program is killed on the way (default 6). TEST_SEED: another course."""
import collections
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

import mixed
from conftest import COMITY, Node

ROWS = int(os.environ.get("COMITY_MIXED_ROWS", "4000"))
KILLS = int(os.environ.get("COMITY_MIXED_KILLS", "6"))
SEED = int(os.environ.get("TEST_SEED", "1"))


class World:
    """The reports, what is known of them, and a node that nothing was routed in."""

    def __init__(self, folder):
        self.folder, self.reports = folder, folder / "reports"
        self.counts, self.rows, self.files = mixed.make(self.reports, ROWS, SEED)
        self.fresh = Node(folder / "fresh")
        self.fresh.run("init", "node.example")
        self.fresh.build_territory()

    def node(self, name):
        shutil.copytree(self.fresh.dir, self.folder / name)
        return Node(self.folder / name)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("mixed"))


@pytest.fixture(scope="module")
def expected(world):
    """What one run over the whole folder comes to; held against what is known of the rows."""
    node = world.node("once")
    said = node.json("route", world.reports)
    files = [x for x in said if "file" in x]
    assert [x for x in files if x["code"] != "ok" or x["rejected"]] == [] and len(files) == world.files
    assert said[-1]["events"] == world.rows == sum(x["events"] for x in files)
    assert said[-1]["duplicates"] == world.rows - sum(world.counts.values())
    lines = sightings(node)
    by_source = collections.Counter()
    for (_, _, source, *_), (count, *_) in lines.items():
        by_source[source] += count
    assert by_source == world.counts
    check(node, world, lines)
    return lines


def sightings(node):
    """Addressee, class, source, port and malware of each line; its count, first and last."""
    lines = {}
    for x in node.json("sighting", "list"):
        key = (x["to"], x["class"], x["source"], x.get("port"), x.get("malware"))
        assert key not in lines
        lines[key] = (x["count"], x["first"], x["last"])
    return lines


def check(node, world, lines):
    """The same again changes nothing, the ledger is whole, and views made anew are the same bytes."""
    assert sightings(node) == lines
    again = node.json("route", world.reports)[-1]
    assert again["events"] == again["duplicates"] == world.rows and again["notices"] == 0
    assert sightings(node) == lines
    before = node.audit()
    shutil.rmtree(node.dir / "views")
    node.run("answer", "0" * 64, "fixed", code=1)  # opens the node for writing, and writes nothing
    after = node.audit()
    for name in ("views", "state", "public", "circle", "marks", "sightings", "sighting_events"):
        assert after[name] == before[name], name
    assert before["sighting_events"] == sum(world.counts.values())
    assert sightings(node) == lines


def route_and_kill(node, chance, whole, *words):
    """True: it was killed while it ran."""
    p = subprocess.Popen([str(COMITY), "route", *map(str, words)], env=node.env, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    try:
        p.wait(timeout=chance.uniform(0, whole))
        return False
    except subprocess.TimeoutExpired:
        p.send_signal(signal.SIGKILL)
        p.wait()
        return True


def test_in_one_run_and_again(world, expected):
    assert len({to for to, *_ in expected}) > 2 and len({c for _, c, *_ in expected}) > 5


def test_in_any_order_and_in_any_number_of_runs(world, expected):
    chance = random.Random(SEED)
    paths = sorted(world.reports.iterdir())
    for turn in range(2):
        node = world.node(f"order-{turn}")
        chance.shuffle(paths)
        left = list(paths)
        while left:
            n = chance.randrange(1, max(2, len(paths) // 4))
            node.run("route", *left[:n])
            left = left[n:]
        check(node, world, expected)
        shutil.rmtree(node.dir)


def test_killed_on_the_way(world, expected):
    chance = random.Random(SEED + 1)
    paths = sorted(world.reports.iterdir())
    node = world.node("killed")
    whole, killed, tries = 0.3, 0, 0
    while killed < KILLS and tries < 20 * KILLS:
        chance.shuffle(paths)
        began = time.monotonic()
        if route_and_kill(node, chance, whole, *paths[:chance.randrange(1, len(paths) + 1)]):
            killed += 1
        else:
            whole = max(0.02, time.monotonic() - began)
        tries += 1
    assert killed > 0
    node.run("route", world.reports)
    check(node, world, expected)


def test_through_a_watched_folder_and_killed_there(world, expected):
    chance = random.Random(SEED + 2)
    node = world.node("watched")
    inbox = world.folder / "inbox"
    inbox.mkdir()
    paths = sorted(world.reports.iterdir())
    chance.shuffle(paths)
    for turn in range(3):
        p = subprocess.Popen([str(COMITY), "route", "--watch", str(inbox)], env=node.env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(0.1)
        for path in paths[turn::3]:
            shutil.copy(path, inbox / path.name)
        time.sleep(chance.uniform(0, 0.4))
        p.kill()
        p.wait()
    node.run("route", "--watch", "--once", inbox)
    assert sorted(os.listdir(inbox)) == ["done", "failed"] and os.listdir(inbox / "failed") == []
    check(node, world, expected)
