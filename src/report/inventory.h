/* What certificates say of what somebody runs: each component of a bill of materials beside what the ledger has on it. */
#ifndef REPORT_INVENTORY_H
#define REPORT_INVENTORY_H

#include "regime/recognition.h"
#include "report/sbom.h"

#define INVENTORY_LINES_MAX ((size_t)10 << 20)

/* One component and one certificate about it. Only claims are shown (evaluations, validations, declarations); what objects to them
 * or changes how they stand is in their standing. */
struct inventory_line {
	size_t number; /* of the component, from 1; 0: the bill itself */
	const struct sbom_component
		*component; /* of the bill itself: its subject; matched by the SHA-256 of the file too */
	const struct certificate *certificate;
	const struct certificate_standing *standing;
	struct recognised_as recognised;
	bool by_digest; /* the very bytes; else by package URL and version */
	bool in_force;	/* neither suspended nor withdrawn, in its time, and its key is good */
	/* Somebody should look: it is suspended, withdrawn, signed by a revoked key, or rests on something that is bad; or it is
	 * recognised and either countered, or expired with no other that is recognised and in force for this component. What is
	 * refused never asks for it. */
	bool attention;
};
/* Components, each once in a row; the bill itself is one if it has a name or a certificate. */
struct inventory_sum {
	size_t components;
	size_t certified;  /* at least one in force, by whom this reader does not refuse */
	size_t recognised; /* at least one in force, by whom this reader recognises */
	size_t suspended, withdrawn, expired, countered, resting_on_bad,
		key_revoked; /* at least one that is; refused ones left out */
	size_t without;	     /* no certificate at all */
	size_t attention;    /* at least one line that asks for it */
	size_t lines;
};
/* What it points to ends with the callback. */
typedef enum err inventory_each(void *context, const struct inventory_line *l);
/* Each pair of component and certificate, in the order of the bill, for each component in the order of the ledger. file: of the
 * bill. Look-ups are made in the order of keys, with one cursor, and each certificate is read once. ERR_TOO_LONG: over
 * INVENTORY_LINES_MAX pairs. */
enum err inventory_check(const struct state *st, const struct recognition *r, const struct sbom *bill, struct hash file,
			 int64_t at_ms, inventory_each *each, void *context, struct inventory_sum *sum);

#endif
