#include "regime/kinds_private.h"
#include "regime/pledge.h"
#include "regime/restraint.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define LONGEST_MS (366 * DAY_MS)

static enum err check_addressees(const struct statement *s, enum rsit_class class)
{
	for (size_t i = 0; i < s->to_count; i++)
		if (s->to[i].type == TO_ALL)
			return fail(ERR_STATEMENT_HEADER, "to: a notice goes to whoever answers, not to all");
	/* Nobody but the party that answers may judge from a class that says nothing. */
	if ((class == CLASS_OTHER || class == CLASS_UNDETERMINED) && statement_header(s, "cc") != NULL)
		return fail(ERR_STATEMENT_HEADER, "cc: a notice of %s goes only to the party that answers",
			    class_name(class));
	return OK;
}

/* class_parse knows more spellings. */
enum err notice_class(const struct statement *s, enum rsit_class *out)
{
	const struct header *h = statement_header(s, "class");
	enum err e = class_parse(h->value, out);

	if (e == OK && !span_is(h->value, class_name(*out)))
		e = fail(ERR_CLASS_UNKNOWN, "class: write %s", class_name(*out));
	return e;
}

static enum err check_tlp(const struct statement *s)
{
	static const char *const levels[] = { "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED" };
	const struct header *h = statement_header(s, "tlp");

	if (h == NULL)
		return OK;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (span_is(h->value, levels[i]))
			return OK;
	return fail(ERR_STATEMENT_HEADER, "tlp: CLEAR, GREEN, AMBER, AMBER+STRICT or RED");
}

static enum err check_counts(const struct statement *s)
{
	uint64_t events = 0, explained = 0, repeats = 0, again = 0;
	enum err e = value_number(s, "events", UINT32_MAX, &events);

	if (e == OK && events == 0)
		e = fail(ERR_STATEMENT_HEADER, "events: at least 1");
	if (e == OK)
		e = value_number(s, "explained", UINT32_MAX, &explained);
	if (e == OK && explained > events)
		e = fail(ERR_STATEMENT_HEADER, "explained: more than there are events");
	if (e == OK)
		e = value_number(s, "repeats", UINT64_MAX, &repeats);
	if (e == OK)
		e = value_number(s, "again", UINT32_MAX, &again);
	if (e == OK && again > events)
		e = fail(ERR_STATEMENT_HEADER, "again: more than there are events");
	return e;
}

static enum err check_times(const struct statement *s)
{
	int64_t first = 0, last = INT64_MAX;
	enum err e = value_time(s, "first", &first);

	if (e == OK)
		e = value_time(s, "last", &last);
	if (e == OK && first > last)
		e = fail(ERR_STATEMENT_HEADER, "last: before the first");
	return e;
}

/* "i/n" */
static enum err check_part(const struct statement *s)
{
	const struct header *h = statement_header(s, "part");
	struct span rest, i;
	uint64_t n = 0, part = 0;

	if (h == NULL)
		return OK;
	rest = h->value;
	i = span_cut(&rest, '/');
	if (rest.at == NULL || span_u64(rest, 1000000, &n) != OK || span_u64(i, n, &part) != OK || part == 0)
		return fail(ERR_STATEMENT_HEADER, "part: i/n with i from 1 to n");
	return OK;
}

static enum err check_words(const struct statement *s)
{
	const struct header *priority = statement_header(s, "priority");
	bool demonstration;

	if (priority != NULL && !span_is(priority->value, "low"))
		return fail(ERR_STATEMENT_HEADER, "priority: low, or leave the line out");
	return value_yes(s, "demonstration", &demonstration);
}

enum err notice_due_length(const struct state *st, enum rsit_class class, const struct addressee *to, int64_t *out)
{
	int64_t pledged = 0;
	bool found = false;
	enum err e = to->type == TO_PARTY ? pledged_due(st, to->domain, st->logged_ms, &found, &pledged) : OK;

	*out = (int64_t)class_due_days(class) * DAY_MS;
	if (found && pledged < *out)
		*out = pledged;
	return e;
}

/* Of a guest its home has judged what it gives: that knows of pledges which never came here, or of one that ended on the way.
 * Before there were pledges all came to the same. */
static enum err is_judged_at_home(const struct state *st, bool *yes)
{
	uint64_t rules = 0;
	enum err e = st->is_guest ? state_rules(st, &rules) : OK;

	*yes = rules >= RULES_PROMISES;
	return e;
}

/* The accused does not wait on the accuser: how long there is, the class says, or a shorter pledge of who is addressed first, and a
 * notice may only give more. The sender counts from its own date, the clock from the time when it was logged here; the later of
 * the two ends holds. So a notice of another node is not overdue when it comes, however long it took or slow that node's clock is. */
static enum err due_of(const struct state *st, const struct statement *s, enum rsit_class class, int64_t *out)
{
	int64_t length = 0, asked = 0, now = state_time(st), from = s->has_date && s->date_ms < now ? s->date_ms : now;
	enum err e = value_time(s, "due", &asked);
	char text[CLOCK_TEXT];
	bool judged = false;

	if (e == OK)
		e = notice_due_length(st, class, &s->to[0], &length);
	if (e == OK)
		e = is_judged_at_home(st, &judged);
	if (e == OK && !judged && asked != 0 && asked / 1000 < (from + length) / 1000) {
		clock_format_duration(length, text);
		e = fail(ERR_STATEMENT_HEADER, "due: a notice of this class to this party gives at least %s", text);
	}
	if (e == OK && asked > st->logged_ms + LONGEST_MS)
		e = fail(ERR_STATEMENT_HEADER, "due: over 366 days away");
	*out = asked > st->logged_ms + length ? asked : st->logged_ms + length;
	return e;
}

