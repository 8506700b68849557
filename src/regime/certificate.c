#include "regime/certificate_private.h"

#include <assert.h>
#include <stdlib.h>

#include "regime/kinds_private.h"
#include "regime/purl.h"

#define TEXT_MAX 280
#define WORD_MAX 64
#define TEN_YEARS_MS (INT64_C(3653) * 24 * 60 * 60 * 1000)

static const struct {
	const char *name, *type;
} predicates[PREDICATE_COUNT] = {
	[PREDICATE_EVALUATION] = { "evaluation", "comity:evaluation/v1" },
	[PREDICATE_VALIDATION] = { "validation", "comity:validation/v1" },
	[PREDICATE_DECLARATION] = { "declaration", "comity:declaration/v1" },
	[PREDICATE_COUNTER] = { "counter", "comity:counter/v1" },
	[PREDICATE_STATUS] = { "status", "comity:status/v1" },
	[PREDICATE_CANARY] = { "canary", "comity:canary/v1" },
	[PREDICATE_RELEASE] = { "release", "comity:release/v1" },
	[PREDICATE_SEEN] = { "seen", "comity:seen/v1" },
};

#define CLAIMS (BIT(PREDICATE_EVALUATION) | BIT(PREDICATE_VALIDATION) | BIT(PREDICATE_DECLARATION))

static const char *const statuses[STATUS_COUNT] = { "valid", "conditional", "suspended", "withdrawn" };

const char *predicate_name(enum predicate p)
{
	assert((unsigned)p < PREDICATE_COUNT);
	return predicates[p].name;
}

bool predicate_is_claim(enum predicate p)
{
	return (CLAIMS & BIT(p)) != 0;
}

const char *predicate_type(enum predicate p)
{
	assert((unsigned)p < PREDICATE_COUNT);
	return predicates[p].type;
}

const char *certificate_status_name(enum certificate_status s)
{
	assert((unsigned)s < STATUS_COUNT);
	return statuses[s];
}

static int shown(struct span s)
{
	return s.len > 80 ? 80 : (int)s.len;
}

enum err predicate_parse(struct span name, enum predicate *out)
{
	for (int p = 0; p < PREDICATE_COUNT; p++)
		if (span_is(name, predicates[p].name)) {
			*out = (enum predicate)p;
			return OK;
		}
	return fail(ERR_STATEMENT_HEADER, "predicate: no predicate %.*s", shown(name), name.len > 0 ? name.at : "");
}

enum err certificate_status_parse(struct span name, enum certificate_status *out)
{
	for (int s = 0; s < STATUS_COUNT; s++)
		if (span_is(name, statuses[s])) {
			*out = (enum certificate_status)s;
			return OK;
		}
	return fail(ERR_STATEMENT_HEADER, "status: valid, conditional, suspended or withdrawn");
}

/* ---- which headers a predicate has ---- */

enum field {
	SUBJECT = 1 << 0,
	SCHEME = 1 << 1,
	LEVEL = 1 << 2,
	LABORATORY = 1 << 3,
	START = 1 << 4,
	END = 1 << 5,
	RE = 1 << 6,
	CITES = 1 << 7,
	STATUS = 1 << 8,
	REASON = 1 << 9,
	TEXT = 1 << 10,
	NAME = 1 << 11,
	BODY = 1 << 12,
	PRODUCT = 1 << 13,
	VERSION = 1 << 14,
	REGIONS = 1 << 15,
	ARTEFACT = 1 << 16,
};
static const struct {
	const char *name;
	unsigned field;
} fields[] = {
	{ "subject", SUBJECT },	  { "scheme", SCHEME },	  { "level", LEVEL },	  { "laboratory", LABORATORY },
	{ "start", START },	  { "end", END },	  { "re", RE },		  { "cites", CITES },
	{ "status", STATUS },	  { "reason", REASON },	  { "text", TEXT },	  { "name", NAME },
	{ "body", BODY },	  { "product", PRODUCT }, { "version", VERSION }, { "regions", REGIONS },
	{ "artefact", ARTEFACT },
};

