#include "stix/pattern.h"
#include "report_test.h"

static const struct report_options defaults = { .from = FORMAT_STIX };

#define BUNDLE(objects) "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[" objects "]}"
#define V4(n, value) "{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--" n "\",\"value\":\"" value "\"}"
#define TRAFFIC(n, more)                                                                                               \
	"{\"type\":\"network-traffic\",\"id\":\"network-traffic--" n "\",\"src_ref\":\"ipv4-addr--1\"," more           \
	"\"protocols\":[\"ipv4\",\"tcp\",\"ssh\"]}"
#define DATA_HEAD(n, more)                                                                                             \
	"{\"type\":\"observed-data\",\"id\":\"observed-data--" n                                                       \
	"\",\"last_observed\":\"2026-11-22T20:30:00.123Z\"" more
#define DATA(n, more, refs) DATA_HEAD(n, more) ",\"object_refs\":[" refs "]}"
#define WHEN "1795379400123 "
#define UNKNOWN " other/undetermined "

static void one(const char *text, const char *rows)
{
	reads_as("x.json", span_of(text), defaults, rows);
}

static void reads_observed_data(void **state)
{
	(void)state;
	/* addresses alone */
	one(BUNDLE(V4("1", "8.8.4.4") "," V4("2", "8.8.8.0/24") "," DATA("1", "", "\"ipv4-addr--1\",\"ipv4-addr--2\"")),
	    "+1 " WHEN "8.8.4.4/0:0>:0 0" UNKNOWN "{\"observed-data\":" DATA_HEAD("1", "") "},\"src\":" V4(
		    "1", "8.8.4.4") "}\n"
				    "+1 " WHEN "8.8.8.0/24:0>:0 0" UNKNOWN
				    "{\"observed-data\":" DATA_HEAD("1", "") "},\"src\":" V4("2", "8.8.8.0/24") "}\n");
	/* traffic: its ends are no sources of their own; its start is the time */
	one(BUNDLE(V4("1", "8.8.4.4") "," V4("2", "9.9.9.9") "," TRAFFIC(
		    "1", "\"dst_ref\":\"ipv4-addr--2\",\"src_port\":4711,\"dst_port\":22,\"start\":\"2026-11-22T20:29:"
			 "59.5Z\",") "," DATA("1", ",\"labels\":[\"x\",\"intrusion-attempts/brute-force\"]",
					      "\"ipv4-addr--1\",\"network-traffic--1\",\"ipv4-addr--2\",\"file--9\"")),
	    "+1 1795379399500 8.8.4.4/0:4711>9.9.9.9:22 6 intrusion-attempts/brute-force {\"observed-data\":" DATA_HEAD("1", ",\"labels\":[\"x\",\"intrusion-attempts/brute-force\"]") "},\"network-traffic\":" TRAFFIC(
		    "1", "\"dst_ref\":\"ipv4-addr--2\",\"src_port\":4711,\"dst_port\":22,\"start\":\"2026-11-22T20:29:"
			 "59.5Z\",") ",\"src\":" V4("1", "8.8.4.4") ",\"dst\":" V4("2", "9.9.9.9") "}\n");
	/* as STIX 2.0 has it */
	one(BUNDLE(DATA_HEAD("1",
			     ",\"objects\":{\"0\":{\"type\":\"ipv4-addr\",\"value\":\"8.8.4.4\"},"
			     "\"1\":{\"type\":\"network-traffic\",\"src_ref\":\"0\",\"protocols\":[\"udp\"]}}") "}"),
	    "+1 " WHEN "8.8.4.4/0:0>:0 17" UNKNOWN "{\"observed-data\":" DATA_HEAD(
		    "1", "") "},\"network-traffic\":"
			     "{\"type\":\"network-traffic\",\"src_ref\":\"0\",\"protocols\":[\"udp\"]},\"src\":"
			     "{\"type\":\"ipv4-addr\",\"value\":\"8.8.4.4\"}}\n");
	/* named twice is named once */
	one(BUNDLE(V4("1", "8.8.4.4") "," DATA("1", "", "\"ipv4-addr--1\",\"ipv4-addr--1\"")),
	    "+1 " WHEN "8.8.4.4/0:0>:0 0" UNKNOWN
	    "{\"observed-data\":" DATA_HEAD("1", "") "},\"src\":" V4("1", "8.8.4.4") "}\n");
	/* what is wrong is told, what is not here is not */
	one(BUNDLE(V4("1", "8.8.4") "," DATA("1", "", "\"ipv4-addr--1\",\"ipv4-addr--2\"")),
	    "-1 address value " BUNDLE(V4("1", "8.8.4") "," DATA("1", "", "\"ipv4-addr--1\",\"ipv4-addr--2\"")) "\n");
	one(BUNDLE(V4("1", "8.8.4.4/24") "," DATA("1", "", "\"ipv4-addr--1\"")),
	    "-1 prefix value " BUNDLE(V4("1", "8.8.4.4/24") "," DATA("1", "", "\"ipv4-addr--1\"")) "\n");
	one(BUNDLE(V4("1", "10.8.4.4") "," DATA("1", "", "\"ipv4-addr--1\"")),
	    "-1 address-special value " BUNDLE(V4("1", "10.8.4.4") "," DATA("1", "", "\"ipv4-addr--1\"")) "\n");
	one(BUNDLE(DATA("1", "", "\"ipv4-addr--1\"")),
	    "-1 no-address objects " BUNDLE(DATA("1", "", "\"ipv4-addr--1\"")) "\n");
	one(BUNDLE(DATA("1", ",\"revoked\":true", "")),
	    "-1 field revoked " BUNDLE(DATA("1", ",\"revoked\":true", "")) "\n");
	one(BUNDLE(DATA("1", ",\"labels\":[\"fraud/copyright\"]", "")),
	    "-1 class-content labels " BUNDLE(DATA("1", ",\"labels\":[\"fraud/copyright\"]", "")) "\n");
	one(BUNDLE("{\"type\":\"observed-data\",\"id\":\"x\",\"object_refs\":[]}"),
	    "-1 field-missing last_seen " BUNDLE("{\"type\":\"observed-data\",\"id\":\"x\",\"object_refs\":[]}") "\n");
}

