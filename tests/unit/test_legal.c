/* Signatures of legal persons and of teams: each refusal its own. tests/data/legal was made by tests/e2e/legal_lab.py. */
#include "test.h"

#include <dirent.h>

#include "scratch.h"

#include "proof/openpgp_packets.h"
#include "proof/verify.h"

#define SAMPLES "tests/data/legal/"

static int64_t pinned(void)
{
	int64_t ms;

	assert_int_equal(clock_parse(SPAN("2026-12-01T00:00:00Z"), &ms), OK);
	return ms;
}

static struct span load(struct arena *a, struct span name)
{
	char path[300];
	struct span content;

	snprintf(path, sizeof(path), SAMPLES "%.*s", SPAN_FORMAT(name));
	if (file_read(a, path, (size_t)1 << 20, &content) != OK)
		fail_msg("%s: %s", path, err_detail());
	return content;
}

static struct anchors *anchored(struct scratch *s)
{
	struct anchors *anchors = NULL;

	assert_int_equal(anchors_add(scratch_path(s, "anchors"), SAMPLES "root.pem"), OK);
	assert_int_equal(anchors_open(scratch_path(s, "anchors"), &anchors), OK);
	return anchors;
}

static struct key_statement key_of(struct scratch *s)
{
	struct key_statement key;

	assert_int_equal(key_statement_parse(load(s->arena, SPAN("file")), &key), OK);
	return key;
}

/* A case's parts, from the rest of its line. */
static struct evidence read_parts(struct arena *a, struct span name, struct span line, struct part parts[8])
{
	struct evidence e = { .obtained_ms = pinned(), .parts = parts };
	struct span one, role;

	e.method = span_starts(name, "pgp-") ? BASIS_OPENPGP : BASIS_LEGAL;
	while (line.at != NULL && e.count < 8) {
		one = span_cut(&line, ' ');
		role = span_cut(&one, '=');
		parts[e.count].role = span_is(role, "signature")     ? PART_SIGNATURE
				      : span_is(role, "certificate") ? PART_CERTIFICATE
				      : span_is(role, "crl")	     ? PART_CRL
								     : PART_KEY;
		parts[e.count].source = SPAN("");
		parts[e.count++].bytes = load(a, one);
	}
	return e;
}

static struct evidence find_case(struct arena *a, const char *wanted, struct part parts[8])
{
	struct span cases = load(a, SPAN("cases.txt")), line, name;

	while (span_line(&cases, &line)) {
		name = span_cut(&line, ' ');
		span_cut(&line, ' ');
		if (span_is(name, wanted))
			return read_parts(a, name, line, parts);
	}
	fail_msg("no case %s", wanted);
	return (struct evidence){ 0 };
}

static enum err judge(struct arena *a, const struct anchors *anchors, const struct evidence *e, struct proof p,
		      const struct key_statement *key, int64_t at_ms, struct verdict *out)
{
	p.method = e->method;
	return verify_proof(a, anchors, &p, key, e, at_ms, out);
}

static void each_case_has_its_own_answer(void **state)
{
	struct scratch *s = *state;
	struct anchors *anchors = anchored(s);
	struct key_statement key = key_of(s);
	struct span cases = load(s->arena, SPAN("cases.txt")), line, name, code;
	struct part parts[8];
	struct verdict v;
	size_t count = 0;

	while (span_line(&cases, &line)) {
		struct evidence e;
		enum err result;

		name = span_cut(&line, ' ');
		code = span_cut(&line, ' ');
		e = read_parts(s->arena, name, line, parts);
		result = judge(s->arena, anchors, &e, (struct proof){ 0 }, &key, pinned(), &v);
		if (!span_is(code, err_code(result)))
			fail_msg("%.*s: %s (%s), not %.*s", SPAN_FORMAT(name), err_code(result), err_detail(),
				 SPAN_FORMAT(code));
		count++;
	}
	assert_int_equal(count, 36);
	anchors_free(anchors);
}

