/*
 * What becomes of new rows
 *
 *	nobody answers for it			listed, counted as a sighting
 *	no time, or no port where it matters	listed: nobody can act on it. No sighting
 *	a repeat that is held			counted as a sighting, its text is not kept
 *	seen again after it was fixed		told, whatever was told lately (relapse.c)
 *	told, but the addressee's interval	packed: waits for the next round (release.c)
 *	told					in a notice
 *
 * Rows of one line share their fate. What all this adds to the lines is one record, committed with the batch's marks.
 */
#include <stdlib.h>

#include "route/batch.h"

/* One addressee and class. */
struct asked {
	uint32_t addressee;
	enum rsit_class class;
	struct resolved to;
	struct directive how;
	bool waits;
};

/* ---- rows that are put aside ---- */

typedef bool row_test(const struct maker *m, uint32_t at);

static bool has_no_time(const struct maker *m, uint32_t at)
{
	return m->rows.entries[at].time_ms == 0;
}

static bool has_no_port(const struct maker *m, uint32_t at)
{
	return (m->rows.entries[at].lacks & LACKS_PORT) != 0;
}

static bool has_no_service_port(const struct maker *m, uint32_t at)
{
	return (m->rows.entries[at].lacks & LACKS_SERVICE_PORT) != 0;
}

static bool is_held(const struct maker *m, uint32_t at)
{
	return m->lines.at[m->line_of[at]].word == LINE_HELD;
}

/* Those that pass the test go behind the others; both keep their order. Returns how many others there are. */
static size_t set_aside(struct maker *m, row_test *test, uint32_t *order, size_t count)
{
	size_t kept = 0, aside = 0;

	for (size_t i = 0; i < count; i++) {
		if (test(m, order[i]))
			m->aside[aside++] = order[i];
		else
			order[kept++] = order[i];
	}
	if (aside > 0)
		memcpy(order + kept, m->aside, aside * sizeof(*order));
	return kept;
}

static enum err list_thin(struct maker *m, struct batch *b, row_test *test, const char *reason, uint32_t *order,
			  size_t *count)
{
	size_t kept = set_aside(m, test, order, *count), thin = *count - kept;

	*count = kept;
	b->thin += thin;
	return thin > 0 ? unanswered_list(m, b, reason, order + kept, thin) : OK;
}

static enum err list_all_thin(struct maker *m, struct batch *b, const struct directive *how, uint32_t *order,
			      size_t *count)
{
	enum err e = list_thin(m, b, has_no_time, "no time: route it again with --date", order, count);

	if (e == OK)
		e = list_thin(m, b, has_no_service_port, "no port, and its class is about a service", order, count);
	if (e == OK && how->need_port)
		e = list_thin(m, b, has_no_port, "no port, and the addressee cannot act without one", order, count);
	return e;
}

/* ---- lines ---- */

static struct sighting_line line_of(const struct maker *m, enum rsit_class class, const struct line *l)
{
	struct sighting_line s = { .source = { l->high, l->low, l->family }, .length = l->length };

	if (sighting_by_port(class))
		s.port = (uint16_t)l->detail;
	else if (sighting_by_malware(class))
		s.malware = names_at(m->r->names, l->detail);
	return s;
}

static enum err decide(struct maker *m, struct batch *b, const struct asked *of, struct line *l)
{
	struct sighting_line key = line_of(m, of->class, l);
	struct sighting s;
	struct line *first = NULL;
	bool known = false, added = true;
	enum err e;

	if (b->plan->divided || b->plan->follows) {
		if ((first = lines_add(m->divided, l, &added)) == NULL)
			return ERR_NO_MEMORY;
		l->word = first->word == LINE_HELD ? LINE_HELD : LINE_STILL;
	}
	if (added) {
		e = m->r->sightings_before ? sighting_find(&m->state, &of->to.to, of->class, &key, &s) : ERR_NOT_FOUND;
		if (e != OK && e != ERR_NOT_FOUND)
			return e;
		known = e == OK;
		l->word = (uint8_t)line_decide(known ? &s : NULL, &of->how, &l->now);
		/* Behind a carrier's address another host may be meant. */
		if (known && s.told > 0 && !of->how.carrier_nat) {
			bool back;

			if ((e = relapse_look(m, b, &of->to.to, of->class, &s, l->now.last_ms, &back)) != OK)
				return e;
			if (back)
				l->word = LINE_AGAIN;
		}
	}
	if (first != NULL && added)
		first->word = l->word;
	l->held = known && l->word != LINE_HELD ? s.held : 0;
	l->now.told = l->word != LINE_HELD;
	l->now.again = l->word == LINE_AGAIN;
	return OK;
}

static void record(struct maker *m, struct batch *b, const struct addressee *to, enum rsit_class class)
{
	if (m->r->options->dry_run || m->lines.count == 0)
		return;
	sightings_group(&b->sightings, to, class, m->lines.count);
	for (size_t i = 0; i < m->lines.count; i++) {
		struct sighting_line key = line_of(m, class, &m->lines.at[i]);

		sightings_line(&b->sightings, &key, &m->lines.at[i].now);
	}
}

