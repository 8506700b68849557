#include "exchange/delivery_mail.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "net/log.h"

/*
 * When it looks
 *
 * Woken by what was logged (at most every LOOK_LEAST_MS), when the next mail is due, when the rate allows the next one, and, where the
 * mail server failed, after a wait that doubles. Nothing is kept here that must not be lost: a mail whose fate was not logged goes
 * again, with the same Message-ID.
 */

#define AT_ONCE 64
#define LOOK_LEAST_MS 50
#define LOOK_MOST_MS 60000
#define STUCK_MS 1000 /* something is due and nothing came of it */
#define DOWN_LEAST_MS 5000
#define DOWN_MOST_MS 300000
#define HOLD_MS 60000 /* after what should not happen */
#define BUSY_MS 20    /* the sequencer has no room */
#define HOUR_US INT64_C(3600000000)
#define BURST_US INT64_C(60000000)
#define LOOK_ARENA ((size_t)1 << 20)
#define ASK_ARENA ((size_t)16 << 20)
#define RECORD_MAX ((size_t)64 << 10)

struct mail_line {
	struct mail_line_options o;
	struct contact_chooser *contacts;
	struct arena *arena; /* of a look */
	struct mail_rate rate;
	int64_t down_wait_ms; /* 0: it is not */
	bool limited;	      /* mails wait for the rate, and that was said */
	bool broken;	      /* nothing more can be logged, so nothing may be sent */

	pthread_t thread;
	bool started;
	pthread_mutex_t mutex;
	pthread_cond_t change;
	bool woken;
	atomic_bool stopping;
};

/* ---- the rate ---- */

static int64_t each_us(const struct mail_rate *r)
{
	return HOUR_US / (int64_t)r->per_hour;
}

static int64_t burst_us(const struct mail_rate *r)
{
	return each_us(r) > BURST_US ? each_us(r) : BURST_US;
}

size_t mail_rate_room(const struct mail_rate *r, int64_t now_us, size_t most)
{
	int64_t used, room;

	if (r->per_hour == 0)
		return most;
	used = r->full_us > now_us ? r->full_us - now_us : 0;
	room = (burst_us(r) - used) / each_us(r);
	return room <= 0 ? 0 : (uint64_t)room < most ? (size_t)room : most;
}

int64_t mail_rate_next_us(const struct mail_rate *r)
{
	return r->per_hour == 0 ? 0 : r->full_us + each_us(r) - burst_us(r);
}

void mail_rate_spend(struct mail_rate *r, int64_t now_us, uint64_t count)
{
	if (r->per_hour == 0)
		return;
	if (r->full_us < now_us)
		r->full_us = now_us;
	r->full_us += (int64_t)count * each_us(r);
}

/* ---- waiting ---- */

static bool is_stopping(void *context)
{
	struct mail_line *l = context;

	return atomic_load(&l->stopping);
}

/* l->mutex is held. false: the time is over. */
static bool wait_until(struct mail_line *l, int64_t us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	return pthread_cond_timedwait(&l->change, &l->mutex, &t) != ETIMEDOUT;
}

/* For so long, or LOOK_LEAST_MS if it is woken. deaf: what was logged does not make a mail server work, nor does it change the rate. */
static void rest(struct mail_line *l, int64_t ms, bool deaf)
{
	int64_t now = clock_monotonic_us(), until = now + ms * 1000, soon = now + LOOK_LEAST_MS * 1000;

	pthread_mutex_lock(&l->mutex);
	while (!is_stopping(l) && clock_monotonic_us() < until) {
		if (l->woken && !deaf && until > soon)
			until = soon;
		wait_until(l, until);
	}
	l->woken = false;
	pthread_mutex_unlock(&l->mutex);
}

/* ---- logging ---- */

static enum err add_record(struct node *n, struct submission *s)
{
	return node_add_private(n, RECORD_PRIVATE, s->context, 1);
}

/* What a mail server took has to be logged, also while the server ends: a sequencer with no room has it soon. */
static enum err log_by_sequencer(struct mail_line *l, struct span record)
{
	struct submission s = { .work = add_record, .context = &record };
	enum err e;

	while ((e = sequencer_finish(l->o.sequencer, &s)) == ERR_BUSY) {
		struct timespec t = { 0, BUSY_MS * 1000000L };

		nanosleep(&t, NULL);
	}
	return e;
}

static enum err log_alone(struct node *n, struct span record)
{
	enum err e = node_begin(n);

