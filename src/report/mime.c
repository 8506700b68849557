#include "report/mime.h"

#include <gmime/gmime.h>
#include <iconv.h>
#include <pthread.h>
#include <stdlib.h>

/*
 * Why the parts are not cut by GMime
 *
 * Its parser makes objects of whatever it meets: eight megabytes of empty parts take it ten seconds and a gigabyte, and
 * GLib ends the program where memory ends. It recurses for each level, looks at each line once for each level, and from
 * some level on it silently stops to see parts. So mails are cut here: one walk, a stack of boundaries of fixed size, a
 * number of parts. Only single values of bounded length are given to the library. A test holds the cut against GMime's
 * parser.
 *
 * What RFC 2046 leaves open is decided as most mail readers do: a missing closing delimiter ends with the parent, lines
 * of the header that are no field are passed over, a delimiter of an outer multipart ends all inner ones.
 */

#ifdef __SANITIZE_THREAD__
/* Debian's GLib is not compiled for ThreadSanitizer, which then takes the handing over of memory inside of it for races.
 * What our own code does is still looked at. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:libglib-2.0.so.0\ncalled_from_lib:libgobject-2.0.so.0\n"
	       "called_from_lib:libgmime-3.0.so.0\n";
}
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static GMimeParserOptions *options;

static void library_start(void)
{
	static const char *charsets[] = { "utf-8", "iso-8859-1", NULL };

	g_mime_init();
	options = g_mime_parser_options_new();
	g_mime_parser_options_set_fallback_charsets(options, charsets); /* or it would ask the locale */
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		s = span_from(s, 1);
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* A line with its line end. */
static struct span line_at(struct span text, size_t at)
{
	const char *end = memchr(text.at + at, '\n', text.len - at);

	return span_make(text.at + at, end != NULL ? (size_t)(end - text.at) + 1 - at : text.len - at);
}

static bool line_is_empty(struct span line)
{
	return line.len == 0 || line.at[0] == '\n' || (line.len <= 2 && line.at[0] == '\r');
}

struct span mime_header(struct span text, struct span *rest)
{
	size_t at = 0;

	while (at < text.len) {
		struct span line = line_at(text, at);

		if (line_is_empty(line)) {
			*rest = span_from(text, at + line.len);
			return span_make(text.at, at);
		}
		at += line.len;
	}
	*rest = span_from(text, text.len);
	return text;
}

/* Of a line that begins a field: the length of its name; *colon is behind it, perhaps behind blanks (RFC 5322 section
 * 4.5). 0: it begins none. */
static size_t name_length(struct span line, size_t *colon)
{
	size_t n = 0;

	while (n < line.len && line.at[n] > ' ' && line.at[n] < 127 && line.at[n] != ':')
		n++;
	for (*colon = n; *colon < line.len && (line.at[*colon] == ' ' || line.at[*colon] == '\t'); ++*colon)
		continue;
	return *colon < line.len && line.at[*colon] == ':' ? n : 0;
}

bool mime_field(struct span *header, struct span *name, struct span *value)
{
	while (header->len > 0) {
		struct span line = line_at(*header, 0);
		size_t colon, n = name_length(line, &colon), end = line.len;

		if (n == 0) {
			*header = span_from(*header, line.len);
			continue;
		}
		while (end < header->len && (header->at[end] == ' ' || header->at[end] == '\t'))
			end += line_at(*header, end).len;
		*name = span_make(header->at, n);
		*value = trim(span_make(header->at + colon + 1, end - colon - 1));
		*header = span_from(*header, end);
		return true;
	}
	return false;
}

/* Most lines are passed over for their first bytes. */
bool mime_find(struct span header, const char *name, struct span *value)
{
	struct span wanted = span_of(name), found;

	while (header.len > wanted.len) {
		struct span line = line_at(header, 0), rest = line;

		if (span_equal_nocase(span_make(header.at, wanted.len), wanted) && mime_field(&rest, &found, value) &&
		    found.len == wanted.len)
			return mime_field(&header, &found, value); /* again, with its folds */
		header = span_from(header, line.len);
	}
	*value = (struct span){ "", 0 };
	return false;
}

/* Cut, and with a 0 behind it: for the library. Line ends and other controls become spaces. */
static char *plain_copy(struct arena *a, struct span value)
{
	char *copy;

	if (value.len > MIME_VALUE_MAX)
		value.len = MIME_VALUE_MAX;
	if ((copy = arena_copy(a, value.at, value.len)) == NULL)
		return NULL;
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)copy[i] < ' ' || copy[i] == 127)
			copy[i] = ' ';
	return copy;
}

