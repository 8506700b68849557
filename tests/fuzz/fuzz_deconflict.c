/* Any bytes as a request's body, as an answer's, and as a list. A list that is read is asked for, and found whole by who holds it;
 * what an answer says is printed and read again. */
#include <stdlib.h>

#include "regime/deconflict.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void ask_for(struct arena *a, const struct deconflict_item *items, size_t n)
{
	static const uint8_t salt[DECONFLICT_SALT_SIZE] = { 7 };
	struct deconflict_holding *holdings = arena_array(a, n, sizeof(*holdings));
	struct buffer b = BUFFER(DECONFLICT_BODY_MAX);
	struct deconflict_question q;
	struct deconflict_held *held;
	size_t found;

	if (holdings == NULL || n > 200)
		return;
	for (size_t i = 0; i < n; i++)
		holdings[i] = (struct deconflict_holding){ items[i], SPAN("r.example"), SPAN("") };
	check(deconflict_question_print(items, n, salt, &b) == OK);
	check(deconflict_question_read(a, buffer_view(&b), &q) == OK && deconflict_is_list(&q, items, n));
	check(deconflict_compare(a, &q, holdings, n, &held, &found) == OK && found == n);
	buffer_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)64 << 20);
	struct buffer b = BUFFER(DECONFLICT_BODY_MAX);
	struct deconflict_question q;
	struct deconflict_item *items;
	struct deconflict_held *held, *again;
	size_t n, m;

	if (a == NULL)
		return 0;
	if (deconflict_read_list(a, span_make(data, size), &items, &n) == OK)
		ask_for(a, items, n);
	if (deconflict_question_read(a, span_make(data, size), &q) == OK)
		check(q.count > 0 && deconflict_compare(a, &q, NULL, 0, &held, &n) == OK && n == 0);
	if (deconflict_answer_read(a, span_make(data, size), 1000, &held, &n) == OK) {
		check(deconflict_answer_print(held, n, &b) == OK);
		check(deconflict_answer_read(a, buffer_view(&b), 1000, &again, &m) == OK && m == n);
	}
	buffer_free(&b);
	arena_free(a);
	return 0;
}
