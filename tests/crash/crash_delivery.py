#!/usr/bin/env python3
"""Three nodes and a mail server, any of which is killed at any moment, while reports are routed at the first, notices go to the other
two and to a mailbox, and answers are given there. At the end everything is delivered: each acknowledged notice and answer is at its
receiver exactly once, each notice was received exactly once, answers keep their order, the outboxes are empty, the ledgers are
clean, and a mail that went twice is the same mail.

COMITY_KILLS: how many (default 20). TEST_SEED: another course."""
import collections
import email
import importlib.util
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
if importlib.util.find_spec("aiosmtpd") is None:  # tools/setup test puts it there
    python = ROOT / "build-deps" / "python" / "bin" / "python3"
    if python.exists() and "COMITY_AGAIN" not in os.environ:
        os.execve(python, [str(python), *sys.argv], {**os.environ, "COMITY_AGAIN": "yes"})
    print("skipped: no aiosmtpd from PyPI")
    sys.exit(77)

sys.path.insert(1, str(ROOT / "tests" / "e2e"))
import lab  # noqa: E402
from ports import free_port  # noqa: E402
from signing import Signer  # noqa: E402

KILLS = int(os.environ.get("COMITY_KILLS", "20"))
GROUPS, EACH = 8, 250  # sources: so many networks of make_territory for each receiver, with so many addresses
NETS = {"b.example": range(0, 3 * GROUPS, 3), "c.example": range(1, 3 * GROUPS, 3), "mail": range(2, 3 * GROUPS, 3)}
ENOUGH = 20 * lab.PATIENCE
ANSWERS = ("acknowledged", "working", "fixed")
# What a command may be told that comes beside a server, or before what it is about.
REFUSALS = {"busy", "matter-unknown", "not-found"}


# ---- the mail server: a program of its own, so that it can be killed ----


def take_mails(port, folder):
    from aiosmtpd.controller import Controller

    class Taker:
        async def handle_DATA(self, server, session, envelope):
            name = f"{time.monotonic_ns()}-{os.getpid()}"
            (folder / "tmp" / name).write_bytes(envelope.content)
            os.rename(folder / "tmp" / name, folder / "new" / name)
            return "250 taken"

    Controller(Taker(), hostname="127.0.0.1", port=port).start()
    print("ready", flush=True)
    signal.pause()


class Process:
    """Something that is killed and started again."""

    def __init__(self, name):
        self.name, self.process = name, None

    def start(self):
        until = time.monotonic() + lab.PATIENCE
        while True:
            self.process = self.launch()
            if self.process.stdout.readline():
                return
            self.kill()  # its address or its folder are not free yet: a command has the node at this moment
            if time.monotonic() > until:
                raise lab.Failed(f"{self.name} does not start: {self.log()}")
            time.sleep(0.05)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def log(self):
        return ""


class Post(Process):
    def __init__(self, place):
        super().__init__("the mail server")
        self.port, self.folder = free_port(), place / "mails"
        for part in ("tmp", "new"):
            (self.folder / part).mkdir(parents=True)

    def launch(self):
        return subprocess.Popen([sys.executable, __file__, "smtp", str(self.port), str(self.folder)], stdout=subprocess.PIPE)

    def mails(self):
        """Message-IDs by the beginning of the notice's id."""
        found = collections.defaultdict(list)
        for path in (self.folder / "new").iterdir():
            id = email.message_from_bytes(path.read_bytes())["Message-ID"]
            found[id[1:33]].append(id)
        return found


