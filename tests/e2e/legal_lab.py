#!/usr/bin/env python3
"""Signatures of legal persons and of teams over a file, made with the openssl and gpg commands: X.509 (CMS, detached) with revocation
lists, and OpenPGP; good and bad.

    tests/e2e/legal_lab.py FOLDER --file key.txt --from 2026-11-01 --days 3650

FOLDER/cases.txt has a line for each case, "NAME CODE [ROLE=FILE…]"; root.pem is the anchor. So the samples of tests/data/legal were
made."""

import argparse
import shutil
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

from rpki_lab import flipped, openssl, stamp

CA = ["basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign,cRLSign"]
SIGNER = ["basicConstraints=CA:false", "keyUsage=critical,digitalSignature,nonRepudiation"]


class Authority:
    def __init__(self, folder, name, begin, end, parent=None):
        self.folder, self.begin, self.end, self.key = folder / name, begin, end, folder / f"{name}.key"
        self.folder.mkdir()
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key)
        (self.folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index\nserial={self.folder}/serial\ncrlnumber={self.folder}/number\n"
            f"new_certs_dir={self.folder}\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
            "[p]\ncountryName=optional\norganizationName=optional\ncommonName=supplied\n[crl]\nauthorityKeyIdentifier=keyid\n"
        )
        (self.folder / "index").touch()
        (self.folder / "serial").write_text("01\n")
        (self.folder / "number").write_text("01\n")
        self.pem = (parent or self).issue(self.key, f"/C=EE/O=Example Trust/CN={name}", CA, own=parent is None)

    def issue(self, key, subject, lines, begin=None, end=None, own=False):
        count = len(list(self.folder.iterdir()))
        stem = self.folder / f"made{count}"
        lines = ["subjectKeyIdentifier=hash", *lines, *([] if own else ["authorityKeyIdentifier=keyid"])]
        stem.with_suffix(".cnf").write_text("[e]\n" + "\n".join(lines) + "\n")
        openssl("req", "-new", "-utf8", "-key", key, "-subj", subject, "-out", stem.with_suffix(".csr"))
        openssl(
            "ca", "-batch", "-notext", "-utf8", "-config", self.folder / "ca.cnf", *(["-selfsign"] if own else ["-cert", self.pem]),
            "-keyfile", self.key, "-in", stem.with_suffix(".csr"), "-out", stem.with_suffix(".pem"), "-extensions", "e",
            "-extfile", stem.with_suffix(".cnf"), "-startdate", stamp(begin or self.begin), "-enddate", stamp(end or self.end),
        )  # fmt: skip
        return stem.with_suffix(".pem")

    def common(self):
        return ["-config", self.folder / "ca.cnf", "-cert", self.pem, "-keyfile", self.key]

    def revoke(self, pem):
        openssl("ca", *self.common(), "-revoke", pem)

    def crl(self, begin=None, end=None):
        path = self.folder / "list.pem"
        openssl("ca", "-gencrl", *self.common(), "-crlexts", "crl", "-out", path, "-crl_lastupdate", stamp(begin or self.begin),
                "-crl_nextupdate", stamp(end or self.end))  # fmt: skip
        return openssl("crl", "-in", path, "-outform", "DER")


def der(pem):
    return openssl("x509", "-in", pem, "-outform", "DER")


def legal_cases(work, file, begin, end):
    """Name, code, parts."""
    root = Authority(work, "root", begin, end)
    issuer = Authority(work, "issuer", begin, end, root)
    other = Authority(work, "other", begin, end)
    key = work / "signer.key"
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
    who = "/C=EE/O=Example Networks OU/CN=A. Signer"

    def sign(pem, content=file, by=key, more=("-binary", "-outform", "DER"), digest="sha256"):
        return openssl("cms", "-sign", *more, "-md", digest, "-signer", pem, "-inkey", by, given=content)

    pem = issuer.issue(key, who, SIGNER)
    good = sign(pem)
    lists = [("crl", root.crl()), ("crl", issuer.crl())]
    chain = [("certificate", der(issuer.pem))]
    usual = [*chain, *lists]
    past, long_past = begin - timedelta(days=2), begin - timedelta(days=9)
    cases = [
        ("good", "ok", [("signature", good), *usual]),
        ("good-pem", "ok", [("signature", sign(pem, more=["-binary", "-outform", "PEM"])), *usual]),
        ("good-text-form", "ok", [("signature", sign(pem, more=["-outform", "DER"])), *usual]),
        ("good-certificate-beside", "ok", [("signature", sign(pem, more=["-binary", "-outform", "DER", "-nocerts"])),
                                           ("certificate", der(pem)), *usual]),
        ("good-signature-only", "ok", [("signature", sign(pem, more=["-binary", "-outform", "DER", "-noattr"])), *usual]),
        ("tampered", "evidence-signature", [("signature", flipped(good, -1)), *usual]),
        ("other-file", "evidence-file", [("signature", sign(pem, b"something else\n")), *usual]),
        ("contains", "evidence", [("signature", sign(pem, more=["-binary", "-outform", "DER", "-nodetach"])), *usual]),
        ("sha1", "evidence", [("signature", sign(pem, digest="sha1")), *usual]),
        ("two-signers", "evidence", [("signature", openssl("cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-signer", pem,
                                                           "-inkey", key, "-signer", issuer.pem, "-inkey", issuer.key, given=file)),
                                     *usual]),
        ("no-issuer", "evidence-chain", [("signature", good), *lists]),
        ("other-root", "evidence-chain", [("signature", sign(other.issue(key, who, SIGNER))), ("crl", other.crl())]),
        ("no-list", "evidence-stale", [("signature", good), *chain, lists[0]]),
        ("stale", "evidence-stale", [("signature", good), *chain, lists[0], ("crl", issuer.crl(long_past, past))]),
        ("other-list", "evidence-stale", [("signature", good), *chain, lists[0], ("crl", other.crl())]),
        ("expired", "evidence-expired", [("signature", sign(issuer.issue(key, who, SIGNER, long_past, past))), *usual]),
        ("nobody", "evidence", [("signature", sign(issuer.issue(key, "/C=EE/CN=A. Signer", SIGNER))), *usual]),
        ("no-country", "ok", [("signature", sign(issuer.issue(key, "/O=Näide, Example/CN=A. Signer", SIGNER))), *usual]),
        ("not-for-signatures", "evidence",
         [("signature", sign(issuer.issue(key, who, ["keyUsage=critical,keyEncipherment"]))), *usual]),
        ("authority-signs", "evidence", [("signature", sign(issuer.pem, by=issuer.key)), *usual]),
        ("no-cms", "evidence", [("signature", file), *usual]),
    ]  # fmt: skip
    gone = issuer.issue(key, who, SIGNER)
    issuer.revoke(gone)
    cases.append(("revoked", "evidence-revoked", [("signature", sign(gone)), *chain, lists[0], ("crl", issuer.crl())]))
    root.revoke(issuer.pem)
    cases.append(("issuer-revoked", "evidence-revoked", [("signature", good), *chain, ("crl", root.crl()), lists[1]]))
    return root.pem.read_bytes(), cases


