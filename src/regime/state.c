#include "regime/state.h"

#include <assert.h>

#include "regime/kinds_private.h"
#include "regime/party_keys.h"
#include "regime/speech.h"

/*
 * How the state is kept the same everywhere
 *
 *   1. Every byte of it comes from entries: header values, the entry's ledger, index and logged time. No clock, no random
 *	number, no journal position, no order of arrival but the ledger's own.
 *   2. An entry is folded by reading what stands there, deciding, then writing. Deciding is the same function that the
 *	door uses (check_rules below), so what the door would refuse folds to its id alone, wherever it came from.
 *   3. The id is written for every entry, also for those that fold to nothing: a statement counts once.
 *   4. What time brings (agreement_time.c) happens between check and write, by the time of the entry in hand.
 *   5. Values have one spelling (state_private.h). Numbers are big-endian and of fixed width, lists keep the order of the
 *	statement, a claim or a party is overwritten in its place.
 *
 * So two folds of the same entries give the same keys and values, and state_digest compares them.
 *
 * Cost: a notice is one get for the signer, one for its id, two puts (id and matter). Matters have sequential keys; only
 * ids are scattered.
 */

bool state_failed(enum err e)
{
	switch (e) {
	case ERR_NOT_FOUND: /* of a get that must find */
	case ERR_BUSY:
	case ERR_DAMAGED:
		return true;
	default:
		return err_is_machine(e);
	}
}

enum err state_ledger(const struct state *st, const struct statement *s, enum ledger_id *out)
{
	struct span name = s->ledger;

	if (name.len > st->node.len && memcmp(name.at, st->node.at, st->node.len) == 0 &&
	    name.at[st->node.len] == '/') {
		struct span which = span_from(name, st->node.len + 1);

		for (int l = 0; l < LEDGER_COUNT; l++)
			if (span_is(which, ledger_name((enum ledger_id)l))) {
				*out = (enum ledger_id)l;
				return OK;
			}
	}
	return fail(ERR_STATEMENT_LEDGER, "%.*s is no ledger of %.*s", SPAN_FORMAT(name), SPAN_FORMAT(st->node));
}

enum err statement_home(const struct statement *s, struct span *node, enum ledger_id *out)
{
	struct span which = s->ledger, name = span_cut(&which, '/');

	for (int l = 0; which.at != NULL && l < LEDGER_COUNT; l++)
		if (span_is(which, ledger_name((enum ledger_id)l)) && span_is_domain(name)) {
			*node = name;
			*out = (enum ledger_id)l;
			return OK;
		}
	return fail(ERR_STATEMENT_LEDGER, "%.*s is no ledger of a node", SPAN_FORMAT(s->ledger));
}

int64_t state_time(const struct state *st)
{
	return st->is_guest && st->home_ms < st->logged_ms ? st->home_ms : st->logged_ms;
}

/* A guest comes from another node's ledger of the same name. What this node says itself, it says at home. */
static enum err check_guest(const struct state *st, const struct statement *s)
{
	const struct kind_rules *r = kind_rules(s->kind);
	struct span node;
	enum ledger_id l;
	enum err e = statement_home(s, &node, &l);

	if (e != OK)
		return e;
	if (span_equal(node, st->node))
		return fail(ERR_STATEMENT_LEDGER, "ledger: it is at home here, so it is no guest");
	if (r == NULL || !r->guests)
		return fail(ERR_STATEMENT_LEDGER, "a %s of another node's ledger does not enter", kind_name(s->kind));
	if (from_node(st, s))
		return fail(ERR_STATEMENT_LEDGER, "ledger: what %.*s says stands in its own ledgers",
			    SPAN_FORMAT(st->node));
	return OK;
}

/* st->ledger is where it stands, or shall stand. */
static enum err check_home(const struct state *st, const struct statement *s)
{
	struct span node;
	enum ledger_id l;
	enum err e = st->is_guest ? check_guest(st, s) : state_ledger(st, s, &l);

	if (e == OK)
		e = statement_home(s, &node, &l);
	if (e == OK && (kind_ledgers(s->kind) & BIT(l)) == 0)
		return fail(ERR_STATEMENT_LEDGER, "a %s does not stand in the %s ledger", kind_name(s->kind),
			    ledger_name(l));
	return e;
}

/* The key that must have signed: the party's present one, or that which a party statement names itself, if it is the first or may
 * take the place of the one before it; of a guest also the one that was present when its home logged it. */
enum err state_signer(const struct state *st, const struct statement *s, struct verifier *key)
{
	const struct kind_rules *r = kind_rules(s->kind);
	struct party p;
	enum err e = party_get(st, s->from, &p);

