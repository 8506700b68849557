/* Where one document of a report ends and the next begins. */
#include "report/layout.h"

bool frame_next(const struct layout *l, struct span text, struct place *at, enum err *why)
{
	size_t from = at->offset + at->raw.len;

	*why = OK;
	if (from >= text.len)
		return false;
	*at = (struct place){ from, at->line, span_from(text, from) };
	if (at->raw.len > l->row_max)
		*why = ERR_TOO_LONG;
	return true;
}

size_t frame_boundary(const struct layout *l, struct span chunk, bool last, bool *inside)
{
	*inside = !last && chunk.len > l->row_max;
	return last || *inside ? chunk.len : 0;
}
