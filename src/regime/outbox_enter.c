/* What an entry puts into the outbox, and what an answer says about what was sent.
 *
 * An answer tells that an item arrived: of an item to a node, if that node signed it, or a party that it keeps; of a mail, if it is
 * by or for whom the mail was for. A resource's mail has also arrived when a party answers that was not addressed itself: it
 * holds a claim that covers the resource, or the node names it.
 *
 * A request for help to all goes to every node that is known and can be reached, and so does what its author says of it later. */
#include "regime/outbox_private.h"

struct entering {
	struct state *st;
	const struct statement *s;
	struct outbox_item item; /* all but the key */
	bool demonstration;
	bool mails;    /* a notice, or a request for help */
	bool asks_all; /* it is to all in earnest: such a request, or its author's word on it */
};

/* Where a party is kept; empty: it is not known here. In the arena. */
static enum err home_of(const struct state *st, struct span domain, struct span *out)
{
	struct party p;
	enum err e = party_get(st, domain, &p);
	const char *copy;

	*out = SPAN("");
	if (e != OK)
		return e == ERR_PARTY_UNKNOWN ? OK : e;
	if (p.home.len == 0 || span_equal(p.home, st->node)) {
		*out = st->node;
		return OK;
	}
	if ((copy = arena_copy(st->arena, p.home.at, p.home.len)) == NULL)
		return ERR_NO_MEMORY;
	*out = span_make(copy, p.home.len);
	return OK;
}

static enum err queue(struct entering *n, enum outbox_way way, const struct addressee *to)
{
	n->item.key.way = way;
	n->item.key.to = *to;
	return outbox_queue(n->st, &n->item);
}

static enum err is_there(void *context, const struct contact *c)
{
	*(bool *)context |= c->source == CONTACT_OPERATOR || c->source == CONTACT_PARTY;
	return OK;
}

static enum err queue_mail(struct entering *n, const struct addressee *to, bool known)
{
	bool has_contact = !known; /* who is not known here cannot read here */
	enum err e = OK;

	if (!n->mails)
		return OK;
	if (known)
		e = contacts_of(n->st, to, is_there, &has_contact);
	return e == OK && has_contact ? queue(n, OUTBOX_MAIL, to) : e;
}

static enum err concern_party(struct entering *n, const struct addressee *to)
{
	struct addressee node = { .type = TO_PARTY };
	enum err e;

	if (span_equal(to->domain, n->st->node) || span_equal(to->domain, n->s->from))
		return OK;
	if ((e = home_of(n->st, to->domain, &node.domain)) != OK)
		return e;
	if (node.domain.len == 0 || span_equal(node.domain, n->st->node))
		return queue_mail(n, to, node.domain.len > 0);
	return span_equal(node.domain, n->s->from) ? OK : queue(n, OUTBOX_NODE, &node);
}

/* Those that are nodes, found before anything is queued: a walk may not write. */
struct gathering {
	struct arena *arena;
	struct span *names;
	size_t count, room;
};

static enum err gather_node(void *context, const struct party *p)
{
	struct gathering *g = context;
	const char *copy;

	if (p->url.len == 0 || !span_equal(p->home, p->domain))
		return OK;
	if (g->count == g->room) {
		size_t room = g->room == 0 ? 16 : 2 * g->room;
		struct span *more = arena_resize(g->arena, g->names, g->room * sizeof(*more), room * sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		g->names = more;
		g->room = room;
	}
	if ((copy = arena_copy(g->arena, p->domain.at, p->domain.len)) == NULL)
		return ERR_NO_MEMORY;
	g->names[g->count++] = span_make(copy, p->domain.len);
	return OK;
}

static enum err concern_all(struct entering *n)
{
	struct gathering g = { .arena = n->st->arena };
	enum err e = state_parties(n->st, gather_node, &g);

	for (size_t i = 0; e == OK && i < g.count; i++)
		if (!span_equal(g.names[i], n->st->node) && !span_equal(g.names[i], n->s->from))
			e = queue(n, OUTBOX_NODE, &(struct addressee){ .type = TO_PARTY, .domain = g.names[i] });
	return e;
}

static enum err concern(struct entering *n, const struct addressee *to)
{
	if (to->type == TO_PARTY)
		return concern_party(n, to);
	if (to->type == TO_ALL && n->asks_all)
		return concern_all(n);
	return to->type == TO_ALL || !n->mails || n->demonstration ? OK : queue(n, OUTBOX_MAIL, to);
}

/* The statement's own: `to` is parsed, `cc` is not. */
static enum err concern_named(struct entering *n)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < n->s->to_count; i++)
		e = concern(n, &n->s->to[i]);
	for (size_t i = 0; e == OK && i < n->s->header_count; i++) {
		const struct header *h = &n->s->headers[i];
		struct addressee cc;

		if (span_is(h->name, "cc") && addressee_parse(h->value, &cc) == OK)
			e = concern(n, &cc);
	}
	return e;
}

/* The nodes of those whom the matter concerns that it refers to. They get no mail again. */
static enum err concern_matter(struct entering *n)
{
	struct addressee to = { .type = TO_PARTY };
	struct matter m;
	char *list;
	enum err e = state_matter(n->st, n->s->re, &m);

	n->mails = false;
	if (e != OK)
		return e == ERR_MATTER_UNKNOWN ? OK : e;
	if ((list = arena_alloc(n->st->arena, m.addressees.len + m.from.len)) == NULL)
		return ERR_NO_MEMORY;
	memcpy(list, m.addressees.at, m.addressees.len);
	memcpy(list + m.addressees.len, m.from.at, m.from.len);
	m.addressees.at = list;
	to.domain = span_make(list + m.addressees.len, m.from.len);
	n->asks_all = m.kind == KIND_REQUEST && span_equal(to.domain, n->s->from);
	e = concern(n, &to);
	for (unsigned i = 0; e == OK && matter_addressee(&m, i, &to); i++)
		e = concern(n, &to);
	return e;
}

