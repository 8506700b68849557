#!/usr/bin/env python3
"""The node as a TAXII server, beside nginx and two peers: `bench/bench_taxii.py [FOLDER]`, FOLDER on the disk to be measured.

POST: envelopes of 1,000 indicators, durable, on 1, 2 and 4 connections, while the node fills up.
GET: pages of 100 objects at any place, with 1k, 10k, 100k, 1M stored; limit: nginx with the same bytes as static files.
Sync: everything that is stored, `next` after `next`. Memory: of the server's own, LMDB's map aside.
Followers: 10,000 that wait for news. Statements: signed notices over HTTP, beside the sequencer alone (bench_sequencer).
Peers: medallion and OpenTAXII from PyPI (bench/peer_taxii.py), in a folder of their own below build-deps.

COMITY_BENCH_OBJECTS: how many are stored in the end (1000000). COMITY_BENCH_SECONDS: of each run of wrk (5).
COMITY_BENCH_ONLY: some of post, sync, followers, statements, peers, with spaces between (all).

`us` is the server's processor time for one request or object. A figure is of this machine in this hour; only ratios travel.
"""
import base64
import bisect
import http.client
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import measuring
from measuring import MEDIA, memory, processor

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
COMITY = BUILD / "comity"
OBJECTS = int(os.environ.get("COMITY_BENCH_OBJECTS", 1_000_000))
SECONDS = int(os.environ.get("COMITY_BENCH_SECONDS", 5))
ONLY = os.environ.get("COMITY_BENCH_ONLY", "post sync followers statements peers").split()
COLLECTION = "7b2c2c5e-6f0a-4a53-9d0b-3f8f5c1d2e4a"
PATH = f"/taxii2/comity/collections/{COLLECTION}/objects/"
FOLLOWERS = 10_000
CONFIG = f"""collection bench {COLLECTION} What is posted to be measured
read bench all
unmarked bench clear
"""


def load():
    return f"load {os.getloadavg()[0]:.1f}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Node:
    """A fresh node that serves, on HTTP and TLS."""

    def __init__(self, work, name):
        self.dir = work / name
        self._comity("init", "bench.example")
        (self.dir / "config").write_text(CONFIG)
        (work / "password").write_text("a password to be measured with\n")
        self._comity("access", "add", "bench", "--party", "bench.example", "--rights", "read,write,operate",
                     "--password-file", work / "password")
        basic = base64.b64encode(b"bench:a password to be measured with").decode()
        self.headers = {"Authorization": f"Basic {basic}"}

    def _comity(self, *args):
        subprocess.run([COMITY, "--dir", self.dir, *args], check=True, stdout=subprocess.DEVNULL)

    def start(self):
        log = open(self.dir.parent / "log", "ab")
        self.process = subprocess.Popen([COMITY, "--dir", self.dir, "--json", "serve", "--listen", "127.0.0.1:0",
                                         "--listen-tls", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        self.pid = self.process.pid
        self.plain, self.tls = json.loads(self.process.stdout.readline())["listening"]
        self.port = int(self.plain.rpartition(":")[2])
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process.stdout.close()
        if code != 0:
            sys.exit(f"comity serve ended with {code}")

    def get(self, path, connection=None):
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        own.request("GET", path, headers=dict(self.headers, Accept=MEDIA))
        answer = own.getresponse()
        body = answer.read()
        if connection is None:
            own.close()
        if answer.status != 200:
            sys.exit(f"GET {path}: {answer.status} {body[:300]!r}")
        return body


class Nginx:
    """The same bytes from files: its own configuration, no log, on HTTP and TLS."""

    def __init__(self, work, tls_files, workers):
        self.port, self.tls_port = free_port(), free_port()
        path = work / f"nginx-{workers}.conf"
        path.write_text(f"""
daemon off; master_process on; worker_processes {workers}; pid {work}/nginx-{workers}.pid; error_log stderr crit;
user {os.environ.get("USER", "root") if os.geteuid() == 0 else "nobody"};
events {{ worker_connections 4096; }}
http {{
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type {MEDIA.replace(";", "-")};
	client_body_temp_path {work}/nginx-temp; proxy_temp_path {work}/nginx-temp; fastcgi_temp_path {work}/nginx-temp;
	uwsgi_temp_path {work}/nginx-temp; scgi_temp_path {work}/nginx-temp;
	server {{
		listen 127.0.0.1:{self.port}; listen 127.0.0.1:{self.tls_port} ssl;
		ssl_certificate {tls_files}.crt; ssl_certificate_key {tls_files}.key; root {work}/static;
	}}
}}
""")
        self.process = subprocess.Popen(["nginx", "-p", work, "-c", path])
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                time.sleep(0.05)
        self.pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)


# ---- reading ----

def places(node, posting):
    """Paths of pages at any place, half of them by added_after and half by next, and never at the very end."""
    known = sorted(posting.places)[:-1]
    chosen = random.sample(known, min(len(known), 500))
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=120)
    found = []
    for micros in chosen:
        seconds, rest = divmod(micros, 1_000_000)
        after = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06d}Z"
        found.append(f"{PATH}?limit=100&added_after={after}")
        if found[-1] and len(known) > 1 and bisect.bisect(known, micros) < len(known):
            page = node.get(f"{PATH}?limit={random.randrange(1, 100)}&added_after={after}", connection)
            if match := re.search(rb'"next":"([^"]+)"}$', page):
                found.append(f"{PATH}?limit=100&next={match[1].decode()}")
    connection.close()
    random.shuffle(found)
    return found


