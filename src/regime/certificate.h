/* Certificates: what somebody claims of a product, who assessed it, who disagrees, and what became of it.
 *
 *	comity/1 certificate
 *	ledger lab.example/public
 *	from lab.example
 *	key …
 *	predicate evaluation			one of the list below
 *	subject sha256:<hex>			artefacts, SBOMs: up to 1,000, as far as they fit into a statement
 *	subject pkg:deb/debian/openssl@3.0.11	package URLs as purl_parse spells them; without @version: every version
 *	scheme eucc, level substantial, laboratory lab.example
 *	start TIME, end TIME			validity; end at most 10 years on
 *	re <id>					of validation, counter, status: what it is about; of seen: the release; of a canary:
 *							the one before
 *	cites <id>				other certificates that it rests on, up to 16
 *	status suspended, reason …		of status: valid, conditional, suspended, withdrawn
 *	name weakening				of a canary: which one
 *	text …					of a counter: the objection
 *	body application/vnd.in-toto+json.dsse <size> sha256:…
 *
 * The body is an in-toto Statement v1 in a DSSE envelope (dsse.h, in_toto.h), with the signatures of all who sign: at least the
 * author's, by its party key. The header repeats what readers look up; a body that says otherwise is refused at the door
 * (ERR_CERTIFICATE) and by `comity certificate verify`. Only an evaluation, a validation and a declaration must have a body.
 *
 * A status counts from the author of what it is about and from the laboratory that it names: of each the last, and of the two the
 * worse. Others' are taken too, as counter-claims. A certificate that its author withdraws (kind withdraw) stays withdrawn. It
 * stays in the ledger, and so does what cites it: that is shown as resting on something withdrawn, all the way down. What a revoked
 * key signed is shown so. Nothing is ever judged for everybody: whom to recognise is each reader's own (recognition.h). */
#ifndef REGIME_CERTIFICATE_H
#define REGIME_CERTIFICATE_H

#include "regime/state.h"

#define CERTIFICATE_MEDIA_TYPE "application/vnd.in-toto+json.dsse"
#define CERTIFICATE_BODY_MAX ((size_t)1 << 20)
#define CERTIFICATE_SUBJECTS_MAX 1000
#define CERTIFICATE_CITES_MAX 16
#define CERTIFICATE_CHAIN_MAX 64 /* how deep citations are followed; deeper counts as resting on something unknown */

/* In the state by number: only add at the end. */
enum predicate {
	PREDICATE_EVALUATION,  /* somebody assessed the product */
	PREDICATE_VALIDATION,  /* another body takes over an evaluation, perhaps with reservations */
	PREDICATE_DECLARATION, /* the maker's own */
	PREDICATE_COUNTER,     /* an objection to another */
	PREDICATE_STATUS,      /* of another: valid, conditional, suspended, withdrawn */
	PREDICATE_CANARY,      /* a dated statement that lapses: release.h */
	PREDICATE_RELEASE,     /* a version, its hashes by region and time: release.h */
	PREDICATE_SEEN,	       /* what somebody got where and when, of a release: release.h */
	PREDICATE_COUNT
};
const char *predicate_name(enum predicate p);
bool predicate_is_claim(enum predicate p); /* evaluation, validation, declaration: of the product itself */
enum err predicate_parse(struct span name, enum predicate *out); /* ERR_STATEMENT_HEADER */
/* "comity:evaluation/v1", a URI of ours, for in-toto's predicateType. */
const char *predicate_type(enum predicate p);

enum certificate_status { STATUS_VALID, STATUS_CONDITIONAL, STATUS_SUSPENDED, STATUS_WITHDRAWN, STATUS_COUNT };
const char *certificate_status_name(enum certificate_status s);
enum err certificate_status_parse(struct span name, enum certificate_status *out); /* ERR_STATEMENT_HEADER */

struct certificate {
	struct hash id;
	struct hash key; /* that signed it */
	uint64_t index;	 /* in the public ledger */
	enum predicate predicate;
	struct span from, scheme, level, laboratory, name;
	int64_t logged_ms, start_ms, end_ms; /* start: logged_ms if it says none; end INT64_MAX: none */
	bool has_re, demonstration, has_body;
	bool withdrawn; /* by its author, for good; status is then STATUS_WITHDRAWN */
	struct hash re;
	struct body_reference body;
	struct span *subjects; /* "sha256:…" or "pkg:…", as filed; in st->arena */
	size_t subject_count;
	struct hash *cites;
	size_t cite_count;
	enum certificate_status says;	/* PREDICATE_STATUS: what it says of `re` */
	enum certificate_status status; /* what counts at the moment */
	int64_t status_ms;		/* since when; 0: it was never changed */
	struct span reason;		/* of that status; of a PREDICATE_STATUS its own, as is `says` */
};
enum err state_certificate(const struct state *st, struct hash id, struct certificate *out); /* ERR_MATTER_UNKNOWN */
typedef enum err certificate_each(void *context, const struct certificate *c);
/* By issuer; empty: all, in the order of the ledger. */
enum err state_certificates(const struct state *st, struct span from, certificate_each *each, void *context);
/* The same from behind that place in the ledger, so that a walk can be taken up again. */
enum err state_certificates_after(const struct state *st, struct span from, uint64_t after, certificate_each *each,
				  void *context);
/* About this subject: a digest, or a package URL, which also finds those for every version. Costs by what is found. */
enum err certificates_of(const struct state *st, struct span subject, certificate_each *each, void *context);
/* For many look-ups at once, of subjects by the SHA-256 of their text in its one spelling: which of them, and the place of a
 * certificate about it, in the order of these hashes. A package URL with a version finds only what names that version. */
typedef enum err subject_hit(void *context, size_t which, uint64_t index);
enum err certificates_of_many(const struct state *st, const struct hash *subjects, size_t count, subject_hit *each,
			      void *context);
/* By its place in the public ledger. ERR_NOT_FOUND. */
enum err certificate_at(const struct state *st, uint64_t index, struct certificate *out);
/* Those that are `re` it or cite it, withdrawn ones too. `id` may be of nothing that is known here. */
enum err certificates_citing(const struct state *st, struct hash id, certificate_each *each, void *context);

/* How it stands at a time, with what it rests on. */
struct certificate_standing {
	enum certificate_status status;
	bool not_yet, expired;
	bool key_revoked;  /* the key that signed it is known to others, and its party says so */
	unsigned counters; /* objections in force: counters, and statuses of others that are worse than valid */
	bool rests_on_bad; /* something that it cites, or validates, directly or not, is suspended, withdrawn, expired, signed by a revoked key or unknown */
	struct hash bad;   /* the nearest such, in the order of its citations */
	enum certificate_status bad_status; /* valid if it is one of these: */
	bool bad_expired, bad_key_revoked, bad_unknown;
	size_t rests_on; /* how many certificates were looked at */
};
enum err certificate_standing(const struct state *st, const struct certificate *c, int64_t at_ms,
			      struct certificate_standing *out);

#endif
