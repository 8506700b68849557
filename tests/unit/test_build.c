#include "test_territory.h"

#include "territory/source.h"

#define DATA "tests/data/registry/"

static struct table *table_of(struct place *p, const char *const *files, size_t count)
{
	struct build_source sources[PLACE_FILES] = { 0 };
	struct build *b = NULL;
	struct table *t = NULL;

	p->rejected = 0;
	assert_int_equal(build_new(&b), OK);
	build_on_reject(b, place_reject, p);
	for (size_t i = 0; i < count; i++)
		sources[i].path = files[i];
	if (build_add_all(b, sources, count, NULL) != OK)
		fail_msg("%s", err_detail());
	assert_int_equal(build_write(b, p->table), OK);
	build_free(b);
	assert_int_equal(table_open(p->table, &t), OK);
	assert_int_equal(table_check(t), OK);
	return t;
}

#define TABLE_OF(place, ...)                                                                                           \
	table_of(place, (const char *const[]){ __VA_ARGS__ },                                                          \
		 sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static struct table_source source_at(const struct table *t, size_t i)
{
	struct table_source s;

	assert_true(i < table_sources(t));
	table_source(t, i, &s);
	return s;
}

static void assert_dated(const struct table_source *s, const char *text)
{
	char date[CLOCK_TEXT];

	clock_format(s->dated_ms, date);
	assert_string_equal(date, text);
}

static void delegated_extended(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "delegated-ripencc-extended-latest");
	struct table_source s = source_at(t, 0);
	struct span holder;
	char country[3];

	assert_span(s.name, "ripencc delegated-extended");
	assert_dated(&s, "2026-11-20T00:00:00Z");
	assert_int_equal(s.rows, 9);
	assert_int_equal(s.rejected, 4);
	assert_int_equal(((struct place *)*state)->rejected, 4);
	assert_true(s.attribution.len > 0);
	assert_string_equal(record_at(t, "192.0.2.95").country, "AQ");
	assert_range(record_at(t, "192.0.2.95").country_range, "192.0.2.0", "192.0.2.95");
	assert_string_equal(record_at(t, "192.0.2.96").country, "AX");
	assert_string_equal(record_at(t, "192.0.2.255").country, "AX");
	assert_string_equal(record_at(t, "198.51.100.7").country, "EU");
	assert_int_equal(table_find(t, addr("203.0.113.1")), 0);
	assert_int_equal(table_find(t, addr("203.0.113.200")), 0);
	assert_string_equal(record_at(t, "2001:db8:7fff::").country, "AQ");
	assert_string_equal(record_at(t, "2001:db8:8000::").country, "AX");
	assert_string_equal(record_at(t, "2001:db8:c000::").country, "");
	assert_true(table_as(t, 64498, &holder, country));
	assert_string_equal(country, "AQ");
	assert_int_equal(holder.len, 0);
	assert_true(table_as(t, 64500, &holder, country));
	assert_false(table_as(t, 64499, &holder, country));
	table_close(t);
}

static void delegated_plain(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "delegated-apnic-latest");
	struct table_source s = source_at(t, 0);

	assert_span(s.name, "apnic delegated");
	assert_dated(&s, "2026-11-19T00:00:00Z");
	assert_string_equal(record_at(t, "198.51.100.63").country, "AX");
	assert_string_equal(record_at(t, "198.51.100.64").country, "");
	table_close(t);
}

static void assert_ris(const struct table *t)
{
	struct table_record r = record_at(t, "192.0.2.127");

	assert_int_equal(r.asn, 64496);
	assert_range(r.origin_range, "192.0.2.0", "192.0.2.255");
	assert_int_equal(r.validity, ROUTE_UNKNOWN);
	r = record_at(t, "192.0.2.128"); /* two origins: the one that more peers see */
	assert_int_equal(r.asn, 64497);
	assert_int_equal(r.other_asn, 64499);
	r = record_at(t, "198.51.100.1"); /* a set */
	assert_int_equal(r.asn, 64500);
	assert_int_equal(r.other_asn, 64501);
	assert_int_equal(table_find(t, addr("203.0.113.1")), 0);
	assert_int_equal(table_find(t, addr("9.9.9.9")), 0); /* the default route is nobody's */
}

static void ris(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "riswhoisdump.IPv4");
	struct table_source s = source_at(t, 0);

	assert_span(s.name, "RIPE RIS whois dump");
	assert_dated(&s, "2026-11-21T08:00:00Z");
	assert_int_equal(s.rows, 4);
	assert_int_equal(s.rejected, 4);
	assert_int_equal(s.overlaps, 0); /* routes nest by nature */
	assert_ris(t);
	table_close(t);
}

