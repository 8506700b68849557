/* Directives: how an addressee wants to be told. Set by this node's operator, kept in the journal (RECORD_PRIVATE, tag 'D')
 * and the view OWN. The newest counts; one for everyone (to NULL) stands for all who have none of their own. */
#ifndef REGIME_DIRECTIVE_H
#define REGIME_DIRECTIVE_H

#include "base/buffer.h"
#include "regime/state.h"

enum aggregation { BY_CLASS, BY_SOURCE, BY_DAY, AGGREGATION_COUNT };
enum err aggregation_parse(struct span name, enum aggregation *out); /* "class", "source", "day". ERR_USAGE */
const char *aggregation_name(enum aggregation a);

struct directive {
	int64_t interval_ms; /* at most one round of notices in this time; 0: at once. What comes meanwhile waits */
	int64_t window_ms;   /* a source that was told is told again only after this time; 0: each time */
	int64_t quiet_ms;    /* not seen for so long and then again: told at once, as a relapse */
	uint64_t threshold;  /* or when so many events were held; 0: no number of them */
	enum aggregation by; /* one notice for each class; each class and source; each class and UTC day */
	uint8_t format;	     /* in which form rows are rendered for it: enum render_format */
	bool need_port;	     /* rows without a source port are not sent */
	bool carrier_nat; /* many hosts behind one address: port and time tell them apart, so no event repeats another */
};

/* What stands where nobody said otherwise: at once, 24 h, 7 d, 1000, by class. */
struct directive directive_default(void);

/* The payload of the record; to NULL: for everyone. clear: the addressee has none of its own any more. */
void directive_write(struct buffer *record, const struct addressee *to, const struct directive *d, bool clear);

/* The one that holds for the addressee: its own, else everyone's, else the default. own: whether it is its own. */
enum err directive_find(const struct state *st, const struct addressee *to, struct directive *out, bool *own);
/* to is NULL for everyone's. */
typedef enum err directive_each(void *context, const struct addressee *to, const struct directive *d);
enum err directives_walk(const struct state *st, directive_each *each, void *context);

#endif
