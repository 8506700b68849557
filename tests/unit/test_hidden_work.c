/* What is hidden costs nothing: a reader's lists take the same steps in the views, one by one, whether thousands of things that it
 * may not see are there or none. */
#include <dlfcn.h>
#include <lmdb.h>

#include "exchange/readership.h"

#include "regime/objects.h"
#include "regime_node.h"

#define HIDDEN 20000
#define SEEN 10

/* ---- the library's calls, counted ---- */

static uint64_t steps;

int mdb_cursor_get(MDB_cursor *c, MDB_val *k, MDB_val *v, MDB_cursor_op op)
{
	static int (*real)(MDB_cursor *, MDB_val *, MDB_val *, MDB_cursor_op);

	if (real == NULL) {
		void *found = dlsym(RTLD_NEXT, "mdb_cursor_get");

		memcpy(&real, &found, sizeof(real));
	}
	steps++;
	return real(c, k, v, op);
}

int mdb_get(MDB_txn *t, MDB_dbi d, MDB_val *k, MDB_val *v)
{
	static int (*real)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *);

	if (real == NULL) {
		void *found = dlsym(RTLD_NEXT, "mdb_get");

		memcpy(&real, &found, sizeof(real));
	}
	steps++;
	return real(t, d, k, v);
}

struct work {
	uint64_t steps, found;
	struct hash what;
};

static bool same_work(const struct work *a, const struct work *b)
{
	return a->steps == b->steps && a->found == b->found && hash_equal(a->what, b->what);
}

/* ---- objects ---- */

static const struct collection_id shared = { { 1, 2, 3 } };

static struct stix_object object_of(struct arena *a, size_t n, size_t version, enum tlp tlp)
{
	struct stix_object o = { .spec = STIX_2_1, .tlp = tlp, .marked = true, .type = SPAN("indicator") };

	o.id = span_of(arena_print(a, "indicator--00000000-0000-4000-8000-%012zu", n));
	o.modified_text = span_of(arena_print(a, "2026-01-01T00:00:%02zu.000Z", version));
	assert_int_equal(instant_parse(o.modified_text, &o.version), OK);
	o.text = span_of(arena_print(a, "{\"n\":%zu}", n));
	o.digest = hash_span(o.text);
	return o;
}

