/* Views of statements, drawn by chance: valid STIX by our own rules, the same bytes twice, whatever a header says. What others'
 * readers say is in tests/e2e/test_statement_views.py. */
#include "exchange/statement_view.h"

#include <yyjson.h>

#include "base/json.h"
#include "regime.h"
#include "stix/validate.h"

#define EXTENSION "extension-definition--2784c119-7561-4003-b680-5f786171108e"
#define ROUNDS 400

/* All that a value may hold: printable ASCII, no space at its ends. */
static const char *draw_value(struct arena *a, uint64_t *seed, size_t most)
{
	static const char bad[] = "\"\\/<>&'{}[]:,%";
	size_t n = 1 + test_below(seed, most);
	char *text = arena_alloc(a, n + 1);

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		text[i] = test_below(seed, 3) == 0 ? bad[test_below(seed, sizeof(bad) - 1)]
						   : (char)(' ' + test_below(seed, 95));
	if (text[0] == ' ')
		text[0] = '"';
	if (text[n - 1] == ' ')
		text[n - 1] = '\\';
	text[n] = '\0';
	return text;
}

static const char *draw_time(struct arena *a, uint64_t *seed)
{
	return arena_print(a, "2026-%02u-%02uT%02u:00:00Z", (unsigned)(1 + test_below(seed, 12)),
			   (unsigned)(1 + test_below(seed, 28)), (unsigned)test_below(seed, 24));
}

/* Headers of a kind, as a node would let them in. */
static const char *draw_lines(struct arena *a, enum kind k, const char *re, uint64_t *seed, size_t most)
{
	const char *odd = draw_value(a, seed, most);
	bool referring = test_below(seed, 2) == 0;

	switch (k) {
	case KIND_PARTY:
		return arena_print(a, "role operator\nrole vendor\ntitle %s\nclaim AS64500\n", odd);
	case KIND_PLAN:
		return arena_print(
			a, "activity scan\nstart %s\nend 2027-01-01T00:00:00Z\nsource any\ntarget any\npurpose %s\n",
			draw_time(a, seed), odd);
	case KIND_NOTICE:
		return arena_print(
			a, "to %s\nto AS64500\ncc other.example\nclass vulnerable/weak-crypto\nevents %u\n%s%s%s",
			test_below(seed, 2) == 0 ? "op.example" : "country EE", (unsigned)test_below(seed, 9),
			test_below(seed, 2) == 0 ? "tlp AMBER+STRICT\n" : "",
			test_below(seed, 2) == 0 ? "first 2026-01-01T00:00:00Z\nlast 2026-01-02T00:00:00Z\n" : "",
			SEALED_BODY);
	case KIND_ANSWER:
		return arena_print(a, "re %s\noutcome working\ntext %s\n%s", re, odd,
				   test_below(seed, 2) == 0 ? "for op.example\nvia desk\n" : "");
	case KIND_PROOF:
		return arena_print(a, "method observed\n%s%s%s%s%s",
				   test_below(seed, 2) == 0 ? "resource prefix 192.0.2.0/24\nresource AS64500\n" : "",
				   test_below(seed, 2) == 0 ? "to op.example\n" : "", referring ? "subject " : "",
				   referring ? odd : "", referring ? "\n" : "");
	case KIND_WITHDRAW:
		return arena_print(a, "re %s\ntext %s\n", re, odd);
	default:
		return arena_print(a, "text %s\nx-odd %s\n%s%s%s", odd, draw_value(a, seed, 50), referring ? "re " : "",
				   referring ? re : "", referring ? "\n" : "");
	}
}

static yyjson_val *parse(struct arena *a, struct span text)
{
	struct yyjson_doc *doc;

	assert_int_equal(json_read(a, text, &doc), OK);
	return yyjson_doc_get_root(doc);
}

static struct span member(const yyjson_val *o, const char *name)
{
	yyjson_val *v = yyjson_obj_get((yyjson_val *)(uintptr_t)o, name);

	assert_true(yyjson_is_str(v));
	return span_make(yyjson_get_str(v), yyjson_get_len(v));
}

static void assert_valid(struct arena *a, const yyjson_val *o, struct span text)
{
	struct stix_verdict v;

	assert_int_equal(stix_validate_value(a, o, &v), OK);
	if (v.refusals > 0)
		fail_msg("%s: %s\n%.*s", v.findings[0].rule->name, v.findings[0].text, SPAN_FORMAT(text));
}

static void check_view(struct arena *a, const struct statement *s, const struct matter *re)
{
	struct buffer one = BUFFER(8 * STATEMENT_MAX), two = BUFFER(8 * STATEMENT_MAX);
	struct stix_id id = statement_view_id(s->kind, s->from, s->id);
	const yyjson_val *o, *extension;
	struct stix_object read;
	struct stix_raw raw;
	char hex[HASH_HEX + 1];

	statement_view(s, INT64_C(1795380300123), re, &one);
	statement_view(s, INT64_C(1795380300123), re, &two);
	assert_int_equal(one.err, OK);
	assert_true(span_equal(buffer_view(&one), buffer_view(&two)));
	o = parse(a, buffer_view(&one));
	assert_valid(a, o, buffer_view(&one));
	raw = (struct stix_raw){ buffer_view(&one), o };
	assert_int_equal(stix_object_read(a, &raw, &read), OK);
	assert_span(read.id, id.text);
	assert_span(read.type, statement_view_type(s->kind));
	assert_span(read.modified_text, "2026-11-22T20:45:00.123Z");
	extension = yyjson_obj_get(yyjson_obj_get((yyjson_val *)(uintptr_t)o, "extensions"), EXTENSION);
	assert_true(span_equal(member(extension, "signed_note"), s->note.whole));
	hash_hex(s->id, hex);
	assert_span(member(extension, "statement_id"), hex);
	if (s->kind != KIND_PARTY) {
		uint8_t begin[STATEMENT_VIEW_BYTES];
		const char *uuid = strstr(id.text, "--") + 2;
		char digits[13];

		memcpy(digits, uuid, 8);
		memcpy(digits + 8, uuid + 9, 4);
		digits[12] = '\0';
		assert_int_equal(hex_decode(span_make(digits, 12), begin, sizeof(begin)), OK);
		assert_memory_equal(begin, s->id.bytes, sizeof(begin));
	}
	buffer_free(&one);
	buffer_free(&two);
}

