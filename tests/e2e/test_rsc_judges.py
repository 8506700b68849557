"""Verdicts on signed checklists of the RPKI beside Debian's rpki-client: on checklists of the laboratory, each wrong in its own way,
and on the fixture of the reference.

rpki-client exits with 0 whatever it finds, and a broken signature leaves "validation" empty: only the word OK is a yes. As root it
becomes its own user, so what it reads lies open under /tmp. It knows no file beside the checklist: whether one is listed is ours to
compare with the digests that it prints."""
import base64
import hashlib
import ipaddress
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timezone

import pytest

import rpki_lab
from conftest import COMITY, ROOT

CHECK = COMITY.parent / "bench" / "check_rsc"
FIXTURE = ROOT.parent / "shared/data/regime/rpki-rsc-fixture"
RPKI_CLIENT = shutil.which("rpki-client", path=os.environ.get("PATH", "") + ":/usr/sbin")
KEY = b"comity-key 1\nparty as64500.example\nkey " + b"5" * 64 + b"\n"

# Where rpki-client 8.2 says something else, and by what we go.
LAXER = {
    "two-certificates": "RFC 6488 section 2.1.4: exactly one certificate",
    "authority": "RFC 6487 section 4.8.1: no basic constraints at the end of a path",
    "rsa3072": "RFC 7935 section 3: 2048 bits",
    "repeated-name": "RFC 9323 section 4.4: no name twice",
    "trailing": "DER ends where it says",
}
STRICTER = {"p256": "knows RSA alone; later releases take the curve that RFC 8208 gave routers"}
# What it says of a path, in our codes. It reports an authority that it could not believe as a missing one.
REASONS = {
    "Failed": "evidence-overclaim",
    "Failed, RFC 3779 resource not subset of parent's resources": "evidence-beyond",
    "Failed, certificate has expired": "evidence-expired",
    "Failed, certificate is not yet valid": "evidence-expired",
    "Failed, CRL has expired": "evidence-stale",
    "Failed, unable to get certificate CRL": "evidence-stale",
    "Failed, CRL signature failure": "evidence-signature",
    "Failed, certificate revoked": "evidence-revoked",
}
NO_ISSUER = "Failed, unable to get local issuer certificate"

pytestmark = pytest.mark.skipif(not CHECK.exists(), reason=f"{CHECK} is not built")


@pytest.fixture
def open_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="comity-rpki-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return rpki_lab.cases(rpki_lab.Lab(tmp_path_factory.mktemp("lab")), KEY)


def ours(folder, checklist, file, *time):
    p = subprocess.run([CHECK, folder, checklist, file, *time], capture_output=True, text=True, timeout=60)
    assert p.returncode in (0, 1) and not p.stderr, p
    code, _, particulars = p.stdout.rstrip("\n").partition("\t")
    assert (p.returncode == 0) == (code == "ok")
    return code, particulars


def theirs(folder, checklist):
    """The whole answer of rpki-client; {} where it could read nothing."""
    p = subprocess.run([RPKI_CLIENT, "-n", "-j", "-d", folder / "cache", "-t", folder / "test.tal", "-f", checklist],
                       capture_output=True, text=True, timeout=60, cwd=folder)
    found = re.search(r"^\{.*^\}", p.stdout, re.S | re.M)
    try:
        return json.loads(found.group()) if found else {}
    except json.JSONDecodeError:
        return {}


def lists(answer, file):
    digest = base64.b64encode(hashlib.sha256(file).digest()).decode()
    return digest in {entry["hash_digest"] for entry in answer.get("filenamesandhashes", [])}


def resources(answer):
    """As check_rsc prints them: prefixes, and ranges of AS numbers."""
    found = []
    for r in answer["signed_with_resources"]:
        if "ip_prefix" in r:
            found.append(r["ip_prefix"])
        elif "ip_range" in r:
            first, last = (ipaddress.ip_address(r["ip_range"][end]) for end in ("min", "max"))
            found += [str(net) for net in ipaddress.summarize_address_range(first, last)]
        else:
            span = r.get("asrange") or {"min": r["asid"], "max": r["asid"]}
            found.append(f"AS{span['min']}-AS{span['max']}")
    return sorted(found)


