/* Agreements between two: offered, signed, read, and what is said of them. */
#include "cli/agreeing.h"
#include "cli/assets.h"
#include "regime/core_code.h"
#include "regime/promises.h"
#include "regime/words.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define START_IN_MS (7 * DAY_MS) /* so that the other has time to sign */
#define LASTS_MS (366 * DAY_MS)

static struct span kept(struct cli *c, struct span s)
{
	const char *copy = arena_copy(c->arena, s.at, s.len);

	return copy != NULL ? span_make(copy, s.len) : SPAN("");
}

/* ---- agreement asset ---- */

int cmd_agreement_asset(struct cli *c)
{
	struct node *n = NULL;
	struct asset a;
	char hex[HASH_HEX + 1];
	enum err e = act_begin(c, &n); /* who writes here, writes alone */

	if (e == OK)
		e = asset_commit(c, span_of(c->operands[0]), span_of(c->operands[1]), &a);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	hash_hex(a.commitment, hex);
	if (c->json) {
		struct json *j = cli_object(c);

		json_string(j, "set", a.set);
		json_text(j, "commitment", hex);
		cli_object_end(c);
	} else {
		printf("%.*s=%s\n", SPAN_FORMAT(a.set), hex);
	}
	return EXIT_OK;
}

/* ---- agreement offer ---- */

static void add_given(struct cli *c, struct statement_writer *w, const char *name, const char *fallback)
{
	const char *text = cli_option(c, name);

	if (text == NULL)
		text = fallback;
	if (text != NULL)
		statement_add(w, name, span_of(text));
}

static enum err add_times(struct cli *c, struct statement_writer *w)
{
	int64_t start_ms = 0, end_ms = 0, now = clock_now_ms();
	enum err e = cli_time(c, "start", (now + START_IN_MS) / DAY_MS * DAY_MS, &start_ms);

	if (e == OK)
		e = cli_time(c, "end", start_ms + LASTS_MS, &end_ms);
	if (e != OK)
		return e;
	statement_add_time(w, "start", start_ms);
	statement_add_time(w, "end", end_ms);
	return OK;
}

/* Those that both recognise, unless it is said which. */
static enum err add_codes(struct cli *c, struct node *n, struct span from, struct span other,
			  struct statement_writer *w)
{
	struct buffer list = BUFFER(1000);
	uint32_t joint = 0;
	enum err e;

	if (cli_option(c, "codes") != NULL) {
		statement_add(w, "codes", span_of(cli_option(c, "codes")));
		return OK;
	}
	e = codes_joint(node_batch_state(n), from, other, clock_now_ms(), &joint);
	for (unsigned code = 1; code <= CORE_CODE_COUNT_MAX; code++)
		if ((joint & 1u << (code - 1)) != 0)
			buffer_print(&list, "%s%u", list.len > 0 ? "," : "", code);
	if (e == OK && joint == 0)
		e = fail(ERR_NOT_RECOGNISED, "the two have no code in common");
	if (e == OK)
		statement_add_buffer(w, "codes", &list);
	else
		buffer_free(&list);
	return e;
}

static void add_asset(struct statement_writer *w, const struct asset *a, struct span whose)
{
	char hex[HASH_HEX + 1];

	hash_hex(a->commitment, hex);
	statement_add_print(w, "asset", "%.*s %s %.*s", SPAN_FORMAT(a->set), hex, SPAN_FORMAT(whose));
}

static enum err add_assets(struct cli *c, struct span from, struct span other, struct statement_writer *w)
{
	struct asset *own, theirs;
	const char *text;
	size_t count, at = 0;
	enum err e = OK;

	while (e == OK && (text = cli_next(c, "their-asset", &at)) != NULL)
		if ((e = asset_named(text, &theirs)) == OK)
			add_asset(w, &theirs, other);
	if (e == OK)
		e = assets_commit(c, "asset", &own, &count);
	for (size_t i = 0; e == OK && i < count; i++)
		add_asset(w, &own[i], from);
	return e;
}

/* Both parties name one vocabulary, one depositary, and the same lines. */
static enum err write_offer(void *context, struct cli *c, struct node *n, struct span from, struct statement_writer *w)
{
	const struct filing *f = context;
	struct addressee to = { .type = TO_PARTY, .domain = span_of(cli_option(c, "with")) };
	bool first = span_compare(from, to.domain) < 0;
	const char *term;
	size_t at = 0;
	enum err e;

