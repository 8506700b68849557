/* Where a plan stands: a pure function of the ledger and a time.
 *
 * filed -> acknowledged | objected, by each who was asked -> active (the party said `started`, or its window began) -> closed; or
 * cancelled (withdrawn), changed (`re` of a later version, forward in time only), expired. A sealed filing is revealed by a plan
 * with `re` and `nonce` whose terms fit its commitment.
 *
 * One answer moves it: `started`, `delayed`, `suspended`, `closed` by its party; `acknowledged`, `objected`, `accepted` by others,
 * and `re-observed` with `seen TIME`.
 *
 * Past its end without `closed` (the ladder is ICAO's; most just forget to close): UNCERTAIN from 30 minutes on: the party is asked;
 * ALERT from 2 hours on after that or after its party's last word, if that came later; DISTRESS when somebody else says
 * `re-observed` of a time outside its windows. Closing clears them all.
 *
 * Who is named in `to`, who holds a target (of a plan for any target: who holds anything) and the node may order a recall:
 * `request`, `need recall`, `re` the plan. Its clock runs from the log of the request here to the party's `closed`, `suspended` or
 * withdrawal, against `stop-within`. `need explain`: 48 hours. `need confirm`: was it you? It names `source`, `first` and `last`;
 * `accepted` is yes, anything else and silence no. */
#ifndef REGIME_PLAN_LIFE_H
#define REGIME_PLAN_LIFE_H

#include "regime/plan.h"

#define PLAN_UNCERTAIN_MS (INT64_C(30) * 60 * 1000)
#define PLAN_ALERT_MS (INT64_C(2) * 60 * 60 * 1000)
#define PLAN_EXPLAIN_MS (INT64_C(48) * 60 * 60 * 1000)
#define COUNTERSIGNERS_LEAST 2

enum plan_phase {
	PHASE_FILED,
	PHASE_ACTIVE,
	PHASE_DELAYED,	 /* the party said so: its window began and it did not */
	PHASE_SUSPENDED, /* the party stopped for now */
	PHASE_UNCERTAIN,
	PHASE_ALERT,
	PHASE_DISTRESS,
	PHASE_CLOSED,
	PHASE_CANCELLED,
	PHASE_CHANGED, /* a later version is in force */
	PHASE_SEALED,
	PHASE_REVEALED,
	PHASE_COUNT
};
const char *plan_phase_name(enum plan_phase p);

struct plan_life {
	enum plan_phase phase;
	bool short_notice;			   /* filed later than its kind asks */
	unsigned acknowledged, objected, accepted; /* by how many others */
	unsigned countersigned;			   /* of a sealed filing: who acknowledged it before it was revealed */
	bool needs_consent,
		has_consent; /* intrusive: every holder of a target that it names in `to` accepted, before the start */
	int64_t recalled_ms; /* the first recall; 0: none */
	int64_t stopped_ms;  /* when the party said so after it; 0: not yet */
	bool stopped_late;
	struct hash before, after; /* versions; zero: none */
	bool has_before, has_after;
};
enum err plan_life(const struct state *st, struct hash plan, int64_t now_ms, struct plan_life *out);

/* Plans filed here that are half an hour past their end without a close, or were seen outside it: in the order in which they became
 * so. Costs by what it yields. */
enum err plans_overdue(const struct state *st, int64_t now_ms, matter_each *each, void *context);

/* What others asked of the party of a plan, in the order of the circle's log. */
struct plan_order {
	struct hash plan, request;
	struct span need, from; /* from: in the snapshot */
	int64_t ordered_ms;	/* as logged here */
	int64_t stop_by_ms;	/* of a recall: 0, the plan does not say how fast it can stop */
	int64_t answered_ms;	/* by anybody who may; 0: not yet */
	enum outcome outcome;	/* if answered */
	bool withdrawn;
};
typedef enum err order_each(void *context, const struct plan_order *o);
enum err plan_orders(const struct state *st, struct hash plan, order_each *each, void *context);
/* Recalls of plans in force here that nobody has answered. */
enum err plan_recalls(const struct state *st, order_each *each, void *context);

/* What its party confirmed: it was us, from that source, in that time. */
struct plan_confirmation {
	struct hash plan;
	struct prefix source;
	int64_t first_ms, last_ms;
};
typedef enum err confirmation_each(void *context, const struct plan_confirmation *c);
enum err plan_confirmations(const struct state *st, confirmation_each *each, void *context);

#endif
