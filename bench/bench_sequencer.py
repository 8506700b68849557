#!/usr/bin/env python3
"""Statements through the sequencer beside a peer: `bench/bench_sequencer.py [FOLDER]`, FOLDER on the disk to be measured.

Ours: build/bench/bench_sequencer, each statement verified, durable, with a receipt under a signed checkpoint.
Peer: Tessera's POSIX driver in process (bench/tessera), which takes opaque bytes and verifies nothing; with its defaults
and with two settings of batch size, batch age and checkpoint interval. Skipped where Go or the module cannot be had.

Prints both and the ratios. A figure is of this machine in this hour; only ratios travel.
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
PEER = ROOT / "bench" / "tessera"
LINE = re.compile(r"comity, +(\d+) in flight, +\d+ statements +(\d+)/s +p50 ([\d.]+)")


def ours(folder):
    """{in flight: (rate, p50 in ms)}, printing as it comes."""
    found = {}
    with subprocess.Popen([BUILD / "bench/bench_sequencer", folder], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            if match := LINE.match(line):
                found[int(match[1])] = (float(match[2]), float(match[3]))  # the last of a kind: the one behind the warm-up
    if process.returncode != 0:
        sys.exit("bench_sequencer failed")
    return found


def build_peer():
    """The peer's program, or why there is none."""
    environment = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=readonly -buildvcs=false", GOWORK="off")
    if shutil.which("go") is None:
        return None, "no Go here"
    program = BUILD / "bench/tessera_posix"
    for command in (["go", "mod", "download"], ["go", "build", "-o", program, "."]):
        done = subprocess.run(command, cwd=PEER, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            return None, f"{' '.join(map(str, command[:2]))}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}"
    return program, None


def peer(program, folder, mine):
    with subprocess.Popen([program, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        print(f"{'Tessera, POSIX driver: batch, age, checkpoint; waits for':58}"
              f"{'rate':>9} {'p50 ms':>9} {'p99 ms':>9}   comity is")
        for line in process.stdout:
            _, row, flight, rate, p50, p99, _ = line.split()
            settings, waits = row.rsplit(",", 1)
            ratio = ""
            if int(flight) in mine:
                rate_ratio = mine[int(flight)][0] / max(float(rate), 1)
                ratio = f"{rate_ratio:8.1f} x the rate, p50 1/{float(p50) / mine[int(flight)][1]:.1f}"
            print(f"{f'{settings:15} {waits:11} {flight:>4} in flight':58}"
                  f"{float(rate):7.0f}/s {float(p50):9.3f} {float(p99):9.3f}{ratio}", flush=True)
        said = process.stderr.read()
    if process.returncode != 0:
        sys.exit(f"Tessera failed: {said.strip().splitlines()[-1] if said.strip() else process.returncode}")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "/tmp"
    mine = ours(folder)
    program, why = build_peer()
    if program is None:
        print(f"skipped: no peer ({why})")
        return
    peer(program, folder, mine)


if __name__ == "__main__":
    main()
