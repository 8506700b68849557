/* Makes a node with a year of matters in it, by a script from a seed: reporters, parties that answer well, late or not at all,
 * disputes, relapses, matters that are passed on. The clock is simulated, so that each entry is logged in its own time.
 *
 *	make_year DIR COUNT SEED [pledges]
 *
 * With `pledges` parties promise something too, keep it or not, and take it back.
 *
 * What the rules refuse (an answer to what was withdrawn meanwhile) is left out, as a node would; how much is said at the end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "random.h"
#include "regime/node.h"

#define PARTIES 60
#define REPORTERS 5
#define COUNT_MAX 1000000
#define BEGIN_MS INT64_C(1735689600000) /* 2025-01-01T00:00:00Z */
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define YEAR_MS (365 * DAY_MS)
#define NOBODY UINT32_MAX
#define BATCH 500

enum what { FILE_IT, ANSWER, OF_AUTHOR, WITHDRAW, CONTROL, PLEDGE, TAKE_BACK };

struct action {
	int64_t ms;
	uint32_t order, matter;
	enum what what;
	enum outcome outcome;
	bool by_node; /* the node, for the party */
};

struct plan {
	uint32_t party;	   /* who answers; PARTIES and up: an AS, for which the node answers */
	uint32_t reporter; /* REPORTERS: the node */
	uint32_t before;   /* the matter that it follows on; NOBODY */
	const char *reason;
	enum rsit_class class;
	uint32_t events;
	int64_t last_ms, due_ms; /* 0: not said */
	bool two, demonstration, done;
	struct hash id;
};

static struct signer *parties[PARTIES], *reporters[REPORTERS];
static struct plan *plans;
static size_t plan_count, plan_room;
static struct action *actions;
static size_t action_count, action_room;
static uint64_t seed, refused, logged;
static bool with_pledges;

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "make_year: %s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

static uint64_t draw(uint64_t below)
{
	return random_next(&seed) % below;
}

static bool chance(unsigned percent)
{
	return draw(100) < percent;
}

static void *more(void *at, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return at;
	*room = *room == 0 ? 1024 : 2 * *room;
	at = reallocarray(at, *room, size);
	need(at != NULL ? OK : ERR_NO_MEMORY);
	return at;
}

/* ---- the script ---- */

static void then(int64_t ms, uint32_t matter, enum what what, enum outcome outcome, bool by_node)
{
	if (ms >= BEGIN_MS + YEAR_MS)
		return;
	actions = more(actions, action_count, &action_room, sizeof(*actions));
	actions[action_count] = (struct action){ ms, (uint32_t)action_count, matter, what, outcome, by_node };
	action_count++;
}

/* Some are quick, some slow; often within one day, at times exactly at the same instant as others. */
static int64_t a_while(uint32_t party, int64_t most_ms)
{
	int64_t ms = (int64_t)draw((uint64_t)most_ms >> draw(4));

	ms = (party % 3 == 0 ? 2 * ms : ms) + 1;
	return chance(20) ? ms - ms % HOUR_MS : ms;
}

static uint32_t add_plan(uint32_t before, const char *reason)
{
	static const enum rsit_class classes[] = { CLASS_INFECTED_SYSTEM, CLASS_C2_SERVER, CLASS_SCANNER,
						   CLASS_BRUTE_FORCE, CLASS_DDOS_AMPLIFIER };
	uint64_t skew = draw(PARTIES) * draw(PARTIES) / PARTIES;

	plans = more(plans, plan_count, &plan_room, sizeof(*plans));
	plans[plan_count] = (struct plan){
		.party = chance(10) ? PARTIES + (uint32_t)draw(4) : (uint32_t)skew,
		.reporter = (uint32_t)draw(REPORTERS + 1),
		.before = before,
		.reason = reason,
		.class = classes[draw(sizeof(classes) / sizeof(classes[0]))],
		.events = 1 + (uint32_t)draw(50),
		.two = chance(3),
		.demonstration = chance(2),
	};
	if (before != NOBODY) {
		plans[plan_count].reporter = plans[before].reporter;
		plans[plan_count].class = plans[before].class;
		plans[plan_count].demonstration = plans[before].demonstration;
	}
	return (uint32_t)plan_count++;
}

static void script(uint32_t i, int64_t ms, int depth);

