/* A history by script, from a seed: parties that come, prove themselves, change keys and go; notices and what becomes of them; plans,
 * promises, certificates, help. The same seed gives the same statements at the same times, byte for byte, in any node that was begun
 * with the same keys. The clock is simulated. What the rules refuse is left out, as a node would. */
#ifndef BENCH_HISTORY_H
#define BENCH_HISTORY_H

#include "note/statement.h"
#include "regime/node.h"

#define HISTORY_BEGIN_MS INT64_C(1577836800000) /* 2020-01-01T00:00:00Z */
#define HISTORY_DAY_MS INT64_C(86400000)
#define HISTORY_PARTIES_MAX 1000

struct history_size {
	uint32_t parties, agreements;
	uint64_t statements; /* about so many */
	unsigned years;
	uint64_t seed;
};

/* How the statements come into the node. The state must not tell. */
struct history_way {
	size_t batch;	 /* statements in one commit; 0: each goes through the sequencer */
	bool unverified; /* signatures are not verified: for measuring what comes later */
	uint64_t most;	 /* ends after so many; 0: at the end */
};

struct history_count {
	uint64_t logged[KIND_COUNT], refused[KIND_COUNT], found; /* found: in the node before */
};

/* A node whose first statements have the history's first instant. ERR_NODE_EXISTS. */
enum err history_begin(const char *dir);
/* Plays it into the node, which may hold the beginning of it already. Leaves it published. */
enum err history_play(const char *dir, const struct history_size *size, const struct history_way *way,
		      struct history_count *out);
static inline int64_t history_end_ms(const struct history_size *s)
{
	return HISTORY_BEGIN_MS + (int64_t)s->years * 365 * HISTORY_DAY_MS;
}

#endif
