#include "regime/help.h"

#include <assert.h>

#include "regime/kinds_private.h"
#include "regime/pledge.h"

/*
 * What is kept of it
 *
 *	F 00 u64 index		request or ping: u8 flags, u32 offers, accepted, u64 affected, first_human_ms, recovered_ms, short critical,
 *				short who was the first
 *	F 01 u64 index domain	what that party said of it: 32 answer that offered, u64 offered_ms, accepted_ms, first_human_ms, last_ms,
 *				u8 its last outcome
 *	V domain 00 u64 index	nothing: it is to that party; without domain: to all
 *
 * All else is the matter's own. The phase follows from both. Who asks or helps may be at home on different nodes, and an answer come here
 * by a longer way than the one that goes on from it; so of guests only the form is judged, and what their home let pass counts here.
 */

#define WORD_MAX 63
#define AFFECTED_MAX UINT32_MAX

enum { HELP_REQUEST, HELP_SAID };

#define FLAG_PING 0x1u
#define FLAG_ALL 0x2u
#define FLAG_WORKING 0x4u
#define FLAGS 0x7u

static const char *const phases[HELP_PHASE_COUNT] = {
	[HELP_ASKED] = "asked",	    [HELP_OFFERED] = "offered",	    [HELP_ACCEPTED] = "accepted",
	[HELP_WORKING] = "working", [HELP_RECOVERED] = "recovered", [HELP_CLOSED] = "closed",
};

const char *help_phase_name(enum help_phase p)
{
	assert((unsigned)p < HELP_PHASE_COUNT);
	return phases[p];
}

bool help_is_floor(const struct help *h)
{
	return h->ping || h->critical.len > 0;
}

/* ---- bytes ---- */

struct kept {
	unsigned flags;
	uint32_t offers, accepted;
	uint64_t affected;
	int64_t first_human_ms, recovered_ms;
	struct span critical, first_human;
};

static struct state_key key_help(unsigned what, uint64_t index)
{
	struct state_key k = key_of(STATE_HELP);

	key_add_u8(&k, (uint8_t)what);
	key_add_u64(&k, index);
	return k;
}

static struct state_key key_said(uint64_t index, struct span who)
{
	struct state_key k = key_help(HELP_SAID, index);

	key_add(&k, who.at, who.len);
	return k;
}

/* who empty: all. */
static struct state_key key_asked(struct span who)
{
	struct state_key k = key_of(STATE_HELP_TO);

	key_add(&k, who.at, who.len);
	key_add_u8(&k, 0);
	return k;
}

