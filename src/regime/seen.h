/* The header line last seen for each type of report: what the columns were, to tell when a sender changes them. Kept in the
 * journal (RECORD_PRIVATE, tag 'L') and the view OWN; the newest counts. */
#ifndef REGIME_SEEN_H
#define REGIME_SEEN_H

#include "base/buffer.h"
#include "regime/state.h"

/* What is longer is not remembered; whoever writes looks first. */
#define SEEN_TYPE_MAX 255
#define SEEN_HEADER_MAX 65536

struct seen {
	struct span header; /* ends with the snapshot */
	int64_t since_ms;   /* when it came for the first time */
};

/* The payload of the record. format: enum format. ERR_TOO_LONG in the buffer. */
void seen_write(struct buffer *record, uint8_t format, struct span type, const struct seen *s);
enum err seen_find(const struct state *st, uint8_t format, struct span type, struct seen *out); /* ERR_NOT_FOUND */

#endif
