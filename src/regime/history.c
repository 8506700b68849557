#include "regime/history.h"

#include "ledger/entry.h"
#include "regime/feed.h"

#define LINE_MAX ((size_t)16 * STATEMENT_MAX) /* an entry, parsed */

struct walking {
	struct node *n;
	struct arena *arena;
	history_each *each;
	void *context;
};

static enum err show(void *context, const struct feed_entry *at)
{
	struct walking *w = context;
	struct history_line l = { .ledger = at->ledger, .index = at->index };
	struct entry entry;
	struct span text;
	enum err e;

	arena_reset(w->arena);
	e = node_entry(w->n, w->arena, at->ledger, at->index, &text);
	if (e == OK)
		e = entry_parse(text, &entry);
	if (e == OK)
		e = statement_parse(w->arena, entry.note, &l.s);
	if (e != OK)
		return e;
	l.logged_ms = entry.logged_ms;
	l.is_guest = entry.is_guest;
	l.home_ms = entry.home_ms;
	return w->each(w->context, &l);
}

enum err history_walk(struct node *n, const struct state *st, const struct matter *m, history_each *each, void *context)
{
	struct walking w = { n, arena_new(LINE_MAX), each, context };
	struct feed f = { .type = FEED_MATTER, .ledger = m->ledger, .matter = m->id };
	enum err e = w.arena != NULL ? feed_walk(st->snapshot, &f, 1, 0, show, &w) : ERR_NO_MEMORY;

	if (w.arena != NULL)
		arena_free(w.arena);
	return e;
}

/* ---- in words ---- */

static void print_addressees(const struct statement *s, struct buffer *out)
{
	for (size_t i = 0; i < s->to_count; i++) {
		if (i > 0)
			buffer_text(out, i + 1 < s->to_count ? ", " : " and ");
		addressee_print(&s->to[i], out);
	}
	for (size_t i = 0, n = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "cc")) {
			buffer_text(out, n++ == 0 ? ", with a copy to " : ", ");
			buffer_span(out, s->headers[i].value);
		}
}

/* "about 0a1b2c3d4e5f" of what is not about the matter itself. */
static void print_about(const struct matter *m, const struct statement *s, const char *word, struct buffer *out)
{
	char hex[HASH_HEX + 1];

	if (!s->has_re || hash_equal(s->re, m->id))
		return;
	hash_hex(s->re, hex);
	buffer_print(out, " %s %.12s", word, hex);
}

static const char *reason_says(struct span reason)
{
	if (span_is(reason, "overdue"))
		return "because nobody answered in time";
	if (span_is(reason, "not-ours"))
		return "because the addressee says that it is not theirs";
	if (span_is(reason, "undeliverable"))
		return "because no contact works";
	return "as a matter that follows on another";
}

static void say_notice(const struct matter *m, const struct statement *s, struct buffer *out)
{
	struct span events = statement_value(s, "events"), explained = statement_value(s, "explained"),
		    last = statement_value(s, "last");

	buffer_print(out, "%.*s %s ", SPAN_FORMAT(s->from), s->has_re ? "passed it on to" : "told");
	print_addressees(s, out);
	if (s->has_re) {
		buffer_print(out, ", %s", reason_says(statement_value(s, "reason")));
		print_about(m, s, "about", out);
	}
	buffer_print(out, ": %.*s, %.*s event%s", SPAN_FORMAT(statement_value(s, "class")), SPAN_FORMAT(events),
		     span_is(events, "1") ? "" : "s");
	if (last.len > 0)
		buffer_print(out, ", seen from %.*s to %.*s", SPAN_FORMAT(statement_value(s, "first")),
			     SPAN_FORMAT(last));
	if (explained.len > 0)
		buffer_print(out, "; %.*s of them explained by a filed plan", SPAN_FORMAT(explained));
}

