/* Signed checklists: each refusal its own. tests/data/rsc was made by tests/e2e/rpki_lab.py. */
#include "test.h"

#include "scratch.h"

#include "proof/rsc.h"
#include "proof/verify.h"

#define SAMPLES "tests/data/rsc/"
#define FIXTURE "../shared/data/regime/rpki-rsc-fixture/"

static int64_t pinned(void)
{
	int64_t ms;

	assert_int_equal(clock_parse(SPAN("2026-12-01T00:00:00Z"), &ms), OK);
	return ms;
}

struct set {
	struct arena *arena;
	struct anchors *anchors;
	struct span certificates[2], lists[2];
	size_t certificate_count, list_count;
	struct span file;
};

static struct span load(struct arena *a, const char *folder, struct span name)
{
	char path[300];
	struct span content;

	snprintf(path, sizeof(path), "%s%.*s", folder, SPAN_FORMAT(name));
	if (file_read(a, path, (size_t)1 << 20, &content) != OK)
		fail_msg("%s: %s", path, err_detail());
	return content;
}

/* Anchors with this one locator. */
static struct anchors *anchored(struct scratch *s, struct span locator)
{
	struct anchors *anchors = NULL;

	assert_int_equal(folder_make(scratch_path(s, "anchors"), 0700), OK);
	assert_int_equal(scratch_write(s, "anchors/test.tal", locator), OK);
	assert_int_equal(anchors_open(scratch_path(s, "anchors"), &anchors), OK);
	assert_string_equal(anchors_at(anchors, 0)->name, "test.tal");
	return anchors;
}

static enum err judge(const struct set *s, struct span checklist, struct hash file, int64_t at_ms, struct rsc *out)
{
	return rsc_verify(s->arena, s->anchors, checklist, s->certificates, s->certificate_count, s->lists,
			  s->list_count, file, at_ms, out);
}

/* The usual objects, but for those that the rest of the line replaces or takes away. */
static void fill(struct set *out, const char *folder, struct span changes)
{
	static const char *const names[] = { "ta.cer", "ca.cer", "ta.crl", "ca.crl" };

	for (size_t i = 0; i < 4; i++) {
		struct span name = span_of(names[i]), rest = changes, one;

		while (rest.at != NULL) {
			one = span_cut(&rest, ' ');
			if (span_starts(one, names[i]))
				name = span_from(one, strlen(names[i]) + 1);
		}
		if (name.len > 0 && i < 2)
			out->certificates[out->certificate_count++] = load(out->arena, folder, name);
		if (name.len > 0 && i >= 2)
			out->lists[out->list_count++] = load(out->arena, folder, name);
	}
}

static void each_case_has_its_own_answer(void **state)
{
	struct scratch *s = *state;
	struct span cases = load(s->arena, SAMPLES, SPAN("cases.txt")), line, name, code, checklist, locator;
	size_t count = 0;

	while (span_line(&cases, &line)) {
		struct set set = { .arena = s->arena };
		struct rsc r;
		enum err e;

		name = span_cut(&line, ' ');
		code = span_cut(&line, ' ');
		checklist = load(s->arena, SAMPLES, span_cut(&line, ' '));
		locator = load(s->arena, SAMPLES, span_cut(&line, ' '));
		fill(&set, SAMPLES, line);
		set.anchors = anchored(s, locator);
		e = judge(&set, checklist, hash_span(load(s->arena, SAMPLES, SPAN("file"))), pinned(), &r);
		if (!span_is(code, err_code(e)))
			fail_msg("%.*s: %s (%s), not %.*s", SPAN_FORMAT(name), err_code(e), err_detail(),
				 SPAN_FORMAT(code));
		anchors_free(set.anchors);
		count++;
	}
	assert_int_equal(count, 40);
}

static struct set good_set(struct scratch *s, struct span *checklist, struct hash *file)
{
	struct set set = { .arena = s->arena };

	fill(&set, SAMPLES, SPAN(""));
	set.anchors = anchored(s, load(s->arena, SAMPLES, SPAN("good.tal")));
	*checklist = load(s->arena, SAMPLES, SPAN("good-mixed.sig"));
	*file = hash_span(load(s->arena, SAMPLES, SPAN("file")));
	return set;
}

