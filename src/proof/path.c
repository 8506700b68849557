#include "proof/path.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

/*
 * What libcrypto does, and what is done beside it
 *
 * X509_verify_cert builds the path by names and key identifiers, then looks at extensions, policies and revocation lists, and only
 * then at signatures and times, and at the containment of RFC 3779. It fetches nothing. Beside it:
 *
 *   1. In the RPKI the anchor is a key and no certificate: those of the given certificates that have the key of a locator go into
 *      the store, and their signature is checked too (CHECK_SS_SIGNATURE).
 *   2. Keys are looked at first, for what they cost to verify is theirs to choose.
 *   3. A list may lack its end for libcrypto, but not for us. Lists of one issuer: libcrypto takes the latest; so do we, when we look
 *      for the time until which all holds.
 *   4. For libcrypto much is a certificate authority that RFC 6487 knows not: so each on the path is looked at again.
 */

/* ---- reading ---- */

static bool is_pem(struct span bytes)
{
	return span_starts(bytes, "-----BEGIN");
}

enum err certificate_read(enum anchor_kind kind, struct span bytes, X509 **out)
{
	const unsigned char *at = (const unsigned char *)bytes.at;
	static char nothing[] = "";
	BIO *in = NULL;
	X509 *x = NULL;

	if (bytes.len == 0 || bytes.len > PATH_FILE_MAX)
		return fail(ERR_EVIDENCE, "a certificate of %zu bytes", bytes.len);
	if (kind == ANCHOR_LEGAL && is_pem(bytes)) {
		if ((in = BIO_new_mem_buf(bytes.at, (int)bytes.len)) == NULL)
			return ERR_NO_MEMORY;
		x = PEM_read_bio_X509(in, NULL, NULL, nothing);
		BIO_free(in);
	} else if ((x = d2i_X509(NULL, &at, (long)bytes.len)) != NULL &&
		   at != (const unsigned char *)bytes.at + bytes.len) {
		X509_free(x);
		x = NULL;
	}
	ERR_clear_error();
	if (x == NULL)
		return fail(ERR_EVIDENCE, "a certificate cannot be read");
	if ((X509_get_extension_flags(x) & EXFLAG_INVALID) != 0) {
		X509_free(x);
		return fail(ERR_EVIDENCE, "a certificate's extension cannot be read");
	}
	*out = x;
	return OK;
}

/* RFC 6487 section 5: its own key's identifier, its number, and nothing else. */
static bool list_is_rpki(const X509_CRL *list)
{
	return X509_CRL_get_version(list) == 1 && X509_CRL_get_ext_count(list) == 2 &&
	       X509_CRL_get_ext_by_NID(list, NID_authority_key_identifier, -1) >= 0 &&
	       X509_CRL_get_ext_by_NID(list, NID_crl_number, -1) >= 0;
}

static enum err list_read(enum anchor_kind kind, struct span bytes, X509_CRL **out)
{
	const unsigned char *at = (const unsigned char *)bytes.at;
	static char nothing[] = "";
	BIO *in = NULL;
	X509_CRL *list = NULL;

	if (bytes.len == 0 || bytes.len > PATH_FILE_MAX)
		return fail(ERR_EVIDENCE, "a revocation list of %zu bytes", bytes.len);
	if (kind == ANCHOR_LEGAL && is_pem(bytes)) {
		if ((in = BIO_new_mem_buf(bytes.at, (int)bytes.len)) == NULL)
			return ERR_NO_MEMORY;
		list = PEM_read_bio_X509_CRL(in, NULL, NULL, nothing);
		BIO_free(in);
	} else if ((list = d2i_X509_CRL(NULL, &at, (long)bytes.len)) != NULL &&
		   at != (const unsigned char *)bytes.at + bytes.len) {
		X509_CRL_free(list);
		list = NULL;
	}
	ERR_clear_error();
	if (list == NULL)
		return fail(ERR_EVIDENCE, "a revocation list cannot be read");
	if (X509_CRL_get0_nextUpdate(list) == NULL || (kind == ANCHOR_RPKI && !list_is_rpki(list))) {
		X509_CRL_free(list);
		return fail(ERR_EVIDENCE, "a revocation list is not of the form of its profile");
	}
	*out = list;
	return OK;
}

