/* One idiom for memory: what a request makes lives in its arena and ends with it. An arena grows in chunks up to a
 * maximum that is given at birth. One thread at a time. Long-lived structures own a malloc of their own and have an
 * x_free(NULL is fine). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

/* max: most bytes that may be asked of it between two resets. NULL: no memory. */
struct arena *arena_new(size_t max);

/* Uninitialised, aligned for any type. NULL at the maximum. A size of 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);

/* A larger or smaller piece with the same bytes; its address may change. What was the last piece handed out gives back
 * what it had; another one is lost until the reset. NULL at the maximum; the old piece is then as it was. */
void *arena_resize(struct arena *a, void *old, size_t old_size, size_t size);

/* Zeroed array; the product is checked. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* A copy of n bytes with a 0 behind them. */
char *arena_copy(struct arena *a, const void *from, size_t n);

/* printf into the arena. NULL at the maximum. */
char *arena_print(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Everything allocated becomes invalid; the largest chunk is kept for the next request. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
