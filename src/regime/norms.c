#include "regime/norms.h"

#include <assert.h>

#define METRICS(...) ((const enum metric[]){ __VA_ARGS__, METRIC_COUNT })
#define NOTHING ((const enum metric[]){ METRIC_COUNT })
#define LENGTH(list) (sizeof(list) / sizeof((list)[0]))

/*
 * How the grades and metrics were chosen
 *
 * A grade says where the figures of the norm's metrics come from, not how important it is: a node's own log, what parties hand
 * in, or nowhere. A metric stands with a norm if keeping it is part of what the norm asks. It never is all of it. Where nothing
 * that counts would be about the norm, there is none, and a pledge to it can only be declared.
 *
 * A set is not changed. When its document is, a set of another version is added, and what was pledged to the old one stays so.
 */

/* Reports of experts to the United Nations: 2015 and 2021 have the same eleven. What 2021 adds is text and nothing to count. */

static const char un_a[] =
	"Parties work together so that the use of computers and networks stays stable and safe, and keep "
	"each other from practices that harm.";
static const char un_b[] =
	"Whoever accuses looks first at everything that is known of the incident: where it sits, how "
	"hard it is to say who did it, how far it reaches.";
static const char un_c_2015[] =
	"Nobody lets wrongful acts against others be done from their networks when they know of them.";
static const char un_c_2021[] =
	"Whoever is told in good faith of wrongful acts from their networks says that the word arrived, "
	"and takes the steps that are reasonable and within their means. To acknowledge is not to agree, "
	"coming from a place makes nobody responsible by itself, and nobody must watch everything.";
static const char un_d[] = "Parties exchange what they know of criminal and terrorist use of networks, and assist one "
			   "another against it.";
static const char un_e[] = "What holds for people elsewhere holds for them online: they may speak, and their lives are "
			   "their own. The doors of a node keep it: content has no code that could be sent.";
static const char un_f[] =
	"Nobody damages what others cannot live without, or supports those who do, against the law among "
	"nations.";
static const char un_g[] = "Each protects the critical infrastructure at home from what threatens it.";
static const char un_h[] =
	"Whoever's critical infrastructure is attacked asks and is answered; so is a request to stop "
	"what comes from one's own networks.";
static const char un_i[] =
	"Users can trust what they are given: it is what it says, for everybody the same, and nobody "
	"spreads tools made to harm.";
static const char un_j[] = "Whoever finds a weakness reports it to those who can mend it, and remedies are shared.";
static const char un_k[] = "Nobody harms the response teams of others, and nobody lets their own take part in attacks.";

#define UN_COUNTS_A METRICS(METRIC_HELP_ANSWERED, METRIC_CONTACT_LIVE, METRIC_BALANCE, METRIC_UPLIFT)
#define UN_COUNTS_C                                                                                                    \
	METRICS(METRIC_ACKNOWLEDGED, METRIC_ACKNOWLEDGE_P50, METRIC_ACKNOWLEDGE_P90, METRIC_FIXED, METRIC_RE_OFFENCE)
#define UN_COUNTS_G METRICS(METRIC_FIXED, METRIC_RE_OFFENCE, METRIC_CONTACT_LIVE)
#define UN_COUNTS_H METRICS(METRIC_HELP_ANSWERED, METRIC_ACKNOWLEDGED, METRIC_FIXED, METRIC_CONTACT_LIVE)
#define UN_COUNTS_I METRICS(METRIC_ARTEFACT_EQUAL, METRIC_UPDATE_LAG)
#define UN_COUNTS_J METRICS(METRIC_REPORT_ANSWERED, METRIC_REMEDY_TIME, METRIC_UPDATE_LAG)

