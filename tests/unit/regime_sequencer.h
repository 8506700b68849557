/* What the tests of the sequencer share: statements to offer, their receipts, and counting who is done. */
#ifndef REGIME_SEQUENCER_TEST_H
#define REGIME_SEQUENCER_TEST_H

#include <pthread.h>
#include <semaphore.h>

#include "regime_node.h"

#include "ledger/entry.h"
#include "ledger/receipt.h"
#include "regime/sequencer.h"

static const struct sequencer_options defaults = { .workers = 3, .publish_ms = 5 };

static inline struct sequencer *start(struct world *w, const struct sequencer_options *o)
{
	struct sequencer *q = NULL;

	assert_int_equal(node_publish(w->n), OK);
	assert_int_equal(sequencer_start(w->n, o, &q), OK);
	return q;
}

static inline struct span notice_of(struct arena *a, const struct signer *from, unsigned number)
{
	const char *lines = arena_print(a,
					"to AS%u\nclass malicious-code/infected-system\nevents %u\n"
					"body application/vnd.comity.evidence+zstd 10 sealed-sha256:%064x\n",
					1 + number % 1000, 1 + number, number);

	assert_non_null(lines);
	return statement_text(a, KIND_NOTICE, "cert.example/circle", from, lines, NULL);
}

static inline struct span plan_of(struct arena *a, const struct signer *from, unsigned number)
{
	const char *lines = arena_print(a,
					"activity scan\nstart 2026-01-01T00:00:00Z\nend 2026-02-01T00:00:00Z\n"
					"source 198.51.100.%u/32\ntarget any\npurpose test %u\n",
					number % 256, number);

	assert_non_null(lines);
	return statement_text(a, KIND_PLAN, "cert.example/public", from, lines, NULL);
}

static inline void check_receipt(struct world *w, struct arena *a, struct span note, const struct appended *at,
				 struct span receipt)
{
	struct buffer entry = BUFFER(2 * STATEMENT_MAX);
	struct checkpoint c;
	struct receipt r;

	entry_print(at->logged_ms, note, &entry);
	assert_int_equal(receipt_parse(a, receipt, &r), OK);
	assert_int_equal(r.index, at->index);
	assert_int_equal(receipt_verify(a, &r, buffer_view(&entry), node_ledger_key(w->n, at->ledger), &c), OK);
	assert_true(at->index < c.size);
	buffer_free(&entry);
}

static inline void check_whole(struct world *w, uint64_t public, uint64_t circle)
{
	struct audit before, after;

	assert_int_equal(node_audit(w->n, NULL, NULL, &before), OK);
	assert_int_equal(before.entries[LEDGER_PUBLIC], public);
	assert_int_equal(before.entries[LEDGER_CIRCLE], circle);
	node_close(w->n);
	take_away(arena_print(w->arena, "%s/views", w->dir));
	take_away(arena_print(w->arena, "%s/ledger", w->dir));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_int_equal(node_audit(w->n, NULL, NULL, &after), OK);
	for (int l = 0; l < LEDGER_COUNT; l++)
		assert_true(hash_equal(before.root[l], after.root[l]));
	assert_true(hash_equal(before.state, after.state));
}

/* Of a world as it is made. */
static inline uint64_t size_of(struct world *w, enum ledger_id l)
{
	struct audit a;

	assert_int_equal(node_audit(w->n, NULL, NULL, &a), OK);
	return a.entries[l];
}

struct counting {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	size_t done;
	sem_t *gate; /* every done waits here; NULL: none does */
	size_t at_gate;
};

struct one {
	struct submission submission;
	struct counting *counting;
	struct world *w;
};

static inline void count_done(struct submission *s)
{
	struct one *o = s->context;
	struct counting *c = o->counting;
	sem_t *gate;

	if (s->err == OK && o->w != NULL) {
		struct arena *a = arena_new((size_t)1 << 20);

		check_receipt(o->w, a, s->note, &s->appended, s->receipt);
		arena_free(a);
	}
	pthread_mutex_lock(&c->mutex);
	gate = c->gate;
	c->at_gate += gate != NULL;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
	if (gate != NULL)
		sem_wait(gate);
	pthread_mutex_lock(&c->mutex);
	c->done++;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
}

#define COUNTING                                                                                                       \
	{                                                                                                              \
		.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                                \
	}

static inline enum err offer(struct sequencer *q, struct one *o, struct counting *c, struct world *w, struct span note)
{
	*o = (struct one){ .counting = c, .w = w };
	o->submission.note = note;
	o->submission.done = count_done;
	o->submission.context = o;
	return sequencer_offer(q, &o->submission);
}

static inline void wait_done(struct counting *c, size_t count)
{
	pthread_mutex_lock(&c->mutex);
	while (c->done < count)
		pthread_cond_wait(&c->changed, &c->mutex);
	assert_int_equal(c->done, count);
	pthread_mutex_unlock(&c->mutex);
}

static inline struct span spoil(struct arena *a, struct span note, unsigned i)
{
	char *copy = arena_copy(a, note.at, note.len), *hash;

	assert_non_null(copy);
	if (i % 2 == 0)
		return span_make(copy, note.len - 1); /* no last LF: not a note */
	hash = strstr(copy, "sealed-sha256:");
	assert_non_null(hash);
	hash[strlen("sealed-sha256:")] = 'f'; /* the text is not what was signed */
	return span_make(copy, note.len);
}

/* Holds the sequencing thread in a `done`. */
static inline void hold(struct sequencer *q, struct one *o, struct counting *c, sem_t *gate, struct span note)
{
	sem_init(gate, 0, 0);
	c->gate = gate;
	assert_int_equal(offer(q, o, c, NULL, note), OK);
	pthread_mutex_lock(&c->mutex);
	while (c->at_gate == 0)
		pthread_cond_wait(&c->changed, &c->mutex);
	c->gate = NULL;
	pthread_mutex_unlock(&c->mutex);
}

#endif
