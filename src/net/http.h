/* The HTTP server: libmicrohttpd behind one table of doors. Knows requests, answers, limits and TLS; nothing of what Comity is.
 *
 * A request is let in step by step: its head is read within limits; its door is found by method and path; `admit` decides who
 * it is, before a byte of the body is taken; then the body, counted as it comes; then the door's handler. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/arena.h"
#include "base/buffer.h"
#include "net/config.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };
const char *http_method_name(enum http_method m);

struct http_request {
	struct arena *arena; /* ends with the request */
	enum http_method method;
	struct span path;  /* as sent, without query; not decoded */
	struct span query; /* behind the first '?', as sent; empty if none */
	struct span body;  /* whole; empty while `admit` looks */
	struct span
		parts[4]; /* what stood at the `*` of the door's path, in order; percent-decoded, no '/' and no NUL */
	struct span peer; /* the other end's address, without port */
	bool secure;	  /* came by TLS */
	void *caller;	  /* what admit left; the door's to read */
	const struct http_door *door;
	struct http_connection *connection; /* private */
};

/* The header of that name (any case). false: absent. What stands there twice and may not was refused before; lists that came in
 * parts are joined by ", ". Host is the target's authority, where the target has one. Not behind http_answer_now. */
bool http_header(const struct http_request *r, const char *name, struct span *value);
/* The TLS client's certificate, DER, only if it was verified against the client authorities. false: none. */
bool http_client_certificate(const struct http_request *r, struct span *der);

/* A body that comes bit by bit, for as long as it takes. pull: fills at most `room` bytes, gives how many; 0: nothing now, the
 * connection sleeps until http_stream_wake; HTTP_STREAM_END. Called on one thread at a time. */
#define HTTP_STREAM_END (-1)
struct http_stream {
	long (*pull)(void *context, char *to, size_t room);
	void (*free)(void *context); /* once, when the connection is over for whatever reason */
	void *context;
};

#define HTTP_HEADERS_MAX 12
struct http_answer {
	unsigned status;
	const char *media_type; /* Content-Type; NULL: no body */
	struct span body;	/* copied by nobody: lives in the request's arena, or is static, or is `owned` */
	void *owned;		/* freed with free() when sent; NULL: nothing */
	int file;		/* instead of body: a descriptor that is sent from offset 0 and closed; -1: none */
	uint64_t file_size;
	const struct http_stream *stream; /* instead of body */
	struct http_field {
		const char *name;
		struct span value; /* no CR, LF, NUL: asserted */
	} headers[HTTP_HEADERS_MAX];
	size_t header_count;
};
void http_add_header(struct http_answer *a, const char *name, struct span value);

/* HTTP_LATER: the handler keeps the request and the answer and calls http_answer_now once, from any thread. */
enum http_next { HTTP_NOW, HTTP_LATER };
typedef enum http_next http_handler(void *context, struct http_request *r, struct http_answer *out);
void http_answer_now(struct http_request *r);
void http_stream_wake(struct http_request *r); /* any thread; fine at any time until the stream's free */

/* A door: a method and a path, segments of which may be `*`. Sorted by nothing; the first that fits counts. A path that fits
 * with another method only is 405 with Allow. HEAD goes to GET's handler and loses its body. A missing last '/' is added. */
struct http_door {
	enum http_method method;
	const char *path;
	uint64_t body_most; /* 0: none is taken */
	unsigned flags;	    /* the caller's of http_start: which kind of admission */
	http_handler *handle;
};

/* Called before the body. Another status than 0 in *out is the answer, and the body is not read. */
typedef void http_admit(void *context, struct http_request *r, struct http_answer *out);
/* Makes the answer to what never reaches a handler: 400, 404, 405, 408, 411, 413, 429, 431, 500, 503. */
typedef void http_refuse(void *context, struct http_request *r, unsigned status, const char *why,
			 struct http_answer *out);
/* After each answer, for logs and metrics. r->door is NULL if none was found. */
typedef void http_done(void *context, const struct http_request *r, unsigned status, uint64_t bytes_sent,
		       uint64_t micros);

/* config, doors and context live until http_stop is over. refuse may be NULL: a line of text then. */
struct http_options {
	const struct config *config;
	const struct http_door *doors;
	size_t door_count;
	http_admit *admit;
	http_refuse *refuse;
	http_done *done;
	void *context;
	struct span certificate_pem, key_pem, authorities_pem; /* for the TLS listeners; copied */
};

struct http;
/* Listens. ERR_BUSY: the address is taken. ERR_USAGE: certificate and key. */
enum err http_start(const struct http_options *o, struct http **out);
/* The port that listener i got. */
uint16_t http_port(const struct http *h, size_t i);
/* New connections get the new certificate; old ones stay. On an error the old one goes on. */
enum err http_reload(struct http *h, struct span certificate_pem, struct span key_pem, struct span authorities_pem);
unsigned http_connections(const struct http *h);
/* No new connections; what is under way has grace_ms to end, streams end at once. Then everything is closed. A handler that said
 * HTTP_LATER is waited for however long it takes, since it holds its request: first end what it waits for. */
void http_stop(struct http *h, unsigned grace_ms);

#endif