/* Only the words of c differ. */
/* clang-format off */
#define UN_NORMS(un_c) {											\
	{ "a", "cooperate for stability", un_a, GRADE_EVIDENCE, UN_COUNTS_A },					\
	{ "b", "weigh all that is known", un_b, GRADE_MEASURED, METRICS(METRIC_FALSE_NOTICES) },		\
	{ "c", "no knowing use of one's territory", un_c, GRADE_MEASURED, UN_COUNTS_C },			\
	{ "d", "cooperate against crime", un_d, GRADE_EVIDENCE, METRICS(METRIC_HELP_ANSWERED) },		\
	{ "e", "human rights and privacy", un_e, GRADE_MEASURED, NOTHING },					\
	{ "f", "leave critical infrastructure alone", un_f, GRADE_DECLARED, METRICS(METRIC_RESTRAINT) },	\
	{ "g", "protect one's own", un_g, GRADE_EVIDENCE, UN_COUNTS_G },					\
	{ "h", "answer requests for help", un_h, GRADE_MEASURED, UN_COUNTS_H },					\
	{ "i", "supply chains without hidden functions", un_i, GRADE_MEASURED, UN_COUNTS_I },			\
	{ "j", "report vulnerabilities responsibly", un_j, GRADE_MEASURED, UN_COUNTS_J },			\
	{ "k", "leave response teams alone", un_k, GRADE_EVIDENCE, METRICS(METRIC_RESTRAINT) },			\
}
/* clang-format on */

static const struct norm un_2015[] = UN_NORMS(un_c_2015), un_2021[] = UN_NORMS(un_c_2021);

static const struct norm industry_2017[] = {
	{ "secure", "more secure products",
	  "Makers build safer products and let others look: with certificates, and with clocks on what is reported to "
	  "them.",
	  GRADE_EVIDENCE, METRICS(METRIC_REPORT_ANSWERED, METRIC_REMEDY_TIME) },
	{ "unweakened", "no weakening of products",
	  "No State has a product made weaker: all regions get the same artefact, and a standing statement lapses if "
	  "it can no longer be made.",
	  GRADE_MEASURED, METRICS(METRIC_ARTEFACT_EQUAL) },
	{ "disclosure", "responsible disclosure",
	  "What is found goes to those who can mend it before it goes to everybody, and they act in time.",
	  GRADE_MEASURED, METRICS(METRIC_REPORT_ANSWERED, METRIC_REMEDY_TIME) },
	{ "recovery", "help customers recover",
	  "Makers and operators defend those who were attacked, and help them until they work again.", GRADE_MEASURED,
	  METRICS(METRIC_HELP_ANSWERED, METRIC_CONTACT_LIVE) },
	{ "updates", "updates for all, wherever they are",
	  "A fix is given to every customer at the same time, no matter in which country.", GRADE_MEASURED,
	  METRICS(METRIC_UPDATE_LAG, METRIC_ARTEFACT_EQUAL) },
};

/* Which of the sixteen can be counted is this program's own judgement. */
static const struct norm osce_2016[] = {
	{ "1", "tell national views", "Each tells how it sees the threats, to networks and from their use.",
	  GRADE_DECLARED, NOTHING },
	{ "2", "let competent bodies work together",
	  "The bodies in charge at home may work with those abroad, and exchange what they know.", GRADE_MEASURED,
	  METRICS(METRIC_ACKNOWLEDGED, METRIC_HELP_ANSWERED, METRIC_BALANCE) },
	{ "3", "consult before it gets tense",
	  "Parties talk to one another early, so that nothing is misread, and see to critical infrastructure.",
	  GRADE_EVIDENCE, METRICS(METRIC_PLAN_EXPLAINED, METRIC_PLAN_OVERDUE, METRIC_PLAN_BREACH, METRIC_RESTRAINT) },
	{ "4", "an open and reliable network",
	  "Each tells what it does so that the Internet stays open, safe and of one piece.", GRADE_DECLARED, NOTHING },
	{ "5", "use the common platform", "The organisation is used to talk, to exchange practice and to build skills.",
	  GRADE_DECLARED, NOTHING },
	{ "6", "laws that allow cooperation",
	  "The law at home lets authorities work with others, and share in time what is urgent.", GRADE_DECLARED,
	  NOTHING },
	{ "7", "tell the organisation at home", "Each tells its strategy, its programmes, and who does what at home.",
	  GRADE_DECLARED, NOTHING },
	{ "8", "contacts that answer",
	  "Each names a contact and keeps it right, down to those who handle incidents, and can be reached fast.",
	  GRADE_MEASURED, METRICS(METRIC_CONTACT_LIVE, METRIC_ACKNOWLEDGE_P50, METRIC_ACKNOWLEDGE_P90) },
	{ "9", "say what words mean",
	  "Each gives a list of its terms with what they mean, until there is one of all. Vocabularies in the ledger "
	  "are "
	  "such lists.",
	  GRADE_EVIDENCE, NOTHING },
	{ "10", "exchange views over common channels",
	  "Views are exchanged over the networks of the organisation, and of others.", GRADE_DECLARED, NOTHING },
	{ "11", "meet often", "Experts meet three times a year or more, to talk of this and of what comes next.",
	  GRADE_DECLARED, NOTHING },
	{ "12", "learn from one another", "States hold workshops and round tables, in their region too.",
	  GRADE_DECLARED, NOTHING },
	{ "13", "protected channels",
	  "Channels are safe and known to both sides, and so is how a technical, a legal and a diplomatic request is "
	  "handled.",
	  GRADE_EVIDENCE, METRICS(METRIC_CONTACT_LIVE, METRIC_HELP_ANSWERED) },
	{ "14", "public and private together", "States and companies work as partners and tell each other what works.",
	  GRADE_DECLARED, NOTHING },
	{ "15", "critical infrastructure across borders",
	  "Those who guard critical infrastructure in a region work together, and mean the same by how bad an incident "
	  "is.",
	  GRADE_EVIDENCE, METRICS(METRIC_HELP_ANSWERED, METRIC_CONTACT_LIVE) },
	{ "16", "report vulnerabilities, share remedies",
	  "Weaknesses are reported responsibly, and what helps against them is shared, with companies too.",
	  GRADE_MEASURED, METRICS(METRIC_REPORT_ANSWERED, METRIC_REMEDY_TIME, METRIC_UPDATE_LAG) },
};

