#include "stix/instant.h"

#define TEXT_SHOWN 80
#define SECONDS_FORM 19 /* "2016-04-06T20:03:48" */
#define WHOLE_DIGITS 14 /* of date and time */

static unsigned number(const char *digits, int count)
{
	unsigned v = 0;

	while (count-- > 0)
		v = v * 10 + (unsigned)(*digits++ - '0');
	return v;
}

static bool is_real(const char *d)
{
	static const uint8_t days[13] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year = number(d, 4), month = number(d + 4, 2), day = number(d + 6, 2);
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (year == 0 || month == 0 || month > 12 || day == 0 || day > days[month] + (unsigned)(leap && month == 2))
		return false;
	return number(d + 8, 2) < 24 && number(d + 10, 2) < 60 && number(d + 12, 2) < 60;
}

static bool parse(struct span s, struct instant *out)
{
	static const char form[] = "0000-00-00T00:00:00";
	size_t n = 0, last;

	if (s.len < SECONDS_FORM + 1 || s.at[s.len - 1] != 'Z')
		return false;
	for (size_t i = 0; i < SECONDS_FORM; i++) {
		if (form[i] != '0' ? s.at[i] != form[i] : s.at[i] < '0' || s.at[i] > '9')
			return false;
		if (form[i] == '0')
			out->digits[n++] = s.at[i];
	}
	last = s.len - 1;
	if (last > SECONDS_FORM && (s.at[SECONDS_FORM] != '.' || last == SECONDS_FORM + 1))
		return false;
	for (size_t i = SECONDS_FORM + 1; i < last; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	while (last > SECONDS_FORM + 1 && s.at[last - 1] == '0')
		last--;
	if (last > SECONDS_FORM + 1) {
		last -= SECONDS_FORM + 1;
		if (last > INSTANT_MAX - WHOLE_DIGITS)
			return false;
		memcpy(out->digits + n, s.at + SECONDS_FORM + 1, last);
		n += last;
	}
	out->length = (uint8_t)n;
	return is_real(out->digits);
}

enum err instant_parse(struct span text, struct instant *out)
{
	*out = (struct instant){ 0 };
	if (parse(text, out))
		return OK;
	*out = (struct instant){ 0 };
	return fail(ERR_TIME, "\"%.*s\" is not a time as 2016-04-06T20:03:48.000Z",
		    (int)(text.len < TEXT_SHOWN ? text.len : TEXT_SHOWN), text.at);
}

int instant_compare(const struct instant *a, const struct instant *b)
{
	return span_compare(span_make(a->digits, a->length), span_make(b->digits, b->length));
}
