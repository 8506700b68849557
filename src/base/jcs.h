/* The JSON Canonicalization Scheme (RFC 8785): one text for each value. Names sorted by UTF-16 code units, numbers as
 * ECMAScript prints them, no spaces. */
#ifndef BASE_JCS_H
#define BASE_JCS_H

#include "base/buffer.h"

struct yyjson_val;

/* skip (may be NULL): names of the outermost object that are left out. Numbers are IEEE doubles; integers beyond 2^53 are
 * refused (RFC 7493, 2.2). Bounded in depth by json_read. ERR_NUMBER, else as the buffer. */
typedef bool jcs_skip(void *context, struct span name, const struct yyjson_val *value);
enum err jcs_write(const struct yyjson_val *v, jcs_skip *skip, void *context, struct buffer *out);

#endif
