#include "territory/exposure.h"

#include <stdlib.h>

#include "base/file.h"

#define NAMES_MAX ((size_t)1 << 30)
#define SOURCES_MAX 4096

struct exposures {
	struct buffer names;   /* each with a 0 behind it */
	struct buffer sources; /* the tables' names */
	struct row *rows;      /* in the order of names */
	size_t count;
	struct hash digest;
	int64_t dated_ms;
};

struct row {
	size_t name; /* its place */
	uint64_t blocks;
};

void exposure_count(const struct resolver *r, uint64_t *blocks)
{
	memset(blocks, 0, resolver_addressees(r) * sizeof(*blocks));
	for (uint32_t block = 0; block < 1u << 24; block++)
		blocks[resolver_find_ipv4(r, block << 8)]++;
}

enum err exposure_digest(const char *path, struct hash *out)
{
	struct mapped m;
	enum err e = file_map(path, &m);

	if (e != OK)
		return e;
	*out = hash_bytes(m.at, m.len);
	file_unmap(&m);
	return OK;
}

static struct span name_of(const struct exposures *x, size_t i)
{
	return span_of(x->names.at + x->rows[i].name);
}

static int by_name(const void *a, const void *b, void *context)
{
	const struct exposures *x = context;
	const struct row *r = a, *s = b;

	return span_compare(span_of(x->names.at + r->name), span_of(x->names.at + s->name));
}

/* One addressee may have several numbers: they are of several countries. */
static void join_same(struct exposures *x)
{
	size_t kept = 0;

	for (size_t i = 0; i < x->count; i++)
		if (kept > 0 && span_equal(name_of(x, kept - 1), name_of(x, i)))
			x->rows[kept - 1].blocks += x->rows[i].blocks;
		else
			x->rows[kept++] = x->rows[i];
	x->count = kept;
}

static enum err name_rows(struct exposures *x, const struct resolver *r, const uint64_t *blocks)
{
	for (uint32_t i = 1; i < resolver_addressees(r); i++) {
		struct resolved to;

		if (blocks[i] == 0)
			continue;
		resolver_addressee(r, i, &to);
		x->rows[x->count++] = (struct row){ x->names.len, blocks[i] };
		addressee_print(&to.to, &x->names);
		buffer_byte(&x->names, 0);
	}
	if (x->names.err != OK)
		return x->names.err;
	if (x->count > 1)
		qsort_r(x->rows, x->count, sizeof(*x->rows), by_name, x);
	join_same(x);
	return OK;
}

static enum err name_tables(struct exposures *x, const struct table *t)
{
	for (size_t i = 0; i < table_sources(t); i++) {
		struct table_source s;

		table_source(t, i, &s);
		buffer_text(&x->sources, i > 0 ? ", " : "");
		buffer_span(&x->sources, s.name);
		if (s.dated_ms != 0 && (x->dated_ms == 0 || s.dated_ms < x->dated_ms))
			x->dated_ms = s.dated_ms;
	}
	return x->sources.err;
}

enum err exposures_new(const struct resolver *r, const char *path, struct exposures **out)
{
	struct exposures *x = calloc(1, sizeof(*x));
	uint64_t *blocks = calloc(resolver_addressees(r), sizeof(*blocks));
	enum err e = x == NULL || blocks == NULL ? ERR_NO_MEMORY : OK;

	if (e == OK) {
		x->names = (struct buffer)BUFFER(NAMES_MAX);
		x->sources = (struct buffer)BUFFER(SOURCES_MAX);
		x->rows = calloc(resolver_addressees(r), sizeof(*x->rows));
		e = x->rows == NULL ? ERR_NO_MEMORY : exposure_digest(path, &x->digest);
	}
	if (e == OK) {
		exposure_count(r, blocks);
		e = name_rows(x, r, blocks);
	}
	if (e == OK)
		e = name_tables(x, resolver_table(r));
	free(blocks);
	if (e != OK)
		exposures_free(x);
	else
		*out = x;
	return e;
}

bool exposures_find(const struct exposures *x, const struct addressee *party, struct exposure *out)
{
	struct buffer name = BUFFER(1024);
	size_t low = 0, high = x->count;

	addressee_print(party, &name);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (span_compare(name_of(x, middle), buffer_view(&name)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == x->count || !span_equal(name_of(x, low), buffer_view(&name))) {
		buffer_free(&name);
		return false;
	}
	buffer_free(&name);
	*out = (struct exposure){ .blocks = x->rows[low].blocks,
				  .table = buffer_view(&x->sources),
				  .digest = x->digest,
				  .dated_ms = x->dated_ms };
	return true;
}

void exposures_free(struct exposures *x)
{
	if (x == NULL)
		return;
	buffer_free(&x->names);
	buffer_free(&x->sources);
	free(x->rows);
	free(x);
}
