/* The evidence table: the body of a notice, application/vnd.comity.evidence+zstd. docs/evidence.md describes it.
 *
 * Zstd frames; their content is text:
 *
 *	comity-evidence/1 LF
 *	<STIX 2.1 bundle, one line: a short summary> LF
 *	then for each layout that rows came from:
 *	table <format> <type> LF
 *	<CSV header: time,address,length,port,transport,target,target_port,verdict and the report's own columns> LF
 *	<CSV rows, one an event: the same typed values, then the row as it came>
 *	LF (an empty line ends each table)
 */
#ifndef ROUTE_EVIDENCE_H
#define ROUTE_EVIDENCE_H

#include "regime/plan.h"
#include "report/report.h"

#define EVIDENCE_TYPE "application/vnd.comity.evidence+zstd"

struct evidence_row {
	struct span format, type;
	struct event event; /* its raw is the report's own row */
	enum plan_verdict verdict;
	struct span header; /* the report's own header, empty if none */
};

/* Unpacks a body and shows its summary, then each row. Bodies are outside bytes: everything is checked, the unpacked
 * size is at most max. ERR_COMPRESSION, ERR_SYNTAX, ERR_CSV, ERR_TOO_LONG. */
typedef enum err evidence_each(void *context, const struct evidence_row *row);
enum err evidence_read(struct arena *a, struct span body, size_t max, struct span *summary, evidence_each *each,
		       void *context);

#endif
