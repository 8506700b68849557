/* Reads the XARF, IDEA and STIX documents of others in ../shared/data (or $COMITY_SHARED/data). Each file's outcome is
 * written down here, as counted by hand. Addresses of documentation and private space are made public on the way in, so
 * that the documents are read to their end. Exits with 77 where the data is absent. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include <yyjson.h>

#include "base/file.h"
#include "base/json.h"
#include "stix/pattern.h"
#include "report/report.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned failures;

static void check(bool good, const char *file, const char *what)
{
	if (good)
		return;
	failures++;
	printf("FAILED %s: %s\n", file, what);
}

/* What came of a file: a line for each event ("+class") and reject ("-code field"). */
struct outcome {
	char text[4096];
	size_t len, events, rejects, sources;
};

static void outcome_add(struct outcome *o, char sign, const char *what, const char *field)
{
	int n = snprintf(o->text + o->len, sizeof(o->text) - o->len, "%s%c%s%s%s", o->len > 0 ? " " : "", sign, what,
			 field != NULL ? ":" : "", field != NULL ? field : "");

	if (n > 0 && (size_t)n < sizeof(o->text) - o->len)
		o->len += (size_t)n;
}

static enum err on_event(void *context, const struct event *e)
{
	struct outcome *o = context;

	o->events++;
	outcome_add(o, '+', strchr(class_name(e->class), '/') + 1, NULL);
	check(e->raw.len > 2 && e->raw.len <= REPORT_ROW_MAX && e->raw.at[0] == '{', "event", "its row is no object");
	check(e->time_ms != 0, "event", "it has no time");
	return OK;
}

static enum err on_reject(void *context, const struct reject *r)
{
	struct outcome *o = context;

	o->rejects++;
	outcome_add(o, '-', err_code(r->why), r->field);
	return OK;
}

/* Makes private and documentation addresses public ones of the same length. */
static void make_public(char *text, size_t len)
{
	static const char *const pairs[][2] = {
		{ "192.168.", "192.167." }, { "172.16.", "172.15." },	  { "192.0.2.", "192.1.2." },
		{ "198.51.", "198.52." },   { "203.0.113", "203.1.113" }, { "2001:db8:", "2001:db9:" },
	};

	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < sizeof(pairs) / sizeof(pairs[0]); k++) {
			size_t n = strlen(pairs[k][0]);

			if (len - i >= n && memcmp(text + i, pairs[k][0], n) == 0)
				memcpy(text + i, pairs[k][1], n);
		}
}

static void document_read_whole(struct arena *a, const char *path, enum format format, struct outcome *o)
{
	const struct report_options options = { 0 };
	const struct report_sink sink = { on_event, on_reject, o };
	struct scratch *s = NULL;
	struct layout *l = NULL;
	struct span text, head;

	*o = (struct outcome){ 0 };
	if (file_read(a, path, 1 << 20, &text) != OK || scratch_new(&s) != OK) {
		check(false, path, err_detail());
		return;
	}
	make_public((char *)(uintptr_t)text.at, text.len);
	head = span_make(text.at, text.len < REPORT_HEAD ? text.len : REPORT_HEAD);
	if (report_detect(a, SPAN("document.json"), head, &options, &l) == OK) {
		struct report_cursor from = report_start(l);

		check(layout_format(l) == format, path, "it is of another format");
		check(report_parse(l, s, span_from(text, from.offset), &from, &sink) == OK, path, err_detail());
	} else {
		outcome_add(o, '!', "format-unknown", NULL);
	}
	scratch_free(s);
}

struct expected {
	const char *file, *outcome;
};

static int is_json(const struct dirent *d)
{
	return span_ends(span_of(d->d_name), ".json");
}

static void folder_reads(struct arena *a, const char *folder, enum format format, const struct expected *expected,
			 size_t count)
{
	struct dirent **entries = NULL;
	int found = scandir(folder, &entries, is_json, alphasort);
	size_t events = 0, rejects = 0;

	check(found == (int)count, folder, "another number of files");
	for (int i = 0; i < found; i++) {
		const char *path = arena_print(a, "%s/%s", folder, entries[i]->d_name), *want = "?";
		struct outcome o;

		for (size_t k = 0; k < count; k++)
			if (strcmp(expected[k].file, entries[i]->d_name) == 0)
				want = expected[k].outcome;
		document_read_whole(a, path, format, &o);
		if (strcmp(o.text, want) != 0) {
			printf("\t\t{ \"%s\", \"%s\" },\n", entries[i]->d_name, o.text);
			check(false, path, want);
		}
		events += o.events;
		rejects += o.rejects;
		free(entries[i]);
	}
	free(entries);
	printf("%s: %d files, %zu events, %zu rejects\n", folder, found, events, rejects);
}

