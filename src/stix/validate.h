/* Judges an object by STIX 2.1: what the standard says MUST be is a rule that refuses, what SHOULD be is a warning. Types and
 * properties that the standard does not know are let pass where it lets them pass (custom types, extensions). */
#ifndef STIX_VALIDATE_H
#define STIX_VALIDATE_H

#include "stix/object.h"

/* Each with a stable name and the section of STIX 2.1 that says so; the table is in validate_private.h. */
struct stix_rule {
	const char *name;    /* "property-missing", "timestamp-order", "selector-unresolved", … */
	const char *section; /* "3.2" */
	bool must;	     /* else a warning (SHOULD) */
};

struct stix_finding {
	const struct stix_rule *rule;
	const char *text; /* where and what, one sentence, in the arena */
};

#define STIX_FINDINGS_MAX 32
struct stix_verdict {
	struct stix_finding findings[STIX_FINDINGS_MAX]; /* those that refuse first */
	size_t refusals, count;
};

/* Of an object of STIX 2.0 only what all types have in common is judged. A bundle is judged with the objects in it.
 * Allocates in the arena. ERR_NO_MEMORY only: what is wrong with the object stands in the verdict. */
enum err stix_validate(struct arena *a, const struct stix_object *o, struct stix_verdict *out);
/* The same for a value whose id and version could not even be read. Without spec_version it is 2.1 here. */
enum err stix_validate_value(struct arena *a, const struct yyjson_val *value, struct stix_verdict *out);

#endif
