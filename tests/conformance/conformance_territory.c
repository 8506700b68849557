/* The compiled look-up against the files that it was compiled from, on real tables: each row of a file is laid over the
 * addresses that were drawn, and the narrowest one stays. That is read and compared here by other means than the
 * program's own, so that they cannot err together.
 *
 *	1. ../shared/data/routing/pyasn (or $COMITY_SHARED/data/routing/pyasn): a whole routing table, prefixes that nest.
 *	2. The CSV files of the two npm packages that `comity territory update` takes: fetched once into build-deps/registry
 *	   by the npm client, or taken from the folder that COMITY_REGISTRY names.
 *
 * What cannot be had is said and left out; exits with 77 if nothing could. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "cli/registry.h"
#include "territory/build.h"

#define DRAWN 50000 /* of each family */
#define LINE_BYTES 4096

__extension__ typedef unsigned __int128 wide;

/* An address that was drawn, and the narrowest rows so far that cover it. */
struct asked {
	wide address;
	bool has_asn, has_country;
	wide asn_width, country_width;
	uint32_t asn;
	char country[3];
};

struct family_asked {
	int family; /* AF_INET, AF_INET6 */
	size_t count;
	struct asked at[DRAWN];
};

struct row {
	wide first, last;
	uint32_t asn; /* 0: a row of countries */
	char country[3];
};

static struct family_asked asked[2] = { { .family = AF_INET }, { .family = AF_INET6 } };
static unsigned failures;

static uint64_t random_64(void)
{
	static uint64_t state = 0x2545f4914f6cdd1d;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1d;
}

static bool parse_wide(const char *text, wide *out, int *family)
{
	unsigned char bytes[16];
	int n = 4;

	*family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	if (*family == AF_INET6)
		n = 16;
	if (inet_pton(*family, text, bytes) != 1)
		return false;
	*out = 0;
	for (int i = 0; i < n; i++)
		*out = *out << 8 | bytes[i];
	return true;
}

/* "1.0.0.0,1.0.0.255,13335,…" or "1.0.0.0,1.0.0.255,AU". */
static bool parse_csv(char *line, struct row *row, int *family)
{
	char *last = strchr(line, ','), *value = last != NULL ? strchr(last + 1, ',') : NULL;
	int other;

	if (value == NULL)
		return false;
	*last++ = *value++ = '\0';
	*row = (struct row){ 0 };
	if (!parse_wide(line, &row->first, family) || !parse_wide(last, &row->last, &other) || other != *family)
		return false;
	if (value[0] >= '0' && value[0] <= '9')
		row->asn = (uint32_t)strtoul(value, NULL, 10);
	else
		memcpy(row->country, value, 2);
	return row->first <= row->last;
}

/* "1.0.0.0/24 TAB 15169". */
static bool parse_pyasn(char *line, struct row *row, int *family)
{
	char *length = strchr(line, '/'), *asn = strchr(line, '\t');
	unsigned bits;

	if (line[0] == ';' || length == NULL || asn == NULL)
		return false;
	*length++ = *asn++ = '\0';
	*row = (struct row){ 0 };
	if (!parse_wide(line, &row->first, family))
		return false;
	bits = (*family == AF_INET ? 32 : 128) - (unsigned)strtoul(length, NULL, 10);
	row->last = bits >= 128 ? ~(wide)0 : row->first + (((wide)1 << bits) - 1);
	row->asn = (uint32_t)strtoul(asn, NULL, 10);
	return true;
}

typedef bool parse_line(char *line, struct row *row, int *family);
typedef void each_row(const struct row *row, struct family_asked *of);

/* Of gzip too. */
static size_t for_each_row(const char *path, parse_line *parse, each_row *each)
{
	gzFile f = gzopen(path, "rb");
	char line[LINE_BYTES];
	struct row row;
	size_t rows = 0;
	int family;

	if (f == NULL)
		return 0;
	while (gzgets(f, line, sizeof(line)) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!parse(line, &row, &family))
			continue;
		each(&row, &asked[family == AF_INET6]);
		rows++;
	}
	gzclose(f);
	return rows;
}

static void ask(struct family_asked *of, wide address)
{
	if (of->count < DRAWN)
		of->at[of->count++] = (struct asked){ .address = address };
}

/* One row in so many gives an address inside it and those at its ends. */
static unsigned one_in;

static void draw_near(const struct row *row, struct family_asked *of)
{
	wide size = row->last - row->first, inside = row->first;

	if (random_64() % one_in != 0)
		return;
	if (size > 0)
		inside += ((wide)random_64() << 64 | random_64()) % size;
	ask(of, inside);
	ask(of, row->first);
	ask(of, row->last);
	ask(of, row->first > 0 ? row->first - 1 : 0);
	ask(of, row->last + 1 != 0 && (of->family == AF_INET6 || row->last < UINT32_MAX) ? row->last + 1 : row->last);
}

