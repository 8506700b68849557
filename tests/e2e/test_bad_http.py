"""What hostile clients send to `comity serve`, byte by byte. The law of all of them: nobody else notices, nothing of it is
logged, and the node's audit is clean at the end."""
import base64
import concurrent.futures
import http.client
import json
import os
import re
import resource
import socket
import ssl
import threading
import uuid

import pytest

from conftest import COMITY, TIMEOUT, Node, Server
from signing import Signer
from test_signatures import signed

MEDIA = "application/taxii+json;version=2.1"
OPEN = "0d5d1c53-5e0c-4b9f-8e6e-3f0a52a3bb10"
OBJECTS = "/taxii2/comity/collections/open/objects/"
MEBIBYTE = 1 << 20
CONFIG = f"""listen 127.0.0.1:0
listen-tls 127.0.0.1:0
request 2s
idle 2s
body-most 1MiB
collection open {OPEN} For everybody
read open all
write open members
unmarked open clear
"""
PLAN = ("activity scan", "start 2026-01-01T00:00:00Z", "end 2026-02-01T00:00:00Z", "source 192.0.2.0/24", "target any")


class Bad:
    """A node, its server, and those who ask it."""

    def __init__(self, folder, config=CONFIG):
        self.node = Node(folder / "node")
        self.node.run("init", "node.example")
        for party in ("team.example", "other.example"):
            self.node.run("party", "add", party, "--approve")
        self.token = {party: self.node.json("access", "add", "of." + party, "--party", party, "--rights", "read,write",
                                            "--token")[0]["secret"] for party in ("team.example", "other.example")}
        password = folder / "password"
        password.write_text("correct horse battery")
        self.node.run("access", "add", "desk", "--party", "team.example", "--password-file", password)
        self.keys = {party: Signer.of(self.node, party) for party in ("team.example", "other.example")}
        (self.node.dir / "config").write_text(config)
        self.server = Server(self.node, "--log", "json", listen=())
        self.port = int(self.server.urls[0].rsplit(":", 1)[1])

    def end(self):
        self.server.stop()
        self.node.audit()

    def bearer(self, party="team.example"):
        return {"Authorization": f"Bearer {self.token[party]}"}

    def ask(self, method, path, body=None, who=None, source=None, **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        headers |= self.bearer(who) if who else {}
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT, source_address=(source, 0) if source else None)
        try:
            c.request(method, path, body, headers)
            r = c.getresponse()
            r.content = r.read()
            return r
        finally:
            c.close()

    def dial(self, port=None):
        return socket.create_connection(("127.0.0.1", port or self.port), timeout=TIMEOUT)

    def say(self, *pieces, shut=False):
        """Sends it on a connection of its own, and reads until the other side closes. [(status, headers, body)]"""
        with self.dial() as s:
            try:
                for piece in pieces:
                    s.sendall(piece)
                if shut:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before its end
            return answers(read_all(s))

    def logged(self):
        """What a member sees of both ledgers at this moment, but for ticks, which come by themselves."""
        page = json.loads(self.ask("GET", "/statements?limit=1000", who="team.example").content)
        assert not page["more"]
        return [s["id"] for s in page["statements"] if s["kind"] != "tick"]

    def note(self, who="team.example"):
        return self.keys[who].statement("plan", "node.example/public", *PLAN, f"purpose survey {uuid.uuid4()}")


def read_all(s):
    got = b""
    try:
        while piece := s.recv(65536):
            got += piece
    except ConnectionError:
        pass
    return got


def answers(got):
    found = []
    while got:
        head, _, got = got.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        assert re.fullmatch(r"HTTP/1\.[01] \d{3} [ -~]*", first), first
        headers = {k.lower(): v.strip() for k, v in (l.split(":", 1) for l in lines)}
        status = int(first.split()[1])
        if status == 100:
            continue
        length = int(headers.get("content-length", 0))
        if "x-content-type-options" not in headers:
            length = len(got)  # the HTTP library's own; of 0.9.75 it says its head twice, and closes
        found.append((status, headers, got[:length]))
        got = got[length:]
    return found


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def head(method, target, *lines, host=True):
    return "\r\n".join([f"{method} {target} HTTP/1.1", *(["Host: node.example"] if host else []), *lines, "", ""]).encode()


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    b = Bad(tmp_path_factory.mktemp("bad"))
    yield b
    b.end()


