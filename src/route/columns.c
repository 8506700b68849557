/* Senders change their columns without a word. The node keeps the header line of each type of report that it read last, and
 * says what is another way now. A report whose type no name gives away is compared with nothing. */
#include "base/clock.h"
#include "regime/seen.h"
#include "route/pipeline.h"
#include "store/journal.h"

struct columns_run {
	struct routing *r;
	struct state st;
	int64_t now_ms;
	struct span *records; /* in the arena */
	size_t record_count;
};

static bool comparable(const struct source *s)
{
	struct span type = layout_type(s->layout), header = layout_header(s->layout);

	return layout_format(s->layout) == FORMAT_SHADOWSERVER && !span_is(type, "shadowserver") && header.len > 0 &&
	       header.len <= SEEN_HEADER_MAX && type.len <= SEEN_TYPE_MAX;
}

/* The header before this one: of an earlier report of the run, else what the node knows. */
static enum err before(const struct columns_run *x, size_t source, struct seen *out)
{
	const struct source *s = &x->r->sources[source];
	enum format f = layout_format(s->layout);

	for (size_t i = source; i-- > 0;) {
		const struct source *other = &x->r->sources[i];

		if (other->layout == NULL || !comparable(other) || layout_format(other->layout) != f ||
		    !span_equal(layout_type(other->layout), layout_type(s->layout)))
			continue;
		*out = (struct seen){ layout_header(other->layout), x->now_ms };
		return OK;
	}
	return seen_find(&x->st, (uint8_t)f, layout_type(s->layout), out);
}

static enum err keep(struct columns_run *x, const struct source *s)
{
	struct buffer record = BUFFER(SEEN_HEADER_MAX + SEEN_TYPE_MAX + 64);
	struct seen now = { layout_header(s->layout), x->now_ms };
	const char *copy;
	enum err e;

	seen_write(&record, (uint8_t)layout_format(s->layout), layout_type(s->layout), &now);
	copy = record.err == OK ? arena_copy(x->r->arena, record.at, record.len) : NULL;
	if (copy != NULL)
		x->records[x->record_count++] = span_make(copy, record.len);
	e = record.err != OK ? record.err : copy == NULL ? ERR_NO_MEMORY : OK;
	buffer_free(&record);
	return e;
}

static enum err look(struct columns_run *x, size_t source)
{
	const struct source *s = &x->r->sources[source];
	struct seen old = { { NULL, 0 }, 0 };
	struct route_columns c = {
		.format = span_of(format_name(layout_format(s->layout))),
		.type = layout_type(s->layout),
		.count = layout_columns(s->layout),
		.unknown = layout_unknown_columns(s->layout),
	};
	enum err e = OK;

	if (comparable(s)) {
		if ((e = before(x, source, &old)) == ERR_NOT_FOUND)
			e = keep(x, s);
		else if (e == OK && !span_equal(old.header, layout_header(s->layout)))
			e = header_drift(x->r->arena, old.header, layout_header(s->layout), &c.drift);
		if (e == OK && (c.changed = drift_any(&c.drift))) {
			c.since_ms = old.since_ms;
			e = keep(x, s);
		}
	}
	if (e != OK || x->r->options->each_columns == NULL || (!c.changed && c.unknown == 0))
		return e;
	return x->r->options->each_columns(x->r->context, &c);
}

static enum err write_all(struct columns_run *x)
{
	enum err e = node_begin(x->r->node);

	if (e != OK)
		return e;
	for (size_t i = 0; e == OK && i < x->record_count; i++)
		e = node_add_private(x->r->node, RECORD_PRIVATE, &x->records[i], 1);
	if (e == OK)
		return node_commit(x->r->node);
	node_abandon(x->r->node);
	return e;
}

enum err columns_tell(struct routing *r, int64_t now_ms)
{
	struct columns_run x = { .r = r, .now_ms = now_ms };
	enum err e;

	if (r->source_count == 0)
		return OK;
	if ((x.records = arena_array(r->arena, r->source_count, sizeof(*x.records))) == NULL)
		return ERR_NO_MEMORY;
	if ((e = node_read(r->node, r->arena, &x.st)) != OK)
		return e;
	for (size_t i = 0; e == OK && i < r->source_count; i++) {
		struct source *s = &r->sources[i];

		if (s->layout == NULL || r->sections[s->section].told)
			continue;
		r->sections[s->section].told = true;
		e = look(&x, i);
	}
	snapshot_end(x.st.snapshot);
	return e == OK && x.record_count > 0 && !r->options->dry_run ? write_all(&x) : e;
}
