#!/usr/bin/env python3
"""A small RPKI, made with the openssl command alone: a trust anchor with its locator, an authority below it, revocation lists,
and signed checklists (RFC 9323) over any file; bad ones too.

    tests/e2e/rpki_lab.py make FOLDER --file key.txt --resource 192.0.2.0/24 --resource AS64496
        test.tal, ta.cer, ca.cer, ta.crl, ca.crl and checklist.sig, which lists the file for these resources

    tests/e2e/rpki_lab.py cases FOLDER --file key.txt
        one folder for each case of `cases`, with the code of its refusal in `expected`

    tests/e2e/rpki_lab.py samples FOLDER --file key.txt --from 2026-11-01 --days 3650
        the same in few files: `cases.txt` has a line for each, "NAME CODE CHECKLIST LOCATOR [OBJECT=FILE…]", and the objects
        that are the same in most cases go without saying; so the samples of tests/data/rsc were made

Names in the repository are rsync URIs under rpki.test; `publish` lays all out as rpki-client keeps its cache.
"""

import argparse
import hashlib
import ipaddress
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

CHECKLIST = "1.2.840.113549.1.9.16.1.48"
BASE = "rsync://rpki.test/repo/"
EVERYTHING = ["0.0.0.0/0", "::/0", "AS0-AS4294967295"]
HELD = ["192.0.2.0/24", "203.0.113.0/24", "2001:db8::/32", "AS64496-AS64511"]


def openssl(*arguments, given=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(map(str, arguments))}: {done.stderr.decode(errors='replace')}")
    return done.stdout


# ---- DER ----


def der(tag, *parts):
    content = b"".join(parts)
    n = len(content)
    if n < 0x80:
        return bytes([tag, n]) + content
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def sequence(*parts):
    return der(0x30, *parts)


SHA256 = sequence(bytes.fromhex("0609608648016503040201"))
SHA512 = sequence(bytes.fromhex("0609608648016503040203"))


def bits(value, size, length):
    """The first `length` of the `size` bits of a number."""
    octets = (length + 7) // 8
    kept = value >> (size - length) << (octets * 8 - length)
    return der(0x03, bytes([octets * 8 - length]), kept.to_bytes(octets, "big"))


# ---- resources as people write them ----


def is_number(text):
    return text.startswith("AS")


def ends(text):
    """First and last, as numbers, and how many bits an address has (0: AS numbers)."""
    if is_number(text):
        first, _, last = text.replace("AS", "").partition("-")
        return int(first), int(last or first), 0
    if "-" in text:
        first, last = map(ipaddress.ip_address, text.split("-"))
        return int(first), int(last), first.max_prefixlen
    net = ipaddress.ip_network(text)
    return int(net[0]), int(net[-1]), net.max_prefixlen


def address_der(text):
    first, last, size = ends(text)
    if "/" in text:
        return bits(first, size, ipaddress.ip_network(text).prefixlen)
    zeros = (first & -first).bit_length() - 1 if first else size
    ones = ((last + 1) & -(last + 1)).bit_length() - 1
    return sequence(bits(first, size, size - min(zeros, size)), bits(last, size, size - min(ones, size)))


def number_der(text):
    first, last, _ = ends(text)
    return integer(first) if first == last else sequence(integer(first), integer(last))


def block_der(resources):
    parts = []
    numbers = sorted((r for r in resources if is_number(r)), key=ends)
    if numbers:
        parts.append(der(0xA0, sequence(der(0xA0, sequence(*map(number_der, numbers))))))
    families = []
    for afi, size in ((1, 32), (2, 128)):
        of_family = sorted((r for r in resources if ends(r)[2] == size), key=ends)
        if of_family:
            families.append(sequence(der(0x04, bytes([0, afi])), sequence(*map(address_der, of_family))))
    if families:
        parts.append(der(0xA1, sequence(*families)))
    return sequence(*parts)


