/* Builds a table from registry files of any of these formats, told apart by content and name:
 *
 *	RIR delegated and delegated-extended (country, and status); RIPE RIS whois dumps and pyasn tables (origin AS,
 *	overlapping prefixes); CAIDA pfx2as; RIPE AS names; ip-location-db CSV (asn and country, ranges, the narrower wins);
 *	VRPs as CSV or JSON.   gzip and zstd are seen through.
 *
 * Sources that disagree are kept as a reason. Rows that do not parse are counted and listed, the build goes on; a file
 * with no good row is an error. */
#ifndef TERRITORY_BUILD_H
#define TERRITORY_BUILD_H

#include "territory/table.h"

struct build;

enum err build_new(struct build **out);
/* name, dated_ms (0: take what the file or its header says), attribution and caution may be empty.
 * ERR_FORMAT_UNKNOWN, ERR_TABLE_SOURCE, ERR_NOT_FOUND. */
struct build_source {
	const char *path;
	struct span name, attribution, caution;
	int64_t dated_ms;
};
enum err build_add(struct build *b, const struct build_source *source);
/* Many at once, read by several threads; each[i] gets what came of sources[i]. Returns the first that is not OK; the
 * good ones count all the same. each may be NULL. */
enum err build_add_all(struct build *b, const struct build_source *sources, size_t count, enum err *each);
/* Told of each bad row as it is met: file, line, reason. One call at a time, from any thread. */
typedef void build_reject(void *context, const char *path, uint64_t line, enum err why, struct span row);
void build_on_reject(struct build *b, build_reject *call, void *context);
/* Compiles, writes beside path, syncs, renames. Once for a build: it uses up what was added. ERR_EMPTY: nothing was. */
enum err build_write(struct build *b, const char *path);
void build_free(struct build *b);

#endif
