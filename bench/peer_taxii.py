#!/usr/bin/env python3
"""Two TAXII servers that others use, on the same envelopes of indicators: `bench/peer_taxii.py [SECONDS]`, of each step at most.

medallion 3.0.0 (OASIS's own; keeps all in memory, as its command runs it) and OpenTAXII 0.9.3 (sqlite, gunicorn with one
worker, as its manual runs it; once more without its check of patterns, so that it gets further). Both from PyPI, into build/taxii-peers. One connection. Prints objects a second of POST
while they fill up, pages of 100 objects a second, and the server's processor time for each. Exits with 77, saying why, where
neither can be had.
"""
import base64
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import measuring
from measuring import MEDIA, processor

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "build" / "taxii-peers"
WANTED = ["medallion==3.0.0", "opentaxii==0.9.3", "gunicorn"]
ID = "7b2c2c5e-6f0a-4a53-9d0b-3f8f5c1d2e4a"


def install():
    if (VENV / "installed").exists() and (VENV / "installed").read_text().split() == WANTED:
        return True
    print(f"installing in build/taxii-peers: {' '.join(WANTED)}", file=sys.stderr)
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV]).returncode == 0 and subprocess.run(
        [VENV / "bin/python", "-m", "pip", "-q", "--disable-pip-version-check", "install", *WANTED]).returncode == 0
    if not done:
        shutil.rmtree(VENV, ignore_errors=True)
        return False
    (VENV / "installed").write_text("\n".join(WANTED))
    return True


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def family(pid):
    """A process and all below it."""
    found = [str(pid)]
    for one in found:
        for task in Path(f"/proc/{one}/task").iterdir():
            found += (task / "children").read_text().split()
    return found


class Peer:
    def __init__(self, name, command, port, root, environment, work):
        self.name, self.port = name, port
        self.path = f"{root}collections/%s/objects/"
        with open(work / f"{name}.log", "wb") as log:
            self.process = subprocess.Popen(command, cwd=work, env=environment, stdout=log, stderr=log, start_new_session=True)
        for _ in range(150):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"{name} does not begin: {(work / f'{name}.log').read_text()[-500:]}")

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)


def medallion(work):
    root = {"title": "bench", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 100_000_000}
    collection = {"id": ID, "title": "bench", "can_read": True, "can_write": True, "media_types": ["application/stix+json;version=2.1"],
                  "objects": [], "manifest": []}
    port = free_port()
    (work / "data.json").write_text(json.dumps({
        "/discovery": {"title": "bench", "api_roots": [f"http://127.0.0.1:{port}/bench/"]},
        "discovery": {"title": "bench", "api_roots": [f"http://127.0.0.1:{port}/bench/"]},
        "bench": {"information": root, "status": [], "collections": [collection]}}))
    (work / "medallion.json").write_text(json.dumps({
        "backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(work / "data.json")},
        "users": {"bench": "secret"}, "taxii": {"max_page_size": 1000}}))
    peer = Peer("medallion", [VENV / "bin/medallion", "--port", str(port), work / "medallion.json"], port, "/bench/", os.environ, work)
    peer.path %= ID
    peer.headers = {"Authorization": "Basic " + base64.b64encode(b"bench:secret").decode()}
    return peer


