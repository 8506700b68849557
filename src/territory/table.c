#include "territory/table.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "territory/row.h"
#include "territory/table_file.h"
#include "territory/table_read.h"

/*
 * Trust
 *
 * table_open looks at the head only, so that a program that asks for one address touches a few pages, not fifty
 * megabytes. What it believes is where the sections lie; nothing inside them. Every number read from a section is
 * compared with what it indexes before it is used: a damaged table may answer wrongly until table_check finds it, but it
 * never leads outside the file.
 */

static size_t size_of_element(enum section s)
{
	static const size_t sizes[SECTION_COUNT] = {
		[SECTION_DIRECT4] = 4,
		[SECTION_NETS4] = 4,
		[SECTION_FRAGMENTS4] = 1,
		[SECTION_SLOTS6] = 8,
		[SECTION_STEPS6] = sizeof(struct disk_step6),
		[SECTION_LOW6] = 8,
		[SECTION_RECORDS] = sizeof(struct disk_record),
		[SECTION_RECORD_CLASSES] = 4,
		[SECTION_CLASSES] = sizeof(struct disk_class),
		[SECTION_EXTRAS] = sizeof(struct disk_extra),
		[SECTION_ORIGINS4] = sizeof(struct disk_row4),
		[SECTION_ORIGINS6] = sizeof(struct disk_row6),
		[SECTION_COUNTRIES4] = sizeof(struct disk_row4),
		[SECTION_COUNTRIES6] = sizeof(struct disk_row6),
		[SECTION_AS] = sizeof(struct disk_as),
		[SECTION_TEXT] = 1,
		[SECTION_SOURCES] = sizeof(struct disk_source),
	};

	return sizes[s];
}

static bool sections_fit(struct table *t)
{
	const struct table_head *h = t->head;

	for (int i = 0; i < SECTION_COUNT; i++) {
		const struct table_section *s = &h->sections[i];
		size_t size = size_of_element((enum section)i);

		if (s->offset % TABLE_ALIGNMENT != 0 || s->offset > t->map.len || s->size > t->map.len - s->offset ||
		    s->size % size != 0 || s->size / size > UINT32_MAX)
			return false;
		t->at[i] = t->map.at + s->offset;
		t->count[i] = (uint32_t)(s->size / size);
	}
	return t->count[SECTION_DIRECT4] == BLOCKS4 && t->count[SECTION_SLOTS6] >= 1u << ROOT_BITS6 &&
	       t->count[SECTION_STEPS6] > 0 && t->count[SECTION_LOW6] == t->count[SECTION_STEPS6] && h->records > 0 &&
	       h->records <= TABLE_RECORDS_MAX && t->count[SECTION_RECORDS] == h->records &&
	       t->count[SECTION_RECORD_CLASSES] >= h->records && h->records_ipv4 > 0 && h->records_ipv4 <= h->records &&
	       t->count[SECTION_CLASSES] > 0 && t->count[SECTION_EXTRAS] > 0 &&
	       t->count[SECTION_SOURCES] <= UINT8_MAX + 1u;
}

static enum err check_head(struct table *t, const char *path)
{
	const struct table_head *h = t->head;

	if (t->map.len < sizeof(*h) || memcmp(h->magic, TABLE_MAGIC, sizeof(TABLE_MAGIC)) != 0)
		return fail(ERR_TABLE_DAMAGED, "%s: not a territory table of this version", path);
	if (h->byte_order != TABLE_BYTE_ORDER)
		return fail(ERR_TABLE_DAMAGED, "%s: built on a machine of another byte order", path);
	if (h->head_size != sizeof(*h) || !hash_equal(h->head, hash_bytes(h, offsetof(struct table_head, head))))
		return fail(ERR_TABLE_DAMAGED, "%s: the head fails its checksum", path);
	if (h->file_size != t->map.len)
		return fail(ERR_TABLE_DAMAGED, "%s: %zu bytes, should be %llu", path, t->map.len,
			    (unsigned long long)h->file_size);
	if (!sections_fit(t))
		return fail(ERR_TABLE_DAMAGED, "%s: a section lies outside the file", path);
	return OK;
}

enum err table_open(const char *path, struct table **out)
{
	struct table *t = calloc(1, sizeof(*t));
	enum err e = t != NULL ? file_map(path, &t->map) : fail(ERR_NO_MEMORY, "no room for a table");

	if (e == ERR_NOT_FOUND)
		e = fail(ERR_TABLE_MISSING, "%s is not there; `comity territory update` builds it", path);
	if (e == OK) {
		t->head = (const struct table_head *)(const void *)t->map.at;
		e = check_head(t, path);
	}
	if (e != OK) {
		table_close(t);
		return e;
	}
	t->records = t->head->records;
	t->vrps_fresh = t->head->vrps_until_ms > clock_now_ms();
	*out = t;
	return OK;
}

void table_close(struct table *t)
{
	if (t == NULL)
		return;
	file_unmap(&t->map);
	free(t);
}

enum err table_check(const struct table *t)
{
	size_t begin = (sizeof(struct table_head) + TABLE_ALIGNMENT - 1) / TABLE_ALIGNMENT * TABLE_ALIGNMENT;

	if (begin > t->map.len || !hash_equal(t->head->content, hash_bytes(t->map.at + begin, t->map.len - begin)))
		return fail(ERR_TABLE_DAMAGED, "the content of the table fails its checksum");
	return OK;
}

