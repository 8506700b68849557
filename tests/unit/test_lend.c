#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "regime/node_private.h"
#include "regime_sequencer.h"

/*
 * The borrowers are another process, since LMDB and the locks tell processes apart. It is forked before the node is opened here
 * and follows orders that come through a pipe; a letter comes back for each.
 */
struct borrower {
	int orders, answers;
	pid_t pid;
};

struct order {
	unsigned loans, notices, marks; /* so many loans, with so many notices and marks in each */
	unsigned first;			/* the notices' numbers begin here */
	bool endless;			/* one loan, batch after batch, until it is killed */
	bool serve;			/* it tries to lend the node itself */
};

static void fill_marks(struct mark *marks, size_t count, uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
		test_bytes(&seed, marks[i].bytes, MARK_SIZE);
	marks_sort(marks, count);
}

/* What goes wrong in there shows as a letter that is not 'k'. */
static char lend_once(const char *dir, const struct order *o, unsigned at)
{
	struct mark *marks = calloc(o->marks + 1, sizeof(*marks));
	struct world w = { .dir = dir };
	char result = 'k';
	enum err e = node_open(dir, NODE_WRITE, &w.n);

	if (e != OK) {
		print_error("borrower: %s: %s\n", err_code(e), err_detail());
		free(marks);
		return e == ERR_BUSY ? 'b' : 'o';
	}
	if (o->serve)
		result = node_serve(w.n) == ERR_BUSY ? 's' : 'n';
	if (o->notices > 0 || o->marks > 0) {
		if (node_begin(w.n) != OK)
			result = 'g';
		for (unsigned i = 0; result == 'k' && i < o->notices; i++)
			add_notice(&w, o->first + at * o->notices + i);
		fill_marks(marks, o->marks, o->first * UINT64_C(1000) + at);
		if (result == 'k' && (node_add_marks(w.n, marks, o->marks) != OK || node_commit(w.n) != OK))
			result = 'c';
	}
	free(marks);
	node_close(w.n);
	return result;
}

static void go_on_for_ever(const char *dir, const struct order *o, int answers)
{
	struct world w = { .dir = dir };

	if (node_open(dir, NODE_WRITE, &w.n) != OK)
		_exit(1);
	if (write(answers, "h", 1) != 1)
		_exit(1);
	for (unsigned i = o->first;; i += o->notices) {
		add_marks(&w, i, o->marks);
		add_notices(&w, i, i + o->notices);
	}
}

static void follow_orders(const char *dir, int orders, int answers)
{
	struct order o;

	while (read(orders, &o, sizeof(o)) == sizeof(o)) {
		char result = 'k';

		if (o.endless)
			go_on_for_ever(dir, &o, answers);
		for (unsigned i = 0; result == 'k' && i < o.loans; i++)
			result = lend_once(dir, &o, i);
		assert_int_equal(write(answers, &result, 1), 1);
	}
	_exit(0);
}

static struct borrower borrower_new(const char *dir)
{
	int orders[2], answers[2];
	struct borrower b;

