"""Folders of reports: routed as operands, and watched."""
import gzip
import json
import os
import random
import signal
import subprocess
import tempfile
import time

import pytest

from conftest import COMITY, TIMEOUT

HEADER = "timestamp,ip,protocol,port,hostname,tag,asn,geo\n"


def rows(*addresses):
    return HEADER + "".join(f'"2026-11-01 10:00:00",{a},tcp,22,,ssh,,\n' for a in addresses)


def fill(folder):
    """Reports, and whatever else lies in such a folder. Gives what becomes of each."""
    (folder / "sub" / "deeper").mkdir(parents=True)
    (folder / "scan_ssh.csv").write_text(rows("5.44.1.1", "5.44.1.2"))
    (folder / "sub" / "list.txt").write_text("5.45.1.1\n5.45.1.300\n")
    (folder / "sub" / "deeper" / "scan_ntp.csv.gz").write_bytes(gzip.compress(rows("5.44.1.3").encode()))
    (folder / "junk.txt").write_text("nothing here\n")
    (folder / "empty").write_text("")
    (folder / "cut.csv.gz").write_bytes(gzip.compress(rows("5.44.1.4").encode())[:-9])
    (folder / "link.csv").symlink_to(folder / "scan_ssh.csv")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    for name in (".hidden", "half.csv.part", "half.tmp", "half.crdownload", "half.csv~", "scan_ssh.csv.reason"):
        (folder / name).write_text(rows("5.44.9.9"))
    return {"scan_ssh.csv": ("routed", "ok", 2), "sub/list.txt": ("routed", "ok", 1),
            "sub/deeper/scan_ntp.csv.gz": ("routed", "ok", 1), "junk.txt": ("set aside", "format-unknown", 0),
            "empty": ("set aside", "empty", 0), "cut.csv.gz": ("set aside", "compression", 1),
            "link.csv": ("set aside", "symlink", 0), "loop": ("set aside", "symlink", 0),
            "pipe": ("set aside", "format-unknown", 0),
            **{name: ("passed over", "ok", 0) for name in (".hidden", "half.csv.part", "half.tmp", "half.crdownload",
                                                          "half.csv~", "scan_ssh.csv.reason")}}


def test_one_bad_file_of_a_folder_does_not_stop_the_others(node, tmp_path):
    folder = tmp_path / "in"
    expected = fill(folder)
    said = node.json("route", folder, code=1)
    files = {os.path.relpath(x["file"], folder): (x["result"], x["code"], x["events"]) for x in said if "file" in x}
    assert files == expected
    assert said[-1]["events"] == 5 and said[-1]["rejected"] == 1 and said[-1]["notices"] > 0
    order = [x["file"] for x in said if x.get("result") == "routed" or x.get("code") in ("empty", "compression")]
    assert order == sorted(order)
    again = node.json("route", f"{folder}/", code=1)[-1]
    assert again["duplicates"] == again["events"] == 5 and again["notices"] == 0
    text = node.run("route", folder, code=1).stdout.decode()
    assert "set aside" in text and "symlink" in text and "hidden" in text
    node.audit()


def test_a_folder_beside_files_and_a_link_named_by_hand(node, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "scan_ssh.csv").write_text(rows("5.44.1.1"))
    (tmp_path / "real.csv").write_text(rows("5.44.1.2"))
    (tmp_path / "scan_link.csv").symlink_to(tmp_path / "real.csv")
    (tmp_path / "folder-link").symlink_to(folder)
    assert node.json("route", tmp_path / "folder-link", tmp_path / "scan_link.csv")[-1]["events"] == 2


def test_a_folder_without_reports_says_so(node, tmp_path):
    assert node.error("route", tmp_path / "missing") == "not-found"
    (tmp_path / "in").mkdir()
    assert node.error("route", tmp_path / "in") == "empty"


def test_folders_too_deep_are_named(node, tmp_path):
    deep = tmp_path / "in"
    for _ in range(20):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "scan_ssh.csv").write_text(rows("5.44.1.2"))
    (tmp_path / "in" / "scan_ssh.csv").write_text(rows("5.44.1.1"))
    said = node.json("route", tmp_path / "in", code=1)
    assert [x["code"] for x in said if "file" in x] == ["depth", "ok"] and said[-1]["events"] == 1


