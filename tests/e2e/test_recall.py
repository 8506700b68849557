"""Recalls between two nodes: who suffers from a plan orders a stop at its own node, the party's node runs what its operator set, and the
answer comes back. And programs that fail, hang or are gone."""
import datetime
import itertools
import os
import signal

import pytest

from conftest import COMITY, wait_for
from delivery_lab import Place, header

SCAN = ("--source", "198.51.100.0/24", "--purpose", "a test")
RFC3339 = "%Y-%m-%dT%H:%M:%SZ"


def at(**ago):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**ago)).strftime(RFC3339)


def ahead(**more):
    return at(**{name: -n for name, n in more.items()})


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.fixture
def a(tmp_path, serve):
    place = Place(tmp_path, "a.example", serve)
    place.node.run("party", "add", "scan.example", "--role", "researcher")
    return place


@pytest.fixture
def b(tmp_path, serve):
    return Place(tmp_path, "b.example", serve)


def hook(place, text, name="stop", time="60s"):
    """A program beside the configuration, which names it. It appends to the file `ran`."""
    program, ran = place.node.dir / name, place.node.dir / "ran"
    program.write_text(f"#!/bin/sh\nran='{ran}'\n{text}\n")
    program.chmod(0o700)
    with open(place.node.dir / "config", "a") as config:
        config.write(f"recall-hook {name}\nrecall-hook-time {time}\n")
    return ran


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def show(place, id):
    (plan,) = place.node.json("plan", "show", id)
    return plan


def log(place, event):
    """What the server says of that, as its log has it so far."""
    return [e for e in place.server.log_lines() if event in e.get("event", "")]


def meet(a, b):
    a.start(), b.start()
    a.knows(b), b.knows(a)


RATES = itertools.count(1)  # so that no two plans of a second are one statement


def file(a, *more):
    (plan,) = a.node.json("plan", "file", "--from", "scan.example", *SCAN, "--rate", next(RATES), "--to", "b.example", "--start", at(hours=1), "--end",
                          ahead(hours=5), *more)
    return plan["id"]


def recall(place, id, *more):
    (order,) = place.node.json("plan", "recall", id, *more)
    return order["id"]


def test_a_recall_travels_runs_the_hook_and_is_answered(a, b):
    a.node.env["SECRET"] = "of the server"
    ran = hook(a, 'printf "%s|" "$#" "$@" "$COMITY_PLAN" "$COMITY_REQUEST" "$COMITY_STOP_BY" "$COMITY_DIR" "$SECRET" >> "$ran"\n'
                  'set -- /proc/$$/fd/*; echo >> "$ran"; echo "$*" >> "$ran"; cat >> "$ran"')
    meet(a, b)
    id = file(a, "--stop-within", "30m", "--contact", "mailto:duty@scan.example")
    wait_for(lambda: b.has(id), "the plan")
    order = recall(b, id, "--text", "it floods our line")
    wait_for(lambda: ("a.example", "working") in b.outcomes(order), "the answer")
    said, files = lines(ran)
    count, *arguments, directory, secret, rest = said.split("|")
    plan = show(a, id)
    (shown,) = plan["orders"]
    by = time_of(shown["stop_by"])
    assert count == "3" and arguments[:2] == arguments[3:5] == [id, order]
    assert arguments[2] == arguments[5] == by.strftime(RFC3339)
    assert by - time_of(shown["ordered"]) == datetime.timedelta(minutes=30)
    assert os.path.samefile(directory, a.node.dir) and secret == rest == ""
    # Nothing of the server's is open in it: 3 is the folder that the shell looks into, 10 or 255 the script.
    assert {f.rsplit("/", 1)[1] for f in files.split()} <= {"0", "1", "2", "3", "10", "255"}
    # It says for whom, and that a machine said it; the clock goes on until the party has stopped.
    (answer,) = [s for s in b.listed(f"?kind=answer&matter={order}") if header(s, "outcome") == "working"]
    assert (header(answer, "for"), header(answer, "via")) == ("scan.example", "node")
    assert shown["outcome"] == "working" and plan["stopped"] is None and not plan["stopped_late"]
    a.node.run("plan", "suspend", id)
    plan = show(a, id)
    assert plan["stopped"] is not None and not plan["stopped_late"]
    wait_for(lambda: show(b, id)["phase"] == "suspended", "the stop")
    assert show(b, id)["stopped"] is not None and show(b, id)["recalled"] is not None
    assert [len(lines(ran)), len(log(a, "the hook ran"))] == [2, 1]
    for place in (a, b):
        place.stop()
        place.node.audit()


