"""How often sources were seen, how addressees want to be told, what waits: the commands, and the same counts whatever happens."""
import json
import shutil

import pytest

from conftest import Node

HEADER = "timestamp,protocol,src_ip,src_port,src_asn,dst_ip,dst_port,infection,tag"


def report(folder, day, rows, name="event4_honeypot_brute_force"):
    """rows: (time, source, source port)."""
    folder.mkdir(exist_ok=True)
    path = folder / f"2026-11-{day:02}-{name}-{len(list(folder.iterdir()))}.csv"
    lines = [f"2026-11-{day:02} {time},tcp,{source},{port},,198.51.100.1,22,,ssh" for time, source, port in rows]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def sightings(node, *options):
    return node.json("sighting", "list", *options)


def counts(node):
    return {(s["to"], s["class"], s["source"], s.get("port"), s.get("malware")): (s["count"], s["first"], s["last"])
            for s in sightings(node)}


@pytest.fixture
def seen(node, tmp_path):
    node.run("route", report(tmp_path / "in", 10, [
        ("10:00:00", "5.44.1.1", 4000), ("11:00:00", "5.44.1.1", 4001), ("12:00:00", "5.44.1.1", 4002),
        ("10:00:00", "5.44.9.9", 4000), ("10:00:00", "5.45.1.2", 4000), ("10:00:00", "9.9.9.9", 4000)]))
    return node


def test_sources_are_listed_and_chosen(seen):
    lines = sightings(seen)
    assert [(s["to"], s["source"], s["count"], s["times_told"], s["held"]) for s in lines] == [
        ("AS64500", "5.44.1.1", 3, 1, 0), ("AS64500", "5.44.9.9", 1, 1, 0), ("AS64501", "5.45.1.2", 1, 1, 0),
        (None, "9.9.9.9", 1, 0, 1)]
    assert lines[0]["class"] == "intrusion-attempts/brute-force"
    assert lines[0]["first"] == "2026-11-10T10:00:00.000Z" and lines[0]["last"] == "2026-11-10T12:00:00.000Z"
    assert lines[0]["told"] == lines[0]["last"] and lines[3]["told"] is None

    def sources(*options):
        return [s["source"] for s in sightings(seen, *options)]
    assert sources("--to", "AS64501") == ["5.45.1.2"]
    assert sources("--to", "all") == ["9.9.9.9"]
    assert sources("--to", "nobody.example") == []
    assert sources("--source", "5.44.0.0/15") == ["5.44.1.1", "5.44.9.9", "5.45.1.2"]
    assert sources("--source", "5.44.9.9") == ["5.44.9.9"]
    assert sources("--class", "scanner") == []
    assert sources("--since", "2026-11-10T11:30:00Z") == ["5.44.1.1"]
    assert sources("--top", "1") == ["5.44.1.1"]
    assert len(sources("--top", "100")) == 4
    text = seen.text("sighting", "list", "--to", "AS64500")
    assert "5.44.1.1" in text and "told 1" in text and len(text.splitlines()) == 2
    for wrong in (["--to", "no one"], ["--source", "5.44.9.9/8"], ["--top", "0"], ["--since", "yesterday"]):
        assert seen.run("sighting", "list", *wrong, code=None).returncode in (1, 2)


def test_repeats_are_counted_held_and_told_again(seen, tmp_path):
    folder = tmp_path / "in"

    def route(day, time):
        (summary,) = seen.json("route", report(folder, day, [(time, "5.44.1.1", 5000)]))[-1:]
        (line,) = sightings(seen, "--source", "5.44.1.1")
        return summary["notices"], line["count"], line["held"], line["times_told"], line["again"]
    assert route(10, "13:00:00") == (0, 4, 1, 1, 0)  # a repeat
    assert route(11, "11:00:00") == (0, 5, 2, 1, 0)
    assert route(11, "12:30:00") == (1, 6, 0, 2, 0)  # after the window
    assert route(20, "12:00:00") == (1, 7, 0, 3, 1)  # quiet for longer than seven days
    assert seen.audit()["sightings"] == 4