/* Read: an event, or a reject that does not fault the format: content classes have no code here, and a domain or an
 * account is no address. */
static void xarf(struct arena *a, const char *folder)
{
	static const struct expected positive[] = {
		{ "botnet_sample.json", "+infected-system" },
		{ "childabuse_sample.json", "-class-content:ReportType" },
		{ "copyright_sample.json", "-class-content:ReportType" },
		{ "ddos_sample.json", "+dos" },
		{ "exploit_sample.json", "+ids-alert" },
		{ "exploit_sample_minimal.json", "+ids-alert" },
		{ "harassment_sample_game.json", "-class-content:ReportType" },
		{ "harassment_sample_image.json", "-class-content:ReportType" },
		{ "harassment_sample_url.json", "-class-content:ReportType" },
		{ "loginattack_sample.json", "+brute-force" },
		{ "loginattack_sample_optional_api_info.json", "+brute-force" },
		{ "malware_no_url.json", "+malware-distribution" },
		{ "malware_sample.json", "+malware-distribution" },
		{ "openservice_sample.json", "+potentially-unwanted-accessible" },
		{ "openservice_sample_minimal.json", "+potentially-unwanted-accessible" },
		{ "openservice_sample_optional_api_info.json", "+potentially-unwanted-accessible" },
		{ "phishing_sample.json", "+phishing" },
		{ "portscan_sample.json", "+scanner" },
		{ "potentially_compromised_attacker_sample.json", "-no-address:SourceIp" },
		{ "potentially_compromised_sample.json", "-no-address:SourceIp" },
		{ "potentially_compromised_sample_email.json", "-no-address:SourceIp" },
		{ "reporter_info_minimal.json", "+spam" },
		{ "reporter_info_org.json", "+spam" },
		{ "reporter_info_person.json", "+spam" },
		{ "rpz_sample.json", "+infected-system" },
		{ "rpz_sample_additional_fields.json", "+infected-system" },
		{ "spam_sample.json", "+spam" },
		{ "trademark_sample.json", "-class-content:ReportType" },
		{ "webcrawler_sample.json", "+other" },
	};
	static const struct expected alpha[] = {
		{ "botnet_sample.json", "+infected-system" },
		{ "childabuse_sample.json", "-class-content:ReportType" },
		{ "copyright_sample.json", "-class-content:ReportType" },
		{ "ddos_sample.json", "+dos" },
		{ "loginattack_sample.json", "+brute-force" },
		{ "malware_sample.json", "+malware-distribution" },
		{ "no_version_sample.json", "+infected-system" },
		{ "phishing_sample.json", "+phishing" },
		{ "portscan_sample.json", "+scanner" },
		{ "rpz_sample.json", "+infected-system" },
		{ "rpz_sample_additional_fields.json", "+infected-system" },
		{ "spam_sample.json", "+spam" },
		{ "trademark_sample.json", "-class-content:ReportType" },
	};
	static const struct expected negative[] = {
		{ "harassment_sample_no_description.json", "-field:ReportType" },
		{ "harassment_sample_no_harasser.json", "-field:ReportType" },
		{ "invalid_additional_fields.json", "-field:Custom" },
		{ "invalid_b64_flag.json", "-field:Samples.Base64Encoded" },
		{ "invalid_byte_count.json", "-field:ByteCount" },
		{ "invalid_date.json", "-time:Date" },
		{ "invalid_destination.json", "-address:DestinationIp" },
		{ "invalid_destination2.json", "-field:DestinationIp" },
		{ "invalid_email_as_identifier_potentially_compromised_account.json", "-field:AccountIdentifier" },
		{ "invalid_emails.json", "-field:SmtpMailFromAddress" },
		{ "invalid_empty.json", "-field-missing:ReporterInfo" },
		{ "invalid_empty_account.json", "-field:Account" },
		{ "invalid_exploit_wrong_cve.json", "-field:CVE" },
		{ "invalid_exploit_wrong_vector.json", "-field:CVSS.Vector" },
		{ "invalid_exploit_wrong_version.json", "-field:CVSS.Version" },
		{ "invalid_file_hash.json", "-field:HashAlgorithm" },
		{ "invalid_file_info.json", "-field:FileSize" },
		{ "invalid_first_seen.json", "-time:FirstSeen" },
		{ "invalid_host_name.json", "-field:RpzDomain" },
		{ "invalid_infringed_props.json", "-field:SourceUrl" },
		{ "invalid_internal_processing_wrong_data_type.json", "-field:EventTags" },
		{ "invalid_ip.json", "-address:SourceIp" },
		{ "invalid_ip2.json", "-field:SourceIp" },
		{ "invalid_missing_account.json", "-field-missing:Account" },
		{ "invalid_missing_report.json", "-field-missing:Report" },
		{ "invalid_missing_report_class_report_type.json", "-field-missing:ReportClass" },
		{ "invalid_missing_reporter.json", "-field-missing:ReporterInfo" },
		{ "invalid_missing_reporter_props.json", "-field-missing:ReporterOrg" },
		{ "invalid_missing_reporter_props2.json", "-field:ReporterInfo" },
		{ "invalid_missing_reporter_props3.json", "-field:ReporterInfo" },
		{ "invalid_missing_reporter_props4.json", "-field:ReporterInfo" },
		{ "invalid_missing_reporter_props5.json", "-field-missing:ReporterOrgEmail" },
		{ "invalid_on_behalf_of.json", "-field:ComplainantOrg" },
		{ "invalid_openservice.json", "-field:ServiceName" },
		{ "invalid_openservice2.json", "-field:TransportProtocol" },
		{ "invalid_openservice3.json", "-field:ServiceVersion" },
		{ "invalid_openservice4.json", "-field-missing:ServiceName" },
		{ "invalid_openservice_missing_service.json", "-field-missing:ServiceName" },
		{ "invalid_ports.json", "-field:SourcePort" },
		{ "invalid_report_class_report_type.json", "-field:ReportClass" },
		{ "invalid_report_class_report_type2.json", "-field:ReportClass" },
		{ "invalid_report_part.json", "-field-missing:Date" },
		{ "invalid_reporter_info.json", "-field:ShouldNotBeHere" },
		{ "invalid_reporter_metadata.json", "-field:ReporterCaseID" },
		{ "invalid_reporter_metadata2.json", "-field:ReporterCaseID" },
		{ "invalid_sample.json", "-field:Samples" },
		{ "invalid_sample_2.json", "-field-missing:Samples.ContentType" },
		{ "invalid_type.json", "-field:ReportType" },
		{ "invalid_used_ip_in_potentially_compromised_account.json", "-field:AccountIdentifier" },
		{ "invalid_used_url_in_potentially_compromised_account.json", "-field:SourceUrl" },
	};
	static const struct expected v4[] = {
		{ "connection-ddos.json", "+ddos" },
		{ "connection-infected-host.json", "+infected-system" },
		{ "connection-login-attack.json", "+brute-force" },
		{ "connection-port-scan.json", "+scanner" },
		{ "connection-reconnaissance.json", "+scanner" },
		{ "connection-scraping.json", "+other" },
		{ "connection-sql-injection.json", "+ids-alert" },
		{ "connection-vulnerability-scan.json", "+scanner" },
		{ "content-brand-infringement.json", "-class-content:type" },
		{ "content-csam.json", "-class-content:type" },
		{ "content-csem.json", "-class-content:type" },
		{ "content-exposed-data.json", "+data-leak" },
		{ "content-fraud.json", "-no-address:source_identifier" },
		{ "content-malware.json", "+malware-distribution" },
		{ "content-phishing.json", "+phishing" },
		{ "content-remote-compromise.json", "-no-address:source_identifier" },
		{ "content-suspicious-registration.json", "-no-address:source_identifier" },
		{ "copyright-copyright.json", "-class-content:type" },
		{ "copyright-cyberlocker.json", "-class-content:type" },
		{ "copyright-link-site.json", "-class-content:type" },
		{ "copyright-p2p.json", "-class-content:type" },
		{ "copyright-ugc-platform.json", "-class-content:type" },
		{ "copyright-usenet.json", "-class-content:type" },
		{ "infrastructure-botnet.json", "+infected-system" },
		{ "infrastructure-compromised-server.json", "+system-compromise" },
		{ "messaging-bulk-messaging.json", "-no-address:source_identifier" },
		{ "messaging-spam.json", "+spam" },
		{ "reputation-blocklist.json", "+other" },
		{ "reputation-threat-intelligence.json", "+other" },
		{ "vulnerability-cve.json", "+vulnerable-system" },
		{ "vulnerability-misconfiguration.json", "+vulnerable-system" },
		{ "vulnerability-open-service.json", "+potentially-unwanted-accessible" },
	};
	static const struct expected late[] = {
		{ "botnet_v3_sample.json", "+infected-system" },
		{ "ddos_v3_sample.json", "+ddos" },
		{ "phishing_v3_sample.json", "-no-address:SourceUrl" },
		{ "spam_v3_sample.json", "+spam" },
	};

	folder_reads(a, arena_print(a, "%s/xarf-v3/samples/positive/3", folder), FORMAT_XARF, positive,
		     COUNT(positive));
	folder_reads(a, arena_print(a, "%s/xarf-v3/samples/positive/alpha", folder), FORMAT_XARF, alpha, COUNT(alpha));
	folder_reads(a, arena_print(a, "%s/xarf-v3/samples/negative/3", folder), FORMAT_XARF, negative,
		     COUNT(negative));
	folder_reads(a, arena_print(a, "%s/xarf-v4/samples/v4", folder), FORMAT_XARF, v4, COUNT(v4));
	folder_reads(a, arena_print(a, "%s/xarf-v4/samples/v3", folder), FORMAT_XARF, late, COUNT(late));
}