class Keyring:
    """GnuPG in a folder of its own, at a time of its own."""

    def __init__(self, when):
        self.home, self.when = tempfile.mkdtemp(prefix="comity-gpg-", dir="/tmp"), when

    def run(self, *arguments, given=None, when=None):
        clock = f"--faked-system-time={int((when or self.when).timestamp())}!"
        done = subprocess.run(["gpg", "--homedir", self.home, "--batch", "--yes", "--passphrase", "", "--pinentry-mode", "loopback", clock,
                               *arguments], input=given, capture_output=True)  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"gpg {arguments}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def key(self, user, expires="never"):
        self.run("--quick-generate-key", user, "ed25519", "sign", expires)
        listed = self.run("--with-colons", "--list-keys", user).decode().splitlines()
        return next(line.split(":")[9] for line in listed if line.startswith("fpr"))

    def export(self, key):
        return self.run("--armor", "--export", key)

    def sign(self, key, file, *more, when=None):
        return self.run("--local-user", key, *more, "--detach-sign", given=file, when=when)

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=True)
        shutil.rmtree(self.home)


def openpgp_cases(file, begin):
    ring = Keyring(begin)
    team = ring.key("Example Team <team@cert.example>")
    brief = ring.key("Brief Team <brief@cert.example>", "10d")
    other = ring.key("Other Team <other@cert.example>")
    gone = ring.key("Gone Team <gone@cert.example>")
    late = begin + timedelta(days=1000)
    signature = ring.sign(team, file)
    both = ring.export(team) + ring.export(other)
    cases = [
        ("pgp-good", "ok", [("key", ring.export(team)), ("signature", signature)]),
        ("pgp-armored", "ok", [("key", ring.export(team)), ("signature", ring.sign(team, file, "--armor"))]),
        ("pgp-tampered", "evidence-signature", [("key", ring.export(team)), ("signature", ring.sign(team, file + b"\n"))]),
        ("pgp-other-key", "evidence-key", [("key", ring.export(other)), ("signature", signature)]),
        ("pgp-key-expired", "evidence-expired", [("key", ring.export(brief)), ("signature", ring.sign(brief, file))]),
        ("pgp-expired", "evidence-expired", [("key", ring.export(team)),
                                             ("signature", ring.sign(team, file, "--default-sig-expire", "5d"))]),
        ("pgp-to-come", "evidence-expired", [("key", ring.export(team)), ("signature", ring.sign(team, file, when=late))]),
        ("pgp-sha1", "evidence-signature", [("key", ring.export(team)), ("signature", ring.sign(team, file, "--digest-algo", "SHA1"))]),
        ("pgp-two-keys", "evidence", [("key", both), ("signature", signature)]),
        ("pgp-two-signatures", "evidence", [("key", ring.export(team)), ("signature", signature + signature)]),
        ("pgp-no-key", "evidence", [("key", b"no key\n"), ("signature", signature)]),
        ("pgp-no-signature", "evidence", [("key", ring.export(team)), ("signature", b"none\n")]),
    ]  # fmt: skip
    by_gone = ring.sign(gone, file)
    revocation = Path(ring.home) / f"openpgp-revocs.d/{gone}.rev"
    ring.run("--import", given=revocation.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))
    cases.append(("pgp-revoked", "evidence-revoked", [("key", ring.export(gone)), ("signature", by_gone)]))
    ring.close()
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--from", dest="begin", type=lambda t: datetime.strptime(t, "%Y-%m-%d").replace(tzinfo=timezone.utc))
    parser.add_argument("--days", type=int, default=30)
    o = parser.parse_args()
    begin = o.begin or datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=1)
    file = o.file.read_bytes()
    o.folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        root, cases = legal_cases(Path(work), file, begin, begin + timedelta(days=o.days))
    cases += openpgp_cases(file, begin)
    (o.folder / "root.pem").write_bytes(root)
    (o.folder / "file").write_bytes(file)
    written, lines = {}, []
    for name, code, parts in cases:
        line = [name, code]
        for i, (role, content) in enumerate(parts):
            if content not in written:
                written[content] = f"{name}-{i}.{role}"
                (o.folder / written[content]).write_bytes(content)
            line.append(f"{role}={written[content]}")
        lines.append(" ".join(line) + "\n")
    (o.folder / "cases.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