static struct span draw_note(struct arena *a, enum kind k, const struct signer *key, const char *re, uint64_t *seed,
			     size_t most)
{
	const char *lines = draw_lines(a, k, re, seed, most);

	return k == KIND_PARTY ? party_text(a, "cert.example/public", key, lines, NULL)
			       : statement_text(a, k, "cert.example/circle", key, lines, NULL);
}

static void all_kinds(void **state)
{
	struct arena *a = arena_new((size_t)1 << 26);
	struct signer *key = signer_of("op.example");
	struct hash about = hash_span(SPAN("a matter"));
	struct matter m = { .id = about, .kind = KIND_NOTICE, .from = SPAN("cert.example") };
	uint64_t seed = test_seed();
	char re[HASH_HEX + 1];

	(void)state;
	hash_hex(about, re);
	for (int round = 0; round < ROUNDS; round++)
		for (int k = KIND_UNKNOWN + 1; k < KIND_COUNT; k++) {
			struct statement s;

			arena_reset(a);
			assert_int_equal(statement_parse(a, draw_note(a, (enum kind)k, key, re, &seed, 200), &s), OK);
			check_view(a, &s, s.has_re && test_below(&seed, 2) == 0 ? &m : NULL);
		}
	signer_free(key);
	arena_free(a);
}

/* The largest statements, of nothing but what JSON has to escape. */
static void the_largest(void **state)
{
	static const enum kind kinds[] = { KIND_PARTY, KIND_PLAN, KIND_ANSWER, KIND_ADVISORY };
	struct arena *a = arena_new((size_t)1 << 26);
	struct signer *key = signer_of("op.example");
	char *all = arena_alloc(a, STATEMENT_MAX), re[HASH_HEX + 1];

	(void)state;
	assert_non_null(all);
	hash_hex(hash_span(SPAN("a matter")), re);
	for (size_t i = 0; i < TABLE_LENGTH(kinds); i++) {
		const char *name = kinds[i] == KIND_PARTY ? "title" : kinds[i] == KIND_PLAN ? "purpose" : "text";
		struct statement s;
		char *lines;

		memset(all, i % 2 == 0 ? '"' : '\\', STATEMENT_MAX);
		all[STATEMENT_MAX - 2000] = '\0';
		lines = arena_print(a, "%s%s%s%s %s\n", kinds[i] == KIND_ANSWER ? "re " : "",
				    kinds[i] == KIND_ANSWER ? re : "",
				    kinds[i] == KIND_ANSWER ? "\noutcome fixed\n" : "", name, all);
		assert_non_null(lines);
		assert_int_equal(
			statement_parse(a,
					kinds[i] == KIND_PARTY
						? party_text(a, "cert.example/public", key, lines, NULL)
						: statement_text(a, kinds[i], "cert.example/public", key, lines, NULL),
					&s),
			OK);
		check_view(a, &s, NULL);
	}
	signer_free(key);
	arena_free(a);
}

/* A kind of tomorrow's. */
static void an_unknown_kind(void **state)
{
	struct arena *a = arena_new((size_t)1 << 22);
	struct signer *key = signer_of("op.example");
	struct span note = statement_text(a, KIND_ADVISORY, "cert.example/public", key, "text x\n", NULL);
	const char *at = memmem(note.at, note.len, "advisory", 8);
	char *copy = arena_copy(a, note.at, note.len);
	struct statement s;

	(void)state;
	assert_non_null(at);
	memcpy(copy + (at - note.at), "tomorrow", 8);
	assert_int_equal(statement_parse(a, span_make(copy, note.len), &s), OK);
	assert_int_equal(s.kind, KIND_UNKNOWN);
	check_view(a, &s, NULL);
	signer_free(key);
	arena_free(a);
}

static void the_extension_is_defined(void **state)
{
	struct arena *a = arena_new((size_t)1 << 22);
	struct buffer text = BUFFER(1 << 16), whole = BUFFER(1 << 16);
	yyjson_val *list;

	(void)state;
	statement_view_extension(&text);
	buffer_print(&whole, "[%.*s]", SPAN_FORMAT(buffer_view(&text)));
	list = parse(a, buffer_view(&whole));
	assert_int_equal(yyjson_arr_size(list), 2);
	for (size_t i = 0; i < 2; i++)
		assert_valid(a, yyjson_arr_get(list, i), buffer_view(&whole));
	assert_span(member(yyjson_arr_get(list, 1), "id"), EXTENSION);
	buffer_free(&text);
	buffer_free(&whole);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds),
		cmocka_unit_test(the_largest),
		cmocka_unit_test(an_unknown_kind),
		cmocka_unit_test(the_extension_is_defined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
