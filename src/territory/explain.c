#include "territory/explain.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "territory/cover.h"

#define REASONS_MAX 24
#define SOURCE_TEXT 320
#define DAY_MS ((int64_t)24 * 3600 * 1000)

struct explaining {
	const struct resolver *resolver;
	struct arena *arena;
	struct answer *out;
	struct span reasons[REASONS_MAX];
	enum err err;
};

static void say(struct explaining *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct explaining *x, const char *format, ...)
{
	char text[2048], *copy;
	va_list arguments;
	size_t len;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n < 0 || x->err != OK || x->out->reason_count == REASONS_MAX)
		return;
	len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	if ((copy = arena_copy(x->arena, text, len)) == NULL)
		x->err = fail(ERR_NO_MEMORY, "no room for a reason");
	else
		x->reasons[x->out->reason_count++] = span_make(copy, len);
}

/* "ripencc delegated-extended of 2026-11-21, 1 day old". */
static const char *source_text(const struct explaining *x, uint8_t source, char out[SOURCE_TEXT])
{
	struct table_source s;
	char date[CLOCK_TEXT];
	int64_t days;

	table_source(x->resolver->table, source, &s);
	if (s.dated_ms == 0) {
		snprintf(out, SOURCE_TEXT, "%.*s, of unknown date", SPAN_FORMAT(s.name));
		return out;
	}
	clock_format(s.dated_ms, date);
	days = (clock_now_ms() - s.dated_ms) / DAY_MS;
	snprintf(out, SOURCE_TEXT, "%.*s of %.10s, %lld %s old", SPAN_FORMAT(s.name), date,
		 (long long)(days > 0 ? days : 0), days == 1 ? "day" : "days");
	return out;
}

static const char *why_in_copy(const struct territory_claim *first, const struct territory_claim *c)
{
	bool proven = first->basis == BASIS_RSC || first->basis == BASIS_DNSSEC;

	if (c->approved_by.len > 0 && first->approved_by.len == 0)
		return proven ? "; in copy, since another party has proven it here"
			      : "; in copy, since another party was approved here";
	if (proven && first->approved_by.len == 0)
		return c->basis == BASIS_RSC || c->basis == BASIS_DNSSEC
			       ? "; in copy, since another party had proven it before"
			       : "; in copy, since another party has proven it";
	return "; in copy, since another party was approved before it";
}

/* "proven by rsc", "approved". */
static void explain_claim(struct explaining *x, const struct territory_claim *c, const char *what, const char *after)
{
	char date[CLOCK_TEXT], until[CLOCK_TEXT + 8] = "", because[HASH_HEX + 1];
	char how[32] = "approved", by[300] = "";

	clock_format(c->from_ms, date);
	hash_hex(c->because, because);
	if (c->basis != BASIS_OPERATOR)
		snprintf(how, sizeof(how), "proven by %s", basis_name(c->basis));
	if (c->until_ms != 0 && c->until_ms != INT64_MAX) {
		memcpy(until, " until ", 7);
		clock_format(c->until_ms, until + 7);
	}
	if (c->approved_by.len > 0)
		snprintf(by, sizeof(by), "%s %.*s, followed,", c->basis != BASIS_OPERATOR ? " as says" : " by",
			 SPAN_FORMAT(c->approved_by));
	say(x, "%.*s claims %s, %s%s %s%s by %.12s%s", SPAN_FORMAT(c->party), what, how, by, date, until, because,
	    after);
}

static void explain_claims(struct explaining *x, const struct claim_group *g, const char *what)
{
	for (size_t i = 0; i < g->count && i < 9; i++)
		explain_claim(x, &g->at[i], what, i == 0 ? "" : why_in_copy(&g->at[0], &g->at[i]));
}

static void explain_prefix(struct explaining *x, uint32_t claim)
{
	const struct claim_group *g = &x->resolver->claims.groups[claim];
	char text[PREFIX_TEXT];

	prefix_format(g->at->prefix, text);
	explain_claims(x, g, text);
	x->out->matched = (struct range){ prefix_first(g->at->prefix), prefix_last(g->at->prefix) };
}

static void explain_route(struct explaining *x)
{
	const struct table_record *r = &x->out->record;
	char range[RANGE_TEXT], source[SOURCE_TEXT];

	if (r->passed_over_asn != 0)
		say(x, "AS%u announces it too, but invalid by RPKI, and was passed over", r->passed_over_asn);
	if (r->asn == 0)
		return;
	range_format(r->origin_range, range);
	say(x, "%s belongs to AS%u (%s)", range, r->asn, source_text(x, r->origin_source, source));
	if (r->validity != ROUTE_UNKNOWN)
		say(x, "RPKI: the route is %s", route_validity_name(r->validity));
	if (r->other_asn != 0)
		say(x, "AS%u according to %s", r->other_asn, source_text(x, r->other_source, source));
}

