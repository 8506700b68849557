#include "test.h"

#include <sys/stat.h>
#include <unistd.h>
#include <yyjson.h>
#include <zlib.h>

#include "base/json.h"
#include "route_test.h"

#define SCAN_HEADER "timestamp,ip,protocol,port,hostname,tag,asn,geo\n"
#define BRUTE_HEADER "timestamp,protocol,src_ip,src_port,dst_ip,dst_port\n"
#define SCAN_FILE "2026-11-01-scan_ssh-test.csv"
#define BRUTE_FILE "2026-11-01-event4_honeypot_brute_force-test.csv"

static const char *write_file(struct place *p, const char *name, const char *content)
{
	assert_int_equal(scratch_write(p->s, name, span_of(content)), OK);
	return scratch_path(p->s, name);
}

static const char scan_rows[] = SCAN_HEADER "\"2026-11-01 10:00:00\",5.44.0.1,tcp,22,,ssh,,\n"
					    "\"2026-11-01 10:00:01\",5.44.0.2,tcp,22,\"a\nb\",ssh,,\n"
					    "\"2026-11-01 10:00:02\",5.45.0.1,tcp,22,,ssh,,\n"
					    "\"2026-11-01 10:00:03\",5.46.0.1,tcp,22,,ssh,,\n"
					    "\"2026-11-01 10:00:04\",5.47.0.1,tcp,22,,ssh,,\n"
					    "\"2026-11-01 10:00:05\",9.9.9.9,tcp,22,,ssh,,\n"
					    "\"2026-11-01 10:00:00\",5.44.0.1,tcp,22,,ssh,,\n";

static void each_row_goes_to_whoever_answers(void **state)
{
	struct place *p = place_new(*state);
	struct harvest h;

	place_must_route(p, write_file(p, SCAN_FILE, scan_rows));
	assert_int_equal(p->out.events, 7);
	assert_int_equal(p->out.rejected, 0);
	assert_int_equal(p->out.duplicates, 1);
	assert_int_equal(p->out.unanswered, 1);
	assert_int_equal(p->out.notices, 4);
	assert_int_equal(p->out.addressees, 4);
	assert_int_equal(p->out.bytes, sizeof(scan_rows) - 1 - strlen(SCAN_HEADER));
	assert_int_equal(p->out.rejects[0], 0);
	h = harvest(p);
	assert_int_equal(h.count, 5);
	assert_string_equal(h.lines[0], "AS64500 scan_ssh \"2026-11-01 10:00:00\",5.44.0.1,tcp,22,,ssh,,");
	assert_string_equal(h.lines[1], "AS64500 scan_ssh \"2026-11-01 10:00:01\",5.44.0.2,tcp,22,\"a\nb\",ssh,,");
	assert_string_equal(h.lines[2], "AS64502 scan_ssh \"2026-11-01 10:00:03\",5.46.0.1,tcp,22,,ssh,,");
	assert_string_equal(h.lines[3], "ee-team.example scan_ssh \"2026-11-01 10:00:04\",5.47.0.1,tcp,22,,ssh,,");
	assert_string_equal(h.lines[4], "net.example scan_ssh \"2026-11-01 10:00:02\",5.45.0.1,tcp,22,,ssh,,");
	harvest_free(&h);
	place_free(p);
}

static void a_second_time_all_are_duplicates(void **state)
{
	struct place *p = place_new(*state);
	const char *path = write_file(p, SCAN_FILE, scan_rows), *list;
	const char *renamed = write_file(p, "2026-11-02-scan_ssh-again.csv", scan_rows);
	uint64_t size;

	place_must_route(p, path);
	list = arena_print(p->arena, "%s", p->out.unanswered_list);
	size = ledger_size(p);
	place_must_route(p, path);
	assert_int_equal(p->out.duplicates, 7);
	assert_int_equal(p->out.notices, 0);
	assert_int_equal(p->out.unanswered, 0);
	assert_int_equal(p->out.unanswered_list[0], 0);
	place_must_route(p, renamed);
	assert_int_equal(p->out.duplicates, 7);
	assert_int_equal(ledger_size(p), size);
	assert_true(file_exists(list));
	place_free(p);
}

