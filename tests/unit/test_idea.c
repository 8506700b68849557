#include "report_test.h"

#define HEAD                                                                                                           \
	"\"Format\":\"IDEA0\",\"ID\":\"1\",\"DetectTime\":\"2026-11-22T20:30:05Z\",\"Category\":[\"Attempt.Login\"]"
#define TARGET "\"Target\":[{\"IP4\":[\"9.9.9.9\"],\"Port\":[22],\"Proto\":[\"tcp\",\"ssh\"]}]"
#define WHEN "1795379405000 "
#define CLASS " intrusion-attempts/brute-force "

static const struct report_options defaults = { .from = FORMAT_IDEA };

static void one(const char *text, const char *rows)
{
	reads_as("x.json", span_of(text), defaults, rows);
}

static void reads_sources(void **state)
{
	(void)state;
	one("{" HEAD ",\"Source\":[{\"IP4\":[\"8.8.4.4\"],\"Port\":[4711]}]," TARGET "}",
	    "+1 " WHEN "8.8.4.4/0:4711>9.9.9.9:22 6" CLASS "{" HEAD "," TARGET
	    ",\"Source\":[{\"Port\":[4711],\"IP4\":[\"8.8.4.4\"]}]}\n");
	/* each address of each source; what they share stands in each row */
	one("[{" HEAD ",\"Source\":[{\"IP4\":[\"8.8.4.4\",\"8.8.8.0/24\"],\"IP6\":[\"2a00:1450::1\"],\"_own\":1},\n"
	    "{\"Port\":[\"6000-6010\"],\"Proto\":[\"icmp\"],\"IP4\":[\"9.9.9.9\"]}],\"_CESNET\":{\"a\":1}}]",
	    "+1 " WHEN "8.8.4.4/0:0>:0 0" CLASS "{" HEAD ",\"Source\":[{\"IP4\":[\"8.8.4.4\"]}]}\n"
	    "+1 " WHEN "8.8.8.0/24:0>:0 0" CLASS "{" HEAD ",\"Source\":[{\"IP4\":[\"8.8.8.0/24\"]}]}\n"
	    "+1 " WHEN "2a00:1450::1/0:0>:0 0" CLASS "{" HEAD ",\"Source\":[{\"IP6\":[\"2a00:1450::1\"]}]}\n"
	    "+1 " WHEN "9.9.9.9/0:6000>:0 1" CLASS "{" HEAD
	    ",\"Source\":[{\"Port\":[\"6000-6010\"],\"Proto\":[\"icmp\"],\"IP4\":[\"9.9.9.9\"]}]}\n");
	/* the event's own time comes before that of its detection */
	one("{" HEAD ",\"EventTime\":\"2026-11-22T22:30:00.5+02:00\",\"Source\":[{\"IP4\":[\"8.8.4.4\"]}]}",
	    "+1 1795379400500 8.8.4.4/0:0>:0 0" CLASS "{" HEAD
	    ",\"EventTime\":\"2026-11-22T22:30:00.5+02:00\",\"Source\":[{\"IP4\":[\"8.8.4.4\"]}]}\n");
}

#define RANGE(text) "{" HEAD ",\"Source\":[{\"IP4\":[\"" text "\"]}]}"
#define BLOCK(block, text) "+1 " WHEN block ":0>:0 0" CLASS "{" HEAD ",\"Source\":[{\"IP4\":[\"" text "\"]}]}\n"

static void cuts_ranges(void **state)
{
	(void)state;
	one(RANGE("8.8.4.4-8.8.4.4"), BLOCK("8.8.4.4/0", "8.8.4.4"));
	one(RANGE("8.8.4.0-8.8.4.255"), BLOCK("8.8.4.0/24", "8.8.4.0/24"));
	one(RANGE("8.8.4.2-8.8.4.5"), BLOCK("8.8.4.2/31", "8.8.4.2/31") BLOCK("8.8.4.4/31", "8.8.4.4/31"));
	one(RANGE("8.8.4.7-8.8.4.8"), BLOCK("8.8.4.7/0", "8.8.4.7") BLOCK("8.8.4.8/0", "8.8.4.8"));
	one(RANGE("8.8.4.5-8.8.4.4"), "-1 prefix Source.IP4 " RANGE("8.8.4.5-8.8.4.4") "\n");
	one(RANGE("8.8.4.5-2a00::1"), "-1 prefix Source.IP4 " RANGE("8.8.4.5-2a00::1") "\n");
	one(RANGE("8.8.4.5-"), "-1 address Source.IP4 " RANGE("8.8.4.5-") "\n");
	one(RANGE("8.8.4.4/24"), "-1 prefix Source.IP4 " RANGE("8.8.4.4/24") "\n");
	one(RANGE("8.8.4"), "-1 address Source.IP4 " RANGE("8.8.4") "\n");
	one(RANGE("10.1.1.1"), "-1 address-special Source.IP4 " RANGE("10.1.1.1") "\n");
	/* more blocks than a range may have */
	one(RANGE("8.0.0.1-9.255.255.254"), "-1 prefix Source.IP4 " RANGE("8.0.0.1-9.255.255.254") "\n");
}

