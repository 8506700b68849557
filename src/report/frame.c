#include "report/csv_blocks.h"
#include "report/layout.h"
#include "report/mail.h"

/*
 * Where one document ends and the next begins
 *
 * Whether text begins with a document, and how long it is, depends on at most row_max + 1 bytes from where it begins, and
 * on nothing before it. So the place where a report is cut changes nothing, as long as it is cut between two documents.
 * What does not end within row_max bytes is rejected where it began and passed over up to the next line that a document
 * can begin with; the search begins behind those bytes, so that none is looked at more than twice.
 *
 * JSON values are found by their brackets alone. Between them blanks, commas and square brackets are passed over, so
 * that the elements of an array are documents as well. One that is damaged must not take its neighbours with it:
 *
 *   1. A closing bracket closes all that is open up to one of its own kind.
 *   2. An opening brace where JSON has no place for one (in an object not behind a colon, in an array not behind a
 *      bracket or comma) begins the next document.
 *   3. A line end inside a string, or a byte outside of strings that JSON does not know, spoils the document. It ends
 *      before the next line that begins with a brace.
 *
 * None of these befalls valid JSON, so a value that a parser would take is found as it is.
 */

enum found {
	FOUND_NONE, /* none begins in the text */
	FOUND_WHOLE,
	FOUND_OPEN, /* one begins at start and the text ends before it does */
	FOUND_LONG  /* one begins at start and does not end within row_max bytes */
};

enum kind { OTHER, BLANK, LITERAL, OPENING, CLOSING, QUOTE };

static const uint8_t kinds[256] = {
	[' '] = BLANK,	 ['\t'] = BLANK,  ['\n'] = BLANK,  ['\r'] = BLANK,  ['['] = OPENING, ['{'] = OPENING,
	[']'] = CLOSING, ['}'] = CLOSING, ['"'] = QUOTE,   [':'] = LITERAL, [','] = LITERAL, ['0'] = LITERAL,
	['1'] = LITERAL, ['2'] = LITERAL, ['3'] = LITERAL, ['4'] = LITERAL, ['5'] = LITERAL, ['6'] = LITERAL,
	['7'] = LITERAL, ['8'] = LITERAL, ['9'] = LITERAL, ['+'] = LITERAL, ['-'] = LITERAL, ['.'] = LITERAL,
	['E'] = LITERAL, ['a'] = LITERAL, ['e'] = LITERAL, ['f'] = LITERAL, ['l'] = LITERAL, ['n'] = LITERAL,
	['r'] = LITERAL, ['s'] = LITERAL, ['t'] = LITERAL, ['u'] = LITERAL,
};

static bool is_blank(char c)
{
	return kinds[(unsigned char)c] == BLANK;
}

static size_t blanks_from(struct span text, size_t at)
{
	while (at < text.len && is_blank(text.at[at]))
		at++;
	return at;
}

/* Sixteen bytes of a string that neither end it nor need a look. */
static bool is_plain_16(const char *at)
{
	typedef uint8_t bytes16 __attribute__((vector_size(16)));
	bytes16 v, hits;
	uint64_t halves[2];

	memcpy(&v, at, 16);
	hits = (bytes16)(v == '"') | (bytes16)(v == '\\') | (bytes16)(v < 0x20);
	memcpy(halves, &hits, 16);
	return (halves[0] | halves[1]) == 0;
}

size_t json_string_end(struct span text, size_t at)
{
	while (at < text.len) {
		unsigned char c;

		while (text.len - at >= 16 && is_plain_16(text.at + at))
			at += 16;
		if (at == text.len)
			break;
		c = (unsigned char)text.at[at];
		if (c == '"' || c < 0x20)
			return at;
		at += c == '\\' && at + 1 < text.len && (unsigned char)text.at[at + 1] >= 0x20 ? 2 : 1;
	}
	return text.len;
}

