/* Bodies of shares, one after the other, each u16 of its index's length, index, u16 of its payload's length, payload, into views
 * that are empty; the share that an index names is logged before it. A body folds or is damaged. If all of them fold, each row
 * is found again by its id, its type and in its collection, no reader sees more than a stricter one, and when all that was
 * added is taken back no row is left. */
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "regime/objects_private.h"

#define BODIES_MAX 16

static struct arena *arena;
static struct views *views;
static struct signer *signer;
static char dir[] = "/tmp/fuzz-objects-XXXXXX";

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void clean_up(void)
{
	views_close(views);
	views_destroy(dir);
	rmdir(dir);
}

static void start(void)
{
	static const uint8_t seed[32] = { 7 };

	check((arena = arena_new((size_t)1 << 24)) != NULL && sodium_init() >= 0);
	check(mkdtemp(dir) != NULL && views_open(dir, true, &views) == OK);
	check(signer_from_seed(SPAN("cert.example"), seed, &signer) == OK);
	atexit(clean_up);
}

static void print_note(struct statement_writer *w, struct state *st, struct heads *h, struct hash *id)
{
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct statement s;

	check(statement_end(w, signer, &note, id) == OK);
	check(statement_parse(arena, buffer_view(&note), &s) == OK);
	check(entry_enter(st, h, 1, &s) == OK);
	st->index++;
	buffer_free(&note);
	statement_writer_free(w);
}

static struct hash log_share(struct state *st, struct heads *h, uint32_t count, uint64_t n)
{
	struct body_reference ref = { .media_type = SPAN("application/stix+json;version=2.1"),
				      .size = n,
				      .sealed = true };
	struct statement_writer w = { 0 };
	struct hash id;

	memcpy(ref.hash.bytes, &n, sizeof(n));
	statement_begin(&w, KIND_SHARE, SPAN("cert.example/circle"), signer_verifier(signer));
	statement_add(&w, "collection", SPAN("91a7b528-80eb-42ed-a74d-c6fbd5a26116"));
	statement_add(&w, "action", SPAN("add"));
	statement_add_print(&w, "objects", "%u", count);
	statement_add(&w, "tlp", SPAN("RED"));
	statement_add_body(&w, &ref);
	print_note(&w, st, h, &id);
	return id;
}

/* False at the end. */
static bool next_body(struct reader *r, struct body_record *body)
{
	size_t n;

	if (reader_left(r) < 2)
		return false;
	n = read_u16(r);
	body->index = read_span(r, n < reader_left(r) ? n : reader_left(r));
	n = reader_left(r) >= 2 ? read_u16(r) : 0;
	body->payload = read_span(r, n < reader_left(r) ? n : reader_left(r));
	return true;
}

/* The index with the id of a share that was just logged for it. */
static bool own_share(struct state *st, struct heads *h, struct body_record *body, uint64_t n)
{
	char *copy = arena_copy(arena, body->index.at, body->index.len);
	struct reader r = reader_of(body->index);
	struct hash id;
	uint32_t count;

	read_span(&r, INDEX_SHARE_AT + HASH_SIZE);
	count = read_u32(&r);
	if (r.err != OK || count == 0 || count > OBJECTS_MAX)
		return false;
	check(copy != NULL);
	id = log_share(st, h, count, n);
	memcpy(copy + INDEX_SHARE_AT, id.bytes, HASH_SIZE);
	body->index = span_make(copy, body->index.len);
	return true;
}

struct seen {
	struct snapshot *snapshot;
	struct object_query query;
	uint64_t stamp, last;
	size_t count;
	bool found;
};

static enum err find_row(void *context, const struct object_row *row)
{
	struct seen *s = context;

	s->found |= row->stamp == s->stamp;
	check(row->stamp > s->last);
	s->last = row->stamp;
	return OK;
}

static enum err each_row(void *context, const struct object_row *row)
{
	struct seen *s = context;
	struct seen inner = { .stamp = row->stamp };
	struct object_query q = s->query;
	bool deleted;

	check(row->tlp <= q.level && row->stamp > s->last);
	s->last = row->stamp;
	s->count++;
	q.ids = &row->id;
	q.id_count = 1;
	check(objects_walk(s->snapshot, &q, find_row, &inner) == OK && inner.found);
	q.id_count = 0;
	q.types = &row->type;
	q.type_count = 1;
	inner = (struct seen){ .stamp = row->stamp };
	check(objects_walk(s->snapshot, &q, find_row, &inner) == OK && inner.found);
	check(objects_known(s->snapshot, &q.collection, q.level, row->id, &deleted) == OK && !deleted);
	return OK;
}

static void read_all(struct snapshot *s, const struct collection_id *c)
{
	for (int level = 0; level < TLP_COUNT; level++) {
		struct seen last = { s, { .collection = *c, .level = (enum tlp)level }, 0, 0, 0, false };
		struct seen all = { s, { .collection = *c, .level = (enum tlp)level, .all = true, .specs = 3 },
				    0, 0,
				    0, false };

		check(objects_walk(s, &last.query, each_row, &last) == OK);
		check(objects_walk(s, &all.query, each_row, &all) == OK);
		check(last.count <= all.count);
	}
}

static void take_back(struct snapshot *s, const struct body_record *bodies, size_t count)
{
	uint64_t rows, deleted;

	for (size_t i = 0; i < count; i++) {
		enum err e;

		arena_reset(arena);
		e = objects_forget(s, arena, &bodies[i]);
		check(e == OK || (e == ERR_USAGE && bodies[i].index.at[0] == SHARE_DELETE));
	}
	check(objects_count(s, &rows, &deleted) == OK && rows == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct body_record bodies[BODIES_MAX] = { { .salt = NULL } };
	struct reader r = reader_of(span_make(data, size));
	struct state st = { .node = SPAN("cert.example"), .ledger = LEDGER_CIRCLE, .logged_ms = 1000 };
	struct heads heads = { .stamp = 1 };
	struct arena *kept = NULL;
	size_t count = 0;
	enum err e = OK;

	if (arena == NULL)
		start();
	check((kept = arena_new((size_t)1 << 22)) != NULL);
	arena_reset(arena);
	st.arena = arena;
	check(views_write(views, &st.snapshot) == OK);
	while (e == OK && count < BODIES_MAX && next_body(&r, &bodies[count]) &&
	       own_share(&st, &heads, &bodies[count], count)) {
		const char *copy = arena_copy(kept, bodies[count].index.at, bodies[count].index.len);

		check(copy != NULL);
		bodies[count].index = span_make(copy, bodies[count].index.len);
		e = objects_fold(&st, &heads, &bodies[count]);
		check(e == OK || e == ERR_DAMAGED);
		count += e == OK;
	}
	for (size_t i = 0; e == OK && i < count; i++) {
		struct object_index x;

		check(index_open(&bodies[i], &x) == OK);
		read_all(st.snapshot, &x.collection);
	}
	if (e == OK)
		take_back(st.snapshot, bodies, count);
	arena_free(kept);
	snapshot_end(st.snapshot);
	return 0;
}
