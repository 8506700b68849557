/*
 * A request, step by step
 *
 * The library calls request_begin with the first line, request_go when the head is there, again for each piece of the body, and
 * once more when it is whole; request_end when the answer is sent or the connection lost. All on one thread for one
 * connection.
 *
 *   - An answer that is given at the first call makes the library close the connection, since it could not tell where the
 *     next request begins. So what is refused by its head is answered when the body is over, if that is small. If it is large,
 *     the answer is sent past the library, and what comes is dropped for a while: closed at once, the connection
 *     would be reset, and the sender, who still writes, would hardly see why. With `Expect: 100-continue` nothing comes.
 *   - A handler that answers later: `waiting` is NOT, then SLEEPS (by this thread, once the library has suspended the
 *     connection) and WOKEN (by http_answer_now). Who changes it second sees what the first one did, so exactly one
 *     of the two resumes. Nobody touches the request behind an exchange that found NOT: it may be gone.
 *   - What the library refuses by itself never reaches request_go. It may leave the connection open then (a Content-Length of
 *     `3, 3`), and take the body for the next request. So request_end spoils such a connection.
 */
#include "net/http_private.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>

static const struct {
	struct span name;
	enum http_method method;
} methods[] = {
	{ { "GET", 3 }, HTTP_GET }, { { "HEAD", 4 }, HTTP_HEAD },     { { "POST", 4 }, HTTP_POST },
	{ { "PUT", 3 }, HTTP_PUT }, { { "DELETE", 6 }, HTTP_DELETE },
};

const char *http_method_name(enum http_method m)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].method == m)
			return methods[i].name.at;
	return "OTHER";
}

static enum http_method method_of(struct span name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (span_equal(methods[i].name, name))
			return methods[i].method;
	return HTTP_OTHER;
}

/* The library lists the query's fields, which nobody here reads, and where it has no room for them it neither answers nor ends
 * the request. So it is shown one field only. */
static void hide_fields(const char *target)
{
	for (char *at = (char *)(uintptr_t)target; at != NULL && *at != '\0'; at++)
		if (*at == '&')
			*at = '_';
}

void *request_begin(void *context, const char *target, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct link *l = info != NULL ? info->socket_context : NULL;
	struct http *h = context;
	struct slot *s = slot_mine(h);
	struct http_connection *c;
	struct arena *a;
	struct span sent;

	if (l == NULL || (a = slot_arena(h, s)) == NULL)
		return NULL;
	c = arena_array(a, 1, sizeof(*c));
	sent = span_of(target != NULL ? target : "");
	if (c != NULL)
		sent.at = arena_copy(a, sent.at, sent.len);
	hide_fields(target);
	if (c == NULL || sent.at == NULL) {
		arena_free(a);
		return NULL;
	}
	c->request = (struct http_request){ .arena = a, .method = HTTP_OTHER, .path = SPAN("/"), .connection = c };
	c->request.peer = span_make(l->peer, l->peer_length);
	c->request.secure = l->secure;
	c->answer.file = -1;
	c->http = h;
	c->link = l;
	c->mhd = mhd;
	c->slot = s;
	c->began_us = clock_monotonic_us();
	c->target_length = sent.len;
	c->bad_target = head_target(c, sent);
	atomic_fetch_add(&s->requests, 1);
	c->dead = !link_enter(l, PHASE_BODY, (int64_t)h->options.config->request_s * 1000);
	return c;
}

static void plain_refusal(struct http_connection *c, unsigned status, const char *why)
{
	char *text = arena_print(c->request.arena, "%u %s\n", status, why);

	c->answer.status = status;
	c->answer.media_type = "text/plain; charset=utf-8";
	c->answer.body = span_of(text != NULL ? text : "");
}

static bool has_header(const struct http_answer *a, const char *name)
{
	for (size_t i = 0; i < a->header_count; i++)
		if (span_equal_nocase(span_of(a->headers[i].name), span_of(name)))
			return true;
	return false;
}

void refuse(struct http_connection *c, unsigned status, const char *why)
{
	const struct http_options *o = &c->http->options;

	answer_release(c);
	c->refused = true;
	c->answer = (struct http_answer){ .file = -1 };
	if (o->refuse != NULL)
		o->refuse(o->context, &c->request, status, why, &c->answer);
	if (c->answer.status == 0)
		plain_refusal(c, status, why);
	if ((status == 503 || status == 429) && !has_header(&c->answer, "Retry-After"))
		http_add_header(&c->answer, "Retry-After", SPAN("2"));
}

static bool expects(const struct http_connection *c)
{
	struct span value;

	return http_header(&c->request, "Expect", &value) && span_equal_nocase(value, SPAN("100-continue"));
}

