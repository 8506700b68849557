#include "regime_node.h"

#include "ledger/entry.h"
#include "regime/feed.h"

/* ---- the twin: all entries in a list, and a predicate ---- */

#define ENTRIES_MAX 600
#define PARTIES 5
#define CHAIN 16 /* as the header says */

struct one {
	struct statement s;
	enum ledger_id ledger;
	uint64_t index, stamp;
	int64_t logged_ms;
};

struct twin {
	struct world *w;
	struct one all[ENTRIES_MAX]; /* in the order of the journal, which is that of stamps */
	size_t count;
	struct signer *parties[PARTIES];
	uint64_t seed;
};

static const char *const resources[] = { "AS64500", "AS64501", "prefix 192.0.2.0/24", "country EE", "all" };

static struct addressee addressee_of(const char *text)
{
	struct addressee a;

	assert_int_equal(addressee_parse(span_of(text), &a), OK);
	return a;
}

static bool same(const struct addressee *a, const struct addressee *b)
{
	struct buffer x = BUFFER(300), y = BUFFER(300);
	bool yes;

	addressee_print(a, &x);
	addressee_print(b, &y);
	yes = span_equal(buffer_view(&x), buffer_view(&y));
	buffer_free(&x);
	buffer_free(&y);
	return yes;
}

static bool concerns(const struct statement *s, const struct addressee *party)
{
	for (size_t i = 0; i < s->header_count; i++) {
		static const char *const names[] = { "from", "to", "cc", "for" };

		for (size_t n = 0; n < TABLE_LENGTH(names); n++) {
			struct addressee a;

			if (span_is(s->headers[i].name, names[n]) && addressee_parse(s->headers[i].value, &a) == OK &&
			    same(&a, party))
				return true;
		}
	}
	return false;
}

/* What this entry refers to, of those that were there before it; NULL: nothing. */
static const struct one *referred(const struct twin *t, const struct one *o)
{
	for (const struct one *p = t->all; o->s.has_re && p < o; p++)
		if (hash_equal(p->s.id, o->s.re))
			return p;
	return NULL;
}

static bool about(const struct twin *t, const struct one *o, struct hash matter)
{
	if (hash_equal(o->s.id, matter))
		return true;
	for (int i = 0; i < CHAIN && (o = referred(t, o)) != NULL; i++)
		if (hash_equal(o->s.id, matter))
			return true;
	return false;
}

static bool belongs(const struct twin *t, const struct one *o, const struct feed *f)
{
	if (o->ledger != f->ledger)
		return false;
	switch (f->type) {
	case FEED_ALL:
		return true;
	case FEED_KIND:
		return o->s.kind == f->kind;
	case FEED_PARTY:
		return (f->kind == KIND_UNKNOWN || o->s.kind == f->kind) && concerns(&o->s, &f->party);
	case FEED_MATTER:
		return about(t, o, f->matter);
	}
	return false;
}

/* ---- a random ledger ---- */

static void load(struct twin *t)
{
	uint64_t index[LEDGER_COUNT] = { 0 }, stamp = 0;
	struct audit a;
	struct one next[LEDGER_COUNT];

	assert_int_equal(node_audit(t->w->n, NULL, NULL, &a), OK);
	t->count = 0;
	for (;;) {
		const struct one *o = NULL;

		for (int l = 0; l < LEDGER_COUNT; l++) {
			struct entry entry;
			struct span text;

			if (index[l] == a.entries[l])
				continue;
			assert_int_equal(node_entry(t->w->n, t->w->arena, (enum ledger_id)l, index[l], &text), OK);
			assert_int_equal(entry_parse(text, &entry), OK);
			next[l] = (struct one){ .ledger = (enum ledger_id)l, .index = index[l] };
			next[l].logged_ms = entry.logged_ms;
			assert_int_equal(statement_parse(t->w->arena, entry.note, &next[l].s), OK);
			if (o == NULL || next[l].logged_ms < o->logged_ms)
				o = &next[l];
		}
		if (o == NULL)
			return;
		assert_true(t->count < ENTRIES_MAX);
		t->all[t->count] = *o;
		stamp = (uint64_t)o->logged_ms * 1000 > stamp ? (uint64_t)o->logged_ms * 1000 : stamp + 1;
		t->all[t->count++].stamp = stamp;
		index[o->ledger]++;
	}
}

static struct hash any_id(struct twin *t, const struct hash *ids, size_t count)
{
	struct hash h;

	if (count > 0 && test_below(&t->seed, 8) > 0)
		return ids[count - 1 - test_below(&t->seed, count < 20 ? count : 20)];
	test_bytes(&t->seed, h.bytes, HASH_SIZE);
	return h;
}

