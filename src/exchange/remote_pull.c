/*
 * Pulling (reference: what servers of unknown quality do)
 *
 * We ask for all versions, with a limit, and go on by `next` where it is given, else by the header that names the last
 * object's date. Where that header is missing or does not read, the manifest is asked for the newest date; the present time
 * is never put in its place, that would lose what came in between. A page is one batch, with the place where it ended, so a
 * stop at any moment repeats at most one page, whose objects are then there already.
 *
 * Some servers give the same `next` for a whole walk and count for themselves, so a `next` that comes again says nothing. A
 * walk that goes round is found by what comes: Brent's algorithm over pages with their `next`. A `next` kept from an
 * earlier run may have been forgotten by the server: then the walk begins anew behind the last date.
 */
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "exchange/markings.h"
#include "exchange/readership.h"
#include "exchange/remote_private.h"
#include "regime/cursor.h"

#define PAGE 1000
#define PAGE_BYTES_MAX ((size_t)16 << 20) /* what json_read takes */
#define PAGE_ARENA_MAX ((size_t)512 << 20)
#define DATE_MAX 64
#define PAGES_OF_NOTHING 16 /* so many pages without objects, one behind the other, are enough */

struct pull {
	struct conversation c;
	struct home *home;
	const struct collection_rule *into;
	struct remote_result *result;
	const struct remote_watcher *watcher;
	char next[CURSOR_PART_MAX + 1];
	char after[DATE_MAX], last[DATE_MAX], deleted_after[DATE_MAX]; /* last: of the newest page that had one */
	uint64_t limit;
	unsigned empty_pages;
	struct hash mark;	   /* of an earlier page */
	uint64_t pages, next_mark; /* when another one takes its place */
	bool resumed;		   /* `next` is of an earlier run */
	struct buffer page;	   /* the page in hand: the door's own is gone with its next question */
	struct arena *arena;
};

static void keep_text(char *to, size_t room, struct span from)
{
	size_t n = from.len < room ? from.len : 0; /* what is too long for what it should be counts as none */

	if (n > 0)
		memcpy(to, from.at, n);
	to[n] = '\0';
}

/* A date that another server gave, as it stands; false: it is none. */
static bool take_date(struct span text, char out[DATE_MAX])
{
	int64_t ms;

	if (text.len >= DATE_MAX || clock_parse_rfc3339(text, &ms) != OK)
		return false;
	keep_text(out, DATE_MAX, text);
	return true;
}

static void refuse(struct pull *p, struct span id, const char *why, struct span object)
{
	p->result->refused++;
	p->watcher->refused(p->watcher->context, id, span_of(why), object);
}

/* ---- what comes is kept ---- */

static enum err read_cursor(struct pull *p)
{
	struct state st;
	struct cursor c;
	enum err e = home_open(p->home);

	if (e == OK)
		e = node_read(p->home->node, p->c.arena, &st);
	if (e != OK)
		return e;
	if ((e = cursor_find(&st, p->c.of, &c)) == OK) {
		keep_text(p->next, sizeof(p->next), c.next);
		p->resumed = c.next.len > 0;
		keep_text(p->after, sizeof(p->after), c.added_after);
		keep_text(p->deleted_after, sizeof(p->deleted_after), c.deleted_after);
	}
	snapshot_end(st.snapshot);
	return e;
}

static enum err add_cursor(struct pull *p)
{
	struct cursor c = { .next = span_of(p->next),
			    .added_after = span_of(p->after),
			    .deleted_after = span_of(p->deleted_after) };
	struct buffer record = BUFFER(4 * CURSOR_PART_MAX);
	struct span part;
	enum err e;

	cursor_write(&record, p->c.of, &c);
	part = buffer_view(&record);
	e = record.err == OK ? node_add_private(p->home->node, RECORD_PRIVATE, &part, 1) : record.err;
	buffer_free(&record);
	return e;
}

