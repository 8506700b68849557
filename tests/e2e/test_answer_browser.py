"""The answer page in a real browser: it loads under its own policy, keyboard and screen reader find their way, and it fits a phone.
COMITY_SCREENSHOTS=FOLDER keeps what it looks like."""
import importlib.util
import json
import os
import pathlib

import pytest
from answer_lab import path, report
from browser import DOWN, ENTER, SPACE, TAB, Browser, missing
from conftest import wait_for

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

SHOTS = os.environ.get("COMITY_SCREENSHOTS")
LOOKS = {"desk": (1280, 900, False), "desk-dark": (1280, 900, True), "phone": (390, 844, False), "phone-dark": (390, 844, True)}
OUTCOMES = ("fixed", "working", "not-ours", "disputed", "cannot")


@pytest.fixture(scope="module")
def browsers():
    """browsers(look): one that stays open for all tests of this file."""
    open_ones = {}

    def get(look="desk"):
        if look not in open_ones:
            open_ones[look] = Browser(*LOOKS[look])
        return open_ones[look]

    yield get
    for b in open_ones.values():
        b.close()


@pytest.fixture
def page(node, serve):
    (notice,) = report(node, 60, tag="</pre><script>document.title='broken'</script>")
    server = serve(node)
    return server.url + path(node, notice)


def keep(browser, name):
    if SHOTS:
        browser.screenshot(str(pathlib.Path(SHOTS) / f"{name}.png"))


def tab_to(browser, wanted):
    """Gives what had the focus on the way."""
    seen = []
    for _ in range(30):
        browser.keys(TAB)
        seen.append(browser.focus())
        if seen[-1] == wanted:
            return seen
    raise AssertionError((wanted, seen))


@pytest.mark.parametrize("look", LOOKS)
def test_it_loads_under_its_own_policy(browsers, page, look):
    b = browsers(look)
    b.open(page)
    assert b.complaints() == []
    assert "A machine is infected with malware." in b.text() and "Acknowledging is not admitting." in b.text()
    assert "broken" not in b.run("return document.title")
    assert b.run("return performance.getEntriesByType('resource').length") == 0
    # The page's own style is there, in the reader's colours, and nothing is wider than the screen.
    dark = b.run("return matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark == LOOKS[look][2]
    light = sum(int(v) for v in b.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g)")[:3])
    assert light < 150 if dark else light > 600
    assert b.run("return document.documentElement.scrollWidth <= innerWidth")
    assert b.run("return document.querySelector('button').getBoundingClientRect().height") >= 44
    keep(b, look)


@pytest.mark.parametrize("look", ("desk", "phone-dark"))
def test_no_rule_of_accessibility_is_broken(browsers, page, look):
    found = importlib.util.find_spec("axe_core_python")
    if found is None:
        pytest.skip("axe-core-python is not installed: nobody judges accessibility here")
    axe = (pathlib.Path(found.submodule_search_locations[0]) / "axe.min.js").read_text()
    b = browsers(look)
    for end, choice in (("", None), ("", "not-ours"), ("", "disputed"), ("?recorded", None)):
        b.open(page + end)
        if choice:
            b.click(f"label:has(#{choice})")
        # By the driver, which the page's policy does not bind.
        b.run(axe + "; window.axe = axe")
        result = b.run_async("const done = arguments[0]; axe.run(document, {resultTypes: ['violations']})"
                             ".then(r => done(r.violations), e => done([{id: String(e)}]))")
        assert result == [], json.dumps(result, indent=1)[:4000]


def test_the_keyboard_is_enough(browsers, page):
    b = browsers()
    b.open(page)
    tab_to(b, "fixed")
    b.keys(DOWN, DOWN)
    assert b.focus() == "not-ours"
    assert tab_to(b, "better") == ["better"]  # right behind the choice
    b.keys(*"AS64501")
    assert tab_to(b, "text") == ["text"]
    b.keys(*"moved in May")
    assert tab_to(b, "button") == ["button"]
    b.keys(ENTER)
    until_at(b, "?recorded")
    assert "Your answer is recorded: not ours" in b.text()
    assert b.complaints() == []


def until_at(b, end):
    wait_for(lambda: b.url.endswith(end), end)


def test_nothing_chosen_is_not_sent(browsers, page):
    b = browsers()
    b.open(page)
    tab_to(b, "button")
    b.keys(SPACE)
    assert b.url == page
    assert b.run("return document.querySelector('form').checkValidity()") is False


def test_what_belongs_to_a_choice_is_seen_with_it(browsers, page):
    b = browsers()
    b.open(page)
    shown = "return [...document.querySelectorAll('.more')].map(e => e.offsetParent !== null)"
    assert b.run(shown) == [False, False]
    for outcome, expected in zip(OUTCOMES, ([False, False], [False, False], [True, False], [False, True], [False, False])):
        b.click(f"label:has(#{outcome})")
        assert b.run(shown) == expected, outcome


def test_a_mistake_is_shown_with_what_was_typed(browsers, page):
    b = browsers("phone")
    b.open(page)
    b.click("label:has(#not-ours)")
    b.type("#better", "somebody <else>")
    b.type("#text", "a remark")
    b.click("button")
    wait_for(lambda: "Nothing was sent yet" in b.text(), "the page with the mistake")
    assert b.run("return document.querySelector('[role=alert]').innerText").count("Who answers instead?") == 1
    assert b.run("return document.getElementById('better').value") == "somebody <else>"
    assert b.run("return document.getElementById('text').value") == "a remark"
    assert b.run("return document.querySelector(':checked').value") == "not-ours"
    keep(b, "mistake")
    b.run("document.getElementById('better').value = ''")
    b.click("button")
    until_at(b, "?recorded")
    keep(b, "recorded")


def test_sending_again_by_reload_or_back_changes_nothing(browsers, page):
    b = browsers()
    b.open(page)
    b.click("label:has(#working)")
    b.click("button")
    until_at(b, "?recorded")
    b.ask("POST", "/refresh")
    assert "Your answer is recorded: working on it" in b.text()
    b.ask("POST", "/back")
    b.click("label:has(#working)")
    b.click("button")
    until_at(b, "?before")
    assert "That was recorded before" in b.text()
