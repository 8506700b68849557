/*
 * What a kept chain must show
 *
 * The record at the resource's own name is signed by a zone at or above that name (its signer); that zone's keys are signed by
 * one of them which a DS of the zone above names; that DS is signed by the zone above; and so on, up to a zone for which this node
 * has an anchor. The nearest anchor decides: who keeps one for a zone does not ask the zones above it.
 *
 *   1. RFC 4035 section 5.3.1 holds for each signature that counts: the signer is at or above the set, of a DS strictly above, of
 *      keys the zone itself; name, class and type are the set's; `labels` is that of the name, so no wildcard; it is in force; a key
 *      of the zone with that tag and algorithm, with the zone bit and protocol 3, verifies it.
 *   2. Signatures of SHA-1, MD5 and unknown algorithms, and DS of other digests than SHA-256 and SHA-384, count as not there. What is
 *      left without any is insecure, as for every resolver.
 *   3. No CNAME is followed. The names of RFC 2317, which need that, are none of ours.
 *   4. Whoever makes the chain may choose keys with equal tags, and signatures without end (CVE-2023-50387). So a set is tried
 *      at most TRIES_OF_SET times against any key, a chain TRIES_OF_CHAIN times, and keys are bounded in number and size.
 *
 * It holds until the first of the signatures that were used ends.
 */
#include "proof/dnssec_private.h"

#include "proof/anchors_private.h"

#define SETS_MAX 80
#define KEYS_MAX 32
#define TRIES_OF_SET 4
#define TRIES_OF_CHAIN 64
#define RSA_BITS_LEAST 1024
#define RSA_BITS_MOST 4096

struct keys {
	const ldns_rr *at[KEYS_MAX];
	size_t count;
};

struct walk {
	struct arena *arena;
	const struct anchors *anchors;
	struct dns_set *sets;
	size_t count;
	int64_t at_ms, until_ms;
	unsigned tries;
	struct span anchor;
};

/* Names of resources */

static enum err name_of_prefix(const struct prefix *p, struct buffer *out)
{
	bool v4 = p->address.family == FAMILY_IPV4;
	unsigned step = v4 ? 8 : 4;

	if (p->length == 0 || p->length % step != 0)
		return fail(ERR_EVIDENCE, "a reverse zone begins at %s, not at /%u",
			    v4 ? "/8, /16, /24 or /32" : "each fourth bit", p->length);
	for (unsigned bit = p->length; bit > 0; bit -= step) {
		unsigned behind = (v4 ? 32 : 128) - bit; /* bits of the address behind this digit */
		uint64_t digit = behind >= 64 ? p->address.high >> (behind - 64) : p->address.low >> behind;

		buffer_print(out, v4 ? "%u." : "%x.", (unsigned)(digit & (v4 ? 255 : 15)));
	}
	buffer_text(out, v4 ? "in-addr.arpa" : "ip6.arpa");
	return OK;
}

enum err dnssec_name(const struct addressee *resource, char out[256])
{
	struct buffer name = BUFFER(254); /* text without its last dot: at most 253, then it fits on the wire */
	enum err e = OK;

	buffer_text(&name, "_comity.");
	if (resource->type == TO_PARTY)
		buffer_span(&name, resource->domain);
	else if (resource->type == TO_PREFIX)
		e = name_of_prefix(&resource->prefix, &name);
	else
		e = fail(ERR_EVIDENCE, "only domains and prefixes have a zone");
	if (e == OK && (name.err == ERR_TOO_LONG || name.len > 253))
		e = fail(ERR_EVIDENCE, "the domain is too long for a name below it");
	else if (e == OK)
		e = name.err;
	if (e == OK) {
		memcpy(out, name.at, name.len);
		out[name.len] = '\0';
	}
	buffer_free(&name);
	return e;
}

/* Keys and signatures */

static bool algorithm_counts(uint8_t a)
{
	return a == LDNS_RSASHA256 || a == LDNS_RSASHA512 || a == LDNS_ECDSAP256SHA256 || a == LDNS_ECDSAP384SHA384 ||
	       a == LDNS_ED25519 || a == LDNS_ED448;
}

static uint8_t algorithm_of(const ldns_rr *key)
{
	return ldns_rdf2native_int8(ldns_rr_dnskey_algorithm(key));
}

