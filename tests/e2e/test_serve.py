"""`comity serve`: starts, answers, reloads, ends; and `comity config`."""
import base64
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from conftest import wait_for

OPENSSL = shutil.which("openssl")


def problem(answer, status, code):
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["advice"] and body["title"]
    return body


# ---- it lives ----

def test_health(served):
    answer = served.get("/healthz")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert served.ask("HEAD", "/healthz").body == b""
    assert served.ask("POST", "/healthz", b"").status == 405


def test_a_second_server_is_busy_and_told_so(served):
    p = served.node.run("serve", "--listen", "127.0.0.1:0", "--json", code=5)
    error = json.loads(p.stderr.decode().splitlines()[-1])
    assert error["error"] == "busy" and error["advice"]
    assert served.get("/healthz").status == 200


def test_an_address_that_is_taken(served, tmp_path):
    other = type(served.node)(tmp_path / "other")
    other.run("init", "other.example")
    p = other.run("serve", "--listen", served.url.removeprefix("http://"), code=5)
    assert b"comity: busy" in p.stderr


def test_plain_http_stays_on_loopback(bare):
    p = bare.run("serve", "--listen", "0.0.0.0:0", code=2)
    assert b"not on loopback" in p.stderr
    assert bare.error("serve", "--listen", "127.0.0.1", code=2) == "usage"
    assert bare.error("serve", "--log", "xml", code=2) == "usage"


def test_no_node(empty):
    assert empty.error("serve", "--listen", "127.0.0.1:0") == "node-missing"


def test_ipv6(bare, serve):
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on loopback here")
    server = serve(bare, listen=("--listen", "[::1]:0"))
    assert server.url.startswith("http://[::1]:")
    assert server.get("/healthz").status == 200


def test_it_ends_by_sigint_too_and_starts_again(bare, serve):
    first = serve(bare)
    first.signal(signal.SIGINT)
    assert first.process.wait(60) == 0
    assert serve(bare).get("/healthz").status == 200


