#include "exchange/proof_rounds.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ledger/entry.h"
#include "net/log.h"
#include "proof/verify.h"

/*
 * A round
 *
 * Begins when something was logged, and once a minute. Proofs without a verdict are listed in one snapshot; then each is read,
 * verified without holding anything, and its verdict offered to the sequencer, where it is written only if there is none yet and
 * the proof was not withdrawn meanwhile. So whoever submits a statement waits for no signature of another's evidence.
 *
 * A proof whose time is over needs no verdict: its holding has ended by itself. But where the operator takes an anchor away, what
 * rested on it must fall: then, and at the start, all that holds is verified again, and what no longer does is objected to.
 *
 * A proof that cannot be judged, for our fault or the machine's, is left for the next start: one bad one must not stop the others.
 */

#define ROUND_MS 60000
#define PAUSE_MS 200 /* between two rounds, however much is logged */
#define PASSED_OVER 64
#define LIST_ARENA ((size_t)256 << 20)

struct judged {
	struct hash id;
	bool again;	    /* it was accepted, by this answer: */
	struct hash answer; /* if it is still the node's last word */
	enum outcome outcome;
	int64_t until_ms;
	const char *reason; /* of objected */
};

struct proof_rounds {
	struct server *server;
	const char *dir;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t told;
	bool stopping, woken, started; /* under the lock */

	/* Of the thread, and of the work while that is under way. */
	struct submission submission;
	struct judged judged;
	struct arena *list, *arena; /* what is to be judged; the one that is */
	struct anchors *anchors;
	struct hash believed; /* the anchors that all that holds was verified under */
	bool believed_known;
	struct hash passed_over[PASSED_OVER];
	size_t passed_count;
};

static bool is_stopping(struct proof_rounds *r)
{
	bool yes;

	pthread_mutex_lock(&r->lock);
	yes = r->stopping;
	pthread_mutex_unlock(&r->lock);
	return yes;
}

static bool is_passed_over(const struct proof_rounds *r, struct hash id)
{
	for (size_t i = 0; i < r->passed_count && i < PASSED_OVER; i++)
		if (hash_equal(r->passed_over[i], id))
			return true;
	return false;
}

static void pass_over(struct proof_rounds *r, struct hash id, enum err e)
{
	char text[64 + HASH_HEX], hex[HASH_HEX + 1];

	r->passed_over[r->passed_count++ % PASSED_OVER] = id;
	hash_hex(id, hex);
	snprintf(text, sizeof(text), "no verdict on proof %s", hex);
	log_error(LOG_WARNING, text, e, err_detail());
}

/* ---- which ---- */

struct listing {
	struct proof_rounds *r;
	const struct state *st;
	struct judged *at;
	size_t count, room;
	int64_t now_ms; /* again: those that hold then */
	bool again;
};

static enum err add_judged(struct listing *l, const struct judged *j)
{
	size_t more = l->room > 0 ? 2 * l->room : 64;
	struct judged *at = l->at;

	if (l->count == l->room) {
		if ((at = arena_resize(l->r->list, l->at, l->room * sizeof(*at), more * sizeof(*at))) == NULL)
			return ERR_NO_MEMORY;
		l->at = at;
		l->room = more;
	}
	l->at[l->count++] = *j;
	return OK;
}

static enum err list_proof(void *context, const struct matter *m)
{
	struct listing *l = context;
	struct proof_verdict v = { 0 };
	struct judged j = { .id = m->id, .again = l->again };
	enum err e = OK;

	if (l->again && ((e = proof_verdict(l->st, m->id, &v)) != OK || !v.accepted || v.until_ms <= l->now_ms))
		return e == ERR_NOT_FOUND ? OK : e;
	j.answer = v.answer;
	return m->withdrawn || is_passed_over(l->r, m->id) ? OK : add_judged(l, &j);
}

static enum err list_all(struct proof_rounds *r, bool again, struct listing *l)
{
	struct state st;
	enum err e;

	arena_reset(r->list);
	arena_reset(r->arena);
	*l = (struct listing){ .r = r, .again = again, .now_ms = clock_now_ms() };
	if ((l->at = arena_alloc(r->list, 0)) == NULL)
		return ERR_NO_MEMORY;
	if ((e = node_read(r->server->node, r->arena, &st)) != OK)
		return e;
	l->st = &st;
	e = again ? proofs_ending(&st, INT64_MAX, list_proof, l) : proofs_waiting(&st, list_proof, l);
	snapshot_end(st.snapshot);
	return e;
}

/* ---- is it so? ---- */

