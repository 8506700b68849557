"""Samples of others, where ../shared/data/routing (or $COMITY_SHARED/data/routing) is present: each row is an event or a
reject with its reason, as a count by Python's own csv and ipaddress says. Nothing is sent: these runs are dry."""
import collections
import csv
import ipaddress
import json
import os
import pathlib

import pytest

from conftest import ROOT

DATA = pathlib.Path(os.environ.get("COMITY_SHARED", ROOT.parent / "shared")) / "data" / "routing"
TABLES = sorted((DATA / "shadowserver").glob("*.csv"))

pytestmark = pytest.mark.skipif(not TABLES, reason=f"no samples in {DATA}")

# The reports about who is attacked; in all others src_ip, or ip, is at fault.
ABOUT_TARGETS = {"event4_honeypot_ddos_target"}


def verdict(text):
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "address"
    return "event" if address.is_global and not address.is_multicast else "address-special"


def count_table(path):
    with open(path, newline="") as f:
        rows = list(csv.DictReader(f))
    columns = ["dst_ip"] if path.stem in ABOUT_TARGETS else ["src_ip", "ip"]
    column = next(c for c in columns if c in rows[0])
    return collections.Counter(verdict(row[column]) for row in rows)


def count_route(node, *words):
    rejects = node.dir.parent / "rejects"
    rejects.unlink(missing_ok=True)
    said = node.json("route", *words, "--dry-run", "--rejects", rejects, code=None)[-1]
    counts = collections.Counter()
    if rejects.exists():
        counts.update(json.loads(line)["code"] for line in rejects.read_text().splitlines())
    assert sum(counts.values()) == said["rejected"]
    counts["event"] = said["events"]
    return +counts


def test_tables(node):
    assert len(TABLES) == 46
    for path in TABLES:
        assert count_route(node, path) == count_table(path), path.name


@pytest.mark.parametrize("name, column", [("feeds/spamhaus/cert.txt", 0), ("ipsum/ipsum.txt", 0)])
def test_lists(node, name, column):
    with open(DATA / name, newline="") as f:
        rows = [line for line in f if line.strip() and line[0] not in "#;"]
    separator = "," if name.endswith("cert.txt") else "\t"
    want = collections.Counter(verdict(row.split(separator)[column]) for row in rows)
    assert count_route(node, DATA / name) == want


@pytest.mark.parametrize("name, want", [
    ("feeds/spamhaus/asndrop.txt", {"no-address": 2}),
    ("feeds/feodotracker/feodotracker.html", {"event": 2}),
    ("iodef/iodef-v2-minimal-rfc7970.xml", {"no-address": 1}),
    ("iodef/iodef-v2-bruteforce-own.xml", {"address-special": 1}),
])
def test_others(node, name, want):
    assert count_route(node, DATA / name) == want
