"""Three nodes and an abuse desk without one, on a network that delays and loses: notices go out, answers come back, what is not
ours goes on, a person answers by a mail's link, and in the end everybody computes the same from the ledgers."""
import base64
import datetime
import email
import email.policy
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import browser
import lab_net
import pytest
from conftest import COMITY, TIMEOUT, Node

x509 = pytest.importorskip("cryptography.x509", reason="cryptography is not installed: there is nobody to sign certificates")
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

SHARED = pathlib.Path(os.environ.get("COMITY_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared"))
LIST = SHARED / "data/routing/ipsum/ipsum.txt"
HERE = pathlib.Path(__file__).parent

# Who announces which addresses: documentation AS numbers, in turn, all over the address space, so that each list has some of each.
HOLDERS = ("AS64500", "AS64501", "AS64502", "AS64503")
B, C, DESK, NOBODY = HOLDERS
MAILBOX = "abuse@op.example"
HOSTS = {"a": ["a.example"], "b": ["b.example"], "c": ["c.example"], "d": ["mail.op.example", "op.example"]}


def why_not():
    if why := lab_net.missing():
        return why
    if why := browser.missing():
        return why
    if importlib.util.find_spec("aiosmtpd") is None:
        return "aiosmtpd is not installed: there is nobody to take mail"
    return None


WHY = why_not()
pytestmark = pytest.mark.skipif(WHY is not None, reason=str(WHY))


# ---- what the lab has ----

def registry():
    octets = [i for i in range(1, 224) if i not in (10, 127)]
    routes = "".join(f"{HOLDERS[i % 4][2:]}\t{i}.0.0.0/8\t300\n" for i in octets)
    blocks = "".join(f"ripencc|EE|ipv4|{i}.0.0.0|16777216|20120101|allocated|x{i}\n" for i in octets)
    numbers = "".join(f"ripencc|EE|asn|{h[2:]}|1|20120101|allocated|h{h}\n" for h in HOLDERS)
    head = (f"2.3|ripencc|20261101|{len(octets) + 4}|19930901|20261101|+0000\nripencc|*|ipv4|*|{len(octets)}|summary\n"
            f"ripencc|*|asn|*|4|summary\n")
    return {"delegated-ripencc-extended-latest": head + blocks + numbers, "riswhoisdump.IPv4": "% origin, prefix, peers\n" + routes,
            "asn.txt": "".join(f"{h[2:]} LAB-{h[2:]} A network of the lab, EE\n" for h in HOLDERS)}


def addresses():
    """Of a real list where it is, else of one of our own."""
    if LIST.exists():
        return [line.split()[0] for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return [f"{i % 223 + 1}.{i // 223 + 3}.7.9" for i in range(8000)]


# So many matters that there are rates to agree on.
CLASSES = ("brute-force", "scanner", "infected-system", "c2-server", "malware-distribution", "malware-configuration", "exploit", "ddos",
           "dos", "phishing", "spam", "ids-alert", "system-compromise", "application-compromise", "sniffing", "social-engineering",
           "privileged-account-compromise", "unauthorised-use-of-resources", "masquerade", "data-leak", "data-loss", "burglary")


def reports(folder):
    """The list as it is, as much of it as makes mails of ordinary size; and more of it as events of many classes."""
    some = addresses()
    plain, events = folder / "list.txt", folder / "events.jsonl"
    plain.write_text("".join(f"{a}\t3\n" for a in some[:5000]))
    events.write_text("".join(json.dumps({
        "__type": "Event", "source.ip": a, "classification.type": CLASSES[i % len(CLASSES)], "source.port": 4000,
        "time.source": "2026-11-20T10:00:00+00:00", "protocol.transport": "tcp"}) + "\n" for i, a in enumerate(some[5000:7000])))
    return plain, events


class Authority:
    def __init__(self, folder):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority of the lab")])
        self.path = folder / "authority.pem"
        certificate = self.sign(self.name, self.key.public_key(), (x509.BasicConstraints(True, 0), True),
                                (x509.KeyUsage(False, False, False, False, False, True, True, False, False), True))
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, name, key, *extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key)
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
                   .not_valid_after(now + datetime.timedelta(days=2)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def give(self, *names):
        key = ec.generate_private_key(ec.SECP256R1())
        paths = self.folder / f"{names[0]}.pem", self.folder / f"{names[0]}.key"
        certificate = self.sign(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])]), key.public_key(),
                                (x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False))
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        paths[1].chmod(0o600)
        return paths


