#include "regime/mirror.h"

#include "ledger/entry.h"
#include "ledger/receipt.h"
#include "ledger/tiles.h"
#include "regime_guest.h"

struct followed {
	struct world *w;
	struct scratch *s;
	const char *dir;
};

static struct followed follow(struct scratch *s)
{
	struct followed f = { world_new(s), s, scratch_path(s, "followed/cert.example") };

	assert_int_equal(folder_make(f.dir, 0700), OK);
	return f;
}

/* What a mirror of one ledger holds after it was fetched: the same files. */
static void fetch(const struct followed *f, enum ledger_id l)
{
	const char *to = arena_print(f->s->arena, "%s/%s", f->dir, ledger_name(l));

	if (file_exists(to))
		take_away(to);
	copy(arena_print(f->s->arena, "%s/ledger/%s", f->w->dir, ledger_name(l)), to);
}

static uint64_t published(const struct followed *f, enum ledger_id l)
{
	struct checkpoint c;
	struct note n;
	struct span text = scratch_read(f->s, arena_print(f->s->arena, "node/ledger/%s/checkpoint", ledger_name(l)));

	assert_int_equal(note_parse(f->s->arena, text, &n), OK);
	assert_int_equal(checkpoint_parse(n.text, &c), OK);
	return c.size;
}

static void fetch_together(const struct followed *f)
{
	uint64_t size[LEDGER_COUNT];

	for (int l = 0; l < LEDGER_COUNT; l++) {
		fetch(f, (enum ledger_id)l);
		size[l] = published(f, (enum ledger_id)l);
	}
	assert_int_equal(mirror_together(f->dir, size), OK);
}

static enum err catch_up(const struct followed *f, struct hash *digest)
{
	struct mirror *m = NULL;
	struct state st;
	enum err e;

	assert_int_equal(mirror_open(f->dir, SPAN("cert.example"), true, &m), OK);
	e = mirror_catch_up(m, NULL);
	if (digest != NULL) {
		assert_int_equal(mirror_read(m, f->s->arena, &st), OK);
		assert_int_equal(state_digest(&st, digest), OK);
		snapshot_end(st.snapshot);
	}
	mirror_close(m);
	return e;
}

static void assert_same(const struct followed *f)
{
	struct hash theirs, ours = world_digest(f->w);

	if (catch_up(f, &theirs) != OK)
		fail_msg("%s", err_detail());
	assert_true(hash_equal(theirs, ours));
}

static void add_answer(struct world *w, struct hash re, const char *outcome)
{
	struct appended out;
	enum err e = node_begin(w->n);

	assert_int_equal(e, OK);
	e = node_add_statement(
		w->n,
		statement_text(w->arena, KIND_ANSWER, "cert.example/circle", w->op,
			       arena_print(w->arena, "re %s\noutcome %s\n", hex_of(w->arena, re), outcome), NULL),
		&out);
	assert_true(e == OK || e == ERR_OUTCOME || e == ERR_STATEMENT_REPEATED);
	assert_int_equal(node_commit(w->n), OK);
}

static void add_party(struct world *w, uint64_t *seed)
{
	const char *domain = arena_print(w->arena, "p%ju.example", (uintmax_t)test_random(seed));
	struct signer *s = signer_of(domain);

	assert_int_equal(world_add(w,
				   party_text(w->arena, "cert.example/public", s,
					      "role operator\ntitle One more\nclaim AS64501\n", NULL),
				   NULL),
			 OK);
	signer_free(s);
}

static size_t noticed; /* each is another */

/* A notice whose home is another node's circle. */
static void add_guest(struct world *w, struct node *home)
{
	struct span note, receipt;
	const char *lines = arena_print(
		w->arena, "to op.example\nclass malicious-code/infected-system\nevents %zu\n" SEALED_BODY, ++noticed);

	note = statement_text(w->arena, KIND_NOTICE, "h.example/circle", node_signer(home), lines, NULL);
	log_home(home, w->arena, note, &receipt);
	if (log_guest(w->n, note, receipt, NULL) != OK)
		fail_msg("%s", err_detail());
}