/* Those that may be kept come to the front; gives how many. */
static size_t readable(struct pull *p, const struct stix_envelope *from, struct stix_object *to,
		       struct stix_object **each)
{
	size_t count = 0;

	for (size_t i = 0; i < from->count; i++) {
		enum err e = stix_object_read(p->arena, &from->objects[i], &to[count]);

		if (e == OK) {
			each[count] = &to[count];
			count++;
		} else {
			refuse(p, remote_text(from->objects[i].value, "id"), err_detail(), from->objects[i].text);
		}
	}
	return count;
}

/* What is red goes only where each reader is named. */
static size_t allowed(struct pull *p, struct stix_object *objects, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (objects[i].tlp == TLP_RED && p->into->readers != AUDIENCE_NAMED)
			refuse(p, objects[i].id,
			       "TLP:RED, or a marking that is not known, for a collection whose readers are not all "
			       "named",
			       objects[i].text);
		else
			objects[kept++] = objects[i];
	}
	return kept;
}

static void count_fates(struct remote_result *r, const struct object_result *fates, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		r->added += fates[i].fate == OBJECT_ADDED;
		r->repeated += fates[i].fate == OBJECT_REPEATED || fates[i].fate == OBJECT_DELETED;
		r->conflicts += fates[i].fate == OBJECT_CONFLICT;
	}
}

static enum err keep_objects(struct pull *p, const struct stix_envelope *env)
{
	struct stix_object *objects = arena_array(p->arena, env->count, sizeof(*objects));
	struct stix_object **each = arena_array(p->arena, env->count, sizeof(*each));
	struct object_result *fates = arena_array(p->arena, env->count, sizeof(*fates));
	struct share s = { .collection = p->into->id, .level = TLP_RED, .objects = objects };
	struct appended logged;
	size_t count;
	enum err e;

	if (objects == NULL || each == NULL || fates == NULL)
		return ERR_NO_MEMORY;
	count = readable(p, env, objects, each);
	e = markings_settle(p->arena, node_batch_state(p->home->node)->snapshot, &p->into->id, TLP_RED,
			    p->into->unmarked, each, count);
	if (e != OK)
		return e;
	s.count = allowed(p, objects, count);
	if (s.count > 0 && (e = objects_share(p->home->node, &s, fates, &logged)) == OK)
		count_fates(p->result, fates, s.count);
	return e;
}

typedef enum err keeping(struct pull *p, const void *what);

/* One batch: what came, and where it ended. */
static enum err in_a_batch(struct pull *p, keeping *keep, const void *what)
{
	struct remote_result before = *p->result;
	enum err e = home_open(p->home);

	if (e == OK)
		e = node_begin(p->home->node);
	if (e != OK)
		return e;
	if ((e = keep(p, what)) == OK)
		e = add_cursor(p);
	if (e == OK) {
		e = node_commit(p->home->node);
		home_rest(p->home);
		return e;
	}
	node_abandon(p->home->node);
	*p->result = before;
	return e;
}

/* ---- pages ---- */

/* The objects of the page in hand, for the manifest. */
struct listed {
	struct span id;
	struct instant version; /* length 0: any */
};

static int compare_listed(const void *a, const void *b)
{
	return span_compare(((const struct listed *)a)->id, ((const struct listed *)b)->id);
}

static enum err page_records(struct pull *p, const struct stix_envelope *env, struct listed **out)
{
	struct listed *all = arena_array(p->arena, env->count, sizeof(*all));

	if (all == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < env->count; i++) {
		struct span version = remote_text(env->objects[i].value, "modified");

		if (version.len == 0)
			version = remote_text(env->objects[i].value, "created");
		all[i].id = remote_text(env->objects[i].value, "id");
		if (instant_parse(version, &all[i].version) != OK)
			all[i].version.length = 0;
	}
	err_clear();
	qsort(all, env->count, sizeof(*all), compare_listed);
	*out = all;
	return OK;
}

