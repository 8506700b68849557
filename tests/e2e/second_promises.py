"""Pledges once more, from docs/pledges.md alone: reads the entries of a node as text and shares no code with the program. As a
program: second_promises.py NODE ENTRIES [FROM [TO]] prints what `comity standing --pledges --json` prints, byte for byte, where no
agreements are, and of metrics that are counted from notices and controls."""
import bisect
import json
import math
import sys

from second_standing import DAY, DAYS_DUE, LEAST, Ledger, difference, entries_of, ms_of, nearest, share, text_of, wilson

HOUR, MINUTE = 3600000, 60000
UNITS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": 1000}
JUDGED, RELAPSE, YEAR = 30 * DAY, 30 * DAY, 366 * DAY
GRADES = {"un 2015 a": "evidence", "un 2015 b": "measured", "un 2015 c": "measured", "un 2015 f": "declared", "un 2015 h": "measured",
          "un 2021 c": "measured", "osce 2016 3": "evidence"}
SAYS = {
    "acknowledged": "of the notices to it acknowledged by a person", "acknowledge-p50": "half of the notices to it acknowledged",
    "acknowledge-p90": "nine of ten notices to it acknowledged", "fixed": "of the notices to it fixed",
    "uplift": "more gone after 14 days than of look-alikes that were not notified",
    "re-offence": "of what it fixed seen again within 30 days", "false-notices": "of the notices that it files false",
    "plan-explained": "of the events in notices to it explained before by its plans",
}
NOTE = "Acknowledging is not admitting. No data is blank, never good. What is declared is not measured."


def spelled(value):
    """JSON without blanks, fractions with four digits."""
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k) + ":" + spelled(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(spelled, value)) + "]"
    return f"{value:.4f}" if isinstance(value, float) else json.dumps(value)


def length(ms):
    """In plain words, in the largest unit that leaves no rest."""
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if ms % unit == 0 or unit == MINUTE:
            return f"{ms // unit} {name}" + ("" if ms == unit else "s")


class Term:
    def __init__(self, text):
        words = text.split(" ")
        self.text, self.metric, self.amount = text, words[1], words[3]
        self.more = dict(zip(words[4::2], words[5::2]))
        self.at_most = words[2] == "at-most"
        self.each, self.within = self.time(self.more["each"]), self.time(self.more.get("within", "0s"))
        self.least = int(self.more.get("least", 1))
        self.is_share = self.amount.endswith("%")
        whole, _, part = self.amount.rstrip("%").partition(".")
        self.threshold = int(whole) * 100 + int((part + "00")[:2]) if self.is_share else self.time(self.amount)

    @staticmethod
    def time(text):
        return int(text[:-1]) * UNITS[text[-1]]

    def says(self):
        if self.is_share:
            told = f"{'at most' if self.at_most else 'at least'} {self.amount.rstrip('%')} % {SAYS[self.metric]}"
        else:
            told = f"{SAYS[self.metric]} within {length(self.threshold)}"
        return told + (f" within {length(self.within)}" if self.within else "") + f", each {length(self.each)}"

    def lag(self):
        return {"acknowledge-p50": self.threshold, "acknowledge-p90": self.threshold, "false-notices": JUDGED}.get(
            self.metric, self.within)


