/* Tiles: names, bundles, and whole ledgers written by another program, made anew by ours. */
#include "vectors.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/tiles.h"
#include "note/note.h"

static unsigned width_of(uint64_t w)
{
	return w == TILE_WIDTH ? 0 : (unsigned)w; /* the vectors write a full tile as 256 */
}

static void assert_path(struct tile t, struct span expected)
{
	char path[TILE_PATH_MAX];

	if (!span_equal(span_make(path, tile_path(t, path)), expected))
		fail_msg("%s, not %.*s", path, SPAN_FORMAT(expected));
}

static void paths(void **state)
{
	yyjson_val *root = vectors_json("tiles/path_vectors.json"), *c;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "index")
	{
		const char *path = arena_print(vectors_arena, "tile/0/%.*s", SPAN_FORMAT(text(c, "path")));

		assert_path((struct tile){ 0, number(c, "n"), 0 }, span_of(path));
		vectors++;
	}
	FOR_EACH(c, root, "full")
	{
		yyjson_val *level = field(c, "level");
		int l = yyjson_is_str(level) ? TILE_ENTRIES : (int)yyjson_get_int(level);

		assert_path((struct tile){ l, number(c, "n"), width_of(number(c, "w")) }, text(c, "path"));
		vectors++;
	}
	FOR_EACH(c, root, "path_for_entry")
	{
		uint64_t n = number(c, "index") / TILE_WIDTH;

		assert_path(
			(struct tile){ TILE_ENTRIES, n, width_of(tile_width(TILE_ENTRIES, n, number(c, "tree_size"))) },
			text(c, "path"));
		vectors++;
	}
	FOR_EACH(c, root, "parse")
	{
		const char *path = arena_print(vectors_arena, "tile/%.*s/%.*s", SPAN_FORMAT(text(c, "level")),
					       SPAN_FORMAT(text(c, "index_path")));
		struct tile t;
		bool ok = tile_parse_path(span_of(path), &t) == OK;

		if (ok != flag(c, "ok"))
			fail_msg("%s", path);
		if (ok) {
			assert_int_equal(t.level, number(c, "parsed_level"));
			assert_int_equal(t.n, number(c, "index"));
			assert_int_equal(t.width, width_of(number(c, "width")));
		}
		vectors++;
	}
	count_message("tiles/path_vectors.json, names", vectors);
}

static void shapes(void **state)
{
	yyjson_val *root = vectors_json("tiles/path_vectors.json"), *c, *l;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "tiles_of_size")
	{
		uint64_t size = number(c, "size");
		int levels = 0;

		FOR_EACH(l, c, "levels")
		{
			int level = (int)number(l, "level");

			assert_int_equal(tile_last(level, size), number(l, "full"));
			assert_int_equal(tile_width(level, number(l, "full"), size), number(l, "partial"));
			levels++;
		}
		assert_int_equal(tile_width(levels, 0, size), 0);
		vectors++;
	}
	count_message("tiles/path_vectors.json, shapes", vectors);
}

static void bundles(void **state)
{
	yyjson_val *root = vectors_json("tiles/bundle_vectors.json"), *c, *largest = field(root, "largest_entry");
	char *longest = arena_alloc(vectors_arena, ENTRY_MAX);
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "cases")
	{
		struct span rest = from_hex(text(c, "hex")), entry;
		size_t i = 0;
		bool ok = true;

		while (ok && rest.len > 0) {
			if (!(ok = bundle_next(&rest, &entry) == OK) || !flag(c, "ok"))
				continue;
			assert_true(span_equal(entry, from_hex(as_text(yyjson_arr_get(field(c, "entries_hex"), i)))));
			assert_true(hash_equal(merkle_leaf(entry),
					       hex_hash(as_text(yyjson_arr_get(field(c, "leaf_hashes_hex"), i)))));
			i++;
		}
		if (ok != flag(c, "ok"))
			fail_msg("%s", name_of(c));
		if (ok)
			assert_int_equal(i, yyjson_arr_size(field(c, "entries_hex")));
		vectors++;
	}
	memset(longest, 'a', ENTRY_MAX);
	assert_true(hash_equal(merkle_leaf(span_make(longest, ENTRY_MAX)), hex_hash(text(largest, "leaf_hash_hex"))));
	count_message("tiles/bundle_vectors.json", vectors + 1);
}

