/* What lies in a mirror's folder beside its state: tiles and checkpoints of its ledgers, when they were seen together, forks. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "ledger/entry.h"
#include "ledger/receipt.h"
#include "regime/mirror_private.h"
#include "regime/state_private.h"

#define NOTE_MAX ((size_t)1 << 20)
#define FORKS_MAX 100

const char *mirror_path(struct arena *a, const char *dir, const char *name)
{
	return arena_print(a, "%s/%s", dir, name);
}

enum err mirror_checkpoint(const char *dir, struct arena *a, enum ledger_id l, struct checkpoint *out,
			   struct span *note)
{
	const char *path = arena_print(a, "%s/%s/checkpoint", dir, ledger_name(l));
	struct note n;
	enum err e = path == NULL ? ERR_NO_MEMORY : file_read(a, path, NOTE_MAX, note);

	if (e == OK)
		e = note_parse(a, *note, &n);
	if (e == OK)
		e = checkpoint_parse(n.text, out);
	if (e != OK && e != ERR_NOT_FOUND && !err_is_machine(e))
		e = fail(ERR_DAMAGED, "%s: no checkpoint; `comity follow remove` and follow it anew", path);
	return e;
}

/* ---- sizes that were seen together ---- */

static enum err print_together(struct arena *a, const uint64_t size[LEDGER_COUNT], struct span *out)
{
	char *text = arena_print(a, "public %ju\ncircle %ju\n", (uintmax_t)size[LEDGER_PUBLIC],
				 (uintmax_t)size[LEDGER_CIRCLE]);

	if (text == NULL)
		return ERR_NO_MEMORY;
	*out = span_of(text);
	return OK;
}

enum err mirror_together(const char *dir, const uint64_t size[LEDGER_COUNT])
{
	struct arena *a = arena_new(MIRROR_ARENA_MAX);
	const char *path = a == NULL ? NULL : mirror_path(a, dir, "together");
	struct span text, now;
	enum err e = path == NULL ? ERR_NO_MEMORY : print_together(a, size, &text);

	if (e == OK && (file_read(a, path, NOTE_MAX, &now) != OK || !span_equal(now, text)))
		e = file_write(path, text, 0600);
	arena_free(a);
	return e;
}

bool mirror_is_together(const char *dir, struct arena *a, const uint64_t size[LEDGER_COUNT])
{
	const char *path = mirror_path(a, dir, "together");
	struct span text, now;

	return path != NULL && print_together(a, size, &text) == OK && file_read(a, path, NOTE_MAX, &now) == OK &&
	       span_equal(now, text);
}

/* ---- forks ---- */

unsigned mirror_forks(const char *dir)
{
	struct dirent *d;
	DIR *folder = opendir(dir);
	unsigned count = 0;

	while (folder != NULL && (d = readdir(folder)) != NULL)
		count += span_starts(span_of(d->d_name), "fork-") && !span_ends(span_of(d->d_name), ".tmp");
	if (folder != NULL)
		closedir(folder);
	return count;
}

enum err mirror_fork_keep(const char *dir, enum ledger_id l, struct span kept, struct span shown)
{
	struct arena *a = arena_new(MIRROR_ARENA_MAX);
	char now[CLOCK_TEXT], *text;
	const char *path = NULL;
	enum err e = a == NULL ? ERR_NO_MEMORY : OK;

	clock_format_ms(clock_now_ms(), now);
	for (unsigned i = 1; e == OK && i <= FORKS_MAX; i++) {
		if ((path = arena_print(a, "%s/fork-%u", dir, i)) == NULL)
			e = ERR_NO_MEMORY;
		else if (!file_exists(path))
			break;
	}
	text = e == OK ? arena_print(a,
				     "The %s ledger says two things that cannot both be true. Found %s.\n"
				     "\n---- kept\n%.*s\n---- shown\n%.*s",
				     ledger_name(l), now, SPAN_FORMAT(kept), SPAN_FORMAT(shown))
		       : NULL;
	if (e == OK)
		e = text == NULL ? ERR_NO_MEMORY : file_write(path, span_of(text), 0600);
	arena_free(a);
	return e;
}

/* ---- entries and their receipts ---- */

static enum err open_reader(const char *dir, struct arena *a, enum ledger_id l, struct ledger_reader **out,
			    struct checkpoint *c, struct span *note)
{
	const char *path = mirror_path(a, dir, ledger_name(l));
	enum err e = path == NULL ? ERR_NO_MEMORY : mirror_checkpoint(dir, a, l, c, note);

	if (e == OK && (e = ledger_reader_open(path, out)) == OK)
		ledger_reader_set_size(*out, c->size);
	return e;
}

enum err mirror_receipt(const char *dir, struct arena *a, enum ledger_id l, uint64_t index, struct span *receipt)
{
	struct receipt r = { .index = index };
	struct buffer out = BUFFER(NOTE_MAX);
	struct ledger_reader *reader = NULL;
	struct checkpoint c;
	enum err e = open_reader(dir, a, l, &reader, &c, &r.checkpoint_note);

