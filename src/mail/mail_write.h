/* Inside of the mailer only: how header lines and parts are written (RFC 5322, RFC 2045 to 2047). Lines end with CR LF and hold
 * printable ASCII, whatever the values are. */
#ifndef MAIL_MAIL_WRITE_H
#define MAIL_MAIL_WRITE_H

#include "base/buffer.h"
#include "base/clock.h"

/* A value that is printable ASCII already and short: an address, a date, a type. */
void mail_line(struct buffer *out, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Any text; what is no printable ASCII becomes encoded words. */
void mail_header(struct buffer *out, const char *name, struct span text);
/* `Name <mailbox>`, the name any text. */
void mail_address(struct buffer *out, const char *name, struct span title, struct span mailbox);
#define MAIL_DATE 40
void mail_date(int64_t ms, char out[MAIL_DATE]); /* "Mon, 23 Nov 2026 08:45:00 +0000" */

/* A part: its header lines, an empty line, its content. name empty: no attachment. */
void mail_part_text(struct buffer *out, struct span name, struct span text);			 /* quoted-printable */
void mail_part_bytes(struct buffer *out, const char *type, struct span name, struct span bytes); /* base64 */

#endif
