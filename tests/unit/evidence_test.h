/* Evidence bodies for tests: text packed, rows collected. */
#ifndef EVIDENCE_TEST_H
#define EVIDENCE_TEST_H

#include <zstd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "route/evidence.h"
#include "route/evidence_write.h"
#include "test.h"

#define EVIDENCE_SUMMARY                                                                                               \
	"{\"type\":\"bundle\",\"id\":\"bundle--x\",\"objects\":[{\"created\":\"2026-11-22T20:45:00.000Z\"}]}"
#define EVIDENCE_START EVIDENCE_FIRST_LINE EVIDENCE_SUMMARY "\n"
#define EVIDENCE_CSV EVIDENCE_START "table shadowserver scan_ssh\n" EVIDENCE_COLUMNS ",timestamp,ip,note\n"

/* One frame of it. */
static inline struct span evidence_pack(struct arena *a, struct span text)
{
	size_t room = ZSTD_compressBound(text.len), n;
	char *to = arena_alloc(a, room);

	assert_non_null(to);
	n = ZSTD_compress(to, room, text.at, text.len, 1);
	assert_false(ZSTD_isError(n));
	return span_make(to, n);
}

/* Writes again what was read. */
struct rewriting {
	struct buffer text;
	uint64_t rows;
	struct span table; /* of the last row: its type's place tells tables apart */
	const char *header;
};

static inline enum err evidence_rewrite(void *context, const struct evidence_row *row)
{
	struct rewriting *w = context;
	char *to;

	if (w->rows == 0 || w->table.at != row->type.at) {
		if (w->rows > 0)
			buffer_byte(&w->text, '\n');
		evidence_table(&w->text, row->format, row->type, row->header);
		w->table = row->type;
	}
	w->rows++;
	to = buffer_room(&w->text, EVIDENCE_TYPED_MAX + row->event.raw.len + 1);
	if (to == NULL)
		return w->text.err;
	w->text.len += evidence_row(to, &row->event, row->verdict);
	return OK;
}

#endif
