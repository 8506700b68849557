/* Who is there: parties come, claim, prove, vouch, change and lose their keys, say which codes they use, go and come back. */
#include "history_script.h"

#include <inttypes.h>
#include <stdio.h>

#include "regime/proof.h"
#include "regime/vouch.h"

#define COMING_MS (25 * DAY_MS) /* in which all come */

static void add_claims(struct statement_writer *w, const struct member *m)
{
	if (m->number % 4 == 3)
		return;
	statement_add_print(w, "claim", "AS%" PRIu32, 64496 + m->number % 16 + 4000 * (m->number / 16));
	statement_add_print(w, "claim", "prefix %" PRIu32 ".%" PRIu32 ".0.0/16", 20 + m->number / 200, m->number % 200);
	if (m->number % 20 == 1)
		statement_add_print(w, "claim", "country E%c", (char)('A' + m->number / 20 % 26));
}

static void add_next(struct statement_writer *w, const struct member *m)
{
	if (m->next != NULL)
		statement_add_hash(w, "next-key", verifier_fingerprint(signer_verifier(m->next)));
}

/* Files the member's statement as it is now. */
static bool file(struct history *h, uint32_t i, unsigned version)
{
	struct member *m = member(h, i);
	struct statement_writer *w = history_write(h, KIND_PARTY, LEDGER_PUBLIC, i);
	struct hash id;

	add_public_key(w, m->key);
	statement_add(w, "role", span_of(m->role));
	statement_add_print(w, "title", "%s, as of its statement %u", m->name, version);
	statement_add_print(w, "contact", "mailto:duty@%s", m->name);
	add_claims(w, m);
	add_next(w, m);
	if (!history_say(h, KIND_PARTY, i, &id))
		return false;
	m->statement = id;
	return true;
}

static void approve(struct history *h, const struct action *a)
{
	struct hash id;

	history_answer(h, LEDGER_PUBLIC, node_of(h), member(h, a->who)->statement, a->word);
	history_say(h, KIND_ANSWER, node_of(h), &id);
}

static void come(struct history *h, const struct action *a)
{
	file(h, a->who, a->which);
}

static void announce(struct history *h, const struct action *a)
{
	struct member *m = member(h, a->who);

	if (m->next == NULL)
		m->next = history_signer(m->name, m->keys++);
	file(h, a->who, a->which);
}

static void rotate(struct history *h, const struct action *a)
{
	struct member *m = member(h, a->who);
	struct signer *old = m->key, *next = m->next;

	if (next == NULL)
		return;
	m->key = next;
	m->next = NULL;
	if (file(h, a->who, a->which)) {
		signer_free(old);
		return;
	}
	m->key = old;
	m->next = next;
}

static void leave(struct history *h, const struct action *a)
{
	struct statement_writer *w = history_write(h, KIND_WITHDRAW, LEDGER_PUBLIC, a->who);
	struct hash id;

	statement_add_hash(w, "re", member(h, a->who)->statement);
	if (a->word != NULL)
		statement_add(w, "reason", span_of(a->word));
	history_say(h, KIND_WITHDRAW, a->who, &id);
}

/* ---- vouches ---- */

static void vouch(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	struct member *to = member(h, m->to);
	bool recovery = a->which != 0;
	struct statement_writer *w = history_write(h, KIND_VOUCH, LEDGER_PUBLIC, m->from);

	if (recovery && to->next == NULL)
		to->next = history_signer(to->name, to->keys++);
	statement_add(w, "to", name_of(h, m->to));
	statement_add_hash(w, "vouched-key", verifier_fingerprint(signer_verifier(recovery ? to->next : to->key)));
	if (recovery)
		statement_add(w, "recovery", SPAN("yes"));
	else
		statement_add(w, "visited", SPAN("yes"));
	statement_add_time(w, "until", h->now_ms + 360 * DAY_MS);
	m->done = history_say(h, KIND_VOUCH, m->from, &m->id);
}

static void script_vouch(struct history *h, uint32_t from, uint32_t to, int64_t ms, unsigned recovery)
{
	uint32_t i = history_make(h, (struct made){ .from = from, .to = to, .about = NOBODY });

	history_then(h, ms, vouch, i, 0, recovery, NULL);
	if (recovery == 0 && chance(h, 8))
		history_then(h, ms + (int64_t)draw(h, 300) * DAY_MS, history_take_back, i, 0, LEDGER_PUBLIC, NULL);
}

/* ---- proofs ---- */

static void prove(struct history *h, const struct action *a)
{
	struct made *m = &h->made[a->made];
	struct statement_writer *w = history_write(h, KIND_PROOF, LEDGER_PUBLIC, m->from);
	struct buffer body = BUFFER(1024);

	statement_add(w, "method", span_of(m->word));
	if (m->number == 0)
		statement_add_print(w, "resource", "prefix %" PRIu32 ".%" PRIu32 ".0.0/16", 20 + m->from / 200,
				    m->from % 200);
	else if (m->number == 1)
		statement_add_print(w, "resource", "%s", member(h, m->from)->name);
	else
		statement_add_print(w, "subject", "Team of %s", member(h, m->from)->name);
	buffer_print(&body, "{\"method\":\"%s\",\"made-up\":\"%s %" PRIu32 "\"}", m->word, member(h, m->from)->name,
		     a->made);
	m->done = history_say_with(h, KIND_PROOF, m->from, PROOF_MEDIA_TYPE, buffer_view(&body), &m->id);
	buffer_free(&body);
}