/* ---- notices ---- */

static bool same_notice(enum aggregation by, const struct row_entry *a, const struct row_entry *b)
{
	switch (by) {
	case BY_SOURCE:
		return a->low == b->low && a->high == b->high && a->family == b->family &&
		       a->source_length == b->source_length;
	case BY_DAY:
		return a->time_ms / 86400000 == b->time_ms / 86400000;
	default:
		return true;
	}
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int within(const struct row_entry *a, const struct row_entry *b)
{
	return a->section != b->section ? (a->section < b->section ? -1 : 1) : row_compare(a, b);
}

static int by_source(const void *x, const void *y, void *entries)
{
	const struct row_entry *a = (const struct row_entry *)entries + *(const uint32_t *)x;
	const struct row_entry *b = (const struct row_entry *)entries + *(const uint32_t *)y;
	int order = (int)a->family - (int)b->family;

	order = order != 0 ? order : compare_u64(a->high, b->high);
	order = order != 0 ? order : compare_u64(a->low, b->low);
	order = order != 0 ? order : (int)a->source_length - (int)b->source_length;
	return order != 0 ? order : within(a, b);
}

static int by_day(const void *x, const void *y, void *entries)
{
	const struct row_entry *a = (const struct row_entry *)entries + *(const uint32_t *)x;
	const struct row_entry *b = (const struct row_entry *)entries + *(const uint32_t *)y;
	int order = compare_u64((uint64_t)(a->time_ms / 86400000), (uint64_t)(b->time_ms / 86400000));

	return order != 0 ? order : within(a, b);
}

static enum err tell(struct maker *m, struct batch *b, const struct asked *of, uint32_t *order, size_t count)
{
	struct row_entry *entries = m->rows.entries;
	enum err e = OK;

	if (of->how.by == BY_SOURCE || of->how.by == BY_DAY)
		qsort_r(order, count, sizeof(*order), of->how.by == BY_SOURCE ? by_source : by_day, entries);
	/* What is of one source is whole: it lies in one part of a great notice. */
	m->whole = of->how.by == BY_SOURCE && !b->plan->divided && !b->plan->follows;
	for (size_t i = 0, j; e == OK && i < count; i = j) {
		for (j = i + 1; j < count && same_notice(of->how.by, &entries[order[i]], &entries[order[j]]); j++)
			;
		if (of->waits) {
			e = pack_make(m, b, order + i, j - i);
		} else if ((e = notice_make(m, b, order + i, j - i)) == OK) {
			b->notices[b->notice_count - 1].of_round = of->how.interval_ms > 0;
		}
	}
	*(of->waits ? &b->waiting : &b->told) += count;
	return e;
}

/* ---- all of it ---- */

static enum err answered(struct maker *m, struct batch *b, struct asked *of, uint32_t *order, size_t count)
{
	bool own;
	int64_t last = 0;
	size_t told;
	enum err e;

	resolver_addressee(m->r->resolver, of->addressee, &of->to);
	e = directive_find(&m->state, &of->to.to, &of->how, &own);
	if (e == OK && of->how.interval_ms > 0)
		e = released_find(&m->state, &of->to.to, &last);
	relapse_start(m);
	of->waits = round_waits(&of->how, last, m->date_ms);
	if (e == OK)
		e = list_all_thin(m, b, &of->how, order, &count);
	if (e == OK)
		e = lines_group(&m->lines, m->rows.entries, order, count, m->line_of);
	for (size_t i = 0; e == OK && i < m->lines.count; i++) {
		e = decide(m, b, of, &m->lines.at[i]);
		b->again += m->lines.at[i].word == LINE_AGAIN;
	}
	if (e != OK)
		return e;
	record(m, b, &of->to.to, of->class);
	told = set_aside(m, is_held, order, count);
	b->held += count - told;
	return tell(m, b, of, order, told);
}

static enum err unanswered(struct maker *m, struct batch *b, enum rsit_class class, const uint32_t *order, size_t count)
{
	static const struct addressee nobody = { .type = TO_ALL };
	enum err e;

	b->unanswered += count;
	if (m->r->options->dry_run)
		return OK;
	if ((e = lines_group(&m->lines, m->rows.entries, order, count, m->line_of)) != OK)
		return e;
	record(m, b, &nobody, class);
	return unanswered_list(m, b, NULL, order, count);
}

enum err rows_tell(struct maker *m, struct batch *b, uint32_t *order, size_t count)
{
	uint64_t number = row_notice(&m->rows.entries[order[0]]);
	struct asked of = { .addressee = (uint32_t)(number / CLASS_COUNT),
			    .class = (enum rsit_class)(number % CLASS_COUNT) };
	enum err e;

	if (of.addressee == 0)
		e = unanswered(m, b, of.class, order, count);
	else
		e = answered(m, b, &of, order, count);
	return e == OK ? b->sightings.err : e;
}
