"""docs/regime.md says for each row of the essay, and for what always holds, which test shows it: each of these is there, under that
name, and is run."""
import pathlib
import re

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
TEXT = (TESTS.parent / "docs" / "regime.md").read_text()
ROWS = re.findall(r"^\| ([^|]+) \|.*`([^`]+)::(\w+)` \|$", TEXT, re.M)
IN_A_TABLE_OF_THEIR_OWN = {"E14"}


def test_every_row_of_the_essay_is_there():
    rows = [row for row, _, _ in ROWS if re.fullmatch(r"E\d+", row)]
    assert len(rows) == len(set(rows)) and len(ROWS) == TEXT.count("::")
    assert set(rows) | IN_A_TABLE_OF_THEIR_OWN == {f"E{n}" for n in range(1, 33)}


@pytest.mark.parametrize("row,file,name", ROWS, ids=[r[2] for r in ROWS])
def test_its_test_is_run(row, file, name):
    text = (TESTS / file).read_text()
    if file.endswith(".py"):
        assert re.search(rf"^def {name}\(", text, re.M), f"{row}: {file} has no test {name}"
    else:
        assert re.search(rf"\b(cmocka_unit_test(_setup_teardown|_setup)?|IN_A_FOLDER)\({name}\b", text), f"{row}: {file} does not run {name}"
        assert re.search(rf"'{file[len('unit/test_'):-2]}'", (TESTS / "unit" / "meson.build").read_text())


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert (TESTS.parent / "docs" / link).exists(), link
