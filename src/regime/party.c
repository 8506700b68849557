#include <assert.h>

#include "base/encoding.h"
#include "regime/contact.h"
#include "regime/kinds_private.h"
#include "regime/party_keys.h"

#define TITLE_MAX 200
#define URL_MAX 200
#define CONTACTS_MAX 4
#define MAILTO "mailto:"

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

/* ---- how the party is reached ---- */

static bool is_port(struct span s)
{
	uint64_t port = 0;

	return span_u64(s, UINT16_MAX, &port) == OK && port > 0;
}

/* A name, an IPv4 address, or an IPv6 address in brackets; a port; nothing else. */
static bool is_authority(struct span s)
{
	struct address ip;
	struct span host;

	if (span_starts(s, "[")) {
		s = span_from(s, 1);
		host = span_cut(&s, ']');
		if (s.at == NULL || address_parse(host, &ip) != OK || ip.family != FAMILY_IPV6)
			return false;
		return s.len == 0 || (s.at[0] == ':' && is_port(span_from(s, 1)));
	}
	host = span_cut(&s, ':');
	if (!span_is_domain(host) && !span_is(host, "localhost") &&
	    (address_parse(host, &ip) != OK || ip.family != FAMILY_IPV4))
		return false;
	return s.at == NULL || is_port(s);
}

/* http is for loopback and laboratories: the door of whoever sends there must be told so. */
static enum err check_url(const struct statement *s)
{
	const struct header *h = statement_header(s, "url");
	struct span rest;

	if (h == NULL)
		return OK;
	rest = h->value;
	if (span_starts(rest, "https://"))
		rest = span_from(rest, strlen("https://"));
	else if (span_starts(rest, "http://"))
		rest = span_from(rest, strlen("http://"));
	else
		rest = SPAN("");
	if (h->value.len > URL_MAX || !is_authority(rest))
		return fail(ERR_STATEMENT_HEADER, "url: https://HOST or https://HOST:PORT, and nothing behind it");
	return OK;
}

static enum err read_contact(struct span value, struct span *mail)
{
	*mail = span_starts(value, MAILTO) ? span_from(value, strlen(MAILTO)) : SPAN("");
	if (contact_mail_check(*mail) != OK)
		return fail(ERR_STATEMENT_HEADER, "contact: mailto:soc@b.example, a mailbox without quotes");
	return OK;
}

static enum err read_contacts(const struct statement *s, struct buffer *out, unsigned *count)
{
	struct span mails[CONTACTS_MAX];

	*count = 0;
	for (size_t i = 0; i < s->header_count; i++) {
		enum err e;

		if (!span_is(s->headers[i].name, "contact"))
			continue;
		assert(*count < CONTACTS_MAX); /* the row's limit */
		if ((e = read_contact(s->headers[i].value, &mails[*count])) != OK)
			return e;
		for (unsigned j = 0; j < *count; j++)
			if (span_equal(mails[j], mails[*count]))
				return fail(ERR_STATEMENT_HEADER, "contact: %.*s stands there twice",
					    SPAN_FORMAT(mails[j]));
		party_pack_contact(out, mails[(*count)++]);
	}
	return out->err;
}

static enum err read_ledger_key(const struct statement *s, struct span value, enum ledger_id *l, struct verifier *out)
{
	struct span name;

	if (verifier_parse(value, out) == OK && out->algorithm == KEY_ED25519) {
		name = span_of(out->name);
		for (int i = 0; i < LEDGER_COUNT; i++) {
			struct span which = name, node = span_cut(&which, '/');

			*l = (enum ledger_id)i;
			if (which.at != NULL && span_equal(node, s->from) && span_is(which, ledger_name(*l)))
				return OK;
		}
	}
	return fail(ERR_STATEMENT_HEADER, "ledger-key: %.*s/public+… or %.*s/circle+…, as in a verifier key",
		    SPAN_FORMAT(s->from), SPAN_FORMAT(s->from));
}

/* out may be NULL, or of LEDGER_COUNT keys; *named: which there are. */
static enum err read_ledger_keys(const struct statement *s, struct verifier *out, unsigned *named)
{
	*named = 0;
	for (size_t i = 0; i < s->header_count; i++) {
		struct verifier key;
		enum ledger_id l = LEDGER_PUBLIC;
		enum err e;

		if (!span_is(s->headers[i].name, "ledger-key"))
			continue;
		if ((e = read_ledger_key(s, s->headers[i].value, &l, &key)) != OK)
			return e;
		if ((*named & BIT(l)) != 0)
			return fail(ERR_STATEMENT_HEADER, "ledger-key: %s stands there twice", key.name);
		*named |= BIT(l);
		if (out != NULL)
			out[l] = key;
	}
	return OK;
}

