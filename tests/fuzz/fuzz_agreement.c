/* What two agree, as header lines. What is read has the same id and the same terms from any order of its lines, and another id with
 * one line less; printed terms read as themselves; and nothing that is read breaks a rule of agreement.h. */
#include <stdlib.h>

#include "note/statement_grammar.h"
#include "regime/agreement_private.h"

#define HEADERS_MAX 700

static struct arena *arena;

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* As a door would have let them through. */
static void read_lines(struct span text, struct statement *s)
{
	struct header *headers = arena_array(arena, HEADERS_MAX, sizeof(*headers));
	struct span line;

	check(headers != NULL);
	*s = (struct statement){ .kind = KIND_AGREEMENT, .headers = headers };
	while (s->header_count < HEADERS_MAX && span_line(&text, &line)) {
		struct span name = span_cut(&line, ' ');

		if (line.at != NULL && statement_word_valid(name) && statement_value_valid(line))
			headers[s->header_count++] = (struct header){ .name = name, .value = line };
	}
}

static void check_rules(const struct agreement *a)
{
	check(span_compare(a->party[0], a->party[1]) < 0);
	check(a->end_ms > a->start_ms && a->end_ms - a->start_ms <= PLEDGE_MOST_MS);
	check(a->exit_notice_ms >= INT64_C(7) * 86400000);
	check(a->rules.restore >= 1 && a->rules.restore <= 12 && a->rules.consult_ms >= 86400000);
	check(a->codes != 0 && a->term_count >= 1 && a->term_count <= TERMS_MAX && a->asset_count <= ASSETS_MAX);
	for (size_t i = 0; i < a->term_count; i++) {
		const struct term *t = &a->terms[i].term;

		check(metric_rule(t->metric)->in_agreements && t->window_ms <= a->end_ms - a->start_ms);
		check(term_binds(a, &a->terms[i], 0) || term_binds(a, &a->terms[i], 1));
		check(i == 0 || span_compare(a->terms[i - 1].term.name, t->name) < 0);
	}
	for (size_t i = 1; i < a->asset_count; i++)
		check(hash_compare(a->assets[i - 1].asset.commitment, a->assets[i].asset.commitment) < 0);
}

static void check_same(const struct agreement *a, const struct agreement *b)
{
	check(hash_equal(a->id, b->id) && a->term_count == b->term_count && a->asset_count == b->asset_count);
	for (size_t i = 0; i < a->term_count; i++) {
		struct buffer x = BUFFER(STATEMENT_MAX), y = BUFFER(STATEMENT_MAX);
		struct term again;

		term_print(&a->terms[i].term, &x);
		term_print(&b->terms[i].term, &y);
		check(x.err == OK && span_equal(buffer_view(&x), buffer_view(&y)));
		check(term_parse(buffer_view(&x), &again) == OK);
		buffer_free(&x);
		buffer_free(&y);
	}
}

/* A random order, from the input itself. */
static void shuffle(struct header *headers, size_t count, struct span from)
{
	struct hash h = hash_span(from);

	for (size_t i = count; i > 1; i--) {
		size_t j = h.bytes[i % HASH_SIZE] % i;
		struct header held = headers[i - 1];

		headers[i - 1] = headers[j];
		headers[j] = held;
		h.bytes[i % HASH_SIZE] = (uint8_t)(h.bytes[i % HASH_SIZE] * 31 + 7);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make(data, size);
	struct agreement a, b;
	struct statement s;
	struct header *turned;

	if (arena == NULL)
		check((arena = arena_new((size_t)64 << 20)) != NULL);
	arena_reset(arena);
	if (size > STATEMENT_MAX)
		return 0;
	read_lines(text, &s);
	if (agreement_read(arena, &s, &a) != OK)
		return 0;
	check_rules(&a);
	check((turned = arena_array(arena, s.header_count + 1, sizeof(*turned))) != NULL);
	memcpy(turned, s.headers, s.header_count * sizeof(*turned));
	s.headers = turned;
	/* Where a header that stands there once is repeated, which of them counts is the table's business (kinds.c). */
	for (size_t i = 0; i < s.header_count; i++)
		for (size_t j = 0; j < i; j++)
			if (span_equal(turned[i].name, turned[j].name) && !span_is(turned[i].name, "term") &&
			    !span_is(turned[i].name, "asset") && !span_is(turned[i].name, "party"))
				return 0;
	for (size_t i = 0, parties = 0; i < s.header_count; i++)
		if (span_is(turned[i].name, "party") && ++parties > 2)
			return 0;
	shuffle(turned, s.header_count, text);
	for (size_t i = 0; i < s.header_count; i++) /* these two are sorted by rule */
		if (span_is(turned[i].name, "party")) {
			struct header *first = &turned[i], *second = first + 1;

			while (!span_is(second->name, "party"))
				second++;
			first->value = a.party[0];
			second->value = a.party[1];
			break;
		}
	check(agreement_read(arena, &s, &b) == OK);
	check_same(&a, &b);
	if (a.term_count > 1 && a.asset_count == 0) {
		for (size_t i = 0; i < s.header_count; i++)
			if (span_is(turned[i].name, "term")) {
				turned[i] = turned[--s.header_count];
				break;
			}
		if (agreement_read(arena, &s, &b) == OK)
			check(!hash_equal(a.id, b.id) && b.term_count == a.term_count - 1);
	}
	return 0;
}