static enum err put_kept(struct state *st, uint64_t index, const struct kept *h)
{
	struct state_key k = key_help(HELP_REQUEST, index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_byte(&b, (uint8_t)h->flags);
	buffer_u32(&b, h->offers);
	buffer_u32(&b, h->accepted);
	buffer_u64(&b, h->affected);
	buffer_u64(&b, (uint64_t)h->first_human_ms);
	buffer_u64(&b, (uint64_t)h->recovered_ms);
	pack_short(&b, h->critical);
	pack_short(&b, h->first_human);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

static enum err read_kept(struct span value, struct kept *out)
{
	struct reader r = reader_of(value);

	out->flags = read_u8(&r);
	out->offers = read_u32(&r);
	out->accepted = read_u32(&r);
	out->affected = read_u64(&r);
	out->first_human_ms = (int64_t)read_u64(&r);
	out->recovered_ms = (int64_t)read_u64(&r);
	out->critical = unpack_short(&r);
	out->first_human = unpack_short(&r);
	return r.err == OK && reader_left(&r) == 0 && (out->flags & ~FLAGS) == 0 ? OK
										 : state_damaged("request for help");
}

/* ERR_NOT_FOUND: it is no request for help. */
static enum err get_kept(const struct state *st, const struct matter *m, struct kept *out)
{
	struct state_key k = key_help(HELP_REQUEST, m->index);
	struct span value;
	enum err e = m->kind == KIND_REQUEST && m->ledger == LEDGER_CIRCLE ? state_get(st, &k, &value) : ERR_NOT_FOUND;

	return e == OK ? read_kept(value, out) : e;
}

static enum err read_said(struct span key, struct span value, struct help_offer *out)
{
	struct state_key prefix = key_help(HELP_SAID, 0);
	struct reader r = reader_of(value);
	unsigned last;

	out->from = span_from(key, prefix.len);
	out->answer = unpack_hash(&r);
	out->offered_ms = (int64_t)read_u64(&r);
	out->accepted_ms = (int64_t)read_u64(&r);
	out->first_human_ms = (int64_t)read_u64(&r);
	out->last_ms = (int64_t)read_u64(&r);
	last = read_u8(&r);
	out->last = (enum outcome)last;
	return r.err == OK && reader_left(&r) == 0 && last < OUTCOME_COUNT ? OK : state_damaged("answer to a request");
}

/* What nobody said is all zero. */
static enum err get_said(const struct state *st, uint64_t index, struct span who, struct help_offer *out)
{
	struct state_key k = key_said(index, who);
	struct span value;
	enum err e = state_get(st, &k, &value);

	*out = (struct help_offer){ .from = who };
	if (e == OK)
		e = read_said(key_view(&k), value, out);
	out->from = who;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err put_said(struct state *st, uint64_t index, const struct help_offer *o)
{
	struct state_key k = key_said(index, o->from);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	pack_hash(&b, o->answer);
	buffer_u64(&b, (uint64_t)o->offered_ms);
	buffer_u64(&b, (uint64_t)o->accepted_ms);
	buffer_u64(&b, (uint64_t)o->first_human_ms);
	buffer_u64(&b, (uint64_t)o->last_ms);
	buffer_byte(&b, (uint8_t)o->last);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

enum err help_is(const struct state *st, const struct matter *m, bool *yes)
{
	struct kept h;
	enum err e = get_kept(st, m, &h);

	*yes = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- asking ---- */

/* Headers that came after their kind are counted here and not in its row, so that older statements mean what they meant. */
static unsigned times(const struct statement *s, const char *name)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->header_count; i++)
		n += span_is(s->headers[i].name, name);
	return n;
}

static enum err check_word(const char *name, struct span word)
{
	for (size_t i = 0; i < word.len; i++) {
		char c = word.at[i];

		if (!(c >= 'a' && c <= 'z') && (i == 0 || (!(c >= '0' && c <= '9') && c != '-')))
			return fail(ERR_STATEMENT_HEADER, "%s: one word of a-z, 0-9 and -", name);
	}
	if (word.len > WORD_MAX)
		return fail(ERR_STATEMENT_HEADER, "%s: %zu characters, at most %d", name, word.len, WORD_MAX);
	return OK;
}

static enum err check_details(const struct statement *s, bool ping)
{
	static const struct {
		const char *name;
		unsigned most;
	} lines[] = { { "critical", 1 }, { "affected", 1 }, { "skill", HELP_SKILLS_MAX } };
	uint64_t affected = 0;
	enum err e = OK;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		unsigned n = times(s, lines[i].name);

		if (n > 0 && ping)
			return fail(ERR_STATEMENT_HEADER, "%s: not in a ping", lines[i].name);
		if (n > lines[i].most)
			return fail(ERR_STATEMENT_HEADER, "%s: %u times, at most %u", lines[i].name, n, lines[i].most);
	}
	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		const struct header *h = &s->headers[i];

		if (span_is(h->name, "critical"))
			e = check_word("critical", h->value);
		else if (span_is(h->name, "skill"))
			e = check_word("skill", h->value);
	}
	return e == OK ? value_number(s, "affected", AFFECTED_MAX, &affected) : e;
}

/* Parties, each once, or everybody. */
static enum err check_asked(const struct statement *s, bool ping)
{
	for (size_t i = 0; i < s->to_count; i++) {
		const struct addressee *to = &s->to[i];

		if (to->type == TO_ALL && s->to_count > 1)
			return fail(ERR_STATEMENT_HEADER, "to: all, or those who are named");
		if (to->type != TO_ALL && to->type != TO_PARTY)
			return fail(ERR_STATEMENT_HEADER, "to: parties, or all");
		if (to->type == TO_PARTY && span_equal(to->domain, s->from))
			return fail(ERR_STATEMENT_HEADER, "to: another than %.*s itself", SPAN_FORMAT(s->from));
		for (size_t j = 0; j < i; j++)
			if (addressee_equal(to, &s->to[j]))
				return fail(ERR_STATEMENT_HEADER, "to: %.*s twice", SPAN_FORMAT(to->domain));
	}
	if (ping && (s->to_count != 1 || s->to[0].type != TO_PARTY || statement_header(s, "cc") != NULL))
		return fail(ERR_STATEMENT_HEADER, "to: a ping goes to one party");
	return OK;
}

enum err help_check(const struct state *st, const struct statement *s)
{
	struct span need = statement_header(s, "need")->value;
	bool ping = span_is(need, "ping");
	uint64_t rules = 0;
	enum err e = state_rules(st, &rules);

