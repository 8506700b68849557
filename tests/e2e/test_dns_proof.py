"""Evidence from the DNS, gathered from a real name server on loopback (dns_lab.py) and judged offline; libldns' own walk from the root
(drill -S) agrees on every zone."""
import datetime
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from pathlib import Path

import pytest

import dns_lab
from dns_lab import KEY, OTHER_KEY, PARTY, V4, V4_WIDE, V6, gather, name_of, run

PROGRAM = Path(os.environ.get("COMITY", "build/comity")).resolve().parent / "tests/peer/dns_proof"
MISSING = [t for t in dns_lab.TOOLS if shutil.which(t, path=dns_lab.ENV["PATH"]) is None]
pytestmark = [pytest.mark.skipif(bool(MISSING), reason=f"skipped: {', '.join(MISSING)} not installed"),
              pytest.mark.skipif(not PROGRAM.exists(), reason="skipped: built without tests")]

GOOD = ["as64500.example", "several.example", "long.example", "big.example", "rsa256.example", "rsa512.example", "p384.example",
        "ed25519.example", "ed448.example", "under.example", V4, V4_WIDE, V6]
# zone -> what gathering says, what verifying says
BAD = {
    "broken.example": ("ok", "evidence-signature"),
    "changed.example": ("ok", "evidence-signature"),
    "wrongds.example": ("ok", "evidence-chain"),
    "expired.example": ("ok", "evidence-expired"),
    "future.example": ("ok", "evidence-expired"),
    "sha1.example": ("ok", "evidence-insecure"),
    "sha1ds.example": ("ok", "evidence-insecure"),
    "unsigned.example": ("evidence-insecure", "evidence-insecure"),
    "island.example": ("evidence-insecure", "evidence-chain"),
    "alias.example": ("evidence", "evidence"),
    "absent.example": ("not-found", None),
}
# The DNS is in order, what it says is not what is wanted.
OTHERWISE = {
    "wildcard.example": "evidence-resource",
    "otherkey.example": "evidence-key",
    "otherparty.example": "evidence-key",
    "nothing.example": "evidence-key",
}
# What drill takes and we do not: signatures and digests of SHA-1, an alias, and that there is nothing.
STRICTER = {"sha1.example", "sha1ds.example", "alias.example", "absent.example"}


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    day = datetime.timedelta(days=1)
    with dns_lab.Lab(tmp_path_factory.mktemp("dns"), now() - day, now() + 30 * day) as running:
        yield running


def code(said):
    return said.split(":")[0].split("\n")[0]


def verify(lab, zone, path, key=KEY, anchors=None, method="dnssec"):
    return run(PROGRAM, "verify", method, anchors or lab.folder / "anchors", name_of(zone), PARTY, key,
               now().strftime("%Y-%m-%dT%H:%M:%SZ"), path)


@pytest.mark.parametrize("zone", GOOD)
def test_good_zones(lab, tmp_path, zone):
    path = tmp_path / "evidence.json"
    assert gather(PROGRAM, lab, name_of(zone), path) == "ok"
    said = verify(lab, zone, path).split("\n")
    ends = min(z.ends or lab.ends for n, (z, _) in lab.zones.items()
               if n == "." or zone == n or zone.endswith("." + n))
    assert said[:3] == ["ok", ends.strftime("%Y-%m-%dT%H:%M:%SZ"), "root.ds"]
    assert code(verify(lab, zone, path, key="0" * 64)) == "evidence-key"
    assert lab.judge(zone)[0], lab.judge(zone)[1]
    sources = [p["source"] for p in json.loads(path.read_text())["parts"]]
    assert sources[0] == f"dns:_comity.{zone}. from 127.0.0.1" and sources[-1] == "dns:. from 127.0.0.1"


@pytest.mark.parametrize("zone", BAD)
def test_bad_zones(lab, tmp_path, zone):
    path = tmp_path / "evidence.json"
    gathered, verified = BAD[zone]
    assert code(gather(PROGRAM, lab, name_of(zone), path)) == gathered
    assert path.exists() == (verified is not None)
    if verified is not None:
        assert code(verify(lab, zone, path)) == verified
    if zone not in STRICTER:
        assert not lab.judge(zone)[0], lab.judge(zone)[1]


