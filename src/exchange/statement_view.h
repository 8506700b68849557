/* The STIX 2.1 view of a statement, so that any TAXII client can read what is logged. One statement is one object with an id
 * that follows from the statement's (UUIDv5); its headers are in an extension of ours.
 *
 *	party		identity		plan		grouping, context of the activity
 *	notice		report			answer		note or opinion on the matter's object
 *	share		note (the objects themselves are in the collections)
 *	others		note
 *
 * The identity of a party is the object of its present statement; who has none is an identity made of its name. */
#ifndef EXCHANGE_STATEMENT_VIEW_H
#define EXCHANGE_STATEMENT_VIEW_H

#include "base/buffer.h"
#include "regime/state.h"
#include "stix/object.h"

#define STATEMENT_VIEW_ID 96
/* Appends one JSON object. logged_ms is its created and modified. Needs the entry alone: the same bytes on every node. */
enum err statement_view(const struct statement *s, int64_t logged_ms, struct buffer *out);
/* The id of that object, without writing it: "report--…". */
void statement_view_id(const struct statement *s, char id[STATEMENT_VIEW_ID]);
/* Its type, by the kind alone. */
const char *statement_view_type(enum kind k);

/* The extension-definition that all of these name, as an object of its own. */
void statement_view_extension(struct buffer *out);

#endif
