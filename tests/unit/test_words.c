/* Core codes, the vocabularies of parties, and what may flow between them. */
#include "regime/words.h"

#include "regime.h"

static void codes(void **state)
{
	size_t count;
	const struct core_code *all = core_codes(&count);

	(void)state;
	assert_in_range(count, 12, CORE_CODE_COUNT_MAX);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(all[i].number, i + 1);
		assert_ptr_equal(core_code_find(all[i].number), &all[i]);
		assert_int_equal(all[i].says[strlen(all[i].says) - 1], '.');
		assert_int_equal(core_code_of(core_code_class(all[i].number)), all[i].number);
		for (size_t j = 0; j < i; j++)
			assert_false(strcmp(all[i].effect, all[j].effect) == 0 &&
				     strcmp(all[i].object, all[j].object) == 0 &&
				     strcmp(all[i].evidence, all[j].evidence) == 0);
	}
	assert_null(core_code_find(0));
	assert_null(core_code_find((unsigned)count + 1));
	assert_int_equal(core_code_class(0), CLASS_NONE);
	assert_int_equal(core_code_class(99), CLASS_NONE);
	for (int c = CLASS_NONE; c < CLASS_COUNT; c++)
		if (class_is_content((enum rsit_class)c) || c == CLASS_OTHER || c == CLASS_UNDETERMINED ||
		    c == CLASS_TEST)
			assert_int_equal(core_code_of((enum rsit_class)c), 0);
}

/* ---- the list ---- */

static enum err parse(struct scratch *s, const char *text, struct words *out)
{
	return words_parse(s->arena, span_of(text), out);
}

#define TERMS(t) "{\"languages\":[\"de\",\"en\"],\"terms\":[" t "]}"
#define TERM(t, l, c) "{\"term\":\"" t "\",\"language\":\"" l "\",\"code\":" c "}"

static void lists(void **state)
{
	static const struct {
		const char *what, *text;
		bool good;
	} rows[] = {
		{ "none", TERMS(""), true },
		{ "one", TERMS(TERM("Schadsoftware-Server", "de", "3")), true },
		{ "in two languages", TERMS(TERM("Phishing", "de", "18") "," TERM("phishing", "en", "18")), true },
		{ "for two codes", TERMS(TERM("Phishing", "de", "18") "," TERM("phishing", "en", "17")), false },
		{ "twice", TERMS(TERM("W\xc3\x84RME", "de", "1") "," TERM("w\xc3\xa4rme", "de", "1")), false },
		{ "code 0", TERMS(TERM("x", "de", "0")), false },
		{ "code 21", TERMS(TERM("x", "de", "21")), false },
		{ "code 4294967297", TERMS(TERM("x", "de", "4294967297")), false },
		{ "no number", TERMS(TERM("x", "de", "\"3\"")), false },
		{ "another language", TERMS(TERM("x", "fr", "3")), false },
		{ "empty", TERMS(TERM("", "de", "3")), false },
		{ "a space first", TERMS(TERM(" x", "de", "3")), false },
		{ "two lines", TERMS(TERM("x\\ny", "de", "3")), false },
		{ "an escape", TERMS(TERM("\\u001b[2J", "de", "3")), false },
		{ "C1", TERMS(TERM("x\xc2\x9b", "de", "3")), false },
		{ "no UTF-8", TERMS(TERM("x\xff", "de", "3")), false },
		{ "speech", TERMS(TERM("Hassrede", "de", "3")), false },
		{ "speech in letters of another case", TERMS(TERM("GOTTESL\xc3\x84STERUNG", "de", "3")), false },
		{ "a class that is refused", TERMS(TERM("fraud/copyright", "en", "3")), false },
		{ "more beside", "{\"languages\":[\"de\"],\"terms\":[],\"note\":1}", false },
		{ "a member twice", "{\"languages\":[\"de\"],\"terms\":[],\"terms\":[]}", false },
		{ "no language", "{\"languages\":[],\"terms\":[]}", false },
		{ "a language twice", "{\"languages\":[\"de\",\"de\"],\"terms\":[]}", false },
		{ "no tag", "{\"languages\":[\"d e\"],\"terms\":[]}", false },
		{ "no object", "[]", false },
		{ "nothing", "", false },
	};
	struct words w;

	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		enum err e = parse(*state, rows[i].text, &w);

		if (e != (rows[i].good ? OK : ERR_VOCABULARY))
			fail_msg("%s: %s (%s)", rows[i].what, err_code(e), err_detail());
	}
}

