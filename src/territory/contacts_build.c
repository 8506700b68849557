/* Turns what was read into the table's file. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "territory/contacts_file.h"
#include "territory/contacts_private.h"

#define FILE_MAX_BYTES ((size_t)3 << 30)

static const struct handle *handle_at(const struct contacts_build *b, uint32_t number)
{
	static const struct handle none;

	return number > 0 ? (const struct handle *)b->handles.at + (number - 1) : &none;
}

static bool take(uint32_t mail, enum contacts_rank rank, uint32_t *out, enum contacts_rank *as)
{
	if (mail == 0)
		return false;
	*out = mail;
	*as = rank;
	return true;
}

/* Of an abuse contact any mailbox will do. */
static bool take_any(const struct handle *h, enum contacts_rank rank, uint32_t *out, enum contacts_rank *as)
{
	return take(h->abuse_mail, rank, out, as) || take(h->plain_mail, rank, out, as);
}

/* The best mailbox that an object leads to. */
static bool resolve(const struct contacts_build *b, uint32_t how, uint32_t *mail, enum contacts_rank *rank)
{
	const struct how *h = (const struct how *)(const void *)b->hows.at + how;
	const struct handle *org = handle_at(b, h->org), *desk = handle_at(b, h->desk);

	return take_any(handle_at(b, h->abuse_c), CONTACTS_ABUSE_C, mail, rank) ||
	       take_any(handle_at(b, org->abuse_c), CONTACTS_ORG_ABUSE_C, mail, rank) ||
	       take_any(handle_at(b, h->irt), CONTACTS_IRT, mail, rank) ||
	       take(h->abuse_mail, CONTACTS_ABUSE_MAILBOX, mail, rank) ||
	       take(desk->abuse_mail, CONTACTS_ABUSE_MAILBOX, mail, rank) ||
	       take(org->abuse_mail, CONTACTS_ABUSE_MAILBOX, mail, rank) ||
	       take(h->plain_mail, CONTACTS_E_MAIL, mail, rank) ||
	       take(desk->plain_mail, CONTACTS_E_MAIL, mail, rank) ||
	       take(org->plain_mail, CONTACTS_E_MAIL, mail, rank);
}

static bool mail_of(const struct contacts_build *b, uint32_t how, struct disk_mail *out)
{
	enum contacts_rank rank;
	uint32_t mail, at;

	*out = (struct disk_mail){ 0 };
	if (!resolve(b, how, &mail, &rank))
		return false;
	at = ((const uint32_t *)b->mails.at)[mail - 1];
	out->at = at + 1;
	out->length = (uint8_t)b->text.at[at];
	out->rank = (uint8_t)rank;
	return true;
}

static int by_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_mail(const struct disk_mail *a, const struct disk_mail *b)
{
	int c = by_number(a->rank, b->rank);

	return c != 0 ? c : by_number(a->at, b->at);
}

static int compare_as(const void *a, const void *b)
{
	const struct disk_contact_as *x = a, *y = b;
	int c = by_number(x->asn, y->asn);

	return c != 0 ? c : by_mail(&x->mail, &y->mail);
}

static int compare4(const void *a, const void *b)
{
	const struct disk_contact4 *x = a, *y = b;
	int c = by_number(x->first, y->first);

	if (c == 0)
		c = by_number(y->last, x->last);
	return c != 0 ? c : by_mail(&x->mail, &y->mail);
}

static struct address first6(const struct disk_contact6 *r)
{
	return (struct address){ r->first_high, r->first_low, FAMILY_IPV6 };
}

static struct address last6(const struct disk_contact6 *r)
{
	return (struct address){ r->last_high, r->last_low, FAMILY_IPV6 };
}

static int compare6(const void *a, const void *b)
{
	const struct disk_contact6 *x = a, *y = b;
	int c = address_compare(first6(x), first6(y));

	if (c == 0)
		c = address_compare(last6(y), last6(x));
	return c != 0 ? c : by_mail(&x->mail, &y->mail);
}

struct content {
	struct disk_contact_as *as;
	struct disk_contact4 *ipv4;
	struct disk_contact6 *ipv6;
	size_t as_count, count4, count6;
};

/* Of the same resource the better mailbox stands first, and alone. */
static void list_as(const struct contacts_build *b, struct content *c)
{
	const struct resource_as *all = b->as.at;
	size_t n = 0;

	for (size_t i = 0; i < b->as.count; i++) {
		c->as[c->as_count] = (struct disk_contact_as){ .asn = all[i].asn };
		c->as_count += mail_of(b, all[i].how, &c->as[c->as_count].mail);
	}
	if (c->as_count > 0)
		qsort(c->as, c->as_count, sizeof(*c->as), compare_as);
	for (size_t i = 0; i < c->as_count; i++)
		if (n == 0 || c->as[n - 1].asn != c->as[i].asn)
			c->as[n++] = c->as[i];
	c->as_count = n;
}

