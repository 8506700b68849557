#include "base/encoding.h"
#include "regime/kinds_private.h"

#define TITLE_MAX 200

/* base64(01 || 32 bytes): the byte is the algorithm. */
enum err party_public_key(const struct statement *s, struct verifier *out)
{
	const struct header *h = statement_header(s, "public-key");
	uint8_t bytes[1 + KEY_PUBLIC_SIZE];
	size_t length = 0;

	if (h == NULL || base64_decode(h->value, bytes, sizeof(bytes), &length) != OK || length != sizeof(bytes) ||
	    bytes[0] != KEY_ED25519)
		return fail(ERR_STATEMENT_HEADER,
			    "public-key: base64 of the byte 01 and the 32 bytes of an Ed25519 key");
	return verifier_make(s->from, bytes + 1, out);
}

static enum err read_roles(const struct statement *s, enum role *first, unsigned *all)
{
	*all = 0;
	for (size_t i = 0; i < s->header_count; i++) {
		enum role r;
		enum err e;

		if (!span_is(s->headers[i].name, "role"))
			continue;
		if ((e = role_parse(s->headers[i].value, &r)) != OK)
			return e;
		if ((*all & BIT(r)) != 0)
			return fail(ERR_STATEMENT_HEADER, "role: %s stands there twice", role_name(r));
		if (*all == 0)
			*first = r;
		*all |= BIT(r);
	}
	return OK;
}

/* The resources that the statement claims, in the arena. */
static enum err read_claims(struct arena *a, const struct statement *s, struct addressee **out, size_t *count)
{
	size_t n = 0;

	for (size_t i = 0; i < s->header_count; i++)
		n += span_is(s->headers[i].name, "claim");
	*count = 0;
	if ((*out = arena_array(a, n, sizeof(**out))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < s->header_count; i++) {
		struct addressee *r = &(*out)[*count];

		if (!span_is(s->headers[i].name, "claim"))
			continue;
		if (addressee_parse(s->headers[i].value, r) != OK || r->type == TO_PARTY || r->type == TO_ALL)
			return fail(ERR_STATEMENT_HEADER, "claim: AS64500, prefix 192.0.2.0/24 or country EE");
		for (size_t j = 0; j < *count; j++)
			if (addressee_equal(&(*out)[j], r))
				return fail(ERR_STATEMENT_HEADER, "claim: %.*s stands there twice",
					    SPAN_FORMAT(s->headers[i].value));
		(*count)++;
	}
	return OK;
}

enum err party_check(const struct state *st, const struct statement *s)
{
	struct addressee *claims;
	struct verifier key;
	enum role first;
	bool demonstration = false;
	unsigned all;
	size_t count;
	enum err e = party_public_key(s, &key);

	/* Signed by the present key, so the key that it names must be that one: there is no rotation yet. */
	if (e == OK && !hash_equal(s->key, verifier_fingerprint(&key)))
		e = fail(ERR_KEY, "public-key: not the key that signs; a party cannot change its key yet");
	if (e == OK)
		e = read_roles(s, &first, &all);
	if (e == OK && span_equal(s->from, st->node) && (all & BIT(ROLE_NODE)) == 0)
		e = fail(ERR_ROLE, "role: a node's own party has the role node");
	if (e == OK)
		e = value_text(s, "title", TITLE_MAX);
	if (e == OK)
		e = value_yes(s, "demonstration", &demonstration);
	return e == OK ? read_claims(st->arena, s, &claims, &count) : e;
}

struct kept {
	struct claim claim;
	struct kept *next;
};

struct keeping {
	struct arena *arena;
	struct kept *first;
};

static enum err keep(void *context, const struct claim *c)
{
	struct keeping *k = context;
	struct kept *one = arena_alloc(k->arena, sizeof(*one));

	if (one == NULL)
		return ERR_NO_MEMORY;
	*one = (struct kept){ *c, k->first };
	k->first = one;
	return OK;
}

static bool listed(const struct addressee *list, size_t count, const struct addressee *one)
{
	for (size_t i = 0; i < count; i++)
		if (addressee_equal(&list[i], one))
			return true;
	return false;
}

/* What is no longer claimed goes; what stays keeps its approval; what is new waits for one. */
static enum err replace_claims(struct state *st, struct span domain, const struct addressee *claims, size_t count)
{
	struct keeping old = { st->arena, NULL };
	const struct claim fresh = { 0 };
	struct addressee *had;
	size_t had_count = 0;
	enum err e = claims_walk(st, domain, keep, &old);

	for (const struct kept *k = old.first; k != NULL; k = k->next)
		had_count++;
	if (e == OK && (had = arena_array(st->arena, had_count, sizeof(*had))) == NULL)
		e = ERR_NO_MEMORY;
	had_count = 0;
	for (const struct kept *k = old.first; e == OK && k != NULL; k = k->next) {
		struct addressee resource = claim_resource(&k->claim);
		struct state_key key = key_claim(domain, &resource);

		had[had_count++] = resource;
		if (!listed(claims, count, &resource))
			e = state_delete(st, &key);
	}
	for (size_t i = 0; e == OK && i < count; i++)
		if (!listed(had, had_count, &claims[i]))
			e = claim_put(st, domain, &claims[i], &fresh);
	return e;
}

enum err party_fold(struct state *st, const struct statement *s)
{
	const struct header *title = statement_header(s, "title");
	struct party p = {
		.domain = s->from,
		.title = title != NULL ? title->value : SPAN(""),
		.fingerprint = s->key,
		.statement = s->id,
		.index = st->index,
		.logged_ms = st->logged_ms,
	};
	struct addressee *claims = NULL;
	struct matter m;
	size_t count = 0;
	enum err e = party_public_key(s, &p.key);

	if (e == OK)
		e = read_roles(s, &p.role, &p.roles);
	if (e == OK)
		e = value_yes(s, "demonstration", &p.demonstration);
	if (e == OK)
		e = read_claims(st->arena, s, &claims, &count);
	if (e == OK)
		e = replace_claims(st, s->from, claims, count);
	if (e == OK)
		e = party_put(st, &p);
	if (e == OK)
		e = matter_make(st, s, &m);
	return e == OK ? matter_put(st, &m) : e;
}

enum err party_decide(struct state *st, const struct matter *m, bool approve, struct hash answer)
{
	struct keeping all = { st->arena, NULL };
	enum err e = claims_walk(st, m->from, keep, &all);

	for (const struct kept *k = all.first; e == OK && k != NULL; k = k->next) {
		struct addressee resource = claim_resource(&k->claim);
		struct claim c = { .approved = approve };

		if (k->claim.approved == approve)
			continue; /* approved earlier: that approval stands */
		if (approve) {
			c.approved_ms = st->logged_ms;
			c.approval = answer;
		}
		e = claim_put(st, m->from, &resource, &c);
	}
	return e;
}

enum err party_withdraw(struct state *st, const struct matter *m)
{
	struct party p;
	enum err e = party_get(st, m->from, &p);

	if (e != OK || !hash_equal(p.statement, m->id))
		return e; /* a later statement has taken its place */
	p.withdrawn = true;
	/* The title stands in the value that is about to be written over. */
	if (p.title.len > 0) {
		const char *title = arena_copy(st->arena, p.title.at, p.title.len);

		if (title == NULL)
			return ERR_NO_MEMORY;
		p.title = span_make(title, p.title.len);
	}
	e = replace_claims(st, m->from, NULL, 0);
	return e == OK ? party_put(st, &p) : e;
}
