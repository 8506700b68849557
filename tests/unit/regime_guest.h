/* Two nodes in scratch folders, and what one logged as the other gets it: with its receipt. */
#ifndef REGIME_GUEST_TEST_H
#define REGIME_GUEST_TEST_H

#include "regime_node.h"

#include "ledger/entry.h"
#include "ledger/receipt.h"

/* A receipt with the entry in `extra`, as others get it. */
static inline struct span with_extra(struct arena *a, struct span receipt, struct span entry)
{
	struct buffer text = BUFFER(RECEIPT_TEXT_MAX);
	struct receipt r;
	const char *copy;

	assert_int_equal(receipt_parse(a, receipt, &r), OK);
	r.extra = entry;
	receipt_print(&r, &text);
	assert_int_equal(text.err, OK);
	copy = arena_copy(a, text.at, text.len);
	assert_non_null(copy);
	receipt = span_make(copy, text.len);
	buffer_free(&text);
	return receipt;
}

/* Of what is published. */
static inline struct span home_receipt(struct node *n, struct arena *a, enum ledger_id l, uint64_t index)
{
	struct span receipt, entry;

	assert_int_equal(node_receipt(n, a, l, index, &receipt), OK);
	assert_int_equal(node_entry(n, a, l, index, &entry), OK);
	return with_extra(a, receipt, entry);
}

static inline struct span note_at(struct node *n, struct arena *a, enum ledger_id l, uint64_t index)
{
	struct span text;
	struct entry e;

	assert_int_equal(node_entry(n, a, l, index, &text), OK);
	assert_int_equal(entry_parse(text, &e), OK);
	return e.note;
}

/* Logs a note at its home and publishes it: *receipt for others. */
static inline struct appended log_home(struct node *n, struct arena *a, struct span note, struct span *receipt)
{
	struct appended out;
	enum err e;

	assert_int_equal(node_begin(n), OK);
	if ((e = node_add_statement(n, note, &out)) != OK)
		fail_msg("%s: %s\n%.*s", err_code(e), err_detail(), SPAN_FORMAT(note));
	assert_int_equal(node_commit(n), OK);
	assert_int_equal(node_publish(n), OK);
	*receipt = home_receipt(n, a, out.ledger, out.index);
	return out;
}

static inline enum err log_guest(struct node *n, struct span note, struct span receipt, struct appended *out)
{
	struct appended unused;
	enum err e;

	assert_int_equal(node_begin(n), OK);
	e = node_add_guest(n, note, receipt, out != NULL ? out : &unused);
	if (e != OK) {
		node_abandon(n);
		return e;
	}
	e = node_commit(n);
	return e == OK ? node_publish(n) : e;
}

/* The party statement of one node, logged at the other: entry 0 of its public ledger. */
static inline void introduce(struct node *from, struct node *to, struct arena *a)
{
	enum err e = log_guest(to, note_at(from, a, LEDGER_PUBLIC, 0), home_receipt(from, a, LEDGER_PUBLIC, 0), NULL);

	if (e != OK)
		fail_msg("%s: %s", err_code(e), err_detail());
}

struct pair {
	struct scratch *scratch;
	struct arena *arena;
	const char *dir_a, *dir_b;
	struct node *a, *b; /* a.example, b.example: they do not know each other */
};

static inline struct pair *pair_new(struct scratch *s)
{
	struct pair *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->scratch = s;
	p->arena = s->arena;
	p->dir_a = scratch_path(s, "a");
	p->dir_b = scratch_path(s, "b");
	assert_int_equal(node_init(p->dir_a, SPAN("a.example"), SPAN("A")), OK);
	assert_int_equal(node_init(p->dir_b, SPAN("b.example"), SPAN("B")), OK);
	assert_int_equal(node_open(p->dir_a, NODE_WRITE, &p->a), OK);
	assert_int_equal(node_open(p->dir_b, NODE_WRITE, &p->b), OK);
	return p;
}

static inline void pair_free(struct pair *p)
{
	node_close(p->a);
	node_close(p->b);
	free(p);
}

#endif
