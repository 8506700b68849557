/* The look-up arrays of a table; table_file.h describes them, table_find.c says why they are so. */
#include <stdlib.h>

#include "territory/compile.h"

#define NET_BITS 8
#define LEAF_MOST 8 /* steps between which a search chooses: two lines of the cache */
#define SLOTS_MAX ((size_t)1 << 28)

/* ---- IPv4 ---- */

struct ipv4 {
	const struct combined *c;
	uint32_t *direct, *nets, *fragments; /* NULL in the pass that only counts */
	size_t net_lines, units;
	size_t at; /* the run that the place in hand is in */
};

/* How many runs begin in the stretch, behind its first address; moves w->at to the run that its first address is in. */
static size_t runs_inside(struct ipv4 *w, uint64_t first, uint64_t size)
{
	const struct combined *c = w->c;
	size_t end;

	while (w->at + 1 < c->run_count && c->runs[w->at + 1].first <= first)
		w->at++;
	for (end = w->at + 1; end < c->run_count && c->runs[end].first < first + size; end++)
		;
	return end - 1 - w->at;
}

/* Returns the entry of the 256 addresses. */
static uint32_t write_net(struct ipv4 *w, uint64_t first)
{
	size_t n = runs_inside(w, first, 1u << NET_BITS), units = w->units;
	size_t head = (1 + n + FRAGMENT_UNIT - 1) / FRAGMENT_UNIT;
	uint8_t *to;

	if (n == 0)
		return w->c->runs[w->at].record;
	w->units += head + ((n + 1) * sizeof(uint32_t) + FRAGMENT_UNIT - 1) / FRAGMENT_UNIT;
	if (w->fragments == NULL)
		return 0;
	to = (uint8_t *)w->fragments + units * FRAGMENT_UNIT;
	memset(to, 0xff, head * FRAGMENT_UNIT);
	to[0] = (uint8_t)n;
	for (size_t i = 0; i < n; i++)
		to[1 + i] = (uint8_t)w->c->runs[w->at + 1 + i].first;
	for (size_t i = 0; i <= n; i++)
		memcpy(to + head * FRAGMENT_UNIT + i * sizeof(uint32_t), &w->c->runs[w->at + i].record,
		       sizeof(uint32_t));
	return MORE4 | (uint32_t)units;
}

static void write_block(struct ipv4 *w, uint32_t block)
{
	uint64_t first = (uint64_t)block << BLOCK_BITS;
	size_t line = w->net_lines;

	if (runs_inside(w, first, 1u << BLOCK_BITS) == 0) {
		if (w->direct != NULL)
			w->direct[block] = w->c->runs[w->at].record;
		return;
	}
	w->net_lines++;
	for (size_t i = 0; i < NETS_IN_BLOCK; i++) {
		uint32_t entry = write_net(w, first + (i << NET_BITS));

		if (w->nets != NULL)
			w->nets[line * NETS_IN_BLOCK + i] = entry;
	}
	if (w->direct != NULL)
		w->direct[block] = MORE4 | (uint32_t)line;
}

static void write_blocks(struct ipv4 *w)
{
	w->net_lines = w->units = w->at = 0;
	for (uint32_t block = 0; block < BLOCKS4; block++)
		write_block(w, block);
}

enum err compile_ipv4(const struct combined *c, struct sections *out)
{
	struct ipv4 w = { .c = c };
	enum err e;

	write_blocks(&w);
	if (w.units >= MORE4)
		return fail(ERR_TOO_LONG, "too many IPv4 ranges for a table");
	if ((e = section_make(out, SECTION_DIRECT4, BLOCKS4, sizeof(uint32_t))) != OK ||
	    (e = section_make(out, SECTION_NETS4, w.net_lines * NETS_IN_BLOCK, sizeof(uint32_t))) != OK ||
	    (e = section_make(out, SECTION_FRAGMENTS4, w.units * FRAGMENT_UNIT, 1)) != OK)
		return e;
	w.direct = out->at[SECTION_DIRECT4].at;
	w.nets = out->at[SECTION_NETS4].at;
	w.fragments = out->at[SECTION_FRAGMENTS4].at;
	write_blocks(&w);
	return OK;
}