def test_of_the_nodes_own_plan_and_a_hook_that_stops_it(a):
    """The hook says `plan suspend` to the node that is serving. A recall from before the hook was there is taken up."""
    a.start()
    (plan,) = a.node.json("plan", "file", *SCAN, "--to", "scan.example", "--start", at(hours=1), "--end", ahead(hours=5))
    order = recall(a, plan["id"], "--from", "scan.example")
    assert show(a, plan["id"])["orders"][0]["outcome"] is None
    ran = hook(a, f'echo "$1 $2 [$3]" >> "$ran"; exec "{COMITY}" plan suspend "$1"')
    a.server.signal(signal.SIGHUP)
    wait_for(lambda: show(a, plan["id"])["orders"][0]["outcome"] == "working", "the answer")
    assert lines(ran) == [f"{plan['id']} {order} []"]
    shown = show(a, plan["id"])
    assert shown["phase"] == "suspended" and shown["stopped"] is not None and shown["orders"][0]["stop_by"] is None
    (answer,) = [s for s in a.listed(f"?kind=answer&matter={order}")]
    assert answer["from"] == "a.example" and header(answer, "for") is None


def test_a_hook_that_fails_is_tried_again(a):
    hook(a, 'echo x >> "$ran"; [ "$(wc -l < "$ran")" -ge 3 ] || exit 7')
    a.start()
    id = file(a, "--to", "a.example")
    order = recall(a, id)
    wait_for(lambda: a.outcomes(order) == [("a.example", "working")], "the answer")
    assert len(lines(a.node.dir / "ran")) == 3
    first, second = log(a, "hook failed")
    assert "exit 7" in first["detail"] and id in first["detail"] and order in first["detail"]


def is_over(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return ") Z " in f.read()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_hook_that_hangs_is_killed_with_all_that_it_started(a):
    ran = hook(a, 'if [ -e "$ran" ]; then exit 0; fi; sleep 1000 & echo $! >> "$ran"; wait', time="5s")
    a.start()
    order = recall(a, file(a, "--to", "a.example"))
    wait_for(lambda: a.outcomes(order) == [("a.example", "working")], "the answer")
    (pid,) = lines(ran)
    wait_for(lambda: is_over(pid), "its end")
    (failed,) = log(a, "hook failed")
    assert "still running after 5 s" in failed["detail"]


def test_a_hook_that_is_gone_and_comes_back(a):
    ran = hook(a, 'echo x >> "$ran"')
    program = a.node.dir / "stop"
    a.start()
    text = program.read_text()
    program.unlink()
    order = recall(a, file(a, "--to", "a.example"))
    wait_for(lambda: log(a, "hook failed"), "the error")
    assert "No such file" in log(a, "hook failed")[0]["detail"] and a.outcomes(order) == []
    program.write_text(text)
    program.chmod(0o700)
    wait_for(lambda: a.outcomes(order) == [("a.example", "working")], "the answer")
    assert lines(ran) == ["x"]


def test_the_end_does_not_wait_for_a_hook_and_it_runs_again(a):
    ran = hook(a, 'echo x >> "$ran"; [ "$(wc -l < "$ran")" -ge 2 ] || sleep 1000')
    a.start()
    order = recall(a, file(a, "--to", "a.example"))
    wait_for(lambda: lines(ran), "the hook")
    a.stop()
    a.start()
    wait_for(lambda: a.outcomes(order) == [("a.example", "working")], "the answer")
    assert len(lines(ran)) == 2


def test_what_is_answered_or_taken_back_runs_nothing(a):
    answered, withdrawn = (recall(a, file(a, "--to", "a.example")) for _ in range(2))
    a.node.run("answer", answered, "working", "--from", "scan.example")
    a.node.run("withdraw", withdrawn)
    ran = hook(a, 'echo "$2" >> "$ran"')
    a.start()
    third = recall(a, file(a, "--to", "a.example"))
    wait_for(lambda: a.outcomes(third), "the answer")
    assert lines(ran) == [third]