static void too_large(void **state)
{
	struct scratch *s = *state;
	struct buffer b = BUFFER((size_t)2 << 20);
	struct words w;

	for (size_t count = VOCABULARY_TERMS_MAX; count <= VOCABULARY_TERMS_MAX + 1; count++) {
		buffer_clear(&b);
		buffer_text(&b, "{\"languages\":[\"en\"],\"terms\":[");
		for (size_t i = 0; i < count; i++)
			buffer_print(&b, "%s{\"term\":\"t%zu\",\"language\":\"en\",\"code\":%zu}", i > 0 ? "," : "", i,
				     i % 20 + 1);
		buffer_text(&b, "]}");
		assert_int_equal(words_parse(s->arena, buffer_view(&b), &w),
				 count == VOCABULARY_TERMS_MAX ? OK : ERR_VOCABULARY);
	}
	for (size_t n = VOCABULARY_TERM_MAX; n <= VOCABULARY_TERM_MAX + 1; n++) {
		buffer_clear(&b);
		buffer_text(&b, "{\"languages\":[\"en\"],\"terms\":[{\"term\":\"");
		for (size_t i = 0; i < n; i++)
			buffer_byte(&b, 'x');
		buffer_text(&b, "\",\"language\":\"en\",\"code\":1}]}");
		assert_int_equal(words_parse(s->arena, buffer_view(&b), &w),
				 n == VOCABULARY_TERM_MAX ? OK : ERR_VOCABULARY);
	}
	buffer_clear(&b);
	for (size_t i = 0; i <= VOCABULARY_BODY_MAX; i++)
		buffer_byte(&b, ' ');
	assert_int_equal(words_parse(s->arena, buffer_view(&b), &w), ERR_VOCABULARY);
	buffer_free(&b);
}

static void case_is_folded(void **state)
{
	static const char *const pairs[][2] = {
		{ "Botnet", "bOTNET" },
		{ "\xc3\x9c"
		  "bernahme",
		  "\xc3\xbc"
		  "BERNAHME" },
		{ "\xc5\xa0koda", "\xc5\xa1KODA" },
		{ "\xc5\xb8", "\xc3\xbf" },
		{ "\xce\x94\xce\xaf\xce\xba\xcf\x84\xcf\x85\xce\xbf",
		  "\xce\xb4\xce\x8a\xce\x9a\xce\xa4\xce\xa5\xce\x9f" },
		{ "\xd0\xa1\xd0\xbf\xd0\xb0\xd0\xbc", "\xd1\x81\xd0\x9f\xd0\x90\xd0\x9c" },
		{ "\xd0\x81\xd0\xb6", "\xd1\x91\xd0\x96" },
		{ "\xe6\x81\xb6\xe6\x84\x8f", "\xe6\x81\xb6\xe6\x84\x8f" },
	};
	struct scratch *s = *state;

	for (size_t i = 0; i < TABLE_LENGTH(pairs); i++) {
		struct words w;
		const char *text = arena_print(
			s->arena,
			"{\"languages\":[\"en\"],\"terms\":[{\"term\":\"%s\",\"language\":\"en\",\"code\":2}]}",
			pairs[i][0]);
		const struct word *found;

		assert_int_equal(parse(s, text, &w), OK);
		found = words_find(&w, span_of(pairs[i][1]));
		if (found == NULL)
			fail_msg("%s and %s", pairs[i][0], pairs[i][1]);
		assert_int_equal(found->code, 2);
		assert_null(words_find(&w, SPAN("another")));
	}
}

/* ---- round trips ---- */

