#include <stddef.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "territory/table_read.h"

/*
 * Finding the record of an address
 *
 * IPv4: the upper 20 bits index a table of 4 MiB, which answers at once for nine tenths of the address space. Where it does
 * not, the next 4 bits index one line of the cache, since what is announced mostly ends at 256 addresses. Only where the
 * record changes inside those there is something to search, and it is searched by comparing sixteen places at once. All
 * three together are some ten megabytes: DIR-24-8 gives the same answers from 64 and more, DXR from fewer with longer
 * searches.
 *
 * What costs is memory latency and guessing wrong. So a batch goes in steps over many addresses, and what the next step
 * will read is asked for ahead: all direct entries; the lines of those that have one; the fragments. Which addresses go on
 * to a next step is no guess either: their places are written down without a branch.
 *
 * IPv6 has no table of the upper bits that would do: its prefixes crowd below a few hundred values of the upper 16, and
 * below those unevenly. So each crowd has slots of its own, as many as it has steps, and what crowds below one of these has
 * slots again, until eight steps are left to choose from. Nearly all prefixes are of 64
 * bits or less: the search compares upper halves, and looks at lower ones only where the upper are equal.
 */

#define BATCH 64

static const uint32_t *words(const struct table *t, enum section s)
{
	return (const uint32_t *)(const void *)t->at[s];
}

static uint32_t known(const struct table *t, uint32_t record)
{
	return record < t->records ? record : 0;
}

/* How many of 16 ascending bytes from `from` on are not above `at`. */
static uint32_t count_sixteen(const uint8_t *p, uint32_t at, unsigned from)
{
#if defined(__SSE2__)
	__m128i places = _mm_loadu_si128((const __m128i *)(const void *)p), key = _mm_set1_epi8((char)at);
	unsigned above = ~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(places, key), key));

	return (uint32_t)__builtin_ctz(above >> from | 0x10000u >> from);
#else
	uint32_t n = 0;

	while (from + n < 16 && p[from + n] <= at)
		n++;
	return n;
#endif
}

static uint32_t find_in_fragment(const struct table *t, uint32_t entry, uint32_t address)
{
	uint64_t offset = (uint64_t)(entry & ~MORE4) * FRAGMENT_UNIT, size = t->count[SECTION_FRAGMENTS4];
	const uint8_t *f = t->at[SECTION_FRAGMENTS4] + offset;
	uint32_t n, head, count, record;

	if (offset >= size)
		return 0;
	n = f[0];
	head = (1 + n + FRAGMENT_UNIT - 1) / FRAGMENT_UNIT * FRAGMENT_UNIT;
	if (size - offset < head + (n + 1) * sizeof(record))
		return 0;
	count = count_sixteen(f, address & 255, 1);
	for (uint32_t at = FRAGMENT_UNIT; count == at - 1 && at < head; at += FRAGMENT_UNIT)
		count += count_sixteen(f + at, address & 255, 0);
	count = count < n ? count : n; /* what fills up looks like place 255 */
	memcpy(&record, f + head + count * sizeof(record), sizeof(record));
	return known(t, record);
}

/* The entry of the 256 addresses around one whose direct entry is marked. */
static uint32_t find_net(const struct table *t, uint32_t entry, uint32_t address)
{
	uint64_t at = (uint64_t)(entry & ~MORE4) * NETS_IN_BLOCK + (address >> 8 & (NETS_IN_BLOCK - 1));

	return at < t->count[SECTION_NETS4] ? words(t, SECTION_NETS4)[at] : 0;
}

uint32_t table_find_one_ipv4(const struct table *t, uint32_t address)
{
	uint32_t entry = words(t, SECTION_DIRECT4)[address >> BLOCK_BITS];

	if ((entry & MORE4) != 0) {
		entry = find_net(t, entry, address);
		if ((entry & MORE4) != 0)
			return find_in_fragment(t, entry, address);
	}
	return known(t, entry);
}

/* Asks for what will be read, if it lies inside the section. */
static void ask_for(const struct table *t, enum section s, uint64_t offset, uint64_t size)
{
	__builtin_prefetch(t->at[s] + (offset < size ? offset : 0));
}

static void find_batch_ipv4(const struct table *t, const uint32_t *addresses, size_t count, uint32_t *records)
{
	const uint32_t *direct = words(t, SECTION_DIRECT4);
	uint64_t nets = (uint64_t)t->count[SECTION_NETS4] * sizeof(uint32_t), fragments = t->count[SECTION_FRAGMENTS4];
	uint32_t todo[BATCH], left = 0, more = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t entry = direct[addresses[i] >> BLOCK_BITS];

		records[i] = entry;
		todo[left] = (uint32_t)i;
		left += entry >> 31;
		ask_for(t, SECTION_NETS4, (uint64_t)(entry & ~MORE4) * NETS_IN_BLOCK * 4 & -(uint64_t)(entry >> 31),
			nets);
	}
	for (uint32_t k = 0; k < left; k++) {
		uint32_t i = todo[k], entry = find_net(t, records[i], addresses[i]);

		records[i] = entry;
		todo[more] = i;
		more += entry >> 31;
		ask_for(t, SECTION_FRAGMENTS4, (uint64_t)(entry & ~MORE4) * FRAGMENT_UNIT & -(uint64_t)(entry >> 31),
			fragments);
	}
	for (uint32_t k = 0; k < more; k++)
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