static const char *outcome_says(enum outcome o)
{
	switch (o) {
	case OUTCOME_RECEIVED:
		return "has it: it arrived";
	case OUTCOME_ACKNOWLEDGED:
		return "acknowledged it, which is not admitting";
	case OUTCOME_WORKING:
		return "is at work on it";
	case OUTCOME_FIXED:
		return "says that it is fixed";
	case OUTCOME_RE_OBSERVED:
		return "saw it again";
	case OUTCOME_NOT_OURS:
		return "says that it is not theirs";
	case OUTCOME_CANNOT:
		return "cannot do it and asks for help";
	case OUTCOME_DISPUTED:
		return "disputes it";
	case OUTCOME_ACCEPTED:
		return "accepted it";
	case OUTCOME_OBJECTED:
		return "objected to it";
	case OUTCOME_STARTED:
		return "started it";
	case OUTCOME_CLOSED:
		return "closed it";
	case OUTCOME_DELAYED:
		return "delayed it";
	case OUTCOME_SUSPENDED:
		return "suspended it";
	case OUTCOME_OFFERED:
		return "offers help";
	case OUTCOME_RECOVERED:
		return "recovered, and shows it";
	case OUTCOME_RESOLVED:
		return "signed a resolution";
	case OUTCOME_BREACH_ALLEGED:
		return "says that it was broken, and shows by what";
	case OUTCOME_COUNT:
		break;
	}
	return "answered it";
}

static void say_answer(const struct matter *m, const struct statement *s, struct buffer *out)
{
	struct span better = statement_value(s, "better");
	enum outcome o;
	char hex[HASH_HEX + 1];

	if (outcome_parse(statement_value(s, "outcome"), &o) != OK)
		o = OUTCOME_COUNT;
	if (s->for_party.len > 0)
		buffer_print(out, "%.*s, as %.*s recorded by %.*s,", SPAN_FORMAT(s->for_party), SPAN_FORMAT(s->from),
			     SPAN_FORMAT(s->via));
	else
		buffer_span(out, s->from);
	if (o == OUTCOME_ACCEPTED && statement_value(s, "whom").len > 0)
		buffer_print(out, " accepted the offer of %.*s", SPAN_FORMAT(statement_value(s, "whom")));
	else
		buffer_print(out, " %s", outcome_says(o));
	print_about(m, s, "in the matter", out);
	if (better.len > 0)
		buffer_print(out, "; better asked: %.*s", SPAN_FORMAT(better));
	if (s->has_body) {
		hash_hex(s->body.hash, hex);
		buffer_print(out, "; evidence %.12s (%.*s, %ju bytes%s)", hex, SPAN_FORMAT(s->body.media_type),
			     (uintmax_t)s->body.size, s->body.sealed ? ", for author and addressees" : "");
	}
}

static void say_request(const struct statement *s, struct buffer *out)
{
	struct span need = statement_value(s, "need"), critical = statement_value(s, "critical"),
		    affected = statement_value(s, "affected");

	if (!s->has_re && span_is(need, "ping")) {
		buffer_print(out, "%.*s asked whether anybody is there: ", SPAN_FORMAT(s->from));
		print_addressees(s, out);
		return;
	}
	buffer_print(out, "%.*s asked ", SPAN_FORMAT(s->from));
	print_addressees(s, out);
	buffer_text(out, " for help");
	if (s->has_re)
		buffer_print(out, ": %.*s", SPAN_FORMAT(need));
	if (critical.len > 0)
		buffer_print(out, ", for critical infrastructure (%.*s)", SPAN_FORMAT(critical));
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "skill"))
			buffer_print(out, ", skill %.*s", SPAN_FORMAT(s->headers[i].value));
	if (affected.len > 0)
		buffer_print(out, ", %.*s affected", SPAN_FORMAT(affected));
}

static void say_pledge(const struct statement *s, struct buffer *out)
{
	const char *between = ": ";

	buffer_print(out, "%.*s pledged %.*s", SPAN_FORMAT(s->from), SPAN_FORMAT(statement_value(s, "norm")));
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "term")) {
			buffer_print(out, "%s%.*s", between, SPAN_FORMAT(s->headers[i].value));
			between = "; ";
		}
}

static void say_agreement(const struct statement *s, struct buffer *out)
{
	const char *between = ": ";

	buffer_print(out, "%.*s %s an agreement with ", SPAN_FORMAT(s->from), s->has_re ? "signed" : "offered");
	print_addressees(s, out);
	buffer_print(out, " from %.*s to %.*s", SPAN_FORMAT(statement_value(s, "start")),
		     SPAN_FORMAT(statement_value(s, "end")));
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "term")) {
			buffer_print(out, "%s%.*s", between, SPAN_FORMAT(s->headers[i].value));
			between = "; ";
		}
}

