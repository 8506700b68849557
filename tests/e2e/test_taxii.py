"""TAXII 2.1, item by item: the numbers are those of the server checklist, sections those of the standard. The run ends with a
line that counts them: what is mandatory, what begins with SHOULD, what is allowed (MAY). An item with several tests passes
if all of them do. Some items are duties of the client; their tests show what this server does with clients that neglect them.
"""
import json
import re
import ssl
import subprocess
import uuid

import pytest

from conftest import COMITY
from taxii_lab import (AMBER, FIRST, GREEN, LAST, MEDIA, PASSWORD, RED, RED2, ROOT, WHITE, Lab, address, identity,
                       indicator, now_id, requests)

SHOULD = {3, 5, 6, 12, 21, 51}
MAY = {7, 10, 11, 16, 24, 25, 38, 41, 46, 58, 72, 77, 91, 112, 116}
ITEMS = set(range(1, 119))
TIME6 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Summary:
    """Counts items, not tests."""

    def __init__(self):
        self.passed, self.failed, self.skipped = set(), set(), set()

    def pytest_runtest_logreport(self, report):
        found = re.search(r"test_taxii\.py::test_item_(\d+)_", report.nodeid)
        if found:
            n = int(found.group(1))
            if report.failed:
                self.failed.add(n)
            elif report.skipped:
                self.skipped.add(n)
            elif report.when == "call":
                self.passed.add(n)

    def pytest_terminal_summary(self, terminalreporter):
        good = self.passed - self.failed - self.skipped
        kinds = (("mandatory", ITEMS - SHOULD - MAY), ("SHOULD", SHOULD), ("MAY", MAY))
        text = ", ".join(f"{len(good & items)} of {len(items)} {name}" for name, items in kinds)
        terminalreporter.write_line(f"TAXII 2.1: {text}")
        for n in sorted(ITEMS - good):
            terminalreporter.write_line(f"TAXII 2.1: item {n} " + ("failed" if n in self.failed else
                                        "skipped" if n in self.skipped else "not run"))


@pytest.fixture(scope="module", autouse=True)
def summary(request):
    plugins = request.config.pluginmanager
    if not plugins.has_plugin("taxii-summary"):
        plugins.register(Summary(), "taxii-summary")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("taxii"))
    yield lab
    lab.stop()


def error_of(response, status):
    assert response.status_code == status, (response.status_code, response.text[:300])
    assert response.headers["Content-Type"] == MEDIA
    error = response.json()
    assert isinstance(error["title"], str) and error["title"]
    assert error["http_status"] == str(status)
    return error


