/*
 * Pushing
 *
 * Objects go in the order of their stamps, in envelopes that the other side takes (max_content_length). The cursor moves when
 * the status of a post is complete, so a stop at any moment repeats at most one post, whose objects the other side has then
 * already. An object that is refused there is counted; to send it again would be refused again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yyjson.h>

#include "exchange/remote_private.h"
#include "base/json.h"
#include "regime/cursor.h"

#define POST_OBJECTS 1000
#define POST_BYTES ((size_t)8 << 20)
#define STATUS_TRIES 30
#define FULL ERR_EXISTS /* ends a walk; never leaves this file */

struct push {
	struct conversation c;
	struct home *home;
	const struct collection_rule *from;
	enum tlp most;
	struct remote_result *result;
	const struct remote_watcher *watcher;
	uint64_t sent, sent_deletions;
	struct buffer envelope;
	size_t count, room; /* of the envelope in hand */
	uint64_t reached;
	struct arena *arena; /* of a snapshot */
};

static enum err read_cursor(struct push *p)
{
	struct state st;
	struct cursor c;
	enum err e = home_open(p->home);

	if (e == OK)
		e = node_read(p->home->node, p->arena, &st);
	if (e != OK)
		return e;
	if ((e = cursor_find(&st, p->c.of, &c)) == OK) {
		p->sent = c.sent;
		p->sent_deletions = c.sent_deletions;
	}
	snapshot_end(st.snapshot);
	return e;
}

static enum err keep_cursor(struct push *p)
{
	struct cursor c = { .sent = p->sent, .sent_deletions = p->sent_deletions };
	struct buffer record = BUFFER(1024);
	struct span part;
	enum err e = home_open(p->home);

	if (e == OK)
		e = node_begin(p->home->node);
	if (e != OK)
		return e;
	cursor_write(&record, p->c.of, &c);
	part = buffer_view(&record);
	e = record.err == OK ? node_add_private(p->home->node, RECORD_PRIVATE, &part, 1) : record.err;
	buffer_free(&record);
	if (e == OK) {
		e = node_commit(p->home->node);
		home_rest(p->home);
		return e;
	}
	node_abandon(p->home->node);
	return e;
}

static enum err add(void *context, const struct object_row *row)
{
	struct push *p = context;

	if (p->count > 0 && (p->count == POST_OBJECTS || p->envelope.len + row->text.len + 3 > p->room))
		return FULL;
	if (p->count > 0)
		buffer_byte(&p->envelope, ',');
	buffer_span(&p->envelope, row->text);
	p->count++;
	p->reached = row->stamp;
	return p->envelope.err;
}

/* The next envelope; p->count is 0 if there is nothing left. */
static enum err gather(struct push *p)
{
	struct object_query q = { .collection = p->from->id, .level = p->most, .after = p->sent, .all = true };
	struct state st;
	enum err e = home_open(p->home);

	if (e == OK)
		e = node_read(p->home->node, p->arena, &st);
	if (e != OK)
		return e;
	p->count = 0;
	p->room = p->c.most_bytes < POST_BYTES ? (size_t)p->c.most_bytes : POST_BYTES;
	buffer_clear(&p->envelope);
	buffer_text(&p->envelope, "{\"objects\":[");
	e = objects_walk(st.snapshot, &q, add, p);
	snapshot_end(st.snapshot);
	buffer_text(&p->envelope, "]}");
	return e == OK || e == FULL ? p->envelope.err : e;
}

static uint64_t number(const yyjson_val *v, const char *name)
{
	return yyjson_get_uint(yyjson_obj_get((yyjson_val *)v, name));
}

static bool is_complete(const yyjson_val *status)
{
	return span_is(remote_text(status, "status"), "complete");
}

static void take_status(struct push *p, const yyjson_val *status)
{
	yyjson_val *failures = yyjson_obj_get((yyjson_val *)status, "failures"), *v;
	size_t i, n;

	yyjson_arr_foreach(failures, i, n, v)
		p->watcher->refused(p->watcher->context, remote_text(v, "id"), remote_text(v, "message"), SPAN(""));
	p->result->refused += number(status, "failure_count");
	p->result->added += number(status, "success_count");
}

/* Asks for the status until it is complete (TAXII 2.1, 4.3). */
static enum err wait_for_status(struct push *p, struct span id)
{
	char url[URL_TEXT], path[128];
	struct door_answer answer;
	const yyjson_val *status;
	enum err e;

	snprintf(path, sizeof(path), "status/%.*s/", id.len > 64 ? 64 : (int)id.len, id.at);
	for (unsigned tried = 0; tried < STATUS_TRIES; tried++) {
		int64_t ms = 50 << (tried < 6 ? tried : 6);
		struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

		nanosleep(&t, NULL);
		if ((e = remote_url(url, p->c.root, path, NULL, 0)) == OK)
			e = remote_get(&p->c, url, &answer, &status);
		if (e != OK)
			return e;
		if (is_complete(status)) {
			take_status(p, status);
			return OK;
		}
	}
	return fail(ERR_PEER, "%s: a post is still pending after minutes; go on later", p->c.collection);
}

