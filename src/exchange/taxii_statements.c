/* Statements as STIX objects, one for each that the caller may see. Which feeds hold them says readership.h; an object that is
 * asked for by its id is found by it, for its UUID is the beginning of the statement's id. What has to be looked through, for
 * filters that no feed knows, is looked through in bounded pieces: a page says how far it came.
 *
 * A statement is one version of one object. Only an identity has several: one for each statement of its party. */
#include "exchange/taxii.h"

#include <stdlib.h>

#include "base/encoding.h"
#include "exchange/api.h"
#include "exchange/statement_view.h"
#include "regime/policy.h"

#define LOOKED_AT_MOST 20000 /* entries, for one page */
#define VIEW_MOST ((size_t)8 * STATEMENT_MAX)
#define ENTRY_MOST ((size_t)16 * STATEMENT_MAX) /* an entry, parsed */
#define CANDIDATES_MOST 4096

struct walking {
	const struct taxii_door *door;
	const struct state *st;
	const struct taxii_filters *filters;
	bool texts;
	struct taxii_page *page;
	struct arena *entry; /* of the one in hand */
	struct buffer view;
	size_t looked;
	struct feed_entry *found; /* by id */
	size_t found_count;
	const struct span *id; /* that is searched */
};

/* --- does it fit? --- */

static bool among(const struct span *list, size_t count, struct span one)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal(list[i], one))
			return true;
	return count == 0;
}

struct other_version {
	struct walking *w;
	struct span from;
	uint64_t until; /* 0: no end */
	struct arena *arena;
	bool there;
};

static enum err is_other_version(void *context, const struct feed_entry *e)
{
	struct other_version *x = context;
	struct api_statement a;
	enum err err;

	if (x->until != 0 && e->stamp >= x->until)
		return TAXII_PAGE_FULL;
	arena_reset(x->arena);
	if ((err = api_entry(x->w->door->server, x->arena, x->w->st, e->ledger, e->index, &a)) != OK)
		return err;
	x->there = span_equal(a.s.from, x->from); /* not one that only names the party */
	return x->there ? TAXII_PAGE_FULL : OK;
}

/* Whether the party has a statement before this one, or behind it. */
static enum err has_other(struct walking *w, const struct api_statement *a, bool before, bool *out)
{
	struct feed feed = { .type = FEED_PARTY,
			     .ledger = LEDGER_PUBLIC,
			     .kind = KIND_PARTY,
			     .party = { .type = TO_PARTY, .domain = a->s.from } };
	struct other_version x = { w, a->s.from, before ? a->stamp : 0, arena_new(ENTRY_MOST), false };
	enum err e = x.arena == NULL
			     ? ERR_NO_MEMORY
			     : feed_walk(w->st->snapshot, &feed, 1, before ? 0 : a->stamp, is_other_version, &x);

	arena_free(x.arena);
	*out = x.there;
	return e == TAXII_PAGE_FULL ? OK : e;
}

/* Of a guest that of its home: so its object is the same at every node. */
static int64_t version_of(const struct api_statement *a)
{
	return a->is_guest ? a->home_ms : a->logged_ms;
}

static bool is_listed(const struct object_query *q, int64_t logged_ms)
{
	char text[CLOCK_TEXT];
	struct instant t;

	clock_format_ms(logged_ms, text);
	if (q->version_count == 0 || instant_parse(span_of(text), &t) != OK)
		return false;
	for (size_t i = 0; i < q->version_count; i++)
		if (instant_compare(&q->versions[i], &t) == 0)
			return true;
	return false;
}

static enum err fits_version(struct walking *w, const struct api_statement *a, bool *fits)
{
	const struct object_query *q = &w->filters->which;
	bool last = q->last || (!q->first && q->version_count == 0), other = true;
	enum err e = OK;

	*fits = q->all || is_listed(q, version_of(a));
	if (!*fits && a->s.kind != KIND_PARTY) {
		*fits = last || q->first;
		return OK;
	}
	if (!*fits && last) {
		e = has_other(w, a, false, &other);
		*fits = e == OK && !other;
	}
	if (e == OK && !*fits && q->first) {
		e = has_other(w, a, true, &other);
		*fits = e == OK && !other;
	}
	return e;
}

