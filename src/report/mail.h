/* Inside this room only: what the readers of mail share. */
#ifndef REPORT_MAIL_H
#define REPORT_MAIL_H

#include "report/layout.h"
#include "report/mime.h"

struct mail {
	const struct parse *parse;
	const struct place *at; /* of the mail in the report */
	struct span text;	/* the mail itself, without "From " line and quoting of an mbox */
	struct mime mime;
	bool unread; /* it has an attachment of no known format */
};

/* A complaint about a mail: the feedback-report (RFC 5965) that is part `feedback`, about the mail that is part `message`;
 * of these one may be MIME_NONE. Gives one event or one reject. */
enum err arf_row(const struct mail *m, size_t feedback, size_t message);

/* What one Received line (RFC 5321 section 4.4) says of who handed the mail over. */
struct received {
	bool has_address;
	struct address
		address; /* that the connection came from, as far as that can be told from what it said of itself */
	uint16_t port;
	int64_t time_ms; /* 0: none that can be read */
};
struct received received_read(struct span value);

/* A file that came with the mail: a table or lines, of which each row gives an event or reject. false: it is neither. */
bool attached_read(const struct mail *m, struct span name, struct span text, enum err *e);

/* A file that came packed: the one of that number, from 0, in it, with its name. ERR_NOT_FOUND (no more), ERR_COMPRESSION,
 * ERR_UNPACKED (longer than a document may be), ERR_NO_MEMORY. content: one that is packed. */
bool packed_is(struct span content);
enum err packed_read(struct arena *a, struct span content, size_t number, struct span *name, struct span *out);

/* The mail in one document of an mbox: without "From " line, and with one ">" less before each quoted "From " (mboxrd).
 * ERR_NO_MEMORY. */
enum err mbox_mail(struct arena *a, struct span document, struct span *mail);
/* So many bytes at the end of a text may be the start of what tells the next mail. */
#define MBOX_AHEAD (sizeof("\n\r\nFrom") - 1)
/* Of a document that text begins with: its length, up to the "From " line of the next; SIZE_MAX: no other begins in
 * text. */
size_t mbox_length(struct span text);
/* How much of text, which begins inside of a mail, belongs to that mail. *ended false: all of it, or all but what may
 * be the start of what tells the next, at most MBOX_AHEAD bytes. */
size_t mbox_rest(struct span text, bool *ended);

#endif
