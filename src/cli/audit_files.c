#include "cli/audit_files.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/hash.h"
#include "report/input.h"
#include "route/route.h"
#include "territory/table.h"

#define PIECE ((size_t)1 << 20)

static enum err check_table(const char *path)
{
	struct table *t = NULL;
	enum err e = table_open(path, &t);

	if (e == ERR_TABLE_MISSING)
		return OK; /* not built yet */
	if (e == OK && (e = table_check(t)) != OK)
		e = fail(e, "%s: its content fails its checksum", path);
	table_close(t);
	return e;
}

/* A rejects file has a part of its sum in its name. */
static enum err check_rejects(const char *path)
{
	struct span want;
	struct mapped file;
	char hex[HASH_HEX + 1];
	enum err e = OK;

	if (!route_rejects_sum(path, &want))
		return OK;
	if ((e = file_map(path, &file)) != OK)
		return e;
	hash_hex(hash_bytes(file.at, file.len), hex);
	file_unmap(&file);
	if (!span_equal(want, span_make(hex, want.len)))
		e = fail(ERR_DAMAGED,
			 "%s: not as it was written; put a copy of it back, or route its reports again with --rejects "
			 "FILE",
			 path);
	return e;
}

/* A list that `pending` names is what a crash left: the next routing cuts it back to what was committed. */
static bool is_pending(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char other[PATH_MAX];
	struct mapped file;
	struct span text, word;
	bool is;

	if (snprintf(other, sizeof(other), "%.*spending", (int)(name - path), path) >= (int)sizeof(other) ||
	    file_map(other, &file) != OK)
		return false;
	text = span_make((const char *)file.at, file.len);
	word = span_cut(&text, ' ');
	is = span_is(word, name);
	file_unmap(&file);
	return is;
}

/* zstd frames carry sums. */
static enum err check_unanswered(const char *path)
{
	struct input *in = NULL;
	char *piece = malloc(PIECE);
	size_t got = PIECE;
	enum err e;

	if (!span_ends(span_of(path), ".zst") || is_pending(path)) {
		free(piece);
		return OK;
	}
	e = piece == NULL ? ERR_NO_MEMORY : input_open(path, &in);
	while (e == OK && got == PIECE)
		e = input_read(in, piece, PIECE, &got);
	if (e != OK && !err_is_machine(e))
		e = fail(ERR_DAMAGED, "%s: a row or more cannot be read; put a copy of it back", path);
	if (in != NULL)
		input_close(in);
	free(piece);
	return e;
}

static enum err each_file(struct cli *c, const char *folder, enum err (*check)(const char *path))
{
	DIR *dir = opendir(folder);
	const struct dirent *d;
	enum err e = OK;

	while (dir != NULL && e == OK && (d = readdir(dir)) != NULL) {
		const char *path = arena_print(c->arena, "%s/%s", folder, d->d_name);

		if (path == NULL)
			e = ERR_NO_MEMORY;
		else if (d->d_name[0] != '.')
			e = check(path);
	}
	if (dir != NULL)
		closedir(dir);
	return e;
}

enum err audit_files(struct cli *c, const char *dir)
{
	const char *table = arena_print(c->arena, "%s/territory.table", dir);
	const char *rejects = arena_print(c->arena, "%s/rejects", dir);
	const char *unanswered = arena_print(c->arena, "%s/unanswered", dir);
	enum err e;

	if (table == NULL || rejects == NULL || unanswered == NULL)
		return ERR_NO_MEMORY;
	if ((e = check_table(table)) == OK && (e = each_file(c, rejects, check_rejects)) == OK)
		e = each_file(c, unanswered, check_unanswered);
	return e;
}
