#include "proof/rsc.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "proof/path.h"
#include "proof/resources.h"

/*
 * In which order
 *
 * Form of the envelope (RFC 6488 section 3), the certificate in it, the signature, the list, the path, then what the list says. The
 * signature comes before the list, so that whatever was changed in a list after it was signed is "tampered with" and nothing else.
 * The path comes before what the list names, so nothing is said of the claims of somebody unknown.
 *
 * The envelope is read twice: here, strictly and flat, and by libcrypto, which does the cryptography. Whatever the first let pass
 * the second must too.
 */

#define CHECKLIST_MAX ((size_t)1 << 20)
#define FILES_MAX 10000
#define SCRATCH_MAX ((size_t)8 << 20)

#define OID_SIGNED_DATA SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
#define OID_CHECKLIST SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x30") /* 1.2.840.113549.1.9.16.1.48 */
#define OID_RSA SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_RSA_SHA256 SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b")
#define OID_ECDSA_SHA256 SPAN("\x2a\x86\x48\xce\x3d\x04\x03\x02")

static const struct attribute_row {
	struct span oid;
	bool needed;
} attributes[] = {
	{ { "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03", 9 }, true },	   /* content type */
	{ { "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04", 9 }, true },	   /* message digest */
	{ { "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05", 9 }, false },	   /* signing time */
	{ { "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2e", 11 }, false }, /* binary signing time */
};
#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

struct envelope {
	struct span content, certificate, signer; /* eContent; DER; subject key identifier */
};

/* ---- the envelope ---- */

/* Each of those of RFC 6488 section 2.1.6.4 at most once, with one value, and none else. */
static void read_attributes(struct reader *all)
{
	unsigned seen = 0;

	while (all->err == OK && reader_left(all) > 0) {
		struct reader one = der_into(all, DER_SEQUENCE), values;
		struct span oid = der_take(&one, DER_OID);
		size_t row = 0;

		while (row < ATTRIBUTES && !span_equal(oid, attributes[row].oid))
			row++;
		values = der_into(&one, DER_SET);
		if (reader_left(&values) > 0)
			der_take(&values, *values.at);
		der_end(&values);
		der_end(&one);
		if (one.err != OK || values.err != OK || row == ATTRIBUTES || (seen & 1u << row) != 0)
			all->err = ERR_EVIDENCE;
		seen |= 1u << row;
	}
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (attributes[i].needed && (seen & 1u << i) == 0)
			all->err = ERR_EVIDENCE;
}

/* RFC 6488 section 2.1.6: version 3, named by key identifier, no unsigned attributes. */
static void read_signer(struct reader *signers, struct envelope *out)
{
	struct reader signer = der_into(signers, DER_SEQUENCE), signed_attributes, algorithm;
	struct span oid;

	der_number(&signer, 3, 3);
	out->signer = der_take(&signer, DER_CONTEXT_PRIMITIVE + 0);
	der_sha256(&signer);
	signed_attributes = der_into(&signer, DER_CONTEXT + 0);
	read_attributes(&signed_attributes);
	algorithm = der_into(&signer, DER_SEQUENCE);
	oid = der_take(&algorithm, DER_OID);
	if (!span_equal(oid, OID_RSA) && !span_equal(oid, OID_RSA_SHA256) && !span_equal(oid, OID_ECDSA_SHA256))
		algorithm.err = ERR_EVIDENCE;
	if (der_next_is(&algorithm, DER_NULL))
		der_take(&algorithm, DER_NULL);
	der_end(&algorithm);
	der_take(&signer, DER_OCTET_STRING);
	der_end(&signer);
	if (signer.err != OK || signed_attributes.err != OK || algorithm.err != OK)
		signers->err = ERR_EVIDENCE;
}

static struct span read_certificate(struct reader *data)
{
	struct reader certificates = der_into(data, DER_CONTEXT + 0);
	struct span all = span_make(certificates.at, reader_left(&certificates));

	der_take(&certificates, DER_SEQUENCE);
	der_end(&certificates); /* exactly one */
	if (certificates.err != OK)
		data->err = ERR_EVIDENCE;
	return all;
}

static enum err read_envelope(struct span bytes, struct envelope *out)
{
	struct reader r = reader_of(bytes), outer = der_into(&r, DER_SEQUENCE), explicit, data, algorithms, content,
		      octets, signers;