struct evidence_of {
	struct statement s;
	struct proof proof;
	struct span body; /* at NULL: it is not here, or was erased */
	enum err key;	  /* whether it speaks for the party's present key */
};

/* What a verdict can be about; else the machine failed, or we did. */
static bool is_refusal(enum err e)
{
	return e != OK && !err_is_machine(e) && e != ERR_DAMAGED && e != ERR_BUSY;
}

static enum err read_proof(struct proof_rounds *r, struct hash id, struct evidence_of *out)
{
	struct node *n = r->server->node;
	const uint8_t *salt = NULL;
	struct state st;
	struct span text;
	struct entry entry;
	enum ledger_id l;
	uint64_t index;
	enum err e = node_read(n, r->arena, &st);

	if (e != OK)
		return e;
	if ((e = state_find(&st, id, &l, &index)) == OK && (e = node_entry(n, r->arena, l, index, &text)) == OK &&
	    (e = entry_parse(text, &entry)) == OK && (e = statement_parse(r->arena, entry.note, &out->s)) == OK &&
	    (e = proof_read(r->arena, &out->s, &out->proof)) == OK) {
		out->key = verify_key_is_present(&st, &out->s, &out->proof);
		if (err_is_machine(out->key))
			e = out->key;
	}
	snapshot_end(st.snapshot);
	if (e == OK && out->s.has_body && (e = node_body(n, r->arena, out->s.body.hash, &salt, &out->body)) != OK) {
		out->body = (struct span){ 0 };
		e = e == ERR_NOT_FOUND ? OK : e;
	}
	return e;
}

/* *wanted false: it is the operator's to judge, or there is nothing new to say. */
static enum err verify_one(struct proof_rounds *r, struct judged *j, bool *wanted)
{
	struct evidence_of of = { 0 };
	struct verdict v;
	enum err e = read_proof(r, j->id, &of);

	*wanted = false;
	if (e != OK || of.proof.method == BASIS_MANDATE)
		return e;
	if (j->again && of.body.at == NULL)
		return OK; /* it was erased; what it showed was seen before */
	e = verify_statement(r->arena, r->anchors, &of.s, of.body, clock_now_ms(), &v);
	if (e == OK && !j->again)
		e = of.key;
	if (e != OK && !is_refusal(e))
		return e;
	*wanted = !j->again || (e != OK && e != ERR_EVIDENCE_EXPIRED);
	j->outcome = e == OK ? OUTCOME_ACCEPTED : OUTCOME_OBJECTED;
	j->until_ms = v.until_ms;
	j->reason = err_code(e);
	return OK;
}

/* ---- to say so ---- */

static enum err still_open(const struct state *st, const struct judged *j)
{
	struct proof_verdict v;
	struct matter m;
	enum err e = state_matter(st, j->id, &m);

	if (e == OK && m.withdrawn)
		return fail(ERR_OUTCOME, "it was withdrawn");
	if (e != OK)
		return e;
	e = proof_verdict(st, j->id, &v);
	if (!j->again)
		return e == ERR_NOT_FOUND ? OK : e == OK ? fail(ERR_STATEMENT_REPEATED, "it was judged") : e;
	if (e == OK && (!v.accepted || !hash_equal(v.answer, j->answer)))
		e = fail(ERR_STATEMENT_REPEATED, "it was judged again");
	return e;
}

/* On the sequencing thread. */
static enum err work(struct node *n, struct submission *s)
{
	struct proof_rounds *r = s->context;
	struct judged *j = &r->judged;
	struct statement_writer w = { 0 };
	enum err e = still_open(node_batch_state(n), j);

	if (e != OK)
		return e;
	statement_begin(&w, KIND_ANSWER, node_origin(n, LEDGER_PUBLIC), signer_verifier(node_signer(n)));
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", j->id);
	statement_add(&w, "outcome", span_of(outcome_name(j->outcome)));
	if (j->outcome == OUTCOME_ACCEPTED)
		statement_add_time(&w, "until", j->until_ms);
	else
		statement_add(&w, "reason", span_of(j->reason));
	e = node_add_own(n, &w, &s->appended);
	statement_writer_free(&w);
	return e;
}

static enum err say(struct proof_rounds *r, const struct judged *j)
{
	enum err e;

	r->judged = *j;
	r->submission = (struct submission){ .work = work, .context = r };
	e = sequencer_finish(r->server->sequencer, &r->submission);
	if (e == OK)
		metrics_add(r->server->metrics,
			    j->outcome == OUTCOME_ACCEPTED ? METRIC_PROOFS_ACCEPTED : METRIC_PROOFS_REFUSED, 1);
	return e == ERR_STATEMENT_REPEATED || e == ERR_OUTCOME ? OK : e;
}

