/* How fast reports are read: a million rows of 38 columns, the same with a stray quote in every tenth, five million
 * addresses, half a million JSON lines, documents of XARF (4 and 3), IDEA and STIX, an IODEF document of 25,000 incidents,
 * mboxes of complaints and of other mails, in memory. For each: the floor (reading the bytes: finding line ends by
 * memchr), the boundary, the parse, and how many times the floor both together take. CPU time of one thread; the best of
 * five rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "report/report.h"
#include "reports.h"

#define ROUNDS 5
#define CHUNK ((size_t)1 << 20)

struct count {
	uint64_t events, rejects, sum;
};

static enum err count_event(void *context, const struct event *e)
{
	struct count *c = context;

	c->events++;
	c->sum += e->source.low + (uint64_t)e->time_ms + e->source_port;
	return OK;
}

static enum err count_reject(void *context, const struct reject *r)
{
	struct count *c = context;

	(void)r;
	c->rejects++;
	return OK;
}

static struct span make(enum reports_format f, size_t rows, unsigned broken)
{
	struct reports r = { .seed = 7, .time_ms = INT64_C(1795305600000) };
	const char *header = reports_header(f);
	size_t room = rows * (f == REPORTS_LIST ? 48 : 720) + 4096, len = strlen(header);
	char *text = malloc(room);

	if (text == NULL)
		exit(1);
	memcpy(text, header, len);
	for (size_t i = 0; i < rows; i++) {
		size_t n = reports_row(&r, f, text + len);

		if (broken != 0 && i % broken == 0)
			text[len + n - 2] = '"'; /* a quote that opens in the row's last field and does not close */
		len += n;
	}
	return (struct span){ text, len };
}

/* CPU time of this thread: other programs on the machine disturb less. */
static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t best(int64_t a, int64_t b)
{
	return a == 0 || b < a ? b : a;
}

static void say(const char *what, const char *name, size_t rows, size_t bytes, int64_t us)
{
	printf("%-10s %-9s %8.2f M rows/s %7.2f GB/s\n", what, name, (double)rows / (double)us,
	       (double)bytes / (double)us / 1000);
}

static int64_t floor_time(struct span text)
{
	int64_t start = now_us();
	volatile size_t lines = 0;

	for (struct span rest = text; rest.at != NULL; lines++)
		span_cut(&rest, '\n');
	return now_us() - start;
}

/* Both in one walk, as a reader of a file would: a chunk is cut, then parsed. */
static void walk(const struct layout *l, struct scratch *s, struct span text, struct count *c, int64_t *cut,
		 int64_t *parse)
{
	const struct report_sink sink = { count_event, count_reject, c };
	struct report_cursor at = report_start(l);

	*cut = *parse = 0;
	*c = (struct count){ 0 };
	while (at.offset < text.len) {
		struct report_cursor from = at;
		struct span chunk = span_from(text, at.offset);
		size_t room = layout_row_max(l) > CHUNK ? 2 * layout_row_max(l) : CHUNK;
		bool last = chunk.len <= room;
		int64_t start = now_us(), middle;

		if (!last)
			chunk.len = room;
		chunk.len = report_boundary(l, &at, chunk, last);
		middle = now_us();
		if (report_parse(l, s, chunk, &from, &sink) != OK)
			exit(1);
		*cut += middle - start;
		*parse += now_us() - middle;
	}
}

/* One IODEF document: incidents of one source, of which each names its target, its ports and what is wanted. */
static struct span make_iodef(size_t incidents)
{
	struct reports r = { .seed = 7, .time_ms = INT64_C(1795305600000) };
	size_t room = incidents * 1600 + 4096, len = 0;
	char *text = malloc(room);

