#include "regime/sequencer.h"

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ledger/growth.h"
#include "regime/guest.h"
#include "regime/in_toto.h"
#include "regime/publishing.h"
#include "regime/receipts.h"
#include "regime/words.h"

/*
 * One queue, two ends
 *
 *	first ──────────────── unclaimed ──────── last
 *	CHECKED or at a worker │ nobody's yet
 *
 * Workers claim from the middle, the sequencing thread takes from the front whatever is checked without a gap. So the
 * order is that of offering, although verifying ends in any order.
 *
 * What a worker decides is final only where the state cannot matter: a note that does not parse, and a signature that does
 * not fit. The latter is final because a statement names its key by fingerprint (`key`): no state can ask for another.
 * Everything else, a key that is unknown in the snapshot too (its party statement may stand in front in the queue), is
 * left to the sequencing thread. There the state is that of the batch; the signature counts as verified only if the key
 * that is asked for is the one that it was verified with (node_add_verified).
 *
 * When a batch begins. No timer: a lone submission goes at once. But each batch has a price of its own (sync, the views'
 * transaction, a signature), so while much is under way it pays to let some more be checked: the thread waits until a
 * quarter of what is under way is ready, at most BATCH_GOOD. What is under way becomes ready without anybody's help, so
 * that wait ends; and it is a fraction of the time that the last in the queue waits anyway.
 *
 * Work (submission.work) without a note needs no worker: it is CHECKED from the start, and claiming steps over it. So `unclaimed` is always
 * the first that is NEW, and nothing behind it is taken before it.
 *
 * How much goes into one batch: work may add megabytes, and a batch is held in the views' open transaction until its commit.
 * So a batch ends behind the one with which it reaches BATCH_BYTES, and the rest of what was taken is the next.
 *
 * What leaves, and when: err and receipt only after the commit. The checkpoint is signed over the tree in memory; proofs
 * come from the batch's own leaves and the frontier before it (ledger/growth.c). The files follow (publishing.c).
 *
 * A loan (node.h) comes behind a batch, or when nothing is in the queue; never between a loan and the batch that waited for its
 * end. An idle sequencer looks ten times a second whether somebody asks, and much more often right behind a loan: who calls one
 * command after the other should not wait for the tenth each time. Before the loan all is published and the publishing thread
 * at rest; behind it the trees are taken up as they are now.
 *
 * If the machine fails (journal, views, publishing) everything under way ends with that error and nothing more is taken.
 */

#define LIMIT_DEFAULT 4096
#define PUBLISH_DEFAULT_MS 1000
#define WORKERS_MAX 64
#define BATCH_GOOD 64
#define BATCH_BYTES ((size_t)4 << 20)
#define PARSE_MAX ((size_t)2 << 20)
#define RECEIPT_MAX (8192 + CHECKPOINT_NOTE_MAX)
#define TICK_LOOK_MS 60000    /* how often an idle sequencer looks whether a tick is due */
#define LEND_LOOK_MS 100      /* and whether somebody asks for the node; */
#define LEND_SOON_MS 4	      /* as often as that */
#define LEND_SOON_FOR_MS 1000 /* for so long behind a loan */
#define REGAIN_MOST_MS 16

enum step { NEW, CHECKED };

struct sequencer {
	struct node *node;
	size_t limit;
	bool ticks, lends;
	struct publishing *publishing;
	struct receipts *receipts;

	pthread_mutex_t mutex;
	pthread_cond_t coming; /* for workers: something is unclaimed, or stopping */
	pthread_cond_t ready;  /* for the sequencing thread: a batch may begin, or stopping */
	struct submission *first, *unclaimed, **last;
	size_t under_way, checked; /* offered and not yet done; of these in the queue and checked */
	bool stopping, lent;
	enum err broken;
	char broken_detail[SUBMISSION_DETAIL];

