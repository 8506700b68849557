#include "regime/node_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/encoding.h"
#include "regime/guest.h"
#include "regime/kinds_private.h"

/*
 * The audit
 *
 * Nothing that is stored is believed but the journal's bytes, and these carry checksums. What is published is read first,
 * then a snapshot of the views is taken: it reflects at least as much. Up to its position the journal is walked once:
 *
 *	each entry	would the door let it in where it stands; its order and time; its leaf; a guest's receipt; its
 *			signature, on threads beside the walk; its body against the reference; folded into a fresh, empty view
 *	each tick	the checkpoints that it names, against the roots of the same sizes
 *	marks		sorted; those that the view has reached are counted and found again
 *	private records	folded as they were when they came; what waits is read from its record
 *
 * Then fresh and stored views are compared key by key, and the tiles with the roots that came out of the walk. A writer may
 * go on meanwhile: what it adds lies beyond the snapshot.
 */

#define CHUNK 50000 /* as in node_catch_up.c */
#define RECORD_ARENA_MAX (BODY_MAX + NODE_ARENA_MAX)
#define PROGRESS_STEP 1024
#define TICKS_MAX ((size_t)64 << 20)

/* A root that some tick named: compared at the end with what the tiles give for that size. */
struct named_root {
	struct named_root *next;
	enum ledger_id ledger;
	uint64_t size, tick; /* tick: the index of the tick */
	struct hash root;
};

struct auditing {
	struct node *node;
	struct snapshot *live;
	uint64_t position; /* of the live views */
	bool reached;
	uint64_t stopped; /* the first record that the views do not reflect */
	uint64_t end;	  /* of the journal before the walk; others go on writing */
	char *dir;
	struct views *fresh;
	struct state st;
	struct heads heads;
	struct frontier frontiers[LEDGER_COUNT];
	struct audit_published published[LEDGER_COUNT];
	struct arena *arena, *bodies, *kept; /* one record; one body; to the end */
	struct signature_checker *signatures;
	struct checkpoint_cache checkpoints; /* of guests' homes */
	struct named_root *ticks;
	uint64_t records, folded; /* folded: in the open transaction, about */
	uint64_t marks_within;	  /* marks of the journal that the view should have */
	audit_progress *progress;
	void *context;
	struct audit *out;
};

static enum err bad_entry(const struct auditing *w, const char *why)
{
	return fail(ERR_LEDGER_DIFFERS, "%s/journal: entry %ju of the %s ledger: %s", w->node->dir,
		    (uintmax_t)w->st.index, ledger_name(w->st.ledger), why);
}

/* ---- one entry ---- */

static void add_leaf(struct auditing *w, enum ledger_id l, struct span entry)
{
	struct audit_published *p = &w->published[l];
	struct frontier *f = &w->frontiers[l];

	frontier_add(f, merkle_leaf(entry));
	if (p->there && f->size == p->checkpoint.size) {
		p->root = frontier_root(f);
		p->root_seen = true;
	}
}

static enum err check_time(const struct auditing *w, enum ledger_id l, int64_t logged_ms)
{
	const struct heads *h = &w->heads;

	if (logged_ms < h->logged_ms)
		return bad_entry(w, "logged before the entry in front of it");
	if (logged_ms == h->logged_ms && l == LEDGER_PUBLIC && h->logged_in == LEDGER_CIRCLE)
		return bad_entry(w, "logged at the same instant as an entry of the circle in front of it");
	return OK;
}

static enum err check_body(struct auditing *w, const struct statement *s)
{
	struct body_record body;
	struct record r;
	uint64_t position;
	enum err e = position_get(w->live, VIEW_BODIES, span_make(s->body.hash.bytes, HASH_SIZE), &position);

	if (e == ERR_NOT_FOUND) { /* erased before the views were made, or never ours to hold */
		w->out->bodies_erased++;
		return OK;
	}
	arena_reset(w->bodies);
	if (e == OK)
		e = journal_read(w->node->journal, w->bodies, position, &r);
	if (e == ERR_NOT_FOUND)
		return bad_entry(w, "the journal has no body where the view says");
	if (e == OK && r.erased) {
		w->out->bodies_erased++;
		return OK;
	}
	if (e == OK)
		e = body_unpack(r.payload, &body);
	if (e == OK && !statement_binds(s, body.salt, body.payload))
		e = bad_entry(w, "its body is not the one that it binds");
	w->out->bodies += e == OK;
	return e;
}

/* "<origin> <size> <base64>"; the tick's own rules looked at it already. */
static enum err keep_root(struct auditing *w, struct span value)
{
	struct span rest = value, origin = span_cut(&rest, ' '), size = span_cut(&rest, ' ');
	struct named_root *t;
	size_t length;