/* The ledgers of another program. */

#define FILES_MOST 200

static struct seen {
	char *name; /* below the ledger's folder */
	bool matched;
} files[FILES_MOST];
static size_t file_count;
static const char *walk_root;

static int remember_file(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)f;
	if (type == FTW_F) {
		const char *name = path + strlen(walk_root) + 1;

		if (file_count == FILES_MOST)
			return -1;
		files[file_count++] = (struct seen){ arena_copy(vectors_arena, name, strlen(name)), false };
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static void list_files(const char *dir)
{
	file_count = 0;
	walk_root = dir;
	assert_int_equal(nftw(dir, remember_file, 16, FTW_PHYS), 0);
}

static struct span read_file(const char *dir, const char *name)
{
	struct span content = { NULL, 0 };

	if (file_read(vectors_arena, arena_print(vectors_arena, "%s/%s", dir, name), 1 << 24, &content) != OK)
		fail_msg("%s/%s: %s", dir, name, err_detail());
	return content;
}

/* Every tile that the tree of this size needs is there under the same name with the same bytes. */
static void match_files(const char *ours, const char *theirs, uint64_t size)
{
	char name[TILE_PATH_MAX];

	for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++)
		for (uint64_t n = 0; tile_width(level, n, size) > 0; n++) {
			tile_path((struct tile){ level, n, width_of(tile_width(level, n, size)) }, name);
			if (!span_equal(read_file(ours, name), read_file(theirs, name)))
				fail_msg("%s of size %ju differs", name, (uintmax_t)size);
			for (size_t i = 0; i < file_count; i++)
				if (strcmp(files[i].name, name) == 0)
					files[i].matched = true;
		}
}

