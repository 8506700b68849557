/* The register asked for an abuse mailbox by RDAP (RFC 9082, 9083), only where the operator names a server (`rdap-server`). Asked is
 * by AS number, or for the registered block that an address lies in as the tables have it: never for what was reported. At most
 * `rdap-daily` questions a day; what was said is kept for RDAP_KEPT_MS as a contact's record, also that there is none. */
#ifndef MAIL_RDAP_H
#define MAIL_RDAP_H

#include "net/config.h"
#include "regime/contact.h"
#include "territory/table.h"

#define RDAP_KEPT_MS (INT64_C(30) * 86400000)

struct rdap;
/* NULL in *out and OK: no server is configured. What was asked earlier on this day counts (the records say). One thread. */
enum err rdap_open(const struct config *config, const struct state *st, struct rdap **out);
void rdap_close(struct rdap *r); /* NULL is fine */

/* Whether it may be asked about this: an AS number, or a prefix whose block the table knows. t may be NULL. */
bool rdap_knows(const struct table *t, const struct addressee *to);
/* out: a contact of CONTACT_RDAP for contact_write, with an empty mail if the register names none; its spans in the arena.
 * ERR_RATE: no more today. ERR_NOT_FOUND: not one to ask about. ERR_UNREACHABLE, ERR_REFUSED_URL, ERR_PEER. */
enum err rdap_ask(struct rdap *r, const struct table *t, const struct addressee *to, struct arena *a, int64_t now_ms,
		  struct contact *out);

/* The first mailbox of an entity with the role abuse, however nested; empty: none. In the arena. ERR_JSON, ERR_DEPTH. */
enum err rdap_read(struct arena *a, struct span json, struct span *mail);

#endif