	struct worker {
		struct sequencer *sequencer;
		struct arena *arena;
		struct checkpoint_cache checkpoints; /* of guests' homes */
		pthread_t thread;
	} workers[WORKERS_MAX];
	unsigned started;
	pthread_t thread;
	bool thread_started;
	void (*reached_by)(void *context, uint64_t stamp);
	void *context;

	/* the sequencing thread's */
	struct growth *growth[LEDGER_COUNT];
	size_t leaves; /* of the open batch, which the trees have */
	struct reached reached;
	int64_t tick_look_us, lend_look_us; /* when to look next */
	int64_t back_us;		    /* when the last loan ended; 0: there was none */
	struct buffer receipt;
};

static void refuse(struct submission *s, enum err e)
{
	s->err = e;
	snprintf(s->detail, sizeof(s->detail), "%s", err_detail());
}

/* ---- workers ---- */

static void keep_verified(struct submission *s, const struct statement *statement, const struct verifier *key)
{
	const struct span signature = statement->note.lines[0].signature;

	assert(signature.len == KEY_SIGNATURE_SIZE); /* it was verified */
	s->verified.id = statement->id;
	s->verified.key = *key;
	memcpy(s->verified.signature, signature.at, KEY_SIGNATURE_SIZE);
	s->is_verified = true;
}

struct keys {
	struct verifier signer, ledger;
	bool has_ledger;
};

/* The snapshot ends before the signature is verified: a long reader would keep old pages. */
static enum err keys_of(struct node *n, struct arena *a, const struct statement *s, bool is_guest, struct keys *out)
{
	struct snapshot *snapshot = NULL;
	struct state st;
	enum err e = views_read(n->views, &snapshot);

	if (e != OK)
		return e;
	st = node_state(n, snapshot, a);
	e = state_signer(&st, s, &out->signer);
	out->has_ledger = e == OK && is_guest && guest_ledger_key(&st, s, &out->ledger) == OK;
	snapshot_end(snapshot);
	return e;
}

/* The key of the home's ledger is named by no fingerprint: a newer party statement of the home may stand in front in the
 * queue. So what does not verify here is looked at again in its turn. */
static enum err check_receipt(struct arena *a, struct submission *s, const struct statement *statement,
			      const struct keys *keys, struct checkpoint_cache *cache)
{
	struct guest g = { .bare = BUFFER(RECEIPT_TEXT_MAX) };
	enum err e;

	if (s->home_receipt.at == NULL)
		return OK;
	e = guest_read(a, statement, s->home_receipt, &g);
	if (e == OK && keys->has_ledger &&
	    receipt_verify_cached(a, &g.receipt, g.receipt.extra, &keys->ledger, cache, NULL) == OK) {
		s->verified.ledger = keys->ledger;
		s->verified.receipt = hash_span(s->home_receipt);
		s->verified.with_receipt = true;
	}
	buffer_free(&g.bare);
	return e;
}

/* In memory of its own: it is rare, and what a worker has is for a note. */
static enum err check_vocabulary(struct span body)
{
	struct arena *a = arena_new((size_t)16 << 20);
	struct words words;
	enum err e = a != NULL ? words_parse(a, body, &words) : ERR_NO_MEMORY;

	arena_free(a);
	return e;
}

/* So is this. author NULL: whom nobody knows yet must be heard of first, for the envelope is to be signed by its key. */
static enum err check_certificate(const struct statement *s, struct span body, const struct verifier *author)
{
	struct arena *a = arena_new(CERTIFICATE_ARENA);
	enum err e = a != NULL ? OK : ERR_NO_MEMORY;

	if (e == OK && author == NULL)
		e = fail(ERR_PARTY_UNKNOWN, "%.*s has no key here that could have signed it", SPAN_FORMAT(s->from));
	if (e == OK)
		e = certificate_body_check(a, s, body, author);
	arena_free(a);
	return e;
}

