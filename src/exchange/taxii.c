#include "exchange/taxii.h"

#include "exchange/api.h"

#define BODY_MOST ((uint64_t)16 << 20) /* config.h: body_most is no more than that */
#define RESOURCE_MOST ((size_t)16 << 20)

/* --- answers --- */

enum err taxii_answer(struct http_answer *out, unsigned status, struct buffer *body)
{
	if (body->err != OK)
		return body->err;
	api_answer(out, status, TAXII_MEDIA, body);
	return OK;
}

/* --- who may go in --- */

bool taxii_refuse(const struct taxii_door *d, enum err e)
{
	server_fail(d->server, d->r, e, d->out);
	return false;
}

/* What parties share is what agreements give; what is made from the ledgers is the floor. */
static bool enter_suspended(struct taxii_door *d, unsigned need)
{
	struct state st;
	enum err e;

	if (need == 0 || (need & NEED_FLOOR) != 0 || d->collection.source != SOURCE_STORED || d->caller->is_node ||
	    d->caller->party.len == 0)
		return true;
	if ((e = server_read(d->server, d->r, &st)) == OK) {
		e = suspensions_check(d->server->suspensions, &st, st.node, d->caller->party, GIVES_SHARE);
		snapshot_end(st.snapshot);
	}
	return e == OK || taxii_refuse(d, e);
}

/* Without credentials all that is not open to everyone is 401, whether it is there or not. Who is known gets 404 where it may
 * do nothing, and 403 where it may do something else. */
static bool enter_collection(struct taxii_door *d, unsigned need)
{
	bool found = taxii_collection_find(d->server, d->caller, d->r->parts[0], &d->collection);
	struct reach reach = found ? d->collection.reach : (struct reach){ 0 };
	bool allowed = ((need & NEED_READ) == 0 || reach.read) && ((need & NEED_WRITE) == 0 || reach.write);

	if (found && allowed)
		return enter_suspended(d, need);
	if (d->caller->how == CALLER_ANONYMOUS)
		return taxii_refuse(d, fail(ERR_CREDENTIALS, "none were sent"));
	if (!found)
		return taxii_refuse(d, fail(ERR_NOT_FOUND, "no collection of that id or alias for you"));
	return taxii_refuse(d, fail(ERR_NOT_YOURS, "you may %s this collection, and this takes the right to %s it",
				    reach.read ? "read" : "write to", reach.read ? "write to" : "read"));
}

bool taxii_enter_root(struct taxii_door *d, void *context, struct http_request *r, struct http_answer *out)
{
	*d = (struct taxii_door){ .server = context, .r = r, .out = out, .caller = request_caller(r) };
	return taxii_accepts(r) || taxii_refuse(d, fail(ERR_ACCEPT, "this is TAXII 2.1; Accept: " TAXII_MEDIA));
}

bool taxii_enter(struct taxii_door *d, void *context, struct http_request *r, struct http_answer *out, unsigned need)
{
	return taxii_enter_root(d, context, r, out) && enter_collection(d, need);
}

/* --- resources (4.1, 4.2, 5.1, 5.2) --- */

static enum http_next give(struct taxii_door *d, struct buffer *body)
{
	enum err e = taxii_answer(d->out, 200, body);

	buffer_free(body);
	if (e != OK)
		server_fail(d->server, d->r, e, d->out);
	return HTTP_NOW;
}

static struct span title(const struct server *s)
{
	return s->config->title.len > 0 ? s->config->title : node_name(s->node);
}

/* Relative unless the operator says how others reach the node: behind a proxy it cannot know. `default` is the same text. */
static enum http_next get_discovery(void *context, struct http_request *r, struct http_answer *out)
{
	struct buffer body = BUFFER(RESOURCE_MOST), root = BUFFER(4096);
	struct json j = { .out = &body };
	struct taxii_door d;
	struct span url;

