#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

/* Under AddressSanitizer what was not handed out is poisoned, and a gap stands behind every piece. */
#if defined(SANITIZED)
/* Of its own header, but without const: memory that nobody has written to is no mistake here. */
void __asan_poison_memory_region(void *at, size_t size);
void __asan_unpoison_memory_region(void *at, size_t size);
#define GAP 16
#define poison(at, size) __asan_poison_memory_region(at, size)
#define unpoison(at, size) __asan_unpoison_memory_region(at, size)
#else
#define GAP 0
#define poison(at, size) ((void)(at), (void)(size))
#define unpoison(at, size) ((void)(at), (void)(size))
#endif

#define ALIGNMENT ((size_t)16)
#define FIRST_CHUNK ((size_t)4096)
#define LARGEST_STEP ((size_t)1 << 20)

struct chunk {
	struct chunk *below;
	size_t size, used; /* of bytes[] */
	_Alignas(ALIGNMENT) char bytes[];
};

/* The maximum counts what was asked for since the last reset, so a request is answered the same, whatever the arena
 * held before. Unused ends of chunks come on top: at most as much again. */
struct arena {
	size_t max, given;
	size_t step; /* size of the next chunk, unless more is needed */
	struct chunk *top;
};

struct arena *arena_new(size_t max)
{
	struct arena *a = malloc(sizeof(*a));

	if (a != NULL)
		*a = (struct arena){ .max = max, .step = FIRST_CHUNK };
	return a;
}

static struct chunk *chunk_add(struct arena *a, size_t least)
{
	size_t size = least > a->step ? least : a->step;
	struct chunk *c = malloc(sizeof(*c) + size);

	if (c == NULL)
		return NULL;
	*c = (struct chunk){ .below = a->top, .size = size };
	poison(c->bytes, size);
	a->top = c;
	if (a->step < LARGEST_STEP)
		a->step *= 2;
	return c;
}

static size_t with_padding(size_t size)
{
	return ((size + ALIGNMENT - 1) & ~(ALIGNMENT - 1)) + GAP;
}

void *arena_alloc(struct arena *a, size_t size)
{
	static _Alignas(ALIGNMENT) char nothing[ALIGNMENT];
	struct chunk *c = a->top;
	size_t rounded;
	char *piece;

	if (size == 0)
		return nothing;
	if (size > a->max - a->given || size > SIZE_MAX / 4)
		return NULL;
	rounded = with_padding(size);
	if ((c == NULL || rounded > c->size - c->used) && (c = chunk_add(a, rounded)) == NULL)
		return NULL;
	piece = c->bytes + c->used;
	c->used += rounded;
	a->given += size;
	unpoison(piece, size);
	return piece;
}

static bool is_last(const struct chunk *c, const char *piece, size_t padded)
{
	return c != NULL && piece + padded == c->bytes + c->used;
}

/* Room behind the top chunk's last piece; if nothing else is in the chunk, the chunk itself grows. */
static bool make_room(struct arena *a, size_t padded, size_t more)
{
	struct chunk *c = a->top;

	if (more <= c->size - c->used)
		return true;
	if (c->used != padded)
		return false;
	unpoison(c->bytes, c->size);
	if ((c = realloc(c, sizeof(*c) + padded + more)) == NULL)
		return false;
	c->size = padded + more;
	a->top = c;
	return true;
}

/* What moves gives back what it had, if it was the last one: growing step by step costs no more than the last step. */
static void *move(struct arena *a, void *old, size_t old_size, size_t size)
{
	bool last = old_size > 0 && is_last(a->top, old, with_padding(old_size));
	size_t given = a->given;
	void *p;

	if (last)
		a->given -= old_size;
	if ((p = arena_alloc(a, size)) == NULL) {
		a->given = given;
		return NULL;
	}
	if (old_size > 0)
		memcpy(p, old, old_size);
	return p;
}

/* In place; the caller has made room. */
static void *stretch(struct arena *a, size_t old_size, size_t size)
{
	size_t wanted = with_padding(size);
	struct chunk *c = a->top;
	char *piece;

	c->used = c->used - with_padding(old_size) + wanted;
	piece = c->bytes + (c->used - wanted);
	a->given = a->given - old_size + size;
	poison(piece, c->size - (size_t)(piece - c->bytes));
	unpoison(piece, size);
	return piece;
}

void *arena_resize(struct arena *a, void *old, size_t old_size, size_t size)
{
	size_t padded = with_padding(old_size), wanted;

	if (size > old_size && (size - old_size > a->max - a->given || size > SIZE_MAX / 4))
		return NULL;
	wanted = with_padding(size);
	if (old_size == 0 || size == 0 || !is_last(a->top, old, padded))
		return size > old_size ? move(a, old, old_size, size) : old;
	if (wanted > padded && !make_room(a, padded, wanted - padded))
		return move(a, old, old_size, size);
	return stretch(a, old_size, size);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(count, size, &total) || (p = arena_alloc(a, total)) == NULL)
		return NULL;
	return memset(p, 0, total);
}

char *arena_copy(struct arena *a, const void *from, size_t n)
{
	char *p = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	if (p == NULL)
		return NULL;
	if (n > 0)
		memcpy(p, from, n);
	p[n] = '\0';
	return p;
}

static int print_length(const char *format, va_list arguments)
{
	va_list again;
	int n;

	va_copy(again, arguments);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	return n;
}

char *arena_print(struct arena *a, const char *format, ...)
{
	char *p = NULL;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = print_length(format, arguments);
	if (n >= 0 && (p = arena_alloc(a, (size_t)n + 1)) != NULL)
		vsnprintf(p, (size_t)n + 1, format, arguments);
	va_end(arguments);
	return p;
}

static void chunk_free(struct chunk *c)
{
	unpoison(c->bytes, c->size);
	free(c);
}

void arena_reset(struct arena *a)
{
	struct chunk *largest = a->top, *c, *below;

	for (c = a->top; c != NULL; c = c->below)
		if (c->size > largest->size)
			largest = c;
	for (c = a->top; c != NULL; c = below) {
		below = c->below;
		if (c != largest)
			chunk_free(c);
	}
	if (largest != NULL) {
		largest->below = NULL;
		largest->used = 0;
		poison(largest->bytes, largest->size);
	}
	a->top = largest;
	a->given = 0;
	a->step = FIRST_CHUNK;
}

void arena_free(struct arena *a)
{
	struct chunk *c, *below;

	if (a == NULL)
		return;
	for (c = a->top; c != NULL; c = below) {
		below = c->below;
		chunk_free(c);
	}
	free(a);
}
