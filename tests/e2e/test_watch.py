"""Folders of reports: routed as operands, and watched."""
import gzip
import json
import os

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