	if (e != OK)
		return e;
	if ((e = node_add_private(n, RECORD_PRIVATE, &record, 1)) != OK) {
		node_abandon(n);
		return e;
	}
	return node_commit(n);
}

static enum err log_record(struct mail_line *l, const struct buffer *record)
{
	enum err e = record->err;

	if (e != OK)
		return e;
	if (l->o.sequencer == NULL)
		return log_alone(l->o.node, buffer_view(record));
	e = log_by_sequencer(l, buffer_view(record));
	l->broken = err_is_machine(e) || e == ERR_DAMAGED;
	return e;
}

static enum err became(void *context, const struct outbox_event *event)
{
	struct mail_line *l = context;
	struct buffer record = BUFFER(RECORD_MAX);
	enum err e;

	if (l->o.told != NULL)
		l->o.told(l->o.context, event);
	outbox_write(&record, event, 1);
	e = log_record(l, &record);
	buffer_free(&record);
	return e;
}

/* What the register says is logged; what it does not know is none. */
static enum err ask(void *context, const struct outbox_item *i)
{
	struct mail_line *l = context;
	struct buffer record = BUFFER(RECORD_MAX);
	struct arena *a = arena_new(ASK_ARENA);
	enum err e = a != NULL ? contact_ask(l->contacts, a, &record) : ERR_NO_MEMORY;

	(void)i;
	if (e == OK)
		e = log_record(l, &record);
	arena_free(a);
	buffer_free(&record);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- one look ---- */

static void count(struct mail_line *l, const struct mail_worked *some)
{
	char text[32];

	mail_rate_spend(&l->rate, clock_monotonic_us(), some->sent + some->refused + some->later);
	if (l->o.metrics != NULL) {
		metrics_add(l->o.metrics, METRIC_MAILS_SENT, some->sent);
		metrics_add(l->o.metrics, METRIC_MAILS_REFUSED, some->refused);
		metrics_add(l->o.metrics, METRIC_MAILS_LATER, some->later);
		metrics_add(l->o.metrics, METRIC_MAILS_UNDELIVERABLE, some->undeliverable);
	}
	snprintf(text, sizeof(text), "%ju", (uintmax_t)some->sent);
	if (some->sent > 0)
		log_error(LOG_INFO, "mails sent", OK, text);
	snprintf(text, sizeof(text), "%ju", (uintmax_t)(some->refused + some->later));
	if (some->refused + some->later > 0)
		log_error(LOG_WARNING, "mails not sent; `comity outbox` says why", OK, text);
	snprintf(text, sizeof(text), "%ju", (uintmax_t)some->undeliverable);
	if (some->undeliverable > 0)
		log_error(LOG_WARNING, "notices for which no mailbox is left", OK, text);
}

static enum err work(struct mail_line *l, size_t most, struct mail_worked *some)
{
	struct mail_worker w = { .node = l->o.node,
				 .config = l->o.config,
				 .contacts = l->contacts,
				 .stop = is_stopping,
				 .became = became,
				 .ask = ask,
				 .context = l };
	enum err e = contact_chooser_refresh(l->contacts);

	*some = (struct mail_worked){ 0 };
	if (e == OK)
		e = mailer_work(&w, clock_now_ms(), most, some);
	if (some->down && !is_stopping(l))
		log_error(LOG_WARNING, "the mail server takes nothing for now", ERR_UNREACHABLE, err_detail());
	count(l, some);
	return e;
}

static enum err next_due(struct mail_line *l, int64_t *next_ms)
{
	struct state st;
	enum err e;

	arena_reset(l->arena);
	if ((e = node_read(l->o.node, l->arena, &st)) != OK)
		return e;
	e = outbox_next_due(&st, OUTBOX_MAIL, next_ms);
	snapshot_end(st.snapshot);
	return e;
}

static int64_t after_down(struct mail_line *l)
{
	int64_t wait = l->down_wait_ms * 2;

	l->down_wait_ms = wait < DOWN_LEAST_MS ? DOWN_LEAST_MS : wait > DOWN_MOST_MS ? DOWN_MOST_MS : wait;
	return l->down_wait_ms;
}

static int64_t after_rate(struct mail_line *l)
{
	if (!l->limited)
		log_error(LOG_INFO, "mails wait: as many as `mail-per-hour` allows were sent", OK, NULL);
	l->limited = true;
	return (mail_rate_next_us(&l->rate) - clock_monotonic_us()) / 1000 + 1;
}

/* Sends what may go now; *wait_ms: how long nothing more will. */
static enum err look(struct mail_line *l, int64_t *wait_ms)
{
	struct mail_worked some;
	int64_t next_ms;
	size_t room;
	enum err e = next_due(l, &next_ms);

