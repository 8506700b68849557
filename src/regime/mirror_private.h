/* What the files of the mirror share. Only for this room. */
#ifndef REGIME_MIRROR_PRIVATE_H
#define REGIME_MIRROR_PRIVATE_H

#include <pthread.h>

#include "ledger/checkpoint.h"
#include "regime/mirror.h"

#define MIRROR_ARENA_MAX ((size_t)64 << 20)
#define MIRROR_NAME_MAX 256

struct mirror {
	struct mirror *next; /* of those that are open in this process */
	unsigned users;
	bool write;
	int lock; /* of who folds; -1: for reading only */
	char *dir;
	char name[MIRROR_NAME_MAX];
	struct span node;
	struct views *views;
	pthread_mutex_t folding;
};

/* How far it was folded: in the view OWN under "mirror". */
struct mirror_heads {
	uint64_t next[LEDGER_COUNT];
	int64_t logged_ms[LEDGER_COUNT]; /* of the last entry of each */
	bool anew;			 /* not all of what was there before is there again */
};
enum err mirror_heads_get(struct snapshot *s, struct mirror_heads *out);
enum err mirror_heads_put(struct snapshot *s, const struct mirror_heads *h);

/* "dir/name", or with more words behind it; in the arena. */
const char *mirror_path(struct arena *a, const char *dir, const char *name);
/* The checkpoint of a mirrored ledger, which was verified when it was written. ERR_NOT_FOUND: it was never mirrored. */
enum err mirror_checkpoint(const char *dir, struct arena *a, enum ledger_id l, struct checkpoint *out,
			   struct span *note);
bool mirror_is_together(const char *dir, struct arena *a, const uint64_t size[LEDGER_COUNT]);

#endif