def test_directives_are_set_listed_and_cleared(node):
    (standard,) = node.json("directive", "list")
    assert standard == {"to": None, "interval": "0", "window": "1d", "quiet": "7d", "threshold": 1000, "by": "class",
                        "format": "stix", "need_port": False, "carrier_nat": False}
    (said,) = node.json("directive", "set", "AS64500", "--interval", "90m", "--by", "source", "--format", "csv",
                        "--need-port", "--carrier-nat", "--threshold", "0", "--quiet", "36h", "--window", "0")
    assert said == {"to": "AS64500", "interval": "90m", "window": "0", "quiet": "36h", "threshold": 0, "by": "source",
                    "format": "csv", "need_port": True, "carrier_nat": True}
    node.run("directive", "set", "country", "EE", "--by", "day")
    node.run("directive", "set", "--interval", "24h")
    assert [d["to"] for d in node.json("directive", "list")] == ["AS64500", "country EE", None]
    assert node.json("directive", "list")[2]["interval"] == "1d"
    assert "a round every 90m" in node.text("directive", "list")
    (said,) = node.json("directive", "set", "AS64500")  # the newest says all
    assert said == {**standard, "to": "AS64500"}
    for words in (["--interval", "3 days"], ["--by", "hour"], ["--format", "pdf"], ["--threshold", "-1"], ["AS0"],
                  ["--window", "4000d"]):
        assert node.error("directive", "set", *words, code=2) == "usage"
    before = node.audit()["views"]
    shutil.rmtree(node.dir / "views")
    assert node.audit()["views"] == before
    node.run("directive", "clear", "AS64500")
    node.run("directive", "clear", "country EE")
    node.run("directive", "clear")
    assert node.json("directive", "list") == [standard]


def test_rounds_wait(seen, tmp_path):
    assert seen.json("notice", "waiting") == []
    seen.run("directive", "set", "AS64501", "--interval", "24h", "--format", "csv")
    folder = tmp_path / "in"
    seen.run("route", report(folder, 12, [("10:00:00", "5.45.1.3", 1)]))  # the first round
    seen.run("route", report(folder, 12, [("10:00:00", "5.45.1.4", 1), ("10:01:00", "5.45.1.5", 1)]))
    (waits,) = seen.json("notice", "waiting")
    assert waits["to"] == "AS64501" and waits["events"] == 2 and not waits["is_due"] and waits["due"] > waits["since"]
    assert "AS64501" in seen.text("notice", "waiting")
    assert seen.audit()["waiting"] == 1
    notices = len(seen.json("notice", "list", "--to", "AS64501"))
    seen.run("directive", "clear", "AS64501")
    assert seen.json("notice", "waiting")[0]["is_due"]
    seen.run("route", report(folder, 12, [("10:00:00", "5.44.200.1", 1)]))  # any run sends what is due
    assert seen.json("notice", "waiting") == []
    assert len(seen.json("notice", "list", "--to", "AS64501")) == notices + 1
    assert seen.audit()["waiting"] == 0


def test_a_notice_is_shown_as_its_directive_says(seen):
    (notice,) = seen.json("notice", "list", "--to", "AS64501")
    assert json.loads(seen.text("notice", "show", notice["id"], "--as", "directed"))["type"] == "bundle"
    seen.run("directive", "set", "AS64501", "--format", "csv")
    assert seen.text("notice", "show", notice["id"], "--as", "directed") == \
        seen.text("notice", "show", notice["id"], "--as", "csv")


def test_any_order_any_rebuild_the_same_counts(tmp_path):
    """Reports that overlap, in two orders and twice over: the same counts, first and last; the views made again, the same
    bytes."""
    folder = tmp_path / "reports"
    days = [report(folder, day, [(f"{hour:02}:00:00", f"5.4{4 + (day + k) % 2}.1.{k}", 1000 + hour)
                                 for hour in range(0, 24, 5) for k in range(1, 30, day % 3 + 1)]) for day in range(1, 16)]
    found = []
    for i, order in enumerate((days, days[::-1], days[::2] + days[::-1])):
        node = Node(tmp_path / f"node{i}")
        node.run("init", "node.example")
        node.build_territory()
        for path in order:
            node.run("route", path)
        node.run("route", *order)
        found.append(counts(node))
        views = node.audit()["views"]
        shutil.rmtree(node.dir / "views")
        assert node.audit()["views"] == views
    assert found[0] == found[1] == found[2]
    assert sum(count for count, _, _ in found[0].values()) == sum(len(p.read_text().splitlines()) - 1 for p in days)
