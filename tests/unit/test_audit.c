#include <dirent.h>
#include <fcntl.h>

#include "ledger/entry.h"
#include "regime_node.h"
#include "store/journal.h"

/* ---- flipped bytes ---- */

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	char byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = (char)(byte ^ 1);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Flips the byte at this distance from each place where the bytes stand in the file: LMDB leaves old ones lying about. */
static void flip_near(struct world *w, const char *path, const void *bytes, size_t n, size_t distance)
{
	struct span content;
	size_t found = 0;

	assert_int_equal(file_read(w->arena, path, (size_t)1 << 26, &content), OK);
	for (size_t i = 0; i + n <= content.len; i++)
		if (memcmp(content.at + i, bytes, n) == 0) {
			flip(path, (off_t)(i + distance));
			found++;
		}
	assert_true(found > 0);
}

static const char *only_segment(struct world *w)
{
	const char *folder = arena_print(w->arena, "%s/journal", w->dir);
	const char *best = NULL;
	struct dirent *d;
	struct stat st;
	off_t size = -1;
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL) {
		const char *path = arena_print(w->arena, "%s/%s", folder, d->d_name);

		if (d->d_name[0] != '.' && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > size) {
			size = st.st_size;
			best = path;
		}
	}
	closedir(dir);
	assert_non_null(best);
	return best;
}

static void audit_gives(struct world *w, const char *what, enum err expected)
{
	enum err e = audit(w);

	if (e != expected)
		fail_msg("%s: %s (%s), not %s", what, err_code(e), err_detail(), err_code(expected));
}

static void flip_is_seen(struct world *w, const char *path, off_t at)
{
	flip(path, at);
	audit_gives(w, path, ERR_LEDGER_DIFFERS);
	flip(path, at);
	audit_gives(w, "put right", OK);
}

/* distance: from the beginning of these bytes, and not within them, or the second flip would not find them. */
static void flip_near_is_seen(struct world *w, const char *path, const void *bytes, size_t n, size_t distance,
			      enum err expected)
{
	flip_near(w, path, bytes, n, distance);
	audit_gives(w, path, expected);
	flip_near(w, path, bytes, n, distance);
	audit_gives(w, "put right", OK);
}

static void flipped_bytes(void **state)
{
	struct world *w = world_new(*state);
	const char *journal, *ledger = arena_print(w->arena, "%s/ledger/circle", w->dir);
	const char *views = arena_print(w->arena, "%s/views/data.mdb", w->dir);
	struct world r = *w;

	add_notices(w, 0, 300);
	add_marks(w, 3, 70000);
	add_notices(w, 300, 310); /* so that nothing below stands in the last batch */
	assert_int_equal(node_tick(w->n, true), OK);
	reopen(w); /* marks to a file */
	assert_int_equal(audit(w), OK);
	journal = only_segment(w);
	flip_near_is_seen(w, journal, "events 20", 9, 9, ERR_DAMAGED);
	flip_near_is_seen(w, journal, "evidence 200,", 13, 14, ERR_DAMAGED);
	flip_is_seen(w, arena_print(w->arena, "%s/tile/entries/000", ledger), 500);
	flip_is_seen(w, arena_print(w->arena, "%s/tile/0/000", ledger), 40);
	flip_is_seen(w, arena_print(w->arena, "%s/tile/0/001.p/56", ledger), 40);
	flip_is_seen(w, arena_print(w->arena, "%s/checkpoint", ledger), 21);
	node_close(w->n);
	w->n = NULL;

	assert_int_equal(node_open(w->dir, NODE_READ, &r.n), OK);
	flip_near_is_seen(&r, views, "The test's tea", 14, 14, ERR_LEDGER_DIFFERS);
	flip_near_is_seen(&r, views, w->notice.bytes, 32, 34, ERR_LEDGER_DIFFERS);
	node_close(r.n);
	world_free(w);
}