def test_a_request_under_way_is_answered_before_the_end(served):
    """Its head is read when the end is asked for; its body comes after."""
    note = b"no note at all\n" * 20
    with socket.create_connection(("127.0.0.1", int(served.url.rsplit(":", 1)[1])), timeout=60) as s:
        s.sendall(b"POST /statements HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(note))
        stream = s.makefile("rb")
        assert stream.readline().startswith(b"HTTP/1.1 100 ") and stream.readline() == b"\r\n"
        s.sendall(note[:50])
        served.signal(signal.SIGTERM)
        served.wait_for_log('"event":"stopping"')
        s.sendall(note[50:])
        answer = stream.read()
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert served.process.wait(60) == 0
    lines = [l for l in served.log_lines() if l["event"] == "request" and l["path"] == "/statements"]
    assert [l["status"] for l in lines] == [400]


def test_a_stream_ends_with_the_server(served):
    connection = served.connect()
    connection.request("GET", "/statements", headers={"Accept": "text/event-stream"})
    answer = connection.getresponse()
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/event-stream")
    ended = threading.Event()

    def read():
        try:
            answer.read()
        except http.client.HTTPException:
            pass
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    served.signal(signal.SIGTERM)
    assert served.process.wait(60) == 0
    assert ended.wait(60)


def test_statements_go_in_and_are_there_after_a_restart(bare, serve):
    bare.run("party", "add", "a.example", "--role", "operator")
    first = serve(bare)
    before = first.get("/statements").json()["statements"]
    first.stop()
    assert serve(bare).get("/statements").json()["statements"] == before
    empty_ids = [s["id"] for s in before]
    assert len(set(empty_ids)) == len(before) > 0


# ---- the log ----

def test_the_log_has_a_line_for_each_answer_and_no_secret(served):
    served.get("/statements?secret=1234567&after=x", headers={"Authorization": "Bearer hidden-token"})
    served.wait_for_log('"path":"/statements"')  # lines are written after the answer, in the order of their threads
    with socket.create_connection(("127.0.0.1", int(served.url.rsplit(":", 1)[1])), timeout=60) as s:
        s.sendall(b"GET /a%0Ab%1b[31m\xc3\xa9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while s.recv(4096):
            pass
    served.stop()
    log = served.log()
    assert "1234567" not in log and "hidden-token" not in log
    assert "\x1b" not in log
    requests = [l for l in served.log_lines() if l["event"] == "request"]
    assert [l["status"] for l in requests][0] == 401
    assert requests[0]["path"] == "/statements" and requests[0]["peer"] == "127.0.0.1"
    for line in log.splitlines():
        assert {"time", "level", "event"} <= json.loads(line).keys()


# ---- metrics ----

def read_metrics(text):
    assert text.endswith("# EOF\n")
    samples = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            assert name not in samples
            samples[name] = float(value)
    return samples


def test_metrics(served):
    for _ in range(3):
        served.get("/ledger/public/checkpoint")
    served.get("/nothing")
    counts = {'comity_requests_total{door="tiles",status="2xx"}': 3, 'comity_requests_total{door="none",status="4xx"}': 1,
              'comity_request_seconds_count{door="tiles"}': 3}

    def counted():
        answer = served.get("/metrics")
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        m = read_metrics(answer.body.decode())
        return m if counts.items() <= m.items() else None

    m = wait_for(counted, counts)  # each is counted behind its answer, in any order
    assert m['comity_ledger_entries{ledger="public"}'] > 0
    assert m["comity_resident_bytes"] > 1 << 20
    assert m["comity_journal_bytes"] > 0 and m["comity_views_bytes"] > 0


def test_metrics_as_others_read_them(served):
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    text = served.get("/metrics").body.decode()
    families = {f.name for f in parser.text_string_to_metric_families(text)}
    assert {"comity_requests", "comity_request_seconds", "comity_connections"} <= families


def test_metrics_are_not_for_those_behind_a_proxy(served):
    problem(served.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}), 404, "not-found")


# ---- tiles ----

def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()


def index_path(n):
    groups = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03}")
    return "/".join(groups)


