/* The rows' functions, one file for each kind, and what they share. Only for this room. */
#ifndef REGIME_KINDS_PRIVATE_H
#define REGIME_KINDS_PRIVATE_H

#include "regime/certificate.h"
#include "regime/holding.h"
#include "regime/proof.h"
#include "regime/state_private.h"

#define BIT(n) (1u << (unsigned)(n))

/* Where a kind may stand, also one that has no row yet: bit set of ledger_id. */
unsigned kind_ledgers(enum kind k);

/* How often each header stands there, which body, whether `re` may. */
enum err kind_check_headers(const struct kind_rules *r, const struct statement *s);

enum err party_check(const struct state *st, const struct statement *s);
enum err party_fold(struct state *st, const struct statement *s);
/* The key that a party statement names. ERR_KEY, ERR_STATEMENT_HEADER. */
enum err party_public_key(const struct statement *s, struct verifier *out);
/* The node's operator decides about the claims of a party's present statement. */
enum err party_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o);
/* A party leaves where its statement is kept. ERR_NOT_YOURS. */
enum err party_check_withdraw(const struct state *st, const struct statement *s);
enum err party_withdraw(struct state *st, const struct matter *m);
/* It leaves because others have its key, which is worth nothing any more. */
enum err party_revoke(struct state *st, const struct matter *m);
/* The key of its node's own ledger that a party statement names. ERR_KEY_UNKNOWN: none. */
enum err party_statement_ledger_key(const struct statement *s, enum ledger_id l, struct verifier *out);

/* Its claims wait for an approval again. */
enum err claims_wait(struct state *st, struct span domain);

/* Holdings, as the fold begins and ends them (holding.c). A holding that is over is never touched again. Spans that are given must
 * not point into the snapshot. */
enum err holding_begin(struct state *st, const struct holding *h); /* by the entry in hand */
/* The one that this entry began now ends then. *was_open false: it is over, or there is none, and nothing was done. */
enum err holding_extend(struct state *st, struct span party, const struct addressee *resource, uint64_t began,
			int64_t until_ms, bool *was_open);
enum err holding_end(struct state *st, struct span party, const struct addressee *resource, enum basis b,
		     int64_t at_ms);
/* Those of that resource that are not over. In the arena. */
typedef enum err holding_index_each(void *context, const struct holding *h, uint64_t began);
enum err holding_open(const struct state *st, struct span party, const struct addressee *resource, enum basis b,
		      holding_index_each *each, void *context);
/* All that the party holds ends then, and its claims wait for an approval again: it withdrew, or its key is revoked or was replaced
 * by recovery. Call it with the time of the entry in hand. */
enum err holdings_end(struct state *st, struct span party, int64_t at_ms);

enum err proof_check(const struct state *st, const struct statement *s);
enum err proof_fold(struct state *st, const struct statement *s);
/* The node's verdict: `until` beside accepted, `reason` beside objected. */
enum err proof_check_answer(const struct state *st, const struct statement *s, const struct matter *m, enum outcome o);
enum err proof_decide(struct state *st, const struct statement *s, const struct matter *m, enum outcome o);
enum err proof_withdraw(struct state *st, const struct matter *m);

/* The `policy` lines of a `rules` statement (policy.c). */
enum err policy_check(const struct statement *s, size_t *lines);
enum err policy_fold(struct state *st, const struct statement *s);

enum err plan_check(const struct state *st, const struct statement *s);
enum err plan_fold(struct state *st, const struct statement *s);

/* What a plan's life is folded from (plan_life_fold.c). Of the plan that was just added; before: the version whose place it takes,
 * or NULL. */