class Place(Process):
    """A node."""

    def __init__(self, place, name):
        super().__init__(name)
        self.dir, self.port = place / name, free_port()
        self.answered, self.refused = {}, collections.Counter()  # acknowledged answers: id: (notice, outcome)
        self.must("init", name)
        with open(self.dir / "config", "a") as config:
            config.write("\noutgoing-private yes\noutgoing-plain yes\ndeliveries-per-minute 0\n")
        key = Signer((self.dir / "keys" / "party.key").read_text())
        keys = self.must("party", "show")[0]["statement"]
        (stated,) = [e for e in self.entries("public") if e["id"] == keys]
        note, _ = key.party(f"{name}/public", "role node", f"title {name}", *(f"ledger-key {k}" for k in stated["ledger-key"]),
                            *self.claims(), f"url http://127.0.0.1:{self.port}")
        self.must("submit", "-", input=note.encode())

    def claims(self):
        return [f"claim AS{64500 + net}" for net in NETS.get(self.name, [])]

    def launch(self):
        self.errors = open(f"{self.dir}.log", "ab")
        with self.errors:
            return subprocess.Popen([lab.COMITY, "serve", "--json", "--listen", f"127.0.0.1:{self.port}"], stdout=subprocess.PIPE,
                                    stderr=self.errors, env={**os.environ, "COMITY_DIR": str(self.dir)})

    def log(self):
        return pathlib.Path(f"{self.dir}.log").read_text(errors="replace")[-3000:]

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(lab.PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise lab.Failed(f"{self.name} does not end: {self.log()}")
        self.process.stdout.close()
        if code != 0:
            raise lab.Failed(f"{self.name} ends with {code}: {self.log()}")

    def must(self, *words, **options):
        return lab.must(self.dir, *words, **options)

    def run(self, *words, **options):
        """A command beside the server, or beside none. Refused for now is no failure; None."""
        r = lab.Run(self.dir, *words, **options)
        if r.code == 0:
            return r
        if r.error not in REFUSALS:
            raise lab.Failed(f"{self.name}: {r}: exit {r.code}\n{r.out}{r.err}")
        self.refused[r.error] += 1
        return None

    def entries(self, ledger="circle"):
        return [e for e in self.must("ledger", "show", ledger, "--from", "0", "--limit", "1000000") if "id" in e]

    def waiting(self):
        return self.must("outbox")


# ---- the world ----


class World:
    def __init__(self, place):
        self.place, self.chance = place, random.Random(lab.SEED)
        self.post = Post(place)
        self.a, self.b, self.c = (Place(place, name) for name in ("a.example", "b.example", "c.example"))
        self.nodes = [self.a, self.b, self.c]
        self.lock, self.over, self.problems = threading.Lock(), threading.Event(), []
        self.notices = {}  # acknowledged: id: to
        self.steps = {"b.example": {}, "c.example": {}}  # how far each of them answered
        self.routes, self.kills = 0, collections.Counter()
        with open(self.a.dir / "config", "a") as config:
            config.write(f"smtp smtp://127.0.0.1:{self.post.port}\nmail-from notices@a.example\nmail-bounces bounces@a.example\n"
                         f"mail-per-hour 0\nurl http://127.0.0.1:{self.a.port}\n")
        lab.make_territory(self.a.dir, place)
        for other in (self.b, self.c):
            receipt = place / f"{other.name}.receipt"
            shown = other.must("party", "show")[0]["statement"]
            other.must("ledger", "proof", shown, "--out", receipt)
            raw = subprocess.run([lab.COMITY, "ledger", "show", "public", "--raw", "--from", "0", "--limit", "100", "--dir",
                                  str(other.dir)], capture_output=True, check=True).stdout.decode()
            note = [n for n in raw.split("logged ")[1:] if f"url http://127.0.0.1:{other.port}\n" in n][-1].split("\n", 1)[1]
            self.a.must("submit", "--receipt", receipt, "-", input=(note.rstrip("\n") + "\n").encode())
            self.a.must("party", "approve", other.name)
        for net in NETS["mail"]:
            self.a.must("contact", "add", f"AS{64500 + net}", f"abuse@as{64500 + net}.example")

    # ---- what goes on ----

    def route(self, chance):
        with self.lock:
            self.routes += 1
            n = self.routes
        path = self.place / f"report{n}.csv"
        path.write_text(lab.HEADER + "".join(
            f'"2026-11-01 10:{n // 60 % 60:02}:{n % 60:02}",tcp,5.44.{nets[n // EACH]}.{n % EACH},{n},192.0.2.1,22,{n}\n'
            for nets in NETS.values()))
        while not self.over.is_set():
            r = self.a.run("route", path)
            if r is not None:
                break
            time.sleep(0.05)
        else:
            return
        for line in r.lines:
            if isinstance(line.get("notice"), str):
                to = line["to"]
                with self.lock:
                    self.notices[line["notice"]] = to if isinstance(to, str) else json.dumps(to)
        time.sleep(chance.uniform(0, 0.5))

    def answer(self, node, chance):
        steps = self.steps[node.name]
        with self.lock:
            open_ones = [n for n, to in self.notices.items() if node.name in to and steps.get(n, 0) < len(ANSWERS)]
        if not open_ones:
            time.sleep(0.05)
            return
        notice = chance.choice(open_ones)
        outcome = ANSWERS[steps.get(notice, 0)]
        r = node.run("answer", notice, outcome)
        if r is None:
            time.sleep(0.05)
            return
        steps[notice] = steps.get(notice, 0) + 1
        for id in lab.acknowledged(r):
            node.answered[id] = (notice, outcome)

    def worker(self, what, seed):
        chance = random.Random(seed)
        try:
            while not self.over.is_set():
                what(chance)
        except Exception as e:
            self.problems.append(e)

    def impatience(self, chance):
        """What a kill made fail would wait for half a minute."""
        chance.choice(self.nodes).run("outbox", "retry", "--all")
        time.sleep(chance.uniform(0.1, 0.5))

    def works(self):
        def routing(chance):
            if self.routes + 1 < GROUPS * EACH:
                self.route(chance)
            else:
                time.sleep(0.1)

        return [routing, lambda chance: self.answer(self.b, chance), lambda chance: self.answer(self.c, chance), self.impatience]

    def run(self):
        everybody = [self.post, *self.nodes]
        for p in everybody:
            p.start()
        threads = [threading.Thread(target=self.worker, args=(what, self.chance.random())) for what in self.works()]
        for t in threads:
            t.start()
        try:
            for _ in range(KILLS):
                time.sleep(self.chance.uniform(0, 0.4))
                victim = self.chance.choice(everybody)
                victim.kill()
                self.kills[victim.name] += 1
                time.sleep(self.chance.choice((0, 0, 0.3)))  # or they find nobody there
                victim.start()
                if self.problems:
                    raise self.problems[0]
            while not self.notices and not self.problems:
                time.sleep(0.1)
        finally:
            self.over.set()
            for t in threads:
                t.join()
        if self.problems:
            raise self.problems[0]

    def settle(self):
        """All that is left is delivered."""
        self.a.kill()  # a server that found the mail server gone waits longer and longer
        self.a.start()
        until = time.monotonic() + ENOUGH
        for node in self.nodes:
            node.must("outbox", "retry", "--all")
        while any(node.waiting() for node in self.nodes):
            if time.monotonic() > until:
                raise lab.Failed(f"never delivered: {[node.waiting()[:3] for node in self.nodes]}")
            for node in self.nodes:
                if any(i["detail"] for i in node.waiting()):
                    node.must("outbox", "retry", "--all")
            time.sleep(0.2)
        for node in self.nodes:
            node.end()
        self.post.kill()

    def close(self):
        self.over.set()
        for p in [self.post, *self.nodes]:
            if p.process is not None and p.process.poll() is None:
                p.kill()

    # ---- what must hold ----

    def check(self):
        ledgers = {node.name: node.entries() for node in self.nodes}
        here = ledgers["a.example"]
        lab.check_there(self.a.dir, self.notices)
        filed = {e["id"]: e for e in here if e["kind"] == "notice"}
        for name, entries in ledgers.items():
            twice = [i for i, n in collections.Counter(e["id"] for e in entries).items() if n > 1]
            if twice:
                raise lab.Failed(f"{name} has {twice[0]} twice")
        counts = collections.Counter()
        for node in (self.b, self.c):
            there = ledgers[node.name]
            mine = {i for i, e in filed.items() if e["to"] == node.name}
            got = {e["id"] for e in there if e["kind"] == "notice"}
            if got != mine:
                raise lab.Failed(f"{node.name} has {len(got)} notices, and {len(mine)} are for it: {sorted(got ^ mine)[:3]}")
            counts["notices to nodes"] += len(mine)
            counts["answers"] += self.check_answers(node, mine, there, here)
        counts["notices by mail"], counts["mails"] = self.check_mails(filed)
        for node in self.nodes:
            lab.check_audit(node.dir)
            left = [i for i in node.must("outbox", "--all") if i["step"] not in ("handed-over", "arrived")]
            if left:
                raise lab.Failed(f"{node.name} has left: {left[0]}")
        return counts

    @staticmethod
    def check_answers(node, mine, there, here):
        def of(entries):
            found = collections.defaultdict(list)
            for e in entries:
                if e["kind"] == "answer" and e["from"] == node.name:
                    found[e["re"]].append((e["id"], e["outcome"]))
            return found

        given, came = of(there), of(here)
        if given != came:
            wrong = next(n for n in {**given, **came} if given.get(n) != came.get(n))
            raise lab.Failed(f"answers to {wrong}: {node.name} gave {given.get(wrong)}, and {came.get(wrong)} came")
        for notice in mine:
            said = [outcome for _, outcome in given[notice]]
            if said != ["received", *ANSWERS[:len(said) - 1]]:
                raise lab.Failed(f"{node.name} said of {notice}: {said}")
        for id, (notice, outcome) in node.answered.items():
            if (id, outcome) not in given[notice]:
                raise lab.Failed(f"{node.name}: the acknowledged answer {id} is lost")
        return len(node.answered)

    def check_mails(self, filed):
        mailed = {i for i, e in filed.items() if e["to"].startswith("AS")}
        mails = self.post.mails()
        if {i[:32] for i in mailed} != set(mails):
            raise lab.Failed(f"{len(mailed)} notices go by mail, and {len(mails)} went")
        for notice, ids in mails.items():
            if len(set(ids)) != 1:
                raise lab.Failed(f"the mail of {notice} was sent as different ones: {ids}")
        return len(mailed), sum(map(len, mails.values()))


def program(place):
    world = World(place)
    try:
        world.run()
        world.settle()
    finally:
        world.close()
    counts = world.check()
    told = ", ".join(f"{n} {code}" for code, n in sum((p.refused for p in world.nodes), collections.Counter()).items())
    return (f"{sum(world.kills.values())} kills ({', '.join(f'{n} {w}' for w, n in world.kills.items())}): {world.routes} reports, "
            f"{', '.join(f'{n} {what}' for what, n in counts.items())}; refused for now: {told or 'none'}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["smtp"]:
        take_mails(int(sys.argv[2]), pathlib.Path(sys.argv[3]))
    else:
        lab.main("delivery", program)
