/*
 * A round
 *
 * The circle's checkpoint is asked for before the public one, and both again until neither has moved since: then both were seen to
 * stand where they stand together, which the fold wants to know (regime/mirror_fold.c). A busy node may move each time; then the
 * fold leaves out the newest, and the next round has it.
 *
 * At the end party statements become guests of our own ledger: the node's own, those of parties that hold something there, and of
 * parties that are its guests here already what they filed since, with what announced their keys, or that they withdrew. Their
 * receipts are made of the mirror's tiles, so nothing more is asked, and reports can be routed to these parties without any
 * network. One that is refused (its party is kept by another node, or here) is counted, and the others go on.
 */
#include "exchange/follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "exchange/follow_private.h"
#include "ledger/tile.h"
#include "regime/introduction.h"
#include "regime/mirror.h"
#include "regime/vouch.h"
#include "regime/policy.h"

#define CARD_MAX ((size_t)1 << 20) /* GET /node */
#define NOTE_MAX ((size_t)STATEMENT_MAX)
#define ROUND_ARENA ((size_t)64 << 20)
#define PASSES 4
#define WAITS 100 /* for a reader of this process to leave the mirror: times 50 ms */

struct round {
	const struct follow_host *host;
	const struct hash *pin;
	struct follow_result *out;
	struct arena *arena;
	struct peer *peer;
	struct introduction who;
	const char *dir; /* DIR/followed/b.example */
	int lock;
	bool closed; /* its circle, to us, in this round */
	bool to_all; /* it is open to all, and we are nobody there */
};

/* ---- files ---- */

static const char *inside(struct arena *a, const char *dir, const char *name)
{
	return arena_print(a, "%s/%s", dir, name);
}

static enum err read_text(struct arena *a, const char *dir, const char *name, size_t most, struct span *out)
{
	const char *path = inside(a, dir, name);

	return path == NULL ? ERR_NO_MEMORY : file_read(a, path, most, out);
}

static enum err write_text(struct arena *a, const char *dir, const char *name, struct span text)
{
	const char *path = inside(a, dir, name);

	return path == NULL ? ERR_NO_MEMORY : file_write(path, text, 0600);
}

static enum err take_lock(struct arena *a, const char *dir, int *lock)
{
	const char *path = inside(a, dir, "lock");

	if (path == NULL)
		return ERR_NO_MEMORY;
	if ((*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) == -1)
		return fail_errno("%s", path);
	if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
		return OK;
	close(*lock);
	*lock = -1;
	return errno == EWOULDBLOCK ? fail(ERR_BUSY, "%s: another process follows at this moment", dir)
				    : fail_errno("%s", path);
}

/* ---- who is it? ---- */

struct finding {
	struct arena *arena;
	struct span url;
	const char *dir;
};

static enum err compare_url(void *context, const char *dir, struct span node)
{
	struct finding *f = context;
	struct span url;

	(void)node;
	if (f->dir == NULL && read_text(f->arena, dir, "url", CARD_MAX, &url) == OK &&
	    span_equal(span_trim(url), f->url) && (f->dir = arena_copy(f->arena, dir, strlen(dir))) == NULL)
		return ERR_NO_MEMORY;
	return OK;
}

/* One that we follow already. *dir NULL: none has this address. */
static enum err find_known(struct round *r, const char **dir)
{
	struct finding f = { r->arena, span_of(peer_url(r->peer)), NULL };
	enum err e = mirrors_walk(r->host->dir, compare_url, &f);

	*dir = f.dir;
	return e;
}

static enum err read_party(struct arena *a, const char *dir, struct introduction *out)
{
	struct span note;
	enum err e = read_text(a, dir, "party", NOTE_MAX, &note);

	if (e == OK && (e = introduction_read(a, note, out)) == ERR_PEER)
		e = fail(ERR_DAMAGED, "%s/party: %s", dir, err_detail());
	return e;
}

static enum err ask_who(struct round *r)
{
	struct yyjson_doc *doc;
	struct span body, note;
	yyjson_val *v;
	const char *copy;
	enum err e = peer_get(r->peer, "/node", false, CARD_MAX, &body);