static void something_happens(struct world *w, struct node *home, uint64_t *seed)
{
	static const char *const outcomes[] = { "received", "acknowledged", "accepted", "fixed", "disputed" };
	size_t n = test_below(seed, 300);

	switch (test_below(seed, 7)) {
	case 6:
		add_guest(w, home);
		break;
	case 0:
		add_party(w, seed);
		break;
	case 1:
		assert_int_equal(node_publish(w->n), OK); /* what a tick names */
		assert_int_equal(node_tick(w->n, true), OK);
		break;
	case 2:
		add_answer(w, w->notice, outcomes[test_below(seed, TABLE_LENGTH(outcomes))]);
		break;
	case 3:
		n = test_below(seed, 3);
		/* fall through */
	default:
		assert_int_equal(node_begin(w->n), OK);
		for (size_t i = 0; i < n; i++)
			add_notice(w, ++noticed);
		assert_int_equal(node_commit(w->n), OK);
	}
}

/* The ledgers come one by one, at different moments, in any order; wherever both stand together the state is the node's. */
static void same_state_as_the_node(void **state)
{
	struct followed f = follow(*state);
	struct node *home = NULL;
	uint64_t seed = test_seed();

	assert_int_equal(node_init(scratch_path(f.s, "h"), SPAN("h.example"), SPAN("")), OK);
	assert_int_equal(node_open(scratch_path(f.s, "h"), NODE_WRITE, &home), OK);
	introduce(home, f.w->n, f.s->arena);

	for (int i = 0; i < 80; i++) {
		for (size_t k = test_below(&seed, 4); k > 0; k--)
			something_happens(f.w, home, &seed);
		assert_int_equal(node_publish(f.w->n), OK);
		switch (test_below(&seed, 4)) {
		case 0:
			fetch_together(&f);
			assert_same(&f);
			break;
		case 1:
			fetch(&f, LEDGER_PUBLIC);
			assert_int_equal(catch_up(&f, NULL), OK);
			break;
		case 2:
			if (i > 10) { /* until then the circle is closed */
				fetch(&f, LEDGER_CIRCLE);
				assert_int_equal(catch_up(&f, NULL), OK);
			}
			break;
		default:
			break;
		}
	}
	fetch_together(&f);
	assert_same(&f);
	assert_same(&f); /* nothing more to do */
	node_close(home);
	world_free(f.w);
}

static void circle_opens_later(void **state)
{
	struct followed f = follow(*state);
	struct mirror_reach reach;
	struct mirror *m;
	struct hash without;

	assert_int_equal(node_publish(f.w->n), OK);
	fetch(&f, LEDGER_PUBLIC);
	assert_int_equal(catch_up(&f, &without), OK);
	assert_false(hash_equal(without, world_digest(f.w)));
	assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), false, &m), OK);
	assert_int_equal(mirror_reach(m, &reach), OK);
	assert_int_equal(reach.folded[LEDGER_PUBLIC], published(&f, LEDGER_PUBLIC));
	assert_int_equal(reach.size[LEDGER_PUBLIC], published(&f, LEDGER_PUBLIC));
	assert_int_equal(reach.folded[LEDGER_CIRCLE], 0);
	mirror_close(m);
	fetch_together(&f);
	assert_same(&f);
	world_free(f.w);
}

/* Without the word that both stand together, what has nothing behind it in the other ledger waits. */
static void the_rest_waits(void **state)
{
	struct followed f = follow(*state);
	struct mirror_reach reach;
	struct mirror *m;

	assert_int_equal(node_publish(f.w->n), OK);
	fetch(&f, LEDGER_CIRCLE);
	add_notices(f.w, 0, 3);
	usleep(2000);
	assert_int_equal(node_tick(f.w->n, true), OK);
	assert_int_equal(node_publish(f.w->n), OK);
	fetch(&f, LEDGER_PUBLIC);
	assert_int_equal(catch_up(&f, NULL), OK);
	assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), false, &m), OK);
	assert_int_equal(mirror_reach(m, &reach), OK);
	assert_true(reach.folded[LEDGER_PUBLIC] < reach.size[LEDGER_PUBLIC]);
	mirror_close(m);
	fetch_together(&f);
	assert_same(&f);
	world_free(f.w);
}

static void damaged_state(void **state)
{
	struct followed f = follow(*state);

	assert_int_equal(node_publish(f.w->n), OK);
	fetch_together(&f);
	assert_same(&f);
	assert_int_equal(scratch_write(f.s, "followed/cert.example/state/boot", SPAN("another boot")), OK);
	assert_same(&f);
	assert_int_equal(scratch_write(f.s, "followed/cert.example/state/data.mdb",
				       SPAN("nothing that LMDB knows, but long "
					    "enough to be looked at")),
			 OK);
	assert_same(&f);
	world_free(f.w);
}

