/* Repeats on two levels, as the ledger and the counts show them: who is told what, and when, by which directive. */
#include "test.h"

#include "regime/directive.h"
#include "regime/sighting.h"
#include "regime/waiting.h"
#include "route_test.h"

#define HOUR INT64_C(3600000)
#define T0 INT64_C(1793491200000) /* 2026-11-01T00:00:00Z */
#define HEADER "timestamp,ip,protocol,port,tag\n"

/* One row for each word: address, or address:port. */
static const char *report(struct place *p, const char *name, int64_t ms, const char *words)
{
	struct buffer text = BUFFER((size_t)1 << 24);
	struct span rest = span_of(words), word;
	char time[CLOCK_TEXT];

	clock_format(ms, time);
	buffer_text(&text, HEADER);
	while (rest.len > 0) {
		struct span port = span_cut(&rest, ' ');

		word = span_cut(&port, ':');
		buffer_print(&text, "%.10s %.8s,%.*s,tcp,%.*s,x\n", time, time + 11, SPAN_FORMAT(word),
			     port.at != NULL ? (int)port.len : 2, port.at != NULL ? port.at : "22");
	}
	assert_int_equal(scratch_write(p->s, name, buffer_view(&text)), OK);
	buffer_free(&text);
	return scratch_path(p->s, name);
}

static void route_rows(struct place *p, int64_t ms, const char *words)
{
	place_must_route(p, report(p, "2026-11-01-scan_ssh-test.csv", ms, words));
}

static void direct(struct place *p, const char *to, struct directive d)
{
	struct buffer record = BUFFER(1024);
	struct addressee a;
	struct span part;

	if (to != NULL)
		assert_int_equal(addressee_parse(span_of(to), &a), OK);
	directive_write(&record, to != NULL ? &a : NULL, &d, false);
	part = buffer_view(&record);
	assert_int_equal(node_begin(p->n), OK);
	assert_int_equal(node_add_private(p->n, RECORD_PRIVATE, &part, 1), OK);
	assert_int_equal(node_commit(p->n), OK);
	buffer_free(&record);
}

