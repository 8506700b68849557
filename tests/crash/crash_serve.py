#!/usr/bin/env python3
"""`comity serve` under kills, on a full disk, and with calls that fail, while clients post envelopes and statements and delete
objects. What was acknowledged (202 complete, 201, 200) is there at the next start, nothing is there twice, an envelope is
there as a whole or not at all, and the audit is clean.

COMITY_SERVE_KILLS: how many (default 10), with a fifth as many full disks and of each failing call. TEST_SEED: another course."""
import errno
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid

import crash_limits
import lab

KILLS = int(os.environ.get("COMITY_SERVE_KILLS", "10"))
KILLS_A_NODE = 5
FAULTS = str(lab.ROOT / "build" / "tests" / "crash" / "faults.so")
MEDIA = "application/taxii+json;version=2.1"
COLLECTION = "0d5d1c53-5e0c-4b9f-8e6e-3f0a52a3bb10"
OBJECTS = "/taxii2/comity/collections/open/objects/"
CONFIG = f"listen 127.0.0.1:0\ncollection open {COLLECTION} Open\nread open all\nwrite open members\nunmarked open clear\n"
NOTES = 60
ENVELOPE = 5


def indicator():
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}", "pattern_type": "stix",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "x" * 200,
            "pattern": "[ipv4-addr:value = '192.0.2.1']", "valid_from": "2026-01-01T00:00:00Z"}