def walk(values):
    """Every value in a JSON document, with its key."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield key, value
            yield from walk(value)
    elif isinstance(values, list):
        for value in values:
            yield None, value
            yield from walk(value)


def all_endpoints(lab):
    """Every endpoint with success: name, response."""
    alias = lab.fresh()
    one = indicator(1)
    c = f"collections/{alias}/"
    post = lab.team.post(alias, one, indicator(2))
    yield "post", post
    yield "discovery", lab.team.get("/taxii2/")
    yield "root", lab.team.get("")
    yield "status", lab.team.get(f"status/{post.json()['id']}/")
    yield "collections", lab.team.get("collections/")
    yield "collection", lab.team.get(c)
    yield "manifest", lab.team.get(c + "manifest/")
    yield "objects", lab.team.get(c + "objects/")
    yield "object", lab.team.get(c + f"objects/{one['id']}/")
    yield "versions", lab.team.get(c + f"objects/{one['id']}/versions/")
    yield "delete", lab.team.delete(alias, one["id"])


# --- A. Transport and authentication ---


def test_item_001_https(lab):
    assert lab.tls.startswith("https://")
    r = requests.get(lab.tls + "/taxii2/", verify=False, headers={"Accept": MEDIA}, timeout=30)
    assert r.status_code == 200 and r.json()["title"]


def test_item_002_tls_1_2(lab):
    version, _ = lab.handshake(maximum_version=ssl.TLSVersion.TLSv1_2)
    assert version == "TLSv1.2"


def test_item_003_tls_1_3(lab):
    version, _ = lab.handshake()
    assert version == "TLSv1.3"
    with pytest.raises((ssl.SSLError, OSError)):
        lab.handshake(maximum_version=ssl.TLSVersion.TLSv1_1, ciphers="ALL:@SECLEVEL=0")


def test_item_004_no_early_data(lab, tmp_path):
    """A session ticket says how much early data may come: 0, or the extension is not there."""
    host = lab.tls.removeprefix("https://")
    ticket = tmp_path / "session.pem"
    ask = ["openssl", "s_client", "-connect", host, "-tls1_3", "-ign_eof"]
    request = b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    subprocess.run([*ask, "-sess_out", str(ticket)], input=request, capture_output=True, timeout=60)
    if not ticket.exists():
        return  # no tickets, so no early data
    early = tmp_path / "early"
    early.write_bytes(request)
    out = subprocess.run([*ask, "-sess_in", str(ticket), "-early_data", str(early)], input=request, capture_output=True,
                         timeout=60).stdout
    assert b"Early data was accepted" not in out
    shown = subprocess.run(["openssl", "sess_id", "-in", str(ticket), "-noout", "-text"], capture_output=True,
                           timeout=60).stdout
    assert b"Max Early Data: 0" in shown or b"Max Early Data" not in shown


def test_item_005_no_blacklisted_suites(lab):
    """RFC 7540, Appendix A: what has no ephemeral key, or no AEAD."""
    for suites in ("AES128-SHA", "AES256-SHA", "AES128-SHA256", "AES128-GCM-SHA256", "AES256-GCM-SHA384",
                   "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA384"):
        with pytest.raises((ssl.SSLError, OSError)):
            lab.handshake(maximum_version=ssl.TLSVersion.TLSv1_2, ciphers=suites + ":@SECLEVEL=0")
    _, suite = lab.handshake(maximum_version=ssl.TLSVersion.TLSv1_2)
    assert suite.startswith("ECDHE") and ("GCM" in suite or "CHACHA20" in suite), suite


def test_item_006_basic(lab):
    assert lab.team.get("collections/shared/").json()["alias"] == "shared"
    error_of(requests.get(lab.team.url("collections/shared/"), auth=("team", "wrong"), timeout=30), 401)


def test_item_007_other_schemes(lab):
    """Bearer tokens; and what is open to all needs no credentials."""
    lab.stop()
    (made,) = lab.node.json("access", "add", "bearer", "--party", "team.example", "--token", "--replace")
    lab.start()
    r = requests.get(lab.team.url("collections/shared/"), headers={"Authorization": "Bearer " + made["secret"]},
                     timeout=30)
    assert r.status_code == 200
    assert lab.nobody.get("collections/open/objects/").json() == {}


def test_item_008_challenge(lab):
    paths = ("collections/shared/", "collections/shared/objects/", "collections/nothing/manifest/", f"status/{uuid.uuid4()}/")
    for path, auth in [(path, None) for path in paths] + [(paths[0], ("team", "wrong")), (paths[1], ("who", PASSWORD))]:
        r = requests.get(lab.team.url(path), auth=auth, timeout=30)
        error_of(r, 401)
        assert "Basic" in r.headers["WWW-Authenticate"]


def test_item_009_failed_authentication(lab):
    """401 or 404 on E4 to E11, and the same for what is there and what is not. (Who fails too often waits: 429.)"""
    alias, one = lab.fresh(), indicator()
    status = lab.team.add(alias, one)
    places = [(method, f"collections/{{}}/{tail}") for method, tail in (
        ("GET", ""), ("GET", "manifest/"), ("GET", "objects/"), ("POST", "objects/"), ("GET", f"objects/{one['id']}/"),
        ("DELETE", f"objects/{one['id']}/"), ("GET", f"objects/{one['id']}/versions/"))]
    for method, path in [*places, ("GET", f"status/{status['id']}/")]:
        answers = [requests.request(method, lab.team.url(path.format(c)), auth=auth, timeout=30,
                                    headers={"Content-Type": MEDIA})
                   for c, auth in ((alias, None), ("nothing", None), (alias, ("team", "wrong")))]
        assert [a.status_code for a in answers] == [401, 401, 401], (method, path)
        assert answers[0].content == answers[1].content
    assert requests.get(lab.team.url("collections/"), auth=("team", "wrong"), timeout=30).status_code == 401


def test_item_010_client_certificates():
    """MAY: they are tested where access is."""
    assert "certificate" in subprocess.run([str(COMITY), "help", "access", "add"], capture_output=True, text=True,
                                           timeout=60).stdout


def test_item_011_omitted_for_who_may_not_see(lab):
    seen = {name: {c["alias"] for c in lab.caller(name).json("collections/")["collections"]}
            for name in ("nobody", "stranger", "team", "operator")}
    assert "open" in seen["nobody"] and "shared" not in seen["nobody"] and "notices" not in seen["nobody"]
    assert "shared" not in seen["stranger"] and "notices" in seen["stranger"]
    assert "shared" in seen["team"] and "hidden" not in seen["team"]
    assert seen["team"] < seen["operator"]


def test_item_012_no_user_agent(lab):
    r = lab.raw("GET", ROOT + "collections/", {"Accept": MEDIA})
    assert r.status == 200


# --- B. URLs and methods ---


def test_item_013_discovery_at_its_place(lab):
    assert lab.nobody.json("/taxii2/")["api_roots"]
    for path in ("/taxii/", "/taxii2/taxii2/", "/TAXII2/", "/comity/taxii2/"):
        lab.nobody.get(path, code=404)


def test_item_014_an_api_root(lab):
    roots = lab.nobody.json("/taxii2/")["api_roots"]
    assert len(roots) == len(set(roots)) >= 1
    for root in roots:
        assert lab.nobody.json(root)["title"]


def test_item_015_last_slash(lab):
    """Client. Without it the same answer, no redirect."""
    for path in ("/taxii2/", ROOT, ROOT + "collections/", ROOT + "collections/shared/"):
        assert lab.team.get(path[:-1]).content == lab.team.get(path).content
    lab.team.get("collections/shared/objects")
    lab.team.get("collections/shared/manifest")


def test_item_016_other_methods(lab):
    for path, method in (("/taxii2/", "POST"), ("collections/", "DELETE"), ("collections/shared/manifest/", "POST")):
        r = lab.team.ask(method, path, 405)
        assert "GET" in r.headers["Allow"]
        error_of(r, 405)
    assert lab.team.ask("HEAD", "/taxii2/", 200).content == b""


def test_item_017_tables(lab):
    """The success of every endpoint: code, headers, body."""
    bodies = {}
    for name, r in all_endpoints(lab):
        assert r.status_code == (202 if name == "post" else 200), name
        assert r.headers["Content-Type"] == MEDIA, name
        dated = name in ("manifest", "objects", "object", "versions")
        assert (FIRST in r.headers) == dated and (LAST in r.headers) == dated, name
        bodies[name] = r.json() if name != "delete" else r.content
    assert set(bodies["post"]) >= {"id", "status", "total_count", "success_count", "failure_count", "pending_count"}
    assert bodies["status"] == bodies["post"]
    assert bodies["delete"] == b""
    assert len(bodies["collections"]["collections"]) > 1
    assert len(bodies["objects"]["objects"]) == len(bodies["manifest"]["objects"]) == 2
    assert len(bodies["object"]["objects"]) == len(bodies["versions"]["versions"]) == 1


@pytest.mark.parametrize("path", ["objects/", "manifest/", "objects/{id}/", "objects/{id}/versions/"])
def test_item_018_all_endpoints_refuse_as_their_tables_say(lab, path):
    path = path.replace("{id}", now_id())
    error_of(lab.team.get(f"collections/shared/{path}", params={"limit": "x"}, code=None), 400)
    error_of(lab.nobody.get(f"collections/shared/{path}", code=None), 401)
    error_of(lab.team.get(f"collections/drop/{path}", code=None), 403)
    error_of(lab.team.get(f"collections/hidden/{path}", code=None), 404)
    error_of(lab.team.get(f"collections/shared/{path}", accept="application/vnd.oasis.taxii+json; version=2.0",
                          code=None), 406)


# --- C. Content negotiation ---


def test_item_019_version_less_accept(lab):
    """Client. The version parameter is only recommended."""
    assert lab.team.get("collections/", accept="application/taxii+json").json()


def test_item_020_content_type(lab):
    for _, r in all_endpoints(lab):
        assert r.headers["Content-Type"].replace(" ", "") == MEDIA
    for r in (lab.team.get("collections/nothing/", code=404), lab.nobody.get("collections/shared/", code=401)):
        assert r.headers["Content-Type"] == MEDIA


def test_item_021_highest_version(lab):
    for accept in ("*/*", "application/*", "application/taxii+json", None):
        assert lab.team.get("", accept=accept).headers["Content-Type"] == MEDIA


@pytest.mark.parametrize("accept", [
    "application/taxii+json", "application/taxii+json;version=2.1", "application/taxii+json; version=2.1",
    'application/taxii+json; version="2.1"', "APPLICATION/TAXII+JSON; VERSION=2.1", "*/*", None,
    "application/stix+json;version=2.1, application/taxii+json;version=2.1",
    "application/vnd.oasis.taxii+json; version=2.0, application/taxii+json;q=0.1"])
def test_item_022_accept(lab, accept):
    for path in ("/taxii2/", "", "collections/", "collections/shared/", "collections/shared/manifest/",
                 "collections/shared/objects/"):
        lab.team.get(path, accept=accept)


@pytest.mark.parametrize("content_type", [
    "application/taxii+json", "application/taxii+json;version=2.1", "application/taxii+json; version=2.1",
    "application/taxii+json; charset=utf-8; version=2.1"])
def test_item_023_content_type_of_a_post(lab, content_type):
    lab.team.post("shared", indicator(), content_type=content_type)


def test_item_024_other_accept_types(lab):
    """MAY. 406 makes clients fall back to TAXII 2.0, so it is for those who want that and nothing else."""
    for accept in ("text/html", "application/json", "application/stix+json;version=2.1"):
        assert lab.team.get("collections/", accept=accept).headers["Content-Type"] == MEDIA
    for accept in ("application/vnd.oasis.taxii+json; version=2.0", "application/vnd.oasis.stix+json; version=2.0",
                   "application/taxii+json;version=2.0"):
        error_of(lab.team.get("collections/", accept=accept, code=406), 406)


def test_item_025_other_content_types(lab):
    """MAY."""
    lab.team.post("shared", indicator(), content_type="application/json")
    for content_type in ("text/plain", "application/vnd.oasis.stix+json; version=2.0", "application/x-www-form-urlencoded"):
        error_of(lab.team.post("shared", indicator(), content_type=content_type, code=415), 415)


def test_item_026_a_post_without_media_types(lab):
    """Client. Accept may be missing; Content-Type must not."""
    body = json.dumps({"objects": [indicator()]}).encode()
    length = {"Content-Length": str(len(body))}
    assert lab.raw("POST", ROOT + "collections/shared/objects/", {"Content-Type": MEDIA, **length}, body).status == 202
    assert lab.raw("POST", ROOT + "collections/shared/objects/", length, body).status == 415


def test_item_027_bodies(lab):
    keys = {"discovery": "api_roots", "root": "versions", "status": "total_count", "collections": "collections",
            "collection": "can_read", "manifest": "objects", "objects": "objects", "object": "objects",
            "versions": "versions", "post": "status"}
    for name, r in all_endpoints(lab):
        assert name == "delete" or keys[name] in r.json()


# --- D. Data types ---


def no_twice(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


def test_item_028_i_json(lab):
    for name, r in all_endpoints(lab):
        if name != "delete":
            text = r.content.decode("utf-8")
            json.loads(text, object_pairs_hook=no_twice)
            text.encode("utf-8")  # no lone surrogates
    for bad in (b'{"objects":[{"type":"indicator","type":"malware"}]}', b'{"objects":[{"name":"\\ud800"}]}',
                b'{"objects":[{"name":"\xff"}]}', b'{"objects":[],"objects":[]}'):
        r = lab.team.post("shared", raw=bad, code=None)
        assert r.status_code in (400, 422), (bad, r.status_code)
        error_of(r, r.status_code)


def test_item_029_booleans(lab):
    for c in lab.team.json("collections/")["collections"]:
        assert c["can_read"] in (True, False) and type(c["can_read"]) is bool and type(c["can_write"]) is bool
    alias = lab.fresh()
    lab.team.add(alias, indicator(), indicator())
    assert lab.team.json(f"collections/{alias}/objects/", limit=1)["more"] is True


def test_item_030_identifiers(lab):
    for c in lab.team.json("collections/")["collections"]:
        assert UUID4.fullmatch(c["id"]), c
    ids = {lab.team.add("shared", indicator())["id"] for _ in range(5)}
    assert len(ids) == 5 and all(UUID4.fullmatch(id) for id in ids)


def test_item_031_integers(lab):
    for name, r in all_endpoints(lab):
        if name not in ("delete", "objects", "object"):
            for _, value in walk(r.json()):
                assert not isinstance(value, float)
                assert not isinstance(value, int) or abs(value) < 2**53


def test_item_032_list_items(lab):
    for name, r in all_endpoints(lab):
        if name != "delete":
            for key, value in walk(r.json()):
                if isinstance(value, list):
                    assert len({type(item) for item in value}) == 1, (name, key)


def test_item_033_no_empty_lists(lab):
    alias = lab.fresh()
    bad = {**indicator(), "id": "indicator--x"}
    answers = [lab.team.get(f"collections/{alias}/objects/"), lab.team.get(f"collections/{alias}/manifest/"),
               lab.team.post(alias, bad), lab.team.post(alias, indicator())]
    answers += [r for name, r in all_endpoints(lab) if name != "delete"]
    for r in answers:
        for key, value in walk(r.json()):
            assert value != [], (key, r.text[:200])


def test_item_034_timestamps(lab):
    for name, r in all_endpoints(lab):
        for header in (FIRST, LAST):
            assert header not in r.headers or TIME6.fullmatch(r.headers[header])
        if name == "manifest":
            assert all(TIME6.fullmatch(o["date_added"]) for o in r.json()["objects"])
        if name in ("post", "status"):
            assert TIME6.fullmatch(r.json()["request_timestamp"])


def test_item_035_case_matters(lab):
    alias = lab.fresh()
    lab.team.add(alias, indicator(), indicator())
    assert len(lab.team.objects(alias, **{"Match[type]": "malware"})) == 2  # no such field
    assert len(lab.team.objects(alias, Limit=1)) == 2
    lab.team.get(f"collections/{alias}/objects/", params={"match[version]": "LAST"}, code=400)
    lab.team.get("Collections/", code=404)


REQUIRED = {
    "discovery": {"title": str},
    "root": {"title": str, "versions": list, "max_content_length": int},
    "status": {"id": str, "status": str, "total_count": int, "success_count": int, "failure_count": int,
               "pending_count": int},
    "collection": {"id": str, "title": str, "can_read": bool, "can_write": bool},
}
OPTIONAL = {
    "discovery": {"description": str, "contact": str, "default": str, "api_roots": list},
    "root": {"description": str},
    "status": {"request_timestamp": str, "successes": list, "failures": list, "pendings": list},
    "collection": {"description": str, "alias": str, "media_types": list},
}


def check_properties(kind, resource):
    for name, type_ in REQUIRED[kind].items():
        assert type(resource[name]) is type_, (kind, name)
    for name, value in resource.items():
        known = {**REQUIRED[kind], **OPTIONAL[kind]}
        assert name in known and type(value) is known[name], (kind, name)


def test_item_036_properties(lab):
    for name, r in all_endpoints(lab):
        if name in REQUIRED:
            check_properties(name, r.json())
        elif name == "post":
            check_properties("status", r.json())
        elif name == "collections":
            for c in r.json()["collections"]:
                check_properties("collection", c)


def test_item_037_valid_responses(lab):
    for name, r in all_endpoints(lab):
        if name in ("objects", "object"):
            assert set(r.json()) <= {"objects", "more", "next"}
            for o in r.json()["objects"]:
                assert o["id"].startswith(o["type"] + "--") and o["spec_version"] == "2.1"
        if name == "manifest":
            assert set(r.json()) <= {"objects", "more", "next"}
        if name == "versions":
            assert set(r.json()) <= {"versions", "more", "next"}


# --- E. Errors ---


def errors(lab):
    return [lab.nobody.get("collections/shared/", code=401), lab.team.get("collections/nothing/", code=404),
            lab.team.get("collections/drop/objects/", code=403), lab.team.get("x/", code=404),
            lab.team.get("collections/shared/objects/", params={"limit": 0}, code=400),
            lab.team.get("collections/", accept="application/taxii+json;version=2.0", code=406),
            lab.team.post("shared", raw=b"{", code=400), lab.team.post("shared", raw=b"{}", code=422),
            lab.team.post("shared", raw=b"{}", content_type="text/plain", code=415),
            lab.team.post("shared", raw=b" " * (17 << 20), code=413),
            lab.team.ask("PUT", "collections/shared/objects/", code=405)]


def test_item_038_error_bodies(lab):
    for r in errors(lab):
        error_of(r, r.status_code)


def test_item_039_error_titles(lab):
    for r in errors(lab):
        assert len(r.json()["title"]) > 2


def test_item_040_http_status(lab):
    for r in errors(lab):
        assert r.json()["http_status"] == str(r.status_code)


def test_item_041_details(lab):
    """MAY. Codes are ours, and say what to do."""
    for r in errors(lab):
        assert r.json()["error_code"] and len(r.json()["description"]) > 10


# --- F. Discovery ---


def test_item_042_discovery(lab):
    check_properties("discovery", lab.nobody.json("/taxii2/"))


def test_item_043_default(lab):
    d = lab.nobody.json("/taxii2/")
    assert d["default"] in d["api_roots"]


def test_item_044_api_roots(lab):
    for root in lab.nobody.json("/taxii2/")["api_roots"]:
        assert root.startswith("https://") or re.match(r"/[^/.]", root), root


def test_item_045_no_query(lab):
    assert all("?" not in root and "#" not in root for root in lab.nobody.json("/taxii2/")["api_roots"])


def test_item_046_roots_for_all(lab):
    """MAY be filtered. They are not: they are the same for everyone."""
    assert lab.nobody.json("/taxii2/") == lab.team.json("/taxii2/")


# --- G. API root ---


def test_item_047_root(lab):
    check_properties("root", lab.nobody.json(""))


def test_item_048_versions(lab):
    versions = lab.nobody.json("")["versions"]
    assert MEDIA in versions and all(re.fullmatch(r"application/taxii\+json;version=\d\.\d", v) for v in versions)


def test_item_049_max_content_length(lab):
    assert lab.nobody.json("")["max_content_length"] > 0


def test_item_050_413(lab):
    most = lab.nobody.json("")["max_content_length"]
    body = json.dumps({"objects": [indicator()]}).encode()
    lab.team.post("shared", raw=body + b" " * (most - len(body) - 1))
    lab.team.post("shared", raw=body + b" " * (most - len(body)))
    error_of(lab.team.post("shared", raw=body + b" " * (most - len(body) + 1), code=None), 413)


# --- H. Status ---


def test_item_051_kept_over_a_restart(lab):
    """SHOULD: 24 hours. It is in the journal for two days (tests/unit/test_posting.c has the clock)."""
    status = lab.team.add("shared", indicator())
    lab.restart()
    assert lab.team.json(f"status/{status['id']}/") == status


def test_item_052_unknown_status(lab):
    status = lab.team.add("shared", indicator())
    for id in (uuid.uuid4(), "x", status["id"].upper()):
        error_of(lab.team.get(f"status/{id}/", code=None), 404)
    error_of(lab.other.get(f"status/{status['id']}/", code=None), 404)  # somebody else's
    assert lab.reader.json(f"status/{status['id']}/") == status  # of the same party


def test_item_053_status(lab):
    check_properties("status", lab.team.add("shared", indicator()))


def test_item_054_complete(lab):
    status = lab.team.add("shared", indicator())
    assert status["status"] == "complete"
    lab.team.add("shared", indicator())
    assert lab.team.json(f"status/{status['id']}/") == status


def test_item_055_counts(lab):
    status = lab.team.post("shared", indicator(), {"id": "x"}, indicator()).json()
    assert status["success_count"] == 2 and status["failure_count"] == 1 and status["pending_count"] == 0
    assert status["total_count"] == 3
    assert len(status["successes"]) == 2 and len(status["failures"]) == 1 and "pendings" not in status


def test_item_056_status_details(lab):
    one, sco = indicator(), address()
    status = lab.team.post("shared", one, sco, {"type": "indicator"}, {**indicator(), "modified": 7}).json()
    assert [d["id"] for d in status["successes"]] == [one["id"], sco["id"]]
    for d in status["successes"] + status["failures"]:
        assert re.fullmatch(r"[a-z0-9-]+--.+", d["id"]) and d["version"]
        assert set(d) <= {"id", "version", "message"}
    assert all(d["message"] for d in status["failures"])


def test_item_057_version_of_a_detail(lab):
    one = indicator(modified="2026-03-04T05:06:07.891Z")
    created = {k: v for k, v in indicator().items() if k != "modified"}
    marking = {"type": "marking-definition", "spec_version": "2.1", "id": now_id("marking-definition"),
               "created": "2026-02-02T00:00:00.000Z", "definition_type": "statement", "definition": {"statement": "mine"}}
    status = lab.team.post("shared", one, marking, created, address()).json()
    versions = {d["id"]: d["version"] for d in status["successes"] + status.get("failures", [])}
    assert versions[one["id"]] == one["modified"]
    assert versions[marking["id"]] == marking["created"]
    assert versions[created["id"]] == created["created"]
    assert all(versions.values())


def test_item_058_details_for_each_object(lab):
    """MAY."""
    objects = [indicator(n) for n in range(20)]
    status = lab.team.add("shared", *objects)
    assert [d["id"] for d in status["successes"]] == [o["id"] for o in objects]


# --- I. Collections ---


def test_item_059_order(lab):
    ids = [c["id"] for c in lab.team.json("collections/")["collections"]]
    assert ids == sorted(ids) == [c["id"] for c in lab.team.json("collections/")["collections"]]


def test_item_060_no_collections(tmp_path):
    """A tool that may write and is not allowed to write anywhere sees none."""
    lab = Lab(tmp_path)
    try:
        lab.stop()
        lab.node.run("access", "add", "writer", "--party", "stranger.example", "--rights", "write", "--password-file",
                     tmp_path / "password", "--replace")
        lab.start()
        assert lab.writer.get("collections/").json() == {}
    finally:
        lab.stop()


def test_item_061_rights(lab):
    want = {"team": {"shared": (True, True), "feed": (True, False), "drop": (False, True), "open": (True, True),
                     "named": (True, True)},
            "reader": {"shared": (True, False), "open": (True, False)},
            "writer": {"shared": (False, True), "drop": (False, True)},
            "stranger": {"open": (True, False)},
            "operator": {"hidden": (True, True)}}
    for name, rights in want.items():
        found = {c["alias"]: (c["can_read"], c["can_write"]) for c in lab.caller(name).json("collections/")["collections"]}
        for alias, pair in rights.items():
            assert found[alias] == pair, (name, alias)
            c = lab.caller(name).json(f"collections/{alias}/")
            assert (c["can_read"], c["can_write"]) == pair
        assert name == "operator" or "hidden" not in found


def test_item_062_alias(lab):
    all_ = lab.team.json("collections/")["collections"]
    aliases = [c["alias"] for c in all_]
    assert len(aliases) == len(set(aliases))
    for c in all_:
        assert lab.team.json(f"collections/{c['alias']}/") == lab.team.json(f"collections/{c['id']}/") == c
    lab.team.add("shared", indicator())
    assert lab.team.objects("shared") == lab.team.objects(lab.ids["shared"])


def test_item_063_media_types(lab):
    alias = lab.fresh()
    old = {k: v for k, v in indicator().items() if k in ("type", "id", "created", "modified", "labels", "valid_from")}
    lab.team.post(alias, indicator(), {**old, "labels": ["x"], "pattern": "[file:name = 'a']"})
    listed = lab.team.json(f"collections/{alias}/")["media_types"]
    for record in lab.team.manifest(alias):
        assert record["media_type"] in listed


# --- J. Sorting and filters ---


def filled(lab, count=10):
    alias, objects = lab.fresh(), [indicator(n) for n in range(count)]
    lab.team.add(alias, *objects)
    return alias, objects


def test_item_064_order(lab):
    alias, objects = filled(lab)
    more = [indicator(n) for n in range(5)]
    for o in more:
        lab.team.add(alias, o)
    dates = [r["date_added"] for r in lab.team.manifest(alias)]
    assert dates == sorted(dates) and len(set(dates)) == 15
    assert [o["id"] for o in lab.team.objects(alias)] == [o["id"] for o in objects + more]
    assert [r["id"] for r in lab.team.manifest(alias)] == [o["id"] for o in objects + more]


@pytest.mark.parametrize("query", [
    "limit=0", "limit=-1", "limit=x", "limit=", "limit=1&limit=2", "limit=9007199254740992", "limit=1.5",
    "added_after=yesterday", "added_after=2026-01-01", "added_after=2026-01-01T00:00:00",
    "added_after=2026-01-01T00:00:00.1234567890Z", "added_after=2026-01-01T00:00:00%2B01:00",
    "added_after=2026-13-01T00:00:00Z", "added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z",
    "match[type]=", "match[type]=a%20b", "match[type]=indicator&match[type]=malware", "match[id]=x",
    "match[version]=new", "match[version]=all,last", "match[version]=last,last", "match[spec_version]=x",
    "next=", "next=x", "next=AAAA", "match[type]=%ff"])
def test_item_065_malformed(lab, query):
    for path in ("objects/", "manifest/"):
        error_of(lab.team.get(f"collections/shared/{path}?{query}", code=None), 400)


def test_item_065_bad_encoding(lab):
    for query in ("%zz=1", "limit=%", "match[type]=indicator%00", "match[type]=%c3%28"):
        assert lab.raw("GET", f"{ROOT}collections/shared/objects/?{query}", {"Accept": MEDIA}).status == 400, query


def test_item_066_added_after(lab):
    alias, objects = filled(lab)
    dates = [r["date_added"] for r in lab.team.manifest(alias)]
    for i in (0, 4, 9):
        assert lab.team.objects(alias, added_after=dates[i]) == lab.team.objects(alias)[i + 1:]
    assert lab.team.objects(alias, added_after=dates[4][:-4] + "Z") == lab.team.objects(alias)[
        next(n for n, d in enumerate(dates) if d > dates[4][:-4] + "000Z"):]
    assert len(lab.team.objects(alias, added_after="2020-01-01T00:00:00Z")) == 10
    assert lab.team.objects(alias, added_after="2099-01-01T00:00:00.000000Z") == []


def test_item_067_oldest_first(lab):
    alias, objects = filled(lab)
    assert lab.team.objects(alias, limit=1)[0]["id"] == objects[0]["id"]


def test_item_068_not_the_objects_time(lab):
    alias = lab.fresh()
    lab.team.add(alias, indicator(1, modified="2030-01-01T00:00:00.000Z"))
    mark = lab.team.manifest(alias)[0]["date_added"]
    old = indicator(2, modified="2026-01-01T00:00:00.001Z")
    lab.team.add(alias, old)
    assert [o["id"] for o in lab.team.objects(alias, added_after=mark)] == [old["id"]]


def test_item_069_limit(lab):
    alias, _ = filled(lab)
    for good in (1, 2**53 - 1):
        lab.team.get(f"collections/{alias}/objects/", params={"limit": good})
    for bad in (0, -1, 2**53, "1e3", "0x10", " 1"):
        for path in ("objects/", "manifest/"):
            error_of(lab.team.get(f"collections/{alias}/{path}", params={"limit": bad}, code=None), 400)


def test_item_070_never_more_than_limit(lab):
    alias, objects = filled(lab)
    versions = [indicator(0, id=objects[0]["id"], modified=f"2026-02-01T00:00:0{n}.000Z") for n in range(5)]
    lab.team.add(alias, *versions)
    for limit in range(1, 12):
        want = min(limit, 10)
        assert len(lab.team.objects(alias, limit=limit)) == want
        assert len(lab.team.manifest(alias, limit=limit)) == want
    c = f"collections/{alias}/objects/{objects[0]['id']}/"
    assert len(lab.team.json(c, limit=2, **{"match[version]": "all"})["objects"]) == 2
    assert len(lab.team.json(c + "versions/", limit=2)["versions"]) == 2


def test_item_071_all_that_fit(lab):
    alias, _ = filled(lab, 300)
    r = lab.team.json(f"collections/{alias}/objects/", limit=300)
    assert len(r["objects"]) == 300 and "more" not in r and "next" not in r
    assert len(lab.team.objects(alias)) == 300


def test_item_072_fewer_than_limit(lab):
    """MAY: the server's own limit is 1,000 objects."""
    alias, _ = filled(lab, 1100)
    r = lab.team.json(f"collections/{alias}/objects/", limit=5000)
    assert len(r["objects"]) == 1000 and r["more"] is True and r["next"]


