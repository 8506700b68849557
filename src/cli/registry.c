#include "cli/registry.h"

#include <dirent.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "net/door.h"

#define CONNECT_MS 4000
#define TOTAL_MS 600000
#define FILE_MOST ((size_t)256 << 20)
#define OFFLINE_MAX 2000 /* files of a folder that are looked at */

/* Which question a source answers, for what else must be fetched if it is missing. */
enum group { ORIGINS_IPV4, ORIGINS_IPV6, NAMES, COUNTRIES };

static const struct primary {
	enum group group;
	const char *file, *name, *url;
} primaries[] = {
	{ COUNTRIES, "delegated-afrinic-extended-latest", "afrinic delegated-extended",
	  "https://ftp.afrinic.net/pub/stats/afrinic/delegated-afrinic-extended-latest" },
	{ COUNTRIES, "delegated-apnic-extended-latest", "apnic delegated-extended",
	  "https://ftp.apnic.net/stats/apnic/delegated-apnic-extended-latest" },
	{ COUNTRIES, "delegated-arin-extended-latest", "arin delegated-extended",
	  "https://ftp.arin.net/pub/stats/arin/delegated-arin-extended-latest" },
	{ COUNTRIES, "delegated-lacnic-extended-latest", "lacnic delegated-extended",
	  "https://ftp.lacnic.net/pub/stats/lacnic/delegated-lacnic-extended-latest" },
	{ COUNTRIES, "delegated-ripencc-extended-latest", "ripencc delegated-extended",
	  "https://ftp.ripe.net/pub/stats/ripencc/delegated-ripencc-extended-latest" },
	{ ORIGINS_IPV4, "riswhoisdump.IPv4.gz", "RIPE RIS whois dump",
	  "https://www.ris.ripe.net/dumps/riswhoisdump.IPv4.gz" },
	{ ORIGINS_IPV6, "riswhoisdump.IPv6.gz", "RIPE RIS whois dump",
	  "https://www.ris.ripe.net/dumps/riswhoisdump.IPv6.gz" },
	{ NAMES, "asn.txt", "RIPE AS names", "https://ftp.ripe.net/ripe/asnames/asn.txt" },
};
#define PRIMARIES (sizeof(primaries) / sizeof(primaries[0]))

struct fetching {
	const struct primary *source;
	const char *path;
	pthread_t thread;
	bool started;
	enum err err;
	char detail[512];
};

