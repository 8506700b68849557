"""Duplicates on two levels, as a user sees them: every event is in exactly one place, and told when it should be."""
import json
import random
import subprocess

PARTS = ("duplicates", "told", "held", "waiting", "thin", "unanswered")
HEADER = "timestamp,protocol,src_ip,src_port,dst_ip,dst_port,username\n"


def brute(folder, name, rows):
    """rows: (time, source, port, user)."""
    folder.mkdir(exist_ok=True)
    path = folder / f"event4_honeypot_brute_force-{name}.csv"
    path.write_text(HEADER + "".join(f"{time},tcp,{source},{port},192.0.2.1,22,{user}\n" for time, source, port, user in rows))
    return path


def route(node, *words):
    said = node.json("route", *words)
    summary, notices = said[-1], said[:-1]
    assert summary["events"] == sum(summary[p] for p in PARTS), summary
    assert summary["told"] + summary["released"] == sum(n["events"] for n in notices)
    assert summary["notices"] == len(notices)
    return summary


def place(summary):
    return {p: summary[p] for p in PARTS if summary[p] > 0}


def says(node, notice):
    lines = [line.split() for line in node.text("notice", "show", notice).splitlines()]
    return {w[0]: int(w[1]) for w in lines if len(w) == 2 and w[0] in ("repeats", "again")}


def test_first_at_once_then_held_then_told_again(node, tmp_path):
    first = brute(tmp_path, "1", [("2026-11-01 10:00:00", "5.44.1.1", 1000, "a"), ("2026-11-01 10:05:00", "5.44.1.1", 1001, "b")])
    assert place(route(node, first)) == {"told": 2}
    assert place(route(node, first)) == {"duplicates": 2}
    later = brute(tmp_path, "2", [("2026-11-01 20:00:00", "5.44.1.1", 1002, "a"), ("2026-11-01 20:00:00", "5.44.1.2", 1, "a")])
    assert place(route(node, later)) == {"told": 1, "held": 1}
    assert place(route(node, "--dry-run", brute(tmp_path, "3", [("2026-11-02 11:00:00", "5.44.1.1", 7, "c")]))) == {"told": 1}
    window = brute(tmp_path, "3", [("2026-11-02 11:00:00", "5.44.1.1", 7, "c")])
    assert place(route(node, window)) == {"told": 1}
    back = route(node, brute(tmp_path, "4", [("2026-11-10 11:00:00", "5.44.1.1", 8, "c")]))
    assert place(back) == {"told": 1} and back["again"] == 1
    (line,) = node.json("sighting", "list", "--source", "5.44.1.1")
    assert (line["count"], line["held"], line["times_told"], line["again"]) == (5, 0, 3, 1)
    told = node.json("notice", "list", "--to", "AS64500")
    assert sum(n["events"] for n in told) == 5
    assert [says(node, n["id"]) for n in told] == [{}, {}, {"repeats": 1}, {"again": 1}]
    node.audit()


def test_a_threshold_tells(node, tmp_path):
    node.run("directive", "set", "--threshold", "5")
    assert place(route(node, brute(tmp_path, "0", [("2026-11-01 10:00:00", "5.44.1.1", 1, "a")]))) == {"told": 1}
    rows = [(f"2026-11-01 11:00:0{k}", "5.44.1.1", 2, "a") for k in range(9)]
    assert place(route(node, brute(tmp_path, "1", rows[:4]))) == {"held": 4}
    assert place(route(node, brute(tmp_path, "2", rows[4:5]))) == {"told": 1}
    assert place(route(node, brute(tmp_path, "3", rows[5:]))) == {"held": 4}


def test_a_carrier_hears_of_each_event(node, tmp_path):
    node.run("directive", "set", "AS64500", "--carrier-nat")
    for minute in range(3):
        rows = [(f"2026-11-01 10:0{minute}:00", a, 4000 + minute, "u") for a in ("5.44.1.1", "5.45.1.1")]
        assert place(route(node, brute(tmp_path, str(minute), rows))) == ({"told": 2} if minute == 0 else {"told": 1, "held": 1})