def test_item_073_more(lab):
    alias, _ = filled(lab)
    for path in ("objects/", "manifest/"):
        r = lab.team.json(f"collections/{alias}/{path}", limit=9)
        assert r["more"] is True and r["next"]
        r = lab.team.json(f"collections/{alias}/{path}", limit=10)
        assert r.get("more", False) is False and "next" not in r


def pages(lab, path, limit=3, keep=True, **filters):
    """All pages by next, with or without the filters beside it."""
    r = lab.team.json(path, limit=limit, **filters)
    yield r
    while r.get("more"):
        r = lab.team.json(path, limit=limit, next=r["next"], **(filters if keep else {}))
        yield r


def test_item_074_next(lab):
    alias, objects = filled(lab)
    malware = [{**indicator(n), "type": "tool", "id": now_id("tool")} for n in range(7)]
    for m in malware:
        for name in ("pattern", "pattern_type", "valid_from", "indicator_types"):
            del m[name]
    lab.team.add(alias, *malware)
    path = f"collections/{alias}/objects/"
    for keep in (True, False):
        got = [o["id"] for p in pages(lab, path, keep=keep, **{"match[type]": "tool"}) for o in p["objects"]]
        assert got == [m["id"] for m in malware]
    first = lab.team.json(path, limit=2, **{"match[type]": "tool"})
    error_of(lab.team.get(path, params={"next": first["next"], "match[type]": "indicator"}, code=None), 400)
    once, twice = (lab.team.json(path, next=first["next"], limit=2) for _ in range(2))
    assert once == twice  # the same page, always
    lab.restart()
    assert lab.team.json(path, next=first["next"], limit=2) == once