void registry_note(const char *format, ...)
{
	va_list arguments;

	fputs("comity: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

enum err registry_add(struct cli *c, const char *path, struct registry_files *out)
{
	char *copy = arena_copy(c->arena, path, strlen(path));

	if (copy == NULL)
		return fail(ERR_NO_MEMORY, "no room for a path");
	if (out->count == REGISTRY_FILES_MAX)
		return fail(ERR_TOO_LONG, "more than %d registry files", REGISTRY_FILES_MAX);
	out->at[out->count++] = (struct build_source){ .path = copy };
	return OK;
}

static void *fetch_one(void *context)
{
	const struct door_limits limits = { .most_bytes = FILE_MOST, .connect_ms = CONNECT_MS, .total_ms = TOTAL_MS };
	struct fetching *f = context;

	err_clear();
	f->err = door_fetch(f->source->url, &limits, f->path);
	memcpy(f->detail, err_detail(), strlen(err_detail()) + 1);
	return NULL;
}

/* All at once: where nothing answers, that is known after one time-out. */
static enum err fetch_all(struct cli *c, const char *folder, struct fetching f[PRIMARIES])
{
	for (size_t i = 0; i < PRIMARIES; i++) {
		f[i] = (struct fetching){ .source = &primaries[i] };
		if ((f[i].path = arena_print(c->arena, "%s/%s", folder, primaries[i].file)) == NULL)
			return fail(ERR_NO_MEMORY, "no room for a path");
	}
	for (size_t i = 0; i < PRIMARIES; i++) {
		f[i].started = pthread_create(&f[i].thread, NULL, fetch_one, &f[i]) == 0;
		if (!f[i].started)
			fetch_one(&f[i]);
	}
	for (size_t i = 0; i < PRIMARIES; i++)
		if (f[i].started)
			pthread_join(f[i].thread, NULL);
	return OK;
}

/* An earlier download will do, if there is one: its date is shown. */
static enum err judge(struct cli *c, const struct fetching *f, struct registry_files *out, bool missing[4])
{
	struct stat st;
	char date[CLOCK_TEXT];

	if (f->err == OK)
		return registry_add(c, f->path, out);
	if (err_is_machine(f->err))
		return fail(f->err, "%s", f->detail);
	if (stat(f->path, &st) == 0) {
		clock_format((int64_t)st.st_mtime * 1000, date);
		registry_note("%s: %s; the copy of %.10s is used again", f->source->name, f->detail, date);
		return registry_add(c, f->path, out);
	}
	registry_note("%s: %s", f->source->name, f->detail);
	missing[f->source->group] = true;
	return OK;
}

enum err registry_fetch(struct cli *c, struct registry_files *out)
{
	char *folder = arena_print(c->arena, "%s/registry", c->dir);
	bool missing[4] = { false };
	struct fetching f[PRIMARIES];
	enum err e;

	if (folder == NULL)
		return fail(ERR_NO_MEMORY, "no room for a path");
	if ((e = folder_make(folder, 0755)) != OK || (e = fetch_all(c, folder, f)) != OK)
		return e;
	for (size_t i = 0; e == OK && i < PRIMARIES; i++)
		e = judge(c, &f[i], out, missing);
	if (e != OK)
		return e;
	if (missing[ORIGINS_IPV4] || missing[ORIGINS_IPV6] || missing[NAMES] || missing[COUNTRIES])
		e = packages_fetch(c, folder, missing[ORIGINS_IPV4] || missing[ORIGINS_IPV6] || missing[NAMES],
				   missing[COUNTRIES], out);
	if (e != OK && out->count > 0) {
		registry_note("%s: %s; going on without it", err_code(e), err_detail());
		e = OK;
	}
	return e;
}

/* Of the same table the variant with decimal numbers says nothing new. */
static bool is_number_variant(const char *folder, const char *name)
{
	const char *num = strstr(name, "-num.csv");
	char other[4096];

	if (num == NULL || num[8] != '\0')
		return false;
	snprintf(other, sizeof(other), "%s/%.*s.csv", folder, (int)(num - name), name);
	return file_exists(other);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err list_folder(struct cli *c, const char *folder, char ***names, size_t *count)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	enum err e = OK;

	*count = 0;
	if (d == NULL)
		return fail_errno("%s", folder);
	if ((*names = arena_array(c->arena, OFFLINE_MAX, sizeof(**names))) == NULL)
		e = fail(ERR_NO_MEMORY, "no room for a folder");
	while (e == OK && *count < OFFLINE_MAX && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' &&
		    ((*names)[(*count)++] = arena_copy(c->arena, entry->d_name, strlen(entry->d_name))) == NULL)
			e = fail(ERR_NO_MEMORY, "no room for a folder");
	closedir(d);
	if (e == OK)
		qsort(*names, *count, sizeof(**names), compare_names);
	return e;
}

/* Files that are no tables are told apart by what they hold, when they are read. */
static enum err add_file(struct cli *c, const char *folder, const char *name, struct registry_files *out)
{
	char *path = arena_print(c->arena, "%s/%s", folder, name);
	char *registry = arena_print(c->arena, "%s/registry", c->dir);
	struct stat st;
	enum err e;

	if (path == NULL || registry == NULL)
		return fail(ERR_NO_MEMORY, "no room for a path");
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || is_number_variant(folder, name))
		return OK;
	if (!span_ends(span_of(name), ".tgz"))
		return registry_add(c, path, out);
	if ((e = folder_make(registry, 0755)) != OK)
		return e;
	return package_unpack(c, path, registry, out);
}

enum err registry_from_folder(struct cli *c, const char *folder, struct registry_files *out)
{
	char **names = NULL;
	size_t count;
	enum err e = list_folder(c, folder, &names, &count);

	for (size_t i = 0; e == OK && i < count; i++)
		e = add_file(c, folder, names[i], out);
	if (e == OK && out->count == 0)
		e = fail(ERR_NOT_FOUND, "%s holds no registry file", folder);
	return e;
}
