#include "proof/verify.h"

#include "base/clock.h"
#include "proof/dnssec.h"
#include "proof/legal.h"
#include "proof/observed.h"
#include "proof/rsc.h"

/* Clocks of two machines differ: evidence that was had so much later than now is still believed. */
#define SKEW_MS (INT64_C(5) * 60 * 1000)

typedef enum err method_verify(struct arena *a, const struct anchors *anchors, const struct proof *p,
			       const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			       struct verdict *out);

/* Nothing in it can be verified offline but its form: the operator decides. */
static enum err mandate_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
				     const struct key_statement *key, const struct evidence *e, int64_t at_ms,
				     struct verdict *out)
{
	(void)a;
	(void)anchors;
	(void)key;
	(void)at_ms;
	if (p->resource_count == 0)
		return fail(ERR_EVIDENCE, "a mandate names its country");
	for (size_t i = 0; i < p->resource_count; i++)
		if (p->resources[i].type != TO_COUNTRY)
			return fail(ERR_EVIDENCE_RESOURCE, "a mandate is for countries");
	*out = (struct verdict){ .until_ms = e->obtained_ms + PROOF_LIFE_MAX_MS };
	return OK;
}

/* A method without a row shows nothing. */
static method_verify *const methods[BASIS_COUNT] = {
	[BASIS_RSC] = rsc_verify_proof,		  [BASIS_DNSSEC] = dnssec_verify_proof,
	[BASIS_OBSERVED] = observed_verify_proof, [BASIS_LEGAL] = legal_verify_proof,
	[BASIS_OPENPGP] = openpgp_verify_proof,	  [BASIS_MANDATE] = mandate_verify_proof,
};

static enum err check_common(const struct proof *p, const struct evidence *e, int64_t at_ms)
{
	char obtained[CLOCK_TEXT];

	if (e->method != p->method)
		return fail(ERR_EVIDENCE, "the statement says %s, its body %s", basis_name(p->method),
			    basis_name(e->method));
	if (methods[p->method] == NULL)
		return fail(ERR_EVIDENCE, "%s shows nothing", basis_name(p->method));
	clock_format(e->obtained_ms, obtained);
	if (e->obtained_ms > at_ms + SKEW_MS)
		return fail(ERR_EVIDENCE, "obtained at %s, which is still to come", obtained);
	if (e->obtained_ms + PROOF_LIFE_MAX_MS <= at_ms)
		return fail(ERR_EVIDENCE_EXPIRED, "obtained at %s: evidence is a year old at most", obtained);
	return OK;
}

enum err verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
		      const struct key_statement *key, const struct evidence *e, int64_t at_ms, struct verdict *out)
{
	char until[CLOCK_TEXT];
	int64_t most_ms;
	enum err refused = check_common(p, e, at_ms);

	*out = (struct verdict){ 0 };
	if (refused == OK)
		refused = methods[p->method](a, anchors, p, key, e, at_ms, out);
	if (refused != OK)
		return refused;
	most_ms = (e->obtained_ms < at_ms ? e->obtained_ms : at_ms) + PROOF_LIFE_MAX_MS;
	if (out->until_ms > most_ms)
		out->until_ms = most_ms;
	out->until_ms = out->until_ms / 1000 * 1000; /* as headers write it */
	clock_format(out->until_ms, until);
	return out->until_ms > at_ms ? OK : fail(ERR_EVIDENCE_EXPIRED, "it held until %s", until);
}

enum err verify_statement(struct arena *a, const struct anchors *anchors, const struct statement *s, struct span body,
			  int64_t at_ms, struct verdict *out)
{
	struct key_statement key;
	struct evidence evidence;
	struct proof p;
	enum err e;

	*out = (struct verdict){ 0 };
	if (s->kind != KIND_PROOF)
		return fail(ERR_STATEMENT_KIND, "a %.*s proves nothing", SPAN_FORMAT(s->kind_name));
	if (body.at == NULL || !statement_binds(s, NULL, body))
		return fail(ERR_BODY, "the proof's body is %s", body.at == NULL ? "missing" : "another one");
	if ((e = proof_read(a, s, &p)) != OK || (e = evidence_parse(a, body, &evidence)) != OK)
		return e;
	key = (struct key_statement){ .party = p.about, .key = proof_key(s, &p) };
	return verify_proof(a, anchors, &p, &key, &evidence, at_ms, out);
}

struct hash proof_key(const struct statement *s, const struct proof *p)
{
	return p->method == BASIS_OBSERVED || p->method == BASIS_MANDATE ? p->seen_key : s->key;
}

enum err verify_key_is_present(const struct state *st, const struct statement *s, const struct proof *p)
{
	struct party party;
	enum err e = state_party(st, p->about, &party);

	if (e == OK && !hash_equal(party.fingerprint, proof_key(s, p)))
		e = fail(ERR_EVIDENCE_KEY, "%.*s has another key now", SPAN_FORMAT(p->about));
	return e;
}
