#include "route/deconfliction.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "base/file.h"
#include "regime/history.h"
#include "regime/plan_life.h"
#include "regime/plan_terms.h"
#include "regime/policy.h"

#define WORK_ARENA ((size_t)256 << 20)
#define SEALED_TERMS_MAX ((size_t)STATEMENT_MAX + 1024)

/* ---- asking ---- */

struct nodes {
	struct arena *arena;
	struct span node;
	const struct deconflict_asked *asked; /* before */
	size_t asked_count;
	struct span *at;
	size_t count, room;
};

static bool was_asked(const struct nodes *w, struct span node)
{
	for (size_t i = 0; i < w->asked_count; i++)
		if (span_equal(w->asked[i].node, node))
			return true;
	return false;
}

static enum err gather_node(void *context, const struct party *p)
{
	struct nodes *w = context;

	if ((p->roles & 1u << ROLE_NODE) == 0 || (p->url.len == 0 && !span_equal(p->domain, w->node)) ||
	    was_asked(w, p->domain))
		return OK;
	if (w->count == w->room) {
		size_t room = w->room == 0 ? 64 : 2 * w->room;
		struct span *more = arena_resize(w->arena, w->at, w->room * sizeof(*more), room * sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		w->at = more;
		w->room = room;
	}
	w->at[w->count] = span_make(arena_copy(w->arena, p->domain.at, p->domain.len), p->domain.len);
	return w->at[w->count++].at != NULL ? OK : ERR_NO_MEMORY;
}

static enum err ask_one(struct node *n, const struct signer *key, const struct matter *plan, struct span to,
			struct span payload)
{
	const struct verifier *v = signer_verifier(key);
	struct body_reference body = { .media_type = SPAN(DECONFLICT_REQUEST_TYPE),
				       .size = payload.len,
				       .sealed = true };
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct statement_writer w = { 0 };
	uint8_t salt[SEAL_SALT_SIZE];
	char re[HASH_HEX + 1];
	struct appended done;
	struct hash id;
	enum err e;

	randombytes_buf(salt, sizeof(salt));
	hash_hex(plan->id, re);
	body.hash = seal_commitment(span_of(v->name), span_of(re), body.media_type, salt, payload);
	statement_begin(&w, KIND_REQUEST, node_origin(n, LEDGER_CIRCLE), v);
	statement_add(&w, "to", to);
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", plan->id);
	statement_add(&w, "need", SPAN("deconflict"));
	if (plan->demonstration)
		statement_add(&w, "demonstration", SPAN("yes"));
	statement_add_body(&w, &body);
	e = statement_end(&w, key, &note, &id);
	if (e == OK)
		e = node_add_statement(n, buffer_view(&note), &done);
	if (e == OK)
		e = node_add_body(n, &body, salt, &payload, 1);
	statement_writer_free(&w);
	buffer_free(&note);
	return e;
}

enum err deconfliction_ask(struct node *n, struct arena *a, const struct signer *key, const struct matter *plan,
			   const struct deconflict_item *items, size_t count, bool again, size_t *asked)
{
	struct nodes nodes = { .arena = a, .node = node_name(n) };
	struct deconflict_asked *before = NULL;
	struct buffer question = BUFFER(DECONFLICT_BODY_MAX);
	uint8_t salt[DECONFLICT_SALT_SIZE];
	enum err e = OK;

	*asked = 0;
	randombytes_buf(salt, sizeof(salt));
	if (!again)
		e = deconflict_asked(node_batch_state(n), plan->id, &before, &nodes.asked_count);
	nodes.asked = before;
	if (e == OK)
		e = deconflict_question_print(items, count, salt, &question);
	if (e == OK)
		e = state_parties(node_batch_state(n), gather_node, &nodes);
	for (size_t i = 0; e == OK && i < nodes.count; i++, (*asked)++)
		e = ask_one(n, key, plan, nodes.at[i], buffer_view(&question));
	buffer_free(&question);
	return e;
}

/* ---- what is held here ---- */

struct holdings {
	struct node *node;
	const struct state *st;
	struct arena *arena;
	struct deconflict_holding *at;
	size_t count, room;
};

static enum err add_holding(struct holdings *h, const struct addressee *what, struct span party, struct span contact)
{
	if (h->count == h->room) {
		size_t room = h->room == 0 ? 256 : 2 * h->room;
		struct deconflict_holding *more =
			arena_resize(h->arena, h->at, h->room * sizeof(*more), room * sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		h->at = more;
		h->room = room;
	}
	h->at[h->count++] = (struct deconflict_holding){ { *what }, party, contact };
	return OK;
}

static enum err add_prefixes(struct holdings *h, const struct prefix *list, size_t count, struct span party,
			     struct span contact)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < count; i++) {
		struct addressee what = { .type = TO_PREFIX, .prefix = list[i] };

