/* A damaged table never leads outside its file, whatever is asked of it. A table of four megabytes is no input for a
 * fuzzer: the input says what is changed in a good one.
 *
 *	byte 0: bit 0: the head's checksum is made good again, so that what lies behind it is reached; bit 1: the whole
 *	table is checked too, which takes time
 *	then for each change: which section (25 and more: the head), three bytes of offset, the new byte */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "territory/build.h"
#include "territory/table_file.h"

#define CHANGES_MAX 64

static const char rows[] = "198.51.100.0,198.51.100.99,64496,\"Example One\"\n"
			   "198.51.100.7,198.51.100.7,64497,Two\n198.51.100.9,198.51.100.9,64497,Two\n"
			   "198.51.100.11,198.51.100.11,64498,Three\n198.51.100.13,198.51.100.13,64498,Three\n"
			   "198.51.100.15,198.51.100.15,64498,Three\n198.51.100.17,198.51.100.17,64498,Three\n"
			   "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,64496,Example One\n"
			   "2001:db8::1,2001:db8::1,64497,Two\n2001:db8::5,2001:db8::5,64497,Two\n"
			   "2001:db8:5::,2001:db8:5::ff,64498,Three\n";

static int fd = -1;
static char path[64];
static uint8_t *table;	       /* shared with the file */
static struct table_head head; /* as it was */

struct change {
	size_t at;
	uint8_t was;
};

static void need(bool good)
{
	if (!good)
		abort();
}

/* Builds the good table once and moves it into memory. */
static void prepare(void)
{
	char folder[] = "/tmp/comity-fuzz-XXXXXX", csv[64], built[64];
	struct build *b = NULL;
	struct build_source source = { .path = csv };
	struct mapped m;

	need(mkdtemp(folder) != NULL);
	snprintf(csv, sizeof(csv), "%s/as.csv", folder);
	snprintf(built, sizeof(built), "%s/table", folder);
	need(file_write_lazily(csv, span_of(rows), 0600) == OK && build_new(&b) == OK);
	need(build_add(b, &source) == OK && build_write(b, built) == OK && file_map(built, &m) == OK);
	build_free(b);
	fd = memfd_create("table", MFD_CLOEXEC);
	need(fd != -1 && ftruncate(fd, (off_t)m.len) == 0);
	table = mmap(NULL, m.len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(table != MAP_FAILED);
	memcpy(table, m.at, m.len);
	memcpy(&head, m.at, sizeof(head));
	file_unmap(&m);
	unlink(csv);
	unlink(built);
	rmdir(folder);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
}

static size_t place_of(const uint8_t *c)
{
	size_t offset = (size_t)c[1] << 16 | (size_t)c[2] << 8 | c[3];
	const struct table_section *s = &head.sections[c[0] < SECTION_COUNT ? c[0] : 0];

	if (c[0] >= SECTION_COUNT || s->size == 0)
		return offset % sizeof(struct table_head);
	return s->offset + offset % s->size;
}

static void ask(const struct table *t, struct address a)
{
	uint32_t number = table_find(t, a), again;
	struct table_class_facts k;
	struct table_record r;
	struct span holder;
	size_t sum = 0;
	char country[3];

	need(number < table_records(t));
	table_find_ipv6(t, &a, 1, &again);
	need(again == number);
	table_record(t, number, &r);
	for (size_t i = 0; i < r.holder.len; i++)
		sum += (unsigned char)r.holder.at[i];
	need(sum < SIZE_MAX && r.validity <= ROUTE_INVALID);
	table_class_facts(t, table_class(t, number), &k);
	table_as(t, r.asn, &holder, country);
}

static void ask_all(const struct table *t, const uint8_t *data, size_t size)
{
	struct table_source s;

	for (uint64_t i = 0; i < 128; i++) {
		ask(t, address_ipv4(0xc6336400 + (uint32_t)i));
		ask(t, (struct address){ 0x20010db800000000 + (i >> 3 << 16), i & 7, FAMILY_IPV6 });
		ask(t, (struct address){ i << 57, ~i, FAMILY_IPV6 });
	}
	for (size_t i = 0; i + 5 <= size; i += 5) /* where the direct entries were changed */
		ask(t, address_ipv4((uint32_t)((size_t)data[i + 1] << 16 | (size_t)data[i + 2] << 8 | data[i + 3]) / 4
				    << 12));
	for (size_t i = 0; i <= table_sources(t); i++)
		table_source(t, i, &s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct change changes[CHANGES_MAX];
	struct table *t = NULL;
	size_t count = 0;
	bool mend, whole;

	if (table == NULL)
		prepare();
	if (size == 0)
		return 0;
	mend = (data[0] & 1) != 0;
	whole = (data[0] & 2) != 0;
	data++;
	size--;
	for (size_t i = 0; i + 5 <= size && count < CHANGES_MAX; i += 5, count++) {
		changes[count] = (struct change){ place_of(data + i), table[place_of(data + i)] };
		table[changes[count].at] = data[i + 4];
	}
	if (mend) {
		struct hash h = hash_bytes(table, offsetof(struct table_head, head));

		memcpy(table + offsetof(struct table_head, head), &h, sizeof(h));
	}
	if (table_open(path, &t) == OK) {
		ask_all(t, data, size);
		if (whole && count == 0)
			need(table_check(t) == OK);
		else if (whole)
			table_check(t);
		table_close(t);
	}
	while (count-- > 0)
		table[changes[count].at] = changes[count].was;
	memcpy(table, &head, sizeof(head));
	return 0;
}
