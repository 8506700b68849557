/* For exchange/http*.c alone. A link is one TCP connection, a http_connection is one request on it. */
#ifndef NET_HTTP_PRIVATE_H
#define NET_HTTP_PRIVATE_H

#include "base/address.h"
#include "net/http.h"
#include "net/tls.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

/* The head with all that the library makes of it; a suspended stream holds about half of it. */
#define HEAD_MEMORY ((size_t)20 * 1024)
#define TARGET_MOST ((size_t)8 * 1024)
#define SEGMENTS_MOST 16
/* Bodies on all connections together, or four of the largest, whichever is more. */
#define BODIES_MOST ((uint64_t)256 << 20)
/* What a refused body may be so that the connection goes on behind it. */
#define SMALL_BODY ((uint64_t)64 * 1024)
/* What is read and dropped behind a refusal, so that the sender gets to see it before the connection goes. */
#define DRAIN_MOST ((uint64_t)4 << 20)
#define DRAIN_MS 2000
/* An answer that is read more slowly than this is given up. */
#define SLOWEST_BYTES_A_MS 8
#define STREAM_BLOCK 1024
#define SLOTS 32
#define SPARE_ARENAS 8

/* Where a link stands, with the moment (monotonic ms) at which that must be over. One word, so that the watch takes a
 * link away (PHASE_KILLED) only from the phase that it looked at. */
enum phase { PHASE_HEAD, PHASE_BODY, PHASE_DRAIN, PHASE_BUSY, PHASE_SENDING, PHASE_STREAM, PHASE_KILLED };
#define NO_DEADLINE ((int64_t)1 << 56)

struct link {
	struct http *http;
	struct link *next, *previous;	/* under links_lock */
	struct http_connection *stream; /* under links_lock */
	struct MHD_Connection *mhd;
	struct tls_credentials *credentials; /* NULL: plain */
	bool secure;
	struct address counted; /* by which the limit of each address counts */
	_Atomic uint64_t state; /* deadline * 8 + phase */
	int fd;
	size_t peer_length;
	char peer[ADDRESS_TEXT];
};

/* What threads would fight for, spread: a thread has its slot for life. */
struct slot {
	_Alignas(64) pthread_mutex_t lock;
	struct arena *spare[SPARE_ARENAS];
	unsigned spare_count;
	atomic_uint requests; /* between their first line and their end */
	atomic_uint calls;    /* handlers at work or waited for */
};

enum waiting { WAITING_NOT, WAITING_SLEEPS, WAITING_WOKEN };

struct http_connection {
	struct http_request request;
	struct http_answer answer;
	struct http *http;
	struct link *link;
	struct MHD_Connection *mhd;
	struct slot *slot;
	int64_t began_us;
	struct span authority;	/* of an absolute target, instead of Host */
	const char *bad_target; /* why it cannot be served; NULL: it can */
	size_t target_length;	/* as sent */
	bool dead, head_seen, called, refused, said, chunked, repeats, file_given;
	uint64_t length, taken; /* of the body: announced, come */
	char *body;
	size_t body_room, charged;
	atomic_int waiting; /* of a handler that answers later */
	/* the stream */
	struct http_stream stream;
	bool streams;
	atomic_int asleep;
	atomic_bool over;
	uint64_t streamed;
};

struct compiled_door {
	const struct http_door *door;
	struct span segments[SEGMENTS_MOST];
	size_t count;
};

struct listener {
	struct MHD_Daemon *daemon;
	int fd; /* -1 once the library has closed it */
	uint16_t port;
	bool tls;
};

struct counted;

struct http {
	struct http_options options;
	struct compiled_door *doors;
	struct listener *listeners;
	size_t listener_count;
	size_t arena_most;
	uint64_t bodies_most;
	_Atomic uint64_t bodies; /* bytes held */
	atomic_uint connections;
	atomic_bool stopping; /* nothing new: answers close, streams end */
	atomic_bool closed;   /* no handler is called any more */
	struct tls *tls;

	pthread_mutex_t links_lock; /* taken before every lock of the library's; never held while a handler runs */
	struct link *links;
	struct counted *counts; /* connections of each address */
	pthread_cond_t watch_wake;
	pthread_t watch;
	bool watches, watch_ends;

	struct slot slots[SLOTS];
};

/* http_doors.c */
enum err doors_compile(const struct http_door *doors, size_t count, struct compiled_door **out);
/* 0 with request.door and parts set; else the status: 404, 405 with the methods in *allow, 400. In the arena. */
unsigned doors_find(const struct http *h, struct http_request *r, struct span *allow);

/* http_head.c: what RFC 9112 forbids and the library lets pass. NULL: nothing; else the reason. Fills length, chunked and
 * repeats of c. */
const char *head_check(struct http_connection *c, const char *method, const char *version);
/* Cuts the target into path and query. NULL: fine. */
const char *head_target(struct http_connection *c, struct span target);

/* http_request.c: the library's calls. */
void *request_begin(void *context, const char *target, struct MHD_Connection *mhd);
enum MHD_Result request_go(void *context, struct MHD_Connection *mhd, const char *url, const char *method,
			   const char *version, const char *upload, size_t *upload_size, void **request);
void request_end(void *context, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode why);
void refuse(struct http_connection *c, unsigned status, const char *why);

/* http_answer.c */
enum MHD_Result answer_queue(struct http_connection *c);
/* Writes the answer past the library, which takes none while a body comes in. The connection ends behind it. */
void answer_at_once(struct http_connection *c);
void answer_release(struct http_connection *c);
void stream_end(struct http_connection *c); /* under links_lock */

/* http_links.c: connections, their limits, and the watch that ends what takes too long. */
enum MHD_Result link_may_begin(void *context, const struct sockaddr *address, socklen_t length);
void link_notify(void *context, struct MHD_Connection *mhd, void **link, enum MHD_ConnectionNotificationCode what);
/* The session of a TLS connection, else NULL. */
void *link_tls(struct MHD_Connection *mhd);
/* false: the watch took it away. */
bool link_enter(struct link *l, enum phase p, int64_t within_ms);
/* Nothing that comes on it counts any more. What was written still goes out. */
void link_spoil(struct link *l);
void link_stream(struct link *l, struct http_connection *c); /* NULL: none any more */
void links_end_streams(struct http *h);
void links_close_all(struct http *h);
enum err links_watch(struct http *h);
void links_watch_end(struct http *h);
void links_free(struct http *h);

struct slot *slot_mine(struct http *h);
struct arena *slot_arena(struct http *h, struct slot *s);
void slot_give_back(struct slot *s, struct arena *a, bool large);

#endif
