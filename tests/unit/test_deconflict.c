#include "test.h"

#include <stdio.h>

#include "regime/deconflict.h"

static const uint8_t salt[DECONFLICT_SALT_SIZE] = { 1, 2, 3 };

static int setup(void **state)
{
	return (*state = arena_new((size_t)256 << 20)) == NULL;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static struct deconflict_item one(struct arena *a, const char *text)
{
	struct deconflict_item *items;
	size_t n;

	if (deconflict_read_list(a, span_of(text), &items, &n) != OK || n != 1)
		fail_msg("%s: no item", text);
	return items[0];
}

static void reads_a_list(void **state)
{
	struct deconflict_item *items;
	size_t n;

	assert_int_equal(deconflict_read_list(
				 *state, SPAN("# two\n\nEvil.Example.\n 192.0.2.0/24 \r\n2001:db8::1\nevil.example\n"),
				 &items, &n),
			 OK);
	assert_int_equal(n, 3);
	assert_span(items[0].what.domain, "evil.example");
	assert_int_equal(items[1].what.prefix.length, 24);
	assert_int_equal(items[2].what.prefix.length, 128);
	assert_int_equal(deconflict_read_list(*state, SPAN("# none\n"), &items, &n), ERR_EMPTY);
	assert_int_equal(deconflict_read_list(*state, SPAN("a b\n"), &items, &n), ERR_DOMAIN);
	assert_int_equal(deconflict_read_list(*state, SPAN("192.0.2.1/24\n"), &items, &n), ERR_DOMAIN);
	assert_int_equal(deconflict_read_list(*state, SPAN("2001:db8::/33\n"), &items, &n), ERR_PREFIX);
}

/* Whether asking for `asked` finds who holds `held`. */
static bool finds(struct arena *a, const char *asked, const char *held)
{
	struct deconflict_item item = one(a, asked);
	struct deconflict_holding holding = { .party = SPAN("r.example"), .contact = SPAN("mailto:soc@r.example") };
	struct buffer b = BUFFER(DECONFLICT_BODY_MAX);
	struct deconflict_question q;
	struct deconflict_held *found;
	size_t n;

	if (prefix_parse(span_of(held), &holding.item.what.prefix) == OK)
		holding.item.what.type = TO_PREFIX; /* here any border */
	else
		holding.item = one(a, held);
	assert_int_equal(deconflict_question_print(&item, 1, salt, &b), OK);
	assert_int_equal(deconflict_question_read(a, buffer_view(&b), &q), OK);
	assert_int_equal(deconflict_compare(a, &q, &holding, 1, &found, &n), OK);
	buffer_free(&b);
	if (n == 1)
		assert_span(found->contact, "mailto:soc@r.example");
	return n == 1;
}

static void finds_what_overlaps(void **state)
{
	static const struct {
		const char *asked, *held;
		bool found;
	} cases[] = {
		{ "evil.example", "evil.example", true },	 { "www.evil.example", "evil.example", true },
		{ "evil.example", "sink.evil.example", true },	 { "evil.example", "not-evil.example", false },
		{ "a.evil.example", "b.evil.example", false },	 { "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.0/24", true },		 { "192.0.2.0/24", "192.0.2.128/25", true },
		{ "192.0.2.0/25", "192.0.2.128/25", false },	 { "192.0.2.7", "192.0.2.8/29", false },
		{ "2001:db8::1", "2001:db8::/32", true },	 { "2001:db8::1", "2001:db8::/33", true },
		{ "2001:db8:8000::1", "2001:db8::/33", false },	 { "2001:db8:7fff::/48", "2001:db8::/33", true },
		{ "2001:db8::/32", "2001:db8:4000::/35", true }, { "2001:db8::/32", "2001:db9::/35", false },
		{ "ffff:ffff::1", "ffff::/17", false },		 { "evil.example", "192.0.2.7", false },
	};

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		if (finds(*state, cases[i].asked, cases[i].held) != cases[i].found)
			fail_msg("%s asked, %s held: %s", cases[i].asked, cases[i].held,
				 cases[i].found ? "not found" : "found");
}

/* 4,000 names of which 1,000 are held by others: each of these comes back with its contact, and no other. */
static void finds_all_of_a_takedown(void **state)
{
	struct deconflict_holding *holdings = arena_array(*state, 1000, sizeof(*holdings));
	struct buffer list = BUFFER(1 << 20), b = BUFFER(DECONFLICT_BODY_MAX), answer = BUFFER(DECONFLICT_BODY_MAX);
	struct deconflict_item *items, first;
	struct deconflict_question q;
	struct deconflict_held *held, *read;
	size_t n, found, again;

	for (int i = 0; i < 4000; i++)
		buffer_print(&list, "c%d.botnet%d.example\n", i, i % 7);
	for (int i = 0; i < 1000; i++)
		holdings[i] = (struct deconflict_holding){
			.item = one(*state, arena_print(*state, "c%d.botnet%d.example", i * 4 + 1, (i * 4 + 1) % 7)),
			.party = SPAN("r.example"),
			.contact = span_of(arena_print(*state, "mailto:sink%d@r.example", i)),
		};
	assert_int_equal(deconflict_read_list(*state, buffer_view(&list), &items, &n), OK);
	assert_int_equal(n, 4000);
	assert_int_equal(deconflict_question_print(items, n, salt, &b), OK);
	assert_null(memmem(b.at, b.len, "botnet", 6)); /* no name goes out */
	assert_int_equal(deconflict_question_read(*state, buffer_view(&b), &q), OK);
	assert_true(deconflict_is_list(&q, items, n));
	assert_false(deconflict_is_list(&q, items, n - 1));
	first = items[0];
	items[0] = items[1];
	assert_false(deconflict_is_list(&q, items, n));
	items[0] = first;
	assert_int_equal(deconflict_compare(*state, &q, holdings, 1000, &held, &found), OK);
	assert_int_equal(found, 1000);
	assert_int_equal(deconflict_answer_print(held, found, &answer), OK);
	assert_int_equal(deconflict_answer_read(*state, buffer_view(&answer), n, &read, &again), OK);
	assert_int_equal(again, 1000);
	for (size_t i = 0; i < again; i++) {
		char contact[64];

		assert_int_equal(read[i].item, i * 4 + 1);
		snprintf(contact, sizeof(contact), "mailto:sink%zu@r.example", i);
		assert_span(read[i].contact, contact);
	}
	buffer_free(&list);
	buffer_free(&b);
	buffer_free(&answer);
}

static void refuses_bad_bodies(void **state)
{
	static const char *const questions[] = {
		"",
		"{}",
		"[]",
		"{\"salt\":\"00\",\"list\":\"00\",\"items\":[\"AAAAAAAAAAAAAAAAAAAAAA==\"]}",
		"{\"salt\":\"0000000000000000000000000000000000000000000000000000000000000000\","
		"\"list\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"items\":[]}",
		"{\"salt\":\"0000000000000000000000000000000000000000000000000000000000000000\","
		"\"list\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"items\":[\"AAAA\"]}",
		"{\"salt\":\"0000000000000000000000000000000000000000000000000000000000000000\","
		"\"list\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"items\":[7]}",
	};
	static const char *const answers[] = {
		"{}",
		"{\"held\":[{\"item\":3,\"party\":\"r.example\",\"contact\":\"\"}]}",
		"{\"held\":[{\"item\":-1,\"party\":\"r.example\",\"contact\":\"\"}]}",
		"{\"held\":[{\"item\":1,\"party\":\"r\",\"contact\":\"\"}]}",
		"{\"held\":[{\"item\":1,\"party\":\"r.example\",\"contact\":\"\"},{\"item\":1,\"party\":\"r.example\","
		"\"contact\":\"\"}]}",
	};
	struct deconflict_question q;
	struct deconflict_held *held;
	size_t n;

	for (size_t i = 0; i < TABLE_LENGTH(questions); i++)
		if (deconflict_question_read(*state, span_of(questions[i]), &q) == OK)
			fail_msg("question %zu is taken", i);
	for (size_t i = 0; i < TABLE_LENGTH(answers); i++)
		if (deconflict_answer_read(*state, span_of(answers[i]), 3, &held, &n) == OK)
			fail_msg("answer %zu is taken", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_a_list, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_what_overlaps, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_all_of_a_takedown, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_bad_bodies, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
