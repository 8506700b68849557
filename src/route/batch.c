/* From the entries of a batch to its notices: what was counted before is dropped, the rest is put in order. */
#include "route/batch.h"

#include <endian.h>
#include <stdlib.h>

void batch_start(struct batch *b, size_t number, const struct batch_plan *plan)
{
	struct batch old = *b;

	*b = (struct batch){ .number = number, .plan = plan };
	b->marks = old.marks;
	b->mark_room = old.mark_room;
	b->notices = old.notices;
	b->notice_room = old.notice_room;
	b->relapses = old.relapses;
	b->relapse_room = old.relapse_room;
	b->packs = old.packs;
	b->pack_room = old.pack_room;
	b->bodies = old.bodies;
	b->unanswered_rows = old.unanswered_rows;
	b->sightings = old.sightings;
	b->bodies.max = b->unanswered_rows.max = b->sightings.max = (size_t)2 << 30;
	buffer_clear(&b->bodies);
	buffer_clear(&b->unanswered_rows);
	buffer_clear(&b->sightings);
}

void batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->notice_room; i++)
		statement_writer_free(&b->notices[i].statement);
	free(b->notices);
	free(b->marks);
	free(b->relapses);
	free(b->packs);
	buffer_free(&b->bodies);
	buffer_free(&b->unanswered_rows);
	buffer_free(&b->sightings);
	*b = (struct batch){ 0 };
}

/* Rows of one report are much alike, so the fast levels pack them well enough: a third more bytes
 * than level 1 in a third less of its time. */
#define PACKING_LEVEL (-1)

enum err maker_start(struct maker *m, struct routing *r, int64_t date_ms, pthread_rwlock_t *marks_lock)
{
	*m = (struct maker){ .r = r, .date_ms = date_ms, .marks_lock = marks_lock, .zstd = ZSTD_createCCtx() };
	m->plain = BUFFER((size_t)1 << 30);
	m->arena = arena_new((size_t)16 << 20);
	if (m->arena == NULL || m->zstd == NULL ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(m->zstd, ZSTD_c_compressionLevel, PACKING_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(m->zstd, ZSTD_c_checksumFlag, 1)))
		return ERR_NO_MEMORY;
	return r->options->dry_run ? OK : notice_texts(m);
}

void maker_end(struct maker *m)
{
	struct buffer *buffers[] = { &m->plain, &m->identity, &m->tables, &m->text, &m->seed };

	ZSTD_freeCCtx(m->zstd);
	batch_rows_free(&m->rows);
	free(m->keys);
	free(m->order);
	free(m->found);
	free(m->line_of);
	free(m->aside);
	lines_free(&m->lines);
	arena_free(m->arena);
	for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
		buffer_free(buffers[i]);
	*m = (struct maker){ 0 };
}

static enum err maker_room(struct maker *m, size_t count)
{
	if (count <= m->key_room)
		return OK;
	free(m->keys);
	free(m->order);
	free(m->found);
	free(m->line_of);
	free(m->aside);
	m->key_room = 0;
	m->keys = malloc(2 * count * sizeof(*m->keys));
	m->order = malloc(count * sizeof(*m->order));
	m->found = malloc(count);
	m->line_of = malloc(count * sizeof(*m->line_of));
	m->aside = malloc(count * sizeof(*m->aside));
	if (m->keys == NULL || m->order == NULL || m->found == NULL || m->line_of == NULL || m->aside == NULL)
		return ERR_NO_MEMORY;
	m->key_room = count;
	return OK;
}

/* ---- duplicates ---- */

static uint64_t mark_head(const struct mark *m)
{
	uint64_t head;

	memcpy(&head, m->bytes, sizeof(head));
	return be64toh(head);
}

/* Entries in the order of their marks. The first eight bytes nearly always decide. */
static struct sort_key *by_mark(struct maker *m, const struct batch_rows *rows)
{
	struct sort_key *k;

	for (size_t i = 0; i < rows->count; i++)
		m->keys[i] = (struct sort_key){ mark_head(&rows->entries[i].mark), (uint32_t)i };
	k = sort_keys(m->keys, m->keys + rows->count, rows->count);
	for (size_t i = 1; i < rows->count; i++) {
		struct sort_key moved = k[i];
		const struct mark *own = &rows->entries[moved.at].mark;
		size_t j = i;

		for (; j > 0 && k[j - 1].key == moved.key &&
		       memcmp(&rows->entries[k[j - 1].at].mark, own, sizeof(*own)) > 0;
		     j--)
			k[j] = k[j - 1];
		k[j] = moved;
	}
	return k;
}

/* What was known before this run is all that can be found: batches of one run share no mark. */
static void find_known(struct maker *m, const struct mark *marks, size_t count)
{
	if (!m->r->marks_before) {
		memset(m->found, 0, count);
		return;
	}
	pthread_rwlock_rdlock(m->marks_lock);
	marks_find(node_marks(m->r->node), marks, count, m->found);
	pthread_rwlock_unlock(m->marks_lock);
}

/* The marks that are new, in b->marks; m->order names their entries, as many. */
static enum err drop_duplicates(struct maker *m, struct batch *b)
{
	const struct batch_rows *rows = &m->rows;
	const struct sort_key *k = by_mark(m, rows);
	size_t unique = 0, kept = 0;