	if (text == NULL)
		exit(1);
	len += (size_t)snprintf(text, room,
				"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<IODEF-Document version=\"2.00\" "
				"xml:lang=\"en\" xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\">\n");
	for (size_t i = 0; i < incidents; i++) {
		struct address a = reports_address(&r);
		char ip[ADDRESS_TEXT], time[CLOCK_TEXT];

		address_format(a, ip);
		clock_format(r.time_ms += 100, time);
		len += (size_t)snprintf(
			text + len, room - len,
			" <Incident purpose=\"mitigation\" restriction=\"amber\">\n"
			"  <IncidentID name=\"cert.example\">2026-%06zu</IncidentID>\n"
			"  <StartTime>%s</StartTime>\n  <GenerationTime>%s</GenerationTime>\n"
			"  <Description>SSH brute force from one host</Description>\n"
			"  <Assessment><IncidentCategory>brute-force</IncidentCategory></Assessment>\n"
			"  <Contact type=\"organization\" role=\"creator\"><ContactName>A team</ContactName><Email>"
			"<EmailTo>cert@cert.example</EmailTo></Email></Contact>\n"
			"  <EventData>\n   <Flow>\n    <System category=\"source\">\n     <Node><Address "
			"category=\"%s\">%s</Address></Node>\n     <Service "
			"ip-protocol=\"6\"><Port>%u</Port></Service>\n"
			"    </System>\n    <System category=\"target\">\n     <Node><Address category=\"ipv4-addr\">"
			"198.51.100.7</Address></Node>\n     <Service ip-protocol=\"6\"><Port>22</Port></Service>\n"
			"    </System>\n   </Flow>\n   <Expectation action=\"remediate-other\"/>\n  </EventData>\n"
			" </Incident>\n",
			i, time, time, a.family == FAMILY_IPV4 ? "ipv4-addr" : "ipv6-addr", ip,
			1024 + (unsigned)(reports_random(&r) & 0x7fff));
	}
	len += (size_t)snprintf(text + len, room - len, "</IODEF-Document>\n");
	return (struct span){ text, len };
}

#define BENCH_PARTY "{\"org\":\"Example CERT\",\"contact\":\"abuse@cert.example\",\"domain\":\"cert.example\"}"

enum documents { DOCUMENTS_XARF4, DOCUMENTS_XARF4_LARGE, DOCUMENTS_XARF3, DOCUMENTS_IDEA, DOCUMENTS_STIX };

static int document(enum documents which, char *out, size_t room, const char *ip, const char *time, unsigned port,
		    size_t i)
{
	switch (which) {
	case DOCUMENTS_XARF4:
	case DOCUMENTS_XARF4_LARGE:
		return snprintf(
			out, room,
			"{\"xarf_version\":\"4.2.0\",\"report_id\":\"550e8400-e29b-41d4-a716-%012zu\",\"timestamp\":"
			"\"%s\",\"reporter\":" BENCH_PARTY ",\"sender\":" BENCH_PARTY
			",\"source_identifier\":\"%s\",\"source_port\":%u,\"category\":\"connection\",\"type\":"
			"\"login_attack\",\"evidence_source\":\"honeypot\",\"destination_ip\":\"198.51.100.7\","
			"\"destination_port\":22,\"protocol\":\"tcp\",\"service\":\"ssh\",\"attempt_count\":2847,"
			"\"first_seen\":\"%s\",\"tags\":[\"attack:brute_force\"],\"evidence\":[{\"content_type\":"
			"\"text/plain\",\"description\":\"log\",\"payload\":\"%0*d\"}]}\n",
			i, time, ip, port, time, which == DOCUMENTS_XARF4 ? 80 : 40000, 0);
	case DOCUMENTS_XARF3:
		return snprintf(
			out, room,
			"{\n  \"Version\": \"3\",\n  \"ReporterInfo\": {\n    \"ReporterOrg\": \"ExampleOrg\",\n    "
			"\"ReporterOrgDomain\": \"cert.example\",\n    \"ReporterOrgEmail\": \"abuse@cert.example\"\n  "
			"},\n  \"Disclosure\": true,\n  \"Report\": {\n    \"ReportClass\": \"Activity\",\n    "
			"\"ReportType\": \"LoginAttack\",\n    \"Date\": \"%s\",\n    \"SourceIp\": \"%s\",\n    "
			"\"SourcePort\": %u,\n    \"DestinationIp\": \"198.51.100.7\",\n    \"DestinationPort\": "
			"22,\n    \"Samples\": [\n      {\n        \"ContentType\": \"text/plain\",\n        "
			"\"Base64Encoded\": false,\n        \"Payload\": \"attempt %zu\"\n      }\n    ]\n  }\n}\n",
			time, ip, port, i);
	case DOCUMENTS_IDEA:
		return snprintf(
			out, room,
			"{\"Format\":\"IDEA0\",\"ID\":\"4390fc3f-c753-4a3e-bc83-%012zu\",\"CreateTime\":\"%s\","
			"\"DetectTime\":\"%s\",\"ConnCount\":20,\"Category\":[\"Attempt.Login\"],\"Description\":"
			"\"SSH login attempt\",\"Source\":[{\"%s\":[\"%s\"],\"Port\":[%u]}],\"Target\":[{\"Proto\":["
			"\"tcp\",\"ssh\"],\"IP4\":[\"198.51.100.7\"],\"Port\":[22]}],\"Node\":[{\"Name\":"
			"\"org.example.honey\",\"Type\":[\"Connection\",\"Honeypot\"],\"SW\":[\"Cowrie\"]}]}\n",
			i, time, time, strchr(ip, ':') != NULL ? "IP6" : "IP4", ip, port);
	default:
		return snprintf(
			out, room,
			"%s{\"type\":\"%s-addr\",\"id\":\"%s-addr--550e8400-e29b-41d4-a716-%012zu\",\"value\":\"%s\"},"
			"{\"type\":\"network-traffic\",\"id\":\"network-traffic--550e8400-e29b-41d4-a716-%012zu\","
			"\"src_ref\":\"%s-addr--550e8400-e29b-41d4-a716-%012zu\",\"src_port\":%u,\"dst_port\":22,"
			"\"protocols\":[\"tcp\",\"ssh\"]},{\"type\":\"observed-data\",\"spec_version\":\"2.1\",\"id\":"
			"\"observed-data--550e8400-e29b-41d4-a716-%012zu\",\"created\":\"%s\",\"first_observed\":\"%"
			"s\","
			"\"last_observed\":\"%s\",\"number_observed\":1,\"object_refs\":[\"network-traffic--550e8400-"
			"e29b-41d4-a716-%012zu\"],\"labels\":[\"intrusion-attempts/brute-force\"]}%s",
			i % 100 == 0 ? "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[" : ",",
			strchr(ip, ':') != NULL ? "ipv6" : "ipv4", strchr(ip, ':') != NULL ? "ipv6" : "ipv4", i, ip, i,
			strchr(ip, ':') != NULL ? "ipv6" : "ipv4", i, port, i, time, time, time, i,
			i % 100 == 99 ? "]}\n" : "");
	}
}