static void judge(struct history *h, const struct action *a)
{
	const struct made *m = &h->made[a->made];
	struct statement_writer *w;
	struct hash id;

	if (!m->done)
		return;
	w = history_answer(h, LEDGER_PUBLIC, node_of(h), m->id, a->word);
	if (a->which != 0)
		statement_add_time(w, "until", h->now_ms + (int64_t)a->which * DAY_MS);
	else
		statement_add(w, "reason", SPAN("evidence-expired"));
	history_say(h, KIND_ANSWER, node_of(h), &id);
}

static void script_proof(struct history *h, uint32_t party, int64_t ms)
{
	static const char *const methods[] = { "rsc", "dnssec", "openpgp" };
	uint32_t number = (uint32_t)draw(h, 3);
	uint32_t i = history_make(h, (struct made){ .from = party, .number = number, .word = methods[number] });

	history_then(h, ms, prove, i, 0, 0, NULL);
	for (ms += HOUR_MS; chance(h, 85); ms += 180 * DAY_MS) {
		if (chance(h, 12)) {
			history_then(h, ms, judge, i, 0, 0, "objected");
			break;
		}
		history_then(h, ms, judge, i, 0, 190, "accepted");
	}
	if (chance(h, 10))
		history_then(h, ms, history_take_back, i, 0, LEDGER_PUBLIC, NULL);
}

/* ---- vocabularies ---- */

static void codes(struct history *h, const struct action *a)
{
	struct statement_writer *w = history_write(h, KIND_VOCABULARY, LEDGER_PUBLIC, a->who);
	struct hash id;

	statement_add(w, "codes", SPAN("1"));
	for (unsigned c = 1; c <= 12; c++)
		if (c <= 6 || (a->which >> c & 1) != 0)
			statement_add_print(w, "recognise", "%u", c);
	history_say(h, KIND_VOCABULARY, a->who, &id);
}

/* ---- all of it ---- */

static void script_keys(struct history *h, uint32_t i)
{
	int64_t ms = some_time(h);
	unsigned version = 2;

	for (int k = 0; k < 3 && chance(h, 50); k++, ms += 200 * DAY_MS) {
		history_then(h, ms, announce, 0, i, version++, NULL);
		history_then(h, ms + a_while(h, i, 30 * DAY_MS), rotate, 0, i, version++, NULL);
	}
}

/* Its key is stolen; three vouch for another one, which files after the wait. */
static void script_theft(struct history *h, uint32_t i)
{
	int64_t ms = some_time(h), filed = ms + 2 * DAY_MS + RECOVERY_WAIT_MS + HOUR_MS;

	history_then(h, ms, leave, 0, i, 0, "key-compromised");
	for (uint32_t k = 1; k <= 3; k++)
		script_vouch(h, (i + 7 * k) % h->size.parties, i, ms + (int64_t)k * 16 * HOUR_MS, 1);
	history_then(h, filed, rotate, 0, i, 90, NULL);
	history_then(h, filed + DAY_MS, approve, 0, i, 0, "accepted");
}

static void script_party(struct history *h, uint32_t i)
{
	int64_t ms = HISTORY_BEGIN_MS + HOUR_MS + (int64_t)draw(h, COMING_MS);

	history_then(h, ms, come, 0, i, 1, NULL);
	if (i % 4 != 3)
		history_then(h, ms + HOUR_MS, approve, 0, i, 0, chance(h, 92) ? "accepted" : "objected");
	if (chance(h, 60))
		script_proof(h, i, ms + 3 * DAY_MS);
	if (chance(h, 30))
		history_then(h, some_time(h), codes, 0, i, (uint32_t)draw(h, 1 << 13), NULL);
	if (chance(h, 40))
		script_keys(h, i);
	if (i % 25 == 12)
		script_theft(h, i);
	if (i % 30 == 17) {
		ms = some_time(h);
		history_then(h, ms, leave, 0, i, 0, NULL);
		history_then(h, ms + a_while(h, i, 90 * DAY_MS), come, 0, i, 50, NULL);
	}
}

void script_parties(struct history *h)
{
	for (uint32_t i = 0; i < h->size.parties; i++)
		script_party(h, i);
	for (int64_t ms = HISTORY_BEGIN_MS + 30 * DAY_MS; ms < history_end_ms(&h->size); ms += 350 * DAY_MS)
		for (uint32_t i = 0; i < h->size.parties; i += 2)
			script_vouch(h, i, (i * 13 + 5) % h->size.parties, ms + (int64_t)draw(h, 10 * DAY_MS), 0);
}