/* Notices to me: not those that I wrote, unless I wrote them to myself. */
static bool of_collection(const struct walking *w, const struct statement *s)
{
	const struct span me = w->door->caller->party;

	switch (w->door->collection.source) {
	case SOURCE_NOTICES:
		for (size_t i = 0; i < s->to_count; i++)
			if (s->to[i].type == TO_PARTY && span_equal(s->to[i].domain, me))
				return s->kind == KIND_NOTICE;
		return s->kind == KIND_NOTICE && !span_equal(s->from, me);
	case SOURCE_PARTIES:
		return s->kind == KIND_PARTY;
	case SOURCE_PLANS:
		return s->kind == KIND_PLAN;
	default:
		return true;
	}
}

static enum err fits(struct walking *w, const struct api_statement *a, const struct stix_id *id, bool *out)
{
	const struct object_query *q = &w->filters->which;

	*out = false;
	if (!of_collection(w, &a->s) || !among(q->types, q->type_count, span_of(statement_view_type(a->s.kind))) ||
	    !among(q->ids, q->id_count, span_of(id->text)) || (q->specs != 0 && (q->specs & 1U << STIX_2_1) == 0))
		return OK;
	return fits_version(w, a, out);
}

/* --- a row --- */

static enum err render(struct walking *w, const struct api_statement *a, struct taxii_row *row)
{
	struct matter m;
	enum err e = a->s.has_re ? state_matter(w->st, a->s.re, &m) : ERR_MATTER_UNKNOWN;
	char *copy;

	if (e != OK && e != ERR_MATTER_UNKNOWN)
		return e;
	buffer_clear(&w->view);
	statement_view(&a->s, version_of(a), e == OK ? &m : NULL, &w->view);
	if (w->view.err != OK)
		return w->view.err;
	if ((copy = arena_copy(w->page->arena, w->view.at, w->view.len)) == NULL)
		return ERR_NO_MEMORY;
	row->text = span_make(copy, w->view.len);
	return OK;
}

static enum err take(struct walking *w, const struct api_statement *a)
{
	struct stix_id id = statement_view_id(a->s.kind, a->s.from, a->s.id);
	struct taxii_row row = { .stamp = a->stamp, .spec = STIX_2_1 };
	char version[CLOCK_TEXT];
	const char *copy[2];
	bool good;
	enum err e = fits(w, a, &id, &good);

	if (e != OK || !good)
		return e;
	if (w->page->count == w->page->most) /* before it is rendered for nothing */
		return taxii_page_add(w->page, &row);
	clock_format_ms(version_of(a), version);
	copy[0] = arena_copy(w->page->arena, id.text, strlen(id.text));
	copy[1] = arena_copy(w->page->arena, version, strlen(version));
	if (copy[0] == NULL || copy[1] == NULL)
		return ERR_NO_MEMORY;
	row.id = span_of(copy[0]);
	row.version = span_of(copy[1]);
	if (w->texts && (e = render(w, a, &row)) != OK)
		return e;
	return taxii_page_add(w->page, &row);
}

static enum err read_entry(struct walking *w, const struct feed_entry *entry, struct api_statement *a)
{
	arena_reset(w->entry);
	return api_entry(w->door->server, w->entry, w->st, entry->ledger, entry->index, a);
}

/* --- along the feeds --- */

static enum err look(void *context, const struct feed_entry *entry)
{
	struct walking *w = context;
	struct api_statement a;
	enum err e;

	if (w->looked++ == LOOKED_AT_MOST) {
		w->page->more = true;
		return TAXII_PAGE_FULL;
	}
	if ((e = read_entry(w, entry, &a)) == OK)
		e = take(w, &a);
	if (e == OK)
		w->page->reached = entry->stamp;
	return e;
}

/* Identities are not found by their ids: then the feeds are walked. */
static size_t identities(const struct object_query *q)
{
	size_t n = 0;

	for (size_t i = 0; i < q->id_count; i++)
		n += span_starts(q->ids[i], "identity--");
	return n;
}

