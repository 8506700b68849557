#include "exchange/remote_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yyjson.h>

#include "base/encoding.h"
#include "base/json.h"
#include "exchange/access.h"

#define ANSWER_ARENA_MAX ((size_t)512 << 20)
#define TRIES 8
#define WAIT_MAX_S 60
#define MOST_BYTES_GUESS (1 << 20) /* where no API root says */

/* ---- asking ---- */

static enum err authorize(struct conversation *c)
{
	const struct remote *r = c->remote;
	struct buffer b = BUFFER(8192);

	if (r->token.len > 0) {
		buffer_print(&b, "Authorization: Bearer %.*s", SPAN_FORMAT(r->token));
	} else if (r->user.len > 0) {
		struct buffer pair = BUFFER(4096);

		buffer_print(&pair, "%.*s:%.*s", SPAN_FORMAT(r->user), SPAN_FORMAT(r->password));
		buffer_text(&b, "Authorization: Basic ");
		if (pair.err == OK)
			base64_append(&b, pair.at, pair.len);
		else
			b.err = pair.err;
		buffer_free(&pair);
	}
	buffer_byte(&b, '\0');
	if (b.err != OK) {
		buffer_free(&b);
		return fail(b.err, "user, password or token");
	}
	c->authorization = b.at;
	return OK;
}

/* The parts of an address that a signature covers (RFC 9421, 2.2). */
static void cut_url(const char *url, struct span *authority, struct span *rest)
{
	const char *at = strstr(url, "://");
	const char *slash;

	at = at != NULL ? at + 3 : url;
	slash = strchr(at, '/');
	*authority = slash != NULL ? span_make(at, (size_t)(slash - at)) : span_of(at);
	*rest = slash != NULL ? span_of(slash) : SPAN("/");
}

struct signature_lines {
	struct buffer input, signature, digest;
};

static enum err sign(const struct conversation *c, const char *method, const char *url, struct span body,
		     struct signature_lines *l)
{
	struct span authority, rest;
	struct buffer input = BUFFER(4096), signature = BUFFER(4096), digest = BUFFER(4096);
	enum http_method m = strcmp(method, "GET") == 0	   ? HTTP_GET
			     : strcmp(method, "POST") == 0 ? HTTP_POST
							   : HTTP_DELETE;
	enum err e;

	cut_url(url, &authority, &rest);
	e = access_sign(c->remote->signer, m, authority, rest, body, &input, &signature, &digest);
	if (e == OK) {
		buffer_print(&l->input, "Signature-Input: %.*s%c", SPAN_FORMAT(buffer_view(&input)), '\0');
		buffer_print(&l->signature, "Signature: %.*s%c", SPAN_FORMAT(buffer_view(&signature)), '\0');
		if (digest.len > 0)
			buffer_print(&l->digest, "Content-Digest: %.*s%c", SPAN_FORMAT(buffer_view(&digest)), '\0');
		e = l->input.err != OK ? l->input.err : l->signature.err != OK ? l->signature.err : l->digest.err;
	}
	buffer_free(&input);
	buffer_free(&signature);
	buffer_free(&digest);
	return e;
}

static enum err ask_once(struct conversation *c, const char *method, const char *url, struct span body,
			 struct door_answer *out)
{
	const char *headers[6] = { "Accept: " TAXII_TYPE };
	struct signature_lines lines = { BUFFER(8192), BUFFER(8192), BUFFER(8192) };
	struct door_request r = { method, url, headers, 1, body };
	enum err e = OK;

	if (body.at != NULL)
		headers[r.header_count++] = "Content-Type: " TAXII_TYPE;
	if (c->authorization[0] != '\0') {
		headers[r.header_count++] = c->authorization;
	} else if (c->remote->signer != NULL && (e = sign(c, method, url, body, &lines)) == OK) {
		headers[r.header_count++] = lines.input.at;
		headers[r.header_count++] = lines.signature.at;
		if (lines.digest.len > 0)
			headers[r.header_count++] = lines.digest.at;
	}
	if (e == OK)
		e = door_ask(c->door, &r, out);
	buffer_free(&lines.input);
	buffer_free(&lines.signature);
	buffer_free(&lines.digest);
	return e;
}