@pytest.fixture(autouse=True)
def others_are_served(request):
    yield
    if "bad" in request.fixturenames:
        b = request.getfixturevalue("bad")
        assert b.server.process.poll() is None, b.server.log()[-3000:]
        assert b.ask("GET", "/healthz").status == 200
        assert b.ask("GET", "/statements", who="other.example").status == 200


@pytest.fixture
def nothing_logged(bad):
    before = bad.logged()
    yield
    assert bad.logged() == before


# ---- slow ----

def test_who_drips_is_ended_and_others_go_on(bad, nothing_logged):
    note = bad.note()[0].encode()
    beginnings = [b"", b"GET / HTTP/1.1\r\nX-", head("POST", "/statements", f"Content-Length: {len(note)}") + note[:10],
                  head("POST", "/statements", "Transfer-Encoding: chunked") + b"ffff\r\n",
                  head("POST", OBJECTS, "Authorization: Bearer " + bad.token["team.example"], f"Content-Type: {MEDIA}",
                       "Content-Length: 1000")]
    over = threading.Event()
    open_ones = [bad.dial() for _ in range(8) for _ in beginnings]

    def drip():
        for i, s in enumerate(open_ones):
            s.sendall(beginnings[i % len(beginnings)])
        while not over.wait(0.2):
            for s in open_ones:
                try:
                    s.send(b"a")
                except OSError:
                    pass

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        for _ in range(50):
            assert bad.ask("GET", "/ledger/public/checkpoint").status == 200
        for i, s in enumerate(open_ones):
            got = read_all(s)  # to its end: the server ended it
            assert got == b"" or answers(got)[0][0] == 408, got
            if i % len(beginnings) > 1:
                assert answers(got)[0][0] == 408
    finally:
        over.set()
        dripping.join()
        for s in open_ones:
            s.close()


