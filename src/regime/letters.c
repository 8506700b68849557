#include "regime/letters.h"

size_t letter_read(struct span text, uint32_t *c)
{
	const uint8_t *b = (const uint8_t *)text.at;
	size_t n = text.len > 0 ? span_utf8_length(text) : 0;

	switch (n) {
	case 0:
		return 0;
	case 1:
		*c = b[0];
		break;
	case 2:
		*c = (uint32_t)(b[0] & 0x1f) << 6 | (b[1] & 0x3f);
		break;
	case 3:
		*c = (uint32_t)(b[0] & 0x0f) << 12 | (uint32_t)(b[1] & 0x3f) << 6 | (b[2] & 0x3f);
		break;
	default:
		*c = (uint32_t)(b[0] & 0x07) << 18 | (uint32_t)(b[1] & 0x3f) << 12 | (uint32_t)(b[2] & 0x3f) << 6 |
		     (b[3] & 0x3f);
		break;
	}
	return n;
}

size_t letter_write(uint32_t c, char out[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xf0u) | c);
	return n;
}

static bool within(uint32_t c, uint32_t first, uint32_t last)
{
	return c >= first && c <= last;
}

uint32_t letter_lower(uint32_t c)
{
	if (c < 0x80)
		return within(c, 'A', 'Z') ? c + 32 : c;
	if (c < 0x100)
		return within(c, 0xc0, 0xde) && c != 0xd7 ? c + 32 : c == 0xb5 ? 0x3bc : c;
	if (c < 0x180) {
		if (c == 0x130 || c == 0x131 || c == 0x138 || c == 0x149 || c == 0x17f)
			return c == 0x130 ? 'i' : c == 0x17f ? 's' : c;
		if (c == 0x178)
			return 0xff;
		if (within(c, 0x139, 0x148) || within(c, 0x179, 0x17e))
			return (c & 1) != 0 ? c + 1 : c;
		return c | 1;
	}
	if (c == 0x218 || c == 0x21a)
		return c + 1;
	if (within(c, 0x386, 0x3cf)) {
		static const uint16_t marked[] = { 0x3ac, 0, 0x3ad, 0x3ae, 0x3af, 0, 0x3cc, 0, 0x3cd, 0x3ce };

		if (c <= 0x38f)
			return marked[c - 0x386] != 0 ? marked[c - 0x386] : c;
		if (within(c, 0x391, 0x3ab) && c != 0x3a2)
			return c + 32;
		return c == 0x3c2 ? 0x3c3 : c;
	}
	if (within(c, 0x400, 0x40f))
		return c + 80;
	if (within(c, 0x410, 0x42f))
		return c + 32;
	if (within(c, 0x460, 0x481) || within(c, 0x48a, 0x4bf) || within(c, 0x4d0, 0x52f))
		return c | 1;
	if (within(c, 0x4c1, 0x4ce))
		return (c & 1) != 0 ? c + 1 : c;
	return c == 0x4c0 ? 0x4cf : c;
}

/* U+00C0 to U+017F without marks; '.' and what has two letters is told below. */
static const char plain_latin[] = "aaaaaa.ceeeeiiiidnooooo ouuuuy.." /* C0 */
				  "aaaaaa.ceeeeiiiidnooooo ouuuuy.y" /* E0 */
				  "aaaaaaccccccccddddeeeeeeeeeegggg" /* 100 */
				  "gggghhhhiiiiiiiiii..jjkkklllllll" /* 120 */
				  "lllnnnnnnnnnoooooo..rrrrrrssssss" /* 140 */
				  "ssttttttuuuuuuuuuuuuwwyyyzzzzzzs" /* 160 */;

_Static_assert(sizeof(plain_latin) == 0x180 - 0xc0 + 1, "one letter for each");

static struct letters one(uint32_t c)
{
	return (struct letters){ { c, 0 } };
}

static struct letters plain_of_latin(uint32_t c)
{
	switch (letter_lower(c)) {
	case 0xe6:
		return (struct letters){ { 'a', 'e' } };
	case 0xfe:
		return (struct letters){ { 't', 'h' } };
	case 0xdf:
		return (struct letters){ { 's', 's' } };
	case 0x133:
		return (struct letters){ { 'i', 'j' } };
	case 0x153:
		return (struct letters){ { 'o', 'e' } };
	default:
		return one((uint8_t)plain_latin[c - 0xc0]);
	}
}

static uint32_t plain_of_greek(uint32_t c)
{
	switch (c) {
	case 0x3ac:
		return 0x3b1;
	case 0x3ad:
		return 0x3b5;
	case 0x3ae:
		return 0x3b7;
	case 0x3af:
	case 0x3ca:
	case 0x390:
		return 0x3b9;
	case 0x3cc:
		return 0x3bf;
	case 0x3cd:
	case 0x3cb:
	case 0x3b0:
		return 0x3c5;
	case 0x3ce:
		return 0x3c9;
	default:
		return c;
	}
}

static uint32_t plain_of_arabic(uint32_t c)
{
	switch (c) {
	case 0x622:
	case 0x623:
	case 0x625:
	case 0x671:
		return 0x627; /* alef */
	case 0x629:
		return 0x647;
	case 0x649:
	case 0x6cc:
		return 0x64a;
	case 0x6a9:
		return 0x643;
	default:
		return c;
	}
}

static bool is_dropped(uint32_t c)
{
	return c == 0xad || within(c, 0x300, 0x36f) || within(c, 0x200b, 0x200f) || within(c, 0x202a, 0x202e) ||
	       within(c, 0x2060, 0x2069) || c == 0xfeff || c == 0x640 || within(c, 0x64b, 0x65f) || c == 0x670 ||
	       within(c, 0xfe00, 0xfe0f);
}

static bool is_mark(uint32_t c)
{
	return within(c, 0x80, 0xbf) || c == 0xd7 || c == 0xf7 || within(c, 0x2000, 0x206f) ||
	       within(c, 0x2190, 0x2bff) || within(c, 0x3000, 0x303f) || within(c, 0xff00, 0xff0f) ||
	       within(c, 0xff1a, 0xff20) || within(c, 0xff3b, 0xff40) || within(c, 0xff5b, 0xff65) || c == 0x60c ||
	       c == 0x61b || c == 0x61f || c == 0x66a || c == 0x6d4;
}

struct letters letter_plain(uint32_t c)
{
	if (is_dropped(c))
		return one(0);
	if (within(c, 0xff10, 0xff5a) && !is_mark(c))
		c -= 0xfee0; /* full width */
	if (c < 0x80) {
		c = letter_lower(c);
		return one(within(c, 'a', 'z') || within(c, '0', '9') ? c : ' ');
	}
	if (is_mark(c))
		return one(' ');
	if (within(c, 0xc0, 0x17f))
		return plain_of_latin(c);
	c = letter_lower(c);
	if (c == 0x219 || c == 0x21b)
		return one(c == 0x219 ? 's' : 't');
	if (within(c, 0x370, 0x3ff))
		return one(plain_of_greek(c));
	if (c == 0x439 || c == 0x451)
		return one(c - (c == 0x439 ? 1 : 28));
	return one(within(c, 0x600, 0x6ff) ? plain_of_arabic(c) : c);
}

bool letter_is_ideograph(uint32_t c)
{
	return within(c, 0x3400, 0x4dbf) || within(c, 0x4e00, 0x9fff) || within(c, 0xf900, 0xfaff);
}
