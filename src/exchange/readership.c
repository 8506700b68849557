#include "exchange/readership.h"

#include "regime/policy.h"

/*
 * How it is decided
 *
 * Three questions, each asked once and here only: are these the node's own eyes; is it a member's; is the party named, by
 * its domain or by a resource that covers what is named. Credentials without the right to read have nobody's eyes.
 *
 * Feeds are chosen so that every entry in them may be seen: of the circle's ledger a member gets the feed that it asks for, a
 * party only the feeds of itself and its resources, and of the matters that it may see. Where what it asks for cannot be cut out
 * of those by choosing feeds (another party's), it gets the public ledger's part. So a list may be shorter than what can be seen
 * by id, and is never longer.
 *
 * A request for help to all is for every caller that speaks for a party, and for nobody else before the delay is over: who is in need
 * is a target.
 *
 * Answers name nobody. Who may see a matter of the circle sees what is said about it; a matter is remembered with its author and
 * addressees, and for whom else it names there is the feed of that name.
 */

static bool reads(const struct caller *c)
{
	return (c->rights & RIGHT_READ) != 0;
}

static bool is_member(const struct caller *c)
{
	return reads(c) && (c->member || c->is_node);
}

static bool is_party(const struct caller *c, struct span domain)
{
	return c->party.len > 0 && span_equal(c->party, domain);
}

/* ---- who is named ---- */

/* The caller is this addressee, or holds it now. */
static enum err is_named(const struct state *st, const struct caller *c, const struct addressee *to, bool *yes)
{
	bool held = false;
	enum err e = OK;

	if (to->type == TO_PARTY)
		held = is_party(c, to->domain);
	else if (to->type != TO_ALL && c->party.len > 0)
		e = policy_allows(st, POLICY_DIVERT, c->party, to, clock_now_ms(), &held, NULL);
	*yes = *yes || held;
	return e;
}

/* Asked for help together with all others, by `to` or `cc`. */
static bool is_asked(const struct caller *c, enum kind k, const struct addressee *to)
{
	return k == KIND_REQUEST && to->type == TO_ALL && c->party.len > 0;
}

/* As `to` is written: cc, for. */
static enum err is_written(const struct state *st, const struct caller *c, enum kind k, struct span text, bool *yes)
{
	struct addressee to;

	if (addressee_parse(text, &to) != OK)
		return OK;
	*yes = *yes || is_asked(c, k, &to);
	return is_named(st, c, &to, yes);
}

/* The author, whom the node speaks for, and who stands in `to`. */
static enum err is_first(const struct state *st, const struct caller *c, const struct statement *s, bool *yes)
{
	enum err e = OK;

	*yes = is_party(c, s->from);
	for (size_t i = 0; e == OK && !*yes && i < s->to_count; i++) {
		*yes = is_asked(c, s->kind, &s->to[i]);
		e = is_named(st, c, &s->to[i], yes);
	}
	return e == OK && !*yes && s->for_party.len > 0 ? is_written(st, c, KIND_UNKNOWN, s->for_party, yes) : e;
}

static enum err is_copied(const struct state *st, const struct caller *c, const struct statement *s, bool *yes)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && !*yes && i < s->header_count; i++)
		if (span_is(s->headers[i].name, "cc"))
			e = is_written(st, c, s->kind, s->headers[i].value, yes);
	return e;
}

/* ---- matters ---- */

struct matter_place {
	const struct state *st;
	const struct caller *c;
	const struct matter *m;
	uint64_t stamp;
	bool named;
};

#define SEEN ERR_EXISTS /* ends a walk; never leaves this file */

static enum err compare_place(void *context, const struct feed_entry *e)
{
	struct matter_place *p = context;

	p->named |= e->index == p->m->index;
	return SEEN;
}

/* Whether the matter stands in the feed of this name. */
static enum err look_at_name(struct matter_place *p, struct addressee name)
{
	struct feed f = { .type = FEED_PARTY, .ledger = p->m->ledger, .kind = p->m->kind, .party = name };
	enum err e = feed_walk(p->st->snapshot, &f, 1, p->stamp - 1, compare_place, p);

	return e == SEEN ? OK : e;
}

static enum err look_at_name_of_holding(void *context, const struct holding *h)
{
	struct matter_place *p = context;

	return p->named ? OK : look_at_name(p, h->resource);
}

