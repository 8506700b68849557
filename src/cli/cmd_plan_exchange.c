/* plan export, plan import: plans as others read and write them, calendars of maintenance and probing.txt. */
#include "cli/acting.h"

#include "base/file.h"
#include "regime/plan_life.h"
#include "regime/plan_terms.h"
#include "report/maintnote.h"
#include "report/probing.h"

#define DAY_MS (INT64_C(86400) * 1000)
#define LONGEST_MS (366 * DAY_MS)
#define TEXT_MAX 480 /* of a purpose */
#define OUTPUT_MAX ((size_t)4 << 20)

/* ---- out ---- */

struct exported {
	struct matter matter;
	struct plan_terms terms;
	struct plan_life life;
	struct hash first; /* the first version */
	unsigned version;  /* from 0 */
};

static enum err read_plan(struct cli *c, const struct state *st, const char *id, struct exported *out)
{
	struct plan_life before;
	enum err e = cli_matter(c, st, id, &out->matter);

	if (e == OK && out->matter.kind != KIND_PLAN)
		e = fail(ERR_MATTER_UNKNOWN, "a %s, no plan", kind_name(out->matter.kind));
	if (e == OK)
		e = plan_terms_get(st, out->matter.index, &out->terms);
	if (e == OK && out->terms.sealed)
		e = fail(ERR_SEALED, "it is sealed, and tells nothing yet");
	if (e == OK)
		e = plan_life(st, out->matter.id, clock_now_ms(), &out->life);
	out->first = out->matter.id;
	out->version = 0;
	for (before = out->life; e == OK && before.has_before && out->version < 10000; out->version++) {
		out->first = before.before;
		e = plan_life(st, out->first, clock_now_ms(), &before);
	}
	return e;
}

/* Whom to ask about it: --contact, the plan's duty contact, the party's first mailbox. */
static enum err contact_of(struct cli *c, const struct state *st, const struct exported *x, struct span *out)
{
	const char *given = cli_option(c, "contact");
	struct span mail;
	struct party p;
	enum err e;

	*out = given != NULL ? span_of(given) : x->terms.contact;
	if (out->len > 0)
		return OK;
	e = state_party(st, x->matter.from, &p);
	if (e == OK && party_contact(&p, 0, &mail))
		*out = span_of(arena_print(c->arena, "mailto:%.*s", SPAN_FORMAT(mail)));
	return e == ERR_PARTY_UNKNOWN ? OK : e;
}

static struct span marker_of(const struct plan_terms *t, enum marker_kind k)
{
	for (size_t i = 0; i < t->marker_count; i++)
		if (t->markers[i].kind == k)
			return t->markers[i].value;
	return SPAN("");
}

static enum err export_probing(struct cli *c, const struct state *st, const struct exported *x, struct buffer *out)
{
	struct probing p = { .canonical = marker_of(&x->terms, MARKER_PROBING),
			     .description = x->terms.purpose,
			     .expires_ms = plan_terms_last_ms(&x->terms),
			     .contact_count = 1 };
	char id[HASH_HEX + 1];
	struct party node;
	enum err e = contact_of(c, st, x, &p.contacts[0]);

	hash_hex(x->matter.id, id);
	p.plan = span_of(arena_print(c->arena, "%s", id));
	if (e == OK && p.contacts[0].len == 0)
		e = fail(ERR_USAGE, "--contact: RFC 9511 wants one, and neither plan nor party names any");
	if (e == OK && (e = state_party(st, st->node, &node)) == OK && node.url.len > 0)
		p.plan = span_of(arena_print(c->arena, "%.*s/statements/%s", SPAN_FORMAT(node.url), id));
	return e == OK ? probing_print(&p, out) : e;
}

