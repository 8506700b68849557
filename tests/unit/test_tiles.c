#include "test.h"

#include "ledger/tiles.h"
#include "scratch.h"

#include <errno.h>

#include "ledger/checkpoint.h"

static int fsyncs, syncfss, syncs_left = -1; /* syncs_left: how many may still succeed; -1: all */

/* These stand in for the C library's, so that a test can count them and make them fail. They sync nothing: a test should
 * not wait for what others write on the same disk. */
static int sync_fails(void)
{
	if (syncs_left == 0) {
		errno = EIO;
		return -1;
	}
	syncs_left -= syncs_left > 0;
	return 0;
}

int fsync(int fd)
{
	(void)fd;
	fsyncs++;
	return sync_fails();
}

int syncfs(int fd)
{
	(void)fd;
	syncfss++;
	return sync_fails();
}

struct world {
	struct scratch *s;
	struct publisher *p;
	struct signer *key;
	struct buffer note;
	const char *dir;
	uint64_t size; /* entries fed so far */
};

static int setup(void **state)
{
	static const uint8_t seed[KEY_SEED_SIZE] = { 1 };
	struct world *w = calloc(1, sizeof(*w));
	void *s = NULL;

	if (w == NULL || scratch_setup(&s) != 0 || signer_from_seed(SPAN("l.example"), seed, &w->key) != OK)
		return -1;
	w->s = s;
	w->dir = scratch_path(w->s, "ledger");
	w->note = BUFFER(4096);
	fsyncs = syncfss = 0;
	syncs_left = -1;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	void *s = w->s;

	publisher_close(w->p);
	signer_free(w->key);
	buffer_free(&w->note);
	free(w);
	return scratch_teardown(&s);
}

/* Entry i of every test, of different lengths; the first is empty. */
static struct span entry_of(uint64_t i, char room[64])
{
	size_t n = i == 0 ? 0 : (size_t)snprintf(room, 64, "statement %ju", (uintmax_t)i);

	memset(room + n, 'x', i % 7);
	return span_make(room, i == 0 ? 0 : n + i % 7);
}

static enum err feed(struct world *w, uint64_t until)
{
	char room[64];
	enum err e = OK;

	while (e == OK && w->size < until)
		e = publisher_add(w->p, entry_of(w->size++, room));
	return e;
}

static struct checkpoint head_of(struct world *w)
{
	const struct frontier *f = publisher_frontier(w->p);

	return (struct checkpoint){ SPAN("l.example"), f->size, frontier_root(f), SPAN("") };
}

static enum err publish(struct world *w)
{
	struct checkpoint c = head_of(w);

	buffer_clear(&w->note);
	assert_int_equal(checkpoint_sign(&c, w->key, &w->note), OK);
	return publisher_publish(w->p, buffer_view(&w->note));
}

static enum err reopen(struct world *w, uint64_t size)
{
	publisher_close(w->p);
	w->p = NULL;
	w->size = size;
	return publisher_open(w->dir, size, &w->p);
}

static void publish_up_to(struct world *w, uint64_t size)
{
	if (w->p == NULL)
		assert_int_equal(reopen(w, 0), OK);
	assert_int_equal(feed(w, size), OK);
	assert_int_equal(publish(w), OK);
}

/* The root of the first n entries, by the definition. */
static struct hash naive_root(uint64_t first, uint64_t n)
{
	char room[64];
	uint64_t k = 1;

	if (n == 0)
		return merkle_empty();
	if (n == 1)
		return merkle_leaf(entry_of(first, room));
	while (2 * k < n)
		k *= 2;
	return merkle_node(naive_root(first, k), naive_root(first + k, n - k));
}

static enum err check(struct world *w, uint64_t size)
{
	struct span where;

	return ledger_check(w->dir, size, naive_root(0, size), NULL, NULL, w->s->arena, &where);
}

