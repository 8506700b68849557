/* The receiving side of delivery: who comes introduces itself, then brings what concerns a party that is kept here. */
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "exchange/api.h"
#include "exchange/delivery.h"
#include "exchange/delivery_wire.h"
#include "exchange/server_private.h"
#include "regime/deconflict.h"
#include "regime/policy.h"

/*
 * One request
 *
 * Its statements are offered to the sequencer one by one in their order, and judged in it. Each is work: on the sequencing
 * thread, in the state that the batch has reached, it is decided whether the statement may come at all, then it is logged as
 * a guest with its body, and for a notice the node's `received` in the same batch. So a notice has its answer or is not here; and
 * one that is here already is repeated and gets no second answer.
 *
 * A refused one does not stop the others. But what the sequencer has no room for is `later`, and so is all behind it, since it may
 * refer to what was not taken.
 */

#define INTRODUCTIONS_PER_MINUTE 60 /* of one address */
#define ANSWER_MOST ((size_t)1 << 20)
#define DAY_MS INT64_C(86400000)
#define FULL_RETRY_S 3600 /* who is over a day's number */

/* Whose introductions were logged today. Of the sequencing thread alone. */
struct newcomers {
	int64_t day;
	uint64_t count;
	struct {
		uint64_t who, count; /* 0: free */
	} addresses[1024];
};

struct receiving {
	struct limits *introductions, *statements;
	struct newcomers today;
};

enum err receiving_new(const struct config *c, struct receiving **out)
{
	struct receiving *r = calloc(1, sizeof(*r));
	enum err e = r != NULL ? OK : ERR_NO_MEMORY;

	if (e == OK)
		e = limits_new(INTRODUCTIONS_PER_MINUTE, 1, &r->introductions);
	if (e == OK)
		e = limits_new(c->deliveries_per_minute, 1, &r->statements);
	if (e == OK)
		*out = r;
	else
		receiving_free(r);
	return e;
}

void receiving_free(struct receiving *r)
{
	if (r == NULL)
		return;
	limits_free(r->introductions);
	limits_free(r->statements);
	free(r);
}

void receiving_configure(struct receiving *r, const struct config *c)
{
	limits_set(r->statements, c->deliveries_per_minute);
}

static enum err check_type(const struct http_request *r)
{
	struct span type;

	if (!http_header(r, "Content-Type", &type))
		return OK;
	type = span_trim(span_cut(&type, ';'));
	return span_equal_nocase(type, SPAN("application/json"))
		       ? OK
		       : fail(ERR_MEDIA_TYPE, "Content-Type: application/json");
}

/* ---- whom a notice is for ---- */

static enum err is_kept_here(const struct state *st, struct span domain, bool *yes)
{
	struct party p;
	enum err e;

	*yes = span_equal(domain, st->node);
	if (*yes)
		return OK;
	e = state_party(st, domain, &p);
	if (e == OK)
		*yes = span_equal(p.home, st->node);
	return e == ERR_PARTY_UNKNOWN ? OK : e;
}

/* Who here has it to answer for. */
struct concerned {
	bool node, other;
	char domain[254]; /* of the other */
};

static void note_concerned(const struct state *st, struct span domain, struct concerned *out)
{
	if (span_equal(domain, st->node)) {
		out->node = true;
	} else if (!out->other && domain.len < sizeof(out->domain)) {
		memcpy(out->domain, domain.at, domain.len);
		out->domain[domain.len] = '\0';
		out->other = true;
	}
}

struct holding_it {
	const struct state *st;
	struct concerned *out;
};

static enum err look_at_holder(void *context, const struct holding *h)
{
	struct holding_it *l = context;
	bool here = false;
	enum err e = is_kept_here(l->st, h->party, &here);

	if (e == OK && here)
		note_concerned(l->st, h->party, l->out);
	return e;
}

static enum err look_at_addressee(const struct state *st, const struct addressee *to, struct concerned *out)
{
	struct holding_it l = { st, out };
	bool here = false;
	enum err e;

