/* Abuse mailboxes from the registries' whois dumps (RPSL, RFC 2622), by AS number and by address range. Compiled into one
 * memory-mapped file, DIR/contacts.table, that is replaced by rename; an open one never changes, any number of threads may ask
 * it at once. Asking allocates nothing and uses no network.
 *
 * Read are aut-num, inetnum, inet6num, organisation, role, person and irt objects, whole dumps or split files, plain or gzip, in
 * any order. Memory holds the ranges, the handles and the mailboxes, never a file. */
#ifndef TERRITORY_CONTACTS_H
#define TERRITORY_CONTACTS_H

#include "base/buffer.h"
#include "note/statement.h"

/* How a mailbox was found; the first is the best. */
enum contacts_rank {
	CONTACTS_ABUSE_C = 1, /* the resource's own `abuse-c` */
	CONTACTS_ORG_ABUSE_C, /* that of its organisation */
	CONTACTS_IRT,	      /* its `mnt-irt` */
	CONTACTS_ABUSE_MAILBOX, /* an `abuse-mailbox` that stands in it, or with its `tech-c`, `admin-c` or organisation */
	CONTACTS_E_MAIL,	/* an `e-mail` that stands there */
	CONTACTS_RANK_END
};

struct contacts_table;
/* ERR_NOT_FOUND; ERR_TABLE_DAMAGED: head, bounds; the content by contacts_check. */
enum err contacts_open(const char *path, struct contacts_table **out);
/* The same of bytes in memory, aligned to 8, that stay as they are until the close. */
enum err contacts_open_memory(struct span content, struct contacts_table **out);
enum err contacts_check(const struct contacts_table *t);
void contacts_close(struct contacts_table *t); /* NULL is fine */

struct contacts_found {
	struct span mail; /* as contact_mail_check has it; ends with the table */
	enum contacts_rank rank;
	struct range range; /* of what was asked by address: where it was found */
};
/* Of an AS number, or of a prefix: the best-ranked of the ranges that cover all of it, of these the narrowest; so a
 * customer's range without an abuse-c has that of the block it lies in. False: none, or another addressee. */
bool contacts_lookup(const struct contacts_table *t, const struct addressee *to, struct contacts_found *out);

struct contacts_facts {
	int64_t built_ms;
	uint64_t objects, rejected, as_numbers, ranges_ipv4, ranges_ipv6, mailboxes, bytes;
};
void contacts_facts(const struct contacts_table *t, struct contacts_facts *out);

struct contacts_build;
enum err contacts_build_new(struct contacts_build **out);
void contacts_build_free(struct contacts_build *b);
/* Told of each object or line that is left out: a resource or a mailbox that does not parse, a line over 8 KiB. */
typedef void contacts_reject(void *context, const char *path, uint64_t line, enum err why, struct span row);
void contacts_on_reject(struct contacts_build *b, contacts_reject *call, void *context);
/* ERR_NOT_FOUND, ERR_IO, ERR_COMPRESSION: what was read so far stays. ERR_FORMAT_UNKNOWN: not one object that is known. */
enum err contacts_build_add(struct contacts_build *b, const char *path);
enum err contacts_build_add_text(struct contacts_build *b, struct span text);
/* The file's bytes, or written beside path, synced, renamed. ERR_EMPTY: no resource with a mailbox. */
enum err contacts_build_print(struct contacts_build *b, struct buffer *out);
enum err contacts_build_write(struct contacts_build *b, const char *path);

#endif
