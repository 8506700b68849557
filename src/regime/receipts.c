#include "regime/receipts.h"

#include <pthread.h>
#include <stdlib.h>

#include "ledger/recent.h"

struct receipts {
	pthread_mutex_t mutex;
	struct recent *recent[LEDGER_COUNT];
	struct signed_checkpoint signed_last[LEDGER_COUNT];
};

enum err receipts_new(struct receipts **out)
{
	struct receipts *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&r->mutex, NULL);
	*out = r;
	return OK;
}

void receipts_free(struct receipts *r)
{
	if (r == NULL)
		return;
	for (int l = 0; l < LEDGER_COUNT; l++)
		recent_free(r->recent[l]);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}

enum err receipts_go_on(struct receipts *r, enum ledger_id l, const struct frontier *from)
{
	struct recent *fresh = NULL;
	enum err e = recent_new(from, &fresh);

	pthread_mutex_lock(&r->mutex);
	recent_free(r->recent[l]);
	r->recent[l] = fresh;
	r->signed_last[l].length = 0;
	pthread_mutex_unlock(&r->mutex);
	return e;
}

static enum err reach(struct receipts *r, enum ledger_id l, const struct growth *g, const struct signed_checkpoint *c,
		      const struct checkpoint *published)
{
	const struct hash *leaves = growth_leaves(g);
	enum err e = OK;

	for (size_t i = 0; e == OK && i < growth_count(g); i++)
		e = recent_add(r->recent[l], leaves[i]);
	if (e == OK)
		e = recent_forget(r->recent[l], published->size);
	r->signed_last[l] = *c;
	return e;
}

enum err receipts_reach(struct receipts *r, struct growth *const growth[LEDGER_COUNT], const struct reached *reached,
			const struct checkpoint published[LEDGER_COUNT])
{
	enum err e = OK;

	pthread_mutex_lock(&r->mutex);
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		if (growth_count(growth[l]) > 0)
			e = reach(r, (enum ledger_id)l, growth[l], &reached->ledgers[l], &published[l]);
	pthread_mutex_unlock(&r->mutex);
	return e;
}

enum err receipts_make(struct receipts *r, struct arena *a, enum ledger_id l, uint64_t index, struct receipt *out)
{
	const struct signed_checkpoint *c = &r->signed_last[l];
	const struct recent *recent;
	const char *note = NULL;
	enum err e = OK;

	*out = (struct receipt){ .index = index };
	pthread_mutex_lock(&r->mutex);
	recent = r->recent[l];
	if (recent == NULL || c->length == 0 || index < recent_first(recent) || index >= recent_size(recent))
		e = ERR_NOT_FOUND;
	if (e == OK)
		e = recent_proof(recent, index, &out->proof);
	if (e == OK && (note = arena_copy(a, c->note, c->length)) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		out->checkpoint_note = span_make(note, c->length);
	pthread_mutex_unlock(&r->mutex);
	return e;
}
