"""Notices go to other nodes and answers come back: real nodes on loopback, and peers that misbehave."""
import hashlib
import http.server
import json
import threading
import time

import pytest
from conftest import wait_for
from delivery_lab import EVIDENCE, LOOPBACK, Place, Stranger, header
from ports import free_port
from signing import Signer, sealed
from test_signatures import signed


@pytest.fixture
def place(tmp_path, serve):
    made = []

    def make(name):
        made.append(Place(tmp_path, name, serve))
        return made[-1]

    yield make


@pytest.fixture
def two(place):
    """A knows B; B does not know A."""
    a, b = place("a.example").start(), place("b.example").start()
    a.knows(b)
    return a, b


def answer(place, matter, outcome):
    (made,) = place.node.json("answer", matter, outcome)
    return made


def test_a_notice_arrives_and_its_answers_come_back(two):
    a, b = two
    id = a.notice("to b.example", payload=b"what was seen")
    assert wait_for(lambda: a.outcomes(id)) == [("b.example", "received")]
    assert b.outcomes(id) == [("b.example", "received")]
    assert b.ask("GET", f"/statements/{id}/body").body == b"what was seen"
    (received,) = a.listed(f"?kind=answer&matter={id}")
    assert header(received, "ledger") == "b.example/circle" and header(received, "via") is None
    answer(b, id, "working")  # by a command beside the server: found when the node is back
    answer(b, id, "fixed")
    wait_for(lambda: len(a.outcomes(id)) == 3, "the answers")
    assert [o for _, o in a.outcomes(id)] == ["received", "working", "fixed"]
    # Who sends counts when it has read the answer, which is later than what it sent is logged.
    wait_for(lambda: (a.metric("delivery_handed_over_total"), b.metric("delivery_handed_over_total")) == (1, 3), "the counts")
    wait_for(lambda: (a.metric("delivery_taken_total"), b.metric("delivery_taken_total")) == (3, 1), "the counts")
    for place in two:
        place.stop()
        place.node.audit()


def test_a_vouch_is_told_to_whom_it_is_for(two, place):
    a, b = two
    c = place("c.example").start()
    a.knows(c)
    (vouch,) = a.node.json("vouch", "for", "b.example", "--visited")
    wait_for(lambda: b.has(vouch["id"]), "the vouch")
    a.node.run("vouch", "withdraw", vouch["id"])
    (row,) = wait_for(lambda: [v for v in b.node.json("vouch", "list", "--party", "b.example") if v.get("withdrawn")])
    assert row["from"] == "a.example" and not c.has(vouch["id"])
    # It concerns nobody there.
    item = a.item(vouch["id"])
    c.knows(a)
    assert verdicts(c.deliver_as(a, [item])) == [("refused", "not-yours")]
    for place in two:
        place.stop()
        place.node.audit()


def test_a_withdrawal_follows_its_notice(two):
    a, b = two
    id = a.notice("to b.example")
    note, _ = a.signer.statement("withdraw", "a.example/circle", f"re {id}")
    assert a.submit(note).status == 201
    wait_for(lambda: b.listed(f"?kind=withdraw&matter={id}"))
    b.stop()
    b.node.audit()


def test_three_nodes_get_their_own(place):
    a, b, c = (place(name).start() for name in ("a.example", "b.example", "c.example"))
    a.knows(b)
    a.knows(c)
    for_b, for_c, for_both = a.notice("to b.example"), a.notice("to c.example"), a.notice("to b.example", "cc c.example")
    wait_for(lambda: a.outcomes(for_b) and a.outcomes(for_c) and a.outcomes(for_both) and c.has(for_both))
    assert not c.has(for_b) and not b.has(for_c)
    answer(b, for_both, "acknowledged")
    wait_for(lambda: len(a.outcomes(for_both)) == 2)
    time.sleep(1.5)
    assert a.outcomes(for_both) == [("b.example", "received"), ("b.example", "acknowledged")]  # a copy asks for no answer


def test_what_came_twice_counts_once(two):
    a, b = two
    id = a.notice("to b.example")
    wait_for(lambda: a.outcomes(id))
    for _ in range(2):
        (verdict,) = b.deliver_as(a, [a.item(id)]).json()["statements"]
        assert verdict == {"id": id, "status": "repeated"}
    (first, second) = b.deliver_as(a, [a.item(id), a.item(id)]).json()["statements"]
    assert first["status"] == second["status"] == "repeated"
    time.sleep(1.5)
    assert a.outcomes(id) == b.outcomes(id) == [("b.example", "received")]


