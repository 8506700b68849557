"""What is said has no code: requests about speech are refused at every door, honest texts in the same languages pass.

The corpora are tests/data/speech/requests.json and honest.json."""
import json
import unicodedata

import pytest

from conftest import ROOT

REQUESTS = json.loads((ROOT / "tests/data/speech/requests.json").read_text())
HONEST = json.loads((ROOT / "tests/data/speech/honest.json").read_text())


def plain(text):
    """As a header can hold it, or None: other scripts have no place there."""
    text = text.replace("ß", "ss").replace("ı", "i")
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text if text.isascii() else None


ASCII_REQUESTS = [t for t in (plain(r["text"]) for r in REQUESTS) if t]
ASCII_HONEST = [t for t in (plain(r["text"]) for r in HONEST) if t]


def test_the_corpora():
    assert len(REQUESTS) >= 60 and len({r["language"] for r in REQUESTS}) >= 8
    assert len(HONEST) >= 60 and {r["language"] for r in HONEST} == {r["language"] for r in REQUESTS}
    assert len(ASCII_REQUESTS) >= 40 and len(ASCII_HONEST) >= 40


def a_notice(node):
    report = node.dir.parent / "2026-11-01-scan_ssh-test.csv"
    report.write_text("timestamp,ip,protocol,port,tag\n2026-11-01 10:00:00,5.44.0.1,tcp,22,x\n")
    node.run("route", report)
    (notice,) = node.json("notice", "list")
    return notice["id"]


def test_answers(node):
    id = a_notice(node)
    for text in ASCII_REQUESTS:
        assert node.error("answer", id, "working", "--for", "AS64500", "--via", "mail", "--text", text) == "class-content", text
    for r in REQUESTS:
        if plain(r["text"]) is None:
            node.error("answer", id, "working", "--for", "AS64500", "--via", "mail", "--text", r["text"])
    for text in ASCII_HONEST[::8]:
        node.run("answer", id, "working", "--for", "AS64500", "--via", "mail", "--text", text)
    node.audit()


def test_plans(node):
    for text in ASCII_REQUESTS[::3]:
        assert node.error("plan", "file", "--source", "198.51.100.0/24", "--purpose", text) == "class-content", text
    node.run("plan", "file", "--source", "198.51.100.0/24", "--purpose", ASCII_HONEST[0])


def test_vocabularies(node, tmp_path):
    path = tmp_path / "words.json"

    def words(rows):
        path.write_text(json.dumps({"languages": sorted({r["language"] for r in rows}),
                                    "terms": [{"term": r["text"], "language": r["language"], "code": 3} for r in rows]}))
        return path

    for r in REQUESTS:
        assert node.error("vocabulary", "file", words([r])) == "vocabulary", r
    node.run("vocabulary", "file", words(HONEST))
    (shown,) = node.json("vocabulary", "show")
    assert [t["term"] for t in shown["terms"]] == [r["text"] for r in HONEST]
    for r in HONEST[::7]:
        (t,) = node.json("vocabulary", "translate", "--from", shown["party"], "--to", shown["party"], r["text"].upper()
                         if r["language"] in ("en", "ru") else r["text"])
        assert t["code"] == 3


def routed(node, name, content, *options):
    path = node.dir.parent / name
    path.write_text(content)
    rejects = node.dir.parent / (name + ".rejects")
    rejects.unlink(missing_ok=True)
    node.run("route", "--rejects", rejects, *options, path, code=None)
    found = [json.loads(line) for line in rejects.read_text().splitlines()] if rejects.exists() else []
    return [f.get("code") or f.get("error") for f in found], len(node.json("notice", "list"))


def test_ndjson(node):
    lines = [{"time.source": "2026-11-01T10:00:00+00:00", "source.ip": "5.44.0.1", "classification.type": r["text"]}
             for r in REQUESTS]
    codes, notices = routed(node, "r.ndjson", "".join(json.dumps(l, ensure_ascii=False) + "\n" for l in lines))
    assert codes == ["class-content"] * len(REQUESTS) and notices == 0


@pytest.mark.parametrize("n", range(0, len(REQUESTS), 13))
def test_iodef(node, n):
    text = REQUESTS[n]["text"].replace("&", "&amp;")
    codes, notices = routed(node, "r.xml", f"""<?xml version="1.0" encoding="UTF-8"?>
<IODEF-Document version="2.00" xml:lang="en" xmlns="urn:ietf:params:xml:ns:iodef-2.0">
<Incident purpose="mitigation"><IncidentID name="a.example">1</IncidentID>
<GenerationTime>2026-11-01T10:00:00Z</GenerationTime>
<Contact role="creator" type="organization"><ContactName>A</ContactName></Contact>
<Method><Description>{text}</Description></Method>
<EventData><Flow><System category="source"><Node><Address category="ipv4-addr">5.44.0.1</Address></Node></System></Flow></EventData>
</Incident></IODEF-Document>
""")
    assert "class-content" in codes and notices == 0, codes