	for (int l = 0; l < LEDGER_COUNT; l++) {
		if (!span_equal(origin, w->node->origin[l]))
			continue;
		if ((t = arena_array(w->kept, 1, sizeof(*t))) == NULL)
			return ERR_NO_MEMORY;
		t->ledger = (enum ledger_id)l;
		t->tick = w->st.index;
		if (span_u64(size, INT64_MAX, &t->size) != OK ||
		    base64_decode(rest, t->root.bytes, HASH_SIZE, &length) != OK)
			return bad_entry(w, "a tick that does not read");
		t->next = w->ticks;
		w->ticks = t;
	}
	return OK;
}

static enum err keep_tick(struct auditing *w, const struct statement *s)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < s->header_count; i++)
		if (span_is(s->headers[i].name, "checkpoint"))
			e = keep_root(w, s->headers[i].value);
	return e;
}

/* A guest's receipt, again, under the key that its home's party statement named then. */
static enum err check_receipt(struct auditing *w, const struct entry *entry, const struct statement *s)
{
	struct buffer extra = BUFFER(STATEMENT_MAX + 256);
	struct receipt r;
	struct verifier key;
	struct span bare;
	enum err e;

	arena_reset(w->bodies);
	if ((e = guest_bare(w->node, w->live, w->bodies, entry->receipt, &bare)) != OK)
		return e == ERR_NOT_FOUND ? bad_entry(w, "the receipt of its home is missing") : e;
	e = guest_ledger_key(&w->st, s, &key);
	if (e == OK)
		e = guest_restore(w->bodies, entry, bare, &extra, &r);
	if (e == OK)
		e = receipt_verify_cached(w->bodies, &r, r.extra, &key, &w->checkpoints, NULL);
	buffer_free(&extra);
	if (e != OK && !state_failed(e)) {
		char why[256];

		snprintf(why, sizeof(why), "the receipt of its home: %s", err_detail());
		return bad_entry(w, why);
	}
	w->out->guests += e == OK;
	return e;
}

/* What the door would say, where the entry stands. */
static enum err check_door(struct auditing *w, const struct entry *entry, struct statement *s)
{
	struct verifier key;
	enum ledger_id home;
	struct span node;
	enum err e = statement_parse(w->arena, entry->note, s);

	if (e == OK)
		e = statement_home(s, &node, &home);
	if (e == OK && home != w->st.ledger)
		e = fail(ERR_STATEMENT_LEDGER, "its home is the %s ledger", ledger_name(home));
	if (e == OK)
		e = state_check_unsigned(&w->st, s, &key);
	if (e != OK)
		return state_failed(e) ? e : bad_entry(w, err_detail());
	if (entry->is_guest && (e = check_receipt(w, entry, s)) != OK)
		return e;
	e = signature_checker_add(w->signatures, &s->note, &key, w->st.ledger, w->st.index);
	if (e == OK && s->has_body)
		e = check_body(w, s);
	if (e == OK && s->kind == KIND_TICK)
		e = keep_tick(w, s);
	return e;
}

/* As the door and then the batch: what passed is entered. */
static enum err check_entry(struct auditing *w, const struct record *r)
{
	struct statement s;
	struct entry entry;
	enum err e;

	if (r->ledger >= LEDGER_COUNT)
		return fail(ERR_LEDGER_DIFFERS, "journal at %ju: ledger %u", (uintmax_t)r->position, r->ledger);
	w->st.ledger = (enum ledger_id)r->ledger;
	w->st.index = w->heads.size[r->ledger];
	if (entry_parse(r->payload, &entry) != OK)
		return bad_entry(w, err_detail());
	w->st.logged_ms = entry.logged_ms;
	w->st.is_guest = entry.is_guest;
	w->st.home_ms = entry.home_ms;
	if ((e = check_time(w, w->st.ledger, entry.logged_ms)) != OK)
		return e;
	add_leaf(w, w->st.ledger, r->payload);
	w->out->entries[r->ledger]++;
	e = check_door(w, &entry, &s);
	return e == OK ? entry_enter(&w->st, &w->heads, r->position, &s) : e;
}

/* ---- marks ---- */

static enum err check_marks(struct auditing *w, const struct record *r)
{
	const struct mark *m = (const struct mark *)(const void *)r->payload.at;
	size_t count = r->payload.len / MARK_SIZE;
	uint8_t *found;
	enum err e = OK;

