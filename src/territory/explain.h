/* A resolver's inside, for the file that finds and the file that explains. */
#ifndef TERRITORY_EXPLAIN_H
#define TERRITORY_EXPLAIN_H

#include "territory/claims.h"
#include "territory/intern.h"

/* Addressees as numbers: (type + 1) << 32 | party, AS number or country. */
#define CC_MAX 8
struct copies {
	uint64_t to[CC_MAX]; /* ends with 0 */
};

/* Whom to write to with whom in copy. */
struct target {
	uint64_t to;
	uint64_t copies; /* its number in `copies` */
};

struct summary {
	struct target target;
	uint32_t country; /* country_pack; 0: not the same for all */
	uint8_t rule;
};

struct resolver {
	const struct table *table;
	struct claims claims;
	struct span *parties; /* sorted */
	size_t party_count;
	struct summary *summaries; /* by the addressee's number; 0 is nobody */
	size_t count, room;
	struct intern copies;	   /* struct copies; number 0 is without */
	struct addressee *in_copy; /* CC_MAX for each of copies */
	uint8_t *in_copy_counts;
	struct intern shared;	  /* struct target, of parties and countries */
	uint32_t *shared_numbers; /* their numbers as addressees */
	size_t shared_room;
	uint32_t *of_class, *of_prefix; /* numbers */
	uint32_t *of_resource;		/* by class: the AS or the country itself, whoever claims it */
};

#endif
