/* What a mail is written with: no value, whatever its bytes, breaks a line; and tags of bounces. */
#include "mail/mail_write.h"
#include "mail/mailer.h"
#include "report/mime.h"
#include "scratch.h"
#include "test.h"

static void lines_hold(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		assert_true(c < 0x7f && (c >= ' ' || c == '\r' || c == '\n'));
		assert_true((c == '\r') == (i + 1 < text.len && text.at[i + 1] == '\n'));
		n = c == '\n' ? 0 : n + 1;
		assert_true(n <= 998);
	}
}

/* Whatever is in a header or a part, a reader of mail gets it back. */
static void what_is_written_is_read(void **state)
{
	struct arena *a = arena_new((size_t)16 << 20);
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 2000; round++) {
		char bytes[400];
		struct span in = span_make(bytes, test_below(&seed, sizeof(bytes))), got;
		struct buffer out = BUFFER((size_t)1 << 20);
		struct mime m;

		test_bytes(&seed, bytes, sizeof(bytes));
		for (size_t i = 0; round % 2 == 0 && i < in.len; i++)
			bytes[i] = (char)(bytes[i] & 15 ? " .F-=\r\nab\0~Z\tqx"[bytes[i] & 15] : ' ');
		mail_header(&out, "Subject", in);
		if (round % 3 == 0)
			mail_part_text(&out, SPAN("a.txt"), in);
		else
			mail_part_bytes(&out, "application/json", SPAN("a.json"), in);
		assert_int_equal(out.err, OK);
		lines_hold(buffer_view(&out));
		assert_int_equal(mime_read(a, buffer_view(&out), &m), OK);
		assert_int_equal(m.count, 1);
		assert_int_equal(mime_content(a, &m.parts[0], &got), OK);
		if (round % 3 != 0) {
			assert_int_equal(got.len, in.len);
			assert_memory_equal(got.at, in.at, in.len);
		}
		buffer_free(&out);
		arena_reset(a);
	}
	arena_free(a);
}

static void headers_come_back(void **state)
{
	static const char *const texts[] = { "plain", "C\xc3\xa9rt \"x\" <y@z>", "a\r\nBcc: b@c", "=?utf-8?q?x?=", "" };
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buffer out = BUFFER(65536);
		struct span value, rest = { 0 };
		size_t lines = 0;

		mail_header(&out, "Subject", span_of(texts[i]));
		mail_address(&out, "From", span_of(texts[i]), SPAN("a@cert.example"));
		lines_hold(buffer_view(&out));
		rest = buffer_view(&out);
		while (span_line(&rest, &value))
			lines += value.len > 0 && value.at[0] != ' ';
		assert_int_equal(lines, 2);
		assert_true(mime_find(buffer_view(&out), "From", &value));
		assert_true(span_ends(value, "<a@cert.example>"));
		buffer_free(&out);
	}
	arena_free(a);
}

static void dates(void **state)
{
	char text[MAIL_DATE];
	int64_t ms;

	(void)state;
	mail_date(INT64_C(1795380000000), text);
	assert_int_equal(clock_parse_rfc5322(span_of(text), &ms), OK);
	assert_int_equal(ms, INT64_C(1795380000000));
}

static void tags_are_of_this_node(void **state)
{
	struct scratch *s = *state;
	char dir[600], tag[BOUNCE_TAG_SIZE], other[BOUNCE_TAG_SIZE];
	struct bounce_of of;
	struct node *n;

	snprintf(dir, sizeof(dir), "%s/node", s->dir);
	assert_int_equal(node_init(dir, SPAN("cert.example"), SPAN("CERT")), OK);
	assert_int_equal(node_open(dir, NODE_WRITE, &n), OK);
	bounce_tag(n, (UINT64_C(1) << 40) + 7, 15, SPAN("a@b.example"), tag);
	assert_int_equal(bounce_tag_read(n, span_of(tag), &of), OK);
	assert_true(of.index == (UINT64_C(1) << 40) + 7 && of.addressee == 15);
	assert_true(bounce_contact_is(&of, SPAN("a@b.example")));
	assert_false(bounce_contact_is(&of, SPAN("b@b.example")));
	for (size_t i = 0; i < strlen(tag); i++) {
		memcpy(other, tag, sizeof(other));
		other[i] = (char)(other[i] - 'a' + 'A');
		if (tag[i] >= 'a')
			assert_int_equal(bounce_tag_read(n, span_of(other), &of), OK);
		other[i] = tag[i] == 'k' ? 'm' : 'k';
		assert_int_equal(bounce_tag_read(n, span_of(other), &of), ERR_NOT_FOUND);
		assert_int_equal(bounce_tag_read(n, span_make(tag, i), &of), ERR_NOT_FOUND);
	}
	node_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(headers_come_back),
		cmocka_unit_test(dates),
		cmocka_unit_test_setup_teardown(tags_are_of_this_node, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
