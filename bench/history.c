#include "history_script.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "random.h"

/*
 * How it is the same every time
 *
 * The whole script is drawn first, sorted by time, and no two of its acts have the same one. Then each is acted with the clock at its
 * time. What has been logged already (the history was begun before, and cut off somewhere) is made again, to go on from the same
 * draws and ids, and looked up instead of logged. Ticks name checkpoints, so they have their place in the script, and what was said
 * until then is committed and published before each.
 */

#define NAME "cert.example"
#define TICK_MS (7 * DAY_MS)

void history_need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "history: %s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

uint64_t draw(struct history *h, uint64_t below)
{
	return random_next(&h->drawn) % below;
}

bool chance(struct history *h, unsigned percent)
{
	return draw(h, 100) < percent;
}

int64_t a_while(struct history *h, uint32_t i, int64_t most_ms)
{
	int64_t ms = (int64_t)draw(h, (uint64_t)most_ms >> draw(h, 4));

	return (i % 3 == 0 ? 2 * ms : ms) + 1;
}

int64_t some_time(struct history *h)
{
	int64_t first = HISTORY_BEGIN_MS + 30 * DAY_MS;

	return first + (int64_t)draw(h, (uint64_t)(history_end_ms(&h->size) - first));
}

static void *more(void *at, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return at;
	*room = *room == 0 ? 1024 : 2 * *room;
	at = reallocarray(at, *room, size);
	history_need(at != NULL ? OK : ERR_NO_MEMORY);
	return at;
}

uint32_t history_make(struct history *h, struct made m)
{
	h->made = more(h->made, h->made_count, &h->made_room, sizeof(m));
	h->made[h->made_count] = m;
	return (uint32_t)h->made_count++;
}

void history_then(struct history *h, int64_t ms, history_act *act, uint32_t made, uint32_t who, uint32_t which,
		  const char *word)
{
	if (ms >= history_end_ms(&h->size))
		return;
	h->actions = more(h->actions, h->action_count, &h->action_room, sizeof(*h->actions));
	h->actions[h->action_count] = (struct action){ ms, (uint32_t)h->action_count, made, act, who, which, word };
	h->action_count++;
}

/* ---- who speaks ---- */

struct span name_of(const struct history *h, uint32_t i)
{
	return span_of(member(h, i)->name);
}

struct signer *history_signer(const char *name, unsigned number)
{
	struct signer *s = NULL;
	struct buffer b = BUFFER(256);
	struct hash seed;

	buffer_print(&b, "%s %u", name, number);
	seed = hash_span(buffer_view(&b));
	history_need(signer_from_seed(span_of(name), seed.bytes, &s));
	buffer_free(&b);
	return s;
}

void add_public_key(struct statement_writer *w, const struct signer *key)
{
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { KEY_ED25519 };
	struct buffer text = BUFFER(64);

	memcpy(bytes + 1, signer_verifier(key)->public_key, KEY_PUBLIC_SIZE);
	base64_append(&text, bytes, sizeof(bytes));
	statement_add(w, "public-key", buffer_view(&text));
	buffer_free(&text);
}

static const struct signer *signer_of(const struct history *h, uint32_t i)
{
	return i == node_of(h) ? node_signer(h->node) : member(h, i)->key;
}

struct statement_writer *history_write(struct history *h, enum kind k, enum ledger_id l, uint32_t from)
{
	statement_begin(&h->writer, k, node_origin(h->node, l), signer_verifier(signer_of(h, from)));
	statement_add_time(&h->writer, "date", h->now_ms);
	return &h->writer;
}

struct statement_writer *history_answer(struct history *h, enum ledger_id l, uint32_t from, struct hash re,
					const char *outcome)
{
	struct statement_writer *w = history_write(h, KIND_ANSWER, l, from);

	statement_add_hash(w, "re", re);
	statement_add(w, "outcome", span_of(outcome));
	return w;
}

/* ---- how it comes into the ledger ---- */

/* The signature was made a moment ago. */
static enum err add_unverified(struct history *h, const struct signer *from, struct hash id, struct appended *out)
{
	struct verified v = { .id = id, .key = *signer_verifier(from) };
	struct note n;
	enum err e = note_parse(h->arena, buffer_view(&h->note), &n);

