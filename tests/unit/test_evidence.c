#include "test.h"

#include "base/clock.h"
#include "evidence_test.h"

#define MAX ((size_t)64 << 20)

static int make_arena(void **state)
{
	return (*state = arena_new((size_t)1 << 29)) != NULL ? 0 : -1;
}

static int free_arena(void **state)
{
	arena_free(*state);
	return 0;
}

static enum err read_text(struct arena *a, struct span text, struct rewriting *w)
{
	struct span summary;

	*w = (struct rewriting){ .text = BUFFER(MAX) };
	return evidence_read(a, evidence_pack(a, text), MAX, &summary, evidence_rewrite, w);
}

struct collected {
	struct evidence_row rows[8];
	size_t count;
	struct arena *arena;
};

static enum err collect(void *context, const struct evidence_row *row)
{
	struct collected *c = context;

	c->rows[c->count] = *row;
	c->rows[c->count].event.raw =
		span_make(arena_copy(c->arena, row->event.raw.at, row->event.raw.len), row->event.raw.len);
	c->count++;
	return OK;
}

static void rows_are_typed(void **state)
{
	static const char text[] = EVIDENCE_CSV "2026-11-22T20:45:00Z,192.0.2.1,,53,udp,2001:db8::1,22,explained,"
						"\"2026-11-22 20:45:00\",192.0.2.1,\"a\n,b\"\n"
						",198.51.100.0,24,,,,,undeclared,x,y,z\n"
						"2026-11-22T20:45:00.120Z,2001:db8::5,,65535,132,192.0.2.9,1,breach,\n"
						"\n"
						"table list list\n" EVIDENCE_COLUMNS "\n"
						",192.0.2.7,,,icmp,,,late,192.0.2.7\todd\"quote\n"
						"\n";
	struct collected c = { .arena = *state };
	struct span summary;
	const struct event *e;

	assert_int_equal(evidence_read(*state, evidence_pack(*state, span_of(text)), MAX, &summary, collect, &c), OK);
	assert_span(summary, EVIDENCE_SUMMARY);
	assert_int_equal(c.count, 4);
	e = &c.rows[0].event;
	assert_int_equal(e->time_ms, INT64_C(1795380300000));
	assert_true(address_equal(e->source, address_ipv4(0xc0000201)));
	assert_int_equal(e->source_port, 53);
	assert_int_equal(e->transport, TRANSPORT_UDP);
	assert_true(e->has_target && e->target.family == FAMILY_IPV6);
	assert_int_equal(e->target_port, 22);
	assert_int_equal(c.rows[0].verdict, PLAN_EXPLAINED);
	assert_span(e->raw, "\"2026-11-22 20:45:00\",192.0.2.1,\"a\n,b\"");
	assert_span(c.rows[0].header, "timestamp,ip,note");
	assert_span(c.rows[0].format, "shadowserver");
	assert_span(c.rows[0].type, "scan_ssh");
	e = &c.rows[1].event;
	assert_int_equal(e->time_ms, 0);
	assert_int_equal(e->source_length, 24);
	assert_int_equal(e->transport, TRANSPORT_UNKNOWN);
	assert_false(e->has_target);
	e = &c.rows[2].event;
	assert_int_equal(e->time_ms % 1000, 120);
	assert_int_equal(e->transport, 132);
	assert_int_equal(e->raw.len, 0);
	assert_int_equal(c.rows[2].verdict, PLAN_BREACH);
	assert_span(c.rows[3].header, "");
	assert_span(c.rows[3].event.raw, "192.0.2.7\todd\"quote");
	assert_int_equal(c.rows[3].verdict, PLAN_LATE);
}

#define ROW_END ",undeclared,raw\n\n"

