/*
 * Who has the node
 *
 * Whoever holds the journal's lock has it. Beside that stands DIR/serving, with two locked bytes and a letter:
 *
 *	byte 0	write-locked by the process that lends, as long as it has the node open
 *	byte 1	read-locked by whoever waits for the node
 *	letter	LOAN_OPEN when a loan begins; LOAN_TAKEN from its borrower on, and while there is none
 *
 * The lender looks at byte 1, writes LOAN_OPEN and frees the journal. Who waits tries the journal's lock, and with it in hand
 * looks at the letter: LOAN_OPEN is made LOAN_TAKEN, and the node is his; with LOAN_TAKEN the loan was another's, and the lock
 * goes back at once. So a loan has one borrower however many wait, and behind each the lender finds the lock free and has its
 * turn. The letter is written only with the journal's lock in hand.
 *
 * The locks are the kernel's, so whoever dies has given back everything. If the lender dies during a loan, the borrower is the
 * only writer and goes on. If the borrower dies, the lender finds what a crash leaves and brings it in order.
 *
 * The views are open in both processes, which LMDB allows: the write transactions are those of who has the journal. But the mark
 * of a clean close (store/views.c) is the lender's to leave, since its commits go on behind the borrower's; and nobody throws
 * away views that the other has mapped. Asked with the journal's lock in hand, byte 0 says whether there is another.
 *
 * Locks of this sort (F_OFD_SETLK) belong to the open file, as flock does, and can be asked for without being taken: so looking
 * never disturbs.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "regime/node_private.h"

#define LENDER 0
#define ASKING 1
#define LOAN_OPEN 'o'
#define LOAN_TAKEN 't'
#define WAIT_MS 30000 /* for the turn */
#define STEP_MS 2

/* ---- DIR/serving ---- */

static struct flock byte_lock(short type, off_t at)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
}

/* Whether an open file other than this one holds the byte. */
static enum err is_held(int fd, off_t at, bool *held)
{
	struct flock l = byte_lock(F_WRLCK, at);

	*held = false;
	if (fcntl(fd, F_OFD_GETLK, &l) == -1)
		return fail_errno("asking for a lock");
	*held = l.l_type != F_UNLCK;
	return OK;
}

static enum err hold(int fd, short type, off_t at)
{
	struct flock l = byte_lock(type, at);

	if (fcntl(fd, F_OFD_SETLK, &l) == 0)
		return OK;
	return errno == EAGAIN || errno == EACCES ? ERR_BUSY : fail_errno("locking");
}

static enum err letter_get(int fd, char *letter)
{
	ssize_t n = pread(fd, letter, 1, 0);

	if (n == 0)
		*letter = LOAN_TAKEN;
	return n == -1 ? fail_errno("reading who has the node") : OK;
}

static enum err letter_set(int fd, char letter)
{
	return pwrite(fd, &letter, 1, 0) == 1 ? OK : fail_errno("writing who has the node");
}

/* -1: nobody ever lent this node. */
static enum err open_serving(const struct node *n, int flags, int *fd)
{
	char *path = node_path(n, "serving");
	enum err e = OK;

	if (path == NULL)
		return ERR_NO_MEMORY;
	*fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	if (*fd == -1 && errno != ENOENT)
		e = fail_errno("%s", path);
	free(path);
	return e;
}

/* ---- asking ---- */

static bool lender_lives(int fd)
{
	bool held = false;

	return fd != -1 && (is_held(fd, LENDER, &held) != OK || held);
}

bool node_is_borrowed(const struct node *n)
{
	bool is;
	int fd;

	if (n->serving != -1)
		return false;
	is = open_serving(n, 0, &fd) != OK || lender_lives(fd);
	if (fd != -1)
		close(fd);
	return is;
}

/* The lock is in hand: ERR_BUSY if this is not our turn. */
static enum err claim(const struct node *n)
{
	char letter = LOAN_TAKEN;
	int fd;
	enum err e = open_serving(n, 0, &fd);

	if (e == OK && lender_lives(fd) && (e = letter_get(fd, &letter)) == OK)
		e = letter == LOAN_OPEN ? letter_set(fd, LOAN_TAKEN) : ERR_BUSY;
	if (fd != -1)
		close(fd);
	return e;
}

static enum err try_once(const struct node *n, const char *journal, int *lock)
{
	enum err e = journal_lock(journal, lock);

