/* plan match, plan whose: what do plans say of what was seen? */
#include "cli/cli.h"

#include <stdlib.h>

#include "cli/resolving.h"
#include "regime/holding.h"
#include "regime/mirror.h"
#include "regime/plan.h"
#include "report/probe_uri.h"

#define ANSWERS_MAX 16 /* of each ledger */
#define CAPTURE_ARENA ((size_t)1 << 30)

/* ---- what was seen ---- */

static enum err read_transport(const char *text, uint8_t *out)
{
	static const struct {
		const char *name;
		uint8_t number;
	} known[] = { { "icmp", 1 }, { "tcp", 6 }, { "udp", 17 }, { "icmpv6", 58 } };
	uint64_t n;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(text, known[i].name) == 0) {
			*out = known[i].number;
			return OK;
		}
	if (span_u64(span_of(text), 254, &n) != OK || n == 0)
		return fail(ERR_USAGE, "--transport `%s`: tcp, udp, icmp, icmpv6 or a protocol number", text);
	*out = (uint8_t)n;
	return OK;
}

static enum err observation_options(struct cli *c, struct observation *o)
{
	const char *target = cli_option(c, "target"), *transport = cli_option(c, "transport");
	uint64_t port;
	enum err e = cli_number(c, "port", 0, UINT16_MAX, &port);

	if (e != OK)
		return e;
	o->target_port = (uint16_t)port;
	o->has_target = target != NULL;
	if (target != NULL && address_parse(span_of(target), &o->target) != OK)
		return fail(ERR_ADDRESS, "--target `%s`", target);
	if (cli_flag(c, "handshake"))
		o->seen |= SEEN_HANDSHAKE;
	return transport != NULL ? read_transport(transport, &o->transport) : OK;
}

static void observation_look_up(struct cli *c, struct observation *o)
{
	struct table_class_facts facts;
	struct table *t = NULL;

	if (!o->has_target || cli_table(c, &t) != OK)
		return;
	table_class_facts(t, table_class(t, table_find(t, o->target)), &facts);
	o->target_as = facts.asn;
	memcpy(o->target_country, facts.country, sizeof(o->target_country));
	table_close(t);
}

static enum err read_observation(struct cli *c, const char *time, struct observation *o)
{
	if (address_parse(span_of(c->operands[0]), &o->source) != OK)
		return fail(ERR_ADDRESS, "`%s`", c->operands[0]);
	return cli_time(c, time, clock_now_ms(), &o->time_ms);
}

/* ---- plan match ---- */

static void match_report(struct cli *c, const struct observation *o, const struct plan_match *m)
{
	char source[ADDRESS_TEXT], hex[HASH_HEX + 1];
	bool plan = m->verdict != PLAN_UNDECLARED;

	address_format(o->source, source);
	hash_hex(m->plan, hex);
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "address", source);
		json_time(j, "time", o->time_ms);
		json_text(j, "verdict", plan_verdict_name(m->verdict));
		json_text(j, "plan", plan ? hex : NULL);
		json_text(j, "term", m->term);
		cli_object_end(c);
		return;
	}
	printf("%s %s%s%s: %s\n", source, cli_bold(c), plan_verdict_name(m->verdict), cli_plain(c),
	       plan_verdict_says(m->verdict));
	if (plan)
		printf("  plan %s\n", hex);
	if (m->term != NULL)
		printf("  term: %s\n", m->term);
}

