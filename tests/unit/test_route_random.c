/* Routing against a twin that nobody can get wrong: a sorted list of what each row should come to, without doubles. Limits
 * are so small that a few thousand rows make many chunks, runs, batches and parts. */
#include "test.h"

#include "route_test.h"

#define TYPES 3

static const struct {
	const char *file, *type, *header;
} types[TYPES] = {
	{ "2026-11-01-scan_ssh-%zu.csv", "scan_ssh", "timestamp,ip,protocol,port,hostname,tag,asn,geo\n" },
	{ "2026-11-01-event4_honeypot_brute_force-%zu.csv", "event4_honeypot_brute_force",
	  "timestamp,protocol,src_ip,src_port,dst_ip,dst_port,username\n" },
	{ "list%zu.txt", "list", "# a list\n" },
};

struct twin {
	struct place *p;
	struct harvest expected; /* what nobody answers for too, under its name "nobody" */
	const char *paths[6];
	uint64_t rows, bad, unanswered;
	uint64_t *bad_lines[6];
	size_t bad_count[6];
};

static const char *row_of(struct arena *a, uint64_t *seed, size_t type, const char *address, size_t variety)
{
	size_t v = test_below(seed, variety), pad = test_below(seed, 4) == 0 ? test_below(seed, 300) : 0;

	if (type == 0)
		return arena_print(a, "\"2026-11-01 10:%02zu:00\",%s,tcp,%zu,\"%s%0*d\",,,", v % 60, address, 1 + v,
				   v % 7 == 0 ? "two\nlines," : "", (int)(pad / 2 * 2 + 1), 0);
	if (type == 1)
		return arena_print(a, "\"2026-11-01 11:%02zu:%02zu\",tcp,%s,%zu,192.0.2.1,22,u%zu", v % 60, v / 60 % 60,
				   address, 1 + v, v);
	return address;
}

static const char *answering(const char *address)
{
	static const char *const who[] = { "AS64500", "net.example", "AS64502", "ee-team.example" };

	return strncmp(address, "5.4", 3) == 0 ? who[address[3] - '4'] : "nobody";
}

static const char *draw_address(struct arena *a, uint64_t *seed, size_t variety)
{
	/* Half of all go to one addressee, so that its notices come in parts. */
	size_t net = test_below(seed, 2) == 0 ? 0 : test_below(seed, 5), host = test_below(seed, variety);

	if (net == 4)
		return arena_print(a, "9.9.%zu.%zu", host >> 8 & 255, host & 255);
	return arena_print(a, "5.4%zu.%zu.%zu", 4 + net, host >> 8 & 255, host & 255);
}

static void write_report(struct twin *t, uint64_t *seed, size_t file, size_t type, size_t rows, size_t variety)
{
	struct arena *a = t->p->arena;
	struct buffer text = BUFFER((size_t)1 << 26);
	const char *name = arena_print(a, types[type].file, file);
	uint64_t line = 2;

	t->bad_lines[file] = arena_array(a, rows + 1, sizeof(uint64_t));
	buffer_text(&text, types[type].header);
	for (size_t i = 0; i < rows; i++) {
		bool bad = test_below(seed, 50) == 0;
		const char *address = bad ? "192.0.2" : draw_address(a, seed, variety);
		const char *row = row_of(a, seed, type, address, variety), *who = answering(address);

		buffer_print(&text, "%s\n", row);
		if (bad)
			t->bad_lines[file][t->bad_count[file]++] = line;
		else
			harvest_add(&t->expected, arena_print(a, "%s %s %s", who, types[type].type, row));
		for (; *row != '\0'; row++)
			line += *row == '\n';
		line++;
	}
	t->rows += rows;
	assert_int_equal(scratch_write(t->p->s, name, buffer_view(&text)), OK);
	t->paths[file] = scratch_path(t->p->s, name);
	buffer_free(&text);
}

static void drop_doubles(struct twin *t)
{
	struct harvest *h = &t->expected;
	size_t kept = 0;

	harvest_sort(h);
	for (size_t i = 0; i < h->count; i++) {
		if (kept > 0 && strcmp(h->lines[kept - 1], h->lines[i]) == 0) {
			free(h->lines[i]);
			continue;
		}
		h->lines[kept++] = h->lines[i];
		t->unanswered += strncmp(h->lines[i], "nobody", 6) == 0;
	}
	h->count = kept;
}

static void twin_make(struct twin *t, struct place *p, uint64_t *seed, size_t rows, size_t variety)
{
	*t = (struct twin){ .p = p, .expected = { .p = p } };
	for (size_t file = 0; file < 6; file++) {
		write_report(t, seed, file, file % TYPES, rows, variety);
		t->bad += t->bad_count[file];
	}
	drop_doubles(t);
}

static void compare(struct twin *t)
{
	struct harvest got = harvest(t->p);
	size_t k = 0;

	assert_int_equal(got.count + t->unanswered, t->expected.count);
	for (size_t i = 0; i < t->expected.count; i++) {
		if (strncmp(t->expected.lines[i], "nobody", 6) == 0)
			continue;
		assert_string_equal(got.lines[k], t->expected.lines[i]);
		k++;
	}
	harvest_free(&got);
}

