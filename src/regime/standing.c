#include "regime/standing.h"

#include <stdlib.h>

#include "regime/state_private.h"

/*
 * As of the end of the period
 *
 * A matter keeps the first time that each thing happened, and none is taken back. So what was known at an earlier instant is
 * what happened before it, and the standing of a past period stays what it was, however the ledger grows. Two things cannot be
 * told in this way and are not asked for: the last answer, and how often something happened.
 *
 * A rate is only of those of which the answer is known whichever it is: a notice of this morning that is acknowledged already
 * does not count before one that is not would count too. Kaplan and Meier need no such rule.
 */

struct gone { /* added up of the controls of one class */
	uint64_t controls, notified, control;
	uint64_t notified_gone[CONTROL_DAYS], control_gone[CONTROL_DAYS];
	int64_t last_ms;
};

struct filed { /* what a reporter filed */
	uint64_t filed, filed_withdrawn, filed_not_ours, filed_disputed, false_notices, false_unknown;
	uint64_t late, late_of, late_unknown;
};

struct told { /* what came of notices to somebody */
	uint64_t notices, events, withdrawn;
	uint64_t arrived, arrived_of, arrived_so_far;
	uint64_t acknowledged, acknowledged_by_itself, overdue, due;
	uint64_t fixed, fixed_by_node, reopened, re_offence, re_offence_of;
	uint64_t disputed, disputed_standing, disputed_open;
	uint64_t not_ours, cannot;
	struct times to_answer, to_fix, to_fix_undisputed;
};

struct standing_sum {
	struct standing_ask ask;
	struct told to;
	struct filed by;
	struct gone gone[CLASS_COUNT];
};

/* ---- one matter ---- */

static bool happened(const struct standing_sum *sum, int64_t ms)
{
	return ms != 0 && ms < sum->ask.until_ms;
}

static bool counts(const struct standing_sum *sum, const struct matter *m)
{
	return m->kind == KIND_NOTICE && m->demonstration == sum->ask.demonstration &&
	       m->logged_ms >= sum->ask.from_ms && m->logged_ms < sum->ask.until_ms;
}

/* What became of a dispute. */
enum dispute { UNDISPUTED, DISPUTE_OPEN, DISPUTE_SETTLED, DISPUTE_STANDS };

static enum dispute dispute_of(const struct standing_sum *sum, const struct matter *m)
{
	int64_t end_ms = m->disputed_ms + STANDING_DISPUTE_MS;

	if (!happened(sum, m->disputed_ms))
		return UNDISPUTED;
	if (happened(sum, m->settled_ms) && m->settled_ms < end_ms)
		return DISPUTE_SETTLED;
	return end_ms < sum->ask.until_ms ? DISPUTE_STANDS : DISPUTE_OPEN;
}

static void count_answers(const struct standing_sum *sum, const struct matter *m, struct told *to)
{
	bool acknowledged = happened(sum, m->acknowledged_ms);

	to->arrived_so_far += happened(sum, m->arrived_ms);
	if (m->logged_ms + STANDING_DAY_MS < sum->ask.until_ms) {
		to->arrived_of++;
		to->arrived += happened(sum, m->arrived_ms);
	}
	if (!happened(sum, m->first_due_ms))
		return;
	/* Its author took the question back before the answer was due. */
	if (!acknowledged && happened(sum, m->closed_ms) && m->closed_ms <= m->first_due_ms)
		return;
	to->due++;
	to->acknowledged += acknowledged;
	to->acknowledged_by_itself += acknowledged && !m->acknowledged_mediated;
	to->overdue += !acknowledged || m->acknowledged_ms > m->first_due_ms;
}

static void count_fix(const struct standing_sum *sum, const struct matter *m, struct told *to)
{
	bool again = happened(sum, m->re_observed_ms);

	if (!happened(sum, m->fixed_ms))
		return;
	to->fixed++;
	to->fixed_by_node += m->fixed_mediated;
	to->reopened += again;
	if (m->fixed_ms + STANDING_RELAPSE_MS >= sum->ask.until_ms)
		return;
	to->re_offence_of++;
	to->re_offence += again && m->re_observed_ms <= m->fixed_ms + STANDING_RELAPSE_MS;
}

