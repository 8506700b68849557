/* What the files of a plan's life share: what is stored of it (plan_life_fold.c says how), and how it is read back. */
#ifndef REGIME_PLAN_LIFE_PRIVATE_H
#define REGIME_PLAN_LIFE_PRIVATE_H

#include "regime/kinds_private.h"
#include "regime/plan_life.h"
#include "regime/plan_terms.h"
#include "regime/policy.h"

enum need { NEED_RECALL, NEED_EXPLAIN, NEED_CONFIRM, NEED_DECONFLICT, NEED_COUNT };
const char *plan_need_name(enum need n);

/* What its party said, and what befell it. */
struct plan_course {
	int64_t spoke_ms;
	uint8_t word; /* 1 + outcome; 0: nothing */
	int64_t recalled_ms, stopped_ms, seen_ms, overdue_ms;
	int64_t paused_ms, resumed_ms; /* first `suspended`, and `started` after the last one; 0: never, and not yet */
};
enum err plan_course_get(const struct state *st, uint64_t plan, struct plan_course *out);

/* What another said. All 0: nothing. */
struct said {
	int64_t acknowledged_ms, signed_ms, objected_ms, accepted_ms;
};
enum err plan_said_get(const struct state *st, uint64_t plan, struct span who, struct said *out);
/* By how many; of the countersigners those before that time. Adds to the life. */
enum err plan_said_count(const struct state *st, uint64_t plan, int64_t before_ms, struct plan_life *life);

/* What a `confirm` asks. */
struct question {
	struct prefix source;
	int64_t first_ms, last_ms;
};
enum err plan_order_read(struct span value, enum need *need, struct question *q);

#endif
