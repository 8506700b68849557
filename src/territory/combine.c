#include "territory/combine.h"

#include <stdlib.h>

#include "territory/special.h"
#include "territory/table.h"

/*
 * What a stretch's record says
 *
 * All layers step along together: a stretch ends where the first of them changes. On it
 *
 *   1. the origin is that of the first origin layer that knows one;
 *   2. an invalid origin that is narrower than that, or stands alone, was passed over, and is named;
 *   3. where only invalid ones are announced, the AS counts that the holder's own authorisations name;
 *   4. the country is that of the first country layer that knows one; EU and AP are no countries and come last;
 *   5. what a later layer says otherwise is kept: the first of each;
 *   6. space that nobody answers for is marked, whatever the sources say of it.
 *
 * Equal records get the same number, and stretches with the same number that touch become one.
 */

struct found {
	const struct layer *layer;
	const struct row *row;
	size_t layer_index;
};

static bool is_region(uint32_t country)
{
	return country == country_pack("EU") || country == country_pack("AP");
}

static const struct row *row_now(const struct layer *l)
{
	uint32_t row = l->steps.count > 0 ? l->steps.at[l->at].row : NO_ROW;

	return row != NO_ROW ? &l->rows.at[row] : NULL;
}

static void take(struct found *f, const struct layer *l, size_t index, const struct row *row)
{
	*f = (struct found){ l, row, index };
}

static void disagree_on_origin(struct disk_extra *x, uint32_t asn, uint8_t source)
{
	if (x->other_asn != 0 || asn == 0)
		return;
	x->other_asn = asn;
	x->other_source = source;
}

static void disagree_on_country(struct disk_extra *x, uint32_t country, uint8_t source)
{
	if (x->other_country != 0 || country == 0)
		return;
	x->other_country = (uint16_t)country;
	x->other_country_source = source;
}

static struct found find_origin(const struct layers *ls, struct disk_extra *x)
{
	struct found origin = { 0 }, invalid = { 0 }, holder = { 0 };

	for (size_t i = 0; i < ls->count; i++) {
		const struct layer *l = &ls->at[i];
		const struct row *row = row_now(l);

		if (row == NULL)
			continue;
		if (l->use == USE_ORIGIN && origin.row == NULL)
			take(&origin, l, i, row);
		else if (l->use == USE_ORIGIN && row->value != origin.row->value)
			disagree_on_origin(x, row->value, l->source);
		else if (l->use == USE_INVALID && invalid.row == NULL && origin.row == NULL)
			take(&invalid, l, i, row);
		else if (l->use == USE_INVALID && invalid.row == NULL &&
			 row->last - row->first <= origin.row->last - origin.row->first)
			take(&invalid, l, i, row);
		else if (l->use == USE_HOLDER && holder.row == NULL)
			take(&holder, l, i, row);
	}
	if (origin.row == NULL && invalid.row != NULL)
		origin = holder;
	if (origin.row != NULL)
		disagree_on_origin(x, origin.row->rival, origin.layer->source);
	if (invalid.row != NULL && (origin.row == NULL || invalid.row->value != origin.row->value))
		x->passed_over_asn = invalid.row->value;
	return origin;
}

static struct found find_country(const struct layers *ls, struct disk_extra *x)
{
	struct found country = { 0 };

	for (size_t i = 0; i < ls->count; i++) {
		const struct layer *l = &ls->at[i];
		const struct row *row = l->use == USE_COUNTRY ? row_now(l) : NULL;

		if (row == NULL)
			continue;
		if (country.row == NULL || (is_region(country.row->value) && !is_region(row->value)))
			take(&country, l, i, row);
		else if (row->value != country.row->value && !is_region(row->value))
			disagree_on_country(x, row->value, l->source);
	}
	if (country.row != NULL)
		disagree_on_country(x, country.row->rival, country.layer->source);
	return country;
}

static bool is_special(const struct layers *ls, bool routed)
{
	const struct row *row = NULL;

	for (size_t i = 0; row == NULL && i < ls->count; i++)
		if (ls->at[i].use == USE_SPECIAL)
			row = row_now(&ls->at[i]);
	return row != NULL && (row->value == SPECIAL_ALWAYS || (row->value == SPECIAL_UNLESS_ROUTED && !routed));
}

/* The row's id, given when a record first refers to it. */
static enum err refer(const struct found *f, struct row_ref **refs, size_t *count, size_t *room, uint32_t *id)
{
	uint32_t row = f->row != NULL ? (uint32_t)(f->row - f->layer->rows.at) : 0;
	void *at = *refs;
	enum err e;

