#include "test.h"

#include "proof/key_statement.h"

#define HEX "5fe1000000000000000000000000000000000000000000000000000000000ac2"
#define OTHER "5fe1000000000000000000000000000000000000000000000000000000000ac3"
#define FILE_TEXT "comity-key 1\nparty as64500.example\nkey " HEX "\n"

static struct key_statement one(void)
{
	struct key_statement k = { .party = SPAN("as64500.example") };

	assert_int_equal(hash_from_hex(SPAN(HEX), &k.key), OK);
	return k;
}

static void both_forms_are_written_and_read(void **state)
{
	struct buffer text = BUFFER(1000), txt = BUFFER(1000);
	struct key_statement k = one(), back;

	(void)state;
	key_statement_print(&k, &text);
	key_statement_print_txt(&k, &txt);
	assert_span(buffer_view(&text), FILE_TEXT);
	assert_span(buffer_view(&txt), "v=comity1; party=as64500.example; key=" HEX);
	assert_int_equal(key_statement_parse(buffer_view(&text), &back), OK);
	assert_span(back.party, "as64500.example");
	assert_true(hash_equal(back.key, k.key));
	assert_int_equal(key_statement_check_txt(buffer_view(&txt), &k), OK);
	buffer_free(&text);
	buffer_free(&txt);
}

static void a_file_has_one_form(void **state)
{
	static const char *good[] = {
		FILE_TEXT,
		"comity-key 1\r\nparty as64500.example\r\nkey " HEX "\r\n",
		"comity-key 1\r\nparty as64500.example\nkey " HEX "\n",
	};
	static const char *bad[] = {
		"",
		"\n",
		"comity-key 1\n",
		"comity-key 2\nparty as64500.example\nkey " HEX "\n",
		"comity-key 1\nparty as64500.example\nkey " HEX,
		"comity-key 1\nparty as64500.example\nkey " HEX "\n\n",
		"comity-key 1\nparty as64500.example\nkey " HEX "\nmore\n",
		"comity-key 1\nparty as64500.example\nkey " HEX "0\n",
		"comity-key 1\nparty as64500.example\nkey "
		"5FE1000000000000000000000000000000000000000000000000000000000ac2\n",
		"comity-key 1\nparty AS64500.example\nkey " HEX "\n",
		"comity-key 1\nparty as64500.example \nkey " HEX "\n",
		"comity-key 1\nparty  as64500.example\nkey " HEX "\n",
		"comity-key 1\nparty localhost\nkey " HEX "\n",
		"comity-key 1\nkey " HEX "\nparty as64500.example\n",
		" comity-key 1\nparty as64500.example\nkey " HEX "\n",
		"comity-key 1\r\r\nparty as64500.example\nkey " HEX "\n",
	};
	struct key_statement k, wanted = one();

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(good); i++) {
		assert_int_equal(key_statement_parse(span_of(good[i]), &k), OK);
		assert_true(span_equal(k.party, wanted.party) && hash_equal(k.key, wanted.key));
	}
	for (size_t i = 0; i < TABLE_LENGTH(bad); i++)
		if (key_statement_parse(span_of(bad[i]), &k) != ERR_EVIDENCE)
			fail_msg("taken: %s", bad[i]);
}

static void a_record_has_tags_in_any_order(void **state)
{
	static const struct {
		const char *text;
		enum err e;
	} table[] = {
		{ "v=comity1; party=as64500.example; key=" HEX, OK },
		{ "key=" HEX ";party=as64500.example;v=comity1;", OK },
		{ " v = comity1 ;\r\n\tparty=as64500.example ; n=a note=with signs; key=" HEX " ; ", OK },
		{ "v=comity1; party=as64500.example; key=" HEX "; n=; n=", OK },
		{ "v=comity2; party=as64500.example; key=" HEX, ERR_EVIDENCE_KEY },
		{ "v=spf1 -all; party=as64500.example; key=" HEX, ERR_EVIDENCE_KEY },
		{ "v=comity1; party=as64501.example; key=" HEX, ERR_EVIDENCE_KEY },
		{ "v=comity1; party=; key=" HEX, ERR_EVIDENCE_KEY },
		{ "v=comity1; party=as64500.example; key=" OTHER, ERR_EVIDENCE_KEY },
		{ "", ERR_EVIDENCE },
		{ ";", ERR_EVIDENCE },
		{ "v=spf1 -all", ERR_EVIDENCE },
		{ "v=comity1", ERR_EVIDENCE },
		{ "v=comity1; party=as64500.example", ERR_EVIDENCE },
		{ "v=comity1; key=" HEX, ERR_EVIDENCE },
		{ "party=as64500.example; key=" HEX, ERR_EVIDENCE },
		{ "v=comity1;; party=as64500.example; key=" HEX, ERR_EVIDENCE },
		{ "v=comity1; party=as64500.example; key=" HEX "; key=" HEX, ERR_EVIDENCE },
		{ "v=comity1; party=as64500.example; key=" HEX "; key=" OTHER, ERR_EVIDENCE },
		{ "v=comity1; party=as64500.example; KEY=" HEX, ERR_EVIDENCE },
		{ "v=comity1; party=as64500.example; key=" HEX "0", ERR_EVIDENCE },
		{ "v=comity1; party=as64500.example; key=" HEX "; 1=x", ERR_EVIDENCE },
		{ "v=comity1; party=as64500.example; key=" HEX "; x", ERR_EVIDENCE },
	};
	struct key_statement k = one();

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		enum err e = key_statement_check_txt(span_of(table[i].text), &k);

		if (e != table[i].e)
			fail_msg("%s: %s", table[i].text, err_code(e));
	}
	/* a zero byte is no white space */
	assert_int_equal(key_statement_check_txt(SPAN("v=comity1\0; party=as64500.example; key=" HEX), &k),
			 ERR_EVIDENCE_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_are_written_and_read),
		cmocka_unit_test(a_file_has_one_form),
		cmocka_unit_test(a_record_has_tags_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