	if (!taxii_enter_root(&d, context, r, out))
		return HTTP_NOW;
	url = d.server->config->url;
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	buffer_span(&root, url);
	buffer_text(&root, TAXII_ROOT);
	json_object(&j, NULL);
	json_string(&j, "title", title(d.server));
	json_text(&j, "description", "A Comity node: statements of response teams, and what they share.");
	if (d.server->config->contact.len > 0)
		json_string(&j, "contact", d.server->config->contact);
	json_string(&j, "default", buffer_view(&root));
	json_array(&j, "api_roots");
	json_string(&j, NULL, buffer_view(&root));
	json_array_end(&j);
	json_object_end(&j);
	buffer_free(&root);
	return give(&d, &body);
}

static enum http_next get_root(void *context, struct http_request *r, struct http_answer *out)
{
	struct buffer body = BUFFER(RESOURCE_MOST);
	struct json j = { .out = &body };
	struct taxii_door d;

	if (!taxii_enter_root(&d, context, r, out))
		return HTTP_NOW;
	json_object(&j, NULL);
	json_string(&j, "title", title(d.server));
	json_array(&j, "versions");
	json_text(&j, NULL, TAXII_MEDIA);
	json_array_end(&j);
	json_number(&j, "max_content_length", (int64_t)d.server->config->body_most);
	json_object_end(&j);
	return give(&d, &body);
}

static enum http_next get_collections(void *context, struct http_request *r, struct http_answer *out)
{
	struct buffer body = BUFFER(RESOURCE_MOST);
	struct json j = { .out = &body };
	struct taxii_collection *all;
	struct taxii_door d;
	size_t count;

	if (!taxii_enter_root(&d, context, r, out))
		return HTTP_NOW;
	if ((all = taxii_collections(d.server, d.caller, r->arena, &count)) == NULL) {
		server_fail(d.server, r, ERR_NO_MEMORY, out);
		return HTTP_NOW;
	}
	json_object(&j, NULL);
	if (count > 0) {
		json_array(&j, "collections");
		for (size_t i = 0; i < count; i++)
			taxii_collection_print(&all[i], &j);
		json_array_end(&j);
	}
	json_object_end(&j);
	return give(&d, &body);
}

static enum http_next get_collection(void *context, struct http_request *r, struct http_answer *out)
{
	struct buffer body = BUFFER(RESOURCE_MOST);
	struct json j = { .out = &body };
	struct taxii_door d;

	if (!taxii_enter(&d, context, r, out, 0))
		return HTTP_NOW;
	taxii_collection_print(&d.collection, &j);
	return give(&d, &body);
}

/* --- the doors --- */

#define COLLECTION TAXII_COLLECTIONS "*/"

const struct http_door taxii_doors[] = {
	{ HTTP_GET, COLLECTION "objects/", 0, DOOR_OPEN | DOOR_TAXII, taxii_get_objects },
	{ HTTP_POST, COLLECTION "objects/", BODY_MOST, DOOR_KNOWN | DOOR_TAXII, taxii_add_objects },
	{ HTTP_GET, COLLECTION "manifest/", 0, DOOR_OPEN | DOOR_TAXII, taxii_get_manifest },
	{ HTTP_GET, COLLECTION "objects/*/", 0, DOOR_OPEN | DOOR_TAXII, taxii_get_object },
	{ HTTP_DELETE, COLLECTION "objects/*/", 0, DOOR_KNOWN | DOOR_TAXII, taxii_delete_object },
	{ HTTP_GET, COLLECTION "objects/*/versions/", 0, DOOR_OPEN | DOOR_TAXII, taxii_get_versions },
	{ HTTP_GET, COLLECTION "deletions/", 0, DOOR_OPEN | DOOR_TAXII, taxii_get_deletions },
	{ HTTP_GET, COLLECTION, 0, DOOR_OPEN | DOOR_TAXII, get_collection },
	{ HTTP_GET, TAXII_COLLECTIONS, 0, DOOR_OPEN | DOOR_TAXII, get_collections },
	{ HTTP_GET, TAXII_ROOT "status/*/", 0, DOOR_KNOWN | DOOR_TAXII, taxii_get_status },
	{ HTTP_GET, TAXII_ROOT, 0, DOOR_OPEN | DOOR_TAXII, get_root },
	{ HTTP_GET, TAXII_DISCOVERY, 0, DOOR_OPEN | DOOR_TAXII, get_discovery },
};
const size_t taxii_door_count = sizeof(taxii_doors) / sizeof(taxii_doors[0]);
