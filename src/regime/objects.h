/* Shared intelligence: STIX objects that came with `share` statements, as readers ask for them. One share is one statement
 * in the circle's ledger (`share`, `collection <uuid>`, `action add` or `delete`, `tlp <strictest>`); its sealed body holds the
 * objects' text as it came, and beside it in the same record an index of them, from which the views OBJECTS (rows in the order
 * of stamps) and OBJECT_KEYS (by id and version) are folded. When the body is erased, so are its objects.
 *
 * Visibility is built into the keys: a row stands in the lane of its TLP, and a reader walks the lanes up to its own level
 * and no others. So what is hidden costs nothing, changes no answer, and no time. "Latest" is judged for each level. */
#ifndef REGIME_OBJECTS_H
#define REGIME_OBJECTS_H

#include "regime/node.h"
#include "stix/object.h"

#define UUID_SIZE 16
struct collection_id {
	uint8_t bytes[UUID_SIZE];
};

/* What a reader gets of one. Spans point into the snapshot. */
struct object_row {
	uint64_t stamp; /* microseconds since 1970: date_added */
	struct span id, type, text;
	struct span
		version_text; /* `modified`, else `created`, as written; empty: unversioned, its stamp is its version */
	struct instant version;
	enum stix_spec spec;
	enum tlp tlp;
	struct hash digest;
	struct hash share; /* the statement that it came with */
	bool latest;	   /* of those that this reader may see */
};

enum object_versions { VERSIONS_LAST, VERSIONS_FIRST, VERSIONS_ALL, VERSIONS_LISTED };

/* Filters (TAXII 2.1, 3.4). Counts of 0: no such filter. */
struct object_query {
	struct collection_id collection;
	enum tlp level; /* the strictest that the reader may see */
	uint64_t after; /* stamps greater than this */
	const struct span *ids, *types;
	size_t id_count, type_count;
	bool last, first, all; /* match[version]; none of them and nothing listed: last */
	const struct instant *versions;
	size_t version_count;
	unsigned specs; /* bit set of stix_spec; 0: the latest that the server has of each object */
};

/* In the order of stamps. The callback ends the walk by another result than OK (that is then returned). Cost follows what is
 * given out: by id through the keys, by type through an index of its own, else along the rows. */
typedef enum err object_each(void *context, const struct object_row *row);
enum err objects_walk(struct snapshot *s, const struct object_query *q, object_each *each, void *context);

/* Whether the id was ever there for this level, and whether all of it was deleted. ERR_NOT_FOUND: never, as far as this level sees. */
enum err objects_known(struct snapshot *s, const struct collection_id *c, enum tlp level, struct span id,
		       bool *deleted);

/* Whether this version was deleted here, as far as this level sees, and is not there again. */
enum err objects_version_deleted(struct snapshot *s, const struct collection_id *c, enum tlp level, struct span id,
				 const struct instant *version, bool *deleted);

/* Deletions, in the order of stamps. version length 0: of an unversioned object. */
struct object_deleted {
	uint64_t stamp;
	struct span id;
	struct instant version;
	struct span version_text;
};
typedef enum err deletion_each(void *context, const struct object_deleted *d);
enum err objects_deleted(struct snapshot *s, const struct collection_id *c, enum tlp level, uint64_t after,
			 deletion_each *each, void *context);

/* What became of each object of a share. */
enum object_fate {
	OBJECT_ADDED,
	OBJECT_REPEATED, /* the same version with the same digest is there: nothing to do, no error */
	OBJECT_CONFLICT, /* the same version says something else: the first is kept */
	OBJECT_DELETED,	 /* that version was deleted here: it does not come back */
	OBJECT_UNSEEN, /* one of the former three, by what the sharer may not see: logged as if it were added, but it has
			  * no row. Who shared must not be told it from OBJECT_ADDED */
};
struct object_result {
	enum object_fate fate;
	uint64_t stamp;	    /* of the row, new or old */
	struct hash digest; /* of the one that is kept */
};

/* On the thread that writes, in an open batch: logs one share of what is new and keeps it. Objects that are refused, repeated
 * or in conflict are left out; if nothing is new, nothing is logged (appended->id is all 0). level: what the sharer may see
 * of the collection; what it may not see it does not collide with. Only in its objects' own lanes nothing stands twice:
 * OBJECT_UNSEEN. from: the party that shares; the node itself, or for it (`for`, `via taxii`). results: one for each. */
#define OBJECTS_MAX 250000 /* of one share: ERR_TOO_LONG */
struct share {
	struct collection_id collection;
	struct span for_party; /* empty: the node's own */
	enum tlp level;
	const struct stix_object *objects; /* tlp and marked are final: the caller resolved markings and defaults */
	size_t count;
};
enum err objects_share(struct node *n, const struct share *s, struct object_result *results, struct appended *out);

/* The same for removing: all versions of an id (versions NULL), or those listed. count: how many rows went. ERR_NOT_FOUND:
 * nothing that this level sees. */
struct removal {
	struct collection_id collection;
	struct span for_party;
	enum tlp level;
	struct span id;
	const struct object_query *which; /* versions and specs of it; NULL: all */
};
enum err objects_remove(struct node *n, const struct removal *r, uint64_t *count, struct appended *out);

/* A marking-definition's kind, for objects that refer to it: whether it is a statement marking (restricts nothing).
 * ERR_NOT_FOUND: none that this level sees. */
enum err objects_marking(struct snapshot *s, const struct collection_id *c, enum tlp level, struct span id,
			 bool *restricts);

/* How many rows; what the audit prints. */
enum err objects_count(struct snapshot *s, uint64_t *rows, uint64_t *deleted);

#endif
