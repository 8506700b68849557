#!/usr/bin/env python3
"""Notices to 50 nodes on loopback: `bench/bench_delivery.py [FOLDER]`, FOLDER on the disk to be measured.

One node routes a report; 50 nodes, each a process of its own, keep the parties that answer for its addresses. Measured at the
receivers, whose entries say both times: from logged at home to logged there. First a few at a time, then all at once.
Beside it: bodies of the same number and size, posted by `curl --parallel` (libcurl's multi interface) to nginx, which reads
them and answers 200. That verifies, logs and answers nothing: it is what the transport alone costs.

COMITY_BENCH_NOTICES: how many (10000). COMITY_BENCH_NODES: to how many nodes (50). Durable on both sides.
"""
import base64
import json
import http.client
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from measuring import memory, processor

ROOT = Path(__file__).resolve().parent.parent
COMITY = ROOT / "build" / "comity"
NOTICES = int(os.environ.get("COMITY_BENCH_NOTICES", 10_000))
NODES = int(os.environ.get("COMITY_BENCH_NODES", 50))
ROUNDS = 10  # of one notice to each node, first
DATE = "2026-11-20T00:00:00Z"
CONFIG = "\noutgoing-private yes\noutgoing-plain yes\ndeliveries-per-minute 0\nthreads 1\nlog json\n"


def load():
    return f"load {os.getloadavg()[0]:.1f}"


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Node:
    def __init__(self, work, name, port, claims=()):
        self.dir, self.name, self.port = work / name, name, port
        self.run("init", name)
        with open(self.dir / "config", "a") as config:
            config.write(CONFIG)
        self.run("party", "update", "--url", f"http://127.0.0.1:{port}", *(w for c in claims for w in ("--claim", c)))
        made = json.loads(self.run("access", "add", "bench." + name, "--party", name, "--rights", "read,write,operate", "--token",
                                   "--json"))
        self.headers = {"Authorization": "Bearer " + made["secret"]}

    def run(self, *words):
        p = subprocess.run([COMITY, "--dir", self.dir, *map(str, words)], capture_output=True, text=True)
        if p.returncode != 0:
            sys.exit(f"{words}: {p.stdout} {p.stderr}")
        return p.stdout

    def start(self):
        with open(self.dir.parent / f"{self.name}.log", "wb") as log:
            self.process = subprocess.Popen([COMITY, "--dir", self.dir, "serve", "--json", "--listen", f"127.0.0.1:{self.port}"],
                                            stdout=subprocess.PIPE, stderr=log)
        self.process.stdout.readline()
        self.pid = self.process.pid

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.stdout.close()

    def log(self):
        return (self.dir.parent / f"{self.name}.log").read_text()

    def ask(self, method, path, body=None, headers=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, {**self.headers, **dict(headers)})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def metric(self, name):
        return int(re.search(rf"^comity_{name} (\d+)$", self.ask("GET", "/metrics")[1], re.M)[1])

    def item(self, id):
        """A statement as it is delivered, without its body."""
        found = json.loads(self.ask("GET", f"/statements/{id}")[1])
        while (receipt := self.ask("GET", f"/statements/{id}/receipt"))[0] != 200:
            time.sleep(0.1)
        first, rest = receipt[1].split("\n", 1)
        entry = base64.b64encode(f"logged {found['logged']}\n{found['note']}".encode()).decode()
        return {"note": found["note"], "receipt": f"{first}\nextra {entry}\n{rest}"}

    def introduce_to(self, other):
        mine = [p for p in json.loads(self.ask("GET", "/statements?kind=party")[1])["statements"] if p["from"] == self.name]
        body, status = json.dumps(self.item(mine[-1]["id"])), 429
        while status == 429:  # one address may not introduce all of them at once
            status, text = other.ask("POST", "/introduction", body, {"Content-Type": "application/json"})
            time.sleep(1 if status == 429 else 0)
        if status not in (200, 201):
            sys.exit(f"introduction: {status} {text}")
        other.run("party", "approve", self.name)

    def delays(self):
        """Of each notice that came: (logged at home, logged here), in seconds."""
        raw = self.run("ledger", "show", "circle", "--raw", "--limit", NOTICES * 3)
        found = re.findall(r"^logged (\S+)\nhome (\S+) [0-9a-f]{64}\ncomity/1 notice", raw, re.M)
        return [(datetime.fromisoformat(home).timestamp(), datetime.fromisoformat(here).timestamp()) for here, home in found]


def route(a, work, first, of_each):
    """Rows whose sources nobody saw before, as many for each node."""
    rows = [f"20.{n}.{(first + i) // 250}.{(first + i) % 250 + 1}" for i in range(of_each) for n in range(NODES)]
    (work / "report.txt").write_text("\n".join(rows) + "\n")
    a.run("route", work / "report.txt", "--from", "list", "--class", "brute-force", "--date", DATE)
    return len(rows)


