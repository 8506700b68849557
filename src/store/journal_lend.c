/*
 * Lending
 *
 * A lender's handle is a reader's, with two differences. Where it lent, the journal was whole and synced by itself, so on its
 * return it looks at what is behind that place only. And the end that other threads see must never be missing a batch that
 * the views already speak of: so `lent` is set before the lock is free and goes after the new end is known.
 *
 * A borrower that died in the middle of a batch, or of an erasure, leaves what a crash leaves (journal_recover.c).
 */
#include "store/journal_file.h"

#include <assert.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

enum err journal_lend(struct journal *j)
{
	assert(j->writer && !j->open);
	if (j->broken != OK)
		return fail(j->broken, "%s: an earlier write failed; start again", j->dir);
	if (!atomic_load(&j->lent)) {
		j->own_end = atomic_load(&j->end);
		atomic_store(&j->lent, true);
	}
	return flock(j->lock_fd, LOCK_UN) == 0 ? OK : fail_errno("%s/" LOCK_NAME, j->dir);
}

enum err journal_lend_end(struct journal *j)
{
	assert(atomic_load(&j->lent));
	return journal_take_lock(j->dir, j->lock_fd);
}

enum err journal_regain(struct journal *j, journal_judge *judge, void *context)
{
	enum err e = journal_look_on(j); /* also finds the segments that are new */

	assert(atomic_load(&j->lent));
	if (e == OK)
		e = journal_recover(j, j->own_end, judge, context);
	if (e != OK) {
		journal_broken(j, e);
		return e;
	}
	atomic_store(&j->lent, false);
	return journal_erase_resume(j);
}
