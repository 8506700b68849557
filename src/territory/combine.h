/* Lays the flattened sources of one family over one another and finds out for each stretch what all of them say
 * together: one record. */
#ifndef TERRITORY_COMBINE_H
#define TERRITORY_COMBINE_H

#include "territory/intern.h"
#include "territory/sweep.h"
#include "territory/table_file.h"

enum layer_use {
	USE_ORIGIN,  /* announced, and not invalid by RPKI */
	USE_INVALID, /* announced, invalid: only to say who was passed over */
	USE_HOLDER,  /* VRPs: whom the registered holder allows, where all that is announced is invalid */
	USE_COUNTRY,
	USE_SPECIAL, /* space that nobody answers for (special.h) */
};

struct layer {
	enum layer_use use;
	uint8_t source;
	struct rows rows;
	struct steps steps;
	uint32_t *ids; /* of rows that a record refers to: their place in origins or countries, from 1 */
	size_t at;     /* the step in hand */
};

/* Layers in order of precedence. */
#define LAYERS_MAX 256
struct layers {
	struct layer at[LAYERS_MAX];
	size_t count;
};

struct run {
	wide first;
	uint32_t record; /* 0: nothing known */
};

struct row_ref {
	uint16_t layer;
	uint32_t row;
};

struct combined {
	struct run *runs;
	size_t run_count, run_room;
	struct intern records;		     /* struct disk_record; number 0 is all zero */
	struct intern extras;		     /* struct disk_extra; number 0 is all zero */
	struct row_ref *origins, *countries; /* the rows that count, by id - 1 */
	size_t origin_count, origin_room, country_count, country_room;
	uint64_t disagreements; /* runs on which sources disagree */
};

enum err combine(struct layers *layers, enum family f, struct combined *out);
void combined_free(struct combined *c);
void layers_free(struct layers *l);

#endif
