/* Asking a server in this process, and reading its answers by RFC 9112: what is no answer ends the program. For fuzz_server.c
 * alone. */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"

#define ANSWER_MOST ((size_t)32 << 20)

static FILE *say_to;

static const char *find(struct span text, const char *word)
{
	return text.len > 0 ? memmem(text.at, text.len, word, strlen(word)) : NULL;
}

static void law(bool holds, const char *format, ...)
{
	va_list more;

	if (holds)
		return;
	va_start(more, format);
	vfprintf(say_to, format, more);
	va_end(more);
	fprintf(say_to, "\n");
	fflush(say_to);
	abort();
}

struct wire {
	int fd;
	struct buffer in;
	size_t at;
};

/* Each session from another address: who failed to log in too often is kept waiting. */
static void dial(struct wire *w, uint16_t port, unsigned number)
{
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
	struct linger at_once = { .l_onoff = 1 };
	struct timeval patience = { .tv_sec = 10 };

	from.sin_addr.s_addr = htonl(0x7f010000 + number % 0xffff + 1);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(port);
	for (int tries = 0; w->fd == -1; tries++) { /* an alarm of libFuzzer's may come between */
		w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (w->fd != -1 && bind(w->fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
		    connect(w->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
			break;
		law(tries < 5, "no connection: errno %d", errno);
		close(w->fd);
		w->fd = -1;
	}
	setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	buffer_clear(&w->in);
	w->at = 0;
}

static void hang_up(struct wire *w)
{
	if (w->fd != -1)
		close(w->fd);
	w->fd = -1;
}

/* 1: more has come; 0: the other side closed; -1: nothing came in time. */
static int more(struct wire *w)
{
	char piece[16384];
	ssize_t n;

	do /* libFuzzer's alarms */
		n = recv(w->fd, piece, sizeof(piece), 0);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK) ? -1 : 0;
	buffer_bytes(&w->in, piece, (size_t)n);
	law(w->in.err == OK, "an answer without an end");
	return 1;
}

/* What an answer is, as far as the laws ask. */
struct got {
	unsigned status; /* 0: the connection was closed without one */
	struct span head, body;
	char type[128];
	bool retry, allow, challenge, closes, chunked, has_length, silent;
	uint64_t length;
	struct buffer joined; /* of a chunked body */
};

static bool field(struct got *g, struct span line)
{
	struct span value = line, name = span_cut(&value, ':');

	if (value.at == NULL || name.len == 0 || value.len == 0 || value.at[0] != ' ')
		return false;
	for (size_t i = 0; i < line.len; i++)
		if ((uint8_t)line.at[i] < ' ' || line.at[i] == 0x7f)
			return false;
	value = span_trim(value);
	if (span_equal_nocase(name, SPAN("content-length"))) {
		if (g->has_length)
			return false;
		g->has_length = true;
		return span_u64(value, ANSWER_MOST, &g->length) == OK;
	}
	g->retry = g->retry || span_equal_nocase(name, SPAN("retry-after"));
	g->allow = g->allow || span_equal_nocase(name, SPAN("allow"));
	g->challenge = g->challenge || span_equal_nocase(name, SPAN("www-authenticate"));
	g->closes =
		g->closes || (span_equal_nocase(name, SPAN("connection")) && span_equal_nocase(value, SPAN("close")));
	g->chunked = g->chunked || (span_equal_nocase(name, SPAN("transfer-encoding")) && span_is(value, "chunked"));
	if (span_equal_nocase(name, SPAN("content-type")))
		snprintf(g->type, sizeof(g->type), "%.*s", SPAN_FORMAT(value)); /* the bytes may move */
	return true;
}

static void read_fields(struct got *g)
{
	struct span rest = g->head, line;
	uint64_t status = 0;
	const char *end_of_line = find(rest, "\r\n");

	law(rest.len > 13 && memcmp(rest.at, "HTTP/1.", 7) == 0 && rest.at[8] == ' ' && rest.at[12] == ' ' &&
		    span_u64(span_make(rest.at + 9, 3), 599, &status) == OK && status >= 100,
	    "a first line: %.*s", SPAN_FORMAT(rest));
	g->status = (unsigned)status;
	rest = span_from(rest, (size_t)(end_of_line - rest.at) + 2);
	while (rest.len > 0) {
		end_of_line = find(rest, "\r\n");
		line = span_make(rest.at, (size_t)(end_of_line - rest.at));
		law(field(g, line), "a field: %.*s in %.*s", SPAN_FORMAT(line), SPAN_FORMAT(g->head));
		rest = span_from(rest, line.len + 2);
	}
}

static bool have(struct wire *w, struct got *g, size_t n)
{
	int came = 1;

	while (w->in.len - w->at < n && came == 1)
		came = more(w);
	g->silent = came == -1;
	return w->in.len - w->at >= n;
}

/* A line without its end, behind w->at. false: it does not come. */
static bool have_line(struct wire *w, struct got *g, struct span *line)
{
	size_t known = 0;

	for (;;) {
		size_t n = w->in.len - w->at;
		const char *found = n > known ? memmem(w->in.at + w->at + known, n - known, "\r\n", 2) : NULL;

		if (found != NULL) {
			*line = span_make(w->in.at + w->at, (size_t)(found - (w->in.at + w->at)));
			return true;
		}
		known = n > 0 ? n - 1 : 0;
		if (!have(w, g, n + 1))
			return false;
	}
}

static bool read_chunks(struct wire *w, struct got *g)
{
	struct span line;

	for (;;) {
		char *stop, number[20];
		unsigned long n;

		if (!have_line(w, g, &line))
			return false;
		law(line.len > 0 && line.len < sizeof(number), "a chunk's length");
		snprintf(number, sizeof(number), "%.*s", SPAN_FORMAT(line));
		n = strtoul(number, &stop, 16);
		law(*stop == '\0' && n <= ANSWER_MOST, "a chunk's length: %s", number);
		w->at += line.len + 2;
		if (!have(w, g, n + 2))
			return false;
		law(memcmp(w->in.at + w->at + n, "\r\n", 2) == 0, "a chunk's end");
		buffer_bytes(&g->joined, w->in.at + w->at, n);
		w->at += n + 2;
		if (n == 0)
			return true;
	}
}

/* The next answer that is not 1xx. false: it did not come to its end, as when the server closes. */
static bool read_answer(struct wire *w, bool head_only, struct got *g)
{
	size_t from;

	do {
		const char *found = NULL;

		*g = (struct got){ .joined = BUFFER(ANSWER_MOST) };
		from = w->at;
		while (w->in.len - from < 4 ||
		       (found = memmem(w->in.at + from, w->in.len - from, "\r\n\r\n", 4)) == NULL)
			if (!have(w, g, w->in.len - from + 1))
				return false;
		w->at = (size_t)(found - w->in.at) + 4;
		g->head = span_make(w->in.at + from, w->at - from - 2);
		read_fields(g);
	} while (g->status < 200);
	if (span_starts(span_of(g->type), "text/event-stream")) {
		struct timeval soon = { .tv_usec = 2000 };

		setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
		g->closes = true;
		have(w, g, 1 << 20);
		g->silent = false;
		g->head = span_make(w->in.at + from, g->head.len);
		g->body = span_make(w->in.at + w->at, w->in.len - w->at);
		return true;
	}
	if (head_only || g->status == 204 || g->status == 304)
		return true;
	law(!(g->has_length && g->chunked), "two lengths");
	if (g->chunked) {
		bool whole = read_chunks(w, g);

		g->head = span_make(w->in.at + from, g->head.len);
		g->body = buffer_view(&g->joined);
		return whole;
	}
	law(g->has_length || g->closes, "an answer without a length: %.*s", SPAN_FORMAT(g->head));
	if (g->has_length && !have(w, g, g->length))
		return false;
	while (!g->has_length && more(w) == 1)
		;
	g->head = span_make(w->in.at + from, g->head.len);
	g->body = span_make(w->in.at + w->at, g->has_length ? g->length : w->in.len - w->at);
	w->at += g->body.len;
	return true;
}

#endif
