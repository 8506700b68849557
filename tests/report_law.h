/* The law of chunks: however a report is cut, its events and rejects are the same. Used by unit tests and fuzz
 * targets. */
#ifndef REPORT_LAW_H
#define REPORT_LAW_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "report/report.h"

/* What came out, as text: a line for each event and reject. */
struct law {
	struct span text; /* what is read */
	struct buffer out;
	size_t events, rejects;
};

static inline void law_address(struct buffer *b, struct address a)
{
	char text[ADDRESS_TEXT];

	buffer_bytes(b, text, address_format(a, text));
}

static inline void law_line(const struct law *l, uint64_t offset, uint64_t line)
{
	uint64_t before = 1;

	if (offset > l->text.len)
		abort();
	for (uint64_t i = 0; i < offset; i++)
		before += l->text.at[i] == '\n';
	if (line != before)
		abort();
}

/* Whether a row lies where it says. */
static inline void law_place(const struct law *l, struct span raw, uint64_t offset, uint64_t line)
{
	if (offset > l->text.len || raw.len > l->text.len - offset || raw.at != l->text.at + offset)
		abort();
	law_line(l, offset, line);
}

/* What is kept of a document for an event: an object on one line, not too long. */
static inline void law_document(const struct law *l, const struct event *e)
{
	law_line(l, e->offset, e->line);
	if (e->raw.len < 2 || e->raw.len > REPORT_ROW_MAX || e->raw.at[0] != '{' || e->raw.at[e->raw.len - 1] != '}' ||
	    memchr(e->raw.at, '\n', e->raw.len) != NULL || !span_is_utf8(e->raw))
		abort();
}

static inline enum err law_event(void *context, const struct event *e)
{
	struct law *l = context;

	l->events++;
	if (e->format == FORMAT_UNKNOWN || e->format >= FORMAT_COUNT)
		abort();
	if (format_is_document((enum format)e->format))
		law_document(l, e);
	else
		law_place(l, e->raw, e->offset, e->line);
	buffer_print(&l->out, "+%llu %lld ", (unsigned long long)e->line, (long long)e->time_ms);
	law_address(&l->out, e->source);
	buffer_print(&l->out, "/%u:%u>", e->source_length, e->source_port);
	if (e->has_target)
		law_address(&l->out, e->target);
	buffer_print(&l->out, ":%u %u %s ", e->target_port, e->transport, class_name(e->class));
	if (e->malware.len > 0)
		buffer_print(&l->out, "[%.*s] ", SPAN_FORMAT(e->malware));
	buffer_span(&l->out, e->raw);
	buffer_byte(&l->out, '\n');
	if (e->source.family != FAMILY_IPV4 && e->source.family != FAMILY_IPV6)
		abort();
	if (e->class == CLASS_NONE || class_is_content(e->class) || address_special(e->source) != NULL)
		abort(); /* no such event may leave a reader */
	return OK;
}

static inline enum err law_reject(void *context, const struct reject *r)
{
	struct law *l = context;

	l->rejects++;
	law_place(l, r->raw, r->offset, r->line);
	buffer_print(&l->out, "-%llu %s %s ", (unsigned long long)r->line, err_code(r->why),
		     r->field != NULL ? r->field : "");
	buffer_span(&l->out, r->raw);
	buffer_byte(&l->out, '\n');
	if (r->why == OK || r->raw.len > REPORT_REJECT_MAX)
		abort();
	return OK;
}

/* Reads as a program would that takes `step` bytes at a time and more only where one row needs it. row_max is the
 * layout's own. Aborts where report_boundary breaks its promises. */
static inline void law_read(const struct layout *l, struct scratch *s, struct span text, size_t step, size_t row_max,
			    struct law *out)
{
	const struct report_sink sink = { law_event, law_reject, out };
	struct report_cursor at = report_start(l);
	uint64_t line = at.line;
	size_t take = step;

	out->text = text;
	while (at.offset < text.len) {
		struct report_cursor from = at;
		struct span chunk = span_from(text, at.offset);
		bool last = chunk.len <= take;
		size_t n;

		if (!last)
			chunk.len = take;
		n = report_boundary(l, &at, chunk, last);
		if (n > chunk.len || (last && n != chunk.len) || at.offset != from.offset + n ||
		    (n == 0 && (last || take > row_max)))
			abort();
		if (n == 0) {
			take += step;
			continue;
		}
		take = step;
		for (size_t i = 0; i < n; i++)
			line += chunk.at[i] == '\n';
		if (at.line != line || report_parse(l, s, (struct span){ chunk.at, n }, &from, &sink) != OK)
			abort();
	}
}

/* Whether the report reads the same in steps as at once. */
static inline bool law_holds(const struct layout *l, struct scratch *s, struct span text, size_t step, size_t row_max)
{
	struct law whole = { .out = BUFFER((size_t)1 << 28) }, cut = { .out = BUFFER((size_t)1 << 28) };
	bool same;

	law_read(l, s, text, text.len + 1, row_max, &whole);
	law_read(l, s, text, step, row_max, &cut);
	same = span_equal(buffer_view(&whole.out), buffer_view(&cut.out)) && whole.out.err == OK;
	buffer_free(&whole.out);
	buffer_free(&cut.out);
	return same;
}

#endif
