"""The lab's own network: it carries, it loses, and it leaves nothing behind."""
import os
import pathlib
import signal
import subprocess
import sys

import lab_net
import pytest

WHY = lab_net.missing()
pytestmark = pytest.mark.skipif(WHY is not None, reason=str(WHY))

SERVE = """
import socket
s = socket.create_server(("0.0.0.0", 7000))
print("ready", flush=True)
while True:
    c, _ = s.accept()
    sent = 0
    while data := c.recv(65536):
        sent += len(data)
        c.sendall(data)
    c.close()
"""
ASK = """
import hashlib, os, socket, threading
s = socket.create_connection(("b.example", 7000))
text, got = os.urandom(1 << 20), bytearray()
threading.Thread(target=lambda: (s.sendall(text), s.shutdown(socket.SHUT_WR))).start()
while data := s.recv(65536):
    got += data
assert bytes(got) == text
print("whole")
"""


def names():
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in listed.splitlines()}


def test_what_is_lost_on_the_way_arrives_all_the_same():
    with lab_net.Lab({"a": ["a.example"], "b": ["b.example"]}, loss_percent=4) as lab:
        server = lab.hosts["b"].start(sys.executable, "-c", SERVE, stdout=subprocess.PIPE)
        assert server.stdout.readline() == b"ready\n"
        done = lab.hosts["a"].run(sys.executable, "-c", ASK, capture_output=True, text=True, timeout=100)
        assert done.stdout == "whole\n", done.stderr
        passed, lost = lab.counts() or (1, 1)
        assert passed > 0 and lost > 0
        spaces = [h.space for h in lab.hosts.values()] + [lab.router]
        assert set(spaces) <= names()
        server.kill()
        server.wait()
        server.stdout.close()
    assert not names() & set(spaces)
    assert not any((lab_net.ETC / s).exists() for s in spaces)


def test_what_a_killed_run_leaves_is_swept():
    code = ("import sys, time; sys.path.insert(0, sys.argv[1]); import lab_net\n"
            "lab = lab_net.Lab({'a': [], 'b': []}); lab.hosts['a'].start('sleep', '1000')\n"
            "print('ready', flush=True); time.sleep(1000)")
    run = subprocess.Popen([sys.executable, "-c", code, str(pathlib.Path(__file__).parent)], stdout=subprocess.PIPE)
    assert run.stdout.readline() == b"ready\n"
    left = {n for n in names() if n.startswith(f"{lab_net.PREFIX}{run.pid}-")}
    assert len(left) == 3
    lab_net.sweep()  # of a run that goes on: nothing
    assert left <= names()
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    run.stdout.close()
    lab_net.sweep()
    assert not left & names()