/* The door, and whether the head promises what it can take. */
static void find_door(struct http_connection *c)
{
	struct span allow = { 0 }, length;
	unsigned status = doors_find(c->http, &c->request, &allow);
	const struct http_door *d = c->request.door;

	if (status == 400)
		refuse(c, 400, "the path is not encoded as it must be");
	else if (status == 404)
		refuse(c, 404, "there is nothing at this path");
	else if (status == 405)
		refuse(c, 405, "this path takes other methods");
	else if (status != 0)
		refuse(c, status, "no memory");
	if (status == 405)
		http_add_header(&c->answer, "Allow", allow);
	if (status != 0)
		return;
	if (c->length > d->body_most || (c->chunked && d->body_most == 0))
		refuse(c, 413, "the body is larger than this door takes");
	else if (d->body_most > 0 && !c->chunked && !http_header(&c->request, "Content-Length", &length))
		refuse(c, 411, "say how long the body is");
}

static void admit(struct http_connection *c)
{
	const struct http_options *o = &c->http->options;

	if (o->admit == NULL)
		return;
	o->admit(o->context, &c->request, &c->answer);
	c->refused = c->answer.status != 0;
}

static enum MHD_Result refuse_by_head(struct http_connection *c, bool broken)
{
	bool body = c->chunked || c->length > 0;

	if (broken || (body && expects(c)) || (!c->chunked && c->length > DRAIN_MOST))
		return answer_queue(c);
	if (body && (c->chunked || c->length > SMALL_BODY || c->answer.status == 413))
		answer_at_once(c);
	return MHD_YES;
}

static enum MHD_Result head(struct http_connection *c, const char *method, const char *version)
{
	const char *why = head_check(c, method, version);

	c->head_seen = true;
	c->request.method = method_of(span_of(method));
	if (why != NULL) {
		refuse(c, 400, why);
	} else {
		find_door(c);
		if (!c->refused)
			admit(c);
	}
	return c->refused ? refuse_by_head(c, why != NULL) : MHD_YES;
}

/* Room doubles with what has come, so that nobody makes us hold what he only announces. */
static bool make_room(struct http_connection *c, size_t more)
{
	size_t wanted = (size_t)c->taken + more, room = c->body_room < 4096 ? 4096 : c->body_room;
	uint64_t held;
	char *larger;

	if (wanted <= c->body_room)
		return true;
	while (room < wanted)
		room *= 2;
	if (!c->chunked && room > c->length)
		room = c->length;
	held = atomic_fetch_add(&c->http->bodies, room - c->charged) + room - c->charged;
	if (held > c->http->bodies_most || (larger = realloc(c->body, room)) == NULL) {
		atomic_fetch_sub(&c->http->bodies, room - c->charged);
		return false;
	}
	c->charged = room;
	c->body = larger;
	c->body_room = room;
	return true;
}

static void drop_body(struct http_connection *c)
{
	free(c->body);
	atomic_fetch_sub(&c->http->bodies, c->charged);
	c->body = NULL;
	c->charged = c->body_room = 0;
}

static enum MHD_Result take(struct http_connection *c, const char *bytes, size_t n)
{
	if (c->said) {
		c->taken += n;
		return c->taken <= DRAIN_MOST ? MHD_YES : MHD_NO;
	}
	if (c->refused) /* a small body: read to its end, and kept nowhere */
		return MHD_YES;
	if (n > c->request.door->body_most - c->taken)
		refuse(c, 413, "the body is larger than this door takes");
	else if (!make_room(c, n))
		refuse(c, 503, "too much is being sent at the moment");
	if (c->refused) {
		drop_body(c);
		c->taken = 0;
		answer_at_once(c);
		return MHD_YES;
	}
	memcpy(c->body + c->taken, bytes, n);
	c->taken += n;
	return MHD_YES;
}

static enum MHD_Result wait_or_answer(struct http_connection *c)
{
	int expected = WAITING_NOT;

	if (atomic_load(&c->waiting) == WAITING_WOKEN)
		return answer_queue(c);
	MHD_suspend_connection(c->mhd);
	if (!atomic_compare_exchange_strong(&c->waiting, &expected, WAITING_SLEEPS))
		MHD_resume_connection(c->mhd);
	return MHD_YES;
}

static enum MHD_Result call(struct http_connection *c)
{
	const struct http_door *d = c->request.door;

	c->called = true;
	c->request.body = span_make(c->body, (size_t)c->taken);
	/* First counted, then looked at: http_stop looks the other way round. */
	atomic_fetch_add(&c->slot->calls, 1);
	if (atomic_load(&c->http->closed)) {
		atomic_fetch_sub(&c->slot->calls, 1);
		return MHD_NO;
	}
	if (d->handle(c->http->options.context, &c->request, &c->answer) == HTTP_LATER)
		return wait_or_answer(c);
	atomic_fetch_sub(&c->slot->calls, 1);
	return answer_queue(c);
}

