"""The page behind a mail's link: who may see it, what an answer does, and what scanners, forgers and hasty people do to it."""
import concurrent.futures
import html.parser
import re

import pytest
from answer_lab import FORM, path, post, report, token
from conftest import bearer, token_of, wait_for
from signing import Signer, sealed

NAMES = ("fixed", "working", "not-ours", "disputed", "cannot")
HOSTILE = "</textarea></title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;\u202e"


@pytest.fixture
def notice(node):
    (made,) = report(node)
    return made


@pytest.fixture
def server(node, notice, serve):
    return begin(node, serve)


def begin(node, serve):
    token = token_of(node, "reader", "node.example", "read,operate")
    server = serve(node, "--log", "json")
    server.reader = bearer(token)
    return server


class Reader(html.parser.HTMLParser):
    """What a browser would make of a page: tags, and text without them."""

    def __init__(self, body):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(body.decode())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))

    def of(self, tag):
        return [a for t, a in self.tags if t == tag]


def read(answer, status=200):
    assert answer.status == status, (answer.status, answer.body[-500:])
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "form-action 'self'" in policy
    assert "unsafe" not in policy and "script" not in policy
    page = Reader(answer.body)
    assert not page.of("script") and not page.of("img") and not page.of("link") and not page.of("iframe")
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" or name == "src" for name in attributes), (tag, attributes)
    assert page.of("html")[0]["lang"] == "en"
    return page


def logged(server, notice, kind="answer"):
    """What is logged about this notice: the headers of each statement, in order."""
    answer = server.get(f"/statements?matter={notice}&kind={kind}&limit=1000", headers=server.reader)
    assert answer.status == 200, answer.body
    return [{h["name"]: h["value"] for h in s["headers"]} for s in answer.json()["statements"]]


def sent(answer, said="recorded"):
    assert answer.status == 303, (answer.status, answer.body[-500:])
    assert answer.headers["Location"].endswith(f"?{said}")
    return "/answer/" + answer.headers["Location"]


def test_the_page_says_what_was_seen_and_asks(node, notice, server):
    answer = server.get(path(node, notice))
    page = read(answer)
    assert len(answer.body) <= 20000
    for words in ("A machine is infected with malware.", "AS64500", "3 events were seen", "5.44.7.1", "198.51.100.7:80",
                  "Acknowledging is not admitting.", "malicious-code/infected-system", "node.example", "RIS whois dump",
                  "Please answer by", "Nothing yet."):
        assert words in page.text, words
    assert [i["value"] for i in page.of("input") if i["type"] == "radio"] == list(NAMES)
    labelled = {label["for"] for label in page.of("label") if "for" in label}
    assert {"better", "evidence", "text"} <= labelled
    assert page.of("form") == [{"method": "post", "action": token(node, notice)}]


def test_many_rows_stay_a_small_page(node, serve):
    (notice,) = report(node, 400, tag="<" * 60, name="event4_sinkhole.csv")
    answer = serve(node).get(path(node, notice))
    page = read(answer)
    assert len(answer.body) <= 20000
    assert len(page.of("tr")) == 51
    assert "The first 50 of 400 events" in page.text


@pytest.mark.parametrize("outcome", NAMES)
def test_each_answer_is_logged_once_and_shown(node, notice, server, outcome):
    where = path(node, notice)
    said = {"outcome": outcome, "better": "AS64501" if outcome == "not-ours" else "", "text": "Seen \u2013 thank you",
            "evidence": "a dispute's reasons" if outcome == "disputed" else ""}
    shown = sent(post(server, where, **said))
    page = read(server.get(shown))
    assert "Your answer is recorded" in page.text and "Acknowledging is not admitting." in page.text
    assert "recorded by node.example" in page.text
    for _ in range(3):
        sent(post(server, where, **said), "before")
    assert "That was recorded before" in read(server.get(sent(post(server, where, **said), "before"))).text
    (answer,) = logged(server, notice)
    assert answer["outcome"] == outcome and answer["from"] == "node.example"
    assert answer["for"] == "AS64500" and answer["via"] == "mail" and answer["text"] == "Seen - thank you"
    assert answer.get("better") == ("AS64501" if outcome == "not-ours" else None)
    assert ("body" in answer) == (outcome == "disputed")
    server.stop()
    node.audit()


def test_answers_move_on_until_the_matter_is_closed(node, notice, server):
    where = path(node, notice)
    for i, outcome in enumerate(("working", "cannot", "working", "fixed")):
        sent(post(server, where, outcome=outcome, text=f"step {i}"))
    page = read(server.get(where))
    assert "This matter is closed: fixed" in page.text and not page.of("form")
    read(post(server, where, outcome="working"), 409)
    sent(post(server, where, outcome="fixed"), "before")
    assert [a["outcome"] for a in logged(server, notice)] == ["working", "cannot", "working", "fixed"]


