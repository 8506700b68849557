/* Mail: what a report came in. Looked for, in this order: files of other formats (XARF by mail is one), complaints
 * about a mail with a feedback-report (ARF), bounces, and complaints that are no more than the mail complained of. What is
 * inside an attached mail is never a report: it is what somebody complained of, and its sender may have put anything
 * there. */
#include "report/mail.h"

#define FILES_MAX 100  /* attachments that are looked into */
#define KNOWN_FIELDS 2 /* so many of a mail's own fields make a text a mail */

/* Whether the name says that a text is more than text. */
static bool is_file_name(struct span name)
{
	static const char *const endings[] = { ".csv", ".json", ".jsonl", ".ndjson", ".xml" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (span_ends(name, endings[i]))
			return true;
	return false;
}

/* What a document or table comes as; what it is says its content. */
static bool is_file(const struct mime_part *part, struct span name)
{
	static const char *const types[] = {
		"application/json",
		"text/json",
		"application/x-ndjson",
		"application/xml",
		"text/xml",
		"text/csv",
		"text/comma-separated-values",
		"application/csv",
		"application/zip",
		"application/gzip",
		"application/x-zip-compressed",
		"application/x-gzip",
		"application/x-zip",
		"application/octet-stream",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_is(part->type, types[i]))
			return true;
	if (span_starts(part->type, "application/"))
		return span_ends(part->type, "+json") || span_ends(part->type, "+xml") || is_file_name(name);
	return span_is(part->type, "text/plain") && is_file_name(name);
}

static bool is_attached_mail(const struct mime_part *part)
{
	return span_is(part->type, "message/rfc822") || span_is(part->type, "message/global") ||
	       span_is(part->type, "text/rfc822-headers") || span_is(part->type, "message/global-headers") ||
	       span_is(part->type, "text/rfc822-header"); /* as some write it */
}

static struct span skip_mark(struct span s)
{
	while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t' || s.at[0] == '\r' || s.at[0] == '\n'))
		s = span_from(s, 1);
	return span_starts(s, "\xef\xbb\xbf") ? span_from(s, 3) : s;
}

static enum format document_format(struct span text)
{
	if (text.len > 0 && text.at[0] == '{')
		return json_document(text);
	return text.len > 0 && text.at[0] == '<' && iodef_is(text) ? FORMAT_IODEF : FORMAT_UNKNOWN;
}

/* What is rejected is shown as it stands in the report: the mail. */
static enum err reject_document(void *context, const struct reject *r)
{
	const struct mail *m = context;

	return parse_reject(m->parse, m->at, r->why, r->field);
}

static enum err event_document(void *context, const struct event *e)
{
	const struct mail *m = context;

	return m->parse->sink->event(m->parse->sink->context, e);
}

static enum err document_row(const struct mail *m, enum format format, struct span text)
{
	static enum err (*const rows[FORMAT_COUNT])(const struct parse *, const struct place *) = {
		[FORMAT_XARF] = xarf_row,
		[FORMAT_IDEA] = idea_row,
		[FORMAT_STIX] = stix_row,
		[FORMAT_IODEF] = iodef_row,
	};
	const struct report_sink sink = { event_document, reject_document, (void *)(uintptr_t)m };
	struct layout layout = *m->parse->layout;
	struct parse parse = *m->parse;
	struct place at = { m->at->offset, m->at->line, text };

	layout.format = format;
	parse.layout = &layout;
	parse.sink = &sink;
	parse.clean = false;
	buffer_clear(&parse.scratch->raw);
	return rows[format](&parse, &at);
}

static enum err file_read_one(struct mail *m, struct span name, struct span text, size_t *found)
{
	const char *slash = memrchr(name.at, '/', name.len);
	enum format format;
	enum err e = OK;

	if (slash != NULL)
		name = span_from(name, (size_t)(slash - name.at) + 1);
	text = skip_mark(text);
	if ((format = document_format(text)) != FORMAT_UNKNOWN)
		e = document_row(m, format, text);
	else if (text.len == 0 || !attached_read(m, name, text, &e)) {
		m->unread = true;
		return OK;
	}
	++*found;
	return e;
}

static enum err packed_files_read(struct mail *m, struct span name, struct span content, size_t *found)
{
	enum err e = OK;

	for (size_t i = 0; e == OK; i++) {
		struct span text, inner = name;

		if ((e = packed_read(m->parse->scratch->arena, content, i, &inner, &text)) == ERR_NOT_FOUND)
			return OK;
		if (e != OK) {
			++*found;
			return parse_reject(m->parse, m->at, e == ERR_NO_MEMORY ? ERR_UNPACKED : e, "attachment");
		}
		e = file_read_one(m, inner, text, found);
	}
	return e;
}

/* Reads all that are of a known format. */
static enum err files_read(struct mail *m, size_t *found)
{
	size_t files = 0;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < m->mime.count; i++) {
		const struct mime_part *part = &m->mime.parts[i];
		struct span content, name;

		if (part->has_boundary || span_starts(part->type, "message/"))
			continue;
		name = mime_name(m->parse->scratch->arena, part->header);
		if (!is_file(part, name))
			continue;
		if (files++ == FILES_MAX) {
			++*found;
			return parse_reject(m->parse, m->at, ERR_TOO_LONG, "attachment");
		}
		if (mime_content_text(m->parse->scratch->arena, part, &content) != OK) {
			++*found;
			e = parse_reject(m->parse, m->at, ERR_TOO_LONG, "attachment");
		} else if (packed_is(content)) {
			e = packed_files_read(m, name, content, found);
		} else {
			e = file_read_one(m, name, content, found);
		}
	}
	return e;
}

