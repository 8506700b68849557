/* `comity serve`: the node, its sequencer and the doors, in one process. What the doors share stands here. */
#ifndef EXCHANGE_SERVER_H
#define EXCHANGE_SERVER_H

#include <stdatomic.h>

#include "exchange/access.h"
#include "exchange/followers.h"
#include "exchange/metrics.h"
#include "regime/sequencer.h"
#include "regime/suspension.h"

struct server {
	struct node *node;
	struct sequencer *sequencer;
	const struct config *_Atomic config; /* another one after SIGHUP; the old ones stay until the end */
	struct access *access;
	struct followers *followers;
	struct metrics *metrics;
	struct exposure_cache *exposure;
	struct suspensions *suspensions;
	struct receiving *receiving;	   /* what other nodes bring (delivery.h) */
	struct delivery *_Atomic delivery; /* NULL: nothing is sent, or not yet */
	struct http *_Atomic http;	   /* NULL for the first moment of the doors being open */
	uint8_t secret[32]; /* of this run: cursors' MACs, made from the node's key so that they outlive a restart */
};

/* What a door asks of its caller. */
enum {
	DOOR_OPEN = 0,	   /* anyone, and credentials that are given must be good */
	DOOR_KNOWN = 1,	   /* 401 without credentials */
	DOOR_TAXII = 2,	   /* errors as TAXII's, media types of TAXII */
	DOOR_UNTOUCHED = 4 /* no admission at all: /healthz */
};

static inline const struct caller *request_caller(const struct http_request *r)
{
	return r->caller;
}

/* A snapshot for one request; ends with snapshot_end. */
enum err server_read(const struct server *s, struct http_request *r, struct state *out);

/* The answer for an error: JSON with code, what happened and what to do; as a TAXII error object at TAXII's doors. The
 * status follows from the error (answers.c has the table); machine errors are 500 and 503 and tell no particulars. */
void server_fail(const struct server *s, const struct http_request *r, enum err e, struct http_answer *out);

/* What there is to know when the doors are open. */
#define SERVER_ADDRESSES 16
struct server_ready {
	struct span node;
	char urls[SERVER_ADDRESSES][72]; /* "http://127.0.0.1:8180": each address with the port that it got */
	size_t url_count;
	const char *fingerprint; /* of a development certificate, SHA-256; NULL: the operator's, or no TLS */
};

struct server_options {
	const char *dir;
	const struct config *config;
	const char *config_path;				    /* read again on SIGHUP; NULL: never */
	bool listens_given;					    /* the addresses are not the file's */
	bool log_given;						    /* nor is the log's form */
	void (*ready)(void *context, const struct server_ready *r); /* NULL: nobody wants to know */
	void *context;
};
/* Serves until SIGTERM or SIGINT; SIGHUP reloads certificates and configuration. Tells systemd (sd_notify). OK: it was asked to
 * end. ERR_BUSY: another process is the writer, or an address is taken. A failure of the machine: it ended by itself. */
enum err server_run(const struct server_options *o);

/* The doors of each room, with their count. */
extern const struct http_door node_doors[];
extern const size_t node_door_count;
extern const struct http_door api_doors[], taxii_doors[], tile_doors[], health_doors[], front_doors[], answer_doors[];
extern const size_t api_door_count, taxii_door_count, tile_door_count, health_door_count, front_door_count,
	answer_door_count;

#endif