	if (e == ERR_PARTY_UNKNOWN && s->kind == KIND_PARTY) {
		if ((e = party_public_key(s, key)) == OK && !hash_equal(s->key, verifier_fingerprint(key)))
			e = fail(ERR_KEY, "key: not the fingerprint of public-key");
		return e;
	}
	if (e != OK)
		return e;
	if (p.withdrawn && s->kind != KIND_PARTY)
		return fail(ERR_PARTY_UNKNOWN, "%.*s withdrew its party statement", SPAN_FORMAT(s->from));
	*key = p.key;
	if (p.revoked && hash_equal(s->key, p.fingerprint))
		return fail(ERR_KEY, "key: %.*s revoked it; sponsors can put another in its place",
			    SPAN_FORMAT(s->from));
	if (!hash_equal(s->key, p.fingerprint) && (e = keys_other(st, s, &p, key)) != OK)
		return e;
	if (r != NULL && (r->roles & p.roles) == 0)
		return fail(ERR_ROLE, "%.*s as %s may not issue a %s", SPAN_FORMAT(s->from), role_name(p.role),
			    kind_name(s->kind));
	return OK;
}

/* A kind that came with later rules than those in force here. */
static enum err check_since(const struct state *st, const struct kind_rules *r)
{
	uint64_t version = 0;
	enum err e = r->since > 1 ? state_rules(st, &version) : OK;

	if (e == OK && r->since > 1 && version < r->since)
		e = fail(ERR_RULES,
			 "a %s needs rules %u, and this ledger runs on %ju: its operator logs them by `comity "
			 "policy set`",
			 kind_name(r->kind), r->since, (uintmax_t)version);
	return e;
}

static enum err check_rules(const struct state *st, const struct statement *s, struct verifier *key)
{
	const struct kind_rules *r = kind_rules(s->kind);
	enum err e = check_home(st, s);

	if (e == OK && r != NULL)
		e = check_since(st, r);
	if (e == OK && r != NULL)
		e = kind_check_headers(r, s);
	if (e == OK)
		e = state_signer(st, s, key);
	if (e == OK && r != NULL)
		e = r->check(st, s);
	return e;
}

enum err state_check_unsigned(const struct state *st, const struct statement *s, struct verifier *key)
{
	struct place known;
	enum err e = place_get(st, s->id, &known);

	if (e == OK)
		return fail(ERR_STATEMENT_REPEATED, "entry %ju of the %s ledger", (uintmax_t)known.index,
			    ledger_name(known.ledger));
	if (e != ERR_NOT_FOUND)
		return e;
	e = check_rules(st, s, key);
	if (e == OK && s->kind == KIND_RULES)
		e = rules_known(s);
	return e;
}

/* The list of phrases grows, so the fold never asks it, nor the audit of what is in. */
enum err texts_check(const struct statement *s)
{
	static const char *const names[] = { "text", "purpose", "subject" };

	for (size_t i = 0; i < s->header_count; i++)
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (span_is(s->headers[i].name, names[j]) && speech_asked(s->headers[i].value, NULL))
				return fail(ERR_CLASS_CONTENT, "%s: asks for something about what is said", names[j]);
	return OK;
}

enum err state_check(const struct state *st, const struct statement *s)
{
	struct verifier key;
	enum err e = state_check_unsigned(st, s, &key);

	if (e == OK)
		e = texts_check(s);
	return e == OK ? note_verify(&s->note, &key, 1, NULL) : e;
}

enum err fold_checked(struct state *st, const struct statement *s)
{
	const struct kind_rules *r = kind_rules(s->kind);
	enum err e = place_put(st, s);

	st->effective = true;
	if (e == OK)
		e = agreement_time(st);
	if (e == OK)
		e = keys_signed(st, s);
	return e == OK && r != NULL ? r->fold(st, s) : e;
}

enum err state_fold(struct state *st, const struct statement *s)
{
	struct verifier key;
	struct place known;
	enum ledger_id home;
	struct span node;
	enum err e = place_get(st, s->id, &known);

	st->effective = false;
	if (e == OK)
		return OK; /* counts once */
	if (e != ERR_NOT_FOUND)
		return e;
	e = check_rules(st, s, &key);
	if (e == OK && (statement_home(s, &node, &home) != OK || home != st->ledger))
		e = ERR_STATEMENT_LEDGER;
	if (e == OK)
		return fold_checked(st, s);
	if (state_failed(e))
		return e;
	e = place_put(st, s);
	return e == OK ? agreement_time(st) : e;
}