/* The first is marked as a test. */
static void idea(struct arena *a, const char *folder)
{
	static const struct expected both[] = { { "idea-1.json", "-test:Category" },
						{ "idea-2.json", "+brute-force" } };

	folder_reads(a, folder, FORMAT_IDEA, both, COUNT(both));
}

/* In examples of the standard most indicators are of files, mails and names. */
static void stix(struct arena *a, const char *folder)
{
	static const struct expected examples[] = {
		{ "indicator-for-c2-ip-address.json", "-address-special:pattern" }, /* 10.0.0.0 */
		{ "indicator-to-campaign-relationship.json", "-address-special:pattern" },
		{ "indicators-for-C2-with-COA.json", "-address-special:pattern" },
		{ "infrastructure.json", "-no-address:objects" }, /* an address that nothing was observed of */
		{ "interop-objectmarking-test.json", "-no-address:objects" },
		{ "malicious-email-indicator-with-attachment.json", "-no-address:objects" },
	};
	struct outcome o;

	folder_reads(a, arena_print(a, "%s/stix2-json-schemas/examples", folder), FORMAT_STIX, examples,
		     COUNT(examples));
	folder = arena_print(a, "%s/stix2-json-schemas/examples/threat-reports", folder);
	document_read_whole(a, arena_print(a, "%s/apt1.json", folder), FORMAT_STIX, &o);
	check(o.events == 4 && o.rejects == 0, "apt1.json", "4 networks in its patterns");
	document_read_whole(a, arena_print(a, "%s/poisonivy.json", folder), FORMAT_STIX, &o);
	check(o.events == 40 && o.rejects == 0, "poisonivy.json", "40 addresses in its patterns");
}

