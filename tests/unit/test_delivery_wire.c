#include "test.h"

#include <stdio.h>

#include "scratch.h"

#include "exchange/delivery.h"
#include "exchange/delivery_wire.h"
#include "note/statement.h"

static void what_is_sent_is_read(void **state)
{
	struct scratch *s = *state;
	uint8_t salt[SEAL_SALT_SIZE];
	const struct delivery_item sent[] = {
		{ .note = SPAN("a \"note\"\nof two lines\n"),
		  .receipt = SPAN("proof"),
		  .body = SPAN("\0\xff"),
		  .salt = salt },
		{ .note = SPAN("\xe2\x80\x94 line\n"), .receipt = SPAN(""), .body = SPAN("") },
		{ .note = SPAN("n"), .receipt = SPAN("r") },
	};
	struct buffer b = BUFFER(1 << 16);
	const struct delivery_item *got;
	size_t count;

	memset(salt, 7, sizeof(salt));
	delivery_request_begin(&b);
	for (size_t i = 0; i < TABLE_LENGTH(sent); i++)
		delivery_request_add(&b, &sent[i], i == 0);
	delivery_request_end(&b);
	assert_int_equal(b.err, OK);
	assert_int_equal(delivery_request_read(s->arena, buffer_view(&b), &got, &count), OK);
	assert_int_equal(count, TABLE_LENGTH(sent));
	for (size_t i = 0; i < count; i++) {
		assert_true(span_equal(got[i].note, sent[i].note));
		assert_true(span_equal(got[i].receipt, sent[i].receipt));
		assert_true(span_equal(got[i].body, sent[i].body));
		assert_int_equal(got[i].body.at == NULL, sent[i].body.at == NULL);
		assert_int_equal(got[i].salt == NULL, sent[i].salt == NULL);
	}
	assert_memory_equal(got[0].salt, salt, sizeof(salt));
	buffer_free(&b);
}

static void bad_requests_are_refused_by_name(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} table[] = {
		{ "", ERR_JSON },
		{ "[]", ERR_FIELD_MISSING },
		{ "{}", ERR_FIELD_MISSING },
		{ "{\"statements\":{}}", ERR_FIELD_MISSING },
		{ "{\"statements\":[]}", ERR_EMPTY },
		{ "{\"statements\":[1]}", ERR_FIELD },
		{ "{\"statements\":[{}]}", ERR_FIELD_MISSING },
		{ "{\"statements\":[{\"note\":\"n\"}]}", ERR_FIELD_MISSING },
		{ "{\"statements\":[{\"note\":1,\"receipt\":\"r\"}]}", ERR_FIELD },
		{ "{\"statements\":[{\"note\":\"n\",\"receipt\":\"r\",\"body\":\"!\"}]}", ERR_ENCODING },
		{ "{\"statements\":[{\"note\":\"n\",\"receipt\":\"r\",\"body\":\"\",\"salt\":\"00\"}]}", ERR_ENCODING },
		{ "{\"statements\":[{\"note\":\"n\",\"receipt\":\"r\",\"salt\":"
		  "\"0000000000000000000000000000000000000000000000000000000000000000\"}]}",
		  ERR_FIELD_MISSING },
		{ "{\"statements\":[{\"note\":\"n\",\"note\":\"m\",\"receipt\":\"r\"}]}", ERR_DUPLICATE_KEY },
	};
	struct scratch *s = *state;
	struct buffer many = BUFFER(1 << 20);
	const struct delivery_item *got;
	size_t count;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		enum err e = delivery_request_read(s->arena, span_of(table[i].text), &got, &count);

		if (e != table[i].err)
			fail_msg("%s: %s", table[i].text, err_code(e));
	}
	delivery_request_begin(&many);
	for (size_t i = 0; i <= DELIVERY_STATEMENTS_MAX; i++)
		delivery_request_add(&many, &(struct delivery_item){ .note = SPAN("n") }, i == 0);
	delivery_request_end(&many);
	assert_int_equal(delivery_request_read(s->arena, buffer_view(&many), &got, &count), ERR_TOO_LONG);
	buffer_free(&many);
}

static void an_introduction_is_read(void **state)
{
	struct scratch *s = *state;
	struct buffer b = BUFFER(1 << 16);
	struct delivery_item got;

	delivery_introduction_print(SPAN("note\n"), SPAN("receipt\n"), &b);
	assert_int_equal(delivery_introduction_read(s->arena, buffer_view(&b), &got), OK);
	assert_span(got.note, "note\n");
	assert_span(got.receipt, "receipt\n");
	assert_int_equal(delivery_introduction_read(s->arena, SPAN("[]"), &got), ERR_FIELD);
	buffer_free(&b);
}

