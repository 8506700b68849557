/* Promises beside what the ledger shows, as JSON: the same bytes on every machine. And each promise in plain words. */
#include "regime/metric_private.h"
#include "regime/plan_terms.h"
#include "regime/promises.h"

/* ---- words ---- */

static void tell_length(struct buffer *out, int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *one, *many;
	} units[] = { { METRIC_DAY_MS, "day", "days" }, { 3600000, "hour", "hours" }, { 60000, "minute", "minutes" } };
	size_t i = 0;

	while (i < 2 && ms % units[i].ms != 0)
		i++;
	if (ms == units[i].ms)
		buffer_print(out, "1 %s", units[i].one);
	else
		buffer_print(out, "%jd %s", (intmax_t)(ms / units[i].ms), units[i].many);
}

/* What each metric is of, behind the amount. */
static const char *const of_what[METRIC_COUNT] = {
	[METRIC_ACKNOWLEDGED] = "of the notices to it acknowledged by a person",
	[METRIC_ACKNOWLEDGE_P50] = "half of the notices to it acknowledged",
	[METRIC_ACKNOWLEDGE_P90] = "nine of ten notices to it acknowledged",
	[METRIC_FIXED] = "of the notices to it fixed",
	[METRIC_UPLIFT] = "more gone after 14 days than of look-alikes that were not notified",
	[METRIC_RE_OFFENCE] = "of what it fixed seen again within 30 days",
	[METRIC_FALSE_NOTICES] = "of the notices that it files false",
	[METRIC_HELP_ANSWERED] = "of the requests for help to it answered by a person",
	[METRIC_CONTACT_LIVE] = "of the pings to its duty contact answered by a person",
	[METRIC_PLAN_EXPLAINED] = "of the events in notices to it explained before by its plans",
	[METRIC_PLAN_OVERDUE] = "of its plans without a word half an hour after their end",
	[METRIC_PLAN_BREACH] = "of its plans seen outside what they declare",
	[METRIC_REPORT_ANSWERED] = "of the vulnerability reports to it acknowledged",
	[METRIC_REMEDY_TIME] = "half of the vulnerabilities reported to it remedied",
	[METRIC_UPDATE_LAG] = "each release in all regions",
	[METRIC_ARTEFACT_EQUAL] = "of its releases the same for all regions, none left out",
	[METRIC_BALANCE] = "of the useful notices between the two given by it",
};

static void tell_restraint(const struct term *t, struct buffer *out)
{
	const char *before = "no ";

	for (int a = 0; a < ACTIVITY_COUNT; a++)
		if ((t->activities & 1u << a) != 0) {
			buffer_print(out, "%s%s", before, activity_name((enum activity)a));
			before = " or ";
		}
	buffer_text(out, " in ");
	buffer_span(out, t->asset_set);
}

static void tell_amount(const struct term *t, struct buffer *out)
{
	const struct metric_rule *rule = metric_rule(t->metric);

	if (rule->unit == UNIT_TIME) {
		buffer_print(out, "%s within ", of_what[t->metric]);
		tell_length(out, (int64_t)t->threshold);
		return;
	}
	buffer_text(out, t->at_most ? "at most " : "at least ");
	if (rule->unit == UNIT_SHARE) {
		uint64_t part = t->threshold % 100;

		buffer_print(out, "%ju", (uintmax_t)(t->threshold / 100));
		if (part != 0)
			buffer_print(out, part % 10 != 0 ? ".%02ju" : ".%ju",
				     (uintmax_t)(part % 10 != 0 ? part : part / 10));
		buffer_print(out, " %% %s", of_what[t->metric]);
	} else {
		buffer_print(out, "%ju %s", (uintmax_t)t->threshold, of_what[t->metric]);
	}
}

void promise_tell(const struct term *t, struct buffer *out)
{
	if (t->metric == METRIC_RESTRAINT)
		tell_restraint(t, out);
	else
		tell_amount(t, out);
	if (t->within_ms > 0) {
		buffer_text(out, " within ");
		tell_length(out, t->within_ms);
	}
	buffer_text(out, ", each ");
	tell_length(out, t->window_ms);
}

/* ---- JSON ---- */

struct printing {
	const struct promises_ask *ask;
	struct json j;
	struct hash pledge; /* the one that is open */
	bool open, any;
};

static void print_end(struct json *j, int64_t ms)
{
	json_time(j, "end", ms == INT64_MAX ? 0 : ms);
}

