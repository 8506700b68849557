/* Text of others in a page of HTML: what it says is seen, what it would do does not happen. */
#ifndef NET_HTML_H
#define NET_HTML_H

#include "base/buffer.h"

/* Between tags, and in an attribute's value between quotes of either kind. & < > " ' become references; bytes that are no UTF-8,
 * controls but LF and tab, and the marks that turn the direction of text around become U+FFFD. Not for the inside of script or
 * style, nor for an attribute that holds an address or code. */
void html_text(struct buffer *out, struct span text);
/* The same with at most `most` bytes of the text, cut between characters, and "…" behind them if that was not all. */
void html_text_cut(struct buffer *out, struct span text, size_t most);

#endif