static enum err post(struct push *p)
{
	char url[URL_TEXT], id[65];
	struct door_answer answer;
	struct yyjson_doc *doc = NULL;
	const yyjson_val *status;
	enum err e = remote_url(url, p->c.collection, "objects/", NULL, 0);

	if (e == OK)
		e = remote_ask(&p->c, "POST", url, buffer_view(&p->envelope), &answer);
	if (e != OK)
		return e;
	arena_reset(p->c.arena);
	if (json_read(p->c.arena, answer.body, &doc) != OK)
		return fail(ERR_PEER, "%s: a post was answered without a status", p->c.collection);
	status = yyjson_doc_get_root(doc);
	if (is_complete(status)) {
		take_status(p, status);
		return OK;
	}
	snprintf(id, sizeof(id), "%.*s", (int)(remote_text(status, "id").len % sizeof(id)),
		 remote_text(status, "id").at);
	if (id[0] == '\0' || p->c.root[0] == '\0')
		return fail(ERR_PEER, "%s: a post is pending and its status cannot be asked for", p->c.collection);
	return wait_for_status(p, span_of(id));
}

/* An object that is larger than the other side takes is refused by us; the others go on. */
static enum err push_some(struct push *p, bool *more)
{
	enum err e = gather(p);

	*more = e == OK && p->count > 0;
	home_rest(p->home);
	if (e != OK || p->count == 0)
		return e;
	p->result->seen += p->count;
	if (p->envelope.len > p->c.most_bytes) {
		p->result->refused++;
		p->watcher->refused(p->watcher->context, SPAN(""), SPAN("larger than the other side takes"),
				    buffer_view(&p->envelope));
	} else if ((e = post(p)) != OK) {
		return e;
	}
	p->sent = p->reached;
	p->result->steps++;
	return keep_cursor(p);
}

/* ---- deletions ---- */

struct deletion {
	char id[STIX_ID_MAX + 1], version[INSTANT_MAX + 16];
	uint64_t stamp;
	bool found;
};

static enum err take_deletion(void *context, const struct object_deleted *d)
{
	struct deletion *to = context;

	snprintf(to->id, sizeof(to->id), "%.*s", SPAN_FORMAT(d->id));
	snprintf(to->version, sizeof(to->version), "%.*s",
		 d->version_text.len < sizeof(to->version) ? (int)d->version_text.len : 0,
		 d->version_text.at != NULL ? d->version_text.at : "");
	to->stamp = d->stamp;
	to->found = true;
	return FULL;
}

static enum err next_deletion(struct push *p, struct deletion *out)
{
	struct state st;
	enum err e = home_open(p->home);

	if (e == OK)
		e = node_read(p->home->node, p->arena, &st);
	if (e != OK)
		return e;
	e = objects_deleted(st.snapshot, &p->from->id, p->most, p->sent_deletions, take_deletion, out);
	snapshot_end(st.snapshot);
	return e == FULL ? OK : e;
}

/* What is not there, or may not be deleted by us, is not our matter. */
static enum err push_deletion(struct push *p, bool *more)
{
	struct deletion d = { .found = false };
	char url[URL_TEXT], path[STIX_ID_MAX + 16];
	struct door_answer answer;
	enum err e = next_deletion(p, &d);

	*more = d.found;
	home_rest(p->home);
	if (e != OK || !d.found)
		return e;
	snprintf(path, sizeof(path), "objects/%s/", d.id);
	e = remote_url(url, p->c.collection, path, &(struct remote_parameter){ "match[version]", span_of(d.version) },
		       1);
	if (e == OK)
		e = remote_ask(&p->c, "DELETE", url, (struct span){ 0 }, &answer);
	if (e == OK)
		p->result->deleted++;
	if (e != OK && e != ERR_NOT_FOUND && e != ERR_CREDENTIALS && e != ERR_PEER)
		return e;
	err_clear();
	p->sent_deletions = d.stamp;
	return keep_cursor(p);
}

enum err remote_push(struct home *h, const struct remote *r, const struct collection_rule *from, enum tlp most_tlp,
		     const struct remote_watcher *watcher, struct remote_result *out)
{
	struct push *p = calloc(1, sizeof(*p));
	bool more = true;
	enum err e = p != NULL ? OK : ERR_NO_MEMORY;

	*out = (struct remote_result){ 0 };
	if (e != OK)
		return e;
	*p = (struct push){ .home = h,
			    .from = from,
			    .most = most_tlp,
			    .result = out,
			    .watcher = watcher,
			    .envelope = BUFFER((size_t)32 << 20) };
	if ((p->arena = arena_new((size_t)1 << 20)) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK && (e = remote_open(r, "push", &from->id, &p->c)) == OK && !p->c.can_write)
		e = fail(ERR_CREDENTIALS, "%s may not be written by us", p->c.collection);
	if (e == OK)
		e = read_cursor(p);
	home_rest(h);
	while (e == OK && more) {
		e = push_some(p, &more);
		watcher->progress(watcher->context, out);
	}
	for (more = true; e == OK && more;)
		e = push_deletion(p, &more);
	remote_close(&p->c);
	if (p->arena != NULL)
		arena_free(p->arena);
	buffer_free(&p->envelope);
	free(p);
	return e;
}