static void follow(uint32_t i, int64_t ms, const char *reason, int depth)
{
	if (depth < 2)
		script(add_plan(i, reason), ms, depth + 1);
}

static void script_fix(uint32_t i, uint32_t party, int64_t ms, bool by_node)
{
	then(ms, i, ANSWER, OUTCOME_FIXED, by_node);
	for (int again = 0; again < 3 && chance(18); again++) {
		ms += a_while(party, 45 * DAY_MS);
		then(ms, i, OF_AUTHOR, OUTCOME_RE_OBSERVED, false);
		if (chance(60))
			then(ms += a_while(party, 10 * DAY_MS), i, ANSWER, OUTCOME_FIXED, by_node);
	}
}

static void script_answers(uint32_t i, int64_t ms, int depth)
{
	uint32_t party = plans[i].party;
	bool by_node = party >= PARTIES || chance(party % 10 == 4 ? 60 : 5);

	if (chance(90))
		then(ms + a_while(party, 2 * HOUR_MS), i, ANSWER, OUTCOME_RECEIVED, by_node);
	if (party % 7 == 6 || chance(20)) {
		if (chance(50))
			follow(i, ms + 16 * DAY_MS, "overdue", depth);
		return;
	}
	ms += a_while(party, 12 * DAY_MS);
	if (chance(8)) {
		then(ms, i, ANSWER, OUTCOME_NOT_OURS, by_node);
		follow(i, ms + HOUR_MS, "not-ours", depth);
		return;
	}
	then(ms, i, ANSWER, OUTCOME_ACKNOWLEDGED, by_node);
	if (chance(12))
		then(ms + a_while(party, DAY_MS), i, ANSWER, OUTCOME_WORKING, by_node);
	if (chance(4))
		then(ms + a_while(party, DAY_MS), i, ANSWER, OUTCOME_CANNOT, by_node);
	if (chance(8)) {
		then(ms += a_while(party, 3 * DAY_MS), i, ANSWER, OUTCOME_DISPUTED, by_node);
		if (chance(60))
			then(ms + a_while(party, 20 * DAY_MS), i, OF_AUTHOR, OUTCOME_CLOSED, false);
	}
	if (chance(70))
		script_fix(i, party, ms + a_while(party, 40 * DAY_MS), by_node);
}

static void script(uint32_t i, int64_t ms, int depth)
{
	if (chance(80))
		plans[i].last_ms = ms - (int64_t)draw((uint64_t)(chance(15) ? 9 * DAY_MS : DAY_MS));
	if (chance(15))
		plans[i].due_ms = ms + 21 * DAY_MS + (int64_t)draw((uint64_t)DAY_MS);
	then(ms, i, FILE_IT, OUTCOME_COUNT, false);
	if (chance(92))
		script_answers(i, ms, depth);
	if (chance(3))
		then(ms + a_while(plans[i].party, 20 * DAY_MS), i, WITHDRAW, OUTCOME_COUNT, false);
	if (chance(3))
		then(ms + a_while(plans[i].party, 60 * DAY_MS), i, OF_AUTHOR, OUTCOME_CLOSED, false);
}

static int in_time(const void *a, const void *b)
{
	const struct action *x = a, *y = b;

	return x->ms != y->ms ? (x->ms > y->ms) - (x->ms < y->ms) : (x->order > y->order) - (x->order < y->order);
}

/* ---- statements ---- */

static void add(struct node *n, struct statement_writer *w, const struct signer *key, struct hash *id)
{
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct appended out;
	enum err e;

	need(statement_end(w, key, &note, id));
	e = node_add_statement(n, buffer_view(&note), &out);
	if (e != OK && err_is_machine(e))
		need(e);
	if (e != OK && getenv("MAKE_YEAR_SAYS") != NULL)
		fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	refused += e != OK;
	logged += e == OK;
	if (e != OK)
		memset(id, 0, sizeof(*id));
	buffer_free(&note);
	statement_writer_free(w);
}

static void add_party(struct node *n, const char *name, const char *role, struct signer **out)
{
	struct hash seeded = hash_bytes(name, strlen(name)), id;
	struct statement_writer w = { 0 };
	struct buffer key = BUFFER(64);
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { KEY_ED25519 };

	need(signer_from_seed(span_of(name), seeded.bytes, out));
	memcpy(bytes + 1, signer_verifier(*out)->public_key, KEY_PUBLIC_SIZE);
	base64_append(&key, bytes, sizeof(bytes));
	statement_begin(&w, KIND_PARTY, node_origin(n, LEDGER_PUBLIC), signer_verifier(*out));
	statement_add(&w, "public-key", buffer_view(&key));
	statement_add(&w, "role", span_of(role));
	add(n, &w, *out, &id);
	buffer_free(&key);
}

