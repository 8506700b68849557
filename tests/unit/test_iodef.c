#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "report/layout.h"
#include "report/xml.h"

#define NOW INT64_C(1795380000000) /* 2026-11-22T20:40:00Z */

#define ROOT "<IODEF-Document version=\"2.00\" xml:lang=\"en\" xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\">"
#define ID "<IncidentID name=\"cert.example\">1</IncidentID>"
#define TIME "<GenerationTime>2026-11-21T01:00:00Z</GenerationTime>"
#define CONTACT "<Contact role=\"creator\" type=\"organization\"><ContactName>A</ContactName></Contact>"
#define OPEN "<Incident purpose=\"mitigation\">" ID TIME CONTACT
#define CLOSE "</Incident>"
#define END "</IODEF-Document>"
#define NODE(category, text) "<Node><Address category=\"" category "\">" text "</Address></Node>"
#define V4(text) NODE("ipv4-addr", text)
#define SOURCE(inner) "<System category=\"source\">" inner "</System>"
#define TARGET(inner) "<System category=\"target\">" inner "</System>"
#define DATA(inner) "<EventData>" inner "</EventData>"
#define FLOW(inner) "<Flow>" inner "</Flow>"
#define DOCUMENT(inner) ROOT OPEN inner CLOSE END
#define SAID DATA(FLOW(SOURCE(V4("8.8.4.4"))))
#define SAID_EVENT "+1 1795222800000 8.8.4.4/0:0>:0 0 other/undetermined\n"

struct heard {
	struct buffer out, raw;
};

static enum err hear_event(void *context, const struct event *e)
{
	struct heard *h = context;
	char source[ADDRESS_TEXT], target[ADDRESS_TEXT] = "";

	address_format(e->source, source);
	if (e->has_target)
		address_format(e->target, target);
	buffer_print(&h->out, "+%llu %lld %s/%u:%u>%s:%u %u %s\n", (unsigned long long)e->line, (long long)e->time_ms,
		     source, e->source_length, e->source_port, target, e->target_port, e->transport,
		     class_name(e->class));
	buffer_span(&h->raw, e->raw);
	buffer_byte(&h->raw, '\n');
	assert_int_equal(e->format, FORMAT_IODEF);
	assert_null(memchr(e->raw.at, '\n', e->raw.len));
	assert_true(e->raw.len <= REPORT_ROW_MAX);
	assert_true(span_is_utf8(e->raw));
	return OK;
}

static enum err hear_reject(void *context, const struct reject *r)
{
	struct heard *h = context;

	buffer_print(&h->out, "-%llu %s %s\n", (unsigned long long)r->line, err_code(r->why),
		     r->field != NULL ? r->field : "");
	return OK;
}

static enum err hear(struct span text, struct heard *h)
{
	struct layout l = { .format = FORMAT_IODEF,
			    .framing = FRAME_WHOLE,
			    .class = CLASS_UNDETERMINED,
			    .latest_ms = NOW + REPORT_SKEW_MS,
			    .row_max = REPORT_DOCUMENT_MAX };
	struct report_cursor from = { 0, 1, false };
	struct report_sink sink = { hear_event, hear_reject, h };
	struct scratch *s;
	enum err e;

	*h = (struct heard){ BUFFER((size_t)1 << 26), BUFFER((size_t)1 << 30) };
	assert_int_equal(scratch_new(&s), OK);
	e = report_parse(&l, s, text, &from, &sink);
	scratch_free(s);
	return e;
}

static void heard_free(struct heard *h)
{
	buffer_free(&h->out);
	buffer_free(&h->raw);
}

static void reads_span(struct span text, const char *expected)
{
	struct heard h;

	assert_int_equal(hear(text, &h), OK);
	if (!span_is(buffer_view(&h.out), expected))
		fail_msg("%.*s\ngives \"%.*s\", not \"%s\"", (int)(text.len < 2000 ? text.len : 2000), text.at,
			 SPAN_FORMAT(buffer_view(&h.out)), expected);
	heard_free(&h);
}

static void reads(const char *text, const char *expected)
{
	reads_span(span_of(text), expected);
}