/* author: whose key it is, NULL if it is not known. */
static enum err check_body(struct submission *s, const struct statement *statement, const struct verifier *author)
{
	enum err e;

	if (s->body.at == NULL && statement->kind == KIND_CERTIFICATE && statement->has_body &&
	    s->home_receipt.at == NULL)
		return fail(ERR_BODY, "a certificate comes with its envelope");
	if (s->body.at == NULL)
		return OK;
	if (s->body.len >= BODY_MAX / 2)
		return fail(ERR_TOO_LONG, "a body of %zu bytes", s->body.len);
	if (!statement_binds(statement, s->salt, s->body))
		return fail(ERR_BODY,
			    statement->has_body ? "not what the body line binds" : "the statement binds none");
	if (statement->kind == KIND_VOCABULARY && (e = check_vocabulary(s->body)) != OK)
		return e;
	if (statement->kind == KIND_CERTIFICATE && (e = check_certificate(statement, s->body, author)) != OK)
		return e;
	s->reference = statement->body;
	s->reference.media_type = SPAN(""); /* it was in the arena, and is not needed */
	return OK;
}

static void check(struct sequencer *q, struct arena *a, struct checkpoint_cache *cache, struct submission *s)
{
	struct statement statement;
	struct keys keys;
	bool known = false;
	enum err e;

	arena_reset(a);
	if ((e = statement_parse(a, s->note, &statement)) == OK &&
	    (known = keys_of(q->node, a, &statement, s->home_receipt.at != NULL, &keys) == OK) &&
	    (e = note_verify(&statement.note, &keys.signer, 1, NULL)) == OK) {
		keep_verified(s, &statement, &keys.signer);
		e = check_receipt(a, s, &statement, &keys, cache);
	}
	if (e == OK)
		e = check_body(s, &statement, known ? &keys.signer : NULL);
	if (e != OK)
		refuse(s, e);
}

/* Whether a batch may begin (essay). */
static bool may_begin(const struct sequencer *q)
{
	size_t want = q->under_way / 4;

	if (q->first == NULL || q->first->step != CHECKED)
		return false;
	return q->checked >= (want < BATCH_GOOD ? want : BATCH_GOOD);
}

/* Takes the first that is nobody's. Under the mutex. */
static struct submission *claim(struct sequencer *q)
{
	struct submission *s = q->unclaimed, *after = s->next;

	while (after != NULL && after->step == CHECKED)
		after = after->next;
	q->unclaimed = after;
	return s;
}

static void *verify(void *argument)
{
	struct worker *w = argument;
	struct sequencer *q = w->sequencer;
	struct submission *s;

	pthread_mutex_lock(&q->mutex);
	for (;;) {
		while (q->unclaimed == NULL && !q->stopping)
			pthread_cond_wait(&q->coming, &q->mutex);
		if (q->unclaimed == NULL)
			break;
		s = claim(q);
		pthread_mutex_unlock(&q->mutex);
		check(q, w->arena, &w->checkpoints, s);
		pthread_mutex_lock(&q->mutex);
		s->step = CHECKED;
		q->checked++;
		if (may_begin(q))
			pthread_cond_signal(&q->ready);
	}
	pthread_mutex_unlock(&q->mutex);
	return NULL;
}

/* ---- a batch ---- */

/* What was logged since the last call. */
static enum err add_leaves(struct sequencer *q)
{
	const struct batch *b = &q->node->batch;
	enum err e = OK;

	while (e == OK && q->leaves < b->leaf_count) {
		const struct batch_leaf *l = &b->leaves[q->leaves++];

		e = growth_add(q->growth[l->ledger], l->leaf);
	}
	return e;
}

static bool logged(const struct submission *s)
{
	static const struct hash none;

	return !hash_equal(s->appended.id, none);
}

enum err submission_add(struct node *n, struct submission *s, struct appended *out)
{
	const struct verified *v = s->is_verified ? &s->verified : NULL;
	enum err e = s->home_receipt.at != NULL ? node_add_guest_verified(n, s->note, s->home_receipt, v, out)
						: node_add_verified(n, s->note, v, out);

