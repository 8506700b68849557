/* Mails taken apart, held against GMime's own parser. */
#include <gmime/gmime.h>
#include <pthread.h>

#include "base/buffer.h"
#include "report/mime.h"
#include "test.h"

static struct span encoded(struct arena *a, const char *header, const char *body)
{
	const char *text = arena_print(a, "%s\n\n%s", header, body);
	struct span out;
	struct mime m;

	assert_int_equal(mime_read(a, span_of(text), &m), OK);
	assert_int_equal(m.count, 1);
	assert_int_equal(mime_content_text(a, &m.parts[0], &out), OK);
	return out;
}

static void decodes(void **state)
{
	struct arena *a = arena_new(1 << 24);

	(void)state;
	assert_span(encoded(a, "A: b", "x=41"), "x=41");
	assert_span(encoded(a, "Content-Transfer-Encoding: quoted-printable", "x=41=\ny\n"), "xAy\n");
	assert_span(encoded(a, "content-transfer-encoding:\n BASE64", "eEF5\neg==\n"), "xAyz");
	assert_span(encoded(a, "Content-Transfer-Encoding: base64", "eE\rF5!eg=="), "xAyz");
	assert_span(encoded(a, "Content-Transfer-Encoding: base64", ""), "");
	assert_span(encoded(a, "Content-Transfer-Encoding: 8bit", "\xff"), "\xff");
	assert_span(encoded(a, "Content-Type: text/plain; charset=iso-8859-1", "\xe9"), "\xc3\xa9");
	assert_span(encoded(a, "Content-Type: text/plain; charset=\"windows-1252\"", "\x80"), "\xe2\x82\xac");
	assert_span(
		encoded(a, "Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64", "YQDpAA=="),
		"a\xc3\xa9");
	assert_span(
		encoded(a, "Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64", "ANhhAA=="),
		"?a");
	assert_span(encoded(a, "Content-Type: text/plain; charset=klingon", "\xe9"), "\xe9");
	arena_free(a);
}

/* Types are the same by the short way and by the library's. */
static void reads_types(void **state)
{
	static const struct {
		const char *value, *type, *charset;
	} cases[] = {
		{ "text/plain", "text/plain", "" },
		{ "TEXT/Plain ; charset = \"UTF-8\"", "text/plain", "utf-8" },
		{ "text/html;charset=us-ascii", "text/html", "us-ascii" },
		{ "text/html; charset=utf-8; format=flowed", "text/html", "utf-8" },
		{ "text/html; format=flowed; charset=utf-8", "text/html", "utf-8" },
		{ "text/plain; charset=ISO-8859-1", "text/plain", "iso-8859-1" },
		{ "text/plain; charset", "text/plain", "" },
		{ "text/plain; format=flowed", "text/plain", "" },
		{ "text/plain;", "text/plain", "" },
		{ "text/csv", "text/csv", "" },
		{ "message/rfc822\n ; x=y", "message/rfc822", "" },
		{ "text", "application/octet-stream", "" },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		const char *mail = arena_print(a, "Content-Type: %s\n\n", cases[i].value);
		struct mime m;

		assert_int_equal(mime_read(a, span_of(mail), &m), OK);
		assert_span(m.parts[0].type, cases[i].type);
		assert_span(m.parts[0].charset, cases[i].charset);
	}
	arena_free(a);
}

static void reads_values(void **state)
{
	static const struct {
		const char *value, *text;
	} cases[] = {
		{ "plain", "plain" },
		{ "  a\r\n\t b\n  c ", "a b c" },
		{ "=?utf-8?Q?gr=C3=BC=C3=9Fe?=", "gr\xc3\xbc\xc3\x9f"
						 "e" },
		{ "=?UTF-8?B?w6k=?= =?utf-8?b?w6k=?=", "\xc3\xa9\xc3\xa9" },
		{ "a =?iso-8859-1?q?b=E9_c?= d", "a b\xc3\xa9 c d" },
		{ "caf\xe9", "caf\xc3\xa9" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "a =? b", "a =? b" },
		{ "", "" },
	};
	struct arena *a = arena_new(1 << 24);
	struct buffer b = BUFFER(100000);

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		assert_span(mime_text(a, span_of(cases[i].value)), cases[i].text);
	for (int i = 0; i < 3000; i++)
		buffer_text(&b, "\xc3\xa9");
	assert_in_range(mime_text(a, buffer_view(&b)).len, 1, MIME_VALUE_MAX);
	buffer_free(&b);
	arena_free(a);
}

