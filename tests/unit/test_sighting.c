#include "regime/sighting.h"

#include "regime/private.h"
#include "regime_node.h"

#define T0 INT64_C(1795000000000)

static struct address ip(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(span_of(text), &a), OK);
	return a;
}

static const struct addressee as7 = { .type = TO_AS, .asn = 7 };

static void add_record(struct world *w, const struct buffer *record)
{
	struct span part = buffer_view(record);

	assert_int_equal(record->err, OK);
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_private(w->n, RECORD_PRIVATE, &part, 1), OK);
	assert_int_equal(node_commit(w->n), OK);
}

static void add_line(struct world *w, const struct addressee *to, enum rsit_class c, const struct sighting_line *l,
		     struct sighting_change change)
{
	struct buffer record = BUFFER(4096);

	sightings_group(&record, to, c, 1);
	sightings_line(&record, l, &change);
	add_record(w, &record);
	buffer_free(&record);
}

static struct sighting find(struct world *w, const struct addressee *to, enum rsit_class c,
			    const struct sighting_line *l)
{
	struct sighting s = { 0 };
	struct state st;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(sighting_find(&st, to, c, l, &s), OK);
	snapshot_end(st.snapshot);
	return s;
}

static void told_and_held(void **state)
{
	struct world *w = world_new(*state);
	struct sighting_line l = { .source = ip("192.0.2.9") };
	struct sighting s;

	add_line(w, &as7, CLASS_BRUTE_FORCE, &l, (struct sighting_change){ 3, T0, T0 + 5, true, false });
	add_line(w, &as7, CLASS_BRUTE_FORCE, &l, (struct sighting_change){ 4, T0 - 9, T0 + 3, false, false });
	add_line(w, &as7, CLASS_BRUTE_FORCE, &l, (struct sighting_change){ 5, 0, 0, false, false });
	s = find(w, &as7, CLASS_BRUTE_FORCE, &l);
	assert_int_equal(s.count, 12);
	assert_int_equal(s.held, 9);
	assert_int_equal(s.told, 1);
	assert_int_equal(s.again, 0);
	assert_int_equal(s.first_ms, T0 - 9);
	assert_int_equal(s.last_ms, T0 + 5);
	assert_int_equal(s.told_ms, T0 + 5);
	add_line(w, &as7, CLASS_BRUTE_FORCE, &l, (struct sighting_change){ 1, T0 + 90, T0 + 90, true, true });
	s = find(w, &as7, CLASS_BRUTE_FORCE, &l);
	assert_int_equal(s.count, 13);
	assert_int_equal(s.held, 0);
	assert_int_equal(s.told, 2);
	assert_int_equal(s.again, 1);
	assert_int_equal(s.told_ms, T0 + 90);
	world_free(w);
}