static enum err enqueue(struct state *st, const struct statement *s)
{
	const struct header *demonstration = statement_header(s, "demonstration");
	bool is_help = s->kind == KIND_REQUEST && !s->has_re;
	struct entering n = {
		.st = st,
		.s = s,
		.item = {
			.key = { .ledger = st->ledger, .index = st->index },
			.id = s->id,
			.matter = s->has_re ? s->re : s->id,
			.queued_ms = st->logged_ms,
			.next_ms = st->logged_ms,
			.since_ms = st->logged_ms,
		},
		.demonstration = demonstration != NULL,
		.mails = s->kind == KIND_NOTICE || is_help,
		.asks_all = is_help,
	};
	enum err e = concern_named(&n);

	return e == OK && s->has_re ? concern_matter(&n) : e;
}

/* ---- arrived ---- */

struct waiting_for_answer {
	struct state *st;
	struct outbox_item *items;
	size_t count, room;
};

static enum err collect(void *context, const struct outbox_item *i)
{
	struct waiting_for_answer *w = context;

	if (i->step == OUTBOX_ARRIVED)
		return OK;
	if (w->count == w->room) {
		size_t room = w->room == 0 ? 8 : 2 * w->room;
		struct outbox_item *more = arena_array(w->st->arena, room, sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		if (w->count > 0)
			memcpy(more, w->items, w->count * sizeof(*more));
		w->items = more;
		w->room = room;
	}
	w->items[w->count] = *i;
	return outbox_own(w->st, &w->items[w->count++]);
}

struct answerer {
	struct span signer, home; /* and the node that keeps it */
	struct addressee who;	  /* by or for whom */
	bool addressed;		  /* itself */
	bool mediated, by_mail;
};

static enum err answerer_of(const struct state *st, const struct statement *s, const struct matter *m,
			    struct answerer *out)
{
	struct addressee to;
	enum err e = home_of(st, s->from, &out->home);

	out->signer = s->from;
	out->mediated = s->for_party.len > 0;
	out->by_mail = out->mediated && span_equal(s->from, st->node) && span_is(s->via, "mail");
	out->who = (struct addressee){ .type = TO_PARTY, .domain = s->from };
	if (out->mediated && addressee_parse(s->for_party, &out->who) != OK)
		out->who.type = TO_ALL;
	for (unsigned i = 0; !out->addressed && matter_addressee(m, i, &to); i++)
		out->addressed = addressee_equal(&to, &out->who);
	return e;
}

static bool arrived(const struct state *st, const struct outbox_item *i, const struct answerer *a)
{
	if (i->key.way == OUTBOX_NODE)
		return span_equal(i->key.to.domain, a->signer) || span_equal(i->key.to.domain, a->home);
	if (addressee_equal(&i->key.to, &a->who))
		return true;
	return i->key.to.type != TO_PARTY && a->who.type == TO_PARTY && !a->addressed &&
	       !span_equal(a->who.domain, st->node);
}

static enum err mark_arrived(struct state *st, const struct outbox_item *old, const struct answerer *a)
{
	struct outbox_item now = *old;
	enum err e = OK;

	if (a->by_mail && old->key.way == OUTBOX_MAIL && old->step == OUTBOX_HANDED_OVER && old->contact.len > 0)
		e = health_answered(st, old->contact, old->done_ms, st->logged_ms);
	now.step = OUTBOX_ARRIVED;
	now.done_ms = st->logged_ms;
	now.next_ms = 0;
	return e == OK ? outbox_replace(st, old, &now) : e;
}

static enum err answered(struct state *st, const struct statement *s)
{
	struct waiting_for_answer w = { .st = st };
	struct answerer a = { .addressed = false };
	struct matter m;
	enum err e = state_matter(st, s->re, &m);

	if (e != OK)
		return e == ERR_MATTER_UNKNOWN ? OK : e;
	if (s->for_party.len == 0 && span_equal(s->from, m.from))
		return OK; /* its author goes on with it */
	e = answerer_of(st, s, &m, &a);
	if (e == OK)
		e = outbox_walk(st, &s->re, collect, &w);
	for (size_t i = 0; e == OK && i < w.count; i++)
		if (arrived(st, &w.items[i], &a))
			e = mark_arrived(st, &w.items[i], &a);
	return e;
}

/* Of the public ledger only what somebody has to know of by itself, and what is said about it. */
static bool is_told(enum kind k)
{
	return k == KIND_PLAN || k == KIND_VOUCH || k == KIND_AGREEMENT;
}

static enum err travels(const struct state *st, const struct statement *s, bool *yes)
{
	struct place at;
	enum err e;

	*yes = st->ledger == LEDGER_CIRCLE || is_told(s->kind);
	if (*yes || !s->has_re || (s->kind != KIND_ANSWER && s->kind != KIND_WITHDRAW))
		return OK;
	e = place_get(st, s->re, &at);
	*yes = e == OK && is_told(at.kind);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err outbox_enter(struct state *st, const struct statement *s)
{
	bool yes = false;
	enum err e = travels(st, s, &yes);

	if (e != OK || !yes)
		return e;
	if (s->kind == KIND_ANSWER)
		e = answered(st, s);
	if (e != OK || st->is_guest)
		return e;
	switch (s->kind) {
	case KIND_NOTICE:
	case KIND_PLAN:
	case KIND_VOUCH:
	case KIND_AGREEMENT:
	case KIND_ANSWER:
	case KIND_WITHDRAW:
	case KIND_REQUEST:
		return enqueue(st, s);
	default:
		return OK;
	}
}
