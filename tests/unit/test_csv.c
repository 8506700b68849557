#include "test.h"

#include <stdio.h>

#include "base/buffer.h"
#include "report/csv.h"
#include "report/csv_blocks.h"

/* Rows as text: fields in brackets, a broken row as "!csv" or "!too-long" with its first line. */
static void say_row(struct buffer *b, const struct csv_row *row)
{
	buffer_print(b, "%zu@%llu", row->offset, (unsigned long long)row->line);
	if (row->err != OK)
		buffer_print(b, "!%s[%.*s]", err_code(row->err), SPAN_FORMAT(row->raw));
	for (size_t i = 0; i < row->fields; i++)
		buffer_print(b, "[%.*s]", SPAN_FORMAT(csv_field(row, i)));
	if (row->err == OK)
		buffer_print(b, "{%.*s}", SPAN_FORMAT(row->raw));
	buffer_byte(b, '\n');
}

static void say_all(struct buffer *b, struct span text, size_t row_max)
{
	static struct csv c;
	struct csv_row row;

	csv_open(&c, text, row_max);
	while (csv_next(&c, &row))
		say_row(b, &row);
}

static void splits(void **state)
{
	static const struct {
		const char *text, *rows;
	} cases[] = {
		{ "", "" },
		{ "\n\r\n\n", "" },
		{ "a", "0@0[a]{a}\n" },
		{ "a,b\n", "0@0[a][b]{a,b}\n" },
		{ "a,b\r\n", "0@0[a][b]{a,b}\n" },
		{ "a,b\r", "0@0[a][b]{a,b}\n" },
		{ ",\n", "0@0[][]{,}\n" },
		{ "\"a\",\"b,c\"\n", "0@0[a][b,c]{\"a\",\"b,c\"}\n" },
		{ "\"a\",\"\"\r\n", "0@0[a][]{\"a\",\"\"}\n" },
		{ "\"a\nb\",c\nd\n", "0@0[a\nb][c]{\"a\nb\",c}\n8@2[d]{d}\n" },
		{ "\"a\"\"b\"\n", "0@0[a\"\"b]{\"a\"\"b\"}\n" },
		{ "\"\"\"\"\n", "0@0[\"\"]{\"\"\"\"}\n" },
		{ "a\"b,c\nd\n", "0@0!csv[a\"b,c]\n6@1[d]{d}\n" },
		{ "\"a\"b\nc\n", "0@0!csv[\"a\"b]\n5@1[c]{c}\n" },
		{ "\"a\" ,b\nc\n", "0@0!csv[\"a\" ,b]\n7@1[c]{c}\n" },
		{ "\"a\"\rb\nc\n", "0@0!csv[\"a\"\rb]\n6@1[c]{c}\n" },
		{ "x\n\"a\nb\nc\n", "0@0[x]{x}\n2@1!csv[\"a]\n5@2[b]{b}\n7@3[c]{c}\n" },
		{ "\"a\n\"b\"\n", "0@0!csv[\"a]\n3@1[b]{\"b\"}\n" },
		{ "\"", "0@0!csv[\"]\n" },
		{ "a,\"b\r\n", "0@0!csv[a,\"b]\n" },
		{ "a\rb\n", "0@0[a\rb]{a\rb}\n" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct buffer b = BUFFER(10000);

		say_all(&b, span_of(cases[i].text), 1000);
		assert_span(buffer_view(&b), cases[i].rows);
		buffer_free(&b);
	}
}

static void limits_rows(void **state)
{
	static const struct {
		const char *text, *rows;
	} cases[] = {
		{ "1234567890\nb\n", "0@0[1234567890]{1234567890}\n11@1[b]{b}\n" },
		{ "12345678901\nb\n", "0@0!too-long[12345678901]\n12@1[b]{b}\n" },
		{ "123456789012345678901234567890", "0@0!too-long[123456789012345678901234567890]\n" },
		{ "\"234\n67890123\"\nb\n", "0@0!csv[\"234]\n5@1!csv[67890123\"]\n15@2[b]{b}\n" },
		{ "\"234\n6789\"\nb\n", "0@0[234\n6789]{\"234\n6789\"}\n11@2[b]{b}\n" },
		{ "\"2345678901\n2\"\nb\n", "0@0!too-long[\"2345678901]\n12@1!csv[2\"]\n15@2[b]{b}\n" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct buffer b = BUFFER(10000);

		say_all(&b, span_of(cases[i].text), 10);
		assert_span(buffer_view(&b), cases[i].rows);
		buffer_free(&b);
	}
}

static void counts_more_fields_than_it_keeps(void **state)
{
	static struct csv c;
	struct csv_row row;
	char text[3000];

	(void)state;
	memset(text, ',', sizeof(text));
	text[sizeof(text) - 2] = 'x';
	text[sizeof(text) - 1] = '\n';
	csv_open(&c, span_make(text, sizeof(text)), 4000);
	assert_true(csv_next(&c, &row));
	assert_int_equal(row.err, OK);
	assert_int_equal(row.fields, sizeof(text) - 1);
	assert_int_equal(csv_field(&row, CSV_FIELDS_MAX - 1).len, 0);
	assert_int_equal(csv_field(&row, CSV_FIELDS_MAX).len, 0);
	assert_false(csv_next(&c, &row));
}

static void unescapes(void **state)
{
	char out[32];

	(void)state;
	assert_span(csv_unescape(SPAN("a\"\"b"), out), "a\"b");
	assert_span(csv_unescape(SPAN("\"\"\"\""), out), "\"\"");
	assert_span(csv_unescape(SPAN("plain"), out), "plain");
}

/* The naive twin: one state, one byte at a time, rows found by trying. */
static size_t twin_row(struct span text, size_t row_max, struct csv_row *row, struct span fields[64])
{
	size_t i = 0, start = 0, first_line = 0;
	bool bad = false;

	*row = (struct csv_row){ .err = OK };
	for (;;) {
		bool quoted = i < text.len && text.at[i] == '"';

		start = i;
		if (quoted) {
			for (i++; i < text.len; i++) {
				if (text.at[i] != '"')
					continue;
				if (i + 1 < text.len && text.at[i + 1] == '"')
					i++;
				else
					break;
			}
			bad = bad || i >= text.len;
			i++;
			if (i < text.len && text.at[i] == '\r' && (i + 1 == text.len || text.at[i + 1] == '\n'))
				i++;
			bad = bad || (i < text.len && text.at[i] != ',' && text.at[i] != '\n');
		} else {
			while (i < text.len && text.at[i] != ',' && text.at[i] != '\n') {
				bad = bad || text.at[i] == '"';
				i++;
			}
		}
		if (bad)
			break;
		if (row->fields < 64) {
			size_t end = i;

			if (end > start && text.at[end - 1] == '\r' && (end == text.len || text.at[end] == '\n'))
				end--;
			fields[row->fields] = span_make(text.at + start, end - start);
			if (quoted)
				fields[row->fields] = span_make(text.at + start + 1, end - start - 2);
		}
		row->fields++;
		if (i >= text.len || text.at[i] == '\n')
			break;
		i++;
	}
	while (first_line < text.len && text.at[first_line] != '\n')
		first_line++;
	if (bad || i > row_max) {
		i = first_line;
		row->err = first_line > row_max ? ERR_TOO_LONG : ERR_CSV;
		row->fields = 0;
	}
	row->raw = span_make(text.at, i);
	if (i > 0 && text.at[i - 1] == '\r')
		row->raw.len--;
	return i < text.len ? i + 1 : i;
}

static size_t draw_text(uint64_t *seed, char *out, size_t room)
{
	static const char *const alphabets[] = { "\",\na", "\",\n\rab", ",\nabc", "\"\"\",,\nab\r", "\",abcdefghij\n" };
	const char *alphabet = alphabets[test_below(seed, TABLE_LENGTH(alphabets))];
	size_t n = test_below(seed, room);

	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[test_below(seed, strlen(alphabet))];
	/* most rows of most reports are good */
	for (size_t i = 0; test_below(seed, 2) == 0 && i + 20 < n; i += 20 + test_below(seed, 60))
		memcpy(out + i, "\n\"12,4\",\"\"\"x\",\"\n\",\r\n", 20);
	return n;
}

static void agrees_with_a_loop(void **state)
{
	static const size_t limits[] = { 1, 10, 63, 64, 65, 200, 100000 };
	static char text[700];
	static struct csv c;
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 40000; round++) {
		size_t n = draw_text(&seed, text, sizeof(text)), at = 0, row_max = limits[test_below(&seed, 7)];
		uint64_t line = 0;
		struct csv_row got, want;
		struct span fields[64];

		csv_open(&c, span_make(text, n), row_max);
		while (at < n) {
			size_t took = twin_row(span_make(text + at, n - at), row_max, &want, fields);

			want.offset = at;
			if (want.err != OK || want.raw.len > 0) {
				if (!csv_next(&c, &got))
					fail_msg("round %d: row at %zu is missing", round, at);
				if (got.err != want.err || got.offset != at || got.line != line ||
				    got.fields != want.fields || !span_equal(got.raw, want.raw))
					fail_msg("round %d: row at %zu differs (%s, %s)", round, at, err_code(got.err),
						 err_code(want.err));
				for (size_t i = 0; i < got.fields && i < 64; i++)
					if (!span_equal(csv_field(&got, i), fields[i]))
						fail_msg("round %d: row at %zu, field %zu", round, at, i);
			}
			for (size_t i = 0; i < took; i++)
				line += text[at + i] == '\n';
			at += took;
		}
		if (csv_next(&c, &got))
			fail_msg("round %d: a row too many", round);
	}
}

/* Every cut is where a row begins, and nothing but the first bytes after it decides what the row is. */
static void cuts_where_rows_begin(void **state)
{
	static const size_t limits[] = { 1, 10, 64, 100, 300, 100000 };
	static char text[900];
	uint64_t seed = test_seed() + 1;

	(void)state;
	for (int round = 0; round < 40000; round++) {
		size_t n = draw_text(&seed, text, sizeof(text)), row_max = limits[test_below(&seed, 6)], at = 0;
		struct span chunk = span_make(text, test_below(&seed, n + 1));
		struct csv_row row;
		struct span fields[64];
		bool inside;
		size_t cut = csv_boundary(chunk, row_max, false, &inside);

		while (at < cut)
			at += twin_row(span_make(text + at, n - at), row_max, &row, fields);
		if (inside)
			assert_true(cut == chunk.len && (at > cut || cut == n) && row.err == ERR_TOO_LONG);
		else if (at != cut)
			fail_msg("round %d: cut at %zu, a row begins at %zu", round, cut, at);
		assert_true(cut > 0 || chunk.len <= row_max);
		assert_int_equal(csv_boundary(chunk, row_max, true, &inside), chunk.len);
	}
}

static void masks_agree(void **state)
{
	uint64_t seed = test_seed() + 2;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[64];
		struct masks a, b;

		test_bytes(&seed, text, sizeof(text));
		for (size_t i = 0; i < sizeof(text); i++)
			if (test_below(&seed, 2) == 0)
				text[i] = "\",\n\0\x80-"[test_below(&seed, 6)];
		a = masks_of(text);
		b = masks_plain(text);
		assert_memory_equal(&a, &b, sizeof(a));
		for (size_t i = 0; i < sizeof(text); i++) {
			assert_int_equal(a.commas >> i & 1, text[i] == ',');
			assert_int_equal(a.quotes >> i & 1, text[i] == '"');
			assert_int_equal(a.breaks >> i & 1, text[i] == '\n');
		}
		assert_int_equal(lines_in(span_make(text, 63)), __builtin_popcountll(a.breaks << 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits),
		cmocka_unit_test(limits_rows),
		cmocka_unit_test(counts_more_fields_than_it_keeps),
		cmocka_unit_test(unescapes),
		cmocka_unit_test(masks_agree),
		cmocka_unit_test(agrees_with_a_loop),
		cmocka_unit_test(cuts_where_rows_begin),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