	if (e == OK && rules < RULES_PROMISES)
		e = fail(ERR_STATEMENT_HEADER, "re: missing in a request");
	if (e == OK && !ping && !span_is(need, "help"))
		e = fail(ERR_STATEMENT_HEADER, "need: without re it is help or ping");
	if (e == OK && s->for_party.len > 0)
		e = fail(ERR_NOT_YOURS, "for: who asks for help signs it itself");
	if (e == OK && s->has_body)
		e = fail(ERR_STATEMENT_HEADER, "body: only beside need deconflict");
	if (e == OK)
		e = check_asked(s, ping);
	return e == OK ? check_details(s, ping) : e;
}

static enum err put_asked(struct state *st, const struct statement *s)
{
	struct buffer nothing = BUFFER(1);
	enum err e = OK;

	for (size_t i = 0; e == OK && i < s->to_count; i++) {
		struct state_key k = key_asked(s->to[i].type == TO_ALL ? SPAN("") : s->to[i].domain);

		key_add_u64(&k, st->index);
		e = state_put(st, &k, &nothing);
	}
	buffer_free(&nothing);
	return e;
}

struct promised {
	int64_t at_ms, within_ms;
};

static enum err see_promise(void *context, const struct pledge *p)
{
	struct promised *w = context;

	if (p->demonstration || w->at_ms < p->start_ms || w->at_ms >= p->end_ms)
		return OK;
	for (size_t i = 0; i < p->term_count; i++)
		if (p->terms[i].metric == METRIC_CONTACT_LIVE && p->terms[i].within_ms < w->within_ms)
			w->within_ms = p->terms[i].within_ms;
	return OK;
}

/* Within a day, or sooner if the party pledged so. */
static enum err ping_due(const struct state *st, const struct addressee *to, int64_t *due_ms)
{
	struct promised w = { st->logged_ms, HELP_PING_DUE_MS };
	enum err e = state_pledges(st, to->domain, see_promise, &w);

	*due_ms = st->logged_ms + w.within_ms;
	return e;
}

enum err help_requested(struct state *st, const struct statement *s, struct matter *request)
{
	const struct header *critical = statement_header(s, "critical");
	struct kept h = { .critical = critical != NULL ? critical->value : SPAN(""), .first_human = SPAN("") };
	enum err e = value_number(s, "affected", AFFECTED_MAX, &h.affected);

	if (span_is(statement_header(s, "need")->value, "ping"))
		h.flags |= FLAG_PING;
	if (s->to[0].type == TO_ALL)
		h.flags |= FLAG_ALL;
	if (e == OK && (h.flags & FLAG_PING) != 0)
		e = ping_due(st, &s->to[0], &request->due_ms);
	request->first_due_ms = request->due_ms;
	if (e == OK)
		e = put_kept(st, st->index, &h);
	return e == OK ? put_asked(st, s) : e;
}

/* ---- answering ---- */

bool help_by_author(enum outcome o)
{
	return o == OUTCOME_ACCEPTED || o == OUTCOME_RECOVERED || o == OUTCOME_CLOSED;
}

static enum err check_outcome(const struct kept *h, enum outcome o)
{
	bool ping = (h->flags & FLAG_PING) != 0;