/* What is the same line, and what is another one. */
static void lines(void **state)
{
	struct world *w = world_new(*state);
	const struct sighting_change once = { 1, T0, T0, true, false };
	char name[200], longer[200];
	struct sighting_line same[] = {
		{ .source = ip("192.0.2.9"), .port = 22, .malware = SPAN("mirai") },
		{ .source = ip("192.0.2.9"), .length = 32, .port = 22, .malware = SPAN("MIRAI") },
		{ .source = ip("192.0.2.9"), .length = 255, .port = 22, .malware = SPAN("Mirai") },
	};
	struct sighting_line others[] = {
		{ .source = ip("192.0.2.9"), .port = 22 },
		{ .source = ip("192.0.2.9"), .port = 23, .malware = SPAN("mirai") },
		{ .source = ip("192.0.2.9"), .port = 22, .malware = SPAN("mirai2") },
		{ .source = ip("192.0.2.9"), .length = 24, .port = 22, .malware = SPAN("mirai") },
		{ .source = { 0, 0xc0000209, FAMILY_IPV6 }, .port = 22, .malware = SPAN("mirai") },
		{ .source = ip("192.0.2.8"), .port = 22, .malware = SPAN("mirai") },
	};
	struct sighting_line net = { .source = ip("2001:db8::1"), .length = 64 };
	const struct addressee other = { .type = TO_PARTY, .domain = SPAN("op.example") };
	struct state st;
	struct sighting s;

	for (size_t i = 0; i < TABLE_LENGTH(same); i++)
		add_line(w, &as7, CLASS_C2_SERVER, &same[i], once);
	assert_int_equal(find(w, &as7, CLASS_C2_SERVER, &same[1]).count, TABLE_LENGTH(same));
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	for (size_t i = 0; i < TABLE_LENGTH(others); i++)
		assert_int_equal(sighting_find(&st, &as7, CLASS_C2_SERVER, &others[i], &s), ERR_NOT_FOUND);
	assert_int_equal(sighting_find(&st, &as7, CLASS_SCANNER, &same[0], &s), ERR_NOT_FOUND);
	assert_int_equal(sighting_find(&st, &other, CLASS_C2_SERVER, &same[0], &s), ERR_NOT_FOUND);
	snapshot_end(st.snapshot);

	add_line(w, &as7, CLASS_SPAM, &net, once);
	net.source = ip("2001:db8::ffff"); /* bits behind the length do not count */
	assert_int_equal(find(w, &as7, CLASS_SPAM, &net).count, 1);
	/* Names are cut; what is told apart only behind the cut is one. */
	memset(name, 'n', sizeof(name));
	memset(longer, 'N', sizeof(longer));
	longer[SIGHTING_MALWARE_MAX] = 'x';
	same[0].malware = span_make(name, sizeof(name));
	add_line(w, &as7, CLASS_C2_SERVER, &same[0], once);
	same[0].malware = span_make(longer, sizeof(longer));
	assert_int_equal(find(w, &as7, CLASS_C2_SERVER, &same[0]).count, 1);
	assert_true(sighting_by_port(CLASS_VULNERABLE_SYSTEM) && !sighting_by_port(CLASS_BRUTE_FORCE));
	assert_true(sighting_by_malware(CLASS_INFECTED_SYSTEM) && !sighting_by_malware(CLASS_SCANNER));
	world_free(w);
}

/* ---- a naive twin ---- */

#define TWIN_LINES 400
#define TWIN_GROUPS 8

struct twin {
	struct addressee to[TWIN_GROUPS];
	enum rsit_class class[TWIN_GROUPS];
	struct sighting_line line[TWIN_LINES];
	struct sighting s[TWIN_GROUPS][TWIN_LINES];
};

static int line_order(const void *a, const void *b)
{
	const struct sighting_line *x = a, *y = b;
	int c = address_compare(x->source, y->source);

	if (c == 0 && (c = x->length - y->length) == 0 && (c = x->port - y->port) == 0)
		c = span_compare(x->malware, y->malware);
	return c;
}

static void twin_begin(struct twin *t, uint64_t *seed)
{
	static const struct sighting_line beginnings[] = { { .malware = SPAN("") },
							   { .malware = SPAN("a") },
							   { .malware = SPAN("ab") } };
	static const struct addressee to[] = {
		{ .type = TO_PARTY, .domain = SPAN("a.example") },
		{ .type = TO_PARTY, .domain = SPAN("a.example.net") },
		{ .type = TO_PARTY, .domain = SPAN("b.example") },
		{ .type = TO_AS, .asn = 3 },
		{ .type = TO_AS, .asn = 4200000000 },
		{ .type = TO_COUNTRY, .country = "EE" },
		{ .type = TO_ALL },
		{ .type = TO_ALL },
	};

	memset(t, 0, sizeof(*t));
	for (size_t g = 0; g < TWIN_GROUPS; g++) {
		t->to[g] = to[g];
		t->class[g] = g + 1 < TWIN_GROUPS ? CLASS_SCANNER : CLASS_UNDETERMINED;
	}
	for (size_t i = 0; i < TWIN_LINES; i++) {
		struct sighting_line *l = &t->line[i];

		*l = beginnings[i % 3];
		l->source = address_ipv4(0xc0000200 + (uint32_t)test_below(seed, 64));
		if (i % 5 == 0)
			l->source = (struct address){ test_below(seed, 4), test_below(seed, 16), FAMILY_IPV6 };
		l->port = (uint16_t)test_below(seed, 3);
		l->length = i % 7 == 0 ? 28 : 0;
		if (l->length > 0)
			l->source = prefix_of(l->source, l->length).address;
	}
	qsort(t->line, TWIN_LINES, sizeof(t->line[0]), line_order);
}

