"""What the tests of the answer page share: links that are made here, by a second implementation, and a notice to answer."""
import base64
import hashlib
import time
import urllib.parse

from signing import Signer

KEY_TEXT = b"comity: the secret of this node's links to answer with; no statement"
PURPOSE = b"comity/answer-link/1\0"
HOUR = 3600

def token(node, notice, addressee=0, hours=None, contact="abuse@op.example", name="circle"):
    """The last part of a link that `node` gives: for addressee number `addressee` of the notice of this id, good for `hours`."""
    key = hashlib.sha256(Signer.of(node, name).key.sign(KEY_TEXT)).digest()
    until = int(time.time()) // HOUR + 1 + (24 if hours is None else hours)
    body = (b"\x01" + bytes.fromhex(notice) + bytes([addressee]) + until.to_bytes(4, "big")
            + hashlib.sha256(contact.encode()).digest()[:8])
    mac = hashlib.blake2b(PURPOSE + body, key=key, digest_size=16).digest()
    return base64.urlsafe_b64encode(body + mac).decode().rstrip("=")


def path(*args, **more):
    return "/answer/" + token(*args, **more)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post(server, where, headers=FORM, **fields):
    return server.ask("POST", where, urllib.parse.urlencode(fields), headers)


def report(node, count=3, tag="mirai", name="event4_sinkhole.csv", network="5.44.7."):
    """Routes `count` events of infected machines, by default of AS64500; gives the ids of the notices that this made."""
    before = {n["id"] for n in node.json("notice", "list")}
    lines = ["timestamp,protocol,src_ip,src_port,dst_ip,dst_port,infection,tag"]
    for i in range(count):
        lines.append(f'"2026-11-01 10:{i // 60 % 60:02}:{i % 60:02}",tcp,{network}{i % 250 + 1},{40000 + i},198.51.100.7,80,'
                     f'"{tag}",')
    path = node.dir.parent / name
    path.write_text("\n".join(lines) + "\n")
    node.run("route", path)
    return [n["id"] for n in node.json("notice", "list") if n["id"] not in before]
