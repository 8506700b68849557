/* How like two words are, so that a wrong one can be told which was meant. */
#ifndef NET_NEAREST_H
#define NET_NEAREST_H

#include "base/span.h"

/* How many letters must be changed, added or left out (Levenshtein); WORD_DISTANCE_MAX if one is longer than that. */
#define WORD_DISTANCE_MAX 32
unsigned word_distance(struct span a, struct span b);

#endif