static void opened_more_than_once(void **state)
{
	struct followed f = follow(*state);
	struct mirror *m, *again, *reader;
	struct state st;
	struct hash digest;

	assert_int_equal(mirror_open(scratch_path(f.s, "followed/none.example"), SPAN("none.example"), true, &m),
			 ERR_NOT_FOUND);
	assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), false, &m), ERR_NOT_FOUND); /* nothing folded */
	assert_int_equal(node_publish(f.w->n), OK);
	fetch_together(&f);
	assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), true, &m), OK);
	assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), false, &reader), OK);
	assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), true, &again), OK);
	assert_int_equal(mirror_catch_up(again, NULL), OK);
	mirror_close(again);
	mirror_close(m);
	assert_int_equal(mirror_read(reader, f.s->arena, &st), OK);
	assert_int_equal(state_digest(&st, &digest), OK);
	snapshot_end(st.snapshot);
	mirror_close(reader);
	assert_true(hash_equal(digest, world_digest(f.w)));
	assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), false, &reader), OK);
	assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), true, &m), ERR_BUSY);
	assert_int_equal(mirror_catch_up(reader, NULL), ERR_BUSY);
	mirror_close(reader);
	mirror_close(NULL);
	world_free(f.w);
}

/* The ledger as another could write it: each entry as one function makes it. */
typedef struct span change(struct scratch *s, uint64_t index, struct span text);

static void rewrite(const struct followed *f, enum ledger_id l, change *by)
{
	const char *dir = arena_print(f->s->arena, "%s/%s", f->dir, ledger_name(l));
	uint64_t size = published(f, l);
	struct buffer note = BUFFER(4096);
	struct publisher *p;
	struct checkpoint c = { .origin = node_origin(f->w->n, l), .size = size };
	struct signer *named;

	if (file_exists(dir))
		take_away(dir);
	assert_int_equal(publisher_open(dir, 0, &p), OK);
	for (uint64_t i = 0; i < size; i++) {
		struct span text;

		assert_int_equal(node_entry(f->w->n, f->s->arena, l, i, &text), OK);
		assert_int_equal(publisher_add(p, by(f->s, i, text)), OK);
	}
	c.root = frontier_root(publisher_frontier(p));
	assert_int_equal(signer_from_seed(c.origin, (const uint8_t *)"a seed of 32 bytes for a fork...", &named), OK);
	assert_int_equal(checkpoint_sign(&c, named, &note), OK);
	assert_int_equal(publisher_publish(p, buffer_view(&note)), OK);
	publisher_close(p);
	buffer_free(&note);
	signer_free(named);
}

static struct span forge(struct scratch *s, uint64_t index, struct span text)
{
	char *copy = arena_copy(s->arena, text.at, text.len), *title = strstr(copy, "title An operator");

	if (index == 0)
		assert_null(title);
	if (title != NULL)
		memcpy(title, "title No operator", 17);
	return span_make(copy, text.len);
}

static struct span backwards(struct scratch *s, uint64_t index, struct span text)
{
	struct buffer b = BUFFER(65536);
	struct entry e;
	const char *copy;

	assert_int_equal(entry_parse(text, &e), OK);
	entry_print(e.logged_ms - (index == 3 ? 3600000 : 0), e.note, &b);
	copy = arena_copy(s->arena, b.at, b.len);
	text = span_make(copy, b.len);
	buffer_free(&b);
	return text;
}

static struct span nonsense(struct scratch *s, uint64_t index, struct span text)
{
	(void)s;
	return index == 3 ? SPAN("no entry at all") : text;
}

static struct span no_statement(struct scratch *s, uint64_t index, struct span text)
{
	(void)s;
	return index == 3 ? SPAN("logged 2026-11-22T20:45:00.123Z\nhello\n") : text;
}