/* The one kind that can fit, if there is only one: then its feed is enough. */
static enum kind only_kind(const struct walking *w)
{
	const struct object_query *q = &w->filters->which;

	switch (w->door->collection.source) {
	case SOURCE_NOTICES:
		return KIND_NOTICE;
	case SOURCE_PARTIES:
		return KIND_PARTY;
	case SOURCE_PLANS:
		return KIND_PLAN;
	default:
		break;
	}
	if (q->id_count > 0 && identities(q) == q->id_count)
		return KIND_PARTY;
	for (enum kind k = KIND_UNKNOWN + 1; k < KIND_COUNT; k++)
		if (q->type_count == 1 && span_is(q->types[0], statement_view_type(k)) &&
		    !span_is(q->types[0], statement_view_type(KIND_UNKNOWN)))
			return k;
	return KIND_UNKNOWN;
}

struct gathering {
	struct walking *w;
	struct feed *feeds;
	size_t count;
	struct addressee last; /* what is held, as it comes */
	bool any;
};

/* The feeds of notices that name this addressee. */
static enum err gather(struct gathering *g, const struct addressee *to)
{
	struct feed feeds[FEEDS_MAX];
	size_t count = 0;
	enum err e = readership_feeds(g->w->st, g->w->door->caller, KIND_NOTICE, to, NULL, feeds, &count);

	for (size_t i = 0; i < count && e == OK; i++) {
		if (g->count == FEEDS_MAX)
			return fail(ERR_TOO_LONG, "more than %d resources: ask /statements for one of them by `party`",
				    FEEDS_MAX / 2);
		g->feeds[g->count++] = feeds[i];
	}
	return e;
}

static enum err gather_holding(void *context, const struct holding *h)
{
	struct gathering *g = context;

	if (g->any && addressee_equal(&g->last, &h->resource))
		return OK; /* on another basis too */
	g->last = h->resource;
	g->any = true;
	return gather(g, &h->resource);
}

/* To me: by my name, and by what I answer for. */
static enum err notices_feeds(struct walking *w, struct feed feeds[FEEDS_MAX], size_t *count)
{
	struct addressee me = { .type = TO_PARTY, .domain = w->door->caller->party };
	struct gathering g = { .w = w, .feeds = feeds };
	enum err e = gather(&g, &me);

	if (e == OK)
		e = policy_holdings(w->st, POLICY_DIVERT, me.domain, clock_now_ms(), gather_holding, &g);
	*count = g.count;
	return e;
}

static enum err walk_feeds(struct walking *w)
{
	struct feed feeds[FEEDS_MAX];
	size_t count = 0;
	enum err e;

	if (w->door->collection.source == SOURCE_NOTICES)
		e = notices_feeds(w, feeds, &count);
	else
		e = readership_feeds(w->st, w->door->caller, only_kind(w), NULL, NULL, feeds, &count);
	if (e == OK)
		e = feed_walk(w->st->snapshot, feeds, count, w->filters->which.after, look, w);
	return e;
}

/* --- by id --- */

static enum err find_place(void *context, struct hash id, enum kind k, enum ledger_id l, uint64_t index)
{
	struct walking *w = context;
	struct stix_id view = statement_view_id(k, SPAN(""), id);
	struct feed_entry *f = &w->found[w->found_count];
	enum err e;

	if (k == KIND_PARTY || !span_is(*w->id, view.text))
		return OK;
	if (w->found_count == CANDIDATES_MOST)
		return fail(ERR_USAGE, "match[id]: too many at once");
	*f = (struct feed_entry){ .ledger = l, .index = index };
	if ((e = feed_stamp(w->st->snapshot, l, index, &f->stamp)) == OK && f->stamp > w->filters->which.after)
		w->found_count++;
	return e;
}

static enum err find_id(struct walking *w, const struct span *id)
{
	char hex[13];
	uint8_t begin[STATEMENT_VIEW_BYTES];
	const char *uuid = id->at + id->len - 36;

	memcpy(hex, uuid, 8);
	memcpy(hex + 8, uuid + 9, 4);
	if (hex_decode(span_make(hex, 12), begin, sizeof(begin)) != OK)
		return OK;
	w->id = id;
	return state_find_beginning(w->st, span_make(begin, sizeof(begin)), find_place, w);
}