/* Of STIX: a hundred observations to a bundle. */
static struct span make_documents(enum documents which, size_t rows)
{
	struct reports r = { .seed = 7, .time_ms = INT64_C(1795305600000) };
	size_t each = which == DOCUMENTS_XARF4_LARGE ? 42000 : 1500, room = rows * each + 4096, len = 0;
	char *text = malloc(room);

	if (text == NULL)
		exit(1);
	for (size_t i = 0; i < rows; i++) {
		struct address a = reports_address(&r);
		char ip[ADDRESS_TEXT], time[CLOCK_TEXT];

		address_format(a, ip);
		clock_format(r.time_ms += 100, time);
		len += (size_t)document(which, text + len, room - len, ip, time,
					1024 + (unsigned)(reports_random(&r) & 0x7fff), i);
	}
	return (struct span){ text, len };
}

/* An mbox of complaints (RFC 5965) about mails with a body of so many lines; none: of nothing but header lines. */
static struct span make_mails(size_t mails, size_t lines, bool complaint)
{
	struct reports r = { .seed = 7, .time_ms = INT64_C(1795305600000) };
	size_t room = mails * (3000 + lines * 80) + 4096, len = 0;
	char *text = malloc(room);

	if (text == NULL)
		exit(1);
	for (size_t i = 0; i < mails; i++) {
		struct address a = reports_address(&r);
		char ip[ADDRESS_TEXT];

		address_format(a, ip);
		len += (size_t)snprintf(
			text + len, room - len,
			"From fbl@isp.example Sat Nov 21 10:11:12 2026\nReturn-Path: <fbl@isp.example>\n"
			"Received: from out.isp.example (out.isp.example [198.51.100.7])\n\tby mx.cert.example "
			"(Postfix) "
			"with ESMTPS id 4T%zu\n\tfor <abuse@cert.example>; Sat, 21 Nov 2026 10:11:15 +0000 (UTC)\n"
			"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=isp.example; s=fbl;\n"
			"\th=date:from:to:subject; bh=g3zLYH4xKxcPrHOD18z9YfpQcnk/GaJedfustWU5uGs=;\n"
			"Date: Sat, 21 Nov 2026 10:11:13 +0000\nFrom: Feedback <fbl@isp.example>\nTo: "
			"abuse@cert.example\n"
			"Subject: =?utf-8?Q?Complaint_=E2=84=96?= %zu\nMessage-ID: <%zu@isp.example>\nMIME-Version: "
			"1.0\n"
			"Content-Type: multipart/%s; boundary=\"=_%zu\"\n\n--=_%zu\nContent-Type: text/plain; "
			"charset=utf-8\n\nThis is a complaint about a mail received from %s.\n",
			i, i, i, complaint ? "report; report-type=feedback-report" : "mixed", i, i, ip);
		if (complaint)
			len += (size_t)snprintf(
				text + len, room - len,
				"\n--=_%zu\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
				"User-Agent: Feedback/2.1\nVersion: 1\nOriginal-Mail-From: <s@spam.example>\n"
				"Arrival-Date: Sat, 21 Nov 2026 09:%02zu:12 +0000\nSource-IP: %s\n"
				"Reported-Domain: spam.example\n\n--=_%zu\nContent-Type: message/rfc822\n\n"
				"Received: from spam.example (unknown [%s])\n\tby mx.isp.example with ESMTP id "
				"%zu; Sat, 21 Nov 2026 09:10:11 +0000\nFrom: Offers <s@spam.example>\n"
				"Subject: You have won\nMessage-ID: <%zu@spam.example>\nDate: Sat, 21 Nov 2026 "
				"09:10:10 +0000\nContent-Type: text/html\n\n",
				i, i % 60, ip, i, ip, i, i);
		for (size_t k = 0; k < lines; k++)
			len += (size_t)snprintf(
				text + len, room - len,
				"<p>Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do.</p>\n");
		len += (size_t)snprintf(text + len, room - len, "\n--=_%zu--\n\n", i);
	}
	return (struct span){ text, len };
}

