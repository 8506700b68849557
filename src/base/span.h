/* A span is a view of bytes with a length; it owns nothing and ends with what it points into. No terminator is trusted
 * inside the program. Parsing helpers for text live here: they are strict (one spelling per value). */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct span {
	const char *at;
	size_t len;
};

#define SPAN(literal) ((struct span){ "" literal, sizeof(literal) - 1 })
#define SPAN_FORMAT(s) (int)(s).len, (s).at /* for "%.*s" */

static inline struct span span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}
static inline struct span span_make(const void *at, size_t len)
{
	return (struct span){ (const char *)at, len };
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Most words differ in their first letter already. */
static inline bool span_is(struct span a, const char *text)
{
	return (a.len == 0 || a.at[0] == text[0]) && span_equal(a, span_of(text));
}

bool span_equal_nocase(struct span a, struct span b); /* ASCII letters only */
bool span_starts(struct span s, const char *text);
bool span_ends(struct span s, const char *text);
struct span span_from(struct span s, size_t offset); /* offset at most s.len */
struct span span_trim(struct span s);		     /* spaces and tabs at both ends */
char *span_duplicate(struct span s);		     /* with a zero behind it, the caller's to free; NULL: no memory */
int span_compare(struct span a, struct span b);	     /* as memcmp; a prefix sorts first */
int span_order(const void *a, const void *b);	     /* the same of two spans in a list, for qsort and bsearch */

/* Cuts *rest at the first `c`: the part before it is returned, *rest goes on behind it. Without c the whole is
 * returned and rest->at becomes NULL, which ends the loop `while (rest.at != NULL)`. */
struct span span_cut(struct span *rest, char c);

/* The next line without its LF (and without a CR before it); false at the end. A last line may lack its LF. */
bool span_line(struct span *rest, struct span *line);

/* Decimal without sign or leading zero, at most max. ERR_NUMBER. */
enum err span_u64(struct span s, uint64_t max, uint64_t *out);

/* As span_u64 but leading zeros are let pass: what feeds of others write ("061"). */
enum err span_u64_loose(struct span s, uint64_t max, uint64_t *out);

/* Valid UTF-8 by RFC 3629: no surrogates, no overlong forms. */
bool span_is_utf8(struct span s);

/* How many bytes the UTF-8 character takes that s begins with; 0: it begins with none. */
size_t span_utf8_length(struct span s);

/* A host name as lower-case A-labels (RFC 5890, LDH), at least two labels, at most 253 bytes, the last label
 * not a number. */
bool span_is_domain(struct span s);

#endif
