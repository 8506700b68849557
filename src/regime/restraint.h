/* Breaches of restraint: alleged by opening a commitment, with evidence; of agreements and of pledges (agreement.h). Only for
 * this room; what others read is in agreement.h.
 *
 *	comity/1 answer
 *	re <id>					the agreement, or a pledge with assets
 *	outcome breach-alleged
 *	term NAME				one of restraint
 *	opens COMMITMENT, asset RESOURCE, salt HEX
 *	evidence <id>				a plan or a notice, in the ledgers where this one stands
 *
 *	outcome disputed			by who is said to have done it, before it stands
 *	evidence <id>				which of them
 *
 * By its own key only, never `for` another. Of an agreement the party whose asset it is alleges against the other; of a pledge
 * anyone else against its party: who can open the commitment was told the salt.
 *
 * A plan stands at once: it is the party's own word. Its activity must be one of the term's, have begun while the promise was in
 * force, meet the asset, and not be one that the alleging party accepted. All versions of a plan are one piece of evidence. A
 * notice must be the alleging party's own, to the other party alone, filed while the promise was in force; it stands after
 * BREACH_STANDS_MS. Disputing the notice itself disputes the breach too. An asset may be opened as often as there is other
 * evidence.
 *
 * Each of the five lines stands there once. They are in no list of headers (kinds.c), so that answers of before rules 3 fold as
 * they did. */
#ifndef REGIME_RESTRAINT_H
#define REGIME_RESTRAINT_H

#include "regime/agreement.h"
#include "regime/kinds_private.h"

/* Of OUTCOME_BREACH_ALLEGED and OUTCOME_DISPUTED, to an agreement or a pledge; m: that. ERR_AGREEMENT, ERR_SEALED (the
 * commitment does not open), ERR_BREACH (the evidence), ERR_NOT_YOURS, ERR_STATEMENT_HEADER, ERR_OUTCOME. */
enum err restraint_answer_check(const struct state *st, const struct statement *s, const struct matter *m,
				enum outcome o);
enum err restraint_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o);
/* A notice was disputed by an addressee: so is what rests on it. */
enum err restraint_notice_disputed(struct state *st, const struct matter *notice);

/* Breaches of the term by that party that came to stand in that time: the value; disputed: those that were alleged in it and
 * are. promise: the agreement, or a pledge's statement. Sets value, has_value and disputed, and leaves the rest. */
enum err restraint_measure(const struct state *st, struct hash promise, struct span term, struct span party,
			   int64_t from_ms, int64_t until_ms, struct measure *out);

#endif
