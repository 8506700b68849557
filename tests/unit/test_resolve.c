#include "test_territory.h"

#include "territory/resolve.h"

/* A small world: two AS with names, one without a country, a country without an AS. */
static const char routes[] = "64496\t198.51.100.0/24\t300\n"
			     "64497\t192.0.2.0/24\t300\n"
			     "64497\t2001:db8::/32\t300\n"
			     "64500\t10.0.0.0/8\t300\n"; /* a leak of private space */
static const char names[] = "64496 EXAMPLE-ONE, AQ\n64497 EXAMPLE-TWO, AX\n";
static const char countries[] = "198.51.100.0,198.51.100.255,AX\n203.0.112.0,203.0.113.255,AQ\n"
				"2001:db8::,2001:db8::ffff,AQ\n";

struct world {
	struct table *table;
	struct resolver *resolver;
	struct arena *arena;
};

static struct world world_make(struct place *p, const struct territory_claim *claims, size_t count)
{
	struct world w = { .arena = arena_new(1 << 20) };

	place_file(p, "routes", span_of(routes));
	place_file(p, "asn.txt", span_of(names));
	place_file(p, "country.csv", span_of(countries));
	w.table = place_table(p);
	assert_non_null(w.arena);
	assert_int_equal(resolver_new(w.table, claims, count, &w.resolver), OK);
	return w;
}

static void world_free(struct world *w)
{
	resolver_free(w->resolver);
	table_close(w->table);
	arena_free(w->arena);
}

static struct answer ask(struct world *w, const char *text)
{
	struct answer a;

	assert_int_equal(resolver_explain(w->resolver, w->arena, addr(text), &a), OK);
	assert_int_equal(a.addressee, resolver_find(w->resolver, addr(text)));
	assert_true(a.addressee < resolver_addressees(w->resolver));
	assert_true(a.reason_count > 0);
	return a;
}

static bool has_reason(const struct answer *a, const char *text)
{
	for (size_t i = 0; i < a->reason_count; i++)
		if (memmem(a->reasons[i].at, a->reasons[i].len, text, strlen(text)) != NULL)
			return true;
	return false;
}

#define CLAIM(name, when) .party = SPAN(name), .from_ms = when, .because = { { 0xab, 0xcd } }

static struct territory_claim claim_prefix(const char *party, const char *prefix, int64_t when)
{
	struct territory_claim c = { .party = span_of(party), .type = TO_PREFIX, .from_ms = when };

	assert_int_equal(prefix_parse(span_of(prefix), &c.prefix), OK);
	return c;
}

static void without_claims(void **state)
{
	struct world w = world_make(*state, NULL, 0);
	struct answer a = ask(&w, "198.51.100.7");

	assert_int_equal(a.resolved.rule, RULE_HOLDER);
	assert_int_equal(a.resolved.to.type, TO_AS);
	assert_int_equal(a.resolved.to.asn, 64496);
	assert_string_equal(a.resolved.country, "AX");
	assert_range(a.matched, "198.51.100.0", "198.51.100.255");
	assert_true(has_reason(&a, "198.51.100.0/24 belongs to AS64496 (RIPE RIS whois dump of "));
	assert_true(has_reason(&a, "AS64496 is held by EXAMPLE-ONE, AQ"));
	assert_true(has_reason(&a, "registered in AX (country ranges of "));
	assert_true(has_reason(&a, "rule holder"));
	a = ask(&w, "203.0.112.1");
	assert_int_equal(a.resolved.rule, RULE_COUNTRY);
	assert_int_equal(a.resolved.to.type, TO_COUNTRY);
	assert_string_equal(a.resolved.to.country, "AQ");
	assert_range(a.matched, "203.0.112.0", "203.0.113.255");
	assert_int_equal(ask(&w, "203.0.113.1").resolved.rule,
			 RULE_SPECIAL); /* documentation, and no AS announces it */
	a = ask(&w, "9.9.9.9");
	assert_int_equal(a.resolved.rule, RULE_NOBODY);
	assert_int_equal(a.addressee, 0);
	assert_int_equal(ask(&w, "2001:db8::1").resolved.to.asn, 64497);
	assert_int_equal(ask(&w, "2001:db9::1").addressee, 0);
	world_free(&w);
}

