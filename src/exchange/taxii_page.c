/* Pages are put together by copying: rows are collected as views into the snapshot, their length is known then, and one piece
 * of memory takes them all. Nothing is parsed on the way out. */
#include "exchange/taxii.h"

#define BYTES_MOST ((uint64_t)32 << 20) /* one page; but one object at least */
#define ROW_MOST 512			/* a row of a manifest: names, id, two times, media type */
#define CACHE_LINE 64
#define FETCHED_MOST 4096

void taxii_page_begin(struct taxii_page *p, struct arena *a, uint64_t limit, uint64_t most, uint64_t after)
{
	*p = (struct taxii_page){ .arena = a, .reached = after };
	p->most = (size_t)(limit == 0 || limit > most ? most : limit);
}

static bool grow(struct taxii_page *p)
{
	size_t room = p->room == 0 ? 100 : p->room * 2;
	struct taxii_row *rows = arena_resize(p->arena, p->rows, p->room * sizeof(*rows),
					      (room > p->most ? p->most : room) * sizeof(*rows));

	if (rows == NULL)
		return false;
	p->rows = rows;
	p->room = room > p->most ? p->most : room;
	return true;
}

/* The text is copied when the page is full. Until then it can come from memory, while the walk goes on. */
static void fetch_early(struct span text)
{
	for (size_t i = 0; i < text.len && i < FETCHED_MOST; i += CACHE_LINE)
		__builtin_prefetch(text.at + i);
}

enum err taxii_page_add(struct taxii_page *p, const struct taxii_row *row)
{
	if (p->count == p->most || (p->count > 0 && p->bytes + row->text.len > BYTES_MOST)) {
		p->more = true;
		return TAXII_PAGE_FULL;
	}
	if (p->count == p->room && !grow(p))
		return ERR_NO_MEMORY;
	fetch_early(row->text);
	p->rows[p->count++] = *row;
	p->bytes += row->text.len;
	p->reached = row->stamp;
	return OK;
}

/* --- objects --- */

#define SPEC "\"spec_version\":\"2.1\","

/* Whether a name of the outermost object is spelled with an escape: it could be any name then. */
static bool has_escaped_name(struct span text)
{
	unsigned depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		bool escaped = false;

		if (text.at[i] == '{' || text.at[i] == '[')
			depth++;
		else if (text.at[i] == '}' || text.at[i] == ']')
			depth--;
		if (text.at[i] != '"')
			continue;
		for (i++; i < text.len && text.at[i] != '"'; i++)
			if (text.at[i] == '\\') {
				escaped = true;
				i++;
			}
		while (i + 1 < text.len && memchr(" \t\r\n", text.at[i + 1], 4) != NULL)
			i++;
		if (escaped && depth == 1 && i + 1 < text.len && text.at[i + 1] == ':')
			return true;
	}
	return false;
}

/* By its underscore, of which there are few before it: many times as fast as memmem, and asked for every row. */
static bool says_spec(struct span text)
{
	static const char before[] = "\"spec", behind[] = "version\"";
	const char *end = text.at + text.len, *at = text.at;

	while ((at = memchr(at, '_', (size_t)(end - at))) != NULL) {
		if ((size_t)(at - text.at) >= sizeof(before) - 1 && (size_t)(end - at) > sizeof(behind) - 1 &&
		    memcmp(at - (sizeof(before) - 1), before, sizeof(before) - 1) == 0 &&
		    memcmp(at + 1, behind, sizeof(behind) - 1) == 0)
			return true;
		at++;
	}
	return false;
}

/* An observable (SCO) may leave spec_version out, and 2.1 is its default. Some clients look at nothing else to tell 2.0 from
 * 2.1, so it is always said. */
static bool lacks_spec(const struct taxii_row *row)
{
	return row->spec == STIX_2_1 && !says_spec(row->text) && !has_escaped_name(row->text);
}

static void write_objects(const struct taxii_page *p, struct buffer *out)
{
	for (size_t i = 0; i < p->count; i++) {
		struct span text = p->rows[i].text;

		if (i > 0)
			buffer_byte(out, ',');
		if (lacks_spec(&p->rows[i])) {
			buffer_text(out, "{" SPEC);
			text = span_from(text, 1);
		}
		buffer_span(out, text);
	}
}

/* --- manifests and versions --- */

/* Of what has none, the time when it was added: it does not change. */
static void write_version(const struct taxii_row *row, struct buffer *out)
{
	char time[TAXII_TIME];

	buffer_byte(out, '"');
	if (row->version.len > 0) {
		buffer_span(out, row->version);
	} else {
		taxii_time(row->stamp, time);
		buffer_text(out, time);
	}
	buffer_byte(out, '"');
}

static void write_manifest(const struct taxii_page *p, struct buffer *out)
{
	char time[TAXII_TIME];

	for (size_t i = 0; i < p->count; i++) {
		buffer_text(out, i > 0 ? ",{\"id\":\"" : "{\"id\":\"");
		buffer_span(out, p->rows[i].id);
		buffer_text(out, "\",\"date_added\":\"");
		taxii_time(p->rows[i].stamp, time);
		buffer_text(out, time);
		buffer_text(out, "\",\"version\":");
		write_version(&p->rows[i], out);
		buffer_text(out, ",\"media_type\":\"application/stix+json;version=");
		buffer_text(out, stix_spec_name(p->rows[i].spec));
		buffer_text(out, "\"}");
	}
}

static void write_versions(const struct taxii_page *p, struct buffer *out)
{
	for (size_t i = 0; i < p->count; i++) {
		if (i > 0)
			buffer_byte(out, ',');
		write_version(&p->rows[i], out);
	}
}

/* What is not there is left out: no empty lists, no `more` that is false (2, 3.7). */
void taxii_page_write(const struct taxii_page *p, enum taxii_form form, struct span next, struct buffer *out)
{
	static const char *const lists[] = {
		[FORM_OBJECTS] = "\"objects\":[", [FORM_MANIFEST] = "\"objects\":[", [FORM_VERSIONS] = "\"versions\":["
	};
	size_t each = form == FORM_OBJECTS ? sizeof(SPEC) + 1 : ROW_MOST;

	buffer_room(out, (form == FORM_OBJECTS ? p->bytes : 0) + p->count * each + next.len + 64);
	buffer_byte(out, '{');
	if (p->count > 0) {
		buffer_text(out, lists[form]);
		if (form == FORM_OBJECTS)
			write_objects(p, out);
		else if (form == FORM_MANIFEST)
			write_manifest(p, out);
		else
			write_versions(p, out);
		buffer_byte(out, ']');
	}
	if (p->more) {
		buffer_text(out, p->count > 0 ? ",\"more\":true,\"next\":\"" : "\"more\":true,\"next\":\"");
		buffer_span(out, next);
		buffer_byte(out, '"');
	}
	buffer_byte(out, '}');
}

enum err taxii_page_headers(const struct taxii_page *p, uint64_t empty, struct arena *a, struct http_answer *out)
{
	char *first = arena_alloc(a, TAXII_TIME), *last = arena_alloc(a, TAXII_TIME);

	if (first == NULL || last == NULL)
		return ERR_NO_MEMORY;
	taxii_time(p->count > 0 ? p->rows[0].stamp : empty, first);
	taxii_time(p->count > 0 ? p->rows[p->count - 1].stamp : empty, last);
	http_add_header(out, "X-TAXII-Date-Added-First", span_of(first));
	http_add_header(out, "X-TAXII-Date-Added-Last", span_of(last));
	return OK;
}
