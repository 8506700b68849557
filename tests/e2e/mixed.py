#!/usr/bin/env python3
"""Makes a folder of mixed reports in which it is known how often each source stands, and how often each row is a double.

    tests/e2e/mixed.py FOLDER ROWS [SEED]

All of it is made up. Addresses are those of the registry files in conftest.py, and some that nobody answers for. Sources
repeat, as they do in life; every row has a second of its own, so no two rows say the same unless that is meant: about one
in ten files' rows stand in another file of the same kind again, and one whole file lies there twice."""
import base64
import collections
import json
import pathlib
import random
import sys
import uuid

START = 1790000000  # 2026-09-21T14:13:20Z; rows are seconds from here on


def clock(second, form="{}-{:02}-{:02}T{:02}:{:02}:{:02}Z"):
    days, rest = divmod(second, 86400)
    y, m, d = civil(days)
    return form.format(y, m, d, rest // 3600, rest // 60 % 60, rest % 60)


def civil(days):
    """Howard Hinnant's days to year, month, day: faster than datetime, and its rows are many."""
    z = days + 719468
    era, doe = divmod(z, 146097)
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    m = mp + 3 if mp < 10 else mp - 9
    return yoe + era * 400 + (m <= 2), m, doy - (153 * mp + 2) // 5 + 1


def plain(second):
    return clock(second, "{}-{:02}-{:02} {:02}:{:02}:{:02}")


def mail_date(second):
    days, rest = divmod(second, 86400)
    y, m, d = civil(days)
    names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    return f"{d:02} {names[m - 1]} {y} {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02} +0000"


def identity(second, space):
    return uuid.UUID(int=(space << 96) | (4 << 76) | (2 << 62) | second)


# ---- one file's text of each kind, from (second, source) pairs ----

def scan(rows):
    return "timestamp,ip,protocol,port,hostname,tag,asn,geo\n" + "".join(
        f'"{plain(t)}",{a},tcp,22,host-{t}.example,ssh,,\n' for t, a in rows)


def scan_udp(rows):
    return "timestamp,ip,protocol,port,hostname,tag,asn,geo,version,unheard_of\n" + "".join(
        f'"{plain(t)}",{a},udp,123,,ntp,,,4,"x,{t}"\n' for t, a in rows)


def brute_force(rows):
    return "timestamp,protocol,src_ip,src_port,dst_ip,dst_port,username\n" + "".join(
        f'"{plain(t)}",tcp,{a},{t % 60000 + 1},192.0.2.1,22,root\n' for t, a in rows)


def sinkhole(rows):
    return "timestamp,protocol,src_ip,src_port,dst_ip,dst_port,infection,family\n" + "".join(
        f'"{plain(t)}",tcp,{a},{t % 60000 + 1},192.0.2.1,80,{("avalanche", "necurs")[t % 2]},\n' for t, a in rows)


def intelmq(rows):
    return "".join(json.dumps({"__type": "Event", "source.ip": a, "source.port": t % 60000 + 1, "time.source": clock(t),
                               "classification.type": ("scanner", "brute-force", "infected-system")[t % 3],
                               "protocol.transport": "tcp", "extra.n": t}) + "\n" for t, a in rows)


def plain_json(rows):
    return "".join(json.dumps({"ip": a, "timestamp": t, "port": 23, "note": "ü"}) + "\n" for t, a in rows)


def dataplane(rows):
    return "# made up\n" + "".join(f"64500  |  Example  |  {a:>15}  |  {plain(t)}  |  sshclient\n" for t, a in rows)


def xarf4(rows):
    who = {"org": "Example CERT", "contact": "abuse@cert.example", "domain": "cert.example"}
    return "".join(json.dumps({"xarf_version": "4.2.0", "report_id": str(identity(t, 4)), "timestamp": clock(t),
                               "reporter": who, "sender": who, "source_identifier": a, "source_port": t % 60000 + 1,
                               "category": "connection", "type": "login_attack", "destination_ip": "192.0.2.1",
                               "destination_port": 22, "protocol": "tcp", "first_seen": clock(t)}, indent=t % 3) + "\n"
                   for t, a in rows)


def xarf3(rows):
    return "[" + ",\n".join(json.dumps({
        "Version": "3", "ReporterInfo": {"ReporterOrg": "Example", "ReporterOrgDomain": "cert.example",
                                         "ReporterOrgEmail": "abuse@cert.example"},
        "Disclosure": True, "Report": {"ReportClass": "Activity", "ReportType": "PortScan", "Date": clock(t), "SourceIp": a,
                                       "SourcePort": t % 60000 + 1, "DestinationIp": "192.0.2.1", "DestinationPort": 22}})
        for t, a in rows) + "]\n"


def idea(rows):
    return "".join(json.dumps({
        "Format": "IDEA0", "ID": str(identity(t, 5)), "DetectTime": clock(t), "Category": ["Recon.Scanning"],
        "Source": [{"IP6" if ":" in a else "IP4": [a], "Port": [t % 60000 + 1], "Proto": ["tcp"]}],
        "Node": [{"Name": "example.cert.probe", "SW": ["made up"]}]}) + "\n" for t, a in rows)


def stix(rows):
    objects = []
    for t, a in rows:
        ip = f"ipv{6 if ':' in a else 4}-addr--{identity(t, 6)}"
        traffic = f"network-traffic--{identity(t, 7)}"
        objects += [{"type": ip.split("--")[0], "spec_version": "2.1", "id": ip, "value": a},
                    {"type": "network-traffic", "spec_version": "2.1", "id": traffic, "src_ref": ip,
                     "src_port": t % 60000 + 1, "protocols": ["tcp"]},
                    {"type": "observed-data", "spec_version": "2.1", "id": f"observed-data--{identity(t, 8)}",
                     "created": clock(t), "modified": clock(t), "first_observed": clock(t), "last_observed": clock(t),
                     "number_observed": 1, "object_refs": [ip, traffic]}]
    return json.dumps({"type": "bundle", "id": f"bundle--{identity(rows[0][0], 9)}", "objects": objects}) + "\n"


def iodef(rows):
    incidents = "".join(
        f'<Incident purpose="reporting" restriction="private"><IncidentID name="cert.example">{t}</IncidentID>'
        f"<StartTime>{clock(t)}</StartTime><GenerationTime>{clock(t)}</GenerationTime>"
        '<Assessment><SystemImpact type="takeover-system"/></Assessment>'
        '<Contact role="creator" type="organization"><ContactName>Example</ContactName></Contact>'
        f'<EventData><StartTime>{clock(t)}</StartTime><Flow><System category="source"><Node>'
        f'<Address category="ipv{6 if ":" in a else 4}-addr">{a}</Address></Node>'
        f'<Service ip-protocol="6"><Port>{t % 60000 + 1}</Port></Service></System></Flow></EventData></Incident>\n'
        for t, a in rows)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<IODEF-Document version="2.00" '
            f'xmlns="urn:ietf:params:xml:ns:iodef-2.0">\n{incidents}</IODEF-Document>\n')


