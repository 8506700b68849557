#include "report/quad.h"
#include "report_test.h"

static const struct report_options defaults;

#define PLAIN " other/undetermined "

static void reads_rows(void **state)
{
	static const struct {
		const char *text, *rows;
	} cases[] = {
		{ "8.8.4.4\n", "+1 0 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n" },
		{ "# one a line\r\n\r\n  8.8.4.4 \r\n; and\n2a00:1450::1",
		  "+3 0 8.8.4.4/0:0>:0 0" PLAIN "  8.8.4.4 \n"
		  "+5 0 2a00:1450::1/0:0>:0 0" PLAIN "2a00:1450::1\n" },
		{ "8.8.4.4\t7\n8.8.4.5,7\n8.8.4.6 7\n8.8.4.7;7\n8.8.4.8|7\n8.8.4.9#7\n",
		  "+1 0 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\t7\n+2 0 8.8.4.5/0:0>:0 0" PLAIN "8.8.4.5,7\n"
		  "+3 0 8.8.4.6/0:0>:0 0" PLAIN "8.8.4.6 7\n+4 0 8.8.4.7/0:0>:0 0" PLAIN "8.8.4.7;7\n"
		  "+5 0 8.8.4.8/0:0>:0 0" PLAIN "8.8.4.8|7\n+6 0 8.8.4.9/0:0>:0 0" PLAIN "8.8.4.9#7\n" },
		{ "8.8.4.4\n8.8.4.4\t-x\n8.8.4.5\t\t-x\n8.8.4.6,-x\n8.8.4.7\t x\n255.255.255.254\n108.108.104.104,\n",
		  "+1 0 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n-2 address address 8.8.4.4\t-x\n"
		  "-3 address address 8.8.4.5\t\t-x\n+4 0 8.8.4.6/0:0>:0 0" PLAIN "8.8.4.6,-x\n"
		  "+5 0 8.8.4.7/0:0>:0 0" PLAIN "8.8.4.7\t x\n-6 address-special address 255.255.255.254\n"
		  "+7 0 108.108.104.104/0:0>:0 0" PLAIN "108.108.104.104,\n" },
		/* zeros in front are decimal */
		{ "008.008.004.061\n", "+1 0 8.8.4.61/0:0>:0 0" PLAIN "008.008.004.061\n" },
		/* networks: one event each */
		{ "8.8.4.0/24 ; SBL1\n8.8.4.4/32\n2a00:1450::/32 ; SBL2\n8.8.4.1/24\n8.8.4.0/33\n8.8.4.0/\n0.0.0.0/0\n",
		  "+1 0 8.8.4.0/24:0>:0 0" PLAIN "8.8.4.0/24 ; SBL1\n+2 0 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4/32\n"
		  "+3 0 2a00:1450::/32:0>:0 0" PLAIN "2a00:1450::/32 ; SBL2\n-4 prefix address 8.8.4.1/24\n"
		  "-5 prefix address 8.8.4.0/33\n-6 prefix address 8.8.4.0/\n-7 address-special address 0.0.0.0/0\n" },
		{ "8.8.4.0-8.8.4.255\n8.8.4.0 - 8.8.5.255 "
		  "x\n8.8.4.4-8.8.4.4\n8.8.4.0-8.8.4.254\n8.8.4.1-8.8.5.0\n8.8.5.0-8.8.4.0\n"
		  "8.8.4.0-2a00::\n8.8.4.0-\n8.8.4.0 - \n8.8.4.0 -\n2a00:1450::-2a00:1450:0:ffff:ffff:ffff:ffff:ffff\n",
		  "+1 0 8.8.4.0/24:0>:0 0" PLAIN "8.8.4.0-8.8.4.255\n+2 0 8.8.4.0/23:0>:0 0" PLAIN
		  "8.8.4.0 - 8.8.5.255 x\n"
		  "+3 0 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4-8.8.4.4\n-4 prefix address 8.8.4.0-8.8.4.254\n"
		  "-5 prefix address 8.8.4.1-8.8.5.0\n-6 prefix address 8.8.5.0-8.8.4.0\n-7 prefix address "
		  "8.8.4.0-2a00::\n"
		  "-8 address address 8.8.4.0-\n+9 0 8.8.4.0/0:0>:0 0" PLAIN "8.8.4.0 - \n+10 0 8.8.4.0/0:0>:0 0" PLAIN
		  "8.8.4.0 -\n"
		  "+11 0 2a00:1450::/48:0>:0 0" PLAIN "2a00:1450::-2a00:1450:0:ffff:ffff:ffff:ffff:ffff\n" },
		{ "8.8.4.4\nnot an address\n192.168.1.1\n8.8.4.\xff\n256.1.1.1\n224.0.0.1\n::1\n",
		  "+1 0 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n-2 address address not an address\n"
		  "-3 address-special address 192.168.1.1\n-4 encoding  8.8.4.\xff\n-5 address address 256.1.1.1\n"
		  "-6 address-special address 224.0.0.1\n-7 address-special address ::1\n" },
		/* a line of names above */
		{ "ip,count\n8.8.4.4,1\n", "+2 0 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4,1\n" },
		/* ipsum: the head's date */
		{ "# IPsum\n#\n# Last update: Sun, 22 Nov 2026 03:00:29 +0200\n#\n8.8.4.4\t10\n",
		  "+5 1795309229000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\t10\n" },
		{ "; Last-Modified: Sun, 22 Nov 2026 01:00:29 GMT\n8.8.4.0/24 ; SBL1\n# Last update: Sun, 22 Nov 2026 "
		  "03:00:29 +0200\n",
		  "+2 1795309229000 8.8.4.0/24:0>:0 0" PLAIN "8.8.4.0/24 ; SBL1\n" },
		{ "#  updated: 2026-11-22 01:00:29 UTC\n8.8.4.4\n",
		  "+2 1795309229000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n" },
		{ "# Last updated: 2026-11-22 01:00:29 (UTC)\n8.8.4.4\n",
		  "+2 1795309229000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n" },
		{ "# Last update: yesterday\n8.8.4.4\n", "+2 0 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n" },
		{ "# Last update: Sun, 22 Nov 2099 03:00:29 +0200\n8.8.4.4\n", "time-future" },
		/* DShield: start, end, length */
		{ "#\nStart\tEnd\tNetmask\tAttacks\tName\tCountry\temail\n8.8.4.0\t8.8.4.255\t24\t99\tX\tUS\t\n"
		  "008.008.005.000\t8.8.5.255\t24\t1\n8.8.6.0\t8.8.6.254\t24\n8.8.6.0\t8.8.6.255\t23\n8.8.6.0\t8.8.6."
		  "255\n8.8.6.0\n",
		  "+3 0 8.8.4.0/24:0>:0 0" PLAIN "8.8.4.0\t8.8.4.255\t24\t99\tX\tUS\t\n"
		  "+4 0 8.8.5.0/24:0>:0 0" PLAIN "008.008.005.000\t8.8.5.255\t24\t1\n"
		  "-5 prefix address 8.8.6.0\t8.8.6.254\t24\n-6 prefix address 8.8.6.0\t8.8.6.255\t23\n"
		  "-7 prefix address 8.8.6.0\t8.8.6.255\n-8 address address 8.8.6.0\n" },
		/* DataPlane: from both ends */
		{ "# x\n64500  |  A | B, XX   |  8.8.4.4  |  2026-11-22 20:30:00  |  sshclient\n"
		  "NA | NA | 8.8.4.5 | 2026-11-22 20:30:00 | sshclient\nNA | 8.8.4.5 | 2026-11-22 20:30:00 | "
		  "sshclient\n"
		  "NA | NA | 8.8.4.5 | x | sshclient\nNA | NA | 8.8.4.5 | 2027-11-22 20:30:00 | sshclient\n8.8.4.4\n",
		  "+2 1795379400000 8.8.4.4/0:0>:0 0" PLAIN
		  "64500  |  A | B, XX   |  8.8.4.4  |  2026-11-22 20:30:00  |  sshclient\n"
		  "+3 1795379400000 8.8.4.5/0:0>:0 0" PLAIN "NA | NA | 8.8.4.5 | 2026-11-22 20:30:00 | sshclient\n"
		  "-4 address address NA | 8.8.4.5 | 2026-11-22 20:30:00 | sshclient\n"
		  "-5 time time NA | NA | 8.8.4.5 | x | sshclient\n"
		  "-6 time-future time NA | NA | 8.8.4.5 | 2027-11-22 20:30:00 | sshclient\n-7 address address "
		  "8.8.4.4\n" },
		/* CERT: Unix time, the other side, the port */
		{ "; ip, asn\n8.8.4.4,AS64500,EE,1795379400,name,,8.8.8.8,80,1036,tcp\n"
		  "8.8.4.4,AS64500,EE,1795379400,name,-,?,?,?,?\n8.8.4.4,AS64500,EE,0,name,-,?,?,?,?\n8.8.4.4,"
		  "AS64500\n",
		  "+2 1795379400000 8.8.4.4/0:1036>8.8.8.8:80 6" PLAIN
		  "[name] 8.8.4.4,AS64500,EE,1795379400,name,,8.8.8.8,80,1036,tcp\n"
		  "+3 1795379400000 8.8.4.4/0:0>:0 0" PLAIN "[name] 8.8.4.4,AS64500,EE,1795379400,name,-,?,?,?,?\n"
		  "-4 time time 8.8.4.4,AS64500,EE,0,name,-,?,?,?,?\n-5 address address 8.8.4.4,AS64500\n" },
		/* no addresses, no list */
		{ "; x\n8.8.4.4,AS64500,EE,1795379400,-,-,?,?,?,?\n8.8.4.4,AS64500,EE,1795379400,?,-,?,?,?,?\n",
		  "+2 1795379400000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4,AS64500,EE,1795379400,-,-,?,?,?,?\n"
		  "+3 1795379400000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4,AS64500,EE,1795379400,?,-,?,?,?,?\n" },
		/* ASN-DROP names networks: each row is counted, none can be acted on */
		{ "; ASN-DROP 2026/11/22\n; Last-Modified: Sun, 22 Nov 2026 01:00:29 GMT\nAS64500 ; EE | X\nAS64501 ; "
		  "| Y\n"
		  "8.8.4.4\nASx\n",
		  "-3 no-address address AS64500 ; EE | X\n-4 no-address address AS64501 ; | Y\n"
		  "+5 1795309229000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n-6 address address ASx\n" },
		{ "AS64500 ; EE | X\nAS64501 ; | Y\n",
		  "-1 no-address address AS64500 ; EE | X\n-2 no-address address AS64501 ; | Y\n" },
		/* EDROP and the list for IPv6 have DROP's form */
		{ "; Spamhaus EDROP List 2026/11/22 - (c) 2026\n; Last-Modified: Sun, 22 Nov 2026 01:00:29 GMT\n; "
		  "Expires: "
		  "Mon, 23 Nov 2026 01:00:29 GMT\n2a00:1450::/32 ; SBL3\n2a00:1450::1/32 ; SBL4\n",
		  "+4 1795309229000 2a00:1450::/32:0>:0 0" PLAIN "2a00:1450::/32 ; SBL3\n"
		  "-5 prefix address 2a00:1450::1/32 ; SBL4\n" },
		/* Feodo Tracker, the columns named in quotes or in a comment */
		{ "################################\n# A list of C2s                #\n# Last updated: 2026-11-22 "
		  "01:00:29 UTC #\n"
		  "################################\n#\n"
		  "\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n"
		  "\"2026-10-01 02:03:04\",\"8.8.4.4\",\"443\",\"online\",\"2026-11-21\",\"Emo, tet\"\n"
		  "\"2026-10-01 02:03:04\",\"8.8.4.5\",\"8080\",\"offline\",\"\",\"\"\n"
		  "\"\",\"8.8.4.6\",\"\",\"offline\",\"\",\"X\"\n"
		  "\"2026-10-01 02:03:04\",\"8.8.4.5\",\"x\",\"offline\",\"\",\"\"\n"
		  "\"2026-10-01 02:03:04\",\"host\",\"1\",\"offline\",\"\",\"\"\n"
		  "\"2026-10-01 02:03:04\",8.8.4.5\"x\n\"2026\n"
		  "\"today\",\"8.8.4.6\",\"\",\"offline\",\"\",\"X\"\n# END 7 entries\n",
		  "+7 1795219200000 8.8.4.4/0:443>:0 0 malicious-code/c2-server [Emo, tet] \"2026-10-01 "
		  "02:03:04\",\"8.8.4.4\",\"443\",\"online\",\"2026-11-21\",\"Emo, tet\"\n"
		  "+8 1790820184000 8.8.4.5/0:8080>:0 0 malicious-code/c2-server \"2026-10-01 "
		  "02:03:04\",\"8.8.4.5\",\"8080\",\"offline\",\"\",\"\"\n"
		  "+9 1795309229000 8.8.4.6/0:0>:0 0 malicious-code/c2-server [X] "
		  "\"\",\"8.8.4.6\",\"\",\"offline\",\"\",\"X\"\n"
		  "-10 number port \"2026-10-01 02:03:04\",\"8.8.4.5\",\"x\",\"offline\",\"\",\"\"\n"
		  "-11 address address \"2026-10-01 02:03:04\",\"host\",\"1\",\"offline\",\"\",\"\"\n"
		  "-12 csv  \"2026-10-01 02:03:04\",8.8.4.5\"x\n-13 csv  \"2026\n"
		  "-14 time time \"today\",\"8.8.4.6\",\"\",\"offline\",\"\",\"X\"\n" },
		{ "# Firstseen,DstIP,DstPort,LastOnline,Malware\r\n2026-10-01 "
		  "02:03:04,8.8.4.4,447,2026-11-21,TrickBot\r\n",
		  "+2 1795219200000 8.8.4.4/0:447>:0 0 malicious-code/c2-server [TrickBot] 2026-10-01 "
		  "02:03:04,8.8.4.4,447,2026-11-21,TrickBot\n" },
		{ "first_seen,ip\n2026-10-01,8.8.4.4\n",
		  "+2 1790812800000 8.8.4.4/0:0>:0 0" PLAIN "2026-10-01,8.8.4.4\n" },
		/* blocklist.de and the like: nothing above */
		{ "8.8.4.4\n2a00:1450::1\n",
		  "+1 0 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n+2 0 2a00:1450::1/0:0>:0 0" PLAIN "2a00:1450::1\n" },
		/* DShield's list of one network: octets with zeros in front */
		{ "# source IP\treports\ttargets\tfirst seen\tlast "
		  "seen\n008.008.004.061\t12\t3\t2026-11-01\t2026-11-22\n",
		  "+2 0 8.8.4.61/0:0>:0 0" PLAIN "008.008.004.061\t12\t3\t2026-11-01\t2026-11-22\n" },
		/* dates of heads */
		{ "# This File Date : Sun Nov 22 01:00:29 UTC 2026\n8.8.4.4\n",
		  "+2 1795309229000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n" },
		{ "; Generated on 22 November 2026 at 01:00\n8.8.4.4\n",
		  "+2 1795309200000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n" },
		{ "# Last updated 2026/11/22\n8.8.4.4\n", "+2 1795305600000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n" },
		{ "# Date: 1795309229\n8.8.4.4\n", "+2 1795309229000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n" },
		{ "# Updated: 11/12/2026\n# Last update: 2026-11-22\n8.8.4.4\n",
		  "+3 1795305600000 8.8.4.4/0:0>:0 0" PLAIN "8.8.4.4\n" },
		{ "some words\nand more\n", "format-unknown" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		reads_as("list.txt", span_of(cases[i].text), defaults, cases[i].rows);
}

static void takes_options(void **state)
{
	const struct report_options given = { .class = CLASS_SCANNER, .date_ms = TEST_NOW - 1 };

	(void)state;
	reads_as("x", SPAN("# Last update: Sun, 22 Nov 2026 03:00:29 +0200\n8.8.4.4\n"), given,
		 "+2 1795379999999 8.8.4.4/0:0>:0 0 information-gathering/scanner 8.8.4.4\n");
	reads_as("x", SPAN("no\naddress\n"), (struct report_options){ .from = FORMAT_LIST },
		 "-1 address address no\n-2 address address address\n");
	reads_as("x", SPAN("8.8.4.4\n"), (struct report_options){ .date_ms = TEST_NOW + 700000 }, "time-future");
	reads_as("x", SPAN("8.8.4.4\n"), (struct report_options){ .date_ms = 5 }, "time");
}

/* A line of any length costs no memory: it is rejected once, and the next line is read. */
static void passes_over_endless_lines(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const struct report_options options = { .now_ms = TEST_NOW };
	size_t n = 5 * REPORT_ROW_MAX;
	char *text = malloc(n + 20);
	struct scratch *s;
	struct layout *l;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, "8.8.4.4\n", 8);
	memcpy(text + n, "\n8.8.8.8\n", 9);
	assert_int_equal(scratch_new(&s), OK);
	assert_int_equal(report_detect(a, SPAN("x"), span_make(text, REPORT_HEAD), &options, &l), OK);
	for (size_t step = 5000; step < n; step += 77777) {
		struct law law = { .out = BUFFER(10000) };

		law_read(l, s, span_make(text, n + 9), step, REPORT_ROW_MAX, &law);
		assert_int_equal(law.events, 2);
		assert_int_equal(law.rejects, 1);
		buffer_free(&law.out);
	}
	scratch_free(s);
	arena_free(a);
	free(text);
}

/* The quick reader of quads finds what address_parse takes, and takes nothing else. */
static void quads_agree(void **state)
{
	static const char *const ends[] = { "\n", ",", " ", "\"", "/", "." };
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char text[3 + 64];
		const char *p = text + 3;
		bool loose = test_below(&seed, 2) == 0;
		uint32_t v;
		struct address want;
		int length = 0, most = test_below(&seed, 4) == 0 ? 1100 : 256;
		size_t got;

		memset(text, '7', sizeof(text));
		for (int i = 0; i < 4; i++)
			length += snprintf(text + 3 + length, 16, "%0*d%s", (int)test_below(&seed, 8) == 0 ? 3 : 0,
					   (int)test_below(&seed, (size_t)most), i < 3 ? "." : "");
		if (test_below(&seed, 10) == 0)
			text[3 + test_below(&seed, (size_t)length)] = "./:9 "[test_below(&seed, 5)];
		text[3 + length] = ends[test_below(&seed, TABLE_LENGTH(ends))][0];
		got = quad_read(p, loose, &v);
		if (got != 0) { /* one stands here, whatever the rest is */
			assert_int_equal((loose ? address_parse_loose : address_parse)(span_make(p, got), &want), OK);
			assert_int_equal(want.family, FAMILY_IPV4);
			assert_int_equal(want.low, v);
		}
		if ((loose ? address_parse_loose : address_parse)(span_make(p, (size_t)length), &want) == OK)
			assert_int_equal(got, length);
	}
}

static void law_of_chunks(void **state)
{
	static const char *const pieces[] = { "8.8.4.4\n",
					      "8.8.4.0/24 ; SBL\n",
					      "# comment\n",
					      "\r\n",
					      "\n",
					      "2a00:1450::1\t4\n",
					      "10.0.0.1\n",
					      "                          ",
					      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
					      "\"",
					      "\r" };

	(void)state;
	keeps_the_law("-", "8.8.4.4\n", pieces, TABLE_LENGTH(pieces));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rows),
		cmocka_unit_test(takes_options),
		cmocka_unit_test(passes_over_endless_lines),
		cmocka_unit_test(quads_agree),
		cmocka_unit_test(law_of_chunks),
	};

	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