static void compressed(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "riswhoisdump.IPv4.gz", DATA "riswhoisdump.IPv6.zst");

	assert_ris(t);
	assert_int_equal(table_sources(t), 1); /* one source in two files */
	assert_int_equal(source_at(t, 0).rows, 6);
	assert_int_equal(record_at(t, "2001:db8:1::1").asn, 64498);
	assert_int_equal(record_at(t, "2001:db8:2::1").asn, 64496);
	assert_int_equal(record_at(t, "2001:db8::").asn, 64496);
	table_close(t);
}

static void pyasn(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "pyasn.dat");
	struct table_source s = source_at(t, 0);

	assert_dated(&s, "2026-11-20T00:00:00Z");
	assert_int_equal(s.rejected, 1);
	assert_int_equal(record_at(t, "192.0.2.127").asn, 64497);
	assert_int_equal(record_at(t, "192.0.2.128").asn, 64496);
	assert_int_equal(record_at(t, "2001:db8:ffff::").asn, 64498);
	table_close(t);
}

static void pfx2as(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "pfx2as.txt");
	struct table_record r = record_at(t, "192.0.2.1");

	assert_int_equal(r.asn, 64497);
	assert_int_equal(r.other_asn, 64498);
	assert_int_equal(record_at(t, "192.0.2.200").asn, 64496);
	assert_int_equal(record_at(t, "198.51.100.1").asn, 64499);
	assert_int_equal(record_at(t, "2001:db8::1").asn, 64502);
	assert_int_equal(source_at(t, 0).rejected, 1);
	table_close(t);
}

static void as_names(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "asn.txt", DATA "pyasn.dat");
	struct table_record r = record_at(t, "192.0.2.200");

	assert_span(r.holder, "EXAMPLE-ONE Example One, with a comma");
	assert_string_equal(r.as_country, "AQ");
	r = record_at(t, "2001:db8::1");
	assert_span(r.holder, "EXAMPLE-THREE");
	assert_string_equal(r.as_country, "");
	table_close(t);
}

static void ranges_of_as_numbers(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "asn-ipv4.csv");
	struct table_source s = source_at(t, 0);

	assert_int_equal(s.rows, 4);
	assert_int_equal(s.rejected, 4);
	assert_int_equal(s.overlaps, 2);
	assert_span(record_at(t, "192.0.2.15").holder, "Example \"One\", Ltd");
	assert_int_equal(record_at(t, "192.0.2.16").asn, 64497);
	assert_int_equal(record_at(t, "192.0.2.32").asn, 64496);
	assert_span(record_at(t, "198.51.100.1").holder, "Beispiel f\xc3\xbcr drei");
	assert_int_equal(record_at(t, "198.51.100.95").asn, 64499); /* twenty are narrower than a hundred */
	assert_int_equal(record_at(t, "198.51.100.95").holder.len, 0);
	table_close(t);
}

static void ranges_as_numbers(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "asn-ipv4-num.csv", DATA "asn-ipv6-num.csv");

	assert_int_equal(record_at(t, "192.0.2.15").asn, 64496);
	assert_int_equal(record_at(t, "192.0.2.16").asn, 64497);
	assert_int_equal(record_at(t, "2001:db8::").asn, 64496);
	assert_int_equal(record_at(t, "2001:db8::1").asn, 64497);
	assert_int_equal(record_at(t, "2001:db8::2").asn, 64496);
	assert_int_equal(record_at(t, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff").asn, 64496);
	assert_int_equal(record_at(t, "2001:db9::").asn, 0);
	table_close(t);
}

static void ranges_of_countries(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "country.csv");

	assert_string_equal(record_at(t, "192.0.2.127").country, "AQ");
	assert_string_equal(record_at(t, "192.0.2.128").country, "AX");
	assert_string_equal(record_at(t, "192.0.2.192").country, "AQ");
	assert_string_equal(record_at(t, "198.51.100.1").country, "");
	assert_string_equal(record_at(t, "2001:db8::1").country, "AX");
	assert_int_equal(source_at(t, 0).rejected, 1);
	table_close(t);
}

