/* What the renderings share. Only for this room. */
#ifndef ROUTE_RENDERING_H
#define ROUTE_RENDERING_H

#include "base/buffer.h"
#include "route/render.h"
#include "stix/write.h"

#define STIX_SEEN 8192

struct rendering {
	const struct render_context *context;
	FILE *file;
	struct arena *arena;
	struct span summary;
	uint64_t rows;
	int64_t noted_ms; /* when the summary was made, for rows without a time; 0 unknown */
	bool begun;
	struct buffer out; /* of the row in hand */
	struct stix_id node;
	struct prefix sources[RENDER_SOURCES_MAX]; /* those that have a report, where each has one */
	size_t source_count;
	uint8_t seen[STIX_SEEN][16]; /* observables lately written, by their identifier */
};

/* Appends to r->out; what is there is written to the file after each call. */
void csv_begin(struct rendering *r);
void csv_row(struct rendering *r, const struct evidence_row *row);
void stix_begin(struct rendering *r);
void render_stix_row(struct rendering *r, const struct evidence_row *row);
void stix_end(struct rendering *r);
void render_xarf_row(struct rendering *r, const struct evidence_row *row);

/* "192.0.2.1", or "192.0.2.0/24" for a network. */
size_t source_text(const struct event *e, char out[PREFIX_TEXT]);
/* The row's own time, else that of the summary. */
int64_t row_time(const struct rendering *r, const struct evidence_row *row);

#endif