static void random_list(uint64_t *seed, struct buffer *out)
{
	size_t terms = test_below(seed, 60);

	buffer_clear(out);
	buffer_text(out, "{\"languages\":[\"en\",\"de\",\"ru\"],\"terms\":[");
	for (size_t i = 0; i < terms; i++) {
		static const char *const languages[] = { "en", "de", "ru" };
		static const char *const letters[] = { "a", "B", "\xc3\xa4", "\xd0\x96", "\xe6\x81\xb6", "\xce\xa9" };

		buffer_print(out, "%s{\"term\":\"%zu", i > 0 ? "," : "", i);
		for (size_t n = test_below(seed, 5); n > 0; n--)
			buffer_text(out, letters[test_below(seed, TABLE_LENGTH(letters))]);
		buffer_print(out, "\",\"language\":\"%s\",\"code\":%zu}", languages[test_below(seed, 3)],
			     1 + test_below(seed, 20));
	}
	buffer_text(out, "]}");
}

/* A's word, B's word for its code, A's word for that one's code: the code is the same all the way, or there is no word. */
static void a_round_trip_keeps_the_code(void **state)
{
	struct scratch *s = *state;
	uint64_t seed = test_seed();
	struct buffer b = BUFFER((size_t)1 << 20);
	size_t went = 0;

	for (int round = 0; round < 400; round++) {
		struct arena *arena = arena_new((size_t)8 << 20);
		struct words two[2];

		for (int i = 0; i < 2; i++) {
			random_list(&seed, &b);
			assert_int_equal(words_parse(arena, buffer_view(&b), &two[i]), OK);
		}
		for (size_t i = 0; i < two[0].count; i++) {
			struct span term = two[0].at[i].term;
			unsigned code = words_find(&two[0], term)->code;
			const struct word *there = words_of_code(&two[1], code, SPAN("")), *back;

			assert_int_equal(code, two[0].at[i].code);
			if (there == NULL)
				continue;
			assert_int_equal(words_find(&two[1], there->term)->code, code);
			back = words_of_code(&two[0], words_find(&two[1], there->term)->code, SPAN(""));
			assert_non_null(back);
			assert_int_equal(words_find(&two[0], back->term)->code, code);
			went++;
		}
		arena_free(arena);
	}
	assert_true(went > 100);
	buffer_free(&b);
	(void)s;
}

static void what_is_printed_reads_the_same(void **state)
{
	uint64_t seed = test_seed();
	struct buffer b = BUFFER((size_t)1 << 20), again = BUFFER((size_t)1 << 20);

	(void)state;
	for (int round = 0; round < 100; round++) {
		struct arena *arena = arena_new((size_t)8 << 20);
		struct words w, v;

		random_list(&seed, &b);
		assert_int_equal(words_parse(arena, buffer_view(&b), &w), OK);
		buffer_clear(&again);
		words_print(&w, &again);
		assert_int_equal(words_parse(arena, buffer_view(&again), &v), OK);
		assert_int_equal(v.count, w.count);
		for (size_t i = 0; i < w.count; i++) {
			assert_true(span_equal(v.at[i].term, w.at[i].term));
			assert_true(span_equal(v.at[i].language, w.at[i].language));
			assert_int_equal(v.at[i].code, w.at[i].code);
			assert_int_equal(v.at[i].place, w.at[i].place);
		}
		arena_free(arena);
	}
	buffer_free(&b);
	buffer_free(&again);
}

/* ---- statements ---- */

#define HOUR INT64_C(3600000)

struct pair {
	struct bare *b;
	struct signer *op, *res;
	struct hash last; /* the statement that was filed last */
	int64_t now;
};

static void add(struct pair *p, enum kind k, const struct signer *from, enum ledger_id l, const char *lines)
{
	p->now += HOUR;
	assert_int_equal(bare_fold(p->b,
				   statement_text(p->b->arena, k,
						  l == LEDGER_PUBLIC ? "cert.example/public" : "cert.example/circle",
						  from, lines, &p->last),
				   l, p->now),
			 OK);
}

static enum err ask(struct pair *p, enum kind k, const struct signer *from, enum ledger_id l, const char *lines)
{
	struct statement s;

