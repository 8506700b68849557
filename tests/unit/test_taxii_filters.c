#include "exchange/taxii.h"

#include "test.h"

#define ALL (FILTER_AFTER | FILTER_ID | FILTER_TYPE | FILTER_VERSION | FILTER_SPEC | FILTER_PAGES)
#define ID1 "indicator--11111111-1111-4111-8111-111111111111"
#define ID2 "malware--22222222-2222-4222-8222-222222222222"

static struct arena *arena;

static int start(void **state)
{
	(void)state;
	arena = arena_new((size_t)1 << 24);
	return arena == NULL;
}

static int end(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static enum err read_filters(const char *text, unsigned known, struct taxii_filters *out)
{
	struct query *q = arena_alloc(arena, sizeof(*q));
	enum err e;

	assert_non_null(q);
	err_clear();
	e = query_read(arena, span_of(text), q);
	return e == OK ? taxii_filters_read(arena, q, known, out) : e;
}

/* What is accepted, and how it is said again. */
static void accepted(void **state)
{
	static const char *const table[][2] = {
		{ "", "" },
		{ "added_after=2026-11-22T20:45:00Z", "added_after=2026-11-22T20:45:00.000000Z" },
		{ "added_after=2026-11-22T20:45:00.1Z", "added_after=2026-11-22T20:45:00.100000Z" },
		{ "added_after=2026-11-22T20:45:00.123456Z", "added_after=2026-11-22T20:45:00.123456Z" },
		{ "added_after=2026-11-22T20:45:00.123456789Z", "added_after=2026-11-22T20:45:00.123456Z" },
		{ "added_after=1960-02-29T00:00:00Z", "added_after=1970-01-01T00:00:00.000000Z" },
		{ "added_after=9999-12-31T23:59:59.999999Z", "added_after=9999-12-31T23:59:59.999999Z" },
		{ "match[id]=" ID2 "," ID1 "," ID2, "match[id]=" ID1 "," ID2 },
		{ "match%5Bid%5D=" ID1, "match[id]=" ID1 },
		{ "match[type]=malware,indicator,x-misp-object", "match[type]=indicator,malware,x-misp-object" },
		{ "match[version]=all", "match[version]=all" },
		{ "match[version]=last,first", "match[version]=first,last" },
		{ "match[version]=2016-04-06T20:03:48.000Z,first,2015-01-01T00:00:00.123456789Z",
		  "match[version]=first,2015-01-01T00:00:00.123456789Z,2016-04-06T20:03:48Z" },
		{ "match[spec_version]=2.1,2.0", "match[spec_version]=2.0,2.1" },
		{ "match[spec_version]=2.1,3.0", "match[spec_version]=2.1" },
		{ "match[spec_version]=3.0", "match[spec_version]=0.0" },
		{ "limit=1&match[unknown]=x&other=y", "" },
		{ "limit=9007199254740991", "" },
		{ "match[type]=tool&match[id]=" ID1 "&added_after=2026-11-22T20:45:00Z&limit=7",
		  "added_after=2026-11-22T20:45:00.000000Z&match[id]=" ID1 "&match[type]=tool" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct buffer out = BUFFER(TAXII_FILTERS_MAX);
		struct taxii_filters f;

		if (read_filters(table[i][0], ALL, &f) != OK)
			fail_msg("%s: %s", table[i][0], err_detail());
		taxii_filters_print(&f, ~0U, &out);
		assert_span(buffer_view(&out), table[i][1]);
		buffer_free(&out);
	}
}

static void refused(void **state)
{
	static const char *const table[] = {
		"limit=0",
		"limit=-1",
		"limit=",
		"limit=a",
		"limit=1.0",
		"limit=9007199254740992",
		"limit=1&limit=2",
		"next=",
		"added_after=",
		"added_after=yesterday",
		"added_after=2026-11-22",
		"added_after=2026-11-22T20:45:00",
		"added_after=2026-11-22T20:45:00.Z",
		"added_after=2026-11-22T20:45:00.1234567890Z",
		"added_after=2026-11-22T20:45:00.12x456Z",
		"added_after=2026-11-22T20:45:00%2B01:00",
		"added_after=2026-02-29T20:45:00Z",
		"added_after=1962-02-29T20:45:00Z",
		"added_after=2026-11-22t20:45:00z",
		"added_after=2026-11-22T20:45:00Z,2026-11-23T20:45:00Z",
		"added_after=2026-11-22T20:45:00Z&added_after=2026-11-22T20:45:00Z",
		"match[id]=",
		"match[id]=indicator",
		"match[id]=" ID1 ",",
		"match[id]=" ID1 ",+" ID2,
		"match[id]=" ID1 "&match[id]=" ID2,
		"match[type]=",
		"match[type]=In",
		"match[type]=indicator&match[type]=malware",
		"match[type]=indicator,,malware",
		"match[version]=",
		"match[version]=newest",
		"match[version]=last,last",
		"match[version]=all,last",
		"match[version]=all,2016-04-06T20:03:48Z",
		"match[version]=2016-04-06T20:03:48Z,2016-04-06T20:03:48.000Z",
		"match[version]=2016-04-06",
		"match[spec_version]=",
		"match[spec_version]=2",
		"match[spec_version]=2.1,",
		"match[spec_version]=two",
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct taxii_filters f;

		if (read_filters(table[i], ALL, &f) != ERR_USAGE)
			fail_msg("%s is accepted", table[i]);
		assert_true(strlen(err_detail()) > 0);
	}
}

static void only_what_the_door_knows(void **state)
{
	struct taxii_filters f;

	(void)state;
	assert_int_equal(read_filters("match[type]=&match[id]=x&limit=0&match[version]=all", FILTER_VERSION, &f), OK);
	assert_int_equal(f.given, FILTER_VERSION);
	assert_true(f.which.all);
	assert_int_equal(f.limit, 0);
	assert_int_equal(f.which.type_count, 0);
}

static void times(void **state)
{
	static const struct {
		const char *text;
		uint64_t micros;
	} table[] = {
		{ "1970-01-01T00:00:00.000001Z", 1 },
		{ "2001-09-09T01:46:40.000000Z", UINT64_C(1000000000000000) },
		{ "2026-11-22T20:45:00.999999Z", UINT64_C(1795380300999999) },
		{ "9999-12-31T23:59:59.999999Z", UINT64_C(253402300799999999) },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		char out[TAXII_TIME];
		uint64_t micros;

		taxii_time(table[i].micros, out);
		assert_string_equal(out, table[i].text);
		assert_int_equal(taxii_time_parse(span_of(out), &micros), OK);
		assert_int_equal(micros, table[i].micros);
	}
}

static void accept_header(void **state)
{
	static const struct {
		const char *value;
		bool good;
	} table[] = {
		{ "application/taxii+json;version=2.1", true },
		{ "application/taxii+json; version=2.1", true },
		{ "application/taxii+json;version=\"2.1\"", true },
		{ "Application/TAXII+json ; Version=2.1 ; q=0.5", true },
		{ "application/taxii+json", true },
		{ "*/*", true },
		{ "application/*", true },
		{ "", true },
		{ "application/json", true },
		{ "text/html, */*;q=0.1", true },
		{ "application/vnd.oasis.taxii+json; version=2.0, application/taxii+json;version=2.1", true },
		{ "application/taxii+json;version=2.0,application/taxii+json", true },
		{ "application/vnd.oasis.taxii+json; version=2.0", false },
		{ "application/vnd.oasis.stix+json; version=2.0", false },
		{ "application/taxii+json;version=2.0", false },
		{ "application/taxii+json;version=3.0, application/vnd.oasis.taxii+json", false },
		{ "application/taxii+json;version=2.0, application/taxii+json;version=2.1;q=0.0", false },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if (taxii_accept_text(span_of(table[i].value)) != table[i].good)
			fail_msg("Accept: %s", table[i].value);
}

static void content_type_header(void **state)
{
	static const struct {
		const char *value;
		bool good;
	} table[] = {
		{ "application/taxii+json;version=2.1", true },
		{ "application/taxii+json; version=2.1", true },
		{ "application/taxii+json; charset=utf-8; version=2.1", true },
		{ "application/taxii+json", true },
		{ "application/json", true },
		{ "", false },
		{ "application/taxii+json;version=2.0", false },
		{ "application/vnd.oasis.stix+json;version=2.0", false },
		{ "text/plain", false },
		{ "application/x-www-form-urlencoded", false },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if (taxii_content_text(span_of(table[i].value)) != table[i].good)
			fail_msg("Content-Type: %s", table[i].value);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted), cmocka_unit_test(refused),	     cmocka_unit_test(only_what_the_door_knows),
		cmocka_unit_test(times),    cmocka_unit_test(accept_header), cmocka_unit_test(content_type_header),
	};

	return cmocka_run_group_tests(tests, start, end);
}
