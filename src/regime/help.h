/* Help: asked of one, several or all; offered, accepted, worked on, recovered with evidence. And pings: is the duty contact
 * there?
 *
 *	comity/1 request
 *	need help				or `ping`; other needs stand beside a notice or a plan (request.c, plan_life.h)
 *	to b.example				or several, or `all`
 *	critical energy				critical infrastructure, and its sector: in the floor, never withheld or suspended
 *	skill forensics				what is missing, one word; may repeat
 *	affected 1200				hosts or customers, as far as known
 *	text …
 *
 * Without `re`, from rules 3 on. It goes to parties, or to `all` alone; who asks signs it itself. Answers: any addressee (of
 * `all` any party) `offered`, `objected` (it cannot), `working`, `acknowledged`; the author `accepted` with `whom DOMAIN` (whose
 * offer), `recovered` with a sealed body that shows it, `closed` without. `recovered` without a body is refused. The first human
 * answer is the first of a party other than the author that is neither `received` nor `via node`.
 *
 * A ping is `need ping` to one party. It goes by the outbox as everything does, to a node or as a mail with a link; whoever is
 * on duty answers `acknowledged` within a day, or what the party pledged on contact-live. An answer `via node` is none. A node
 * that serves pings parties that it has dealings with at random times: the next one is drawn from a secret of the node and the
 * last ping, so that nobody else can tell it and a restart changes nothing. */
#ifndef REGIME_HELP_H
#define REGIME_HELP_H

#include "regime/state.h"

#define HELP_SKILLS_MAX 8

#define HELP_PING_DUE_MS (INT64_C(24) * 60 * 60 * 1000)

enum help_phase {
	HELP_ASKED,
	HELP_OFFERED,
	HELP_ACCEPTED,
	HELP_WORKING,
	HELP_RECOVERED,
	HELP_CLOSED,
	HELP_PHASE_COUNT
};
const char *help_phase_name(enum help_phase p);

struct help {
	struct matter matter;
	bool ping, to_all;
	struct span critical; /* the sector; empty: it is not for critical infrastructure */
	uint64_t affected;
	enum help_phase phase;
	int64_t first_human_ms;	 /* 0: none yet */
	struct span first_human; /* who */
	unsigned offers, accepted;
	int64_t recovered_ms;
};
enum err state_help(const struct state *st, struct hash request, struct help *out); /* ERR_MATTER_UNKNOWN */
typedef enum err help_each(void *context, const struct help *h);
/* Requests for help in the order of the ledger, the newest first; withdrawn ones too. to: those to that party and those to all,
 * which `to_all` marks; empty: every one. pings: those instead. */
enum err state_helps(const struct state *st, struct span to, bool pings, help_each *each, void *context);
/* What one party said of a request. Spans point into the snapshot. */
struct help_offer {
	struct span from;
	struct hash answer;					  /* that offered; zero: none did */
	int64_t offered_ms, accepted_ms, first_human_ms, last_ms; /* 0: not; last: of its last word */
	enum outcome last;					  /* if last_ms */
};
enum err help_said(const struct state *st, struct hash request, struct span party,
		   struct help_offer *out); /* ERR_NOT_FOUND: nothing */
typedef enum err offer_each(void *context, const struct help_offer *o);
/* Those who offered, in the order of their names; also whose offer was accepted elsewhere and never came here. */
enum err help_offers(const struct state *st, struct hash request, offer_each *each, void *context);
/* How it stands with a ping, or with a request's first answer, at that time. */
enum help_reply { HELP_WAITING, HELP_ANSWERED, HELP_LATE, HELP_NONE, HELP_REPLY_COUNT };
const char *help_answered_name(enum help_reply a); /* "waiting", "answered", "late", "none" */
enum help_reply help_answered_by(const struct help *h, int64_t now_ms);
/* For programs: the members of an object. */
void help_print(const struct help *h, int64_t now_ms, struct json *j);
void help_offer_print(const struct help_offer *o, struct json *j);
/* Whether a request is in the floor: for critical infrastructure, or a ping. */
bool help_is_floor(const struct help *h);

#endif
