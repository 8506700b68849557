#include "exchange/taxii.h"

#include "test.h"

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

static struct taxii_row row_of(const char *text, uint64_t stamp, enum stix_spec spec)
{
	return (struct taxii_row){ .id = SPAN("url--1"),
				   .version = SPAN("2026-01-01T00:00:00Z"),
				   .text = span_of(text),
				   .stamp = stamp,
				   .spec = spec };
}

static const char *written(const struct taxii_page *p, enum taxii_form form, const char *next)
{
	struct buffer out = BUFFER((size_t)1 << 20);
	const char *copy;

	taxii_page_write(p, form, span_of(next), &out);
	assert_int_equal(out.err, OK);
	copy = arena_copy(arena, out.at, out.len);
	buffer_free(&out);
	return copy;
}

static void empty(void **state)
{
	struct taxii_page p;

	(void)state;
	taxii_page_begin(&p, arena, 0, 10, 7);
	assert_string_equal(written(&p, FORM_OBJECTS, ""), "{}");
	assert_string_equal(written(&p, FORM_MANIFEST, ""), "{}");
	assert_string_equal(written(&p, FORM_VERSIONS, ""), "{}");
	assert_int_equal(p.reached, 7);
	p.more = true;
	assert_string_equal(written(&p, FORM_OBJECTS, "abc"), "{\"more\":true,\"next\":\"abc\"}");
}

static void limits(void **state)
{
	static const struct {
		uint64_t limit, most, rows, taken;
	} table[] = {
		{ 0, 10, 5, 5 },      { 0, 10, 10, 10 },
		{ 0, 10, 11, 10 },    { 3, 10, 3, 3 },
		{ 3, 10, 4, 3 },      { 100, 10, 50, 10 },
		{ 1, 1000, 9, 1 },    { 1000, 1000, 1001, 1000 },
		{ 0, 250, 300, 250 }, { (UINT64_C(1) << 53) - 1, 4, 9, 4 },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct taxii_page p;
		enum err e = OK;

		taxii_page_begin(&p, arena, table[i].limit, table[i].most, 0);
		for (uint64_t k = 1; k <= table[i].rows && e == OK; k++) {
			struct taxii_row row = row_of("{\"spec_version\":\"2.1\"}", k, STIX_2_1);

			e = taxii_page_add(&p, &row);
		}
		assert_int_equal(p.count, table[i].taken);
		assert_int_equal(p.reached, table[i].taken);
		assert_int_equal(p.more, table[i].rows > table[i].taken);
		assert_int_equal(e, p.more ? TAXII_PAGE_FULL : OK);
	}
}

/* One object is given however large it is; a second one only as far as there is room. */
static void large_objects(void **state)
{
	size_t size = (size_t)20 << 20;
	char *text = malloc(size);
	struct taxii_row row;
	struct taxii_page p;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', size);
	row = row_of("", 1, STIX_2_0);
	row.text = span_make(text, size);
	taxii_page_begin(&p, arena, 0, 10, 0);
	assert_int_equal(taxii_page_add(&p, &row), OK);
	assert_int_equal(taxii_page_add(&p, &row), TAXII_PAGE_FULL);
	assert_true(p.more);
	assert_int_equal(p.count, 1);
	free(text);
}

/* spec_version is said where it is not, by whatever spelling it is there. */
static void spec_version(void **state)
{
#define SAID "{\"spec_version\":\"2.1\","
	static const struct {
		enum stix_spec spec;
		const char *text, *out;
	} table[] = {
		{ STIX_2_1, "{\"type\":\"url\",\"spec_version\":\"2.1\"}",
		  "{\"type\":\"url\",\"spec_version\":\"2.1\"}" },
		{ STIX_2_1, "{\"type\":\"url\"}", SAID "\"type\":\"url\"}" },
		{ STIX_2_1, "{ \"type\" : \"url\" }", SAID " \"type\" : \"url\" }" },
		{ STIX_2_0, "{\"type\":\"indicator\"}", "{\"type\":\"indicator\"}" },
		{ STIX_2_1, "{\"a_b\":\"x_y_version\",\"_\":\"_\"}", SAID "\"a_b\":\"x_y_version\",\"_\":\"_\"}" },
		{ STIX_2_1, "{\"value\":\"a\\\\b\\\"c\"}", SAID "\"value\":\"a\\\\b\\\"c\"}" },
		{ STIX_2_1, "{\"value\":\"\\u00e9\",\"x\":{\"\\u0061\":1}}",
		  SAID "\"value\":\"\\u00e9\",\"x\":{\"\\u0061\":1}}" },
		{ STIX_2_1, "{\"spec\\u005fversion\":\"2.1\"}", "{\"spec\\u005fversion\":\"2.1\"}" },
		{ STIX_2_1, "{\"a\":[{}],\"spec\\u005fversion\" : \"2.1\"}",
		  "{\"a\":[{}],\"spec\\u005fversion\" : \"2.1\"}" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct taxii_row row = row_of(table[i].text, 1, table[i].spec);
		struct taxii_page p;

		taxii_page_begin(&p, arena, 0, 10, 0);
		assert_int_equal(taxii_page_add(&p, &row), OK);
		assert_string_equal(written(&p, FORM_OBJECTS, ""),
				    arena_print(arena, "{\"objects\":[%s]}", table[i].out));
	}
}

static void manifests(void **state)
{
	struct taxii_row row = row_of("", UINT64_C(1795380300123456), STIX_2_1), bare = row;
	struct taxii_page p;

	(void)state;
	bare.version = SPAN("");
	bare.stamp++;
	bare.spec = STIX_2_0;
	taxii_page_begin(&p, arena, 0, 2, 0);
	assert_int_equal(taxii_page_add(&p, &row), OK);
	assert_int_equal(taxii_page_add(&p, &bare), OK);
	assert_int_equal(taxii_page_add(&p, &bare), TAXII_PAGE_FULL);
	assert_string_equal(
		written(&p, FORM_MANIFEST, "n"),
		"{\"objects\":[{\"id\":\"url--1\",\"date_added\":\"2026-11-22T20:45:00.123456Z\","
		"\"version\":\"2026-01-01T00:00:00Z\",\"media_type\":\"application/stix+json;version=2.1\"},"
		"{\"id\":\"url--1\",\"date_added\":\"2026-11-22T20:45:00.123457Z\","
		"\"version\":\"2026-11-22T20:45:00.123457Z\","
		"\"media_type\":\"application/stix+json;version=2.0\"}],\"more\":true,\"next\":\"n\"}");
	assert_string_equal(written(&p, FORM_VERSIONS, "n"),
			    "{\"versions\":[\"2026-01-01T00:00:00Z\",\"2026-11-22T20:45:00.123457Z\"],"
			    "\"more\":true,\"next\":\"n\"}");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),	cmocka_unit_test(limits),    cmocka_unit_test(large_objects),
		cmocka_unit_test(spec_version), cmocka_unit_test(manifests),
	};

	return cmocka_run_group_tests(tests, start, end);
}