static enum maintnote_status status_of(enum plan_phase p)
{
	switch (p) {
	case PHASE_ACTIVE:
	case PHASE_UNCERTAIN:
	case PHASE_ALERT:
	case PHASE_DISTRESS:
		return MAINT_IN_PROCESS;
	case PHASE_CLOSED:
		return MAINT_COMPLETED;
	case PHASE_CANCELLED:
	case PHASE_CHANGED:
		return MAINT_CANCELLED;
	case PHASE_DELAYED:
	case PHASE_SUSPENDED:
		return MAINT_TENTATIVE;
	default:
		return MAINT_CONFIRMED;
	}
}

static enum err read_impact(struct cli *c, const struct exported *x, enum maintnote_impact *out)
{
	static const char *const words[IMPACT_COUNT] = { "none", "reduced-redundancy", "degraded", "outage" };
	const char *given = cli_option(c, "impact");

	*out = x->terms.activity == ACTIVITY_MAINTENANCE ? IMPACT_DEGRADED : IMPACT_NONE;
	for (int i = 0; given != NULL && i < IMPACT_COUNT; i++)
		if (strcmp(given, words[i]) == 0) {
			*out = (enum maintnote_impact)i;
			return OK;
		}
	return given == NULL ? OK : fail(ERR_USAGE, "--impact: none, reduced-redundancy, degraded or outage");
}

static enum err add_objects(struct cli *c, const struct plan_terms *t, struct maintnote *m)
{
	const size_t most = sizeof(m->objects) / sizeof(m->objects[0]);

	for (size_t i = 0; i < t->target_count && m->object_count < most; i++) {
		char *text = arena_alloc(c->arena, PREFIX_TEXT);

		if (text == NULL)
			return ERR_NO_MEMORY;
		m->objects[m->object_count++] = span_make(text, prefix_format(t->targets[i], text));
	}
	for (size_t i = 0; i < t->target_domain_count && m->object_count < most; i++)
		m->objects[m->object_count++] = t->target_domains[i];
	return OK;
}

/* One event keeps its UID through all versions; SEQUENCE tells them apart. */
static enum err make_note(struct cli *c, const struct state *st, const struct exported *x, struct maintnote *m)
{
	const char *account = cli_option(c, "account");
	char first[HASH_HEX + 1];
	enum err e;

	hash_hex(x->first, first);
	*m = (struct maintnote){ .uid = span_of(arena_print(c->arena, "%.32s@%.*s", first, SPAN_FORMAT(st->node))),
				 .summary = x->terms.purpose,
				 .provider = x->matter.from,
				 .account = account != NULL ? span_of(account) : SPAN("all"),
				 .id = span_of(arena_print(c->arena, "%.12s", first)),
				 .status = status_of(x->life.phase),
				 .sequence = x->version,
				 .start_ms = x->terms.start_ms,
				 .end_ms = x->terms.end_ms,
				 .repeat = x->terms.repeat,
				 .repeat_count = x->terms.repeat_count,
				 .stamp_ms = x->matter.logged_ms };
	e = contact_of(c, st, x, &m->organizer);
	if (e == OK && !span_starts(m->organizer, "mailto:"))
		m->organizer = SPAN("");
	if (e == OK)
		e = read_impact(c, x, &m->impact);
	return e == OK ? add_objects(c, &x->terms, m) : e;
}

static enum err export_all(struct cli *c, const struct state *st, bool probing, struct buffer *out)
{
	struct maintnote *notes = arena_array(c->arena, c->operand_count, sizeof(*notes));
	enum err e = notes != NULL ? OK : ERR_NO_MEMORY;

	if (probing && c->operand_count > 1)
		return fail(ERR_USAGE, "a probing.txt is of one plan");
	for (size_t i = 0; e == OK && i < c->operand_count; i++) {
		struct exported x = { 0 };

		e = read_plan(c, st, c->operands[i], &x);
		if (e == OK)
			e = probing ? export_probing(c, st, &x, out) : make_note(c, st, &x, &notes[i]);
	}
	return e == OK && !probing ? maintnotes_print(notes, c->operand_count, out) : e;
}

