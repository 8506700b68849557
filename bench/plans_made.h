/* A node in which parties hold prefixes, approved by its operator, and filed a plan for each: for benches. Every name and
 * address is drawn from a seed. */
#ifndef BENCH_PLANS_MADE_H
#define BENCH_PLANS_MADE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "regime/node.h"

#define PLANS_CLAIMS_EACH 500 /* of one party statement */

struct plans_made {
	struct prefix *prefixes; /* one a plan; a quarter of them inside a wider one */
	size_t count;
	int64_t logged_ms; /* all are in force from then on for a day */
};

static inline void plans_need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

static inline uint64_t plans_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static inline struct prefix plans_prefix(uint64_t *seed, size_t i)
{
	uint64_t r = plans_random(seed);

	if (i % 8 == 7) /* IPv6 */
		return prefix_of((struct address){ 0x2400000000000000 | r >> 8, 0, FAMILY_IPV6 },
				 i % 16 == 7 ? 32 : 48);
	return prefix_of(address_ipv4(0x01000000 + (uint32_t)(r >> 16) % 0xdd000000), i % 4 == 0 ? 20 : 24 + r % 9);
}

static inline struct hash plans_add_party(struct node *n, const struct signer *s, const struct prefix *claims,
					  size_t count)
{
	struct statement_writer w = { 0 };
	struct buffer key = BUFFER(64), note = BUFFER(STATEMENT_MAX);
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { KEY_ED25519 };
	struct appended out;
	struct hash id;

	memcpy(bytes + 1, signer_verifier(s)->public_key, KEY_PUBLIC_SIZE);
	base64_append(&key, bytes, sizeof(bytes));
	statement_begin(&w, KIND_PARTY, node_origin(n, LEDGER_PUBLIC), signer_verifier(s));
	statement_add(&w, "public-key", buffer_view(&key));
	statement_add(&w, "role", SPAN("researcher"));
	for (size_t i = 0; i < count; i++) {
		char text[PREFIX_TEXT];

		prefix_format(claims[i], text);
		statement_add_print(&w, "claim", "prefix %s", text);
	}
	plans_need(statement_end(&w, s, &note, &id));
	plans_need(node_add_statement(n, buffer_view(&note), &out));
	buffer_free(&key);
	buffer_free(&note);
	statement_writer_free(&w);
	return id;
}

static inline void plans_approve(struct node *n, struct hash party)
{
	struct statement_writer w = { 0 };
	struct appended out;

	statement_begin(&w, KIND_ANSWER, node_origin(n, LEDGER_PUBLIC), signer_verifier(node_signer(n)));
	statement_add_hash(&w, "re", party);
	statement_add(&w, "outcome", SPAN("accepted"));
	plans_need(node_add_own(n, &w, &out));
	statement_writer_free(&w);
}

static inline void plans_file(struct node *n, const struct signer *s, struct prefix source, size_t i)
{
	struct statement_writer w = { 0 };
	struct buffer note = BUFFER(STATEMENT_MAX);
	int64_t now = clock_now_ms();
	char text[PREFIX_TEXT];
	struct appended out;
	struct hash id;

	prefix_format(source, text);
	statement_begin(&w, KIND_PLAN, node_origin(n, LEDGER_PUBLIC), signer_verifier(s));
	statement_add(&w, "activity", SPAN("scan"));
	statement_add_time(&w, "start", now / 1000 * 1000);
	statement_add_time(&w, "end", now / 1000 * 1000 + INT64_C(86400000));
	statement_add(&w, "source", span_of(text));
	statement_add(&w, "target", i % 3 == 0 ? SPAN("192.0.2.0/24") : SPAN("any"));
	if (i % 5 == 0)
		statement_add(&w, "port", SPAN("443"));
	statement_add_print(&w, "purpose", "plan %zu", i);
	plans_need(statement_end(&w, s, &note, &id));
	plans_need(node_add_statement(n, buffer_view(&note), &out));
	buffer_free(&note);
	statement_writer_free(&w);
}

static inline int plans_by_prefix(const void *a, const void *b)
{
	return prefix_compare(*(const struct prefix *)a, *(const struct prefix *)b);
}

/* Each prefix once. */
static inline struct prefix *plans_draw(size_t count, uint64_t seed)
{
	struct prefix *list = calloc(2 * count + 1, sizeof(*list));
	size_t kept = 0;

	for (size_t i = 0; i < 2 * count; i++)
		list[i] = plans_prefix(&seed, i);
	qsort(list, 2 * count, sizeof(*list), plans_by_prefix);
	for (size_t i = 0; i < 2 * count; i++)
		if (kept == 0 || plans_by_prefix(&list[kept - 1], &list[i]) != 0)
			list[kept++] = list[i];
	/* Shuffled, so that parties have theirs everywhere; the first `count` of them are taken. */
	for (size_t i = 0; i < kept; i++) {
		size_t k = plans_random(&seed) % kept;
		struct prefix p = list[i];

		list[i] = list[k];
		list[k] = p;
	}
	if (kept < count) {
		fprintf(stderr, "only %zu prefixes\n", kept);
		exit(EXIT_FAILURE);
	}
	return list;
}

/* The node is open for writing. */
static inline struct plans_made plans_make(struct node *n, size_t count, bool with_plans)
{
	struct plans_made made = { plans_draw(count, 88172645463325252u), count, 0 };

	for (size_t i = 0; i < count; i += PLANS_CLAIMS_EACH) {
		size_t some = count - i < PLANS_CLAIMS_EACH ? count - i : PLANS_CLAIMS_EACH;
		struct signer *s;
		char name[40];

		snprintf(name, sizeof(name), "scanner-%zu.example", i / PLANS_CLAIMS_EACH);
		plans_need(signer_new(span_of(name), &s));
		/* Batches as a node has them: whoever opens it reads the last one again. */
		plans_need(node_begin(n));
		plans_approve(n, plans_add_party(n, s, made.prefixes + i, some));
		for (size_t k = 0; with_plans && k < some; k++)
			plans_file(n, s, made.prefixes[i + k], i + k);
		signer_free(s);
		plans_need(node_commit(n));
	}
	plans_need(node_publish(n));
	made.logged_ms = clock_now_ms();
	return made;
}

#endif
