/* Turns what was combined into the sections of a table's file (table_file.h). */
#ifndef TERRITORY_COMPILE_H
#define TERRITORY_COMPILE_H

#include "territory/combine.h"
#include "territory/table_file.h"

struct content {
	void *at;
	size_t size;
};

struct sections {
	struct content at[SECTION_COUNT];
};

/* The look-up arrays of a family. Record numbers of IPv6 get `offset` added, but for 0. ERR_NO_MEMORY, ERR_TOO_LONG. */
enum err compile_ipv4(const struct combined *c, struct sections *out);
enum err compile_ipv6(const struct combined *c, uint32_t offset, struct sections *out);

/* Records, their classes and the rows they refer to, of both families. as_of: the place of each origin's AS number. */
typedef uint32_t compile_as(const void *context, uint32_t asn);
enum err compile_records(const struct layers *layers4, const struct combined *c4, const struct layers *layers6,
			 const struct combined *c6, compile_as *as_of, const void *context, struct sections *out);

/* Head and sections in one piece, ready to be written. */
enum err compile_file(struct table_head *head, const struct sections *s, struct content *out);

/* A zeroed array as a section. */
enum err section_make(struct sections *s, enum section which, size_t count, size_t size);
void sections_free(struct sections *s);

#endif