	der_oid(&outer, OID_SIGNED_DATA);
	explicit = der_into(&outer, DER_CONTEXT + 0);
	data = der_into(&explicit, DER_SEQUENCE);
	der_number(&data, 3, 3);
	algorithms = der_into(&data, DER_SET);
	der_sha256(&algorithms);
	der_end(&algorithms);
	content = der_into(&data, DER_SEQUENCE);
	der_oid(&content, OID_CHECKLIST);
	octets = der_into(&content, DER_CONTEXT + 0);
	out->content = der_take(&octets, DER_OCTET_STRING);
	der_end(&octets);
	der_end(&content);
	out->certificate = read_certificate(&data);
	signers = der_into(&data, DER_SET); /* revocation lists would stand before it */
	read_signer(&signers, out);
	der_end(&signers);
	der_end(&data);
	der_end(&explicit);
	der_end(&outer);
	der_end(&r);
	if (r.err != OK || outer.err != OK || explicit.err != OK || data.err != OK || algorithms.err != OK ||
	    content.err != OK || octets.err != OK || signers.err != OK)
		return fail(ERR_EVIDENCE, "not a signed checklist of the form of RFC 6488 and RFC 9323");
	return OK;
}

static enum err check_signature(struct span bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.at;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)bytes.len);
	enum err e = OK;

	if (cms == NULL)
		e = fail(ERR_EVIDENCE, "the checklist's envelope cannot be read");
	else if (CMS_verify(cms, NULL, NULL, NULL, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY | CMS_NOCRL) != 1)
		e = fail(ERR_EVIDENCE_SIGNATURE, "the checklist's signature does not verify");
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return e;
}

/* ---- the end of the path ---- */

static bool signed_by(X509 *x, struct span signer)
{
	const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(x);

	return own != NULL &&
	       span_equal(signer, span_make(ASN1_STRING_get0_data(own), (size_t)ASN1_STRING_length(own)));
}

static struct span extension_of(const X509 *x, int nid)
{
	int at = X509_get_ext_by_NID(x, nid, -1);
	const ASN1_OCTET_STRING *value = at >= 0 ? X509_EXTENSION_get_data(X509_get_ext(x, at)) : NULL;

	if (value == NULL)
		return SPAN("");
	return span_make(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
}

/* What the certificate holds: RFC 9323 section 2 lets it inherit nothing. */
static enum err read_holding(struct arena *a, const X509 *x, struct resources *out)
{
	struct reader addresses = reader_of(extension_of(x, NID_sbgp_ipAddrBlock)),
		      numbers = reader_of(extension_of(x, NID_sbgp_autonomousSysNum));
	struct span content;
	enum err e = OK;

	if (reader_left(&addresses) > 0) {
		content = der_take(&addresses, DER_SEQUENCE);
		e = addresses.err == OK ? resources_read_addresses(a, content, out) : ERR_EVIDENCE;
	}
	if (e == OK && reader_left(&numbers) > 0) {
		content = der_take(&numbers, DER_SEQUENCE);
		e = numbers.err == OK ? resources_read_numbers(a, content, out) : ERR_EVIDENCE;
	}
	return e == ERR_EVIDENCE ? fail(e, "the resources of the checklist's certificate are of no canonical form") : e;
}

/* ---- the list (RFC 9323 section 4) ---- */

static enum err read_resources(struct arena *a, struct reader *list, struct resources *out)
{
	struct reader block = der_into(list, DER_SEQUENCE), tagged;
	struct span content;
	enum err e = OK;

	if (block.err != OK || reader_left(&block) == 0)
		return ERR_EVIDENCE;
	if (der_next_is(&block, DER_CONTEXT + 0)) {
		tagged = der_into(&block, DER_CONTEXT + 0);
		content = der_take(&tagged, DER_SEQUENCE);
		der_end(&tagged);
		e = tagged.err == OK ? resources_read_numbers(a, content, out) : ERR_EVIDENCE;
	}
	if (e == OK && der_next_is(&block, DER_CONTEXT + 1)) {
		tagged = der_into(&block, DER_CONTEXT + 1);
		content = der_take(&tagged, DER_SEQUENCE);
		der_end(&tagged);
		e = tagged.err == OK ? resources_read_addresses(a, content, out) : ERR_EVIDENCE;
	}
	der_end(&block);
	return e == OK ? block.err : e;
}

/* PortableFilename, section 4.4.1. */
static bool is_portable(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if ((name.at[i] < '0' || name.at[i] > '9') &&
		    ((name.at[i] | 0x20) < 'a' || (name.at[i] | 0x20) > 'z') &&
		    (name.at[i] == '\0' || strchr("._-", name.at[i]) == NULL))
			return false;
	return name.len > 0;
}

/* Names are not repeated. */
static enum err read_files(struct arena *a, struct reader *list, struct hash wanted, bool *found)
{
	struct reader files = der_into(list, DER_SEQUENCE), one;
	struct span *names = arena_array(a, FILES_MAX, sizeof(*names)), hash;
	size_t count = 0, named = 0;

