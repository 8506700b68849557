/* Notices and requests for help by mail, to those who have no node: a text that a person reads, XARF v4 parts that abuse desks'
 * tools read, the rows as CSV, the note itself, and a link to answer with. Signed with the node's OpenPGP key where it has one, and
 * encrypted where the contact has one (RFC 3156). One SMTP server, the operator's own: it is named in the configuration, so it may
 * have a private address; nothing that comes from outside says where mail is handed over. docs/delivery.md, "By mail". */
#ifndef MAIL_MAILER_H
#define MAIL_MAILER_H

#include "net/config.h"
#include "regime/contact.h"
#include "regime/node.h"
#include "regime/outbox.h"

/* ---- a message ---- */

struct mail_notice {
	const struct statement *s; /* the notice, or the request for help */
	struct span note;	   /* whole, as signed: attached */
	struct addressee to;	   /* for whom */
	struct contact contact;
	struct span body; /* the evidence table; empty: erased */
	struct span link; /* to answer with, a whole URL; empty: none */
	int64_t link_until_ms;
	int64_t logged_ms, due_ms; /* of the notice; due 0: no clock runs */
	int64_t date_ms;	   /* of this mail */
	struct span tag;	   /* of the envelope sender: bounce_tag; empty: none */
};
/* A whole message (RFC 5322, MIME) of 7-bit lines of at most 998 bytes that end with CR LF. The same input gives the same
 * message, but for an OpenPGP part; Message-ID follows from notice and contact. Signed if the node has an OpenPGP key
 * (mail_key_find). ERR_OPENPGP: it cannot be signed or encrypted as it must be, so it must not be sent. */
enum err mail_compose(struct node *n, const struct config *c, const struct mail_notice *m, struct buffer *out);
#define MAIL_MAX ((size_t)64 << 20)

/* ---- the node's OpenPGP key, in DIR/openpgp (0700) ---- */

#define MAIL_FINGERPRINT 41
/* ERR_NOT_FOUND: there is none. ERR_OPENPGP: there is, and it cannot be used: GnuPG is missing. */
enum err mail_key_find(const char *dir, char fingerprint[MAIL_FINGERPRINT]);
/* A new Ed25519 key that signs as this mailbox. ERR_EXISTS. */
enum err mail_key_make(const char *dir, struct span title, struct span mailbox, char fingerprint[MAIL_FINGERPRINT]);
/* One secret key without a passphrase that can sign. ERR_EXISTS, ERR_OPENPGP. */
enum err mail_key_import(const char *dir, struct span key, char fingerprint[MAIL_FINGERPRINT]);
/* The public key, armoured. */
enum err mail_key_export(const char *dir, struct buffer *out);
/* Ends the agent that GnuPG started to sign. When no more is to be signed for a while. */
void mail_key_rest(const char *dir);

/* ---- sending ---- */

/* Asked now and then while something is sent: true drops it. */
struct mail_stop {
	bool (*asked)(void *context);
	void *context;
};
/* Hands it to the SMTP server. ERR_UNREACHABLE: not now (*later: this recipient or message; else it is the server itself, and
 * others would fare the same). ERR_MAIL_REFUSED: recipient or message are refused for good (5xx). ERR_TOO_LONG: our own server takes
 * none of that size. The detail has code and text. ERR_USAGE: no server is configured. stop NULL: nothing ends
 * it early; else, ended within some seconds, ERR_UNREACHABLE. */
enum err mail_send(const struct config *c, struct span envelope_from, struct span to, struct span message,
		   const struct mail_stop *stop, bool *later);

/* The tag of an envelope sender (local+TAG@domain) and back: which item of the outbox, which contact, and a MAC, so that nobody
 * can bounce what he was not sent. 32 letters, in whatever case they come back. NODE_WRITE. */
void bounce_tag(const struct node *n, uint64_t index, unsigned addressee, struct span contact,
		char out[BOUNCE_TAG_SIZE]);
struct bounce_of {
	uint64_t index;		/* of the notice in the circle's ledger */
	unsigned addressee;	/* its number: `to`, then `cc` */
	uint8_t contact_key[5]; /* of the mailbox: bounce_contact_is */
};
/* ERR_NOT_FOUND: no tag of this node. */
enum err bounce_tag_read(const struct node *n, struct span tag, struct bounce_of *out);
bool bounce_contact_is(const struct bounce_of *b, struct span contact);

/* ---- what comes back ---- */

enum bounce_verdict {
	BOUNCE_NONE,	  /* no bounce: an answer of a person or a machine */
	BOUNCE_DELIVERED, /* a report that it arrived, or was handed on */
	BOUNCE_DELAYED,	  /* the other side goes on trying: nothing to do */
	BOUNCE_FOR_NOW,	  /* given up, for a reason that may pass (4.x.x) */
	BOUNCE_FOR_GOOD,  /* refused (5.x.x) */
	BOUNCE_UNKNOWN,	  /* a bounce that does not say why */
	BOUNCE_VERDICT_COUNT
};
const char *
bounce_verdict_name(enum bounce_verdict v); /* "none", "delivered", "delayed", "for-now", "for-good", "unknown" */

#define BOUNCE_RECIPIENTS_MAX 32
struct bounce_recipient {
	enum bounce_verdict verdict;
	struct span mail, status, says; /* status "5.1.1" or empty; says: one line, printable */
};
/* Spans are in the arena or point into the mail. */
struct bounce {
	enum bounce_verdict verdict; /* over all recipients: the worst but UNKNOWN, which yields to any other */
	struct bounce_recipient *recipients;
	size_t recipient_count;
	struct span tag;     /* from To, Delivered-To, X-Original-To … or the returned headers; empty: none */
	struct span about;   /* of a mail that answers one of ours: how the notice's id begins, in hex; empty: none */
	struct span from;    /* of a mail that is no bounce: as its header says, for the operator to see */
	struct span subject; /* likewise */
	bool automatic;	     /* Auto-Submitted, Precedence, empty Return-Path …: never answered */
	bool own;	     /* a mail of this node itself that came back unchanged: a loop */
};
/* A mail to the bounce address (RFC 3464; texts of well-known servers where it has no such part). A verdict other than NONE comes
 * with a recipient or a tag. node: this node's name. ERR_MAIL, ERR_DEPTH, ERR_TOO_LONG, ERR_NO_MEMORY. */
enum err bounce_read(struct arena *a, struct span node, struct span mail, struct bounce *out);

#endif
