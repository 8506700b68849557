"""The judge of STIX objects beside OASIS's validator: good objects are changed in one place, and both say whether the result
still keeps the MUST rules. Where they may differ stands in STRICTER and LOOSER."""
import copy
import json
import random
import subprocess

import pytest

import conftest

validator = pytest.importorskip("stix2validator", reason="stix2-validator is not installed")

JUDGE = conftest.COMITY.parent / "tests" / "conformance" / "conformance_stix_validate"
UUID = "00000000-0000-4000-8000-000000000001"
TIME = "2026-01-01T00:00:00.000Z"
RED = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"

# Rules of the standard that OASIS's validator does not look at, or only in some places.
STRICTER = {
    "property-name", "property-reserved", "reference-type", "marking-reference", "id-type", "value-type", "null-value",
    "empty-list", "empty-dictionary", "hex", "binary", "granular-marking", "selector-unresolved", "extension-name",
    "observed-data", "hash-key", "id-syntax",
}
# What it refuses: words beside its lists, which are shorter than the registries; the standard's own examples of `lang`.
LOOSER = ("RFC 5646", "IANA registered", "'marking_ref' is a required property")


def domain(kind, **more):
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{UUID}", "created": TIME, "modified": TIME, **more}


def observable(kind, **more):
    return {"type": kind, "id": f"{kind}--{UUID}", **more}


GOOD = [
    domain("campaign", name="n", aliases=["a"], first_seen=TIME, last_seen=TIME, confidence=7, lang="en", revoked=False),
    domain("indicator", name="n", pattern="[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4'] WITHIN 5 SECONDS",
           pattern_type="stix", valid_from=TIME, valid_until="2027-01-01T00:00:00Z",
           kill_chain_phases=[{"kill_chain_name": "a", "phase_name": "b"}], object_marking_refs=[RED]),
    domain("malware", is_family=True, name="n", capabilities=["anti-vm"], sample_refs=[f"file--{UUID}"]),
    domain("malware-analysis", product="p", result="benign", submitted=TIME, sample_ref=f"file--{UUID}"),
    domain("location", latitude=1.5, longitude=-2, precision=3, country="EE"),
    domain("observed-data", first_observed=TIME, last_observed=TIME, number_observed=2, object_refs=[f"url--{UUID}"]),
    domain("opinion", opinion="agree", object_refs=[f"note--{UUID}"]),
    domain("relationship", relationship_type="uses", source_ref=f"tool--{UUID}", target_ref=f"malware--{UUID}",
           start_time=TIME, stop_time="2026-02-01T00:00:00Z"),
    domain("sighting", sighting_of_ref=f"tool--{UUID}", count=3, where_sighted_refs=[f"identity--{UUID}"], summary=True),
    domain("report", name="n", published=TIME, object_refs=[f"tool--{UUID}"], external_references=[
        {"source_name": "cve", "external_id": "CVE-2026-0001"}, {"source_name": "a", "url": "https://example.org/a"}]),
    domain("language-content", object_ref=f"tool--{UUID}", contents={"de": {"name": "N", "aliases": ["a"]}}),
    domain("extension-definition", created_by_ref=f"identity--{UUID}", name="n", schema="s", version="1.0.0",
           extension_types=["toplevel-property-extension"], extension_properties=["rank_of_it"]),
    {"type": "marking-definition", "spec_version": "2.1", "id": f"marking-definition--{UUID}", "created": TIME,
     "definition_type": "statement", "definition": {"statement": "s"}},
    domain("x-own-thing", some_value=1, granular_markings=[{"selectors": ["some_value", "id"], "marking_ref": RED}]),
    observable("file", name="n", size=1, hashes={"SHA-256": "ab" * 32}, magic_number_hex="00ff", extensions={
        "windows-pebinary-ext": {"pe_type": "exe", "number_of_sections": 1, "sections": [{"name": "s", "entropy": 0.5}],
                                 "optional_header": {"magic_hex": "00", "size_of_code": 1}},
        "ntfs-ext": {"sid": "1", "alternate_data_streams": [{"name": "s", "size": 2}]}}),
    observable("network-traffic", src_ref=f"ipv4-addr--{UUID}", protocols=["ipv4", "tcp"], src_port=1, dst_port=2,
               start=TIME, end=TIME, is_active=False, ipfix={"minimumIpTotalLength": 32}, extensions={
                   "http-request-ext": {"request_method": "get", "request_value": "/", "request_header": {"Host": ["a"]}},
                   "socket-ext": {"address_family": "AF_INET", "options": {"SO_KEEPALIVE": 1}}}),
    observable("process", pid=1, command_line="c", environment_variables={"A": "b"}, extensions={
        "windows-process-ext": {"aslr_enabled": True, "priority": "HIGH_PRIORITY_CLASS", "startup_info": {"cb": 1}}}),
    observable("email-message", is_multipart=True, subject="s", date=TIME, body_multipart=[{"body": "b"}],
               additional_header_fields={"Reply-To": ["a", "b"]}),
    observable("windows-registry-key", key="hkey_local_machine\\a", values=[{"name": "n", "data_type": "REG_SZ"}]),
    observable("user-account", user_id="1", account_type="unix", extensions={"unix-account-ext": {"gid": 1, "shell": "s"}}),
    observable("x509-certificate", serial_number="1", is_self_signed=False, validity_not_before=TIME,
               x509_v3_extensions={"basic_constraints": "critical", "private_key_usage_period_not_after": TIME}),
    observable("artifact", mime_type="image/png", payload_bin="QUJD", encryption_algorithm="AES-256-GCM", decryption_key="k"),
    observable("software", name="n", cpe="cpe:2.3:a:b:c:1.0:*:*:*:*:*:*:*", languages=["en"]),
    observable("ipv4-addr", value="192.0.2.0/24"),
    observable("ipv6-addr", value="2001:db8::/32"),
    observable("mac-addr", value="00:00:5e:00:53:af"),
    observable("domain-name", value="example.org"),
    observable("email-addr", value="a@example.org"),
    observable("url", value="https://example.org/?a=%20#b"),
]
VALUES = [
    None, True, 0, -1, 70000, 1.5, "", "word", "Two Words", [], {}, ["a"], [1], {"a": 1}, TIME, "2026-01-01T00:00:00Z",
    "2026-02-30T00:00:00.000Z", "2030-01-01T00:00:00.000Z", f"identity--{UUID}", f"relationship--{UUID}", f"file--{UUID}", RED,
    "http://exa mple", "00", "zz",
]
ADDED = [
    ("x_new_thing", "v"), ("severity", 1), ("9thing", 1), ("thing_hex", "0"), ("thing_bin", "QUJD"), ("confidence", 101),
    ("labels", []), ("revoked", "no"), ("created_by_ref", "identity"), ("object_marking_refs", [f"tool--{UUID}"]),
    ("granular_markings", [{"selectors": ["nowhere"], "marking_ref": RED}]),
    ("granular_markings", [{"selectors": ["id", "type"], "marking_ref": RED}]),
    ("granular_markings", [{"selectors": ["[0]"], "marking_ref": RED}]),
    ("external_references", [{"source_name": "a", "external_id": "CVE-2026-0001"}]),
    ("external_references", [{"source_name": "a"}]),
    ("extensions", {f"extension-definition--{UUID}": {"extension_type": "property-extension", "abc": 1}}),
    ("extensions", {f"extension-definition--{UUID}": {"abc": 1}}),
    ("extensions", {"thing": {"abc": 1}}),
]


