#!/usr/bin/env python3
"""Power that fails: what was written and not synced is lost, in whole or in parts.

Programs that init, append and route run with trace.so before them, which notes every change and every sync. From a
beginning of that trace this makes a folder that a crash at that moment could have left: all that was synced; of the
rest nothing, everything, or at random single writes, sectors of 512 bytes, renames and new names. The next start must
put it right: what was acknowledged is there, the journal begins with all that was synced of it, every event counts
once, the audit is clean. Views are not trusted after another boot, so the folder gets the mark of another boot.

Names that moved by one rename in one folder are there before or after it, never both. A folder's names are its own: a
file's sync does not keep them.

COMITY_CUTS: how many (default 36). TEST_SEED: another course."""
import os
import random
import shutil
import subprocess

import lab

CUTS = int(os.environ.get("COMITY_CUTS", "36"))
LIBRARY = str(lab.ROOT / "build" / "tests" / "crash" / "trace.so")
SMALL = str(lab.ROOT / "build" / "tests" / "crash" / "small")
SECTOR = 512
STYLES = ("nothing", "everything", "names only", "bytes only", "writes", "sectors", "zeros", "mixed")
FOLDER = object()


class File:
    def __init__(self, content=b""):
        self.synced, self.since = bytearray(content), []

    def apply(self, to, change):
        what, at, data = change
        if what == "size":
            del to[at:]
            to.extend(bytes(at - len(to)))
            return
        to.extend(bytes(max(0, at + len(data) - len(to))))
        to[at:at + len(data)] = data

    def sync(self):
        for change in self.since:
            self.apply(self.synced, change)
        self.since = []

    def left(self, style, chance):
        """What a crash leaves of it."""
        content = bytearray(self.synced)
        if style == "mixed":
            style = chance.choice(STYLES[:-1])
        for change in self.since:
            what, at, data = change
            if style in ("everything", "bytes only"):
                self.apply(content, change)
            elif style in ("writes", "sectors", "zeros") and what == "size":
                if chance.random() < 0.5:
                    self.apply(content, change)
            elif style == "writes":
                if chance.random() < 0.5:
                    self.apply(content, change)
            elif style == "sectors":
                first = at - at % SECTOR
                for sector in range(first, at + len(data), SECTOR):
                    if chance.random() < 0.6:
                        a, b = max(at, sector), min(at + len(data), sector + SECTOR)
                        self.apply(content, (what, a, data[a - at:b - at]))
            elif style == "zeros":  # the length reached the disk, the bytes did not
                content.extend(bytes(max(0, at + len(data) - len(content))))
        return content


class Disk:
    """Names by path; changes of a folder's names wait until the folder is synced."""

    def __init__(self, root):
        self.root, self.names, self.waiting, self.files, self.folders = str(root), {}, [], {}, {}
        for path in sorted(root.rglob("*")):
            if path.is_dir():
                self.names[str(path)] = FOLDER
            else:
                self.names[str(path)] = self.files[path.stat().st_ino] = File(path.read_bytes())
        self.now = dict(self.names)

    def change(self, folder, *steps):
        """Steps of one folder that happen together."""
        self.waiting.append((folder, steps))
        for path, thing in steps:
            if thing is None:
                self.now.pop(path, None)
            else:
                self.now[path] = thing

    def settle(self, which):
        rest = []
        for folder, steps in self.waiting:
            if not which(folder):
                rest.append((folder, steps))
                continue
            self.keep(self.names, steps)
        self.waiting = rest

    @staticmethod
    def keep(names, steps):
        for path, thing in steps:
            if thing is None:
                names.pop(path, None)
            else:
                names[path] = thing

    def left(self, style, chance):
        names = dict(self.names)
        per_folder = {}
        for folder, steps in self.waiting:
            if style in ("everything", "names only"):
                kept = True
            elif style in ("nothing", "bytes only"):
                kept = False
            elif style == "mixed":
                kept = per_folder.setdefault(folder, chance.random() < 0.5)
            else:
                kept = chance.random() < 0.5
            if kept:
                self.keep(names, steps)
        return names

    def make(self, style, chance, to):
        names = self.left(style, chance)
        for path in sorted(names):
            target = str(to) + path[len(self.root):]
            if not os.path.isdir(os.path.dirname(target)):
                continue  # its folder did not reach the disk
            if names[path] is FOLDER:
                os.mkdir(target, 0o700)
            else:
                fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                os.write(fd, names[path].left(style, chance))
                os.close(fd)


