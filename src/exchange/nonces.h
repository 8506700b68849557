/* What was said once, for as long as it could be said again. Only for this room. Any thread. */
#ifndef EXCHANGE_NONCES_H
#define EXCHANGE_NONCES_H

#include "base/hash.h"

#define NONCES_MAX ((size_t)1 << 20)

struct nonces;
enum err nonces_new(size_t most, struct nonces **out);
void nonces_free(struct nonces *n);
/* Remembers it until then. ERR_EXISTS, without detail: it was said. ERR_BUSY: no room before others end. */
enum err nonces_add(struct nonces *n, struct hash one, int64_t until_ms, int64_t now_ms);

#endif