	assert_int_equal(
		statement_parse(p->b->arena,
				statement_text(p->b->arena, k,
					       l == LEDGER_PUBLIC ? "cert.example/public" : "cert.example/circle", from,
					       lines, NULL),
				&s),
		OK);
	p->b->st.ledger = l;
	p->b->st.index = p->b->size[l];
	p->b->st.logged_ms = ++p->now;
	err_clear();
	return state_check(&p->b->st, &s);
}

static struct pair pair_new(struct scratch *s, bool rules)
{
	struct pair p = { .b = bare_new(s, "views"), .now = 1000 };

	p.op = signer_of("op.example");
	p.res = signer_of("res.example");
	assert_int_equal(
		bare_fold(p.b,
			  party_text(s->arena, "cert.example/public", p.op, "role operator\nclaim AS64500\n", NULL),
			  LEDGER_PUBLIC, ++p.now),
		OK);
	assert_int_equal(bare_fold(p.b, party_text(s->arena, "cert.example/public", p.res, "role researcher\n", NULL),
				   LEDGER_PUBLIC, ++p.now),
			 OK);
	if (rules)
		add(&p, KIND_RULES, p.b->node, LEDGER_PUBLIC, "version 2\n");
	return p;
}

static void pair_free(struct pair *p)
{
	signer_free(p->op);
	signer_free(p->res);
	bare_free(p->b);
}

static enum err tell(struct pair *p, const struct signer *from, const char *to, const char *class)
{
	return ask(p, KIND_NOTICE, from, LEDGER_CIRCLE,
		   arena_print(p->b->arena, "%s\nclass %s\nevents 1\n" SEALED_BODY, to, class));
}

static void under_older_rules_it_is_nothing(void **state)
{
	struct pair p = pair_new(*state, false);
	struct vocabulary v;

	assert_int_equal(ask(&p, KIND_VOCABULARY, p.op, LEDGER_PUBLIC, "codes 1\nrecognise 3\n"), ERR_RULES);
	add(&p, KIND_VOCABULARY, p.op, LEDGER_PUBLIC, "codes 1\nrecognise 3\n");
	assert_int_equal(state_vocabulary(&p.b->st, SPAN("op.example"), p.now, &v), ERR_NOT_FOUND);
	assert_int_equal(tell(&p, p.res, "to op.example", "fraud/phishing"), OK);
	pair_free(&p);
}

#define HASH_A "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void refusals(void **state)
{
	static const struct {
		const char *lines;
		enum err err;
	} rows[] = {
		{ "codes 1\n", OK },
		{ "codes 1\nrecognise 1\nrecognise 20\n", OK },
		{ "codes 1\nbody " VOCABULARY_MEDIA_TYPE " 40 " HASH_A "\n", OK },
		{ "recognise 1\n", ERR_STATEMENT_HEADER },
		{ "codes 2\n", ERR_STATEMENT_HEADER },
		{ "codes one\n", ERR_STATEMENT_HEADER },
		{ "codes 1\nrecognise 0\n", ERR_STATEMENT_HEADER },
		{ "codes 1\nrecognise 21\n", ERR_STATEMENT_HEADER },
		{ "codes 1\nrecognise 03\n", ERR_STATEMENT_HEADER },
		{ "codes 1\nrecognise 3\nrecognise 3\n", ERR_STATEMENT_HEADER },
		{ "codes 1\nbody application/json 40 " HASH_A "\n", ERR_STATEMENT_HEADER },
		{ "codes 1\nbody " VOCABULARY_MEDIA_TYPE " 40 sealed-" HASH_A "\n", ERR_STATEMENT_HEADER },
		{ "codes 1\nbody " VOCABULARY_MEDIA_TYPE " 9000000 " HASH_A "\n", ERR_STATEMENT_HEADER },
	};
	struct pair p = pair_new(*state, true);

	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		enum err e = ask(&p, KIND_VOCABULARY, p.op, LEDGER_PUBLIC, rows[i].lines);

		if (e != rows[i].err)
			fail_msg("%s: %s (%s)", rows[i].lines, err_code(e), err_detail());
	}
	assert_int_equal(ask(&p, KIND_VOCABULARY, p.op, LEDGER_CIRCLE, "codes 1\n"), ERR_STATEMENT_LEDGER);
	pair_free(&p);
}

