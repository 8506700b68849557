/* An entry: one line with the node's own time, then the note.
 *
 *	logged 2026-11-22T20:45:00.123Z
 *	comity/1 notice
 *	…
 *
 * A guest, whose home is another node's ledger, has a second line: when it was logged there, and the SHA-256 of the receipt
 * that proves it, which the journal keeps as a body. The entry that the receipt is of can be made again from that line.
 *
 *	logged 2026-11-22T20:45:00.123Z
 *	home 2026-11-22T20:44:58.001Z 5fe1…c2
 *	comity/1 answer
 *	…
 */
#ifndef LEDGER_ENTRY_H
#define LEDGER_ENTRY_H

#include "base/clock.h"
#include "note/statement.h"

struct entry {
	int64_t logged_ms;
	bool is_guest;
	int64_t home_ms;     /* of a guest: when its home logged it */
	struct hash receipt; /* of a guest */
	struct span note;    /* the whole signed note */
};

enum err entry_parse(struct span text, struct entry *out); /* ERR_STATEMENT */
void entry_print(int64_t logged_ms, struct span note, struct buffer *out);
void entry_print_guest(int64_t logged_ms, int64_t home_ms, struct hash receipt, struct span note, struct buffer *out);

#endif