	if (e == ERR_NOT_FOUND || e == ERR_CREDENTIALS)
		return fail(ERR_PEER, "%s/node: no node that introduces itself answers there", peer_url(r->peer));
	if (e != OK)
		return e;
	e = json_read_strict(r->arena, body, &doc);
	if (e == ERR_NO_MEMORY)
		return e;
	v = e == OK ? yyjson_obj_get(yyjson_doc_get_root(doc), "statement") : NULL;
	if (!yyjson_is_str(v))
		return fail(ERR_PEER, "%s/node: no JSON object with a statement", peer_url(r->peer));
	note = span_make(yyjson_get_str(v), yyjson_get_len(v));
	if ((copy = arena_copy(r->arena, note.at, note.len)) == NULL)
		return ERR_NO_MEMORY;
	return introduction_read(r->arena, span_make(copy, note.len), &r->who);
}

static bool has_ledger_of(const struct round *r, const struct party *p)
{
	struct verifier key;

	return party_ledger_key(p, LEDGER_PUBLIC, &key) == OK &&
	       memcmp(key.public_key, r->who.ledger[LEDGER_PUBLIC].public_key, KEY_PUBLIC_SIZE) == 0;
}

/* A key that is known for this name already, here or in an earlier mirror, is the only one that may come with it. Another one only
 * with the ledger that is known here, which must show that the known key announced it (check_leads). */
static enum err check_key(struct round *r, const char *dir)
{
	struct introduction before;
	struct state st;
	struct party p;
	enum err e;

	if (span_equal(r->who.node, r->host->node))
		return fail(ERR_USAGE, "%s is this node itself", peer_url(r->peer));
	if (r->pin != NULL && !hash_equal(*r->pin, r->who.fingerprint))
		return fail(ERR_KEY, "%.*s comes with another key than the one that was asked for",
			    SPAN_FORMAT(r->who.node));
	e = read_party(r->arena, dir, &before);
	if (e == OK && !hash_equal(before.fingerprint, r->who.fingerprint))
		e = fail(ERR_KEY, "%.*s is followed with another key", SPAN_FORMAT(r->who.node));
	if (e == ERR_NOT_FOUND)
		e = OK;
	if (e == OK && (e = r->host->read(r->host->context, r->arena, &st)) == OK) {
		e = state_party(&st, r->who.node, &p);
		if (e == OK && !hash_equal(p.fingerprint, r->who.fingerprint) && !has_ledger_of(r, &p))
			e = fail(ERR_KEY, "%.*s is known here with another key", SPAN_FORMAT(r->who.node));
		snapshot_end(st.snapshot);
	}
	return e == ERR_PARTY_UNKNOWN ? OK : e;
}

static enum err meet(struct round *r)
{
	enum err e = ask_who(r);

	if (e != OK)
		return e;
	r->dir = arena_print(r->arena, "%s/followed/%.*s", r->host->dir, SPAN_FORMAT(r->who.node));
	if (r->dir == NULL)
		return ERR_NO_MEMORY;
	if ((e = check_key(r, r->dir)) != OK)
		return e;
	r->out->first = !file_exists(inside(r->arena, r->dir, "url"));
	if ((e = folder_make_durable(r->dir, 0700)) == OK && (e = take_lock(r->arena, r->dir, &r->lock)) == OK)
		e = write_text(r->arena, r->dir, "party", r->who.s.note.whole);
	return e == OK ? write_text(r->arena, r->dir, "url", span_of(peer_url(r->peer))) : e;
}

static enum err meet_again(struct round *r)
{
	enum err e = take_lock(r->arena, r->dir, &r->lock);

	if (e == OK)
		e = read_party(r->arena, r->dir, &r->who);
	if (e == OK && r->pin != NULL && !hash_equal(*r->pin, r->who.fingerprint))
		e = fail(ERR_KEY, "%.*s is followed with another key than the one that was asked for",
			 SPAN_FORMAT(r->who.node));
	return e;
}

/* ---- ledgers ---- */

static enum err follow_one(struct round *r, enum ledger_id l, bool is_signed, bool *moved)
{
	struct ledger_round one = { r->peer, r->host, r->dir, l, &r->who.ledger[l], is_signed, 0, 0 };
	enum err e = ledger_follow(&one);