	/* The statement is in: what fails now is the whole batch's. */
	if (e == OK && s->body.at != NULL && (e = node_add_body(n, &s->reference, s->salt, &s->body, 1)) != OK &&
	    n->batch.err == OK)
		n->batch.err = e;
	return e;
}

static enum err add_note(struct sequencer *q, struct submission *s)
{
	struct node *n = q->node;
	enum err e = submission_add(n, s, &s->appended);

	if (e != OK && n->batch.err == OK && !state_failed(e)) {
		refuse(s, e);
		return OK;
	}
	return e == OK ? add_leaves(q) : e;
}

static enum err do_work(struct sequencer *q, struct submission *s)
{
	struct node *n = q->node;
	size_t records = n->batch.records, marks = n->batch.mark_count;
	size_t leaves = n->batch.leaf_count;
	enum err e = s->work(n, s);

	if (e != OK && n->batch.err == OK && !err_is_machine(e) && e != ERR_DAMAGED) {
		assert(n->batch.records == records && n->batch.mark_count == marks); /* it refused before it added */
		refuse(s, e);
		return OK;
	}
	if (e != OK)
		return e;
	assert((n->batch.leaf_count > leaves) == logged(s));
	return add_leaves(q);
}

/* What is refused, is refused alone; another result than OK is the batch's end. */
static enum err add_one(struct sequencer *q, struct submission *s)
{
	return s->work != NULL ? do_work(q, s) : add_note(q, s);
}

static enum err add_tick_if_due(struct sequencer *q)
{
	struct checkpoint last[LEDGER_COUNT];
	struct appended tick;
	bool due;
	enum err e = publishing_last(q->publishing, last);

	if (e != OK || !q->ticks || (e = node_tick_due(node_batch_state(q->node), &due)) != OK || !due)
		return e;
	if ((e = node_add_tick(q->node, last, &tick)) == OK)
		return add_leaves(q);
	/* A clock that ran backwards: the next batch tries again. */
	return q->node->batch.err != OK || state_failed(e) ? e : OK;
}

/* As many as fit: *rest is cut off. */
static enum err add_all(struct sequencer *q, struct submission *first, struct submission **rest)
{
	enum err e = add_tick_if_due(q);

	for (struct submission *s = first; e == OK && s != NULL; s = s->next) {
		if (s->err == OK)
			e = add_one(q, s);
		if (q->node->batch.bytes >= BATCH_BYTES) {
			*rest = s->next;
			s->next = NULL;
		}
	}
	return e;
}

static enum err sum_up(struct sequencer *q)
{
	enum err e = OK;

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++) {
		struct signed_checkpoint *c = &q->reached.ledgers[l];

		e = growth_sum(q->growth[l], &c->size, &c->root);
	}
	return e;
}

/* Of what is committed. */
static enum err sign(struct sequencer *q, enum ledger_id l)
{
	struct signed_checkpoint *s = &q->reached.ledgers[l];
	struct checkpoint c = { .origin = q->node->origin[l], .size = s->size, .root = s->root };
	struct buffer note = BUFFER(CHECKPOINT_NOTE_MAX);
	enum err e = checkpoint_sign(&c, q->node->ledger_signer[l], &note);

	if (e == OK) {
		memcpy(s->note, note.at, note.len);
		s->length = note.len;
	}
	buffer_free(&note);
	return e;
}

static size_t grown(const struct sequencer *q)
{
	size_t count = 0;

	for (int l = 0; l < LEDGER_COUNT; l++)
		count += growth_count(q->growth[l]);
	return count;
}

/* So that who reads of it can have receipts at once. */
static enum err keep_recent(struct sequencer *q)
{
	struct checkpoint published[LEDGER_COUNT];
	enum err e = publishing_last(q->publishing, published);

