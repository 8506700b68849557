/* The query of a TAXII request. What is accepted is said again in one way, and that way says the same. A cursor made from it
 * goes on with the same filters; the input itself, taken for a cursor, is none, and neither is a cursor of which one bit was
 * changed. */
#include <stdlib.h>

#include "exchange/taxii.h"

#define KNOWN (FILTER_AFTER | FILTER_ID | FILTER_TYPE | FILTER_VERSION | FILTER_SPEC | FILTER_PAGES)

static const uint8_t secret[32] = { 7 };
static struct arena *arena;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct span print(const struct taxii_filters *f)
{
	struct buffer out = BUFFER((size_t)1 << 20);
	const char *copy;
	size_t n;

	taxii_filters_print(f, ~0U, &out);
	check(out.err == OK && (copy = arena_copy(arena, out.at, out.len)) != NULL);
	n = out.len;
	buffer_free(&out);
	return span_make(copy, n);
}

static void goes_on(struct span filters, uint64_t position, uint8_t flip)
{
	struct buffer query = BUFFER((size_t)1 << 20);
	struct taxii_cursor c = { position, filters }, again;
	struct taxii_filters f;
	struct span text;
	size_t at;

	buffer_text(&query, "next=");
	taxii_cursor_write(secret, SPAN("scope"), &c, &query);
	check(query.err == OK);
	check(taxii_query(arena, secret, SPAN("scope"), buffer_view(&query), KNOWN, &f, &text) == OK);
	check(f.which.after == position && span_equal(text, filters));
	check(taxii_query(arena, secret, SPAN("scopes"), buffer_view(&query), KNOWN, &f, &text) == ERR_USAGE);
	at = 5 + flip % (query.len - 5);
	query.at[at] ^= (char)(1 << flip % 7);
	check(taxii_cursor_read(arena, secret, SPAN("scope"), span_from(buffer_view(&query), 5), &again) == ERR_USAGE);
	query.at[at] ^= (char)(1 << flip % 7);
	if (filters.len > 0)
		buffer_byte(&query, '&');
	buffer_span(&query, filters);
	check(taxii_query(arena, secret, SPAN("scope"), buffer_view(&query), KNOWN, &f, &text) == OK);
	check(f.which.after == position && span_equal(text, filters));
	buffer_free(&query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct taxii_cursor none;
	struct taxii_filters f, again;
	struct span text, text_again, first, input = span_make(data, size);
	enum err e;

	if (arena == NULL)
		check((arena = arena_new((size_t)1 << 26)) != NULL);
	arena_reset(arena);
	check(taxii_cursor_read(arena, secret, SPAN("scope"), input, &none) == ERR_USAGE);
	taxii_accept_text(input);
	taxii_content_text(input);
	e = taxii_query(arena, secret, SPAN("scope"), input, KNOWN, &f, &text);
	check(e == OK || e == ERR_USAGE);
	if (e != OK)
		return 0;
	first = print(&f);
	check(span_equal(first, text));
	check(taxii_query(arena, secret, SPAN("scope"), first, KNOWN, &again, &text_again) == OK);
	check(span_equal(text_again, first) && again.after == f.after && again.given == f.given);
	check(again.which.id_count == f.which.id_count && again.which.version_count == f.which.version_count);
	goes_on(first, (uint64_t)size << 32, size > 0 ? data[size / 2] : 0);
	return 0;
}
