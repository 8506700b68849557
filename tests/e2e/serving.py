"""A node that serves, for tests of its doors: plain HTTP on a free port of loopback."""
import http.client
import signal
import subprocess

from conftest import COMITY, TIMEOUT

TAXII = "application/taxii+json;version=2.1"


class Serving:
    def __init__(self, node):
        self.node = node

    def __enter__(self):
        self.process = subprocess.Popen([str(COMITY), "serve", "--listen", "127.0.0.1:0"], env=self.node.env,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.authority = self.process.stdout.readline().decode().split("http://")[-1].strip()
        assert ":" in self.authority, self.authority
        return self

    def __exit__(self, *why):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(TIMEOUT)
        finally:
            self.process.kill()
        assert self.process.returncode == 0

    def ask(self, method, path, headers=None, body=None):
        """(status, headers in lower case without Date, body)"""
        c = http.client.HTTPConnection(self.authority, timeout=TIMEOUT)
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            content = r.read()
            return r.status, {k.lower(): v for k, v in r.getheaders() if k.lower() != "date"}, content
        finally:
            c.close()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def token_of(node, name, party, rights="read"):
    (made,) = node.json("access", "add", name, "--party", party, "--rights", rights, "--token")
    return made["secret"]
