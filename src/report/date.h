/* Inside this room only: dates as people and programs write them into the heads of lists and into tables. */
#ifndef REPORT_DATE_H
#define REPORT_DATE_H

#include "base/span.h"

/* What time_parse_any and mails take, and: "2026-11-22", "2026/11/22 01:00", "22 November 2026 01:00:29 UTC",
 * "Sun Nov 22 01:00:29 UTC 2026", "Nov 22nd, 2026 at 01:00 +0200". Without a time of day it is the day's start, without
 * a zone UTC; a zone by name only if it is UTC. What could be read in two ways ("11/12/2026") is none. ERR_TIME. */
enum err date_read(struct span s, int64_t *ms);

#endif