def test_looking_changes_nothing(node, notice, server):
    """Scanners of mail follow links, with many a header, before a person sees the mail, and long after."""
    where = path(node, notice)
    before = [c["size"] for c in node.json("ledger", "show")]
    scanner = {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "X-Moz": "prefetch", "Range": "bytes=0-100",
               "If-None-Match": "*", "User-Agent": "Mozilla/5.0 (SafeLinks)", "Referer": "https://mail.example/",
               "Content-Type": FORM["Content-Type"], "X-HTTP-Method-Override": "POST", "Cookie": "a=b"}
    for method in ("GET", "HEAD"):
        for end in ("", "?outcome=fixed", "?recorded", "?_method=POST&outcome=fixed&text=x"):
            answer = server.ask(method, where + end, headers=scanner)
            assert answer.status == 200, answer.status
            assert b"Your answer is recorded" not in answer.body
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"):
        assert server.ask(method, where).status in (405, 501)
    assert [c["size"] for c in node.json("ledger", "show")] == before
    assert "Nothing yet." in read(server.get(where)).text


def test_two_at_once_are_one(node, notice, server):
    where = path(node, notice)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: post(server, where, outcome="working"), range(24)))
    said = sorted(a.headers["Location"].split("?")[1] for a in done)
    assert said == ["before"] * 23 + ["recorded"]
    assert len(logged(server, notice)) == 1


def test_of_two_addressees_each_is_heard_once(bare, serve):
    node = bare
    signer = Signer.of(node, "party")
    for party in ("b.example", "c.example", "d.example"):
        node.run("party", "add", party, "--role", "operator")
    line, salt = sealed("node.example", "application/stix+json", b"{}")
    note, notice = signer.statement("notice", "node.example/circle", "to b.example", "to c.example",
                                    "cc d.example", "date 2026-11-22T20:45:00Z", "class malicious-code/infected-system",
                                    "events 1", line)
    server = begin(node, serve)
    assert server.ask("POST", "/statements", note.encode(), {"Content-Type": "text/plain"}).status == 201
    b, c = path(node, notice, 0), path(node, notice, 1)
    assert "too many for this page" in read(server.get(b)).text
    for where, said in ((b, "recorded"), (b, "before"), (c, "recorded"), (b, "before"), (c, "before")):
        sent(post(server, where, outcome="working"), said)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda where: post(server, where, outcome="cannot"), [b] * 12))
    assert sorted(a.headers["Location"].split("?")[1] for a in done) == ["before"] * 11 + ["recorded"]
    copy = read(server.get(path(node, notice, 2)))
    assert "You have this in copy" in copy.text and not copy.of("form")
    read(post(server, path(node, notice, 2), outcome="fixed"), 409)
    assert server.get(path(node, notice, 3)).status == 404
    assert [(a["for"], a["outcome"]) for a in logged(server, notice)] == [
        ("b.example", "working"), ("c.example", "working"), ("b.example", "cannot")]


def test_a_link_outlives_a_change_of_key(node, notice, serve):
    with serve(node) as server:
        link = path(node, notice)
        assert server.get(link).status == 200
        node.run("party", "rotate")
        assert server.get(link).status == 200
    with serve(node) as server:
        assert server.get(link).status == 200
        sent(post(server, link, outcome="working"))


def test_what_is_no_link_of_this_node(node, notice, server, tmp_path):
    good = token(node, notice)
    bent = [good[:-1], good + "A", good[:10] + ("B" if good[10] != "B" else "C") + good[11:], good.lower(), "x", "%00",
            "..%2f..%2fkeys", good + "%0d%0aX:y", "a" * 4000, token(node, "0" * 64), token(node, notice, 1),
            token(node, server.get("/statements?kind=party").json()["statements"][0]["id"])]
    other = type(node)(tmp_path / "other")
    other.run("init", "other.example")
    bent.append(token(other, notice))
    for t in bent:
        assert server.get("/answer/" + t).status in (400, 404), t
        assert post(server, "/answer/" + t, outcome="fixed").status in (400, 404), t
    assert "There is nothing here" in read(server.get("/answer/x"), 404).text
    assert server.get("/answer/").status == 404 and server.get("/answer").status == 404
    assert logged(server, notice) == []


def test_a_link_ends(node, notice, server):
    old = path(node, notice, hours=-2)
    page = read(server.get(old), 410)
    assert "no longer good" in page.text and "reply to the mail" in page.text
    read(post(server, old, outcome="fixed"), 410)
    assert server.ask("HEAD", old).status == 410
    assert logged(server, notice) == []


def test_a_notice_that_was_withdrawn(node, notice, server):
    where = path(node, notice)
    node.run("withdraw", notice, "--text", "our mistake")
    page = read(server.get(where))
    assert "This notice was withdrawn" in page.text and "You need do nothing." in page.text and not page.of("form")
    read(post(server, where, outcome="fixed"), 409)
    assert logged(server, notice) == []