def test_a_maildir_gives_its_mails_and_nothing_else(node, tmp_path):
    box = tmp_path / "Maildir"
    for name in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        (box / name).mkdir(parents=True)
        (box / name / "scan_ssh.csv").write_text(rows(f"5.44.1.{len(name)}"))
    (box / "dovecot-uidlist").write_text("3 V1 N2\n")
    said = node.json("route", box)
    assert [os.path.relpath(x["file"], box) for x in said if "file" in x] == ["cur/scan_ssh.csv", "new/scan_ssh.csv"]


# ---- watched ----

class Watch:
    """A watch that runs, and what it has said so far."""

    def __init__(self, node, folder, *words):
        self.folder, self.node = folder, node
        self.log = tempfile.TemporaryFile("w+b")
        self.process = subprocess.Popen([str(COMITY), "route", "--watch", str(folder), "--json", "--date",
                                         "2026-11-01T00:00:00Z", *words], env=node.env, stdout=self.log,
                                        stderr=subprocess.PIPE)
        self.until("its start", self.listens)

    def listens(self):
        folder = f"/proc/{self.process.pid}/fd"
        try:
            return any("inotify" in os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder))
        except FileNotFoundError:
            return False  # one was closed meanwhile

    def said(self):
        self.log.seek(0)
        text = self.log.read().decode()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def until(self, what, condition):
        end = time.monotonic() + TIMEOUT
        while not condition():
            assert self.process.poll() is None, self.process.stderr.read().decode()
            assert time.monotonic() < end, f"{what}: never seen; said {self.said()}"
            time.sleep(0.02)

    def until_said(self, **members):
        def seen():
            return any(all(x.get(k) == v for k, v in members.items()) for x in self.said())
        self.until(members, seen)

    def until_there(self, *names):
        self.until(names, lambda: all((self.folder / n).exists() for n in names))

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self.process.stderr.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def put(folder, name, content):
    """As a careful program does: written elsewhere, moved in whole."""
    outside = folder.parent / f"outside-{name}"
    outside.write_text(content)
    outside.rename(folder / name)


def reason(path):
    text = path.with_name(path.name + ".reason").read_text()
    assert text.endswith("\n") and text.count("\n") == 1
    return json.loads(text)


def events_in_notices(node):
    return sum(n["events"] for n in node.json("notice", "list"))


def test_files_are_done_or_failed_each_with_its_reason(node, inbox):
    put(inbox, "scan_early.csv", rows("5.44.1.1"))
    with Watch(node, inbox) as watch:
        watch.until_there("done/scan_early.csv")
        put(inbox, "scan_ssh.csv", rows("5.44.1.2", "5.44.1.3", "5.44.1.300"))
        put(inbox, "junk.txt", "nothing here\n")
        put(inbox, "special.txt", "10.0.0.1\n192.168.0.1\n")
        (inbox / "closed.txt").write_text("5.45.1.1\n")
        watch.until_there("done/scan_ssh.csv", "failed/junk.txt", "failed/special.txt", "done/closed.txt")
        watch.until_said(file=str(inbox / "junk.txt"), result="failed", code="format-unknown")
        assert watch.end() == 0
        runs = [x for x in watch.said() if "run" in x]
        assert sum(r["events"] for r in runs) == 4 and sum(r["rejected"] for r in runs) == 3
        assert sum(r["done"] for r in runs) == 3 and sum(r["failed"] for r in runs) == 2
    assert sorted(os.listdir(inbox)) == ["done", "failed"]
    good = reason(inbox / "done" / "scan_ssh.csv")
    assert (good["file"], good["code"], good["events"], good["rejected"]) == ("scan_ssh.csv", "ok", 2, 1)
    assert json.loads(open(good["rejects"]).readline())["code"] == "address" and good["time"].endswith("Z")
    bad = reason(inbox / "failed" / "junk.txt")
    assert bad["code"] == "format-unknown" and bad["advice"] and bad["detail"] and bad["events"] == 0
    special = reason(inbox / "failed" / "special.txt")
    assert special["code"] == "address-special" and special["rejected"] == 2
    assert events_in_notices(node) == 4
    node.audit()


def test_other_commands_write_while_a_watch_waits(node, inbox):
    with Watch(node, inbox) as watch:
        put(inbox, "a.txt", "5.45.1.1\n")
        watch.until_said(run=1)
        node.run("party", "add", "net.example", "--claim", "AS64501", "--approve")
        put(inbox, "b.txt", "5.45.1.2\n")
        watch.until_said(run=2)
        assert watch.end(signal.SIGINT) == 0
    assert sorted(n["to"] for n in node.json("notice", "list")) == ["AS64501", "net.example"]