def test_either_side_may_be_restarted(two):
    a, b = two
    first = a.notice("to b.example")
    a.stop()
    a.start()
    second = a.notice("to b.example")
    wait_for(lambda: a.outcomes(first) and a.outcomes(second))
    b.stop()
    b.start()
    answer(b, first, "fixed")
    b.stop()
    b.start()
    answer(b, second, "not-ours")
    wait_for(lambda: len(a.outcomes(first)) == 2 and len(a.outcomes(second)) == 2)
    assert a.outcomes(second)[-1] == ("b.example", "not-ours")


def test_a_node_that_is_down_is_tried_again(two):
    a, b = two
    b.stop()
    ids = [a.notice("to b.example", payload=str(i).encode()) for i in range(5)]
    a.server.wait_for_log("not delivered for now")
    a.stop()
    (result,) = a.node.json("deliver")  # nothing is due
    assert result["waiting"] == 5 and result["handed_over"] == 0
    a.start()
    b.start()
    a.node.run("outbox", "retry", "--all")
    wait_for(lambda: all(a.outcomes(id) for id in ids))
    assert [n["id"] for n in b.listed("?kind=notice")] == ids  # in the order in which they were logged


def test_without_a_server_a_command_delivers(two):
    a, b = two
    b.stop()
    id = a.notice("to b.example")
    a.stop()
    b.start()
    a.node.run("outbox", "retry", "--all")
    (result,) = a.node.json("deliver")
    assert (result["handed_over"], result["refused"], result["failed"], result["waiting"]) == (1, 0, 0, 0)
    assert b.has(id)
    a.start()
    assert a.node.error("deliver", code=5) == "busy"


def test_nothing_goes_out_where_that_is_said(place):
    a, b = place("a.example"), place("b.example").start()
    with open(a.node.dir / "config", "a") as config:
        config.write("deliver no\n")
    a.start().knows(b)
    id = a.notice("to b.example")
    time.sleep(2)
    assert not b.has(id)


def test_private_addresses_are_refused_unless_allowed(place):
    a, b = place("a.example"), place("b.example").start()
    config = a.node.dir / "config"
    config.write_text(config.read_text().replace(LOOPBACK, "\noutgoing-plain yes\n"))
    a.start().knows(b)
    a.notice("to b.example")
    a.server.wait_for_log("not delivered for now")
    assert "refused-url" in a.server.log() and "127.0.0.1" in a.server.log()


# --- what comes in -------------------------------------------------------------------------------------------------


def verdicts(answer):
    assert answer.status == 200, answer.body
    return [(v["status"], v.get("code")) for v in answer.json()["statements"]]


def test_who_brings_something_must_be_known(place):
    a, b = place("a.example").start(), place("b.example").start()
    assert b.server.ask("POST", "/delivery", b'{"statements":[]}', {"Content-Type": "application/json"}).status == 401
    assert b.deliver_as(a, [a.party_item()]).status == 401
    b.knows(a)
    assert verdicts(b.deliver_as(a, [a.party_item()])) == [("repeated", None)]
    tool = b.ask("POST", "/delivery", b'{"statements":[]}', Content_Type="application/json")
    assert tool.status == 403 and tool.json()["code"] == "not-yours"
    b.node.run("party", "add", "m.b.example", "--role", "operator")
    member = Signer.of(b.node, "m.b.example")
    headers = {**signed(member.key, "POST", b.server.authority, "/delivery", body=b"{}"), "Content-Type": "application/json"}
    assert b.server.ask("POST", "/delivery", b"{}", headers).status == 403  # no node


def test_an_introduction_is_a_nodes_own_statement(place):
    a, b = place("a.example").start(), place("b.example").start()

    def introduce(item, **more):
        r = b.server.ask("POST", "/introduction", json.dumps({**item, **more}), {"Content-Type": "application/json"})
        return r.status, r.json().get("code")

    a.node.run("party", "add", "m.a.example", "--role", "operator")
    member = next(p["id"] for p in a.listed("?kind=party") if p["from"] == "m.a.example")
    assert introduce(a.item(member)) == (403, "not-yours")
    good = a.party_item()
    assert introduce(good, receipt="nonsense") == (400, "receipt")
    assert introduce(good, note=good["note"].replace("title a.example", "title A.example"))[0] in (400, 403)
    assert introduce(good, receipt=a.item(member)["receipt"])[0] == 400  # another's
    assert introduce(good) == (201, None)
    assert introduce(good) == (200, None)
    codes = {introduce(good)[0] for _ in range(20)}
    assert codes == {200, 429}
    b.stop()
    b.node.audit()