def reads(node, posting, stored, work):
    """Figures of pages of 100, printed. The last are returned."""
    paths = places(node, posting)
    (work / "paths").write_text("\n".join(paths) + "\n")
    headers = dict(node.headers, Accept=MEDIA)
    for connections in (16, 64):
        f = measuring.wrk([node.pid], node.plain, "get", work / "paths", headers, connections, SECONDS)
        print(f"  GET, 100 of {stored:>9,}, {connections:>3} connections {f}  {load()}", flush=True)
    return f, paths


def beside_nginx(node, paths, work):
    static = work / "static"
    static.mkdir()
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=120)
    paths = random.sample(paths, min(len(paths), 200))
    for i, path in enumerate(paths):
        (static / str(i)).write_bytes(node.get(path, connection))
    connection.close()
    (work / "paths").write_text("\n".join(paths) + "\n")
    (work / "files").write_text("\n".join(f"/{i}" for i in range(len(paths))) + "\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-keyout", work / "n.key", "-out", work / "n.crt"], check=True, capture_output=True)
    headers = dict(node.headers, Accept=MEDIA)
    ours = {tls: measuring.wrk([node.pid], node.tls if tls else node.plain, "get", work / "paths", headers, 64, SECONDS)
            for tls in (False, True)}
    for tls, f in ours.items():
        print(f"  the same {len(paths)} pages of {f.size:,.0f} bytes{', TLS' if tls else '':5}: comity    {f}  {load()}", flush=True)
    for workers in (1, 2):
        nginx = Nginx(work, work / "n", workers)
        for tls, mine in ours.items():
            url = f"https://127.0.0.1:{nginx.tls_port}" if tls else f"http://127.0.0.1:{nginx.port}"
            f = measuring.wrk(nginx.pids, url, "get", work / "files", headers, 64, SECONDS)
            print(f"    nginx, {workers} worker{'s' if workers > 1 else ' '}{', TLS' if tls else '':5}{'':25}{f}  {load()}   "
                  f"comity takes {mine.us / f.us:.2f} x the processor time, answers {mine.rate / f.rate:.2f} x as many", flush=True)
        nginx.stop()


# ---- everything by next ----

def sync(node, stored):
    most, over = [0.0, 0.0], threading.Event()

    def watch():
        most[:] = map(max, most, memory(node.pid))
        while not over.wait(0.1):
            most[:] = map(max, most, memory(node.pid))

    watcher = threading.Thread(target=watch)
    idle = memory(node.pid)
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=120)
    path, count, size = f"{PATH}?limit=1000", 0, 0
    watcher.start()
    before, begin = processor(node.pid), time.monotonic()
    while path:
        body = node.get(path, connection)
        count += body.count(b'"type":"indicator"')
        size += len(body)
        match = re.search(rb'"next":"([^"]+)"}$', body[-4096:])
        path = f"{PATH}?limit=1000&next={match[1].decode()}" if match else None
    took, spent = time.monotonic() - begin, processor(node.pid) - before
    over.set()
    watcher.join()
    connection.close()
    if count != stored:
        sys.exit(f"{stored} are stored, {count} came")
    time.sleep(2)
    print(f"\nSync by next, limit 1000, 1 connection: {count:,} objects, {size / 1e6:,.0f} MB in {took:.1f} s ({count / took:,.0f}/s); "
          f"{spent * 1e6 / count:.2f} us of the server for each; of a million {took * 1e6 / count:.1f} s  {load()}")
    for name, (anon, file) in (("before", idle), ("most during it", most), ("after", memory(node.pid))):
        print(f"  memory {name:16} {anon:8.1f} MB of its own, {file:8.1f} MB of files", flush=True)


# ---- posting ----

def counted(text, count):
    return json.loads(text)["success_count"] == count


