#include "exchange/server.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mail/answer_link.h"
#include "exchange/delivery.h"
#include "exchange/exposure_cache.h"
#include "exchange/recall_hook.h"
#include "exchange/rounds.h"
#include "exchange/follow_rounds.h"
#include "exchange/proof_rounds.h"
#include "exchange/server_private.h"

/*
 * One request
 *
 * admit	Who is it (access), is it within its limit of requests. Before the body.
 * handle	The body is there: is it the one that was signed, are there not too many of this caller's at once. Then the door.
 * done		Gives the place back; log and metrics.
 *
 * One life
 *
 * Signals are blocked in every thread and awaited in the first, which once in a second feels the sequencer's pulse. If the machine
 * failed the doors stay open for a few seconds more, so that whoever watches /healthz sees why, then the program ends. The end is
 * the beginning backwards: first no new connections, then those under way, then the sequencer, then the node.
 */

#define BEAT_MS 1000
#define GRACE_MS 10000
#define BROKEN_MS 5000
#define AT_ONCE 1024 /* requests with a body of one caller: a quarter of what the sequencer takes */
#define CONFIG_ARENA ((size_t)32 << 20)

/* ---- one request ---- */

static struct span caller_name(const struct caller *c, const struct http_request *r, char address[LIMITS_ADDRESS])
{
	return c->party.len > 0 ? c->party : limits_address(r->peer, address);
}

static void admit(void *context, struct http_request *r, struct http_answer *out)
{
	struct service *s = context;
	struct visitor *v;
	struct caller *c = NULL;
	char address[LIMITS_ADDRESS];
	unsigned wait_s = 1;
	enum err e;

	err_clear();
	if ((r->door->flags & DOOR_UNTOUCHED) != 0)
		return;
	e = access_who(s->server.access, r, &c);
	if (e == OK && c->how == CALLER_ANONYMOUS && (r->door->flags & DOOR_KNOWN) != 0)
		e = fail(ERR_CREDENTIALS, "this address wants to know who asks");
	if (e == ERR_CREDENTIALS)
		metrics_add(s->server.metrics, METRIC_AUTHENTICATION_FAILED, 1);
	if (e == OK && !limits_take(s->limits, caller_name(c, r, address), clock_monotonic_us() / 1000, &wait_s))
		e = fail(ERR_RATE, "at most %ju requests a minute", (uintmax_t)s->server.config->requests_per_minute);
	if (e == ERR_RATE)
		metrics_add(s->server.metrics, METRIC_LIMITED, 1);
	if (e == OK && (v = arena_array(r->arena, 1, sizeof(*v))) == NULL)
		e = ERR_NO_MEMORY;
	if (e != OK) {
		server_fail_later(&s->server, r, e, wait_s, out);
		return;
	}
	v->caller = *c;
	r->caller = v;
}

/* Stands before every door. */
static enum http_next handle(void *context, struct http_request *r, struct http_answer *out)
{
	struct service *s = context;
	struct visitor *v = r->caller;
	char address[LIMITS_ADDRESS];
	enum err e = OK;

	if (v != NULL)
		e = access_body(r);
	if (e == OK && v != NULL && r->door->body_most > 0) {
		v->counted = limits_begin(s->limits, caller_name(&v->caller, r, address), &v->place);
		if (!v->counted)
			e = fail(ERR_RATE, "at most %d requests with a body at once", AT_ONCE);
	}
	if (e != OK) {
		if (e == ERR_RATE)
			metrics_add(s->server.metrics, METRIC_LIMITED, 1);
		server_fail(&s->server, r, e, out);
		return HTTP_NOW;
	}
	return s->real[r->door - s->doors](&s->server, r, out);
}