static int compare(const void *a, const void *b)
{
	const struct asked *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static void sort(void)
{
	for (int f = 0; f < 2; f++)
		qsort(asked[f].at, asked[f].count, sizeof(asked[f].at[0]), compare);
}

/* The random addresses that fill up: of IPv4 from all of the space; of IPv6 those would all miss, so near drawn ones. */
static void draw_rest(void)
{
	size_t near = asked[1].count;

	while (asked[0].count < DRAWN)
		ask(&asked[0], (uint32_t)random_64());
	while (asked[1].count < DRAWN && near > 0)
		ask(&asked[1], asked[1].at[random_64() % near].address ^ (wide)1 << random_64() % 96);
	sort();
}

static size_t first_from(const struct family_asked *of, wide address)
{
	size_t low = 0, high = of->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (of->at[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Over every address that the row covers: it stays if it is narrower than what lies there. */
static void lay(const struct row *row, struct family_asked *of)
{
	wide width = row->last - row->first;

	for (size_t i = first_from(of, row->first); i < of->count && of->at[i].address <= row->last; i++) {
		struct asked *a = &of->at[i];

		if (row->asn != 0 && (!a->has_asn || width < a->asn_width)) {
			a->has_asn = true;
			a->asn_width = width;
			a->asn = row->asn;
		}
		if (row->asn == 0 && (!a->has_country || width < a->country_width)) {
			a->has_country = true;
			a->country_width = width;
			memcpy(a->country, row->country, 2);
		}
	}
}

static void compare_all(const struct table *t, const char *what)
{
	size_t count = 0, known = 0;

	for (int f = 0; f < 2; f++)
		for (size_t i = 0; i < asked[f].count; i++) {
			const struct asked *a = &asked[f].at[i];
			struct address address = { (uint64_t)(a->address >> 64), (uint64_t)a->address,
						   f == 0 ? FAMILY_IPV4 : FAMILY_IPV6 };
			struct table_record r;
			char text[ADDRESS_TEXT];

			table_record(t, table_find(t, address), &r);
			count++;
			known += a->has_asn || a->has_country;
			if (r.asn == a->asn && strcmp(r.country, a->country) == 0)
				continue;
			address_format(address, text);
			if (failures++ < 10)
				printf("FAILED %s: %s: AS%u %s, should be AS%u %s\n", what, text, r.asn, r.country,
				       a->asn, a->country);
		}
	printf("%s: %zu addresses, %zu IPv6, %zu of them known to the files\n", what, count, asked[1].count, known);
	if (count != 2 * DRAWN || known < DRAWN) {
		printf("FAILED %s: too few addresses\n", what);
		failures++;
	}
}

/* Builds, opens, compares. */
static void check(const struct registry_files *files, parse_line *parse, const char *what)
{
	char folder[] = "/tmp/comity-conformance-XXXXXX", path[64] = "";
	struct build *b = NULL;
	struct table *t = NULL;
	size_t rows = 0;
	enum err e = ERR_IO;

	for (size_t i = 0; i < files->count; i++)
		rows += for_each_row(files->at[i].path, parse, draw_near);
	draw_rest();
	for (size_t i = 0; i < files->count; i++)
		for_each_row(files->at[i].path, parse, lay);
	if (mkdtemp(folder) != NULL) {
		snprintf(path, sizeof(path), "%s/territory.table", folder);
		e = build_new(&b);
	}
	if (e == OK)
		e = build_add_all(b, files->at, files->count, NULL);
	if (e == OK)
		e = build_write(b, path);
	build_free(b);
	if (e == OK)
		e = table_open(path, &t);
	if (e == OK)
		e = table_check(t);
	printf("%s: %zu rows\n", what, rows);
	if (e == OK)
		compare_all(t, what);
	else
		printf("FAILED %s: %s: %s\n", what, err_code(e), err_detail());
	failures += e != OK;
	table_close(t);
	unlink(path);
	rmdir(folder);
	asked[0].count = asked[1].count = 0;
}

static bool check_pyasn(struct cli *c)
{
	const char *shared = getenv("COMITY_SHARED");
	char *path = arena_print(c->arena, "%s/data/routing/pyasn/ipasn6_20151101.dat.gz",
				 shared != NULL ? shared : "../shared");
	struct registry_files files = { .count = 0 };

	if (path == NULL || !file_exists(path)) {
		printf("SKIPPED pyasn: no %s; set COMITY_SHARED\n", path);
		return false;
	}
	one_in = 120;
	if (registry_add(c, path, &files) == OK)
		check(&files, parse_pyasn, "pyasn");
	return true;
}

/* One program at a time fetches. */
static enum err fetch(struct cli *c, struct registry_files *files)
{
	const char *named = getenv("COMITY_REGISTRY");
	enum err e = folder_make("build-deps/registry", 0755);
	int lock;

	if (named != NULL)
		return registry_from_folder(c, named, files);
	lock = e == OK ? open("build-deps/registry/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
	if (lock == -1 || flock(lock, LOCK_EX) == -1)
		return ERR_IO;
	e = packages_fetch(c, "build-deps/registry", true, true, files);
	close(lock);
	return e;
}

static bool check_packages(struct cli *c)
{
	struct registry_files files = { .count = 0 };

	if (fetch(c, &files) != OK || files.count < 4) {
		printf("SKIPPED npm packages: %s; set COMITY_REGISTRY\n", err_detail());
		return false;
	}
	one_in = 120;
	check(&files, parse_csv, "npm packages");
	return true;
}

int main(void)
{
	struct cli c = { .dir = "build-deps", .arena = arena_new((size_t)64 << 20) };
	bool any;

	if (c.arena == NULL)
		return 1;
	any = check_pyasn(&c);
	any |= check_packages(&c);
	arena_free(c.arena);
	if (!any)
		return 77;
	printf("%u failures\n", failures);
	return failures == 0 ? 0 : 1;
}
