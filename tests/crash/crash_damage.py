#!/usr/bin/env python3
"""Any one byte changed in any file of a stopped node: `ledger audit`, or the next command that writes, names the file
and says what to do, or the byte cannot matter and everything that is read is as it was. The same for files that were
cut, removed, exchanged for those of another node, and files that do not belong there.

COMITY_FLIPS: all, or how many bytes (default 250). All means each byte; only of long stretches of equal bytes (room in
the journal written ahead, the table's empty blocks) the ends and each 4093rd, and on a larger node with full tiles 3,000 more. TEST_SEED: another choice."""
import os
import random
import re
import shutil
import subprocess
import time

import lab

FLIPS = os.environ.get("COMITY_FLIPS", "250")
LARGE = 3000
AUDITS = str(lab.ROOT / "build" / "tests" / "crash" / "audits")
SMALL = str(lab.ROOT / "build" / "tests" / "crash" / "small")
STRETCH = 64
# What a team may remove, or put another in its place: no ledger speaks of it.
FREE = ("rejects/", "unanswered/", "territory.table", "journal/lock", "views/lock.mdb")


class Audit:
    """As lab.Run of `ledger audit`, by a process that is forked instead of started."""

    def __init__(self, server):
        server.stdin.write(b".")
        server.stdin.flush()
        self.code, out, err = map(int, server.stdout.readline().split())
        self.out, self.err = server.stdout.read(out).decode(), server.stdout.read(err).decode(errors="replace")

    lines, error = lab.Run.lines, lab.Run.error

    def __str__(self):
        return "comity ledger audit"


class Bench:
    def __init__(self, place, groups=0):
        """groups: of notices appended beside, enough of them and there are full tiles."""
        self.place, self.good, self.node = place, place / "good", place / "node"
        place.mkdir(exist_ok=True)
        self.make(self.good, "cert.example")
        if groups > 0:
            subprocess.run([SMALL, str(self.good), "append", "1", str(groups)], check=True, capture_output=True)
        self.files = sorted(p.relative_to(self.good) for p in self.good.rglob("*") if p.is_file())
        self.server = subprocess.Popen([AUDITS, str(self.node)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.table_touched = True
        self.fresh()
        self.figures = self.audit_figures(Audit(self.server))
        self.reads = self.read_all()
        self.named = self.mended = self.harmless = 0

    def make(self, node, name):
        folder = self.place / name
        folder.mkdir()
        lab.must(node, "init", name)
        lab.make_territory(node, folder)
        lab.must(node, "party", "add", "net.example", "--role", "operator", "--claim", "AS64500", "--approve")
        begun = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86400))  # where it stands does not change meanwhile
        lab.must(node, "plan", "file", "--source", "192.0.2.0/24", "--purpose", "a measurement", "--start", begun)
        for day in (1, 2):
            report = folder / f"2026-11-0{day}-event4_honeypot_brute_force-a.csv"
            lab.make_report(report, range(100 * day, 100 * day + 60))
            with open(report, "a") as f:
                f.write("no,row\n")
            lab.must(node, "route", report)

    def fresh(self):
        """A copy of the good node. The table is large, so a second one serves for all of them and is put back by itself."""
        shutil.rmtree(self.node, ignore_errors=True)
        shutil.copytree(self.good, self.node, ignore=shutil.ignore_patterns("territory.table"))
        if self.table_touched:
            shutil.copy2(self.good / "territory.table", self.place / "table")
        self.table_touched = False
        os.link(self.place / "table", self.node / "territory.table")

    def put_back(self, path):
        shutil.copy2(self.good / path, self.node / path)

    def audit_figures(self, r):
        if r.code != 0:
            raise lab.Failed(f"{r}: exit {r.code}\n{r.err}")
        return {k: v for k, v in r.lines[-1].items() if k != "seconds"}

    def read_all(self):
        words = (("ledger", "show", "public", "--from", "0"), ("ledger", "show", "circle", "--from", "0"),
                 ("notice", "list"), ("party", "list"), ("plan", "list"), ("lookup", "5.44.0.1"))
        return [lab.Run(self.node, *w).out.replace(str(self.node), "") for w in words]

    def says(self, r, path):
        """Whether the error names the file: of views and ledgers the folder is enough, as it is made anew as a whole."""
        name = str(path)
        if name.startswith(("views/", "journal/")) and not (self.node / path).exists():
            name = name.split("/")[0]
        elif name.startswith("views/"):
            name = "views"
        elif name.startswith("ledger/"):
            name = "/".join(name.split("/")[:2])
        return f"{self.node}/{name}" in r.err or name == "views" and "the views folder" in r.err or \
            f"{self.node}/journal: entry" in r.err and name[:7] == "journal" or (r.error or "").startswith("table-") and name == "territory.table"

    def judge(self, path, what):
        """The audit, of files as they stand."""
        r = Audit(self.server)
        anew = "made anew" in r.err
        if r.code < 0:
            raise lab.Failed(f"{path}: {what}: {r} ended by signal {-r.code}\n{r.err}")
        if r.code != 0:
            if r.code not in (4, 3, 1) or not self.says(r, path):
                raise lab.Failed(f"{path}: {what}: exit {r.code}, and the file is not named:\n{r.err}")
            self.named += 1
        elif self.audit_figures(r) != self.figures:
            raise lab.Failed(f"{path}: {what}: the audit is clean with other figures:\n{r.out}\n{self.figures}")
        elif anew:
            self.mended += 1
        else:
            self.harmless += 1
        return r.code, anew

    def start(self, path, what):
        """A command that writes; then the audit."""
        r = lab.Run(self.node, "plan", "file", "--source", "198.51.100.0/24", "--purpose", "another")
        if r.code < 0 and "ledger audit" not in r.err:
            raise lab.Failed(f"{path}: {what}: {r} ended by signal {-r.code}\n{r.err}")
        if r.code > 0 and not self.says(r, path):
            raise lab.Failed(f"{path}: {what}: {r}: exit {r.code}, and the file is not named:\n{r.err}")
        a = Audit(self.server)
        if a.code < 0 or (a.code > 0 and not self.says(a, path)):
            raise lab.Failed(f"{path}: {what}: after {r}: exit {a.code}, and the file is not named:\n{a.err}")
        if r.code == 0 and a.code == 0:
            figures = self.audit_figures(a)
            if any(figures[k] != self.figures[k] for k in ("circle", "bodies", "marks")) or \
                    figures["public"] <= self.figures["public"]:
                raise lab.Failed(f"{path}: {what}: after {r} other figures:\n{a.out}\n{self.figures}")
            lab.check_there(self.node, lab.acknowledged(r))
        self.named += r.code != 0 or a.code != 0
        self.mended += r.code == 0 and a.code == 0
        if r.code > 0 and not str(path).startswith(("views/", "ledger/")):  # nothing that is the only copy may get worse
            self.put_back(path)
            if self.audit_figures(Audit(self.server)) != self.figures:
                raise lab.Failed(f"{path}: {what}: {r} refused, and what it left is not what it was")
        self.fresh()

    def flip(self, path, at, bits, writing):
        what = f"byte {at} ^ {bits:#04x}"
        self.table_touched |= path.name == "territory.table"
        with open(self.node / path, "r+b") as f:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ bits]))
        if writing:
            self.start(path, what)
            return
        code, anew = self.judge(path, what)
        if code == 0 and not anew and str(path).startswith("views/data") and self.read_all() != self.reads:
            raise lab.Failed(f"{path}: {what}: the audit is clean, and something reads otherwise")
        if anew:
            self.fresh()
        else:
            self.put_back(path)

    def places(self, path):
        """Each byte that is worth its flip."""
        data, places, at = (self.good / path).read_bytes(), [], 0
        for m in re.finditer(rb"(?s)(.)\1{%d,}" % STRETCH, data):
            places += range(at, m.start() + 1)
            places += range(m.start() + 4093, m.end() - 1, 4093)
            at = m.end() - 1
        return places + list(range(at, len(data)))


