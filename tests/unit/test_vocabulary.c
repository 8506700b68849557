#include "regime/vocabulary.h"

#include "test.h"

/* RSIT version 1003, its own order. */
static const char *const rsit[] = {
	"abusive-content/spam",
	"abusive-content/harmful-speech",
	"abusive-content/violence",
	"malicious-code/infected-system",
	"malicious-code/c2-server",
	"malicious-code/malware-distribution",
	"malicious-code/malware-configuration",
	"information-gathering/scanner",
	"information-gathering/sniffing",
	"information-gathering/social-engineering",
	"intrusion-attempts/ids-alert",
	"intrusion-attempts/brute-force",
	"intrusion-attempts/exploit",
	"intrusions/privileged-account-compromise",
	"intrusions/unprivileged-account-compromise",
	"intrusions/application-compromise",
	"intrusions/system-compromise",
	"intrusions/burglary",
	"availability/dos",
	"availability/ddos",
	"availability/misconfiguration",
	"availability/sabotage",
	"availability/outage",
	"information-content-security/unauthorised-information-access",
	"information-content-security/unauthorised-information-modification",
	"information-content-security/data-loss",
	"information-content-security/data-leak",
	"fraud/unauthorised-use-of-resources",
	"fraud/copyright",
	"fraud/masquerade",
	"fraud/phishing",
	"vulnerable/weak-crypto",
	"vulnerable/ddos-amplifier",
	"vulnerable/potentially-unwanted-accessible",
	"vulnerable/information-disclosure",
	"vulnerable/vulnerable-system",
	"other/other",
	"other/undetermined",
	"test/test",
};

static void all_39_in_order(void **state)
{
	(void)state;
	assert_int_equal(TABLE_LENGTH(rsit), 39);
	assert_int_equal(CLASS_COUNT, 40);
	for (size_t i = 0; i < TABLE_LENGTH(rsit); i++) {
		enum rsit_class c = (enum rsit_class)(i + 1);

		assert_string_equal(class_name(c), rsit[i]);
		assert_true(strlen(class_says(c)) > 5);
		assert_int_equal(class_says(c)[strlen(class_says(c)) - 1], '.');
		assert_in_range(class_due_days(c), 1, 30);
	}
}

static void every_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rsit); i++) {
		const char *slash = strchr(rsit[i], '/');
		enum rsit_class expected = (enum rsit_class)(i + 1), full, type, tag;
		char with_colon[100];

		memcpy(with_colon, rsit[i], strlen(rsit[i]) + 1);
		with_colon[slash - rsit[i]] = ':';
		if (class_is_content(expected)) {
			assert_int_equal(class_parse(span_of(rsit[i]), &full), ERR_CLASS_CONTENT);
			assert_int_equal(class_parse(span_of(slash + 1), &full), ERR_CLASS_CONTENT);
			assert_int_equal(class_parse(span_of(with_colon), &full), ERR_CLASS_CONTENT);
			continue;
		}
		assert_int_equal(class_parse(span_of(rsit[i]), &full), OK);
		assert_int_equal(class_parse(span_of(slash + 1), &type), OK);
		assert_int_equal(class_parse(span_of(with_colon), &tag), OK);
		assert_int_equal(full, expected);
		assert_int_equal(type, expected);
		assert_int_equal(tag, expected);
	}
}

static void content_is_three(void **state)
{
	unsigned n = 0;

	(void)state;
	for (int c = 0; c < CLASS_COUNT; c++)
		n += class_is_content((enum rsit_class)c);
	assert_int_equal(n, 3);
	assert_true(class_is_content(CLASS_HARMFUL_SPEECH) && class_is_content(CLASS_VIOLENCE) &&
		    class_is_content(CLASS_COPYRIGHT));
}

static void other_spellings(void **state)
{
	static const struct {
		const char *name;
		enum err err;
		enum rsit_class class;
	} cases[] = {
		{ "unauthorized-use-of-resources", OK, CLASS_UNAUTHORISED_USE_OF_RESOURCES },
		{ "unauthorized-information-access", OK, CLASS_UNAUTHORISED_INFORMATION_ACCESS },
		{ "blacklist", OK, CLASS_OTHER },
		{ "tor", OK, CLASS_OTHER },
		{ "unknown", OK, CLASS_UNDETERMINED },
		{ "", ERR_CLASS_UNKNOWN, CLASS_NONE },
		{ "/", ERR_CLASS_UNKNOWN, CLASS_NONE },
		{ "spam ", ERR_CLASS_UNKNOWN, CLASS_NONE },
		{ "Spam", ERR_CLASS_UNKNOWN, CLASS_NONE },
		{ "fraud/spam", ERR_CLASS_UNKNOWN, CLASS_NONE },
		{ "malicious-code/", ERR_CLASS_UNKNOWN, CLASS_NONE },
		{ "speech", ERR_CLASS_UNKNOWN, CLASS_NONE },
		{ "political-opinion", ERR_CLASS_UNKNOWN, CLASS_NONE },
		{ "abusive-content/copyright", ERR_CLASS_UNKNOWN, CLASS_NONE },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		enum rsit_class c = CLASS_NONE;

		assert_int_equal(class_parse(span_of(cases[i].name), &c), cases[i].err);
		assert_int_equal(c, cases[i].class);
	}
}

static void urgency(void **state)
{
	(void)state;
	assert_int_equal(class_due_days(CLASS_C2_SERVER), 1);
	assert_int_equal(class_due_days(CLASS_DDOS), 1);
	assert_int_equal(class_due_days(CLASS_INFECTED_SYSTEM), 3);
	assert_int_equal(class_due_days(CLASS_BRUTE_FORCE), 3);
	assert_int_equal(class_due_days(CLASS_VULNERABLE_SYSTEM), 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_39_in_order), cmocka_unit_test(every_spelling), cmocka_unit_test(content_is_three),
		cmocka_unit_test(other_spellings), cmocka_unit_test(urgency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
