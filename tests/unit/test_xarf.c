#include "report_test.h"

#define PARTY "{\"org\":\"Example CERT\",\"contact\":\"abuse@cert.example\",\"domain\":\"cert.example\"}"
#define LOGIN                                                                                                          \
	"{\"xarf_version\":\"4.2.0\",\"report_id\":\"550e8400-e29b-41d4-a716-446655440000\","                          \
	"\"timestamp\":\"2026-11-22T20:30:00.123456Z\",\"reporter\":" PARTY ",\"sender\":" PARTY ","                   \
	"\"source_identifier\":\"8.8.4.4\",\"source_port\":4711,\"category\":\"connection\",\"type\":\"login_"         \
	"attack\","                                                                                                    \
	"\"destination_ip\":\"9.9.9.9\",\"destination_port\":22,\"protocol\":\"tcp\","                                 \
	"\"first_seen\":\"2026-11-22T20:00:00Z\",\"evidence\":[{\"content_type\":\"text/plain\",\"payload\":\"QUJD\"," \
	"\"hash\":\"md5:0f\"}],\"tags\":[\"a:b\"],\"confidence\":0.5,\"mood\":[1,-2,0.25,true,null,\"\xc3\xa4\"]}"
#define PLACE "1795379400123 8.8.4.4/0:4711>9.9.9.9:22 6 intrusion-attempts/brute-force "

#define PORTSCAN                                                                                                       \
	"{\"Version\":\"3\",\"ReporterInfo\":{\"ReporterOrg\":\"Example\",\"ReporterOrgDomain\":\"cert.example\","     \
	"\"ReporterOrgEmail\":\"abuse@cert.example\"},\"Disclosure\":true,\"Report\":{\"ReportClass\":\"Activity\","   \
	"\"ReportType\":\"PortScan\",\"Date\":\"2026-11-22T20:30:00+00:00\",\"SourceIp\":\"8.8.4.4\","                 \
	"\"SourcePort\":4711,\"DestinationIp\":\"9.9.9.9\",\"DestinationPort\":[22,23],"                               \
	"\"TransportProtocol\":\"tcp\",\"Samples\":[{\"ContentType\":\"text/plain\",\"Payload\":\"x\"}]}}"
#define PLACE_3 "1795379400000 8.8.4.4/0:4711>9.9.9.9:22 6 information-gathering/scanner "

static const struct report_options defaults = { 0 };

/* The document with one piece of it replaced reads as expected: the place of an event, or the code and field of a
 * reject, "format-unknown". */
static void changed(const char *document, const char *from, const char *to, const char *expected)
{
	const char *at = strstr(document, from);
	struct buffer text = BUFFER((size_t)1 << 20);
	struct report_options options = { .from = FORMAT_XARF, .now_ms = TEST_NOW };
	struct arena *a = arena_new(1 << 20);
	struct law law = { .out = BUFFER((size_t)1 << 20) };
	struct scratch *s;
	struct layout *l;
	struct span line;

	if (at == NULL)
		fail_msg("%s is not there", from);
	buffer_bytes(&text, document, (size_t)(at - document));
	buffer_text(&text, to);
	buffer_text(&text, at + strlen(from));
	assert_int_equal(scratch_new(&s), OK);
	assert_int_equal(report_detect(a, SPAN("x"), buffer_view(&text), &options, &l), OK);
	law_read(l, s, buffer_view(&text), text.len + 1, l->row_max, &law);
	assert_int_equal(law.events + law.rejects, 1);
	line = span_from(buffer_view(&law.out), 3);
	if (!span_starts(line, expected) && !span_starts(buffer_view(&law.out), expected))
		fail_msg("%s for %s: \"%.*s\" is not \"%s\"", to, from, SPAN_FORMAT(buffer_view(&law.out)), expected);
	for (size_t step = 1; step < 40; step += 7)
		assert_true(law_holds(l, s, buffer_view(&text), step, l->row_max));
	buffer_free(&law.out);
	buffer_free(&text);
	scratch_free(s);
	arena_free(a);
}

static void reads_version_4(void **state)
{
	(void)state;
	reads_as("x.json", SPAN(LOGIN "\n" LOGIN), defaults, "+1 " PLACE LOGIN "\n+2 " PLACE LOGIN "\n");
	reads_as("x.json", SPAN("[" LOGIN ", \n" LOGIN "]\n"), defaults, "+1 " PLACE LOGIN "\n+2 " PLACE LOGIN "\n");
	/* what was written over many lines is kept as one */
	reads_as("x.json", SPAN("{\n  \"Report\": 1,\n  \"xarf_version\": \"4.2.0\"\n}\n"), defaults,
		 "-1 field-missing report_id {\n  \"Report\": 1,\n  \"xarf_version\": \"4.2.0\"\n}\n");
}

