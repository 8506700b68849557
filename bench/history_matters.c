/* What happens: notices and what becomes of them, plans, controls, shares. */
#include "history_script.h"

#include <inttypes.h>
#include <stdio.h>

static uint32_t somebody(struct history *h)
{
	return (uint32_t)(draw(h, h->size.parties) * draw(h, h->size.parties) / h->size.parties);
}

static struct addressee addressee_of(const struct history *h, uint32_t i)
{
	if (i > node_of(h))
		return (struct addressee){ .type = TO_AS, .asn = 64600 + i - node_of(h) };
	return (struct addressee){ .type = TO_PARTY, .domain = name_of(h, i) };
}

/* ---- notices ---- */

static const enum rsit_class classes[] = { CLASS_INFECTED_SYSTEM, CLASS_C2_SERVER, CLASS_SCANNER, CLASS_BRUTE_FORCE,
					   CLASS_DDOS_AMPLIFIER };
#define CLASSES (sizeof(classes) / sizeof(classes[0]))

static void add_body(struct statement_writer *w, uint64_t number)
{
	struct body_reference body = { .media_type = SPAN("application/vnd.comity.evidence+zstd"),
				       .size = 1000,
				       .sealed = true,
				       .hash = hash_bytes(&number, sizeof(number)) };

	statement_add_body(w, &body);
}

static void notify(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	struct addressee to = addressee_of(h, m->to);
	struct statement_writer *w;

	if (m->about != NOBODY && !h->made[m->about].done)
		return;
	w = history_write(h, KIND_NOTICE, LEDGER_CIRCLE, m->from);
	statement_add_to(w, &to);
	if (m->about != NOBODY) {
		statement_add_hash(w, "re", h->made[m->about].id);
		statement_add(w, "reason", span_of(m->word));
	}
	statement_add(w, "class", span_of(class_name(classes[m->number % CLASSES])));
	statement_add(w, "tlp", SPAN("AMBER"));
	statement_add_print(w, "events", "%" PRIu32, 1 + m->number % 50);
	if (m->number % 7 == 0)
		statement_add_print(w, "explained", "%" PRIu32, (1 + m->number % 50) / 2);
	if (m->first_ms != 0) {
		statement_add_time(w, "first", m->first_ms);
		statement_add_time(w, "last", m->last_ms);
	}
	if (m->number % 8 == 1)
		statement_add_time(w, "due", h->now_ms + 40 * DAY_MS);
	if (m->flag)
		statement_add(w, "demonstration", SPAN("yes"));
	add_body(w, a->made);
	m->done = history_say(h, KIND_NOTICE, m->from, &m->id);
}

/* which: 1: the node for the party; 2: its author. */
static void answer(struct history *h, const struct action *a)
{
	const struct made *m = &h->made[a->made];
	struct buffer name = BUFFER(256);
	struct addressee whom = addressee_of(h, m->to);
	uint32_t from = a->which == 1 ? node_of(h) : a->which == 2 ? m->from : m->to;
	struct statement_writer *w;
	struct hash id;

	if (m->done) {
		w = history_answer(h, LEDGER_CIRCLE, from, m->id, a->word);
		addressee_print(&whom, &name);
		if (a->which == 1) {
			statement_add(w, "for", buffer_view(&name));
			statement_add(w, "via", SPAN("mail"));
		}
		history_say(h, KIND_ANSWER, from, &id);
	}
	buffer_free(&name);
}

/* Who answered `cannot` asks others. */
static void ask(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	struct statement_writer *w;

	if (!h->made[m->about].done)
		return;
	w = history_write(h, KIND_REQUEST, LEDGER_CIRCLE, m->from);
	statement_add_hash(w, "re", h->made[m->about].id);
	statement_add(w, "to", name_of(h, m->to));
	statement_add(w, "need", SPAN("forensics"));
	m->done = history_say(h, KIND_REQUEST, m->from, &m->id);
}

