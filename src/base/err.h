/* One idiom for errors: a function that can fail returns an enum err; OK is zero. Every value has a stable code for
 * programs and a sentence that says what to do (err.c holds the table). The particulars of a failure (which file, which
 * line) are kept per thread by fail().
 *
 * Three ends, never mixed: bad input is answered and work goes on; a broken machine (err_is_machine) stops the program;
 * our own bug is an assert. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum err {
	OK,
	/* the machine */
	ERR_NO_MEMORY,
	ERR_IO,
	ERR_SYNC,      /* an fsync failed: what is on disk is unknown, so the process must stop */
	ERR_NOT_FOUND, /* a file or object that should be there is not */
	ERR_EXISTS,
	ERR_BUSY,      /* another process is the writer, or too much is under way */
	ERR_DAMAGED,   /* a file of ours fails its checksum */
	ERR_DISK_FULL, /* ENOSPC, EDQUOT */
	ERR_READ_ONLY, /* EROFS */
	ERR_HANDLES,   /* EMFILE, ENFILE: no more files may be open */
	/* input in general */
	ERR_USAGE,
	ERR_EMPTY,
	ERR_SHORT, /* ends too early */
	ERR_TOO_LONG,
	ERR_SYNTAX,
	ERR_ENCODING, /* not the encoding that was promised: UTF-8, base64, hex */
	ERR_NUMBER,
	ERR_TIME,
	ERR_TIME_FUTURE,
	ERR_ADDRESS,
	ERR_ADDRESS_SPECIAL, /* private, reserved, loopback: nobody answers for it */
	ERR_PREFIX,
	ERR_DOMAIN,
	ERR_FORMAT_UNKNOWN,
	ERR_COMPRESSION,
	ERR_UNPACKED, /* unpacks to far more than a report would: a zip bomb */
	ERR_JSON,
	ERR_DEPTH,	   /* nested deeper than any honest report */
	ERR_DUPLICATE_KEY, /* a JSON object says one thing twice */
	ERR_CSV,
	ERR_XML,
	ERR_MAIL,
	ERR_BOUNCE,	   /* tells that a mail was not delivered, or answers by itself */
	ERR_NO_COMPLAINT,  /* says that nothing is wrong, or asks for something else */
	ERR_FIELD_MISSING, /* the format asks for it, the row lacks it */
	ERR_FIELD,	   /* not a value that the format allows there */
	ERR_NO_ADDRESS,	   /* names something, but no address that could be at fault */
	ERR_SPOOFED,	   /* the source is known to be forged: its holder is not at fault */
	ERR_TEST,	   /* marked as a test by its sender */
	ERR_SYMLINK,	   /* a link where a file is wanted */
	ERR_GROWING,	   /* the file changed while it was read */
	ERR_PROBING,	   /* not a probing.txt (RFC 9511) */
	ERR_CALENDAR,	   /* not an iCalendar file with maintenance notes */
	ERR_PCAP,	   /* not a packet capture */
	ERR_DETAIL,	   /* too thin to act on: no time, or no port where it matters */
	/* notes and statements */
	ERR_NOTE,	    /* not a signed note */
	ERR_NOTE_UNSIGNED,  /* no good line of a known key */
	ERR_NOTE_SIGNATURE, /* a known key's line does not verify */
	ERR_KEY,
	ERR_KEY_UNKNOWN,
	ERR_CRYPTO_SELF_TEST,
	ERR_STATEMENT,
	ERR_STATEMENT_VERSION,
	ERR_STATEMENT_KIND,
	ERR_STATEMENT_HEADER,
	ERR_STATEMENT_LEDGER,	/* its home is another ledger */
	ERR_STATEMENT_REPEATED, /* already in the ledger: counts once */
	ERR_SUPERSEDED,		/* a later one of the same party is known */
	ERR_BODY,		/* not the body that the statement binds */
	/* ledger */
	ERR_TILE,
	ERR_CHECKPOINT,
	ERR_PROOF,
	ERR_RECEIPT,
	ERR_LEDGER_DIFFERS, /* what is stored is not what a recomputation gives */
	ERR_LEDGER_FORK,    /* another node's ledger has two histories */
	/* regime */
	ERR_ROLE,	   /* the signer's role may not issue this kind */
	ERR_CLASS_CONTENT, /* judges what is said: refused at every door */
	ERR_CLASS_UNKNOWN,
	ERR_PARTY_UNKNOWN,
	ERR_MATTER_UNKNOWN, /* `re` names nothing that this ledger knows */
	ERR_OUTCOME,	    /* does not fit the matter */
	ERR_NOT_YOURS,	    /* only the author or the addressee may do that */
	ERR_PLAN_WINDOW,
	ERR_RULES,
	ERR_LOGGED,	    /* the node's clock ran backwards */
	ERR_NOT_RECOGNISED, /* the pair does not recognise that code jointly; nothing more is said */
	ERR_VOCABULARY,	    /* not a map from words to core codes */
	ERR_SEALED,	    /* what is revealed is not what was sealed */
	ERR_CONSENT,	    /* who is the target has not agreed */
	ERR_DECONFLICTION,  /* not everybody who was asked has answered */
	ERR_TERM,	    /* a promise that no program could judge, or that promises nothing */
	ERR_NORM,	    /* no norm of a set that is known, or not with that metric */
	ERR_AGREEMENT,	    /* not the same terms, or not one that this can be said to */
	ERR_SUSPENDED,	    /* what an agreement gives, while that term is suspended */
	ERR_BREACH,	    /* that evidence does not show it, or was used before */
	ERR_CERTIFICATE,    /* its envelope or statement is not of that form, or says other than the header */
	ERR_SBOM,	    /* no bill of materials that can be read */
	/* evidence of a proof: each refusal its own */
	ERR_EVIDENCE,		/* not the form that its method asks for */
	ERR_EVIDENCE_SIGNATURE, /* a signature does not verify */
	ERR_EVIDENCE_CHAIN,	/* no path to an anchor of this node */
	ERR_EVIDENCE_OVERCLAIM, /* it names more than its certificate or zone holds */
	ERR_EVIDENCE_BEYOND,	/* a certificate holds more than the one above it */
	ERR_EVIDENCE_REVOKED,
	ERR_EVIDENCE_EXPIRED,  /* or not yet valid */
	ERR_EVIDENCE_STALE,    /* a revocation list is missing or out of date */
	ERR_EVIDENCE_FILE,     /* it is about another file */
	ERR_EVIDENCE_KEY,      /* it is about another key or party */
	ERR_EVIDENCE_RESOURCE, /* sound, but it does not cover what the proof names */
	ERR_EVIDENCE_INSECURE, /* from a zone without signatures */
	ERR_ANCHOR,	       /* a file of DIR/anchors cannot be read */
	/* territory */
	ERR_TABLE_MISSING,
	ERR_TABLE_DAMAGED,
	ERR_TABLE_SOURCE, /* a row of a source file does not parse */
	ERR_UNREACHABLE,
	ERR_REFUSED_URL,
	/* the node on the network */
	ERR_CREDENTIALS, /* none where some are needed, or wrong ones */
	ERR_RATE,	 /* too many requests of one party or address */
	ERR_EXPIRED,	 /* a link that was good once */
	ERR_MEDIA_TYPE,	 /* Content-Type is none that this door takes */
	ERR_ACCEPT,	 /* Accept names nothing that this door gives */
	ERR_STIX,	 /* an object breaks a rule of STIX 2.1; the detail begins with the rule's name */
	ERR_CONFLICT,	 /* the same version of an object says something else; the first is kept */
	ERR_PEER,	 /* another server answers against its protocol */
	/* mail that goes out */
	ERR_OPENPGP,	  /* what should be signed or encrypted with OpenPGP cannot be */
	ERR_MAIL_REFUSED, /* the mail server refuses a recipient or a message for good */
	/* the node's directory */
	ERR_NODE_MISSING,
	ERR_NODE_EXISTS,
	ERR_COUNT
};

/* Stable code for programs, e.g. "note-signature". Static. */
const char *err_code(enum err e);

/* What the user should do, one sentence with a final stop. Static. */
const char *err_advice(enum err e);

/* The machine failed, whatever was asked of it: no memory, no room, no handle, a disk that fails. */
bool err_is_machine(enum err e);

/* Records for this thread what went wrong with e (printf style, no newline, cut at 511 bytes) and returns e:
 * `return fail(ERR_SHORT, "%s: ends at byte %zu", path, n);`. Keep hot paths to plain returns. */
enum err fail(enum err e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The code for errno: ERR_NOT_FOUND, ERR_NO_MEMORY, ERR_DISK_FULL, ERR_READ_ONLY, ERR_HANDLES; else ERR_IO. */
enum err err_of_errno(int number);

/* As fail(err_of_errno(errno), ...) with the text of errno behind it. */
enum err fail_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The particulars of this thread's last fail(), "" if there are none. Valid until the next fail(). */
const char *err_detail(void);
void err_clear(void);

#endif