static const struct {
	unsigned needs, may;
} shapes[PREDICATE_COUNT] = {
	[PREDICATE_EVALUATION] = { SUBJECT | END | BODY, SCHEME | LEVEL | LABORATORY | START | CITES },
	[PREDICATE_VALIDATION] = { RE | SUBJECT | END | BODY, SCHEME | LEVEL | LABORATORY | START | CITES },
	[PREDICATE_DECLARATION] = { SUBJECT | BODY, SCHEME | LEVEL | LABORATORY | START | END | CITES },
	[PREDICATE_COUNTER] = { RE, TEXT | BODY | SUBJECT | START | END | CITES },
	[PREDICATE_STATUS] = { RE | STATUS, REASON | BODY | SUBJECT | CITES },
	[PREDICATE_CANARY] = { NAME | END, TEXT | RE | START | BODY | SUBJECT | CITES },
	[PREDICATE_RELEASE] = { PRODUCT | VERSION | REGIONS | ARTEFACT, BODY | SUBJECT | CITES },
	[PREDICATE_SEEN] = { RE | ARTEFACT, BODY | SUBJECT | CITES },
};

/* What its `re` may be about. */
static unsigned about(enum predicate p)
{
	switch (p) {
	case PREDICATE_VALIDATION:
		return BIT(PREDICATE_EVALUATION) | BIT(PREDICATE_VALIDATION);
	case PREDICATE_STATUS:
		return CLAIMS;
	case PREDICATE_COUNTER:
		return CLAIMS | BIT(PREDICATE_COUNTER) | BIT(PREDICATE_STATUS) | BIT(PREDICATE_RELEASE) |
		       BIT(PREDICATE_SEEN);
	case PREDICATE_CANARY:
		return BIT(PREDICATE_CANARY);
	case PREDICATE_SEEN:
		return BIT(PREDICATE_RELEASE);
	default:
		return 0;
	}
}

static enum err check_shape(const struct statement *s, enum predicate p)
{
	unsigned present = 0;

	for (size_t i = 0; i < s->header_count; i++)
		for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++)
			if (span_is(s->headers[i].name, fields[f].name))
				present |= fields[f].field;
	for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
		if ((shapes[p].needs & fields[f].field) != 0 && (present & fields[f].field) == 0)
			return fail(ERR_STATEMENT_HEADER, "%s: missing in a certificate of predicate %s",
				    fields[f].name, predicates[p].name);
		if ((present & fields[f].field & ~(shapes[p].needs | shapes[p].may)) != 0)
			return fail(ERR_STATEMENT_HEADER, "%s: a certificate of predicate %s has none", fields[f].name,
				    predicates[p].name);
	}
	if (p == PREDICATE_COUNTER && (present & (TEXT | BODY)) == 0)
		return fail(ERR_STATEMENT_HEADER, "text: a counter says what it objects to, here or in its body");
	return OK;
}

/* ---- their values ---- */

enum err subject_parse(struct arena *a, struct span text, struct span *out, struct span *general)
{
	struct span bare, version;
	struct hash h;
	char *both;
	enum err e;

	*general = SPAN("");
	if (span_starts(text, "sha256:")) {
		*out = text;
		return hash_from_hex(span_from(text, 7), &h) == OK
			       ? OK
			       : fail(ERR_CERTIFICATE, "sha256: takes 64 digits of lower-case hex");
	}
	if ((e = purl_parse(a, text, &bare, &version)) != OK)
		return e;
	*out = bare;
	if (version.len == 0)
		return OK;
	both = arena_print(a, "%.*s@%.*s", SPAN_FORMAT(bare), SPAN_FORMAT(version));
	if (both == NULL)
		return ERR_NO_MEMORY;
	*out = span_of(both);
	*general = bare;
	return OK;
}

static enum err read_subjects(const struct state *st, const struct statement *s, struct certificate *c)
{
	struct span *sorted, written, general;
	size_t n = 0;
	enum err e = OK;

	for (size_t i = 0; i < s->header_count; i++)
		n += span_is(s->headers[i].name, "subject");
	c->subjects = arena_array(st->arena, n, sizeof(*c->subjects));
	sorted = arena_array(st->arena, n, sizeof(*sorted));
	if (c->subjects == NULL || sorted == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		struct span value = s->headers[i].value;

		if (!span_is(s->headers[i].name, "subject"))
			continue;
		e = subject_parse(st->arena, value, &written, &general);
		if (e == ERR_CERTIFICATE)
			e = fail(ERR_STATEMENT_HEADER, "subject: %.*s is neither sha256:<hex> nor a package URL",
				 shown(value), value.at);
		if (e == OK && !span_equal(written, value))
			e = fail(ERR_STATEMENT_HEADER, "subject: it is written %.*s", shown(written), written.at);
		sorted[c->subject_count] = value;
		c->subjects[c->subject_count++] = value;
	}
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), span_order);
	for (size_t i = 1; e == OK && i < n; i++)
		if (span_equal(sorted[i - 1], sorted[i]))
			e = fail(ERR_STATEMENT_HEADER, "subject: %.*s stands there twice", shown(sorted[i]),
				 sorted[i].at);
	return e;
}

