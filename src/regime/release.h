/* Equal artefacts, and statements that lapse.
 *
 * A release is a certificate of its maker, `predicate release`: `product pkg:…` without version, `version 4.2`, `regions CN,DE,US` (who was promised it; `all`: no region may differ), and lines
 * `artefact REGION sha256:<hex> TIME`: what is given there, from when. Others say what they got: `predicate seen`, `re` the release, with `artefact` lines of their own.
 *
 * A breach is arithmetic: two hashes for one version (of the maker's own lines; or of the maker's and of at least two others, unrelated as sponsors
 * must be, from different parties), or a region that was promised and is left out RELEASE_GRACE_MS after the first. Each with its lag.
 *
 * A canary is a certificate, `predicate canary`, with `name` and `end` at most 366 days on. The newest of that name renews it. Past its end it has lapsed: that is all that is ever said of it. */
#ifndef REGIME_RELEASE_H
#define REGIME_RELEASE_H

#include "regime/certificate.h"

#define RELEASE_REGIONS_MAX 300
#define RELEASE_GRACE_MS (INT64_C(24) * 60 * 60 * 1000)

struct region_line {
	char region[3]; /* ISO 3166 alpha-2, or "ZZ": everywhere */
	struct hash hash;
	int64_t available_ms;
	struct span by; /* the maker, or who saw it */
};
enum release_breach { BREACH_NONE, BREACH_TWO_HASHES, BREACH_LEFT_OUT, BREACH_TWO_HASHES_SEEN };
const char *release_breach_name(enum release_breach b);
struct release {
	struct hash id;
	struct span maker, product, version;
	int64_t logged_ms, first_ms, last_ms; /* of the maker's lines */
	int64_t lag_ms;		   /* last less first; of a region left out: until now, as far as the ledger knows */
	struct region_line *lines; /* the maker's, then those of others; in st->arena */
	size_t line_count;
	enum release_breach breach;
	struct region_line *broken; /* up to two lines that show it; of a region left out: NULL */
	char left_out[3];
	bool withdrawn;
};
enum err state_release(const struct state *st, struct span product, struct span version,
		       struct release *out); /* ERR_NOT_FOUND */
typedef enum err release_each(void *context, const struct release *r);
enum err state_releases(const struct state *st, struct span maker, release_each *each, void *context);

struct canary {
	struct span from, name;
	struct hash statement;
	int64_t since_ms, renewed_ms, until_ms; /* until: of the newest */
	bool lapsed;				/* at the ledger's last entry */
	unsigned renewals, gaps;		/* gaps: it lapsed and came back */
};
typedef enum err canary_each(void *context, const struct canary *c);
enum err state_canaries(const struct state *st, struct span from, canary_each *each, void *context);

#endif