/* Every file that a tree of this size needs, made by definition. */
static void assert_tile_files(struct world *w, uint64_t size)
{
	for (int level = TILE_ENTRIES; level < 3; level++)
		for (uint64_t n = 0; tile_width(level, n, size) > 0; n++) {
			unsigned width = tile_width(level, n, size);
			char name[TILE_PATH_MAX], room[64];
			struct buffer expected = BUFFER(1 << 20);
			uint64_t span = (uint64_t)1 << (8 * (level < 0 ? 0 : level));

			tile_path((struct tile){ level, n, width == TILE_WIDTH ? 0 : width }, name);
			for (uint64_t i = n * TILE_WIDTH; i < n * TILE_WIDTH + width; i++)
				if (level == TILE_ENTRIES)
					bundle_append(&expected, entry_of(i, room));
				else
					buffer_bytes(&expected, naive_root(i * span, span).bytes, HASH_SIZE);
			if (!span_equal(scratch_read(w->s, arena_print(w->s->arena, "ledger/%s", name)),
					buffer_view(&expected)))
				fail_msg("%s of size %ju differs", name, (uintmax_t)size);
			buffer_free(&expected);
		}
}

static void paths(void **state)
{
	static const struct {
		struct tile t;
		const char *path;
	} table[] = {
		{ { 0, 0, 0 }, "tile/0/000" },
		{ { 0, 273, 112 }, "tile/0/273.p/112" },
		{ { 1, 999, 1 }, "tile/1/999.p/1" },
		{ { TILE_ENTRIES, 1000, 255 }, "tile/entries/x001/000.p/255" },
		{ { 63, 1234067, 0 }, "tile/63/x001/x234/067" },
		{ { 15, UINT64_MAX, 255 }, "tile/15/x018/x446/x744/x073/x709/x551/615.p/255" },
	};
	char path[TILE_PATH_MAX];
	struct tile t;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		assert_int_equal(tile_path(table[i].t, path), strlen(table[i].path));
		assert_string_equal(path, table[i].path);
		assert_int_equal(tile_parse_path(span_of(path), &t), OK);
		assert_true(t.level == table[i].t.level && t.n == table[i].t.n && t.width == table[i].t.width);
	}
}

static void texts_that_are_no_paths(void **state)
{
	static const char *const table[] = {
		"",
		"tile",
		"tile/",
		"tile/0",
		"tile/0/",
		"tile//000",
		"/tile/0/000",
		"tile/0/000/",
		"tile/0/00",
		"tile/0/0000",
		"tile/0/x000/000",
		"tile/0/x000/001",
		"tile/0/x001/x002",
		"tile/0/001/002",
		"tile/0/X001/002",
		"tile/64/000",
		"tile/00/000",
		"tile/-1/000",
		"tile/+1/000",
		"tile/entry/000",
		"tile/Entries/000",
		"tile/0/000.p",
		"tile/0/000.p/",
		"tile/0/000.p/0",
		"tile/0/000.p/256",
		"tile/0/000.p/01",
		"tile/0/000.p/1/",
		"tile/0/000.q/1",
		"tile/0/000.",
		"tile/0/../000",
		"tile/0/x018/x446/x744/x073/x709/x551/616",
		"tile/0/ 01",
		"tile/0/000 ",
		"tile/0/x001//000",
	};
	struct tile t;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if (tile_parse_path(span_of(table[i]), &t) != ERR_TILE)
			fail_msg("accepted: %s", table[i]);
}

static void paths_go_round(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct tile t = { (int)test_below(&seed, 65) - 1, test_random(&seed) >> test_below(&seed, 64),
				  (unsigned)test_below(&seed, 256) },
			    back;
		char path[TILE_PATH_MAX];

		assert_int_equal(tile_parse_path(span_make(path, tile_path(t, path)), &back), OK);
		assert_true(t.level == back.level && t.n == back.n && t.width == back.width);
	}
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(tile_width(0, 0, 0), 0);
	assert_int_equal(tile_width(0, 273, 70000), 112);
	assert_int_equal(tile_width(0, 272, 70000), 256);
	assert_int_equal(tile_width(0, 274, 70000), 0);
	assert_int_equal(tile_width(TILE_ENTRIES, 273, 70000), 112);
	assert_int_equal(tile_width(1, 1, 70000), 17);
	assert_int_equal(tile_width(2, 0, 70000), 1);
	assert_int_equal(tile_width(3, 0, 70000), 0);
	assert_int_equal(tile_width(7, 0, UINT64_MAX), 255);
	assert_int_equal(tile_width(8, 0, UINT64_MAX), 0);
	assert_int_equal(tile_width(63, 0, UINT64_MAX), 0);
	assert_int_equal(tile_last(0, UINT64_MAX), UINT64_MAX >> 8);
}