def checklist_der(resources, files, algorithm=SHA256, digest=hashlib.sha256):
    """files: pairs of a name (None: without) and content."""
    listed = [
        sequence(*([der(0x16, name.encode())] if name else []), der(0x04, digest(content).digest())) for name, content in files
    ]
    return sequence(block_der(resources), algorithm, sequence(*listed))


def extensions(resources):
    """Lines of openssl's for a certificate's resources; "inherit" for all of them."""
    if resources == "inherit":
        return ["sbgp-ipAddrBlock=critical,IPv4:inherit,IPv6:inherit", "sbgp-autonomousSysNum=critical,AS:inherit"]
    lines = []
    addresses = [f"IPv{4 if ends(r)[2] == 32 else 6}:{r}" for r in resources if not is_number(r)]
    numbers = [f"AS:{r.replace('AS', '')}" for r in resources if is_number(r)]
    if addresses:
        lines.append("sbgp-ipAddrBlock=critical," + ",".join(addresses))
    if numbers:
        lines.append("sbgp-autonomousSysNum=critical," + ",".join(numbers))
    return lines


def stamp(time):
    return time.strftime("%Y%m%d%H%M%SZ")


class Authority:
    """A key with a certificate that signs others. parent None: a trust anchor."""

    def __init__(self, lab, name, resources, parent=None, file=None):
        self.lab, self.name, self.file = lab, name, file or name
        self.folder = lab.folder / "work" / f"{name}-{lab.count()}"
        self.folder.mkdir(parents=True)
        self.key = lab.key()
        self.config = self.folder / "ca.cnf"
        self.config.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index\nserial={self.folder}/serial\n"
            f"crlnumber={self.folder}/crlnumber\nnew_certs_dir={self.folder}\ndefault_md=sha256\npolicy=p\n"
            "unique_subject=no\n[p]\ncommonName=supplied\n[crl]\nauthorityKeyIdentifier=keyid\n"
        )
        (self.folder / "index").touch()
        (self.folder / "serial").write_text("01\n")
        (self.folder / "crlnumber").write_text("01\n")
        lines = [
            "basicConstraints=critical,CA:true",
            "keyUsage=critical,keyCertSign,cRLSign",
            f"subjectInfoAccess=1.3.6.1.5.5.7.48.5;URI:{BASE},1.3.6.1.5.5.7.48.10;URI:{BASE}{self.file}.mft",
        ]
        self.pem = (parent or self).issue(self.key, name, lines + extensions(resources), own=parent is None)

    def issue(self, key, name, lines, begin=None, end=None, own=False):
        """A certificate for that key, with what all of the RPKI have."""
        lab = self.lab
        stem = lab.folder / "work" / f"{name}-{lab.count()}"
        lines = ["subjectKeyIdentifier=hash", "certificatePolicies=critical,1.3.6.1.5.5.7.14.2", *lines]
        if not own:
            lines += [
                "authorityKeyIdentifier=keyid",
                f"crlDistributionPoints=URI:{BASE}{self.file}.crl",
                f"authorityInfoAccess=caIssuers;URI:{BASE}{self.file}.cer",
            ]
        stem.with_suffix(".cnf").write_text("[e]\n" + "\n".join(lines) + "\n")
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", stem.with_suffix(".csr"))
        issuer = ["-selfsign"] if own else ["-cert", self.pem]
        openssl(
            "ca", "-batch", "-notext", "-config", self.config, *issuer, "-keyfile", self.key, "-in", stem.with_suffix(".csr"),
            "-out", stem.with_suffix(".pem"), "-extfile", stem.with_suffix(".cnf"), "-extensions", "e",
            "-startdate", stamp(begin or lab.begin), "-enddate", stamp(end or lab.end),
        )  # fmt: skip
        return stem.with_suffix(".pem")

    def revoke(self, pem):
        openssl("ca", "-config", self.config, "-cert", self.pem, "-keyfile", self.key, "-revoke", pem)

    def crl(self, begin=None, end=None):
        """The revocation list of now, DER."""
        lab = self.lab
        path = self.folder / f"{lab.count()}.crl"
        openssl(
            "ca", "-gencrl", "-config", self.config, "-cert", self.pem, "-keyfile", self.key, "-crlexts", "crl", "-out", path,
            "-crl_lastupdate", stamp(begin or lab.begin), "-crl_nextupdate", stamp(end or lab.crl_end),
        )  # fmt: skip
        return openssl("crl", "-in", path, "-outform", "DER")

    def der(self):
        return openssl("x509", "-in", self.pem, "-outform", "DER")