	if (b->mark_room < rows->count) {
		free(b->marks);
		b->marks = malloc(rows->count * sizeof(*b->marks));
		b->mark_room = b->marks == NULL ? 0 : rows->count;
		if (b->marks == NULL)
			return ERR_NO_MEMORY;
	}
	for (size_t i = 0; i < rows->count; i++) {
		const struct mark *mark = &rows->entries[k[i].at].mark;

		if (unique > 0 && memcmp(&b->marks[unique - 1], mark, sizeof(*mark)) == 0)
			continue;
		m->order[unique] = k[i].at;
		b->marks[unique++] = *mark;
	}
	find_known(m, b->marks, unique);
	for (size_t i = 0; i < unique; i++) {
		if (m->found[i])
			continue;
		m->order[kept] = m->order[i];
		b->marks[kept++] = b->marks[i];
	}
	b->mark_count = kept;
	b->duplicates = rows->count - kept;
	return OK;
}

/* ---- order ---- */

/* Where a source stands among others: IPv4 in the upper half, or the upper half of IPv6. */
static uint64_t source_key(const struct row_entry *e)
{
	return e->family == FAMILY_IPV4 ? e->low << 32 : e->high;
}

int row_compare(const struct row_entry *a, const struct row_entry *b)
{
	if (a->time_ms != b->time_ms)
		return a->time_ms < b->time_ms ? -1 : 1;
	if (source_key(a) != source_key(b))
		return source_key(a) < source_key(b) ? -1 : 1;
	return memcmp(&a->mark, &b->mark, sizeof(a->mark));
}

static int compare_at(const void *a, const void *b, void *entries)
{
	return row_compare((const struct row_entry *)entries + *(const uint32_t *)a,
			   (const struct row_entry *)entries + *(const uint32_t *)b);
}

static uint64_t group_of(const struct row_entry *e)
{
	return row_notice(e) << 16 | e->section;
}

/* As much of time and source as fits in 40 bits: five passes at most, and next to no ties. */
struct when {
	int64_t first;
	unsigned shift; /* of the time, in a key of 64 bits */
};

static struct when when_of(const struct maker *m, const struct batch *b)
{
	struct when w = { INT64_MAX, 64 };
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < b->mark_count; i++) {
		int64_t t = m->rows.entries[m->order[i]].time_ms;

		w.first = t < w.first ? t : w.first;
		last = t > last ? t : last;
	}
	if (last > w.first)
		w.shift = (unsigned)__builtin_clzll((uint64_t)(last - w.first));
	return w;
}

static uint64_t when_key(struct when w, const struct row_entry *e)
{
	uint64_t key = w.shift == 64 ? 0 : (uint64_t)(e->time_ms - w.first) << w.shift;

	if (w.shift > 24)
		key |= source_key(e) >> (64 - w.shift);
	return key >> 24;
}

/* m->order, by notice, section, time, source. What the keys leave open is settled by comparing. */
static void arrange(struct maker *m, const struct batch *b)
{
	struct row_entry *entries = m->rows.entries;
	size_t n = b->mark_count;
	struct when w = when_of(m, b);
	struct sort_key *k, *other;

	for (size_t i = 0; i < n; i++)
		m->keys[i] = (struct sort_key){ when_key(w, &entries[m->order[i]]), m->order[i] };
	k = sort_keys(m->keys, m->keys + n, n);
	other = k == m->keys ? m->keys + n : m->keys;
	for (size_t i = 0; i < n; i++)
		k[i].key = group_of(&entries[k[i].at]);
	k = sort_keys(k, other, n);
	for (size_t i = 0; i < n; i++)
		m->order[i] = k[i].at;
	for (size_t i = 0, j; i < n; i = j) {
		uint64_t when = when_key(w, &entries[m->order[i]]);

		for (j = i + 1; j < n && k[j].key == k[i].key && when_key(w, &entries[m->order[j]]) == when; j++)
			;
		if (j - i > 1)
			qsort_r(m->order + i, j - i, sizeof(*m->order), compare_at, entries);
	}
}

/* ---- notices ---- */

static enum err make_notices(struct maker *m, struct batch *b)
{
	const struct row_entry *entries = m->rows.entries;
	enum err e = OK;

	for (size_t i = 0, j; e == OK && i < b->mark_count; i = j) {
		uint64_t notice = row_notice(&entries[m->order[i]]);

		for (j = i; j < b->mark_count && row_notice(&entries[m->order[j]]) == notice; j++) {
			b->verdicts[entries[m->order[j]].verdict]++;
			b->countries[entries[m->order[j]].country]++;
		}
		b->events += j - i;
		e = rows_tell(m, b, m->order + i, j - i);
	}
	return e;
}

/* What stands in the views is as it was before the run, as far as this batch asks: no other batch of the run has rows of
 * the same lines, but for those of a divided source, which are told as the first of them were. */
static enum err make_from_snapshot(struct maker *m, struct batch *b)
{
	enum err e;

	arena_reset(m->arena);
	if ((e = node_read(m->r->node, m->arena, &m->state)) != OK)
		return e;
	e = make_notices(m, b);
	snapshot_end(m->state.snapshot);
	return e;
}

enum err batch_prepare(struct maker *m, struct batch *b)
{
	enum err e = maker_room(m, m->rows.count);

	if (e == OK)
		e = runs_read(&m->rows);
	if (e == OK)
		e = drop_duplicates(m, b);
	if (e != OK)
		return e;
	arrange(m, b);
	return make_from_snapshot(m, b);
}
