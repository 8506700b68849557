#include "report/mail.h"
#include "report_test.h"

#define DAY "Arrival-Date: Sat, 21 Nov 2026 10:11:12 +0100\n"
#define MAIL_OF(address)                                                                                               \
	"From: desk@cert.example\nMIME-Version: 1.0\nContent-Type: multipart/report; boundary=b\n\n--b\n"              \
	"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: "                    \
	"1\nSource-IP: " address "\n" DAY

/* Mails quoted in each way, behind each kind of line end. */
static void reads_mails(void **state)
{
	static const char one[] = "From desk@cert.example Sat Nov 21 10:11:12 2026\n" MAIL_OF("8.8.4.4") "\n";
	static const char two[] =
		"From - Sat Nov 21 10:11:12 2026\n" MAIL_OF("8.8.4.5") "From the inside\n\n>From below\n"
								       "\n>>From deeper\n\n\n\n";
	static const char end[] = "From a\nFrom: x\n\n";
	struct buffer b = BUFFER(10000), crlf = BUFFER(100000);
	const struct report_options options = { .now_ms = TEST_NOW };
	struct arena *a = arena_new(1 << 20);
	struct law law = { .out = BUFFER(1 << 20) };
	struct scratch *s;
	struct layout *l;

	(void)state;
	assert_int_equal(scratch_new(&s), OK);
	buffer_text(&b, "\n");
	buffer_text(&b, one);
	buffer_text(&b, two);
	buffer_text(&b, end);
	assert_int_equal(report_detect(a, SPAN("inbox"), buffer_view(&b), &options, &l), OK);
	assert_int_equal(layout_format(l), FORMAT_MAIL);
	assert_int_equal(l->framing, FRAME_MBOX);
	law_read(l, s, buffer_view(&b), b.len + 1, l->row_max, &law);
	assert_int_equal(law.events, 2);
	assert_int_equal(law.rejects, 1);
	assert_non_null(memmem(law.out.at, law.out.len, "+2 1795252272000 8.8.4.4/0:0>", 29));
	assert_non_null(memmem(law.out.at, law.out.len, "+16 1795252272000 8.8.4.5/0:0>", 30));
	for (size_t step = 1; step < 60; step++)
		assert_true(law_holds(l, s, buffer_view(&b), step, l->row_max));

	for (size_t i = 0; i < b.len; i++) {
		if (b.at[i] == '\n')
			buffer_byte(&crlf, '\r');
		buffer_byte(&crlf, (uint8_t)b.at[i]);
	}
	law.events = law.rejects = 0;
	law_read(l, s, buffer_view(&crlf), 17, l->row_max, &law);
	assert_int_equal(law.events, 2);
	assert_int_equal(law.rejects, 1);
	buffer_free(&b);
	buffer_free(&crlf);
	buffer_free(&law.out);
	scratch_free(s);
	arena_free(a);
}

static void takes_off_quotes(void **state)
{
	static const struct {
		const char *document, *mail;
	} cases[] = {
		{ "From a\nb: c\n\nd\n", "b: c\n\nd\n" },
		{ "From a", "" },
		{ "b: c\n", "b: c\n" },
		{ "From a\nb: c\n\n>From d\n>>From e\n> From f\n>Fromg\n>>>\n>",
		  "b: c\n\nFrom d\n>From e\n> From f\n>Fromg\n>>>\n>" },
		{ "From a\n\n>From ", "\nFrom " },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct span mail;

		assert_int_equal(mbox_mail(a, span_of(cases[i].document), &mail), OK);
		assert_span(mail, cases[i].mail);
	}
	arena_free(a);
}

/* The same mail in a file of its own and in an mbox gives the same event: it counts once. */
static void is_the_same_alone(void **state)
{
	static const char alone[] = MAIL_OF("8.8.4.4") "\nFrom me\n\n>From you\nx";
	static const char inside[] =
		"From a@b.example Sat Nov 21 10:11:12 2026\n" MAIL_OF("8.8.4.4") "\n>From me\n\n>>From "
										 "you\nx\n\n";
	const struct report_options options = { .now_ms = TEST_NOW };
	struct law first = { .out = BUFFER(1 << 20) }, second = { .out = BUFFER(1 << 20) };
	struct arena *a = arena_new(1 << 20);
	struct scratch *s;
	struct layout *l;

	(void)state;
	assert_int_equal(scratch_new(&s), OK);
	assert_int_equal(report_detect(a, SPAN("x"), span_of(alone), &options, &l), OK);
	assert_int_equal(l->framing, FRAME_WHOLE);
	law_read(l, s, span_of(alone), 10000, l->row_max, &first);
	assert_int_equal(report_detect(a, SPAN("x"), span_of(inside), &options, &l), OK);
	assert_int_equal(l->framing, FRAME_MBOX);
	law_read(l, s, span_of(inside), 10000, l->row_max, &second);
	assert_int_equal(first.events, 1);
	assert_true(span_equal(buffer_view(&first.out), buffer_view(&second.out)));
	buffer_free(&first.out);
	buffer_free(&second.out);
	scratch_free(s);
	arena_free(a);
}