/* ---- IPv6 ---- */

struct ipv6 {
	const struct combined *c;
	uint64_t *slots;
	size_t count, room;
	enum err err; /* sticky */
};

/* Slots for so many bits, not filled yet; returns the first. */
static size_t slots_add(struct ipv6 *w, unsigned bits)
{
	size_t first = w->count, want = first + ((size_t)1 << bits), more = w->room;
	uint64_t *bigger;

	if (w->err == OK && want > SLOTS_MAX)
		w->err = fail(ERR_TOO_LONG, "too many IPv6 ranges for a table");
	while (more < want)
		more = more == 0 ? (size_t)1 << 18 : more * 2;
	if (w->err == OK && more > w->room) {
		if ((bigger = realloc(w->slots, more * sizeof(*bigger))) == NULL) {
			w->err = fail(ERR_NO_MEMORY, "no room for %zu slots", more);
		} else {
			w->slots = bigger;
			w->room = more;
		}
	}
	if (w->err != OK)
		return 0;
	w->count = want;
	return first;
}

/* Up to twice as many slots as steps: measured, fewer make it deeper and more make it larger. */
static unsigned bits_for(size_t n, unsigned left)
{
	unsigned bits = 1;

	while (bits < ROOT_BITS6 && bits < left && n >> bits > 0)
		bits++;
	return bits;
}

/* Fills the slots from `slot` on, for the bits behind the `done` first ones of `high`. `at` is the step that the first
 * address of all is in. Deeper ones are added behind: 64 bits end it. */
static void fill_slots(struct ipv6 *w, size_t slot, unsigned bits, uint64_t high, unsigned done, size_t at)
{
	const struct combined *c = w->c;
	unsigned left = 64 - done - bits;

	for (size_t i = 0; w->err == OK && i < (size_t)1 << bits; i++) {
		uint64_t first = high | (uint64_t)i << left,
			 last = left == 0 ? first : first | (~(uint64_t)0 >> (64 - left));
		size_t end, deeper;
		unsigned next;

		while (at + 1 < c->run_count && c->runs[at + 1].first <= (wide)first << 64)
			at++;
		for (end = at + 1; end < c->run_count && c->runs[end].first <= ((wide)last << 64 | UINT64_MAX); end++)
			;
		if (end - at <= LEAF_MOST || left == 0) {
			w->slots[slot + i] = slot_pack((uint32_t)(end - at), (uint32_t)at);
			continue;
		}
		next = bits_for(end - at, left);
		deeper = slots_add(w, next);
		w->slots[slot + i] = MORE6 | slot_pack(next, (uint32_t)deeper);
		fill_slots(w, deeper, next, first, done + bits, at);
	}
}

static enum err write_steps(const struct combined *c, uint32_t offset, struct sections *out)
{
	struct disk_step6 *steps;
	uint64_t *low;
	enum err e = section_make(out, SECTION_STEPS6, c->run_count, sizeof(*steps));

	if (e != OK || (e = section_make(out, SECTION_LOW6, c->run_count, sizeof(*low))) != OK)
		return e;
	steps = out->at[SECTION_STEPS6].at;
	low = out->at[SECTION_LOW6].at;
	for (size_t i = 0; i < c->run_count; i++) {
		const struct run *r = &c->runs[i];

		low[i] = (uint64_t)r->first;
		steps[i] =
			(struct disk_step6){ (uint64_t)(r->first >> 64), r->record != 0 ? r->record + offset : 0, 0 };
		if (low[i] != 0)
			steps[i].record |= LOW_MARK;
	}
	return OK;
}

enum err compile_ipv6(const struct combined *c, uint32_t offset, struct sections *out)
{
	struct ipv6 w = { .c = c };
	size_t root = slots_add(&w, ROOT_BITS6);

	if (w.err == OK)
		fill_slots(&w, root, ROOT_BITS6, 0, 0, 0);
	if (w.err != OK) {
		free(w.slots);
		return w.err;
	}
	out->at[SECTION_SLOTS6] = (struct content){ w.slots, w.count * sizeof(*w.slots) };
	return write_steps(c, offset, out);
}