static void checks_version_4(void **state)
{
	static const char *const cases[][3] = {
		{ "\"4.2.0\"", "\"4.0.1\"", PLACE },
		{ "\"4.2.0\"", "\"5.2.0\"", "field xarf_version" },
		{ "\"4.2.0\"", "\"4.2\"", "field xarf_version" },
		{ "\"4.2.0\"", "\"4.2.0x\"", "field xarf_version" },
		{ "\"4.2.0\"", "4.2", "field xarf_version" },
		{ "446655440000", "44665544000", "field report_id" },
		{ "\"2026-11-22T20:30:00.123456Z\"", "\"yesterday\"", "time timestamp" },
		{ "\"2026-11-22T20:30:00.123456Z\"", "\"2027-11-22T20:30:00Z\"", "time-future timestamp" },
		{ "\"2026-11-22T20:30:00.123456Z\"", "\"1999-11-22T20:30:00Z\"", "time timestamp" },
		{ "\"2026-11-22T20:30:00.123456Z\"", "null", "field-missing timestamp" },
		{ "\"2026-11-22T20:30:00.123456Z\"", "7", "field timestamp" },
		{ "\"reporter\":" PARTY, "\"reporter\":{}", "field-missing reporter.org" },
		{ "\"reporter\":" PARTY, "\"reporter\":\"me\"", "field reporter" },
		{ "\"sender\":" PARTY, "\"sender\":{\"org\":\"x\",\"contact\":\"y\",\"domain\":\"z\"}",
		  "field sender.contact" },
		{ "\"sender\":" PARTY, "\"sender\":{\"org\":\"x\",\"contact\":\"a@b\",\"domain\":\"z\",\"type\":1}",
		  "field sender" },
		{ "\"sender\":" PARTY, "\"sender\":{\"org\":\"x\",\"contact\":\"a@b\",\"domain\":\"no host\"}",
		  "field sender.domain" },
		/* who it is about */
		{ "\"8.8.4.4\"", "\"2a00:1450::1\"",
		  "1795379400123 2a00:1450::1/0:4711>9.9.9.9:22 6 intrusion-attempts/brute-force" },
		{ "\"8.8.4.4\"", "\"8.8.4.0/24\"",
		  "1795379400123 8.8.4.0/24:4711>9.9.9.9:22 6 intrusion-attempts/brute-force" },
		{ "\"8.8.4.4\"", "\"8.8.4.4/24\"", "prefix source_identifier" },
		{ "\"8.8.4.4\"", "\"192.168.4.4\"", "address-special source_identifier" },
		{ "\"8.8.4.4\"", "\"attacker.example\"", "no-address source_identifier" },
		{ "\"8.8.4.4\"", "\"https://user@8.8.4.4:8443/login\"", PLACE },
		{ "\"8.8.4.4\"", "\"https://attacker.example/8.8.4.4\"", "no-address source_identifier" },
		{ "\"8.8.4.4\"", "\"\"", "field source_identifier" },
		/* behind NAT the port is who it was */
		{ "\"source_port\":4711,", "", "field-missing source_port" },
		{ "\"source_port\":4711,\"category\":\"connection\",\"type\":\"login_attack\"",
		  "\"category\":\"connection\",\"type\":\"sql_injection\"",
		  "1795379400123 8.8.4.4/0:0>9.9.9.9:22 6 intrusion-attempts/ids-alert" },
		{ "4711", "0", "field source_port" },
		{ "4711", "65536", "field source_port" },
		{ "4711", "\"4711\"", "field source_port" },
		{ "\"protocol\":\"tcp\",", "", "field-missing protocol" },
		{ "\"protocol\":\"tcp\"", "\"protocol\":\"pigeon\"", "field protocol" },
		{ "\"first_seen\":\"2026-11-22T20:00:00Z\",", "", "field-missing first_seen" },
		{ "\"9.9.9.9\"", "\"9.9.9\"", "address destination_ip" },
		/* which class it is */
		{ "\"connection\"", "\"cooking\"", "field category" },
		{ "\"login_attack\"", "\"log_in\"", "field type" },
		{ "\"login_attack\"", "\"spam\"", "field type" },
		{ "\"login_attack\"", "\"infected_host\"", "field-missing bot_type" },
		{ "\"login_attack\"", "\"infected_host\",\"malware_family\":\"Mirai\",\"bot_type\":\"malicious\"",
		  "1795379400123 8.8.4.4/0:4711>9.9.9.9:22 6 malicious-code/infected-system [Mirai]" },
		{ "\"login_attack\"", "\"infected_host\",\"bot_type\":\"search_engine\"",
		  "1795379400123 8.8.4.4/0:4711>9.9.9.9:22 6 other/other" },
		{ "\"connection\",\"type\":\"login_attack\"", "\"copyright\",\"type\":\"copyright\"",
		  "field-missing infringing_url" },
		{ "\"connection\",\"type\":\"login_attack\"",
		  "\"copyright\",\"type\":\"copyright\",\"infringing_url\":\"x\"", "class-content type" },
		{ "\"connection\",\"type\":\"login_attack\"",
		  "\"vulnerability\",\"type\":\"open_service\",\"service\":\"ntp\"",
		  "1795379400123 8.8.4.4/0:4711>9.9.9.9:22 0 vulnerable/potentially-unwanted-accessible" },
		/* evidence */
		{ "\"QUJD\"", "\"QUJ\"", "encoding evidence.payload" },
		{ "\"QUJD\"", "\"QU!D\"", "encoding evidence.payload" },
		{ "\"QUJD\"", "\"\"", PLACE },
		{ "\"payload\":\"QUJD\",", "", "field-missing evidence.payload" },
		{ "\"md5:0f\"", "\"crc:0f1234\"", "field evidence.hash" },
		{ "\"md5:0f\"", "\"md5:xyz\"", "field evidence.hash" },
		{ "\"hash\":\"md5:0f\"", "\"size\":5242881", "field evidence.size" },
		{ "[{\"content_type\"", "[1,{\"content_type\"", "field evidence" },
		{ "\"a:b\"", "\"a\"", "field tags" },
		{ "\"a:b\"", "7", "field tags" },
		{ "0.5", "1.5", "field confidence" },
		{ "0.5", "1", PLACE },
		/* JSON itself */
		{ "\"mood\":[", "\"mood\":1,\"mood\":[", "duplicate-key mood" },
		{ "\"mood\":[", "\"mood\":[{\"a\":1,\"b\":2,\"a\":3},", "duplicate-key a" },
		{ "\"mood\":[", "\"mood\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		  "depth" },
		{ "\"mood\":[", "\"mood\":[,", "json" },
		{ "\"mood\":[", "\"mood\":[\"\xff\",", "encoding" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		changed(LOGIN, cases[i][0], cases[i][1], cases[i][2]);
}

static void reads_version_3(void **state)
{
	(void)state;
	reads_as("x.json", SPAN(PORTSCAN "\n" PORTSCAN "\n"), defaults,
		 "+1 " PLACE_3 PORTSCAN "\n+2 " PLACE_3 PORTSCAN "\n");
}

static void checks_version_3(void **state)
{
#define BOTH "\"ReportClass\":\"Activity\",\"ReportType\":\"PortScan\""
#define SOURCE "\"SourceIp\":\"8.8.4.4\",\"SourcePort\":4711,"
	static const char *const cases[][3] = {
		/* dialects */
		{ "\"Version\":\"3\",", "", PLACE_3 },
		{ "\"Version\":\"3\"", "\"Version\":\"alpha\"", PLACE_3 },
		{ "\"Version\":\"3\"", "\"Version\":\"3.0.0\"", PLACE_3 },
		{ "\"Version\":\"3\"", "\"Version\":\"2\"", "field Version" },
		{ "\"PortScan\"", "\"Port-Scan\"", PLACE_3 },
		{ "\"PortScan\"", "\"port_scan\"", PLACE_3 },
		{ "\"PortScan\"", "\"PortScans\"", "field ReportType" },
		{ "\"PortScan\"", "\"Port\"", "field ReportType" },
		{ "\"Activity\"", "\"Content\"", "field ReportClass" },
		{ SOURCE, "\"Source\":{\"IP\":\"8.8.4.4\",\"Port\":4711},", PLACE_3 },
		{ SOURCE, "", "field-missing SourceIp" },
		{ SOURCE, "\"SourceUrl\":\"http://8.8.4.4:4711/\",", "field-missing SourceIp" },
		{ BOTH "", "\"ReportClass\":\"Content\",\"ReportType\":\"Malware\",\"MalwareName\":\"Mirai\"",
		  "1795379400000 8.8.4.4/0:4711>9.9.9.9:22 6 malicious-code/malware-distribution [Mirai]" },
		{ BOTH, "\"ReportClass\":\"Activity\",\"ReportType\":\"Malware\",\"ReportSubType\":\"RPZ-Rewrite\"",
		  "1795379400000 8.8.4.4/0:4711>9.9.9.9:22 6 malicious-code/infected-system" },
		{ BOTH, "\"ReportClass\":\"Content\",\"ReportType\":\"ChildAbuse\"", "class-content ReportType" },
		{ BOTH, "\"ReportClass\":\"Content\",\"ReportType\":\"Phishing\"", "field-missing SourceUrl" },
		{ BOTH, "\"ReportClass\":\"Vulnerability\",\"ReportType\":\"OpenService\"",
		  "field-missing ServiceName" },
		{ "\"Disclosure\":true,", "", "field-missing Disclosure" },
		{ "true", "\"true\"", "field Disclosure" },
		{ "\"ReporterOrg\":\"Example\",", "", "field-missing ReporterOrg" },
		{ "\"ReporterOrg\":\"Example\",", "\"ReporterType\":\"Person\",", PLACE_3 },
		{ "\"ReporterOrg\":\"Example\",", "\"Mood\":\"Example\",", "field Mood" },
		{ "\"8.8.4.4\"", "\"8.8.4\"", "address SourceIp" },
		{ "\"8.8.4.4\"", "\"127.0.0.1\"", "address-special SourceIp" },
		{ "[22,23]", "[22,\"23\"]", "field DestinationPort" },
		{ "[22,23]", "22", PLACE_3 },
		{ "2026-11-22T20:30:00+00:00", "2026-11-22 20:30:00", PLACE_3 },
		{ "2026-11-22T20:30:00+00:00", "22.11.2026", "time Date" },
		{ "\"Payload\":\"x\"", "\"Payload\":7", "field Samples.Payload" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		changed(PORTSCAN, cases[i][0], cases[i][1], cases[i][2]);
}

/* What is kept of a report: not what is internal, nor who does not want to be named. */
static void leaves_out(void **state)
{
	(void)state;
	reads_as("x.json",
		 SPAN("{\"_internal\":{\"ticket\":1},\"xarf_version\":\"4.2.0\",\"report_id\":"
		      "\"550e8400-e29b-41d4-a716-446655440000\",\"timestamp\":\"2026-11-22T20:30:00Z\","
		      "\"reporter\":" PARTY ",\"sender\":" PARTY ",\"source_identifier\":\"8.8.4.4\","
		      "\"category\":\"content\",\"type\":\"phishing\",\"url\":\"x\"}"),
		 defaults,
		 "+1 1795379400000 8.8.4.4/0:0>:0 0 fraud/phishing {\"xarf_version\":\"4.2.0\",\"report_id\":"
		 "\"550e8400-e29b-41d4-a716-446655440000\",\"timestamp\":\"2026-11-22T20:30:00Z\","
		 "\"reporter\":" PARTY ",\"sender\":" PARTY ",\"source_identifier\":\"8.8.4.4\","
		 "\"category\":\"content\",\"type\":\"phishing\",\"url\":\"x\"}\n");
	reads_as("x.json",
		 SPAN("{\"Version\":\"3\",\"ReporterInfo\":{\"ReporterType\":\"Person\"},\"Disclosure\":false,"
		      "\"InternalProcessing\":{\"EventTags\":[]},\"Report\":{\"ReportClass\":\"Activity\","
		      "\"ReportType\":\"Spam\",\"Date\":\"2026-11-22T20:30:00Z\",\"SourceIp\":\"8.8.4.4\"}}"),
		 defaults,
		 "+1 1795379400000 8.8.4.4/0:0>:0 0 abusive-content/spam {\"Version\":\"3\",\"Disclosure\":false,"
		 "\"Report\":{\"ReportClass\":\"Activity\",\"ReportType\":\"Spam\",\"Date\":\"2026-11-22T20:30:00Z\","
		 "\"SourceIp\":\"8.8.4.4\"}}\n");
}

/* Long payloads are cut down, however many: the row fits, and still tells two reports apart. */
static void cuts_down(void **state)
{
	static const size_t sizes[] = { 2048, 2052, 60000, 300000 };
	static const size_t items[] = { 1, 30, 50 };
	struct report_options options = { .now_ms = TEST_NOW };
	struct arena *a = arena_new((size_t)64 << 20);
	struct scratch *s;

	(void)state;
	assert_int_equal(scratch_new(&s), OK);
	for (size_t i = 0; i < TABLE_LENGTH(sizes) * TABLE_LENGTH(items); i++) {
		size_t size = sizes[i / TABLE_LENGTH(items)], count = items[i % TABLE_LENGTH(items)];
		struct buffer text = BUFFER((size_t)32 << 20), rows[2] = { BUFFER(1 << 20), BUFFER(1 << 20) };

		for (int twin = 0; twin < 2; twin++) {
			const char *split = strstr(LOGIN, "[{\"content_type\"");
			struct law law = { .out = BUFFER((size_t)1 << 20) };
			struct layout *l;

			buffer_clear(&text);
			buffer_bytes(&text, LOGIN, (size_t)(split - LOGIN) + 1);
			for (size_t k = 0; k < count; k++) {
				buffer_text(&text, "{\"content_type\":\"text/plain\",\"payload\":\"");
				for (size_t n = 4; n < size; n++)
					buffer_byte(&text, 'A');
				buffer_text(&text, twin == 1 && k + 1 == count ? "BBBB\"}," : "AAAA\"},");
			}
			buffer_text(&text, split + 1);
			if (count == 50) { /* one of its own too many */
				text.len -= strlen(split + 1) + 1;
				buffer_text(&text, strstr(split, "]"));
			}
			assert_int_equal(
				report_detect(a, SPAN("x"),
					      span_make(text.at, text.len < REPORT_HEAD ? text.len : REPORT_HEAD),
					      &options, &l),
				OK);
			law_read(l, s, buffer_view(&text), text.len + 1, l->row_max, &law);
			assert_int_equal(law.events, 1);
			assert_true(law.out.len < REPORT_ROW_MAX + 200);
			buffer_span(&rows[twin], buffer_view(&law.out));
			buffer_free(&law.out);
		}
		assert_false(span_equal(buffer_view(&rows[0]), buffer_view(&rows[1])));
		buffer_free(&rows[0]);
		buffer_free(&rows[1]);
		buffer_free(&text);
	}
	scratch_free(s);
	arena_free(a);
}

/* One item of evidence too many, and one that is too large. */
static void keeps_evidence_small(void **state)
{
	static const struct {
		size_t items, size;
		const char *expected;
	} cases[] = { { 50, 8, "+" },
		      { 51, 8, "field evidence" },
		      { 1, 6990508, "+" },
		      { 1, 6990516, "too-long evidence.payload" } };
	const char *split = strstr(LOGIN, "[{\"content_type\"");
	struct report_options options = { .from = FORMAT_XARF, .now_ms = TEST_NOW };
	struct scratch *s;

	(void)state;
	assert_int_equal(scratch_new(&s), OK);
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct buffer text = BUFFER((size_t)16 << 20);
		struct law law = { .out = BUFFER((size_t)1 << 20) };
		struct arena *a = arena_new(1 << 20);
		struct layout *l;

		buffer_bytes(&text, LOGIN, (size_t)(split - LOGIN) + 1);
		for (size_t k = 0; k < cases[i].items; k++) {
			char *payload;

			buffer_print(&text, "%s{\"content_type\":\"text/plain\",\"payload\":\"", k == 0 ? "" : ",");
			payload = buffer_room(&text, cases[i].size);
			assert_non_null(payload);
			memset(payload, 'A', cases[i].size);
			text.len += cases[i].size;
			buffer_text(&text, "\"}");
		}
		buffer_text(&text, strchr(split, ']'));
		assert_int_equal(report_detect(a, SPAN("x"), span_make(text.at, 200), &options, &l), OK);
		law_read(l, s, buffer_view(&text), text.len + 1, l->row_max, &law);
		if (!span_starts(buffer_view(&law.out), cases[i].expected) &&
		    !span_starts(span_from(buffer_view(&law.out), 3), cases[i].expected))
			fail_msg("case %zu: %.60s", i, law.out.at);
		buffer_free(&text);
		buffer_free(&law.out);
		arena_free(a);
	}
	scratch_free(s);
}

static void law_of_chunks(void **state)
{
	static const char *const pieces[] = { LOGIN "\n", LOGIN, PORTSCAN "\n", "{\n \"xarf_version\": \"4.0.0\"\n}\n",
					      "[",	  "]",	 ",",		"\n",
					      "\"",	  "{",	 "}",		"{}",
					      "\r\n" };

	(void)state;
	keeps_the_law("-", LOGIN "\n", pieces, TABLE_LENGTH(pieces));
	keeps_the_law("-", "[" LOGIN "\n", pieces, TABLE_LENGTH(pieces));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_version_4),	cmocka_unit_test(checks_version_4),
		cmocka_unit_test(reads_version_3),	cmocka_unit_test(checks_version_3),
		cmocka_unit_test(leaves_out),		cmocka_unit_test(cuts_down),
		cmocka_unit_test(keeps_evidence_small), cmocka_unit_test(law_of_chunks),
	};

	return cmocka_run_group_tests_name("xarf", tests, NULL, NULL);
}