/* Patterns that the reference takes or refuses. Here nobody asks whether a hash has the length of its
 * kind, and a day that no calendar has is refused. */
static void patterns(struct arena *a, const char *path)
{
	size_t good = 0, bad = 0, index, count;
	yyjson_val *v;
	struct yyjson_doc *doc;
	struct span text;

	if (file_read(a, path, 1 << 20, &text) != OK || json_read(a, text, &doc) != OK) {
		check(false, path, err_detail());
		return;
	}
	yyjson_arr_foreach(yyjson_doc_get_root(doc), index, count, v)
	{
		yyjson_val *pattern = yyjson_obj_get(v, "pattern");
		bool valid = yyjson_is_true(yyjson_obj_get(v, "valid"));
		struct pattern p;
		enum err e = pattern_read(a, span_make(yyjson_get_str(pattern), yyjson_get_len(pattern)), &p);

		good += valid;
		bad += !valid;
		if (strstr(yyjson_get_str(pattern), "= 'f00'") == NULL &&
		    strstr(yyjson_get_str(pattern), "2023-02-29") == NULL)
			check((e == OK) == valid, path, yyjson_get_str(pattern));
	}
	printf("%s: %zu patterns, %zu not\n", path, good, bad);
	check(good == 28 && bad == 15, path, "28 patterns and 15 that are none");
}

int main(void)
{
	const char *shared = getenv("COMITY_SHARED");
	struct arena *a = arena_new((size_t)64 << 20);
	const char *folder;

	if (a == NULL)
		return 1;
	folder = arena_print(a, "%s/data", shared != NULL ? shared : "../shared");
	if (!file_exists(arena_print(a, "%s/routing/SOURCES.md", folder))) {
		printf("SKIPPED: no documents in %s; set COMITY_SHARED\n", folder);
		arena_free(a);
		return 77;
	}
	xarf(a, arena_print(a, "%s/routing", folder));
	stix(a, arena_print(a, "%s/taxii", folder));
	patterns(a, arena_print(a, "%s/taxii/stix21-pattern-vectors-half.json", folder));
	idea(a, arena_print(a, "%s/routing/idea", folder));
	arena_free(a);
	printf("%u failures\n", failures);
	return failures == 0 ? 0 : 1;
}
