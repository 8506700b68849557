"""What the crash tests share: a small node, its reports, and what must hold of both whatever happened.

COMITY: the program (default build/comity). TEST_SEED: another course."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMITY = str(pathlib.Path(os.environ.get("COMITY", ROOT / "build" / "comity")).resolve())
SEED = int(os.environ.get("TEST_SEED", "1"))
PATIENCE = 60  # seconds, far more than anything here takes

DELEGATED = """2.3|ripencc|20261101|4|19930901|20261101|+0000
ripencc|*|ipv4|*|2|summary
ripencc|EE|ipv4|5.44.0.0|65536|20120101|allocated|aaaa
ripencc|FI|ipv4|5.45.0.0|65536|20120101|allocated|bbbb
"""
HEADER = "timestamp,protocol,src_ip,src_port,dst_ip,dst_port,username\n"
CLASS = "intrusion-attempts/brute-force"


class Failed(Exception):
    pass


class Run:
    """One run of the program: its exit code, what it printed, and what it said on an error."""

    def __init__(self, directory, *words, env=None, command=None, **options):
        """command: another program in the place of `comity WORDS --json`."""
        self.words = words if command is None else command
        command = command or [COMITY, *words, "--json"]
        environment = {**os.environ, "COMITY_DIR": str(directory), **(env or {})}
        try:
            p = subprocess.run(list(map(str, command)), env=environment, capture_output=True,
                               timeout=PATIENCE, **options)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self}: does not end")
        self.code, self.out, self.err = p.returncode, p.stdout.decode(), p.stderr.decode()

    def __str__(self):
        return "comity " + " ".join(map(str, self.words))

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self):
        """The error's code, as the program said it; None if it said none."""
        for line in self.err.splitlines():
            if line.startswith("comity: "):
                return line.split(":")[1].strip()
            if line.startswith("small: "):
                return line.split(":")[2].strip()
            try:
                return json.loads(line)["error"]
            except (ValueError, KeyError, TypeError):
                pass
        return None


def must(directory, *words, **options):
    r = Run(directory, *words, **options)
    if r.code != 0:
        raise Failed(f"{r}: exit {r.code}\n{r.out}{r.err}")
    return r.lines


# ---- a node ----


def make_territory(directory, folder):
    registry = folder / "registry"
    registry.mkdir()
    routes = "% made up\n" + "".join(f"{64500 + i}\t5.44.{i}.0/24\t300\n{64800 + i}\t5.45.{i}.0/24\t300\n"
                                     for i in range(256))
    (registry / "delegated-ripencc-extended-latest").write_text(DELEGATED)
    (registry / "riswhoisdump.IPv4").write_text(routes)
    must(directory, "territory", "build", *sorted(str(p) for p in registry.iterdir()))


def make_report(path, numbers, pad=0):
    """Rows of a brute-force report; one row for each number. Gives the rows, and those that nobody answers for."""
    rows, unanswered = [], set()
    for n in numbers:
        net = ("5.44", "5.44", "5.45", "5.46", "9.9")[n % 5]
        rows.append(f'"2026-11-01 10:{n // 60 % 60:02}:{n % 60:02}",tcp,{net}.{n >> 8 & 3}.{n & 255},{n % 60000 + 1},'
                    f"192.0.2.1,22,{n}{'x' * pad}\n")
        if net in ("5.46", "9.9"):
            unanswered.add(rows[-1])
    path.write_text(HEADER + "".join(rows))
    return set(rows), unanswered


def copy(base, to):
    """The table is never changed in its place, so one will do for all."""
    shutil.copytree(base, to, symlinks=True, copy_function=lambda a, b: os.link(a, b) if a.endswith(
        "/territory.table") else shutil.copy2(a, b))


def signed_plans(base, place, count):
    """Files with statements of the node, as another copy of it signed them: for `comity submit`."""
    other, notes = place / "signer", []
    copy(base, other)
    for i in range(count):
        must(other, "plan", "file", "--source", f"192.0.2.{i}/32", "--purpose", "a measurement")
    size = must(other, "ledger", "show", "public")[0]["size"]
    for entry in must(other, "ledger", "show", "public", "--from", "0", "--limit", str(size))[1:]:
        if entry["kind"] != "plan":
            continue
        raw = subprocess.run([COMITY, "ledger", "show", "public", "--raw", "--from", str(entry["index"]), "--limit", "1",
                              "--dir", str(other)], capture_output=True, check=True).stdout
        notes.append(place / f"note{len(notes)}")
        notes[-1].write_bytes(raw[raw.index(b"\n") + 1:].rstrip(b"\n") + b"\n")
    shutil.rmtree(other)
    return notes[-count:]


# ---- what must hold ----


def counted(directory):
    """How many events were counted for somebody who answers, and the rows that wait since nobody does."""
    notices = must(directory, "notice", "list")
    waiting = []
    for path in sorted((directory / "unanswered").glob("*.jsonl.zst")):
        p = subprocess.run(["zstd", "-dc", str(path)], capture_output=True)
        if p.returncode != 0:
            raise Failed(f"{path}: {p.stderr.decode()}")
        try:
            waiting += [json.loads(line)["row"] + "\n" for line in p.stdout.decode().splitlines()]
        except (ValueError, KeyError):
            raise Failed(f"{path}: not a list of rows")
    return sum(n["events"] for n in notices if n["class"] == CLASS), waiting


def check_counts(directory, rows, unanswered):
    """Each row has a source of its own, so no event repeats another: all are told, or wait for somebody who answers."""
    events, waiting = counted(directory)
    seen = check_audit(directory)["sighting_events"]
    if seen != len(rows):
        raise Failed(f"{seen} events counted, not {len(rows)}")
    if events != len(rows) - len(unanswered):
        raise Failed(f"{events} events in notices, not {len(rows) - len(unanswered)}")
    if len(waiting) != len(unanswered) or set(waiting) != unanswered:
        raise Failed(f"{len(waiting)} rows wait that nobody answers for, not {len(unanswered)}")


def check_audit(directory):
    audit = must(directory, "ledger", "audit")[-1]
    if audit.get("result") != "ok":
        raise Failed(f"audit: {audit}")
    return audit


def check_there(directory, ids, numbers=None):
    """Every statement that was acknowledged; numbers: those of their entries, where they were told."""
    if not ids:
        return
    found = {}
    for ledger in ("public", "circle"):
        found |= {e["id"]: e["index"] for e in
                  must(directory, "ledger", "show", ledger, "--from", "0", "--limit", "1000000") if "id" in e}
    missing = set(ids) - set(found)
    if missing:
        raise Failed(f"{len(missing)} acknowledged statements are lost, {sorted(missing)[0]} first")
    for i, number in (numbers or {}).items():
        if found[i] != number:
            raise Failed(f"{i} was acknowledged as entry {number}, and is entry {found[i]}")


def acknowledged(run):
    """The ids that a run printed: of one statement, or of the notices of a routing."""
    ids = []
    for line in run.out.splitlines():
        try:
            o = json.loads(line)
        except ValueError:
            continue  # cut short by a kill
        ids += [o[k] for k in ("id", "notice") if isinstance(o.get(k), str)]
    return ids


def folder(name):
    """In memory where there is room: none of these tests needs a disk that really syncs."""
    memory = "/dev/shm"
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    return pathlib.Path(tempfile.mkdtemp(prefix=f"comity-{name}-", dir=memory if roomy else None))


def main(name, program):
    """Runs it in a folder of its own, which stays where something failed."""
    place = folder(name)
    try:
        figures = program(place)
    except Failed as e:
        print(f"{e}\nseed {SEED}, {place}", file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(place)
    print(figures)