static void bundles(void **state)
{
	struct buffer b = BUFFER(1 << 17);
	char *longest = malloc(ENTRY_MAX);
	struct span rest, entry;

	(void)state;
	memset(longest, 'a', ENTRY_MAX);
	bundle_append(&b, SPAN(""));
	bundle_append(&b, SPAN("a"));
	bundle_append(&b, span_make(longest, ENTRY_MAX));
	rest = buffer_view(&b);
	assert_int_equal(bundle_next(&rest, &entry), OK);
	assert_int_equal(entry.len, 0);
	assert_int_equal(bundle_next(&rest, &entry), OK);
	assert_span(entry, "a");
	assert_int_equal(bundle_next(&rest, &entry), OK);
	assert_int_equal(entry.len, ENTRY_MAX);
	assert_int_equal(rest.len, 0);
	rest = span_make(b.at, 1);
	assert_int_equal(bundle_next(&rest, &entry), ERR_TILE);
	rest = span_make(b.at, b.len - 1);
	bundle_next(&rest, &entry);
	bundle_next(&rest, &entry);
	assert_int_equal(bundle_next(&rest, &entry), ERR_TILE);
	free(longest);
	buffer_free(&b);
}

static void files_of_every_step(void **state)
{
	struct world *w = *state;

	for (uint64_t size = 0; size <= 20; size++) {
		publish_up_to(w, size);
		assert_tile_files(w, size);
		assert_true(span_equal(scratch_read(w->s, "ledger/checkpoint"), buffer_view(&w->note)));
	}
	for (uint64_t size = 255; size <= 258; size++) {
		publish_up_to(w, size);
		assert_tile_files(w, size);
		assert_int_equal(check(w, size), OK);
	}
	assert_true(scratch_has(w->s, "ledger/tile/0/001.p/2"));
	assert_true(scratch_has(w->s, "ledger/tile/0/001.p/1")); /* an earlier checkpoint needs it */
	assert_false(scratch_has(w->s, "ledger/tile/0/000.p"));	 /* what the full tile replaces is gone */
	assert_false(scratch_has(w->s, "ledger/tile/entries/000.p"));
}

/* Any way of cutting the work into publishings and restarts gives the same files. */
static void restarts_at_any_size(void **state)
{
	struct world *w = *state;
	uint64_t seed = test_seed(), size = 0;

	while (size < 2000) {
		size += test_below(&seed, 2) == 0 ? test_below(&seed, 4) : test_below(&seed, 400);
		publish_up_to(w, size);
		if (test_below(&seed, 3) == 0)
			assert_int_equal(reopen(w, size), OK);
		else if (test_below(&seed, 6) == 0)
			assert_int_equal(reopen(w, test_below(&seed, size + 1)),
					 OK); /* back a little: the same again */
	}
	if (w->size < size)
		publish_up_to(w, size);
	assert_tile_files(w, size);
	assert_int_equal(check(w, size), OK);
}

static enum err count_entry(void *context, uint64_t index, struct span entry)
{
	uint64_t *count = context;
	char room[64];

	assert_int_equal(index, *count);
	assert_true(span_equal(entry, entry_of(index, room)));
	return ++*count == 70000 ? ERR_BUSY : OK;
}