def test_what_is_brought_is_judged_one_by_one(two):
    a, b = two
    b.knows(a)
    a.stop()
    a.node.run("party", "add", "m.a.example", "--role", "operator")
    with open(a.node.dir / "config", "a") as config:
        config.write("deliver no\n")
    a.start()
    good, other, foreign = a.notice("to b.example"), a.notice("to b.example"), a.notice("to AS64500")
    unknown = a.notice("to b.example", signer=Signer.of(a.node, "m.a.example"))
    note, withdrawn = a.signer.statement("withdraw", "a.example/circle", f"re {foreign}")
    a.submit(note)
    (rules,) = a.listed("?kind=rules")
    id = rules["id"]
    member = next(p["id"] for p in a.listed("?kind=party") if p["from"] == "m.a.example")
    swapped = {**a.item(good), "receipt": a.item(other)["receipt"]}
    ill = {**a.item(good), "body": "AAAA"}
    assert verdicts(b.deliver_as(a, [
        swapped, ill, a.item(foreign), a.item(withdrawn), a.item(id), a.item(unknown), a.item(member),
        {"note": "no statement", "receipt": ""}, a.item(good)])) == [
            ("refused", "receipt"), ("refused", "body"), ("refused", "not-yours"), ("refused", "matter-unknown"),
            ("refused", "statement-kind"), ("refused", "party-unknown"), ("taken", None), ("refused", "note"), ("taken", None)]
    assert verdicts(b.deliver_as(a, [a.item(member), a.item(unknown)])) == [("repeated", None), ("taken", None)]
    assert verdicts(b.deliver_as(a, [a.item(member)])) == [("refused", "not-yours")]  # nothing of its party comes along
    c_item = b.item(b.notice("to a.example"))
    assert verdicts(b.deliver_as(a, [c_item])) == [("refused", "statement-ledger")]
    wait_for(lambda: b.metric("delivery_taken_total") == 3, "the count")
    b.stop()
    b.node.audit()


def test_what_is_brought_meets_nothing_hidden(two):
    """A node that brings what refers to a matter of others hears the same as if that were not there."""
    a, b = two
    b.knows(a)
    b.node.run("party", "add", "m.b.example", "--role", "operator")
    hidden, absent = b.notice("to m.b.example"), hashlib.sha256(b"absent").hexdigest()
    shown = b.notice("to a.example")
    receipt = b.item(hidden)["receipt"]

    def brought(kind, *lines):
        said = []
        for re_ in (absent, hidden):
            note, id = a.signer.statement(kind, "a.example/circle", f"re {re_}", *lines)
            answer = b.deliver_as(a, [{"note": note, "receipt": receipt}])
            assert answer.status == 200
            said.append(answer.body.decode().replace(id, "ID").replace(re_, "RE"))
        return said

    for kind, lines in (("answer", ["outcome working"]), ("answer", ["outcome nonsense"]), ("answer", ["outcome closed"]),
                        ("answer", ["outcome working", "for m.b.example", "via node"]), ("withdraw", []),
                        ("request", ["to b.example", "need access"]),
                        ("notice", ["to b.example", "reason overdue", "class malicious-code/infected-system", "events 1"]),
                        ("notice", ["to b.example", "reason not-ours", "class malicious-code/infected-system", "events 1",
                                    sealed("a.example", EVIDENCE, b"x")[0]])):
        first, second = brought(kind, *lines)
        assert first == second and '"refused"' in first, (kind, lines, first, second)
    note, id = a.signer.statement("answer", "a.example/circle", f"re {shown}", "outcome nonsense")
    assert verdicts(b.deliver_as(a, [{"note": note, "receipt": receipt}])) != [("refused", "matter-unknown")]