static void twin_add(struct sighting *s, const struct sighting_change *c)
{
	s->count += c->count;
	s->held += c->count;
	if (c->first_ms != 0 && (s->first_ms == 0 || c->first_ms < s->first_ms))
		s->first_ms = c->first_ms;
	if (c->last_ms > s->last_ms)
		s->last_ms = c->last_ms;
	if (c->told) {
		s->held = 0;
		s->told++;
		s->again += c->again;
		s->told_ms = s->last_ms;
	}
}

static struct sighting_change draw(uint64_t *seed)
{
	struct sighting_change c = { .count = 1 + test_below(seed, 3) * test_below(seed, 1000),
				     .told = test_below(seed, 3) == 0 };

	c.again = c.told && test_below(seed, 2) == 0;
	if (test_below(seed, 4) > 0) {
		c.first_ms = T0 + (int64_t)test_below(seed, 100000000);
		c.last_ms = c.first_ms + (int64_t)test_below(seed, 3) * (int64_t)test_below(seed, 100000000);
	}
	return c;
}

/* Lines of a group, in whatever order, each once; equal ones of the twin's list are left out. */
static void write_group(struct buffer *record, struct twin *t, size_t g, uint64_t *seed)
{
	size_t chosen[TWIN_LINES], n = 0;

	for (size_t i = 0; i < TWIN_LINES; i++)
		if (test_below(seed, 3) == 0 && (i == 0 || line_order(&t->line[i - 1], &t->line[i]) != 0))
			chosen[n++] = i;
	for (size_t i = n; test_below(seed, 2) == 0 && i > 1; i--) {
		size_t k = test_below(seed, i), swap = chosen[i - 1];

		chosen[i - 1] = chosen[k];
		chosen[k] = swap;
	}
	sightings_group(record, &t->to[g], t->class[g], n);
	for (size_t i = 0; i < n; i++) {
		struct sighting_change c = draw(seed);

		twin_add(&t->s[g][chosen[i]], &c);
		sightings_line(record, &t->line[chosen[i]], &c);
	}
}

struct seen {
	uint64_t lines, events, groups;
	struct addressee last;
	enum rsit_class class;
	struct sighting_line line;
};

static enum err show(void *context, const struct addressee *to, enum rsit_class c, const struct sighting_line *l,
		     const struct sighting *s)
{
	struct seen *seen = context;

	if (seen->lines == 0 || !addressee_equal(to, &seen->last) || c != seen->class)
		seen->groups++;
	else
		assert_true(line_order(&seen->line, l) < 0);
	seen->last = *to;
	seen->class = c;
	seen->line = *l;
	seen->lines++;
	seen->events += s->count;
	return OK;
}

static void agrees(struct world *w, const struct twin *t)
{
	struct seen seen = { 0 };
	uint64_t lines = 0, events = 0, groups = 0;
	struct state st;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	for (size_t g = 0; g < TWIN_GROUPS; g++) {
		struct seen one = { 0 };
		uint64_t before = lines;

		for (size_t i = 0; i < TWIN_LINES; i++) {
			struct sighting s = { 0 };

			if (i > 0 && line_order(&t->line[i - 1], &t->line[i]) == 0)
				continue;
			if (t->s[g][i].count == 0) {
				assert_int_equal(sighting_find(&st, &t->to[g], t->class[g], &t -> line[i], &s),
						 ERR_NOT_FOUND);
				continue;
			}
			assert_int_equal(sighting_find(&st, &t->to[g], t->class[g], &t -> line[i], &s), OK);
			assert_memory_equal(&s, &t->s[g][i], sizeof(s));
			lines++;
			events += s.count;
		}
		groups += lines > before;
		assert_int_equal(sightings_walk(&st, &t->to[g], show, &one), OK);
		if (t->to[g].type != TO_ALL) {
			assert_int_equal(one.lines, lines - before);
			assert_true(one.lines == 0 || addressee_equal(&one.last, &t->to[g]));
		}
	}
	assert_int_equal(sightings_walk(&st, NULL, show, &seen), OK);
	assert_int_equal(seen.lines, lines);
	assert_int_equal(seen.events, events);
	assert_int_equal(seen.groups, groups);
	snapshot_end(st.snapshot);
}

