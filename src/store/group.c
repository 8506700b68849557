#include "store/group.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct group {
	group_work *work;
	void *context;
	size_t limit;

	pthread_mutex_t mutex;
	pthread_cond_t coming; /* an item came, or stopping */
	pthread_cond_t done;   /* a group was worked off */
	struct group_item *first, **last;
	size_t waiting;
	bool stopping;
	pthread_t thread;
};

/* Items live on their submitters' stacks: one that is marked done may be gone, so `next` is read before. */
static void wake(struct group *g, struct group_item *first)
{
	struct group_item *next;

	pthread_mutex_lock(&g->mutex);
	for (struct group_item *i = first; i != NULL; i = next) {
		next = i->next;
		i->done = 1;
	}
	pthread_cond_broadcast(&g->done);
	pthread_mutex_unlock(&g->mutex);
}

static struct group_item *take_all(struct group *g)
{
	struct group_item *first;

	pthread_mutex_lock(&g->mutex);
	while (g->first == NULL && !g->stopping)
		pthread_cond_wait(&g->coming, &g->mutex);
	first = g->first;
	g->first = NULL;
	g->last = &g->first;
	g->waiting = 0;
	pthread_mutex_unlock(&g->mutex);
	return first;
}

static void *run(void *argument)
{
	struct group *g = argument;
	struct group_item *first;

	while ((first = take_all(g)) != NULL) {
		g->work(g->context, first);
		wake(g, first);
	}
	return NULL;
}

enum err group_start(group_work *work, void *context, size_t limit, struct group **out)
{
	struct group *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return fail(ERR_NO_MEMORY, "group commit");
	g->work = work;
	g->context = context;
	g->limit = limit;
	g->last = &g->first;
	pthread_mutex_init(&g->mutex, NULL);
	pthread_cond_init(&g->coming, NULL);
	pthread_cond_init(&g->done, NULL);
	if (pthread_create(&g->thread, NULL, run, g) != 0) {
		free(g);
		return fail(ERR_NO_MEMORY, "no thread for group commit");
	}
	*out = g;
	return OK;
}

enum err group_submit(struct group *g, struct group_item *item)
{
	enum err e = ERR_BUSY;

	pthread_mutex_lock(&g->mutex);
	if (g->waiting < g->limit && !g->stopping) {
		item->next = NULL;
		item->done = 0;
		item->err = OK;
		*g->last = item;
		g->last = &item->next;
		if (g->waiting++ == 0)
			pthread_cond_signal(&g->coming);
		while (!item->done)
			pthread_cond_wait(&g->done, &g->mutex);
		e = item->err;
	}
	pthread_mutex_unlock(&g->mutex);
	return e;
}

void group_stop(struct group *g)
{
	if (g == NULL)
		return;
	pthread_mutex_lock(&g->mutex);
	g->stopping = true;
	pthread_cond_signal(&g->coming);
	pthread_mutex_unlock(&g->mutex);
	pthread_join(g->thread, NULL);
	pthread_cond_destroy(&g->done);
	pthread_cond_destroy(&g->coming);
	pthread_mutex_destroy(&g->mutex);
	free(g);
}
