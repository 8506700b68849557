#!/usr/bin/env python3
"""How long one signed checklist of the RPKI takes: ours beside rpki-client's `-f` on the same file. rpki-client is a process of four each
time; so ours is measured as a process too (check_rsc), and within one. All figures are processor time."""
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import rpki_lab  # noqa: E402

CHECK = ROOT / "build/bench/check_rsc"
ROUNDS = 30


def time_of(command, good, runs=ROUNDS, **more):
    """Processor time of a run in milliseconds, the mean of some: other work on the machine counts less than on the clock."""
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(runs):
        p = subprocess.run(command, capture_output=True, text=True, **more)
        assert good(p.stdout), p
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime) * 1000 / runs


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="comity-bench-", dir="/tmp"))
    try:
        folder.chmod(0o755)
        lab = rpki_lab.Lab(folder / "lab")
        content = b"comity-key 1\nparty as64500.example\nkey " + b"5" * 64 + b"\n"
        checklist = lab.checklist(["192.0.2.0/24"], [("key.txt", content)])
        case = rpki_lab.Case(lab, "good", "ok", checklist, content, objects={"ta.crl": lab.ta.crl(), "ca.crl": lab.ca.crl()})
        at = case.publish(folder / "published")
        given = case.write(folder / "ours")
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        words = [CHECK, given, given / "checklist.sig", given / "file", now]
        process = time_of(words, lambda out: out.startswith("ok\t"))
        inside = (time_of([*words, "1000"], lambda out: float(out) > 0, runs=1) - process) / 1000
        print(f"verified within one process: {inside:.2f} ms, {1000 / inside:.0f}/s on one core")
        print(f"verified by a process of its own: {process:.1f} ms")
        peer = shutil.which("rpki-client", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        if peer is None:
            print("peer skipped: rpki-client is not installed")
            return
        command = [peer, "-n", "-j", "-d", at / "cache", "-t", at / "test.tal", "-f", "checklist.sig"]
        theirs = time_of(command, lambda out: '"validation": "OK"' in out, cwd=at)
        print(f"rpki-client -f: {theirs:.1f} ms")
        print(f"ratio, process to process: {theirs / process:.1f}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
