"""Standing once more, from docs/standing.md alone: reads the entries of a node's circle as text and shares no code with the
program. As a program: second_standing.py NODE ENTRIES [FROM [TO]] prints what `comity standing --json` prints.

Also whoever has a node's entries by another way may compute with it: tiles, a mirror, a copy of the ledger."""
import datetime
import hashlib
import json
import math
import re
import sys

DAY = 86400000
DAYS = (1, 7, 14, 30)
LEAST = 20
Z = 1.959963984540054
# Days in which an answer is due, in RSIT's order of classes (docs/standing.md).
DAYS_DUE = {
    "abusive-content/spam": 7, "abusive-content/harmful-speech": 7, "abusive-content/violence": 7,
    "malicious-code/infected-system": 3, "malicious-code/c2-server": 1, "malicious-code/malware-distribution": 1,
    "malicious-code/malware-configuration": 1, "information-gathering/scanner": 7,
    "information-gathering/sniffing": 1, "information-gathering/social-engineering": 7,
    "intrusion-attempts/ids-alert": 3, "intrusion-attempts/brute-force": 3, "intrusion-attempts/exploit": 3,
    "intrusions/privileged-account-compromise": 3, "intrusions/unprivileged-account-compromise": 3,
    "intrusions/application-compromise": 3, "intrusions/system-compromise": 3, "intrusions/burglary": 7,
    "availability/dos": 1, "availability/ddos": 1, "availability/misconfiguration": 7, "availability/sabotage": 7,
    "availability/outage": 1, "information-content-security/unauthorised-information-access": 3,
    "information-content-security/unauthorised-information-modification": 3,
    "information-content-security/data-loss": 7, "information-content-security/data-leak": 3,
    "fraud/unauthorised-use-of-resources": 7, "fraud/copyright": 7, "fraud/masquerade": 3, "fraud/phishing": 1,
    "vulnerable/weak-crypto": 14, "vulnerable/ddos-amplifier": 14, "vulnerable/potentially-unwanted-accessible": 14,
    "vulnerable/information-disclosure": 14, "vulnerable/vulnerable-system": 14, "other/other": 7,
    "other/undetermined": 7, "test/test": 7,
}
NOTE = "Acknowledging is not admitting. No data is blank, never good."


