#include "test.h"

#include <math.h>
#include <stdio.h>
#include <yyjson.h>

#include "base/json.h"

static void commas_and_colons(void **state)
{
	struct buffer b = BUFFER(10000);
	struct json j = { .out = &b };

	(void)state;
	json_object(&j, NULL);
	json_array(&j, "empty");
	json_array_end(&j);
	json_object(&j, "none");
	json_object_end(&j);
	json_array(&j, "some");
	json_number(&j, NULL, INT64_MIN);
	json_number(&j, NULL, INT64_MAX);
	json_array(&j, NULL);
	json_bool(&j, NULL, true);
	json_array_end(&j);
	json_object(&j, NULL);
	json_null(&j, "n");
	json_bool(&j, "f", false);
	json_object_end(&j);
	json_array_end(&j);
	json_text(&j, "text", "x");
	json_text(&j, "nothing", NULL);
	json_string(&j, "k\"y", SPAN("v"));
	json_number(&j, "zero", 0);
	json_object_end(&j);
	assert_int_equal(b.err, OK);
	assert_span(buffer_view(&b),
		    "{\"empty\":[],\"none\":{},\"some\":[-9223372036854775808,9223372036854775807,[true],"
		    "{\"n\":null,\"f\":false}],\"text\":\"x\",\"nothing\":null,\"k\\\"y\":\"v\",\"zero\":0}");
	buffer_free(&b);
}

static void fractions(void **state)
{
	static const struct {
		double value;
		int digits;
		const char *text;
	} table[] = {
		{ 0.5, 2, "0.50" },	 { -1.25, 1, "-1.2" },	  { 1e15, 0, "1000000000000000" },
		{ 2.0 / 3, 3, "0.667" }, { INFINITY, 2, "null" }, { NAN, 2, "null" },
		{ 7, -1, "7" },
	};
	struct buffer b = BUFFER(10000);

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct json j = { .out = &b };

		buffer_clear(&b);
		json_fraction(&j, NULL, table[i].value, table[i].digits);
		assert_span(buffer_view(&b), table[i].text);
	}
	buffer_clear(&b);
	json_fraction(&(struct json){ .out = &b }, NULL, -1.7976931348623157e308, 1000);
	assert_int_equal(b.len, 1 + 309 + 1 + 17);
	buffer_free(&b);
}

static void escapes(void **state)
{
	static const struct {
		struct span from;
		const char *to;
	} table[] = {
		{ { "", 0 }, "\"\"" },
		{ { NULL, 0 }, "\"\"" },
		{ { "a\"b\\c/", 6 }, "\"a\\\"b\\\\c/\"" },
		{ { "\b\f\n\r\t", 5 }, "\"\\b\\f\\n\\r\\t\"" },
		{ { "\0\x1f\x7f", 3 }, "\"\\u0000\\u001f\x7f\"" },
		{ { "ü世🙂", 9 }, "\"ü世🙂\"" },
		{ { "a\xff"
		    "b",
		    3 },
		  "\"a\xef\xbf\xbd"
		  "b\"" },
		{ { "\xe4\xb8", 2 }, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct buffer b = BUFFER(100);

		json_escape(&b, table[i].from);
		assert_span(buffer_view(&b), table[i].to);
		buffer_free(&b);
	}
}

static void any_utf8_comes_back(void **state)
{
	uint64_t seed = test_seed();
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		static const char *const piece[] = { "a",  "\"",   "\\",   "\n",   "\x01",   "ü",
						     "世", "🙂", "\xff", "\xc3", "\\u0041" };
		char text[64] = "";
		struct buffer b = BUFFER(1000);
		yyjson_doc *doc;

		for (size_t n = test_below(&seed, 12); n > 0; n--)
			strncat(text, piece[test_below(&seed, TABLE_LENGTH(piece))], sizeof(text) - strlen(text) - 1);
		json_escape(&b, span_of(text));
		assert_int_equal(json_read(a, buffer_view(&b), &doc), OK);
		if (span_is_utf8(span_of(text)))
			assert_span(span_make(yyjson_get_str(doc->root), yyjson_get_len(doc->root)), text);
		buffer_free(&b);
		arena_reset(a);
	}
	arena_free(a);
}

static void draw_value(struct json *j, uint64_t *seed, const char *key, int depth)
{
	size_t n = test_below(seed, 5), what = test_below(seed, depth < 6 ? 7 : 5);

	switch (what) {
	case 0:
		json_null(j, key);
		break;
	case 1:
		json_bool(j, key, n > 2);
		break;
	case 2:
		json_number(j, key, (int64_t)test_random(seed));
		break;
	case 3:
		json_fraction(j, key, (double)n / 7, 5);
		break;
	case 4:
		json_text(j, key, "[{\"\\");
		break;
	case 5:
		json_object(j, key);
		while (n-- > 0)
			draw_value(j, seed, "}k]", depth + 1);
		json_object_end(j);
		break;
	default:
		json_array(j, key);
		while (n-- > 0)
			draw_value(j, seed, NULL, depth + 1);
		json_array_end(j);
	}
}

