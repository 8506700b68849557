#include "report_test.h"

static const struct report_options defaults;

#define EVENTS "timestamp,protocol,src_ip,src_port,dst_ip,dst_port,tag\n"
#define SCAN "timestamp,ip,protocol,port,tag\n"

static void reads_rows(void **state)
{
	static const struct {
		const char *name, *text, *rows;
	} cases[] = {
		{ "event4_honeypot_brute_force.csv",
		  EVENTS "\"2026-11-22 20:30:00\",\"tcp\",\"8.8.4.4\",30123,\"192.0.2.7\",22,\"x\"\n",
		  "+2 1795379400000 8.8.4.4/0:30123>192.0.2.7:22 6 intrusion-attempts/brute-force "
		  "\"2026-11-22 20:30:00\",\"tcp\",\"8.8.4.4\",30123,\"192.0.2.7\",22,\"x\"\n" },
		{ "2026-11-22-scan_snmp-example.csv",
		  SCAN "2026-11-22 20:30:00,8.8.4.4,udp,161,\"a\nb\"\r\n"
		       "2026-11-22 20:30:01,2a00:1450::1,,,",
		  "+2 1795379400000 8.8.4.4/0:161>:0 17 vulnerable/information-disclosure "
		  "2026-11-22 20:30:00,8.8.4.4,udp,161,\"a\nb\"\n"
		  "+4 1795379401000 2a00:1450::1/0:0>:0 0 vulnerable/information-disclosure "
		  "2026-11-22 20:30:01,2a00:1450::1,,,\n" },
		/* a bot's name, or that of its family */
		{ "event4_sinkhole.csv",
		  "timestamp,src_ip,family,infection\n2026-11-22 20:30:00,8.8.4.4,\"Fam\",Mirai\n"
		  "2026-11-22 20:30:00,8.8.4.4,\"Fam\",\n",
		  "+2 1795379400000 8.8.4.4/0:0>:0 0 malicious-code/infected-system [Mirai] "
		  "2026-11-22 20:30:00,8.8.4.4,\"Fam\",Mirai\n"
		  "+3 1795379400000 8.8.4.4/0:0>:0 0 malicious-code/infected-system [Fam] "
		  "2026-11-22 20:30:00,8.8.4.4,\"Fam\",\n" },
		/* whose address it is depends on the type */
		{ "event4_honeypot_ddos_target.csv", EVENTS "2026-11-22 20:30:00,udp,8.8.4.4,1,8.8.8.8,80,\n",
		  "+2 1795379400000 8.8.8.8/0:80>8.8.4.4:1 17 availability/ddos "
		  "2026-11-22 20:30:00,udp,8.8.4.4,1,8.8.8.8,80,\n" },
		{ "event4_sinkhole_http_referer.csv",
		  "timestamp,src_ip,http_referer_ip,http_referer_port\n2026-11-22 20:30:00,9.9.9.9,8.8.4.4,80\n",
		  "+2 1795379400000 8.8.4.4/0:80>:0 0 intrusions/application-compromise "
		  "2026-11-22 20:30:00,9.9.9.9,8.8.4.4,80\n" },
		{ "malware_url.csv", "timestamp,url,host,ip\n2026-11-22 20:30:00,http://h/x,h,8.8.4.4\n",
		  "+2 1795379400000 8.8.4.4/0:0>:0 0 malicious-code/malware-distribution "
		  "2026-11-22 20:30:00,http://h/x,h,8.8.4.4\n" },
		/* types that are not known, and none named */
		{ "2027-01-01-scan_warpdrive-x.csv", SCAN "2026-11-22 20:30:00,8.8.4.4,tcp,9,\n",
		  "+2 1795379400000 8.8.4.4/0:9>:0 6 other/undetermined 2026-11-22 20:30:00,8.8.4.4,tcp,9,\n" },
		{ "-", SCAN "2026-11-22 20:30:00,8.8.4.4,132,9,\n",
		  "+2 1795379400000 8.8.4.4/0:9>:0 132 other/undetermined 2026-11-22 20:30:00,8.8.4.4,132,9,\n" },
		{ "-", "timestamp,ip,dns_version,min_amplification\n2026-11-22 20:30:00,8.8.4.4,,\n",
		  "+2 1795379400000 8.8.4.4/0:0>:0 0 vulnerable/ddos-amplifier 2026-11-22 20:30:00,8.8.4.4,,\n" },
		/* fields at the end may be missing; more than the header has may not */
		{ "scan_ssh.csv", SCAN "2026-11-22 20:30:00,8.8.4.4\n2026-11-22 20:30:00,8.8.4.4,tcp,22,x,y\n",
		  "+2 1795379400000 8.8.4.4/0:0>:0 0 vulnerable/potentially-unwanted-accessible "
		  "2026-11-22 20:30:00,8.8.4.4\n-3 csv  2026-11-22 20:30:00,8.8.4.4,tcp,22,x,y\n" },
		/* what routing needs must be right, the other side may be anything */
		{ "event4_sinkhole.csv", EVENTS "2026-11-22 20:30:00,,8.8.4.4,,who,no,\n",
		  "+2 1795379400000 8.8.4.4/0:0>:0 0 malicious-code/infected-system "
		  "2026-11-22 20:30:00,,8.8.4.4,,who,no,\n" },
		{ "event4_sinkhole.csv",
		  EVENTS "2026-11-22 20:30:00,tcp,10.0.0.1,1,,,\n2026-11-22 20:30:00,tcp,host,1,,,\n"
			 "2026-11-22 20:30:00,tcp,,1,,,\n2026-11-22 20:30:00,tcp,8.8.4.4,65536,,,\n"
			 "2026-11-22 20:50:01,tcp,8.8.4.4,1,,,\n1999-12-31 23:59:59,tcp,8.8.4.4,1,,,\n"
			 "0,tcp,8.8.4.4,1,,,\n,tcp,8.8.4.4,1,,,\n2026-11-22 20:50:00,carp,8.8.4.4,1,,,\n",
		  "-2 address-special src_ip 2026-11-22 20:30:00,tcp,10.0.0.1,1,,,\n"
		  "-3 address src_ip 2026-11-22 20:30:00,tcp,host,1,,,\n"
		  "-4 address src_ip 2026-11-22 20:30:00,tcp,,1,,,\n"
		  "-5 number src_port 2026-11-22 20:30:00,tcp,8.8.4.4,65536,,,\n"
		  "-6 time-future timestamp 2026-11-22 20:50:01,tcp,8.8.4.4,1,,,\n"
		  "-7 time timestamp 1999-12-31 23:59:59,tcp,8.8.4.4,1,,,\n"
		  "-8 time timestamp 0,tcp,8.8.4.4,1,,,\n-9 time timestamp ,tcp,8.8.4.4,1,,,\n"
		  "+10 1795380600000 8.8.4.4/0:1>:0 255 malicious-code/infected-system "
		  "2026-11-22 20:50:00,carp,8.8.4.4,1,,,\n" },
		/* kept as it came; the private one inside it is seen */
		{ "scan6_ssh.csv",
		  SCAN "2026-11-22 20:30:00,::ffff:8.8.4.4,tcp,22,\n2026-11-22 20:30:00,::ffff:10.1.1.1,tcp,22,\n",
		  "+2 1795379400000 ::ffff:8.8.4.4/0:22>:0 6 vulnerable/potentially-unwanted-accessible "
		  "2026-11-22 20:30:00,::ffff:8.8.4.4,tcp,22,\n"
		  "-3 address-special ip 2026-11-22 20:30:00,::ffff:10.1.1.1,tcp,22,\n" },
		/* one broken quote costs its own line */
		{ "scan_ssh.csv",
		  SCAN "2026-11-22 20:30:00,8.8.4.4,tcp,22,\"open\n2026-11-22 20:30:00,8.8.8.8,tcp,22,a\"b\n"
		       "2026-11-22 20:30:00,9.9.9.9,tcp,22,\n",
		  "-2 csv  2026-11-22 20:30:00,8.8.4.4,tcp,22,\"open\n"
		  "-3 csv  2026-11-22 20:30:00,8.8.8.8,tcp,22,a\"b\n"
		  "+4 1795379400000 9.9.9.9/0:22>:0 6 vulnerable/potentially-unwanted-accessible "
		  "2026-11-22 20:30:00,9.9.9.9,tcp,22,\n" },
		{ "scan_ssh.csv",
		  SCAN "2026-11-22 20:30:00,8.8.4.4,tcp,22,\xff\n2026-11-22 20:30:00,8.8.4.4,tcp,22,\xc3\xa9\n",
		  "-2 encoding  2026-11-22 20:30:00,8.8.4.4,tcp,22,\xff\n"
		  "+3 1795379400000 8.8.4.4/0:22>:0 6 vulnerable/potentially-unwanted-accessible "
		  "2026-11-22 20:30:00,8.8.4.4,tcp,22,\xc3\xa9\n" },
		/* headers */
		{ "scan_ssh.csv", "\xef\xbb\xbf\r\n\"timestamp\",\"ip\"\r\n\r\n2026-11-22 20:30:00,8.8.4.4\r\n",
		  "+4 1795379400000 8.8.4.4/0:0>:0 0 vulnerable/potentially-unwanted-accessible "
		  "2026-11-22 20:30:00,8.8.4.4\n" },
		{ "scan_ssh.csv", "timestamp,ip", "" },
		{ "scan_ssh.csv", "timestamp,port\n", "csv" },
		{ "scan_ssh.csv", "timestamp,ip,ip\n", "csv" },
		{ "scan_ssh.csv", "timestamp,ip,\xff\n", "encoding" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		reads_as(cases[i].name, span_of(cases[i].text), defaults, cases[i].rows);
}

static void takes_options(void **state)
{
	(void)state;
	reads_as("scan_ssh.csv", SPAN(SCAN ",8.8.4.4,tcp,22,\n"), (struct report_options){ .date_ms = TEST_NOW - 1000 },
		 "+2 1795379999000 8.8.4.4/0:22>:0 6 vulnerable/potentially-unwanted-accessible ,8.8.4.4,tcp,22,\n");
	reads_as("-", SPAN(SCAN "2026-11-22 20:30:00,8.8.4.4,,,\n"), (struct report_options){ .class = CLASS_SPAM },
		 "+2 1795379400000 8.8.4.4/0:0>:0 0 abusive-content/spam 2026-11-22 20:30:00,8.8.4.4,,,\n");
	reads_as("-", SPAN(SCAN), (struct report_options){ .class = CLASS_COPYRIGHT }, "class-content");
	reads_as("-", SPAN("a,b\n"), (struct report_options){ .from = FORMAT_SHADOWSERVER }, "csv");
}

static void row_of_a_nul(void **state)
{
	(void)state;
	reads_as_span("scan_ssh.csv", SPAN(SCAN "2026-11-22 20:30:00,8.8.4.4,tcp,22,\0\n"), defaults,
		      SPAN("-2 encoding  2026-11-22 20:30:00,8.8.4.4,tcp,22,\0\n"));
}

/* A table of its own, so it must be whole: names once, classes that may be said, telltales that tell. */
static void table_of_types(void **state)
{
	const struct report_type *t;
	size_t types = 0, ranked[CLASS_COUNT] = { 0 };

	(void)state;
	for (; (t = report_type_at(types)) != NULL; types++) {
		assert_ptr_equal(report_type_find(span_of(t->name)), t);
		assert_true(t->class != CLASS_NONE && !class_is_content(t->class));
		assert_true(t->telltale == NULL || strchr(t->telltale, ' ') != NULL);
		for (size_t i = 0; i < types; i++) {
			const struct report_type *other = report_type_at(i);

			assert_true(t->telltale == NULL || other->telltale == NULL ||
				    strcmp(t->telltale, other->telltale) != 0);
		}
		ranked[t->class]++;
	}
	assert_true(types > 110);
	assert_true(ranked[CLASS_VULNERABLE_SYSTEM] < 15); /* not the answer to everything */
	assert_true(ranked[CLASS_DDOS_AMPLIFIER] > 20);
	assert_string_equal(report_type_find(SPAN("scan6_ssl_poodle"))->name, "scan_ssl_poodle");
	assert_string_equal(report_type_find(SPAN("event6_sinkhole_http"))->name, "event4_sinkhole_http");
	assert_string_equal(report_type_find(SPAN("event_honeypot_darknet"))->name, "event4_honeypot_darknet");
	assert_string_equal(report_type_find(SPAN("device_id6"))->name, "device_id");
	assert_null(report_type_find(SPAN("6")));
	assert_null(report_type_find(SPAN("scan6_")));
	assert_null(report_type_find(SPAN("")));
}

static void describes_layouts(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const struct report_options options = { .now_ms = TEST_NOW };
	struct layout *l;

	(void)state;
	assert_int_equal(report_detect(a, SPAN("2027-01-01-scan_warpdrive-x.csv"),
				       SPAN("timestamp,ip,\"warp \"\"factor\"\"\",flux\r\n1"), &options, &l),
			 OK);
	assert_int_equal(layout_format(l), FORMAT_SHADOWSERVER);
	assert_span(layout_type(l), "scan_warpdrive");
	assert_false(layout_type_known(l));
	assert_span(layout_header(l), "timestamp,ip,\"warp \"\"factor\"\"\",flux");
	assert_int_equal(layout_unknown_columns(l), 2);
	assert_int_equal(report_start(l).offset, 37);
	assert_int_equal(report_start(l).line, 2);
	assert_int_equal(report_detect(a, SPAN("Report (1).csv"), SPAN("timestamp,ip\n"), &options, &l), OK);
	assert_span(layout_type(l), "shadowserver");
	assert_int_equal(layout_unknown_columns(l), 0);
	arena_free(a);
}

/* Both the quick way and the table say the same of every address. */
static void special_addresses(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int i = 0; i < 300000; i++) {
		struct address a = address_ipv4((uint32_t)test_random(&seed));
		enum err want;

		if (i % 2 == 0) {
			static const uint64_t starts[] = { 0x2001, 0x2002, 0x2003, 0x3ffe, 0x3fff,
							   0x64,   0xfe80, 0x2a00, 0 };

			a = (struct address){ test_random(&seed) >> 16 | starts[test_below(&seed, 9)] << 48,
					      test_random(&seed), FAMILY_IPV6 };
			if (i % 4 == 0)
				a.high &= 0xffff0fff00000000;
		}
		want = address_special(a) == NULL ? OK : ERR_ADDRESS_SPECIAL;
		assert_int_equal(source_check(&a), want);
	}
}

static void law_of_chunks(void **state)
{
	static const char *const pieces[] = {
		"2026-11-22 20:30:00,8.8.4.4,tcp,22,x\n",
		"2026-11-22 20:30:00,8.8.4.4,tcp,22,x\n",
		"\"2026-11-22 20:30:01\",\"8.8.4.4\",\"tcp\",22,\"a\nb\"\n",
		"\"",
		"\n",
		",",
		"\r\n",
		"\"\"",
		"2026-11-22 20:30:00,10.0.0.1,,,\"a\"\"b\"\r\n",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	};

	(void)state;
	keeps_the_law("scan_ssh.csv", SCAN, pieces, TABLE_LENGTH(pieces));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rows),	     cmocka_unit_test(takes_options),
		cmocka_unit_test(row_of_a_nul),	     cmocka_unit_test(table_of_types),
		cmocka_unit_test(describes_layouts), cmocka_unit_test(special_addresses),
		cmocka_unit_test(law_of_chunks),
	};

	return cmocka_run_group_tests_name("shadowserver", tests, NULL, NULL);
}
