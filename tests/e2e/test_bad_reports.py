"""Bad reports, each kind with its own code: what can be read of them counts, nothing is lost, memory stays bounded."""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import zlib

import pytest

import mixed
from conftest import COMITY

MEMORY = 300 << 20
SCAN = "timestamp,ip,protocol,port,hostname,tag,asn,geo\n"


def row(address, when="2026-11-01 10:00:00"):
    return f'"{when}",{address},tcp,22,,ssh,,\n'


def route(node, path, *words, code=0):
    """The summary, and of each rejected row line and code."""
    said = node.json("route", path, *words, code=code)[-1]
    if said["rejects"] is None:
        return said, []
    with open(said["rejects"]) as f:
        return said, [(r["line"], r["code"]) for r in map(json.loads, f)]


def codes(node, path, *words, code=0):
    return [why for _, why in route(node, path, *words, code=code)[1]]


def event(address, **members):
    return {"source.ip": address, "classification.type": "scanner", "time.source": "2026-11-01T10:00:00Z", **members}


def observed(node):
    """The times of all events by their address, as the evidence shows them."""
    times = {}
    for notice in node.json("notice", "list"):
        objects = json.loads(node.text("notice", "show", notice["id"], "--as", "stix"))["objects"]
        names = {o["id"]: o["value"] for o in objects if o["type"].startswith("ipv")}
        for o in objects:
            for ref in o.get("object_refs", []) if o["type"] == "observed-data" else []:
                if ref in names:
                    times[names[ref]] = o["first_observed"]
    return times


# What a process takes at most is counted from its fork on, so it must not be the child of these tests, which are greater.
MEASURE = """import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, file=sys.stderr)
sys.exit(code)"""


def run_within(node, *words):
    """Routes. Gives the exit code, what was said, the error, and the most memory that it took."""
    p = subprocess.run([sys.executable, "-c", MEASURE, str(COMITY), "route", "--json", *map(str, words)], env=node.env,
                       capture_output=True)
    *error, memory = p.stderr.splitlines()
    return p.returncode, [json.loads(x) for x in p.stdout.splitlines()], b"\n".join(error), int(memory)


# ---- sizes ----