def ms_of(text):
    """An RFC 3339 time in UTC."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    at = datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    return int((at - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds()) * 1000 + int(fraction or 0)


def text_of(ms):
    if ms == 0:
        return None
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


class Entry:
    def __init__(self, text):
        head, note = text.split("\n", 1)
        self.logged = ms_of(head.removeprefix("logged "))
        self.time = self.logged
        self.home = note.startswith("home ")
        if self.home:
            home, note = note.split("\n", 1)
            self.time = min(self.logged, ms_of(home.split(" ")[1]))
        body, _ = note.rsplit("\n\n", 1)
        self.id = hashlib.sha256((body + "\n").encode()).hexdigest()
        lines = body.split("\n")
        self.kind = lines[0].removeprefix("comity/1 ")
        self.headers = [line.split(" ", 1) for line in lines[1:]]

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def get(self, name, otherwise=None):
        return next(iter(self.all(name)), otherwise)


def entries_of(text):
    """What `comity ledger show LEDGER --raw` prints: an entry begins with its line `logged`, before that of the kind."""
    parts = re.split(r"(?m)^(?=logged [0-9TZ:.-]+\n(?:home [^\n]+\n)?comity/1 )", text)
    return [Entry(part.rstrip("\n") + "\n") for part in parts if part.startswith("logged ")]


class Matter:
    def __init__(self, e):
        self.id, self.logged, self.by = e.id, e.logged, e.get("from")
        self.to = e.all("to")
        self.events = int(e.get("events"))
        self.demonstration = e.get("demonstration") == "yes"
        self.follows = e.get("re") is not None
        self.last = ms_of(e.get("last")) if e.get("last") else 0
        self.due = self.logged + DAYS_DUE[e.get("class")] * DAY
        if e.get("due"):
            self.due = max(self.due, ms_of(e.get("due")))
        self.at = {}
        self.by_node = {}
        self.ended = False

    def first(self, what, time):
        if what in self.at:
            return False
        self.at[what] = time
        return True

    def answer(self, e):
        time, outcome, by_node = max(e.time, self.logged), e.get("outcome"), e.get("for") is not None
        if outcome in ("re-observed", "closed"):
            if outcome == "closed":
                self.first("closed", time)
                if "disputed" in self.at:
                    self.first("settled", max(time, self.at["disputed"]))
                self.ended = True
            elif self.ended:
                if "fixed" in self.at:
                    self.first("seen again", max(time, self.at["fixed"]))
                self.ended = False
            return
        self.first("arrived", time)
        if outcome == "received":
            return
        if self.first("acknowledged", time):
            self.by_node["acknowledged"] = by_node
        if outcome in ("fixed", "not-ours", "cannot", "disputed") and self.first(outcome, time):
            self.by_node[outcome] = by_node
        if outcome in ("fixed", "not-ours"):
            self.ended = True


class Ledger:
    def __init__(self, node, entries):
        self.node, self.matters, self.controls, self.last = node, {}, {}, 0
        for e in entries:
            self.last = max(self.last, e.logged)
            if e.kind == "notice":
                self.matters[e.id] = Matter(e)
            elif e.kind == "answer" and e.get("re") in self.matters:
                self.matters[e.get("re")].answer(e)
            elif e.kind == "withdraw" and e.get("re") in self.matters:
                m = self.matters[e.get("re")]
                m.first("withdrawn", max(e.time, m.logged))
            elif e.kind == "withdraw":
                self.controls = {k: c for k, c in self.controls.items() if c.id != e.get("re")}
            elif e.kind == "control":
                self.controls[(e.get("from"), e.get("class"), ms_of(e.get("last")))] = e


# ---- figures ----

def nearest(number):
    """Four digits, half away from zero."""
    whole = math.floor(abs(number) * 10000 + 0.5)
    return (-whole if number < 0 else whole) / 10000 + 0.0


def ratio(numerator, denominator):
    whole, rest = divmod(numerator, denominator)
    return whole + (20000 * rest + denominator) // (2 * denominator) / 10000


def wilson(k, n):
    p = k / n
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    centre, scale = p + Z * Z / (2 * n), 1 + Z * Z / n
    return (0.0 if k == 0 else (centre - half) / scale), (1.0 if k == n else (centre + half) / scale)


def share(k, n, unknown=0):
    few = n < LEAST
    low, high = (None, None) if few else map(nearest, wilson(k, n))
    return {"numerator": k, "denominator": n, "unknown": unknown, "rate": None if few else ratio(k, n), "low": low,
            "high": high}


def curve(times):
    """Steps of Kaplan and Meier: instant, share still open, Greenwood's sum, how many were done then."""
    steps, still, variance, i = [], 1.0, 0.0, 0
    times = sorted(times)
    while i < len(times):
        instant, done, risk = times[i][0], 0, len(times) - i
        while i < len(times) and times[i][0] == instant:
            done += times[i][1]
            i += 1
        if done == risk:
            still = 0.0
        elif done:
            still *= 1 - done / risk
            variance += done / (risk * (risk - done))
        steps.append((instant, still, variance, done))
    return steps