def resident(process):
    with open(f"/proc/{process.pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) << 10


def test_who_never_reads_costs_little(bad):
    """Each asks for 200 times 40 KB and reads none of it."""
    size = len(bad.ask("GET", "/openapi.json").content)
    assert size > 10000
    before = resident(bad.server.process)
    open_ones = []
    for _ in range(100):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", bad.port))
        s.sendall(head("GET", "/openapi.json") * 200)
        open_ones.append(s)
    for _ in range(50):
        assert bad.ask("GET", "/statements").status == 200
    share = 2 if re.search("asan|tsan", str(COMITY)) else 8  # sanitizers hold back what was freed
    assert resident(bad.server.process) - before < 100 * 200 * size / share
    for s in open_ones:
        s.close()


def test_a_thousand_that_connect_and_say_nothing(bad):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3000:
        pytest.skip("too few file handles here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3000), hard))
    open_ones = [bad.dial() for _ in range(1000)]
    assert bad.ask("GET", "/healthz").status == 200
    assert [read_all(s) for s in open_ones] == [b""] * 1000  # each was closed by the server
    for s in open_ones:
        s.close()


# ---- too much ----

@pytest.mark.parametrize("who, path, status", [
    (None, "/statements", 413), (None, OBJECTS, 413), ("team.example", OBJECTS, 413), (None, "/healthz", 405),
    ("team.example", "/statements/with-body", 413), (None, "/statements/with-body", 413)])
def test_a_body_that_is_announced_too_large(bad, nothing_logged, who, path, status):
    auth = ["Authorization: Bearer " + bad.token[who]] if who else []
    for length in (16 * MEBIBYTE + 1, 1 << 40, (1 << 62) - 1):
        (answer,) = bad.say(head("POST", path, f"Content-Length: {length}", f"Content-Type: {MEDIA}", *auth))
        assert answer[0] == status  # though nothing of the body ever came
        assert answer[1]["connection"] == "close"
        (answer,) = bad.say(head("POST", path, f"Content-Length: {length}", "Expect: 100-continue", *auth))
        assert answer[0] == status


@pytest.mark.parametrize("who, path, status", [
    (None, "/statements", 413), (None, OBJECTS, 401), ("team.example", OBJECTS, 413), (None, "/statements/with-body", 401)])
def test_a_body_that_grows_too_large(bad, nothing_logged, who, path, status):
    auth = ["Authorization: Bearer " + bad.token[who]] if who else []
    chunk, sent = b"10000\r\n" + b"x" * 0x10000 + b"\r\n", 0
    with bad.dial() as s:
        try:
            s.sendall(head("POST", path, "Transfer-Encoding: chunked", f"Content-Type: {MEDIA}", *auth))
            while sent < 64 * MEBIBYTE:
                s.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass
        assert sent < 32 * MEBIBYTE  # what the server drops and what lies in between
    with bad.dial() as s:  # who stops to look is told
        s.sendall(head("POST", path, "Transfer-Encoding: chunked", f"Content-Type: {MEDIA}", *auth) + chunk * 18)
        assert answers(read_all(s))[0][0] == status


def test_heads_that_are_too_large(bad):
    for many in (head("GET", "/" + "a" * 9000), head("GET", "/" + "a" * 200000), head("GET", "/statements?kind=" + "a" * 20000),
                 head("GET", "/", "X: " + "a" * 30000), head("GET", "/", *(f"X{i}: y" for i in range(5000))),
                 head("GET", "/", "x" * 30000 + ": y"), head("G" * 30000, "/"),
                 head("GET", "/statements", *("Accept: text/plain" for _ in range(3000)))):
        got = bad.say(many)
        assert len(got) <= 1 and all(status in (400, 413, 414, 431) for status, _, _ in got), many[:60]
    deep = bad.ask("GET", "/statements/" + "a/" * 2000)
    assert deep.status == 404
    got = bad.say(head("GET", "/statements?" + "&".join(f"kind=plan{i}" for i in range(500)), "Connection: close"))
    assert [status for status, _, _ in got] == [413]


# ---- smuggling ----

SMUGGLING = [
    ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: 5", "Content-Length: 5"], ["Content-Length: 5, 5"],
    ["Content-Length: +5"], ["Content-Length: -1"], ["Content-Length: 0x5"], ["Content-Length: 5 5"], ["Content-Length:"],
    ["Content-Length: 5", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Content-Length: 5"],
    ["Transfer-Encoding: identity"], ["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding: chunked, identity"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], ["Transfer-Encoding: xchunked"],
    ["Transfer-Encoding: \x0bchunked"], ["Transfer-Encoding : chunked"], ["Content-Length : 5"], ["Content-Length\t: 5"],
    ["X: y", " folded", "Content-Length: 5"], ["X: y", "\tTransfer-Encoding: chunked", "Content-Length: 5"],
    ["Host: other.example", "Content-Length: 5"], ["X: a\x00b", "Content-Length: 5"], ["X\x00: b", "Content-Length: 5"],
    ["X: a\nContent-Length: 5"], ["X: a\rContent-Length: 5"], ["X y", "Content-Length: 5"], [": y", "Content-Length: 5"],
    *([c * "\x00", "Content-Length: 5"] for c in range(1, 8)), ["X: y", "\x00\x00\x00"], [" X: y", "Content-Length: 5"], ["Content-Length: 5", "Authorization: Bearer a", "Authorization: Bearer b"],
    ["Content-Length: 5", "Expect: 100-continue", "Expect: nothing"], ["Content-Length: 99999999999999999999"]]


@pytest.mark.parametrize("lines", SMUGGLING, ids=[" ".join(l).encode("unicode_escape").decode() for l in SMUGGLING])
def test_heads_that_two_readers_would_read_differently(bad, nothing_logged, lines):
    """Behind each follows a request that is good. If the first one's end is in doubt, it must not be carried out."""
    note = bad.note()[0].encode()
    path = f"/smuggled-{uuid.uuid4()}"
    behind = head("GET", path) + head("POST", "/statements", f"Content-Length: {len(note)}") + note
    for method, target in (("POST", "/statements"), ("GET", "/statements")):
        got = bad.say(head(method, target, *lines) + b"0\r\n\r\n" + behind)
        assert len(got) <= 1 and all(a[0] in (400, 411, 413, 501) for a in got), got
    assert path not in bad.server.log()


@pytest.mark.parametrize("first", [
    b"GET /statements HTTP/1.1\r\n\r\n", b"GET /statements HTTP/1.1\nHost: a\n\n", b"GET  /statements HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /statements HTTP/1.1 \r\nHost: a\r\n\r\n", b"GET /statements HTTP/2.0\r\nHost: a\r\n\r\n",
    b"GET /statements HTTP/1.2\r\nHost: a\r\n\r\n", b"GET /statements\r\n\r\n", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", b"GET a.example:80 HTTP/1.1\r\nHost: a\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", b"GET http://a@b/x HTTP/1.1\r\nHost: a\r\n\r\n", b"get\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x00" * 100, b"\xff" * 5000], ids=lambda b: repr(b[:20]))
def test_first_lines_that_are_none(bad, nothing_logged, first):
    note, path = bad.note()[0].encode(), f"/smuggled-{uuid.uuid4()}"
    got = bad.say(first + head("GET", path) + head("POST", "/statements", f"Content-Length: {len(note)}") + note)
    assert len(got) <= 1 and all(a[0] in (400, 413, 414, 431, 501, 505) for a in got), got
    assert path not in bad.server.log()


def test_an_absolute_target_is_one_path(bad):
    (answer,) = bad.say(head("GET", "http://other.example/healthz", "Connection: close"))
    assert answer[0] == 200 and json.loads(answer[2]) == {"status": "ok"}
    (answer,) = bad.say(head("GET", "http://other.example//healthz", "Connection: close"))
    assert answer[0] == 404


def test_what_is_pipelined_is_answered_in_order(bad):
    note, id = bad.note()
    got = bad.say(head("GET", "/healthz") + head("GET", "/nothing") +
                  head("POST", "/statements", f"Content-Length: {len(note.encode())}") + note.encode() +
                  head("GET", f"/statements/{id}", "Connection: close") + head("GET", "/healthz"))
    assert [a[0] for a in got] == [200, 404, 201, 200]


# ---- wrong lengths ----

def test_a_body_that_ends_early_is_nothing(bad, nothing_logged):
    note = bad.note()[0].encode()
    envelope = json.dumps({"objects": [{"type": "ipv4-addr", "id": f"ipv4-addr--{uuid.uuid4()}", "value": "192.0.2.1"}]}).encode()
    auth = "Authorization: Bearer " + bad.token["team.example"]
    for path, body in (("/statements", note), (OBJECTS, envelope)):
        lines = [auth, f"Content-Type: {MEDIA if path == OBJECTS else 'text/plain'}"]
        # What the library has read when the end comes decides: it closes, or waits until the body is late.
        late = [(408, {"connection": "close", "content-length": "0", "x-content-type-options": "nosniff"}, b"")]
        for missing in (1, len(body) // 2, len(body)):
            cut = body[:len(body) - missing]
            assert bad.say(head("POST", path, f"Content-Length: {len(body)}", *lines) + cut, shut=True) in ([], late)
            got = bad.say(head("POST", path, "Transfer-Encoding: chunked", *lines) + b"%x\r\n" % len(body) + cut, shut=True)
            assert got == late or all(a[0] == 400 for a in got), got
        whole = b"%x\r\n%b\r\n" % (len(body), body)  # only the last chunk is missing
        got = bad.say(head("POST", path, "Transfer-Encoding: chunked", *lines) + whole, shut=True)
        assert got == late or all(a[0] == 400 for a in got), got
        for size in (b"-1", b"0x10", b"g", b"", b"ffffffffffffffffffff"):
            got = bad.say(head("POST", path, "Transfer-Encoding: chunked", *lines) + size + b"\r\n" + body + b"\r\n0\r\n\r\n")
            assert all(a[0] in (400, 413) for a in got), size


def test_a_length_that_is_too_small(bad, nothing_logged):
    """The rest is no request, and the beginning no statement."""
    note = bad.note()[0].encode()
    got = bad.say(head("POST", "/statements", f"Content-Length: {len(note) - 20}") + note)
    assert got[0][0] in (400, 403) and all(a[0] == 400 for a in got[1:])


# ---- JSON ----

JSON = {
    "deep": (b'{"objects":' + b"[" * 20000 + b"]" * 20000 + b"}", "depth", "depth"),
    "deep-objects": (b'{"a":' * 20000 + b"1" + b"}" * 20000, "depth", "depth"),
    "deep-and-open": (b'{"objects":' + b"[" * 300000, "depth", "depth"),
    "twice": (b'{"objects":[{"type":"x"}],"objects":[],"note":"a","note":"b"}', "duplicate-key", "duplicate-key"),
    "twice-inside": (b'{"objects":[{"type":"x","type":"y"}],"note":{"a":1,"a":2}}', "duplicate-key", "duplicate-key"),
    "twice-by-escape": (b'{"note":"a","n\\u006fte":"b"}', "duplicate-key", "duplicate-key"),
    "utf-8": (b'{"objects":[{"type":"\xff\xfe"}],"note":"\xff"}', "encoding", "encoding"),
    "overlong": (b'{"note":"\xc0\xaf","objects":[]}', "encoding", "encoding"),
    "surrogate-in-bytes": (b'{"note":"\xed\xa0\x80","objects":[]}', "encoding", "encoding"),
    "lone-surrogate": (b'{"note":"\\ud800","objects":[{"type":"\\udc00"}]}', "json", "json"),
    "bom": (b'\xef\xbb\xbf{"objects":[]}', "encoding", "encoding"),
    "utf-16": ('{"objects":[]}'.encode("utf-16"), "encoding", "encoding"),
    "empty": (b"", "json", "json"),
    "nul": (b'{"objects":[]}\x00', "json", "json"),
    "two": (b'{"objects":[]}{"objects":[]}', "json", "json"),
    "open": (b'{"objects":[{"type":"x"', "json", "json"),
    "large-number": (b'{"objects":[],"a":99999999999999999999}', "number", "number"),
    "nan": (b'{"objects":[],"a":NaN}', "json", "json"),
    "comment": (b'{"objects":[]/**/}', "json", "json"),
    "comma": (b'{"objects":[],}', "json", "json"),
    "list": (b"[]", None, "json"),
    "number": (b"1", None, "json"),
}


@pytest.mark.parametrize("name", JSON)
def test_bad_json_is_named(bad, nothing_logged, name):
    body, taxii, api = JSON[name]
    answer = bad.ask("POST", OBJECTS, body, "team.example", Content_Type=MEDIA, Accept=MEDIA)
    assert answer.status in (400, 422) and answer.headers["Content-Type"] == MEDIA, answer.content
    told = json.loads(answer.content)
    assert told["http_status"] == str(answer.status) and (taxii is None or told["error_code"] == taxii), told
    answer = bad.ask("POST", "/statements/with-body", body, "team.example", Content_Type="application/json")
    assert answer.status == 400 and json.loads(answer.content)["code"] == api, answer.content


def test_bad_notes_in_json(bad, nothing_logged):
    note = bad.note()[0]
    for body, code in (({}, "field-missing"), ({"note": 1}, "field"), ({"note": note, "body": "!"}, "encoding"),
                       ({"note": note, "body": "AA=="}, None), ({"note": note, "body": "AAAA", "salt": "00"}, "encoding"),
                       ({"note": note, "salt": "00" * 32}, "field-missing"), ({"note": note + "\x00"}, None),
                       ({"note": "\ufeff" + note}, None), ({"note": note.replace("\n", "\r\n")}, None)):
        answer = bad.ask("POST", "/statements/with-body", json.dumps(body), "team.example", Content_Type="application/json")
        told = json.loads(answer.content)
        assert answer.status in (400, 422) and (code is None or told["code"] == code), (body, told)


# ---- again and again ----

def test_a_statement_that_is_sent_again_has_one_place(bad):
    text, id = bad.note()
    note = text.encode()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        got = list(pool.map(lambda _: bad.ask("POST", "/statements", note), range(40)))
    assert sorted(a.status for a in got) == [200] * 39 + [201]
    assert len({(json.loads(a.content)["ledger"], json.loads(a.content)["index"]) for a in got}) == 1
    assert json.loads(bad.ask("GET", f"/statements/{id}").content)["index"] == json.loads(got[0].content)["index"]


def test_an_envelope_that_is_sent_again_adds_nothing(bad):
    one = {"type": "ipv4-addr", "id": f"ipv4-addr--{uuid.uuid4()}", "value": "192.0.2.1"}
    body = json.dumps({"objects": [one]})
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        got = list(pool.map(lambda _: bad.ask("POST", OBJECTS, body, "team.example", Content_Type=MEDIA), range(40)))
    assert {a.status for a in got} == {202} and {json.loads(a.content)["success_count"] for a in got} == {1}
    seen = json.loads(bad.ask("GET", OBJECTS + f"?match[id]={one['id']}&match[version]=all", who="team.example").content)
    assert [o["id"] for o in seen["objects"]] == [one["id"]]
    shares = json.loads(bad.ask("GET", "/statements?kind=share", who="team.example").content)["statements"]
    assert len(shares) == len({s["id"] for s in shares})


def test_a_signed_request_is_good_once(bad):
    body = json.dumps({"objects": [{"type": "ipv4-addr", "id": f"ipv4-addr--{uuid.uuid4()}", "value": "192.0.2.9"}]}).encode()
    fields = {**signed(bad.keys["team.example"].key, "POST", "node.example", OBJECTS, body=body), "Content-Type": MEDIA,
              "Host": "node.example"}

    def send(_):
        c = http.client.HTTPConnection("127.0.0.1", bad.port, timeout=TIMEOUT)
        c.request("POST", OBJECTS, body, fields)
        status = c.getresponse().status
        c.close()
        return status

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(send, range(10))) == [202] + [401] * 9


# ---- floods ----

def test_a_flood_from_one_party_is_its_own_trouble(tmp_path):
    b = Bad(tmp_path, CONFIG + "requests-per-minute 1\n")  # but ten at once
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            got = list(pool.map(lambda _: b.ask("GET", "/statements", who="team.example"), range(100)))
        limited = [a for a in got if a.status == 429]
        assert {a.status for a in got} == {200, 429} and len(limited) >= 70
        for a in limited:
            assert int(a.headers["Retry-After"]) >= 1 and json.loads(a.content)["code"] == "rate"
        a = b.ask("POST", OBJECTS, b"{}", "team.example", Content_Type=MEDIA, Accept=MEDIA)
        assert a.status == 429 and json.loads(a.content)["error_code"] == "rate"
        for who, source in (("other.example", None), (None, "127.0.0.77")):
            assert b.ask("GET", "/statements", who=who, source=source).status == 200
        assert b.ask("GET", "/healthz").status == 200
    finally:
        b.end()


def test_guessing_is_slowed_and_who_is_known_stays(tmp_path):
    b = Bad(tmp_path)
    try:
        desk = basic("desk:correct horse battery")
        assert b.ask("GET", "/statements", source="127.0.0.9", Authorization=desk).status == 200
        got = [b.ask("GET", "/statements", source="127.0.0.9", Authorization=basic(f"desk:wrong{i}")) for i in range(48)]
        statuses = [a.status for a in got]
        assert 10 <= statuses.count(401) <= 30 and statuses[-1] == 429 and set(statuses) == {401, 429}
        assert int(got[-1].headers["Retry-After"]) >= 1
        got = [b.ask("GET", "/statements", source="127.0.0.10", Authorization=f"Bearer {n:064x}").status for n in range(40)]
        assert got[0] == 401 and got[-1] == 429
        assert b.ask("GET", "/statements", source="127.0.0.9", Authorization=desk).status == 200  # it was let in before
        assert b.ask("GET", "/statements", source="127.0.0.10", who="team.example").status == 200
        assert b.ask("GET", "/statements", source="127.0.0.11", Authorization=desk).status == 200
    finally:
        b.end()


# ---- odd methods, paths, fields ----

def test_other_methods(bad, nothing_logged):
    for method in ("OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "PROPFIND", "get", "X" * 100):
        answer = bad.ask(method, "/statements", Max_Forwards="0")
        assert answer.status == 405 and set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST"}, method
        assert b"Max-Forwards" not in answer.content
    (answer,) = bad.say(head("CONNECT", "other.example:443"))
    assert answer[0] in (400, 405)
    for path in ("/statements", "/healthz", "/ledger/public/checkpoint", "/taxii2/", "/openapi.json", "/nothing"):
        get, only_head = bad.ask("GET", path), bad.ask("HEAD", path)
        assert only_head.status == get.status and only_head.content == b""
        assert only_head.headers["Content-Type"] == get.headers["Content-Type"]


TRICKS = ["..", ".", "%2e%2e", "%2E%2e/%2e%2e", "..%2f..%2fnode", "%2e%2e%2fkeys%2fparty.key", "..%5c..%5cnode", "%00", "x%00.p",
          "%c0%ae%c0%ae", "%", "%2", "%zz", "%25%32%65", "..;/", "\\..\\node", "%0d%0aX-Injected:%20y", "%ff", "%e2%80%ae",
          "....//", "/", "//", "a//b", "%2f", "%2f%2fetc%2fpasswd", "000/../../../node", "000%2ep", "000.p/1/", "~root", "*",
          "con", "$(id)", "{{7*7}}", "'%20or%20'1'='1"]


@pytest.mark.parametrize("root", ["/", "/ledger/", "/ledger/public/", "/ledger/public/tile/0/", "/ledger/public/tile/entries/",
                                  "/ledger/public/proof/", "/statements/", "/body/", "/taxii2/comity/",
                                  "/taxii2/comity/collections/", "/taxii2/comity/collections/open/objects/",
                                  "/taxii2/comity/status/"])
def test_paths_lead_nowhere_else(bad, root):
    secret = (bad.node.dir / "keys" / "party.key").read_bytes()
    for trick in TRICKS:
        for auth in ([], ["Authorization: Bearer " + bad.token["team.example"]]):
            (answer,) = bad.say(head("GET", root + trick, "Connection: close", *auth))
            assert answer[0] in (400, 401, 404), (root + trick, answer)
            assert secret[:30] not in answer[2] and b"comity/1" not in answer[2]
            assert "x-injected" not in answer[1]


FIELDS = {
    "Accept": ["", ",", ";", "*/*", "*/*;q=0", "application/taxii+json;version=9", "application/taxii+json;version=\"2.1",
               "a" * 9000, "text/event-stream;" * 400, ",".join(["application/json;q=0.1"] * 500), "\xff\xfe", "/", "text/", "/plain"],
    "Accept-Encoding": ["gzip", "br;q=9", "*" * 5000, "identity;q=0"],
    "Content-Type": ["", ";", "text", "multipart/form-data; boundary=\xff", "application/taxii+json;version=2.1" * 200],
    "Range": ["bytes=0-", "bytes=0-0,1-1," * 500 + "2-2", "bytes=-1", "bytes=9-1", "lines=1-2", "bytes=18446744073709551616-", "="],
    "If-Range": ['"x"', "Mon, 23 Nov 2026 00:00:00 GMT", "\xff"],
    "If-None-Match": ["", "*", '"', 'W/', '"' * 4000, ",".join(['"x"'] * 2000), "W/\"\xff\""],
    "If-Modified-Since": ["yesterday", "Mon, 99 Nov 2026 00:00:00 GMT", "-1"],
    "Last-Event-ID": ["-1", "x", "18446744073709551616", "1 "],
    "Authorization": ["", "Basic", "Basic ", "Basic =", "Basic " + "A" * 8000, "Bearer", "Bearer " + "x" * 8000, "Basic Og==",
                      "Basic AAAA", "Digest username=\"x\"", "Bearer a b", "Negotiate", "\xff", "Bearer \xff"],
    "Signature": ["sig=:AAAA:", "", "sig", "sig=:" + "A" * 6000 + ":"],
    "Signature-Input": ["sig=()", 'sig=("@method");created=-1', "(" * 3000, 'sig=("' + "x" * 3000 + '")'],
    "Content-Digest": ["sha-256=:AAAA:", "sha-256", "md5=:AAAA:", ":" * 3000],
    "Cookie": ["a=b; " * 1000], "X-Forwarded-For": ["127.0.0.1, ::1"], "Upgrade": ["h2c", "websocket"],
    "X-HTTP-Method-Override": ["DELETE"], "Content-Encoding": ["gzip"], "TE": ["trailers"], "Expect": ["200-ok"],
    "Connection": ["Host", "close, keep-alive, upgrade", "Content-Length"], "Host": ["a:99999", "[::1", "\xff", "a" * 5000],
}


@pytest.mark.parametrize("name", FIELDS)
def test_values_of_fields_never_break_a_door(bad, nothing_logged, name):
    for value in FIELDS[name]:
        for method, path in (("GET", "/ledger/public/checkpoint"), ("GET", "/statements?limit=1"), ("GET", OBJECTS),
                             ("GET", "/openapi.json"), ("POST", "/statements"), ("POST", OBJECTS)):
            if (name, path) in (("Accept", "/statements?limit=1"), ("Last-Event-ID", "/statements?limit=1")) and "event" in value:
                continue  # that is a stream
            lines = [f"{name}: ".encode() + value.encode("latin-1"), b"Connection: close"][:1 if name == "Connection" else 2]
            if name != "Host":
                lines.append(b"Host: node.example")
            if method == "POST":
                lines.append(b"Content-Length: 0")
            got = bad.say(b"\r\n".join([f"{method} {path} HTTP/1.1".encode(), *lines, b"", b""]), shut=True)
            assert len(got) == 1, (value, path, got)
            assert 200 <= got[0][0] < 500, (value, path, got)


# ---- TLS ----

def test_garbage_at_the_tls_port(bad):
    port = int(bad.server.urls[1].rsplit(":", 1)[1])
    hello = bytearray(b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + bytes(193))
    pieces = [b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", b"\x00" * 1000, os.urandom(1000), b"\x16\x03\x01\xff\xff" + b"a" * 70000,
              bytes(hello), bytes(hello[:50]), b"\x15\x03\x03\x00\x02\x02\x28", b"\x80\x2e\x01\x00\x02", b""]
    for piece in pieces:
        with bad.dial(port) as s:
            try:
                s.sendall(piece)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            got = read_all(s)
            assert b"HTTP/1.1 200" not in got and b"ok" not in got
    open_ones = [bad.dial(port) for _ in range(200)]  # no handshake is ever begun
    context = ssl.create_default_context(cafile=str(bad.node.dir / "keys" / "tls.crt"))
    answer = bad.server.get("/healthz", url=bad.server.urls[1], context=context)
    assert answer.status == 200
    assert [read_all(s) for s in open_ones] == [b""] * 200
    for s in open_ones:
        s.close()
    (status, _, _), = bad.say(bytes(hello)) or [(400, {}, b"")]  # TLS at the plain port
    assert status == 400