/* ---- notices that follow on others ---- */

/* What must hold of the matter that is taken further. Of guests their home has judged that. */
static enum err check_reason(const struct state *st, const struct matter *m, enum follow_up reason)
{
	if (m->withdrawn)
		return fail(ERR_OUTCOME, "re: it was withdrawn");
	if ((m->followed & BIT(reason)) != 0)
		return fail(ERR_OUTCOME, "reason: another notice took it further as %s before", follow_up_name(reason));
	if (st->is_guest)
		return OK;
	if (reason == FOLLOW_OVERDUE && (m->due_ms == 0 || m->answered_ms != 0 || m->ended))
		return fail(ERR_OUTCOME, "reason: no answer is waited for");
	if (reason == FOLLOW_OVERDUE && m->due_ms >= st->logged_ms)
		return fail(ERR_OUTCOME, "reason: the answer is not overdue yet");
	if (reason == FOLLOW_NOT_OURS && (!m->answered || m->outcome != OUTCOME_NOT_OURS))
		return fail(ERR_OUTCOME, "reason: no addressee said last that it is not its own");
	if (reason == FOLLOW_UNDELIVERABLE && m->ended)
		return fail(ERR_OUTCOME, "reason: it has ended");
	return OK;
}

/* The matter that the notice follows on, as it was before. *found false: on none, or, of a guest, on one that its home showed to
 * others and not to us. One of another home is no different: who brings the guest must not learn that it is here. */
static enum err read_before(const struct state *st, const struct statement *s, enum follow_up *reason,
			    struct matter *before, bool *found)
{
	const struct header *h = statement_header(s, "reason");
	struct span ledger = s->ledger, home = span_cut(&ledger, '/');
	enum err e = OK;

	*reason = FOLLOW_NONE;
	*found = false;
	if (!s->has_re && h == NULL)
		return OK;
	if (!s->has_re || h == NULL)
		return fail(ERR_STATEMENT_HEADER, "reason: stands beside re, and re of a notice beside reason");
	if ((e = follow_up_parse(h->value, reason)) != OK)
		return e;
	e = matter_referred(st, s, BIT(KIND_NOTICE), before);
	*found = e == OK && (!st->is_guest || span_equal(before->home, home));
	if ((e == OK || e == ERR_MATTER_UNKNOWN) && st->is_guest && !*found)
		return OK;
	if (e == OK && !span_equal(before->home, home))
		e = fail(ERR_NOT_YOURS, "re: it was filed in the ledger of %.*s", SPAN_FORMAT(before->home));
	if (e == OK && !span_equal(s->from, before->from) && !span_equal(s->from, before->home))
		e = fail(ERR_NOT_YOURS, "re: only %.*s or its node may take it further", SPAN_FORMAT(before->from));
	return e == OK ? check_reason(st, before, *reason) : e;
}

static enum err pass_on(struct state *st, const struct statement *s, enum follow_up reason, const struct matter *before)
{
	struct matter m = *before;

	m.followed |= BIT(reason);
	if (m.passed_on_ms == 0) {
		m.passed_on_ms = matter_time(st, &m);
		m.next = s->id;
	}
	return matter_change(st, before, &m, NULL);
}

enum err notice_check(const struct state *st, const struct statement *s)
{
	enum rsit_class class = CLASS_NONE;
	enum follow_up reason;
	struct matter before;
	bool found;
	int64_t due;
	enum err e = notice_class(s, &class);

	if (e == OK)
		e = check_addressees(s, class);
	if (e == OK)
		e = check_tlp(s);
	if (e == OK)
		e = check_counts(s);
	if (e == OK)
		e = check_times(s);
	if (e == OK)
		e = check_part(s);
	if (e == OK)
		e = check_words(s);
	if (e == OK)
		e = due_of(st, s, class, &due);
	if (e == OK && !s->body.sealed)
		e = fail(ERR_STATEMENT_HEADER, "body: a notice's body is private; bind it with sealed-sha256");
	if (e == OK)
		e = codes_check(st, s, class);
	return e == OK ? read_before(st, s, &reason, &before, &found) : e;
}

enum err notice_fold(struct state *st, const struct statement *s)
{
	struct matter m, before;
	bool found = false;
	enum err e = matter_make(st, s, &m);

	if (e == OK)
		e = notice_class(s, &m.class);
	if (e == OK)
		e = value_number(s, "events", UINT32_MAX, &m.events);
	if (e == OK)
		e = value_number(s, "explained", UINT32_MAX, &m.explained);
	if (e == OK)
		e = value_time(s, "first", &m.first_ms);
	if (e == OK)
		e = value_time(s, "last", &m.last_ms);
	if (e == OK)
		e = due_of(st, s, m.class, &m.due_ms);
	m.first_due_ms = m.due_ms;
	if (e == OK)
		e = read_before(st, s, &m.reason, &before, &found);
	m.has_before = s->has_re;
	m.before = s->re;
	if (e == OK)
		e = matter_add(st, &m);
	return e == OK && found ? pass_on(st, s, m.reason, &before) : e;
}

/* A breach that rests on it is disputed too. */
enum err notice_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	(void)s;
	return o == OUTCOME_DISPUTED ? restraint_notice_disputed(st, m) : OK;
}
