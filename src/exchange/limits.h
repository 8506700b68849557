/* How much one caller may ask for: requests a minute, and requests with a body at once. Callers are parties by their domain, or
 * addresses (IPv6 by /64). What is remembered is bounded, whoever comes. Any thread. */
#ifndef EXCHANGE_LIMITS_H
#define EXCHANGE_LIMITS_H

#include "base/span.h"

struct limits;

/* per_minute: 0 is any number; a sixth of it may come at once. at_once: requests with a body of one caller. */
enum err limits_new(uint64_t per_minute, unsigned at_once, struct limits **out);
void limits_free(struct limits *l);
void limits_set(struct limits *l, uint64_t per_minute);

/* One more request. false: it is one too many, and in *wait_s there is room again. */
bool limits_take(struct limits *l, struct span who, int64_t now_ms, unsigned *wait_s);

/* A request with a body begins. false: too many of this caller are under way. Each true is given back with the number that it
 * left in *slot. */
bool limits_begin(struct limits *l, struct span who, unsigned *slot);
void limits_end(struct limits *l, unsigned slot);

/* Whom an address stands for: itself, or its /64. Points into out. */
#define LIMITS_ADDRESS 64
struct span limits_address(struct span address, char out[LIMITS_ADDRESS]);

#endif