def flips(bench, chance, how_many):
    done = 0
    for path in sorted(bench.files, key=lambda p: (bench.good / p).stat().st_size):
        places = bench.places(path)
        if how_many != "all" and len(places) > 0:
            share = max(8, int(how_many) // len(bench.files))
            places = sorted(set(chance.sample(places, min(share, len(places))) + [places[0], places[-1]]))
        step = 64 if how_many == "all" else 8
        for i, at in enumerate(places):
            bench.flip(path, at, 1 << chance.randrange(8) if i % 2 else chance.randrange(1, 256), writing=i % step == 5)
            done += 1
        if how_many == "all":
            print(f"{path}: {len(places)} bytes", flush=True)
    return done


def whole_files(bench):
    """Cut, removed, exchanged; and files that nobody asked for."""
    other, done = bench.place / "other", 0
    bench.make(other, "other.example")
    for path in bench.files:
        good, size = bench.node / path, (bench.good / path).stat().st_size
        bench.table_touched |= path.name == "territory.table"
        for n in sorted(({0, 1, size // 2, size - 1} if FLIPS == "all" else {0, size // 2}) & set(range(size))):
            os.truncate(good, n)
            bench.judge(path, f"cut to {n} bytes")
            bench.table_touched |= path.name == "territory.table"
            bench.fresh()
            done += 1
        good.unlink()
        removed(bench, path, "removed")
        twin = other / path
        if twin.exists():
            shutil.copy2(twin, good)
            removed(bench, path, "exchanged for that of another node")
            done += 1
        done += 1
    for folder in ["", *{str(p.parent) for p in bench.files if p.parent.name}]:
        for name in ("junk", "junk.key", "1.run", "00000000000000000007.journal.tmp", "x.tmp"):
            (bench.node / folder / name).write_bytes(b"what is this")
        bench.judge(folder, "files that do not belong there")
        bench.fresh()
        done += 1
    return done


def removed(bench, path, what):
    bench.table_touched |= path.name == "territory.table"
    if str(path).startswith(FREE):
        r = Audit(bench.server)
        if r.code != 0 and not bench.says(r, path):
            raise lab.Failed(f"{path}: {what}: exit {r.code}\n{r.err}")
    else:
        bench.judge(path, what)
    bench.fresh()


def program(place):
    bench, chance = Bench(place), random.Random(lab.SEED)
    bytes_flipped = flips(bench, chance, FLIPS)
    files = whole_files(bench)
    if FLIPS == "all":
        large = Bench(place / "large", 200)
        bytes_flipped += flips(large, chance, LARGE)
        bench.named += large.named
        bench.mended += large.mended
        bench.harmless += large.harmless
        large.server.stdin.close()
    bench.server.stdin.close()
    return (f"{bytes_flipped} bytes flipped in {len(bench.files)} files, {files} files cut, removed, exchanged, added: "
            f"{bench.named} named, {bench.mended} mended, {bench.harmless} harmless, nothing wrong unseen")


if __name__ == "__main__":
    lab.main("damage", program)