static bool in_page(const struct listed *all, size_t count, const yyjson_val *record)
{
	struct listed one = { .id = remote_text(record, "id") };
	const struct listed *found = bsearch(&one, all, count, sizeof(*all), compare_listed);

	if (found == NULL)
		return false;
	if (instant_parse(remote_text(record, "version"), &one.version) != OK)
		return true;
	while (found > all && span_equal(found[-1].id, one.id))
		found--;
	for (; found < all + count && span_equal(found->id, one.id); found++)
		if (found->version.length == 0 || instant_compare(&found->version, &one.version) == 0)
			return true;
	return false;
}

/* One page of the manifest: the date of the last object that is in our page, and where the next one begins. */
static enum err look_through(const yyjson_val *manifest, const struct listed *all, size_t count, char out[DATE_MAX],
			     char after[DATE_MAX], size_t *found)
{
	yyjson_val *v;
	size_t i, n;

	yyjson_arr_foreach(yyjson_obj_get((yyjson_val *)manifest, "objects"), i, n, v)
	{
		take_date(remote_text(v, "date_added"), after);
		if (!in_page(all, count, v))
			continue;
		take_date(remote_text(v, "date_added"), out);
		(*found)++;
	}
	return OK;
}

/* When the server added the last of these objects, as its manifest says. */
static enum err newest(struct pull *p, const struct stix_envelope *env, char out[DATE_MAX])
{
	char next[CURSOR_PART_MAX + 1] = "", after[DATE_MAX], before[DATE_MAX];
	struct listed *all;
	size_t found = 0;
	enum err e = page_records(p, env, &all);

	memcpy(after, p->after, sizeof(after));
	while (e == OK) {
		struct remote_parameter ask[] = { { "added_after", span_of(after) },
						  { "limit", SPAN("1000") },
						  { "match[version]", SPAN("all") },
						  { "next", span_of(next) } };
		struct door_answer answer;
		const yyjson_val *page;
		char url[URL_TEXT];

		if ((e = remote_url(url, p->c.collection, "manifest/", ask, 4)) == OK)
			e = remote_get(&p->c, url, &answer, &page);
		if (e != OK)
			break;
		memcpy(before, after, sizeof(before));
		e = look_through(page, all, env->count, out, after, &found);
		if (found >= env->count || !yyjson_get_bool(yyjson_obj_get((yyjson_val *)page, "more")))
			break;
		keep_text(next, sizeof(next), remote_text(page, "next"));
		if (next[0] == '\0' && strcmp(before, after) == 0)
			break;
	}
	return e;
}

static enum err read_page(struct pull *p, const struct door_answer *a, const char *url, struct stix_envelope *out)
{
	struct yyjson_doc *doc = NULL;
	struct span text;
	yyjson_val *root;
	enum err e;

	arena_reset(p->arena);
	buffer_clear(&p->page);
	buffer_span(&p->page, a->body);
	if (p->page.err != OK)
		return p->page.err;
	text = buffer_view(&p->page);
	e = stix_envelope_read(p->arena, text, false, out);

	if (e != ERR_EMPTY)
		return e == OK || err_is_machine(e) || e == ERR_TOO_LONG ? e
									 : fail(ERR_PEER, "%s: %s", url, err_detail());
	*out = (struct stix_envelope){ 0 };
	if ((e = json_read(p->arena, text, &doc)) != OK)
		return e;
	root = yyjson_doc_get_root(doc);
	out->more = yyjson_get_bool(yyjson_obj_get(root, "more"));
	out->next = remote_text(root, "next");
	return OK;
}

/* A page that came before, with objects and more to come. */
static enum err check_round(struct pull *p, const struct stix_envelope *env)
{
	struct hash page;