static struct hash views_hash(struct world *w)
{
	struct state st;
	struct hash h;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(views_digest(st.snapshot, &h), OK);
	snapshot_end(st.snapshot);
	return h;
}

static void agrees_with_a_list(void **state)
{
	struct world *w = world_new(*state);
	static struct twin t;
	struct buffer record = BUFFER(1 << 20);
	uint64_t seed = test_seed();
	struct hash live;
	struct audit a;

	twin_begin(&t, &seed);
	for (int round = 0; round < 30; round++) {
		buffer_clear(&record);
		for (size_t n = 1 + test_below(&seed, 6); n > 0; n--)
			write_group(&record, &t, test_below(&seed, TWIN_GROUPS), &seed);
		add_record(w, &record);
	}
	agrees(w, &t);
	live = views_hash(w);
	assert_int_equal(node_audit(w->n, NULL, NULL, &a), OK);
	assert_true(hash_equal(a.views, live));
	/* made again from the journal: the same bytes */
	node_close(w->n);
	take_away(arena_print(w->arena, "%s/views", w->dir));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	agrees(w, &t);
	assert_true(hash_equal(views_hash(w), live));
	buffer_free(&record);
	world_free(w);
}

/* More lines of one group than are put in order together. */
static void a_great_group(void **state)
{
	struct world *w = world_new(*state);
	struct buffer record = BUFFER(1 << 20);
	const struct sighting_change once = { 2, T0, T0, true, false };
	struct seen seen = { 0 };
	struct state st;
	uint32_t n = 20000;

	for (int round = 0; round < 2; round++) {
		buffer_clear(&record);
		sightings_group(&record, &as7, CLASS_SCANNER, n);
		for (uint32_t i = 0; i < n; i++) {
			struct sighting_line l = { .source = address_ipv4(i * 2654435761u) };

			sightings_line(&record, &l, &once);
		}
		add_record(w, &record);
	}
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(sightings_walk(&st, &as7, show, &seen), OK);
	snapshot_end(st.snapshot);
	assert_int_equal(seen.lines, n);
	assert_int_equal(seen.events, 4 * n);
	assert_int_equal(audit(w), OK);
	buffer_free(&record);
	world_free(w);
}

/* ---- the order of what comes ---- */

#define CHANGES 300

static void fold_in_order(struct views *v, struct arena *a, const struct sighting_change *changes, const size_t *order,
			  bool tell, struct sighting *out)
{
	const struct sighting_line l = { .source = { 0, 0xc0000201, FAMILY_IPV4 } };
	struct state st = { .arena = a };

	assert_int_equal(views_write(v, &st.snapshot), OK);
	for (size_t i = 0; i < CHANGES; i++) {
		struct buffer record = BUFFER(4096);
		struct sighting_change c = changes[order[i]];

		c.told = c.told && tell;
		sightings_group(&record, &as7, CLASS_SPAM, 1);
		sightings_line(&record, &l, &c);
		arena_reset(a);
		assert_int_equal(sightings_fold(&st, buffer_view(&record)), OK);
		buffer_free(&record);
	}
	assert_int_equal(sighting_find(&st, &as7, CLASS_SPAM, &l, out), OK);
	snapshot_end(st.snapshot);
}

