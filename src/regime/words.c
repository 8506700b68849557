/* In the state: y domain 00 u64 from_ms: 32 statement, u32 recognised, u8 has body, then its u64 size and 32 hash. A version without
 * a statement (zeros) is where the one before was withdrawn. The list of words is no part of the state. */
#include "regime/words.h"

#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "regime/kinds_private.h"
#include "regime/letters.h"
#include "regime/speech.h"

/* ---- the statement ---- */

static struct state_key key_words(struct span domain)
{
	struct state_key k = key_of((enum state_letter)STATE_WORDS);

	key_add(&k, domain.at, domain.len);
	key_add_u8(&k, 0);
	return k;
}

static enum err read_recognised(const struct statement *s, uint32_t *out)
{
	size_t count;

	*out = 0;
	core_codes(&count);
	for (size_t i = 0; i < s->header_count; i++) {
		uint64_t code = 0;

		if (!span_is(s->headers[i].name, "recognise"))
			continue;
		if (span_u64(s->headers[i].value, count, &code) != OK || code == 0)
			return fail(ERR_STATEMENT_HEADER, "recognise: the number of a core code, 1 to %zu", count);
		if ((*out & BIT(code - 1)) != 0)
			return fail(ERR_STATEMENT_HEADER, "recognise: %ju stands there twice", (uintmax_t)code);
		*out |= BIT(code - 1);
	}
	return OK;
}

/* Where its party is kept: another node's ledger cannot say what a party takes. */
static enum err check_home(const struct state *st, const struct statement *s)
{
	struct span home;
	struct party p;
	enum ledger_id l;
	enum err e = party_get(st, s->from, &p);

	if (e == OK)
		e = statement_home(s, &home, &l);
	if (e == OK && !span_equal(home, p.home))
		e = fail(ERR_NOT_YOURS, "ledger: the statements of %.*s are kept by %.*s", SPAN_FORMAT(s->from),
			 SPAN_FORMAT(p.home));
	return e;
}

enum err vocabulary_check(const struct state *st, const struct statement *s)
{
	uint64_t version = 0;
	uint32_t recognised;
	enum err e = value_number(s, "codes", UINT32_MAX, &version);

	if (e == OK && version != CORE_CODES_VERSION)
		e = fail(ERR_STATEMENT_HEADER, "codes: %d is the version that is in force", CORE_CODES_VERSION);
	if (e == OK)
		e = read_recognised(s, &recognised);
	if (e == OK && s->has_body && s->body.sealed)
		e = fail(ERR_STATEMENT_HEADER, "body: a vocabulary is public; bind it with sha256");
	if (e == OK && s->has_body && s->body.size > VOCABULARY_BODY_MAX)
		e = fail(ERR_STATEMENT_HEADER, "body: over %zu bytes", (size_t)VOCABULARY_BODY_MAX);
	return e == OK ? check_home(st, s) : e;
}

static enum err put(struct state *st, const struct vocabulary *v)
{
	struct state_key k = key_words(v->party);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	key_add_u64(&k, (uint64_t)v->from_ms);
	pack_hash(&b, v->statement);
	buffer_u32(&b, v->recognised);
	buffer_byte(&b, v->has_body);
	if (v->has_body) {
		buffer_u64(&b, v->body.size);
		pack_hash(&b, v->body.hash);
	}
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

enum err vocabulary_fold(struct state *st, const struct statement *s)
{
	struct vocabulary v = { .statement = s->id,
				.party = s->from,
				.from_ms = state_time(st),
				.has_body = s->has_body,
				.body = s->body };
	struct matter m;
	enum err e = read_recognised(s, &v.recognised);

	if (e == OK)
		e = put(st, &v);
	if (e == OK)
		e = matter_make(st, s, &m);
	return e == OK ? matter_add(st, &m) : e;
}

static enum err unpack(struct span key, struct span value, struct vocabulary *out)
{
	struct reader k = reader_of(span_from(key, key.len >= 8 ? key.len - 8 : 0)), r = reader_of(value);
	static const struct hash none;

