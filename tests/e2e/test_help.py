"""Help, end to end: asked of one, several and all; offered, accepted, worked on, recovered with evidence; and pings, which only a
person answers. Two nodes, a party that is reached by its node, and one that is reached by mail alone."""
import html
import re
import time

import pytest

pytest.importorskip("aiosmtpd.controller", reason="no aiosmtpd from PyPI")
from answer_lab import post  # noqa: E402
from conftest import bearer, token_of, wait_for  # noqa: E402
from delivery_lab import Place, header  # noqa: E402
from test_mail_notices import named, parse, smtp, text_of  # noqa: E402,F401

DUTY = "duty@c.example"


def settings(place, *lines):
    with open(place.node.dir / "config", "a") as config:
        config.write("".join(line + "\n" for line in lines))


@pytest.fixture
def places(tmp_path, serve, smtp):  # noqa: F811
    """a.example, which can send mail, and b.example, which keeps op.example; they know each other."""
    a, b = (Place(tmp_path, name, serve) for name in ("a.example", "b.example"))
    box, port = smtp()
    a.box = box
    settings(a, f"smtp smtp://127.0.0.1:{port}", "mail-from notices@a.example", f"url {a.url}")
    a.node.run("contact", "add", "c.example", DUTY)
    b.node.run("party", "add", "op.example", "--role", "operator")
    for place in (a, b):
        place.start()
    a.knows(b)
    b.knows(a)
    return a, b


def said(place, *words, **more):
    (made,) = place.node.json(*words, **more)
    return made["id"]


def shown(place, id):
    (one,) = place.node.json("request", "show", id)
    return one


def listed(place, *words):
    return place.node.json("request", "list", *words)


def until_there(place, id):
    wait_for(lambda: place.has(id), id)


def link(mail):
    return re.search(r"http://127\.0\.0\.1:\d+(/answer/[\w-]+)", text_of(mail))[1]


def mail_about(place, id):
    mails = wait_for(lambda: [m for m in place.box.mails if parse(m[2])["X-Comity-Notice"] == id], "the mail")
    assert mails[0][1] == [DUTY]
    return parse(mails[0][2])


def end(*places):
    for place in places:
        place.stop()
        place.node.audit()


def test_help_goes_its_way_between_two_nodes(places, tmp_path):
    a, b = places
    id = said(a, "request", "help", "--to", "b.example", "--skill", "forensics", "--affected", 1200, "--text", "Ransomware in a hospital")
    until_there(b, id)
    wait_for(lambda: ("b.example", "received") in a.outcomes(id), "its arrival")
    assert shown(a, id)["first_human"] is None and shown(a, id)["phase"] == "asked"
    (got,) = listed(b, "--to", "b.example")
    assert got["id"] == id and got["affected"] == 1200 and shown(b, id)["skills"] == ["forensics"]
    assert a.node.error("request", "accept", id, "--whom", "b.example") == "outcome"
    offer = said(b, "request", "offer", id, "--text", "Two people from tomorrow")
    wait_for(lambda: shown(a, id)["phase"] == "offered", "the offer")
    one = shown(a, id)
    assert one["first_human_by"] == "b.example" and one["first_human_after_ms"] >= 0
    assert one["offered"][0]["answer"] == offer and one["offered"][0]["accepted"] is None
    said(a, "request", "accept", id, "--whom", "b.example")
    wait_for(lambda: shown(b, id)["phase"] == "accepted", "that it was accepted")
    said(b, "request", "progress", id, "--text", "Half of the machines are back")
    wait_for(lambda: shown(a, id)["phase"] == "working", "progress")
    assert a.node.error("request", "recovered", id, code=2) == "usage"
    assert a.node.error("answer", id, "recovered") == "statement-header"
    evidence = tmp_path / "report.txt"
    evidence.write_text("All machines were set up anew on Tuesday.\n")
    said(a, "request", "recovered", id, "--evidence", evidence)
    wait_for(lambda: shown(b, id)["phase"] == "recovered", "that it recovered")
    for place in places:
        assert [l["says"].split(":")[0] for l in shown(place, id)["history"] if l.get("outcome") != "received"] == [
            "a.example asked b.example for help, skill forensics, 1200 affected", "b.example offers help",
            "a.example accepted the offer of b.example", "b.example is at work on it",
            shown(place, id)["history"][-1]["says"]]
        assert "recovered, and shows it" in shown(place, id)["history"][-1]["says"]
    assert shown(a, id)["first_human"] == shown(b, id)["first_human"], "by its home's time on both"
    text = a.node.text("request", "show", id)
    assert "answered in" in text and "by b.example" in text and "recovered" in text
    end(a, b)


