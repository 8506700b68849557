#include "regime/kinds.h"

#include <assert.h>

#include "regime/agreement.h"
#include "regime/deconflict.h"
#include "regime/kinds_private.h"
#include "regime/pledge.h"
#include "regime/policy.h"
#include "regime/restraint.h"
#include "regime/release.h"
#include "regime/words.h"

#define PUBLIC BIT(LEDGER_PUBLIC)
#define CIRCLE BIT(LEDGER_CIRCLE)
#define ANYONE (BIT(ROLE_COUNT) - 1)

static const char *const ledgers[LEDGER_COUNT] = { "public", "circle" };

static const char *const roles[ROLE_COUNT] = {
	[ROLE_NODE] = "node",
	[ROLE_RESPONSE_TEAM] = "response-team",
	[ROLE_OPERATOR] = "operator",
	[ROLE_VENDOR] = "vendor",
	[ROLE_RESEARCHER] = "researcher",
	[ROLE_EXERCISE] = "exercise",
	[ROLE_GOVERNMENT] = "government",
};

static const char *const outcomes[OUTCOME_COUNT] = {
	[OUTCOME_RECEIVED] = "received",       [OUTCOME_ACKNOWLEDGED] = "acknowledged",
	[OUTCOME_WORKING] = "working",	       [OUTCOME_FIXED] = "fixed",
	[OUTCOME_RE_OBSERVED] = "re-observed", [OUTCOME_NOT_OURS] = "not-ours",
	[OUTCOME_CANNOT] = "cannot",	       [OUTCOME_DISPUTED] = "disputed",
	[OUTCOME_ACCEPTED] = "accepted",       [OUTCOME_OBJECTED] = "objected",
	[OUTCOME_STARTED] = "started",	       [OUTCOME_CLOSED] = "closed",
	[OUTCOME_DELAYED] = "delayed",	       [OUTCOME_SUSPENDED] = "suspended",
	[OUTCOME_OFFERED] = "offered",	       [OUTCOME_RECOVERED] = "recovered",
	[OUTCOME_RESOLVED] = "resolved",       [OUTCOME_BREACH_ALLEGED] = "breach-alleged",
};

const char *ledger_name(enum ledger_id l)
{
	assert((unsigned)l < LEDGER_COUNT);
	return ledgers[l];
}

const char *role_name(enum role r)
{
	assert((unsigned)r < ROLE_COUNT);
	return roles[r];
}

const char *outcome_name(enum outcome o)
{
	assert((unsigned)o < OUTCOME_COUNT);
	return outcomes[o];
}

/* Which word of a list; `count` if none. */
static int find(struct span name, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (span_is(name, words[i]))
			return i;
	return count;
}

static int shown(struct span s)
{
	return s.len > 80 ? 80 : (int)s.len;
}

enum err role_parse(struct span name, enum role *out)
{
	int r = find(name, roles, ROLE_COUNT);

	if (r == ROLE_COUNT)
		return fail(ERR_STATEMENT_HEADER, "role: no role %.*s", shown(name), name.len > 0 ? name.at : "");
	*out = (enum role)r;
	return OK;
}

enum err outcome_parse(struct span name, enum outcome *out)
{
	int o = find(name, outcomes, OUTCOME_COUNT);

	if (o == OUTCOME_COUNT)
		return fail(ERR_OUTCOME, "no outcome %.*s", shown(name), name.len > 0 ? name.at : "");
	*out = (enum outcome)o;
	return OK;
}

/* The headers of each kind beside ledger, from, key, which the grammar asks for. What stands in no list is kept and
 * means nothing. */

static const struct header_rule party_headers[] = {
	{ "date", 0, 1 },     { "public-key", 1, 1 }, { "role", 1, ROLE_COUNT },
	{ "title", 0, 1 },    { "claim", 0, 1000 },   { "demonstration", 0, 1 },
	{ "url", 0, 1 },      { "contact", 0, 4 },    { "ledger-key", 0, 4 },
	{ "next-key", 0, 1 }, { NULL, 0, 0 },
};