def places(value, path=()):
    """Of everything inside."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield path + (key,)
        yield from places(one, path + (key,))


def change(rng, good):
    changed = copy.deepcopy(good)
    path = rng.choice([p for p in places(changed) if p[0] not in ("type", "created_by_ref")])  # it asks for no created_by_ref
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    old = holder[path[-1]]
    how = rng.randrange(4)
    if how == 0:
        del holder[path[-1]]
    elif how == 1:
        key, value = rng.choice(ADDED)
        changed[key] = value
    elif how == 2 and isinstance(old, str) and old:
        at = rng.randrange(len(old))
        holder[path[-1]] = old[:at] + rng.choice(["", "a", "0", "-", ":", "/", ".", " ", "Z", "%"]) + old[at + 1:]
    else:
        holder[path[-1]] = rng.choice(VALUES)
    return changed


def judge(objects):
    if not JUDGE.exists():
        pytest.skip(f"{JUDGE.name} is not built")
    text = "".join(json.dumps(o) + "\n" for o in objects)
    out = subprocess.run([JUDGE, "--lines"], input=text, capture_output=True, text=True, timeout=conftest.TIMEOUT, check=True)
    answers = [line.split() for line in out.stdout.splitlines()]
    assert len(answers) == len(objects)
    return [set(words[2:2 + int(words[0])]) for words in answers]


def oasis(thing):
    """The errors of OASIS's validator; it raises on some of what it does not expect."""
    try:
        return [str(e) for e in validator.validate_instance(thing, validator.ValidationOptions(silent=True)).errors]
    except Exception as e:
        return [f"raised {type(e).__name__}"]


def test_good_objects_pass_both():
    for thing, refusals in zip(GOOD, judge(GOOD)):
        assert not refusals, (thing, refusals)
        assert not oasis(thing), thing


@pytest.mark.parametrize("seed", [1, 2])
def test_changed_objects_get_the_same_verdict(seed):
    rng = random.Random(seed)
    changed = [change(rng, rng.choice(GOOD)) for _ in range(250)]
    changed = [o for o in changed if isinstance(o.get("id"), str)]
    differ, agreed = [], 0
    for thing, refusals in zip(changed, judge(changed)):
        errors = oasis(thing)
        if bool(errors) == bool(refusals):
            agreed += bool(errors)
        elif refusals and not refusals <= STRICTER:
            differ.append((thing, refusals, "OASIS lets it pass"))
        elif errors and not all(any(word in e for word in LOOSER) for e in errors):
            differ.append((thing, "passes here", errors))
    assert not differ, differ[:3]
    assert agreed > 50
