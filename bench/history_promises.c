/* What is promised: pledges and agreements; help. */
#include "history_script.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Pair k of those with an agreement: each party has several partners. */
static void pair_of(const struct history *h, uint32_t k, uint32_t *a, uint32_t *b)
{
	uint32_t n = h->size.parties, round = k / n;

	*a = k % n;
	*b = (*a + 1 + 7 * round) % n;
}

void history_pair(struct history *h, uint32_t *a, uint32_t *b)
{
	bool turned = chance(h, 50);
	uint32_t k = (uint32_t)draw(h, h->size.agreements > 0 ? h->size.agreements : 1);

	pair_of(h, k, turned ? b : a, turned ? a : b);
}

/* ---- pledges ---- */

static const struct {
	const char *norm, *terms[2];
} pledges[] = {
	{ "un 2015 c", { "swift acknowledged at-least 80% within 3d each 30d" } },
	{ "un 2015 c",
	  { "swift acknowledged at-least 90% within 1d each 90d", "again re-offence at-most 25% each 180d" } },
	{ "un 2021 c", { "mend fixed at-least 60% within 30d each 90d" } },
	{ "un 2015 b", { "careful false-notices at-most 5% each 180d" } },
	{ "un 2015 h", { "helpful help-answered at-least 60% within 2d each 180d" } },
	{ "osce 2016 8", { "there contact-live at-least 80% within 1d each 180d" } },
	{ "osce 2016 3", { "told plan-breach at-most 2 each 180d", "late plan-overdue at-most 20% each 180d" } },
	{ "industry 2017 updates", { "equal artefact-equal at-least 90% each 180d" } },
	{ "un 2015 e", { NULL } },
};
#define PLEDGES (sizeof(pledges) / sizeof(pledges[0]))

static void pledge(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	struct statement_writer *w = history_write(h, KIND_PLEDGE, LEDGER_PUBLIC, m->from);

	statement_add(w, "norm", span_of(pledges[m->number].norm));
	if (m->flag)
		statement_add_time(w, "end", h->now_ms + 1000 * DAY_MS);
	for (size_t t = 0; t < 2 && pledges[m->number].terms[t] != NULL; t++)
		statement_add(w, "term", span_of(pledges[m->number].terms[t]));
	statement_add(w, "unilateral", SPAN("yes"));
	m->done = history_say(h, KIND_PLEDGE, m->from, &m->id);
}

static void script_pledge(struct history *h, uint32_t party)
{
	int64_t ms = HISTORY_BEGIN_MS + 40 * DAY_MS + (int64_t)draw(h, 900 * DAY_MS);
	uint32_t i = history_make(
		h, (struct made){ .from = party, .number = (uint32_t)draw(h, PLEDGES), .flag = chance(h, 50) });

	history_then(h, ms, pledge, i, 0, 0, NULL);
	if (chance(h, 12))
		history_then(h, ms + 400 * DAY_MS, history_take_back, i, 0, LEDGER_PUBLIC, NULL);
}

/* ---- agreements ---- */

static const char *const terms[] = {
	"swift acknowledged at-least 50% within 6d each 90d gives share",
	"mend fixed at-least 20% within 60d each 90d gives help",
	"again re-offence at-most 40% each 90d",
	"told plan-explained at-least 5% each 90d",
};
#define TERMS (sizeof(terms) / sizeof(terms[0]))

/* The same lines from both; about: of the second the offer. */
static void agree(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	uint32_t low = m->from < m->to ? m->from : m->to, high = m->from < m->to ? m->to : m->from;
	struct statement_writer *w;

	if (m->about != NOBODY && !h->made[m->about].done)
		return;
	w = history_write(h, KIND_AGREEMENT, LEDGER_PUBLIC, m->from);
	statement_add(w, "to", name_of(h, m->to));
	statement_add(w, "party", name_of(h, low));
	statement_add(w, "party", name_of(h, high));
	statement_add(w, "depositary", name_of(h, node_of(h)));
	statement_add_time(w, "start", m->first_ms);
	statement_add_time(w, "end", m->last_ms);
	statement_add(w, "exit-notice", SPAN("30d"));
	statement_add(w, "codes", SPAN("1,2,3"));
	for (uint32_t t = 0; t < TERMS; t++)
		if (t == 0 || (m->number >> t & 1) != 0)
			statement_add(w, "term", span_of(terms[t]));
	if (m->about != NOBODY)
		statement_add_hash(w, "re", h->made[m->about].id);
	m->done = history_say(h, KIND_AGREEMENT, m->from, &m->id);
}

static void answer_agreement(struct history *h, const struct action *a)
{
	const struct made *m = &h->made[a->made];
	struct statement_writer *w;
	struct hash id;

	if (!m->done)
		return;
	w = history_answer(h, LEDGER_PUBLIC, a->who, m->id, a->word);
	if (a->which != 0)
		statement_add(w, "term", SPAN("swift"));
	history_say(h, KIND_ANSWER, a->who, &id);
}