/* A lie that is well formed: the stored state says other than the entries, all checksums right. */
static void lies_in_the_views(void **state)
{
	struct world *w = world_new(*state);
	const char *path = arena_print(w->arena, "%s/views", w->dir), *right = scratch_path(w->scratch, "right");
	static const struct {
		const char *what;
		enum view view;
		struct span key, value; /* value empty: delete */
	} lies[] = {
		{ "a rule that nobody logged", VIEW_STATE, { "r", 1 }, { "\0\0\0\0\0\0\0\7", 8 } },
		{ "a key too many", VIEW_STATE, { "pzzz.example", 12 }, { "x", 1 } },
		{ "a plan taken out", VIEW_STATE, { "f\0\0\0\0\0\0\0\5", 9 }, { "", 0 } },
		{ "an entry's place", VIEW_ENTRIES, { "\0\0\0\0\0\0\0\0\1", 9 }, { "\0\0\0\0\0\0\0\0", 8 } },
		{ "an entry in a feed that is not its own",
		  VIEW_FEEDS,
		  { "k\0\1\0\0\0\0\0\0\0\1", 11 },
		  { "\0\0\0\0\0\0\0\1", 8 } },
		{ "an object that nobody shared", VIEW_OBJECTS, { "x", 1 }, { "y", 1 } },
		{ "a name that no object has", VIEW_OBJECT_KEYS, { "x", 1 }, { "y", 1 } },
		{ "an entry that is not there", VIEW_ENTRIES, { "\0\0\0\0\0\0\0\7\1", 9 }, { "\0\0\0\0\0\0\0\0", 8 } },
		{ "a body that is not there",
		  VIEW_BODIES,
		  { "0123456789abcdef0123456789abcdef", 32 },
		  { "\0\0\0\0\0\0\0\1", 8 } },
	};

	node_close(w->n);
	copy(path, right);
	for (size_t i = 0; i < TABLE_LENGTH(lies); i++) {
		struct snapshot *s;
		struct views *v;
		struct world r = *w;
		enum err e;

		assert_int_equal(views_open(path, true, &v), OK);
		assert_int_equal(views_write(v, &s), OK);
		if (lies[i].value.len == 0)
			assert_int_equal(view_delete(s, lies[i].view, lies[i].key), OK);
		else
			assert_int_equal(view_put(s, lies[i].view, lies[i].key, lies[i].value), OK);
		assert_int_equal(snapshot_commit(s), OK);
		views_close(v);
		assert_int_equal(node_open(w->dir, NODE_READ, &r.n), OK);
		if ((e = audit(&r)) != ERR_LEDGER_DIFFERS)
			fail_msg("%s: %s (%s)", lies[i].what, err_code(e), err_detail());
		node_close(r.n);
		put_back(right, path);
	}
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* Each change is a lie in the journal itself: checksums right, since the journal's own functions wrote it. */
static void lies_in_the_journal(void **state)
{
	static const struct {
		const char *what;
		bool unsigned_;
		int64_t time_shift;
		uint8_t ledger;
	} lies[] = {
		{ "a time before the last", false, -100000, LEDGER_PUBLIC },
		{ "in the wrong ledger", false, 0, LEDGER_CIRCLE },
		{ "a bad signature", true, 0, LEDGER_PUBLIC },
	};
	struct world *w = world_new(*state);
	const char *right = scratch_path(w->scratch, "right");
	struct span good = statement_text(w->arena, KIND_ADVISORY, "cert.example/public", w->op, "norm x\n", NULL);

	node_close(w->n);
	copy(w->dir, right);
	for (size_t i = 0; i < TABLE_LENGTH(lies); i++) {
		const char *path = arena_print(w->arena, "%s/journal", w->dir);
		struct buffer text = BUFFER(STATEMENT_MAX);
		char *note = arena_copy(w->arena, good.at, good.len);
		struct journal *j;
		struct span part;
		enum err e;

		if (lies[i].unsigned_)
			note[good.len - 6] = note[good.len - 6] == 'A' ? 'B' : 'A';
		entry_print(clock_now_ms() + lies[i].time_shift, span_make(note, good.len), &text);
		part = buffer_view(&text);
		assert_int_equal(journal_open_writer(path, &j), OK);
		assert_int_equal(journal_begin(j), OK);
		assert_int_equal(journal_add(j, RECORD_ENTRY, lies[i].ledger, &part, 1, NULL), OK);
		assert_int_equal(journal_commit(j), OK);
		journal_close(j);
		buffer_free(&text);
		assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
		if ((e = audit(w)) != ERR_LEDGER_DIFFERS)
			fail_msg("%s: %s (%s)", lies[i].what, err_code(e), err_detail());
		node_close(w->n);
		put_back(right, w->dir);
	}
	w->n = NULL;
	world_free(w);
}

static void erased_bodies(void **state)
{
	struct world *w = world_new(*state);
	const char *path = arena_print(w->arena, "%s/journal", w->dir);
	struct body_reference ref;
	uint8_t salt[SEAL_SALT_SIZE];
	const uint8_t *got;
	struct audit a;
	struct span payload;
	struct views *v;
	struct snapshot *s;
	struct journal *j;
	uint64_t position = 0;
	char text[40];

	add_notices(w, 0, 3);
	body_of(1, salt, text, &ref);
	node_close(w->n);
	assert_int_equal(views_open(arena_print(w->arena, "%s/views", w->dir), false, &v), OK);
	assert_int_equal(views_read(v, &s), OK);
	assert_int_equal(view_get(s, VIEW_BODIES, span_make(ref.hash.bytes, HASH_SIZE), &payload), OK);
	for (size_t i = 0; i < 8; i++)
		position = position << 8 | (uint8_t)payload.at[i];
	snapshot_end(s);
	views_close(v);
	assert_int_equal(journal_open_writer(path, &j), OK);
	assert_int_equal(journal_erase(j, position), OK);
	journal_close(j);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_int_equal(node_body(w->n, w->arena, ref.hash, &got, &payload), ERR_NOT_FOUND);
	assert_int_equal(node_audit(w->n, NULL, NULL, &a), OK);
	assert_int_equal(a.bodies, 2);
	assert_int_equal(a.bodies_erased, 1 + 2); /* the world's two notices never had theirs */
	node_close(w->n);
	take_away(arena_print(w->arena, "%s/views", w->dir));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_int_equal(node_audit(w->n, NULL, NULL, &a), OK);
	assert_int_equal(a.bodies_erased, 3);
	world_free(w);
}

static void audit_says(void **state)
{
	struct world *w = world_new(*state);
	struct hash digest;
	struct audit a;

	add_notices(w, 0, 10);
	assert_int_equal(node_publish(w->n), OK);
	assert_int_equal(node_audit(w->n, NULL, NULL, &a), OK);
	digest = world_digest(w);
	assert_true(hash_equal(a.state, digest));
	assert_int_equal(a.entries[LEDGER_PUBLIC], 6);
	assert_int_equal(a.entries[LEDGER_CIRCLE], 12);
	assert_int_equal(a.signatures, 18);
	assert_int_equal(a.bodies, 10);
	assert_true(a.state_keys > 18);
	world_free(w);
}

/* ---- signatures ---- */

/* A notice whose signature does not fit, let in by a batch that was told otherwise. */
static uint64_t let_in(struct world *w, unsigned number, bool good)
{
	const char *lines =
		arena_print(w->arena, "to AS%u\nclass vulnerable/weak-crypto\nevents 1\n" SEALED_BODY, number);
	struct span note = statement_text(w->arena, KIND_NOTICE, "cert.example/circle", w->res, lines, NULL);
	struct verified v = { .key = *signer_verifier(w->res) };
	struct appended out;
	struct statement s;

	if (!good) { /* one word of the text is another, in what the signature covers */
		char *copy = arena_copy(w->arena, note.at, note.len), *events = strstr(copy, "events 1");

		assert_non_null(events);
		events[7] = '2';
		note = span_make(copy, note.len);
	}
	assert_int_equal(statement_parse(w->arena, note, &s), OK);
	v.id = s.id;
	memcpy(v.signature, s.note.lines[0].signature.at, KEY_SIGNATURE_SIZE);
	assert_int_equal(node_add_verified(w->n, note, &v, &out), OK);
	return out.index;
}

/* However many are verified at once and whoever ends first: the first bad one is named. */
static void bad_signatures(void **state)
{
	struct world *w = world_new(*state);
	const char *named;
	uint64_t first = 0;

	assert_int_equal(node_begin(w->n), OK);
	for (unsigned i = 1; i <= 2000; i++) {
		bool good = i != 700 && i != 1100 && i != 1101 && i != 1999;
		uint64_t index = let_in(w, i, good);

		if (i == 700)
			first = index;
	}
	assert_int_equal(node_commit(w->n), OK);
	named = arena_print(w->arena, "entry %ju of the circle ledger: the signature of res.example", (uintmax_t)first);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(audit(w), ERR_LEDGER_DIFFERS);
		if (strstr(err_detail(), named) == NULL)
			fail_msg("%s, not %s", err_detail(), named);
	}
	world_free(w);
}

