/* Lists that are published as a page (Feodo Tracker's): the rows of each table in it that has a column of addresses.
 * No more of HTML is understood than a table needs: tags, comments, scripts, character references. */
#include <stdio.h>

#include "base/json.h"
#include "report/csv_blocks.h"
#include "report/date.h"
#include "report/layout.h"

#define CELLS_MAX 32
#define ROW_TEXT ((size_t)8 << 10)
#define TAG_MAX ((size_t)16 << 10)
#define TITLE_MAX 200

struct row {
	struct span cells[CELLS_MAX];
	size_t count, used;
	bool heads, open, too_long; /* has <th>; a cell is begun and not ended */
	char text[ROW_TEXT];
};

struct page {
	const struct parse *p;
	const struct place *document;
	struct span text;
	size_t at;
	struct place row_at;
	size_t counted; /* line ends before it: lines */
	uint64_t lines;
	bool in_row, in_title, has_names, found;
	struct columns columns;
	enum rsit_class class;
	struct row row, names;
	size_t title_len;
	char title[TITLE_MAX];
	struct buffer raw;
};

/* ---- text ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* What a reference that begins with & stands for, as far as tables of addresses need it. Returns its length, 0: none. */
static size_t reference_read(struct span s, char *out)
{
	static const struct {
		const char *name;
		char c;
	} names[] = { { "&amp;", '&' },	 { "&lt;", '<' },    { "&gt;", '>' },	{ "&quot;", '"' },
		      { "&nbsp;", ' ' }, { "&apos;", '\'' }, { "&#39;", '\'' }, { "&#160;", ' ' } };
	struct span number;
	uint64_t v;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!span_starts(s, names[i].name))
			continue;
		*out = names[i].c;
		return strlen(names[i].name);
	}
	if (!span_starts(s, "&#"))
		return 0;
	number = span_from(s, 2);
	if (number.len > 8)
		number.len = 8;
	if (memchr(number.at, ';', number.len) == NULL)
		return 0;
	number = span_cut(&number, ';');
	if (span_u64_loose(number, 126, &v) != OK || v < 33)
		return 0;
	*out = (char)v;
	return number.len + 3;
}

/* Adds text to out, blanks made one; false: no room. */
static bool text_add(struct span s, char *out, size_t room, size_t *used, size_t start)
{
	while (s.len > 0) {
		char c = s.at[0];
		size_t n = 1, reference;

		if (c == '&' && (reference = reference_read(s, &c)) > 0)
			n = reference;
		s = span_from(s, n);
		if (is_blank(c))
			c = ' ';
		if (c == ' ' && (*used == start || out[*used - 1] == ' '))
			continue;
		if (*used == room)
			return false;
		out[(*used)++] = c;
	}
	return true;
}

/* ---- rows ---- */

static void cell_end(struct row *r)
{
	struct span *cell = &r->cells[r->count - (r->count > 0)];

	if (!r->open)
		return;
	r->open = false;
	cell->len = (size_t)(r->text + r->used - cell->at);
	if (cell->len > 0 && cell->at[cell->len - 1] == ' ')
		cell->len--;
}

static void cell_begin(struct row *r, bool head)
{
	cell_end(r);
	r->heads |= head;
	if (r->count == CELLS_MAX) {
		r->too_long = true;
		return;
	}
	r->cells[r->count++] = (struct span){ r->text + r->used, 0 };
	r->open = true;
}

static void row_clear(struct row *r)
{
	r->count = r->used = 0;
	r->heads = r->open = r->too_long = false;
}

/* A first row that names an address is the table's head. */
static void names_take(struct page *p)
{
	list_columns_clear(&p->columns);
	for (size_t i = 0; i < p->row.count; i++)
		list_column_name(&p->columns, p->row.cells[i], (int)i);
	if (p->columns.source == -1)
		return;
	row_clear(&p->names);
	for (size_t i = 0; i < p->row.count; i++) {
		cell_begin(&p->names, true);
		text_add(p->row.cells[i], p->names.text, ROW_TEXT, &p->names.used, p->names.used);
		cell_end(&p->names);
	}
	p->has_names = p->found = true;
}