static void explain_as(struct explaining *x)
{
	const struct table_record *r = &x->out->record;
	const struct claim_group *g = claims_as(&x->resolver->claims, r->asn);
	char what[16];

	if (r->asn == 0)
		return;
	if (g != NULL) {
		snprintf(what, sizeof(what), "AS%u", r->asn);
		explain_claims(x, g, what);
	}
	if (r->holder.len > 0)
		say(x, "AS%u is held by %.*s%s%s", r->asn, SPAN_FORMAT(r->holder), r->as_country[0] != '\0' ? ", " : "",
		    r->as_country);
	else
		say(x, "AS%u has no name in the tables", r->asn);
}

static void explain_country(struct explaining *x)
{
	const struct table_record *r = &x->out->record;
	const char *country = r->as_country[0] != '\0' && r->asn != 0 ? r->as_country : r->country;
	const struct claim_group *g = claims_country(&x->resolver->claims, country);
	char range[RANGE_TEXT], source[SOURCE_TEXT], what[16];

	if (r->country[0] != '\0') {
		range_format(r->country_range, range);
		say(x, "%s is registered in %s (%s)", range, r->country, source_text(x, r->country_source, source));
	}
	if (r->other_country[0] != '\0')
		say(x, "%s according to %s", r->other_country, source_text(x, r->other_country_source, source));
	if (g != NULL) {
		snprintf(what, sizeof(what), "country %s", country);
		explain_claims(x, g, what);
	}
}

/* The rule for this very address; its addressee may have been reached by others too. */
static enum rule rule_for(const struct explaining *x, bool claimed, const char *special)
{
	const struct answer *a = x->out;

	if (claimed)
		return RULE_CLAIMED_PREFIX;
	if (a->addressee == 0)
		return special != NULL ? RULE_SPECIAL : RULE_NOBODY;
	if (a->record.asn != 0)
		return claims_as(&x->resolver->claims, a->record.asn) != NULL ? RULE_CLAIMED_AS : RULE_HOLDER;
	return claims_country(&x->resolver->claims, a->record.country) != NULL ? RULE_COUNTRY_PARTY : RULE_COUNTRY;
}

static void warn_of(struct explaining *x, uint8_t source)
{
	struct table_source s;

	table_source(x->resolver->table, source, &s);
	if (s.caution.len > 0)
		say(x, "the publisher of %.*s reports known errors in it (`comity territory show`)",
		    SPAN_FORMAT(s.name));
}

static void explain_sources(struct explaining *x)
{
	const struct table_record *r = &x->out->record;

	if (r->asn != 0)
		warn_of(x, r->origin_source);
	if (r->country[0] != '\0' && (r->asn == 0 || r->country_source != r->origin_source))
		warn_of(x, r->country_source);
}

static void explain(struct explaining *x, uint32_t claim, const char *how, const char *special)
{
	struct answer *a = x->out;
	char text[ADDRESS_TEXT];

	if (how != NULL) {
		address_format(a->looked_up, text);
		say(x, "%s stands inside (%s) and was looked up instead", text, how);
	}
	if (claim != NO_ROW)
		explain_prefix(x, claim);
	explain_route(x);
	explain_as(x);
	explain_country(x);
	if (special != NULL)
		say(x, "special space: %s", special);
	explain_sources(x);
	say(x, "rule %s: %s", rule_name(a->resolved.rule), rule_says(a->resolved.rule));
}

enum err resolver_explain(const struct resolver *r, struct arena *a, struct address asked, struct answer *out)
{
	struct explaining x = { .resolver = r, .arena = a, .out = out };
	struct address inner = asked;
	const char *how = address_embedded(asked, &inner), *special = address_special(inner);
	uint32_t claim = claims_prefix(&r->claims, inner);
	enum rule rule;

	*out = (struct answer){ .asked = asked, .looked_up = inner, .matched = { inner, inner } };
	table_record(r->table, table_find(r->table, inner), &out->record);
	out->addressee = resolver_find(r, asked);
	resolver_addressee(r, out->addressee, &out->resolved);
	rule = rule_for(&x, claim != NO_ROW, special);
	out->resolved.rule = rule;
	memcpy(out->resolved.country, out->record.country, sizeof(out->resolved.country));
	if (rule == RULE_CLAIMED_AS || rule == RULE_HOLDER)
		out->matched = out->record.origin_range;
	else if (rule == RULE_COUNTRY_PARTY || rule == RULE_COUNTRY)
		out->matched = out->record.country_range;
	explain(&x, claim, how, special);
	if (x.err == OK) {
		struct span *copy = arena_array(a, out->reason_count, sizeof(*copy));

		if (copy == NULL)
			return fail(ERR_NO_MEMORY, "no room for reasons");
		memcpy(copy, x.reasons, out->reason_count * sizeof(*copy));
		out->reasons = copy;
	}
	return x.err;
}
