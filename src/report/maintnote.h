/* Maintenance notes: iCalendar (RFC 5545) with the X-MAINTNOTE fields of draft-gunter-calext-maintenance-notifications. */
#ifndef REPORT_MAINTNOTE_H
#define REPORT_MAINTNOTE_H

#include "base/arena.h"
#include "base/buffer.h"

enum maintnote_impact { IMPACT_NONE, IMPACT_REDUCED_REDUNDANCY, IMPACT_DEGRADED, IMPACT_OUTAGE, IMPACT_COUNT };
enum maintnote_status {
	MAINT_TENTATIVE,
	MAINT_CONFIRMED,
	MAINT_CANCELLED,
	MAINT_IN_PROCESS,
	MAINT_COMPLETED,
	MAINT_COUNT
};

struct maintnote {
	struct span uid, summary, provider, account, id, organizer, objects[32]; /* in the arena */
	size_t object_count;
	enum maintnote_impact impact;
	enum maintnote_status status;
	unsigned sequence;
	int64_t start_ms, end_ms;
	uint8_t repeat; /* 0 none, 1 daily, 2 weekly: RRULE in UTC */
	uint32_t repeat_count;
	int64_t stamp_ms;
};
#define MAINTNOTE_MAX ((size_t)1 << 20)
#define MAINTNOTES_MAX 1000

/* All VEVENTs of one VCALENDAR. Times must be UTC, or have a VTIMEZONE or date that can be told in UTC. ERR_CALENDAR. */
enum err maintnotes_parse(struct arena *a, struct span text, struct maintnote **out, size_t *count);
enum err maintnotes_print(const struct maintnote *list, size_t count, struct buffer *out);

#endif
