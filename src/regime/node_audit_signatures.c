#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "regime/node_audit.h"

/*
 * Signatures on all processors
 *
 * Verifying is most of an audit's work, and needs nothing but the note and its key. So the walk over the journal only copies
 * both into a bundle and goes on; a full bundle is verified by any of the workers, while the walk fills the next. If all
 * bundles are full, the walk takes part. There are many of them, some 70 MB: what is left at the end of the walk is verified
 * while its thread, alone, compares the views.
 *
 * Bundles end in any order. The failure that is told is that of the lowest number, so the same audit tells the same.
 */

#define JOBS 256
#define BUNDLES_MAX 256
#define WORKERS_MAX 64
#define NOTES_MAX ((size_t)JOBS * (STATEMENT_MAX + 256))

struct job {
	struct note note; /* one line, in `line` */
	struct note_line line;
	struct verifier key;
	enum ledger_id ledger;
	uint64_t index;
};

struct bundle {
	struct bundle *next;
	uint64_t number;
	struct arena *notes;
	size_t count;
	struct job jobs[JOBS];
};

struct signature_checker {
	struct bundle *filling; /* the walk's */
	uint64_t numbers;
	unsigned made; /* bundles */
	pthread_t workers[WORKERS_MAX];
	unsigned started;

	pthread_mutex_t mutex;
	pthread_cond_t full;  /* for workers: a bundle is full, or stopping */
	pthread_cond_t empty; /* for the walk: a bundle came back */
	struct bundle *first_full, **last_full, *first_empty;
	unsigned under_way; /* bundles that are full or being verified */
	bool stopping;
	uint64_t verified;
	enum err err;
	uint64_t failed; /* the number of the bundle that err is of */
	char detail[512];
};

/* Under the mutex: keeps the failure of the lowest number. */
static void keep_failure(struct signature_checker *c, const struct bundle *b, const struct job *j, enum err e)
{
	if (c->err != OK && c->failed < b->number)
		return;
	c->failed = b->number;
	if (err_is_machine(e)) {
		c->err = e;
		snprintf(c->detail, sizeof(c->detail), "verifying signatures");
	} else {
		c->err = ERR_LEDGER_DIFFERS;
		snprintf(c->detail, sizeof(c->detail),
			 "entry %ju of the %s ledger: the signature of %s does not verify (%s)", (uintmax_t)j->index,
			 ledger_name(j->ledger), j->key.name, err_code(e));
	}
}

static void verify(struct signature_checker *c, struct bundle *b)
{
	const struct job *failed = NULL;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < b->count; i++)
		if ((e = note_verify(&b->jobs[i].note, &b->jobs[i].key, 1, NULL)) != OK)
			failed = &b->jobs[i];
	pthread_mutex_lock(&c->mutex);
	if (e == OK)
		c->verified += b->count;
	else
		keep_failure(c, b, failed, e);
	b->count = 0;
	b->next = c->first_empty;
	c->first_empty = b;
	c->under_way--;
	pthread_cond_signal(&c->empty);
	pthread_mutex_unlock(&c->mutex);
}

/* Under the mutex. NULL: none is full. */
static struct bundle *take_full(struct signature_checker *c)
{
	struct bundle *b = c->first_full;

	if (b != NULL && (c->first_full = b->next) == NULL)
		c->last_full = &c->first_full;
	return b;
}

static void *work(void *context)
{
	struct signature_checker *c = context;
	struct bundle *b;

	for (;;) {
		pthread_mutex_lock(&c->mutex);
		while (c->first_full == NULL && !c->stopping)
			pthread_cond_wait(&c->full, &c->mutex);
		b = take_full(c);
		pthread_mutex_unlock(&c->mutex);
		if (b == NULL)
			return NULL;
		verify(c, b);
	}
}

static void hand_over(struct signature_checker *c)
{
	struct bundle *b = c->filling;

	c->filling = NULL;
	b->number = c->numbers++;
	b->next = NULL;
	pthread_mutex_lock(&c->mutex);
	*c->last_full = b;
	c->last_full = &b->next;
	c->under_way++;
	pthread_cond_signal(&c->full);
	pthread_mutex_unlock(&c->mutex);
}

static void bundle_free(struct bundle *b)
{
	if (b != NULL && b->notes != NULL)
		arena_free(b->notes);
	free(b);
}

/* NULL: there are enough, or no memory. */
static struct bundle *one_more(struct signature_checker *c)
{
	struct bundle *b = c->made < BUNDLES_MAX ? calloc(1, sizeof(*b)) : NULL;