def audit_over_http(server, ledger, **more):
    """All entries by their bundles; the level-0 tiles and the root must follow from them."""
    note = server.get(f"/ledger/{ledger}/checkpoint", **more).body
    _, size, want = note.decode().split("\n")[:3]
    size, leaves = int(size), []
    for n in range((size + 255) // 256):
        width = min(256, size - 256 * n)
        suffix = "" if width == 256 else f".p/{width}"
        bundle = server.get(f"/ledger/{ledger}/tile/entries/{index_path(n)}{suffix}", **more)
        assert bundle.status == 200 and "immutable" in bundle.headers["Cache-Control"]
        rest, mine = bundle.body, []
        while rest:
            (length,) = struct.unpack(">H", rest[:2])
            mine.append(leaf(rest[2:2 + length]))
            rest = rest[2 + length:]
        assert len(mine) == width
        tile = server.get(f"/ledger/{ledger}/tile/0/{index_path(n)}{suffix}", **more)
        assert tile.body == b"".join(mine)
        leaves += mine
    assert base64.b64encode(root(leaves)).decode() == want
    return size


def test_tiles(bare, serve):
    for i in range(3):
        bare.run("party", "add", f"p{i}.example", "--role", "operator")
    before = bare.json("ledger", "show")[0]["size"]
    server = serve(bare)
    size = audit_over_http(server, "public")
    assert before <= size <= bare.json("ledger", "show")[0]["size"]  # it may have logged a tick
    for width in range(1, size + 1):  # of every checkpoint that there was, also where its file is gone
        tile = server.get(f"/ledger/public/tile/0/000.p/{width}")
        if tile.status == 200:
            assert len(tile.body) == 32 * width


def test_a_part_of_a_tile_that_is_full_by_now(bare, serve):
    from signing import Signer
    with open(bare.dir / "config", "a") as f:
        f.write("requests-per-minute 0\n")
    first = serve(bare)
    before = audit_over_http(first, "public")
    for i in range(260 - before):
        note, _ = Signer.fresh(f"p{i}.example").party("node.example/public", "role operator")
        assert first.ask("POST", "/statements", note.encode(), {"Content-Type": "text/plain"}).status == 201
    first.stop()
    server = serve(bare)
    assert audit_over_http(server, "public") >= 256
    full = server.get("/ledger/public/tile/0/000").body
    entries = server.get("/ledger/public/tile/entries/000").body
    for path in (bare.dir / "ledger" / "public" / "tile").rglob("*.p"):
        shutil.rmtree(path) if "000.p" in path.name else None
    assert server.get("/ledger/public/tile/0/000.p/200").body == full[:200 * 32]
    part = server.get("/ledger/public/tile/entries/000.p/200").body
    assert entries.startswith(part) and len(part) < len(entries)


def test_tile_paths_have_one_spelling(served):
    for path in ("tile/0/0", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/x000/000", "tile/00/000", "tile/0/000.p/01",
                 "tile/-1/000", "tile/64/000", "tile/entries/%30%30%30", "tile/0/../../../node", "tile/0/%2e%2e/x",
                 "tile/0/999", "tile/0/000", "tile/0/x999/x999/x999/x999/x999/x999/999", "tile/0/000/"):
        assert served.get(f"/ledger/public/{path}").status == 404, path
    assert served.get("/ledger/other/checkpoint").status == 404


def wait_for_size(server, size):
    """The service logs a tick when it starts, which a checkpoint follows."""
    wait_for(lambda: int(server.get("/ledger/public/checkpoint").body.split(b"\n")[1]) >= size, size)


def test_the_checkpoint_is_cached_by_its_tag(served):
    wait_for_size(served, 3)  # the party, its approval, the tick
    answer = served.get("/ledger/public/checkpoint")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert re.search(r"max-age=\d\b", answer.headers["Cache-Control"])
    tag = answer.headers["ETag"]
    for given in (tag, f'"x", W/{tag}', "*"):
        again = served.get("/ledger/public/checkpoint", headers={"If-None-Match": given})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    assert served.get("/ledger/public/checkpoint", headers={"If-None-Match": '"other"'}).status == 200


def test_proofs_verify(served, tmp_path):
    entries = served.get("/ledger/public/tile/entries/000.p/2")
    assert entries.status == 200
    (length,) = struct.unpack(">H", entries.body[:2])
    (tmp_path / "entry").write_bytes(entries.body[2:2 + length])
    proof = served.get("/ledger/public/proof/0")
    assert proof.body.startswith(b"c2sp.org/tlog-proof@v1\n")
    (tmp_path / "proof").write_bytes(proof.body)
    served.node.run("verify", tmp_path / "proof", "--entry", tmp_path / "entry")
    problem(served.get("/ledger/public/proof/12345"), 404, "not-found")
    problem(served.get("/ledger/public/proof/00"), 404, "not-found")


# ---- who may see the circle's ledger ----

def token(node, name, party, rights="read"):
    (made,) = node.json("access", "add", name, "--party", party, "--token", "--rights", rights)
    return {"Authorization": f"Bearer {made['secret']}"}


def with_a_notice(node):
    node.run("route", "--from", "list", "--class", "scanner", "--date", "2026-11-20T00:00:00Z", "-",
             stdin=b"5.44.1.1\n5.45.1.1\n")
    return node


def test_the_circles_tiles_are_for_its_members(node, serve):
    with_a_notice(node)
    node.run("party", "add", "a.example", "--role", "operator")
    member, stranger = token(node, "eyes", "node.example"), token(node, "other", "a.example")
    server = serve(node)
    assert audit_over_http(server, "circle", headers=member) == 2
    assert "private" in server.get("/ledger/circle/tile/0/000.p/2", headers=member).headers["Cache-Control"]
    assert server.get("/ledger/circle/proof/1", headers=member).status == 200
    for who in ({}, stranger):
        for path in ("checkpoint", "tile/0/000.p/2", "tile/entries/000.p/1", "proof/0"):
            problem(server.get(f"/ledger/circle/{path}", headers=who), 404, "not-found")
    problem(server.get("/ledger/circle/checkpoint", headers={"Authorization": "Bearer wrong"}), 401, "credentials")


def test_the_circles_tiles_open_after_its_delay(node, serve):
    with_a_notice(node)
    with open(node.dir / "config", "a") as f:
        f.write("circle-delay 0\n")
    assert audit_over_http(serve(node), "circle") == 2


def test_metrics_are_for_operators(node, serve):
    operator, reader = token(node, "op", "node.example", "operate"), token(node, "eyes", "node.example")
    server = serve(node)
    behind = {"X-Forwarded-For": "192.0.2.1"}
    assert server.get("/metrics", headers={**operator, **behind}).status == 200
    problem(server.get("/metrics", headers={**reader, **behind}), 404, "not-found")


def test_wrong_credentials_are_challenged(served):
    answer = served.get("/statements", headers={"Authorization": "Basic " + base64.b64encode(b"a:b").decode()})
    problem(answer, 401, "credentials")
    assert {c.split()[0] for c in answer.headers.get_all("WWW-Authenticate")} == {"Basic", "Bearer"}
    answer = served.get("/taxii2/", headers={"Authorization": "Bearer x", "Accept": "application/taxii+json;version=2.1"})
    assert answer.status == 401 and answer.headers["Content-Type"] == "application/taxii+json;version=2.1"
    error = answer.json()
    assert error["http_status"] == "401" and error["error_code"] == "credentials" and error["title"]


def test_the_circles_tiles_are_not_for_everyone(served):
    absent = served.get("/ledger/circle/tile/0/999")
    for path in ("checkpoint", "tile/0/000", "tile/entries/000.p/1", "proof/0"):
        answer = served.get(f"/ledger/circle/{path}")
        assert answer.body == absent.body and answer.status == 404
        assert dict(answer.headers).keys() == dict(absent.headers).keys()


# ---- TLS ----

def fingerprint(url):
    host, port = url.removeprefix("https://").rsplit(":", 1)
    pem = ssl.get_server_certificate((host, int(port)))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()


def make_certificate(folder, name):
    subprocess.run([OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt"), "-days", "2",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    os.chmod(folder / "tls.key", 0o600)


def test_the_development_certificate_is_made_once(bare, serve):
    first = serve(bare, listen=("--listen-tls", "127.0.0.1:0"))
    shown = first.ready["development_certificate"]
    assert shown.replace(":", "") == fingerprint(first.url)
    for name in ("tls.crt", "tls.key"):
        assert (bare.dir / "keys" / name).stat().st_mode & 0o777 == 0o600
    context = ssl.create_default_context(cafile=str(bare.dir / "keys" / "tls.crt"))
    assert first.get("/healthz", context=context).status == 200
    first.stop()
    assert serve(bare, listen=("--listen-tls", "127.0.0.1:0")).ready["development_certificate"] == shown


@pytest.mark.skipif(OPENSSL is None, reason="no openssl")
def test_sighup_shows_a_new_certificate_and_a_bad_one_changes_nothing(bare, serve, tmp_path):
    make_certificate(tmp_path, "one")
    with open(bare.dir / "config", "a") as f:
        f.write(f"listen-tls 127.0.0.1:0\ncertificate {tmp_path}/tls.crt\nkey {tmp_path}/tls.key\n")
    server = serve(bare, "--log", "json", listen=("--listen-tls", "127.0.0.1:0"))
    assert "development_certificate" not in server.ready
    before = fingerprint(server.url)
    make_certificate(tmp_path, "two")
    assert fingerprint(server.url) == before
    server.signal(signal.SIGHUP)
    server.wait_for_log('"event":"reloaded"')
    after = fingerprint(server.url)
    assert after != before
    (tmp_path / "tls.crt").write_text("nothing")
    server.signal(signal.SIGHUP)
    server.wait_for_log("the old configuration goes on")
    assert fingerprint(server.url) == after


# ---- configuration ----

def test_sighup_reads_the_configuration_again(served):
    text = (served.node.dir / "config").read_text()
    (served.node.dir / "config").write_text(text + "requests-per-minute 6\nthreads 2\n")
    served.signal(signal.SIGHUP)
    served.wait_for_log('"event":"reloaded"')
    assert any(l["event"].startswith("this setting changes") and l["detail"] == "threads" for l in served.log_lines())
    answers = [served.get("/ledger/public/checkpoint") for _ in range(30)]
    limited = [a for a in answers if a.status == 429]
    assert [a.status for a in answers[:10]] == [200] * 10 and limited
    problem(limited[0], 429, "rate")
    assert int(limited[0].headers["Retry-After"]) >= 1
    assert served.get("/healthz").status == 200  # whoever watches is not counted


def test_a_bad_configuration_keeps_the_old_one(served):
    (served.node.dir / "config").write_text("listne 127.0.0.1:1\n")
    served.signal(signal.SIGHUP)
    served.wait_for_log("did you mean `listen`")
    assert served.get("/healthz").status == 200


def test_config_check_and_show(bare):
    assert "1 collection, 0 warnings" in bare.text("config", "check")
    (checked,) = bare.json("config", "check")
    assert checked["result"] == "ok" and checked["collections"] == ["shared"]
    shown = bare.text("config", "show")
    again = bare.dir.parent / "again"
    again.write_text(shown)
    assert bare.text("config", "show", again) == shown
    (settings,) = bare.json("config", "show")
    assert {"name": "listen", "value": "127.0.0.1:8180"} in settings["settings"]
    again.write_text("plain-anywhere yes\nlisten 0.0.0.0:80\n")
    assert "line 2: plain HTTP" in bare.text("config", "check", again)
    assert bare.json("config", "check", again)[0]["line"] == 2
    again.write_text("page-most 5\n\nlimit 3\n")
    p = bare.run("config", "check", again, code=2)
    assert b"again line 3: there is no setting `limit`" in p.stderr
    assert bare.error("config", "check", again.parent / "none") == "not-found"
    (bare.dir / "config").unlink()
    assert "1 address, 0 collections" in bare.text("config", "check")


def test_two_nodes_have_two_collections(tmp_path, bare):
    other = type(bare)(tmp_path / "other")
    other.run("init", "other.example")

    def collection(node):
        return [s["value"] for s in node.json("config", "show")[0]["settings"] if s["name"] == "collection"]

    assert collection(bare) != collection(other)


# ---- the service manager ----

def test_the_service_manager_is_told(bare, serve, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        server = serve(bare, env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"})
        assert manager.recv(4096) == b"READY=1"
        assert manager.recv(4096) == b"WATCHDOG=1"
        server.signal(signal.SIGHUP)
        seen = [manager.recv(4096) for _ in range(3)]
        told = [s for s in seen if s != b"WATCHDOG=1"]
        while len(told) < 2:
            told += [s for s in [manager.recv(4096)] if s != b"WATCHDOG=1"]
        assert told[0].startswith(b"RELOADING=1\nMONOTONIC_USEC=") and told[1] == b"READY=1"
        server.signal(signal.SIGTERM)
        while (last := manager.recv(4096)) == b"WATCHDOG=1":
            pass
        assert last == b"STOPPING=1"
