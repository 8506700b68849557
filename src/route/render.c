#include "route/render.h"

#include <stdlib.h>
#include <yyjson.h>

#include "route/evidence_write.h"
#include "route/rendering.h"

static const char *const names[RENDER_COUNT] = { "stix", "xarf", "csv" };

enum err render_format_parse(struct span name, enum render_format *out)
{
	for (int i = 0; i < RENDER_COUNT; i++)
		if (span_is(name, names[i])) {
			*out = (enum render_format)i;
			return OK;
		}
	return fail(ERR_USAGE, "%.*s: stix, xarf or csv", name.len > 80 ? 80 : (int)name.len,
		    name.len > 0 ? name.at : "");
}

const char *render_format_name(enum render_format f)
{
	return (unsigned)f < RENDER_COUNT ? names[f] : "?";
}

size_t source_text(const struct event *e, char out[PREFIX_TEXT])
{
	size_t n = address_format(e->source, out);

	if (e->source_length > 0)
		n += (size_t)snprintf(out + n, PREFIX_TEXT - n, "/%u", e->source_length);
	return n;
}

int64_t row_time(const struct rendering *r, const struct evidence_row *row)
{
	return row->event.time_ms != 0 ? row->event.time_ms : r->noted_ms;
}

/* ---- CSV ---- */

static void quoted(struct buffer *out, struct span s)
{
	buffer_byte(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '"')
			buffer_byte(out, '"');
		buffer_byte(out, (uint8_t)s.at[i]);
	}
	buffer_byte(out, '"');
}

void csv_begin(struct rendering *r)
{
	buffer_text(&r->out, EVIDENCE_COLUMNS ",row\n");
}

void csv_row(struct rendering *r, const struct evidence_row *row)
{
	struct event typed = row->event;
	char *to = buffer_room(&r->out, EVIDENCE_TYPED_MAX);

	if (to == NULL)
		return;
	typed.raw.len = 0;
	r->out.len += evidence_row(to, &typed, row->verdict) - 1;
	quoted(&r->out, row->event.raw);
	buffer_byte(&r->out, '\n');
}

/* ---- all ---- */

/* The time of the newest object of the summary. */
static int64_t summary_time(struct rendering *r)
{
	struct yyjson_doc *doc;
	yyjson_val *objects, *object;
	int64_t newest = 0, ms;
	size_t i, count;

	if (json_read(r->arena, r->summary, &doc) != OK)
		return 0;
	objects = yyjson_obj_get(yyjson_doc_get_root(doc), "objects");
	yyjson_arr_foreach(objects, i, count, object)
	{
		yyjson_val *created = yyjson_obj_get(object, "created");

		if (yyjson_is_str(created) &&
		    clock_parse_rfc3339(span_make(yyjson_get_str(created), yyjson_get_len(created)), &ms) == OK &&
		    ms > newest)
			newest = ms;
	}
	return newest;
}

static void begin(struct rendering *r, enum render_format format)
{
	r->begun = true;
	r->noted_ms = summary_time(r);
	if (format == RENDER_STIX)
		stix_begin(r);
	else if (format == RENDER_CSV)
		csv_begin(r);
}

static enum err flush(struct rendering *r)
{
	if (r->out.err != OK)
		return r->out.err;
	if (fwrite(r->out.at, 1, r->out.len, r->file) != r->out.len)
		return fail_errno("writing what is rendered");
	buffer_clear(&r->out);
	return OK;
}

/* Whether this row gets a report of its own. */
static bool is_wanted(struct rendering *r, const struct event *e)
{
	size_t most = r->context->sources_most;
	struct prefix p = { e->source, e->source_length };

	if (most == 0)
		return true;
	for (size_t i = 0; i < r->source_count; i++)
		if (prefix_compare(r->sources[i], p) == 0)
			return false;
	if (r->source_count == most || r->source_count == RENDER_SOURCES_MAX)
		return false;
	r->sources[r->source_count++] = p;
	return true;
}

struct asked {
	struct rendering *r;
	enum render_format format;
};

static enum err on_row(void *context, const struct evidence_row *row)
{
	struct asked *a = context;
	struct rendering *r = a->r;

	if (!r->begun)
		begin(r, a->format);
	if (a->format == RENDER_STIX)
		render_stix_row(r, row);
	else if (a->format == RENDER_XARF && is_wanted(r, &row->event))
		render_xarf_row(r, row);
	else if (a->format == RENDER_CSV)
		csv_row(r, row);
	r->rows++;
	return flush(r);
}

enum err render_evidence(struct arena *a, struct span body, size_t max, enum render_format format,
			 const struct render_context *context, FILE *out)
{
	struct rendering *r = calloc(1, sizeof(*r));
	struct asked asked = { r, format };
	enum err e;

	if (r == NULL)
		return ERR_NO_MEMORY;
	r->context = context;
	r->file = out;
	r->arena = a;
	r->out = BUFFER((size_t)16 << 20);
	e = evidence_read(a, body, max, &r->summary, on_row, &asked);
	if (e == OK && !r->begun)
		begin(r, format);
	if (e == OK && format == RENDER_STIX)
		stix_end(r);
	if (e == OK)
		e = flush(r);
	if (e == OK && fflush(out) != 0)
		e = fail_errno("writing what is rendered");
	buffer_free(&r->out);
	free(r);
	return e;
}