/* Registries and routes come before what was packaged; what the others say is kept. */
static void sources_that_disagree(void **state)
{
	struct table *t = TABLE_OF(*state, DATA "asn-ipv4.csv", DATA "country.csv", DATA "asn.txt",
				   DATA "delegated-ripencc-extended-latest", DATA "riswhoisdump.IPv4");
	struct table_record r = record_at(t, "192.0.2.20");
	struct table_facts f;

	assert_int_equal(r.asn, 64496);
	assert_span(source_at(t, r.origin_source).name, "RIPE RIS whois dump");
	assert_int_equal(r.other_asn, 64497);
	assert_span(source_at(t, r.other_source).name, "AS ranges");
	assert_span(r.holder, "EXAMPLE-ONE Example One, with a comma");
	r = record_at(t, "192.0.2.100");
	assert_string_equal(r.country, "AX");
	assert_span(source_at(t, r.country_source).name, "ripencc delegated-extended");
	assert_string_equal(r.other_country, "AQ");
	assert_span(source_at(t, r.other_country_source).name, "country ranges");
	assert_int_equal(r.other_asn, 0);
	assert_string_equal(r.as_country, "AQ");
	assert_string_equal(record_at(t, "198.51.100.7").country, "EU"); /* no country, but all that is known */
	table_facts(t, &f);
	assert_true(f.disagreements >= 3);
	assert_true(f.built_ms <= clock_now_ms() && f.built_ms > clock_now_ms() - 60000);
	assert_int_equal(f.as_numbers, 5); /* of names, delegations, routes and ranges together */
	table_close(t);
}

/* A country that another source knows counts before EU, which is none. */
static void a_region_is_no_country(void **state)
{
	struct place *p = *state;
	struct table *t;

	place_file(p, "delegated-ripencc", SPAN("ripencc|EU|ipv4|198.51.100.0|256|20140102|allocated\n"));
	place_file(p, "country.csv", SPAN("198.51.100.0,198.51.100.127,AX\n"));
	t = place_table(p);
	assert_string_equal(record_at(t, "198.51.100.1").country, "AX");
	assert_string_equal(record_at(t, "198.51.100.1").other_country, "");
	assert_string_equal(record_at(t, "198.51.100.128").country, "EU");
	table_close(t);
}

static void what_the_caller_says_counts(void **state)
{
	struct place *p = *state;
	struct build_source source = { DATA "pyasn.dat", SPAN("my own table"), SPAN("thanks to all"), SPAN("take care"),
				       1795132800000 };
	struct build *b = NULL;
	struct table_source s;
	struct table *t;

	assert_int_equal(build_new(&b), OK);
	assert_int_equal(build_add(b, &source), OK);
	assert_int_equal(build_write(b, p->table), OK);
	build_free(b);
	assert_int_equal(table_open(p->table, &t), OK);
	s = source_at(t, 0);
	assert_span(s.name, "my own table");
	assert_span(s.attribution, "thanks to all");
	assert_span(s.caution, "take care");
	assert_int_equal(s.dated_ms, 1795132800000);
	table_close(t);
}

/* Known packages say their name, version and date beside their tables. */
static void a_package_names_itself(void **state)
{
	struct place *p = *state;
	struct table_source s;
	struct table *t;

	place_file(p, "asn-ipv4.csv", SPAN("198.51.100.0,198.51.100.127,64496,x\n"));
	place_file(p, "package.json", SPAN("{\"name\":\"@ip-location-db/asn\",\"version\":\"2.3.2026061719\"}"));
	p->count--;
	t = place_table(p);
	p->count++;
	s = source_at(t, 0);
	assert_span(s.name, "@ip-location-db/asn 2.3.2026061719");
	assert_dated(&s, "2026-06-17T19:00:00Z");
	assert_non_null(strstr(s.attribution.at, "db-ip.com"));
	assert_true(s.caution.len > 0);
	table_close(t);
}

static void assert_refused(struct build *b, const char *path, enum err e)
{
	struct build_source source = { .path = path };

	assert_int_equal(build_add(b, &source), e);
	assert_true(strlen(err_detail()) > 0);
}

static void what_is_no_table(void **state)
{
	struct place *p = *state;
	struct build *b = NULL;

	assert_int_equal(build_new(&b), OK);
	assert_refused(b, DATA "not-there", ERR_NOT_FOUND);
	assert_refused(b, place_file(p, "empty", SPAN("")), ERR_FORMAT_UNKNOWN);
	assert_refused(b, place_file(p, "prose", SPAN("Dear all,\nthis is no table.\n")), ERR_FORMAT_UNKNOWN);
	assert_refused(b,
		       place_file(p, "manual",
				  SPAN("A table looks like this:\n1.0.0.0,1.0.0.255,AQ\nwhere\nthe\nfirst\n"
				       "two are addresses.\n")),
		       ERR_FORMAT_UNKNOWN);
	assert_refused(b, place_file(p, "cut.gz", SPAN("\x1f\x8b\x08\0\0\0\0\0\0\3abc")), ERR_COMPRESSION);
	assert_refused(b, place_file(p, "cut.zst", SPAN("\x28\xb5\x2f\xfd\x20")), ERR_COMPRESSION);
	assert_refused(b,
		       place_file(p, "header", SPAN("2|apnic|1|0|19830101|20261119|+1000\napnic|*|ipv4|*|0|summary\n")),
		       ERR_TABLE_SOURCE);
	assert_refused(b, place_file(p, "json", SPAN("{\"roas\":[]}")), ERR_TABLE_SOURCE);
	assert_refused(b, place_file(p, "bad-json", SPAN("{\"roas\":[")), ERR_TABLE_SOURCE);
	assert_int_equal(build_write(b, p->table), ERR_EMPTY);
	assert_false(file_exists(p->table));
	build_free(b);
	build_free(NULL);
}