@pytest.fixture
def holes(tmp_path):
    """A folder for files that are mostly holes. In memory nothing at all is kept of them, on a disk their pages are."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield pathlib.Path(folder)


@pytest.mark.parametrize("name, gigabytes, head, before, after", [
    ("scan_ssh.csv", 10, SCAN, row("5.44.1.1"), row("5.44.1.2")),
    ("list.txt", 10, "", "5.44.1.1\n", "5.44.1.2\n"),
    ("events.jsonl", 10, "", '{"ip":"5.44.1.1"}\n', '{"ip":"5.44.1.2"}\n'),
], ids=["table", "list", "json"])
def test_a_line_of_ten_gigabytes_costs_itself_alone(node, holes, name, gigabytes, head, before, after):
    path = holes / name
    with open(path, "wb") as f:
        f.write((head + before).encode())
        f.seek(gigabytes << 30, os.SEEK_CUR)
        f.write(b"\n" + after.encode())
    code, said, _, memory = run_within(node, path)
    assert code == 0 and said[-1]["events"] == 2 and said[-1]["rejected"] == 1
    assert memory < MEMORY
    (reject,) = [json.loads(x) for x in open(said[-1]["rejects"])]
    assert reject["code"] == "too-long" and len(reject["row"]) < 10000


def test_a_row_that_repeats_itself_costs_no_memory(node):
    path = node.dir.parent / "scan_ssh.csv"
    path.write_text(SCAN + row("5.44.1.1") * 2000000)
    code, said, _, memory = run_within(node, path)
    assert code == 0 and memory < MEMORY
    assert said[-1]["events"] == 2000000 and said[-1]["duplicates"] == 1999999 and said[-1]["told"] == 1


# ---- JSON ----

def test_json_nested_ten_thousand_deep_is_one_reject(node):
    path = node.dir.parent / "events.jsonl"
    deep = "[" * 10000 + "]" * 10000
    path.write_text(json.dumps(event("5.44.1.1")) + "\n" + '{"source.ip":"5.44.1.9","extra":' + deep + "}\n"
                    + '{"source.ip":"5.44.1.9","extra":' + '{"a":' * 10000 + "1" + "}" * 10001 + "\n"
                    + json.dumps(event("5.44.1.2")) + "\n")
    said, rejects = route(node, path)
    assert said["events"] == 2 and rejects == [(2, "depth"), (3, "depth")]


def test_a_key_given_twice_is_refused(node):
    path = node.dir.parent / "events.jsonl"
    path.write_text(json.dumps(event("5.44.1.1")) + "\n"
                    + '{"source.ip":"5.44.1.9","source.ip":"5.45.1.9","time.source":"2026-11-01T10:00:00Z"}\n'
                    + '{"source":{"ip":"5.44.1.9"},"source":{"ip":"5.45.1.9"},"time":{"source":"2026-11-01T10:00:00Z"}}\n'
                    + '{"source":{"ip":"5.44.1.9"},"source.ip":"5.45.1.9","time.source":"2026-11-01T10:00:00Z"}\n')
    said, rejects = route(node, path)
    assert said["events"] == 1 and rejects == [(2, "duplicate-key"), (3, "duplicate-key"), (4, "duplicate-key")]


@pytest.mark.parametrize("text", ['{"source.ip":"5.44.1.9"', '{"source.ip":"5.44.1.9"}}', '{"source.ip":"5.44.1.9",}',
                                  '{"source.ip":"5.44.1.9","x":NaN}', '{"source.ip":"5.44.1.9","x":"\\ud800"}',
                                  '{"source.ip":"5.44.1.9","x":\'a\'}', '{"source.ip":"5.44.1.9" /* */}'])
def test_what_is_no_json_is_refused(node, text):
    path = node.dir.parent / "events.jsonl"
    path.write_text(json.dumps(event("5.44.1.1")) + "\n" + text + "\n")
    said, rejects = route(node, path)
    assert said["events"] == 1 and rejects == [(2, "json")]


# ---- times ----

GOOD_TIMES = {
    "2026-11-01T10:00:00Z": "2026-11-01T10:00:00Z",
    "2026-11-01t10:00:00z": "2026-11-01T10:00:00Z",
    "2026-11-01 10:00:00": "2026-11-01T10:00:00Z",
    "2026-11-01 10:00:00Z": "2026-11-01T10:00:00Z",
    "2026-11-01T12:00:00+02:00": "2026-11-01T10:00:00Z",
    "2026-11-01T12:00:00+0200": "2026-11-01T10:00:00Z",
    "2026-11-01T00:15:00-09:45": "2026-11-01T10:00:00Z",
    "2026-11-01T10:00:00.5Z": "2026-11-01T10:00:00.500Z",
    "2026-11-01T10:00:00.123456789Z": "2026-11-01T10:00:00.123Z",
    "2026-11-01T10:00:00.123456+00:00": "2026-11-01T10:00:00.123Z",
    "2024-02-29T23:59:59Z": "2024-02-29T23:59:59Z",
    "2000-01-01T00:00:00Z": "2000-01-01T00:00:00Z",
    "1793527200": "2026-11-01T10:00:00Z",
    "1793527200.25": "2026-11-01T10:00:00.250Z",
    "1793527200250": "2026-11-01T10:00:00.250Z",
    1793527200: "2026-11-01T10:00:00Z",
}
BAD_TIMES = {
    "2026-13-01T10:00:00Z": "time", "2026-00-01T10:00:00Z": "time", "2026-11-31T10:00:00Z": "time",
    "2023-02-29T10:00:00Z": "time", "1900-02-29T10:00:00Z": "time", "2026-11-01T24:00:00Z": "time",
    "2026-11-01T10:60:00Z": "time", "2026-11-01T10:00:61Z": "time", "2026-11-01T10:00:00+25:00": "time",
    "2026-11-01T10:00:00": "time", "2026-11-01": "time", "01/11/2026 10:00:00": "time", "11/01/2026": "time",
    "1.11.2026 10:00": "time", "26-11-01 10:00:00": "time", "2026-11-1 10:00:00": "time",
    "Sun, 01 Nov 2026 10:00:00 +0000": "time", "Nov  1 10:00:00": "time", "20261101T100000Z": "time", "2026-W44-7": "time",
    "yesterday": "time", "": "time", "-1793527200": "time", "1e9": "time", "0x6ae5d5a0": "time",
    "٢٠٢٦-١١-٠١T10:00:00Z": "time", "2026-11-01T10:00:00Z; DROP": "time", "99999999999999999999": "time",
    "1970-01-01T00:00:00Z": "time", "0": "time", "1999-12-31T23:59:59Z": "time",
    "2099-01-01T00:00:00Z": "time-future", "9999-12-31T23:59:59Z": "time-future", "99999999999": "time-future",
}


def test_times_of_every_kind(node):
    path = node.dir.parent / "events.jsonl"
    good = {f"5.44.1.{n}": (text, value) for n, (text, value) in enumerate(GOOD_TIMES.items(), 1)}
    path.write_text("".join(json.dumps(event(a, **{"time.source": text})) + "\n" for a, (text, _) in good.items())
                    + "".join(json.dumps(event("5.44.2.1", **{"time.source": t})) + "\n" for t in BAD_TIMES))
    said, rejects = route(node, path)
    assert [(line, why) for line, why in rejects] == list(enumerate(BAD_TIMES.values(), len(GOOD_TIMES) + 1))
    assert said["events"] == len(GOOD_TIMES)
    seen = observed(node)
    without_fraction = {a: t.replace(".000Z", "Z") for a, t in seen.items()}
    assert without_fraction == {a: value for a, (_, value) in good.items()}


def test_times_in_tables(node):
    path = node.dir.parent / "scan_ssh.csv"
    times = {"2026-11-01 10:00:00": None, "2026-11-01T10:00:00Z": None, "": "time", "2026-11-01": "time",
             "2026-02-30 10:00:00": "time", "2026-11-01 10:00": "time", "2099-11-01 10:00:00": "time-future"}
    path.write_text(SCAN + "".join(row(f"5.44.1.{n}", t) for n, t in enumerate(times)))
    assert route(node, path)[1] == [(n, why) for n, why in enumerate(times.values(), 2) if why]


# ---- addresses ----

def test_prefixes_with_host_bits_and_other_spellings(node):
    path = node.dir.parent / "list.txt"
    bad = {"5.44.1.1/24": "prefix", "5.44.1.0/33": "prefix", "5.44.1.0/": "prefix", "5.44.1.0/-1": "prefix",
           "5.44.1.0/024": "prefix", "5.44.1.0/255.255.255.0": "prefix", "2a00:1000::1/32": "prefix",
           "2a00:1000::/129": "prefix", "5.44.1.1-5.44.1.9": "prefix", "5.44.1.9-5.44.1.1": "prefix",
           "5.44.1.256": "address", "5.44.1": "address", "5.44.1.1.1": "address", "2a00:1000:::1": "address",
           "0x5.44.1.1": "address", "5.44.1.1:80": "address", "２.44.1.1": "address", "10.1.2.3": "address-special",
           "127.0.0.1": "address-special", "::1": "address-special", "fe80::1": "address-special",
           "255.255.255.255": "address-special", "10.0.0.0/8": "address-special"}
    good = ["5.44.1.0/24", "5.44.2.1/32", "2a00:1000::/64", "5.44.3.0-5.44.3.255", "005.044.004.001"]
    path.write_text("".join(x + "\n" for x in [*good, *bad]))
    said, rejects = route(node, path)
    assert rejects == list(enumerate(bad.values(), len(good) + 1)) and said["events"] == len(good)


# ---- encodings ----

def test_mixed_encodings_cost_only_the_rows_in_them(node):
    path = node.dir.parent / "scan_ssh.csv"
    name = '"2026-11-01 10:00:00",5.44.1.%d,tcp,22,%s,ssh,,\n'
    parts = [name % (1, "tõrv.example"), name % (2, "tõrv.example"), name % (3, "plain.example"), name % (4, "a\0b"),
             name % (5, "a\ud800b"), name % (6, "last.example")]
    path.write_bytes(SCAN.encode() + parts[0].encode() + parts[1].encode("latin-1") + parts[2].encode() + parts[3].encode()
                     + parts[4].encode("utf-8", "surrogatepass") + parts[5].encode())
    said, rejects = route(node, path)
    assert said["events"] == 3 and rejects == [(3, "encoding"), (5, "encoding"), (6, "encoding")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [SCAN + row("5.44.1.1"), json.dumps(event("5.44.1.1")) + "\n", "5.44.1.1\n5.44.1.2\n"])
def test_two_bytes_a_character_are_named(node, encoding, text):
    path = node.dir.parent / "report"
    path.write_bytes(text.encode(encoding))
    assert node.error("route", path) == "encoding"


def test_a_byte_order_mark_is_seen_through(node):
    path = node.dir.parent / "scan_ssh.csv"
    path.write_bytes((SCAN + row("5.44.1.1")).encode("utf-8-sig"))
    assert route(node, path)[0]["events"] == 1


# ---- damage ----

@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_what_comes_before_a_damaged_end_counts_once(node, pack):
    text = (SCAN + "".join(row(f"5.44.{n >> 8}.{n & 255}") for n in range(5000))).encode()
    packed = gzip.compress(text) if pack == "gzip" else subprocess.run(["zstd", "-qc"], input=text, capture_output=True,
                                                                       check=True).stdout
    path = node.dir.parent / f"scan_ssh.csv.{pack}"
    path.write_bytes(packed[:len(packed) * 2 // 3])
    part = node.json("route", path, code=1)
    path.write_bytes(packed + b"and more")
    assert node.error("route", path) == "compression"
    path.write_bytes(packed)
    whole, _ = route(node, path)
    assert whole["events"] == 5000 and whole["duplicates"] == 5000
    assert part == [] or part[-1]["events"] < 5000
    assert sum(n["events"] for n in node.json("notice", "list")) == 5000


# ---- XML ----

def iodef(address, head="", inside=""):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + head
            + '<IODEF-Document version="2.00" xmlns="urn:ietf:params:xml:ns:iodef-2.0"><Incident purpose="reporting">'
            '<IncidentID name="cert.example">1</IncidentID><GenerationTime>2026-11-01T10:00:00Z</GenerationTime>'
            f'<Contact role="creator" type="person"><ContactName>{inside}</ContactName></Contact>'
            '<EventData><StartTime>2026-11-01T10:00:00Z</StartTime><Flow><System category="source"><Node>'
            f'<Address category="ipv4-addr">{address}</Address></Node><Service ip-protocol="6"><Port>4000</Port></Service>'
            "</System></Flow></EventData></Incident></IODEF-Document>\n")


ENTITIES = {
    "billion laughs": ('<!DOCTYPE IODEF-Document [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9)) + "]>\n", "&j;"),
    "quadratic": ('<!DOCTYPE IODEF-Document [<!ENTITY a "' + "x" * 10000 + '">]>\n', "&a;" * 10000),
    "a file": ('<!DOCTYPE IODEF-Document [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n', "&a;"),
    "a page": ('<!DOCTYPE IODEF-Document [<!ENTITY a SYSTEM "http://127.0.0.1:9/">]>\n', "&a;"),
    "a parameter": ('<!DOCTYPE IODEF-Document [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>\n', ""),
    "a document type": ('<!DOCTYPE IODEF-Document SYSTEM "file:///etc/passwd">\n', ""),
    "unknown": ("", "&unknown;"),
}


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_entities_of_xml_are_refused(node, name):
    path = node.dir.parent / "incident.xml"
    path.write_text(iodef("5.44.1.1", *ENTITIES[name]))
    code, said, error, memory = run_within(node, path)
    assert memory < MEMORY and b"root:" not in error and "root:" not in json.dumps(said)
    if code == 0:
        (reject,) = [json.loads(x) for x in open(said[-1]["rejects"])]
        assert said[-1]["events"] == 0 and reject["code"] == "xml" and "root:" not in reject["row"]
    else:
        assert json.loads(error)["error"] == "xml"
    path.write_text(iodef("5.44.1.1", "", "&amp;&#x41;"))
    assert route(node, path)[0]["events"] == 1


@pytest.mark.parametrize("depth", [1000, 100000])
def test_xml_nested_deep_is_refused(node, depth):
    path = node.dir.parent / "incident.xml"
    path.write_text(iodef("5.44.1.1", "", "<a>" * depth + "</a>" * depth))
    assert codes(node, path) == ["depth"]


# ---- mail ----

def mail(depth, inside):
    """A feedback-report inside so many multiparts."""
    head = "From: desk@cert.example\nDate: Sun, 01 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\n"
    down = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    up = "".join(f"\n--b{n}--\n" for n in reversed(range(depth)))
    return head + down + inside + up


FEEDBACK = ("Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: made-up/1\nVersion: 1\n"
            "Source-IP: 5.44.1.1\nArrival-Date: Sun, 01 Nov 2026 10:00:00 +0000\n")


def test_mime_nested_a_thousand_deep_is_refused(node):
    path = node.dir.parent / "mail.eml"
    path.write_text(mail(3, FEEDBACK))
    assert route(node, path)[0]["events"] == 1
    path.write_text(mail(1000, FEEDBACK))
    assert codes(node, path) == ["depth"]
    path.write_text("".join(f"From x@cert.example Sun Nov  1 10:00:00 2026\n{m}\n" for m in (
        mail(3, FEEDBACK.replace("5.44.1.1", "5.44.1.2")), mail(1000, FEEDBACK),
        mail(3, FEEDBACK.replace("5.44.1.1", "5.44.1.3")))))
    said, rejects = route(node, path)
    assert said["events"] == 2 and [why for _, why in rejects] == ["depth"]


# ---- what unpacks to far too much ----

GIGABYTES = 20  # unpacked


def gzip_bomb(line):
    """RFC 1952: a member of so many gigabytes. A deflate block that was flushed in full can stand any number of times."""
    megabyte = line * (1048576 // len(line))
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = c.compress(megabyte) + c.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * (GIGABYTES << 10) + b"\x03\0" + bytes(8)


def zstd_bomb():
    """RFC 8878: blocks of one byte that stands 128 KiB times."""
    block = ((131072 << 3) | 2).to_bytes(3, "little") + b"x"
    return b"\x28\xb5\x2f\xfd\x00\x38" + block * (GIGABYTES << 13) + ((131072 << 3) | 3).to_bytes(3, "little") + b"x"


BOMBS = {
    "zeros.gz": lambda: gzip_bomb(b"\0"),
    "rows.txt.gz": lambda: gzip_bomb(b"5.44.1.1\n"),
    "x.zst": zstd_bomb,
    "rows-frames.zst": lambda: subprocess.run(["zstd", "-qc"], input=b"5.44.1.1\n" * 1000000, capture_output=True,
                                              check=True).stdout * 2000,
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_what_unpacks_to_far_too_much_is_refused(node, name):
    path = node.dir.parent / name
    path.write_bytes(BOMBS[name]())
    code, _, error, memory = run_within(node, path)
    assert code == 1 and json.loads(error)["error"] == ("unpacked" if "rows" in name else "format-unknown")
    assert memory < MEMORY
    node.audit()


def test_what_is_packed_twice_is_refused(node):
    path = node.dir.parent / "list.txt.gz"
    path.write_bytes(gzip.compress(gzip.compress(b"5.44.1.1\n")))
    assert node.error("route", path) == "unpacked"


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_honest_reports_may_pack_well(node, pack):
    """Five megabytes of rows that all say nearly the same."""
    text = (SCAN + "".join(row(f"5.44.{n >> 8 & 255}.{n & 255}") for n in range(100000))).encode()
    packed = gzip.compress(text, 9) if pack == "gzip" else subprocess.run(["zstd", "-12", "-qc"], input=text, check=True,
                                                                          capture_output=True).stdout
    path = node.dir.parent / f"scan_ssh.csv.{pack}"
    path.write_bytes(packed)
    assert route(node, path)[0]["events"] == 100000


def test_a_file_that_grows_while_it_is_read_counts_once_in_the_end(node):
    path = node.dir.parent / "list.txt"
    path.write_text("# Last updated: 2026-11-01 10:00:00\n" + "5.44.0.1\n" * 1000000)
    addresses = [f"5.44.{n >> 8}.{n & 255}\n" for n in range(40000)]
    stop = threading.Event()

    def grow():
        with open(path, "a") as f:
            n = 0
            while not stop.is_set():
                f.write(addresses[n % len(addresses)])
                f.flush()
                n += 1
                time.sleep(0.0005)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        error = node.error("route", path)
    finally:
        stop.set()
        writer.join()
    assert error == "growing"
    with open(path, "a") as f:
        f.writelines(addresses)
    said, _ = route(node, path)
    assert said["events"] == path.read_text().count("\n") - 1
    assert node.audit()["sighting_events"] == 40000


@pytest.mark.parametrize("kind", ["xarf", "idea", "stix"])
def test_documents_of_json_that_mean_harm(node, kind):
    """A good document, one nested deep, one that says a thing twice, and a good one again."""
    path = node.dir.parent / "reports.json"
    rows = [(1793527200 + n, f"5.44.1.{n}") for n in range(4)]
    texts = [{"xarf": mixed.xarf4, "idea": mixed.idea, "stix": mixed.stix}[kind]([r]) for r in rows]
    key = {"xarf": '"xarf_version"', "idea": '"Format"', "stix": '"type": "bundle"'}[kind]
    assert key in texts[1] and key in texts[2]
    texts[1] = texts[1].replace("{", '{"deep": ' + "[" * 10000 + "]" * 10000 + ", ", 1)
    texts[2] = texts[2].replace("{", '{"twice": 1, "twice": 2, ', 1)
    path.write_text("".join(texts))
    said, rejects = route(node, path)
    assert said["events"] == 2 and [why for _, why in rejects] == ["depth", "duplicate-key"]
