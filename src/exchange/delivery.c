#include "exchange/delivery_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/log.h"

/*
 * One thread
 *
 * It looks into the outbox for what is due, finds whose it is, and begins an attempt for each such node that has none under way
 * (delivery_push.c). What comes back is judged and becomes events, which the sequencer logs as work; then the node is idle again
 * and may have more. Nothing is kept here that must not be lost: what was not logged is sent again, and is `repeated` there.
 *
 *	IDLE ── begin ── DELIVERING ──┬── TO_LOG ── LOGGING ── IDLE
 *			     │ 401    │
 *			     └─ INTRODUCING ── IDLE, again
 *
 * When it looks: woken by what was logged (at most every LOOK_LEAST_MS, and longer if that took long, since a look costs by what is
 * due), when the next is due, and LOOK_SOON_MS after it met what no checkpoint covers yet.
 */

#define AT_ONCE 64
#define UNDER_WAY_MAX ((size_t)64 << 20) /* bytes of requests, about */
#define ANSWER_MAX ((size_t)1 << 20)
#define LOOK_LEAST_MS 20
#define REST 20 /* times as long as it took it does not look again */
#define LOOK_SOON_MS 50
#define LOOK_MOST_MS 60000
#define BLOCKED_MS 1000 /* something is due whose node has to wait */
#define BUSY_MS 20	/* the sequencer has no room */
#define HOLD_MS 60000
#define SCAN_ARENA ((size_t)16 << 20)

/* ---- peers ---- */

static struct peer *find_peer(struct delivery *d, struct span domain)
{
	struct hash h = hash_span(domain);
	struct peer **at = &d->peers[(h.bytes[0] | h.bytes[1] << 8) % PEER_BUCKETS], *p = *at;

	while (p != NULL && !span_equal(peer_name(p), domain))
		p = p->next;
	if (p != NULL || domain.len >= sizeof(p->domain) || (p = calloc(1, sizeof(*p))) == NULL)
		return p;
	memcpy(p->domain, domain.at, domain.len);
	p->domain_length = domain.len;
	p->delivery = d;
	p->most = DELIVERY_STATEMENTS_MAX;
	p->next = *at;
	*at = p;
	return p;
}

static bool is_held(const struct peer *p)
{
	return p->hold_us > clock_monotonic_us();
}

/* ---- the sequencer ---- */

static enum err log_events(struct node *n, struct submission *s)
{
	struct peer *p = s->context;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < p->record_count; i++) {
		struct span record = buffer_view(&p->records[i]);

		e = node_add_private(n, RECORD_PRIVATE, &record, 1);
	}
	return e;
}

/* On the sequencing thread. */
static void logged(struct submission *s)
{
	struct peer *p = s->context;
	struct delivery *d = p->delivery;

	pthread_mutex_lock(&d->mutex);
	p->next_logged = d->logged;
	d->logged = p;
	d->woken = true;
	door_pool_wake(d->pool); /* under the lock: behind it the thread may end and free it */
	pthread_mutex_unlock(&d->mutex);
}

static void offer(struct delivery *d, struct peer *p)
{
	enum err e;

	p->submission = (struct submission){ .work = log_events, .done = logged, .context = p };
	p->step = PEER_LOGGING;
	if ((e = sequencer_offer(d->o.sequencer, &p->submission)) == OK)
		return;
	p->step = PEER_TO_LOG;
	d->broken |= e != ERR_BUSY;
}

