/* What is known of a party, and how: a profile of what it holds and on what basis, with rivals beside it. Never one number. */
#ifndef EXCHANGE_PARTY_VIEW_H
#define EXCHANGE_PARTY_VIEW_H

#include "base/json.h"
#include "regime/holding.h"

struct party_held {
	struct holding h;
	bool now;	     /* it holds at the time that was asked for */
	struct span *rivals; /* other parties that hold that, or a part of it, or what is around it, at the same time */
	size_t rival_count;
};

struct party_view {
	struct profile profile;
	struct party_held *held; /* all that ever were */
	size_t count;
	int64_t at_ms;
};

/* In the arena, also the spans. ERR_PARTY_UNKNOWN. */
enum err party_view(const struct state *st, struct arena *a, struct span party, int64_t at_ms, struct party_view *out);

/* What its statement says of a party, but for contacts, ledger keys and claims: members of an object. */
void party_print(const struct party *p, struct json *j);

/* The members `profile` and `holdings` of an object. answers: also when it last answered, which follows from the circle. */
void party_view_print(const struct party_view *v, bool answers, struct json *j);

/* Bits of bases as a list of their names. */
void party_view_bases(struct json *j, const char *key, unsigned bases);

#endif
