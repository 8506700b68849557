#include "proof/legal.h"

#include <openssl/pem.h> /* first, for then the next one reads PEM too */

#include <openssl/cms.h>
#include <openssl/err.h>

#include "proof/legal_private.h"
#include "proof/path.h"

/*
 * A signature of a legal person is a CMS over the key statement, which does not contain it. Whoever made it with
 * `openssl cms -sign` and without -binary signed the statement with CR LF; so that form counts too.
 *
 * libcrypto reads the CMS by templates that nest to a fixed depth. Its certificates are only candidates for the path; all that is
 * believed comes from the roots of this node.
 */

#define SIGNATURE_MAX ((size_t)1 << 20)

/* ---- shared with openpgp.c ---- */

void subject_append(struct buffer *b, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c >= ' ' && c <= '~' && c != ',' && c != '\\')
			buffer_byte(b, c);
		else
			buffer_print(b, "\\%02x", c);
	}
}

enum err only_part(const struct evidence *e, enum part_role role, struct span *out)
{
	size_t at = 0;
	const struct part *one = evidence_next(e, role, &at);

	if (one == NULL || evidence_next(e, role, &at) != NULL)
		return fail(ERR_EVIDENCE, "not exactly one %s", part_role_name(role));
	*out = one->bytes;
	return OK;
}

enum err only_of_party(const struct proof *p, const struct key_statement *key)
{
	for (size_t i = 0; i < p->resource_count; i++)
		if (p->resources[i].type != TO_PARTY || !span_equal(p->resources[i].domain, key->party))
			return fail(ERR_EVIDENCE_RESOURCE,
				    "it says who somebody is, and nothing of addresses or of other names");
	return OK;
}

/* ---- the signature ---- */

static enum err read_cms(struct span bytes, CMS_ContentInfo **out)
{
	const unsigned char *at = (const unsigned char *)bytes.at;
	static char nothing[] = "";
	CMS_ContentInfo *cms = NULL;
	BIO *in;

	if (bytes.len > SIGNATURE_MAX)
		return fail(ERR_EVIDENCE, "a signature of %zu bytes", bytes.len);
	if (span_starts(bytes, "-----BEGIN")) {
		if ((in = BIO_new_mem_buf(bytes.at, (int)bytes.len)) == NULL)
			return ERR_NO_MEMORY;
		cms = PEM_read_bio_CMS(in, NULL, NULL, nothing);
		BIO_free(in);
	} else if ((cms = d2i_CMS_ContentInfo(NULL, &at, (long)bytes.len)) != NULL &&
		   at != (const unsigned char *)bytes.at + bytes.len) {
		CMS_ContentInfo_free(cms);
		cms = NULL;
	}
	ERR_clear_error();
	*out = cms;
	return cms != NULL ? OK : fail(ERR_EVIDENCE, "the signature is no CMS");
}

static bool digest_counts(CMS_SignerInfo *signer)
{
	X509_ALGOR *digest = NULL;
	const ASN1_OBJECT *oid = NULL;
	int nid;

	CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, NULL);
	if (digest == NULL)
		return false;
	X509_ALGOR_get0(&oid, NULL, NULL, digest);
	nid = OBJ_obj2nid(oid);
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static enum err check_form(CMS_ContentInfo *cms)
{
	STACK_OF(CMS_SignerInfo) * signers;

	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		return fail(ERR_EVIDENCE, "the CMS is not signed");
	if (CMS_is_detached(cms) != 1 || OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data)
		return fail(ERR_EVIDENCE, "the CMS must be a signature of data that it does not contain");
	signers = CMS_get0_SignerInfos(cms);
	if (signers == NULL || sk_CMS_SignerInfo_num(signers) != 1)
		return fail(ERR_EVIDENCE, "not exactly one signer");
	return digest_counts(sk_CMS_SignerInfo_value(signers, 0))
		       ? OK
		       : fail(ERR_EVIDENCE, "signed over a hash that is no SHA-2");
}