enum err party_statement_ledger_key(const struct statement *s, enum ledger_id l, struct verifier *out)
{
	struct verifier keys[LEDGER_COUNT];
	unsigned named;
	enum err e = read_ledger_keys(s, keys, &named);

	if (e == OK && (named & BIT(l)) == 0)
		e = fail(ERR_KEY_UNKNOWN, "the party statement names no key of its %s ledger", ledger_name(l));
	if (e == OK)
		*out = keys[l];
	return e;
}

/* In the order of the ledgers, whatever the statement's. */
static enum err read_reach(struct state *st, const struct statement *s, struct party *p)
{
	struct buffer more = BUFFER(STATEMENT_MAX);
	struct verifier keys[LEDGER_COUNT];
	unsigned named = 0;
	const char *copy = NULL;
	enum err e = read_contacts(s, &more, &p->contact_count);

	if (e == OK)
		e = read_ledger_keys(s, keys, &named);
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		if ((named & BIT(l)) != 0) {
			party_pack_ledger_key(&more, (enum ledger_id)l, &keys[l]);
			p->ledger_key_count++;
		}
	if (e == OK)
		e = more.err;
	if (e == OK && (copy = arena_copy(st->arena, more.at, more.len)) == NULL)
		e = ERR_NO_MEMORY;
	p->more = span_make(copy, more.len);
	p->url = statement_value(s, "url");
	buffer_free(&more);
	return e;
}

static enum err check_reach(const struct statement *s, unsigned roles)
{
	struct buffer unused = BUFFER(STATEMENT_MAX);
	unsigned count, named = 0;
	enum err e = check_url(s);

	if (e == OK)
		e = read_contacts(s, &unused, &count);
	buffer_free(&unused);
	if (e == OK)
		e = read_ledger_keys(s, NULL, &named);
	if (e == OK && named != 0 && (roles & BIT(ROLE_NODE)) == 0)
		e = fail(ERR_ROLE, "ledger-key: only a party with the role node has ledgers");
	return e;
}

/* ---- where its statement is kept ---- */

/* The first node that logged a statement of the party keeps it, until the party withdraws there: so no other node can put
 * itself between a party and who knows it. */
static enum err check_kept(const struct state *st, const struct statement *s)
{
	struct span home;
	struct party p;
	enum ledger_id l;
	enum err e = party_get(st, s->from, &p);

	if (e == ERR_PARTY_UNKNOWN)
		return OK;
	if (e == OK)
		e = statement_home(s, &home, &l);
	if (e != OK)
		return e;
	if (!p.withdrawn && !span_equal(home, p.home))
		return fail(ERR_NOT_YOURS, "ledger: the statement of %.*s is kept by %.*s; withdraw it there first",
			    SPAN_FORMAT(s->from), SPAN_FORMAT(p.home));
	/* Whoever reads a public ledger can bring what stands there, also an address or a key that is no longer good. */
	if (st->is_guest && span_equal(home, p.home) && st->home_ms < p.stated_ms)
		return fail(ERR_SUPERSEDED, "%.*s has a later statement there", SPAN_FORMAT(s->from));
	return OK;
}

enum err party_check_withdraw(const struct state *st, const struct statement *s)
{
	struct span home;
	struct party p;
	enum ledger_id l;
	enum err e = party_get(st, s->from, &p);

	if (e == OK)
		e = statement_home(s, &home, &l);
	if (e == OK && !span_equal(home, p.home))
		e = fail(ERR_NOT_YOURS, "ledger: the statement of %.*s is kept by %.*s; withdraw it there",
			 SPAN_FORMAT(s->from), SPAN_FORMAT(p.home));
	return e;
}

enum err party_check(const struct state *st, const struct statement *s)
{
	struct addressee *claims;
	struct verifier key;
	enum role first;
	bool demonstration = false, has_next;
	struct hash next;
	unsigned all;
	size_t count;
	enum err e = party_public_key(s, &key);

	/* Each key introduces itself: what signs is what the statement names. */
	if (e == OK && !hash_equal(s->key, verifier_fingerprint(&key)))
		e = fail(ERR_KEY, "public-key: not the key that signs; announce another as next-key");
	if (e == OK)
		e = keys_read_next(st, s, &has_next, &next);
	if (e == OK)
		e = read_roles(s, &first, &all);
	if (e == OK && span_equal(s->from, st->node) && (all & BIT(ROLE_NODE)) == 0)
		e = fail(ERR_ROLE, "role: a node's own party has the role node");
	if (e == OK)
		e = value_text(s, "title", TITLE_MAX);
	if (e == OK)
		e = value_yes(s, "demonstration", &demonstration);
	if (e == OK)
		e = check_reach(s, all);
	if (e == OK)
		e = check_kept(st, s);
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

/* What is no longer claimed goes, and is no longer held by the operator's word; what stays keeps its approval; what is new waits for
 * one. */
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
		if (listed(claims, count, &resource))
			continue;
		e = state_delete(st, &key);
		if (e == OK)
			e = holding_end(st, domain, &resource, BASIS_OPERATOR, st->logged_ms);
	}
	for (size_t i = 0; e == OK && i < count; i++)
		if (!listed(had, had_count, &claims[i]))
			e = claim_put(st, domain, &claims[i], &fresh);
	return e;
}