	if (e != OK)
		return e;
	memcpy(v.signature, n.lines[0].signature.at, KEY_SIGNATURE_SIZE);
	return node_add_verified(h->node, buffer_view(&h->note), &v, out);
}

static enum err add(struct history *h, const struct signer *from, struct hash id, const struct body_reference *ref,
		    struct span body)
{
	struct appended out;
	enum err e = h->way->unverified ? add_unverified(h, from, id, &out)
					: node_add_statement(h->node, buffer_view(&h->note), &out);

	return e == OK && body.at != NULL ? node_add_body(h->node, ref, NULL, &body, 1) : e;
}

static enum err submit(struct history *h, struct span body)
{
	struct submission s = { .note = buffer_view(&h->note), .body = body };

	return sequencer_finish(h->sequencer, &s);
}

static enum err find(struct history *h, struct hash id)
{
	enum ledger_id l;
	uint64_t index;
	enum err e = node_find(h->node, id, &l, &index);

	h->count->found += e == OK;
	return e;
}

static bool say(struct history *h, enum kind k, uint32_t from, const struct body_reference *ref, struct span body,
		struct hash *id)
{
	const struct signer *key = signer_of(h, from);
	enum err e;

	arena_reset(h->arena);
	buffer_clear(&h->note);
	history_need(statement_end(&h->writer, key, &h->note, id));
	if (h->now_ms <= h->reached_ms)
		return find(h, *id) == OK;
	e = h->sequencer != NULL ? submit(h, body) : add(h, key, *id, ref, body);
	if (e != OK && (err_is_machine(e) || e == ERR_DAMAGED))
		history_need(e);
	if (e != OK && getenv("HISTORY_SAYS") != NULL)
		fprintf(stderr, "%s: %s: %s\n", kind_name(k), err_code(e), err_detail());
	h->count->refused[k] += e != OK;
	h->count->logged[k] += e == OK;
	h->said += e == OK;
	h->in_batch += e == OK;
	if (e != OK)
		*id = (struct hash){ { 0 } };
	return e == OK;
}

bool history_say(struct history *h, enum kind k, uint32_t from, struct hash *id)
{
	return say(h, k, from, NULL, (struct span){ NULL, 0 }, id);
}

bool history_say_with(struct history *h, enum kind k, uint32_t from, const char *media_type, struct span body,
		      struct hash *id)
{
	struct body_reference ref = { .media_type = span_of(media_type), .size = body.len, .hash = hash_span(body) };

	statement_add_body(&h->writer, &ref);
	return say(h, k, from, &ref, body, id);
}

void history_take_back(struct history *h, const struct action *a)
{
	const struct made *m = &h->made[a->made];
	struct statement_writer *w;
	struct hash id;

	if (!m->done)
		return;
	w = history_write(h, KIND_WITHDRAW, (enum ledger_id)a->which, m->from);
	statement_add_hash(w, "re", m->id);
	history_say(h, KIND_WITHDRAW, m->from, &id);
}

static void pause_play(struct history *h)
{
	if (h->sequencer != NULL)
		history_need(sequencer_stop(h->sequencer));
	else
		history_need(node_commit(h->node));
	h->sequencer = NULL;
	h->in_batch = 0;
}

static void go_on(struct history *h)
{
	const struct sequencer_options options = { .workers = 1, .publish_ms = 60000 };

	if (h->way->batch == 0)
		history_need(sequencer_start(h->node, &options, &h->sequencer));
	else
		history_need(node_begin(h->node));
}

static void tick(struct history *h, const struct action *a)
{
	(void)a;
	if (h->now_ms <= h->reached_ms)
		return;
	pause_play(h);
	history_need(node_publish(h->node));
	history_need(node_tick(h->node, true));
	h->count->logged[KIND_TICK]++;
	go_on(h);
}

/* ---- the script ---- */

static int in_time(const void *a, const void *b)
{
	const struct action *x = a, *y = b;

	return x->ms != y->ms ? (x->ms > y->ms) - (x->ms < y->ms) : (x->order > y->order) - (x->order < y->order);
}