	if (!env->more || env->count == 0)
		return OK;
	page = hash_bytes(p->page.at, p->page.len);
	if (p->pages > 0 && hash_equal(page, p->mark))
		return fail(ERR_PEER, "%s goes round: a page came again", p->c.collection);
	if (p->pages++ == p->next_mark) {
		p->mark = page;
		p->next_mark = p->next_mark > 0 ? 2 * p->next_mark : 1;
	}
	return OK;
}

/* The date of the last object of this page: from the header, else from the manifest; else that of an earlier page stays. */
static enum err date_page(struct pull *p, const struct door_answer *a, const struct stix_envelope *env)
{
	struct span header;

	if (env->count == 0)
		return OK;
	if (door_header(a, "X-TAXII-Date-Added-Last", &header) && take_date(header, p->last))
		return OK;
	err_clear();
	return newest(p, env, p->last);
}

/* By `next`, which holds while a walk lasts. */
static enum err go_by_next(struct pull *p, const struct stix_envelope *env)
{
	if (env->next.len > CURSOR_PART_MAX)
		return fail(ERR_PEER, "%s gives a `next` of %zu bytes", p->c.collection, env->next.len);
	keep_text(p->next, sizeof(p->next), env->next);
	return OK;
}

static enum err go_by_date(struct pull *p, bool more)
{
	if (more && (p->last[0] == '\0' || strcmp(p->last, p->after) == 0))
		return fail(ERR_PEER, "%s says that there is more, but neither `next` nor a later date",
			    p->c.collection);
	if (p->last[0] != '\0')
		memcpy(p->after, p->last, sizeof(p->after));
	p->next[0] = '\0';
	return OK;
}

/* Where to go on. */
static enum err advance(struct pull *p, const struct door_answer *a, const struct stix_envelope *env)
{
	bool by_next = env->more && env->next.len > 0;
	struct span header;
	enum err e = check_round(p, env);

	p->empty_pages = env->count == 0 ? p->empty_pages + 1 : 0;
	if (e == OK && env->more && p->empty_pages > PAGES_OF_NOTHING)
		e = fail(ERR_PEER, "%s says that there is more and gives nothing, %u times", p->c.collection,
			 p->empty_pages);
	if (e != OK)
		return e;
	if (!by_next) /* only now the manifest is worth asking */
		e = date_page(p, a, env);
	else if (env->count > 0 && door_header(a, "X-TAXII-Date-Added-Last", &header))
		take_date(header, p->last);
	if (e != OK)
		return e;
	return by_next ? go_by_next(p, env) : go_by_date(p, env->more);
}

static enum err keep_page(struct pull *p, const void *env)
{
	const struct stix_envelope *from = env;

	return from->count > 0 ? keep_objects(p, from) : OK;
}

static enum err pull_page(struct pull *p, bool *more)
{
	char limit[24], url[URL_TEXT];
	struct remote_parameter ask[] = { { "added_after", span_of(p->after) },
					  { "limit", SPAN("") },
					  { "match[version]", SPAN("all") },
					  { "next", span_of(p->next) } };
	struct door_answer answer;
	struct stix_envelope env;
	enum err e;

	snprintf(limit, sizeof(limit), "%ju", (uintmax_t)p->limit);
	ask[1].value = span_of(limit);
	if ((e = remote_url(url, p->c.collection, "objects/", ask, 4)) == OK)
		e = remote_ask(&p->c, "GET", url, (struct span){ 0 }, &answer);
	if (e == OK)
		e = read_page(p, &answer, url, &env);
	if (e == ERR_TOO_LONG && p->limit > 1) {
		p->limit = p->limit > 4 ? p->limit / 4 : 1;
		*more = true;
		err_clear();
		return OK;
	}
	if ((e == ERR_PEER || e == ERR_NOT_FOUND) && p->resumed) {
		p->next[0] = '\0';
		p->resumed = false;
		*more = true;
		err_clear();
		return OK;
	}
	if (e != OK)
		return e;
	p->resumed = false;
	*more = env.more;
	if ((e = advance(p, &answer, &env)) != OK)
		return e;
	p->result->seen += env.count;
	p->result->steps++;
	return in_a_batch(p, keep_page, &env);
}