static void notices_say_what_they_must(void **state)
{
	struct place *p = place_new(*state);
	const char *text;

	p->options.demonstration = true;
	place_must_route(p, write_file(p, BRUTE_FILE,
				       BRUTE_HEADER "\"2026-11-01 10:00:00\",tcp,5.44.0.1,1,5.46.0.1,22\n"
						    "\"2026-11-01 10:00:09\",tcp,5.44.0.1,2,5.46.0.1,22\n"));
	text = circle_text(p);
	assert_non_null(strstr(text, "\nledger cert.example/circle\nfrom cert.example\n"));
	assert_non_null(strstr(text, "\nto AS64500\ncc ee-team.example\n"));
	assert_non_null(strstr(text, "\nclass intrusion-attempts/brute-force\ntlp AMBER\nevents 2\n"
				     "first 2026-11-01T10:00:00Z\nlast 2026-11-01T10:00:09Z\n"));
	assert_non_null(strstr(text, "\ntable "));
	assert_non_null(strstr(text, "\ndemonstration yes\n"));
	assert_null(strstr(text, "\npart "));
	assert_null(strstr(text, "\nexplained "));
	assert_null(strstr(text, "\npriority "));
	place_free(p);
}

/* Addresses of a list are of an undetermined class: the answering party hears of them, nobody else. */
static void what_is_undetermined_has_no_copies(void **state)
{
	struct place *p = place_new(*state);
	const char *text;

	p->options.report.date_ms = p->options.report.now_ms - DAY;
	place_must_route(p, write_file(p, "list.txt", "5.44.0.1\n5.44.0.2\n5.44.0.1\n"));
	assert_int_equal(p->out.notices, 1);
	assert_int_equal(p->out.duplicates, 1);
	text = circle_text(p);
	assert_non_null(strstr(text, "\nto AS64500\ndate "));
	assert_null(strstr(text, "\ncc "));
	place_free(p);
}

/* ---- documents ---- */

#define PARTY "{\"org\":\"Example\",\"contact\":\"abuse@cert.example\",\"domain\":\"cert.example\"}"
#define XARF_START                                                                                                     \
	"{\"xarf_version\":\"4.2.0\",\"report_id\":\"550e8400-e29b-41d4-a716-446655440000\",\"timestamp\":"            \
	"\"2026-11-01T10:00:00Z\",\"reporter\":" PARTY ",\"sender\":" PARTY ",\"category\":\"content\","               \
	"\"type\":\"phishing\",\"url\":\"x\","
#define XARF(source) XARF_START "\"source_identifier\":\"" source "\"}"

/* Large documents among small ones, in chunks that are smaller than either: all are read, and again they are known. */
static void documents_of_any_size(void **state)
{
	static const size_t sizes[] = { 10, 300000, 20, (size_t)3 << 20, 30, REPORT_DOCUMENT_MAX, 40 };
	struct place *p = place_new(*state);
	struct buffer text = BUFFER((size_t)64 << 20);
	const char *path;

	p->limits = SMALL_LIMITS;
	buffer_text(&text, "[\n");
	for (size_t i = 0; i < TABLE_LENGTH(sizes); i++) {
		char *filler;

		buffer_print(&text, XARF_START "\"source_identifier\":\"5.44.0.%zu\",\"filler\":\"", i + 1);
		filler = buffer_room(&text, sizes[i]);
		assert_non_null(filler);
		memset(filler, 'a', sizes[i]);
		text.len += sizes[i];
		buffer_text(&text, i + 1 < TABLE_LENGTH(sizes) ? "\"},\n" : "\"}\n]\n");
	}
	assert_int_equal(text.err, OK);
	path = scratch_path(p->s, "reports.json");
	assert_int_equal(scratch_write(p->s, "reports.json", buffer_view(&text)), OK);
	place_must_route(p, path);
	assert_int_equal(p->out.events, 6);
	assert_int_equal(p->out.rejected, 1); /* the one that is longer than a document may be */
	assert_int_equal(p->out.duplicates, 0);
	place_must_route(p, path);
	assert_int_equal(p->out.events, 6);
	assert_int_equal(p->out.duplicates, 6);
	buffer_free(&text);
	place_free(p);
}