/* What our writer writes, the reader takes and writes again as the same bytes. */
static void what_is_written_is_json(void **state)
{
	uint64_t seed = test_seed();
	struct arena *a = arena_new(1 << 22);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct buffer b = BUFFER(1 << 20);
		yyjson_doc *doc;
		char *again;
		size_t n;

		draw_value(&(struct json){ .out = &b }, &seed, NULL, 0);
		assert_int_equal(b.err, OK);
		assert_int_equal(json_read(a, buffer_view(&b), &doc), OK);
		again = yyjson_write(doc, YYJSON_WRITE_NOFLAG, &n);
		assert_non_null(again);
		if (memchr(b.at, '.', b.len) == NULL) /* fractions it writes shorter */
			assert_true(span_equal(buffer_view(&b), span_make(again, n)));
		free(again);
		buffer_free(&b);
		arena_reset(a);
	}
	arena_free(a);
}

static enum err read_nested(struct arena *a, int depth, const char *open, const char *inside, const char *close)
{
	struct buffer b = BUFFER(1 << 20);
	yyjson_doc *doc;
	enum err e;

	for (int i = 0; i < depth; i++)
		buffer_text(&b, open);
	buffer_text(&b, inside);
	for (int i = 0; i < depth; i++)
		buffer_text(&b, close);
	e = json_read(a, buffer_view(&b), &doc);
	buffer_free(&b);
	return e;
}

static void depth_has_a_limit(void **state)
{
	struct arena *a = arena_new(1 << 22);
	yyjson_doc *doc;

	(void)state;
	assert_int_equal(read_nested(a, 64, "[", "", "]"), OK);
	assert_int_equal(read_nested(a, 65, "[", "", "]"), ERR_DEPTH);
	assert_int_equal(read_nested(a, 64, "{\"[\":", "1", "}"), OK);
	assert_int_equal(read_nested(a, 65, "{\"]\":", "1", "}"), ERR_DEPTH);
	assert_int_equal(read_nested(a, 32, "[{\"a\":", "1", "}]"), OK);
	assert_int_equal(read_nested(a, 33, "[{\"a\":", "1", "}]"), ERR_DEPTH);
	assert_int_equal(read_nested(a, 64, "[\"\\\"]]\\\\\",", "\"[[[[\\\\\\\"[[[\"", "]"), OK);
	assert_int_equal(read_nested(a, 65, "[\"\\\"]]\\\\\",", "\"\"", "]"), ERR_DEPTH);
	assert_int_equal(read_nested(a, 100000, "[", "", "]"), ERR_DEPTH);
	assert_int_equal(json_read(a, SPAN("[[],[],[[]],{}]"), &doc), OK);
	arena_free(a);
}

static void what_is_refused(void **state)
{
	static const char *const bad[] = {
		"",    " ",	  "{",	 "[1,]",    "{\"a\":1,}",     "\"",	  "\"\\",	 "\"\\\"", "nul",
		"1 2", "{} {}",	  "[1}", "]",	    "\xef\xbb\xbf{}", "\"\xff\"", "\"\\ud800\"", "1e999",  "01",
		"'a'", "// c\n1", "NaN", "\"a\nb\""
	};
	struct arena *a = arena_new(1 << 20), *tiny = arena_new(10);
	size_t large = ((size_t)16 << 20) + 1;
	yyjson_doc *doc = NULL;
	char *text = malloc(large);

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(bad); i++)
		if (json_read(a, span_of(bad[i]), &doc) != ERR_JSON)
			fail_msg("\"%s\" is read", bad[i]);
	assert_int_equal(json_read(a, SPAN("{}\0"), &doc), ERR_JSON);
	assert_int_equal(json_read(a, (struct span){ NULL, 0 }, &doc), ERR_JSON);
	assert_int_equal(json_read(tiny, SPAN("{}"), &doc), ERR_NO_MEMORY);
	assert_non_null(text);
	memset(text, ' ', large);
	assert_int_equal(json_read(a, span_make(text, large), &doc), ERR_TOO_LONG);
	assert_null(doc);
	free(text);
	arena_free(tiny);
	arena_free(a);
}

/* A document needs at most so many times its length, whatever it is made of; callers size their arenas by it. */
static void memory_has_a_bound(void **state)
{
	static const char *const unit[] = { "[],",	  "1,",	  "{},", "\"\",", "\"abcdefghijklmnopqrst\",",
					    "{\"a\":1},", "   1," };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(unit); i++) {
		for (size_t size = 2; size < 1 << 19; size += size / 7 + 1) {
			struct buffer b = BUFFER(size + 100);
			struct arena *a;
			yyjson_doc *doc;

			buffer_byte(&b, '[');
			while (b.len < size)
				buffer_text(&b, unit[i]);
			b.at[b.len - 1] = ']';
			a = arena_new(b.len * 14 + 1024);
			assert_int_equal(json_read(a, buffer_view(&b), &doc), OK);
			buffer_free(&b);
			arena_free(a);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_colons),
		cmocka_unit_test(fractions),
		cmocka_unit_test(escapes),
		cmocka_unit_test(any_utf8_comes_back),
		cmocka_unit_test(what_is_written_is_json),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(memory_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