static const struct header_rule proof_headers[] = {
	{ "date", 0, 1 },
	{ "method", 1, 1 },
	{ "resource", 0, PROOF_RESOURCES_MAX },
	{ "subject", 0, 1 },
	{ "to", 0, 1 },
	{ "seen-key", 0, 1 },
	{ "body", 1, 1 },
	{ "demonstration", 0, 1 },
	{ NULL, 0, 0 },
};

/* What a plan must have depends on whether it is sealed: plan_terms.c. */
static const struct header_rule plan_headers[] = {
	{ "date", 0, 1 },	 { "to", 0, 64 },	 { "activity", 0, 1 },	{ "start", 0, 1 },
	{ "end", 0, 1 },	 { "repeat", 0, 1 },	 { "source", 0, 2000 }, { "alternate", 0, 2000 },
	{ "target", 0, 2000 },	 { "exclude", 0, 2000 }, { "transport", 0, 8 }, { "port", 0, 64 },
	{ "rate", 0, 1 },	 { "rate-each", 0, 1 },	 { "marker", 0, 16 },	{ "intrusive", 0, 1 },
	{ "purpose", 0, 1 },	 { "reference", 0, 1 },	 { "ethics", 0, 1 },	{ "contact", 0, 1 },
	{ "stop-within", 0, 1 }, { "commitment", 0, 1 }, { "nonce", 0, 1 },	{ "demonstration", 0, 1 },
	{ "re", 0, 1 },		 { NULL, 0, 0 },
};

static const struct header_rule notice_headers[] = {
	{ "date", 0, 1 },	   { "to", 1, 8 },	{ "cc", 0, 8 },
	{ "class", 1, 1 },	   { "tlp", 0, 1 },	{ "events", 1, 1 },
	{ "explained", 0, 1 },	   { "repeats", 0, 1 }, { "again", 0, 1 },
	{ "first", 0, 1 },	   { "last", 0, 1 },	{ "part", 0, 1 },
	{ "priority", 0, 1 },	   { "due", 0, 1 },	{ "table", 0, STATEMENT_TEXT_HEADERS },
	{ "demonstration", 0, 1 }, { "body", 1, 1 },	{ "re", 0, 1 },
	{ "reason", 0, 1 },	   { NULL, 0, 0 },
};

/* Without `re` from rules 3 on; help_ask.c counts the headers of its own. */
static const struct header_rule request_headers[] = {
	{ "date", 0, 1 },   { "re", 0, 1 },    { "to", 1, 8 },	 { "cc", 0, 8 },
	{ "need", 1, 1 },   { "for", 0, 1 },   { "via", 0, 1 },	 { "text", 0, 1 },
	{ "source", 0, 1 }, { "first", 0, 1 }, { "last", 0, 1 }, { "demonstration", 0, 1 },
	{ "body", 0, 1 },   { NULL, 0, 0 },
};

static const struct header_rule control_headers[] = {
	{ "date", 0, 1 },	   { "class", 1, 1 },	     { "first", 1, 1 },
	{ "last", 1, 1 },	   { "notified", 1, 1 },     { "notified-gone", 1, 1 },
	{ "control", 1, 1 },	   { "control-gone", 1, 1 }, { "table", 0, STATEMENT_TEXT_HEADERS },
	{ "demonstration", 0, 1 }, { NULL, 0, 0 },
};

static const struct header_rule share_headers[] = {
	{ "date", 0, 1 }, { "collection", 1, 1 }, { "action", 1, 1 }, { "objects", 1, 1 }, { "tlp", 1, 1 },
	{ "for", 0, 1 },  { "via", 0, 1 },	  { "body", 1, 1 },   { NULL, 0, 0 },
};

static const struct header_rule answer_headers[] = {
	{ "date", 0, 1 },  { "re", 1, 1 },     { "outcome", 1, 1 }, { "for", 0, 1 },
	{ "via", 0, 1 },   { "text", 0, 1 },   { "better", 0, 1 },  { "body", 0, 1 },
	{ "until", 0, 1 }, { "reason", 0, 1 }, { "seen", 0, 1 },    { NULL, 0, 0 },
};

static const struct header_rule withdraw_headers[] = {
	{ "date", 0, 1 }, { "re", 1, 1 }, { "text", 0, 1 }, { "reason", 0, 1 }, { NULL, 0, 0 },
};

