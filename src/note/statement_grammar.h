/* What the reader and the writer of statements check alike. Only for this room. */
#ifndef NOTE_STATEMENT_GRAMMAR_H
#define NOTE_STATEMENT_GRAMMAR_H

#include "note/statement.h"

#define STATEMENT_WORD_MAX 63

/* Lower-case letters, digits and '-', a letter first: names of kinds and headers. */
bool statement_word_valid(struct span word);

/* Printable ASCII, no space at the ends, not empty. */
bool statement_value_valid(struct span value);

/* Checks a header's name and value. One of the headers that every kind shares is also read into *s, and *seen notes it
 * and refuses a second one where only one may be. *to is set for `to`. ERR_STATEMENT_HEADER. */
enum err statement_header_read(struct header h, unsigned *seen, struct statement *s, struct addressee *to);

#endif
