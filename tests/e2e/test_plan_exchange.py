"""Plans as others read and write them: calendars, probing.txt, and what packets bring along."""
import socket
import struct

import pytest

from conftest import at

URI = "https://probe.example/.well-known/probing.txt"


@pytest.fixture
def scanner(bare):
    bare.run("party", "add", "scans.example", "--role", "researcher", "--claim", "prefix 198.51.100.0/24")
    bare.run("party", "approve", "scans.example")
    return bare


def file(node, *more):
    (plan,) = node.json("plan", "file", "--from", "scans.example", "--source", "198.51.100.0/24", "--purpose",
                        "Counting open resolvers", "--contact", "mailto:probes@scans.example", *more)
    return plan["id"]


def lines(text):
    return text.replace("\r\n ", "").replace("\r\n", "\n").splitlines()


def test_a_plan_becomes_a_calendar_and_comes_back(scanner, tmp_path):
    plan = file(scanner, "--activity", "maintenance", "--start", at(4), "--end", at(5), "--repeat", "weekly 3", "--target",
                "203.0.113.0/24", "--target", "lab.example")
    first = lines(scanner.text("plan", "export", plan, "--as", "calendar", "--impact", "outage", "--account", "C-1"))
    for line in ("X-MAINTNOTE-PROVIDER:scans.example", "X-MAINTNOTE-ACCOUNT:C-1", "X-MAINTNOTE-IMPACT:OUTAGE",
                 "X-MAINTNOTE-STATUS:CONFIRMED", "X-MAINTNOTE-OBJECT-ID:203.0.113.0/24", "X-MAINTNOTE-OBJECT-ID:lab.example",
                 "SEQUENCE:0", "SUMMARY:Counting open resolvers", "ORGANIZER:mailto:probes@scans.example",
                 "RRULE:FREQ=WEEKLY;COUNT=3"):
        assert line in first, line
    calendar = tmp_path / "plan.ics"
    calendar.write_text(scanner.text("plan", "export", plan, "--as", "calendar"))
    (again,) = scanner.json("plan", "import", calendar, "--from", "scans.example", "--source", "198.51.100.0/25")
    shown = scanner.text("plan", "show", again["id"])
    assert "203.0.113.0/24" in shown and "lab.example" in shown and "weekly 3" in shown, shown


def test_versions_keep_their_uid(scanner):
    plan = file(scanner, "--activity", "maintenance", "--start", at(4), "--end", at(5))
    (changed,) = scanner.json("plan", "change", plan, "--end", at(6))
    old, new = (lines(scanner.text("plan", "export", p, "--as", "calendar")) for p in (plan, changed["id"]))
    uid = [l for l in old if l.startswith("UID:")]
    assert uid == [l for l in new if l.startswith("UID:")]
    assert "SEQUENCE:0" in old and "SEQUENCE:1" in new
    assert "X-MAINTNOTE-STATUS:CANCELLED" in old and "X-MAINTNOTE-STATUS:CONFIRMED" in new
    scanner.run("plan", "cancel", changed["id"])
    assert "X-MAINTNOTE-STATUS:CANCELLED" in lines(scanner.text("plan", "export", changed["id"], "--as", "calendar"))


def test_probing_txt_goes_out_and_comes_in(scanner, tmp_path):
    plan = file(scanner, "--marker", f"probing {URI}")
    text = scanner.text("plan", "export", plan, "--as", "probing")
    assert f"Canonical: {URI}" in text and "Contact: mailto:probes@scans.example" in text and plan in text
    probing = tmp_path / "probing.txt"
    probing.write_text(text)
    (again,) = scanner.json("plan", "import", probing, "--from", "scans.example", "--source", "198.51.100.128/25")
    assert URI in scanner.text("plan", "show", again["id"])


def test_bad_files(scanner, tmp_path):
    path = tmp_path / "file"
    for text, code in (("", "probing"), ("Contact: mailto:a@b.example\nExpires: 2024-01-01T00:00:00Z\n", "expired"),
                       ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "calendar")):
        path.write_text(text)
        assert scanner.error("plan", "import", path, "--source", "198.51.100.0/24", code=None) == code
    path.write_text(f"Contact: mailto:a@b.example\nExpires: {at(3)}\n")
    assert scanner.error("plan", "import", path, code=None) == "usage"
    assert scanner.error("plan", "export", file(scanner), "--as", "poem", code=None) == "usage"


def ipv4(source, target, protocol, upper):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(upper), 1, 0, 64, protocol, 0, socket.inet_aton(source),
                       socket.inet_aton(target)) + upper


def tcp(port, flags, data=b""):
    return struct.pack(">HHIIBBHHH", 40000, port, 1, 0, 0x50, flags, 8192, 0, 0) + data


def capture(path, *packets, link=101):
    import time

    seconds = int(time.time())
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link))
        for p in packets:
            out.write(struct.pack("<IIII", seconds, 0, len(p), len(p)) + p)


def test_packets_tell_whose_scan_it_is(scanner, tmp_path):
    import time

    file(scanner, "--marker", f"in-band {URI}")
    time.sleep(2)  # the plan begins with the second after it was filed
    path = tmp_path / "capture.pcap"
    capture(path,
            ipv4("198.51.100.7", "203.0.113.9", 6, tcp(443, 0x02, URI.encode() + b"\0")),  # with the address that the plan declares
            ipv4("198.51.100.8", "203.0.113.9", 6, tcp(443, 0x02, b"https://other.example/\0")),
            ipv4("198.51.100.9", "203.0.113.9", 6, tcp(443, 0x02)),
            ipv4("198.51.100.9", "203.0.113.9", 6, tcp(443, 0x18, b"GET /")),  # it talked on
            ipv4("192.0.2.1", "203.0.113.9", 6, tcp(443, 0x02, URI.encode() + b"\0")),  # who holds that is somebody else
            b"no packet")
    found = {w["address"]: w["verdict"] for w in scanner.json("plan", "whose", "--pcap", path)}
    assert found == {"198.51.100.7": "explained", "198.51.100.8": "spoofable", "198.51.100.9": "explained",
                     "192.0.2.1": "undeclared"}
    said = scanner.text("plan", "whose", "--pcap", path)
    assert len(said.splitlines()) == 4 and "mailto:probes@scans.example" in said
    path.write_bytes(b"nothing")
    assert scanner.error("plan", "whose", "--pcap", path) == "pcap"
    assert scanner.error("plan", "whose", code=None) == "usage"