def test_an_author_who_is_not_known_is_sent_along(two):
    a, b = two
    a.node.run("party", "add", "m.a.example", "--role", "operator")
    id = a.notice("to b.example", signer=Signer.of(a.node, "m.a.example"))
    wait_for(lambda: a.outcomes(id))
    assert "m.a.example" in [p["from"] for p in b.listed("?kind=party")]


def test_a_flood_is_asked_to_come_later(place):
    a, b = place("a.example"), place("b.example")
    with open(b.node.dir / "config", "a") as config:
        config.write("deliveries-per-minute 1\n")  # ten at once
    with open(a.node.dir / "config", "a") as config:
        config.write("deliver no\n")
    a.start()
    b.start()
    b.knows(a)
    items = [a.item(a.notice("to b.example", payload=str(i).encode())) for i in range(15)]
    found = verdicts(b.deliver_as(a, items))
    taken = [v for v in found if v == ("taken", None)]
    assert 10 <= len(taken) < 15 and found == taken + [("later", "busy")] * (15 - len(taken))
    refused = b.deliver_as(a, items)
    assert refused.status == 429 and int(refused.headers["Retry-After"]) > 0


def test_on_one_day_only_so_many_introduce_themselves(place):
    a = place("a.example")
    with open(a.node.dir / "config", "a") as config:
        config.write("introductions-per-day 20\n")  # two of one address
    a.start()
    strangers = [Stranger(f"s{i}.example", "https://node.example") for i in range(3)]
    strangers[0].receipt, good = strangers[1].receipt, strangers[0].receipt
    assert strangers[0].introduces_itself(a).status == 400  # which takes nothing from those who come later
    strangers[0].receipt = good
    assert [s.introduces_itself(a).status for s in strangers] == [201, 201, 429]
    late = strangers[2].introduces_itself(a)
    assert late.json()["code"] == "rate" and int(late.headers["Retry-After"]) > 60
    assert strangers[0].introduces_itself(a).status == 200, "who is known is known"
    assert a.metric("limited_total") == 2
    a.stop()
    a.node.audit()


# --- peers that misbehave ------------------------------------------------------------------------------------------