class Promises:
    def __init__(self, node, entries):
        self.node, entries = node, list(entries)
        self.ledger = Ledger(node, entries)
        self.notices, self.pledges = [], {}
        for e in entries:
            if e.kind == "notice":
                m = self.ledger.matters[e.id]
                m.kind_of, m.explained = e.get("class"), int(e.get("explained", 0))
                self.notices.append(m)
            elif e.kind == "pledge":
                self.pledge(e)
            elif e.kind == "withdraw" and e.get("re") in self.pledges:
                p = self.pledges[e.get("re")]
                p["withdrawn"], p["end"] = True, min(p["end"] or e.time, max(e.time, p["start"]))

    def pledge(self, e):
        start = max(ms_of(e.get("start")) if e.get("start") else 0, e.time)
        self.pledges[e.id] = {"party": e.get("from"), "id": e.id, "norm": e.get("norm"), "start": start,
                              "end": ms_of(e.get("end")) if e.get("end") else None, "withdrawn": False,
                              "unilateral": e.get("unilateral") == "yes", "text": e.get("text"),
                              "terms": [Term(t) for t in e.all("term")], "demonstration": e.get("demonstration") == "yes"}

    # ---- one notice ----

    def took(self, term, m, party):
        """Whether the notice is one of those that the metric is about."""
        if term.metric == "false-notices":
            return m.by == party and set(m.to) != {party}
        return party in m.to and m.by != party

    def due(self, term, m):
        if term.metric != "re-offence":
            return m.logged + term.lag()
        fixed = m.at.get("fixed")
        return fixed + RELAPSE if fixed is not None and fixed - m.logged <= YEAR else None

    def key(self, term, m):
        return m.to[0] if term.metric == "false-notices" else m.by, m.kind_of, m.logged // DAY, m.demonstration

    @staticmethod
    def settled(m, end):
        at = m.at.get("settled")
        return at is not None and at < end and at < m.at["disputed"] + 14 * DAY

    def verdict(self, term, m, due):
        """Numerator, denominator, unknown."""
        def by(*names):
            return any(n in m.at and m.at[n] <= due for n in names)

        if term.metric == "plan-explained":
            return m.explained, m.events, 0
        if term.metric == "re-offence":
            return by("seen again"), 1, 0
        if term.metric == "false-notices":
            open_dispute = by("disputed") and not self.settled(m, due + 1)
            if by("withdrawn", "not-ours") or (open_dispute and m.at["disputed"] + 14 * DAY <= due):
                return 1, 1, 0
            return (0, 0, 1) if open_dispute else (0, 1, 0)
        done, taken = ("fixed", ("closed", "not-ours")) if term.metric == "fixed" else ("acknowledged", ("closed",))
        if by(done):
            return 1, 1, 0
        return (0, 0, 1) if by(*taken) else (0, 1, 0)

    # ---- windows ----

    def near(self, term, start, end):
        """Those that may fall due in it, and all of the first day, since repeats are told by the day."""
        told = self.mine[term.metric == "false-notices"]
        if term.metric == "re-offence":
            return told
        begins = (start - term.lag()) // DAY * DAY
        return told[bisect.bisect_left(told, begins, key=self.logged):bisect.bisect_left(told, end - term.lag(), key=self.logged)]

    @staticmethod
    def logged(m):
        return m.logged

    def window(self, term, party, start, end, demonstration):
        found = {"from": text_of(start), "to": text_of(end), "closed": end <= self.ledger.last}
        if term.metric == "uplift":
            return {**found, **self.uplift(party, start, end, demonstration)}
        k = n = unknown = disputed = calm = calm_unknown = 0
        times, first = [], {}
        for m in self.near(term, start, end):
            if term.metric == "false-notices":
                repeated = first.setdefault(self.key(term, m), m) is not m
            else:
                withdrawn = m.at.get("withdrawn", end) < end
                repeated = self.key(term, m) in first
                if not withdrawn:
                    first.setdefault(self.key(term, m), m)
                else:
                    continue
            due = self.due(term, m)
            if repeated or due is None or not start <= due < end or m.demonstration != demonstration:
                continue
            a, b, c = self.verdict(term, m, due) if due < self.ledger.last else (0, 0, 1)
            k, n, unknown = k + a, n + b, unknown + c
            if "disputed" in m.at and m.at["disputed"] < end and not self.settled(m, end):
                disputed += b
            else:
                calm, calm_unknown = calm + a, calm_unknown + c
            if b:
                answered = m.at.get("acknowledged", end)
                times.append(answered - m.logged if answered < end else None)
        found["share"] = share(k, n, unknown)
        found["disputed"] = disputed
        if disputed:
            found["undisputed"] = share(calm, n - disputed, calm_unknown)
        if not term.is_share:
            found["value_ms"] = self.quantile(times, 2 if term.metric == "acknowledge-p50" else 10)
        return found

    @staticmethod
    def quantile(times, part):
        """The first time at which no more than one of so many is open."""
        at = len(times) - len(times) // part
        known = sorted(t for t in times if t is not None)
        return known[at - 1] if 0 < at <= len(known) else None

    def uplift(self, party, start, end, demonstration):
        sums, last = {}, {}
        for (by, name, ends), e in sorted(self.ledger.controls.items()):
            if by != party or not start <= e.logged < end or (e.get("demonstration") == "yes") != demonstration or \
                    ms_of(e.get("first")) < last.get(name, 0):
                continue
            last[name] = ends
            row = [int(e.get("notified")), int(e.get("notified-gone").split(" ")[2]), int(e.get("control")),
                   int(e.get("control-gone").split(" ")[2])]
            sums[name] = [a + b for a, b in zip(sums.get(name, [0] * 4), row)]
        told = {n: s for n, s in sums.items() if s[0] >= LEAST and s[2] >= LEAST}
        every, gone = sum(s[0] for s in told.values()), sum(s[1] for s in told.values())
        without = sum((2 * s[0] * s[3] + s[2]) // (2 * s[2]) for s in told.values())
        found = {"share": share(gone, every, sum(s[0] for n, s in sums.items() if n not in told))}
        alike = share(without, every)
        if every < LEAST:
            return {**found, "look_alikes": alike, "uplift": difference(0, 0, 0, 0)}
        middle = below = above = 0.0
        for name in sorted(told, key=list(DAYS_DUE).index):
            s = told[name]
            weight, q, (low, high) = s[0] / every, s[3] / s[2], wilson(s[3], s[2])
            middle += weight * q
            below += weight * (q - low) * (weight * (q - low))
            above += weight * (high - q) * (weight * (high - q))
        low, high = max(middle - math.sqrt(below), 0.0), min(middle + math.sqrt(above), 1.0)
        alike["low"], alike["high"] = nearest(low), nearest(high)
        p, q, (p_low, p_high) = gone / every, without / every, wilson(gone, every)
        less = math.sqrt((p - p_low) * (p - p_low) + (high - q) * (high - q))
        more = math.sqrt((p_high - p) * (p_high - p) + (q - low) * (q - low))
        return {**found, "look_alikes": alike,
                "uplift": {"value": nearest(p - q), "low": nearest(p - q - less), "high": nearest(p - q + more)}}

    def judge(self, term, w):
        if w["share"]["denominator"] < max(LEAST, term.least):
            return "too-few"
        if term.metric == "uplift":
            n = w["share"]["denominator"]
            value = max(0, 10000 * (w["share"]["numerator"] - w["look_alikes"]["numerator"]) // n)
        elif term.is_share:
            kept = 10000 * w["share"]["numerator"] - term.threshold * w["share"]["denominator"]
            return "met" if (kept <= 0 if term.at_most else kept >= 0) else "missed"
        else:
            value = w["value_ms"]
            if value is None:
                return "missed"
        return "met" if (value <= term.threshold if term.at_most else value >= term.threshold) else "missed"

    def term(self, p, term, start, end):
        last, windows, ends = self.ledger.last, [], []
        i = 0
        while True:
            begins, until = p["start"] + i * term.each, p["start"] + (i + 1) * term.each
            i += 1
            if begins > last or (p["end"] is not None and until > p["end"]) or (end and until >= end):
                break
            if until < start:
                continue
            w = self.window(term, p["party"], begins, until, p["demonstration"])
            windows.append({"judged": self.judge(term, w) if w["closed"] else None, **w})
            if w["closed"]:
                ends.append((begins, until))
        if ends:
            every = self.window(term, p["party"], ends[0][0], ends[-1][1], p["demonstration"])
        else:
            begins = p["start"] + max(0, -(-(start - p["start"]) // term.each) - 1) * term.each
            every = {"from": text_of(begins), "to": text_of(begins), "closed": False, "share": share(0, 0)}
            every.update({"look_alikes": share(0, 0), "uplift": difference(0, 0, 0, 0)} if term.metric == "uplift"
                         else {"disputed": 0})
            if not term.is_share:
                every["value_ms"] = None
        count = [sum(w["judged"] == j for w in windows) for j in ("met", "missed", "too-few")]
        return {"term": term.text, "says": term.says(), "metric": term.metric, "met": count[0], "missed": count[1],
                "too_few": count[2], "all": every, "windows": windows}

    def parties(self, demonstration=False):
        return sorted({p["party"] for p in self.pledges.values() if p["demonstration"] == demonstration})

    def of(self, party, start=0, end=0, demonstration=False):
        self.mine = [[m for m in self.notices if party in m.to and m.by != party],
                     [m for m in self.notices if m.by == party and set(m.to) != {party}]]
        found = {"ledgers": self.node, "party": party, "from": text_of(start),
                 "until": text_of(end if 0 < end <= self.ledger.last else self.ledger.last + 1)}
        if demonstration:
            found["demonstration"] = True
        found.update(pledges=[], declarations=[], agreements=[], note=NOTE)
        for p in self.pledges.values():
            if p["party"] != party or p["demonstration"] != demonstration:
                continue
            told = {"id": p["id"], "norm": p["norm"], "grade": GRADES[p["norm"]], "start": text_of(p["start"]),
                    "end": text_of(p["end"] or 0), "withdrawn": p["withdrawn"], "unilateral": p["unilateral"], "text": p["text"]}
            if p["terms"]:
                found["pledges"].append({**told, "terms": [self.term(p, t, start, end) for t in p["terms"]]})
            else:
                found["declarations"].append(told)
        return found


def main():
    node, path, *period = sys.argv[1:]
    with open(path) as f:
        promises = Promises(node, entries_of(f.read()))
    for party in promises.parties():
        print(spelled(promises.of(party, *map(ms_of, period))))


if __name__ == "__main__":
    main()
