#include "regime/sighting.h"

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
	struct sighting s;
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_A_FOLDER(told_and_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
