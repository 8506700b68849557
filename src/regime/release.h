/* Equal artefacts, and statements that lapse.
 *
 * A release is a certificate of its maker, `predicate release`: `product pkg:…` without version, `version 4.2`, `regions CN,DE,US`
 * (who was promised it; `all`: everywhere), and lines `artefact REGION sha256:<hex> TIME`: what is given there, from when. REGION
 * is ISO 3166 alpha-2, or ZZ: everywhere. Of several files the artefact is the list of their hashes. Later ones by the same maker
 * of the same product and version add lines and regions. Others say what they got: `predicate seen`, `re` the release, with
 * `artefact` lines of their own.
 *
 * When a line counts from: as the maker says, if it stands in its first statement of that version; later ones count from when they
 * were logged at the earliest, so that nothing is made good by writing an early date. Of several lines of one region the earliest
 * counts. What was withdrawn counts nowhere, but is told.
 *
 * A breach is arithmetic, as of the ledger's last entry:
 *	two-hashes	two of the maker's own lines have different hashes
 *	two-hashes-seen	two others saw the same hash, and it is none of the maker's: different parties, neither the maker, both
 *			established and unrelated as sponsors must be (vouch.h), when the later of them said so
 *	left-out	a region that was promised has no line that counts from RELEASE_GRACE_MS after the first or before. `all`
 *			promises ZZ. A line of ZZ serves every region.
 * All of them are told, with the lag; `breach` is the first of them.
 *
 * A canary is a certificate, `predicate canary`, with `name` and `end` at most 366 days on. The newest of that name renews it. Past
 * its end it has lapsed, and so has one that was withdrawn: that is all that is ever said of it. */
#ifndef REGIME_RELEASE_H
#define REGIME_RELEASE_H

#include "regime/certificate.h"

#define RELEASE_REGIONS_MAX 300
#define RELEASE_GRACE_MS (INT64_C(24) * 60 * 60 * 1000)
#define RELEASE_VERSION_MAX 128
#define RELEASE_AHEAD_MS (INT64_C(366) * 24 * 60 * 60 * 1000) /* how far off a line's time may be */
#define RELEASE_COMPARED 64 /* of those who saw one hash: so many, the earliest, are asked whether they are related */
#define CANARY_MAX_MS (INT64_C(366) * 24 * 60 * 60 * 1000)

struct region_line {
	char region[3]; /* ISO 3166 alpha-2, or "ZZ": everywhere */
	struct hash hash;
	int64_t available_ms; /* when it counts from */
	int64_t said_ms;      /* when the statement was logged */
	struct span by;	      /* the maker, or who saw it */
	struct hash statement;
	bool withdrawn;
};
enum release_breach { BREACH_NONE, BREACH_TWO_HASHES, BREACH_LEFT_OUT, BREACH_TWO_HASHES_SEEN, BREACH_COUNT };
const char *release_breach_name(enum release_breach b); /* "none", "two-hashes", "left-out", "two-hashes-seen" */

struct left_out {
	char region[3];
	int64_t came_ms; /* too late; 0: not yet */
	int64_t lag_ms;	 /* from the first line until it came, or until now, as far as the ledger knows */
};
struct release {
	struct hash id; /* of the maker's first statement that was not withdrawn; else of the first */
	struct span maker, product, version;
	int64_t logged_ms;	   /* of that one */
	int64_t first_ms, last_ms; /* of the maker's lines: of each region the earliest */
	int64_t lag_ms;		   /* last less first, and no less than that of any region left out */
	struct region_line
		*lines; /* the maker's, then those of others, each in the order of the ledger; withdrawn ones too */
	size_t line_count, maker_count;
	char (*promised)[3]; /* sorted; "ZZ": all */
	size_t promised_count;
	unsigned breaches;	    /* bit set of enum release_breach */
	enum release_breach breach; /* the first of them in the order above */
	struct region_line
		*broken; /* two lines that show two hashes, else NULL; seen: the maker's and one of the others' */
	struct region_line *seconded; /* of two-hashes-seen: the other other's */
	struct left_out *left_out;
	size_t left_out_count;
	unsigned statements, taken_back; /* the maker's; how many of them were withdrawn */
	bool withdrawn;			 /* all of them: nothing is a breach any more, and nothing is forgotten */
	bool demonstration;
};
/* maker empty: the first who filed one. In st->arena. ERR_NOT_FOUND. */
enum err state_release(const struct state *st, struct span maker, struct span product, struct span version,
		       struct release *out);
/* Each maker's releases, in the order of the makers' names and of the ledger. maker empty: all. r ends with the callback. */
typedef enum err release_each(void *context, const struct release *r);
enum err state_releases(const struct state *st, struct span maker, release_each *each, void *context);
/* Of one product, by whomever. version empty: all. */
enum err releases_of(const struct state *st, struct span product, struct span version, release_each *each,
		     void *context);

struct canary {
	struct span from, name;
	struct hash statement;			/* the newest */
	int64_t since_ms, renewed_ms, until_ms; /* when the first and the newest were logged; until: of the newest */
	bool lapsed;				/* at the ledger's last entry */
	unsigned renewals, gaps;		/* gaps: it lapsed and came back */
	bool demonstration;
};
/* By party, then by name. from empty: all. c ends with the callback. */
typedef enum err canary_each(void *context, const struct canary *c);
enum err state_canaries(const struct state *st, struct span from, canary_each *each, void *context);

#endif
