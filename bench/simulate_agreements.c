/* Plays agreements between parties that mean to keep them and now and then fail, and with some that take and do not give. The terms
 * are read, their windows judged and their states moved by the very functions that the ledger's fold calls; only the events are drawn.
 *
 *	simulate_agreements [--seed N] [--svg FILE]
 *
 * Prints its figures as JSON; docs/agreements.md says what they mean. The same seed gives the same bytes, on every machine: nothing
 * here is a floating-point number. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "random.h"
#include "regime/agreement.h"

#define PAIRS 1000
#define WINDOWS 60 /* of 30 days: five years, but for a month */
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define WINDOW_DAYS 30
#define DAYS (WINDOWS * WINDOW_DAYS)
#define STEP_DAYS 2 /* a picture's point; consultations and windows both end on one */
#define POINTS (DAYS / STEP_DAYS + 1)
#define NOISE 5	 /* of a hundred events that a party means to answer, so many it does not */
#define AFTER 24 /* so many windows more are played to see whether what is suspended at the end stays so */
#define STOPS 12 /* a free rider gives nothing from the end of that window, */
#define MENDS 36 /* and again from the end of this one */

struct played {
	const char *line;
	unsigned fewest, most; /* events that a window has for one side */
	struct term term;
};
static struct played terms[] = {
	{ .line = "swift acknowledged at-least 80% within 2d each 30d least 5 gives share", .fewest = 8, .most = 24 },
	{ .line = "aid help-answered at-least 50% within 3d each 30d least 2 gives help", .fewest = 0, .most = 4 },
	{ .line = "duty contact-live at-least 100% within 1d each 30d gives share", .fewest = 1, .most = 1 },
};
#define TERMS (sizeof(terms) / sizeof(terms[0]))
static const struct course_rules rules = { .consult_ms = AGREEMENT_CONSULT_MS, .restore = AGREEMENT_RESTORE };

static uint64_t seed = 1;

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "simulate_agreements: %s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

static uint64_t draw(uint64_t below)
{
	return random_next(&seed) % below;
}

/* One window of one side: how much was asked, and how much of it was answered by who means to. Drawn whether it does or not, so that
 * all rules play the same luck. */
struct asked {
	unsigned events, answered;
};

static struct asked draw_window(const struct played *p)
{
	struct asked a = { .events = p->fewest + (unsigned)draw(p->most - p->fewest + 1) };

	for (unsigned i = 0; i < a.events; i++)
		a.answered += draw(100) >= NOISE;
	return a;
}

static enum window judge(const struct term *t, struct asked a, bool means_to)
{
	struct measure m = { .closed = true, .share = proportion_of(means_to ? a.answered : 0, a.events, 0) };

	return term_judge(t, &m, 1);
}

/* ---- those who mean it ---- */

struct figures {
	uint64_t windows, missed, too_few, suspensions, suspended_days, suspended_at_end, longest_days, lifted_within;
};
/* How many sides of all terms of all pairs give what they agreed. */
static uint32_t flows[POINTS], flows_like[POINTS], flows_grim[POINTS];
#define SIDES (2 * PAIRS * TERMS)

/* Two rules that people would think of first, for comparison: pay back each missed window with one, and end at the first. */
struct others {
	bool missed[2]; /* the last window, by each side */
	bool broken;
};

static void play_others(struct others *o, const struct term *t, const struct asked a[2])
{
	bool pays_back[2] = { o->missed[1], o->missed[0] };
	enum window w[2];

	for (int side = 0; side < 2; side++)
		w[side] = judge(t, a[side], !pays_back[side]);
	for (int side = 0; side < 2; side++)
		o->missed[side] = w[side] == WINDOW_MISSED;
	o->broken |= window_of_both(w[0], w[1]) == WINDOW_MISSED;
}

static void lifted(const struct course *c, int64_t since_ms, struct figures *f)
{
	uint64_t days = (uint64_t)((c->since_ms - since_ms) / DAY_MS);

	if (days > f->longest_days)
		f->longest_days = days;
}

/* Until it flows again, beyond the end. */
static void play_on(const struct played *p, struct course *c, struct figures *f)
{
	int64_t since = c->since_ms;
	uint64_t i = 0;

	for (; i < AFTER && !course_flows(c); i++) {
		struct asked a[2] = { draw_window(p), draw_window(p) };

		course_window(c, &rules, window_of_both(judge(&p->term, a[0], true), judge(&p->term, a[1], true)),
			      (int64_t)(DAYS + (i + 1) * WINDOW_DAYS) * DAY_MS);
	}
	if (!course_flows(c))
		i++; /* more than asked for */
	else
		lifted(c, since, f);
	if (i > f->lifted_within)
		f->lifted_within = i;
}

