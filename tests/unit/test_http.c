#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http.h"

/* A server on loopback with doors of the test's own, and clients that write bytes. */
struct world {
	struct config config;
	struct listen listens[2];
	struct http *http;
	struct http_request *later; /* under lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct stream {
		struct http_request *request;
		int pieces; /* that it may still give */
		bool end, freed;
	} stream;
	unsigned done, last_status;
	uint64_t last_bytes;
	unsigned admitted, handled;
};

static char large[300000];

static enum http_next say(struct http_answer *out, unsigned status, struct span body)
{
	out->status = status;
	out->media_type = "text/plain";
	out->body = body;
	return HTTP_NOW;
}

static struct world *world_of(void *context)
{
	return context;
}

static enum http_next get_hello(void *context, struct http_request *r, struct http_answer *out)
{
	(void)context, (void)r;
	return say(out, 200, SPAN("hello, world"));
}

static enum http_next get_large(void *context, struct http_request *r, struct http_answer *out)
{
	(void)context, (void)r;
	return say(out, 200, span_make(large, sizeof(large)));
}

/* Says what it was asked. */
static enum http_next get_echo(void *context, struct http_request *r, struct http_answer *out)
{
	struct span accept = SPAN("-"), host = SPAN("-");
	char *text;

	(void)context;
	http_header(r, "ACCEPT", &accept);
	http_header(r, "Host", &host);
	text = arena_print(r->arena, "%s path=%.*s query=%.*s a=%.*s b=%.*s accept=%.*s host=%.*s peer=%.*s",
			   http_method_name(r->method), SPAN_FORMAT(r->path), SPAN_FORMAT(r->query),
			   SPAN_FORMAT(r->parts[0]), SPAN_FORMAT(r->parts[1]), SPAN_FORMAT(accept), SPAN_FORMAT(host),
			   SPAN_FORMAT(r->peer));
	http_add_header(out, "X-Kind", SPAN("echo"));
	return say(out, 200, span_of(text));
}

static enum http_next get_owned(void *context, struct http_request *r, struct http_answer *out)
{
	(void)context, (void)r;
	out->owned = strdup("given away");
	return say(out, 200, span_of(out->owned));
}

static enum http_next get_nothing(void *context, struct http_request *r, struct http_answer *out)
{
	(void)context, (void)r;
	out->status = 204;
	return HTTP_NOW;
}

static enum http_next get_file(void *context, struct http_request *r, struct http_answer *out)
{
	(void)context, (void)r;
	out->status = 200;
	out->media_type = "application/octet-stream";
	out->file = open("LICENSE", O_RDONLY | O_CLOEXEC);
	out->file_size = 4000;
	return HTTP_NOW;
}

static enum http_next post_length(void *context, struct http_request *r, struct http_answer *out)
{
	uint64_t sum = 0;

	world_of(context)->handled++;
	for (size_t i = 0; i < r->body.len; i++)
		sum += (uint8_t)r->body.at[i];
	return say(out, 201, span_of(arena_print(r->arena, "%zu bytes, sum %lu", r->body.len, (unsigned long)sum)));
}

/* Answered by the test, on its thread. */
static enum http_next get_later(void *context, struct http_request *r, struct http_answer *out)
{
	struct world *w = context;

	say(out, 200, SPAN("at last"));
	pthread_mutex_lock(&w->lock);
	w->later = r;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	return HTTP_LATER;
}

static void *answer_it(void *context)
{
	http_answer_now(context);
	return NULL;
}

/* Answered at once, by a thread that may be faster than this one. */
static enum http_next get_raced(void *context, struct http_request *r, struct http_answer *out)
{
	pthread_t other;

	(void)context;
	say(out, 200, SPAN("raced"));
	assert_int_equal(pthread_create(&other, NULL, answer_it, r), 0);
	pthread_detach(other);
	return HTTP_LATER;
}

