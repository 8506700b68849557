#include "test_territory.h"

#include "territory/rpki.h"
#include "territory/table_file.h"

#define FOREVER "4102444800" /* 2100 */

struct set {
	struct rows rows;
	struct vrps vrps;
};

static void add(struct set *s, const char *prefix, unsigned longest, uint32_t asn)
{
	struct row row = { .value = asn, .longest = (uint8_t)longest };
	struct prefix p;

	assert_int_equal(prefix_parse(span_of(prefix), &p), OK);
	row.first = wide_of(prefix_first(p));
	row.last = wide_of(prefix_last(p));
	row.length = p.length;
	assert_int_equal(rows_add(&s->rows, &row), OK);
}

static enum route_validity validate(const struct set *s, const char *prefix, uint32_t asn)
{
	struct prefix p;

	assert_int_equal(prefix_parse(span_of(prefix), &p), OK);
	return vrps_validate(&s->vrps, wide_of(prefix_first(p)), wide_of(prefix_last(p)), p.length, asn);
}

static void set_free(struct set *s)
{
	vrps_free(&s->vrps);
	rows_free(&s->rows);
}

static void the_rules(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t asn;
		enum route_validity is;
	} cases[] = {
		{ "192.0.2.0/24", 64496, ROUTE_VALID },
		{ "192.0.2.0/24", 64497, ROUTE_INVALID }, /* another AS */
		{ "192.0.2.0/25", 64496, ROUTE_INVALID }, /* too long */
		{ "192.0.2.128/26", 64498, ROUTE_VALID }, /* a narrower one allows it */
		{ "192.0.2.128/26", 64496, ROUTE_INVALID },
		{ "192.0.2.128/27", 64498, ROUTE_INVALID },
		{ "192.0.0.0/22", 64496, ROUTE_NOT_FOUND }, /* wider than what is covered */
		{ "198.51.100.0/24", 64496, ROUTE_NOT_FOUND },
		{ "203.0.113.0/24", 64496, ROUTE_INVALID }, /* AS 0: nobody may */
		{ "203.0.113.0/24", 0, ROUTE_INVALID },
		{ "203.0.113.0/25", 64499, ROUTE_VALID }, /* beside AS 0 */
	};
	struct set s = { 0 };

	(void)state;
	assert_int_equal(validate(&s, "192.0.2.0/24", 64496), ROUTE_UNKNOWN);
	add(&s, "203.0.113.0/24", 24, 0);
	add(&s, "203.0.113.0/25", 25, 64499);
	add(&s, "192.0.2.128/25", 26, 64498);
	add(&s, "192.0.2.0/24", 24, 64496);
	assert_int_equal(vrps_make(&s.rows, &s.vrps), OK);
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		if (validate(&s, cases[i].prefix, cases[i].asn) != cases[i].is)
			fail_msg("%s AS%u should be %s", cases[i].prefix, cases[i].asn,
				 route_validity_name(cases[i].is));
	set_free(&s);
}

static enum route_validity by_loop(const struct rows *rows, wide first, wide last, uint8_t length, uint32_t asn)
{
	bool covered = false;

	if (rows->count == 0)
		return ROUTE_UNKNOWN;
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *r = &rows->at[i];

		if (r->first > first || r->last < last)
			continue;
		covered = true;
		if (r->value == asn && asn != 0 && (length == NO_LENGTH || length <= r->longest))
			return ROUTE_VALID;
	}
	return covered ? ROUTE_INVALID : ROUTE_NOT_FOUND;
}

/* Prefixes in a corner, so that they nest and repeat. */
static struct prefix draw(uint64_t *seed)
{
	uint32_t v = 0xc0000200 | (uint32_t)test_below(seed, 1024);

	return prefix_of(address_ipv4(v), (unsigned)(20 + test_below(seed, 13)));
}

