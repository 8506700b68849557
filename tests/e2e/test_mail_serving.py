"""A node that serves sends its mails by itself: to a real SMTP server, whose failures it outlives, as fast as it may."""
import asyncio
import re

import pytest

pytest.importorskip("aiosmtpd.controller", reason="no aiosmtpd from PyPI")
from answer_lab import post  # noqa: E402
from conftest import bearer, token_of, wait_for  # noqa: E402
from ports import free_port  # noqa: E402
from test_mail_notices import configure, parse, route, smtp, text_of  # noqa: E402,F401

ABUSE = "abuse@as64500.example"


def mail_item(node):
    (item,) = [i for i in node.json("outbox", "--all") if i["way"] == "mail"]
    return item


def metric(server, token, name):
    text = server.get("/metrics", headers=bearer(token)).body.decode()
    return int(re.search(rf"^comity_{name}_total (\d+)$", text, re.M)[1])


@pytest.fixture
def known(node):
    node.run("contact", "add", "AS64500", ABUSE)
    return node


def link(mail):
    return re.search(r"https://node\.example(/answer/[\w-]+)", text_of(mail))[1]


def test_a_notice_is_mailed_and_answered_by_its_link(known, serve, smtp):  # noqa: F811
    box, port = smtp()
    configure(known, port)
    token = token_of(known, "tool", "node.example", "read,operate")
    server = serve(known)
    notice = route(known)
    wait_for(lambda: box.mails, "the mail")
    ((_, receivers, content, _),) = box.mails
    assert receivers == [ABUSE]
    answer = post(server, link(parse(content)), outcome="working", text="we look into it")
    assert answer.status == 303, answer.body
    wait_for(lambda: mail_item(known)["step"] == "arrived")
    (matter,) = known.json("notice", "list")
    assert matter["id"] == notice and matter["answers"] == 1

    def health():
        (found,) = [c for c in known.json("contact", "list") if c["mail"] == ABUSE]
        return found["sent"], found["answered"]

    # Who has the mail may answer before it is logged that it went, and that is counted still later.
    wait_for(lambda: health() == (1, 1), "that it went and was answered")
    wait_for(lambda: metric(server, token, "mails_sent") == 1, "the count")
    server.stop()
    known.audit()
    assert len(box.mails) == 1


def test_mails_wait_for_their_rate(known, serve, smtp):  # noqa: F811
    box, port = smtp()
    configure(known, port, "mail-per-hour 1")
    for i in range(3):
        route(known, hosts=1, name=f"rows{i}", first=10 * i + 1)
    server = serve(known)
    server.wait_for_log("mails wait")
    assert len(box.mails) == 1
    server.stop()
    assert sorted(i["step"] for i in known.json("outbox", "--all") if i["way"] == "mail") == ["handed-over", "waiting", "waiting"]
    assert len(known.json("mail", "send")) == 1, "so many in one run"
    (known.dir / "config").write_text((known.dir / "config").read_text().replace("mail-per-hour 1", "mail-per-hour 0"))
    assert len(known.json("mail", "send")) == 1
    assert len({parse(m[2])["Message-ID"] for m in box.mails}) == 3


def test_a_mail_server_that_is_away_is_asked_again(known, serve, smtp):  # noqa: F811
    box, port = smtp()
    configure(known, port)
    box.refuse_mail = "421 closing"
    server = serve(known)
    route(known)
    server.wait_for_log("takes nothing")
    item = mail_item(known)
    assert (item["step"], item["attempts"]) == ("waiting", 0)
    box.refuse_mail = None
    wait_for(lambda: mail_item(known)["step"] == "handed-over")
    assert len(box.mails) == 1


def test_nobody_listens(known, serve):
    configure(known, free_port())
    server = serve(known)
    route(known)
    server.wait_for_log("takes nothing")
    assert (mail_item(known)["step"], mail_item(known)["attempts"]) == ("waiting", 0)


def test_a_mail_server_that_hangs_holds_up_no_end(known, serve, smtp, monkeypatch):  # noqa: F811
    box, port = smtp()
    configure(known, port)
    take, seen = box.handle_DATA, []

    async def hang(server, session, envelope):
        seen.append(envelope.content)
        await asyncio.Event().wait()

    box.handle_DATA = hang
    server = serve(known)
    route(known)
    wait_for(lambda: seen, "the mail")
    server.stop()
    assert mail_item(known)["step"] == "waiting"
    box.handle_DATA = take
    serve(known)
    wait_for(lambda: mail_item(known)["step"] == "handed-over")
    assert len(box.mails) == 1
    assert parse(box.mails[0][2])["Message-ID"] == parse(seen[0])["Message-ID"]


def test_what_is_refused_goes_to_the_next_contact(known, serve, smtp):  # noqa: F811
    box, port = smtp()
    configure(known, port)
    box.refuse[ABUSE] = "550 5.1.1 no such user"
    token = token_of(known, "tool", "node.example", "read,operate")
    server = serve(known)
    notice = route(known)
    # Then it is taken further, by a notice of its own.
    wait_for(lambda: [i["step"] for i in known.json("outbox", "--all") if i["id"] == notice] == ["undeliverable"])
    wait_for(lambda: metric(server, token, "mails_refused") == 1 and metric(server, token, "mails_undeliverable") >= 1, "the counts")
    assert not box.mails


def test_no_mail_where_that_is_said(known, serve, smtp):  # noqa: F811
    box, port = smtp()
    configure(known, port, "deliver no")
    server = serve(known)
    route(known)
    server.stop()
    assert not box.mails and mail_item(known)["step"] == "waiting"
    (result,) = known.json("deliver")
    assert (result["mails_sent"], result["waiting"], result["mail_server_down"]) == (1, 0, False)
    assert len(box.mails) == 1