	*id = 0;
	if (f->row == NULL)
		return OK;
	if (f->layer->ids[row] == 0) {
		e = grow(&at, room, *count, sizeof(**refs), 4 * ROWS_MAX);
		*refs = at;
		if (e != OK)
			return e;
		(*refs)[(*count)++] = (struct row_ref){ (uint16_t)f->layer_index, row };
		f->layer->ids[row] = (uint32_t)*count;
	}
	*id = f->layer->ids[row];
	return OK;
}

static enum err add_run(struct combined *c, wide first, uint32_t record)
{
	void *at = c->runs;
	enum err e;

	if (c->run_count > 0 && c->runs[c->run_count - 1].record == record)
		return OK;
	e = grow(&at, &c->run_room, c->run_count, sizeof(*c->runs), TABLE_RECORDS_MAX);
	c->runs = at;
	if (e == OK)
		c->runs[c->run_count++] = (struct run){ first, record };
	return e;
}

static enum err add_stretch(const struct layers *ls, struct combined *c, wide first)
{
	struct disk_extra x = { 0 };
	struct disk_record r = { 0 };
	struct found origin = find_origin(ls, &x), country = find_country(ls, &x);
	uint32_t record = 0;
	size_t runs = c->run_count;
	enum err e = refer(&origin, &c->origins, &c->origin_count, &c->origin_room, &r.origin);

	if (e == OK)
		e = refer(&country, &c->countries, &c->country_count, &c->country_room, &r.country);
	if (origin.row != NULL) {
		x.origin_source = origin.layer->source;
		x.validity = origin.row->validity;
	} else if (x.passed_over_asn != 0) {
		x.validity = ROUTE_INVALID;
	}
	if (country.row != NULL)
		x.country_source = country.layer->source;
	if ((origin.row != NULL || country.row != NULL) && is_special(ls, origin.row != NULL))
		x.flags = EXTRA_SPECIAL;
	if (e == OK)
		e = intern(&c->extras, &x, &r.extra);
	if (e == OK)
		e = intern(&c->records, &r, &record);
	if (e == OK)
		e = add_run(c, first, record);
	if (c->run_count > runs && (x.other_asn != 0 || x.other_country != 0))
		c->disagreements++;
	return e;
}

/* Moves the layers behind the stretch that begins at *first. False: that was the last one. */
static bool next_stretch(struct layers *ls, wide *first)
{
	bool more = false;
	wide next = 0;

	for (size_t i = 0; i < ls->count; i++) {
		const struct layer *l = &ls->at[i];

		if (l->at + 1 < l->steps.count && (!more || l->steps.at[l->at + 1].first < next)) {
			next = l->steps.at[l->at + 1].first;
			more = true;
		}
	}
	for (size_t i = 0; more && i < ls->count; i++) {
		struct layer *l = &ls->at[i];

		if (l->at + 1 < l->steps.count && l->steps.at[l->at + 1].first == next)
			l->at++;
	}
	*first = next;
	return more;
}

enum err combine(struct layers *layers, enum family f, struct combined *out)
{
	static const struct disk_extra no_extra;
	static const struct disk_record no_record;
	uint32_t number;
	wide first = 0;
	enum err e;

	*out = (struct combined){ .records = INTERN(struct disk_record), .extras = INTERN(struct disk_extra) };
	if ((e = intern(&out->extras, &no_extra, &number)) != OK ||
	    (e = intern(&out->records, &no_record, &number)) != OK)
		return e;
	for (size_t i = 0; e == OK && i < layers->count; i++) {
		struct layer *l = &layers->at[i];

		l->at = 0;
		e = sweep(&l->rows, f, &l->steps);
		if (e == OK && (l->ids = calloc(l->rows.count + 1, sizeof(*l->ids))) == NULL)
			e = fail(ERR_NO_MEMORY, "no room for %zu rows", l->rows.count);
	}
	do
		e = e == OK ? add_stretch(layers, out, first) : e;
	while (e == OK && next_stretch(layers, &first));
	return e;
}

void combined_free(struct combined *c)
{
	free(c->runs);
	intern_free(&c->records);
	intern_free(&c->extras);
	free(c->origins);
	free(c->countries);
	*c = (struct combined){ 0 };
}

void layers_free(struct layers *l)
{
	for (size_t i = 0; i < l->count; i++) {
		rows_free(&l->at[i].rows);
		steps_free(&l->at[i].steps);
		free(l->at[i].ids);
	}
	l->count = 0;
}