def survival(times):
    steps, after = curve(times), []
    for days in DAYS:
        end = days * DAY
        before = [s for s in steps if s[0] <= end]
        still, variance = (before[-1][1], before[-1][2]) if before else (1.0, 0.0)
        at_risk = sum(t > end for t, _ in times)
        known = len(times) >= LEAST and (at_risk > 0 or still == 0 or max(t for t, _ in times) == end)
        low = high = None
        if known and 0 < still and any(s[3] for s in before):
            spread = math.exp(Z * math.sqrt(variance) / abs(math.log(still)))
            low, high = nearest(1 - still ** (1 / spread)), nearest(1 - still ** spread)
        after.append({"days": days, "share": nearest(1 - still) if known else None, "low": low, "high": high,
                      "at_risk": at_risk})
    return {"cases": len(times), "done": sum(d for _, d in times), "after": after}


def quantiles(times):
    def at(open_share):
        reached = [s[0] for s in curve(times) if s[1] <= open_share + 1e-12]
        return reached[0] if reached and len(times) >= LEAST else None
    return {"cases": len(times), "done": sum(d for _, d in times), "p50_ms": at(0.5), "p90_ms": at(0.1)}


def difference(a, n, b, m):
    if n < LEAST or m < LEAST:
        return {"value": None, "low": None, "high": None}
    (p_low, p_high), (q_low, q_high), p, q = wilson(a, n), wilson(b, m), a / n, b / m
    below = math.sqrt((p - p_low) * (p - p_low) + (q_high - q) * (q_high - q))
    above = math.sqrt((p_high - p) * (p_high - p) + (q - q_low) * (q - q_low))
    return {"value": nearest(p - q), "low": nearest(p - q - below), "high": nearest(p - q + above)}


# ---- standing ----

