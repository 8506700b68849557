#include "regime/kinds_private.h"

#define TEXT_MAX 280

static enum err own(struct arena *a, struct span *s)
{
	const char *copy = arena_copy(a, s->at, s->len);

	*s = span_make(copy, s->len);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

/* Its spans are copied: a fold reads the matter, then writes. */
enum err matter_referred(const struct state *st, const struct statement *s, unsigned kinds, struct matter *out)
{
	enum ledger_id home;
	struct span node;
	struct place at;
	enum err e = statement_home(s, &node, &home);

	if (e == OK)
		e = place_get(st, s->re, &at);
	if (e == ERR_NOT_FOUND)
		return fail(ERR_MATTER_UNKNOWN, "re: no statement of this node");
	if (e == OK && (kinds & BIT(at.kind)) == 0)
		return fail(ERR_MATTER_UNKNOWN, "re: a %s is nothing that a %s refers to", kind_name(at.kind),
			    kind_name(s->kind));
	if (e == OK && at.ledger != home && !(s->kind == KIND_REQUEST && at.kind == KIND_PLAN))
		return fail(ERR_STATEMENT_LEDGER, "ledger: what is said about entry %ju of the %s ledger stands there",
			    (uintmax_t)at.index, ledger_name(at.ledger));
	if (e == OK)
		e = state_matter(st, s->re, out); /* ERR_MATTER_UNKNOWN: it folded to nothing */
	if (e == OK)
		e = own(st->arena, &out->from);
	if (e == OK)
		e = own(st->arena, &out->addressees);
	if (e == OK)
		e = own(st->arena, &out->home);
	if (e == OK)
		matter_addressee(out, 0, &out->to); /* its domain is among those copied */
	if (e == OK && out->has_body)
		e = own(st->arena, &out->body.media_type);
	return e;
}

bool withdraw_is_revocation(const struct statement *s)
{
	const struct header *h = statement_header(s, "reason");

	return s->kind == KIND_WITHDRAW && h != NULL && span_is(h->value, "key-compromised");
}

static enum err check_reason(const struct state *st, const struct statement *s, const struct matter *m)
{
	uint64_t rules = 0;
	enum err e = state_rules(st, &rules);

	if (e != OK || rules < RULES_KEYS || statement_header(s, "reason") == NULL)
		return e; /* a line that meant nothing */
	if (m->kind != KIND_PARTY || !withdraw_is_revocation(s))
		e = fail(ERR_STATEMENT_HEADER, "reason: key-compromised, of a party statement");
	return e;
}

enum err withdraw_check(const struct state *st, const struct statement *s)
{
	struct matter m;
	enum err e = matter_referred(st, s, kind_rules(KIND_WITHDRAW)->refers, &m);

	if (e == OK)
		e = value_text(s, "text", TEXT_MAX);
	if (e == OK && !span_equal(m.from, s->from))
		e = fail(ERR_NOT_YOURS, "re: only %.*s may withdraw it", SPAN_FORMAT(m.from));
	if (e == OK)
		e = check_reason(st, s, &m);
	if (e == OK && m.kind == KIND_PARTY)
		e = party_check_withdraw(st, s);
	if (e == OK && m.kind == KIND_PARTY && from_node(st, s))
		e = fail(ERR_NOT_YOURS, "re: a node's own party statement stays; file a new one in its place");
	if (e == OK && m.withdrawn)
		e = fail(ERR_OUTCOME, "re: it was withdrawn before");
	return e;
}

enum err withdraw_fold(struct state *st, const struct statement *s)
{
	struct matter before, m;
	const struct kind_rules *r;
	uint64_t rules = 0;
	enum err e = matter_referred(st, s, kind_rules(KIND_WITHDRAW)->refers, &before);

	if (e == OK)
		e = state_rules(st, &rules);
	if (e != OK)
		return e;
	m = before;
	m.withdrawn = true;
	m.withdrawn_ms = matter_time(st, &m);
	m.moved_ms = st->logged_ms;
	m.due_ms = 0;
	if (m.kind != KIND_PARTY && m.kind != KIND_PLAN && !m.ended) {
		m.ended = true;
		m.ended_ms = m.withdrawn_ms;
	}
	r = kind_rules(m.kind);
	if (m.kind == KIND_PARTY && rules >= RULES_KEYS && withdraw_is_revocation(s))
		e = party_revoke(st, &m);
	else if (r->withdrawn != NULL)
		e = r->withdrawn(st, &m);
	return e == OK ? matter_change(st, &before, &m, NULL) : e;
}
