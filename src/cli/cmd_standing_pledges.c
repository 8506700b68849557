#include "cli/standing_pledges.h"
#include "regime/statistics.h"

#define LINE_MAX ((size_t)64 << 20)
#define WIDTH 100 /* where lines of people's text are broken */

struct telling {
	struct cli *c;
	const struct state *st;
	struct promises_ask ask;
	struct span only;  /* empty: all */
	struct span party; /* in hand */
	struct hash pledge;
	bool has_pledge;
	uint64_t shown;
};

/* ---- text ---- */

static void put_day(struct buffer *b, int64_t ms)
{
	char text[CLOCK_TEXT];

	cli_date(ms, text);
	buffer_print(b, "%.10s", text);
}

/* A paragraph, broken at blanks, each line behind so many. */
static void put_paragraph(struct span text, int indent)
{
	while (text.len > 0) {
		size_t n = text.len, room = (size_t)(WIDTH - indent);

		if (n > room)
			for (n = room; n > 0 && text.at[n] != ' '; n--)
				;
		if (n == 0)
			for (n = room; n < text.len && text.at[n] != ' '; n++)
				;
		printf("%*s", indent, "");
		cli_print(span_make(text.at, n));
		putchar('\n');
		text = span_from(text, n < text.len ? n + 1 : n);
	}
}

static void end_paragraph(struct buffer *b, int indent)
{
	put_paragraph(buffer_view(b), indent);
	buffer_free(b);
}

static void tell_share(const struct proportion *p, struct buffer *out)
{
	char n[32], of[32];

	if (p->denominator == 0) {
		buffer_text(out, "no data");
		return;
	}
	cli_thousands(p->numerator, n);
	cli_thousands(p->denominator, of);
	buffer_print(out, "%s of %s", n, of);
	if (p->blank)
		buffer_text(out, ", too few for a share");
	else
		buffer_print(out, ", %.1f %% (%.1f to %.1f)", 100 * (double)p->numerator / (double)p->denominator,
			     100 * p->low, 100 * p->high);
}

static void tell_time(uint64_t value, struct buffer *out)
{
	double ms = (double)value;

	if (ms >= 2 * 86400000.0)
		buffer_print(out, "%.1f days", ms / 86400000);
	else if (ms >= 2 * 3600000.0)
		buffer_print(out, "%.1f hours", ms / 3600000);
	else
		buffer_print(out, "%.1f minutes", ms / 60000);
}

static void tell_uplift(const struct measure *m, struct buffer *out)
{
	struct difference d = proportion_difference(&m->share, &m->undisputed);

	tell_share(&m->share, out);
	if (!d.blank)
		buffer_print(out, " gone; %+.1f points beside look-alikes (%+.1f to %+.1f)", 100 * d.value, 100 * d.low,
			     100 * d.high);
}

static void tell_disputed(const struct metric_rule *rule, const struct measure *m, struct buffer *out)
{
	if (m->disputed == 0)
		return;
	if (rule->unit == UNIT_COUNT) {
		buffer_print(out, "; %ju more disputed", (uintmax_t)m->disputed);
		return;
	}
	buffer_print(out, "; %ju disputed, without %s ", (uintmax_t)m->disputed, m->disputed == 1 ? "it" : "them");
	tell_share(&m->undisputed, out);
}

/* The figure, what is not known, and what is disputed, with it and without. */
static void tell_figure(const struct term *t, const struct measure *m, struct buffer *out)
{
	const struct metric_rule *rule = metric_rule(t->metric);

	if (rule->later) {
		buffer_text(out, "nothing measures it yet");
		return;
	}
	if (rule->unit == UNIT_COUNT) {
		buffer_print(out, m->has_value ? "%ju" : "no data", (uintmax_t)m->value);
	} else if (t->metric == METRIC_UPLIFT) {
		tell_uplift(m, out);
	} else {
		if (rule->unit == UNIT_TIME && m->share.denominator > 0) {
			if (m->has_value)
				tell_time(m->value, out);
			else
				buffer_text(out, "not reached");
			buffer_text(out, "; in time ");
		}
		tell_share(&m->share, out);
	}
	if (m->share.unknown > 0)
		buffer_print(out, "; %ju more not known", (uintmax_t)m->share.unknown);
	tell_disputed(rule, m, out);
}

/* ---- pledges ---- */