static const struct signer *reporter_of(struct node *n, const struct plan *p)
{
	return p->reporter < REPORTERS ? reporters[p->reporter] : node_signer(n);
}

static struct addressee addressee_of(uint32_t party)
{
	if (party >= PARTIES)
		return (struct addressee){ .type = TO_AS, .asn = 64500 + party - PARTIES };
	return (struct addressee){ .type = TO_PARTY, .domain = span_of(signer_verifier(parties[party])->name) };
}

static void file_notice(struct node *n, struct plan *p, int64_t ms)
{
	struct body_reference body = { .media_type = SPAN("application/vnd.comity.evidence+zstd"),
				       .size = 1000,
				       .sealed = true,
				       .hash = hash_bytes(&ms, sizeof(ms)) };
	struct addressee to = addressee_of(p->party), other = addressee_of((p->party + 1) % PARTIES);
	struct statement_writer w = { 0 };
	const struct signer *from = reporter_of(n, p);

	statement_begin(&w, KIND_NOTICE, node_origin(n, LEDGER_CIRCLE), signer_verifier(from));
	statement_add_to(&w, &to);
	if (p->two)
		statement_add_to(&w, p->events % 3 == 0 ? &to : &other); /* one may be named twice */
	statement_add_time(&w, "date", ms);
	if (p->before != NOBODY) {
		statement_add_hash(&w, "re", plans[p->before].id);
		statement_add(&w, "reason", span_of(p->reason));
	}
	statement_add(&w, "class", span_of(class_name(p->class)));
	statement_add_print(&w, "events", "%" PRIu32, p->events);
	if (with_pledges && p->events % 4 == 0)
		statement_add_print(&w, "explained", "%" PRIu32, p->events / (1 + p->events % 3));
	if (p->last_ms != 0) {
		statement_add_time(&w, "first", p->last_ms - DAY_MS);
		statement_add_time(&w, "last", p->last_ms);
	}
	if (p->due_ms != 0)
		statement_add_time(&w, "due", p->due_ms);
	if (p->demonstration)
		statement_add(&w, "demonstration", SPAN("yes"));
	statement_add_body(&w, &body);
	add(n, &w, from, &p->id);
	p->done = !hash_equal(p->id, (struct hash){ { 0 } });
}

static void answer(struct node *n, const struct plan *p, const struct action *a)
{
	const struct signer *from = a->what == OF_AUTHOR ? reporter_of(n, p)
				    : a->by_node	 ? node_signer(n)
							 : parties[p->party];
	struct addressee whom = addressee_of(p->party);
	struct statement_writer w = { 0 };
	struct buffer name = BUFFER(256);
	struct hash id;

	statement_begin(&w, KIND_ANSWER, node_origin(n, LEDGER_CIRCLE), signer_verifier(from));
	statement_add_time(&w, "date", a->ms);
	statement_add_hash(&w, "re", p->id);
	statement_add(&w, "outcome", span_of(outcome_name(a->outcome)));
	if (a->what == ANSWER && a->by_node) {
		addressee_print(&whom, &name);
		statement_add(&w, "for", buffer_view(&name));
		statement_add(&w, "via", SPAN("mail"));
	}
	add(n, &w, from, &id);
	buffer_free(&name);
}

static void withdraw(struct node *n, const struct plan *p, int64_t ms)
{
	const struct signer *from = reporter_of(n, p);
	struct statement_writer w = { 0 };
	struct hash id;

	statement_begin(&w, KIND_WITHDRAW, node_origin(n, LEDGER_CIRCLE), signer_verifier(from));
	statement_add_time(&w, "date", ms);
	statement_add_hash(&w, "re", p->id);
	add(n, &w, from, &id);
}