	if (to->type == TO_ALL)
		return OK;
	if (to->type != TO_PARTY)
		return policy_holders(st, POLICY_DIVERT, to, clock_now_ms(), look_at_holder, &l);
	e = is_kept_here(st, to->domain, &here);
	if (e == OK && here)
		note_concerned(st, to->domain, out);
	return e;
}

/* Those in `to` answer; who has a copy (`cc`) only gets it. What is to all is for this node. */
static enum err find_concerned(const struct state *st, const struct statement *s, struct concerned *out)
{
	struct concerned copies = { 0 };
	enum err e = OK;

	*out = (struct concerned){ .node = s->kind == KIND_REQUEST && s->to_count > 0 && s->to[0].type == TO_ALL };
	for (size_t i = 0; e == OK && i < s->to_count; i++)
		e = look_at_addressee(st, &s->to[i], out);
	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		struct addressee cc;

		if (span_is(s->headers[i].name, "cc") && addressee_parse(s->headers[i].value, &cc) == OK)
			e = look_at_addressee(st, &cc, &copies);
	}
	if (e == OK && !out->node && !out->other && !copies.node && !copies.other)
		e = fail(ERR_NOT_YOURS, "it concerns no party that %.*s keeps", SPAN_FORMAT(st->node));
	return e;
}

/* ---- one statement ---- */

struct delivered;

struct one {
	struct submission s;
	struct delivered *all;
	struct statement statement;
	struct delivery_verdict verdict;
};

struct delivered {
	const struct server *server;
	struct http_request *request;
	struct http_answer *out;
	struct span peer;
	struct one *ones;
	size_t count;
	atomic_size_t left;	    /* those that are not judged yet, and the handler while it offers */
	enum err broken, unoffered; /* the machine failed: on the sequencing thread, on the door's */
	char broken_detail[SUBMISSION_DETAIL];
};

/* In the same batch: that it is here. Itself, or for the party that it keeps. */
static enum err sign_received(struct node *n, const struct statement *s, const struct concerned *c)
{
	struct statement_writer w = { 0 };
	struct appended at;
	enum err e;

	statement_begin(&w, KIND_ANSWER, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add(&w, "to", s->from);
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", s->id);
	statement_add(&w, "outcome", span_of(outcome_name(OUTCOME_RECEIVED)));
	if (!c->node) {
		statement_add(&w, "for", span_of(c->domain));
		statement_add(&w, "via", SPAN("node"));
	}
	e = node_add_own(n, &w, &at);
	statement_writer_free(&w);
	if (e == OK || err_is_machine(e) || e == ERR_DAMAGED)
		return e;
	/* The notice is in: it stays, and its sender waits for a person's answer. */
	log_error(LOG_WARNING, "a notice or request came, but `received` cannot be signed", e, err_detail());
	return OK;
}

static enum err may_refer(const struct state *st, const struct statement *s)
{
	struct matter m;

	if (!s->has_re)
		return fail(ERR_STATEMENT_HEADER, "re: missing in a %.*s", SPAN_FORMAT(s->kind_name));
	return state_matter(st, s->re, &m);
}

/* Refused, and about what neither its author nor who brings it may see: then as if that were not there. What was logged in this
 * very batch cannot be read yet, and counts as not seen. */
static enum err hide(const struct one *o, const struct state *st, enum err refused)
{
	char detail[SUBMISSION_DETAIL];
	bool sees = false;
	enum err e;

	if (err_is_machine(refused) || refused == ERR_DAMAGED || refused == ERR_STATEMENT_REPEATED)
		return refused;
	snprintf(detail, sizeof(detail), "%s", err_detail());
	e = api_author_sees(o->all->server, o->all->request->arena, st, &o->statement, &sees);
	if (e == OK && !sees)
		e = api_caller_sees(o->all->server, o->all->request->arena, st, request_caller(o->all->request),
				    o->statement.re, &sees);
	if (err_is_machine(e) || e == ERR_DAMAGED)
		return e;
	if (e == OK && sees)
		return fail(refused, "%s", detail);
	hash_hex(o->statement.re, detail);
	return fail(ERR_MATTER_UNKNOWN, "%s", detail);
}

/* On the sequencing thread. */
static enum err take(struct node *n, struct submission *s)
{
	struct one *o = s->context;
	const struct state *st = node_batch_state(n);
	struct concerned whom = { 0 }, told;
	enum err e = OK;