static void the_certificate_says_who(void **state)
{
	static const struct {
		const char *sample, *subject, *said;
		enum err expected;
	} rows[] = {
		{ "good", "", "O=Example Networks OU, C=EE", OK },
		{ "good", "O=Example Networks OU, C=EE", "O=Example Networks OU, C=EE", OK },
		{ "good", "O=Example Networks OU", NULL, ERR_EVIDENCE_RESOURCE },
		{ "good", "O=Another OU, C=EE", NULL, ERR_EVIDENCE_RESOURCE },
		{ "no-country", "", "O=N\\c3\\a4ide\\2c Example",
		  OK }, /* a header holds no other letters, and a comma parts the two */
	};
	struct scratch *s = *state;
	struct anchors *anchors = anchored(s);
	struct key_statement key = key_of(s);
	struct part parts[8];
	struct verdict v;

	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct evidence e = find_case(s->arena, rows[i].sample, parts);

		assert_int_equal(judge(s->arena, anchors, &e, (struct proof){ .subject = span_of(rows[i].subject) },
				       &key, pinned(), &v),
				 rows[i].expected);
		if (rows[i].expected == OK) {
			assert_span(v.subject, rows[i].said);
			assert_span(v.anchor, "root.pem");
		}
	}
	anchors_free(anchors);
}

static void the_key_says_who(void **state)
{
	struct scratch *s = *state;
	struct anchors *anchors = anchored(s);
	struct key_statement key = key_of(s);
	struct part parts[8];
	struct evidence e = find_case(s->arena, "pgp-good", parts);
	struct proof p = { 0 };
	struct span whole;
	struct verdict v;

	assert_int_equal(judge(s->arena, anchors, &e, p, &key, pinned(), &v), OK);
	whole = v.subject;
	assert_true(span_ends(whole, " Example Team <team@cert.example>"));
	assert_int_equal(whole.len, 40 + strlen(" Example Team <team@cert.example>"));
	assert_true(v.until_ms > pinned());
	p.subject = whole;
	assert_int_equal(judge(s->arena, anchors, &e, p, &key, pinned(), &v), OK);
	p.subject.len = 40; /* the fingerprint alone */
	assert_int_equal(judge(s->arena, anchors, &e, p, &key, pinned(), &v), OK);
	p.subject.len = 39;
	assert_int_equal(judge(s->arena, anchors, &e, p, &key, pinned(), &v), ERR_EVIDENCE_RESOURCE);
	anchors_free(anchors);
}

/* The key with ten days' life was good in them, and says when it ends. */
static void expiry_is_as_of_the_time_asked_for(void **state)
{
	struct scratch *s = *state;
	struct anchors *anchors = anchored(s);
	struct key_statement key = key_of(s);
	struct part parts[8];
	struct evidence e = find_case(s->arena, "pgp-key-expired", parts);
	int64_t early, end;
	struct verdict v;

	assert_int_equal(clock_parse(SPAN("2026-11-05T00:00:00Z"), &early), OK);
	assert_int_equal(clock_parse(SPAN("2026-11-11T00:00:00Z"), &end), OK);
	e.obtained_ms = early;
	assert_int_equal(judge(s->arena, anchors, &e, (struct proof){ 0 }, &key, early, &v), OK);
	assert_in_range(v.until_ms, end - 86400000, end + 86400000);
	assert_int_equal(judge(s->arena, anchors, &e, (struct proof){ 0 }, &key, v.until_ms + 1000, &v),
			 ERR_EVIDENCE_EXPIRED);
	assert_int_equal(clock_parse(SPAN("2026-10-01T00:00:00Z"), &early), OK);
	e.obtained_ms = early;
	assert_int_not_equal(judge(s->arena, anchors, &e, (struct proof){ 0 }, &key, early, &v), OK); /* not made yet */
	anchors_free(anchors);
}

static void it_binds_the_key_and_no_resource(void **state)
{
	static const char *const samples[] = { "good", "pgp-good" };
	struct scratch *s = *state;
	struct anchors *anchors = anchored(s);
	struct key_statement key = key_of(s), other = key;
	struct part parts[8];
	struct addressee resource;
	struct proof p = { .resources = &resource, .resource_count = 1 };
	struct verdict v;

	other.key.bytes[31] ^= 1;
	for (size_t i = 0; i < TABLE_LENGTH(samples); i++) {
		struct evidence e = find_case(s->arena, samples[i], parts);

		assert_int_equal(judge(s->arena, anchors, &e, (struct proof){ 0 }, &other, pinned(), &v),
				 i == 0 ? ERR_EVIDENCE_FILE : ERR_EVIDENCE_SIGNATURE);
		assert_int_equal(addressee_parse(SPAN("as64500.example"), &resource), OK);
		assert_int_equal(judge(s->arena, anchors, &e, p, &key, pinned(), &v), OK);
		assert_int_equal(addressee_parse(SPAN("prefix 192.0.2.0/24"), &resource), OK);
		assert_int_equal(judge(s->arena, anchors, &e, p, &key, pinned(), &v), ERR_EVIDENCE_RESOURCE);
		assert_int_equal(addressee_parse(SPAN("other.example"), &resource), OK);
		assert_int_equal(judge(s->arena, anchors, &e, p, &key, pinned(), &v), ERR_EVIDENCE_RESOURCE);
	}
	anchors_free(anchors);
}