static void count_other(const struct standing_sum *sum, const struct matter *m, enum dispute d, struct told *to)
{
	to->disputed += d != UNDISPUTED;
	to->disputed_standing += d == DISPUTE_STANDS;
	to->disputed_open += d == DISPUTE_OPEN;
	to->not_ours += happened(sum, m->not_ours_ms);
	to->cannot += happened(sum, m->cannot_ms);
}

static void earlier(const struct standing_sum *sum, int64_t ms, int64_t *end_ms)
{
	if (happened(sum, ms) && ms < *end_ms)
		*end_ms = ms;
}

/* Open ones are watched until somebody took them out of the party's hands, or to the end of the period. */
static enum err add_times(const struct standing_sum *sum, const struct matter *m, enum dispute d, struct told *to)
{
	int64_t closed_ms = sum->ask.until_ms, over_ms;
	bool acknowledged = happened(sum, m->acknowledged_ms), fixed = happened(sum, m->fixed_ms);
	enum err e;

	earlier(sum, m->closed_ms, &closed_ms);
	over_ms = closed_ms;
	earlier(sum, m->not_ours_ms, &over_ms);
	e = times_add(&to->to_answer, (acknowledged ? m->acknowledged_ms : closed_ms) - m->logged_ms, acknowledged);
	if (e == OK)
		e = times_add(&to->to_fix, (fixed ? m->fixed_ms : over_ms) - m->logged_ms, fixed);
	if (e == OK && d == UNDISPUTED)
		e = times_add(&to->to_fix_undisputed, (fixed ? m->fixed_ms : over_ms) - m->logged_ms, fixed);
	return e;
}

static enum err count_to(const struct standing_sum *sum, const struct matter *m, struct told *to)
{
	enum dispute d;

	if (!counts(sum, m))
		return OK;
	to->notices++;
	if (happened(sum, m->withdrawn_ms)) {
		to->withdrawn++;
		return OK;
	}
	d = dispute_of(sum, m);
	to->events += m->events;
	count_answers(sum, m, to);
	count_fix(sum, m, to);
	count_other(sum, m, d, to);
	return add_times(sum, m, d, to);
}

enum err standing_sum_to(struct standing_sum *sum, const struct matter *m)
{
	return count_to(sum, m, &sum->to);
}

/* What a party files to itself says nothing: it could make itself any figures. */
static bool is_by(const struct matter *m, const struct addressee *party)
{
	return party->type == TO_PARTY && span_equal(m->from, party->domain);
}

static bool is_to_itself(const struct matter *m)
{
	struct addressee to;
	bool itself = m->to_count > 0;

	for (unsigned i = 0; itself && i < m->to_count && matter_addressee(m, i, &to); i++)
		itself = is_by(m, &to);
	return itself;
}

/* Follow-ups repeat older evidence, so they are not late. */
static void count_filed(const struct standing_sum *sum, const struct matter *m, struct filed *by)
{
	bool withdrawn = happened(sum, m->withdrawn_ms), not_ours = happened(sum, m->not_ours_ms);
	enum dispute d;

	if (!counts(sum, m) || is_to_itself(m))
		return;
	d = dispute_of(sum, m);
	by->filed++;
	by->filed_withdrawn += withdrawn;
	by->filed_not_ours += not_ours;
	by->filed_disputed += d == DISPUTE_STANDS;
	if (withdrawn || not_ours || d == DISPUTE_STANDS)
		by->false_notices++;
	else
		by->false_unknown += d == DISPUTE_OPEN;
	if (m->reason != FOLLOW_NONE)
		return;
	if (m->last_ms == 0) {
		by->late_unknown++;
		return;
	}
	by->late_of++;
	by->late += m->logged_ms - m->last_ms > STANDING_SLOW_MS;
}

void standing_sum_from(struct standing_sum *sum, const struct matter *m)
{
	count_filed(sum, m, &sum->by);
}

/* Periods of one class that overlap would count a source twice: the one that begins within another is left out. Controls come
 * in the order of `last`. */
void standing_sum_control(struct standing_sum *sum, const struct control *c)
{
	struct gone *g = &sum->gone[c->class];

	if (c->demonstration != sum->ask.demonstration || !happened(sum, c->logged_ms) ||
	    c->first_ms < sum->ask.from_ms || c->last_ms > sum->ask.until_ms ||
	    (g->controls > 0 && c->first_ms < g->last_ms))
		return;
	g->controls++;
	g->last_ms = c->last_ms;
	g->notified += c->notified;
	g->control += c->control;
	for (int i = 0; i < CONTROL_DAYS; i++) {
		g->notified_gone[i] += c->notified_gone[i];
		g->control_gone[i] += c->control_gone[i];
	}
}

