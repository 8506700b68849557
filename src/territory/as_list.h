/* All AS numbers that any source speaks of, with the best name and country that is known of each. */
#ifndef TERRITORY_AS_LIST_H
#define TERRITORY_AS_LIST_H

#include "territory/compile.h"
#include "territory/source.h"

struct as_entry {
	uint32_t asn, country;
	struct span name; /* in the source */
};

struct as_list {
	struct intern numbers;
	struct as_entry *at; /* in the order of numbers, from as_list_sort on by AS number */
	size_t room;
	uint32_t *places; /* of each of numbers: its place after sorting, from 1 */
};

/* Sources in order of precedence: what the first says stays. They must outlive the list. */
enum err as_list_add(struct as_list *l, const struct source *s);
enum err as_list_sort(struct as_list *l);
uint32_t as_list_find(const void *list, uint32_t asn); /* its place from 1; 0: not there */
enum err as_list_write(const struct as_list *l, struct buffer *text, struct sections *out);
void as_list_free(struct as_list *l);

#endif