static void report(struct delivery *d, const struct peer *p)
{
	char text[640], time[CLOCK_TEXT];

	if (p->handed_over > 0) {
		snprintf(text, sizeof(text), "%s: %ju", p->domain, (uintmax_t)p->handed_over);
		log_error(LOG_INFO, "delivered", OK, text);
	}
	if (p->refused > 0) {
		snprintf(text, sizeof(text), "%s: %ju; %s", p->domain, (uintmax_t)p->refused, p->why);
		log_error(LOG_WARNING, "another node refused what was delivered", OK, text);
	}
	if (p->failed > 0) {
		clock_format_duration(p->wait_ms, time);
		snprintf(text, sizeof(text), "%s: %ju, again in %s; %s", p->domain, (uintmax_t)p->failed, time, p->why);
		log_error(LOG_WARNING, "not delivered for now", OK, text);
	}
	d->sums.handed_over += p->handed_over;
	d->sums.refused += p->refused;
	d->sums.failed += p->failed;
	if (d->o.metrics != NULL) {
		metrics_add(d->o.metrics, METRIC_DELIVERY_HANDED_OVER, p->handed_over);
		metrics_add(d->o.metrics, METRIC_DELIVERY_REFUSED, p->refused);
		metrics_add(d->o.metrics, METRIC_DELIVERY_FAILED, p->failed);
	}
	if (d->progress != NULL)
		d->progress(d->context, &d->sums);
}

/* ---- attempts ---- */

/* What should not happen must not become a loop. */
static void hold(struct peer *p, enum err e)
{
	log_error(LOG_ERROR, "delivery to a node is held up", e, err_detail());
	p->hold_us = clock_monotonic_us() + HOLD_MS * INT64_C(1000);
	p->again = false;
}

/* What the step that was reached asks for. */
static void go_on(struct delivery *d, struct peer *p, enum err e)
{
	if (e != OK) {
		hold(p, e);
		push_over(d, p);
	}
	if (p->step == PEER_TO_LOG)
		offer(d, p);
	else if (p->step == PEER_IDLE)
		push_over(d, p);
}

static void begin(struct delivery *d, struct peer *p)
{
	struct state st;
	enum err e;

	arena_reset(d->arena);
	if ((e = node_read(d->o.node, d->arena, &st)) == OK) {
		e = push_begin(d, p, &st);
		snapshot_end(st.snapshot);
	}
	go_on(d, p, e);
}

/* How many more may begin now, by their number and by what they hold. */
static void measure(const struct delivery *d, unsigned *busy, size_t *bytes)
{
	*busy = 0;
	*bytes = 0;
	for (size_t b = 0; b < PEER_BUCKETS; b++)
		for (const struct peer *p = d->peers[b]; p != NULL; p = p->next) {
			*busy += p->step != PEER_IDLE;
			*bytes += p->text.room;
		}
}

static void begin_ready(struct delivery *d)
{
	unsigned busy;
	size_t bytes;

	measure(d, &busy, &bytes);
	for (size_t i = 0; i < d->ready_count && busy < AT_ONCE && bytes < UNDER_WAY_MAX; i++) {
		begin(d, d->ready[i]);
		busy += d->ready[i]->step != PEER_IDLE;
		bytes += d->ready[i]->text.room;
	}
}

/* What was tried or is to go by hand is due by itself; the rest waits behind the first. */
static bool is_blocked(const struct peer *p, const struct outbox_item *i)
{
	return i->attempts == 0 && i->since_ms <= i->queued_ms && p->blocked_us > clock_monotonic_us();
}

static enum err look_at_item(void *context, const struct outbox_item *i)
{
	struct delivery *d = context;
	struct peer *p = find_peer(d, i->key.to.domain);

	if (p == NULL)
		return ERR_NO_MEMORY;
	if (p->seen == d->scan || is_blocked(p, i))
		return OK;
	p->seen = d->scan;
	if (p->step == PEER_IDLE && !is_held(p))
		d->ready[d->ready_count++] = p;
	return d->ready_count == AT_ONCE ? ERR_BUSY : OK;
}

static void look_in(struct delivery *d, int64_t ms)
{
	d->look_us = clock_monotonic_us() + ms * 1000;
}