/* The tables of all rooms. */
static const struct room {
	const struct http_door *doors;
	const size_t *count;
	enum metric_door metric;
} rooms[] = {
	{ health_doors, &health_door_count, METRIC_HEALTH }, { tile_doors, &tile_door_count, METRIC_TILES },
	{ taxii_doors, &taxii_door_count, METRIC_TAXII },    { api_doors, &api_door_count, METRIC_API },
	{ front_doors, &front_door_count, METRIC_API },	     { answer_doors, &answer_door_count, METRIC_ANSWER },
	{ node_doors, &node_door_count, METRIC_API },	     { delivery_doors, &delivery_door_count, METRIC_API },
};
#define ROOM_COUNT (sizeof(rooms) / sizeof(rooms[0]))

static enum metric_door metric_of(const struct service *s, const struct http_door *d)
{
	size_t at = d != NULL ? (size_t)(d - s->doors) : s->door_count;

	for (size_t i = 0; i < ROOM_COUNT; i++) {
		if (at < *rooms[i].count)
			return rooms[i].metric;
		at -= *rooms[i].count;
	}
	return METRIC_NONE;
}

static void done(void *context, const struct http_request *r, unsigned status, uint64_t bytes_sent, uint64_t micros)
{
	struct service *s = context;
	const struct visitor *v = r->caller;
	bool is_link =
		metric_of(s, r->door) == METRIC_ANSWER; /* whoever has its path may answer: it stays out of the log */
	struct log_request line = {
		.method = http_method_name(r->method),
		.path = is_link ? SPAN("/answer/*") : r->path,
		.peer = r->peer,
		.status = status,
		.bytes = bytes_sent,
		.micros = micros,
		.secure = r->secure,
	};

	if (v != NULL) {
		if (v->counted)
			limits_end(s->limits, v->place);
		line.party = v->caller.party;
		line.tool = v->caller.tool;
	}
	metrics_request(s->server.metrics, metric_of(s, r->door), status, r->body.len, bytes_sent, micros);
	log_request(&line);
}

/* In one table, in the order of the rooms. */
static enum err gather_doors(struct service *s)
{
	size_t count = 0;

	for (size_t i = 0; i < ROOM_COUNT; i++)
		count += *rooms[i].count;
	s->doors = calloc(count, sizeof(*s->doors));
	s->real = calloc(count, sizeof(*s->real));
	if (s->doors == NULL || s->real == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < ROOM_COUNT; i++)
		for (size_t k = 0; k < *rooms[i].count; k++) {
			s->doors[s->door_count] = rooms[i].doors[k];
			if (rooms[i].doors[k].body_most > s->options->config->body_most)
				s->doors[s->door_count].body_most = s->options->config->body_most;
			s->real[s->door_count] = rooms[i].doors[k].handle;
			s->doors[s->door_count++].handle = handle;
		}
	return OK;
}

/* ---- the beginning ---- */

static void make_secret(struct server *s)
{
	struct hash h =
		node_secret(s->node, SPAN("comity: the secret of this node's server, for cursors; no statement"));

	memcpy(s->secret, h.bytes, sizeof(s->secret));
	explicit_bzero(&h, sizeof(h));
}

static void reached(void *context, uint64_t stamp)
{
	struct service *s = context;

	followers_tell(s->server.followers, stamp);
	delivery_wake(atomic_load(&s->server.delivery));
	proof_rounds_wake(atomic_load(&s->proofs));
	recall_hook_wake(atomic_load(&s->recalls));
}

static enum err start_delivery(struct service *s)
{
	struct delivery_options o = { s->options->config, s->server.node, s->server.sequencer, s->server.metrics };
	struct delivery *d = NULL;
	enum err e = delivery_start(&o, &d);

	atomic_store(&s->server.delivery, d);
	return e;
}

static enum err start_proofs(struct service *s)
{
	struct proof_rounds *p = NULL;
	enum err e = proof_rounds_start(&s->server, s->options->dir, &p);

	atomic_store(&s->proofs, p);
	return e;
}

static enum err start_recalls(struct service *s)
{
	struct recall_hook *h = NULL;
	enum err e = recall_hook_start(&s->server, &h);

	atomic_store(&s->recalls, h);
	return e;
}