/* Runs of blanks, which folds leave behind, become one. */
static size_t squeeze(char *text)
{
	size_t n = 0;

	for (const char *p = text; *p != '\0'; p++)
		if (*p != ' ' || (n > 0 && text[n - 1] != ' '))
			text[n++] = *p;
	if (n > 0 && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return n;
}

/* Appends what piece says to the n bytes in out; not more than MIME_VALUE_MAX in all. */
static size_t decode(const char *piece, char *out, size_t n)
{
	char *decoded = g_mime_utils_header_decode_text(options, piece);
	size_t len = decoded != NULL ? strlen(decoded) : 0;

	if (len > MIME_VALUE_MAX - n)
		len = MIME_VALUE_MAX - n;
	if (len > 0)
		memcpy(out + n, decoded, len);
	g_free(decoded);
	return n + len;
}

/* The library reads words that follow one another as one, and of base64 stops at the first padding: it gets such words
 * one by one. */
static size_t decode_words(char *text, char *out)
{
	size_t n = 0;
	char *pad;

	(void)pthread_once(&once, library_start);
	for (; (pad = strstr(text, "=?= =?")) != NULL; text = pad + 4) {
		pad[3] = '\0';
		n = decode(text, out, n);
	}
	return decode(text, out, n);
}

struct span mime_text(struct arena *a, struct span value)
{
	char *copy = plain_copy(a, value), *out;
	struct span s = { "", 0 };
	bool simple = true;

	if (copy == NULL)
		return s;
	s = span_make(copy, squeeze(copy));
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] >= 128 || (s.at[i] == '=' && s.at[i + 1] == '?'))
			simple = false;
	if (simple || (out = arena_alloc(a, MIME_VALUE_MAX)) == NULL)
		return s;
	return span_make(out, decode_words(copy, out));
}

static struct span lower_copy(struct arena *a, const char *text)
{
	char *copy = text != NULL ? arena_copy(a, text, strlen(text)) : NULL;

	if (copy == NULL)
		return (struct span){ "", 0 };
	for (char *p = copy; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p | 0x20);
	return span_of(copy);
}

/* The commonest of all are known without the library: a type alone, or with a charset. */
static bool type_is_common(struct span value, struct mime_part *part)
{
	static const char *const types[] = { "text/plain",
					     "text/html",
					     "message/rfc822",
					     "message/feedback-report",
					     "message/delivery-status",
					     "text/rfc822-headers" };
	static const char *const charsets[] = { "utf-8", "us-ascii", "\"utf-8\"", "\"us-ascii\"" };
	struct span type = trim(span_cut(&value, ';')), charset = { "", 0 };
	bool known = value.at == NULL;

	if (value.at != NULL && span_equal_nocase(trim(span_cut(&value, '=')), SPAN("charset")) && value.at != NULL)
		for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]) && !known; i++)
			if ((known = span_equal_nocase(trim(value), span_of(charsets[i]))))
				charset = span_of(charsets[i % 2]);
	for (size_t i = 0; known && i < sizeof(types) / sizeof(types[0]); i++) {
		if (span_equal_nocase(type, span_of(types[i]))) {
			part->type = span_of(types[i]);
			part->charset = charset;
			return true;
		}
	}
	return false;
}

/* What Content-Type says; *boundary is empty unless the part is a multipart. */
static enum err type_read(struct arena *a, struct span header, struct mime_part *part, struct span *boundary)
{
	struct span value;
	GMimeContentType *t;
	const char *b, *name;
	char *copy;

	*boundary = part->charset = part->report_type = (struct span){ "", 0 };
	if (!mime_find(header, "Content-Type", &value))
		return OK;
	if (type_is_common(value, part))
		return OK;
	if ((copy = plain_copy(a, value)) == NULL)
		return ERR_NO_MEMORY;
	(void)pthread_once(&once, library_start);
	t = g_mime_content_type_parse(options, copy);
	name = arena_print(a, "%s/%s", g_mime_content_type_get_media_type(t), g_mime_content_type_get_media_subtype(t));
	part->type = lower_copy(a, name);
	part->charset = lower_copy(a, g_mime_content_type_get_parameter(t, "charset"));
	part->report_type = lower_copy(a, g_mime_content_type_get_parameter(t, "report-type"));
	b = g_mime_content_type_get_parameter(t, "boundary");
	if (b != NULL && b[0] != '\0' && span_starts(part->type, "multipart/"))
		*boundary = span_make(arena_copy(a, b, strlen(b)), strlen(b));
	g_object_unref(t);
	return part->type.len == 0 || boundary->at == NULL ? ERR_NO_MEMORY : OK;
}