static void finds_addresses(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ DOCUMENT(SAID), SAID_EVENT },
		{ DOCUMENT(DATA(
			  FLOW(SOURCE(V4(" 8.8.4.4\n") "<Service ip-protocol=\"6\"><Port>4444</Port></Service>")
				       TARGET(V4("8.8.8.8") "<Service ip-protocol=\"6\"><Port>22</Port></Service>")))),
		  "+1 1795222800000 8.8.4.4/0:4444>8.8.8.8:22 6 other/undetermined\n" },
		/* several addresses of a system, several systems, several flows */
		{ DOCUMENT(DATA(FLOW(SOURCE("<Node><Address category=\"ipv4-addr\">8.8.4.4</Address>"
					    "<Address category=\"asn\">64500</Address>"
					    "<Address category=\"ipv6-addr\">2a00:1450::1</Address></Node>")
					     SOURCE(V4("8.8.4.5"))) FLOW(SOURCE(V4("8.8.4.6"))))),
		  SAID_EVENT "+1 1795222800000 2a00:1450::1/0:0>:0 0 other/undetermined\n"
			     "+1 1795222800000 8.8.4.5/0:0>:0 0 other/undetermined\n"
			     "+1 1795222800000 8.8.4.6/0:0>:0 0 other/undetermined\n" },
		/* networks */
		{ DOCUMENT(DATA(FLOW(SOURCE(NODE("ipv4-net", "8.8.4.0/24")) SOURCE(NODE("ipv6-net", "2a00:1450::/32"))
					     SOURCE(NODE("ipv4-net-mask", "8.8.0.0/255.255.0.0"))
						     SOURCE(NODE("ipv4-net-masked", "8.8.4.0/24"))))),
		  "+1 1795222800000 8.8.4.0/24:0>:0 0 other/undetermined\n"
		  "+1 1795222800000 2a00:1450::/32:0>:0 0 other/undetermined\n"
		  "+1 1795222800000 8.8.0.0/16:0>:0 0 other/undetermined\n"
		  "+1 1795222800000 8.8.4.0/24:0>:0 0 other/undetermined\n" },
		{ DOCUMENT(DATA(FLOW(SOURCE(NODE("ipv4-net", "8.8.4.1/24")) SOURCE(NODE("ipv4-net", "2a00::/16"))
					     SOURCE(NODE("ipv4-net-mask", "8.8.0.0/255.0.255.0"))
						     SOURCE(NODE("ipv4-net-mask", "8.8.4.4/255.255.0.0"))
							     SOURCE(NODE("ipv4-net-masked", "8.8.4.x/24"))
								     SOURCE(NODE("ipv4-addr", "8.8.4"))
									     SOURCE(NODE("ipv6-addr", "8.8.4.4"))))),
		  "-1 prefix Address\n-1 prefix Address\n-1 prefix Address\n-1 prefix Address\n"
		  "-1 no-address Address\n-1 address Address\n-1 address Address\n" },
		/* without a category either family passes */
		{ DOCUMENT(DATA(FLOW(SOURCE("<Node><Address>8.8.4.4</Address></Node>")))), SAID_EVENT },
		/* nothing that can be found */
		{ DOCUMENT(DATA(FLOW(SOURCE(NODE("asn", "64500"))))), "-1 no-address Address\n" },
		{ DOCUMENT(DATA(FLOW(SOURCE("<Node><DomainData/></Node>")))), "-1 no-address Address\n" },
		{ DOCUMENT(DATA(FLOW(TARGET(V4("8.8.8.8"))))), "-1 no-address System\n" },
		{ DOCUMENT(DATA(FLOW("<System category=\"sensor\">" V4("8.8.8.8") "</System>"))),
		  "-1 no-address System\n" },
		{ DOCUMENT(""), "-1 no-address EventData\n" },
		{ DOCUMENT(DATA("<Description>x</Description>")), "-1 no-address EventData\n" },
		{ DOCUMENT(DATA(FLOW(SOURCE(V4("192.168.1.1")) SOURCE(V4("8.8.4.4"))))),
		  "-1 address-special Address\n" SAID_EVENT },
		{ DOCUMENT(DATA(FLOW("<System category=\"source\" spoofed=\"yes\">" V4(
			  "8.8.4.4") "</System>"
				     "<System category=\"source\" spoofed=\"no\">" V4("8.8.4.4") "</System>"))),
		  "-1 spoofed spoofed\n" SAID_EVENT },
		/* an intermediate system counts where no source is named */
		{ DOCUMENT(DATA(FLOW("<System category=\"intermediate\">" V4("8.8.4.4") "</System>"))), SAID_EVENT },
		{ DOCUMENT(DATA(
			  FLOW("<System category=\"intermediate\">" V4("8.8.8.8") "</System>" SOURCE(V4("8.8.4.4"))))),
		  SAID_EVENT },
		/* ports */
		{ DOCUMENT(DATA(FLOW(SOURCE(V4("8.8.4.4") "<Service><Port>65536</Port></Service>")))),
		  "-1 number Port\n" },
		{ DOCUMENT(DATA(FLOW(
			  SOURCE(V4("8.8.4.4") "<Service ip-protocol=\"17\"><Portlist>53</Portlist></Service>")
				  TARGET(NODE("ipv4-net",
					      "8.8.8.0/24") "<Service "
							    "ip-protocol=\"17\"><Portlist>1-9</Portlist></Service>")))),
		  "+1 1795222800000 8.8.4.4/0:53>:0 17 other/undetermined\n" },
		/* what is of another namespace says nothing here */
		{ DOCUMENT(DATA(FLOW(
			  SOURCE(V4("8.8.4.4") "<x:Node xmlns:x=\"urn:x\"><x:Address>8.8.8.8</x:Address></x:Node>")))),
		  SAID_EVENT },
		{ DOCUMENT(DATA(FLOW(SOURCE("<Node xmlns=\"urn:x\"><Address>8.8.8.8</Address></Node>")))),
		  "-1 no-address Address\n" },
		/* any prefix will do for ours */
		{ "<i:IODEF-Document version='2.00' xmlns:i='urn:ietf:params:xml:ns:iodef-2.0'><i:Incident "
		  "purpose='watch'>"
		  "<i:IncidentID name='x'>1</i:IncidentID><i:GenerationTime>2026-11-21T01:00:00Z</i:GenerationTime>"
		  "<i:Contact/><i:EventData><i:Flow><i:System category='source'><i:Node><i:Address>8.8.4.4</i:Address>"
		  "</i:Node></i:System></i:Flow></i:EventData></i:Incident></i:IODEF-Document>",
		  SAID_EVENT },
		/* several incidents; lines are those of the incidents */
		{ ROOT "\n" OPEN SAID CLOSE "\n<AdditionalData/>\n\n" OPEN "\n" SAID CLOSE "\n" END,
		  "+2 1795222800000 8.8.4.4/0:0>:0 0 other/undetermined\n"
		  "+5 1795222800000 8.8.4.4/0:0>:0 0 other/undetermined\n" },
		{ ROOT END, "-1 field-missing Incident\n" },
		/* CDATA, comments and character references are text as any other */
		{ DOCUMENT(DATA(FLOW(
			  SOURCE("<Node><Address category=\"ipv4-addr\"><![CDATA[8.8.]]>4<!-- > -->&#46;4</Address>"
				 "</Node>")))),
		  SAID_EVENT },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		reads(cases[i].text, cases[i].expected);
}

