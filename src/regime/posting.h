/* What became of what a tool posted, so that it may ask for it later (TAXII 2.1, 4.3): in the journal (RECORD_RAW, tag 'P':
 * erasable, for it names objects), in the same batch as what was added; where it stands, in the view OWN, for two days. */
#ifndef REGIME_POSTING_H
#define REGIME_POSTING_H

#include "base/buffer.h"
#include "regime/state.h"

#define POSTING_ID_SIZE 16
#define POSTING_KEPT_MS (INT64_C(48) * 3600000)

struct posting {
	uint8_t id[POSTING_ID_SIZE]; /* a version-4 UUID */
	int64_t at_ms;
	struct span party;
	uint64_t position; /* of the record; not written */
};

/* The head of the record's payload; behind it stands the text that is given back. */
void posting_write(struct buffer *head, const struct posting *p);
/* ERR_DAMAGED: it does not read. */
enum err posting_read(struct span payload, struct posting *out, struct span *text);
/* Those that are kept. ERR_NOT_FOUND. party points into the snapshot. */
enum err posting_find(const struct state *st, const uint8_t id[POSTING_ID_SIZE], struct posting *out);

#endif
