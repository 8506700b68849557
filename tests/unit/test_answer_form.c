#include "exchange/answer_form.h"

#include "test.h"

static struct arena *arena;

static int make(void **state)
{
	(void)state;
	arena = arena_new(1 << 22);
	return arena != NULL ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct answer_form read(const char *body)
{
	struct answer_form f;
	enum err e = answer_form_read(arena, span_of(body), ANSWER_TO_NOTICE, &f);

	if (e != OK)
		fail_msg("%s: %s: %s", body, err_code(e), err_detail());
	return f;
}

static void refuses(const char *body, enum err why)
{
	struct answer_form f;

	assert_int_equal(answer_form_read(arena, span_of(body), ANSWER_TO_NOTICE, &f), why);
	assert_true(why == ERR_USAGE || why == ERR_ENCODING || strlen(err_detail()) > 0);
}

static void five_outcomes_and_no_other(void **state)
{
	static const struct {
		const char *name;
		enum outcome outcome;
	} rows[] = {
		{ "outcome=fixed", OUTCOME_FIXED },
		{ "outcome=working", OUTCOME_WORKING },
		{ "outcome=not-ours", OUTCOME_NOT_OURS },
		{ "outcome=disputed&text=why", OUTCOME_DISPUTED },
		{ "outcome=cannot&evidence=", OUTCOME_CANNOT },
		{ "other=1&outcome=fixed&&", OUTCOME_FIXED },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++)
		assert_int_equal(read(rows[i].name).outcome, rows[i].outcome);
	refuses("", ERR_FIELD_MISSING);
	refuses("outcome=", ERR_FIELD_MISSING);
	refuses("outcome=acknowledged", ERR_FIELD);
	refuses("outcome=closed", ERR_FIELD);
	refuses("outcome=re-observed", ERR_FIELD);
	refuses("outcome=received", ERR_FIELD);
	refuses("outcome=Fixed", ERR_FIELD);
	refuses("outcome=fixed&outcome=working", ERR_USAGE);
	refuses("outcome=fixed&text=%00", ERR_ENCODING);
	refuses("outcome=fixed&text=%ff", ERR_ENCODING);
	refuses("outcome=fixed&text=%f", ERR_USAGE);
}

static void who_instead(void **state)
{
	static const struct {
		const char *typed, *as;
	} rows[] = {
		{ "AS64500", "AS64500" },
		{ " as 64500 ", "AS64500" },
		{ "64500", "AS64500" },
		{ "As64500\r\n", "AS64500" },
		{ "192.0.2.0/24", "prefix 192.0.2.0/24" },
		{ "192.0.2.7", "prefix 192.0.2.7/32" },
		{ "2001:DB8::/32", "prefix 2001:db8::/32" },
		{ "2001:db8:0::1", "prefix 2001:db8::1/128" },
		{ "Network.Example", "network.example" },
		{ "b.example", "b.example" },
	};
	static const char *const bad[] = { "AS",
					   "AS0",
					   "AS4294967295",
					   "as-1",
					   "192.0.2.1/24",
					   "192.0.2.0/33",
					   "nobody",
					   "http://b.example/",
					   "b.example.",
					   "b example",
					   "a@b.example",
					   "ümlaut.example",
					   "all",
					   "country EE",
					   "99999999999",
					   "-",
					   "b.example\nto all" };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct buffer out = BUFFER(512);
		struct addressee to;

		assert_int_equal(answer_better_read(arena, span_of(rows[i].typed), &to), OK);
		addressee_print(&to, &out);
		assert_span(buffer_view(&out), rows[i].as);
		buffer_free(&out);
	}
	for (size_t i = 0; i < TABLE_LENGTH(bad); i++) {
		struct addressee to;

		if (answer_better_read(arena, span_of(bad[i]), &to) != ERR_FIELD)
			fail_msg("%s was taken", bad[i]);
	}
	assert_true(read("outcome=not-ours&better=AS64500").has_better);
	assert_false(read("outcome=not-ours&better=++").has_better);
	assert_false(read("outcome=fixed&better=nonsense!").has_better); /* what was not asked */
	refuses("outcome=not-ours&better=nonsense!", ERR_FIELD);
}