class Power:
    """The trace goes by, and what the disk surely holds with it."""

    def __init__(self, root, inodes_of):
        self.disk, self.inodes_of = Disk(root), inodes_of
        self.acknowledged, self.done = [], set()

    def step(self, word, a, b, data):
        d = self.disk
        if word == "open":
            path = data.decode()
            if b:
                d.files[a].since.append(("size", 0, b""))
            else:
                d.files[a] = File()
                d.change(os.path.dirname(path), (path, d.files[a]))
        elif word == "nameless":
            d.files[a] = File()
        elif word == "write":
            d.files[a].since.append(("write", b, data))
        elif word == "size":
            d.files[a].since.append(("size", b, b""))
        elif word == "sync":
            if a in d.files:
                d.files[a].sync()
            folder = d.folders.get(a)
            if folder is not None:
                d.settle(lambda f: f == folder)
        elif word == "syncall":
            for f in d.files.values():
                f.sync()
            d.settle(lambda f: True)
        elif word in ("rename", "link"):
            old, new = (os.fsdecode(p) for p in data.split(b"\0"))
            steps = [(new, d.now[old])]
            if word == "rename":
                steps.append((old, None))
            if os.path.dirname(old) == os.path.dirname(new):
                d.change(os.path.dirname(new), *steps)
            else:
                d.change(os.path.dirname(new), steps[0])
                d.change(os.path.dirname(old), *steps[1:])
        elif word == "mkdir":
            path = data.decode()
            d.change(os.path.dirname(path), (path, FOLDER))
        elif word in ("unlink", "rmdir"):
            path = data.decode()
            d.change(os.path.dirname(path), (path, None))
        elif word == "folder":
            d.folders[a] = data.decode()
        elif word == "said":
            self.acknowledged += [line for line in data.decode().splitlines() if len(line) == 64]
        elif word == "done":
            self.done.add(data.decode())


def read_trace(path):
    data, at, steps = path.read_bytes(), 0, []
    while at < len(data):
        end = data.index(b"\n", at)
        word, a, b, n = data[at:end].split(b" ")
        at = end + 1 + int(n)
        steps.append((word.decode(), int(a), int(b), data[end + 1:at]))
    return steps