/* ---- the figures ---- */

static void end_uplift(const struct standing_sum *sum, struct standing *s)
{
	for (int i = 0; i < CLASS_COUNT; i++) {
		const struct gone *g = &sum->gone[i];
		struct uplift *u = &s->uplift[s->uplift_count];

		if (g->controls == 0)
			continue;
		u->class = (enum rsit_class)i;
		u->controls = g->controls;
		for (int d = 0; d < STANDING_DAYS; d++) {
			u->notified[d] = proportion_of(g->notified_gone[d], g->notified, 0);
			u->control[d] = proportion_of(g->control_gone[d], g->control, 0);
			u->more[d] = proportion_difference(&u->notified[d], &u->control[d]);
		}
		s->uplift_count++;
	}
}

static void end_answerer(struct told *to, struct standing *s)
{
	uint64_t all = to->notices - to->withdrawn, settled = to->disputed - to->disputed_open;

	s->notices = to->notices;
	s->events = to->events;
	s->withdrawn = to->withdrawn;
	s->arrived_so_far = to->arrived_so_far;
	s->arrived = proportion_of(to->arrived, to->arrived_of, all - to->arrived_of);
	s->acknowledged = proportion_of(to->acknowledged, to->due, all - to->due);
	s->acknowledged_by_itself = proportion_of(to->acknowledged_by_itself, to->due, all - to->due);
	s->overdue = proportion_of(to->overdue, to->due, all - to->due);
	s->acknowledge = times_quantiles(&to->to_answer);
	s->fixed = times_survival(&to->to_fix);
	s->fixed_undisputed = times_survival(&to->to_fix_undisputed);
	s->fixed_by_node = to->fixed_by_node;
	s->disputed = proportion_of(to->disputed, all, 0);
	s->disputed_standing = proportion_of(to->disputed_standing, settled, to->disputed_open);
	s->reopened = proportion_of(to->reopened, to->fixed, 0);
	s->re_offence_30d = proportion_of(to->re_offence, to->re_offence_of, to->fixed - to->re_offence_of);
	s->not_ours = proportion_of(to->not_ours, all, 0);
	s->cannot = proportion_of(to->cannot, all, 0);
}

static void end_reporter(const struct standing_sum *sum, struct standing *s)
{
	s->filed = sum->by.filed;
	s->filed_withdrawn = sum->by.filed_withdrawn;
	s->filed_not_ours = sum->by.filed_not_ours;
	s->filed_disputed = sum->by.filed_disputed;
	s->false_notices =
		proportion_of(sum->by.false_notices, sum->by.filed - sum->by.false_unknown, sum->by.false_unknown);
	s->late = proportion_of(sum->by.late, sum->by.late_of, sum->by.late_unknown);
}

enum err standing_sum_new(const struct standing_ask *ask, struct standing_sum **out)
{
	struct standing_sum *sum = calloc(1, sizeof(*sum));

	if (sum == NULL)
		return ERR_NO_MEMORY;
	sum->ask = *ask;
	*out = sum;
	return OK;
}

static void times_again(struct told *to, void (*each)(struct times *))
{
	each(&to->to_answer);
	each(&to->to_fix);
	each(&to->to_fix_undisputed);
}

static void begin_anew(struct standing_sum *sum)
{
	struct standing_sum empty = { .ask = sum->ask,
				      .to = { .to_answer = sum->to.to_answer,
					      .to_fix = sum->to.to_fix,
					      .to_fix_undisputed = sum->to.to_fix_undisputed } };

	times_again(&empty.to, times_clear);
	*sum = empty;
}

void standing_sum_end(struct standing_sum *sum, struct standing *out)
{
	memset(out, 0, offsetof(struct standing, uplift)); /* rows of uplift are written whole */
	out->uplift_count = 0;
	out->from_ms = sum->ask.from_ms;
	out->until_ms = sum->ask.until_ms;
	out->demonstration = sum->ask.demonstration;
	end_answerer(&sum->to, out);
	end_reporter(sum, out);
	end_uplift(sum, out);
	begin_anew(sum);
}

void standing_sum_free(struct standing_sum *sum)
{
	if (sum == NULL)
		return;
	times_again(&sum->to, times_free);
	free(sum);
}

