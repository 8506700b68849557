/* Who may see what. The only file that decides it; every door asks here, before it counts, sorts or renders anything.
 *
 *	anyone			the public ledger and its bodies; what is TLP:CLEAR in a collection that is open to all
 *	a party			what it wrote, and what is addressed to it or to a resource that it holds now (regime/policy.h),
 *				also from before; the answers to these
 *	a member		headers of the circle's ledger; what is TLP:GREEN, also in a collection that is open to all;
 *				collections of the members up to AMBER+STRICT
 *	a named reader		all of a collection that names it, RED too
 *	the node's operator	everything that the node holds
 *
 * Standing counts headers of the circle: of anybody to members and the operator, to a party of itself and of the resources that it
 * holds now.
 *
 * Bodies: to author and addressees, whatever the TLP; to members if GREEN, to anyone if CLEAR. RED bodies are the author's and
 * those named in `to`, not in `cc`. A statement without `tlp` counts as AMBER. Addressed is who stands in `to`, `cc` or `for`, or
 * holds now what stands there or a prefix around it. Credentials without RIGHT_READ see what anyone sees.
 * What one may not see does not exist: the same answer, by the same work. */
#ifndef EXCHANGE_READERSHIP_H
#define EXCHANGE_READERSHIP_H

#include "exchange/access.h"
#include "regime/feed.h"

/* May read the statement's header. s is parsed from the entry. */
enum err readership_statement(const struct state *st, const struct caller *c, enum ledger_id l,
			      const struct statement *s, int64_t logged_ms, int64_t circle_delay_ms, bool *may);
enum err readership_body(const struct state *st, const struct caller *c, enum ledger_id l, const struct statement *s,
			 bool *may);

/* May read the standing of this party or resource; TO_ALL: of everybody. */
enum err readership_standing(const struct state *st, const struct caller *c, const struct addressee *party, bool *may);

/* Which feeds hold all that the caller may see, of a kind (KIND_UNKNOWN: all) or party (NULL: all) or matter (NULL: all).
 * Walking them needs no further look at each entry, but for a matter's: ask readership_statement. Who is no member gets of the
 * circle's ledger what names its domain or just its resources, and nothing by other parties. ERR_USAGE: party and matter.
 * ERR_TOO_LONG: more resources than feeds. */
enum err readership_feeds(const struct state *st, const struct caller *c, enum kind k, const struct addressee *party,
			  const struct hash *matter, struct feed feeds[FEEDS_MAX], size_t *count);

/* Of a collection that is stored: whether the caller may read it and how far, and whether it may write. */
struct reach {
	bool read, write;
	enum tlp level; /* the strictest that it sees; only if read */
};
struct reach readership_collection(const struct caller *c, const struct collection_rule *rule);

/* Tiles of the circle: members, and anyone for those entries that are older than the delay. */
bool readership_tiles(const struct caller *c, enum ledger_id l, int64_t newest_logged_ms, int64_t now_ms,
		      int64_t circle_delay_ms);

#endif
