/* What is promised: pledges, agreements, certificates, help. */
#include "history_script.h"

#include <inttypes.h>
#include <stdio.h>

/* Pair k of those with an agreement: each party has several partners. */
static void pair_of(const struct history *h, uint32_t k, uint32_t *a, uint32_t *b)
{
	uint32_t n = h->size.parties, round = k / n;

	*a = k % n;
	*b = (*a + 1 + 7 * round) % n;
}

void history_pair(struct history *h, uint32_t *a, uint32_t *b)
{
	bool turned = chance(h, 50);
	uint32_t k = (uint32_t)draw(h, h->size.agreements > 0 ? h->size.agreements : 1);

	pair_of(h, k, turned ? b : a, turned ? a : b);
}

void script_promises(struct history *h)
{
	(void)h;
}

void script_help(struct history *h)
{
	script_notice(h);
}

void script_certificate(struct history *h)
{
	script_notice(h);
}