		e = add_holding(h, &what, party, contact);
	}
	return e;
}

/* Whom to call: the plan's duty contact, else the party's first mailbox. */
static enum err contact_of(struct holdings *h, const struct plan_terms *t, struct span party, struct span *out)
{
	const char *copy = "";
	struct span mail;
	struct party p;
	enum err e;

	if (t->contact.len > 0) {
		copy = arena_copy(h->arena, t->contact.at, t->contact.len);
		*out = span_make(copy, t->contact.len);
		return copy != NULL ? OK : ERR_NO_MEMORY;
	}
	*out = SPAN("");
	e = state_party(h->st, party, &p);
	if (e == OK && party_contact(&p, 0, &mail)) {
		copy = arena_print(h->arena, "mailto:%.*s", SPAN_FORMAT(mail));
		if (copy == NULL)
			return ERR_NO_MEMORY;
		*out = span_of(copy);
	}
	return e == ERR_PARTY_UNKNOWN ? OK : e;
}

static enum err add_terms(struct holdings *h, const struct plan_terms *t, struct span from)
{
	struct span party = span_make(arena_copy(h->arena, from.at, from.len), from.len), contact;
	enum err e = party.at != NULL ? contact_of(h, t, party, &contact) : ERR_NO_MEMORY;

	if (e == OK)
		e = add_prefixes(h, t->sources, t->source_count, party, contact);
	if (e == OK)
		e = add_prefixes(h, t->targets, t->target_count, party, contact);
	for (size_t i = 0; e == OK && i < t->target_domain_count; i++) {
		struct span d = t->target_domains[i];
		struct addressee what = { .type = TO_PARTY };

		what.domain = span_make(arena_copy(h->arena, d.at, d.len), d.len);
		e = what.domain.at != NULL ? add_holding(h, &what, party, contact) : ERR_NO_MEMORY;
	}
	return e;
}

/* The terms that a sealed filing of a party here commits to, from the file that its operator keeps: "nonce …", then the lines.
 * ERR_NOT_FOUND: it is not here. */
static enum err read_sealed(struct holdings *h, const struct plan_terms *sealed, struct plan_terms *out)
{
	struct statement s = { .kind = KIND_PLAN };
	char hex[HASH_HEX + 1];
	struct header *headers;
	struct span text, line;
	const char *path;
	size_t room = 0;
	enum err e;

	hash_hex(sealed->commitment, hex);
	if ((path = arena_print(h->arena, "%s/sealed/%s", node_dir(h->node), hex)) == NULL)
		return ERR_NO_MEMORY;
	if ((e = file_read(h->arena, path, SEALED_TERMS_MAX, &text)) != OK)
		return e;
	for (size_t i = 0; i < text.len; i++)
		room += text.at[i] == '\n';
	if ((headers = arena_array(h->arena, room + 1, sizeof(*headers))) == NULL)
		return ERR_NO_MEMORY;
	span_line(&text, &line); /* the nonce */
	while (span_line(&text, &line)) {
		struct span value = line, name = span_cut(&value, ' ');

		if (value.at != NULL)
			headers[s.header_count++] = (struct header){ name, value };
	}
	s.headers = headers;
	return plan_terms_read(h->arena, &s, out);
}

static enum err look_at_plan(void *context, const struct matter *m)
{
	struct holdings *h = context;
	struct plan_terms t, opened;
	enum err e;

	if (m->withdrawn || m->ended || m->passed_on_ms != 0 || !span_equal(m->home, h->st->node))
		return OK;
	if ((e = plan_terms_get(h->st, m->index, &t)) != OK)
		return e;
	if (t.sealed) {
		e = read_sealed(h, &t, &opened);
		if (e == ERR_NOT_FOUND || e == ERR_IO || e == ERR_STATEMENT_HEADER)
			return OK; /* of a party that keeps its key elsewhere */
		if (e != OK)
			return e;
		t = opened;
	}
	return t.activity == ACTIVITY_SINKHOLE ? add_terms(h, &t, m->from) : OK;
}

/* ---- answering ---- */

