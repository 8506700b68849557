/* A row that is shown is written again byte for byte as it stands in the text, one behind the other; and nothing that is
 * shown breaks a rendering. Input that is no zstd frame is taken as the text of one. */
#include <stdlib.h>
#include <zstd.h>

#include "route/evidence_write.h"
#include "route/render.h"

#define MAX ((size_t)1 << 20)

struct shown {
	const char *at, *end; /* of the text */
	struct buffer row;
};

static enum err check_row(void *context, const struct evidence_row *r)
{
	struct shown *s = context;
	char *to;

	buffer_clear(&s->row);
	if ((to = buffer_room(&s->row, EVIDENCE_TYPED_MAX + r->event.raw.len + 1)) == NULL)
		abort();
	s->row.len = evidence_row(to, &r->event, r->verdict);
	s->at = memmem(s->at, (size_t)(s->end - s->at), s->row.at, s->row.len);
	if (s->at == NULL)
		abort();
	s->at += s->row.len;
	return OK;
}

static void render_all(struct arena *a, struct span body)
{
	const struct render_context context = { .from = SPAN("cert.example"),
						.notice = { { 7 } },
						.class = CLASS_SCANNER };
	static FILE *nowhere;

	if (nowhere == NULL && (nowhere = fopen("/dev/null", "w")) == NULL)
		abort();
	for (int f = 0; f < RENDER_COUNT; f++)
		render_evidence(a, body, MAX, (enum render_format)f, &context, nowhere);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	static struct shown s = { .row = { .max = MAX } };
	static char packed[MAX], text[MAX];
	struct span body = span_make(data, size), summary;
	size_t n;

	if (a == NULL && (a = arena_new(64 * MAX)) == NULL)
		abort();
	arena_reset(a);
	if (size > MAX / 2)
		return 0;
	if (size < 4 || memcmp(data, "\x28\xb5\x2f\xfd", 4) != 0)
		body = span_make(packed, ZSTD_compress(packed, sizeof(packed), data, size, 1));
	n = ZSTD_decompress(text, sizeof(text), body.at, body.len);
	s.at = text;
	s.end = ZSTD_isError(n) ? text : text + n;
	/* What streams may show rows before the damage; the comparison is for whole bodies. */
	if (evidence_read(a, body, MAX, &summary, ZSTD_isError(n) ? NULL : check_row, &s) == OK)
		render_all(a, body);
	return 0;
}
