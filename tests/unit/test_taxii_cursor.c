#include "exchange/taxii.h"

#include "test.h"

#define KNOWN (FILTER_AFTER | FILTER_ID | FILTER_TYPE | FILTER_VERSION | FILTER_SPEC | FILTER_PAGES)
#define POSITION UINT64_C(1795380300123456)

static const uint8_t secret[32] = { 1, 2, 3 }, other_secret[32] = { 1, 2, 4 };
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

/* The cursor of a page that was asked for with this query. */
static const char *cursor_of(const char *query)
{
	struct buffer out = BUFFER(4 * TAXII_FILTERS_MAX);
	struct taxii_filters f;
	struct span text;
	struct taxii_cursor c;
	const char *copy;

	assert_int_equal(taxii_query(arena, secret, SPAN("scope"), span_of(query), KNOWN, &f, &text), OK);
	c = (struct taxii_cursor){ POSITION, text };
	taxii_cursor_write(secret, SPAN("scope"), &c, &out);
	assert_int_equal(out.err, OK);
	copy = arena_copy(arena, out.at, out.len);
	buffer_free(&out);
	return copy;
}

static enum err ask(const char *query, struct taxii_filters *f, struct span *text)
{
	return taxii_query(arena, secret, SPAN("scope"), span_of(query), KNOWN, f, text);
}

#define FILTERED "match[type]=malware,tool&match[version]=all&added_after=2026-11-22T20:45:00Z"

/* Alone, with the same filters in whatever spelling, with some of them, with any limit. */
static void goes_on(void **state)
{
	static const char *const beside[] = {
		"",
		"&limit=5",
		"&limit=100000",
		("&" FILTERED),
		"&match[version]=all",
		"&added_after=2026-11-22T20:45:00.000Z&limit=3",
		"&match[type]=tool,malware",
		"&match[type]=tool,malware,tool&unknown=1",
	};
	const char *next = cursor_of(FILTERED "&limit=10");

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(beside); i++) {
		const char *query = arena_print(arena, "next=%s%s", next, beside[i]);
		struct taxii_filters f;
		struct span text;

		if (ask(query, &f, &text) != OK)
			fail_msg("%s: %s", beside[i], err_detail());
		assert_span(text,
			    "added_after=2026-11-22T20:45:00.000000Z&match[type]=malware,tool&match[version]=all");
		assert_int_equal(f.which.after, POSITION);
		assert_int_equal(f.after, UINT64_C(1795380300000000));
		assert_int_equal(f.which.type_count, 2);
		assert_true(f.which.all);
	}
}

static void the_limit_is_the_requests(void **state)
{
	const char *next = cursor_of("limit=10");
	struct taxii_filters f;
	struct span text;

	(void)state;
	assert_int_equal(ask(arena_print(arena, "next=%s", next), &f, &text), OK);
	assert_int_equal(f.limit, 0);
	assert_int_equal(ask(arena_print(arena, "limit=3&next=%s", next), &f, &text), OK);
	assert_int_equal(f.limit, 3);
}

static void contradictions(void **state)
{
	static const char *const beside[] = {
		"&match[type]=malware",	    "&match[type]=malware,tool,indicator",
		"&match[version]=last",	    "&added_after=2026-11-22T20:45:01Z",
		"&match[spec_version]=2.1", "&match[id]=malware--22222222-2222-4222-8222-222222222222",
	};
	const char *next = cursor_of(FILTERED), *plain = cursor_of("");
	struct taxii_filters f;
	struct span text;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(beside); i++) {
		assert_int_equal(ask(arena_print(arena, "next=%s%s", next, beside[i]), &f, &text), ERR_USAGE);
		assert_int_equal(ask(arena_print(arena, "next=%s%s", plain, beside[i]), &f, &text), ERR_USAGE);
	}
}

static void same_page_always(void **state)
{
	(void)state;
	assert_string_equal(cursor_of(FILTERED), cursor_of(FILTERED "&limit=4"));
}

static void forgeries(void **state)
{
	const char *next = cursor_of(FILTERED);
	size_t n = strlen(next);
	struct taxii_cursor c;

	(void)state;
	assert_int_equal(taxii_cursor_read(arena, secret, SPAN("scope"), span_of(next), &c), OK);
	assert_int_equal(c.position, POSITION);
	assert_int_equal(taxii_cursor_read(arena, secret, SPAN("scopf"), span_of(next), &c), ERR_USAGE);
	assert_int_equal(taxii_cursor_read(arena, secret, SPAN("scop"), span_of(next), &c), ERR_USAGE);
	assert_int_equal(taxii_cursor_read(arena, secret, SPAN(""), span_of(next), &c), ERR_USAGE);
	assert_int_equal(taxii_cursor_read(arena, other_secret, SPAN("scope"), span_of(next), &c), ERR_USAGE);
	for (size_t i = 0; i < n; i++) {
		char *changed = arena_copy(arena, next, n);

		assert_int_equal(taxii_cursor_read(arena, secret, SPAN("scope"), span_make(next, i), &c), ERR_USAGE);
		for (const char *to = "A_-z9=+/ ."; *to != '\0'; to++) {
			changed[i] = *to;
			if (*to == next[i])
				continue;
			if (taxii_cursor_read(arena, secret, SPAN("scope"), span_make(changed, n), &c) == OK)
				fail_msg("%zu: %s", i, changed);
		}
	}
	for (const char *tail = "A=_"; *tail != '\0'; tail++) {
		const char *longer = arena_print(arena, "%s%c", next, *tail);

		assert_int_equal(taxii_cursor_read(arena, secret, SPAN("scope"), span_of(longer), &c), ERR_USAGE);
	}
}

static void too_many_filters(void **state)
{
	struct buffer query = BUFFER(1 << 20);
	struct taxii_filters f;
	struct span text;

	(void)state;
	buffer_text(&query, "match[type]=aaa");
	for (int i = 0; i < 900; i++)
		buffer_print(&query, ",x-type-%d", i);
	assert_int_equal(taxii_query(arena, secret, SPAN("s"), buffer_view(&query), KNOWN, &f, &text), ERR_USAGE);
	buffer_free(&query);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on),	  cmocka_unit_test(the_limit_is_the_requests),
		cmocka_unit_test(contradictions), cmocka_unit_test(same_page_always),
		cmocka_unit_test(forgeries),	  cmocka_unit_test(too_many_filters),
	};

	return cmocka_run_group_tests(tests, start, end);
}