static const struct norm_set sets[] = {
	{ "industry", 2017, "Tomorrow's Challenge: Cooperation in the Cyber Realm, 19 January 2017", industry_2017,
	  LENGTH(industry_2017) },
	{ "osce", 2016, "OSCE Permanent Council decisions 1106 and 1202", osce_2016, LENGTH(osce_2016) },
	{ "un", 2015, "A/70/174, paragraph 13", un_2015, LENGTH(un_2015) },
	{ "un", 2021, "A/76/135", un_2021, LENGTH(un_2021) },
};

static const char *const grades[] = {
	[GRADE_MEASURED] = "measured",
	[GRADE_EVIDENCE] = "evidence",
	[GRADE_DECLARED] = "declared",
};

const char *norm_grade_name(enum norm_grade g)
{
	assert((unsigned)g < LENGTH(grades));
	return grades[g];
}

const struct norm_set *norm_sets(size_t *count)
{
	*count = LENGTH(sets);
	return sets;
}

static enum err find_norm(const struct norm_set *set, struct span id, const struct norm **out)
{
	for (size_t i = 0; i < set->count; i++)
		if (span_is(id, set->norms[i].id)) {
			*out = &set->norms[i];
			return OK;
		}
	return fail(ERR_NORM, "%s %u has no %.*s", set->name, set->version, id.len > 20 ? 20 : (int)id.len,
		    id.len > 0 ? id.at : "");
}

enum err norm_parse(struct span value, const struct norm_set **set, const struct norm **out)
{
	struct span rest = value.at == NULL ? SPAN("") : value, name = span_cut(&rest, ' '), year = SPAN("");
	uint64_t version;
	bool known = false;

	if (rest.at != NULL)
		year = span_cut(&rest, ' ');
	if (rest.at == NULL || span_u64(year, 9999, &version) != OK)
		return fail(ERR_NORM, "a set, its version and a norm of it: un 2015 c");
	for (size_t i = 0; i < LENGTH(sets); i++) {
		if (!span_is(name, sets[i].name))
			continue;
		known = true;
		if (sets[i].version == version) {
			*set = &sets[i];
			return find_norm(&sets[i], rest, out);
		}
	}
	if (known)
		return fail(ERR_NORM, "%.*s has no version %ju", SPAN_FORMAT(name), (uintmax_t)version);
	return fail(ERR_NORM, "no set %.*s: industry, osce, un", name.len > 20 ? 20 : (int)name.len,
		    name.len > 0 ? name.at : "");
}
