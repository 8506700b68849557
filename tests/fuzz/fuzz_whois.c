/* A whois dump of any bytes; the second half, from a NUL on if there is one, as another file. What comes of it is a table that
 * passes its own check, in which no mailbox has a byte that could end a line; the same each time; and
 * when a byte of it is changed behind a head that is made good again, it never leads outside. */
#include <stdlib.h>

#include "territory/contacts.h"
#include "territory/contacts_file.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void look(const struct contacts_table *t, const struct addressee *to)
{
	struct contacts_found f;

	if (!contacts_lookup(t, to, &f))
		return;
	for (size_t i = 0; i < f.mail.len; i++)
		check(f.mail.at[i] > 0x20 && f.mail.at[i] < 0x7f && strchr("<>()[]\\,;:\"", f.mail.at[i]) == NULL);
	check(f.mail.len > 0 && f.rank > 0 && f.rank < CONTACTS_RANK_END);
}

static void ask(const struct contacts_table *t, struct span data)
{
	struct addressee to = { .type = TO_AS };

	for (uint32_t asn = 1; asn < 100; asn++) {
		to.asn = asn < 50 ? asn : 64450 + asn;
		look(t, &to);
	}
	to.type = TO_PREFIX;
	for (size_t i = 0; i + 4 < data.len && i < 256; i++) {
		uint32_t a;

		memcpy(&a, data.at + i, 4);
		to.prefix = prefix_of(address_ipv4(a), data.at[i + 4] & 31);
		look(t, &to);
		to.prefix = prefix_of((struct address){ (uint64_t)0x20010db8 << 32 | a, a, FAMILY_IPV6 },
				      32 + (data.at[i + 4] & 63));
		look(t, &to);
	}
	for (uint32_t third = 0; third < 256; third += 5) {
		to.prefix = prefix_of(address_ipv4(0xc0000200u | third), 32);
		look(t, &to);
	}
}

static enum err compile(struct span first, struct span second, struct buffer *out)
{
	struct contacts_build *b = NULL;
	enum err e;

	check(contacts_build_new(&b) == OK);
	e = contacts_build_add_text(b, first);
	check(e == OK || e == ERR_FORMAT_UNKNOWN);
	if (second.at != NULL) {
		e = contacts_build_add_text(b, second);
		check(e == OK || e == ERR_FORMAT_UNKNOWN);
	}
	e = contacts_build_print(b, out);
	check(e == OK || e == ERR_EMPTY);
	contacts_build_free(b);
	return e;
}

static void change(struct buffer *out, struct span data)
{
	struct contacts_head *h = (struct contacts_head *)(void *)out->at;
	struct contacts_table *t = NULL;
	size_t at = 0;

	for (size_t i = 0; i < data.len && i < 64; i++) {
		at = (at * 31 + (uint8_t)data.at[i]) % (out->len - 24);
		out->at[24 + at] ^= (char)(data.at[i] | 1); /* not magic and order */
	}
	h->head = hash_bytes(h, offsetof(struct contacts_head, head));
	if (contacts_open_memory(buffer_view(out), &t) == OK) {
		ask(t, data);
		contacts_check(t);
		contacts_close(t);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span data = span_make(bytes, size), second = data, first = span_cut(&second, '\0');
	struct buffer out = BUFFER(1 << 24), again = BUFFER(1 << 24);
	struct contacts_table *t = NULL;

	clock_simulate(INT64_C(1795000000000)); /* the time of building stands in the head */
	if (compile(first, second, &out) == OK) {
		check(contacts_open_memory(buffer_view(&out), &t) == OK && contacts_check(t) == OK);
		ask(t, data);
		contacts_close(t);
		check(compile(first, second, &again) == OK && span_equal(buffer_view(&out), buffer_view(&again)));
		change(&out, data);
	}
	buffer_free(&out);
	buffer_free(&again);
	return 0;
}
