"""Reports in, notices out, every event counted once."""
import datetime
import gzip
import json
import subprocess

HEADER = ("timestamp,ip,protocol,port,hostname,tag,asn,geo,region,city,naics,sector,new_column\n")


def rows(*addresses, when="2026-11-01 10:00:00"):
    return HEADER + "".join(f'"{when}",{a},tcp,22,,ssh,0,XX,,,0,,kept\n' for a in addresses)


def scan(node, name, *addresses, **more):
    path = node.dir.parent / name
    path.write_text(rows(*addresses, **more))
    return str(path)


def summary(node, *words, code=0):
    return node.json("route", *words, code=code)[-1]


def test_counts_add_up_and_a_second_run_changes_nothing(node):
    report = scan(node, "2026-11-01-scan_ssh-test.csv", "5.44.1.1", "5.44.1.2", "5.45.1.1", "5.44.1.1", "9.9.9.9")
    first = summary(node, report)
    assert first["events"] == 5 and first["rejected"] == 0
    assert first["duplicates"] == 1 and first["unanswered"] == 1
    assert first["notices"] == 2
    notices = node.json("notice", "list")
    assert sorted((n["to"], n["events"]) for n in notices) == [("AS64500", 2), ("AS64501", 1)]
    size = [c["size"] for c in node.json("ledger", "show")]
    again = summary(node, report)
    assert again["duplicates"] == 5 and again["notices"] == 0
    assert [c["size"] for c in node.json("ledger", "show")] == size
    node.audit()


def test_a_dry_run_writes_nothing(node):
    before = [c["size"] for c in node.json("ledger", "show")]
    report = scan(node, "scan_ssh.csv", "5.44.1.1")
    assert summary(node, report, "--dry-run")["notices"] == 1
    assert [c["size"] for c in node.json("ledger", "show")] == before
    assert summary(node, report)["notices"] == 1


def test_formats_are_detected_through_compression(node):
    gz = node.dir.parent / "2026-11-01-scan_ssh-x.csv.gz"
    gz.write_bytes(gzip.compress(rows("5.44.2.1").encode()))
    assert summary(node, str(gz))["events"] == 1
    zst = node.dir.parent / "list.txt.zst"
    zst.write_bytes(subprocess.run(["zstd", "-q", "-c"], input=b"# comment\n5.44.2.2\t3\n2a00:1000::5\n", capture_output=True,
                                   check=True).stdout)
    assert summary(node, str(zst), "--date", "2026-11-01T00:00:00Z")["events"] == 2
    event = {"__type": "Event", "source.ip": "5.44.2.3", "source.port": 4000, "time.source": "2026-11-01T10:00:00+00:00",
             "classification.type": "brute-force", "extra.new": "kept"}
    lines = node.dir.parent / "events.jsonl"
    lines.write_text(json.dumps(event) + "\n")
    assert summary(node, str(lines))["events"] == 1
    classes = {n["class"] for n in node.json("notice", "list")}
    assert "intrusion-attempts/brute-force" in classes


def test_standard_input(node):
    words = ["route", "--json", "--from", "list", "--class", "scanner", "-"]
    rows = b"5.44.3.1\n5.44.3.2\n"
    p = node.run(*words, stdin=rows)
    undated = json.loads(p.stdout.decode().splitlines()[-1])
    assert undated["events"] == 2 and undated["thin"] == 2 and node.json("notice", "list") == []
    p = node.run(*words, "--date", "2026-11-01T00:00:00Z", stdin=rows)
    assert json.loads(p.stdout.decode().splitlines()[-1])["told"] == 2
    assert node.json("notice", "list")[0]["class"] == "information-gathering/scanner"


def test_rejected_rows_name_their_place_and_the_run_goes_on(node):
    path = node.dir.parent / "scan_ssh.csv"
    path.write_text(rows("5.44.1.1", "5.44.1.300", "10.0.0.1", "5.44.1.4")
                    + '"2026-11-01 10:00:00",5.44.1.5,tcp,22,,,,,,,,,a,one,too,many\n'
                    + '"2099-01-01 00:00:00",5.44.1.6,tcp,22,,,,,,,,,\n')
    result = summary(node, str(path))
    assert result["events"] == 2 and result["rejected"] == 4
    with open(result["rejects"]) as f:
        rejects = [json.loads(line) for line in f]
    assert [r["line"] for r in rejects] == [3, 4, 6, 7]
    assert [r["code"] for r in rejects] == ["address", "address-special", "csv", "time-future"]
    content = path.read_bytes()
    for r in rejects:
        assert r["offset"] == 0 or content[r["offset"] - 1:r["offset"]] == b"\n"


