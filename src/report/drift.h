/* What a sender changed in the columns of a type of report. */
#ifndef REPORT_DRIFT_H
#define REPORT_DRIFT_H

#include "base/arena.h"
#include "base/span.h"

struct drift_rename {
	struct span from, to;
};

/* Names of columns, in the order of the header that has them. */
struct drift {
	struct span *added, *removed, *moved; /* moved: still there, but among others */
	struct drift_rename *renamed;	      /* one went and another came at the same place */
	size_t added_count, removed_count, moved_count, renamed_count;
};

/* Compares two header lines of CSV, as layout_header gives them. The names live in the arena. ERR_CSV: one of them is
 * none. */
enum err header_drift(struct arena *a, struct span before, struct span now, struct drift *out);

static inline bool drift_any(const struct drift *d)
{
	return d->added_count + d->removed_count + d->moved_count + d->renamed_count > 0;
}

#endif