static enum err read_all(struct path *p, const struct span *certificates, size_t certificate_count,
			 const struct span *lists, size_t list_count)
{
	enum err e = OK;

	for (size_t i = 0; i < certificate_count && e == OK; i++) {
		X509 *x = NULL;

		e = certificate_read(p->kind, certificates[i], &x);
		if (e == OK && p->kind == ANCHOR_RPKI && !certificate_has_rpki_key(x))
			e = fail(ERR_EVIDENCE, "a certificate's key or signature is of no kind that the RPKI uses");
		if (e == OK && sk_X509_push(p->certificates, x) <= 0)
			e = ERR_NO_MEMORY;
		if (e != OK)
			X509_free(x);
	}
	for (size_t i = 0; i < list_count && e == OK; i++) {
		X509_CRL *list = NULL;

		e = list_read(p->kind, lists[i], &list);
		if (e == OK && sk_X509_CRL_push(p->lists, list) <= 0) {
			X509_CRL_free(list);
			e = ERR_NO_MEMORY;
		}
	}
	return e;
}

/* ---- anchors ---- */

static struct span key_of(const X509 *x, unsigned char **der)
{
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), der);

	return span_make(n > 0 ? (const char *)*der : "", n > 0 ? (size_t)n : 0);
}

static bool is_end(const struct path *p, X509 *x, const struct anchor *anchor)
{
	unsigned char *der = NULL;
	struct span bytes = SPAN("");
	bool is = false;

	if (p->kind == ANCHOR_RPKI) {
		bytes = key_of(x, &der);
	} else {
		int n = i2d_X509(x, &der);

		bytes = span_make(n > 0 ? (const char *)der : "", n > 0 ? (size_t)n : 0);
	}
	is = bytes.len > 0 && span_equal(bytes, anchor->bytes);
	OPENSSL_free(der);
	return is;
}

static const struct anchor *anchor_of(const struct path *p, X509 *x)
{
	for (size_t i = 0; i < anchors_count(p->anchors); i++)
		if (anchors_at(p->anchors, i)->kind == p->kind && is_end(p, x, anchors_at(p->anchors, i)))
			return anchors_at(p->anchors, i);
	return NULL;
}

static enum err trust_given(struct path *p)
{
	for (int i = 0; i < sk_X509_num(p->certificates); i++) {
		X509 *x = sk_X509_value(p->certificates, i);

		if (anchor_of(p, x) != NULL && X509_STORE_add_cert(p->store, x) <= 0)
			return ERR_NO_MEMORY;
	}
	return OK;
}

static enum err trust_roots(struct path *p)
{
	enum err e = OK;

	for (size_t i = 0; i < anchors_count(p->anchors) && e == OK; i++) {
		const struct anchor *anchor = anchors_at(p->anchors, i);
		X509 *x = NULL;

		if (anchor->kind != ANCHOR_LEGAL)
			continue;
		e = certificate_read(ANCHOR_LEGAL, anchor->bytes, &x);
		if (e == OK && X509_STORE_add_cert(p->store, x) <= 0)
			e = ERR_NO_MEMORY;
		X509_free(x);
	}
	return e;
}

enum err path_open(struct path *p, enum anchor_kind kind, const struct anchors *anchors,
		   const struct span *certificates, size_t certificate_count, const struct span *lists,
		   size_t list_count)
{
	enum err e;

	*p = (struct path){ .kind = kind, .anchors = anchors };
	if (certificate_count > PATH_CERTIFICATES_MAX || list_count > PATH_LISTS_MAX)
		return fail(ERR_EVIDENCE, "%zu certificates, %zu revocation lists", certificate_count, list_count);
	if ((p->certificates = sk_X509_new_null()) == NULL || (p->lists = sk_X509_CRL_new_null()) == NULL ||
	    (p->store = X509_STORE_new()) == NULL)
		return ERR_NO_MEMORY;
	e = read_all(p, certificates, certificate_count, lists, list_count);
	if (e == OK)
		e = kind == ANCHOR_RPKI ? trust_given(p) : trust_roots(p);
	ERR_clear_error();
	return e;
}

