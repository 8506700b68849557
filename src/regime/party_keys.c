/*
 * Keys that follow on one another
 *
 * A party statement by another key than the present one enters in two ways: the present statement announced that key (`next-key`),
 * or sponsors recover the party (vouch.h). A key that was announced stands in one line with the one before it: what was vouched
 * for the one holds for the other. A recovered key begins a line of its own, since nobody knows who had the old key.
 *
 * Times are those that standing goes by (state_time): a guest counts from when its home logged it. So a statement that its home
 * logged under the old key is still good where it arrives behind the new one, unless the old key was revoked or lost.
 *
 * The clock of a recovery runs on what was logged here, and on nothing that another node says.
 */
#include "regime/party_keys.h"

#include <stdio.h>

#include "regime/kinds_private.h"

#define KEY_REVOKED 1
#define KEY_HAS_NEXT 2

static struct state_key key_keys(struct span party)
{
	struct state_key k = key_of(STATE_KEYS);

	key_add(&k, party.at, party.len);
	key_add_u8(&k, 0);
	return k;
}

/* u8 flags, u64 until_ms, u64 line_ms, u64 found_ms, u64 index, u32 key id, u8 algorithm, 32 public key, 32 fingerprint,
 * 32 next */
static enum err unpack(struct span party, struct span key, struct span value, struct key_record *out)
{
	struct reader k = reader_of(span_from(key, 1 + party.len + 1)), r = reader_of(value);
	struct key_record x = { 0 };
	uint8_t flags = read_u8(&r);

	x.key.from_ms = (int64_t)read_u64(&k);
	x.key.revoked = (flags & KEY_REVOKED) != 0;
	x.has_next = (flags & KEY_HAS_NEXT) != 0;
	x.key.until_ms = (int64_t)read_u64(&r);
	x.line_ms = (int64_t)read_u64(&r);
	x.found_ms = (int64_t)read_u64(&r);
	x.index = read_u64(&r);
	x.key.key.key_id = read_u32(&r);
	x.key.key.algorithm = (enum key_algorithm)read_u8(&r);
	read_bytes(&r, x.key.key.public_key, KEY_PUBLIC_SIZE);
	x.key.fingerprint = unpack_hash(&r);
	x.next = unpack_hash(&r);
	if (k.err != OK || r.err != OK || reader_left(&k) != 0 || reader_left(&r) != 0 || party.len > KEY_NAME_MAX)
		return state_damaged("key of a party");
	memcpy(x.key.key.name, party.at, party.len);
	*out = x;
	return OK;
}

static enum err put(struct state *st, struct span party, const struct key_record *x)
{
	struct state_key k = key_keys(party);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	key_add_u64(&k, (uint64_t)x->key.from_ms);
	buffer_byte(&b, (uint8_t)((x->key.revoked ? KEY_REVOKED : 0) | (x->has_next ? KEY_HAS_NEXT : 0)));
	buffer_u64(&b, (uint64_t)x->key.until_ms);
	buffer_u64(&b, (uint64_t)x->line_ms);
	buffer_u64(&b, (uint64_t)x->found_ms);
	buffer_u64(&b, x->index);
	buffer_u32(&b, x->key.key.key_id);
	buffer_byte(&b, (uint8_t)x->key.key.algorithm);
	buffer_bytes(&b, x->key.key.public_key, KEY_PUBLIC_SIZE);
	pack_hash(&b, x->key.fingerprint);
	pack_hash(&b, x->next);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

/* ---- reading ---- */

struct walking {
	struct span party;
	key_each *each;
	void *context;
};

static enum err show(void *context, struct span key, struct span value)
{
	struct walking *w = context;
	struct key_record r;
	enum err e = unpack(w->party, key, value, &r);

	return e == OK ? w->each(w->context, &r) : e;
}

enum err keys_walk(const struct state *st, struct span party, key_each *each, void *context)
{
	struct walking w = { party, each, context };
	struct state_key k = key_keys(party);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), show, &w);
}

enum err keys_present(const struct state *st, struct span party, struct key_record *out)
{
	struct state_key prefix = key_keys(party), end = prefix;
	struct view_cursor *c = NULL;
	struct span key, value;
	enum err e = view_cursor_open(st->snapshot, VIEW_STATE, &c);

	key_add_u64(&end, UINT64_MAX);
	if (e == OK)
		e = view_cursor_before(c, key_view(&end), &key, &value);
	if (e == OK && (key.len != end.len || memcmp(key.at, prefix.bytes, prefix.len) != 0))
		e = ERR_NOT_FOUND;
	if (e == OK)
		e = unpack(party, key, value, out);
	view_cursor_close(c);
	return e;
}

struct finding {
	struct hash fingerprint;
	bool found;
	struct key_record record;
};

static enum err find(void *context, const struct key_record *r)
{
	struct finding *f = context;

