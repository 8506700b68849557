/*
 * From tiles to state
 *
 * The other node folded its entries in the order of `logged`, public before circle at the same instant; so must we, or the states
 * differ. Each ledger comes in its own order, so it is a merge of two. Two things make it more than that:
 *
 *   1. The ledgers were fetched one after the other. What one holds beyond the other's last entry may have something before it
 *	that we have not seen: it waits. A public entry may be folded up to and with the time of the circle's last one, a circle's
 *	only before the time of the public's last one, since at the same instant the public one comes first. Where both were seen
 *	to stand still together (the file `together`), nothing is missing and all is folded.
 *   2. An entry that comes later and belongs before what was folded (a circle that opened to us; a pair that only seemed to
 *	stand still) has all of it folded anew from the first entry. So the state is always that of the tiles.
 *
 * A ledger whose own times run backwards, an entry that is none, a signature that does not verify: no honest node logs these.
 * The fold stops before it and stays there. A tick that names a checkpoint which the tiles do not give is a fork.
 *
 * Signatures are most of the work. Where there is much to fold they are verified on all processors beside it, and a transaction
 * ends only when all of its own were. If one is wrong the transaction never was: it is folded again, one by one, up to the entry
 * that is to blame.
 */
#include <stdio.h>

#include "ledger/entry.h"
#include "ledger/ledger_reader.h"
#include "regime/kinds_private.h"
#include "regime/mirror_private.h"
#include "regime/node_audit.h"
#include "regime/state_private.h"

#define CHUNK 20000 /* entries in one transaction */
#define MANY 1000   /* entries to fold: from here on threads are worth it */
#define LOOK 256    /* entries between two looks at the watch */

struct source {
	bool there; /* the ledger is mirrored */
	struct checkpoint checkpoint;
	struct span note; /* of the checkpoint */
	struct ledger_reader *reader;
	struct arena *arena; /* of the entry in hand */
	bool has;
	struct span text;
	struct entry entry;
	int64_t last_ms; /* of its last entry */
};

struct folding {
	struct mirror *m;
	struct state st;
	struct mirror_heads heads;
	struct source from[LEDGER_COUNT];
	struct arena *arena, *of_statement;
	bool together;
	unsigned in_chunk;
	struct mirror_heads began;	   /* where the transaction did */
	struct signature_checker *checker; /* of the transaction; NULL: each signature is verified at once */
	bool one_by_one;
	const struct mirror_watch *watch;
};

/* ---- what there is ---- */

static enum err open_source(struct folding *f, enum ledger_id l)
{
	struct source *s = &f->from[l];
	const char *path = mirror_path(f->arena, f->m->dir, ledger_name(l));
	enum err e = path == NULL ? ERR_NO_MEMORY : mirror_checkpoint(f->m->dir, f->arena, l, &s->checkpoint, &s->note);

	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	s->there = true;
	if ((s->arena = arena_new(MIRROR_ARENA_MAX)) == NULL)
		return ERR_NO_MEMORY;
	if ((e = ledger_reader_open(path, &s->reader)) == OK)
		ledger_reader_set_size(s->reader, s->checkpoint.size);
	return e;
}

static enum err bad_entry(const struct folding *f, enum ledger_id l, uint64_t index, const char *what)
{
	return fail(ERR_PEER, "entry %ju of the %s ledger of %s: %s", (uintmax_t)index, ledger_name(l), f->m->name,
		    what);
}

static enum err read_entry(struct folding *f, enum ledger_id l, uint64_t index, struct span *text, struct entry *out)
{
	struct source *s = &f->from[l];
	enum err e;

	arena_reset(s->arena);
	e = ledger_reader_entry(s->reader, s->arena, index, text);
	if (e == ERR_TILE)
		return fail(ERR_DAMAGED, "%s: %s", f->m->dir, err_detail());
	if (e == OK && entry_parse(*text, out) != OK)
		e = bad_entry(f, l, index, "it is none");
	return e;
}

/* The next of a ledger, if it was not read yet. */
static enum err peek(struct folding *f, enum ledger_id l)
{
	struct source *s = &f->from[l];
	uint64_t next = f->heads.next[l];
	enum err e;

