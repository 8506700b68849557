#include "report/layout.h"

#include "base/clock.h"

/* A table or list in an encoding whose characters take two bytes. */
static bool is_utf16(struct span head)
{
	const unsigned char *p = (const unsigned char *)head.at;

	if (head.len >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
		return true;
	if (head.len < 4)
		return false;
	return (p[0] != 0 && p[1] == 0 && p[2] != 0 && p[3] == 0) || (p[0] == 0 && p[1] != 0 && p[2] == 0 && p[3] != 0);
}

static size_t blank_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && (s.at[n] == ' ' || s.at[n] == '\t' || s.at[n] == '\r' || s.at[n] == '\n'))
		n++;
	return n;
}

static enum err unknown(struct span text)
{
	if (text.at[0] == '[')
		return fail(ERR_FORMAT_UNKNOWN,
			    "a JSON array, but not of XARF, IDEA or STIX; write one object a line otherwise");
	if (text.at[0] == '{')
		return fail(ERR_FORMAT_UNKNOWN,
			    "JSON, but neither XARF, IDEA or STIX nor one object a line with an address as source.ip, "
			    "source_ip or ip");
	if (text.at[0] == '<')
		return fail(ERR_FORMAT_UNKNOWN, "XML or HTML, but neither IODEF nor a page with a table");
	if (memchr(text.at, '\0', text.len) != NULL)
		return fail(ERR_FORMAT_UNKNOWN, "binary, neither gzip nor zstd");
	return fail(ERR_FORMAT_UNKNOWN,
		    "no table with a column \"timestamp\", no JSON, no mail, and none of the first %d lines has an "
		    "address",
		    DETECT_ROWS);
}

static enum err json_find(struct span text, bool sure, struct layout *l)
{
	struct scratch *s;
	enum err e = scratch_new(&s);
	bool found;

	if (e != OK)
		return e;
	found = jsonl_detect(s, text, l);
	scratch_free(s);
	/* one line may be longer than the head */
	return found || sure || (text.len >= REPORT_HEAD - 3 && memchr(text.at, '\n', text.len) == NULL)
		       ? OK
		       : unknown(text);
}

static enum format guess(struct span text, struct span begin)
{
	enum format f = FORMAT_UNKNOWN;
	enum framing framing;

	if (begin.at[0] == '{' || begin.at[0] == '[')
		f = json_document(begin);
	else if (iodef_is(begin))
		f = FORMAT_IODEF;
	else if (html_is(begin))
		f = FORMAT_HTML;
	if (f != FORMAT_UNKNOWN)
		return f;
	if (begin.at[0] == '{')
		return FORMAT_JSON_LINES;
	if (shadowserver_header(text))
		return FORMAT_SHADOWSERVER;
	return mail_is(begin, &framing) ? FORMAT_MAIL : FORMAT_LIST;
}

static void document_find(struct span begin, struct layout *l)
{
	l->row_max = REPORT_DOCUMENT_MAX;
	l->type = span_of(format_name(l->format));
	l->type_known = true;
	l->class = CLASS_UNDETERMINED;
	l->framing = FRAME_WHOLE;
	if (l->format == FORMAT_MAIL || l->format == FORMAT_ARF)
		mail_is(begin, &l->framing);
	else if (l->format != FORMAT_IODEF && l->format != FORMAT_HTML)
		l->framing = frame_of_json(begin);
}

/* Which format it is, and all that is particular to it. */
static enum err format_find(struct arena *a, struct span name, struct span text, enum format from, struct layout *l)
{
	struct span begin = span_from(text, blank_length(text));
	bool whole = text.len < REPORT_HEAD - 3;

	l->format = from != FORMAT_UNKNOWN ? from : guess(text, begin);
	l->framing = l->format == FORMAT_SHADOWSERVER ? FRAME_CSV : FRAME_LINES;
	if (format_is_document(l->format)) {
		document_find(begin, l);
		return OK;
	}
	if (l->format == FORMAT_SHADOWSERVER)
		return shadowserver_detect(a, name, text, l);
	if (l->format == FORMAT_JSON_LINES)
		return json_find(begin, from == FORMAT_JSON_LINES, l);
	return list_detect(text, whole, l) || from == FORMAT_LIST ? OK : unknown(begin);
}

static enum err options_apply(const struct report_options *o, struct layout *l)
{
	if ((unsigned)o->class >= CLASS_COUNT || class_is_content(o->class))
		return fail(ERR_CLASS_CONTENT, "reports are not read in a class that judges what is said");
	if (o->class != CLASS_NONE) {
		l->class = o->class;
		l->class_given = true;
	}
	if (l->date_ms != 0)
		return time_check(l, l->date_ms) == OK ? OK : fail(time_check(l, l->date_ms), "the date of the report");
	return OK;
}

enum err report_detect(struct arena *a, struct span name, struct span head, const struct report_options *options,
		       struct layout **out)
{
	struct layout *l = arena_array(a, 1, sizeof(*l));
	size_t mark = span_starts(head, "\xef\xbb\xbf") ? 3 : 0;
	struct span text;
	enum err e;

	if (l == NULL)
		return fail(ERR_NO_MEMORY, "no room for a layout");
	if (is_utf16(head) && !iodef_is(head)) /* XML says its encoding */
		return fail(ERR_ENCODING, "the report is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8");
	text = span_from(head, mark);
	if (blank_length(text) == text.len)
		return fail(ERR_EMPTY, "the report is empty");
	l->row_max = REPORT_ROW_MAX;
	l->latest_ms = (options->now_ms != 0 ? options->now_ms : clock_now_ms()) + REPORT_SKEW_MS;
	l->date_ms = options->date_ms;
	if ((e = format_find(a, name, text, options->from, l)) != OK || (e = options_apply(options, l)) != OK)
		return e;
	l->skip += mark;
	*out = l;
	return OK;
}
