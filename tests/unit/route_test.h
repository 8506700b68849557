/* A node with a small territory to route in, and a look at what came of it.
 *
 *	5.44.0.0/16	AS64500, EE: nobody claimed the AS; ee-team.example claims the country
 *	5.45.0.0/16	AS64501, FI: claimed by net.example
 *	5.46.0.0/16	AS64502, FI: nobody
 *	5.47.0.0/16	no AS, EE: ee-team.example
 *	other		nobody */
#ifndef ROUTE_TEST_H
#define ROUTE_TEST_H

#include "regime.h"
#include "route/evidence.h"
#include "route/pipeline.h"
#include "territory/build.h"

/* As small as they can be: many chunks, runs, batches and parts out of a few thousand rows. */
#define SMALL_LIMITS                                                                                                   \
	((struct route_limits){                                                                                        \
		.chunk = 2 * REPORT_ROW_MAX, .run = 2 * REPORT_ROW_MAX, .resident = 100000, .batch = 200000 })

struct place {
	struct scratch *s;
	struct arena *arena;
	const char *dir;
	struct node *n;
	struct table *table;
	struct resolver *resolver;
	struct plans *plans;
	struct route_limits limits;
	struct route_options options;
	struct route_summary out;
	uint64_t told, told_events; /* by the callback */
};

static const char delegated[] = "2.3|ripencc|20261101|7|19930901|20261101|+0000\n"
				"ripencc|*|ipv4|*|4|summary\nripencc|*|asn|*|3|summary\n"
				"ripencc|EE|ipv4|5.44.0.0|65536|20120101|allocated|aaaa\n"
				"ripencc|FI|ipv4|5.45.0.0|65536|20120101|allocated|bbbb\n"
				"ripencc|FI|ipv4|5.46.0.0|65536|20120101|allocated|cccc\n"
				"ripencc|EE|ipv4|5.47.0.0|65536|20120101|allocated|dddd\n"
				"ripencc|EE|asn|64500|1|20120101|allocated|aaaa\n"
				"ripencc|FI|asn|64501|1|20120101|allocated|bbbb\n"
				"ripencc|FI|asn|64502|1|20120101|allocated|cccc\n";
static const char routes[] = "% origin, prefix, peers\n"
			     "64500\t5.44.0.0/16\t300\n64501\t5.45.0.0/16\t300\n64502\t5.46.0.0/16\t300\n";

static inline void place_table(struct place *p)
{
	const char *names[] = { "delegated-ripencc-extended-latest", "riswhoisdump.IPv4" };
	const char *texts[] = { delegated, routes };
	struct build *b;

	assert_int_equal(build_new(&b), OK);
	for (int i = 0; i < 2; i++) {
		struct build_source source = { .path = scratch_path(p->s, names[i]) };

		assert_int_equal(scratch_write(p->s, names[i], span_of(texts[i])), OK);
		assert_int_equal(build_add(b, &source), OK);
	}
	assert_int_equal(build_write(b, scratch_path(p->s, "territory.table")), OK);
	build_free(b);
	assert_int_equal(table_open(scratch_path(p->s, "territory.table"), &p->table), OK);
}

static inline void place_resolver(struct place *p)
{
	static const struct territory_claim claims[] = {
		{ .party = { "net.example", 11 }, .type = TO_AS, .asn = 64501, .from_ms = 1000 },
		{ .party = { "ee-team.example", 15 }, .type = TO_COUNTRY, .country = "EE", .from_ms = 1000 },
	};

	assert_int_equal(resolver_new(p->table, claims, 2, &p->resolver), OK);
}

/* Plans as the node knows them now. */
static inline void place_plans(struct place *p)
{
	struct state st;

	plans_free(p->plans);
	assert_int_equal(node_read(p->n, p->arena, &st), OK);
	assert_int_equal(plans_load(&st, &p->plans), OK);
	snapshot_end(st.snapshot);
}

static inline struct place *place_new(struct scratch *s)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->s = s;
	p->arena = s->arena;
	p->dir = scratch_path(s, "node");
	assert_int_equal(node_init(p->dir, SPAN("cert.example"), SPAN("The test's team")), OK);
	assert_int_equal(node_open(p->dir, NODE_WRITE, &p->n), OK);
	place_table(p);
	place_resolver(p);
	place_plans(p);
	p->limits = route_limits_for(2);
	p->options = (struct route_options){ .threads = 2 };
	p->options.report.now_ms = clock_now_ms() + 60000;
	return p;
}

static inline void place_free(struct place *p)
{
	plans_free(p->plans);
	resolver_free(p->resolver);
	table_close(p->table);
	node_close(p->n);
	free(p);
}

static inline enum err place_told(void *context, const struct route_notice *n)
{
	struct place *p = context;

	p->told++;
	p->told_events += n->events;
	return OK;
}

