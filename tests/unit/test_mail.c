#include <zlib.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "report/mail.h"
#include "report_test.h"

static const struct report_options as_mail = { .from = FORMAT_MAIL };

/* A part of a feedback-report in the middle of a mail that has nothing else of interest. */
#define TOP "From: desk@cert.example\nDate: Sun, 22 Nov 2026 01:00:29 +0000\nMIME-Version: 1.0\n"
#define REPORT TOP "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nA complaint.\n"
#define FIELDS "--b\nContent-Type: message/feedback-report\n\n"
#define ABUSE FIELDS "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n"
#define SOURCE "Source-IP: 8.8.4.4\n"
#define ARRIVAL "Arrival-Date: Sat, 21 Nov 2026 10:11:12 +0100\n" /* 1795252272000 */
#define MAIL "--b\nContent-Type: message/rfc822\n\n"
#define RECEIVED "Received: from a (b [8.8.4.4]) by c; Sat, 21 Nov 2026 10:11:12 +0100\n"

/* What comes of a mail: for each event its time, source, port, class, format; for each reject its code and field. */
static enum err short_event(void *context, const struct event *e)
{
	struct buffer *b = context;
	char text[ADDRESS_TEXT];

	text[address_format(e->source, text)] = '\0';
	if (!span_is_utf8(e->raw) || memchr(e->raw.at, '\n', e->raw.len) != NULL || e->raw.len > REPORT_ROW_MAX)
		fail_msg("the line of an event is no line");
	buffer_print(b, "+%lld %s:%u %s %s ", (long long)e->time_ms, text, e->source_port, class_name(e->class),
		     format_name(e->format));
	return OK;
}

static enum err short_reject(void *context, const struct reject *r)
{
	buffer_print(context, "-%s %s ", err_code(r->why), r->field != NULL ? r->field : "");
	return OK;
}

static enum err raw_event(void *context, const struct event *e)
{
	buffer_clear(context);
	buffer_span(context, e->raw);
	return OK;
}

static void parse_as(struct span text, struct report_options options,
		     enum err (*event)(void *context, const struct event *e), struct buffer *out)
{
	const struct report_sink sink = { event, short_reject, out };
	struct arena *a = arena_new(1 << 20);
	struct report_cursor from;
	struct scratch *s;
	struct layout *l;

	options.now_ms = TEST_NOW;
	assert_int_equal(scratch_new(&s), OK);
	assert_int_equal(report_detect(a, SPAN("x.eml"), text, &options, &l), OK);
	assert_int_equal(layout_format(l), FORMAT_MAIL);
	from = report_start(l);
	assert_int_equal(report_parse(l, s, span_from(text, from.offset), &from, &sink), OK);
	scratch_free(s);
	arena_free(a);
}

static void gives_span(struct span text, struct report_options options, const char *expected)
{
	struct buffer out = BUFFER(1 << 20);

	parse_as(text, options, short_event, &out);
	if (!span_is(buffer_view(&out), expected))
		fail_msg("\"%.*s\" is not \"%s\":\n%.*s", SPAN_FORMAT(buffer_view(&out)), expected,
			 (int)(text.len < 2000 ? text.len : 2000), text.at);
	buffer_free(&out);
}

static void gives(const char *text, const char *expected)
{
	gives_span(span_of(text), as_mail, expected);
}

/* The same mail, with the other line ends too. */
static void gives_both(const char *text, const char *expected)
{
	struct buffer b = BUFFER(1 << 20);

	gives(text, expected);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\n')
			buffer_byte(&b, '\r');
		buffer_byte(&b, (uint8_t)*p);
	}
	gives_span(buffer_view(&b), as_mail, expected);
	buffer_free(&b);
}

#define GOOD "+1795252272000 8.8.4.4:0 abusive-content/spam arf "