static const uint64_t *slots_of(const struct table *t)
{
	return (const uint64_t *)(const void *)t->at[SECTION_SLOTS6];
}

static const struct disk_step6 *steps_of(const struct table *t)
{
	return (const struct disk_step6 *)(const void *)t->at[SECTION_STEPS6];
}

/* Where a marked slot leads to: `left` is what is left of the upper half, and is moved on. Slot 0, if nowhere. */
static uint64_t next_slot(const struct table *t, uint64_t slot, uint64_t *left)
{
	uint32_t bits = slot_many(slot) & 31;
	uint64_t at = slot_first(slot) + (*left >> 1 >> (63 - bits));

	*left <<= bits;
	return at < t->count[SECTION_SLOTS6] ? at : 0;
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

/* The last of the slot's steps at or before the address is meant. */
static uint32_t find_step(const struct table *t, uint64_t slot, uint64_t high, uint64_t low)
{
	uint32_t first = slot_first(slot), at = first, n = slot_many(slot), count = t->count[SECTION_STEPS6], record;
	const struct disk_step6 *steps = steps_of(t);

	if ((slot & MORE6) != 0 || first >= count || n == 0 || n > count - first)
		return 0;
	while (n > 1) {
		uint32_t half = n / 2;

		at += steps[at + half].high <= high ? half : 0;
		n -= half;
	}
	record = steps[at].record;
	if ((record & LOW_MARK) != 0 && steps[at].high == high)
		record = steps[find_low(t, first, at, high, low)].record;
	return known(t, record & ~LOW_MARK);
}

#define DEEPEST 48 /* each level takes a bit at least: it ends in a damaged table too */

uint32_t table_find_one_ipv6(const struct table *t, uint64_t high, uint64_t low)
{
	uint64_t slot = slots_of(t)[high >> (64 - ROOT_BITS6)], left = high << ROOT_BITS6;

	for (int level = 0; level < DEEPEST && (slot & MORE6) != 0; level++)
		slot = slots_of(t)[next_slot(t, slot, &left)];
	return find_step(t, slot, high, low);
}

/* One level down for all that are not at their steps yet; returns how many of them go on. */
static uint32_t descend(const struct table *t, uint64_t *slots, uint64_t *left, uint32_t *todo, uint32_t count)
{
	uint64_t steps = (uint64_t)t->count[SECTION_STEPS6] * sizeof(struct disk_step6);
	uint32_t at[BATCH], more = 0;

	for (uint32_t k = 0; k < count; k++) {
		at[k] = (uint32_t)next_slot(t, slots[todo[k]], &left[todo[k]]);
		__builtin_prefetch(slots_of(t) + at[k]);
	}
	for (uint32_t k = 0; k < count; k++) {
		uint32_t i = todo[k];

		slots[i] = slots_of(t)[at[k]];
		todo[more] = i;
		more += (uint32_t)(slots[i] >> 63);
		ask_for(t, SECTION_STEPS6, (uint64_t)slot_first(slots[i]) * sizeof(struct disk_step6), steps);
	}
	return more;
}

static void find_batch_ipv6(const struct table *t, const struct address *addresses, size_t count, uint32_t *records)
{
	uint64_t steps = (uint64_t)t->count[SECTION_STEPS6] * sizeof(struct disk_step6), slots[BATCH], left[BATCH];
	uint32_t todo[BATCH], more = 0;

	for (size_t i = 0; i < count; i++) {
		slots[i] = slots_of(t)[addresses[i].high >> (64 - ROOT_BITS6)];
		left[i] = addresses[i].high << ROOT_BITS6;
		todo[more] = (uint32_t)i;
		more += (uint32_t)(slots[i] >> 63);
		ask_for(t, SECTION_STEPS6, (uint64_t)slot_first(slots[i]) * sizeof(struct disk_step6), steps);
	}
	for (int level = 0; level < DEEPEST && more > 0; level++)
		more = descend(t, slots, left, todo, more);
	for (size_t i = 0; i < count; i++)
		records[i] = addresses[i].family == FAMILY_IPV4
				     ? table_find_one_ipv4(t, (uint32_t)addresses[i].low)
				     : find_step(t, slots[i], addresses[i].high, addresses[i].low);
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
