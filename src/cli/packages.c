#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/registry.h"

#define RUN_SECONDS 300
#define LAST_WORDS 400

static const struct package {
	const char *name, *version, *archive;
	const char *tables[2];
} packages[] = {
	{ "@ip-location-db/asn",
	  "2.3.2026061719",
	  "ip-location-db-asn-2.3.2026061719.tgz",
	  { "asn-ipv4.csv", "asn-ipv6.csv" } },
	{ "@ip-location-db/geo-whois-asn-country",
	  "2.3.2026061719",
	  "ip-location-db-geo-whois-asn-country-2.3.2026061719.tgz",
	  { "geo-whois-asn-country-ipv4.csv", "geo-whois-asn-country-ipv6.csv" } },
};

/* In the child: nothing to read, and what it says goes into the log. */
static _Noreturn void become(char *const *argv, const char *log)
{
	int nothing = open("/dev/null", O_RDONLY), to = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (nothing == -1 || to == -1 || dup2(nothing, STDIN_FILENO) == -1 || dup2(to, STDOUT_FILENO) == -1 ||
	    dup2(to, STDERR_FILENO) == -1)
		_exit(126);
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Ends by itself, or is ended when its time is over. */
static int wait_for(pid_t child)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	int64_t until = clock_monotonic_us() + (int64_t)RUN_SECONDS * 1000000;
	int status = -1;
	pid_t ended;

	while ((ended = waitpid(child, &status, WNOHANG)) == 0 || (ended == -1 && errno == EINTR)) {
		if (clock_monotonic_us() > until) {
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return ended == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The end of the log, on one line. */
static const char *last_words(struct cli *c, const char *log)
{
	struct span text;
	char *words;

	if (file_read(c->arena, log, (size_t)1 << 20, &text) != OK)
		return "";
	while (text.len > 0 && text.at[text.len - 1] == '\n')
		text.len--;
	if (text.len > LAST_WORDS)
		text = span_from(text, text.len - LAST_WORDS);
	if ((words = arena_copy(c->arena, text.at, text.len)) == NULL)
		return "";
	for (char *p = words; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	return words;
}

/* Runs a program of the user's without any shell. */
static enum err run(struct cli *c, char *const *argv, const char *folder)
{
	char *log = arena_print(c->arena, "%s/%s.log", folder, argv[0]);
	pid_t child;
	int status;

	if (log == NULL)
		return fail(ERR_NO_MEMORY, "no room for a path");
	fflush(NULL);
	if ((child = fork()) == -1)
		return fail_errno("starting %s", argv[0]);
	if (child == 0)
		become(argv, log);
	status = wait_for(child);
	if (status == 127)
		return fail(ERR_NOT_FOUND, "%s is not installed", argv[0]);
	if (status != 0)
		return fail(ERR_UNREACHABLE, "%s failed: %s", argv[0], last_words(c, log));
	return OK;
}

/* What the package's folder is called: the archive without its ending. */
static char *folder_of(struct cli *c, const char *archive, const char *folder)
{
	const char *slash = strrchr(archive, '/'), *name = slash != NULL ? slash + 1 : archive;

	return arena_print(c->arena, "%s/%.*s", folder, (int)(strlen(name) - strlen(".tgz")), name);
}

static enum err add_tables(struct cli *c, const char *folder, struct registry_files *out)
{
	enum err e = OK;

	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
		for (int k = 0; e == OK && k < 2; k++) {
			char *path = arena_print(c->arena, "%s/package/%s", folder, packages[i].tables[k]);

			if (path == NULL)
				e = fail(ERR_NO_MEMORY, "no room for a path");
			else if (file_exists(path))
				e = registry_add(c, path, out);
		}
	return e;
}

enum err package_unpack(struct cli *c, const char *archive, const char *folder, struct registry_files *out)
{
	char *into = folder_of(c, archive, folder);
	char *argv[] = { "tar", "-xzf", arena_copy(c->arena, archive, strlen(archive)), "-C", into, "--no-same-owner",
			 NULL };
	size_t before = out->count;
	enum err e;

	if (into == NULL || argv[2] == NULL)
		return fail(ERR_NO_MEMORY, "no room for a path");
	if ((e = folder_make(into, 0755)) != OK || (e = run(c, argv, folder)) != OK)
		return e;
	e = add_tables(c, into, out);
	if (e == OK && out->count == before)
		e = fail(ERR_FORMAT_UNKNOWN, "%s holds no table that is known", archive);
	return e;
}

static enum err fetch_archive(struct cli *c, const struct package *p, const char *folder)
{
	char *wanted = arena_print(c->arena, "%s@%s", p->name, p->version);
	char *to = arena_copy(c->arena, folder, strlen(folder));
	char *argv[] = { "npm", "pack", wanted, "--pack-destination", to, NULL };

	if (wanted == NULL || to == NULL)
		return fail(ERR_NO_MEMORY, "no room for a path");
	registry_note("%s is fetched by the npm client", wanted);
	return run(c, argv, folder);
}

/* An archive that an earlier run left half-fetched is fetched again. */
static enum err fetch_package(struct cli *c, const struct package *p, const char *folder, struct registry_files *out)
{
	char *archive = arena_print(c->arena, "%s/%s", folder, p->archive);
	enum err e;

	if (archive == NULL)
		return fail(ERR_NO_MEMORY, "no room for a path");
	if (file_exists(archive)) {
		registry_note("%s %s: the archive that was fetched before is used again", p->name, p->version);
		if (package_unpack(c, archive, folder, out) == OK)
			return OK;
		registry_note("%s: it cannot be unpacked", archive);
		unlink(archive);
	}
	if ((e = fetch_archive(c, p, folder)) != OK)
		return e;
	return package_unpack(c, archive, folder, out);
}

enum err packages_fetch(struct cli *c, const char *folder, bool origins, bool countries, struct registry_files *out)
{
	bool wanted[] = { origins, countries };
	enum err e, first = OK;

	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
		if (!wanted[i] || (e = fetch_package(c, &packages[i], folder, out)) == OK)
			continue;
		registry_note("%s: %s", packages[i].name, err_detail());
		first = first == OK ? e : first;
	}
	return first;
}
