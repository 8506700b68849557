#include "note/statement.h"

#include "note/statement_grammar.h"

#include <stdarg.h>
#include <stdio.h>

/* Adds a header whose name and value stand in memory that is not w->text. The parser's own checks decide, on a statement
 * that is thrown away. */
static void add(struct statement_writer *w, const char *name, struct span value)
{
	struct statement scratch = { 0 };
	struct addressee to;

	if (w->err != OK)
		return;
	if (w->count == STATEMENT_TEXT_HEADERS) {
		w->err = fail(ERR_TOO_LONG, "at most %d headers", STATEMENT_TEXT_HEADERS);
		return;
	}
	w->err = statement_header_read((struct header){ span_of(name), value }, &w->written, &scratch, &to);
	if (w->err != OK)
		return;
	w->count++;
	buffer_text(&w->text, name);
	buffer_byte(&w->text, ' ');
	buffer_span(&w->text, value);
	buffer_byte(&w->text, '\n');
	w->err = w->text.err;
}

void statement_begin(struct statement_writer *w, enum kind k, struct span ledger, const struct verifier *from)
{
	w->text.max = STATEMENT_MAX;
	buffer_clear(&w->text);
	w->err = OK;
	w->count = 0;
	w->written = 0;
	w->key = verifier_fingerprint(from);
	if ((unsigned)k >= KIND_COUNT || k == KIND_UNKNOWN)
		w->err = fail(ERR_STATEMENT_KIND, "a statement is of a known kind");
	buffer_text(&w->text, "comity/1 ");
	buffer_text(&w->text, kind_name(k));
	buffer_byte(&w->text, '\n');
	add(w, "ledger", ledger);
	add(w, "from", span_of(from->name));
	statement_add_hash(w, "key", w->key);
}

void statement_add(struct statement_writer *w, const char *name, struct span value)
{
	add(w, name, value);
}

void statement_add_print(struct statement_writer *w, const char *name, const char *format, ...)
{
	struct buffer value = BUFFER(STATEMENT_MAX);
	va_list arguments;
	char *at;
	int n;

	va_start(arguments, format);
	n = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	at = n < 0 ? NULL : buffer_room(&value, (size_t)n + 1);
	if (at != NULL) {
		va_start(arguments, format);
		vsnprintf(at, (size_t)n + 1, format, arguments);
		va_end(arguments);
		add(w, name, span_make(at, (size_t)n));
	} else if (w->err == OK) {
		w->err = n < 0 ? ERR_STATEMENT_HEADER : value.err;
	}
	buffer_free(&value);
}

void statement_add_time(struct statement_writer *w, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	add(w, name, span_of(text));
}

void statement_add_hash(struct statement_writer *w, const char *name, struct hash h)
{
	char hex[HASH_HEX + 1];

	hash_hex(h, hex);
	add(w, name, span_of(hex));
}

void statement_add_buffer(struct statement_writer *w, const char *name, struct buffer *value)
{
	if (w->err == OK)
		w->err = value->err;
	add(w, name, buffer_view(value));
	buffer_free(value);
}

void statement_add_to(struct statement_writer *w, const struct addressee *to)
{
	struct buffer value = BUFFER(STATEMENT_MAX);

	addressee_print(to, &value);
	statement_add_buffer(w, "to", &value);
}

void statement_add_body(struct statement_writer *w, const struct body_reference *body)
{
	struct buffer value = BUFFER(STATEMENT_MAX);
	char hex[HASH_HEX + 1];

	hash_hex(body->hash, hex);
	buffer_span(&value, body->media_type);
	buffer_byte(&value, ' ');
	buffer_decimal(&value, body->size);
	buffer_text(&value, body->sealed ? " sealed-sha256:" : " sha256:");
	buffer_text(&value, hex);
	statement_add_buffer(w, "body", &value);
}

enum err statement_end(struct statement_writer *w, const struct signer *key, struct buffer *out, struct hash *id)
{
	struct span text = buffer_view(&w->text);
	size_t before = out->len;
	enum err e = w->err;

	if (e == OK && !hash_equal(w->key, verifier_fingerprint(signer_verifier(key))))
		e = fail(ERR_KEY, "begun for one key, signed with another");
	if (e == OK)
		e = note_sign(out, text, key);
	if (e == OK && out->len - before > STATEMENT_MAX)
		e = fail(ERR_TOO_LONG, "a statement with its signature has at most %d bytes", STATEMENT_MAX);
	if (e == OK)
		*id = hash_span(text);
	else
		out->len = before;
	return e;
}

void statement_writer_free(struct statement_writer *w)
{
	buffer_free(&w->text);
}