static void script_asking(struct history *h, uint32_t notice, int64_t ms)
{
	struct made n = h->made[notice];
	uint32_t helper = (n.to + 1 + (uint32_t)draw(h, 5)) % h->size.parties, i;

	if (n.to >= node_of(h) || helper == n.to)
		return;
	i = history_make(h, (struct made){ .from = n.to, .to = helper, .about = notice });
	history_then(h, ms, ask, i, 0, 0, NULL);
	if (chance(h, 70))
		history_then(h, ms += a_while(h, helper, 2 * DAY_MS), answer, i, 0, 0, "acknowledged");
	if (chance(h, 50))
		history_then(h, ms + a_while(h, helper, 9 * DAY_MS), answer, i, 0, 0, "accepted");
}

static void script_one(struct history *h, struct made m, int64_t ms, int depth);

static void script_on(struct history *h, uint32_t before, int64_t ms, const char *reason, int depth)
{
	struct made m = h->made[before];

	if (depth >= 2)
		return;
	m.about = before;
	m.word = reason;
	m.to = somebody(h);
	script_one(h, m, ms, depth + 1);
}

static void script_fix(struct history *h, uint32_t i, uint32_t party, int64_t ms, uint32_t who)
{
	history_then(h, ms, answer, i, 0, who, "fixed");
	for (int again = 0; again < 3 && chance(h, 18); again++) {
		history_then(h, ms += a_while(h, party, 45 * DAY_MS), answer, i, 0, 2, "re-observed");
		if (chance(h, 60))
			history_then(h, ms += a_while(h, party, 10 * DAY_MS), answer, i, 0, who, "fixed");
	}
}

static void script_answers(struct history *h, uint32_t i, uint32_t party, int64_t ms, int depth)
{
	uint32_t who = party >= node_of(h) || chance(h, party % 10 == 4 ? 60 : 5);

	if (chance(h, 80))
		history_then(h, ms + a_while(h, party, 2 * HOUR_MS), answer, i, 0, who, "received");
	if (party % 9 == 6 || chance(h, 15)) {
		if (chance(h, 50))
			script_on(h, i, ms + 41 * DAY_MS, "overdue", depth);
		return;
	}
	ms += a_while(h, party, 12 * DAY_MS);
	if (chance(h, 8)) {
		history_then(h, ms, answer, i, 0, who, "not-ours");
		script_on(h, i, ms + HOUR_MS, "not-ours", depth);
		return;
	}
	history_then(h, ms, answer, i, 0, who, "acknowledged");
	if (chance(h, 12))
		history_then(h, ms + a_while(h, party, DAY_MS), answer, i, 0, who, "working");
	if (chance(h, 5)) {
		history_then(h, ms += a_while(h, party, DAY_MS), answer, i, 0, who, "cannot");
		script_asking(h, i, ms + HOUR_MS);
	}
	if (chance(h, 8)) {
		history_then(h, ms += a_while(h, party, 3 * DAY_MS), answer, i, 0, who, "disputed");
		if (chance(h, 60))
			history_then(h, ms + a_while(h, party, 20 * DAY_MS), answer, i, 0, 2, "closed");
	}
	if (chance(h, 70))
		script_fix(h, i, party, ms + a_while(h, party, 40 * DAY_MS), who);
}

static void script_one(struct history *h, struct made m, int64_t ms, int depth)
{
	uint32_t i;

	m.first_ms = m.last_ms = 0;
	if (chance(h, 80)) {
		m.last_ms = ms - (int64_t)draw(h, (uint64_t)(chance(h, 15) ? 9 * DAY_MS : DAY_MS));
		m.first_ms = m.last_ms - DAY_MS;
	}
	i = history_make(h, m);
	history_then(h, ms, notify, i, 0, 0, NULL);
	if (chance(h, 92))
		script_answers(h, i, m.to, ms, depth);
	if (chance(h, 3))
		history_then(h, ms + a_while(h, m.to, 20 * DAY_MS), history_take_back, i, 0, LEDGER_CIRCLE, NULL);
}

void script_notice(struct history *h)
{
	struct made m = { .about = NOBODY, .number = (uint32_t)draw(h, 100000), .flag = chance(h, 2) };

	if (chance(h, 60)) {
		history_pair(h, &m.from, &m.to);
	} else {
		m.from = chance(h, 40) ? node_of(h) : somebody(h);
		m.to = chance(h, 10) ? node_of(h) + 1 + (uint32_t)draw(h, 8) : somebody(h);
	}
	script_one(h, m, some_time(h), 0);
}

