"""Credentials of tools: made, listed, taken away. What they open is tested at the doors."""
import stat

PASSWORD = b"a horse, of course"
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBQjCB9aADAgECAhQvMkLRjY/4EMqiriuMM7MIVq6Y+zAFBgMrZXAwFjEUMBIG
A1UEAwwLYm94LmV4YW1wbGUwIBcNMjYxMTIzMDUzMDA2WhgPMjEwOTAxMTIwNTMw
MDZaMBYxFDASBgNVBAMMC2JveC5leGFtcGxlMCowBQYDK2VwAyEAtWJjyCZCMC12
aEIDGauWAUq6dqaJhN1Tf2V10KNJ16CjUzBRMB0GA1UdDgQWBBRCRaLeacKVLeHZ
FwhoAp7OtZDKNzAfBgNVHSMEGDAWgBRCRaLeacKVLeHZFwhoAp7OtZDKNzAPBgNV
HRMBAf8EBTADAQH/MAUGAytlcANBAB8C9Fwzdnhu4wM/BugtqeSxP86yxt4POBtS
fjF2SLYhvQotqMfCSjeqo8ri6N47j9CusE810WthNPprsSNtIQs=
-----END CERTIFICATE-----
"""


def test_secrets_are_made_and_shown_once(node):
    (desk,) = node.json("access", "add", "desk", "--party", "op.example", "--rights", "read,write")
    (feed,) = node.json("access", "add", "feed", "--party", "node.example", "--rights", "read,operate", "--token",
                        "--expires", "2999-01-01T00:00:00Z")
    assert desk["type"] == "password" and desk["rights"] == "read,write" and desk["expires"] is None
    assert feed["type"] == "token" and feed["expires"].startswith("2999-01-01")
    for one in (desk, feed):
        assert len(bytes.fromhex(one.pop("secret"))) == 32
    assert node.json("access", "list") == [desk, feed]
    assert "secret" not in node.text("access", "list")
    node.audit()


def test_nothing_of_a_secret_is_on_disk(node, tmp_path):
    file = tmp_path / "password"
    file.write_bytes(PASSWORD + b"\n")
    (one,) = node.json("access", "add", "one", "--party", "op.example", "--password-file", file)
    (two,) = node.json("access", "add", "two", "--party", "op.example", "--password-stdin", stdin=PASSWORD)
    (token,) = node.json("access", "add", "three", "--party", "op.example", "--token")
    assert "secret" not in one and "secret" not in two
    for path in node.dir.rglob("*"):
        if stat.S_ISREG(path.stat().st_mode):
            content = path.read_bytes()
            assert PASSWORD not in content and token["secret"].encode() not in content, path


def test_a_name_is_not_taken_by_accident(node, tmp_path):
    box = tmp_path / "box.pem"
    box.write_text(CERTIFICATE)
    node.run("access", "add", "box", "--party", "op.example", "--certificate", box)
    assert node.error("access", "add", "box", "--party", "op.example", "--token") == "exists"
    assert node.error("access", "add", "other", "--party", "op.example", "--certificate", box) == "exists"
    node.run("access", "add", "box", "--party", "other.example", "--token", "--replace")
    (one,) = node.json("access", "list")
    assert one["type"] == "token" and one["party"] == "other.example"
    node.run("access", "add", "other", "--party", "op.example", "--certificate", box)
    node.run("access", "remove", "box")
    assert node.error("access", "remove", "box") == "not-found"
    assert [c["name"] for c in node.json("access", "list")] == ["other"]
    node.audit()


def test_what_is_no_credential_is_refused(node, tmp_path):
    file = tmp_path / "file"
    add = ("access", "add", "x", "--party", "op.example")
    assert node.error("access", "add", "a b", "--party", "op.example", code=2) == "usage"
    assert node.error("access", "add", "x", code=2) == "usage"
    assert node.error("access", "add", "x", "--party", "nobody") == "domain"
    assert node.error(*add, "--rights", "read,rule", code=2) == "usage"
    assert node.error(*add, "--rights", "operate", code=2) == "usage"  # only as the node itself
    assert node.error(*add, "--token", "--password-stdin", code=2) == "usage"
    assert node.error(*add, "--token", "--expires", "2020-01-01T00:00:00Z", code=2) == "usage"
    for bad, code, error in ((b"short", 2, "usage"), (b"a" * 257, 2, "usage"), (b"a" * 5000, 1, "too-long"),
                             (b"a password\x00 with", 2, "usage"), (b"a password \xff with", 1, "encoding")):
        file.write_bytes(bad)
        assert node.error(*add, "--password-file", file, code=code) == error, bad[:20]
    for bad in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"x" * 70000):
        file.write_bytes(bad)
        assert node.error(*add, "--certificate", file) in ("syntax", "too-long")
    assert node.json("access", "list") == []
