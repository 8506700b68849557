/* The compiled plans against a loop that reads like the rules of plan.h. */
#include "regime/plans_private.h"

#include "test.h"

#define HOUR INT64_C(3600000)
#define T0 INT64_C(1790812800000) /* 2026-10-01T00:00:00Z */
#define PLANS 60
#define LIST 5
#define PARTIES 6
#define ROUNDS 60
#define OBSERVATIONS 4000

struct drawn_source {
	struct prefix prefix;
	struct plan_interval held[2];
	size_t held_count;
};

struct drawn {
	struct hash id;
	int64_t filed, until, start, end;
	enum repeat repeat;
	uint32_t count;
	struct drawn_source source[LIST];
	struct prefix target[LIST], exclude[LIST];
	size_t sources, targets, excludes, party;
	uint32_t as[2];
	char countries[2][3];
	uint8_t transports[2];
	struct port_range ports[2];
	size_t as_count, country_count, domain_count, transport_count, port_count;
	struct plan_confirmation confirmed;
	bool any, lacks_consent, sealed, has_confirmed;
};

/* What the parties of sealed filings hold. */
struct holder {
	struct drawn_source source[LIST];
	size_t sources;
};

/* ---- drawing ---- */

/* Nested and equal prefixes are the rule: few bits vary, at the edges of octets. */
static struct prefix draw_prefix(uint64_t *seed, unsigned least)
{
	struct address a;

	if (test_below(seed, 3) > 0) {
		static const uint32_t bases[] = { 0x0a000000, 0x0affff00, 0x0b000000, 0xfffffe00, 0xff000000 };
		uint32_t v = bases[test_below(seed, 5)] | (uint32_t)(test_random(seed) & 0x00ff0301);

		return prefix_of(address_ipv4(v), least + (unsigned)test_below(seed, 33 - least));
	}
	a = (struct address){ 0x20010db800000000 | (test_random(seed) & 0x0003000100000003), test_random(seed) & 3,
			      FAMILY_IPV6 };
	if (test_below(seed, 8) == 0)
		a.high = a.low = UINT64_MAX;
	return prefix_of(a, 2 * least + (unsigned)test_below(seed, 129 - 2 * least));
}

static struct address draw_near(uint64_t *seed, struct prefix p)
{
	struct address a = test_below(seed, 2) == 0 ? prefix_first(p) : prefix_last(p);

	switch (test_below(seed, 6)) {
	case 0:
		address_next(&a);
		break;
	case 1:
		address_previous(&a);
		break;
	case 2:
		if (a.family == FAMILY_IPV4) /* as some logs write it */
			a = (struct address){ 0, UINT64_C(0xffff00000000) | a.low, FAMILY_IPV6 };
		break;
	default:
		break;
	}
	return a;
}

static void draw_source(uint64_t *seed, struct drawn_source *s)
{
	int64_t from = T0 + (int64_t)test_below(seed, 4) * HOUR;

	s->prefix = draw_prefix(seed, 8);
	s->held_count = test_below(seed, 8) == 0 ? 0 : 1 + test_below(seed, 2);
	for (size_t i = 0; i < s->held_count; i++) {
		s->held[i].from_ms = from;
		from += (int64_t)(1 + test_below(seed, 8)) * HOUR;
		s->held[i].until_ms = test_below(seed, 2) == 0 && i + 1 == s->held_count ? INT64_MAX : from;
		from += HOUR;
	}
}

static void draw_list(uint64_t *seed, unsigned least, struct prefix *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		list[i] = draw_prefix(seed, least);
}

