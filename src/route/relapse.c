/*
 * Seen again after "fixed"
 *
 * A line remembers when it was last told, not in which notice. The notices of its addressee and class whose events' period holds that
 * moment are those that it may have stood in. If the addressee answered all of them with `fixed`, and before this event, then
 * it was fixed and is back, whichever it was: the newest of them is re-observed, and the row is told at once. If one of them is
 * open, withdrawn or ended otherwise, nothing is claimed: the line may have stood in that one.
 */
#include <stdlib.h>

#include "route/batch.h"

static enum err keep(void *context, const struct matter *m)
{
	struct maker *k = context;
	struct told_matters *t = &k->told_matters;

	if (m->first_ms == 0 || !span_equal(m->from, k->state.node))
		return OK;
	if (t->count == t->room) {
		size_t room = t->room == 0 ? 64 : 2 * t->room;

		t->at = arena_resize(k->arena, t->at, t->room * sizeof(*t->at), room * sizeof(*t->at));
		if (t->at == NULL)
			return ERR_NO_MEMORY;
		t->room = room;
	}
	t->at[t->count++] =
		(struct told_matter){ .id = m->id,
				      .first_ms = m->first_ms,
				      .last_ms = m->last_ms,
				      .fixed_ms = m->ended && !m->withdrawn && m->outcome == OUTCOME_FIXED ? m->ended_ms
													   : 0 };
	t->fixed |= t->at[t->count - 1].fixed_ms != 0;
	return OK;
}

void relapse_start(struct maker *m)
{
	m->told_matters = (struct told_matters){ 0 };
}

/* Periods stand in headers, whose times are whole seconds. */
static bool holds(const struct told_matter *t, int64_t ms)
{
	return t->first_ms / 1000 <= ms / 1000 && ms / 1000 <= t->last_ms / 1000;
}

static enum err remember(struct batch *b, struct hash id)
{
	for (size_t i = 0; i < b->relapse_count; i++)
		if (hash_equal(b->relapses[i], id))
			return OK;
	if (b->relapse_count == b->relapse_room) {
		size_t room = b->relapse_room == 0 ? 16 : 2 * b->relapse_room;
		struct hash *bigger = realloc(b->relapses, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		b->relapses = bigger;
		b->relapse_room = room;
	}
	b->relapses[b->relapse_count++] = id;
	return OK;
}

enum err relapse_look(struct maker *m, struct batch *b, const struct addressee *to, enum rsit_class class,
		      const struct sighting *before, int64_t event_ms, bool *back)
{
	struct told_matters *t = &m->told_matters;
	const struct told_matter *newest = NULL;
	enum err e = OK;

	*back = false;
	if (before->told_ms == 0 || event_ms == 0)
		return OK;
	if (!t->loaded) {
		t->loaded = true;
		e = state_matters_to(&m->state, to, class, keep, m);
	}
	if (e != OK || !t->fixed)
		return e;
	for (size_t i = 0; i < t->count; i++) {
		if (!holds(&t->at[i], before->told_ms))
			continue;
		if (t->at[i].fixed_ms == 0 || t->at[i].fixed_ms >= event_ms)
			return OK;
		if (newest == NULL)
			newest = &t->at[i];
	}
	*back = newest != NULL;
	return newest != NULL ? remember(b, newest->id) : OK;
}

/* What another batch has said already is not said twice. */
enum err relapses_add(struct routing *r, const struct batch *b, int64_t date_ms)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < b->relapse_count; i++) {
		struct statement_writer w = { 0 };
		struct appended done;
		struct matter m;

		if ((e = state_matter(node_batch_state(r->node), b->relapses[i], &m)) != OK)
			break;
		if (m.withdrawn || !m.ended || m.outcome != OUTCOME_FIXED)
			continue;
		statement_begin(&w, KIND_ANSWER, node_origin(r->node, LEDGER_CIRCLE), signer_verifier(r->signer));
		statement_add_to(&w, &m.to);
		statement_add_time(&w, "date", date_ms);
		statement_add_hash(&w, "re", m.id);
		statement_add(&w, "outcome", span_of(outcome_name(OUTCOME_RE_OBSERVED)));
		e = w.err != OK ? w.err : node_add_own(r->node, &w, &done);
		statement_writer_free(&w);
	}
	return e;
}