static void special_space(void **state)
{
	const struct territory_claim claims[] = { claim_prefix("lab.example", "10.1.0.0/16", 1) };
	struct world w = world_make(*state, claims, 1);
	struct answer a = ask(&w, "10.0.0.1"); /* the leak does not make AS64500 answer for it */

	assert_int_equal(a.resolved.rule, RULE_SPECIAL);
	assert_int_equal(a.addressee, 0);
	assert_int_equal(a.record.asn, 64500);
	assert_true(has_reason(&a, "private"));
	assert_int_equal(ask(&w, "127.0.0.1").resolved.rule, RULE_SPECIAL);
	assert_int_equal(ask(&w, "fe80::1").resolved.rule, RULE_SPECIAL);
	assert_int_equal(ask(&w, "203.0.114.1").resolved.rule, RULE_NOBODY);
	assert_int_equal(ask(&w, "2001:db8:1::").resolved.rule, RULE_HOLDER); /* documentation that an AS announces */
	assert_int_equal(ask(&w, "3fff::1").resolved.rule, RULE_SPECIAL);
	assert_int_equal(ask(&w, "10.1.2.3").resolved.rule, RULE_CLAIMED_PREFIX); /* what was approved counts */
	world_free(&w);
}

/* What is proven comes before what our operator says, and that before the word of others, whatever the time; all are shown. */
static void proven_first(void **state)
{
	struct territory_claim claims[] = {
		claim_prefix("said.example", "198.51.100.0/24", 100),
		claim_prefix("followed.example", "198.51.100.0/24", 10),
		claim_prefix("late.example", "198.51.100.0/24", 300000),
		claim_prefix("proven.example", "198.51.100.0/24", 200000),
	};
	struct world w;
	struct answer a;

	claims[1].approved_by = SPAN("b.example");
	claims[1].basis = claims[3].basis = BASIS_RSC;
	claims[2].basis = BASIS_DNSSEC;
	claims[3].until_ms = 86400000;
	w = world_make(*state, claims, 4);
	a = ask(&w, "198.51.100.7");
	assert_span(a.resolved.to.domain, "proven.example");
	assert_int_equal(a.resolved.cc_count >= 3, 1);
	assert_span(a.resolved.cc[0].domain, "late.example");
	assert_span(a.resolved.cc[1].domain, "said.example");
	assert_span(a.resolved.cc[2].domain, "followed.example");
	assert_true(has_reason(&a, "proven.example claims 198.51.100.0/24, proven by rsc 1970-01-01T00:03:20Z until "
				   "1970-01-02T00:00:00Z by "));
	assert_true(has_reason(&a, "late.example claims 198.51.100.0/24, proven by dnssec"));
	assert_true(has_reason(&a, "; in copy, since another party had proven it before"));
	assert_true(has_reason(&a, "; in copy, since another party has proven it"));
	assert_true(
		has_reason(&a, "followed.example claims 198.51.100.0/24, proven by rsc as says b.example, followed,"));
	world_free(&w);
}

/* Ours first, however late they were approved; of the followed ones the first. */
static void claims_of_followed_nodes(void **state)
{
	struct territory_claim claims[] = {
		claim_prefix("theirs.example", "198.51.100.0/24", 1),
		claim_prefix("ours.example", "198.51.100.0/24", 9),
		claim_prefix("both.example", "198.51.100.0/24", 2),
		claim_prefix("both.example", "198.51.100.0/24", 8),
		claim_prefix("alone.example", "203.0.112.0/24", 3),
	};
	struct world w;
	struct answer a;

	claims[0].approved_by = claims[2].approved_by = claims[4].approved_by = SPAN("b.example");
	w = world_make(*state, claims, TABLE_LENGTH(claims));
	a = ask(&w, "198.51.100.7");
	assert_span(a.resolved.to.domain, "both.example");
	assert_span(a.resolved.cc[0].domain, "ours.example");
	assert_span(a.resolved.cc[1].domain, "theirs.example");
	assert_true(has_reason(&a, "both.example claims 198.51.100.0/24, approved 1970-01-01T00:00:00Z"));
	assert_true(has_reason(
		&a, "theirs.example claims 198.51.100.0/24, approved by b.example, followed, 1970-01-01T00:00:00Z"));
	assert_true(has_reason(&a, "; in copy, since another party was approved here"));
	a = ask(&w, "203.0.112.9");
	assert_int_equal(a.resolved.rule, RULE_CLAIMED_PREFIX);
	assert_span(a.resolved.to.domain, "alone.example");
	world_free(&w);
}