static void draw_terms(uint64_t *seed, struct drawn *d)
{
	d->targets = test_below(seed, LIST);
	d->excludes = test_below(seed, 3) == 0 ? test_below(seed, LIST) : 0;
	draw_list(seed, 2, d->target, d->targets);
	draw_list(seed, 8, d->exclude, d->excludes);
	d->as_count = test_below(seed, 5) == 0 ? 1 + test_below(seed, 2) : 0;
	d->country_count = test_below(seed, 6) == 0;
	d->domain_count = test_below(seed, 10) == 0;
	for (size_t i = 0; i < d->as_count; i++)
		d->as[i] = 64500 + (uint32_t)test_below(seed, 3);
	memcpy(d->countries[0], test_below(seed, 2) == 0 ? "EE" : "LV", 3);
	d->any = (d->targets + d->as_count + d->country_count + d->domain_count == 0) || test_below(seed, 6) == 0;
	d->transport_count = test_below(seed, 2) == 0 ? 0 : 1 + test_below(seed, 2);
	d->transports[0] = test_below(seed, 2) == 0 ? 6 : 17;
	d->transports[1] = test_below(seed, 2) == 0 ? 58 : 47;
	d->port_count = test_below(seed, 2) == 0 ? 0 : 1 + test_below(seed, 2);
	d->ports[0] = (struct port_range){ 22, 22 };
	d->ports[1] = (struct port_range){ 80, (uint16_t)(80 + test_below(seed, 5)) };
	d->lacks_consent = test_below(seed, 10) == 0;
}

static void draw_plan(uint64_t *seed, size_t i, const struct holder *holders, struct drawn *d)
{
	*d = (struct drawn){ .until = INT64_MAX, .count = 1 };
	d->id = hash_bytes(&i, sizeof(i));
	d->filed = T0 + (int64_t)test_below(seed, 5) * HOUR + (int64_t)test_below(seed, 3) * 500;
	if (test_below(seed, 4) == 0)
		d->until = T0 + (int64_t)(5 + test_below(seed, 4)) * HOUR;
	d->start = T0 + (int64_t)test_below(seed, 5) * HOUR;
	d->end = d->start + (int64_t)(1 + test_below(seed, 5)) * HOUR;
	d->sealed = test_below(seed, 6) == 0;
	if (d->sealed) {
		d->party = test_below(seed, PARTIES);
		memcpy(d->source, holders[d->party].source, sizeof(d->source));
		d->sources = holders[d->party].sources;
		if (test_below(seed, 2) == 0)
			d->start = d->end = 0;
		return;
	}
	draw_terms(seed, d);
	d->sources = 1 + test_below(seed, LIST);
	for (size_t k = 0; k < d->sources; k++)
		draw_source(seed, &d->source[k]);
	if (test_below(seed, 4) == 0) {
		d->repeat = test_below(seed, 2) == 0 ? REPEAT_DAILY : REPEAT_WEEKLY;
		d->count = 2 + (uint32_t)test_below(seed, 60);
	}
	if ((d->has_confirmed = test_below(seed, 3) == 0))
		d->confirmed = (struct plan_confirmation){ d->id, d->source[0].prefix, d->start, d->start + HOUR };
}

/* ---- the loop ---- */

static struct address unmapped(struct address a)
{
	return a.family == FAMILY_IPV6 && a.high == 0 && a.low >> 32 == 0xffff ? address_ipv4((uint32_t)a.low) : a;
}

static bool in_any(const struct prefix *list, size_t count, struct address a)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_covers(list[i], a))
			return true;
	return false;
}

static bool open_at(const struct drawn *d, int64_t t)
{
	int64_t period = d->repeat == REPEAT_DAILY ? 24 * HOUR : 7 * 24 * HOUR;

	if (d->end == 0)
		return true;
	for (uint32_t i = 0; i < d->count; i++)
		if (d->start + i * period - PLAN_SKEW_MS <= t && t <= d->end + i * period + PLAN_SKEW_MS)
			return true;
	return false;
}

/* Each question apart, as the rules name them. 1 yes, 0 no, -1 not known. */
static int fits_target(const struct drawn *d, const struct observation *o)
{
	bool unknown = d->domain_count > 0;

	if (d->any)
		return 1;
	if (d->targets > 0 && !o->has_target)
		unknown = true;
	else if (d->targets > 0 && in_any(d->target, d->targets, unmapped(o->target)))
		return 1;
	for (size_t i = 0; i < d->as_count; i++)
		if (o->target_as == d->as[i])
			return 1;
	unknown |= d->as_count > 0 && o->target_as == 0;
	if (d->country_count > 0 && o->target_country[0] == '\0')
		unknown = true;
	else if (d->country_count > 0 && strcmp(o->target_country, d->countries[0]) == 0)
		return 1;
	return unknown ? -1 : 0;
}

