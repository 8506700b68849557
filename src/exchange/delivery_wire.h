/* What two nodes say to each other when one delivers to the other (delivery.h), as JSON. Both sides read strictly: what reads
 * prints again as the same. Only for this room. */
#ifndef EXCHANGE_DELIVERY_WIRE_H
#define EXCHANGE_DELIVERY_WIRE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/hash.h"

/* A statement on its way, with the receipt of its home and, where it has one that is not erased, its body. */
struct delivery_item {
	struct span note, receipt;
	struct span body;    /* at NULL: none comes along */
	const uint8_t *salt; /* NULL: the body is not sealed */
};

/* {"statements": [ … ]}: begin, then add for each, then end. Sticky as the buffer is. */
void delivery_request_begin(struct buffer *out);
void delivery_request_add(struct buffer *out, const struct delivery_item *i, bool first);
void delivery_request_end(struct buffer *out);
/* In the arena. ERR_JSON and its kin, ERR_FIELD_MISSING, ERR_FIELD, ERR_ENCODING, ERR_EMPTY, ERR_TOO_LONG: over
 * DELIVERY_STATEMENTS_MAX. */
enum err delivery_request_read(struct arena *a, struct span text, const struct delivery_item **out, size_t *count);

/* An introduction is one such object; its body, if it has one, is ignored. */
void delivery_introduction_print(struct span note, struct span receipt, struct buffer *out);
enum err delivery_introduction_read(struct arena *a, struct span text, struct delivery_item *out);

enum delivery_status {
	DELIVERY_TAKEN,	   /* it is durable there */
	DELIVERY_REPEATED, /* it was there already */
	DELIVERY_REFUSED,  /* for good: code and detail say why */
	DELIVERY_LATER,	   /* for now */
	DELIVERY_STATUS_COUNT
};
struct delivery_verdict {
	struct hash id; /* of the statement; all 0: what was sent is none */
	enum delivery_status status;
	struct span code;   /* a stable code, lower-case letters, digits and dashes; empty: none */
	struct span detail; /* printable ASCII; empty: none */
};
#define DELIVERY_CODE_MAX 64
#define DELIVERY_DETAIL_MAX 300 /* a longer one is cut */
void delivery_answer_print(const struct delivery_verdict *v, size_t count, struct buffer *out);
/* ids: of what was sent, in its order; out has room for as many. ERR_PEER: it is no answer to that. */
enum err delivery_answer_read(struct arena *a, struct span text, const struct hash *ids, size_t count,
			      struct delivery_verdict *out);

/* The `code` of a problem that a server answers with (RFC 9457, as ours); empty: it says none that can be shown. */
struct span delivery_problem_code(struct arena *a, struct span text);

#endif
