/* STIX 2.1 bundles. */
#include "report/layout.h"

enum err stix_row(const struct parse *p, const struct place *at)
{
	return parse_reject(p, at, ERR_FORMAT_UNKNOWN, NULL);
}