static void script(struct history *h)
{
	uint64_t k;

	for (int64_t ms = HISTORY_BEGIN_MS + TICK_MS; ms < history_end_ms(&h->size); ms += TICK_MS)
		history_then(h, ms, tick, 0, 0, 0, NULL);
	script_parties(h);
	script_controls(h);
	script_promises(h);
	while (h->action_count < h->size.statements) {
		k = draw(h, 100);
		if (k < 84)
			script_notice(h);
		else if (k < 90)
			script_plan(h);
		else if (k < 94)
			script_certificate(h);
		else if (k < 98)
			script_help(h);
		else
			script_shares(h);
	}
	qsort(h->actions, h->action_count, sizeof(*h->actions), in_time);
	for (size_t i = 1; i < h->action_count; i++)
		if (h->actions[i].ms <= h->actions[i - 1].ms + 1) /* 1: a public one behind one of the circle */
			h->actions[i].ms = h->actions[i - 1].ms + 2;
}

static void make_members(struct history *h)
{
	static const char *const roles[] = { "operator", "response-team", "vendor", "researcher", "operator" };

	h->members = calloc(h->size.parties + 1, sizeof(*h->members));
	history_need(h->members != NULL ? OK : ERR_NO_MEMORY);
	for (uint32_t i = 0; i < h->size.parties; i++) {
		struct member *m = member(h, i);

		snprintf(m->name, sizeof(m->name), "party-%03" PRIu32 ".example", i);
		m->role = i % 40 == 39 ? "government" : roles[i % 5];
		m->number = i;
		m->key = history_signer(m->name, m->keys++);
	}
	snprintf(member(h, node_of(h))->name, sizeof(h->members->name), NAME);
	member(h, node_of(h))->role = "node";
}

/* The time of the last entry, up to which the script is only made again. */
static int64_t reached(struct node *n)
{
	struct state st;
	int64_t ms = 0;
	struct arena *a = arena_new((size_t)1 << 20);

	history_need(a != NULL ? OK : ERR_NO_MEMORY);
	history_need(node_read(n, a, &st));
	history_need(state_last(&st, &ms));
	snapshot_end(st.snapshot);
	arena_free(a);
	return ms;
}

static void free_history(struct history *h)
{
	for (uint32_t i = 0; i < h->size.parties; i++) {
		signer_free(member(h, i)->key);
		signer_free(member(h, i)->next);
	}
	free(h->members);
	free(h->made);
	free(h->actions);
	statement_writer_free(&h->writer);
	buffer_free(&h->note);
	arena_free(h->arena);
}

static void play(struct history *h)
{
	go_on(h);
	for (size_t i = 0; i < h->action_count && (h->way->most == 0 || h->said < h->way->most); i++) {
		h->now_ms = h->actions[i].ms;
		clock_simulate(h->now_ms);
		h->actions[i].act(h, &h->actions[i]);
		if (h->sequencer == NULL && h->in_batch >= h->way->batch) {
			pause_play(h);
			go_on(h);
		}
	}
	pause_play(h);
}

enum err history_begin(const char *dir)
{
	clock_simulate(HISTORY_BEGIN_MS);
	return node_init(dir, SPAN(NAME), SPAN("A team of a made-up history"));
}

enum err history_play(const char *dir, const struct history_size *size, const struct history_way *way,
		      struct history_count *out)
{
	struct history h = { .size = *size, .way = way, .count = out, .drawn = size->seed };
	enum err e;

	*out = (struct history_count){ { 0 }, { 0 }, 0 };
	clock_simulate(HISTORY_BEGIN_MS);
	if ((e = node_open(dir, NODE_WRITE, &h.node)) != OK)
		return e;
	h.note = BUFFER(STATEMENT_MAX);
	history_need((h.arena = arena_new((size_t)1 << 24)) != NULL ? OK : ERR_NO_MEMORY);
	h.reached_ms = reached(h.node);
	make_members(&h);
	script(&h);
	play(&h);
	history_need(node_publish(h.node));
	node_close(h.node);
	free_history(&h);
	return OK;
}
