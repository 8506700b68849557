/* Views: tables and indexes made from the journal, in LMDB. They carry the journal position that they reflect; behind,
 * they are caught up; damaged or after a power cut, they are thrown away and made anew. So commits do not sync.
 * Keys are at most 511 bytes and sort as bytes. One writer; each reader has a snapshot and never waits.
 * A process opens a folder at most once (LMDB's locks allow no more), and not over a fork. */
#ifndef STORE_VIEWS_H
#define STORE_VIEWS_H

#include "base/hash.h"
#include "base/span.h"

/* The tables. STATE is the fold and must come out the same on every node; the others are this node's own. A table more or
 * less, or another meaning of one, is another VIEWS_MAKE. */
enum view {
	VIEW_STATE,
	VIEW_ENTRIES,
	VIEW_BODIES,
	VIEW_OWN,
	VIEW_SIGHTINGS,
	VIEW_FEEDS,
	VIEW_OBJECTS,
	VIEW_OBJECT_KEYS,
	VIEW_COUNT
};
#define VIEWS_MAKE 7
const char *view_name(enum view t); /* "sightings" */

struct views;
struct snapshot; /* a transaction: read-only, or the one writer's */

/* ERR_DAMAGED: throw the folder away with views_destroy and rebuild. A folder left by another boot of the machine
 * without a clean close counts as damaged, and so do views of another make. */
enum err views_open(const char *dir, bool writer, struct views **out);
void views_close(struct views *v); /* a writer syncs and leaves a mark of the clean close */
/* Instead, for a writer beside which another has them open: that one's close is the clean one. */
void views_leave(struct views *v);
enum err views_destroy(const char *dir);

/* Any thread; costs half a microsecond, so nobody need keep one. At most so many at once, of all processes: ERR_BUSY. */
#define VIEWS_READERS 512
enum err views_read(struct views *v, struct snapshot **out);
enum err views_write(struct views *v, struct snapshot **out);
enum err snapshot_commit(struct snapshot *s); /* ends it */
void snapshot_end(struct snapshot *s);	      /* reading: ends; writing: undoes. NULL is fine */

/* A number for whoever has it, which ends with it: what holds for what this transaction shows and no other. 0 at first. */
int64_t *snapshot_note(struct snapshot *s);

/* The value points into the snapshot and ends with it or with the next write. ERR_NOT_FOUND. */
enum err view_get(struct snapshot *s, enum view t, struct span key, struct span *value);
enum err view_put(struct snapshot *s, enum view t, struct span key, struct span value);
enum err view_delete(struct snapshot *s, enum view t, struct span key); /* ERR_NOT_FOUND */

/* Walks the keys that start with prefix (all for an empty one) in order, from the first at or after `from` (empty: the
 * beginning). The callback must not write. */
typedef enum err view_each(void *context, struct span key, struct span value);
enum err view_walk(struct snapshot *s, enum view t, struct span prefix, struct span from, view_each *each,
		   void *context);

/* For many keys one behind the other: what is asked for in the order of keys is found faster than by view_get and
 * view_put. A writer's ends before anything else writes to its table, and before the snapshot. */
struct view_cursor;
enum err view_cursor_open(struct snapshot *s, enum view t, struct view_cursor **out);
enum err view_cursor_get(struct view_cursor *c, struct span key, struct span *value); /* ERR_NOT_FOUND */
/* The first key at or after this one, and the one behind it. ERR_NOT_FOUND: no more. Both point into the snapshot. */
enum err view_cursor_seek(struct view_cursor *c, struct span from, struct span *key, struct span *value);
enum err view_cursor_next(struct view_cursor *c, struct span *key, struct span *value);
/* The last key before this one. ERR_NOT_FOUND: none. */
enum err view_cursor_before(struct view_cursor *c, struct span end, struct span *key, struct span *value);
/* Puts what is not there yet. ERR_EXISTS, without detail: it is, nothing has changed, and *old is its value. */
enum err view_cursor_add(struct view_cursor *c, struct span key, struct span value, struct span *old);
/* Another value for the key that the last call found. */
enum err view_cursor_replace(struct view_cursor *c, struct span key, struct span value);
/* Takes away what the last call found. */
enum err view_cursor_delete(struct view_cursor *c);
void view_cursor_close(struct view_cursor *c); /* NULL is fine */

/* SHA-256 over every table's keys and values in order: the same for the same content. */
enum err views_digest(struct snapshot *s, struct hash *out);

uint64_t views_position(struct snapshot *s);
enum err views_set_position(struct snapshot *s, uint64_t position);

#endif