static enum err start_sequencer(struct service *s)
{
	struct sequencer_options o = { .ticks = true, .lends = true, .reached = reached, .context = s };
	enum err e = node_publish(s->server.node);

	if (e == OK)
		e = sequencer_start(s->server.node, &o, &s->server.sequencer);
	return e == OK ? pulse_new(s->server.sequencer, &s->pulse) : e;
}

static enum err start_http(struct service *s, struct server_tls *tls, struct arena *a)
{
	struct http_options o = {
		.config = s->options->config,
		.admit = admit,
		.refuse = server_refuse,
		.done = done,
		.context = s,
	};
	struct http *h = NULL;
	enum err e = gather_doors(s);

	if (e == OK)
		e = server_tls_read(a, s->server.node, s->options->config, tls);
	if (e != OK)
		return e;
	o.doors = s->doors;
	o.door_count = s->door_count;
	o.certificate_pem = tls->certificate;
	o.key_pem = tls->key;
	o.authorities_pem = tls->authorities;
	if ((e = http_start(&o, &h)) == OK)
		atomic_store(&s->server.http, h);
	return e;
}

static void tell_ready(struct service *s, const struct server_tls *tls)
{
	const struct config *c = s->options->config;
	struct server_ready ready = { .node = node_name(s->server.node), .fingerprint = tls->fingerprint };

	for (size_t i = 0; i < c->listen_count && i < SERVER_ADDRESSES; i++) {
		char address[ADDRESS_TEXT];
		const struct listen *l = &c->listens[i];

		address_format(l->address, address);
		snprintf(ready.urls[i], sizeof(ready.urls[i]),
			 l->address.family == FAMILY_IPV6 ? "http%s://[%s]:%u" : "http%s://%s:%u", l->tls ? "s" : "",
			 address, http_port(s->server.http, i));
		ready.url_count = i + 1;
	}
	if (s->options->ready != NULL)
		s->options->ready(s->options->context, &ready);
}

/* What doors and threads share. */
static enum err make_parts(struct service *s)
{
	const struct config *c = s->options->config;
	enum err e = access_new(s->server.node, &s->server.access);

	make_secret(&s->server);
	if (e == OK)
		e = access_for(s->server.access, c->url);
	if (e == OK)
		e = followers_new(&s->server.followers);
	if (e == OK)
		e = metrics_new(&s->server.metrics);
	if (e == OK)
		e = exposure_cache_new(s->options->dir, &s->server.exposure);
	if (e == OK)
		e = suspensions_new(s->options->dir, &s->server.suspensions);
	if (e == OK)
		e = limits_new(c->requests_per_minute, AT_ONCE, &s->limits);
	return e == OK ? receiving_new(c, &s->server.receiving) : e;
}

/* What the server does by itself. */
static enum err start_threads(struct service *s)
{
	enum err e = rounds_start(&s->server, s->options->dir, &s->rounds);

	if (e == OK)
		e = start_proofs(s);
	if (e == OK)
		e = follow_rounds_start(&s->server, &s->follow);
	if (e == OK)
		e = start_delivery(s);
	return e == OK ? start_recalls(s) : e;
}

static enum err start(struct service *s)
{
	struct arena *a = arena_new(CONFIG_ARENA);
	struct server_tls tls = { 0 };
	enum err e = a == NULL ? ERR_NO_MEMORY : node_open(s->options->dir, NODE_WRITE, &s->server.node);

	if (e == OK && node_mended(s->server.node)[0] != '\0')
		log_error(LOG_WARNING, "the views were made anew from the journal", OK, node_mended(s->server.node));
	if (e == OK)
		e = make_parts(s);
	if (e == OK)
		e = start_sequencer(s);
	if (e == OK)
		e = start_http(s, &tls, a);
	if (e == OK)
		e = start_threads(s);
	if (e == OK)
		tell_ready(s, &tls);
	arena_free(a);
	return e;
}

/* ---- the end ---- */

static enum err stop(struct service *s)
{
	enum err e;