	if (!s->there || s->has || next >= s->checkpoint.size)
		return OK;
	if ((e = read_entry(f, l, next, &s->text, &s->entry)) != OK)
		return e;
	if (s->entry.logged_ms < f->heads.logged_ms[l])
		return bad_entry(f, l, next, "logged before the one that it follows");
	s->has = true;
	return OK;
}

static enum err find_last(struct folding *f, enum ledger_id l)
{
	struct source *s = &f->from[l];
	struct entry entry;
	struct span text;
	enum err e;

	if (!s->there || s->checkpoint.size == 0)
		return OK;
	e = read_entry(f, l, s->checkpoint.size - 1, &text, &entry);
	s->last_ms = e == OK ? entry.logged_ms : 0;
	return e == ERR_PEER ? OK : e; /* found again when its turn comes */
}

static enum err open_sources(struct folding *f)
{
	uint64_t size[LEDGER_COUNT];
	enum err e = OK;

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		if ((e = open_source(f, (enum ledger_id)l)) == OK)
			e = find_last(f, (enum ledger_id)l);
	for (int l = 0; l < LEDGER_COUNT; l++)
		size[l] = f->from[l].checkpoint.size;
	f->together = e == OK && (!f->from[LEDGER_CIRCLE].there || mirror_is_together(f->m->dir, f->arena, size));
	return e;
}

/* ---- whose turn it is ---- */

/* Essay, point 1. */
static bool may_fold(const struct folding *f, enum ledger_id l, int64_t logged_ms)
{
	return f->together || (l == LEDGER_PUBLIC ? logged_ms <= f->from[LEDGER_CIRCLE].last_ms
						  : logged_ms < f->from[LEDGER_PUBLIC].last_ms);
}

static bool pick(const struct folding *f, enum ledger_id *out)
{
	const struct source *p = &f->from[LEDGER_PUBLIC], *c = &f->from[LEDGER_CIRCLE];

	if (!p->has && !c->has)
		return false;
	*out = !c->has || (p->has && p->entry.logged_ms <= c->entry.logged_ms) ? LEDGER_PUBLIC : LEDGER_CIRCLE;
	return may_fold(f, *out, f->from[*out].entry.logged_ms);
}

/* Essay, point 2. */
static bool comes_too_late(const struct folding *f, enum ledger_id l)
{
	int64_t now = f->from[l].entry.logged_ms;

	return l == LEDGER_PUBLIC ? f->heads.next[LEDGER_CIRCLE] > 0 && now <= f->heads.logged_ms[LEDGER_CIRCLE]
				  : now < f->heads.logged_ms[LEDGER_PUBLIC];
}

/* ---- transactions ---- */

static uint64_t left(const struct folding *f)
{
	uint64_t n = 0;

	for (int l = 0; l < LEDGER_COUNT; l++)
		if (f->heads.next[l] < f->from[l].checkpoint.size)
			n += f->from[l].checkpoint.size - f->heads.next[l];
	return n;
}

static enum err begin(struct folding *f)
{
	f->in_chunk = 0;
	f->began = f->heads;
	if (!f->one_by_one && left(f) >= MANY) {
		enum err e = signature_checker_new(&f->checker);

		if (e != OK)
			return e;
	}
	return views_write(f->m->views, &f->st.snapshot);
}

/* Whether the transaction has to be folded again, since a signature of its was wrong. */
static enum err settle(struct folding *f, bool *again)
{
	uint64_t verified;
	enum err e = f->checker != NULL ? signature_checker_finish(f->checker, &verified) : OK;

	*again = e == ERR_LEDGER_DIFFERS;
	signature_checker_free(f->checker);
	f->checker = NULL;
	if (!*again)
		return e;
	snapshot_end(f->st.snapshot);
	f->st.snapshot = NULL;
	f->heads = f->began;
	f->one_by_one = true;
	for (int l = 0; l < LEDGER_COUNT; l++)
		f->from[l].has = false;
	return begin(f);
}

static enum err commit(struct folding *f)
{
	struct snapshot *s = f->st.snapshot;
	uint64_t version;
	enum err e = mirror_heads_put(s, &f->heads);

	if (e == OK)
		e = state_rules(&f->st, &version);
	if (e == OK && version > RULES_KNOWN)
		e = fail(ERR_RULES, "%s runs on rules %ju; this program knows %d", f->m->name, (uintmax_t)version,
			 RULES_KNOWN);
	if (e != OK)
		return e;
	f->st.snapshot = NULL;
	return snapshot_commit(s);
}