class Standing:
    def __init__(self, ledger, start=0, end=0, demonstration=False):
        self.ledger, self.start = ledger, start
        self.end = ledger.last + 1 if end == 0 or end > ledger.last + 1 else end
        self.demonstration = demonstration
        self.matters = [m for m in ledger.matters.values()
                        if start <= m.logged < self.end and m.demonstration == demonstration]

    def had(self, m, what):
        """When it happened, as far as that is known at the end of the period."""
        time = m.at.get(what)
        return time if time is not None and time < self.end else None

    def dispute(self, m):
        time, settled = self.had(m, "disputed"), self.had(m, "settled")
        if time is None:
            return None
        if settled is not None and settled < time + 14 * DAY:
            return "settled"
        return "stands" if time + 14 * DAY < self.end else "open"

    def taken_back(self, m):
        """Closed by its author before an answer was due, and there was none."""
        closed = self.had(m, "closed")
        return self.had(m, "acknowledged") is None and closed is not None and closed <= m.due

    def parties(self):
        names = {m.by for m in self.matters} | {to for m in self.matters for to in m.to}
        return sorted(names | {key[0] for key in self.ledger.controls})

    def times_to(self, matters, what, stops):
        times = []
        for m in matters:
            ended = self.had(m, what)
            over = min([t for t in (self.had(m, s) for s in stops) if t is not None] + [self.end])
            times.append((max(0, (over if ended is None else ended) - m.logged), ended is not None))
        return times

    def answers(self, party):
        told = [m for m in self.matters if party in m.to and m.by != party]
        live = [m for m in told if self.had(m, "withdrawn") is None]
        old = [m for m in live if m.logged + DAY < self.end]
        due = [m for m in live if m.due < self.end and not self.taken_back(m)]
        fixed = [m for m in live if self.had(m, "fixed") is not None]
        settled = [m for m in fixed if m.at["fixed"] + 30 * DAY < self.end]
        disputed = [m for m in live if self.dispute(m)]
        decided = [m for m in disputed if self.dispute(m) != "open"]
        answered = [m for m in due if self.had(m, "acknowledged") is not None]

        def count(matters, what):
            return sum(self.had(m, what) is not None for m in matters)
        over = sum(self.had(m, "acknowledged") is None or m.at["acknowledged"] > m.due for m in due)
        back = sum(self.had(m, "seen again") is not None and m.at["seen again"] <= m.at["fixed"] + 30 * DAY for m in settled)
        calm = [m for m in live if not self.dispute(m)]
        return {
            "notices": len(told), "withdrawn": len(told) - len(live), "events": sum(m.events for m in live),
            "arrived_so_far": count(live, "arrived"),
            "arrived": share(count(old, "arrived"), len(old), len(live) - len(old)),
            "acknowledged": share(len(answered), len(due), len(live) - len(due)),
            "acknowledged_by_itself": share(sum(not m.by_node["acknowledged"] for m in answered), len(due),
                                            len(live) - len(due)),
            "overdue": share(over, len(due), len(live) - len(due)),
            "acknowledge": quantiles(self.times_to(live, "acknowledged", ["closed"])),
            "fixed": survival(self.times_to(live, "fixed", ["closed", "not-ours"])),
            "fixed_undisputed": survival(self.times_to(calm, "fixed", ["closed", "not-ours"])),
            "fixed_by_node": sum(m.by_node["fixed"] for m in fixed),
            "disputed": share(len(disputed), len(live)),
            "disputed_standing": share(sum(self.dispute(m) == "stands" for m in decided), len(decided),
                                       len(disputed) - len(decided)),
            "reopened": share(count(fixed, "seen again"), len(fixed)),
            "re_offence_30d": share(back, len(settled), len(fixed) - len(settled)),
            "not_ours": share(count(live, "not-ours"), len(live)),
            "cannot": share(count(live, "cannot"), len(live)),
        }

    def reports(self, party):
        filed = [m for m in self.matters if m.by == party and set(m.to) != {party}]
        withdrawn = {m.id for m in filed if self.had(m, "withdrawn") is not None}
        not_ours = {m.id for m in filed if self.had(m, "not-ours") is not None}
        stands = {m.id for m in filed if self.dispute(m) == "stands"}
        false = withdrawn | not_ours | stands
        unknown = {m.id for m in filed if self.dispute(m) == "open"} - false
        first = [m for m in filed if not m.follows]
        dated = [m for m in first if m.last]
        return {"filed": len(filed), "withdrawn": len(withdrawn), "not_ours": len(not_ours), "disputed_standing": len(stands),
                "false": share(len(false), len(filed) - len(unknown), len(unknown)),
                "late": share(sum(m.logged - m.last > DAY for m in dated), len(dated), len(first) - len(dated)),
                "uplift": self.uplift(party)}

    def uplift(self, party):
        classes = {}
        for (by, name, last), e in sorted(self.ledger.controls.items()):
            first = ms_of(e.get("first"))
            taken = classes.setdefault(name, []) if by == party else []
            if by == party and (e.get("demonstration") == "yes") == self.demonstration and e.time < self.end and first >= self.start and last <= self.end and \
                    (not taken or first >= taken[-1][0]):
                taken.append((last, e))
        rows = []
        for name in DAYS_DUE:
            taken = classes.get(name)
            if not taken:
                continue
            told, untold = (sum(int(e.get(what)) for _, e in taken) for what in ("notified", "control"))
            after = []
            for i, days in enumerate(DAYS):
                a, b = (sum(int(e.get(what).split(" ")[i]) for _, e in taken) for what in ("notified-gone", "control-gone"))
                after.append({"days": days, "notified": share(a, told), "control": share(b, untold),
                              "uplift": difference(a, told, b, untold)})
            rows.append({"class": name, "controls": len(taken), "after": after})
        return rows

    def of(self, party):
        found = {"ledgers": self.ledger.node, "party": party, "from": text_of(self.start), "until": text_of(self.end)}
        if self.demonstration:
            found["demonstration"] = True
        return {**found, **self.answers(party), "reporter": self.reports(party), "note": NOTE}


def main():
    node, path, *period = sys.argv[1:]
    with open(path) as f:
        ledger = Ledger(node, entries_of(f.read()))
    standing = Standing(ledger, *map(ms_of, period))
    for party in standing.parties():
        print(json.dumps(standing.of(party)))


if __name__ == "__main__":
    main()
