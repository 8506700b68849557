#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "regime_sequencer.h"

/* A disk that fails when a test says so: the calls are caught here. Only the journal asks for fdatasync. */
static atomic_bool fdatasync_fails, fsync_fails;

int fdatasync(int fd)
{
	if (!fdatasync_fails)
		return (int)syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

int fsync(int fd)
{
	if (!fsync_fails)
		return (int)syscall(SYS_fsync, fd);
	errno = EIO;
	return -1;
}

/* ---- one after the other ---- */

static void receipts_hold(void **state)
{
	struct world *w = world_new(*state);
	uint64_t size[LEDGER_COUNT] = { size_of(w, LEDGER_PUBLIC), size_of(w, LEDGER_CIRCLE) };
	struct sequencer *q = start(w, &defaults);

	for (unsigned i = 0; i < 60; i++) {
		enum ledger_id l = i % 3 == 0 ? LEDGER_PUBLIC : LEDGER_CIRCLE;
		struct span note = l == LEDGER_PUBLIC ? plan_of(w->arena, w->res, i) : notice_of(w->arena, w->team, i);
		struct accepted out;

		assert_int_equal(sequencer_submit(q, note, w->arena, &out), OK);
		assert_int_equal(out.appended.ledger, l);
		assert_int_equal(out.appended.index, size[l]);
		size[l]++;
		check_receipt(w, w->arena, note, &out.appended, out.receipt);
	}
	assert_int_equal(sequencer_stop(q), OK);
	check_whole(w, size[LEDGER_PUBLIC], size[LEDGER_CIRCLE]);
	/* The node is the caller's again, and a second sequencer goes on. */
	add_notices(w, 0, 3);
	q = start(w, &defaults);
	assert_int_equal(sequencer_stop(q), OK);
	check_whole(w, size[LEDGER_PUBLIC], size[LEDGER_CIRCLE] + 3);
	world_free(w);
}

/* What a lone checkpoint on disk says is what the last receipt says. */
static void published_as_signed(void **state)
{
	struct world *w = world_new(*state);
	struct sequencer *q = start(w, &defaults);
	struct span checkpoint, note = notice_of(w->arena, w->res, 7);
	struct accepted out;
	struct receipt r;

	assert_int_equal(sequencer_submit(q, note, w->arena, &out), OK);
	assert_int_equal(sequencer_stop(q), OK);
	assert_int_equal(receipt_parse(w->arena, out.receipt, &r), OK);
	assert_int_equal(
		file_read(w->arena, arena_print(w->arena, "%s/ledger/circle/checkpoint", w->dir), 10000, &checkpoint),
		OK);
	assert_true(span_equal(checkpoint, r.checkpoint_note));
	assert_int_equal(node_receipt(w->n, w->arena, LEDGER_CIRCLE, out.appended.index, &checkpoint), OK);
	assert_true(span_equal(checkpoint, out.receipt));
	world_free(w);
}

/* ---- many at once ---- */

#define THREADS 8
#define EACH 60

struct submitter {
	struct world *w;
	struct sequencer *q;
	struct signer *from;
	unsigned number;
	unsigned accepted;
	pthread_t thread;
};

/* Good ones, and between them each sort of bad one. */
static void *submit_mixed(void *context)
{
	struct submitter *s = context;
	struct arena *a = arena_new((size_t)1 << 26);

	for (unsigned i = 0; i < EACH; i++) {
		unsigned number = s->number * 1000 + i;
		struct span good = notice_of(a, s->from, number);
		struct accepted out;

		assert_int_equal(sequencer_submit(s->q, spoil(a, good, 0), a, &out), ERR_NOTE);
		assert_int_equal(sequencer_submit(s->q, spoil(a, good, 1), a, &out), ERR_NOTE_SIGNATURE);
		assert_int_equal(sequencer_submit(s->q, notice_of(a, s->w->stranger, number), a, &out),
				 ERR_PARTY_UNKNOWN);
		assert_int_equal(sequencer_submit(s->q, good, a, &out), OK);
		check_receipt(s->w, a, good, &out.appended, out.receipt);
		s->accepted++;
		assert_int_equal(sequencer_submit(s->q, good, a, &out), ERR_STATEMENT_REPEATED);
		assert_true(strstr(err_detail(), "of the circle ledger") != NULL);
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

/* Meanwhile others read, and what they see fits together. */
static void *read_on(void *context)
{
	struct submitter *s = context;
	struct arena *a = arena_new((size_t)1 << 26);

	for (unsigned i = 0; i < 200; i++) {
		struct matter m;
		struct state st;
		struct span entry;

		arena_reset(a);
		assert_int_equal(node_read(s->w->n, a, &st), OK);
		assert_int_equal(state_matter(&st, s->w->notice, &m), OK);
		snapshot_end(st.snapshot);
		assert_int_equal(node_entry(s->w->n, a, m.ledger, m.index, &entry), OK);
		assert_true(entry.len > 100);
	}
	arena_free(a);
	return NULL;
}

static void refusals_among_others(void **state)
{
	struct world *w = world_new(*state);
	uint64_t public = size_of(w, LEDGER_PUBLIC), circle = size_of(w, LEDGER_CIRCLE);
	struct submitter s[THREADS + 1];
	struct sequencer *q = start(w, &defaults);

	for (unsigned i = 0; i <= THREADS; i++) {
		s[i] = (struct submitter){ w, q, i % 2 == 0 ? w->res : w->team, i, 0, 0 };
		assert_int_equal(pthread_create(&s[i].thread, NULL, i < THREADS ? submit_mixed : read_on, &s[i]), 0);
	}
	for (unsigned i = 0; i <= THREADS; i++) {
		pthread_join(s[i].thread, NULL);
		circle += s[i].accepted;
	}
	assert_int_equal(sequencer_stop(q), OK);
	check_whole(w, public, circle);
	world_free(w);
}

/* ---- by callbacks ---- */

#define PAIRS 40

/* A party statement, and behind it without waiting what the party says: the order of offering is the order of judging,
 * whatever the workers saw. */
static void in_the_order_of_offering(void **state)
{
	struct world *w = world_new(*state);
	uint64_t public = size_of(w, LEDGER_PUBLIC), circle = size_of(w, LEDGER_CIRCLE);
	struct one *all = calloc(2 * PAIRS, sizeof(*all));
	struct counting c = COUNTING;
	struct sequencer *q = start(w, &defaults);

	assert_non_null(all);
	for (unsigned i = 0; i < PAIRS; i++) {
		struct signer *party = signer_of(arena_print(w->arena, "new-%u.example", i));

		assert_int_equal(offer(q, &all[2 * i], &c, w,
				       party_text(w->arena, "cert.example/public", party, "role researcher\n", NULL)),
				 OK);
		assert_int_equal(offer(q, &all[2 * i + 1], &c, w, notice_of(w->arena, party, i)), OK);
		signer_free(party);
	}
	wait_done(&c, 2 * PAIRS);
	for (unsigned i = 0; i < PAIRS; i++) {
		assert_int_equal(all[2 * i].submission.err, OK);
		assert_int_equal(all[2 * i].submission.appended.index, public + i);
		assert_int_equal(all[2 * i + 1].submission.err, OK);
		assert_int_equal(all[2 * i + 1].submission.appended.index, circle + i);
		assert_true(all[2 * i].submission.appended.logged_ms <= all[2 * i + 1].submission.appended.logged_ms);
	}
	assert_int_equal(sequencer_stop(q), OK);
	check_whole(w, public + PAIRS, circle + PAIRS);
	free(all);
	world_free(w);
}

/* Verified in time, by a key that was good then: what counts is the state when its turn comes. */
static void parties_that_leave_meanwhile(void **state)
{
	struct world *w = world_new(*state);
	struct counting c = COUNTING;
	struct one all[6];
	const char *lines = arena_print(w->arena, "re %s\n", hex_of(w->arena, w->party_res));
	struct hash seed = hash_bytes("other", 5);
	struct signer *other = NULL;
	struct sequencer *q = start(w, &defaults);

	assert_int_equal(signer_from_seed(SPAN("res.example"), seed.bytes, &other), OK);
	assert_int_equal(offer(q, &all[0], &c, w, notice_of(w->arena, w->res, 1)), OK);
	assert_int_equal(offer(q, &all[1], &c, w, notice_of(w->arena, other, 2)), OK);
	assert_int_equal(offer(q, &all[2], &c, w,
			       statement_text(w->arena, KIND_WITHDRAW, "cert.example/public", w->res, lines, NULL)),
			 OK);
	assert_int_equal(offer(q, &all[3], &c, w, notice_of(w->arena, w->res, 3)), OK);
	assert_int_equal(
		offer(q, &all[4], &c, w,
		      party_text(w->arena, "cert.example/public", w->res, "role researcher\ntitle back again\n", NULL)),
		OK);
	assert_int_equal(offer(q, &all[5], &c, w, notice_of(w->arena, w->res, 4)), OK);
	wait_done(&c, 6);
	assert_int_equal(all[0].submission.err, OK);
	assert_int_equal(all[1].submission.err, ERR_KEY_UNKNOWN);
	assert_int_equal(all[2].submission.err, OK);
	assert_int_equal(all[3].submission.err, ERR_PARTY_UNKNOWN);
	assert_int_equal(all[4].submission.err, OK);
	assert_int_equal(all[5].submission.err, OK);
	assert_int_equal(sequencer_stop(q), OK);
	assert_int_equal(audit(w), OK);
	signer_free(other);
	world_free(w);
}

/* A note that is not the one that was verified is verified again, whatever was said about it. */
static void only_that_note_is_verified(void **state)
{
	struct world *w = world_new(*state);
	struct span good = notice_of(w->arena, w->res, 1), other = notice_of(w->arena, w->res, 2);
	struct statement s;
	struct verified v = { .key = *signer_verifier(w->res) };
	char *line_of_other = arena_copy(w->arena, good.at, good.len);
	struct appended out;

	assert_int_equal(statement_parse(w->arena, good, &s), OK);
	v.id = s.id;
	memcpy(v.signature, s.note.lines[0].signature.at, KEY_SIGNATURE_SIZE);
	/* The text of the first with the signature line of the second, which has the same length. */
	memcpy(line_of_other + good.len - 60, other.at + other.len - 60, 60);
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_verified(w->n, span_make(line_of_other, good.len), &v, &out), ERR_NOTE_SIGNATURE);
	assert_int_equal(node_add_verified(w->n, spoil(w->arena, good, 1), &v, &out), ERR_NOTE_SIGNATURE);
	v.key = *signer_verifier(w->team);
	assert_int_equal(node_add_verified(w->n, spoil(w->arena, other, 1), &v, &out), ERR_NOTE_SIGNATURE);
	assert_int_equal(node_add_verified(w->n, good, &v, &out), OK);
	assert_int_equal(node_commit(w->n), OK);
	world_free(w);
}

static void once_of_many_at_once(void **state)
{
	struct world *w = world_new(*state);
	uint64_t public = size_of(w, LEDGER_PUBLIC), circle = size_of(w, LEDGER_CIRCLE);
	struct sequencer *q = start(w, &defaults);
	struct one *all = calloc(64, sizeof(*all));

	assert_non_null(all);
	for (unsigned round = 0; round < 10; round++) {
		struct span note = notice_of(w->arena, w->res, round);
		struct counting c = COUNTING;
		size_t accepted = 0;

		for (size_t i = 0; i < 64; i++)
			assert_int_equal(offer(q, &all[i], &c, w, note), OK);
		wait_done(&c, 64);
		for (size_t i = 0; i < 64; i++) {
			accepted += all[i].submission.err == OK;
			assert_true(all[i].submission.err == OK || all[i].submission.err == ERR_STATEMENT_REPEATED);
		}
		assert_int_equal(accepted, 1);
	}
	assert_int_equal(sequencer_stop(q), OK);
	check_whole(w, public, circle + 10);
	free(all);
	world_free(w);
}

/* ---- full, stopping, broken ---- */

static void full_queue(void **state)
{
	struct world *w = world_new(*state);
	struct sequencer_options o = { .workers = 2, .limit = 4, .publish_ms = 5 };
	struct counting c = COUNTING;
	struct one all[7];
	sem_t gate;
	struct sequencer *q = start(w, &o);

	hold(q, &all[0], &c, &gate, notice_of(w->arena, w->res, 0));
	for (unsigned i = 1; i <= 4; i++)
		assert_int_equal(offer(q, &all[i], &c, w, notice_of(w->arena, w->res, i)), OK);
	assert_int_equal(offer(q, &all[5], &c, w, notice_of(w->arena, w->res, 5)), ERR_BUSY);
	sem_post(&gate);
	wait_done(&c, 5);
	assert_int_equal(offer(q, &all[6], &c, w, notice_of(w->arena, w->res, 6)), OK);
	wait_done(&c, 6);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(all[i].submission.err, OK); /* the one that was not taken is as it was */
	assert_int_equal(sequencer_stop(q), OK);
	assert_int_equal(audit(w), OK);
	sem_destroy(&gate);
	world_free(w);
}

static void *stop(void *context)
{
	struct sequencer *q = context;

	assert_int_equal(sequencer_stop(q), OK);
	return NULL;
}

#define STOP_TRIES 4000 /* below the sequencer's limit */

static void stop_with_much_under_way(void **state)
{
	struct world *w = world_new(*state);
	uint64_t public = size_of(w, LEDGER_PUBLIC), circle = size_of(w, LEDGER_CIRCLE);
	struct counting c = COUNTING;
	struct one *all = calloc(STOP_TRIES + 1, sizeof(*all));
	const struct timespec pause = { 0, 1000000 };
	struct sequencer *q = start(w, &defaults);
	pthread_t stopper;
	unsigned offered = 1;
	sem_t gate;

	assert_non_null(all);
	hold(q, &all[0], &c, &gate, notice_of(w->arena, w->res, 0));
	for (; offered < 100; offered++)
		assert_int_equal(offer(q, &all[offered], &c, w, notice_of(w->arena, w->res, offered)), OK);
	assert_int_equal(pthread_create(&stopper, NULL, stop, q), 0);
	/* Until the stop is seen: the sequencer cannot be gone, its thread stands at the gate. */
	while (offer(q, &all[offered], &c, w, notice_of(w->arena, w->res, offered)) == OK) {
		if (++offered == STOP_TRIES)
			fail_msg("the stop was never seen");
		nanosleep(&pause, NULL);
	}
	sem_post(&gate);
	pthread_join(stopper, NULL);
	wait_done(&c, offered);
	for (unsigned i = 0; i < offered; i++)
		assert_int_equal(all[i].submission.err, OK);
	check_whole(w, public, circle + offered);
	sem_destroy(&gate);
	free(all);
	world_free(w);
}

/* The disk refuses the sync: no receipt, no further work, and nothing acknowledged is lost. */
static void failing_sync(void **state)
{
	struct world *w = world_new(*state);
	struct sequencer *q = start(w, &defaults);
	struct span first = notice_of(w->arena, w->res, 1);
	struct accepted out, none;

	assert_int_equal(sequencer_submit(q, first, w->arena, &out), OK);
	fdatasync_fails = true;
	assert_int_equal(sequencer_submit(q, notice_of(w->arena, w->res, 2), w->arena, &none), ERR_SYNC);
	assert_int_equal(sequencer_submit(q, notice_of(w->arena, w->res, 3), w->arena, &none), ERR_SYNC);
	fdatasync_fails = false;
	assert_int_equal(sequencer_submit(q, notice_of(w->arena, w->res, 4), w->arena, &none), ERR_SYNC);
	assert_int_equal(sequencer_stop(q), ERR_SYNC);
	assert_int_equal(node_begin(w->n), ERR_SYNC);
	reopen(w);
	assert_int_equal(audit(w), OK);
	check_receipt(w, w->arena, first, &out.appended, out.receipt);
	q = start(w, &defaults);
	assert_int_equal(sequencer_submit(q, first, w->arena, &none), ERR_STATEMENT_REPEATED);
	assert_int_equal(sequencer_submit(q, notice_of(w->arena, w->res, 3), w->arena, &none), OK);
	assert_int_equal(sequencer_stop(q), OK);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* Tiles that cannot be synced: the checkpoint file stays behind, and the node stops. */
static void failing_tiles(void **state)
{
	struct world *w = world_new(*state);
	uint64_t circle = size_of(w, LEDGER_CIRCLE);
	struct sequencer *q = start(w, &defaults);
	const char *path = arena_print(w->arena, "%s/ledger/circle/checkpoint", w->dir);
	struct span before, after;
	struct accepted out;

	assert_int_equal(file_read(w->arena, path, 10000, &before), OK);
	fsync_fails = true;
	assert_int_equal(sequencer_submit(q, notice_of(w->arena, w->res, 1), w->arena, &out), OK);
	assert_int_equal(sequencer_stop(q), ERR_SYNC);
	assert_int_equal(file_read(w->arena, path, 10000, &after), OK);
	assert_true(span_equal(before, after));
	fsync_fails = false;
	reopen(w);
	assert_int_equal(file_read(w->arena, path, 10000, &after), OK);
	assert_true(!span_equal(before, after));
	assert_int_equal(size_of(w, LEDGER_CIRCLE), circle + 1);
	world_free(w);
}

/* ---- ticks ---- */

static void ticks_when_due(void **state)
{
	struct world *w = world_new(*state);
	uint64_t public = size_of(w, LEDGER_PUBLIC), circle = size_of(w, LEDGER_CIRCLE);
	struct sequencer_options o = { .workers = 1, .publish_ms = 1, .ticks = true };
	struct sequencer *q = start(w, &o);
	struct accepted out;
	struct tick tick;
	struct state st;

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(sequencer_submit(q, notice_of(w->arena, w->res, i), w->arena, &out), OK);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(state_tick(&st, &tick), OK);
	snapshot_end(st.snapshot);
	assert_int_equal(sequencer_stop(q), OK);
	check_whole(w, public + 1, circle + 3);
	world_free(w);
}

/* ---- killed ---- */

#define KILLS 6
#define CHILD_FLIES 32

/* What the child says of each statement that was acknowledged to it, in one write. */
struct told {
	uint32_t number, length;
	struct appended appended;
	char receipt[3000];
};

struct flying {
	struct submission submission;
	struct sequencer *q;
	struct world *w;
	int pipe;
	uint32_t number;
	struct arena *arena;
};

static atomic_uint next_number;

static void fly(struct flying *f)
{
	f->number = atomic_fetch_add(&next_number, 1);
	arena_reset(f->arena);
	f->submission.note = notice_of(f->arena, f->w->res, f->number);
	if (sequencer_offer(f->q, &f->submission) != OK)
		_exit(1);
}

static void tell(struct submission *s)
{
	struct flying *f = s->context;
	struct told t = { .number = f->number, .length = (uint32_t)s->receipt.len, .appended = s->appended };

	if (s->err != OK || s->receipt.len > sizeof(t.receipt))
		_exit(1);
	memcpy(t.receipt, s->receipt.at, s->receipt.len);
	if (write(f->pipe, &t, sizeof(t)) != sizeof(t)) /* below PIPE_BUF: whole or not at all */
		_exit(1);
	fly(f);
}

static void child_works(struct world *w, int pipe)
{
	static struct flying flying[CHILD_FLIES];
	struct sequencer *q;

	if (node_open(w->dir, NODE_WRITE, &w->n) != OK)
		_exit(1);
	q = start(w, &defaults);
	for (size_t i = 0; i < CHILD_FLIES; i++) {
		flying[i] = (struct flying){ .q = q, .w = w, .pipe = pipe, .arena = arena_new(1 << 20) };
		flying[i].submission.done = tell;
		flying[i].submission.context = &flying[i];
		fly(&flying[i]);
	}
	for (;;)
		pause();
}

/* Reads until it is time to kill, then what was still written. */
static size_t listen_and_kill(pid_t child, int from, size_t enough, struct told *told, size_t room)
{
	size_t n = 0;
	int status;

	while (n < room && read(from, &told[n], sizeof(told[n])) == sizeof(told[n]))
		if (++n == enough)
			kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return n;
}

/* Every root that the ledger of the circle has had. */
static struct hash *all_roots(struct world *w, uint64_t size)
{
	struct hash *roots = calloc(size + 1, sizeof(*roots));
	struct frontier f = { 0 };

	assert_non_null(roots);
	for (uint64_t i = 0; i < size; i++) {
		struct span entry;

		assert_int_equal(node_entry(w->n, w->arena, LEDGER_CIRCLE, i, &entry), OK);
		frontier_add(&f, merkle_leaf(entry));
		roots[f.size] = frontier_root(&f);
	}
	return roots;
}

/* What was acknowledged is there, in its place, and its receipt is one of this tree. */
static void check_told(struct world *w, const struct told *t, const struct hash *roots, uint64_t size)
{
	struct arena *a = arena_new(1 << 20);
	struct span note = notice_of(a, w->res, t->number), receipt = span_make(t->receipt, t->length), entry;
	struct statement s;
	struct checkpoint c;
	struct receipt r;
	enum ledger_id l;
	uint64_t index;

	assert_int_equal(statement_parse(a, note, &s), OK);
	assert_int_equal(node_find(w->n, s.id, &l, &index), OK);
	assert_true(l == t->appended.ledger && index == t->appended.index);
	assert_int_equal(node_entry(w->n, a, l, index, &entry), OK);
	assert_int_equal(receipt_parse(a, receipt, &r), OK);
	assert_int_equal(receipt_verify(a, &r, entry, node_ledger_key(w->n, l), &c), OK);
	assert_true(c.size <= size && hash_equal(c.root, roots[c.size]));
	arena_free(a);
}

/* Before the files have it: under the checkpoint that was signed last, which goes on to what is published. */
static void receipts_at_once(void **state)
{
	const struct sequencer_options o = { .workers = 2, .publish_ms = 3600000 };
	struct world *w = world_new(*state);
	struct arena *a = arena_new(4 << 20);
	struct sequencer *q = start(w, &o);
	struct accepted made[40];
	struct hash *roots;
	struct audit audit;
	struct receipt r;

	assert_int_equal(sequencer_receipt(q, a, LEDGER_CIRCLE, 0, &r), ERR_NOT_FOUND);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(sequencer_submit(q, notice_of(a, w->res, i), a, &made[i]), OK);
	for (unsigned i = 0; i < 40; i++) {
		struct buffer entry = BUFFER(2 * STATEMENT_MAX);
		struct span published;

		assert_int_equal(sequencer_receipt(q, a, LEDGER_CIRCLE, made[i].appended.index, &r), OK);
		assert_int_equal(r.index, made[i].appended.index);
		entry_print(made[i].appended.logged_ms, notice_of(a, w->res, i), &entry);
		assert_int_equal(receipt_verify(a, &r, buffer_view(&entry), node_ledger_key(w->n, LEDGER_CIRCLE), NULL),
				 OK);
		if (i == 39) /* the first may have been published at once */
			assert_int_equal(node_receipt(w->n, a, LEDGER_CIRCLE, made[i].appended.index, &published),
					 ERR_NOT_FOUND);
		buffer_free(&entry);
	}
	assert_int_equal(sequencer_receipt(q, a, LEDGER_CIRCLE, made[39].appended.index + 1, &r), ERR_NOT_FOUND);
	assert_int_equal(sequencer_receipt(q, a, LEDGER_CIRCLE, made[39].appended.index, &r), OK);
	assert_int_equal(sequencer_stop(q), OK);
	assert_int_equal(node_audit(w->n, NULL, NULL, &audit), OK);
	roots = all_roots(w, audit.entries[LEDGER_CIRCLE]);
	{
		struct checkpoint c;

		assert_int_equal(checkpoint_open(a, r.checkpoint_note, node_ledger_key(w->n, LEDGER_CIRCLE), &c), OK);
		assert_true(c.size <= audit.entries[LEDGER_CIRCLE] && hash_equal(c.root, roots[c.size]));
	}
	free(roots);
	arena_free(a);
	world_free(w);
}

static void killed_at_any_moment(void **state)
{
	struct world *w = world_new(*state);
	struct told *told = calloc(4000, sizeof(*told));
	uint64_t seed = test_seed();
	size_t n = 0;

	assert_non_null(told);
	assert_true(sizeof(struct told) <= 4096);
	for (int round = 0; round < KILLS; round++) {
		struct hash *roots;
		struct audit a;
		int ends[2];
		pid_t child;

		node_close(w->n);
		w->n = NULL;
		assert_int_equal(pipe(ends), 0);
		next_number = 10000u * (unsigned)(round + 1);
		if ((child = fork()) == 0) {
			close(ends[0]);
			child_works(w, ends[1]);
		}
		assert_true(child > 0);
		close(ends[1]);
		n += listen_and_kill(child, ends[0], 1 + test_below(&seed, 300), told + n, 4000 - n);
		close(ends[0]);
		assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
		assert_int_equal(node_audit(w->n, NULL, NULL, &a), OK);
		roots = all_roots(w, a.entries[LEDGER_CIRCLE]);
		for (size_t i = 0; i < n; i++)
			check_told(w, &told[i], roots, a.entries[LEDGER_CIRCLE]);
		free(roots);
	}
	assert_true(n >= KILLS);
	free(told);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(receipts_hold),
		IN_A_FOLDER(published_as_signed),
		IN_A_FOLDER(receipts_at_once),
		IN_A_FOLDER(refusals_among_others),
		IN_A_FOLDER(in_the_order_of_offering),
		IN_A_FOLDER(parties_that_leave_meanwhile),
		IN_A_FOLDER(only_that_note_is_verified),
		IN_A_FOLDER(once_of_many_at_once),
		IN_A_FOLDER(full_queue),
		IN_A_FOLDER(stop_with_much_under_way),
		IN_A_FOLDER(failing_sync),
		IN_A_FOLDER(failing_tiles),
		IN_A_FOLDER(ticks_when_due),
		IN_A_FOLDER(killed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