static void the_most_specific_claim(void **state)
{
	const struct territory_claim claims[] = {
		claim_prefix("wide.example", "198.51.100.0/24", 1),
		claim_prefix("narrow.example", "198.51.100.64/26", 5),
		{ CLAIM("as.example", 2), .type = TO_AS, .asn = 64496 },
		{ CLAIM("two.example", 2), .type = TO_AS, .asn = 64497 },
		{ CLAIM("cert.example", 3), .type = TO_COUNTRY, .country = "AQ" },
	};
	struct world w = world_make(*state, claims, TABLE_LENGTH(claims));
	struct answer a = ask(&w, "198.51.100.1");

	assert_int_equal(a.resolved.rule, RULE_CLAIMED_PREFIX);
	assert_span(a.resolved.to.domain, "wide.example");
	assert_range(a.matched, "198.51.100.0", "198.51.100.255");
	assert_int_equal(a.resolved.cc_count, 1); /* AS64496 is of AQ */
	assert_span(a.resolved.cc[0].domain, "cert.example");
	assert_true(has_reason(&a, "wide.example claims 198.51.100.0/24, approved 1970-01-01T00:00:00Z"));
	a = ask(&w, "198.51.100.64");
	assert_span(a.resolved.to.domain, "narrow.example");
	assert_range(a.matched, "198.51.100.64", "198.51.100.127");
	assert_span(ask(&w, "198.51.100.128").resolved.to.domain, "wide.example"); /* the outer one resumes */
	a = ask(&w, "192.0.2.1");
	assert_int_equal(a.resolved.rule, RULE_CLAIMED_AS);
	assert_span(a.resolved.to.domain, "two.example");
	assert_int_equal(a.resolved.cc_count, 0); /* nobody claims AX */
	a = ask(&w, "203.0.112.1");
	assert_int_equal(a.resolved.rule, RULE_COUNTRY_PARTY);
	assert_span(a.resolved.to.domain, "cert.example");
	assert_int_equal(a.resolved.cc_count, 0); /* not to itself */
	world_free(&w);
}

static void rivals_are_in_copy(void **state)
{
	const struct territory_claim claims[] = {
		{ CLAIM("later.example", 9), .type = TO_AS, .asn = 64496 },
		{ CLAIM("first.example", 1), .type = TO_AS, .asn = 64496 },
		{ CLAIM("third.example", 9), .type = TO_AS, .asn = 64496 },
		{ CLAIM("first.example", 2), .type = TO_AS, .asn = 64496 }, /* again: counts once */
		{ CLAIM("cert.example", 3), .type = TO_COUNTRY, .country = "AQ" },
		{ CLAIM("later.example", 4), .type = TO_COUNTRY, .country = "AQ" },
	};
	struct world w = world_make(*state, claims, TABLE_LENGTH(claims));
	struct answer a = ask(&w, "198.51.100.1");

	assert_span(a.resolved.to.domain, "first.example");
	assert_int_equal(a.resolved.cc_count, 3);
	assert_span(a.resolved.cc[0].domain, "later.example");
	assert_span(a.resolved.cc[1].domain, "third.example");
	assert_span(a.resolved.cc[2].domain, "cert.example");
	assert_true(has_reason(&a, "third.example claims AS64496"));
	world_free(&w);
}

/* Copies are capped, whoever claims. */
static void many_rivals(void **state)
{
	static const char *const parties[] = { "a.example", "b.example", "c.example", "d.example",
					       "e.example", "f.example", "g.example", "h.example",
					       "i.example", "j.example", "k.example" };
	struct territory_claim claims[TABLE_LENGTH(parties)];
	struct world w;
	struct answer a;

	for (size_t i = 0; i < TABLE_LENGTH(parties); i++)
		claims[i] = claim_prefix(parties[i], "198.51.100.0/25", (int64_t)i);
	w = world_make(*state, claims, TABLE_LENGTH(parties));
	a = ask(&w, "198.51.100.1");
	assert_span(a.resolved.to.domain, "a.example");
	assert_int_equal(a.resolved.cc_count, 8);
	assert_span(a.resolved.cc[7].domain, "i.example");
	world_free(&w);
}