/* The attached mail that stands behind the feedback-report in the same multipart, before the next feedback-report. */
static size_t attached_find(const struct mime *mime, size_t feedback)
{
	size_t parent = mime->parts[feedback].parent;

	for (size_t i = feedback + 1; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];

		if (part->parent < parent || (part->parent == parent && span_is(part->type, "message/feedback-report")))
			break; /* what is inside of a multipart stands in one piece */
		if (part->parent == parent && is_attached_mail(part))
			return i;
	}
	return MIME_NONE;
}

/* Every feedback-report is one event or reject. */
static enum err feedback_read(const struct mail *m, size_t *found)
{
	for (size_t i = 0; i < m->mime.count; i++) {
		const struct mime_part *part = &m->mime.parts[i];
		enum err e;

		if (!span_is(part->type, "message/feedback-report"))
			continue;
		++*found;
		if ((e = arf_row(m, i, attached_find(&m->mime, i))) != OK)
			return e;
	}
	return OK;
}

/* Whether word stands in s, in whatever case. */
static bool names(struct span s, struct span word)
{
	for (size_t i = 0; i + word.len <= s.len && i < MIME_VALUE_MAX; i++)
		if (span_equal_nocase(span_make(s.at + i, word.len), word))
			return true;
	return false;
}

/* By what it is recognized as one; NULL: it is none. */
static const char *bounce_sign(const struct mail *m)
{
	struct span header = m->mime.parts[0].header, value;

	for (size_t i = 0; i < m->mime.count; i++) {
		struct span type = m->mime.parts[i].type;

		if (span_is(type, "message/delivery-status") || span_is(type, "message/global-delivery-status"))
			return "message/delivery-status";
		if (span_is(type, "message/disposition-notification"))
			return "message/disposition-notification";
	}
	if (mime_find(header, "X-Failed-Recipients", &value))
		return "X-Failed-Recipients";
	if (mime_find(header, "Auto-Submitted", &value) && value.len >= 12 &&
	    span_equal_nocase(span_make(value.at, 12), SPAN("auto-replied")))
		return "Auto-Submitted";
	if (mime_find(header, "Return-Path", &value) && span_is(value, "<>"))
		return "Return-Path";
	if (mime_find(header, "From", &value) && names(value, SPAN("mailer-daemon@")))
		return "From";
	return NULL;
}

