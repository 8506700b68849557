/* The link of a mail and the form behind it. Outside bytes are never a link of ours; a link that is made of them says again what
 * was written, until the hour it names, under its key alone, and is none with one bit changed. What a form gives can stand in a
 * statement, and as text in a page it begins no tag. */
#include <stdlib.h>

#include "exchange/answer_form.h"
#include "mail/answer_link.h"
#include "net/html.h"

static const uint8_t key[ANSWER_KEY_SIZE] = { 7 }, other[ANSWER_KEY_SIZE] = { 8 };
static struct arena *arena;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void link_of(const uint8_t *data, size_t size)
{
	uint8_t raw[HASH_SIZE + 6] = { 0 };
	struct answer_link l = { 0 }, again;
	char token[ANSWER_LINK_MAX];

	memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));
	memcpy(l.notice.bytes, raw, HASH_SIZE);
	l.addressee = raw[HASH_SIZE];
	l.until_ms = (int64_t)(raw[HASH_SIZE + 1] << 16 | raw[HASH_SIZE + 2] << 8 | raw[HASH_SIZE + 3]) * 3600000;
	answer_token_print(key, &l, token);
	check(answer_token_read(key, span_of(token), l.until_ms - 1, &again) == OK);
	check(hash_equal(again.notice, l.notice) && again.addressee == l.addressee && again.until_ms == l.until_ms);
	check(answer_token_read(key, span_of(token), l.until_ms, &again) == ERR_EXPIRED);
	check(answer_token_read(other, span_of(token), 0, &again) == ERR_NOT_FOUND);
	token[raw[HASH_SIZE + 4] % strlen(token)] ^= (char)(1 << raw[HASH_SIZE + 5] % 7);
	check(answer_token_read(key, span_of(token), 0, &again) == ERR_NOT_FOUND);
}

static void page_of(struct span text)
{
	struct buffer out = BUFFER((size_t)8 * ANSWER_FORM_MAX);

	html_text(&out, text);
	check(out.err == OK && span_is_utf8(buffer_view(&out)));
	check(out.len == 0 || (memchr(out.at, '<', out.len) == NULL && memchr(out.at, '>', out.len) == NULL &&
			       memchr(out.at, '"', out.len) == NULL && memchr(out.at, '\'', out.len) == NULL));
	buffer_free(&out);
}

static void statement_of(const struct answer_form *f)
{
	static const uint8_t seed[KEY_SEED_SIZE] = { 1 };
	static struct signer *signer;
	struct statement_writer w = { 0 };
	struct buffer note = BUFFER(STATEMENT_MAX), better = BUFFER(512);
	struct statement s;
	struct hash id;

	if (signer == NULL)
		check(signer_from_seed(SPAN("cert.example"), seed, &signer) == OK);
	statement_begin(&w, KIND_ANSWER, SPAN("cert.example/circle"), signer_verifier(signer));
	statement_add(&w, "outcome", span_of(outcome_name(f->outcome)));
	if (f->text.len > 0)
		statement_add(&w, "text", f->text);
	if (f->has_better) {
		addressee_print(&f->better, &better);
		statement_add_buffer(&w, "better", &better);
	}
	check(statement_end(&w, signer, &note, &id) == OK);
	check(statement_parse(arena, buffer_view(&note), &s) == OK);
	check(f->text.len == 0 || span_equal(statement_header(&s, "text")->value, f->text));
	statement_writer_free(&w);
	buffer_free(&note);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer_link none;
	struct answer_form f;
	struct span input = span_make(data, size);
	enum err e;

	if (arena == NULL)
		check((arena = arena_new((size_t)1 << 26)) != NULL);
	arena_reset(arena);
	check(answer_token_read(key, input, 0, &none) == ERR_NOT_FOUND);
	link_of(data, size);
	if (size <= ANSWER_FORM_MAX)
		page_of(input);
	e = answer_form_read(arena, input, ANSWER_TO_NOTICE, &f);
	check(e == OK || e == ERR_USAGE || e == ERR_ENCODING || e == ERR_TOO_LONG || e == ERR_FIELD ||
	      e == ERR_FIELD_MISSING);
	if (e != OK)
		return 0;
	check(f.text.len <= ANSWER_TEXT_MAX && f.evidence.len <= ANSWER_EVIDENCE_MAX && span_is_utf8(f.evidence));
	check(f.outcome != OUTCOME_DISPUTED || f.text.len + f.evidence.len > 0);
	statement_of(&f);
	return 0;
}
