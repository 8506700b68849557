/*
 * Why a checkpoint file never speaks of tiles that are not durable
 *
 * A point is handed over here only after its journal records are synced and its checkpoints signed. This thread reads
 * the records back from the journal, writes the tiles, syncs them, and replaces the checkpoint file last
 * (ledger/publisher.c). It signs nothing: the note is the one that the receipts of that batch carry, and the root that
 * comes out of the journal's bytes must be the one in it. So a bit that flipped in memory between the two shows here and
 * ends the publishing, before anybody is shown two trees of one size.
 *
 * A crash in between leaves files that are behind. The next start publishes the rest, with equal roots, since the journal
 * has it all.
 */
#include "regime/publishing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DETAIL_MAX 512

struct publishing {
	struct node *node;
	unsigned interval_ms;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* a newer point, or hurry, or stopping */
	pthread_cond_t settled; /* nothing is left to publish, or it failed */
	struct reached newest, taken;
	bool fresh, at_work, hurry, stopping;
	struct checkpoint last[LEDGER_COUNT];
	enum err err;
	char detail[DETAIL_MAX];
};

static struct timespec later(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Waits for a point and then for its time. Under the mutex; false: it is over. */
static bool next(struct publishing *p, struct timespec earliest)
{
	int rc = 0;

	while (!p->fresh && !p->stopping)
		pthread_cond_wait(&p->changed, &p->mutex);
	while (!p->stopping && !p->hurry && rc == 0)
		rc = pthread_cond_timedwait(&p->changed, &p->mutex, &earliest);
	p->taken = p->newest;
	return p->fresh;
}

static void *run(void *argument)
{
	struct publishing *p = argument;
	struct timespec earliest = later(0);
	enum err e = OK;

	pthread_mutex_lock(&p->mutex);
	while (e == OK && next(p, earliest)) {
		p->fresh = false;
		p->at_work = true;
		pthread_mutex_unlock(&p->mutex);
		e = node_publish_reached(p->node, &p->taken);
		earliest = later(p->interval_ms);
		pthread_mutex_lock(&p->mutex);
		for (int l = 0; l < LEDGER_COUNT; l++)
			p->last[l] = p->node->publications[l].last;
		if (e != OK) {
			p->err = e;
			snprintf(p->detail, sizeof(p->detail), "%s", err_detail());
		}
		p->at_work = false;
		pthread_cond_signal(&p->settled);
	}
	pthread_mutex_unlock(&p->mutex);
	return NULL;
}

enum err publishing_start(struct node *n, unsigned interval_ms, struct publishing **out)
{
	struct publishing *p = calloc(1, sizeof(*p));
	pthread_condattr_t monotonic;

	if (p == NULL)
		return ERR_NO_MEMORY;
	p->node = n;
	p->interval_ms = interval_ms;
	for (int l = 0; l < LEDGER_COUNT; l++)
		p->last[l] = n->publications[l].last;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->settled, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&p->thread, NULL, run, p) != 0) {
		free(p);
		return fail(ERR_NO_MEMORY, "no thread for publishing");
	}
	*out = p;
	return OK;
}

void publishing_reach(struct publishing *p, const struct reached *r)
{
	pthread_mutex_lock(&p->mutex);
	p->newest = *r;
	p->fresh = true;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->mutex);
}

enum err publishing_last(struct publishing *p, struct checkpoint out[LEDGER_COUNT])
{
	enum err e;

	pthread_mutex_lock(&p->mutex);
	for (int l = 0; l < LEDGER_COUNT; l++)
		out[l] = p->last[l];
	e = p->err == OK ? OK : fail(p->err, "%s", p->detail);
	pthread_mutex_unlock(&p->mutex);
	return e;
}

enum err publishing_settle(struct publishing *p)
{
	enum err e;

	pthread_mutex_lock(&p->mutex);
	p->hurry = true;
	pthread_cond_signal(&p->changed);
	while ((p->fresh || p->at_work) && p->err == OK)
		pthread_cond_wait(&p->settled, &p->mutex);
	p->hurry = false;
	e = p->err == OK ? OK : fail(p->err, "%s", p->detail);
	pthread_mutex_unlock(&p->mutex);
	return e;
}

void publishing_go_on(struct publishing *p)
{
	pthread_mutex_lock(&p->mutex);
	for (int l = 0; l < LEDGER_COUNT; l++)
		p->last[l] = p->node->publications[l].last;
	pthread_mutex_unlock(&p->mutex);
}

enum err publishing_stop(struct publishing *p)
{
	enum err e;

	if (p == NULL)
		return OK;
	pthread_mutex_lock(&p->mutex);
	p->stopping = true;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->mutex);
	pthread_join(p->thread, NULL);
	e = p->err == OK ? OK : fail(p->err, "%s", p->detail);
	pthread_cond_destroy(&p->changed);
	pthread_cond_destroy(&p->settled);
	pthread_mutex_destroy(&p->mutex);
	free(p);
	return e;
}