static void agrees_with_a_loop(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct set s = { 0 };
		size_t n = test_below(&seed, 40);

		for (size_t i = 0; i < n; i++) {
			struct prefix p = draw(&seed);
			struct row row = { .first = wide_of(prefix_first(p)),
					   .last = wide_of(prefix_last(p)),
					   .value = (uint32_t)test_below(&seed, 4),
					   .length = p.length };

			row.longest = (uint8_t)(p.length + test_below(&seed, 33u - p.length));
			assert_int_equal(rows_add(&s.rows, &row), OK);
		}
		assert_int_equal(vrps_make(&s.rows, &s.vrps), OK);
		for (int i = 0; i < 300; i++) {
			struct prefix p = draw(&seed);
			wide first = wide_of(prefix_first(p)), last = wide_of(prefix_last(p));
			uint32_t asn = (uint32_t)test_below(&seed, 4);
			uint8_t length = i % 3 == 0 ? NO_LENGTH : p.length;

			if (i % 3 == 0)
				last = first + test_below(&seed, 64); /* a range that is no prefix */
			assert_int_equal(vrps_validate(&s.vrps, first, last, length, asn),
					 by_loop(&s.rows, first, last, length, asn));
		}
		set_free(&s);
	}
}

static void invalid_origins_are_passed_over(void **state)
{
	struct place *p = *state;
	struct table_record r;
	struct table *t;

	place_file(p, "routes",
		   SPAN("64496\t198.51.100.0/23\t300\n" /* valid */
			"64666\t198.51.100.0/24\t300\n" /* invalid inside it */
			"64496\t192.0.2.0/24\t300\n"	/* a twin: valid … */
			"64666\t192.0.2.0/24\t310\n"	/* … and invalid, though more see it */
			"64666\t203.0.113.0/24\t300\n"	/* invalid, nothing else */
			"64497\t10.9.0.0/16\t300\n"));	/* not found */
	place_file(p, "vrps.csv",
		   SPAN("ASN,IP Prefix,Max Length,Trust Anchor,Expires\n"
			"AS64496,198.51.100.0/23,23,example," FOREVER "\n"
			"AS64496,192.0.2.0/24,24,example," FOREVER "\n"
			"AS64499,203.0.113.0/24,24,example," FOREVER "\n"));
	t = place_table(p);
	r = record_at(t, "198.51.100.7");
	assert_int_equal(r.asn, 64496);
	assert_range(r.origin_range, "198.51.100.0", "198.51.101.255");
	assert_int_equal(r.validity, ROUTE_VALID);
	assert_int_equal(r.passed_over_asn, 64666);
	assert_int_equal(record_at(t, "198.51.101.7").passed_over_asn, 0);
	r = record_at(t, "192.0.2.7");
	assert_int_equal(r.asn, 64496);
	assert_int_equal(r.passed_over_asn, 64666);
	r = record_at(t, "203.0.113.7"); /* whom the holder allows */
	assert_int_equal(r.asn, 64499);
	assert_int_equal(r.passed_over_asn, 64666);
	assert_int_equal(record_at(t, "10.9.0.1").validity, ROUTE_NOT_FOUND);
	table_close(t);
}

static void nobody_is_allowed(void **state)
{
	struct place *p = *state;
	struct table_record r;
	struct table *t;

	place_file(p, "routes", SPAN("64666\t203.0.113.0/24\t300\n"));
	place_file(p, "country.csv", SPAN("203.0.113.0,203.0.113.255,AQ\n"));
	place_file(p, "vrps.csv", SPAN("AS0,203.0.113.0/24,24,example," FOREVER "\n"));
	t = place_table(p);
	r = record_at(t, "203.0.113.7");
	assert_int_equal(r.asn, 0);
	assert_int_equal(r.passed_over_asn, 64666);
	assert_int_equal(r.validity, ROUTE_INVALID);
	assert_string_equal(r.country, "AQ");
	table_close(t);
}

