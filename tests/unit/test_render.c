#include "test.h"

#include <yyjson.h>

#include "base/json.h"
#include "evidence_test.h"
#include "route/render.h"

#define MAX ((size_t)64 << 20)

static int make_arena(void **state)
{
	return (*state = arena_new((size_t)1 << 28)) != NULL ? 0 : -1;
}

static int free_arena(void **state)
{
	arena_free(*state);
	return 0;
}

static const char text[] = EVIDENCE_CSV
	"2026-11-22T20:45:00Z,192.0.2.1,,53123,tcp,198.51.100.7,22,undeclared,\"2026-11-22 20:45:00\",\"192.0.2.1\",x\n"
	"2026-11-22T20:45:01Z,192.0.2.1,,53124,tcp,198.51.100.7,22,explained,y\n"
	"2026-11-22T20:45:02Z,2001:db8::7,,123,udp,,,undeclared,z\n"
	"\n"
	"table list list\n" EVIDENCE_COLUMNS "\n"
	",192.0.2.0,24,,,,,undeclared,192.0.2.0/24\n"
	"\n";

static struct span render_text(struct arena *a, const char *rows, enum render_format f, enum rsit_class class)
{
	const struct render_context context = { .from = SPAN("cert.example"),
						.notice = { { 1, 2, 3 } },
						.class = class };
	char *at = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&at, &len);
	struct span result;

	assert_non_null(out);
	assert_int_equal(render_evidence(a, evidence_pack(a, span_of(rows)), MAX, f, &context, out), OK);
	fclose(out);
	result = span_make(arena_copy(a, at, len), len);
	free(at);
	return result;
}

static struct span render(struct arena *a, enum render_format f, enum rsit_class class)
{
	return render_text(a, text, f, class);
}

static void formats_have_names(void **state)
{
	enum render_format f;

	(void)state;
	assert_int_equal(render_format_parse(SPAN("stix"), &f), OK);
	assert_int_equal(f, RENDER_STIX);
	assert_int_equal(render_format_parse(SPAN("csv"), &f), OK);
	assert_int_equal(f, RENDER_CSV);
	assert_int_equal(render_format_parse(SPAN(""), &f), ERR_USAGE);
	assert_int_equal(render_format_parse(SPAN("STIX"), &f), ERR_USAGE);
}

static void csv_has_the_row_as_one_column(void **state)
{
	assert_span(render(*state, RENDER_CSV, CLASS_BRUTE_FORCE),
		    EVIDENCE_COLUMNS ",row\n"
				     "2026-11-22T20:45:00Z,192.0.2.1,,53123,tcp,198.51.100.7,22,undeclared,"
				     "\"\"\"2026-11-22 20:45:00\"\",\"\"192.0.2.1\"\",x\"\n"
				     "2026-11-22T20:45:01Z,192.0.2.1,,53124,tcp,198.51.100.7,22,explained,\"y\"\n"
				     "2026-11-22T20:45:02Z,2001:db8::7,,123,udp,,,undeclared,\"z\"\n"
				     ",192.0.2.0,24,,,,,undeclared,\"192.0.2.0/24\"\n");
}

static yyjson_val *parse(struct arena *a, struct span json)
{
	struct yyjson_doc *doc = NULL;

	if (json_read(a, json, &doc) != OK)
		fail_msg("%s in %.*s", err_detail(), SPAN_FORMAT(json));
	return yyjson_doc_get_root(doc);
}

static const char *text_of(yyjson_val *object, const char *key)
{
	const char *value = yyjson_get_str(yyjson_obj_get(object, key));

	return value != NULL ? value : "";
}

static yyjson_val *find(yyjson_val *objects, const char *id)
{
	yyjson_val *object;
	size_t i, count;

	yyjson_arr_foreach(objects, i, count, object)
	{
		if (strcmp(text_of(object, "id"), id) == 0)
			return object;
	}
	return NULL;
}

static size_t count_type(yyjson_val *objects, const char *type)
{
	yyjson_val *object;
	size_t i, count, n = 0;

	yyjson_arr_foreach(objects, i, count, object)
	{
		n += strcmp(text_of(object, "type"), type) == 0;
		assert_true(strncmp(text_of(object, "id"), text_of(object, "type"), strlen(text_of(object, "type"))) ==
			    0);
		assert_string_equal(text_of(object, "spec_version"), "2.1");
	}
	return n;
}