/* RFC 3110: one byte for the exponent's length, or 0 and two. */
static bool rsa_key_fits(struct span key)
{
	size_t head = 1, exponent = key.len > 0 ? (uint8_t)key.at[0] : 0, bytes;

	if (exponent == 0 && key.len >= 3) {
		head = 3;
		exponent = (size_t)(uint8_t)key.at[1] << 8 | (uint8_t)key.at[2];
	}
	if (exponent == 0 || key.len <= head + exponent || key.at[head + exponent] == 0)
		return false;
	bytes = key.len - head - exponent;
	return exponent <= 8 && bytes >= RSA_BITS_LEAST / 8 && bytes <= RSA_BITS_MOST / 8;
}

/* A key of a zone, of a kind and size that count. A revoked one (RFC 5011) signs nothing any more. */
bool dnssec_key_counts(const ldns_rr *key)
{
	static const size_t sizes[256] = {
		[LDNS_ECDSAP256SHA256] = 64, [LDNS_ECDSAP384SHA384] = 96, [LDNS_ED25519] = 32, [LDNS_ED448] = 57
	};
	uint16_t flags;
	struct span bytes;

	if (ldns_rr_get_type(key) != LDNS_RR_TYPE_DNSKEY || ldns_rr_rd_count(key) != 4)
		return false;
	flags = ldns_rdf2native_int16(ldns_rr_dnskey_flags(key));
	bytes = dns_bytes(ldns_rr_dnskey_key(key));
	if ((flags & LDNS_KEY_ZONE_KEY) == 0 || (flags & LDNS_KEY_REVOKE_KEY) != 0 ||
	    ldns_rdf2native_int8(ldns_rr_dnskey_protocol(key)) != 3 || !algorithm_counts(algorithm_of(key)))
		return false;
	if (sizes[algorithm_of(key)] != 0)
		return bytes.len == sizes[algorithm_of(key)];
	return rsa_key_fits(bytes);
}

static uint8_t label_count(struct span name)
{
	uint8_t n = 0;

	for (; name.len > 1; name = span_from(name, 1 + (size_t)(uint8_t)name.at[0]))
		n++;
	return n;
}

/* Whose keys sign the set: one zone, at or above it (of a DS above, of keys itself). And no wildcard. */
static enum err signer_of(const struct walk *w, const struct dns_set *s, struct span *zone)
{
	struct span owner = dns_owner(s);
	const char *name = dns_name_text(w->arena, owner);
	bool within;

	if (ldns_rr_list_rr_count(s->signatures) == 0)
		return fail(ERR_EVIDENCE_INSECURE, "%s has no signatures", name);
	*zone = dns_bytes(ldns_rr_rrsig_signame(ldns_rr_list_rr(s->signatures, 0)));
	for (size_t i = 0; i < ldns_rr_list_rr_count(s->signatures); i++) {
		const ldns_rr *sig = ldns_rr_list_rr(s->signatures, i);
		uint8_t labels = ldns_rdf2native_int8(ldns_rr_rrsig_labels(sig));

		if (!span_equal(*zone, dns_bytes(ldns_rr_rrsig_signame(sig))))
			return fail(ERR_EVIDENCE, "%s is signed by two zones", name);
		if (labels < label_count(owner))
			return fail(ERR_EVIDENCE_RESOURCE, "%s comes from a wildcard, which names nobody", name);
		if (labels > label_count(owner))
			return fail(ERR_EVIDENCE, "a signature has more labels than %s", name);
	}
	within = dns_within(*zone, owner);
	if (within && dns_type(s) == LDNS_RR_TYPE_DS)
		within = !span_equal(*zone, owner);
	if (within && dns_type(s) == LDNS_RR_TYPE_DNSKEY)
		within = span_equal(*zone, owner);
	if (!within)
		return fail(ERR_EVIDENCE_OVERCLAIM, "%s is signed by %s, which is not its zone", name,
			    dns_name_text(w->arena, *zone));
	return OK;
}

/* Serial numbers (RFC 1982) around the time that is asked of. */
static int64_t time_near(int64_t at_ms, const ldns_rdf *serial)
{
	int64_t at_s = at_ms / 1000;

	return (at_s + (int32_t)(ldns_rdf2native_int32(serial) - (uint32_t)at_s)) * 1000;
}

/* What speaks against a signature before any key is tried. */
static enum err signature_counts(const struct walk *w, const ldns_rr *sig, int64_t *until_ms)
{
	int64_t from_ms = time_near(w->at_ms, ldns_rr_rrsig_inception(sig));
	uint8_t algorithm = ldns_rdf2native_int8(ldns_rr_rrsig_algorithm(sig));
	char time[CLOCK_TEXT];

