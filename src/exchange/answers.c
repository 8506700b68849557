/* What the doors share: snapshots, and the answers for errors. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "exchange/server_private.h"

#define RETRY_S 1
#define ANSWER_MAX 4096
#define TAXII_MEDIA "application/taxii+json;version=2.1"

enum err server_read(const struct server *s, struct http_request *r, struct state *out)
{
	return node_read(s->node, r->arena, out);
}

/* ---- which status ---- */

static unsigned status_of(enum err e)
{
	switch (e) {
	case ERR_NO_MEMORY:
	case ERR_DISK_FULL:
	case ERR_READ_ONLY:
	case ERR_HANDLES:
	case ERR_BUSY:
	case ERR_LOGGED:
		return 503;
	case ERR_IO:
	case ERR_SYNC:
	case ERR_DAMAGED:
	case ERR_LEDGER_DIFFERS:
	case ERR_CRYPTO_SELF_TEST:
	case ERR_TABLE_MISSING:
	case ERR_TABLE_DAMAGED:
	case ERR_NODE_MISSING:
	case ERR_NODE_EXISTS:
		return 500;
	case ERR_UNREACHABLE:
	case ERR_REFUSED_URL:
	case ERR_PEER:
		return 502;
	case ERR_CREDENTIALS:
		return 401;
	case ERR_ROLE:
	case ERR_NOT_YOURS:
	case ERR_NOTE_UNSIGNED:
	case ERR_NOTE_SIGNATURE:
	case ERR_KEY_UNKNOWN:
	case ERR_SUSPENDED:
		return 403;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_ACCEPT:
		return 406;
	case ERR_EXISTS:
	case ERR_CONFLICT:
	case ERR_STATEMENT_REPEATED:
	case ERR_SUPERSEDED:
		return 409;
	case ERR_EXPIRED:
		return 410;
	case ERR_TOO_LONG:
	case ERR_UNPACKED:
		return 413;
	case ERR_MEDIA_TYPE:
		return 415;
	case ERR_STIX:
	case ERR_STATEMENT_VERSION:
	case ERR_STATEMENT_KIND:
	case ERR_STATEMENT_LEDGER:
	case ERR_CLASS_CONTENT:
	case ERR_CLASS_UNKNOWN:
	case ERR_PARTY_UNKNOWN:
	case ERR_MATTER_UNKNOWN:
	case ERR_OUTCOME:
	case ERR_PLAN_WINDOW:
	case ERR_RULES:
	case ERR_TERM:
	case ERR_NORM:
	case ERR_AGREEMENT:
	case ERR_BREACH:
		return 422;
	case ERR_RATE:
		return 429;
	default:
		return 400; /* what was sent is not what was asked for */
	}
}

