#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)
#define LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */
#define SECONDS_FORM 20			 /* "2026-11-22T20:45:00Z" */
#define PLAIN_FORM 19			 /* "2026-11-22 20:45:00" */

struct civil {
	unsigned year, month, day, hour, minute, second, ms;
};

static _Atomic int64_t simulated_ms;

void clock_simulate(int64_t ms)
{
	atomic_store(&simulated_ms, ms);
}

int64_t clock_now_ms(void)
{
	int64_t simulated = atomic_load_explicit(&simulated_ms, memory_order_relaxed);
	struct timespec t;

	if (simulated != 0)
		return simulated;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/*
 * Days and dates without a table of years: a year counts from March, so that the leap day is its last one, and the
 * months before day d of such a year follow one line, (153 * month + 2) / 5. 400 years are 146,097 days; 1970-01-01 is
 * day 719,468 since 0000-03-01.
 */
static int64_t days_from_civil(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	unsigned of_era = (unsigned)(y - era * 400);
	unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_from_days(unsigned days, struct civil *c)
{
	unsigned since = days + 719468, era = since / 146097, of_era = since % 146097;
	unsigned y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * y + y / 4 - y / 100);
	unsigned m = (5 * of_year + 2) / 153;

	c->day = of_year - (153 * m + 2) / 5 + 1;
	c->month = m < 10 ? m + 3 : m - 9;
	c->year = y + era * 400 + (c->month <= 2);
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

/* Checks every field; the offset from UTC may carry the result out of the range of years, not only the year. */
static enum err civil_to_ms(const struct civil *c, int offset_minutes, int64_t *ms)
{
	int64_t v;

	if (c->month - 1 > 11 || c->day == 0 || c->day > month_days(c->year, c->month))
		return ERR_TIME;
	if (c->hour > 23 || c->minute > 59 || c->second > 59)
		return ERR_TIME;
	v = days_from_civil(c->year, c->month, c->day) * DAY_MS + c->ms;
	v += (((int64_t)c->hour * 60 + c->minute - offset_minutes) * 60 + c->second) * 1000;
	if (v < 0 || v > LAST_MS)
		return ERR_TIME;
	*ms = v;
	return OK;
}

/* Two digits, or a number so large that every later check refuses it. */
static unsigned two(const char *p)
{
	unsigned tens = (unsigned)p[0] - '0', ones = (unsigned)p[1] - '0';

	return tens > 9 || ones > 9 ? 1000000 : tens * 10 + ones;
}

/* "2026-11-22?20:45:00"; the caller looks at what stands at the question mark. */
static enum err civil_read(const char *p, struct civil *c)
{
	unsigned century = two(p), year = two(p + 2);

	if (p[4] != '-' || p[7] != '-' || p[13] != ':' || p[16] != ':' || century > 99 || year > 99)
		return ERR_TIME;
	*c = (struct civil){ century * 100 + year, two(p + 5), two(p + 8), two(p + 11), two(p + 14), two(p + 17), 0 };
	return OK;
}

enum err clock_parse(struct span s, int64_t *ms)
{
	struct civil c;

	if (s.len != SECONDS_FORM || s.at[10] != 'T' || s.at[19] != 'Z' || civil_read(s.at, &c) != OK)
		return ERR_TIME;
	return civil_to_ms(&c, 0, ms);
}

enum err clock_parse_plain(struct span s, int64_t *ms)
{
	struct civil c;

	if (s.len != PLAIN_FORM || s.at[10] != ' ' || civil_read(s.at, &c) != OK)
		return ERR_TIME;
	return civil_to_ms(&c, 0, ms);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ".123456": any number of digits, of which three count. */
static enum err fraction_read(struct span *s, unsigned *ms)
{
	unsigned weight = 100;
	size_t n = 1;

	if (s->len == 0 || s->at[0] != '.')
		return OK;
	for (; n < s->len && is_digit(s->at[n]); n++, weight /= 10)
		*ms += weight * (unsigned)(s->at[n] - '0');
	*s = span_from(*s, n);
	return n > 1 ? OK : ERR_TIME;
}

/* "+02:00" (colon true) or "+0200". */
static enum err offset_read(struct span s, bool colon, int *minutes)
{
	unsigned hour, minute;

	if (s.len != (colon ? 6 : 5) || (s.at[0] != '+' && s.at[0] != '-') || (colon && s.at[3] != ':'))
		return ERR_TIME;
	hour = two(s.at + 1);
	minute = two(s.at + s.len - 2);
	if (hour > 23 || minute > 59)
		return ERR_TIME;
	*minutes = (int)(hour * 60 + minute);
	if (s.at[0] == '-')
		*minutes = -*minutes;
	return OK;
}

enum err clock_parse_rfc3339(struct span s, int64_t *ms)
{
	struct civil c;
	int offset = 0;

	if (s.len < SECONDS_FORM || civil_read(s.at, &c) != OK)
		return ERR_TIME;
	if (s.at[10] != 'T' && s.at[10] != 't' && s.at[10] != ' ')
		return ERR_TIME;
	if (c.second == 60) /* a leap second, which our count does not have: the nearest one that exists */
		c.second = 59;
	s = span_from(s, PLAIN_FORM);
	if (fraction_read(&s, &c.ms) != OK)
		return ERR_TIME;
	if (!(s.len == 1 && (s.at[0] == 'Z' || s.at[0] == 'z')) && offset_read(s, true, &offset) != OK)
		return ERR_TIME;
	return civil_to_ms(&c, offset, ms);
}

/* The length of a comment, which may hold others and "\)"; 0: it does not end. */
static size_t comment_length(struct span s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '\\')
			i++;
		else if (s.at[i] == '(')
			depth++;
		else if (s.at[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* Spaces, folds and comments may stand between any two parts of a mail's date. */
static struct span skip_blank(struct span s)
{
	while (s.len > 0) {
		size_t n = 1;

		if (s.at[0] == '(' && (n = comment_length(s)) == 0)
			return s;
		if (s.at[0] != '(' && s.at[0] != ' ' && s.at[0] != '\t' && s.at[0] != '\r' && s.at[0] != '\n')
			return s;
		s = span_from(s, n);
	}
	return s;
}

/* The next run of letters, digits and signs, or one other character; empty at the end. */
static struct span word(struct span *s)
{
	struct span w;

	*s = w = skip_blank(*s);
	for (w.len = 0; w.len < s->len; w.len++) {
		char c = s->at[w.len];

		if (!is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '+' && c != '-')
			break;
	}
	if (w.len == 0 && s->len > 0)
		w.len = 1;
	*s = span_from(*s, w.len);
	return w;
}

/* Which of the three-letter names, from 1; 0: none. */
static unsigned name_index(struct span w, const char *names)
{
	for (unsigned i = 0; names[i * 3] != '\0'; i++)
		if (span_equal_nocase(w, span_make(names + (size_t)i * 3, 3)))
			return i + 1;
	return 0;
}

static unsigned number_of(struct span w, size_t least, size_t most)
{
	uint64_t v;

	return w.len >= least && w.len <= most && span_u64_loose(w, 9999, &v) == OK ? (unsigned)v : 1000000;
}

/* Years of two digits are still met in old mail (RFC 5322 section 4.3). */
static unsigned mail_year(struct span w)
{
	unsigned year = number_of(w, 2, 4);

	if (w.len == 2)
		return year < 50 ? year + 2000 : year + 1900;
	return w.len == 3 ? year + 1900 : year;
}

/* A zone by name only where RFC 5322 gives it a meaning; guessing others would be off by hours. */
static enum err zone_read(struct span w, int *minutes)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {
		{ "UT", 0 },   { "GMT", 0 },  { "UTC", 0 },  { "Z", 0 },    { "EST", -5 }, { "EDT", -4 },
		{ "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
	};

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (span_equal_nocase(w, span_of(zones[i].name))) {
			*minutes = zones[i].hours * 60;
			return OK;
		}
	}
	return offset_read(w, false, minutes);
}

/* "03:00:29" or "03:00", then the zone. */
static enum err mail_time(struct span *s, struct civil *c, int *offset)
{
	struct span w;

	c->hour = number_of(word(s), 2, 2);
	if (!span_is(word(s), ":"))
		return ERR_TIME;
	c->minute = number_of(word(s), 2, 2);
	w = word(s);
	if (span_is(w, ":")) {
		c->second = number_of(word(s), 2, 2);
		w = word(s);
	}
	return zone_read(w, offset);
}

/* A weekday that does not fit its date is let pass: the numbers are what was meant. */
enum err clock_parse_rfc5322(struct span s, int64_t *ms)
{
	struct civil c = { 0 };
	struct span w = word(&s);
	int offset = 0;

	if (name_index(w, "MonTueWedThuFriSatSun") != 0) {
		if (!span_is(word(&s), ","))
			return ERR_TIME;
		w = word(&s);
	}
	c.day = number_of(w, 1, 2);
	c.month = name_index(word(&s), "JanFebMarAprMayJunJulAugSepOctNovDec");
	c.year = mail_year(word(&s));
	if (c.year > 9999 || mail_time(&s, &c, &offset) != OK || skip_blank(s).len > 0)
		return ERR_TIME;
	return civil_to_ms(&c, offset, ms);
}

static char *digits(char *p, unsigned v, int n)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

/* What lies outside the years that we know is shown as the nearest end of them: a text of the right length. */
static char *format(int64_t ms, char *p)
{
	struct civil c;
	unsigned second;

	ms = ms < 0 ? 0 : ms > LAST_MS ? LAST_MS : ms;
	civil_from_days((unsigned)(ms / DAY_MS), &c);
	second = (unsigned)(ms % DAY_MS / 1000);
	p = digits(p, c.year, 4);
	*p++ = '-';
	p = digits(p, c.month, 2);
	*p++ = '-';
	p = digits(p, c.day, 2);
	*p++ = 'T';
	p = digits(p, second / 3600, 2);
	*p++ = ':';
	p = digits(p, second / 60 % 60, 2);
	*p++ = ':';
	return digits(p, second % 60, 2);
}

void clock_format(int64_t ms, char out[CLOCK_TEXT])
{
	char *p = format(ms, out);

	*p++ = 'Z';
	*p = '\0';
}

void clock_format_ms(int64_t ms, char out[CLOCK_TEXT])
{
	char *p = format(ms, out);

	*p++ = '.';
	p = digits(p, ms < 0 ? 0 : ms > LAST_MS ? 999 : (unsigned)(ms % 1000), 3);
	*p++ = 'Z';
	*p = '\0';
}

/* ---- lengths of time ---- */

static const struct {
	char letter;
	int64_t ms;
} units[] = { { 'd', 86400000 }, { 'h', 3600000 }, { 'm', 60000 }, { 's', 1000 } };
#define UNITS (sizeof(units) / sizeof(units[0]))

enum err clock_parse_duration(struct span s, int64_t *ms)
{
	uint64_t n;

	if (span_is(s, "0")) {
		*ms = 0;
		return OK;
	}
	for (size_t i = 0; i < UNITS; i++)
		if (s.len > 1 && s.at[s.len - 1] == units[i].letter &&
		    span_u64(span_make(s.at, s.len - 1), (uint64_t)(CLOCK_DURATION_MAX / units[i].ms), &n) == OK) {
			*ms = (int64_t)n * units[i].ms;
			return OK;
		}
	return fail(ERR_TIME, "a length of time is written like 90m, 24h or 7d");
}

void clock_format_duration(int64_t ms, char out[CLOCK_TEXT])
{
	size_t i = 0;

	while (i + 1 < UNITS && ms % units[i].ms != 0)
		i++;
	if (ms < units[UNITS - 1].ms)
		snprintf(out, CLOCK_TEXT, "0");
	else
		snprintf(out, CLOCK_TEXT, "%lld%c", (long long)(ms / units[i].ms), units[i].letter);
}
