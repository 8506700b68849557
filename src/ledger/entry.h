/* An entry: one line with the node's own time, then the note.
 *
 *	logged 2026-11-22T20:45:00.123Z
 *	comity/1 notice
 *	…
 */
#ifndef LEDGER_ENTRY_H
#define LEDGER_ENTRY_H

#include "base/clock.h"
#include "note/statement.h"

struct entry {
	int64_t logged_ms;
	struct span note; /* the whole signed note */
};

enum err entry_parse(struct span text, struct entry *out); /* ERR_STATEMENT */
void entry_print(int64_t logged_ms, struct span note, struct buffer *out);

#endif