	*until_ms = time_near(w->at_ms, ldns_rr_rrsig_expiration(sig));
	if (!algorithm_counts(algorithm))
		return fail(ERR_EVIDENCE_INSECURE, "signatures of algorithm %u do not count", algorithm);
	if (w->at_ms < from_ms) {
		clock_format(from_ms > 0 ? from_ms : 0, time);
		return fail(ERR_EVIDENCE_EXPIRED, "a signature begins at %s", time);
	}
	if (w->at_ms >= *until_ms) {
		clock_format(*until_ms > 0 ? *until_ms : 0, time);
		return fail(ERR_EVIDENCE_EXPIRED, "a signature ended at %s", time);
	}
	return OK;
}

static enum err try_key(struct walk *w, const struct dns_set *s, const ldns_rr *sig, const ldns_rr *key)
{
	ldns_rr_list *one = ldns_rr_list_new();
	ldns_status st = LDNS_STATUS_MEM_ERR;

	if (one != NULL && ldns_rr_list_push_rr(one, key))
		st = ldns_verify_rrsig_keylist_notime(s->records, sig, one, NULL);
	ldns_rr_list_free(one);
	if (st == LDNS_STATUS_MEM_ERR)
		return ERR_NO_MEMORY;
	if (st != LDNS_STATUS_OK)
		return fail(ERR_EVIDENCE_SIGNATURE, "the signature of %s does not verify",
			    dns_name_text(w->arena, dns_owner(s)));
	return OK;
}

/* One signature, all keys that could have made it. */
static enum err try_signature(struct walk *w, const struct dns_set *s, const ldns_rr *sig, const struct keys *keys,
			      unsigned *left)
{
	uint16_t tag = ldns_rdf2native_int16(ldns_rr_rrsig_keytag(sig));
	enum err e = fail(ERR_EVIDENCE_CHAIN, "no key that is known by its zone made the signature of %s",
			  dns_name_text(w->arena, dns_owner(s)));

	for (size_t i = 0; i < keys->count; i++) {
		if (algorithm_of(keys->at[i]) != ldns_rdf2native_int8(ldns_rr_rrsig_algorithm(sig)) ||
		    ldns_calc_keytag(keys->at[i]) != tag)
			continue;
		if (*left == 0 || w->tries == 0)
			return fail(ERR_EVIDENCE, "more signatures and keys to try than any honest zone has");
		--*left;
		w->tries--;
		e = try_key(w, s, sig, keys->at[i]);
		if (e == OK || err_is_machine(e))
			return e;
	}
	return e;
}

/* Of several refusals the one that says most: something was tampered with, something ended, something is missing. */
static unsigned says(enum err e)
{
	return e == ERR_EVIDENCE_SIGNATURE ? 4 : e == ERR_EVIDENCE_EXPIRED ? 3 : e == ERR_EVIDENCE_CHAIN ? 2 : 1;
}

static enum err verify_set(struct walk *w, const struct dns_set *s, const struct keys *keys)
{
	enum err worst = ERR_EVIDENCE_INSECURE;
	unsigned left = TRIES_OF_SET;
	char detail[512] = "";

	for (size_t i = 0; i < ldns_rr_list_rr_count(s->signatures); i++) {
		const ldns_rr *sig = ldns_rr_list_rr(s->signatures, i);
		int64_t until_ms = 0;
		enum err e = signature_counts(w, sig, &until_ms);

		if (e == OK)
			e = try_signature(w, s, sig, keys, &left);
		if (e == OK) {
			w->until_ms = until_ms < w->until_ms ? until_ms : w->until_ms;
			return OK;
		}
		if (err_is_machine(e) || e == ERR_EVIDENCE)
			return e;
		if (detail[0] == '\0' || says(e) > says(worst)) {
			worst = e;
			snprintf(detail, sizeof(detail), "%s", err_detail());
		}
	}
	return fail(worst, "%s", detail);
}

/* The chain */

static const struct dns_set *find(const struct walk *w, struct span owner, ldns_rr_type type)
{
	for (size_t i = 0; i < w->count; i++)
		if (dns_type(&w->sets[i]) == type && span_equal(dns_owner(&w->sets[i]), owner))
			return &w->sets[i];
	return NULL;
}

static bool same_value(const ldns_rr *a, const ldns_rr *b)
{
	for (size_t i = 0; i < 4; i++)
		if (!span_equal(dns_bytes(ldns_rr_rdf(a, i)), dns_bytes(ldns_rr_rdf(b, i))))
			return false;
	return true;
}

