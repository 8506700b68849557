"""What others read of a notice's evidence: XARF against its published schemas, STIX by its own rules."""
import json
import os
import pathlib
import re
import uuid

import pytest

SHARED = pathlib.Path(os.environ.get("COMITY_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared"))
SCHEMAS = SHARED / "data/routing/xarf-v4/schemas/v4"
OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # STIX 2.1, 2.9
BRUTE = "timestamp,protocol,src_ip,src_port,dst_ip,dst_port,username\n"
SCAN = "timestamp,ip,protocol,port,hostname,tag,asn,geo\n"
WHEN = '"2026-11-01 10:00:00"'
# One report of each shape that a class can take; the file's name says the type.
REPORTS = {
    "event4_honeypot_brute_force.csv": BRUTE + f"{WHEN},tcp,5.44.1.1,40000,192.0.2.1,22,root\n{WHEN},,5.44.1.2,,,,\n",
    "event4_honeypot_ddos.csv": BRUTE + f"{WHEN},udp,5.44.1.3,40000,192.0.2.1,22,\n",
    "event4_sinkhole.csv": BRUTE + f"{WHEN},tcp,5.44.1.4,40000,192.0.2.1,80,\n{WHEN},icmp,5.44.1.5,,192.0.2.1,,\n",
    "scan_ssh.csv": SCAN + f'{WHEN},5.44.1.6,tcp,22,"a name, quoted ""so""",,,\n',
    "scan_ntp.csv": SCAN + f"{WHEN},5.44.1.7,udp,123,,,,\n",
    "scan_ssl_poodle.csv": SCAN + f"{WHEN},5.44.1.8,tcp,443,,,,\n",
    "addresses.txt": "5.44.2.1\n5.44.3.0/24\n2a00:1000::5\n",
}
CLASSES = ["infected-system", "c2-server", "malware-distribution", "scanner", "brute-force", "exploit", "ddos", "phishing",
           "misconfiguration", "weak-crypto", "vulnerable-system", "spam", "dos", "system-compromise", "other"]


@pytest.fixture
def notices(node):
    for name, text in REPORTS.items():
        (node.dir.parent / name).write_text(text)
        node.run("route", node.dir.parent / name)
    for i, rsit in enumerate(CLASSES):
        event = {"__type": "Event", "source.ip": f"5.44.7.{i}", "classification.type": rsit,
                 "time.source": "2026-11-01T10:00:00.250+00:00", "source.port": 4000, "protocol.transport": "tcp"}
        bare = {"source.ip": f"5.44.8.{i}", "classification.type": rsit, "time.source": "2026-11-01T10:00:00+00:00"}
        path = node.dir.parent / f"events-{i}.jsonl"
        path.write_text(json.dumps(event) + "\n" + json.dumps(bare) + "\n")
        node.run("route", path)
    return [n["id"] for n in node.json("notice", "list")]


def test_xarf_passes_its_schemas(node, notices):
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    if not SCHEMAS.is_dir():
        pytest.skip("the schemas of XARF are not here")
    loaded = [json.loads(p.read_text()) for p in sorted(SCHEMAS.rglob("*.json"))]
    registry = referencing.Registry().with_resources(
        (s["$id"], referencing.Resource.from_contents(s)) for s in loaded if "$id" in s)
    by_type = {}
    for s in loaded:
        for part in s.get("allOf", []):
            kind = part.get("properties", {}).get("type", {}).get("const")
            if kind is not None:
                by_type[kind] = s
    core = next(s for s in loaded if s.get("$id", "").endswith("xarf-core.json"))
    seen = set()
    for notice in notices:
        for line in node.text("notice", "show", notice, "--as", "xarf").splitlines():
            report = json.loads(line)
            schema = by_type.get(report["type"], core)
            jsonschema.Draft202012Validator(schema, registry=registry,
                                            format_checker=jsonschema.FormatChecker()).validate(report)
            uuid.UUID(report["report_id"])
            seen.add((report["category"], report["type"]))
    assert {("connection", "login_attack"), ("connection", "ddos"), ("connection", "infected_host"),
            ("infrastructure", "botnet"), ("infrastructure", "compromised_server"), ("vulnerability", "open_service"),
            ("vulnerability", "misconfiguration"), ("reputation", "threat_intelligence")} <= seen


def observable_id(thing):
    keys = {"ipv4-addr": ("value",), "ipv6-addr": ("value",),
            "network-traffic": ("start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions")}
    content = {k: thing[k] for k in keys[thing["type"]] if k in thing}
    return f"{thing['type']}--{uuid.uuid5(OBSERVABLES, json.dumps(content, sort_keys=True, separators=(',', ':')))}"


def test_stix_hangs_together(node, notices):
    for notice in notices:
        bundle = json.loads(node.text("notice", "show", notice, "--as", "stix"))
        objects = {o["id"]: o for o in bundle["objects"]}
        assert len(objects) == len(bundle["objects"]), "an object stands there twice"
        for o in [bundle, *objects.values()]:
            assert re.fullmatch(r"[a-z0-9-]+--[0-9a-f-]{36}", o["id"]) and o["id"].startswith(o["type"] + "--")
        for o in objects.values():
            if o["type"] in ("ipv4-addr", "ipv6-addr", "network-traffic"):
                assert o["id"] == observable_id(o)
            for ref in o.get("object_refs", []) + [o[k] for k in o if k.endswith("_ref")]:
                assert ref in objects
            if o["type"] == "observed-data":
                assert o["first_observed"] <= o["last_observed"] and o["number_observed"] == 1


def test_stix_passes_the_library_of_oasis(node, notices):
    stix2 = pytest.importorskip("stix2")
    for notice in notices:
        stix2.parse(node.text("notice", "show", notice, "--as", "stix"))


def test_the_same_notice_renders_the_same(node, notices):
    for form in ("csv", "stix", "xarf"):
        assert node.text("notice", "show", notices[0], "--as", form) == node.text("notice", "show", notices[0], "--as", form)