@pytest.mark.parametrize("zone", OTHERWISE)
def test_records_that_say_something_else(lab, tmp_path, zone):
    path = tmp_path / "evidence.json"
    assert gather(PROGRAM, lab, zone, path) == "ok"
    assert code(verify(lab, zone, path)) == OTHERWISE[zone]


def test_an_anchor_below_the_root(lab, tmp_path):
    path, anchors = tmp_path / "evidence.json", tmp_path / "anchors"
    anchors.mkdir()
    (anchors / "island.ds").write_text(lab.ds_of("island.example"))
    assert code(gather(PROGRAM, lab, "island.example", path)) == "evidence-insecure"
    assert verify(lab, "island.example", path, anchors=anchors).startswith("ok\n")
    (anchors / "island.ds").rename(anchors / "island.txt")
    assert code(verify(lab, "island.example", path, anchors=anchors)) == "evidence-chain"
    key = next(lab.folder.glob("Kisland.example.*.key")).read_text()
    (anchors / "island.key").write_text(key)
    assert verify(lab, "island.example", path, anchors=anchors).startswith("ok\n")


def test_answers_of_64_kib_come_by_tcp(lab, tmp_path):
    path = tmp_path / "evidence.json"
    assert gather(PROGRAM, lab, "big.example", path) == "ok"
    parts = json.loads(path.read_text())["parts"]
    assert len(parts[0]["data"]) * 3 // 4 > 60000 and path.stat().st_size < 1 << 20


def test_prefixes_off_the_borders_have_no_zone(lab, tmp_path):
    for resource in ("prefix 192.0.2.0/25", "prefix 192.0.2.0/23", "prefix 2001:db8::/33", "AS64500", "country EE"):
        assert code(gather(PROGRAM, lab, resource, tmp_path / "x")) == "evidence"


def observe(lab, zone, path, key=KEY):
    return run(PROGRAM, "observe-dns", "127.0.0.1", lab.port, zone, PARTY, key, path).strip()


def test_observers_see_what_is_not_signed(lab, tmp_path):
    path = tmp_path / "seen.json"
    for zone in ("unsigned.example", "as64500.example", "expired.example", "big.example", "wildcard.example"):
        assert observe(lab, zone, path) == "ok"
        assert verify(lab, zone, path, method="observed").startswith("ok\n")
        assert code(verify(lab, "other.example", path, method="observed")) == "evidence-resource"
        assert code(verify(lab, zone, path, key=OTHER_KEY, method="observed")) == "evidence-key"
    for zone, expected in (("otherkey.example", "evidence-key"), ("nothing.example", "evidence-key"),
                           ("alias.example", "evidence-key"), ("absent.example", "not-found")):
        path.unlink(missing_ok=True)
        assert code(observe(lab, zone, path)) == expected
        assert path.exists() == (expected == "evidence-key")


class Resolver:
    """Answers each TCP and UDP question on one port with what the function makes of it."""

    def __init__(self, answer):
        self.answer, self.end = answer, threading.Event()
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.threads = [threading.Thread(target=self.over_tcp), threading.Thread(target=self.over_udp)]

    def over_tcp(self):
        while not self.end.is_set():
            try:
                c = self.tcp.accept()[0]
            except OSError:
                return
            with c:
                size = struct.unpack(">H", c.recv(2))[0]
                reply = self.answer(c.recv(size))
                c.sendall(struct.pack(">H", len(reply)) + reply)

    def over_udp(self):
        while not self.end.is_set():
            question, whence = self.udp.recvfrom(4096)
            if question:
                self.udp.sendto(self.answer(question)[:1232], whence)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *why):
        self.end.set()
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", ("127.0.0.1", self.port))
        for t in self.threads:
            t.join()
        self.udp.close()


def replying(flags, records=b"", count=0, change=lambda reply: reply):
    def answer(question):
        end = question.index(b"\0", 12) + 5
        return change(question[:2] + struct.pack(">5H", flags, 1, count, 0, 0) + question[12:end] + records)
    return answer


