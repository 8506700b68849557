#include "base/jcs.h"

#include <endian.h>
#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"

#define MEMBERS_NEAR 32 /* of as many an object is sorted on the stack, by insertion */
#define INTEGER_MAX (((uint64_t)1 << 53) - 1)
#define NUMBER_TEXT 64	  /* yyjson needs 32 for any number */
#define DIGITS_MAX 17	  /* of a double, and always enough */
#define PLAIN_EXPONENT 21 /* ECMAScript: numbers below 10^21 are written out */

struct jcs {
	struct buffer *out;
	jcs_skip *skip;
	void *context;
};

static enum err write_value(const struct jcs *j, yyjson_val *v);

/* ---- strings ---- */

static struct span text_of(yyjson_val *v)
{
	return span_make(unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v));
}

/* Nothing to escape: no control character, quote or backslash. Eight bytes at a time; a borrow may only make a later
 * byte of the word look bad, never a bad one good. */
static bool is_plain(struct span s)
{
	const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
	size_t i = 0;

	for (; s.len - i >= 8; i += 8) {
		uint64_t w, quote, slash;

		memcpy(&w, s.at + i, sizeof(w));
		quote = w ^ ones * '"';
		slash = w ^ ones * '\\';
		if ((((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high)
			return false;
	}
	for (; i < s.len; i++)
		if ((unsigned char)s.at[i] < 0x20 || s.at[i] == '"' || s.at[i] == '\\')
			return false;
	return true;
}

/* before and after stand outside of the quotes; '\0': nothing. What json_escape writes is what RFC 8785 (3.2.2.2) asks
 * for. */
static void write_string(struct buffer *out, char before, struct span s, char after)
{
	char *start, *to;

	if (!is_plain(s)) {
		if (before != '\0')
			buffer_byte(out, (uint8_t)before);
		json_escape(out, s);
		if (after != '\0')
			buffer_byte(out, (uint8_t)after);
		return;
	}
	if ((start = to = buffer_room(out, s.len + 4)) == NULL)
		return;
	*to = before;
	to += before != '\0';
	*to++ = '"';
	memcpy(to, s.at, s.len);
	to += s.len;
	*to++ = '"';
	*to = after;
	to += after != '\0';
	out->len += (size_t)(to - start);
}

/* ---- numbers ---- */

/* A double is 0.d1d2d3… * 10^point. */
struct decimal {
	bool negative;
	char digits[DIGITS_MAX];
	int count, point;
};

struct number_text {
	char text[NUMBER_TEXT];
};

static void *number_room(void *context, size_t size)
{
	return size <= NUMBER_TEXT ? context : NULL;
}

static void *number_more(void *context, void *old, size_t old_size, size_t size)
{
	(void)old;
	(void)old_size;
	return number_room(context, size);
}

static void number_stays(void *context, void *p)
{
	(void)context;
	(void)p;
}

/* "-12.5e-7" into its digits, without zeros at either end. */
static bool read_decimal(struct span s, struct decimal *d)
{
	bool behind_point = false, small = false;
	int exponent = 0;
	size_t i = 0;

	*d = (struct decimal){ .negative = s.len > 0 && s.at[0] == '-' };
	for (i = d->negative; i < s.len && s.at[i] != 'e' && s.at[i] != 'E'; i++) {
		if (s.at[i] == '.') {
			behind_point = true;
		} else if (s.at[i] == '0' && d->count == 0) {
			d->point -= behind_point;
		} else {
			int kept = d->count;

			d->point += !behind_point;
			if (kept < DIGITS_MAX)
				d->digits[d->count++] = s.at[i];
			else if (s.at[i] != '0')
				return false;
		}
	}
	for (i++; i < s.len; i++) {
		if (s.at[i] == '-')
			small = true;
		else if (s.at[i] != '+')
			exponent = exponent * 10 + (s.at[i] - '0');
	}
	d->point += small ? -exponent : exponent;
	while (d->count > 0 && d->digits[d->count - 1] == '0')
		d->count--;
	return true;
}

static void write_zeros(struct buffer *out, int n)
{
	while (n-- > 0)
		buffer_byte(out, '0');
}

/* ECMAScript, Number::toString (6.1.6.1.20 of ECMA-262), as RFC 8785 (3.2.2.3) asks. */
static void write_decimal(struct buffer *out, const struct decimal *d)
{
	int n = d->point, k = d->count;

	if (k == 0) {
		buffer_byte(out, '0'); /* of a negative zero too */
		return;
	}
	if (d->negative)
		buffer_byte(out, '-');
	if (k <= n && n <= PLAIN_EXPONENT) {
		buffer_bytes(out, d->digits, (size_t)k);
		write_zeros(out, n - k);
	} else if (0 < n && n <= PLAIN_EXPONENT) {
		buffer_bytes(out, d->digits, (size_t)n);
		buffer_byte(out, '.');
		buffer_bytes(out, d->digits + n, (size_t)(k - n));
	} else if (-6 < n && n <= 0) {
		buffer_text(out, "0.");
		write_zeros(out, -n);
		buffer_bytes(out, d->digits, (size_t)k);
	} else {
		buffer_bytes(out, d->digits, 1);
		if (k > 1)
			buffer_byte(out, '.');
		buffer_bytes(out, d->digits + 1, (size_t)(k - 1));
		buffer_text(out, n > 0 ? "e+" : "e-");
		buffer_decimal(out, (uint64_t)(n > 0 ? n - 1 : 1 - n));
	}
}

/* yyjson finds the shortest digits that read as the same double; only their layout is ours. */
static enum err write_real(struct buffer *out, yyjson_val *v)
{
	struct number_text room;
	yyjson_alc memory = { number_room, number_more, number_stays, &room };
	struct decimal d;
	char *text;
	size_t n;

	text = yyjson_val_write_opts(v, YYJSON_WRITE_NOFLAG, &memory, &n, NULL);
	if (text == NULL || !read_decimal(span_make(text, n), &d))
		return fail(ERR_NUMBER, "a number that JSON cannot say");
	write_decimal(out, &d);
	return OK;
}

static enum err write_number(struct buffer *out, yyjson_val *v)
{
	bool negative = yyjson_is_sint(v);
	uint64_t n;

	if (yyjson_is_real(v))
		return write_real(out, v);
	n = negative ? -unsafe_yyjson_get_uint(v) : unsafe_yyjson_get_uint(v);
	if (n > INTEGER_MAX)
		return fail(ERR_NUMBER, "%s%llu is an integer beyond 2^53 - 1", negative ? "-" : "",
			    (unsigned long long)n);
	if (negative && n != 0)
		buffer_byte(out, '-');
	buffer_decimal(out, n);
	return OK;
}

/* ---- objects ---- */

/*
 * UTF-16 code units sort as the bytes of UTF-8 do, but for one thing: what takes a surrogate pair (first byte F0 to F4)
 * stands before U+E000 to U+FFFF (first byte EE and EF). Where two texts differ first, both bytes are first ones or both
 * are not, so it is enough to exchange those bytes' ranks.
 */
static uint8_t rank(char c)
{
	uint8_t b = (uint8_t)c;

	return b < 0xee ? b : b < 0xf0 ? (uint8_t)(b + 5) : (uint8_t)(b - 2);
}

struct member {
	uint64_t head; /* the ranks of the first eight bytes */
	yyjson_val *key;
};

static uint64_t head_of(struct span s)
{
	uint64_t head = 0;

	if (s.len >= sizeof(head)) {
		memcpy(&head, s.at, sizeof(head));
		head = be64toh(head);
		if ((head & 0x8080808080808080) == 0)
			return head;
	}
	head = 0;
	for (size_t i = 0; i < sizeof(head); i++)
		head = head << 8 | (i < s.len ? rank(s.at[i]) : 0);
	return head;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	struct span s, t;
	size_t i = 0, least;

	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	s = text_of(x->key);
	t = text_of(y->key);
	least = s.len < t.len ? s.len : t.len;
	while (i < least && s.at[i] == t.at[i])
		i++;
	if (i < least)
		return rank(s.at[i]) - rank(t.at[i]);
	return (s.len > t.len) - (s.len < t.len);
}

static void sort_members(struct member *m, size_t n)
{
	if (n > MEMBERS_NEAR) {
		qsort(m, n, sizeof(m[0]), compare_members);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct member moved = m[i];
		size_t at = i;

		for (; at > 0 && compare_members(&m[at - 1], &moved) > 0; at--)
			m[at] = m[at - 1];
		m[at] = moved;
	}
}

static enum err write_members(const struct jcs *j, yyjson_val *object, struct member *m)
{
	struct jcs inside = { j->out, NULL, NULL };
	size_t n = 0, index, count;
	yyjson_val *key, *value;
	enum err e = OK;

	yyjson_obj_foreach(object, index, count, key, value)
	{
		if (j->skip != NULL && j->skip(j->context, text_of(key), value))
			continue;
		m[n++] = (struct member){ head_of(text_of(key)), key };
	}
	sort_members(m, n);
	buffer_byte(j->out, '{');
	for (size_t i = 0; e == OK && i < n; i++) {
		write_string(j->out, i > 0 ? ',' : '\0', text_of(m[i].key), ':');
		e = write_value(&inside, m[i].key + 1);
	}
	buffer_byte(j->out, '}');
	return e;
}

static enum err write_object(const struct jcs *j, yyjson_val *object)
{
	size_t n = yyjson_obj_size(object);
	struct member near[MEMBERS_NEAR], *far;
	enum err e;

	if (n <= MEMBERS_NEAR)
		return write_members(j, object, near);
	if ((far = calloc(n, sizeof(far[0]))) == NULL)
		return fail(ERR_NO_MEMORY, "no room to sort %zu names", n);
	e = write_members(j, object, far);
	free(far);
	return e;
}

static enum err write_array(const struct jcs *j, yyjson_val *array)
{
	struct jcs inside = { j->out, NULL, NULL };
	size_t index, count;
	yyjson_val *v;
	enum err e = OK;

	buffer_byte(j->out, '[');
	yyjson_arr_foreach(array, index, count, v)
	{
		if (index > 0)
			buffer_byte(j->out, ',');
		if ((e = write_value(&inside, v)) != OK)
			break;
	}
	buffer_byte(j->out, ']');
	return e;
}

static enum err write_value(const struct jcs *j, yyjson_val *v)
{
	switch (yyjson_get_type(v)) {
	case YYJSON_TYPE_OBJ:
		return write_object(j, v);
	case YYJSON_TYPE_ARR:
		return write_array(j, v);
	case YYJSON_TYPE_STR:
		write_string(j->out, '\0', text_of(v), '\0');
		return OK;
	case YYJSON_TYPE_NUM:
		return write_number(j->out, v);
	default:
		buffer_text(j->out, yyjson_is_true(v) ? "true" : yyjson_is_false(v) ? "false" : "null");
		return OK;
	}
}

enum err jcs_write(const struct yyjson_val *v, jcs_skip *skip, void *context, struct buffer *out)
{
	struct jcs j = { out, skip, context };
	enum err e = write_value(&j, (yyjson_val *)(uintptr_t)v);

	return e != OK ? e : out->err;
}
