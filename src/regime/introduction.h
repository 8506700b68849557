/* How a node introduces itself to one that knows nothing of it: by its own party statement, which proves itself. It is signed by
 * the key that it names, stands in the node's own public ledger, has the role node, and names the keys of its ledgers. Who that
 * is in the world, no signature tells: whoever believes it for the first time compares the fingerprint by another way. */
#ifndef REGIME_INTRODUCTION_H
#define REGIME_INTRODUCTION_H

#include "regime/kinds.h"

struct introduction {
	struct statement s;
	struct span node; /* points into the note, as url does */
	struct span url;  /* empty: it says none */
	struct verifier key;
	struct hash fingerprint;
	bool has[LEDGER_COUNT];
	struct verifier ledger[LEDGER_COUNT];
};
/* Signature and all. ERR_PEER with what is wrong with it; ERR_NO_MEMORY. */
enum err introduction_read(struct arena *a, struct span note, struct introduction *out);

#endif