	/* Whose plan it is about is another node's, which has judged that. */
	if (o->statement.kind == KIND_NOTICE || deconflict_is_request(&o->statement) ||
	    (o->statement.kind == KIND_REQUEST && !o->statement.has_re))
		e = find_concerned(st, &o->statement, &whom);
	else if (o->statement.kind == KIND_VOUCH || o->statement.kind == KIND_AGREEMENT)
		e = find_concerned(st, &o->statement, &told);
	else if (o->statement.kind != KIND_PARTY && o->statement.kind != KIND_PLAN)
		e = may_refer(st, &o->statement);
	if (e == OK)
		e = suspensions_check_help(o->all->server->suspensions, st, &o->statement);
	if (e == OK)
		e = submission_add(n, s, &s->appended);
	if (e != OK && o->statement.has_re && o->statement.kind != KIND_NOTICE && o->statement.kind != KIND_PARTY)
		e = hide(o, st, e);
	if (e == OK && (whom.node || whom.other))
		e = sign_received(n, &o->statement, &whom);
	return e;
}

/* ---- the answer ---- */

static void count_verdicts(const struct delivered *d)
{
	uint64_t taken = 0, refused = 0;

	for (size_t i = 0; i < d->count; i++) {
		taken += d->ones[i].verdict.status == DELIVERY_TAKEN;
		refused += d->ones[i].verdict.status == DELIVERY_REFUSED;
	}
	metrics_add(d->server->metrics, METRIC_STATEMENTS, taken);
	metrics_add(d->server->metrics, METRIC_DELIVERY_TAKEN, taken);
	metrics_add(d->server->metrics, METRIC_DELIVERY_DECLINED, refused);
}

static void answer(struct delivered *d)
{
	struct delivery_verdict *v = arena_array(d->request->arena, d->count, sizeof(*v));
	struct buffer body = BUFFER(ANSWER_MOST);

	if (d->broken != OK || d->unoffered != OK || v == NULL) {
		server_fail(d->server, d->request,
			    v == NULL	      ? ERR_NO_MEMORY
			    : d->broken != OK ? fail(d->broken, "%s", d->broken_detail)
					      : d->unoffered,
			    d->out);
	} else {
		for (size_t i = 0; i < d->count; i++)
			v[i] = d->ones[i].verdict;
		count_verdicts(d);
		delivery_answer_print(v, d->count, &body);
		if (body.err == OK) {
			api_answer(d->out, 200, "application/json", &body);
		} else {
			buffer_free(&body);
			server_fail(d->server, d->request, body.err, d->out);
		}
	}
	http_answer_now(d->request);
}

/* The last one answers. */
static void one_less(struct delivered *d)
{
	if (atomic_fetch_sub(&d->left, 1) == 1)
		answer(d);
}

static void judge(struct one *o, enum err e, const char *detail)
{
	struct delivery_verdict *v = &o->verdict;

	v->id = o->statement.id;
	v->status = e == OK			  ? DELIVERY_TAKEN
		    : e == ERR_STATEMENT_REPEATED ? DELIVERY_REPEATED
		    : e == ERR_SUPERSEDED	  ? DELIVERY_REPEATED
		    : e == ERR_BUSY		  ? DELIVERY_LATER
		    : e == ERR_LOGGED		  ? DELIVERY_LATER /* our clock ran backwards: not the sender's fault */
						  : DELIVERY_REFUSED;
	if (v->status == DELIVERY_TAKEN || v->status == DELIVERY_REPEATED)
		return;
	v->code = span_of(err_code(e));
	v->detail = span_of(detail);
}

static void done(struct submission *s)
{
	struct one *o = s->context;
	struct delivered *d = o->all;

	if ((err_is_machine(s->err) && s->err != ERR_BUSY) || s->err == ERR_DAMAGED) {
		d->broken = s->err; /* all `done` calls are of one thread */
		snprintf(d->broken_detail, sizeof(d->broken_detail), "%s", s->detail);
	}
	judge(o, s->err, s->detail);
	one_less(d);
}

/* ---- what is brought ---- */

static bool brings_from(const struct delivered *d, struct span party)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct statement *s = &d->ones[i].statement;
		struct span home;
		enum ledger_id l;