#define AT(seconds) "+1 " seconds " 8.8.4.4/0:0>:0 0 other/undetermined\n"

static void inherits(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		/* the innermost time at which it was seen, else when it was told, else when it was written */
		{ DOCUMENT("<ReportTime>2026-11-20T00:00:00Z</ReportTime>" SAID), AT("1795132800000") },
		{ DOCUMENT("<StartTime>2026-11-20T00:00:00Z</StartTime>" SAID), AT("1795132800000") },
		{ DOCUMENT("<StartTime>2026-11-20T00:00:00Z</StartTime><EndTime>2026-11-20T00:00:01Z</EndTime>" SAID),
		  AT("1795132800000") },
		{ DOCUMENT("<EndTime>2026-11-20T00:00:00+01:00</EndTime><ReportTime>2026-11-21T00:00:00Z</"
			   "ReportTime>" SAID),
		  AT("1795129200000") },
		{ DOCUMENT("<DetectTime>2026-11-20T00:00:00Z</DetectTime>" DATA(
			  "<StartTime>2026-11-20T00:00:01Z</StartTime>" DATA(FLOW(SOURCE(V4("8.8.4.4")))))),
		  AT("1795132801000") },
		{ DOCUMENT(DATA("<StartTime>2026-11-20T00:00:01Z</StartTime>" DATA(
			  "<DetectTime>2026-11-20T00:00:02Z</DetectTime>" FLOW(SOURCE(V4("8.8.4.4"))))
					FLOW(SOURCE(V4("8.8.4.4"))))),
		  AT("1795132801000") AT("1795132802000") },
		{ DOCUMENT("<DetectTime>yesterday</DetectTime>" SAID), "-1 time DetectTime\n" },
		{ DOCUMENT("<DetectTime>2026-11-20 00:00:00</DetectTime>" SAID), "-1 time DetectTime\n" },
		{ DOCUMENT("<DetectTime>1999-11-20T00:00:00Z</DetectTime>" SAID), "-1 time DetectTime\n" },
		{ DOCUMENT("<DetectTime>2027-11-20T00:00:00Z</DetectTime>" SAID), "-1 time-future DetectTime\n" },
		/* classes */
		{ DOCUMENT("<Assessment><IncidentCategory>Brute Force</IncidentCategory></Assessment>" SAID),
		  "+1 1795222800000 8.8.4.4/0:0>:0 0 intrusion-attempts/brute-force\n" },
		{ DOCUMENT("<Assessment><IncidentCategory>x</IncidentCategory><IncidentCategory>intrusion-attempts/"
			   "exploit</IncidentCategory></Assessment>" SAID),
		  "+1 1795222800000 8.8.4.4/0:0>:0 0 intrusion-attempts/exploit\n" },
		{ DOCUMENT("<Method><Description>scanner</Description></Method>" DATA(
			  "<Method><Description>brute-force</Description></Method>" FLOW(SOURCE(V4("8.8.4.4")))) SAID),
		  "+1 1795222800000 8.8.4.4/0:0>:0 0 intrusion-attempts/brute-force\n"
		  "+1 1795222800000 8.8.4.4/0:0>:0 0 information-gathering/scanner\n" },
		{ DOCUMENT(DATA("<AdditionalData dtype=\"string\" meaning=\"rsit\">phishing</AdditionalData>" FLOW(
			  SOURCE(V4("8.8.4.4"))))),
		  "+1 1795222800000 8.8.4.4/0:0>:0 0 fraud/phishing\n" },
		{ DOCUMENT("<AdditionalData dtype=\"string\" meaning=\"colour\">phishing</AdditionalData>" SAID),
		  SAID_EVENT },
		{ DOCUMENT(DATA(FLOW(SOURCE(V4("8.8.4.4") "<NodeRole category=\"c2-server\"/>")))),
		  "+1 1795222800000 8.8.4.4/0:0>:0 0 malicious-code/c2-server\n" },
		{ DOCUMENT("<Assessment><IncidentCategory>harmful-speech</IncidentCategory></Assessment>" SAID),
		  "-1 class-content IncidentCategory\n" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		reads(cases[i].text, cases[i].expected);
}

#define BARE(attributes, inner) ROOT "<Incident " attributes ">" inner SAID CLOSE END

static void asks_for_what_must_be_there(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ BARE("", ID TIME CONTACT), "-1 field-missing purpose\n" },
		{ BARE("purpose=\"fun\"", ID TIME CONTACT), "-1 field purpose\n" },
		{ BARE("purpose=\"watch\"", TIME CONTACT), "-1 field-missing IncidentID\n" },
		{ BARE("purpose=\"watch\"", "<IncidentID name=\"x\"/>" TIME CONTACT), "-1 field-missing IncidentID\n" },
		{ BARE("purpose=\"watch\"", "<IncidentID>1</IncidentID>" TIME CONTACT),
		  "-1 field-missing IncidentID@name\n" },
		{ BARE("purpose=\"watch\"", ID CONTACT), "-1 field-missing GenerationTime\n" },
		{ BARE("purpose=\"watch\"", ID "<GenerationTime>x</GenerationTime>" CONTACT),
		  "-1 time GenerationTime\n" },
		{ BARE("purpose=\"watch\"", ID TIME), "-1 field-missing Contact\n" },
		{ BARE("purpose=\"watch\"", ID "<GenerationTime>2029-01-01T00:00:00Z</GenerationTime>" CONTACT),
		  "-1 time-future GenerationTime\n" },
		/* one incident's want does not harm the next */
		{ ROOT "<Incident/>" OPEN SAID CLOSE END, "-1 field-missing purpose\n" SAID_EVENT },
		/* the document */
		{ "<IODEF-Document xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\">" OPEN SAID CLOSE END,
		  "-1 field-missing version\n" },
		{ "<IODEF-Document version=\"1.00\" xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\">" OPEN SAID CLOSE END,
		  "-1 field version\n" },
		{ "<IODEF-Document version=\"1.00\" xmlns=\"urn:ietf:params:xml:ns:iodef-1.0\">" OPEN SAID CLOSE END,
		  "-1 field xmlns\n" },
		{ "<IODEF-Document version=\"2.00\">" OPEN SAID CLOSE END, "-1 field-missing xmlns\n" },
		{ "<rss/>", "-1 field IODEF-Document\n" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		reads(cases[i].text, cases[i].expected);
}

/* What comes before the damage counts, the incident in hand is rejected with all behind it. */
static void refuses_what_is_no_xml(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "<IODEF-Document version=\"2.00\" xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\"", "-1 xml \n" },
		{ ROOT OPEN SAID CLOSE, SAID_EVENT "-1 xml \n" },
		{ ROOT "\n" OPEN SAID CLOSE "\n" OPEN SAID,
		  "+2 1795222800000 8.8.4.4/0:0>:0 0 other/undetermined\n-3 xml \n" },
		{ ROOT OPEN SAID CLOSE END "x", SAID_EVENT "-1 xml \n" },
		{ ROOT OPEN "<a></b>" SAID CLOSE END, "-1 xml \n" },
		{ ROOT OPEN "<a b=\"1\" b=\"2\"/>" SAID CLOSE END, "-1 xml \n" },
		{ ROOT OPEN "<p:a/>" SAID CLOSE END, "-1 xml \n" },
		{ ROOT OPEN "&eacute;" SAID CLOSE END, "-1 xml \n" },
		{ ROOT OPEN "&#0;" SAID CLOSE END, "-1 xml \n" },
		{ ROOT OPEN "\x01" SAID CLOSE END, "-1 xml \n" },
		{ ROOT OPEN "\xff" SAID CLOSE END, "-1 encoding \n" },
		/* document types, of every kind */
		{ "<!DOCTYPE IODEF-Document>" DOCUMENT(SAID), "-1 xml \n" },
		{ "<?xml version=\"1.0\"?><!-- x --><!DOCTYPE IODEF-Document SYSTEM "
		  "\"http://192.0.2.1/x.dtd\">" DOCUMENT(SAID),
		  "-1 xml \n" },
		{ "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"
		  "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d "
		  "\"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]>" DOCUMENT("<Description>&d;</Description>" SAID),
		  "-1 xml \n" },
		{ "<!DOCTYPE a [<!ENTITY % p SYSTEM \"file:///etc/hostname\"> %p;]>" DOCUMENT(SAID), "-1 xml \n" },
		{ ROOT "<!ENTITY a \"b\">" END, "-1 xml \n" },
		{ "<?xml version=\"1.0\" encoding=\"EUC-JP\"?>" DOCUMENT(SAID), "-1 encoding \n" },
		{ "<?xml version=\"1.0\" encoding=\"UTF-16\"?>" DOCUMENT(SAID), "-1 encoding \n" },
		/* in a comment or in CDATA it is none */
		{ DOCUMENT("<!-- <!DOCTYPE a> --><Description><![CDATA[<!DOCTYPE a>]]></Description>" SAID),
		  SAID_EVENT },
		{ "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n" DOCUMENT(SAID),
		  "+2 1795222800000 8.8.4.4/0:0>:0 0 other/undetermined\n" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		reads(cases[i].text, cases[i].expected);
	reads_span(SPAN(DOCUMENT(SAID) "\0"), "-1 encoding \n");
}

/* An entity that names a file which is there: none of it may come in. */
static void reads_no_files(void **state)
{
	char text[1000], path[] = "/tmp/comity-test-XXXXXX";
	int fd = mkstemp(path);
	struct heard h;

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(file_write_all(fd, "8.8.4.4", 7), OK);
	close(fd);
	snprintf(text, sizeof(text),
		 "<!DOCTYPE a [<!ENTITY s SYSTEM \"file://%s\">]>" DOCUMENT(
			 DATA(FLOW(SOURCE("<Node><Address category=\"ipv4-addr\">&s;</Address></Node>")))),
		 path);
	assert_int_equal(hear(span_of(text), &h), OK);
	assert_int_equal(unlink(path), 0);
	assert_span(buffer_view(&h.out), "-1 xml \n");
	heard_free(&h);
}

static int arena_setup(void **state)
{
	return (*state = arena_new((size_t)1 << 28)) == NULL;
}

static int arena_teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static struct span repeated(struct arena *a, const char *before, const char *piece, size_t count, const char *after)
{
	struct buffer b = BUFFER((size_t)1 << 26);
	struct span out;

	buffer_text(&b, before);
	for (size_t i = 0; i < count; i++)
		buffer_text(&b, piece);
	buffer_text(&b, after);
	assert_int_equal(b.err, OK);
	out = (struct span){ arena_copy(a, b.at, b.len), b.len };
	assert_non_null(out.at);
	buffer_free(&b);
	return out;
}

static void keeps_to_its_limits(void **state)
{
	struct arena *a = *state;

	/* the two around it, and itself */
	reads_span(repeated(a, ROOT OPEN SAID, "<a>", 10000, ""), "-1 depth \n");
	reads_span(repeated(a, ROOT OPEN, "<EventData>", XML_DEPTH_MAX - 1, ""), "-1 depth \n");
	reads_span(repeated(a, ROOT OPEN, "<a>", XML_DEPTH_MAX - 2, ""), "-1 xml \n");
	/* tags */
	reads_span(repeated(a, ROOT OPEN SAID "<a b=\"", ">", XML_TAG_MAX, "\"/>" CLOSE END), "-1 xml \n");
	reads_span(repeated(a, ROOT OPEN SAID "<a b=\"", ">", XML_TAG_MAX - 9, "\"/>" CLOSE END), SAID_EVENT);
	reads(ROOT OPEN SAID "<a xmlns:a='1' xmlns:b='1' xmlns:c='1' xmlns:d='1' xmlns:e='1' xmlns:f='1' xmlns:g='1' "
			     "xmlns:h='1' xmlns:i='1' xmlns:j='1' xmlns:k='1' xmlns:l='1' xmlns:m='1' xmlns:n='1' "
			     "xmlns:o='1' xmlns:p='1' xmlns:q='1'/>" CLOSE END,
	      "-1 xml \n");
	/* an incident that takes too much memory as a tree; the next is read */
	reads_span(repeated(a, ROOT OPEN SAID, "<a/>", 2000000, CLOSE OPEN SAID CLOSE END),
		   "-1 too-long Incident\n" SAID_EVENT);
	reads_span(repeated(a, ROOT OPEN SAID "<Description>", "x", 8000000, "</Description>" CLOSE END), SAID_EVENT);
}

static struct span as_utf16(struct arena *a, const char *text, bool big, bool mark)
{
	size_t n = strlen(text);
	char *out = arena_alloc(a, 2 * n + 2), *at = out;

	assert_non_null(out);
	if (mark) {
		*at++ = (char)(big ? 0xfe : 0xff);
		*at++ = (char)(big ? 0xff : 0xfe);
	}
	for (size_t i = 0; i < n; i++) {
		*at++ = (char)(big ? 0 : text[i]);
		*at++ = (char)(big ? text[i] : 0);
	}
	return span_make(out, (size_t)(at - out));
}

static void decodes(void **state)
{
	static const char latin1[] =
		"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" ROOT
		"<Incident purpose=\"watch\"><IncidentID name=\"caf\xe9\">1</IncidentID>" TIME CONTACT SAID CLOSE END;
	static const char wide[] = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>" DOCUMENT(SAID);
	struct arena *a = *state;
	struct heard h;
	struct span out;

	assert_int_equal(hear(span_of(latin1), &h), OK);
	assert_span(buffer_view(&h.out), SAID_EVENT);
	assert_non_null(memmem(h.raw.at, h.raw.len, "\"@name\":\"caf\xc3\xa9\"", 15));
	heard_free(&h);
	for (int i = 0; i < 4; i++) {
		struct span text = as_utf16(a, wide, i & 1, i & 2);

		reads_span(text, SAID_EVENT);
		assert_true(xml_root_is(text, "IODEF-Document"));
		text.len--;
		reads_span(text, "-1 encoding \n");
	}
	for (int i = 0; i < 4; i++) {
		const struct report_options options = { .now_ms = NOW };
		struct layout *l;

		assert_int_equal(report_detect(a, SPAN("x"), as_utf16(a, wide, i & 1, i & 2), &options, &l), OK);
		assert_int_equal(layout_format(l), FORMAT_IODEF);
		assert_int_equal(report_detect(a, SPAN("x"), as_utf16(a, "<rss/>", i & 1, i & 2), &options, &l),
				 ERR_ENCODING);
	}
	/* surrogates */
	assert_int_equal(xml_decode(a, SPAN("\xfe\xff\0<\xd8\x3d\xde\x00"), &out), OK);
	assert_span(out, "<\xf0\x9f\x98\x80");
	assert_int_equal(xml_decode(a, SPAN("\xfe\xff\0<\xde\x00\0x"), &out), ERR_ENCODING);
	assert_int_equal(xml_decode(a, SPAN("\xfe\xff\0<\xd8\x3d\0x"), &out), ERR_ENCODING);
	assert_int_equal(xml_decode(a, SPAN("\xff\xfe<\0\x3d\xd8"), &out), ERR_ENCODING);
}

static void finds_the_root(void **state)
{
	(void)state;
	assert_true(xml_root_is(SPAN("<IODEF-Document>"), "IODEF-Document"));
	assert_true(xml_root_is(SPAN("\xef\xbb\xbf <?xml?><!-- <a> --> <x:IODEF-Document/"), "IODEF-Document"));
	assert_true(xml_root_is(SPAN("<!DOCTYPE a [<!ENTITY b \"<c>\">]><IODEF-Document "), "IODEF-Document"));
	assert_true(xml_root_is(SPAN("<!DOCTYPE a><IODEF-Document "), "IODEF-Document"));
	assert_false(xml_root_is(SPAN("<html>"), "IODEF-Document"));
	assert_false(xml_root_is(SPAN("<?xml"), "IODEF-Document"));
	assert_false(xml_root_is(SPAN("<!--"), "IODEF-Document"));
	assert_false(xml_root_is(SPAN("<"), "IODEF-Document"));
	assert_false(xml_root_is(SPAN(""), "IODEF-Document"));
	assert_false(xml_root_is(SPAN("x <IODEF-Document>"), "IODEF-Document"));
}

static void kept(const char *text, const char *expected)
{
	struct heard h;

	assert_int_equal(hear(span_of(text), &h), OK);
	assert_span(buffer_view(&h.raw), expected);
	heard_free(&h);
}

#define KEPT_INCIDENT                                                                                                  \
	"{\"Incident\":{\"@purpose\":\"mitigation\",\"IncidentID\":{\"@name\":\"cert.example\",\"#text\":\"1\"},"      \
	"\"GenerationTime\":\"2026-11-21T01:00:00Z\",\"Contact\":{\"@role\":\"creator\",\"@type\":\"organization\","   \
	"\"ContactName\":\"A\"}"

static void keeps_what_it_says(void **state)
{
	(void)state;
	kept(DOCUMENT(SAID),
	     KEPT_INCIDENT "},\"EventData\":[{}],\"Flow\":[],\"System\":{\"@category\":\"source\",\"Node\":{}},"
			   "\"Address\":{\"@category\":\"ipv4-addr\",\"#text\":\"8.8.4.4\"}}\n");
	kept(DOCUMENT("<Description>a</Description><Description>b&lt;\"</Description>" DATA(
		     "<Expectation action=\"remediate-other\"/>" DATA(
			     "<x:y xmlns:x=\"urn:x\" x:z=\"1\">t<x:u/>v</x:y><Method/>" FLOW(
				     SOURCE(V4("8.8.4.4")) TARGET(V4("8.8.8.8")))))),
	     KEPT_INCIDENT
	     ",\"Description\":[\"a\",\"b<\\\"\"]},\"EventData\":[{\"Expectation\":{\"@action\":"
	     "\"remediate-other\"}},{\"x:y\":{\"@x:z\":\"1\",\"#text\":\"t\",\"x:u\":\"\",\"#tail\":\"v\"},"
	     "\"Method\":\"\"}],\"Flow\":[{\"@category\":\"target\",\"Node\":{\"Address\":{\"@category\":"
	     "\"ipv4-addr\",\"#text\":\"8.8.8.8\"}}}],\"System\":{\"@category\":\"source\",\"Node\":{}},"
	     "\"Address\":{\"@category\":\"ipv4-addr\",\"#text\":\"8.8.4.4\"}}\n");
}

/* Long parts are hashed, many are counted, and what an incident says once for a thousand addresses does not grow to a
 * thousand times as much. */
static void keeps_within_bounds(void **state)
{
	struct arena *a = *state;
	struct heard h;
	struct yyjson_doc *doc;
	struct span text = repeated(a, ROOT OPEN "<Description>", "x", 100000, "</Description>" SAID CLOSE END), rest;

	assert_int_equal(hear(text, &h), OK);
	assert_non_null(memmem(h.raw.at, h.raw.len, "{\"#size\":100000,\"#sha256\":\"", 27));
	assert_true(h.raw.len < 1000);
	heard_free(&h);

	text = repeated(a, ROOT OPEN, "<Description>some words</Description>", 1000, SAID CLOSE END);
	assert_int_equal(hear(text, &h), OK);
	assert_non_null(memmem(h.raw.at, h.raw.len, "\"#more\":875", 11)); /* ID, time, contact are three of 128 */
	heard_free(&h);

	text = repeated(a, ROOT OPEN "<Description>", "many words ", 100, "</Description>");
	rest = repeated(a, text.at,
			"<EventData><Flow><System category=\"source\"><Node><Address>8.8.4.4</Address></Node>"
			"</System></Flow></EventData>",
			20000, CLOSE END);
	assert_int_equal(hear(rest, &h), OK);
	assert_int_equal(h.out.len, 20000 * strlen(SAID_EVENT));
	assert_true(h.raw.len < 6 * rest.len + (1 << 20) + 20000 * 1024);
	rest = buffer_view(&h.raw);
	text = span_cut(&rest, '\n');
	assert_int_equal(json_read(a, text, &doc), OK);
	assert_non_null(memmem(text.at, text.len, "cert.example", 12));
	heard_free(&h);
}

static void *hear_often(void *context)
{
	struct heard h;

	for (int i = 0; i < 50; i++) {
		if (hear(SPAN(DOCUMENT(SAID)), &h) != OK || !span_is(buffer_view(&h.out), SAID_EVENT))
			*(bool *)context = true;
		heard_free(&h);
		if (hear(SPAN(ROOT OPEN), &h) != OK || !span_is(buffer_view(&h.out), "-1 xml \n"))
			*(bool *)context = true;
		heard_free(&h);
	}
	return NULL;
}

static void threads_read_at_once(void **state)
{
	pthread_t threads[4];
	bool wrong[4] = { false };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hear_often, &wrong[i]), 0);
	for (size_t i = 0; i < TABLE_LENGTH(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_false(wrong[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_read_at_once), /* first: the library is made ready by one of them */
		cmocka_unit_test(finds_addresses),
		cmocka_unit_test(inherits),
		cmocka_unit_test(asks_for_what_must_be_there),
		cmocka_unit_test(refuses_what_is_no_xml),
		cmocka_unit_test(reads_no_files),
		cmocka_unit_test_setup_teardown(keeps_to_its_limits, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(decodes, arena_setup, arena_teardown),
		cmocka_unit_test(finds_the_root),
		cmocka_unit_test(keeps_what_it_says),
		cmocka_unit_test_setup_teardown(keeps_within_bounds, arena_setup, arena_teardown),
	};

	return cmocka_run_group_tests_name("iodef", tests, NULL, NULL);
}
