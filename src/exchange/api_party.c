/* A party as it is known: who it says that it is, what it holds and how that was shown. All of it stands in the public ledger. */
#include "exchange/api.h"
#include "exchange/party_view.h"
#include "exchange/readership.h"

#define ANSWER_MAX ((size_t)64 << 20)

static enum err read_time(struct http_request *r, int64_t *out)
{
	struct query q;
	enum err e = query_read(r->arena, r->query, &q);

	if (e == OK)
		e = query_knows(&q, "at");
	return e == OK ? query_time(&q, "at", out) : e;
}

struct claiming {
	struct json *j;
	struct span party;
};

static enum err put_claim(void *context, const struct claim *c)
{
	struct claiming *p = context;
	struct addressee resource = {
		.type = c->type, .asn = c->asn, .prefix = c->prefix, .country = { c->country[0], c->country[1], 0 }
	};

	if (span_equal(c->party, p->party))
		addressee_json(p->j, NULL, &resource);
	return OK;
}

static enum err print_party(const struct state *st, const struct party *p, const struct party_view *v, bool answers,
			    struct json *j)
{
	struct claiming claiming = { j, p->domain };
	enum err e;

	json_object(j, NULL);
	party_print(p, j);
	json_array(j, "claims");
	e = state_claims(st, false, put_claim, &claiming);
	json_array_end(j);
	party_view_print(v, answers, j);
	json_object_end(j);
	return e;
}

static enum err read_party(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct addressee party = { .type = TO_PARTY, .domain = r->parts[0] };
	struct buffer body = BUFFER(ANSWER_MAX);
	struct json j = { .out = &body };
	int64_t at_ms = clock_now_ms();
	struct party_view view;
	struct party p;
	bool answers = false;
	enum err e = read_time(r, &at_ms);

	(void)s;
	if (e == OK && (e = state_party(st, party.domain, &p)) == ERR_PARTY_UNKNOWN)
		e = fail(ERR_NOT_FOUND, "no party of that name");
	if (e == OK)
		e = readership_standing(st, r->caller, &party, &answers);
	if (e == OK)
		e = party_view(st, r->arena, p.domain, at_ms, &view);
	if (e == OK)
		e = print_party(st, &p, &view, answers, &j);
	return api_end(out, e, &body);
}

enum http_next api_party(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_party);
}
