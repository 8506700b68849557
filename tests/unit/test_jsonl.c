#include "report_test.h"

static const struct report_options defaults;

#define FLAT                                                                                                           \
	"{\"__type\":\"Event\",\"time.source\":\"2026-11-22T21:30:00+01:00\",\"source.ip\":\"8.8.4.4\","               \
	"\"source.port\":4000,\"destination.ip\":\"192.0.2.1\",\"destination.port\":\"22\","                           \
	"\"protocol.transport\":\"tcp\",\"classification.type\":\"brute-force\",\"feed.name\":\"x\"}"
#define NESTED                                                                                                         \
	"{\"time\":{\"source\":\"2026-11-22T20:30:00.5Z\"},\"source\":{\"ip\":\"8.8.4.4\",\"asn\":5},"                 \
	"\"destination\":{\"port\":22},\"classification\":{\"type\":\"c2-server\"},\"protocol\":{\"transport\":"       \
	"\"udp\"}}"
#define IP "{\"ip\":\"8.8.4.4\"}"

static void reads_rows(void **state)
{
	static const struct {
		const char *text, *rows;
	} cases[] = {
		{ FLAT "\n",
		  "+1 1795379400000 8.8.4.4/0:4000>192.0.2.1:22 6 intrusion-attempts/brute-force " FLAT "\n" },
		{ NESTED "\r\n\n" IP, "+1 1795379400500 8.8.4.4/0:0>:22 17 malicious-code/c2-server " NESTED "\n"
				      "+3 0 8.8.4.4/0:0>:0 0 other/undetermined " IP "\n" },
		{ "{\"src_ip\":\"8.8.4.4\",\"dest_ip\":\"10.0.0.1\",\"dest_port\":443,\"timestamp\":"
		  "\"2026-11-22T20:30:00.000000+0000\",\"proto\":\"TCP\"}\n",
		  "+1 1795379400000 8.8.4.4/0:0>10.0.0.1:443 6 other/undetermined "
		  "{\"src_ip\":\"8.8.4.4\",\"dest_ip\":\"10.0.0.1\",\"dest_port\":443,\"timestamp\":"
		  "\"2026-11-22T20:30:00.000000+0000\",\"proto\":\"TCP\"}\n" },
		{ IP "\n{\"ip\":\"8.8.4.4\",\"time\":1795379400}\n{\"ip\":\"8.8.4.4\",\"time\":1795379400.25}\n"
		     "{\"ip\":\"8.8.4.4\",\"time\":\"1795379400\"}\n{\"ip\":\"8.8.4.4\",\"time\":1795379400123}\n"
		     "{\"ip\":\"8.8.4.4\",\"time\":0}\n{\"ip\":\"8.8.4.4\",\"time\":-1}\n{\"ip\":\"8.8.4.4\",\"time\":"
		     "\"\"}\n"
		     "{\"ip\":\"8.8.4.4\",\"time\":1e300}\n{\"ip\":\"8.8.4.4\",\"time\":true}\n"
		     "{\"ip\":\"8.8.4.4\",\"time\":\"2099-01-01T00:00:00Z\"}\n{\"ip\":\"8.8.4.4\",\"time\":null}\n",
		  "+1 0 8.8.4.4/0:0>:0 0 other/undetermined " IP "\n"
		  "+2 1795379400000 8.8.4.4/0:0>:0 0 other/undetermined {\"ip\":\"8.8.4.4\",\"time\":1795379400}\n"
		  "+3 1795379400250 8.8.4.4/0:0>:0 0 other/undetermined {\"ip\":\"8.8.4.4\",\"time\":1795379400.25}\n"
		  "+4 1795379400000 8.8.4.4/0:0>:0 0 other/undetermined {\"ip\":\"8.8.4.4\",\"time\":\"1795379400\"}\n"
		  "+5 1795379400123 8.8.4.4/0:0>:0 0 other/undetermined {\"ip\":\"8.8.4.4\",\"time\":1795379400123}\n"
		  "-6 time time {\"ip\":\"8.8.4.4\",\"time\":0}\n-7 time time {\"ip\":\"8.8.4.4\",\"time\":-1}\n"
		  "-8 time time {\"ip\":\"8.8.4.4\",\"time\":\"\"}\n-9 time time {\"ip\":\"8.8.4.4\",\"time\":1e300}\n"
		  "-10 time time {\"ip\":\"8.8.4.4\",\"time\":true}\n"
		  "-11 time-future time {\"ip\":\"8.8.4.4\",\"time\":\"2099-01-01T00:00:00Z\"}\n"
		  "+12 0 8.8.4.4/0:0>:0 0 other/undetermined {\"ip\":\"8.8.4.4\",\"time\":null}\n" },
		{ "{\"ip\":\"8.8.4.4\",\"malware.name\":\"Mirai\"}\n{\"ip\":\"8.8.4.4\",\"malware\":{\"name\":\"x\"}}\n"
		  "{\"ip\":\"8.8.4.4\",\"malware\":7}\n",
		  "+1 0 8.8.4.4/0:0>:0 0 other/undetermined [Mirai] {\"ip\":\"8.8.4.4\",\"malware.name\":\"Mirai\"}\n"
		  "+2 0 8.8.4.4/0:0>:0 0 other/undetermined [x] {\"ip\":\"8.8.4.4\",\"malware\":{\"name\":\"x\"}}\n"
		  "+3 0 8.8.4.4/0:0>:0 0 other/undetermined {\"ip\":\"8.8.4.4\",\"malware\":7}\n" },
		/* networks in place of addresses */
		/* Spamhaus: the last line is about the list, and a list of networks names no addresses */
		{ "{\"cidr\":\"8.8.4.0/24\",\"sblid\":\"SBL1\",\"rir\":\"arin\"}\n{\"cidr\":\"2a00:1450::/"
		  "32\",\"sblid\":\"SBL2\","
		  "\"rir\":\"ripencc\"}\n{\"type\":\"metadata\",\"timestamp\":1795309229,\"size\":9,\"records\":2}\n",
		  "+1 1795309229000 8.8.4.0/24:0>:0 0 other/undetermined "
		  "{\"cidr\":\"8.8.4.0/24\",\"sblid\":\"SBL1\",\"rir\":\"arin\"}\n"
		  "+2 1795309229000 2a00:1450::/32:0>:0 0 other/undetermined "
		  "{\"cidr\":\"2a00:1450::/32\",\"sblid\":\"SBL2\",\"rir\":\"ripencc\"}\n" },
		{ "{\"asn\":64500,\"rir\":\"arin\",\"cc\":\"EE\",\"asname\":\"X\"}\n{\"type\":\"metadata\",\"records\":"
		  "1}\n",
		  "-1 no-address asn {\"asn\":64500,\"rir\":\"arin\",\"cc\":\"EE\",\"asname\":\"X\"}\n" },
		{ "{\"ip\":\"8.8.4.0/24\"}\n{\"source.network\":\"8.8.4.4/32\"}\n{\"cidr\":\"8.8.4.4/24\"}\n",
		  "+1 0 8.8.4.0/24:0>:0 0 other/undetermined {\"ip\":\"8.8.4.0/24\"}\n"
		  "+2 0 8.8.4.4/0:0>:0 0 other/undetermined {\"source.network\":\"8.8.4.4/32\"}\n"
		  "-3 prefix cidr {\"cidr\":\"8.8.4.4/24\"}\n" },
		/* classes; what judges content has none */
		{ IP
		  "\n{\"ip\":\"8.8.4.4\",\"class\":\"harmful-speech\"}\n{\"ip\":\"8.8.4.4\",\"class\":\"juggling\"}\n"
		  "{\"ip\":\"8.8.4.4\",\"class\":\"blacklist\"}\n{\"ip\":\"8.8.4.4\",\"class\":\"vulnerable/"
		  "weak-crypto\"}\n"
		  "{\"ip\":\"8.8.4.4\",\"class\":\"vulnerable/weak-crypto\"}\n{\"ip\":\"8.8.4.4\",\"class\":\"\"}\n",
		  "+1 0 8.8.4.4/0:0>:0 0 other/undetermined " IP "\n"
		  "-2 class-content class {\"ip\":\"8.8.4.4\",\"class\":\"harmful-speech\"}\n"
		  "-3 class-unknown class {\"ip\":\"8.8.4.4\",\"class\":\"juggling\"}\n"
		  "+4 0 8.8.4.4/0:0>:0 0 other/other {\"ip\":\"8.8.4.4\",\"class\":\"blacklist\"}\n"
		  "+5 0 8.8.4.4/0:0>:0 0 vulnerable/weak-crypto "
		  "{\"ip\":\"8.8.4.4\",\"class\":\"vulnerable/weak-crypto\"}\n"
		  "+6 0 8.8.4.4/0:0>:0 0 vulnerable/weak-crypto "
		  "{\"ip\":\"8.8.4.4\",\"class\":\"vulnerable/weak-crypto\"}\n"
		  "+7 0 8.8.4.4/0:0>:0 0 other/undetermined {\"ip\":\"8.8.4.4\",\"class\":\"\"}\n" },
		/* no JSON, no object, no address, the same key twice */
		{ IP
		  "\n{\n[]\n7\n{}\n{\"ip\":7}\n{\"ip\":\"192.168.1.1\"}\n{\"ip\":\"8.8.4.4\",\"ip\":\"8.8.8.8\"}\n"
		  "{\"source\":{\"ip\":\"8.8.4.4\"},\"source.ip\":\"8.8.8.8\"}\n{\"ip\":\"8.8.4.4\",\"port\":70000}\n"
		  "{\"ip\":\"8.8.4.4\",\"port\":-1}\n{\"ip\":\"8.8.4.4\",\"x\":\"\xff\"}\n",
		  "+1 0 8.8.4.4/0:0>:0 0 other/undetermined " IP "\n-2 json  {\n-3 json  []\n-4 json  7\n"
		  "-5 address source.ip {}\n-6 address ip {\"ip\":7}\n"
		  "-7 address-special ip {\"ip\":\"192.168.1.1\"}\n"
		  "-8 duplicate-key ip {\"ip\":\"8.8.4.4\",\"ip\":\"8.8.8.8\"}\n"
		  "-9 duplicate-key source.ip {\"source\":{\"ip\":\"8.8.4.4\"},\"source.ip\":\"8.8.8.8\"}\n"
		  "-10 number port {\"ip\":\"8.8.4.4\",\"port\":70000}\n"
		  "-11 number port {\"ip\":\"8.8.4.4\",\"port\":-1}\n"
		  "-12 encoding  {\"ip\":\"8.8.4.4\",\"x\":\"\xff\"}\n" },
		/* several keys for one thing: the first of our table counts, wherever it stands */
		{ "{\"ip\":\"9.9.9.9\",\"source.ip\":\"8.8.4.4\",\"time.observation\":\"x\",\"time.source\":\"2026-11-"
		  "22T20:30:00Z\"}",
		  "+1 1795379400000 8.8.4.4/0:0>:0 0 other/undetermined {\"ip\":\"9.9.9.9\",\"source.ip\":\"8.8.4.4\","
		  "\"time.observation\":\"x\",\"time.source\":\"2026-11-22T20:30:00Z\"}\n" },
		{ "{\"name\":\"x\"}\n", "format-unknown" },
		{ "{\n\"ip\": \"8.8.4.4\"\n}\n", "format-unknown" },
		{ "[{\"ip\":\"8.8.4.4\"}]\n", "format-unknown" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		reads_as("events.jsonl", span_of(cases[i].text), defaults, cases[i].rows);
}

static void takes_options(void **state)
{
	const struct report_options spam = { .class = CLASS_SPAM, .date_ms = TEST_NOW - 1 };

	(void)state;
	reads_as(
		"-",
		SPAN(IP "\n{\"ip\":\"8.8.4.4\",\"class\":\"violence\"}\n{\"ip\":\"8.8.4.4\",\"class\":\"juggling\"}\n"),
		spam,
		"+1 1795379999999 8.8.4.4/0:0>:0 0 abusive-content/spam " IP "\n"
		"-2 class-content class {\"ip\":\"8.8.4.4\",\"class\":\"violence\"}\n"
		"+3 1795379999999 8.8.4.4/0:0>:0 0 abusive-content/spam {\"ip\":\"8.8.4.4\",\"class\":\"juggling\"}\n");
}

static void refuses_depth(void **state)
{
	char text[600];
	static const struct {
		int depth;
		const char *rows;
	} cases[] = { { 62, "+1 " }, { 63, "+1 " }, { 64, "-1 depth " }, { 200, "-1 depth " } };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct buffer b = BUFFER(1000);
		struct arena *a = arena_new(1 << 20);
		struct report_options options = { .from = FORMAT_JSON_LINES, .now_ms = TEST_NOW };
		struct law law = { .out = BUFFER(10000) };
		struct scratch *s;
		struct layout *l;

		buffer_text(&b, "{\"ip\":\"8.8.4.4\",\"a\":");
		for (int k = 0; k < cases[i].depth; k++)
			buffer_byte(&b, '[');
		for (int k = 0; k < cases[i].depth; k++)
			buffer_byte(&b, ']');
		buffer_text(&b, ",\"b\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
				"[[[[[[[[\"}");
		assert_true(b.len < sizeof(text));
		assert_int_equal(scratch_new(&s), OK);
		assert_int_equal(report_detect(a, SPAN("x"), buffer_view(&b), &options, &l), OK);
		law_read(l, s, buffer_view(&b), b.len + 1, REPORT_ROW_MAX, &law);
		assert_true(span_starts(buffer_view(&law.out), cases[i].rows));
		buffer_free(&law.out);
		buffer_free(&b);
		scratch_free(s);
		arena_free(a);
	}
}

/* As many brackets and values as fit into a row: the pool must suffice. */
static void takes_the_longest_row(void **state)
{
	char *text = malloc(REPORT_ROW_MAX + 100);
	const char *start = "{\"ip\":\"8.8.4.4\",\"a\":[";
	struct arena *a = arena_new(1 << 20);
	struct report_options options = { .from = FORMAT_JSON_LINES, .now_ms = TEST_NOW };

	(void)state;
	assert_non_null(text);
	for (int over = 0; over < 2; over++) {
		size_t n = strlen(start), end = REPORT_ROW_MAX + (size_t)over;
		struct law law = { .out = BUFFER(1 << 20) };
		struct scratch *s;
		struct layout *l;

		memcpy(text, start, n);
		while (n < end - 5) {
			memcpy(text + n, "1,", 2);
			n += 2;
		}
		memset(text + n, '1', end - 2 - n);
		memcpy(text + end - 2, "]}", 2);
		assert_int_equal(scratch_new(&s), OK);
		assert_int_equal(report_detect(a, SPAN("x"), span_make(text, REPORT_HEAD), &options, &l), OK);
		law_read(l, s, span_make(text, end), end + 1, REPORT_ROW_MAX, &law);
		assert_int_equal(law.events, !over);
		assert_int_equal(law.rejects, over);
		assert_true(law_holds(l, s, span_make(text, end), 1000, REPORT_ROW_MAX));
		buffer_free(&law.out);
		scratch_free(s);
	}
	arena_free(a);
	free(text);
}

static void describes_layouts(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const struct report_options options = { .now_ms = TEST_NOW };
	struct layout *l;

	(void)state;
	assert_int_equal(report_detect(a, SPAN("-"), SPAN("x\n" FLAT "\n"), &options, &l), ERR_FORMAT_UNKNOWN);
	assert_int_equal(report_detect(a, SPAN("-"), SPAN("{x\n" FLAT "\n"), &options, &l), OK);
	assert_span(layout_type(l), "intelmq");
	assert_int_equal(layout_unknown_columns(l), 0);
	assert_int_equal(report_detect(a, SPAN("-"), SPAN(NESTED "\n"), &options, &l), OK);
	assert_span(layout_type(l), "intelmq");
	assert_int_equal(report_detect(a, SPAN("-"), SPAN("  {\"ip\":\"8.8.4.4\",\"mood\":1}"), &options, &l), OK);
	assert_span(layout_type(l), "json");
	assert_int_equal(layout_unknown_columns(l), 1);
	assert_int_equal(layout_header(l).len, 0);
	arena_free(a);
}

static void law_of_chunks(void **state)
{
	static const char *const pieces[] = { FLAT "\n",
					      NESTED "\r\n",
					      IP "\n",
					      "\n",
					      "\"",
					      "{",
					      "\r",
					      "}\n",
					      "                              ",
					      "{\"ip\":\"8.8.4.4\",\"class\":\"violence\"}\n" };

	(void)state;
	keeps_the_law("-", IP "\n", pieces, TABLE_LENGTH(pieces));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rows),	     cmocka_unit_test(takes_options),
		cmocka_unit_test(refuses_depth),     cmocka_unit_test(takes_the_longest_row),
		cmocka_unit_test(describes_layouts), cmocka_unit_test(law_of_chunks),
	};

	return cmocka_run_group_tests_name("jsonl", tests, NULL, NULL);
}