static void list4(const struct contacts_build *b, struct content *c)
{
	const struct resource4 *all = b->ipv4.at;
	size_t n = 0;

	for (size_t i = 0; i < b->ipv4.count; i++) {
		c->ipv4[c->count4] = (struct disk_contact4){ .first = all[i].first, .last = all[i].last };
		c->count4 += mail_of(b, all[i].how, &c->ipv4[c->count4].mail);
	}
	if (c->count4 > 0)
		qsort(c->ipv4, c->count4, sizeof(*c->ipv4), compare4);
	for (size_t i = 0; i < c->count4; i++) {
		struct disk_contact4 r = c->ipv4[i];
		size_t up = n;

		if (n > 0 && c->ipv4[n - 1].first == r.first && c->ipv4[n - 1].last == r.last)
			continue;
		while (up > 0 && c->ipv4[up - 1].last < r.last)
			up = c->ipv4[up - 1].above;
		r.above = (uint32_t)up;
		c->ipv4[n++] = r;
	}
	c->count4 = n;
}

static void list6(const struct contacts_build *b, struct content *c)
{
	const struct resource6 *all = b->ipv6.at;
	size_t n = 0;

	for (size_t i = 0; i < b->ipv6.count; i++) {
		c->ipv6[c->count6] = (struct disk_contact6){
			.first_high = all[i].first.high,
			.first_low = all[i].first.low,
			.last_high = all[i].last.high,
			.last_low = all[i].last.low,
		};
		c->count6 += mail_of(b, all[i].how, &c->ipv6[c->count6].mail);
	}
	if (c->count6 > 0)
		qsort(c->ipv6, c->count6, sizeof(*c->ipv6), compare6);
	for (size_t i = 0; i < c->count6; i++) {
		struct disk_contact6 r = c->ipv6[i];
		size_t up = n;

		if (n > 0 && address_equal(first6(&c->ipv6[n - 1]), first6(&r)) &&
		    address_equal(last6(&c->ipv6[n - 1]), last6(&r)))
			continue;
		while (up > 0 && address_compare(last6(&c->ipv6[up - 1]), last6(&r)) < 0)
			up = c->ipv6[up - 1].above;
		r.above = (uint32_t)up;
		c->ipv6[n++] = r;
	}
	c->count6 = n;
}

static void print_section(struct buffer *out, struct contacts_head *h, enum contacts_section s, const void *at,
			  size_t size)
{
	while (out->len % 8 != 0 && out->err == OK)
		buffer_byte(out, 0);
	h->sections[s].offset = out->len;
	h->sections[s].size = size;
	if (size > 0)
		buffer_bytes(out, at, size);
}

static enum err print(const struct contacts_build *b, const struct content *c, struct buffer *out)
{
	struct contacts_head h = {
		.magic = CONTACTS_MAGIC,
		.byte_order = CONTACTS_BYTE_ORDER,
		.head_size = sizeof(h),
		.built_ms = clock_now_ms(),
		.objects = b->objects,
		.rejected = b->rejected,
		.mailboxes = b->mails.count,
	};

	buffer_bytes(out, &h, sizeof(h));
	print_section(out, &h, CONTACTS_AS, c->as, c->as_count * sizeof(*c->as));
	print_section(out, &h, CONTACTS_IPV4, c->ipv4, c->count4 * sizeof(*c->ipv4));
	print_section(out, &h, CONTACTS_IPV6, c->ipv6, c->count6 * sizeof(*c->ipv6));
	print_section(out, &h, CONTACTS_TEXT, b->text.at, b->text.len);
	if (out->err != OK)
		return out->err;
	h.file_size = out->len;
	h.content = hash_bytes(out->at + sizeof(h), out->len - sizeof(h));
	h.head = hash_bytes(&h, offsetof(struct contacts_head, head));
	memcpy(out->at, &h, sizeof(h));
	return OK;
}

enum err contacts_build_print(struct contacts_build *b, struct buffer *out)
{
	struct content c = { 0 };
	enum err e = b->err;

	c.as = calloc(b->as.count + 1, sizeof(*c.as));
	c.ipv4 = calloc(b->ipv4.count + 1, sizeof(*c.ipv4));
	c.ipv6 = calloc(b->ipv6.count + 1, sizeof(*c.ipv6));
	if (e == OK && (c.as == NULL || c.ipv4 == NULL || c.ipv6 == NULL))
		e = fail(ERR_NO_MEMORY, "no room for the table of contacts");
	if (e == OK) {
		list_as(b, &c);
		list4(b, &c);
		list6(b, &c);
		if (c.as_count + c.count4 + c.count6 == 0)
			e = fail(ERR_EMPTY, "no network with a mailbox");
	}
	if (e == OK)
		e = print(b, &c, out);
	free(c.as);
	free(c.ipv4);
	free(c.ipv6);
	return e;
}

enum err contacts_build_write(struct contacts_build *b, const char *path)
{
	struct buffer out = BUFFER(FILE_MAX_BYTES);
	enum err e = contacts_build_print(b, &out);

	if (e == OK)
		e = file_write(path, buffer_view(&out), 0644);
	buffer_free(&out);
	return e;
}
