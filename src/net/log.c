#include "net/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

#define WAITING_MAX ((size_t)1 << 20) /* of lines about requests; events may go beyond */
#define BUFFER_MAX ((size_t)2 << 20)
#define GATHER_MS 50
#define VALUE_MAX 256
#define LINE_MAX_BYTES 8192

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t more;
	pthread_t thread;
	struct buffer waiting;
	uint64_t dropped;
	bool open, ending;
	atomic_bool json;
} out = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.more = PTHREAD_COND_INITIALIZER,
};

static const char *const level_names[] = { "error", "warning", "info" };

/* ---- a line ---- */

struct line {
	struct buffer *out;
	struct json json;
	bool is_json;
};

static bool is_plain(struct span v)
{
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.at[i] <= ' ' || (unsigned char)v.at[i] >= 0x7f || v.at[i] == '"' ||
		    v.at[i] == '=' || v.at[i] == '\\')
			return false;
	return v.len > 0;
}

/* In quotes; whatever is no printable ASCII or well-formed UTF-8 above it stands as \xNN. */
static void quoted(struct buffer *b, struct span v)
{
	buffer_byte(b, '"');
	for (size_t i = 0; i < v.len;) {
		unsigned char c = (unsigned char)v.at[i];
		size_t n = c < 0x80 ? 1 : span_utf8_length(span_from(v, i));
		/* C1 controls steer terminals too. */
		bool shown =
			n > 1 ? !(c == 0xc2 && (unsigned char)v.at[i + 1] < 0xa0) : n == 1 && c >= ' ' && c != 0x7f;

		if (!shown) {
			buffer_print(b, "\\x%02x", c);
			n = 1;
		} else {
			if (c == '"' || c == '\\')
				buffer_byte(b, '\\');
			buffer_bytes(b, v.at + i, n);
		}
		i += n;
	}
	buffer_byte(b, '"');
}

static void add_text(struct line *l, const char *name, struct span v)
{
	struct span cut = v.len > VALUE_MAX ? span_make(v.at, VALUE_MAX) : v;

	if (l->is_json) {
		json_string(&l->json, name, cut);
		return;
	}
	if (l->json.comma)
		buffer_byte(l->out, ' ');
	buffer_text(l->out, name);
	buffer_byte(l->out, '=');
	l->json.comma = true;
	if (is_plain(cut))
		buffer_span(l->out, cut);
	else
		quoted(l->out, cut);
}

/* Without printf: every answer writes three of them. */
static void add_number(struct line *l, const char *name, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	if (l->is_json) {
		json_number(&l->json, name, (int64_t)v);
		return;
	}
	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	add_text(l, name, span_make(digits + at, sizeof(digits) - at));
}

static void add_request(struct line *l, const struct log_request *r)
{
	add_text(l, "method", span_of(r->method));
	add_text(l, "path", r->path);
	add_number(l, "status", r->status);
	add_number(l, "bytes", r->bytes);
	add_number(l, "us", r->micros);
	add_text(l, "peer", r->peer);
	if (r->secure)
		add_text(l, "tls", SPAN("yes"));
	if (r->party.len > 0)
		add_text(l, "party", r->party);
	if (r->tool.len > 0)
		add_text(l, "tool", r->tool);
}

void log_print(const struct log_line *line, bool json, struct buffer *to)
{
	struct line l = { .out = to, .json = { .out = to }, .is_json = json };
	char now[CLOCK_TEXT];

	clock_format_ms(line->now_ms, now);
	if (json)
		json_object(&l.json, NULL);
	add_text(&l, "time", span_of(now));
	add_text(&l, "level", span_of(level_names[line->level]));
	add_text(&l, "event", span_of(line->event));
	if (line->err != OK)
		add_text(&l, "error", span_of(err_code(line->err)));
	if (line->detail != NULL && line->detail[0] != '\0')
		add_text(&l, "detail", span_of(line->detail));
	if (line->request != NULL)
		add_request(&l, line->request);
	if (json)
		json_object_end(&l.json);
	buffer_byte(to, '\n');
}

/* ---- writing ---- */

static void *run(void *argument)
{
	const struct timespec gather = { .tv_nsec = GATHER_MS * 1000000 };
	struct buffer taken = BUFFER(BUFFER_MAX);
	bool ending = false;

	(void)argument;
	while (!ending) {
		struct buffer empty = taken;
		uint64_t dropped;

		pthread_mutex_lock(&out.mutex);
		while (out.waiting.len == 0 && out.dropped == 0 && !out.ending)
			pthread_cond_wait(&out.more, &out.mutex);
		if (!out.ending) { /* what comes now goes along */
			pthread_mutex_unlock(&out.mutex);
			nanosleep(&gather, NULL);
			pthread_mutex_lock(&out.mutex);
		}
		taken = out.waiting;
		out.waiting = empty;
		dropped = out.dropped;
		out.dropped = 0;
		ending = out.ending && out.waiting.len == 0;
		pthread_mutex_unlock(&out.mutex);
		if (dropped > 0) {
			char text[64];

			snprintf(text, sizeof(text), "%ju lines were left out", (uintmax_t)dropped);
			log_print(&(struct log_line){ clock_now_ms(), LOG_WARNING, text, OK, NULL, NULL }, out.json,
				  &taken);
		}
		/* A log that cannot be written has nobody to tell. */
		(void)file_write_all(STDERR_FILENO, taken.at, taken.len);
		buffer_clear(&taken);
	}
	buffer_free(&taken);
	return NULL;
}

enum err log_begin(bool json)
{
	out.json = json;
	out.ending = false;
	out.waiting = BUFFER(BUFFER_MAX);
	if (pthread_create(&out.thread, NULL, run, NULL) != 0)
		return fail(ERR_NO_MEMORY, "a thread that writes the log");
	out.open = true;
	return OK;
}

void log_form(bool json)
{
	out.json = json;
}

void log_end(void)
{
	if (!out.open)
		return;
	pthread_mutex_lock(&out.mutex);
	out.ending = true;
	pthread_cond_signal(&out.more);
	pthread_mutex_unlock(&out.mutex);
	pthread_join(out.thread, NULL);
	out.open = false;
	buffer_free(&out.waiting);
}

static void put(const struct log_line *l, bool may_drop)
{
	struct buffer line = BUFFER(LINE_MAX_BYTES);

	log_print(l, out.json, &line);
	pthread_mutex_lock(&out.mutex);
	if (line.err != OK || (may_drop && out.waiting.len > WAITING_MAX)) {
		out.dropped++;
	} else if (out.open) {
		buffer_span(&out.waiting, buffer_view(&line));
		if (out.waiting.err != OK) {
			out.waiting.err = OK;
			out.dropped++;
		}
	}
	pthread_cond_signal(&out.more);
	pthread_mutex_unlock(&out.mutex);
	buffer_free(&line);
}

void log_error(enum log_level level, const char *text, enum err e, const char *detail)
{
	put(&(struct log_line){ clock_now_ms(), level, text, e, detail, NULL }, false);
}

void log_event(enum log_level level, const char *text)
{
	log_error(level, text, OK, NULL);
}

void log_request(const struct log_request *r)
{
	put(&(struct log_line){ clock_now_ms(), r->status >= 500 ? LOG_WARNING : LOG_INFO, "request", OK, NULL, r },
	    true);
}