class Lab:
    """begin, end: of all certificates; crl_end: of the revocation lists."""

    def __init__(self, folder, held=HELD, begin=None, end=None, crl_end=None):
        now = datetime.now(timezone.utc).replace(microsecond=0)
        self.folder = Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.begin, self.end = begin or now - timedelta(hours=1), end or now + timedelta(days=30)
        self.crl_end = crl_end or self.begin + (self.end - self.begin) / 4
        self.counted = 0
        self.ta = Authority(self, "ta", EVERYTHING)
        self.ca = Authority(self, "ca", held, self.ta)
        self.end_key = self.key()

    def count(self):
        self.counted += 1
        return self.counted

    def key(self, kind="rsa"):
        path = self.folder / "work" / f"{self.count()}.key"
        path.parent.mkdir(parents=True, exist_ok=True)
        how = {
            "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            "rsa3072": ["RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
            "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        }[kind]
        openssl("genpkey", "-algorithm", *how, "-out", path)
        return path

    def tal(self, authority=None):
        key = openssl("x509", "-in", (authority or self.ta).pem, "-noout", "-pubkey").decode().splitlines()[1:-1]
        return f"{BASE}ta.cer\n\n" + "\n".join(key) + "\n"

    def end_certificate(self, resources, issuer=None, key=None, more=(), **times):
        lines = ["keyUsage=critical,digitalSignature", *extensions(resources), *more]
        return (issuer or self.ca).issue(key or self.end_key, "ee", lines, **times)

    def sign(self, content, certificate, key=None, content_type=CHECKLIST, digest="sha256", more=()):
        """The CMS over this content."""
        return openssl(
            "cms", "-sign", "-keyid", "-binary", "-nodetach", "-nosmimecap", "-md", digest, "-econtent_type", content_type,
            "-outform", "DER", "-signer", certificate, "-inkey", key or self.end_key, *more, given=content,
        )  # fmt: skip

    def checklist(self, resources, files, held=None, **more):
        """A good one, unless held (what its certificate has) is less."""
        return self.sign(checklist_der(resources, files), self.end_certificate(held or resources, **more))


class Case:
    """One checklist with all that goes with it, and the refusal that it deserves."""

    def __init__(self, lab, name, expected, checklist, file, **other):
        self.name, self.expected, self.checklist, self.file = name, expected, checklist, file
        self.tal = other.get("tal") or lab.tal()
        self.objects = {"ta.cer": lab.ta.der(), "ca.cer": lab.ca.der(), **other.get("objects", {})}
        self.objects = {n: content for n, content in self.objects.items() if content is not None}

    def write(self, folder):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.objects.items():
            (folder / name).write_bytes(content)
        (folder / "checklist.sig").write_bytes(self.checklist)
        (folder / "file").write_bytes(self.file)
        (folder / "test.tal").write_text(self.tal)
        (folder / "expected").write_text(self.expected + "\n")
        return folder

    def publish(self, folder):
        """As rpki-client -f wants it: FOLDER/cache, FOLDER/test.tal, FOLDER/checklist.sig, for a user of its own to read."""
        folder = Path(folder)
        repository, anchor = folder / "cache/rpki.test/repo", folder / "cache/ta/test"
        for path in (repository, anchor):
            path.mkdir(parents=True)
        for name, content in self.objects.items():
            (repository / name).write_bytes(content)
        shutil.copy(repository / "ta.cer", anchor)
        (folder / "test.tal").write_text(self.tal)
        (folder / "checklist.sig").write_bytes(self.checklist)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return folder


def flipped(content, at):
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def cases(lab, file):
    """All that can be wrong with a checklist, each with the code of its refusal ("ok": none)."""
    ta, ca = lab.ta, lab.ca
    lists = {"ta.crl": ta.crl(), "ca.crl": ca.crl()}
    v4 = ["192.0.2.0/24"]
    mixed = ["192.0.2.16-192.0.2.130", "203.0.113.128/25", "2001:db8:1::/48", "2001:db8:2::-2001:db8:4:ffff:ffff:ffff:ffff:ffff",
             "AS64496", "AS64500-AS64510"]  # fmt: skip
    files = [("key.txt", file)]
    content = checklist_der(v4, files)
    ee = lab.end_certificate(v4)
    good = lab.sign(content, ee)
    made = []

    def case(name, expected, checklist, objects=None, file=file, tal=None):
        made.append(Case(lab, name, expected, checklist, file, tal=tal, objects={**lists, **(objects or {})}))

    def of_certificate(held, **more):
        return lab.sign(content, lab.end_certificate(held, **more))

    case("good", "ok", good)
    case("good-mixed", "ok", lab.checklist(mixed, [("a.txt", b"a"), (None, file), ("b.txt", b"b")], held=HELD))
    case("good-numbers", "ok", lab.checklist(["AS64496"], files))
    case("good-below-anchor", "ok", lab.checklist(["198.51.100.0/24"], files, issuer=ta))
    case("tampered-signature", "evidence-signature", flipped(good, -1))
    case("tampered-list", "evidence-signature", flipped(good, good.index(hashlib.sha256(file).digest())))
    case("tampered-certificate", "evidence-signature", flipped(good, good.index(openssl("x509", "-in", ee, "-outform", "DER")) + 600))
    case("overclaim", "evidence-overclaim", lab.checklist(v4, files, held=["192.0.2.0/25"]))
    case("overclaim-family", "evidence-overclaim", lab.checklist(["192.0.2.0/24", "2001:db8::/32"], files, held=v4))
    case("overclaim-number", "evidence-overclaim", lab.checklist(["AS64496-AS64497"], files, held=["192.0.2.0/24", "AS64496"]))
    case("overclaim-numbers-none", "evidence-overclaim", lab.checklist(["AS64496"], files, held=v4))
    case("beyond", "evidence-beyond", lab.checklist(["198.51.100.0/24"], files))
    case("beyond-number", "evidence-beyond", lab.checklist(["AS65000"], files))
    case("inherit", "evidence", of_certificate("inherit"))
    case("wrong-file", "evidence-file", lab.checklist(v4, [("key.txt", b"another")]))
    past, long_past = lab.begin - timedelta(days=2), lab.begin - timedelta(days=9)
    case("expired", "evidence-expired", of_certificate(v4, begin=long_past, end=past))
    case("not-yet", "evidence-expired", of_certificate(v4, begin=lab.end - timedelta(days=1), end=lab.end))
    case("stale", "evidence-stale", good, {"ca.crl": ca.crl(begin=long_past, end=past)})
    case("stale-anchor", "evidence-stale", good, {"ta.crl": ta.crl(begin=long_past, end=past)})
    case("no-list", "evidence-stale", good, {"ca.crl": None})
    stranger = Authority(lab, "stranger", HELD, ta)
    case("other-list", "evidence-stale", good, {"ca.crl": stranger.crl()})
    twin = Authority(lab, "ca", HELD, ta)  # the same name, another key
    case("other-key-list", "evidence-stale", good, {"ca.crl": twin.crl()})
    case("forged-list", "evidence-signature", good, {"ca.crl": flipped(lists["ca.crl"], -1)})
    case("two-certificates", "evidence", lab.sign(content, ee, more=["-certfile", ca.pem]))
    case("no-certificate", "evidence", lab.sign(content, ee, more=["-nocerts"]))
    case("wrong-type", "evidence", lab.sign(content, ee, content_type="1.2.840.113549.1.9.16.1.24"))
    case("sha512", "evidence", lab.sign(checklist_der(v4, files, SHA512, hashlib.sha512), ee))
    case("signed-sha512", "evidence", lab.sign(content, ee, digest="sha512"))
    case("no-resources", "evidence", lab.sign(checklist_der([], files), ee))
    case("repeated-name", "evidence", lab.sign(checklist_der(v4, files + [("key.txt", b"b")]), ee))
    case("bad-name", "evidence", lab.sign(checklist_der(v4, [("../key.txt", file)]), ee))
    case("trailing", "evidence", good + b"\0")
    case("with-access", "evidence", of_certificate(v4, more=[f"subjectInfoAccess=1.3.6.1.5.5.7.48.11;URI:{BASE}checklist.sig"]))
    case("authority", "evidence", of_certificate(v4, more=["basicConstraints=critical,CA:true"]))
    longer = lab.key("rsa3072")
    case("rsa3072", "evidence", lab.sign(content, lab.end_certificate(v4, key=longer), key=longer))
    curve = lab.key("p256")
    case("p256", "ok", lab.sign(content, lab.end_certificate(v4, key=curve), key=curve))
    elsewhere = Authority(lab, "elsewhere", EVERYTHING)
    case("other-anchor", "evidence-chain", good, tal=lab.tal(elsewhere))
    case("no-authority", "evidence-chain", good, {"ca.cer": None})
    gone = lab.end_certificate(v4)
    revoked = lab.sign(content, gone)
    ca.revoke(gone)
    case("revoked", "evidence-revoked", revoked, {"ca.crl": ca.crl()})
    ta.revoke(ca.pem)
    case("authority-revoked", "evidence-revoked", good, {"ta.crl": ta.crl()})
    return made


def write_samples(folder, made):
    written, lines, usual = {}, [], made[0].objects

    def keep(name, content):
        if content not in written:
            written[content] = name
            (folder / name).write_bytes(content)
        return written[content]

    keep("file", made[0].file)
    for name, content in usual.items():
        keep(name, content)
    for case in made:
        line = [case.name, case.expected, keep(f"{case.name}.sig", case.checklist), keep(f"{case.name}.tal", case.tal.encode())]
        for name in {**usual, **case.objects}:
            content = case.objects.get(name)
            if content is None or content != usual[name]:
                line.append(f"{name}={keep(f'{case.name}-{name}', content) if content else ''}")
        lines.append(" ".join(line) + "\n")
    (folder / "cases.txt").write_text("".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "cases", "samples"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--resource", action="append", default=[])
    parser.add_argument("--from", dest="begin", type=lambda t: datetime.strptime(t, "%Y-%m-%d").replace(tzinfo=timezone.utc))
    parser.add_argument("--days", type=int, default=30)
    o = parser.parse_args()
    begin = o.begin or datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=1)
    held = sorted(set(o.resource), key=o.resource.index) if o.what == "make" else HELD
    lab = Lab(o.folder, held or HELD, begin, begin + timedelta(days=o.days))
    file = o.file.read_bytes()
    if o.what == "make":
        objects = {"ta.crl": lab.ta.crl(), "ca.crl": lab.ca.crl()}
        Case(lab, "made", "ok", lab.checklist(held or HELD, [(o.file.name, file)]), file, objects=objects).write(o.folder)
    elif o.what == "samples":
        write_samples(o.folder, cases(lab, file))
    else:
        for case in cases(lab, file):
            case.write(o.folder / case.name)
    shutil.rmtree(lab.folder / "work")


if __name__ == "__main__":
    main()