def test_a_taken_name_gets_a_number(node, inbox):
    with Watch(node, inbox) as watch:
        for n in range(3):
            put(inbox, "list.txt", f"5.44.1.{n}\n")
            watch.until_said(run=n + 1)
        assert watch.end() == 0
    assert sorted(os.listdir(inbox / "done")) == ["list.txt", "list.txt.1", "list.txt.1.reason", "list.txt.2",
                                                  "list.txt.2.reason", "list.txt.reason"]
    for n, name in enumerate(("list.txt", "list.txt.1", "list.txt.2")):
        assert (inbox / "done" / name).read_text() == f"5.44.1.{n}\n" and reason(inbox / "done" / name)["events"] == 1


def test_once_takes_what_is_there_and_ends(node, inbox):
    assert node.json("route", "--watch", "--once", inbox) == []
    put(inbox, "list.txt", "5.44.1.1\n")
    (inbox / "scan_late.csv").write_text(rows("5.44.1.2"))
    (inbox / "half.csv.part").write_text(rows("5.44.1.3"))
    assert node.json("route", "--watch", "--once", inbox)[-1]["events"] == 2
    assert sorted(os.listdir(inbox)) == ["done", "failed", "half.csv.part"]
    put(inbox, "empty.txt", "")
    assert node.json("route", "--watch", "--once", inbox, code=1)[-1]["failed"] == 1


def test_what_is_no_report_is_told_once_and_left(node, inbox, tmp_path):
    (tmp_path / "secret.csv").write_text(rows("5.44.1.9"))
    (inbox / "link.csv").symlink_to(tmp_path / "secret.csv")
    (inbox / "folder").mkdir()
    os.mkfifo(inbox / "pipe")
    with Watch(node, inbox) as watch:
        for n in range(2):
            put(inbox, f"{n}.txt", f"5.44.1.{n}\n")
            watch.until_there(f"done/{n}.txt")
        watch.until_said(run=2)
        assert watch.end() == 0
        left = {os.path.basename(x["file"]): x["code"] for x in watch.said() if x.get("result") == "left"}
        assert left == {"link.csv": "symlink", "pipe": "format-unknown", "folder": "ok"}
        assert len([x for x in watch.said() if x.get("result") == "left"]) == 3
    assert (inbox / "link.csv").is_symlink() and events_in_notices(node) == 2


def test_a_file_that_is_still_written_is_left_until_it_is_closed(node, inbox):
    half = rows("5.44.1.1", "5.44.1.2")
    with Watch(node, inbox) as watch:
        with open(inbox / "scan_slow.csv", "w") as f:
            f.write(half[:-20])
            f.flush()
            put(inbox, "other.txt", "5.44.2.1\n")
            watch.until_there("done/other.txt")
            assert (inbox / "scan_slow.csv").exists()
            f.write(half[-20:])
        watch.until_there("done/scan_slow.csv")
        assert watch.end() == 0
    assert reason(inbox / "done" / "scan_slow.csv")["events"] == 2 and events_in_notices(node) == 3


def test_a_file_held_open_is_not_taken_for_complete(node, inbox):
    path = inbox / "scan_held.csv"
    with open(path, "w") as f:
        f.write(rows("5.44.1.1"))
        f.flush()
        os.utime(path, (1, 1))  # so long ago that it would pass for settled
        said = node.json("route", "--watch", "--once", inbox)
        assert [(x["result"], x["code"]) for x in said] == [("left", "growing")]
        f.write('"2026-11-01 10:00:00",5.44.1.2,tcp,22,,ssh,,\n')
    assert node.json("route", "--watch", "--once", inbox)[-1]["events"] == 2


def test_a_name_replaced_again_and_again_loses_nothing(node, inbox):
    """The same name over and over, faster than runs follow: each content is either routed and moved, or still there when
    it is replaced by another that its writer put there instead."""
    with Watch(node, inbox) as watch:
        last = None
        for n in range(60):
            last = f"5.44.{n}.1\n"
            put(inbox, "latest.txt", last)
            time.sleep(0.005)
        watch.until("the last one", lambda: not (inbox / "latest.txt").exists())
        watch.until("its end", lambda: any(p.read_text() == last for p in (inbox / "done").glob("latest.txt*")))
        time.sleep(0.1)
        assert watch.end() == 0
    moved = {p.read_text().strip() for p in (inbox / "done").iterdir() if not p.name.endswith(".reason")}
    text = "".join(node.text("notice", "show", n["id"], "--as", "csv") for n in node.json("notice", "list"))
    assert moved and all(f"{address}" in text for address in moved)
    assert not [p for p in (inbox / "done").iterdir()
                if not p.name.endswith(".reason") and not p.with_name(p.name + ".reason").exists()]