struct plan_terms;
enum err plan_life_begin(struct state *st, const struct plan_terms *t, const struct hash *before);
/* Closed, withdrawn, changed: nothing is overdue any more. m: as it is now. */
enum err plan_life_over(struct state *st, const struct matter *m);
/* Of a plan whose sealed filing is `before`: when it counts as filed. */
enum err plan_life_reveal(const struct state *st, const struct matter *before, struct plan_terms *t);
/* Whether that answer may be given to the plan now, and what follows from it. m: after it. */
enum err plan_answer_check(const struct statement *s, const struct matter *m, enum outcome o);
enum err plan_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o);
/* Of a request that is `re` a plan: whether it may be made, and what follows. request: its own matter, not yet written. */
enum err plan_request_check(const struct state *st, const struct statement *s, const struct matter *plan);
enum err plan_requested(struct state *st, const struct statement *s, const struct matter *plan, struct matter *request);
/* An answer to a request that is `re` a plan. */
enum err plan_request_answered(struct state *st, const struct statement *s, const struct matter *request,
			       enum outcome o);

enum err notice_check(const struct state *st, const struct statement *s);
enum err notice_fold(struct state *st, const struct statement *s);
enum err notice_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o);

/* The `class` of a statement, which has one spelling. ERR_CLASS_UNKNOWN, ERR_CLASS_CONTENT. */
enum err notice_class(const struct statement *s, enum rsit_class *out);

/* How long an answer has, from when a notice to that party is logged: the days of the class, or what it pledged if that is shorter.
 * Nothing else says so. */
enum err notice_due_length(const struct state *st, enum rsit_class class, const struct addressee *to, int64_t *out);

enum err request_check(const struct state *st, const struct statement *s);
enum err request_fold(struct state *st, const struct statement *s);
enum err request_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o);

/* A request before a takedown (deconflict.h), its fold, and the answer of this node to one (deconflict_rules.c). */
enum err deconflict_check(const struct state *st, const struct statement *s);
enum err deconflict_requested(struct state *st, const struct statement *s);
enum err deconflict_answered(struct state *st, const struct statement *s, const struct matter *request);
/* Whether a plan may start: a takedown only when all have answered. ERR_DECONFLICTION. */
enum err deconflict_check_start(const struct state *st, const struct matter *plan);

enum err control_check(const struct state *st, const struct statement *s);
enum err control_fold(struct state *st, const struct statement *s);
/* Its figures count no more. */
enum err control_withdraw(struct state *st, const struct matter *m);

enum err share_check(const struct state *st, const struct statement *s);
enum err share_fold(struct state *st, const struct statement *s);
/* How many stamps its objects take, behind its own; 0 for other kinds. From the statement alone, so that they are taken
 * when its body is erased too. */
uint64_t share_stamps(const struct statement *s);

enum err answer_check(const struct state *st, const struct statement *s);
enum err answer_fold(struct state *st, const struct statement *s);
/* Whether who signs may speak as an addressee of the matter: itself, or `for` and `via`. ERR_NOT_YOURS, ERR_STATEMENT_HEADER. */
enum err answer_check_addressee(const struct state *st, const struct statement *s, const struct matter *m);

enum err vouch_check(const struct state *st, const struct statement *s);
enum err vouch_fold(struct state *st, const struct statement *s);
/* It is in force for its notice, and no longer. */
enum err vouch_withdraw(struct state *st, const struct matter *m);

enum err withdraw_check(const struct state *st, const struct statement *s);
enum err withdraw_fold(struct state *st, const struct statement *s);
/* `reason key-compromised`: of a party statement. */
bool withdraw_is_revocation(const struct statement *s);

enum err vocabulary_check(const struct state *st, const struct statement *s);
enum err vocabulary_fold(struct state *st, const struct statement *s);
/* The party takes everything again, as without one. */
enum err vocabulary_withdraw(struct state *st, const struct matter *m);
/* Whether the author and each party that it names in `to` and `cc` both recognise the code of the class. ERR_NOT_RECOGNISED, without
 * a detail. */
enum err codes_check(const struct state *st, const struct statement *s, enum rsit_class c);

enum err tick_check(const struct state *st, const struct statement *s);
enum err tick_fold(struct state *st, const struct statement *s);
/* A tick's `checkpoint`: "<origin> <size> <base64 of the root>". ERR_STATEMENT_HEADER. */
enum err tick_read_checkpoint(struct span value, struct span *origin, uint64_t *size, struct hash *root);

