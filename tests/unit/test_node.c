#include "regime/node.h"

#include <signal.h>
#include <sys/wait.h>

#include "ledger/entry.h"
#include "ledger/receipt.h"
#include "regime_node.h"

/* ---- making and opening ---- */

static void init(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "node");
	struct node *n, *second;
	struct stat st;

	assert_int_equal(node_open(dir, NODE_WRITE, &n), ERR_NODE_MISSING);
	assert_int_equal(node_open(dir, NODE_READ, &n), ERR_NODE_MISSING);
	assert_int_equal(node_init(dir, SPAN("no domain"), SPAN("")), ERR_DOMAIN);
	assert_int_equal(node_init(dir, SPAN("cert.example"), SPAN("")), OK);
	assert_int_equal(node_init(dir, SPAN("cert.example"), SPAN("")), ERR_NODE_EXISTS);
	assert_int_equal(stat(scratch_path(s, "node/keys"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(scratch_path(s, "node/keys/party.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(scratch_path(s, "node/ledger/circle"), &st), 0);
	assert_int_equal(st.st_mode & 0077, 0);
	assert_int_equal(node_open(dir, NODE_WRITE, &n), OK);
	assert_string_equal(node_dir(n), dir);
	assert_span(node_name(n), "cert.example");
	assert_span(node_origin(n, LEDGER_PUBLIC), "cert.example/public");
	assert_span(node_origin(n, LEDGER_CIRCLE), "cert.example/circle");
	assert_string_equal(node_ledger_key(n, LEDGER_CIRCLE)->name, "cert.example/circle");
	assert_string_equal(signer_verifier(node_signer(n))->name, "cert.example");
	assert_int_equal(node_open(dir, NODE_WRITE, &second), ERR_BUSY);
	assert_int_equal(node_open(dir, NODE_READ, &second), OK);
	assert_null(node_signer(second));
	node_close(second);
	node_close(n);
	node_close(NULL);
}

/* What an interrupted init left is taken up, with the keys that may have signed already. */
static void init_again(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "node");
	struct span before, after;
	struct node *n;

	assert_int_equal(node_init(dir, SPAN("cert.example"), SPAN("")), OK);
	before = scratch_read(s, "node/keys/public.key");
	assert_int_equal(unlink(scratch_path(s, "node/node")), 0);
	assert_int_equal(node_open(dir, NODE_WRITE, &n), ERR_DAMAGED);
	assert_non_null(strstr(err_detail(), "comity init"));
	assert_int_equal(node_init(dir, SPAN("other.example"), SPAN("")), ERR_NODE_EXISTS);
	assert_int_equal(node_init(dir, SPAN("cert.example"), SPAN("")), OK);
	after = scratch_read(s, "node/keys/public.key");
	assert_true(before.len > 0 && span_equal(before, after));
	assert_int_equal(node_open(dir, NODE_WRITE, &n), OK);
	node_close(n);
}

static void held_keys(void **state)
{
	struct world *w = world_new(*state);
	const struct signer *one, *again;

	assert_int_equal(node_party_signer(w->n, SPAN("held.example"), false, &one), ERR_KEY_UNKNOWN);
	assert_int_equal(node_party_signer(w->n, SPAN("../x.example"), true, &one), ERR_DOMAIN);
	assert_int_equal(node_party_signer(w->n, SPAN("held.example"), true, &one), OK);
	assert_string_equal(signer_verifier(one)->name, "held.example");
	assert_int_equal(node_party_signer(w->n, SPAN("held.example"), false, &again), OK);
	assert_ptr_equal(one, again);
	assert_int_equal(node_party_signer(w->n, SPAN("cert.example"), true, &again), OK);
	assert_ptr_equal(again, node_signer(w->n));
	world_free(w);
}

/* ---- batches ---- */

static void one_batch(void **state)
{
	struct world *w = world_new(*state);
	struct hash before = world_digest(w);
	struct appended a, b, c;
	enum ledger_id l;
	uint64_t index;

	assert_int_equal(node_begin(w->n), OK);
	a = add_notice(w, 0);
	b = add_notice(w, 1);
	assert_int_equal(node_add_statement(w->n,
					    statement_text(w->arena, KIND_ANSWER, "cert.example/public", w->op,
							   arena_print(w->arena, "re %s\noutcome objected\n",
								       hex_of(w->arena, w->plan)),
							   NULL),
					    &c),
			 OK);
	assert_int_equal(a.index + 1, b.index);
	assert_int_equal(a.ledger, LEDGER_CIRCLE);
	assert_int_equal(c.ledger, LEDGER_PUBLIC);
	assert_true(b.logged_ms >= a.logged_ms);
	assert_true(c.logged_ms > b.logged_ms); /* public behind circle: never the same instant */
	/* Readers see nothing of it yet. */
	assert_int_equal(node_find(w->n, a.id, &l, &index), ERR_NOT_FOUND);
	assert_true(hash_equal(world_digest(w), before));
	/* A refusal leaves the batch as it was; one behind it sees what came before it. */
	assert_int_equal(
		node_add_statement(
			w->n,
			statement_text(w->arena, KIND_ANSWER, "cert.example/circle", w->op,
				       arena_print(w->arena, "re %s\noutcome fixed\n", hex_of(w->arena, a.id)), NULL),
			&c),
		ERR_NOT_YOURS);
	assert_int_equal(node_commit(w->n), OK);
	assert_int_equal(node_find(w->n, a.id, &l, &index), OK);
	assert_int_equal(index, a.index);
	assert_false(hash_equal(world_digest(w), before));

	before = world_digest(w);
	assert_int_equal(node_begin(w->n), OK);
	add_notice(w, 7);
	node_abandon(w->n);
	assert_true(hash_equal(world_digest(w), before));
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_commit(w->n), OK); /* nothing to commit */
	assert_int_equal(audit(w), OK);
	reopen(w);
	assert_true(hash_equal(world_digest(w), before));
	assert_int_equal(audit(w), OK);
	world_free(w);
}

static void reading_back(void **state)
{
	struct world *w = world_new(*state);
	struct appended a;
	struct body_reference ref;
	struct statement s;
	struct entry entry;
	struct receipt receipt;
	struct checkpoint c;
	uint8_t salt[SEAL_SALT_SIZE];
	const uint8_t *got_salt;
	struct span text, payload, raw;
	char expected[40];

	assert_int_equal(node_begin(w->n), OK);
	a = add_notice(w, 3);
	assert_int_equal(node_commit(w->n), OK);
	body_of(3, salt, expected, &ref);
	assert_int_equal(node_body(w->n, w->arena, ref.hash, &got_salt, &payload), OK);
	assert_span(payload, expected);
	assert_memory_equal(got_salt, salt, SEAL_SALT_SIZE);
	assert_int_equal(node_body(w->n, w->arena, a.id, &got_salt, &payload), ERR_NOT_FOUND);

	assert_int_equal(node_entry(w->n, w->arena, a.ledger, a.index, &text), OK);
	assert_int_equal(entry_parse(text, &entry), OK);
	assert_int_equal(entry.logged_ms, a.logged_ms);
	assert_int_equal(statement_parse(w->arena, entry.note, &s), OK);
	assert_true(hash_equal(s.id, a.id));
	assert_int_equal(node_entry(w->n, w->arena, a.ledger, a.index + 1, &text), ERR_NOT_FOUND);

	/* No receipt before the checkpoint covers it. */
	assert_int_equal(node_receipt(w->n, w->arena, a.ledger, a.index, &raw), ERR_NOT_FOUND);
	assert_int_equal(node_publish(w->n), OK);
	assert_int_equal(node_receipt(w->n, w->arena, a.ledger, a.index, &raw), OK);
	assert_int_equal(receipt_parse(w->arena, raw, &receipt), OK);
	assert_int_equal(node_entry(w->n, w->arena, a.ledger, a.index, &text), OK);
	assert_int_equal(receipt_verify(w->arena, &receipt, text, node_ledger_key(w->n, a.ledger), &c), OK);
	assert_int_equal(c.size, a.index + 1);
	assert_int_not_equal(receipt_verify(w->arena, &receipt, text, node_ledger_key(w->n, LEDGER_PUBLIC), NULL), OK);
	world_free(w);
}

static void public_body_once(void **state)
{
	struct world *w = world_new(*state);
	const uint8_t *salt = (const uint8_t *)"";
	struct span text = SPAN("an open document"), got;
	struct body_reference ref = { .media_type = SPAN("application/json"),
				      .size = text.len,
				      .hash = hash_span(text) };

	for (int i = 0; i < 2; i++) {
		assert_int_equal(node_begin(w->n), OK);
		assert_int_equal(node_add_body(w->n, &ref, NULL, &text, 1), OK);
		assert_int_equal(node_add_body(w->n, &ref, NULL, &text, 1), OK);
		assert_int_equal(node_commit(w->n), OK);
	}
	assert_int_equal(node_body(w->n, w->arena, ref.hash, &salt, &got), OK);
	assert_null(salt);
	assert_span(got, "an open document");
	ref.size++;
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_body(w->n, &ref, NULL, &text, 1), ERR_USAGE);
	node_abandon(w->n);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

static void marks_of_a_batch(void **state)
{
	struct world *w = world_new(*state);
	struct mark m[4] = { { { 1 } }, { { 3 } }, { { 2 } }, { { 9 } } };
	uint8_t found[2];

	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_marks(w->n, m, 2), OK);
	assert_int_equal(node_add_marks(w->n, m + 2, 2), OK);
	assert_int_equal(node_commit(w->n), OK);
	assert_int_equal(marks_count(node_marks(w->n)), 4);
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_marks(w->n, m, 2), OK);
	node_abandon(w->n);
	assert_int_equal(marks_count(node_marks(w->n)), 4);
	reopen(w);
	assert_int_equal(marks_count(node_marks(w->n)), 4);
	m[0] = m[2];
	m[1].bytes[5] = 1;
	marks_find(node_marks(w->n), m, 2, found);
	assert_int_equal(found[0], 1);
	assert_int_equal(found[1], 0);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* ---- time ---- */

/* Puts the last entry's time into the view by hand, as a clock that was once wrong would have. */
static void set_last_logged(struct world *w, int64_t ms)
{
	const char *path = arena_print(w->arena, "%s/views", w->dir);
	struct snapshot *s;
	struct views *v;
	struct span heads;
	char bytes[33];

	node_close(w->n);
	assert_int_equal(views_open(path, true, &v), OK);
	assert_int_equal(views_write(v, &s), OK);
	assert_int_equal(view_get(s, VIEW_OWN, SPAN("heads"), &heads), OK);
	assert_int_equal(heads.len, sizeof(bytes));
	memcpy(bytes, heads.at, sizeof(bytes));
	for (int i = 0; i < 8; i++)
		bytes[16 + i] = (char)((uint64_t)ms >> (56 - 8 * i));
	assert_int_equal(view_put(s, VIEW_OWN, SPAN("heads"), span_make(bytes, sizeof(bytes))), OK);
	assert_int_equal(snapshot_commit(s), OK);
	views_close(v);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
}

static void clock_behind(void **state)
{
	struct world *w = world_new(*state);
	int64_t ahead = clock_now_ms() + 60000;
	struct statement_writer writer = { 0 };
	struct appended a;

	set_last_logged(w, ahead);
	assert_int_equal(node_begin(w->n), OK);
	a = add_notice(w, 1);
	assert_true(a.logged_ms == ahead); /* a small step back: the last time once more */
	node_abandon(w->n);

	set_last_logged(w, clock_now_ms() + 11 * 60000);
	assert_int_equal(node_begin(w->n), OK);
	statement_begin(&writer, KIND_ADVISORY, node_origin(w->n, LEDGER_PUBLIC), signer_verifier(node_signer(w->n)));
	assert_int_equal(node_add_own(w->n, &writer, &a), ERR_LOGGED);
	assert_non_null(strstr(err_detail(), "clock"));
	statement_writer_free(&writer);
	node_abandon(w->n);
	world_free(w);
}

static void ticks(void **state)
{
	struct world *w = world_new(*state);
	struct hash before = world_digest(w), after;
	static const char *const smaller[] = {
		"checkpoint cert.example/circle 4 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
		"checkpoint cert.example/circle 5 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
	};
	struct tick t;
	struct state st;

	assert_int_equal(node_tick(w->n, false), OK); /* the first */
	after = world_digest(w);
	assert_false(hash_equal(before, after));
	assert_int_equal(node_tick(w->n, false), OK); /* not due */
	assert_true(hash_equal(after, world_digest(w)));
	add_notices(w, 0, 3);
	assert_int_equal(node_tick(w->n, true), OK);
	assert_int_equal(node_tick(w->n, true), OK); /* the circle is as long as before */
	assert_false(hash_equal(after, world_digest(w)));
	/* A ledger only grows, and has one root for each size. */
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(world_try(w, statement_text(w->arena, KIND_TICK, "cert.example/public",
							     node_signer(w->n), smaller[i], NULL)),
				 ERR_CHECKPOINT);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(state_tick(&st, &t), OK);
	assert_true(t.logged_ms > 0);
	snapshot_end(st.snapshot);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* ---- crashes: folders put back as they were at some moment ---- */

static void rebuilt(void **state)
{
	struct world *w = world_new(*state);
	const char *views = arena_print(w->arena, "%s/views", w->dir);
	const char *old = scratch_path(w->scratch, "old-views");
	struct hash digest;

	node_close(w->n);
	w->n = NULL;
	copy(views, old);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	add_notices(w, 0, 300);
	add_marks(w, 5, 1000);
	assert_int_equal(node_publish(w->n), OK);
	digest = world_digest(w);

	/* The journal had the batch, the views did not hear of it any more. */
	node_close(w->n);
	put_back(old, views);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_true(hash_equal(world_digest(w), digest));
	assert_int_equal(marks_count(node_marks(w->n)), 1000);
	assert_int_equal(audit(w), OK);

	/* No views at all. */
	node_close(w->n);
	take_away(views);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_true(hash_equal(world_digest(w), digest));
	assert_int_equal(marks_count(node_marks(w->n)), 1000);
	assert_int_equal(audit(w), OK);

	/* No marks, but views. */
	node_close(w->n);
	take_away(arena_print(w->arena, "%s/marks", views));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_int_equal(marks_count(node_marks(w->n)), 1000);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* The machine went down: the boot's name is another one. Readers are told, a writer makes the views anew. */
static void another_boot(void **state)
{
	struct world *w = world_new(*state);
	struct hash digest = world_digest(w);
	struct node *reader;

	node_close(w->n);
	w->n = NULL;
	assert_int_equal(scratch_write(w->scratch, "node/views/boot", SPAN("another boot\n")), OK);
	assert_int_equal(node_open(w->dir, NODE_READ, &reader), ERR_DAMAGED);
	assert_non_null(strstr(err_detail(), "any command that writes"));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_true(hash_equal(world_digest(w), digest));
	world_free(w);
}

/* Killed in the middle of a batch, and after the journal's commit. */
static void killed(void **state)
{
	struct world *w = world_new(*state);
	struct hash digest = world_digest(w);
	int status;
	pid_t child;

	node_close(w->n);
	if ((child = fork()) == 0) {
		if (node_open(w->dir, NODE_WRITE, &w->n) != OK || node_begin(w->n) != OK)
			_exit(1);
		add_notice(w, 1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_true(hash_equal(world_digest(w), digest));
	node_close(w->n);
	if ((child = fork()) == 0) {
		if (node_open(w->dir, NODE_WRITE, &w->n) != OK)
			_exit(1);
		add_notices(w, 0, 10);
		kill(getpid(), SIGKILL); /* committed, not published, nothing closed */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_false(hash_equal(world_digest(w), digest));
	assert_int_equal(audit(w), OK);
	world_free(w);
}

static void published_anew(void **state)
{
	struct world *w = world_new(*state);
	const char *ledger = arena_print(w->arena, "%s/ledger", w->dir);
	struct span before, after;
	struct stat st;

	add_notices(w, 0, 300);
	assert_int_equal(node_publish(w->n), OK);
	node_close(w->n);
	before = scratch_read(w->scratch, "node/ledger/circle/checkpoint");
	take_away(arena_print(w->arena, "%s/circle/tile", ledger));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_int_equal(audit(w), OK);
	node_close(w->n);
	take_away(ledger);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	after = scratch_read(w->scratch, "node/ledger/circle/checkpoint");
	assert_true(before.len > 0 && span_equal(before, after));
	assert_int_equal(stat(arena_print(w->arena, "%s/circle", ledger), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* An older journal was put back: what was signed once may not be signed otherwise. */
static void older_journal(void **state)
{
	struct world *w = world_new(*state);
	const char *journal = arena_print(w->arena, "%s/journal", w->dir),
		   *old = scratch_path(w->scratch, "old-journal");
	const char *views = arena_print(w->arena, "%s/views", w->dir);

	node_close(w->n);
	copy(journal, old);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	add_notices(w, 0, 5);
	assert_int_equal(node_publish(w->n), OK);
	node_close(w->n);
	w->n = NULL;
	put_back(old, journal);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), ERR_DAMAGED);
	take_away(views);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), ERR_LEDGER_DIFFERS);
	world_free(w);
}

/* ---- beside a writer ---- */

static void readers(void **state)
{
	struct world *w = world_new(*state);
	struct hash mine, theirs;
	struct world r = *w;

	assert_int_equal(node_open(w->dir, NODE_READ, &r.n), OK);
	add_notices(w, 0, 5);
	mine = world_digest(w);
	theirs = world_digest(&r);
	assert_true(hash_equal(mine, theirs));
	assert_int_equal(audit(&r), OK); /* unpublished entries are no difference */
	assert_int_equal(node_begin(w->n), OK);
	add_notice(w, 9);
	assert_true(hash_equal(world_digest(&r), theirs));
	assert_int_equal(audit(&r), OK);
	assert_int_equal(node_commit(w->n), OK);
	assert_int_equal(node_publish(w->n), OK);
	assert_true(hash_equal(world_digest(&r), world_digest(w)));
	assert_int_equal(audit(&r), OK);
	node_close(r.n);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(init),
		IN_A_FOLDER(init_again),
		IN_A_FOLDER(held_keys),
		IN_A_FOLDER(one_batch),
		IN_A_FOLDER(reading_back),
		IN_A_FOLDER(public_body_once),
		IN_A_FOLDER(marks_of_a_batch),
		IN_A_FOLDER(clock_behind),
		IN_A_FOLDER(ticks),
		IN_A_FOLDER(rebuilt),
		IN_A_FOLDER(another_boot),
		IN_A_FOLDER(killed),
		IN_A_FOLDER(published_anew),
		IN_A_FOLDER(older_journal),
		IN_A_FOLDER(readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