	switch (o) {
	case OUTCOME_RECEIVED:
	case OUTCOME_ACKNOWLEDGED:
	case OUTCOME_CLOSED:
		return OK;
	case OUTCOME_WORKING:
	case OUTCOME_OFFERED:
	case OUTCOME_OBJECTED:
	case OUTCOME_ACCEPTED:
	case OUTCOME_RECOVERED:
		return ping ? fail(ERR_OUTCOME, "%s does not fit a ping", outcome_name(o)) : OK;
	default:
		return fail(ERR_OUTCOME, "%s does not fit a request for help", outcome_name(o));
	}
}

static enum err check_whom(const struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	const struct header *whom = statement_header(s, "whom");
	struct addressee who;
	struct help_offer said;
	enum err e;

	if (o != OUTCOME_ACCEPTED)
		return whom != NULL ? fail(ERR_STATEMENT_HEADER, "whom: only beside outcome accepted") : OK;
	if (times(s, "whom") != 1)
		return fail(ERR_STATEMENT_HEADER, "whom: one, whose offer is accepted");
	if (addressee_parse(whom->value, &who) != OK || who.type != TO_PARTY)
		return fail(ERR_STATEMENT_HEADER, "whom: a party");
	if (st->is_guest)
		return OK;
	if ((e = get_said(st, m->index, who.domain, &said)) != OK)
		return e;
	if (said.offered_ms == 0)
		return fail(ERR_OUTCOME, "whom: %.*s made no offer", SPAN_FORMAT(who.domain));
	if (said.last == OUTCOME_OBJECTED)
		return fail(ERR_OUTCOME, "whom: %.*s took its offer back", SPAN_FORMAT(who.domain));
	return said.accepted_ms != 0 ? fail(ERR_OUTCOME, "whom: it was accepted before") : OK;
}

static enum err check_shown(const struct statement *s, enum outcome o)
{
	if (o != OUTCOME_RECOVERED)
		return s->has_body ? fail(ERR_STATEMENT_HEADER, "body: beside outcome recovered") : OK;
	if (!s->has_body)
		return fail(ERR_STATEMENT_HEADER, "body: recovered is shown by one");
	if (!s->body.sealed)
		return fail(ERR_STATEMENT_HEADER, "body: it is private; bind it with sealed-sha256");
	return OK;
}

/* Once it is over nobody begins anything; who still says that it read it does no harm. */
static enum err check_not_over(const struct matter *m, const struct kept *h, enum outcome o)
{
	if (m->ended && (o == OUTCOME_OFFERED || o == OUTCOME_ACCEPTED))
		return fail(ERR_OUTCOME, "re: it is over");
	if (o == OUTCOME_CLOSED && m->closed_ms != 0)
		return fail(ERR_OUTCOME, "re: it was closed before");
	if (o == OUTCOME_RECOVERED && (m->closed_ms != 0 || h->recovered_ms != 0))
		return fail(ERR_OUTCOME, "re: it is over");
	return OK;
}

static enum err check_who(const struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct span who = s->for_party.len > 0 ? s->for_party : s->from;

	if (help_by_author(o))
		return span_equal(s->from, m->from) && s->for_party.len == 0
			       ? OK
			       : fail(ERR_NOT_YOURS, "only who asked may answer that");
	if (span_equal(who, m->from))
		return fail(ERR_NOT_YOURS, "only another than who asked may answer that");
	return answer_check_addressee(st, s, m);
}

enum err help_answer_check(const struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct kept h;
	enum err e = get_kept(st, m, &h);

	if (e == ERR_NOT_FOUND && (o == OUTCOME_OFFERED || o == OUTCOME_RECOVERED))
		return fail(ERR_OUTCOME, "%s does not fit a request beside a notice or a plan", outcome_name(o));
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	e = check_outcome(&h, o);
	if (e == OK)
		e = check_who(st, s, m, o);
	if (e == OK)
		e = check_shown(s, o);
	if (e == OK)
		e = check_whom(st, s, m, o);
	return e == OK && !st->is_guest ? check_not_over(m, &h, o) : e;
}

static enum err accept_offer(struct state *st, const struct statement *s, const struct matter *m, struct kept *h)
{
	struct help_offer said;
	struct span whom = statement_header(s, "whom")->value;
	enum err e = get_said(st, m->index, whom, &said);

	if (e != OK || said.accepted_ms != 0)
		return e;
	said.accepted_ms = matter_time(st, m);
	h->accepted++;
	return put_said(st, m->index, &said);
}

static bool earlier(int64_t *first_ms, int64_t now_ms)
{
	if (*first_ms != 0 && *first_ms <= now_ms)
		return false;
	*first_ms = now_ms;
	return true;
}

/* `received` takes no other word's place. */
static enum err hear(struct state *st, const struct statement *s, const struct matter *m, enum outcome o,
		     struct kept *h)
{
	struct span who = s->for_party.len > 0 ? s->for_party : s->from;
	bool human = o != OUTCOME_RECEIVED && !span_is(s->via, "node");
	int64_t now = matter_time(st, m);
	struct help_offer said;
	enum err e = get_said(st, m->index, who, &said);

	if (e != OK)
		return e;
	if (human && earlier(&said.first_human_ms, now) && earlier(&h->first_human_ms, now))
		h->first_human = who;
	if (o == OUTCOME_OFFERED && said.offered_ms == 0) {
		said.offered_ms = now;
		said.answer = s->id;
		h->offers++;
	}
	if (o == OUTCOME_WORKING && said.accepted_ms != 0)
		h->flags |= FLAG_WORKING;
	if (o != OUTCOME_RECEIVED || said.last_ms == 0 || said.last == OUTCOME_RECEIVED) {
		said.last_ms = now;
		said.last = o;
	}
	return put_said(st, m->index, &said);
}

static enum err own(struct arena *a, struct span *s)
{
	const char *copy = arena_copy(a, s->at, s->len);

