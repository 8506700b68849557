/* Feeds: in which order readers see what was logged, and short ways to the entries of one kind, party or matter. Made from
 * the entries, in the view FEEDS.
 *
 * Every entry has a stamp: its `logged` in microseconds, made greater where needed so that each is greater than all before
 * it. Objects (objects.h) take theirs from the same sequence. It is what TAXII calls date_added. */
#ifndef REGIME_FEED_H
#define REGIME_FEED_H

#include "regime/state.h"

enum feed_type { FEED_ALL, FEED_KIND, FEED_PARTY, FEED_MATTER };

/* One feed is one ledger's: what a reader may not see it never walks. */
struct feed {
	enum feed_type type;
	enum ledger_id ledger;
	enum kind kind;		/* FEED_KIND; FEED_PARTY: KIND_UNKNOWN is all kinds */
	struct addressee party; /* FEED_PARTY: from, to, cc or for; a party, a resource, or all */
	struct hash matter; /* FEED_MATTER: the statement itself and what refers to it by `re`, or to what does, up to
			     * 16 steps; but not the notices that follow on it, which are for others. A statement that is
			     * not known: nothing */
};

struct feed_entry {
	uint64_t stamp;
	enum ledger_id ledger;
	uint64_t index;
};

/* The entries of all these feeds together, each once, in the order of stamps, from the first stamp after `after` on. The
 * callback ends the walk with another result than OK. Flat: what lies before costs nothing, nor what other feeds hold.
 * ERR_TOO_LONG: more than FEEDS_MAX. */
#define FEEDS_MAX 65
typedef enum err feed_each(void *context, const struct feed_entry *e);
enum err feed_walk(struct snapshot *s, const struct feed *feeds, size_t count, uint64_t after, feed_each *each,
		   void *context);

/* The stamp of an entry. ERR_NOT_FOUND. */
enum err feed_stamp(struct snapshot *s, enum ledger_id l, uint64_t index, uint64_t *stamp);
/* The greatest stamp that was given. */
enum err feed_reached(struct snapshot *s, uint64_t *stamp);

#endif