/* Its certificates join those that came along. */
static enum err take_certificates(CMS_ContentInfo *cms, struct path *p)
{
	STACK_OF(X509) *inside = CMS_get1_certs(cms);
	enum err e = OK;

	if (sk_X509_num(inside) + sk_X509_num(p->certificates) > PATH_CERTIFICATES_MAX)
		e = fail(ERR_EVIDENCE, "more than %d certificates", PATH_CERTIFICATES_MAX);
	for (int i = 0; i < sk_X509_num(inside) && e == OK; i++) {
		X509 *x = sk_X509_value(inside, i);

		if (X509_up_ref(x) != 1 || sk_X509_push(p->certificates, x) <= 0)
			e = ERR_NO_MEMORY;
	}
	sk_X509_pop_free(inside, X509_free);
	return e;
}

/* One try. *signer is the caller's to free. */
static enum err verify_text(struct span signature, struct path *p, struct span text, bool first, X509 **signer)
{
	CMS_ContentInfo *cms = NULL;
	STACK_OF(X509) *signers = NULL;
	BIO *in = BIO_new_mem_buf(text.at, (int)text.len);
	unsigned long why;
	enum err e = in != NULL ? read_cms(signature, &cms) : ERR_NO_MEMORY;

	if (e == OK)
		e = check_form(cms);
	if (e == OK && first)
		e = take_certificates(cms, p);
	if (e == OK && CMS_verify(cms, p->certificates, NULL, in, NULL,
				  CMS_BINARY | CMS_DETACHED | CMS_NO_SIGNER_CERT_VERIFY | CMS_NOCRL) != 1) {
		why = ERR_peek_last_error();
		if (ERR_GET_REASON(why) == CMS_R_SIGNER_CERTIFICATE_NOT_FOUND)
			e = fail(ERR_EVIDENCE, "the signer's certificate is not there");
		else if (ERR_GET_REASON(why) == CMS_R_CONTENT_VERIFY_ERROR &&
			 CMS_signed_get_attr_count(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0)) > 0)
			e = fail(ERR_EVIDENCE_FILE, "something else than the key statement was signed");
		else
			e = fail(ERR_EVIDENCE_SIGNATURE, "the signature does not verify");
	}
	if (e == OK && ((signers = CMS_get0_signers(cms)) == NULL || sk_X509_num(signers) != 1))
		e = fail(ERR_EVIDENCE, "not exactly one signer");
	if (e == OK && X509_up_ref(sk_X509_value(signers, 0)) == 1)
		*signer = sk_X509_value(signers, 0);
	sk_X509_free(signers);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	ERR_clear_error();
	return e;
}

static enum err check_signature(struct span signature, struct path *p, const struct key_statement *key, X509 **signer)
{
	struct buffer lf = BUFFER(4096), crlf = BUFFER(4096);
	enum err e;

	key_statement_print(key, &lf);
	for (size_t i = 0; i < lf.len; i++)
		buffer_bytes(&crlf, lf.at[i] == '\n' ? "\r\n" : &lf.at[i], lf.at[i] == '\n' ? 2 : 1);
	e = lf.err != OK ? lf.err : crlf.err;
	if (e == OK) {
		e = verify_text(signature, p, buffer_view(&lf), true, signer);
		if (e == ERR_EVIDENCE_FILE || e == ERR_EVIDENCE_SIGNATURE)
			e = verify_text(signature, p, buffer_view(&crlf), false, signer);
	}
	buffer_free(&lf);
	buffer_free(&crlf);
	return e;
}

/* ---- who ---- */

/* A value of the subject that stands there once. ERR_NOT_FOUND. */
static enum err append_name(struct buffer *b, const X509 *x, int nid, const char *before)
{
	X509_NAME *name = X509_get_subject_name(x);
	int at = X509_NAME_get_index_by_NID(name, nid, -1), n;
	unsigned char *text = NULL;

