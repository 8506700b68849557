"""Other people's Go libraries read the ledgers of a running server as any tile client does (tests/peer/go)."""
import json
import os
import shutil
import subprocess
import uuid

import pytest

from conftest import ROOT, bearer, token_of, wait_for
from signing import Signer, sealed
from test_api import EVIDENCE, PLAN

GO = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
PUBLIC, CIRCLE = "node.example/public", "node.example/circle"


@pytest.fixture(scope="module")
def verifier(tmp_path_factory):
    if shutil.which("go") is None:
        pytest.skip("no Go here: its libraries judge nothing")
    source, program = ROOT / "tests" / "peer" / "go", tmp_path_factory.mktemp("go") / "verify"
    if subprocess.run(["go", "mod", "download"], cwd=source, env=GO, capture_output=True, timeout=300).returncode != 0:
        pytest.skip("the Go modules cannot be had")
    subprocess.run(["go", "build", "-o", program, "."], cwd=source, env=GO, check=True, timeout=600)
    return program


class Ledgers:
    def __init__(self, node, serve, verifier):
        node.run("init", "node.example")
        node.run("party", "add", "team.example", "--role", "response-team", "--approve")
        node.run("party", "add", "other.example", "--role", "researcher")
        (node.dir / "config").write_text("requests-per-minute 0\n")
        self.tokens = {p: token_of(node, p, p, "read,write") for p in ("team.example", "other.example")}
        self.key, self.verifier, self.node = Signer.of(node, "team.example"), verifier, node
        self.vkeys = {l["origin"].split("/")[1]: l["key"] for l in node.json("ledger", "show")}
        self.server = serve(node)
        self.connection = self.server.connect()

    def post(self, path, body, media):
        self.connection.request("POST", path, body, {**bearer(self.tokens["team.example"]), "Content-Type": media})
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status == 201, content

    def plans(self, count):
        for _ in range(count):
            note, _ = self.key.statement("plan", PUBLIC, *PLAN, f"reference https://team.example/{uuid.uuid4()}")
            self.post("/statements", note.encode(), "text/plain")

    def notices(self, count):
        for _ in range(count):
            line, salt = sealed("team.example", EVIDENCE, os.urandom(20))
            note, _ = self.key.statement("notice", CIRCLE, "to AS64500", "class other/undetermined", "events 1", line)
            self.post("/statements", note.encode(), "text/plain")

    def judge(self, ledger, *more, who=None, vkey=None, code=0):
        done = subprocess.run([self.verifier, "-url", f"{self.server.url}/ledger/{ledger}", "-vkey", vkey or self.vkeys[ledger],
                               *(["-token", self.tokens[who]] if who else []), *map(str, more)], capture_output=True, text=True,
                              timeout=120)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout + done.stderr

    def wait_for(self, ledger, size, who=None):
        """Until the checkpoint holds so many."""
        def holds():
            answer = self.server.get(f"/ledger/{ledger}/checkpoint", headers=bearer(self.tokens[who]) if who else {})
            return answer.status == 200 and int(answer.body.split(b"\n")[1]) >= size

        wait_for(holds, (ledger, size))

    def logged(self, ledger):
        found = json.loads(self.server.get("/statements?limit=1000", headers=bearer(self.tokens["team.example"])).body)
        assert not found["more"]
        return sum(s["ledger"] == ledger for s in found["statements"])


def test_any_tile_client_reads_the_ledgers(empty, serve, verifier, tmp_path):
    ledgers = Ledgers(empty, serve, verifier)
    for ledger, make, who in (("public", ledgers.plans, None), ("circle", ledgers.notices, "team.example")):
        older, newer = tmp_path / f"{ledger}.1", tmp_path / f"{ledger}.2"
        make(100)
        ledgers.wait_for(ledger, ledgers.logged(ledger), who)
        ledgers.judge(ledger, "-save", older, who=who)
        make(200)  # beyond a full tile: the older one's part of it is cut out of the full one
        size = ledgers.logged(ledger)
        ledgers.wait_for(ledger, size, who)
        assert size > 256 and f"{size} entries" in ledgers.judge(ledger, "-old", older, "-save", newer, who=who)
        ledgers.judge(ledger, "-old", newer, who=who)
        other = {"public": "circle", "circle": "public"}[ledger]
        assert "checkpoint" in ledgers.judge(ledger, who=who, vkey=ledgers.vkeys[other], code=1)
        lines = older.read_text().split("\n")
        older.write_text("\n".join([lines[0], str(int(lines[1]) - 1), *lines[2:]]))
        ledgers.judge(ledger, "-old", older, who=who, code=1)
    for who in (None, "other.example"):  # the circle's are its members'
        assert "404" in ledgers.judge("circle", who=who, code=1)