static void share(struct world *w, const struct stix_object *objects, size_t count)
{
	struct object_result *results = arena_array(w->arena, count, sizeof(*results));
	struct share s = { .collection = shared, .level = TLP_RED, .objects = objects, .count = count };
	struct appended out;

	assert_non_null(results);
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(objects_share(w->n, &s, results, &out), OK);
	assert_int_equal(node_commit(w->n), OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(results[i].fate, OBJECT_ADDED);
}

static void share_some(struct world *w, struct arena *a, size_t first, size_t count, size_t version, enum tlp tlp)
{
	struct stix_object *objects = arena_array(a, count, sizeof(*objects));

	assert_non_null(objects);
	for (size_t i = 0; i < count; i++)
		objects[i] = object_of(a, first + i, version, tlp);
	share(w, objects, count);
}

static enum err take_row(void *context, const struct object_row *row)
{
	struct work *w = context;
	struct span parts[] = { span_make(w->what.bytes, HASH_SIZE), row->id, row->version_text, row->text };

	w->what = hash_parts(parts, 4);
	w->found++;
	return OK;
}

static enum err take_deleted(void *context, const struct object_deleted *d)
{
	struct work *w = context;

	w->what = hash_span(d->id);
	w->found++;
	return OK;
}

#define QUERIES 8

/* The same questions each time. */
static void ask_objects(struct world *w, enum tlp level, struct work out[QUERIES])
{
	static const struct span type = { "indicator", 9 };
	struct span ids[] = { object_of(w->arena, 3, 1, TLP_CLEAR).id, object_of(w->arena, HIDDEN / 2, 1, TLP_RED).id };
	struct instant version = object_of(w->arena, 1, 1, TLP_CLEAR).version;
	struct object_query q[QUERIES] = {
		[1] = { .types = &type, .type_count = 1 },
		[2] = { .all = true },
		[3] = { .first = true },
		[4] = { .ids = ids, .id_count = 2, .all = true },
		[5] = { .versions = &version, .version_count = 1, .specs = 1u << STIX_2_1 },
	};
	struct state st;
	bool deleted;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	for (size_t i = 0; i < QUERIES; i++) {
		out[i] = (struct work){ 0 };
		steps = 0;
		q[i].collection = shared;
		q[i].level = level;
		if (i < 6)
			assert_int_equal(objects_walk(st.snapshot, &q[i], take_row, &out[i]), OK);
		else if (i == 6)
			assert_int_equal(objects_deleted(st.snapshot, &shared, level, 0, take_deleted, &out[i]), OK);
		else
			out[i].found = objects_known(st.snapshot, &shared, level, ids[1], &deleted) == OK;
		out[i].steps = steps;
	}
	snapshot_end(st.snapshot);
}

static void hidden_objects(void **state)
{
	struct world *w = world_new(*state);
	struct arena *a = arena_new((size_t)1 << 28);
	struct removal r = { .collection = shared, .level = TLP_RED, .id = object_of(w->arena, 200, 1, TLP_RED).id };
	struct work before[QUERIES], after[QUERIES], all[QUERIES];
	struct appended out;
	uint64_t count;

	share_some(w, a, 0, SEEN / 2, 1, TLP_CLEAR);
	share_some(w, a, HIDDEN + 1000, 1, 1, TLP_RED); /* both lanes are in use */
	share_some(w, a, SEEN / 2, SEEN / 2, 1, TLP_CLEAR);
	ask_objects(w, TLP_CLEAR, before);
	assert_int_equal(before[0].found, SEEN);
	for (size_t i = 0; i < 4; i++)
		share_some(w, a, 100 + i * HIDDEN / 4, HIDDEN / 4, 1, TLP_RED);
	share_some(w, a, 0, SEEN, 2, TLP_RED); /* later versions of what is seen */
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(objects_remove(w->n, &r, &count, &out), OK);
	assert_int_equal(node_commit(w->n), OK);
	ask_objects(w, TLP_CLEAR, after);
	for (size_t i = 0; i < QUERIES; i++)
		if (!same_work(&before[i], &after[i]))
			fail_msg("query %zu: %ju steps and %ju rows, then %ju and %ju", i, (uintmax_t)before[i].steps,
				 (uintmax_t)before[i].found, (uintmax_t)after[i].steps, (uintmax_t)after[i].found);
	ask_objects(w, TLP_RED, all); /* the counting counts */
	assert_true(all[0].found >= HIDDEN && all[0].steps >= HIDDEN);
	arena_free(a);
	world_free(w);
}

/* ---- statements ---- */

static enum err take_entry(void *context, const struct feed_entry *e)
{
	struct work *w = context;
	struct span parts[] = { span_make(w->what.bytes, HASH_SIZE), span_make(&e->stamp, sizeof(e->stamp)) };

	w->what = hash_parts(parts, 2);
	w->found++;
	return OK;
}

static struct work ask_feeds(struct world *w, const struct caller *c, enum kind k, const struct addressee *party,
			     const struct hash *matter)
{
	struct work out = { 0 };
	struct feed feeds[FEEDS_MAX];
	struct state st;
	size_t count;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	steps = 0;
	assert_int_equal(readership_feeds(&st, c, k, party, matter, feeds, &count), OK);
	assert_int_equal(feed_walk(st.snapshot, feeds, count, 0, take_entry, &out), OK);
	out.steps = steps;
	snapshot_end(st.snapshot);
	return out;
}

#define LISTS 5

static void ask_lists(struct world *w, const struct caller *c, struct work out[LISTS])
{
	const struct addressee me = { .type = TO_PARTY, .domain = SPAN("op.example") },
			       other = { .type = TO_PARTY, .domain = SPAN("res.example") };

	out[0] = ask_feeds(w, c, KIND_UNKNOWN, NULL, NULL);
	out[1] = ask_feeds(w, c, KIND_NOTICE, NULL, NULL);
	out[2] = ask_feeds(w, c, KIND_NOTICE, &me, NULL);
	out[3] = ask_feeds(w, c, KIND_UNKNOWN, &other, NULL);
	out[4] = ask_feeds(w, c, KIND_UNKNOWN, NULL, &w->notice);
}

static void hide_notices(struct world *w, size_t first, size_t count)
{
	struct arena *a = arena_new((size_t)1 << 28);
	struct appended out;

	assert_int_equal(node_begin(w->n), OK);
	for (size_t i = first; i < first + count; i++)
		assert_int_equal(node_add_statement(
					 w->n,
					 statement_text(a, KIND_NOTICE, "cert.example/circle", w->res,
							arena_print(a,
								    "to AS%zu\ntlp RED\nclass vulnerable/weak-crypto\n"
								    "events %zu\n" SEALED_BODY,
								    64600 + i % 100, i + 1),
							NULL),
					 &out),
				 OK);
	assert_int_equal(node_commit(w->n), OK);
	arena_free(a);
}

static void hidden_statements(void **state)
{
	static const struct caller readers[] = {
		{ .rights = RIGHT_READ },
		{ .how = CALLER_TOKEN, .party = { "op.example", 10 }, .rights = RIGHT_READ },
		{ .how = CALLER_TOKEN, .party = { "cert.example", 12 }, .rights = RIGHT_WRITE },
	};
	struct world *w = world_new(*state);
	struct caller member = { .party = SPAN("team.example"), .rights = RIGHT_READ, .member = true };
	struct work before[TABLE_LENGTH(readers)][LISTS], after[TABLE_LENGTH(readers)][LISTS];

	hide_notices(w, 0, 10);
	for (size_t i = 0; i < TABLE_LENGTH(readers); i++)
		ask_lists(w, &readers[i], before[i]);
	hide_notices(w, 10, HIDDEN / 4);
	for (size_t i = 0; i < TABLE_LENGTH(readers); i++) {
		ask_lists(w, &readers[i], after[i]);
		for (size_t l = 0; l < LISTS; l++)
			if (!same_work(&before[i][l], &after[i][l]))
				fail_msg("reader %zu, list %zu: %ju steps, then %ju", i, l,
					 (uintmax_t)before[i][l].steps, (uintmax_t)after[i][l].steps);
	}
	assert_true(after[1][2].found > 0);
	assert_true(ask_feeds(w, &member, KIND_UNKNOWN, NULL, NULL).steps > HIDDEN / 4);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { IN_A_FOLDER(hidden_objects), IN_A_FOLDER(hidden_statements) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
