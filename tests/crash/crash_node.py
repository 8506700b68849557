#!/usr/bin/env python3
"""Kills whatever appends to a node, at random moments and in every order: groups of statements (small append), statements
from several threads through the sequencer (small submit), routing with tiny batches (small route), `comity route`, its watch of a folder, and `comity submit`. After each kill the node is looked at as it lies
there: the audit is clean, each statement that was acknowledged is in it. At the end of a node its reports are routed to
the end, and every event counts once.

COMITY_KILLS: how many (default 32). TEST_SEED: another course."""
import os
import random
import shutil
import subprocess
import time

import lab

KILLS = int(os.environ.get("COMITY_KILLS", "32"))
SMALL = str(lab.ROOT / "build" / "tests" / "crash" / "small")
KILLS_A_NODE = 8


class Bench:
    def __init__(self, place, chance):
        self.place, self.chance, self.base, self.node = place, chance, place / "base", place / "node"
        lab.must(self.base, "init", "cert.example")
        lab.make_territory(self.base, place)
        self.rows, self.unanswered, self.reports = set(), set(), []
        for i, name in enumerate("abc"):
            path = place / f"2026-11-01-event4_honeypot_brute_force-{name}.csv"
            rows, unanswered = lab.make_report(path, range(200 * i, 200 * i + 300), pad=40)
            self.rows |= rows
            self.unanswered |= unanswered
            self.reports.append(str(path))
        self.notes = lab.signed_plans(self.base, place, 8)
        self.actors = (self.append, self.submit_many, self.route_small, self.route, self.watch, self.submit)
        self.killed = {a.__name__: 0 for a in self.actors}
        self.ids, self.numbers, self.took = [], {}, {}

    # ---- who gets killed; each gives the command of one process ----

    def append(self):
        return [SMALL, self.node, "append", str(self.chance.randrange(1 << 32)), "0"]

    def submit_many(self):
        return [SMALL, self.node, "submit", str(self.chance.randrange(1 << 32))]

    def route_small(self):
        return [SMALL, self.node, "route", *self.chance.sample(self.reports, 3)]

    def route(self):
        return [lab.COMITY, "route", *self.chance.sample(self.reports, 3), "--json"]

    def watch(self):
        """The reports are put there again, as long ago as a watch wants them to rest."""
        inbox = self.place / "inbox"
        shutil.rmtree(inbox, ignore_errors=True)
        inbox.mkdir()
        for report in self.reports:
            shutil.copy(report, inbox)
            os.utime(inbox / os.path.basename(report), (1, 1))
        return [lab.COMITY, "route", "--watch", "--once", inbox, "--json"]

    def submit(self):
        return [lab.COMITY, "submit", str(self.chance.choice(self.notes[:-1])), "--json"]

    # ---- killing ----

    def run(self, actor, limit):
        """True: it was killed while it ran. What it acknowledged is kept in any case."""
        began = time.monotonic()
        p = subprocess.Popen(list(map(str, actor())), env={**os.environ, "COMITY_DIR": str(self.node)},
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = p.communicate(timeout=limit)
            killed = False
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
            killed = p.returncode < 0
        if not killed and p.returncode not in (0, 1):
            raise lab.Failed(f"{actor.__name__}: exit {p.returncode}\n{err.decode()}")
        if not killed and p.returncode == 1 and b"statement-repeated" not in err:
            raise lab.Failed(f"{actor.__name__}: exit 1\n{err.decode()}")
        if not killed:
            self.took[actor.__name__] = time.monotonic() - began
        self.keep(out.decode())
        return killed

    def keep(self, out):
        whole = out[:out.rfind("\n") + 1]
        for line in whole.splitlines():
            words = line.split(" ")
            if len(words[0]) == 64:
                self.ids.append(words[0])
            if len(words) == 2:
                self.numbers[words[0]] = int(words[1])
        self.ids += lab.acknowledged(type("", (), {"out": whole}))

    def kill_one(self):
        """Until one was killed: a process that ends before its time leaves more to kill, but none is counted."""
        while True:
            actor = self.chance.choice(self.actors)
            if self.run(actor, self.chance.uniform(0, 1.2 * self.took.get(actor.__name__, 0.15))):
                self.killed[actor.__name__] += 1
                return

    def check(self):
        """As it lies there; then after a start, which publishes what was committed and not yet published."""
        lab.check_audit(self.node)
        r = lab.Run(self.node, "submit", self.notes[-1])
        if r.code != 0 and r.error != "statement-repeated":
            raise lab.Failed(f"the start after a kill: exit {r.code}\n{r.err}")
        lab.check_there(self.node, self.ids, self.numbers)

    def one_node(self, kills):
        shutil.rmtree(self.node, ignore_errors=True)
        lab.copy(self.base, self.node)
        self.ids, self.numbers = [], {}
        for _ in range(kills):
            self.kill_one()
            self.check()
        inbox = self.watch()[-2]
        lab.must(self.node, "route", "--watch", "--once", inbox)
        if len(list((inbox / "done").glob("*.csv"))) != len(self.reports):
            raise lab.Failed(f"{inbox}: not all reports are done")
        lab.check_counts(self.node, self.rows, self.unanswered)
        self.check()
        return len(self.ids)


def program(place):
    bench, killed, acknowledged, nodes = Bench(place, random.Random(lab.SEED)), 0, 0, 0
    while killed < KILLS:
        kills = min(KILLS_A_NODE, KILLS - killed)
        acknowledged += bench.one_node(kills)
        killed += kills
        nodes += 1
    each = ", ".join(f"{n} of {name}" for name, n in bench.killed.items())
    return (f"{killed} kills ({each}) on {nodes} nodes: {acknowledged} statements acknowledged, none lost, "
            f"{len(bench.rows)} events counted once on each")


if __name__ == "__main__":
    lab.main("node", program)