/* OK: it was looked at. Another: the round ends here. */
static enum err judge(struct proof_rounds *r, struct judged *j)
{
	bool wanted = false;
	enum err e;

	arena_reset(r->arena);
	e = verify_one(r, j, &wanted);
	if (e == OK && wanted)
		e = say(r, j);
	if (e == OK || e == ERR_BUSY || e == ERR_DAMAGED || (err_is_machine(e) && e != ERR_NO_MEMORY))
		return e;
	pass_over(r, j->id, e);
	return OK;
}

/* ---- rounds ---- */

static enum err judge_all(struct proof_rounds *r, bool again)
{
	struct listing l;
	enum err e = list_all(r, again, &l);

	for (size_t i = 0; e == OK && i < l.count && !is_stopping(r); i++)
		e = judge(r, &l.at[i]);
	return e;
}

static enum err digest(const struct anchors *a, struct hash *out)
{
	struct hash_stream *h = hash_stream_new();

	if (h == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < anchors_count(a); i++) {
		const struct anchor *one = anchors_at(a, i);
		struct hash each = hash_span(one->bytes);
		uint8_t kind = (uint8_t)one->kind;

		hash_stream_add(h, &kind, 1);
		hash_stream_add(h, each.bytes, HASH_SIZE);
	}
	*out = hash_stream_end(h);
	hash_stream_free(h);
	return OK;
}

static enum err read_anchors(struct proof_rounds *r, struct hash *out)
{
	struct anchors *fresh = NULL;
	char path[4096];
	enum err e;

	snprintf(path, sizeof(path), "%s/anchors", r->dir);
	if ((e = anchors_open(path, &fresh)) != OK)
		return e;
	anchors_free(r->anchors);
	r->anchors = fresh;
	return digest(fresh, out);
}

static enum err one_round(struct proof_rounds *r)
{
	struct hash now;
	enum err e = read_anchors(r, &now);

	if (e == OK)
		e = judge_all(r, false);
	if (e == OK && (!r->believed_known || !hash_equal(now, r->believed)) && (e = judge_all(r, true)) == OK &&
	    !is_stopping(r)) {
		r->believed = now;
		r->believed_known = true;
	}
	return e;
}

/* Until that time, or until it is told something. Under the lock. */
static void wait_until(struct proof_rounds *r, int64_t ms, bool for_news)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!r->stopping && !(for_news && r->woken) && pthread_cond_timedwait(&r->told, &r->lock, &until) == 0)
		;
}

/* False: it is to end. */
static bool wait_for_news(struct proof_rounds *r)
{
	bool goes_on;

	pthread_mutex_lock(&r->lock);
	wait_until(r, ROUND_MS, true);
	wait_until(r, PAUSE_MS, false);
	r->woken = false;
	goes_on = !r->stopping;
	pthread_mutex_unlock(&r->lock);
	return goes_on;
}

static void *run(void *context)
{
	struct proof_rounds *r = context;

	do {
		enum err e = one_round(r);

		if (e != OK && e != ERR_BUSY)
			log_error(LOG_WARNING, "proofs could not be judged; tried again in a minute", e, err_detail());
	} while (wait_for_news(r));
	return NULL;
}

enum err proof_rounds_start(struct server *s, const char *dir, struct proof_rounds **out)
{
	struct proof_rounds *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (r == NULL || (r->list = arena_new(LIST_ARENA)) == NULL ||
	    (r->arena = arena_new(VERIFY_ARENA_MAX)) == NULL) {
		if (r != NULL)
			arena_free(r->list);
		free(r);
		return ERR_NO_MEMORY;
	}
	r->server = s;
	r->dir = dir;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->told, &attr);
	pthread_condattr_destroy(&attr);
	*out = r;
	if (pthread_create(&r->thread, NULL, run, r) != 0)
		return fail(ERR_NO_MEMORY, "no thread for the proofs");
	r->started = true;
	return OK;
}

void proof_rounds_wake(struct proof_rounds *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->woken = true;
	pthread_cond_signal(&r->told);
	pthread_mutex_unlock(&r->lock);
}

void proof_rounds_stop(struct proof_rounds *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_signal(&r->told);
	pthread_mutex_unlock(&r->lock);
	if (r->started)
		pthread_join(r->thread, NULL);
	r->started = false;
}

void proof_rounds_free(struct proof_rounds *r)
{
	if (r == NULL)
		return;
	anchors_free(r->anchors);
	arena_free(r->arena);
	arena_free(r->list);
	pthread_cond_destroy(&r->told);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