/* One byte of the last batch looks like a batch that was not finished. Nothing is cut off: a copy may yet put it right. */
static void the_last_batch_is_not_cut(void **state)
{
	struct world *w = world_new(*state);
	const char *journal, *want;
	struct span before, after;
	struct node *n = NULL;
	struct audit done;
	off_t at;

	add_notices(w, 0, 3);
	journal = only_segment(w);
	node_close(w->n);
	assert_int_equal(file_read(w->arena, journal, (size_t)1 << 26, &before), OK);
	for (at = (off_t)before.len - 1; before.at[at] == '\0'; at--)
		;
	for (int step = 0; step < 3; step++) { /* in its close frame, in a body, in the entry before */
		flip(journal, at - 300 * step);
		assert_int_equal(file_read(w->arena, journal, (size_t)1 << 26, &before), OK);
		want = strrchr(journal, '/');
		/* A reader goes by the views until it reads what is damaged; who would build on it looks first. */
		assert_int_equal(node_open(w->dir, NODE_READ, &n), OK);
		assert_int_equal(node_audit(n, NULL, NULL, &done), ERR_DAMAGED);
		assert_non_null(strstr(err_detail(), want));
		node_close(n);
		assert_int_equal(node_open(w->dir, NODE_WRITE, &n), ERR_DAMAGED);
		assert_non_null(strstr(err_detail(), want));
		assert_int_equal(file_read(w->arena, journal, (size_t)1 << 26, &after), OK);
		assert_true(span_equal(before, after));
		flip(journal, at - 300 * step);
	}
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

static void each_byte_of_the_node_file_counts(void **state)
{
	struct world *w = world_new(*state);
	const char *path = arena_print(w->arena, "%s/node", w->dir);
	struct span text;
	struct node *n;

	node_close(w->n);
	assert_int_equal(file_read(w->arena, path, 4096, &text), OK);
	for (size_t i = 0; i < text.len; i++) {
		flip(path, (off_t)i);
		assert_int_equal(node_open(w->dir, NODE_READ, &n), ERR_DAMAGED);
		assert_non_null(strstr(err_detail(), path));
		flip(path, (off_t)i);
	}
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	world_free(w);
}

static void each_byte_of_a_key_counts(void **state)
{
	struct world *w = world_new(*state);
	static const char *const names[] = { "party", "public", "circle", "held.example" };
	const struct signer *held;
	struct world r = *w;

	assert_int_equal(node_party_signer(w->n, SPAN("held.example"), true, &held), OK);
	node_close(w->n);
	assert_int_equal(node_open(w->dir, NODE_READ, &r.n), OK);
	assert_int_equal(audit(&r), OK);
	for (size_t k = 0; k < TABLE_LENGTH(names); k++) {
		const char *path = arena_print(w->arena, "%s/keys/%s.key", w->dir, names[k]);
		struct span text;

		assert_int_equal(file_read(w->arena, path, 4096, &text), OK);
		for (size_t i = 0; i < text.len; i++) {
			flip(path, (off_t)i);
			assert_int_equal(audit(&r), ERR_KEY);
			assert_non_null(strstr(err_detail(), path));
			flip(path, (off_t)i);
		}
	}
	assert_int_equal(audit(&r), OK);
	node_close(r.n);
	w->n = NULL;
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(bad_signatures),
		IN_A_FOLDER(audit_says),
		IN_A_FOLDER(flipped_bytes),
		IN_A_FOLDER(lies_in_the_views),
		IN_A_FOLDER(lies_in_the_journal),
		IN_A_FOLDER(erased_bodies),
		IN_A_FOLDER(the_last_batch_is_not_cut),
		IN_A_FOLDER(each_byte_of_the_node_file_counts),
		IN_A_FOLDER(each_byte_of_a_key_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