static void wait_for(const struct door_answer *a, unsigned tried)
{
	uint64_t seconds = UINT64_C(1) << (tried < 5 ? tried : 5);
	struct span after;
	struct timespec t;

	if (a != NULL && door_header(a, "Retry-After", &after))
		span_u64(after, WAIT_MAX_S, &seconds); /* a date, or too much: our own guess */
	t = (struct timespec){ .tv_sec = (time_t)seconds };
	nanosleep(&t, NULL);
}

static enum err judge(const char *url, const struct door_answer *a)
{
	int shown = a->body.len > 300 ? 300 : (int)a->body.len;

	for (int i = 0; i < shown; i++)
		if ((unsigned char)a->body.at[i] < 0x20 || (unsigned char)a->body.at[i] > 0x7e)
			shown = i; /* what another server says is not for a terminal to obey */
	switch (a->status) {
	case 200:
	case 201:
	case 202:
		return OK;
	case 401:
	case 403:
		return fail(ERR_CREDENTIALS, "%s: status %u", url, a->status);
	case 404:
		return fail(ERR_NOT_FOUND, "%s: status 404", url);
	default:
		return fail(ERR_PEER, "%s: status %u %.*s", url, a->status, shown,
			    a->body.at != NULL ? a->body.at : "");
	}
}

/* A connection that breaks is tried again too: GET and DELETE change nothing by being repeated, and a POST of the same
 * versions neither (TAXII 2.1, 5.5). */
enum err remote_ask(struct conversation *c, const char *method, const char *url, struct span body,
		    struct door_answer *out)
{
	for (unsigned tried = 0;; tried++) {
		enum err e = ask_once(c, method, url, body, out);
		bool again = e == ERR_UNREACHABLE || (e == OK && (out->status == 429 || out->status >= 500));

		if (!again || tried + 1 == TRIES)
			return e == OK ? judge(url, out) : e;
		wait_for(e == OK ? out : NULL, tried);
	}
}

enum err remote_get(struct conversation *c, const char *url, struct door_answer *answer, const struct yyjson_val **out)
{
	struct yyjson_doc *doc = NULL;
	enum err e = remote_ask(c, "GET", url, (struct span){ 0 }, answer);

	if (e != OK)
		return e;
	arena_reset(c->arena);
	e = json_read(c->arena, answer->body, &doc);
	if (e != OK || !yyjson_is_obj(yyjson_doc_get_root(doc)))
		return e == ERR_NO_MEMORY ? e : fail(ERR_PEER, "%s: the answer is no JSON object", url);
	*out = yyjson_doc_get_root(doc);
	return OK;
}

struct span remote_text(const struct yyjson_val *object, const char *name)
{
	yyjson_val *v = yyjson_obj_get((yyjson_val *)object, name);

	return yyjson_is_str(v) ? span_make(yyjson_get_str(v), yyjson_get_len(v)) : SPAN("");
}

enum err remote_url(char out[URL_TEXT], const char *base, const char *path, const struct remote_parameter *p,
		    size_t count)
{
	struct buffer b = BUFFER(URL_TEXT - 1);
	enum err e;

	buffer_text(&b, base);
	buffer_text(&b, path);
	for (size_t i = 0, written = 0; i < count; i++) {
		if (p[i].value.len == 0)
			continue;
		buffer_print(&b, "%c%s=", written++ == 0 ? '?' : '&', p[i].name);
		for (size_t n = 0; n < p[i].value.len; n++) {
			unsigned char ch = (unsigned char)p[i].value.at[n];
			bool plain = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
				     ch == '-' || ch == '.' || ch == '_' || ch == '~';

			buffer_print(&b, plain ? "%c" : "%%%02X", ch);
		}
	}
	e = b.err;
	if (e == OK) {
		memcpy(out, b.at, b.len);
		out[b.len] = '\0';
	}
	buffer_free(&b);
	return e == OK ? OK : fail(e, "%s: the address becomes too long", base);
}

