#include "regime.h"

#include "regime/recognition.h"

static struct certificate certificate(const char *from, const char *scheme, const char *level)
{
	return (struct certificate){ .from = span_of(from), .scheme = span_of(scheme), .level = span_of(level) };
}

static struct recognition *parsed(const char *text)
{
	struct recognition *r = NULL;

	if (recognition_parse(span_of(text), "recognition", &r) != OK)
		fail_msg("%s", err_detail());
	return r;
}

static void is(const struct recognition *r, const char *from, const char *scheme, const char *level,
	       enum recognised verdict, unsigned line, const char *as)
{
	struct certificate c = certificate(from, scheme, level);
	struct recognised_as got = recognition_of(r, &c);

	assert_int_equal(got.verdict, verdict);
	assert_int_equal(got.line, line);
	assert_span(got.level, as);
}

/* The first line that fits decides, wherever the others of that issuer stand. */
static void first_line_decides(void **state)
{
	struct recognition *r = parsed("# whom we know\n\n"
				       "recognise lab.example scheme eucc level substantial as high\n"
				       "refuse other.example\n"
				       "refuse lab.example scheme toy\n"
				       "recognise\tlab.example   # the rest\n"
				       "recognise other.example\n"
				       "recognise third.example level basic");

	(void)state;
	is(r, "lab.example", "eucc", "substantial", RECOGNISED, 3, "high");
	is(r, "lab.example", "eucc", "basic", RECOGNISED, 6, "basic");
	is(r, "lab.example", "toy", "substantial", RECOGNISED_REFUSED, 5, "");
	is(r, "lab.example", "", "", RECOGNISED, 6, "");
	is(r, "other.example", "eucc", "high", RECOGNISED_REFUSED, 4, "");
	is(r, "third.example", "eucc", "basic", RECOGNISED, 8, "basic");
	is(r, "third.example", "eucc", "high", RECOGNISED_UNKNOWN, 0, "");
	is(r, "lab.exampl", "eucc", "high", RECOGNISED_UNKNOWN, 0, "");
	is(r, "lab.example.org", "eucc", "high", RECOGNISED_UNKNOWN, 0, "");
	recognition_end(r);
	recognition_end(NULL);
}

static void names_the_line(void **state)
{
	static const struct {
		const char *text, *detail;
	} bad[] = {
		{ "recognise lab.example\ntrust lab.example\n", "f line 2: begins neither" },
		{ "recognise", "f line 1: names no issuer" },
		{ "\n\nrefuse Lab.Example", "f line 3: names no issuer" },
		{ "recognise lab.example scheme", "f line 1: ends before" },
		{ "recognise lab.example level a as", "f line 1: ends before" },
		{ "recognise lab.example scheme a scheme b", "f line 1: says one thing twice" },
		{ "recognise lab.example as high", "f line 1: `as` wants" },
		{ "refuse lab.example level a as b", "f line 1: what is refused" },
		{ "recognise lab.example eucc", "f line 1: behind the issuer" },
		{ "recognise lab.example scheme \xff", "f: not UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(bad); i++) {
		struct recognition *r = NULL;

		assert_int_equal(recognition_parse(span_of(bad[i].text), "f", &r), ERR_USAGE);
		if (!span_starts(span_of(err_detail()), bad[i].detail))
			fail_msg("%s: %s", bad[i].text, err_detail());
	}
}

static void reads_a_file(void **state)
{
	struct scratch *s = *state;
	struct recognition *r = NULL;
	const char *path = scratch_path(s, "recognition");

	assert_int_equal(recognition_read(path, &r), OK); /* absent: nobody */
	is(r, "lab.example", "", "", RECOGNISED_UNKNOWN, 0, "");
	recognition_end(r);
	assert_int_equal(file_write(path, SPAN("recognise lab.example\n"), 0600), OK);
	assert_int_equal(recognition_read(path, &r), OK);
	is(r, "lab.example", "", "", RECOGNISED, 1, "");
	recognition_end(r);
}

/* Against a loop over all lines in their order. */
static void agrees_with_a_loop(void **state)
{
	static const char *const issuers[] = { "a.example", "b.example", "c.example" }, *const words[] = { "", "x",
													   "y" };
	uint64_t seed = test_seed();

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct {
			size_t issuer, scheme, level;
			bool refuse;
		} lines[12];
		struct buffer text = BUFFER(1 << 16);
		struct recognition *r;
		size_t n = test_below(&seed, 12);

		for (size_t i = 0; i < n; i++) {
			lines[i].issuer = test_below(&seed, 3);
			lines[i].scheme = test_below(&seed, 3);
			lines[i].level = test_below(&seed, 3);
			lines[i].refuse = test_below(&seed, 2) == 0;
			buffer_print(&text, "%s %s", lines[i].refuse ? "refuse" : "recognise",
				     issuers[lines[i].issuer]);
			if (lines[i].level > 0)
				buffer_print(&text, " level %s", words[lines[i].level]);
			if (lines[i].scheme > 0)
				buffer_print(&text, " scheme %s", words[lines[i].scheme]);
			buffer_byte(&text, '\n');
		}
		assert_int_equal(recognition_parse(buffer_view(&text), "f", &r), OK);
		for (size_t k = 0; k < 27; k++) {
			size_t issuer = k % 3, scheme = k / 3 % 3, level = k / 9, hit = 0;

			while (hit < n && (lines[hit].issuer != issuer ||
					   (lines[hit].scheme != 0 && lines[hit].scheme != scheme) ||
					   (lines[hit].level != 0 && lines[hit].level != level)))
				hit++;
			is(r, issuers[issuer], words[scheme], words[level],
			   hit == n	       ? RECOGNISED_UNKNOWN
			   : lines[hit].refuse ? RECOGNISED_REFUSED
					       : RECOGNISED,
			   hit == n ? 0 : (unsigned)hit + 1, hit < n && !lines[hit].refuse ? words[level] : "");
		}
		recognition_end(r);
		buffer_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_line_decides),
		cmocka_unit_test(names_the_line),
		cmocka_unit_test_setup_teardown(reads_a_file, scratch_setup, scratch_teardown),
		cmocka_unit_test(agrees_with_a_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
