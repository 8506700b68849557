#!/usr/bin/env python3
"""A machine that fails at each step in turn: init, party add, route, routing with tiny batches (small route-alone), submit
and ledger audit are run, and each call that writes, syncs, renames, maps, cuts, opens or asks for memory is refused once
(faults.c). Whatever fails, the program must
end with a code of its own, write nothing more to a file that could not be synced, and the next run must put all right.

COMITY_FAULTS: all, or how many for each operation and kind (default 1). COMITY_FAULTS_IN: only these
operations (init party route small submit audit). TEST_SEED: another choice of them."""
import errno
import os
import random
import shutil

import lab

FAULTS = os.environ.get("COMITY_FAULTS", "1")
SMALL = str(lab.ROOT / "build" / "tests" / "crash" / "small")
LIBRARY = str(lab.ROOT / "build" / "tests" / "crash" / "faults.so")
TRIES = (  # kind, error, how, the codes that may come of it
    ("write", errno.ENOSPC, {}, {"disk-full"}),
    ("write", errno.EIO, {"FAULTS_LAST": "1"}, {"io"}),
    ("write", 0, {"FAULTS_SHORT": "1"}, set()),
    ("sync", errno.EIO, {}, {"sync"}),
    ("rename", errno.EIO, {}, {"io"}),
    ("map", errno.ENOMEM, {}, {"no-memory"}),
    ("truncate", errno.EIO, {}, {"io"}),
    ("open", errno.EMFILE, {}, {"handles"}),
    ("open", errno.EMFILE, {"FAULTS_LAST": "1"}, {"handles"}),
    ("open", errno.EROFS, {}, {"read-only"}),
    ("memory", errno.ENOMEM, {}, {"no-memory"}),
    ("memory", errno.ENOMEM, {"FAULTS_LAST": "1"}, {"no-memory"}),
)


class Operation:
    def __init__(self, name, words, again=(), small=False):
        self.name, self.words, self.small = name, words, small
        self.again = set(again)  # what the second run may answer, if the first went through

    def run(self, node, **options):
        if self.small:
            return lab.Run(node, command=[SMALL, str(node), *self.words], **options)
        return lab.Run(node, *self.words, **options)


class Bench:
    def __init__(self, place):
        self.place = place
        self.base = place / "base"
        lab.must(self.base, "init", "cert.example")
        lab.make_territory(self.base, place)
        first, second = place / "2026-11-01-event4_honeypot_brute_force-a.csv", \
            place / "2026-11-02-event4_honeypot_brute_force-b.csv"
        self.before = lab.make_report(first, range(100))
        self.after = lab.make_report(second, range(60, 160))
        third = place / "2026-11-03-event4_honeypot_brute_force-c.csv"
        self.long = lab.make_report(third, range(500, 900), pad=300)
        note = lab.signed_plans(self.base, place, 1)[0]
        lab.must(self.base, "route", first)
        self.rows = self.before[0] | self.after[0]
        self.unanswered = self.before[1] | self.after[1]
        self.operations = (
            Operation("init", ("init", "cert.example"), {"node-exists"}),
            Operation("party", ("party", "add", "net.example", "--role", "operator"), {"exists", "statement-repeated"}),
            Operation("route", ("route", "--threads", "1", second)),
            Operation("small", ("route-alone", third), small=True),
            Operation("submit", ("submit", note), {"statement-repeated"}),
            Operation("audit", ("ledger", "audit")),
        )

    def start(self, operation):
        node = self.place / "node"
        shutil.rmtree(node, ignore_errors=True)
        if operation.name != "init":
            lab.copy(self.base, node)
        return node

    def run(self, operation, kind, error, how, at):
        """The run, which call failed (None: there are fewer calls), how many there were."""
        node, log = self.start(operation), self.place / "log"
        log.unlink(missing_ok=True)
        env = {"LD_PRELOAD": LIBRARY, "FAULTS_UNDER": str(self.place), "FAULTS_KINDS": kind, "FAULTS_ERROR": str(error),
               "FAULTS_LOG": str(log), "FAULTS_AT": str(at), **how}
        r = operation.run(node, env=env)
        facts = {}
        for line in log.read_text().splitlines():
            what, number, path = line.split(" ", 2)
            facts[what] = (int(number), path)
        return node, r, facts

    def count(self, operation, kind):
        _, r, facts = self.run(operation, kind, 0, {}, -1)
        if r.code != 0 or "calls" not in facts:
            raise lab.Failed(f"{r}: exit {r.code}\n{r.err}")
        return facts["calls"][0]

    def judge(self, r, facts, codes):
        if r.code < 0:
            raise lab.Failed(f"ended by signal {-r.code}")
        if "written-after-failed-sync" in facts:
            raise lab.Failed(f"{facts['written-after-failed-sync'][1]} was written after its sync failed")
        if facts["failed"][1].endswith("data.mdb"):
            codes = codes | {"io", "disk-full"}  # LMDB takes a short write for an error
        if r.code != 0 and (r.error not in codes or r.code != (1 if r.words[0] == SMALL else 3)):
            raise lab.Failed(f"exit {r.code} with {r.error}, not {codes or 'success'}")

    def repair(self, operation, node, r):
        again = operation.run(node)
        if again.code != 0 and again.error not in operation.again:
            raise lab.Failed(f"the next run: exit {again.code}\n{again.err}")
        lab.check_there(node, lab.acknowledged(r) + lab.acknowledged(again))
        if operation.name == "route":
            lab.check_counts(node, self.rows, self.unanswered)
        elif operation.name == "small":
            lab.check_counts(node, *(a | b for a, b in zip(self.before, self.long)))
        elif operation.name != "init":
            lab.check_counts(node, *self.before)
        else:
            lab.check_audit(node)

    def one(self, operation, kind, error, how, codes, at):
        node, r, facts = self.run(operation, kind, error, how, at)
        if "failed" not in facts:
            return False
        try:
            self.judge(r, facts, codes)
            self.repair(operation, node, r)
        except lab.Failed as e:
            raise lab.Failed(f"{r}: {kind} {at} ({facts['failed'][1]}) refused with {errno.errorcode.get(error, 'half')} "
                             f"{how}: {e}\n{r.err}")
        return True


def program(place):
    bench, chance, done = Bench(place), random.Random(lab.SEED), 0
    chosen = [o for o in bench.operations if o.name in os.environ.get("COMITY_FAULTS_IN", o.name).split()]
    for operation in chosen:
        calls = {kind: bench.count(operation, kind) for kind in {t[0] for t in TRIES}}
        for kind, error, how, codes in TRIES:
            steps = range(calls[kind])
            if FAULTS != "all" and len(steps) > int(FAULTS):
                steps = sorted(chance.sample(steps, int(FAULTS)))
            for at in steps:
                done += bench.one(operation, kind, error, how, codes, at)
    names = ", ".join(o.name for o in chosen)
    return f"{done} faults in {names}: each run ended with its code, and the next put all right"


if __name__ == "__main__":
    lab.main("faults", program)