/* Of one class and month by one reporter; some are too small for a difference, one is counted anew. */
static void control(struct node *n, uint32_t which, int64_t ms)
{
	static const enum rsit_class classes[] = { CLASS_INFECTED_SYSTEM, CLASS_SCANNER, CLASS_DDOS_AMPLIFIER };
	const struct signer *from = which % 3 == 0 ? node_signer(n) : reporters[which % REPORTERS];
	int64_t last = ms - 31 * DAY_MS, first = last - (which % 5 == 4 ? 40 : 30) * DAY_MS;
	enum rsit_class class = classes[which % 4 == 3 ? 2 : which % 2];
	uint64_t told = which % 4 == 3 ? 3 : 400 + draw(200), untold = 200 + draw(100);
	struct statement_writer w = { 0 };
	struct hash id;

	statement_begin(&w, KIND_CONTROL, node_origin(n, LEDGER_CIRCLE), signer_verifier(from));
	statement_add_time(&w, "date", ms);
	statement_add(&w, "class", span_of(class_name(class)));
	statement_add_time(&w, "first", first);
	statement_add_time(&w, "last", last);
	statement_add_print(&w, "notified", "%" PRIu64, told);
	statement_add_print(&w, "notified-gone", "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, told / 5, told / 3,
			    told / 2, told * 3 / 4);
	statement_add_print(&w, "control", "%" PRIu64, untold);
	statement_add_print(&w, "control-gone", "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, untold / 9, untold / 5,
			    untold / 3, untold * 6 / 10);
	add(n, &w, from, &id);
}

/* ---- promises ---- */

/* What each fourth party promises, and what reporters do. Some begin later, end, are taken back or asked for no figure. */
static const struct promise {
	const char *norm, *terms[4];
	int whose; /* party number modulo 4; 4: reporters */
	unsigned start_day, end_day, taken_back_day;
	bool demonstration;
} promises[] = {
	{ "un 2015 c",
	  { "swift acknowledged at-least 80% within 2d each 30d", "mend fixed at-least 30% within 21d each 60d",
	    "half acknowledge-p50 at-most 12h each 30d least 5", "again re-offence at-most 20% each 90d" },
	  0,
	  0,
	  0,
	  0,
	  false },
	{ "un 2015 c", { "most acknowledge-p90 at-most 9d each 31d" }, 1, 60, 300, 0, false },
	{ "un 2015 f", { NULL }, 1, 0, 0, 0, false },
	{ "osce 2016 3", { "ahead plan-explained at-least 12.5% each 45d" }, 2, 0, 0, 0, false },
	{ "un 2021 c", { "swift acknowledged at-least 60% within 36h each 7d least 3" }, 2, 10, 0, 200, false },
	{ "un 2015 h", { "mend fixed at-least 90.25% within 7d each 30d" }, 0, 0, 0, 0, true },
	{ "un 2015 b", { "right false-notices at-most 5% each 60d" }, 4, 0, 0, 0, false },
	{ "un 2015 a", { "worth uplift at-least 10% each 91d" }, 4, 0, 0, 0, false },
};
#define PROMISES (sizeof(promises) / sizeof(promises[0]))
static struct hash pledged[PROMISES][PARTIES];

static const struct signer *promiser(uint32_t number, size_t i)
{
	if (promises[number].whose == 4)
		return i < REPORTERS ? reporters[i] : NULL;
	return i % 4 == (size_t)promises[number].whose ? parties[i] : NULL;
}

static void pledge(struct node *n, uint32_t number, const struct signer *from, struct hash *id)
{
	const struct promise *p = &promises[number];
	struct statement_writer w = { 0 };

	statement_begin(&w, KIND_PLEDGE, node_origin(n, LEDGER_PUBLIC), signer_verifier(from));
	statement_add(&w, "norm", span_of(p->norm));
	if (p->start_day > 0)
		statement_add_time(&w, "start", BEGIN_MS + p->start_day * DAY_MS);
	if (p->end_day > 0)
		statement_add_time(&w, "end", BEGIN_MS + p->end_day * DAY_MS);
	for (size_t i = 0; i < 4 && p->terms[i] != NULL; i++)
		statement_add(&w, "term", span_of(p->terms[i]));
	if (number % 2 == 0)
		statement_add(&w, "unilateral", SPAN("yes"));
	if (p->demonstration)
		statement_add(&w, "demonstration", SPAN("yes"));
	statement_add(&w, "text", SPAN("Promised by who \"made\" this year up."));
	add(n, &w, from, id);
}