/* Feeds our publisher with their entries and publishes whenever they did. */
static void make_anew(const char *theirs, uint64_t size, uint64_t step, bool own_checkpoints)
{
	static const uint8_t seed[KEY_SEED_SIZE] = { 1 };
	char ours[] = "/tmp/comity-conformance-XXXXXX";
	struct ledger_reader *r = NULL;
	struct publisher *p = NULL;
	struct signer *s = NULL;
	struct buffer note = BUFFER(4096);

	assert_non_null(mkdtemp(ours));
	list_files(theirs);
	assert_int_equal(signer_from_seed(SPAN("example.com/log/testdata"), seed, &s), OK);
	assert_int_equal(ledger_reader_open(theirs, &r), OK);
	ledger_reader_set_size(r, size);
	assert_int_equal(publisher_open(ours, 0, &p), OK);
	for (uint64_t i = 0; i <= size; i++) {
		const struct frontier *f = publisher_frontier(p);
		struct checkpoint c = { SPAN("example.com/log/testdata"), f->size, frontier_root(f), SPAN("") };
		struct span entry;

		if (i % step == 0) {
			buffer_clear(&note);
			if (own_checkpoints)
				assert_int_equal(checkpoint_sign(&c, s, &note), OK);
			else
				buffer_span(&note, read_file(theirs, arena_print(vectors_arena, "checkpoint.%ju",
										 (uintmax_t)i)));
			assert_int_equal(publisher_publish(p, buffer_view(&note)), OK);
			match_files(ours, theirs, i);
		}
		if (i < size) {
			assert_int_equal(ledger_reader_entry(r, vectors_arena, i, &entry), OK);
			assert_int_equal(publisher_add(p, entry), OK);
		}
	}
	for (size_t i = 0; i < file_count; i++)
		if (!files[i].matched && strncmp(files[i].name, "checkpoint", strlen("checkpoint")) != 0)
			fail_msg("%s: never made", files[i].name);
	publisher_close(p);
	ledger_reader_close(r);
	signer_free(s);
	buffer_free(&note);
	nftw(ours, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct hash root_of(const char *dir)
{
	struct verifier v;
	struct checkpoint c;

	assert_int_equal(verifier_parse(first_line(vectors_file("logs/vkey.txt")), &v), OK);
	assert_int_equal(checkpoint_open(vectors_arena, read_file(dir, "checkpoint"), &v, &c), OK);
	return c.root;
}

static void copy_ledger(const char *from, const char *to)
{
	for (size_t i = 0; i < file_count; i++) {
		char *path = arena_print(vectors_arena, "%s/%s", to, files[i].name);
		char *folder = arena_copy(vectors_arena, path, strlen(path));

		*strrchr(folder, '/') = '\0';
		assert_int_equal(folder_make(folder, 0755), OK);
		assert_int_equal(file_write_lazily(path, read_file(from, files[i].name), 0600), OK);
	}
}

/* In place: replacing a file by rename makes some file systems write it out at once. */
static void put_byte(const char *path, size_t at, char byte)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

/* Flips up to about `most` bytes of each tile file, spread over it, one at a time. */
static size_t flip_bytes(const char *dir, uint64_t size, struct hash root, size_t most)
{
	size_t flips = 0;

	for (size_t i = 0; i < file_count; i++) {
		const char *path = arena_print(vectors_arena, "%s/%s", dir, files[i].name);
		struct span content = read_file(dir, files[i].name);
		size_t step = content.len > most ? content.len / most : 1;

		if (strncmp(files[i].name, "tile/", 5) != 0)
			continue;
		for (size_t at = 0; at < content.len; at += step, flips++) {
			put_byte(path, at, (char)(content.at[at] ^ 1 << at % 8));
			if (ledger_check(dir, size, root, NULL, NULL, vectors_arena, NULL) != ERR_LEDGER_DIFFERS)
				fail_msg("%s: byte %zu flipped and nobody saw", files[i].name, at);
			put_byte(path, at, content.at[at]);
		}
	}
	return flips;
}

static void checked(const char *theirs, uint64_t size, size_t most)
{
	char dir[] = "/tmp/comity-conformance-XXXXXX";
	struct hash root = root_of(theirs);
	size_t flips;

	assert_int_equal(ledger_check(theirs, size, root, NULL, NULL, vectors_arena, NULL), OK);
	assert_non_null(mkdtemp(dir));
	list_files(theirs);
	copy_ledger(theirs, dir);
	flips = flip_bytes(dir, size, root, most);
	assert_int_equal(ledger_check(dir, size, root, NULL, NULL, vectors_arena, NULL), OK);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	print_message("# %s: %zu flipped bytes found\n", theirs, flips);
}

static void steps_made_anew(void **state)
{
	(void)state;
	make_anew(vectors_path("logs/steps-0-15"), 15, 1, false);
}

static void six_hundred_made_anew(void **state)
{
	(void)state;
	make_anew(vectors_path("logs/size-600"), 600, 50, true);
}

static void steps_checked(void **state)
{
	(void)state;
	checked(vectors_path("logs/steps-0-15"), 15, 1000);
}

static void six_hundred_checked(void **state)
{
	(void)state;
	checked(vectors_path("logs/size-600"), 600, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(shapes),
		cmocka_unit_test(bundles),
		cmocka_unit_test(steps_made_anew),
		cmocka_unit_test(six_hundred_made_anew),
		cmocka_unit_test(steps_checked),
		cmocka_unit_test(six_hundred_checked),
	};

	return vectors_present() ? cmocka_run_group_tests(tests, NULL, NULL) : SKIPPED;
}
