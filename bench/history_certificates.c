/* What is certified: products by laboratories, with envelopes that are really signed; what became of it; releases, and statements
 * that lapse. */
#include "history_script.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "regime/in_toto.h"

#define BODY_MOST ((size_t)64 << 10)

static struct hash artefact(uint32_t product, unsigned version, unsigned which)
{
	uint32_t numbers[3] = { product, version, which };

	return hash_bytes(numbers, sizeof(numbers));
}

static struct span hash_subject(struct arena *a, struct hash hash)
{
	char hex[HASH_HEX + 1];

	hash_hex(hash, hex);
	return span_of(arena_print(a, "sha256:%s", hex));
}

/* Signed by the author, and by the node as a second. */
static void seal(struct history *h, const struct in_toto *t, uint32_t from, struct buffer *out)
{
	struct buffer payload = BUFFER(BODY_MOST);
	struct dsse d = { .payload_type = SPAN(IN_TOTO_PAYLOAD_TYPE) };

	history_need(in_toto_print(h->arena, t, SPAN(""), SPAN(""), &payload));
	d.payload = buffer_view(&payload);
	history_need(dsse_sign(h->arena, &d, member(h, from)->key));
	history_need(dsse_sign(h->arena, &d, node_signer(h->node)));
	dsse_print(&d, out);
	history_need(out->err);
	buffer_free(&payload);
}

static void add_terms(struct statement_writer *w, const struct in_toto *t)
{
	statement_add(w, "predicate", span_of(predicate_name(t->kind)));
	for (size_t i = 0; i < t->subject_count; i++)
		statement_add(w, "subject", t->subjects[i]);
	if (t->scheme.len > 0)
		statement_add(w, "scheme", t->scheme);
	if (t->level.len > 0)
		statement_add(w, "level", t->level);
	if (t->laboratory.len > 0)
		statement_add(w, "laboratory", t->laboratory);
	if (t->end_ms != 0)
		statement_add_time(w, "end", t->end_ms);
	if (t->has_statement)
		statement_add_hash(w, "re", t->statement);
}

/* An evaluation, a validation, a declaration. which: its predicate. */
static void certify(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	struct buffer body = BUFFER(BODY_MOST);
	struct span subjects[2];
	struct in_toto t = { .ours = true, .kind = (enum predicate)a->which, .subjects = subjects, .subject_count = 2 };

	if (m->about != NOBODY && !h->made[m->about].done)
		return;
	arena_reset(h->arena);
	subjects[0] = hash_subject(h->arena, artefact(m->number, 1, 0));
	subjects[1] = span_of(
		arena_print(h->arena, "pkg:generic/product-%" PRIu32 "@1.%" PRIu32, m->number % 200, m->number % 9));
	t.issuer = name_of(h, m->from);
	t.scheme = SPAN("eucc");
	t.level = m->flag ? SPAN("high") : SPAN("substantial");
	t.laboratory = name_of(h, m->to);
	t.end_ms = (h->now_ms / 1000 + 2 * 365 * 86400) * 1000;
	t.has_statement = m->about != NOBODY;
	if (t.has_statement)
		t.statement = h->made[m->about].id;
	seal(h, &t, m->from, &body);
	add_terms(history_write(h, KIND_CERTIFICATE, LEDGER_PUBLIC, m->from), &t);
	m->done = history_say_with(h, KIND_CERTIFICATE, m->from, CERTIFICATE_MEDIA_TYPE, buffer_view(&body), &m->id);
	buffer_free(&body);
}

/* A counter, or a status: who speaks is given; the word is the status, NULL of a counter. */
static void speak_of(struct history *h, const struct action *a)
{
	const struct made *m = &h->made[a->made];
	struct statement_writer *w;
	struct hash id;

	if (!m->done)
		return;
	w = history_write(h, KIND_CERTIFICATE, LEDGER_PUBLIC, a->who);
	statement_add(w, "predicate", a->word == NULL ? SPAN("counter") : SPAN("status"));
	statement_add_hash(w, "re", m->id);
	if (a->word == NULL) {
		statement_add(w, "text", SPAN("the test was of another build"));
	} else {
		statement_add(w, "status", span_of(a->word));
		statement_add(w, "reason", SPAN("a weakness was found in what was tested"));
	}
	history_say(h, KIND_CERTIFICATE, a->who, &id);
}

