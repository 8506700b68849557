#include "exchange/rounds.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "exchange/pings.h"
#include "net/log.h"
#include "route/deconfliction.h"
#include "route/follow_up.h"
#include "territory/known_claims.h"

/*
 * A round
 *
 * Tables and claims are read again when they have changed; then all that still waits is looked at anew, and so it is once a day.
 * Between, the mark says what was looked at, so a round costs what is new. A step is one piece of work for the sequencer, small
 * enough that whoever submits a statement meanwhile hardly waits.
 */

#define ROUND_MS 60000
#define STEP 64
#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define ARENA ((size_t)1 << 28)

struct rounds {
	struct server *server;
	const char *dir;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t told;
	bool stopping, started; /* under the lock */
	struct submission submission;
	size_t answered; /* of who asked before a takedown, in the last step */

	/* Of the thread, and of the work while that is under way. */
	struct arena *arena; /* claims that the resolver was made with */
	struct table *table;
	struct resolver *resolver;
	struct stat file; /* of the table */
	struct hash claims;
	int64_t anew_us;
	struct follow_up_mark mark;
	struct follow_up_result result;
};

/* ---- tables and claims ---- */

static void forget(struct rounds *r)
{
	resolver_free(r->resolver);
	table_close(r->table);
	r->resolver = NULL;
	r->table = NULL;
	arena_reset(r->arena);
}

static void look(struct hash_stream *h, const struct territory_claim *c)
{
	uint8_t type = (uint8_t)c->type,
		lengths[3] = { (uint8_t)c->party.len, c->prefix.length, (uint8_t)c->approved_by.len };

	hash_stream_add(h, &type, 1);
	hash_stream_add(h, lengths, sizeof(lengths));
	hash_stream_add(h, c->party.at, c->party.len);
	hash_stream_add(h, &c->asn, sizeof(c->asn));
	hash_stream_add(h, &c->prefix.address.high, sizeof(c->prefix.address.high));
	hash_stream_add(h, &c->prefix.address.low, sizeof(c->prefix.address.low));
	hash_stream_add(h, c->country, sizeof(c->country));
	hash_stream_add(h, c->because.bytes, HASH_SIZE);
	hash_stream_add(h, c->approved_by.at, c->approved_by.len);
}

/* Whether other claims count than before is told by this; they are many, and rarely change. */
static enum err claims_hash(const struct rounds *r, const struct state *st, struct hash *out)
{
	struct arena *a = arena_new(ARENA);
	struct hash_stream *h = hash_stream_new();
	struct territory_claim *claims;
	size_t count;
	enum err e = a == NULL || h == NULL ? ERR_NO_MEMORY
					    : claims_known(r->dir, st, clock_now_ms(), a, NULL, NULL, &claims, &count);

	for (size_t i = 0; e == OK && i < count; i++)
		look(h, &claims[i]);
	if (e == OK)
		*out = hash_stream_end(h);
	hash_stream_free(h);
	arena_free(a);
	return e;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static enum err read_anew(struct rounds *r, const struct state *st, const char *path)
{
	struct territory_claim *claims;
	size_t count;
	enum err e;

	forget(r);
	r->mark = (struct follow_up_mark){ 0 };
	r->anew_us = clock_monotonic_us();
	if ((e = claims_known(r->dir, st, clock_now_ms(), r->arena, NULL, NULL, &claims, &count)) != OK ||
	    (e = table_open(path, &r->table)) != OK)
		return e;
	return resolver_new(r->table, claims, count, &r->resolver);
}

/* With the table and the claims of this moment. *ready false: there is no table. */
static enum err make_ready(struct rounds *r, const struct state *st, bool *ready)
{
	char path[4096];
	struct stat file;
	struct hash claims;
	enum err e;

	*ready = false;
	snprintf(path, sizeof(path), "%s/territory.table", r->dir);
	if (stat(path, &file) != 0)
		return OK;
	if ((e = claims_hash(r, st, &claims)) != OK)
		return e;
	if (r->resolver == NULL || !same_file(&file, &r->file) || !hash_equal(claims, r->claims)) {
		if ((e = read_anew(r, st, path)) != OK)
			return e;
		r->file = file;
		r->claims = claims;
	} else if (clock_monotonic_us() - r->anew_us > DAY_MS * 1000) {
		r->mark = (struct follow_up_mark){ 0 };
		r->anew_us = clock_monotonic_us();
	}
	*ready = true;
	return OK;
}

/* ---- steps ---- */

static enum err each(void *context, const struct matter *m, enum follow_up reason, const struct addressee *whom,
		     const struct appended *notice)
{
	struct rounds *r = context;

	(void)m;
	(void)reason;
	(void)whom;
	if (notice != NULL)
		r->submission.appended = *notice;
	return OK;
}

static enum err work(struct node *n, struct submission *s)
{
	struct rounds *r = s->context;