	w->out->marks += count;
	for (size_t i = 1; i < count; i++)
		if (memcmp(m[i - 1].bytes, m[i].bytes, MARK_SIZE) >= 0)
			return fail(ERR_LEDGER_DIFFERS, "journal at %ju: marks are not sorted", (uintmax_t)r->position);
	if (w->node->marks == NULL || r->next > marks_position(w->node->marks) || count == 0)
		return OK; /* a reader's may be behind */
	w->marks_within += count;
	if ((found = malloc(count)) == NULL)
		return ERR_NO_MEMORY;
	marks_find(w->node->marks, m, count, found);
	if (memchr(found, 0, count) != NULL)
		e = fail(ERR_LEDGER_DIFFERS,
			 "%s/views/marks: marks of the journal at %ju are missing; " AUDIT_VIEWS_ADVICE, w->node->dir,
			 (uintmax_t)r->position);
	free(found);
	return e;
}

static enum err check_marks_count(const struct auditing *w)
{
	if (w->node->marks != NULL && marks_count(w->node->marks) != w->marks_within)
		return fail(ERR_LEDGER_DIFFERS, "%s/views/marks: %ju marks, the journal has %ju; " AUDIT_VIEWS_ADVICE,
			    w->node->dir, (uintmax_t)marks_count(w->node->marks), (uintmax_t)w->marks_within);
	return OK;
}

/* ---- the walk ---- */

static enum err next_chunk(struct auditing *w)
{
	enum err e = snapshot_commit(w->st.snapshot);

	w->folded = 0;
	w->st.snapshot = NULL;
	return e == OK ? views_write(w->fresh, &w->st.snapshot) : e;
}

static enum err check_record(void *context, const struct record *r)
{
	struct auditing *w = context;
	enum err e = OK;

	if (r->position >= w->position) {
		w->reached = true;
		w->stopped = r->position;
		return ERR_EMPTY; /* ends the walk */
	}
	if (w->progress != NULL && w->records % PROGRESS_STEP == 0)
		w->progress(w->context, r->position, w->position);
	arena_reset(w->arena);
	if (r->kind == RECORD_ENTRY)
		e = check_entry(w, r);
	else if (r->kind == RECORD_MARKS)
		e = check_marks(w, r);
	else
		e = record_fold(&w->st, &w->heads, r);
	w->records++;
	w->folded += record_weight(r);
	if (e == OK && w->folded >= CHUNK)
		e = next_chunk(w);
	return e;
}

/* Views reflect whole batches, so their position is where one ends and the next begins, be it in a new segment. */
static enum err check_position(const struct auditing *w)
{
	uint64_t next = w->reached ? w->stopped : w->end;

	if (next < w->position || next - w->position > JOURNAL_GAP)
		return fail(ERR_LEDGER_DIFFERS, "%s/views: at %ju no batch of the journal ends; " AUDIT_VIEWS_ADVICE,
			    w->node->dir, (uintmax_t)w->position);
	return OK;
}

static enum err walk(struct auditing *w)
{
	enum err e = journal_end(w->node->journal, &w->end);

	if (e == OK)
		e = journal_tail(w->node->journal, 0, check_record, w);
	if (e == ERR_EMPTY && w->reached)
		e = OK;
	if (e == OK)
		e = check_position(w);
	if (e == OK && w->progress != NULL)
		w->progress(w->context, w->position, w->position);
	return e;
}

/* ---- the rest ---- */

/* One ledger's named roots, all from the tiles of its published checkpoint. */
static enum err check_ticks(struct auditing *w, enum ledger_id l)
{
	char *dir = node_path(w->node, "ledger/%s", ledger_name(l));
	struct ledger_reader *r = NULL;
	enum err e = dir == NULL ? ERR_NO_MEMORY : ledger_reader_open(dir, &r);

	if (e == OK)
		ledger_reader_set_size(r, w->published[l].checkpoint.size);
	for (const struct named_root *t = w->ticks; e == OK && t != NULL; t = t->next) {
		struct hash root;

		if (t->ledger != l)
			continue;
		if (t->size <= w->published[l].checkpoint.size)
			e = merkle_root(t->size, ledger_reader_fetch, r, &root);
		if (err_is_machine(e))
			break;
		if (t->size > w->published[l].checkpoint.size || e != OK || !hash_equal(root, t->root))
			e = fail(ERR_LEDGER_DIFFERS,
				 "entry %ju of the public ledger: this tick names another root of the %s "
				 "ledger",
				 (uintmax_t)t->tick, ledger_name(l));
	}
	ledger_reader_close(r);
	free(dir);
	return e;
}

