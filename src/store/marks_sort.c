/*
 * Radix sort, most significant byte first, in place ("American flag"): hashes are evenly spread, so two rounds leave a
 * million marks in heaps of sixteen, which an insertion sort finishes. Ground-out marks that share leading bytes cost
 * one more round for each shared byte, 24 at most.
 */
#include "store/marks.h"

#include <endian.h>

#define SMALL 40

static inline uint64_t mark_head(const struct mark *m)
{
	uint64_t v;

	memcpy(&v, m->bytes, sizeof(v));
	return be64toh(v);
}

static inline bool mark_less(const struct mark *a, const struct mark *b)
{
	uint64_t x = mark_head(a), y = mark_head(b);

	return x != y ? x < y : memcmp(a->bytes + 8, b->bytes + 8, MARK_SIZE - 8) < 0;
}

static void insertion_sort(struct mark *m, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct mark x = m[i];
		size_t k = i;

		for (; k > 0 && mark_less(&x, &m[k - 1]); k--)
			m[k] = m[k - 1];
		m[k] = x;
	}
}

/* Sends every mark to its heap; ends[b] becomes the end of heap b. */
static void distribute(struct mark *m, size_t n, unsigned byte, size_t ends[256])
{
	size_t counts[256] = { 0 }, next[256], at = 0;

	for (size_t i = 0; i < n; i++)
		counts[m[i].bytes[byte]]++;
	for (size_t b = 0; b < 256; b++) {
		next[b] = at;
		at += counts[b];
		ends[b] = at;
	}
	for (size_t b = 0; b < 256; b++) {
		while (next[b] < ends[b]) {
			struct mark x = m[next[b]];
			uint8_t home;

			while ((home = x.bytes[byte]) != b) {
				struct mark y = m[next[home]];

				m[next[home]++] = x;
				x = y;
			}
			m[next[b]++] = x;
		}
	}
}

static void sort_from(struct mark *m, size_t n, unsigned byte)
{
	size_t ends[256], begin = 0;

	if (n <= SMALL || byte == MARK_SIZE) {
		insertion_sort(m, n);
		return;
	}
	distribute(m, n, byte, ends);
	for (size_t b = 0; b < 256; b++) {
		if (ends[b] - begin > 1)
			sort_from(m + begin, ends[b] - begin, byte + 1);
		begin = ends[b];
	}
}

void marks_sort(struct mark *marks, size_t count)
{
	sort_from(marks, count, 0);
}