static const struct header_rule vouch_headers[] = {
	{ "date", 0, 1 },     { "to", 1, 1 },	{ "vouched-key", 1, 1 },   { "visited", 0, 1 }, { "until", 0, 1 },
	{ "recovery", 0, 1 }, { "text", 0, 1 }, { "demonstration", 0, 1 }, { NULL, 0, 0 },
};

static const struct header_rule tick_headers[] = {
	{ "date", 0, 1 },
	{ "checkpoint", 1, 16 },
	{ NULL, 0, 0 },
};

static const struct header_rule vocabulary_headers[] = {
	{ "date", 0, 1 }, { "codes", 1, 1 }, { "recognise", 0, CORE_CODE_COUNT_MAX }, { "body", 0, 1 }, { NULL, 0, 0 },
};

static const struct header_rule certificate_headers[] = {
	{ "date", 0, 1 },
	{ "predicate", 1, 1 },
	{ "subject", 0, CERTIFICATE_SUBJECTS_MAX },
	{ "scheme", 0, 1 },
	{ "level", 0, 1 },
	{ "laboratory", 0, 1 },
	{ "start", 0, 1 },
	{ "end", 0, 1 },
	{ "re", 0, 1 },
	{ "cites", 0, CERTIFICATE_CITES_MAX },
	{ "status", 0, 1 },
	{ "reason", 0, 1 },
	{ "text", 0, 1 },
	{ "name", 0, 1 },
	{ "product", 0, 1 },
	{ "version", 0, 1 },
	{ "regions", 0, 1 },
	{ "artefact", 0, RELEASE_REGIONS_MAX },
	{ "body", 0, 1 },
	{ "demonstration", 0, 1 },
	{ NULL, 0, 0 },
};

static const struct header_rule pledge_headers[] = {
	{ "date", 0, 1 },	{ "norm", 1, 1 },	  { "start", 0, 1 },
	{ "end", 0, 1 },	{ "term", 0, TERMS_MAX }, { "asset", 0, ASSETS_MAX },
	{ "unilateral", 0, 1 }, { "text", 0, 1 },	  { "demonstration", 0, 1 },
	{ NULL, 0, 0 },
};

static const struct header_rule rules_headers[] = {
	{ "date", 0, 1 },
	{ "version", 1, 1 },
	{ "policy", 0, POLICY_COUNT },
	{ NULL, 0, 0 },
};

static const struct header_rule agreement_headers[] = {
	{ "date", 0, 1 },	   { "to", 1, 1 },    { "party", 2, 2 },	{ "depositary", 1, 1 },
	{ "start", 1, 1 },	   { "end", 1, 1 },   { "exit-notice", 1, 1 },	{ "consult", 0, 1 },
	{ "restore", 0, 1 },	   { "codes", 1, 1 }, { "term", 1, TERMS_MAX }, { "asset", 0, ASSETS_MAX },
	{ "demonstration", 0, 1 }, { "re", 0, 1 },    { NULL, 0, 0 },
};

static const char *const proof_bodies[] = {
	PROOF_MEDIA_TYPE,
	NULL,
};

static const char *const notice_bodies[] = {
	"application/vnd.comity.evidence+zstd",
	"application/stix+json",
	NULL,
};

/* What an addressee disputes with. */
static const char *const answer_bodies[] = {
	"application/vnd.comity.evidence+zstd",
	"application/json",
	"text/plain",
	NULL,
};

static const char *const vocabulary_bodies[] = {
	VOCABULARY_MEDIA_TYPE,
	NULL,
};

static const char *const certificate_bodies[] = {
	CERTIFICATE_MEDIA_TYPE,
	NULL,
};

static const char *const request_bodies[] = {
	DECONFLICT_REQUEST_TYPE,
	NULL,
};

static const char *const share_bodies[] = {
	"application/stix+json;version=2.1",
	NULL,
};

