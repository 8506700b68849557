/* What is delivered and what is answered: whatever reads prints again and reads as the same. The first byte says which. */
#include <stdlib.h>

#include "exchange/delivery.h"
#include "exchange/delivery_wire.h"
#include "note/statement.h"

static struct arena *a;

static void law(bool holds)
{
	if (!holds)
		abort();
}

static bool equal_items(const struct delivery_item *x, const struct delivery_item *y)
{
	return span_equal(x->note, y->note) && span_equal(x->receipt, y->receipt) && span_equal(x->body, y->body) &&
	       (x->body.at == NULL) == (y->body.at == NULL) && (x->salt == NULL) == (y->salt == NULL) &&
	       (x->salt == NULL || memcmp(x->salt, y->salt, SEAL_SALT_SIZE) == 0);
}

static void request(struct span text)
{
	struct buffer out = BUFFER((size_t)16 << 20);
	const struct delivery_item *first, *second;
	size_t count, again;

	if (delivery_request_read(a, text, &first, &count) != OK)
		return;
	law(count > 0 && count <= DELIVERY_STATEMENTS_MAX);
	delivery_request_begin(&out);
	for (size_t i = 0; i < count; i++) {
		law(first[i].salt == NULL || first[i].body.at != NULL);
		delivery_request_add(&out, &first[i], i == 0);
	}
	delivery_request_end(&out);
	law(out.err == OK && delivery_request_read(a, buffer_view(&out), &second, &again) == OK && again == count);
	for (size_t i = 0; i < count; i++)
		law(equal_items(&first[i], &second[i]));
	buffer_free(&out);
}

static void introduction(struct span text)
{
	struct buffer out = BUFFER((size_t)16 << 20);
	struct delivery_item first, second;

	if (delivery_introduction_read(a, text, &first) != OK)
		return;
	law(first.body.at == NULL && first.salt == NULL);
	delivery_introduction_print(first.note, first.receipt, &out);
	law(out.err == OK && delivery_introduction_read(a, buffer_view(&out), &second) == OK &&
	    equal_items(&first, &second));
	buffer_free(&out);
}

static bool is_printable(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < 0x20 || s.at[i] > 0x7e)
			return false;
	return true;
}

/* To statements that are known by the hashes of "0", "1", … */
#define SENT 3

static void answer(struct span text, size_t count)
{
	struct buffer out = BUFFER((size_t)1 << 20);
	struct delivery_verdict first[SENT], second[SENT];
	struct hash ids[SENT];
	enum err e;

	for (size_t i = 0; i < count; i++) {
		char digit = (char)('0' + i);

		ids[i] = hash_bytes(&digit, 1);
	}
	e = delivery_answer_read(a, text, ids, count, first);
	law(e == OK || e == ERR_PEER);
	if (e != OK)
		return;
	for (size_t i = 0; i < count; i++)
		law(hash_equal(first[i].id, ids[i]) && first[i].status < DELIVERY_STATUS_COUNT &&
		    first[i].code.len <= DELIVERY_CODE_MAX && first[i].detail.len <= DELIVERY_DETAIL_MAX &&
		    is_printable(first[i].code) && is_printable(first[i].detail));
	delivery_answer_print(first, count, &out);
	law(out.err == OK && delivery_answer_read(a, buffer_view(&out), ids, count, second) == OK);
	for (size_t i = 0; i < count; i++)
		law(first[i].status == second[i].status && span_equal(first[i].code, second[i].code) &&
		    span_equal(first[i].detail, second[i].detail));
	buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make(data, size);

	if (a == NULL && (a = arena_new((size_t)64 << 20)) == NULL)
		abort();
	arena_reset(a);
	if (size == 0)
		return 0;
	text = span_from(text, 1);
	switch (data[0] % 8) {
	case 0:
		request(text);
		break;
	case 1:
		introduction(text);
		break;
	case 2:
		law(is_printable(delivery_problem_code(a, text)));
		break;
	default:
		answer(text, data[0] % 8 % (SENT + 1));
		break;
	}
	return 0;
}