static void stix_is_one_bundle_that_hangs_together(void **state)
{
	yyjson_val *bundle = parse(*state, render(*state, RENDER_STIX, CLASS_BRUTE_FORCE));
	yyjson_val *objects = yyjson_obj_get(bundle, "objects"), *object, *ref;
	size_t i, count, k, refs;

	assert_string_equal(text_of(bundle, "type"), "bundle");
	assert_int_equal(count_type(objects, "identity"), 1);
	assert_int_equal(count_type(objects, "observed-data"), 4);
	assert_int_equal(count_type(objects, "ipv4-addr"), 3); /* the source that comes twice is written once */
	assert_int_equal(count_type(objects, "ipv6-addr"), 1);
	assert_int_equal(count_type(objects, "network-traffic"), 3);
	yyjson_arr_foreach(objects, i, count, object)
	{
		if (strcmp(text_of(object, "type"), "observed-data") != 0)
			continue;
		assert_non_null(find(objects, text_of(object, "created_by_ref")));
		assert_true(yyjson_arr_size(yyjson_obj_get(object, "object_refs")) > 0);
		yyjson_arr_foreach(yyjson_obj_get(object, "object_refs"), k, refs, ref)
			assert_non_null(find(objects, yyjson_get_str(ref)));
		assert_true(strlen(text_of(object, "first_observed")) == strlen("2026-11-22T20:45:00.000Z"));
	}
}

/* uuid5 of {"value":"192.0.2.1"} under the name space 00abedb4-aa42-466c-9c01-fed23315a9b7, by another program. */
static void observables_have_the_identifiers_of_the_standard(void **state)
{
	yyjson_val *objects = yyjson_obj_get(parse(*state, render(*state, RENDER_STIX, CLASS_BRUTE_FORCE)), "objects");
	yyjson_val *source = find(objects, "ipv4-addr--8dded90c-40c0-545a-8027-5b212bb37e8e");

	assert_non_null(source);
	assert_string_equal(text_of(source, "value"), "192.0.2.1");
}

/* What the schemas of XARF 4.2 ask of each type beside the core. */
static const struct {
	const char *type, *fields[4];
} needs[] = {
	{ "login_attack", { "protocol", "first_seen", "source_port" } },
	{ "port_scan", { "protocol", "first_seen", "source_port" } },
	{ "ddos", { "protocol", "first_seen", "source_port" } },
	{ "vulnerability_scan", { "protocol", "first_seen", "scan_type" } },
	{ "infected_host", { "protocol", "first_seen", "bot_type" } },
	{ "botnet", { "compromise_evidence" } },
	{ "compromised_server", { "compromise_method" } },
	{ "open_service", { "service" } },
	{ "misconfiguration", { "service" } },
	{ "threat_intelligence", { "threat_type" } },
};

static void check_xarf(yyjson_val *report)
{
	static const char *const core[] = { "xarf_version",	 "report_id", "timestamp", "reporter", "sender",
					    "source_identifier", "category",  "type",	   "evidence" };
	size_t known = 0;

	for (size_t i = 0; i < TABLE_LENGTH(core); i++)
		assert_non_null(yyjson_obj_get(report, core[i]));
	for (size_t i = 0; i < TABLE_LENGTH(needs); i++) {
		if (strcmp(text_of(report, "type"), needs[i].type) != 0)
			continue;
		known++;
		for (size_t k = 0; k < 4 && needs[i].fields[k] != NULL; k++)
			if (yyjson_obj_get(report, needs[i].fields[k]) == NULL)
				fail_msg("%s lacks %s", needs[i].type, needs[i].fields[k]);
	}
	assert_int_equal(known, 1);
}

static void xarf_is_whole_for_every_class(void **state)
{
	for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++) {
		struct span rest = render(*state, RENDER_XARF, (enum rsit_class) class), line;
		size_t rows = 0;

		for (; span_line(&rest, &line); rows++)
			check_xarf(parse(*state, line));
		assert_int_equal(rows, 4);
		arena_reset(*state);
	}
}

static void xarf_says_what_the_row_says(void **state)
{
	struct span rest = render(*state, RENDER_XARF, CLASS_BRUTE_FORCE), line;
	yyjson_val *r;

	assert_true(span_line(&rest, &line));
	r = parse(*state, line);
	assert_string_equal(text_of(r, "category"), "connection");
	assert_string_equal(text_of(r, "type"), "login_attack");
	assert_string_equal(text_of(r, "source_identifier"), "192.0.2.1");
	assert_int_equal(yyjson_get_int(yyjson_obj_get(r, "source_port")), 53123);
	assert_string_equal(text_of(r, "destination_ip"), "198.51.100.7");
	assert_int_equal(yyjson_get_int(yyjson_obj_get(r, "destination_port")), 22);
	assert_string_equal(text_of(r, "first_seen"), "2026-11-22T20:45:00.000Z");
	while (span_line(&rest, &line))
		r = parse(*state, line);
	/* A network without time or port is no login attack that the schema would take. */
	assert_string_equal(text_of(r, "type"), "threat_intelligence");
	assert_string_equal(text_of(r, "source_identifier"), "192.0.2.0/24");
	assert_string_equal(text_of(r, "timestamp"), "2026-11-22T20:45:00.000Z"); /* of the summary */
}