def arf(kind):
    return f"""From: reporter@a.example
To: abuse@cert.example
Subject: report
Date: Sun, 01 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

A report.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: x/1
Version: 1
Source-IP: 5.44.0.1
Arrival-Date: Sun, 01 Nov 2026 10:00:00 +0000

--b--
"""


def test_mail(node):
    for text in ASCII_REQUESTS[::9]:
        codes, notices = routed(node, "r.eml", arf(text))
        assert codes == ["class-content"] and notices == 0, text
    codes, notices = routed(node, "r.eml", arf("abuse"))
    assert codes == [] and notices == 1


def test_xarf(node):
    for r in REQUESTS[::9]:
        codes, notices = routed(node, "r.json", json.dumps({
            "xarf_version": "4.2.0", "report_id": "123e4567-e89b-42d3-a456-426614174000", "timestamp": "2026-11-01T10:00:00Z",
            "reporter": {"org": "A", "contact": "a@a.example", "domain": "a.example"},
            "sender": {"org": "A", "contact": "a@a.example", "domain": "a.example"},
            "source_identifier": "5.44.0.1", "category": "content", "type": r["text"]}))
        assert codes == ["class-content"] and notices == 0, codes


def test_stix(node):
    for r in REQUESTS[::9]:
        codes, notices = routed(node, "r.stix.json", json.dumps({"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", "objects": [{
            "type": "indicator", "spec_version": "2.1", "id": "indicator--5d0092c5-5f74-4287-9642-33f4c354e56d",
            "created": "2026-11-01T10:00:00.000Z", "modified": "2026-11-01T10:00:00.000Z", "labels": [r["text"]],
            "pattern": "[ipv4-addr:value = '5.44.0.1']", "pattern_type": "stix", "valid_from": "2026-11-01T10:00:00Z"}]}))
        assert "class-content" in codes and notices == 0, codes


def test_csv_has_no_word_for_it(node):
    """Rows name no class; whoever routes them does."""
    path = node.dir.parent / "list.csv"
    path.write_text("timestamp,ip\n2026-11-01 10:00:00,5.44.0.1\n")
    for r in REQUESTS:
        assert node.error("route", "--class", r["text"], path, code=None) == "class-content", r


def test_http(node, serve):
    signing = pytest.importorskip("signing")
    s = serve(node)
    me = signing.Signer.of(node, "cert.example") if (node.dir / "keys/cert.example.key").exists() else None
    if me is None:
        name = next(p for p in (node.dir / "keys").glob("*.key") if "+" not in p.name and "-" not in p.stem)
        me = signing.Signer(name.read_text())
    for text in ASCII_REQUESTS[::5]:
        note, _ = me.statement("plan", f"{me.name}/public", "activity scan", "start 2027-01-01T00:00:00Z", "end 2027-02-01T00:00:00Z",
                               "source 198.51.100.0/24", "target any", f"purpose {text}")
        answer = s.ask("POST", "/statements", note.encode(), {"Content-Type": "text/plain"})
        assert answer.status == 422 and b"class-content" in answer.body, (text, answer.body)


def test_taxii(tmp_path):
    """Labels and words of type; a description is free."""
    taxii = pytest.importorskip("taxii_lab")
    lab = taxii.Lab(tmp_path)
    try:
        status = lab.team.post("shared", *[taxii.indicator(i, labels=[r["text"]]) for i, r in enumerate(REQUESTS)]).json()
        assert status["failure_count"] == len(REQUESTS) and status["success_count"] == 0
        assert all(f["message"].startswith("class-content") for f in status["failures"])
        status = lab.team.post("shared", *[taxii.indicator(i, indicator_types=[r["text"]]) for i, r in enumerate(REQUESTS)]).json()
        assert status["success_count"] == 0
        status = lab.team.post("shared", *[taxii.indicator(i, labels=[r["text"]]) for i, r in enumerate(HONEST)]).json()
        assert status["failure_count"] == 0 and status["success_count"] == len(HONEST)
        assert lab.team.post("shared", taxii.indicator(description=REQUESTS[0]["text"])).json()["success_count"] == 1
    finally:
        lab.stop()