/* ---- finding ---- */

/* An address that the other server gave, made whole. It must stay on the same host: nobody is sent elsewhere. */
static enum err resolve(const char *base, struct span given, char out[URL_TEXT])
{
	struct span authority, rest;
	size_t head;
	int n;

	cut_url(base, &authority, &rest);
	head = (size_t)(authority.at + authority.len - base);
	if (given.len > 0 && given.at[0] == '/' && !span_starts(given, "//"))
		n = snprintf(out, URL_TEXT, "%.*s%.*s", (int)head, base, SPAN_FORMAT(given));
	else if (given.len > head && memcmp(given.at, base, head) == 0 && given.at[head] == '/')
		n = snprintf(out, URL_TEXT, "%.*s", SPAN_FORMAT(given));
	else
		return fail(ERR_PEER, "%s names an API root elsewhere, %.*s; give its address yourself", base,
			    given.len > 200 ? 200 : (int)given.len, given.at);
	if (n < 0 || n >= URL_TEXT - 1)
		return fail(ERR_TOO_LONG, "%s: an address", base);
	if (out[n - 1] != '/') {
		out[n] = '/';
		out[n + 1] = '\0';
	}
	return OK;
}

static enum err take_collection(struct conversation *c, const char *url, const yyjson_val *v)
{
	c->can_read = yyjson_get_bool(yyjson_obj_get((yyjson_val *)v, "can_read"));
	c->can_write = yyjson_get_bool(yyjson_obj_get((yyjson_val *)v, "can_write"));
	snprintf(c->collection, sizeof(c->collection), "%s", url);
	return OK;
}

static bool is_wanted(const yyjson_val *v, struct span wanted)
{
	return span_equal(remote_text(v, "id"), wanted) || span_equal(remote_text(v, "alias"), wanted) ||
	       span_equal(remote_text(v, "title"), wanted);
}

static enum err choose(struct conversation *c, const yyjson_val *list)
{
	struct span wanted = c->remote->collection;
	yyjson_val *all = yyjson_obj_get((yyjson_val *)list, "collections"), *v, *found = NULL;
	char url[URL_TEXT];
	size_t i, n;

	yyjson_arr_foreach(all, i, n, v) if (wanted.len > 0 ? is_wanted(v, wanted) : n == 1) found = v;
	if (found == NULL && wanted.len > 0)
		return fail(ERR_NOT_FOUND, "%s has no collection %.*s", c->root, SPAN_FORMAT(wanted));
	if (found == NULL)
		return fail(ERR_USAGE, "%s has %zu collections; say which one with --collection", c->root,
			    yyjson_arr_size(all));
	if (snprintf(url, sizeof(url), "%scollections/%.*s/", c->root, SPAN_FORMAT(remote_text(found, "id"))) >=
	    (int)sizeof(url))
		return fail(ERR_PEER, "%s: an id that is too long", c->root);
	return take_collection(c, url, found);
}

static enum err at_root(struct conversation *c, const yyjson_val *root)
{
	yyjson_val *most = yyjson_obj_get((yyjson_val *)root, "max_content_length");
	const yyjson_val *list;
	struct door_answer answer;
	char url[URL_TEXT];
	enum err e;

	if (yyjson_is_uint(most) && yyjson_get_uint(most) > 0)
		c->most_bytes = yyjson_get_uint(most);
	if (c->collection[0] != '\0')
		return OK;
	if ((e = remote_url(url, c->root, "collections/", NULL, 0)) == OK)
		e = remote_get(c, url, &answer, &list);
	return e == OK ? choose(c, list) : e;
}

static enum err get_root(struct conversation *c)
{
	const yyjson_val *root;
	struct door_answer answer;
	enum err e = remote_get(c, c->root, &answer, &root);

	return e == OK ? at_root(c, root) : e;
}

