/* What plan_load.c reads from states and plan_match.c compiles and judges. Only for this room. */
#ifndef REGIME_PLANS_PRIVATE_H
#define REGIME_PLANS_PRIVATE_H

#include "regime/plan_life.h"
#include "regime/plan_terms.h"

/* Held from there on till before then. */
struct plan_interval {
	int64_t from_ms, until_ms;
};

struct plan_source {
	struct prefix prefix;
	const struct plan_interval *held; /* sorted by begin; when the plan's party held it on a basis that suffices */
	size_t held_count;
};

struct plan_confirmed {
	struct prefix source;
	int64_t first_ms, last_ms;
};

struct prefix_set {
	struct prefix *list; /* sorted, none inside another */
	size_t count;
};

/* One plan as it is judged. Whoever adds it fills the first part; all that it points to lives as long as the plans. */
struct plan_entry {
	struct hash id; /* what the match of an event reads stands at the head */
	struct prefix_set targets, excludes;
	uint32_t number; /* in the order of filing */
	bool lacks_consent;
	int64_t filed_ms;		   /* it counts for what was seen from here on */
	int64_t until_ms;		   /* withdrawn, closed, changed, revealed: not in force from here on */
	int64_t paused_ms, resumed_ms;	   /* nor in between; 0: never, and not yet */
	struct plan_terms terms;	   /* sources: not looked at here */
	const struct plan_source *sources; /* of a sealed filing all that its party held */
	size_t source_count;
	struct plan_entry *also; /* sealed filings: the next of the same party, which has the same sources */

	const struct plan_confirmed *confirmed;
	size_t confirmed_count;
	struct plan_entry *next;
};

/* One plan as the state keeps it under the key `f`: all but its sources. Spans of the terms point into the value. */
enum err plan_entry_read(const struct state *st, struct arena *a, struct span key, struct span value,
			 struct plan_entry *f, struct matter *m);

enum err plans_new(struct plans **out);
struct arena *plans_arena(struct plans *p);
/* In any order. The arena's. count: how many plans it is, for plans_count. */
void plans_add(struct plans *p, struct plan_entry *f);
enum err plans_add_confirmation(struct plans *p, const struct plan_confirmation *c);
/* When all are added: from here on they can be asked. */
enum err plans_compile(struct plans *p);

/* The plan of a match; NULL: it has none. */
const struct plan_entry *plans_entry(const struct plans *p, const struct plan_match *m);
size_t plans_entry_count(const struct plans *p);

/* An address that a log wrote as ::ffff:192.0.2.1 is the IPv4 address. */
struct address address_unmapped(struct address a);

/* One plan by itself; held: its party held the source then. */
struct plan_match plan_entry_match(const struct plan_entry *f, const struct observation *o, bool held);
/* Sorts the lists of its terms for it. */
void plan_entry_prepare(struct plan_entry *f);

#endif