static void three_levels(void **state)
{
	struct world *w = *state;
	uint64_t count = 0, seed = test_seed();
	struct ledger_reader *r = NULL;
	struct hash root;
	struct span where;
	char room[64];

	publish_up_to(w, 66000);
	assert_int_equal(syncfss, 1);
	assert_true(fsyncs <= 4); /* the checkpoint and its folder */
	assert_int_equal(reopen(w, 66000), OK);
	publish_up_to(w, 70001);
	root = naive_root(0, 70001);
	assert_true(hash_equal(frontier_root(publisher_frontier(w->p)), root));
	assert_true(scratch_has(w->s, "ledger/tile/2/000.p/1"));
	assert_true(scratch_has(w->s, "ledger/tile/1/000"));
	assert_int_equal(ledger_check(w->dir, 70001, root, count_entry, &count, w->s->arena, &where), ERR_BUSY);
	assert_int_equal(count, 70000);
	assert_int_equal(ledger_reader_open(w->dir, &r), OK);
	ledger_reader_set_size(r, 70001);
	for (int i = 0; i < 300; i++) {
		uint64_t index = test_below(&seed, 70001), old = 1 + test_below(&seed, 70001);
		struct span entry;
		struct merkle_proof p;

		assert_int_equal(ledger_reader_entry(r, w->s->arena, index, &entry), OK);
		assert_true(span_equal(entry, entry_of(index, room)));
		assert_int_equal(merkle_inclusion(index, 70001, ledger_reader_fetch, r, &p), OK);
		assert_int_equal(merkle_verify_inclusion(index, 70001, merkle_leaf(entry), p.hashes, p.count, root),
				 OK);
		assert_int_equal(merkle_consistency(old, 70001, ledger_reader_fetch, r, &p), OK);
		if (i < 5)
			assert_int_equal(
				merkle_verify_consistency(old, 70001, p.hashes, p.count, naive_root(0, old), root), OK);
	}
	ledger_reader_close(r);
}

/* Smaller trees come out of the tiles of the last checkpoint; earlier checkpoints are served by what replaced theirs. */
static void a_reader_of_older_sizes(void **state)
{
	struct world *w = *state;
	struct ledger_reader *r = NULL;
	struct span entry, note;
	struct hash root;

	assert_int_equal(ledger_reader_open(scratch_path(w->s, "ledger"), &r), OK);
	assert_int_equal(ledger_reader_checkpoint(r, w->s->arena, &note), ERR_NOT_FOUND);
	publish_up_to(w, 100);
	publish_up_to(w, 300);
	publish_up_to(w, 600);
	assert_int_equal(ledger_reader_checkpoint(r, w->s->arena, &note), OK);
	assert_true(span_equal(note, buffer_view(&w->note)));
	ledger_reader_set_size(r, 600);
	for (uint64_t size = 0; size <= 600; size++) {
		assert_int_equal(merkle_root(size, ledger_reader_fetch, r, &root), OK);
		assert_true(hash_equal(root, naive_root(0, size)));
	}
	for (uint64_t size = 100; size <= 300; size += 200) {
		ledger_reader_set_size(r, size);
		assert_int_equal(merkle_root(size, ledger_reader_fetch, r, &root), OK);
		assert_true(hash_equal(root, naive_root(0, size)));
		assert_int_equal(ledger_reader_entry(r, w->s->arena, size, &entry), ERR_TILE);
		assert_int_equal(ledger_reader_entry(r, w->s->arena, size - 1, &entry), OK);
	}
	ledger_reader_set_size(r, 600);
	assert_int_equal(ledger_reader_fetch(r, 0, 600, &root), ERR_TILE);
	assert_int_equal(ledger_reader_fetch(r, 3, 75, &root), ERR_TILE);
	assert_int_equal(ledger_reader_fetch(r, 64, 0, &root), ERR_TILE);
	assert_int_equal(ledger_reader_fetch(r, 63, UINT64_MAX, &root), ERR_TILE);
	ledger_reader_close(r);
}

