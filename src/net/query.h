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

#endif