static void show_norm(const struct pledge *p, const char *more)
{
	struct buffer b = BUFFER(4096);

	buffer_print(&b, "%s %u %s, %s", p->set->name, p->set->version, p->norm->id, p->norm->title);
	if (p->unilateral)
		buffer_text(&b, "; asks for nothing in return");
	if (p->withdrawn) {
		buffer_text(&b, "; withdrawn ");
		put_day(&b, p->end_ms);
	} else if (p->end_ms != INT64_MAX) {
		buffer_text(&b, "; until ");
		put_day(&b, p->end_ms);
	}
	buffer_text(&b, more);
	end_paragraph(&b, 2);
}

static void tell_windows(const struct promise_term *t, struct buffer *out)
{
	if (t->closed == 0)
		buffer_text(out, "no window has ended yet");
	else if (t->too_few == t->closed)
		buffer_print(out, "too few cases to judge in %s", t->closed == 1 ? "its one window" : "all windows");
	else
		buffer_print(out, "%s%zu of %zu window%s met", t->met == t->closed ? "kept: " : "", t->met, t->closed,
			     t->closed == 1 ? "" : "s");
	if (t->missed > 0)
		buffer_print(out, ", %zu missed", t->missed);
	if (t->too_few > 0 && t->too_few < t->closed)
		buffer_print(out, ", %zu with too few cases", t->too_few);
}

/* The last window that is over; as long as there is none, the first as it looks now. */
static void tell_last(const struct promise_term *t, struct buffer *out)
{
	const struct measure *m = &t->windows[t->closed > 0 ? t->closed - 1 : 0];
	enum window w;

	if (t->window_count == 0)
		return;
	buffer_text(out, t->closed > 0 ? "last, " : "so far, ");
	put_day(out, m->from_ms);
	buffer_text(out, " to ");
	put_day(out, m->until_ms);
	if (t->closed > 0) {
		w = t->judged[t->closed - 1];
		buffer_print(out, ", %s", w == WINDOW_TOO_FEW ? "too few cases" : window_name(w));
	}
	buffer_text(out, ": ");
	tell_figure(t->term, m, out);
}

static enum err show_promise(void *context, const struct promise_term *t)
{
	struct telling *w = context;
	struct buffer says = BUFFER(4096), course = BUFFER(4096), last = BUFFER(4096);

	if (!w->has_pledge || !hash_equal(w->pledge, t->pledge->id)) {
		show_norm(t->pledge, "");
		w->pledge = t->pledge->id;
		w->has_pledge = true;
	}
	promise_tell(t->term, &says);
	end_paragraph(&says, 4);
	tell_windows(t, &course);
	end_paragraph(&course, 6);
	tell_last(t, &last);
	end_paragraph(&last, 6);
	return OK;
}

static enum err show_declaration(void *context, const struct pledge *p)
{
	(void)context;
	show_norm(p, "; declared, not measured");
	if (p->text.len > 0)
		put_paragraph(p->text, 4);
	return OK;
}

/* ---- agreements ---- */

static void show_course(const struct agreement *a, const struct agreement_term *t)
{
	const struct course *c = &t->course;
	struct buffer b = BUFFER(4096);

	buffer_print(&b, "%s", course_state_name(c->state));
	if (c->state == COURSE_SUSPENDED)
		buffer_print(&b, ": %u of %u good windows in a row restore it", c->good, a->rules.restore);
	if (c->state == COURSE_CONSULT) {
		buffer_text(&b, " until ");
		put_day(&b, c->consult_until_ms);
	}
	buffer_text(&b, ", since ");
	put_day(&b, c->since_ms);
	buffer_print(&b, "; %u window%s met, %u missed, %u with too few cases", c->met, c->met == 1 ? "" : "s",
		     c->missed, c->too_few);
	for (int side = 0; side < 2; side++) {
		const struct term_side *s = &t->sides[side];

		if (s->last.until_ms == 0)
			continue;
		buffer_print(&b, "; last of %.*s, %s: ", SPAN_FORMAT(a->party[side]),
			     s->judged == WINDOW_TOO_FEW ? "too few cases" : window_name(s->judged));
		tell_figure(&t->term, &s->last, &b);
	}
	end_paragraph(&b, 6);
}

static void show_term(const struct agreement *a, const struct agreement_term *t)
{
	struct buffer says = BUFFER(4096);

	promise_tell(&t->term, &says);
	if (t->term.of.len > 0)
		buffer_print(&says, "; binds %.*s alone", SPAN_FORMAT(t->term.of));
	if (t->term.gives != GIVES_NOTHING)
		buffer_print(&says, "; gives %s", gives_name(t->term.gives));
	end_paragraph(&says, 4);
	if (a->phase == AGREEMENT_IN_FORCE || a->phase == AGREEMENT_ENDED)
		show_course(a, t);
}

