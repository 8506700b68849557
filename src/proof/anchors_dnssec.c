#include "proof/dnssec_private.h"

#include <stdio.h>

#include "proof/anchors_private.h"

/* The root's keys KSK-2017 and KSK-2024, as https://data.iana.org/root-anchors/root-anchors.xml has them. */
static const char root_keys[] = ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"
				". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16\n";

static enum err take_anchor(ldns_rr *rr, anchor_each *each, void *context)
{
	ldns_rr_type type = ldns_rr_get_type(rr);
	uint8_t *bytes = NULL;
	size_t size = 0;
	enum err e = OK;

	ldns_rr2canonical(rr);
	if ((type != LDNS_RR_TYPE_DS && type != LDNS_RR_TYPE_DNSKEY) || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
		e = fail(ERR_ANCHOR, "neither DS nor DNSKEY");
	else if (type == LDNS_RR_TYPE_DS && !dnssec_digest_counts(rr))
		e = fail(ERR_ANCHOR, "a DS of another digest than SHA-256 and SHA-384");
	else if (type == LDNS_RR_TYPE_DNSKEY && !dnssec_key_counts(rr))
		e = fail(ERR_ANCHOR, "a DNSKEY that is no zone's, or of an algorithm that does not count");
	else if (ldns_rr2wire(&bytes, rr, LDNS_SECTION_ANSWER, &size) != LDNS_STATUS_OK)
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = each(context, span_make(bytes, size));
	LDNS_FREE(bytes);
	return e;
}

/* Records in zone-file form: names are whole, and no file is read from inside one. */
static enum err read_records(FILE *in, anchor_each *each, void *context)
{
	ldns_rdf *origin = NULL, *previous = NULL;
	uint32_t ttl = 0;
	size_t count = 0;
	enum err e = OK;

	while (e == OK && !feof(in)) {
		int line = 0;
		ldns_rr *rr = NULL;
		ldns_status st = ldns_rr_new_frm_fp_l(&rr, in, &ttl, &origin, &previous, &line);

		if (st == LDNS_STATUS_SYNTAX_EMPTY || st == LDNS_STATUS_SYNTAX_TTL || st == LDNS_STATUS_SYNTAX_ORIGIN)
			continue;
		if (st != LDNS_STATUS_OK) {
			e = fail(ERR_ANCHOR, "record %zu: %s", count + 1, ldns_get_errorstr_by_id(st));
			break;
		}
		e = take_anchor(rr, each, context);
		ldns_rr_free(rr);
		count++;
	}
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(previous);
	return e == OK && count == 0 ? fail(ERR_ANCHOR, "no DS and no DNSKEY") : e;
}

enum err anchors_read_dnssec(struct arena *a, struct span file, anchor_each *each, void *context)
{
	char *copy = arena_copy(a, file.at, file.len);
	FILE *in;
	enum err e;

	if (copy == NULL)
		return ERR_NO_MEMORY;
	if (file.len == 0)
		return fail(ERR_ANCHOR, "no DS and no DNSKEY");
	if (memchr(file.at, '\0', file.len) != NULL)
		return fail(ERR_ANCHOR, "no text");
	if ((in = fmemopen(copy, file.len, "r")) == NULL)
		return ERR_NO_MEMORY;
	e = read_records(in, each, context);
	fclose(in);
	return e;
}

enum err anchors_builtin_dnssec(struct arena *a, anchor_each *each, void *context)
{
	return anchors_read_dnssec(a, span_of(root_keys), each, context);
}
