/* Batches in a row: several threads prepare them, the calling thread commits them in order. While it waits for the disk,
 * the next are made. */
#include <stdlib.h>

#include "route/batch.h"

struct belt {
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
	struct lines divided; /* of rows of one source that lie in several batches */
};

struct hand {
	struct belt *belt;
	struct maker maker;
	pthread_t thread;
};

/* ---- preparing ---- */

/* The next batch to prepare; NULL: none, or there is no slot free and `wait` is not set. */
static struct batch *take(struct belt *l, bool wait)
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

static void moved(struct belt *l, enum err e)
{
	failure_set(&l->r->failure, e);
	pthread_mutex_lock(&l->lock);
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
}

static struct batch *take_with_entries(struct hand *h, bool wait)
{
	struct belt *l = h->belt;
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

/* Where rows of one source lie in several batches, all are told or held as the first are: these batches are prepared
 * one after the other. The one before is prepared by a thread that took it earlier, so nobody waits in a ring. */
static void await_before(struct belt *l, const struct batch *b)
{
	if (!b->plan->divided && !b->plan->follows)
		return;
	pthread_mutex_lock(&l->lock);
	while (!atomic_load(&l->r->failure.stop) && l->committed < b->number &&
	       !l->slots[(b->number - 1) % l->slot_count].ready)
		pthread_cond_wait(&l->moved, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

static bool prepare_one(struct hand *h, bool wait)
{
	struct belt *l = h->belt;
	struct batch *b = take_with_entries(h, wait);
	enum err e;

	if (b == NULL)
		return false;
	await_before(l, b);
	h->maker.divided = &l->divided;
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

static enum err add_pack(struct routing *r, const struct batch *b, const struct waiting *w)
{
	struct buffer head = BUFFER(1024);
	struct span parts[2];
	enum err e;

	pack_write(&head, &w->pack);
	parts[0] = buffer_view(&head);
	parts[1] = span_make(b->bodies.at + w->at, w->len);
	e = head.err != OK ? head.err : node_add_private(r->node, RECORD_RAW, parts, 2);
	buffer_free(&head);
	return e;
}

/* An addressee that was told now hears no more until its interval is over. What waits for it is left as it is. */
static enum err add_rounds(struct routing *r, const struct batch *b, int64_t date_ms)
{
	struct buffer record = BUFFER(1024);
	uint32_t last = 0;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < b->notice_count; i++) {
		const struct prepared *p = &b->notices[i];
		struct resolved to;
		struct span part;

		if (!p->of_round || p->addressee == last)
			continue;
		last = p->addressee;
		resolver_addressee(r->resolver, p->addressee, &to);
		buffer_clear(&record);
		release_write(&record, &to.to, p->class, 0, date_ms);
		part = buffer_view(&record);
		e = record.err != OK ? record.err : node_add_private(r->node, RECORD_PRIVATE, &part, 1);
	}
	buffer_free(&record);
	return e;
}

static enum err add_all(struct routing *r, struct batch *b, int64_t date_ms)
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
	if (e == OK)
		e = relapses_add(r, b, date_ms);
	for (size_t i = 0; e == OK && i < b->pack_count; i++)
		e = add_pack(r, b, &b->packs[i]);
	if (e == OK && b->sightings.len > 0) {
		struct span record = buffer_view(&b->sightings);

		e = node_add_private(r->node, RECORD_PRIVATE, &record, 1);
	}
	if (e == OK)
		e = add_rounds(r, b, date_ms);
	return e == OK && b->mark_count > 0 ? node_add_marks(r->node, b->marks, b->mark_count) : e;
}

static enum err commit(struct belt *l, struct batch *b)
{
	struct routing *r = l->r;
	enum err e;

	if (r->options->dry_run || b->mark_count == 0)
		return OK;
	if ((e = unanswered_write(l->unanswered, b)) != OK || (e = node_begin(r->node)) != OK)
		return e;
	if ((e = add_all(r, b, l->date_ms)) != OK) {
		node_abandon(r->node);
		return e;
	}
	pthread_rwlock_wrlock(&l->marks);
	e = node_commit(r->node);
	pthread_rwlock_unlock(&l->marks);
	return e;
}

static void count_in(struct belt *l, const struct batch *b)
{
	struct route_summary *s = l->r->out;

	s->duplicates += b->duplicates;
	for (int v = 0; v < PLAN_VERDICT_COUNT; v++)
		s->verdicts[v] += b->verdicts[v];
	s->told += b->told;
	s->held += b->held;
	s->waiting += b->waiting;
	s->thin += b->thin;
	s->unanswered += b->unanswered;
	s->again += b->again;
	s->notices += b->notice_count;
	for (size_t i = 0; i < b->notice_count; i++) {
		s->addressees += b->notices[i].addressee != l->last_addressee;
		l->last_addressee = b->notices[i].addressee;
	}
	for (uint16_t c = 0; c < COUNTRY_CODES; c++)
		l->r->country_events[c] += b->countries[c];
	l->rows_done += b->events + b->duplicates;
}

enum err notice_tell(const struct routing *r, const struct prepared *p, const struct resolved *to)
{
	struct route_notice n = {
		.to = *to,
		.class = p->class,
		.events = p->events,
		.explained = p->verdicts[PLAN_EXPLAINED],
		.repeats = p->repeats,
		.again = p->again,
		.id = p->id,
	};
	char of_as[3];

	if (r->each == NULL)
		return OK;
	if (n.to.to.type == TO_AS && r->table != NULL)
		table_as(r->table, n.to.to.asn, &n.holder, of_as);
	return r->each(r->context, &n);
}

static enum err tell(const struct routing *r, const struct batch *b)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && r->each != NULL && i < b->notice_count; i++) {
		struct resolved to;