static enum err read_cites(const struct state *st, const struct statement *s, struct certificate *c)
{
	c->cites = arena_array(st->arena, CERTIFICATE_CITES_MAX, sizeof(*c->cites));
	if (c->cites == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < s->header_count; i++) {
		struct hash h;

		if (!span_is(s->headers[i].name, "cites"))
			continue;
		if (hash_from_hex(s->headers[i].value, &h) != OK)
			return fail(ERR_STATEMENT_HEADER,
				    "cites: the id of a certificate, 64 digits of lower-case hex");
		for (size_t j = 0; j < c->cite_count; j++)
			if (hash_equal(c->cites[j], h))
				return fail(ERR_STATEMENT_HEADER, "cites: %.12s stands there twice",
					    s->headers[i].value.at);
		assert(c->cite_count < CERTIFICATE_CITES_MAX); /* the row of the kind counted them */
		c->cites[c->cite_count++] = h;
	}
	return OK;
}

static enum err read_times(const struct statement *s, struct certificate *c)
{
	int64_t from;
	enum err e = value_time(s, "start", &c->start_ms);

	if (e == OK)
		e = value_time(s, "end", &c->end_ms);
	from = c->start_ms > c->logged_ms ? c->start_ms : c->logged_ms;
	if (e == OK && c->end_ms <= c->start_ms)
		e = fail(ERR_STATEMENT_HEADER, "end: before it begins");
	if (e == OK && c->start_ms > c->logged_ms + TEN_YEARS_MS)
		e = fail(ERR_STATEMENT_HEADER, "start: over ten years from now");
	if (e == OK && c->end_ms != INT64_MAX && c->end_ms > from + TEN_YEARS_MS)
		e = fail(ERR_STATEMENT_HEADER, "end: at most ten years on; certify anew then");
	return e;
}

/* Words of a scheme's own, as its holders write them, and free text. */
static enum err check_words(const struct statement *s, const struct certificate *c)
{
	static const struct {
		const char *name;
		size_t most;
	} words[] = { { "scheme", WORD_MAX },
		      { "level", WORD_MAX },
		      { "name", WORD_MAX },
		      { "reason", TEXT_MAX },
		      { "text", TEXT_MAX } };
	enum err e = OK;

	for (size_t i = 0; e == OK && i < sizeof(words) / sizeof(words[0]); i++)
		e = value_text(s, words[i].name, words[i].most);
	if (e == OK && statement_header(s, "laboratory") != NULL && !span_is_domain(c->laboratory))
		e = fail(ERR_STATEMENT_HEADER, "laboratory: the domain of a party");
	return e;
}

static enum err read_status(const struct statement *s, struct certificate *c)
{
	const struct header *status = statement_header(s, "status");

	return status != NULL ? certificate_status_parse(status->value, &c->says) : OK;
}

static enum err read(const struct state *st, const struct statement *s, struct certificate *out)
{
	struct certificate c = {
		.id = s->id,
		.key = s->key,
		.index = st->index,
		.from = s->from,
		.scheme = statement_value(s, "scheme"),
		.level = statement_value(s, "level"),
		.laboratory = statement_value(s, "laboratory"),
		.name = statement_value(s, "name"),
		.reason = statement_value(s, "reason"),
		.logged_ms = st->logged_ms,
		.start_ms = st->logged_ms,
		.end_ms = INT64_MAX,
		.has_re = s->has_re,
		.re = s->re,
		.has_body = s->has_body,
		.body = s->body,
	};
	enum err e = predicate_parse(statement_value(s, "predicate"), &c.predicate);

	if (e == OK)
		e = check_words(s, &c);
	if (e == OK)
		e = read_status(s, &c);
	if (e == OK)
		e = value_yes(s, "demonstration", &c.demonstration);
	if (e == OK)
		e = read_times(s, &c);
	if (e == OK)
		e = read_subjects(st, s, &c);
	if (e == OK)
		e = read_cites(st, s, &c);
	*out = c;
	return e;
}

/* ---- the rules of the kind ---- */

