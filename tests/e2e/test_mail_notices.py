"""Notices by mail: a real SMTP server takes them, Python's own library reads them, GnuPG verifies and decrypts them, and what comes
back moves the outbox."""
import base64
import csv
import email
import email.policy
import gzip
import io
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess

import pytest

controller = pytest.importorskip("aiosmtpd.controller", reason="no aiosmtpd from PyPI")
from aiosmtpd.smtp import AuthResult  # noqa: E402
from conftest import wait_for  # noqa: E402
from ports import free_port  # noqa: E402

SHARED = pathlib.Path(os.environ.get("COMITY_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared"))
SCHEMAS = SHARED / "data/routing/xarf-v4/schemas/v4"
pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not installed")
HOSTILE = ["=1+1\x00NUL", "\u202egnp.exe", "a\rb", "--=_mixed_", "From me", ".", "x" * 5000, "\udcff\udcfe", "=?utf-8?q?x?="]


class Box:
    """What an SMTP server takes; `refuse` maps a recipient to what it is told."""

    def __init__(self):
        self.mails, self.refuse, self.refuse_mail = [], {}, None

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.refuse_mail:
            return self.refuse_mail
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return "250 taken"


@pytest.fixture
def smtp():
    """smtp(**options) starts a server on loopback; gives its box and port."""
    running = []

    def start(**options):
        box = Box()
        port = free_port()
        c = controller.Controller(box, hostname="127.0.0.1", port=port, **options)
        c.start()
        running.append(c)
        return box, port

    yield start
    for c in running:
        c.stop()


def configure(node, port, *more, scheme="smtp"):
    (node.dir / "config").write_text(
        f"smtp {scheme}://127.0.0.1:{port}\nmail-from notices@node.example\nmail-bounces bounces@node.example\n"
        "mail-reply-to desk@node.example\nurl https://node.example\n" + "".join(f"{line}\n" for line in more))


def route(node, hosts=3, name="rows", extra=None, rsit="brute-force", first=1):
    rows = []
    for i in range(hosts):
        row = {"source.ip": f"5.44.{(first + i) // 250}.{(first + i) % 250 + 1}", "source.port": 4000 + i % 1000,
               "classification.type": rsit,
               "time.source": f"2026-11-20T10:{i % 60:02}:00+00:00", "protocol.transport": "tcp",
               "destination.ip": "192.0.2.1", "destination.port": 22}
        if extra:
            row["extra.says"] = extra[i % len(extra)]
        rows.append(json.dumps(row) + "\n")
    path = node.dir.parent / f"{name}.jsonl"
    path.write_text("".join(rows), errors="surrogateescape")
    node.run("route", path)
    return node.json("notice", "list")[-1]["id"]


def parse(content):
    m = email.message_from_bytes(content, policy=email.policy.default)
    for part in m.walk():
        assert not part.defects, (part.get_content_type(), part.defects)
    lines = content.split(b"\r\n")
    assert all(len(line) <= 998 and line.isascii() and b"\r" not in line and b"\n" not in line for line in lines)
    assert all(c >= 32 or c == 9 for line in lines for c in line)
    return m


def named(m):
    return {p.get_filename(): p for p in m.walk() if p.get_filename()}


def text_of(m):
    return next(p for p in m.walk() if p.get_content_type() == "text/plain" and not p.get_filename()).get_content()


def gpg(home, *words, **more):
    return subprocess.run(["gpg", "--homedir", str(home), "--batch", "--no-tty", "--status-fd", "1", *map(str, words)],
                          capture_output=True, timeout=60, **more)


@pytest.fixture
def keyring(tmp_path_factory):
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    yield home
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], timeout=60)