static const char *any_addressee(struct twin *t)
{
	size_t i = test_below(&t->seed, PARTIES + TABLE_LENGTH(resources));

	return i < PARTIES ? signer_verifier(t->parties[i])->name : resources[i - PARTIES];
}

/* Of a kind that has no rules, so anything goes: addressees of all sorts and references into either ledger. */
static struct span free_statement(struct twin *t, const struct hash *ids, size_t count, struct hash *id)
{
	static const enum kind kinds[] = { KIND_EMBARGO, KIND_CASE, KIND_ADVISORY, KIND_PROOF };
	struct world *w = t->w;
	size_t kind = test_below(&t->seed, TABLE_LENGTH(kinds));
	const char *lines = arena_print(w->arena, "serial %zu\n", (size_t)test_random(&t->seed));

	for (size_t n = test_below(&t->seed, 3); n > 0; n--)
		lines = arena_print(w->arena, "%sto %s\n", lines, any_addressee(t));
	for (size_t n = test_below(&t->seed, 3); n > 0; n--)
		lines = arena_print(w->arena, "%scc %s\n", lines, any_addressee(t));
	if (test_below(&t->seed, 4) == 0)
		lines = arena_print(w->arena, "%sfor %s\n", lines, resources[test_below(&t->seed, 4)]);
	if (test_below(&t->seed, 2) == 0)
		lines = arena_print(w->arena, "%sre %s\n", lines, hex_of(w->arena, any_id(t, ids, count)));
	assert_non_null(lines);
	return statement_text(w->arena, kinds[kind], kind < 2 ? "cert.example/circle" : "cert.example/public",
			      t->parties[test_below(&t->seed, PARTIES)], lines, id);
}

static struct span notice_or_plan(struct twin *t, struct hash *id)
{
	struct world *w = t->w;
	const struct signer *from = t->parties[test_below(&t->seed, PARTIES)];
	unsigned number = (unsigned)test_below(&t->seed, 1 << 30);

	if (test_below(&t->seed, 2) == 0)
		return statement_text(w->arena, KIND_PLAN, "cert.example/public", from,
				      arena_print(w->arena,
						  "activity scan\nstart 2026-01-01T00:00:00Z\n"
						  "end 2026-02-01T00:00:00Z\nsource 198.51.100.1/32\ntarget any\n"
						  "purpose test %u\n",
						  number),
				      id);
	return statement_text(w->arena, KIND_NOTICE, "cert.example/circle", from,
			      arena_print(w->arena,
					  "to %s\ncc %s\nclass malicious-code/infected-system\nevents 1\n"
					  "body application/vnd.comity.evidence+zstd 10 sealed-sha256:%064x\n",
					  signer_verifier(t->parties[test_below(&t->seed, PARTIES)])->name,
					  any_addressee(t), number),
			      id);
}

/* An answer or a withdrawal of what may or may not allow it: what is refused is left out. */
static struct span moving(struct twin *t, const struct hash *ids, size_t count, struct hash *id)
{
	struct world *w = t->w;
	const char *re = hex_of(w->arena, any_id(t, ids, count));
	bool answer = test_below(&t->seed, 4) > 0;

	return statement_text(w->arena, answer ? KIND_ANSWER : KIND_WITHDRAW,
			      test_below(&t->seed, 2) == 0 ? "cert.example/public" : "cert.example/circle",
			      t->parties[test_below(&t->seed, PARTIES)],
			      arena_print(w->arena, "re %s\n%s", re, answer ? "outcome acknowledged\n" : ""), id);
}

static struct twin *twin_new(void **state, size_t tries)
{
	struct twin *t = calloc(1, sizeof(*t));
	struct hash *ids = calloc(tries, sizeof(*ids));
	size_t count = 0, moved = 0;

	assert_non_null(t);
	assert_non_null(ids);
	t->w = world_new(*state);
	t->seed = test_seed();
	for (size_t i = 0; i < PARTIES; i++) {
		t->parties[i] = signer_of(arena_print(t->w->arena, "party-%zu.example", i));
		assert_int_equal(world_add(t->w,
					   party_text(t->w->arena, "cert.example/public", t->parties[i],
						      "role researcher\n", NULL),
					   NULL),
				 OK);
	}
	for (size_t i = 0; i < tries;) {
		assert_int_equal(node_begin(t->w->n), OK);
		for (size_t n = 1 + test_below(&t->seed, 60); n > 0 && i < tries; n--, i++) {
			struct appended out;
			struct hash id;
			size_t what = test_below(&t->seed, 3);
			struct span note = what == 0   ? free_statement(t, ids, count, &id)
					   : what == 1 ? notice_or_plan(t, &id)
						       : moving(t, ids, count, &id);

			if (node_add_statement(t->w->n, note, &out) != OK)
				continue;
			ids[count++] = id;
			moved += what == 2;
		}
		assert_int_equal(node_commit(t->w->n), OK);
	}
	assert_true(moved > 0); /* some answers were good */
	free(ids);
	load(t);
	return t;
}

