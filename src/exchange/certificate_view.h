/* What can be said of a certificate: what its header says, how it stands, what the envelope claims and who signed it, what others
 * say against it. Nothing is added up to a verdict. */
#ifndef EXCHANGE_CERTIFICATE_VIEW_H
#define EXCHANGE_CERTIFICATE_VIEW_H

#include "base/json.h"
#include "regime/in_toto.h"
#include "regime/node.h"

struct told_signer {
	struct span keyid;
	struct span party; /* whose key it is; empty: of nobody known here */
	bool good;	   /* of a known key: it verifies */
};
/* Another certificate about this one. */
struct told_voice {
	struct certificate c;
	struct certificate_standing standing;
	struct span text; /* its `text`, of its header */
	bool counts;	  /* a status that counts, or might: of the author or the laboratory */
};
struct told_certificate {
	struct certificate c;
	struct certificate_standing standing;
	bool here;	/* its envelope is kept here; the rest is then read from that */
	enum err wrong; /* OK, or why the envelope is not what the header says; why_wrong says where */
	const char *why_wrong;
	struct in_toto statement; /* wrong OK, or ERR_CERTIFICATE where it could be read */
	bool readable;
	struct told_claim *claims;
	size_t claim_count;
	struct told_signer *signers;
	size_t signer_count;
	struct told_voice
		*voices; /* what is `re` it or cites it, in the order of the ledger; at most TOLD_VOICES_MAX */
	size_t voice_count;
	bool more_voices;
};
#define TOLD_VOICES_MAX 200
#define TOLD_ARENA (2 * CERTIFICATE_ARENA)

/* In a, which ends with it; TOLD_ARENA is always enough. st->arena is a too. */
enum err certificate_tell(struct node *n, struct arena *a, const struct state *st, const struct certificate *c,
			  int64_t at_ms, struct told_certificate *out);
/* The members of one, inside an object that is open: header and standing. */
void certificate_print(const struct certificate *c, const struct certificate_standing *s, struct json *j);
/* The same, and all that is told. */
void certificate_tell_print(const struct told_certificate *t, struct json *j);
/* Who of those known here signed the envelope. */
enum err certificate_signers(struct arena *a, const struct state *st, const struct dsse *d, struct told_signer **out,
			     size_t *count);

#endif