/* The fold ends before what no honest node logs, and the state before it can be read. */
static void entries_that_nobody_may_log(void **state)
{
	static change *const table[] = { forge, backwards, nonsense, no_statement };
	struct followed f = follow(*state);

	assert_int_equal(node_publish(f.w->n), OK);
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct hash digest;
		struct mirror_reach reach;
		struct mirror *m;

		rewrite(&f, LEDGER_PUBLIC, table[i]);
		assert_int_equal(catch_up(&f, &digest), ERR_PEER);
		assert_int_equal(catch_up(&f, &digest), ERR_PEER);
		assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), false, &m), OK);
		assert_int_equal(mirror_reach(m, &reach), OK);
		assert_true(reach.folded[LEDGER_PUBLIC] > 0 && reach.folded[LEDGER_PUBLIC] < reach.size[LEDGER_PUBLIC]);
		mirror_close(m);
		take_away(scratch_path(f.s, "followed/cert.example/state"));
	}
	fetch_together(&f);
	assert_same(&f);
	world_free(f.w);
}

/* The public ledger's tick names the circle that the node has; the mirror was shown another. */
static struct span another_time(struct scratch *s, uint64_t index, struct span text)
{
	struct buffer b = BUFFER(65536);
	struct entry e;

	if (index > 0)
		return text;
	assert_int_equal(entry_parse(text, &e), OK);
	entry_print(e.logged_ms - 1, e.note, &b); /* another time: another leaf, all else as it was */
	text = span_make(arena_copy(s->arena, b.at, b.len), b.len);
	buffer_free(&b);
	return text;
}

static void tick_tells_of_a_fork(void **state)
{
	struct followed f = follow(*state);
	struct hash digest;
	struct span evidence;

	add_notices(f.w, 0, 300);
	usleep(2000);
	assert_int_equal(node_publish(f.w->n), OK);
	assert_int_equal(node_tick(f.w->n, true), OK);
	assert_int_equal(node_publish(f.w->n), OK);
	fetch_together(&f);
	rewrite(&f, LEDGER_CIRCLE, another_time);
	assert_int_equal(catch_up(&f, &digest), ERR_LEDGER_FORK);
	assert_int_equal(mirror_forks(f.dir), 1);
	evidence = scratch_read(f.s, "followed/cert.example/fork-1");
	assert_non_null(memmem(evidence.at, evidence.len, "\n---- kept\ncert.example/circle\n", 31));
	assert_non_null(memmem(evidence.at, evidence.len, "comity/1 tick\n", 14));
	world_free(f.w);
}

static void receipts(void **state)
{
	struct followed f = follow(*state);
	struct span text, note, own;
	struct receipt r;

	add_notices(f.w, 0, 600);
	assert_int_equal(node_publish(f.w->n), OK);
	fetch_together(&f);
	for (uint64_t i = 0; i < published(&f, LEDGER_CIRCLE); i += 37) {
		struct entry entry;

		assert_int_equal(mirror_receipt(f.dir, f.s->arena, LEDGER_CIRCLE, i, &text), OK);
		assert_int_equal(receipt_parse(f.s->arena, text, &r), OK);
		assert_int_equal(receipt_verify(f.s->arena, &r, r.extra, node_ledger_key(f.w->n, LEDGER_CIRCLE), NULL),
				 OK);
		assert_int_equal(node_entry(f.w->n, f.s->arena, LEDGER_CIRCLE, i, &own), OK);
		assert_true(span_equal(own, r.extra));
		assert_int_equal(mirror_note(f.dir, f.s->arena, LEDGER_CIRCLE, i, &note), OK);
		assert_int_equal(entry_parse(own, &entry), OK);
		assert_true(span_equal(note, entry.note));
	}
	assert_int_equal(mirror_receipt(f.dir, f.s->arena, LEDGER_CIRCLE, 602, &text), ERR_TILE);
	world_free(f.w);
}

/* ---- much of it ---- */

#define MUCH 2500 /* so much that signatures are verified on threads */

struct watching {
	uint64_t calls, last, total, stop_after;
};

static bool stop_some_time(void *context)
{
	struct watching *w = context;

	return ++w->calls == w->stop_after;
}

static void look_on(void *context, uint64_t done, uint64_t total)
{
	struct watching *w = context;

	assert_true(done >= w->last && done <= total);
	w->last = done;
	w->total = total;
}

static uint64_t folded(const struct followed *f)
{
	struct mirror_reach reach;
	struct mirror *m;

	assert_int_equal(mirror_open(f->dir, SPAN("cert.example"), false, &m), OK);
	assert_int_equal(mirror_reach(m, &reach), OK);
	mirror_close(m);
	return reach.folded[LEDGER_PUBLIC] + reach.folded[LEDGER_CIRCLE];
}

