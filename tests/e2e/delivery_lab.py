"""Nodes on loopback that know one another's address, and what a node says on the wire, by hand."""
import base64
import hashlib
import json
import time

from conftest import Node, wait_for
from ports import free_port
from signing import Signer, sealed
from test_signatures import signed

EVIDENCE = "application/vnd.comity.evidence+zstd"
LOOPBACK = "\noutgoing-private yes\noutgoing-plain yes\n"


def with_extra(receipt, entry):
    """The receipt with the entry that it is of."""
    first, rest = receipt.split("\n", 1)
    if rest.startswith("extra "):
        return receipt
    return f"{first}\nextra {base64.b64encode(entry.encode()).decode()}\n{rest}"


def header(statement, name):
    return next((h["value"] for h in statement["headers"] if h["name"] == name), None)


class Stranger:
    """A node that nobody runs: its party statement, and the receipt of a ledger that has this one entry."""

    def __init__(self, name, url):
        ledger = Signer.fresh(name + "/public")
        key_id = hashlib.sha256(ledger.name.encode() + b"\n" + ledger.public).digest()[:4]
        vkey = f"{ledger.name}+{key_id.hex()}+{base64.b64encode(ledger.public).decode()}"
        self.name, self.signer = name, Signer.fresh(name)
        self.note, self.id = self.signer.party(ledger.name, "role node", f"title {name}", f"ledger-key {vkey}", f"url {url}")
        entry = f"logged {time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime())}\n{self.note}"
        root = hashlib.sha256(b"\0" + entry.encode()).digest()
        checkpoint = ledger.note(f"{ledger.name}\n1\n{base64.b64encode(root).decode()}\n")
        self.receipt = with_extra(f"c2sp.org/tlog-proof@v1\nindex 0\n\n{checkpoint}", entry)

    def introduces_itself(self, place):
        return place.server.ask("POST", "/introduction", json.dumps({"note": self.note, "receipt": self.receipt}),
                                {"Content-Type": "application/json"})


class Place:
    """A node with an address that stays the same while its server comes and goes."""

    def __init__(self, folder, name, serve):
        self.name, self.serve = name, serve
        self.node = Node(folder / name)
        self.node.run("init", name)
        with open(self.node.dir / "config", "a") as config:
            config.write(LOOPBACK)
        (made,) = self.node.json("access", "add", "tool." + name, "--party", name, "--rights", "read,write,operate", "--token")
        self.token = made["secret"]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.file_url(self.url)
        self.server = None

    @property
    def signer(self):
        return Signer((self.node.dir / "keys" / "party.key").read_text())

    def file_url(self, url):
        """Its party statement anew, signed outside."""
        raw = self.node.text("ledger", "show", "public", "--raw")
        keys = list(dict.fromkeys(l for l in raw.splitlines() if l.startswith(f"ledger-key {self.name}/")))
        note, _ = self.signer.party(f"{self.name}/public", "role node", f"title {self.name}", *keys, f"url {url}")
        self.node.run("submit", "-", stdin=note.encode())

    def start(self, *options):
        self.server = self.serve(self.node, "--log", "json", *options, listen=("--listen", f"127.0.0.1:{self.port}"))
        return self

    def stop(self):
        self.server.stop()

    def ask(self, method, path, body=None, **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.server.ask(method, path, body, {"Authorization": "Bearer " + self.token, **headers})

    def listed(self, query=""):
        answer = self.ask("GET", "/statements" + query)
        assert answer.status == 200, answer.body
        return answer.json()["statements"]

    def item(self, id):
        """A statement as it is delivered, without its body."""
        found = self.ask("GET", f"/statements/{id}").json()
        receipt = wait_for(lambda: (r := self.ask("GET", f"/statements/{id}/receipt")).status == 200 and r.body.decode(), id)
        return {"note": found["note"], "receipt": with_extra(receipt, f"logged {found['logged']}\n{found['note']}")}

    def party_item(self):
        mine = [p for p in self.listed("?kind=party") if p["from"] == self.name]
        return self.item(mine[-1]["id"])

    def knows(self, other):
        """The other introduces itself here."""
        answer = self.server.ask("POST", "/introduction", json.dumps(other.party_item()),
                                 {"Content-Type": "application/json"})
        assert answer.status in (200, 201), answer.body

    def notice(self, *lines, payload=b"rows", signer=None):
        """Logs a notice with these lines; gives its id."""
        signer = signer or self.signer
        body, salt = sealed(signer.name, EVIDENCE, payload)
        note, id = signer.statement("notice", f"{self.name}/circle", *lines, "class malicious-code/infected-system",
                                    "events 1", f"date {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}", body)
        content = {"note": note, "body": base64.b64encode(payload).decode(), "salt": salt.hex()}
        answer = self.ask("POST", "/statements/with-body", json.dumps(content), Content_Type="application/json")
        assert answer.status == 201, answer.body
        return id

    def submit(self, note):
        return self.ask("POST", "/statements", note.encode(), Content_Type="text/plain")

    def outcomes(self, matter):
        """(from, outcome) of the answers to it, in the order of the ledger."""
        return [(a["from"], header(a, "outcome")) for a in self.listed(f"?kind=answer&matter={matter}")]

    def has(self, id):
        return self.ask("GET", f"/statements/{id}").status == 200

    def deliver_as(self, other, items, **more):
        """A delivery to this node, signed by another's key."""
        body = json.dumps({"statements": items, **more}).encode()
        key = other.signer.key
        headers = signed(key, "POST", self.server.authority, "/delivery", body=body)
        return self.server.ask("POST", "/delivery", body, {**headers, "Content-Type": "application/json"})

    def metric(self, name):
        text = self.ask("GET", "/metrics").body.decode()
        return int(next(l.split()[1] for l in text.splitlines() if l.startswith(f"comity_{name} ")))
