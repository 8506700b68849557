#include "regime/help.h"

#include <assert.h>

#include "regime/help_private.h"

/* Reading what was asked, and how it stands. */

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

enum err help_is(const struct state *st, const struct matter *m, bool *yes)
{
	struct help_kept h;
	enum err e = help_kept_get(st, m, &h);

	*yes = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum help_phase phase_of(const struct matter *m, const struct help_kept *h)
{
	if (m->withdrawn || m->closed_ms != 0)
		return HELP_CLOSED;
	if (h->recovered_ms != 0)
		return HELP_RECOVERED;
	if ((h->flags & HELP_FLAG_WORKING) != 0)
		return HELP_WORKING;
	if (h->accepted > 0)
		return HELP_ACCEPTED;
	return h->offers > 0 ? HELP_OFFERED : HELP_ASKED;
}

static enum err help_of(const struct state *st, const struct matter *m, struct help *out)
{
	struct help_kept h;
	enum err e = help_kept_get(st, m, &h);

	if (e != OK)
		return e;
	*out = (struct help){
		.matter = *m,
		.ping = (h.flags & HELP_FLAG_PING) != 0,
		.to_all = (h.flags & HELP_FLAG_ALL) != 0,
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
	struct state_key prefixes[2] = { key_help_asked(to), key_help_asked(SPAN("")) };

	if (to.len > 0)
		return walk_back(&w, prefixes, pings ? 1 : 2);
	prefixes[0] = key_help_requests();
	return walk_back(&w, prefixes, 1);
}

enum err help_said(const struct state *st, struct hash request, struct span party, struct help_offer *out)
{
	struct help h;
	enum err e = state_help(st, request, &h);

	if (e == OK)
		e = help_said_get(st, h.matter.index, party, out);
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
	enum err e = help_said_unpack(key, value, &o);

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
	prefix = key_help_said(h.matter.index);
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