static void promise(struct node *n, const struct action *a)
{
	for (size_t i = 0; i < PARTIES; i++) {
		const struct signer *from = promiser(a->matter, i);
		struct statement_writer w = { 0 };
		struct hash id;

		if (from == NULL)
			continue;
		if (a->what == PLEDGE) {
			pledge(n, a->matter, from, &pledged[a->matter][i]);
			continue;
		}
		statement_begin(&w, KIND_WITHDRAW, node_origin(n, LEDGER_PUBLIC), signer_verifier(from));
		statement_add_hash(&w, "re", pledged[a->matter][i]);
		add(n, &w, from, &id);
	}
}

static void script_promises(void)
{
	for (uint32_t i = 0; i < PROMISES; i++) {
		then(BEGIN_MS + (1 + i) * HOUR_MS / 7, i, PLEDGE, OUTCOME_COUNT, false);
		if (promises[i].taken_back_day > 0)
			then(BEGIN_MS + promises[i].taken_back_day * DAY_MS + 123, i, TAKE_BACK, OUTCOME_COUNT, false);
	}
}

/* ---- the year ---- */

static void act(struct node *n, const struct action *a)
{
	struct plan *p = a->what >= CONTROL ? NULL : &plans[a->matter];

	clock_simulate(a->ms);
	if (p != NULL && a->what != FILE_IT && !p->done)
		return; /* it was refused itself */
	switch (a->what) {
	case FILE_IT:
		if (p->before == NOBODY || plans[p->before].done)
			file_notice(n, p, a->ms);
		break;
	case ANSWER:
	case OF_AUTHOR:
		answer(n, p, a);
		break;
	case WITHDRAW:
		withdraw(n, p, a->ms);
		break;
	case CONTROL:
		control(n, a->matter, a->ms);
		break;
	case PLEDGE:
	case TAKE_BACK:
		promise(n, a);
		break;
	}
}

static void make_parties(struct node *n)
{
	char name[32];

	need(node_begin(n));
	for (size_t i = 0; i < PARTIES; i++) {
		snprintf(name, sizeof(name), "party-%zu.example", i);
		add_party(n, name, "operator", &parties[i]);
	}
	for (size_t i = 0; i < REPORTERS; i++) {
		snprintf(name, sizeof(name), "reporter-%zu.example", i);
		add_party(n, name, "researcher", &reporters[i]);
	}
	need(node_commit(n));
}

int main(int argc, char **argv)
{
	struct node *n = NULL;
	uint64_t count = 0;

	with_pledges = argc == 5 && strcmp(argv[4], "pledges") == 0;
	if ((argc != 4 && !with_pledges) || span_u64(span_of(argv[2]), COUNT_MAX, &count) != OK ||
	    span_u64(span_of(argv[3]), UINT64_MAX, &seed) != OK) {
		fputs("usage: make_year DIR COUNT SEED [pledges]\n", stderr);
		return 2;
	}
	clock_simulate(BEGIN_MS);
	need(node_init(argv[1], SPAN("cert.example"), SPAN("A team of a made-up year")));
	need(node_open(argv[1], NODE_WRITE, &n));
	make_parties(n);
	for (uint64_t i = 0; i < count; i++)
		script(add_plan(NOBODY, NULL), BEGIN_MS + HOUR_MS + (int64_t)draw((uint64_t)(YEAR_MS - 2 * HOUR_MS)),
		       0);
	for (uint32_t i = 0; i < 36; i++)
		then(BEGIN_MS + (62 + 8 * i) * DAY_MS, i, CONTROL, OUTCOME_COUNT, false);
	if (with_pledges)
		script_promises();
	qsort(actions, action_count, sizeof(*actions), in_time);
	for (size_t i = 0; i < action_count; i++) {
		if (i % BATCH == 0)
			need(node_begin(n));
		act(n, &actions[i]);
		if (i % BATCH == BATCH - 1 || i + 1 == action_count)
			need(node_commit(n));
	}
	clock_simulate(BEGIN_MS + YEAR_MS);
	need(node_tick(n, true));
	need(node_publish(n));
	node_close(n);
	printf("%" PRIu64 " logged, %" PRIu64 " refused\n", logged, refused);
	for (size_t i = 0; i < PARTIES; i++)
		signer_free(parties[i]);
	for (size_t i = 0; i < REPORTERS; i++)
		signer_free(reporters[i]);
	free(plans);
	free(actions);
	return EXIT_SUCCESS;
}