static void reads_complaints(void **state)
{
	(void)state;
	gives_both(REPORT ABUSE SOURCE ARRIVAL MAIL "Subject: x\n\nBuy.\n--b--\n", GOOD);
	gives_both(REPORT ABUSE SOURCE ARRIVAL, GOOD); /* no mail with it, and no end */
	gives_both(REPORT ABUSE "Source-IP: [8.8.4.4]\n" ARRIVAL "--b--\nbehind it\n", GOOD);
	gives_both(REPORT ABUSE "SOURCE-ip \t: 8.8.4.4 (seen)\n" ARRIVAL, GOOD);
	gives_both(REPORT ABUSE "Source-IP: IPv6:2a00:1450::1\n" ARRIVAL,
		   "+1795252272000 2a00:1450::1:0 abusive-content/spam arf ");
	gives_both(REPORT ABUSE SOURCE "Source-Port: 40123\n" ARRIVAL,
		   "+1795252272000 8.8.4.4:40123 abusive-content/spam arf ");
	/* a feedback-report that is base64, or folded, or wrapped once more on its way */
	gives_both(REPORT "--b\nContent-Type: message/feedback-report\nContent-Transfer-Encoding: base64\n\n"
			  "RmVlZGJhY2stVHlwZTogYWJ1c2UKVXNlci1BZ2VudDogeC8xClZlcnNpb246IDEKU291cmNlLUlQ\n"
			  "OiA4LjguNC40CkFycml2YWwtRGF0ZTogU2F0LCAyMSBOb3YgMjAyNiAxMDoxMToxMiArMDEwMAo=\n--b--",
		   GOOD);
	gives_both(REPORT ABUSE "Source-IP:\n\t8.8.4.4\nArrival-Date: Sat,\n 21 Nov 2026\n 10:11:12 +0100\n", GOOD);
	gives_both(TOP "Content-Type: multipart/mixed; boundary=\"a list\"\n\n--a list\n"
		       "Content-Type: multipart/report; boundary=b; report-type=\"feedback-report\"\n\n" ABUSE SOURCE
			       ARRIVAL "--b--\n--a list\n\nThis list is for complaints.\n--a list--\n",
		   GOOD);
	/* two in one mail are two, each with what follows it */
	gives_both(REPORT ABUSE ARRIVAL
		   "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: message/rfc822\n"
		   "\n" RECEIVED "\n--c--\n" ABUSE ARRIVAL MAIL RECEIVED "\nx\n--b--\n",
		   "-no-address Received " GOOD);
	gives_both(REPORT ABUSE SOURCE ARRIVAL ABUSE "Source-IP: 8.8.4.5\n" ARRIVAL,
		   GOOD "+1795252272000 8.8.4.5:0 abusive-content/spam arf ");
}

static void refuses_fields(void **state)
{
	(void)state;
	gives_both(REPORT FIELDS "User-Agent: x/1\nVersion: 1\n" SOURCE ARRIVAL, "-field-missing Feedback-Type ");
	gives_both(REPORT FIELDS "Feedback-Type: abuse\nVersion: 1\n" SOURCE ARRIVAL, "-field-missing User-Agent ");
	gives_both(REPORT FIELDS "Feedback-Type: abuse\nUser-Agent: x/1\nVersion:\n" SOURCE, "-field-missing Version ");
	gives_both(REPORT ABUSE "Version: 1\n" SOURCE ARRIVAL, "-duplicate-key Version ");
	gives_both(REPORT ABUSE SOURCE "source-ip: 8.8.4.5\n" ARRIVAL, "-duplicate-key Source-IP ");
	gives_both(REPORT ABUSE "Reported-Domain: a.example\nReported-Domain: b.example\n" SOURCE ARRIVAL, GOOD);
	gives_both(REPORT ABUSE "Source-IP: unknown\n" ARRIVAL, "-address Source-IP ");
	gives_both(REPORT ABUSE "Source-IP: 10.0.0.1\n" ARRIVAL, "-address-special Source-IP ");
	gives_both(REPORT ABUSE SOURCE "Source-Port: 70000\n" ARRIVAL, "-number Source-Port ");
	gives_both(REPORT ABUSE SOURCE "Arrival-Date: Sat, 21 Nov 2099 10:11:12 +0100\n", "-time-future Arrival-Date ");
	gives_both(REPORT ABUSE SOURCE "Arrival-Date: Sat, 21 Nov 1998 10:11:12 +0100\n", "-time Arrival-Date ");
}

static void knows_types(void **state)
{
	static const struct {
		const char *type, *expected;
	} cases[] = {
		{ "abuse", GOOD },
		{ "ABUSE", GOOD },
		{ "fraud", "+1795252272000 8.8.4.4:0 fraud/phishing arf " },
		{ "virus", "+1795252272000 8.8.4.4:0 malicious-code/malware-distribution arf " },
		{ "other", "+1795252272000 8.8.4.4:0 other/other arf " },
		{ "auth-failure", "+1795252272000 8.8.4.4:0 other/undetermined arf " },
		{ "brute-force", "+1795252272000 8.8.4.4:0 intrusion-attempts/brute-force arf " },
		{ "something", "+1795252272000 8.8.4.4:0 other/undetermined arf " },
		{ "not-spam", "-no-complaint Feedback-Type " },
		{ "opt-out", "-no-complaint Feedback-Type " },
		{ "copyright", "-class-content Feedback-Type " },
		{ "xarf", "-field-missing Feedback-Type " },
	};
	struct report_options given = { .from = FORMAT_MAIL, .class = CLASS_SCANNER };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		char text[1000];

		snprintf(text, sizeof(text),
			 REPORT FIELDS "Feedback-Type: %s\nUser-Agent: x/1\nVersion: 1\n" SOURCE ARRIVAL,
			 cases[i].type);
		gives_both(text, cases[i].expected);
	}
	gives_span(SPAN(REPORT ABUSE SOURCE ARRIVAL), given,
		   "+1795252272000 8.8.4.4:0 information-gathering/scanner arf ");
}

