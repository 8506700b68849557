/* Asks upwards: the record, then for each zone that signed the last set its keys and the DS above it, up to the root. */
#include "proof/dnssec_private.h"

#include "base/clock.h"

#define PARTS_MAX 64

struct gathering {
	struct arena *arena;
	struct dns_resolver resolver;
	struct evidence *out;
};

enum err dns_keep(struct arena *a, const struct dns_set *s, enum part_role role, const char *from, struct evidence *out)
{
	struct buffer bytes = BUFFER(DNS_SET_MAX);
	const char *source = arena_print(a, "dns:%s from %s", dns_name_text(a, dns_owner(s)), from);
	const char *copy = NULL;
	enum err e;

	dns_set_print(s, &bytes);
	e = bytes.err;
	if (e == OK && (source == NULL || (copy = arena_copy(a, bytes.at, bytes.len)) == NULL))
		e = ERR_NO_MEMORY;
	if (e == OK)
		out->parts[out->count++] = (struct part){ role, span_of(source), span_make(copy, bytes.len) };
	buffer_free(&bytes);
	return e;
}

/* Asks for one set and keeps it. *signer: who signed it, in the arena; empty: nobody. */
static enum err gather_one(struct gathering *g, struct span name, ldns_rr_type type, struct span *signer)
{
	struct dns_set s = { 0 };
	const char *from = NULL;
	enum err e;

	if (g->out->count == PARTS_MAX)
		return fail(ERR_EVIDENCE, "a chain of more than %d sets", PARTS_MAX);
	if ((e = dns_ask(g->arena, &g->resolver, name, type, &s, &from)) != OK)
		return e;
	*signer = SPAN("");
	if ((e = dns_keep(g->arena, &s, PART_RRSET, from, g->out)) == OK && ldns_rr_list_rr_count(s.signatures) > 0) {
		*signer = dns_bytes(ldns_rr_rrsig_signame(ldns_rr_list_rr(s.signatures, 0)));
		signer->at = arena_copy(g->arena, signer->at, signer->len);
		e = signer->at != NULL ? OK : ERR_NO_MEMORY;
	}
	if (e == OK && dns_type(&s) == LDNS_RR_TYPE_CNAME)
		e = fail(ERR_EVIDENCE, "%s is an alias (CNAME), which is not followed", dns_name_text(g->arena, name));
	dns_set_free(&s);
	return e;
}

static enum err insecure(struct gathering *g, struct span name, const char *what)
{
	return fail(ERR_EVIDENCE_INSECURE, "%s %s", dns_name_text(g->arena, name), what);
}

/* zone: who signed the last set. Each is shorter than the one before, so this ends. */
static enum err gather_zones(struct gathering *g, struct span below, struct span zone)
{
	while (zone.len > 0 && dns_within(zone, below)) {
		struct span signer;
		enum err e = gather_one(g, zone, LDNS_RR_TYPE_DNSKEY, &signer);

		if (e == ERR_NOT_FOUND || (e == OK && signer.len == 0))
			return insecure(g, zone, "has no signed keys");
		if (e != OK || zone.len == 1)
			return e;
		e = gather_one(g, zone, LDNS_RR_TYPE_DS, &signer);
		if (e == ERR_NOT_FOUND)
			return insecure(g, zone, "has no DS in the zone above it");
		if (e != OK)
			return e;
		below = zone;
		zone = signer;
		if (span_equal(below, zone))
			return fail(ERR_EVIDENCE_OVERCLAIM, "%s signs its own DS", dns_name_text(g->arena, zone));
	}
	return zone.len == 0 ? insecure(g, below, "has no signatures")
			     : fail(ERR_EVIDENCE_OVERCLAIM, "%s is signed by %s, which is not its zone",
				    dns_name_text(g->arena, below), dns_name_text(g->arena, zone));
}

enum err dnssec_gather(struct arena *a, const char *resolver, unsigned port, const struct addressee *resource,
		       struct evidence *out)
{
	struct gathering g = { a, { resolver, port, false }, out };
	struct buffer wire = BUFFER(256);
	struct span signer;
	char name[256];
	enum err e = dnssec_name(resource, name);

	*out = (struct evidence){ .method = BASIS_DNSSEC, .obtained_ms = clock_now_ms() / 1000 * 1000 };
	if (e == OK && (out->parts = arena_array(a, PARTS_MAX, sizeof(*out->parts))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = dns_name_wire(name, &wire);
	if (e == OK && (e = gather_one(&g, buffer_view(&wire), LDNS_RR_TYPE_TXT, &signer)) == OK)
		e = gather_zones(&g, buffer_view(&wire), signer);
	buffer_free(&wire);
	return e;
}
