/* A statement that is accepted is its headers and nothing else, and its typed values print as they were written. */
#include <stdlib.h>

#include "note/statement.h"

static struct buffer out = BUFFER(1 << 20);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_to(const struct statement *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->header_count; i++) {
		if (!span_is(s->headers[i].name, "to"))
			continue;
		buffer_clear(&out);
		addressee_print(&s->to[count++], &out);
		check(span_equal(buffer_view(&out), s->headers[i].value));
	}
	check(count == s->to_count);
}

static void check_values(const struct statement *s)
{
	char hex[HASH_HEX + 1], date[CLOCK_TEXT];

	hash_hex(s->key, hex);
	check(span_is(s->headers[2].value, hex));
	if (s->has_re) {
		hash_hex(s->re, hex);
		check(span_is(statement_header(s, "re")->value, hex));
	}
	if (s->has_date) {
		clock_format(s->date_ms, date);
		check(span_is(statement_header(s, "date")->value, date));
	}
	if (s->has_body) {
		hash_hex(s->body.hash, hex);
		buffer_clear(&out);
		buffer_print(&out, "%.*s %ju %s:%s", SPAN_FORMAT(s->body.media_type), (uintmax_t)s->body.size,
			     s->body.sealed ? "sealed-sha256" : "sha256", hex);
		check(span_equal(buffer_view(&out), statement_header(s, "body")->value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct statement s;

	if (a == NULL && (a = arena_new(1 << 20)) == NULL)
		abort();
	arena_reset(a);
	if (statement_parse(a, span_make(data, size), &s) != OK)
		return 0;
	buffer_clear(&out);
	buffer_text(&out, "comity/1 ");
	buffer_span(&out, s.kind_name);
	for (size_t i = 0; i < s.header_count; i++) {
		buffer_byte(&out, '\n');
		buffer_span(&out, s.headers[i].name);
		buffer_byte(&out, ' ');
		buffer_span(&out, s.headers[i].value);
	}
	buffer_byte(&out, '\n');
	check(span_equal(buffer_view(&out), s.note.text));
	check(hash_equal(s.id, hash_span(s.note.text)));
	check_to(&s);
	check_values(&s);
	return 0;
}
