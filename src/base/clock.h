/* Time is milliseconds since 1970-01-01T00:00:00Z as int64_t, UTC, named *_ms. Years 1970 to 9999. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/span.h"

#define CLOCK_TEXT 25 /* "2026-11-22T20:45:00.000Z" and a 0 */

int64_t clock_now_ms(void);
int64_t clock_monotonic_us(void); /* for measuring; no calendar */
/* For tests and simulations: from here on clock_now_ms gives this time, until it is set again. 0: the real time. */
void clock_simulate(int64_t ms);

/* "2026-11-22T20:45:00Z", the form of statement headers: seconds, Z, nothing else. ERR_TIME. */
enum err clock_parse(struct span s, int64_t *ms);

/* RFC 3339 in full: fractions (cut to ms), offsets, lower case, a space for the T. ERR_TIME. */
enum err clock_parse_rfc3339(struct span s, int64_t *ms);

/* "2026-11-22 20:45:00", UTC without a mark (Shadowserver). Fast. ERR_TIME. */
enum err clock_parse_plain(struct span s, int64_t *ms);

/* "Sat, 22 Aug 2026 03:00:29 +0200" (RFC 5322). ERR_TIME. */
enum err clock_parse_rfc5322(struct span s, int64_t *ms);

/* A length of time: "90m", "24h", "7d", "30s", and "0"; at most ten years. ERR_TIME. */
#define CLOCK_DURATION_MAX (INT64_C(3653) * 86400000)
enum err clock_parse_duration(struct span s, int64_t *ms);

void clock_format(int64_t ms, char out[CLOCK_TEXT]);	/* seconds: "2026-11-22T20:45:00Z" */
void clock_format_ms(int64_t ms, char out[CLOCK_TEXT]); /* "2026-11-22T20:45:00.123Z" */
/* In the largest unit that leaves no rest; below a second it is cut off. */
void clock_format_duration(int64_t ms, char out[CLOCK_TEXT]);

#endif