static void twin_free(struct twin *t)
{
	for (size_t i = 0; i < PARTIES; i++)
		signer_free(t->parties[i]);
	world_free(t->w);
	free(t);
}

/* ---- walks beside it ---- */

struct walk {
	const struct twin *t;
	const struct feed *feeds;
	size_t count, next, seen, most;
};

/* The next of the list that is in one of the feeds. */
static void skip_others(struct walk *k)
{
	for (; k->next < k->t->count; k->next++)
		for (size_t i = 0; i < k->count; i++)
			if (belongs(k->t, &k->t->all[k->next], &k->feeds[i]))
				return;
}

static enum err compare(void *context, const struct feed_entry *e)
{
	struct walk *k = context;
	const struct one *o;

	skip_others(k);
	assert_true(k->next < k->t->count);
	o = &k->t->all[k->next++];
	assert_true(e->stamp == o->stamp && e->ledger == o->ledger && e->index == o->index);
	return ++k->seen == k->most ? ERR_EMPTY : OK;
}

static void check_walk(struct snapshot *s, const struct twin *t, const struct feed *feeds, size_t count, uint64_t after,
		       size_t most)
{
	struct walk k = { t, feeds, count, 0, 0, most };
	enum err e;

	while (k.next < t->count && t->all[k.next].stamp <= after)
		k.next++;
	e = feed_walk(s, feeds, count, after, compare, &k);
	if (k.seen == most) {
		assert_int_equal(e, ERR_EMPTY);
		return;
	}
	assert_int_equal(e, OK);
	skip_others(&k);
	assert_int_equal(k.next, t->count);
}

static struct feed random_feed(struct twin *t)
{
	static const enum kind kinds[] = { KIND_UNKNOWN, KIND_PARTY,  KIND_PLAN,     KIND_NOTICE,
					   KIND_REQUEST, KIND_ANSWER, KIND_ADVISORY, KIND_EMBARGO };
	struct feed f = { .type = (enum feed_type)test_below(&t->seed, 4),
			  .ledger = (enum ledger_id)test_below(&t->seed, LEDGER_COUNT),
			  .kind = kinds[test_below(&t->seed, TABLE_LENGTH(kinds))],
			  .party = addressee_of(any_addressee(t)),
			  .matter = t->all[test_below(&t->seed, t->count)].s.id };

	if (test_below(&t->seed, 10) == 0)
		f.party = addressee_of("cert.example");
	if (test_below(&t->seed, 10) == 0)
		f.matter.bytes[0] ^= 1;
	return f;
}

static uint64_t random_after(struct twin *t)
{
	static const uint64_t odd[] = { 0, 1, UINT64_MAX - 1, UINT64_MAX };

	if (test_below(&t->seed, 4) == 0)
		return odd[test_below(&t->seed, TABLE_LENGTH(odd))];
	return t->all[test_below(&t->seed, t->count)].stamp - test_below(&t->seed, 2);
}

static void check_feeds(struct twin *t, int rounds)
{
	struct feed feeds[FEEDS_MAX];
	struct state st;

	assert_int_equal(node_read(t->w->n, t->w->arena, &st), OK);
	for (int l = 0; l < LEDGER_COUNT; l++) {
		feeds[0] = (struct feed){ .type = FEED_ALL, .ledger = (enum ledger_id)l };
		check_walk(st.snapshot, t, feeds, 1, 0, SIZE_MAX);
	}
	for (int i = 0; i < rounds; i++) {
		size_t count = test_below(&t->seed, 2) == 0 ? 1 : test_below(&t->seed, 12);

		if (i % 100 == 0)
			count = FEEDS_MAX;
		for (size_t f = 0; f < count; f++)
			feeds[f] = random_feed(t);
		check_walk(st.snapshot, t, feeds, count, random_after(t),
			   test_below(&t->seed, 3) == 0 ? 1 + test_below(&t->seed, 9) : SIZE_MAX);
	}
	assert_int_equal(feed_walk(st.snapshot, feeds, FEEDS_MAX + 1, 0, compare, NULL), ERR_TOO_LONG);
	snapshot_end(st.snapshot);
}

static void feeds_as_filters(void **state)
{
	struct twin *t = twin_new(state, 500);

	check_feeds(t, 600);
	twin_free(t);
}

