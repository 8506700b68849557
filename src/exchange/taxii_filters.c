#include "exchange/taxii.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"

#define INTEGER_MAX ((UINT64_C(1) << 53) - 1) /* 2, of I-JSON */
#define SECONDS_FORM 20			      /* "2026-11-22T20:45:00Z" */
#define FRACTION_MOST 9

/* --- times --- */

void taxii_time(uint64_t micros, char out[TAXII_TIME])
{
	char seconds[CLOCK_TEXT];
	unsigned rest = (unsigned)(micros % 1000000);

	clock_format((int64_t)(micros / 1000000 * 1000), seconds);
	memcpy(out, seconds, SECONDS_FORM - 1);
	out[19] = '.';
	for (int i = 25; i > 19; i--, rest /= 10)
		out[i] = (char)('0' + rest % 10);
	out[26] = 'Z';
	out[27] = '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The years before 1970 that clock.h does not know: a year as long stands for them. */
static bool before_1970(char date[SECONDS_FORM])
{
	unsigned year = 0;

	for (int i = 0; i < 4; i++) {
		if (!is_digit(date[i]))
			return false;
		year = year * 10 + (unsigned)(date[i] - '0');
	}
	if (year >= 1970)
		return false;
	memcpy(date, (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? "2000" : "2001", 4);
	return true;
}

enum err taxii_time_parse(struct span text, uint64_t *micros)
{
	char date[SECONDS_FORM];
	size_t digits = text.len > SECONDS_FORM ? text.len - SECONDS_FORM - 1 : 0;
	uint64_t fraction = 0;
	int64_t ms;
	bool early;

	if (text.len < SECONDS_FORM || text.at[text.len - 1] != 'Z' || digits > FRACTION_MOST ||
	    (text.len > SECONDS_FORM && (digits == 0 || text.at[19] != '.')))
		return ERR_TIME;
	memcpy(date, text.at, SECONDS_FORM - 1);
	date[SECONDS_FORM - 1] = 'Z';
	early = before_1970(date);
	if (clock_parse(span_make(date, SECONDS_FORM), &ms) != OK)
		return ERR_TIME;
	for (size_t i = 0; i < digits; i++)
		if (!is_digit(text.at[20 + i]))
			return ERR_TIME;
	for (size_t i = 0; i < 6; i++)
		fraction = fraction * 10 + (i < digits ? (uint64_t)(text.at[20 + i] - '0') : 0);
	*micros = early ? 0 : (uint64_t)ms * 1000 + fraction;
	return OK;
}

/* --- reading --- */

/* "a,b,c": how many there are. Empty ones and spaces are refused by whoever looks at each. */
static size_t count_values(struct span list)
{
	size_t n = 1;

	for (size_t i = 0; i < list.len; i++)
		n += list.at[i] == ',';
	return n;
}

static int compare_instants(const void *a, const void *b)
{
	return instant_compare(a, b);
}

static bool is_type(struct span s)
{
	if (s.len < 3 || s.len > STIX_TYPE_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_digit(s.at[i]) && !(s.at[i] >= 'a' && s.at[i] <= 'z') && s.at[i] != '-')
			return false;
	return true;
}

/* Sorted, each once: what says the same is written the same. */
static enum err read_names(struct arena *a, const char *field, struct span list, bool (*good)(struct span),
			   const struct span **out, size_t *count)
{
	size_t n = count_values(list), kept = 0;
	struct span *names = arena_array(a, n, sizeof(*names));

	if (names == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		names[i] = span_cut(&list, ',');
		if (!good(names[i]))
			return fail(ERR_USAGE,
				    "match[%s]: \"%.*s\" is none; separate several by commas, without spaces", field,
				    (int)(names[i].len < 80 ? names[i].len : 80), names[i].at);
	}
	qsort(names, n, sizeof(*names), span_order);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !span_equal(names[i], names[i - 1]))
			names[kept++] = names[i];
	*out = names;
	*count = kept;
	return OK;
}

static enum err bad_version(void)
{
	return fail(ERR_USAGE, "match[version]: last, first, all or times, each once, and all by itself");
}

static enum err set_once(bool *flag)
{
	if (*flag)
		return bad_version();
	*flag = true;
	return OK;
}

static enum err read_versions(struct arena *a, struct span list, struct object_query *q)
{
	size_t n = count_values(list), times = 0;
	struct instant *instants = arena_array(a, n, sizeof(*instants));
	enum err e = OK;

	if (instants == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n && e == OK; i++) {
		struct span v = span_cut(&list, ',');

		if (span_is(v, "last"))
			e = set_once(&q->last);
		else if (span_is(v, "first"))
			e = set_once(&q->first);
		else if (span_is(v, "all"))
			e = set_once(&q->all);
		else if (instant_parse(v, &instants[times++]) != OK)
			e = bad_version();
	}
	if (e != OK || (q->all && n > 1))
		return e != OK ? e : bad_version();
	qsort(instants, times, sizeof(*instants), compare_instants);
	for (size_t i = 1; i < times; i++)
		if (instant_compare(&instants[i], &instants[i - 1]) == 0)
			return bad_version();
	q->versions = instants;
	q->version_count = times;
	return OK;
}

/* "2.1": digits on both sides of a point. */
static bool is_spec(struct span s)
{
	return s.len == 3 && is_digit(s.at[0]) && s.at[1] == '.' && is_digit(s.at[2]);
}

static enum err read_specs(struct span list, struct taxii_filters *f)
{
	while (list.at != NULL) {
		struct span v = span_cut(&list, ',');

		if (!is_spec(v))
			return fail(ERR_USAGE, "match[spec_version]: versions such as 2.1, separated by commas");
		for (enum stix_spec s = STIX_2_0; s <= STIX_2_1; s++)
			if (span_is(v, stix_spec_name(s)))
				f->which.specs |= 1U << s;
	}
	f->nothing = f->which.specs == 0;
	return OK;
}

static enum err read_after(struct span value, struct taxii_filters *f)
{
	if (taxii_time_parse(value, &f->after) != OK)
		return fail(ERR_USAGE, "added_after: one time such as 2026-11-22T20:45:00.123456Z");
	f->which.after = f->after;
	return OK;
}

static enum err read_limit(struct span value, struct taxii_filters *f)
{
	if (span_u64_loose(value, INTEGER_MAX, &f->limit) != OK || f->limit == 0)
		return fail(ERR_USAGE, "limit: a whole number greater than 0");
	return OK;
}

static enum err read_field(struct arena *a, unsigned field, struct span value, struct taxii_filters *f)
{
	switch (field) {
	case FILTER_AFTER:
		return read_after(value, f);
	case FILTER_ID:
		return read_names(a, "id", value, stix_is_id, &f->which.ids, &f->which.id_count);
	case FILTER_TYPE:
		return read_names(a, "type", value, is_type, &f->which.types, &f->which.type_count);
	case FILTER_VERSION:
		return read_versions(a, value, &f->which);
	default:
		return read_specs(value, f);
	}
}

static const struct {
	const char *name;
	unsigned field;
} fields[] = { /* in the order of names */
	       { "added_after", FILTER_AFTER },
	       { "match[id]", FILTER_ID },
	       { "match[spec_version]", FILTER_SPEC },
	       { "match[type]", FILTER_TYPE },
	       { "match[version]", FILTER_VERSION }
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static enum err read_pages(const struct query *q, struct taxii_filters *f)
{
	struct span value;
	enum err e = query_get(q, "limit", &value);

	if (e == OK)
		e = read_limit(value, f);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	e = query_get(q, "next", &value);
	if (e == OK && value.len == 0)
		return fail(ERR_USAGE, "next: empty; leave it out to begin at the beginning");
	if (e == OK)
		f->next = value;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err taxii_filters_read(struct arena *a, const struct query *q, unsigned known, struct taxii_filters *out)
{
	*out = (struct taxii_filters){ 0 };
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		struct span value;
		enum err e = (known & fields[i].field) != 0 ? query_get(q, fields[i].name, &value) : ERR_NOT_FOUND;

		if (e == ERR_NOT_FOUND)
			continue;
		if (e == OK)
			e = read_field(a, fields[i].field, value, out);
		if (e != OK)
			return e;
		out->given |= fields[i].field;
	}
	return (known & FILTER_PAGES) != 0 ? read_pages(q, out) : OK;
}

/* --- writing --- */

/* Before each but the first of a list. */
static void comma(struct buffer *out, bool *more)
{
	if (*more)
		buffer_byte(out, ',');
	*more = true;
}

static void print_names(const struct span *names, size_t count, struct buffer *out)
{
	bool more = false;

	for (size_t i = 0; i < count; i++) {
		comma(out, &more);
		buffer_span(out, names[i]);
	}
}

/* The digits as instant.h keeps them, with what stands between them. */
static void print_instant(const struct instant *t, struct buffer *out)
{
	static const char between[] = { [4] = '-', [6] = '-', [8] = 'T', [10] = ':', [12] = ':', [14] = '.' };

	for (uint8_t i = 0; i < t->length; i++) {
		if (i < sizeof(between) && between[i] != '\0')
			buffer_byte(out, (uint8_t)between[i]);
		buffer_byte(out, (uint8_t)t->digits[i]);
	}
	buffer_byte(out, 'Z');
}

static void print_versions(const struct object_query *q, struct buffer *out)
{
	bool more = false;

	if (q->all)
		print_names(&SPAN("all"), 1, out);
	if (q->first) {
		comma(out, &more);
		buffer_text(out, "first");
	}
	if (q->last) {
		comma(out, &more);
		buffer_text(out, "last");
	}
	for (size_t i = 0; i < q->version_count; i++) {
		comma(out, &more);
		print_instant(&q->versions[i], out);
	}
}

static void print_specs(const struct taxii_filters *f, struct buffer *out)
{
	bool more = false;

	if (f->nothing)
		buffer_text(out, "0.0");
	for (enum stix_spec s = STIX_2_0; s <= STIX_2_1; s++) {
		if ((f->which.specs & 1U << s) == 0)
			continue;
		comma(out, &more);
		buffer_text(out, stix_spec_name(s));
	}
}

static void print_field(const struct taxii_filters *f, unsigned field, struct buffer *out)
{
	char time[TAXII_TIME];

	switch (field) {
	case FILTER_AFTER:
		taxii_time(f->after, time);
		buffer_text(out, time);
		break;
	case FILTER_ID:
		print_names(f->which.ids, f->which.id_count, out);
		break;
	case FILTER_TYPE:
		print_names(f->which.types, f->which.type_count, out);
		break;
	case FILTER_VERSION:
		print_versions(&f->which, out);
		break;
	default:
		print_specs(f, out);
	}
}

void taxii_filters_print(const struct taxii_filters *f, unsigned which, struct buffer *out)
{
	size_t start = out->len;

	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if ((f->given & which & fields[i].field) == 0)
			continue;
		if (out->len > start)
			buffer_byte(out, '&');
		buffer_text(out, fields[i].name);
		buffer_byte(out, '=');
		print_field(f, fields[i].field, out);
	}
}

/* --- a whole query --- */

static enum err text_of(struct arena *a, const struct taxii_filters *f, unsigned which, struct span *out)
{
	struct buffer b = BUFFER(TAXII_FILTERS_MAX);
	enum err e;
	char *copy;

	taxii_filters_print(f, which, &b);
	e = b.err == ERR_TOO_LONG
		    ? fail(ERR_USAGE, "the filters are over %d bytes; ask for less at once", TAXII_FILTERS_MAX)
		    : b.err;
	if (e == OK && (copy = arena_copy(a, b.at, b.len)) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		*out = span_make(copy, b.len);
	buffer_free(&b);
	return e;
}

/* What the cursor was made for, unless the request now says something else. */
static enum err resume(struct arena *a, const struct taxii_cursor *c, unsigned known, struct taxii_filters *f)
{
	struct taxii_filters then;
	struct span before, now;
	struct query *q = arena_alloc(a, sizeof(*q));
	enum err e = q != NULL ? query_read(a, c->filters, q) : ERR_NO_MEMORY;

	if (e == OK)
		e = taxii_filters_read(a, q, known & ~(unsigned)FILTER_PAGES, &then);
	if (e == OK)
		e = text_of(a, f, f->given, &now);
	if (e == OK)
		e = text_of(a, &then, f->given, &before);
	if (e != OK)
		return e;
	if ((f->given & ~then.given) != 0 || !span_equal(before, now))
		return fail(ERR_USAGE, "next: was given for other filters; send the same ones, or none");
	then.limit = f->limit;
	then.next = f->next;
	then.which.after = c->position;
	*f = then;
	return OK;
}

enum err taxii_query(struct arena *a, const uint8_t secret[32], struct span scope, struct span query, unsigned known,
		     struct taxii_filters *out, struct span *text)
{
	struct query *q = arena_alloc(a, sizeof(*q));
	struct taxii_cursor c;
	enum err e = q != NULL ? query_read(a, query, q) : ERR_NO_MEMORY;

	if (e == ERR_TOO_LONG || e == ERR_ENCODING)
		e = ERR_USAGE;
	if (e == OK)
		e = taxii_filters_read(a, q, known, out);
	if (e == OK && out->next.len > 0) {
		e = taxii_cursor_read(a, secret, scope, out->next, &c);
		if (e == OK)
			e = resume(a, &c, known, out);
	}
	return e == OK ? text_of(a, out, ~0U, text) : e;
}