	r->out->entries[l] = one.size;
	r->out->fresh[l] += one.fresh;
	*moved = *moved || one.fresh > 0;
	return e;
}

static bool is_closed(enum err e)
{
	return e == ERR_NOT_FOUND || e == ERR_CREDENTIALS;
}

/* Who is no member may still have what is so old that all may. Closed is no error. */
static enum err follow_circle(struct round *r, bool *moved)
{
	enum err e;

	if (!r->who.has[LEDGER_CIRCLE] || r->closed)
		return OK;
	e = follow_one(r, LEDGER_CIRCLE, !r->to_all, moved);
	if (is_closed(e) && !r->to_all) {
		r->to_all = true;
		e = follow_one(r, LEDGER_CIRCLE, false, moved);
	}
	r->closed = is_closed(e);
	r->out->circle_open = e == OK;
	return r->closed ? OK : e;
}

static enum err follow_ledgers(struct round *r)
{
	bool moved = true;
	enum err e = OK;

	for (int i = 0; e == OK && moved && i < PASSES; i++) {
		moved = false;
		e = follow_circle(r, &moved);
		if (e == OK)
			e = follow_one(r, LEDGER_PUBLIC, false, &moved);
		if (is_closed(e))
			e = fail(ERR_PEER, "%s", err_detail());
		if (i == 0)
			moved = true; /* once more, to see that they stand */
	}
	return e == OK && !moved && r->out->circle_open ? mirror_together(r->dir, r->out->entries) : e;
}

/* ---- what follows from them ---- */

/* A reader of this process may have it open; it is soon done. */
static enum err open_mirror(const struct round *r, struct mirror **out)
{
	struct timespec t = { .tv_nsec = 50000000 };
	enum err e = ERR_BUSY;

	for (int i = 0; e == ERR_BUSY && i < WAITS; i++) {
		if (i > 0)
			nanosleep(&t, NULL);
		e = mirror_open(r->dir, r->who.node, true, out);
	}
	return e;
}

struct wanted {
	struct wanted *next;
	struct span domain;
	uint64_t index;
};

struct gathering {
	struct round *round;
	const struct state *theirs, *ours;
	struct wanted *first, **last;
	struct span holder;  /* who was looked at last */
	struct span stepper; /* whose keys */
};

static enum err want(struct gathering *g, struct span domain, uint64_t index)
{
	struct arena *a = g->round->arena;
	struct wanted *w;

	for (w = g->first; w != NULL; w = w->next)
		if (w->index == index)
			return OK;
	if ((w = arena_alloc(a, sizeof(*w))) == NULL)
		return ERR_NO_MEMORY;
	*w = (struct wanted){ .domain = span_of(arena_print(a, "%.*s", SPAN_FORMAT(domain))), .index = index };
	*g->last = w;
	g->last = &w->next;
	return OK;
}

static enum err want_step(void *context, uint64_t index)
{
	struct gathering *g = context;

	return want(g, g->stepper, index);
}

/* What leads from the key that is known here to the one there; nothing if it is the same, or if sponsors came between. */
static enum err want_steps(struct gathering *g, const struct party *ours)
{
	g->stepper = ours->domain;
	return party_steps(g->theirs, ours->domain, &ours->fingerprint, want_step, g);
}

/* Whether the party's present statement there should stand here too. */
static enum err want_party(struct gathering *g, struct span domain)
{
	struct party theirs, ours;
	enum err e = state_party(g->theirs, domain, &theirs);

	if (e != OK)
		return e == ERR_PARTY_UNKNOWN ? OK : e;
	if (!span_equal(theirs.home, g->round->who.node) || span_equal(domain, g->round->host->node))
		return OK;
	e = state_party(g->ours, domain, &ours);
	if (e != OK && e != ERR_PARTY_UNKNOWN)
		return e;
	if (e == OK && (!span_equal(ours.home, theirs.home) || hash_equal(ours.statement, theirs.statement)))
		return OK;
	e = e == OK ? want_steps(g, &ours) : OK;
	return e == OK ? want(g, domain, theirs.index) : e;
}