/* Another package's manifest lies beside it. */
static void a_manifest_of_others(void **state)
{
	struct place *p = *state;
	struct table *t;

	place_file(p, "asn-ipv4.csv", SPAN("198.51.100.0,198.51.100.127,64496,x\n"));
	place_file(p, "package.json",
		   SPAN("{\"name\":\"@ip-location-db/asn-country\",\"version\":\"2.3.2026061719\"}"));
	p->count--;
	t = place_table(p);
	p->count++;
	assert_span(source_at(t, 0).name, "AS ranges");
	table_close(t);
}

/* One bad file of several: the others count. */
static void the_good_ones_count(void **state)
{
	struct place *p = *state;
	struct build_source sources[3] = { { .path = DATA "pyasn.dat" },
					   { .path = DATA "not-there" },
					   { .path = DATA "country.csv" } };
	enum err each[3];
	struct build *b = NULL;
	struct table *t;

	assert_int_equal(build_new(&b), OK);
	assert_int_equal(build_add_all(b, sources, 3, each), ERR_NOT_FOUND);
	assert_int_equal(each[0], OK);
	assert_int_equal(each[1], ERR_NOT_FOUND);
	assert_int_equal(each[2], OK);
	assert_int_equal(build_write(b, p->table), OK);
	build_free(b);
	assert_int_equal(table_open(p->table, &t), OK);
	assert_int_equal(record_at(t, "192.0.2.200").asn, 64496);
	assert_string_equal(record_at(t, "192.0.2.200").country, "AQ");
	table_close(t);
}

static void names_do_not_steer_terminals(void **state)
{
	struct place *p = *state;
	struct table *t;

	place_file(p, "asn-ipv4.csv",
		   SPAN("198.51.100.0,198.51.100.0,64496,a\x1b[2Jb\n198.51.100.1,198.51.100.1,64497,a\xff\xc3\xbc\n"));
	t = place_table(p);
	assert_span(record_at(t, "198.51.100.0").holder, "a [2Jb");
	assert_span(record_at(t, "198.51.100.1").holder, "a???");
	table_close(t);
}

static void dates(void **state)
{
	static const struct {
		const char *text, *date;
	} cases[] = {
		{ "20260617", "2026-06-17T00:00:00Z" },
		{ "2026-06-17", "2026-06-17T00:00:00Z" },
		{ "2026-06-17 08:30 UTC", "2026-06-17T08:30:00Z" },
		{ "2026-06-17T23:59:59Z", "2026-06-17T23:59:00Z" },
		{ "20260617 and more", "2026-06-17T00:00:00Z" },
		{ "2026-13-17", NULL },
		{ "00000000", NULL },
		{ "2026-06", NULL },
		{ "", NULL },
		{ "yesterday", NULL },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		int64_t ms = source_date(span_of(cases[i].text));
		char date[CLOCK_TEXT];

		if (cases[i].date == NULL) {
			assert_int_equal(ms, 0);
			continue;
		}
		clock_format(ms, date);
		assert_string_equal(date, cases[i].date);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(delegated_extended),
		IN_PLACE(delegated_plain),
		IN_PLACE(ris),
		IN_PLACE(compressed),
		IN_PLACE(pyasn),
		IN_PLACE(pfx2as),
		IN_PLACE(as_names),
		IN_PLACE(ranges_of_as_numbers),
		IN_PLACE(ranges_as_numbers),
		IN_PLACE(ranges_of_countries),
		IN_PLACE(sources_that_disagree),
		IN_PLACE(a_region_is_no_country),
		IN_PLACE(what_the_caller_says_counts),
		IN_PLACE(a_package_names_itself),
		IN_PLACE(what_is_no_table),
		IN_PLACE(a_manifest_of_others),
		IN_PLACE(the_good_ones_count),
		IN_PLACE(names_do_not_steer_terminals),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
