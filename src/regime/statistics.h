/* The arithmetic of standing: shares with Wilson's interval, times with open cases by Kaplan and Meier. Integers in, and out come
 * either integers or numbers that are printed with four digits; nothing depends on the order of what comes in. */
#ifndef REGIME_STATISTICS_H
#define REGIME_STATISTICS_H

#include "base/json.h"

#define STATISTICS_LEAST 20 /* a smaller denominator gives no rate */
#define STATISTICS_DAYS 4   /* 1, 7, 14, 30 */
extern const unsigned statistics_days[STATISTICS_DAYS];

struct proportion { /* of a whole */
	uint64_t numerator, denominator;
	uint64_t unknown; /* beside the denominator: those of which it is not known yet, or not said */
	bool blank;	  /* denominator below STATISTICS_LEAST: no rate, no interval */
	double low, high; /* Wilson, 95 %; unless blank */
};
struct proportion proportion_of(uint64_t numerator, uint64_t denominator, uint64_t unknown);

/* One share less another, with Newcombe's interval (his method 10, from Wilson's). blank if one of them is. */
struct difference {
	bool blank;
	double value, low, high;
};
struct difference proportion_difference(const struct proportion *a, const struct proportion *b);

/* One time from a beginning to what ended it, or to the last moment at which it was known not to have ended. */
typedef uint64_t timed;
static inline timed timed_of(int64_t ms, bool ended)
{
	return (uint64_t)(ms > 0 ? ms : 0) << 1 | !ended; /* at the same instant those that ended come first */
}
struct times {
	timed *at;
	size_t count, room;
};
enum err times_add(struct times *t, int64_t ms, bool ended); /* ERR_NO_MEMORY */
void times_clear(struct times *t);			     /* keeps the memory */
void times_free(struct times *t);

/* Kaplan-Meier at the end of each of the days: which share had ended by then, had all been watched so long. Greenwood's
 * interval on the log-log scale. */
struct survival {
	uint64_t cases, ended;
	bool blank; /* cases below STATISTICS_LEAST: nothing below is set but at_risk */
	struct {
		uint64_t at_risk;  /* still open, and watched for longer */
		bool known;	   /* somebody was watched so long, or all had ended */
		bool has_interval; /* not where none or all had ended */
		double done, low, high;
	} days[STATISTICS_DAYS];
};
/* The time at which that share had ended: unknown if it is not reached. */
struct quantiles {
	uint64_t cases, ended;
	bool blank, has_p50, has_p90;
	int64_t p50_ms, p90_ms;
};
/* Sort the times, in place. */
struct survival times_survival(struct times *t);
struct quantiles times_quantiles(struct times *t);

/* As JSON. A number that is blank or unknown is null. */
void proportion_print(struct json *j, const char *key, const struct proportion *s);
void difference_print(struct json *j, const char *key, const struct difference *d);
void survival_print(struct json *j, const char *key, const struct survival *s);
void quantiles_print(struct json *j, const char *key, const struct quantiles *q);
/* Numerator by denominator with four digits, half up, from integers. */
void ratio_print(struct json *j, const char *key, uint64_t numerator, uint64_t denominator);

#endif