	*out = (struct vocabulary){ .from_ms = (int64_t)read_u64(&k) };
	if (key.len > 10)
		out->party = span_make(key.at + 1, key.len - 10);
	out->statement = unpack_hash(&r);
	out->recognised = read_u32(&r);
	out->has_body = read_u8(&r) != 0;
	if (out->has_body) {
		out->body.media_type = SPAN(VOCABULARY_MEDIA_TYPE);
		out->body.size = read_u64(&r);
		out->body.hash = unpack_hash(&r);
	}
	if (key.len <= 10 || k.err != OK || r.err != OK || reader_left(&r) != 0)
		return state_damaged("vocabulary");
	return hash_equal(out->statement, none) ? ERR_NOT_FOUND : OK;
}

enum err state_vocabulary(const struct state *st, struct span party, int64_t at_ms, struct vocabulary *out)
{
	struct state_key all = key_words(party), end = all;
	struct view_cursor *c = NULL;
	struct span key, value;
	enum err e = view_cursor_open(st->snapshot, VIEW_STATE, &c);

	key_add_u64(&end, at_ms < 0 ? 0 : (uint64_t)at_ms + 1);
	if (e == OK)
		e = view_cursor_before(c, key_view(&end), &key, &value);
	view_cursor_close(c);
	if (e != OK)
		return e;
	if (key.len != all.len + 8 || memcmp(key.at, all.bytes, all.len) != 0)
		return ERR_NOT_FOUND;
	return unpack(key, value, out);
}

struct walk {
	int64_t at_ms;
	vocabulary_each *each;
	void *context;
	struct vocabulary last;
	bool found;
};

static enum err tell_last(struct walk *w)
{
	bool found = w->found;

	w->found = false;
	return found ? w->each(w->context, &w->last) : OK;
}

static enum err on_version(void *context, struct span key, struct span value)
{
	struct walk *w = context;
	struct vocabulary v;
	enum err e = unpack(key, value, &v), told;

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (!span_equal(v.party, w->last.party) && (told = tell_last(w)) != OK)
		return told;
	if (v.from_ms > w->at_ms)
		return OK;
	w->last = v;
	w->found = e == OK;
	return OK;
}

enum err state_vocabularies(const struct state *st, int64_t at_ms, vocabulary_each *each, void *context)
{
	struct walk w = { .at_ms = at_ms, .each = each, .context = context };
	struct state_key all = key_of((enum state_letter)STATE_WORDS);
	enum err e = view_walk(st->snapshot, VIEW_STATE, key_view(&all), SPAN(""), on_version, &w);

	return e == OK ? tell_last(&w) : e;
}

/* An older version that is withdrawn changes nothing: another has taken its place. */
enum err vocabulary_withdraw(struct state *st, const struct matter *m)
{
	struct vocabulary v, none = { .party = m->from, .recognised = 0, .from_ms = matter_time(st, m) };
	enum err e = state_vocabulary(st, m->from, none.from_ms, &v);

	if (e == ERR_NOT_FOUND || (e == OK && !hash_equal(v.statement, m->id)))
		return OK;
	return e == OK ? put(st, &none) : e;
}

/* ---- who takes what ---- */

static enum err recognised(const struct state *st, struct span party, int64_t at_ms, uint32_t *out)
{
	struct vocabulary v;
	size_t count;
	enum err e = state_vocabulary(st, party, at_ms, &v);

	core_codes(&count);
	*out = e == OK ? v.recognised : BIT(count) - 1;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err codes_joint(const struct state *st, struct span a, struct span b, int64_t at_ms, uint32_t *out)
{
	uint32_t of_a, of_b;
	enum err e = recognised(st, a, at_ms, &of_a);

	if (e == OK)
		e = recognised(st, b, at_ms, &of_b);
	if (e == OK)
		*out = of_a & of_b;
	return e;
}

enum err codes_may_flow(const struct state *st, struct span a, struct span b, enum rsit_class c, int64_t at_ms,
			bool *may)
{
	unsigned code = core_code_of(c);
	uint32_t joint = 0;
	enum err e;

	*may = code == 0 || span_equal(a, b);
	if (*may)
		return OK;
	if ((e = codes_joint(st, a, b, at_ms, &joint)) == OK)
		*may = (joint & BIT(code - 1)) != 0;
	return e;
}

static enum err check_pair(const struct state *st, const struct statement *s, enum rsit_class c,
			   const struct addressee *to)
{
	bool may = true;
	enum err e = to->type == TO_PARTY ? codes_may_flow(st, s->from, to->domain, c, state_time(st), &may) : OK;

	return e == OK && !may ? fail(ERR_NOT_RECOGNISED, "%s", "") : e;
}

enum err codes_check(const struct state *st, const struct statement *s, enum rsit_class c)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < s->to_count; i++)
		e = check_pair(st, s, c, &s->to[i]);
	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		struct addressee cc;