/* Ends the transaction and begins the next, or the same one again. */
static enum err next_chunk(struct folding *f)
{
	bool again;
	enum err e = settle(f, &again);

	if (e != OK || again)
		return e;
	return (e = commit(f)) == OK ? begin(f) : e;
}

static enum err clear_view(struct snapshot *s, enum view v)
{
	struct view_cursor *c = NULL;
	struct span key, value;
	enum err e = view_cursor_open(s, v, &c);

	while (e == OK && (e = view_cursor_seek(c, SPAN(""), &key, &value)) == OK)
		e = view_cursor_delete(c);
	view_cursor_close(c);
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err start_anew(struct folding *f)
{
	enum err e = OK;

	for (int v = 0; e == OK && v < VIEW_COUNT; v++)
		e = clear_view(f->st.snapshot, (enum view)v);
	f->heads = (struct mirror_heads){ .anew = true };
	for (int l = 0; l < LEDGER_COUNT; l++)
		f->from[l].has = false;
	return e == OK ? next_chunk(f) : e;
}

/* ---- one entry ---- */

static enum err verify(struct folding *f, enum ledger_id l, const struct statement *s)
{
	struct verifier key;
	struct place known;
	enum err e = place_get(&f->st, s->id, &known);

	if (e != ERR_NOT_FOUND)
		return e; /* it counted when it came first */
	if ((e = state_signer(&f->st, s, &key)) != OK)
		return state_failed(e) ? e : OK; /* folds to nothing but its id */
	/* A tick may bring a fork to light: at once. */
	if (f->checker != NULL && s->kind != KIND_TICK && s->note.line_count == 1)
		return signature_checker_add(f->checker, &s->note, &key, l, f->st.index);
	return note_verify(&s->note, &key, 1, NULL) == OK
		       ? OK
		       : bad_entry(f, l, f->st.index, "its signature does not verify");
}

/* The ledger of this node that a checkpoint's origin names. */
static bool of_node(const struct folding *f, struct span origin, enum ledger_id *out)
{
	const struct statement s = { .ledger = origin };

	return state_ledger(&f->st, &s, out) == OK;
}

/* Essay: a tick is the node's word on both its ledgers. *wait: it names more of the circle than there is here. */
static enum err compare_checkpoint(struct folding *f, struct span value, bool *wait)
{
	struct span origin;
	struct hash said, root;
	const struct source *s;
	enum ledger_id l;
	uint64_t size;
	enum err e;

	if (tick_read_checkpoint(value, &origin, &size, &said) != OK || !of_node(f, origin, &l) || !f->from[l].there)
		return OK;
	s = &f->from[l];
	if (size > s->checkpoint.size) {
		*wait = true;
		return OK;
	}
	if ((e = merkle_root(size, ledger_reader_fetch, s->reader, &root)) != OK)
		return e == ERR_TILE ? fail(ERR_DAMAGED, "%s: %s", f->m->dir, err_detail()) : e;
	if (hash_equal(root, said))
		return OK;
	e = mirror_fork_keep(f->m->dir, l, s->note, f->from[LEDGER_PUBLIC].text);
	return e != OK ? e
		       : fail(ERR_LEDGER_FORK,
			      "%s names another %s ledger of %ju entries in its tick %ju than it shows", f->m->name,
			      ledger_name(l), (uintmax_t)size, (uintmax_t)f->st.index);
}

static enum err compare_tick(struct folding *f, const struct statement *s, bool *wait)
{
	enum err e = OK;

	if (s->kind != KIND_TICK || f->st.ledger != LEDGER_PUBLIC || !span_equal(s->from, f->m->node))
		return OK;
	for (size_t i = 0; e == OK && i < s->header_count; i++)
		if (span_is(s->headers[i].name, "checkpoint"))
			e = compare_checkpoint(f, s->headers[i].value, wait);
	return e;
}

static enum err fold_one(struct folding *f, enum ledger_id l, bool *wait)
{
	struct source *from = &f->from[l];
	struct statement s;
	enum err e;

