#include "test.h"

#include <stdio.h>

#include "regime/norms.h"

static bool knows(const char *norm, enum metric m)
{
	const struct norm_set *set;
	const struct norm *n;

	if (norm_parse(span_of(norm), &set, &n) != OK)
		fail_msg("%s: %s", norm, err_detail());
	for (const enum metric *at = n->metrics; *at != METRIC_COUNT; at++)
		if (*at == m)
			return true;
	return false;
}

static void the_sets_are_whole(void **state)
{
	static const struct {
		const char *name;
		unsigned version;
		size_t count;
	} expected[] = { { "industry", 2017, 5 }, { "osce", 2016, 16 }, { "un", 2015, 11 }, { "un", 2021, 11 } };
	size_t count;
	const struct norm_set *sets = norm_sets(&count);

	(void)state;
	assert_int_equal(count, TABLE_LENGTH(expected));
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(sets[i].name, expected[i].name);
		assert_int_equal(sets[i].version, expected[i].version);
		assert_int_equal(sets[i].count, expected[i].count);
		assert_true(strlen(sets[i].document) > 5);
	}
	for (char c = 'a'; c <= 'k'; c++) {
		assert_int_equal(sets[2].norms[c - 'a'].id[0], c);
		assert_int_equal(sets[3].norms[c - 'a'].id[0], c);
	}
}

static void every_norm_is_found_by_its_words(void **state)
{
	size_t count;
	const struct norm_set *sets = norm_sets(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < sets[i].count; j++) {
			const struct norm *n = &sets[i].norms[j], *found = NULL;
			const struct norm_set *set = NULL;
			char words[80];

			snprintf(words, sizeof(words), "%s %u %s", sets[i].name, sets[i].version, n->id);
			assert_int_equal(norm_parse(span_of(words), &set, &found), OK);
			assert_ptr_equal(set, &sets[i]);
			assert_ptr_equal(found, n);
			assert_true(span_ends(span_of(n->text), "."));
			assert_true(strlen(n->title) > 5 && strchr(n->text, '\n') == NULL);
			for (const enum metric *m = n->metrics; *m != METRIC_COUNT; m++) {
				assert_true((unsigned)*m < METRIC_COUNT);
				for (const enum metric *before = n->metrics; before < m; before++)
					assert_int_not_equal(*before, *m);
			}
		}
}

/* Each metric is of use to some norm, or nobody could pledge it. */
static void every_metric_has_a_norm(void **state)
{
	size_t count;
	const struct norm_set *sets = norm_sets(&count);

	(void)state;
	for (int m = 0; m < METRIC_COUNT; m++) {
		bool found = false;

		for (size_t i = 0; i < count; i++)
			for (size_t j = 0; j < sets[i].count; j++)
				for (const enum metric *at = sets[i].norms[j].metrics; *at != METRIC_COUNT; at++)
					found = found || (int)*at == m;
		if (!found)
			fail_msg("%s: no norm", metric_rule((enum metric)m)->name);
	}
}

static void versions_are_kept_apart(void **state)
{
	const struct norm_set *old, *new;
	const struct norm *before, *after;

	(void)state;
	assert_int_equal(norm_parse(SPAN("un 2015 c"), &old, &before), OK);
	assert_int_equal(norm_parse(SPAN("un 2021 c"), &new, &after), OK);
	assert_int_equal(old->version, 2015);
	assert_int_equal(new->version, 2021);
	assert_string_not_equal(before->text, after->text);
	assert_true(knows("un 2015 c", METRIC_ACKNOWLEDGED) && knows("un 2021 c", METRIC_ACKNOWLEDGED));
	assert_false(knows("un 2015 c", METRIC_ARTEFACT_EQUAL));
	assert_false(knows("un 2015 e", METRIC_ACKNOWLEDGED));
	assert_true(knows("industry 2017 updates", METRIC_UPDATE_LAG));
	assert_true(knows("osce 2016 8", METRIC_CONTACT_LIVE));
}

static void what_is_no_norm_is_refused(void **state)
{
	static const struct {
		const char *words, *says;
	} refused[] = {
		{ "", "a set, its version" },
		{ "un", "a set, its version" },
		{ "un 2015", "a set, its version" },
		{ "un c 2015", "a set, its version" },
		{ "un 02015 c", "a set, its version" },
		{ "un 20150 c", "a set, its version" },
		{ "un 2015 ", "has no" },
		{ "un 2015 l", "un 2015 has no l" },
		{ "un 2015 C", "has no C" },
		{ "un 2015 c ", "has no c " },
		{ "un 2015 c d", "has no c d" },
		{ "un  2015 c", "a set, its version" },
		{ "UN 2015 c", "no set UN" },
		{ "un 2018 c", "un has no version 2018" },
		{ "osce 2013 1", "osce has no version 2013" },
		{ "osce 2016 17", "has no 17" },
		{ "osce 2016 0", "has no 0" },
		{ "nato 2015 c", "no set nato" },
		{ " 2015 c", "no set" },
	};
	const struct norm_set *set = NULL;
	const struct norm *norm = NULL;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(refused); i++) {
		if (norm_parse(span_of(refused[i].words), &set, &norm) != ERR_NORM)
			fail_msg("\"%s\" was let pass", refused[i].words);
		if (strstr(err_detail(), refused[i].says) == NULL)
			fail_msg("\"%s\": \"%s\"", refused[i].words, err_detail());
	}
	assert_int_equal(norm_parse((struct span){ NULL, 0 }, &set, &norm), ERR_NORM);
	assert_null(norm);
}

static void grades_are_told(void **state)
{
	(void)state;
	assert_string_equal(norm_grade_name(GRADE_MEASURED), "measured");
	assert_string_equal(norm_grade_name(GRADE_EVIDENCE), "evidence");
	assert_string_equal(norm_grade_name(GRADE_DECLARED), "declared");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sets_are_whole),	      cmocka_unit_test(every_norm_is_found_by_its_words),
		cmocka_unit_test(every_metric_has_a_norm),    cmocka_unit_test(versions_are_kept_apart),
		cmocka_unit_test(what_is_no_norm_is_refused), cmocka_unit_test(grades_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
