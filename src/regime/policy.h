/* Which bases suffice for an action. Each node's own choice, logged in its `rules` statements, so that everyone can recompute what
 * it did: `policy divert rsc dnssec`. Vouches are never a basis for a resource or a country. */
#ifndef REGIME_POLICY_H
#define REGIME_POLICY_H

#include "regime/holding.h"

enum policy_action {
	POLICY_DIVERT, /* "divert": notices go to the party instead of the registry's holder; it answers for the resource */
	POLICY_SOURCES, /* "plan-sources": the sources of a plan that explains */
	POLICY_COUNTRY, /* "country": speaks for a country */
	POLICY_COUNT
};
const char *policy_name(enum policy_action a);
enum err policy_parse(struct span name, enum policy_action *out);

/* Bits of the bases that suffice as the newest `rules` statement says. Default: divert and plan-sources operator, rsc, dnssec;
 * country operator, mandate. */
enum err state_policy(const struct state *st, enum policy_action a, unsigned *bases);

/* Whether the party may act so for the resource at that time; countries by POLICY_COUNTRY whatever the action. */
enum err policy_allows(const struct state *st, enum policy_action a, struct span party,
		       const struct addressee *resource, int64_t at_ms, bool *yes, struct holding *out);

/* What the party (empty: each) may act for at that time, countries among it. One resource may come more than once, one behind the
 * other, if it is held on more than one basis. */
enum err policy_holdings(const struct state *st, enum policy_action a, struct span party, int64_t at_ms,
			 holding_each *each, void *context);
/* Who may act so for the resource, or a prefix around it: the narrowest first. */
enum err policy_holders(const struct state *st, enum policy_action a, const struct addressee *resource, int64_t at_ms,
			holding_each *each, void *context);

#endif
