/* Gives equal values equal numbers: 0, 1, 2, … in the order of their first coming. Values are plain bytes of one size,
 * without padding. */
#ifndef TERRITORY_INTERN_H
#define TERRITORY_INTERN_H

#include "base/span.h"

struct intern {
	uint8_t *at; /* the values by number */
	size_t size, count, room;
	struct intern_slot *slots;
	size_t slot_count; /* a power of two */
};

struct intern_slot {
	uint32_t tag, number; /* of the hash; the value's number + 1, 0: free */
};

#define INTERN(type) ((struct intern){ .size = sizeof(type) })

enum err intern(struct intern *t, const void *value, uint32_t *number); /* ERR_NO_MEMORY, ERR_TOO_LONG */
bool intern_find(const struct intern *t, const void *value, uint32_t *number);
void intern_free(struct intern *t);

#endif
