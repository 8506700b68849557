/* TAXII 2.1 server: what its files share. Only for this room.
 *
 *	taxii_filters.c		the query: filters, limit, next
 *	taxii_cursor.c		what `next` holds
 *	taxii_media.c		Accept and Content-Type
 *	taxii_collections.c	which collections there are for a caller, and the resources
 *	taxii_page.c		envelopes, manifests, lists of versions
 *	taxii_statements.c	the collections that are made from the ledgers
 *	taxii_read.c, taxii_add.c	the doors of a collection
 *	taxii.c			the other doors and the table of them
 *
 * Section numbers are those of the TAXII 2.1 standard. */
#ifndef EXCHANGE_TAXII_H
#define EXCHANGE_TAXII_H

#include "base/json.h"
#include "net/query.h"
#include "exchange/readership.h"
#include "exchange/server.h"

#define TAXII_MEDIA "application/taxii+json;version=2.1"
#define TAXII_DISCOVERY "/taxii2/"
#define TAXII_ROOT "/taxii2/comity/"
#define TAXII_COLLECTIONS TAXII_ROOT "collections/"

/* "2026-11-22T20:45:00.123456Z" (2): microseconds, always six digits. */
#define TAXII_TIME 28
void taxii_time(uint64_t micros, char out[TAXII_TIME]);
/* Lenient: no to nine digits of a second; what is finer than ours is cut. Before 1970 is 1970. ERR_TIME. */
enum err taxii_time_parse(struct span text, uint64_t *micros);

/* --- the query (3.4) --- */

enum { FILTER_AFTER = 1, FILTER_ID = 2, FILTER_TYPE = 4, FILTER_VERSION = 8, FILTER_SPEC = 16, FILTER_PAGES = 32 };

struct taxii_filters {
	unsigned given;		   /* FILTER_*: which are there */
	struct object_query which; /* collection and level are left to the door */
	uint64_t after;		   /* added_after as it was given; which.after goes on from page to page */
	bool nothing;		   /* match[spec_version] names none that we know: nothing fits */
	uint64_t limit;		   /* 0: none was given */
	struct span next;	   /* empty: none */
};

/* Longest text of the filters of one request, so that a cursor which holds it fits into a URL. */
#define TAXII_FILTERS_MAX 8192

/* Of the fields in `known`; with FILTER_PAGES also limit and next. Others are ignored (3.4). ERR_USAGE with the field's name:
 * it stands there twice, or its value is none. */
enum err taxii_filters_read(struct arena *a, const struct query *q, unsigned known, struct taxii_filters *out);
/* As a query, one spelling for one meaning: of those that are given and in `which`. */
void taxii_filters_print(const struct taxii_filters *f, unsigned which, struct buffer *out);

/* --- next (3.5) --- */

struct taxii_cursor {
	uint64_t position;   /* the stamp of the last that was given out */
	struct span filters; /* as taxii_filters_print wrote them */
};
/* scope: what is walked, the collection's id and the object's. Appends base64url text. */
void taxii_cursor_write(const uint8_t secret[32], struct span scope, const struct taxii_cursor *c, struct buffer *out);
/* ERR_USAGE: not one that this node gave for this scope. */
enum err taxii_cursor_read(struct arena *a, const uint8_t secret[32], struct span scope, struct span text,
			   struct taxii_cursor *out);

/* The whole query of a request, `next` looked into: what stands beside it must not contradict it, what does not is taken
 * from it. out->which.after is where to go on. *text: the filters, for the next cursor. ERR_USAGE. */
enum err taxii_query(struct arena *a, const uint8_t secret[32], struct span scope, struct span query, unsigned known,
		     struct taxii_filters *out, struct span *text);

/* --- media types (1.6.8, 3.1) --- */

/* False only if all that Accept names are other versions of TAXII or STIX. */
bool taxii_accepts(const struct http_request *r);
bool taxii_content(const struct http_request *r);
bool taxii_accept_text(struct span value); /* the same for the header's value */
bool taxii_content_text(struct span value);

/* --- collections (5.1) --- */

enum taxii_source { SOURCE_STORED, SOURCE_NOTICES, SOURCE_PARTIES, SOURCE_PLANS, SOURCE_STATEMENTS };

struct taxii_collection {
	enum taxii_source source;
	struct collection_id id;
	struct span alias, title, description;
	const struct collection_rule *rule; /* NULL: made from the ledgers */
	struct reach reach;
};
/* All that the caller may read or write, by id. NULL: no memory. */
struct taxii_collection *taxii_collections(const struct server *s, const struct caller *c, struct arena *a,
					   size_t *count);
/* By id or alias. False: none that the caller may read or write. */
bool taxii_collection_find(const struct server *s, const struct caller *c, struct span name,
			   struct taxii_collection *out);
void taxii_collection_print(const struct taxii_collection *c, struct json *j);

/* --- a request at a collection --- */

struct taxii_door {
	const struct server *server;
	struct http_request *r;
	struct http_answer *out;
	const struct caller *caller;
	struct taxii_collection collection;
};

/* NEED_FLOOR: about what was taken back, which agreements never suspend. */
enum { NEED_READ = 1, NEED_WRITE = 2, NEED_FLOOR = 4 };
/* Whether the request may go on. False: it is answered. At the root by media types alone; at a collection also by the
 * caller's rights. */
bool taxii_enter_root(struct taxii_door *d, void *context, struct http_request *r, struct http_answer *out);
bool taxii_enter(struct taxii_door *d, void *context, struct http_request *r, struct http_answer *out, unsigned need);
/* Answers with this error (server_fail). Gives false. */
bool taxii_refuse(const struct taxii_door *d, enum err e);
/* The buffer becomes the answer's. */
enum err taxii_answer(struct http_answer *out, unsigned status, struct buffer *body);

/* --- pages --- */

struct taxii_row {
	struct span id, version, text; /* version empty: unversioned */
	uint64_t stamp;
	enum stix_spec spec;
};
struct taxii_page {
	struct arena *arena;
	struct taxii_row *rows;
	size_t count, room, most;
	uint64_t bytes;
	uint64_t reached; /* where the next page goes on: the last row's stamp, or how far was looked */
	bool more;
};
#define TAXII_PAGE_FULL ERR_EXISTS /* ends a walk; never leaves this room */
void taxii_page_begin(struct taxii_page *p, struct arena *a, uint64_t limit, uint64_t most, uint64_t after);
/* Takes the row, or ends the walk: TAXII_PAGE_FULL. What the spans point to stays until the page is written. */
enum err taxii_page_add(struct taxii_page *p, const struct taxii_row *row);

enum taxii_form { FORM_OBJECTS, FORM_MANIFEST, FORM_VERSIONS };
/* The whole resource. next: empty if there is no more. */
void taxii_page_write(const struct taxii_page *p, enum taxii_form form, struct span next, struct buffer *out);
/* X-TAXII-Date-Added-First and -Last (3.2): of the rows, or if there are none what the client has already. */
enum err taxii_page_headers(const struct taxii_page *p, uint64_t empty, struct arena *a, struct http_answer *out);

/* --- collections that are made from the ledgers --- */

/* Adds what fits. Looks at so many entries at most, then the page says where to go on. texts: the objects too, not only their
 * ids and versions. */
enum err taxii_statements_walk(const struct taxii_door *d, const struct state *st, const struct taxii_filters *f,
			       bool texts, struct taxii_page *p);

/* The doors, one file each. */
http_handler taxii_get_objects, taxii_get_manifest, taxii_get_object, taxii_get_versions, taxii_get_deletions;
http_handler taxii_add_objects, taxii_get_status, taxii_delete_object;

#endif