/* Views made anew, and views that were caught up from the middle: the same feeds and stamps. */
static void the_same_when_made_anew(void **state)
{
	struct twin *t = twin_new(state, 200);
	struct world *w = t->w;
	const char *views = arena_print(w->arena, "%s/views", w->dir), *old = scratch_path(*state, "old");
	struct audit before, after;

	node_close(w->n);
	copy(views, old);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	add_notices(w, 0, 20);
	load(t);
	check_feeds(t, 100);
	assert_int_equal(node_audit(w->n, NULL, NULL, &before), OK);
	node_close(w->n);
	put_back(old, views);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	check_feeds(t, 100);
	node_close(w->n);
	take_away(views);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	check_feeds(t, 100);
	assert_int_equal(node_audit(w->n, NULL, NULL, &after), OK);
	assert_true(hash_equal(before.views, after.views));
	twin_free(t);
}

/* ---- stamps ---- */

static void stamps_only_grow(void **state)
{
	struct twin *t = twin_new(state, 300);
	struct state st;
	uint64_t stamp, last = 0;

	assert_int_equal(node_read(t->w->n, t->w->arena, &st), OK);
	for (size_t i = 0; i < t->count; i++) {
		assert_int_equal(feed_stamp(st.snapshot, t->all[i].ledger, t->all[i].index, &stamp), OK);
		assert_true(stamp > last && stamp >= (uint64_t)t->all[i].logged_ms * 1000);
		assert_true(stamp == t->all[i].stamp);
		last = stamp;
	}
	assert_int_equal(feed_reached(st.snapshot, &stamp), OK);
	assert_true(stamp == last);
	assert_int_equal(feed_stamp(st.snapshot, LEDGER_PUBLIC, 100000, &stamp), ERR_NOT_FOUND);
	snapshot_end(st.snapshot);
	twin_free(t);
}

/* What is given up gives no stamps. */
static void abandoned_batches_leave_none(void **state)
{
	struct world *w = world_new(*state);
	struct appended out;
	struct state st;
	uint64_t before, after;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(feed_reached(st.snapshot, &before), OK);
	snapshot_end(st.snapshot);
	assert_int_equal(node_begin(w->n), OK);
	out = add_notice(w, 1);
	assert_int_equal(feed_stamp(node_batch_state(w->n)->snapshot, out.ledger, out.index, &after), OK);
	assert_true(after > before);
	node_abandon(w->n);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(feed_reached(st.snapshot, &after), OK);
	assert_true(before == after);
	assert_int_equal(feed_stamp(st.snapshot, out.ledger, out.index, &after), ERR_NOT_FOUND);
	snapshot_end(st.snapshot);
	world_free(w);
}

/* ---- chains ---- */

/* Longer than what is followed, and a reference that was there before what it names. */
static void chains(void **state)
{
	struct twin *t = calloc(1, sizeof(*t));
	struct world *w;
	struct hash ids[CHAIN + 6], late, early;
	struct span late_note;
	struct state st;

	assert_non_null(t);
	w = t->w = world_new(*state);
	for (size_t i = 0; i < TABLE_LENGTH(ids); i++) {
		const char *lines =
			i == 0 ? "serial 1\n" : arena_print(w->arena, "re %s\n", hex_of(w->arena, ids[i - 1]));
		const char *ledger = i % 3 == 2 ? "cert.example/circle" : "cert.example/public";

		assert_int_equal(world_add(w,
					   statement_text(w->arena, i % 3 == 2 ? KIND_CASE : KIND_ADVISORY, ledger,
							  w->res, lines, &ids[i]),
					   NULL),
				 OK);
	}
	late_note = statement_text(w->arena, KIND_ADVISORY, "cert.example/public", w->res,
				   arena_print(w->arena, "serial 2\nre %s\n", hex_of(w->arena, ids[0])), &late);
	assert_int_equal(world_add(w,
				   statement_text(w->arena, KIND_ADVISORY, "cert.example/public", w->res,
						  arena_print(w->arena, "re %s\n", hex_of(w->arena, late)), &early),
				   NULL),
			 OK);
	assert_int_equal(world_add(w, late_note, NULL), OK);
	load(t);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	for (size_t i = 0; i < TABLE_LENGTH(ids) + 2; i++)
		for (int l = 0; l < LEDGER_COUNT; l++) {
			struct feed f = { .type = FEED_MATTER, .ledger = (enum ledger_id)l };

			f.matter = i < TABLE_LENGTH(ids) ? ids[i] : i == TABLE_LENGTH(ids) ? late : early;
			check_walk(st.snapshot, t, &f, 1, 0, SIZE_MAX);
		}
	snapshot_end(st.snapshot);
	assert_int_equal(audit(w), OK);
	world_free(w);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(feeds_as_filters), IN_A_FOLDER(the_same_when_made_anew),
		IN_A_FOLDER(stamps_only_grow), IN_A_FOLDER(abandoned_batches_leave_none),
		IN_A_FOLDER(chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
