/* IODEF (RFC 7970). */
#include "report/layout.h"

enum err iodef_row(const struct parse *p, const struct place *at)
{
	return parse_reject(p, at, ERR_FORMAT_UNKNOWN, NULL);
}

bool iodef_is(struct span text)
{
	(void)text;
	return false;
}