/* Sorted by kind. A kind without a row is kept and folds to nothing. */
static const struct kind_rules rows[KIND_COUNT] = {
	[KIND_PARTY] = {
		.kind = KIND_PARTY, .ledgers = PUBLIC, .roles = ANYONE, .headers = party_headers,
		.outcomes = BIT(OUTCOME_ACCEPTED) | BIT(OUTCOME_OBJECTED),
		.ends = BIT(OUTCOME_ACCEPTED) | BIT(OUTCOME_OBJECTED),
		.guests = true, .check = party_check, .fold = party_fold,
		.answered = party_answered, .withdrawn = party_withdraw,
	},
	[KIND_PROOF] = {
		.kind = KIND_PROOF, .ledgers = PUBLIC, .roles = ANYONE, .headers = proof_headers, .bodies = proof_bodies,
		.outcomes = BIT(OUTCOME_ACCEPTED) | BIT(OUTCOME_OBJECTED),
		.ends = BIT(OUTCOME_ACCEPTED) | BIT(OUTCOME_OBJECTED),
		.guests = true, .since = 2, .check = proof_check, .fold = proof_fold,
		.answered = proof_decide, .withdrawn = proof_withdraw,
	},
	[KIND_VOUCH] = {
		.kind = KIND_VOUCH, .ledgers = PUBLIC, .roles = ANYONE, .headers = vouch_headers,
		.guests = true, .since = 2, .check = vouch_check, .fold = vouch_fold,
		.withdrawn = vouch_withdraw,
	},
	[KIND_PLAN] = {
		.kind = KIND_PLAN, .ledgers = PUBLIC, .roles = ANYONE, .headers = plan_headers,
		.outcomes = BIT(OUTCOME_ACKNOWLEDGED) | BIT(OUTCOME_OBJECTED) | BIT(OUTCOME_ACCEPTED) |
			    BIT(OUTCOME_STARTED) | BIT(OUTCOME_DELAYED) | BIT(OUTCOME_SUSPENDED) |
			    BIT(OUTCOME_RE_OBSERVED) | BIT(OUTCOME_CLOSED),
		.ends = BIT(OUTCOME_CLOSED), .refers = BIT(KIND_PLAN),
		.guests = true, .check = plan_check, .fold = plan_fold,
		.answered = plan_answered, .withdrawn = plan_life_over,
	},
	[KIND_CERTIFICATE] = {
		.kind = KIND_CERTIFICATE, .ledgers = PUBLIC, .roles = ANYONE, .headers = certificate_headers,
		.bodies = certificate_bodies, .refers = BIT(KIND_CERTIFICATE), .guests = true, .since = RULES_PROMISES,
		.check = certificate_check, .fold = certificate_fold,
		.withdrawn = certificate_withdraw,
	},
	[KIND_NOTICE] = {
		.kind = KIND_NOTICE, .ledgers = CIRCLE, .roles = ANYONE, .headers = notice_headers, .bodies = notice_bodies,
		.refers = BIT(KIND_NOTICE),
		.outcomes = BIT(OUTCOME_RECEIVED) | BIT(OUTCOME_ACKNOWLEDGED) | BIT(OUTCOME_WORKING) | BIT(OUTCOME_FIXED) |
			    BIT(OUTCOME_RE_OBSERVED) | BIT(OUTCOME_NOT_OURS) | BIT(OUTCOME_CANNOT) |
			    BIT(OUTCOME_DISPUTED) | BIT(OUTCOME_CLOSED),
		.ends = BIT(OUTCOME_FIXED) | BIT(OUTCOME_NOT_OURS) | BIT(OUTCOME_CLOSED),
		.guests = true, .check = notice_check, .fold = notice_fold,
		.answered = notice_answered,
	},
	[KIND_REQUEST] = {
		.kind = KIND_REQUEST, .ledgers = CIRCLE, .roles = ANYONE, .headers = request_headers,
		.bodies = request_bodies,
		.refers = BIT(KIND_NOTICE) | BIT(KIND_PLAN),
		.outcomes = BIT(OUTCOME_RECEIVED) | BIT(OUTCOME_ACKNOWLEDGED) | BIT(OUTCOME_WORKING) |
			    BIT(OUTCOME_ACCEPTED) | BIT(OUTCOME_OBJECTED) | BIT(OUTCOME_CLOSED) | BIT(OUTCOME_CANNOT) |
			    BIT(OUTCOME_OFFERED) | BIT(OUTCOME_RECOVERED),
		.ends = BIT(OUTCOME_CLOSED) | BIT(OUTCOME_RECOVERED),
		.guests = true, .check = request_check, .fold = request_fold,
		.answered = request_answered,
	},
	[KIND_CONTROL] = {
		.kind = KIND_CONTROL, .ledgers = CIRCLE, .roles = ANYONE, .headers = control_headers,
		.check = control_check, .fold = control_fold,
		.withdrawn = control_withdraw,
	},
	[KIND_SHARE] = {
		.kind = KIND_SHARE, .ledgers = CIRCLE, .roles = BIT(ROLE_NODE), .headers = share_headers,
		.bodies = share_bodies, .check = share_check, .fold = share_fold,
	},
	[KIND_AGREEMENT] = {
		.kind = KIND_AGREEMENT, .ledgers = PUBLIC, .roles = ANYONE, .headers = agreement_headers,
		.refers = BIT(KIND_AGREEMENT),
		.outcomes = BIT(OUTCOME_OBJECTED) | BIT(OUTCOME_RESOLVED) | BIT(OUTCOME_BREACH_ALLEGED) |
			    BIT(OUTCOME_DISPUTED),
		.ends = BIT(OUTCOME_OBJECTED),
		.guests = true, .since = 3, .check = agreement_check, .fold = agreement_fold,
		.answered = agreement_answered, .withdrawn = agreement_withdraw,
	},
	[KIND_ANSWER] = {
		.kind = KIND_ANSWER, .ledgers = PUBLIC | CIRCLE, .roles = ANYONE, .headers = answer_headers,
		.bodies = answer_bodies,
		.refers = BIT(KIND_PARTY) | BIT(KIND_PROOF) | BIT(KIND_PLAN) | BIT(KIND_NOTICE) | BIT(KIND_REQUEST) |
			  BIT(KIND_AGREEMENT) | BIT(KIND_PLEDGE),
		.guests = true, .check = answer_check, .fold = answer_fold,
	},
	[KIND_WITHDRAW] = {
		.kind = KIND_WITHDRAW, .ledgers = PUBLIC | CIRCLE, .roles = ANYONE, .headers = withdraw_headers,
		.refers = BIT(KIND_PARTY) | BIT(KIND_PROOF) | BIT(KIND_PLAN) | BIT(KIND_NOTICE) | BIT(KIND_REQUEST) |
			  BIT(KIND_CONTROL) | BIT(KIND_VOCABULARY) | BIT(KIND_VOUCH) | BIT(KIND_CERTIFICATE) |
			  BIT(KIND_AGREEMENT) | BIT(KIND_PLEDGE),
		.guests = true, .check = withdraw_check, .fold = withdraw_fold,
	},
	[KIND_TICK] = {
		.kind = KIND_TICK, .ledgers = PUBLIC, .roles = BIT(ROLE_NODE), .headers = tick_headers,
		.check = tick_check, .fold = tick_fold,
	},
	[KIND_PLEDGE] = {
		.kind = KIND_PLEDGE, .ledgers = PUBLIC, .roles = ANYONE, .headers = pledge_headers,
		.outcomes = BIT(OUTCOME_BREACH_ALLEGED) | BIT(OUTCOME_DISPUTED),
		.guests = true, .since = RULES_PROMISES, .check = pledge_check, .fold = pledge_fold,
		.answered = restraint_answered, .withdrawn = pledge_withdraw,
	},
	[KIND_RULES] = {
		.kind = KIND_RULES, .ledgers = PUBLIC, .roles = BIT(ROLE_NODE), .headers = rules_headers,
		.check = rules_check, .fold = rules_fold,
	},
	[KIND_VOCABULARY] = {
		.kind = KIND_VOCABULARY, .ledgers = PUBLIC, .roles = ANYONE, .headers = vocabulary_headers,
		.bodies = vocabulary_bodies, .guests = true, .since = 2,
		.check = vocabulary_check, .fold = vocabulary_fold,
		.withdrawn = vocabulary_withdraw,
	},
};

