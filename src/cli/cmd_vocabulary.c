/* Parties' own words, and the codes that they stand for. */
#include "base/file.h"
#include "cli/acting.h"
#include "regime/words.h"

/* ---- filing ---- */

static enum err add_recognised(struct cli *c, struct statement_writer *w)
{
	const char *value;
	bool none = false, any = false;
	size_t count, at = 0;

	core_codes(&count);
	while ((value = cli_next(c, "recognise", &at)) != NULL) {
		uint64_t code = 0;

		none |= strcmp(value, "none") == 0;
		any |= strcmp(value, "none") != 0;
		if (strcmp(value, "none") != 0 && (span_u64(span_of(value), count, &code) != OK || code == 0))
			return fail(ERR_USAGE, "`%s`: a code from 1 to %zu, or none", value, count);
		if (strcmp(value, "none") != 0)
			statement_add(w, "recognise", span_of(value));
	}
	if (none && any)
		return fail(ERR_USAGE, "--recognise none stands alone");
	for (size_t i = 1; !none && !any && i <= count; i++)
		statement_add_print(w, "recognise", "%zu", i);
	return OK;
}

static enum err read_body(struct cli *c, struct span *text, struct body_reference *body)
{
	struct words words;
	enum err e = file_read(c->arena, c->operands[0], VOCABULARY_BODY_MAX, text);

	if (e == OK)
		e = words_parse(c->arena, *text, &words);
	if (e == OK)
		*body = (struct body_reference){ .media_type = SPAN(VOCABULARY_MEDIA_TYPE),
						 .size = text->len,
						 .hash = hash_span(*text) };
	return e;
}

static enum err file_words(struct cli *c, struct node *n, struct span text, const struct body_reference *body,
			   struct appended *out)
{
	struct statement_writer w = { 0 };
	const struct signer *key;
	enum err e = act_signer(c, n, &key);

	if (e != OK)
		return e;
	statement_begin(&w, KIND_VOCABULARY, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_print(&w, "codes", "%d", CORE_CODES_VERSION);
	e = add_recognised(c, &w);
	if (text.at != NULL)
		statement_add_body(&w, body);
	if (e != OK) {
		statement_writer_free(&w);
		return e;
	}
	e = act_add(n, &w, key, out);
	return e == OK && text.at != NULL ? node_add_body(n, body, NULL, &text, 1) : e;
}

int cmd_vocabulary_file(struct cli *c)
{
	struct span text = { NULL, 0 };
	struct body_reference body;
	struct appended filed;
	struct node *n = NULL;
	enum err e = c->operand_count > 0 ? read_body(c, &text, &body) : OK;

	if (e == OK && (e = act_begin(c, &n)) == OK)
		e = act_end(n, file_words(c, n, text, &body, &filed));
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "vocabulary", &filed);
	return EXIT_OK;
}

/* ---- showing ---- */

struct showing {
	struct cli *c;
	struct node *n;
	unsigned count;
};

/* Its words; none if it has no body, or that is not here. */
static enum err words_of(struct cli *c, struct node *n, const struct vocabulary *v, struct words *out)
{
	const uint8_t *salt;
	struct span body;
	enum err e;

	*out = (struct words){ 0 };
	if (!v->has_body)
		return OK;
	if ((e = node_body(n, c->arena, v->body.hash, &salt, &body)) != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	return words_parse(c->arena, body, out);
}

static void show_codes(struct cli *c, uint32_t bits)
{
	size_t count;
	const struct core_code *all = core_codes(&count);

	for (size_t i = 0; i < count; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		if (c->json)
			json_number(&c->object, NULL, all[i].number);
		else
			printf("  %2u  %s\n", all[i].number, all[i].says);
	}
}

static const struct word *in_place(const struct words *w, unsigned place)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->at[i].place == place)
			return &w->at[i];
	return NULL;
}

