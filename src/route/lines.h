/* Lines: rows of one notice that repeat each other, since they are of the same source, and of the same port or malware
 * where the class asks for it; and whether they are told. Only for this room. */
#ifndef ROUTE_LINES_H
#define ROUTE_LINES_H

#include "regime/directive.h"
#include "regime/sighting.h"
#include "route/runs.h"

/* Why the events of a line are told, or that they are not. */
enum line_word {
	LINE_HELD,  /* counted, not told */
	LINE_FIRST, /* never told before */
	LINE_EACH,  /* behind that address are many hosts: no event of it repeats another */
	LINE_AGAIN, /* it was quiet for long, or said to be fixed, and is back */
	LINE_STILL, /* still seen after the window */
	LINE_MANY,  /* so many were held */
};

/* before: NULL if the node knows nothing of the line. All in the time of the events: what comes late is no news. */
enum line_word line_decide(const struct sighting *before, const struct directive *d, const struct sighting_change *now);

struct line {
	uint64_t notice, high, low;
	uint32_t detail;
	uint8_t family, length;
	uint8_t word;  /* enum line_word */
	bool said;     /* `held` stands in a notice already */
	uint64_t held; /* events before this batch that were not told; told now as a number */
	struct sighting_change now;
};

/* Born as { 0 }; the memory is used again. */
struct lines {
	struct line *at;
	size_t count, room;
	uint32_t *slots; /* of a hash table: 0 free, else 1 + the line's number */
	size_t slot_count, slot_room;
};
void lines_free(struct lines *l);
enum err lines_clear(struct lines *l, size_t expected); /* about so many lines will come */
/* The line with the identity of `like`, added with nothing counted if it is not there. NULL: no memory. */
struct line *lines_add(struct lines *l, const struct line *like, bool *added);

/* Makes the lines of entries[order[0 … count - 1]], all of one notice, in the order of their first rows; line_of[order[i]]
 * is the number of row i's. */
enum err lines_group(struct lines *l, const struct row_entry *entries, const uint32_t *order, size_t count,
		     uint32_t *line_of);

#endif