/* One reject, whose code and field are these. */
static void refused(const char *members, const char *expected)
{
	struct buffer text = BUFFER(10000), rows = BUFFER(10000);

	buffer_print(&text, "{%s}", members);
	buffer_print(&rows, "-1 %s {%s}\n", expected, members);
	reads_as_span("x.json", buffer_view(&text), defaults, buffer_view(&rows));
	buffer_free(&text);
	buffer_free(&rows);
}

#define SOURCE ",\"Source\":[{\"IP4\":[\"8.8.4.4\"]}]"

static void refuses(void **state)
{
	(void)state;
	refused(HEAD ",\"Source\":[{\"IP4\":[\"8.8.4.4\"],\"Spoofed\":true}]", "spoofed Source");
	refused(HEAD ",\"Source\":[{\"IP4\":[\"8.8.4.4\"],\"Anonymised\":true}]", "no-address Source");
	refused(HEAD ",\"Source\":[{\"Hostname\":[\"a.example\"]}]", "no-address Source");
	refused(HEAD ",\"Source\":[7]", "field Source");
	refused(HEAD ",\"Source\":7", "field Source");
	refused(HEAD ",\"Source\":[{\"IP4\":\"8.8.4.4\"}]", "field Source.IP4");
	refused(HEAD ",\"Source\":[]", "no-address Source");
	refused(HEAD, "no-address Source");
	refused("\"Format\":\"IDEA9\"" SOURCE, "field Format");
	refused("\"Format\":\"IDEA0\"" SOURCE, "field-missing ID");
	refused("\"Format\":\"IDEA0\",\"ID\":\"1\"" SOURCE, "field-missing DetectTime");
	refused("\"Format\":\"IDEA0\",\"ID\":\"1\",\"DetectTime\":\"now\"" SOURCE, "time DetectTime");
	refused("\"Format\":\"IDEA0\",\"ID\":\"1\",\"DetectTime\":\"2026-11-22T20:30:05Z\"" SOURCE,
		"field-missing Category");
	refused("\"Format\":\"IDEA0\",\"ID\":\"1\",\"DetectTime\":\"2026-11-22T20:30:05Z\",\"Category\":[]" SOURCE,
		"field-missing Category");
	refused("\"Format\":\"IDEA0\",\"ID\":\"1\",\"DetectTime\":\"2099-11-22T20:30:05Z\",\"Category\":["
		"\"Other\"]" SOURCE,
		"time-future DetectTime");
	refused("\"Format\":\"IDEA0\",\"ID\":\"1\",\"DetectTime\":\"2026-11-22T20:30:05Z\",\"Category\":[\"Attempt."
		"Login\",\"Test\"]" SOURCE,
		"test Category");
	refused("\"Format\":\"IDEA0\",\"ID\":\"1\",\"DetectTime\":\"2026-11-22T20:30:05Z\",\"Category\":[\"Abusive."
		"Harassment\"]" SOURCE,
		"class-content Category");
	refused(HEAD ",\"ID\":\"2\"" SOURCE, "duplicate-key ID");
}

