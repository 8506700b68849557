/* Checks passwords: slow by intent, so few at once, and what was good is remembered. Only for this room. Any thread. */
#ifndef EXCHANGE_PASSWORDS_H
#define EXCHANGE_PASSWORDS_H

#include "base/span.h"

#define PASSWORDS_AT_ONCE 2 /* each takes 64 MiB */
#define PASSWORDS_WAITING 8
#define PASSWORD_MAX 256

struct passwords;
enum err passwords_new(struct passwords **out);
void passwords_free(struct passwords *p);

/* Whether this was found good against this very check before. */
bool passwords_remembered(struct passwords *p, struct span name, struct span password, struct span check);
/* Does the work. check empty: there is none, and the same work is done for nothing. ERR_BUSY: too many wait. */
enum err passwords_verify(struct passwords *p, struct span name, struct span password, struct span check, bool *good);

#endif
