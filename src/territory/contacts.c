#include "territory/contacts.h"

#include <stdlib.h>

#include "base/file.h"
#include "regime/contact.h"
#include "territory/contacts_file.h"

/*
 * Trust
 *
 * As with territory.table: contacts_open believes where the sections lie and nothing inside them. Each number read from them is
 * compared with what it indexes, `above` only ever leads backwards, and a mailbox is checked before it is given out: a damaged
 * table may answer wrongly until contacts_check finds it, but it never leads outside the file, nor a line into a mail's head.
 */

#define CHAIN_MAX 256 /* ranges that lie in one another; registries have a dozen */

struct contacts_table {
	struct mapped map;
	struct span all;
	const struct contacts_head *head;
	const void *at[CONTACTS_SECTIONS];
	size_t count[CONTACTS_SECTIONS];
};

static const size_t sizes[CONTACTS_SECTIONS] = {
	sizeof(struct disk_contact_as),
	sizeof(struct disk_contact4),
	sizeof(struct disk_contact6),
	1,
};

static bool sections_fit(struct contacts_table *t)
{
	for (int i = 0; i < CONTACTS_SECTIONS; i++) {
		uint64_t offset = t->head->sections[i].offset, size = t->head->sections[i].size;

		if (offset % 8 != 0 || offset > t->all.len || size > t->all.len - offset || size % sizes[i] != 0 ||
		    size / sizes[i] >= UINT32_MAX)
			return false;
		t->at[i] = t->all.at + offset;
		t->count[i] = (size_t)(size / sizes[i]);
	}
	return true;
}

static enum err damaged(const char *what)
{
	return fail(ERR_TABLE_DAMAGED, "the table of contacts: %s; `comity contact import whois` makes it anew", what);
}

static enum err take(struct contacts_table *t, struct span content)
{
	t->all = content;
	t->head = (const struct contacts_head *)(const void *)content.at;
	if (content.len < sizeof(*t->head) || memcmp(t->head->magic, CONTACTS_MAGIC, sizeof(CONTACTS_MAGIC)) != 0)
		return damaged("not one of this version");
	if (t->head->byte_order != CONTACTS_BYTE_ORDER)
		return damaged("built on a machine of another byte order");
	if (t->head->head_size != sizeof(*t->head) ||
	    !hash_equal(t->head->head, hash_bytes(t->head, offsetof(struct contacts_head, head))))
		return damaged("the head fails its checksum");
	if (t->head->file_size != content.len || !sections_fit(t))
		return damaged("a section lies outside the file");
	return OK;
}

enum err contacts_open_memory(struct span content, struct contacts_table **out)
{
	struct contacts_table *t = calloc(1, sizeof(*t));
	enum err e = t != NULL ? take(t, content) : fail(ERR_NO_MEMORY, "no room for a table");

	if (e == OK)
		*out = t;
	else
		free(t);
	return e;
}

enum err contacts_open(const char *path, struct contacts_table **out)
{
	struct contacts_table *t = calloc(1, sizeof(*t));
	enum err e = t != NULL ? file_map(path, &t->map) : fail(ERR_NO_MEMORY, "no room for a table");

	if (e == OK)
		e = take(t, span_make(t->map.at, t->map.len));
	if (e == OK)
		*out = t;
	else
		contacts_close(t);
	return e;
}

enum err contacts_check(const struct contacts_table *t)
{
	if (!hash_equal(t->head->content, hash_span(span_from(t->all, sizeof(*t->head)))))
		return damaged("the content fails its checksum");
	return OK;
}

void contacts_close(struct contacts_table *t)
{
	if (t == NULL)
		return;
	if (t->map.at != NULL)
		file_unmap(&t->map);
	free(t);
}

static bool mail_of(const struct contacts_table *t, struct disk_mail m, struct contacts_found *out)
{
	size_t size = t->count[CONTACTS_TEXT];

	if (m.rank == 0 || m.rank >= CONTACTS_RANK_END || m.length > size || m.at > size - m.length)
		return false;
	out->mail = span_make((const char *)t->at[CONTACTS_TEXT] + m.at, m.length);
	out->rank = (enum contacts_rank)m.rank;
	return contact_mail_check(out->mail) == OK;
}

static bool find_as(const struct contacts_table *t, uint32_t asn, struct contacts_found *out)
{
	const struct disk_contact_as *all = t->at[CONTACTS_AS];
	size_t low = 0, high = t->count[CONTACTS_AS];

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all[middle].asn < asn)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->count[CONTACTS_AS] && all[low].asn == asn && mail_of(t, all[low].mail, out);
}

static struct disk_mail range_at(const struct contacts_table *t, bool ipv4, size_t i, struct range *range,
				 uint32_t *above)
{
	if (ipv4) {
		const struct disk_contact4 *r = (const struct disk_contact4 *)t->at[CONTACTS_IPV4] + i;

		*range = (struct range){ address_ipv4(r->first), address_ipv4(r->last) };
		*above = r->above;
		return r->mail;
	}
	const struct disk_contact6 *r = (const struct disk_contact6 *)t->at[CONTACTS_IPV6] + i;

	*range = (struct range){ { r->first_high, r->first_low, FAMILY_IPV6 },
				 { r->last_high, r->last_low, FAMILY_IPV6 } };
	*above = r->above;
	return r->mail;
}

/* How many ranges begin at or before the address. */
static size_t begun(const struct contacts_table *t, bool ipv4, struct address a)
{
	size_t low = 0, high = t->count[ipv4 ? CONTACTS_IPV4 : CONTACTS_IPV6];
	struct range r;
	uint32_t above;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		range_at(t, ipv4, middle, &r, &above);
		if (address_compare(r.first, a) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool find_prefix(const struct contacts_table *t, struct prefix p, struct contacts_found *out)
{
	struct address first = prefix_first(p), last = prefix_last(p);
	bool ipv4 = first.family == FAMILY_IPV4, found = false;
	size_t i = begun(t, ipv4, first);

	for (int steps = 0; i > 0 && steps < CHAIN_MAX; steps++) {
		struct contacts_found here = { 0 };
		uint32_t above;
		struct disk_mail m = range_at(t, ipv4, i - 1, &here.range, &above);

		if (address_compare(here.range.last, last) >= 0 && mail_of(t, m, &here) &&
		    (!found || here.rank < out->rank)) {
			*out = here;
			found = true;
		}
		i = above < i ? above : 0;
	}
	return found;
}

bool contacts_lookup(const struct contacts_table *t, const struct addressee *to, struct contacts_found *out)
{
	*out = (struct contacts_found){ .mail = SPAN("") };
	switch (to->type) {
	case TO_AS:
		return find_as(t, to->asn, out);
	case TO_PREFIX:
		return find_prefix(t, to->prefix, out);
	case TO_PARTY:
	case TO_COUNTRY:
	case TO_ALL:
		break;
	}
	return false;
}

void contacts_facts(const struct contacts_table *t, struct contacts_facts *out)
{
	*out = (struct contacts_facts){
		.built_ms = t->head->built_ms,
		.objects = t->head->objects,
		.rejected = t->head->rejected,
		.as_numbers = t->count[CONTACTS_AS],
		.ranges_ipv4 = t->count[CONTACTS_IPV4],
		.ranges_ipv6 = t->count[CONTACTS_IPV6],
		.mailboxes = t->head->mailboxes,
		.bytes = t->all.len,
	};
}
