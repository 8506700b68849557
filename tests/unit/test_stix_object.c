#include "test.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/buffer.h"
#include "stix/object.h"

#define UUID "00000000-0000-4000-8000-000000000001"
#define INDICATOR "\"type\":\"indicator\",\"id\":\"indicator--" UUID "\""
#define ADDRESS "\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--" UUID "\",\"value\":\"192.0.2.1\""
#define TLP2_GREEN "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
#define TLP1_RED "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
#define TLP2_STRICT "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
#define OTHER "marking-definition--" UUID

static struct arena *arena;

/* ---- instants ---- */

static void instants(void **state)
{
	static const struct {
		const char *text, *digits; /* NULL: refused */
	} rows[] = {
		{ "2016-04-06T20:03:48Z", "20160406200348" },
		{ "2016-04-06T20:03:48.000Z", "20160406200348" },
		{ "2016-04-06T20:03:48.120Z", "2016040620034812" },
		{ "2016-04-06T20:03:48.0123456789012345678900Z", "2016040620034801234567890123456789" },
		{ "2016-02-29T00:00:00.5Z", "201602290000005" },
		{ "2000-02-29T23:59:59Z", "20000229235959" },
		{ "0001-01-01T00:00:00Z", "00010101000000" },
		{ "2016-04-06T20:03:48.1234567890123456789012345678901234567890123456789Z",
		  "201604062003481234567890123456789012345678901234567890123456789" },
		{ "2016-04-06T20:03:48.1234567890123456789012345678901234567890123456789000000Z",
		  "201604062003481234567890123456789012345678901234567890123456789" },
		{ "2016-04-06T20:03:48.12345678901234567890123456789012345678901234567891Z", NULL },
		{ "2015-02-29T00:00:00Z", NULL },
		{ "1900-02-29T00:00:00Z", NULL },
		{ "2022-101-27T13:49:54.326Z", NULL },
		{ "0000-01-01T00:00:00Z", NULL },
		{ "2016-00-06T20:03:48Z", NULL },
		{ "2016-13-06T20:03:48Z", NULL },
		{ "2016-04-31T20:03:48Z", NULL },
		{ "2016-04-00T20:03:48Z", NULL },
		{ "2016-04-06T24:00:00Z", NULL },
		{ "2016-04-06T20:60:48Z", NULL },
		{ "2016-04-06T20:03:60Z", NULL },
		{ "2016-04-06T20:03:48", NULL },
		{ "2016-04-06T20:03:48z", NULL },
		{ "2016-04-06t20:03:48Z", NULL },
		{ "2016-04-06 20:03:48Z", NULL },
		{ "2016-04-06T20:03:48.Z", NULL },
		{ "2016-04-06T20:03:48,5Z", NULL },
		{ "2016-04-06T20:03:48.5", NULL },
		{ "2016-04-06T20:03:48.5aZ", NULL },
		{ "2016-04-06T20:03:48+00:00", NULL },
		{ "2016-04-06T20:03:48.000+00:00Z", NULL },
		{ "2016-04-06T20:03Z", NULL },
		{ "-016-04-06T20:03:48Z", NULL },
		{ "", NULL },
		{ "Z", NULL },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct instant t;
		enum err e = instant_parse(span_of(rows[i].text), &t);

		if ((e == OK) != (rows[i].digits != NULL) || (e != OK && e != ERR_TIME))
			fail_msg("%s: %s", rows[i].text, err_code(e));
		assert_span(span_make(t.digits, t.length), rows[i].digits != NULL ? rows[i].digits : "");
	}
}