	if (hash_equal(r->key.fingerprint, f->fingerprint)) {
		f->found = true;
		f->record = *r;
	}
	return OK;
}

enum err keys_find(const struct state *st, struct span party, struct hash fingerprint, struct key_record *out)
{
	struct finding f = { .fingerprint = fingerprint };
	enum err e = keys_walk(st, party, find, &f);

	if (e == OK && f.found)
		*out = f.record;
	return e == OK && !f.found ? ERR_NOT_FOUND : e;
}

struct showing {
	party_key_each *each;
	void *context;
};

static enum err show_key(void *context, const struct key_record *r)
{
	struct showing *s = context;

	return s->each(s->context, &r->key);
}

enum err party_keys(const struct state *st, struct span party, party_key_each *each, void *context)
{
	struct showing s = { each, context };

	return keys_walk(st, party, show_key, &s);
}

enum err keys_read_next(const struct state *st, const struct statement *s, bool *has, struct hash *out)
{
	const struct header *h = statement_header(s, "next-key");
	uint64_t rules = 0;
	enum err e = h != NULL ? state_rules(st, &rules) : OK;

	*has = e == OK && h != NULL && rules >= RULES_KEYS;
	if (!*has)
		return e;
	if (hash_from_hex(h->value, out) != OK)
		return fail(ERR_STATEMENT_HEADER, "next-key: the fingerprint of a key, 64 digits of lower-case hex");
	if (hash_equal(*out, s->key))
		return fail(ERR_STATEMENT_HEADER, "next-key: the key that signs cannot follow itself");
	return OK;
}

/* ---- who may follow ---- */

/* The vouches that count must be of a time after the old key was last seen to be in somebody's hand. */
static enum err may_recover(const struct state *st, const struct party *p, const struct key_record *present,
			    struct hash fingerprint)
{
	struct recovery r = { fingerprint, p->revoked ? INT64_MIN : present->found_ms };
	struct sponsorship s;
	int64_t complete_ms;
	char from[CLOCK_TEXT];
	enum err e = sponsorship_by(st, p->domain, &r, st->logged_ms, &s, &complete_ms);

	if (e != OK)
		return e;
	if (complete_ms == INT64_MAX)
		return fail(
			ERR_KEY,
			"key: neither the present key of %.*s nor the one that it announced (next-key), and %u of %d "
			"unrelated, established sponsors vouch for it with `recovery yes`",
			SPAN_FORMAT(p->domain), s.sponsors, SPONSORS_LEAST);
	if (st->logged_ms < complete_ms + RECOVERY_WAIT_MS) {
		clock_format_ms(complete_ms + RECOVERY_WAIT_MS, from);
		return fail(ERR_KEY,
			    "key: enough sponsors vouch for it; it may take the place of the key of %.*s from %s",
			    SPAN_FORMAT(p->domain), from);
	}
	return OK;
}

enum err party_may_follow(const struct state *st, const struct party *p, struct hash fingerprint)
{
	struct key_record present, former;
	uint64_t rules = 0;
	enum err e = state_rules(st, &rules);

	if (e == OK && rules < RULES_KEYS)
		return fail(ERR_KEY, "key: a party of this node cannot change its key before rules %d are in force",
			    RULES_KEYS);
	if (e == OK)
		e = keys_present(st, p->domain, &present);
	if (e == ERR_NOT_FOUND)
		return state_damaged("party without a key");
	if (e != OK)
		return e;
	if ((e = keys_find(st, p->domain, fingerprint, &former)) == OK)
		return fail(ERR_KEY, "key: %.*s had it before; no key is taken up again", SPAN_FORMAT(p->domain));
	if (e != ERR_NOT_FOUND)
		return e;
	if (!p->revoked && present.has_next && hash_equal(present.next, fingerprint))
		return OK;
	return may_recover(st, p, &present, fingerprint);
}

enum err party_key_leads(const struct state *st, struct span party, struct hash fingerprint, bool *leads)
{
	struct key_record r, present;
	enum err e = keys_find(st, party, fingerprint, &r);

	*leads = false;
	if (e == OK)
		e = keys_present(st, party, &present);
	if (e == OK)
		*leads = r.line_ms == present.line_ms && !present.key.revoked;
	return e == ERR_NOT_FOUND ? OK : e;
}

struct stepping {
	const struct hash *from;
	int64_t line_ms, present_ms;
	bool begun;
	party_step *each;
	void *context;
};

static enum err step(void *context, const struct key_record *r)
{
	struct stepping *s = context;

	if (r->line_ms != s->line_ms || r->key.from_ms >= s->present_ms)
		return OK;
	s->begun |= s->from == NULL || hash_equal(r->key.fingerprint, *s->from);
	return s->begun ? s->each(s->context, r->index) : OK;
}