static enum err check_re(const struct state *st, const struct statement *s, enum predicate p)
{
	struct certificate_record r;
	struct matter m;
	enum err e;

	if (!s->has_re)
		return OK;
	e = matter_referred(st, s, kind_rules(KIND_CERTIFICATE)->refers, &m);
	if (e == OK)
		e = certificate_find(st, s->re, &r);
	if (e == ERR_NOT_FOUND)
		e = state_damaged("matter without its certificate");
	if (e == OK && (about(p) & BIT(r.c.predicate)) == 0)
		e = fail(ERR_STATEMENT_HEADER, "re: a certificate of predicate %s is nothing for predicate %s",
			 predicates[r.c.predicate].name, predicates[p].name);
	if (e == OK && p == PREDICATE_STATUS && r.c.withdrawn)
		e = fail(ERR_OUTCOME, "re: it was withdrawn");
	return e;
}

static enum err check_body(const struct statement *s)
{
	if (s->has_body && s->body.sealed)
		return fail(ERR_STATEMENT_HEADER, "body: a certificate is public; bind it with sha256");
	if (s->has_body && s->body.size > CERTIFICATE_BODY_MAX)
		return fail(ERR_STATEMENT_HEADER, "body: over %zu bytes", CERTIFICATE_BODY_MAX);
	return OK;
}

enum err certificate_check(const struct state *st, const struct statement *s)
{
	struct certificate c;
	enum err e = read(st, s, &c);

	if (e == OK)
		e = check_shape(s, c.predicate);
	if (e == OK)
		e = check_body(s);
	if (e == OK)
		e = check_re(st, s, c.predicate);
	return e == OK ? artefacts_check(st, s, c.predicate) : e;
}

/* The author or the laboratory said how it stands. What others say is a counter-claim and stands beside it. */
static enum err say_status(struct state *st, const struct certificate *status)
{
	struct certificate_record r;
	enum voice_of v;
	enum err e = certificate_find(st, status->re, &r);

	if (e != OK)
		return e == ERR_NOT_FOUND ? state_damaged("status of no certificate") : e;
	v = certificate_voice(&r.c, status->from);
	if (v == VOICE_COUNT)
		return OK;
	r.voices[v] = (struct voice){ status->says, status->logged_ms, status->index };
	return certificate_put_head(st, r.c.index, &r);
}

static enum err on_status(void *context, const struct certificate_record *r)
{
	struct certificate_record *of = context;
	enum voice_of v = certificate_voice(&of->c, r->c.from);

	if (r->c.predicate == PREDICATE_STATUS && hash_equal(r->c.re, of->c.id) && !r->c.withdrawn && v != VOICE_COUNT)
		of->voices[v] = (struct voice){ r->c.says, r->c.logged_ms, r->c.index };
	return OK;
}

/* A status was taken back: those that remain say what counts. */
static enum err unsay_status(struct state *st, struct hash re)
{
	struct certificate_record r;
	enum err e = certificate_find(st, re, &r);

	if (e != OK)
		return e == ERR_NOT_FOUND ? state_damaged("status of no certificate") : e;
	r.voices[VOICE_AUTHOR] = r.voices[VOICE_LABORATORY] = (struct voice){ .since_ms = 0 };
	e = certificates_citing_records(st, re, on_status, &r);
	return e == OK ? certificate_put_head(st, r.c.index, &r) : e;
}

enum err certificate_fold(struct state *st, const struct statement *s)
{
	struct certificate c;
	struct matter m;
	enum err e = read(st, s, &c);

	if (e == OK)
		e = artefacts_fold(st, s, c.predicate);
	if (e == OK)
		e = certificate_put(st, &c);
	if (e == OK)
		e = matter_make(st, s, &m);
	if (e == OK)
		e = matter_add(st, &m);
	return e == OK && c.predicate == PREDICATE_STATUS ? say_status(st, &c) : e;
}

enum err certificate_withdraw(struct state *st, const struct matter *m)
{
	struct certificate_record r;
	enum err e = certificate_get(st, m->index, &r);

	if (e == ERR_NOT_FOUND)
		e = state_damaged("matter without its certificate");
	if (e != OK)
		return e;
	r.withdrawn_ms = matter_time(st, m);
	e = certificate_put_head(st, m->index, &r);
	return e == OK && r.c.predicate == PREDICATE_STATUS ? unsay_status(st, r.c.re) : e;
}
