/* The STIX 2.1 view of a statement, so that any TAXII client can read what is logged. One statement is one object; the
 * signed note itself stands in an extension of ours, so that whoever reads it can verify it.
 *
 *	party		identity, one for each domain: a new statement is a new version of it
 *	plan		grouping
 *	notice		report
 *	all others	note; an answer's is about the matter's object
 */
#ifndef EXCHANGE_STATEMENT_VIEW_H
#define EXCHANGE_STATEMENT_VIEW_H

#include "base/buffer.h"
#include "regime/state.h"
#include "stix/write.h"

/* Appends one JSON object; logged_ms is its `modified`: when it was logged, a guest at its home. re: the matter that the
 * statement refers to, NULL if it refers to none or to what is no matter. Needs nothing else: the same bytes on every node that has
 * the statement. */
void statement_view(const struct statement *s, int64_t logged_ms, const struct matter *re, struct buffer *out);

/* Its id and type, without writing it. But for parties the UUID is the beginning of the statement's id, so that it is found
 * again: the first STATEMENT_VIEW_BYTES of both are the same. */
#define STATEMENT_VIEW_BYTES 6
struct stix_id statement_view_id(enum kind k, struct span from, struct hash id);
const char *statement_view_type(enum kind k); /* "report" */

/* The extension-definition that all of these name, and its author: objects of their own, separated by a comma. */
void statement_view_extension(struct buffer *out);

#endif
