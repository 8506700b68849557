#include "test.h"

#include "base/buffer.h"
#include "net/query.h"

static struct arena *arena;

static int make(void **state)
{
	(void)state;
	arena = arena_new(1 << 20);
	return arena != NULL ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void reads(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		const char *name, *value;
	} rows[] = {
		{ "", 0, "", "" },
		{ "a=b", 1, "a", "b" },
		{ "a", 1, "a", "" },
		{ "a=", 1, "a", "" },
		{ "a=b=c", 1, "a", "b=c" },
		{ "&&a=b&", 1, "a", "b" },
		{ "match[type]=indicator&limit=5", 2, "match[type]", "indicator" },
		{ "match%5Btype%5d=indicator", 1, "match[type]", "indicator" },
		{ "%61dded_after=2026-11-23T05%3a00:00Z", 1, "added_after", "2026-11-23T05:00:00Z" },
		{ "q=a+b%2Bc%20d", 1, "q", "a b+c d" },
		{ "q=%C3%A9", 1, "q", "\303\251" },
		{ "q=a,b;c", 1, "q", "a,b;c" },
		{ "q=a%26b", 1, "q", "a&b" },
	};
	struct query q;
	struct span value;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		if (query_read(arena, span_of(rows[i].text), &q) != OK || q.count != rows[i].count)
			fail_msg("%s: %zu", rows[i].text, q.count);
		if (q.count == 0)
			continue;
		assert_int_equal(query_get(&q, rows[i].name, &value), OK);
		assert_span(value, rows[i].value);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text;
		enum err e;
	} rows[] = {
		{ "a=%", ERR_USAGE },	     { "a=%4", ERR_USAGE },
		{ "a=%4g", ERR_USAGE },	     { "a=%zz", ERR_USAGE },
		{ "=b", ERR_USAGE },	     { "a=b c", ERR_USAGE },
		{ "a=<b>", ERR_USAGE },	     { "a=\303\251", ERR_USAGE },
		{ "a=b#c", ERR_USAGE },	     { "a=%00", ERR_ENCODING },
		{ "a=%ff", ERR_ENCODING },   { "a=%C3", ERR_ENCODING },
		{ "a%00b=1", ERR_ENCODING }, { "a=%ED%A0%80", ERR_ENCODING },
		{ "a=\x7f", ERR_USAGE },
	};
	struct buffer many = BUFFER(1 << 16);
	struct query q;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		enum err e = query_read(arena, span_of(rows[i].text), &q);

		if (e != rows[i].e)
			fail_msg("%s: %s", rows[i].text, err_code(e));
	}
	for (int i = 0; i < QUERY_MAX; i++)
		buffer_text(&many, "a=b&");
	assert_int_equal(query_read(arena, buffer_view(&many), &q), OK);
	buffer_text(&many, "a=b");
	assert_int_equal(query_read(arena, buffer_view(&many), &q), ERR_TOO_LONG);
	buffer_free(&many);
	/* A length counts, not what lies behind it. */
	assert_int_equal(query_read(arena, span_make("a=%41", 4), &q), ERR_USAGE);
}

static void gets_one(void **state)
{
	struct span value = SPAN("as it was");
	struct query q;

	(void)state;
	assert_int_equal(query_read(arena, SPAN("a=1&b=2&a=1&%62=3"), &q), OK);
	assert_int_equal(query_get(&q, "a", &value), ERR_USAGE);
	assert_int_equal(query_get(&q, "b", &value), ERR_USAGE);
	assert_int_equal(query_get(&q, "c", &value), ERR_NOT_FOUND);
	assert_span(value, "as it was");
}

/* What the query does not say stays, and so does what it says wrongly. */
static void reads_values(void **state)
{
	struct span text = SPAN("as it was"), domain = SPAN("");
	uint64_t number = 7;
	int64_t ms = 8;
	struct query q;

	(void)state;
	assert_int_equal(query_read(arena, SPAN("n=3&t=1970-01-01T00:00:01Z&d=a.example&s="), &q), OK);
	assert_int_equal(query_text(&q, "x", &text), OK);
	assert_span(text, "as it was");
	assert_int_equal(query_text(&q, "s", &text), OK);
	assert_span(text, "");
	assert_int_equal(query_domain(&q, "x", &domain), OK);
	assert_span(domain, "");
	assert_int_equal(query_domain(&q, "d", &domain), OK);
	assert_span(domain, "a.example");
	assert_int_equal(query_domain(&q, "s", &domain), ERR_USAGE);
	assert_int_equal(query_number(&q, "x", 1, 9, &number), OK);
	assert_int_equal(query_number(&q, "n", 4, 9, &number), ERR_USAGE);
	assert_int_equal(query_number(&q, "n", 0, 2, &number), ERR_USAGE);
	assert_int_equal(query_number(&q, "s", 0, 2, &number), ERR_USAGE);
	assert_int_equal(number, 7);
	assert_int_equal(query_number(&q, "n", 3, 3, &number), OK);
	assert_int_equal(number, 3);
	assert_int_equal(query_time(&q, "x", &ms), OK);
	assert_int_equal(query_time(&q, "n", &ms), ERR_USAGE);
	assert_int_equal(ms, 8);
	assert_int_equal(query_time(&q, "t", &ms), OK);
	assert_int_equal(ms, 1000);
	assert_int_equal(query_read(arena, SPAN("n=3&n=3"), &q), OK);
	assert_int_equal(query_number(&q, "n", 0, 9, &number), ERR_USAGE);
}

static void knows_names(void **state)
{
	struct query q;

	(void)state;
	assert_int_equal(query_read(arena, SPAN(""), &q), OK);
	assert_int_equal(query_knows(&q, "at"), OK);
	assert_int_equal(query_read(arena, SPAN("limit=1&after=2"), &q), OK);
	assert_int_equal(query_knows(&q, "after, limit"), OK);
	assert_int_equal(query_knows(&q, "after, limits"), ERR_USAGE);
	assert_int_equal(query_knows(&q, "limit"), ERR_USAGE);
	assert_int_equal(query_read(arena, SPAN("after%2c%20limit=1"), &q), OK);
	assert_int_equal(query_knows(&q, "after, limit"), ERR_USAGE);
}

/* What is encoded byte by byte comes back. */
static void comes_back(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct buffer text = BUFFER(4096);
		char name[16], value[64];
		size_t n = 1 + test_below(&seed, sizeof(name)), v = test_below(&seed, sizeof(value));
		struct span got;
		struct query q;

		for (size_t i = 0; i < n; i++)
			buffer_print(&text, "%%%02x", (unsigned)(name[i] = (char)(1 + test_below(&seed, 127))));
		buffer_byte(&text, '=');
		for (size_t i = 0; i < v; i++)
			buffer_print(&text, "%%%02X", (unsigned)(value[i] = (char)(1 + test_below(&seed, 127))));
		assert_int_equal(query_read(arena, buffer_view(&text), &q), OK);
		assert_int_equal(q.count, 1);
		assert_true(span_equal(q.fields[0].name, span_make(name, n)));
		got = q.fields[0].value;
		assert_true(span_equal(got, span_make(value, v)));
		buffer_free(&text);
		arena_reset(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads, make, drop),
		cmocka_unit_test_setup_teardown(refuses, make, drop),
		cmocka_unit_test_setup_teardown(gets_one, make, drop),
		cmocka_unit_test_setup_teardown(reads_values, make, drop),
		cmocka_unit_test_setup_teardown(knows_names, make, drop),
		cmocka_unit_test_setup_teardown(comes_back, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