	assert_int_equal(pipe(orders), 0);
	assert_int_equal(pipe(answers), 0);
	assert_true((b.pid = fork()) != -1);
	if (b.pid == 0) {
		for (int fd = 3; fd < 1024; fd++) /* also the pipes of those before it */
			if (fd != orders[0] && fd != answers[1])
				close(fd);
		follow_orders(dir, orders[0], answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	b.orders = orders[1];
	b.answers = answers[0];
	return b;
}

static void give_order(const struct borrower *b, struct order o)
{
	assert_int_equal(write(b->orders, &o, sizeof(o)), sizeof(o));
}

static char answer_of(const struct borrower *b)
{
	char c = 'd';

	assert_true(read(b->answers, &c, 1) >= 0); /* nothing comes from one that died */
	return c;
}

static void borrower_end(struct borrower *b)
{
	int status;

	close(b->orders);
	assert_int_equal(waitpid(b->pid, &status, 0), b->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(b->answers);
}

static void borrower_kill(struct borrower *b)
{
	int status;

	assert_int_equal(kill(b->pid, SIGKILL), 0);
	assert_int_equal(waitpid(b->pid, &status, 0), b->pid);
	assert_true(WIFSIGNALED(status));
	close(b->orders);
	close(b->answers);
}

/* ---- a lender with readers ---- */

struct lender {
	struct world *w;
	struct borrower b[3];
	struct sequencer *q;
	atomic_bool ended;
	_Atomic uint64_t stamp;
	atomic_uint told;
	uint64_t before[LEDGER_COUNT];
};

static void told(void *context, uint64_t stamp)
{
	struct lender *l = context;

	assert_true(stamp >= l->stamp);
	l->stamp = stamp;
	l->told++;
}

/* The borrowers are forked while no node is open here and no thread runs. */
static struct lender *lender_new(struct scratch *s, unsigned borrowers)
{
	struct lender *l = calloc(1, sizeof(*l));
	struct sequencer_options o = { .workers = 2, .publish_ms = 5, .lends = true, .reached = told, .context = l };

	assert_non_null(l);
	l->w = world_new(s);
	for (int i = 0; i < LEDGER_COUNT; i++)
		l->before[i] = size_of(l->w, (enum ledger_id)i);
	node_close(l->w->n);
	for (unsigned i = 0; i < borrowers; i++)
		l->b[i] = borrower_new(l->w->dir);
	assert_int_equal(node_open(l->w->dir, NODE_WRITE, &l->w->n), OK);
	l->q = start(l->w, &o);
	return l;
}

static void lender_free(struct lender *l)
{
	world_free(l->w);
	free(l);
}

struct reading {
	struct lender *l;
	pthread_t thread;
	unsigned rounds;
};

/* What a snapshot names is there, all of it, and it only grows. */
static void *read_all(void *context)
{
	struct reading *r = context;
	struct arena *a = arena_new((size_t)1 << 26);
	struct node *n = r->l->w->n;
	uint64_t before = 0;

	while (!r->l->ended) {
		struct heads h;
		struct snapshot *s = NULL;

		assert_int_equal(views_read(n->views, &s), OK);
		assert_int_equal(heads_get(s, &h), OK);
		snapshot_end(s);
		assert_true(h.size[LEDGER_CIRCLE] >= before);
		for (uint64_t i = before; i < h.size[LEDGER_CIRCLE]; i++) {
			struct statement statement;
			const uint8_t *salt;
			struct entry entry;
			struct span text;
			enum err e = node_entry(n, a, LEDGER_CIRCLE, i, &text);

			if (e != OK)
				print_error("%s: %s\n", err_code(e), err_detail());
			assert_int_equal(e, OK);
			assert_int_equal(entry_parse(text, &entry), OK);
			assert_int_equal(statement_parse(a, entry.note, &statement), OK);
			if (span_is(statement.from, "cert.example") && i >= r->l->before[LEDGER_CIRCLE])
				assert_int_equal(node_body(n, a, statement.body.hash, &salt, &text), OK);
			arena_reset(a);
		}
		if (h.size[LEDGER_CIRCLE] > before) {
			struct span receipt;
			enum err e = node_receipt(n, a, LEDGER_CIRCLE, h.size[LEDGER_CIRCLE] - 1, &receipt);

			assert_true(e == OK || e == ERR_NOT_FOUND); /* not yet published */
		}
		before = h.size[LEDGER_CIRCLE];
		r->rounds++;
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

static void readers_start(struct lender *l, struct reading *r, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		r[i] = (struct reading){ .l = l };
		assert_int_equal(pthread_create(&r[i].thread, NULL, read_all, &r[i]), 0);
	}
}

static void readers_end(struct lender *l, struct reading *r, unsigned count)
{
	l->ended = true;
	for (unsigned i = 0; i < count; i++) {
		pthread_join(r[i].thread, NULL);
		assert_true(r[i].rounds > 0);
	}
}

static void submit_one(struct lender *l, unsigned number)
{
	struct span note = notice_of(l->w->arena, l->w->team, number);
	struct accepted out;
	enum err e = sequencer_submit(l->q, note, l->w->arena, &out);

	if (e != OK)
		print_error("%s: %s\n", err_code(e), err_detail());
	assert_int_equal(e, OK);
	check_receipt(l->w, l->w->arena, note, &out.appended, out.receipt);
}

static unsigned files_in(struct lender *l, const char *folder)
{
	const char *path = arena_print(l->w->arena, "%s/%s", l->w->dir, folder);
	DIR *d = opendir(path);
	const struct dirent *f;
	unsigned n = 0;

	assert_non_null(d);
	while ((f = readdir(d)) != NULL)
		n += f->d_name[0] != '.';
	closedir(d);
	return n;
}

static bool has(struct lender *l, const char *name)
{
	return file_exists(arena_print(l->w->arena, "%s/%s", l->w->dir, name));
}

/* ---- turn by turn ---- */

#define ROUNDS 40
#define LOANS 3
#define NOTICES 2
#define MARKS 100

/* Both sides append in turns, both see all of it, and it is one ledger in the end. */
static void turns(void **state)
{
	struct lender *l = lender_new(*state, 1);
	struct reading r[3];
	uint64_t circle = l->before[LEDGER_CIRCLE] + ROUNDS * (LOANS * NOTICES + 1);

	readers_start(l, r, 3);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct order o = { .loans = LOANS, .notices = NOTICES, .marks = MARKS, .first = 1000 + 100 * i };

		give_order(&l->b[0], o);
		submit_one(l, i);
		assert_int_equal(answer_of(&l->b[0]), 'k');
	}
	give_order(&l->b[0], (struct order){ .loans = 1, .serve = true });
	assert_int_equal(answer_of(&l->b[0]), 's');
	assert_true(has(l, "views/boot")); /* the clean close is still to come */
	borrower_end(&l->b[0]);
	readers_end(l, r, 3);
	submit_one(l, 999);
	assert_int_equal(sequencer_stop(l->q), OK);
	assert_true(l->stamp == l->w->n->heads.stamp);
	assert_true(l->told >= ROUNDS);
	assert_int_equal(marks_count(node_marks(l->w->n)), ROUNDS * LOANS * MARKS);
	assert_true(files_in(l, "views/marks") < 10);
	reopen(l->w);
	assert_int_equal(marks_count(node_marks(l->w->n)), ROUNDS * LOANS * MARKS);
	check_whole(l->w, l->before[LEDGER_PUBLIC], circle + 1);
	node_close(l->w->n);
	l->w->n = NULL;
	assert_false(has(l, "views/boot"));
	lender_free(l);
}

/* ---- nobody starves ---- */

struct chain {
	struct lender *l;
	struct span *notes;
	unsigned at, count;
	sem_t done;
};

/* The next is in the queue before the last is forgotten: somebody always waits here. */
static void next_in_chain(struct submission *s)
{
	struct chain *c = s->context;

	if (s->err != OK)
		print_error("%s: %s\n", err_code(s->err), s->detail);
	assert_int_equal(s->err, OK);
	if (++c->at == c->count) {
		sem_post(&c->done);
		return;
	}
	s->note = c->notes[c->at];
	assert_int_equal(sequencer_offer(c->l->q, s), OK);
}

static void submit_chain(struct lender *l, unsigned first, unsigned count)
{
	struct chain c = { .l = l, .notes = calloc(count, sizeof(struct span)), .count = count };
	struct submission s = { .done = next_in_chain, .context = &c };

	assert_non_null(c.notes);
	for (unsigned i = 0; i < count; i++)
		c.notes[i] = notice_of(l->w->arena, l->w->team, first + i);
	sem_init(&c.done, 0, 0);
	s.note = c.notes[0];
	assert_int_equal(sequencer_offer(l->q, &s), OK);
	while (sem_wait(&c.done) == -1)
		;
	sem_destroy(&c.done);
	free(c.notes);
}

/* The most entries of borrowers between two of ours, from the first of ours to the last. */
static uint64_t longest_wait(struct lender *l)
{
	uint64_t size = size_of(l->w, LEDGER_CIRCLE), now = 0, most = 0;
	bool begun = false;

	for (uint64_t i = l->before[LEDGER_CIRCLE]; i < size; i++) {
		struct statement s;
		struct entry entry;
		struct span text;

		assert_int_equal(node_entry(l->w->n, l->w->arena, LEDGER_CIRCLE, i, &text), OK);
		assert_int_equal(entry_parse(text, &entry), OK);
		assert_int_equal(statement_parse(l->w->arena, entry.note, &s), OK);
		if (span_is(s.from, "cert.example")) {
			now++;
			continue;
		}
		if (begun && now > most)
			most = now;
		begun = true;
		now = 0;
	}
	return most;
}

/* Three who ask without end, and one of ours that always waits: behind each loan it has its turn, and each loan comes. */
static void nobody_starves(void **state)
{
	struct lender *l = lender_new(*state, 3);
	uint64_t circle = l->before[LEDGER_CIRCLE] + 3 * 20 * NOTICES + 200;

	for (unsigned i = 0; i < 3; i++)
		give_order(&l->b[i],
			   (struct order){ .loans = 20, .notices = NOTICES, .first = 1000 * (i + 1), .marks = 5 });
	submit_chain(l, 0, 200);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(answer_of(&l->b[i]), 'k');
		borrower_end(&l->b[i]);
	}
	assert_int_equal(sequencer_stop(l->q), OK);
	assert_in_range(longest_wait(l), 1, NOTICES);
	check_whole(l->w, l->before[LEDGER_PUBLIC], circle);
	lender_free(l);
}

/* ---- deaths ---- */

/* A borrower is killed somewhere in its batches: what it committed stays, the lender goes on. */
static void borrower_dies(void **state)
{
	struct scratch *s = *state;
	struct borrower many[24];
	struct lender *l;
	struct reading r[2];
	uint64_t seed = test_seed(), before, after;

	for (size_t i = 0; i < TABLE_LENGTH(many); i++)
		many[i] = borrower_new(scratch_path(s, "node"));
	l = lender_new(s, 0);
	readers_start(l, r, 2);
	for (unsigned i = 0; i < TABLE_LENGTH(many); i++) {
		struct order o = {
			.notices = 1 + i % 5, .marks = 1 + i % 7, .first = 1000000 * (i + 1), .endless = true
		};

		give_order(&many[i], o);
		assert_int_equal(answer_of(&many[i]), 'h');
		usleep((useconds_t)test_below(&seed, 20000));
		borrower_kill(&many[i]);
		submit_one(l, i);
	}
	readers_end(l, r, 2);
	assert_int_equal(sequencer_stop(l->q), OK);
	before = marks_count(node_marks(l->w->n));
	check_whole(l->w, l->before[LEDGER_PUBLIC], l->w->n->heads.size[LEDGER_CIRCLE]);
	after = marks_count(node_marks(l->w->n));
	assert_true(before > 0 && before == after);
	lender_free(l);
}

/* While it is killed in the middle of opening, waiting, closing. */
static void one_dies_who_waits(void **state)
{
	struct scratch *s = *state;
	struct borrower many[24];
	struct lender *l;
	uint64_t seed = test_seed();

	for (size_t i = 0; i < TABLE_LENGTH(many); i++)
		many[i] = borrower_new(scratch_path(s, "node"));
	l = lender_new(s, 0);
	for (unsigned i = 0; i < TABLE_LENGTH(many); i++) {
		give_order(&many[i], (struct order){ .loans = 1000, .notices = 1, .first = 1000000 * (i + 1) });
		usleep((useconds_t)test_below(&seed, 30000));
		submit_one(l, i);
		borrower_kill(&many[i]);
	}
	submit_one(l, 1000);
	assert_int_equal(sequencer_stop(l->q), OK);
	check_whole(l->w, l->before[LEDGER_PUBLIC], l->w->n->heads.size[LEDGER_CIRCLE]);
	lender_free(l);
}

static void lend_until_killed(struct world *w, int answers)
{
	struct sequencer_options o = { .workers = 1, .publish_ms = 5, .lends = true };
	struct sequencer *q;
	struct accepted out;

	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	q = start(w, &o);
	assert_int_equal(sequencer_submit(q, notice_of(w->arena, w->team, 1), w->arena, &out), OK);
	assert_int_equal(write(answers, "h", 1), 1);
	for (;;)
		pause();
}

/* The lender is killed while another has the node: that one goes on alone, and its close is the clean one. */
static void lender_dies(void **state)
{
	struct world *w = world_new(*state);
	struct borrower b, lender;
	uint64_t circle = size_of(w, LEDGER_CIRCLE);
	int answers[2];

	node_close(w->n);
	w->n = NULL;
	assert_int_equal(pipe(answers), 0);
	assert_true((lender.pid = fork()) != -1);
	if (lender.pid == 0)
		lend_until_killed(w, answers[1]);
	close(answers[1]);
	lender.answers = answers[0];
	lender.orders = dup(answers[0]);
	b = borrower_new(w->dir);
	assert_int_equal(answer_of(&lender), 'h');
	give_order(&b, (struct order){ .endless = true, .notices = 2, .marks = 3, .first = 1000 });
	assert_int_equal(answer_of(&b), 'h');
	borrower_kill(&lender);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), ERR_BUSY); /* at once: nobody lends it now */
	borrower_kill(&b);
	b = borrower_new(w->dir);
	give_order(&b, (struct order){ .loans = 2, .notices = 2, .marks = 3, .first = 1 });
	assert_int_equal(answer_of(&b), 'k');
	borrower_end(&b);
	assert_false(file_exists(arena_print(w->arena, "%s/views/boot", w->dir)));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_string_equal(node_mended(w->n), "");
	assert_true(w->n->heads.size[LEDGER_CIRCLE] >= circle + 1 + 4);
	check_whole(w, w->n->heads.size[LEDGER_PUBLIC], w->n->heads.size[LEDGER_CIRCLE]);
	world_free(w);
}

