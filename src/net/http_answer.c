/*
 * Streams that sleep
 *
 * The library asks for bytes; if the stream has none, the connection is suspended until http_stream_wake. `asleep` is NOT, SLEEPS
 * or WOKEN, and three rules make that no wake is lost and no connection is resumed twice:
 *
 *   1. Before it asks the stream, the library's thread writes NOT. A wake behind that is seen by rule 2.
 *   2. If nothing came, it suspends, then changes NOT to SLEEPS. If that finds WOKEN, it resumes by itself.
 *   3. A wake writes WOKEN, and resumes if it found SLEEPS; only one can find it.
 *
 * A connection ends only on the library's thread and never while it is suspended, so a wake that found SLEEPS may touch it.
 * That a wake does not come behind the stream's free is the caller's part.
 */
#include "net/http_private.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_field(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] == '\r' || s.at[i] == '\n' || s.at[i] == '\0')
			return false;
	return true;
}

void http_add_header(struct http_answer *a, const char *name, struct span value)
{
	assert(a->header_count < HTTP_HEADERS_MAX && is_field(value));
	a->headers[a->header_count++] = (struct http_field){ name, value };
}

static void wake(struct http_connection *c)
{
	struct MHD_Connection *mhd = c->mhd;

	if (atomic_exchange(&c->asleep, WAITING_WOKEN) == WAITING_SLEEPS)
		MHD_resume_connection(mhd);
}

void http_stream_wake(struct http_request *r)
{
	wake(r->connection);
}

void stream_end(struct http_connection *c)
{
	if (!atomic_exchange(&c->over, true))
		wake(c);
}

static ssize_t stream_pull(void *context, uint64_t offset, char *to, size_t room)
{
	struct http_connection *c = context;
	int expected = WAITING_NOT;
	long n;

	(void)offset;
	atomic_store(&c->asleep, WAITING_NOT);
	if (atomic_load(&c->over))
		return MHD_CONTENT_READER_END_OF_STREAM;
	n = c->stream.pull(c->stream.context, to, room);
	assert(n >= HTTP_STREAM_END && n <= (long)room);
	if (n > 0) {
		c->streamed += (uint64_t)n;
		return n;
	}
	if (n == HTTP_STREAM_END)
		return MHD_CONTENT_READER_END_OF_STREAM;
	MHD_suspend_connection(c->mhd);
	if (!atomic_compare_exchange_strong(&c->asleep, &expected, WAITING_SLEEPS))
		MHD_resume_connection(c->mhd);
	return 0;
}

static struct MHD_Response *make(struct http_connection *c)
{
	struct http_answer *a = &c->answer;
	struct MHD_Response *made;

	if (a->stream != NULL)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_pull, c, NULL);
	if (a->file != -1) {
		if ((made = MHD_create_response_from_fd64(a->file_size, a->file)) != NULL)
			c->file_given = true;
		return made;
	}
	/* The bytes outlive the answer: what owns them is released at the request's end. */
	return MHD_create_response_from_buffer(a->body.len, (void *)(uintptr_t)a->body.at, MHD_RESPMEM_PERSISTENT);
}

static bool add_field(struct MHD_Response *made, struct arena *arena, const struct http_field *f)
{
	char *value = arena_copy(arena, f->value.at, f->value.len);

	assert(is_field(f->value));
	return value != NULL && MHD_add_response_header(made, f->name, value) == MHD_YES;
}

static bool add_fields(struct http_connection *c, struct MHD_Response *made)
{
	const struct http_answer *a = &c->answer;
	bool good = MHD_add_response_header(made, "X-Content-Type-Options", "nosniff") == MHD_YES;

	if (a->media_type != NULL)
		good = good && MHD_add_response_header(made, "Content-Type", a->media_type) == MHD_YES;
	if (atomic_load_explicit(&c->http->stopping, memory_order_relaxed))
		good = good && MHD_add_response_header(made, "Connection", "close") == MHD_YES;
	for (size_t i = 0; good && i < a->header_count; i++)
		good = add_field(made, c->request.arena, &a->headers[i]);
	return good;
}

/* Registered before the look at `stopping`: http_stop looks the other way round. */
static void begin_stream(struct http_connection *c)
{
	link_stream(c->link, c);
	if (atomic_load(&c->http->stopping))
		atomic_store(&c->over, true);
}

static bool enter_sending(struct http_connection *c)
{
	const struct config *config = c->http->options.config;
	uint64_t size = c->answer.file != -1 ? c->answer.file_size : c->answer.body.len;

	if (c->streams)
		return link_enter(c->link, PHASE_STREAM, NO_DEADLINE);
	return link_enter(c->link, PHASE_SENDING,
			  ((int64_t)config->idle_s + config->request_s) * 1000 + (int64_t)(size / SLOWEST_BYTES_A_MS));
}

enum MHD_Result answer_queue(struct http_connection *c)
{
	struct http_answer *a = &c->answer;
	struct MHD_Response *made;
	enum MHD_Result did = MHD_NO;

	assert(a->status >= 200 && a->status <= 599);
	if (a->stream != NULL) {
		c->stream = *a->stream;
		c->streams = true;
	}
	made = make(c);
	if (made != NULL && add_fields(c, made) && enter_sending(c)) {
		if (c->streams)
			begin_stream(c);
		did = MHD_queue_response(c->mhd, a->status, made);
	}
	if (made != NULL)
		MHD_destroy_response(made);
	return did;
}

void answer_at_once(struct http_connection *c)
{
	const struct http_answer *a = &c->answer;
	struct buffer out = BUFFER(64 * 1024);

	c->said = true;
	buffer_print(&out, "HTTP/1.1 %u %s\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n", a->status,
		     MHD_get_reason_phrase_for(a->status));
	if (a->media_type != NULL)
		buffer_print(&out, "Content-Type: %s\r\n", a->media_type);
	for (size_t i = 0; i < a->header_count; i++)
		buffer_print(&out, "%s: %.*s\r\n", a->headers[i].name, SPAN_FORMAT(a->headers[i].value));
	buffer_print(&out, "Content-Length: %zu\r\n\r\n", a->body.len);
	buffer_span(&out, a->body);
	if (out.err == OK && link_enter(c->link, PHASE_DRAIN, DRAIN_MS)) {
		if (c->link->secure)
			tls_send(link_tls(c->mhd), buffer_view(&out));
		else
			(void)!send(c->link->fd, out.at, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	buffer_free(&out);
}

void answer_release(struct http_connection *c)
{
	struct http_answer *a = &c->answer;
	const struct http_stream *unsent = !c->streams ? a->stream : NULL;

	if (c->streams && c->stream.free != NULL)
		c->stream.free(c->stream.context);
	else if (unsent != NULL && unsent->free != NULL)
		unsent->free(unsent->context);
	if (a->file != -1 && !c->file_given)
		close(a->file);
	free(a->owned);
	c->streams = false;
	a->stream = NULL;
	a->owned = NULL;
	a->file = -1;
}