/* What was folded by then stays, and the next one goes on behind it. */
static void told_to_stop(void **state)
{
	struct followed f = follow(*state);
	struct watching w = { .stop_after = 4 };
	struct mirror_watch watch = { stop_some_time, look_on, &w };
	uint64_t all, before;
	struct mirror *m;

	add_notices(f.w, 0, MUCH);
	assert_int_equal(node_publish(f.w->n), OK);
	fetch_together(&f);
	all = published(&f, LEDGER_PUBLIC) + published(&f, LEDGER_CIRCLE);
	assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), true, &m), OK);
	assert_int_equal(mirror_catch_up(m, &watch), ERR_BUSY);
	mirror_close(m);
	before = folded(&f);
	assert_true(before > 0 && before < all && w.calls == 4 && w.total == all);
	assert_int_equal(mirror_open(f.dir, SPAN("cert.example"), true, &m), OK);
	w.calls = 1; /* at once */
	w.stop_after = 2;
	assert_int_equal(mirror_catch_up(m, &watch), ERR_BUSY);
	mirror_close(m);
	assert_int_equal(folded(&f), before);
	assert_same(&f);
	assert_int_equal(folded(&f), all);
	world_free(f.w);
}

static uint64_t forged;

static struct span forge_events(struct scratch *s, uint64_t index, struct span text)
{
	char *copy = arena_copy(s->arena, text.at, text.len), *events = strstr(copy, "\nevents ");

	if (index >= forged) {
		assert_non_null(events);
		events[8] = events[8] == '9' ? '8' : '9';
	}
	return span_make(copy, text.len);
}

/* The fold ends before the first signature that is wrong, however much was folded ahead of its verifying. */
static void forged_among_many(void **state)
{
	struct followed f = follow(*state);
	uint64_t seed = test_seed();
	struct hash digest, again;

	add_notices(f.w, 0, MUCH);
	assert_int_equal(node_publish(f.w->n), OK);
	for (int i = 0; i < 3; i++) {
		fetch_together(&f);
		forged = 100 + test_below(&seed, MUCH - 200);
		rewrite(&f, LEDGER_CIRCLE, forge_events);
		assert_int_equal(catch_up(&f, &digest), ERR_PEER);
		assert_non_null(strstr(err_detail(), arena_print(f.s->arena, "entry %ju ", (uintmax_t)forged)));
		assert_int_equal(folded(&f), published(&f, LEDGER_PUBLIC) + forged);
		assert_int_equal(catch_up(&f, &again), ERR_PEER);
		assert_true(hash_equal(digest, again));
		take_away(scratch_path(f.s, "followed/cert.example/state"));
	}
	fetch_together(&f);
	assert_same(&f);
	world_free(f.w);
}

static enum err count(void *context, const char *dir, struct span node)
{
	assert_span(node, *(unsigned *)context == 0 ? "a.example" : "cert.example");
	assert_true(
		span_ends(span_of(dir), *(unsigned *)context == 0 ? "/followed/a.example" : "/followed/cert.example"));
	++*(unsigned *)context;
	return OK;
}

static void walked(void **state)
{
	struct scratch *s = *state;
	unsigned seen = 0;

	assert_int_equal(mirrors_walk(s->dir, count, &seen), OK);
	assert_int_equal(folder_make(scratch_path(s, "followed/cert.example"), 0700), OK);
	assert_int_equal(folder_make(scratch_path(s, "followed/a.example"), 0700), OK);
	assert_int_equal(folder_make(scratch_path(s, "followed/Not A Node"), 0700), OK);
	assert_int_equal(mirrors_walk(s->dir, count, &seen), OK);
	assert_int_equal(seen, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(same_state_as_the_node),
		IN_A_FOLDER(circle_opens_later),
		IN_A_FOLDER(the_rest_waits),
		IN_A_FOLDER(damaged_state),
		IN_A_FOLDER(opened_more_than_once),
		IN_A_FOLDER(entries_that_nobody_may_log),
		IN_A_FOLDER(tick_tells_of_a_fork),
		IN_A_FOLDER(receipts),
		IN_A_FOLDER(told_to_stop),
		IN_A_FOLDER(forged_among_many),
		IN_A_FOLDER(walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