/* By itself, in an array or in a mail: the same report. */
static void documents_are_the_same_however_they_come(void **state)
{
	struct place *p = place_new(*state);

	place_must_route(p, write_file(p, "one.json", XARF("5.44.0.1") "\n"));
	assert_int_equal(p->out.events, 1);
	assert_int_equal(p->out.duplicates, 0);
	place_must_route(p, write_file(p, "two.json", "[\n" XARF("5.44.0.1") ",\n" XARF("5.44.0.2") "]"));
	assert_int_equal(p->out.events, 2);
	assert_int_equal(p->out.duplicates, 1);
	place_must_route(p, write_file(p, "three.eml",
				       "From: Example <abuse@cert.example>\nTo: abuse@isp.example\nSubject: report\n"
				       "Date: Sun, 1 Nov 2026 10:00:00 +0000\nMessage-ID: <1@cert.example>\n"
				       "MIME-Version: 1.0\nContent-Type: application/json\n\n" XARF("5.44.0.2") "\n"));
	assert_int_equal(p->out.events, 1);
	assert_int_equal(p->out.duplicates, 1);
	place_free(p);
}

/* ---- plans ---- */

static const char *at_time(struct place *p, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	return arena_print(p->arena, "\"%.10s %.8s\"", text, text + 11);
}

static struct hash say(struct place *p, const struct signer *who, enum kind k, const char *lines)
{
	struct appended out;
	struct hash id;

	assert_int_equal(node_begin(p->n), OK);
	assert_int_equal(
		node_add_statement(p->n, statement_text(p->arena, k, "cert.example/public", who, lines, &id), &out),
		OK);
	assert_int_equal(node_commit(p->n), OK);
	return id;
}

/* A party whose claims are approved. */
static void holds(struct place *p, const struct signer *who, const char *claims)
{
	struct hash id = say(p, who, KIND_PARTY,
			     arena_print(p->arena, "public-key %s\n%s", public_key_of(p->arena, who), claims));

	say(p, node_signer(p->n), KIND_ANSWER,
	    arena_print(p->arena, "re %s\noutcome accepted\n", hex_of(p->arena, id)));
}

static void file_plan(struct place *p, const struct signer *who, int64_t now, const char *more)
{
	char start[CLOCK_TEXT], end[CLOCK_TEXT];

	clock_format(now - DAY, start);
	clock_format(now + DAY, end);
	say(p, who, KIND_PLAN,
	    arena_print(p->arena, "activity scan\nstart %s\nend %s\npurpose a test\n%s", start, end, more));
	place_plans(p);
}

static void every_verdict_is_reached(void **state)
{
	struct place *p = place_new(*state);
	struct signer *scan = signer_of("scan.example"), *sealer = signer_of("sealer.example");
	int64_t now = clock_now_ms();
	const char *soon = at_time(p, now + 5000), *before = at_time(p, now - 3600000), *text;

	holds(p, scan, "role researcher\nclaim prefix 5.44.9.0/24\n");
	holds(p, sealer, "role researcher\nclaim prefix 5.44.12.0/24\n");
	file_plan(p, scan, now, "source 5.44.9.0/24\nsource 5.44.10.0/24\ntarget any\nexclude 5.46.0.0/16\n");
	say(p, sealer, KIND_PLAN, arena_print(p->arena, "commitment %064d\n", 7));
	place_plans(p);
	place_must_route(p, write_file(p, BRUTE_FILE,
				       arena_print(p->arena,
						   BRUTE_HEADER "%s,tcp,5.44.9.1,1,5.45.0.1,22\n"
								"%s,tcp,5.44.9.2,1,5.46.0.1,22\n"
								"%s,tcp,5.44.9.3,1,5.45.0.1,22\n"
								"%s,udp,5.44.9.4,1,5.45.0.1,22\n"
								"%s,tcp,5.44.10.1,1,5.45.0.1,22\n"
								"%s,tcp,5.44.12.1,1,5.45.0.1,22\n"
								"%s,tcp,5.44.8.1,1,5.45.0.1,22\n",
						   soon, soon, before, soon, soon, soon, soon)));
	for (int v = 0; v < PLAN_VERDICT_COUNT; v++)
		assert_int_equal(p->out.verdicts[v], 1);
	text = circle_text(p);
	assert_non_null(strstr(text, "\nexplained 1\n"));
	assert_null(strstr(text, "\npriority "));
	place_must_route(p, write_file(p, BRUTE_FILE,
				       arena_print(p->arena, BRUTE_HEADER "%s,tcp,5.44.9.9,1,5.45.0.1,22\n", soon)));
	assert_non_null(strstr(circle_text(p), "\nevents 1\nexplained 1\n"));
	assert_non_null(strstr(circle_text(p), "\npriority low\n"));
	signer_free(scan);
	signer_free(sealer);
	place_free(p);
}