def post_and_read(node, work):
    """Fills the node, reading now and then."""
    posting = measuring.Posting(node.port, PATH, node.headers, counted)
    stored = 0

    def step(objects, connections, of_one=1000, show=True):
        nonlocal stored
        rate, us = posting.run(objects, connections, of_one, [node.pid])
        stored += objects
        if show:
            print(f"  POST, {objects:>7,} to {stored:>9,} stored, {connections} connection{'s' if connections > 1 else ' '}"
                  f" {rate:9,.0f} objects/s {us:7.1f} us  {load()}", flush=True)

    print(f"\nObjects of about {len(measuring.envelope(100, random.Random(1))) // 100} bytes, envelopes of 1,000; "
          f"idle: {memory(node.pid)[0]:.1f} MB of its own")
    marks = [m for m in (1000, 10_000, 100_000, 1_000_000) if m < OBJECTS] + [OBJECTS]
    for mark in marks:
        more = mark - stored
        if mark <= 1000:
            step(more, 1, 100, show=False)
        elif mark <= 10_000:
            step(more, 1)
        else:
            part = min(30_000, more // 4)
            step(more - 3 * part, 4)
            for connections in (1, 2, 4):
                step(part, connections)
        figures, paths = reads(node, posting, stored, work)
    print(f"  memory {memory(node.pid)[0]:.1f} MB of its own, {memory(node.pid)[1]:.1f} MB of files")
    beside_nginx(node, paths, work)
    return stored


# ---- followers ----

def followers(node):
    note = (node.dir.parent / "last note").read_bytes()
    before = memory(node.pid)
    child = subprocess.Popen([sys.executable, ROOT / "bench/followers.py", str(node.port), str(FOLLOWERS),
                              node.headers["Authorization"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = child.stdout.readline().split()
    if line[:1] != ["ready"]:
        sys.exit(f"followers: {line}")
    time.sleep(1)
    spent, begin = processor(node.pid), time.monotonic()
    time.sleep(25)
    idle = (processor(node.pid) - spent) / (time.monotonic() - begin)
    held = memory(node.pid)
    print(f"\n{FOLLOWERS:,} followers, connected in {float(line[1]):.1f} s; the server's own memory {before[0]:.1f} -> {held[0]:.1f} MB; "
          f"{100 * idle:.2f} % of a processor while nothing happens  {load()}", flush=True)
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=120)
    spent, begin = processor(node.pid), time.monotonic()
    connection.request("POST", "/statements", note, dict(node.headers, **{"Content-Type": "text/plain"}))
    answer = connection.getresponse()
    if answer.status != 201:
        sys.exit(f"statement: {answer.status} {answer.read()[:300]!r}")
    answered = time.monotonic() - begin
    _, count, first, last = child.stdout.readline().split()
    print(f"  one statement: answered after {1000 * answered:.1f} ms, the first has it after {1000 * (float(first) - begin):.1f} ms, the last "
          f"of {int(count):,} after {1000 * (float(last) - begin):.1f} ms; {processor(node.pid) - spent:.2f} s of processor; "
          f"then {memory(node.pid)[0]:.1f} MB  {load()}", flush=True)
    connection.close()
    child.stdin.close()
    child.wait(60)
    child.stdout.close()
    if int(count) != FOLLOWERS:
        sys.exit(f"only {count} of them heard of it")


# ---- statements ----

SEQUENCER = re.compile(r"comity, +(\d+) in flight, +\d+ statements +(\d+)/s .* (\d+) us of")


def statements(node, folder):
    headers = dict(node.headers, **{"Content-Type": "text/plain"})
    f = measuring.wrk([node.pid], node.plain + "/statements", "post", node.dir.parent / "notes", headers, 64, SECONDS)
    print(f"\nPOST of signed statements, 64 connections {f}  {load()}", flush=True)
    done = subprocess.run([BUILD / "bench/bench_sequencer", folder], capture_output=True, text=True)
    alone = {int(m[1]): (float(m[2]), float(m[3])) for m in map(SEQUENCER.match, done.stdout.splitlines()) if m}
    if 64 in alone:
        print(f"  the sequencer alone, 64 in flight        {alone[64][0]:9,.0f}/s {alone[64][1]:7.1f} us; over HTTP "
              f"{f.rate / alone[64][0]:.2f} x the rate, {f.us / alone[64][1]:.2f} x the processor time  {load()}", flush=True)


def keep_last(work):
    """The last of the notes in a file of its own: it is posted for the followers."""
    notes = (work / "notes").read_bytes()
    at = notes.rindex(b"\ncomity/1 ")
    (work / "last note").write_bytes(notes[at + 1:])


def main():
    for tool in ("wrk", "nginx", "openssl"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing: tools/setup bench")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    folder = sys.argv[1] if len(sys.argv) > 1 else "/tmp"
    with tempfile.TemporaryDirectory(dir=folder, prefix="bench-taxii-") as name:
        work = Path(name)
        os.chmod(work, 0o755)
        node = Node(work, "node")
        with open(work / "notes", "wb") as notes:
            subprocess.run([BUILD / "bench/make_statements", node.dir, str(20_000 * SECONDS if "statements" in ONLY else 1)],
                           check=True, stdout=notes)
        keep_last(work)
        node.start()
        try:
            if "post" in ONLY:
                stored = post_and_read(node, work)
                if "sync" in ONLY:
                    sync(node, stored)
            if "statements" in ONLY:
                statements(node, folder)
            if "followers" in ONLY:
                node.stop()
                node.start()
                followers(node)
        finally:
            node.stop()
    if "peers" in ONLY:
        sys.stdout.flush()
        subprocess.run([sys.executable, ROOT / "bench/peer_taxii.py"], check=False)


if __name__ == "__main__":
    main()
