#include "regime/introduction.h"

#include <stdio.h>

#include "regime/kinds_private.h"

static bool is_of_node(const struct statement *s)
{
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "role") && span_is(s->headers[i].value, role_name(ROLE_NODE)))
			return true;
	return false;
}

static enum err read_keys(struct introduction *i)
{
	enum err e = OK;

	for (int l = 0; l < LEDGER_COUNT; l++) {
		e = party_statement_ledger_key(&i->s, (enum ledger_id)l, &i->ledger[l]);
		i->has[l] = e == OK;
		if (e != OK && e != ERR_KEY_UNKNOWN)
			return e;
	}
	return i->has[LEDGER_PUBLIC] ? OK : fail(ERR_KEY_UNKNOWN, "it names no key of its public ledger");
}

static enum err read(struct arena *a, struct span note, struct introduction *out)
{
	struct span home;
	enum ledger_id l;
	enum err e = statement_parse(a, note, &out->s);

	if (e == OK && out->s.kind != KIND_PARTY)
		e = fail(ERR_STATEMENT_KIND, "it is no party statement");
	if (e == OK)
		e = statement_home(&out->s, &home, &l);
	if (e == OK && (!span_equal(home, out->s.from) || l != LEDGER_PUBLIC))
		e = fail(ERR_STATEMENT_LEDGER, "it does not stand in the node's own public ledger");
	if (e == OK && !is_of_node(&out->s))
		e = fail(ERR_ROLE, "%.*s says of itself that it is no node", SPAN_FORMAT(out->s.from));
	if (e == OK)
		e = kind_check_headers(kind_rules(KIND_PARTY), &out->s);
	if (e == OK)
		e = party_public_key(&out->s, &out->key);
	if (e == OK && !hash_equal(out->s.key, verifier_fingerprint(&out->key)))
		e = fail(ERR_KEY, "key: not the fingerprint of public-key");
	if (e == OK)
		e = note_verify(&out->s.note, &out->key, 1, NULL);
	if (e == OK)
		e = read_keys(out);
	if (e != OK)
		return e;
	out->node = out->s.from;
	out->url = statement_value(&out->s, "url");
	out->fingerprint = out->s.key;
	return OK;
}

enum err introduction_read(struct arena *a, struct span note, struct introduction *out)
{
	char why[300];
	enum err e;

	*out = (struct introduction){ 0 };
	if ((e = read(a, note, out)) == OK || err_is_machine(e))
		return e;
	snprintf(why, sizeof(why), "%s", err_detail());
	return fail(ERR_PEER, "the party statement of a node: %s", why);
}
