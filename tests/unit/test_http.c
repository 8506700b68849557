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
#include "exchange/http.h"

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
	struct timeval patience = { .tv_sec = 60 };
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

static void hang_up(struct reply *p)
{
	close(p->fd);
	buffer_free(&p->all);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers, world_make, world_free),
	};

	memset(large, 'x', sizeof(large));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