class Place(Node):
    """A node in a namespace of its own, at https://NAME.example."""

    def __init__(self, folder, host, authority, claims=(), more=""):
        super().__init__(folder / host.name)
        self.host, self.name, self.server = host, f"{host.name}.example", None
        self.url = f"https://{self.name}"
        self.run("init", self.name)
        certificate, key = authority.give(self.name)
        with open(self.dir / "config", "a") as config:
            config.write(f"\nlisten-tls {host.address}:443\ncertificate {certificate}\nkey {key}\nurl {self.url}\n"
                         f"outgoing-private yes\noutgoing-authorities {authority.path}\n{more}")
        self.run("party", "update", "--url", self.url, *(w for c in claims for w in ("--claim", c)))

    def run(self, *words, stdin=None, code=0):
        p = self.host.run(str(COMITY), *words, input=stdin, env=self.env, capture_output=True, timeout=TIMEOUT)
        assert code is None or p.returncode == code, (words, p.returncode, p.stdout[-2000:], p.stderr[-2000:], self.log()[-2000:])
        return p

    def start(self):
        self.errors = open(self.dir.parent / f"{self.name}.log", "w+b")
        self.server = self.host.start(COMITY, "serve", "--json", "--log", "json", env=self.env, stdout=subprocess.PIPE, stderr=self.errors)
        assert self.server.stdout.readline(), self.log()

    def log(self):
        if self.server is None:
            return ""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def stop(self):
        if self.server is None:
            return
        self.server.terminate()
        code = self.server.wait(TIMEOUT)
        log = self.log()
        self.server.stdout.close()
        self.errors.close()
        self.server = None
        assert code == 0, log[-4000:]

    # What it has.

    def notices(self, **wanted):
        return [n for n in self.json("notice", "list") if all(n[k] == v for k, v in wanted.items())]

    def matter(self, id):
        (found,) = [n for n in self.json("notice", "list") if n["id"] == id]
        return found


def wait_for(look, what, *places):
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError((f"it never came: {what}", *(p.log()[-3000:] for p in places)))


@pytest.fixture
def lab(tmp_path):
    places = []
    with lab_net.Lab(HOSTS) as net:
        authority = Authority(tmp_path)
        net.places, net.authority, net.folder = places, authority, tmp_path
        try:
            yield net
        finally:
            failures = []
            for place in places:
                try:
                    place.stop()
                except (AssertionError, subprocess.TimeoutExpired) as e:
                    failures.append(e)
        assert not failures, failures


# ---- the loop ----

def begin(lab):
    """Three nodes, of which a knows the others and lets them answer for what they claim."""
    mail = (f"smtp smtp://mail.op.example:587\nsmtp-authorities {lab.authority.path}\nmail-from notices@a.example\n"
            "mail-bounces bounces@a.example\n")
    for name, claims, more in (("a", [], mail), ("b", [B], ""), ("c", [C], "")):
        lab.places.append(Place(lab.folder, lab.hosts[name], lab.authority, claims, more))
    a, b, c = lab.places
    folder = lab.folder / "registry"
    folder.mkdir()
    for name, content in registry().items():
        (folder / name).write_text(content)
    a.run("territory", "build", *sorted(str(p) for p in folder.iterdir()))
    a.run("contact", "add", DESK, MAILBOX)
    for place in lab.places:
        place.start()
    for other in (b, c):
        a.run("follow", other.url)
        a.run("party", "approve", other.name)
    return a, b, c


def begin_mail(lab):
    folder = lab.folder / "mail"
    folder.mkdir()
    certificate, key = lab.authority.give("mail.op.example")
    host = lab.hosts["d"]
    server = host.start(sys.executable, HERE / "lab_mail.py", host.address, 587, certificate, key, folder, stdout=subprocess.PIPE,
                        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)})
    assert server.stdout.readline() == b"ready\n"
    return server, folder


