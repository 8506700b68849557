/*
 * What has waited
 *
 * An addressee whose directive has an interval is told in rounds. What comes between two rounds is packed (notice.c): its
 * rows, compressed as they stand in a notice, with their sums. When the round is due, packs of one class become one
 * notice: the frame with its summary, then the packs' frames as they are. The notice, its body and the record that
 * releases the packs are one batch, so each row is in exactly one notice whatever happens in between.
 *
 * A directive that wants a notice for each source or day got its packs cut so: each becomes a notice of its own.
 */
#include <stdlib.h>

#include "route/batch.h"
#include "route/evidence.h"
#include "route/recognition.h"

#define BODY_MOST ((size_t)32 << 20)   /* packs of one notice; one pack may be greater */
#define COMMIT_MOST ((size_t)16 << 20) /* bodies that are committed at once, about */
#define NOTICES_MOST 64		       /* likewise */
#define EVENTS_MOST UINT32_MAX

/* Packs of one addressee and class, in order. */
struct group {
	const char *text; /* the addressee, to find it in the resolver */
	struct resolved to;
	enum aggregation by;
	size_t first, count;
};

struct release {
	struct routing *r;
	int64_t now_ms;
	struct state st;
	struct maker maker;
	struct arena *arena; /* of the packs and groups */
	struct pack *packs;
	size_t pack_count, pack_room;
	struct group *groups;
	size_t group_count, group_room;
	bool due; /* the last addressee's round */
	enum aggregation by;
	struct arena *rows; /* of the notice in hand */
	struct buffer body;
	struct prepared *notices; /* of the batch in hand */
	struct resolved *to;	  /* of each */
	size_t notice_count, bytes;
};

/* ---- which ---- */

static enum err group_new(struct release *x, const struct pack *p)
{
	struct buffer text = BUFFER(1024);
	struct group *g;

	if (x->group_count == x->group_room) {
		size_t room = 2 * x->group_room + 64;
		struct group *bigger = realloc(x->groups, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		x->groups = bigger;
		x->group_room = room;
	}
	g = &x->groups[x->group_count++];
	*g = (struct group){ .to = { .to = p->to }, .by = x->by, .first = x->pack_count };
	addressee_print(&p->to, &text);
	g->text = text.err == OK ? arena_copy(x->arena, text.at, text.len) : NULL;
	buffer_free(&text);
	if (g->text != NULL && p->to.type == TO_PARTY)
		g->to.to.domain = span_of(g->text);
	return g->text == NULL ? ERR_NO_MEMORY : OK;
}

static bool same_addressee(const struct addressee *a, const struct addressee *b)
{
	return a->type == b->type && span_equal(a->domain, b->domain) && a->asn == b->asn &&
	       address_equal(a->prefix.address, b->prefix.address) && a->prefix.length == b->prefix.length &&
	       memcmp(a->country, b->country, sizeof(a->country)) == 0;
}

/* Whether the addressee's round is due. */
static enum err look_up(struct release *x, const struct addressee *to)
{
	struct directive d;
	int64_t last;
	bool own;
	enum err e = directive_find(&x->st, to, &d, &own);

	if (e == OK)
		e = released_find(&x->st, to, &last);
	if (e != OK)
		return e;
	x->by = d.by;
	x->due = !round_waits(&d, last, x->now_ms);
	return OK;
}

static enum err on_pack(void *context, const struct pack *p)
{
	struct release *x = context;
	struct group *last = x->group_count > 0 ? &x->groups[x->group_count - 1] : NULL;
	bool known = last != NULL && same_addressee(&last->to.to, &p->to);
	enum err e = known ? OK : look_up(x, &p->to);

	if (e != OK || !x->due)
		return e;
	if (!known || x->packs[last->first].class != p->class) {
		if ((e = group_new(x, p)) != OK)
			return e;
		last = &x->groups[x->group_count - 1];
	}
	if (x->pack_count == x->pack_room) {
		size_t room = 2 * x->pack_room + 64;
		struct pack *bigger = realloc(x->packs, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		x->packs = bigger;
		x->pack_room = room;
	}
	x->packs[x->pack_count] = *p;
	x->packs[x->pack_count++].to = last->to.to;
	last->count++;
	return OK;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->text, ((const struct group *)b)->text);
}

/* Who hears of it too, as the resolver has it now. An addressee that it no longer has is told all the same. */
static enum err resolve(struct release *x)
{
	struct buffer text = BUFFER(1024);
	uint32_t count = resolver_addressees(x->r->resolver);
	enum err e = OK;

