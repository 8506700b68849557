/* Mail. */
#include "report/layout.h"

enum err mail_row(const struct parse *p, const struct place *at)
{
	return parse_reject(p, at, ERR_FORMAT_UNKNOWN, NULL);
}

bool mail_is(struct span text, enum framing *framing)
{
	(void)text;
	(void)framing;
	return false;
}
