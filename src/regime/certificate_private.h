/* Certificates as the state has them. Only for this room. */
#ifndef REGIME_CERTIFICATE_PRIVATE_H
#define REGIME_CERTIFICATE_PRIVATE_H

#include "regime/certificate.h"
#include "regime/state_private.h"

/*
 * C u64 index: a head of fixed size that changes, and what the statement says, which does not.
 *
 *	head	u64 withdrawn_ms (0: it is not), then of the author and of the laboratory: u8 status, u64 since, u64 index of the
 *		status statement; since 0: it said nothing
 *	rest	u8 predicate, u8 flags, u8 what a status says, 32 id, 32 key, u64 logged_ms, start_ms, end_ms, short from, scheme,
 *		level, laboratory, name, u16 length and reason; if flagged 32 re, and u64 size, 32 hash of the body; u8 number of
 *		citations, 32 each; u16 number of subjects, each u16 length and text
 *
 * K by author, N by what it is re or cites, S by SHA-256 of the subject's text lead to it.
 */
enum voice_of { VOICE_AUTHOR, VOICE_LABORATORY, VOICE_COUNT };
struct voice {
	enum certificate_status says;
	int64_t since_ms; /* 0: it said nothing */
	uint64_t index;
};
struct certificate_record {
	int64_t withdrawn_ms;
	struct voice voices[VOICE_COUNT];
	struct certificate c; /* without subjects, citations, and the reason of others */
	size_t subject_count, cite_count;
	struct span subjects, cites; /* packed */
	struct span rest;	     /* all behind the head */
};
/* Spans point into the snapshot. ERR_NOT_FOUND. */
enum err certificate_get(const struct state *st, uint64_t index, struct certificate_record *out);
/* By the statement's id. ERR_NOT_FOUND: no certificate that is known here. */
enum err certificate_find(const struct state *st, struct hash id, struct certificate_record *out);
/* With subjects and citations in st->arena. */
enum err certificate_open(const struct state *st, const struct certificate_record *r, struct certificate *out);
/* Whose voice that is about it; VOICE_COUNT: of neither, a counter-claim. */
enum voice_of certificate_voice(const struct certificate *c, struct span party);
/* The head anew. */
enum err certificate_put_head(struct state *st, uint64_t index, const struct certificate_record *r);
enum err certificate_put(struct state *st, const struct certificate *c);
typedef enum err record_each(void *context, const struct certificate_record *r);
enum err certificates_citing_records(const struct state *st, struct hash id, record_each *each, void *context);

/* "sha256:<hex>" or a package URL, in the one spelling. general: of a package URL with a version that without; else empty.
 * ERR_CERTIFICATE. */
enum err subject_parse(struct arena *a, struct span text, struct span *out, struct span *general);

#endif
