/* The mailer's work: what is due by mail is composed and sent, and what became of it is told. The delivery thread and `comity mail
 * send` do the same by it. */
#ifndef MAIL_MAIL_WORK_H
#define MAIL_MAIL_WORK_H

#include "mail/contact_choice.h"
#include "mail/mailer.h"

struct mail_worker {
	struct node *node;
	const struct config *config;
	struct contact_chooser *contacts; /* NULL: only the operator's and the parties' own */
	/* May be NULL. Asked before each mail and while it is sent: true ends the work. */
	bool (*stop)(void *context);
	/* Called after each mail, before the next: logs it (outbox_write in a batch). An error ends the work. Spans are valid in
	 * the call only. */
	enum err (*became)(void *context, const struct outbox_event *e);
	/* May be NULL: then CONTACT_ASK_RDAP is as CONTACT_NONE. Else asks the register and logs what it says; OK: choose again.
	 * Another: the item is left for later. */
	enum err (*ask)(void *context, const struct outbox_item *i);
	void *context;
};
struct mail_worked {
	uint64_t sent, refused, later, undeliverable;
	bool down; /* the SMTP server itself failed: nothing was written about that, the rest waits; the detail says why */
};
/* At most `most` items that are due at now_ms. Does nothing where no SMTP server is configured. Holds no snapshot while it sends.
 * OK also when the server is down; else the machine failed, or `became`. */
enum err mailer_work(const struct mail_worker *w, int64_t now_ms, size_t most, struct mail_worked *out);

/* The mail for one addressee of a notice, by its number, as it would be sent to this contact. */
enum err mail_for(struct node *n, const struct config *c, struct arena *a, const struct hash *notice,
		  unsigned addressee, const struct contact *contact, int64_t now_ms, struct buffer *out);

#endif
