#include "exchange/follow_rounds.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exchange/follow.h"
#include "net/log.h"

#define RESULT_ARENA ((size_t)1 << 20)
#define BUSY_MS 200 /* until a sequencer that is full is asked again */

struct follow_rounds {
	const struct server *server;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change; /* the end, or a submission that is done */
	atomic_bool ending;
	struct arena *arena;
};

static bool is_ending(void *context)
{
	struct follow_rounds *f = context;

	return atomic_load(&f->ending);
}

/* f->lock is held. false: the time is over. */
static bool wait_ms(struct follow_rounds *f, int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return pthread_cond_timedwait(&f->change, &f->lock, &t) != ETIMEDOUT;
}

static enum err read_own(void *context, struct arena *a, struct state *out)
{
	struct follow_rounds *f = context;

	return node_read(f->server->node, a, out);
}

/* ---- logging by the sequencer ---- */

static enum err log_guest(void *context, struct span note, struct span receipt)
{
	struct follow_rounds *f = context;
	struct submission s = { .note = note, .home_receipt = receipt };
	enum err e;

	while ((e = sequencer_finish(f->server->sequencer, &s)) == ERR_BUSY && !is_ending(f)) {
		pthread_mutex_lock(&f->lock);
		wait_ms(f, BUSY_MS);
		pthread_mutex_unlock(&f->lock);
	}
	return e;
}

/* ---- rounds ---- */

static void tell(const struct follow_result *r, struct span url)
{
	char text[512], fingerprint[HASH_HEX + 1];

	hash_hex(r->fingerprint, fingerprint);
	if (r->first) {
		snprintf(text, sizeof(text), "%.*s at %.*s, key %s", SPAN_FORMAT(r->node), SPAN_FORMAT(url),
			 fingerprint);
		log_error(LOG_WARNING, "a node is followed for the first time; compare its key with its people", OK,
			  text);
	}
	snprintf(text, sizeof(text), "%.*s: %ju new in public, %ju new in circle%s, %u parties", SPAN_FORMAT(r->node),
		 (uintmax_t)r->fresh[LEDGER_PUBLIC], (uintmax_t)r->fresh[LEDGER_CIRCLE],
		 r->circle_open ? "" : " (closed)", r->guests);
	if (r->fresh[LEDGER_PUBLIC] + r->fresh[LEDGER_CIRCLE] + r->guests > 0)
		log_error(LOG_INFO, "followed", OK, text);
	if (r->refused > 0)
		log_error(LOG_WARNING, "a party of a followed node was not taken", OK, r->why_refused);
}

static void follow_one(struct follow_rounds *f, const struct config *c, const struct follow_rule *rule)
{
	struct follow_host host = { .dir = node_dir(f->server->node),
				    .node = node_name(f->server->node),
				    .signer = node_signer(f->server->node),
				    .read = read_own,
				    .guest = log_guest,
				    .stop = is_ending,
				    .context = f };
	struct door_limits limits = config_door_limits(c);
	struct follow_result r;
	enum err e;

	err_clear();
	arena_reset(f->arena);
	e = follow_url(&host, f->arena, rule->url, &limits, rule->has_key ? &rule->key : NULL, &r);
	if (is_ending(f))
		return;
	if (e == OK)
		tell(&r, rule->url);
	else
		log_error(e == ERR_LEDGER_FORK ? LOG_ERROR : LOG_WARNING, "a node cannot be followed now", e,
			  err_detail());
}

static void *run(void *context)
{
	struct follow_rounds *f = context;

	pthread_mutex_lock(&f->lock);
	while (!is_ending(f)) {
		const struct config *c = f->server->config;

		pthread_mutex_unlock(&f->lock);
		for (size_t i = 0; i < c->follow_count && !is_ending(f); i++)
			follow_one(f, c, &c->follows[i]);
		pthread_mutex_lock(&f->lock);
		if (!is_ending(f))
			wait_ms(f, c->follow_interval_ms);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

enum err follow_rounds_start(const struct server *s, struct follow_rounds **out)
{
	struct follow_rounds *f = calloc(1, sizeof(*f));
	pthread_condattr_t attributes;

	if (f == NULL || (f->arena = arena_new(RESULT_ARENA)) == NULL) {
		free(f);
		return ERR_NO_MEMORY;
	}
	f->server = s;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&f->change, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&f->thread, NULL, run, f) != 0) {
		pthread_cond_destroy(&f->change);
		pthread_mutex_destroy(&f->lock);
		arena_free(f->arena);
		free(f);
		return fail(ERR_NO_MEMORY, "no thread to follow with");
	}
	*out = f;
	return OK;
}

void follow_rounds_stop(struct follow_rounds *f)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	atomic_store(&f->ending, true);
	pthread_cond_broadcast(&f->change);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	pthread_cond_destroy(&f->change);
	pthread_mutex_destroy(&f->lock);
	arena_free(f->arena);
	free(f);
}
