/*
 * Which versions of an id a query picks (TAXII 2.1, 3.4): those that the reader sees, of the specs that are asked for; of
 * these the last, the first, the listed or all; and where no spec is asked for, of what is left only those of the latest.
 */
#include <stdlib.h>

#include "regime/objects_private.h"

enum err picked_add(struct picked *p, const struct key_found *f)
{
	if (p->count == p->room) {
		size_t room = p->room == 0 ? 16 : p->room * 2;
		struct key_found *more = reallocarray(p->at, room, sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		p->at = more;
		p->room = room;
	}
	p->at[p->count++] = *f;
	return OK;
}

static enum err pick_visible(void *context, const struct key_found *f)
{
	return f->hidden ? OK : picked_add(context, f);
}

static unsigned specs_of(const struct object_query *q)
{
	return q->specs != 0 ? q->specs : SPECS_ALL;
}

static enum err pick_newest(struct object_keys *k, const struct object_query *q, struct span id, struct picked *p)
{
	struct key_found best = { 0 };
	enum err e = OK;

	for (int l = 0; e == OK && l <= (int)q->level; l++) {
		struct key_found f;

		e = keys_newest(k, (enum tlp)l, id, specs_of(q), true, &f);
		if (e == OK && f.there &&
		    (!best.there || span_compare(instant_view(&f.version), instant_view(&best.version)) > 0))
			best = f;
	}
	return e == OK && best.there ? picked_add(p, &best) : e;
}

static enum err pick_oldest(struct object_keys *k, const struct object_query *q, struct span id, struct picked *p)
{
	struct key_found best = { 0 };
	enum err e = OK;

	for (int l = 0; e == OK && l <= (int)q->level; l++) {
		struct key_found f;

		e = keys_oldest(k, (enum tlp)l, id, specs_of(q), true, &f);
		if (e == OK && f.there &&
		    (!best.there || span_compare(instant_view(&f.version), instant_view(&best.version)) < 0))
			best = f;
	}
	return e == OK && best.there ? picked_add(p, &best) : e;
}

static enum err pick_listed(struct object_keys *k, const struct object_query *q, struct span id, struct picked *p)
{
	enum err e = OK;

	for (int l = 0; e == OK && l <= (int)q->level; l++) {
		struct key_found f;
		struct instant added;

		for (size_t i = 0; e == OK && i < q->version_count; i++) {
			if (q->versions[i].length == 0)
				continue;
			e = keys_exact(k, (enum tlp)l, id, instant_view(&q->versions[i]), &f);
			if (e == OK && f.there && (specs_of(q) & 1u << f.spec) != 0)
				e = pick_visible(p, &f);
		}
		if (e == OK)
			e = keys_exact(k, (enum tlp)l, id, SPAN(""), &f);
		if (e != OK || !f.there || (specs_of(q) & 1u << f.spec) == 0)
			continue;
		added = instant_of_stamp(f.stamp);
		for (size_t i = 0; e == OK && i < q->version_count; i++)
			if (span_equal(instant_view(&added), instant_view(&q->versions[i])))
				e = pick_visible(p, &f);
	}
	return e;
}

static enum err pick_all(struct object_keys *k, const struct object_query *q, struct span id, struct picked *p)
{
	enum err e = OK;

	for (int l = 0; e == OK && l <= (int)q->level; l++)
		e = keys_each(k, (enum tlp)l, id, specs_of(q), pick_visible, p);
	return e;
}

static enum err pick_some(struct object_keys *k, const struct object_query *q, struct span id, struct picked *p)
{
	enum err e = OK;

	if (q->all)
		return pick_all(k, q, id, p);
	if (q->last || (!q->first && q->version_count == 0))
		e = pick_newest(k, q, id, p);
	if (e == OK && q->first)
		e = pick_oldest(k, q, id, p);
	if (e == OK && q->version_count > 0)
		e = pick_listed(k, q, id, p);
	return e;
}

static int by_stamp(const void *a, const void *b)
{
	const struct key_found *x = a, *y = b;

	return (x->stamp > y->stamp) - (x->stamp < y->stamp);
}

enum err objects_pick(struct object_keys *k, const struct object_query *q, struct span id, struct picked *p)
{
	enum stix_spec latest = STIX_2_0;
	size_t from = p->count, kept = from;
	enum err e = pick_some(k, q, id, p);

	if (e != OK)
		return e;
	if (p->count - from > 1)
		qsort(p->at + from, p->count - from, sizeof(*p->at), by_stamp);
	for (size_t i = from; i < p->count; i++)
		if (p->at[i].spec > latest)
			latest = p->at[i].spec;
	for (size_t i = from; i < p->count; i++)
		if ((q->specs != 0 || p->at[i].spec == latest) &&
		    (kept == from || p->at[kept - 1].stamp != p->at[i].stamp))
			p->at[kept++] = p->at[i];
	p->count = kept;
	return OK;
}

void objects_picked_sort(struct picked *p)
{
	size_t kept = 0;

	if (p->count > 1)
		qsort(p->at, p->count, sizeof(*p->at), by_stamp);
	for (size_t i = 0; i < p->count; i++)
		if (kept == 0 || p->at[kept - 1].stamp != p->at[i].stamp)
			p->at[kept++] = p->at[i];
	p->count = kept;
}
