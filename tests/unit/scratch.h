/* A folder of its own for a test, and files in it. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"

struct scratch {
	char dir[64];
	struct arena *arena;
};

static inline int scratch_setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->arena = arena_new((size_t)1 << 28)) == NULL)
		return -1;
	snprintf(s->dir, sizeof(s->dir), "/tmp/comity-test-XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		return -1;
	*state = s;
	return 0;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static inline int scratch_teardown(void **state)
{
	struct scratch *s = *state;
	int result = nftw(s->dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);

	arena_free(s->arena);
	free(s);
	return result;
}

/* "/tmp/comity-test-…/name", in the arena. */
static inline const char *scratch_path(struct scratch *s, const char *name)
{
	return arena_print(s->arena, "%s/%s", s->dir, name);
}

static inline struct span scratch_read(struct scratch *s, const char *name)
{
	struct span content = { NULL, 0 };

	return file_read(s->arena, scratch_path(s, name), (size_t)1 << 26, &content) == OK ? content
											   : (struct span){ NULL, 0 };
}

static inline enum err scratch_write(struct scratch *s, const char *name, struct span content)
{
	return file_write_lazily(scratch_path(s, name), content, 0600);
}

static inline bool scratch_has(struct scratch *s, const char *name)
{
	return file_exists(scratch_path(s, name));
}

#endif