const struct kind_rules *kind_rules(enum kind k)
{
	return (unsigned)k < KIND_COUNT && rows[k].headers != NULL ? &rows[k] : NULL;
}

unsigned kind_ledgers(enum kind k)
{
	const struct kind_rules *r = kind_rules(k);

	if (r != NULL)
		return r->ledgers;
	switch (k) {
	case KIND_ADVISORY:
		return PUBLIC;
	case KIND_CASE:
	case KIND_EMBARGO:
		return CIRCLE;
	default:
		return PUBLIC | CIRCLE; /* a kind of later rules: its own rules will say */
	}
}

static bool body_fits(const struct kind_rules *r, const struct statement *s)
{
	for (const char *const *b = r->bodies; b != NULL && *b != NULL; b++)
		if (span_is(s->body.media_type, *b))
			return true;
	return false;
}

#define HEADER_RULES_MAX 32

enum err kind_check_headers(const struct kind_rules *r, const struct statement *s)
{
	unsigned counts[HEADER_RULES_MAX] = { 0 };
	size_t rules = 0;

	while (r->headers[rules].name != NULL)
		rules++;
	assert(rules <= HEADER_RULES_MAX);
	for (size_t i = 0; i < s->header_count; i++) {
		struct span name = s->headers[i].name; /* never empty */

		for (size_t j = 0; j < rules; j++)
			if (name.at[0] == r->headers[j].name[0] && span_is(name, r->headers[j].name)) {
				counts[j]++;
				break;
			}
	}
	for (size_t j = 0; j < rules; j++) {
		const struct header_rule *h = &r->headers[j];

		if (counts[j] < h->least)
			return fail(ERR_STATEMENT_HEADER, "%s: missing in a %s", h->name, kind_name(r->kind));
		if (counts[j] > h->most)
			return fail(ERR_STATEMENT_HEADER, "%s: %u times in a %s, at most %u", h->name, counts[j],
				    kind_name(r->kind), h->most);
	}
	if (s->has_body && !body_fits(r, s))
		return fail(ERR_STATEMENT_HEADER, "body: a %s has none of this type", kind_name(r->kind));
	if (s->has_re && r->refers == 0)
		return fail(ERR_STATEMENT_HEADER, "re: a %s refers to nothing", kind_name(r->kind));
	return OK;
}