enum err rules_check(const struct state *st, const struct statement *s);
enum err rules_fold(struct state *st, const struct statement *s);
/* What the door asks beside the row's check: whether this program knows these rules. */
enum err rules_known(const struct statement *s);

/* From rules 3 on; before that the kinds have no fold and these do nothing. */
enum err certificate_check(const struct state *st, const struct statement *s);
enum err certificate_fold(struct state *st, const struct statement *s);
enum err certificate_withdraw(struct state *st, const struct matter *m);
/* Of a certificate whose predicate is release, seen or canary (release.c); of others they do nothing. check: its own headers, after
 * the kind's. fold: before the certificate's own. */
enum err artefacts_check(const struct state *st, const struct statement *s, enum predicate p);
enum err artefacts_fold(struct state *st, const struct statement *s, enum predicate p);

enum err pledge_check(const struct state *st, const struct statement *s);
enum err pledge_fold(struct state *st, const struct statement *s);
enum err pledge_withdraw(struct state *st, const struct matter *m);

enum err agreement_check(const struct state *st, const struct statement *s);
enum err agreement_fold(struct state *st, const struct statement *s);
enum err agreement_withdraw(struct state *st, const struct matter *m);
/* An answer to one: `objected`, `resolved`, `breach-alleged`, `disputed`. */
enum err agreement_answer_check(const struct state *st, const struct statement *s, const struct matter *m,
				enum outcome o);
enum err agreement_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o);
/* Before anything of the entry in hand is folded, but after it was checked: closes windows, consultations and notices of exit that
 * ended before it was logged. The check never depends on what time brings, so that an entry is checked alike at the door and in a
 * rebuild. */
enum err agreement_time(struct state *st);
/* A notice or request that was just added stands between two who have an agreement. */
enum err agreement_matter(struct state *st, const struct matter *m);
/* A party's key was revoked: what it offered and nobody signed yet is nothing. */
enum err agreement_revoked(struct state *st, struct span party);

/* Requests without `re`, and pings (help_ask.c, help_answer.c). */
enum err help_check(const struct state *st, const struct statement *s);
enum err help_requested(struct state *st, const struct statement *s, struct matter *request);
enum err help_answer_check(const struct state *st, const struct statement *s, const struct matter *m, enum outcome o);
enum err help_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o);
/* Whether a request is one of these, and which outcomes are then its author's. */
enum err help_is(const struct state *st, const struct matter *m, bool *yes);
bool help_by_author(enum outcome o);

/* The matter that `re` names, of one of these kinds and in the statement's own ledger; a request's also a plan of the public one.
 * ERR_MATTER_UNKNOWN. */
enum err matter_referred(const struct state *st, const struct statement *s, unsigned kinds, struct matter *out);

/* When what the entry in hand says about the matter counts from: a guest's home may have a clock behind ours, and nothing is said
 * of what is not there yet. */
static inline int64_t matter_time(const struct state *st, const struct matter *m)
{
	return state_time(st) > m->logged_ms ? state_time(st) : m->logged_ms;
}

/* Values of headers that may stand there once. Absent: OK, and *out is left alone. ERR_STATEMENT_HEADER. */
enum err value_yes(const struct statement *s, const char *name, bool *out); /* only "yes" */
enum err value_yes_no(const struct statement *s, const char *name, bool *out);
enum err value_time(const struct statement *s, const char *name, int64_t *out);
enum err value_number(const struct statement *s, const char *name, uint64_t max, uint64_t *out);
/* Length limit of a free text. */
enum err value_text(const struct statement *s, const char *name, size_t most);

/* `for` and `via` stand together and only in what the node signs; via without for is let pass. Of answers: answer.c. */
enum err value_mediated(const struct state *st, const struct statement *s);

static inline bool from_node(const struct state *st, const struct statement *s)
{
	return span_equal(s->from, st->node);
}

#endif
