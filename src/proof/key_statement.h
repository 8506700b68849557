/* The text that every kind of evidence binds: it says which key speaks for which party, and nothing else, so it stays the same
 * while the party's statement changes.
 *
 *	comity-key 1
 *	party as64500.example
 *	key 5fe1…c2
 *
 * An RSC lists its SHA-256, a certificate's or OpenPGP key's holder signs it, an https server shows it at
 * /.well-known/comity.txt. In the DNS it is one TXT record at _comity.<domain>, or at _comity.<reverse zone>:
 * "v=comity1; party=as64500.example; key=5fe1…c2". */
#ifndef PROOF_KEY_STATEMENT_H
#define PROOF_KEY_STATEMENT_H

#include "base/buffer.h"
#include "base/hash.h"

struct key_statement {
	struct span party;
	struct hash key;
};

void key_statement_print(const struct key_statement *k, struct buffer *out);
void key_statement_print_txt(const struct key_statement *k, struct buffer *out); /* the record's text, without quotes */
/* Exactly that form, CR LF taken as LF. ERR_EVIDENCE. */
enum err key_statement_parse(struct span text, struct key_statement *out);
/* Tags in any order, unknown ones passed over, as DKIM has them (RFC 6376 section 3.2). ERR_EVIDENCE; ERR_EVIDENCE_KEY: another
 * version, party or key than wanted. */
enum err key_statement_check_txt(struct span text, const struct key_statement *wanted);

#endif
