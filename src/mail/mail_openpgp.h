/* Inside of the mailer only: OpenPGP by gpgme, which runs GnuPG. The node's key lies in DIR/openpgp and nowhere else; the user's own
 * keyring is never touched. */
#ifndef MAIL_MAIL_OPENPGP_H
#define MAIL_MAIL_OPENPGP_H

#include "base/arena.h"
#include "base/buffer.h"

/* A detached signature, armoured with LF lines, by the key of this fingerprint. micalg: "pgp-sha256". ERR_OPENPGP. */
#define OPENPGP_MICALG 24
enum err openpgp_sign(const char *dir, const char *fingerprint, struct span text, struct buffer *out,
		      char micalg[OPENPGP_MICALG]);
/* To one public key, which is believed for this message only: it comes into a keyring that is thrown away. ERR_OPENPGP. */
enum err openpgp_encrypt(struct span key, struct span text, struct buffer *out);

#endif
