/* Notices by mail, to those who have no node: a text that a person reads, an XARF v4 part that abuse desks' tools read, the rows
 * as CSV, and a link to answer with. Signed with the node's OpenPGP key where it has one, and encrypted where the contact has one
 * (RFC 3156). One SMTP server of the operator's, through the outgoing door's rules. */
#ifndef EXCHANGE_MAILER_H
#define EXCHANGE_MAILER_H

#include "exchange/config.h"
#include "regime/contact.h"
#include "regime/node.h"
#include "regime/outbox.h"

struct mail_notice {
	const struct statement *s; /* the notice */
	struct span note;	   /* whole, as signed: attached */
	struct addressee to;	   /* for whom */
	struct contact contact;
	struct span body; /* the evidence table; empty: erased */
	struct span link; /* to answer with */
	int64_t due_ms;
	struct span bounce_tag; /* of the envelope sender: bounces+TAG@domain */
};
/* A whole message (RFC 5322, MIME) of 7-bit lines of at most 998 bytes. home: the folder of the node's OpenPGP keys, NULL: not
 * signed. ERR_OPENPGP: it cannot be signed or encrypted as asked, so it must not be sent. */
enum err mail_compose(struct node *n, const struct config *c, const struct mail_notice *m, struct buffer *out);

/* Hands it to the SMTP server. ERR_UNREACHABLE: for now (4xx too). ERR_MAIL_REFUSED: for good (5xx), with what it said. */
enum err mail_send(const struct config *c, struct span envelope_from, struct span to, struct span message);

/* The tag of an envelope sender and back: which item of the outbox, and a MAC so that nobody can bounce what he was not sent. */
#define BOUNCE_TAG_MAX 128
enum err bounce_tag(const struct node *n, const struct outbox_item *i, struct span contact, char out[BOUNCE_TAG_MAX]);
enum err bounce_tag_read(const struct node *n, struct span tag, struct arena *a, struct outbox_key *key,
			 struct span *contact);

/* What a mail to the bounce address says (RFC 3464; texts of well-known servers where it has no such part). */
enum bounce_verdict { BOUNCE_NONE, BOUNCE_FOR_NOW, BOUNCE_FOR_GOOD, BOUNCE_UNKNOWN };
struct bounce {
	enum bounce_verdict verdict;	     /* NONE: an answer of a person or a machine, no bounce */
	struct span recipient, status, says; /* "5.1.1"; in the arena */
	struct span tag; /* from To, Delivered-To, X-Original-To or the returned headers; empty: none */
	bool automatic;	 /* Auto-Submitted, Precedence, empty Return-Path: never answered */
};
enum err bounce_read(struct arena *a, struct span mail, struct bounce *out);

#endif