/* Dates of every kind, and what stands in for one that cannot be read. */
static void reads_dates(void **state)
{
	static const struct {
		const char *date, *ms;
	} cases[] = {
		{ "Sat, 21 Nov 2026 10:11:12 +0100", "1795252272000" },
		{ "21 Nov 2026 09:11:12 GMT", "1795252272000" },
		{ "21 Nov 26 09:11:12 UT", "1795252272000" },
		{ "Sat,21 Nov 2026 04:11:12 EST", "1795252272000" },
		{ "Sat, 21 Nov 2026 01:11:12 PST (somewhere (else))", "1795252272000" },
		{ "Sat (day), 21 (day) Nov (month) 126 09:11:12 -0000 (GMT)", "1795252272000" },
		{ "Sat, 21 Nov 2026 09:11 Z", "1795252260000" },
		/* a zone that nobody defined, no zone, nothing that is a date: the report's own */
		{ "Sat, 21 Nov 2026 10:11:12 JST", "1795309229000" },
		{ "Sat, 21 Nov 2026 10:11:12", "1795309229000" },
		{ "2026-11-21T09:11:12Z", "1795309229000" },
		{ "Sat, 31 Nov 2026 09:11:12 +0000", "1795309229000" },
		{ "", "1795309229000" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		char text[1000], expected[200];

		snprintf(text, sizeof(text), REPORT ABUSE SOURCE "Arrival-Date: %s\n", cases[i].date);
		snprintf(expected, sizeof(expected), "+%s 8.8.4.4:0 abusive-content/spam arf ", cases[i].ms);
		gives_both(text, expected);
	}
	gives_both(REPORT ABUSE SOURCE "Received-Date: Sat, 21 Nov 2026 10:11:12 +0100\n", GOOD);
	gives_both(REPORT ABUSE SOURCE MAIL RECEIVED "Date: Sat, 21 Nov 2020 10:11:12 +0100\n\nx\n", GOOD);
	gives_both("From: a@b.example\nContent-Type: multipart/report; boundary=b\n\n" ABUSE SOURCE,
		   "-time Arrival-Date ");
}

static void reads_received(void **state)
{
	static const struct {
		const char *value, *address;
		uint16_t port;
	} cases[] = {
		{ "from a.example (b.example [8.8.4.4])\n\tby c.example (Postfix) with ESMTP id 1; x", "8.8.4.4", 0 },
		{ "from a (unknown [8.8.4.4] (may be forged)) by c", "8.8.4.4", 0 },
		{ "from [8.8.4.4] by c (LMTP)", "8.8.4.4", 0 },
		{ "from [9.9.9.9] ([8.8.4.4]) by c", "8.8.4.4", 0 },
		{ "from [9.9.9.9] (helo=x) by c ([1.1.1.1])", "9.9.9.9", 0 },
		{ "from 127.0.0.1  (EHLO mx8.example.com) (8.8.4.4)\n by d", "8.8.4.4", 0 },
		{ "from unknown (HELO [9.9.9.9]) (8.8.4.4) by d", "8.8.4.4", 0 },
		{ "from [9.9.9.9] ([8.8.4.4:222] helo=mta-2) by e", "8.8.4.4", 222 },
		{ "from mta ([8.8.4.4]:40123 helo=[9.9.9.9]) by e", "8.8.4.4", 40123 },
		{ "from a (2a00:1450::1) by f (2a00:1450::2) with Microsoft SMTP Server", "2a00:1450::1", 0 },
		{ "from a (b [IPv6:2a00:1450::1]) by f", "2a00:1450::1", 0 },
		{ "FROM a (b [8.8.4.4]) BY f", "8.8.4.4", 0 },
		{ "from a (b. [8.8.4.4]", "8.8.4.4", 0 },
		{ "from 8.8.4.4", "8.8.4.4", 0 },
		{ "from by by (8.8.4.4)", "", 0 },
		{ "from kijitora@example.co.jp by x00", "", 0 },
		{ "by 8.8.4.4 with SMTP id 1", "", 0 },
		{ "(qmail 1 invoked by uid 910)", "", 0 },
		{ "from a (b [8.8.4) by c", "", 0 },
		{ "from a (b [8.8.4.4.4]) by c", "", 0 },
		{ "from a ) ( ( ( by c", "", 0 },
		{ "from ", "", 0 },
		{ "", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct received r = received_read(span_of(cases[i].value));
		char text[ADDRESS_TEXT] = "";

		if (r.has_address)
			text[address_format(r.address, text)] = '\0';
		if (strcmp(text, cases[i].address) != 0 || (r.has_address && r.port != cases[i].port))
			fail_msg("%s: %s %u", cases[i].value, text, r.port);
	}
	assert_int_equal(received_read(SPAN("from x; (a;b) Sat, 21 Nov 2026 10:11:12 +0100")).time_ms, 0);
	assert_int_equal(received_read(SPAN("from x; id 1; Sat, 21 Nov 2026 10:11:12 +0100")).time_ms, 1795252272000);
}

/* Without Source-IP the topmost public address of the Received lines counts. */
static void falls_back(void **state)
{
	(void)state;
	gives_both(REPORT ABUSE ARRIVAL MAIL RECEIVED "\nx\n", GOOD);
	gives_both(REPORT ABUSE "Source-IP:\n" ARRIVAL MAIL RECEIVED "\nx\n", GOOD);
	gives_both(REPORT ABUSE ARRIVAL "--b\nContent-Type: text/rfc822-headers\n\n" RECEIVED, GOOD);
	gives_both(REPORT ABUSE ARRIVAL MAIL "Received: by me; x\nReceived: from l (localhost [127.0.0.1]) by m\n"
					     "Received: from l (n [192.168.3.4]) by m\n" RECEIVED
					     "Received: from f (f [9.9.9.9]) by g\n\nx\n",
		   GOOD);
	gives_both(REPORT ABUSE ARRIVAL, "-no-address Received ");
	gives_both(REPORT ABUSE ARRIVAL MAIL "Subject: x\n\n" RECEIVED, "-no-address Received ");
	/* no feedback-report at all */
	gives_both(TOP "Content-Type: multipart/mixed; boundary=b\n\n" MAIL RECEIVED "\nx\n--b--\n",
		   "+1795252272000 8.8.4.4:0 abusive-content/spam mail ");
	gives_both(TOP "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee this.\n",
		   "-mail message/feedback-report ");
	gives_both(TOP "\n" RECEIVED "\n", "-mail message/feedback-report ");
	/* a report that was passed on says nothing against whoever sent it, and is not read as one */
	gives_both(TOP "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n" RECEIVED
		       "Content-Type: multipart/report; boundary=b\n\n" ABUSE SOURCE ARRIVAL "--b--\n--o--\n",
		   "-mail message/rfc822 ");
}

static void knows_bounces(void **state)
{
	static const char *const heads[] = {
		"Return-Path: <>\n",
		"X-Failed-Recipients: a@b.example\n",
		"Auto-Submitted: auto-replied (vacation)\n",
		"From: Mail Delivery System <MAILER-DAEMON@mx.example>\n",
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(heads); i++) {
		struct buffer out = BUFFER(10000);
		char text[1000];

		snprintf(text, sizeof(text),
			 "%sTo: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n" MAIL RECEIVED "\nx\n",
			 heads[i]);
		parse_as(span_of(text), as_mail, short_event, &out);
		assert_true(span_starts(buffer_view(&out), "-bounce "));
		buffer_free(&out);
	}
	gives_both(TOP "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
		       "Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n" MAIL RECEIVED "\nx\n--b--\n",
		   "-bounce message/delivery-status ");
	/* a complaint may have an empty sender */
	gives_both("Return-Path: <>\n" REPORT ABUSE SOURCE ARRIVAL, GOOD);
}

/* What is kept of a complaint, and what is not. */
static void keeps_what_helps(void **state)
{
	static const char text[] =
		TOP "Subject: =?utf-8?Q?gr=C3=BC=C3=9Fe?= =?iso-8859-1?B?5A==?=\nMessage-ID: <1@cert.example>\n"
		    "Content-Type: multipart/report; boundary=b\n\n" ABUSE SOURCE ARRIVAL
		    "Original-Rcpt-To: victim@b.example\nReported-Domain: a.example\nX: caf\xe9 \x01 \xff\n"
		    "Reported-Domain: b.example\n\n" MAIL
		    "Received: from a (b [8.8.4.4]) by c for <victim@b.example>; Sat, 21 Nov 2026 10:11:12 +0100\n"
		    "Subject: =?x-unknown?Q?a?= =?utf-8?Q?\xff?= =?\nTo: victim@b.example\nFrom: \"a\\\"\" "
		    "<s@a.example>\n\nBuy!\n";
	static const char expected[] =
		"{\"basis\":\"source-ip\",\"time_basis\":\"arrival-date\",\"feedback\":{\"Feedback-Type\":\"abuse\","
		"\"User-Agent\":\"x/1\",\"Version\":\"1\",\"Source-IP\":\"8.8.4.4\",\"Arrival-Date\":"
		"\"Sat, 21 Nov 2026 10:11:12 "
		"+0100\",\"Reported-Domain\":[\"a.example\",\"b.example\"],\"X\":\"caf\xc3\xa9";
	struct buffer out = BUFFER(100000);
	struct span raw;

	(void)state;
	parse_as(span_make(text, sizeof(text) - 1), as_mail, raw_event, &out);
	raw = buffer_view(&out);
	if (!span_starts(raw, expected))
		fail_msg("%.*s", SPAN_FORMAT(raw));
	assert_null(memmem(raw.at, raw.len, "victim", 6));
	assert_non_null(memmem(raw.at, raw.len,
			       "\"Subject\":\"gr\xc3\xbc\xc3\x9f"
			       "e\xc3\xa4\"",
			       20));
	assert_non_null(memmem(raw.at, raw.len, "\"Message-ID\":\"<1@cert.example>\"", 31));
	assert_non_null(memmem(raw.at, raw.len, "\"size\":", 7));
	assert_non_null(memmem(raw.at, raw.len, "\"From\":\"\\\"a\\\\\\\"\\\" <s@a.example>\"", 31));
	assert_non_null(memmem(raw.at, raw.len, "by c; Sat,", 10));
	buffer_free(&out);
}

/* However long its fields are, the line of an event keeps to its limit, and what the reporter said is in it. */
static void keeps_short(void **state)
{
	struct buffer b = BUFFER(8 << 20), out = BUFFER(1 << 20);

	(void)state;
	buffer_text(&b, REPORT ABUSE SOURCE ARRIVAL);
	buffer_text(&b, MAIL RECEIVED);
	for (int i = 0; i < 300; i++) {
		buffer_text(&b, i % 2 == 0 ? "Received: " : "Subject: ");
		for (int k = 0; k < 5000; k++)
			buffer_byte(&b, k % 3 == 0 ? '"' : k % 3 == 1 ? '\\' : 1);
		buffer_byte(&b, '\n');
	}
	parse_as(buffer_view(&b), as_mail, raw_event, &out);
	assert_in_range(out.len, 1000, REPORT_ROW_MAX);
	assert_non_null(memmem(out.at, out.len, "\"Source-IP\":\"8.8.4.4\"", 20));
	buffer_clear(&b);
	buffer_text(&b, REPORT ABUSE SOURCE ARRIVAL);
	for (int i = 0; i < 3000; i++)
		buffer_print(&b, "X-%d: =?utf-8?Q?%0*d?=\n", i % 1000, 800, i);
	parse_as(buffer_view(&b), as_mail, raw_event, &out);
	assert_in_range(out.len, 1000, REPORT_ROW_MAX);
	buffer_free(&b);
	buffer_free(&out);
}

static void fill(struct buffer *b, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buffer_text(b, text);
}

static void nest(struct buffer *b, int levels)
{
	buffer_clear(b);
	buffer_text(b, TOP);
	for (int i = 0; i < levels; i++)
		buffer_print(b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	buffer_text(b, "\nx\n");
}

static void survives(void **state)
{
	struct buffer b = BUFFER(80 << 20), out = BUFFER(1 << 20);

	(void)state;
	nest(&b, MIME_DEPTH_MAX);
	gives_span(buffer_view(&b), as_mail, "-mail message/feedback-report ");
	nest(&b, MIME_DEPTH_MAX + 1);
	gives_span(buffer_view(&b), as_mail, "-depth multipart ");
	nest(&b, 1000);
	gives_span(buffer_view(&b), as_mail, "-depth multipart ");
	nest(&b, 100000);
	gives_span(buffer_view(&b), as_mail, "-depth multipart ");
	/* mails inside mails are never opened */
	buffer_clear(&b);
	buffer_text(&b, TOP);
	fill(&b, "Content-Type: message/rfc822\n\n", 100000);
	gives_span(buffer_view(&b), as_mail, "-mail message/feedback-report ");

	buffer_clear(&b);
	buffer_text(&b, REPORT);
	fill(&b, "--b\n\nx\n", 9900);
	buffer_text(&b, ABUSE SOURCE ARRIVAL);
	gives_span(buffer_view(&b), as_mail, GOOD);
	fill(&b, "--b\n", MIME_PARTS_MAX);
	gives_span(buffer_view(&b), as_mail, "-too-long multipart ");

	buffer_clear(&b); /* many complaints, many files */
	buffer_text(&b, REPORT);
	fill(&b, "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: message/feedback-report\n\n",
	     3000);
	parse_as(buffer_view(&b), as_mail, short_event, &out);
	assert_int_equal(out.len, 3000 * strlen("-field-missing Feedback-Type "));
	buffer_clear(&b);
	buffer_clear(&out);
	buffer_text(&b, REPORT);
	fill(&b, "--b\nContent-Type: application/json\n\n{\"ip\":\"8.8.4.4\"}\n", 5000);
	parse_as(buffer_view(&b), as_mail, short_event, &out);
	assert_true(span_ends(buffer_view(&out), "mail -too-long attachment "));
	buffer_free(&out);

	buffer_clear(&b); /* a part that is longer than a mail may be */
	buffer_text(&b, REPORT "--b\nContent-Transfer-Encoding: base64\n\n");
	fill(&b, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODkr\n", 780000);
	gives_span(buffer_view(&b), as_mail, "-too-long  ");
	b.len = 20 << 20; /* and one that is not */
	buffer_text(&b, "\n" ABUSE SOURCE ARRIVAL);
	gives_span(buffer_view(&b), as_mail, GOOD);

	buffer_clear(&b); /* a header of a megabyte, in one line, in many, without an end */
	buffer_text(&b, "X: ");
	fill(&b, "x", 1 << 20);
	buffer_text(&b, "\n" REPORT ABUSE SOURCE ARRIVAL);
	gives_span(buffer_view(&b), as_mail, GOOD);
	buffer_clear(&b);
	fill(&b, "X:y\n z\n", 150000);
	buffer_text(&b, REPORT ABUSE SOURCE ARRIVAL);
	gives_span(buffer_view(&b), as_mail, GOOD);
	buffer_clear(&b);
	buffer_text(&b, TOP "Content-Type: multipart/report; boundary=\"");
	fill(&b, "x", 1 << 20);
	buffer_text(&b, "\"\n\n" ABUSE SOURCE ARRIVAL);
	gives_span(buffer_view(&b), as_mail, "-mail message/feedback-report ");
	buffer_free(&b);
}

static void takes_what_is_broken(void **state)
{
	(void)state;
	gives(TOP, "-mail message/feedback-report ");
	gives("no header\n\nnor mail\n", "-mail header ");
	gives(TOP "Content-Type: multipart/report; report-type=feedback-report\n\n" ABUSE SOURCE ARRIVAL,
	      "-mail boundary ");
	gives(REPORT "--b", "-mail message/feedback-report ");
	gives(REPORT "--b\n--b\n--b\n" ABUSE SOURCE ARRIVAL, GOOD);
	gives(REPORT "--b--\n" ABUSE SOURCE ARRIVAL, "-mail message/feedback-report ");
	gives(REPORT "--bb\n--b -\n-- b\n" ABUSE SOURCE ARRIVAL, GOOD);
	gives(REPORT ABUSE SOURCE ARRIVAL "--b-- \t\n", GOOD);
	/* the inner multipart is not closed; boundaries that begin alike */
	gives(TOP "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; "
		  "boundary=bb\n\n--bb\n\nx\n" ABUSE SOURCE ARRIVAL,
	      GOOD);
	/* a charset that nobody knows, types that are none */
	gives(TOP "Content-Type: multipart/report; charset=klingon; boundary=b\n\n" ABUSE SOURCE ARRIVAL, GOOD);
	gives(TOP "Content-Type: ;;;\n\nx", "-format-unknown attachment ");
	gives(TOP
	      "Content-Type: multipart/report; boundary*0=\"b\"; boundary*1=b\n\n-"
	      "-bb\n"
	      "Content-Type: MESSAGE/Feedback-Report; x=y\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n" SOURCE
		      ARRIVAL,
	      GOOD);
	gives_span(SPAN("X\0Y: \0\xff\n" REPORT "\0\0\xff\xfe\n" ABUSE "A\0: \0\n" SOURCE ARRIVAL "\0"), as_mail, GOOD);
	/* lines of a header that are none */
	gives("From: a@b.example\n>From somebody\ngarbage\n" REPORT
	      "--b\ngarbage\nContent-Type: message/feedback-report\n\n"
	      "Feedback-Type: abuse\ngarbage\nUser-Agent: x/1\nVersion: 1\n" SOURCE ARRIVAL,
	      GOOD);
}

static void is_recognized(void **state)
{
	static const struct {
		const char *text;
		bool mail, mbox;
	} cases[] = {
		{ TOP "\nx", true, false },
		{ "Return-Path: <>\r\nReceived: from a\r\n by b\r\n\r\n", true, false },
		{ "X-Any: 1\nY: 2\n folded\nDelivered-To: a@b.example\nReceived: by c\n", true, false },
		{ "From a@b.example Sat Nov 21 10:11:12 2026\n" TOP, true, true },
		{ "From - Sat Nov 21 10:11:12 2026\nX-Mozilla-Status: 0001\n" TOP, true, true },
		{ "From: a@b.example\n", false, false },
		{ "From a@b.example\nfrom me to you\n", false, false },
		{ "From the start: nothing\nelse\n", false, false },
		{ "8.8.4.4\n", false, false },
		{ "2a00:1450::1\n2a00:1450::2\n", false, false },
		{ "timestamp,ip\n2026-11-22 10:11:12,8.8.4.4\n", false, false },
		{ "---\nfrom: x\ndate: y\n", false, false },
		{ "name: x\nhost: y\nip: 8.8.4.4\n", false, false },
		{ "# Date: today\n# From: here\n8.8.4.4\n", false, false },
		{ "\nFrom: a\nDate: b\n", false, false },
		{ "From: a\n\nDate: b\n", false, false },
		{ "{\"From: \": 1}\n", false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		enum framing framing = FRAME_CSV;

		if (mail_is(span_of(cases[i].text), &framing) != cases[i].mail)
			fail_msg("%s", cases[i].text);
		if (cases[i].mail)
			assert_int_equal(framing, cases[i].mbox ? FRAME_MBOX : FRAME_WHOLE);
	}
}

#define MIXED TOP "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee the file.\n--b\n"
#define CSV_TEXT                                                                                                       \
	"timestamp,ip,port,tag\n\"2026-11-21 09:11:12\",8.8.4.4,22,\"a \"\"b\"\"\"\n"                                  \
	"\"2026-11-21 09:11:13\",8.8.4.5,,\n\"2026-11-21 09:11:13\",10.0.0.1,,\n"
#define CSV_ROWS                                                                                                       \
	"+1795252272000 8.8.4.4:22 vulnerable/potentially-unwanted-accessible mail "                                   \
	"+1795252273000 8.8.4.5:0 vulnerable/potentially-unwanted-accessible mail -address-special ip "

/* A packed file as an attachment in base64. */
static void attach(struct buffer *b, const char *name, struct span file)
{
	buffer_clear(b);
	buffer_print(b,
		     MIXED "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"%s\"\n"
			   "Content-Transfer-Encoding: base64\n\n",
		     name);
	base64_append(b, file.at, file.len);
	buffer_text(b, "\n--b--\n");
}

static void deflate_text(struct buffer *b, struct span text, int window)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)text.at, .avail_in = (unsigned)text.len };
	size_t room = text.len / 100 + 4096;

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = (Bytef *)buffer_room(b, room);
	z.avail_out = (unsigned)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	b->len += z.total_out;
	deflateEnd(&z);
}

static void put(struct buffer *b, uint32_t v, int bytes)
{
	for (; bytes > 0; bytes--, v >>= 8)
		buffer_byte(b, (uint8_t)v);
}

/* An archive of that many copies of one file; size: as its directory says. */
static void zip(struct buffer *b, const char *name, struct span text, bool deflated, int copies, size_t size)
{
	struct buffer packed = BUFFER(1 << 24), directory = BUFFER(1 << 24);

	if (deflated)
		deflate_text(&packed, text, -15);
	else
		buffer_span(&packed, text);
	for (int i = 0; i < copies; i++) {
		uint32_t at = (uint32_t)b->len, crc = crc32_add(0, text.at, text.len);
		struct buffer *both[2] = { b, &directory };

		for (int k = 0; k < 2; k++) {
			buffer_text(both[k], k == 0 ? "PK\3\4" : "PK\1\2");
			put(both[k], 20, k == 0 ? 2 : 4);
			put(both[k], 0, 2);
			put(both[k], deflated ? 8 : 0, 2);
			put(both[k], 0, 4);
			put(both[k], crc, 4);
			put(both[k], (uint32_t)packed.len, 4);
			put(both[k], (uint32_t)size, 4);
			put(both[k], (uint32_t)strlen(name), 2);
			put(both[k], 0, k == 0 ? 2 : 4);
			if (k == 1) {
				put(both[k], 0, 8);
				put(both[k], at, 4);
			}
			buffer_text(both[k], name);
		}
		buffer_span(b, buffer_view(&packed));
	}
	{
		uint32_t at = (uint32_t)b->len;

		buffer_span(b, buffer_view(&directory));
		buffer_text(b, "PK\5\6");
		put(b, 0, 4);
		put(b, (uint32_t)copies, 2);
		put(b, (uint32_t)copies, 2);
		put(b, (uint32_t)directory.len, 4);
		put(b, at, 4);
		put(b, 0, 2);
	}
	buffer_free(&packed);
	buffer_free(&directory);
}

static void reads_files(void **state)
{
	static const char kept[] = "{\"_report\":\"scan_ssh\",\"timestamp\":\"2026-11-21 09:11:12\",\"ip\":\"8.8.4.4\","
				   "\"port\":\"22\",\"tag\":\"a \\\"b\\\"\"}";
	struct buffer out = BUFFER(1 << 20);

	(void)state;
	gives_both(MIXED "Content-Type: text/csv\nContent-Disposition: attachment; "
			 "filename=\"2026-11-21-scan_ssh-x.csv\"\n\n" CSV_TEXT "--b--\n",
		   CSV_ROWS);
	gives_both(MIXED "Content-Disposition: attachment; filename=\"2026-11-21-scan_ssh-x.csv\"\n\n" CSV_TEXT
			 "--b--\n",
		   CSV_ROWS);
	parse_as(SPAN(MIXED "Content-Type: text/csv\nContent-Disposition: attachment; filename=\"scan_ssh.csv\"\n\n"
			    "timestamp,ip,port,tag\n\"2026-11-21 09:11:12\",8.8.4.4,22,\"a \"\"b\"\"\"\n--b--\n"),
		 as_mail, raw_event, &out);
	assert_span(buffer_view(&out), kept);
	/* no file, though it looks like one; a file that is none that we know */
	gives_both(MIXED "\n" CSV_TEXT "--b--\n", "-mail message/feedback-report ");
	gives_both(MIXED "Content-Type: application/octet-stream\n\n%PDF-1.4\n--b--\n", "-format-unknown attachment ");
	gives_both(MIXED "Content-Type: text/csv\n\n--b--\n", "-format-unknown attachment ");
	gives_both(MIXED "Content-Type: application/x-ndjson\n\n"
			 "{\"ip\":\"8.8.4.4\",\"time\":\"2026-11-21T09:11:12Z\"}\nnone\n--b--\n",
		   "+1795252272000 8.8.4.4:0 other/undetermined mail -json  ");
	/* a mail that is nothing but a document; one inside of an attached mail is not looked at */
	gives_both(TOP
		   "Content-Type: application/json\n\n{\"Version\":\"3\",\"ReporterInfo\":{\"ReporterOrg\":\"A desk\","
		   "\"ReporterOrgDomain\":\"x.example\",\"ReporterOrgEmail\":\"a@x.example\"},\"Disclosure\":true,"
		   "\"Report\":{\"ReportClass\":\"Activity\",\"ReportType\":\"LoginAttack\",\"Date\":"
		   "\"2026-11-21T09:11:12Z\",\"SourceIp\":\"8.8.4.4\",\"SourcePort\":4123}}\n",
		   "+1795252272000 8.8.4.4:4123 intrusion-attempts/brute-force xarf ");
	gives_both(REPORT ABUSE SOURCE ARRIVAL MAIL
		   "Content-Type: application/json\n\n{\"xarf_version\":\"4.2.0\"}\n--b--\n",
		   GOOD);
	gives_both(MIXED "Content-Type: application/json\n\n{\"xarf_version\":\"4.2.0\"", "-json  ");
	buffer_free(&out);
}

static void reads_packed_files(void **state)
{
	static const char *const name = "2026-11-21-scan_ssh-x.csv";
	static char zeros[40 << 20];
	struct buffer file = BUFFER(1 << 24), mail = BUFFER(1 << 24);
	struct span text = SPAN(CSV_TEXT);

	(void)state;
	deflate_text(&file, text, 31);
	attach(&mail, "2026-11-21-scan_ssh-x.csv.gz", buffer_view(&file));
	gives_span(buffer_view(&mail), as_mail, CSV_ROWS);
	attach(&mail, "scan_ssh.csv.gz", span_make(file.at, file.len - 5)); /* it ends too early */
	gives_span(buffer_view(&mail), as_mail, "-compression attachment ");
	for (int deflated = 0; deflated < 2; deflated++) {
		buffer_clear(&file);
		zip(&file, name, text, deflated != 0, 1, text.len);
		attach(&mail, "report.zip", buffer_view(&file));
		gives_span(buffer_view(&mail), as_mail, CSV_ROWS);
		for (size_t cut = 4; cut < file.len; cut++) { /* or is damaged */
			attach(&mail, "report.zip", span_make(file.at, cut));
			gives_span(buffer_view(&mail), as_mail, "-compression attachment ");
		}
		buffer_clear(&file);
		zip(&file, "folder/2026-11-21-scan_ssh-x.csv", text, deflated != 0, 2, text.len);
		attach(&mail, "report.zip", buffer_view(&file));
		gives_span(buffer_view(&mail), as_mail, CSV_ROWS CSV_ROWS);
		buffer_clear(&file);
		zip(&file, name, text, deflated != 0, 1, text.len + 1);
		attach(&mail, "report.zip", buffer_view(&file));
		gives_span(buffer_view(&mail), as_mail, "-compression attachment ");
		buffer_clear(&file);
		zip(&file, name, text, deflated != 0, 1, 0xffffffff);
		attach(&mail, "report.zip", buffer_view(&file));
		gives_span(buffer_view(&mail), as_mail, "-unpacked attachment ");
	}
	/* bombs: what a gzip unpacks to it does not say, and a zip may lie */
	buffer_clear(&file);
	deflate_text(&file, span_make(zeros, sizeof(zeros)), 31);
	attach(&mail, "scan_ssh.csv.gz", buffer_view(&file));
	gives_span(buffer_view(&mail), as_mail, "-unpacked attachment ");
	buffer_clear(&file);
	zip(&file, name, span_make(zeros, sizeof(zeros)), true, 3, 1000);
	attach(&mail, "report.zip", buffer_view(&file));
	gives_span(buffer_view(&mail), as_mail, "-unpacked attachment ");
	buffer_free(&file);
	buffer_free(&mail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_complaints),	cmocka_unit_test(refuses_fields),
		cmocka_unit_test(knows_types),		cmocka_unit_test(reads_dates),
		cmocka_unit_test(reads_received),	cmocka_unit_test(falls_back),
		cmocka_unit_test(knows_bounces),	cmocka_unit_test(keeps_what_helps),
		cmocka_unit_test(keeps_short),		cmocka_unit_test(survives),
		cmocka_unit_test(takes_what_is_broken), cmocka_unit_test(is_recognized),
		cmocka_unit_test(reads_files),		cmocka_unit_test(reads_packed_files),
	};

	return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