/* Keys must differ: an empty name, or one that stood before, becomes the column's number. */
static void put_cell(struct json *j, const struct row *names, size_t i, struct span value)
{
	char key[ROW_TEXT + 1];
	struct span name = i < names->count ? names->cells[i] : SPAN("");
	bool repeated = name.len == 0;

	for (size_t k = 0; k < i && k < names->count; k++)
		repeated |= span_equal(names->cells[k], name);
	if (repeated) {
		snprintf(key, sizeof(key), "%zu", i + 1);
	} else {
		memcpy(key, name.at, name.len);
		key[name.len] = '\0';
	}
	json_string(j, key, value);
}

static void put_row(struct page *p)
{
	struct json j = { .out = &p->raw };

	buffer_clear(&p->raw);
	json_object(&j, NULL);
	for (size_t i = 0; i < p->row.count; i++)
		put_cell(&j, &p->names, i, p->row.cells[i]);
	json_object_end(&j);
}

static enum err row_read(struct page *p, struct event *e, const char **name)
{
	const struct layout *l = p->p->layout;
	struct span seen;
	enum err err;

	*name = NULL;
	if (p->row.too_long)
		return ERR_TOO_LONG;
	err = list_row_read(&p->columns, p->row.cells, (int)p->row.count, e, &seen);
	*name = err == ERR_NUMBER ? "port" : "address";
	if (err != OK || (err = source_check(&e->source)) != OK)
		return err;
	*name = "time";
	e->time_ms = l->date_ms;
	if (seen.at == NULL)
		return OK;
	if ((err = date_read(seen, &e->time_ms)) != OK)
		return err;
	return time_check(l, e->time_ms);
}

static enum err row_event(struct page *p)
{
	struct event e = { .format = FORMAT_HTML, .class = p->class };
	const char *name;
	enum err err = row_read(p, &e, &name);

	if (err != OK)
		return parse_reject(p->p, &p->row_at, err, name);
	put_row(p);
	if (p->raw.err != OK)
		return fail(p->raw.err, "no room for a row of a page");
	return parse_event_as(p->p, &p->row_at, &e, buffer_view(&p->raw));
}

static enum err row_end(struct page *p)
{
	if (!p->in_row)
		return OK;
	cell_end(&p->row);
	p->in_row = false;
	p->row_at.raw.len = (size_t)(p->text.at + p->at - p->row_at.raw.at);
	if (p->has_names && p->row.count > 0 && !p->row.heads)
		return row_event(p);
	if (!p->has_names)
		names_take(p);
	return OK;
}

/* Of a page that was unpacked from a mail only the mail's place is known. */
static void row_begin(struct page *p, size_t at)
{
	struct place place = *p->document;

	if (p->text.at == p->p->rows.at + p->document->offset) {
		p->lines += lines_in((struct span){ p->text.at + p->counted, at - p->counted });
		p->counted = at;
		place.line += p->lines;
		place.offset += at;
	}
	place.raw = (struct span){ p->text.at + at, 0 };
	p->row_at = place;
	row_clear(&p->row);
	p->in_row = true;
}

/* ---- tags ---- */

static bool is_tag(struct span name, const char *text)
{
	return span_equal_nocase(name, span_of(text));
}

/* Behind the bracket that ends the tag at s; quotes hide one, unless they do not close. */
static size_t tag_length(struct span s)
{
	const char *first = memchr(s.at, '>', s.len);
	char quote = '\0';

	for (size_t i = 1; i < s.len && i < TAG_MAX; i++) {
		char c = s.at[i];

		if (quote != '\0')
			quote = c == quote ? '\0' : quote;
		else if (c == '>')
			return i + 1;
		else if (c == '"' || c == '\'')
			quote = c;
	}
	return first != NULL ? (size_t)(first - s.at) + 1 : s.len;
}

static struct span tag_name(struct span s)
{
	size_t n = 1;

	while (n < s.len && !is_blank(s.at[n]) && s.at[n] != '>' && (s.at[n] != '/' || n == 1))
		n++;
	return (struct span){ s.at + 1, n - 1 };
}

/* Past a script's or style's end; what stands in it is no text. */
static size_t raw_length(struct span s, struct span name)
{
	for (size_t i = tag_length(s); i < s.len; i++) {
		const char *at = memchr(s.at + i, '<', s.len - i);

		if (at == NULL)
			break;
		i = (size_t)(at - s.at);
		if (s.len - i > name.len + 2 && s.at[i + 1] == '/' &&
		    span_equal_nocase((struct span){ at + 2, name.len }, name))
			return i;
	}
	return s.len;
}