/* Figures that hold for every run. */
static inline void check_sums(const struct place *p)
{
	const struct route_summary *o = &p->out;
	uint64_t counted = o->events - o->duplicates, by_country = 0, judged = 0;

	for (size_t i = 0; i < o->country_count; i++)
		by_country += o->countries[i].events;
	for (int v = 0; v < PLAN_VERDICT_COUNT; v++)
		judged += o->verdicts[v];
	assert_int_equal(judged, counted);
	assert_int_equal(by_country, counted);
	assert_int_equal(p->told, o->notices);
	assert_int_equal(o->told + o->held + o->waiting + o->thin + o->unanswered, counted);
	assert_int_equal(p->told_events, o->told + o->released);
	assert_true(o->addressees <= o->notices);
}

static inline enum err place_route(struct place *p, const char **paths, size_t count)
{
	enum err e;

	p->told = p->told_events = 0;
	e = route_files_within(&p->limits, p->n, p->resolver, p->plans, (char *const *)(uintptr_t)paths, count,
			       &p->options, NULL, place_told, p, &p->out);
	if (e == OK)
		check_sums(p);
	return e;
}

static inline void place_must_route(struct place *p, const char *path)
{
	if (place_route(p, &path, 1) != OK)
		fail_msg("%s", err_detail());
}

/* ---- what came of it ---- */

/* "<addressee> <type> <row>" of every row in every notice, sorted. */
struct harvest {
	struct place *p;
	char **lines;
	size_t count, room;
	uint64_t notices, events;
	const char *to;
};

static inline void harvest_add(struct harvest *h, const char *line)
{
	assert_non_null(line);
	if (h->count == h->room) {
		h->room = 2 * h->room + 1024;
		h->lines = realloc(h->lines, h->room * sizeof(*h->lines));
		assert_non_null(h->lines);
	}
	h->lines[h->count++] = strdup(line);
}

static inline enum err harvest_row(void *context, const struct evidence_row *row)
{
	struct harvest *h = context;

	harvest_add(h, arena_print(h->p->arena, "%s %.*s %.*s", h->to, SPAN_FORMAT(row->type),
				   SPAN_FORMAT(row->event.raw)));
	return OK;
}

static inline const char *to_text(struct arena *a, const struct addressee *to)
{
	struct buffer text = BUFFER(300);
	const char *copy;

	addressee_print(to, &text);
	copy = arena_copy(a, text.at, text.len);
	buffer_free(&text);
	return copy;
}

static inline enum err harvest_notice(void *context, const struct matter *m)
{
	struct harvest *h = context;
	struct node *n = h->p->n;
	const uint8_t *salt;
	struct span payload, summary;
	size_t before = h->count;

	h->to = to_text(h->p->arena, &m->to);
	assert_true(m->has_body && m->body.sealed);
	assert_int_equal(node_body(n, h->p->arena, m->body.hash, &salt, &payload), OK);
	assert_true(
		hash_equal(seal_commitment(node_name(n), SPAN(""), SPAN(EVIDENCE_TYPE), salt, payload), m->body.hash));
	if (evidence_read(h->p->arena, payload, (size_t)1 << 30, &summary, harvest_row, h) != OK)
		fail_msg("%s", err_detail());
	assert_int_equal(h->count - before, m->events);
	h->events += m->events;
	h->notices++;
	return OK;
}

static inline int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void harvest_sort(struct harvest *h)
{
	if (h->count > 0)
		qsort(h->lines, h->count, sizeof(*h->lines), by_text);
}

static inline struct harvest harvest(struct place *p)
{
	struct harvest h = { .p = p };
	struct state st;

	assert_int_equal(node_read(p->n, p->arena, &st), OK);
	assert_int_equal(state_matters(&st, LEDGER_CIRCLE, KIND_NOTICE, 0, harvest_notice, &h), OK);
	snapshot_end(st.snapshot);
	harvest_sort(&h);
	return h;
}

static inline void harvest_free(struct harvest *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->lines[i]);
	free(h->lines);
}

static inline uint64_t ledger_size(struct place *p)
{
	struct audit a;

	if (node_audit(p->n, NULL, NULL, &a) != OK)
		fail_msg("%s", err_detail());
	return a.entries[LEDGER_CIRCLE];
}

/* All of the circle's entries as text, one after the other. */
static inline const char *circle_text(struct place *p)
{
	struct buffer all = BUFFER((size_t)1 << 26);
	const char *copy;
	struct span entry;

	for (uint64_t i = 0; node_entry(p->n, p->arena, LEDGER_CIRCLE, i, &entry) == OK; i++)
		buffer_span(&all, entry);
	buffer_byte(&all, 0);
	copy = arena_copy(p->arena, all.at, all.len);
	buffer_free(&all);
	return copy;
}

#endif