static void reads_fields(void **state)
{
	struct span header = SPAN("A: 1\r\n 2\r\nno field\n: nothing\nb:\n\xff: x\nC : 3\na: 4\n lost\n"), rest, name,
		    value;

	(void)state;
	rest = header;
	assert_true(mime_field(&rest, &name, &value));
	assert_span(name, "A");
	assert_span(value, "1\r\n 2");
	assert_true(mime_field(&rest, &name, &value));
	assert_span(name, "b");
	assert_span(value, "");
	assert_true(mime_field(&rest, &name, &value));
	assert_span(name, "C");
	assert_span(value, "3");
	assert_true(mime_field(&rest, &name, &value));
	assert_span(value, "4\n lost");
	assert_false(mime_field(&rest, &name, &value));
	assert_true(mime_find(header, "a", &value));
	assert_span(value, "1\r\n 2");
	assert_false(mime_find(header, "d", &value));
	assert_span(mime_header(SPAN("a: b\r\n\r\nc"), &rest), "a: b\r\n");
	assert_span(rest, "c");
	assert_span(mime_header(SPAN("a: b\nc"), &rest), "a: b\nc");
	assert_span(rest, "");
	assert_span(mime_header(SPAN("\na: b"), &rest), "");
	assert_span(rest, "a: b");
}

/* A random mail that is well-formed: what RFC 2046 leaves open every parser decides for itself. */
static void draw_part(uint64_t *seed, struct buffer *b, int depth, int *number)
{
	static const char *const leaves[] = { "Content-Type: text/plain; charset=utf-8\n",
					      "Content-Type: application/json; name=\"a b\"\n",
					      "X-Folded: a\n b\nContent-Type:\n text/csv\n", "",
					      "Content-Type: Message/Feedback-Report\n" };
	static const char *const lines[] = { "one line\n", "--\n",	  "\n",	      "-- b\n", "--nothing\n",
					     "===\n",	   "From here\n", "a=3Db=\n", "YWJj\n", "YWI=\n" };
	static const char *const encodings[] = { "", "Content-Transfer-Encoding: base64\n",
						 "Content-Transfer-Encoding: quoted-printable\n" };
	size_t count = test_below(seed, 5);

	if (depth > 0 && test_below(seed, 2) == 0) {
		int own = (*number)++;

		buffer_print(b, "Content-Type: multipart/mixed; boundary=\"b%d_%d\"\n\npreamble\n", own, own);
		for (size_t i = 0; i <= count; i++) {
			buffer_print(b, "\n--b%d_%d%s\n", own, own, i % 2 == 0 ? "" : " \t");
			draw_part(seed, b, depth - 1, number);
		}
		buffer_print(b, "\n--b%d_%d--\nepilogue\n", own, own);
		return;
	}
	buffer_text(b, leaves[test_below(seed, TABLE_LENGTH(leaves))]);
	buffer_text(b, encodings[test_below(seed, TABLE_LENGTH(encodings))]);
	buffer_text(b, "\n");
	for (size_t i = 0; i < count; i++)
		buffer_text(b, lines[test_below(seed, TABLE_LENGTH(lines))]);
}

static void show(struct buffer *out, struct span type, struct span content)
{
	buffer_print(out, "[%.*s|%.*s]", SPAN_FORMAT(type), SPAN_FORMAT(content));
}

