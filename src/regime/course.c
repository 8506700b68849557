#include "regime/course.h"

#include <assert.h>

/*
 * What must hold
 *
 *   1. Only a missed window leads towards a suspension, and it takes two of them with no good one between, then a consultation
 *      that nobody ended together.
 *   2. A window with too few leaves everything but its own count as it is.
 *   3. What is over by time is over before anything else of that moment or later is looked at, so it does not matter whether the
 *      caller says so first.
 *   4. A side that signed a resolution keeps its word when the consultation ends without the other's: the other may still sign.
 */

static const char *const names[COURSE_STATE_COUNT] = {
	[COURSE_IN_FORCE] = "in-force",	  [COURSE_STRAINED] = "strained", [COURSE_CONSULT] = "consult",
	[COURSE_SUSPENDED] = "suspended", [COURSE_RESTORED] = "restored",
};

const char *course_state_name(enum course_state s)
{
	assert((unsigned)s < COURSE_STATE_COUNT);
	return names[s];
}

/* The word of a side is kept from the consultation into the suspension, and over with these. */
static void enter(struct course *c, enum course_state s, int64_t at_ms)
{
	if (s != COURSE_SUSPENDED)
		c->resolved = 0;
	c->state = s;
	c->since_ms = at_ms;
	c->consult_until_ms = 0;
	c->good = 0;
}

void course_begin(struct course *c, int64_t at_ms)
{
	*c = (struct course){ 0 };
	enter(c, COURSE_IN_FORCE, at_ms);
}

void course_time(struct course *c, int64_t at_ms)
{
	if (c->state != COURSE_CONSULT || at_ms < c->consult_until_ms)
		return;
	enter(c, COURSE_SUSPENDED, c->consult_until_ms);
	c->suspensions++;
}

static void met(struct course *c, const struct course_rules *r, int64_t end_ms)
{
	c->met++;
	if (c->state == COURSE_STRAINED || c->state == COURSE_RESTORED)
		enter(c, COURSE_IN_FORCE, end_ms);
	else if (c->state == COURSE_SUSPENDED && ++c->good >= r->restore)
		enter(c, COURSE_RESTORED, end_ms);
}

static void missed(struct course *c, const struct course_rules *r, int64_t end_ms)
{
	c->missed++;
	if (c->state == COURSE_IN_FORCE || c->state == COURSE_RESTORED) {
		enter(c, COURSE_STRAINED, end_ms);
	} else if (c->state == COURSE_STRAINED) {
		enter(c, COURSE_CONSULT, end_ms);
		c->consult_until_ms = end_ms + r->consult_ms;
	} else if (c->state == COURSE_SUSPENDED) {
		c->good = 0;
	}
}

void course_window(struct course *c, const struct course_rules *r, enum window w, int64_t end_ms)
{
	assert(r->consult_ms > 0 && r->restore > 0);
	course_time(c, end_ms);
	if (w == WINDOW_MET)
		met(c, r, end_ms);
	else if (w == WINDOW_MISSED)
		missed(c, r, end_ms);
	else
		c->too_few++;
}

void course_resolve(struct course *c, unsigned side, int64_t at_ms)
{
	assert(side < 2);
	course_time(c, at_ms);
	if (c->state != COURSE_CONSULT && c->state != COURSE_SUSPENDED)
		return;
	c->resolved |= 1u << side;
	if (c->resolved == 3)
		enter(c, c->state == COURSE_CONSULT ? COURSE_IN_FORCE : COURSE_RESTORED, at_ms);
}

enum window window_of_both(enum window a, enum window b)
{
	if (a == WINDOW_MISSED || b == WINDOW_MISSED)
		return WINDOW_MISSED;
	return a == WINDOW_MET || b == WINDOW_MET ? WINDOW_MET : WINDOW_TOO_FEW;
}