def test_what_is_no_answer(node, notice, server):
    where = path(node, notice)
    for status, fields in ((422, {}), (422, {"outcome": "acknowledged"}), (422, {"outcome": "closed"}),
                           (422, {"outcome": "disputed"}), (422, {"outcome": "not-ours", "better": "somebody"}),
                           (422, {"outcome": "fixed", "text": "x" * 281}), (422, {"outcome": "fixed", "text": "\u6771\u4eac"}),
                           (422, {"outcome": "disputed", "evidence": "x" * 20000})):
        page = read(post(server, where, **fields), status)
        assert "Nothing was sent yet" in page.text and page.of("form"), fields
    for status, body, headers in ((400, b"outcome=fixed&outcome=working", FORM), (400, b"outcome=%zz", FORM),
                                  (400, b"outcome=fixed&text=%00", FORM), (400, b"outcome=fixed&text=%ff", FORM),
                                  (415, b'{"outcome":"fixed"}', {"Content-Type": "application/json"}),
                                  (415, b"outcome=fixed", {"Content-Type": "text/plain"})):
        read(server.ask("POST", where, body, headers), status)
    assert server.ask("POST", where, b"x" * 70000, FORM).status == 413
    assert logged(server, notice) == []


def test_hostile_text_is_only_text(node, serve):
    """In the report, in what is typed, and in what comes back with a mistake."""
    (notice,) = report(node, 2, tag=HOSTILE.replace('"', '""'))
    server = begin(node, serve)
    where = path(node, notice)
    page = read(server.get(where))
    assert "<script>alert(1)</script>" in page.text and "\u202e" not in page.text
    page = read(post(server, where, outcome="not-ours", better=HOSTILE, text=HOSTILE, evidence=HOSTILE), 422)
    assert page.text.count("<script>alert(1)</script>") >= 3
    (better,) = [i for i in page.of("input") if i["type"] == "text"]
    assert better["value"].startswith("</textarea></title><script>")
    sent(post(server, where, outcome="disputed", text="x\r\noutcome fixed\r\n\r\n\u2014 node.example AAAA", evidence=HOSTILE))
    read(server.get(where))
    (answer,) = logged(server, notice)
    assert answer["outcome"] == "disputed" and answer["text"] == "x outcome fixed - node.example AAAA"
    server.stop()
    node.audit()


def test_the_reasons_of_a_dispute_are_kept_whole(node, notice, server):
    where = path(node, notice)
    long = "Our sensor was misread.\r\n" + "\u00fcber " * 200
    sent(post(server, where, outcome="disputed", text=long, evidence="more"))
    (answer,) = logged(server, notice)
    media, size, digest = answer["body"].split(" ")
    expected = (long.replace("\r\n", "\n").strip() + "\n\nmore").encode()
    assert media == "text/plain" and int(size) == len(expected) and digest.startswith("sealed-sha256:")
    assert "text" not in answer


def test_a_flood_of_answers_is_bounded(node, notice, serve):
    server = begin(node, serve)
    where = path(node, notice)
    for i in range(64):
        sent(post(server, where, outcome=("working", "cannot")[i % 2], text=f"{i}"))
    read(post(server, where, outcome="working"), 409)
    assert "takes no more answers" in read(server.get(where)).text
    assert len(logged(server, notice)) == 64


def test_many_requests_are_refused(node, notice, serve):
    with open(node.dir / "config", "a") as f:
        f.write("requests-per-minute 6\n")
    server = begin(node, serve)
    where = path(node, notice)
    seen = {server.get(where).status for _ in range(40)}
    assert seen == {200, 429}


def test_links_are_counted_and_stay_out_of_the_log(node, notice, server):
    where = path(node, notice)
    server.get(where)
    sent(post(server, where, outcome="working"))
    server.get("/answer/" + "A" * 83)
    counted = [f'comity_requests_total{{door="answer",status="{s}"}} 1\n' for s in ("2xx", "3xx", "4xx")]

    def metrics():
        text = server.get("/metrics").body.decode()
        return text if all(line in text for line in counted) else None

    assert "comity_link_answers_total 1\n" in wait_for(metrics, counted)  # each is counted behind its answer, in any order
    server.stop()
    assert token(node, notice)[:40] not in server.log()
    assert any(line.get("path") == "/answer/*" for line in server.log_lines())


def test_it_outlives_a_restart(node, notice, serve):
    server = begin(node, serve)
    where = path(node, notice)
    sent(post(server, where, outcome="working"))
    server.stop()
    assert "working on it" in read(serve(node).get(where)).text


def test_cannot_asks_for_help_once(node, notice, server):
    where = path(node, notice)
    for i, outcome in enumerate(("cannot", "working", "cannot")):
        sent(post(server, where, outcome=outcome, text=f"nobody has the password ({i})"))
    (request,) = logged(server, notice, "request")
    assert request["re"] == notice and request["for"] == "AS64500" and request["via"] == "mail"
    assert request["need"] == "help" and request["text"] == "nobody has the password (0)"
    assert len(logged(server, notice)) == 3
    server.stop()
    node.audit()


def test_who_is_named_instead_is_another(node, notice, server):
    read(post(server, path(node, notice), outcome="not-ours", better="as64500"), 422)
    assert logged(server, notice) == []
