#include "regime/statistics.h"

#include <math.h>
#include <stdlib.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* gcc has it off under -std=c17 */
#endif

/*
 * Why the figures are the same everywhere
 *
 * Rates are rounded from integers. Intervals use + - * / and the square root, which IEEE 754 rounds correctly, in the order
 * that stands here. Greenwood's also uses the logarithm and the power of the C library, which may differ in the last of
 * sixteen digits; four are printed. Times are added up in the order of time, and equal ones are taken together.
 */

#define Z 1.959963984540054 /* 97.5 % of a normal distribution lie below */
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define SLACK 1e-12 /* a share is a product of fractions: what should be one half may miss it by a bit */

const unsigned statistics_days[STATISTICS_DAYS] = { 1, 7, 14, 30 };

/* ---- shares ---- */

/* E. B. Wilson, 1927. The exact ends are put right: nothing of nothing is not below zero. */
static void wilson(uint64_t numerator, uint64_t denominator, double *low, double *high)
{
	double n = (double)denominator, p = (double)numerator / n, zz = Z * Z;
	double centre = p + zz / (2 * n), scale = 1 + zz / n;
	double half = Z * sqrt(p * (1 - p) / n + zz / (4 * n * n));

	*low = numerator == 0 ? 0 : (centre - half) / scale;
	*high = numerator == denominator ? 1 : (centre + half) / scale;
}

struct proportion proportion_of(uint64_t numerator, uint64_t denominator, uint64_t unknown)
{
	struct proportion s = { numerator, denominator, unknown, denominator < STATISTICS_LEAST, 0, 0 };

	if (!s.blank)
		wilson(numerator, denominator, &s.low, &s.high);
	return s;
}

/* R. G. Newcombe, 1998, method 10. */
struct difference proportion_difference(const struct proportion *a, const struct proportion *b)
{
	struct difference d = { .blank = a->blank || b->blank };
	double p, q, below, above;

	if (d.blank)
		return d;
	p = (double)a->numerator / (double)a->denominator;
	q = (double)b->numerator / (double)b->denominator;
	below = sqrt((p - a->low) * (p - a->low) + (b->high - q) * (b->high - q));
	above = sqrt((a->high - p) * (a->high - p) + (q - b->low) * (q - b->low));
	d.value = p - q;
	d.low = d.value - below;
	d.high = d.value + above;
	return d;
}

/* ---- times ---- */

enum err times_add(struct times *t, int64_t ms, bool ended)
{
	if (t->count == t->room) {
		size_t room = t->room < 4 ? 4 : 2 * t->room;
		timed *at = realloc(t->at, room * sizeof(*at));

		if (at == NULL)
			return ERR_NO_MEMORY;
		t->at = at;
		t->room = room;
	}
	t->at[t->count++] = timed_of(ms, ended);
	return OK;
}

void times_clear(struct times *t)
{
	t->count = 0;
}

void times_free(struct times *t)
{
	free(t->at);
	*t = (struct times){ 0 };
}

static int earlier(const void *a, const void *b)
{
	timed x = *(const timed *)a, y = *(const timed *)b;

	return (x > y) - (x < y);
}

static int64_t ms_of(timed t)
{
	return (int64_t)(t >> 1);
}

static bool has_ended(timed t)
{
	return (t & 1) == 0;
}

/* The product so far. Whoever stops being watched at an instant was still watched when others ended at it. */
struct curve {
	const struct times *t;
	size_t next;	 /* the first time not taken */
	uint64_t ended;	 /* so far */
	double open;	 /* share still open */
	double variance; /* Greenwood's sum; not used once all have ended */
};

/* Takes the next instant. */
static void curve_step(struct curve *c)
{
	int64_t now = ms_of(c->t->at[c->next]);
	uint64_t n = c->t->count - c->next, d = 0;

	for (; c->next < c->t->count && ms_of(c->t->at[c->next]) == now; c->next++)
		d += has_ended(c->t->at[c->next]);
	if (d == 0)
		return;
	c->ended += d;
	if (d == n) {
		c->open = 0;
		return;
	}
	c->open *= 1 - (double)d / (double)n;
	c->variance += (double)d / ((double)n * (double)(n - d));
}

static bool curve_reaches(const struct curve *c, int64_t until_ms)
{
	return c->next < c->t->count && ms_of(c->t->at[c->next]) <= until_ms;
}

static struct curve curve_of(struct times *t)
{
	if (t->count > 1)
		qsort(t->at, t->count, sizeof(*t->at), earlier);
	return (struct curve){ .t = t, .open = 1 };
}

struct survival times_survival(struct times *t)
{
	struct curve c = curve_of(t);
	struct survival s = { .cases = t->count, .blank = t->count < STATISTICS_LEAST };

