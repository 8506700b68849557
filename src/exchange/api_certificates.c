/* Certificates. All that is shown stands in the public ledger. */
#include "exchange/api.h"
#include "exchange/certificate_view.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define FULL ERR_EXISTS /* ends the walk; never leaves this file */
#define NO_AFTER UINT64_MAX

struct asked {
	struct span subject, from;
	uint64_t after, limit;
};

static enum err read_query(struct http_request *r, struct asked *out)
{
	struct query q;
	enum err e = query_read(r->arena, r->query, &q);

	*out = (struct asked){ .subject = SPAN(""), .from = SPAN(""), .limit = API_LIMIT_DEFAULT, .after = NO_AFTER };
	if (e == OK)
		e = query_knows(&q, "subject, from, after, limit");
	if (e == OK)
		e = query_text(&q, "subject", &out->subject);
	if (e == OK)
		e = query_domain(&q, "from", &out->from);
	if (e == OK)
		e = query_number(&q, "after", 0, (uint64_t)1 << 53, &out->after);
	return e == OK ? query_number(&q, "limit", 1, API_LIMIT_MAX, &out->limit) : e;
}

struct listing {
	const struct state *st;
	const struct asked *asked;
	struct json *j;
	int64_t at_ms;
	uint64_t count, last;
	bool more;
};

static enum err put_certificate(void *context, const struct certificate *c)
{
	struct listing *l = context;
	struct certificate_standing s;
	enum err e;

	if (l->asked->subject.len > 0 && ((l->asked->from.len > 0 && !span_equal(c->from, l->asked->from)) ||
					  (l->asked->after != NO_AFTER && c->index <= l->asked->after)))
		return OK;
	if (l->count == l->asked->limit) {
		l->more = true;
		return FULL;
	}
	if ((e = certificate_standing(l->st, c, l->at_ms, &s)) != OK)
		return e;
	json_object(l->j, NULL);
	certificate_print(c, &s, l->j);
	json_object_end(l->j);
	l->count++;
	l->last = c->index;
	return l->j->out->err;
}

static enum err walk(const struct state *st, const struct asked *asked, struct listing *l)
{
	enum err e;

	if (asked->subject.len > 0)
		e = certificates_of(st, asked->subject, put_certificate, l);
	else if (asked->after != NO_AFTER)
		e = state_certificates_after(st, asked->from, asked->after, put_certificate, l);
	else
		e = state_certificates(st, asked->from, put_certificate, l);
	if (e == ERR_CERTIFICATE)
		e = fail(ERR_USAGE, "subject: sha256:<hex> or a package URL");
	return e == FULL ? OK : e;
}

static enum err read_list(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct buffer body = BUFFER(ANSWER_MAX);
	struct json j = { .out = &body };
	struct asked asked;
	struct listing l = { .st = st, .asked = &asked, .j = &j, .at_ms = clock_now_ms() };
	enum err e = read_query(r, &asked);

	(void)s;
	json_object(&j, NULL);
	json_array(&j, "certificates");
	if (e == OK)
		e = walk(st, &asked, &l);
	json_array_end(&j);
	if (l.more)
		json_number(&j, "next", (int64_t)l.last);
	else
		json_null(&j, "next");
	json_bool(&j, "more", l.more);
	json_object_end(&j);
	return api_end(out, e, &body);
}

static enum err read_one(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct buffer body = BUFFER(ANSWER_MAX);
	struct json j = { .out = &body };
	struct told_certificate t;
	struct certificate c;
	struct hash id;
	enum err e = hash_from_hex(r->parts[0], &id) == OK ? state_certificate(st, id, &c) : ERR_MATTER_UNKNOWN;

	if (e == ERR_MATTER_UNKNOWN)
		e = fail(ERR_NOT_FOUND, "no certificate of that id");
	if (e == OK)
		e = certificate_tell(s->node, st->arena, st, &c, clock_now_ms(), &t);
	if (e == OK) {
		json_object(&j, NULL);
		certificate_tell_print(&t, &j);
		json_object_end(&j);
	}
	return api_end(out, e, &body);
}

/* In memory of its own: an envelope takes more than a request has. */
static enum err with_arena(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out,
			   api_reading *read)
{
	struct state mine = *st;
	enum err e;

	if ((mine.arena = arena_new(TOLD_ARENA)) == NULL)
		return ERR_NO_MEMORY;
	e = read(s, r, &mine, out);
	arena_free(mine.arena);
	return e;
}

static enum err read_list_apart(const struct server *s, struct http_request *r, struct state *st,
				struct http_answer *out)
{
	return with_arena(s, r, st, out, read_list);
}

static enum err read_one_apart(const struct server *s, struct http_request *r, struct state *st,
			       struct http_answer *out)
{
	return with_arena(s, r, st, out, read_one);
}

enum http_next api_certificates(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_list_apart);
}

enum http_next api_certificate(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_one_apart);
}