def test_item_075_fields_are_anded(lab):
    alias, objects = filled(lab)
    ids = f"{objects[0]['id']},{objects[1]['id']}"
    assert len(lab.team.objects(alias, **{"match[id]": ids, "match[type]": "indicator"})) == 2
    assert lab.team.objects(alias, **{"match[id]": ids, "match[type]": "malware"}) == []
    for path in ("objects/", "manifest/"):
        error_of(lab.team.get(f"collections/{alias}/{path}?match[type]=indicator&match[type]=malware", code=None), 400)


def test_item_076_values_are_ored(lab):
    alias, objects = filled(lab)
    someone = identity()
    lab.team.add(alias, someone, address())
    found = lab.team.objects(alias, **{"match[type]": "identity,ipv4-addr,malware"})
    assert [o["type"] for o in found] == ["identity", "ipv4-addr"]
    ids = ",".join(o["id"] for o in (objects[3], someone, objects[1]))
    assert [o["id"] for o in lab.team.objects(alias, **{"match[id]": ids})] == [objects[1]["id"], objects[3]["id"],
                                                                               someone["id"]]
    lab.team.get(f"collections/{alias}/objects/", params={"match[type]": "identity, malware"}, code=400)


def test_item_077_unknown_fields(lab):
    """MAY be ignored."""
    alias, _ = filled(lab)
    assert len(lab.team.objects(alias, **{"match[confidence]": "5", "x": "y"})) == 10