/* ---- from the state ---- */

enum err standing_period(const struct state *st, struct standing_ask *ask)
{
	int64_t last_ms = 0;
	enum err e = state_last(st, &last_ms);

	if (e != OK)
		return e;
	if (ask->until_ms == 0 || ask->until_ms > last_ms + 1)
		ask->until_ms = last_ms + 1;
	if (ask->from_ms > ask->until_ms)
		return fail(ERR_USAGE,
			    "nothing is known of that period: it begins behind its end or behind the last entry");
	return OK;
}

struct taking {
	struct standing_sum *sum;
	const struct addressee *party;
};

static enum err take_to(void *context, const struct matter *m)
{
	const struct taking *t = context;

	return is_by(m, t->party) ? OK : standing_sum_to(t->sum, m);
}

static enum err take_from(void *context, const struct matter *m)
{
	standing_sum_from(context, m);
	return OK;
}

static enum err take_control(void *context, const struct control *c)
{
	standing_sum_control(context, c);
	return OK;
}

static enum err sum_answerer(const struct state *st, struct view_cursor *c, struct standing_sum *sum,
			     const struct addressee *party)
{
	struct taking t = { sum, party };
	enum err e = matters_gather_to(st, c, party, take_to, &t);

	if (e == OK && party->type == TO_PARTY)
		e = state_controls(st, party->domain, take_control, sum);
	return e;
}

static void sum_end(const struct state *st, struct standing_sum *sum, const struct addressee *party,
		    struct standing *out)
{
	standing_sum_end(sum, out);
	out->ledger_node = st->node;
	out->party = *party;
}

enum err standing_of(const struct state *st, const struct addressee *party, const struct standing_ask *ask,
		     struct standing *out)
{
	struct standing_ask period = *ask;
	struct standing_sum *sum = NULL;
	struct view_cursor *c = NULL;
	enum err e = standing_period(st, &period);

	if (e == OK)
		e = standing_sum_new(&period, &sum);
	if (e == OK)
		e = view_cursor_open(st->snapshot, VIEW_STATE, &c);
	if (e == OK)
		e = sum_answerer(st, c, sum, party);
	if (e == OK && party->type == TO_PARTY)
		e = matters_gather_from(st, c, party->domain, take_from, sum);
	if (e == OK)
		sum_end(st, sum, party, out);
	view_cursor_close(c);
	standing_sum_free(sum);
	return e;
}

/* ---- of everybody ---- */

#define NAMES_MAX ((size_t)1 << 31)

struct name {
	size_t text;	  /* place of its name, with a 0 behind it */
	uint64_t counted; /* entry of the last matter to it, and 1 */
	struct filed by;
	struct told to;
};

/* Each name once, and what is added up for it: an open hash of numbers of names. One pass over the matters in their own order is
 * several times faster than to look for each party's, which lie anywhere. It costs memory: 50 bytes for a matter, 500 for a name. */
struct names {
	struct standing_sum *sum;
	struct buffer text;
	struct name *names;
	uint32_t *slots;		/* number and 1; 0: free */
	size_t count, names_room, room; /* room: a power of two */
	struct buffer name;		/* the one in hand */
};

static struct span name_at(const struct names *n, uint32_t number)
{
	return span_of(n->text.at + n->names[number].text);
}

static size_t slot_of(const struct names *n, struct span name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.at[i]) * UINT64_C(0x100000001b3);
	for (size_t at = h & (n->room - 1);; at = (at + 1) & (n->room - 1))
		if (n->slots[at] == 0 || span_equal(name_at(n, n->slots[at] - 1), name))
			return at;
}

static enum err grow(struct names *n)
{
	struct names larger = *n;

	larger.room = n->room == 0 ? 1024 : 2 * n->room;
	if ((larger.slots = calloc(larger.room, sizeof(*larger.slots))) == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < n->count; i++)
		larger.slots[slot_of(&larger, name_at(n, i))] = i + 1;
	free(n->slots);
	*n = larger;
	return OK;
}