	if (e == OK)
		e = ledger_reader_entry(reader, a, index, &r.extra);
	if (e == OK)
		e = merkle_inclusion(index, c.size, ledger_reader_fetch, reader, &r.proof);
	if (e == OK) {
		receipt_print(&r, &out);
		e = out.err;
	}
	if (e == OK && (receipt->at = arena_copy(a, out.at, out.len)) == NULL)
		e = ERR_NO_MEMORY;
	receipt->len = out.len;
	ledger_reader_close(reader);
	buffer_free(&out);
	return e;
}

enum err mirror_note(const char *dir, struct arena *a, enum ledger_id l, uint64_t index, struct span *note)
{
	struct ledger_reader *reader = NULL;
	struct checkpoint c;
	struct entry entry;
	struct span text;
	enum err e = open_reader(dir, a, l, &reader, &c, &text);

	if (e == OK)
		e = ledger_reader_entry(reader, a, index, &text);
	if (e == OK)
		e = entry_parse(text, &entry);
	if (e == OK)
		*note = entry.note;
	ledger_reader_close(reader);
	return e;
}

/* ---- what a party took back ---- */

struct searching {
	struct ledger_reader *reader;
	struct arena *arena; /* of the entry in hand */
	uint64_t size;
};

static enum err read_at(struct searching *x, uint64_t index, struct entry *out)
{
	struct span text;
	enum err e;

	arena_reset(x->arena);
	e = ledger_reader_entry(x->reader, x->arena, index, &text);
	return e == OK ? entry_parse(text, out) : e;
}

/* The first entry that was logged then or later: their times never run backwards where they were folded. */
static enum err find_time(struct searching *x, int64_t logged_ms, uint64_t *out)
{
	uint64_t low = 0, high = x->size;
	enum err e = OK;

	while (e == OK && low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct entry entry;

		if ((e = read_at(x, middle, &entry)) != OK)
			break;
		if (entry.logged_ms < logged_ms)
			low = middle + 1;
		else
			high = middle;
	}
	*out = low;
	return e;
}

/* The statement that took `id` back, logged at that time. */
static enum err find_withdrawal(struct searching *x, int64_t logged_ms, struct hash id, uint64_t *out)
{
	enum err e = find_time(x, logged_ms, out);

	for (; e == OK && *out < x->size; ++*out) {
		struct entry entry;
		struct statement s;

		if ((e = read_at(x, *out, &entry)) != OK)
			break;
		if (entry.logged_ms != logged_ms)
			return fail(ERR_PARTY_UNKNOWN, "nothing that takes it back");
		e = statement_parse(x->arena, entry.note, &s);
		if (e == OK && s.kind == KIND_WITHDRAW && s.has_re && hash_equal(s.re, id))
			return OK;
	}
	return e == OK ? fail(ERR_PARTY_UNKNOWN, "nothing that takes it back") : e;
}

enum err mirror_withdrawn(const char *dir, const struct state *st, struct arena *a, struct span domain, uint64_t *filed,
			  uint64_t *withdrawn)
{
	struct searching x = { .arena = arena_new(MIRROR_ARENA_MAX) };
	struct checkpoint c;
	struct matter m;
	struct party p;
	struct span note;
	enum err e = x.arena == NULL ? ERR_NO_MEMORY : party_get(st, domain, &p);

	if (e == OK && (!p.withdrawn || !span_equal(p.home, st->node)))
		e = fail(ERR_PARTY_UNKNOWN, "%.*s did not withdraw there", SPAN_FORMAT(domain));
	if (e == OK)
		e = state_matter(st, p.statement, &m);
	if (e == OK)
		e = open_reader(dir, a, LEDGER_PUBLIC, &x.reader, &c, &note);
	if (e == OK) {
		*filed = p.index;
		x.size = c.size;
		e = find_withdrawal(&x, m.withdrawn_ms, p.statement, withdrawn);
	}
	ledger_reader_close(x.reader);
	arena_free(x.arena);
	return e;
}

/* ---- all of them ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

#define MIRRORS_MAX 4096

enum err mirrors_walk(const char *node_dir, mirror_each *each, void *context)
{
	struct arena *a = arena_new(MIRROR_ARENA_MAX);
	const char *path = a == NULL ? NULL : mirror_path(a, node_dir, "followed");
	char **names = a == NULL ? NULL : arena_array(a, MIRRORS_MAX, sizeof(*names));
	DIR *folder = path == NULL ? NULL : opendir(path);
	enum err e = path == NULL || names == NULL ? ERR_NO_MEMORY : OK;
	size_t count = 0;
	struct dirent *d;

	while (e == OK && folder != NULL && count < MIRRORS_MAX && (d = readdir(folder)) != NULL)
		if (span_is_domain(span_of(d->d_name)) &&
		    (names[count++] = arena_copy(a, d->d_name, strlen(d->d_name))) == NULL)
			e = ERR_NO_MEMORY;
	if (folder != NULL)
		closedir(folder);
	if (e == OK)
		qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; e == OK && i < count; i++) {
		const char *dir = arena_print(a, "%s/%s", path, names[i]);

		e = dir == NULL ? ERR_NO_MEMORY : each(context, dir, span_of(names[i]));
	}
	arena_free(a);
	return e;
}