/* ---- plans ---- */

static void plan(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	struct statement_writer *w = history_write(h, KIND_PLAN, LEDGER_PUBLIC, m->from);

	statement_add(w, "to", name_of(h, m->to));
	statement_add(w, "activity", span_of(m->word));
	statement_add_time(w, "start", m->first_ms);
	statement_add_time(w, "end", m->last_ms);
	if (m->number % 5 == 0)
		statement_add(w, "repeat", SPAN("weekly 4"));
	statement_add_print(w, "source", "198.51.%" PRIu32 ".0/24", m->number % 256);
	statement_add_print(w, "target", "%" PRIu32 ".%" PRIu32 ".0.0/16", 20 + m->to / 200, m->to % 200);
	statement_add(w, "transport", SPAN("tcp"));
	statement_add(w, "port", SPAN("443"));
	statement_add(w, "purpose", SPAN("counting open services"));
	statement_add_print(w, "contact", "mailto:duty@%s", member(h, m->from)->name);
	statement_add(w, "stop-within", SPAN("30m"));
	if (m->about != NOBODY && h->made[m->about].done)
		statement_add_hash(w, "re", h->made[m->about].id);
	m->done = history_say(h, KIND_PLAN, m->from, &m->id);
}

/* which: 0 the addressee, 2 the author, 3 another who sees it. */
static void say_of_plan(struct history *h, const struct action *a)
{
	const struct made *m = &h->made[a->made];
	uint32_t from = a->which == 0 ? m->to : a->which == 2 ? m->from : (m->to + 11) % h->size.parties;
	struct statement_writer *w;
	struct hash id;

	if (!m->done)
		return;
	w = history_answer(h, LEDGER_PUBLIC, from, m->id, a->word);
	if (a->which == 3)
		statement_add_time(w, "seen", h->now_ms - 10 * MINUTE_MS);
	history_say(h, KIND_ANSWER, from, &id);
}

static void question(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	const struct made *about = &h->made[m->about];
	struct statement_writer *w;

	if (!about->done)
		return;
	w = history_write(h, KIND_REQUEST, LEDGER_CIRCLE, m->from);
	statement_add_hash(w, "re", about->id);
	statement_add(w, "to", name_of(h, m->to));
	statement_add(w, "need", span_of(a->word));
	if (a->which == 1) {
		statement_add_print(w, "source", "198.51.%" PRIu32 ".7/32", about->number % 256);
		statement_add_time(w, "first", h->now_ms - HOUR_MS);
		statement_add_time(w, "last", h->now_ms);
	}
	m->done = history_say(h, KIND_REQUEST, m->from, &m->id);
}

static void script_question(struct history *h, uint32_t plan_made, int64_t ms)
{
	static const char *const needs[] = { "recall", "confirm", "explain" };
	uint32_t which = (uint32_t)draw(h, 3), to = h->made[plan_made].from;
	uint32_t i = history_make(h, (struct made){ .from = h->made[plan_made].to, .to = to, .about = plan_made });

	history_then(h, ms, question, i, 0, which, needs[which]);
	if (chance(h, 80))
		history_then(h, ms + a_while(h, to, HOUR_MS), answer, i, 0, 0, chance(h, 70) ? "accepted" : "objected");
}

static void script_life(struct history *h, uint32_t i, struct made m)
{
	static const char *const says[] = { "acknowledged", "accepted", "objected" };
	int64_t end_ms = m.last_ms + (m.number % 5 == 0 ? 21 * DAY_MS : 0);

	if (chance(h, 50))
		history_then(h, m.first_ms - 3 * HOUR_MS, say_of_plan, i, 0, 0, says[draw(h, 3)]);
	if (chance(h, 10))
		history_then(h, m.first_ms - HOUR_MS, say_of_plan, i, 0, 2, "delayed");
	if (chance(h, 60))
		history_then(h, m.first_ms + (int64_t)draw(h, HOUR_MS), say_of_plan, i, 0, 2, "started");
	if (chance(h, 25))
		history_then(h, m.first_ms + 2 * HOUR_MS, say_of_plan, i, 0, 3, "re-observed");
	if (chance(h, 20))
		script_question(h, i, m.first_ms + 3 * HOUR_MS);
	if (chance(h, 10))
		history_then(h, m.first_ms + 4 * HOUR_MS, say_of_plan, i, 0, 2, "suspended");
	if (chance(h, 70))
		history_then(h, end_ms - (int64_t)draw(h, HOUR_MS), say_of_plan, i, 0, 2, "closed");
	else if (chance(h, 30))
		history_then(h, m.first_ms + HOUR_MS, history_take_back, i, 0, LEDGER_PUBLIC, NULL);
}

