/* The core codes: what flows between two parties that use different words. A number stands for an effect on an object, shown by a
 * class of evidence; there are as few as do the work, and none for what is said, believed or shown (reference: regime 8).
 * Version 1; a number is never given a new meaning. */
#ifndef REGIME_CORE_CODE_H
#define REGIME_CORE_CODE_H

#include "regime/vocabulary.h"

#define CORE_CODES_VERSION 1
#define CORE_CODE_COUNT_MAX 20

struct core_code {
	unsigned number;
	const char *effect, *object, *evidence, *says; /* static */
};
const struct core_code *core_codes(size_t *count);
const struct core_code *core_code_find(unsigned number); /* NULL: none */

/* The code of a class in RSIT 1003, as the narrow form has it where the class is mixed. 0: it has none: content, other, undetermined,
 * test. */
unsigned core_code_of(enum rsit_class c);
/* Of a mixed class: what of it the code stands for. NULL: the whole class, or it has no code. Static. */
const char *core_code_narrow(enum rsit_class c);
/* The class that speaks for a code: core_code_of of it is the code again. CLASS_NONE: no such code. */
enum rsit_class core_code_class(unsigned number);

#endif