	return e == OK ? receipts_reach(q->receipts, q->growth, &q->reached, published) : e;
}

/* On OK everything with err OK, as far as the rest, is durable and under a signed checkpoint. */
static enum err commit_all(struct sequencer *q, struct submission *first, struct submission **rest)
{
	struct node *n = q->node;
	enum err e = node_begin(n);

	if (e != OK)
		return e;
	q->leaves = 0;
	if ((e = add_all(q, first, rest)) == OK)
		e = sum_up(q);
	if (e != OK || (n->batch.records == 0 && n->batch.mark_count == 0)) {
		node_abandon(n);
		return e;
	}
	if ((e = node_commit(n)) != OK)
		return e;
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		if (growth_count(q->growth[l]) > 0)
			e = sign(q, (enum ledger_id)l);
	if (e == OK)
		e = journal_end(n->journal, &q->reached.end);
	if (e == OK)
		e = keep_recent(q);
	if (e == OK && q->reached_by != NULL)
		q->reached_by(q->context, n->heads.stamp);
	return e;
}

static enum err write_receipt(struct sequencer *q, struct submission *s)
{
	const struct appended *a = &s->appended;
	const struct signed_checkpoint *c = &q->reached.ledgers[a->ledger];
	struct receipt r = { .index = a->index, .checkpoint_note = span_make(c->note, c->length) };
	enum err e = growth_proof(q->growth[a->ledger], a->index, &r.proof);

	if (e != OK)
		return e;
	buffer_clear(&q->receipt);
	receipt_print(&r, &q->receipt);
	s->receipt = buffer_view(&q->receipt);
	return q->receipt.err;
}

static void set_broken(struct sequencer *q, enum err e)
{
	pthread_mutex_lock(&q->mutex);
	if (q->broken == OK) {
		q->broken = e;
		snprintf(q->broken_detail, sizeof(q->broken_detail), "%s", err_detail());
	}
	pthread_mutex_unlock(&q->mutex);
}

/* The room is free before anybody hears of the end, who may offer the next at once. `next` is read before: a submission
 * that is done is no longer ours. */
static void give_out(struct sequencer *q, struct submission *first, enum err failed)
{
	struct submission *next;
	size_t count = 0;

	for (struct submission *s = first; s != NULL; s = s->next, count++)
		if (s->err == OK && failed != OK) {
			s->err = failed;
			snprintf(s->detail, sizeof(s->detail), "%s", q->broken_detail);
		}
	pthread_mutex_lock(&q->mutex);
	q->under_way -= count;
	pthread_mutex_unlock(&q->mutex);
	for (struct submission *s = first; s != NULL; s = next) {
		enum err e = s->err == OK && logged(s) ? write_receipt(q, s) : OK;

		if (e != OK)
			refuse(s, e);
		next = s->next;
		s->done(s);
	}
}

/* One batch; gives what did not fit into it. */
static struct submission *sequence(struct sequencer *q, struct submission *first)
{
	struct submission *rest = NULL;
	enum err e = q->broken;

	if (e == OK && (e = commit_all(q, first, &rest)) != OK)
		set_broken(q, e);
	give_out(q, first, e);
	if (e == OK && grown(q) > 0)
		publishing_reach(q->publishing, &q->reached);
	for (int l = 0; l < LEDGER_COUNT; l++)
		if (e == OK)
			growth_keep(q->growth[l]);
		else
			growth_drop(q->growth[l]);
	return rest;
}

/* ---- the queue's front ---- */

/* All that is checked, from the front. Under the mutex. */
static struct submission *take(struct sequencer *q)
{
	struct submission *first = q->first, **end = &q->first;

	while (*end != NULL && (*end)->step == CHECKED) {
		end = &(*end)->next;
		q->checked--;
	}
	q->first = *end;
	if (q->first == NULL)
		q->last = &q->first;
	if (q->first == first)
		return NULL;
	*end = NULL;
	return first;
}

