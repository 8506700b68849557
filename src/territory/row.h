/* What the source files say, as rows of one shape for both families: from first to last, this value. Inside the
 * building of a table only. */
#ifndef TERRITORY_ROW_H
#define TERRITORY_ROW_H

#include "base/address.h"

/* An address as a number; IPv4 in the low 32 bits. */
__extension__ typedef unsigned __int128 wide;

static inline wide wide_of(struct address a)
{
	return (wide)a.high << 64 | a.low;
}
static inline wide wide_last(enum family f)
{
	return f == FAMILY_IPV4 ? UINT32_MAX : ~(wide)0;
}
static inline struct address wide_address(wide v, enum family f)
{
	return (struct address){ (uint64_t)(v >> 64), (uint64_t)v, (uint8_t)f };
}

enum row_kind {
	ROW_ORIGIN,  /* value: an AS number */
	ROW_COUNTRY, /* value: country_pack */
	ROW_VRP,     /* value: the AS that the holder allows; longest: the maxLength */
	ROW_KINDS
};

#define NO_LENGTH 255

struct row {
	wide first, last;
	uint32_t value;
	uint32_t rival;	  /* another value for the very same addresses; 0: none */
	uint32_t weight;  /* of equal ranges the heavier wins: how many peers saw the route */
	uint8_t length;	  /* of the announced prefix; NO_LENGTH: a range, what was announced is not known */
	uint8_t longest;  /* ROW_VRP */
	uint8_t validity; /* ROW_ORIGIN: enum route_validity */
};

/* Growing arrays of the builder. Each has a maximum. */
struct rows {
	struct row *at;
	size_t count, room;
};
#define ROWS_MAX ((size_t)16 << 20)

enum err rows_add(struct rows *r, const struct row *row); /* ERR_TOO_LONG, ERR_NO_MEMORY */
void rows_free(struct rows *r);

/* Makes room for one more element of `size` bytes, at most max of them. ERR_TOO_LONG, ERR_NO_MEMORY. */
enum err grow(void **at, size_t *room, size_t count, size_t size, size_t max);

/* Two capital letters as a number above 0; 0: none. */
static inline uint32_t country_pack(const char c[2])
{
	return c[0] == '\0' ? 0 : (uint32_t)(unsigned char)c[0] << 8 | (unsigned char)c[1];
}
static inline void country_unpack(uint32_t v, char out[3])
{
	out[0] = (char)(v >> 8);
	out[1] = (char)(v & 255);
	out[2] = '\0';
}
/* "us" too. False: not two letters, or ZZ, which means unknown. */
bool country_parse(struct span s, uint32_t *out);

#endif
