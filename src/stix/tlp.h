/* The Traffic Light Protocol, 1.0 and 2.0 (FIRST): who may see something. White of 1.0 is clear. */
#ifndef STIX_TLP_H
#define STIX_TLP_H

#include "base/span.h"

/* Each one is stricter than those before it. Numbers are kept on disk. */
enum tlp {
	TLP_CLEAR,	  /* anyone */
	TLP_GREEN,	  /* the community */
	TLP_AMBER,	  /* who got it, and their clients */
	TLP_AMBER_STRICT, /* who got it */
	TLP_RED,	  /* who is named, nobody else */
	TLP_COUNT
};

const char *tlp_name(enum tlp t); /* "CLEAR", …, "AMBER+STRICT" */
/* As in a statement's `tlp` line; any case, WHITE too. ERR_FIELD. */
enum err tlp_parse(struct span name, enum tlp *out);
/* By the id of the marking-definition object: the four of 1.0 and five of 2.0. ERR_NOT_FOUND without detail: another marking. */
enum err tlp_of_marking(struct span id, enum tlp *out);
/* "marking-definition--…" of TLP 2.0. Static. */
const char *tlp_marking(enum tlp t);

#endif
