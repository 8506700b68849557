/* The API over what was stated: statements and bodies, matters, parties, pledges, agreements, requests, standing, promises,
 * certificates (api_doors). docs/openapi.json describes it; the node serves it at /openapi.json. Only for this room. */
#ifndef EXCHANGE_API_H
#define EXCHANGE_API_H

#include "base/encoding.h"
#include "base/json.h"
#include "net/query.h"
#include "exchange/server.h"

/* One statement as a reader finds it. In the request's arena. */
struct api_statement {
	enum ledger_id ledger;
	uint64_t index, stamp;
	int64_t logged_ms;
	bool is_guest;	 /* its home is another node's ledger, */
	int64_t home_ms; /* which logged it then */
	struct statement s;
};

/* Reads an entry back. ERR_NOT_FOUND, ERR_DAMAGED. */
enum err api_entry(const struct server *s, struct arena *a, const struct state *st, enum ledger_id l, uint64_t index,
		   struct api_statement *out);
void api_print(const struct api_statement *a, struct buffer *out); /* one JSON object */
/* Whether who signed may see what the statement refers to by `re`; nobody's eyes if the signature is not that party's. Else a
 * refusal must not tell that it is there. ERR_NOT_FOUND: it is not. */
enum err api_author_sees(const struct server *s, struct arena *a, const struct state *st,
			 const struct statement *statement, bool *yes);
/* Whether the caller may see that statement. ERR_NOT_FOUND: it is not there. */
enum err api_caller_sees(const struct server *s, struct arena *a, const struct state *st, const struct caller *who,
			 struct hash id, bool *yes);

/* What a list or a follower asks for. Owns nothing: the spans point into the query. */
struct api_filter {
	enum kind kind; /* KIND_UNKNOWN: all */
	bool has_party, has_matter;
	struct addressee party;
	struct hash matter;
	uint64_t after; /* stamps greater than this */
	uint64_t limit;
	unsigned wait_s; /* a list that is empty waits so long for news */
};
#define API_LIMIT_MAX 1000
#define API_LIMIT_DEFAULT 100
#define API_WAIT_MAX_S 300
enum err api_filter_read(const struct query *q, struct api_filter *out); /* ERR_USAGE, ERR_NUMBER, … */

/* Appends up to limit objects, separated by commas; last: the stamp of the last one given, `after` if there is none. reached:
 * the stamp up to which nothing more is to be found, to wait behind; never shown, since it moves with what the caller may not
 * see. more: the limit was reached and there are others behind it. */
struct api_page {
	size_t count;
	uint64_t last, reached;
	bool more;
};
typedef void api_put(void *context, const struct api_statement *a);
enum err api_walk(const struct server *s, const struct state *st, const struct caller *c, const struct api_filter *f,
		  api_put *put, void *context, struct api_page *out);

/* Answers with a stream: events (text/event-stream) for ever, or one list as soon as there is something in it. */
enum err api_follow(const struct server *s, struct http_request *r, const struct api_filter *f, bool events,
		    struct http_answer *out);

/* The doors. */
http_handler api_submit, api_submit_with_body, api_list, api_get, api_get_body, api_get_receipt, api_public_body,
	api_openapi, api_standing, api_standing_all, api_promises, api_promises_all, api_matter, api_party,
	api_requests, api_request, api_certificates, api_certificate, api_pledges, api_agreements, api_agreement;

/* Answers with a snapshot; an error becomes the answer. */
typedef enum err api_reading(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out);
enum http_next api_with_state(void *context, struct http_request *r, struct http_answer *out, api_reading *read);
/* The statement that the path names. What the caller may not see is not there: ERR_NOT_FOUND. */
enum err api_find(const struct server *s, struct http_request *r, struct state *st, struct api_statement *out);
/* Whether Accept names it. */
bool api_wants(const struct http_request *r, const char *media_type);
/* Shared by the doors: the buffer becomes the answer's. */
void api_answer(struct http_answer *out, unsigned status, const char *media_type, struct buffer *body);
/* 200, for this reader alone: not to be kept by others, nor shown again without asking. */
void api_answer_private(struct http_answer *out, const char *media_type, struct buffer *body);
/* How a door ends: with the JSON that was written, answered as by api_answer_private, or with what failed before. Frees what is
 * not the answer's. */
enum err api_end(struct http_answer *out, enum err e, struct buffer *body);

extern const char openapi_json[];
extern const size_t openapi_json_length;

#endif
