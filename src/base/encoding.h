/* Hex and base64, strict both ways: one text for one value. */
#ifndef BASE_ENCODING_H
#define BASE_ENCODING_H

#include "base/buffer.h"

/* out takes 2 * n characters and a 0. Lower case. */
void hex_encode(const void *from, size_t n, char *out);

/* Exactly 2 * n lower-case digits. ERR_ENCODING. */
enum err hex_decode(struct span s, void *out, size_t n);

/* RFC 4648 section 4 with padding, no line breaks. */
#define BASE64_LENGTH(n) (((size_t)(n) + 2) / 3 * 4)
void base64_encode(const void *from, size_t n, char *out); /* out: BASE64_LENGTH(n) + 1 */
void base64_append(struct buffer *b, const void *from, size_t n);

/* Canonical only: padding exact, spare bits zero. *length is set on OK. out has room for `room` bytes.
 * ERR_ENCODING; ERR_TOO_LONG: more than room. */
enum err base64_decode(struct span s, void *out, size_t room, size_t *length);

#endif