static void play_term(const struct played *p, struct figures *f)
{
	struct course c;
	struct others o = { 0 };

	course_begin(&c, 0);
	for (int day = 0; day <= DAYS; day += STEP_DAYS) {
		int64_t since = c.since_ms, now = day * DAY_MS;
		bool flowed = course_flows(&c);

		if (day > 0 && day % WINDOW_DAYS == 0) {
			struct asked a[2] = { draw_window(p), draw_window(p) };
			enum window w = window_of_both(judge(&p->term, a[0], true), judge(&p->term, a[1], true));

			course_window(&c, &rules, w, now);
			play_others(&o, &p->term, a);
		}
		course_time(&c, now);
		if (!flowed && course_flows(&c))
			lifted(&c, since, f);
		flows[day / STEP_DAYS] += course_flows(&c) ? 2 : 0;
		flows_like[day / STEP_DAYS] += 2u - o.missed[0] - o.missed[1];
		flows_grim[day / STEP_DAYS] += o.broken ? 0 : 2;
		f->suspended_days += course_flows(&c) ? 0 : STEP_DAYS;
	}
	f->windows += WINDOWS;
	f->missed += c.missed;
	f->too_few += c.too_few;
	f->suspensions += c.suspensions;
	if (!course_flows(&c)) {
		f->suspended_at_end++;
		play_on(p, &c, f);
	}
}

/* ---- one who takes and does not give ---- */

struct riders {
	uint64_t lost_days_least, lost_days_most;	/* from when it stopped until it got nothing */
	uint64_t back_windows_least, back_windows_most; /* from when it mended */
	uint64_t other_than_k; /* pairs that came back otherwise than by so many good windows in a row */
	uint64_t never_lost, never_back, flowed_meanwhile;
};
static uint32_t flows_rider[POINTS];

static void least_and_most(uint64_t v, uint64_t *least, uint64_t *most)
{
	*least = v < *least ? v : *least;
	*most = v > *most ? v : *most;
}

static void play_rider(const struct played *p, struct riders *r)
{
	struct course c;
	int64_t lost = 0, back = 0;
	unsigned row = 0, expected = 0;

	course_begin(&c, 0);
	for (int day = 0; day <= DAYS; day += STEP_DAYS) {
		if (day > 0 && day % WINDOW_DAYS == 0) {
			int i = day / WINDOW_DAYS;
			struct asked a[2] = { draw_window(p), draw_window(p) };
			enum window w = window_of_both(judge(&p->term, a[0], i <= STOPS || i > MENDS),
						       judge(&p->term, a[1], true));

			course_window(&c, &rules, w, day * DAY_MS);
			row = i > MENDS && w == WINDOW_MET ? row + 1 : i > MENDS && w == WINDOW_TOO_FEW ? row : 0;
			if (row == rules.restore && expected == 0)
				expected = (unsigned)(i - MENDS);
		}
		course_time(&c, day * DAY_MS);
		flows_rider[day / STEP_DAYS] += course_flows(&c);
		if (day > STOPS * WINDOW_DAYS && lost == 0 && !course_flows(&c))
			lost = c.since_ms > STOPS * WINDOW_DAYS * DAY_MS ? c.since_ms / DAY_MS : STOPS * WINDOW_DAYS;
		if (lost != 0 && day <= MENDS * WINDOW_DAYS && course_flows(&c))
			r->flowed_meanwhile++;
		if (day > MENDS * WINDOW_DAYS && back == 0 && course_flows(&c))
			back = c.since_ms / DAY_MS;
	}
	if (lost == 0)
		r->never_lost++;
	else
		least_and_most((uint64_t)(lost - STOPS * WINDOW_DAYS), &r->lost_days_least, &r->lost_days_most);
	if (back == 0) {
		r->never_back++;
		return;
	}
	back = (back - MENDS * WINDOW_DAYS) / WINDOW_DAYS;
	least_and_most((uint64_t)back, &r->back_windows_least, &r->back_windows_most);
	r->other_than_k += (uint64_t)back != expected;
}

/* ---- the picture ---- */

#define LEFT 64
#define RIGHT 736
#define PANEL_HEIGHT 220

/* Tenths of a unit, so that no rounding differs. */
static void print_tenths(struct buffer *b, int64_t tenths)
{
	buffer_print(b, "%" PRId64 ".%" PRId64, tenths / 10, tenths % 10);
}

static int64_t x_of(int point)
{
	return LEFT * 10 + (int64_t)point * (RIGHT - LEFT) * 10 / (POINTS - 1);
}

static int64_t y_of(int top, uint32_t count, uint32_t of)
{
	return ((int64_t)top + PANEL_HEIGHT) * 10 - (int64_t)count * PANEL_HEIGHT * 10 / of;
}

