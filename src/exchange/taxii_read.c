/* Reading a collection (5.3, 5.4, 5.6, 5.8). One snapshot for each request; what the caller may not see is left out by the
 * walk itself, before anything is counted. */
#include "exchange/taxii.h"

#include <stdlib.h>

#define PAGE_MOST ((size_t)64 << 20)
#define DELETIONS_MOST 10000

struct reading {
	struct taxii_door door;
	struct state st;
	struct taxii_filters filters;
	struct span text; /* of the filters, for the next cursor */
	struct span scope;
	struct taxii_page page;
};

/* What a cursor is good for: this collection, and this object if there is one. */
static enum err scope_of(struct reading *g, struct span object)
{
	struct buffer b = BUFFER(UUID_SIZE + STIX_ID_MAX);
	char *copy;

	buffer_bytes(&b, g->door.collection.id.bytes, UUID_SIZE);
	buffer_span(&b, object);
	copy = b.err == OK ? arena_copy(g->door.r->arena, b.at, b.len) : NULL;
	g->scope = span_make(copy, b.len);
	buffer_free(&b);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

/* --- objects --- */

static enum err take_row(void *context, const struct object_row *row)
{
	struct taxii_row one = { row->id, row->version_text, row->text, row->stamp, row->spec };

	return taxii_page_add(context, &one);
}

static enum err walk(struct reading *g, bool texts)
{
	struct taxii_collection *c = &g->door.collection;
	enum err e;

	if (g->filters.nothing)
		return OK;
	if (c->source != SOURCE_STORED) {
		e = taxii_statements_walk(&g->door, &g->st, &g->filters, texts, &g->page);
	} else {
		g->filters.which.collection = c->id;
		g->filters.which.level = c->reach.level;
		e = objects_walk(g->st.snapshot, &g->filters.which, take_row, &g->page);
	}
	return e == TAXII_PAGE_FULL ? OK : e;
}

/* For a page without rows: what the client has seen already, else when the node was made, which is before all rows. */
static enum err empty_stamp(struct reading *g, uint64_t *out)
{
	*out = g->page.reached;
	return *out > 0 ? OK : feed_stamp(g->st.snapshot, LEDGER_PUBLIC, 0, out);
}

static enum err write_page(struct reading *g, enum taxii_form form)
{
	struct buffer next = BUFFER(4 * TAXII_FILTERS_MAX), body = BUFFER(PAGE_MOST);
	struct taxii_cursor cursor = { g->page.reached, g->text };
	uint64_t empty;
	enum err e = empty_stamp(g, &empty);

	if (e == OK)
		e = taxii_page_headers(&g->page, empty, g->door.r->arena, g->door.out);
	if (e == OK && g->page.more)
		taxii_cursor_write(g->door.server->secret, g->scope, &cursor, &next);
	if (e == OK && (e = next.err) == OK) {
		taxii_page_write(&g->page, form, buffer_view(&next), &body);
		e = taxii_answer(g->door.out, 200, &body);
	}
	buffer_free(&body);
	buffer_free(&next);
	return e;
}

static enum err begin(struct reading *g, unsigned known, struct span object)
{
	enum err e = scope_of(g, object);

	if (e == OK)
		e = taxii_query(g->door.r->arena, g->door.server->secret, g->scope, g->door.r->query,
				known | FILTER_PAGES, &g->filters, &g->text);
	if (e == OK)
		taxii_page_begin(&g->page, g->door.r->arena, g->filters.limit, g->door.server->config->page_most,
				 g->filters.which.after);
	return e;
}

static enum http_next end(struct reading *g, enum err e)
{
	if (e != OK)
		taxii_refuse(&g->door, e);
	return HTTP_NOW;
}

static enum err read_list(struct reading *g, enum taxii_form form)
{
	enum err e = begin(g, FILTER_AFTER | FILTER_ID | FILTER_TYPE | FILTER_VERSION | FILTER_SPEC, SPAN(""));

	if (e == OK)
		e = server_read(g->door.server, g->door.r, &g->st);
	if (e != OK)
		return e;
	e = walk(g, form == FORM_OBJECTS);
	if (e == OK)
		e = write_page(g, form);
	snapshot_end(g->st.snapshot);
	return e;
}

enum http_next taxii_get_objects(void *context, struct http_request *r, struct http_answer *out)
{
	struct reading g;

	if (!taxii_enter(&g.door, context, r, out, NEED_READ))
		return HTTP_NOW;
	return end(&g, read_list(&g, FORM_OBJECTS));
}

enum http_next taxii_get_manifest(void *context, struct http_request *r, struct http_answer *out)
{
	struct reading g;

	if (!taxii_enter(&g.door, context, r, out, NEED_READ))
		return HTTP_NOW;
	return end(&g, read_list(&g, FORM_MANIFEST));
}

/* --- one object --- */

static enum err missing(void)
{
	return fail(ERR_NOT_FOUND, "no object of that id in this collection");
}

/* Whether there ever was anything of that id that this caller may see: some row, of whatever version. */
static enum err known_statement(struct reading *g)
{
	struct taxii_filters f = { .which = { .ids = g->filters.which.ids, .id_count = 1, .all = true } };
	struct taxii_page any;
	enum err e;