	if (x->group_count > 1)
		qsort(x->groups, x->group_count, sizeof(*x->groups), by_text);
	for (uint32_t i = 1; e == OK && x->group_count > 0 && i < count; i++) {
		struct resolved to;
		struct group like = { 0 }, *g;

		resolver_addressee(x->r->resolver, i, &to);
		buffer_clear(&text);
		addressee_print(&to.to, &text);
		buffer_byte(&text, 0);
		if ((e = text.err) != OK)
			break;
		like.text = text.at;
		if ((g = bsearch(&like, x->groups, x->group_count, sizeof(*g), by_text)) == NULL)
			continue;
		while (g > x->groups && by_text(g - 1, &like) == 0)
			g--;
		for (; g < x->groups + x->group_count && by_text(g, &like) == 0; g++)
			if (g->to.rule == RULE_NOBODY)
				g->to = to;
	}
	buffer_free(&text);
	return e;
}

static enum err gather(struct release *x)
{
	enum err e = node_read(x->r->node, x->arena, &x->st);

	if (e != OK)
		return e;
	e = packs_walk(&x->st, NULL, on_pack, x);
	snapshot_end(x->st.snapshot);
	return e == OK ? resolve(x) : e;
}

/* ---- notices ---- */

static enum err commit(struct release *x)
{
	enum err e = x->bytes > 0 ? node_commit(x->r->node) : OK;

	for (size_t i = 0; e == OK && i < x->notice_count; i++) {
		x->r->out->notices++;
		x->r->out->released += x->notices[i].events;
		e = notice_tell(x->r, &x->notices[i], &x->to[i]);
	}
	x->notice_count = x->bytes = 0;
	return e;
}

static void sum_up(struct pack *sum, const struct pack *p)
{
	bool first = sum->events == 0;

	sum->events += p->events;
	sum->explained += p->explained;
	sum->breach += p->breach;
	sum->repeats += p->repeats;
	sum->again += p->again;
	sum->demonstration = p->demonstration;
	if (p->first_ms != 0 && (sum->first_ms == 0 || p->first_ms < sum->first_ms))
		sum->first_ms = p->first_ms;
	if (p->last_ms > sum->last_ms)
		sum->last_ms = p->last_ms;
	if (first)
		memcpy(sum->country, p->country, sizeof(sum->country));
	else if (memcmp(sum->country, p->country, sizeof(sum->country)) != 0)
		memset(sum->country, 0, sizeof(sum->country));
}

/* As many packs, from `from` on, as go into one notice. What was erased in the journal meanwhile is passed over. *next:
 * behind the last that was looked at. */
static enum err take(struct release *x, const struct group *g, size_t from, struct packed *out, size_t *next)
{
	size_t most = g->by == BY_CLASS ? g->count - from : 1, bytes = 0;
	struct span *rows = arena_array(x->rows, most, sizeof(*rows));

	*out = (struct packed){ .rows = rows };
	if (rows == NULL)
		return ERR_NO_MEMORY;
	out->sum = (struct pack){ .to = g->to.to, .class = x->packs[g->first].class };
	for (*next = from; *next < from + most; (*next)++) {
		const struct pack *p = &x->packs[g->first + *next];
		struct span payload;
		struct pack whole;
		enum err e;

		if (out->count > 0 && p->demonstration != out->sum.demonstration)
			break;
		if (out->count > 0 && (bytes > BODY_MOST || out->sum.events + p->events > EVENTS_MOST))
			break;
		e = node_private(x->r->node, x->rows, p->position, &payload);
		if (e == ERR_NOT_FOUND)
			continue;
		if (e == OK)
			e = pack_read(payload, &whole, &rows[out->count]);
		if (e != OK)
			return e;
		bytes += rows[out->count++].len;
		sum_up(&out->sum, p);
	}
	return OK;
}

static enum err add_release(struct release *x, const struct group *g, size_t last)
{
	const struct pack *p = &x->packs[g->first + last];
	struct buffer record = BUFFER(1024);
	struct span part;
	enum err e;

	release_write(&record, &g->to.to, p->class, p->position, x->now_ms);
	part = buffer_view(&record);
	e = record.err != OK ? record.err : node_add_private(x->r->node, RECORD_PRIVATE, &part, 1);
	buffer_free(&record);
	return e;
}

#define ENOUGH ERR_EXISTS /* ends the walk; never leaves this file */

struct looking {
	const struct resolver *r;
	struct address address;
	uint32_t addressee;
};

static enum err look_at_row(void *context, const struct evidence_row *row)
{
	struct looking *l = context;

