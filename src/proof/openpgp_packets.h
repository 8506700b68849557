/* What is let through to GnuPG: a key or a signature whose packets (RFC 9580 section 4) cost no more than their bytes promise. GnuPG
 * would also unpack 500 bytes into gigabytes, and compare a hundred thousand names with one another. Inside of the room only. */
#ifndef PROOF_OPENPGP_PACKETS_H
#define PROOF_OPENPGP_PACKETS_H

#include "base/buffer.h"

#define PACKETS_MAX 2000    /* of a key: itself, its names, subkeys and all signatures of others */
#define NAMES_MAX 100	    /* and as many subkeys */
#define KEY_PACKET_MAX 1200 /* bytes: RSA of 8192 bits */

/* As it is, or out of its armor, onto *out: that is what GnuPG is to be given. ERR_EVIDENCE: another packet than those of one public
 * key, or one signature; packed, in parts or without an end; more or larger ones than above; RSA with a long exponent. */
enum err openpgp_take_key(struct span given, struct buffer *out);
enum err openpgp_take_signature(struct span given, struct buffer *out);

#endif