static enum err show_agreement(void *context, const struct agreement *a)
{
	struct telling *w = context;
	struct span other = a->party[span_equal(a->party[0], w->party) ? 1 : 0];
	struct buffer b = BUFFER(4096);

	if (a->demonstration != w->ask.demonstration)
		return OK;
	if (w->only.len == 0 && span_equal(a->party[1], w->party)) { /* of everybody: once is enough */
		buffer_print(&b, "agreement with %.*s: see there", SPAN_FORMAT(other));
		end_paragraph(&b, 2);
		return OK;
	}
	buffer_print(&b, "agreement with %.*s, %s; from ", SPAN_FORMAT(other), agreement_phase_name(a->phase));
	put_day(&b, a->start_ms);
	buffer_text(&b, " to ");
	put_day(&b, a->end_ms);
	if (a->leaves_ms != 0) {
		buffer_text(&b, "; one of them leaves on ");
		put_day(&b, a->leaves_ms);
	}
	end_paragraph(&b, 2);
	for (size_t i = 0; i < a->term_count; i++)
		show_term(a, &a->terms[i]);
	return OK;
}

/* ---- parties ---- */

static enum err show_party(struct telling *w, struct span party)
{
	enum err e;

	w->party = party;
	w->has_pledge = false;
	printf("\n%s%.*s%s\n", cli_bold(w->c), SPAN_FORMAT(party), cli_plain(w->c));
	e = promises_walk(w->st, party, &w->ask, show_promise, NULL, w);
	if (e == OK)
		e = promises_walk(w->st, party, &w->ask, NULL, show_declaration, w);
	return e == OK ? state_agreements(w->st, party, show_agreement, w) : e;
}

static enum err print_party(struct telling *w, struct span party)
{
	struct buffer line = BUFFER(LINE_MAX);
	bool empty;
	enum err e = promises_print(w->st, party, &w->ask, &line, &empty);

	if (e == OK && !empty) {
		fwrite(line.at, 1, line.len, stdout);
		putchar('\n');
	}
	buffer_free(&line);
	return e;
}

static enum err one_party(void *context, struct span name)
{
	struct telling *w = context;

	if (w->only.len > 0 && !span_equal(w->only, name))
		return OK;
	w->shown++;
	return w->c->json ? print_party(w, name) : show_party(w, name);
}

static enum err begin(struct telling *w)
{
	char text[CLOCK_TEXT];
	int64_t last_ms = 0;
	enum err e = state_last(w->st, &last_ms);

	if (e == ERR_NOT_FOUND)
		e = OK;
	if (e != OK || w->c->json)
		return e;
	clock_format(w->ask.until_ms != 0 && w->ask.until_ms < last_ms ? w->ask.until_ms : last_ms, text);
	printf("Who promised what, and how it was kept: by the ledgers of %.*s, as of %s\n", SPAN_FORMAT(w->st->node),
	       text);
	if (w->ask.demonstration)
		printf("Only what was made for a demonstration.\n");
	printf("In the order of names. Each promised something else, so there is no sum and no ranking. Behind a "
	       "share\n"
	       "stands its 95 %% interval. Fewer than %d cases are too few to judge; no data is blank, never good.\n",
	       STATISTICS_LEAST);
	return OK;
}

enum err standing_pledges(struct cli *c, const struct state *st, struct span party, const struct promises_ask *ask)
{
	struct telling w = { .c = c, .st = st, .ask = *ask, .only = party };
	enum err e = promises_shared_new(&w.ask.shared);

	if (e == OK)
		e = begin(&w);
	if (e == OK)
		e = promises_parties(st, ask->demonstration, one_party, &w);
	if (e == OK && w.shown == 0 && party.len > 0)
		e = fail(ERR_NOT_FOUND, "%.*s promised nothing in these ledgers", SPAN_FORMAT(party));
	else if (e == OK && !c->json)
		printf(w.shown == 0
			       ? "\nNobody promised anything.\n"
			       : "\nAcknowledging is not admitting. What is declared is not measured: no ledger sees "
				 "intent,\nor what is done in secret.\n");
	promises_shared_free(w.ask.shared);
	return e;
}
