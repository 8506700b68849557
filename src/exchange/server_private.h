/* What the files of the server share. Only for this room. */
#ifndef EXCHANGE_SERVER_PRIVATE_H
#define EXCHANGE_SERVER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "exchange/limits.h"
#include "net/log.h"
#include "exchange/server.h"

/* A configuration stays until the end: answers under way may look at it. */
struct held_config {
	struct held_config *next;
	struct arena *arena;
	struct config config;
};

struct pulse; /* health.c */
struct follow_rounds;
struct proof_rounds;
struct recall_hook;

struct service {
	struct server server; /* the first: what doors get as their context */
	const struct server_options *options;
	struct limits *limits;
	struct pulse *pulse;
	struct rounds *rounds;
	struct proof_rounds *_Atomic proofs;
	struct recall_hook *_Atomic recalls;
	struct follow_rounds *follow;
	struct held_config *configs;
	/* All doors in one table for http_start, each with `server_handle`; what it stands for is at the same place of `real`. */
	struct http_door *doors;
	http_handler **real;
	size_t door_count;
	atomic_bool stopping;
};

static inline struct service *service_of(const struct server *s)
{
	return (struct service *)(uintptr_t)s;
}

/* What admission found out; r->caller points to its first member. */
struct visitor {
	struct caller caller;
	bool counted; /* a place of limits_begin is taken */
	unsigned place;
};

/* ---- answers.c ---- */

http_refuse server_refuse;
/* As server_fail, with Retry-After. */
void server_fail_later(const struct server *s, const struct http_request *r, enum err e, unsigned retry_s,
		       struct http_answer *out);

/* ---- health.c: is the node at work? ---- */

enum err pulse_new(struct sequencer *q, struct pulse **out);
void pulse_free(struct pulse *p); /* after sequencer_stop */
/* Asks the sequencer for a sign of life, unless it is asked. Now and then. */
void pulse_beat(struct pulse *p);
/* OK: it gave one in the last half minute. ERR_BUSY: it did not. Another: the machine failed, with its detail. */
enum err pulse_now(struct pulse *p, char detail[SUBMISSION_DETAIL]);

/* ---- notify.c: systemd's protocol (sd_notify(3)), without its library ---- */

/* `state` is lines such as "READY=1". Without NOTIFY_SOCKET nothing happens. */
void notify(const char *state);
/* How often the watchdog wants to hear of us, in ms; 0: never. */
unsigned notify_watchdog_ms(void);

/* ---- server_tls.c ---- */

/* The files that the configuration names, or the development certificate DIR/keys/tls.crt with its key, which is made where it
 * is missing or over. In the arena. All empty if nothing listens for TLS. */
struct server_tls {
	struct span certificate, key, authorities; /* PEM; empty: none */
	const char *fingerprint;		   /* of the development certificate: SHA-256, "AB:CD:…"; else NULL */
};
enum err server_tls_read(struct arena *a, struct node *n, const struct config *c, struct server_tls *out);

#endif