/* ---- the end, and views that do not fit ---- */

/* Nothing is under way: the lender need not wait for the borrower, who then has it alone. */
static void stop_while_lent(void **state)
{
	struct lender *l = lender_new(*state, 1);

	give_order(&l->b[0], (struct order){ .endless = true, .notices = 1, .marks = 1, .first = 1 });
	assert_int_equal(answer_of(&l->b[0]), 'h');
	assert_true(sequencer_lent(l->q));
	assert_int_equal(sequencer_stop(l->q), OK);
	node_close(l->w->n);
	l->w->n = NULL;
	assert_true(has(l, "views/boot"));
	assert_int_equal(node_open(l->w->dir, NODE_WRITE, &l->w->n), ERR_BUSY);
	borrower_kill(&l->b[0]);
	assert_int_equal(node_open(l->w->dir, NODE_WRITE, &l->w->n), OK);
	assert_string_equal(node_mended(l->w->n), "");
	check_whole(l->w, l->before[LEDGER_PUBLIC], l->w->n->heads.size[LEDGER_CIRCLE]);
	lender_free(l);
}

/* A borrower to whom the views are no good leaves them to the lender. */
static void views_stay(void **state)
{
	struct lender *l = lender_new(*state, 1);
	const char *boot = arena_print(l->w->arena, "%s/views/boot", l->w->dir);
	struct span good;

	assert_int_equal(file_read(l->w->arena, boot, 100, &good), OK);
	assert_int_equal(file_write(boot, SPAN("another boot\n"), 0600), OK);
	give_order(&l->b[0], (struct order){ .loans = 1, .notices = 1 });
	assert_int_equal(answer_of(&l->b[0]), 'b');
	submit_one(l, 1);
	assert_int_equal(file_write(boot, good, 0600), OK);
	give_order(&l->b[0], (struct order){ .loans = 1, .notices = 1 });
	assert_int_equal(answer_of(&l->b[0]), 'k');
	submit_one(l, 2);
	borrower_end(&l->b[0]);
	assert_int_equal(sequencer_stop(l->q), OK);
	check_whole(l->w, l->before[LEDGER_PUBLIC], l->before[LEDGER_CIRCLE] + 3);
	lender_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(turns),	    IN_A_FOLDER(nobody_starves),
		IN_A_FOLDER(borrower_dies), IN_A_FOLDER(one_dies_who_waits),
		IN_A_FOLDER(lender_dies),   IN_A_FOLDER(stop_while_lent),
		IN_A_FOLDER(views_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