def verify(node, keyring, content, folder):
    """The bytes of the first part, as they came, under the node's key (RFC 3156, section 5)."""
    m = parse(content)
    assert m.get_content_type() == "multipart/signed" and m.get_param("protocol") == "application/pgp-signature"
    mark = b"\r\n--" + m.get_boundary().encode()
    first = content.split(mark + b"\r\n")[1]
    (folder / "signed").write_bytes(first)
    (folder / "signature").write_bytes(content.split(mark + b"\r\n")[2].split(b"\r\n\r\n", 1)[1].split(mark)[0])
    (folder / "key").write_bytes(node.run("mail", "key", "--export").stdout)
    assert b"IMPORT_OK" in gpg(keyring, "--import", folder / "key").stdout
    out = gpg(keyring, "--verify", folder / "signature", folder / "signed")
    assert b"VALIDSIG " + node.json("mail", "key")[0]["fingerprint"].encode() in out.stdout, out
    hashed = {b"8": "pgp-sha256", b"10": "pgp-sha512", b"9": "pgp-sha384"}
    assert m.get_param("micalg") == hashed[re.search(rb"VALIDSIG \S+ \S+ \d+ \d+ \d+ \d+ \d+ (\d+)", out.stdout)[1]]
    (folder / "signed").write_bytes(first.replace(b"AS64500", b"AS64501", 1))
    assert b"BADSIG" in gpg(keyring, "--verify", folder / "signature", folder / "signed").stdout
    return m


def test_a_notice_goes_out_by_mail(node, smtp, keyring, tmp_path):
    box, port = smtp()
    configure(node, port)
    notice = route(node, extra=HOSTILE)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    node.run("mail", "key")
    (sent,) = node.json("mail", "send")
    assert (sent["step"], sent["contact"]) == ("handed-over", "abuse@as64500.example")
    assert node.json("mail", "send") == []
    ((sender, receivers, content, _),) = box.mails
    assert receivers == ["abuse@as64500.example"]
    assert re.fullmatch(r"bounces\+[a-z2-7]{32}@node\.example", sender) and len(sender.split("@")[0]) <= 64
    m = verify(node, keyring, content, tmp_path)
    assert re.fullmatch(r"\[comity\] AS64500: 3 hosts: intrusion-attempts/brute-force, please answer by \d{4}-\d\d-\d\d",
                        m["Subject"])
    assert (m["To"], m["Auto-Submitted"], m["X-Loop"]) == ("abuse@as64500.example", "auto-generated", "node.example")
    assert m["Reply-To"] == "desk@node.example" and m["From"].addresses[0].addr_spec == "notices@node.example"
    assert m["Message-ID"].startswith(f"<{notice[:32]}.")
    text = text_of(m)
    for words in ("5.44.0.2", "192.0.2.1:22", "https://node.example/answer/", "Acknowledging is not admitting", "please by",
                  "ripencc delegated-extended 2026-11-01", notice):
        assert words in text, words
    files = named(m)
    assert files["notice.txt"].get_content().startswith("comity/1 notice\n")
    rows = list(csv.DictReader(io.StringIO(files["rows.csv"].get_payload(decode=True).decode(errors="surrogateescape"))))
    assert [r["address"] for r in rows] == ["5.44.0.2", "5.44.0.3", "5.44.0.4"]
    assert sorted(f for f in files if f.startswith("xarf")) == ["xarf-1.json", "xarf-2.json", "xarf-3.json"]
    assert [item["step"] for item in node.json("outbox", "--all") if item["way"] == "mail"] == ["handed-over"]
    node.audit()


def test_the_same_notice_gives_the_same_mail(node):
    configure(node, 1)
    notice = route(node)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")

    def shown():
        m = parse(node.run("mail", "show", notice).stdout)
        del m["Date"]
        return re.sub(r"answer/\S+|until \S+ \S+", "", m.as_string())

    assert shown() == shown()


def test_xarf_parts_pass_the_schema(node):
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    if not SCHEMAS.is_dir():
        pytest.skip("the schemas of XARF are not here")
    loaded = [json.loads(p.read_text()) for p in sorted(SCHEMAS.rglob("*.json"))]
    registry = referencing.Registry().with_resources(
        (s["$id"], referencing.Resource.from_contents(s)) for s in loaded if "$id" in s)
    master = next(s for s in loaded if s.get("$id", "").endswith("xarf-core.json"))
    by_type = {part["properties"]["type"]["const"]: s for s in loaded for part in s.get("allOf", [])
               if "const" in part.get("properties", {}).get("type", {})}
    configure(node, 1)
    for hosts, rsit, parts in ((1, "brute-force", ["xarf.json"]), (120, "infected-system", 50), (2, "phishing", 2)):
        notice = route(node, hosts=hosts, rsit=rsit, name=rsit)
        if hosts == 1:
            node.run("contact", "add", "AS64500", "abuse@as64500.example")
        m = parse(node.run("mail", "show", notice).stdout)
        reports = [p for name, p in named(m).items() if name.startswith("xarf")]
        assert [p.get_filename() for p in reports] == parts if hosts == 1 else len(reports) == parts
        sources = set()
        for part in reports:
            assert part.get_content_type() == "application/json"
            report = json.loads(part.get_payload(decode=True))
            jsonschema.Draft202012Validator(by_type.get(report["type"], master), registry=registry,
                                            format_checker=jsonschema.FormatChecker()).validate(report)
            assert report["reporter"]["contact"] == "notices@node.example"
            sources.add(report["source_identifier"])
        assert len(sources) == len(reports)


