"""Runs the built program as a user would. COMITY names the binary (default: build/comity)."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMITY = pathlib.Path(os.environ.get("COMITY", ROOT / "build" / "comity")).resolve()

TIMEOUT = int(os.environ.get("COMITY_TIMEOUT", "120"))

# Registry files of our own making: documentation AS numbers on ordinary addresses.
DELEGATED = """2.3|ripencc|20261101|6|19930901|20261101|+0000
ripencc|*|ipv4|*|3|summary
ripencc|*|ipv6|*|1|summary
ripencc|*|asn|*|2|summary
ripencc|EE|ipv4|5.44.0.0|65536|20120101|allocated|aaaa
ripencc|FI|ipv4|5.45.0.0|65536|20120101|allocated|bbbb
ripencc|EE|ipv6|2a00:1000::|32|20120101|allocated|aaaa
ripencc|EE|asn|64500|1|20120101|allocated|aaaa
ripencc|FI|asn|64501|1|20120101|allocated|bbbb
"""
ROUTES_V4 = """% origin, prefix, peers
64500\t5.44.0.0/16\t300
64501\t5.45.0.0/16\t300
64501\t5.44.128.0/24\t200
"""
ROUTES_V6 = """% origin, prefix, peers
64500\t2a00:1000::/32\t300
"""
NAMES = """64500 EXAMPLE-EE Example Network of Tallinn, EE
64501 EXAMPLE-FI Example Network of Helsinki, FI
"""


class Node:
    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.env = {k: v for k, v in os.environ.items() if k not in ("COMITY_DIR", "NO_COLOR")}
        self.env["COMITY_DIR"] = str(self.dir)

    def run(self, *words, stdin=None, code=0):
        p = subprocess.run([str(COMITY), *map(str, words)], input=stdin, env=self.env, capture_output=True, timeout=TIMEOUT)
        assert code is None or p.returncode == code, (words, p.returncode, p.stdout[-2000:], p.stderr[-2000:])
        return p

    def text(self, *words, **more):
        return self.run(*words, **more).stdout.decode()

    def json(self, *words, **more):
        out = self.run(*words, "--json", **more).stdout.decode()
        return [json.loads(line) for line in out.splitlines()]

    def error(self, *words, code=1, stdin=None):
        p = self.run(*words, "--json", code=code, stdin=stdin)
        error = json.loads(p.stderr.decode().splitlines()[-1])
        assert error["advice"], error
        return error["error"]

    def build_territory(self):
        files = {"delegated-ripencc-extended-latest": DELEGATED, "riswhoisdump.IPv4": ROUTES_V4,
                 "riswhoisdump.IPv6": ROUTES_V6, "asn.txt": NAMES}
        folder = self.dir.parent / "registry-files"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_text(content)
        return self.run("territory", "build", *sorted(str(folder / name) for name in files))

    def audit(self):
        (result,) = self.json("ledger", "audit")
        assert result["result"] == "ok"
        return result


@pytest.fixture
def empty(tmp_path):
    return Node(tmp_path / "node")


@pytest.fixture
def node(empty):
    empty.run("init", "node.example")
    empty.build_territory()
    return empty


def pytest_configure(config):
    if not COMITY.exists():
        pytest.exit(f"{COMITY} is not built: run make first", returncode=1)
