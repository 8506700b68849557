#include "territory/as_list.h"

#include <stdlib.h>

#define AS_MAX ((size_t)8 << 20)

static enum err add(struct as_list *l, uint32_t asn, uint32_t *number)
{
	size_t known = l->numbers.count;
	void *at = l->at;
	enum err e;

	if (l->numbers.size == 0)
		l->numbers = INTERN(uint32_t);
	if ((e = intern(&l->numbers, &asn, number)) != OK || *number < known)
		return e;
	e = grow(&at, &l->room, known, sizeof(*l->at), AS_MAX);
	l->at = at;
	if (e == OK)
		l->at[*number] = (struct as_entry){ asn, 0, SPAN("") };
	return e;
}

enum err as_list_add(struct as_list *l, const struct source *s)
{
	uint32_t number;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < s->as_count; i++) {
		const struct as_note *n = &s->as[i];
		struct as_entry *entry;

		if ((e = add(l, n->asn, &number)) != OK)
			return e;
		entry = &l->at[number];
		if (entry->country == 0)
			entry->country = n->country;
		if (entry->name.len == 0 && n->length > 0)
			entry->name = span_make(s->names.at + n->name, n->length);
	}
	for (int kind = 0; kind < ROW_KINDS; kind++)
		for (int f = 0; kind != ROW_COUNTRY && f < 2; f++)
			for (size_t i = 0; e == OK && i < s->rows[kind][f].count; i++)
				if (s->rows[kind][f].at[i].value != 0)
					e = add(l, s->rows[kind][f].at[i].value, &number);
	return e;
}

static int compare(const void *a, const void *b)
{
	const struct as_entry *x = a, *y = b;

	return (x->asn > y->asn) - (x->asn < y->asn);
}

enum err as_list_sort(struct as_list *l)
{
	uint32_t number;

	if (l->numbers.count == 0)
		return OK;
	if ((l->places = calloc(l->numbers.count, sizeof(*l->places))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu AS numbers", l->numbers.count);
	qsort(l->at, l->numbers.count, sizeof(*l->at), compare);
	for (size_t i = 0; i < l->numbers.count; i++)
		if (intern_find(&l->numbers, &l->at[i].asn, &number))
			l->places[number] = (uint32_t)i + 1;
	return OK;
}

uint32_t as_list_find(const void *list, uint32_t asn)
{
	const struct as_list *l = list;
	uint32_t number;

	return l->numbers.size != 0 && intern_find(&l->numbers, &asn, &number) ? l->places[number] : 0;
}

enum err as_list_write(const struct as_list *l, struct buffer *text, struct sections *out)
{
	enum err e = section_make(out, SECTION_AS, l->numbers.count, sizeof(struct disk_as));
	struct disk_as *to = out->at[SECTION_AS].at;

	for (size_t i = 0; e == OK && i < l->numbers.count; i++) {
		const struct as_entry *from = &l->at[i];

		to[i] = (struct disk_as){ from->asn, from->country, { (uint32_t)text->len, (uint32_t)from->name.len } };
		buffer_span(text, from->name);
	}
	return e;
}

void as_list_free(struct as_list *l)
{
	intern_free(&l->numbers);
	free(l->at);
	free(l->places);
}