/* When to look again, if nothing happens before. */
static void plan_look(struct delivery *d, int64_t next_ms)
{
	int64_t wait = next_ms == 0 ? LOOK_MOST_MS : next_ms - clock_now_ms();

	if (wait <= 0 && d->ready_count == AT_ONCE)
		wait = LOOK_LEAST_MS; /* there were more */
	else if (wait <= 0)
		wait = BLOCKED_MS;
	look_in(d, wait < LOOK_MOST_MS ? wait : LOOK_MOST_MS);
}

/* However much is due that cannot go, looking takes but a small part of the time. */
static void rest(struct delivery *d, int64_t begun_us)
{
	int64_t now = clock_monotonic_us(), least = LOOK_LEAST_MS * INT64_C(1000), by_cost = REST * (now - begun_us);

	d->looked_us = now;
	d->rest_us = by_cost > least ? by_cost : least;
	if (d->look_us < now + d->rest_us)
		d->look_us = now + d->rest_us;
}

static void find_ready(struct delivery *d)
{
	int64_t next_ms = 0;
	struct state st;
	enum err e;

	d->scan++;
	d->ready_count = 0;
	d->unpublished = false;
	arena_reset(d->arena);
	if ((e = node_read(d->o.node, d->arena, &st)) == OK) {
		e = outbox_due(&st, OUTBOX_NODE, clock_now_ms(), look_at_item, d);
		if (e == OK || e == ERR_BUSY)
			e = outbox_next_due(&st, OUTBOX_NODE, &next_ms);
		snapshot_end(st.snapshot);
	}
	if (e != OK) {
		d->ready_count = 0;
		log_error(LOG_ERROR, "the outbox cannot be read", e, err_detail());
		look_in(d, HOLD_MS);
		return;
	}
	plan_look(d, next_ms);
}

static void look(struct delivery *d)
{
	int64_t begun_us = clock_monotonic_us();

	find_ready(d);
	rest(d, begun_us);
	begin_ready(d);
	if (d->unpublished && d->look_us > clock_monotonic_us() + LOOK_SOON_MS * 1000)
		look_in(d, LOOK_SOON_MS);
}

static void ended(struct delivery *d, const struct door_done *done)
{
	struct peer *p = done->context;

	go_on(d, p, push_ended(d, p, done));
	if (p->step == PEER_IDLE && p->again)
		begin(d, p);
}

/* Those whose events are logged. */
static void take_logged(struct delivery *d)
{
	struct peer *p, *next;

	pthread_mutex_lock(&d->mutex);
	p = d->logged;
	d->logged = NULL;
	pthread_mutex_unlock(&d->mutex);
	for (; p != NULL; p = next) {
		enum err e = p->submission.err;

		next = p->next_logged;
		if (e == OK) {
			report(d, p);
		} else if (err_is_machine(e) || e == ERR_DAMAGED) {
			d->broken = true;
			p->again = false;
		} else {
			fail(e, "%s", p->submission.detail);
			hold(p, e);
		}
		push_over(d, p);
		if (p->again && !d->broken)
			begin(d, p);
	}
}

/* Offers again what the sequencer had no room for. */
static bool offer_again(struct delivery *d)
{
	bool waits = false;

	for (size_t b = 0; b < PEER_BUCKETS; b++)
		for (struct peer *p = d->peers[b]; p != NULL; p = p->next) {
			if (p->step == PEER_TO_LOG && !d->broken)
				offer(d, p);
			waits |= p->step == PEER_TO_LOG;
		}
	return waits;
}

static unsigned busy_peers(const struct delivery *d)
{
	unsigned busy;
	size_t bytes;

	measure(d, &busy, &bytes);
	return busy;
}

/* ---- the thread ---- */

static bool is_stopping(struct delivery *d, bool *woken)
{
	bool stopping;

	pthread_mutex_lock(&d->mutex);
	stopping = d->stopping;
	*woken = d->woken;
	d->woken = false;
	pthread_mutex_unlock(&d->mutex);
	return stopping;
}

static unsigned how_long(struct delivery *d, bool room_wanted)
{
	int64_t us = d->look_us - clock_monotonic_us();

	if (room_wanted && us > BUSY_MS * 1000)
		us = BUSY_MS * 1000;
	return us <= 0 ? 0 : (unsigned)(us / 1000 + 1);
}