/* A mail without any report in it. */
static enum err other_read(const struct mail *m)
{
	const char *sign = bounce_sign(m);
	size_t message = MIME_NONE;

	if (sign != NULL)
		return parse_reject(m->parse, m->at, ERR_BOUNCE, sign);
	for (size_t i = 0; i < m->mime.count && message == MIME_NONE; i++) {
		const struct mime_part *part = &m->mime.parts[i];

		if (span_is(part->type, "multipart/report") && part->report_type.len > 0 && !part->has_boundary)
			return parse_reject(m->parse, m->at, ERR_MAIL, "boundary");
		if (part->parent != MIME_NONE && is_attached_mail(part))
			message = i;
	}
	if (message != MIME_NONE)
		return arf_row(m, MIME_NONE, message);
	if (m->unread)
		return parse_reject(m->parse, m->at, ERR_FORMAT_UNKNOWN, "attachment");
	return parse_reject(m->parse, m->at, ERR_MAIL, "message/feedback-report");
}

static enum err mail_take(struct mail *m)
{
	struct arena *a = m->parse->scratch->arena;
	const struct layout *l = m->parse->layout;
	enum err e = OK;

	m->text = m->at->raw;
	if (l->framing == FRAME_MBOX)
		e = mbox_mail(a, m->at->raw, &m->text);
	return e == OK ? mime_read(a, m->text, &m->mime) : e;
}

enum err mail_row(const struct parse *p, const struct place *at)
{
	struct mail m = { .parse = p, .at = at };
	struct span header, name, value;
	size_t found = 0;
	enum err e = mail_take(&m);

	if (e == ERR_NO_MEMORY)
		e = ERR_TOO_LONG; /* of what a mail may take */
	if (e != OK)
		return parse_reject(p, at, e, "multipart");
	header = m.mime.parts[0].header;
	if (!mime_field(&header, &name, &value))
		return parse_reject(p, at, ERR_MAIL, "header");
	if ((e = files_read(&m, &found)) != OK || found > 0)
		return e;
	if ((e = feedback_read(&m, &found)) != OK || found > 0)
		return e;
	return other_read(&m);
}

static bool is_known_field(struct span name)
{
	static const char *const known[] = { "Received",     "Return-Path", "From",	    "To",
					     "Subject",	     "Date",	    "Message-ID",   "Delivered-To",
					     "MIME-Version", "Sender",	    "Content-Type", "DKIM-Signature",
					     "Envelope-To",  "Reply-To",    "Cc",	    "X-Original-To" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_equal_nocase(name, span_of(known[i])))
			return true;
	return false;
}

/* The first line of an mbox: "From neko@example.org Thu Apr 29 23:34:45 2015". */
static bool is_from_line(struct span line)
{
	return span_starts(line, "From ") && line.len > 10 && memchr(line.at, ':', line.len) != NULL;
}

/* Lines of a mail's header before anything else, some of them of names that other texts do not have. */
static bool is_header(struct span text)
{
	struct span line, name, value;
	size_t known = 0;

	for (struct span rest = text; known < KNOWN_FIELDS && span_line(&rest, &line);) {
		struct span one = line;

		if (line.len == 0)
			return false;
		if ((line.at[0] == ' ' || line.at[0] == '\t') && line.at != text.at)
			continue;
		if (!mime_field(&one, &name, &value))
			return false;
		known += is_known_field(name);
	}
	return known >= KNOWN_FIELDS;
}

bool mail_is(struct span text, enum framing *framing)
{
	struct span rest = text, line;

	*framing = FRAME_WHOLE;
	if (!span_starts(text, "From "))
		return is_header(text);
	if (!span_line(&rest, &line) || !is_from_line(line))
		return false;
	*framing = FRAME_MBOX;
	return is_header(rest);
}