class Story:
    """Programs that run one after the other on one node, and the trace of what they do."""

    def __init__(self, place, name, base=None):
        self.place, self.root, self.log = place, place / name, place / f"{name}.trace"
        self.live = self.root / "live"
        self.live.mkdir(parents=True)
        self.node = self.live / "node"
        if base is not None:
            shutil.copytree(base, self.node)
        self.power = Power(self.live, None)
        self.inodes = {}
        self.note_folders()
        self.rows, self.unanswered, self.reports = set(), set(), []

    def note_folders(self):
        """A sync names an inode: which folder that is."""
        for path in [self.live, *self.live.rglob("*")]:
            if path.is_dir() and self.inodes.get(path.stat().st_ino) != str(path):
                self.inodes[path.stat().st_ino] = str(path)

    def say(self, word, text):
        with open(self.log, "ab") as f:
            f.write(f"{word} 0 0 {len(text.encode())}\n".encode() + text.encode())

    def run(self, *command):
        env = {**os.environ, "LD_PRELOAD": LIBRARY, "TRACE_UNDER": str(self.live), "TRACE_LOG": str(self.log),
               "COMITY_DIR": str(self.node)}
        p = subprocess.run(list(map(str, command)), env=env, capture_output=True, timeout=lab.PATIENCE)
        if p.returncode != 0:
            raise lab.Failed(f"{command}: exit {p.returncode}\n{p.stderr.decode()}")
        self.note_folders()
        return p

    def comity(self, *words):
        p = self.run(lab.COMITY, *words, "--json")
        ids = lab.acknowledged(type("", (), {"out": p.stdout.decode()}))
        if ids:
            self.say("said", "\n".join(ids))
        self.say("done", words[0])

    def report(self, name, numbers):
        path = self.root / f"2026-11-01-event4_honeypot_brute_force-{name}.csv"
        rows, unanswered = lab.make_report(path, numbers)
        self.rows |= rows
        self.unanswered |= unanswered
        self.reports.append(str(path))
        return str(path)

    def check(self, style, chance, cut):
        root, p = self.root / "cut", self.power
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        p.disk.make(style, chance, root)
        node = root / "node"
        boot = node / "views" / "boot"
        if boot.exists():
            boot.write_text("another boot\n")
        try:
            self.start(node, p)
        except lab.Failed as e:
            raise lab.Failed(f"power cut at step {cut}, of the unsynced {style} left: {e}")

    def start(self, node, p):
        journals = {path.rsplit("/", 1)[1]: f for path, f in p.disk.names.items()
                    if path.endswith(".journal") and isinstance(f, File)}
        synced = {name: bytes(f.synced).rstrip(b"\0") for name, f in journals.items()
                  if (node / "journal" / name).exists()}  # else its folder never was, and nothing was acknowledged
        if "init" in p.done or (node / "node").exists():
            lab.must(node, "plan", "file", "--source", "198.51.100.0/24", "--purpose", "after the cut")
        else:
            lab.must(node, "init", "cert.example")
        lab.check_audit(node)
        lab.check_there(node, p.acknowledged)
        for name, content in synced.items():
            if not (node / "journal" / name).read_bytes().startswith(content):
                raise lab.Failed(f"journal/{name} lacks bytes that were synced")
        if self.reports:
            lab.must(node, "route", *self.reports)
            lab.check_counts(node, self.rows, self.unanswered)
            lab.check_audit(node)

    def cut(self, count, chance):
        """At moments drawn evenly over the steps, each in a style of its own."""
        steps = read_trace(self.log)
        for inode, path in self.inodes.items():
            self.power.disk.folders[inode] = path
        moments = sorted(chance.choices(range(1, len(steps) + 1), k=count))
        done = 0
        for i, step in enumerate(steps, 1):
            self.power.step(*step)
            while moments and moments[0] == i:
                moments.pop(0)
                self.check(STYLES[done % len(STYLES)], chance, i)
                done += 1
        return done, len(steps)


def beginning(place):
    s = Story(place, "beginning")
    s.comity("init", "cert.example")
    s.comity("plan", "file", "--source", "192.0.2.0/24", "--purpose", "a measurement")
    s.comity("party", "add", "net.example", "--role", "operator")
    s.run(SMALL, s.node, "append", 1, 6)
    return s


def daily(place, base):
    s = Story(place, "daily", base)
    first, second, third = (s.report(n, range(k, k + 150)) for n, k in (("a", 0), ("b", 100), ("c", 200)))
    s.run(SMALL, s.node, "append", 2, 10)
    s.run(SMALL, s.node, "route", first)
    s.comity("route", second)
    s.comity("plan", "file", "--source", "192.0.2.0/24", "--purpose", "a measurement")
    s.run(SMALL, s.node, "append", 3, 20)
    s.run(SMALL, s.node, "route", third, first)
    return s


def program(place):
    base, chance = place / "base", random.Random(lab.SEED)
    lab.must(base, "init", "cert.example")
    lab.make_territory(base, place)
    cuts = steps = 0
    for story, share in ((beginning(place), CUTS // 4), (daily(place, base), CUTS - CUTS // 4)):
        c, n = story.cut(share, chance)
        cuts, steps = cuts + c, steps + n
    return f"{cuts} power cuts in {steps} steps: all that was synced and acknowledged is there, each event counted once"


if __name__ == "__main__":
    lab.main("power", program)