/* ---- a loan ---- */

static enum err go_on_from(struct sequencer *q, enum ledger_id l)
{
	const struct publication *p = &q->node->publications[l];
	const struct frontier *f = publisher_frontier(p->publisher);

	enum err e;

	if (!p->published || f->size != q->node->heads.size[l])
		return fail(ERR_USAGE, "%.*s: not everything is published", SPAN_FORMAT(q->node->origin[l]));
	e = growth_new(f, &q->growth[l]);
	return e == OK ? receipts_go_on(q->receipts, l, f) : e;
}

static enum err go_on(struct sequencer *q)
{
	enum err e = OK;

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++) {
		growth_free(q->growth[l]);
		q->growth[l] = NULL;
		e = go_on_from(q, (enum ledger_id)l);
	}
	q->reached = (struct reached){ 0 };
	publishing_go_on(q->publishing);
	return e;
}

static void set_lent(struct sequencer *q, bool lent)
{
	pthread_mutex_lock(&q->mutex);
	q->lent = lent;
	pthread_mutex_unlock(&q->mutex);
}

bool sequencer_lent(struct sequencer *q)
{
	bool lent;

	pthread_mutex_lock(&q->mutex);
	lent = q->lent;
	pthread_mutex_unlock(&q->mutex);
	return lent;
}

/* Whether nobody needs the node again. */
static bool may_leave(struct sequencer *q)
{
	bool may;

	pthread_mutex_lock(&q->mutex);
	may = q->stopping && q->first == NULL;
	pthread_mutex_unlock(&q->mutex);
	return may;
}

static void pause_ms(unsigned ms)
{
	const struct timespec t = { .tv_nsec = (long)ms * 1000000 };

	nanosleep(&t, NULL);
}

static enum err lend(struct sequencer *q)
{
	unsigned ms = 1;
	enum err e = publishing_settle(q->publishing);

	if (e != OK || (e = node_lend(q->node)) != OK)
		return e;
	set_lent(q, true);
	while ((e = node_regain(q->node)) == ERR_BUSY && !may_leave(q)) {
		pause_ms(ms);
		ms = ms < REGAIN_MOST_MS ? 2 * ms : ms;
	}
	if (e == ERR_BUSY)
		return OK; /* it stays lent, and this is the end */
	set_lent(q, false);
	if (e == OK)
		e = go_on(q);
	if (e == OK && q->reached_by != NULL)
		q->reached_by(q->context, q->node->heads.stamp);
	return e;
}

static void lend_if_asked(struct sequencer *q)
{
	int64_t now = clock_monotonic_us();
	bool soon = q->back_us != 0 && now - q->back_us < LEND_SOON_FOR_MS * INT64_C(1000);
	enum err e;

	q->lend_look_us = now + (soon ? LEND_SOON_MS : LEND_LOOK_MS) * INT64_C(1000);
	if (q->broken != OK || !node_asked(q->node))
		return;
	if ((e = lend(q)) != OK)
		set_broken(q, e);
	q->back_us = q->lend_look_us = clock_monotonic_us();
}

/* ---- the sequencing thread ---- */

/* Until a batch may begin, all is over, or it is time to look for a tick or for who asks. */
static void wait_for_batch(struct sequencer *q)
{
	int64_t us = q->tick_look_us;
	struct timespec look;
	int rc = 0;

	if (q->lends && q->lend_look_us < us && q->first == NULL)
		us = q->lend_look_us;
	look = (struct timespec){ .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };
	while (!may_begin(q) && !(q->stopping && q->first == NULL) && rc == 0)
		rc = pthread_cond_timedwait(&q->ready, &q->mutex, &look);
}

/* All that is checked, one batch behind the other; if that is nothing, a tick may be due. */
static void work_off(struct sequencer *q, struct submission *first)
{
	do
		first = sequence(q, first);
	while (first != NULL);
}