		if (span_is(s->headers[i].name, "cc") && addressee_parse(s->headers[i].value, &cc) == OK)
			e = check_pair(st, s, c, &cc);
	}
	return e;
}

/* ---- the list of words ---- */

/* By folded characters; both are UTF-8. */
static int compare_folded(struct span a, struct span b)
{
	while (a.len > 0 && b.len > 0) {
		uint32_t x = 0, y = 0;
		size_t n = letter_read(a, &x), m = letter_read(b, &y);

		if (n == 0 || m == 0)
			break; /* no UTF-8 */
		x = letter_lower(x);
		y = letter_lower(y);
		if (x != y)
			return x < y ? -1 : 1;
		a = span_from(a, n);
		b = span_from(b, m);
	}
	return a.len > 0 ? 1 : b.len > 0 ? -1 : 0;
}

static int compare_words(const void *x, const void *y)
{
	const struct word *a = x, *b = y;
	int order = compare_folded(a->term, b->term);

	return order != 0 ? order : a->place < b->place ? -1 : a->place > b->place;
}

static enum err wrong(const char *what)
{
	return fail(ERR_VOCABULARY, "%s", what);
}

static bool is_language(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(i > 1 && c >= '0' && c <= '9') &&
		    !(i > 1 && c == '-'))
			return false;
	}
	return s.len >= 2 && s.len <= 35;
}

/* One line, nothing that steers a terminal, no space at the ends. */
static bool is_term(struct span s)
{
	for (size_t i = 0, n; i < s.len; i += n) {
		uint32_t c = 0;

		if ((n = letter_read(span_from(s, i), &c)) == 0 || c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
		    c == 0x2029)
			return false;
	}
	return s.len > 0 && s.len <= VOCABULARY_TERM_MAX && s.at[0] != ' ' && s.at[s.len - 1] != ' ';
}

static bool is_listed(const struct words *w, struct span language)
{
	for (size_t i = 0; i < w->language_count; i++)
		if (span_equal(w->languages[i], language))
			return true;
	return false;
}

static enum err read_languages(struct arena *a, yyjson_val *list, struct words *w)
{
	size_t index, count = yyjson_arr_size(list);
	yyjson_val *v;

	if (!yyjson_is_arr(list) || count == 0 || count > VOCABULARY_LANGUAGES_MAX)
		return wrong("languages: a list of 1 to 50");
	if ((w->languages = arena_array(a, count, sizeof(*w->languages))) == NULL)
		return ERR_NO_MEMORY;
	yyjson_arr_foreach(list, index, count, v)
	{
		struct span one = json_string_of(v);

		if (!is_language(one) || is_listed(w, one))
			return wrong("languages: tags such as \"de\", each once");
		w->languages[w->language_count++] = one;
	}
	return OK;
}

/* What RSIT calls so too. */
static bool is_for_speech(struct span term)
{
	enum rsit_class c;
	bool yes = speech_asked(term, NULL) || class_parse(term, &c) == ERR_CLASS_CONTENT;

	err_clear();
	return yes;
}

static enum err read_term(const struct words *w, yyjson_val *v, unsigned place, struct word *out)
{
	yyjson_val *code = yyjson_obj_get(v, "code");