/* Before the next line that begins with a brace. SIZE_MAX: not in this text. */
static size_t spoiled_length(struct span text, size_t at)
{
	const char *end;

	while (at < text.len && (end = memchr(text.at + at, '\n', text.len - at)) != NULL) {
		size_t line = (size_t)(end - text.at);

		at = blanks_from(text, line);
		if (at < text.len && text.at[at] == '{')
			return line;
	}
	return SIZE_MAX;
}

/* Brackets that are open. Of those deeper than 64 only the number is kept: their document is refused anyway. */
struct open {
	uint64_t arrays; /* bit i: the bracket of level i is a square one */
	size_t depth;
};

static bool may_open(const struct open *o, char before)
{
	if (o->depth == 0 || o->depth > 64)
		return true;
	return o->arrays >> (o->depth - 1) & 1 ? before == '[' || before == ',' : before == ':';
}

static void open_add(struct open *o, char c)
{
	if (o->depth < 64)
		o->arrays = (o->arrays & ~((uint64_t)1 << o->depth)) | (uint64_t)(c == '[') << o->depth;
	o->depth++;
}

static void open_close(struct open *o, char c)
{
	uint64_t same = c == ']' ? o->arrays : ~o->arrays;

	if (o->depth > 64) {
		o->depth--;
		return;
	}
	if (o->depth < 64)
		same &= ((uint64_t)1 << o->depth) - 1;
	if (same != 0)
		o->depth = 63 - (size_t)__builtin_clzll(same);
}

/* How long the value is that text begins with. SIZE_MAX: it does not end in this text. */
static size_t json_length(struct span text)
{
	struct open open = { 0, 0 };
	char before = '\0';

	if (text.at[0] != '{')
		return spoiled_length(text, 0);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		switch (kinds[(unsigned char)c]) {
		case BLANK:
			continue;
		case OPENING:
			if (c == '{' && !may_open(&open, before))
				return i;
			open_add(&open, c);
			break;
		case CLOSING:
			open_close(&open, c);
			if (open.depth == 0)
				return i + 1;
			break;
		case QUOTE:
			i = json_string_end(text, i + 1);
			if (i < text.len && text.at[i] != '"')
				return spoiled_length(text, i);
			break;
		case LITERAL:
			break;
		default:
			return spoiled_length(text, i);
		}
		before = c;
	}
	return SIZE_MAX;
}

static size_t json_start(struct span text, size_t at)
{
	while (at < text.len &&
	       (is_blank(text.at[at]) || text.at[at] == ',' || text.at[at] == '[' || text.at[at] == ']'))
		at++;
	return at;
}

static size_t line_length(struct span text)
{
	const char *end = memchr(text.at, '\n', text.len);

	return end != NULL ? (size_t)(end - text.at) : SIZE_MAX;
}

static size_t length_of(const struct layout *l, struct span text)
{
	switch (l->framing) {
	case FRAME_JSON:
		return json_length(text);
	case FRAME_MBOX:
		return mbox_length(text);
	case FRAME_LINES:
		return line_length(text);
	default:
		return SIZE_MAX;
	}
}

size_t frame_limit(const struct layout *l)
{
	return l->framing == FRAME_MBOX ? l->row_max - MBOX_AHEAD : l->row_max;
}

/* The document that begins at or behind `from`. */
static enum found find(const struct layout *l, struct span text, size_t from, size_t *start, size_t *length)
{
	struct span window;

	*start = l->framing == FRAME_JSON   ? json_start(text, from)
		 : l->framing == FRAME_MBOX ? blanks_from(text, from)
					    : from;
	if (*start >= text.len)
		return FOUND_NONE;
	window = span_from(text, *start);
	if (window.len > l->row_max)
		window.len = l->row_max + 1;
	*length = length_of(l, window);
	if (*length <= frame_limit(l))
		return FOUND_WHOLE;
	return window.len > l->row_max || *length <= l->row_max ? FOUND_LONG : FOUND_OPEN;
}