static void bench(const char *what, const char *name, struct span text, size_t rows)
{
	struct report_options options = { .now_ms = INT64_C(1900000000000) };
	int64_t floor = 0, cut = 0, parse = 0;
	struct arena *a = arena_new(1 << 20);
	struct layout *l;
	struct scratch *s;
	struct count c = { 0 };

	if (a == NULL || scratch_new(&s) != OK ||
	    report_detect(a, span_of(name), (struct span){ text.at, REPORT_HEAD }, &options, &l) != OK) {
		fprintf(stderr, "bench_report: %s\n", err_detail());
		exit(1);
	}
	for (int i = 0; i < ROUNDS; i++) {
		int64_t this_cut, this_parse;

		floor = best(floor, floor_time(text));
		walk(l, s, text, &c, &this_cut, &this_parse);
		cut = best(cut, this_cut);
		parse = best(parse, this_parse);
	}
	printf("%s: %zu rows, %.1f MB, %llu events, %llu rejects\n", what, rows, (double)text.len / 1e6,
	       (unsigned long long)c.events, (unsigned long long)c.rejects);
	say(what, "memchr", rows, text.len, floor);
	say(what, "boundary", rows, text.len, cut);
	say(what, "parse", rows, text.len, parse);
	printf("%-10s together  %8.1f MB/s, %.1f times the floor\n", what, (double)text.len / (double)(cut + parse),
	       (double)(cut + parse) / (double)(floor > 0 ? floor : 1));
	scratch_free(s);
	arena_free(a);
	free((char *)(uintptr_t)text.at);
}

/* bench_report [which]: those whose name begins with it. */
int main(int argc, char **argv)
{
	static const struct {
		const char *what, *name;
		enum reports_format format;
		size_t rows;
		unsigned broken;
	} benches[] = {
		{ "columns", "event4_honeypot_brute_force.csv", REPORTS_SHADOWSERVER, 1000000, 0 },
		{ "broken", "event4_honeypot_brute_force.csv", REPORTS_SHADOWSERVER, 1000000, 10 },
		{ "addresses", "addresses.txt", REPORTS_LIST, 5000000, 0 },
		{ "intelmq", "events.jsonl", REPORTS_INTELMQ, 500000, 0 },
	};
	static const struct {
		const char *what;
		enum documents which;
		size_t rows;
	} documents[] = {
		{ "xarf4", DOCUMENTS_XARF4, 50000 }, { "xarf4-40k", DOCUMENTS_XARF4_LARGE, 2000 },
		{ "xarf3", DOCUMENTS_XARF3, 50000 }, { "idea", DOCUMENTS_IDEA, 50000 },
		{ "stix", DOCUMENTS_STIX, 50000 },
	};

	for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]); i++)
		if (argc < 2 || span_starts(span_of(benches[i].what), argv[1]))
			bench(benches[i].what, benches[i].name,
			      make(benches[i].format, benches[i].rows, benches[i].broken), benches[i].rows);
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		if (argc < 2 || span_starts(span_of(documents[i].what), argv[1]))
			bench(documents[i].what, "documents.json",
			      make_documents(documents[i].which, documents[i].rows), documents[i].rows);
	if (argc < 2 || span_starts(SPAN("iodef"), argv[1]))
		bench("iodef", "incidents.xml", make_iodef(25000), 25000);
	if (argc < 2 || span_starts(SPAN("arf-short"), argv[1]))
		bench("arf-short", "inbox.mbox", make_mails(20000, 0, true), 20000);
	if (argc < 2 || span_starts(SPAN("arf"), argv[1]))
		bench("arf", "inbox.mbox", make_mails(10000, 100, true), 10000);
	if (argc < 2 || span_starts(SPAN("mail"), argv[1]))
		bench("mail", "inbox.mbox", make_mails(10000, 100, false), 10000);
	return 0;
}