static void script_agreement(struct history *h, uint32_t k)
{
	int64_t ms = HISTORY_BEGIN_MS + 60 * DAY_MS + (int64_t)draw(h, 400 * DAY_MS);
	struct made m = { .about = NOBODY, .number = (uint32_t)draw(h, 1 << TERMS) };
	uint32_t offer, other;

	pair_of(h, k, &m.from, &m.to);
	m.first_ms = ms + 20 * DAY_MS;
	m.last_ms = m.first_ms + (3 + (int64_t)draw(h, 2)) * 365 * DAY_MS;
	offer = history_make(h, m);
	history_then(h, ms, agree, offer, 0, 0, NULL);
	if (chance(h, 6)) {
		history_then(h, ms + DAY_MS, answer_agreement, offer, m.to, 0, "objected");
		return;
	}
	if (chance(h, 6))
		return; /* it lapses */
	other = m.from;
	m.from = m.to;
	m.to = other;
	m.about = offer;
	other = history_make(h, m);
	history_then(h, ms + a_while(h, m.from, 8 * DAY_MS), agree, other, 0, 0, NULL);
	/* Where there happens to be something to resolve. */
	for (int64_t at = m.first_ms + 190 * DAY_MS; at < m.last_ms && chance(h, 60); at += 90 * DAY_MS) {
		history_then(h, at, answer_agreement, offer, m.from, 1, "resolved");
		history_then(h, at + DAY_MS, answer_agreement, offer, m.to, 1, "resolved");
	}
	if (chance(h, 10))
		history_then(h, m.first_ms + (int64_t)draw(h, 900) * DAY_MS, history_take_back, other, 0, LEDGER_PUBLIC,
			     NULL);
}

void script_promises(struct history *h)
{
	for (uint32_t i = 0; i < h->size.parties; i++)
		for (int k = 0; k < 3; k++)
			if (chance(h, 60))
				script_pledge(h, i);
	for (uint32_t k = 0; k < h->size.agreements; k++)
		script_agreement(h, k);
	script_canaries(h);
}

/* ---- help ---- */

static void ask(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	struct statement_writer *w = history_write(h, KIND_REQUEST, LEDGER_CIRCLE, m->from);
	bool to_all = a->which == 2;

	statement_add(w, "to", to_all ? SPAN("all") : name_of(h, m->to));
	statement_add(w, "need", span_of(a->word));
	if (a->which != 0 && m->flag)
		statement_add(w, "critical", SPAN("energy"));
	if (a->which != 0) {
		statement_add(w, "skill", SPAN("forensics"));
		statement_add_print(w, "affected", "%" PRIu32, 10 + m->number);
	}
	m->done = history_say(h, KIND_REQUEST, m->from, &m->id);
}

/* which: 0 who was asked; 1 who asked, and whose offer it takes; 2 who asked, with a body that shows it */
static void answer_help(struct history *h, const struct action *a)
{
	const struct made *m = &h->made[a->made];
	struct body_reference body = { .media_type = SPAN("text/plain"), .size = 300, .sealed = true };
	uint32_t from = a->which == 0 ? m->to : m->from;
	struct statement_writer *w;
	struct hash id;

	if (!m->done)
		return;
	w = history_answer(h, LEDGER_CIRCLE, from, m->id, a->word);
	if (a->which == 1)
		statement_add(w, "whom", name_of(h, m->to));
	body.hash = hash_bytes(&h->now_ms, sizeof(h->now_ms));
	if (a->which == 2)
		statement_add_body(w, &body);
	history_say(h, KIND_ANSWER, from, &id);
}

static void script_ping(struct history *h, int64_t ms, uint32_t to)
{
	uint32_t i = history_make(h, (struct made){ .from = node_of(h), .to = to, .about = NOBODY });

	history_then(h, ms, ask, i, 0, 0, "ping");
	if (chance(h, to % 9 == 6 ? 20 : 90))
		history_then(h, ms + a_while(h, to, 2 * DAY_MS), answer_help, i, 0, 0, "acknowledged");
}

void script_help(struct history *h)
{
	int64_t ms = some_time(h);
	struct made m = { .about = NOBODY, .number = (uint32_t)draw(h, 5000), .flag = chance(h, 30) };
	uint32_t i;

	history_pair(h, &m.from, &m.to);
	if (chance(h, 60)) {
		script_ping(h, ms, m.to);
		return;
	}
	i = history_make(h, m);
	history_then(h, ms, ask, i, 0, chance(h, 30) ? 2 : 1, "help");
	if (chance(h, 20))
		return;
	history_then(h, ms += a_while(h, m.to, 3 * DAY_MS), answer_help, i, 0, 0,
		     chance(h, 80) ? "offered" : "objected");
	history_then(h, ms += a_while(h, m.from, DAY_MS), answer_help, i, 0, 1, "accepted");
	history_then(h, ms += a_while(h, m.to, 5 * DAY_MS), answer_help, i, 0, 0, "working");
	if (chance(h, 70))
		history_then(h, ms + a_while(h, m.from, 20 * DAY_MS), answer_help, i, 0, 2, "recovered");
	else
		history_then(h, ms + a_while(h, m.from, 20 * DAY_MS), answer_help, i, 0, 3, "closed");
}
