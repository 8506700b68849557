/* Requests about speech in many languages are recognised; honest technical texts in the same languages pass. */
#include "regime/speech.h"

#include <yyjson.h>

#include "base/file.h"
#include "base/json.h"
#include "regime/vocabulary.h"
#include "scratch.h"
#include "test.h"

static size_t languages(yyjson_val *list)
{
	const char *seen[32] = { NULL };
	size_t count = 0, index, size;
	yyjson_val *v;

	yyjson_arr_foreach(list, index, size, v)
	{
		const char *one = yyjson_get_str(yyjson_obj_get(v, "language"));
		size_t i = 0;

		assert_non_null(one);
		while (i < count && strcmp(seen[i], one) != 0)
			i++;
		if (i == count) {
			assert_true(count < TABLE_LENGTH(seen));
			seen[count++] = one;
		}
	}
	return count;
}

/* All of them are asked for, or none is. */
static void corpus(void **state, const char *path, bool asked)
{
	struct scratch *s = *state;
	struct yyjson_doc *doc = NULL;
	struct span text;
	size_t index, size, wrong = 0;
	yyjson_val *v, *list;

	assert_int_equal(file_read(s->arena, path, 1 << 20, &text), OK);
	assert_int_equal(json_read(s->arena, text, &doc), OK);
	list = yyjson_doc_get_root(doc);
	assert_true(yyjson_arr_size(list) >= 60);
	assert_true(languages(list) >= 8);
	yyjson_arr_foreach(list, index, size, v)
	{
		yyjson_val *t = yyjson_obj_get(v, "text");
		const char *phrase = "";

		if (speech_asked(span_make(yyjson_get_str(t), yyjson_get_len(t)), &phrase) == asked)
			continue;
		print_error("%s: %s\n", yyjson_get_str(t), asked ? "passes" : phrase);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void requests_are_found(void **state)
{
	corpus(state, "tests/data/speech/requests.json", true);
}

static void honest_texts_pass(void **state)
{
	corpus(state, "tests/data/speech/honest.json", false);
}

static void whole_words_in_any_spelling(void **state)
{
	static const struct {
		const char *text;
		bool asked;
	} rows[] = {
		{ "", false },
		{ "hate speech", true },
		{ "HATE-SPEECH", true },
		{ "hate_speech!", true },
		{ "hate  \n speech", true },
		{ "hate\xc2\xad speech", true }, /* soft hyphen */
		{ "h\xcc\x81"
		  "ate speech",
		  true },
		{ "hate speeches", false },
		{ "whate speech", false },
		{ "hatespeech", false },
		{ "\xff\xfe hate speech \xff", true },
		{ "Beitrag l\xc3\xb6schen", true },
		{ "Beitrag loeschen", true },
		{ "BEITRAG LO\xcc\x88SCHEN", true },
		{ "Beitrag loschen", true },
		{ "remove the posts", false },
		{ "propaganda", true },
		{ "GOTTESL\xc3\x84STERUNG", true },
		{ "\xe7\x89\x88\xe6\x9d\x83", true },
		{ "\xe8\xaf\xb7\xe5\x88\xa0\xe9\x99\xa4\xe5\xb8\x96\xe5\xad\x90\xe3\x80\x82", true },
		{ "\xef\xbd\x88\xef\xbd\x81\xef\xbd\x94\xef\xbd\x85 speech", true }, /* full width */
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++)
		if (speech_asked(span_of(rows[i].text), NULL) != rows[i].asked)
			fail_msg("%s", rows[i].text);
}

/* Wherever it stands in a long text. */
static void long_texts(void **state)
{
	struct scratch *s = *state;
	size_t size = 9000;
	char *text = arena_alloc(s->arena, size);

	for (size_t at = 0; at + 13 < size; at += 7) {
		for (size_t i = 0; i < size; i++)
			text[i] = i % 6 == 5 ? ' ' : 'x';
		assert_false(speech_asked(span_make(text, size), NULL));
		memcpy(text + at, " hate speech ", 13);
		assert_true(speech_asked(span_make(text, size), NULL));
	}
	memset(text, 'x', size);
	assert_false(speech_asked(span_make(text, size), NULL));
}

/* A word for a class, wherever a report or a command names one. */
static void class_words(void **state)
{
	enum rsit_class c;

	(void)state;
	assert_int_equal(class_parse(SPAN("hate-speech"), &c), ERR_CLASS_CONTENT);
	assert_int_equal(class_parse(SPAN("content/fake-news"), &c), ERR_CLASS_CONTENT);
	assert_int_equal(class_parse(SPAN("fraud/copyright"), &c), ERR_CLASS_CONTENT);
	assert_int_equal(class_parse(SPAN("some-new-word"), &c), ERR_CLASS_UNKNOWN);
	assert_int_equal(class_parse(SPAN("scanner"), &c), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_are_found, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(honest_texts_pass, scratch_setup, scratch_teardown),
		cmocka_unit_test(whole_words_in_any_spelling),
		cmocka_unit_test_setup_teardown(long_texts, scratch_setup, scratch_teardown),
		cmocka_unit_test(class_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