bool dnssec_digest_counts(const ldns_rr *ds)
{
	return ldns_rr_rd_count(ds) == 4 && (ldns_rdf2native_int8(ldns_rr_rdf(ds, 2)) == LDNS_SHA256 ||
					     ldns_rdf2native_int8(ldns_rr_rdf(ds, 2)) == LDNS_SHA384);
}

/* Whether the DS, or the key itself where an anchor is one, names the key. */
static enum err names_key(const ldns_rr *trusted, const ldns_rr *key, bool *out)
{
	ldns_rr *ds;

	*out = false;
	if (ldns_rr_get_type(trusted) == LDNS_RR_TYPE_DNSKEY) {
		*out = same_value(trusted, key);
		return OK;
	}
	if (!dnssec_digest_counts(trusted) || ldns_rdf2native_int16(ldns_rr_rdf(trusted, 0)) != ldns_calc_keytag(key))
		return OK;
	if ((ds = ldns_key_rr2ds(key, (ldns_hash)ldns_rdf2native_int8(ldns_rr_rdf(trusted, 2)))) == NULL)
		return ERR_NO_MEMORY;
	*out = same_value(trusted, ds);
	ldns_rr_free(ds);
	return OK;
}

static enum err keys_of(const struct dns_set *s, struct keys *out)
{
	out->count = 0;
	if (ldns_rr_list_rr_count(s->records) > KEYS_MAX)
		return fail(ERR_EVIDENCE, "a zone with more than %d keys", KEYS_MAX);
	for (size_t i = 0; i < ldns_rr_list_rr_count(s->records); i++)
		if (dnssec_key_counts(ldns_rr_list_rr(s->records, i)))
			out->at[out->count++] = ldns_rr_list_rr(s->records, i);
	return OK;
}

static enum err keep_named(const ldns_rr *trusted, const struct keys *all, struct keys *out)
{
	for (size_t i = 0; i < all->count; i++) {
		bool named = false, kept = false;
		enum err e = names_key(trusted, all->at[i], &named);

		if (e != OK)
			return e;
		for (size_t j = 0; j < out->count; j++)
			kept |= out->at[j] == all->at[i];
		if (named && !kept)
			out->at[out->count++] = all->at[i];
	}
	return OK;
}

/* Those of the zone's keys that this node's anchors name. *has: there are anchors for that zone. */
static enum err anchored(struct walk *w, struct span zone, const struct keys *all, struct keys *out, bool *has)
{
	*has = false;
	out->count = 0;
	for (size_t i = 0; i < anchors_count(w->anchors); i++) {
		const struct anchor *anchor = anchors_at(w->anchors, i);
		size_t at = 0, before = out->count;
		ldns_rr *rr = NULL;
		enum err e = OK;

		if (anchor->kind != ANCHOR_DNSSEC)
			continue;
		if (ldns_wire2rr(&rr, (const uint8_t *)anchor->bytes.at, anchor->bytes.len, &at, LDNS_SECTION_ANSWER) !=
		    LDNS_STATUS_OK)
			return fail(ERR_ANCHOR, "%s", anchor->name);
		ldns_rr2canonical(rr);
		if (span_equal(dns_bytes(ldns_rr_owner(rr)), zone)) {
			*has = true;
			e = keep_named(rr, all, out);
		}
		ldns_rr_free(rr);
		if (e != OK)
			return e;
		if (out->count > before)
			w->anchor = span_of(anchor->name);
	}
	return OK;
}

static enum err named_by_ds(const struct dns_set *ds, struct span zone, const struct keys *all, struct keys *out,
			    struct arena *a)
{
	bool counts = false;
	enum err e = OK;

	out->count = 0;
	if (ldns_rr_list_rr_count(ds->records) > KEYS_MAX)
		return fail(ERR_EVIDENCE, "a zone with more than %d DS", KEYS_MAX);
	for (size_t i = 0; e == OK && i < ldns_rr_list_rr_count(ds->records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(ds->records, i);

		if (!dnssec_digest_counts(rr) || !algorithm_counts(ldns_rdf2native_int8(ldns_rr_rdf(rr, 1))))
			continue;
		counts = true;
		e = keep_named(rr, all, out);
	}
	if (e == OK && !counts)
		return fail(ERR_EVIDENCE_INSECURE, "no DS of %s has an algorithm and digest that count",
			    dns_name_text(a, zone));
	return e;
}

/* From a set to the one that vouches for its zone. *up: the DS to go on with; NULL: an anchor was reached. */
static enum err one_zone(struct walk *w, const struct dns_set *s, const struct dns_set **up)
{
	struct keys all, trusted;
	const struct dns_set *keys;
	struct span zone, again;
	const char *name;
	bool has = false;
	enum err e = signer_of(w, s, &zone);

