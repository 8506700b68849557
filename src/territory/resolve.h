/* Who answers for an address: the tables with the claims over them that parties have proven or our operator approved. Most specific
 * first: a claimed prefix, the claimed AS, the registry's holder of the AS, the national response team of the registry country. Nothing
 * is ever dropped: what nobody answers for is answered by nobody, with the reason. */
#ifndef TERRITORY_RESOLVE_H
#define TERRITORY_RESOLVE_H

#include "note/statement.h"
#include "regime/holding.h"
#include "territory/table.h"

/* One claim that counts, and why (regime/holding.h); the spans must outlive the resolver. */
struct territory_claim {
	struct span party;
	enum addressee_type type; /* TO_AS, TO_PREFIX, TO_COUNTRY */
	uint32_t asn;
	struct prefix prefix;
	char country[3];
	enum basis basis;
	int64_t from_ms, until_ms; /* until_ms 0 or INT64_MAX: no end known yet */
	struct hash because;	   /* the proof; of the operator's word the answer that approved */
	struct span approved_by;   /* the followed node that says so; empty: our own */
};

enum rule {
	RULE_NOBODY,  /* no table and no claim knows it */
	RULE_SPECIAL, /* private or reserved space */
	RULE_CLAIMED_PREFIX,
	RULE_CLAIMED_AS,
	RULE_HOLDER,	    /* the registry's holder of the AS, no party proven: the resource itself */
	RULE_COUNTRY_PARTY, /* the national response team */
	RULE_COUNTRY,	    /* the country itself: no party has claimed it */
	RULE_NOT_TAKEN,	    /* the AS or the country itself: the party that claims it does not take this class */
	RULE_COUNT
};
const char *rule_name(enum rule r);
const char *rule_says(enum rule r);

/* Immutable once made; any number of threads. Claims disputed between parties: both notified, the first in order (claims.h)
 * is the addressee, the others are in `cc`. */
struct resolver;
enum err resolver_new(const struct table *t, const struct territory_claim *claims, size_t count, struct resolver **out);
void resolver_free(struct resolver *r);

/* The hot path: a dense number of the addressee, below resolver_addressees; 0 is nobody. Embedded IPv4 is looked up as
 * such. */
static inline uint32_t resolver_find(const struct resolver *r, struct address a);
uint32_t resolver_find_ipv4(const struct resolver *r, uint32_t address);
uint32_t resolver_find_ipv6(const struct resolver *r, uint64_t high, uint64_t low);
/* Who answers for the address above this addressee of its: behind the holder of a prefix who answers for the AS, behind every party the
 * AS or the country itself. 0: nobody. The numbers fall on one another in at most three steps. */
uint32_t resolver_next(const struct resolver *r, struct address a, uint32_t number);
uint32_t resolver_addressees(const struct resolver *r);
const struct table *resolver_table(const struct resolver *r); /* the one it was made with */
struct resolved {
	enum rule rule;
	struct addressee to;
	const struct addressee *cc; /* national party of the AS's country, rival claimants; at most 8 */
	size_t cc_count;
	char country[3]; /* "" if it is not the same for all addresses of this addressee */
};
void resolver_addressee(const struct resolver *r, uint32_t number, struct resolved *out);

/* The whole answer for one address, with its reasons from the most specific rule down, in the arena. */
struct answer {
	struct address asked, looked_up; /* they differ if an IPv4 address was embedded */
	uint32_t addressee;
	struct resolved resolved;
	struct table_record record;
	struct range matched; /* the stretch that decided */
	struct span *reasons;
	size_t reason_count;
};
enum err resolver_explain(const struct resolver *r, struct arena *a, struct address asked, struct answer *out);

/* Inline for the same reason as table_find. */
static inline uint32_t resolver_find(const struct resolver *r, struct address a)
{
	return a.family == FAMILY_IPV4 ? resolver_find_ipv4(r, (uint32_t)a.low) : resolver_find_ipv6(r, a.high, a.low);
}

#endif