struct span mime_type(struct arena *a, struct span header)
{
	struct mime_part part = { .type = SPAN("text/plain") };
	struct span boundary;

	(void)type_read(a, header, &part, &boundary);
	return part.type;
}

struct span mime_name(struct arena *a, struct span header)
{
	GMimeContentDisposition *d;
	struct span value, name;
	const char *text;
	char *copy;

	if (!mime_find(header, "Content-Disposition", &value) || memchr(value.at, ';', value.len) == NULL ||
	    (copy = plain_copy(a, value)) == NULL)
		return (struct span){ "", 0 };
	(void)pthread_once(&once, library_start);
	if ((d = g_mime_content_disposition_parse(options, copy)) == NULL)
		return (struct span){ "", 0 };
	text = g_mime_content_disposition_get_parameter(d, "filename");
	name = text != NULL ? span_make(arena_copy(a, text, strlen(text)), strlen(text)) : (struct span){ "", 0 };
	g_object_unref(d);
	return name.at != NULL ? name : (struct span){ "", 0 };
}

static enum mime_encoding encoding_read(struct span header)
{
	struct span value;

	if (!mime_find(header, "Content-Transfer-Encoding", &value))
		return MIME_IDENTITY;
	if (span_equal_nocase(value, SPAN("base64")))
		return MIME_BASE64;
	return span_equal_nocase(value, SPAN("quoted-printable")) ? MIME_QUOTED : MIME_IDENTITY;
}

/* What is open while a mail is walked through. */
struct walk {
	struct arena *arena;
	struct span mail;
	struct mime *out;
	size_t room, leaf; /* leaf: whose body we are in; MIME_NONE: before the first part, or behind the last */
	size_t depth;
	struct {
		struct span boundary;
		size_t part;
	} open[MIME_DEPTH_MAX];
};

/* Which of the open multiparts the line delimits: its level, from 1; 0: none. */
static size_t delimiter_level(const struct walk *w, struct span line, bool *last)
{
	if (line.len < 3 || line.at[0] != '-' || line.at[1] != '-')
		return 0;
	line = span_from(line, 2);
	while (line.len > 0 && is_blank(line.at[line.len - 1]))
		line.len--;
	for (size_t level = w->depth; level > 0; level--) {
		struct span b = w->open[level - 1].boundary;

		while (b.len > 0 && is_blank(b.at[b.len - 1]))
			b.len--;
		if (line.len < b.len || memcmp(line.at, b.at, b.len) != 0)
			continue;
		*last = line.len == b.len + 2 && line.at[b.len] == '-' && line.at[b.len + 1] == '-';
		if (line.len == b.len || *last)
			return level;
	}
	return 0;
}

/* Where the header ends that begins at `at`; *next: behind its empty line, or a delimiter that comes too early. */
static size_t header_end(const struct walk *w, size_t at, size_t *next)
{
	bool last;

	while (at < w->mail.len) {
		struct span line = line_at(w->mail, at);

		if (line_is_empty(line)) {
			*next = at + line.len;
			return at;
		}
		if (delimiter_level(w, line, &last) > 0)
			break;
		at += line.len;
	}
	*next = at;
	return at;
}

static struct mime_part *part_add(struct walk *w)
{
	struct mime *m = w->out;

	if (m->count == w->room) {
		size_t room = w->room != 0 ? 2 * w->room : 16;
		void *parts = arena_resize(w->arena, m->parts, m->count * sizeof(*m->parts), room * sizeof(*m->parts));

		if (parts == NULL)
			return NULL;
		m->parts = parts;
		w->room = room;
	}
	return &m->parts[m->count++];
}

/* A part whose header begins at *at; *at moves to its body. */
static enum err part_begin(struct walk *w, size_t *at)
{
	size_t begin = *at, end, number = w->out->count;
	struct mime_part *part;
	struct span boundary;
	enum err e;

	if (number == MIME_PARTS_MAX)
		return ERR_TOO_LONG;
	if ((part = part_add(w)) == NULL)
		return ERR_NO_MEMORY;
	end = header_end(w, begin, at);
	*part = (struct mime_part){ .header = span_make(w->mail.at + begin, end - begin),
				    .body = span_from(w->mail, *at),
				    .type = SPAN("text/plain"),
				    .parent = w->depth > 0 ? w->open[w->depth - 1].part : MIME_NONE };
	if (part->parent != MIME_NONE && span_is(w->out->parts[part->parent].type, "multipart/digest"))
		part->type = SPAN("message/rfc822");
	if ((e = type_read(w->arena, part->header, part, &boundary)) != OK)
		return e;
	part->encoding = encoding_read(part->header);
	part->has_boundary = boundary.len > 0;
	w->leaf = number;
	if (!part->has_boundary)
		return OK;
	if (w->depth == MIME_DEPTH_MAX)
		return ERR_DEPTH;
	w->open[w->depth].boundary = boundary;
	w->open[w->depth++].part = number;
	return OK;
}