class Peer:
    """Stands at the address of a node and answers as `answer(path, body)` says: (status, headers, body), or None: never."""

    def __init__(self, port, answer):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, body))
                said = answer(self.path, json.loads(body))
                if said is None:
                    outer.leave.wait()
                    return
                status, headers, content = said
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), "Connection": "close", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:
                    pass

            def log_message(self, *words):
                pass

        self.requests, self.leave = [], threading.Event()
        self.server = type("Server", (http.server.ThreadingHTTPServer,), {"request_queue_size": 128})(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.leave.set()
        self.server.shutdown()
        self.server.server_close()


def statement_id(item):
    return hashlib.sha256((item["note"].split("\n\n")[0] + "\n").encode()).hexdigest()


def all_say(status, change=lambda v: v):
    def answer(path, body):
        said = [{"id": statement_id(i), "status": status} for i in body["statements"]]
        return 200, {}, json.dumps({"statements": change(said)}).encode()
    return answer


NONSENSE = {
    "no HTTP status": (lambda path, body: (999, {}, b""), None),
    "no JSON": (lambda path, body: (200, {}, b"<html>welcome</html>"), "peer"),
    "nothing": (lambda path, body: (200, {}, b""), "peer"),
    "another statement": (all_say("taken", lambda said: [{**v, "id": "00" * 32} for v in said]), "peer"),
    "out of order": (all_say("taken", lambda said: said[::-1]), "peer"),
    "too few": (all_say("taken", lambda said: said[:-1]), "peer"),
    "twice": (all_say("taken", lambda said: said + said), "peer"),
    "an unknown status": (all_say("eaten"), "peer"),
    "far too much": (lambda path, body: (200, {}, b" " * (3 << 20)), "too-long"),
    "elsewhere": (lambda path, body: (302, {"Location": "http://127.0.0.1:1/delivery"}, b""), "refused-url"),
    "its own failure": (lambda path, body: (500, {}, b'{"code":"io"}'), "peer"),
    "that it is busy": (lambda path, body: (503, {"Retry-After": "4000"}, b""), "busy"),
    "that we are too quick": (lambda path, body: (429, {"Retry-After": "4000"}, b""), "rate"),
    "that it does not know us, always": (lambda path, body: (401, {}, b"") if path == "/delivery" else (201, {}, b"{}"),
                                         "credentials"),
    "no to our introduction": (lambda path, body: (401, {}, b"") if path == "/delivery" else (422, {}, b"{}"), "peer"),
    "a terminal's commands": (all_say("refused", lambda said: [{**v, "code": "\x1b[2J"} for v in said]), "peer"),
}


@pytest.fixture
def alone(place):
    """A, which knows B; B is not there."""
    a, b = place("a.example").start(), place("b.example").start()
    a.knows(b)
    b.stop()
    return a, b


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_moves_nothing(alone, name):
    a, b = alone
    said, code = NONSENSE[name]
    with Peer(b.port, said) as peer:
        ids = [a.notice("to b.example", payload=str(i).encode()) for i in range(3)]
        a.server.wait_for_log("not delivered for now")
        log = a.server.log()
        assert code is None or f": {code}" in log, log[-2000:]
        assert "\x1b" not in log
        if "4000" in str(said("", {"statements": []})[1]):
            assert "again in 4000s" in log
        assert len(peer.requests) <= 12
    b.start()
    a.node.run("outbox", "retry", "--all")
    wait_for(lambda: all(a.outcomes(id) for id in ids))
    wait_for(lambda: b.metric("delivery_taken_total") == 3, "the count")
    a.stop()
    a.node.audit()


def test_a_peer_that_never_answers_holds_up_nobody(place):
    a, b, c = (place(name).start() for name in ("a.example", "b.example", "c.example"))
    a.knows(b)
    a.knows(c)
    b.stop()
    with Peer(b.port, lambda path, body: None):
        a.notice("to b.example")
        id = a.notice("to c.example")
        wait_for(lambda: a.outcomes(id))
        a.stop()  # at once: what is under way is dropped
    a.start()
    b.start()
    a.node.run("outbox", "retry", "--all")
    wait_for(lambda: b.listed("?kind=notice"))


def test_a_peer_that_takes_less_gets_less(alone):
    a, b = alone
    sizes = []

    def answer(path, body):
        sizes.append(len(body["statements"]))
        return (413, {}, b"") if len(body["statements"]) > 3 else all_say("taken")(path, body)

    for i in range(8):  # nobody is there yet
        a.notice("to b.example", payload=str(i).encode())
    with Peer(b.port, answer):
        a.node.run("outbox", "retry", "--all")
        wait_for(lambda: a.metric("delivery_handed_over_total") == 8)
    assert max(sizes) > 3 and min(sizes) <= 3


def test_what_is_refused_is_not_sent_again(alone):
    a, b = alone
    refused = all_say("refused", lambda said: [{**v, "code": "not-yours", "detail": "not\n\x1b[1m ours"} for v in said])
    with Peer(b.port, refused) as peer:
        a.notice("to b.example")
        a.server.wait_for_log("another node refused")
        count = len(peer.requests)
        a.stop()
        a.start()
        time.sleep(1.5)
        assert len(peer.requests) == count
        assert "\x1b" not in a.server.log()
    (item,) = a.node.json("outbox")
    assert item["step"] == "refused" and "not-yours" in item["detail"]


def test_those_who_take_nothing_keep_off_nobody_else(place, tmp_path):
    a, b = place("a.example").start(), place("b.example").start()
    a.knows(b)
    a.stop()
    port = free_port()
    dead = [Stranger(f"s{i}.example", f"http://127.0.0.1:{port}") for i in range(65)]  # more than are asked at once
    for s in dead:
        (tmp_path / "receipt").write_text(s.receipt)
        a.node.run("submit", "--receipt", tmp_path / "receipt", "-", stdin=s.note.encode())
    with Peer(port, lambda path, body: (503, {"Retry-After": "3600"}, b"{}")):
        a.start()
        for s in range(0, 65, 8):
            a.notice(*(f"to {d.name}" for d in dead[s : s + 8]))
        wait_for(lambda: a.metric("delivery_failed_total") == 65)
        a.stop()
    (tmp_path / "config").write_text((a.node.dir / "config").read_text() + "deliver no\n")
    a.start("--config", tmp_path / "config")
    for s in range(0, 65, 8):
        a.notice(*(f"to {d.name}" for d in dead[s : s + 8]))  # these wait behind what failed
    id = a.notice("to b.example")
    a.stop()
    (result,) = a.node.json("deliver")
    assert (result["handed_over"], result["failed"], result["waiting"]) == (1, 0, 130) and b.has(id)