#define SENT 3

static enum err read_answer(struct scratch *s, const char *text, struct delivery_verdict out[SENT])
{
	struct hash ids[SENT];

	for (size_t i = 0; i < SENT; i++)
		memset(ids[i].bytes, 0x11 * ((int)i + 1), HASH_SIZE);
	return delivery_answer_read(s->arena, span_of(text), ids, SENT, out);
}

#define HEX8(d) d d d d d d d d
#define ID1 HEX8(HEX8("1"))
#define ID2 HEX8(HEX8("2"))
#define ID3 HEX8(HEX8("3"))
#define ONE(id, more) "{\"id\":\"" id "\"," more "}"
#define ALL(a, b, c) "{\"statements\":[" a "," b "," c "]}"
#define TAKEN "\"status\":\"taken\""

static void verdicts_are_read(void **state)
{
	struct scratch *s = *state;
	struct delivery_verdict v[SENT];
	struct buffer b = BUFFER(1 << 16);

	assert_int_equal(read_answer(s,
				     ALL(ONE(ID1, TAKEN ",\"new\":[1]"),
					 ONE(ID2, "\"status\":\"refused\",\"code\":\"matter-unknown\",\"detail\":"
						  "\"a\\u001b[1m\xc3\xa9\""),
					 ONE(ID3, "\"status\":\"later\"")),
				     v),
			 OK);
	assert_int_equal(v[0].status, DELIVERY_TAKEN);
	assert_int_equal(v[1].status, DELIVERY_REFUSED);
	assert_span(v[1].code, "matter-unknown");
	assert_span(v[1].detail, "a?[1m??"); /* not for a terminal to obey */
	assert_int_equal(v[2].status, DELIVERY_LATER);
	delivery_answer_print(v, SENT, &b);
	buffer_byte(&b, '\0');
	assert_int_equal(read_answer(s, b.at, v), OK);
	assert_span(v[1].code, "matter-unknown");
	buffer_free(&b);
}

static void nonsense_is_no_answer(void **state)
{
	static const char *const table[] = {
		"",
		"<html>",
		"{}",
		"null",
		"{\"statements\":[]}",
		"{\"statements\":\"taken\"}",
		"{\"statements\":[" ONE(ID1, TAKEN) "," ONE(ID2, TAKEN) "]}", /* too few */
		ALL(ONE(ID1, TAKEN), ONE(ID2, TAKEN), ONE(ID3, TAKEN) "," ONE(ID3, TAKEN)),
		ALL(ONE(ID2, TAKEN), ONE(ID1, TAKEN), ONE(ID3, TAKEN)), /* out of order */
		ALL(ONE(ID1, TAKEN), ONE(ID1, TAKEN), ONE(ID3, TAKEN)),
		ALL(ONE(ID1, TAKEN), ONE(ID2, "\"status\":\"eaten\""), ONE(ID3, TAKEN)),
		ALL(ONE(ID1, TAKEN), ONE(ID2, "\"status\":true"), ONE(ID3, TAKEN)),
		ALL(ONE(ID1, TAKEN), "7", ONE(ID3, TAKEN)),
		ALL(ONE(ID1, TAKEN), ONE(ID2, "\"code\":\"x\""), ONE(ID3, TAKEN)),
		ALL(ONE(ID1, TAKEN), ONE(ID2, TAKEN ",\"code\":\"No Such\""), ONE(ID3, TAKEN)),
		ALL(ONE(ID1, TAKEN), ONE(ID2, TAKEN ",\"status\":\"refused\""), ONE(ID3, TAKEN)),
	};
	struct scratch *s = *state;
	struct delivery_verdict v[SENT];

	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if (read_answer(s, table[i], v) != ERR_PEER)
			fail_msg("%s was taken for an answer", table[i]);
}

static void a_problem_has_a_code(void **state)
{
	struct scratch *s = *state;

	assert_span(delivery_problem_code(s->arena, SPAN("{\"code\":\"rate\",\"status\":429}")), "rate");
	assert_span(delivery_problem_code(s->arena, SPAN("{\"code\":\"\\u001b\"}")), "");
	assert_span(delivery_problem_code(s->arena, SPAN("busy")), "");
	assert_span(delivery_problem_code(s->arena, SPAN("[]")), "");
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(what_is_sent_is_read),    IN_A_FOLDER(bad_requests_are_refused_by_name),
		IN_A_FOLDER(an_introduction_is_read), IN_A_FOLDER(verdicts_are_read),
		IN_A_FOLDER(nonsense_is_no_answer),   IN_A_FOLDER(a_problem_has_a_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
