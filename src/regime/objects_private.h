/* The bytes of the views OBJECTS and OBJECT_KEYS, and the index in the record of a share's body. Only for this room.
 *
 * All keys but '#' begin with their lane: 16 collection, u8 tlp. A reader walks the lanes up to its level.
 *
 *	view		key behind the lane		value
 *	OBJECTS		o u64 stamp			row (row_write below)
 *	OBJECTS		d u64 stamp			deletion: u16 id, u8 version, then these, the rest is the version's text
 *	OBJECT_KEYS	i id 00 u8 spec version		u64 stamp, u8 hidden
 *	OBJECT_KEYS	t type 00 u64 stamp		nothing
 *	OBJECT_KEYS	x id 00 version			a version that was deleted: u64 stamp of its deletion
 *	OBJECT_KEYS	#				u64 rows, u64 deletions
 *
 * version: the digits of its instant, nothing if it has none. What a row says about other rows follows from the rows that
 * are there, not from the order in which they came: so views from which an erased body was taken are those of a rebuild.
 *
 *	superseded	the least level above the row's lane that sees a newer version; 255: none; 0: its own lane does.
 *	hidden		a laxer lane has the same id and version: readers get that one. */
#ifndef REGIME_OBJECTS_PRIVATE_H
#define REGIME_OBJECTS_PRIVATE_H

#include "base/buffer.h"
#include "base/reader.h"
#include "regime/node_private.h"
#include "regime/objects.h"

#define SPEC_COUNT 2
#define SPECS_ALL ((1u << SPEC_COUNT) - 1)
#define OBJECT_KEY_MAX 400 /* lane, letter, id, two bytes, version */
#define NEVER_SUPERSEDED 255

enum object_letter {
	ROW_OBJECT = 'o',
	ROW_DELETION = 'd',
	KEY_ID = 'i',
	KEY_TYPE = 't',
	KEY_GONE = 'x',
};

struct object_key {
	uint8_t bytes[OBJECT_KEY_MAX];
	size_t len;
};
static inline struct span object_key_view(const struct object_key *k)
{
	return span_make(k->bytes, k->len);
}
struct object_key key_lane(const struct collection_id *c, enum tlp lane, enum object_letter letter);
struct object_key key_stamp(const struct collection_id *c, enum tlp lane, enum object_letter letter, uint64_t stamp);
/* What all keys of an id, a type or a deleted id in this lane begin with. */
struct object_key key_named(const struct collection_id *c, enum tlp lane, enum object_letter letter, struct span name);
struct object_key key_version(const struct collection_id *c, enum tlp lane, struct span id, enum stix_spec spec,
			      struct span version);
struct object_key key_gone(const struct collection_id *c, enum tlp lane, struct span id, struct span version);
struct object_key key_typed(const struct collection_id *c, enum tlp lane, struct span type, uint64_t stamp);
bool span_begins(struct span s, struct span with);

static inline struct span instant_view(const struct instant *i)
{
	return span_make(i->digits, i->length);
}
/* What an unversioned object has for a version. */
struct instant instant_of_stamp(uint64_t stamp);

/* One object of an index. Spans point into it. */
struct object_item {
	enum tlp tlp;
	bool unseen; /* where it would stand is one already that its sharer may not see: it has no row */
	enum stix_spec spec;
	struct span id, type, version, version_text;
	struct hash digest; /* from here on only where something was added */
	struct span text;
};

/* u8 action, 16 collection, 32 share, u32 count, then for each: u8 tlp (and ITEM_UNSEEN), u8 spec, u16 id, u8 type, u8 version,
 * u32 version text; if added 32 digest, u32 text's place in the payload, u32 its length; then the texts of the first three
 * (the type is the beginning of the id). */
enum share_action { SHARE_ADD = 'a', SHARE_DELETE = 'd' };
struct object_index {
	enum share_action action;
	struct collection_id collection;
	struct hash share;
	uint32_t count, read;
	struct reader rest;
	struct span payload;
};
#define ITEM_UNSEEN 0x80
#define INDEX_SHARE_AT (1 + UUID_SIZE) /* of the share in its bytes */
void index_begin(struct buffer *b, enum share_action action, const struct collection_id *c, size_t count);
void index_add(struct buffer *b, enum share_action action, const struct object_item *item, size_t text_at);
enum err index_open(const struct body_record *body, struct object_index *out); /* ERR_DAMAGED */
enum err index_next(struct object_index *x, struct object_item *out);	       /* ERR_DAMAGED */

/* A row as it is stored. */
struct stored_row {
	uint8_t superseded;
	bool hidden;
	enum stix_spec spec;
	struct span id, type, version, version_text, text;
	struct hash digest, share;
};
#define ROW_SUPERSEDED_AT 0
#define ROW_HIDDEN_AT 1
void row_write(struct buffer *b, const struct object_item *item, const struct hash *share);
enum err row_read(struct span value, struct stored_row *out);

void deletion_write(struct buffer *b, const struct object_item *item);
enum err deletion_read(struct span value, struct object_deleted *out);

/* The keys of ids, of one collection. */
struct object_keys {
	struct collection_id collection;
	struct view_cursor *cursor;
	bool used[TLP_COUNT], gone[TLP_COUNT]; /* lanes that have any object, any deleted version */
};
enum err keys_open(struct object_keys *k, struct snapshot *s, const struct collection_id *c);
void keys_close(struct object_keys *k);
struct key_found {
	bool there, hidden;
	enum tlp lane;
	enum stix_spec spec;
	uint64_t stamp;
	struct instant version;
};
/* Whether the lane has the id at all. */
enum err keys_known(struct object_keys *k, enum tlp lane, struct span id, bool *yes);
/* This version in this lane, of any spec. found.there says whether. */
enum err keys_exact(struct object_keys *k, enum tlp lane, struct span id, struct span version, struct key_found *out);
enum err keys_gone(struct object_keys *k, enum tlp lane, struct span id, struct span version, bool *yes,
		   uint64_t *stamp);
/* The newest of the id in one lane, among these specs; visible: no hidden ones. */
enum err keys_newest(struct object_keys *k, enum tlp lane, struct span id, unsigned specs, bool visible,
		     struct key_found *out);
enum err keys_oldest(struct object_keys *k, enum tlp lane, struct span id, unsigned specs, bool visible,
		     struct key_found *out);
/* All of them in one lane. */
typedef enum err key_each(void *context, const struct key_found *found);
enum err keys_each(struct object_keys *k, enum tlp lane, struct span id, unsigned specs, key_each *each, void *context);

/* Takes a share's body into the views. Its entry is the last that has a stamp. ERR_DAMAGED. */
enum err objects_fold(struct state *st, const struct heads *h, const struct body_record *body);
/* Takes out of the views what came with this body, as if it had been erased before. */
enum err objects_forget(struct snapshot *s, struct arena *a, const struct body_record *body);

/* Adds those of one id that a query picks, as its versions, specs and level say; each once, in the order of stamps. */
struct picked {
	struct key_found *at; /* freed by the caller */
	size_t count, room;
};
enum err objects_pick(struct object_keys *k, const struct object_query *q, struct span id, struct picked *p);
enum err picked_add(struct picked *p, const struct key_found *f);
/* In the order of stamps, each once. */
void objects_picked_sort(struct picked *p);
/* An id or type that somebody asks for; others are never there. */
static inline bool name_possible(struct span name)
{
	return name.len > 0 && name.len <= STIX_ID_MAX && memchr(name.at, 0, name.len) == NULL;
}

enum err objects_damaged(const char *what);

#endif
