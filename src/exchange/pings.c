#include "exchange/pings.h"

#include "exchange/server_private.h"
#include "regime/contact.h"
#include "regime/help.h"

#define AT_ONCE 64	  /* the rest goes with the next round */
#define ENOUGH ERR_EXISTS /* ends a walk; never leaves this file */

/* ---- when ---- */

/* 0 to below, the same for the same. */
static int64_t draw(struct hash secret, struct hash id, uint64_t number, int64_t below)
{
	struct buffer b = BUFFER(2 * HASH_SIZE + 8);
	struct hash h;
	uint64_t n = 0;

	buffer_bytes(&b, secret.bytes, HASH_SIZE);
	buffer_bytes(&b, id.bytes, HASH_SIZE);
	buffer_u64(&b, number);
	h = hash_span(buffer_view(&b));
	explicit_bzero(b.at, b.len);
	buffer_free(&b);
	for (int i = 0; i < 8; i++)
		n = n << 8 | h.bytes[i];
	return (int64_t)(n % (uint64_t)below);
}

bool ping_is_due(struct hash secret, const struct last_ping *last, int64_t every_ms, int64_t now_ms)
{
	int64_t past = now_ms - last->logged_ms, moment;
	uint64_t slot;

	if (past < 0)
		return false;
	if (last->any)
		return past >= every_ms / 2 + draw(secret, last->id, 0, every_ms);
	slot = (uint64_t)(past / every_ms);
	moment = (int64_t)slot * every_ms + draw(secret, last->id, slot, every_ms);
	if (past < moment && slot > 0) { /* or was it at the end of the one before? */
		slot--;
		moment = (int64_t)slot * every_ms + draw(secret, last->id, slot, every_ms);
	}
	return past >= moment && past - moment < PINGS_LATE_MS;
}

/* ---- whom ---- */

struct looking {
	const struct config *config;
	const struct state *st;
	struct arena *arena;
	struct hash secret;
	int64_t now_ms;
	struct span due[AT_ONCE];
	size_t count;
};

struct own_ping {
	struct span node;
	struct last_ping *last;
};

static enum err look_at_ping(void *context, const struct help *h)
{
	struct own_ping *own = context;

	if (!span_equal(h->matter.from, own->node))
		return OK;
	*own->last = (struct last_ping){ true, h->matter.id, h->matter.logged_ms };
	return ENOUGH;
}

static enum err is_due(const struct looking *l, struct span domain, bool *yes)
{
	struct last_ping last = { .id = hash_span(domain) };
	struct own_ping own = { l->st->node, &last };
	struct party p;
	enum err e = state_party(l->st, domain, &p);

	if (e == OK) {
		last.id = p.statement;
		last.logged_ms = p.logged_ms;
	} else if (e != ERR_PARTY_UNKNOWN) {
		return e;
	}
	e = state_helps(l->st, domain, true, look_at_ping, &own);
	*yes = (e == OK || e == ENOUGH) && ping_is_due(l->secret, &last, l->config->ping_every_ms, l->now_ms);
	return e == ENOUGH ? OK : e;
}

static enum err consider(struct looking *l, struct span domain)
{
	const char *copy;
	bool due = false;
	enum err e = OK;

	if (l->count == AT_ONCE || span_equal(domain, l->st->node))
		return OK;
	for (size_t i = 0; i < l->count; i++)
		if (span_equal(l->due[i], domain))
			return OK;
	e = is_due(l, domain, &due);
	if (e != OK || !due)
		return e;
	if ((copy = arena_copy(l->arena, domain.at, domain.len)) == NULL)
		return ERR_NO_MEMORY;
	l->due[l->count++] = span_make(copy, domain.len);
	return OK;
}

static enum err is_there(void *context, const struct contact *c)
{
	(void)c;
	*(bool *)context = true;
	return OK;
}

/* Who cannot be reached is not tested: no answer would say nothing. */
static enum err can_be_reached(const struct state *st, const struct party *p, bool *yes)
{
	struct addressee to = { .type = TO_PARTY, .domain = p->domain };
	struct party home;
	enum err e;

	*yes = false;
	if (p->home.len == 0 || span_equal(p->home, st->node))
		return contacts_of(st, &to, is_there, yes);
	if ((e = state_party(st, p->home, &home)) == OK)
		*yes = home.url.len > 0;
	return e == ERR_PARTY_UNKNOWN ? OK : e;
}

static enum err look_at_party(void *context, const struct party *p)
{
	struct looking *l = context;
	bool reached = false;
	enum err e = p->demonstration ? OK : can_be_reached(l->st, p, &reached);

	return e == OK && reached ? consider(l, p->domain) : e;
}

static enum err find_due(struct looking *l)
{
	const struct config *c = l->config;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < c->ping_count; i++)
		e = consider(l, c->pings[i]);
	return e == OK && c->ping_all ? state_parties(l->st, look_at_party, l) : e;
}

/* ---- sending ---- */

static enum err send_one(struct node *n, struct span domain, struct appended *at)
{
	struct statement_writer w = { 0 };
	enum err e;

	statement_begin(&w, KIND_REQUEST, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add_to(&w, &(struct addressee){ .type = TO_PARTY, .domain = domain });
	statement_add_time(&w, "date", clock_now_ms());
	statement_add(&w, "need", SPAN("ping"));
	e = node_add_own(n, &w, at);
	statement_writer_free(&w);
	return e;
}

/* On the sequencing thread. One that is refused, as under older rules, holds up no other. */
static enum err send_all(struct node *n, struct submission *s)
{
	struct looking *l = s->context;
	size_t sent = 0;
	enum err e = OK;

	for (size_t i = 0; i < l->count; i++) {
		e = send_one(n, l->due[i], &s->appended);
		if (err_is_machine(e) || e == ERR_DAMAGED)
			return e;
		sent += e == OK;
	}
	l->count = sent;
	return sent > 0 ? OK : e;
}

enum err pings_round(const struct server *s, struct arena *a, size_t *count)
{
	struct looking l = { .config = s->config, .arena = a, .now_ms = clock_now_ms() };
	struct submission work = { .work = send_all, .context = &l };
	struct state st;
	enum err e;

	*count = 0;
	if (l.config->ping_count == 0 && !l.config->ping_all)
		return OK;
	l.secret = node_secret(s->node, SPAN("comity: the secret of this node's times of pings; no statement"));
	if ((e = node_read(s->node, a, &st)) != OK)
		return e;
	l.st = &st;
	e = find_due(&l);
	snapshot_end(st.snapshot);
	explicit_bzero(&l.secret, sizeof(l.secret));
	if (e == OK && l.count > 0 && (e = sequencer_finish(s->sequencer, &work)) == OK)
		*count = l.count;
	return e;
}
