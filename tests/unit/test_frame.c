#include "report/mail.h"
#include "report_test.h"

static void shown(const struct layout *l, uint64_t line, enum err why, struct span raw, struct buffer *out)
{
	if (why != OK && raw.len > frame_limit(l))
		raw.len = frame_limit(l);
	buffer_print(out, "%llu%s<%.*s>", (unsigned long long)line, why == OK ? "" : "!", SPAN_FORMAT(raw));
}

/* The documents of a text, each between brackets; "!" marks one that is too long. */
static void documents(const struct layout *l, struct span text, struct buffer *out)
{
	struct place at = { 0, 0, { text.at, 0 } };
	enum err why;

	while (frame_next(l, text, &at, &why)) {
		assert_ptr_equal(at.raw.at, text.at + at.offset);
		assert_int_equal(at.raw.len > 0 && at.raw.len <= text.len - at.offset, 1);
		assert_true((why == OK) == (at.raw.len <= l->row_max) || why == ERR_TOO_LONG);
		shown(l, at.line, why, at.raw, out);
	}
}

static void found(enum framing framing, size_t row_max, const char *text, const char *expected)
{
	const struct layout l = { .framing = framing, .row_max = row_max };
	struct buffer out = BUFFER(100000);

	documents(&l, span_of(text), &out);
	if (!span_is(buffer_view(&out), expected))
		fail_msg("\"%.*s\" is not \"%s\"", SPAN_FORMAT(buffer_view(&out)), expected);
	buffer_free(&out);
}

