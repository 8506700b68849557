"""What benches of servers share: processor time and memory of processes, wrk, envelopes of indicators, posting them."""
import http.client
import os
import random
import subprocess
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEDIA = "application/taxii+json;version=2.1"
TICK = os.sysconf("SC_CLK_TCK")
INDICATOR = (
    '{"type":"indicator","spec_version":"2.1","id":"indicator--%s-%s-4%s-a%s-%s",'
    '"created_by_ref":"identity--2f6b9f0d-5a5b-4b0e-8d0c-6a1c2f7f3a11","created":"2026-11-%02dT%02d:%02d:%02d.%03dZ",'
    '"modified":"2026-11-%02dT%02d:%02d:%02d.%03dZ","name":"Host that spreads a loader",'
    '"description":"Seen in connections to sinkholes and honeypots; the owner of the address was told at once.",'
    '"indicator_types":["malicious-activity"],"pattern":"[ipv4-addr:value = \'%d.%d.%d.%d\']","pattern_type":"stix",'
    '"valid_from":"2026-11-01T00:00:00Z","confidence":%d,"labels":["botnet","loader"],'
    '"object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]}')


def envelope(count, draw):
    """So many indicators that nobody made before, each valid by itself, as one TAXII envelope."""
    objects = []
    for _ in range(count):
        n = draw.getrandbits(160)
        h = f"{n & (1 << 122) - 1:032x}"
        n >>= 100
        date = (n % 28 + 1, (n >> 5) % 24, (n >> 10) % 60, (n >> 16) % 60, (n >> 22) % 1000)
        objects.append(INDICATOR % (h[:8], h[8:12], h[12:15], h[15:18], h[18:30], *date, *date, (n >> 32) % 223 + 1,
                                    (n >> 40) % 256, (n >> 48) % 256, (n >> 20) % 256, n % 101))
    return ('{"objects":[' + ",".join(objects) + "]}").encode()


def processor(*pids):
    """Seconds of processor time that these processes took so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory(pid):
    """MB of its own, and of files (LMDB's map among them)."""
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("RssAnon", "RssFile"):
            found[name] = int(value.split()[0]) / 1024
    return found["RssAnon"], found["RssFile"]


class Figures:
    """One run of wrk. us: processor time of the server for each request."""

    def __init__(self, line, spent):
        requests, took_us, size, refused, broken, p50, p99 = map(int, line.split()[1:])
        self.requests, self.refused, self.broken = requests, refused, broken
        self.rate = requests * 1e6 / took_us
        self.p50, self.p99 = p50 / 1000, p99 / 1000
        self.us = spent * 1e6 / max(requests, 1)
        self.size = size / max(requests, 1)

    def __str__(self):
        trouble = f"  {self.refused} refused, {self.broken} broken" if self.refused + self.broken else ""
        return f"{self.rate:9,.0f}/s {self.us:7.1f} us  p50 {self.p50:7.2f}  p99 {self.p99:7.2f} ms{trouble}"


def wrk(pids, url, mode, path, headers, connections, seconds):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", HERE / "requests.lua", url, "--", mode, path]
    for name, value in headers.items():
        command += [name, value]
    before = processor(*pids)
    done = subprocess.run(command, capture_output=True, text=True)
    spent = processor(*pids) - before
    lines = [line for line in done.stdout.splitlines() if line.startswith("figures ")]
    if not lines:
        raise RuntimeError(f"wrk: {done.stdout} {done.stderr}")
    return Figures(lines[0], spent)


class Posting:
    """Envelopes to one collection on some connections. places: when each was answered, microseconds since 1970."""

    def __init__(self, port, path, headers, accepted):
        self.port, self.path, self.accepted = port, path, accepted
        self.headers = dict(headers, **{"Content-Type": MEDIA, "Accept": MEDIA})
        self.places = []
        self.lock = threading.Lock()
        self.failed = None

    def _post(self, bodies, seed, each):
        draw = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            while self.failed is None:
                with self.lock:
                    if not bodies:
                        return
                    count = bodies.pop()
                body = envelope(count, draw)
                connection.request("POST", self.path, body, self.headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 202 or not self.accepted(text, count):
                    self.failed = f"{answer.status}: {text[:500]!r}"
                with self.lock:
                    self.places.append(time.time_ns() // 1000)
                each()
        except (OSError, http.client.HTTPException) as e:
            self.failed = repr(e)
        finally:
            connection.close()

    def run(self, objects, connections, of_one=1000, pids=(), each=lambda: None):
        """Objects a second, and microseconds of the server's processor time for each object."""
        bodies = [of_one] * (objects // of_one) + ([objects % of_one] if objects % of_one else [])
        threads = [threading.Thread(target=self._post, args=(bodies, os.urandom(16), each)) for _ in range(connections)]
        before, begin = processor(*pids), time.monotonic()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        took, spent = time.monotonic() - begin, processor(*pids) - before
        if self.failed:
            raise RuntimeError(f"posting: {self.failed}")
        return objects / took, spent * 1e6 / objects