def test_each_case_has_its_own_refusal(cases, tmp_path):
    for case in cases:
        folder = case.write(tmp_path / case.name)
        code, particulars = ours(folder, folder / "checklist.sig", folder / "file")
        assert code == case.expected, (case.name, code, particulars)
        assert particulars


@pytest.mark.skipif(RPKI_CLIENT is None, reason="rpki-client is absent: tools/setup test")
def test_both_judges_agree(cases, open_folder):
    for case in cases:
        folder = case.publish(open_folder / case.name)
        answer = theirs(folder, "checklist.sig")
        said = answer["validation"]
        code, particulars = ours(case.write(folder / "ours"), folder / "checklist.sig", folder / "ours/file")
        yes = said == "OK" and lists(answer, case.file)
        if case.name in LAXER:
            assert yes and code == "evidence", (case.name, answer)
        elif case.name in STRICTER:
            assert said == "" and code == "ok", (case.name, answer)
        else:
            assert yes == (code == "ok"), (case.name, code, answer)
        if said in REASONS:
            assert REASONS[said] == code, (case.name, code, said)
        if said == NO_ISSUER:
            assert code == "evidence-chain" or case.name in ("stale-anchor", "authority-revoked"), (case.name, code)
        if yes and code == "ok":
            assert sorted(particulars.split(" ")[1:]) == resources(answer), case.name


@pytest.mark.skipif(RPKI_CLIENT is None, reason="rpki-client is absent: tools/setup test")
@pytest.mark.skipif(not FIXTURE.exists(), reason=f"{FIXTURE} is not there")
def test_both_judges_agree_on_the_fixture(open_folder):
    shutil.copytree(FIXTURE, open_folder / "f")
    subprocess.run(["chmod", "-R", "u+w,a+rX", open_folder / "f"], check=True)
    folder, repository = open_folder / "f", open_folder / "f/cache/rpki.test/repo"
    good_list = (repository / "ca.crl").read_bytes()
    shutil.copy(folder / "test.tal", repository)
    wanted = [("checklist", "plan.json", "ca.crl", "ok"), ("tampered", "plan.json", "ca.crl", "evidence-signature"),
              ("over", "plan.json", "ca.crl", "evidence-beyond"), ("over2", "plan.json", "ca.crl", "evidence-overclaim"),
              ("checklist", "plan.json", "ca2.crl", "evidence-revoked"), ("checklist", "test.tal", "ca.crl", "evidence-file")]
    for checklist, file, revocations, expected in wanted:
        (repository / "ca.crl").write_bytes(good_list if revocations == "ca.crl" else (folder / revocations).read_bytes())
        at = [repository, folder / f"{checklist}.sig", folder / file]
        assert ours(*at, "2026-12-01T00:00:00Z")[0] == expected
        if now_is_within_the_fixture():
            answer = theirs(folder, f"{checklist}.sig")
            yes = answer["validation"] == "OK" and lists(answer, (folder / file).read_bytes())
            assert yes == (expected == "ok"), (checklist, file, revocations, answer)
            assert REASONS.get(answer["validation"], expected) == expected
            assert ours(*at)[0] == expected


def now_is_within_the_fixture():
    """It judges as of now alone."""
    return datetime(2026, 11, 23, tzinfo=timezone.utc) < datetime.now(timezone.utc) < datetime(2027, 3, 2, tzinfo=timezone.utc)


def test_one_for_the_demonstration(tmp_path):
    """As a script, for a file of one's own."""
    (tmp_path / "key.txt").write_bytes(KEY)
    subprocess.run([sys.executable, ROOT / "tests/e2e/rpki_lab.py", "make", tmp_path / "made", "--file", tmp_path / "key.txt",
                    "--resource", "5.44.0.0/16", "--resource", "AS64500"], check=True, timeout=120)
    code, particulars = ours(tmp_path / "made", tmp_path / "made/checklist.sig", tmp_path / "key.txt")
    assert code == "ok"
    assert particulars.split(" ")[1:] == ["5.44.0.0/16", "AS64500-AS64500"]
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == [
        "ca.cer", "ca.crl", "checklist.sig", "expected", "file", "ta.cer", "ta.crl", "test.tal"]
