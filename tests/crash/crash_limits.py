#!/usr/bin/env python3
"""The machine's own limits, with real parts: a small disk that fills up, a read-only one, few file handles, little
memory. Each run ends well or with the code of its cause; then the limit goes, and the next run puts all right.

Disks are mounted in a mount namespace of this test's own; where that is not allowed they are skipped. COMITY_LIMITS: how
many steps for each limit (default 6)."""
import os
import random
import resource
import shutil
import subprocess
import sys

import lab

STEPS = int(os.environ.get("COMITY_LIMITS", "6"))
INSIDE = "COMITY_LIMITS_INSIDE"
PAGE = 4096


class Bench:
    def __init__(self, place):
        self.place, self.base, self.disk = place, place / "base", place / "disk"
        lab.must(self.base, "init", "cert.example")
        lab.make_territory(self.base, place)
        os.rename(self.base / "territory.table", place / "territory.table")  # too large for a small disk
        os.symlink(place / "territory.table", self.base / "territory.table")
        self.disk.mkdir()
        first, second = (place / f"2026-11-01-event4_honeypot_brute_force-{n}.csv" for n in "ab")
        self.before = lab.make_report(first, range(100), pad=300)
        self.after = lab.make_report(second, range(60, 400), pad=300)
        lab.must(self.base, "route", first)
        self.note = lab.signed_plans(self.base, place, 1)[0]
        self.second = second
        self.refused = {}

    def words(self):
        return (("init", "other.example"), ("submit", self.note), ("route", self.second), ("ledger", "audit"))

    def judge(self, r, codes):
        if r.code < 0:
            raise lab.Failed(f"{r}: ended by signal {-r.code}\n{r.err}")
        if r.code != 0 and (r.code != 3 or r.error not in codes):
            raise lab.Failed(f"{r}: exit {r.code}\n{r.err}")
        if r.code != 0:
            self.refused[r.error] = self.refused.get(r.error, 0) + 1

    def repaired(self, node, what):
        try:
            r = lab.Run(node, "submit", self.note)
            if r.code != 0 and r.error != "statement-repeated":
                raise lab.Failed(f"submit: exit {r.code}\n{r.err}")
            lab.must(node, "route", self.second)
            lab.check_counts(node, self.before[0] | self.after[0], self.before[1] | self.after[1])
        except lab.Failed as e:
            raise lab.Failed(f"after {what}: {e}")

    # ---- disks ----

    def mount(self, *options):
        subprocess.run(["mount", *options, str(self.disk)], check=True, capture_output=True)

    def full_disk(self, room):
        """A disk with so many bytes left: each command meets its end somewhere else."""
        node = self.disk / "node"
        self.mount("-t", "tmpfs", "-o", "size=64m", "comity")
        try:
            lab.copy(self.base, node)
            used = int(subprocess.run(["du", "-s", "--block-size=1", str(self.disk)], capture_output=True,
                                      check=True).stdout.split()[0])
            size = (used + room + PAGE - 1) // PAGE * PAGE
            self.mount("-o", f"remount,size={size}")
            ids = []
            for words in self.words():
                directory = self.disk / "other" if words[0] == "init" else node
                r = lab.Run(directory, *words)
                self.judge(r, {"disk-full"})
                ids += lab.acknowledged(r) if words[0] in ("submit", "route") else []
            self.mount("-o", "remount,size=64m")
            self.repaired(node, f"a disk with {room} bytes left")
            lab.check_there(node, ids)
            if lab.Run(self.disk / "other", "init", "other.example").error not in (None, "node-exists"):
                raise lab.Failed(f"init after a disk with {room} bytes left")
        finally:
            subprocess.run(["umount", str(self.disk)], check=True)

    def read_only_disk(self):
        node = self.disk / "node"
        self.mount("-t", "tmpfs", "-o", "size=64m", "comity")
        try:
            lab.copy(self.base, node)
            self.mount("-o", "remount,ro")
            for words in self.words():
                r = lab.Run(self.disk / "other" if words[0] == "init" else node, *words)
                self.judge(r, {"read-only"})
                if (r.code == 0) != (words[0] == "ledger"):
                    raise lab.Failed(f"{r} on a read-only disk: exit {r.code}\n{r.err}")
            if not lab.must(node, "notice", "list"):
                raise lab.Failed("a read-only disk shows no notices")
            self.mount("-o", "remount,rw")
            self.repaired(node, "a read-only disk")
        finally:
            subprocess.run(["umount", str(self.disk)], check=True)

    # ---- limits of the process ----

    def limited(self, what, value, codes):
        node, other = self.place / "node", self.place / "other"
        for directory in (node, other):
            shutil.rmtree(directory, ignore_errors=True)
        lab.copy(self.base, node)
        for words in self.words():
            r = lab.Run(other if words[0] == "init" else node, *words,
                        preexec_fn=lambda: resource.setrlimit(what, (value, value)))
            if r.code == 127:
                continue  # the loader found no library: the program never began
            self.judge(r, codes)
        self.repaired(node, f"a limit of {value}")


def program(place):
    bench, chance, figures = Bench(place), random.Random(lab.SEED), []
    handles = [5, 7, 9, 12] + [chance.randrange(4, 30) for _ in range(STEPS - 4)]
    for n in handles:
        bench.limited(resource.RLIMIT_NOFILE, n, {"handles"})
    figures.append(f"{len(handles)} limits of handles")
    views = 64 << 30  # of address space, for the views
    memory = [256 << 20, views + (80 << 20)] + [views + (chance.randrange(60, 700) << 20) for _ in range(STEPS - 2)]
    for n in memory:
        bench.limited(resource.RLIMIT_AS, n, {"no-memory"})
    figures.append(f"{len(memory)} of memory")
    if os.environ.get(INSIDE) == "yes":
        rooms = [0, PAGE] + [chance.randrange(1 << 21) for _ in range(STEPS)]
        for room in rooms:
            bench.full_disk(room)
        bench.read_only_disk()
        figures.append(f"{len(rooms)} full disks, a read-only one")
    else:
        print("skipped: disks, as mounting is not allowed here")
    refused = ", ".join(f"{n} {code}" for code, n in sorted(bench.refused.items()))
    return f"{', '.join(figures)}: {refused}; all put right afterwards"


def enter():
    """Into a mount namespace: as root, or as root of a namespace of one's own."""
    for flags in ("-m", "-Urm"):
        if subprocess.run(["unshare", flags, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0:
            os.environ[INSIDE] = "yes"
            os.execvp("unshare", ["unshare", flags, sys.executable, *sys.argv])


if __name__ == "__main__":
    if INSIDE not in os.environ and shutil.which("unshare") is not None:
        enter()
    lab.main("limits", program)
