/* A mail to the bounce address. Whatever it says: a verdict comes with a recipient or a tag, recipients are mailboxes and each there
 * once, what is shown is printable, a tag has a tag's letters, our own mail is no bounce; and the same mail says the same again. */
#include <stdlib.h>

#include "mail/mailer.h"

static bool printable(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < ' ' || s.at[i] > '~')
			return false;
	return true;
}

static void holds(const struct bounce *b)
{
	if (b->verdict != BOUNCE_NONE && b->recipient_count == 0 && b->tag.len == 0)
		abort();
	if (b->own && b->verdict != BOUNCE_NONE)
		abort();
	if (b->tag.len != 0 && (b->tag.len != BOUNCE_TAG_SIZE - 1 || !printable(b->tag)))
		abort();
	if ((b->about.len != 0 && b->about.len != 32) || !printable(b->from) || !printable(b->subject))
		abort();
	for (size_t i = 0; i < b->recipient_count; i++) {
		const struct bounce_recipient *r = &b->recipients[i];

		if (memchr(r->mail.at, '@', r->mail.len) == NULL || !printable(r->mail) || !printable(r->status) ||
		    !printable(r->says) || (unsigned)r->verdict >= BOUNCE_VERDICT_COUNT)
			abort();
		for (size_t j = 0; j < i; j++)
			if (span_equal_nocase(r->mail, b->recipients[j].mail))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct bounce b, again;
	struct span mail = span_make(data, size);

	if (a == NULL && (a = arena_new((size_t)8 << 20)) == NULL)
		abort();
	if (bounce_read(a, SPAN("cert.example"), mail, &b) == OK) {
		holds(&b);
		if (bounce_read(a, SPAN("cert.example"), mail, &again) == OK &&
		    (again.verdict != b.verdict || again.recipient_count != b.recipient_count ||
		     !span_equal(again.tag, b.tag)))
			abort();
	}
	arena_reset(a);
	return 0;
}