/* Codes: infected-system 2, c2-server 3, phishing 18. */
static void only_what_both_recognise_flows(void **state)
{
	struct pair p = pair_new(*state, true);
	uint32_t joint = 0;
	struct vocabulary v;
	struct hash first;
	int64_t before;

	assert_int_equal(tell(&p, p.res, "to op.example", "fraud/phishing"), OK);
	before = p.now;
	add(&p, KIND_VOCABULARY, p.op, LEDGER_PUBLIC, "codes 1\nrecognise 2\nrecognise 3\n");
	first = p.last;
	assert_int_equal(tell(&p, p.res, "to op.example", "fraud/phishing"), ERR_NOT_RECOGNISED);
	assert_string_equal(err_detail(), "");
	assert_int_equal(tell(&p, p.res, "to op.example", "malicious-code/c2-server"), OK);
	/* What says nothing goes to who answers, as before; a resource recognises nothing and refuses nothing. */
	assert_int_equal(tell(&p, p.res, "to op.example", "other/undetermined"), OK);
	assert_int_equal(tell(&p, p.res, "to AS64500", "fraud/phishing"), OK);
	assert_int_equal(tell(&p, p.res, "to AS64500\ncc op.example", "fraud/phishing"), ERR_NOT_RECOGNISED);
	assert_int_equal(tell(&p, p.res, "to AS64500\nto op.example", "fraud/phishing"), ERR_NOT_RECOGNISED);
	assert_int_equal(tell(&p, p.op, "to res.example", "fraud/phishing"), ERR_NOT_RECOGNISED); /* nor does it give */
	assert_int_equal(tell(&p, p.op, "to res.example", "malicious-code/c2-server"), OK);

	add(&p, KIND_VOCABULARY, p.res, LEDGER_PUBLIC, "codes 1\nrecognise 3\nrecognise 18\n");
	assert_int_equal(codes_joint(&p.b->st, SPAN("op.example"), SPAN("res.example"), p.now, &joint), OK);
	assert_int_equal(joint, 1 << 2);
	assert_int_equal(tell(&p, p.res, "to op.example", "malicious-code/infected-system"), ERR_NOT_RECOGNISED);
	/* As it was then. */
	assert_int_equal(state_vocabulary(&p.b->st, SPAN("op.example"), before, &v), ERR_NOT_FOUND);
	assert_int_equal(codes_joint(&p.b->st, SPAN("op.example"), SPAN("res.example"), before, &joint), OK);
	assert_int_equal(joint, (1 << 20) - 1);

	add(&p, KIND_VOCABULARY, p.op, LEDGER_PUBLIC, "codes 1\nrecognise 18\n");
	assert_int_equal(state_vocabulary(&p.b->st, SPAN("op.example"), p.now, &v), OK);
	assert_int_equal(v.recognised, 1 << 17);
	assert_int_equal(tell(&p, p.res, "to op.example", "fraud/phishing"), OK);
	assert_int_equal(state_vocabulary(&p.b->st, SPAN("op.example"), p.now - 2 * HOUR, &v), OK);
	assert_true(hash_equal(v.statement, first));

	/* An older one that is withdrawn changes nothing; the one in force does. */
	assert_int_equal(ask(&p, KIND_WITHDRAW, p.res, LEDGER_PUBLIC,
			     arena_print(p.b->arena, "re %s\n", hex_of(p.b->arena, p.last))),
			 ERR_NOT_YOURS);
	add(&p, KIND_WITHDRAW, p.op, LEDGER_PUBLIC, arena_print(p.b->arena, "re %s\n", hex_of(p.b->arena, first)));
	assert_int_equal(state_vocabulary(&p.b->st, SPAN("op.example"), p.now, &v), OK);
	add(&p, KIND_WITHDRAW, p.op, LEDGER_PUBLIC,
	    arena_print(p.b->arena, "re %s\n", hex_of(p.b->arena, v.statement)));
	assert_int_equal(state_vocabulary(&p.b->st, SPAN("op.example"), p.now, &v), ERR_NOT_FOUND);
	assert_int_equal(codes_joint(&p.b->st, SPAN("op.example"), SPAN("res.example"), p.now, &joint), OK);
	assert_int_equal(joint, 1 << 2 | 1 << 17);
	pair_free(&p);
}