		if (s->kind == KIND_UNKNOWN || s->kind == KIND_PARTY)
			continue;
		if (span_equal(s->from, party) || (statement_home(s, &home, &l) == OK && span_equal(home, party)))
			return true;
	}
	return false;
}

/* Before any state is asked. */
static enum err may_come(const struct delivered *d, const struct one *o)
{
	const struct statement *s = &o->statement;
	struct span home;
	enum ledger_id l;
	enum err e = statement_home(s, &home, &l);

	if (e != OK)
		return e;
	switch (s->kind) {
	case KIND_NOTICE:
	case KIND_PLAN:
	case KIND_VOUCH:
	case KIND_AGREEMENT:
	case KIND_ANSWER:
	case KIND_WITHDRAW:
	case KIND_REQUEST:
		if (span_equal(home, d->peer))
			return OK;
		return fail(ERR_STATEMENT_LEDGER, "%.*s delivers what is in its own ledgers", SPAN_FORMAT(d->peer));
	case KIND_PARTY:
		if (span_equal(s->from, d->peer) || brings_from(d, s->from))
			return OK;
		return fail(ERR_NOT_YOURS, "a party statement comes with what that party sends");
	default:
		return fail(ERR_STATEMENT_KIND, "a %.*s is not delivered", SPAN_FORMAT(s->kind_name));
	}
}

/* Refused ones have their verdict, and are marked by a kind of nothing. */
static void read_statements(struct delivered *d, const struct delivery_item *items)
{
	for (size_t i = 0; i < d->count; i++) {
		struct one *o = &d->ones[i];
		enum err e;

		o->all = d;
		o->s = (struct submission){ .note = items[i].note,
					    .home_receipt = items[i].receipt,
					    .body = items[i].body,
					    .salt = items[i].salt,
					    .work = take,
					    .done = done,
					    .context = o };
		e = statement_parse(d->request->arena, items[i].note, &o->statement);
		if (err_is_machine(e))
			d->unoffered = e;
		if (e != OK) {
			o->statement = (struct statement){ .kind = KIND_UNKNOWN };
			judge(o, e == ERR_BUSY ? ERR_STATEMENT : e, arena_print(d->request->arena, "%s", err_detail()));
			o->s.work = NULL;
		}
	}
}

static char *detail_of(const struct delivered *d)
{
	char *copy = arena_print(d->request->arena, "%s", err_detail());

	return copy != NULL ? copy : (char *)(uintptr_t) "";
}

static void offer_all(struct delivered *d)
{
	const struct server *server = d->server;
	enum err later = OK;

	for (size_t i = 0; i < d->count; i++) {
		struct one *o = &d->ones[i];
		unsigned wait_s;
		enum err e = OK;

		if (o->s.work == NULL) {
			one_less(d);
			continue;
		}
		if (later == OK && (e = may_come(d, o)) == OK && i > 0 &&
		    !limits_take(server->receiving->statements, d->peer, clock_monotonic_us() / 1000, &wait_s))
			later = fail(ERR_BUSY, "too many statements a minute");
		if (later == OK && e == OK && (e = sequencer_offer(server->sequencer, &o->s)) == ERR_BUSY)
			later = e;
		/* A machine that fails is no verdict on what was sent: it comes again. */
		if (e == ERR_DAMAGED || err_is_machine(e))
			d->unoffered = e;
		if (later != OK || e != OK) {
			judge(o, later != OK ? later : e, detail_of(d));
			one_less(d);
		}
	}
}

/* Whoever delivers is a node that signs, known by its own party statement. */
static enum err check_peer(const struct server *server, struct http_request *r, struct span *peer)
{
	const struct caller *c = request_caller(r);
	struct party p;
	struct state st;
	bool is_node;
	enum err e;

