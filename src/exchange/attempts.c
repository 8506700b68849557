#include "exchange/attempts.h"

#include <pthread.h>
#include <stdlib.h>

/* A bucket that fills by one for each failure and runs out with time: `until` is when it will be empty. One number says all,
 * and the one that is empty soonest is the one to forget. */
#define SETS 1024
#define WAYS 4

struct attempts {
	pthread_mutex_t lock;
	struct bucket {
		struct hash who;
		int64_t until_ms;
	} sets[SETS][WAYS];
};

enum err attempts_new(struct attempts **out)
{
	struct attempts *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&a->lock, NULL);
	*out = a;
	return OK;
}

void attempts_free(struct attempts *a)
{
	if (a == NULL)
		return;
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* Its bucket, or the one that it would take. */
static struct bucket *find(struct attempts *a, struct hash who)
{
	struct bucket *set = a->sets[((size_t)who.bytes[0] << 8 | who.bytes[1]) % SETS], *least = set;

	for (int i = 0; i < WAYS; i++) {
		if (hash_equal(set[i].who, who))
			return &set[i];
		if (set[i].until_ms < least->until_ms)
			least = &set[i];
	}
	return least;
}

bool attempts_left(struct attempts *a, struct hash who, int64_t now_ms)
{
	const struct bucket *b;
	bool left;

	pthread_mutex_lock(&a->lock);
	b = find(a, who);
	left = !hash_equal(b->who, who) || b->until_ms <= now_ms + (ATTEMPTS_MOST - 1) * (int64_t)ATTEMPTS_EACH_MS;
	pthread_mutex_unlock(&a->lock);
	return left;
}

void attempts_failed(struct attempts *a, struct hash who, int64_t now_ms)
{
	struct bucket *b;

	pthread_mutex_lock(&a->lock);
	b = find(a, who);
	if (!hash_equal(b->who, who) || b->until_ms < now_ms)
		*b = (struct bucket){ who, now_ms };
	if (b->until_ms < now_ms + ATTEMPTS_MOST * (int64_t)ATTEMPTS_EACH_MS)
		b->until_ms += ATTEMPTS_EACH_MS;
	pthread_mutex_unlock(&a->lock);
}