/* `cc` and `for`, as the party or what it holds is written. */
static enum err is_mentioned(const struct state *st, const struct caller *c, const struct matter *m, bool *yes)
{
	struct matter_place p = { st, c, m, 0, false };
	enum err e = feed_stamp(st->snapshot, m->ledger, m->index, &p.stamp);

	if (e == OK)
		e = look_at_name(&p, (struct addressee){ .type = TO_PARTY, .domain = c->party });
	if (e == OK && !p.named)
		e = policy_holdings(st, POLICY_DIVERT, c->party, clock_now_ms(), look_at_name_of_holding, &p);
	*yes = p.named;
	return e;
}

/* Only of the circle's: about a public matter all is said in public. */
static enum err sees_matter(const struct state *st, const struct caller *c, struct hash id, bool *yes)
{
	struct addressee to;
	struct matter m;
	enum err e = c->party.len > 0 ? state_matter(st, id, &m) : ERR_MATTER_UNKNOWN;

	*yes = false;
	if (e == ERR_MATTER_UNKNOWN || (e == OK && m.ledger != LEDGER_CIRCLE))
		return OK;
	*yes = e == OK && is_party(c, m.from);
	for (unsigned i = 0; e == OK && !*yes && i < m.to_count && matter_addressee(&m, i, &to); i++) {
		*yes = is_asked(c, m.kind, &to);
		e = is_named(st, c, &to, yes);
	}
	for (unsigned i = m.to_count; !*yes && matter_addressee(&m, i, &to); i++)
		*yes = is_asked(c, m.kind, &to);
	return e == OK && !*yes ? is_mentioned(st, c, &m, yes) : e;
}

/* Kinds of later rules may refer to a matter and be for others. */
static bool is_about(const struct statement *s)
{
	return s->has_re && (s->kind == KIND_ANSWER || s->kind == KIND_WITHDRAW || s->kind == KIND_REQUEST);
}

/* ---- statements ---- */

/* Clocks may run backwards, delays be longer than time. */
static bool is_open(int64_t logged_ms, int64_t now_ms, int64_t delay_ms)
{
	return now_ms >= logged_ms && now_ms - logged_ms >= delay_ms;
}

enum err readership_statement(const struct state *st, const struct caller *c, enum ledger_id l,
			      const struct statement *s, int64_t logged_ms, int64_t circle_delay_ms, bool *may)
{
	enum err e;

	*may = l == LEDGER_PUBLIC || is_member(c) || is_open(logged_ms, clock_now_ms(), circle_delay_ms);
	if (*may || !reads(c))
		return OK;
	e = is_first(st, c, s, may);
	if (e == OK && !*may)
		e = is_copied(st, c, s, may);
	return e == OK && !*may && is_about(s) ? sees_matter(st, c, s->re, may) : e;
}

/* The strictest that it names; what is no TLP counts as RED, and none as AMBER. */
static enum tlp tlp_of(const struct statement *s)
{
	enum tlp strictest = TLP_CLEAR, one;
	bool said = false;

	for (size_t i = 0; i < s->header_count; i++) {
		if (!span_is(s->headers[i].name, "tlp"))
			continue;
		said = true;
		if (tlp_parse(s->headers[i].value, &one) != OK)
			one = TLP_RED;
		if (one > strictest)
			strictest = one;
	}
	return said ? strictest : TLP_AMBER;
}

enum err readership_body(const struct state *st, const struct caller *c, enum ledger_id l, const struct statement *s,
			 bool *may)
{
	enum tlp t = tlp_of(s);
	enum err e;

	*may = l == LEDGER_PUBLIC || t == TLP_CLEAR || (t == TLP_GREEN && is_member(c)) || (reads(c) && c->is_node);
	if (*may || !reads(c))
		return OK;
	e = is_first(st, c, s, may);
	return e == OK && !*may && t != TLP_RED ? is_copied(st, c, s, may) : e;
}

enum err readership_standing(const struct state *st, const struct caller *c, const struct addressee *party, bool *may)
{
	*may = is_member(c);
	return *may || !reads(c) ? OK : is_named(st, c, party, may);
}

/* ---- feeds ---- */

struct choosing {
	const struct caller *c;
	enum kind kind;
	struct feed *feeds;
	size_t *count;
};

static void add(struct choosing *ch, struct feed f)
{
	ch->feeds[(*ch->count)++] = f;
}

static struct feed of_party(enum ledger_id l, enum kind k, struct addressee party)
{
	return (struct feed){ .type = FEED_PARTY, .ledger = l, .kind = k, .party = party };
}