	if (b != NULL && (b->notes = arena_new(NOTES_MAX)) == NULL) {
		bundle_free(b);
		b = NULL;
	}
	c->made += b != NULL;
	return b;
}

/* Under the mutex. */
static struct bundle *take_empty(struct signature_checker *c)
{
	struct bundle *b = c->first_empty;

	if (b != NULL)
		c->first_empty = b->next;
	return b;
}

/* An empty one, or a new one, or work until there is one. NULL: no memory for the first. */
static struct bundle *next_empty(struct signature_checker *c)
{
	struct bundle *empty, *full = NULL;

	pthread_mutex_lock(&c->mutex);
	empty = take_empty(c);
	pthread_mutex_unlock(&c->mutex);
	if (empty == NULL)
		empty = one_more(c);
	while (empty == NULL && c->made > 0) {
		pthread_mutex_lock(&c->mutex);
		while (c->first_empty == NULL && c->first_full == NULL)
			pthread_cond_wait(&c->empty, &c->mutex);
		if ((empty = take_empty(c)) == NULL)
			full = take_full(c);
		pthread_mutex_unlock(&c->mutex);
		if (empty == NULL)
			verify(c, full);
	}
	if (empty != NULL)
		arena_reset(empty->notes);
	return empty;
}

enum err signature_checker_add(struct signature_checker *c, const struct note *note, const struct verifier *key,
			       enum ledger_id l, uint64_t index)
{
	const struct note_line *line = note->lines;
	struct bundle *b = c->filling != NULL ? c->filling : (c->filling = next_empty(c));
	const char *whole, *signature;
	struct job *j;

	assert(note->line_count == 1 && note->text.at == note->whole.at);
	if (b == NULL || (whole = arena_copy(b->notes, note->whole.at, note->whole.len)) == NULL ||
	    (signature = arena_copy(b->notes, line->signature.at, line->signature.len)) == NULL)
		return ERR_NO_MEMORY;
	j = &b->jobs[b->count];
	*j = (struct job){ .key = *key, .ledger = l, .index = index };
	j->line = *line;
	j->line.name.at = whole + (line->name.at - note->whole.at);
	j->line.signature.at = signature;
	j->note = (struct note){ span_make(whole, note->text.len), span_make(whole, note->whole.len), &j->line, 1 };
	if (++b->count == JOBS)
		hand_over(c);
	return OK;
}

static void join(struct signature_checker *c)
{
	pthread_mutex_lock(&c->mutex);
	c->stopping = true;
	pthread_cond_broadcast(&c->full);
	pthread_mutex_unlock(&c->mutex);
	while (c->started > 0)
		pthread_join(c->workers[--c->started], NULL);
}

enum err signature_checker_finish(struct signature_checker *c, uint64_t *verified)
{
	struct bundle *b;

	if (c->filling != NULL)
		hand_over(c);
	for (;;) {
		pthread_mutex_lock(&c->mutex);
		b = take_full(c);
		pthread_mutex_unlock(&c->mutex);
		if (b == NULL)
			break;
		verify(c, b);
	}
	join(c);
	assert(c->under_way == 0);
	*verified = c->verified;
	return c->err == OK ? OK : fail(c->err, "%s", c->detail);
}

static unsigned workers_wanted(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (unsigned)processors;
}

/* Without a single thread the walk does it all itself. */
enum err signature_checker_new(struct signature_checker **out)
{
	struct signature_checker *c = calloc(1, sizeof(*c));
	unsigned workers = workers_wanted();

	if (c == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->full, NULL);
	pthread_cond_init(&c->empty, NULL);
	c->last_full = &c->first_full;
	while (c->started < workers && pthread_create(&c->workers[c->started], NULL, work, c) == 0)
		c->started++;
	*out = c;
	return OK;
}

void signature_checker_free(struct signature_checker *c)
{
	struct bundle *b;

	if (c == NULL)
		return;
	pthread_mutex_lock(&c->mutex);
	while ((b = take_full(c)) != NULL)
		bundle_free(b); /* nobody asks any more */
	pthread_mutex_unlock(&c->mutex);
	join(c);
	bundle_free(c->filling);
	while ((b = take_empty(c)) != NULL)
		bundle_free(b);
	pthread_cond_destroy(&c->empty);
	pthread_cond_destroy(&c->full);
	pthread_mutex_destroy(&c->mutex);
	free(c);
}