static void finds_classes(void **state)
{
	static const char *const cases[][3] = {
		{ "\"Recon.Scanning\"", "", "information-gathering/scanner" },
		{ "\"Malware.Trojan\"", "", "malicious-code/infected-system" },
		{ "\"Malware.Trojan\"", ",\"Type\":[\"Malware\"]", "malicious-code/malware-distribution" },
		{ "\"Intrusion.Botnet\"", ",\"Type\":[\"Botnet\",\"CC\"]", "malicious-code/c2-server" },
		{ "\"Anomaly.Traffic\",\"Availability.DDoS\"", "", "availability/ddos" },
		{ "\"Availability.DoSomething\"", "", "availability/dos" },
		{ "\"Reconnaissance\"", "", "other/undetermined" },
		{ "\"Vulnerable.Open\"", "", "vulnerable/potentially-unwanted-accessible" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct buffer text = BUFFER(10000), rows = BUFFER(10000);

		buffer_print(&text,
			     "{\"Format\":\"IDEA0\",\"ID\":\"1\",\"DetectTime\":\"2026-11-22T20:30:05Z\",\"Category\":"
			     "[%s],\"Source\":[{\"IP4\":[\"8.8.4.4\"]%s}]}",
			     cases[i][0], cases[i][1]);
		buffer_print(&rows,
			     "+1 " WHEN "8.8.4.4/0:0>:0 0 %s {\"Format\":\"IDEA0\",\"ID\":\"1\",\"DetectTime\":\"2026-"
			     "11-22T20:30:05Z\",\"Category\":[%s],\"Source\":[{%s%s\"IP4\":[\"8.8.4.4\"]}]}\n",
			     cases[i][2], cases[i][0], cases[i][1] + (cases[i][1][0] == ','),
			     cases[i][1][0] == ',' ? "," : "");
		reads_as_span("x.json", buffer_view(&text), defaults, buffer_view(&rows));
		buffer_free(&text);
		buffer_free(&rows);
	}
}

/* A target that was made anonymous, forged or is no single host is not shown as one. */
static void shows_targets(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"IP4\":[\"9.9.9.9\"],\"Port\":[22],\"Anonymised\":true}", ":22" },
		{ "{\"IP4\":[\"9.9.9.0/24\"],\"Port\":[22]}", ":22" },
		{ "{\"IP4\":[\"9.9.9.9\"],\"Spoofed\":true},{\"IP6\":[\"2620:fe::fe\"],\"Port\":[23]}",
		  "2620:fe::fe:23" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct buffer text = BUFFER(10000), rows = BUFFER(10000);

		buffer_print(&text, "{" HEAD SOURCE ",\"Target\":[%s]}", cases[i][0]);
		buffer_print(&rows, "+1 " WHEN "8.8.4.4/0:0>%s 0" CLASS "{" HEAD ",\"Target\":[%s]" SOURCE "}\n",
			     cases[i][1], cases[i][0]);
		reads_as_span("x.json", buffer_view(&text), defaults, buffer_view(&rows));
		buffer_free(&text);
		buffer_free(&rows);
	}
}

/* However many sources a document has, their rows together are no more than a small multiple of it. */
static void stays_small(void **state)
{
	static const size_t counts[] = { 1, 10, 1000, 20000 };
	struct report_options options = { .now_ms = TEST_NOW };
	struct scratch *s;

	(void)state;
	assert_int_equal(scratch_new(&s), OK);
	for (size_t i = 0; i < TABLE_LENGTH(counts); i++) {
		struct buffer text = BUFFER((size_t)1 << 22);
		struct law law = { .out = BUFFER((size_t)1 << 28) };
		struct arena *a = arena_new(1 << 20);
		struct layout *l;

		buffer_text(&text, "{" HEAD ",\"Description\":\"");
		for (int k = 0; k < 20000; k++)
			buffer_byte(&text, 'x');
		buffer_text(&text, "\",\"Source\":[{\"IP4\":[");
		for (size_t k = 0; k < counts[i]; k++)
			buffer_print(&text, "%s\"8.%zu.%zu.%zu\"", k == 0 ? "" : ",", k >> 16, k >> 8 & 255, k & 255);
		buffer_text(&text, "]}]}");
		assert_int_equal(report_detect(a, SPAN("x"), span_make(text.at, 20000), &options, &l), OK);
		law_read(l, s, buffer_view(&text), text.len + 1, l->row_max, &law);
		assert_int_equal(law.events, counts[i]);
		assert_int_equal(law.rejects, 0);
		assert_true(law.out.len < 20 * text.len + 800 * counts[i]);
		buffer_free(&text);
		buffer_free(&law.out);
		arena_free(a);
	}
	scratch_free(s);
}

static void law_of_chunks(void **state)
{
	static const char *const pieces[] = { "{" HEAD SOURCE "}\n",
					      "{" HEAD SOURCE "," TARGET "}",
					      "{\n" HEAD ",\n\"Source\":[{\"IP4\":[\"8.8.4.2-8.8.4.5\"]}]\n}\n",
					      "[",
					      ",",
					      "\n",
					      "\"",
					      "{",
					      "}" };

	(void)state;
	keeps_the_law("-", "{" HEAD SOURCE "}\n", pieces, TABLE_LENGTH(pieces));
	keeps_the_law("-", "[{" HEAD SOURCE "}\n", pieces, TABLE_LENGTH(pieces));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_sources), cmocka_unit_test(cuts_ranges),	  cmocka_unit_test(refuses),
		cmocka_unit_test(finds_classes), cmocka_unit_test(shows_targets), cmocka_unit_test(stays_small),
		cmocka_unit_test(law_of_chunks),
	};

	return cmocka_run_group_tests_name("idea", tests, NULL, NULL);
}