	if (!yyjson_is_obj(v) || yyjson_obj_size(v) != 3)
		return wrong("terms: each has term, language, code, and nothing else");
	*out = (struct word){ .term = json_string_in(v, "term"),
			      .language = json_string_in(v, "language"),
			      .place = place };
	if (!is_term(out->term))
		return fail(ERR_VOCABULARY, "terms: term %u: one line of 1 to 200 bytes", place + 1);
	if (!is_listed(w, out->language))
		return fail(ERR_VOCABULARY, "terms: language %u: not among languages", place + 1);
	if (!yyjson_is_uint(code) || yyjson_get_uint(code) > CORE_CODE_COUNT_MAX ||
	    core_code_find((unsigned)yyjson_get_uint(code)) == NULL)
		return fail(ERR_VOCABULARY, "terms: code %u: no core code", place + 1);
	out->code = (unsigned)yyjson_get_uint(code);
	if (is_for_speech(out->term))
		return fail(ERR_VOCABULARY, "terms: term %u: what is said, shown or copied has no code", place + 1);
	return OK;
}

static enum err read_terms(struct arena *a, yyjson_val *list, struct words *w)
{
	size_t index, count = yyjson_arr_size(list);
	yyjson_val *v;
	enum err e = OK;

	if (!yyjson_is_arr(list) || count > VOCABULARY_TERMS_MAX)
		return wrong("terms: a list of at most 2000");
	if ((w->at = arena_array(a, count + 1, sizeof(*w->at))) == NULL)
		return ERR_NO_MEMORY;
	yyjson_arr_foreach(list, index, count, v)
	{
		if ((e = read_term(w, v, (unsigned)index, &w->at[w->count])) != OK)
			return e;
		w->count++;
	}
	qsort(w->at, w->count, sizeof(*w->at), compare_words);
	for (size_t i = 1; i < w->count; i++) {
		const struct word *one = &w->at[i];

		for (size_t j = i; j-- > 0 && compare_folded(w->at[j].term, one->term) == 0;) {
			if (w->at[j].code != one->code)
				return fail(ERR_VOCABULARY, "terms: %.*s: for two codes", SPAN_FORMAT(one->term));
			if (span_equal(w->at[j].language, one->language))
				return fail(ERR_VOCABULARY, "terms: %.*s: twice", SPAN_FORMAT(one->term));
		}
	}
	return OK;
}

enum err words_parse(struct arena *a, struct span body, struct words *out)
{
	struct yyjson_doc *doc = NULL;
	yyjson_val *root;
	enum err e;

	*out = (struct words){ 0 };
	if (body.len > VOCABULARY_BODY_MAX)
		return fail(ERR_VOCABULARY, "over %zu bytes", (size_t)VOCABULARY_BODY_MAX);
	if ((e = json_read_strict(a, body, &doc)) != OK)
		return e == ERR_NO_MEMORY ? e : wrong("not strict JSON (RFC 7493)");
	root = yyjson_doc_get_root(doc);
	if (!yyjson_is_obj(root) || yyjson_obj_size(root) != 2)
		return wrong("an object with languages and terms, and nothing else");
	e = read_languages(a, yyjson_obj_get(root, "languages"), out);
	return e == OK ? read_terms(a, yyjson_obj_get(root, "terms"), out) : e;
}

static const struct word *at_place(const struct words *w, unsigned place)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->at[i].place == place)
			return &w->at[i];
	return NULL;
}

void words_print(const struct words *w, struct buffer *out)
{
	struct json j = { .out = out };

	json_object(&j, NULL);
	json_array(&j, "languages");
	for (size_t i = 0; i < w->language_count; i++)
		json_string(&j, NULL, w->languages[i]);
	json_array_end(&j);
	json_array(&j, "terms");
	for (unsigned place = 0; place < w->count; place++) {
		const struct word *one = at_place(w, place);

		json_object(&j, NULL);
		json_string(&j, "term", one->term);
		json_string(&j, "language", one->language);
		json_number(&j, "code", one->code);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
}

const struct word *words_find(const struct words *w, struct span term)
{
	size_t low = 0, high = w->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_folded(w->at[middle].term, term) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < w->count && compare_folded(w->at[low].term, term) == 0 ? &w->at[low] : NULL;
}

const struct word *words_of_code(const struct words *w, unsigned code, struct span language)
{
	const struct word *first = NULL;

	for (size_t i = 0; i < w->count; i++) {
		const struct word *one = &w->at[i];

		if (one->code == code && (language.len == 0 || span_equal(one->language, language)) &&
		    (first == NULL || one->place < first->place))
			first = one;
	}
	return first;
}