/* The rejects come in the order of the reports, each with its line. */
static void compare_rejects(struct twin *t)
{
	struct span rest = { NULL, 0 }, line;
	size_t file = 0, k = 0;

	assert_int_equal(file_read(t->p->arena, t->p->out.rejects, (size_t)1 << 26, &rest), OK);
	while (span_line(&rest, &line)) {
		struct span at = line, number;

		while (file < 6 && k == t->bad_count[file]) {
			file++;
			k = 0;
		}
		assert_true(file < 6);
		at = span_from(at, (size_t)(strstr(line.at, "\"line\":") - line.at) + 7);
		number = span_cut(&at, ',');
		assert_span(number, arena_print(t->p->arena, "%llu", (unsigned long long)t->bad_lines[file][k]));
		k++;
	}
	assert_true(file == 5 && k == t->bad_count[5]);
}

static void check_figures(const struct twin *t)
{
	const struct route_summary *o = &t->p->out;

	assert_int_equal(o->events + o->rejected, t->rows);
	assert_int_equal(o->rejected, t->bad);
	assert_int_equal(o->events - o->duplicates, t->expected.count);
	assert_int_equal(o->unanswered, t->unanswered);
}

static void agrees_with_the_twin(struct scratch *s, unsigned threads, struct route_limits limits, size_t rows,
				 size_t variety)
{
	struct place *p = place_new(s);
	uint64_t seed = test_seed();
	struct twin t;

	p->options.threads = threads;
	p->options.report.date_ms = p->options.report.now_ms - DAY;
	p->limits = limits;
	twin_make(&t, p, &seed, rows, variety);
	assert_int_equal(place_route(p, t.paths, 6), OK);
	check_figures(&t);
	compare(&t);
	compare_rejects(&t);
	ledger_size(p); /* the audit */
	assert_int_equal(place_route(p, t.paths, 6), OK);
	assert_int_equal(p->out.duplicates, p->out.events);
	harvest_free(&t.expected);
	place_free(p);
}

static void one_thread(void **state)
{
	agrees_with_the_twin(*state, 1, SMALL_LIMITS, 4000, 3000);
}

static void two_threads(void **state)
{
	agrees_with_the_twin(*state, 2, SMALL_LIMITS, 4000, 3000);
}

static void five_threads(void **state)
{
	agrees_with_the_twin(*state, 5, SMALL_LIMITS, 4000, 3000);
}

static void mostly_duplicates(void **state)
{
	agrees_with_the_twin(*state, 3, SMALL_LIMITS, 4000, 20);
}

static void all_in_memory(void **state)
{
	agrees_with_the_twin(*state, 2, route_limits_for(2), 1000, 1000);
}

/* What an interrupted run committed is not counted again: here a first run of some of the reports stands for it. */
static void the_rest_is_counted(void **state)
{
	struct place *p = place_new(*state);
	uint64_t seed = test_seed(), events;
	struct twin t;

	p->options.report.date_ms = p->options.report.now_ms - DAY;
	p->limits = SMALL_LIMITS;
	twin_make(&t, p, &seed, 1000, 500);
	assert_int_equal(place_route(p, t.paths + 2, 3), OK);
	events = p->out.events - p->out.duplicates;
	assert_int_equal(place_route(p, t.paths, 6), OK);
	assert_int_equal(events + p->out.events - p->out.duplicates, t.expected.count);
	harvest_free(&t.expected);
	place_free(p);
}

/* The same entries in the same order, but for salts and times: the result does not depend on threads. */
static void threads_change_nothing(void **state)
{
	struct harvest first = { 0 };
	uint64_t notices = 0;

	for (unsigned threads = 1; threads <= 4; threads += 3) {
		struct scratch s = *(struct scratch *)*state;
		struct place *p;
		struct harvest h;
		struct twin t;
		uint64_t seed = test_seed();

		assert_true(snprintf(s.dir, sizeof(s.dir), "%s/%u", ((struct scratch *)*state)->dir, threads) > 0);
		assert_int_equal(folder_make(s.dir, 0700), OK);
		p = place_new(&s);
		p->options.threads = threads;
		p->options.report.date_ms = INT64_C(1793491200000);
		p->limits = SMALL_LIMITS;
		twin_make(&t, p, &seed, 2000, 1000);
		assert_int_equal(place_route(p, t.paths, 6), OK);
		h = harvest(p);
		if (threads == 1) {
			first = h;
			notices = p->out.notices;
		} else {
			assert_int_equal(p->out.notices, notices);
			assert_int_equal(h.notices, first.notices);
			assert_int_equal(h.count, first.count);
			for (size_t i = 0; i < h.count; i++)
				assert_string_equal(h.lines[i], first.lines[i]);
			harvest_free(&h);
			harvest_free(&first);
		}
		harvest_free(&t.expected);
		place_free(p);
	}
}

static void great_notices_come_in_parts(void **state)
{
	struct place *p = place_new(*state);
	uint64_t seed = test_seed();
	const char *text;
	struct twin t;

	p->options.report.date_ms = p->options.report.now_ms - DAY;
	p->limits = SMALL_LIMITS;
	twin_make(&t, p, &seed, 4000, 4000);
	assert_int_equal(place_route(p, t.paths, 6), OK);
	text = circle_text(p);
	assert_non_null(strstr(text, "\npart 1/"));
	assert_non_null(strstr(text, "\npart 2/"));
	assert_true(p->out.notices > p->out.addressees * TYPES);
	assert_int_equal(p->out.addressees, 4);
	harvest_free(&t.expected);
	place_free(p);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(one_thread),
		IN_A_FOLDER(two_threads),
		IN_A_FOLDER(five_threads),
		IN_A_FOLDER(mostly_duplicates),
		IN_A_FOLDER(all_in_memory),
		IN_A_FOLDER(the_rest_is_counted),
		IN_A_FOLDER(threads_change_nothing),
		IN_A_FOLDER(great_notices_come_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