static void show_words(struct cli *c, const struct words *w)
{
	for (unsigned i = 0; i < w->count; i++) {
		const struct word *one = in_place(w, i);

		if (c->json) {
			json_object(&c->object, NULL);
			json_string(&c->object, "term", one->term);
			json_string(&c->object, "language", one->language);
			json_number(&c->object, "code", one->code);
			json_object_end(&c->object);
		} else {
			printf("  %2u  ", one->code);
			cli_column(one->language, 6);
			cli_print(one->term);
			putchar('\n');
		}
	}
}

static enum err show(void *context, const struct vocabulary *v)
{
	struct showing *s = context;
	struct cli *c = s->c;
	struct words words;
	char date[CLOCK_TEXT];
	enum err e = words_of(c, s->n, v, &words);

	if (e != OK)
		return e;
	s->count++;
	if (c->json) {
		struct json *j = cli_object(c);

		json_string(j, "party", v->party);
		json_hash(j, "id", v->statement);
		json_time(j, "from", v->from_ms);
		json_array(j, "recognises");
		show_codes(c, v->recognised);
		json_array_end(j);
		json_array(j, "terms");
		show_words(c, &words);
		json_array_end(j);
		cli_object_end(c);
		return OK;
	}
	cli_date(v->from_ms, date);
	cli_print(v->party);
	printf(", since %s, recognises%s\n", date, v->recognised == 0 ? " nothing" : "");
	show_codes(c, v->recognised);
	if (words.count > 0)
		printf("its words\n");
	show_words(c, &words);
	return OK;
}

static enum err show_one(struct cli *c, struct node *n, const struct state *st, int64_t at_ms)
{
	struct span party = span_of(c->operands[0]);
	struct showing s = { .c = c, .n = n };
	struct vocabulary v;
	struct party known;
	enum err e = state_party(st, party, &known);

	if (e == OK)
		e = state_vocabulary(st, party, at_ms, &v);
	if (e == ERR_NOT_FOUND)
		return fail(e, "%s has filed none: it recognises every code", c->operands[0]);
	return e == OK ? show(&s, &v) : e;
}

int cmd_vocabulary_show(struct cli *c)
{
	struct showing s = { .c = c };
	struct state st;
	int64_t at_ms;
	enum err e = cli_time(c, "at", clock_now_ms(), &at_ms);

	if (e == OK)
		e = node_open(c->dir, NODE_READ, &s.n);
	if (e == OK && (e = node_read(s.n, c->arena, &st)) == OK) {
		e = c->operand_count > 0 ? show_one(c, s.n, &st, at_ms) : state_vocabularies(&st, at_ms, show, &s);
		snapshot_end(st.snapshot);
	}
	node_close(s.n);
	if (e != OK)
		return cli_fail(c, e);
	if (c->operand_count == 0 && s.count == 0 && !c->json)
		printf("no party has filed a vocabulary: all recognise every code\n");
	return EXIT_OK;
}

static void show_class_names(struct cli *c, unsigned code)
{
	if (c->json)
		json_array(&c->object, "classes");
	for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++) {
		enum rsit_class class = (enum rsit_class)i;

		if (core_code_of(class) != code)
			continue;
		if (c->json) {
			json_object(&c->object, NULL);
			json_text(&c->object, "class", class_name(class));
			json_text(&c->object, "narrow", core_code_narrow(class));
			json_object_end(&c->object);
		} else {
			printf("      %s%s%s\n", class_name(class), core_code_narrow(class) != NULL ? ": " : "",
			       core_code_narrow(class) != NULL ? core_code_narrow(class) : "");
		}
	}
	if (c->json)
		json_array_end(&c->object);
}

int cmd_vocabulary_codes(struct cli *c)
{
	size_t count;
	const struct core_code *all = core_codes(&count);

	for (size_t i = 0; i < count; i++) {
		if (c->json) {
			struct json *j = cli_object(c);

			json_number(j, "code", all[i].number);
			json_text(j, "effect", all[i].effect);
			json_text(j, "object", all[i].object);
			json_text(j, "evidence", all[i].evidence);
			json_text(j, "says", all[i].says);
			show_class_names(c, all[i].number);
			cli_object_end(c);
			continue;
		}
		printf("  %2u  %s\n      %s of a %s, by %s\n", all[i].number, all[i].says, all[i].effect, all[i].object,
		       all[i].evidence);
		show_class_names(c, all[i].number);
	}
	return EXIT_OK;
}