static enum err new_name(struct names *n, size_t slot, struct span name)
{
	if (n->count == n->names_room) {
		size_t room = n->names_room == 0 ? 512 : 2 * n->names_room;
		struct name *names = reallocarray(n->names, room, sizeof(*names));

		if (names == NULL)
			return ERR_NO_MEMORY;
		n->names = names;
		n->names_room = room;
	}
	n->names[n->count] = (struct name){ .text = n->text.len };
	n->slots[slot] = (uint32_t)++n->count;
	buffer_span(&n->text, name);
	buffer_byte(&n->text, 0);
	return n->text.err;
}

/* *out ends with the next call. */
static enum err find_name(struct names *n, const struct addressee *a, struct name **out)
{
	struct span name = a->domain;
	size_t at;
	enum err e = 2 * (n->count + 1) > n->room ? grow(n) : OK;

	if (e != OK)
		return e;
	if (a->type != TO_PARTY) {
		buffer_clear(&n->name);
		addressee_print(a, &n->name);
		name = buffer_view(&n->name);
	}
	at = slot_of(n, name);
	e = n->name.err;
	if (e == OK && n->slots[at] == 0)
		e = new_name(n, at, name);
	if (e == OK)
		*out = &n->names[n->slots[at] - 1];
	return e;
}

static enum err name_matter(void *context, const struct matter *m)
{
	struct names *n = context;
	struct addressee from = { .type = TO_PARTY, .domain = m->from }, to;
	struct name *name;
	enum err e;

	if (!counts(n->sum, m))
		return OK;
	if ((e = find_name(n, &from, &name)) == OK)
		count_filed(n->sum, m, &name->by);
	for (unsigned i = 0; e == OK && i < m->to_count && matter_addressee(m, i, &to); i++) {
		if ((e = find_name(n, &to, &name)) != OK || is_by(m, &to) || name->counted == m->index + 1)
			continue; /* who is named twice was told once */
		name->counted = m->index + 1;
		e = count_to(n->sum, m, &name->to);
	}
	return e;
}

static enum err name_control(void *context, const struct control *c)
{
	struct names *n = context;
	struct addressee from = { .type = TO_PARTY, .domain = c->from };
	struct name *name;

	return find_name(n, &from, &name);
}

static int by_name(const void *a, const void *b, void *context)
{
	const struct names *n = context;

	return span_compare(name_at(n, *(const uint32_t *)a), name_at(n, *(const uint32_t *)b));
}

/* The hash is not asked any more: its slots become the order. */
static void sort_names(struct names *n)
{
	for (uint32_t i = 0; i < n->count; i++)
		n->slots[i] = i;
	if (n->count > 1)
		qsort_r(n->slots, n->count, sizeof(*n->slots), by_name, n);
}

static enum err end_name(const struct state *st, struct names *n, struct name *name, struct span text,
			 standing_each *each, void *context)
{
	struct standing_sum *sum = n->sum;
	struct addressee party;
	struct standing s;
	enum err e = addressee_parse(text, &party);

	times_again(&sum->to, times_free);
	sum->to = name->to; /* with its times, which are the sum's from now on */
	sum->by = name->by;
	name->to = (struct told){ 0 };
	if (e == OK && party.type == TO_PARTY)
		e = state_controls(st, party.domain, take_control, sum);
	if (e != OK)
		return e;
	sum_end(st, sum, &party, &s);
	return each(context, &s);
}

static enum err each_name(const struct state *st, struct names *n, struct span after, standing_each *each,
			  void *context)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < n->count; i++) {
		struct span text = name_at(n, n->slots[i]);

		if (span_compare(text, after) > 0)
			e = end_name(st, n, &n->names[n->slots[i]], text, each, context);
	}
	return e;
}

static void names_free(struct names *n)
{
	buffer_free(&n->text);
	buffer_free(&n->name);
	for (size_t i = 0; i < n->count; i++)
		times_again(&n->names[i].to, times_free);
	free(n->slots);
	free(n->names);
	standing_sum_free(n->sum);
}

enum err standing_all(const struct state *st, const struct standing_ask *ask, struct span after, standing_each *each,
		      void *context)
{
	struct standing_ask period = *ask;
	struct names n = { .text = BUFFER(NAMES_MAX), .name = BUFFER(1024) };
	enum err e = standing_period(st, &period);

	if (e == OK)
		e = standing_sum_new(&period, &n.sum);
	if (e == OK)
		e = state_matters(st, LEDGER_CIRCLE, KIND_NOTICE, 0, name_matter, &n);
	if (e == OK)
		e = state_controls(st, SPAN(""), name_control, &n);
	if (e == OK) {
		sort_names(&n);
		e = each_name(st, &n, after, each, context);
	}
	names_free(&n);
	return e;
}

