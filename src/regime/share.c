#include "regime/kinds_private.h"
#include "regime/objects.h"

/* A UUID of any version (RFC 9562) in lower case. */
static bool is_uuid(struct span s)
{
	if (s.len != 36)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (i == 8 || i == 13 || i == 18 || i == 23 ? c != '-'
							    : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

static enum err check_tlp(const struct statement *s)
{
	struct span level = statement_header(s, "tlp")->value;

	for (int t = 0; t < TLP_COUNT; t++)
		if (span_is(level, tlp_name((enum tlp)t)))
			return OK;
	return fail(ERR_STATEMENT_HEADER, "tlp: CLEAR, GREEN, AMBER, AMBER+STRICT or RED");
}

static enum err check_headers(const struct statement *s)
{
	struct span action = statement_header(s, "action")->value;
	uint64_t objects = 0;
	enum err e = value_number(s, "objects", OBJECTS_MAX, &objects);

	if (e == OK && objects == 0)
		e = fail(ERR_STATEMENT_HEADER, "objects: at least 1");
	if (e == OK && !span_is(action, "add") && !span_is(action, "delete"))
		e = fail(ERR_STATEMENT_HEADER, "action: add or delete");
	if (e == OK && !is_uuid(statement_header(s, "collection")->value))
		e = fail(ERR_STATEMENT_HEADER, "collection: a UUID in lower case");
	return e == OK ? check_tlp(s) : e;
}

enum err share_check(const struct state *st, const struct statement *s)
{
	enum err e = check_headers(s);

	if (e == OK && !from_node(st, s))
		e = fail(ERR_NOT_YOURS, "the node wraps what parties share; post the objects to a collection");
	if (e == OK)
		e = value_mediated(st, s);
	if (e == OK && !s->body.sealed)
		e = fail(ERR_STATEMENT_HEADER, "body: a share's body is private; bind it with sealed-sha256");
	return e;
}

enum err share_fold(struct state *st, const struct statement *s)
{
	struct matter m;
	enum err e = matter_make(st, s, &m);

	if (e == OK)
		e = value_number(s, "objects", OBJECTS_MAX, &m.events);
	return e == OK ? matter_add(st, &m) : e;
}

uint64_t share_stamps(const struct statement *s)
{
	const struct header *h = s->kind == KIND_SHARE ? statement_header(s, "objects") : NULL;
	uint64_t objects = 0;

	return h != NULL && span_u64(h->value, OBJECTS_MAX, &objects) == OK ? objects : 0;
}