static void one_number_for_one_addressee(void **state)
{
	const struct territory_claim claims[] = {
		{ CLAIM("one.example", 1), .type = TO_AS, .asn = 64496 },
		{ CLAIM("one.example", 1), .type = TO_AS, .asn = 64497 },
		claim_prefix("one.example", "203.0.113.0/24", 1),
	};
	struct world w = world_make(*state, claims, TABLE_LENGTH(claims));
	uint32_t number = resolver_find(w.resolver, addr("198.51.100.1"));
	struct resolved r;

	assert_int_equal(resolver_find(w.resolver, addr("192.0.2.1")), number);
	assert_int_equal(resolver_find(w.resolver, addr("203.0.113.1")), number);
	resolver_addressee(w.resolver, number, &r);
	assert_span(r.to.domain, "one.example");
	assert_int_equal(r.rule, RULE_CLAIMED_PREFIX); /* the most specific of all */
	assert_string_equal(r.country, "");
	assert_int_equal(ask(&w, "192.0.2.1").resolved.rule, RULE_CLAIMED_AS); /* of this one */
	resolver_addressee(w.resolver, 0, &r);
	assert_int_equal(r.rule, RULE_NOBODY);
	resolver_addressee(w.resolver, 4000000, &r);
	assert_int_equal(r.rule, RULE_NOBODY);
	world_free(&w);
}

static void embedded_addresses(void **state)
{
	static const char *const forms[] = { "::ffff:198.51.100.7", "64:ff9b::198.51.100.7", "2002:c633:6407::1" };
	const struct territory_claim claims[] = { claim_prefix("wide.example", "198.51.100.0/24", 1) };
	struct world w = world_make(*state, claims, 1);

	for (size_t i = 0; i < TABLE_LENGTH(forms); i++) {
		struct answer a = ask(&w, forms[i]);

		assert_span(a.resolved.to.domain, "wide.example");
		assert_true(address_equal(a.asked, addr(forms[i])));
		assert_true(address_equal(a.looked_up, addr("198.51.100.7")));
		assert_true(has_reason(&a, "198.51.100.7 stands inside"));
	}
	world_free(&w);
}

/* The naive twin of claimed prefixes: the longest that covers, of equals the first approved. */
static const struct territory_claim *by_loop(const struct territory_claim *claims, size_t n, struct address a)
{
	const struct territory_claim *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct territory_claim *c = &claims[i];

		if (!prefix_covers(c->prefix, a))
			continue;
		if (best == NULL || c->prefix.length > best->prefix.length ||
		    (c->prefix.length == best->prefix.length && c->from_ms < best->from_ms))
			best = c;
	}
	return best;
}

static struct address draw(uint64_t *seed)
{
	if (test_below(seed, 2) == 0)
		return address_ipv4(0xc6336000 + (uint32_t)test_below(seed, 1 << 18));
	return (struct address){ 0x20010db800000000 + test_below(seed, 1 << 16), test_random(seed), FAMILY_IPV6 };
}

static void claims_agree_with_a_loop(void **state)
{
	static const char *const parties[] = { "a.example", "b.example", "c.example" };
	uint64_t seed = test_seed();

	for (int round = 0; round < 10; round++) {
		struct territory_claim claims[60];
		struct world w;

		for (size_t i = 0; i < TABLE_LENGTH(claims); i++) {
			struct address a = draw(&seed);
			unsigned most = a.family == FAMILY_IPV4 ? 32 : 128;

			claims[i] = (struct territory_claim){ .party = span_of(parties[test_below(&seed, 3)]),
							      .type = TO_PREFIX,
							      .from_ms = (int64_t)i };
			claims[i].prefix = prefix_of(a, most / 2 + (unsigned)test_below(&seed, most / 2 + 1));
		}
		place_clear(*state);
		w = world_make(*state, claims, TABLE_LENGTH(claims));
		for (int i = 0; i < 2000; i++) {
			struct address a = i % 3 != 0 ? draw(&seed) : claims[test_below(&seed, 60)].prefix.address;
			const struct territory_claim *c = by_loop(claims, TABLE_LENGTH(claims), a);
			struct resolved r;

			resolver_addressee(w.resolver, resolver_find(w.resolver, a), &r);
			assert_int_equal(r.rule == RULE_CLAIMED_PREFIX, c != NULL);
			if (c != NULL)
				assert_true(span_equal(r.to.domain, c->party));
		}
		world_free(&w);
	}
}

