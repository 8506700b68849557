/* The law of a kept chain, for its unit test and its fuzz target: a chain in which each set has one signature and each part is needed
 * verifies only as it was. What is not signed may change: a record's time to live. Of a signature's own bytes the law says nothing. */
#ifndef DNSSEC_LAW_H
#define DNSSEC_LAW_H

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "proof/dnssec.h"

#define LAW_AT_MS INT64_C(1796083200000) /* 2026-12-01T00:00:00Z */
#define LAW_KEY "5fe1000000000000000000000000000000000000000000000000000000000ac2"

static inline size_t law_skip_name(struct span s, size_t at)
{
	while (at < s.len && s.at[at] != 0)
		at += 1 + (size_t)(uint8_t)s.at[at];
	return at + 1;
}

/* Zeros over what may change, as far as the bytes are records. */
static inline void law_blank(char *part, size_t len)
{
	struct span s = span_make(part, len);

	for (size_t at = 0; at < len;) {
		size_t head = law_skip_name(s, at), size, end, from;

		if (head + 10 > len)
			return;
		size = (size_t)(uint8_t)part[head + 8] << 8 | (uint8_t)part[head + 9];
		end = head + 10 + size;
		if (end > len)
			return;
		memset(part + head + 4, 0, 4);
		from = law_skip_name(s, head + 28);
		if (part[head] == 0 && part[head + 1] == 46 && from < end)
			memset(part + from, 0, end - from);
		at = end;
	}
}

static inline bool law_same(struct arena *a, struct span was, struct span is)
{
	char *x = arena_copy(a, was.at, was.len), *y = arena_copy(a, is.at, is.len);

	law_blank(x, was.len);
	law_blank(y, is.len);
	return span_equal(span_make(x, was.len), span_make(y, is.len));
}

static inline bool law_holds(struct arena *a, const struct anchors *anchors, const struct proof *p,
			     const struct key_statement *key, const struct evidence *was, const struct evidence *is)
{
	struct verdict v;

	if (dnssec_verify_proof(a, anchors, p, key, is, LAW_AT_MS, &v) != OK)
		return true;
	for (size_t i = 0; i < was->count; i++)
		if (i >= is->count || !law_same(a, was->parts[i].bytes, is->parts[i].bytes))
			return false;
	return true;
}

#endif