@pytest.mark.parametrize("said, answer", [
    ("peer", replying(0x8000, change=lambda r: b"")),
    ("peer", replying(0x8000, change=lambda r: r[:20])),
    ("peer", replying(0x8000, change=lambda r: bytes([r[0] ^ 1]) + r[1:])),
    ("peer", replying(0x8000, change=lambda r: r[:13] + b"x" + r[14:])),
    ("peer", replying(0x0000)),
    ("peer", replying(0x8200)),
    ("peer", replying(0x8000, b"\xc0\x0c" * 3, 1)),
    ("peer", replying(0x8000, b"\xc0\x23\0\x10\0\1\0\0\0\0\0\0" * 5000, 5000)),
    ("not-found", replying(0x8000)),
    ("not-found", replying(0x8003)),
    ("unreachable", replying(0x8002)),
    ("evidence-key", replying(0x8000, b"\xc0\x0c\0\x10\0\1\0\0\0\0\0\3\2hi", 1)),
    ("evidence", replying(0x8000, (b"\xc0\x0c\0\x10\0\1\0\0\0\0\0\3\2hi") * 2, 2)),
    ("evidence", replying(0x8000, b"".join(b"\xc0\x0c\0\x10\0\1\0\0\0\0\0\3\2" + struct.pack(">H", n) for n in range(4300)), 4300)),
], ids=range(14))
def test_a_hostile_resolver(tmp_path, said, answer):
    with Resolver(answer) as resolver:
        assert code(observe(resolver, "a.example", tmp_path / "seen.json")) == said
        if said in ("not-found", "unreachable"):
            assert code(gather(PROGRAM, resolver, "a.example", tmp_path / "chain.json")) == said


def test_nobody_answers(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    for words in (("gather", "127.0.0.1", port, "a.example", tmp_path / "x"),
                  ("observe-dns", "127.0.0.1", port, "a.example", PARTY, KEY, tmp_path / "x")):
        assert code(run(PROGRAM, *words)) == "unreachable"
    assert code(run(PROGRAM, "gather", "resolver.example", 53, "a.example", tmp_path / "x")) == "address"


class Web:
    """An https server of a.localhost on port 443 of loopback, which libcurl finds without any resolver."""

    def __init__(self, folder, reply):
        self.reply, self.folder = reply, folder
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", "key.pem",
            "-out", "certificate.pem", "-subj", "/CN=a.localhost", "-addext", "subjectAltName=DNS:a.localhost", folder=folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
        self.socket = context.wrap_socket(socket.create_server(("127.0.0.1", 443)), server_side=True)
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        while True:
            try:
                c = self.socket.accept()[0]
            except ssl.SSLError:
                continue
            except OSError:
                return
            with c:
                self.asked = c.recv(4096)
                c.sendall(self.reply)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *why):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


def page(text, status="200 OK", more=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n{more}\r\n{text}".encode()


STATEMENT = f"comity-key 1\nparty {PARTY}\nkey {KEY}\n"


@pytest.mark.parametrize("said, reply", [
    ("ok", page(STATEMENT)),
    ("ok", page(STATEMENT.replace("\n", "\r\n"))),
    ("evidence-key", page(STATEMENT.replace(KEY, OTHER_KEY))),
    ("evidence-key", page("<html>hello</html>")),
    ("evidence-key", page("")),
    ("too-long", page("x" * 20000)),
    ("not-found", page(STATEMENT, "404 Not Found")),
    ("unreachable", page(STATEMENT, "500 Oops")),
    ("refused-url", page("", "302 Found", "Location: https://127.0.0.1/\r\n")),
], ids=range(9))
def test_observers_see_the_file_of_a_web_server(lab, tmp_path, said, reply):
    path = tmp_path / "seen.json"
    try:
        web = Web(tmp_path, reply)
    except OSError as e:
        pytest.skip(f"skipped: port 443 of loopback: {e}")
    with web:
        words = (tmp_path / "certificate.pem", "a.localhost", PARTY, KEY, path)
        assert code(run(PROGRAM, "observe-https", "public", *words)) == "refused-url"
        assert code(run(PROGRAM, "observe-https", "private", *words)) == said
        assert web.asked.startswith(b"GET /.well-known/comity.txt HTTP/")
    if said == "ok":
        assert verify(lab, "a.localhost", path, method="observed").startswith("ok\n")
        assert code(verify(lab, "b.localhost", path, method="observed")) == "evidence-resource"


def test_an_address_is_no_domain(tmp_path):
    for host in ("127.0.0.1", "169.254.169.254", "[::1]", "localhost", "a.example:443", "a.example/x"):
        done = subprocess.run([PROGRAM, "observe-https", "private", "/dev/null", host, PARTY, KEY, tmp_path / "x"], capture_output=True,
                              text=True, timeout=60)
        assert code(done.stdout.strip()) == "domain"
