#include "regime/plan.h"

#include "regime/kinds_private.h"
#include "regime/plan_terms.h"

#define WINDOW_MAX_MS (INT64_C(366) * 24 * 60 * 60 * 1000)
#define SOURCE_LEAST_IPV4 8
#define SOURCE_LEAST_IPV6 16
#define PURPOSE_MAX 500
#define REFERENCE_MAX 500

/* In the state by number: only add at the end. */
static const char *const activities[] = { "scan", "exercise", "takedown", "maintenance", "research" };
#define ACTIVITY_COUNT (sizeof(activities) / sizeof(activities[0]))

static enum err read_activity(const struct statement *s, uint8_t *out)
{
	const struct header *h = statement_header(s, "activity");

	for (size_t i = 0; h != NULL && i < ACTIVITY_COUNT; i++)
		if (span_is(h->value, activities[i])) {
			*out = (uint8_t)i;
			return OK;
		}
	return fail(ERR_STATEMENT_HEADER, "activity: scan, exercise, takedown, maintenance or research");
}

static enum err read_window(const struct statement *s, struct plan_terms *t)
{
	enum err e = value_time(s, "start", &t->start_ms);

	if (e == OK)
		e = value_time(s, "end", &t->end_ms);
	if (e == OK && t->end_ms <= t->start_ms)
		e = fail(ERR_PLAN_WINDOW, "end: not after the start");
	if (e == OK && t->end_ms - t->start_ms > WINDOW_MAX_MS)
		e = fail(ERR_PLAN_WINDOW, "end: over 366 days after the start");
	return e;
}

static enum err read_prefix(const char *name, struct span value, struct prefix *out)
{
	char canonical[PREFIX_TEXT];

	if (prefix_parse(value, out) != OK || !span_equal(value, span_make(canonical, prefix_format(*out, canonical))))
		return fail(ERR_PREFIX, "%s: %.*s", name, SPAN_FORMAT(value));
	/* Addresses seen as ::ffff:192.0.2.1 are matched as IPv4, and a /96 there would be all of it. */
	if (out->address.family == FAMILY_IPV6 && out->length >= 96 && out->address.high == 0 &&
	    out->address.low >> 32 == 0xffff)
		return fail(ERR_PREFIX, "%s: %.*s is written as IPv4", name, SPAN_FORMAT(value));
	return OK;
}