static void script_evaluation(struct history *h)
{
	int64_t ms = some_time(h);
	uint32_t n = h->size.parties, i, v;
	struct made m = { .from = (uint32_t)draw(h, n), .about = NOBODY, .number = (uint32_t)draw(h, 100000) };

	m.to = (m.from + 3) % n;
	m.flag = chance(h, 20);
	i = history_make(h, m);
	history_then(h, ms, certify, i, 0, chance(h, 80) ? PREDICATE_EVALUATION : PREDICATE_DECLARATION, NULL);
	if (chance(h, 35)) {
		m.about = i;
		m.from = (m.from + 9) % n;
		v = history_make(h, m);
		history_then(h, ms + 10 * DAY_MS, certify, v, 0, PREDICATE_VALIDATION, NULL);
	}
	if (chance(h, 15))
		history_then(h, ms + 60 * DAY_MS, speak_of, i, (m.from + 21) % n, 0, NULL);
	if (chance(h, 20)) {
		history_then(h, ms + 90 * DAY_MS, speak_of, i, h->made[i].from, 0, "suspended");
		history_then(h, ms + 120 * DAY_MS, speak_of, i, m.to, 0, chance(h, 60) ? "valid" : "withdrawn");
	}
	if (chance(h, 5))
		history_then(h, ms + 200 * DAY_MS, history_take_back, i, 0, LEDGER_PUBLIC, NULL);
}

/* ---- releases ---- */

static const char *const regions[] = { "CN", "DE", "EE", "IN", "US" };
#define REGIONS (sizeof(regions) / sizeof(regions[0]))

static void add_artefact(struct history *h, struct statement_writer *w, const char *region, struct hash hash,
			 int64_t ms)
{
	char time[CLOCK_TEXT];

	clock_format(ms, time);
	statement_add_print(w, "artefact", "%s %.*s %s", region, SPAN_FORMAT(hash_subject(h->arena, hash)), time);
}

/* which: 0 all alike, 1 one region gets another, 2 one is left out, 3 one gets it late */
static void release(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	struct statement_writer *w = history_write(h, KIND_CERTIFICATE, LEDGER_PUBLIC, m->from);

	arena_reset(h->arena);
	statement_add(w, "predicate", SPAN("release"));
	statement_add_print(w, "product", "pkg:generic/product-%" PRIu32, m->from);
	statement_add_print(w, "version", "%" PRIu32 ".%" PRIu32, m->number / 10, m->number % 10);
	statement_add(w, "regions", SPAN("CN,DE,EE,IN,US"));
	for (uint32_t r = 0; r < REGIONS; r++)
		if (a->which != 2 || r != 3)
			add_artefact(h, w, regions[r], artefact(m->from, m->number, a->which == 1 && r == 0),
				     h->now_ms + (a->which == 3 && r == 2 ? 9 * HOUR_MS : 0));
	m->done = history_say(h, KIND_CERTIFICATE, m->from, &m->id);
}

static void see(struct history *h, const struct action *a)
{
	const struct made *m = &h->made[a->made];
	struct statement_writer *w;
	struct hash id;

	if (!m->done)
		return;
	arena_reset(h->arena);
	w = history_write(h, KIND_CERTIFICATE, LEDGER_PUBLIC, a->who);
	statement_add(w, "predicate", SPAN("seen"));
	statement_add_hash(w, "re", m->id);
	add_artefact(h, w, regions[a->who % REGIONS], artefact(m->from, m->number, a->which), h->now_ms - HOUR_MS);
	history_say(h, KIND_CERTIFICATE, a->who, &id);
}

static void script_release(struct history *h)
{
	int64_t ms = some_time(h);
	uint32_t n = h->size.parties, from = (uint32_t)draw(h, 40) * 5 + 2;
	uint32_t i = history_make(h, (struct made){ .from = from % n, .number = (uint32_t)draw(h, 100000) });
	uint32_t which = chance(h, 70) ? 0 : 1 + (uint32_t)draw(h, 3);

	history_then(h, ms, release, i, 0, which, NULL);
	for (uint32_t k = 1; k <= 3; k++)
		if (chance(h, 40))
			history_then(h, ms + (int64_t)k * DAY_MS, see, i, (from + 11 * k) % n, chance(h, 10), NULL);
}

void script_certificate(struct history *h)
{
	if (chance(h, 60))
		script_evaluation(h);
	else
		script_release(h);
}

/* ---- statements that lapse ---- */

static void renew(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	struct statement_writer *w = history_write(h, KIND_CERTIFICATE, LEDGER_PUBLIC, m->from);

	statement_add(w, "predicate", SPAN("canary"));
	statement_add(w, "name", SPAN("weakening"));
	statement_add_time(w, "end", h->now_ms + 95 * DAY_MS);
	statement_add(w, "text", SPAN("We were not asked to weaken this, and did not."));
	if (m->done)
		statement_add_hash(w, "re", m->id);
	m->done = history_say(h, KIND_CERTIFICATE, m->from, &m->id);
}

void script_canaries(struct history *h)
{
	for (uint32_t i = 2; i < h->size.parties; i += 10) {
		uint32_t c = history_make(h, (struct made){ .from = i });

		for (int64_t ms = HISTORY_BEGIN_MS + (40 + i) * DAY_MS; ms < history_end_ms(&h->size);
		     ms += 90 * DAY_MS)
			if (!chance(h, 5)) /* else it lapses, and comes back */
				history_then(h, ms + (int64_t)draw(h, 3 * DAY_MS), renew, c, 0, 0, NULL);
			else if (chance(h, 30))
				break; /* or does not */
	}
}
