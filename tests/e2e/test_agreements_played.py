"""Agreements as bench/simulate_agreements plays them: what docs/agreements.md claims holds, and its picture is what is drawn."""
import json
import re
import subprocess
import xml.etree.ElementTree as xml

import pytest

from conftest import COMITY, ROOT, TIMEOUT

PROGRAM = COMITY.parent / "bench" / "simulate_agreements"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="skipped: bench/simulate_agreements is not built")

SEEDS = range(1, 9)
LASTING_DAYS = 365


def play(*arguments):
    return json.loads(subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True, text=True, timeout=TIMEOUT).stdout)


@pytest.fixture(scope="module", params=SEEDS)
def played(request):
    return play("--seed", request.param)


def test_as_large_as_claimed(played):
    assert (played["pairs"], played["windows"], played["noise_percent"]) == (1000, 60, 5)
    assert all(" each 30d" in t for t in played["terms"])
    meant = played["well_meant"]
    assert meant["windows"] == 1000 * len(played["terms"]) * 60
    assert meant["missed"] > 0 and meant["too_few"] > 0 and meant["suspensions"] > 0, "a game without bad luck shows nothing"


def test_no_lasting_suspension_of_those_who_mean_it(played):
    meant = played["well_meant"]
    assert meant["longest_suspension_days"] < LASTING_DAYS
    assert meant["all_lifted_within_windows"] <= 12, "what was suspended at the end came back"
    assert meant["suspended_at_end"] < 1000 * len(played["terms"]) / 100
    assert meant["suspended_days"] < meant["days"] / 100
    assert meant["flowing_at_end"] > 0.99 * meant["sides"]
    assert meant["flowing_at_end_paid_back"] < 0.6 * meant["sides"] and meant["flowing_at_end_over_for_good"] < 0.6 * meant["sides"]


def test_a_free_rider_loses_and_comes_back(played):
    rider = played["free_rider"]
    assert rider["agreed_days"] == 2 * 30 + 14
    assert rider["never_lost"] == 0 and rider["lost_after_days_most"] <= rider["agreed_days"]
    assert rider["flowed_meanwhile"] == 0
    assert rider["never_back"] == 0 and rider["back_otherwise"] == 0
    assert rider["back_after_windows_least"] == rider["restore"] == 2


def test_the_same_seed_gives_the_same(tmp_path):
    once, twice, other = tmp_path / "once", tmp_path / "twice", tmp_path / "other"
    assert play("--svg", once) == play("--seed", 1, "--svg", twice) != play("--seed", 2, "--svg", other)
    assert once.read_bytes() == twice.read_bytes() != other.read_bytes()


def test_the_picture_in_docs_is_what_it_draws(tmp_path):
    play("--svg", tmp_path / "svg")
    drawn = (tmp_path / "svg").read_bytes()
    assert (ROOT / "docs/agreements.svg").read_bytes() == drawn, "draw it anew: build/bench/simulate_agreements --svg docs/agreements.svg"
    picture = xml.fromstring(drawn)
    assert b"prefers-color-scheme:dark" in drawn and not re.search(rb"@import|url\(|@font-face", drawn)
    lines = picture.findall("{http://www.w3.org/2000/svg}polyline")
    assert [line.get("class") for line in lines] == ["grim", "like", "course", "course"]
    for line in lines:
        points = [tuple(map(float, p.split(","))) for p in line.get("points").split()]
        assert points == sorted(points, key=lambda p: p[0]) and points[0][0] == 64 and points[-1][0] == 736


def test_figures_in_docs_are_those(tmp_path):
    text = (ROOT / "docs/agreements.md").read_text()
    figures = play()
    meant, rider = figures["well_meant"], figures["free_rider"]
    for number in (meant["missed"], meant["suspensions"], meant["longest_suspension_days"], meant["suspended_at_end"], rider["agreed_days"]):
        assert re.search(rf"(?<![\d,]){number:,}(?![\d,])", text), number
    assert f"{100 * meant['suspended_days'] / meant['days']:.1f} % of the time" in text


def test_what_is_asked_wrongly():
    for arguments in (["--seed"], ["--seed", "x"], ["--colour", "red"], ["--svg", "/nowhere/at/all"]):
        assert subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=TIMEOUT).returncode == 1
