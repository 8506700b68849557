"""A DNS of its own: a root, two branches of reverse zones and a zone for each way to be good or bad, signed by ldns-signzone and served by
nsd on loopback. `python3 dns_lab.py DNS_PROOF FOLDER` writes the chains of tests/unit/test_dnssec.c anew."""
import datetime
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ports import free_port

PARTY = "as64500.example"
KEY = "5fe1000000000000000000000000000000000000000000000000000000000ac2"
OTHER_KEY = "77e1000000000000000000000000000000000000000000000000000000000ac2"
TOOLS = ["nsd", "ldns-signzone", "ldns-keygen", "ldns-key2ds", "drill"]
ENV = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}

V4, V4_WIDE = "2.0.192.in-addr.arpa", "100.51.198.in-addr.arpa"
V6 = "0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"


def txt(key=KEY, party=PARTY):
    return f'"v=comity1; party={party}; key={key}"'


def run(*words, folder=None):
    done = subprocess.run([str(w) for w in words], cwd=folder, env=ENV, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def stamp(when):
    return when.strftime("%Y%m%d%H%M%S")


class Zone:
    def __init__(self, records, algorithm="ECDSAP256SHA256", ds="-2", signed=True, begins=None, ends=None, break_it=None,
                 alien_ds=False, two_keys=False):
        self.records, self.algorithm, self.ds, self.signed = records, algorithm, ds, signed
        self.begins, self.ends, self.break_it, self.alien_ds, self.two_keys = begins, ends, break_it, alien_ds, two_keys


def leaf_zones(begins, ends):
    """name -> Zone: one for each way to be."""
    day = datetime.timedelta(days=1)
    own = f"_comity TXT {txt()}"
    big = [own] + [f'_comity TXT "{n:04d}{"x" * 240}"' for n in range(243)]

    def broken(text):  # one digit of the signature over the TXT
        def other(m):
            return m.group(1) + ("B" if m.group(2) == "A" else "A")
        return re.sub(r"(\sIN\s+RRSIG\s+TXT .* )([\w+/])", other, text, count=1)

    def another(text):  # the record changed after it was signed
        return text.replace(KEY, OTHER_KEY)

    zones = {
        "as64500": Zone([own]),
        "several": Zone([own, '_comity TXT "v=spf1 -all"', f"_comity TXT {txt(OTHER_KEY)}"], two_keys=True),
        "long": Zone([f'_comity TXT "v=comity1; note={"n" * 200}; " "party={PARTY}; " "key={KEY}"']),
        "big": Zone(big),
        "rsa256": Zone([own], "RSASHA256"),
        "rsa512": Zone([own], "RSASHA512"),
        "p384": Zone([own], "ECDSAP384SHA384", ds="-4"),
        "ed25519": Zone([own], "ED25519"),
        "ed448": Zone([own], "ED448"),
        "sha1": Zone([own], "RSASHA1"),
        "sha1ds": Zone([own], ds="-1"),
        "broken": Zone([own], break_it=broken),
        "changed": Zone([own], break_it=another),
        "expired": Zone([own], begins=begins - 30 * day, ends=begins - day),
        "future": Zone([own], begins=ends + day, ends=ends + 30 * day),
        "wrongds": Zone([own], alien_ds=True),
        "unsigned": Zone([own], signed=False),
        "island": Zone([own], ds=None),
        "wildcard": Zone([f"* TXT {txt()}"]),
        "otherkey": Zone([f"_comity TXT {txt(OTHER_KEY)}"]),
        "otherparty": Zone([f"_comity TXT {txt(party='as64501.example')}"]),
        "nothing": Zone(['_comity TXT "v=spf1 -all"']),
        "absent": Zone(["www A 192.0.2.1"]),
        "alias": Zone(["_comity CNAME a", "a CNAME b", "b CNAME a"]),
    }
    return {f"{name}.example": zone for name, zone in zones.items()}


class Lab:
    def __init__(self, folder, begins, ends):
        self.folder, self.begins, self.ends = Path(folder), begins, ends
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "anchors").mkdir(exist_ok=True)
        self.zones, self.nsd, self.port = {}, None, None
        self.leaves = leaf_zones(begins, ends)
        day = datetime.timedelta(days=1)
        own = f"_comity TXT {txt()}"
        reverse = {V4: Zone([own]), V6: Zone([own])}
        for name, zone in {**self.leaves, **reverse}.items():
            self.add(name, zone, [])
        self.add("example", Zone([f"_comity.under TXT {txt()}"], two_keys=True, ends=ends - day), list(self.leaves))
        self.add("in-addr.arpa", Zone([f"_comity.{V4_WIDE}. TXT {txt()}"]), [V4])
        self.add("ip6.arpa", Zone([]), [V6])
        self.add(".", Zone([], two_keys=True), ["example", "in-addr.arpa", "ip6.arpa"])
        (self.folder / "anchors" / "root.ds").write_text(self.ds_of("."))

    def keygen(self, name, algorithm, key_signing):
        options = ["-k"] if key_signing else []
        options += ["-b", "2048"] if algorithm.startswith("RSA") else []
        return run("ldns-keygen", "-a", algorithm, *options, name, folder=self.folder).strip()

    def ds_of(self, name, alien=False):
        key = self.keygen(name, "ECDSAP256SHA256", True) if alien else self.zones[name][1][0]
        return run("ldns-key2ds", "-n", "-f", self.zones[name][0].ds or "-2", f"{key}.key", folder=self.folder)

    def add(self, name, zone, children):
        dotted = name if name == "." else name + "."
        keys = []
        if zone.signed:
            keys = [self.keygen(dotted, zone.algorithm, True)]
            keys += [self.keygen(dotted, zone.algorithm, False)] if zone.two_keys else []
        self.zones[name] = (zone, keys)
        lines = [f"$ORIGIN {dotted}", "$TTL 300", "@ SOA ns.lab. hostmaster.lab. 1 3600 900 604800 300", "@ NS ns.lab.",
                 *zone.records]
        for child in children:
            lines.append(f"{child}. NS ns.lab.")
            if self.zones[child][0].signed and self.zones[child][0].ds:
                lines.append(self.ds_of(child, self.zones[child][0].alien_ds))
        path = self.folder / f"{name if name != '.' else 'root'}.zone"
        path.write_text("\n".join(lines) + "\n")
        if zone.signed:
            run("ldns-signzone", "-i", stamp(zone.begins or self.begins), "-e", stamp(zone.ends or self.ends), "-o", dotted,
                "-f", f"{path}.signed", path, *keys, folder=self.folder)
            text = Path(f"{path}.signed").read_text()
            changed = zone.break_it(text) if zone.break_it else text
            assert zone.break_it is None or changed != text
            path.write_text(changed)

    def __enter__(self):
        self.port = free_port()
        zones = "".join(f'zone:\n  name: "{n}"\n  zonefile: "{"root" if n == "." else n}.zone"\n' for n in self.zones)
        (self.folder / "nsd.conf").write_text(
            f'server:\n  ip-address: 127.0.0.1@{self.port}\n  server-count: 1\n  username: ""\n  zonesdir: "{self.folder}"\n'
            f'  database: ""\n  pidfile: ""\n  zonelistfile: "{self.folder}/zone.list"\n  xfrdfile: "{self.folder}/xfrd.state"\n'
            f'  xfrdir: "{self.folder}"\n  rrl-ratelimit: 0\n  verbosity: 1\nremote-control:\n  control-enable: no\n' + zones)
        with open(self.folder / "nsd.log", "w") as log:
            self.nsd = subprocess.Popen(["nsd", "-d", "-c", "nsd.conf"], cwd=self.folder, env=ENV, stdout=log, stderr=log)
        until = time.monotonic() + 120
        while "status: NOERROR" not in self.drill("example", "SOA"):
            assert self.nsd.poll() is None and time.monotonic() < until, (self.folder / "nsd.log").read_text()
            time.sleep(0.05)
        return self

    def __exit__(self, *why):
        self.nsd.terminate()
        self.nsd.wait(30)

    def drill(self, name, kind, *options):
        done = subprocess.run(["drill", "-p", str(self.port), "-t", *options, name, "@127.0.0.1", kind], env=ENV, capture_output=True,
                              text=True, timeout=60)
        text = done.stdout + done.stderr
        return re.sub(r"rcode: (\w+)", r"status: \1", text)

    def judge(self, name):
        """What libldns' own walk says of the TXT below this anchor: True, False."""
        text = self.drill(f"_comity.{name}", "TXT", "-S", "-k", str(self.folder / "anchors" / "root.ds"))
        return ";; Chase successful" in text and "Chase failed" not in text, text


def name_of(zone):
    """The resource whose record is in that zone."""
    return {V4: "prefix 192.0.2.0/24", V4_WIDE: "prefix 198.51.100.0/24", V6: "prefix 2001:db8::/48"}.get(zone, zone)


def gather(program, lab, resource, path):
    return run(program, "gather", "127.0.0.1", lab.port, resource, path).strip()


def write_chains(program, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    begins, ends = datetime.datetime(2026, 11, 1), datetime.datetime(2027, 3, 1)
    with tempfile.TemporaryDirectory() as scratch, Lab(scratch, begins, ends) as lab:
        for zone in [*lab.leaves, "under.example", V4, V4_WIDE, V6]:
            if zone == "big.example":
                continue
            name = {V4: "in-addr", V4_WIDE: "in-addr-wide", V6: "ip6"}.get(zone, zone.split(".example")[0])
            said = gather(program, lab, name_of(zone), folder / f"{name}.json")
            print(f"{zone}: {said}")
        (folder / "root.ds").write_text((lab.folder / "anchors" / "root.ds").read_text())
        (folder / "island.ds").write_text(lab.ds_of("island.example"))


if __name__ == "__main__":
    write_chains(Path(sys.argv[1]).resolve(), sys.argv[2])
