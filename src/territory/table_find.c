#include <stddef.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "territory/table_read.h"

/*
 * Finding the record of an address
 *
 * IPv4 is done as DXR does it: the upper 20 bits index a table of 4 MiB, which answers at once for most of the address
 * space, since most blocks of 4096 addresses have one record. The others have a fragment: a short sorted list of places
 * where the record changes. Eight places are compared by one instruction, and nine fragments of ten have no more.
 *
 * What costs is memory latency and guessing wrong: an address here and there cannot do better than two dependent
 * misses. So a batch goes in steps over many addresses: the direct entries of all; then, for those that have one, the
 * fragments, asked for ahead. Which addresses those are is no guess either: their places are written down without a
 * branch.
 *
 * IPv6 has no table of the upper bits that would do: its prefixes crowd below a few hundred values of the upper 16, and
 * below those they are spread. So each such value has a table of its own size, with about one slot for each step, and
 * the search between two slots is over a handful of steps. Nearly all prefixes are of 64 bits or less: the search
 * compares upper halves, and looks at lower ones only where the upper are equal.
 */

#define BATCH 64

typedef uint16_t place __attribute__((may_alias));

static const uint32_t *words(const struct table *t, enum section s)
{
	return (const uint32_t *)(const void *)t->at[s];
}

static uint32_t known(const struct table *t, uint32_t record)
{
	return record < t->records ? record : 0;
}

/* How many of eight ascending places are at or before `at`. */
static uint32_t count_eight(const place *p, uint32_t at)
{
#if defined(__SSE2__)
	__m128i places = _mm_loadu_si128((const __m128i *)(const void *)p);
	int behind = _mm_movemask_epi8(_mm_cmpgt_epi16(places, _mm_set1_epi16((short)at)));

	return (uint32_t)__builtin_ctz((unsigned)behind | 0x10000) / 2;
#else
	uint32_t n = 0;

	for (unsigned i = 0; i < FRAGMENT_LANES; i++)
		n += p[i] <= at;
	return n;
#endif
}

/* How many of n places are at or before `at`; they are filled up to a multiple of eight. */
static uint32_t count_places(const place *p, uint32_t n, uint32_t at)
{
	uint32_t groups = (n + FRAGMENT_LANES - 1) / FRAGMENT_LANES, group = 0;

	while (groups > 1) {
		uint32_t half = groups / 2;

		group += p[(group + half) * FRAGMENT_LANES] <= at ? half : 0;
		groups -= half;
	}
	return group * FRAGMENT_LANES + count_eight(p + group * FRAGMENT_LANES, at);
}

static uint32_t find_in_fragment(const struct table *t, uint32_t entry, uint32_t address)
{
	uint32_t offset = entry & ~FRAGMENT_MARK, size = t->count[SECTION_FRAGMENTS4], n, lanes;
	const uint32_t *f = words(t, SECTION_FRAGMENTS4) + offset;

	if (offset >= size)
		return 0;
	n = f[0];
	if (n == 0 || n >= 1u << BLOCK_BITS)
		return 0;
	lanes = (n + FRAGMENT_LANES - 1) / FRAGMENT_LANES * FRAGMENT_LANES;
	if (size - offset < 1 + lanes / 2 + n + 1)
		return 0;
	n = count_places((const place *)(const void *)(f + 1), n, address & ((1u << BLOCK_BITS) - 1));
	return known(t, f[1 + lanes / 2 + n]);
}

uint32_t table_find_one_ipv4(const struct table *t, uint32_t address)
{
	uint32_t entry = words(t, SECTION_DIRECT4)[address >> BLOCK_BITS];

	return (entry & FRAGMENT_MARK) != 0 ? find_in_fragment(t, entry, address) : known(t, entry);
}

static void find_batch_ipv4(const struct table *t, const uint32_t *addresses, size_t count, uint32_t *records)
{
	const uint32_t *direct = words(t, SECTION_DIRECT4), *fragments = words(t, SECTION_FRAGMENTS4);
	uint32_t size = t->count[SECTION_FRAGMENTS4], left = 0, todo[BATCH];

	for (size_t i = 0; i < count; i++) {
		uint32_t entry = direct[addresses[i] >> BLOCK_BITS], offset = entry & ~FRAGMENT_MARK;

		records[i] = entry;
		todo[left] = (uint32_t)i;
		left += entry >> 31;
		__builtin_prefetch(fragments + (entry >> 31 != 0 && offset < size ? offset : 0));
	}
	for (uint32_t k = 0; k < left; k++)
		records[todo[k]] = find_in_fragment(t, records[todo[k]], addresses[todo[k]]);
	for (size_t i = 0; i < count; i++)
		records[i] = known(t, records[i]);
}