	if (!span_is_domain(to.domain) || span_equal(from, to.domain))
		return fail(ERR_USAGE, "--with wants the domain of another party");
	statement_add_to(w, &to);
	statement_add(w, "party", first ? from : to.domain);
	statement_add(w, "party", first ? to.domain : from);
	statement_add(w, "depositary", f->depositary);
	e = add_times(c, w);
	add_given(c, w, "exit-notice", "90d");
	add_given(c, w, "consult", NULL);
	add_given(c, w, "restore", NULL);
	if (e == OK)
		e = add_codes(c, n, from, to.domain, w);
	while (e == OK && (term = cli_next(c, "term", &at)) != NULL)
		statement_add(w, "term", span_of(term));
	if (e == OK)
		e = add_assets(c, from, to.domain, w);
	if (e == OK && cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
	return e;
}

/* This node's own name, where nothing else is said. */
static enum err read_depositary(struct cli *c, struct span *out)
{
	const char *given = cli_option(c, "depositary");
	struct node *n = NULL;
	enum err e;

	if (given != NULL)
		return act_party(given, out);
	e = node_open(c->dir, NODE_READ, &n);
	if (e == OK)
		*out = kept(c, node_name(n));
	node_close(n);
	return e;
}

int cmd_agreement_offer(struct cli *c)
{
	struct filing f = { .kind = KIND_AGREEMENT, .what = "offer", .write = write_offer, .context = &f };
	enum err e = read_depositary(c, &f.depositary);

	if (e == OK && cli_option(c, "with") == NULL)
		e = fail(ERR_USAGE, "--with DOMAIN says whom it is offered to");
	if (e == OK && cli_option(c, "term") == NULL)
		e = fail(ERR_USAGE, "--term TERM: an agreement has at least one");
	if (e == OK)
		e = agreeing_file(c, &f);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- shown ---- */

static void show_side(const struct agreement *a, const struct agreement_term *t, unsigned side)
{
	const struct term_side *s = &t->sides[side];
	char until[CLOCK_TEXT];

	if (t->term.of.len > 0 && !span_equal(t->term.of, a->party[side]))
		return;
	if (s->last.until_ms == 0)
		return;
	cli_date(s->last.until_ms, until);
	printf("             %.*s: %s in the window to %.10s\n", SPAN_FORMAT(a->party[side]), window_name(s->judged),
	       until);
}

static void show_term(const struct agreement *a, const struct agreement_term *t)
{
	struct buffer text = BUFFER(4096);
	char until[CLOCK_TEXT];

	promise_tell(&t->term, &text);
	printf("  term       ");
	cli_column(t->term.name, 12);
	if (t->term.of.len > 0)
		printf("only %.*s: ", SPAN_FORMAT(t->term.of));
	else
		printf("both alike: ");
	cli_print(buffer_view(&text));
	if (t->term.gives != GIVES_NOTHING)
		printf("; while it is kept, they give each other %s",
		       t->term.gives == GIVES_SHARE ? "what they share in collections"
						    : "help that is not for critical infrastructure");
	printf("\n");
	buffer_free(&text);
	if (t->course.since_ms != 0) {
		cli_date(t->course.since_ms, until);
		printf("             %s since %.10s; %u windows met, %u missed, %u with too few\n",
		       course_state_name(t->course.state), until, t->course.met, t->course.missed, t->course.too_few);
	}
	if (t->course.consult_until_ms != 0) {
		cli_date(t->course.consult_until_ms, until);
		printf("             both are to talk until %.10s, or it is suspended\n", until);
	}
	show_side(a, t, 0);
	show_side(a, t, 1);
}

static void show_times(const struct agreement *a)
{
	char start[CLOCK_TEXT], end[CLOCK_TEXT], notice[CLOCK_TEXT], consult[CLOCK_TEXT];

	cli_date(a->start_ms, start);
	cli_date(a->end_ms, end);
	clock_format_duration(a->exit_notice_ms, notice);
	clock_format_duration(a->rules.consult_ms, consult);
	printf("  holds      from %.10s to %.10s; who leaves stays bound for %s\n", start, end, notice);
	printf("  if missed  one window never suspends; after two in a row there are %s to talk; then that term alone "
	       "rests, until %u good window%s restore%s it\n",
	       consult, a->rules.restore, a->rules.restore == 1 ? "" : "s in a row", a->rules.restore == 1 ? "s" : "");
	printf("  floor      notices, answers, plans, releases and help for critical infrastructure never rest\n");
}

static enum err show_assets(struct cli *c, const struct agreement *a)
{
	struct kept_asset *all;
	size_t count;
	enum err e = assets_kept(c, &all, &count);

	for (size_t i = 0; e == OK && i < a->asset_count; i++) {
		const struct kept_asset *k = assets_find(all, count, a->assets[i].asset.commitment);
		char hex[HASH_HEX + 1];

		hash_hex(a->assets[i].asset.commitment, hex);
		printf("  asset      %.*s of %.*s: %.12s…%s%s\n", SPAN_FORMAT(a->assets[i].asset.set),
		       SPAN_FORMAT(a->party[a->assets[i].side]), hex, k != NULL ? "  " : "",
		       k != NULL ? cli_addressee(c, &k->resource) : "");
	}
	return e;
}

static enum err show(struct cli *c, const struct agreement *a)
{
	char hex[HASH_HEX + 1];

	hash_hex(a->id, hex);
	printf("%s%.*s and %.*s%s: %s%s\n", cli_bold(c), SPAN_FORMAT(a->party[0]), SPAN_FORMAT(a->party[1]),
	       cli_plain(c), agreement_phase_name(a->phase), a->demonstration ? ", a demonstration" : "");
	printf("  id         %s\n  offered    by %.*s\n  kept by    %.*s, whose ledgers are counted and no other's\n",
	       hex, SPAN_FORMAT(a->offered_by), SPAN_FORMAT(a->depositary));
	show_times(a);
	for (size_t i = 0; i < a->term_count; i++)
		show_term(a, &a->terms[i]);
	return show_assets(c, a);
}

static void print_json(const struct agreement *a)
{
	struct buffer line = BUFFER((size_t)1 << 20);

	agreement_print(a, &line);
	printf("%.*s\n", SPAN_FORMAT(buffer_view(&line)));
	buffer_free(&line);
}

static enum err show_breach(void *context, const struct breach *b)
{
	char hex[HASH_HEX + 1], when[CLOCK_TEXT];

	(void)context;
	hash_hex(b->answer, hex);
	cli_date(b->alleged_ms, when);
	printf("  breach     %.12s of %.*s, alleged by %.*s on %.10s%s\n", hex, SPAN_FORMAT(b->term),
	       SPAN_FORMAT(b->by), when, b->disputed ? "; disputed: it counts for neither" : "");
	return OK;
}

int cmd_agreement_show(struct cli *c)
{
	struct reading from;
	struct agreement a;
	enum err e = agreeing_find(c, c->operands[0], &from, &a);

	if (e == OK && c->json) {
		print_json(&a);
	} else if (e == OK) {
		e = show(c, &a);
		if (e == OK)
			e = agreement_breaches(&from.st, a.id, show_breach, NULL);
	}
	reading_end(&from);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

static enum err list_one(void *context, const struct state *st, const struct agreement *a)
{
	struct cli *c = context;
	char hex[HASH_HEX + 1];
	size_t resting = 0;

	(void)st;
	if (c->json) {
		print_json(a);
		return OK;
	}
	for (size_t i = 0; i < a->term_count; i++)
		resting += a->phase == AGREEMENT_IN_FORCE && !course_flows(&a->terms[i].course);
	hash_hex(a->id, hex);
	printf("%.12s  ", hex);
	cli_column(a->party[0], 24);
	cli_column(a->party[1], 24);
	cli_column(span_of(agreement_phase_name(a->phase)), 13);
	printf("%zu term%s", a->term_count, a->term_count == 1 ? "" : "s");
	if (resting > 0)
		printf(", %zu suspended", resting);
	printf("\n");
	return OK;
}

int cmd_agreement_list(struct cli *c)
{
	struct span party;
	enum err e = act_party(c->operand_count > 0 ? c->operands[0] : NULL, &party);

	if (e == OK)
		e = agreeing_walk(c, party, list_one, c);

	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- agreement sign ---- */

struct signing {
	struct hash offer;
	struct statement s; /* the offer, whose lines are signed */
	struct span offered_by;
};

/* Not the offer's own: ledger, from, key, date and whom it was to. */
static bool is_copied(struct span name)
{
	static const char *const own[] = { "ledger", "from", "key", "date", "to", "re" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (span_is(name, own[i]))
			return false;
	return true;
}

static enum err write_second(void *context, struct cli *c, struct node *n, struct span from, struct statement_writer *w)
{
	const struct signing *s = context;
	struct addressee to = { .type = TO_PARTY, .domain = s->offered_by };
	char name[64];

	(void)c;
	(void)n;
	if (s->s.to_count != 1 || s->s.to[0].type != TO_PARTY || !span_equal(s->s.to[0].domain, from))
		return fail(ERR_NOT_YOURS, "it was not offered to %.*s: --from names the party that signs",
			    SPAN_FORMAT(from));
	statement_add_to(w, &to);
	for (size_t i = 0; i < s->s.header_count; i++) {
		const struct header *h = &s->s.headers[i];

		if (!is_copied(h->name) || h->name.len >= sizeof(name))
			continue;
		memcpy(name, h->name.at, h->name.len);
		name[h->name.len] = '\0';
		statement_add(w, name, h->value);
	}
	statement_add_hash(w, "re", s->offer);
	return OK;
}

/* Nobody signs unseen: the terms are printed, and only --yes signs them. */
int cmd_agreement_sign(struct cli *c)
{
	struct signing s = { .offered_by = SPAN("") };
	struct filing f = { .kind = KIND_AGREEMENT, .what = "signature", .write = write_second, .context = &s };
	struct reading from;
	struct agreement a;
	unsigned side = 0;
	enum err e = agreeing_find(c, c->operands[0], &from, &a);

	if (e == OK && a.phase != AGREEMENT_OFFERED)
		e = fail(ERR_AGREEMENT, "it is %s", agreement_phase_name(a.phase));
	if (e == OK) {
		side = span_equal(a.offered_by, a.party[1]);
		s.offer = a.statement[side];
		s.offered_by = kept(c, a.offered_by);
		f.depositary = kept(c, a.depositary);
		e = agreeing_statement(c, &from, &a, side, &s.s);
	}
	if (e == OK && !c->json)
		e = show(c, &a);
	reading_end(&from);
	if (e == OK && !cli_flag(c, "yes"))
		e = fail(ERR_USAGE, "nothing is signed yet: --yes signs these terms");
	if (e == OK)
		e = agreeing_file(c, &f);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- what is said of one ---- */

struct saying {
	struct hash re;
	const char *outcome; /* NULL: a withdrawal */
	const char *term;
	bool opens, disputes;
	struct kept_asset asset;
	struct hash evidence;
};

static enum err write_saying(void *context, struct cli *c, struct node *n, struct span from, struct statement_writer *w)
{
	const struct saying *s = context;
	struct buffer resource = BUFFER(1000);

	(void)n;
	(void)from;
	statement_add_hash(w, "re", s->re);
	if (s->outcome != NULL)
		statement_add(w, "outcome", span_of(s->outcome));
	if (s->term != NULL)
		statement_add(w, "term", span_of(s->term));
	if (s->opens) {
		addressee_print(&s->asset.resource, &resource);
		statement_add_hash(w, "opens", s->asset.commitment);
		statement_add_buffer(w, "asset", &resource);
		statement_add_hash(w, "salt", s->asset.salt);
	}
	if (s->opens || s->disputes)
		statement_add_hash(w, "evidence", s->evidence);
	if (cli_option(c, "text") != NULL)
		statement_add(w, "text", span_of(cli_option(c, "text")));
	return OK;
}

static bool is_signed(const struct agreement *a, unsigned side)
{
	static const struct hash none = { { 0 } };

	return !hash_equal(a->statement[side], none);
}

/* Which of the two speaks: --from, or this node. */
static enum err speaking_side(struct cli *c, const struct agreement *a, unsigned *side)
{
	const char *from = cli_option(c, "from");
	struct span who = from != NULL ? span_of(from) : SPAN("");
	struct node *n = NULL;
	enum err e = OK;

	if (from == NULL && (e = node_open(c->dir, NODE_READ, &n)) == OK)
		who = kept(c, node_name(n));
	node_close(n);
	if (e != OK)
		return e;
	*side = span_equal(who, a->party[1]);
	if (!span_equal(who, a->party[*side]))
		return fail(ERR_NOT_YOURS, "%.*s is no party to it: --from names one", SPAN_FORMAT(who));
	return OK;
}

/* own: re the speaker's own statement; else the offer. */
static enum err say(struct cli *c, const char *what, struct saying *s, bool own,
		    enum err (*prepare)(struct cli *, const struct reading *, const struct agreement *, unsigned side,
					struct saying *))
{
	struct filing f = { .kind = s->outcome == NULL ? KIND_WITHDRAW : KIND_ANSWER,
			    .what = what,
			    .write = write_saying,
			    .context = s };
	struct reading from;
	struct agreement a;
	unsigned side = 0;
	enum err e = agreeing_find(c, c->operands[0], &from, &a);

	if (e == OK)
		e = speaking_side(c, &a, &side);
	if (e == OK && own && !is_signed(&a, side))
		e = fail(ERR_AGREEMENT, "%.*s did not sign it", SPAN_FORMAT(a.party[side]));
	if (e == OK) {
		s->re = a.statement[own ? side : (unsigned)span_equal(a.offered_by, a.party[1])];
		f.depositary = kept(c, a.depositary);
	}
	if (e == OK && prepare != NULL)
		e = prepare(c, &from, &a, side, s);
	reading_end(&from);
	return e == OK ? agreeing_file(c, &f) : e;
}

int cmd_agreement_resolve(struct cli *c)
{
	struct saying s = { .outcome = "resolved", .term = c->operands[1] };
	enum err e = say(c, "resolution", &s, false, NULL);

	return e == OK ? EXIT_OK : cli_fail(c, e);
}

int cmd_agreement_decline(struct cli *c)
{
	struct saying s = { .outcome = "objected" };
	enum err e = say(c, "answer", &s, false, NULL);

	return e == OK ? EXIT_OK : cli_fail(c, e);
}

int cmd_agreement_leave(struct cli *c)
{
	struct saying s = { .outcome = NULL };
	enum err e = say(c, "withdrawal", &s, true, NULL);

	return e == OK ? EXIT_OK : cli_fail(c, e);
}

static enum err find_asset(struct cli *c, const struct agreement *a, unsigned side, const struct addressee *resource,
			   struct kept_asset *out)
{
	struct kept_asset *all;
	size_t count;
	enum err e = assets_kept(c, &all, &count);

	for (size_t i = 0; e == OK && i < a->asset_count; i++) {
		const struct kept_asset *k =
			a->assets[i].side == side ? assets_find(all, count, a->assets[i].asset.commitment) : NULL;

		if (k != NULL && addressee_equal(&k->resource, resource)) {
			*out = *k;
			return OK;
		}
	}
	return e == OK ? fail(ERR_NOT_FOUND, "%s/assets: it opens no commitment of this agreement to that asset",
			      c->dir)
		       : e;
}

static enum err prepare_allegation(struct cli *c, const struct reading *from, const struct agreement *a, unsigned side,
				   struct saying *s)
{
	const char *resource = cli_option(c, "asset"), *evidence = cli_option(c, "evidence");
	struct addressee asset;
	struct matter m = { 0 };
	enum err e = OK;

	if (resource == NULL || evidence == NULL)
		e = fail(ERR_USAGE, "--asset RESOURCE and --evidence ID: what was touched, and what shows it");
	else if (addressee_parse(span_of(resource), &asset) != OK)
		e = fail(ERR_USAGE, "`%s`: AS64500, prefix 192.0.2.0/24, country EE or a domain", resource);
	if (e == OK)
		e = find_asset(c, a, side, &asset, &s->asset);
	if (e == OK)
		e = cli_matter(c, &from->st, evidence, &m);
	s->evidence = m.id;
	s->opens = true;
	return e;
}

int cmd_agreement_allege(struct cli *c)
{
	struct saying s = { .outcome = "breach-alleged", .term = c->operands[1] };
	enum err e = say(c, "allegation", &s, false, prepare_allegation);

	return e == OK ? EXIT_OK : cli_fail(c, e);
}

static enum err prepare_dispute(struct cli *c, const struct reading *from, const struct agreement *a, unsigned side,
				struct saying *s)
{
	struct matter m = { 0 };
	enum err e = cli_matter(c, &from->st, c->operands[1], &m);

	(void)a;
	(void)side;
	s->evidence = m.id;
	s->disputes = true;
	return e;
}

int cmd_agreement_dispute(struct cli *c)
{
	struct saying s = { .outcome = "disputed" };
	enum err e = say(c, "dispute", &s, false, prepare_dispute);

	return e == OK ? EXIT_OK : cli_fail(c, e);
}