	if (e == OK && (e = claim(n)) != OK) {
		close(*lock);
		*lock = -1;
	}
	return e;
}

static enum err wait_for_turn(const struct node *n, const char *journal, int *lock)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
	int64_t until = clock_monotonic_us() + WAIT_MS * INT64_C(1000);
	enum err e = ERR_BUSY;

	while (e == ERR_BUSY && clock_monotonic_us() < until) {
		nanosleep(&step, NULL);
		e = try_once(n, journal, lock);
	}
	if (e == ERR_BUSY)
		e = fail(ERR_BUSY,
			 "%s: the node is served, and did not become free within %d seconds: another command has it, "
			 "or the service hangs",
			 n->dir, WAIT_MS / 1000);
	return e;
}

enum err node_take_journal(const struct node *n, const char *journal, int *lock)
{
	int fd = -1;
	enum err e = try_once(n, journal, lock);

	if (e != ERR_BUSY || (e = open_serving(n, 0, &fd)) != OK)
		return e;
	if (!lender_lives(fd))
		e = fail(ERR_BUSY, "%s: another process writes to this journal", journal);
	else if ((e = hold(fd, F_RDLCK, ASKING)) == OK)
		e = wait_for_turn(n, journal, lock);
	if (fd != -1)
		close(fd); /* with the lock in hand: the lender sees no one who waits where there is none */
	return e;
}

/* ---- lending ---- */

enum err node_serve(struct node *n)
{
	int fd;
	enum err e;

	assert(n->mode == NODE_WRITE && !n->lent);
	if (n->serving != -1)
		return OK;
	if ((e = open_serving(n, O_CREAT, &fd)) != OK)
		return e;
	if ((e = hold(fd, F_WRLCK, LENDER)) == ERR_BUSY)
		e = fail(e, "%s: another process serves this node", n->dir);
	if (e == OK)
		e = letter_set(fd, LOAN_TAKEN);
	if (e == OK)
		n->serving = fd;
	else
		close(fd);
	return e;
}

bool node_asked(const struct node *n)
{
	bool held;

	return is_held(n->serving, ASKING, &held) == OK && held;
}

static enum err broken(struct node *n, enum err e)
{
	if (n->broken == OK)
		n->broken = err_is_machine(e) ? e : ERR_IO;
	return e;
}

enum err node_lend(struct node *n)
{
	enum err e;

	assert(n->serving != -1 && !n->lent && !n->batch.open);
	if (n->broken != OK)
		return fail(n->broken, "%s: an earlier write failed; start again", n->dir);
	marks_save(n->marks);
	node_close_publications(n);
	n->lent = true;
	if ((e = letter_set(n->serving, LOAN_OPEN)) == OK)
		e = journal_lend(n->journal);
	return e == OK ? OK : broken(n, e);
}

/* As at an opening: asked before anything is cut off. */
static enum err views_within(void *context, struct journal *j, uint64_t end)
{
	struct node *n = context;
	struct snapshot *s = NULL;
	uint64_t position;
	enum err e = views_read(n->views, &s);

	if (e != OK)
		return e;
	position = views_position(s);
	snapshot_end(s);
	return position > end ? journal_short(j, position) : OK;
}

static enum err take_back(struct node *n)
{
	bool finished;
	enum err e = journal_regain(n->journal, views_within, n);

	if (e == OK)
		e = marks_reload(n->marks);
	if (e == OK)
		e = node_catch_up(n);
	if (e == OK)
		e = node_settle_key(n, n->name, &finished);
	if (e == OK)
		e = node_open_publications(n);
	if (e != OK)
		return broken(n, e);
	n->lent = false;
	return node_publish(n);
}

enum err node_regain(struct node *n)
{
	char letter;
	enum err e;

	assert(n->lent);
	if ((e = journal_lend_end(n->journal)) != OK)
		return e == ERR_BUSY ? e : broken(n, e);
	if ((e = letter_get(n->serving, &letter)) == OK && letter == LOAN_OPEN && node_asked(n)) {
		e = journal_lend(n->journal);
		return e == OK ? fail(ERR_BUSY, "%s: nobody has come for it yet", n->dir) : broken(n, e);
	}
	if (e == OK)
		e = letter_set(n->serving, LOAN_TAKEN);
	return e == OK ? take_back(n) : broken(n, e);
}