static long pull(void *context, char *to, size_t room)
{
	struct world *w = context;
	long n = 0;

	pthread_mutex_lock(&w->lock);
	if (w->stream.pieces > 0 && room >= 6) {
		w->stream.pieces--;
		memcpy(to, "piece ", 6);
		n = 6;
	} else if (w->stream.end) {
		n = HTTP_STREAM_END;
	}
	pthread_mutex_unlock(&w->lock);
	return n;
}

static void stream_free(void *context)
{
	struct world *w = context;

	pthread_mutex_lock(&w->lock);
	assert_false(w->stream.freed);
	w->stream.freed = true;
	w->stream.request = NULL;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static enum http_next get_stream(void *context, struct http_request *r, struct http_answer *out)
{
	struct world *w = context;
	struct http_stream *s = arena_alloc(r->arena, sizeof(*s));

	*s = (struct http_stream){ pull, stream_free, w };
	out->status = 200;
	out->media_type = "text/event-stream";
	out->stream = s;
	pthread_mutex_lock(&w->lock);
	w->stream.request = r;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	return HTTP_NOW;
}

#define BODY_MOST 100000
static const struct http_door doors[] = {
	{ HTTP_GET, "/", 0, 0, get_hello },
	{ HTTP_GET, "/hello", 0, 0, get_hello },
	{ HTTP_GET, "/large", 0, 0, get_large },
	{ HTTP_GET, "/echo/", 0, 0, get_echo },
	{ HTTP_GET, "/echo/*/and/*", 0, 0, get_echo },
	{ HTTP_GET, "/owned", 0, 0, get_owned },
	{ HTTP_GET, "/nothing", 0, 0, get_nothing },
	{ HTTP_GET, "/file", 0, 0, get_file },
	{ HTTP_GET, "/closed", 0, 1, get_hello },
	{ HTTP_POST, "/length", BODY_MOST, 0, post_length },
	{ HTTP_POST, "/closed", BODY_MOST, 1, post_length },
	{ HTTP_PUT, "/hello", 10, 0, post_length },
	{ HTTP_GET, "/later", 0, 0, get_later },
	{ HTTP_GET, "/raced", 0, 0, get_raced },
	{ HTTP_GET, "/stream", 0, 0, get_stream },
};

static void admit(void *context, struct http_request *r, struct http_answer *out)
{
	world_of(context)->admitted++;
	if (r->door->flags == 1)
		say(out, 401, SPAN("who are you?"));
}

static void done(void *context, const struct http_request *r, unsigned status, uint64_t bytes_sent, uint64_t micros)
{
	struct world *w = context;

	(void)r, (void)micros;
	pthread_mutex_lock(&w->lock);
	w->done++;
	w->last_status = status;
	w->last_bytes = bytes_sent;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void world_start(struct world *w)
{
	struct http_options o = { .config = &w->config,
				  .doors = doors,
				  .door_count = TABLE_LENGTH(doors),
				  .admit = admit,
				  .done = done,
				  .context = w };

	assert_int_equal(http_start(&o, &w->http), OK);
}

static int world_make(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->listens[0] = (struct listen){ .text = SPAN("127.0.0.1:0"), .address = address_ipv4(0x7f000001) };
	w->config = (struct config){ .listens = w->listens,
				     .listen_count = 1,
				     .connections = 500,
				     .connections_per_address = 300,
				     .idle_s = 30,
				     .request_s = 30,
				     .threads = 2,
				     .body_most = BODY_MOST };
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	*state = w;
	return 0;
}

static int world_free(void **state)
{
	struct world *w = *state;

	if (w->http != NULL)
		http_stop(w->http, 5000);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return 0;
}

static int dial(const struct world *w)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_port = htons(http_port(w->http, 0));
	assert_true(fd != -1);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void put(int fd, struct span text)
{
	while (text.len > 0) {
		ssize_t n = send(fd, text.at, text.len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text = span_from(text, (size_t)n);
	}
}

/* One answer, head and body, as bytes; "" if the connection ended. Holds what came behind it. */
struct reply {
	int fd;
	struct buffer all;
	size_t used;
	struct span head, body;
	unsigned status;
};

static bool more(struct reply *p)
{
	char piece[65536];
	ssize_t n = recv(p->fd, piece, sizeof(piece), 0);

	if (n > 0)
		buffer_bytes(&p->all, piece, (size_t)n);
	return n > 0;
}

static bool field(struct span head, const char *name, struct span *value)
{
	struct span line;

	while (span_line(&head, &line)) {
		struct span rest = line, got = span_cut(&rest, ':');

		if (rest.at != NULL && span_equal_nocase(got, span_of(name))) {
			*value = span_trim(rest);
			return true;
		}
	}
	return false;
}

static bool next(struct reply *p, bool head_only)
{
	struct span value;
	uint64_t length = 0;
	char *end;

	p->head = p->body = span_make("", 0);
	p->status = 0;
	for (;;) {
		struct span rest = span_from(buffer_view(&p->all), p->used);

		end = rest.len > 0 ? memmem(rest.at, rest.len, "\r\n\r\n", 4) : NULL;
		if (end != NULL || !more(p))
			break;
	}
	if (end == NULL)
		return false;
	p->head = span_make(p->all.at + p->used, (size_t)(end + 4 - p->all.at) - p->used);
	if (field(p->head, "Content-Length", &value) && !head_only)
		assert_int_equal(span_u64(value, 1 << 30, &length), OK);
	p->used += p->head.len;
	while (p->all.len - p->used < length)
		if (!more(p))
			return false;
	p->head.at = p->all.at + p->used - p->head.len; /* it may have moved */
	p->body = span_make(p->all.at + p->used, (size_t)length);
	p->used += (size_t)length;
	p->status = (unsigned)strtoul(p->head.at + 9, NULL, 10);
	return true;
}

static struct reply reply_of(int fd)
{
	return (struct reply){ .fd = fd, .all = BUFFER(4 << 20) };
}

/* The other side closes, by itself and whatever it still says. */
static bool ended(struct reply *p)
{
	char piece[4096];
	ssize_t n;

	while ((n = recv(p->fd, piece, sizeof(piece), 0)) > 0)
		;
	return n == 0 || errno == ECONNRESET;
}

static void hang_up(struct reply *p)
{
	close(p->fd);
	buffer_free(&p->all);
}

/* One request on a connection of its own: its status, 0 if it was closed without an answer. */
static unsigned ask(const struct world *w, struct span text, char *body, size_t room, bool *closed)
{
	struct reply p = reply_of(dial(w));
	unsigned status;

	put(p.fd, text);
	next(&p, span_starts(text, "HEAD "));
	status = p.status;
	if (body != NULL)
		snprintf(body, room, "%.*s", SPAN_FORMAT(p.body));
	if (closed != NULL)
		*closed = ended(&p);
	hang_up(&p);
	return status;
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a.example\r\n\r\n"

static void answers(void **state)
{
	struct world *w = *state;
	struct reply p;
	struct span value;

	world_start(w);
	p = reply_of(dial(w));
	put(p.fd, SPAN(GET("/hello")));
	assert_true(next(&p, false));
	assert_int_equal(p.status, 200);
	assert_span(p.body, "hello, world");
	assert_true(field(p.head, "X-Content-Type-Options", &value));
	assert_span(value, "nosniff");
	assert_true(field(p.head, "Date", &value));
	assert_false(field(p.head, "Server", &value));
	assert_true(field(p.head, "Content-Type", &value));
	assert_span(value, "text/plain");
	/* On the same connection. */
	put(p.fd, SPAN(GET("/owned")));
	assert_true(next(&p, false));
	assert_span(p.body, "given away");
	put(p.fd, SPAN(GET("/large")));
	assert_true(next(&p, false));
	assert_int_equal(p.body.len, sizeof(large));
	put(p.fd, SPAN("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(next(&p, true));
	assert_true(field(p.head, "Content-Length", &value));
	assert_span(value, "300000");
	put(p.fd, SPAN(GET("/nothing")));
	assert_true(next(&p, false));
	assert_int_equal(p.status, 204);
	put(p.fd, SPAN(GET("/file")));
	assert_true(next(&p, false));
	assert_int_equal(p.status, 200);
	assert_int_equal(p.body.len, 4000);
	assert_non_null(memmem(p.body.at, p.body.len, "Apache License", 14));
	put(p.fd, SPAN(GET("/later")));
	pthread_mutex_lock(&w->lock);
	while (w->later == NULL)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
	http_answer_now(w->later);
	assert_true(next(&p, false));
	assert_span(p.body, "at last");
	assert_int_equal(http_connections(w->http), 1);
	hang_up(&p);
}

/* What comes twice, or says two things, is refused before anyone is asked who sent it. */
static void refusals_by_head(void **state)
{
	static const struct {
		const char *text;
		unsigned status; /* 0: closed without an answer */
	} rows[] = {
		{ "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: a, b\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost:\r\n\r\n", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
		  "chunked\r\n\r\n0\r\n\r\n",
		  400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length\t: 3\r\n\r\nabc", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\n Content-Length: 3\r\n\r\nabc", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\nContent-Length: 3\r\n\r\nabc", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\t0\r\n\r\nabc", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400 },
		{ "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
		  "chunked\r\n\r\n",
		  400 },
		{ "POST /length HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\nAuthorization: Basic YTpj\r\n\r\n",
		  400 },
		{ "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\001b\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: a\r\nX y: b\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\nHost: a\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: a\r\n\n", 400 },
		{ "GET hello HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET a.example:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET ftp://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET http:///hello HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET http://u@a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "CONNECT a.example:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /hello#there HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /hel\303\251 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.2\r\nHost: a\r\n\r\n", 400 },
		{ "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
		{ "G(T /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	};
	struct world *w = *state;

	world_start(w);
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		bool closed = false;
		unsigned status = ask(w, span_of(rows[i].text), NULL, 0, &closed);

		if (status != rows[i].status || !closed)
			fail_msg("%s: %u%s", rows[i].text, status, closed ? "" : ", stays open");
	}
	assert_int_equal(w->admitted, 0);
	assert_int_equal(w->handled, 0);
}

/* A NUL needs its length. */
static void a_nul_is_refused(void **state)
{
	struct world *w = *state;
	bool closed;

	world_start(w);
	assert_int_equal(ask(w, SPAN("GET /hello HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"), NULL, 0, &closed), 400);
	assert_true(closed);
	assert_int_equal(ask(w, SPAN("GET /hello HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"), NULL, 0, &closed), 400);
	assert_true(closed);
	assert_int_equal(w->admitted, 0);
}

static void doors_are_found(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
		const char *body; /* NULL: any */
	} rows[] = {
		{ GET("/"), 200, "hello, world" },
		{ GET("/hello/"), 200, "hello, world" },
		{ GET("/hello//"), 404, NULL },
		{ GET("//"), 404, NULL },
		{ GET("/%68ello"), 200, "hello, world" },
		{ GET("/hello/there"), 404, NULL },
		{ GET("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s"), 404, NULL },
		{ GET("/echo/x%20y/and/%C3%A9?a=b?c"), 200,
		  "GET path=/echo/x%20y/and/%C3%A9 query=a=b?c a=x y b=\303\251 accept=- host=a.example "
		  "peer=127.0.0.1" },
		{ GET("/echo/x%2Fy/and/z"), 404, NULL },
		{ GET("/echo//and/z"), 404, NULL },
		{ GET("/echo/%zz/and/b"), 400, NULL },
		{ GET("/echo/%00/and/b"), 400, NULL },
		{ GET("http://other.example:81/echo?q"), 200,
		  "GET path=/echo query=q a= b= accept=- host=other.example:81 peer=127.0.0.1" },
		{ GET("http://other.example"), 200, "hello, world" },
		{ "GET /echo HTTP/1.1\r\nHost: a\r\nAccept:  x \r\naccept: y\r\n\r\n", 200,
		  "GET path=/echo query= a= b= accept=x, y host=a peer=127.0.0.1" },
		{ "GET /echo HTTP/1.0\r\n\r\n", 200, "GET path=/echo query= a= b= accept=- host=- peer=127.0.0.1" },
		{ "DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405, NULL },
		{ "BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405, NULL },
		{ "BREW /tea HTTP/1.1\r\nHost: a\r\n\r\n", 404, NULL },
		{ "GET /length HTTP/1.1\r\nHost: a\r\n\r\n", 405, NULL },
		{ "GET /closed HTTP/1.1\r\nHost: a\r\n\r\n", 401, "who are you?" },
	};
	struct world *w = *state;
	struct span allow;
	struct reply p;
	char body[512];

	world_start(w);
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		unsigned status = ask(w, span_of(rows[i].text), body, sizeof(body), NULL);

		if (status != rows[i].status || (rows[i].body != NULL && strcmp(body, rows[i].body) != 0))
			fail_msg("%s: %u %s", rows[i].text, status, body);
	}
	/* A refusal by the head alone does not cost the connection. */
	p = reply_of(dial(w));
	put(p.fd, SPAN("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n" GET("/closed") GET("/hello")));
	assert_true(next(&p, false));
	assert_int_equal(p.status, 405);
	assert_true(field(p.head, "Allow", &allow));
	assert_span(allow, "GET, HEAD, PUT");
	assert_true(next(&p, false));
	assert_int_equal(p.status, 401);
	assert_true(next(&p, false));
	assert_int_equal(p.status, 200);
	hang_up(&p);
}

static void many_in_one_write(void **state)
{
	struct buffer many = BUFFER(1 << 20);
	struct world *w = *state;
	struct reply p;

	world_start(w);
	p = reply_of(dial(w));
	for (int i = 0; i < 100; i++)
		buffer_text(&many, i % 3 == 0 ? GET("/raced")
				   : i % 3 == 1
					   ? "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"
					   : "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
					     "1\r\na\r\n1;x=y\r\nb\r\n0\r\nTrailer: t\r\n\r\n");
	put(p.fd, buffer_view(&many));
	for (int i = 0; i < 100; i++) {
		assert_true(next(&p, false));
		assert_int_equal(p.status, i % 3 == 0 ? 200 : 201);
		assert_span(p.body, i % 3 == 0 ? "raced" : "2 bytes, sum 195");
	}
	hang_up(&p);
	buffer_free(&many);
}

static void bodies_come_whole(void **state)
{
	struct buffer text = BUFFER(1 << 20);
	struct world *w = *state;
	struct reply p;
	char expected[64];

	world_start(w);
	p = reply_of(dial(w));
	for (unsigned n = 0; n <= BODY_MOST; n = n * 3 + 1) {
		buffer_clear(&text);
		buffer_print(&text, "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: %u\r\n\r\n", n);
		for (unsigned i = 0; i < n; i++)
			buffer_byte(&text, 'a');
		put(p.fd, buffer_view(&text));
		assert_true(next(&p, false));
		snprintf(expected, sizeof(expected), "%u bytes, sum %u", n, n * 'a');
		assert_span(p.body, expected);
	}
	put(p.fd, SPAN("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
	assert_true(next(&p, false));
	assert_int_equal(p.status, 100);
	put(p.fd, SPAN("abc"));
	assert_true(next(&p, false));
	assert_int_equal(p.status, 201);
	hang_up(&p);
	buffer_free(&text);
}

static void bodies_too_large(void **state)
{
	struct buffer chunk = BUFFER(1 << 20);
	struct world *w = *state;
	struct reply p;

	world_start(w);
	/* Said, not sent. */
	p = reply_of(dial(w));
	put(p.fd, SPAN("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n"));
	assert_true(next(&p, false));
	assert_int_equal(p.status, 413);
	assert_true(ended(&p));
	hang_up(&p);
	assert_int_equal(
		ask(w, SPAN("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n"), NULL, 0, NULL),
		413);
	/* Nobody is asked to go on. */
	assert_int_equal(ask(w,
			     SPAN("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n"
				  "Expect: 100-continue\r\n\r\n"),
			     NULL, 0, NULL),
			 413);
	assert_int_equal(ask(w,
			     SPAN("POST /closed HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
				  "Expect: 100-continue\r\n\r\n"),
			     NULL, 0, NULL),
			 401);
	assert_int_equal(ask(w, SPAN("POST /length HTTP/1.1\r\nHost: a\r\n\r\n"), NULL, 0, NULL), 411);
	assert_int_equal(ask(w, SPAN("GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na"), NULL, 0, NULL),
			 413);
	/* Chunks without end. */
	p = reply_of(dial(w));
	put(p.fd, SPAN("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
	buffer_text(&chunk, "2710\r\n");
	for (int i = 0; i < 10000; i++)
		buffer_byte(&chunk, 'x');
	buffer_text(&chunk, "\r\n");
	for (int i = 0; i < 11; i++)
		put(p.fd, buffer_view(&chunk));
	assert_true(next(&p, false));
	assert_int_equal(p.status, 413);
	assert_true(ended(&p));
	hang_up(&p);
	assert_int_equal(w->handled, 0);
	/* A small one behind a refusal is read away. */
	p = reply_of(dial(w));
	put(p.fd, SPAN("POST /closed HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" GET("/hello")));
	assert_true(next(&p, false));
	assert_int_equal(p.status, 401);
	assert_true(next(&p, false));
	assert_span(p.body, "hello, world");
	hang_up(&p);
	buffer_free(&chunk);
}

static void heads_too_large(void **state)
{
	struct buffer text = BUFFER(1 << 20);
	struct world *w = *state;

	world_start(w);
	buffer_text(&text, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
	for (int i = 0; i < 40000; i++)
		buffer_byte(&text, 'x');
	buffer_text(&text, "\r\n\r\n");
	assert_int_equal(ask(w, buffer_view(&text), NULL, 0, NULL), 431);
	buffer_clear(&text);
	buffer_text(&text, "GET /");
	for (int i = 0; i < 40000; i++)
		buffer_byte(&text, 'x');
	buffer_text(&text, " HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(ask(w, buffer_view(&text), NULL, 0, NULL), 414);
	buffer_free(&text);
	assert_int_equal(ask(w, SPAN(GET("/hello")), NULL, 0, NULL), 200);
}

static void wait_stream(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->stream.request == NULL)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

static void wait_freed(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->stream.freed)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

/* The wakes of a thread race with the sleep of the other: not one piece may stay behind. */
static void feed(struct world *w, int pieces)
{
	for (int i = 0; i < pieces; i++) {
		pthread_mutex_lock(&w->lock);
		w->stream.pieces++;
		http_stream_wake(w->stream.request);
		pthread_mutex_unlock(&w->lock);
	}
}

static int count_pieces(struct span text)
{
	int n = 0;

	for (const char *at = text.at; at != NULL; n++)
		if ((at = memmem(at, (size_t)(text.at + text.len - at), "piece ", 6)) != NULL)
			at += 6;
		else
			break;
	return n;
}

static void streams_sleep_and_wake(void **state)
{
	struct world *w = *state;
	struct reply p;

	world_start(w);
	p = reply_of(dial(w));
	put(p.fd, SPAN(GET("/stream")));
	wait_stream(w);
	feed(w, 2000);
	while (count_pieces(buffer_view(&p.all)) < 2000)
		assert_true(more(&p));
	pthread_mutex_lock(&w->lock);
	w->stream.end = true;
	http_stream_wake(w->stream.request);
	pthread_mutex_unlock(&w->lock);
	while (!span_ends(buffer_view(&p.all), "0\r\n\r\n"))
		assert_true(more(&p));
	wait_freed(w);
	assert_int_equal(count_pieces(buffer_view(&p.all)), 2000);
	/* The connection goes on. */
	p.used = p.all.len;
	put(p.fd, SPAN(GET("/hello")));
	assert_true(next(&p, false));
	assert_span(p.body, "hello, world");
	pthread_mutex_lock(&w->lock);
	while (w->done < 2)
		pthread_cond_wait(&w->changed, &w->lock);
	assert_int_equal(w->last_bytes, 12);
	pthread_mutex_unlock(&w->lock);
	hang_up(&p);
}

/* A reader that left a stream that sleeps is noticed. */
static void a_reader_leaves(void **state)
{
	struct world *w = *state;
	struct reply p;

	world_start(w);
	p = reply_of(dial(w));
	put(p.fd, SPAN(GET("/stream")));
	wait_stream(w);
	hang_up(&p);
	wait_freed(w);
}

static void *answer_in_a_while(void *context)
{
	struct world *w = context;
	struct timespec moment = { .tv_nsec = 100000000 };

	nanosleep(&moment, NULL);
	http_answer_now(w->later);
	return NULL;
}

/* What is asked gets its answer, streams end, and silent connections do not hold it up. */
static void stops(void **state)
{
	struct world *w = *state;
	struct reply later, stream, idle;
	pthread_t answering;

	world_start(w);
	later = reply_of(dial(w));
	stream = reply_of(dial(w));
	idle = reply_of(dial(w));
	put(stream.fd, SPAN(GET("/stream")));
	wait_stream(w);
	while (more(&stream) && memmem(stream.all.at, stream.all.len, "\r\n\r\n", 4) == NULL)
		;
	put(later.fd, SPAN(GET("/later")));
	pthread_mutex_lock(&w->lock);
	while (w->later == NULL)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
	assert_int_equal(pthread_create(&answering, NULL, answer_in_a_while, w), 0);
	http_stop(w->http, 10000);
	w->http = NULL;
	pthread_join(answering, NULL);
	assert_true(next(&later, false));
	assert_span(later.body, "at last");
	while (more(&stream))
		;
	assert_true(span_ends(buffer_view(&stream.all), "0\r\n\r\n"));
	assert_true(ended(&idle));
	assert_true(w->stream.freed);
	hang_up(&later);
	hang_up(&stream);
	hang_up(&idle);
}

/* Without patience a handler that answers later is still waited for: it holds the request. */
static void stops_at_once(void **state)
{
	struct world *w = *state;
	pthread_t answering;
	struct reply p;

	world_start(w);
	p = reply_of(dial(w));
	put(p.fd, SPAN(GET("/later")));
	pthread_mutex_lock(&w->lock);
	while (w->later == NULL)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
	assert_int_equal(pthread_create(&answering, NULL, answer_in_a_while, w), 0);
	http_stop(w->http, 0);
	w->http = NULL;
	pthread_join(answering, NULL);
	hang_up(&p);
}

/* Bytes that trickle in never let the idle time pass; the request's time does. */
static void slow_senders(void **state)
{
	static const char *const begins[] = { "GET /hel", "GET /hello HTTP/1.1\r\nHost: a\r\nX",
					      "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" };
	struct world *w = *state;

	w->config.request_s = 1;
	w->config.idle_s = 20;
	world_start(w);
	for (size_t i = 0; i < TABLE_LENGTH(begins); i++) {
		struct reply p = reply_of(dial(w));
		struct timespec moment = { .tv_nsec = 50000000 };
		struct pollfd polled = { .fd = p.fd, .events = POLLIN };

		put(p.fd, span_of(begins[i]));
		while (poll(&polled, 1, 0) == 0) { /* for ever, if nobody ends it */
			put(p.fd, SPAN("x"));
			nanosleep(&moment, NULL);
		}
		next(&p, false);
		assert_true(p.status == 0 || p.status == 408);
		assert_true(ended(&p));
		hang_up(&p);
	}
	assert_int_equal(w->handled, 0);
}

static void silent_ones(void **state)
{
	struct world *w = *state;
	struct reply p, reads_nothing;
	int small = 4096;

	w->config.idle_s = 1;
	world_start(w);
	p = reply_of(dial(w));
	put(p.fd, SPAN("GET /hello HTTP/1.1\r\n"));
	assert_true(ended(&p));
	hang_up(&p);
	/* Asks for much and reads nothing of it. */
	reads_nothing = reply_of(dial(w));
	setsockopt(reads_nothing.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 50; i++)
		put(reads_nothing.fd, SPAN(GET("/large")));
	while (http_connections(w->http) > 0)
		poll(NULL, 0, 20);
	hang_up(&reads_nothing);
	/* Who waits for an answer is not silent. */
	p = reply_of(dial(w));
	put(p.fd, SPAN(GET("/later")));
	pthread_mutex_lock(&w->lock);
	while (w->later == NULL)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
	poll(NULL, 0, 2500);
	http_answer_now(w->later);
	assert_true(next(&p, false));
	assert_span(p.body, "at last");
	hang_up(&p);
}

static void connections_are_limited(void **state)
{
	struct world *w = *state;
	struct reply held[8], p;

	w->config.connections_per_address = 8;
	world_start(w);
	for (size_t i = 0; i < TABLE_LENGTH(held); i++) {
		held[i] = reply_of(dial(w));
		put(held[i].fd, SPAN(GET("/hello")));
		assert_true(next(&held[i], false));
	}
	p = reply_of(dial(w));
	put(p.fd, SPAN(GET("/hello")));
	assert_true(ended(&p));
	hang_up(&p);
	hang_up(&held[0]);
	while (http_connections(w->http) == TABLE_LENGTH(held))
		poll(NULL, 0, 10);
	assert_int_equal(ask(w, SPAN(GET("/hello")), NULL, 0, NULL), 200);
	for (size_t i = 1; i < TABLE_LENGTH(held); i++)
		hang_up(&held[i]);
}

static void a_taken_address(void **state)
{
	struct http_options o;
	struct world *w = *state;
	struct listen same;
	struct config config = w->config;
	struct http *second = NULL;

	world_start(w);
	same = w->listens[0];
	same.port = http_port(w->http, 0);
	config.listens = &same;
	o = (struct http_options){ .config = &config, .doors = doors, .door_count = 1 };
	assert_int_equal(http_start(&o, &second), ERR_BUSY);
	assert_null(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers, world_make, world_free),
		cmocka_unit_test_setup_teardown(refusals_by_head, world_make, world_free),
		cmocka_unit_test_setup_teardown(a_nul_is_refused, world_make, world_free),
		cmocka_unit_test_setup_teardown(doors_are_found, world_make, world_free),
		cmocka_unit_test_setup_teardown(many_in_one_write, world_make, world_free),
		cmocka_unit_test_setup_teardown(bodies_come_whole, world_make, world_free),
		cmocka_unit_test_setup_teardown(bodies_too_large, world_make, world_free),
		cmocka_unit_test_setup_teardown(heads_too_large, world_make, world_free),
		cmocka_unit_test_setup_teardown(streams_sleep_and_wake, world_make, world_free),
		cmocka_unit_test_setup_teardown(a_reader_leaves, world_make, world_free),
		cmocka_unit_test_setup_teardown(stops, world_make, world_free),
		cmocka_unit_test_setup_teardown(stops_at_once, world_make, world_free),
		cmocka_unit_test_setup_teardown(slow_senders, world_make, world_free),
		cmocka_unit_test_setup_teardown(silent_ones, world_make, world_free),
		cmocka_unit_test_setup_teardown(connections_are_limited, world_make, world_free),
		cmocka_unit_test_setup_teardown(a_taken_address, world_make, world_free),
	};

	memset(large, 'x', sizeof(large));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
