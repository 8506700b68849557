/* The published vectors of others: JSON files under data/ledger of a folder that lies beside the source, or where
 * COMITY_SHARED says. Without it a program says so and exits with 77. */
#ifndef VECTORS_H
#define VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* cmocka's fail() would hide the one of base/err.h. */
#undef fail
#undef fail_msg
#define fail_msg(...)                                                                                                  \
	do {                                                                                                           \
		print_error(__VA_ARGS__);                                                                              \
		print_error("\n");                                                                                     \
		_fail(__FILE__, __LINE__);                                                                             \
	} while (0)

#include <yyjson.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

#define SKIPPED 77

static struct arena *vectors_arena;

static inline const char *vectors_path(const char *name)
{
	static const char *const beside[] = { "../shared", "../../shared" };
	const char *named = getenv("COMITY_SHARED");

	if (named != NULL)
		return arena_print(vectors_arena, "%s/data/ledger/%s", named, name);
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		const char *path = arena_print(vectors_arena, "%s/data/ledger/%s", beside[i], name);

		if (file_exists(path))
			return path;
	}
	return arena_print(vectors_arena, "%s/data/ledger/%s", beside[0], name);
}

/* To be asked first in main(). */
static inline bool vectors_present(void)
{
	vectors_arena = arena_new((size_t)1 << 30);
	if (vectors_arena != NULL && file_exists(vectors_path("SOURCES.md")))
		return true;
	printf("skipped: no vectors at %s; COMITY_SHARED names their folder\n", vectors_path(""));
	return false;
}

static inline struct span vectors_file(const char *name)
{
	struct span content = { NULL, 0 };
	enum err e = file_read(vectors_arena, vectors_path(name), (size_t)1 << 26, &content);

	if (e != OK)
		fail_msg("%s: %s", name, err_detail());
	return content;
}

static inline struct span first_line(struct span file)
{
	return span_cut(&file, '\n');
}

static inline yyjson_val *vectors_json(const char *name)
{
	struct yyjson_doc *doc = NULL;

	if (json_read(vectors_arena, vectors_file(name), &doc) != OK)
		fail_msg("%s: %s", name, err_detail());
	return yyjson_doc_get_root(doc);
}

static inline yyjson_val *field(yyjson_val *object, const char *name)
{
	yyjson_val *v = yyjson_obj_get(object, name);

	if (v == NULL)
		fail_msg("a vector without %s", name);
	return v;
}

static inline struct span as_text(yyjson_val *v)
{
	if (!yyjson_is_str(v))
		fail_msg("a vector with something else than a text");
	return span_make(yyjson_get_str(v), yyjson_get_len(v));
}

static inline struct span text(yyjson_val *object, const char *name)
{
	return as_text(field(object, name));
}

static inline uint64_t number(yyjson_val *object, const char *name)
{
	yyjson_val *v = field(object, name);

	if (!yyjson_is_uint(v))
		fail_msg("%s is no number", name);
	return yyjson_get_uint(v);
}

static inline bool flag(yyjson_val *object, const char *name)
{
	return yyjson_get_bool(field(object, name));
}

/* What a case is called in messages. */
static inline const char *name_of(yyjson_val *object)
{
	yyjson_val *v = yyjson_obj_get(object, "name");

	return v != NULL ? yyjson_get_str(v) : "(no name)";
}

static inline struct span from_hex(struct span hex)
{
	char *out = arena_copy(vectors_arena, "", 0);

	if (hex.len > 0)
		out = arena_alloc(vectors_arena, hex.len / 2);
	if (hex_decode(hex, out, hex.len / 2) != OK)
		fail_msg("a vector's hex does not decode");
	return span_make(out, hex.len / 2);
}

/* False: not canonical base64. */
static inline bool from_base64(struct span base64, struct span *out)
{
	char *bytes = arena_alloc(vectors_arena, base64.len + 1);
	size_t length;

	if (base64_decode(base64, bytes, base64.len, &length) != OK)
		return false;
	*out = span_make(bytes, length);
	return true;
}

static inline struct hash as_hash(yyjson_val *v)
{
	struct span bytes = SPAN("");
	struct hash h;

	if (!from_base64(as_text(v), &bytes) || bytes.len != HASH_SIZE)
		fail_msg("a vector's hash does not decode");
	memcpy(h.bytes, bytes.at, HASH_SIZE);
	return h;
}

static inline struct hash hash_field(yyjson_val *object, const char *name)
{
	return as_hash(field(object, name));
}

static inline struct hash hex_hash(struct span hex)
{
	struct hash h;

	if (hash_from_hex(hex, &h) != OK)
		fail_msg("a vector's hash does not decode");
	return h;
}

/* Loops over the array `name` of an object. */
#define FOR_EACH(item, object, name)                                                                                   \
	for (yyjson_arr_iter item##_at = yyjson_arr_iter_with(field(object, name));                                    \
	     (item = yyjson_arr_iter_next(&item##_at)) != NULL;)

static inline void count_message(const char *file, size_t count)
{
	print_message("# %s: %zu vectors\n", file, count);
}

#endif