static void what_is_not_as_written_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} bad[] = {
		{ "", ERR_SYNTAX },
		{ "comity-evidence/2\n" EVIDENCE_SUMMARY "\n", ERR_SYNTAX },
		{ "comity-evidence/1\r\n" EVIDENCE_SUMMARY "\n", ERR_SYNTAX },
		{ EVIDENCE_FIRST_LINE, ERR_SYNTAX },
		{ EVIDENCE_FIRST_LINE "no json\n", ERR_SYNTAX },
		{ EVIDENCE_FIRST_LINE EVIDENCE_SUMMARY, ERR_SYNTAX },
		{ EVIDENCE_START "tables list list\n", ERR_SYNTAX },
		{ EVIDENCE_START "table list\n" EVIDENCE_COLUMNS "\n\n", ERR_SYNTAX },
		{ EVIDENCE_START "table  list\n" EVIDENCE_COLUMNS "\n\n", ERR_SYNTAX },
		{ EVIDENCE_START "table list a b\n" EVIDENCE_COLUMNS "\n\n", ERR_SYNTAX },
		{ EVIDENCE_START "table list list\n", ERR_SYNTAX },
		{ EVIDENCE_START "table list list\ntime,address\n\n", ERR_SYNTAX },
		{ EVIDENCE_START "table list list\n" EVIDENCE_COLUMNS ",\n\n", ERR_SYNTAX },
		{ EVIDENCE_START "table list list\n" EVIDENCE_COLUMNS "x\n\n", ERR_SYNTAX },
		{ EVIDENCE_CSV, ERR_SYNTAX },
		{ EVIDENCE_CSV ",192.0.2.1,,,,," ROW_END "x", ERR_SYNTAX },
		{ EVIDENCE_CSV ",192.0.2.1,,,,,,undeclared,\"open\n\n", ERR_SYNTAX },
		{ EVIDENCE_CSV ",192.0.2.1,,,,,,undeclared\n\n", ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.1\n\n", ERR_CSV },
		{ EVIDENCE_CSV ",,,,,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.01,,,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",2001:DB8::1,,,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",2001:db8:0::1,,,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,33,,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,0,,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,,0,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,,053,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,,65536,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,,,TCP,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,,,6,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,,,255,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,,,,x," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,,,,,0" ROW_END, ERR_CSV },
		{ EVIDENCE_CSV ",192.0.2.0,,,,,,Undeclared,raw\n\n", ERR_CSV },
		{ EVIDENCE_CSV "2026-11-22T20:45:00,192.0.2.1,,,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV "2026-11-22T20:45:00.000Z,192.0.2.1,,,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV "2026-11-22t20:45:00.120Z,192.0.2.1,,,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV "2026-11-22T20:45:00.12+01,192.0.2.1,,,,," ROW_END, ERR_CSV },
		{ EVIDENCE_CSV "1970-01-01T00:00:00Z,192.0.2.1,,,,," ROW_END, ERR_CSV },
	};

	for (size_t i = 0; i < TABLE_LENGTH(bad); i++) {
		struct rewriting w;
		enum err e = read_text(*state, span_of(bad[i].text), &w);

		if (e != bad[i].err)
			fail_msg("%zu: %s, not %s: %s", i, err_code(e), err_code(bad[i].err), bad[i].text);
		buffer_free(&w.text);
	}
}

static void draw_row(uint64_t *seed, struct event *e, char raw[600], bool quoted)
{
	size_t len = test_below(seed, 599);

	*e = (struct event){ 0 };
	e->time_ms = test_below(seed, 5) == 0 ? 0 : (int64_t)(1 + test_below(seed, 4000000000000));
	if (test_below(seed, 2) == 0)
		e->time_ms -= e->time_ms % 1000;
	e->source = address_ipv4((uint32_t)test_random(seed));
	if (test_below(seed, 3) == 0)
		e->source = (struct address){ test_random(seed), test_random(seed) & test_random(seed), FAMILY_IPV6 };
	e->source_length = (uint8_t)(test_below(seed, 4) == 0 ? 1 + test_below(seed, 32) : 0);
	e->has_target = test_below(seed, 2) == 0;
	if (e->has_target)
		e->target = (struct address){ test_random(seed), test_random(seed), FAMILY_IPV6 };
	e->source_port = (uint16_t)test_random(seed);
	e->target_port = (uint16_t)(test_below(seed, 2) == 0 ? 0 : test_random(seed));
	e->transport = (uint8_t)test_random(seed);
	raw[0] = '"';
	for (size_t i = 1; i < len; i++) {
		raw[i] = (char)(' ' + test_below(seed, 95));
		if (raw[i] == '"')
			raw[i] = '\'';
		if (quoted && test_below(seed, 50) == 0)
			raw[i] = '\n';
	}
	raw[len > 0 ? len : 1] = '"';
	e->raw = span_make(raw, len + 1);
	if (len == 0)
		e->raw = span_make("\"\"", 2);
}

/* Bodies that are longer than any buffer in between, in one frame or several. */
static void what_is_written_is_read(void **state)
{
	uint64_t seed = test_seed();

	for (int round = 0; round < 6; round++) {
		struct buffer text = BUFFER(MAX), whole = BUFFER(MAX);
		struct rewriting w = { .text = BUFFER(MAX) };
		struct span start = SPAN(EVIDENCE_START), body, summary;
		bool quoted = round % 2 == 0;
		char raw[600];
		struct event e;

		evidence_table(&text, quoted ? SPAN("shadowserver") : SPAN("list"), SPAN("scan_x"),
			       quoted ? SPAN("a,b") : SPAN(""));
		for (size_t n = 200 + test_below(&seed, 3000); n > 0; n--) {
			draw_row(&seed, &e, raw, quoted);
			text.len += evidence_row(buffer_room(&text, 1000), &e, (enum plan_verdict)test_below(&seed, 4));
		}
		body = evidence_pack(*state, start);
		buffer_span(&whole, body);
		for (struct span rest = buffer_view(&text); rest.len > 0;) {
			size_t n = round < 2 ? rest.len : 1 + test_below(&seed, rest.len);

			buffer_span(&whole, evidence_pack(*state, span_make(rest.at, n)));
			buffer_bytes(&whole, "\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11); /* a frame to skip */
			rest = span_from(rest, n);
		}
		buffer_span(&whole, evidence_pack(*state, SPAN("\n")));
		assert_int_equal(evidence_read(*state, buffer_view(&whole), MAX, &summary, evidence_rewrite, &w), OK);
		assert_int_equal(w.text.len, text.len);
		assert_memory_equal(w.text.at, text.at, text.len);
		buffer_free(&text);
		buffer_free(&whole);
		buffer_free(&w.text);
	}
}

static void damage_is_noticed(void **state)
{
	static const char text[] = EVIDENCE_CSV ",192.0.2.1,,,,,,undeclared,some row with some text\n\n";
	struct span body = evidence_pack(*state, span_of(text)), summary;
	char *copy = arena_copy(*state, body.at, body.len);

	for (size_t n = 0; n < body.len; n++) {
		enum err e = evidence_read(*state, span_make(body.at, n), MAX, &summary, NULL, NULL);

		assert_int_equal(e, ERR_COMPRESSION);
	}
	memset(copy, 'x', 4);
	assert_int_equal(evidence_read(*state, span_make(copy, body.len), MAX, &summary, NULL, NULL), ERR_COMPRESSION);
	assert_int_equal(evidence_read(*state, body, MAX, &summary, NULL, NULL), OK);
}

static void bombs_do_not_go_off(void **state)
{
	struct arena *a = *state;
	size_t n = (size_t)32 << 20;
	char *big = arena_alloc(a, n);
	struct span summary, body;

	assert_non_null(big);
	memset(big, 'x', n);
	memcpy(big, EVIDENCE_START, strlen(EVIDENCE_START));
	body = evidence_pack(a, span_make(big, n));
	assert_int_equal(evidence_read(a, body, MAX, &summary, NULL, NULL), ERR_TOO_LONG);
	memset(big, '\n', n);
	memcpy(big, EVIDENCE_CSV, strlen(EVIDENCE_CSV));
	body = evidence_pack(a, span_make(big, n));
	assert_int_equal(evidence_read(a, body, MAX, &summary, NULL, NULL), ERR_SYNTAX);
	assert_int_equal(evidence_read(a, body, 1 << 10, &summary, NULL, NULL), ERR_TOO_LONG);
}

static void windows_are_small(void **state)
{
	struct arena *a = *state;
	size_t n = (size_t)16 << 20, room = ZSTD_compressBound(n), packed;
	char *big = arena_array(a, n, 1), *out = arena_alloc(a, room);
	ZSTD_CCtx *z = ZSTD_createCCtx();
	struct span summary;

	assert_non_null(big);
	assert_non_null(out);
	memcpy(big, EVIDENCE_CSV, strlen(EVIDENCE_CSV));
	ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, 24);
	assert_false(ZSTD_isError(packed = ZSTD_compress2(z, out, room, big, n)));
	assert_int_equal(evidence_read(a, span_make(out, packed), MAX, &summary, NULL, NULL), ERR_COMPRESSION);
	ZSTD_freeCCtx(z);
}

static enum err stop(void *context, const struct evidence_row *row)
{
	(void)context;
	(void)row;
	return ERR_BUSY;
}

static void the_callback_can_stop(void **state)
{
	struct span summary, body = evidence_pack(*state, SPAN(EVIDENCE_CSV ",192.0.2.1,,,,,,undeclared,x\n\n"));

	assert_int_equal(evidence_read(*state, body, MAX, &summary, stop, NULL), ERR_BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_are_typed, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(what_is_not_as_written_is_refused, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(what_is_written_is_read, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(damage_is_noticed, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(bombs_do_not_go_off, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(windows_are_small, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(the_callback_can_stop, make_arena, free_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