/* All that the statement says of its party but the claims. */
static enum err read_party(struct state *st, const struct statement *s, struct party *out)
{
	enum ledger_id l;
	enum err e;

	*out = (struct party){
		.domain = s->from,
		.title = statement_value(s, "title"),
		.fingerprint = s->key,
		.statement = s->id,
		.index = st->index,
		.logged_ms = st->logged_ms,
		.stated_ms = st->is_guest ? st->home_ms : st->logged_ms,
	};
	e = party_public_key(s, &out->key);
	if (e == OK)
		e = read_roles(s, &out->role, &out->roles);
	if (e == OK)
		e = value_yes(s, "demonstration", &out->demonstration);
	if (e == OK)
		e = statement_home(s, &out->home, &l);
	return e == OK ? read_reach(st, s, out) : e;
}

enum err party_fold(struct state *st, const struct statement *s)
{
	struct addressee *claims = NULL;
	struct party p, before;
	bool recovered = false;
	struct matter m;
	size_t count = 0;
	enum err e = read_party(st, s, &p), known = party_get(st, s->from, &before);

	if (e == OK && known != ERR_PARTY_UNKNOWN)
		e = known;
	if (e == OK)
		e = keys_fold(st, s, &p.key, known == OK ? &before : NULL, &recovered);
	/* Sponsors alone give no one a resource. */
	if (e == OK && recovered)
		e = replace_claims(st, s->from, NULL, 0);
	if (e == OK && recovered)
		e = holdings_end(st, s->from, st->logged_ms);
	p.recovering = known == OK && before.recovering && hash_equal(before.fingerprint, s->key);
	if (e == OK)
		e = read_claims(st->arena, s, &claims, &count);
	if (e == OK)
		e = replace_claims(st, s->from, claims, count);
	if (e == OK)
		e = party_put(st, &p);
	if (e == OK)
		e = matter_make(st, s, &m);
	return e == OK ? matter_add(st, &m) : e;
}

static enum err begin(struct state *st, struct span domain, const struct addressee *resource, struct hash answer)
{
	const struct holding h = { .party = domain,
				   .resource = *resource,
				   .basis = BASIS_OPERATOR,
				   .from_ms = st->logged_ms,
				   .until_ms = INT64_MAX,
				   .because = answer };

	return holding_begin(st, &h);
}

enum err party_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct keeping all = { st->arena, NULL };
	bool approve = o == OUTCOME_ACCEPTED;
	enum err e = claims_walk(st, m->from, keep, &all);

	for (const struct kept *k = all.first; e == OK && k != NULL; k = k->next) {
		struct addressee resource = claim_resource(&k->claim);
		struct claim c = { .approved = approve };

		if (k->claim.approved == approve)
			continue; /* approved earlier: that approval stands */
		if (approve) {
			c.approved_ms = st->logged_ms;
			c.approval = s->id;
			e = begin(st, m->from, &resource, s->id);
		} else {
			e = holding_end(st, m->from, &resource, BASIS_OPERATOR, st->logged_ms);
		}
		if (e == OK)
			e = claim_put(st, m->from, &resource, &c);
	}
	return e;
}

enum err claims_wait(struct state *st, struct span domain)
{
	struct keeping all = { st->arena, NULL };
	const struct claim fresh = { 0 };
	enum err e = claims_walk(st, domain, keep, &all);

	for (const struct kept *k = all.first; e == OK && k != NULL; k = k->next) {
		struct addressee resource = claim_resource(&k->claim);

		if (k->claim.approved)
			e = claim_put(st, domain, &resource, &fresh);
	}
	return e;
}

static enum err leave(struct state *st, const struct matter *m, bool revoke)
{
	struct party p;
	enum err e = party_get(st, m->from, &p);

	if (e != OK || !hash_equal(p.statement, m->id))
		return e; /* a later statement has taken its place */
	p.withdrawn = true;
	p.revoked = revoke;
	e = party_own(st->arena, &p);
	if (e == OK && revoke)
		e = keys_revoke(st, m->from);
	if (e == OK && revoke)
		e = agreement_revoked(st, m->from);
	if (e == OK)
		e = replace_claims(st, m->from, NULL, 0);
	if (e == OK)
		e = holdings_end(st, m->from, st->logged_ms);
	return e == OK ? party_put(st, &p) : e;
}

enum err party_withdraw(struct state *st, const struct matter *m)
{
	return leave(st, m, false);
}

enum err party_revoke(struct state *st, const struct matter *m)
{
	return leave(st, m, true);
}