def test_item_078_fields_that_must_work(lab):
    alias = lab.fresh()
    one = indicator(1)
    later = {**one, "modified": "2026-02-01T00:00:00.000Z"}
    lab.team.add(alias, one, later, identity())
    for path in ("objects/", "manifest/"):
        for query, count in (({"match[id]": one["id"]}, 1), ({"match[type]": "identity"}, 1),
                             ({"match[version]": "all"}, 3), ({"match[spec_version]": "2.1"}, 2),
                             ({"match[spec_version]": "2.0"}, 0)):
            assert len(lab.team.json(f"collections/{alias}/{path}", **query).get("objects", [])) == count, (path, query)
    c = f"collections/{alias}/objects/{one['id']}/"
    assert len(lab.team.json(c, **{"match[version]": "all"})["objects"]) == 2
    assert lab.team.json(c, **{"match[spec_version]": "2.0"}) == {}
    assert len(lab.team.json(c, **{"match[spec_version]": "2.1"})["objects"]) == 1
    assert lab.team.json(c + "versions/", **{"match[spec_version]": "2.0"}) == {}
    assert len(lab.team.json(c + "versions/", **{"match[spec_version]": "2.1"})["versions"]) == 2
    lab.team.delete(alias, one["id"], code=404, **{"match[spec_version]": "2.0"})
    lab.team.delete(alias, one["id"], **{"match[spec_version]": "2.1", "match[version]": "first"})
    assert lab.team.json(c + "versions/")["versions"] == [later["modified"]]


def old_indicator(id, modified="2026-01-01T00:00:00.000Z"):
    """STIX 2.0: no spec_version."""
    return {"type": "indicator", "id": id, "created": "2026-01-01T00:00:00.000Z", "modified": modified,
            "labels": ["malicious-activity"], "pattern": "[ipv4-addr:value = '192.0.2.1']",
            "valid_from": "2026-01-01T00:00:00.000Z"}


def test_item_079_spec_version(lab):
    alias, both, old = lab.fresh(), now_id(), now_id()
    lab.team.add(alias, old_indicator(both), old_indicator(old), indicator(1, id=both, modified="2026-03-01T00:00:00.000Z"))
    got = {o["id"]: o.get("spec_version", "2.0") for o in lab.team.objects(alias)}
    assert got == {both: "2.1", old: "2.0"}
    got = {o["id"] for o in lab.team.objects(alias, **{"match[spec_version]": "2.0"})}
    assert got == {both, old}
    assert all("spec_version" not in o for o in lab.team.objects(alias, **{"match[spec_version]": "2.0"}))
    assert [o["id"] for o in lab.team.objects(alias, **{"match[spec_version]": "2.1"})] == [both]
    assert lab.team.objects(alias, **{"match[spec_version]": "9.9"}) == []


STIX_TYPES = """attack-pattern campaign course-of-action grouping identity incident indicator infrastructure intrusion-set
location malware malware-analysis note observed-data opinion report threat-actor tool vulnerability relationship sighting
artifact autonomous-system directory domain-name email-addr email-message file ipv4-addr ipv6-addr mac-addr mutex
network-traffic process software url user-account windows-registry-key x509-certificate marking-definition
language-content extension-definition bundle x-custom""".split()


def test_item_080_types(lab):
    alias, _ = filled(lab)
    for type_ in STIX_TYPES:
        got = lab.team.objects(alias, **{"match[type]": type_})
        assert len(got) == (10 if type_ == "indicator" else 0)


def versions_of(lab, count=3):
    alias, id = lab.fresh(), now_id()
    versions = [indicator(n, id=id, modified=f"2026-0{n + 1}-01T00:00:00.000Z") for n in range(count)]
    lab.team.add(alias, *versions)
    return alias, id, [v["modified"] for v in versions]