enum err party_steps(const struct state *st, struct span party, const struct hash *from, party_step *each,
		     void *context)
{
	struct stepping s = { .from = from, .each = each, .context = context };
	struct key_record present;
	enum err e = keys_present(st, party, &present);

	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	s.line_ms = present.line_ms;
	s.present_ms = present.key.from_ms;
	return keys_walk(st, party, step, &s);
}

static enum err by_another_key(const struct state *st, const struct statement *s, const struct party *p,
			       struct verifier *key)
{
	enum err e = party_public_key(s, key);

	if (e == OK && !hash_equal(s->key, verifier_fingerprint(key)))
		e = fail(ERR_KEY, "key: not the fingerprint of public-key");
	return e == OK ? party_may_follow(st, p, s->key) : e;
}

enum err keys_other(const struct state *st, const struct statement *s, const struct party *p, struct verifier *key)
{
	struct key_record r, present;
	enum err e;

	if (s->kind == KIND_PARTY)
		return by_another_key(st, s, p, key);
	e = st->is_guest ? keys_find(st, p->domain, s->key, &r) : ERR_NOT_FOUND;
	if (e == OK && (e = keys_present(st, p->domain, &present)) == OK && !r.key.revoked &&
	    r.line_ms == present.line_ms && state_time(st) < r.key.until_ms) {
		*key = r.key.key;
		return OK;
	}
	return e == OK || e == ERR_NOT_FOUND
		       ? fail(ERR_KEY_UNKNOWN, "key: not the present key of %.*s", SPAN_FORMAT(p->domain))
		       : e;
}

/* ---- what happens to them ---- */

/* Two keys never begin at one instant: the second comes a millisecond later. */
static enum err begin_key(struct state *st, const struct statement *s, const struct verifier *key, bool announced,
			  const struct key_record *before, struct key_record *out)
{
	int64_t from_ms = state_time(st);
	struct key_record old;
	enum err e = OK;

	if (before != NULL) {
		old = *before;
		if (from_ms <= old.key.from_ms)
			from_ms = old.key.from_ms + 1;
		if (old.key.until_ms > from_ms)
			old.key.until_ms = from_ms;
		e = put(st, s->from, &old);
	}
	*out = (struct key_record){
		.key = { .fingerprint = s->key, .key = *key, .from_ms = from_ms, .until_ms = INT64_MAX },
		.line_ms = announced ? before->line_ms : from_ms,
	};
	return e;
}

enum err keys_fold(struct state *st, const struct statement *s, const struct verifier *key, const struct party *before,
		   bool *recovered)
{
	struct key_record present, r;
	struct hash next = { { 0 } };
	bool has_next = false, announced = false;
	enum err e = keys_read_next(st, s, &has_next, &next);

	*recovered = false;
	if (e == OK && before != NULL && (e = keys_present(st, s->from, &present)) == ERR_NOT_FOUND)
		e = state_damaged("party without a key");
	if (e != OK)
		return e;
	if (before != NULL && hash_equal(before->fingerprint, s->key)) {
		r = present;
	} else {
		announced = before != NULL && !before->revoked && present.has_next && hash_equal(present.next, s->key);
		*recovered = before != NULL && !announced;
		e = begin_key(st, s, key, announced, before != NULL ? &present : NULL, &r);
	}
	r.has_next = has_next;
	r.next = next;
	r.index = st->index;
	return e == OK ? put(st, s->from, &r) : e;
}

enum err keys_revoke(struct state *st, struct span party)
{
	struct key_record r;
	enum err e = keys_present(st, party, &r);

	if (e != OK)
		return e == ERR_NOT_FOUND ? state_damaged("party without a key") : e;
	r.key.revoked = true;
	r.key.until_ms = state_time(st) > r.key.from_ms ? state_time(st) : r.key.from_ms + 1;
	r.has_next = false;
	r.next = (struct hash){ { 0 } };
	return put(st, party, &r);
}

static enum err mark(struct state *st, struct span domain, bool recovering)
{
	struct party p;
	enum err e = party_get(st, domain, &p);

	if (e != OK || p.recovering == recovering)
		return e;
	p.recovering = recovering;
	if ((e = party_own(st->arena, &p)) == OK)
		e = party_put(st, &p);
	return e;
}

enum err keys_recovering(struct state *st, struct span party)
{
	return mark(st, party, true);
}

/* A revocation is not taken for a sign that all is well. */
enum err keys_signed(struct state *st, const struct statement *s)
{
	struct key_record r;
	bool recovering = false;
	enum err e = party_is_recovering(st, s->from, &recovering);

	if (e != OK || !recovering || withdraw_is_revocation(s))
		return e;
	if ((e = keys_present(st, s->from, &r)) != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	if (hash_equal(r.key.fingerprint, s->key) && state_time(st) > r.found_ms) {
		r.found_ms = state_time(st);
		e = put(st, s->from, &r);
	}
	/* What its home logged earlier may say less than what is on its way. */
	return e == OK && !st->is_guest ? mark(st, s->from, false) : e;
}
