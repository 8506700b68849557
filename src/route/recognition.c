#include "route/recognition.h"

#include <stdlib.h>

#include "regime/words.h"

_Static_assert(CLASS_COUNT <= 64, "one bit for each class");

struct refusing {
	char domain[256];
	uint64_t classes;
};

struct recognition {
	uint64_t by_us;		   /* classes that this node gives to no party */
	struct refusing *refusing; /* sorted by domain */
	size_t count, room;
	uint64_t *of_addressee; /* by number; NULL: by_us is all there is to know */
};

static uint64_t classes_without(uint32_t recognised)
{
	uint64_t classes = 0;

	for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
		unsigned code = core_code_of((enum rsit_class)c);

		if (code != 0 && (recognised >> (code - 1) & 1) == 0)
			classes |= UINT64_C(1) << c;
	}
	return classes;
}

struct gathering {
	struct recognition *k;
	struct span node;
};

/* They come in the order of their domains. */
static enum err gather(void *context, const struct vocabulary *v)
{
	struct gathering *g = context;
	struct recognition *k = g->k;
	struct refusing *one;

	if (span_equal(v->party, g->node)) {
		k->by_us = classes_without(v->recognised);
		return OK;
	}
	if (v->party.len >= sizeof(one->domain))
		return OK; /* no domain is so long */
	if (k->count == k->room) {
		size_t room = 2 * k->room + 16;

		if ((one = realloc(k->refusing, room * sizeof(*one))) == NULL)
			return ERR_NO_MEMORY;
		k->refusing = one;
		k->room = room;
	}
	one = &k->refusing[k->count++];
	memcpy(one->domain, v->party.at, v->party.len);
	one->domain[v->party.len] = '\0';
	one->classes = classes_without(v->recognised);
	return OK;
}

static int compare(const void *party, const void *one)
{
	return span_compare(*(const struct span *)party, span_of(((const struct refusing *)one)->domain));
}

static uint64_t refused_by(const struct recognition *k, struct span party)
{
	const struct refusing *one =
		k->count > 0 ? bsearch(&party, k->refusing, k->count, sizeof(*k->refusing), compare) : NULL;

	return k->by_us | (one != NULL ? one->classes : 0);
}

static enum err number_addressees(struct recognition *k, const struct resolver *r, struct span node)
{
	uint32_t count = resolver_addressees(r);

	if ((k->of_addressee = calloc((size_t)count + 1, sizeof(*k->of_addressee))) == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 1; i < count; i++) {
		struct resolved to;

		resolver_addressee(r, i, &to);
		if (to.to.type == TO_PARTY && !span_equal(to.to.domain, node))
			k->of_addressee[i] = refused_by(k, to.to.domain);
	}
	return OK;
}

static int by_domain(const void *a, const void *b)
{
	return strcmp(((const struct refusing *)a)->domain, ((const struct refusing *)b)->domain);
}

enum err recognition_new(const struct state *st, const struct resolver *r, struct recognition **out)
{
	struct recognition *k = calloc(1, sizeof(*k));
	struct gathering g = { k, st->node };
	enum err e = k == NULL ? ERR_NO_MEMORY : state_vocabularies(st, INT64_MAX, gather, &g);

	*out = NULL;
	if (e == OK && (k->count > 0 || k->by_us != 0)) {
		if (k->count > 1)
			qsort(k->refusing, k->count, sizeof(*k->refusing), by_domain);
		if ((e = number_addressees(k, r, st->node)) == OK) {
			*out = k;
			return OK;
		}
	}
	recognition_free(k);
	return e;
}

void recognition_free(struct recognition *k)
{
	if (k == NULL)
		return;
	free(k->refusing);
	free(k->of_addressee);
	free(k);
}

bool recognition_takes(const struct recognition *k, struct span party, enum rsit_class c)
{
	return k == NULL || (refused_by(k, party) >> c & 1) == 0;
}

uint32_t recognition_addressee(const struct recognition *k, const struct resolver *r, struct address a,
			       uint32_t addressee, enum rsit_class c)
{
	if (k == NULL)
		return addressee;
	while (addressee != 0 && (k->of_addressee[addressee] >> c & 1) != 0)
		addressee = resolver_next(r, a, addressee);
	return addressee;
}
