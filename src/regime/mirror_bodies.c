/* Public bodies beside a mirror: DIR/followed/<node>/body/<sha256>, and how far the ledger was looked through for them. */
#include <stdio.h>

#include "base/file.h"
#include "regime/mirror_private.h"
#include "store/journal.h"

static const char *body_path(struct arena *a, const char *dir, struct hash hash)
{
	char hex[HASH_HEX + 1];

	hash_hex(hash, hex);
	return arena_print(a, "%s/body/%s", dir, hex);
}

enum err mirror_body(const char *dir, struct arena *a, struct hash hash, struct span *payload)
{
	const char *path = body_path(a, dir, hash);
	enum err e = path == NULL ? ERR_NO_MEMORY : file_read(a, path, MIRROR_BODY_MAX, payload);

	if (e == OK && !hash_equal(hash_span(*payload), hash))
		e = fail(ERR_DAMAGED, "%s: not what its name says", path);
	return e;
}

enum err mirror_body_keep(const char *dir, struct arena *a, struct hash hash, struct span payload)
{
	const char *path = body_path(a, dir, hash), *folder = mirror_path(a, dir, "body");
	enum err e = path == NULL || folder == NULL ? ERR_NO_MEMORY : folder_make_durable(folder, 0700);

	return e == OK ? file_write(path, payload, 0600) : e;
}

bool mirror_body_is_kept(const char *dir, struct arena *a, struct hash hash)
{
	const char *path = body_path(a, dir, hash);

	return path != NULL && file_exists(path);
}

enum err mirror_bodies_reached(const char *dir, struct arena *a, uint64_t *index)
{
	const char *path = mirror_path(a, dir, "bodies");
	struct span text;
	enum err e = path == NULL ? ERR_NO_MEMORY : file_read(a, path, 64, &text);

	*index = 0;
	if (e == OK && span_u64(span_trim(text), INT64_MAX, index) != OK)
		*index = 0; /* all are looked at again */
	return e == ERR_NOT_FOUND || e == ERR_TOO_LONG ? OK : e;
}

enum err mirror_bodies_reach(const char *dir, struct arena *a, uint64_t index)
{
	const char *path = mirror_path(a, dir, "bodies"), *text = arena_print(a, "%ju", (uintmax_t)index);

	return path == NULL || text == NULL ? ERR_NO_MEMORY : file_write(path, span_of(text), 0600);
}
