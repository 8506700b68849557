/* STIX timestamps (STIX 2.1, 2.16): UTC, any number of digits behind the second. Versions are told apart by them, so nothing
 * is rounded. Two spellings of one instant ("…00.000Z", "…00Z") are equal here. */
#ifndef STIX_INSTANT_H
#define STIX_INSTANT_H

#include "base/span.h"

/* Digits of date and time, then of the fraction without its trailing zeros: sorts as bytes, in the order of time.
 * length 0: none. */
#define INSTANT_MAX 63
struct instant {
	uint8_t length;
	char digits[INSTANT_MAX];
};

/* "2016-04-06T20:03:48.123456789Z". A real date; at most 49 digits of fraction that are not trailing zeros. ERR_TIME. */
enum err instant_parse(struct span text, struct instant *out);
int instant_compare(const struct instant *a, const struct instant *b); /* none sorts first */

#endif