	if (c->how != CALLER_SIGNED)
		return fail(ERR_NOT_YOURS, "only nodes deliver, and they sign their requests");
	if ((e = server_read(server, r, &st)) != OK)
		return e;
	e = state_party(&st, c->party, &p);
	is_node = e == OK && span_equal(p.home, p.domain) && (p.url.len > 0 || p.ledger_key_count > 0);
	snapshot_end(st.snapshot);
	if (e == OK && !is_node)
		e = fail(ERR_NOT_YOURS, "%.*s is no node", SPAN_FORMAT(c->party));
	*peer = c->party;
	return e;
}

static enum err begin(const struct server *server, struct http_request *r, struct http_answer *out, unsigned *wait_s,
		      struct delivered **begun)
{
	struct delivered *d = arena_array(r->arena, 1, sizeof(*d));
	const struct delivery_item *items = NULL;
	enum err e = d != NULL ? check_type(r) : ERR_NO_MEMORY;

	if (e != OK)
		return e;
	d->server = server;
	d->request = r;
	d->out = out;
	e = check_peer(server, r, &d->peer);
	if (e == OK && !limits_take(server->receiving->statements, d->peer, clock_monotonic_us() / 1000, wait_s)) {
		metrics_add(server->metrics, METRIC_LIMITED, 1);
		e = fail(ERR_RATE, "at most %ju statements a minute", (uintmax_t)server->config->deliveries_per_minute);
	}
	if (e == OK)
		e = delivery_request_read(r->arena, r->body, &items, &d->count);
	if (e == OK && (d->ones = arena_array(r->arena, d->count, sizeof(*d->ones))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		read_statements(d, items);
	*begun = d;
	return e;
}

static enum http_next deliver(void *context, struct http_request *r, struct http_answer *out)
{
	const struct server *server = context;
	struct delivered *d = NULL;
	unsigned wait_s = 1;
	enum err e = begin(server, r, out, &wait_s, &d);

	if (e != OK) {
		server_fail_later(server, r, e, wait_s, out);
		return HTTP_NOW;
	}
	atomic_init(&d->left, d->count + 1);
	offer_all(d);
	one_less(d);
	return HTTP_LATER;
}

/* ---- introductions ---- */

/*
 * What a newcomer costs
 *
 * Each introduction is an entry for ever, and whoever has a name server can make up domains. So on one day only so many are
 * logged, and of one address a tenth of that. Counted is what was logged: what is refused or repeated takes nothing from those
 * who come later. With a table full of others, an address is counted with those that share its place.
 */

static uint64_t *count_of(struct newcomers *n, struct span address)
{
	struct hash h = hash_span(address);
	uint64_t who;

	memcpy(&who, h.bytes, sizeof(who));
	who |= 1;
	for (size_t i = 0; i < 8; i++) {
		size_t at = (who / 2 + i) % (sizeof(n->addresses) / sizeof(n->addresses[0]));

		if (n->addresses[at].who == 0)
			n->addresses[at].who = who;
		if (n->addresses[at].who == who || i == 7)
			return &n->addresses[at].count;
	}
	return NULL;
}

struct introduced {
	struct submission s;
	struct receiving *receiving;
	uint64_t per_day;
	char address[LIMITS_ADDRESS];
	const struct server *server;
	struct http_request *request;
	struct http_answer *out;
	struct statement statement;
};

/* On the sequencing thread. */
static enum err take_newcomer(struct node *n, struct submission *s)
{
	struct introduced *i = s->context;
	struct newcomers *today = &i->receiving->today;
	int64_t day = clock_now_ms() / DAY_MS;
	uint64_t *of_address, most = i->per_day / 10 > 0 ? i->per_day / 10 : 1;
	struct party p;
	enum err e = state_party(node_batch_state(n), i->statement.from, &p);

	if (e != OK && e != ERR_PARTY_UNKNOWN)
		return e;
	if (e == OK && hash_equal(p.statement, i->statement.id))
		return fail(ERR_STATEMENT_REPEATED, "it is known");
	if (day != today->day)
		*today = (struct newcomers){ .day = day };
	of_address = count_of(today, span_of(i->address));
	if (today->count >= i->per_day || *of_address >= most)
		return fail(ERR_RATE, "at most %ju introductions a day, of one address %ju", (uintmax_t)i->per_day,
			    (uintmax_t)most);
	if ((e = submission_add(n, s, &s->appended)) == OK) {
		today->count++;
		++*of_address;
	}
	return e;
}

static void introduced(struct submission *s)
{
	struct introduced *i = s->context;
	struct buffer body = BUFFER(4096);
	struct json j = { .out = &body };
	char hex[HASH_HEX + 1];

	if (s->err == OK || s->err == ERR_STATEMENT_REPEATED) {
		if (s->err == OK)
			metrics_add(i->server->metrics, METRIC_STATEMENTS, 1);
		hash_hex(i->statement.id, hex);
		json_object(&j, NULL);
		json_text(&j, "id", hex);
		json_bool(&j, "repeated", s->err != OK);
		json_object_end(&j);
		api_answer(i->out, s->err == OK ? 201 : 200, "application/json", &body);
	} else {
		fail(s->err, "%s", s->detail);
		if (s->err == ERR_RATE) {
			metrics_add(i->server->metrics, METRIC_LIMITED, 1);
			server_fail_later(i->server, i->request, s->err, FULL_RETRY_S, i->out);
		} else {
			server_fail(i->server, i->request, s->err, i->out);
		}
	}
	http_answer_now(i->request);
}

static enum err read_introduction(struct http_request *r, struct introduced *i)
{
	struct delivery_item item;
	struct span home;
	enum ledger_id l;
	enum err e = check_type(r);

	if (e == OK)
		e = delivery_introduction_read(r->arena, r->body, &item);
	if (e == OK)
		e = statement_parse(r->arena, item.note, &i->statement);
	if (e == OK)
		e = statement_home(&i->statement, &home, &l);
	if (e == OK && (i->statement.kind != KIND_PARTY || l != LEDGER_PUBLIC || !span_equal(home, i->statement.from)))
		e = fail(ERR_NOT_YOURS, "a node introduces itself, by the party statement in its own public ledger");
	i->s = (struct submission){
		.note = item.note, .home_receipt = item.receipt, .work = take_newcomer, .done = introduced, .context = i
	};
	return e;
}

static enum http_next introduce(void *context, struct http_request *r, struct http_answer *out)
{
	const struct server *server = context;
	struct introduced *i = arena_array(r->arena, 1, sizeof(*i));
	unsigned wait_s = 1;
	enum err e = i != NULL ? OK : ERR_NO_MEMORY;
	struct span address = SPAN("");

	if (e == OK)
		address = limits_address(r->peer, i->address);
	if (e == OK && !limits_take(server->receiving->introductions, address, clock_monotonic_us() / 1000, &wait_s)) {
		metrics_add(server->metrics, METRIC_LIMITED, 1);
		e = fail(ERR_RATE, "at most %d introductions a minute", INTRODUCTIONS_PER_MINUTE);
	}
	if (e == OK) {
		i->server = server;
		i->request = r;
		i->out = out;
		i->receiving = server->receiving;
		i->per_day = server->config->introductions_per_day;
		e = read_introduction(r, i);
	}
	if (e == OK && (e = sequencer_offer(server->sequencer, &i->s)) == OK)
		return HTTP_LATER;
	server_fail_later(server, r, e, wait_s, out);
	return HTTP_NOW;
}

#define INTRODUCTION_MOST ((uint64_t)256 << 10) /* of a note and a receipt, each byte of which may be escaped */

const struct http_door delivery_doors[] = {
	{ HTTP_POST, "/introduction", INTRODUCTION_MOST, DOOR_OPEN, introduce },
	{ HTTP_POST, "/delivery", (uint64_t)2 * DELIVERY_BYTES_MAX, DOOR_KNOWN, deliver },
};
const size_t delivery_door_count = sizeof(delivery_doors) / sizeof(delivery_doors[0]);