static void draw_line(struct buffer *b, const char *class, int top, const uint32_t *counts, uint32_t of)
{
	buffer_print(b, "<polyline class=\"%s\" points=\"", class);
	for (int i = 0; i < POINTS; i++) {
		/* What lies on a level line between its neighbours is left out. */
		if (i > 0 && i < POINTS - 1 && counts[i] == counts[i - 1] && counts[i] == counts[i + 1])
			continue;
		if (i > 0)
			buffer_byte(b, ' ');
		print_tenths(b, x_of(i));
		buffer_byte(b, ',');
		print_tenths(b, y_of(top, counts[i], of));
	}
	buffer_text(b, "\"/>\n");
}

static void draw_axes(struct buffer *b, int top, int title_y, const char *title)
{
	buffer_print(b, "<text class=\"title\" x=\"%d\" y=\"%d\">%s</text>\n", LEFT, title_y, title);
	for (int percent = 0; percent <= 100; percent += 25) {
		int y = top + PANEL_HEIGHT - percent * PANEL_HEIGHT / 100;

		buffer_print(b, "<path class=\"grid\" d=\"M%d %dH%d\"/>", LEFT, y, RIGHT);
		buffer_print(b, "<text class=\"y\" x=\"%d\" y=\"%d\">%d %%</text>\n", LEFT - 8, y + 4, percent);
	}
	for (int day = 0; day <= DAYS; day += 360) {
		int x = LEFT + day * (RIGHT - LEFT) / DAYS;

		buffer_print(b, "<path class=\"grid\" d=\"M%d %dV%d\"/>", x, top, top + PANEL_HEIGHT);
		buffer_print(b, "<text class=\"x\" x=\"%d\" y=\"%d\">%d</text>\n", x, top + PANEL_HEIGHT + 17, day);
	}
	buffer_print(b, "<text class=\"x\" x=\"%d\" y=\"%d\">days since the agreement came into force</text>\n",
		     (LEFT + RIGHT) / 2, top + PANEL_HEIGHT + 35);
}

static void draw_key(struct buffer *b, int x, int y, const char *class, const char *text)
{
	buffer_print(b, "<path class=\"%s\" d=\"M%d %dh26\"/><text x=\"%d\" y=\"%d\">%s</text>\n", class, x, y - 4,
		     x + 34, y, text);
}

static void draw_mark(struct buffer *b, int top, int day, const char *text)
{
	int x = LEFT + day * (RIGHT - LEFT) / DAYS;

	buffer_print(b, "<path class=\"mark\" d=\"M%d %dV%d\"/><text class=\"at\" x=\"%d\" y=\"%d\">%s</text>\n", x,
		     top, top + PANEL_HEIGHT, x - 6, top + PANEL_HEIGHT - 10, text);
}

static const char style[] = "<style>\n"
			    "text{font:13px system-ui,sans-serif;fill:#1f2328}\n"
			    ".title{font-weight:600;font-size:14px}\n"
			    ".x{text-anchor:middle}.y,.at{text-anchor:end}\n"
			    ".page{fill:#ffffff}\n"
			    "path,polyline{fill:none}\n"
			    ".grid{stroke:#d0d7de;stroke-width:1}\n"
			    ".mark{stroke:#57606a;stroke-width:1;stroke-dasharray:2 4}\n"
			    ".course{stroke:#0550ae;stroke-width:2.5}\n"
			    ".like{stroke:#9a6700;stroke-width:2;stroke-dasharray:7 4}\n"
			    ".grim{stroke:#a40e26;stroke-width:2;stroke-dasharray:2 3}\n"
			    "@media (prefers-color-scheme:dark){\n"
			    "text{fill:#e6edf3}.page{fill:#0d1117}.grid{stroke:#30363d}.mark{stroke:#8b949e}\n"
			    ".course{stroke:#79c0ff}.like{stroke:#e3b341}.grim{stroke:#ff7b72}\n"
			    "}\n"
			    "</style>\n";

static void draw_picture(struct buffer *b)
{
	const int one = 88, two = 416;

	buffer_text(b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 684\" role=\"img\">\n"
		       "<title>Agreements that are played for five years</title>\n");
	buffer_text(b, style);
	buffer_text(b, "<rect class=\"page\" width=\"760\" height=\"684\"/>\n");
	draw_axes(b, one, 26, "Both mean to keep their word; 5 of 100 events fail: given of what was agreed");
	draw_line(b, "grim", one, flows_grim, SIDES);
	draw_line(b, "like", one, flows_like, SIDES);
	draw_line(b, "course", one, flows, SIDES);
	draw_key(b, LEFT, 50, "course", "by an agreement&#8217;s course");
	draw_key(b, LEFT, 70, "like", "each missed window paid back with one");
	draw_key(b, LEFT + 330, 50, "grim", "over for good at the first missed window");
	draw_axes(b, two, two - 16, "One side stops after a year and mends after three: given of what was agreed");
	draw_mark(b, two, STOPS * WINDOW_DAYS, "it stops");
	draw_mark(b, two, MENDS * WINDOW_DAYS, "it mends");
	draw_line(b, "course", two, flows_rider, PAIRS);
	buffer_text(b, "</svg>\n");
}