int cmd_plan_match(struct cli *c)
{
	struct observation o = { 0 };
	struct plan_match m;
	struct state st = { 0 };
	struct plans *plans = NULL;
	struct node *n = NULL;
	enum err e = observation_options(c, &o);

	if (e == OK)
		e = read_observation(c, "time", &o);
	if (e == OK && (e = node_open(c->dir, NODE_READ, &n)) == OK && (e = node_read(n, c->arena, &st)) == OK) {
		if ((e = plans_load_known(c->dir, &st, NULL, NULL, &plans)) == OK) {
			observation_look_up(c, &o);
			m = plans_match(plans, &o);
			match_report(c, &o, &m);
		}
		snapshot_end(st.snapshot);
	}
	plans_free(plans);
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- plan whose ---- */

struct whose_answer {
	struct plan_whose whose; /* its texts in the command's arena */
	struct span ledger;	 /* the followed node whose ledger says so; empty: this one's */
};

struct whose {
	struct cli *c;
	struct node *node;
	struct arena *arena; /* of one question */
	const struct observation *asked;
	struct whose_answer *answers;
	size_t count, room;
};

static void whose_end(struct whose *w)
{
	if (w == NULL)
		return;
	node_close(w->node);
	arena_free(w->arena);
}

static enum err whose_begin(struct cli *c, struct whose **out)
{
	struct whose *w = arena_array(c->arena, 1, sizeof(*w));
	enum err e;

	if (w == NULL || (w->arena = arena_new((size_t)64 << 20)) == NULL)
		return ERR_NO_MEMORY;
	w->c = c;
	if ((e = node_open(c->dir, NODE_READ, &w->node)) != OK) {
		whose_end(w);
		return e;
	}
	*out = w;
	return OK;
}

static bool keep(struct arena *a, struct span *s)
{
	const char *copy = s->len > 0 ? arena_copy(a, s->at, s->len) : "";

	*s = span_make(copy, copy != NULL ? s->len : 0);
	return copy != NULL;
}

/* The better ones first; of equals our own ledger. */
static enum err add_answer(struct whose *w, struct plan_whose p, struct span ledger)
{
	size_t at = w->count;

	if (!keep(w->arena, &p.party) || !keep(w->arena, &p.activity) || !keep(w->arena, &p.contact) ||
	    !keep(w->arena, &p.purpose) || !keep(w->arena, &ledger))
		return ERR_NO_MEMORY;
	if (w->count == w->room) {
		size_t room = w->room == 0 ? ANSWERS_MAX : 2 * w->room;
		struct whose_answer *bigger =
			arena_resize(w->arena, w->answers, w->room * sizeof(*bigger), room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		w->answers = bigger;
		w->room = room;
	}
	while (at > 0 && plan_match_rank(&p.match) < plan_match_rank(&w->answers[at - 1].whose.match))
		at--;
	memmove(w->answers + at + 1, w->answers + at, (w->count - at) * sizeof(*w->answers));
	w->answers[at] = (struct whose_answer){ p, ledger };
	w->count++;
	return OK;
}

static enum err ask(struct whose *w, const struct state *st, struct span ledger)
{
	struct plan_whose found[ANSWERS_MAX];
	size_t count;
	enum err e = plan_whose(st, w->asked, found, ANSWERS_MAX, &count);

	for (size_t i = 0; e == OK && i < count; i++)
		e = add_answer(w, found[i], ledger);
	return e;
}

static enum err ask_mirror(void *context, const char *dir, struct span node)
{
	struct whose *w = context;
	struct mirror *m = NULL;
	struct state st;
	enum err e;

	if (mirror_forks(dir) > 0)
		return OK; /* nobody knows which of its histories is true */
	e = mirror_open(dir, node, false, &m);
	if (e == OK && (e = mirror_read(m, w->arena, &st)) == OK) {
		e = ask(w, &st, node);
		snapshot_end(st.snapshot);
	}
	mirror_close(m);
	if (e == ERR_NOT_FOUND || e == ERR_BUSY || e == ERR_DAMAGED) {
		fprintf(stderr, "comity: plans of %.*s are left out: %s\n", SPAN_FORMAT(node), err_detail());
		e = OK;
	}
	return e;
}

/* An operator's word is no proof. */
static void add_basis(struct buffer *b, const char *basis)
{
	if (strcmp(basis, basis_name(BASIS_OPERATOR)) == 0)
		buffer_text(b, ", by the operator's word");
	else
		buffer_print(b, ", proven by %s", basis);
}

static void add_plan_of(struct buffer *b, const struct whose_answer *a)
{
	const struct plan_whose *p = &a->whose;
	char start[CLOCK_TEXT], end[CLOCK_TEXT];

	clock_format(p->start_ms, start);
	clock_format(p->end_ms, end);
	buffer_print(b, "%.*s's %.*s", SPAN_FORMAT(p->party), SPAN_FORMAT(p->activity));
	if (p->proven_by != NULL)
		add_basis(b, p->proven_by);
	buffer_print(b, ", %s to %s", start, end);
}

static void add_plan(struct buffer *b, const struct whose_answer *a)
{
	const struct plan_whose *p = &a->whose;
	char hex[HASH_HEX + 1];

	hash_hex(p->match.plan, hex);
	if (p->contact.len > 0)
		buffer_print(b, "; contact %.*s", SPAN_FORMAT(p->contact));
	buffer_print(b, "; plan %.12s", hex);
	if (a->ledger.len > 0)
		buffer_print(b, ", in the ledger of %.*s", SPAN_FORMAT(a->ledger));
}

static void add_answer_line(struct buffer *b, const char *source, const struct whose_answer *a)
{
	const struct plan_whose *p = &a->whose;

	switch (p->match.verdict) {
	case PLAN_SEALED:
		buffer_print(b, "%s is held by %.*s", source, SPAN_FORMAT(p->party));
		add_basis(b, p->proven_by);
		buffer_text(b, "; it has a sealed filing: ask there");
		break;
	case PLAN_BREACH:
		buffer_print(b, "%s is ", source);
		add_plan_of(b, a);
		buffer_print(b, ", but breaks a term of it: %s", p->match.term);
		break;
	case PLAN_EXPIRED_PROOF:
		buffer_print(b, "%s fits ", source);
		add_plan_of(b, a);
		buffer_text(b, ", but nothing proves that the address was its own then");
		break;
	case PLAN_LATE:
		buffer_print(b, "%s fits ", source);
		add_plan_of(b, a);
		buffer_text(b, ", but that was filed too late: it explains nothing");
		break;
	default:
		buffer_print(b, "%s is ", source);
		add_plan_of(b, a);
		if (p->match.verdict == PLAN_SPOOFABLE)
			buffer_text(b, ", unless the source was forged");
		else if (p->match.verdict == PLAN_UNDECLARED)
			buffer_text(b, ", if what it touched is among the plan's targets");
		break;
	}
	add_plan(b, a);
}

static void print_people(struct whose *w, const char *source)
{
	char time[CLOCK_TEXT];
	struct buffer line = BUFFER(1 << 16);

	clock_format(w->asked->time_ms, time);
	if (w->count == 0)
		buffer_print(&line, "%s: no plan covers it at %s", source, time);
	else
		add_answer_line(&line, source, &w->answers[0]);
	cli_print(buffer_view(&line));
	putchar('\n');
	buffer_free(&line);
}

static void print_answer(struct json *j, const struct whose_answer *a)
{
	const struct plan_whose *p = &a->whose;

	json_object(j, NULL);
	json_text(j, "verdict", plan_verdict_name(p->match.verdict));
	json_text(j, "term", p->match.term);
	json_hash(j, "plan", p->match.plan);
	json_string(j, "party", p->party);
	json_text(j, "proven_by", p->proven_by);
	if (p->match.verdict != PLAN_SEALED) {
		json_string(j, "activity", p->activity);
		json_time(j, "start", p->start_ms);
		json_time(j, "end", p->end_ms);
		json_string(j, "contact", p->contact);
		json_string(j, "purpose", p->purpose);
	}
	if (a->ledger.len > 0)
		json_string(j, "ledger_of", a->ledger);
	json_object_end(j);
}

static void print_object(struct whose *w, const char *source)
{
	struct json *j = cli_object(w->c);

	json_text(j, "address", source);
	json_time(j, "time", w->asked->time_ms);
	json_text(j, "verdict", plan_verdict_name(w->count > 0 ? w->answers[0].whose.match.verdict : PLAN_UNDECLARED));
	json_array(j, "plans");
	for (size_t i = 0; i < w->count; i++)
		print_answer(j, &w->answers[i]);
	json_array_end(j);
	cli_object_end(w->c);
}

/* Prints the best answer for people, all as JSON. */
static enum err whose_of_observation(struct whose *w, const struct observation *o)
{
	struct observation asked = *o;
	char source[ADDRESS_TEXT];
	struct state st;
	enum err e;

	arena_reset(w->arena);
	w->answers = NULL;
	w->count = w->room = 0;
	w->asked = &asked;
	observation_look_up(w->c, &asked);
	if ((e = node_read(w->node, w->arena, &st)) != OK)
		return e;
	e = ask(w, &st, (struct span){ 0 });
	snapshot_end(st.snapshot);
	if (e == OK)
		e = mirrors_walk(w->c->dir, ask_mirror, w);
	if (e != OK)
		return e;
	address_format(o->source, source);
	if (w->c->json)
		print_object(w, source);
	else
		print_people(w, source);
	return OK;
}

/* ---- a capture ---- */

/* One source as it shows itself: with the best of what its packets show. */
struct source {
	struct observation o;
};

struct sources {
	struct arena *arena;
	const struct observation *asked; /* what the options say of all of them */
	bool has_time;
	struct source *at;
	size_t count, room;
};

static enum err add_packet(void *context, const struct probe *p)
{
	struct sources *s = context;
	struct source *more, one = { .o = *s->asked };

	one.o.source = p->source;
	one.o.has_target = true;
	one.o.target = p->target;
	one.o.transport = p->transport;
	one.o.target_port = p->target_port;
	one.o.seen |= p->handshake ? SEEN_HANDSHAKE : 0;
	if (!s->has_time)
		one.o.time_ms = p->time_ms;
	if (p->uri.len > 0 &&
	    (one.o.uri = span_make(arena_copy(s->arena, p->uri.at, p->uri.len), p->uri.len)).at == NULL)
		return ERR_NO_MEMORY;
	if (s->count == s->room) {
		size_t room = s->room == 0 ? 1024 : 2 * s->room;

		if ((more = arena_resize(s->arena, s->at, s->room * sizeof(*more), room * sizeof(*more))) == NULL)
			return fail(ERR_TOO_LONG, "more packets than fit into memory");
		s->at = more;
		s->room = room;
	}
	s->at[s->count++] = one;
	return OK;
}

static unsigned shows(const struct source *s)
{
	return (s->o.seen != 0 ? 2u : 0) + (s->o.uri.len > 0 ? 1u : 0);
}

/* By source; of each first what shows most, then the earliest. */
static int by_source(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	int order = address_compare(x->o.source, y->o.source);

	if (order == 0 && shows(x) != shows(y))
		order = shows(x) > shows(y) ? -1 : 1;
	return order != 0 ? order : (x->o.time_ms > y->o.time_ms) - (x->o.time_ms < y->o.time_ms);
}

static enum err whose_of_capture(struct cli *c, struct whose *w, const char *path, const struct observation *asked)
{
	struct sources s = { .arena = arena_new(CAPTURE_ARENA),
			     .asked = asked,
			     .has_time = cli_option(c, "at") != NULL };
	uint64_t packets = 0;
	enum err e = s.arena != NULL ? probes_read_file(path, add_packet, &s, &packets) : ERR_NO_MEMORY;

	if (e == OK && s.count > 0)
		qsort(s.at, s.count, sizeof(*s.at), by_source);
	for (size_t i = 0; e == OK && i < s.count; i++)
		if (i == 0 || !address_equal(s.at[i].o.source, s.at[i - 1].o.source))
			e = whose_of_observation(w, &s.at[i].o);
	if (e == OK && s.count == 0 && !c->json)
		printf("%ju packets, none of them of the Internet Protocol\n", (uintmax_t)packets);
	arena_free(s.arena);
	return e;
}

int cmd_plan_whose(struct cli *c)
{
	const char *capture = cli_option(c, "pcap");
	struct observation o = { 0 };
	struct whose *w = NULL;
	enum err e = observation_options(c, &o);

	if (e == OK && (capture != NULL) == (c->operand_count > 0))
		e = fail(ERR_USAGE, "an address, or --pcap FILE");
	if (e == OK && capture != NULL) {
		e = cli_time(c, "at", 0, &o.time_ms);
		if (e == OK)
			e = whose_begin(c, &w);
		if (e == OK)
			e = whose_of_capture(c, w, capture, &o);
		whose_end(w);
		return e == OK ? EXIT_OK : cli_fail(c, e);
	}
	if (e == OK)
		e = read_observation(c, "at", &o);
	if (e == OK)
		e = whose_begin(c, &w);
	if (e == OK)
		e = whose_of_observation(w, &o);
	whose_end(w);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
