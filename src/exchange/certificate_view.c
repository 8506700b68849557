#include "exchange/certificate_view.h"

#include "ledger/entry.h"
#include "regime/vouch.h"

/* ---- who signed ---- */

struct matching {
	struct arena *arena;
	const struct dsse *d;
	struct told_signer *signers;
	struct span party;
	const struct state *st;
};

static enum err on_key(void *context, const struct party_key *k)
{
	struct matching *m = context;
	char id[HASH_HEX + 1];

	hash_hex(k->fingerprint, id);
	for (size_t i = 0; i < m->d->signature_count; i++) {
		const char *name;

		if (!span_is(m->d->signatures[i].keyid, id) || m->signers[i].party.len > 0)
			continue;
		if ((name = arena_copy(m->arena, m->party.at, m->party.len)) == NULL)
			return ERR_NO_MEMORY;
		m->signers[i].party = span_make(name, m->party.len);
		/* Of each signature by itself: all of all keys would be thousands, over a megabyte each. */
		m->signers[i].good = dsse_signature_is_good(m->d, i, &k->key);
	}
	return OK;
}

/* Former keys too: what was signed stays signed. */
static enum err on_party(void *context, const struct party *p)
{
	struct matching *m = context;

	m->party = p->domain;
	return party_keys(m->st, p->domain, on_key, m);
}

