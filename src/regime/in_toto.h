/* in-toto Statements v1, as certificates have them:
 * {"_type":"https://in-toto.io/Statement/v1","subject":[{"name":…,"uri":…,"digest":{"sha256":…}}],"predicateType":…,
 * "predicate":{…}}. docs/certificates.md lists the members of our predicates. They may have CycloneDX 1.6 `declarations` inside
 * (assessors, attestations, claims, evidence with counterEvidence, conformance): what is no such form is refused. Members that are
 * not ours are passed over. Source: in-toto attestation spec v1, CycloneDX 1.6.
 *
 * A subject has a digest. One that is only a name, a package URL as `uri`, has the digest "purlSha256": SHA-256 of that text. */
#ifndef REGIME_IN_TOTO_H
#define REGIME_IN_TOTO_H

#include "regime/certificate.h"
#include "regime/dsse.h"

#define IN_TOTO_STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define IN_TOTO_SUBJECTS_MAX 4096

struct yyjson_val;

struct in_toto {
	struct span *
		subjects; /* "sha256:<hex>" and "pkg:…" as purl_parse spells it, sorted, each once; other digests are kept out */
	size_t subject_count;
	struct span predicate_type;
	struct yyjson_val *predicate; /* an object; it lives as long as the arena */
	/* Of ours: as in the header. Empty and 0: not said. */
	bool ours;
	enum predicate kind; /* if ours */
	struct span issuer, scheme, level, laboratory, status, name;
	struct span remark; /* `text` of a canary, `reason` of a status: not otherwise than in the header */
	bool has_statement;
	struct hash statement; /* what it is about: `re` */
	int64_t start_ms, end_ms;
	/* How many the declarations have: claims, pieces of evidence, mentions of counter-evidence and counter-claims, requirements
	 * with a conformance. */
	size_t claims, evidence, counter_evidence, conformance;
	struct span json; /* the payload itself */
};
/* ERR_CERTIFICATE, which says where. */
enum err in_toto_parse(struct arena *a, struct span payload, struct in_toto *out);
/* Writes the statement of these terms: subjects, kind, scheme and so on; `predicate` and what is counted are not read. details: a
 * JSON object with further members of the predicate; declarations: CycloneDX declarations, or a bill of materials that has some;
 * both may be empty. ERR_CERTIFICATE: these are no such thing, or details say again what the terms say. */
enum err in_toto_print(struct arena *a, const struct in_toto *terms, struct span details, struct span declarations,
		       struct buffer *out);
/* Whether the body says what the header says, and the author signed it. author: the key that signed the statement. ERR_CERTIFICATE. */
enum err certificate_body_check(struct arena *a, const struct statement *s, struct span body,
				const struct verifier *author);
/* An arena of this size is enough for a body that is as large as it may be. */
#define CERTIFICATE_ARENA ((size_t)64 << 20)

/* The declarations alone: counts into *out. ERR_CERTIFICATE. */
enum err declarations_check(struct arena *a, struct yyjson_val *declarations, struct in_toto *out);

/* What is claimed, with who assessed it. In the order of the declarations, at most 1,000, in the arena. */
struct told_claim {
	struct span ref, text, reasoning, target;
	size_t evidence, counter_evidence;
	bool counter;		    /* it stands there as a claim against others */
	bool assessed, third_party; /* somebody attests to it; somebody else than the maker, as the document says */
	struct span assessor;	    /* by name; the first that does */
	bool has_conformance, has_confidence;
	double conformance, confidence; /* 0 to 1, of the first requirement that names it */
	struct span requirement;
};
enum err in_toto_claims(struct arena *a, const struct in_toto *t, struct told_claim **out, size_t *count);

#endif