void script_plan(struct history *h)
{
	static const char *const activities[] = { "scan",	 "scan",     "measurement", "research",
						  "maintenance", "sinkhole", "recovery" };
	int64_t ms = some_time(h);
	struct made m = { .from = somebody(h), .to = somebody(h), .about = NOBODY, .number = (uint32_t)draw(h, 1000) };
	uint32_t i;

	m.word = activities[draw(h, sizeof(activities) / sizeof(activities[0]))];
	m.first_ms = ms + (int64_t)draw(h, 20 * DAY_MS) + 4 * HOUR_MS;
	m.last_ms = m.first_ms + 6 * HOUR_MS + (int64_t)draw(h, 4 * DAY_MS);
	i = history_make(h, m);
	history_then(h, ms, plan, i, 0, 0, NULL);
	if (chance(h, 15)) {
		m.about = i;
		m.last_ms += 6 * HOUR_MS;
		i = history_make(h, m);
		history_then(h, ms + 2 * HOUR_MS, plan, i, 0, 0, NULL);
	}
	script_life(h, i, m);
}

/* ---- controls ---- */

/* Of one class and month by one reporter; some are too small for a difference, one is counted anew. */
static void control(struct history *h, const struct action *a)
{
	int64_t last = h->now_ms - 31 * DAY_MS, first = last - (a->which % 5 == 4 ? 40 : 30) * DAY_MS;
	uint64_t told = a->which % 4 == 3 ? 3 : 400 + draw(h, 200), untold = 200 + draw(h, 100);
	struct statement_writer *w = history_write(h, KIND_CONTROL, LEDGER_CIRCLE, a->who);
	struct hash id;

	statement_add(w, "class", span_of(class_name(classes[a->which % 3])));
	statement_add_time(w, "first", first);
	statement_add_time(w, "last", last);
	statement_add_print(w, "notified", "%" PRIu64, told);
	statement_add_print(w, "notified-gone", "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, told / 5, told / 3,
			    told / 2, told * 3 / 4);
	statement_add_print(w, "control", "%" PRIu64, untold);
	statement_add_print(w, "control-gone", "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, untold / 9, untold / 5,
			    untold / 3, untold * 6 / 10);
	history_say(h, KIND_CONTROL, a->who, &id);
}

void script_controls(struct history *h)
{
	uint32_t n = 0;

	for (int64_t ms = HISTORY_BEGIN_MS + 100 * DAY_MS; ms < history_end_ms(&h->size); ms += 15 * DAY_MS, n++)
		history_then(h, ms, control, 0,
			     n % 3 == 0 ? node_of(h) : n % (h->size.parties < 10 ? h->size.parties : 10), n, NULL);
}

/* ---- shares ---- */

static void share(struct history *h, const struct action *a)
{
	struct body_reference body = { .media_type = SPAN("application/stix+json;version=2.1"),
				       .size = 5000,
				       .sealed = true,
				       .hash = hash_bytes(&h->now_ms, sizeof(h->now_ms)) };
	struct statement_writer *w = history_write(h, KIND_SHARE, LEDGER_CIRCLE, node_of(h));
	struct hash id;

	statement_add(w, "collection", SPAN("7d0c3cb5-5f2c-4d9b-9c0e-2a6a3c1b8f10"));
	statement_add(w, "action", SPAN("add"));
	statement_add_print(w, "objects", "%" PRIu32, 1 + a->which);
	statement_add(w, "tlp", SPAN("GREEN"));
	statement_add_body(w, &body);
	history_say(h, KIND_SHARE, node_of(h), &id);
}

void script_shares(struct history *h)
{
	history_then(h, some_time(h), share, 0, 0, (uint32_t)draw(h, 20), NULL);
}