def test_one_notice_for_each_source_or_day(node, tmp_path):
    node.run("directive", "set", "AS64500", "--by", "source")
    node.run("directive", "set", "AS64501", "--by", "day")
    rows = [(f"2026-11-0{day} 10:00:00", f"5.{net}.1.{k}", 1, "u") for day in (1, 2) for net in (44, 45) for k in (1, 2, 3)]
    assert route(node, brute(tmp_path, "x", rows))["notices"] == 5
    assert [n["events"] for n in node.json("notice", "list", "--to", "AS64500")] == [2, 2, 2]
    assert [n["events"] for n in node.json("notice", "list", "--to", "AS64501")] == [3, 3]
    csv = [node.text("notice", "show", n["id"], "--as", "csv") for n in node.json("notice", "list", "--to", "AS64500")]
    assert all(sum(f"5.44.1.{k}," in text for k in (1, 2, 3)) == 1 for text in csv)


def test_rounds_wait_until_they_are_due(node, tmp_path):
    node.run("directive", "set", "AS64500", "--interval", "1d")
    assert place(route(node, brute(tmp_path, "1", [("2026-11-01 10:00:00", "5.44.1.1", 1, "a")]))) == {"told": 1}
    rows = [("2026-11-01 11:00:00", f"5.44.1.{k}", 1, "a") for k in range(1, 5)]
    assert place(route(node, brute(tmp_path, "2", rows))) == {"held": 1, "waiting": 3}
    assert place(route(node, brute(tmp_path, "2", rows))) == {"duplicates": 4}
    assert place(route(node, brute(tmp_path, "3", [("2026-11-03 11:00:00", "5.44.1.1", 1, "a")]))) == {"waiting": 1}
    assert route(node, "--due")["notices"] == 0
    node.audit()
    node.run("directive", "set", "AS64500", "--interval", "0")
    due = route(node, "--due")
    assert due["notices"] == 1 and due["released"] == 4 and due["events"] == 0
    assert route(node, "--due")["notices"] == 0
    (notice,) = [n for n in node.json("notice", "list", "--to", "AS64500") if n["events"] == 4]
    csv = node.text("notice", "show", notice["id"], "--as", "csv")
    assert all(f"5.44.1.{k}," in csv for k in (1, 2, 3, 4))
    assert json.loads(node.text("notice", "show", notice["id"], "--as", "stix"))["type"] == "bundle"
    assert len(node.text("notice", "show", notice["id"], "--as", "xarf").splitlines()) == 4
    assert says(node, notice["id"]) == {"repeats": 1}
    assert node.error("route", "--due", "--dry-run", code=2) == "usage"
    assert node.error("route", "--due", str(tmp_path / "x"), code=2) == "usage"
    node.audit()


def listed(node):
    rows = []
    for path in sorted((node.dir / "unanswered").glob("*.jsonl.zst")):
        text = subprocess.run(["zstd", "-dc", str(path)], capture_output=True, check=True).stdout.decode()
        rows += [json.loads(line) for line in text.splitlines()]
    return rows


def test_what_says_too_little_is_listed_not_sent(node, tmp_path):
    undated = tmp_path / "list.txt"
    undated.write_text("5.44.1.1\n5.44.1.2\n9.9.9.9\n")
    assert place(route(node, undated)) == {"thin": 2, "unanswered": 1}
    assert node.json("notice", "list") == []
    assert sorted((r["address"], r.get("code")) for r in listed(node)) == [("5.44.1.1", "detail"), ("5.44.1.2", "detail"),
                                                                        ("9.9.9.9", None)]
    assert all("--date" in r["reason"] for r in listed(node) if "code" in r)
    assert place(route(node, undated)) == {"duplicates": 3}
    assert "give --date" in node.text("route", "--dry-run", "--class", "scanner", undated)
    assert place(route(node, undated, "--date", "2026-11-01T00:00:00Z")) == {"told": 2, "unanswered": 1}
    node.run("directive", "set", "AS64501", "--need-port")
    rows = [("2026-11-01 10:00:00", "5.45.1.1", "", "a"), ("2026-11-01 10:00:00", "5.45.1.2", 9, "a"),
            ("2026-11-01 10:00:00", "5.44.7.1", "", "a")]
    assert place(route(node, brute(tmp_path, "p", rows))) == {"told": 2, "thin": 1}
    scan = tmp_path / "scan_ssh.csv"  # about a service: without its port nobody can act
    scan.write_text("timestamp,ip,protocol,port\n2026-11-01 10:00:00,5.44.8.1,tcp,\n2026-11-01 10:00:00,5.44.8.1,tcp,22\n")
    assert place(route(node, scan)) == {"told": 1, "thin": 1}
    node.audit()


