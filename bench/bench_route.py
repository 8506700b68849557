#!/usr/bin/env python3
"""Routes whole reports, every step, durable, beside the floor and a peer: `bench/bench_route.py [RUNS]`.

  1,000,000 Shadowserver rows of 38 columns and 5,000,000 address lines, each into a fresh node, RUNS times (default 5).
  The sources are drawn from the real list of ../shared where it is there, else from all of public space.
  Floor: the same bytes read and cut into lines, nothing else (bench/floor.c).
  Peer: IntelMQ 3's chain on the first rows of the same file (bench/peer_intelmq.py).

Prints minimum, median, maximum and the ratios. A figure is of this machine in this hour; only ratios travel.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
COMITY = BUILD / "comity"
SHARED = Path(os.environ.get("COMITY_SHARED", ROOT.parent / "shared"))
IPSUM = SHARED / "data/routing/ipsum/ipsum.txt"
PEER_ROWS = 10000
CASES = [("Shadowserver, 38 columns", "shadowserver", 1_000_000, "event4_honeypot_brute_force.csv"),
         ("address lines", "list", 5_000_000, "addresses.txt")]


def table():
    """A territory table: that of the demonstration, or one made for this bench."""
    for place in (BUILD / "demo/territory.table", ROOT / ".comity/territory.table"):
        if place.exists() and subprocess.run([COMITY, "--dir", place.parent, "territory", "show"],
                                             capture_output=True).returncode == 0:
            return place
    subprocess.run([COMITY, "--dir", BUILD / "bench-territory", "territory", "update"], check=True, stdout=subprocess.DEVNULL)
    return BUILD / "bench-territory/territory.table"


def make(work, kind, rows, name, everywhere):
    path = work / name
    command = [BUILD / "bench/make_reports", "--rows", str(rows), "--format", kind, "--seed", "1", "--time",
               "2026-11-01T00:00:00Z"]
    if not everywhere:
        command += ["--addresses", IPSUM]
    with open(path, "wb") as out:
        subprocess.run(command, check=True, stdout=out)
    return path


def measured(command):
    """Output, seconds of processor time, and the most memory of this one child in MB."""
    pid_out = tempfile.TemporaryFile()
    process = subprocess.Popen(command, stdout=pid_out)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} failed")
    pid_out.seek(0)
    return pid_out.read().decode(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def route(report, tables, work):
    node = work / "node"
    shutil.rmtree(node, ignore_errors=True)
    subprocess.run([COMITY, "--dir", node, "init", "bench.example"], check=True, stdout=subprocess.DEVNULL)
    os.link(tables, node / "territory.table") if tables.stat().st_dev == node.stat().st_dev else shutil.copy(tables, node)
    os.sync()
    out, cpu, memory = measured([COMITY, "--dir", node, "route", "--json", "--date", "2026-11-01T00:00:00Z", report])
    return json.loads(out.splitlines()[-1]), cpu, memory


def spread(values):
    return f"{min(values):>12,.0f} {statistics.median(values):>12,.0f} {max(values):>12,.0f}"


def case(title, report, rows, tables, work, runs):
    rates, floors, memories, cpus = [], [], [], []
    for _ in range(runs):
        summary, cpu, memory = route(report, tables, work)
        assert summary["events"] == rows and summary["rejected"] == 0, summary
        rates.append(rows / summary["seconds"])
        memories.append(memory)
        cpus.append(cpu)
        floors.append(rows / float(measured([BUILD / "bench/floor", report])[0].split()[1]))
    print(f"\n{title}: {rows:,} rows, {report.stat().st_size / 1e6:.0f} MB, {summary['notices']:,} notices, "
          f"{summary['duplicates']:,} duplicates")
    print(f"  {'events a second':<28}{'min':>12} {'median':>12} {'max':>12}")
    print(f"  {'route, durable':<28}{spread(rates)}")
    print(f"  {'floor: read and split':<28}{spread(floors)}")
    print(f"  {'route of the floor':<28}{statistics.median(r / f for r, f in zip(rates, floors)):>25.3f}")
    print(f"  processor time {statistics.median(cpus):.2f} s, peak memory {max(memories):.0f} MB")
    return statistics.median(rates)


def peer(report, rate):
    p = subprocess.run([sys.executable, ROOT / "bench/peer_intelmq.py", report, str(PEER_ROWS)], capture_output=True, text=True)
    line = p.stdout.strip().splitlines()[-1] if p.stdout.strip() else "skipped: it said nothing"
    if p.returncode != 0:
        print(f"  peer: {line}")
        return
    theirs = float(line.split()[1])
    print(f"  IntelMQ 3, whole chain, {PEER_ROWS:,} of the same rows: {theirs:,.0f} events/s; ratio {rate / theirs:,.0f}")


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    tables = table()
    everywhere = not IPSUM.exists()
    print("Sources " + ("anywhere in public space" if everywhere else "drawn from the real list of addresses"))
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        work = Path(folder)
        for title, kind, rows, name in CASES:
            report = make(work, kind, rows, name, everywhere)
            rate = case(title, report, rows, tables, work, runs)
            if kind == "shadowserver":
                peer(report, rate)
            report.unlink()


if __name__ == "__main__":
    main()
