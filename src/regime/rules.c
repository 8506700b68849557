#include "regime/kinds_private.h"

static enum err read_version(const struct statement *s, uint64_t *out)
{
	if (span_u64(statement_header(s, "version")->value, UINT32_MAX, out) != OK || *out == 0)
		return fail(ERR_STATEMENT_HEADER, "version: a number from 1 on");
	return OK;
}

enum err rules_check(const struct state *st, const struct statement *s)
{
	uint64_t version, present;
	size_t policies = 0;
	enum err e = read_version(s, &version);

	if (e == OK && !from_node(st, s))
		e = fail(ERR_NOT_YOURS, "only the node itself changes the rules of its ledgers");
	if (e == OK)
		e = state_rules(st, &present);
	if (e == OK)
		e = policy_check(s, &policies);
	if (e == OK && (version < present || (version == present && policies == 0)))
		e = fail(ERR_RULES, "version: rules %ju are in force already", (uintmax_t)present);
	return e;
}

/* The fold notes any version; a node that does not know it stops there (node_catch_up.c). */
enum err rules_known(const struct statement *s)
{
	uint64_t version;
	enum err e = read_version(s, &version);

	if (e == OK && version > RULES_KNOWN)
		e = fail(ERR_RULES, "version: this program knows rules up to %d", RULES_KNOWN);
	return e;
}

enum err rules_fold(struct state *st, const struct statement *s)
{
	struct state_key k = key_of(STATE_RULES);
	uint64_t version = 0;
	enum err e = read_version(s, &version);

	if (e == OK)
		e = state_put_u64(st, &k, version);
	return e == OK ? policy_fold(st, s) : e;
}