/* ---- printing ---- */

static void print_answerer(struct json *j, const struct standing *s)
{
	json_number(j, "notices", (int64_t)s->notices);
	json_number(j, "withdrawn", (int64_t)s->withdrawn);
	json_number(j, "events", (int64_t)s->events);
	json_number(j, "arrived_so_far", (int64_t)s->arrived_so_far);
	proportion_print(j, "arrived", &s->arrived);
	proportion_print(j, "acknowledged", &s->acknowledged);
	proportion_print(j, "acknowledged_by_itself", &s->acknowledged_by_itself);
	proportion_print(j, "overdue", &s->overdue);
	quantiles_print(j, "acknowledge", &s->acknowledge);
	survival_print(j, "fixed", &s->fixed);
	survival_print(j, "fixed_undisputed", &s->fixed_undisputed);
	json_number(j, "fixed_by_node", (int64_t)s->fixed_by_node);
	proportion_print(j, "disputed", &s->disputed);
	proportion_print(j, "disputed_standing", &s->disputed_standing);
	proportion_print(j, "reopened", &s->reopened);
	proportion_print(j, "re_offence_30d", &s->re_offence_30d);
	proportion_print(j, "not_ours", &s->not_ours);
	proportion_print(j, "cannot", &s->cannot);
}

static void print_uplift(struct json *j, const struct uplift *u)
{
	json_object(j, NULL);
	json_text(j, "class", class_name(u->class));
	json_number(j, "controls", (int64_t)u->controls);
	json_array(j, "after");
	for (int i = 0; i < STANDING_DAYS; i++) {
		json_object(j, NULL);
		json_number(j, "days", statistics_days[i]);
		proportion_print(j, "notified", &u->notified[i]);
		proportion_print(j, "control", &u->control[i]);
		difference_print(j, "uplift", &u->more[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static void print_reporter(struct json *j, const struct standing *s)
{
	json_object(j, "reporter");
	json_number(j, "filed", (int64_t)s->filed);
	json_number(j, "withdrawn", (int64_t)s->filed_withdrawn);
	json_number(j, "not_ours", (int64_t)s->filed_not_ours);
	json_number(j, "disputed_standing", (int64_t)s->filed_disputed);
	proportion_print(j, "false", &s->false_notices);
	proportion_print(j, "late", &s->late);
	json_array(j, "uplift");
	for (size_t i = 0; i < s->uplift_count; i++)
		print_uplift(j, &s->uplift[i]);
	json_array_end(j);
	json_object_end(j);
}

static void print_exposure(struct json *j, const struct standing *s, const struct exposure *x)
{
	char hex[HASH_HEX + 1];

	if (x == NULL)
		return;
	hash_hex(x->digest, hex);
	json_object(j, "exposure");
	json_number(j, "blocks", (int64_t)x->blocks);
	json_number(j, "addresses", (int64_t)x->blocks * 256);
	json_string(j, "table", x->table);
	json_text(j, "digest", hex);
	json_time(j, "dated", x->dated_ms);
	ratio_print(j, "notices_per_block", s->notices - s->withdrawn, x->blocks);
	ratio_print(j, "notices_per_million", (s->notices - s->withdrawn) * 1000000, x->blocks * 256);
	ratio_print(j, "events_per_million", s->events > UINT64_MAX / 1000000 ? 0 : s->events * 1000000,
		    s->events > UINT64_MAX / 1000000 ? 0 : x->blocks * 256);
	json_object_end(j);
}

void standing_print(const struct standing *s, const struct exposure *exposure, struct buffer *out)
{
	struct json j = { .out = out };
	struct buffer name = BUFFER(1024);

	addressee_print(&s->party, &name);
	json_object(&j, NULL);
	json_string(&j, "ledgers", s->ledger_node);
	json_string(&j, "party", buffer_view(&name));
	json_time(&j, "from", s->from_ms);
	json_time(&j, "until", s->until_ms);
	if (s->demonstration)
		json_bool(&j, "demonstration", true);
	print_answerer(&j, s);
	print_exposure(&j, s, exposure);
	print_reporter(&j, s);
	json_text(&j, "note", "Acknowledging is not admitting. No data is blank, never good.");
	json_object_end(&j);
	buffer_free(&name);
}