struct mandate {
	const struct state *st;
	unsigned bases;
	bool yes;
};

static enum err look_at_holding(void *context, const struct holding *h)
{
	struct mandate *m = context;

	m->yes |= h->resource.type == TO_COUNTRY && (m->bases & BASIS_BIT(h->basis)) != 0 &&
		  h->from_ms <= m->st->logged_ms && m->st->logged_ms < h->until_ms;
	return OK;
}

/* Whether who asks speaks for a country, as far as this node knows. */
static enum err has_mandate(const struct state *st, struct span party, bool *yes)
{
	struct mandate m = { .st = st };
	enum err e = state_policy(st, POLICY_COUNTRY, &m.bases);

	if (e == OK)
		e = holdings_walk(st, party, look_at_holding, &m);
	*yes = m.yes;
	return e;
}

/* The body of the answer; *may false: nothing is told. What does not read is answered so too. */
static enum err work_out(struct node *n, const struct state *st, struct arena *a, const struct matter *request,
			 bool *may, struct buffer *out)
{
	struct holdings h = { .node = n, .st = st, .arena = a };
	struct deconflict_question q;
	struct deconflict_held *held;
	const uint8_t *salt;
	struct span body;
	size_t count = 0;
	enum err e = has_mandate(st, request->from, may);

	if (e != OK || !*may)
		return e;
	e = request->has_body ? node_body(n, a, request->body.hash, &salt, &body) : ERR_NOT_FOUND;
	if (e == OK)
		e = deconflict_question_read(a, body, &q);
	if (e != OK) {
		*may = false;
		return err_is_machine(e) || e == ERR_DAMAGED ? e : OK;
	}
	e = state_matters(st, LEDGER_PUBLIC, KIND_PLAN, 0, look_at_plan, &h);
	if (e == OK)
		e = deconflict_compare(a, &q, h.at, h.count, &held, &count);
	return e == OK ? deconflict_answer_print(held, count, out) : e;
}

static enum err answer_one(struct node *n, struct arena *a, const struct matter *request, struct appended *out)
{
	struct body_reference body = { .media_type = SPAN("application/json"), .sealed = true };
	struct buffer held = BUFFER(DECONFLICT_BODY_MAX);
	struct statement_writer w = { 0 };
	uint8_t salt[SEAL_SALT_SIZE];
	char re[HASH_HEX + 1];
	struct span payload;
	bool may = false;
	enum err e = work_out(n, node_batch_state(n), a, request, &may, &held);

	payload = buffer_view(&held);
	hash_hex(request->id, re);
	statement_begin(&w, KIND_ANSWER, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add(&w, "to", request->from);
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", request->id);
	statement_add(&w, "outcome", span_of(outcome_name(may ? OUTCOME_ACCEPTED : OUTCOME_OBJECTED)));
	if (may) {
		randombytes_buf(salt, sizeof(salt));
		body.size = payload.len;
		body.hash = seal_commitment(node_name(n), span_of(re), body.media_type, salt, payload);
		statement_add_body(&w, &body);
	}
	if (e == OK)
		e = node_add_own(n, &w, out);
	if (e == OK && may)
		e = node_add_body(n, &body, salt, &payload, 1);
	statement_writer_free(&w);
	buffer_free(&held);
	return e;
}

struct open_requests {
	struct hash *ids;
	size_t count, most;
};

static enum err gather_open(void *context, const struct matter *m)
{
	struct open_requests *o = context;

	if (o->count < o->most)
		o->ids[o->count++] = m->id;
	return OK;
}

enum err deconfliction_answer(struct node *n, size_t most, size_t *answered, struct appended *last)
{
	struct open_requests o = { .ids = calloc(most, sizeof(struct hash)), .most = most };
	struct arena *a = arena_new(WORK_ARENA);
	enum err e = o.ids == NULL || a == NULL ? ERR_NO_MEMORY : OK;

