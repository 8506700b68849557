#!/usr/bin/env python3
"""Kills `comity route` at random moments, routes again, and checks that every event counted exactly once.

COMITY: the program (default build/comity). COMITY_KILLS: how many kills (default 8). TEST_SEED: another course."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMITY = str(pathlib.Path(os.environ.get("COMITY", ROOT / "build" / "comity")).resolve())
KILLS = int(os.environ.get("COMITY_KILLS", "8"))
SEED = int(os.environ.get("TEST_SEED", "1"))
ROWS = int(os.environ.get("COMITY_ROWS", "120000"))
KILLS_A_NODE = 4

DELEGATED = """2.3|ripencc|20261101|4|19930901|20261101|+0000
ripencc|*|ipv4|*|2|summary
ripencc|EE|ipv4|5.44.0.0|65536|20120101|allocated|aaaa
ripencc|FI|ipv4|5.45.0.0|65536|20120101|allocated|bbbb
"""
HEADER = "timestamp,protocol,src_ip,src_port,dst_ip,dst_port,username\n"


def run(directory, *words):
    p = subprocess.run([COMITY, *words, "--json"], env={**os.environ, "COMITY_DIR": str(directory)}, capture_output=True)
    if p.returncode != 0:
        sys.exit(f"{words}: exit {p.returncode}\n{p.stdout.decode()}{p.stderr.decode()}\nseed {SEED}, {directory}")
    return [json.loads(line) for line in p.stdout.decode().splitlines()]


def make_reports(folder, chance):
    """Three reports with doubles within and between them, each number with a source of its own: what a killed run told
    must not make a repeat of the rest, so that notices count every event. Gives the distinct rows that count, and of them the
    unanswered."""
    rows, paths = set(), []
    pad = "x" * 200
    for day in range(1, 4):
        lines = []
        for _ in range(ROWS // 3):
            n = chance.randrange(min(ROWS * 2 // 3, 65536))
            net = ("5.44", "5.44", "5.45", "5.46", "9.9")[n % 5]
            lines.append(f'"2026-11-01 10:{n // 60 % 60:02}:{n % 60:02}",tcp,{net}.{n >> 8 & 255}.{n & 255},{n % 60000 + 1},'
                         f"192.0.2.1,22,{n}{pad}\n")
        rows.update(lines)
        path = folder / f"2026-11-{day:02}-event4_honeypot_brute_force-crash.csv"
        path.write_text(HEADER + "".join(lines))
        paths.append(str(path))
    return rows, {r for r in rows if ",9.9." in r or ",5.46." in r}, paths


def make_territory(directory, folder):
    registry = folder / "registry"
    registry.mkdir()
    routes = "% made up\n" + "".join(f"{64500 + i}\t5.44.{i}.0/24\t300\n{64800 + i}\t5.45.{i}.0/24\t300\n" for i in range(256))
    (registry / "delegated-ripencc-extended-latest").write_text(DELEGATED)
    (registry / "riswhoisdump.IPv4").write_text(routes)
    run(directory, "territory", "build", *sorted(str(p) for p in registry.iterdir()))


def route_and_kill(directory, paths, after):
    """True: it was killed while it ran."""
    p = subprocess.Popen([COMITY, "route", *paths], env={**os.environ, "COMITY_DIR": str(directory)},
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        p.wait(timeout=after)
        return False
    except subprocess.TimeoutExpired:
        p.send_signal(signal.SIGKILL)
        p.wait()
        return True


def listed(directory):
    rows = []
    for path in (directory / "unanswered").glob("*.jsonl.zst"):
        text = subprocess.run(["zstd", "-dc", str(path)], capture_output=True, check=True).stdout
        rows += [json.loads(line)["row"] for line in text.decode().splitlines()]
    return rows


def check(directory, rows, unanswered, paths):
    """Routes to the end and looks at what is there."""
    last = run(directory, "route", *paths)[-1]
    notices = run(directory, "notice", "list")
    counted = sum(n["events"] for n in notices)
    left = listed(directory)
    audit = run(directory, "ledger", "audit")[-1]
    problems = []
    if counted != len(rows) - len(unanswered):
        problems.append(f"{counted} events in notices, not {len(rows) - len(unanswered)}")
    if len(left) != len(unanswered) or {r + "\n" for r in left} != unanswered:
        problems.append(f"{len(left)} rows listed that nobody answers for, not {len(unanswered)}")
    if audit.get("result") != "ok":
        problems.append(f"audit: {audit}")
    again = run(directory, "route", *paths)[-1]
    if again["notices"] != 0 or again["duplicates"] != again["events"]:
        problems.append(f"a further run counted: {again}")
    if problems:
        sys.exit("\n".join(problems) + f"\nseed {SEED}, {directory}")
    return last


def main():
    chance = random.Random(SEED)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="comity-crash-"))
    fresh = folder / "fresh"
    run(fresh, "init", "cert.example")
    make_territory(fresh, folder)
    rows, unanswered, paths = make_reports(folder, chance)
    whole = folder / "whole"
    shutil.copytree(fresh, whole)
    start = time.monotonic()
    check(whole, rows, unanswered, paths)
    run_time = time.monotonic() - start
    shutil.rmtree(whole)
    whole_time, killed, rounds = run_time / 2, 0, 0
    while killed < KILLS:
        node = folder / "node"
        shutil.copytree(fresh, node)
        for _ in range(min(KILLS_A_NODE, KILLS - killed)):
            if route_and_kill(node, paths, chance.uniform(0, whole_time)):
                killed += 1
        check(node, rows, unanswered, paths)
        shutil.rmtree(node)
        rounds += 1
    shutil.rmtree(folder)
    print(f"{killed} kills on {rounds} nodes: {len(rows)} events, each counted once")


if __name__ == "__main__":
    main()