def test_several_are_asked_and_one_by_mail(places):
    a, b = places
    id = said(a, "request", "help", "--to", "op.example", "--to", "c.example", "--critical", "health", "--text", "Who has spare hands?")
    mail = mail_about(a, id)
    assert mail["Subject"] == "[comity] c.example: a.example asks for help (critical infrastructure: health)"
    assert "Who has spare hands?" in text_of(mail) and list(named(mail)) == ["request.txt"]
    # op.example's node is not known here by a statement of op.example, so nothing is sent there: it is asked by mail, and has no mailbox.
    page = a.server.get(link(mail)).body.decode()
    assert "Who has spare hands?" in page and 'value="offered"' in page and 'value="fixed"' not in page
    assert post(a.server, link(mail), outcome="fixed").status == 422
    assert post(a.server, link(mail)).status == 422
    answer = post(a.server, link(mail), outcome="offered", text="Three people, at once")
    assert answer.status == 303, answer.body
    page = html.unescape(a.server.get(link(mail) + "?recorded").body.decode())
    assert "Your answer is recorded" in page and "help is offered" in page
    one = shown(a, id)
    assert one["floor"] and one["critical"] == "health"
    assert (one["phase"], one["first_human_by"]) == ("offered", "c.example")
    said(a, "request", "accept", id, "--whom", "c.example")
    assert [(o["from"], o["last"], o["accepted"] is not None) for o in shown(a, id)["offered"]] == [("c.example", "offered", True)]
    said(a, "request", "close", id)
    assert "This request is closed" in a.server.get(link(mail)).body.decode()
    assert post(a.server, link(mail), outcome="working").status == 409
    end(a, b)


def test_all_are_asked(places):
    a, b = places
    id = said(a, "request", "help", "--to", "all", "--text", "Who knows this malware?")
    until_there(b, id)
    wait_for(lambda: ("b.example", "received") in a.outcomes(id), "its arrival")
    assert [r["id"] for r in listed(b, "--to", "b.example")] == [id]
    said(b, "request", "offer", id, "--from", "op.example")
    wait_for(lambda: shown(a, id)["offers"] == 1, "the offer of whoever it is")
    said(a, "request", "accept", id, "--whom", "op.example")
    said(a, "request", "close", id)
    wait_for(lambda: shown(b, id)["phase"] == "closed", "all hear what its author says")
    assert not a.box.mails, "to all goes to nodes"
    end(a, b)


def test_a_ping_by_mail_counts_when_a_person_answers(places):
    a, b = places
    id = said(a, "ping", "c.example")
    mail = mail_about(a, id)
    assert mail["Subject"].startswith("[comity] c.example: are you there? A test by a.example, please answer by ")
    (ping,) = a.node.json("ping", "list")
    assert (ping["answered"], ping["first_human"], ping["floor"]) == ("waiting", None, True)
    where = link(mail)
    for _ in range(2):  # scanners follow links, which is nobody's answer
        assert "Are you there?" in a.server.get(where).body.decode()
    assert a.outcomes(id) == []
    assert post(a.server, where, outcome="offered").status == 422
    assert post(a.server, where, outcome="acknowledged").status == 303
    assert post(a.server, where, outcome="acknowledged").status == 303, "twice is once"
    (ping,) = a.node.json("ping", "list", "--to", "c.example")
    assert (ping["answered"], ping["first_human_by"]) == ("answered", "c.example")
    assert 0 <= ping["first_human_after_ms"] < 3600000
    answer = a.listed(f"?kind=answer&matter={id}")
    assert [(header(x, "outcome"), header(x, "for"), header(x, "via")) for x in answer] == [("acknowledged", "c.example", "mail")]
    assert "answered in" in a.node.text("ping", "list")
    page = a.server.get(where).body.decode()
    assert "First answer by a person" in page and "<form" not in page
    end(a, b)


