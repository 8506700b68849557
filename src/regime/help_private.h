/* What the files of help share: help.c (reading), help_ask.c, help_answer.c, help_codec.c (bytes). Only for this room. */
#ifndef REGIME_HELP_PRIVATE_H
#define REGIME_HELP_PRIVATE_H

#include "regime/help.h"
#include "regime/kinds_private.h"

/* ---- headers (help_ask.c) ---- */

/* One word of `need`, `critical` or `skill`. ERR_STATEMENT_HEADER, which names the header. */
enum err help_word(const char *name, struct span word);
/* How often a header stands there. Those that came after their kind are counted here and not in its row, so that older statements
 * mean what they meant. */
unsigned help_lines(const struct statement *s, const char *name);

/* ---- bytes ---- */

#define HELP_FLAG_PING 0x1u
#define HELP_FLAG_ALL 0x2u
#define HELP_FLAG_WORKING 0x4u

/* Spans point into the snapshot, and end with the next write. */
struct help_kept {
	unsigned flags;
	uint32_t offers, accepted;
	uint64_t affected;
	int64_t first_human_ms, recovered_ms;
	struct span critical, first_human;
};

/* ERR_NOT_FOUND: it is no request for help. */
enum err help_kept_get(const struct state *st, const struct matter *m, struct help_kept *out);
enum err help_kept_put(struct state *st, uint64_t index, const struct help_kept *h);

/* What a party said of the request of that index; what nobody said is all zero. */
enum err help_said_get(const struct state *st, uint64_t index, struct span who, struct help_offer *out);
enum err help_said_put(struct state *st, uint64_t index, const struct help_offer *o);
enum err help_said_unpack(struct span key, struct span value, struct help_offer *out);

/* All requests, all that was said of one, and the requests to a party (empty: to all): each key goes on with what tells them
 * apart. */
struct state_key key_help_requests(void);
struct state_key key_help_said(uint64_t index);
struct state_key key_help_asked(struct span who);

#endif