def test_content_classes_are_refused(node):
    lines = node.dir.parent / "events.jsonl"
    lines.write_text(json.dumps({"source.ip": "5.44.2.3", "time.source": "2026-11-01T10:00:00Z",
                                 "classification.type": "harmful-speech"}) + "\n")
    result = summary(node, str(lines))
    assert result["events"] == 0 and result["rejected"] == 1
    assert node.error("route", "--class", "copyright", str(lines), code=1) == "class-content"


def test_plans_explain_only_what_was_filed_before(node):
    node.run("party", "add", "scanner.example", "--role", "researcher", "--claim", "prefix 5.45.9.0/24")
    node.run("party", "approve", "scanner.example")
    early = scan(node, "scan_one.csv", "5.45.9.1", when="2026-11-01 10:00:00")
    node.run("plan", "file", "--from", "scanner.example", "--source", "5.45.9.0/24", "--start", "2026-10-01T00:00:00Z",
             "--end", "2026-12-31T00:00:00Z", "--purpose", "measurement")
    assert summary(node, early)["late"] == 1
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    now = scan(node, "2026-11-02-scan_ssh-two.csv", "5.45.9.2", "5.45.8.2", when=soon.strftime("%Y-%m-%d %H:%M:%S"))
    result = summary(node, now)
    assert result["explained"] == 1 and result["undeclared"] == 1
    then = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert node.json("plan", "match", "5.45.9.3", "--time", then)[0]["verdict"] == "spoofable"
    assert node.json("plan", "match", "5.45.9.3", "--time", then, "--handshake")[0]["verdict"] == "explained"
    (whose,) = node.json("plan", "whose", "5.45.9.3", "--at", then)
    assert whose["verdict"] == "spoofable" and whose["plans"][0]["proven_by"] == "operator"
    line = node.run("plan", "whose", "::ffff:5.45.9.3", "--at", then, "--handshake").stdout.decode()
    assert line.count("\n") == 1 and "is scanner.example's scan, by the operator's word, 2026-10-01T00:00:00Z to" in line
    assert "no plan covers it" in node.run("plan", "whose", "5.45.8.3", "--at", then).stdout.decode()
    assert node.error("plan", "whose", "5.45.8.3", "--transport", "tcpp", code=2) == "usage"


def test_the_evidence_is_every_row(node):
    report = scan(node, "2026-11-01-scan_ssh-test.csv", "5.44.1.1", "5.44.1.2", "5.44.1.3")
    summary(node, report)
    (notice,) = node.json("notice", "list")
    csv = node.text("notice", "show", notice["id"], "--as", "csv")
    assert all(a in csv for a in ("5.44.1.1", "5.44.1.2", "5.44.1.3")) and "kept" in csv
    xarf = [json.loads(line) for line in node.text("notice", "show", notice["id"], "--as", "xarf").splitlines()]
    assert sorted(x["source_identifier"] for x in xarf) == ["5.44.1.1", "5.44.1.2", "5.44.1.3"]
    assert all(x["xarf_version"].startswith("4.") for x in xarf)
    stix = json.loads(node.text("notice", "show", notice["id"], "--as", "stix"))
    assert stix["type"] == "bundle" and any(o["type"] == "observed-data" for o in stix["objects"])


def test_a_claimed_network_gets_its_notices_and_answers(node):
    node.run("party", "add", "net.example", "--claim", "AS64500", "--approve")
    summary(node, scan(node, "scan_ssh.csv", "5.44.1.1"))
    (notice,) = node.json("notice", "list", "--to", "net.example")
    assert node.error("answer", notice["id"], "accepted", "--from", "net.example") == "outcome"
    node.run("answer", notice["id"], "acknowledged", "--from", "net.example")
    node.run("answer", notice["id"], "fixed", "--from", "net.example", "--text", "reinstalled")
    assert node.error("answer", notice["id"], "acknowledged", "--from", "stranger.example") != "ok"
    (after,) = node.json("notice", "list")
    assert after["standing"] == "fixed" and after["answers"] == 2 and after["ended"]
    shown = node.text("notice", "show", notice["id"][:12])
    assert "reinstalled" in shown and "not admitting" in shown
    node.audit()