int cmd_plan_export(struct cli *c)
{
	const char *as = cli_option(c, "as");
	struct buffer out = BUFFER(OUTPUT_MAX);
	struct state st = { 0 };
	struct node *n = NULL;
	enum err e = OK;

	if (as == NULL || (strcmp(as, "probing") != 0 && strcmp(as, "calendar") != 0))
		e = fail(ERR_USAGE, "--as: probing or calendar");
	if (e == OK)
		e = node_open(c->dir, NODE_READ, &n);
	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = export_all(c, &st, strcmp(as, "probing") == 0, &out);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	if (e == OK && (fwrite(out.at, 1, out.len, stdout) != out.len || fflush(stdout) != 0))
		e = fail_errno("standard output");
	buffer_free(&out);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- in ---- */

/* What becomes a plan. */
struct draft {
	const char *activity;
	int64_t start_ms, end_ms;
	uint8_t repeat;
	uint32_t repeat_count;
	struct span purpose, contact, probing;
	const struct span *targets; /* as `target` has them */
	size_t target_count;
};

/* Statements are ASCII in one line; what is not becomes '?'. */
static enum err plain(struct cli *c, struct span text, struct span *out)
{
	size_t n = 0;
	char *copy = arena_alloc(c->arena, text.len + 1);

	if (copy == NULL)
		return ERR_NO_MEMORY;
	while (text.len > 0 && n < TEXT_MAX) {
		size_t width = span_utf8_length(text);
		char one = width == 1 && text.at[0] >= ' ' && text.at[0] <= '~' ? text.at[0] : width == 1 ? ' ' : '?';

		if (one != ' ' || (n > 0 && copy[n - 1] != ' '))
			copy[n++] = one;
		text = span_from(text, width > 0 ? width : 1);
	}
	*out = span_trim(span_make(copy, n));
	return OK;
}

static enum err draft_of_note(struct cli *c, const struct maintnote *m, struct draft *d)
{
	struct span *targets = arena_array(c->arena, m->object_count, sizeof(*targets));
	enum err e = targets != NULL ? OK : ERR_NO_MEMORY;

	*d = (struct draft){ .activity = "maintenance",
			     .start_ms = m->start_ms,
			     .end_ms = m->end_ms,
			     .repeat = m->repeat,
			     .repeat_count = m->repeat_count,
			     .contact = span_starts(m->organizer, "mailto:") ? m->organizer : SPAN(""),
			     .targets = targets };
	for (size_t i = 0; e == OK && i < m->object_count; i++) {
		char *text = arena_alloc(c->arena, PREFIX_TEXT);
		struct prefix p;

		if (text == NULL)
			return ERR_NO_MEMORY;
		if (prefix_parse(m->objects[i], &p) == OK)
			targets[d->target_count++] = span_make(text, prefix_format(p, text));
		else if (span_is_domain(m->objects[i]))
			targets[d->target_count++] = m->objects[i];
	}
	return e == OK ? plain(c, m->summary, &d->purpose) : e;
}

static enum err draft_of_probing(struct cli *c, const struct probing *p, struct draft *d)
{
	int64_t now = (clock_now_ms() / 1000 + 1) * 1000;

	*d = (struct draft){ .activity = "measurement",
			     .start_ms = now,
			     .end_ms = p->expires_ms - now > LONGEST_MS ? now + LONGEST_MS : p->expires_ms,
			     .contact = span_starts(p->contacts[0], "https:") ? SPAN("") : p->contacts[0],
			     .probing = p->canonical };
	return plain(c, p->description, &d->purpose);
}

/* As statements write a prefix; what is none the statement refuses. */
static void add_source(struct statement_writer *w, struct span value)
{
	char text[PREFIX_TEXT];
	struct prefix p;

	if (prefix_parse(value, &p) == OK)
		value = span_make(text, prefix_format(p, text));
	statement_add(w, "source", value);
}

static void write_draft(struct cli *c, struct statement_writer *w, const struct draft *d)
{
	const char *value;

	statement_add(w, "to", SPAN("all"));
	statement_add(w, "activity", span_of(d->activity));
	statement_add_time(w, "start", d->start_ms);
	statement_add_time(w, "end", d->end_ms);
	if (d->repeat != REPEAT_NONE)
		statement_add_print(w, "repeat", "%s %u", d->repeat == REPEAT_DAILY ? "daily" : "weekly",
				    d->repeat_count);
	for (size_t at = 0; (value = cli_next(c, "source", &at)) != NULL;)
		add_source(w, span_of(value));
	if (d->target_count == 0)
		statement_add(w, "target", SPAN("any"));
	for (size_t i = 0; i < d->target_count; i++)
		statement_add(w, "target", d->targets[i]);
	if (d->probing.len > 0)
		statement_add_print(w, "marker", "probing %.*s", SPAN_FORMAT(d->probing));
	statement_add(w, "purpose", d->purpose.len > 0 ? d->purpose : span_of(d->activity));
	if (d->contact.len > 0)
		statement_add(w, "contact", d->contact);
	if (cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
}

/* *count drafts; what is over or cancelled is none, and is counted in *left. */
static enum err read_drafts(struct cli *c, struct draft **drafts, size_t *count, size_t *left)
{
	struct maintnote *notes = NULL;
	struct probing p;
	struct span text;
	size_t n = 0;
	enum err e = file_read(c->arena, c->operands[0], MAINTNOTE_MAX, &text);

	*count = *left = 0;
	if (e != OK)
		return e;
	if (memmem(text.at, text.len, "BEGIN:VCALENDAR", 15) == NULL) {
		if ((*drafts = arena_array(c->arena, 1, sizeof(**drafts))) == NULL)
			return ERR_NO_MEMORY;
		e = probing_parse(text, clock_now_ms(), &p);
		if (e == OK)
			e = draft_of_probing(c, &p, &(*drafts)[(*count)++]);
		return e;
	}
	e = maintnotes_parse(c->arena, text, &notes, &n);
	if (e == OK && (*drafts = arena_array(c->arena, n, sizeof(**drafts))) == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == OK && i < n; i++) {
		if (notes[i].status == MAINT_CANCELLED || notes[i].status == MAINT_COMPLETED)
			(*left)++;
		else
			e = draft_of_note(c, &notes[i], &(*drafts)[(*count)++]);
	}
	return e;
}

static enum err file_drafts(struct cli *c, struct node *n, const struct draft *drafts, size_t count,
			    struct appended *out)
{
	const struct signer *key;
	enum err e = act_signer(c, n, &key);

	for (size_t i = 0; e == OK && i < count; i++) {
		struct statement_writer w = { 0 };

		statement_begin(&w, KIND_PLAN, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
		statement_add_time(&w, "date", clock_now_ms());
		write_draft(c, &w, &drafts[i]);
		e = act_add(n, &w, key, &out[i]);
	}
	return e;
}

int cmd_plan_import(struct cli *c)
{
	struct appended *filed = NULL;
	struct draft *drafts = NULL;
	struct node *n = NULL;
	size_t count = 0, left = 0;
	enum err e = read_drafts(c, &drafts, &count, &left);

	if (e == OK && cli_option(c, "source") == NULL)
		e = fail(ERR_USAGE, "--source PREFIX: no calendar and no probing.txt says from where");
	if (e == OK && (filed = arena_array(c->arena, count, sizeof(*filed))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK && (e = act_begin(c, &n)) == OK)
		e = act_end(n, file_drafts(c, n, drafts, count, filed));
	if (e != OK)
		return cli_fail(c, e);
	for (size_t i = 0; i < count; i++)
		act_report(c, "plan", &filed[i]);
	if (left > 0 && !c->json)
		printf("%zu event%s left out: cancelled or completed\n", left, left == 1 ? "" : "s");
	return EXIT_OK;
}