	for (int i = 0; i < STATISTICS_DAYS; i++) {
		int64_t end = statistics_days[i] * DAY_MS;
		double spread;

		while (curve_reaches(&c, end))
			curve_step(&c);
		s.days[i].at_risk = t->count - c.next;
		if (s.blank)
			continue;
		s.days[i].known = c.next < t->count || c.open <= 0 || ms_of(t->at[t->count - 1]) == end;
		if (!s.days[i].known)
			continue;
		s.days[i].done = 1 - c.open;
		s.days[i].has_interval = c.ended > 0 && c.open > 0;
		if (!s.days[i].has_interval)
			continue;
		spread = exp(Z * sqrt(c.variance) / fabs(log(c.open)));
		s.days[i].low = 1 - pow(c.open, 1 / spread);
		s.days[i].high = 1 - pow(c.open, spread);
	}
	while (c.next < t->count)
		curve_step(&c);
	s.ended = c.ended;
	return s;
}

struct quantiles times_quantiles(struct times *t)
{
	struct curve c = curve_of(t);
	struct quantiles q = { .cases = t->count, .blank = t->count < STATISTICS_LEAST };

	while (c.next < t->count) {
		int64_t now = ms_of(t->at[c.next]);

		curve_step(&c);
		if (!q.blank && !q.has_p50 && c.open <= 0.5 + SLACK) {
			q.has_p50 = true;
			q.p50_ms = now;
		}
		if (!q.blank && !q.has_p90 && c.open <= 0.1 + SLACK) {
			q.has_p90 = true;
			q.p90_ms = now;
		}
	}
	q.ended = c.ended;
	return q;
}

/* ---- printing ---- */

#define DIGITS 4
#define SCALE 10000

static void four_digits(struct json *j, const char *key, bool has, double value)
{
	double rounded = floor(fabs(value) * SCALE + 0.5);

	if (!has)
		json_null(j, key);
	else
		json_fraction(j, key, value < 0 && rounded > 0 ? -rounded / SCALE : rounded / SCALE, DIGITS);
}

/* The whole part is split off, so that nothing overflows. */
void ratio_print(struct json *j, const char *key, uint64_t numerator, uint64_t denominator)
{
	uint64_t whole, rest;

	if (denominator == 0 || denominator > UINT64_MAX / (4 * SCALE)) {
		json_null(j, key);
		return;
	}
	whole = numerator / denominator;
	rest = (2 * SCALE * (numerator % denominator) + denominator) / (2 * denominator);
	json_fraction(j, key, (double)whole + (double)rest / SCALE, DIGITS);
}

void proportion_print(struct json *j, const char *key, const struct proportion *s)
{
	json_object(j, key);
	json_number(j, "numerator", (int64_t)s->numerator);
	json_number(j, "denominator", (int64_t)s->denominator);
	json_number(j, "unknown", (int64_t)s->unknown);
	ratio_print(j, "rate", s->numerator, s->blank ? 0 : s->denominator);
	four_digits(j, "low", !s->blank, s->low);
	four_digits(j, "high", !s->blank, s->high);
	json_object_end(j);
}

void difference_print(struct json *j, const char *key, const struct difference *d)
{
	json_object(j, key);
	four_digits(j, "value", !d->blank, d->value);
	four_digits(j, "low", !d->blank, d->low);
	four_digits(j, "high", !d->blank, d->high);
	json_object_end(j);
}

void survival_print(struct json *j, const char *key, const struct survival *s)
{
	json_object(j, key);
	json_number(j, "cases", (int64_t)s->cases);
	json_number(j, "done", (int64_t)s->ended);
	json_array(j, "after");
	for (int i = 0; i < STATISTICS_DAYS; i++) {
		json_object(j, NULL);
		json_number(j, "days", statistics_days[i]);
		four_digits(j, "share", s->days[i].known, s->days[i].done);
		four_digits(j, "low", s->days[i].has_interval, s->days[i].low);
		four_digits(j, "high", s->days[i].has_interval, s->days[i].high);
		json_number(j, "at_risk", (int64_t)s->days[i].at_risk);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static void milliseconds(struct json *j, const char *key, bool has, int64_t ms)
{
	if (has)
		json_number(j, key, ms);
	else
		json_null(j, key);
}

void quantiles_print(struct json *j, const char *key, const struct quantiles *q)
{
	json_object(j, key);
	json_number(j, "cases", (int64_t)q->cases);
	json_number(j, "done", (int64_t)q->ended);
	milliseconds(j, "p50_ms", q->has_p50, q->p50_ms);
	milliseconds(j, "p90_ms", q->has_p90, q->p90_ms);
	json_object_end(j);
}
