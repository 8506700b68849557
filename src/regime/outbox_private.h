/* What the two files of the outbox share. Only for this room. */
#ifndef REGIME_OUTBOX_PRIVATE_H
#define REGIME_OUTBOX_PRIVATE_H

#include "regime/contact.h"
#include "regime/outbox.h"
#include "regime/private.h"

/* Puts an item where none stands. OK if one does. */
enum err outbox_queue(struct state *st, const struct outbox_item *i);
/* Its spans in the arena, so that writing leaves them alone. */
enum err outbox_own(const struct state *st, struct outbox_item *i);
/* old as it stands in the view, now in its place; both own their spans. */
enum err outbox_replace(struct state *st, const struct outbox_item *old, const struct outbox_item *now);

#endif
