"""Our readers of addresses and of CSV beside Python's, on the same made-up and mutated text. Where both differ by design
the difference is named here, and everything else must be equal. TEST_SEED=7 repeats another run."""
import csv
import io
import ipaddress
import os
import random
import re
import subprocess

import pytest

from conftest import COMITY

DRIVER = COMITY.parent / "tests" / "peer" / "read_lines"
SEED = int(os.environ.get("TEST_SEED", "1"))
ROUNDS = 20000

pytestmark = pytest.mark.skipif(not DRIVER.exists(), reason=f"{DRIVER} is not built")


def ask(letter, texts):
    lines = "".join(f"{letter}{t.encode('latin-1').hex()}\n" for t in texts)
    said = subprocess.run([str(DRIVER)], input=lines, capture_output=True, text=True, check=True, timeout=60).stdout
    answers = said.split("\n")[:-1]
    assert len(answers) == len(texts)
    return answers


def mutate(r, text, alphabet):
    text = list(text)
    for _ in range(r.choice([0, 0, 1, 1, 2, 5])):
        at = r.randrange(len(text) + 1)
        what = r.random()
        if what < 0.4:
            text.insert(at, r.choice(alphabet))
        elif text and what < 0.8:
            text[at % len(text)] = r.choice(alphabet)
        elif text:
            del text[at % len(text)]
    return "".join(text)


def made_address(r):
    if r.random() < 0.5:
        return ".".join(str(r.choice([0, 1, 9, 10, 99, 100, 199, 255, 256, r.randrange(300)])) for _ in range(4))
    words = [r.choice(["0", "0", "00", "1", "db8", "ffff", "FFFF", "abcd", "12345", f"{r.randrange(65536):x}"])
             for _ in range(r.choice([8, 8, 8, 7, 9, 4]))]
    if r.random() < 0.3:
        words[-2:] = [".".join(str(r.randrange(256)) for _ in range(4))]
    if r.random() < 0.6:
        start = r.randrange(len(words))
        words[start:start + r.randrange(1, 6)] = [""]
    text = ":".join(words)
    if text.startswith(":") and not text.startswith("::"):
        text = ":" + text
    if text.endswith(":") and not text.endswith("::"):
        text += ":"
    return text


def by_python(read, text):
    try:
        return read(text)
    except ValueError:
        return None


def canonical(address):
    """RFC 5952 writes a quad inside an IPv4-mapped address, which Python does from 3.13 on."""
    mapped = getattr(address, "ipv4_mapped", None)
    return f"::ffff:{mapped}" if mapped is not None else str(address)


def test_addresses():
    r = random.Random(SEED)
    texts = [mutate(r, made_address(r), "0123456789abcdfFx.:/% -+") for _ in range(ROUNDS)]
    texts = [t for t in texts if "\n" not in t]
    good = 0
    for text, ours in zip(texts, ask("a", texts)):
        theirs = by_python(ipaddress.ip_address, text)
        if "%" in text:  # a zone means something on one machine only: refused
            theirs = None
        assert ours == (canonical(theirs) if theirs is not None else "-"), repr(text)
        good += theirs is not None
    assert ROUNDS / 10 < good < ROUNDS


def test_prefixes():
    r = random.Random(SEED)
    texts = []
    for _ in range(ROUNDS):
        text = made_address(r)
        length = r.choice([0, 8, 16, 24, 30, 32, 33, 48, 64, 127, 128, 129, r.randrange(140)])
        if r.random() < 0.6 and (address := by_python(ipaddress.ip_address, text)) is not None:
            length = min(length, address.max_prefixlen)
            text = str(ipaddress.ip_network(f"{text}/{length}", strict=False).network_address)
        texts.append(mutate(r, f"{text}/{length}" if r.random() < 0.9 else text, "0123456789abf.:/% -+"))
    good = 0
    for text, ours in zip(texts, ask("p", texts)):
        theirs = by_python(ipaddress.ip_network, text)
        _, slash, length = text.partition("/")
        # a zone; a mask in place of a length; a length with zeros in front: one spelling for one prefix
        if "%" in text or (slash and not re.fullmatch("0|[1-9][0-9]*", length)):
            theirs = None
        want = f"{canonical(theirs.network_address)}/{theirs.prefixlen}" if theirs is not None else "-"
        assert ours == want, repr(text)
        good += theirs is not None
    assert ROUNDS / 10 < good < ROUNDS


# RFC 4180 to the letter: a quote only where a field begins or ends, or doubled inside. Python takes a quote in the midst
# of a field as it stands; we reject that row, since most often a quote was lost before it.
FIELD = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
STRICT = re.compile(rf'(?:{FIELD}(?:,{FIELD})*(?:\r?\n|\Z))*\Z')


def rows_of(answer):
    return [None if row == "!" else [bytes.fromhex(f).decode("latin-1") for f in row.split(",")[1:]]
            for row in answer.split(";")[1:]]


def rows_by_python(text):
    """Without empty lines, which are no rows to us."""
    return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]


def made_csv(r):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=r.choice(["\n", "\r\n"]), quoting=r.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    for _ in range(r.randrange(1, 6)):
        writer.writerow(["".join(r.choice('ab1 ,"\n') for _ in range(r.choice([0, 1, 3, 8, 70])))
                         for _ in range(r.randrange(1, 8))])
    return out.getvalue()


def test_csv_that_is_well_formed():
    r = random.Random(SEED)
    texts = [made_csv(r) for _ in range(ROUNDS // 4)]
    for text, answer in zip(texts, ask("c", texts)):
        assert rows_of(answer) == rows_by_python(text), repr(text)


def test_csv_that_is_not():
    r = random.Random(SEED)
    texts = [mutate(r, made_csv(r), 'ab ,"\n') for _ in range(ROUNDS // 4)]
    texts = [t for t in texts if not re.search("\r(?!\n)", t)]  # a lone CR ends a line for Python, and is text for us
    broken = 0
    for text, answer in zip(texts, ask("c", texts)):
        rows = rows_of(answer)
        if STRICT.match(text):
            assert rows == rows_by_python(text), repr(text)
        else:
            assert None in rows, repr(text)
            broken += 1
    assert ROUNDS / 100 < broken < ROUNDS / 4