static enum err count_one(void *context, const struct vocabulary *v)
{
	*(unsigned *)context = *(unsigned *)context * 10 + (span_is(v->party, "op.example") ? 1 : 2);
	return OK;
}

static void all_parties(void **state)
{
	struct pair p = pair_new(*state, true);
	unsigned seen = 0;

	add(&p, KIND_VOCABULARY, p.op, LEDGER_PUBLIC, "codes 1\nrecognise 2\n");
	add(&p, KIND_VOCABULARY, p.res, LEDGER_PUBLIC, "codes 1\nrecognise 2\n");
	add(&p, KIND_VOCABULARY, p.op, LEDGER_PUBLIC, "codes 1\nrecognise 3\n");
	assert_int_equal(state_vocabularies(&p.b->st, p.now, count_one, &seen), OK);
	assert_int_equal(seen, 12);
	add(&p, KIND_WITHDRAW, p.op, LEDGER_PUBLIC, arena_print(p.b->arena, "re %s\n", hex_of(p.b->arena, p.last)));
	seen = 0;
	assert_int_equal(state_vocabularies(&p.b->st, p.now, count_one, &seen), OK);
	assert_int_equal(seen, 2);
	pair_free(&p);
}

/* Who answered `cannot` asks for help: only those who take the code. */
static void requests_too(void **state)
{
	struct pair p = pair_new(*state, true);
	const char *ask_for;
	struct hash notice;

	add(&p, KIND_NOTICE, p.res, LEDGER_CIRCLE, "to op.example\nclass fraud/phishing\nevents 1\n" SEALED_BODY);
	notice = p.last;
	add(&p, KIND_ANSWER, p.op, LEDGER_CIRCLE,
	    arena_print(p.b->arena, "re %s\noutcome cannot\n", hex_of(p.b->arena, notice)));
	ask_for = arena_print(p.b->arena, "re %s\nto res.example\nneed hands\n", hex_of(p.b->arena, notice));
	assert_int_equal(ask(&p, KIND_REQUEST, p.op, LEDGER_CIRCLE, ask_for), OK);
	add(&p, KIND_VOCABULARY, p.res, LEDGER_PUBLIC, "codes 1\nrecognise 2\n");
	assert_int_equal(ask(&p, KIND_REQUEST, p.op, LEDGER_CIRCLE, ask_for), ERR_NOT_RECOGNISED);
	assert_string_equal(err_detail(), "");
	pair_free(&p);
}

/* Texts are looked at by the door alone: what stands in a ledger folds as it did. */
static void texts_at_the_door(void **state)
{
	struct pair p = pair_new(*state, true);
	const char *lines;
	struct matter m;
	struct hash notice;

	add(&p, KIND_NOTICE, p.res, LEDGER_CIRCLE, "to op.example\nclass fraud/phishing\nevents 1\n" SEALED_BODY);
	notice = p.last;
	lines = arena_print(p.b->arena, "re %s\noutcome working\ntext please remove the post\n",
			    hex_of(p.b->arena, notice));
	assert_int_equal(ask(&p, KIND_ANSWER, p.op, LEDGER_CIRCLE, lines), ERR_CLASS_CONTENT);
	add(&p, KIND_ANSWER, p.op, LEDGER_CIRCLE, lines);
	assert_int_equal(state_matter(&p.b->st, notice, &m), OK);
	assert_int_equal(m.outcome, OUTCOME_WORKING);
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes),
		cmocka_unit_test_setup_teardown(lists, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(too_large, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(case_is_folded, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_round_trip_keeps_the_code, scratch_setup, scratch_teardown),
		cmocka_unit_test(what_is_printed_reads_the_same),
		cmocka_unit_test_setup_teardown(under_older_rules_it_is_nothing, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(refusals, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(only_what_both_recognise_flows, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(all_parties, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(requests_too, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(texts_at_the_door, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