/* Three a second are declared. A row that is in two reports, or was counted before, is one; the fourth is a breach. */
static void rates_over_all_reports(void **state)
{
	struct place *p = place_new(*state);
	struct signer *scan = signer_of("scan.example");
	int64_t now = clock_now_ms();
	const char *soon = at_time(p, now + 5000);
	const char *one = arena_print(p->arena,
				      BRUTE_HEADER "%s,tcp,5.44.9.1,1,5.45.0.1,22\n"
						   "%s,tcp,5.44.9.1,2,5.45.0.1,22\n",
				      soon, soon);
	char *paths[2] = { (char *)write_file(p, BRUTE_FILE, one),
			   (char *)write_file(p, "2026-11-02-event4_honeypot_brute_force-again.csv", one) };

	holds(p, scan, "role researcher\nclaim prefix 5.44.9.0/24\n");
	file_plan(p, scan, now, "source 5.44.9.0/24\ntarget any\nrate 3\n");
	assert_int_equal(route_files_within(&p->limits, p->n, p->resolver, p->plans, paths, 2, &p->options, NULL, NULL,
					    NULL, &p->out),
			 OK);
	assert_int_equal(p->out.duplicates, 2);
	assert_int_equal(p->out.verdicts[PLAN_EXPLAINED], 2);
	place_must_route(p, write_file(p, BRUTE_FILE,
				       arena_print(p->arena,
						   "%s%s,tcp,5.44.9.2,3,5.45.0.1,22\n%s,tcp,5.44.9.2,4,5.45.0.1,22\n"
						   "%s,tcp,5.44.9.2,5,5.45.0.1,22\n%s,tcp,5.44.9.2,6,5.45.0.1,22\n",
						   one, soon, soon, soon, soon)));
	assert_int_equal(p->out.duplicates, 2);
	assert_int_equal(p->out.verdicts[PLAN_EXPLAINED], 3);
	assert_int_equal(p->out.verdicts[PLAN_BREACH], 1);
	signer_free(scan);
	place_free(p);
}

/* Only the number of the target's network is declared: it is looked up. */
static void a_target_by_its_network(void **state)
{
	struct place *p = place_new(*state);
	struct signer *scan = signer_of("scan.example");
	int64_t now = clock_now_ms();
	const char *soon = at_time(p, now + 5000);

	holds(p, scan, "role researcher\nclaim prefix 5.44.9.0/24\n");
	file_plan(p, scan, now, "source 5.44.9.0/24\ntarget AS64502\n");
	place_must_route(p, write_file(p, BRUTE_FILE,
				       arena_print(p->arena,
						   BRUTE_HEADER "%s,tcp,5.44.9.1,1,5.46.0.1,22\n"
								"%s,tcp,5.44.9.2,1,5.44.0.1,22\n",
						   soon, soon)));
	assert_int_equal(p->out.verdicts[PLAN_EXPLAINED], 1);
	assert_int_equal(p->out.verdicts[PLAN_BREACH], 1);
	signer_free(scan);
	place_free(p);
}

/* ---- rejects ---- */

