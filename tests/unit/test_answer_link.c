#include "mail/answer_link.h"

#include <stdio.h>

#include "test.h"

#define HOUR_MS INT64_C(3600000)
#define NOW (INT64_C(1795380300123))

static const uint8_t key[ANSWER_KEY_SIZE] = { 1, 2, 3 }, other[ANSWER_KEY_SIZE] = { 1, 2, 4 };

static struct answer_link some(void)
{
	return (struct answer_link){ .notice = hash_span(SPAN("a notice")),
				     .addressee = 3,
				     .until_ms = (NOW / HOUR_MS + 5) * HOUR_MS,
				     .contact = hash_span(SPAN("abuse@op.example")) };
}

static enum err reads(const char *token, struct answer_link *out)
{
	return answer_token_read(key, span_of(token), NOW, out);
}

static void it_says_what_was_written(void **state)
{
	struct answer_link l = some(), again;
	char token[ANSWER_LINK_MAX], twice[ANSWER_LINK_MAX];

	(void)state;
	answer_token_print(key, &l, token);
	assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
			 strlen(token));
	assert_int_equal(reads(token, &again), OK);
	assert_true(hash_equal(again.notice, l.notice));
	assert_int_equal(again.addressee, 3);
	assert_int_equal(again.until_ms, l.until_ms);
	assert_memory_equal(again.contact.bytes, l.contact.bytes, 8);
	answer_token_print(key, &again, twice);
	assert_string_equal(twice, token);
}

static void it_ends_when_it_says(void **state)
{
	struct answer_link l = some(), again;
	char token[ANSWER_LINK_MAX];

	(void)state;
	l.until_ms -= 10; /* within the hour: it is good to its end */
	answer_token_print(key, &l, token);
	assert_int_equal(answer_token_read(key, span_of(token), l.until_ms + 9, &again), OK);
	assert_int_equal(answer_token_read(key, span_of(token), l.until_ms + 10, &again), ERR_EXPIRED);
	assert_true(hash_equal(again.notice, l.notice)); /* so that it can be told for what it was */
	assert_int_equal(answer_token_read(other, span_of(token), l.until_ms + 10, &again), ERR_NOT_FOUND);
}

/* Each character that is another, each that is missing, and everything else that is not the very text. */
static void nothing_else_is_a_link(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.% ";
	struct answer_link l = some(), again;
	char token[ANSWER_LINK_MAX], bent[ANSWER_LINK_MAX + 2];
	size_t n;

	(void)state;
	answer_token_print(key, &l, token);
	n = strlen(token);
	for (size_t i = 0; i < n; i++)
		for (const char *c = alphabet; *c != '\0'; c++) {
			memcpy(bent, token, n + 1);
			bent[i] = *c;
			assert_int_equal(reads(bent, &again), *c == token[i] ? OK : ERR_NOT_FOUND);
		}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(answer_token_read(key, span_make(token, i), NOW, &again), ERR_NOT_FOUND);
	for (const char *const *more = (const char *const[]){ "=", "A", "==", "/", NULL }; *more != NULL; more++) {
		snprintf(bent, sizeof(bent), "%s%s", token, *more);
		assert_int_equal(reads(bent, &again), ERR_NOT_FOUND);
	}
	assert_int_equal(answer_token_read(other, span_of(token), NOW, &again), ERR_NOT_FOUND);
	assert_int_equal(reads("", &again), ERR_NOT_FOUND);
}

static void the_key_is_the_nodes(void **state)
{
	char dir[] = "/tmp/comity-answer-link-XXXXXX", path[64], token[ANSWER_LINK_MAX], command[64];
	struct answer_link l = some(), again;
	struct node *n = NULL;

	(void)state;
	l.until_ms = (clock_now_ms() / HOUR_MS + 5) * HOUR_MS;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/node", dir);
	assert_int_equal(node_init(path, SPAN("cert.example"), SPAN("")), OK);
	for (int i = 0; i < 2; i++) { /* the same after it was closed */
		assert_int_equal(node_open(path, NODE_WRITE, &n), OK);
		if (i == 0)
			answer_link_print(n, &l, token);
		assert_int_equal(answer_link_read(n, span_of(token), clock_now_ms(), &again), OK);
		assert_int_equal(answer_link_read(n, span_of(token), l.until_ms, &again), ERR_EXPIRED);
		assert_int_equal(reads(token, &again), ERR_NOT_FOUND);
		node_close(n);
	}
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_was_written),
		cmocka_unit_test(it_ends_when_it_says),
		cmocka_unit_test(nothing_else_is_a_link),
		cmocka_unit_test(the_key_is_the_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