class Server:
    def __init__(self, node, **env):
        self.log = open(f"{node}.log", "wb")
        self.process = subprocess.Popen([lab.COMITY, "serve", "--json"], stdout=subprocess.PIPE, stderr=self.log,
                                        env={**os.environ, "COMITY_DIR": str(node), **env})
        line = self.process.stdout.readline()
        self.authority = json.loads(line)["listening"][0].split("//")[1] if line else None

    def end(self, how=signal.SIGTERM):
        """Its exit code; how 0: it ends by itself."""
        if how:
            self.process.send_signal(how)
        try:
            return self.process.wait(lab.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise lab.Failed("comity serve does not end")
        finally:
            self.process.stdout.close()
            self.log.close()


class World:
    """A node, what its clients sent and what was acknowledged."""

    def __init__(self, place, base, token, notes):
        self.node, self.token, self.notes = place, token, notes
        if not place.exists():
            lab.copy(base, place)
        self.lock = threading.Lock()
        self.envelopes = []  # [ids]
        self.posted, self.unsure = {}, []  # status id: envelope; envelopes of which nothing was heard
        self.doubtful, self.deleted = set(), set()  # ids whose deletion was asked for; and acknowledged
        self.statements, self.numbers = set(), {}
        self.sent_notes, self.refused, self.acknowledged = 0, {}, 0

    def client(self, server):
        c = http.client.HTTPConnection(server.authority, timeout=lab.PATIENCE)
        c.connect()
        return c

    def ask(self, c, method, path, body=None, **headers):
        c.request(method, path, body, {"Authorization": f"Bearer {self.token}", "Accept": MEDIA,
                                       **{k.replace("_", "-"): v for k, v in headers.items()}})
        r = c.getresponse()
        return r.status, r.read()

    def note_refusal(self, status, body):
        try:
            told = json.loads(body)
            code = told.get("code") or told.get("error_code")
        except ValueError:
            code = "?"
        with self.lock:
            self.refused[f"{status} {code}"] = self.refused.get(f"{status} {code}", 0) + 1
        time.sleep(0.02)
        return status

    def post_objects(self, c, objects=None):
        objects = objects or [indicator() for _ in range(ENVELOPE)]
        ids = [o["id"] for o in objects]
        with self.lock:
            self.unsure.append((ids, objects))
        status, body = self.ask(c, "POST", OBJECTS, json.dumps({"objects": objects}), Content_Type=MEDIA)
        if status != 202:
            return self.note_refusal(status, body)
        told = json.loads(body)
        if told["status"] != "complete" or told["success_count"] != len(ids):
            raise lab.Failed(f"a post that is half done: {body[:500]}")
        with self.lock:
            self.unsure.remove((ids, objects))
            self.posted[told["id"]] = ids
            self.acknowledged += 1
        return status

    def post_statement(self, c):
        with self.lock:
            path = self.notes[self.sent_notes % len(self.notes)]
            self.sent_notes += 1
        status, body = self.ask(c, "POST", "/statements", path.read_bytes(), Content_Type="text/plain")
        if status not in (200, 201):
            return self.note_refusal(status, body)
        told = json.loads(body)
        with self.lock:
            if self.numbers.setdefault(told["id"], told["index"]) != told["index"]:
                raise lab.Failed(f"{told['id']} has two places")
            self.statements.add(told["id"])
            self.acknowledged += 1
        return status

    def delete(self, c, chance):
        with self.lock:
            known = list(self.posted.values())[-50:]
            ids = [i for e in known for i in e if i not in self.doubtful]
            if not ids:
                return None
            one = chance.choice(ids)
            self.doubtful.add(one)
        status, body = self.ask(c, "DELETE", OBJECTS + one + "/")
        if status != 200:
            return self.note_refusal(status, body)
        with self.lock:
            self.deleted.add(one)
            self.acknowledged += 1
        return status

    def work(self, server, what, seed, problems):
        chance = random.Random(seed)
        try:
            c = self.client(server)
            while server.process.returncode is None:
                if what == "delete":
                    if self.delete(c, chance) is None:
                        time.sleep(0.002)
                elif what == "statement":
                    self.post_statement(c)
                else:
                    self.post_objects(c)
        except (OSError, http.client.HTTPException):
            pass  # the server is gone
        except Exception as e:  # a broken promise
            problems.append(e)

    def load(self, server, chance):
        problems = []
        threads = [threading.Thread(target=self.work, args=(server, what, chance.random(), problems))
                   for what in ("objects", "objects", "statement", "delete")]
        for t in threads:
            t.start()
        return threads, problems

    # ---- what must hold ----

    def stored(self, c):
        ids, next = [], ""
        while True:
            status, body = self.ask(c, "GET", OBJECTS + "?match[version]=all&limit=1000" + next)
            if status != 200:
                raise lab.Failed(f"reading: {status} {body[:300]}")
            page = json.loads(body)
            ids += [o["id"] for o in page.get("objects", [])]
            if not page.get("more"):
                return ids
            next = "&next=" + page["next"]

    def check(self):
        """As it lies there; then through a server, which is told again what it may not have heard."""
        lab.check_audit(self.node)
        server = Server(self.node)
        if server.authority is None:
            raise lab.Failed(f"it does not start again: {open(f'{self.node}.log').read()[-2000:]}")
        c = self.client(server)
        seen = self.stored(c)
        there = set(seen)
        if len(seen) != len(there):
            raise lab.Failed("an object is there twice")
        for ids in self.posted.values():
            missing = [i for i in ids if i not in there and i not in self.doubtful]
            if missing:
                raise lab.Failed(f"acknowledged and lost: {missing[0]}")
        back = there & self.deleted
        if back:
            raise lab.Failed(f"deleted, and there again: {back.pop()}")
        for ids, _ in self.unsure:
            if len(there & set(ids)) not in (0, len(ids)):
                raise lab.Failed(f"half an envelope is there, with {ids[0]}")
        strange = there - {i for e in self.posted.values() for i in e} - {i for ids, _ in self.unsure for i in ids}
        if strange:
            raise lab.Failed(f"nobody sent {strange.pop()}")
        for status in list(self.posted)[-20:]:
            if self.ask(c, "GET", f"/taxii2/comity/status/{status}/")[0] != 200:
                raise lab.Failed(f"the status {status} is lost")
        for ids, objects in self.unsure[-20:]:
            self.unsure.remove((ids, objects))
            if self.post_objects(c, objects) != 202:
                raise lab.Failed(f"sent again and refused: {self.refused}")
        seen = self.stored(c)
        if len(set(seen)) != len(seen):
            raise lab.Failed("an object is there twice after it was sent again")
        c.close()
        if server.end() != 0:
            raise lab.Failed(f"it ends badly: {open(f'{self.node}.log').read()[-2000:]}")
        lab.check_there(self.node, self.statements, self.numbers)
        lab.check_audit(self.node)


class Bench:
    def __init__(self, place):
        self.place, self.base, self.chance = place, place / "base", random.Random(lab.SEED)
        lab.must(self.base, "init", "cert.example")
        lab.must(self.base, "party", "add", "team.example", "--approve")
        self.token = lab.must(self.base, "access", "add", "tool", "--party", "team.example", "--rights", "read,write",
                              "--token")[0]["secret"]
        (self.base / "config").write_text(CONFIG)
        self.notes = lab.signed_plans(self.base, place, NOTES)
        self.acknowledged, self.refused = 0, {}

    def world(self, where):
        shutil.rmtree(where, ignore_errors=True)
        return World(where, self.base, self.token, self.notes)

    def add_up(self, world):
        self.acknowledged += world.acknowledged
        for code, n in world.refused.items():
            self.refused[code] = self.refused.get(code, 0) + n

    def join(self, threads, problems):
        for t in threads:
            t.join()
        if problems:
            raise problems[0]

    def kill(self, world):
        server = Server(world.node)
        if server.authority is None:
            raise lab.Failed(f"it does not start: {open(f'{world.node}.log').read()[-2000:]}")
        threads, problems = world.load(server, self.chance)
        time.sleep(self.chance.uniform(0.01, 0.8))
        server.end(signal.SIGKILL)
        self.join(threads, problems)
        world.check()

    def kills(self):
        done = 0
        while done < KILLS:
            world = self.world(self.place / "node")
            for _ in range(min(KILLS_A_NODE, KILLS - done)):
                self.kill(world)
                done += 1
            self.add_up(world)
        return f"{done} kills"

    def fail(self, world, codes, **env):
        """A machine that fails under load: a refusal by 5xx, then the end with exit code 3. True if it failed while it served."""
        server = Server(world.node, **env)
        if server.authority is None:
            if server.end(0) != 3:
                raise lab.Failed(f"the start: {open(f'{world.node}.log').read()[-2000:]}")
            return False
        self.limit()
        threads, problems = world.load(server, self.chance)
        try:
            code = server.process.wait(8)  # it ends by itself some seconds after the failure
        except subprocess.TimeoutExpired:
            code = server.end()
        self.join(threads, problems)
        strange = [r for r in world.refused if r not in codes and not r.startswith("404 ")]
        if strange:
            raise lab.Failed(f"refused with {strange}, not {codes}")
        if code not in (0, 3):
            raise lab.Failed(f"exit {code}\n{open(f'{world.node}.log').read()[-2000:]}")
        return code == 3

    limit = staticmethod(lambda: None)

    def full_disks(self, count):
        disk, ended = self.place / "disk", 0
        disk.mkdir()
        for _ in range(count):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "comity", str(disk)], check=True)
            try:
                world = self.world(disk / "node")
                room = self.chance.randrange(1 << 20) + (1 << 14)

                def limit():
                    used = int(subprocess.run(["du", "-s", "--block-size=1", str(disk)], capture_output=True,
                                              check=True).stdout.split()[0])
                    subprocess.run(["mount", "-o", f"remount,size={(used + room) // 4096 * 4096}", str(disk)], check=True)

                self.limit = limit
                ended += self.fail(world, {"503 disk-full", "503 busy", "503 logged"})
                if not any(r.startswith("503") for r in world.refused):
                    raise lab.Failed(f"nobody was told of the full disk: {world.refused}")
                subprocess.run(["mount", "-o", "remount,size=256m", str(disk)], check=True)
                world.check()
                self.add_up(world)
            finally:
                self.limit = lambda: None
                subprocess.run(["umount", str(disk)], check=True)
        return f"{count} full disks ({ended} ended the server)"

    def failing(self, count, kind, error, codes):
        log, failed = self.place / "faults", 0
        for _ in range(count):
            world = self.world(self.place / "node")
            log.unlink(missing_ok=True)
            ended = self.fail(world, codes, LD_PRELOAD=FAULTS, FAULTS_UNDER=str(world.node), FAULTS_KINDS=kind,
                              FAULTS_ERROR=str(error), FAULTS_LOG=str(log), FAULTS_AT=str(self.chance.randrange(8, 400)))
            facts = log.read_text() if log.exists() else ""
            if "written-after-failed-sync" in facts:
                raise lab.Failed(facts)
            failed += "failed " in facts
            if ("failed " in facts) and not ended and kind == "sync" and "journal" in facts:
                raise lab.Failed(f"a sync failed, and the server went on: {facts}")
            world.check()
            self.add_up(world)
        return f"{failed} failed calls of {kind}"


def program(place):
    bench = Bench(place)
    some = max(1, KILLS // 5)
    figures = [bench.kills()]
    if os.environ.get(crash_limits.INSIDE) == "yes":
        figures.append(bench.full_disks(some))
    else:
        print("skipped: disks, as mounting is not allowed here")
    if os.path.exists(FAULTS):
        figures.append(bench.failing(some, "sync", errno.EIO, {"500 sync", "500 io", "503 busy", "503 logged"}))
        figures.append(bench.failing(some, "write", errno.ENOSPC, {"503 disk-full", "503 busy", "503 logged", "500 io",
                                                                   "500 damaged"}))  # LMDB trusts itself no more
    told = ", ".join(f"{n} {code}" for code, n in sorted(bench.refused.items()))
    return f"{', '.join(figures)}: {bench.acknowledged} acknowledged, none lost; refused: {told or 'none'}"


if __name__ == "__main__":
    if crash_limits.INSIDE not in os.environ and shutil.which("unshare") is not None:
        crash_limits.enter()
    lab.main("serve", program)