/* Nothing is owed to a reference that leads nowhere: NULL. */
static const void *element(const struct table *t, enum section s, uint32_t i)
{
	return i < t->count[s] ? t->at[s] + (size_t)i * size_of_element(s) : NULL;
}

static struct span text_at(const struct table *t, struct disk_text x)
{
	if (x.length > t->count[SECTION_TEXT] || x.at > t->count[SECTION_TEXT] - x.length)
		return SPAN("");
	return span_make(t->at[SECTION_TEXT] + x.at, x.length);
}

/* Number from 1. False: there is no such row. */
static bool row_at(const struct table *t, bool ipv4, bool country, uint32_t number, struct range *range,
		   uint32_t *value)
{
	if (number == 0)
		return false;
	if (ipv4) {
		const struct disk_row4 *r = element(t, country ? SECTION_COUNTRIES4 : SECTION_ORIGINS4, number - 1);

		if (r == NULL)
			return false;
		*range = (struct range){ address_ipv4(r->first), address_ipv4(r->last) };
		*value = r->value;
	} else {
		const struct disk_row6 *r = element(t, country ? SECTION_COUNTRIES6 : SECTION_ORIGINS6, number - 1);

		if (r == NULL)
			return false;
		*range = (struct range){ { r->first_high, r->first_low, FAMILY_IPV6 },
					 { r->last_high, r->last_low, FAMILY_IPV6 } };
		*value = r->value;
	}
	return true;
}

static void add_as(const struct table *t, uint32_t as, struct table_record *out)
{
	const struct disk_as *a = as > 0 ? element(t, SECTION_AS, as - 1) : NULL;

	if (a == NULL)
		return;
	out->asn = a->asn;
	out->holder = text_at(t, a->name);
	country_unpack(a->country, out->as_country);
}

static void add_extra(const struct table *t, const struct disk_extra *x, struct table_record *out)
{
	out->origin_source = x->origin_source;
	out->country_source = x->country_source;
	out->other_asn = x->other_asn;
	out->other_source = x->other_source;
	out->other_country_source = x->other_country_source;
	country_unpack(x->other_country, out->other_country);
	out->passed_over_asn = x->passed_over_asn;
	out->validity =
		t->vrps_fresh && x->validity <= ROUTE_INVALID ? (enum route_validity)x->validity : ROUTE_UNKNOWN;
}

void table_record(const struct table *t, uint32_t number, struct table_record *out)
{
	const struct disk_record *r = element(t, SECTION_RECORDS, number);
	const struct disk_extra *x = r != NULL ? element(t, SECTION_EXTRAS, r->extra) : NULL;
	bool ipv4 = number < t->head->records_ipv4;
	uint32_t value;

	*out = (struct table_record){ .holder = SPAN("") };
	if (number == 0 || x == NULL)
		return;
	if (row_at(t, ipv4, false, r->origin, &out->origin_range, &value))
		add_as(t, value, out);
	if (row_at(t, ipv4, true, r->country, &out->country_range, &value))
		country_unpack(value, out->country);
	add_extra(t, x, out);
}

uint32_t table_records(const struct table *t)
{
	return t->records;
}

uint32_t table_classes(const struct table *t)
{
	return t->count[SECTION_CLASSES];
}

void table_class_facts(const struct table *t, uint32_t class, struct table_class_facts *out)
{
	const struct disk_class *k = element(t, SECTION_CLASSES, class);
	const struct disk_as *a = k != NULL && k->as > 0 ? element(t, SECTION_AS, k->as - 1) : NULL;

	*out = (struct table_class_facts){ 0 };
	if (k != NULL)
		country_unpack(k->country, out->country);
	if (a != NULL) {
		out->asn = a->asn;
		country_unpack(a->country, out->as_country);
	}
}

bool table_as(const struct table *t, uint32_t asn, struct span *holder, char country[3])
{
	uint32_t low = 0, high = t->count[SECTION_AS];
	const struct disk_as *at = (const struct disk_as *)(const void *)t->at[SECTION_AS];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (at[middle].asn < asn)
			low = middle + 1;
		else
			high = middle;
	}
	if (low >= t->count[SECTION_AS] || at[low].asn != asn)
		return false;
	*holder = text_at(t, at[low].name);
	country_unpack(at[low].country, country);
	return true;
}

size_t table_sources(const struct table *t)
{
	return t->count[SECTION_SOURCES];
}

void table_source(const struct table *t, size_t i, struct table_source *out)
{
	const struct disk_source *s = i < t->count[SECTION_SOURCES] ? element(t, SECTION_SOURCES, (uint32_t)i) : NULL;

	*out = (struct table_source){ .name = SPAN("unknown"), .attribution = SPAN(""), .caution = SPAN("") };
	if (s == NULL)
		return;
	out->name = text_at(t, s->name);
	out->attribution = text_at(t, s->attribution);
	out->caution = text_at(t, s->caution);
	out->dated_ms = s->dated_ms;
	out->rows = s->rows;
	out->rejected = s->rejected;
	out->overlaps = s->overlaps;
}

void table_facts(const struct table *t, struct table_facts *out)
{
	*out = (struct table_facts){
		.built_ms = t->head->built_ms,
		.intervals_ipv4 = t->head->intervals_ipv4,
		.intervals_ipv6 = t->head->intervals_ipv6,
		.as_numbers = t->count[SECTION_AS],
		.disagreements = t->head->disagreements,
		.bytes = t->map.len,
	};
}