/* Ranges of packages do not tell what was announced: only the AS is compared. */
static void ranges_are_judged_by_their_as(void **state)
{
	struct place *p = *state;
	struct table *t;

	place_file(p, "as.csv", SPAN("198.51.100.0,198.51.100.99,64496,x\n192.0.2.0,192.0.2.99,64666,y\n"));
	place_file(p, "vrps.csv",
		   SPAN("AS64496,198.51.100.0/24,24,example," FOREVER "\n"
			"AS64497,192.0.2.0/24,24,example," FOREVER "\n"));
	t = place_table(p);
	assert_int_equal(record_at(t, "198.51.100.7").validity, ROUTE_VALID);
	assert_int_equal(record_at(t, "192.0.2.7").asn, 64497);
	assert_int_equal(record_at(t, "192.0.2.7").passed_over_asn, 64666);
	table_close(t);
}

static void expired_ones_do_not_count(void **state)
{
	struct place *p = *state;
	struct table_record r;
	struct table *t;

	place_file(p, "routes", SPAN("64666\t203.0.113.0/24\t300\n"));
	place_file(p, "vrps.csv", SPAN("AS64496,203.0.113.0/24,24,example,1000000000\n"));
	t = place_table(p);
	r = record_at(t, "203.0.113.7");
	assert_int_equal(r.asn, 64666);
	assert_int_equal(r.validity, ROUTE_UNKNOWN);
	assert_int_equal(r.passed_over_asn, 0);
	table_close(t);
}

/* They were fresh when the table was built, and are not when it is read. */
static void they_expire_in_the_table_too(void **state)
{
	struct place *p = *state;
	struct table_head head;
	struct table *t;
	FILE *f;

	place_file(p, "routes", SPAN("64496\t203.0.113.0/24\t300\n"));
	place_file(p, "vrps.csv", SPAN("AS64496,203.0.113.0/24,24,example," FOREVER "\n"));
	t = place_table(p);
	assert_int_equal(record_at(t, "203.0.113.7").validity, ROUTE_VALID);
	table_close(t);
	f = fopen(p->table, "r+b");
	assert_non_null(f);
	assert_int_equal(fread(&head, sizeof(head), 1, f), 1);
	head.vrps_until_ms = clock_now_ms() - 1;
	head.head = hash_bytes(&head, offsetof(struct table_head, head));
	rewind(f);
	assert_int_equal(fwrite(&head, sizeof(head), 1, f), 1);
	fclose(f);
	assert_int_equal(table_open(p->table, &t), OK);
	assert_int_equal(record_at(t, "203.0.113.7").validity, ROUTE_UNKNOWN);
	table_close(t);
}

static void files_of_validators(void **state)
{
	static const char *const files[] = { "tests/data/registry/vrps.csv", "tests/data/registry/vrps.json" };

	for (size_t i = 0; i < TABLE_LENGTH(files); i++) {
		struct build_source vrps = { .path = files[i] }, routes = { .path = "tests/data/registry/pyasn.dat" };
		struct place *p = *state;
		struct build *b = NULL;
		struct table_source s;
		struct table *t;

		assert_int_equal(build_new(&b), OK);
		assert_int_equal(build_add(b, &vrps), OK);
		assert_int_equal(build_add(b, &routes), OK);
		assert_int_equal(build_write(b, p->table), OK);
		build_free(b);
		assert_int_equal(table_open(p->table, &t), OK);
		table_source(t, 0, &s);
		assert_span(s.name, "RPKI VRPs");
		assert_int_equal(s.rows, i == 0 ? 4 : 3);
		assert_int_equal(s.rejected, i == 0 ? 1 : 2);
		assert_int_equal(record_at(t, "192.0.2.200").validity, ROUTE_VALID);
		assert_int_equal(record_at(t, "192.0.2.7").passed_over_asn, 64497); /* the /25 of another AS */
		assert_int_equal(record_at(t, "192.0.2.7").asn, 64496);
		if (i == 1)
			assert_int_equal(record_at(t, "2001:db8::1").validity, ROUTE_VALID);
		table_close(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rules),
		cmocka_unit_test(agrees_with_a_loop),
		IN_PLACE(invalid_origins_are_passed_over),
		IN_PLACE(nobody_is_allowed),
		IN_PLACE(ranges_are_judged_by_their_as),
		IN_PLACE(expired_ones_do_not_count),
		IN_PLACE(they_expire_in_the_table_too),
		IN_PLACE(files_of_validators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
