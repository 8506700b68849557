/*
 * Those who wait
 *
 * A follower is a stream that mostly sleeps. When it is pulled it walks what its caller may see behind its last position; if
 * there is nothing it waits for a greater stamp. Rights are looked at anew each time, so who loses them hears no more.
 * Server-sent events go on for ever, with a comment now and then so that a dead connection is found. A long poll is the same
 * thing that ends with its first list.
 */
#include <stdlib.h>

#include "exchange/api.h"
#include "exchange/readership.h"

#define HEARTBEAT_MS 20000
#define BATCH 100
#define PENDING_MAX ((size_t)64 << 20)

struct follow {
	const struct server *server;
	struct http_request *request;
	struct follower follower;
	struct http_stream stream;
	struct caller caller;
	char *party, *tool, *addressee; /* the caller's and the filter's, copied */
	struct api_filter filter;
	int64_t until_ms; /* of a long poll; 0: events */
	bool begun, over;
	struct buffer pending;
	size_t sent;
};

static void wake(struct follower *f)
{
	struct follow *one = f->context;

	http_stream_wake(one->request);
}

static void put_event(void *context, const struct api_statement *a)
{
	struct buffer *out = context;

	buffer_print(out, "id: %ju\nevent: statement\ndata: ", (uintmax_t)a->stamp);
	api_print(a, out);
	buffer_text(out, "\n\n");
}

static void put_member(void *context, const struct api_statement *a)
{
	struct buffer *out = context;

	if (out->len > 0)
		buffer_byte(out, ',');
	api_print(a, out);
}

static enum err gather(struct follow *one, struct api_page *page)
{
	struct state st;
	struct arena *a = arena_new((size_t)1 << 20);
	enum err e = a == NULL ? ERR_NO_MEMORY : node_read(one->server->node, a, &st);

	if (e == OK) {
		e = api_walk(one->server, &st, &one->caller, &one->filter, one->until_ms == 0 ? put_event : put_member,
			     &one->pending, page);
		snapshot_end(st.snapshot);
	}
	if (a != NULL)
		arena_free(a);
	return e == OK ? one->pending.err : e;
}

static void close_list(struct follow *one, const struct api_page *page)
{
	struct buffer whole = BUFFER(PENDING_MAX + 256);

	buffer_text(&whole, "{\"statements\":[");
	buffer_span(&whole, buffer_view(&one->pending));
	buffer_print(&whole, "],\"next\":%ju,\"more\":%s}\n", (uintmax_t)page->last, page->more ? "true" : "false");
	buffer_free(&one->pending);
	one->pending = whole;
	one->over = true;
}

/* Nothing new: sleeps, or says that it is still there. */
static void rest(struct follow *one, const struct api_page *page, int64_t now)
{
	if (one->until_ms > 0 && now >= one->until_ms) {
		close_list(one, page);
	} else if (one->until_ms == 0 && one->follower.until_ms > 0 && now >= one->follower.until_ms) {
		buffer_text(&one->pending, ":\n\n");
		one->follower.until_ms = 0;
	} else {
		if (one->follower.until_ms <= now)
			one->follower.until_ms = one->until_ms > 0 ? one->until_ms : now + HEARTBEAT_MS;
		followers_wait(one->server->followers, &one->follower, page->reached);
	}
}

static enum err look_again(struct follow *one)
{
	struct api_page page;
	enum err e;

	buffer_clear(&one->pending);
	one->sent = 0;
	if (!one->begun && one->until_ms == 0)
		buffer_text(&one->pending,
			    "retry: 3000\n\n"); /* so that the client sees at once that it is connected */
	one->begun = true;
	if ((e = gather(one, &page)) != OK)
		return e;
	one->filter.after = page.last;
	if (page.count > 0 && one->until_ms > 0)
		close_list(one, &page);
	else if (one->pending.len == 0)
		rest(one, &page, clock_now_ms());
	return one->pending.err;
}

static long pull(void *context, char *to, size_t room)
{
	struct follow *one = context;
	size_t n;

	if (one->sent == one->pending.len) {
		if (one->over || look_again(one) != OK)
			return HTTP_STREAM_END;
		if (one->pending.len == 0)
			return 0;
	}
	n = one->pending.len - one->sent < room ? one->pending.len - one->sent : room;
	memcpy(to, one->pending.at + one->sent, n);
	one->sent += n;
	if (one->sent == one->pending.len && !one->over) {
		buffer_free(&one->pending); /* who sleeps holds nothing */
		one->sent = 0;
	}
	return (long)n;
}

static void end(void *context)
{
	struct follow *one = context;

	followers_leave(one->server->followers, &one->follower);
	buffer_free(&one->pending);
	free(one->party);
	free(one->tool);
	free(one->addressee);
	free(one);
}

static enum err copy_span(struct span *s, char **copy)
{
	if (s->len == 0)
		return OK;
	if ((*copy = span_duplicate(*s)) == NULL)
		return ERR_NO_MEMORY;
	s->at = *copy;
	return OK;
}

static enum err copy_all(struct follow *one)
{
	enum err e = copy_span(&one->caller.party, &one->party);

	if (e == OK)
		e = copy_span(&one->caller.tool, &one->tool);
	if (e == OK && one->filter.has_party && one->filter.party.type == TO_PARTY)
		e = copy_span(&one->filter.party.domain, &one->addressee);
	return e;
}

/* Where an event stream was cut off (WHATWG HTML, 9.2.4). */
static enum err resume_at(const struct http_request *r, struct api_filter *f)
{
	struct span last;

	if (!http_header(r, "Last-Event-ID", &last) || last.len == 0)
		return OK;
	return span_u64(last, INT64_MAX, &f->after) == OK ? OK : fail(ERR_USAGE, "Last-Event-ID: the id of an event");
}

enum err api_follow(const struct server *s, struct http_request *r, const struct api_filter *f, bool events,
		    struct http_answer *out)
{
	struct follow *one = calloc(1, sizeof(*one));
	enum err e;

	if (one == NULL)
		return ERR_NO_MEMORY;
	*one = (struct follow){
		.server = s,
		.request = r,
		.caller = *(const struct caller *)r->caller,
		.filter = *f,
		.pending = BUFFER(PENDING_MAX),
		.stream = { pull, end, one },
	};
	one->follower = (struct follower){ .wake = wake, .context = one };
	one->filter.limit = f->limit < BATCH ? f->limit : BATCH;
	if (!events)
		one->until_ms = clock_now_ms() + (int64_t)f->wait_s * 1000;
	if ((e = copy_all(one)) == OK && events)
		e = resume_at(r, &one->filter);
	if (e != OK) {
		end(one);
		return e;
	}
	out->status = 200;
	out->media_type = events ? "text/event-stream" : "application/json";
	out->stream = &one->stream;
	http_add_header(out, "Cache-Control", SPAN("no-store"));
	http_add_header(out, "X-Accel-Buffering", SPAN("no")); /* nginx in front must not gather events */
	return OK;
}