	atomic_store(&s->stopping, true);
	http_stop(s->server.http, GRACE_MS);
	rounds_stop(s->rounds);
	proof_rounds_stop(s->proofs);
	follow_rounds_stop(s->follow);
	delivery_stop(s->server.delivery);
	recall_hook_stop(s->recalls);
	e = sequencer_stop(s->server.sequencer);
	delivery_free(s->server.delivery);
	proof_rounds_free(s->proofs);
	recall_hook_free(s->recalls);
	receiving_free(s->server.receiving);
	pulse_free(s->pulse);
	limits_free(s->limits);
	suspensions_free(s->server.suspensions);
	exposure_cache_free(s->server.exposure);
	metrics_free(s->server.metrics);
	followers_free(s->server.followers);
	access_free(s->server.access);
	node_close(s->server.node);
	explicit_bzero(s->server.secret, sizeof(s->server.secret));
	free(s->doors);
	free(s->real);
	while (s->configs != NULL) {
		struct held_config *next = s->configs->next;

		arena_free(s->configs->arena);
		free(s->configs);
		s->configs = next;
	}
	return e;
}

/* ---- a new configuration ---- */

static void log_config_warning(void *context, unsigned line, const char *text)
{
	char place[32];

	(void)context;
	snprintf(place, sizeof(place), "line %u", line);
	log_error(LOG_WARNING, text, OK, line > 0 ? place : NULL);
}

static bool same_listens(const struct config *a, const struct config *b)
{
	if (a->listen_count != b->listen_count)
		return false;
	for (size_t i = 0; i < a->listen_count; i++)
		if (!span_equal(a->listens[i].text, b->listens[i].text) || a->listens[i].tls != b->listens[i].tls)
			return false;
	return true;
}

/* What counts only from the next start on. */
static void log_what_waits(const struct service *s, const struct config *new)
{
	const struct config *old = s->options->config;
	const struct {
		const char *name;
		bool same;
	} fixed[] = {
		{ "listen", s->options->listens_given || same_listens(old, new) },
		{ "url", span_equal(old->url, new->url) },
		{ "body-most", old->body_most == new->body_most },
		{ "connections", old->connections == new->connections },
		{ "idle", old->idle_s == new->idle_s },
		{ "request", old->request_s == new->request_s },
		{ "threads", old->threads == new->threads },
		{ "deliver", old->deliver == new->deliver },
		{ "smtp", span_equal(old->smtp, new->smtp) },
		{ "mail-from", span_equal(old->mail_from, new->mail_from) },
		{ "mail-bounces", span_equal(old->mail_bounces, new->mail_bounces) },
		{ "mail-reply-to", span_equal(old->mail_reply_to, new->mail_reply_to) },
		{ "mail-per-hour", old->mail_per_hour == new->mail_per_hour },
		{ "outgoing-private", old->outgoing_private == new->outgoing_private },
		{ "outgoing-plain", old->outgoing_plain == new->outgoing_plain },
		{ "outgoing-authorities", span_equal(old->outgoing_authorities, new->outgoing_authorities) },
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!fixed[i].same)
			log_error(LOG_WARNING, "this setting changes with the next start", OK, fixed[i].name);
}

/* All of it or, on an error, nothing. */
static enum err reload_all(struct service *s, struct held_config *held)
{
	struct server_tls tls = { 0 };
	struct config *c = &held->config;
	struct config for_tls;
	enum err e = config_read(held->arena, s->options->config_path, log_config_warning, NULL, c);

	if (e != OK)
		return e;
	for_tls = *c; /* the certificates are for those that listen now */
	for_tls.listens = s->options->config->listens;
	for_tls.listen_count = s->options->config->listen_count;
	e = server_tls_read(held->arena, s->server.node, &for_tls, &tls);
	if (e == OK && tls.certificate.len > 0)
		e = http_reload(s->server.http, tls.certificate, tls.key, tls.authorities);
	if (e != OK)
		return e;
	log_what_waits(s, c);
	limits_set(s->limits, c->requests_per_minute);
	receiving_configure(s->server.receiving, c);
	if (!s->options->log_given)
		log_form(c->log_json);
	atomic_store(&s->server.config, c);
	recall_hook_wake(s->recalls);
	return OK;
}