static bool time_for_tick(struct sequencer *q)
{
	int64_t now = clock_monotonic_us();
	bool is = now >= q->tick_look_us;

	if (is)
		q->tick_look_us = now + TICK_LOOK_MS * INT64_C(1000);
	return is && q->ticks;
}

static void *run(void *argument)
{
	struct sequencer *q = argument;
	struct submission *first;
	bool waits;

	q->tick_look_us = clock_monotonic_us() + TICK_LOOK_MS * INT64_C(1000);
	pthread_mutex_lock(&q->mutex);
	for (;;) {
		wait_for_batch(q);
		first = take(q);
		if (first == NULL && q->stopping && q->first == NULL)
			break;
		waits = first == NULL && q->first != NULL;
		pthread_mutex_unlock(&q->mutex);
		if (time_for_tick(q) || first != NULL)
			work_off(q, first);
		if (q->lends && !waits)
			lend_if_asked(q);
		pthread_mutex_lock(&q->mutex);
	}
	pthread_mutex_unlock(&q->mutex);
	return NULL;
}

/* ---- submitters ---- */

enum err sequencer_offer(struct sequencer *q, struct submission *s)
{
	enum err e = OK;

	s->next = NULL;
	s->step = s->work != NULL && s->note.at == NULL ? CHECKED : NEW;
	s->is_verified = false;
	s->verified.with_receipt = false;
	s->appended = (struct appended){ 0 };
	s->err = OK;
	s->detail[0] = '\0';
	s->receipt = SPAN("");
	pthread_mutex_lock(&q->mutex);
	if (q->broken != OK) {
		e = fail(q->broken, "%s", q->broken_detail);
	} else if (q->stopping || q->under_way >= q->limit) {
		e = fail(ERR_BUSY, "%s",
			 q->stopping ? "the sequencer is stopping"
				     : "too many statements are under way; send it again in a moment");
	} else {
		*q->last = s;
		q->last = &s->next;
		q->under_way++;
		if (s->step == CHECKED)
			q->checked++;
		else if (q->unclaimed == NULL)
			q->unclaimed = s;
		pthread_cond_signal(s->step == NEW ? &q->coming : &q->ready);
	}
	pthread_mutex_unlock(&q->mutex);
	return e;
}

enum err sequencer_receipt(struct sequencer *q, struct arena *a, enum ledger_id l, uint64_t index, struct receipt *out)
{
	return receipts_make(q->receipts, a, l, index, out);
}

/* s->done posts s->ended, as its last act. */
static enum err offer_and_wait(struct sequencer *q, struct submission *s)
{
	sem_t ended;
	enum err e;

	sem_init(&ended, 0, 0);
	s->ended = &ended;
	if ((e = sequencer_offer(q, s)) == OK) {
		while (sem_wait(&ended) == -1)
			; /* a signal came */
		if ((e = s->err) != OK)
			fail(e, "%s", s->detail);
	}
	sem_destroy(&ended);
	return e;
}

static void finished(struct submission *s)
{
	sem_post(s->ended);
}

enum err sequencer_finish(struct sequencer *q, struct submission *s)
{
	s->done = finished;
	return offer_and_wait(q, s);
}

struct waiting {
	struct arena *arena;
	struct accepted *out;
};

static void keep_receipt(struct submission *s)
{
	struct waiting *w = s->context;

	if (s->err == OK) {
		const char *copy = arena_copy(w->arena, s->receipt.at, s->receipt.len);

		w->out->appended = s->appended;
		w->out->receipt = span_make(copy, s->receipt.len);
		if (copy == NULL) {
			s->err = ERR_NO_MEMORY;
			snprintf(s->detail, sizeof(s->detail), "logged, but no room for its receipt");
		}
	}
	finished(s);
}