/* One turn: what was logged, what is due, what came back. */
static enum err turn(struct delivery *d, bool woken)
{
	int64_t soon = d->looked_us + d->rest_us;
	struct door_done done;
	bool one = false;
	enum err e;

	take_logged(d);
	if (woken && d->look_us > soon)
		d->look_us = d->looked_us + d->rest_us;
	if (!d->broken && clock_monotonic_us() >= d->look_us) {
		look(d);
	}
	e = door_pool_wait(d->pool, how_long(d, offer_again(d)), &done, &one);
	if (e == OK && one)
		ended(d, &done);
	return e;
}

/* Events under way are the sequencer's until it gives them back. */
static void wait_for_logging(struct delivery *d)
{
	bool logging = true, woken;

	while (logging) {
		struct door_done done;
		bool one;

		pthread_mutex_lock(&d->mutex);
		d->stopping = true;
		pthread_mutex_unlock(&d->mutex);
		take_logged(d);
		logging = false;
		for (size_t b = 0; b < PEER_BUCKETS; b++)
			for (struct peer *p = d->peers[b]; p != NULL; p = p->next)
				logging |= p->step == PEER_LOGGING;
		is_stopping(d, &woken);
		if (logging && door_pool_wait(d->pool, BUSY_MS, &done, &one) == OK && one)
			push_over(d, done.context); /* too late: it goes again */
	}
}

static void *run(void *argument)
{
	struct delivery *d = argument;
	bool woken = true;
	enum err e = OK;

	while (!is_stopping(d, &woken) && e == OK)
		e = turn(d, woken);
	if (e != OK)
		log_error(LOG_ERROR, "delivery ends", e, err_detail());
	wait_for_logging(d);
	return NULL;
}

/* ---- beginning and end ---- */

static enum err make(const struct delivery_options *o, struct delivery **out)
{
	struct delivery *d = calloc(1, sizeof(*d));
	enum err e = ERR_NO_MEMORY;

	if (d == NULL)
		return e;
	d->o = *o;
	d->limits = config_door_limits(o->config);
	d->limits.most_bytes = ANSWER_MAX;
	pthread_mutex_init(&d->mutex, NULL);
	d->arena = arena_new(SCAN_ARENA);
	d->ready = calloc(AT_ONCE, sizeof(*d->ready));
	if (d->arena != NULL && d->ready != NULL)
		e = door_pool_new(&d->limits, AT_ONCE, &d->pool);
	if (e == OK)
		e = suspensions_new(node_dir(o->node), &d->suspensions);
	if (e == OK)
		*out = d;
	else
		delivery_free(d);
	return e;
}

static enum err begin_mail(struct delivery *d)
{
	struct mail_line_options o = {
		.config = d->o.config, .node = d->o.node, .sequencer = d->o.sequencer, .metrics = d->o.metrics
	};
	enum err e = mail_line_new(&o, &d->mail);

	return e == OK && d->mail != NULL ? mail_line_start(d->mail) : e;
}

enum err delivery_start(const struct delivery_options *o, struct delivery **out)
{
	struct delivery *d = NULL;
	enum err e;

	*out = NULL;
	if (!o->config->deliver)
		return OK;
	if ((e = make(o, &d)) != OK)
		return e;
	if ((e = begin_mail(d)) == OK && pthread_create(&d->thread, NULL, run, d) != 0)
		e = fail(ERR_NO_MEMORY, "no thread for delivery");
	if (e != OK) {
		delivery_stop(d);
		delivery_free(d);
		return e;
	}
	d->started = true;
	*out = d;
	return OK;
}

void delivery_wake(struct delivery *d)
{
	if (d == NULL)
		return;
	pthread_mutex_lock(&d->mutex);
	d->woken = true;
	pthread_mutex_unlock(&d->mutex);
	door_pool_wake(d->pool);
	mail_line_wake(d->mail);
}