static const char *phrase_of(unsigned status)
{
	static const struct {
		unsigned status;
		const char *phrase;
	} phrases[] = {
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return status < 500 ? "Refused" : "Failed";
}

/* ---- the answer ---- */

struct problem {
	unsigned status;
	enum err err;
	const char *detail, *advice;
};

static bool is_taxii(const struct http_request *r)
{
	return r->door != NULL ? (r->door->flags & DOOR_TAXII) != 0 : span_starts(r->path, "/taxii2");
}

static const char *how_to_ask(const struct http_request *r)
{
	return is_taxii(r) ? "Ask as TAXII 2.1 describes it." : "Ask as /openapi.json describes it.";
}

/* RFC 9457, with the stable code and what to do. */
static void write_problem(struct json *j, const struct problem *p)
{
	json_object(j, NULL);
	json_text(j, "title", phrase_of(p->status));
	json_number(j, "status", p->status);
	json_text(j, "code", err_code(p->err));
	if (p->detail[0] != '\0')
		json_text(j, "detail", p->detail);
	json_text(j, "advice", p->advice);
	json_object_end(j);
}

/* TAXII 2.1, 3.6. */
static void write_taxii_error(struct json *j, const struct problem *p)
{
	char status[16], text[768];

	snprintf(status, sizeof(status), "%u", p->status);
	snprintf(text, sizeof(text), "%s%s%s", p->detail, p->detail[0] != '\0' ? ": " : "", p->advice);
	json_object(j, NULL);
	json_text(j, "title", phrase_of(p->status));
	json_text(j, "description", text);
	json_text(j, "error_code", err_code(p->err));
	json_text(j, "http_status", status);
	json_object_end(j);
}

/* What a handler began to answer is let go. */
static void begin_anew(struct http_answer *out, unsigned status)
{
	free(out->owned);
	if (out->file > 0)
		close(out->file);
	*out = (struct http_answer){ .status = status, .file = -1 };
}

static void answer(const struct http_request *r, const struct problem *p, unsigned retry_s, struct http_answer *out)
{
	struct buffer body = BUFFER(ANSWER_MAX);
	struct json j = { .out = &body };
	bool taxii = is_taxii(r);
	char *retry;

	begin_anew(out, p->status);
	(taxii ? write_taxii_error : write_problem)(&j, p);
	if (body.err == OK) {
		out->media_type = taxii ? TAXII_MEDIA : "application/problem+json";
		out->body = buffer_view(&body);
		out->owned = body.at;
	} else {
		buffer_free(&body); /* the status says enough */
	}
	if (p->status == 401) {
		http_add_header(out, "WWW-Authenticate", SPAN("Basic realm=\"comity\", charset=\"UTF-8\""));
		http_add_header(out, "WWW-Authenticate", SPAN("Bearer realm=\"comity\""));
	}
	if ((p->status == 429 || p->status == 503) &&
	    (retry = arena_print(r->arena, "%u", retry_s > 0 ? retry_s : RETRY_S)) != NULL)
		http_add_header(out, "Retry-After", span_of(retry));
	http_add_header(out, "Cache-Control", SPAN("no-store"));
}

/* On what is not there and on what one may not see: the same, whatever was said on the way to it. */
#define NOTHING_HERE "there is nothing here that you may see"

void server_fail_later(const struct server *s, const struct http_request *r, enum err e, unsigned retry_s,
		       struct http_answer *out)
{
	struct problem p = { status_of(e), e, err_detail(), err_advice(e) };

	(void)s;
	assert(e != OK);
	if (p.status >= 500) {
		log_error(LOG_ERROR, "a request failed", e, p.detail);
		if (e != ERR_BUSY)
			p.detail = "";
		if (err_is_machine(e) || p.status == 500)
			p.advice = "Try again later; the node's operator finds the reason in its log.";
	}
	if (e == ERR_NOT_FOUND) {
		p.detail = NOTHING_HERE;
		p.advice = "Check the address, and with whose credentials you ask.";
	}
	if (e == ERR_USAGE)
		p.advice = how_to_ask(r);
	answer(r, &p, retry_s, out);
}

void server_fail(const struct server *s, const struct http_request *r, enum err e, struct http_answer *out)
{
	server_fail_later(s, r, e, RETRY_S, out);
}

void server_refuse(void *context, struct http_request *r, unsigned status, const char *why, struct http_answer *out)
{
	struct problem p = { status, ERR_USAGE, why, how_to_ask(r) };

	(void)context;
	switch (status) {
	case 404:
		server_fail(context, r, ERR_NOT_FOUND, out);
		return;
	case 413:
	case 414:
	case 431:
		p.err = ERR_TOO_LONG;
		break;
	case 429:
		p.err = ERR_RATE;
		break;
	case 500:
		p.err = ERR_IO;
		break;
	case 503:
		p.err = ERR_BUSY;
		break;
	default:
		break;
	}
	if (p.err != ERR_USAGE)
		p.advice = err_advice(p.err);
	answer(r, &p, RETRY_S, out);
}
