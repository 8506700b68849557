#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "scratch.h"
#include "store/journal.h"
#include "test.h"

/*
 * Two processes that append in turns. The order of the records is known beforehand: number i says so in its first bytes, and its
 * length and kind follow from i. So each reader can tell by itself whether it sees everything and nothing else.
 */
#define LARGE 397 /* of so many records one is large, so that segments are begun on both sides */
#define LARGE_SIZE ((size_t)3 << 20)

static size_t size_of_record(uint64_t i)
{
	return i % LARGE == LARGE - 1 ? LARGE_SIZE : 8 + i % 300;
}

static uint8_t kind_of_record(uint64_t i)
{
	return i % 5 == 0 ? RECORD_BODY : RECORD_ENTRY;
}

static void fill_record(uint64_t i, char *at)
{
	memset(at, (int)(i % 251), size_of_record(i));
	memcpy(at, &i, sizeof(i));
}

/* One batch of so many records from number i on; what is to be erased goes at once. */
static enum err append(struct journal *j, uint64_t i, unsigned count, bool erase)
{
	static char bytes[LARGE_SIZE];
	uint64_t position, body = 0;
	enum err e = journal_begin(j);

	for (unsigned n = 0; e == OK && n < count; n++, i++) {
		struct span part = span_make(bytes, size_of_record(i));

		fill_record(i, bytes);
		e = journal_add(j, kind_of_record(i), 0, &part, 1, &position);
		if (kind_of_record(i) == RECORD_BODY)
			body = position;
	}
	if (e == OK)
		e = journal_commit(j);
	return e == OK && erase && body != 0 ? journal_erase(j, body) : e;
}

struct counting {
	uint64_t next; /* number */
	uint64_t from; /* where to go on */
};

static enum err count_one(void *context, const struct record *r)
{
	struct counting *c = context;
	uint64_t i;

	assert_int_equal(r->kind, kind_of_record(c->next));
	assert_int_equal(r->payload.len, size_of_record(c->next));
	if (!r->erased) {
		memcpy(&i, r->payload.at, sizeof(i));
		assert_true(i == c->next);
		assert_int_equal((uint8_t)r->payload.at[r->payload.len - 1], r->payload.len > 8 ? i % 251 : i >> 56);
	}
	c->next++;
	c->from = r->next;
	return OK;
}

static uint64_t records_in(struct journal *j)
{
	struct counting c = { 0 };
	enum err e = journal_tail(j, 0, count_one, &c);

	if (e != OK)
		print_error("%s: %s\n", err_code(e), err_detail());
	assert_int_equal(e, OK);
	return c.next;
}

/* ---- the other process ---- */

struct other {
	int orders, answers;
	pid_t pid;
};

struct order {
	uint64_t first;
	unsigned count;
	bool erase, endless;
};

static void follow_orders(const char *dir, int orders, int answers)
{
	struct order o;

	while (read(orders, &o, sizeof(o)) == sizeof(o)) {
		struct journal *j = NULL;
		enum err e = journal_open_writer(dir, &j);
		char result;

		if (o.endless && e == OK && write(answers, "h", 1) == 1)
			for (; e == OK; o.first += o.count)
				e = append(j, o.first, o.count, o.erase);
		if (e == OK)
			e = append(j, o.first, o.count, o.erase);
		if (e != OK)
			print_error("%s: %s\n", err_code(e), err_detail());
		result = e == OK ? 'k' : 'e';
		journal_close(j);
		if (write(answers, &result, 1) != 1)
			break;
	}
	_exit(0);
}

static struct other other_new(const char *dir)
{
	int orders[2], answers[2];
	struct other o;