void delivery_stop(struct delivery *d)
{
	if (d == NULL)
		return;
	pthread_mutex_lock(&d->mutex);
	d->stopping = true;
	pthread_mutex_unlock(&d->mutex);
	door_pool_wake(d->pool);
	mail_line_stop(d->mail);
	if (d->started)
		pthread_join(d->thread, NULL);
	d->started = false;
}

void delivery_free(struct delivery *d)
{
	if (d == NULL)
		return;
	mail_line_free(d->mail);
	door_pool_free(d->pool); /* first: it looks into what the peers hold */
	for (size_t b = 0; b < PEER_BUCKETS; b++)
		while (d->peers[b] != NULL) {
			struct peer *next = d->peers[b]->next;

			push_over(d, d->peers[b]);
			free(d->peers[b]);
			d->peers[b] = next;
		}
	if (d->arena != NULL)
		arena_free(d->arena);
	suspensions_free(d->suspensions);
	free(d->ready);
	pthread_mutex_destroy(&d->mutex);
	free(d);
}

/* ---- without a server ---- */

static enum err count_one(void *context, const struct outbox_item *i)
{
	uint64_t *waiting = context;

	*waiting += i->step == OUTBOX_WAITING;
	return OK;
}

static enum err count_waiting(struct node *n, uint64_t *out)
{
	struct arena *a = arena_new(SCAN_ARENA);
	struct state st;
	enum err e = a != NULL ? node_read(n, a, &st) : ERR_NO_MEMORY;

	if (e == OK) {
		e = outbox_walk(&st, NULL, count_one, out);
		snapshot_end(st.snapshot);
	}
	arena_free(a);
	return e;
}

/* Until a look finds nothing more to begin, and nothing is under way. */
static enum err run_once(struct delivery *d)
{
	enum err e = OK;

	do {
		d->look_us = 0;
		look(d);
		while (e == OK && !d->broken && busy_peers(d) > 0) {
			look_in(d, BUSY_MS); /* the last one may be logged in this very turn */
			e = turn(d, false);
		}
	} while (e == OK && !d->broken && d->ready_count == AT_ONCE);
	wait_for_logging(d);
	return e;
}

static enum err push_from(struct node *n, const struct config *config, delivery_progress *progress, void *context,
			  struct delivery_result *out)
{
	struct sequencer_options so = { .workers = 1 };
	struct delivery_options o = { .config = config, .node = n };
	struct delivery *d = NULL;
	enum err e = node_publish(n), stopped;

	if (e == OK)
		e = sequencer_start(n, &so, &o.sequencer);
	if (e == OK)
		e = make(&o, &d);
	if (e == OK) {
		d->progress = progress;
		d->context = context;
		e = run_once(d);
		*out = d->sums;
	}
	stopped = sequencer_stop(o.sequencer);
	delivery_free(d);
	return e == OK ? stopped : e;
}

static enum err mail_from(struct node *n, const struct config *config, struct mail_worked *out)
{
	struct mail_line_options o = { .config = config, .node = n };
	struct mail_line *l = NULL;
	enum err e = mail_line_new(&o, &l);

	if (e == OK && l != NULL)
		e = mail_line_once(l, out);
	mail_line_free(l);
	return e;
}

enum err delivery_once(const char *dir, const struct config *config, delivery_progress *progress, void *context,
		       struct delivery_result *out)
{
	struct node *n = NULL;
	enum err e = node_open(dir, NODE_WRITE, &n);

	*out = (struct delivery_result){ 0 };
	if (e != OK)
		return e;
	if (node_is_borrowed(n))
		e = fail(ERR_BUSY, "%s: the server that has it delivers by itself", dir);
	else
		e = push_from(n, config, progress, context, out);
	if (e == OK)
		e = mail_from(n, config, &out->mails);
	if (e == OK)
		e = count_waiting(n, &out->waiting);
	node_close(n);
	return e;
}
