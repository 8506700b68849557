#include "regime/metric.h"

#include <assert.h>

/* Which way a promise of it goes, and what it needs. What measures them is metric.c. */
static const struct metric_rule rules[METRIC_COUNT] = {
	[METRIC_ACKNOWLEDGED] = { METRIC_ACKNOWLEDGED, "acknowledged", UNIT_SHARE, .needs_within = true,
				  .in_agreements = true,
				  .counts = "Notices to it that a person acknowledged in time, of all notices to it." },
	[METRIC_ACKNOWLEDGE_P50] = { METRIC_ACKNOWLEDGE_P50, "acknowledge-p50", UNIT_TIME, .at_most = true,
				     .in_agreements = true,
				     .counts = "The time in which half of the notices to it were acknowledged; open "
					       "ones count." },
	[METRIC_ACKNOWLEDGE_P90] = { METRIC_ACKNOWLEDGE_P90, "acknowledge-p90", UNIT_TIME, .at_most = true,
				     .in_agreements = true,
				     .counts = "The time in which nine tenths of the notices to it were acknowledged; "
					       "open ones count." },
	[METRIC_FIXED] = { METRIC_FIXED, "fixed", UNIT_SHARE, .needs_within = true, .in_agreements = true,
			   .counts = "Notices to it that it reported fixed in time, of all notices to it." },
	[METRIC_UPLIFT] = { METRIC_UPLIFT, "uplift", UNIT_SHARE,
			    .counts = "Of the hosts that it gave notice of, the share gone after 14 days, less that of "
				      "look-alikes without notice." },
	[METRIC_RE_OFFENCE] = { METRIC_RE_OFFENCE, "re-offence", UNIT_SHARE, .at_most = true, .in_agreements = true,
				.counts = "Matters that were seen again within 30 days of their fix, of all that it "
					  "fixed." },
	[METRIC_FALSE_NOTICES] = { METRIC_FALSE_NOTICES, "false-notices", UNIT_SHARE, .at_most = true,
				   .in_agreements = true,
				   .counts =
					   "Notices that it filed and withdrew, or sent to whom they did not concern, "
					   "or whose dispute stands, of all that it filed." },
	[METRIC_HELP_ANSWERED] = { METRIC_HELP_ANSWERED, "help-answered", UNIT_SHARE, .needs_within = true,
				   .in_agreements = true,
				   .counts = "Requests for help to it that a person answered in time, of all to it." },
	[METRIC_CONTACT_LIVE] = { METRIC_CONTACT_LIVE, "contact-live", UNIT_SHARE, .needs_within = true,
				  .in_agreements = true,
				  .counts = "Pings that its duty contact answered in time, of all pings to it." },
	[METRIC_PLAN_EXPLAINED] = { METRIC_PLAN_EXPLAINED, "plan-explained", UNIT_SHARE, .in_agreements = true,
				    .counts = "Events in notices to it that its plans had explained before, of all "
					      "events in notices to it." },
	[METRIC_PLAN_OVERDUE] = { METRIC_PLAN_OVERDUE, "plan-overdue", UNIT_SHARE, .at_most = true,
				  .counts = "Plans of its own that ended with no word within half an hour, of all that "
					    "ended." },
	[METRIC_PLAN_BREACH] = { METRIC_PLAN_BREACH, "plan-breach", UNIT_COUNT, .at_most = true,
				 .counts = "Plans of its own that others saw outside what they declared." },
	[METRIC_REPORT_ANSWERED] = { METRIC_REPORT_ANSWERED, "report-answered", UNIT_SHARE, .needs_within = true,
				     .later = true,
				     .counts = "Reports of vulnerabilities to it that it acknowledged in time, of all "
					       "to it." },
	[METRIC_REMEDY_TIME] = { METRIC_REMEDY_TIME, "remedy-time", UNIT_TIME, .at_most = true, .later = true,
				 .counts = "The time from the report of a vulnerability to its remedy, of half of "
					   "them." },
	[METRIC_UPDATE_LAG] = { METRIC_UPDATE_LAG, "update-lag", UNIT_TIME, .at_most = true, .whole = true,
				.counts = "The longest time between the first and the last region of one of its "
					  "releases." },
	[METRIC_ARTEFACT_EQUAL] = { METRIC_ARTEFACT_EQUAL, "artefact-equal", UNIT_SHARE, .whole = true,
				    .counts =
					    "Releases of its own with one hash in all regions and no region left out, "
					    "of all its releases." },
	[METRIC_BALANCE] = { METRIC_BALANCE, "balance", UNIT_SHARE, .in_agreements = true,
			     .counts = "Of the notices given and taken that their receiver confirmed as useful, those "
				       "that it gave." },
	[METRIC_RESTRAINT] = { METRIC_RESTRAINT, "restraint", UNIT_COUNT, .at_most = true, .in_agreements = true,
			       .counts = "Breaches of a restraint that were alleged with evidence and stand." },
};

const struct metric_rule *metric_rule(enum metric m)
{
	assert((unsigned)m < METRIC_COUNT);
	return &rules[m];
}

enum err metric_parse(struct span name, enum metric *out)
{
	for (int m = 0; m < METRIC_COUNT; m++)
		if (span_is(name, rules[m].name)) {
			*out = (enum metric)m;
			return OK;
		}
	return fail(ERR_TERM, "%.*s: no metric of this name", name.len > 40 ? 40 : (int)name.len,
		    name.len > 0 ? name.at : "");
}