static void counts_do_not_ask_who_came_first(void **state)
{
	struct scratch *s = *state;
	struct arena *a = arena_new(1 << 24);
	struct sighting_change changes[CHANGES];
	struct sighting first[2], now[2];
	size_t order[CHANGES];
	uint64_t seed = test_seed();
	struct views *v;

	assert_int_equal(views_open(scratch_path(s, "views"), true, &v), OK);
	for (size_t i = 0; i < CHANGES; i++) {
		changes[i] = draw(&seed);
		order[i] = i;
	}
	changes[7].count = changes[100].count = UINT64_MAX - 5; /* sums stop at the end, in every order */
	for (int round = 0; round < 10; round++) {
		for (int tell = 0; tell < 2; tell++) {
			fold_in_order(v, a, changes, order, tell, &now[tell]);
			if (round == 0)
				first[tell] = now[tell];
			assert_int_equal(now[tell].count, first[0].count);
			assert_int_equal(now[tell].first_ms, first[0].first_ms);
			assert_int_equal(now[tell].last_ms, first[0].last_ms);
		}
		assert_memory_equal(&now[0], &first[0], sizeof(now[0])); /* nothing told: all of it */
		assert_int_equal(now[1].told, first[1].told);
		for (size_t i = CHANGES; i > 1; i--) {
			size_t k = test_below(&seed, i), swap = order[i - 1];

			order[i - 1] = order[k];
			order[k] = swap;
		}
	}
	assert_int_equal(first[0].count, UINT64_MAX);
	views_close(v);
	arena_free(a);
}

/* ---- damage ---- */

static void damaged_records(void **state)
{
	struct scratch *s = *state;
	struct arena *a = arena_new(1 << 24);
	struct state st = { .arena = a };
	struct buffer record = BUFFER(1 << 16);
	static struct twin t;
	uint64_t seed = test_seed();
	size_t good = 0, bad = 0;
	struct views *v;

	twin_begin(&t, &seed);
	for (size_t g = 0; g < 3; g++)
		write_group(&record, &t, g, &seed);
	assert_int_equal(record.err, OK);
	assert_int_equal(views_open(scratch_path(s, "views"), true, &v), OK);
	for (size_t i = 1; i < record.len; i++) { /* cut: good only between groups */
		assert_int_equal(views_write(v, &st.snapshot), OK);
		arena_reset(a);
		if (sightings_fold(&st, span_make(record.at, i)) == OK)
			good++;
		snapshot_end(st.snapshot);
	}
	assert_int_equal(good, 3); /* no group, one, two */
	for (size_t i = 1; i < record.len; i++) {
		enum err e;

		record.at[i] ^= (char)(1 << i % 8);
		assert_int_equal(views_write(v, &st.snapshot), OK);
		arena_reset(a);
		e = sightings_fold(&st, buffer_view(&record));
		assert_true(e == OK || e == ERR_DAMAGED);
		bad += e == ERR_DAMAGED;
		snapshot_end(st.snapshot);
		record.at[i] ^= (char)(1 << i % 8);
	}
	assert_true(bad > 0);
	views_close(v);
	buffer_free(&record);
	arena_free(a);
}

/* A value in the view that does not read is said to be damaged, by every reader. */
static void damaged_values(void **state)
{
	struct world *w = world_new(*state);
	struct sighting_line l = { .source = ip("192.0.2.9") };
	struct seen seen = { 0 };
	struct state st;
	struct sighting s;
	struct span key = SPAN("\1\0\0\0\7\x0c\4\xc0\0\2\x09\0\0\0"), value;

	add_line(w, &as7, CLASS_BRUTE_FORCE, &l, (struct sighting_change){ 3, T0, T0 + 5, true, false });
	assert_int_equal(node_begin(w->n), OK);
	st = *node_batch_state(w->n);
	assert_int_equal(view_get(st.snapshot, VIEW_SIGHTINGS, key, &value), OK); /* as sighting.c describes it */
	assert_int_equal(value.len, 42);
	assert_int_equal(view_put(st.snapshot, VIEW_SIGHTINGS, key, SPAN("short")), OK);
	assert_int_equal(sighting_find(&st, &as7, CLASS_BRUTE_FORCE, &l, &s), ERR_DAMAGED);
	assert_int_equal(sightings_walk(&st, NULL, show, &seen), ERR_DAMAGED);
	node_abandon(w->n);
	assert_int_equal(find(w, &as7, CLASS_BRUTE_FORCE, &l).count, 3);
	world_free(w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_A_FOLDER(told_and_held),
		IN_A_FOLDER(lines),
		IN_A_FOLDER(agrees_with_a_list),
		IN_A_FOLDER(a_great_group),
		IN_A_FOLDER(counts_do_not_ask_who_came_first),
		IN_A_FOLDER(damaged_records),
		IN_A_FOLDER(damaged_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
