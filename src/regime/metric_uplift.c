/* Uplift: what notices did beyond what look-alikes did by themselves, from a reporter's controls (control.h); and how a measure
 * is printed. */
#include <math.h>
#include <stdlib.h>

#include "regime/control.h"
#include "regime/metric_private.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* gcc has it off under -std=c17 */
#endif

#define WHOLE 10000	/* hundredths of a per cent */
#define AFTER_14_DAYS 2 /* of the four counts of a control */

/* A window's sums for one class. */
struct class_sum {
	uint64_t told, told_gone, alike, alike_gone;
	int64_t last_ms; /* of the newest control; 0: none */
};

struct uplifting {
	const struct windows *w;
	struct class_sum *of; /* CLASS_COUNT for each window */
};

/* A control counts where it was logged. One of the same class that begins within the one before would count a source twice.
 * Controls come in the order of class and end. */
static enum err take_control(void *context, const struct control *c)
{
	const struct uplifting *u = context;
	int64_t at = c->logged_ms - u->w->start_ms;
	struct class_sum *s;

	if (c->demonstration != u->w->demonstration || at < 0 || (uint64_t)(at / u->w->length_ms) >= u->w->count)
		return OK;
	s = &u->of[(size_t)(at / u->w->length_ms) * CLASS_COUNT + c->class];
	if (s->last_ms != 0 && c->first_ms < s->last_ms)
		return OK;
	s->last_ms = c->last_ms;
	s->told += c->notified;
	s->told_gone += c->notified_gone[AFTER_14_DAYS];
	s->alike += c->control;
	s->alike_gone += c->control_gone[AFTER_14_DAYS];
	return OK;
}

__extension__ typedef unsigned __int128 wide;

/* What would have gone by itself: look-alikes of each class, as many as were told of. Their interval is put together from the
 * classes' own (G. Y. Zou and A. Donner, 2008). */
static struct proportion expected_of(const struct class_sum *of, uint64_t all)
{
	double below = 0, above = 0, share = 0;
	struct proportion p = { .denominator = all };

	for (int c = 0; c < CLASS_COUNT; c++) {
		const struct class_sum *s = &of[c];
		struct proportion alike = proportion_of(s->alike_gone, s->alike, 0);
		double weight = all > 0 ? (double)s->told / (double)all : 0, q;

		if (alike.blank || s->told < STATISTICS_LEAST)
			continue;
		q = (double)s->alike_gone / (double)s->alike;
		share += weight * q;
		below += weight * (q - alike.low) * (weight * (q - alike.low));
		above += weight * (alike.high - q) * (weight * (alike.high - q));
		p.numerator += (uint64_t)((2 * (wide)s->told * s->alike_gone + s->alike) / (2 * (wide)s->alike));
	}
	p.blank = all < STATISTICS_LEAST;
	p.low = p.blank ? 0 : fmax(share - sqrt(below), 0);
	p.high = p.blank ? 0 : fmin(share + sqrt(above), 1);
	return p;
}

static void end_window(const struct class_sum *of, struct measure *m)
{
	uint64_t gone = 0, all = 0, left_out = 0;

	for (int c = 0; c < CLASS_COUNT; c++) {
		const struct class_sum *s = &of[c];

		if (s->told < STATISTICS_LEAST || s->alike < STATISTICS_LEAST) {
			left_out += s->told;
		} else {
			gone += s->told_gone;
			all += s->told;
		}
	}
	m->share = proportion_of(gone, all, left_out);
	m->undisputed = expected_of(of, all);
	m->has_value = all > 0;
	m->value = all > 0 && gone > m->undisputed.numerator
			   ? (uint64_t)((wide)WHOLE * (gone - m->undisputed.numerator) / all)
			   : 0;
}

enum err windows_uplift(const struct state *st, const struct windows *w, struct span party, struct measure *out)
{
	struct uplifting u = { .w = w };
	enum err e;

	if (w->count == 0)
		return OK;
	if ((u.of = calloc(w->count, CLASS_COUNT * sizeof(*u.of))) == NULL)
		return ERR_NO_MEMORY;
	e = state_controls(st, party, take_control, &u);
	for (size_t i = 0; e == OK && i < w->count; i++)
		end_window(&u.of[i * CLASS_COUNT], &out[i]);
	free(u.of);
	return e;
}

/* ---- printing ---- */

static void print_share(struct json *j, const struct measure *m)
{
	proportion_print(j, "share", &m->share);
	json_number(j, "disputed", (int64_t)m->disputed);
	if (m->disputed > 0)
		proportion_print(j, "undisputed", &m->undisputed);
}

static void print_value(struct json *j, const char *key, const struct measure *m)
{
	if (m->has_value)
		json_number(j, key, (int64_t)m->value);
	else
		json_null(j, key);
}

static void print_uplift(struct json *j, const struct measure *m)
{
	struct difference d = proportion_difference(&m->share, &m->undisputed);

	proportion_print(j, "share", &m->share);
	proportion_print(j, "look_alikes", &m->undisputed);
	difference_print(j, "uplift", &d);
}

void measure_print_members(struct json *j, const struct term *t, const struct measure *m)
{
	enum metric_unit unit = metric_rule(t->metric)->unit;

	json_time(j, "from", m->from_ms);
	json_time(j, "to", m->until_ms);
	json_bool(j, "closed", m->closed);
	if (unit == UNIT_COUNT) {
		print_value(j, "value", m);
		json_number(j, "disputed", (int64_t)m->disputed);
	} else if (t->metric == METRIC_UPLIFT) {
		print_uplift(j, m);
	} else {
		print_share(j, m);
		if (unit == UNIT_TIME)
			print_value(j, "value_ms", m);
	}
}

void measure_print(struct json *j, const char *key, const struct term *t, const struct measure *m)
{
	json_object(j, key);
	measure_print_members(j, t, m);
	json_object_end(j);
}