static void a_remark_is_one_line_of_ascii(void **state)
{
	static const struct {
		const char *typed, *text;
	} rows[] = {
		{ "", "" },
		{ "+%0D%0A+", "" },
		{ "two%0D%0Alines++here+", "two lines here" },
		{ "it%E2%80%99s+done+%E2%80%93+%E2%80%9Cok%E2%80%9D%E2%80%A6", "it's done - \"ok\"..." },
		{ "M%C3%BCller+gr%C3%BC%C3%9Ft+T%C5%8Dky%C5%8D", "Mueller gruesst Tokyo" },
		{ "%C5%A0%C4%8D%C5%99+%C5%BC%C5%82%C3%B3%C5%84", "Scr zlon" },
		{ "a%C2%A0b%E2%80%8Bc%C2%AD", "a bc" },
		{ "tab%09here", "tab here" },
		{ "100+%E2%82%AC", "100 EUR" },
	};
	char body[2048] = "outcome=working&text=";
	size_t head = strlen(body);

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		strncpy(body + head, rows[i].typed, sizeof(body) - head - 1);
		assert_span(read(body).text, rows[i].text);
	}
	refuses("outcome=working&text=%E6%9D%B1%E4%BA%AC", ERR_FIELD);
	refuses("outcome=working&text=%1B%5B31m", ERR_FIELD);
	memset(body + head, 'x', 280);
	body[head + 280] = '\0';
	assert_int_equal(read(body).text.len, 280);
	body[head + 280] = 'x';
	body[head + 281] = '\0';
	refuses(body, ERR_FIELD);
}

/* What the header cannot hold is not lost: all of it goes into the document. */
static void a_dispute_keeps_all_that_was_said(void **state)
{
	struct answer_form f = read("outcome=disputed&text=see+below&evidence=line+1%0D%0Aline+2%0D%0A");
	char body[1024] = "outcome=disputed&evidence=more&text=";
	size_t head = strlen(body);

	(void)state;
	assert_span(f.text, "see below");
	assert_span(f.evidence, "line 1\nline 2");
	f = read("outcome=disputed&evidence=+&text=short");
	assert_span(f.text, "short");
	assert_int_equal(f.evidence.len, 0);
	f = read("outcome=disputed&text=%E6%9D%B1%E4%BA%AC&evidence=b");
	assert_span(f.text, "");
	assert_span(f.evidence, "東京\n\nb");
	memset(body + head, 'x', 300);
	body[head + 300] = '\0';
	f = read(body);
	assert_int_equal(f.text.len, 0);
	assert_int_equal(f.evidence.len, 300 + 2 + 4);
	refuses("outcome=disputed", ERR_FIELD_MISSING);
	refuses("outcome=disputed&text=+&evidence=%0A", ERR_FIELD_MISSING);
	assert_int_equal(read("outcome=fixed&evidence=what+was+not+asked").evidence.len, 0);
}

static void sizes_are_bounded(void **state)
{
	static char body[ANSWER_FORM_MAX + 2] = "outcome=disputed&evidence=";
	size_t head = strlen(body);
	struct answer_form f;

	(void)state;
	memset(body + head, 'x', ANSWER_EVIDENCE_MAX);
	assert_int_equal(read(body).evidence.len, ANSWER_EVIDENCE_MAX);
	body[head + ANSWER_EVIDENCE_MAX] = 'x';
	refuses(body, ERR_FIELD);
	memset(body + head, 'x', sizeof(body) - head - 1);
	assert_int_equal(answer_form_read(arena, span_make(body, sizeof(body) - 1), ANSWER_TO_NOTICE, &f),
			 ERR_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_outcomes_and_no_other),
		cmocka_unit_test(who_instead),
		cmocka_unit_test(a_remark_is_one_line_of_ascii),
		cmocka_unit_test(a_dispute_keeps_all_that_was_said),
		cmocka_unit_test(sizes_are_bounded),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