	*s = span_make(copy, s->len);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

enum err help_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct kept h;
	enum err e = get_kept(st, m, &h);

	if (e == OK)
		e = own(st->arena, &h.critical);
	if (e == OK)
		e = own(st->arena, &h.first_human);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	if (o == OUTCOME_RECOVERED && h.recovered_ms == 0)
		h.recovered_ms = matter_time(st, m);
	if (o == OUTCOME_ACCEPTED)
		e = accept_offer(st, s, m, &h);
	else if (!help_by_author(o))
		e = hear(st, s, m, o, &h);
	return e == OK ? put_kept(st, m->index, &h) : e;
}

/* ---- readers ---- */

static enum help_phase phase_of(const struct matter *m, const struct kept *h)
{
	if (m->withdrawn || m->closed_ms != 0)
		return HELP_CLOSED;
	if (h->recovered_ms != 0)
		return HELP_RECOVERED;
	if ((h->flags & FLAG_WORKING) != 0)
		return HELP_WORKING;
	if (h->accepted > 0)
		return HELP_ACCEPTED;
	return h->offers > 0 ? HELP_OFFERED : HELP_ASKED;
}

static enum err help_of(const struct state *st, const struct matter *m, struct help *out)
{
	struct kept h;
	enum err e = get_kept(st, m, &h);

	if (e != OK)
		return e;
	*out = (struct help){
		.matter = *m,
		.ping = (h.flags & FLAG_PING) != 0,
		.to_all = (h.flags & FLAG_ALL) != 0,
		.critical = h.critical,
		.affected = h.affected,
		.phase = phase_of(m, &h),
		.first_human_ms = h.first_human_ms,
		.first_human = h.first_human,
		.offers = h.offers,
		.accepted = h.accepted,
		.recovered_ms = h.recovered_ms,
	};
	return OK;
}

enum err state_help(const struct state *st, struct hash request, struct help *out)
{
	struct matter m;
	enum err e = state_matter(st, request, &m);