static void show_gmime(struct buffer *out, GMimeObject *o)
{
	char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(o));

	for (char *p = type; *p != '\0'; p++)
		*p = (char)g_ascii_tolower(*p);
	if (GMIME_IS_MULTIPART(o)) {
		show(out, span_of(type), SPAN(""));
		for (int i = 0; i < g_mime_multipart_get_count((GMimeMultipart *)o); i++)
			show_gmime(out, g_mime_multipart_get_part((GMimeMultipart *)o, i));
	} else {
		GMimeStream *stream = g_mime_stream_mem_new();
		GByteArray *bytes = g_mime_stream_mem_get_byte_array((GMimeStreamMem *)stream);

		g_mime_data_wrapper_write_to_stream(g_mime_part_get_content((GMimePart *)o), stream);
		show(out, span_of(type), span_make(bytes->data, bytes->len));
		g_object_unref(stream);
	}
	g_free(type);
}

static void gmime_reads(struct span mail, struct buffer *out)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(mail.at, mail.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	assert_non_null(message);
	show_gmime(out, g_mime_message_get_mime_part(message));
	g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
}

static void mime_reads(struct arena *a, struct span mail, struct buffer *out)
{
	struct mime m;

	assert_int_equal(mime_read(a, mail, &m), OK);
	for (size_t i = 0; i < m.count; i++) {
		struct span content = SPAN("");

		if (!m.parts[i].has_boundary)
			assert_int_equal(mime_content(a, &m.parts[i], &content), OK);
		show(out, m.parts[i].type, content);
	}
}

static void agrees_with_gmime(void **state)
{
	struct buffer mail = BUFFER(1 << 20), ours = BUFFER(1 << 20), theirs = BUFFER(1 << 20);
	struct arena *a = arena_new(1 << 24);
	uint64_t seed = test_seed();

	(void)state;
	g_mime_init();
	for (int round = 0; round < 3000; round++) {
		int number = 0;

		arena_reset(a);
		buffer_clear(&mail);
		buffer_clear(&ours);
		buffer_clear(&theirs);
		buffer_text(&mail, "From: a@b.example\nMIME-Version: 1.0\n");
		draw_part(&seed, &mail, 4, &number);
		mime_reads(a, buffer_view(&mail), &ours);
		gmime_reads(buffer_view(&mail), &theirs);
		if (!span_equal(buffer_view(&ours), buffer_view(&theirs)))
			fail_msg("round %d: %.*s\n---\n%.*s\n---\n%.*s", round, SPAN_FORMAT(buffer_view(&mail)),
				 SPAN_FORMAT(buffer_view(&ours)), SPAN_FORMAT(buffer_view(&theirs)));
	}
	buffer_free(&mail);
	buffer_free(&ours);
	buffer_free(&theirs);
	arena_free(a);
}

#define THREADS 4

/* Each with an arena of its own; the library is started by whoever comes first. */
static void *read_many(void *out)
{
	static const char mail[] = "Subject: =?utf-8?B?w6k=?=\nContent-Type: multipart/mixed; boundary=\"b\"\n\n--b\n"
				   "Content-Type: text/plain; charset=iso-8859-1\n\n\xe9\n--b--\n";
	struct arena *a = arena_new(1 << 20);
	size_t *good = out;
	struct span value;
	struct mime m;

	for (int i = 0; i < 300; i++) {
		arena_reset(a);
		if (mime_read(a, span_of(mail), &m) != OK || m.count != 2 ||
		    mime_content_text(a, &m.parts[1], &value) != OK || !span_is(value, "\xc3\xa9") ||
		    !mime_find(m.parts[0].header, "Subject", &value) || !span_is(mime_text(a, value), "\xc3\xa9"))
			break;
		++*good;
	}
	arena_free(a);
	return NULL;
}

static void serves_threads(void **state)
{
	pthread_t threads[THREADS];
	size_t good[THREADS] = { 0 };

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_many, &good[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(good[i], 300);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serves_threads), cmocka_unit_test(decodes),	  cmocka_unit_test(reads_values),
		cmocka_unit_test(reads_types),	  cmocka_unit_test(reads_fields), cmocka_unit_test(agrees_with_gmime),
	};

	return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
