#include "territory/row.h"

#include <stdlib.h>

#define FIRST_ROOM 1024

enum err grow(void **at, size_t *room, size_t count, size_t size, size_t max)
{
	size_t more = *room == 0 ? FIRST_ROOM : *room * 2;
	void *bigger;

	if (count < *room)
		return OK;
	if (count >= max)
		return fail(ERR_TOO_LONG, "more than %zu rows", max);
	more = more > max ? max : more;
	if ((bigger = realloc(*at, more * size)) == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu rows", more);
	*at = bigger;
	*room = more;
	return OK;
}

enum err rows_add(struct rows *r, const struct row *row)
{
	void *at = r->at;
	enum err e = grow(&at, &r->room, r->count, sizeof(*r->at), ROWS_MAX);

	r->at = at;
	if (e == OK)
		r->at[r->count++] = *row;
	return e;
}

void rows_free(struct rows *r)
{
	free(r->at);
	*r = (struct rows){ 0 };
}

bool country_parse(struct span s, uint32_t *out)
{
	char code[2];

	if (s.len != 2)
		return false;
	for (int i = 0; i < 2; i++) {
		code[i] = s.at[i] >= 'a' && s.at[i] <= 'z' ? (char)(s.at[i] - 'a' + 'A') : s.at[i];
		if (code[i] < 'A' || code[i] > 'Z')
			return false;
	}
	if (code[0] == 'Z' && code[1] == 'Z')
		return false;
	*out = country_pack(code);
	return true;
}
