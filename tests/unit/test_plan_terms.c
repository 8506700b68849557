#include "regime/plan_terms.h"

#include "regime.h"

#define HOUR INT64_C(3600000)
#define START "start 2026-10-25T00:00:00Z\n"
#define REST "activity scan\n" START "end 2026-10-25T02:00:00Z\npurpose p\nsource 198.51.100.0/24\ntarget any\n"
#define T0 INT64_C(1792886400000) /* of START: the day on which Europe's clocks go back */

struct room {
	struct arena *arena;
	struct signer *key;
};

static struct room room_new(void **state)
{
	return (struct room){ ((struct scratch *)*state)->arena, signer_of("scan.example") };
}

static struct statement parse(const struct room *r, const char *lines)
{
	struct statement s;

	assert_int_equal(
		statement_parse(r->arena,
				statement_text(r->arena, KIND_PLAN, "cert.example/public", r->key, lines, NULL), &s),
		OK);
	return s;
}

static enum err terms_of(const struct room *r, const char *lines, struct plan_terms *t)
{
	struct statement s = parse(r, lines);

	return plan_terms_read(r->arena, &s, t);
}

/* ---- what is refused, and by which name ---- */

static void refusals(void **state)
{
	static const struct {
		const char *lines;
		enum err e;
	} cases[] = {
		{ REST "repeat daily 2\n", OK },
		{ REST "repeat daily 1\n", ERR_STATEMENT_HEADER },
		{ REST "repeat daily 02\n", ERR_STATEMENT_HEADER },
		{ REST "repeat monthly 2\n", ERR_STATEMENT_HEADER },
		{ REST "repeat daily\n", ERR_STATEMENT_HEADER },
		{ REST "repeat weekly 366\n", ERR_PLAN_WINDOW },
		{ REST "repeat daily 367\n", ERR_STATEMENT_HEADER },
		{ "activity scan\n" START
		  "end 2026-10-26T00:00:01Z\nrepeat daily 2\npurpose p\nsource 192.0.2.0/24\ntarget any\n",
		  ERR_PLAN_WINDOW },
		{ "activity scan\n" START
		  "end 2026-10-26T00:00:00Z\nrepeat daily 2\npurpose p\nsource 192.0.2.0/24\ntarget any\n",
		  OK },
		{ "activity scan\n" START "end 2026-10-25T00:00:00Z\npurpose p\nsource 192.0.2.0/24\ntarget any\n",
		  ERR_PLAN_WINDOW },
		{ "activity scan\n" START "purpose p\nsource 192.0.2.0/24\ntarget any\n", ERR_STATEMENT_HEADER },
		{ "activity walk\n" START "end 2026-10-25T02:00:00Z\npurpose p\nsource 192.0.2.0/24\ntarget any\n",
		  ERR_STATEMENT_HEADER },
		{ "activity scan\n" START "end 2026-10-25T02:00:00Z\npurpose p\nsource 0.0.0.0/0\ntarget any\n",
		  ERR_PREFIX },
		{ "activity scan\n" START "end 2026-10-25T02:00:00Z\npurpose p\nsource ::/0\ntarget any\n",
		  ERR_PREFIX },
		{ "activity scan\n" START "end 2026-10-25T02:00:00Z\npurpose p\nsource 192.0.2.0/24\n",
		  ERR_STATEMENT_HEADER },
		{ "activity scan\n" START "end 2026-10-25T02:00:00Z\npurpose p\ntarget any\n", ERR_STATEMENT_HEADER },
		{ "activity scan\n" START "end 2026-10-25T02:00:00Z\nsource 192.0.2.0/24\ntarget any\n",
		  ERR_STATEMENT_HEADER },
		{ "activity red-team\nintrusive no\n" START
		  "end 2026-10-25T02:00:00Z\npurpose p\nsource 192.0.2.0/24\ntarget any\n",
		  ERR_STATEMENT_HEADER },
		{ REST "alternate 10.0.0.0/7\n", ERR_PREFIX },
		{ REST "alternate 203.0.113.0/24\n", OK },
		{ REST "alternate ::ffff:192.0.2.0/120\n", ERR_PREFIX },
		{ REST "target AS0\n", ERR_PREFIX },
		{ REST "target AS64500\n", OK },
		{ REST "target country EE\n", OK },
		{ REST "target country ee\n", ERR_PREFIX },
		{ REST "target Example.org\n", ERR_PREFIX },
		{ REST "target example.org\n", OK },
		{ REST "target all\n", ERR_PREFIX },
		{ REST "target prefix 192.0.2.0/24\n", ERR_PREFIX },
		{ REST "target 192.0.2.1/24\n", ERR_PREFIX },
		{ REST "transport tcp\ntransport 200\n", OK },
		{ REST "transport 6\n", ERR_STATEMENT_HEADER },
		{ REST "transport tcp\ntransport tcp\n", ERR_STATEMENT_HEADER },
		{ REST "transport 256\n", ERR_STATEMENT_HEADER },
		{ REST "transport 0\n", ERR_STATEMENT_HEADER },
		{ REST "port 65535\n", OK },
		{ REST "port 0\n", ERR_STATEMENT_HEADER },
		{ REST "port 65536\n", ERR_STATEMENT_HEADER },
		{ REST "port 9-9\n", ERR_STATEMENT_HEADER },
		{ REST "port 9-8\n", ERR_STATEMENT_HEADER },
		{ REST "port 1-2-3\n", ERR_STATEMENT_HEADER },
		{ REST "rate 0\n", ERR_STATEMENT_HEADER },
		{ REST "rate 100\nrate-each 101\n", ERR_STATEMENT_HEADER },
		{ REST "rate 100\nrate-each 100\n", OK },
		{ REST "marker ptr scan.example.org\nmarker user-agent a b c\nmarker in-band https://scan.example/x\n",
		  OK },
		{ REST "marker ptr Scan\n", ERR_STATEMENT_HEADER },
		{ REST "marker probing http://scan.example/.well-known/probing.txt\n", ERR_STATEMENT_HEADER },
		{ REST "marker smell strange\n", ERR_STATEMENT_HEADER },
		{ REST "marker tls\n", ERR_STATEMENT_HEADER },
		{ REST "contact mailto:duty@scan.example\n", OK },
		{ REST "contact tel:+372-663-0299\n", OK },
		{ REST "contact tel:call-me\n", ERR_STATEMENT_HEADER },
		{ REST "contact mailto:a@b@scan.example\n", ERR_STATEMENT_HEADER },
		{ REST "contact https://scan.example/\n", ERR_STATEMENT_HEADER },
		{ REST "stop-within 30m\n", OK },
		{ REST "stop-within 0\n", ERR_STATEMENT_HEADER },
		{ REST "stop-within 30\n", ERR_STATEMENT_HEADER },
		{ REST "stop-within 8d\n", ERR_STATEMENT_HEADER },
		{ REST "ethics https://scan.example/board\n", OK },
		{ REST "ethics the board said yes\n", ERR_STATEMENT_HEADER },
		{ REST "commitment 00\n", ERR_STATEMENT_HEADER },
	};
	struct room r = room_new(state);

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct plan_terms t;
		enum err e = terms_of(&r, cases[i].lines, &t);

		if (e != cases[i].e)
			fail_msg("%s, not %s: %s", err_code(e), err_code(cases[i].e), cases[i].lines);
	}
	signer_free(r.key);
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void sealed_tells_nothing(void **state)
{
	static const char *const told[] = { "activity scan",   "source 192.0.2.0/24",
					    "target any",      "purpose p",
					    "rate 5",	       "port 80",
					    "contact tel:112", "nonce " ZEROS };
	struct room r = room_new(state);
	struct plan_terms t;

	assert_int_equal(terms_of(&r, "commitment " ZEROS "\n", &t), OK);
	assert_true(t.sealed && t.start_ms == 0 && t.end_ms == 0);
	assert_true(plan_terms_open(&t, T0, 0));
	assert_int_equal(terms_of(&r, "commitment " ZEROS "\n" START "end 2026-10-25T02:00:00Z\n", &t), OK);
	assert_false(plan_terms_open(&t, T0 - 1, 0));
	assert_int_equal(terms_of(&r, "commitment " ZEROS "\n" START, &t), ERR_STATEMENT_HEADER);
	for (size_t i = 0; i < TABLE_LENGTH(told); i++)
		assert_int_equal(terms_of(&r, arena_print(r.arena, "commitment " ZEROS "\n%s\n", told[i]), &t),
				 ERR_STATEMENT_HEADER);
	signer_free(r.key);
}

