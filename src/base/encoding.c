#include "base/encoding.h"

/* Tables for reading hold the value plus one, so that what they leave out is refused: 0 - 1 is far above any digit. */

static const char hex_digits[] = "0123456789abcdef";

static const uint8_t hex_values[256] = {
	['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
	['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const uint8_t base64_values[256] = {
	['A'] = 1,  ['B'] = 2,	['C'] = 3,  ['D'] = 4,	['E'] = 5,  ['F'] = 6,	['G'] = 7,  ['H'] = 8,
	['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

void hex_encode(const void *from, size_t n, char *out)
{
	const uint8_t *p = from;

	for (size_t i = 0; i < n; i++) {
		*out++ = hex_digits[p[i] >> 4];
		*out++ = hex_digits[p[i] & 15];
	}
	*out = '\0';
}

enum err hex_decode(struct span s, void *out, size_t n)
{
	uint8_t *to = out;

	if (s.len % 2 != 0 || s.len / 2 != n)
		return ERR_ENCODING;
	for (size_t i = 0; i < n; i++) {
		unsigned high = hex_values[(uint8_t)s.at[2 * i]] - 1u;
		unsigned low = hex_values[(uint8_t)s.at[2 * i + 1]] - 1u;

		if ((high | low) > 15)
			return ERR_ENCODING;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return OK;
}

static void base64_group(uint32_t v, char out[4])
{
	out[0] = base64_digits[v >> 18];
	out[1] = base64_digits[v >> 12 & 63];
	out[2] = base64_digits[v >> 6 & 63];
	out[3] = base64_digits[v & 63];
}

/* Without the 0. */
static char *base64_write(const uint8_t *p, size_t n, char *out)
{
	for (; n >= 3; n -= 3, p += 3, out += 4)
		base64_group((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], out);
	if (n == 0)
		return out;
	base64_group((uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0), out);
	out[3] = '=';
	if (n == 1)
		out[2] = '=';
	return out + 4;
}

void base64_encode(const void *from, size_t n, char *out)
{
	*base64_write(from, n, out) = '\0';
}

void base64_append(struct buffer *b, const void *from, size_t n)
{
	char *to = n <= SIZE_MAX / 2 ? buffer_room(b, BASE64_LENGTH(n)) : NULL;

	if (to == NULL)
		return;
	base64_write(from, n, to);
	b->len += BASE64_LENGTH(n);
}

static unsigned base64_value(char c)
{
	return base64_values[(uint8_t)c] - 1u;
}

/* The last four characters, of which `bytes` (1 or 2) bytes come; spare bits must be zero. */
static enum err base64_decode_tail(const char *p, uint8_t *to, size_t bytes)
{
	unsigned a = base64_value(p[0]), b = base64_value(p[1]), c = bytes == 2 ? base64_value(p[2]) : 0;

	if ((a | b | c) > 63 || (bytes == 1 ? b & 15 : c & 3) != 0)
		return ERR_ENCODING;
	to[0] = (uint8_t)(a << 2 | b >> 4);
	if (bytes == 2)
		to[1] = (uint8_t)(b << 4 | c >> 2);
	return OK;
}

static enum err base64_decode_groups(const char *p, size_t groups, uint8_t *to)
{
	for (; groups > 0; groups--, p += 4, to += 3) {
		unsigned a = base64_value(p[0]), b = base64_value(p[1]), c = base64_value(p[2]), d = base64_value(p[3]);

		if ((a | b | c | d) > 63)
			return ERR_ENCODING;
		to[0] = (uint8_t)(a << 2 | b >> 4);
		to[1] = (uint8_t)(b << 4 | c >> 2);
		to[2] = (uint8_t)(c << 6 | d);
	}
	return OK;
}

enum err base64_decode(struct span s, void *out, size_t room, size_t *length)
{
	size_t groups = s.len / 4, padding = 0, bytes;
	uint8_t *to = out;
	enum err e;

	if (s.len % 4 != 0)
		return ERR_ENCODING;
	if (groups > 0 && s.at[s.len - 1] == '=')
		padding = s.at[s.len - 2] == '=' ? 2 : 1;
	if ((bytes = groups * 3 - padding) > room)
		return ERR_TOO_LONG;
	if (padding > 0)
		groups--;
	e = base64_decode_groups(s.at, groups, to);
	if (e == OK && padding > 0)
		e = base64_decode_tail(s.at + groups * 4, to + groups * 3, 3 - padding);
	if (e == OK)
		*length = bytes;
	return e;
}