void path_close(struct path *p)
{
	sk_X509_pop_free(p->certificates, X509_free);
	sk_X509_CRL_pop_free(p->lists, X509_CRL_free);
	X509_STORE_free(p->store);
	*p = (struct path){ 0 };
	ERR_clear_error();
}

/* ---- the RPKI's profile ---- */

static bool key_is_rsa(EVP_PKEY *key)
{
	BIGNUM *exponent = NULL;
	bool is = EVP_PKEY_get_bits(key) == 2048 && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
		  BN_is_word(exponent, RSA_F4);

	BN_free(exponent);
	return is;
}

static bool key_is_p256(EVP_PKEY *key)
{
	char group[40];
	size_t n = 0;

	return EVP_PKEY_get_group_name(key, group, sizeof(group), &n) == 1 && strcmp(group, SN_X9_62_prime256v1) == 0;
}

bool certificate_has_rpki_key(const X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	int signature = X509_get_signature_nid(x), kind = key != NULL ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;

	if (signature != NID_sha256WithRSAEncryption && signature != NID_ecdsa_with_SHA256)
		return false;
	return (kind == EVP_PKEY_RSA && key_is_rsa(key)) || (kind == EVP_PKEY_EC && key_is_p256(key));
}

static bool has(const X509 *x, int nid)
{
	return X509_get_ext_by_NID(x, nid, -1) >= 0;
}

static bool has_resources(const X509 *x)
{
	return has(x, NID_sbgp_ipAddrBlock) || has(x, NID_sbgp_autonomousSysNum);
}

/* What all have. */
static bool is_of_rpki(X509 *x, bool own)
{
	return X509_get_version(x) == 2 && has(x, NID_subject_key_identifier) && has(x, NID_certificate_policies) &&
	       (own || has(x, NID_authority_key_identifier)) && !has(x, NID_ext_key_usage) && has_resources(x);
}

bool certificate_signs_checklists(X509 *x)
{
	return is_of_rpki(x, false) && X509_get_key_usage(x) == KU_DIGITAL_SIGNATURE &&
	       !has(x, NID_basic_constraints) && !has(x, NID_sinfo_access) && has(x, NID_crl_distribution_points) &&
	       has(x, NID_info_access);
}

static bool certifies(X509 *x, bool own)
{
	return is_of_rpki(x, own) && X509_check_ca(x) == 1 &&
	       X509_get_key_usage(x) == (KU_KEY_CERT_SIGN | KU_CRL_SIGN) && has(x, NID_sinfo_access) &&
	       has(x, NID_crl_distribution_points) == !own;
}

/* ---- verifying ---- */

static enum err refusal(int error)
{
	switch (error) {
	case X509_V_ERR_OUT_OF_MEM:
		return ERR_NO_MEMORY;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
		return ERR_EVIDENCE_SIGNATURE;
	case X509_V_ERR_CERT_REVOKED:
		return ERR_EVIDENCE_REVOKED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return ERR_EVIDENCE_EXPIRED;
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
		return ERR_EVIDENCE_STALE;
	case X509_V_ERR_UNNESTED_RESOURCE:
		return ERR_EVIDENCE_BEYOND;
	case X509_V_ERR_INVALID_EXTENSION:
	case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
	case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
		return ERR_EVIDENCE;
	default:
		return ERR_EVIDENCE_CHAIN;
	}
}