static yyjson_val *reject_at(struct place *p, unsigned number)
{
	struct span rest, line;
	struct yyjson_doc *doc;

	assert_int_equal(file_read(p->arena, p->out.rejects, 1 << 20, &rest), OK);
	for (unsigned i = 0; span_line(&rest, &line); i++) {
		if (i < number)
			continue;
		assert_int_equal(json_read(p->arena, line, &doc), OK);
		return yyjson_doc_get_root(doc);
	}
	return NULL;
}

static void expect_reject(struct place *p, unsigned number, const char *code, int line, int offset)
{
	yyjson_val *r = reject_at(p, number);

	assert_non_null(r);
	assert_string_equal(yyjson_get_str(yyjson_obj_get(r, "code")), code);
	assert_int_equal(yyjson_get_int(yyjson_obj_get(r, "line")), line);
	assert_int_equal(yyjson_get_int(yyjson_obj_get(r, "offset")), offset);
	assert_non_null(yyjson_obj_get(r, "row"));
	assert_non_null(yyjson_obj_get(r, "advice"));
}

static void rejects_name_line_and_offset(void **state)
{
	struct place *p = place_new(*state);
	static const char rows[] = SCAN_HEADER "\"2026-11-01 10:00:00\",5.44.0.1,tcp,22,\"a\nb\",,,\n"
					       "\"2026-11-01 10:00:01\",5.44.0.300,tcp,22,,,,\n"
					       "\"2026-11-01 10:00:02\",5.44.0.2,tcp,22,,,,\n"
					       "\"2026-11-01 10:00:03\",10.0.0.1,tcp,22,,,,\n";
	const char *path = write_file(p, SCAN_FILE, rows);
	const char *lines = write_file(p, "events.jsonl",
				       "{\"source.ip\":\"5.44.0.1\",\"time.source\":\"2026-11-01T10:00:00Z\","
				       "\"classification.type\":\"harmful-speech\"}\n");
	const char *both[] = { path, lines };

	assert_int_equal(place_route(p, both, 2), OK);
	assert_int_equal(p->out.events, 2);
	assert_int_equal(p->out.rejected, 3);
	expect_reject(p, 0, "address", 4, (int)(strstr(rows, "\"2026-11-01 10:00:01") - rows));
	expect_reject(p, 1, "address-special", 6, (int)(strstr(rows, "\"2026-11-01 10:00:03") - rows));
	expect_reject(p, 2, "class-content", 1, 0);
	assert_null(reject_at(p, 3));
	place_free(p);
}

/* The name of the node's own file holds the beginning of the sum of what is in it. */
static void rejects_carry_their_sum(void **state)
{
	struct place *p = place_new(*state);
	const char *path = write_file(p, SCAN_FILE, SCAN_HEADER "x\ny\n");
	char hex[HASH_HEX + 1];
	struct span text, sum;

	place_must_route(p, path);
	assert_int_equal(p->out.rejected, 2);
	assert_int_equal(file_read(p->arena, p->out.rejects, 1 << 20, &text), OK);
	assert_true(route_rejects_sum(p->out.rejects, &sum));
	hash_hex(hash_span(text), hex);
	assert_true(sum.len == 16 && memcmp(sum.at, hex, sum.len) == 0);
	assert_false(route_rejects_sum("2026-11-01T10:00:00.000Z.jsonl", &sum));
	assert_false(route_rejects_sum("0123456789abcdef.jsonl", &sum));
	place_free(p);
}

static void rejects_go_where_they_are_asked_to(void **state)
{
	struct place *p = place_new(*state);
	const char *path = write_file(p, SCAN_FILE, SCAN_HEADER "x\n");

	p->options.rejects = scratch_path(p->s, "mine.jsonl");
	place_must_route(p, path);
	assert_string_equal(p->out.rejects, p->options.rejects);
	assert_true(file_exists(p->options.rejects));
	p->options.rejects = scratch_path(p->s, "no/such/folder");
	assert_int_equal(place_route(p, &path, 1), ERR_NOT_FOUND);
	place_free(p);
}

/* ---- nobody answers ---- */

static char *list_content(struct place *p, const char *path)
{
	char *text = arena_print(p->arena, "zstd -dc '%s'", path);
	FILE *f = popen(text, "r");
	size_t n;

	text = arena_array(p->arena, 1, 1 << 20);
	assert_non_null(f);
	n = fread(text, 1, (1 << 20) - 1, f);
	pclose(f);
	text[n] = '\0';
	return text;
}

