#include "net/http_private.h"

#include <assert.h>
#include <stdlib.h>

/* Segments of a path that begins with '/'; one '/' at the end counts for nothing. SEGMENTS_MOST + 1: too many. */
static size_t split(struct span path, struct span segments[SEGMENTS_MOST])
{
	struct span rest = span_from(path, 1);
	size_t n = 0;

	if (rest.len > 0 && rest.at[rest.len - 1] == '/')
		rest.len--;
	if (rest.len == 0)
		return path.len > 1 ? SEGMENTS_MOST + 1 : 0; /* "//" is no "/" */
	while (rest.at != NULL) {
		if (n == SEGMENTS_MOST)
			return SEGMENTS_MOST + 1;
		segments[n++] = span_cut(&rest, '/');
	}
	return n;
}

enum err doors_compile(const struct http_door *doors, size_t count, struct compiled_door **out)
{
	struct compiled_door *compiled = calloc(count + 1, sizeof(*compiled));

	if (compiled == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		assert(doors[i].path[0] == '/' && doors[i].handle != NULL && doors[i].method < HTTP_OTHER);
		compiled[i].door = &doors[i];
		compiled[i].count = split(span_of(doors[i].path), compiled[i].segments);
		assert(compiled[i].count <= SEGMENTS_MOST);
	}
	*out = compiled;
	return OK;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

static unsigned decode(struct arena *a, struct span *segment)
{
	char *at;
	size_t n = 0;

	if (segment->len == 0 || memchr(segment->at, '%', segment->len) == NULL)
		return 0;
	if ((at = arena_alloc(a, segment->len)) == NULL)
		return 503;
	for (size_t i = 0; i < segment->len; i++) {
		char c = segment->at[i];

		if (c == '%') {
			int high = segment->len - i > 2 ? hex_value(segment->at[i + 1]) : -1;
			int low = segment->len - i > 2 ? hex_value(segment->at[i + 2]) : -1;

			if (high == -1 || low == -1 || (high | low) == 0)
				return 400;
			if ((c = (char)(high << 4 | low)) == '/')
				return 404;
			i += 2;
		}
		at[n++] = c;
	}
	*segment = span_make(at, n);
	return 0;
}

static bool fits(const struct compiled_door *d, const struct span *segments, size_t count)
{
	if (d->count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (span_is(d->segments[i], "*") ? segments[i].len == 0 : !span_equal(d->segments[i], segments[i]))
			return false;
	return true;
}

static void take(struct http_request *r, const struct compiled_door *d, const struct span *segments)
{
	size_t n = 0;

	for (size_t i = 0; i < d->count; i++)
		if (span_is(d->segments[i], "*") && n < sizeof(r->parts) / sizeof(r->parts[0]))
			r->parts[n++] = segments[i];
	r->door = d->door;
}

static struct span allowed(const struct http *h, struct arena *a, const struct span *segments, size_t count)
{
	unsigned seen = 0;
	char *text;

	for (size_t i = 0; i < h->options.door_count; i++)
		if (fits(&h->doors[i], segments, count))
			seen |= 1u << h->doors[i].door->method;
	if ((seen & 1u << HTTP_GET) != 0)
		seen |= 1u << HTTP_HEAD;
	text = arena_print(a, "%s%s%s%s%s", (seen & 1u << HTTP_GET) != 0 ? ", GET" : "",
			   (seen & 1u << HTTP_HEAD) != 0 ? ", HEAD" : "", (seen & 1u << HTTP_POST) != 0 ? ", POST" : "",
			   (seen & 1u << HTTP_PUT) != 0 ? ", PUT" : "",
			   (seen & 1u << HTTP_DELETE) != 0 ? ", DELETE" : "");
	return text != NULL ? span_from(span_of(text), 2) : span_make("", 0);
}

unsigned doors_find(const struct http *h, struct http_request *r, struct span *allow)
{
	enum http_method method = r->method == HTTP_HEAD ? HTTP_GET : r->method;
	struct span segments[SEGMENTS_MOST];
	size_t count = split(r->path, segments);
	bool other = false;
	unsigned status;

	if (count > SEGMENTS_MOST)
		return 404;
	for (size_t i = 0; i < count; i++)
		if ((status = decode(r->arena, &segments[i])) != 0)
			return status;
	for (size_t i = 0; i < h->options.door_count; i++) {
		const struct compiled_door *d = &h->doors[i];

		if (!fits(d, segments, count))
			continue;
		if (d->door->method == method || d->door->method == r->method) {
			take(r, d, segments);
			return 0;
		}
		other = true;
	}
	if (!other)
		return 404;
	*allow = allowed(h, r->arena, segments, count);
	return 405;
}
