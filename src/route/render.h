/* Renders an evidence body as what abuse desks and tools already read. Streams: memory does not grow with the rows. */
#ifndef ROUTE_RENDER_H
#define ROUTE_RENDER_H

#include <stdio.h>

#include "route/evidence.h"

enum render_format { RENDER_STIX, RENDER_XARF, RENDER_CSV, RENDER_COUNT };
enum err render_format_parse(struct span name, enum render_format *out); /* "stix", "xarf", "csv". ERR_USAGE */
const char *render_format_name(enum render_format f);

/* What the notice says of all rows. */
#define RENDER_SOURCES_MAX 64
struct render_context {
	struct span from; /* the node that gave the notice */
	struct hash notice;
	enum rsit_class class;
	struct span contact; /* XARF: the mailbox of whoever reports; empty: abuse@ the node (RFC 2142) */
	size_t sources_most; /* XARF: one report for each source, the first of its rows, and at most so many. 0: every row */
};

/* STIX 2.1: one bundle of observed-data. XARF v4: one JSON report a line. CSV: the typed columns, then the report's
 * own row as one column. The unpacked body is at most max bytes. ERR_IO: the file; else as evidence_read. */
enum err render_evidence(struct arena *a, struct span body, size_t max, enum render_format format,
			 const struct render_context *context, FILE *out);

#endif