static void what_nobody_answers_for_is_listed(void **state)
{
	struct place *p = place_new(*state);
	const char *text;

	place_must_route(p, write_file(p, SCAN_FILE, scan_rows));
	text = list_content(p, p->out.unanswered_list);
	assert_non_null(strstr(text, "\"format\":\"shadowserver\",\"type\":\"scan_ssh\",\"time\":\"2026-11-01T10:00:"
				     "05Z\",\"address\":\"9.9.9.9\","));
	assert_non_null(strstr(text, "\"reason\":\"no table and no claim knows it\""));
	assert_non_null(strstr(text, "\"row\":\"\\\"2026-11-01 10:00:05\\\",9.9.9.9,tcp,22,,ssh,,\"}\n"));
	assert_ptr_equal(strchr(text, '\n') + 1, text + strlen(text));
	assert_false(scratch_has(p->s, "node/unanswered/pending"));
	place_free(p);
}

/* As a crash between the list and the commit leaves it. */
static void leave_pending(struct place *p, uint64_t len, const char *mark)
{
	const char *text = arena_print(p->arena, "left.jsonl.zst %llu %s\n", (unsigned long long)len, mark);

	assert_int_equal(scratch_write(p->s, "node/unanswered/left.jsonl.zst", SPAN("committed, and not")), OK);
	assert_int_equal(scratch_write(p->s, "node/unanswered/pending", span_of(text)), OK);
}

static void what_was_not_committed_is_cut_from_the_list(void **state)
{
	struct place *p = place_new(*state);
	const char *path = write_file(p, SCAN_FILE, scan_rows);
	struct mark mark = { "a mark that the node has" };
	char hex[2 * MARK_SIZE + 1];

	place_must_route(p, path);
	leave_pending(p, 9, "000102030405060708090a0b0c0d0e0f1011121314151617");
	place_must_route(p, path);
	assert_span(scratch_read(p->s, "node/unanswered/left.jsonl.zst"), "committed");
	assert_false(scratch_has(p->s, "node/unanswered/pending"));
	leave_pending(p, 0, "000102030405060708090a0b0c0d0e0f1011121314151617");
	place_must_route(p, path);
	assert_false(scratch_has(p->s, "node/unanswered/left.jsonl.zst"));
	assert_int_equal(node_begin(p->n), OK);
	assert_int_equal(node_add_marks(p->n, &mark, 1), OK);
	assert_int_equal(node_commit(p->n), OK);
	hex_encode(mark.bytes, MARK_SIZE, hex);
	leave_pending(p, 9, hex);
	place_must_route(p, path);
	assert_span(scratch_read(p->s, "node/unanswered/left.jsonl.zst"), "committed, and not");
	assert_int_equal(scratch_write(p->s, "node/unanswered/pending", SPAN("../../x 0 00\n")), OK);
	assert_int_equal(place_route(p, &path, 1), ERR_DAMAGED);
	place_free(p);
}

/* ---- what goes wrong ---- */

static void nothing_is_counted_if_a_report_is_unreadable(void **state)
{
	struct place *p = place_new(*state);
	const char *paths[] = { write_file(p, SCAN_FILE, scan_rows), scratch_path(p->s, "missing.csv") };
	uint64_t size = ledger_size(p);

	assert_int_equal(place_route(p, paths, 2), ERR_NOT_FOUND);
	assert_non_null(strstr(err_detail(), "missing.csv"));
	paths[1] = write_file(p, "binary",
			      "\x7f"
			      "ELF\x01\x02\x03\x04");
	assert_int_equal(place_route(p, paths, 2), ERR_FORMAT_UNKNOWN);
	assert_non_null(strstr(err_detail(), "binary"));
	assert_int_equal(ledger_size(p), size);
	place_must_route(p, paths[0]);
	assert_int_equal(p->out.duplicates, 1);
	place_free(p);
}

struct told {
	enum err err, first_reject;
	uint64_t events, rejected;
	bool named; /* the detail names the path */
};