static enum err tag_read(struct page *p, struct span name, size_t at)
{
	bool end = name.len > 0 && name.at[0] == '/';
	struct span bare = end ? span_from(name, 1) : name;
	enum err e = OK;

	if (is_tag(bare, "title"))
		p->in_title = !end;
	if (is_tag(bare, "tr") || is_tag(bare, "table")) {
		e = row_end(p);
		if (is_tag(bare, "table"))
			p->has_names = false;
		else if (!end)
			row_begin(p, at);
	} else if (p->in_row && (is_tag(bare, "td") || is_tag(bare, "th"))) {
		if (end)
			cell_end(&p->row);
		else
			cell_begin(&p->row, is_tag(bare, "th"));
	} else if (p->row.open && (is_tag(bare, "br") || is_tag(bare, "p") || is_tag(bare, "div"))) {
		p->row.too_long |= !text_add(SPAN(" "), p->row.text, ROW_TEXT, &p->row.used,
					     (size_t)(p->row.cells[p->row.count - 1].at - p->row.text));
	}
	return e;
}

static void text_read(struct page *p, struct span s)
{
	if (p->in_title)
		text_add(s, p->title, TITLE_MAX, &p->title_len, 0);
	if (!p->row.open)
		return;
	p->row.too_long |= !text_add(s, p->row.text, ROW_TEXT, &p->row.used,
				     (size_t)(p->row.cells[p->row.count - 1].at - p->row.text));
}

/* A page of servers that malware calls says so in its title. */
static void class_find(struct page *p)
{
	static const char *const words[] = { "C&C", "C2" };
	const struct layout *l = p->p->layout;

	p->class = l->class != CLASS_NONE ? l->class : CLASS_UNDETERMINED;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !l->class_given; i++)
		if (memmem(p->title, p->title_len, words[i], strlen(words[i])) != NULL)
			p->class = CLASS_C2_SERVER;
}

static enum err markup_read(struct page *p)
{
	struct span rest = span_from(p->text, p->at), name;
	size_t start = p->at;
	const char *end;
	enum err e;

	if (span_starts(rest, "<!--")) {
		end = memmem(rest.at, rest.len, "-->", 3);
		p->at += end != NULL ? (size_t)(end - rest.at) + 3 : rest.len;
		return OK;
	}
	name = tag_name(rest);
	if (is_tag(name, "script") || is_tag(name, "style")) {
		p->at += raw_length(rest, name);
		return OK;
	}
	p->at += tag_length(rest);
	e = tag_read(p, name, start);
	if (is_tag(name, "/title"))
		class_find(p);
	return e;
}

static enum err page_read(struct page *p)
{
	enum err e = OK;

	class_find(p);
	while (e == OK && p->at < p->text.len) {
		struct span rest = span_from(p->text, p->at);
		const char *tag = memchr(rest.at, '<', rest.len);
		size_t n = tag != NULL ? (size_t)(tag - rest.at) : rest.len;

		text_read(p, (struct span){ rest.at, n });
		p->at += n;
		if (n < rest.len)
			e = markup_read(p);
	}
	if (e == OK)
		e = row_end(p);
	return e == OK && !p->found ? parse_reject(p->p, p->document, ERR_NO_ADDRESS, "table") : e;
}

enum err html_row(const struct parse *p, const struct place *at)
{
	struct page *page = arena_array(p->scratch->arena, 1, sizeof(*page));
	enum err e;

	if (page == NULL)
		return fail(ERR_NO_MEMORY, "no room to read a page");
	page->p = p;
	page->document = at;
	page->text = at->raw;
	page->raw = BUFFER(REPORT_ROW_MAX);
	e = page_read(page);
	buffer_free(&page->raw);
	return e;
}

static bool has_tag(struct span text, const char *name)
{
	size_t n = strlen(name);
	const char *at;

	while (text.len > n + 1 && (at = memchr(text.at, '<', text.len - n - 1)) != NULL) {
		text = span_from(text, (size_t)(at - text.at) + 1);
		if (text.len > n && span_equal_nocase((struct span){ text.at, n }, span_of(name)))
			return true;
	}
	return false;
}

bool html_is(struct span text)
{
	return text.len > 0 && text.at[0] == '<' && has_tag(text, "html") && has_tag(text, "table");
}