def test_killed_at_any_moment_every_event_counts_once(node, inbox):
    chance = random.Random(7)
    for n in range(6):
        with Watch(node, inbox) as watch:
            for k in range(4):
                put(inbox, f"scan_{n}_{k}.csv", rows(*(f"5.44.{n * 4 + k}.{i}" for i in range(1, 200))))
            time.sleep(chance.uniform(0, 0.15))
            watch.process.kill()
    node.run("route", "--watch", "--once", inbox)
    assert sorted(os.listdir(inbox)) == ["done", "failed"] and not os.listdir(inbox / "failed")
    assert len([p for p in (inbox / "done").iterdir() if not p.name.endswith(".reason")]) == 24
    assert events_in_notices(node) == 24 * 199
    node.audit()


def test_a_watch_ends_when_its_folder_is_gone(node, inbox):
    with Watch(node, inbox) as watch:
        put(inbox, "list.txt", "5.44.1.1\n")
        watch.until_said(run=1)
        inbox.rename(inbox.parent / "elsewhere")
        assert watch.process.wait(timeout=60) == 1
        assert json.loads(watch.process.stderr.read())["error"] == "not-found"


def test_more_files_than_the_kernel_tells_of(node, inbox):
    """The queue of events overflows while the watch is stopped; what lies there counts."""
    limit = int(open("/proc/sys/fs/inotify/max_queued_events").read())
    if limit > 50000:
        pytest.skip(f"the queue holds {limit} events")
    with Watch(node, inbox) as watch:
        put(inbox, "first.txt", "5.44.1.1\n")
        watch.until_said(run=1)
        watch.process.send_signal(signal.SIGSTOP)
        extra = inbox.parent / "extra"
        extra.write_text("")
        for n in range(limit // 2 + 10):
            os.rename(extra, inbox / f"{n}.part")
            os.rename(inbox / f"{n}.part", extra)
            os.link(extra, inbox / "x.part")
            os.unlink(inbox / "x.part")
        put(inbox, "late.txt", "5.44.1.2\n")
        watch.process.send_signal(signal.SIGCONT)
        watch.until_there("done/late.txt")
        assert watch.end() == 0


def test_a_watched_maildir_keeps_the_rules_of_maildirs(node, tmp_path):
    box = tmp_path / "Maildir"
    for name in ("cur", "new", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "cur" / "1.seen.host:2,S").write_text(rows("5.44.9.9"))
    (box / "tmp" / "2.half.host").write_text(rows("5.44.9.8"))
    with Watch(node, box) as watch:
        for name, text in (("3.good.host", rows("5.44.1.1")), ("4.bad.host", "nothing here\n")):
            (box / "tmp" / name).write_text(text)
            (box / "tmp" / name).rename(box / "new" / name)
        (box / "tmp" / "5.linked.host").write_text(rows("5.44.1.2"))
        os.link(box / "tmp" / "5.linked.host", box / "new" / "5.linked.host")
        os.unlink(box / "tmp" / "5.linked.host")
        watch.until_there("cur/3.good.host:2,S", "cur/4.bad.host:2,FS", "cur/5.linked.host:2,S")
        watch.until_said(file=str(box / "new" / "5.linked.host"), result="done")
        assert watch.end() == 0
    assert not os.listdir(box / "new") and os.listdir(box / "tmp") == ["2.half.host"]
    reasons = {r["file"]: r["code"] for r in map(json.loads, open(box / "comity-reasons.jsonl"))}
    assert reasons == {"3.good.host": "ok", "4.bad.host": "format-unknown", "5.linked.host": "ok"}
    assert events_in_notices(node) == 2


def test_a_watch_refuses_what_does_not_go_with_it(node, inbox, tmp_path):
    assert node.error("route", "--watch", tmp_path / "missing") == "not-found"
    assert node.error("route", "--watch", inbox, inbox, code=2) == "usage"
    assert node.error("route", "--watch", "--dry-run", inbox, code=2) == "usage"
    assert node.error("route", "--once", inbox, code=2) == "usage"
    assert node.error("route", "--watch", "--class", "copyright", inbox) == "class-content"
    (inbox / "done").symlink_to(tmp_path)
    assert node.error("route", "--watch", "--once", inbox) == "symlink"