static void reload(struct service *s)
{
	struct held_config *held;
	struct timespec now;
	char state[64];
	enum err e;

	if (s->options->config_path == NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify(state);
	held = calloc(1, sizeof(*held));
	e = held == NULL || (held->arena = arena_new(CONFIG_ARENA)) == NULL ? ERR_NO_MEMORY : reload_all(s, held);
	if (e == OK) {
		held->next = s->configs;
		s->configs = held;
		log_event(LOG_INFO, "reloaded");
	} else {
		log_error(LOG_ERROR, "the old configuration goes on", e, err_detail());
		if (held != NULL)
			arena_free(held->arena);
		free(held);
	}
	notify("READY=1");
}

/* ---- signals ---- */

static enum err block_signals(sigset_t *ours, sigset_t *before)
{
	sigemptyset(ours);
	sigaddset(ours, SIGTERM);
	sigaddset(ours, SIGINT);
	sigaddset(ours, SIGHUP);
	return pthread_sigmask(SIG_BLOCK, ours, before) == 0 ? OK : fail(ERR_IO, "signals cannot be blocked");
}

/* Whoever hangs up is no reason to end. */
static void ignore_pipe(struct sigaction *before)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigemptyset(&ignore.sa_mask);
	sigaction(SIGPIPE, &ignore, before);
}

/* A signal, or 0 after the time. */
static int wait_for_signal(const sigset_t *ours, unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	int number = sigtimedwait(ours, NULL, &t);

	return number > 0 ? number : 0;
}

/* Until somebody wants the end (OK) or the machine fails. */
static enum err serve(struct service *s, const sigset_t *ours)
{
	unsigned watchdog_ms = notify_watchdog_ms();
	unsigned beat_ms = watchdog_ms > 0 && watchdog_ms / 2 < BEAT_MS ? watchdog_ms / 2 + 1 : BEAT_MS;
	char detail[SUBMISSION_DETAIL];
	enum err e = OK;
	int number;

	for (;;) {
		pulse_beat(s->pulse);
		number = wait_for_signal(ours, beat_ms);
		if (number == SIGTERM || number == SIGINT)
			return OK;
		if (number == SIGHUP)
			reload(s);
		e = pulse_now(s->pulse, detail);
		if (e == OK)
			notify("WATCHDOG=1");
		else if (e != ERR_BUSY)
			break;
	}
	log_error(LOG_ERROR, "nothing can be written any more; the server ends", e, detail);
	while (wait_for_signal(ours, BROKEN_MS) == SIGHUP)
		;
	return fail(e, "%s", detail);
}

/* glibc raises these by itself and then keeps what large bodies took; a server gives it back. */
static void keep_little(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

enum err server_run(const struct server_options *o)
{
	struct service s = { .options = o };
	struct sigaction pipe_before;
	sigset_t ours, before;
	char detail[SUBMISSION_DETAIL];
	enum err e, stopped;

	keep_little();
	atomic_init(&s.server.config, o->config);
	if ((e = block_signals(&ours, &before)) != OK)
		return e;
	ignore_pipe(&pipe_before);
	if ((e = log_begin(o->config->log_json)) == OK && (e = start(&s)) == OK) {
		log_error(LOG_INFO, "serving", OK, s.options->dir);
		notify("READY=1");
		e = serve(&s, &ours);
		log_event(LOG_INFO, "stopping");
		notify("STOPPING=1");
	}
	snprintf(detail, sizeof(detail), "%s", err_detail());
	stopped = stop(&s);
	log_event(LOG_INFO, "stopped");
	log_end();
	sigaction(SIGPIPE, &pipe_before, NULL);
	while (wait_for_signal(&ours, 0) != 0)
		; /* those that came while it ended */
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e != OK ? fail(e, "%s", detail) : stopped;
}
