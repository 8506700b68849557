/* Names that stand for things in a document, and which thing needs which. Only for this room. */
#ifndef REPORT_REFERENCES_H
#define REPORT_REFERENCES_H

#include <sodium.h>

#include "base/span.h"

/* Gives equal names equal numbers: 0, 1, 2, … in the order of their first coming. The names stay where they are. Whoever chooses
 * the names cannot choose where they fall in the table. */
struct references {
	struct span *names; /* by number */
	uint32_t *slots;    /* number + 1; 0: free */
	size_t count, room, slot_count;
	unsigned char key[crypto_shorthash_KEYBYTES];
};
/* For at most so many names. ERR_NO_MEMORY. */
enum err references_new(struct references *r, size_t most);
uint32_t references_number(struct references *r, struct span name, bool *is_new);
void references_free(struct references *r); /* one that is all zeros too */

struct need {
	uint32_t from, to; /* from needs to */
};
/* Whether anything needs itself in the end. things: how many there are; their numbers are below. ERR_NO_MEMORY. */
enum err needs_circle(const struct need *needs, size_t count, size_t things, bool *circle);

#endif