static void misshapen_files_are_said(void **state)
{
	struct world *w = *state;
	struct ledger_reader *r = NULL;
	struct span entry;
	struct hash h;

	publish_up_to(w, 10);
	assert_int_equal(ledger_reader_open(w->dir, &r), OK);
	ledger_reader_set_size(r, 10);
	scratch_write(w->s, "ledger/tile/0/000.p/10", SPAN("short"));
	assert_int_equal(ledger_reader_fetch(r, 0, 0, &h), ERR_TILE);
	scratch_write(w->s, "ledger/tile/entries/000.p/10", SPAN("\0\1a"));
	assert_int_equal(ledger_reader_entry(r, w->s->arena, 0, &entry), ERR_TILE);
	ledger_reader_set_size(r, 300); /* nobody published that */
	assert_int_equal(ledger_reader_fetch(r, 0, 299, &h), ERR_TILE);
	ledger_reader_close(r);
}

static void flip(struct world *w, const char *name, size_t at, int bit)
{
	struct span content = scratch_read(w->s, name);
	char *copy = arena_copy(w->s->arena, content.at, content.len);

	assert_true(at < content.len);
	copy[at] ^= (char)(1 << bit);
	assert_int_equal(scratch_write(w->s, name, span_make(copy, content.len)), OK);
}

static void a_check_finds_any_flipped_byte(void **state)
{
	static const char *const names[] = {
		"tile/0/000",		"tile/0/001",	    "tile/0/002.p/88",
		"tile/0/002.p/1",	"tile/1/000.p/2",   "tile/1/000.p/1",
		"tile/entries/000",	"tile/entries/001", "tile/entries/002.p/88",
		"tile/entries/002.p/1",
	};
	struct world *w = *state;
	uint64_t seed = test_seed();
	struct hash root;

	publish_up_to(w, 256);
	publish_up_to(w, 513);
	publish_up_to(w, 600);
	assert_int_equal(check(w, 600), OK);
	root = naive_root(0, 600);
	for (size_t i = 0; i < TABLE_LENGTH(names); i++) {
		const char *name = arena_print(w->s->arena, "ledger/%s", names[i]);
		size_t length = scratch_read(w->s, name).len;

		for (int round = 0; round < 20; round++) {
			size_t at = test_below(&seed, length);
			struct span where = SPAN("");

			flip(w, name, at, round % 8);
			if (ledger_check(w->dir, 600, root, NULL, NULL, w->s->arena, &where) != ERR_LEDGER_DIFFERS ||
			    where.len == 0)
				fail_msg("%s, byte %zu", name, at);
			if (!span_starts(span_of(names[i]), "tile/entries"))
				assert_span(where, names[i]);
			flip(w, name, at, round % 8);
		}
	}
	assert_int_equal(check(w, 600), OK);
	root.bytes[0] ^= 1;
	assert_int_equal(ledger_check(w->dir, 600, root, NULL, NULL, w->s->arena, NULL), ERR_LEDGER_DIFFERS);
	assert_int_equal(check(w, 601), ERR_LEDGER_DIFFERS); /* an entry is missing */
	assert_int_equal(unlink(scratch_path(w->s, "ledger/tile/0/001")), 0);
	assert_int_equal(check(w, 600), ERR_LEDGER_DIFFERS);
}

static void leftovers_of_a_crash_are_replaced(void **state)
{
	struct world *w = *state;

	publish_up_to(w, 100);
	/* what a later, lost round wrote: torn, empty, of zeros */
	assert_int_equal(folder_make(scratch_path(w->s, "ledger/tile/0/000.p"), 0755), OK);
	scratch_write(w->s, "ledger/tile/0/000.p/150", SPAN("torn"));
	scratch_write(w->s, "ledger/tile/0/000.p/150.tmp", SPAN("torn"));
	scratch_write(w->s, "ledger/tile/0/000", SPAN(""));
	scratch_write(w->s, "ledger/tile/entries/000", SPAN("torn"));
	scratch_write(w->s, "ledger/tile/0/001", SPAN("torn"));
	assert_int_equal(folder_make(scratch_path(w->s, "ledger/tile/1/000.p"), 0755), OK);
	scratch_write(w->s, "ledger/tile/1/000.p/1", SPAN("torn"));
	assert_int_equal(reopen(w, 100), OK);
	assert_false(scratch_has(w->s, "ledger/tile/0/000.p/150"));
	assert_false(scratch_has(w->s, "ledger/tile/0/000.p/150.tmp"));
	assert_false(scratch_has(w->s, "ledger/tile/1/000.p"));
	assert_true(scratch_has(w->s, "ledger/tile/0/000.p/100"));
	publish_up_to(w, 600);
	assert_int_equal(check(w, 600), OK);
}