enum err certificate_signers(struct arena *a, const struct state *st, const struct dsse *d, struct told_signer **out,
			     size_t *count)
{
	struct matching m = { .arena = a, .d = d, .st = st };

	if ((m.signers = arena_array(a, d->signature_count, sizeof(*m.signers))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < d->signature_count; i++)
		m.signers[i].keyid = d->signatures[i].keyid;
	*out = m.signers;
	*count = d->signature_count;
	return state_parties(st, on_party, &m);
}

/* ---- the envelope ---- */

struct seeking {
	struct hash wanted;
	struct verifier key;
	bool found;
};

static enum err on_author_key(void *context, const struct party_key *k)
{
	struct seeking *s = context;

	if (hash_equal(k->fingerprint, s->wanted)) {
		s->key = k->key;
		s->found = true;
	}
	return OK;
}

static enum err read_statement(struct node *n, struct arena *a, uint64_t index, struct statement *out)
{
	struct span text;
	struct entry entry;
	enum err e = node_entry(n, a, LEDGER_PUBLIC, index, &text);

	if (e == OK)
		e = entry_parse(text, &entry);
	return e == OK ? statement_parse(a, entry.note, out) : e;
}

static enum err check_envelope(struct node *n, struct arena *a, const struct state *st, struct span body,
			       struct told_certificate *t)
{
	struct seeking author = { .wanted = t->c.key };
	struct statement s;
	enum err e = read_statement(n, a, t->c.index, &s);

	if (e == OK)
		e = party_keys(st, t->c.from, on_author_key, &author);
	if (e != OK)
		return e;
	t->wrong = author.found ? certificate_body_check(a, &s, body, &author.key)
				: fail(ERR_KEY_UNKNOWN, "no key of that fingerprint is known of its author");
	if (t->wrong == ERR_NO_MEMORY)
		return t->wrong;
	if (t->wrong != OK && (t->why_wrong = arena_print(a, "%s", err_detail())) == NULL)
		return ERR_NO_MEMORY;
	return OK;
}

static enum err tell_envelope(struct node *n, struct arena *a, const struct state *st, struct told_certificate *t)
{
	struct dsse *d = arena_alloc(a, sizeof(*d));
	const uint8_t *salt;
	struct span body;
	enum err e = d != NULL ? node_body(n, a, t->c.body.hash, &salt, &body) : ERR_NO_MEMORY;

	if (e == ERR_NOT_FOUND)
		return OK; /* erased, or never came */
	if (e == OK)
		e = check_envelope(n, a, st, body, t);
	t->here = e == OK;
	if (e != OK || dsse_parse(a, body, d) != OK)
		return e;
	e = certificate_signers(a, st, d, &t->signers, &t->signer_count);
	if (e != OK || in_toto_parse(a, d->payload, &t->statement) != OK)
		return e;
	t->readable = true;
	return in_toto_claims(a, &t->statement, &t->claims, &t->claim_count);
}

/* ---- what others say ---- */

#define ENOUGH ERR_EXISTS /* ends the walk; never leaves this file */

struct gathering {
	struct node *n;
	struct arena *arena;
	const struct state *st;
	int64_t at_ms;
	struct told_certificate *t;
};

static enum err on_citing(void *context, const struct certificate *c)
{
	struct gathering *g = context;
	struct told_certificate *t = g->t;
	struct told_voice *v;
	struct statement s;
	enum err e;

	if (t->voice_count == TOLD_VOICES_MAX) {
		t->more_voices = true;
		return ENOUGH;
	}
	v = &t->voices[t->voice_count];
	*v = (struct told_voice){ .c = *c };
	v->counts = c->predicate == PREDICATE_STATUS && hash_equal(c->re, t->c.id) &&
		    (span_equal(c->from, t->c.from) || span_equal(c->from, t->c.laboratory));
	e = certificate_standing(g->st, c, g->at_ms, &v->standing);
	if (e == OK)
		e = read_statement(g->n, g->arena, c->index, &s);
	if (e == OK && statement_header(&s, "text") != NULL)
		v->text = statement_header(&s, "text")->value;
	t->voice_count += e == OK;
	return e;
}

enum err certificate_tell(struct node *n, struct arena *a, const struct state *st, const struct certificate *c,
			  int64_t at_ms, struct told_certificate *out)
{
	struct told_certificate t = { .c = *c, .wrong = OK };
	struct gathering g = { n, a, st, at_ms, &t };
	enum err e = certificate_standing(st, c, at_ms, &t.standing);

	if (e == OK && c->has_body)
		e = tell_envelope(n, a, st, &t);
	err_clear();
	if (e == OK && (t.voices = arena_array(a, TOLD_VOICES_MAX, sizeof(*t.voices))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = certificates_citing(st, c->id, on_citing, &g);
	if (e == OK || e == ENOUGH) {
		e = OK;
		*out = t;
	}
	return e;
}

/* ---- JSON ---- */

static void print_word(struct json *j, const char *name, struct span value)
{
	if (value.len > 0)
		json_string(j, name, value);
}

static void print_standing(struct json *j, const struct certificate *c, const struct certificate_standing *s)
{
	json_text(j, "status", certificate_status_name(s->status));
	json_time(j, "status_since", c->status_ms);
	if (c->predicate != PREDICATE_STATUS)
		print_word(j, "status_reason", c->reason);
	json_bool(j, "withdrawn", c->withdrawn);
	json_bool(j, "not_yet", s->not_yet);
	json_bool(j, "expired", s->expired);
	json_bool(j, "key_revoked", s->key_revoked);
	json_number(j, "counters", s->counters);
	json_number(j, "rests_on", (int64_t)s->rests_on);
	if (!s->rests_on_bad) {
		json_null(j, "rests_on_bad");
		return;
	}
	json_object(j, "rests_on_bad");
	json_hash(j, "id", s->bad);
	json_bool(j, "unknown", s->bad_unknown);
	json_bool(j, "expired", s->bad_expired);
	json_bool(j, "key_revoked", s->bad_key_revoked);
	if (s->bad_unknown)
		json_null(j, "status");
	else
		json_text(j, "status", certificate_status_name(s->bad_status));
	json_object_end(j);
}

void certificate_print(const struct certificate *c, const struct certificate_standing *s, struct json *j)
{
	json_hash(j, "id", c->id);
	json_number(j, "index", (int64_t)c->index);
	json_time(j, "logged", c->logged_ms);
	json_text(j, "predicate", predicate_name(c->predicate));
	json_string(j, "from", c->from);
	json_hash(j, "key", c->key);
	json_array(j, "subjects");
	for (size_t i = 0; i < c->subject_count; i++)
		json_string(j, NULL, c->subjects[i]);
	json_array_end(j);
	print_word(j, "scheme", c->scheme);
	print_word(j, "level", c->level);
	print_word(j, "laboratory", c->laboratory);
	print_word(j, "name", c->name);
	json_time(j, "start", c->start_ms);
	if (c->end_ms == INT64_MAX)
		json_null(j, "end");
	else
		json_time(j, "end", c->end_ms);
	if (c->has_re)
		json_hash(j, "re", c->re);
	json_array(j, "cites");
	for (size_t i = 0; i < c->cite_count; i++)
		json_hash(j, NULL, c->cites[i]);
	json_array_end(j);
	if (c->predicate == PREDICATE_STATUS) {
		json_text(j, "says", certificate_status_name(c->says));
		print_word(j, "reason", c->reason);
	}
	json_bool(j, "demonstration", c->demonstration);
	if (c->has_body)
		json_hash(j, "envelope", c->body.hash);
	else
		json_null(j, "envelope");
	print_standing(j, c, s);
}

static void print_claim(struct json *j, const struct told_claim *c)
{
	json_object(j, NULL);
	print_word(j, "ref", c->ref);
	json_string(j, "claim", c->text);
	print_word(j, "reasoning", c->reasoning);
	print_word(j, "target", c->target);
	json_number(j, "evidence", (int64_t)c->evidence);
	json_number(j, "counter_evidence", (int64_t)c->counter_evidence);
	json_bool(j, "counter", c->counter);
	if (c->assessed) {
		json_object(j, "assessed");
		json_string(j, "by", c->assessor);
		json_bool(j, "third_party", c->third_party);
		print_word(j, "requirement", c->requirement);
		if (c->has_conformance)
			json_fraction(j, "conformance", c->conformance, 3);
		if (c->has_confidence)
			json_fraction(j, "confidence", c->confidence, 3);
		json_object_end(j);
	} else {
		json_null(j, "assessed");
	}
	json_object_end(j);
}

static void print_signers(struct json *j, const struct told_certificate *t)
{
	json_array(j, "signers");
	for (size_t i = 0; i < t->signer_count; i++) {
		const struct told_signer *s = &t->signers[i];

		json_object(j, NULL);
		json_string(j, "keyid", s->keyid);
		if (s->party.len > 0) {
			json_string(j, "party", s->party);
			json_bool(j, "good", s->good);
		} else {
			json_null(j, "party");
			json_null(j, "good");
		}
		json_object_end(j);
	}
	json_array_end(j);
}

void certificate_tell_print(const struct told_certificate *t, struct json *j)
{
	certificate_print(&t->c, &t->standing, j);
	json_bool(j, "envelope_here", t->here);
	if (t->here) {
		json_bool(j, "agrees", t->wrong == OK);
		json_text(j, "wrong", t->wrong == OK ? NULL : t->why_wrong);
	}
	print_signers(j, t);
	json_array(j, "claims");
	for (size_t i = 0; i < t->claim_count; i++)
		print_claim(j, &t->claims[i]);
	json_array_end(j);
	json_array(j, "about_it");
	for (size_t i = 0; i < t->voice_count; i++) {
		const struct told_voice *v = &t->voices[i];

		json_object(j, NULL);
		certificate_print(&v->c, &v->standing, j);
		print_word(j, "text", v->text);
		if (v->c.predicate == PREDICATE_STATUS)
			json_bool(j, "counts", v->counts);
		json_object_end(j);
	}
	json_array_end(j);
	json_bool(j, "more_about_it", t->more_voices);
	json_text(j, "note", "Claims, and who makes them. Whom to believe is the reader's own.");
}
