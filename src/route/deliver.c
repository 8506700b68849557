/* Batches in a row: several threads prepare them, the calling thread commits them in order. While it waits for the disk,
 * the next are made. */
#include <stdlib.h>

#include "route/batch.h"

struct line {
	struct routing *r;
	const struct batch_plan *plans;
	size_t count;
	int64_t date_ms;
	pthread_rwlock_t marks;
	pthread_mutex_t taking; /* runs_take goes in the order of the plans */
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct batch *slots; /* of batch i: slots[i % slot_count] */
	size_t slot_count;
	size_t taken, committed;
	uint64_t rows_done;
	uint32_t last_addressee;
	struct unanswered *unanswered;
};

struct hand {
	struct line *line;
	struct maker maker;
	pthread_t thread;
};

/* ---- preparing ---- */

/* The next batch to prepare; NULL: none, or there is no slot free and `wait` is not set. */
static struct batch *take(struct line *l, bool wait)
{
	struct batch *b = NULL;

	pthread_mutex_lock(&l->lock);
	while (wait && !atomic_load(&l->r->failure.stop) && l->taken < l->count &&
	       l->taken - l->committed >= l->slot_count)
		pthread_cond_wait(&l->moved, &l->lock);
	if (!atomic_load(&l->r->failure.stop) && l->taken < l->count && l->taken - l->committed < l->slot_count) {
		b = &l->slots[l->taken % l->slot_count];
		batch_start(b, l->taken, &l->plans[l->taken]);
		l->taken++;
	}
	pthread_mutex_unlock(&l->lock);
	return b;
}

static void moved(struct line *l, enum err e)
{
	failure_set(&l->r->failure, e);
	pthread_mutex_lock(&l->lock);
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
}

static struct batch *take_with_entries(struct hand *h, bool wait)
{
	struct line *l = h->line;
	struct batch *b;
	enum err e;

	pthread_mutex_lock(&l->taking);
	b = take(l, wait);
	if (b != NULL && (e = runs_take(l->r->runs, b->plan, &h->maker.rows)) != OK) {
		moved(l, e);
		b = NULL;
	}
	pthread_mutex_unlock(&l->taking);
	return b;
}

static bool prepare_one(struct hand *h, bool wait)
{
	struct line *l = h->line;
	struct batch *b = take_with_entries(h, wait);
	enum err e;

	if (b == NULL)
		return false;
	e = batch_prepare(&h->maker, b);
	pthread_mutex_lock(&l->lock);
	b->ready = e == OK;
	pthread_mutex_unlock(&l->lock);
	moved(l, e);
	return e == OK;
}

static void *hand_work(void *context)
{
	err_clear();
	while (prepare_one(context, true))
		;
	return NULL;
}

/* ---- committing ---- */

static enum err add_all(struct routing *r, struct batch *b)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < b->notice_count; i++) {
		struct prepared *p = &b->notices[i];
		struct span payload = span_make(b->bodies.at + p->at, p->len);
		struct appended done;

		e = node_add_own(r->node, &p->statement, &done);
		if (e == OK)
			e = node_add_body(r->node, &p->body, p->salt, &payload, 1);
		p->id = done.id;
	}
	return e == OK && b->mark_count > 0 ? node_add_marks(r->node, b->marks, b->mark_count) : e;
}

static enum err commit(struct line *l, struct batch *b)
{
	struct routing *r = l->r;
	enum err e;

	if (r->options->dry_run || b->mark_count == 0)
		return OK;
	if ((e = unanswered_write(l->unanswered, b)) != OK || (e = node_begin(r->node)) != OK)
		return e;
	if ((e = add_all(r, b)) != OK) {
		node_abandon(r->node);
		return e;
	}
	pthread_rwlock_wrlock(&l->marks);
	e = node_commit(r->node);
	pthread_rwlock_unlock(&l->marks);
	return e;
}

static void count_in(struct line *l, const struct batch *b)
{
	struct route_summary *s = l->r->out;

	s->duplicates += b->duplicates;
	s->explained += b->verdicts[PLAN_EXPLAINED];
	s->breach += b->verdicts[PLAN_BREACH];
	s->late += b->verdicts[PLAN_LATE];
	s->undeclared += b->verdicts[PLAN_UNDECLARED];
	s->unanswered += b->unanswered;
	s->notices += b->notice_count;
	for (size_t i = 0; i < b->notice_count; i++) {
		s->addressees += b->notices[i].addressee != l->last_addressee;
		l->last_addressee = b->notices[i].addressee;
	}
	for (uint16_t c = 0; c < COUNTRY_CODES; c++)
		l->r->country_events[c] += b->countries[c];
	l->rows_done += b->events + b->duplicates;
}

