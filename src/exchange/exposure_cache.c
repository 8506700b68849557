#include "exchange/exposure_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "territory/known_claims.h"

#define AGE_US INT64_C(60000000)
#define ARENA ((size_t)1 << 28)

struct exposure_cache {
	char path[4096]; /* of the table */
	const char *dir;
	pthread_mutex_t lock;

	/* under the lock */
	struct exposures *all; /* NULL: not counted yet */
	struct stat file;
	int64_t counted_us;
};

enum err exposure_cache_new(const char *dir, struct exposure_cache **out)
{
	struct exposure_cache *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return ERR_NO_MEMORY;
	x->dir = dir;
	if (snprintf(x->path, sizeof(x->path), "%s/territory.table", dir) >= (int)sizeof(x->path) ||
	    pthread_mutex_init(&x->lock, NULL) != 0) {
		free(x);
		return fail(ERR_NO_MEMORY, "no room for a path");
	}
	*out = x;
	return OK;
}

static enum err count_anew(struct exposure_cache *x, const struct state *st)
{
	struct arena *a = arena_new(ARENA);
	struct territory_claim *claims;
	struct resolver *r = NULL;
	struct exposures *all = NULL;
	struct table *t = NULL;
	size_t count = 0;
	enum err e =
		a == NULL ? ERR_NO_MEMORY : claims_known(x->dir, st, clock_now_ms(), a, NULL, NULL, &claims, &count);

	if (e == OK)
		e = table_open(x->path, &t);
	if (e == OK)
		e = resolver_new(t, claims, count, &r);
	if (e == OK)
		e = exposures_new(r, x->path, &all);
	if (e == OK) {
		exposures_free(x->all);
		x->all = all;
		x->counted_us = clock_monotonic_us();
	}
	resolver_free(r);
	table_close(t);
	arena_free(a);
	return e;
}

static bool is_fresh(const struct exposure_cache *x, const struct stat *file)
{
	return x->all != NULL && clock_monotonic_us() - x->counted_us < AGE_US && file->st_ino == x->file.st_ino &&
	       file->st_dev == x->file.st_dev && file->st_size == x->file.st_size &&
	       file->st_mtim.tv_sec == x->file.st_mtim.tv_sec && file->st_mtim.tv_nsec == x->file.st_mtim.tv_nsec;
}

static enum err find(struct exposure_cache *x, struct arena *a, const struct addressee *party, struct exposure *out,
		     bool *known)
{
	const char *copy;

	if (!exposures_find(x->all, party, out))
		return OK;
	copy = arena_copy(a, out->table.at, out->table.len);
	out->table = span_make(copy, out->table.len);
	*known = true;
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

enum err exposure_cache_find(struct exposure_cache *x, const struct state *st, struct arena *a,
			     const struct addressee *party, struct exposure *out, bool *known)
{
	struct stat file;
	enum err e = OK;

	*known = false;
	if (stat(x->path, &file) != 0)
		return OK;
	pthread_mutex_lock(&x->lock);
	if (!is_fresh(x, &file)) {
		e = count_anew(x, st);
		x->file = file;
	}
	if (e == OK)
		e = find(x, a, party, out, known);
	pthread_mutex_unlock(&x->lock);
	return e;
}

void exposure_cache_free(struct exposure_cache *x)
{
	if (x == NULL)
		return;
	exposures_free(x->all);
	pthread_mutex_destroy(&x->lock);
	free(x);
}