/* ---- deletions ---- */

/* Deleted there, so deleted here: all its versions, or one. Not to be found: never taken, or gone. */
static enum err remove_one(struct pull *p, const yyjson_val *v)
{
	struct span id = remote_text(v, "id"), version = remote_text(v, "version");
	struct instant when;
	struct object_query which = { .versions = &when, .version_count = 1 };
	struct removal r = { .collection = p->into->id, .level = TLP_RED, .id = id };
	struct appended logged;
	uint64_t count = 0;
	enum err e;

	if (!stix_is_id(id))
		return OK;
	if (version.len > 0 && instant_parse(version, &when) == OK)
		r.which = &which;
	e = objects_remove(p->home->node, &r, &count, &logged);
	p->result->deleted += count;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err keep_deletions(struct pull *p, const void *page)
{
	yyjson_val *v;
	size_t i, n;
	enum err e = OK;

	yyjson_arr_foreach(yyjson_obj_get((yyjson_val *)page, "deletions"), i, n, v) if (e == OK) e = remove_one(p, v);
	return e;
}

/* A list of ours (docs/taxii.md); other servers have none, and say 404 or 405. */
static enum err pull_deletions(struct pull *p, bool *more)
{
	struct remote_parameter ask[] = { { "added_after", span_of(p->deleted_after) }, { "limit", SPAN("1000") } };
	char url[URL_TEXT], before[DATE_MAX];
	struct door_answer answer;
	const yyjson_val *page;
	struct span last;
	enum err e = remote_url(url, p->c.collection, "deletions/", ask, 2);

	*more = false;
	if (e == OK)
		e = remote_get(&p->c, url, &answer, &page);
	if (e == ERR_NOT_FOUND || e == ERR_PEER) {
		err_clear();
		return OK;
	}
	if (e != OK || yyjson_arr_size(yyjson_obj_get((yyjson_val *)page, "deletions")) == 0)
		return e;
	memcpy(before, p->deleted_after, sizeof(before));
	if (!door_header(&answer, "X-TAXII-Date-Added-Last", &last) || !take_date(last, p->deleted_after))
		return OK;
	*more = yyjson_get_bool(yyjson_obj_get((yyjson_val *)page, "more")) && strcmp(before, p->deleted_after) != 0;
	return in_a_batch(p, keep_deletions, page);
}

enum err remote_pull(struct home *h, const struct remote *r, const struct collection_rule *into,
		     const struct remote_watcher *watcher, struct remote_result *out)
{
	struct pull *p = calloc(1, sizeof(*p));
	bool more = true;
	enum err e = p != NULL ? OK : ERR_NO_MEMORY;

	*out = (struct remote_result){ 0 };
	if (e != OK)
		return e;
	*p = (struct pull){ .home = h,
			    .into = into,
			    .result = out,
			    .watcher = watcher,
			    .limit = PAGE,
			    .page = BUFFER(PAGE_BYTES_MAX) };
	if ((p->arena = arena_new(PAGE_ARENA_MAX)) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK && (e = remote_open(r, "pull", &into->id, &p->c)) == OK && !p->c.can_read)
		e = fail(ERR_CREDENTIALS, "%s may not be read by us", p->c.collection);
	if (e == OK)
		e = read_cursor(p);
	home_rest(h);
	while (e == OK && more) {
		e = pull_page(p, &more);
		watcher->progress(watcher->context, out);
	}
	for (more = e == OK; e == OK && more;)
		e = pull_deletions(p, &more);
	remote_close(&p->c);
	if (p->arena != NULL)
		arena_free(p->arena);
	buffer_free(&p->page);
	free(p);
	return e;
}