	assert_int_equal(pipe(orders), 0);
	assert_int_equal(pipe(answers), 0);
	assert_true((o.pid = fork()) != -1);
	if (o.pid == 0) {
		for (int fd = 3; fd < 1024; fd++)
			if (fd != orders[0] && fd != answers[1])
				close(fd);
		follow_orders(dir, orders[0], answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	o.orders = orders[1];
	o.answers = answers[0];
	return o;
}

static void ask(const struct other *o, struct order order, char wanted)
{
	char c = 0;

	assert_int_equal(write(o->orders, &order, sizeof(order)), sizeof(order));
	assert_int_equal(read(o->answers, &c, 1), 1);
	assert_int_equal(c, wanted);
}

static void other_end(struct other *o, bool by_force)
{
	int status;

	close(o->orders);
	if (by_force)
		assert_int_equal(kill(o->pid, SIGKILL), 0);
	assert_int_equal(waitpid(o->pid, &status, 0), o->pid);
	assert_true(by_force || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
	close(o->answers);
}

/* ---- readers in the lending process ---- */

struct reading {
	struct journal *j;
	atomic_bool *ended;
	struct counting seen;
	pthread_t thread;
};

/* Goes on where it stopped: sees each record once, in order. */
static void *read_on(void *context)
{
	struct reading *r = context;
	bool last = false;

	while (!last) {
		enum err e;

		usleep(2000);
		last = *r->ended;
		e = journal_tail(r->j, r->seen.from, count_one, &r->seen);
		if (e != OK)
			print_error("%s: %s\n", err_code(e), err_detail());
		assert_int_equal(e, OK);
	}
	return NULL;
}

static struct journal *journal_of(struct scratch *s)
{
	struct journal *j = NULL;

	assert_int_equal(journal_open_writer(scratch_path(s, "journal"), &j), OK);
	return j;
}

#ifdef __SANITIZE_THREAD__ /* each takes its time there */
#define TURNS 200
#else
#define TURNS 2000
#endif

static void thousands_of_turns(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "journal");
	struct reading readers[3];
	atomic_bool ended = false;
	struct journal *j, *outside = NULL;
	struct other o;
	uint64_t i = 0, seed = test_seed();

	assert_int_equal(journal_create(dir), OK);
	o = other_new(dir);
	j = journal_of(s);
	for (size_t n = 0; n < TABLE_LENGTH(readers); n++) {
		readers[n] = (struct reading){ .j = j, .ended = &ended };
		assert_int_equal(pthread_create(&readers[n].thread, NULL, read_on, &readers[n]), 0);
	}
	for (unsigned turn = 0; turn < TURNS; turn++) {
		unsigned mine = (unsigned)test_below(&seed, 3), theirs = (unsigned)test_below(&seed, 4);

		assert_int_equal(append(j, i, mine, turn % 3 == 0), OK);
		i += mine;
		assert_int_equal(journal_lend(j), OK);
		ask(&o, (struct order){ .first = i, .count = theirs, .erase = turn % 4 == 0 }, 'k');
		i += theirs;
		assert_int_equal(journal_lend_end(j), OK);
		assert_int_equal(journal_regain(j, NULL, NULL), OK);
	}
	ended = true;
	for (size_t n = 0; n < TABLE_LENGTH(readers); n++) {
		pthread_join(readers[n].thread, NULL);
		assert_int_equal(readers[n].seen.next, i);
	}
	assert_true(i > TURNS * 2);
	assert_int_equal(records_in(j), i);
	other_end(&o, false);
	journal_close(j);
	assert_int_equal(journal_open_reader(dir, &outside), OK);
	assert_int_equal(records_in(outside), i);
	journal_close(outside);
}

/* While it is lent, it is read and not written, and the lock is another's. */
static void a_loan(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "journal");
	struct journal *j, *borrower = NULL;
	uint64_t end, now;

	assert_int_equal(journal_create(dir), OK);
	j = journal_of(s);
	assert_int_equal(append(j, 0, 3, false), OK);
	assert_int_equal(journal_end(j, &end), OK);
	assert_int_equal(journal_lend(j), OK);
	assert_int_equal(journal_open_writer(dir, &borrower), OK);
	assert_int_equal(journal_lend_end(j), ERR_BUSY);
	assert_int_equal(append(borrower, 3, 3, false), OK);
	assert_int_equal(records_in(j), 6);
	assert_int_equal(journal_end(j, &now), OK);
	assert_true(now > end);
	assert_int_equal(journal_begin(borrower), OK);
	journal_close(borrower);
	assert_int_equal(journal_lend_end(j), OK);
	assert_int_equal(journal_open_writer(dir, &borrower), ERR_BUSY);
	assert_int_equal(journal_lend(j), OK); /* nobody came: lent once more */
	assert_int_equal(journal_lend_end(j), OK);
	assert_int_equal(journal_regain(j, NULL, NULL), OK);
	assert_int_equal(append(j, 6, 1, true), OK);
	assert_int_equal(records_in(j), 7);
	journal_close(j);
}

static enum err too_short(void *context, struct journal *j, uint64_t end)
{
	uint64_t *reached = context;

	return *reached > end ? journal_short(j, *reached) : OK;
}

/* What somebody knows to have been there is missing: nothing is cut off, nothing more is written. */
static void a_loan_that_lost_something(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "journal");
	struct journal *j, *borrower = NULL;
	uint64_t reached;
	struct span before;
	char last;
	int fd;

	assert_int_equal(journal_create(dir), OK);
	j = journal_of(s);
	assert_int_equal(append(j, 0, 3, false), OK);
	assert_int_equal(journal_lend(j), OK);
	assert_int_equal(journal_open_writer(dir, &borrower), OK);
	assert_int_equal(append(borrower, 3, 3, false), OK);
	assert_int_equal(journal_end(borrower, &reached), OK);
	journal_close(borrower);
	fd = open(scratch_path(s, "journal/00000000000000000000.journal"), O_RDWR);
	assert_int_equal(pread(fd, &last, 1, (off_t)reached - 1), 1);
	last ^= 1;
	assert_int_equal(pwrite(fd, &last, 1, (off_t)reached - 1), 1);
	close(fd);
	before = scratch_read(s, "journal/00000000000000000000.journal");
	assert_int_equal(journal_lend_end(j), OK);
	assert_int_equal(journal_regain(j, too_short, &reached), ERR_DAMAGED);
	assert_true(span_equal(scratch_read(s, "journal/00000000000000000000.journal"), before));
	journal_close(j);
}

#define KILLED 40

/* Whoever is killed in a batch or an erasure leaves whole batches, and the lender goes on behind them. */
static void a_borrower_is_killed(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "journal");
	struct other others[KILLED];
	struct journal *j;
	uint64_t i = 0, before, seed = test_seed();

	assert_int_equal(journal_create(dir), OK);
	for (size_t n = 0; n < KILLED; n++)
		others[n] = other_new(dir);
	j = journal_of(s);
	for (size_t n = 0; n < KILLED; n++) {
		unsigned count = 1 + (unsigned)test_below(&seed, 300);

		assert_int_equal(journal_lend(j), OK);
		ask(&others[n], (struct order){ .first = i, .count = count, .erase = n % 2 == 0, .endless = true },
		    'h');
		usleep((useconds_t)test_below(&seed, 10000));
		other_end(&others[n], true);
		assert_int_equal(journal_lend_end(j), OK);
		assert_int_equal(journal_regain(j, NULL, NULL), OK);
		before = i;
		i = records_in(j);
		assert_int_equal((i - before) % count, 0);
		assert_false(scratch_has(s, "journal/erase"));
		assert_int_equal(append(j, i, 2, true), OK);
		i += 2;
	}
	assert_int_equal(records_in(j), i);
	journal_close(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_loan, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_loan_that_lost_something, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_borrower_is_killed, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(thousands_of_turns, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
