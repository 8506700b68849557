#include "test.h"

#include "note/note.h"

#define DASH "\xe2\x80\x94 "

struct fixture {
	struct arena *arena;
	struct signer *a, *b;
	struct buffer out;
};

static int setup(void **state)
{
	static const uint8_t seed_a[KEY_SEED_SIZE] = { 1 }, seed_b[KEY_SEED_SIZE] = { 2 };
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->arena = arena_new(1 << 22)) == NULL ||
	    signer_from_seed(SPAN("a.example"), seed_a, &f->a) != OK ||
	    signer_from_seed(SPAN("b.example"), seed_b, &f->b) != OK)
		return -1;
	f->out = BUFFER(1 << 20);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	signer_free(f->a);
	signer_free(f->b);
	buffer_free(&f->out);
	free(f);
	return 0;
}

/* Parsed and verified by a alone. */
static enum err open_note(struct fixture *f, struct span whole)
{
	struct note n;
	enum err e;

	arena_reset(f->arena);
	e = note_parse(f->arena, whole, &n);
	return e == OK ? note_verify(&n, signer_verifier(f->a), 1, NULL) : e;
}

static void the_library_judges_as_expected(void **state)
{
	(void)state;
	assert_int_equal(note_self_test(), OK);
	assert_string_equal(err_detail(), "");
}

static void signed_and_opened(void **state)
{
	struct fixture *f = *state;
	struct note n;

	assert_int_equal(note_sign(&f->out, SPAN("one\n\ntwo\n"), f->a), OK);
	assert_int_equal(note_add_line(&f->out, SPAN("one\n\ntwo\n"), f->b), OK);
	assert_int_equal(note_parse(f->arena, buffer_view(&f->out), &n), OK);
	assert_span(n.text, "one\n\ntwo\n");
	assert_true(span_equal(n.whole, buffer_view(&f->out)));
	assert_int_equal(n.line_count, 2);
	assert_span(n.lines[0].name, "a.example");
	assert_span(n.lines[1].name, "b.example");
	assert_int_equal(n.lines[1].key_id, signer_verifier(f->b)->key_id);
	assert_int_equal(n.lines[0].signature.len, KEY_SIGNATURE_SIZE);
}

static void tells_who_signed(void **state)
{
	struct fixture *f = *state;
	struct verifier keys[3];
	uint64_t verified = 99;
	struct note n;

	assert_int_equal(verifier_make(SPAN("c.example"), signer_verifier(f->a)->public_key, &keys[0]), OK);
	keys[1] = *signer_verifier(f->b);
	keys[2] = *signer_verifier(f->a);
	note_sign(&f->out, SPAN("t\n"), f->a);
	assert_int_equal(note_parse(f->arena, buffer_view(&f->out), &n), OK);
	assert_int_equal(note_verify(&n, keys, 3, &verified), OK);
	assert_int_equal(verified, 4);
	assert_int_equal(note_verify(&n, keys, 2, &verified), ERR_NOTE_UNSIGNED);
	assert_int_equal(note_verify(&n, keys, 0, &verified), ERR_NOTE_UNSIGNED);
	note_add_line(&f->out, SPAN("t\n"), f->b);
	assert_int_equal(note_parse(f->arena, buffer_view(&f->out), &n), OK);
	assert_int_equal(note_verify(&n, keys, 3, &verified), OK);
	assert_int_equal(verified, 6);
}

/* A line of b over another text spoils the note for whoever knows b, wherever it stands; others ignore it. */
static void every_line_of_a_known_key_counts(void **state)
{
	struct fixture *f = *state;
	struct verifier both[2] = { *signer_verifier(f->a), *signer_verifier(f->b) };
	struct note n;

	note_sign(&f->out, SPAN("t\n"), f->a);
	note_add_line(&f->out, SPAN("other\n"), f->b);
	assert_int_equal(note_parse(f->arena, buffer_view(&f->out), &n), OK);
	assert_int_equal(note_verify(&n, both, 1, NULL), OK);
	assert_int_equal(note_verify(&n, both, 2, NULL), ERR_NOTE_SIGNATURE);
	note_add_line(&f->out, SPAN("other\n"), f->a); /* a good line first, then a bad one of the same key */
	assert_int_equal(open_note(f, buffer_view(&f->out)), ERR_NOTE_SIGNATURE);
}

static void a_repeated_good_line_is_no_harm(void **state)
{
	struct fixture *f = *state;

	note_sign(&f->out, SPAN("t\n"), f->a);
	note_add_line(&f->out, SPAN("t\n"), f->a);
	assert_int_equal(open_note(f, buffer_view(&f->out)), OK);
}