	if (row->event.source.family == 0 || (l->addressee = resolver_find(l->r, row->event.source)) == 0)
		return OK;
	l->address = row->event.source;
	return ENOUGH;
}

/* A party that does not take the class any more since its rows began to wait: they go to the next, by the first address of theirs that
 * can be resolved. Where there is none, they wait on. The notice as it would have been is in x->body. */
static enum err next_for(struct release *x, enum rsit_class class, struct resolved *to, bool *found)
{
	struct looking l = { .r = x->r->resolver };
	struct span summary;
	uint32_t next;
	enum err e = evidence_read(x->rows, buffer_view(&x->body), (size_t)4 << 30, &summary, look_at_row, &l);

	*found = false;
	if (e != OK && e != ENOUGH)
		return e;
	if (l.addressee == 0)
		return OK;
	next = recognition_addressee(x->r->recognition, l.r, l.address, l.addressee, class);
	resolver_addressee(l.r, next, to);
	*found = next != 0;
	return OK;
}

/* Whether a notice to them may go to the addressee. */
static bool takes(const struct release *x, const struct addressee *to, enum rsit_class class)
{
	return to->type != TO_PARTY || span_equal(to->domain, node_name(x->r->node)) ||
	       recognition_takes(x->r->recognition, to->domain, class);
}

static enum err add_notice(struct release *x, const struct group *g, const struct packed *from, bool *released)
{
	struct resolved to = g->to;
	struct prepared *p = &x->notices[x->notice_count];
	struct statement_writer w = p->statement;
	struct appended done;
	struct span payload;
	enum err e;

	*p = (struct prepared){ .statement = w };
	*released = true;
	if ((e = notice_from_packs(&x->maker, &to, from, &x->body, p)) != OK)
		return e;
	if (!takes(x, &to.to, from->sum.class)) {
		if ((e = next_for(x, from->sum.class, &to, released)) == OK && *released)
			e = notice_from_packs(&x->maker, &to, from, &x->body, p);
		if (e != OK || !*released)
			return e;
	}
	payload = buffer_view(&x->body);
	if ((e = node_add_own(x->r->node, &p->statement, &done)) == OK)
		e = node_add_body(x->r->node, &p->body, p->salt, &payload, 1);
	p->id = done.id;
	x->to[x->notice_count++] = to;
	x->bytes += payload.len;
	return e;
}

static enum err release_some(struct release *x, const struct group *g, size_t *from)
{
	struct packed packed;
	size_t next = *from;
	bool released = true;
	enum err e;

	arena_reset(x->rows);
	if ((e = take(x, g, *from, &packed, &next)) != OK)
		return e;
	if (x->bytes == 0 && (e = node_begin(x->r->node)) != OK)
		return e;
	x->bytes++; /* there is something to commit */
	if (packed.count > 0)
		e = add_notice(x, g, &packed, &released);
	if (e == OK && released)
		e = add_release(x, g, next - 1);
	if (e != OK) {
		node_abandon(x->r->node);
		return e;
	}
	*from = next;
	return x->bytes >= COMMIT_MOST || x->notice_count == NOTICES_MOST ? commit(x) : OK;
}

static enum err release_all(struct release *x)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < x->group_count; i++)
		for (size_t from = 0; e == OK && from < x->groups[i].count;)
			e = release_some(x, &x->groups[i], &from);
	return e == OK ? commit(x) : e;
}

/* ---- all of it ---- */

static enum err start(struct release *x)
{
	x->rows = arena_new((size_t)2 << 30);
	x->notices = calloc(NOTICES_MOST, sizeof(*x->notices));
	x->to = calloc(NOTICES_MOST, sizeof(*x->to));
	x->body = BUFFER((size_t)1 << 30);
	if (x->rows == NULL || x->notices == NULL || x->to == NULL)
		return ERR_NO_MEMORY;
	return maker_start(&x->maker, x->r, x->now_ms, NULL);
}

enum err packs_release(struct routing *r, int64_t now_ms)
{
	struct release x = { .r = r, .now_ms = now_ms, .arena = arena_new((size_t)256 << 20) };
	enum err e = x.arena == NULL ? ERR_NO_MEMORY : gather(&x);

	if (e == OK && x.group_count > 0 && (e = start(&x)) == OK)
		e = release_all(&x);
	if (x.maker.r != NULL)
		maker_end(&x.maker);
	for (size_t i = 0; x.notices != NULL && i < NOTICES_MOST; i++)
		statement_writer_free(&x.notices[i].statement);
	buffer_free(&x.body);
	free(x.notices);
	free(x.to);
	free(x.packs);
	free(x.groups);
	arena_free(x.rows);
	arena_free(x.arena);
	return e;
}