/* Deeply nested, of many parts, of a megabyte: refused by form. */
static void bombs_are_refused(void **state)
{
	struct scratch *s = *state;
	struct anchors *anchors = anchored(s);
	struct key_statement key = key_of(s);
	struct buffer bomb = BUFFER((size_t)4 << 20);
	struct part parts[8], many[200];
	struct evidence e = find_case(s->arena, "good", parts);
	struct verdict v;

	for (size_t i = 0; i < 100000; i++)
		buffer_bytes(&bomb, "\x30\x80", 2);
	parts[0].bytes = buffer_view(&bomb);
	assert_int_equal(judge(s->arena, anchors, &e, (struct proof){ 0 }, &key, pinned(), &v), ERR_EVIDENCE);
	while (bomb.len <= (size_t)1 << 20)
		buffer_byte(&bomb, '0');
	parts[0].bytes = buffer_view(&bomb);
	assert_int_equal(judge(s->arena, anchors, &e, (struct proof){ 0 }, &key, pinned(), &v), ERR_EVIDENCE);
	e = find_case(s->arena, "good", parts);
	many[0] = parts[0];
	for (size_t i = 1; i < TABLE_LENGTH(many); i++)
		many[i] = parts[1];
	e.parts = many;
	e.count = TABLE_LENGTH(many);
	assert_int_equal(judge(s->arena, anchors, &e, (struct proof){ 0 }, &key, pinned(), &v), ERR_EVIDENCE);
	buffer_free(&bomb);
	anchors_free(anchors);
}

/* ---- DIR/anchors ---- */

/* What GnuPG would unpack, or compare with one another, for hours. */
static void openpgp_that_costs_more_than_its_bytes_is_refused(void **state)
{
	struct scratch *s = *state;
	struct anchors *anchors = anchored(s);
	struct key_statement key = key_of(s);
	struct buffer plain = BUFFER(1 << 16), signature = BUFFER(1 << 16), bomb = BUFFER(1 << 18);
	struct part parts[8];
	struct evidence e = find_case(s->arena, "pgp-good", parts);
	struct verdict v;

#define JUDGE()                                                                                                        \
	(e.parts[0].bytes = buffer_view(&bomb), judge(s->arena, anchors, &e, (struct proof){ 0 }, &key, pinned(), &v))
	assert_int_equal(openpgp_take_key(e.parts[0].bytes, &plain), OK);
	assert_int_equal(openpgp_take_signature(e.parts[1].bytes, &signature), OK);
	buffer_span(&bomb, buffer_view(&plain));
	assert_int_equal(JUDGE(), OK);
	for (int i = 0; i < 3000; i++) {
		buffer_byte(&bomb, 0xcd); /* a name */
		buffer_byte(&bomb, 4);
		buffer_print(&bomb, "%04d", i);
	}
	assert_int_equal(JUDGE(), ERR_EVIDENCE);
	assert_non_null(strstr(err_detail(), "packet")); /* nobody was asked */
	buffer_clear(&bomb);
	buffer_byte(&bomb, 0xc8); /* packed, here as it is */
	buffer_byte(&bomb, 255);
	buffer_u32(&bomb, (uint32_t)plain.len + 1);
	buffer_byte(&bomb, 0);
	buffer_span(&bomb, buffer_view(&plain));
	assert_int_equal(JUDGE(), ERR_EVIDENCE);
	assert_non_null(strstr(err_detail(), "packet 1"));
	buffer_clear(&bomb);
	buffer_span(&bomb, span_make("\xa3\x01", 2)); /* packed, without an end */
	assert_int_equal(JUDGE(), ERR_EVIDENCE);
	buffer_clear(&bomb);
	buffer_span(&bomb, span_make("\xc6\xea", 2)); /* in parts */
	assert_int_equal(JUDGE(), ERR_EVIDENCE);
	buffer_clear(&bomb);
	buffer_span(&bomb,
		    span_make("\xc6\x19\x04\0\0\0\0\x01\0\x08\xff\0\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0",
			      27));
	assert_int_equal(JUDGE(), ERR_EVIDENCE); /* RSA with an exponent of 72 bits */
	assert_non_null(strstr(err_detail(), "packet 1"));
	buffer_clear(&bomb);
	buffer_span(&bomb, buffer_view(&plain));
	buffer_byte(&signature, 0xc8); /* and a signature with something behind it */
	buffer_byte(&signature, 1);
	buffer_byte(&signature, 0);
	e.parts[1].bytes = buffer_view(&signature);
	assert_int_equal(JUDGE(), ERR_EVIDENCE);
	buffer_free(&plain);
	buffer_free(&signature);
	buffer_free(&bomb);
	anchors_free(anchors);
}

