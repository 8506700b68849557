/* A mail, or an mbox of many, read the same in steps of any size as at once. The first byte says the step and whether it
 * is an mbox, the second the longest mail. Then the parts of the first bytes taken as one mail: each lies inside of the
 * mail, behind those before it, and inside of its multipart. */
#include "../report_law.h"
#include "report/mail.h"

static void parts_hold(struct arena *a, struct span mail)
{
	struct mime m;
	enum err e = mime_read(a, mail, &m);

	if (e != OK && e != ERR_DEPTH && e != ERR_TOO_LONG && e != ERR_NO_MEMORY)
		abort();
	for (size_t i = 0; e == OK && i < m.count; i++) {
		const struct mime_part *p = &m.parts[i], *outer;
		struct span content;

		if (p->header.at < mail.at || p->body.at < p->header.at + p->header.len ||
		    p->body.at + p->body.len > mail.at + mail.len)
			abort();
		if (mime_content_text(a, p, &content) != OK && content.len > 1 << 20)
			abort();
		if ((i == 0) != (p->parent == MIME_NONE) || (i > 0 && p->parent >= i))
			abort();
		if (i == 0)
			continue;
		outer = &m.parts[p->parent];
		if (!outer->has_boundary || p->header.at < m.parts[i - 1].header.at + m.parts[i - 1].header.len ||
		    p->body.at + p->body.len > outer->body.at + outer->body.len + 2) /* a line end that both lost */
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scratch *s;
	static struct layout *l;
	static struct arena *a; /* owns it */
	struct span text;

	if (size < 2)
		return 0;
	text = span_make(data + 2, size - 2);
	if (s == NULL) {
		const struct report_options options = { .now_ms = INT64_C(1795380000000), .from = FORMAT_MAIL };

		if ((a = arena_new(1 << 20)) == NULL || scratch_new(&s) != OK ||
		    report_detect(a, SPAN("x.eml"), SPAN("From: a\nTo: b\n\n"), &options, &l) != OK)
			abort();
		l->skip = l->skip_lines = 0;
	}
	l->framing = data[0] & 1 ? FRAME_MBOX : FRAME_WHOLE;
	l->row_max = data[1] < 200 ? 2 * MBOX_AHEAD + 4u * data[1] : REPORT_DOCUMENT_MAX;
	if (!law_holds(l, s, text, 1u + data[0], l->row_max))
		abort();
	arena_reset(s->arena);
	parts_hold(s->arena, text);
	return 0;
}