static void a_full_disk_is_an_error(void **state)
{
	const struct render_context context = { .from = SPAN("cert.example"), .class = CLASS_SCANNER };
	FILE *full = fopen("/dev/full", "w");
	struct span body = evidence_pack(*state, span_of(text));

	if (full == NULL)
		skip();
	assert_int_equal(render_evidence(*state, body, MAX, RENDER_CSV, &context, full), ERR_DISK_FULL);
	fclose(full);
	assert_int_equal(render_evidence(*state, SPAN("junk"), MAX, RENDER_CSV, &context, stdout), ERR_COMPRESSION);
}

static enum err event_say(void *context, const struct event *e)
{
	struct buffer *b = context;
	char source[ADDRESS_TEXT], target[ADDRESS_TEXT] = "";

	address_format(e->source, source);
	if (e->has_target)
		address_format(e->target, target);
	buffer_print(b, "%lld %s/%u:%u>%s:%u %u %s\n", (long long)e->time_ms, source, e->source_length, e->source_port,
		     target, e->target_port, e->transport, class_name(e->class));
	return OK;
}

static enum err reject_say(void *context, const struct reject *r)
{
	buffer_print(context, "%s %s\n", err_code(r->why), r->field != NULL ? r->field : "");
	return OK;
}

static void reads_back(struct arena *a, enum render_format f, const char *expected)
{
	static const char rows[] = EVIDENCE_CSV
		"2026-11-22T20:45:00Z,8.8.4.4,,53123,tcp,9.9.9.9,22,undeclared,\"2026-11-22 20:45:00\",\"8.8.4.4\",x\n"
		"2026-11-22T20:45:01.500Z,8.8.4.4,,53124,udp,9.9.9.9,22,undeclared,y\n"
		"2026-11-22T20:45:02Z,2a00:1450::7,,123,udp,,,undeclared,z\n"
		"\n"
		"table xarf xarf\n" EVIDENCE_COLUMNS "\n"
		"2026-11-22T20:45:03Z,8.8.8.0,24,,,,,undeclared,{\"a\":\"b\"}\n"
		"\n";
	const struct report_options options = { .now_ms = INT64_C(1795400000000) };
	struct span text_of_report = render_text(a, rows, f, CLASS_BRUTE_FORCE);
	struct buffer said = BUFFER(10000);
	const struct report_sink sink = { event_say, reject_say, &said };
	struct report_cursor from;
	struct scratch *s;
	struct layout *l;

	assert_int_equal(scratch_new(&s), OK);
	assert_int_equal(report_detect(a, SPAN("x"), text_of_report, &options, &l), OK);
	from = report_start(l);
	assert_int_equal(report_parse(l, s, text_of_report, &from, &sink), OK);
	assert_span(buffer_view(&said), expected);
	buffer_free(&said);
	scratch_free(s);
}

/* Another node reads what a notice looks like as the events that it was. */
static void what_is_rendered_reads_back(void **state)
{
	reads_back(*state, RENDER_STIX,
		   "1795380300000 8.8.4.4/0:53123>9.9.9.9:22 6 intrusion-attempts/brute-force\n"
		   "1795380301500 8.8.4.4/0:53124>9.9.9.9:22 17 intrusion-attempts/brute-force\n"
		   "1795380302000 2a00:1450::7/0:123>:0 17 intrusion-attempts/brute-force\n"
		   "1795380303000 8.8.8.0/24:0>:0 0 intrusion-attempts/brute-force\n");
	/* XARF has no type for an attack without protocol and port */
	reads_back(*state, RENDER_XARF,
		   "1795380300000 8.8.4.4/0:53123>9.9.9.9:22 6 intrusion-attempts/brute-force\n"
		   "1795380301500 8.8.4.4/0:53124>9.9.9.9:22 17 intrusion-attempts/brute-force\n"
		   "1795380302000 2a00:1450::7/0:123>:0 17 intrusion-attempts/brute-force\n"
		   "1795380303000 8.8.8.0/24:0>:0 0 other/other\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(formats_have_names, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(what_is_rendered_reads_back, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(csv_has_the_row_as_one_column, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(stix_is_one_bundle_that_hangs_together, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(observables_have_the_identifiers_of_the_standard, make_arena,
						free_arena),
		cmocka_unit_test_setup_teardown(xarf_is_whole_for_every_class, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(xarf_says_what_the_row_says, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(a_full_disk_is_an_error, make_arena, free_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
