#include "report/date.h"

#include <stdio.h>

#include "base/clock.h"
#include "report/layout.h"

#define DATE_MAX 100

struct parts {
	unsigned year, month, day;
	struct span time, zone;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == ',' || c == '(' || c == ')';
}

/* Full, or its first three letters. From 1; 0: none. */
static unsigned name_of(struct span w, const char *const *names, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (span_equal_nocase(w, span_of(names[i])) || span_equal_nocase(w, span_make(names[i], 3)))
			return i + 1;
	return 0;
}

static bool is_noise(struct span w)
{
	static const char *const days[] = {
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
	};

	return span_equal_nocase(w, SPAN("at")) || span_equal_nocase(w, SPAN("on")) || name_of(w, days, 7) != 0;
}

static bool month_take(struct span w, struct parts *p)
{
	static const char *const months[] = { "january", "february", "march",	  "april",   "may",	 "june",
					      "july",	 "august",   "september", "october", "november", "december" };
	unsigned month = name_of(w, months, 12);

	if (month == 0 || p->month != 0)
		return false;
	p->month = month;
	return true;
}

static bool number_take(struct span w, struct parts *p)
{
	unsigned *out = w.len == 4 && is_digit(w.at[2]) ? &p->year : &p->day;
	uint64_t v;

	if (out == &p->day && w.len > 2 && is_letter(w.at[w.len - 1]) && is_letter(w.at[w.len - 2]))
		w.len -= 2; /* 1st, 22nd */
	if (*out != 0 || (out == &p->day && w.len > 2) || span_u64_loose(w, 9999, &v) != OK || v == 0)
		return false;
	*out = (unsigned)v;
	return true;
}

static bool time_take(struct span w, struct parts *p)
{
	if (p->time.len > 0)
		return false;
	if (w.at[w.len - 1] == 'Z' || w.at[w.len - 1] == 'z') {
		if (p->zone.len > 0)
			return false;
		p->zone = SPAN("Z");
		w.len--;
	}
	p->time = w;
	return w.len == 5 || w.len >= 8;
}

/* "2026-11-22", and a time behind a T */
static bool date_take(struct span w, struct parts *p)
{
	struct span year = { w.at, 4 }, month = { w.at + 5, 2 }, day = { w.at + 8, 2 };
	uint64_t v[3];

	if (p->year != 0 || p->month != 0 || p->day != 0 || w.at[7] != w.at[4] ||
	    span_u64_loose(year, 9999, &v[0]) != OK || span_u64_loose(month, 12, &v[1]) != OK ||
	    span_u64_loose(day, 31, &v[2]) != OK)
		return false;
	p->year = (unsigned)v[0];
	p->month = (unsigned)v[1];
	p->day = (unsigned)v[2];
	if (w.len == 10)
		return true;
	return (w.at[10] | 0x20) == 't' && w.len > 11 && time_take(span_from(w, 11), p);
}

static bool zone_take(struct span w, struct parts *p)
{
	if (p->zone.len > 0)
		return false;
	p->zone = w;
	if (w.at[0] == '+' || w.at[0] == '-')
		return w.len == 5 || w.len == 6;
	p->zone = SPAN("Z");
	return span_equal_nocase(w, SPAN("utc")) || span_equal_nocase(w, SPAN("gmt")) ||
	       span_equal_nocase(w, SPAN("z"));
}

static bool word_take(struct span w, struct parts *p)
{
	if (w.len >= 10 && is_digit(w.at[0]) && (w.at[4] == '-' || w.at[4] == '/' || w.at[4] == '.'))
		return date_take(w, p);
	if (is_digit(w.at[0]))
		return memchr(w.at, ':', w.len) != NULL ? time_take(w, p) : number_take(w, p);
	if (is_noise(w) || month_take(w, p))
		return true;
	return zone_take(w, p);
}

static enum err parts_read(const struct parts *p, int64_t *ms)
{
	struct span zone = p->zone.len > 0 ? p->zone : SPAN("Z"), time = p->time.len > 0 ? p->time : SPAN("00:00");
	char text[64];
	int n;

	if (p->year == 0 || p->month == 0 || p->day == 0 || p->day > 31 || time.len > 20)
		return ERR_TIME;
	n = snprintf(text, sizeof(text), "%04u-%02u-%02uT%.*s%s%.*s%s%.*s", p->year, p->month, p->day,
		     SPAN_FORMAT(time), time.len == 5 ? ":00" : "", zone.len == 1 ? 1 : 3, zone.at,
		     zone.len == 5 ? ":" : "", zone.len == 1 ? 0 : (int)zone.len - 3,
		     zone.at + (zone.len == 1 ? 0 : 3));
	return clock_parse_rfc3339(span_make(text, (size_t)n), ms);
}

static enum err words_read(struct span s, int64_t *ms)
{
	struct parts p = { 0 };

	while (s.len > 0) {
		size_t n = 0;

		while (n < s.len && !is_separator(s.at[n]))
			n++;
		if (n > 0 && !word_take((struct span){ s.at, n }, &p))
			return ERR_TIME;
		s = span_from(s, n < s.len ? n + 1 : n);
	}
	return parts_read(&p, ms);
}

enum err date_read(struct span s, int64_t *ms)
{
	s = span_trim(s);
	if (s.len == 0 || s.len > DATE_MAX)
		return ERR_TIME;
	if (time_parse_any(s, ms) == OK || clock_parse_rfc5322(s, ms) == OK)
		return OK;
	return words_read(s, ms);
}