def counts(node):
    return [(s["to"], s["class"], s["source"], s.get("port"), s.get("malware"), s["count"], s["first"], s["last"])
            for s in node.json("sighting", "list")]


def test_every_event_is_in_one_place_whatever_the_order(node, tmp_path):
    """Random reports with doubles, routed in other orders and groups: the counts are those of the distinct rows."""
    chance = random.Random(7)
    paths, distinct = [], set()
    for name in range(6):
        rows = [(f"2026-11-{chance.randrange(1, 20):02} {chance.randrange(24):02}:00:00",
                 f"{chance.choice(('5.44', '5.44', '5.45', '9.9'))}.1.{chance.randrange(40)}", chance.randrange(1, 4),
                 chance.choice("ab")) for _ in range(400)]
        paths.append(brute(tmp_path / "in", str(name), rows))
        distinct.update(rows)
    found = []
    for turn in range(3):
        other = type(node)(tmp_path / f"node{turn}")
        other.run("init", "node.example")
        other.build_territory()
        if turn == 2:
            other.run("directive", "set", "AS64501", "--interval", "1d", "--by", "source")
        chance.shuffle(paths)
        at, total = 0, dict.fromkeys(PARTS, 0)
        while at < len(paths):
            n = chance.randrange(1, 4)
            summary = route(other, *paths[at:at + n])
            total = {p: total[p] + summary[p] for p in PARTS}
            at += n
        assert sum(total.values()) == 2400 and total["thin"] == 0
        assert sum(s["count"] for s in other.json("sighting", "list")) == len(distinct)
        assert sum(total.values()) - total["duplicates"] == len(distinct)
        other.audit()
        found.append(counts(other))
    assert found[0] == found[1] == found[2]


def test_a_sender_that_changes_its_columns_is_noticed(node, tmp_path):
    def send(day, header, row):
        path = tmp_path / f"2026-11-{day:02}-scan_ssh-x.csv"
        path.write_text(f"{header}\n2026-11-{day:02} 10:00:00,{row}\n")
        return [x for x in node.json("route", path) if "columns_of" in x]
    assert send(1, "timestamp,ip,port,hostname,tag", "5.44.1.1,22,h,t") == []
    assert send(2, "timestamp,ip,port,hostname,tag", "5.44.1.1,22,h,t") == []
    (change,) = send(3, "timestamp,ip,port,shiny,tag,asn", "5.44.1.1,22,h,t,1")
    assert change["columns_of"] == "scan_ssh" and change["changed"] and change["columns"] == 6 and change["unknown"] == 1
    assert change["renamed"] == [{"from": "hostname", "to": "shiny"}] and change["added"] == ["asn"]
    assert change["removed"] == [] and change["moved"] == [] and change["since"]
    (same,) = send(4, "timestamp,ip,port,shiny,tag,asn", "5.44.1.1,22,h,t,1")
    assert not same["changed"] and same["unknown"] == 1
    path = tmp_path / "2026-11-05-scan_ssh-x.csv"
    path.write_text("ip,port,timestamp\n5.44.1.1,22,2026-11-05 10:00:00\n")
    assert "removed shiny, tag, asn; moved timestamp" in node.text("route", "--dry-run", path)
    assert "removed shiny, tag, asn" in node.text("route", path)  # a dry run kept nothing
    assert "changed" not in node.text("route", path)
    node.audit()
