#include "regime/posting.h"

#include "regime/private.h"
#include "regime_node.h"

#define T0 INT64_C(1795000000000)
#define HOUR INT64_C(3600000)

static struct posting posting_of(uint8_t i, int64_t at_ms)
{
	struct posting p = { .at_ms = at_ms, .party = SPAN("team.example") };

	memset(p.id, i, sizeof(p.id));
	return p;
}

static void post(struct world *w, uint8_t i, int64_t at_ms, const char *text)
{
	struct posting p = posting_of(i, at_ms);
	struct buffer head = BUFFER(512);
	struct span parts[2];

	posting_write(&head, &p);
	assert_int_equal(head.err, OK);
	parts[0] = buffer_view(&head);
	parts[1] = span_of(text);
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_private(w->n, RECORD_RAW, parts, 2), OK);
	assert_int_equal(node_commit(w->n), OK);
	buffer_free(&head);
}

static enum err find(struct world *w, uint8_t i, struct posting *out, struct span *text)
{
	struct posting p = posting_of(i, 0), again;
	struct span payload;
	struct state st;
	enum err e;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	e = posting_find(&st, p.id, out);
	if (e == OK) {
		assert_span(out->party, "team.example");
		assert_int_equal(node_private(w->n, w->arena, out->position, &payload), OK);
		assert_int_equal(posting_read(payload, &again, text), OK);
		assert_int_equal(again.at_ms, out->at_ms);
		assert_memory_equal(again.id, p.id, sizeof(p.id));
	}
	out->party = SPAN("");
	snapshot_end(st.snapshot);
	return e;
}

static void kept_over_a_restart(void **state)
{
	struct world *w = world_new(*state);
	struct posting p;
	struct span text;

	post(w, 1, T0, "{\"one\":1}");
	post(w, 2, T0, "");
	assert_int_equal(find(w, 1, &p, &text), OK);
	assert_span(text, "{\"one\":1}");
	assert_int_equal(find(w, 3, &p, &text), ERR_NOT_FOUND);
	node_close(w->n);
	take_away(arena_print(w->arena, "%s/views", w->dir)); /* made anew from the journal */
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_int_equal(find(w, 1, &p, &text), OK);
	assert_int_equal(p.at_ms, T0);
	assert_int_equal(find(w, 2, &p, &text), OK);
	assert_span(text, "");
	assert_int_equal(audit(w), OK);
	world_free(w);
}

static void forgotten_after_two_days(void **state)
{
	struct world *w = world_new(*state);
	struct posting p;
	struct span text;

	for (uint8_t i = 0; i < 10; i++)
		post(w, i, T0 + i * HOUR, "a");
	post(w, 100, T0 + 24 * HOUR, "b");
	for (uint8_t i = 0; i < 10; i++)
		assert_int_equal(find(w, i, &p, &text), OK);
	for (uint8_t i = 0; i < 3; i++) /* four at once */
		post(w, (uint8_t)(101 + i), T0 + 57 * HOUR, "c");
	for (uint8_t i = 0; i < 10; i++)
		assert_int_equal(find(w, i, &p, &text), i < 9 ? ERR_NOT_FOUND : OK);
	assert_int_equal(find(w, 100, &p, &text), OK);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

static void an_id_counts_once(void **state)
{
	struct world *w = world_new(*state);
	struct posting p;
	struct span text;

	post(w, 1, T0, "first");
	post(w, 1, T0 + HOUR, "second");
	assert_int_equal(find(w, 1, &p, &text), OK);
	assert_span(text, "first");
	post(w, 2, T0 + 49 * HOUR, "third");
	assert_int_equal(find(w, 1, &p, &text), ERR_NOT_FOUND);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

static void what_does_not_read(void **state)
{
	struct buffer head = BUFFER(512);
	struct posting p = posting_of(1, T0), out;
	struct span text;

	(void)state;
	posting_write(&head, &p);
	assert_int_equal(posting_read(buffer_view(&head), &out, &text), OK);
	for (size_t n = 0; n < head.len; n++)
		assert_int_equal(posting_read(span_make(head.at, n), &out, &text), ERR_DAMAGED);
	head.at[0] = 'Q';
	assert_int_equal(posting_read(buffer_view(&head), &out, &text), ERR_DAMAGED);
	buffer_clear(&head);
	p.party = SPAN("no domain");
	posting_write(&head, &p);
	assert_int_equal(head.err, ERR_DOMAIN);
	buffer_free(&head);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_A_FOLDER(kept_over_a_restart),
		IN_A_FOLDER(forgotten_after_two_days),
		IN_A_FOLDER(an_id_counts_once),
		cmocka_unit_test(what_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
