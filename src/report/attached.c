/* Tables and lines that come attached to a mail. The evidence of a mail has no header line for them, so that each row is
 * kept as an object of its own with the names of the columns, and "_report" says which report it stood in. */
#include "base/json.h"
#include "report/mail.h"

/* No further column is begun from here on: what is left takes one cut value. */
#define RAW_ENOUGH (REPORT_ROW_MAX - 8 * MIME_VALUE_MAX)

struct attached {
	const struct mail *mail;
	const struct layout *layout;
	const char **names;
	size_t count;
	struct csv csv; /* of the row in hand */
	char text[MIME_VALUE_MAX];
};

static enum err row_write(struct attached *t, struct span raw, struct span *out)
{
	struct json j = { .out = &t->mail->parse->scratch->raw };
	struct csv_row row;

	csv_open(&t->csv, raw, t->layout->row_max);
	if (!csv_next(&t->csv, &row) || row.err != OK)
		return ERR_CSV;
	buffer_clear(j.out);
	json_object(&j, NULL);
	json_string(&j, "_report", t->layout->type);
	for (size_t i = 0; i < t->count && i < row.fields && j.out->len < RAW_ENOUGH; i++) {
		struct span value = csv_field(&row, i);

		if (value.len > sizeof(t->text))
			value.len = sizeof(t->text);
		if (value.len > 0)
			json_string(&j, t->names[i], csv_unescape(value, t->text));
	}
	json_object_end(&j);
	*out = buffer_view(j.out);
	return j.out->err;
}

static enum err attached_event(void *context, const struct event *e)
{
	struct attached *t = context;
	const struct parse *p = t->mail->parse;
	struct event event = *e;
	struct span raw = span_trim(e->raw);
	enum err why;

	event.format = FORMAT_MAIL;
	if (t->layout->format == FORMAT_SHADOWSERVER && (why = row_write(t, e->raw, &raw)) != OK)
		return why == ERR_CSV ? parse_reject(p, t->mail->at, why, NULL) : why;
	return parse_event_as(p, t->mail->at, &event, raw);
}

static enum err attached_reject(void *context, const struct reject *r)
{
	struct attached *t = context;

	return parse_reject(t->mail->parse, t->mail->at, r->why, r->field);
}

/* Names longer than any that is met are cut: they are keys. */
static bool names_read(struct arena *a, struct attached *t)
{
	struct csv_row row;

	csv_open(&t->csv, t->layout->header, REPORT_HEAD);
	if (!csv_next(&t->csv, &row) || row.err != OK || row.fields > CSV_FIELDS_MAX ||
	    (t->names = arena_array(a, row.fields, sizeof(*t->names))) == NULL)
		return false;
	for (t->count = 0; t->count < row.fields; t->count++) {
		struct span name = csv_field(&row, t->count);

		if ((t->names[t->count] = arena_copy(a, name.at, name.len < 100 ? name.len : 100)) == NULL)
			return false;
	}
	return true;
}

static enum err rows_parse(struct attached *t, struct span text)
{
	const struct report_sink sink = { attached_event, attached_reject, t };
	struct report_cursor from = report_start(t->layout);

	return report_parse(t->layout, t->mail->parse->scratch, span_from(text, from.offset), &from, &sink);
}

bool attached_read(const struct mail *m, struct span name, struct span text, enum err *e)
{
	const struct layout *outer = m->parse->layout;
	struct arena *a = m->parse->scratch->arena;
	const struct report_options options = { .class = outer->class_given ? outer->class : CLASS_NONE,
						.date_ms = outer->date_ms,
						.now_ms = outer->latest_ms - REPORT_SKEW_MS };
	struct span head = { text.at, text.len < REPORT_HEAD ? text.len : REPORT_HEAD };
	struct attached *t = arena_array(a, 1, sizeof(*t));
	struct layout *l;

	if (t == NULL || report_detect(a, name, head, &options, &l) != OK)
		return false;
	if (l->format != FORMAT_SHADOWSERVER && l->format != FORMAT_JSON_LINES)
		return false;
	t->mail = m;
	t->layout = l;
	if (l->format == FORMAT_SHADOWSERVER && !names_read(a, t))
		return false;
	*e = rows_parse(t, text);
	return true;
}