/* The one feed that answers what is asked of a whole ledger. */
static struct feed whole(enum ledger_id l, enum kind k, const struct addressee *party, const struct hash *matter)
{
	if (matter != NULL)
		return (struct feed){ .type = FEED_MATTER, .ledger = l, .matter = *matter };
	if (party != NULL)
		return of_party(l, k, *party);
	return (struct feed){ .type = k != KIND_UNKNOWN ? FEED_KIND : FEED_ALL, .ledger = l, .kind = k };
}

/* Of what names all only the requests. */
static void add_asked(struct choosing *ch)
{
	if (ch->kind == KIND_UNKNOWN || ch->kind == KIND_REQUEST)
		add(ch, of_party(LEDGER_CIRCLE, KIND_REQUEST, (struct addressee){ .type = TO_ALL }));
}

/* What is held on two bases comes twice, one behind the other. */
static enum err add_holding(void *context, const struct holding *h)
{
	struct choosing *ch = context;

	if (*ch->count > 0 && addressee_equal(&ch->feeds[*ch->count - 1].party, &h->resource))
		return OK;
	if (*ch->count == FEEDS_MAX)
		return fail(ERR_TOO_LONG, "more than %d resources: ask for one of them by `party`", FEEDS_MAX - 3);
	add(ch, of_party(LEDGER_CIRCLE, ch->kind, h->resource));
	return OK;
}

enum err readership_feeds(const struct state *st, const struct caller *c, enum kind k, const struct addressee *party,
			  const struct hash *matter, struct feed feeds[FEEDS_MAX], size_t *count)
{
	struct choosing ch = { c, k, feeds, count };
	bool named = false;
	enum err e = OK;

	*count = 0;
	if (party != NULL && matter != NULL)
		return fail(ERR_USAGE, "a party or a matter, not both");
	add(&ch, whole(LEDGER_PUBLIC, k, party, matter));
	if (is_member(c)) {
		add(&ch, whole(LEDGER_CIRCLE, k, party, matter));
		return OK;
	}
	if (!reads(c) || c->party.len == 0)
		return OK;
	if (matter != NULL) {
		e = sees_matter(st, c, *matter, &named);
		if (e == OK && named)
			add(&ch, whole(LEDGER_CIRCLE, k, NULL, matter));
		return e;
	}
	if (party != NULL) {
		e = is_named(st, c, party, &named);
		if (e == OK && named)
			add(&ch, of_party(LEDGER_CIRCLE, k, *party));
		if (e == OK && party->type == TO_ALL)
			add_asked(&ch);
		return e;
	}
	add_asked(&ch);
	add(&ch, of_party(LEDGER_CIRCLE, k, (struct addressee){ .type = TO_PARTY, .domain = c->party }));
	return policy_holdings(st, POLICY_DIVERT, c->party, clock_now_ms(), add_holding, &ch);
}

/* ---- collections ---- */

static bool is_among(const struct caller *c, const struct span *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_party(c, list[i]))
			return true;
	return false;
}

static bool may_read(const struct caller *c, const struct collection_rule *rule, enum tlp *level)
{
	if (!reads(c))
		return false;
	*level = TLP_RED;
	if (c->is_node || is_among(c, rule->named_readers, rule->named_reader_count))
		return true;
	if (rule->readers == AUDIENCE_ALL) {
		*level = is_member(c) ? TLP_GREEN : TLP_CLEAR;
		return true;
	}
	*level = TLP_AMBER_STRICT;
	return rule->readers == AUDIENCE_MEMBERS && is_member(c);
}

static bool may_write(const struct caller *c, const struct collection_rule *rule)
{
	if ((c->rights & RIGHT_WRITE) == 0 || c->party.len == 0)
		return false;
	return c->is_node || is_among(c, rule->named_writers, rule->named_writer_count) ||
	       rule->writers == AUDIENCE_ALL || (rule->writers == AUDIENCE_MEMBERS && c->member);
}

struct reach readership_collection(const struct caller *c, const struct collection_rule *rule)
{
	struct reach r = { .level = TLP_CLEAR };

	r.read = may_read(c, rule, &r.level);
	r.write = may_write(c, rule);
	if (!r.read)
		r.level = TLP_CLEAR;
	return r;
}

bool readership_tiles(const struct caller *c, enum ledger_id l, int64_t newest_logged_ms, int64_t now_ms,
		      int64_t circle_delay_ms)
{
	return l == LEDGER_PUBLIC || is_member(c) || is_open(newest_logged_ms, now_ms, circle_delay_ms);
}