def test_large_notices_are_packed(node):
    configure(node, 1)
    notice = route(node, hosts=20000, extra=[base64.b64encode(os.urandom(400)).decode() for _ in range(50)])
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    m = parse(node.run("mail", "show", notice).stdout)
    files = named(m)
    assert "rows.csv" not in files
    rows = gzip.decompress(files["rows.csv.gz"].get_payload(decode=True)).decode()
    assert rows.count("\n") == 20001
    assert "rows.csv.gz" in text_of(m) and "and 19980 more" in text_of(m)


def test_contacts_with_a_key_get_it_encrypted(node, smtp, keyring, tmp_path):
    box, port = smtp()
    configure(node, port)
    route(node)
    made = gpg(keyring, "--passphrase", "", "--quick-generate-key", "Desk <abuse@as64500.example>", "default", "default")
    assert made.returncode == 0, made
    (tmp_path / "desk.key").write_bytes(subprocess.run(["gpg", "--homedir", str(keyring), "--export"], capture_output=True,
                                                       timeout=60).stdout)
    node.run("contact", "add", "AS64500", "abuse@as64500.example", "--openpgp", tmp_path / "desk.key")
    node.run("mail", "key")
    node.run("mail", "send")
    ((_, _, content, _),) = box.mails
    m = parse(content)
    assert m.get_content_type() == "multipart/encrypted" and m.get_param("protocol") == "application/pgp-encrypted"
    assert "brute-force" not in content.decode() and "5.44." not in content.decode()
    assert "a notice" in m["Subject"]
    control, secret = m.iter_parts()
    assert control.get_content_type() == "application/pgp-encrypted" and b"Version: 1" in control.get_payload(decode=True)
    out = subprocess.run(["gpg", "--homedir", str(keyring), "--batch", "--decrypt"], input=secret.get_payload(decode=True),
                         capture_output=True, timeout=60)
    assert out.returncode == 0, out
    inner = verify(node, keyring, out.stdout, tmp_path)
    assert "5.44.0.2" in text_of(inner)


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(folder / "key.pem"), "-out",
                    str(folder / "cert.pem"), "-days", "30", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def authenticator(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"comity", b"correct horse") if hasattr(data, "login") else False
    return AuthResult(success=good, handled=False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
@pytest.mark.parametrize("password", ["correct horse", "wrong"])
def test_starttls_and_a_password(node, smtp, tmp_path, password):
    box, port = smtp(tls_context=certificate(tmp_path), require_starttls=True, authenticator=authenticator, auth_required=True)
    (tmp_path / "password").write_text(password + "\n")
    (tmp_path / "password").chmod(0o600)
    configure(node, port, f"smtp-authorities {tmp_path}/cert.pem", "smtp-user comity", f"smtp-password-file {tmp_path}/password")
    route(node)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    if password == "wrong":
        assert node.error("mail", "send", code=3) == "unreachable"
        assert not box.mails
        (item,) = [i for i in node.json("outbox", "--all") if i["way"] == "mail"]
        assert (item["step"], item["attempts"]) == ("waiting", 0), "no contact is to blame for our own password"
    else:
        node.run("mail", "send")
        assert box.mails[0][3], "the mail went without TLS"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
def test_no_mail_without_the_tls_that_is_asked_for(node, smtp, tmp_path):
    certificate(tmp_path)
    box, port = smtp()  # offers no STARTTLS
    configure(node, port, f"smtp-authorities {tmp_path}/cert.pem")
    route(node)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    assert node.error("mail", "send", code=3) == "unreachable"
    assert not box.mails


def test_what_the_server_says_counts(node, smtp):
    box, port = smtp()
    configure(node, port)
    route(node)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    box.refuse_mail = "451 not now, any of you"
    assert node.error("mail", "send", code=3) == "unreachable"
    box.refuse_mail = None
    box.refuse["abuse@as64500.example"] = "450 4.2.0 greylisted"
    (event,) = node.json("mail", "send")
    assert event["step"] == "waiting" and "450 4.2.0 greylisted" in event["detail"]
    assert node.json("mail", "send") == [], "it is tried again only after a while"
    box.refuse["abuse@as64500.example"] = "550 5.1.1 no such user"
    node.run("outbox", "retry", "--all")
    events = node.json("mail", "send")
    assert [e["step"] for e in events] == ["refused", "undeliverable"] and "mail-refused: 550 5.1.1" in events[0]["detail"]
    assert not box.mails


def test_what_was_taken_back_is_not_sent(node, smtp):
    box, port = smtp()
    configure(node, port)
    route(node, hosts=1, name="one")
    route(node, hosts=1, name="two", first=11)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    first, second = (n["id"] for n in node.json("notice", "list"))
    node.run("withdraw", first)
    node.run("answer", second, "fixed", "--for", "AS64500", "--via", "mail")
    assert all(e["step"] == "undeliverable" and not e.get("contact") for e in node.json("mail", "send"))
    assert not box.mails
    node.audit()


def test_one_mail_that_its_server_does_not_take_keeps_off_no_other(node, smtp):
    box, port = smtp()
    configure(node, port)
    route(node, hosts=1, name="first")
    route(node, hosts=1, name="second", first=20)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    box.refuse_mail = "552 5.3.4 Message size exceeds fixed limit"
    events = node.json("mail", "send")
    assert [e["step"] for e in events] == ["waiting"] * 2 and all("too-long: 552 5.3.4" in e["detail"] for e in events)
    box.refuse_mail = None
    box.refuse["abuse@as64500.example"] = "421 4.7.0 closing"
    node.run("outbox", "retry", "--all")
    assert [e["step"] for e in node.json("mail", "send")] == ["waiting"] * 2
    (health,) = [c for c in node.json("contact", "list") if c["mail"] == "abuse@as64500.example"]
    assert health["bounced_for_good"] == 0 and health["bounced_for_now"] == 2, "the size is no fault of the contact"


def test_no_agent_stays_when_no_mail_went(node, smtp):
    box, port = smtp()
    configure(node, port)
    route(node, hosts=1)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    node.run("mail", "key")
    box.refuse_mail = "451 not now, any of you"
    assert node.error("mail", "send", code=3) == "unreachable"
    sockets = subprocess.run(["gpgconf", "--homedir", str(node.dir / "openpgp"), "--list-dirs", "agent-socket"],
                             capture_output=True, text=True, check=True).stdout.strip()
    wait_for(lambda: not pathlib.Path(sockets).exists(), "its end")  # it is told to, and takes a moment


def bounce(to, recipient, status="5.1.1", action="failed"):
    return (f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: Undelivered Mail\r\n"
            "Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            "--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
            f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
            f"Diagnostic-Code: smtp; 550 {status} no such user\r\n\r\n--b--\r\n").encode()


def read(node, *mails):
    return [event for mail in mails for event in node.json("mail", "read", stdin=mail)]


def test_three_bounces_and_the_next_contact_is_tried(node, smtp):
    box, port = smtp()
    configure(node, port)
    node.run("contact", "add", "AS64500", "dead@as64500.example")
    senders = []
    for i in range(3):
        route(node, hosts=1, name=f"rows{i}", first=10 * i + 1)
    node.run("mail", "send")
    assert len(box.mails) == 3
    for sender, (receiver,), _, _ in box.mails:
        senders.append(sender)
        (event,) = read(node, bounce(sender, receiver))
        assert (event["verdict"], event["logged"], event["contact"]) == ("for-good", True, "dead@as64500.example")
    assert not any(e["logged"] for e in read(node, bounce(senders[0], "dead@as64500.example"))), "the same bounce again"
    (health,) = [c for c in node.json("contact", "list") if c["mail"] == "dead@as64500.example"]
    assert health["quarantined"] and health["bounced_for_good"] == 3
    events = node.json("mail", "send")
    assert [e["step"] for e in events] == ["undeliverable"] * 3
    node.run("contact", "add", "AS64500", "alive@as64500.example")
    node.run("outbox", "retry", "--all")
    assert [e["contact"] for e in node.json("mail", "send")] == ["alive@as64500.example"] * 3
    node.audit()


def test_nobody_bounces_what_was_not_sent_to_him(node, smtp):
    box, port = smtp()
    configure(node, port)
    notice = route(node)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    node.run("mail", "send")
    sender = box.mails[0][0]
    for to in ("bounces@node.example", "bounces+" + "a" * 32 + "@node.example",
               sender.replace(sender[8], "b" if sender[8] != "b" else "c", 1)):
        assert not any(e["logged"] for e in read(node, bounce(to, "abuse@as64500.example")))
    # Delays, answers by rule, our own mail, and people's answers move nothing.
    (event,) = read(node, bounce(sender, "abuse@as64500.example", "4.4.1", "delayed"))
    assert (event["verdict"], event["logged"]) == ("delayed", False)
    (event,) = read(node, box.mails[0][2])
    assert event["own"] and not event["logged"]
    answer = (f"From: Desk <abuse@as64500.example>\r\nTo: {sender}\r\nSubject: Re: your notice\r\n"
              f"In-Reply-To: {parse(box.mails[0][2])['Message-ID']}\r\n\r\nfixed\r\n").encode()
    (event,) = read(node, answer)
    assert (event["verdict"], event["automatic"], event["logged"], event["notice"]) == ("none", False, False, notice)
    (event,) = read(node, answer.replace(b"Subject:", b"Auto-Submitted: auto-replied\r\nSubject:"))
    assert event["automatic"] and not event["logged"]
    # In capitals, as some servers write it.
    (event,) = read(node, bounce(sender.upper().replace("@NODE", "@node"), "abuse@as64500.example"))
    assert event["logged"]
    assert [m["answers"] for m in node.json("notice", "list")] == [0]


def test_a_maildir_is_read_once(node, smtp, tmp_path):
    box, port = smtp()
    configure(node, port)
    route(node)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    node.run("mail", "send")
    for name in ("new", "cur", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    (tmp_path / "box/new/1.a").write_bytes(bounce(box.mails[0][0], "abuse@as64500.example", "4.2.2"))
    (tmp_path / "box/new/2.b").write_bytes(b"\0\0\0")
    out = node.run("mail", "read", tmp_path / "box").stdout.decode()
    assert "1 bounces logged" in out and not list((tmp_path / "box/new").iterdir())
    assert len(list((tmp_path / "box/cur").iterdir())) == 2
    (item,) = [i for i in node.json("outbox", "--all") if i["way"] == "mail"]
    assert item["step"] == "waiting" and "4.2.2" in item["detail"]
    assert "0 mails" in node.run("mail", "read", tmp_path / "box").stdout.decode()


def test_an_own_key_may_be_brought(node, keyring, tmp_path):
    configure(node, 1)
    made = gpg(keyring, "--passphrase", "", "--quick-generate-key", "Node <notices@node.example>", "rsa2048", "sign")
    assert made.returncode == 0
    secret = subprocess.run(["gpg", "--homedir", str(keyring), "--export-secret-keys"], capture_output=True, timeout=60).stdout
    (tmp_path / "secret").write_bytes(secret)
    (tmp_path / "nonsense").write_bytes(b"no key")
    assert node.error("mail", "key", "--import", tmp_path / "nonsense") == "openpgp"
    (made,) = node.json("mail", "key", "--import", tmp_path / "secret")
    assert re.fullmatch("[0-9A-F]{40}", made["fingerprint"])
    assert node.json("mail", "key") == [made]
    assert node.error("mail", "key", "--import", tmp_path / "secret") == "exists"
    assert (node.dir / "openpgp").stat().st_mode & 0o77 == 0
    notice = route(node)
    node.run("contact", "add", "AS64500", "abuse@as64500.example")
    verify(node, keyring, node.run("mail", "show", notice).stdout, tmp_path)


def test_the_configuration_is_checked(node):
    (node.dir / "config").write_text("smtp smtp://mail.example:587\nmail-from a@node.example\n")
    out = node.text("config", "check")
    assert "no `url`" in out and "no `mail-bounces`" in out