void history_says(const struct matter *m, const struct history_line *l, struct buffer *out)
{
	const struct statement *s = &l->s;
	struct span text = statement_value(s, "text");

	switch (s->kind) {
	case KIND_NOTICE:
		say_notice(m, s, out);
		break;
	case KIND_ANSWER:
		say_answer(m, s, out);
		break;
	case KIND_WITHDRAW:
		buffer_print(out, "%.*s withdrew it", SPAN_FORMAT(s->from));
		print_about(m, s, "that is", out);
		break;
	case KIND_CERTIFICATE:
		buffer_print(out, "%.*s filed a certificate: %.*s", SPAN_FORMAT(s->from),
			     SPAN_FORMAT(statement_value(s, "predicate")));
		if (statement_value(s, "status").len > 0)
			buffer_print(out, ", %.*s", SPAN_FORMAT(statement_value(s, "status")));
		break;
	case KIND_REQUEST:
		say_request(s, out);
		break;
	case KIND_PLEDGE:
		say_pledge(s, out);
		break;
	case KIND_AGREEMENT:
		say_agreement(s, out);
		break;
	default:
		buffer_print(out, "%.*s filed a %.*s", SPAN_FORMAT(s->from), SPAN_FORMAT(s->kind_name));
		break;
	}
	if (text.len > 0)
		buffer_print(out, ": \"%.*s\"", SPAN_FORMAT(text));
}

/* ---- for programs ---- */

static void print_header(struct json *j, const struct statement *s, const char *name)
{
	struct span value = statement_value(s, name);

	if (value.len > 0)
		json_string(j, name, value);
}

enum err history_print(const struct matter *m, const struct history_line *l, struct json *j)
{
	static const char *const shown[] = { "outcome", "for",	"via",	    "reason",	"better", "need",
					     "due",	"whom", "critical", "affected", "text" };
	const struct statement *s = &l->s;
	struct buffer says = BUFFER((size_t)4 * STATEMENT_MAX);
	enum err e;

	history_says(m, l, &says);
	e = says.err;
	json_object(j, NULL);
	json_hash(j, "id", s->id);
	json_string(j, "kind", s->kind_name);
	json_time(j, "logged", l->logged_ms);
	if (l->is_guest)
		json_time(j, "home_logged", l->home_ms);
	json_string(j, "from", s->from);
	if (s->has_re)
		json_hash(j, "re", s->re);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		print_header(j, s, shown[i]);
	if (s->has_body)
		json_hash(j, "body", s->body.hash);
	json_string(j, "says", buffer_view(&says));
	json_object_end(j);
	buffer_free(&says);
	return e;
}

/* Not whether another notice took it further: that one is for its own readers, and stands in the history for them. */
void history_print_matter(const struct matter *m, struct json *j)
{
	struct addressee to;

	json_hash(j, "id", m->id);
	json_text(j, "kind", kind_name(m->kind));
	json_text(j, "ledger", ledger_name(m->ledger));
	json_number(j, "index", (int64_t)m->index);
	json_time(j, "logged", m->logged_ms);
	json_string(j, "from", m->from);
	json_array(j, "to");
	for (unsigned i = 0; i < m->to_count && matter_addressee(m, i, &to); i++)
		addressee_json(j, NULL, &to);
	json_array_end(j);
	json_array(j, "cc");
	for (unsigned i = 0; i < m->cc_count && matter_addressee(m, m->to_count + i, &to); i++)
		addressee_json(j, NULL, &to);
	json_array_end(j);
	if (m->class != CLASS_NONE)
		json_text(j, "class", class_name(m->class));
	json_number(j, "events", (int64_t)m->events);
	json_time(j, "due", m->due_ms);
	json_time(j, "arrived", m->arrived_ms);
	json_time(j, "acknowledged", m->acknowledged_ms);
	json_time(j, "fixed", m->fixed_ms);
	json_time(j, "re_observed", m->re_observed_ms);
	json_time(j, "not_ours", m->not_ours_ms);
	json_time(j, "cannot", m->cannot_ms);
	json_time(j, "disputed", m->disputed_ms);
	json_time(j, "closed", m->closed_ms);
	json_time(j, "withdrawn", m->withdrawn_ms);
	json_text(j, "outcome", m->answered ? outcome_name(m->outcome) : NULL);
	json_bool(j, "ended", m->ended);
}