static void partial_tiles_outgrown_before_a_crash_go(void **state)
{
	struct world *w = *state;

	publish_up_to(w, 300);
	assert_int_equal(folder_make(scratch_path(w->s, "ledger/tile/0/000.p"), 0755), OK);
	scratch_write(w->s, "ledger/tile/0/000.p/7", SPAN("x"));
	assert_int_equal(reopen(w, 300), OK);
	assert_false(scratch_has(w->s, "ledger/tile/0/000.p"));
}

/* Below the checkpoint nothing is ever replaced. */
static void other_bytes_below_the_checkpoint_are_fatal(void **state)
{
	struct world *w = *state;

	publish_up_to(w, 600);
	flip(w, "ledger/tile/0/000", 17, 3);
	assert_int_equal(reopen(w, 0), OK);
	assert_int_equal(feed(w, 255), OK);
	assert_int_equal(feed(w, 256), ERR_LEDGER_DIFFERS);
	assert_int_equal(feed(w, 257), ERR_LEDGER_DIFFERS); /* sticky */
	assert_int_equal(publish(w), ERR_LEDGER_DIFFERS);
	flip(w, "ledger/tile/0/000", 17, 3);
	assert_int_equal(unlink(scratch_path(w->s, "ledger/tile/0/001")), 0); /* what is missing is made again */
	flip(w, "ledger/tile/entries/002.p/88", 17, 3);			      /* and so is a partial tile */
	assert_int_equal(reopen(w, 600), ERR_TILE);
	assert_int_equal(reopen(w, 0), OK);
	publish_up_to(w, 600);
	assert_int_equal(check(w, 600), OK);
}

static void another_ledger_is_not_published_over_this_one(void **state)
{
	struct world *w = *state;
	char room[64];

	publish_up_to(w, 10);
	assert_int_equal(reopen(w, 0), OK);
	assert_int_equal(publish(w), ERR_LEDGER_DIFFERS); /* shorter */
	assert_int_equal(reopen(w, 0), OK);
	for (uint64_t i = 0; i < 9; i++)
		assert_int_equal(publisher_add(w->p, entry_of(i, room)), OK);
	assert_int_equal(publisher_add(w->p, SPAN("another last entry")), ERR_LEDGER_DIFFERS);
}

static void what_does_not_fit_the_checkpoint_is_not_gone_on_with(void **state)
{
	static const char *const names[] = { "ledger/tile/0/002.p/88", "ledger/tile/entries/002.p/88",
					     "ledger/tile/1/000.p/2" };
	struct world *w = *state;

	assert_int_equal(publisher_open(scratch_path(w->s, "nowhere"), 5, &w->p), ERR_NOT_FOUND);
	assert_int_equal(reopen(w, 0), OK);
	assert_int_equal(reopen(w, 5), ERR_TILE);
	publish_up_to(w, 600);
	assert_int_equal(reopen(w, 601), ERR_TILE);
	for (size_t i = 0; i < TABLE_LENGTH(names); i++) {
		flip(w, names[i], 40, 0);
		assert_int_equal(reopen(w, 600), ERR_TILE);
		flip(w, names[i], 40, 0);
	}
	/* at a smaller size another tile is needed, and checked through the one above it */
	flip(w, "ledger/tile/0/000", 9 * 32, 0);
	assert_int_equal(reopen(w, 600), OK);
	assert_int_equal(reopen(w, 10), ERR_TILE);
	flip(w, "ledger/tile/0/000", 9 * 32, 0);
	assert_int_equal(reopen(w, 10), OK);
	assert_int_equal(feed(w, 600), OK);
	scratch_write(w->s, "ledger/checkpoint", SPAN("damaged"));
	assert_int_equal(reopen(w, 600), ERR_DAMAGED);
	assert_int_equal(reopen(w, 0), ERR_DAMAGED);
}

