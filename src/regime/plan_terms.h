/* What a plan declares, and its bytes in the state. docs/plans.md has the headers for people. */
#ifndef REGIME_PLAN_TERMS_H
#define REGIME_PLAN_TERMS_H

#include "regime/state_private.h"

/* In the state by number: only add at the end. */
enum activity {
	ACTIVITY_SCAN,
	ACTIVITY_EXERCISE,
	ACTIVITY_TAKEDOWN,
	ACTIVITY_MAINTENANCE,
	ACTIVITY_RESEARCH,
	ACTIVITY_MEASUREMENT,
	ACTIVITY_RED_TEAM,
	ACTIVITY_SINKHOLE,
	ACTIVITY_RECOVERY,
	ACTIVITY_COUNT
};
const char *activity_name(enum activity a);
/* How long before its start a plan of that kind should be filed; later is recorded as short notice. Intrusive ones as exercises. */
int64_t activity_notice_ms(enum activity a, bool intrusive);

struct port_range {
	uint16_t low, high;
};

enum marker_kind { MARKER_PTR, MARKER_PROBING, MARKER_USER_AGENT, MARKER_TLS, MARKER_IN_BAND, MARKER_COUNT };
struct marker { /* `marker ptr scan.example.org`, `marker in-band https://…` */
	enum marker_kind kind;
	struct span value;
};

/* Times repeat in UTC only: a day has 24 hours, a week seven days, whatever the clocks of a country do. */
enum repeat { REPEAT_NONE, REPEAT_DAILY, REPEAT_WEEKLY };

struct plan_terms {
	uint8_t activity;
	bool intrusive, any_target;
	/* A sealed filing has a commitment and nothing else but, if it likes, start and end. */
	bool sealed;
	struct hash commitment;
	int64_t start_ms, end_ms; /* the first window; of a sealed filing perhaps 0 */
	/* When a revealed plan counts as filed: when its sealed filing was logged, if enough others countersigned that. 0: when it was
	 * logged itself. The fold sets it. */
	int64_t filed_ms;
	uint8_t repeat;				     /* enum repeat */
	uint32_t repeat_count;			     /* windows in all, at least 1 */
	struct prefix *sources, *targets, *excludes; /* in the arena; sources: `source` and `alternate` */
	size_t source_count, target_count, exclude_count;
	uint32_t *target_as; /* `target AS64500` */
	size_t target_as_count;
	char (*target_countries)[3]; /* `target country EE` */
	size_t target_country_count;
	struct span *target_domains; /* `target example.org`: shown, never matched by address */
	size_t target_domain_count;
	uint8_t transports[8];	  /* IANA protocol numbers; `transport tcp` */
	size_t transport_count;	  /* 0: any */
	struct port_range *ports; /* `port 443`, `port 1-1024`; sorted, apart */
	size_t port_count;	  /* 0: any */
	uint64_t rate, rate_each; /* packets or connections a second, in all and for one target; 0: not said */
	struct marker *markers;
	size_t marker_count;
	int64_t stop_within_ms; /* 0: not said */
	struct span contact;	/* `contact mailto:…` or `contact tel:…`, the duty contact; may be empty */
	struct span purpose;
};

/* A prefix as plans write it. ERR_PREFIX, which names the header. */
enum err plan_prefix_read(const char *name, struct span value, struct prefix *out);
const char *marker_name(enum marker_kind k);
const char *transport_name(uint8_t number); /* NULL: it is written as its number */

/* The end of the last window. 0: a sealed filing without one. */
int64_t plan_terms_last_ms(const struct plan_terms *t);
/* Whether the time lies in one of its windows, each widened by skew_ms on both sides; a sealed filing that
 * names no window is open always. */
bool plan_terms_open(const struct plan_terms *t, int64_t time_ms, int64_t skew_ms);

/* Reads and judges the headers; spans point into the statement. ERR_STATEMENT_HEADER, ERR_PLAN_WINDOW, ERR_PREFIX. */
enum err plan_terms_read(struct arena *a, const struct statement *s, struct plan_terms *out);
/* The bytes that a sealed filing commits to: all `name value` lines that declare terms, as they stand in the statement that reveals
 * them, without ledger, from, key, date, re and nonce. The commitment is seal_commitment(author, "", "text/plain", nonce, terms). */
enum err plan_terms_text(const struct statement *s, struct buffer *out);

/* Value of key `f`. Unpacked, spans point into the value. */
void plan_terms_pack(const struct plan_terms *t, struct buffer *out);
enum err plan_terms_unpack(struct arena *a, struct span value, struct plan_terms *out);
/* Those of the plan at that place in the public ledger; into the snapshot and st->arena. */
enum err plan_terms_get(const struct state *st, uint64_t index, struct plan_terms *out);

#endif