	arena_reset(f->of_statement);
	f->st.ledger = l;
	f->st.index = f->heads.next[l];
	f->st.logged_ms = from->entry.logged_ms;
	f->st.is_guest = from->entry.is_guest;
	f->st.home_ms = from->entry.home_ms;
	e = statement_parse(f->of_statement, from->entry.note, &s);
	if (e != OK)
		return e == ERR_NO_MEMORY ? e : bad_entry(f, l, f->st.index, "it holds no statement");
	if ((e = verify(f, l, &s)) == OK && (e = compare_tick(f, &s, wait)) == OK && !*wait)
		e = state_fold(&f->st, &s);
	if (e != OK || *wait)
		return e;
	f->heads.next[l]++;
	f->heads.logged_ms[l] = from->entry.logged_ms;
	from->has = false;
	return ++f->in_chunk >= CHUNK ? next_chunk(f) : OK;
}

static enum err look_at_watch(const struct folding *f)
{
	const struct mirror_watch *w = f->watch;
	uint64_t total = 0;

	if (w == NULL || f->in_chunk % LOOK != 0)
		return OK;
	if (w->stop != NULL && w->stop(w->context))
		return fail(ERR_BUSY, "%s: it is time to end", f->m->dir);
	for (int l = 0; l < LEDGER_COUNT; l++)
		total += f->from[l].checkpoint.size;
	if (w->progress != NULL)
		w->progress(w->context, total - left(f), total);
	return OK;
}

static enum err fold_some(struct folding *f)
{
	bool wait = false;
	enum err e = OK;

	while (e == OK && !wait) {
		enum ledger_id l;

		e = look_at_watch(f);
		for (int i = 0; e == OK && i < LEDGER_COUNT; i++)
			e = peek(f, (enum ledger_id)i);
		if (e != OK || !pick(f, &l))
			break;
		e = comes_too_late(f, l) ? start_anew(f) : fold_one(f, l, &wait);
	}
	return e;
}

static bool may_keep(enum err e)
{
	return e == OK || e == ERR_PEER || e == ERR_LEDGER_FORK || e == ERR_BUSY;
}

/* What stands before an entry that stops the fold is kept, and is a state of its own right. */
static enum err fold_all(struct folding *f)
{
	char detail[512];
	bool again;
	enum err why, e;

	do {
		why = fold_some(f);
		snprintf(detail, sizeof(detail), "%s", err_detail());
		if (!may_keep(why))
			return why;
		e = settle(f, &again);
	} while (e == OK && again);
	if (e != OK)
		return e;
	if (why != ERR_BUSY)
		f->heads.anew = false;
	e = commit(f);
	return e == OK && why != OK ? fail(why, "%s", detail) : e;
}

static void close_folding(struct folding *f)
{
	signature_checker_free(f->checker);
	snapshot_end(f->st.snapshot);
	for (int l = 0; l < LEDGER_COUNT; l++) {
		ledger_reader_close(f->from[l].reader);
		arena_free(f->from[l].arena);
	}
	arena_free(f->arena);
	arena_free(f->of_statement);
}

static enum err read_heads(struct folding *f)
{
	struct snapshot *s = NULL;
	enum err e = views_read(f->m->views, &s);

	if (e == OK)
		e = mirror_heads_get(s, &f->heads);
	snapshot_end(s);
	return e;
}

enum err mirror_catch_up(struct mirror *m, const struct mirror_watch *watch)
{
	struct folding f = { .m = m,
			     .watch = watch,
			     .arena = arena_new(MIRROR_ARENA_MAX),
			     .of_statement = arena_new(MIRROR_ARENA_MAX) };
	bool mine = m->write && pthread_mutex_trylock(&m->folding) == 0;
	enum err e = f.arena == NULL || f.of_statement == NULL ? ERR_NO_MEMORY : OK;

	if (!mine)
		e = fail(ERR_BUSY, m->write ? "%s: it is being folded" : "%s: open for reading only", m->dir);
	f.st = (struct state){ .node = m->node, .arena = f.of_statement };
	if (e == OK)
		e = open_sources(&f);
	if (e == OK)
		e = read_heads(&f);
	if (e == OK)
		e = begin(&f);
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		if (f.heads.next[l] > f.from[l].checkpoint.size)
			e = start_anew(&f); /* of another mirror */
	if (e == OK)
		e = fold_all(&f);
	close_folding(&f);
	if (mine)
		pthread_mutex_unlock(&m->folding);
	return e;
}