	if (e != OK)
		return e;
	name = dns_name_text(w->arena, zone);
	*up = NULL;
	if ((keys = find(w, zone, LDNS_RR_TYPE_DNSKEY)) == NULL)
		return fail(ERR_EVIDENCE_CHAIN, "the keys of %s are missing", name);
	if ((e = signer_of(w, keys, &again)) != OK || (e = keys_of(keys, &all)) != OK ||
	    (e = verify_set(w, s, &all)) != OK || (e = anchored(w, zone, &all, &trusted, &has)) != OK)
		return e;
	if (!has) {
		if ((*up = find(w, zone, LDNS_RR_TYPE_DS)) == NULL)
			return fail(ERR_EVIDENCE_CHAIN, "no anchor for %s, and its DS is missing", name);
		if ((e = named_by_ds(*up, zone, &all, &trusted, w->arena)) != OK)
			return e;
	}
	if (trusted.count == 0)
		return fail(ERR_EVIDENCE_CHAIN, "no key of %s is named by %s", name, has ? "an anchor" : "its DS");
	return verify_set(w, keys, &trusted);
}

static enum err read_sets(struct walk *w, const struct evidence *e)
{
	const struct part *p;
	size_t at = 0;

	if ((w->sets = arena_array(w->arena, SETS_MAX, sizeof(*w->sets))) == NULL)
		return ERR_NO_MEMORY;
	for (; (p = evidence_next(e, PART_RRSET, &at)) != NULL; w->count++) {
		struct dns_set s = { 0 };
		enum err bad = w->count == SETS_MAX ? fail(ERR_EVIDENCE, "more than %d record sets", SETS_MAX)
						    : dns_set_read(p->bytes, &s);

		if (bad == OK && find(w, dns_owner(&s), dns_type(&s)) != NULL) {
			bad = fail(ERR_EVIDENCE, "two sets of one name and type");
			dns_set_free(&s);
		}
		if (bad != OK)
			return bad;
		w->sets[w->count] = s;
	}
	return w->count > 0 ? OK : fail(ERR_EVIDENCE, "evidence of DNSSEC has parts of role rrset");
}

/* The first part is the record itself: at the resource's name, and no alias. */
static enum err check_record(const struct walk *w, const char *name)
{
	struct buffer wire = BUFFER(256);
	enum err e = dns_name_wire(name, &wire);

	if (e == OK && !span_equal(buffer_view(&wire), dns_owner(&w->sets[0])))
		e = fail(ERR_EVIDENCE_RESOURCE, "the record stands at %s, not at %s.",
			 dns_name_text(w->arena, dns_owner(&w->sets[0])), name);
	else if (e == OK && dns_type(&w->sets[0]) == LDNS_RR_TYPE_CNAME)
		e = fail(ERR_EVIDENCE, "%s is an alias (CNAME), which is not followed", name);
	else if (e == OK && dns_type(&w->sets[0]) != LDNS_RR_TYPE_TXT)
		e = fail(ERR_EVIDENCE, "the first part is no TXT");
	buffer_free(&wire);
	return e;
}

static enum err verify_chain(struct walk *w, const struct evidence *e, const char *name,
			     const struct key_statement *key)
{
	const struct dns_set *s;
	enum err bad = read_sets(w, e);

	if (bad == OK)
		bad = check_record(w, name);
	s = w->sets;
	while (bad == OK && s != NULL) /* ends: each DS is signed further up */
		bad = one_zone(w, s, &s);
	return bad == OK ? dns_set_names_key(w->arena, &w->sets[0], key) : bad;
}

enum err dnssec_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			     const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			     struct verdict *out)
{
	struct walk w = { .arena = a, .anchors = anchors, .at_ms = at_ms, .tries = TRIES_OF_CHAIN };
	char name[256];
	enum err bad;

	if (p->resource_count != 1 || at_ms < 0)
		return fail(ERR_EVIDENCE, "a proof by DNSSEC is of one resource");
	w.until_ms = at_ms + PROOF_LIFE_MAX_MS;
	if ((bad = dnssec_name(p->resources, name)) == OK)
		bad = verify_chain(&w, e, name, key);
	for (size_t i = 0; i < w.count; i++)
		dns_set_free(&w.sets[i]);
	if (bad == OK)
		*out = (struct verdict){ .until_ms = w.until_ms, .anchor = w.anchor };
	return bad;
}