static bool fits_transport(const struct drawn *d, uint8_t t)
{
	bool found = d->transport_count == 0 || t == 0;

	for (size_t i = 0; i < d->transport_count; i++)
		found |= t == d->transports[i] || (t == 1 && d->transports[i] == 58) ||
			 (t == 255 && d->transports[i] == 47);
	return found;
}

static bool fits_port(const struct drawn *d, uint16_t port)
{
	bool found = d->port_count == 0 || port == 0;

	for (size_t i = 0; i < d->port_count; i++)
		found |= d->ports[i].low <= port && port <= d->ports[i].high;
	return found;
}

static bool genuine(const struct drawn *d, const struct observation *o)
{
	return o->seen != 0 || (d->has_confirmed && prefix_covers(d->confirmed.source, unmapped(o->source)) &&
				d->confirmed.first_ms <= o->time_ms && o->time_ms <= d->confirmed.last_ms);
}

/* In the order of what counts; 8: nothing. */
static int judged(const struct drawn *d, const struct observation *o, bool held, const char **term)
{
	bool excluded = o->has_target && in_any(d->exclude, d->excludes, unmapped(o->target));
	int target = fits_target(d, o);

	*term = target == 0			   ? "target"
		: !fits_transport(d, o->transport) ? "transport"
		: !fits_port(d, o->target_port)	   ? "port"
		: d->lacks_consent		   ? "consent"
						   : NULL;
	if (!open_at(d, o->time_ms) || o->time_ms >= d->until)
		return 8;
	if (d->sealed)
		return held && d->filed <= o->time_ms ? 3 : 8;
	if (o->time_ms < d->filed)
		return !excluded && *term == NULL && target == 1 ? 6 : 8;
	if (!held)
		return !excluded && *term == NULL && target == 1 ? 5 : 8;
	if (excluded)
		return 0;
	if (*term != NULL)
		return 4;
	if (target < 0)
		return 7;
	return genuine(d, o) ? 1 : 2;
}

static const struct {
	enum plan_verdict verdict;
	const char *term;
} meanings[] = {
	{ PLAN_BREACH, "exclusion" }, { PLAN_EXPLAINED, NULL },
	{ PLAN_SPOOFABLE, "source" }, { PLAN_SEALED, NULL },
	{ PLAN_BREACH, NULL },	      { PLAN_EXPIRED_PROOF, "proof" },
	{ PLAN_LATE, "filed" },	      { PLAN_UNDECLARED, "target-unknown" },
	{ PLAN_UNDECLARED, NULL },
};

static bool holds(const struct drawn_source *s, int64_t t)
{
	for (size_t i = 0; i < s->held_count; i++)
		if (s->held[i].from_ms <= t && t < s->held[i].until_ms)
			return true;
	return false;
}

/* What counts most, there under the longest source, there the earliest filed. */
static struct plan_match by_loop(const struct drawn *plans, const struct observation *o)
{
	struct plan_match m = { 0 };
	int best = 8, best_length = -1;
	int64_t best_filed = INT64_MAX;
	const char *best_term = NULL;

	for (size_t i = 0; i < PLANS; i++)
		for (size_t k = 0; k < plans[i].sources; k++) {
			const struct drawn_source *s = &plans[i].source[k];
			const char *term;
			int found, length = s->prefix.length;

			if (!prefix_covers(s->prefix, unmapped(o->source)))
				continue;
			found = judged(&plans[i], o, holds(s, o->time_ms), &term);
			if (found == 3)
				length = 0; /* sealed filings name no prefix */
			if (found > best || (found == best && (length < best_length || (length == best_length &&
											plans[i].filed >= best_filed))))
				continue;
			best = found;
			best_length = length;
			best_filed = plans[i].filed;
			best_term = term;
			m.plan = plans[i].id;
		}
	m.verdict = meanings[best].verdict;
	m.term = best == 4 ? best_term : meanings[best].term;
	return m;
}