def test_item_081_latest_only(lab):
    alias, id, times = versions_of(lab)
    assert [o["modified"] for o in lab.team.objects(alias)] == times[-1:]
    assert [r["version"] for r in lab.team.manifest(alias)] == times[-1:]
    assert [o["modified"] for o in lab.team.json(f"collections/{alias}/objects/{id}/")["objects"]] == times[-1:]
    older = indicator(9, id=id, modified="2026-01-15T00:00:00.000Z")
    lab.team.add(alias, older)  # came last and is not the latest
    assert [o["modified"] for o in lab.team.objects(alias)] == times[-1:]


def test_item_082_unversioned(lab):
    alias, sco = lab.fresh(), address()
    marking = {"type": "marking-definition", "spec_version": "2.1", "id": now_id("marking-definition"),
               "created": "2026-02-02T00:00:00.000Z", "definition_type": "statement", "definition": {"statement": "mine"}}
    lab.team.add(alias, sco, marking)
    versions = {r["id"]: r["version"] for r in lab.team.manifest(alias)}
    assert versions[marking["id"]] == marking["created"]
    assert versions[sco["id"]] == {r["id"]: r["version"] for r in lab.team.manifest(alias)}[sco["id"]]
    c = f"collections/{alias}/objects/{sco['id']}/versions/"
    assert lab.team.json(c)["versions"] == [versions[sco["id"]]]


def test_item_083_version_words(lab):
    alias, id, times = versions_of(lab, 5)

    def got(value):
        return [o["modified"] for o in lab.team.objects(alias, **{"match[version]": value})]

    assert got("last") == times[-1:] and got("first") == times[:1] and got("all") == times
    assert got("first,last") == [times[0], times[-1]]
    assert got(f"{times[2]},first") == [times[0], times[2]]
    assert got(f"{times[2]},{times[1]}") == times[1:3]
    for bad in ("all,last", f"all,{times[0]}", "last,last", f"{times[0]},{times[0]}", "last,"):
        lab.team.get(f"collections/{alias}/objects/", params={"match[version]": bad}, code=400)


def test_item_084_exact_version(lab):
    alias, id = lab.fresh(), now_id()
    times = ["2026-01-01T00:00:00.100Z", "2026-01-01T00:00:00.1001Z", "2026-01-01T00:00:00.100100001Z"]
    lab.team.add(alias, *(indicator(n, id=id, modified=t) for n, t in enumerate(times)))
    for t in times:
        assert [o["modified"] for o in lab.team.objects(alias, **{"match[version]": t})] == [t]
    same = "2026-01-01T00:00:00.1Z"  # another spelling of one instant
    assert [o["modified"] for o in lab.team.objects(alias, **{"match[version]": same})] == times[:1]
    assert lab.team.objects(alias, **{"match[version]": "2026-01-01T00:00:00.1002Z"}) == []


def test_item_085_the_object_counts(lab):
    alias = lab.fresh()
    sco = address()
    lab.team.add(alias, sco)
    assert [r["id"] for r in lab.team.manifest(alias, **{"match[version]": "all", "match[type]": "ipv4-addr"})] == [sco["id"]]
    record = lab.team.manifest(alias)[0]
    assert record["media_type"] == "application/stix+json;version=2.1"
    assert [r["id"] for r in lab.team.manifest(alias, **{"match[spec_version]": "2.1"})] == [sco["id"]]


def test_item_086_filters_everywhere(lab):
    alias, id, times = versions_of(lab, 4)
    c = f"collections/{alias}/objects/{id}/"
    dates = [r["date_added"] for r in lab.team.manifest(alias, **{"match[version]": "all"})]
    assert [o["modified"] for o in lab.team.json(c, added_after=dates[1], **{"match[version]": "all"})["objects"]] == times[2:]
    assert lab.team.json(c + "versions/", added_after=dates[1])["versions"] == times[2:]
    assert [v for p in pages(lab, c + "versions/", limit=1) for v in p["versions"]] == times
    assert lab.team.json(c, added_after=dates[3]) == {}


# --- K. Paging ---


def dated_paths(alias, id):
    return [f"collections/{alias}/manifest/", f"collections/{alias}/objects/", f"collections/{alias}/objects/{id}/",
            f"collections/{alias}/objects/{id}/versions/"]


def test_item_087_headers_always(lab):
    alias, id, _ = versions_of(lab)
    for path in dated_paths(alias, id):
        for params in ({}, {"limit": 1}, {"added_after": "2099-01-01T00:00:00Z"}, {"match[spec_version]": "2.0"}):
            r = lab.team.get(path, params=params)
            assert TIME6.fullmatch(r.headers[FIRST]) and TIME6.fullmatch(r.headers[LAST]), (path, params)
    r = lab.team.get(f"collections/{alias}/objects/", params={"added_after": "2099-01-01T00:00:00Z"})
    assert r.json() == {} and r.headers[FIRST] == r.headers[LAST] == "2099-01-01T00:00:00.000000Z"


def test_item_088_what_the_headers_say(lab):
    alias, objects = filled(lab)
    records = lab.team.manifest(alias)
    for path in ("objects/", "manifest/"):
        r = lab.team.get(f"collections/{alias}/{path}", params={"limit": 4, "added_after": records[2]["date_added"]})
        assert r.headers[FIRST] == records[3]["date_added"] and r.headers[LAST] == records[6]["date_added"]
    empty = lab.team.get(f"collections/{lab.fresh()}/objects/")
    assert empty.headers[LAST] <= records[0]["date_added"]  # nothing is skipped by whoever goes on from there


def test_item_089_more_for_whatever_reason(lab):
    alias, id, times = versions_of(lab, 5)
    for path in dated_paths(alias, id)[2:]:
        r = lab.team.json(path, limit=2, **{"match[version]": "all"})
        assert r["more"] is True and r["next"]
    alias, _ = filled(lab, 1001)
    assert lab.team.json(f"collections/{alias}/objects/")["more"] is True


def test_item_090_two_ways_to_go_on(lab):
    alias, objects = filled(lab, 25)
    lab.team.add(alias, *(indicator(n, id=o["id"], modified="2026-05-01T00:00:00.000Z")
                          for n, o in enumerate(objects[:5])))
    for path, filters in (("objects/", {}), ("manifest/", {}), ("objects/", {"match[version]": "all"}),
                          ("manifest/", {"match[version]": "first,last", "match[type]": "indicator"})):
        path = f"collections/{alias}/{path}"
        whole = lab.team.json(path, **filters)["objects"]
        by_next = [o for p in pages(lab, path, limit=4, **filters) for o in p["objects"]]
        by_date, after = [], {}
        while True:
            r = lab.team.get(path, params={"limit": 4, **filters, **after})
            by_date += r.json().get("objects", [])
            after = {"added_after": r.headers[LAST]}
            if not r.json().get("more"):
                break
        assert by_next == by_date == whole


def test_item_091_deletions_while_paging(lab):
    """MAY end with an empty page. What is left is given, once."""
    alias, objects = filled(lab, 12)
    r = lab.team.json(f"collections/{alias}/objects/", limit=4)
    for o in objects[4:8]:
        lab.team.delete(alias, o["id"])
    rest = [o["id"] for p in [lab.team.json(f"collections/{alias}/objects/", next=r["next"])] for o in p["objects"]]
    assert rest == [o["id"] for o in objects[8:]]
    r = lab.team.json(f"collections/{alias}/objects/", limit=4)
    for o in objects[8:]:
        lab.team.delete(alias, o["id"])
    assert lab.team.json(f"collections/{alias}/objects/", next=r["next"]) == {}


def test_item_092_next_is_never_trusted(lab):
    alias, objects = filled(lab)
    other, _ = filled(lab)
    path = f"collections/{alias}/objects/"
    next_ = lab.team.json(path, limit=3)["next"]
    for bad in (next_[:-1], next_ + "A", next_[::-1], "B" + next_[1:], "0", "-1", "e30", "' or 1=1", "%00"):
        error_of(lab.team.get(path, params={"next": bad}, code=None), 400)
    error_of(lab.team.get(f"collections/{other}/objects/", params={"next": next_}, code=None), 400)
    error_of(lab.team.get(path + objects[0]["id"] + "/", params={"next": next_}, code=None), 400)
    error_of(lab.nobody.get(path, params={"next": next_}, code=None), 401)
    error_of(lab.stranger.get(path, params={"next": next_}, code=None), 404)
    red = [indicator(n, object_marking_refs=[RED]) for n in range(5)]  # a cursor opens nothing
    lab.team.add("named", *red)
    cursor = lab.team.json("collections/named/objects/", limit=2)["next"]
    error_of(lab.other.get("collections/named/objects/", params={"next": cursor}, code=None), 403)