/* ---- between two ---- */

static enum err known(const struct state *st, const char *domain)
{
	struct party p;

	return state_party(st, span_of(domain), &p);
}

int cmd_vocabulary_joint(struct cli *c)
{
	struct node *n = NULL;
	struct state st;
	uint32_t joint = 0;
	int64_t at_ms;
	enum err e = cli_time(c, "at", clock_now_ms(), &at_ms);

	if (e == OK)
		e = node_open(c->dir, NODE_READ, &n);
	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		if ((e = known(&st, c->operands[0])) == OK && (e = known(&st, c->operands[1])) == OK)
			e = codes_joint(&st, span_of(c->operands[0]), span_of(c->operands[1]), at_ms, &joint);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	if (e != OK)
		return cli_fail(c, e);
	if (c->json) {
		struct json *j = cli_object(c);

		json_array(j, "parties");
		json_text(j, NULL, c->operands[0]);
		json_text(j, NULL, c->operands[1]);
		json_array_end(j);
		json_array(j, "codes");
		show_codes(c, joint);
		json_array_end(j);
		cli_object_end(c);
		return EXIT_OK;
	}
	printf("both recognise%s\n", joint == 0 ? " nothing" : "");
	show_codes(c, joint);
	return EXIT_OK;
}

static enum err words_then(struct cli *c, struct node *n, const struct state *st, const char *party, int64_t at_ms,
			   struct words *out)
{
	struct vocabulary v;
	enum err e = known(st, party);

	*out = (struct words){ 0 };
	if (e == OK)
		e = state_vocabulary(st, span_of(party), at_ms, &v);
	if (e == ERR_NOT_FOUND)
		return fail(e, "%s has filed no words", party);
	return e == OK ? words_of(c, n, &v, out) : e;
}

struct translation {
	unsigned code;
	const struct word *word; /* NULL: the other has none for the code */
};

static enum err translate(struct cli *c, struct node *n, const struct state *st, struct translation *out)
{
	const char *from = cli_option(c, "from"), *to = cli_option(c, "to"), *language = cli_option(c, "language");
	struct span term = span_of(c->operands[0]);
	struct words a, b;
	const struct word *own;
	int64_t at_ms;
	enum err e = cli_time(c, "at", clock_now_ms(), &at_ms);

	if (e == OK && (from == NULL || to == NULL))
		e = fail(ERR_USAGE, "--from PARTY and --to PARTY say whose words");
	if (e == OK)
		e = words_then(c, n, st, from, at_ms, &a);
	if (e == OK)
		e = words_then(c, n, st, to, at_ms, &b);
	if (e != OK)
		return e;
	if ((own = words_find(&a, term)) == NULL)
		return fail(ERR_NOT_FOUND, "%s has no such word", from);
	out->code = own->code;
	out->word = words_of_code(&b, own->code, language != NULL ? span_of(language) : SPAN(""));
	return OK;
}

int cmd_vocabulary_translate(struct cli *c)
{
	struct translation t = { 0 };
	struct node *n = NULL;
	struct state st;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = translate(c, n, &st, &t);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	if (e != OK)
		return cli_fail(c, e);
	if (c->json) {
		struct json *j = cli_object(c);

		json_number(j, "code", t.code);
		json_text(j, "says", core_code_find(t.code)->says);
		if (t.word != NULL) {
			json_string(j, "term", t.word->term);
			json_string(j, "language", t.word->language);
		} else {
			json_null(j, "term");
		}
		cli_object_end(c);
		return EXIT_OK;
	}
	if (t.word != NULL)
		cli_print(t.word->term);
	else
		printf("%s has no word for it", cli_option(c, "to"));
	printf("\n  %2u  %s\n", t.code, core_code_find(t.code)->says);
	return EXIT_OK;
}
