/* The STIX 2.1 view of a standing: a bundle with the identities of the party and of the node, and a note by the node about the
 * party whose content tells the figures in words, one a line. The same bytes for the same standing. */
#ifndef EXCHANGE_STANDING_VIEW_H
#define EXCHANGE_STANDING_VIEW_H

#include "regime/standing.h"

void standing_view(const struct standing *s, struct buffer *out);

#endif