enum err sequencer_submit(struct sequencer *q, struct span note, struct arena *a, struct accepted *out)
{
	struct waiting w = { .arena = a, .out = out };
	struct submission s = { .note = note, .done = keep_receipt, .context = &w };

	return offer_and_wait(q, &s);
}

/* ---- beginning and end ---- */

static enum err make_threads(struct sequencer *q, unsigned workers)
{
	if (pthread_create(&q->thread, NULL, run, q) != 0)
		return fail(ERR_NO_MEMORY, "no thread for the sequencer");
	q->thread_started = true;
	while (q->started < workers) {
		struct worker *w = &q->workers[q->started];

		w->sequencer = q;
		if ((w->arena = arena_new(PARSE_MAX)) == NULL)
			return ERR_NO_MEMORY;
		if (pthread_create(&w->thread, NULL, verify, w) != 0)
			return fail(ERR_NO_MEMORY, "no thread for verifying");
		q->started++;
	}
	return OK;
}

static unsigned workers_wanted(const struct sequencer_options *o)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = o->workers != 0 ? o->workers : processors > 0 ? (unsigned)processors : 1;

	return n < WORKERS_MAX ? n : WORKERS_MAX;
}

enum err sequencer_start(struct node *n, const struct sequencer_options *options, struct sequencer **out)
{
	struct sequencer *q = calloc(1, sizeof(*q));
	pthread_condattr_t monotonic;
	enum err e = OK;

	if (q == NULL)
		return ERR_NO_MEMORY;
	assert(n->mode == NODE_WRITE && !n->batch.open);
	q->node = n;
	q->limit = options->limit != 0 ? options->limit : LIMIT_DEFAULT;
	q->ticks = options->ticks;
	q->lends = options->lends;
	q->reached_by = options->reached;
	q->context = options->context;
	q->last = &q->first;
	q->receipt = BUFFER(RECEIPT_MAX);
	pthread_mutex_init(&q->mutex, NULL);
	pthread_cond_init(&q->coming, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&q->ready, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (buffer_room(&q->receipt, RECEIPT_MAX) == NULL) /* so that no receipt fails behind its commit */
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = receipts_new(&q->receipts);
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = go_on_from(q, (enum ledger_id)l);
	if (e == OK && q->lends)
		e = node_serve(n);
	if (e == OK)
		e = publishing_start(n, options->publish_ms != 0 ? options->publish_ms : PUBLISH_DEFAULT_MS,
				     &q->publishing);
	if (e == OK)
		e = make_threads(q, workers_wanted(options));
	if (e != OK) {
		sequencer_stop(q);
		return e;
	}
	*out = q;
	return OK;
}

static void end_threads(struct sequencer *q)
{
	pthread_mutex_lock(&q->mutex);
	q->stopping = true;
	pthread_cond_broadcast(&q->coming);
	pthread_cond_signal(&q->ready);
	pthread_mutex_unlock(&q->mutex);
	for (unsigned i = 0; i < q->started; i++)
		pthread_join(q->workers[i].thread, NULL);
	if (q->thread_started)
		pthread_join(q->thread, NULL);
}

enum err sequencer_stop(struct sequencer *q)
{
	enum err e, published;

	if (q == NULL)
		return OK;
	end_threads(q);
	published = publishing_stop(q->publishing);
	if ((e = published) == OK && q->broken != OK)
		e = fail(q->broken, "%s", q->broken_detail);
	if (e != OK && q->node->broken == OK)
		q->node->broken = err_is_machine(e) ? e : ERR_IO;
	for (int l = 0; l < LEDGER_COUNT; l++)
		growth_free(q->growth[l]);
	receipts_free(q->receipts);
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		if (q->workers[i].arena != NULL)
			arena_free(q->workers[i].arena);
	buffer_free(&q->receipt);
	pthread_cond_destroy(&q->ready);
	pthread_cond_destroy(&q->coming);
	pthread_mutex_destroy(&q->mutex);
	free(q);
	return e;
}