static enum err check_ledgers(struct auditing *w)
{
	enum err e = OK;

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++) {
		w->out->root[l] = frontier_root(&w->frontiers[l]);
		if (!w->published[l].there) {
			if (w->ticks != NULL)
				e = fail(ERR_LEDGER_DIFFERS,
					 "%s/ledger/%s/checkpoint: missing, but ticks name it; any command that writes "
					 "makes it anew",
					 w->node->dir, ledger_name((enum ledger_id)l));
			continue;
		}
		e = audit_check_published(w->node, (enum ledger_id)l, w->kept, &w->published[l]);
		if (e == OK)
			e = check_ticks(w, (enum ledger_id)l);
	}
	return e;
}

static enum err check_views(struct auditing *w)
{
	struct state fresh = node_state(w->node, w->st.snapshot, w->arena);
	struct heads live;
	uint64_t keys;
	enum err e = heads_get(w->live, &live);

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		if (live.size[l] != w->heads.size[l] || live.logged_ms != w->heads.logged_ms ||
		    live.logged_in != w->heads.logged_in)
			e = fail(ERR_LEDGER_DIFFERS, "%s/views: not the length of the ledgers; " AUDIT_VIEWS_ADVICE,
				 w->node->dir);
	if (e == OK)
		e = heads_put(w->st.snapshot, &w->heads);
	for (int v = 0; e == OK && v < VIEW_COUNT; v++)
		e = audit_compare(w->node, w->st.snapshot, w->live, w->node->journal, (enum view)v,
				  v == VIEW_STATE ? &w->out->state_keys : &keys);
	if (e == OK)
		e = audit_check_private(w->node, w->st.snapshot, w->live, w->bodies, w->out);
	if (e == OK)
		e = views_digest(w->st.snapshot, &w->out->views);
	return e == OK ? state_digest(&fresh, &w->out->state) : e;
}

static enum err make_folder(struct auditing *w)
{
	static const char *const places[] = { NULL, "/var/tmp", "/tmp" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *place = places[i] != NULL ? places[i] : w->node->dir;

		if (asprintf(&w->dir, "%s/audit.XXXXXX", place) < 0) {
			w->dir = NULL;
			return ERR_NO_MEMORY;
		}
		if (mkdtemp(w->dir) != NULL)
			return OK;
		free(w->dir);
		w->dir = NULL;
	}
	return fail_errno("no place for a fresh view");
}

static enum err prepare(struct auditing *w)
{
	enum err e = make_folder(w);

	if (e == OK && ((w->arena = arena_new(NODE_ARENA_MAX)) == NULL ||
			(w->bodies = arena_new(RECORD_ARENA_MAX)) == NULL || (w->kept = arena_new(TICKS_MAX)) == NULL))
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = signature_checker_new(&w->signatures);
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = audit_read_published(w->node, (enum ledger_id)l, w->kept, &w->published[l]);
	if (e == OK)
		e = views_read(w->node->views, &w->live);
	if (e != OK)
		return e;
	w->position = views_position(w->live);
	if ((e = views_open(w->dir, true, &w->fresh)) != OK)
		return e;
	w->st = node_state(w->node, NULL, w->arena);
	return views_write(w->fresh, &w->st.snapshot);
}

static void release(struct auditing *w)
{
	snapshot_end(w->st.snapshot);
	snapshot_end(w->live);
	views_close(w->fresh);
	signature_checker_free(w->signatures);
	if (w->arena != NULL)
		arena_free(w->arena);
	if (w->bodies != NULL)
		arena_free(w->bodies);
	if (w->kept != NULL)
		arena_free(w->kept);
	if (w->dir != NULL) {
		views_destroy(w->dir);
		rmdir(w->dir);
	}
	free(w->dir);
}

/* What the walk left to the workers is verified meanwhile. A bad signature is told before anything else. */
static enum err check_stored(struct auditing *w)
{
	char detail[512];
	enum err stored = check_marks_count(w), e;

	if (stored == OK)
		stored = check_views(w);
	snprintf(detail, sizeof(detail), "%s", err_detail());
	e = signature_checker_finish(w->signatures, &w->out->signatures);
	return e == OK && stored != OK ? fail(stored, "%s", detail) : e;
}

enum err node_audit(struct node *n, audit_progress *progress, void *context, struct audit *out)
{
	struct auditing w = { .node = n, .progress = progress, .context = context, .out = out };
	enum err e;

	*out = (struct audit){ 0 };
	if ((e = node_check_keys(n)) == OK && (e = marks_damaged(n->marks)) == OK && (e = prepare(&w)) == OK &&
	    (e = walk(&w)) == OK && (e = check_stored(&w)) == OK)
		e = check_ledgers(&w);
	release(&w);
	return e;
}
