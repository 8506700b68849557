#include "test.h"

#include "proof/evidence.h"

#define HEAD "{\"method\":\"rsc\",\"obtained\":\"2026-11-23T10:00:00Z\",\"parts\":["
#define LIST "{\"role\":\"checklist\",\"data\":\"MAA=\"}"
#define CRL "{\"role\":\"crl\",\"source\":\"rsync://rpki.example/a.crl\",\"data\":\"MAE=\"}"

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	return (arena = arena_new((size_t)64 << 20)) == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void what_is_printed_is_read(void **state)
{
	struct part parts[] = {
		{ PART_CHECKLIST, SPAN(""), SPAN("0\0") },
		{ PART_CERTIFICATE, SPAN(""), SPAN("1") },
		{ PART_CRL, SPAN("rsync://rpki.example/a.crl"), SPAN("2") },
		{ PART_CERTIFICATE, SPAN(""), SPAN("3") },
	};
	struct evidence e = { BASIS_RSC, INT64_C(1795428000000), parts, TABLE_LENGTH(parts) }, back;
	struct buffer text = BUFFER(10000);
	size_t at = 0;

	(void)state;
	assert_int_equal(evidence_print(&e, &text), OK);
	assert_int_equal(evidence_parse(arena, buffer_view(&text), &back), OK);
	assert_int_equal(back.method, BASIS_RSC);
	assert_int_equal(back.obtained_ms, e.obtained_ms);
	assert_int_equal(back.count, e.count);
	assert_true(span_equal(back.parts[0].bytes, parts[0].bytes));
	assert_span(back.parts[2].source, "rsync://rpki.example/a.crl");
	assert_span(evidence_next(&back, PART_CERTIFICATE, &at)->bytes, "1");
	assert_span(evidence_next(&back, PART_CERTIFICATE, &at)->bytes, "3");
	assert_null(evidence_next(&back, PART_CERTIFICATE, &at));
	assert_null(evidence_next(&back, PART_CERTIFICATE, &at));
	buffer_free(&text);
}

static void another_form_is_refused(void **state)
{
	static const struct {
		const char *body;
		enum err err;
	} cases[] = {
		{ HEAD LIST "," CRL "]}", OK },
		{ "{\"parts\":[],\"method\":\"mandate\",\"obtained\":\"2026-11-23T10:00:00Z\"}", OK },
		{ "", ERR_EVIDENCE },
		{ "[]", ERR_EVIDENCE },
		{ "{}", ERR_EVIDENCE },
		{ "\xef\xbb\xbf" HEAD LIST "]}", ERR_EVIDENCE },
		{ HEAD LIST "]", ERR_EVIDENCE },
		{ HEAD LIST "],\"more\":1}", ERR_EVIDENCE },
		{ HEAD LIST "],\"method\":\"rsc\"}", ERR_EVIDENCE },
		{ HEAD "]}", ERR_EVIDENCE }, /* lacks its checklist */
		{ HEAD CRL "]}", ERR_EVIDENCE },
		{ HEAD LIST ",1]}", ERR_EVIDENCE },
		{ HEAD LIST ",{\"role\":\"rrset\",\"data\":\"AAAA\"}]}", ERR_EVIDENCE }, /* another method's */
		{ HEAD "{\"role\":\"checklist\",\"data\":\"MAA\"}]}", ERR_EVIDENCE },
		{ HEAD "{\"role\":\"checklist\",\"data\":\"MAB=\"}]}", ERR_EVIDENCE }, /* spare bits */
		{ HEAD "{\"role\":\"checklist\",\"data\":\"MA\\nA=\"}]}", ERR_EVIDENCE },
		{ HEAD "{\"role\":\"checklist\",\"data\":\"\"}]}", ERR_EVIDENCE },
		{ HEAD "{\"role\":\"checklist\"}]}", ERR_EVIDENCE },
		{ HEAD "{\"role\":\"checklist\",\"data\":\"MAA=\",\"note\":\"\"}]}", ERR_EVIDENCE },
		{ HEAD "{\"role\":\"Checklist\",\"data\":\"MAA=\"}]}", ERR_EVIDENCE },
		{ HEAD "{\"role\":\"checklist\",\"data\":\"MAA=\",\"source\":\"\\u001b[2J\"}]}", ERR_EVIDENCE },
		{ HEAD "{\"role\":\"checklist\",\"data\":\"MAA=\",\"source\":1}]}", ERR_EVIDENCE },
		{ "{\"method\":\"operator\",\"obtained\":\"2026-11-23T10:00:00Z\",\"parts\":[]}", ERR_EVIDENCE },
		{ "{\"method\":\"roa\",\"obtained\":\"2026-11-23T10:00:00Z\",\"parts\":[]}", ERR_EVIDENCE },
		{ "{\"method\":\"mandate\",\"obtained\":\"2026-11-23\",\"parts\":[]}", ERR_EVIDENCE },
		{ "{\"method\":\"mandate\",\"obtained\":1795428000,\"parts\":[]}", ERR_EVIDENCE },
		{ "{\"method\":\"mandate\",\"obtained\":\"2026-11-23T10:00:00Z\",\"parts\":{}}", ERR_EVIDENCE },
	};
	struct evidence e;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		if (evidence_parse(arena, span_of(cases[i].body), &e) != cases[i].err)
			fail_msg("case %zu: %s: %s", i, cases[i].body, err_detail());
}