static void assert_set_apart(const struct table *t, struct address a)
{
	const char *special = address_special(a);
	struct address inner;
	char text[ADDRESS_TEXT];

	if (address_embedded(a, &inner) != NULL)
		return; /* never looked up itself */
	address_format(a, text);
	if ((table_class(t, table_find(t, a)) == 0) != (special != NULL))
		fail_msg("%s is %s", text, special != NULL ? special : "ordinary");
}

/* Somebody says that all the world is his: what is special stays nobody's. */
static void special_space_is_set_apart(void **state)
{
	static const char *const places[] = {
		"0.0.0.0",     "10.0.0.0",   "100.64.0.0",   "100.128.0.0",	"127.0.0.0",	"128.0.0.0",
		"169.254.0.0", "172.16.0.0", "172.32.0.0",   "192.0.0.0",	"192.0.0.9",	"192.0.0.11",
		"192.0.1.0",   "192.0.2.0",  "192.0.3.0",    "192.88.99.0",	"192.88.100.0", "192.168.0.0",
		"192.169.0.0", "198.18.0.0", "198.20.0.0",   "198.51.100.0",	"198.51.101.0", "203.0.113.0",
		"203.0.114.0", "224.0.0.0",  "240.0.0.0",    "255.255.255.255", "::",		"64:ff9b:1::",
		"100::",       "2000::",     "2001:1::1",    "2001:1::4",	"2001:2::",	"2001:2:1::",
		"2001:3::",    "2001:4::",   "2001:4:112::", "2001:4:113::",	"2001:20::",	"2001:30::",
		"2001:40::",   "2001:200::", "2001:db8::",   "2001:db9::",	"2003::",	"3fff::",
		"3fff:1000::", "4000::",     "5f00::",	     "8000::",		"fc00::",	"fe80::",
		"fec0::",      "ff00::"
	};
	uint64_t seed = test_seed();
	struct table *t;

	place_file(*state, "country.csv",
		   SPAN("0.0.0.0,255.255.255.255,AX\n::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,AX\n"));
	t = place_table(*state);
	for (size_t i = 0; i < TABLE_LENGTH(places); i++) {
		struct address a = addr(places[i]), before = a;

		assert_set_apart(t, a);
		if (address_previous(&before))
			assert_set_apart(t, before);
	}
	for (int i = 0; i < 100000; i++) {
		struct address six = { test_random(&seed), test_random(&seed), FAMILY_IPV6 };

		assert_set_apart(t, address_ipv4((uint32_t)test_random(&seed)));
		if (i % 2 == 0)
			six.high = 0x2001000000000000 | (six.high & 0xffffffffffff);
		assert_set_apart(t, six);
	}
	table_close(t);
}

static void rules_have_words(void **state)
{
	(void)state;
	for (int i = 0; i < RULE_COUNT; i++) {
		assert_true(strlen(rule_name((enum rule)i)) > 0);
		assert_true(strlen(rule_says((enum rule)i)) > 20);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(rule_name((enum rule)i), rule_name((enum rule)k));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(without_claims),
		IN_PLACE(special_space),
		IN_PLACE(proven_first),
		IN_PLACE(claims_of_followed_nodes),
		IN_PLACE(the_most_specific_claim),
		IN_PLACE(rivals_are_in_copy),
		IN_PLACE(many_rivals),
		IN_PLACE(one_number_for_one_addressee),
		IN_PLACE(embedded_addresses),
		IN_PLACE(claims_agree_with_a_loop),
		IN_PLACE(special_space_is_set_apart),
		cmocka_unit_test(rules_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