static void instants_sort_in_time(void **state)
{
	static const char *const sorted[] = {
		"1999-12-31T23:59:59.999999999Z", "2000-01-01T00:00:00Z",	    "2000-01-01T00:00:00.000000001Z",
		"2000-01-01T00:00:00.001Z",	  "2000-01-01T00:00:00.001000001Z", "2000-01-01T00:00:00.01Z",
		"2000-01-01T00:00:00.1Z",	  "2000-01-01T00:00:01.000Z",
	};
	struct instant none = { 0 };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(sorted); i++) {
		struct instant a, b;

		assert_int_equal(instant_parse(span_of(sorted[i]), &a), OK);
		assert_true(instant_compare(&none, &a) < 0);
		for (size_t k = 0; k < TABLE_LENGTH(sorted); k++) {
			int order;

			assert_int_equal(instant_parse(span_of(sorted[k]), &b), OK);
			order = instant_compare(&a, &b);
			assert_true(i < k ? order < 0 : i > k ? order > 0 : order == 0);
		}
	}
}

/* ---- TLP ---- */

static void tlp_names(void **state)
{
	enum tlp t = TLP_COUNT;

	(void)state;
	for (unsigned i = 0; i < TLP_COUNT; i++) {
		assert_int_equal(tlp_parse(span_of(tlp_name((enum tlp)i)), &t), OK);
		assert_int_equal(t, i);
		t = TLP_COUNT;
		assert_int_equal(tlp_of_marking(span_of(tlp_marking((enum tlp)i)), &t), OK);
		assert_int_equal(t, i);
	}
	assert_int_equal(tlp_parse(SPAN("white"), &t), OK);
	assert_int_equal(t, TLP_CLEAR);
	assert_int_equal(tlp_parse(SPAN("amber+Strict"), &t), OK);
	assert_int_equal(t, TLP_AMBER_STRICT);
	assert_int_equal(tlp_of_marking(SPAN(TLP1_RED), &t), OK);
	assert_int_equal(t, TLP_RED);
	assert_int_equal(tlp_parse(SPAN("TLP:RED"), &t), ERR_FIELD);
	assert_int_equal(tlp_parse(SPAN(""), &t), ERR_FIELD);
	assert_int_equal(tlp_of_marking(SPAN(""), &t), ERR_NOT_FOUND);
	assert_int_equal(tlp_of_marking(SPAN(OTHER), &t), ERR_NOT_FOUND);
}

/* ---- envelopes ---- */