def read_mail(path, addressee):
    """The link to answer with."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert message["X-Envelope-To"] == MAILBOX
    text = next(p for p in message.walk() if p.get_content_type() == "text/plain" and not p.get_filename()).get_content()
    assert addressee in text and "Acknowledging is not admitting" in text
    (link,) = set(re.findall(r"https://a\.example/answer/[A-Za-z0-9_-]+", text))
    return link


def settled(place, ids, outcome):
    return all(place.matter(i)["standing"] == outcome for i in ids)


def test_the_loop(lab):
    mail_server, mails = begin_mail(lab)
    a, b, c = begin(lab)

    # A routes a list; B and C get theirs, and say so.
    plain, events = reports(lab.folder)
    a.run("route", plain, "--class", "brute-force", "--date", "2026-11-20T00:00:00Z")
    a.run("route", events)
    sent = {to: [n["id"] for n in a.notices(to=to)] for to in (b.name, c.name, DESK, NOBODY)}
    assert all(len(ids) > 20 for ids in sent.values()), sent
    wait_for(lambda: settled(a, sent[b.name] + sent[c.name], "received"), "proof of arrival", a, b, c)
    for place in (b, c):
        assert sorted(n["id"] for n in place.notices()) == sorted(sent[place.name])

    # B fixes what is its own; C says that it is B's, and there it goes.
    for id in sent[b.name]:
        b.run("answer", id, "fixed", "--text", "cleaned")
    for id in sent[c.name]:
        c.run("answer", id, "not-ours", "--better", b.name)
    wait_for(lambda: settled(a, sent[b.name], "fixed") and settled(a, sent[c.name], "not-ours"), "the answers", a, b, c)
    a.run("follow-up")
    rerouted = [n["id"] for n in a.notices(to=b.name) if n["id"] not in sent[b.name]]
    assert len(rerouted) == len(sent[c.name])
    wait_for(lambda: settled(a, rerouted, "received"), "what C passed on", a, b)
    for id in rerouted:
        b.run("answer", id, "fixed")
    wait_for(lambda: settled(a, rerouted, "fixed"), "the answers to what C passed on", a, b)

    # The desk without a node reads its mail, and answers one of them in a browser.
    a.stop()
    a.run("mail", "send")
    a.start()
    paths = wait_for(lambda: len(found := sorted(mails.glob("*.eml"))) >= len(sent[DESK]) and found, "the mail", a)
    links = {read_mail(path, DESK) for path in paths}
    assert len(links) == len(paths) == len(sent[DESK])
    shown = answer_in_browser(lab, min(links))
    assert "Your answer is recorded: fixed" in shown and "Acknowledging is not admitting." in shown
    assert sorted(a.matter(id)["standing"] for id in sent[DESK]) == ["fixed"] + ["waiting"] * (len(sent[DESK]) - 1)

    # Everybody computes the same.
    own = a.run("standing", "--json").stdout
    of = {s["party"]: s for s in map(json.loads, own.splitlines())}
    assert of[b.name]["notices"] == len(sent[b.name]) + len(rerouted)
    # Nothing is due yet, so the times of the answers tell what the rates do not.
    assert of[b.name]["acknowledge"]["done"] == of[b.name]["notices"] and of[b.name]["acknowledge"]["p90_ms"] is not None
    assert float(of[c.name]["not_ours"]["rate"]) == 1 and of[DESK]["acknowledge"]["done"] == 1
    for place in (b, c):  # what was logged a moment ago may not be published yet
        wait_for(lambda: place.run("follow", a.url) and place.run("standing", "--ledger", a.name, "--json").stdout == own, "the same", a)
    for place in (a, b, c):
        place.stop()
        place.audit()
    mail_server.kill()
    mail_server.wait()
    mail_server.stdout.close()
    counts = lab.counts()
    assert counts is None or counts[1] > 0  # the network was as bad as it should be


def answer_in_browser(lab, link):
    """In the desk's own namespace; the lab's authority is none that a browser knows, so its key is pinned."""
    certificate = x509.load_pem_x509_certificate((lab.folder / "a.example.pem").read_bytes())
    digest = hashes.Hash(hashes.SHA256())
    digest.update(certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    p = lab.hosts["d"].run(sys.executable, HERE / "browser.py", link, "fixed", "cleaned by the desk",
                           base64.b64encode(digest.finalize()).decode(), capture_output=True, text=True, timeout=TIMEOUT)
    assert p.returncode == 0, p.stderr[-3000:]
    return p.stdout