static enum err want_holder(void *context, const struct holding *h)
{
	struct gathering *g = context;

	if (span_equal(g->holder, h->party))
		return OK; /* they come party by party */
	g->holder = h->party;
	return want_party(g, h->party);
}

/* What came here as a guest stands here as it stands there: filed anew, or withdrawn. */
static enum err want_guest(void *context, const struct party *ours)
{
	struct gathering *g = context;
	struct round *r = g->round;
	uint64_t filed, withdrawn;
	struct matter m;
	enum err e;

	if (!span_equal(ours->home, r->who.node))
		return OK;
	e = mirror_withdrawn(r->dir, g->theirs, r->arena, ours->domain, &filed, &withdrawn);
	if (e == ERR_PARTY_UNKNOWN)
		return want_party(g, ours->domain);
	if (e == OK && (e = state_matter(g->theirs, ours->statement, &m)) == ERR_MATTER_UNKNOWN)
		return OK; /* ours is of a ledger that is not mirrored that far */
	if (e == OK && m.index != filed)
		e = want_steps(g, ours);
	if (e == OK && m.index != filed)
		e = want(g, ours->domain, filed);
	return e == OK ? want(g, ours->domain, withdrawn) : e;
}

static enum err gather(struct round *r, struct mirror *m, struct gathering *g)
{
	struct state theirs, ours;
	enum err e = mirror_read(m, r->arena, &theirs);

	if (e != OK)
		return e;
	if ((e = r->host->read(r->host->context, r->arena, &ours)) == OK) {
		g->theirs = &theirs;
		g->ours = &ours;
		if ((e = want_party(g, r->who.node)) == OK)
			e = policy_holdings(&theirs, POLICY_DIVERT, SPAN(""), clock_now_ms(), want_holder, g);
		if (e == OK)
			e = state_parties(&ours, want_guest, g);
		snapshot_end(ours.snapshot);
	}
	snapshot_end(theirs.snapshot);
	return e;
}

static enum err log_guest(struct round *r, struct arena *a, const struct wanted *w)
{
	struct span note, receipt;
	enum err e = mirror_note(r->dir, a, LEDGER_PUBLIC, w->index, &note);

	if (e == OK)
		e = mirror_receipt(r->dir, a, LEDGER_PUBLIC, w->index, &receipt);
	if (e != OK)
		return e;
	e = r->host->guest(r->host->context, note, receipt);
	if (e == ERR_STATEMENT_REPEATED || e == ERR_SUPERSEDED)
		return OK;
	if (e == OK) {
		r->out->guests++;
	} else if (!err_is_machine(e) && e != ERR_BUSY && e != ERR_DAMAGED) {
		r->out->refused++;
		snprintf(r->out->why_refused, sizeof(r->out->why_refused), "%.*s: %s", SPAN_FORMAT(w->domain),
			 err_detail());
		e = OK;
	}
	return e;
}

static enum err log_guests(struct round *r, const struct wanted *first)
{
	struct arena *a = arena_new(ROUND_ARENA);
	enum err e = a == NULL ? ERR_NO_MEMORY : OK;

	for (const struct wanted *w = first; e == OK && w != NULL; w = w->next) {
		if (r->host->stop != NULL && r->host->stop(r->host->context))
			break;
		arena_reset(a);
		e = log_guest(r, a, w);
	}
	arena_free(a);
	return e;
}

/* The node may say more of itself by now: the newest statement in its ledger is the one that counts. Another key only if the ledger
 * shows that the one that we know announced it. */
static enum err renew_party(struct round *r, struct mirror *m)
{
	struct introduction now;
	struct state st;
	struct party p;
	struct span note;
	uint64_t index = 0;
	bool newer = false, leads = false;
	enum err e = mirror_read(m, r->arena, &st);

	if (e != OK)
		return e;
	if ((e = state_party(&st, r->who.node, &p)) == OK) {
		newer = !hash_equal(p.statement, r->who.s.id);
		index = p.index;
		e = party_key_leads(&st, r->who.node, r->who.fingerprint, &leads);
	}
	snapshot_end(st.snapshot);
	if (e == OK && newer && (e = mirror_note(r->dir, r->arena, LEDGER_PUBLIC, index, &note)) == OK &&
	    (e = introduction_read(r->arena, note, &now)) == OK && leads)
		e = write_text(r->arena, r->dir, "party", note);
	return e == ERR_PARTY_UNKNOWN || e == ERR_PEER ? OK : e;
}