static void envelopes(void **state)
{
	static const struct {
		const char *text;
		bool bundles;
		enum err err;
		size_t count;
		const char *first, *last;
	} rows[] = {
		{ "{\"objects\":[{}]}", false, OK, 1, "{}", "{}" },
		{ " \n{ \"objects\" : [ {\"a\" : \"]}\\\"\" } , 1,\"x,]\\\\\" , [ {}, [1]]\t]\r} ", false, OK, 4,
		  "{\"a\" : \"]}\\\"\" }", "[ {}, [1]]" },
		{ "{\"more\":true,\"x\":[{\"objects\":[1]}],\"next\":\"a\\u0062\",\"obj\\u0065cts\":[-1e3 ,true]}",
		  false, OK, 2, "-1e3", "true" },
		{ "{\"type\":\"bundle\",\"id\":\"bundle--" UUID "\",\"objects\":[null,{\"b\":[]}]}", true, OK, 2,
		  "null", "{\"b\":[]}" },
		{ "{\"type\":\"bundle\",\"objects\":[{}]}", false, ERR_FIELD, 0, NULL, NULL },
		{ "{}", false, ERR_EMPTY, 0, NULL, NULL },
		{ "{\"more\":false,\"next\":\"ab\"}", false, ERR_EMPTY, 0, NULL, NULL },
		{ "{\"objects\":[]}", false, ERR_EMPTY, 0, NULL, NULL },
		{ "{\"objects\":{}}", false, ERR_FIELD, 0, NULL, NULL },
		{ "{\"objects\":null}", false, ERR_FIELD, 0, NULL, NULL },
		{ "{\"more\":1,\"objects\":[{}]}", false, ERR_FIELD, 0, NULL, NULL },
		{ "{\"next\":null,\"objects\":[{}]}", false, ERR_FIELD, 0, NULL, NULL },
		{ "[{}]", false, ERR_FIELD, 0, NULL, NULL },
		{ "{\"objects\":[{}],\"objects\":[{}]}", false, ERR_DUPLICATE_KEY, 0, NULL, NULL },
		{ "{\"objects\":[{\"a\":{\"b\":1,\"b\":1}}]}", false, ERR_DUPLICATE_KEY, 0, NULL, NULL },
		{ "{\"objects\":[{\"a\":9007199254740992}]}", false, ERR_NUMBER, 0, NULL, NULL },
		{ "{\"objects\":[{\"a\":\"\\ud800\"}]}", false, ERR_JSON, 0, NULL, NULL },
		{ "{\"objects\":[{\"a\":\"\xc0\x80\"}]}", false, ERR_ENCODING, 0, NULL, NULL },
		{ "{\"objects\":[{}]", false, ERR_JSON, 0, NULL, NULL },
		{ "", false, ERR_JSON, 0, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct stix_envelope envelope;
		enum err e = stix_envelope_read(arena, span_of(rows[i].text), rows[i].bundles, &envelope);

		if (e != rows[i].err)
			fail_msg("%s: %s, not %s", rows[i].text, err_code(e), err_code(rows[i].err));
		if (strstr(rows[i].text, "\"next\":\"a") != NULL) {
			assert_span(envelope.next, "ab");
			assert_int_equal(envelope.more, e == OK);
		}
		if (e == OK) {
			assert_int_equal(envelope.count, rows[i].count);
			assert_span(envelope.objects[0].text, rows[i].first);
			assert_span(envelope.objects[envelope.count - 1].text, rows[i].last);
		}
		arena_reset(arena);
	}
}

static void depth_has_a_limit(void **state)
{
	struct stix_envelope envelope;
	struct buffer b = BUFFER(1 << 20);

	(void)state;
	for (int depth = 60; depth < 70; depth++) {
		buffer_clear(&b);
		buffer_text(&b, "{\"objects\":[");
		for (int i = 0; i < depth; i++)
			buffer_byte(&b, '[');
		for (int i = 0; i < depth; i++)
			buffer_byte(&b, ']');
		buffer_text(&b, "]}");
		assert_int_equal(stix_envelope_read(arena, buffer_view(&b), false, &envelope),
				 depth + 2 <= 64 ? OK : ERR_DEPTH);
		arena_reset(arena);
	}
	buffer_free(&b);
}

/* ---- objects ---- */

static enum err read_one(const char *text, struct stix_object *o)
{
	struct buffer b = BUFFER(1 << 20);
	struct stix_envelope envelope;
	struct span copy;
	enum err e;

	buffer_print(&b, "{\"objects\":[%s]}", text);
	copy = span_make(arena_copy(arena, b.at, b.len), b.len);
	buffer_free(&b);
	if ((e = stix_envelope_read(arena, copy, false, &envelope)) != OK)
		fail_msg("%s: %s", text, err_detail());
	assert_int_equal(envelope.count, 1);
	return stix_object_read(arena, &envelope.objects[0], o);
}

static void what_is_read(void **state)
{
	struct stix_object o;

	(void)state;
	assert_int_equal(read_one("{" INDICATOR
				  ",\"spec_version\":\"2.1\",\"created\":\"2020-01-01T00:00:00.000Z\",\"modified\":"
				  "\"2020-01-02T00:00:00.5000Z\",\"revoked\":true,\"created_by_ref\":\"identity--" UUID
				  "\"}",
				  &o),
			 OK);
	assert_span(o.id, "indicator--" UUID);
	assert_span(o.type, "indicator");
	assert_int_equal(o.spec, STIX_2_1);
	assert_span(o.modified_text, "2020-01-02T00:00:00.5000Z");
	assert_span(span_make(o.version.digits, o.version.length), "202001020000005");
	assert_span(span_make(o.created.digits, o.created.length), "20200101000000");
	assert_span(o.created_by, "identity--" UUID);
	assert_true(o.revoked && !o.marked);
	assert_int_equal(o.tlp, TLP_CLEAR);
	assert_int_equal(o.other_marking_count, 0);
	assert_true(o.text.at[0] == '{' && o.text.at[o.text.len - 1] == '}');

	assert_int_equal(read_one("{" ADDRESS "}", &o), OK); /* an observable: 2.1, without versions */
	assert_int_equal(o.spec, STIX_2_1);
	assert_int_equal(o.version.length + o.created.length + o.modified_text.len + o.created_by.len, 0);

	assert_int_equal(read_one("{" INDICATOR ",\"created\":\"2020-01-01T00:00:00.000Z\"}", &o), OK);
	assert_int_equal(o.spec, STIX_2_0);
	assert_span(o.modified_text, "2020-01-01T00:00:00.000Z");
	assert_int_equal(instant_compare(&o.version, &o.created), 0);
	arena_reset(arena);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum err err;
		const char *detail; /* begins with the property */
	} rows[] = {
		{ "1", ERR_FIELD, "not a JSON object" },
		{ "[]", ERR_FIELD, "not a JSON object" },
		{ "{}", ERR_FIELD_MISSING, "type" },
		{ "{\"type\":\"indicator\"}", ERR_FIELD_MISSING, "id" },
		{ "{\"id\":\"indicator--" UUID "\"}", ERR_FIELD_MISSING, "type" },
		{ "{\"type\":1,\"id\":\"indicator--" UUID "\"}", ERR_FIELD, "type" },
		{ "{\"type\":\"In\",\"id\":\"In--" UUID "\"}", ERR_FIELD, "type" },
		{ "{\"type\":\"in_x\",\"id\":\"in_x--" UUID "\"}", ERR_FIELD, "type" },
		{ "{\"type\":\"bundle\",\"id\":\"bundle--" UUID "\"}", ERR_FIELD, "type" },
		{ "{\"type\":\"indicator\",\"id\":{}}", ERR_FIELD, "id" },
		{ "{\"type\":\"indicator\",\"id\":\"x\"}", ERR_FIELD, "id" },
		{ "{\"type\":\"indicator\",\"id\":\"indicator--00000000-0000-4000-8000-00000000000A\"}", ERR_FIELD,
		  "id" },
		{ "{\"type\":\"indicator\",\"id\":\"indicator--" UUID "0\"}", ERR_FIELD, "id" },
		{ "{\"type\":\"indicator\",\"id\":\"indicatox--" UUID "\"}", ERR_FIELD, "id" },
		{ "{\"type\":\"indicator\",\"id\":\"indicator-" UUID "\"}", ERR_FIELD, "id" },
		{ "{" INDICATOR ",\"spec_version\":\"2.2\"}", ERR_FIELD, "spec_version" },
		{ "{" INDICATOR ",\"spec_version\":2.1}", ERR_FIELD, "spec_version" },
		{ "{" INDICATOR ",\"spec_version\":\"\"}", ERR_FIELD, "spec_version" },
		{ "{" INDICATOR ",\"created\":\"2022-101-27T13:49:54.326Z\"}", ERR_TIME, "created" },
		{ "{" INDICATOR ",\"created\":\"\"}", ERR_TIME, "created" },
		{ "{" INDICATOR ",\"modified\":\"2022-10-27\"}", ERR_TIME, "modified" },
		{ "{" INDICATOR ",\"modified\":20221027}", ERR_FIELD, "modified" },
		{ "{" INDICATOR ",\"created_by_ref\":\"me\"}", ERR_FIELD, "created_by_ref" },
		{ "{" INDICATOR ",\"created_by_ref\":null}", ERR_FIELD, "created_by_ref" },
		{ "{" INDICATOR ",\"revoked\":\"true\"}", ERR_FIELD, "revoked" },
		{ "{" INDICATOR ",\"object_marking_refs\":\"" TLP1_RED "\"}", ERR_FIELD, "object_marking_refs" },
		{ "{" INDICATOR ",\"object_marking_refs\":[1]}", ERR_FIELD, "object_marking_refs" },
		{ "{" INDICATOR ",\"object_marking_refs\":[\"red\"]}", ERR_FIELD, "object_marking_refs" },
		{ "{" INDICATOR ",\"granular_markings\":{}}", ERR_FIELD, "granular_markings" },
		{ "{" INDICATOR ",\"granular_markings\":[\"" TLP1_RED "\"]}", ERR_FIELD, "granular_markings" },
		{ "{" INDICATOR ",\"granular_markings\":[{\"marking_ref\":null}]}", ERR_FIELD, "granular_markings" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct stix_object o;
		enum err e = read_one(rows[i].text, &o);

		if (e != rows[i].err || strncmp(err_detail(), rows[i].detail, strlen(rows[i].detail)) != 0)
			fail_msg("%s: %s: %s", rows[i].text, err_code(e), err_detail());
		arena_reset(arena);
	}
}

static void identifiers(void **state)
{
	char id[STIX_ID_MAX + 2];

	(void)state;
	for (size_t type = 1; type <= STIX_TYPE_MAX + 1; type++) {
		memset(id, 'a', type);
		memcpy(id + type, "--" UUID, 38);
		assert_int_equal(stix_is_id(span_make(id, type + 38)), type >= 3 && type <= STIX_TYPE_MAX);
		assert_false(stix_is_id(span_make(id, type + 37)));
	}
	assert_true(STIX_TYPE_MAX + 38 == STIX_ID_MAX);
	assert_true(stix_is_id(SPAN("x-a--b--" UUID)));
	assert_false(stix_is_id(SPAN("")));
	assert_false(stix_is_id(SPAN("abc--00000000-0000-4000-8000_000000000001")));
	assert_false(stix_is_id(SPAN("abc--00000000-0000-4000-8000-00000000000g")));
	assert_true(stix_is_observable(SPAN("windows-registry-key")));
	assert_false(stix_is_observable(SPAN("indicator")));
	assert_false(stix_is_observable(SPAN("")));
}

static void markings(void **state)
{
	static const struct {
		const char *text;
		enum tlp tlp;
		bool marked;
		size_t others;
	} rows[] = {
		{ "{" INDICATOR "}", TLP_CLEAR, false, 0 },
		{ "{" INDICATOR ",\"object_marking_refs\":[\"" TLP2_GREEN "\"]}", TLP_GREEN, true, 0 },
		{ "{" INDICATOR ",\"object_marking_refs\":[\"" TLP2_STRICT "\",\"" TLP2_GREEN "\"]}", TLP_AMBER_STRICT,
		  true, 0 },
		{ "{" INDICATOR ",\"object_marking_refs\":[\"" OTHER "\",\"" OTHER "\"]}", TLP_CLEAR, false, 1 },
		{ "{" INDICATOR ",\"object_marking_refs\":[\"" TLP2_GREEN "\"],\"granular_markings\":[{\"lang\":\"de\","
		  "\"selectors\":[\"name\"]},{\"marking_ref\":\"" TLP1_RED "\",\"selectors\":[\"name\"]},"
		  "{\"marking_ref\":\"" OTHER "\",\"selectors\":[\"name\"]}]}",
		  TLP_RED, true, 1 },
		{ "{\"type\":\"marking-definition\",\"id\":\"" TLP1_RED "\"}", TLP_CLEAR, true, 0 },
		{ "{\"type\":\"marking-definition\",\"id\":\"" OTHER "\"}", TLP_CLEAR, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct stix_object o;

		assert_int_equal(read_one(rows[i].text, &o), OK);
		if (o.tlp != rows[i].tlp || o.marked != rows[i].marked || o.other_marking_count != rows[i].others)
			fail_msg("%s: %s, %d, %zu", rows[i].text, tlp_name(o.tlp), o.marked, o.other_marking_count);
		if (o.other_marking_count > 0)
			assert_span(o.other_markings[0], OTHER);
		arena_reset(arena);
	}
}

static void digests(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "{" ADDRESS "}",
		  "{ \"value\": \"192.0.2.\\u0031\", \"id\":\"ipv4-addr--" UUID "\", \"type\":\"ipv4-addr\" }", true },
		{ "{" ADDRESS "}", "{" ADDRESS ",\"defanged\":false,\"spec_version\":\"2.1\"}", true },
		{ "{" ADDRESS "}", "{" ADDRESS ",\"defanged\":true}", false },
		{ "{" ADDRESS "}", "{" ADDRESS ",\"x\":{\"defanged\":false}}", false },
		{ "{" INDICATOR "}", "{" INDICATOR ",\"revoked\":false}", true },
		{ "{" INDICATOR "}", "{" INDICATOR ",\"revoked\":true}", false },
		{ "{" INDICATOR "}", "{" INDICATOR ",\"defanged\":false}", false },
		{ "{" INDICATOR "}", "{" INDICATOR ",\"spec_version\":\"2.1\"}", false },
		{ "{" INDICATOR ",\"spec_version\":\"2.1\",\"pattern_type\":\"stix\"}",
		  "{" INDICATOR ",\"spec_version\":\"2.1\",\"pattern_type\":\"stix\",\"pattern_version\":\"2.1\"}",
		  true },
		{ "{" INDICATOR ",\"spec_version\":\"2.1\",\"pattern_type\":\"stix\"}",
		  "{" INDICATOR ",\"spec_version\":\"2.1\",\"pattern_type\":\"stix\",\"pattern_version\":\"2.0\"}",
		  false },
		{ "{" INDICATOR ",\"spec_version\":\"2.1\",\"pattern_type\":\"pcre\"}",
		  "{" INDICATOR ",\"spec_version\":\"2.1\",\"pattern_type\":\"pcre\",\"pattern_version\":\"2.1\"}",
		  false },
		{ "{\"type\":\"sighting\",\"id\":\"sighting--" UUID "\"}",
		  "{\"summary\":false,\"type\":\"sighting\",\"id\":\"sighting--" UUID "\"}", true },
		{ "{" INDICATOR "}", "{" INDICATOR ",\"summary\":false}", false },
		{ "{" INDICATOR ",\"a\":1.0}", "{" INDICATOR ",\"a\":1}", true },
		{ "{" INDICATOR ",\"a\":[1,2]}", "{" INDICATOR ",\"a\":[2,1]}", false },
		{ "{" INDICATOR ",\"a\":1e20,\"b\":[1e20,1e20,1e20,1e20,1e20,1e20]}",
		  "{" INDICATOR ",\"b\":[1e20,10e19,1e20,1e20,1e20,100000000000000000000.0],\"a\":1e20}", true },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct stix_object a, b;

		assert_int_equal(read_one(rows[i].a, &a), OK);
		assert_int_equal(read_one(rows[i].b, &b), OK);
		if (hash_equal(a.digest, b.digest) != rows[i].same)
			fail_msg("%s\n%s", rows[i].a, rows[i].b);
		arena_reset(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instants),	     cmocka_unit_test(instants_sort_in_time),
		cmocka_unit_test(tlp_names),	     cmocka_unit_test(envelopes),
		cmocka_unit_test(depth_has_a_limit), cmocka_unit_test(what_is_read),
		cmocka_unit_test(what_is_refused),   cmocka_unit_test(identifiers),
		cmocka_unit_test(markings),	     cmocka_unit_test(digests),
	};
	int failed;

	if ((arena = arena_new(1 << 22)) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