	*answered = 0;
	if (e == OK)
		e = deconflicts_waiting(node_batch_state(n), gather_open, &o);
	for (size_t i = 0; e == OK && i < o.count; i++) {
		struct matter m;

		arena_reset(a);
		e = state_matter(node_batch_state(n), o.ids[i], &m);
		if (e == OK) {
			struct span from = span_make(arena_copy(a, m.from.at, m.from.len), m.from.len);

			m.from = from; /* the batch goes on under it */
			e = from.at != NULL ? answer_one(n, a, &m, last) : ERR_NO_MEMORY;
		}
		*answered += e == OK;
	}
	arena_free(a);
	free(o.ids);
	return e;
}

static enum err note_one(void *context, const struct matter *m)
{
	(void)m;
	*(bool *)context = true;
	return OK;
}

enum err deconfliction_waits(const struct state *st, bool *yes)
{
	*yes = false;
	return deconflicts_waiting(st, note_one, yes);
}

/* ---- reading what came back ---- */

struct reading {
	struct node *node;
	struct arena *arena;
	const struct deconflict_item *items;
	size_t count;
	const struct deconflict_asked *asked; /* the request in hand */
	struct deconfliction *out;
	size_t room;
};

static enum err add_held(struct reading *r, struct span node, const struct deconflict_held *held)
{
	struct deconfliction *d = r->out;

	if (d->held_count == r->room) {
		size_t room = r->room == 0 ? 256 : 2 * r->room;
		struct deconfliction_held *more =
			arena_resize(r->arena, d->held, r->room * sizeof(*more), room * sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		d->held = more;
		r->room = room;
	}
	d->held[d->held_count++] = (struct deconfliction_held){ held->item, node, held->party, held->contact };
	return OK;
}

/* Whether what was asked in that request is this list. */
static enum err same_list(struct reading *r, const struct state *st, bool *yes)
{
	struct deconflict_question q;
	const uint8_t *salt;
	struct span body;
	struct matter m;
	enum err e = state_matter(st, r->asked->request, &m);

	if (e == OK)
		e = m.has_body ? node_body(r->node, r->arena, m.body.hash, &salt, &body) : ERR_NOT_FOUND;
	if (e == OK)
		e = deconflict_question_read(r->arena, body, &q);
	*yes = e == OK && deconflict_is_list(&q, r->items, r->count);
	return e == ERR_NOT_FOUND || e == ERR_SYNTAX ? OK : e;
}

static enum err look_at_answer(void *context, const struct history_line *l)
{
	struct reading *r = context;
	struct deconflict_held *held;
	const uint8_t *salt;
	struct span body;
	size_t count = 0;
	enum err e;

	if (l->s.kind != KIND_ANSWER || !l->s.has_body || !hash_equal(l->s.re, r->asked->request) ||
	    !span_equal(l->s.from, r->asked->node))
		return OK;
	e = node_body(r->node, r->arena, l->s.body.hash, &salt, &body);
	if (e == OK)
		e = deconflict_answer_read(r->arena, body, r->count, &held, &count);
	if (err_is_machine(e) || e == ERR_DAMAGED)
		return e;
	if (e != OK)
		r->out->unread++;
	for (size_t i = 0, n = e == OK ? count : 0; i < n; i++)
		if ((e = add_held(r, r->asked->node, &held[i])) != OK)
			return e;
	return OK;
}

static enum err read_one(struct reading *r, const struct state *st)
{
	struct deconfliction *d = r->out;
	bool same = false;
	struct matter m;
	enum err e = same_list(r, st, &same);

	d->asked++;
	d->silent += r->asked->answered_ms == 0;
	d->objected += r->asked->answered_ms != 0 && r->asked->outcome == OUTCOME_OBJECTED;
	d->answered += r->asked->answered_ms != 0 && r->asked->outcome != OUTCOME_OBJECTED;
	if (e == OK && !same) {
		d->unread += r->asked->answered_ms != 0;
		return OK;
	}
	if (e == OK)
		e = state_matter(st, r->asked->request, &m);
	return e == OK ? history_walk(r->node, st, &m, look_at_answer, r) : e;
}

static int by_item(const void *a, const void *b)
{
	const struct deconfliction_held *x = a, *y = b;

	return x->item != y->item ? (x->item > y->item) - (x->item < y->item) : span_compare(x->node, y->node);
}

enum err deconfliction_read(struct node *n, const struct state *st, struct hash plan,
			    const struct deconflict_item *items, size_t count, struct deconfliction *out)
{
	struct reading r = { .node = n, .arena = st->arena, .items = items, .count = count, .out = out };
	struct deconflict_asked *asked = NULL;
	size_t requests = 0;
	enum err e;

	*out = (struct deconfliction){ 0 };
	e = deconflict_asked(st, plan, &asked, &requests);
	for (size_t i = 0; e == OK && i < requests; i++) {
		r.asked = &asked[i];
		e = read_one(&r, st);
	}
	if (e == OK && out->held_count > 0)
		qsort(out->held, out->held_count, sizeof(*out->held), by_item);
	return e;
}
