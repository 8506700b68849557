/* Inside this room only: what the two versions of XARF share. */
#ifndef REPORT_XARF_H
#define REPORT_XARF_H

#include "report/document.h"

/* Checks the report by the rules of its version, then fills the event: class, time, source, ports, target, malware.
 * What is no fault of the format (a content class, no address, one that nobody answers for) is found last. */
enum err xarf3_read(const struct layout *l, yyjson_val *root, struct event *e, const char **field);

/* The address or prefix that text is or, if it is a URL, has as its host; a port there counts where the event has
 * none. ERR_NO_ADDRESS: a name. ERR_PREFIX: bits behind the length. */
enum err xarf_source(struct span text, struct event *e);
/* CLASS_NONE and content classes are refused: ERR_CLASS_CONTENT. */
enum err xarf_class(const struct layout *l, enum rsit_class c, struct event *e);
uint16_t xarf_port(yyjson_val *object, const char *key); /* of an array the first; 0: none */

#endif