# --- L. Manifest ---


def test_item_093_manifest_without_the_right(lab):
    error_of(lab.team.get("collections/drop/manifest/", code=None), 403)
    error_of(lab.team.get("collections/hidden/manifest/", code=None), 404)


def test_item_094_records(lab):
    alias, id, times = versions_of(lab)
    records = lab.team.manifest(alias, **{"match[version]": "all"})
    assert [r["version"] for r in records] == times
    media = lab.team.json(f"collections/{alias}/")["media_types"]
    for r in records:
        assert set(r) == {"id", "date_added", "version", "media_type"}
        assert r["id"] == id and r["media_type"] in media


def test_item_095_version_of_a_record(lab):
    alias = lab.fresh()
    one = indicator(modified="2026-02-03T04:05:06.789Z")
    lab.team.add(alias, one)
    assert lab.team.manifest(alias)[0]["version"] == one["modified"]


def test_item_096_no_records(lab):
    assert lab.team.json(f"collections/{lab.fresh()}/manifest/") == {}


# --- M. Get objects ---


def test_item_097_envelope(lab):
    alias, objects = filled(lab)
    r = lab.team.json(f"collections/{alias}/objects/")
    assert "type" not in r and "id" not in r and r["objects"] == objects
    sco = address(7)
    lab.team.add(alias, sco)
    assert lab.team.objects(alias)[-1] == {**sco, "spec_version": "2.1"}  # its default is said, some clients look for it


def test_item_098_nothing(lab):
    assert lab.team.json(f"collections/{lab.fresh()}/objects/") == {}
    alias, _ = filled(lab)
    assert lab.team.json(f"collections/{alias}/objects/", **{"match[type]": "malware"}) == {}


def test_item_099_objects_without_the_right(lab):
    error_of(lab.team.get("collections/drop/objects/", code=None), 403)
    error_of(lab.team.get("collections/hidden/objects/", code=None), 404)
    error_of(lab.writer.get("collections/shared/objects/", code=None), 403)


# --- N. Add objects ---


def test_item_100_adding_without_the_right(lab):
    error_of(lab.team.post("feed", indicator(), code=None), 403)
    error_of(lab.team.post("hidden", indicator(), code=None), 404)
    error_of(lab.reader.post("shared", indicator(), code=None), 403)
    error_of(lab.team.post("statements", indicator(), code=None), 403)
    error_of(lab.nobody.post("open", indicator(), code=None), 401)


def test_item_101_accepted(lab):
    one = indicator()
    assert lab.team.post("shared", one).status_code == 202
    assert lab.team.json(f"collections/shared/objects/{one['id']}/")["objects"] == [one]  # done when it is answered


def test_item_102_duplicates(lab):
    alias, objects = filled(lab)
    before = lab.team.manifest(alias)
    status = lab.team.add(alias, *objects, objects[0])
    assert status["success_count"] == 11
    spelled = {**objects[0], "revoked": False}  # a default that is said says nothing else
    lab.team.add(alias, dict(reversed(spelled.items())))
    assert lab.team.manifest(alias) == before
    other = {**objects[0], "name": "something else"}
    status = lab.team.post(alias, other, indicator()).json()
    assert status["success_count"] == 1 and status["failure_count"] == 1
    message = status["failures"][0]["message"]
    assert message.startswith("conflict") and len(re.findall(r"\b[0-9a-f]{64}\b", message)) == 2
    assert lab.team.json(f"collections/{alias}/objects/{objects[0]['id']}/")["objects"] == [objects[0]]


def test_item_103_refused_posts(lab):
    most = lab.nobody.json("")["max_content_length"]
    error_of(lab.team.post("shared", raw=b" " * (most + 1), code=None), 413)
    error_of(lab.team.post("shared", raw=b"{}", content_type="text/csv", code=None), 415)
    for bad in (b"", b"{", b"objects", b'{"objects":[}', b"\xff\xfe"):
        error_of(lab.team.post("shared", raw=bad, code=None), 400)
    for bad in (b"{}", b'{"objects":[]}', b'{"objects":{}}', b'{"objects":"x"}', b'{"more":true}'):
        error_of(lab.team.post("shared", raw=bad, code=None), 422)
    deep = b'{"objects":[' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"]}"
    assert lab.team.post("shared", raw=deep, code=None).status_code in (400, 422)
    r = lab.team.post("shared", raw=b'{"objects":[1,null,"x",[]]}', code=None)
    assert r.status_code == 422 or r.json()["failure_count"] == 4


def test_item_104_not_an_envelope(lab):
    """Client. A bundle is none, and is taken as one: python-stix2 sends nothing else."""
    one = indicator()
    bundle = {"type": "bundle", "id": now_id("bundle"), "objects": [one]}
    assert lab.team.post("shared", raw=json.dumps(bundle).encode()).json()["success_count"] == 1
    assert lab.team.json(f"collections/shared/objects/{one['id']}/")["objects"] == [one]


def test_item_104_bad_objects_do_not_harm_good_ones(lab):
    alias, good = lab.fresh(), [indicator(n) for n in range(3)]
    bad = [{"id": "x"}, {**indicator(), "modified": "yesterday"}, {**indicator(), "type": "malware"},
           {k: v for k, v in indicator().items() if k != "pattern"}, {**indicator(), "valid_until": "2020-01-01T00:00:00Z"},
           {**indicator(), "pattern": "[ipv4-addr:value ="}]
    status = lab.team.post(alias, bad[0], good[0], *bad[1:4], good[1], *bad[4:], good[2]).json()
    assert status["success_count"] == 3 and status["failure_count"] == len(bad)
    assert [o["id"] for o in lab.team.objects(alias)] == [g["id"] for g in good]
    for failure in status["failures"]:
        assert re.match(r"[a-z-]+( \(STIX [0-9.]+\))?: ", failure["message"]), failure


# --- O. Get an object ---


def test_item_105_an_object(lab):
    alias, id, times = versions_of(lab)
    c = f"collections/{alias}/objects/{id}/"
    assert lab.team.json(c) == lab.team.json(f"collections/{alias}/objects/", **{"match[id]": id})
    assert lab.team.json(c, **{"match[version]": "first"})["objects"][0]["modified"] == times[0]
    assert len(lab.team.json(c, **{"match[type]": "malware", "match[id]": "x"})["objects"]) == 1  # no filters here


def test_item_106_unknown_object(lab):
    alias, id, _ = versions_of(lab)
    error_of(lab.team.get(f"collections/drop/objects/{id}/", code=None), 403)
    error_of(lab.team.get(f"collections/hidden/objects/{id}/", code=None), 404)
    for unknown in (now_id(), "x", "indicator--x", id.upper()):
        error_of(lab.team.get(f"collections/{alias}/objects/{unknown}/", code=None), 404)
    c = f"collections/{alias}/objects/{id}/"
    assert lab.team.json(c, **{"match[version]": "2020-01-01T00:00:00.000Z"}) == {}
    assert lab.team.json(c, **{"match[spec_version]": "2.0"}) == {}


# --- P. Delete ---


def test_item_107_delete(lab):
    alias, objects = filled(lab)
    r = lab.team.delete(alias, objects[0]["id"])
    assert r.content == b"" and r.headers["Content-Type"] == MEDIA
    assert len(lab.team.objects(alias)) == 9


def test_item_108_delete_without_any_right(lab):
    one = indicator()
    lab.operator.add("hidden", one)
    error_of(lab.team.delete("hidden", one["id"], code=None), 404)


def test_item_109_delete_with_reading_only(lab):
    one = indicator()
    lab.operator.add("feed", one)
    error_of(lab.team.delete("feed", one["id"], code=None), 403)
    alias, objects = filled(lab)
    error_of(lab.reader.delete(alias, objects[0]["id"], code=None), 403)
    assert len(lab.team.objects(alias)) == 10


