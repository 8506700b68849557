#include "regime/policy.h"

#include "regime/kinds_private.h"

/* Kept in the state: u32 bits for each action, in their order; none: never said. A line replaces what was said of its action. */

#define ADDRESSES (BASIS_BIT(BASIS_OPERATOR) | BASIS_BIT(BASIS_RSC) | BASIS_BIT(BASIS_DNSSEC))
#define COUNTRIES (BASIS_BIT(BASIS_OPERATOR) | BASIS_BIT(BASIS_MANDATE))

/* What can show it at all: the others are never about addresses, or never about countries. It is also what suffices until the
 * node says otherwise. */
static const struct {
	const char *name;
	unsigned can;
} actions[POLICY_COUNT] = {
	[POLICY_DIVERT] = { "divert", ADDRESSES },
	[POLICY_SOURCES] = { "plan-sources", ADDRESSES },
	[POLICY_COUNTRY] = { "country", COUNTRIES },
};

const char *policy_name(enum policy_action a)
{
	return (unsigned)a < POLICY_COUNT ? actions[a].name : "unknown";
}

enum err policy_parse(struct span name, enum policy_action *out)
{
	for (int i = 0; i < POLICY_COUNT; i++)
		if (span_is(name, actions[i].name)) {
			*out = (enum policy_action)i;
			return OK;
		}
	return fail(ERR_STATEMENT_HEADER, "policy: no action %.*s: divert, plan-sources or country",
		    name.len > 80 ? 80 : (int)name.len, name.len > 0 ? name.at : "");
}

static enum err read_line(struct span value, enum policy_action *action, unsigned *bits)
{
	enum err e = policy_parse(span_cut(&value, ' '), action);

	*bits = 0;
	while (e == OK && value.len > 0) {
		enum basis b;

		if ((e = basis_parse(span_cut(&value, ' '), &b)) != OK)
			break;
		if ((*bits & BASIS_BIT(b)) != 0)
			return fail(ERR_STATEMENT_HEADER, "policy: %s stands there twice", basis_name(b));
		if ((actions[*action].can & BASIS_BIT(b)) == 0)
			return fail(ERR_STATEMENT_HEADER, "policy: %s shows nothing that %s asks for", basis_name(b),
				    policy_name(*action));
		*bits |= BASIS_BIT(b);
	}
	if (e == OK && *bits == 0)
		e = fail(ERR_STATEMENT_HEADER, "policy: %s and at least one basis", policy_name(*action));
	return e;
}

/* bits: POLICY_COUNT of them, changed where a line stands. */
static enum err read_lines(const struct statement *s, unsigned *bits, size_t *lines)
{
	unsigned said = 0;
	enum err e = OK;

	*lines = 0;
	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		enum policy_action a = POLICY_DIVERT;
		unsigned which;

		if (!span_is(s->headers[i].name, "policy"))
			continue;
		if ((e = read_line(s->headers[i].value, &a, &which)) != OK)
			return e;
		if ((said & BIT(a)) != 0)
			return fail(ERR_STATEMENT_HEADER, "policy: %s stands there twice", policy_name(a));
		said |= BIT(a);
		bits[a] = which;
		(*lines)++;
	}
	return e;
}

enum err policy_check(const struct statement *s, size_t *lines)
{
	unsigned unused[POLICY_COUNT];

	return read_lines(s, unused, lines);
}

static enum err get(const struct state *st, unsigned bits[POLICY_COUNT])
{
	struct state_key k = key_of(STATE_POLICY);
	struct span value;
	struct reader r;
	enum err e = state_get(st, &k, &value);

	for (int i = 0; i < POLICY_COUNT; i++)
		bits[i] = actions[i].can;
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	r = reader_of(value);
	for (int i = 0; i < POLICY_COUNT && reader_left(&r) > 0; i++)
		bits[i] = read_u32(&r);
	return r.err == OK && reader_left(&r) == 0 ? OK : state_damaged("policy");
}

enum err policy_fold(struct state *st, const struct statement *s)
{
	struct state_key k = key_of(STATE_POLICY);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	unsigned bits[POLICY_COUNT];
	size_t lines = 0;
	enum err e = get(st, bits);

	if (e == OK)
		e = read_lines(s, bits, &lines);
	for (int i = 0; i < POLICY_COUNT; i++)
		buffer_u32(&b, bits[i]);
	if (e == OK && lines > 0)
		e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

enum err state_policy(const struct state *st, enum policy_action a, unsigned *out)
{
	unsigned bits[POLICY_COUNT];
	enum err e = get(st, bits);

	*out = bits[a];
	return e;
}

enum err policy_allows(const struct state *st, enum policy_action a, struct span party,
		       const struct addressee *resource, int64_t at_ms, bool *yes, struct holding *out)
{
	unsigned which = 0;
	enum err e = state_policy(st, resource->type == TO_COUNTRY ? POLICY_COUNTRY : a, &which);

	*yes = false;
	return e == OK ? holding_at(st, party, resource, which, at_ms, yes, out) : e;
}

struct walking {
	unsigned addresses, countries;
	holding_each *each;
	void *context;
};

static enum err show(void *context, const struct holding *h)
{
	struct walking *w = context;
	unsigned which = h->resource.type == TO_COUNTRY ? w->countries : w->addresses;

	if (h->resource.type == TO_PARTY || (which & BASIS_BIT(h->basis)) == 0)
		return OK;
	return w->each(w->context, h);
}

enum err policy_holdings(const struct state *st, enum policy_action a, struct span party, int64_t at_ms,
			 holding_each *each, void *context)
{
	struct walking w = { .each = each, .context = context };
	unsigned bits[POLICY_COUNT];
	enum err e = get(st, bits);

	w.addresses = bits[a];
	w.countries = bits[POLICY_COUNTRY];
	if (e != OK)
		return e;
	return party.len > 0 ? holdings_of(st, party, w.addresses | w.countries, at_ms, show, &w)
			     : holdings_at(st, w.addresses | w.countries, at_ms, show, &w);
}

enum err policy_holders(const struct state *st, enum policy_action a, const struct addressee *resource, int64_t at_ms,
			holding_each *each, void *context)
{
	unsigned which = 0;
	enum err e = state_policy(st, resource->type == TO_COUNTRY ? POLICY_COUNTRY : a, &which);

	return e == OK ? holders_at(st, resource, which, at_ms, each, context) : e;
}