/* Before the first round comes through. */
static enum err check_leads(struct round *r, struct mirror *m)
{
	struct state theirs, ours;
	struct party p;
	bool leads = true;
	enum err e =
		file_exists(inside(r->arena, r->dir, "seen")) ? ERR_PARTY_UNKNOWN : mirror_read(m, r->arena, &theirs);

	if (e != OK)
		return e == ERR_PARTY_UNKNOWN ? OK : e;
	if ((e = r->host->read(r->host->context, r->arena, &ours)) == OK) {
		e = state_party(&ours, r->who.node, &p);
		if (e == OK && !hash_equal(p.fingerprint, r->who.fingerprint))
			e = party_key_leads(&theirs, r->who.node, p.fingerprint, &leads);
		snapshot_end(ours.snapshot);
	}
	snapshot_end(theirs.snapshot);
	if (e == OK && !leads)
		e = fail(ERR_KEY, "%.*s is known here with another key", SPAN_FORMAT(r->who.node));
	return e == ERR_PARTY_UNKNOWN ? OK : e;
}

static enum err fold(struct round *r)
{
	struct mirror_watch watch = { r->host->stop, r->host->folding, r->host->context };
	struct gathering g = { .round = r, .last = &g.first };
	struct mirror *m = NULL;
	enum err e = open_mirror(r, &m);

	if (e == OK)
		e = mirror_catch_up(m, &watch);
	if (e == OK)
		e = check_leads(r, m);
	if (e == OK)
		e = renew_party(r, m);
	if (e == OK)
		e = gather(r, m, &g);
	mirror_close(m);
	return e == OK ? log_guests(r, g.first) : e;
}

static enum err follow_evidence(struct round *r)
{
	struct follow_bodies b = { r->peer, r->host, r->dir, r->who.node, 0 };

	return bodies_follow(&b);
}

static enum err note_time(struct round *r)
{
	char now[CLOCK_TEXT];

	clock_format_ms(clock_now_ms(), now);
	return write_text(r->arena, r->dir, "seen", span_of(now));
}

static enum err go_round(struct round *r)
{
	enum err e = find_known(r, &r->dir);

	if (e == OK)
		e = r->dir != NULL ? meet_again(r) : meet(r);
	if (e != OK)
		return e;
	r->out->fingerprint = r->who.fingerprint;
	if (mirror_forks(r->dir) > 0)
		return fail(ERR_LEDGER_FORK, "%s: its ledger forked; what shows it lies in %s/fork-1",
			    peer_url(r->peer), r->dir);
	if ((e = follow_ledgers(r)) == OK && (e = fold(r)) == OK && (e = follow_evidence(r)) == OK)
		e = note_time(r);
	return e;
}

enum err follow_url(const struct follow_host *h, struct arena *a, struct span url, const struct door_limits *limits,
		    const struct hash *pin, struct follow_result *out)
{
	struct door_limits capped = *limits;
	struct round r = { .host = h, .pin = pin, .out = out, .lock = -1 };
	const char *node = NULL;
	enum err e;

	*out = (struct follow_result){ 0 };
	capped.most_bytes = (size_t)TILE_WIDTH * (2 + ENTRY_MAX);
	if ((r.arena = arena_new(ROUND_ARENA)) == NULL)
		return ERR_NO_MEMORY;
	e = peer_open(h, url, &capped, &r.peer);
	if (e == OK)
		e = go_round(&r);
	if (r.who.node.len > 0 && (node = arena_copy(a, r.who.node.at, r.who.node.len)) != NULL)
		out->node = span_make(node, r.who.node.len);
	if (r.lock != -1)
		close(r.lock);
	peer_close(r.peer);
	arena_free(r.arena);
	return e;
}

/* ---- lists ---- */

static enum err own_text(struct arena *a, struct span text, struct span *out)
{
	const char *copy = arena_copy(a, text.at, text.len);