static void ranges_become_prefixes(void **state)
{
	static const char *const expected[] = {
		"192.0.2.16/28",    "192.0.2.32/27",   "192.0.2.64/26",	  "192.0.2.128/31",  "192.0.2.130/32",
		"203.0.113.128/25", "2001:db8:1::/48", "2001:db8:2::/47", "2001:db8:4::/48",
	};
	struct scratch *s = *state;
	struct span checklist;
	struct hash file;
	struct set set = good_set(s, &checklist, &file);
	char text[PREFIX_TEXT];
	struct rsc r;
	int64_t end;

	assert_int_equal(judge(&set, checklist, file, pinned(), &r), OK);
	assert_int_equal(r.prefix_count, TABLE_LENGTH(expected));
	for (size_t i = 0; i < r.prefix_count; i++) {
		prefix_format(r.prefixes[i], text);
		assert_string_equal(text, expected[i]);
	}
	assert_int_equal(r.number_count, 2);
	assert_int_equal(r.numbers[0].first, 64496);
	assert_int_equal(r.numbers[0].last, 64496);
	assert_int_equal(r.numbers[1].first, 64500);
	assert_int_equal(r.numbers[1].last, 64510);
	/* the revocation lists end first, after a quarter of the certificates' 3650 days: 912.5 */
	assert_int_equal(clock_parse(SPAN("2029-05-01T12:00:00Z"), &end), OK);
	assert_int_equal(r.until_ms, end);
	assert_string_equal(r.anchor->name, "test.tal");
	/* to the second */
	assert_int_equal(judge(&set, checklist, file, end - 1000, &r), OK);
	assert_int_equal(judge(&set, checklist, file, end + 1000, &r), ERR_EVIDENCE_STALE);
	anchors_free(set.anchors);
}

/* Whatever byte is changed: it is refused, or means the same. */
static void no_flipped_byte_changes_what_is_listed(void **state)
{
	struct scratch *s = *state;
	struct span checklist;
	struct hash file;
	struct set set = good_set(s, &checklist, &file);
	struct arena *a = arena_new((size_t)1 << 22);
	char *changed = arena_copy(s->arena, checklist.at, checklist.len);
	uint64_t seed = test_seed();
	struct rsc r, whole;
	size_t refused = 0;

	assert_non_null(a);
	assert_int_equal(judge(&set, checklist, file, pinned(), &whole), OK);
	set.arena = a;
	for (size_t i = 0; i < checklist.len; i++) {
		changed[i] ^= (char)(1u << test_below(&seed, 8));
		if (judge(&set, span_make(changed, checklist.len), file, pinned(), &r) != OK) {
			refused++;
		} else {
			assert_int_equal(r.prefix_count, whole.prefix_count);
			assert_memory_equal(r.prefixes, whole.prefixes, r.prefix_count * sizeof(*r.prefixes));
			assert_int_equal(r.number_count, whole.number_count);
			assert_memory_equal(r.numbers, whole.numbers, r.number_count * sizeof(*r.numbers));
		}
		changed[i] = checklist.at[i];
		arena_reset(a);
	}
	assert_true(refused > checklist.len - 20);
	for (size_t n = 0; n < checklist.len; n += 7)
		assert_int_equal(judge(&set, span_make(changed, n), file, pinned(), &r), ERR_EVIDENCE);
	anchors_free(set.anchors);
	arena_free(a);
}

/* Nested a hundred thousand deep, of lengths that lie, of a megabyte: refused by form, before any cryptography. */
static void bombs_are_refused(void **state)
{
	struct scratch *s = *state;
	struct span checklist;
	struct hash file;
	struct set set = good_set(s, &checklist, &file);
	struct buffer bomb = BUFFER((size_t)4 << 20);
	struct span many[200];
	struct rsc r;

	for (size_t i = 0; i < 100000; i++)
		buffer_bytes(&bomb, "\x30\x80", 2); /* indefinite */
	assert_int_equal(judge(&set, buffer_view(&bomb), file, pinned(), &r), ERR_EVIDENCE);
	buffer_clear(&bomb);
	for (size_t n = 400000; n > 0; n -= 4) {
		buffer_bytes(&bomb, "\x30\x83", 2);
		buffer_byte(&bomb, (uint8_t)(n >> 16));
		buffer_u16(&bomb, (uint16_t)n);
	}
	assert_int_equal(judge(&set, buffer_view(&bomb), file, pinned(), &r), ERR_EVIDENCE);
	assert_int_equal(judge(&set, SPAN("\x30\x84\xff\xff\xff\xff\x06"), file, pinned(), &r), ERR_EVIDENCE);
	buffer_clear(&bomb);
	buffer_span(&bomb, checklist);
	while (bomb.len <= (size_t)1 << 20)
		buffer_byte(&bomb, 0);
	assert_int_equal(judge(&set, buffer_view(&bomb), file, pinned(), &r), ERR_EVIDENCE);
	for (size_t i = 0; i < TABLE_LENGTH(many); i++)
		many[i] = set.certificates[1];
	assert_int_equal(rsc_verify(s->arena, set.anchors, checklist, many, TABLE_LENGTH(many), set.lists, 2, file,
				    pinned(), &r),
			 ERR_EVIDENCE);
	for (size_t i = 0; i < TABLE_LENGTH(many); i++)
		many[i] = set.lists[1];
	assert_int_equal(rsc_verify(s->arena, set.anchors, checklist, set.certificates, 2, many, TABLE_LENGTH(many),
				    file, pinned(), &r),
			 ERR_EVIDENCE);
	buffer_free(&bomb);
	anchors_free(set.anchors);
}

