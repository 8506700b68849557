/* The one outgoing door: everything that this program fetches or sends goes through here. Only https, with the system's
 * authorities; the address is checked when the socket is made, so that no name can lead to a private host; no redirects,
 * no proxy from the environment; capped in size and time. Any number of threads. */
#ifndef NET_DOOR_H
#define NET_DOOR_H

#include "base/buffer.h"

struct door_limits {
	size_t most_bytes; /* of the answer's body */
	unsigned connect_ms, total_ms;
	bool allow_private; /* private, loopback and other special addresses too: only where the operator says so */
	bool allow_plain;   /* http too: only where the operator says so */
	const char *authorities; /* file of certificates to trust instead of the system's; NULL: the system's */
};

/* 16 MiB, 10 s to connect, 60 s in all. */
extern const struct door_limits door_default;

/* Fetches into a file beside to_path, syncs it, and gives it the name only when all of it is there; on an error nothing
 * is left. The file's time is what the server says of the content, if it says so. ERR_REFUSED_URL: not https, no plain
 * host, credentials in it, a private address, a redirect. ERR_UNREACHABLE: no connection, no trust, no answer in time,
 * another status than 200 (the detail says which). ERR_TOO_LONG, ERR_IO, ERR_SYNC. */
enum err door_fetch(const char *url, const struct door_limits *limits, const char *to_path);

/* A conversation: requests one after the other, over a connection that is kept while the other side keeps it. One thread. */
struct door;
/* certificate and key (PEM files) for a TLS client, or NULL. limits must live as long. */
enum err door_open(const struct door_limits *limits, const char *certificate, const char *key, struct door **out);
void door_close(struct door *d); /* NULL is fine */

struct door_request {
	const char *method; /* "GET", "POST", "DELETE" */
	const char *url;
	const char *const *headers; /* "Accept: …"; without CR, LF */
	size_t header_count;
	struct span body; /* POST */
};
/* Owned by the door, valid until its next request. */
struct door_answer {
	unsigned status;
	struct span headers; /* as they came, line by line */
	struct span body;
};
/* Any status is OK but a redirect; else as door_fetch. */
enum err door_ask(struct door *d, const struct door_request *r, struct door_answer *out);
/* The last header of that name, trimmed. false: absent. */
bool door_header(const struct door_answer *a, const char *name, struct span *value);

#endif