static void what_is_too_much_is_refused(void **state)
{
	struct part parts[EVIDENCE_PARTS_MAX + 1];
	struct evidence e = { BASIS_DNSSEC, 0, parts, EVIDENCE_PARTS_MAX }, back;
	struct buffer text = BUFFER(4 * PROOF_BODY_MAX);
	static char large[PROOF_BODY_MAX];

	(void)state;
	for (size_t i = 0; i <= EVIDENCE_PARTS_MAX; i++)
		parts[i] = (struct part){ PART_RRSET, SPAN(""), SPAN("a") };
	assert_int_equal(evidence_print(&e, &text), OK);
	assert_int_equal(evidence_parse(arena, buffer_view(&text), &back), OK);
	assert_int_equal(back.count, EVIDENCE_PARTS_MAX);
	e.count++;
	assert_int_equal(evidence_print(&e, &text), ERR_EVIDENCE);
	text.len -= 2; /* one more part by hand */
	buffer_text(&text, ",{\"role\":\"rrset\",\"data\":\"YQ==\"}]}");
	assert_int_equal(evidence_parse(arena, buffer_view(&text), &back), ERR_EVIDENCE);

	buffer_clear(&text);
	memset(large, 'x', sizeof(large));
	parts[0].bytes = span_make(large, sizeof(large));
	e.count = 1;
	assert_int_equal(evidence_print(&e, &text), ERR_EVIDENCE);
	assert_int_equal(evidence_parse(arena, buffer_view(&text), &back), ERR_EVIDENCE);
	buffer_free(&text);
}

static void nothing_is_printed_that_would_not_be_read(void **state)
{
	struct part parts[] = { { PART_CRL, SPAN(""), SPAN("a") } };
	struct evidence lacks = { BASIS_RSC, 0, parts, 1 }, other = { BASIS_OPENPGP, 0, parts, 1 },
			by_operator = { BASIS_OPERATOR, 0, NULL, 0 };
	struct buffer text = BUFFER(10000);

	(void)state;
	assert_int_equal(evidence_print(&lacks, &text), ERR_EVIDENCE);
	assert_int_equal(evidence_print(&other, &text), ERR_EVIDENCE);
	assert_int_equal(evidence_print(&by_operator, &text), ERR_EVIDENCE);
	assert_int_equal(text.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_read),
		cmocka_unit_test(another_form_is_refused),
		cmocka_unit_test(what_is_too_much_is_refused),
		cmocka_unit_test(nothing_is_printed_that_would_not_be_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
