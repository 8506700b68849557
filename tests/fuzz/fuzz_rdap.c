/* What a register says, as JSON: read to a mailbox that no header or command of SMTP trips over, to none, or refused. */
#include <stdlib.h>

#include "mail/rdap.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	struct span mail;
	size_t at = 0;
	enum err e;

	if (arena == NULL)
		check((arena = arena_new((size_t)1 << 26)) != NULL);
	arena_reset(arena);
	e = rdap_read(arena, span_make(data, size), &mail);
	check(e == OK || e == ERR_JSON || e == ERR_DEPTH || e == ERR_TOO_LONG);
	check(e == OK || mail.len == 0);
	for (size_t i = 0; i < mail.len; i++) {
		check(mail.at[i] > 0x20 && mail.at[i] < 0x7f && strchr("<>()[]\\,;:\"", mail.at[i]) == NULL);
		at += mail.at[i] == '@';
	}
	check(mail.len == 0 || (at == 1 && contact_mail_check(mail) == OK));
	return 0;
}