static unsigned times(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static enum err pass_row(void *context, const struct evidence_row *row)
{
	(void)context;
	(void)row;
	return OK;
}

struct summaries {
	struct place *p;
	struct buffer text;
};

static enum err add_summary(void *context, const struct matter *m)
{
	struct summaries *s = context;
	const uint8_t *salt;
	struct span body, summary;

	assert_int_equal(node_body(s->p->n, s->p->arena, m->body.hash, &salt, &body), OK);
	assert_int_equal(evidence_read(s->p->arena, body, (size_t)1 << 30, &summary, pass_row, NULL), OK);
	buffer_span(&s->text, summary);
	return OK;
}

/* What the evidence says of itself, all notices one after the other. */
static const char *summaries(struct place *p)
{
	struct summaries s = { p, BUFFER(1 << 24) };
	struct state st;
	const char *copy;

	assert_int_equal(node_read(p->n, p->arena, &st), OK);
	assert_int_equal(state_matters(&st, LEDGER_CIRCLE, KIND_NOTICE, 0, add_summary, &s), OK);
	snapshot_end(st.snapshot);
	buffer_byte(&s.text, 0);
	copy = arena_copy(p->arena, s.text.at, s.text.len);
	buffer_free(&s.text);
	return copy;
}

static uint64_t sum_of(const char *text, const char *header)
{
	uint64_t sum = 0;

	for (; (text = strstr(text, header)) != NULL; text++)
		sum += strtoull(text + strlen(header), NULL, 10);
	return sum;
}

static void expect(const struct place *p, uint64_t told, uint64_t held, uint64_t notices)
{
	if (p->out.told != told || p->out.held != held || p->out.notices != notices)
		fail_msg("told %llu, held %llu in %llu notices", (unsigned long long)p->out.told,
			 (unsigned long long)p->out.held, (unsigned long long)p->out.notices);
}

/* ---- the default directive ---- */

static void told_at_once_then_held(void **state)
{
	struct place *p = place_new(*state);

	route_rows(p, T0, "5.44.0.1 5.44.0.1:23 5.44.0.2");
	expect(p, 3, 0, 1);
	route_rows(p, T0, "5.44.0.1 5.44.0.1:23 5.44.0.2");
	assert_int_equal(p->out.duplicates, 3);
	expect(p, 0, 0, 0);
	route_rows(p, T0 + HOUR, "5.44.0.1 5.44.0.1:23 5.44.0.2"); /* repeats */
	expect(p, 0, 3, 0);
	route_rows(p, T0 + 2 * HOUR, "5.44.0.1:80 5.44.0.2 5.44.0.3"); /* another port is another matter */
	expect(p, 2, 1, 1);
	assert_null(strstr(circle_text(p), "\nrepeats "));
	route_rows(p, T0 + 24 * HOUR, "5.44.0.1 5.44.0.2"); /* the window is over: 1 and 2 were held */
	expect(p, 2, 0, 1);
	assert_non_null(strstr(circle_text(p), "\nevents 2\nrepeats 3\nfirst 2026-11-02T00:00:00Z\n"));
	route_rows(p, T0 + 25 * HOUR, "5.44.0.1");
	expect(p, 0, 1, 0);
	assert_int_equal(p->out.again, 0);
	route_rows(p, T0 + (25 + 7 * 24) * HOUR, "5.44.0.1 5.44.0.9"); /* quiet for a week */
	expect(p, 2, 0, 1);
	assert_int_equal(p->out.again, 1);
	assert_non_null(strstr(circle_text(p), "\nevents 2\nrepeats 1\nagain 1\nfirst "));
	assert_non_null(strstr(summaries(p), " 1 earlier events of these sources were counted and not sent. 1 of the "
					     "sources came back after they were quiet. "));
	ledger_size(p); /* the audit */
	place_free(p);
}

static void so_many_are_told(void **state)
{
	struct place *p = place_new(*state);
	struct directive d = directive_default();

	d.threshold = 10;
	direct(p, NULL, d);
	route_rows(p, T0, "5.44.0.1");
	for (int i = 1; i <= 9; i++) {
		route_rows(p, T0 + i * 60000, "5.44.0.1");
		expect(p, 0, 1, 0);
	}
	route_rows(p, T0 + 10 * 60000, "5.44.0.1");
	expect(p, 1, 0, 1);
	assert_non_null(strstr(circle_text(p), "\nevents 1\nrepeats 9\n"));
	route_rows(p, T0 + 11 * 60000, "5.44.0.1");
	expect(p, 0, 1, 0);
	place_free(p);
}

/* ---- directives ---- */

static void carriers_hear_of_each_event(void **state)
{
	struct place *p = place_new(*state);
	struct directive d = directive_default();

	d.carrier_nat = true;
	direct(p, "AS64500", d);
	route_rows(p, T0, "5.44.0.1 5.45.0.1");
	route_rows(p, T0 + HOUR, "5.44.0.1 5.45.0.1");
	expect(p, 1, 1, 1);
	place_free(p);
}

static void a_notice_for_each_source(void **state)
{
	struct place *p = place_new(*state);
	struct directive d = directive_default();
	const char *text;

	d.by = BY_SOURCE;
	direct(p, "AS64500", d);
	route_rows(p, T0, "5.44.0.1 5.44.0.2 5.44.0.1:23 5.45.0.1 5.45.0.2");
	expect(p, 5, 0, 3);
	text = circle_text(p);
	assert_int_equal(times(text, "\nevents 2\n"), 2);
	assert_int_equal(times(text, "\nevents 1\n"), 1);
	place_free(p);
}

static void a_notice_for_each_day(void **state)
{
	struct place *p = place_new(*state);
	struct directive d = directive_default();
	const char *paths[2], *text;

	d.by = BY_DAY;
	direct(p, NULL, d);
	paths[0] = report(p, "2026-11-01-scan_ssh-a.csv", T0 + 23 * HOUR, "5.44.0.1 5.44.0.2");
	paths[1] = report(p, "2026-11-01-scan_ssh-b.csv", T0 + 25 * HOUR, "5.44.0.1");
	assert_int_equal(place_route(p, paths, 2), OK);
	expect(p, 3, 0, 2);
	text = circle_text(p);
	assert_non_null(strstr(text, "\nfirst 2026-11-01T23:00:00Z\nlast 2026-11-01T23:00:00Z\n"));
	assert_non_null(strstr(text, "\nfirst 2026-11-02T01:00:00Z\nlast 2026-11-02T01:00:00Z\n"));
	place_free(p);
}

/* What a line has to say stands in one of its notices only. */
static void what_was_held_is_said_once(void **state)
{
	struct place *p = place_new(*state);
	struct directive d = directive_default();
	const char *paths[2];

	d.by = BY_DAY;
	direct(p, NULL, d);
	route_rows(p, T0, "5.44.0.1");
	route_rows(p, T0 + HOUR, "5.44.0.1");
	paths[0] = report(p, "2026-11-01-scan_ssh-a.csv", T0 + 2 * HOUR, "5.44.0.1");
	paths[1] = report(p, "2026-11-01-scan_ssh-b.csv", T0 + 25 * HOUR, "5.44.0.1");
	assert_int_equal(place_route(p, paths, 2), OK);
	expect(p, 2, 0, 2);
	assert_int_equal(times(circle_text(p), "\nrepeats 1\n"), 1);
	place_free(p);
}

/* ---- rounds ---- */

static enum err count_pack(void *context, const struct pack *k)
{
	(void)k;
	++*(uint64_t *)context;
	return OK;
}

static uint64_t packs(struct place *p)
{
	struct state st;
	uint64_t n = 0;

	assert_int_equal(node_read(p->n, p->arena, &st), OK);
	assert_int_equal(packs_walk(&st, NULL, count_pack, &n), OK);
	snapshot_end(st.snapshot);
	return n;
}

static void interval(struct place *p, int64_t ms, enum aggregation by)
{
	struct directive d = directive_default();

	d.interval_ms = ms;
	d.by = by;
	direct(p, "AS64500", d);
}

static void what_comes_between_rounds_waits(void **state)
{
	struct place *p = place_new(*state);
	const char *text, *list = NULL;
	struct harvest h;

	interval(p, 1000 * HOUR, BY_CLASS);
	route_rows(p, T0, "5.44.0.1 5.45.0.1");
	expect(p, 2, 0, 2);
	route_rows(p, T0 + HOUR, "5.44.0.1 5.44.0.2 5.45.0.2");
	expect(p, 1, 1, 1);
	assert_int_equal(p->out.waiting, 1);
	place_must_route(p, report(p, "2026-11-01-scan_rdp-x.csv", T0 + HOUR, "5.44.0.2 5.44.0.2:99"));
	assert_int_equal(p->out.waiting, 1); /* port 22 waits already: a repeat of the same class */
	expect(p, 0, 1, 0);
	route_rows(p, T0 + 24 * HOUR, "5.44.0.1 5.44.0.3");
	assert_int_equal(p->out.waiting, 2);
	assert_int_equal(packs(p), 3);
	assert_int_equal(place_route(p, &list, 0), OK); /* not due */
	assert_int_equal(p->out.notices, 0);
	ledger_size(p);
	interval(p, 1, BY_CLASS);
	assert_int_equal(place_route(p, &list, 0), OK);
	assert_int_equal(p->out.released, 4);
	assert_int_equal(p->out.notices, 1);
	assert_int_equal(packs(p), 0);
	text = circle_text(p);
	assert_non_null(strstr(text, "\nto AS64500\ncc ee-team.example\n"));
	assert_non_null(strstr(text, "\nevents 4\nrepeats 1\nfirst 2026-11-01T01:00:00Z\nlast "
				     "2026-11-02T00:00:00Z\n"));
	h = harvest(p); /* each body reads, and has as many rows as its notice says */
	assert_int_equal(h.count, 7);
	harvest_free(&h);
	assert_int_equal(place_route(p, &list, 0), OK);
	assert_int_equal(p->out.notices, 0);
	ledger_size(p);
	place_free(p);
}

/* All notices of a run are one round, and what waited goes with it. */
static void a_run_that_tells_releases(void **state)
{
	struct place *p = place_new(*state);

	interval(p, 1000 * HOUR, BY_CLASS);
	route_rows(p, T0, "5.44.0.1");
	route_rows(p, T0, "5.44.0.2");
	assert_int_equal(p->out.waiting, 1);
	p->options.demonstration = true;
	route_rows(p, T0, "5.44.0.4");
	p->options.demonstration = false;
	interval(p, 1, BY_CLASS);
	route_rows(p, T0, "5.44.0.3");
	assert_int_equal(p->out.told, 1);
	assert_int_equal(p->out.released, 2);
	assert_int_equal(p->out.notices, 3); /* what was made for a demonstration goes by itself */
	assert_int_equal(times(circle_text(p), "\ndemonstration yes\n"), 1);
	assert_int_equal(packs(p), 0);
	place_free(p);
}

static void rounds_keep_sources_apart(void **state)
{
	struct place *p = place_new(*state);
	const char *list = NULL;

	interval(p, 1000 * HOUR, BY_SOURCE);
	route_rows(p, T0, "5.44.0.1");
	route_rows(p, T0, "5.44.0.2 5.44.0.3 5.44.0.3:23");
	assert_int_equal(p->out.waiting, 3);
	assert_int_equal(packs(p), 2);
	interval(p, 0, BY_SOURCE);
	assert_int_equal(place_route(p, &list, 0), OK);
	assert_int_equal(p->out.released, 3);
	assert_int_equal(p->out.notices, 2);
	place_free(p);
}

/* An addressee that the resolver does not have any more is told all the same. */
static void who_is_gone_is_told(void **state)
{
	struct place *p = place_new(*state);
	struct resolver *before = p->resolver, *after;
	const char *list = NULL;
	static const struct territory_claim taken[] = {
		{ .party = { "net.example", 11 }, .type = TO_AS, .asn = 64500, .from_ms = 1000 },
	};

	interval(p, 1000 * HOUR, BY_CLASS);
	route_rows(p, T0, "5.44.0.1");
	route_rows(p, T0, "5.44.0.2");
	interval(p, 0, BY_CLASS);
	assert_int_equal(resolver_new(p->table, taken, 1, &after), OK);
	p->resolver = after;
	assert_int_equal(place_route(p, &list, 0), OK);
	assert_int_equal(p->out.released, 1);
	assert_int_equal(times(circle_text(p), "\nto AS64500\n"), 2);
	p->resolver = before;
	resolver_free(after);
	place_free(p);
}

/* ---- too little to be sent ---- */

static void rows_without_a_time_are_listed(void **state)
{
	struct place *p = place_new(*state);
	const char *path;

	assert_int_equal(scratch_write(p->s, "list.txt", SPAN("5.44.0.1\n5.44.0.2\n9.9.9.9\n")), OK);
	path = scratch_path(p->s, "list.txt");
	place_must_route(p, path);
	assert_int_equal(p->out.thin, 2);
	assert_int_equal(p->out.unanswered, 1);
	expect(p, 0, 0, 0);
	assert_true(p->out.unanswered_list[0] != '\0');
	place_must_route(p, path);
	assert_int_equal(p->out.duplicates, 3);
	p->options.report.date_ms = T0;
	place_must_route(p, path);
	expect(p, 2, 0, 1);
	assert_int_equal(p->out.duplicates, 0);
	place_free(p);
}

static void rows_without_a_port_are_listed_where_it_matters(void **state)
{
	struct place *p = place_new(*state);
	struct directive d = directive_default();
	const char *name = "event4_honeypot_brute_force.csv";
	const char *text = "timestamp,protocol,src_ip,src_port,dst_ip,dst_port\n"
			   "2026-11-01 10:00:00,tcp,5.44.0.1,,5.46.0.1,22\n"
			   "2026-11-01 10:00:00,tcp,5.44.0.2,4000,5.46.0.1,22\n"
			   "2026-11-01 10:00:00,icmp,5.44.0.3,,5.46.0.1,\n"
			   "2026-11-01 10:00:00,tcp,5.45.0.1,,5.46.0.1,22\n";

	d.need_port = true;
	direct(p, "AS64500", d);
	assert_int_equal(scratch_write(p->s, name, span_of(text)), OK);
	place_must_route(p, scratch_path(p->s, name));
	assert_int_equal(p->out.thin, 1);
	expect(p, 3, 0, 2);
	route_rows(p, T0, "5.45.0.1: 5.45.0.2");
	assert_int_equal(p->out.thin, 1); /* a service without its port, whoever answers */
	expect(p, 1, 0, 1);
	place_free(p);
}

/* ---- counts ---- */

static enum err print_line(void *context, const struct addressee *to, enum rsit_class c, const struct sighting_line *l,
			   const struct sighting *s)
{
	struct buffer *out = context;
	char address[ADDRESS_TEXT];

	addressee_print(to, out);
	buffer_print(out, " %s %.*s/%u:%u %.*s %llu %lld %lld\n", class_name(c),
		     (int)address_format(l->source, address), address, l->length, l->port, SPAN_FORMAT(l->malware),
		     (unsigned long long)s->count, (long long)s->first_ms, (long long)s->last_ms);
	return OK;
}

static const char *counts(struct place *p)
{
	struct buffer text = BUFFER(1 << 24);
	struct state st;
	const char *copy;

	assert_int_equal(node_read(p->n, p->arena, &st), OK);
	assert_int_equal(sightings_walk(&st, NULL, print_line, &text), OK);
	snapshot_end(st.snapshot);
	buffer_byte(&text, 0);
	copy = arena_copy(p->arena, text.at, text.len);
	buffer_free(&text);
	return copy;
}

static void counts_say_what_was_seen(void **state)
{
	struct place *p = place_new(*state);
	const char *name = "event4_sinkhole.csv";

	assert_int_equal(scratch_write(p->s, name,
				       SPAN("timestamp,src_ip,src_port,infection\n"
					    "2026-11-01 10:00:00,5.44.0.1,1000,Mirai\n"
					    "2026-11-01 11:00:00,5.44.0.1,1001,MIRAI\n"
					    "2026-11-01 12:00:00,5.44.0.1,1002,zeus\n"
					    "2026-11-01 12:00:00,9.9.9.9,1002,\n")),
			 OK);
	place_must_route(p, scratch_path(p->s, name));
	assert_string_equal(counts(p),
			    "AS64500 malicious-code/infected-system 5.44.0.1/0:0 mirai 2 1793527200000 1793530800000\n"
			    "AS64500 malicious-code/infected-system 5.44.0.1/0:0 zeus 1 1793534400000 1793534400000\n"
			    "all malicious-code/infected-system 9.9.9.9/0:0  1 1793534400000 1793534400000\n");
	place_free(p);
}

/* Reports in any order, in one run or in several: counted alike. */
static void the_order_of_reports_changes_no_count(void **state)
{
	uint64_t seed = test_seed();
	const char *first = NULL;

	for (unsigned round = 0; round < 6; round++) {
		struct scratch s = *(struct scratch *)*state;
		const char *paths[5], *got;
		struct place *p;

		assert_true(snprintf(s.dir, sizeof(s.dir), "%s/%u", ((struct scratch *)*state)->dir, round) > 0);
		assert_int_equal(folder_make(s.dir, 0700), OK);
		p = place_new(&s);
		p->limits = SMALL_LIMITS;
		for (unsigned i = 0; i < 5; i++) {
			struct buffer words = BUFFER(1 << 20);

			for (unsigned k = 0; k < 300; k++)
				buffer_print(&words, "%s%s.%u.%u:%u", k > 0 ? " " : "", k % 7 == 0 ? "9.9" : "5.44",
					     k * i % 11, k % 13, k % 3 + 22);
			buffer_byte(&words, 0);
			paths[i] = report(p, arena_print(p->arena, "2026-11-0%u-scan_ssh-x.csv", i + 1),
					  T0 + (int64_t)i * 20 * HOUR, words.at);
			buffer_free(&words);
		}
		for (unsigned i = 4; i > 0; i--) {
			size_t k = test_below(&seed, i + 1);
			const char *moved = paths[i];

			paths[i] = paths[k];
			paths[k] = moved;
		}
		for (size_t i = 0, n; i < 5; i += n) {
			n = 1 + test_below(&seed, 5 - i);
			assert_int_equal(place_route(p, paths + i, n), OK);
		}
		got = counts(p);
		ledger_size(p);
		assert_true(first == NULL || strcmp(got, first) == 0);
		first = first == NULL ? strdup(got) : first;
		place_free(p);
	}
	free((char *)(uintptr_t)first);
}

/* One host with more rows than a batch holds, beside others: each line is told once, whoever prepares which part. */
static void a_flood_of_one_source(void **state)
{
	for (unsigned threads = 1; threads <= 4; threads++) {
		struct scratch s = *(struct scratch *)*state;
		struct buffer words = BUFFER(1 << 24);
		struct directive d = directive_default();
		const char *name = "event4_honeypot_brute_force-x.csv";
		struct place *p;

		assert_true(snprintf(s.dir, sizeof(s.dir), "%s/%u", ((struct scratch *)*state)->dir, threads) > 0);
		assert_int_equal(folder_make(s.dir, 0700), OK);
		p = place_new(&s);
		p->limits = SMALL_LIMITS;
		p->options.threads = threads;
		for (unsigned i = 0; i < 9000; i++)
			buffer_print(&words, "%s5.44.%u.1:%u", i > 0 ? " " : "", i % 10 == 0 ? i % 250 : 0, i + 1);
		buffer_byte(&words, 0);
		d.threshold = 0;
		direct(p, NULL, d);
		place_must_route(p, report(p, name, T0, words.at));
		assert_int_equal(p->out.told, 9000);
		assert_true(p->out.notices > 4);
		place_must_route(p, report(p, name, T0 + HOUR, words.at));
		assert_int_equal(p->out.held, 9000);
		place_must_route(p, report(p, name, T0 + 30 * HOUR, words.at));
		assert_int_equal(p->out.told, 9000);
		assert_int_equal(sum_of(circle_text(p), "\nrepeats "), 9000);
		ledger_size(p);
		buffer_free(&words);
		place_free(p);
	}
}

/* Nothing is written, but the decision is the same. */
static void a_dry_run_decides_alike(void **state)
{
	struct place *p = place_new(*state);

	route_rows(p, T0, "5.44.0.1");
	p->options.dry_run = true;
	for (int i = 0; i < 2; i++) {
		route_rows(p, T0 + HOUR, "5.44.0.1 5.44.0.2 9.9.9.9");
		expect(p, 1, 1, 1);
		assert_int_equal(p->out.unanswered, 1);
	}
	place_free(p);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(told_at_once_then_held),
		IN_A_FOLDER(so_many_are_told),
		IN_A_FOLDER(carriers_hear_of_each_event),
		IN_A_FOLDER(a_notice_for_each_source),
		IN_A_FOLDER(a_notice_for_each_day),
		IN_A_FOLDER(what_was_held_is_said_once),
		IN_A_FOLDER(what_comes_between_rounds_waits),
		IN_A_FOLDER(a_run_that_tells_releases),
		IN_A_FOLDER(rounds_keep_sources_apart),
		IN_A_FOLDER(who_is_gone_is_told),
		IN_A_FOLDER(rows_without_a_time_are_listed),
		IN_A_FOLDER(rows_without_a_port_are_listed_where_it_matters),
		IN_A_FOLDER(counts_say_what_was_seen),
		IN_A_FOLDER(the_order_of_reports_changes_no_count),
		IN_A_FOLDER(a_flood_of_one_source),
		IN_A_FOLDER(a_dry_run_decides_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
