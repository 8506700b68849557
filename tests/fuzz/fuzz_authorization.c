/* What a caller says of itself before anything is known of it: Authorization; and, in two lines, Signature-Input and
 * Signature. What is taken is printed again, and reads as the same; a signature that is read can be judged against a request,
 * and the text that it would sign ends with what was read. */
#include <stdlib.h>

#include "base/encoding.h"
#include "exchange/access_private.h"

static struct arena *arena;

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* The canonical text reads, and is its own canonical text. */
static void dictionary(struct span in)
{
	struct buffer first = BUFFER(1 << 20), second = BUFFER(1 << 20);
	struct dictionary d, again;

	if (dictionary_read(arena, in, &d) == OK) {
		dictionary_print(&d, &first);
		check(first.err == OK);
		check(first.len > FIELD_TEXT_MAX || dictionary_read(arena, buffer_view(&first), &again) == OK);
		if (first.len <= FIELD_TEXT_MAX) {
			check(again.count == d.count);
			dictionary_print(&again, &second);
			check(span_equal(buffer_view(&first), buffer_view(&second)));
		}
	}
	buffer_free(&first);
	buffer_free(&second);
}

/* Another text for the same credentials differs in the scheme's case and in spaces only. */
static void authorization(struct span in)
{
	struct buffer plain = BUFFER(4096), text = BUFFER(8192);
	struct authorization a, again;
	struct span shown = span_trim(in);

	if (authorization_read(arena, in, &a) == OK) {
		if (a.basic) {
			buffer_print(&plain, "%.*s:%.*s", SPAN_FORMAT(a.name), SPAN_FORMAT(a.secret));
			base64_append(&text, plain.at, plain.len);
		} else {
			buffer_span(&text, a.secret);
		}
		check(plain.err == OK && text.err == OK && text.len < shown.len);
		check(span_equal(buffer_view(&text), span_from(shown, shown.len - text.len)));
		buffer_clear(&plain);
		buffer_print(&plain, "%s %.*s", a.basic ? "Basic" : "Bearer", SPAN_FORMAT(buffer_view(&text)));
		check(authorization_read(arena, buffer_view(&plain), &again) == OK && again.basic == a.basic);
		check(span_equal(again.name, a.name) && span_equal(again.secret, a.secret));
	}
	buffer_free(&plain);
	buffer_free(&text);
}

static void signature(struct span input, struct span value)
{
	struct signed_message m = { .method = SPAN("POST"),
				    .authority = SPAN("cert.example"),
				    .path = SPAN("/"),
				    .query = SPAN(""),
				    .has_content = true,
				    .fields = { [SIGNED_CONTENT_DIGEST] = SPAN("sha-256=:AAAA:") } };
	struct buffer base = BUFFER(1 << 20), covered = BUFFER(1 << 20);
	struct signature s;

	if (signature_read(arena, input, value, &s) == OK) {
		check(s.created > 0 && s.nonce.len <= SIGNATURE_NONCE_MAX && s.covered->list);
		field_member_print(s.covered, &covered);
		if (signature_base(&s, &m, &base) == OK) {
			check(base.len > covered.len);
			check(span_equal(buffer_view(&covered), span_from(buffer_view(&base), base.len - covered.len)));
			if (signature_check(&s, &m, s.created * 1000) == OK)
				check(memmem(base.at, base.len, "\"content-digest\": sha-256=:AAAA:\n", 32) != NULL &&
				      memmem(base.at, base.len, "\"@authority\": cert.example\n", 27) != NULL);
		}
	}
	buffer_free(&base);
	buffer_free(&covered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_make(data, size), rest = all, first;

	if (arena == NULL)
		check((arena = arena_new((size_t)1 << 24)) != NULL);
	arena_reset(arena);
	dictionary(all);
	authorization(all);
	first = span_cut(&rest, '\n');
	if (rest.at != NULL)
		signature(first, rest);
	return 0;
}