	if (at < 0)
		return ERR_NOT_FOUND;
	if (X509_NAME_get_index_by_NID(name, nid, at) >= 0)
		return fail(ERR_EVIDENCE, "the certificate has two organisations or countries");
	if ((n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)))) < 0)
		return fail(ERR_EVIDENCE, "the certificate's name cannot be read");
	buffer_text(b, before);
	subject_append(b, span_make(text, (size_t)n));
	OPENSSL_free(text);
	return b->err;
}

static enum err read_subject(struct arena *a, X509 *x, struct span *out)
{
	struct buffer b = BUFFER(1000);
	char *copy;
	enum err e = append_name(&b, x, NID_organizationName, "O=");

	if (e == OK && (e = append_name(&b, x, NID_countryName, ", C=")) == ERR_NOT_FOUND)
		e = OK;
	else if (e == ERR_NOT_FOUND)
		e = fail(ERR_EVIDENCE, "the certificate names no organisation");
	if (e == ERR_TOO_LONG)
		e = fail(ERR_EVIDENCE, "the organisation's name is too long");
	if (e == OK) {
		if ((copy = arena_copy(a, b.at, b.len)) == NULL)
			e = ERR_NO_MEMORY;
		*out = span_make(copy, b.len);
	}
	ERR_clear_error();
	buffer_free(&b);
	return e;
}

static enum err check_signer(X509 *x)
{
	uint32_t usage = X509_get_key_usage(x);

	if (X509_check_ca(x) != 0)
		return fail(ERR_EVIDENCE, "an authority's certificate is nobody's signature");
	if (usage == UINT32_MAX || (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0)
		return fail(ERR_EVIDENCE, "the certificate's key is not for signatures");
	return OK;
}

/* ---- all together ---- */

static enum err gather(const struct evidence *e, enum part_role role, struct span *out, size_t room, size_t *count)
{
	size_t at = 0;
	const struct part *one;

	*count = 0;
	while ((one = evidence_next(e, role, &at)) != NULL) {
		if (*count == room)
			return fail(ERR_EVIDENCE, "more than %zu parts %s", room, part_role_name(role));
		out[(*count)++] = one->bytes;
	}
	return OK;
}

static enum err verify_in(struct arena *a, struct path *path, struct span signature, const struct proof *p,
			  const struct key_statement *key, int64_t at_ms, X509 **signer, struct verdict *out)
{
	struct span subject = SPAN("");
	enum err e = check_signature(signature, path, key, signer);

	if (e == OK && *signer == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = check_signer(*signer);
	if (e == OK)
		e = path_verify(path, *signer, at_ms);
	if (e == OK)
		e = read_subject(a, *signer, &subject);
	if (e == OK && p->subject.len > 0 && !span_equal(p->subject, subject))
		e = fail(ERR_EVIDENCE_RESOURCE, "the certificate says %.*s", SPAN_FORMAT(subject));
	if (e == OK)
		*out = (struct verdict){ path->until_ms, subject, span_of(path->end->name) };
	return e;
}

enum err legal_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			    const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			    struct verdict *out)
{
	struct span signature, certificates[PATH_CERTIFICATES_MAX], lists[PATH_LISTS_MAX];
	size_t certificate_count = 0, list_count = 0;
	struct path path = { 0 };
	X509 *signer = NULL;
	enum err refused = only_part(e, PART_SIGNATURE, &signature);

	if (refused == OK)
		refused = gather(e, PART_CERTIFICATE, certificates, PATH_CERTIFICATES_MAX, &certificate_count);
	if (refused == OK)
		refused = gather(e, PART_CRL, lists, PATH_LISTS_MAX, &list_count);
	if (refused == OK)
		refused = path_open(&path, ANCHOR_LEGAL, anchors, certificates, certificate_count, lists, list_count);
	if (refused == OK)
		refused = verify_in(a, &path, signature, p, key, at_ms, &signer, out);
	X509_free(signer);
	path_close(&path);
	return refused == OK ? only_of_party(p, key) : refused;
}
