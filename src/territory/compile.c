#include "territory/compile.h"

#include <stdlib.h>

enum err section_make(struct sections *s, enum section which, size_t count, size_t size)
{
	struct content *c = &s->at[which];

	c->size = count * size;
	if ((c->at = calloc(count + 1, size)) == NULL)
		return fail(ERR_NO_MEMORY, "no room for a section of %zu bytes", c->size);
	return OK;
}

void sections_free(struct sections *s)
{
	for (int i = 0; i < SECTION_COUNT; i++)
		free(s->at[i].at);
	*s = (struct sections){ 0 };
}

static const struct row *row_of(const struct layers *ls, const struct row_ref *ref)
{
	return &ls->at[ref->layer].rows.at[ref->row];
}

static enum err write_rows4(const struct layers *ls, const struct row_ref *refs, size_t count, enum section which,
			    compile_as *as_of, const void *context, struct sections *out)
{
	enum err e = section_make(out, which, count, sizeof(struct disk_row4));
	struct disk_row4 *to = out->at[which].at;

	for (size_t i = 0; e == OK && i < count; i++) {
		const struct row *r = row_of(ls, &refs[i]);

		to[i] = (struct disk_row4){ (uint32_t)r->first, (uint32_t)r->last,
					    as_of != NULL ? as_of(context, r->value) : r->value };
	}
	return e;
}

static enum err write_rows6(const struct layers *ls, const struct row_ref *refs, size_t count, enum section which,
			    compile_as *as_of, const void *context, struct sections *out)
{
	enum err e = section_make(out, which, count, sizeof(struct disk_row6));
	struct disk_row6 *to = out->at[which].at;

	for (size_t i = 0; e == OK && i < count; i++) {
		const struct row *r = row_of(ls, &refs[i]);

		to[i] = (struct disk_row6){ (uint64_t)(r->first >> 64),
					    (uint64_t)r->first,
					    (uint64_t)(r->last >> 64),
					    (uint64_t)r->last,
					    as_of != NULL ? as_of(context, r->value) : r->value,
					    0 };
	}
	return e;
}

static int compare_classes(const void *a, const void *b)
{
	const struct disk_class *x = a, *y = b;

	if (x->as != y->as)
		return x->as < y->as ? -1 : 1;
	return (x->country > y->country) - (x->country < y->country);
}

static uint32_t value_of(const struct sections *s, bool ipv4, enum section which, uint32_t row)
{
	const void *at = s->at[which].at;

	if (row == 0)
		return 0;
	return ipv4 ? ((const struct disk_row4 *)at)[row - 1].value : ((const struct disk_row6 *)at)[row - 1].value;
}

/* The class of each record from `first` on, as first numbered; classes are gathered. The rows are written already. */
static enum err gather_classes(const struct combined *c, size_t first, bool ipv4, const struct sections *s,
			       struct intern *classes, uint32_t *class_of)
{
	const struct disk_record *records = (const struct disk_record *)(const void *)c->records.at;
	const struct disk_extra *extras = (const struct disk_extra *)(const void *)c->extras.at;
	enum err e = OK;

	for (size_t i = first; e == OK && i < c->records.count; i++) {
		const struct disk_record *r = &records[i];
		struct disk_class k = { 0, 0 };

		if ((extras[r->extra].flags & EXTRA_SPECIAL) == 0) {
			k.as = value_of(s, ipv4, ipv4 ? SECTION_ORIGINS4 : SECTION_ORIGINS6, r->origin);
			k.country = value_of(s, ipv4, ipv4 ? SECTION_COUNTRIES4 : SECTION_COUNTRIES6, r->country);
		}
		e = intern(classes, &k, &class_of[i - first]);
	}
	return e;
}

/* Sorts the classes and puts the new numbers into the records. */
static enum err sort_classes(const struct intern *classes, uint32_t *class_of, size_t records, struct sections *out)
{
	uint32_t *place = malloc(classes->count * sizeof(*place));
	enum err e = section_make(out, SECTION_CLASSES, classes->count, sizeof(struct disk_class));
	struct disk_class *sorted = out->at[SECTION_CLASSES].at;
	uint32_t number;

	if (place == NULL || e != OK) {
		free(place);
		return fail(ERR_NO_MEMORY, "no room for %zu classes", classes->count);
	}
	memcpy(sorted, classes->at, classes->count * sizeof(*sorted));
	qsort(sorted, classes->count, sizeof(*sorted), compare_classes);
	for (size_t i = 0; i < classes->count; i++)
		if (intern_find(classes, &sorted[i], &number))
			place[number] = (uint32_t)i;
	for (size_t i = 0; i < records; i++)
		class_of[i] = place[class_of[i]];
	free(place);
	return OK;
}

