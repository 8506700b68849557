"""Commands that write, beside a service that has the node open all the time."""
import os
import signal
import subprocess
import threading
import time

from conftest import COMITY, TIMEOUT
from signing import Signer
from test_route import scan, summary

PUBLIC = "node.example/public"


class Client(threading.Thread):
    """Submits plans over HTTP, one behind the other, until it is told to end; each must be accepted."""

    def __init__(self, world):
        super().__init__()
        self.world, self.ended = world, threading.Event()
        self.accepted, self.failures = 0, []

    def run(self):
        while not self.ended.is_set() and not self.failures:
            note, _ = self.world.plan()
            try:
                answer = self.world.server.ask("POST", "/statements", note.encode(), {
                    "Content-Type": "text/plain", "Authorization": "Bearer " + self.world.token})
            except OSError as e:
                self.failures.append(repr(e))
                return
            if answer.status not in (200, 201):
                self.failures.append((answer.status, answer.body))
            self.accepted += 1


class World:
    def __init__(self, node, serve):
        self.node = node
        node.run("party", "add", "op.example", "--role", "operator", "--claim", "AS64500", "--approve")
        (made,) = node.json("access", "add", "tool", "--party", "op.example", "--rights", "read,write", "--token")
        self.token = made["secret"]
        self.key = Signer.of(node, "op.example")
        self.server = serve(node, "--log", "json")

    def plan(self):
        return self.key.statement("plan", PUBLIC, "activity scan", "start 2026-01-01T00:00:00Z", "end 2026-02-01T00:00:00Z",
                                  "source 192.0.2.0/24", "target any", "purpose a survey",
                                  f"reference https://op.example/{os.urandom(8).hex()}")

    def ask(self, path, token):
        return self.server.ask("GET", path, None, {"Authorization": "Bearer " + token})


def report(node, i, count=30):
    addresses = [f"5.44.{i}.{n}" for n in range(count)] + [f"5.45.{i}.{n}" for n in range(count)]
    return scan(node, f"2026-11-01-scan_ssh-{i}.csv", *addresses)


def test_everything_that_writes_works_beside_the_service(node, serve):
    world = World(node, serve)
    clients = [Client(world) for _ in range(3)]
    for c in clients:
        c.start()
    rounds, notices = 5, 0
    try:
        for i in range(rounds):
            notices += summary(node, report(node, i))["notices"]
            node.run("plan", "file", "--from", "op.example", "--activity", "scan", "--source", f"198.51.100.{i}/32",
                     "--target", "any", "--start", "2026-03-01T00:00:00Z", "--end", "2026-03-02T00:00:00Z",
                     "--purpose", f"round {i}")
            (made,) = node.json("access", "add", f"more{i}", "--party", "op.example", "--rights", "read", "--token")
            # What a command logged is there for the next request.
            assert world.ask("/statements", made["secret"]).status == 200
            first = node.json("notice", "list")[0]["id"]
            node.run("answer", first, "acknowledged", "--from", "op.example", "--text", f"round {i}")
            node.run("access", "remove", f"more{i}")
            assert world.ask("/statements", made["secret"]).status == 401
            node.audit()
    finally:
        for c in clients:
            c.ended.set()
        for c in clients:
            c.join(TIMEOUT)
    assert not any(c.failures for c in clients), [c.failures for c in clients]
    assert all(c.accepted > rounds for c in clients)
    assert world.server.get("/healthz").status == 200
    world.server.stop()
    node.audit()
    assert len(node.json("notice", "list")) == notices
    assert len(node.json("plan", "list")) == rounds + sum(c.accepted for c in clients)


def test_commands_that_are_killed_beside_the_service(node, serve):
    world = World(node, serve)
    client = Client(world)
    client.start()
    routed = []
    try:
        for i in range(12):
            path = report(node, i)
            p = subprocess.Popen([str(COMITY), "route", path], env=node.env, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            time.sleep(0.01 * i)
            p.send_signal(signal.SIGKILL)
            p.wait(TIMEOUT)
            routed.append(path)
        for path in routed:
            summary(node, path)
    finally:
        client.ended.set()
        client.join(TIMEOUT)
    assert not client.failures, client.failures
    for path in routed:  # whoever was killed had counted all of it or nothing
        again = summary(node, path)
        assert again["notices"] == 0 and again["duplicates"] == 60, again
    node.audit()
    world.server.stop()
    node.audit()


def test_a_service_that_is_killed_beside_commands(node, serve):
    world = World(node, serve)
    for i in range(4):
        p = subprocess.Popen([str(COMITY), "route", report(node, i, 200)], env=node.env, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        time.sleep(0.03 * i)
        world.server.signal(signal.SIGKILL)
        world.server.expected = -signal.SIGKILL
        world.server.process.wait(TIMEOUT)
        out, errors = p.communicate(timeout=TIMEOUT)
        assert p.returncode == 0, (p.returncode, errors)
        node.audit()
        world.server = serve(node, "--log", "json")
        note, _ = world.plan()
        answer = world.server.ask("POST", "/statements", note.encode(), {
            "Content-Type": "text/plain", "Authorization": "Bearer " + world.token})
        assert answer.status in (200, 201), answer.body
    world.server.stop()
    node.audit()