/* ---- windows ---- */

/* A day has 24 hours wherever the clocks of a country go: the third window is two times 24 hours after the first. */
static void repeats_in_utc(void **state)
{
	struct room r = room_new(state);
	struct plan_terms t;

	assert_int_equal(terms_of(&r, REST "repeat daily 3\n", &t), OK);
	assert_int_equal(plan_terms_last_ms(&t), T0 + 50 * HOUR);
	for (int day = 0; day < 3; day++) {
		int64_t start = T0 + day * 24 * HOUR;

		assert_false(plan_terms_open(&t, start - 1, 0));
		assert_true(plan_terms_open(&t, start, 0));
		assert_true(plan_terms_open(&t, start + 2 * HOUR, 0));
		assert_false(plan_terms_open(&t, start + 2 * HOUR + 1, 0));
		assert_true(plan_terms_open(&t, start - 60000, 60000));
		assert_false(plan_terms_open(&t, start - 60001, 60000));
		assert_true(plan_terms_open(&t, start + 2 * HOUR + 60000, 60000));
		assert_false(plan_terms_open(&t, start + 2 * HOUR + 60001, 60000));
	}
	assert_false(plan_terms_open(&t, T0 + 72 * HOUR, 0));
	assert_false(plan_terms_open(&t, INT64_MAX, 60000));
	assert_false(plan_terms_open(&t, INT64_MIN, 60000));
	assert_int_equal(terms_of(&r, REST "repeat weekly 2\n", &t), OK);
	assert_false(plan_terms_open(&t, T0 + 24 * HOUR, 0));
	assert_true(plan_terms_open(&t, T0 + 7 * 24 * HOUR, 0));
	signer_free(r.key);
}