/* IPv4's extras come first, IPv6's behind them without their number 0. */
static enum err write_records(const struct combined *c4, const struct combined *c6, struct sections *out)
{
	size_t count = c4->records.count + c6->records.count - 1, extras = c4->extras.count + c6->extras.count - 1;
	uint32_t shift = (uint32_t)c4->extras.count - 1;
	struct disk_record *to;
	enum err e = section_make(out, SECTION_RECORDS, count, sizeof(*to));

	if (e != OK || (e = section_make(out, SECTION_EXTRAS, extras, sizeof(struct disk_extra))) != OK)
		return e;
	to = out->at[SECTION_RECORDS].at;
	memcpy(to, c4->records.at, c4->records.count * sizeof(*to));
	memcpy(to + c4->records.count, c6->records.at + sizeof(*to), (c6->records.count - 1) * sizeof(*to));
	for (size_t i = c4->records.count; i < count; i++)
		if (to[i].extra != 0)
			to[i].extra += shift;
	memcpy(out->at[SECTION_EXTRAS].at, c4->extras.at, c4->extras.count * sizeof(struct disk_extra));
	memcpy((struct disk_extra *)out->at[SECTION_EXTRAS].at + c4->extras.count,
	       c6->extras.at + sizeof(struct disk_extra), (c6->extras.count - 1) * sizeof(struct disk_extra));
	return OK;
}

static enum err write_classes(const struct combined *c4, const struct combined *c6, struct sections *out)
{
	size_t records = c4->records.count + c6->records.count - 1; /* number 0 is shared */
	struct intern classes = INTERN(struct disk_class);
	enum err e = section_make(out, SECTION_RECORD_CLASSES, records + 1, sizeof(uint32_t));
	uint32_t *class_of = out->at[SECTION_RECORD_CLASSES].at;

	if (e == OK)
		e = gather_classes(c4, 0, true, out, &classes, class_of);
	if (e == OK)
		e = gather_classes(c6, 1, false, out, &classes, class_of + c4->records.count);
	if (e == OK)
		e = sort_classes(&classes, class_of, records, out);
	intern_free(&classes);
	return e;
}

enum err compile_records(const struct layers *layers4, const struct combined *c4, const struct layers *layers6,
			 const struct combined *c6, compile_as *as_of, const void *context, struct sections *out)
{
	enum err e = write_records(c4, c6, out);

	if (e == OK)
		e = write_rows4(layers4, c4->origins, c4->origin_count, SECTION_ORIGINS4, as_of, context, out);
	if (e == OK)
		e = write_rows4(layers4, c4->countries, c4->country_count, SECTION_COUNTRIES4, NULL, NULL, out);
	if (e == OK)
		e = write_rows6(layers6, c6->origins, c6->origin_count, SECTION_ORIGINS6, as_of, context, out);
	if (e == OK)
		e = write_rows6(layers6, c6->countries, c6->country_count, SECTION_COUNTRIES6, NULL, NULL, out);
	return e == OK ? write_classes(c4, c6, out) : e;
}

static uint64_t aligned(uint64_t n)
{
	return (n + TABLE_ALIGNMENT - 1) / TABLE_ALIGNMENT * TABLE_ALIGNMENT;
}

enum err compile_file(struct table_head *head, const struct sections *s, struct content *out)
{
	uint64_t at = aligned(sizeof(*head));
	size_t begin = (size_t)at;
	char *file;

	for (int i = 0; i < SECTION_COUNT; i++) {
		head->sections[i] = (struct table_section){ at, s->at[i].size };
		at = aligned(at + s->at[i].size);
	}
	head->file_size = at;
	if ((file = calloc(1, (size_t)at)) == NULL)
		return fail(ERR_NO_MEMORY, "no room for a table of %zu bytes", (size_t)at);
	for (int i = 0; i < SECTION_COUNT; i++)
		if (s->at[i].size > 0)
			memcpy(file + head->sections[i].offset, s->at[i].at, s->at[i].size);
	memcpy(head->magic, TABLE_MAGIC, sizeof(TABLE_MAGIC));
	head->byte_order = TABLE_BYTE_ORDER;
	head->head_size = sizeof(*head);
	head->content = hash_bytes(file + begin, (size_t)at - begin);
	head->head = hash_bytes(head, offsetof(struct table_head, head));
	memcpy(file, head, sizeof(*head));
	*out = (struct content){ file, (size_t)at };
	return OK;
}
