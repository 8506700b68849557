/* What a plan declares, and its bytes in the state. Only for this room. */
#ifndef REGIME_PLAN_TERMS_H
#define REGIME_PLAN_TERMS_H

#include "regime/state_private.h"

struct plan_terms {
	uint8_t activity;
	bool intrusive, any_target;
	int64_t start_ms, end_ms;
	struct prefix *sources, *targets, *excludes; /* in the arena */
	size_t source_count, target_count, exclude_count;
};

/* Reads and judges the headers. ERR_STATEMENT_HEADER, ERR_PLAN_WINDOW, ERR_PREFIX. */
enum err plan_terms_read(struct arena *a, const struct statement *s, struct plan_terms *out);

void plan_terms_pack(const struct plan_terms *t, struct buffer *out);
enum err plan_terms_unpack(struct arena *a, struct span value, struct plan_terms *out);

#endif
