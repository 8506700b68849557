"""Statements that are signed outside of the program, by a second implementation of C2SP's signed note."""
import base64
import hashlib
import os

import pytest

ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519",
                              reason="cryptography is not installed: nothing can be signed here")
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: E402


class Signer:
    def __init__(self, text):
        """text: a key file of a node's, PRIVATE+KEY+<name>+<id>+<base64>."""
        _, _, self.name, _, rest = text.strip().split("+", 4)
        self.key = ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(rest)[1:])
        self.public = b"\x01" + self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.fingerprint = hashlib.sha256(self.public).hexdigest()

    @classmethod
    def of(cls, node, domain):
        return cls((node.dir / "keys" / f"{domain}.key").read_text())

    @classmethod
    def fresh(cls, name):
        return cls(f"PRIVATE+KEY+{name}+00000000+" + base64.b64encode(b"\x01" + os.urandom(32)).decode())

    def note(self, text):
        key_id = hashlib.sha256(self.name.encode() + b"\n" + self.public).digest()[:4]
        line = base64.b64encode(key_id + self.key.sign(text.encode())).decode()
        return f"{text}\n\u2014 {self.name} {line}\n"

    def statement(self, kind, ledger, *lines):
        """The signed note and its id."""
        text = f"comity/1 {kind}\nledger {ledger}\nfrom {self.name}\nkey {self.fingerprint}\n" + "".join(f"{l}\n" for l in lines)
        return self.note(text), hashlib.sha256(text.encode()).hexdigest()

    def party(self, ledger, *lines):
        return self.statement("party", ledger, f"public-key {base64.b64encode(self.public).decode()}", *lines)


def sealed(author, media_type, payload, matter=""):
    """The header line of a sealed body, and its salt."""
    salt = os.urandom(32)
    parts = b"".join(len(p).to_bytes(2, "big") + p.encode() for p in (author, matter, media_type))
    digest = hashlib.sha256(b"comity/commit/v1\n" + parts + salt + payload).hexdigest()
    return f"body {media_type} {len(payload)} sealed-sha256:{digest}", salt