/* ---- both ---- */

static struct plan_entry *entry_of(struct arena *a, struct drawn *d)
{
	struct plan_entry *f = arena_array(a, 1, sizeof(*f));
	struct plan_source *s = arena_array(a, d->sources, sizeof(*s));
	struct prefix *lists = arena_array(a, d->targets + d->excludes, sizeof(*lists));

	assert_true(f != NULL && s != NULL && lists != NULL);
	f->id = d->id;
	f->filed_ms = d->filed;
	f->until_ms = d->until;
	f->lacks_consent = d->lacks_consent;
	memcpy(lists, d->target, d->targets * sizeof(*lists));
	memcpy(lists + d->targets, d->exclude, d->excludes * sizeof(*lists));
	f->terms = (struct plan_terms){ .sealed = d->sealed,
					.any_target = d->any,
					.start_ms = d->start,
					.end_ms = d->end,
					.repeat = (uint8_t)d->repeat,
					.repeat_count = d->count,
					.targets = lists,
					.target_count = d->targets,
					.excludes = lists + d->targets,
					.exclude_count = d->excludes,
					.target_as = d->as,
					.target_as_count = d->as_count,
					.target_countries = d->countries,
					.target_country_count = d->country_count,
					.target_domain_count = d->domain_count,
					.transport_count = d->transport_count,
					.ports = d->ports,
					.port_count = d->port_count };
	memcpy(f->terms.transports, d->transports, sizeof(d->transports));
	for (size_t i = 0; i < d->sources; i++)
		s[i] = (struct plan_source){ d->source[i].prefix, d->source[i].held, d->source[i].held_count };
	f->sources = s;
	f->source_count = d->sources;
	return f;
}

static struct plans *compile(struct drawn *drawn)
{
	struct plan_entry *sealed[PARTIES] = { NULL }, *last[PARTIES];
	struct plans *p;

	assert_int_equal(plans_new(&p), OK);
	for (size_t i = 0; i < PLANS; i++) {
		struct plan_entry *f = entry_of(plans_arena(p), &drawn[i]);

		if (drawn[i].has_confirmed)
			assert_int_equal(plans_add_confirmation(p, &drawn[i].confirmed), OK);
		if (!drawn[i].sealed)
			plans_add(p, f);
		else if (sealed[drawn[i].party] == NULL)
			sealed[drawn[i].party] = last[drawn[i].party] = f;
		else
			last[drawn[i].party] = last[drawn[i].party]->also = f;
	}
	for (size_t i = 0; i < PARTIES; i++)
		if (sealed[i] != NULL)
			plans_add(p, sealed[i]);
	assert_int_equal(plans_compile(p), OK);
	assert_int_equal(plans_count(p), PLANS);
	return p;
}

static int by_filed(const void *a, const void *b)
{
	const struct drawn *x = a, *y = b;

	return (x->filed > y->filed) - (x->filed < y->filed);
}

/* No two of one instant, and in order: as a ledger has them. */
static void draw_plans(uint64_t *seed, struct drawn *drawn)
{
	struct holder holders[PARTIES];

	for (size_t i = 0; i < PARTIES; i++) {
		holders[i].sources = 1 + test_below(seed, LIST);
		for (size_t k = 0; k < holders[i].sources; k++)
			draw_source(seed, &holders[i].source[k]);
	}
	for (size_t i = 0; i < PLANS; i++)
		draw_plan(seed, i, holders, &drawn[i]);
	qsort(drawn, PLANS, sizeof(*drawn), by_filed);
	for (size_t i = 1; i < PLANS; i++)
		if (drawn[i].filed <= drawn[i - 1].filed)
			drawn[i].filed = drawn[i - 1].filed + 1;
}

