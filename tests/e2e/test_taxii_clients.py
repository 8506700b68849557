"""TAXII 2.1 as real clients speak it: taxii2-client and stix2 themselves, and the request sequences of Elastic, OpenCTI, Microsoft
Sentinel, Cortex XSOAR, MISP and EclecticIQ, with what makes each of them lose data or stop.

COMITY_WALK=100000 walks as many objects as that."""
import base64
import json
import os
import random
import threading

import pytest

from taxii_lab import FIRST, LAST, MEDIA, PASSWORD, ROOT, Caller, Lab, address, identity, indicator, now_id

taxii2client = pytest.importorskip("taxii2client.v21")
stix2 = pytest.importorskip("stix2")

WALK = int(os.environ.get("COMITY_WALK", "2000"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("clients"))
    yield lab
    lab.stop()


def collection(lab, alias, user="team"):
    return taxii2client.Collection(lab.plain + ROOT + f"collections/{lab.ids[alias]}/", user=user, password=PASSWORD)


def fill(lab, alias, count, batch=1000):
    objects = [indicator(n) for n in range(count)]
    for i in range(0, count, batch):
        lab.team.add(alias, *objects[i:i + batch])
    return objects


# --- taxii2-client ---


def test_taxii2_client_finds_its_way(lab):
    server = taxii2client.Server(lab.plain + "/taxii2/", user="team", password=PASSWORD)
    assert server.title and server.default.title
    assert server.default in server.api_roots
    root = server.default
    assert root.max_content_length > 0 and MEDIA in root.versions
    found = {c.alias: c for c in root.collections}
    assert found["shared"].can_read and found["shared"].can_write and found["shared"].media_types
    assert found["notices"].can_read and not found["notices"].can_write
    with pytest.raises(taxii2client.AccessError):
        found["feed"].add_objects({"objects": [indicator()]})


def test_taxii2_client_adds_reads_and_deletes(lab):
    c = collection(lab, lab.fresh())
    objects = [indicator(n) for n in range(3)]
    status = c.add_objects({"objects": objects + [{"type": "indicator"}]}, wait_for_completion=True)
    assert status.status == "complete" and status.success_count == 3 and len(status.failures) == 1
    again = taxii2client.Status(lab.plain + ROOT + f"status/{status.id}/", user="team", password=PASSWORD)
    assert again._raw == status._raw
    assert c.get_objects()["objects"] == objects
    assert c.get_objects(type="malware") == {}
    assert c.get_object(objects[1]["id"])["objects"] == [objects[1]]
    later = {**objects[0], "modified": "2026-06-01T00:00:00.000Z"}
    c.add_objects({"objects": [later]})
    assert c.object_versions(objects[0]["id"])["versions"] == [objects[0]["modified"], later["modified"]]
    dates = [r["date_added"] for r in c.get_manifest(version="all")["objects"]]
    assert len(c.get_manifest(added_after=dates[0], version="all")["objects"]) == 3
    c.delete_object(objects[1]["id"])
    with pytest.raises(Exception, match="404"):
        c.get_object(objects[1]["id"])
    assert [o["id"] for o in c.get_objects()["objects"]] == [objects[2]["id"], objects[0]["id"]]


@pytest.mark.parametrize("per_request", [1, 7, 50, 5000])
def test_taxii2_client_pages(lab, per_request):
    alias = lab.fresh()
    objects = fill(lab, alias, 60)
    c = collection(lab, alias)
    for function in (c.get_objects, c.get_manifest):
        got = [o["id"] for page in taxii2client.as_pages(function, per_request=per_request) for o in page["objects"]]
        assert got == [o["id"] for o in objects]


def walk(c, per_request=100):
    """(id, version) in the order in which they came."""
    seen = []
    for number, page in enumerate(taxii2client.as_pages(c.get_objects, per_request=per_request)):
        assert number < 10 * WALK, "it walks in a circle"
        seen += [(o["id"], o["modified"]) for o in page.get("objects", [])]
    return seen


def test_taxii2_client_walks_while_others_write(lab):
    """Nothing is lost, nothing comes twice, and it ends, while one posts and one deletes."""
    alias = lab.fresh()
    objects = fill(lab, alias, WALK)
    draw = random.Random(4)
    victims = [o["id"] for o in draw.sample(objects, WALK // 10)]
    over, errors, posted, deleted = threading.Event(), [], [], []

    def post():
        poster = Caller(lab.plain, "other")
        for n in range(WALK // 20):
            if over.is_set():
                return
            batch = [indicator(n) for _ in range(10)]
            if n % 3 == 0:  # new versions of what was seen, or will be
                o = draw.choice(objects)
                batch.append({**o, "modified": f"2026-07-01T00:00:{n % 60:02}.{n:06}Z"})
            status = poster.post(alias, *batch).json()
            posted.extend(o["id"] for o in batch[:10])
            if status["failure_count"] and "deleted" not in status["failures"][0]["message"]:
                errors.append(status)

    def delete():
        for id in victims:
            if over.is_set():
                return
            if deleter.ask("DELETE", f"collections/{alias}/objects/{id}/", code=None).status_code not in (200, 404):
                errors.append(id)
            deleted.append(id)

    deleter = Caller(lab.plain, "team")
    others = [threading.Thread(target=post), threading.Thread(target=delete)]
    for t in others:
        t.start()
    try:
        seen = walk(collection(lab, alias, "reader"), per_request=max(20, WALK // 200))
    finally:
        over.set()
        for t in others:
            t.join()
    assert not errors and posted and deleted, errors[:3]
    assert len(seen) == len(set(seen)), "something came twice"
    ids = {id for id, _ in seen}
    lost = {o["id"] for o in objects} - set(victims) - ids
    assert not lost, (len(lost), sorted(lost)[:3])
    # What was added meanwhile comes by going on from the last one.
    after = lab.team.manifest(alias, **{"match[id]": seen[-1][0], "match[version]": "all"})[-1]["date_added"]
    while True:
        r = lab.team.get(f"collections/{alias}/objects/", params={"added_after": after, "limit": 1000})
        ids |= {o["id"] for o in r.json().get("objects", [])}
        after = r.headers[LAST]
        if not r.json().get("more"):
            break
    assert set(posted) <= ids


# --- stix2 ---


def test_stix2_source_and_sink(lab):
    c = collection(lab, lab.fresh())
    sink, source = stix2.TAXIICollectionSink(c), stix2.TAXIICollectionSource(c)
    one = stix2.Indicator(pattern="[ipv4-addr:value = '192.0.2.9']", pattern_type="stix", name="nine")
    sco = stix2.IPv4Address(value="192.0.2.9")
    sink.add([one, sco])
    sink.add(stix2.Bundle(stix2.Malware(name="m", is_family=False)))
    assert source.get(one.id).serialize(sort_keys=True) == one.serialize(sort_keys=True)
    assert source.get(sco.id).value == "192.0.2.9"
    assert source.get(now_id()) is None
    newer = one.new_version(name="nine again")
    sink.add(newer)
    assert source.get(one.id).name == "nine again"
    assert {v.name for v in source.all_versions(one.id)} == {"nine", "nine again"}
    assert [o.type for o in source.query([stix2.Filter("type", "=", "malware")])] == ["malware"]
    assert len(source.query([stix2.Filter("name", "=", "nine again")])) == 1
    store = stix2.TAXIICollectionStore(c)
    assert store.get(one.id).modified == newer.modified


def test_stix2_source_over_many_pages(lab):
    alias = lab.fresh()
    fill(lab, alias, 1500)
    source = stix2.TAXIICollectionSource(collection(lab, alias), items_per_page=100)
    assert len(source.query([stix2.Filter("type", "=", "indicator")])) == 1500


# --- Elastic ti_custom: next and limit alone, filters dropped, as long as next is there ---


def test_elastic(lab):
    alias = lab.fresh()
    objects = fill(lab, alias, 45)
    lab.team.add(alias, *(identity(str(n)) for n in range(10)))
    path = f"collections/{alias}/objects/"
    got, params = [], {"limit": 10, "added_after": "2026-01-01T00:00:00Z", "match[type]": "indicator"}
    for _ in range(20):
        r = lab.team.get(path, params=params)
        got += [o["id"] for o in r.json()["objects"]]
        cursor = r.headers[LAST]  # a page without it erases the state
        if not r.json().get("next"):
            break
        params = {"next": r.json()["next"], "limit": 10}
    assert got == [o["id"] for o in objects]
    r = lab.team.get(path, params={"added_after": cursor[:19] + "Z", "limit": 10})  # whole seconds: some come twice
    assert r.headers[LAST] and len(r.json()["objects"]) > 0


# --- OpenCTI ---


def cut(date):
    """To milliseconds, as JavaScript's dates do."""
    return date[:23] + "Z"


def test_opencti_ingester(lab):
    """One page a tick: next and added_after together; then the Last header, cut to milliseconds. An empty page keeps all."""
    alias, started = lab.fresh(), "2026-01-01T00:00:00.000Z"
    objects = fill(lab, alias, 1050)
    path, got, state = f"collections/{alias}/objects/", [], {"added_after": started}

    def tick():
        r = lab.team.get(path, params={k: v for k, v in state.items() if v})
        data = r.json()
        assert r.headers[LAST] != "undefined"
        got.extend(o["id"] for o in data.get("objects", []))
        if data.get("more"):
            state["next"] = data["next"]
        elif data.get("objects"):
            state.update(next=None, added_after=cut(r.headers[LAST]))
        return len(data.get("objects", []))

    tick(), tick()
    assert set(got) == {o["id"] for o in objects}
    for _ in range(3):
        tick()  # the last ones may come again, since the date was cut; nothing is lost
    more = fill(lab, alias, 3)
    for _ in range(3):
        tick()
    assert set(got) == {o["id"] for o in objects + more}


def test_opencti_connector(lab):
    """Finds the root by the last part of its path and the collection by its title; next alone, and the first object says
    which version of STIX it is."""
    alias = lab.fresh()
    server = taxii2client.Server(lab.plain + "/taxii2/", user="team", password=PASSWORD)
    (root,) = [r for r in server.api_roots if r.url.split("/")[-2] == "comity"]
    (found,) = [c for c in root.collections if c.title == f"Collection {alias}"]
    lab.team.add(alias, *(address(n) for n in range(9)))
    page, got = found.get_objects(limit=4, added_after="2026-01-01T00:00:00.000000Z"), []
    while True:
        assert page["objects"][0]["spec_version"] == "2.1"
        got += [o["value"] for o in page["objects"]]
        if not page.get("more"):
            break
        page = found.get_objects(next=page["next"])
    assert got == [f"198.51.100.{n}" for n in range(9)]


# --- Microsoft Sentinel, EclecticIQ: added_after = the Last header ---


@pytest.mark.parametrize("limit", [None, 100])
def test_by_the_header_alone(lab, limit):
    alias = lab.fresh()
    objects = fill(lab, alias, 1234)
    got, after = [], None
    for _ in range(100):
        r = lab.team.get(f"collections/{lab.ids[alias]}/objects/",
                         params={k: v for k, v in (("limit", limit), ("added_after", after)) if v})
        assert r.headers[FIRST] and r.headers[LAST]
        after = r.headers[LAST]
        page = r.json().get("objects", [])
        got += [o["id"] for o in page]
        if not page:
            break
    assert got == [o["id"] for o in objects]
    later = fill(lab, alias, 2)
    r = lab.team.get(f"collections/{alias}/objects/", params={"added_after": after})
    assert [o["id"] for o in r.json()["objects"]] == [o["id"] for o in later]


# --- Cortex XSOAR: taxii2-client, limit 100, types with relationship; stops at the first empty page ---


def test_xsoar(lab):
    alias = lab.fresh()
    pairs = []
    for n in range(130):
        a, b = indicator(n), identity(str(n))
        pairs += [a, b, {"type": "relationship", "spec_version": "2.1", "id": now_id("relationship"),
                         "created": a["created"], "modified": a["modified"], "relationship_type": "indicates",
                         "source_ref": a["id"], "target_ref": b["id"]}]
    lab.team.add(alias, *pairs)
    c = collection(lab, alias)
    got = []
    for page in taxii2client.as_pages(c.get_objects, per_request=100, type="indicator,relationship",
                                      added_after="2026-01-01T00:00:00.000000Z"):
        assert page["objects"], "it stops here"
        got += [o["id"] for o in page["objects"]]
    assert got == [o["id"] for o in pairs if o["type"] != "identity"]
    import taxii2client.v20 as old
    with pytest.raises(Exception, match="406"):  # what it tells the two versions apart by
        old.Server(lab.plain + "/taxii2/", user="team", password=PASSWORD).title


# --- MISP: Basic only, envelopes as large as the root allows, observables, custom types ---


def misp_objects(count):
    for n in range(count):
        yield address(n)
        yield {"type": "x-misp-object", "spec_version": "2.1", "id": now_id("x-misp-object"),
               "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
               "labels": ['misp:name="x"', 'misp:meta-category="network"'], "x_misp_name": "x", "x_misp_meta_category": "network",
               "x_misp_attributes": [{"type": "text", "object_relation": "text", "value": "é" * 200}]}


def test_misp_push(lab):
    alias = lab.fresh()
    most = lab.team.json("")["max_content_length"]
    assert 5 << 20 <= most <= 20 << 20
    objects, batch, size, sent = list(misp_objects(9000)), [], 15, 0

    def send():
        nonlocal sent
        r = lab.team.ask("POST", f"collections/{lab.ids[alias]}/objects/", 202, accept=MEDIA,
                         data=b'{"objects": [' + b",".join(batch) + b"]}", headers={"Content-Type": MEDIA})
        assert r.json()["failure_count"] == 0, r.json()["failures"][:2]
        sent += r.json()["success_count"]

    for o in objects:
        text = json.dumps(o).encode()
        if size + len(text) + 1 > most:
            send()
            batch, size = [], 15
        batch.append(text)
        size += len(text) + 1
    send()
    assert sent == len(objects)
    got = [o for p in pages(lab, alias) for o in p["objects"]]
    assert [o["id"] for o in got] == [o["id"] for o in objects]
    assert got[1] == objects[1]


def pages(lab, alias):
    params = {}
    while True:
        page = lab.team.json(f"collections/{alias}/objects/", **params)
        yield page
        if not page.get("more"):
            return
        params = {"next": page["next"]}


# --- what a statement looks like to any of them ---


def test_statements_as_objects(lab):
    lab.team.add("shared", indicator())  # a statement in the circle's ledger
    parties = lab.nobody.objects("parties")
    assert {p["name"] for p in parties} >= {"team.example", "other.example", "stranger.example"}
    assert all(p["type"] == "identity" for p in parties)
    whole = [o for p in pages(lab, "statements") for o in p["objects"]]
    assert len(whole) > len(parties) and len({(o["id"], o["modified"]) for o in whole}) == len(whole)
    for o in whole[:50]:
        found = lab.team.json(f"collections/statements/objects/{o['id']}/")["objects"]
        assert o in found
        assert stix2.parse(o, allow_custom=True).id == o["id"]
    listed = lab.team.manifest("statements")
    assert [(r["id"], r["version"]) for r in listed] == [(o["id"], o["modified"]) for o in whole][:len(listed)]
    assert [o["type"] for o in whole[:2]] == ["identity", "extension-definition"]  # which all others name
    definition = whole[1]["id"]
    assert all(definition in o["extensions"] for o in whole[2:])
    assert lab.nobody.json(f"collections/statements/objects/{definition}/")["objects"] == [whole[1]]
    assert lab.nobody.json(f"collections/statements/objects/{definition}/versions/")["versions"] == [whole[1]["modified"]]
    one_by_one, params = [], {"limit": 1}
    while len(one_by_one) < 5:
        page = lab.team.json("collections/statements/objects/", **params)
        one_by_one += page["objects"]
        params["next"] = page["next"]
    assert one_by_one == whole[:5]
    shared = [o for o in whole if o["type"] == "note"]
    assert shared and len(lab.nobody.objects("statements")) < len(whole)  # what is in the circle is the circle's


def test_a_notice_to_me(lab):
    lab.stop()
    try:
        lab.node.build_territory()
        lab.node.run("party", "add", "net.example", "--claim", "AS64500", "--approve")
        report = ('"timestamp","ip","port","protocol","asn","geo","infection"\n'
                  '"2026-11-20 10:00:00","5.44.1.1",4444,"tcp",64500,"EE","avalanche"\n')
        file = lab.node.dir.parent / "report.csv"
        file.write_text(report)
        lab.node.run("route", file, code=None)
        password = lab.node.dir.parent / "password"
        lab.node.run("access", "add", "net", "--party", "net.example", "--rights", "read", "--password-file", password)
    finally:
        lab.start()
    notices = lab.caller("net").objects("notices")
    assert len(notices) == 1 and notices[0]["type"] == "report"
    assert lab.caller("net").json(f"collections/notices/objects/{notices[0]['id']}/")["objects"] == notices
    assert lab.stranger.objects("notices") == []
    lab.stranger.get(f"collections/statements/objects/{notices[0]['id']}/", code=404)
    assert lab.team.objects("notices") == []


# --- a node that is killed ---


def test_what_was_acknowledged_is_there_after_a_kill(lab):
    """Objects, deletions and statuses: all of what was answered, and nothing by halves."""
    alias, accepted, deleted, over = lab.fresh(), [], [], threading.Event()
    first = fill(lab, alias, 200)

    def post(poster):
        while not over.is_set():
            batch = [indicator(n) for n in range(50)]
            try:
                status = poster.post(alias, *batch).json()
            except Exception:  # it was killed before it could answer
                return
            accepted.append((status, [o["id"] for o in batch]))

    def delete(deleter):
        for o in first:
            if over.is_set():
                return
            try:
                deleter.delete(alias, o["id"])
            except Exception:
                return
            deleted.append(o["id"])

    threads = [threading.Thread(target=post, args=(Caller(lab.plain, name),)) for name in ("team", "other")]
    threads.append(threading.Thread(target=delete, args=(Caller(lab.plain, "team"),)))
    for t in threads:
        t.start()
    while len(accepted) < 10 or len(deleted) < 5:
        assert any(t.is_alive() for t in threads)
        over.wait(0.01)
    lab.process.kill()
    lab.process.wait()
    over.set()
    for t in threads:
        t.join()
    lab.start()
    there = {o["id"] for p in pages(lab, alias) for o in p["objects"]}
    for status, ids in accepted:
        assert set(ids) <= there
        assert status in [lab.caller(name).get(f"status/{status['id']}/", code=None).json() for name in ("team", "other")]
    assert not there & set(deleted)
    assert (len(there) - len({o["id"] for o in first} & there)) % 50 == 0
    lab.stop()
    try:
        lab.node.audit()
    finally:
        lab.start()
