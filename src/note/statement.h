/* Statements: the one signed text that everything here is made of. docs/statement.abnf has the grammar.
 *
 *	comity/1 notice
 *	ledger cert.example/circle
 *	from cert.example
 *	key 5fe1…c2
 *	to as64500.example
 *	date 2026-11-22T20:45:00Z
 *	class malicious-code/infected-system
 *	body application/vnd.comity.evidence+zstd 18233 sealed-sha256:9ad0…
 *
 *	— cert.example Az3grlgt…
 *
 * The text is parsed once, here, into a typed struct. Which headers a kind may or must have is the regime's business
 * (regime/kinds.h); this room knows the grammar: the first line, `name value` lines, the order of the fixed headers
 * (ledger, from, key, then any), the types of the headers that every kind shares. ASCII, no tab, no CR, one space
 * between name and value, no trailing space, at most STATEMENT_MAX bytes with its signatures. */
#ifndef NOTE_STATEMENT_H
#define NOTE_STATEMENT_H

#include "base/address.h"
#include "base/clock.h"
#include "base/json.h"
#include "note/note.h"

#define STATEMENT_MAX (60 * 1024)
#define STATEMENT_TEXT_HEADERS 4096

/* In the order of the kind table. UNKNOWN: kept, folds to nothing. */
enum kind {
	KIND_UNKNOWN,
	KIND_PARTY,
	KIND_PROOF,
	KIND_VOUCH,
	KIND_PLAN,
	KIND_CERTIFICATE,
	KIND_NOTICE,
	KIND_SHARE,
	KIND_REQUEST,
	KIND_CASE,
	KIND_EMBARGO,
	KIND_ADVISORY,
	KIND_PLEDGE,
	KIND_AGREEMENT,
	KIND_ANSWER,
	KIND_WITHDRAW,
	KIND_TICK,
	KIND_RULES,
	KIND_CONTROL,
	KIND_VOCABULARY,
	KIND_COUNT
};

/* To whom: a party, a resource that nobody has proven a claim to, or everyone. */
enum addressee_type { TO_PARTY, TO_AS, TO_PREFIX, TO_COUNTRY, TO_ALL };
struct addressee {
	enum addressee_type type;
	struct span domain;   /* TO_PARTY */
	uint32_t asn;	      /* TO_AS: `to AS64500` */
	struct prefix prefix; /* TO_PREFIX: `to prefix 192.0.2.0/24` */
	char country[3];      /* TO_COUNTRY: `to country EE` */
};

struct header {
	struct span name, value;
};

/* `body <media type> <bytes> <sha256|sealed-sha256>:<hex>`: a document outside the ledger, bound by its hash. */
struct body_reference {
	struct span media_type;
	uint64_t size;
	bool sealed;
	struct hash hash;
};

struct statement {
	struct hash id; /* SHA-256 of the text without signatures */
	enum kind kind;
	struct span kind_name; /* as written, for kinds unknown here */
	struct span ledger, from;
	struct hash key;
	bool has_date;
	int64_t date_ms; /* the signer's claim; clocks run on `logged` */
	const struct addressee *to;
	size_t to_count;
	bool has_re, has_body;
	struct hash re;
	struct body_reference body;
	struct span for_party, via;   /* empty if absent; for_party is a domain or a resource, written as in `to` */
	const struct header *headers; /* all of them in order, the shared ones too */
	size_t header_count;
	struct note note;
};

const char *kind_name(enum kind k); /* "notice"; "unknown" for KIND_UNKNOWN */

/* Parses a whole signed note as a statement with exactly one signature line whose name equals `from`. Nothing is
 * verified (note_verify does). ERR_STATEMENT*, ERR_NOTE, ERR_TOO_LONG. */
enum err statement_parse(struct arena *a, struct span whole, struct statement *out);

/* First header of that name; NULL if absent. */
const struct header *statement_header(const struct statement *s, const char *name);
/* Its value; empty if absent. */
struct span statement_value(const struct statement *s, const char *name);

/* Builds a statement's text with a sticky error, header by header in order; values are checked against the grammar.
 * Born as { 0 }, freed by statement_writer_free. What begin, the adds and end accept, statement_parse accepts. */
struct statement_writer {
	struct buffer text;
	enum err err;
	struct hash key;  /* of the verifier given to begin */
	size_t count;	  /* headers so far */
	unsigned written; /* which shared headers are there */
};
/* KIND_UNKNOWN makes no statement: ERR_STATEMENT_KIND. */
void statement_begin(struct statement_writer *w, enum kind k, struct span ledger, const struct verifier *from);
void statement_add(struct statement_writer *w, const char *name, struct span value);
void statement_add_print(struct statement_writer *w, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Frees the value; what it failed with, the statement fails with. */
void statement_add_buffer(struct statement_writer *w, const char *name, struct buffer *value);
void statement_add_time(struct statement_writer *w, const char *name, int64_t ms);
void statement_add_hash(struct statement_writer *w, const char *name, struct hash h);
void statement_add_to(struct statement_writer *w, const struct addressee *to);
void statement_add_body(struct statement_writer *w, const struct body_reference *body);
/* Signs into out (the whole note, appended) and gives the id. The writer is free for the next begin. The key must be
 * that of begin: ERR_KEY. */
enum err statement_end(struct statement_writer *w, const struct signer *key, struct buffer *out, struct hash *id);
void statement_writer_free(struct statement_writer *w);

enum err addressee_parse(struct span value, struct addressee *out);
void addressee_print(const struct addressee *to, struct buffer *out);
/* As `to` writes it, as a JSON string. */
void addressee_json(struct json *j, const char *key, const struct addressee *to);
bool addressee_equal(const struct addressee *a, const struct addressee *b);

/* Sealed bodies (reference: embargo commitments): the salted commitment of a private body, which stays in the ledger
 * when salt and payload are erased.
 * SHA-256("comity/commit/v1" LF || u16 len, author || u16 len, matter || u16 len, media type || salt || payload) */
#define SEAL_SALT_SIZE 32
struct hash seal_commitment(struct span author, struct span matter, struct span media_type,
			    const uint8_t salt[SEAL_SALT_SIZE], struct span payload);
/* Whether this is the body that the statement binds: its size, and its hash or, with the salt, its commitment (the matter
 * is `re` in hex, or empty). salt NULL: it is not sealed. */
bool statement_binds(const struct statement *s, const uint8_t *salt, struct span payload);

#endif