static int by_stamp(const void *a, const void *b)
{
	uint64_t x = ((const struct feed_entry *)a)->stamp, y = ((const struct feed_entry *)b)->stamp;

	return x < y ? -1 : x > y;
}

static enum err walk_found(struct walking *w)
{
	const struct server *s = w->door->server;
	enum err e = OK;

	qsort(w->found, w->found_count, sizeof(*w->found), by_stamp);
	for (size_t i = 0; i < w->found_count && e == OK; i++) {
		struct api_statement a;
		bool may = false;

		if ((e = read_entry(w, &w->found[i], &a)) == OK)
			e = readership_statement(w->st, w->door->caller, a.ledger, &a.s, a.logged_ms,
						 s->config->circle_delay_ms, &may);
		if (e == OK && may)
			e = take(w, &a);
	}
	return e;
}

static enum err walk_ids(struct walking *w)
{
	const struct object_query *q = &w->filters->which;
	enum err e = OK;

	if ((w->found = arena_array(w->page->arena, CANDIDATES_MOST, sizeof(*w->found))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < q->id_count && e == OK; i++)
		e = find_id(w, &q->ids[i]);
	return e == OK ? walk_found(w) : e;
}

/* --- what all views name --- */

/* One version, and no statement: it fits whatever asks for the last, the first, all, or just that one. */
static bool constant_fits(const struct object_query *q, const struct stix_object *o)
{
	bool version = q->all || q->first || q->last || q->version_count == 0;

	for (size_t i = 0; i < q->version_count; i++)
		version |= instant_compare(&q->versions[i], &o->version) == 0;
	return version && among(q->types, q->type_count, o->type) && among(q->ids, q->id_count, o->id) &&
	       (q->specs == 0 || (q->specs & 1U << STIX_2_1) != 0);
}

static enum err take_constants(struct walking *w, const struct stix_envelope *all, uint64_t born)
{
	for (size_t i = 0; i < all->count; i++) {
		struct taxii_row row = { .text = all->objects[i].text, .spec = STIX_2_1 };
		struct stix_object o = { 0 };
		enum err e = stix_object_read(w->page->arena, &all->objects[i], &o);

		if (e != OK)
			return e;
		row.id = o.id;
		row.version = o.modified_text;
		row.stamp = born - all->count + i;
		if (row.stamp > w->filters->which.after && constant_fits(&w->filters->which, &o) &&
		    (e = taxii_page_add(w->page, &row)) != OK)
			return e;
	}
	return OK;
}

/* The definition of our extension, and who made it: they stand before the first statement. */
static enum err walk_constants(struct walking *w)
{
	struct stix_envelope all = { 0 };
	uint64_t born;
	const char *copy;
	enum err e = feed_stamp(w->st->snapshot, LEDGER_PUBLIC, 0, &born);

	if (e != OK || w->filters->which.after >= born)
		return e;
	buffer_clear(&w->view);
	buffer_text(&w->view, "{\"objects\":[");
	statement_view_extension(&w->view);
	buffer_text(&w->view, "]}");
	if ((e = w->view.err) == OK && (copy = arena_copy(w->page->arena, w->view.at, w->view.len)) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = stix_envelope_read(w->page->arena, span_make(copy, w->view.len), false, &all);
	return e == OK ? take_constants(w, &all, born) : e;
}

enum err taxii_statements_walk(const struct taxii_door *d, const struct state *st, const struct taxii_filters *f,
			       bool texts, struct taxii_page *p)
{
	struct walking w = { .door = d, .st = st, .filters = f, .texts = texts, .page = p, .view = BUFFER(VIEW_MOST) };
	enum err e = ERR_NO_MEMORY;

	if ((w.entry = arena_new(ENTRY_MOST)) != NULL)
		e = d->collection.source == SOURCE_STATEMENTS ? walk_constants(&w) : OK;
	if (e == OK)
		e = f->which.id_count > 0 && identities(&f->which) == 0 ? walk_ids(&w) : walk_feeds(&w);
	buffer_free(&w.view);
	arena_free(w.entry);
	return e;
}
