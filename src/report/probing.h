/* probing.txt (RFC 9511, form of RFC 9116): a pointer from an address to who probes from it. */
#ifndef REPORT_PROBING_H
#define REPORT_PROBING_H

#include "base/arena.h"
#include "base/buffer.h"

#define PROBING_MAX ((size_t)32 * 1024)

struct probing {
	struct span canonical, contacts[8], languages, description; /* point into the text */
	size_t contact_count;
	struct span plan; /* our own field Plan: the id or address of the plan; empty: none */
	int64_t expires_ms;
};
/* The fields point into the text. ERR_PROBING: no Contact, no or two Expires, not UTF-8, too long. ERR_EXPIRED: as of now_ms.
 * Fields unknown here are passed over. */
enum err probing_parse(struct span text, int64_t now_ms, struct probing *out);
enum err probing_print(const struct probing *p, struct buffer *out);

#endif