	taxii_page_begin(&any, g->door.r->arena, 1, 1, 0);
	e = taxii_statements_walk(&g->door, &g->st, &f, false, &any);
	if (e != OK && e != TAXII_PAGE_FULL)
		return e;
	return any.count > 0 ? OK : missing();
}

/* All versions that were asked for were deleted: then it is as gone as an object that was deleted whole. */
static enum err known_versions(struct reading *g, struct span id)
{
	const struct object_query *q = &g->filters.which;
	bool deleted = q->version_count > 0 && !q->last && !q->first && !q->all;

	for (size_t i = 0; i < q->version_count && deleted; i++) {
		enum err e = objects_version_deleted(g->st.snapshot, &g->door.collection.id,
						     g->door.collection.reach.level, id, &q->versions[i], &deleted);

		if (e != OK)
			return e;
	}
	return deleted ? missing() : OK;
}

static enum err known(struct reading *g, struct span id)
{
	const struct taxii_collection *c = &g->door.collection;
	bool deleted = false;
	enum err e;

	if (c->source != SOURCE_STORED)
		return known_statement(g);
	e = objects_known(g->st.snapshot, &c->id, c->reach.level, id, &deleted);
	if (e == ERR_NOT_FOUND || (e == OK && deleted))
		return missing();
	return e == OK ? known_versions(g, id) : e;
}

static enum err read_one(struct reading *g, enum taxii_form form)
{
	const struct span *id = &g->door.r->parts[1];
	enum err e;

	if (!stix_is_id(*id))
		return missing();
	e = begin(g, FILTER_AFTER | FILTER_SPEC | (form == FORM_OBJECTS ? FILTER_VERSION : 0), *id);
	if (e == OK)
		e = server_read(g->door.server, g->door.r, &g->st);
	if (e != OK)
		return e;
	g->filters.which.ids = id;
	g->filters.which.id_count = 1;
	if (form == FORM_VERSIONS)
		g->filters.which.all = true;
	e = walk(g, form == FORM_OBJECTS);
	if (e == OK && g->page.count == 0)
		e = known(g, *id);
	if (e == OK)
		e = write_page(g, form);
	snapshot_end(g->st.snapshot);
	return e;
}

enum http_next taxii_get_object(void *context, struct http_request *r, struct http_answer *out)
{
	struct reading g;

	if (!taxii_enter(&g.door, context, r, out, NEED_READ))
		return HTTP_NOW;
	return end(&g, read_one(&g, FORM_OBJECTS));
}

enum http_next taxii_get_versions(void *context, struct http_request *r, struct http_answer *out)
{
	struct reading g;

	if (!taxii_enter(&g.door, context, r, out, NEED_READ))
		return HTTP_NOW;
	return end(&g, read_one(&g, FORM_VERSIONS));
}

/* --- deletions: not of the standard, for those who follow us --- */

struct deletions {
	struct taxii_page *page;
	struct json *j;
};

static enum err take_deletion(void *context, const struct object_deleted *d)
{
	struct deletions *x = context;
	struct taxii_row row = { .id = d->id, .version = d->version_text, .stamp = d->stamp };
	char time[TAXII_TIME];
	enum err e = taxii_page_add(x->page, &row);

	if (e != OK)
		return e;
	if (x->page->count == 1)
		json_array(x->j, "deletions");
	json_object(x->j, NULL);
	json_string(x->j, "id", d->id);
	if (d->version_text.len > 0)
		json_string(x->j, "version", d->version_text);
	taxii_time(d->stamp, time);
	json_text(x->j, "date_deleted", time);
	json_object_end(x->j);
	return OK;
}

static enum err write_deletions(struct reading *g)
{
	struct buffer next = BUFFER(4 * TAXII_FILTERS_MAX), body = BUFFER(PAGE_MOST);
	struct json j = { .out = &body };
	struct deletions x = { &g->page, &j };
	struct taxii_collection *c = &g->door.collection;
	uint64_t empty;
	enum err e = OK;

	json_object(&j, NULL);
	if (c->source == SOURCE_STORED)
		e = objects_deleted(g->st.snapshot, &c->id, c->reach.level, g->filters.which.after, take_deletion, &x);
	if (e == TAXII_PAGE_FULL)
		e = OK;
	if (g->page.count > 0)
		json_array_end(&j);
	if (e == OK && g->page.more) {
		struct taxii_cursor cursor = { g->page.reached, g->text };

		taxii_cursor_write(g->door.server->secret, g->scope, &cursor, &next);
		json_bool(&j, "more", true);
		json_string(&j, "next", buffer_view(&next));
		e = next.err;
	}
	json_object_end(&j);
	if (e == OK)
		e = empty_stamp(g, &empty);
	if (e == OK)
		e = taxii_page_headers(&g->page, empty, g->door.r->arena, g->door.out);
	if (e == OK)
		e = taxii_answer(g->door.out, 200, &body);
	buffer_free(&body);
	buffer_free(&next);
	return e;
}

static enum err read_deletions(struct reading *g)
{
	enum err e = begin(g, FILTER_AFTER, SPAN("deletions"));

	if (e == OK)
		e = server_read(g->door.server, g->door.r, &g->st);
	if (e != OK)
		return e;
	e = write_deletions(g);
	snapshot_end(g->st.snapshot);
	return e;
}

enum http_next taxii_get_deletions(void *context, struct http_request *r, struct http_answer *out)
{
	struct reading g;

	if (!taxii_enter(&g.door, context, r, out, NEED_READ | NEED_FLOOR))
		return HTTP_NOW;
	return end(&g, read_deletions(&g));
}
