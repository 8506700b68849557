/* Who does not take which class, by the vocabularies of this node and of the parties (regime/words.h). What a party does not take goes
 * to the next that answers for the address: whoever claims its AS, the registry's holder as a resource, the country. Nothing is
 * dropped, and a resource refuses nothing: warnings are a floor. Only for this room. */
#ifndef ROUTE_RECOGNITION_H
#define ROUTE_RECOGNITION_H

#include "regime/state.h"
#include "territory/resolve.h"

struct recognition;
/* As the state is now. NULL in *out: everyone takes everything. Spans of parties are copied. */
enum err recognition_new(const struct state *st, const struct resolver *r, struct recognition **out);
void recognition_free(struct recognition *k); /* NULL is fine */

/* Whether a notice of this class may go from this node to the party. k may be NULL. */
bool recognition_takes(const struct recognition *k, struct span party, enum rsit_class c);
/* The first from this addressee upward that takes the class; 0: nobody is left. k may be NULL. */
uint32_t recognition_addressee(const struct recognition *k, const struct resolver *r, struct address a,
			       uint32_t addressee, enum rsit_class c);

#endif