def test_a_machine_answers_no_ping(places):
    a, b = places
    id = said(a, "ping", "b.example")
    wait_for(lambda: ("b.example", "received") in a.outcomes(id), "its arrival")
    assert a.node.json("ping", "list")[0]["answered"] == "waiting"
    own = said(b, "ping", "op.example")  # its node speaks for it, which is no person
    note, _ = b.signer.statement("answer", "b.example/circle", f"re {own}", "outcome acknowledged", "for op.example", "via node")
    assert b.submit(note).status == 201
    assert b.node.json("ping", "list", "--to", "op.example")[0]["answered"] == "waiting"
    said(b, "answer", own, "acknowledged", "--from", "op.example")
    assert b.node.json("ping", "list", "--to", "op.example")[0]["first_human_by"] == "op.example"
    said(b, "answer", id, "acknowledged")
    wait_for(lambda: a.node.json("ping", "list")[0]["answered"] == "answered", "the answer")
    assert a.node.json("ping", "list")[0]["first_human_by"] == "b.example"
    end(a, b)


def test_what_is_no_request_for_help_is_refused(places):
    a, _ = places
    for lines in (["need forensics"], ["need help", "to b.example"], ["need ping"], ["need help", "skill two words"]):
        note, _ = a.signer.statement("request", "a.example/circle", "to all", *lines)
        answer = a.submit(note)
        assert answer.status == 400 and answer.json()["code"] == "statement-header", answer.body
    assert a.listed("?kind=request") == []


def test_who_may_see_requests(places):
    a, b = places
    for name in ("one", "two"):
        b.node.run("party", "add", name + ".example", "--role", "operator")
    tokens = {name: token_of(b.node, name, name + ".example") for name in ("one", "two")}
    some, everybody = said(b, "request", "help", "--to", "one.example"), said(b, "request", "help", "--to", "all")
    ping = said(b, "ping", "one.example")
    said(b, "request", "offer", everybody, "--from", "two.example")

    def seen(token, path="/requests"):
        answer = b.server.get(path, headers=bearer(token) if token else {})
        return [r["id"] for r in answer.json()["requests"]] if answer.status == 200 else answer.status

    assert seen(b.token) == [everybody, some] and seen(b.token, "/requests?need=ping") == [ping]
    assert seen(b.token, "/requests?limit=1") == [everybody]
    assert seen(tokens["one"]) == [everybody, some] and seen(tokens["one"], "/requests?need=ping") == [ping]
    assert seen(tokens["two"]) == [everybody] and seen(tokens["two"], "/requests?need=ping") == []
    assert seen(tokens["two"], "/requests?to=one.example") == []
    assert seen(None) == []
    assert seen(b.token, "/requests?need=money") == seen(b.token, "/requests?what=1") == seen(b.token, "/requests?limit=0") == 400
    for id, who, status in ((some, "one", 200), (some, "two", 404), (everybody, "two", 200), (ping, "two", 404)):
        assert b.server.get(f"/requests/{id}", headers=bearer(tokens[who])).status == status
    one = b.server.get(f"/requests/{everybody}", headers=bearer(tokens["one"])).json()
    assert one["phase"] == "offered" and [o["from"] for o in one["offered"]] == ["two.example"]
    assert b.server.get(f"/requests/{everybody}").status == 404
    end(a, b)


def test_a_node_that_serves_pings_at_random_times(places):
    a, b = places
    assert a.node.json("ping", "list") == [], "by default it does not"
    a.stop()
    settings(a, "ping c.example", "ping-every 5m")
    a.start()
    (ping,) = wait_for(lambda: a.node.json("ping", "list"), "the ping")
    assert ping["to"] == ["c.example"]
    mail_about(a, ping["id"])
    a.stop()
    a.start()  # the next one is two minutes and a half away at least
    time.sleep(3)
    assert [p["id"] for p in a.node.json("ping", "list")] == [ping["id"]]
    end(a, b)