static void print_pledge(struct json *j, const struct pledge *p)
{
	struct buffer norm = BUFFER(256);

	buffer_print(&norm, "%s %u %s", p->set->name, p->set->version, p->norm->id);
	json_hash(j, "id", p->id);
	json_string(j, "norm", buffer_view(&norm));
	json_text(j, "grade", norm_grade_name(p->norm->grade));
	json_time(j, "start", p->start_ms);
	print_end(j, p->end_ms);
	json_bool(j, "withdrawn", p->withdrawn);
	json_bool(j, "unilateral", p->unilateral);
	if (p->text.len > 0)
		json_string(j, "text", p->text);
	else
		json_null(j, "text");
	buffer_free(&norm);
}

static void end_pledge(struct printing *p)
{
	if (!p->open)
		return;
	json_array_end(&p->j);
	json_object_end(&p->j);
	p->open = false;
}

static void print_windows(struct json *j, const struct promise_term *t)
{
	json_array(j, "windows");
	for (size_t i = 0; i < t->window_count; i++) {
		json_object(j, NULL);
		json_text(j, "judged", t->windows[i].closed ? window_name(t->judged[i]) : NULL);
		measure_print_members(j, t->term, &t->windows[i]);
		json_object_end(j);
	}
	json_array_end(j);
}

static enum err print_promise(void *context, const struct promise_term *t)
{
	struct printing *p = context;
	struct buffer line = BUFFER(STATEMENT_MAX);
	struct json *j = &p->j;

	if (!p->open || !hash_equal(p->pledge, t->pledge->id)) {
		end_pledge(p);
		json_object(j, NULL);
		print_pledge(j, t->pledge);
		json_array(j, "terms");
		p->pledge = t->pledge->id;
		p->open = p->any = true;
	}
	term_print(t->term, &line);
	json_object(j, NULL);
	json_string(j, "term", buffer_view(&line));
	buffer_clear(&line);
	promise_tell(t->term, &line);
	json_string(j, "says", buffer_view(&line));
	json_text(j, "metric", metric_rule(t->term->metric)->name);
	json_number(j, "met", (int64_t)t->met);
	json_number(j, "missed", (int64_t)t->missed);
	json_number(j, "too_few", (int64_t)t->too_few);
	measure_print(j, "all", t->term, &t->all);
	print_windows(j, t);
	json_object_end(j);
	buffer_free(&line);
	return j->out->err;
}

static enum err print_declaration(void *context, const struct pledge *d)
{
	struct printing *p = context;

	json_object(&p->j, NULL);
	print_pledge(&p->j, d);
	json_object_end(&p->j);
	p->any = true;
	return p->j.out->err;
}

static enum err print_agreement(void *context, const struct agreement *a)
{
	struct printing *p = context;

	if (a->demonstration != p->ask->demonstration)
		return OK;
	if (p->j.comma)
		buffer_byte(p->j.out, ',');
	agreement_print(a, p->j.out);
	p->j.comma = p->any = true;
	return p->j.out->err;
}

static enum err print_all(const struct state *st, struct span party, struct printing *p)
{
	enum err e;

	json_array(&p->j, "pledges");
	e = promises_walk(st, party, p->ask, print_promise, NULL, p);
	end_pledge(p);
	json_array_end(&p->j);
	json_array(&p->j, "declarations");
	if (e == OK)
		e = promises_walk(st, party, p->ask, NULL, print_declaration, p);
	json_array_end(&p->j);
	json_array(&p->j, "agreements");
	if (e == OK)
		e = state_agreements(st, party, print_agreement, p);
	json_array_end(&p->j);
	return e;
}

#define PARTY_MAX ((size_t)64 << 20)

enum err promises_print(const struct state *st, struct span party, const struct promises_ask *ask, struct buffer *out,
			bool *empty)
{
	struct buffer body = BUFFER(PARTY_MAX);
	struct printing p = { .ask = ask, .j = { .out = &body } };
	int64_t last_ms = 0;
	enum err e = metric_last(st, &last_ms);

	json_object(&p.j, NULL);
	json_string(&p.j, "ledgers", st->node);
	json_string(&p.j, "party", party);
	json_time(&p.j, "from", ask->from_ms);
	json_time(&p.j, "until", ask->until_ms != 0 && ask->until_ms <= last_ms ? ask->until_ms : last_ms + 1);
	if (ask->demonstration)
		json_bool(&p.j, "demonstration", true);
	if (e == OK)
		e = print_all(st, party, &p);
	json_text(&p.j, "note",
		  "Acknowledging is not admitting. No data is blank, never good. What is declared is not measured.");
	json_object_end(&p.j);
	if (e == OK)
		e = body.err;
	*empty = !p.any;
	if (e == OK && p.any)
		buffer_span(out, buffer_view(&body));
	buffer_free(&body);
	return e == OK ? out->err : e;
}