def complaint(t, a):
    return (f"From: desk@cert.example\nDate: {mail_date(t)}\nMessage-ID: <{t}@cert.example>\nSubject: Abuse report\n"
            "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report;\n\tboundary=\"b\"\n\n"
            "--b\nContent-Type: text/plain\n\nSpam came from there.\n\nFrom here on it is machine-readable.\n"
            "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: made-up/1\nVersion: 1\n"
            f"Source-IP: {a}\nArrival-Date: {mail_date(t)}\n"
            f"--b\nContent-Type: message/rfc822\n\nFrom: x@spam.example\nSubject: Buy {t}\n\nNow.\n--b--\n")


def mbox(rows):
    return "".join(f"From desk@cert.example Sun Nov  1 10:00:00 2026\n{complaint(t, a)}".replace("\nFrom here", "\n>From here")
                   + "\n" for t, a in rows)


def xarf_by_mail(rows):
    """One mail each; the report is its attachment."""
    (t, a), = rows
    body = base64.encodebytes(xarf4(rows).encode()).decode()
    return (f"From: desk@cert.example\nDate: {mail_date(t)}\nMIME-Version: 1.0\nSubject: XARF\n"
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee there.\n"
            "--b\nContent-Type: application/json; name=xarf.json\nContent-Transfer-Encoding: base64\n"
            f"Content-Disposition: attachment; filename=xarf.json\n\n{body}--b--\n")


# name of the files, share of all rows, most rows in a file, text
KINDS = [
    ("2026-09-22-scan_ssh-{}.csv", 25, 100000, scan), ("2026-09-22-scan_ntp-{}.csv", 10, 100000, scan_udp),
    ("2026-09-22-event4_honeypot_brute_force-{}.csv", 15, 100000, brute_force),
    ("2026-09-22-event4_sinkhole-{}.csv", 10, 100000, sinkhole), ("events-{}.jsonl", 12, 100000, intelmq),
    ("plain-{}.jsonl", 5, 100000, plain_json), ("dataplane-{}.txt", 8, 100000, dataplane), ("xarf4-{}.json", 3, 20000, xarf4),
    ("xarf3-{}.json", 2, 20000, xarf3), ("idea-{}.json", 3, 20000, idea), ("stix-{}.json", 3, 5000, stix),
    ("iodef-{}.xml", 2, 2000, iodef), ("complaints-{}.mbox", 2, 2000, mbox), ("mail-{}.eml", 0, 1, xarf_by_mail),
]
MAILS = 10  # of those that are files of their own


def sources(chance, rows):
    """Many addresses of two networks and one of six, some that nobody answers for; a few speak far more than others."""
    pool = [f"5.44.{n >> 8 & 255}.{n & 255}" for n in range(1, max(rows // 10, 20))]
    pool += [f"5.45.{n >> 8 & 255}.{n & 255}" for n in range(1, max(rows // 10, 20))]
    pool += [f"2a00:1000::{n:x}" for n in range(1, max(rows // 50, 10))]
    pool += [f"9.9.{n >> 8 & 255}.{n & 255}" for n in range(1, max(rows // 100, 5))]
    chance.shuffle(pool)
    return pool


def make(folder, rows, seed=1):
    """Writes the files. Gives how many distinct rows each source has, how many rows there are with doubles, and how many
    files."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    pool = sources(chance, rows)
    counts, total, files, second, first = collections.Counter(), 0, 0, START, None
    for name, share, most, text in KINDS:
        left = rows * share // 100 if share else min(MAILS, rows)
        number, before = 0, []
        while left > 0:
            n = min(left, most, max(1, (rows * share // 100 + 2) // 3))
            fresh = [(second + i, pool[int(len(pool) * chance.random() ** 2)]) for i in range(n)]
            second += n
            left -= n
            counts.update(a for _, a in fresh)
            again = chance.sample(before, min(len(before), n // 10)) if most > 1 else []
            content = fresh + again
            chance.shuffle(content)
            path = folder / name.format(number)
            path.write_text(text(content))
            total += len(content)
            files += 1
            number += 1
            before = fresh
            if first is None:
                first = (path, len(content))
    twin = folder / "2026-09-23-scan_ssh-twin.csv"
    twin.write_bytes(first[0].read_bytes())
    return counts, total + first[1], files + 1


if __name__ == "__main__":
    made, with_doubles, count = make(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    print(json.dumps({"files": count, "rows": with_doubles, "distinct": sum(made.values()), "sources": len(made)}))