/* All headers of that name as prefixes. any: where the word "any" is noted; NULL: it is not allowed here. */
static enum err read_prefixes(struct arena *a, const struct statement *s, const char *name, struct prefix **out,
			      size_t *count, bool *any)
{
	size_t n = 0;

	for (size_t i = 0; i < s->header_count; i++)
		n += span_is(s->headers[i].name, name);
	*count = 0;
	if ((*out = arena_array(a, n, sizeof(**out))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < s->header_count; i++) {
		enum err e;

		if (!span_is(s->headers[i].name, name))
			continue;
		if (any != NULL && span_is(s->headers[i].value, "any")) {
			*any = true;
			continue;
		}
		if ((e = read_prefix(name, s->headers[i].value, &(*out)[*count])) != OK)
			return e;
		(*count)++;
	}
	return OK;
}

/* A plan for half the Internet explains nothing. */
static enum err judge_sources(const struct plan_terms *t)
{
	for (size_t i = 0; i < t->source_count; i++) {
		struct prefix p = t->sources[i];
		unsigned least = p.address.family == FAMILY_IPV4 ? SOURCE_LEAST_IPV4 : SOURCE_LEAST_IPV6;

		if (p.length < least)
			return fail(ERR_PREFIX, "source: a /%u is too wide; at least /%u", p.length, least);
	}
	return OK;
}

enum err plan_terms_read(struct arena *a, const struct statement *s, struct plan_terms *out)
{
	struct plan_terms t = { 0 };
	enum err e = read_activity(s, &t.activity);

	if (e == OK)
		e = value_yes_no(s, "intrusive", &t.intrusive);
	if (e == OK)
		e = read_window(s, &t);
	if (e == OK)
		e = read_prefixes(a, s, "source", &t.sources, &t.source_count, NULL);
	if (e == OK)
		e = judge_sources(&t);
	if (e == OK)
		e = read_prefixes(a, s, "target", &t.targets, &t.target_count, &t.any_target);
	if (e == OK)
		e = read_prefixes(a, s, "exclude", &t.excludes, &t.exclude_count, NULL);
	if (e == OK)
		*out = t;
	return e;
}

static void pack_list(struct buffer *b, const struct prefix *list, size_t count)
{
	buffer_u32(b, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		pack_prefix(b, list[i]);
}

/* u8 activity, u8 intrusive, u8 any target, u64 start_ms, u64 end_ms, then three lists: u32 count and the prefixes. */
void plan_terms_pack(const struct plan_terms *t, struct buffer *out)
{
	buffer_byte(out, t->activity);
	buffer_byte(out, t->intrusive);
	buffer_byte(out, t->any_target);
	buffer_u64(out, (uint64_t)t->start_ms);
	buffer_u64(out, (uint64_t)t->end_ms);
	pack_list(out, t->sources, t->source_count);
	pack_list(out, t->targets, t->target_count);
	pack_list(out, t->excludes, t->exclude_count);
}

static enum err unpack_list(struct arena *a, struct reader *r, struct prefix **list, size_t *count)
{
	*count = read_u32(r);
	if (*count > reader_left(r) / 6)
		return state_damaged("plan");
	if ((*list = arena_array(a, *count, sizeof(**list))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < *count; i++)
		(*list)[i] = unpack_prefix(r);
	return OK;
}

enum err plan_terms_unpack(struct arena *a, struct span value, struct plan_terms *out)
{
	struct reader r = reader_of(value);
	struct plan_terms t = { 0 };
	enum err e;

	t.activity = read_u8(&r);
	t.intrusive = read_u8(&r) != 0;
	t.any_target = read_u8(&r) != 0;
	t.start_ms = (int64_t)read_u64(&r);
	t.end_ms = (int64_t)read_u64(&r);
	e = unpack_list(a, &r, &t.sources, &t.source_count);
	if (e == OK)
		e = unpack_list(a, &r, &t.targets, &t.target_count);
	if (e == OK)
		e = unpack_list(a, &r, &t.excludes, &t.exclude_count);
	if (e == OK && (r.err != OK || reader_left(&r) != 0))
		e = state_damaged("plan");
	if (e == OK)
		*out = t;
	return e;
}

/* Whoever holds a response team's key warns and helps; it does not break in, whatever else it may be. */
static enum err check_roles(const struct state *st, const struct statement *s)
{
	struct party p;
	enum err e = party_get(st, s->from, &p);

	if (e == OK && (p.roles & BIT(ROLE_RESPONSE_TEAM)) != 0)
		e = fail(ERR_ROLE, "intrusive: a response team's key cannot sign an intrusive plan");
	return e;
}

enum err plan_check(const struct state *st, const struct statement *s)
{
	const struct header *reference = statement_header(s, "reference");
	struct plan_terms t;
	bool demonstration;
	enum err e = plan_terms_read(st->arena, s, &t);

	if (e == OK)
		e = value_text(s, "purpose", PURPOSE_MAX);
	if (e == OK)
		e = value_text(s, "reference", REFERENCE_MAX);
	if (e == OK && reference != NULL &&
	    (!span_starts(reference->value, "https://") ||
	     memchr(reference->value.at, ' ', reference->value.len) != NULL))
		e = fail(ERR_STATEMENT_HEADER, "reference: an https address");
	if (e == OK)
		e = value_yes(s, "demonstration", &demonstration);
	return e == OK && t.intrusive ? check_roles(st, s) : e;
}

enum err plan_fold(struct state *st, const struct statement *s)
{
	struct state_key k = key_filed(st->index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	struct plan_terms t;
	struct matter m;
	enum err e = plan_terms_read(st->arena, s, &t);

	if (e == OK)
		e = matter_make(st, s, &m);
	if (e == OK)
		e = matter_add(st, &m);
	if (e == OK) {
		plan_terms_pack(&t, &b);
		e = state_put(st, &k, &b);
	}
	buffer_free(&b);
	return e;
}

static const char *const verdicts[PLAN_VERDICT_COUNT] = {
	[PLAN_UNDECLARED] = "undeclared",
	[PLAN_EXPLAINED] = "explained",
	[PLAN_SPOOFABLE] = "spoofable",
	[PLAN_SEALED] = "sealed",
	[PLAN_BREACH] = "breach",
	[PLAN_EXPIRED_PROOF] = "expired-proof",
	[PLAN_LATE] = "late",
};

const char *plan_verdict_name(enum plan_verdict v)
{
	return (unsigned)v < PLAN_VERDICT_COUNT ? verdicts[v] : verdicts[PLAN_UNDECLARED];
}