static void the_fixture_has_six_answers(void **state)
{
	static const struct {
		const char *checklist, *list, *file;
		enum err expected;
	} rows[] = {
		{ "checklist.sig", "cache/rpki.test/repo/ca.crl", "plan.json", OK },
		{ "tampered.sig", "cache/rpki.test/repo/ca.crl", "plan.json", ERR_EVIDENCE_SIGNATURE },
		{ "over.sig", "cache/rpki.test/repo/ca.crl", "plan.json", ERR_EVIDENCE_BEYOND },
		{ "over2.sig", "cache/rpki.test/repo/ca.crl", "plan.json", ERR_EVIDENCE_OVERCLAIM },
		{ "checklist.sig", "ca2.crl", "plan.json", ERR_EVIDENCE_REVOKED },
		{ "checklist.sig", "cache/rpki.test/repo/ca.crl", "test.tal", ERR_EVIDENCE_FILE },
	};
	struct scratch *s = *state;
	struct set set = { .arena = s->arena };
	struct rsc r;

	if (!file_exists(FIXTURE "checklist.sig")) {
		print_message("skipped: %s is not there\n", FIXTURE);
		skip();
	}
	set.anchors = anchored(s, load(s->arena, FIXTURE, SPAN("test.tal")));
	set.certificates[0] = load(s->arena, FIXTURE, SPAN("cache/rpki.test/repo/ca.cer"));
	set.certificates[1] = load(s->arena, FIXTURE, SPAN("cache/ta/test/ta.cer"));
	set.certificate_count = set.list_count = 2;
	set.lists[0] = load(s->arena, FIXTURE, SPAN("cache/rpki.test/repo/ta.crl"));
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		set.lists[1] = load(s->arena, FIXTURE, span_of(rows[i].list));
		assert_int_equal(judge(&set, load(s->arena, FIXTURE, span_of(rows[i].checklist)),
				       hash_span(load(s->arena, FIXTURE, span_of(rows[i].file))), pinned(), &r),
				 rows[i].expected);
	}
	anchors_free(set.anchors);
}

/* ---- as the evidence of a proof ---- */

static struct evidence evidence_of(const struct set *s, struct span checklist, struct part parts[8])
{
	struct evidence e = { .method = BASIS_RSC, .obtained_ms = pinned(), .parts = parts, .count = 0 };

	parts[e.count++] = (struct part){ .role = PART_CHECKLIST, .bytes = checklist };
	for (size_t i = 0; i < s->certificate_count; i++)
		parts[e.count++] = (struct part){ .role = PART_CERTIFICATE, .bytes = s->certificates[i] };
	for (size_t i = 0; i < s->list_count; i++)
		parts[e.count++] = (struct part){ .role = PART_CRL, .bytes = s->lists[i] };
	return e;
}

static void a_proof_must_be_covered(void **state)
{
	static const struct {
		const char *resource;
		enum err expected;
	} rows[] = {
		{ "prefix 192.0.2.32/27", OK },
		{ "prefix 192.0.2.40/29", OK },
		{ "prefix 192.0.2.0/27", ERR_EVIDENCE_RESOURCE },
		{ "prefix 2001:db8:2:4::/64", OK },
		{ "prefix 2001:db8::/32", ERR_EVIDENCE_RESOURCE },
		{ "AS64500", OK },
		{ "AS64498", ERR_EVIDENCE_RESOURCE },
		{ "country EE", ERR_EVIDENCE_RESOURCE },
		{ "as64500.example", ERR_EVIDENCE_RESOURCE },
	};
	struct scratch *s = *state;
	struct span checklist;
	struct hash file;
	struct set set = good_set(s, &checklist, &file);
	struct part parts[8];
	struct evidence e = evidence_of(&set, checklist, parts);
	struct addressee resource;
	struct proof p = { .method = BASIS_RSC, .resources = &resource, .resource_count = 1 };
	struct key_statement key;
	struct verdict v;

	assert_int_equal(key_statement_parse(load(s->arena, SAMPLES, SPAN("file")), &key), OK);
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		assert_int_equal(addressee_parse(span_of(rows[i].resource), &resource), OK);
		assert_int_equal(verify_proof(s->arena, set.anchors, &p, &key, &e, pinned(), &v), rows[i].expected);
	}
	assert_int_equal(addressee_parse(SPAN("AS64500"), &resource), OK);
	assert_int_equal(verify_proof(s->arena, set.anchors, &p, &key, &e, pinned(), &v), OK);
	assert_span(v.anchor, "test.tal");
	assert_true(v.until_ms > pinned() && v.until_ms <= pinned() + PROOF_LIFE_MAX_MS);
	key.key.bytes[0] ^= 1; /* another key's statement is another file */
	assert_int_equal(verify_proof(s->arena, set.anchors, &p, &key, &e, pinned(), &v), ERR_EVIDENCE_FILE);
	anchors_free(set.anchors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_case_has_its_own_answer, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(ranges_become_prefixes, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(no_flipped_byte_changes_what_is_listed, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(bombs_are_refused, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(the_fixture_has_six_answers, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_proof_must_be_covered, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