static enum err at_discovery(struct conversation *c, const char *url, const yyjson_val *discovery)
{
	struct span root = remote_text(discovery, "default");
	yyjson_val *roots = yyjson_obj_get((yyjson_val *)discovery, "api_roots"), *first = yyjson_arr_get_first(roots);
	enum err e;

	if (root.len == 0 && yyjson_is_str(first))
		root = span_make(yyjson_get_str(first), yyjson_get_len(first));
	if (root.len == 0)
		return fail(ERR_NOT_FOUND, "%s names no API root", url);
	e = resolve(url, root, c->root);
	return e == OK ? get_root(c) : e;
}

/* The API root of a collection's own address, for what it says of itself. It may be closed to us: then we guess. */
static void find_root(struct conversation *c)
{
	const char *at = strstr(c->collection, "/collections/");

	if (at == NULL)
		return;
	snprintf(c->root, sizeof(c->root), "%.*s", (int)(at + 1 - c->collection), c->collection);
	if (get_root(c) != OK)
		err_clear();
}

/* What stands at an address tells itself by its members. */
static enum err find(struct conversation *c, const char *url)
{
	const yyjson_val *v;
	struct door_answer answer;
	enum err e = remote_get(c, url, &answer, &v);

	if (e != OK)
		return e;
	if (yyjson_obj_get((yyjson_val *)v, "can_read") != NULL) {
		take_collection(c, url, v);
		find_root(c);
		return OK;
	}
	if (yyjson_obj_get((yyjson_val *)v, "versions") != NULL) {
		snprintf(c->root, sizeof(c->root), "%s", url);
		return at_root(c, v);
	}
	if (yyjson_obj_get((yyjson_val *)v, "api_roots") != NULL || yyjson_obj_get((yyjson_val *)v, "title") != NULL)
		return at_discovery(c, url, v);
	return fail(ERR_PEER, "%s: neither a collection, an API root nor a discovery", url);
}

static enum err find_from(struct conversation *c)
{
	struct span authority, rest, url = c->remote->url;
	char text[URL_TEXT], discovery[URL_TEXT];
	enum err e;

	if (url.len == 0 || url.len > URL_TEXT - 16)
		return fail(ERR_REFUSED_URL, "the address is empty or too long");
	snprintf(text, sizeof(text), "%.*s%s", SPAN_FORMAT(url), span_ends(url, "/") ? "" : "/");
	cut_url(text, &authority, &rest);
	if (!span_is(rest, "/"))
		return find(c, text);
	/* A bare host: the discovery stands at a fixed place (TAXII 2.1, 4.1). */
	e = remote_url(discovery, text, "taxii2/", NULL, 0);
	return e == OK ? find(c, discovery) : e;
}

/* Where one gets to is remembered under the direction, the address, and the collection here. */
static void name_cursor(struct conversation *c, const char *direction, const struct collection_id *local)
{
	struct buffer b = BUFFER(2 * URL_TEXT);

	buffer_print(&b, "%s\n%s\n", direction, c->collection);
	buffer_bytes(&b, local->bytes, UUID_SIZE);
	c->of = hash_bytes(b.at, b.len);
	buffer_free(&b);
}

enum err remote_open(const struct remote *r, const char *direction, const struct collection_id *local,
		     struct conversation *out)
{
	enum err e;

	*out = (struct conversation){ .remote = r, .most_bytes = MOST_BYTES_GUESS };
	if ((out->arena = arena_new(ANSWER_ARENA_MAX)) == NULL)
		return ERR_NO_MEMORY;
	e = door_open(r->limits, r->certificate.len > 0 ? r->certificate.at : NULL, r->key.len > 0 ? r->key.at : NULL,
		      &out->door);
	if (e == OK)
		e = authorize(out);
	if (e == OK)
		e = find_from(out);
	if (e == OK)
		name_cursor(out, direction, local);
	return e;
}

void remote_close(struct conversation *c)
{
	door_close(c->door);
	if (c->authorization != NULL)
		explicit_bzero(c->authorization, strlen(c->authorization));
	free(c->authorization);
	if (c->arena != NULL)
		arena_free(c->arena);
	*c = (struct conversation){ 0 };
}