	return follow_up_add_due(n, r->resolver, clock_now_ms(), STEP, &r->mark, each, r, &r->result);
}

static enum err answer_work(struct node *n, struct submission *s)
{
	struct rounds *r = s->context;

	return deconfliction_answer(n, STEP, &r->answered, &s->appended);
}

/* Who asks before a takedown is answered. */
static enum err answer_deconflictions(struct rounds *r)
{
	char text[80];
	enum err e;

	r->submission = (struct submission){ .work = answer_work, .context = r };
	e = sequencer_finish(r->server->sequencer, &r->submission);
	if (e == OK && r->answered > 0) {
		snprintf(text, sizeof(text), "requests before a takedown answered: %zu", r->answered);
		log_event(LOG_INFO, text);
	}
	return e;
}

/* One step. Nothing waits for a sequencer that is full: the next round does it. */
static enum err step(struct rounds *r)
{
	r->result = (struct follow_up_result){ 0 };
	r->submission = (struct submission){ .work = work, .context = r };
	return sequencer_finish(r->server->sequencer, &r->submission);
}

static void tell(struct rounds *r)
{
	const struct follow_up_result *f = &r->result;
	uint64_t sent = f->overdue + f->not_ours + f->undeliverable;
	char text[160];

	metrics_add(r->server->metrics, METRIC_FOLLOWED_UP, sent);
	metrics_add(r->server->metrics, METRIC_NOWHERE, f->nowhere);
	if (sent + f->nowhere == 0)
		return;
	snprintf(text, sizeof(text),
		 "notices taken further: %ju overdue, %ju not theirs, %ju undeliverable; nobody left to tell: %ju",
		 (uintmax_t)f->overdue, (uintmax_t)f->not_ours, (uintmax_t)f->undeliverable, (uintmax_t)f->nowhere);
	log_event(LOG_INFO, text);
}

static bool is_stopping(struct rounds *r)
{
	bool yes;

	pthread_mutex_lock(&r->lock);
	yes = r->stopping;
	pthread_mutex_unlock(&r->lock);
	return yes;
}

static enum err one_round(struct rounds *r, struct arena *a)
{
	struct state st;
	bool ready = false, due = false, asked = false;
	enum err e = node_read(r->server->node, a, &st);

	if (e != OK)
		return e;
	e = deconfliction_waits(&st, &asked);
	if (e == OK && (e = make_ready(r, &st, &ready)) == OK && ready)
		e = follow_up_is_due(&st, clock_now_ms(), &r->mark, &due);
	snapshot_end(st.snapshot);
	if (e == OK && asked)
		e = answer_deconflictions(r);
	while (e == OK && ready && due && !is_stopping(r)) {
		if ((e = step(r)) == OK)
			tell(r);
		due = r->result.more;
	}
	return e;
}

/* False: it is to end. */
static bool wait_ms(struct rounds *r, int64_t ms)
{
	struct timespec until;
	bool goes_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	pthread_mutex_lock(&r->lock);
	while (!r->stopping && pthread_cond_timedwait(&r->told, &r->lock, &until) == 0)
		;
	goes_on = !r->stopping;
	pthread_mutex_unlock(&r->lock);
	return goes_on;
}

static void send_pings(struct rounds *r, struct arena *a)
{
	size_t count = 0;
	char text[64];
	enum err e = pings_round(r->server, a, &count);

	if (e != OK && e != ERR_BUSY)
		log_error(LOG_WARNING, "no ping could be sent; tried again in a minute", e, err_detail());
	snprintf(text, sizeof(text), "pings sent: %zu", count);
	if (count > 0)
		log_event(LOG_INFO, text);
	arena_reset(a);
}

static void *run(void *context)
{
	struct rounds *r = context;
	struct arena *a = arena_new(ARENA);

	for (int64_t ms = 1000; a != NULL && wait_ms(r, ms); ms = ROUND_MS) {
		enum err e = one_round(r, a);

		if (e != OK && e != ERR_BUSY)
			log_error(LOG_WARNING, "no notice could be taken further; tried again in a minute", e,
				  err_detail());
		arena_reset(a);
		send_pings(r, a);
	}
	arena_free(a);
	return NULL;
}

enum err rounds_start(struct server *s, const char *dir, struct rounds **out)
{
	struct rounds *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (r == NULL || (r->arena = arena_new(ARENA)) == NULL) {
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
		return fail(ERR_NO_MEMORY, "no thread for the rounds");
	r->started = true;
	return OK;
}

void rounds_stop(struct rounds *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_signal(&r->told);
	pthread_mutex_unlock(&r->lock);
	if (r->started)
		pthread_join(r->thread, NULL);
	forget(r);
	arena_free(r->arena);
	pthread_cond_destroy(&r->told);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