static bool set_up(const struct path *p, X509_STORE_CTX *c, int64_t at_ms)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(c);
	ASN1_OBJECT *policy;

	X509_STORE_CTX_set0_crls(c, p->lists);
	X509_VERIFY_PARAM_set_depth(param, PATH_DEPTH_MAX);
	X509_VERIFY_PARAM_set_time(param, (time_t)(at_ms / 1000));
	X509_VERIFY_PARAM_set_auth_level(param, 2); /* 112 bits: RSA from 2048 on, no SHA-1 */
	X509_VERIFY_PARAM_set_flags(param,
				    X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_CHECK_SS_SIGNATURE);
	if (p->kind != ANCHOR_RPKI)
		return true;
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_EXPLICIT_POLICY | X509_V_FLAG_INHIBIT_MAP);
	policy =
		OBJ_nid2obj(NID_ipAddr_asNumber); /* RFC 6484; the other one (RFC 8360) means another way to validate */
	return policy != NULL && X509_VERIFY_PARAM_add0_policy(param, policy) == 1;
}

static int64_t ms_of(const ASN1_TIME *t)
{
	ASN1_TIME *zero = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;
	bool good = zero != NULL && ASN1_TIME_diff(&days, &seconds, zero, t) == 1;

	ASN1_TIME_free(zero);
	return good ? ((int64_t)days * 86400 + seconds) * 1000 : 0;
}

/* The list that speaks for what this issuer signed: the latest that bears its signature. */
static const X509_CRL *list_of(const struct path *p, X509 *issuer)
{
	const X509_CRL *latest = NULL;

	for (int i = 0; i < sk_X509_CRL_num(p->lists); i++) {
		X509_CRL *list = sk_X509_CRL_value(p->lists, i);

		if (X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(issuer)) == 0 &&
		    (latest == NULL ||
		     ms_of(X509_CRL_get0_lastUpdate(list)) > ms_of(X509_CRL_get0_lastUpdate(latest))) &&
		    X509_CRL_verify(list, X509_get0_pubkey(issuer)) == 1)
			latest = list;
	}
	return latest;
}

static void shorten(int64_t *until, const ASN1_TIME *t)
{
	int64_t ms = ms_of(t);

	if (ms < *until)
		*until = ms;
}

/* The first end of all on the path, and the anchor above it. */
static enum err sum_up(struct path *p, STACK_OF(X509) * chain)
{
	int n = sk_X509_num(chain);

	p->until_ms = INT64_MAX;
	for (int i = 0; i < n; i++) {
		X509 *x = sk_X509_value(chain, i);
		const X509_CRL *list;

		shorten(&p->until_ms, X509_get0_notAfter(x));
		if (i == 0)
			continue;
		if (p->kind == ANCHOR_RPKI && !certifies(x, i == n - 1))
			return fail(ERR_EVIDENCE_CHAIN, "a certificate above is none of an authority of the RPKI");
		if ((list = list_of(p, x)) == NULL)
			return fail(ERR_EVIDENCE_STALE, "no revocation list of one of the authorities");
		shorten(&p->until_ms, X509_CRL_get0_nextUpdate(list));
	}
	p->end = n > 1 ? anchor_of(p, sk_X509_value(chain, n - 1)) : NULL;
	return p->end != NULL ? OK : fail(ERR_EVIDENCE_CHAIN, "no path to an anchor of this node");
}

enum err path_verify(struct path *p, X509 *leaf, int64_t at_ms)
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	int error;
	enum err e = OK;

	if (c == NULL || X509_STORE_CTX_init(c, p->store, leaf, p->certificates) != 1 || !set_up(p, c, at_ms)) {
		e = ERR_NO_MEMORY;
	} else if (p->kind == ANCHOR_RPKI && !certificate_has_rpki_key(leaf)) {
		e = fail(ERR_EVIDENCE, "the certificate's key or signature is of no kind that the RPKI uses");
	} else if (X509_verify_cert(c) == 1) {
		e = sum_up(p, X509_STORE_CTX_get0_chain(c));
	} else {
		error = X509_STORE_CTX_get_error(c);
		e = fail(refusal(error), "certificate %d: %s", X509_STORE_CTX_get_error_depth(c),
			 X509_verify_cert_error_string(error));
	}
	X509_STORE_CTX_free(c);
	ERR_clear_error();
	return e;
}