static void no_flipped_bit_passes(void **state)
{
	struct fixture *f = *state;
	struct span whole;

	note_sign(&f->out, SPAN("comity/1 tick\nledger a.example\n"), f->a);
	whole = buffer_view(&f->out);
	assert_int_equal(open_note(f, whole), OK);
	for (size_t bit = 0; bit < 8 * whole.len; bit++) {
		f->out.at[bit / 8] ^= (char)(1 << bit % 8);
		if (open_note(f, whole) == OK)
			fail_msg("bit %zu", bit);
		f->out.at[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t n = 0; n < whole.len; n++)
		if (open_note(f, span_make(whole.at, n)) == OK)
			fail_msg("cut to %zu bytes", n);
}

static void texts_that_are_no_notes(void **state)
{
	static const struct {
		struct span whole;
		enum err e;
	} table[] = {
		{ SPAN(""), ERR_NOTE },
		{ SPAN("\n"), ERR_NOTE },
		{ SPAN("\n\n"), ERR_NOTE },
		{ SPAN("t\n\n"), ERR_NOTE },
		{ SPAN("t\n"), ERR_NOTE },
		{ SPAN("\n" DASH "a AAAAAAA=\n"), ERR_NOTE }, /* no text before the empty line */
		{ SPAN("t\n\n" DASH "a AAAAAAA="), ERR_NOTE },
		{ SPAN("t\n\n" DASH "a AAAAAAA=\nx\n"), ERR_NOTE },
		{ SPAN("t\n\n- a AAAAAAA=\n"), ERR_NOTE },
		{ SPAN("t\n\n" DASH "a\n"), ERR_NOTE },
		{ SPAN("t\n\n" DASH " AAAAAAA=\n"), ERR_NOTE },
		{ SPAN("t\n\n" DASH "a+b AAAAAAA=\n"), ERR_NOTE },
		{ SPAN("t\n\n" DASH "a AAAAAA==\n"), ERR_NOTE }, /* four bytes: a key id and no signature */
		{ SPAN("t\n\n" DASH "a \n"), ERR_NOTE },
		{ SPAN("t\n\n" DASH "a AAAAAAB=\n"), ERR_ENCODING }, /* spare bits */
		{ SPAN("t\n\n" DASH "a AAAAAAA\n"), ERR_ENCODING },
		{ SPAN("t\n\n" DASH "a AAAAAAA= \n"), ERR_ENCODING },
		{ SPAN("t\n\n" DASH "a  AAAAAAA=\n"), ERR_ENCODING },
		{ SPAN("a\tb\n\n" DASH "a AAAAAAA=\n"), ERR_ENCODING },
		{ SPAN("a\r\n\n" DASH "a AAAAAAA=\n"), ERR_ENCODING },
		{ SPAN("a\0\n\n" DASH "a AAAAAAA=\n"), ERR_ENCODING },
		{ SPAN("\xff\n\n" DASH "a AAAAAAA=\n"), ERR_ENCODING },
		{ SPAN("t\n\n" DASH "a AAAAAAA=\n"), ERR_NOTE_UNSIGNED },
		{ SPAN("\n\n" DASH "a AAAAAAA=\n"), ERR_NOTE_UNSIGNED }, /* the smallest text */
		{ SPAN("\x7f\xe2\x98\x82\n\n" DASH "a AAAAAAA=\n"), ERR_NOTE_UNSIGNED },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if (open_note(f, table[i].whole) != table[i].e)
			fail_msg("note %zu: not %s", i, err_code(table[i].e));
}

static void lines_have_a_maximum(void **state)
{
	struct fixture *f = *state;

	note_sign(&f->out, SPAN("t\n"), f->a);
	for (int i = 1; i < NOTE_LINES; i++)
		buffer_text(&f->out, DASH "x AAAAAAA=\n");
	assert_int_equal(open_note(f, buffer_view(&f->out)), OK);
	buffer_text(&f->out, DASH "x AAAAAAA=\n");
	assert_int_equal(open_note(f, buffer_view(&f->out)), ERR_NOTE);
}

static void signatures_of_another_length_fail(void **state)
{
	struct fixture *f = *state;
	struct note n;

	note_sign(&f->out, SPAN("t\n"), f->a);
	assert_int_equal(note_parse(f->arena, buffer_view(&f->out), &n), OK);
	((struct note_line *)(uintptr_t)n.lines)[0].signature.len = 63;
	assert_int_equal(note_verify(&n, signer_verifier(f->a), 1, NULL), ERR_NOTE_SIGNATURE);
}

static void texts_that_are_not_signed(void **state)
{
	static const struct span table[] = { SPAN(""),	    SPAN("t"),	    SPAN("a\tb\n"),
					     SPAN("a\r\n"), SPAN("\xff\n"), SPAN("\0\n") };
	struct fixture *f = *state;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		assert_int_equal(note_sign(&f->out, table[i], f->a), ERR_NOTE);
		assert_int_equal(f->out.len, 0);
	}
}

static void running_out_of_room_is_said(void **state)
{
	struct fixture *f = *state;
	struct arena *small = arena_new(64);
	struct buffer tight = BUFFER(20);
	struct note n;

	note_sign(&f->out, SPAN("t\n"), f->a);
	assert_int_equal(note_parse(small, buffer_view(&f->out), &n), ERR_NO_MEMORY);
	assert_int_equal(note_sign(&tight, SPAN("t\n"), f->a), ERR_TOO_LONG);
	arena_free(small);
	buffer_free(&tight);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_library_judges_as_expected),
		TEST(signed_and_opened),
		TEST(tells_who_signed),
		TEST(every_line_of_a_known_key_counts),
		TEST(a_repeated_good_line_is_no_harm),
		TEST(no_flipped_bit_passes),
		TEST(texts_that_are_no_notes),
		TEST(lines_have_a_maximum),
		TEST(signatures_of_another_length_fail),
		TEST(texts_that_are_not_signed),
		TEST(running_out_of_room_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