enum err value_yes(const struct statement *s, const char *name, bool *out)
{
	const struct header *h = statement_header(s, name);

	if (h == NULL)
		return OK;
	if (!span_is(h->value, "yes"))
		return fail(ERR_STATEMENT_HEADER, "%s: yes, or leave the line out", name);
	*out = true;
	return OK;
}

enum err value_yes_no(const struct statement *s, const char *name, bool *out)
{
	const struct header *h = statement_header(s, name);

	if (h == NULL)
		return OK;
	if (!span_is(h->value, "yes") && !span_is(h->value, "no"))
		return fail(ERR_STATEMENT_HEADER, "%s: yes or no", name);
	*out = span_is(h->value, "yes");
	return OK;
}

enum err value_time(const struct statement *s, const char *name, int64_t *out)
{
	const struct header *h = statement_header(s, name);

	if (h != NULL && clock_parse(h->value, out) != OK)
		return fail(ERR_STATEMENT_HEADER, "%s: a time like 2026-11-22T20:45:00Z", name);
	return OK;
}

enum err value_number(const struct statement *s, const char *name, uint64_t max, uint64_t *out)
{
	const struct header *h = statement_header(s, name);

	if (h != NULL && span_u64(h->value, max, out) != OK)
		return fail(ERR_STATEMENT_HEADER, "%s: a plain number up to %ju", name, (uintmax_t)max);
	return OK;
}

enum err value_text(const struct statement *s, const char *name, size_t most)
{
	const struct header *h = statement_header(s, name);

	if (h != NULL && h->value.len > most)
		return fail(ERR_STATEMENT_HEADER, "%s: %zu characters, at most %zu", name, h->value.len, most);
	return OK;
}

enum err value_mediated(const struct state *st, const struct statement *s)
{
	static const char *const ways[] = { "mail", "web", "taxii", "desk", "node" };

	if (s->for_party.len == 0 && s->via.len == 0)
		return OK;
	if (!from_node(st, s))
		return fail(ERR_NOT_YOURS, "for: only the node speaks for others");
	if (s->for_party.len > 0 && s->via.len == 0)
		return fail(ERR_STATEMENT_HEADER, "via: missing beside for");
	if (find(s->via, ways, sizeof(ways) / sizeof(ways[0])) == sizeof(ways) / sizeof(ways[0]))
		return fail(ERR_STATEMENT_HEADER, "via: mail, web, taxii, desk or node");
	return OK;
}