	if (names == NULL)
		return ERR_NO_MEMORY;
	do {
		one = der_into(&files, DER_SEQUENCE);
		if (der_next_is(&one, DER_IA5_STRING)) {
			names[named] = der_take(&one, DER_IA5_STRING);
			if (!is_portable(names[named++]))
				return ERR_EVIDENCE;
		}
		hash = der_take(&one, DER_OCTET_STRING);
		der_end(&one);
		if (one.err != OK || files.err != OK || hash.len != HASH_SIZE || ++count > FILES_MAX)
			return ERR_EVIDENCE;
		*found = *found || memcmp(hash.at, wanted.bytes, HASH_SIZE) == 0;
	} while (reader_left(&files) > 0 && count < FILES_MAX);
	der_end(&files);
	qsort(names, named, sizeof(*names), span_order);
	for (size_t i = 1; i < named; i++)
		if (span_equal(names[i - 1], names[i]))
			return ERR_EVIDENCE;
	return files.err;
}

static enum err read_list(struct arena *a, struct span content, struct hash wanted, struct resources *named,
			  bool *found)
{
	struct reader r = reader_of(content), list = der_into(&r, DER_SEQUENCE);
	enum err e = list.err;

	der_end(&r); /* version 0 is the default, which DER leaves out */
	if (e == OK)
		e = r.err;
	if (e == OK)
		e = read_resources(a, &list, named);
	if (e == OK) {
		der_sha256(&list);
		e = list.err;
	}
	if (e == OK)
		e = read_files(a, &list, wanted, found);
	der_end(&list);
	if (e == OK)
		e = list.err;
	return e == OK || e == ERR_NO_MEMORY ? e : fail(ERR_EVIDENCE, "the list is not of the form of RFC 9323");
}

/* ---- all together ---- */

static enum err hand_over(struct arena *a, const struct resources *named, struct rsc *out)
{
	enum err e = resources_prefixes(a, named, &out->prefixes, &out->prefix_count);

	if (e == ERR_EVIDENCE)
		return fail(e, "more than %d prefixes", RESOURCES_MAX);
	out->number_count = named->number_count;
	if (e == OK && (out->numbers = arena_array(a, named->number_count, sizeof(*out->numbers))) == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; i < named->number_count && e == OK; i++)
		out->numbers[i] = named->numbers[i];
	return e;
}

static enum err verify_in(struct arena *a, struct arena *scratch, struct path *p, struct span checklist,
			  struct hash wanted, int64_t at_ms, X509 **end, struct rsc *out)
{
	struct envelope envelope;
	struct resources held = { 0 }, named = { 0 };
	bool found = false;
	enum err e = read_envelope(checklist, &envelope);

	if (e == OK)
		e = certificate_read(ANCHOR_RPKI, envelope.certificate, end);
	if (e == OK && (!certificate_has_rpki_key(*end) || !certificate_signs_checklists(*end)))
		e = fail(ERR_EVIDENCE, "the checklist's certificate is not of the form of RFC 6487 and RFC 9323");
	if (e == OK && !signed_by(*end, envelope.signer))
		e = fail(ERR_EVIDENCE, "the checklist is not signed with its certificate's key");
	if (e == OK)
		e = check_signature(checklist);
	if (e == OK)
		e = read_holding(scratch, *end, &held);
	if (e == OK)
		e = read_list(scratch, envelope.content, wanted, &named, &found);
	if (e == OK)
		e = path_verify(p, *end, at_ms);
	if (e == OK && !resources_contain(&held, &named))
		e = fail(ERR_EVIDENCE_OVERCLAIM, "the list names more than its certificate holds");
	if (e == OK && !found)
		e = fail(ERR_EVIDENCE_FILE, "the list does not have this file");
	if (e == OK)
		e = hand_over(a, &named, out);
	out->until_ms = p->until_ms;
	out->anchor = e == OK ? p->end : NULL;
	return e;
}

enum err rsc_verify(struct arena *a, const struct anchors *anchors, struct span checklist,
		    const struct span *certificates, size_t certificate_count, const struct span *crls,
		    size_t crl_count, struct hash file_hash, int64_t at_ms, struct rsc *out)
{
	struct arena *scratch;
	struct path path = { 0 };
	X509 *end = NULL;
	enum err e;

	*out = (struct rsc){ 0 };
	if (checklist.len > CHECKLIST_MAX)
		return fail(ERR_EVIDENCE, "a checklist of %zu bytes", checklist.len);
	if ((scratch = arena_new(SCRATCH_MAX)) == NULL)
		return ERR_NO_MEMORY;
	e = path_open(&path, ANCHOR_RPKI, anchors, certificates, certificate_count, crls, crl_count);
	if (e == OK)
		e = verify_in(a, scratch, &path, checklist, file_hash, at_ms, &end, out);
	X509_free(end);
	path_close(&path);
	arena_free(scratch);
	return e;
}