struct telling {
	struct place *p;
	struct told at[8];
	size_t count;
};

/* The place comes first, for the callback of notices. */
static enum err tell_notice(void *context, const struct route_notice *n)
{
	return place_told(((struct telling *)context)->p, n);
}

static enum err tell_report(void *context, const struct route_outcome *o)
{
	struct telling *t = context;

	assert_int_equal(o->report, t->count);
	t->at[t->count++] =
		(struct told){ o->err, o->first_reject, o->events, o->rejected, strstr(o->detail, o->path) != NULL };
	return OK;
}

static void a_bad_report_does_not_stop_the_others(void **state)
{
	struct place *p = place_new(*state);
	struct telling t = { .p = p };
	const char *link = scratch_path(p->s, "link.txt"), *pipe = scratch_path(p->s, "pipe.txt");
	const char *good = write_file(p, "list.txt", "5.46.0.1\n5.46.0.300\n10.0.0.1\n5.46.0.2\n");
	const char *paths[] = { write_file(p, "empty.txt", ""),
				write_file(p, SCAN_FILE, scan_rows),
				write_file(p, "unknown.txt", "no address here\n"),
				link,
				pipe,
				scratch_path(p->s, "missing.txt"),
				good,
				p->s->dir };
	const enum err expected[] = { ERR_EMPTY,     OK, ERR_FORMAT_UNKNOWN, ERR_SYMLINK, ERR_FORMAT_UNKNOWN,
				      ERR_NOT_FOUND, OK, ERR_FORMAT_UNKNOWN };

	assert_int_equal(symlink(good, link), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(place_route(p, paths, 8), ERR_EMPTY); /* without being asked to go on */
	assert_int_equal(p->out.events, 0);
	p->options.each_report = tell_report;
	p->options.files_only = true;
	assert_int_equal(route_files_within(&p->limits, p->n, p->resolver, p->plans, (char *const *)(uintptr_t)paths, 8,
					    &p->options, NULL, tell_notice, &t, &p->out),
			 OK);
	assert_int_equal(t.count, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(t.at[i].err, expected[i]);
		assert_int_equal(t.at[i].named, expected[i] != OK);
	}
	assert_int_equal(t.at[1].events, 7);
	assert_int_equal(t.at[6].events, 2);
	assert_int_equal(t.at[6].rejected, 2);
	assert_int_equal(t.at[6].first_reject, ERR_ADDRESS);
	assert_int_equal(p->out.events, 9);
	assert_int_equal(p->out.rejected, 2);
	place_free(p);
}

/* The rows before the damage count, and count once when the whole report comes. */
static void a_damaged_report_counts_as_far_as_it_goes(void **state)
{
	struct place *p = place_new(*state);
	struct buffer text = BUFFER(1 << 24);
	const char *gz = scratch_path(p->s, SCAN_FILE ".gz"), *other = write_file(p, "list.txt", "5.46.0.1\n");
	const char *both[] = { gz, other };
	struct span whole;
	uint64_t first;
	gzFile f = gzopen(gz, "wb");

	p->options.report.date_ms = p->options.report.now_ms - DAY;

	buffer_text(&text, SCAN_HEADER);
	for (unsigned i = 0; i < 20000; i++)
		buffer_print(&text, "\"2026-11-01 10:00:00\",5.44.%u.%u,tcp,%u,,,,\n", i >> 8 & 255, i & 255,
			     i % 65535 + 1);
	assert_int_equal(gzwrite(f, text.at, (unsigned)text.len), (int)text.len);
	gzclose(f);
	assert_int_equal(file_read(p->arena, gz, 1 << 24, &whole), OK);
	assert_int_equal(file_write_lazily(gz, span_make(whole.at, whole.len / 2), 0600), OK);
	assert_int_equal(place_route(p, both, 2), ERR_COMPRESSION);
	assert_non_null(strstr(err_detail(), SCAN_FILE));
	first = p->out.events;
	assert_in_range(first, 1000, 19001);
	assert_int_equal(p->out.notices, 2); /* the report behind it is routed too */
	assert_int_equal(file_write_lazily(gz, whole, 0600), OK);
	place_must_route(p, gz);
	assert_int_equal(p->out.events, 20000);
	assert_int_equal(p->out.duplicates, first - 1);
	buffer_free(&text);
	place_free(p);
}

static enum err stop(void *context, const struct route_notice *n)
{
	(void)context;
	(void)n;
	return fail(ERR_BUSY, "enough");
}

static void the_callback_can_stop(void **state)
{
	struct place *p = place_new(*state);
	char *path = (char *)(uintptr_t)write_file(p, SCAN_FILE, scan_rows);

	assert_int_equal(route_files(p->n, p->resolver, NULL, &path, 1, &p->options, NULL, stop, p, &p->out), ERR_BUSY);
	assert_string_equal(err_detail(), "enough");
	place_free(p);
}

static void a_dry_run_writes_nothing(void **state)
{
	struct place *p = place_new(*state);
	const char *path = write_file(p, SCAN_FILE, scan_rows);
	uint64_t size = ledger_size(p);

	node_close(p->n);
	assert_int_equal(node_open(p->dir, NODE_READ, &p->n), OK);
	p->options.dry_run = true;
	place_must_route(p, path);
	assert_int_equal(p->out.notices, 4);
	assert_int_equal(p->out.unanswered, 1);
	assert_int_equal(p->out.duplicates, 1);
	assert_false(scratch_has(p->s, "node/unanswered"));
	node_close(p->n);
	assert_int_equal(node_open(p->dir, NODE_WRITE, &p->n), OK);
	assert_int_equal(ledger_size(p), size);
	p->options.dry_run = false;
	place_must_route(p, path);
	p->options.dry_run = true;
	place_must_route(p, path);
	assert_int_equal(p->out.duplicates, 7);
	place_free(p);
}

static void reports_of_one_kind_share_a_table(void **state)
{
	struct place *p = place_new(*state);
	const char *paths[] = {
		write_file(p, "2026-11-01-scan_ssh-a.csv", SCAN_HEADER "\"2026-11-01 10:00:00\",5.44.0.1,tcp,22,,,,\n"),
		write_file(p, "2026-11-02-scan_ssh-b.csv", SCAN_HEADER "\"2026-11-02 10:00:00\",5.44.0.1,tcp,22,,,,\n"),
		write_file(p, "2026-11-02-scan_ssh-c.csv", "timestamp,ip,port\n\"2026-11-02 10:00:00\",5.44.0.1,22\n"),
		write_file(p, "empty-scan_ssh.csv", SCAN_HEADER),
	};
	struct harvest h;

	assert_int_equal(place_route(p, paths, 4), OK);
	assert_int_equal(p->out.events, 3);
	assert_int_equal(p->out.notices, 1);
	h = harvest(p);
	assert_int_equal(h.count, 3);
	harvest_free(&h);
	place_free(p);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(each_row_goes_to_whoever_answers),
		IN_A_FOLDER(a_second_time_all_are_duplicates),
		IN_A_FOLDER(notices_say_what_they_must),
		IN_A_FOLDER(documents_of_any_size),
		IN_A_FOLDER(documents_are_the_same_however_they_come),
		IN_A_FOLDER(what_is_undetermined_has_no_copies),
		IN_A_FOLDER(every_verdict_is_reached),
		IN_A_FOLDER(rates_over_all_reports),
		IN_A_FOLDER(a_target_by_its_network),
		IN_A_FOLDER(rejects_name_line_and_offset),
		IN_A_FOLDER(rejects_carry_their_sum),
		IN_A_FOLDER(rejects_go_where_they_are_asked_to),
		IN_A_FOLDER(what_nobody_answers_for_is_listed),
		IN_A_FOLDER(what_was_not_committed_is_cut_from_the_list),
		IN_A_FOLDER(nothing_is_counted_if_a_report_is_unreadable),
		IN_A_FOLDER(a_damaged_report_counts_as_far_as_it_goes),
		IN_A_FOLDER(a_bad_report_does_not_stop_the_others),
		IN_A_FOLDER(the_callback_can_stop),
		IN_A_FOLDER(a_dry_run_writes_nothing),
		IN_A_FOLDER(reports_of_one_kind_share_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