static void draw_target(uint64_t *seed, const struct drawn *d, struct observation *o)
{
	if (d->excludes > 0 && test_below(seed, 3) == 0)
		o->target = draw_near(seed, d->exclude[test_below(seed, d->excludes)]);
	else if (d->targets > 0)
		o->target = draw_near(seed, d->target[test_below(seed, d->targets)]);
	else
		o->target = draw_near(seed, draw_prefix(seed, 8));
}

static struct observation draw_observation(uint64_t *seed, const struct drawn *plans)
{
	static const int64_t steps[] = {
		-PLAN_SKEW_MS - 1, -PLAN_SKEW_MS, -1, 0, 1, 500, PLAN_SKEW_MS, PLAN_SKEW_MS + 1
	};
	static const uint8_t transports[] = { 0, 0, 6, 6, 17, 1, 255, 47 };
	static const uint16_t ports[] = { 0, 0, 22, 22, 21, 80, 84, 85 };
	const struct drawn *d = &plans[test_below(seed, PLANS)];
	const struct drawn_source *s = &d->source[test_below(seed, d->sources)];
	int64_t period = d->repeat == REPEAT_DAILY ? 24 * HOUR : 7 * 24 * HOUR;
	int64_t turn = d->repeat == REPEAT_NONE ? 0 : (int64_t)test_below(seed, d->count + 1) * period;
	const int64_t marks[] = { d->filed, d->start + turn,	d->end + turn,
				  d->until, s->held[0].from_ms, s->held[0].until_ms };
	struct observation o = { .source = draw_near(seed, s->prefix) };

	if ((o.has_target = test_below(seed, 5) > 0))
		draw_target(seed, test_below(seed, 2) == 0 ? d : &plans[test_below(seed, PLANS)], &o);
	o.time_ms = marks[test_below(seed, 6)];
	if (o.time_ms == INT64_MAX || o.time_ms == 0)
		o.time_ms = T0 + 4 * HOUR;
	o.time_ms += steps[test_below(seed, 8)];
	o.transport = transports[test_below(seed, 8)];
	o.target_port = ports[test_below(seed, 8)];
	o.seen = test_below(seed, 3) == 0 ? (uint8_t)(1 + test_below(seed, 3)) : 0;
	if (test_below(seed, 3) > 0)
		o.target_as = 64500 + (uint32_t)test_below(seed, 3);
	if (test_below(seed, 3) > 0)
		memcpy(o.target_country, test_below(seed, 2) == 0 ? "EE" : "FI", 3);
	return o;
}

static void expect(struct plan_match got, struct plan_match wanted)
{
	if (got.verdict != wanted.verdict)
		fail_msg("%s, not %s", plan_verdict_name(got.verdict), plan_verdict_name(wanted.verdict));
	if (got.term != wanted.term && (got.term == NULL || wanted.term == NULL || strcmp(got.term, wanted.term) != 0))
		fail_msg("%s, not %s", got.term, wanted.term);
	if (wanted.verdict != PLAN_UNDECLARED)
		assert_true(hash_equal(got.plan, wanted.plan));
}

static void agrees_with_a_loop(void **state)
{
	static const char *const terms[] = { "target", "exclusion", "transport", "port", "consent", "target-unknown" };
	uint64_t seed = test_seed();
	unsigned seen[PLAN_VERDICT_COUNT] = { 0 }, broken[TABLE_LENGTH(terms)] = { 0 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct drawn drawn[PLANS];
		struct plans *p;

		draw_plans(&seed, drawn);
		p = compile(drawn);
		for (int i = 0; i < OBSERVATIONS; i++) {
			struct observation o = draw_observation(&seed, drawn);
			struct plan_match got = plans_match(p, &o);

			expect(got, by_loop(drawn, &o));
			seen[got.verdict]++;
			for (size_t k = 0; got.term != NULL && k < TABLE_LENGTH(terms); k++)
				broken[k] += strcmp(got.term, terms[k]) == 0;
		}
		plans_free(p);
	}
	/* Else the drawing is worth nothing. */
	for (int v = 0; v < PLAN_VERDICT_COUNT; v++)
		assert_true(seen[v] > 2000);
	for (size_t k = 0; k < TABLE_LENGTH(terms); k++)
		assert_true(broken[k] > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