#define INDICATOR_MORE(n, more, pattern)                                                                               \
	"{\"type\":\"indicator\",\"id\":\"indicator--" n "\",\"valid_from\":\"2026-11-22T20:00:00Z\"," more            \
	"\"pattern\":\"" pattern "\"}"
#define INDICATOR(n, pattern) INDICATOR_MORE(n, "", pattern)
#define FROM "1795377600000 "

static void reads_indicators(void **state)
{
	static const char *const cases[][2] = {
		{ "[ipv4-addr:value = '8.8.4.4']", "8.8.4.4/0:0>:0 0 other/undetermined" },
		{ "[ipv6-addr:value='2a00:1450::1']", "2a00:1450::1/0:0>:0 0 other/undetermined" },
		{ "[ipv4-addr:value ISSUBSET '8.8.4.0/24']", "8.8.4.0/24:0>:0 0 other/undetermined" },
		{ "[network-traffic:src_ref.value = '8.8.4.4' AND network-traffic:src_port = 4711]",
		  "8.8.4.4/0:4711>:0 0 other/undetermined" },
		{ "[network-traffic:dst_ref.value = '8.8.4.4' AND network-traffic:dst_port = 443]",
		  "8.8.4.4/0:443>:0 0 malicious-code/c2-server" },
		{ "[network-traffic:src_ref.value = '8.8.4.4' AND network-traffic:dst_ref.value = '9.9.9.9' AND "
		  "network-traffic:dst_port = 443]",
		  "8.8.4.4/0:0>9.9.9.9:443 0 other/undetermined" },
		{ "[domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '8.8.4.4'] WITHIN 5 SECONDS",
		  "8.8.4.4/0:0>:0 0 other/undetermined" },
		/* a port that may be either is none */
		{ "[network-traffic:dst_ref.value = '8.8.4.4' AND (network-traffic:dst_port = 443 OR "
		  "network-traffic:dst_port = 80)]",
		  "8.8.4.4/0:0>:0 0 malicious-code/c2-server" },
		{ "[ipv4-addr:value = '8.8.4.4' AND ipv4-addr:value NOT = '9.9.9.9' AND ipv4-addr:value != '1.1.1.1']",
		  "8.8.4.4/0:0>:0 0 other/undetermined" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct buffer text = BUFFER(10000), rows = BUFFER(10000), indicator = BUFFER(10000);

		buffer_print(&indicator,
			     "{\"type\":\"indicator\",\"id\":\"indicator--1\",\"valid_from\":\"2026-11-22T20:00:00Z\","
			     "\"pattern_type\":\"stix\",\"pattern\":\"%s\"}",
			     cases[i][0]);
		buffer_print(&text, "{\"type\":\"bundle\",\"objects\":[%.*s]}", SPAN_FORMAT(buffer_view(&indicator)));
		buffer_print(&rows, "+1 " FROM "%s {\"indicator\":%.*s}\n", cases[i][1],
			     SPAN_FORMAT(buffer_view(&indicator)));
		reads_as_span("x.json", buffer_view(&text), defaults, buffer_view(&rows));
		buffer_free(&text);
		buffer_free(&rows);
		buffer_free(&indicator);
	}
	/* each of several */
	one(BUNDLE(INDICATOR("1", "[ipv4-addr:value = '8.8.4.4' OR ipv4-addr:value IN ('8.8.8.8','9.9.9.9')]")),
	    "+1 " FROM "8.8.4.4/0:0>:0 0" UNKNOWN "{\"indicator\":" INDICATOR(
		    "1",
		    "[ipv4-addr:value = '8.8.4.4' OR ipv4-addr:value IN "
		    "('8.8.8.8','9.9.9.9')]") "}\n"
					      "+1 " FROM "8.8.8.8/0:0>:0 0" UNKNOWN "{\"indicator\":" INDICATOR(
						      "1", "[ipv4-addr:value = '8.8.4.4' OR "
							   "ipv4-addr:value IN "
							   "('8.8.8.8','9.9.9.9')]") "}\n"
										     "+1 " FROM "9.9.9.9/"
										     "0:0>:0 "
										     "0" UNKNOWN "{\"indicator"
										     "\""
										     ":" INDICATOR("1", "[ipv4"
													"-addr"
													":valu"
													"e = "
													"'8.8."
													"4.4' "
													"OR "
													"ipv4-"
													"addr:"
													"value"
													" IN "
													"('8."
													"8.8."
													"8','"
													"9.9."
													"9.9')"
													"]") "}\n");
	/* a single object, without a bundle */
	one(INDICATOR_MORE("1",
			   "\"spec_version\":\"2.1\",\"kill_chain_phases\":[{\"phase_name\":\"command-and-control\"}],",
			   "[ipv4-addr:value = '8.8.4.4']"),
	    "+1 " FROM "8.8.4.4/0:0>:0 0 malicious-code/c2-server {\"indicator\":" INDICATOR_MORE(
		    "1", "\"spec_version\":\"2.1\",\"kill_chain_phases\":[{\"phase_name\":\"command-and-control\"}],",
		    "[ipv4-addr:value = '8.8.4.4']") "}\n");
}

static void refuses_indicators(void **state)
{
	static const char *const cases[][3] = {
		{ "\"revoked\":true,", "[ipv4-addr:value = '8.8.4.4']", "field revoked" },
		{ "\"valid_until\":\"2026-11-22T20:30:00Z\",", "[ipv4-addr:value = '8.8.4.4']", "time valid_until" },
		{ "\"valid_until\":\"soon\",", "[ipv4-addr:value = '8.8.4.4']", "time valid_until" },
		{ "\"indicator_types\":[\"benign\"],", "[ipv4-addr:value = '8.8.4.4']", "field indicator_types" },
		{ "", "ipv4-addr:value = '8.8.4.4'", "syntax pattern" },
		{ "", "[ipv4-addr:value = '8.8.4.4'", "syntax pattern" },
		{ "", "[ipv4-addr:value = 8.8.4.4]", "syntax pattern" },
		{ "", "[ipv4-addr:value = '8.8.4.4'] AND", "syntax pattern" },
		{ "", "[ipv4-addr:value = '8.8.4']", "address pattern" },
		{ "", "[ipv4-addr:value = '8.8.4.4/24']", "prefix pattern" },
		{ "", "[ipv4-addr:value = '127.0.0.1']", "address-special pattern" },
		{ "", "", "field-missing pattern" },
		{ "", "((((((((((((((((((((((((((((((((((((((((", "depth pattern" },
		/* no report: nothing in the whole document is */
		{ "", "[file:name = 'a']", "no-address objects" },
		{ "\"pattern_type\":\"snort\",", "alert", "no-address objects" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct buffer text = BUFFER(10000), rows = BUFFER(10000);

		buffer_print(&text,
			     "{\"type\":\"bundle\",\"objects\":[{\"type\":\"indicator\",\"id\":\"indicator--1\","
			     "\"valid_from\":\"2026-11-22T20:00:00Z\",%s\"pattern\":\"%s\"}]}",
			     cases[i][0], cases[i][1]);
		buffer_print(&rows, "-1 %s %.*s\n", cases[i][2], SPAN_FORMAT(buffer_view(&text)));
		reads_as_span("x.json", buffer_view(&text), defaults, buffer_view(&rows));
		buffer_free(&text);
		buffer_free(&rows);
	}
}

#define SIGHTING_HEAD(n, of)                                                                                           \
	"{\"type\":\"sighting\",\"id\":\"sighting--" n "\",\"sighting_of_ref\":\"" of                                  \
	"\",\"last_seen\":\"2026-11-22T20:30:00Z\""
#define SIGHTING(n, of, refs) SIGHTING_HEAD(n, of) ",\"observed_data_refs\":[" refs "]}"
#define PLAIN "[ipv4-addr:value = '8.8.4.4']"
#define MALWARE "{\"type\":\"malware\",\"id\":\"malware--1\",\"name\":\"Mirai\"}"
#define LINK                                                                                                           \
	"{\"type\":\"relationship\",\"id\":\"relationship--1\",\"relationship_type\":\"indicates\",\"source_ref\":"    \
	"\"indicator--1\",\"target_ref\":\"malware--1\"}"

static void reads_sightings(void **state)
{
	(void)state;
	/* observed data and the indicator that it was seen by: one event */
	one(BUNDLE(SIGHTING("1", "indicator--1", "\"observed-data--1\"") "," INDICATOR_MORE(
		    "1", "\"indicator_types\":[\"compromised\"],",
		    PLAIN) "," V4("1", "8.8.4.4") "," DATA("1", "", "\"ipv4-addr--1\"")),
	    "+1 " WHEN
	    "8.8.4.4/0:0>:0 0 intrusions/system-compromise {\"observed-data\":" DATA_HEAD("1", "") "},\"src\":" V4(
		    "1", "8.8.4.4") ",\"sighting\":" SIGHTING_HEAD("1",
								   "indicator--1") "},\"sighting_"
										   "of\":" INDICATOR_MORE("1",
													  "\"indica"
													  "tor_"
													  "types\":"
													  "[\"compr"
													  "omised\""
													  "],",
													  PLAIN) "}"
														 "\n");
	/* without observed data the indicator, at the time of the last sighting; its malware has a name */
	one(BUNDLE(SIGHTING("1", "indicator--1", "") "," INDICATOR("1", PLAIN) "," MALWARE "," LINK),
	    "+1 1795379400000 8.8.4.4/0:0>:0 0 other/undetermined [Mirai] {\"indicator\":" INDICATOR(
		    "1", PLAIN) ",\"sighting\":" SIGHTING_HEAD("1", "indicator--1") "},\"malware\":" MALWARE "}\n");
	/* malware seen: who has it is infected */
	one(BUNDLE(SIGHTING("1", "malware--1", "\"observed-data--1\"") "," SIGHTING(
		    "2", "malware--1",
		    "\"observed-data--1\"") "," MALWARE "," V4("1", "8.8.4.4") "," DATA("1", "", "\"ipv4-addr--1\"")),
	    "+1 " WHEN "8.8.4.4/0:0>:0 0 malicious-code/infected-system [Mirai] {\"observed-data\":" DATA_HEAD(
		    "1", "") "},\"src\":" V4("1",
					     "8.8.4.4") ",\"sighting\":" SIGHTING_HEAD("1",
										       "malware--1") "},\"sighting_"
												     "of\":" MALWARE
												     "}\n");
	/* an older version is passed over, wherever it stands */
	one(BUNDLE(INDICATOR_MORE("1", "\"modified\":\"2026-11-22T20:20:00Z\",", PLAIN) "," INDICATOR_MORE(
		    "1", "\"modified\":\"2026-11-22T20:10:00Z\",", "[ipv4-addr:value = '9.9.9.9']")),
	    "+1 " FROM "8.8.4.4/0:0>:0 0" UNKNOWN
	    "{\"indicator\":" INDICATOR_MORE("1", "\"modified\":\"2026-11-22T20:20:00Z\",", PLAIN) "}\n");
	one(BUNDLE(MALWARE), "-1 no-address objects " BUNDLE(MALWARE) "\n");
	one(BUNDLE(""), "-1 no-address objects " BUNDLE("") "\n");
	one("{\"type\":\"bundle\",\"objects\":7}", "-1 no-address objects {\"type\":\"bundle\",\"objects\":7}\n");
	one("{\"type\":\"bundle\",\"objects\":[7,\"x\",null,[]]}",
	    "-1 no-address objects {\"type\":\"bundle\",\"objects\":[7,\"x\",null,[]]}\n");
}

static void reads_patterns(void **state)
{
	static const struct {
		const char *text;
		enum err err;
		size_t addresses, groups;
	} cases[] = {
		{ "[a:b = 1]", OK, 0, 1 },
		{ "[a:b.c[*].'d-e'[0] LIKE 'x%' AND NOT_a:b = true]", OK, 0, 1 },
		{ "[a:b = h'00ff' OR a:b = b'AA==' OR a:t = t'2026-11-22T20:45:00Z']", OK, 0, 1 },
		{ "[EXISTS a:b]", OK, 0, 1 },
		{ "([a:b > -1.5] AND [a:b <= 2]) REPEATS 5 TIMES WITHIN 5.5 SECONDS", OK, 0, 2 },
		{ "[a:b = 1] START t'2026-11-22T20:45:00Z' STOP t'2026-11-22T21:45:00Z'", OK, 0, 1 },
		{ "[ipv4-addr:value IN ('1.1.1.1')] OR [ipv4-addr:value NOT IN ('1.1.1.1')]", OK, 1, 2 },
		{ "[ipv4-addr:value = 'it\\'s \\\\']", OK, 1, 1 },
		{ "", ERR_SYNTAX, 0, 0 },
		{ "[]", ERR_SYNTAX, 0, 0 },
		{ "[a:b = ]", ERR_SYNTAX, 0, 0 },
		{ "[a:b = 'x]", ERR_SYNTAX, 0, 0 },
		{ "[a:b = '\\x']", ERR_SYNTAX, 0, 0 },
		{ "[a = 1]", ERR_SYNTAX, 0, 0 },
		{ "[a: = 1]", ERR_SYNTAX, 0, 0 },
		{ "[a:b 1]", ERR_SYNTAX, 0, 0 },
		{ "[a:b = 1.]", ERR_SYNTAX, 0, 0 },
		{ "[a:b LIKE 1]", ERR_SYNTAX, 0, 0 },
		{ "[a:b IN 1]", ERR_SYNTAX, 0, 0 },
		{ "[a:b = 1] WITHIN 5", ERR_SYNTAX, 0, 0 },
		{ "[a:b = 1]]", ERR_SYNTAX, 0, 0 },
		{ "([a:b = 1]", ERR_SYNTAX, 0, 0 },
		{ "[a:b = 1] START 5 STOP 6", ERR_SYNTAX, 0, 0 },
		{ "[a:b = 1 ~]", ERR_SYNTAX, 0, 0 },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct pattern p;
		enum err e = pattern_read(a, span_of(cases[i].text), &p);

		if (e != cases[i].err)
			fail_msg("%s: %s", cases[i].text, err_code(e));
		if (e != OK)
			continue;
		assert_int_equal(p.address_count, cases[i].addresses);
		assert_int_equal(p.group_count, cases[i].groups);
	}
	arena_free(a);
}

static void law_of_chunks(void **state)
{
	static const char *const pieces[] = { BUNDLE(INDICATOR("1", PLAIN)) "\n",
					      BUNDLE(V4("1", "8.8.4.4") "," DATA("1", "", "\"ipv4-addr--1\"")),
					      "{\n\"type\":\"bundle\",\"objects\":[\n" INDICATOR("1", PLAIN) "\n]}\n",
					      INDICATOR("1", PLAIN),
					      "[",
					      ",",
					      "\n",
					      "\"",
					      "{",
					      "}" };

	(void)state;
	keeps_the_law("-", BUNDLE("") "\n", pieces, TABLE_LENGTH(pieces));
	keeps_the_law("-", "[" BUNDLE("") "\n", pieces, TABLE_LENGTH(pieces));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_observed_data), cmocka_unit_test(reads_indicators),
		cmocka_unit_test(refuses_indicators),  cmocka_unit_test(reads_sightings),
		cmocka_unit_test(reads_patterns),      cmocka_unit_test(law_of_chunks),
	};

	return cmocka_run_group_tests_name("stix_bundle", tests, NULL, NULL);
}