def wait_until_answered(a, count):
    """`received` of all of them is logged here too."""
    while a.metric("delivery_taken_total") < count:
        time.sleep(0.05)


def wait_for_files():
    """`ledger show` reads what is published, which is a second behind."""
    time.sleep(3)


def spread(delays):
    cuts = statistics.quantiles([1000 * (there - home) for home, there in delays], n=100)
    return f"from logged to taken p50 {cuts[49]:,.0f} ms, p99 {cuts[98]:,.0f} ms"


def territory(a, work):
    """A table of our own making; claims go before it."""
    (work / "delegated-ripencc-extended-latest").write_text(
        "2.3|ripencc|20261101|1|19930901|20261101|+0000\nripencc|*|ipv4|*|1|summary\n"
        "ripencc|EE|ipv4|20.0.0.0|16777216|20120101|allocated|x\n")
    a.run("territory", "build", work / "delegated-ripencc-extended-latest")


def comity(work):
    ports = free_ports(NODES + 1)
    a = Node(work, "a.example", ports[0])
    territory(a, work)
    a.run("directive", "set", "--by", "source")
    nodes = [Node(work, f"b{n}.example", ports[n + 1], [f"prefix 20.{n}.0.0/16"]) for n in range(NODES)]
    for node in [a, *nodes]:
        node.start()
    try:
        for node in nodes:
            node.introduce_to(a)
        count = 0
        for i in range(ROUNDS):
            count += route(a, work, i, 1)
            wait_until_answered(a, count)
        wait_for_files()
        few = [d for node in nodes for d in node.delays()]
        print(f"{len(few)} notices, one to each of {NODES} nodes at a time: {spread(few)}  {load()}", flush=True)
        known = len(a.log())
        before = processor(a.pid), processor(*(n.pid for n in nodes))
        count += route(a, work, ROUNDS, NOTICES // NODES)
        wait_until_answered(a, count)
        spent = processor(a.pid) - before[0], processor(*(n.pid for n in nodes)) - before[1]
        wait_for_files()
        delays = [d for node in nodes for d in node.delays()[ROUNDS:]]
        if len(delays) != count - len(few):
            sys.exit(f"{count - len(few)} notices, {len(delays)} came")
        took = max(there for _, there in delays) - min(home for home, _ in delays)
        print(f"{len(delays):,} notices at once to {NODES} nodes: {len(delays) / took:,.0f}/s in {took:.2f} s, {spread(delays)}; "
              f"processor time of each: sender {1e6 * spent[0] / len(delays):.0f} us, receiver {1e6 * spent[1] / len(delays):.0f} us "
              f"(`received` and its way back with it); memory of a receiver {memory(nodes[0].pid)[0]:.1f} MB  {load()}", flush=True)
        requests = [int(m) for m in re.findall(r'"delivered[^\n]*?example: (\d+)', a.log()[known:])]
        sample = json.loads(nodes[0].ask("GET", "/statements?kind=notice")[1])["statements"][-1]["id"]
        return len(delays) / took, requests, len(json.dumps(a.item(sample))) + 400  # its body of a few hundred bytes
    finally:
        for node in [a, *nodes]:
            node.stop()


def transport(work, requests, size):
    ports = free_ports(NODES)
    listen = " ".join(f"listen 127.0.0.1:{p};" for p in ports)
    (work / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {work}/nginx.pid; error_log stderr crit;
user {os.environ.get("USER", "root") if os.geteuid() == 0 else "nobody"};
events {{ worker_connections 1024; }}
http {{ access_log off; client_max_body_size 0; client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
	uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5; server {{ {listen} location / {{ return 200; }} }} }}
""")
    lines = []
    for i, count in enumerate(requests):
        (work / f"body{count}").write_bytes(b"x" * (count * size))
        lines += [f'url = "http://127.0.0.1:{ports[i % NODES]}/"', f'data-binary = "@{work}/body{count}"', 'output = "/dev/null"', "next"]
    (work / "curlrc").write_text("\n".join(lines[:-1]) + "\n")
    sink = subprocess.Popen(["nginx", "-p", work, "-c", work / "nginx.conf"])
    try:
        time.sleep(0.5)
        begin = time.monotonic()
        subprocess.run(["curl", "--silent", "--fail", "--parallel", "--parallel-max", "64", "-K", work / "curlrc"], check=True,
                       stderr=subprocess.DEVNULL)
        return time.monotonic() - begin
    finally:
        sink.send_signal(signal.SIGQUIT)
        sink.wait(30)


def main():
    for tool in ("nginx", "curl"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing: tools/setup bench")
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else "/tmp", prefix="bench-delivery-") as name:
        work = Path(name)
        rate, requests, size = comity(work)
        took = transport(work, requests, size)
        count = sum(requests)
        print(f"  {len(requests)} requests of {size * count / max(len(requests), 1) / 1e3:,.0f} kB by curl to nginx: {count / took:,.0f} statements/s; "
              f"comity delivers {rate * took / count:.3f} of that  {load()}")


if __name__ == "__main__":
    main()
