#include "exchange/answer_page.h"

#include "base/encoding.h"
#include "report/event.h"
#include "test.h"

#define NOW (INT64_C(1795380300000))
#define HOUR_MS INT64_C(3600000)
#define HOSTILE "</style><script>\"'&\xe2\x80\xae"

static struct arena *arena;

static int make(void **state)
{
	(void)state;
	arena = arena_new((size_t)1 << 24);
	return arena != NULL ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* A notice with so many lines about tables. */
static struct statement notice_of(size_t tables)
{
	static const uint8_t seed[KEY_SEED_SIZE] = { 5 };
	struct statement_writer w = { 0 };
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct signer *signer = NULL;
	struct statement s;
	struct hash id;
	char *copy;

	assert_int_equal(signer_from_seed(SPAN("cert.example"), seed, &signer), OK);
	statement_begin(&w, KIND_NOTICE, SPAN("cert.example/circle"), signer_verifier(signer));
	statement_add(&w, "to", SPAN("AS64500"));
	statement_add(&w, "class", SPAN("malicious-code/infected-system"));
	for (size_t i = 0; i < tables; i++)
		statement_add_print(&w, "table", "<b>%0300zu", i);
	assert_int_equal(statement_end(&w, signer, &note, &id), OK);
	assert_non_null(copy = arena_copy(arena, note.at, note.len));
	assert_int_equal(statement_parse(arena, span_make(copy, note.len), &s), OK);
	statement_writer_free(&w);
	buffer_free(&note);
	signer_free(signer);
	return s;
}

static struct matter matter_of(void)
{
	return (struct matter){ .kind = KIND_NOTICE,
				.logged_ms = NOW - HOUR_MS,
				.due_ms = NOW + HOUR_MS,
				.from = SPAN("cert.example"),
				.to = { .type = TO_AS, .asn = 64500 },
				.to_count = 1,
				.class = CLASS_INFECTED_SYSTEM,
				.events = 7 };
}

static struct answer_view view_of(const struct matter *m, const struct statement *s)
{
	return (struct answer_view){ .node = SPAN("cert.example"),
				     .token = SPAN("token"),
				     .until_ms = NOW + HOUR_MS,
				     .now_ms = NOW,
				     .m = m,
				     .s = s,
				     .to = { .type = TO_AS, .asn = 64500 } };
}

static const char *page_of(const struct answer_view *v)
{
	struct buffer out = BUFFER((size_t)1 << 20);
	const char *copy;

	answer_page(v, &out);
	assert_int_equal(out.err, OK);
	assert_non_null(copy = arena_copy(arena, out.at, out.len));
	buffer_free(&out);
	return copy;
}

static bool says(const struct answer_view *v, const char *words)
{
	return strstr(page_of(v), words) != NULL;
}

static void it_says_how_the_matter_stands(void **state)
{
	struct statement s = notice_of(1);
	struct matter m = matter_of();
	struct answer_view v = view_of(&m, &s);

	(void)state;
	assert_true(says(&v, "<form method=\"post\" action=\"token\">"));
	assert_true(says(&v, "Please answer by "));
	assert_true(says(&v, "Nothing yet."));
	v.now_ms = m.due_ms + 1;
	assert_true(says(&v, "Please answer now. It was due by "));
	m.answered = m.mediated = true;
	m.outcome = OUTCOME_WORKING;
	m.answered_ms = m.acknowledged_ms = NOW;
	v.said = ANSWER_SAID_RECORDED;
	assert_true(says(&v, "Your answer is recorded: working on it"));
	assert_true(says(&v, "recorded by cert.example") && says(&v, "<form") && !says(&v, "due by"));
	m.ended = true;
	m.outcome = OUTCOME_NOT_OURS;
	m.not_ours_ms = m.passed_on_ms = NOW + 1;
	assert_true(says(&v, "This matter is closed: not ours") && !says(&v, "<form"));
	assert_true(says(&v, "Passed on to another"));
	m.withdrawn = true;
	assert_true(says(&v, "This notice was withdrawn") && !says(&v, "<form"));
	m = matter_of();
	m.answers = ANSWERS_MOST;
	assert_true(says(&v, "takes no more answers by this page") && !says(&v, "<form"));
	m = matter_of();
	v.copy = true;
	assert_true(says(&v, "You have this in copy") && !says(&v, "<form") && !says(&v, "due by"));
}

static void it_says_what_became_of_the_events(void **state)
{
	struct statement s = notice_of(1);
	struct matter m = matter_of();
	struct answer_view v = view_of(&m, &s);

	(void)state;
	v.rows = SPAN("<tr><td>a row");
	v.row_count = 1;
	assert_true(says(&v, "<tr><td>a row") && says(&v, "The first 1 of 7 events"));
	v.evidence = ANSWER_EVIDENCE_ERASED;
	assert_true(says(&v, "erased here") && !says(&v, "a row"));
	v.evidence = ANSWER_EVIDENCE_ELSEWHERE;
	assert_true(says(&v, "too many for this page") && !says(&v, "a row"));
	m.demonstration = true;
	assert_true(says(&v, "This is a demonstration."));
}

static void it_says_why_it_comes_now(void **state)
{
	static const struct {
		enum follow_up reason;
		const char *says;
	} rows[] = {
		{ FOLLOW_OVERDUE, "op.example did not answer in time" },
		{ FOLLOW_NOT_OURS, "op.example says that it is not theirs" },
		{ FOLLOW_UNDELIVERABLE, "op.example could not be reached" },
	};
	struct statement s = notice_of(1);
	struct matter m = matter_of();
	struct answer_view v = view_of(&m, &s);

	(void)state;
	assert_false(says(&v, "Before you"));
	v.before_to = SPAN("op.example");
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		m.reason = rows[i].reason;
		assert_true(says(&v, rows[i].says));
	}
	v.before_to = SPAN("");
	assert_true(says(&v, "Another addressee could not be reached"));
}