static void anchors_are_read_before_they_are_kept(void **state)
{
	static const struct {
		const char *name, *content;
	} rows[] = {
		{ "a.tal", "rsync://rpki.test/ta.cer\n\nAAAA\n" },
		{ "b.tal", "http://rpki.test/ta.cer\n\nAAAA\n" },
		{ "c.tal", "" },
		{ "d.tal", "rsync://rpki.test/ta.cer\n\n!!!\n" },
		{ "e.pem", "" },
		{ "f.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
		{ "g.txt", "anything" },
		{ "h i.pem", "anything" },
	};
	struct scratch *s = *state;
	struct anchors *anchors = NULL;
	char dir[200], path[300];

	snprintf(dir, sizeof(dir), "%s/anchors", s->dir);
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		assert_int_equal(scratch_write(s, rows[i].name, span_of(rows[i].content)), OK);
		snprintf(path, sizeof(path), "%s/%s", s->dir, rows[i].name);
		assert_int_equal(anchors_add(dir, path), ERR_ANCHOR);
	}
	assert_int_equal(anchors_add(dir, SAMPLES "root.pem"), OK);
	assert_int_equal(anchors_add(dir, SAMPLES "root.pem"), ERR_EXISTS);
	assert_int_equal(anchors_add(dir, "tests/data/rsc/good.tal"), OK);
	assert_int_equal(anchors_open(dir, &anchors), OK);
	assert_string_equal(anchors_at(anchors, 0)->name, "good.tal");
	assert_int_equal(anchors_at(anchors, 0)->kind, ANCHOR_RPKI);
	assert_string_equal(anchors_at(anchors, 1)->name, "root.pem");
	assert_int_equal(anchors_at(anchors, 1)->kind, ANCHOR_LEGAL);
	for (size_t i = 2; i < anchors_count(anchors); i++)
		assert_int_equal(anchors_at(anchors, i)->kind, ANCHOR_DNSSEC);
	anchors_free(anchors);
	assert_int_equal(anchors_remove(dir, "good.tal"), OK);
	assert_int_equal(anchors_remove(dir, "good.tal"), ERR_NOT_FOUND);
	assert_int_equal(anchors_remove(dir, "../scratch.pem"), ERR_NOT_FOUND);
	/* one that cannot be read stops all, and is named */
	assert_int_equal(scratch_write(s, "anchors/bad.tal", SPAN("no locator\n")), OK);
	assert_int_equal(anchors_open(dir, &anchors), ERR_ANCHOR);
	assert_non_null(strstr(err_detail(), "bad.tal"));
}

static void nothing_stays_behind(void **state)
{
	struct scratch *s = *state;
	struct anchors *anchors = anchored(s);
	struct key_statement key = key_of(s);
	static const char *const samples[] = { "pgp-good", "pgp-no-key", "pgp-tampered" };
	struct part parts[8];
	struct verdict v;
	DIR *dir;
	size_t left = 0;

	assert_int_equal(folder_make(scratch_path(s, "tmp"), 0700), OK);
	assert_int_equal(setenv("TMPDIR", scratch_path(s, "tmp"), 1), 0);
	for (size_t i = 0; i < TABLE_LENGTH(samples); i++) {
		struct evidence e = find_case(s->arena, samples[i], parts);

		judge(s->arena, anchors, &e, (struct proof){ 0 }, &key, pinned(), &v);
	}
	unsetenv("TMPDIR");
	assert_non_null(dir = opendir(scratch_path(s, "tmp")));
	while (readdir(dir) != NULL)
		left++;
	closedir(dir);
	assert_int_equal(left, 2); /* . and .. */
	anchors_free(anchors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_case_has_its_own_answer, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(the_certificate_says_who, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(the_key_says_who, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(expiry_is_as_of_the_time_asked_for, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(it_binds_the_key_and_no_resource, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(bombs_are_refused, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(openpgp_that_costs_more_than_its_bytes_is_refused, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(anchors_are_read_before_they_are_kept, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(nothing_stays_behind, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