static enum MHD_Result whole(struct http_connection *c)
{
	if (c->said)
		return MHD_NO; /* it has its answer already; this only closes */
	if (c->called)
		return wait_or_answer(c);
	if (!link_enter(c->link, PHASE_BUSY, NO_DEADLINE))
		return MHD_NO;
	return c->refused ? answer_queue(c) : call(c);
}

void http_answer_now(struct http_request *r)
{
	struct http_connection *c = r->connection;
	struct slot *s = c->slot;
	struct MHD_Connection *mhd = c->mhd;
	int old = atomic_exchange(&c->waiting, WAITING_WOKEN);

	assert(old != WAITING_WOKEN);
	if (old == WAITING_SLEEPS)
		MHD_resume_connection(mhd);
	atomic_fetch_sub(&s->calls, 1);
}

enum MHD_Result request_go(void *context, struct MHD_Connection *mhd, const char *url, const char *method,
			   const char *version, const char *upload, size_t *upload_size, void **request)
{
	struct http_connection *c = *request;
	size_t n = *upload_size;

	(void)context, (void)mhd, (void)url;
	if (c == NULL || c->dead)
		return MHD_NO;
	if (!c->head_seen)
		return head(c, method, version);
	if (n == 0)
		return whole(c);
	*upload_size = 0;
	return take(c, upload, n);
}

/* What came twice and is a list counts as one field (RFC 9110, 5.3). */
struct joined {
	struct span name;
	struct arena *arena;
	char *at;
	size_t len;
	bool found, failed;
};

static enum MHD_Result join(void *context, enum MHD_ValueKind kind, const char *name, size_t name_length,
			    const char *value, size_t value_length)
{
	struct span v = span_trim(span_make(value, value != NULL ? value_length : 0));
	struct joined *j = context;
	size_t comma = j->found ? 2 : 0;
	char *longer;

	(void)kind;
	if (!span_equal_nocase(span_make(name, name_length), j->name))
		return MHD_YES;
	if ((longer = arena_resize(j->arena, j->at, j->len, j->len + comma + v.len)) == NULL) {
		j->failed = true;
		return MHD_NO;
	}
	memcpy(longer + j->len, ", ", comma);
	if (v.len > 0)
		memcpy(longer + j->len + comma, v.at, v.len);
	j->at = longer;
	j->len += comma + v.len;
	j->found = true;
	return MHD_YES;
}

bool http_header(const struct http_request *r, const char *name, struct span *value)
{
	const struct http_connection *c = r->connection;
	const char *at = NULL;
	size_t len = 0;

	if (c->authority.len > 0 && span_equal_nocase(span_of(name), SPAN("host"))) {
		*value = c->authority;
		return true;
	}
	if (c->repeats) {
		struct joined j = { .name = span_of(name), .arena = r->arena };

		MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, join, &j);
		*value = span_make(j.at, j.len);
		return j.found && !j.failed;
	}
	if (MHD_lookup_connection_value_n(c->mhd, MHD_HEADER_KIND, name, strlen(name), &at, &len) == MHD_NO)
		return false;
	*value = span_trim(span_make(at, at != NULL ? len : 0));
	return true;
}

bool http_client_certificate(const struct http_request *r, struct span *der)
{
	const struct http_connection *c = r->connection;

	return c->link->credentials != NULL &&
	       tls_client_certificate(c->link->credentials, link_tls(c->mhd), r->arena, der);
}

static uint64_t sent_bytes(const struct http_connection *c)
{
	const struct http_answer *a = &c->answer;

	if (c->request.method == HTTP_HEAD || a->status == 204 || a->status == 304)
		return 0;
	if (c->streams)
		return c->streamed;
	return a->file != -1 ? a->file_size : a->body.len;
}

void request_end(void *context, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode why)
{
	struct http_connection *c = *request;
	const struct config *config;
	struct http *h = context;
	struct slot *s;

	(void)mhd;
	if (c == NULL)
		return;
	*request = NULL;
	config = h->options.config;
	if (c->streams)
		link_stream(c->link, NULL);
	if (h->options.done != NULL && c->answer.status != 0)
		h->options.done(h->options.context, &c->request, c->answer.status,
				why == MHD_REQUEST_TERMINATED_COMPLETED_OK || c->streams ? sent_bytes(c) : 0,
				(uint64_t)(clock_monotonic_us() - c->began_us));
	if (c->head_seen)
		link_enter(c->link, PHASE_HEAD, ((int64_t)config->idle_s + config->request_s) * 1000);
	else
		link_spoil(c->link);
	answer_release(c);
	drop_body(c);
	s = c->slot;
	slot_give_back(s, c->request.arena, c->taken > SMALL_BODY || c->answer.body.len > 4 * SMALL_BODY);
	atomic_fetch_sub(&s->requests, 1);
}
