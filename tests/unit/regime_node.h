/* What the tests of the node share: notices with bodies, marks, and folders put back as they were at some moment. */
#ifndef REGIME_NODE_TEST_H
#define REGIME_NODE_TEST_H

#include "regime.h"

static inline void copy(const char *from, const char *to)
{
	char command[1000];

	assert_true(snprintf(command, sizeof(command), "cp -a '%s' '%s'", from, to) < (int)sizeof(command));
	assert_int_equal(system(command), 0);
}

static inline void take_away(const char *path)
{
	assert_int_equal(nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void put_back(const char *from, const char *to)
{
	take_away(to);
	copy(from, to);
}

static inline void reopen(struct world *w)
{
	node_close(w->n);
	w->n = NULL;
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
}

static inline void body_of(size_t i, uint8_t salt[SEAL_SALT_SIZE], char payload[40], struct body_reference *ref)
{
	memset(salt, (int)(i + 1), SEAL_SALT_SIZE);
	snprintf(payload, 40, "evidence %zu, not for everyone", i);
	*ref = (struct body_reference){ .media_type = SPAN("application/vnd.comity.evidence+zstd"),
					.size = strlen(payload),
					.sealed = true };
	ref->hash = seal_commitment(SPAN("cert.example"), SPAN(""), ref->media_type, salt, span_of(payload));
}

/* A notice with its body, in two parts, in the open batch. */
static inline struct appended add_notice(struct world *w, size_t i)
{
	struct statement_writer writer = { 0 };
	struct addressee to = { .type = TO_AS, .asn = (uint32_t)(i + 1) };
	uint8_t salt[SEAL_SALT_SIZE];
	struct body_reference ref;
	struct appended out;
	struct span parts[2];
	char payload[40];

	body_of(i, salt, payload, &ref);
	parts[0] = span_make(payload, 5);
	parts[1] = span_from(span_of(payload), 5);
	assert_int_equal(node_add_body(w->n, &ref, salt, parts, 2), OK);
	statement_begin(&writer, KIND_NOTICE, node_origin(w->n, LEDGER_CIRCLE), signer_verifier(node_signer(w->n)));
	statement_add_to(&writer, &to);
	statement_add(&writer, "class", SPAN("intrusion-attempts/brute-force"));
	statement_add_print(&writer, "events", "%zu", i + 1);
	statement_add_body(&writer, &ref);
	assert_int_equal(node_add_own(w->n, &writer, &out), OK);
	statement_writer_free(&writer);
	return out;
}

static inline void add_notices(struct world *w, size_t from, size_t to)
{
	assert_int_equal(node_begin(w->n), OK);
	for (size_t i = from; i < to; i++)
		add_notice(w, i);
	assert_int_equal(node_commit(w->n), OK);
}

static inline void add_marks(struct world *w, uint64_t seed, size_t count)
{
	struct mark *marks = calloc(count, sizeof(*marks));

	assert_non_null(marks);
	for (size_t i = 0; i < count; i++)
		test_bytes(&seed, marks[i].bytes, MARK_SIZE);
	marks_sort(marks, count);
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_marks(w->n, marks, count), OK);
	assert_int_equal(node_commit(w->n), OK);
	free(marks);
}

static inline enum err audit(struct world *w)
{
	struct audit a;

	return node_audit(w->n, NULL, NULL, &a);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

#endif