	if (e == OK)
		e = help_of(st, &m, out);
	return e == ERR_NOT_FOUND ? fail(ERR_MATTER_UNKNOWN, "it is no request for help") : e;
}

/* The last key of this prefix, which a number ends, below that number. *found: whether there is one. */
static enum err step_back(struct view_cursor *c, const struct state_key *prefix, uint64_t below, uint64_t *index,
			  bool *found)
{
	struct state_key end = *prefix;
	struct span key, value;
	struct reader r;
	enum err e;

	key_add_u64(&end, below);
	e = view_cursor_before(c, key_view(&end), &key, &value);
	*found = e == OK && key.len == end.len && memcmp(key.at, prefix->bytes, prefix->len) == 0;
	if (*found) {
		r = reader_of(span_from(key, prefix->len));
		*index = read_u64(&r);
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

struct walking {
	const struct state *st;
	bool pings;
	help_each *each;
	void *context;
};

static enum err show(const struct walking *w, uint64_t index)
{
	struct help h;
	struct matter m;
	enum err e = matter_get(w->st, LEDGER_CIRCLE, index, &m);

	if (e == OK)
		e = help_of(w->st, &m, &h);
	if (e == ERR_NOT_FOUND)
		return state_damaged("request for help");
	return e == OK && h.ping == w->pings ? w->each(w->context, &h) : e;
}

/* From the newest back, over prefixes of which each has an index once. */
static enum err walk_back(const struct walking *w, const struct state_key *prefixes, size_t count)
{
	struct {
		uint64_t index;
		bool found;
	} heads[2] = { { 0, false } };
	struct view_cursor *c = NULL;
	enum err e = view_cursor_open(w->st->snapshot, VIEW_STATE, &c);

	assert(count <= 2);
	for (size_t i = 0; e == OK && i < count; i++)
		e = step_back(c, &prefixes[i], UINT64_MAX, &heads[i].index, &heads[i].found);
	while (e == OK && (heads[0].found || heads[1].found)) {
		size_t newest = heads[1].found && (!heads[0].found || heads[1].index > heads[0].index);

		if ((e = show(w, heads[newest].index)) == OK)
			e = step_back(c, &prefixes[newest], heads[newest].index, &heads[newest].index,
				      &heads[newest].found);
	}
	view_cursor_close(c);
	return e;
}

enum err state_helps(const struct state *st, struct span to, bool pings, help_each *each, void *context)
{
	struct walking w = { st, pings, each, context };
	struct state_key prefixes[2] = { key_asked(to), key_asked(SPAN("")) };

	if (to.len > 0)
		return walk_back(&w, prefixes, pings ? 1 : 2);
	prefixes[0] = key_of(STATE_HELP);
	key_add_u8(&prefixes[0], HELP_REQUEST);
	return walk_back(&w, prefixes, 1);
}

enum err help_said(const struct state *st, struct hash request, struct span party, struct help_offer *out)
{
	struct help h;
	enum err e = state_help(st, request, &h);

	if (e == OK)
		e = get_said(st, h.matter.index, party, out);
	return e == OK && out->last_ms == 0 && out->accepted_ms == 0 ? ERR_NOT_FOUND : e;
}

struct offering {
	offer_each *each;
	void *context;
};

static enum err show_offer(void *context, struct span key, struct span value)
{
	const struct offering *w = context;
	struct help_offer o;
	enum err e = read_said(key, value, &o);

	return e == OK && (o.offered_ms != 0 || o.accepted_ms != 0) ? w->each(w->context, &o) : e;
}

enum err help_offers(const struct state *st, struct hash request, offer_each *each, void *context)
{
	struct offering w = { each, context };
	struct help h;
	struct state_key prefix;
	enum err e = state_help(st, request, &h);

	if (e != OK)
		return e;
	prefix = key_help(HELP_SAID, h.matter.index);
	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_offer, &w);
}

/* ---- how it stands ---- */

static const char *const answered_names[HELP_REPLY_COUNT] = { "waiting", "answered", "late", "none" };

const char *help_answered_name(enum help_reply a)
{
	assert((unsigned)a < HELP_REPLY_COUNT);
	return answered_names[a];
}

enum help_reply help_answered_by(const struct help *h, int64_t now_ms)
{
	int64_t due = h->matter.due_ms;

	if (h->first_human_ms != 0)
		return due != 0 && h->first_human_ms > due ? HELP_LATE : HELP_ANSWERED;
	return h->matter.withdrawn || h->matter.ended || (due != 0 && now_ms > due) ? HELP_NONE : HELP_WAITING;
}

static void json_string_or_null(struct json *j, const char *key, struct span value)
{
	if (value.len > 0)
		json_string(j, key, value);
	else
		json_null(j, key);
}

void help_print(const struct help *h, int64_t now_ms, struct json *j)
{
	struct addressee to;

	json_hash(j, "id", h->matter.id);
	json_text(j, "need", h->ping ? "ping" : "help");
	json_string(j, "from", h->matter.from);
	json_array(j, "to");
	for (unsigned i = 0; i < h->matter.to_count && matter_addressee(&h->matter, i, &to); i++)
		addressee_json(j, NULL, &to);
	json_array_end(j);
	json_time(j, "logged", h->matter.logged_ms);
	if (h->ping)
		json_time(j, "due", h->matter.due_ms);
	json_string_or_null(j, "critical", h->critical);
	json_bool(j, "floor", help_is_floor(h));
	json_number(j, "affected", (int64_t)h->affected);
	json_text(j, "phase", help_phase_name(h->phase));
	json_bool(j, "withdrawn", h->matter.withdrawn);
	json_text(j, "answered", help_answered_name(help_answered_by(h, now_ms)));
	json_time(j, "first_human", h->first_human_ms);
	json_string_or_null(j, "first_human_by", h->first_human);
	if (h->first_human_ms != 0)
		json_number(j, "first_human_after_ms", h->first_human_ms - h->matter.logged_ms);
	else
		json_null(j, "first_human_after_ms");
	json_number(j, "offers", h->offers);
	json_number(j, "accepted", h->accepted);
	json_time(j, "recovered", h->recovered_ms);
	json_bool(j, "demonstration", h->matter.demonstration);
}

void help_offer_print(const struct help_offer *o, struct json *j)
{
	json_object(j, NULL);
	json_string(j, "from", o->from);
	if (o->offered_ms != 0)
		json_hash(j, "answer", o->answer);
	json_time(j, "offered", o->offered_ms);
	json_time(j, "accepted", o->accepted_ms);
	json_text(j, "last", o->last_ms != 0 ? outcome_name(o->last) : NULL);
	json_time(j, "at", o->last_ms);
	json_object_end(j);
}