static bool open_by_loop(const struct plan_terms *t, int64_t period, int64_t time, int64_t skew)
{
	for (int64_t i = 0; i < (int64_t)t->repeat_count; i++)
		if (time >= t->start_ms + i * period - skew && time <= t->end_ms + i * period + skew)
			return true;
	return false;
}

static void windows_agree_with_a_loop(void **state)
{
	uint64_t seed = test_seed();
	unsigned opened = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct plan_terms t = { .start_ms = T0, .repeat = (uint8_t)test_below(&seed, 3), .repeat_count = 1 };
		int64_t period = t.repeat == REPEAT_DAILY ? 24 * HOUR : t.repeat == REPEAT_WEEKLY ? 168 * HOUR : 0;
		int64_t skew = test_below(&seed, 2) == 0 ? 0 : 60000, time;
		bool open;

		if (t.repeat != REPEAT_NONE)
			t.repeat_count = 2 + (uint32_t)test_below(&seed, 5);
		t.end_ms = T0 + (int64_t)(1 + test_below(&seed, 24)) * HOUR;
		time = T0 + (int64_t)test_below(&seed, 6) * (period > 0 ? period : HOUR);
		time += (int64_t)(test_below(&seed, 3)) * (t.end_ms - T0) / 2 + (int64_t)test_below(&seed, 120004) -
			60002;
		open = plan_terms_open(&t, time, skew);
		assert_int_equal(open, open_by_loop(&t, period, time, skew));
		opened += open;
	}
	assert_in_range(opened, 20000, 180000);
}

/* ---- bytes ---- */

static void packs_what_it_read(void **state)
{
	struct room r = room_new(state);
	struct buffer b = BUFFER(1 << 16), again = BUFFER(1 << 16);
	struct plan_terms t, u;

	assert_int_equal(terms_of(&r,
				  REST
				  "alternate 2001:db8::/32\ntarget 192.0.2.0/24\ntarget AS64500\ntarget country "
				  "EE\ntarget example.org\n"
				  "exclude 192.0.2.9/32\ntransport tcp\ntransport icmp\nport 443\nport 1-100\nport "
				  "90-120\nport 121\n"
				  "rate 1000\nrate-each 10\nmarker ptr scan.example.org\nmarker tls 771,4865\n"
				  "contact mailto:duty@scan.example\nstop-within 30m\nrepeat weekly 4\n",
				  &t),
			 OK);
	t.filed_ms = 77;
	plan_terms_pack(&t, &b);
	assert_int_equal(plan_terms_unpack(r.arena, buffer_view(&b), &u), OK);
	plan_terms_pack(&u, &again);
	assert_true(span_equal(buffer_view(&b), buffer_view(&again)));
	assert_int_equal(u.source_count, 2);
	assert_int_equal(u.target_count, 1);
	assert_true(u.any_target && u.target_as[0] == 64500 && memcmp(u.target_countries[0], "EE", 3) == 0);
	assert_true(span_is(u.target_domains[0], "example.org"));
	assert_int_equal(u.port_count, 2); /* 1-121 and 443 */
	assert_true(u.ports[0].low == 1 && u.ports[0].high == 121 && u.ports[1].low == 443);
	assert_true(u.transport_count == 2 && u.transports[1] == 1);
	assert_true(u.rate == 1000 && u.rate_each == 10 && u.stop_within_ms == 30 * 60000 && u.filed_ms == 77);
	assert_true(u.marker_count == 2 && span_is(u.markers[1].value, "771,4865"));
	assert_true(u.repeat == REPEAT_WEEKLY && u.repeat_count == 4);
	for (size_t cut = 0; cut < b.len; cut++)
		assert_int_equal(plan_terms_unpack(r.arena, span_make(b.at, cut), &u), ERR_DAMAGED);
	buffer_free(&b);
	buffer_free(&again);
	signer_free(r.key);
}

static void text_is_what_declares(void **state)
{
	struct room r = room_new(state);
	struct buffer b = BUFFER(1 << 16);
	struct statement s =
		parse(&r, "date 2026-10-01T00:00:00Z\nre " ZEROS "\nnonce " ZEROS "\nto all\nactivity scan\nrate 5\n");

	assert_int_equal(plan_terms_text(&s, &b), OK);
	assert_true(span_is(buffer_view(&b), "to all\nactivity scan\nrate 5\n"));
	buffer_free(&b);
	signer_free(r.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refusals, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(sealed_tells_nothing, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(repeats_in_utc, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(windows_agree_with_a_loop, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(packs_what_it_read, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(text_is_what_declares, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