size_t frame_rest(const struct layout *l, struct span text, bool *ended)
{
	const char *mark = l->framing == FRAME_JSON ? "{" : "";
	const char *end = text.at + text.len, *p = text.at;
	size_t n = strlen(mark);

	*ended = false;
	if (l->framing == FRAME_WHOLE || text.len == 0)
		return text.len;
	if (l->framing == FRAME_MBOX)
		return mbox_rest(text, ended);
	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		size_t left = (size_t)(end - ++p);

		if (left < n && memcmp(p, mark, left) == 0)
			return (size_t)(p - text.at) - 1; /* it may be the one: not without what follows */
		if (left >= n && memcmp(p, mark, n) == 0) {
			*ended = true;
			return (size_t)(p - text.at);
		}
	}
	return text.len;
}

/* Behind what is passed over of the long document at start. *ended false: all of the text, or all but what may be the
 * start of the next. */
static size_t long_end(const struct layout *l, struct span text, size_t start, bool *ended)
{
	/* the next mail may begin so near the limit that it did not show in the window */
	size_t from = start + (l->framing == FRAME_MBOX ? frame_limit(l) - 2 : l->row_max + 1);

	return from + frame_rest(l, span_from(text, from), ended);
}

size_t frame_boundary(const struct layout *l, struct span chunk, bool *inside)
{
	size_t at = 0, start, length;
	bool ended;

	*inside = false;
	for (;;) {
		switch (find(l, chunk, at, &start, &length)) {
		case FOUND_NONE:
			return chunk.len;
		case FOUND_WHOLE:
			at = start + length;
			break;
		case FOUND_OPEN:
			return start;
		case FOUND_LONG:
			at = long_end(l, chunk, start, &ended);
			*inside = !ended;
			if (!ended)
				return at;
		}
	}
}

/* Where to go on behind the document *at, which lacks its line end if documents are lines. */
static size_t behind(const struct layout *l, struct span text, const struct place *at)
{
	size_t from = at->offset + at->raw.len;
	const char *end;

	if (l->framing != FRAME_LINES || at->raw.len == 0 || from >= text.len)
		return from;
	end = memchr(text.at + from, '\n', text.len - from);
	return end != NULL ? (size_t)(end - text.at) + 1 : text.len;
}

static struct span without_blanks(struct span s)
{
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool frame_next(const struct layout *l, struct span text, struct place *at, enum err *why)
{
	size_t from = behind(l, text, at), start, length;
	bool ended;

	*why = OK;
	for (;;) {
		enum found found = find(l, text, from, &start, &length);

		if (found == FOUND_NONE)
			return false;
		if (found == FOUND_OPEN)
			length = text.len - start;
		if (found == FOUND_OPEN && length > frame_limit(l))
			found = FOUND_LONG;
		if (found == FOUND_LONG) {
			*why = ERR_TOO_LONG;
			from = long_end(l, text, start, &ended);
			length = (ended ? from - 1 : text.len) - start;
		}
		at->line += lines_in((struct span){ text.at + at->offset, start - at->offset });
		at->offset = start;
		at->raw = span_make(text.at + start, length);
		if (found == FOUND_LONG)
			return true;
		at->raw = without_blanks(at->raw);
		if (at->raw.len > 0)
			return true;
		from = start + length + 1; /* an empty line */
	}
}

enum framing frame_of_json(struct span head)
{
	struct span rest = span_from(head, blanks_from(head, 0)), line;

	for (bool first = true; span_line(&rest, &line); first = false) {
		line = without_blanks(span_from(line, blanks_from(line, 0)));
		if (line.len > 0 && line.at[0] != '{')
			return FRAME_JSON;
		if (first && (line.len == 0 || json_length(line) != line.len))
			return FRAME_JSON;
	}
	return FRAME_LINES;
}