	if (e != OK)
		return e;
	*wait_ms = next_ms == 0 ? LOOK_MOST_MS : next_ms - clock_now_ms();
	if (*wait_ms > 0) {
		l->limited = false;
		return OK;
	}
	if ((room = mail_rate_room(&l->rate, clock_monotonic_us(), AT_ONCE)) == 0) {
		*wait_ms = after_rate(l);
		return OK;
	}
	if ((e = work(l, room, &some)) != OK)
		return e;
	if (some.down) {
		*wait_ms = after_down(l);
		return OK;
	}
	l->down_wait_ms = 0;
	*wait_ms = some.sent + some.refused + some.later + some.undeliverable > 0 ? 0 : STUCK_MS;
	return OK;
}

/* ---- the thread ---- */

static void *run(void *argument)
{
	struct mail_line *l = argument;

	while (!is_stopping(l) && !l->broken) {
		int64_t wait_ms = 0;
		enum err e = look(l, &wait_ms);

		if (e != OK) {
			log_error(LOG_ERROR, l->broken ? "mail ends" : "mail is held up", e, err_detail());
			wait_ms = HOLD_MS;
		}
		if (wait_ms > 0 && !l->broken)
			rest(l, wait_ms, e != OK || l->down_wait_ms > 0 || l->limited);
	}
	return NULL;
}

enum err mail_line_start(struct mail_line *l)
{
	l->started = true;
	if (pthread_create(&l->thread, NULL, run, l) == 0)
		return OK;
	l->started = false;
	return fail(ERR_NO_MEMORY, "no thread for mail");
}

void mail_line_wake(struct mail_line *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->mutex);
	l->woken = true;
	pthread_cond_broadcast(&l->change);
	pthread_mutex_unlock(&l->mutex);
}

void mail_line_stop(struct mail_line *l)
{
	if (l == NULL || !l->started)
		return;
	atomic_store(&l->stopping, true);
	mail_line_wake(l);
	pthread_join(l->thread, NULL);
	l->started = false;
}

/* ---- without it ---- */

static void add(struct mail_worked *sum, const struct mail_worked *some)
{
	sum->sent += some->sent;
	sum->refused += some->refused;
	sum->later += some->later;
	sum->undeliverable += some->undeliverable;
	sum->down = some->down;
}

enum err mail_line_once(struct mail_line *l, struct mail_worked *sum)
{
	uint64_t left = l->rate.per_hour == 0 ? UINT64_MAX : l->rate.per_hour;
	struct mail_worked some;
	enum err e;

	do {
		e = work(l, left < AT_ONCE ? (size_t)left : AT_ONCE, &some);
		add(sum, &some);
		left -= some.sent + some.refused + some.later;
	} while (e == OK && !some.down && left > 0 && some.sent + some.refused + some.later + some.undeliverable > 0);
	return e;
}

/* ---- beginning and end ---- */

static enum err open_contacts(struct mail_line *l)
{
	struct state st;
	enum err e = node_read(l->o.node, l->arena, &st);

	if (e != OK)
		return e;
	e = contact_chooser_open(node_dir(l->o.node), l->o.config, &st, &l->contacts);
	snapshot_end(st.snapshot);
	return e;
}

enum err mail_line_new(const struct mail_line_options *o, struct mail_line **out)
{
	struct mail_line *l;
	pthread_condattr_t monotonic;
	enum err e;

	*out = NULL;
	if (o->config->smtp.len == 0)
		return OK;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for mail");
	l->o = *o;
	l->rate.per_hour = o->config->mail_per_hour;
	pthread_mutex_init(&l->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&l->change, &monotonic);
	pthread_condattr_destroy(&monotonic);
	e = (l->arena = arena_new(LOOK_ARENA)) != NULL ? open_contacts(l) : ERR_NO_MEMORY;
	if (e == OK)
		*out = l;
	else
		mail_line_free(l);
	return e;
}

void mail_line_free(struct mail_line *l)
{
	if (l == NULL)
		return;
	contact_chooser_close(l->contacts);
	arena_free(l->arena);
	pthread_cond_destroy(&l->change);
	pthread_mutex_destroy(&l->mutex);
	free(l);
}