def test_item_110_delete_with_writing_only(lab):
    one = indicator()
    lab.team.add("drop", one)
    error_of(lab.team.delete("drop", one["id"], code=None), 403)
    alias, objects = filled(lab)
    error_of(lab.writer.delete(alias, objects[0]["id"], code=None), 403)


def test_item_111_gone(lab):
    alias, id, times = versions_of(lab, 4)
    path = f"collections/{alias}/objects/{id}/"
    lab.team.delete(alias, id, **{"match[version]": times[1]})
    error_of(lab.team.get(path, params={"match[version]": times[1]}, code=None), 404)
    assert lab.team.json(path + "versions/")["versions"] == [times[0], times[2], times[3]]
    lab.team.delete(alias, id, **{"match[version]": "last"})
    assert lab.team.objects(alias)[0]["modified"] == times[2]
    lab.team.delete(alias, id)  # all that is left, not only the latest
    error_of(lab.team.get(path, code=None), 404)
    error_of(lab.team.get(path + "versions/", code=None), 404)
    error_of(lab.team.delete(alias, id, code=None), 404)
    assert lab.team.objects(alias, **{"match[version]": "all"}) == lab.team.manifest(alias) == []
    again = lab.team.post(alias, indicator(3, id=id, modified=times[3])).json()  # it does not come back
    assert again["failure_count"] == 1 and again["failures"][0]["message"].startswith("deleted")
    lab.team.add(alias, indicator(3, id=id, modified="2027-01-01T00:00:00.000Z"))  # a new version may


def test_item_111_followers_hear_of_it(lab):
    """Our own list of deletions, for those who copy a collection."""
    alias, objects = filled(lab)
    path = f"collections/{alias}/deletions/"
    assert lab.team.json(path) == {}
    for o in objects[:5]:
        lab.team.delete(alias, o["id"])
    r = lab.team.get(path)
    assert [(d["id"], d["version"]) for d in r.json()["deletions"]] == [(o["id"], o["modified"]) for o in objects[:5]]
    dates = [d["date_deleted"] for d in r.json()["deletions"]]
    assert dates == sorted(set(dates)) and r.headers[LAST] == dates[-1] and r.headers[FIRST] == dates[0]
    got, params = [], {}
    while True:
        page = lab.team.json(path, limit=2, **params)
        got += [d["id"] for d in page["deletions"]]
        if not page.get("more"):
            break
        params = {"next": page["next"]}
    assert got == [o["id"] for o in objects[:5]]
    assert [d["id"] for d in lab.team.json(path, added_after=dates[2])["deletions"]] == [o["id"] for o in objects[3:5]]
    error_of(lab.team.get("collections/drop/deletions/", code=None), 403)
    error_of(lab.nobody.get(path, code=None), 401)


def test_item_112_other_collections(lab):
    """MAY vanish there too: it does not."""
    (alias, objects), other = filled(lab), lab.fresh()
    lab.team.add(other, *objects)
    lab.team.delete(alias, objects[0]["id"])
    assert len(lab.team.objects(other)) == 10


# --- Q. Versions ---


def test_item_113_versions(lab):
    error_of(lab.team.get(f"collections/drop/objects/{now_id()}/versions/", code=None), 403)
    error_of(lab.team.get(f"collections/hidden/objects/{now_id()}/versions/", code=None), 404)
    alias, id, times = versions_of(lab)
    assert lab.team.json(f"collections/{alias}/objects/{id}/versions/") == {"versions": times}
    marking = {"type": "marking-definition", "spec_version": "2.1", "id": now_id("marking-definition"),
               "created": "2026-02-02T00:00:00.000Z", "definition_type": "statement", "definition": {"statement": "mine"}}
    lab.team.add(alias, marking)
    assert lab.team.json(f"collections/{alias}/objects/{marking['id']}/versions/")["versions"] == [marking["created"]]


def test_item_114_no_versions(lab):
    alias, id, _ = versions_of(lab)
    assert lab.team.json(f"collections/{alias}/objects/{id}/versions/", added_after="2099-01-01T00:00:00Z") == {}


# --- R. Custom properties ---


def test_item_115_names(lab):
    """Ours begin with the source's name; resources of the standard have none of them (item 36)."""
    for name, r in all_endpoints(lab):
        if name in REQUIRED:
            for key in r.json():
                assert re.fullmatch(r"[a-z0-9_]{3,250}|id", key)


def test_item_116_tolerance(lab):
    """MAY be refused. They are not."""
    alias = lab.fresh()
    custom = indicator(x_team_score=7, extensions={f"extension-definition--{uuid.uuid4()}": {
        "extension_type": "property-extension", "colour": "blue"}})
    odd = {"type": "x-team-thing", "spec_version": "2.1", "id": now_id("x-team-thing"), "created": "2026-01-01T00:00:00.000Z",
           "modified": "2026-01-01T00:00:00.000Z", "anything": [1, {"goes": None}]}
    raw = json.dumps({"objects": [custom, odd], "x_team_envelope": {"a": 1}}).encode()
    assert lab.team.post(alias, raw=raw).json()["success_count"] == 2
    assert lab.team.objects(alias) == [custom, odd]


# --- S. Other ---


def test_item_117_service_name():
    """What the manual says of DNS."""
    text = subprocess.run(["grep", "-r", "_taxii2._tcp", "docs"], capture_output=True, text=True, timeout=60,
                          cwd=COMITY.parents[1]).stdout
    assert "_taxii2._tcp" in text


def test_item_118_bounds_and_silence(lab):
    alias, objects = filled(lab, 1001)
    assert len(lab.team.objects(alias, limit=2**53 - 1)) <= 1000
    there = lab.team.get(f"collections/hidden/objects/{objects[0]['id']}/", code=404)
    not_there = lab.team.get(f"collections/{uuid.uuid4()}/objects/{objects[0]['id']}/", code=404)
    assert there.content == not_there.content
    assert lab.team.get("collections/shared/objects/", params={"match[id]": ",".join(now_id() for _ in range(150))},
                        code=None).status_code in (200, 400, 414, 431)
    lab.stop()
    try:
        lab.node.audit()  # and every share is in the ledger
    finally:
        lab.start()


# --- what is not in the checklist: TLP at this door ---


def test_what_is_red_is_for_those_who_are_named(lab):
    for mark in (RED, RED2, now_id("marking-definition")):
        status = lab.team.post("shared", indicator(object_marking_refs=[mark])).json()
        assert status["failure_count"] == 1 and status["failures"][0]["message"].startswith("tlp"), mark
    one = indicator(object_marking_refs=[RED])
    lab.team.add("named", one)
    assert lab.team.json(f"collections/named/objects/{one['id']}/")["objects"] == [one]
    granular = indicator(granular_markings=[{"selectors": ["name"], "marking_ref": RED}])
    assert lab.team.post("shared", granular).json()["failure_count"] == 1


def test_a_statement_marking_hides_nothing(lab):
    alias = lab.fresh()
    marking = {"type": "marking-definition", "spec_version": "2.1", "id": now_id("marking-definition"),
               "created": "2026-02-02T00:00:00.000Z", "definition_type": "statement", "definition": {"statement": "mine"}}
    lab.team.add(alias, indicator(object_marking_refs=[marking["id"]]), marking)
    lab.team.add(alias, indicator(object_marking_refs=[marking["id"], GREEN]))
    assert len(lab.team.objects(alias)) == 3


def test_who_sees_what_in_an_open_collection(lab):
    objects = {mark: indicator(object_marking_refs=[mark]) for mark in (WHITE, GREEN, AMBER)}
    lab.team.add("open", *objects.values())

    def seen(caller):
        ids = {o["id"] for o in caller.objects("open")}
        return {mark for mark, o in objects.items() if o["id"] in ids}

    assert seen(lab.nobody) == seen(lab.stranger) == {WHITE}
    assert seen(lab.team) == {WHITE, GREEN}
    for mark in (GREEN, AMBER):
        path = f"collections/open/objects/{objects[mark]['id']}/"
        hidden, never = lab.nobody.get(path, code=404), lab.nobody.get(f"collections/open/objects/{now_id()}/", code=404)
        assert hidden.content == never.content
