"""`comity inventory check`: what certificates say of a bill of materials, and that a withdrawal shows on the next one."""
import hashlib
import json

import pytest

from conftest import Node, at

LAB = "lab.example"


def bill(path, *components, **more):
    path.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list(components), **more}))
    return path


def part(name, version="1", **more):
    return {"type": "library", "name": name, "version": version, "purl": f"pkg:npm/{name}@{version}", **more}


@pytest.fixture
def lab(tmp_path, templates):
    node = Node(tmp_path / "lab")

    def prepare(n):
        n.run("init", LAB)

    templates.copy("inventory-lab", prepare, node)
    return node


def issue(node, *words):
    return node.json("certificate", "issue", "--predicate", "evaluation", "--until", at(340), *words)[-1]["id"]


def check(node, path, *words, code=0):
    *lines, last = node.json("inventory", "check", path, *words, code=code)
    return lines, last["sum"]


def test_withdrawal_shows_on_the_next_check(lab, tmp_path):
    path = bill(tmp_path / "app.json", part("a"), part("b"), part("none"))
    first = issue(lab, "--subject", "pkg:npm/a@1")
    second = issue(lab, "--subject", "pkg:npm/b")
    lines, total = check(lab, path)
    assert lines == [] and total["certified"] == 2 and total["without"] == 1 and total["attention"] == 0
    assert [l["certificate"] for l in check(lab, path, "--all")[0]] == [first, second]

    lab.run("certificate", "status", first, "suspended", "--reason", "a test is repeated")
    (line,), total = check(lab, path, code=6)
    assert line["certificate"] == first and line["standing"] == "suspended" and line["reason"] == "a test is repeated"
    assert line["component"]["name"] == "a" and line["found_by"] == "purl" and total["suspended"] == 1

    lab.run("certificate", "status", first, "valid")
    assert check(lab, path)[0] == []
    lab.run("certificate", "withdraw", second)
    (line,), total = check(lab, path, code=6)
    assert line["certificate"] == second and line["standing"] == "withdrawn" and total["withdrawn"] == 1
    text = lab.text("inventory", "check", path, code=6)
    assert "withdrawn" in text and "pkg:npm/b@1" in text and "asks for attention" in text and "✓" not in text


def test_withdrawal_shows_on_what_rests_on_it(lab, tmp_path):
    path = bill(tmp_path / "app.json", part("a"))
    base = issue(lab, "--subject", "pkg:npm/base")
    middle = issue(lab, "--subject", "pkg:npm/middle", "--cites", base)
    issue(lab, "--subject", "pkg:npm/a@1", "--cites", middle)
    assert check(lab, path)[1]["attention"] == 0
    lab.run("certificate", "withdraw", base)
    (line,), total = check(lab, path, code=6)
    assert line["rests_on"] == base and line["rests_on_is"] == "withdrawn" and total["resting_on_bad"] == 1


def test_recognition_is_the_readers_own(lab, tmp_path):
    path = bill(tmp_path / "app.json", part("a"))
    issue(lab, "--subject", "pkg:npm/a@1", "--scheme", "eucc", "--level", "substantial")
    (line,), total = check(lab, path, "--all")
    assert line["recognition"] == "not recognised" and total["recognised"] == 0
    (lab.dir / "recognition").write_text(f"# ours\nrecognise {LAB} scheme eucc level substantial as high\nrefuse {LAB}\n")
    (line,), total = check(lab, path, "--all")
    assert (line["recognition"], line["recognised_level"], line["recognition_line"]) == ("recognised", "high", 2)
    # expired by then, and recognised
    (line,), total = check(lab, path, "--at", at(400), code=6)
    assert line["standing"] == "expired" and total["expired"] == 1
    (lab.dir / "recognition").write_text(f"refuse {LAB}\n")
    assert check(lab, path, "--at", at(400))[1]["attention"] == 0
    (lab.dir / "recognition").write_text("recognise\n")
    assert lab.error("inventory", "check", path, code=2) == "usage"


