/* The query of a URL: `name=value&…`, percent-decoded, strict: one spelling of a name, valid UTF-8, no NUL. */
#ifndef NET_QUERY_H
#define NET_QUERY_H

#include "base/arena.h"
#include "base/span.h"

#define QUERY_MAX 64
struct query {
	struct query_field {
		struct span name, value; /* decoded, in the arena */
	} fields[QUERY_MAX];
	size_t count;
};
/* '+' is a space. Brackets may be raw or encoded. ERR_USAGE, ERR_TOO_LONG, ERR_ENCODING. */
enum err query_read(struct arena *a, struct span text, struct query *out);
/* The one value of that name. ERR_NOT_FOUND without detail; ERR_USAGE: it stands there twice. */
enum err query_get(const struct query *q, const char *name, struct span *value);

/* ---- for a door: what the query does not say stays as it is ---- */

/* ERR_USAGE: it says something else than these, "after, limit". */
enum err query_knows(const struct query *q, const char *names);
enum err query_text(const struct query *q, const char *name, struct span *value);
enum err query_domain(const struct query *q, const char *name, struct span *value);
enum err query_number(const struct query *q, const char *name, uint64_t least, uint64_t most, uint64_t *value);
enum err query_time(const struct query *q, const char *name, int64_t *ms); /* like 2026-11-22T20:45:00Z */

#endif