		resolver_addressee(r->resolver, b->notices[i].addressee, &to);
		e = notice_tell(r, &b->notices[i], &to);
	}
	return e;
}

static void show(const struct belt *l)
{
	const struct routing *r = l->r;
	uint64_t half = r->bytes_total / 2, all = r->out->events;

	if (r->progress != NULL)
		r->progress(r->context,
			    half + (uint64_t)((double)half * (double)l->rows_done / (double)(all > 0 ? all : 1)),
			    r->bytes_total, all);
}

static enum err finish(struct belt *l, struct batch *b)
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
static struct batch *await(struct belt *l)
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
static void commit_all(struct belt *l, struct hand *own)
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

static enum err run(struct belt *l, struct hand *hands, unsigned count)
{
	unsigned started = 0;
	enum err e = OK;

	for (unsigned i = 0; e == OK && i < count; i++) {
		hands[i].belt = l;
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
	struct belt l = { .r = r, .date_ms = date_ms, .slot_count = r->threads + 1 };
	struct hand *hands = calloc(r->threads, sizeof(*hands));
	enum err e = runs_plan(r->runs, r->limits.batch, &l.plans, &l.count), end;

	r->out->duplicates = l.rows_done = runs_dropped(r->runs);
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
	if (e == OK && !r->options->dry_run)
		e = packs_release(r, date_ms);
	end = unanswered_close(l.unanswered, e != OK, r->out);
	for (unsigned i = 0; hands != NULL && i < r->threads; i++)
		maker_end(&hands[i].maker);
	for (size_t i = 0; l.slots != NULL && i < l.slot_count; i++)
		batch_free(&l.slots[i]);
	lines_free(&l.divided);
	free(hands);
	free(l.slots);
	pthread_cond_destroy(&l.moved);
	pthread_mutex_destroy(&l.lock);
	pthread_mutex_destroy(&l.taking);
	pthread_rwlock_destroy(&l.marks);
	return e != OK ? e : end;
}