/* ---- figures ---- */

static void print_figures(const struct figures *f, const struct riders *r, uint64_t used_seed)
{
	struct buffer b = BUFFER(1 << 16);
	struct json j = { .out = &b };

	json_object(&j, NULL);
	json_number(&j, "seed", (int64_t)used_seed);
	json_number(&j, "pairs", PAIRS);
	json_number(&j, "windows", WINDOWS);
	json_number(&j, "noise_percent", NOISE);
	json_array(&j, "terms");
	for (size_t i = 0; i < TERMS; i++)
		json_string(&j, NULL, span_of(terms[i].line));
	json_array_end(&j);
	json_object(&j, "well_meant");
	json_number(&j, "windows", (int64_t)f->windows);
	json_number(&j, "missed", (int64_t)f->missed);
	json_number(&j, "too_few", (int64_t)f->too_few);
	json_number(&j, "suspensions", (int64_t)f->suspensions);
	json_number(&j, "suspended_days", (int64_t)f->suspended_days);
	json_number(&j, "days", (int64_t)PAIRS * TERMS * DAYS);
	json_number(&j, "longest_suspension_days", (int64_t)f->longest_days);
	json_number(&j, "suspended_at_end", (int64_t)f->suspended_at_end);
	json_number(&j, "all_lifted_within_windows", (int64_t)f->lifted_within);
	json_number(&j, "sides", SIDES);
	json_number(&j, "flowing_at_end", flows[POINTS - 1]);
	json_number(&j, "flowing_at_end_paid_back", flows_like[POINTS - 1]);
	json_number(&j, "flowing_at_end_over_for_good", flows_grim[POINTS - 1]);
	json_object_end(&j);
	json_object(&j, "free_rider");
	json_number(&j, "stops_day", STOPS * WINDOW_DAYS);
	json_number(&j, "mends_day", MENDS * WINDOW_DAYS);
	json_number(&j, "agreed_days", 2 * WINDOW_DAYS + rules.consult_ms / DAY_MS);
	json_number(&j, "lost_after_days_least", (int64_t)r->lost_days_least);
	json_number(&j, "lost_after_days_most", (int64_t)r->lost_days_most);
	json_number(&j, "never_lost", (int64_t)r->never_lost);
	json_number(&j, "flowed_meanwhile", (int64_t)r->flowed_meanwhile);
	json_number(&j, "restore", rules.restore);
	json_number(&j, "back_after_windows_least", (int64_t)r->back_windows_least);
	json_number(&j, "back_after_windows_most", (int64_t)r->back_windows_most);
	json_number(&j, "back_otherwise", (int64_t)r->other_than_k);
	json_number(&j, "never_back", (int64_t)r->never_back);
	json_object_end(&j);
	json_object_end(&j);
	need(b.err);
	printf("%.*s\n", (int)b.len, b.at);
	buffer_free(&b);
}

static void write_picture(const char *path)
{
	struct buffer b = BUFFER(1 << 20);
	FILE *f = fopen(path, "w");

	draw_picture(&b);
	need(b.err);
	need(f != NULL && fwrite(b.at, 1, b.len, f) == b.len && fclose(f) == 0 ? OK : fail(ERR_IO, "%s", path));
	buffer_free(&b);
}

int main(int argc, char **argv)
{
	struct figures f = { 0 };
	struct riders r = { .lost_days_least = UINT64_MAX, .back_windows_least = UINT64_MAX };
	const char *picture = NULL;
	uint64_t used;

	for (int i = 1; i < argc; i += 2)
		if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
			need(span_u64(span_of(argv[i + 1]), UINT64_MAX, &seed));
		else if (i + 1 < argc && strcmp(argv[i], "--svg") == 0)
			picture = argv[i + 1];
		else
			need(fail(ERR_USAGE, "simulate_agreements [--seed N] [--svg FILE]"));
	used = seed;
	for (size_t i = 0; i < TERMS; i++)
		need(term_parse(span_of(terms[i].line), &terms[i].term));
	for (int pair = 0; pair < PAIRS; pair++)
		for (size_t i = 0; i < TERMS; i++)
			play_term(&terms[i], &f);
	for (int pair = 0; pair < PAIRS; pair++)
		play_rider(&terms[0], &r);
	print_figures(&f, &r, used);
	if (picture != NULL)
		write_picture(picture);
	return EXIT_SUCCESS;
}