/* The line end before a delimiter belongs to the delimiter. */
static void body_end(const struct walk *w, struct mime_part *part, size_t at)
{
	size_t begin = (size_t)(part->body.at - w->mail.at);

	if (at > begin && w->mail.at[at - 1] == '\n')
		at--;
	if (at > begin && w->mail.at[at - 1] == '\r')
		at--;
	part->body.len = at - begin;
}

/* The multiparts above `level` have ended, and so has the part that we are in. */
static void parts_end(struct walk *w, size_t level, size_t at)
{
	for (; w->depth > level; w->depth--)
		body_end(w, &w->out->parts[w->open[w->depth - 1].part], at);
	if (w->leaf != MIME_NONE && !w->out->parts[w->leaf].has_boundary)
		body_end(w, &w->out->parts[w->leaf], at);
	w->leaf = MIME_NONE;
}

/* The next line that may be a delimiter, from a line start on. mail.len: none. */
static size_t dashes_find(struct span mail, size_t at)
{
	const char *found;

	if (mail.len - at >= 2 && mail.at[at] == '-' && mail.at[at + 1] == '-')
		return at;
	found = memmem(mail.at + at, mail.len - at, "\n--", 3);
	return found != NULL ? (size_t)(found - mail.at) + 1 : mail.len;
}

enum err mime_read(struct arena *a, struct span mail, struct mime *out)
{
	struct walk w = { .arena = a, .mail = mail, .out = out, .leaf = MIME_NONE };
	size_t at = 0;
	enum err e;

	*out = (struct mime){ 0 };
	if ((e = part_begin(&w, &at)) != OK)
		return e;
	while (w.depth > 0 && (at = dashes_find(mail, at)) < mail.len) {
		struct span line = line_at(mail, at);
		bool last = false;
		size_t level = delimiter_level(&w, line, &last);

		if (level > 0)
			parts_end(&w, last ? level - 1 : level, at);
		at += line.len;
		if (level > 0 && !last && (e = part_begin(&w, &at)) != OK)
			return e;
	}
	return OK;
}

enum err mime_content(struct arena *a, const struct mime_part *part, struct span *out)
{
	GMimeEncoding state;
	char *to;

	*out = part->body;
	if (part->encoding == MIME_IDENTITY || part->body.len == 0)
		return OK;
	g_mime_encoding_init_decode(&state, part->encoding == MIME_BASE64 ? GMIME_CONTENT_ENCODING_BASE64
									  : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	if ((to = arena_alloc(a, g_mime_encoding_outlen(&state, part->body.len))) == NULL)
		return ERR_NO_MEMORY;
	*out = span_make(to, g_mime_encoding_flush(&state, part->body.at, part->body.len, to));
	return OK;
}

/* What cannot be converted becomes a question mark, unit by unit. false: no memory. */
static bool convert(struct arena *a, iconv_t to_utf8, size_t unit, struct span in, struct span *out)
{
	size_t left = in.len, room = 4 * in.len + 4;
	char *from = (char *)(uintptr_t)in.at, *to = arena_alloc(a, room), *at = to;

	if (to == NULL)
		return false;
	while (left > 0 && iconv(to_utf8, &from, &left, &at, &room) == (size_t)-1 && room > 0) {
		size_t n = left < unit ? left : unit;

		*at++ = '?';
		room--;
		from += n;
		left -= n;
	}
	*out = span_make(to, (size_t)(at - to));
	return true;
}

enum err mime_content_text(struct arena *a, const struct mime_part *part, struct span *out)
{
	enum err e = mime_content(a, part, out);
	iconv_t converter;
	bool good;

	if (e != OK || part->charset.len == 0 || span_is(part->charset, "utf-8") || span_is(part->charset, "us-ascii"))
		return e;
	(void)pthread_once(&once, library_start);
	converter = g_mime_iconv_open("utf-8", part->charset.at);
	if (converter == (iconv_t)-1)
		return OK;
	good = convert(a, converter, span_starts(part->charset, "utf-16") ? 2 : 1, *out, out);
	g_mime_iconv_close(converter);
	return good ? OK : ERR_NO_MEMORY;
}