static void entries_have_a_maximum(void **state)
{
	struct world *w = *state;
	char *longest = calloc(1, ENTRY_MAX + 1);

	assert_int_equal(reopen(w, 0), OK);
	assert_int_equal(publisher_add(w->p, span_make(longest, ENTRY_MAX + 1)), ERR_TOO_LONG);
	for (int i = 0; i < 257; i++) /* the largest bundle, and on */
		assert_int_equal(publisher_add(w->p, span_make(longest, ENTRY_MAX)), OK);
	assert_int_equal(publish(w), OK);
	assert_int_equal(scratch_read(w->s, "ledger/tile/entries/000").len, 256 * (2 + ENTRY_MAX));
	assert_int_equal(reopen(w, 257), OK);
	assert_int_equal(publisher_frontier(w->p)->size, 257);
	free(longest);
}

static void few_files_are_synced_one_by_one(void **state)
{
	struct world *w = *state;

	publish_up_to(w, 3);
	assert_int_equal(syncfss, 0);
	assert_int_equal(fsyncs, 2 + 6 + 2); /* two files, six folders, the checkpoint and its folder */
	fsyncs = 0;
	publish_up_to(w, 4);
	assert_int_equal(fsyncs, 2 + 2 + 2); /* no new folder */
	fsyncs = 0;
	assert_int_equal(publish(w), OK); /* nothing new but the note */
	assert_int_equal(fsyncs, 2);
	publish_up_to(w, 256 * 20);
	assert_int_equal(syncfss, 1);
}

/* After a failed sync nothing is published, and the publisher is done for. */
static void failed_syncs_stop_all(void **state)
{
	const int last = 2 + 6 + 1; /* the folder of the checkpoint, which is renamed by then */
	struct world *w = *state;
	struct span before;

	publish_up_to(w, 3);
	before = scratch_read(w->s, "ledger/checkpoint");
	for (int allowed = 0; allowed <= last; allowed++) {
		assert_int_equal(reopen(w, 3), OK);
		assert_int_equal(feed(w, 4), OK);
		syncs_left = allowed;
		assert_int_equal(publish(w), ERR_SYNC);
		assert_int_equal(span_equal(scratch_read(w->s, "ledger/checkpoint"), before), allowed < last);
		syncs_left = -1;
		assert_int_equal(publish(w), ERR_SYNC);
	}
	assert_int_equal(reopen(w, 4), OK);
	assert_int_equal(feed(w, 256 * 20), OK);
	syncs_left = 0;
	assert_int_equal(publish(w), ERR_SYNC);
}

static void a_folder_that_cannot_be_written(void **state)
{
	struct world *w = *state;

	assert_int_equal(scratch_write(w->s, "file", SPAN("x")), OK);
	assert_int_equal(publisher_open(scratch_path(w->s, "file"), 0, &w->p), ERR_IO);
	assert_int_equal(reopen(w, 0), OK);
	assert_int_equal(scratch_write(w->s, "ledger/tile", SPAN("x")), OK); /* where a folder must be */
	assert_int_equal(feed(w, 3), OK);
	assert_int_equal(publish(w), ERR_IO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(texts_that_are_no_paths),
		cmocka_unit_test(paths_go_round),
		cmocka_unit_test(widths),
		cmocka_unit_test(bundles),
		TEST(files_of_every_step),
		TEST(restarts_at_any_size),
		TEST(three_levels),
		TEST(a_reader_of_older_sizes),
		TEST(misshapen_files_are_said),
		TEST(a_check_finds_any_flipped_byte),
		TEST(leftovers_of_a_crash_are_replaced),
		TEST(partial_tiles_outgrown_before_a_crash_go),
		TEST(other_bytes_below_the_checkpoint_are_fatal),
		TEST(another_ledger_is_not_published_over_this_one),
		TEST(what_does_not_fit_the_checkpoint_is_not_gone_on_with),
		TEST(entries_have_a_maximum),
		TEST(few_files_are_synced_one_by_one),
		TEST(failed_syncs_stop_all),
		TEST(a_folder_that_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