void table_find_ipv4(const struct table *t, const uint32_t *addresses, size_t count, uint32_t *records)
{
	for (size_t done = 0, n; done < count; done += n) {
		n = count - done < BATCH ? count - done : BATCH;
		find_batch_ipv4(t, addresses + done, n, records + done);
	}
}

/* Steps from which to choose: the last of them at or before the address is meant. */
struct stretch {
	uint32_t first, last;
};

static const struct disk_step6 *steps_of(const struct table *t)
{
	return (const struct disk_step6 *)(const void *)t->at[SECTION_STEPS6];
}

static uint32_t slot_of(const struct table *t, uint64_t high)
{
	uint32_t head = words(t, SECTION_HEADS6)[high >> 48], bits = head & 31, slot = head >> 5;

	if (bits > 0 && bits <= HEAD_BITS_MAX)
		slot += (uint32_t)(high << 16 >> (64 - bits));
	return slot + 1 < t->count[SECTION_SLOTS6] ? slot : 0;
}

static struct stretch stretch_of(const struct table *t, uint32_t slot)
{
	const uint32_t *slots = words(t, SECTION_SLOTS6) + slot;
	struct stretch s = { slots[0], slots[1] };

	if (s.last >= t->count[SECTION_STEPS6] || s.first > s.last)
		s = (struct stretch){ 0, 0 };
	return s;
}

/* Some steps differ in their lower halves only. */
static uint32_t find_low(const struct table *t, uint32_t first, uint32_t last, uint64_t high, uint64_t low)
{
	const uint64_t *lows = (const uint64_t *)(const void *)t->at[SECTION_LOW6];
	const struct disk_step6 *steps = steps_of(t);

	while (first < last) {
		uint32_t middle = first + (last - first + 1) / 2;

		if (steps[middle].high < high || (steps[middle].high == high && lows[middle] <= low))
			first = middle;
		else
			last = middle - 1;
	}
	return first;
}

static uint32_t find_step(const struct table *t, struct stretch s, uint64_t high, uint64_t low)
{
	const struct disk_step6 *steps = steps_of(t);
	uint32_t n = s.last - s.first + 1, at = s.first, record;

	while (n > 1) {
		uint32_t half = n / 2;

		at += steps[at + half].high <= high ? half : 0;
		n -= half;
	}
	record = steps[at].record;
	if ((record & LOW_MARK) != 0 && steps[at].high == high)
		record = steps[find_low(t, s.first, at, high, low)].record;
	return known(t, record & ~LOW_MARK);
}

uint32_t table_find_one_ipv6(const struct table *t, uint64_t high, uint64_t low)
{
	return find_step(t, stretch_of(t, slot_of(t, high)), high, low);
}

static void find_batch_ipv6(const struct table *t, const struct address *addresses, size_t count, uint32_t *records)
{
	const struct disk_step6 *steps = steps_of(t);
	struct stretch stretches[BATCH];
	uint32_t slots[BATCH];

	for (size_t i = 0; i < count; i++) {
		slots[i] = slot_of(t, addresses[i].high);
		__builtin_prefetch(words(t, SECTION_SLOTS6) + slots[i]);
	}
	for (size_t i = 0; i < count; i++) {
		stretches[i] = stretch_of(t, slots[i]);
		__builtin_prefetch(steps + stretches[i].first + (stretches[i].last - stretches[i].first + 1) / 2);
	}
	for (size_t i = 0; i < count; i++)
		records[i] = addresses[i].family == FAMILY_IPV4
				     ? table_find_one_ipv4(t, (uint32_t)addresses[i].low)
				     : find_step(t, stretches[i], addresses[i].high, addresses[i].low);
}

void table_find_ipv6(const struct table *t, const struct address *addresses, size_t count, uint32_t *records)
{
	for (size_t done = 0, n; done < count; done += n) {
		n = count - done < BATCH ? count - done : BATCH;
		find_batch_ipv6(t, addresses + done, n, records + done);
	}
}

uint32_t table_class(const struct table *t, uint32_t record)
{
	uint32_t class = record < t->records ? words(t, SECTION_RECORD_CLASSES)[record] : 0;

	return class < t->count[SECTION_CLASSES] ? class : 0;
}