static void rows_say_what_is_known(void **state)
{
	struct event e = {
		.time_ms = NOW, .source_port = 443, .transport = TRANSPORT_TCP, .has_target = true, .target_port = 80
	};
	struct buffer out = BUFFER(4096);

	(void)state;
	assert_int_equal(address_parse(SPAN("192.0.2.1"), &e.source), OK);
	assert_int_equal(address_parse(SPAN("2001:db8::1"), &e.target), OK);
	answer_row(&out, &e, true);
	assert_span(buffer_view(&out),
		    "<tr><td>2026-11-22 20:45:00<td>192.0.2.1<td>443<td>TCP<td>[2001:db8::1]:80 (fits a "
		    "filed plan)\n");
	buffer_clear(&out);
	e = (struct event){ .source = e.source, .source_length = 24, .transport = 47, .target_port = 22 };
	answer_row(&out, &e, false);
	assert_span(buffer_view(&out), "<tr><td><td>192.0.2.1/24<td><td>47<td>port 22\n");
	buffer_free(&out);
}

/* Whatever others wrote, as much as they may. */
static void it_stays_small_and_whole(void **state)
{
	struct statement s = notice_of(150);
	struct matter m = matter_of();
	struct answer_view v = view_of(&m, &s);
	struct buffer rows = BUFFER((size_t)64 << 10);
	struct event e = {
		.time_ms = NOW, .source_port = 65535, .transport = 254, .has_target = true, .target_port = 65535
	};
	char title[600], plain[8192];
	const char *page;

	(void)state;
	assert_int_equal(address_parse(SPAN("2001:db8:1111:2222:3333:4444:5555:6666"), &e.source), OK);
	e.target = e.source;
	for (int i = 0; i < ANSWER_ROWS; i++)
		answer_row(&rows, &e, true);
	for (size_t i = 0; i < sizeof(title); i++)
		title[i] = HOSTILE[i % (sizeof(HOSTILE) - 1)];
	memset(plain, '<', sizeof(plain));
	v.rows = buffer_view(&rows);
	v.row_count = ANSWER_ROWS;
	v.plain = span_make(plain, sizeof(plain));
	v.title = v.author_title = v.before_to = span_make(title, sizeof(title));
	v.contact = v.title;
	m.reason = FOLLOW_OVERDUE;
	m.answered = true;
	m.outcome = OUTCOME_WORKING;
	m.arrived_ms = m.acknowledged_ms = m.disputed_ms = m.cannot_ms = m.re_observed_ms = NOW;
	page = page_of(&v);
	if (strlen(page) > ANSWER_PAGE_MAX)
		fail_msg("a page of %zu bytes, of which rows %zu", strlen(page), rows.len);
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "<b>000"));
	assert_non_null(strstr(page, "</html>\n"));
	buffer_free(&rows);
}

static void the_policy_fits_the_style(void **state)
{
	struct statement s = notice_of(1);
	struct matter m = matter_of();
	struct answer_view v = view_of(&m, &s);
	const char *page = page_of(&v), *from = strstr(page, "<style>"), *to = strstr(page, "</style>");
	struct span policy;
	struct hash h;
	char text[64] = "sha256-";

	(void)state;
	assert_true(from != NULL && to != NULL && strstr(to + 1, "<style") == NULL);
	h = hash_bytes(from + 7, (size_t)(to - from) - 7);
	base64_encode(h.bytes, HASH_SIZE, text + 7);
	assert_int_equal(answer_policy(arena, &policy), OK);
	assert_non_null(strstr(arena_copy(arena, policy.at, policy.len), text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_how_the_matter_stands), cmocka_unit_test(it_says_what_became_of_the_events),
		cmocka_unit_test(it_says_why_it_comes_now),	 cmocka_unit_test(rows_say_what_is_known),
		cmocka_unit_test(it_stays_small_and_whole),	 cmocka_unit_test(the_policy_fits_the_style),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
