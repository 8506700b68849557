/* Letters of several scripts, folded. Own tables, since what the system's library does depends on its locale: ASCII, Latin-1,
 * Latin Extended-A, Greek, Cyrillic; of Arabic the forms of one letter. All others are left as they are. For this room alone. */
#ifndef REGIME_LETTERS_H
#define REGIME_LETTERS_H

#include "base/span.h"

/* The character at the beginning, 1 to 4 bytes; 0: the text is empty or no UTF-8 there. */
size_t letter_read(struct span text, uint32_t *c);
size_t letter_write(uint32_t c, char out[4]);

/* Case alone, one character for one: "Ä" and "ä" are one, "a" is another. */
uint32_t letter_lower(uint32_t c);

/* Without case and without marks, as people type who lack the key: up to two characters. 0: it is dropped (a mark by itself, a
 * soft hyphen, what cannot be seen). ' ': whatever is no letter and no digit. */
struct letters {
	uint32_t at[2];
};
struct letters letter_plain(uint32_t c);

/* Written without spaces between words. */
bool letter_is_ideograph(uint32_t c);

#endif