static enum err tell(const struct routing *r, const struct batch *b)
{
	char of_as[3];
	enum err e = OK;

	for (size_t i = 0; e == OK && r->each != NULL && i < b->notice_count; i++) {
		const struct prepared *p = &b->notices[i];
		struct route_notice n = {
			.class = p->class, .events = p->events, .explained = p->verdicts[PLAN_EXPLAINED], .id = p->id
		};

		resolver_addressee(r->resolver, p->addressee, &n.to);
		if (n.to.to.type == TO_AS && r->table != NULL)
			table_as(r->table, n.to.to.asn, &n.holder, of_as);
		e = r->each(r->context, &n);
	}
	return e;
}

static void show(const struct line *l)
{
	const struct routing *r = l->r;
	uint64_t half = r->bytes_total / 2, all = r->out->events;

	if (r->progress != NULL)
		r->progress(r->context,
			    half + (uint64_t)((double)half * (double)l->rows_done / (double)(all > 0 ? all : 1)),
			    r->bytes_total, all);
}

static enum err finish(struct line *l, struct batch *b)
{
	enum err e = commit(l, b);

	if (e != OK)
		return e;
	count_in(l, b);
	e = tell(l->r, b);
	show(l);
	pthread_mutex_lock(&l->lock);
	l->committed++;
	pthread_mutex_unlock(&l->lock);
	moved(l, e);
	return e;
}

/* Waits until the batch that is due is ready; NULL: something failed. */
static struct batch *await(struct line *l)
{
	struct batch *b = &l->slots[l->committed % l->slot_count];

	pthread_mutex_lock(&l->lock);
	while (!atomic_load(&l->r->failure.stop) && !(l->taken > l->committed && b->ready))
		pthread_cond_wait(&l->moved, &l->lock);
	if (atomic_load(&l->r->failure.stop))
		b = NULL;
	pthread_mutex_unlock(&l->lock);
	return b;
}

/* own: not NULL if there is no other thread, so this one prepares too. */
static void commit_all(struct line *l, struct hand *own)
{
	while (l->committed < l->count) {
		struct batch *b;

		if (own != NULL && !prepare_one(own, false))
			return;
		if ((b = await(l)) == NULL)
			return;
		moved(l, finish(l, b));
	}
}

/* ---- all of it ---- */

static enum err run(struct line *l, struct hand *hands, unsigned count)
{
	unsigned started = 0;
	enum err e = OK;

	for (unsigned i = 0; e == OK && i < count; i++) {
		hands[i].line = l;
		e = maker_start(&hands[i].maker, l->r, l->date_ms, &l->marks);
	}
	if (e == OK) {
		while (count > 1 && started < count &&
		       pthread_create(&hands[started].thread, NULL, hand_work, &hands[started]) == 0)
			started++;
		commit_all(l, started == 0 ? &hands[0] : NULL);
	}
	moved(l, e);
	for (unsigned i = 0; i < started; i++)
		pthread_join(hands[i].thread, NULL);
	return l->r->failure.err;
}

enum err deliver(struct routing *r, int64_t date_ms)
{
	struct line l = { .r = r, .date_ms = date_ms, .slot_count = r->threads + 1 };
	struct hand *hands = calloc(r->threads, sizeof(*hands));
	enum err e = runs_plan(r->runs, r->limits.batch, &l.plans, &l.count), end;

	pthread_rwlock_init(&l.marks, NULL);
	pthread_mutex_init(&l.taking, NULL);
	pthread_mutex_init(&l.lock, NULL);
	pthread_cond_init(&l.moved, NULL);
	l.slots = calloc(l.slot_count, sizeof(*l.slots));
	if (hands == NULL || l.slots == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK && !r->options->dry_run)
		e = unanswered_open(r, date_ms, &l.unanswered);
	if (e == OK)
		e = run(&l, hands, r->threads);
	end = unanswered_close(l.unanswered, e != OK, r->out);
	for (unsigned i = 0; hands != NULL && i < r->threads; i++)
		maker_end(&hands[i].maker);
	for (size_t i = 0; l.slots != NULL && i < l.slot_count; i++)
		batch_free(&l.slots[i]);
	free(hands);
	free(l.slots);
	pthread_cond_destroy(&l.moved);
	pthread_mutex_destroy(&l.lock);
	pthread_mutex_destroy(&l.taking);
	pthread_rwlock_destroy(&l.marks);
	return e != OK ? e : end;
}
