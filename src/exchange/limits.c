#include "exchange/limits.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/hash.h"

/*
 * A bucket for each caller
 *
 * A bucket holds units, a request takes COST of them, time fills it again: `per_minute` units in each millisecond, so that no
 * rate is rounded to nothing. Buckets stand in sets of WAYS; the caller's hash says in which. A newcomer to a full set takes the
 * place of the fullest bucket: who is forgotten is who asked for least, and a full bucket that is forgotten is no loss at all,
 * since a newcomer begins with a full one. Many addresses at once can so push out one another but hardly one who is over its limit.
 *
 * Who is under way stands in a table of as many places as the server lets in at once; a place keeps its number until its count
 * is 0 again, and that number is what the caller gives back.
 */

#define SETS 4096
#define WAYS 4
#define COST UINT64_C(60000)
#define PLACES 16384
#define PROBES 32 /* how far a caller's place may be from where it belongs */
#define NOBODY PLACES

struct bucket {
	uint64_t who; /* 0: free */
	uint64_t units;
	int64_t filled_ms;
};

struct place {
	uint64_t who;
	unsigned count; /* 0: free */
};

struct limits {
	pthread_mutex_t mutex;
	uint64_t per_minute;
	unsigned at_once;
	struct bucket sets[SETS][WAYS];
	struct place places[PLACES];
};

enum err limits_new(uint64_t per_minute, unsigned at_once, struct limits **out)
{
	struct limits *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&l->mutex, NULL);
	l->per_minute = per_minute;
	l->at_once = at_once;
	*out = l;
	return OK;
}

void limits_free(struct limits *l)
{
	if (l == NULL)
		return;
	pthread_mutex_destroy(&l->mutex);
	free(l);
}

void limits_set(struct limits *l, uint64_t per_minute)
{
	pthread_mutex_lock(&l->mutex);
	l->per_minute = per_minute;
	pthread_mutex_unlock(&l->mutex);
}

/* Never 0. */
static uint64_t number_of(struct span who)
{
	struct hash h = hash_span(who);
	uint64_t n = 0;

	memcpy(&n, h.bytes, sizeof(n));
	return n != 0 ? n : 1;
}

/* ---- requests a minute ---- */

/* What a bucket holds at most: a sixth of a minute's requests, but ten. */
static uint64_t full(const struct limits *l)
{
	uint64_t most = l->per_minute / 6;

	return (most > 10 ? most : 10) * COST;
}

static void fill(const struct limits *l, struct bucket *b, int64_t now_ms)
{
	uint64_t room, ms = now_ms > b->filled_ms ? (uint64_t)(now_ms - b->filled_ms) : 0;

	b->filled_ms = now_ms;
	if (b->units > full(l))
		b->units = full(l);
	room = full(l) - b->units;
	b->units = ms > room / l->per_minute ? full(l) : b->units + ms * l->per_minute;
}

/* The caller's bucket, filled up to now. */
static struct bucket *bucket_of(struct limits *l, uint64_t who, int64_t now_ms)
{
	struct bucket *set = l->sets[who % SETS], *fullest = NULL;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].who != 0)
			fill(l, &set[i], now_ms);
		if (set[i].who == who)
			return &set[i];
	}
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].who == 0 || fullest == NULL || (fullest->who != 0 && set[i].units > fullest->units))
			fullest = &set[i];
	*fullest = (struct bucket){ .who = who, .units = full(l), .filled_ms = now_ms };
	return fullest;
}

bool limits_take(struct limits *l, struct span who, int64_t now_ms, unsigned *wait_s)
{
	uint64_t number = number_of(who);
	bool may = true;

	pthread_mutex_lock(&l->mutex);
	if (l->per_minute > 0) {
		struct bucket *b = bucket_of(l, number, now_ms);

		may = b->units >= COST;
		if (may)
			b->units -= COST;
		else
			*wait_s = (unsigned)((COST - b->units + 1000 * l->per_minute - 1) / (1000 * l->per_minute));
	}
	pthread_mutex_unlock(&l->mutex);
	return may;
}

/* ---- at once ---- */

bool limits_begin(struct limits *l, struct span who, unsigned *slot)
{
	uint64_t number = number_of(who);
	unsigned mine = NOBODY, free_one = NOBODY;
	bool may;

	pthread_mutex_lock(&l->mutex);
	for (unsigned i = 0; i < PROBES && mine == NOBODY; i++) {
		unsigned at = (unsigned)((number + i) % PLACES);

		if (l->places[at].count == 0)
			free_one = free_one == NOBODY ? at : free_one;
		else if (l->places[at].who == number)
			mine = at;
	}
	if (mine == NOBODY && free_one != NOBODY) {
		mine = free_one;
		l->places[mine].who = number;
	}
	may = mine != NOBODY && l->places[mine].count < l->at_once;
	if (may) {
		l->places[mine].count++;
		*slot = mine;
	}
	pthread_mutex_unlock(&l->mutex);
	return may;
}

void limits_end(struct limits *l, unsigned slot)
{
	assert(slot < PLACES);
	pthread_mutex_lock(&l->mutex);
	assert(l->places[slot].count > 0);
	l->places[slot].count--;
	pthread_mutex_unlock(&l->mutex);
}

struct span limits_address(struct span address, char out[LIMITS_ADDRESS])
{
	struct address a, inner;
	int n;

	if (address_parse(address, &a) != OK)
		return SPAN("?");
	if (a.family == FAMILY_IPV6 && a.high == 0 && a.low >> 32 == 0xffff) /* IPv4 on a socket of both families */
		a = address_ipv4((uint32_t)a.low);
	if (a.family == FAMILY_IPV4)
		return span_make(out, address_format(a, out));
	inner = (struct address){ a.high, 0, FAMILY_IPV6 };
	n = (int)address_format(inner, out);
	n += snprintf(out + n, LIMITS_ADDRESS - (size_t)n, "/64");
	return span_make(out, (size_t)n);
}