static void finds_values(void **state)
{
	static const struct {
		const char *text, *found;
	} cases[] = {
		{ "", "" },
		{ " \r\n\t", "" },
		{ "{}", "0<{}>" },
		{ "[]", "" },
		{ "[[[,,]]]", "" },
		{ "{}{}\n{}", "0<{}>0<{}>1<{}>" },
		{ "[{\"a\":1},\n{\"a\":[{},{}]}\n]\n", "0<{\"a\":1}>1<{\"a\":[{},{}]}>" },
		{ "{\n \"a\": {\n}\n}\n\n\n{\"b\":2}", "0<{\n \"a\": {\n}\n}>6<{\"b\":2}>" },
		/* strings and escapes */
		{ "{\"}\":\"]\"}{}", "0<{\"}\":\"]\"}>0<{}>" },
		{ "{\"\\\"}\":1}{}", "0<{\"\\\"}\":1}>0<{}>" },
		{ "{\"\\\\\":1}{}", "0<{\"\\\\\":1}>0<{}>" },
		{ "{\"a long string, longer than sixteen bytes \\\" } and more of it {\":1}{}",
		  "0<{\"a long string, longer than sixteen bytes \\\" } and more of it {\":1}>0<{}>" },
		/* cut off */
		{ "{\"a\":", "0<{\"a\":>" },
		{ "{\"a", "0<{\"a>" },
		{ "{\"a\\", "0<{\"a\\>" },
		{ "{}\n{\"a\":[", "0<{}>1<{\"a\":[>" },
		/* a closing bracket that does not pair */
		{ "{\"a\":[1}{}", "0<{\"a\":[1}>0<{}>" },
		{ "{\"a\":1]}{}", "0<{\"a\":1]}>0<{}>" },
		{ "}\n{}", "0<}>1<{}>" },
		/* a brace that nobody closed */
		{ "{\"a\":1\n{\"b\":2}\n{\"c\":3}", "0<{\"a\":1>1<{\"b\":2}>2<{\"c\":3}>" },
		{ "[{\"a\":1,{\"b\":2},{\"c\":3}]", "0<{\"a\":1,>0<{\"b\":2}>0<{\"c\":3}>" },
		{ "[{\"a\":[1, 2, {\"b\":2} {\"c\":3}]", "0<{\"a\":[1, 2, {\"b\":2}>0<{\"c\":3}>" },
		/* a quote that nobody closed, and bytes that JSON does not know */
		{ "{\"a:1\n\"b\":2}\n{\"c\":3}", "0<{\"a:1\n\"b\":2}>2<{\"c\":3}>" },
		{ "{\"a\":'x'}\n  {\"c\":3}\n{}", "0<{\"a\":'x'}>1<{\"c\":3}>2<{}>" },
		{ "oops\n{\"c\":3}", "0<oops>1<{\"c\":3}>" },
		{ "1,\n2\n\n{\"c\":3}", "0<1,\n2>3<{\"c\":3}>" },
		{ "{\"a\":\"\\\n{\"c\":3}", "0<{\"a\":\"\\>1<{\"c\":3}>" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		found(FRAME_JSON, 1000, cases[i].text, cases[i].found);
}

static void passes_over_what_is_too_long(void **state)
{
	(void)state;
	found(FRAME_JSON, 5, "{\"a\":1}\n{}", "0!<{\"a\":>1<{}>");
	found(FRAME_JSON, 7, "{\"a\":1}\n{}", "0<{\"a\":1}>1<{}>");
	found(FRAME_JSON, 5, "{\"a\":1}{}\n {}\n{}", "0!<{\"a\":>2<{}>");
	found(FRAME_LINES, 5, "123456\n\n 12345\n1234\r\n12345", "0!<12345>2!< 1234>3<1234>4<12345>");
	found(FRAME_MBOX, 20, "From a\n\nx\n\nFrom b\n12345678901234567890\n\nFrom c\n",
	      "0<From a\n\nx>4!<From b\n123456>7<From c>");
	found(FRAME_WHOLE, 5, "123456\n", "0!<12345>");
	found(FRAME_WHOLE, 7, "123456\n", "0<123456>");
	found(FRAME_WHOLE, 7, "", "");
}

/* As deep as it likes: only the number of brackets is kept. */
static void counts_depth(void **state)
{
	for (size_t depth = 60; depth < 70; depth++) {
		struct buffer b = BUFFER(10000), expected = BUFFER(10000);

		for (int round = 0; round < 2; round++) {
			for (size_t i = 0; i < depth; i++)
				buffer_text(&b, i % 2 == 0 ? "{\"a\":" : "[");
			buffer_text(&b, "1");
			for (size_t i = depth; i-- > 0;)
				buffer_text(&b, i % 2 == 0 ? "}" : "]");
		}
		(void)state;
		buffer_print(&expected, "0<%.*s>", (int)b.len / 2, b.at);
		buffer_print(&expected, "0<%.*s>", (int)b.len / 2, b.at);
		buffer_byte(&expected, '\0');
		buffer_byte(&b, '\0');
		found(FRAME_JSON, 5000, b.at, expected.at);
		buffer_free(&b);
		buffer_free(&expected);
	}
}

/* What is cut at boundaries gives the same documents as what is not. */
static void cut_holds(const struct layout *l, struct span text, size_t step)
{
	struct buffer whole = BUFFER((size_t)1 << 20), cut = BUFFER((size_t)1 << 20);
	struct report_cursor at = { 0, 1, false };
	size_t take = step;

	documents(l, text, &whole);
	while (at.offset < text.len) {
		struct report_cursor from = at;
		struct span chunk = span_from(text, at.offset), rows;
		bool last = chunk.len <= take, ended;
		struct place place;
		enum err why;
		size_t skip = 0;

		if (!last)
			chunk.len = take;
		rows = span_make(chunk.at, report_boundary(l, &at, chunk, last));
		take = rows.len == 0 ? take + step : step;
		assert_true(rows.len > 0 || (!last && take <= l->row_max + step));
		if (from.inside && (skip = frame_rest(l, rows, &ended), !ended))
			skip = rows.len;
		rows = span_from(rows, skip);
		place = (struct place){ 0, 0, { rows.at, 0 } };
		while (frame_next(l, rows, &place, &why)) {
			uint64_t line = 0;

			for (const char *p = text.at; p < place.raw.at; p++)
				line += *p == '\n';
			shown(l, line, why, place.raw, &cut);
		}
	}
	if (!span_equal(buffer_view(&whole), buffer_view(&cut)))
		fail_msg("framing %d, at most %zu, steps of %zu: \"%.*s\" reads \"%.*s\", cut \"%.*s\"",
			 (int)l->framing, l->row_max, step, SPAN_FORMAT(text), SPAN_FORMAT(buffer_view(&whole)),
			 SPAN_FORMAT(buffer_view(&cut)));
	buffer_free(&whole);
	buffer_free(&cut);
}

static void cuts_change_nothing(void **state)
{
	static const char *const pieces[] = {
		"{",	       "}",	"[",	     "]",	    ",",
		":",	       "\"a\"", "\"",	     "\\",	    "\n",
		"\r\n",	       "\n{",	"\n  {",     "1",	    "x",
		"   ",	       "From ", "\nFrom ",   "\nF",	    "\n\nFrom ",
		"\n\r\nFrom ", "null",	"{\"a\":1}", "{\"a\":1}\n", "{\"a\":[{},{\"b\":\"c\"}]}"
	};
	static const enum framing framings[] = { FRAME_JSON,  FRAME_JSON, FRAME_JSON,
						 FRAME_LINES, FRAME_MBOX, FRAME_WHOLE };
	static const size_t limits[] = { 1, 2, 5, 7, 20, 64, 1000 };
	uint64_t seed = test_seed();
	static char text[600];

	(void)state;
	for (int round = 0; round < 60000; round++) {
		struct layout l = { .framing = framings[test_below(&seed, TABLE_LENGTH(framings))],
				    .row_max = limits[test_below(&seed, TABLE_LENGTH(limits))] };
		size_t n =
			draw_report(&seed, pieces, TABLE_LENGTH(pieces), text, 1 + test_below(&seed, sizeof(text) - 1));

		if (l.framing == FRAME_MBOX && l.row_max < 2 * MBOX_AHEAD)
			l.row_max = 2 * MBOX_AHEAD;
		cut_holds(&l, span_make(text, n), 1 + test_below(&seed, test_below(&seed, 2) == 0 ? 4 : 100));
	}
}

static void chooses_a_framing(void **state)
{
	(void)state;
	assert_int_equal(frame_of_json(SPAN("{}\n")), FRAME_LINES);
	assert_int_equal(frame_of_json(SPAN("\n {\"a\":1}\n\n {\"a\"")), FRAME_LINES);
	assert_int_equal(frame_of_json(SPAN("{\"a\":1}\n{\"a\":1\n{}")), FRAME_LINES);
	assert_int_equal(frame_of_json(SPAN("{\n}\n")), FRAME_JSON);
	assert_int_equal(frame_of_json(SPAN("{}{}\n")), FRAME_JSON);
	assert_int_equal(frame_of_json(SPAN("[{}]\n")), FRAME_JSON);
	assert_int_equal(frame_of_json(SPAN("{}\n{\n\"a\":1\n}")), FRAME_JSON);
	assert_int_equal(frame_of_json(SPAN("{\"a\":")), FRAME_JSON);
}

static void knows_documents(void **state)
{
	static const struct {
		const char *text;
		enum format format;
	} cases[] = {
		{ "", FORMAT_UNKNOWN },
		{ "{}", FORMAT_UNKNOWN },
		{ "{\"ip\":\"8.8.4.4\"}", FORMAT_UNKNOWN },
		{ "{\"xarf_version\":\"4.2.0\"}", FORMAT_XARF },
		{ " [ { \"a\" : { \"b\" : [ \"}\" ] } , \"xarf_version\" : 1", FORMAT_XARF },
		{ "{\"Version\":\"3\",\"ReporterInfo\":{", FORMAT_XARF },
		{ "{\"Format\":\"IDEA0\",", FORMAT_IDEA },
		{ "{\"Format\":\"other\",\"a\":1}", FORMAT_UNKNOWN },
		{ "{\"type\":\"bundle\"}", FORMAT_STIX },
		{ "{\"type\":\"bundles\"}", FORMAT_UNKNOWN },
		{ "{\"type\":\"indicator\",\"spec_version\":\"2.1\"}", FORMAT_STIX },
		{ "{\"a\":{\"xarf_version\":1}}", FORMAT_UNKNOWN },
		{ "{\"a\":\"\\\"xarf_version\\\":1\"}", FORMAT_UNKNOWN },
		/* cut off: what is seen must do */
		{ "{\"evidence\":[{\"payload\":\"aaaa", FORMAT_XARF },
		{ "{\"evidence\":[{\"payload\":\"aaaa\"}]}", FORMAT_UNKNOWN },
		{ "{\"objects\":[{\"type\":\"indicator\"", FORMAT_STIX },
		{ "{\"xarf_version", FORMAT_UNKNOWN },
		{ "[{\"ip\":1},{\"xarf_version\":1}]", FORMAT_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		const char *text = cases[i].text;

		if (json_document(span_of(text)) != cases[i].format)
			fail_msg("%s: %s", text, format_name(json_document(span_of(text))));
		for (size_t n = 0; n < strlen(text); n++) /* a guess may be late, but not another */
			assert_true(json_document(span_make(text, n)) == FORMAT_UNKNOWN ||
				    json_document(span_make(text, n)) == cases[i].format ||
				    cases[i].format == FORMAT_UNKNOWN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_values),	     cmocka_unit_test(passes_over_what_is_too_long),
		cmocka_unit_test(counts_depth),	     cmocka_unit_test(cuts_change_nothing),
		cmocka_unit_test(chooses_a_framing), cmocka_unit_test(knows_documents),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