def test_the_bill_and_the_bytes(lab, tmp_path):
    artefact = tmp_path / "blob.bin"
    artefact.write_bytes(b"the very bytes")
    digest = hashlib.sha256(artefact.read_bytes()).hexdigest()
    path = bill(tmp_path / "app.json", {"type": "file", "name": "blob", "hashes": [{"alg": "SHA-256", "content": digest.upper()}]})
    of_bytes = issue(lab, "--subject", artefact)
    of_bill = issue(lab, "--subject", path)
    lines, total = check(lab, path, "--all")
    assert [(l["number"], l["certificate"], l["found_by"]) for l in lines] == [(0, of_bill, "digest"), (1, of_bytes, "digest")]
    assert total["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() and total["components"] == 2


def test_spdx_circles_and_bad_bills(lab, tmp_path):
    spdx = tmp_path / "a.spdx.json"
    spdx.write_text(json.dumps({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT",
        "packages": [{"name": "a", "SPDXID": "SPDXRef-a", "externalRefs": [
            {"referenceType": "purl", "referenceLocator": "pkg:npm/a@1", "referenceCategory": "PACKAGE-MANAGER"}]}],
        "relationships": [{"spdxElementId": "SPDXRef-a", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-a"}]}))
    issue(lab, "--subject", "pkg:npm/a@1")
    _, total = check(lab, spdx)
    assert total["form"] == "SPDX" and total["circle"] and total["certified"] == 1
    bad = tmp_path / "bad.json"
    for text, code in (("{}", "sbom"), ("", "json"), ("<bom/>", "json"), ("[" * 1000, "depth"),
                       ('{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}]}', "sbom")):
        bad.write_text(text)
        assert lab.error("inventory", "check", bad) == code
    assert lab.error("inventory", "check", tmp_path / "absent", code=None) == "not-found"


def test_many_components(lab, tmp_path):
    issue(lab, "--subject", "pkg:npm/p77777@1")
    path = bill(tmp_path / "big.json", *(part(f"p{i}") for i in range(100000)))
    (line,), total = check(lab, path, "--all")
    assert line["number"] == 77778 and total["components"] == 100000 and total["without"] == 99999


def test_on_a_node_that_only_follows(lab, tmp_path, templates, serve):
    """Another's inventory shows it as soon as it has followed on."""
    reader = Node(tmp_path / "reader")
    templates.copy("inventory-reader", lambda n: n.run("init", "reader.example"), reader)
    path = bill(tmp_path / "app.json", part("a"))
    certificate = issue(lab, "--subject", "pkg:npm/a@1")
    url = serve(lab).url
    reader.run("follow", url, "--plain", "--private")
    (line,), _ = check(reader, path, "--all", "--ledger", LAB)
    assert line["certificate"] == certificate and not line["attention"]
    assert check(reader, path, "--all")[0] == []
    lab_stopped_and_withdraws(lab, certificate, serve, reader)
    (line,), total = check(reader, path, "--ledger", LAB, code=6)
    assert line["standing"] == "withdrawn" and total["withdrawn"] == 1


def lab_stopped_and_withdraws(lab, certificate, serve, reader):
    lab.run("certificate", "withdraw", certificate)
    reader.run("follow", "--plain", "--private")


def test_names_do_not_steer_the_terminal(lab, tmp_path):
    """U+009B begins a sequence on some terminals, as ESC [ does."""
    hash = "ab" * 32
    issue(lab, "--subject", f"sha256:{hash}")
    odd = {"type": "library", "name": "a\u009b31m\u001b[2Jb\u007f\u0085é", "hashes": [{"alg": "SHA-256", "content": hash}]}
    text = lab.text("inventory", "check", bill(tmp_path / "app.json", odd), "--all")
    assert "a?31m?[2Jb??é" in text
    assert not any(ord(c) < 32 and c != "\n" or 0x7f <= ord(c) < 0xa0 for c in text)