def opentaxii(work, patterns=True):
    """patterns: STIX patterns are checked, as it comes; takes it milliseconds for each."""
    port = free_port()
    (work / "opentaxii.yml").write_text(f"""---
domain: "127.0.0.1:{port}"
auth_api:
  class: opentaxii.auth.sqldb.SQLDatabaseAPI
  parameters: {{db_connection: "sqlite:///{work}/auth.db", create_tables: yes, secret: not-a-secret}}
taxii1:
taxii2:
  title: bench
  contact: bench
  description: bench
  max_content_length: 100000000
  public_discovery: yes
  persistence_api:
    class: opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI
    parameters: {{db_connection: "sqlite:///{work}/data.db", create_tables: yes}}
logging: {{opentaxii: warning, root: warning}}
""")
    environment = dict(os.environ, OPENTAXII_CONFIG=str(work / "opentaxii.yml"))
    make = """
from opentaxii.cli import app
with app.app_context():
    api = app.taxii_server.servers.taxii2.persistence.api
    root = api.add_api_root(title="bench", description="bench", default=True)
    made = api.add_collection(api_root_id=root.id, title="bench", description="bench", alias="bench", is_public=True,
                              is_public_write=True)
    print("made", root.id, made.id)
"""
    done = subprocess.run([VENV / "bin/python", "-c", make], env=environment, cwd=work, capture_output=True, text=True)
    words = done.stdout.split()
    if done.returncode != 0 or "made" not in words:
        raise RuntimeError(f"OpenTAXII: {done.stderr.strip()[-300:]}")
    root, collection = words[words.index("made") + 1:][:2]
    # 0.9.3 stores what is posted and then cannot print the status: its UUIDs are no JSON. Here they are.
    mended = "import json\njson.JSONEncoder.default = lambda self, o: str(o)\n"
    if not patterns:
        mended += "import stix2.v21.sdo\nstix2.v21.sdo.run_validator = lambda *a, **k: []\n"
    (work / "mended.py").write_text(mended + "from opentaxii.http import app\n")
    peer = Peer("OpenTAXII" if patterns else "same, patterns unchecked", [VENV / "bin/gunicorn", "mended:app", "--no-control-socket", "--bind", f"127.0.0.1:{port}", "--workers", "1"],
                port, f"/taxii2/{root}/", environment, work)
    peer.path %= collection
    peer.headers = {}
    return peer


def posts(peer, stored, upto, seconds):
    """Envelopes until so many are stored, or the time is over. The last thousand is the figure."""
    posting = measuring.Posting(peer.port, peer.path, peer.headers, lambda text, count: json.loads(text)["failure_count"] == 0)
    end = time.monotonic() + seconds
    rate = us = None
    while stored < upto and time.monotonic() < end:
        rate, us = posting.run(1000, 1, 1000, family(peer.process.pid))
        stored += 1000
    if rate is not None:
        print(f"  {peer.name:24} POST, the thousand up to {stored:>7,}  {rate:9,.0f} objects/s {us:9.1f} us", flush=True)
    return stored, rate is not None and stored >= upto


def pages(peer, stored, seconds):
    """Pages of 100, each behind the last by `next`, begun again at the end."""
    connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=max(60, seconds))
    first = f"{peer.path}?limit=100"
    headers = dict(peer.headers, Accept=MEDIA)
    pids = family(peer.process.pid)
    path, count = first, 0
    before, begin = processor(*pids), time.monotonic()
    while time.monotonic() - begin < seconds:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200 or len(body["objects"]) > 100:
            raise RuntimeError(f"{peer.name}: {answer.status} {body}")
        count += 1
        path = f"{first}&next={quote(str(body['next']))}" if body.get("more") else first
    took, spent = time.monotonic() - begin, processor(*pids) - before
    connection.close()
    print(f"  {peer.name:24} GET, 100 of {stored:>7,}             {count / took:9,.2f} pages/s   {spent * 1e6 / count:9.0f} us", flush=True)


def measure(begin, marks, seconds):
    with tempfile.TemporaryDirectory(prefix="bench-taxii-peer-") as name:
        try:
            peer = begin(Path(name))
        except (RuntimeError, OSError) as e:
            print(f"  skipped: {e}")
            return
        try:
            stored = 0
            for mark, reads in marks:
                stored, reached = posts(peer, stored, mark, seconds)
                if reads:
                    pages(peer, stored, seconds / 4)
                if not reached:
                    return
        except (RuntimeError, OSError, http.client.HTTPException, KeyError, ValueError) as e:
            print(f"  {peer.name} ends here: {e!r}")
        finally:
            peer.stop()


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 40
    print("\nPeers, one connection, the same envelopes of 1,000")
    if not install():
        print("skipped: no peer (PyPI gave neither medallion nor OpenTAXII)")
        sys.exit(77)
    measure(medallion, [(1000, True), (5000, False), (10_000, False)], seconds)
    measure(opentaxii, [(1000, True)], seconds)
    measure(lambda work: opentaxii(work, patterns=False), [(1000, True), (10_000, True), (20_000, False), (100_000, True)], seconds)


if __name__ == "__main__":
    main()