/* Mails of every length about the limit: each that is longer is rejected once, and none of the others is lost. */
static void passes_over_long_mails(void **state)
{
	const struct report_options options = { .now_ms = TEST_NOW };
	struct arena *a = arena_new(1 << 20);
	struct scratch *s;
	struct layout *l;

	(void)state;
	assert_int_equal(scratch_new(&s), OK);
	assert_int_equal(report_detect(a, SPAN("x"), SPAN("From a 10:11\nFrom: x\nTo: y\n\n"), &options, &l), OK);
	assert_int_equal(l->framing, FRAME_MBOX);
	l->row_max = 400;
	for (size_t filling = 150; filling < 700; filling++) {
		struct law law = { .out = BUFFER(1 << 20) };
		struct buffer b = BUFFER(10000);
		size_t first;

		buffer_text(&b, "From a\n" MAIL_OF("8.8.4.4"));
		first = b.len;
		for (size_t i = first; i < filling; i++)
			buffer_byte(&b, i % 50 == 0 ? '\n' : 'x');
		buffer_text(&b, "\n\n");
		first = b.len;
		buffer_text(&b, "From b\n" MAIL_OF("8.8.4.5") "\n");
		law_read(l, s, buffer_view(&b), b.len + 1, l->row_max, &law);
		assert_int_equal(law.events, first <= frame_limit(l) ? 2 : 1);
		assert_int_equal(law.rejects, first <= frame_limit(l) ? 0 : 1);
		for (size_t step = 1; step < 500; step += 7)
			assert_true(law_holds(l, s, buffer_view(&b), step, l->row_max));
		buffer_free(&b);
		buffer_free(&law.out);
	}
	scratch_free(s);
	arena_free(a);
}

static void keeps_the_law_of_chunks(void **state)
{
	static const char *const pieces[] = { "From ",
					      "\n",
					      "\n\n",
					      "\r\n",
					      "\n\nFrom ",
					      "\n\r\nFrom a\n",
					      ">From x\n",
					      "\n\n>From ",
					      "Content-Type: multipart/mixed; boundary=b\n",
					      "--b\n",
					      "--b--\n",
					      "From: a@b.example\n",
					      "From a 10:11\n" MAIL_OF("8.8.4.4"),
					      "x" };
	static const size_t limits[] = { 2 * MBOX_AHEAD, 40, 130, 400, REPORT_DOCUMENT_MAX };
	const struct report_options options = { .now_ms = TEST_NOW };
	static char text[3000];
	struct arena *a = arena_new(1 << 20);
	uint64_t seed = test_seed();
	struct scratch *s;
	struct layout *l;

	(void)state;
	assert_int_equal(scratch_new(&s), OK);
	assert_int_equal(report_detect(a, SPAN("x"), SPAN("From a 10:11\nFrom: x\nTo: y\n\n"), &options, &l), OK);
	for (int round = 0; round < 3000; round++) {
		size_t n = draw_report(&seed, pieces, TABLE_LENGTH(pieces), text, sizeof(text));
		size_t step = 1 + test_below(&seed, test_below(&seed, 2) == 0 ? 20 : 700);

		l->row_max = limits[test_below(&seed, TABLE_LENGTH(limits))];
		if (!law_holds(l, s, span_make(text, n), step, l->row_max))
			fail_msg("round %d: %zu bytes, steps of %zu, mails of at most %zu", round, n, step, l->row_max);
	}
	scratch_free(s);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_mails),
		cmocka_unit_test(takes_off_quotes),
		cmocka_unit_test(is_the_same_alone),
		cmocka_unit_test(passes_over_long_mails),
		cmocka_unit_test(keeps_the_law_of_chunks),
	};

	return cmocka_run_group_tests_name("mbox", tests, NULL, NULL);
}
