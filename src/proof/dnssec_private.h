/* For this room alone: record sets as they are kept, as they are answered, and as they are asked for. */
#ifndef PROOF_DNSSEC_PRIVATE_H
#define PROOF_DNSSEC_PRIVATE_H

#include <ldns/ldns.h>

#include "proof/dnssec.h"

#define DNS_SET_MAX ((size_t)1 << 18) /* bytes of one that is kept */
#define DNS_RECORDS_MAX 4096	      /* in one */
#define DNS_SIGNATURES_MAX 16

/* Records of one name and type, and what signs them. Kept as bytes: the records, each once and in the canonical order of RFC 4034
 * section 6.3, then their RRSIGs; each in canonical wire form, without compression. So a set has one spelling. */
struct dns_set {
	ldns_rr_list *records, *signatures; /* libldns' memory */
};
/* Of type TXT, CNAME, DNSKEY or DS. ERR_EVIDENCE, ERR_NO_MEMORY; then there is nothing to free. */
enum err dns_set_read(struct span bytes, struct dns_set *out);
void dns_set_print(const struct dns_set *s, struct buffer *out);
void dns_set_free(struct dns_set *s); /* { 0 } is fine */

static inline struct span dns_bytes(const ldns_rdf *r)
{
	return span_make(ldns_rdf_data(r), ldns_rdf_size(r));
}
static inline struct span dns_owner(const struct dns_set *s)
{
	return dns_bytes(ldns_rr_owner(ldns_rr_list_rr(s->records, 0)));
}
static inline ldns_rr_type dns_type(const struct dns_set *s)
{
	return ldns_rr_get_type(ldns_rr_list_rr(s->records, 0));
}
/* "_comity.example.org" in wire form; at most 255 bytes. ERR_EVIDENCE. */
enum err dns_name_wire(const char *name, struct buffer *out);
/* As text, for people; in the arena; "?" without memory. */
const char *dns_name_text(struct arena *a, struct span wire);
/* Names in canonical wire form: whether the name is the zone or lies below it. */
bool dns_within(struct span zone, struct span name);
/* OK: one of the texts names the key. ERR_EVIDENCE_KEY: none does. */
enum err dns_set_names_key(struct arena *a, const struct dns_set *s, const struct key_statement *key);

/* What is believed in at all: DS by SHA-256 or SHA-384; zones' keys, not revoked, of RSA with SHA-2, ECDSA, EdDSA. */
bool dnssec_digest_counts(const ldns_rr *ds);
bool dnssec_key_counts(const ldns_rr *key);

/* What an answer holds of the name and type that were asked for: the set, or a CNAME in its place. ERR_PEER: no answer to that
 * question; ERR_NOT_FOUND: there is none; ERR_EVIDENCE: more than is kept. */
struct dns_question {
	struct span name; /* canonical wire form */
	ldns_rr_type type;
	uint16_t id;
};
enum err dns_answer_read(struct span bytes, const struct dns_question *q, struct dns_set *out);
/* Signatures along, nothing checked by the resolver. by_tcp: at once; else where an answer is cut or none comes. address: whom to
 * ask, NULL: who the system asks; *from: who answered, in the arena. ERR_UNREACHABLE and dns_answer_read's. */
struct dns_resolver {
	const char *address;
	unsigned port;
	bool by_tcp;
};
enum err dns_ask(struct arena *a, const struct dns_resolver *r, struct span name, ldns_rr_type type,
		 struct dns_set *out, const char **from);
/* Another part of the evidence, whose array has room for it. */
enum err dns_keep(struct arena *a, const struct dns_set *s, enum part_role role, const char *from,
		  struct evidence *out);

#endif