	*out = span_make(copy, text.len);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

/* How far it was folded; a mirror that was never folded has nothing to say yet. */
static enum err read_reach(const char *dir, struct followed *out)
{
	struct mirror_reach reach;
	struct mirror *m = NULL;
	enum err e = mirror_open(dir, out->node, false, &m);

	if (e == OK && (e = mirror_reach(m, &reach)) == OK) {
		memcpy(out->folded, reach.folded, sizeof(out->folded));
		out->logged_ms = reach.logged_ms;
	}
	mirror_close(m);
	return e == ERR_NOT_FOUND || e == ERR_DAMAGED ? OK : e;
}

static enum err read_size(struct arena *a, const char *dir, enum ledger_id l, uint64_t *size, bool *there)
{
	struct checkpoint c;
	struct note n;
	struct span text;
	enum err e = read_text(a, inside(a, dir, ledger_name(l)), "checkpoint", CARD_MAX, &text);

	*there = e == OK;
	if (e == OK && (e = note_parse(a, text, &n)) == OK && (e = checkpoint_parse(n.text, &c)) == OK)
		*size = c.size;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err followed_read(struct arena *a, const char *dir, struct span node, struct followed *out)
{
	struct introduction who;
	struct span text = SPAN("");
	bool there;
	enum err e;

	*out = (struct followed){ .forks = mirror_forks(dir) };
	if ((e = own_text(a, node, &out->node)) != OK)
		return e;
	if ((e = read_text(a, dir, "url", CARD_MAX, &text)) == OK)
		out->url = span_trim(text);
	if (e == OK && (e = read_party(a, dir, &who)) == OK)
		out->fingerprint = who.fingerprint;
	if (e == ERR_NOT_FOUND)
		e = OK; /* a first round that was interrupted */
	if (e == OK && read_text(a, dir, "seen", CARD_MAX, &text) == OK)
		clock_parse_rfc3339(text, &out->seen_ms);
	if (e == OK)
		e = read_size(a, dir, LEDGER_PUBLIC, &out->entries[LEDGER_PUBLIC], &there);
	if (e == OK)
		e = read_size(a, dir, LEDGER_CIRCLE, &out->entries[LEDGER_CIRCLE], &out->has_circle);
	return e == OK ? read_reach(dir, out) : e;
}

enum err followed_digest(const char *dir, struct span node, struct hash *out)
{
	struct arena *a = arena_new(ROUND_ARENA);
	struct mirror *m = NULL;
	struct state st;
	enum err e = a == NULL ? ERR_NO_MEMORY : mirror_open(dir, node, false, &m);

	if (e == OK && (e = mirror_read(m, a, &st)) == OK) {
		e = state_digest(&st, out);
		snapshot_end(st.snapshot);
	}
	mirror_close(m);
	arena_free(a);
	return e;
}

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

enum err followed_remove(const char *node_dir, struct span node)
{
	struct arena *a = arena_new(ROUND_ARENA);
	struct mirror *m = NULL;
	const char *dir, *gone;
	int lock = -1;
	enum err e = OK;

	if (a == NULL)
		return ERR_NO_MEMORY;
	dir = arena_print(a, "%s/followed/%.*s", node_dir, SPAN_FORMAT(node));
	gone = arena_print(a, "%s/followed/.removed-%d", node_dir, (int)getpid());
	if (dir == NULL || gone == NULL)
		e = ERR_NO_MEMORY;
	else if (!span_is_domain(node) || !file_exists(dir))
		e = fail(ERR_NOT_FOUND, "%.*s is not followed", SPAN_FORMAT(node));
	if (e == OK)
		e = take_lock(a, dir, &lock);
	if (e == OK && (e = mirror_open(dir, node, true, &m)) == ERR_DAMAGED)
		e = OK; /* nobody else folds it */
	mirror_close(m);
	if (e == OK && rename(dir, gone) == -1) /* all at once */
		e = fail_errno("%s", dir);
	if (e == OK && nftw(gone, remove_file, 16, FTW_DEPTH | FTW_PHYS) != 0)
		e = fail_errno("%s", gone);
	if (lock != -1)
		close(lock);
	arena_free(a);
	return e;
}
