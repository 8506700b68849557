#!/usr/bin/env python3
"""What plans and claims cost a run: the same report routed into a node without any and into one with 100,000 plans in force and
100,000 claims, in turns, dry, on one thread: `bench/bench_route_plans.py [RUNS]`.

  1,000,000 Shadowserver rows all seen when the plans are in force, from the addresses of the real list of ../shared if it is there.
  By processor time, since others may use the machine: of the whole run, and of the rows alone, which is what a run of the same
  report cut to one row does not take (reading plans and claims, and making the resolver).

Prints median seconds and rows a second of both sides, and the ratio.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_route import BUILD, COMITY, IPSUM, measured, table

PLANS = int(os.environ.get("COMITY_BENCH_PLANS", 100_000))
ROWS = int(os.environ.get("COMITY_BENCH_ROWS", 1_000_000))


def make_node(work, name, tables, plans):
    node = work / name
    subprocess.run([COMITY, "--dir", node, "init", "bench.example"], check=True, stdout=subprocess.DEVNULL)
    shutil.copy(tables, node / "territory.table")
    if plans:
        subprocess.run([BUILD / "bench/make_plans", node, str(plans)], check=True)
    return node


def make_reports(work, everywhere):
    """All rows, and one."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    for name, rows in (("event4_honeypot_brute_force.csv", ROWS), ("event4_honeypot_brute_force-one.csv", 1)):
        command = [BUILD / "bench/make_reports", "--rows", str(rows), "--format", "shadowserver", "--seed", "1", "--time", at,
                   "--still", "yes"]
        if not everywhere:
            command += ["--addresses", IPSUM]
        with open(work / name, "wb") as out:
            subprocess.run(command, check=True, stdout=out)
        yield work / name


def route(node, report):
    out, cpu, _ = measured([COMITY, "--dir", node, "route", "--json", "--dry-run", "--threads", "1", "--from", "shadowserver", report])
    return json.loads(out.splitlines()[-1]), cpu


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    tables, everywhere = table(), not IPSUM.exists()
    whole, one = {}, {}
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        work = Path(folder)
        nodes = {"without": make_node(work, "without", tables, 0), "with": make_node(work, "with", tables, PLANS)}
        report, single = make_reports(work, everywhere)
        for _ in range(runs):
            for side, node in nodes.items():
                summary, cpu = route(node, report)
                assert summary["events"] == ROWS and summary["rejected"] == 0, summary
                whole.setdefault(side, []).append(cpu)
                one.setdefault(side, []).append(route(node, single)[1])
                if side == "with":
                    print(f"of {ROWS:,} rows: " + ", ".join(
                        f"{name} {summary[name]:,}" for name in ("undeclared", "explained", "spoofable", "breach", "late") if summary[name]))
    print(f"{PLANS:,} plans and as many claims; processor seconds, median of {runs}")
    print(f"  {'':<10}{'whole run':>12}{'one row':>12}{'rows alone':>12}{'rows/s':>12}")
    rows = {}
    for side in nodes:
        all_of, first = statistics.median(whole[side]), statistics.median(one[side])
        rows[side] = all_of - first
        print(f"  {side:<10}{all_of:>12.2f}{first:>12.2f}{rows[side]:>12.2f}{ROWS / rows[side]:>12,.0f}")
    print(f"  speed with plans of that without: rows alone {rows['without'] / rows['with']:.2f}, "
          f"whole run {statistics.median(whole['without']) / statistics.median(whole['with']):.2f}")


if __name__ == "__main__":
    main()
