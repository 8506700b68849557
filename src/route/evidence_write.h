/* Writing the evidence table; evidence.h shows the form. Only for this room. */
#ifndef ROUTE_EVIDENCE_WRITE_H
#define ROUTE_EVIDENCE_WRITE_H

#include <zstd.h>
#include <zstd_errors.h>

#include "base/buffer.h"
#include "route/evidence.h"

#define EVIDENCE_FIRST_LINE "comity-evidence/1\n"
#define EVIDENCE_COLUMNS "time,address,length,port,transport,target,target_port,verdict"
#define EVIDENCE_TYPED_MAX 192 /* the typed values of a row with their commas */

/* Whether rows of this format may hold line ends inside double quotes. */
bool evidence_quoted(struct span format);

/* "table <format> <type>" and the header line. */
void evidence_table(struct buffer *out, struct span format, struct span type, struct span header);

/* One row with its LF; out has room for EVIDENCE_TYPED_MAX + raw + 1. Returns its length. */
size_t evidence_row(char *out, const struct event *e, enum plan_verdict verdict);

/* What zstd says as an error of ours. */
static inline enum err zstd_failed(size_t status, const char *where)
{
	bool memory = ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation;

	return fail(memory ? ERR_NO_MEMORY : ERR_COMPRESSION, "%s: %s", where, ZSTD_getErrorName(status));
}

#endif
