"""Who answers for an address, and why."""


def one(node, address, **more):
    (answer,) = node.json("lookup", address, **more)
    return answer


def test_prints_the_promised_fields(node):
    answer = one(node, "5.44.1.2")
    for key in ("address", "prefix", "asn", "holder", "country", "party", "reasons"):
        assert key in answer
    assert answer["asn"] == 64500 and answer["country"] == "EE"
    assert "Tallinn" in answer["holder"]
    assert answer["party"] is None
    assert answer["reasons"]


def test_ipv6_and_embedded_ipv4_are_answered_alike(node):
    assert one(node, "2a00:1000::1")["asn"] == 64500
    mapped = one(node, "::ffff:5.44.1.2")
    assert mapped["asn"] == 64500
    assert any("5.44.1.2" in reason for reason in mapped["reasons"])


def test_the_more_specific_route_wins(node):
    assert one(node, "5.44.128.9")["asn"] == 64501
    assert one(node, "5.44.129.9")["asn"] == 64500


def test_standard_input_goes_on_after_a_bad_line(node):
    p = node.run("lookup", "--json", "-", stdin=b"5.44.1.2\nnot an address\n5.45.0.1\n", code=1)
    lines = p.stdout.decode().splitlines()
    assert len(lines) == 3 and '"address"' in lines[1] and "64501" in lines[2]


def test_what_nobody_answers_for_is_said(node):
    answer = one(node, "9.9.9.9")
    assert answer["asn"] is None and answer["party"] is None and answer["reasons"]
    assert one(node, "10.0.0.1")["reasons"]


def test_a_table_alone_is_enough(empty):
    empty.dir.mkdir(parents=True)
    empty.build_territory()
    assert one(empty, "5.44.1.2")["asn"] == 64500


def test_claims_lie_over_the_tables_once_approved(node):
    node.run("party", "add", "net.example", "--claim", "AS64500")
    assert one(node, "5.44.1.2")["party"] is None
    node.run("party", "approve", "net.example")
    assert one(node, "5.44.1.2")["party"] == "net.example"
    node.run("party", "add", "host.example", "--claim", "prefix 5.44.7.0/24", "--approve")
    assert one(node, "5.44.7.1")["party"] == "host.example"
    assert one(node, "5.44.8.1")["party"] == "net.example"
