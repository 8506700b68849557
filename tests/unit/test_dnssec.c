/* Chains of tests/data/dnssec, which tests/e2e/dns_lab.py made, as of 2026-12-01; and sets signed here. */
#include "test.h"

#include "../dnssec_law.h"
#include "proof/dnssec_private.h"
#include "proof/observed.h"
#include "scratch.h"

#define DATA "tests/data/dnssec/"

struct chain {
	struct addressee resource;
	struct proof proof;
	struct key_statement key;
	struct evidence evidence;
};

static struct anchors *open_anchors(struct scratch *s, const char *name, struct span content)
{
	struct anchors *a = NULL;
	const char *dir = scratch_path(s, "anchors");
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(folder_make(dir, 0700), OK);
	assert_int_equal(file_write_lazily(path, content, 0600), OK);
	assert_int_equal(anchors_open(dir, &a), OK);
	assert_int_equal(remove(path), 0);
	return a;
}

static struct span data_file(struct scratch *s, const char *name)
{
	struct span content;

	assert_int_equal(file_read(s->arena, arena_print(s->arena, DATA "%s", name), 1 << 20, &content), OK);
	return content;
}

static struct anchors *data_anchors(struct scratch *s, const char *name)
{
	return open_anchors(s, name, data_file(s, name));
}

static struct chain *chain_of(struct scratch *s, const char *resource)
{
	struct chain *c = arena_array(s->arena, 1, sizeof(*c));

	assert_int_equal(addressee_parse(span_of(resource), &c->resource), OK);
	c->proof = (struct proof){ .method = BASIS_DNSSEC, .resources = &c->resource, .resource_count = 1 };
	c->key.party = SPAN("as64500.example");
	assert_int_equal(hash_from_hex(SPAN(LAW_KEY), &c->key.key), OK);
	c->evidence = (struct evidence){ .method = BASIS_DNSSEC, .obtained_ms = LAW_AT_MS };
	c->evidence.parts = arena_array(s->arena, EVIDENCE_PARTS_MAX, sizeof(struct part));
	return c;
}

static struct chain *chain_read(struct scratch *s, const char *name, const char *resource)
{
	struct chain *c = chain_of(s, resource);

	assert_int_equal(evidence_parse(s->arena, data_file(s, arena_print(s->arena, "%s.json", name)), &c->evidence),
			 OK);
	return c;
}

static enum err verify(struct scratch *s, const struct anchors *a, const struct chain *c, int64_t at_ms,
		       struct verdict *v)
{
	return dnssec_verify_proof(s->arena, a, &c->proof, &c->key, &c->evidence, at_ms, v);
}

static void each_chain_has_its_answer(void **state)
{
	static const struct {
		const char *name, *resource, *anchors;
		enum err e;
	} table[] = {
		{ "as64500", "as64500.example", "root.ds", OK },
		{ "several", "several.example", "root.ds", OK },
		{ "long", "long.example", "root.ds", OK },
		{ "rsa256", "rsa256.example", "root.ds", OK },
		{ "rsa512", "rsa512.example", "root.ds", OK },
		{ "p384", "p384.example", "root.ds", OK },
		{ "ed25519", "ed25519.example", "root.ds", OK },
		{ "ed448", "ed448.example", "root.ds", OK },
		{ "under", "under.example", "root.ds", OK }, /* signed by the zone above */
		{ "in-addr", "prefix 192.0.2.0/24", "root.ds", OK },
		{ "in-addr-wide", "prefix 198.51.100.0/24", "root.ds", OK },
		{ "ip6", "prefix 2001:db8::/48", "root.ds", OK },
		{ "island", "island.example", "island.ds", OK },
		{ "island", "island.example", "root.ds", ERR_EVIDENCE_CHAIN },
		{ "as64500", "as64500.example", "island.ds", ERR_EVIDENCE_CHAIN },
		{ "as64500", "several.example", "root.ds", ERR_EVIDENCE_RESOURCE },
		{ "in-addr", "prefix 192.0.3.0/24", "root.ds", ERR_EVIDENCE_RESOURCE },
		{ "in-addr", "prefix 192.0.2.0/25", "root.ds", ERR_EVIDENCE },
		{ "as64500", "AS64500", "root.ds", ERR_EVIDENCE },
		{ "broken", "broken.example", "root.ds", ERR_EVIDENCE_SIGNATURE },
		{ "changed", "changed.example", "root.ds", ERR_EVIDENCE_SIGNATURE },
		{ "wrongds", "wrongds.example", "root.ds", ERR_EVIDENCE_CHAIN },
		{ "expired", "expired.example", "root.ds", ERR_EVIDENCE_EXPIRED },
		{ "future", "future.example", "root.ds", ERR_EVIDENCE_EXPIRED },
		{ "wildcard", "wildcard.example", "root.ds", ERR_EVIDENCE_RESOURCE },
		{ "otherkey", "otherkey.example", "root.ds", ERR_EVIDENCE_KEY },
		{ "otherparty", "otherparty.example", "root.ds", ERR_EVIDENCE_KEY },
		{ "nothing", "nothing.example", "root.ds", ERR_EVIDENCE_KEY },
		{ "unsigned", "unsigned.example", "root.ds", ERR_EVIDENCE_INSECURE },
		{ "sha1", "sha1.example", "root.ds", ERR_EVIDENCE_INSECURE },
		{ "sha1ds", "sha1ds.example", "root.ds", ERR_EVIDENCE_INSECURE },
		{ "alias", "alias.example", "root.ds", ERR_EVIDENCE },
	};
	struct scratch *s = *state;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct anchors *a = data_anchors(s, table[i].anchors);
		struct chain *c = chain_read(s, table[i].name, table[i].resource);
		struct verdict v = { 0 };
		enum err e = verify(s, a, c, LAW_AT_MS, &v);

		if (e != table[i].e)
			fail_msg("%s for %s: %s (%s)", table[i].name, table[i].resource, err_code(e), err_detail());
		if (e == OK)
			assert_span(v.anchor, table[i].anchors);
		anchors_free(a);
	}
}

/* The zone `example` signed until a day before all others. */
static void it_holds_until_the_first_signature_ends(void **state)
{
	struct scratch *s = *state;
	struct anchors *a = data_anchors(s, "root.ds");
	struct chain *c = chain_read(s, "as64500", "as64500.example");
	struct verdict v;
	int64_t from = INT64_C(1793491200000), until = INT64_C(1803772800000);

	assert_int_equal(verify(s, a, c, LAW_AT_MS, &v), OK);
	assert_int_equal(v.until_ms, until);
	assert_int_equal(verify(s, a, c, until - 1, &v), OK);
	assert_int_equal(verify(s, a, c, until, &v), ERR_EVIDENCE_EXPIRED);
	assert_int_equal(verify(s, a, c, from, &v), OK);
	assert_int_equal(verify(s, a, c, from - 1, &v), ERR_EVIDENCE_EXPIRED);
	assert_int_equal(verify(s, a, c, 0, &v), ERR_EVIDENCE_EXPIRED);
	/* times are serial numbers: 136 years later they read the same, as no clock of ours will */
	assert_int_equal(verify(s, a, c, LAW_AT_MS + (INT64_C(1000) << 32), &v), OK);
	assert_int_equal(v.until_ms, until + (INT64_C(1000) << 32));
	anchors_free(a);
}

static void each_part_is_needed_and_none_twice(void **state)
{
	struct scratch *s = *state;
	struct anchors *a = data_anchors(s, "root.ds");
	struct verdict v;

	for (size_t i = 0; i < 6; i++) {
		struct chain *c = chain_read(s, "as64500", "as64500.example");
		struct part lost = c->evidence.parts[i];

		assert_int_equal(c->evidence.count, 6);
		memmove(&c->evidence.parts[i], &c->evidence.parts[i + 1], (5 - i) * sizeof(lost));
		c->evidence.count--;
		assert_int_equal(verify(s, a, c, LAW_AT_MS, &v), i == 0 ? ERR_EVIDENCE_RESOURCE : ERR_EVIDENCE_CHAIN);
		c->evidence.parts[c->evidence.count++] = lost; /* at the end it will do, but for the record */
		assert_int_equal(verify(s, a, c, LAW_AT_MS, &v), i == 0 ? ERR_EVIDENCE_RESOURCE : OK);
		c->evidence.parts[c->evidence.count - 1] = c->evidence.parts[0];
		assert_int_equal(verify(s, a, c, LAW_AT_MS, &v), ERR_EVIDENCE);
	}
	anchors_free(a);
}

/* Who has an anchor for a zone does not ask the root. */
static void the_nearest_anchor_decides(void **state)
{
	struct scratch *s = *state;
	struct span root = data_file(s, "root.ds");
	const char *wrong = arena_print(s->arena, "%.*sas64500.example. IN DS 1 13 2 %s\n", SPAN_FORMAT(root), LAW_KEY);
	struct anchors *a = open_anchors(s, "both.ds", span_of(wrong));
	struct chain *c = chain_read(s, "as64500", "as64500.example");
	struct verdict v;

	assert_int_equal(verify(s, a, c, LAW_AT_MS, &v), ERR_EVIDENCE_CHAIN);
	c = chain_read(s, "several", "several.example");
	assert_int_equal(verify(s, a, c, LAW_AT_MS, &v), OK);
	anchors_free(a);
}

static void no_changed_byte_verifies(void **state)
{
	static const char *names[] = { "as64500", "rsa256", "ed25519", "ip6" };
	static const char *resources[] = { "as64500.example", "rsa256.example", "ed25519.example",
					   "prefix 2001:db8::/48" };
	struct scratch *s = *state;
	struct anchors *a = data_anchors(s, "root.ds");
	uint64_t seed = test_seed();
	struct arena *work = arena_new(1 << 22);

	for (size_t n = 0; n < TABLE_LENGTH(names); n++) {
		struct chain *c = chain_read(s, names[n], resources[n]), *was = chain_read(s, names[n], resources[n]);

		for (size_t i = 0; i < c->evidence.count; i++) {
			struct span bytes = c->evidence.parts[i].bytes;
			char *at = (char *)(uintptr_t)bytes.at;

			for (size_t j = 0; j < bytes.len; j += n == 0 ? 1 : 1 + test_below(&seed, 16)) {
				char before = at[j];

				at[j] ^= (char)(1 << test_below(&seed, 8));
				if (!law_holds(work, a, &c->proof, &c->key, &was->evidence, &c->evidence))
					fail_msg("%s: part %zu, byte %zu", names[n], i, j);
				arena_reset(work);
				at[j] = before;
			}
		}
	}
	arena_free(work);
	anchors_free(a);
}

/* Sets signed here, with keys that no tool would make. */

static ldns_rr *record(const char *text)
{
	ldns_rr *rr = NULL;

	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 300, NULL, NULL), LDNS_STATUS_OK);
	ldns_rr2canonical(rr);
	return rr;
}

struct zone_key {
	ldns_key *key;
	ldns_rr *rr;
};

static struct zone_key new_key(const char *zone, uint16_t flags, uint8_t protocol)
{
	struct zone_key k = { ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256), NULL };
	ldns_rdf *owner = NULL;

	assert_non_null(k.key);
	assert_int_equal(ldns_str2rdf_dname(&owner, zone), LDNS_STATUS_OK);
	ldns_key_set_pubkey_owner(k.key, owner);
	ldns_key_set_flags(k.key, 256); /* libldns signs with no other */
	ldns_key_set_use(k.key, true);
	ldns_key_set_inception(k.key, (uint32_t)(LAW_AT_MS / 1000 - 86400));
	ldns_key_set_expiration(k.key, (uint32_t)(LAW_AT_MS / 1000 + 86400));
	k.rr = ldns_key2rr(k.key);
	assert_non_null(k.rr);
	ldns_rdf_deep_free(ldns_rr_set_rdf(k.rr, ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, flags), 0));
	ldns_rdf_deep_free(ldns_rr_set_rdf(k.rr, ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8, protocol), 1));
	ldns_rr_set_ttl(k.rr, 300);
	ldns_key_set_keytag(k.key, ldns_calc_keytag(k.rr));
	return k;
}

static void free_key(struct zone_key *k)
{
	ldns_rr_free(k->rr);
	ldns_key_deep_free(k->key);
}

/* The set of this one record, signed, as another part. The record is taken over. */
static void add_signed(struct scratch *s, struct chain *c, ldns_rr *rr, const struct zone_key *k)
{
	struct dns_set set = { .records = ldns_rr_list_new() };
	ldns_key_list *keys = ldns_key_list_new();
	struct buffer bytes = BUFFER(1 << 16);

	assert_true(ldns_key_list_push_key(keys, k->key));
	assert_true(ldns_rr_list_push_rr(set.records, rr));
	set.signatures = ldns_sign_public(set.records, keys);
	assert_non_null(set.signatures);
	assert_int_equal(ldns_rr_list_rr_count(set.signatures), 1);
	ldns_rr2canonical(ldns_rr_list_rr(set.signatures, 0));
	dns_set_print(&set, &bytes);
	assert_int_equal(bytes.err, OK);
	c->evidence.parts[c->evidence.count++] =
		(struct part){ PART_RRSET, SPAN(""), span_make(arena_copy(s->arena, bytes.at, bytes.len), bytes.len) };
	buffer_free(&bytes);
	free(keys->_keys);
	free(keys);
	dns_set_free(&set);
}

static struct anchors *anchor_for(struct scratch *s, const struct zone_key *k)
{
	ldns_rr *ds = ldns_key_rr2ds(k->rr, LDNS_SHA256);
	char *text = ldns_rr2str(ds);
	struct anchors *a = open_anchors(s, "own.ds", span_of(text));

	free(text);
	ldns_rr_free(ds);
	return a;
}

#define TXT " IN TXT \"v=comity1; party=as64500.example; key=" LAW_KEY "\""

static enum err verify_signed(struct scratch *s, const char *zone, const char *signed_by, uint16_t flags,
			      uint8_t protocol)
{
	struct chain *c = chain_of(s, zone);
	struct zone_key k = new_key(signed_by, flags, protocol);
	struct anchors *a = anchor_for(s, &k);
	struct verdict v;
	enum err e;

	add_signed(s, c, record(arena_print(s->arena, "_comity.%s." TXT, zone)), &k);
	add_signed(s, c, ldns_rr_clone(k.rr), &k);
	e = verify(s, a, c, LAW_AT_MS, &v);
	anchors_free(a);
	free_key(&k);
	return e;
}

static void only_keys_of_the_zone_above_sign(void **state)
{
	static const struct {
		const char *zone, *by;
		uint16_t flags;
		uint8_t protocol;
		enum err e;
	} table[] = {
		{ "a.example", "a.example.", 257, 3, OK },
		{ "a.example", "a.example.", 256, 3, OK },
		{ "a.example", "example.", 257, 3, OK },
		{ "a.example", ".", 257, 3, OK },
		{ "a.example", "_comity.a.example.", 257, 3, OK },
		{ "a.example", "a.example.", 1, 3, ERR_EVIDENCE_CHAIN },	  /* no zone key */
		{ "a.example", "a.example.", 257 | 0x80, 3, ERR_EVIDENCE_CHAIN }, /* revoked */
		{ "a.example", "a.example.", 257, 2, ERR_EVIDENCE_CHAIN },
		{ "a.example", "b.example.", 257, 3, ERR_EVIDENCE_OVERCLAIM },
		{ "a.example", "x._comity.a.example.", 257, 3, ERR_EVIDENCE_OVERCLAIM },
		{ "ba.example", "a.example.", 257, 3, ERR_EVIDENCE_OVERCLAIM },
	};
	struct scratch *s = *state;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		enum err e = verify_signed(s, table[i].zone, table[i].by, table[i].flags, table[i].protocol);

		if (e != table[i].e)
			fail_msg("%s by %s, row %zu: %s (%s)", table[i].zone, table[i].by, i, err_code(e),
				 err_detail());
	}
}

/* A set with copies of its signature that are broken, before the good one. */
static struct span with_bad_copies(struct scratch *s, struct span part, unsigned copies)
{
	struct dns_set set;
	struct buffer out = BUFFER(1 << 16);
	struct span one, again;

	assert_int_equal(dns_set_read(part, &set), OK);
	for (size_t i = 0; i < ldns_rr_list_rr_count(set.signatures); i++)
		ldns_rr_free(ldns_rr_list_rr(set.signatures, i));
	ldns_rr_list_set_rr_count(set.signatures, 0);
	dns_set_print(&set, &out);
	one = span_from(part, out.len); /* the signature */
	for (unsigned i = 0; i < copies; i++) {
		buffer_span(&out, one);
		out.at[out.len - 1] ^= (char)(i + 1);
	}
	buffer_span(&out, one);
	again = span_make(arena_copy(s->arena, out.at, out.len), out.len);
	buffer_free(&out);
	dns_set_free(&set);
	return again;
}

static void few_signatures_are_tried(void **state)
{
	static const struct {
		unsigned copies;
		enum err e;
	} table[] = { { 0, OK }, { 3, OK }, { 4, ERR_EVIDENCE }, { 15, ERR_EVIDENCE }, { 16, ERR_EVIDENCE } };
	struct scratch *s = *state;
	struct anchors *a = data_anchors(s, "root.ds");
	struct verdict v;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct chain *c = chain_read(s, "as64500", "as64500.example");

		c->evidence.parts[0].bytes = with_bad_copies(s, c->evidence.parts[0].bytes, table[i].copies);
		assert_int_equal(verify(s, a, c, LAW_AT_MS, &v), table[i].e);
	}
	anchors_free(a);
}

/* A part has one spelling. */
static void sets_are_strictly_read(void **state)
{
	struct scratch *s = *state;
	struct chain *c = chain_read(s, "several", "several.example");
	struct span part = c->evidence.parts[0].bytes, first;
	struct buffer out = BUFFER(1 << 20);
	struct dns_set set;

	assert_int_equal(dns_set_read(part, &set), OK);
	dns_set_print(&set, &out);
	assert_true(span_equal(buffer_view(&out), part));
	assert_int_equal(ldns_rr_list_rr_count(set.records), 3);
	dns_set_free(&set);
	for (size_t i = 0; i < part.len; i++) { /* cut: only between two records */
		enum err e = dns_set_read(span_make(part.at, i), &set);

		if (e != OK) {
			assert_int_equal(e, ERR_EVIDENCE);
			continue;
		}
		buffer_clear(&out);
		dns_set_print(&set, &out);
		assert_int_equal(out.len, i);
		dns_set_free(&set);
	}
	/* its first record twice; a capital; something behind; another class; another type */
	first = span_make(part.at, law_skip_name(part, 0) + 10);
	first.len += (size_t)(uint8_t)part.at[first.len - 2] << 8 | (uint8_t)part.at[first.len - 1];
	buffer_clear(&out);
	buffer_span(&out, first);
	assert_int_equal(dns_set_read(buffer_view(&out), &set), OK);
	dns_set_free(&set);
	buffer_span(&out, first);
	assert_int_equal(dns_set_read(buffer_view(&out), &set), ERR_EVIDENCE);
	out.len = first.len;
	buffer_byte(&out, 0);
	assert_int_equal(dns_set_read(buffer_view(&out), &set), ERR_EVIDENCE);
	out.len = first.len;
	out.at[2] = 'C'; /* _Comity */
	assert_int_equal(dns_set_read(buffer_view(&out), &set), ERR_EVIDENCE);
	out.at[2] = 'c';
	out.at[law_skip_name(first, 0) + 3] = 3; /* CH */
	assert_int_equal(dns_set_read(buffer_view(&out), &set), ERR_EVIDENCE);
	assert_int_equal(dns_set_read(SPAN(""), &set), ERR_EVIDENCE);
	/* the owner of the second by a pointer to the first, as in messages */
	buffer_clear(&out);
	buffer_span(&out, SPAN("\1a\0\0\20\0\1\0\0\0\0\0\2\1x\300\0\0\20\0\1\0\0\0\0\0\2\1y"));
	assert_int_equal(dns_set_read(buffer_view(&out), &set), ERR_EVIDENCE);
	buffer_free(&out);
}

static void resources_have_names(void **state)
{
	static const struct {
		const char *resource, *name; /* NULL: none */
	} table[] = {
		{ "as64500.example", "_comity.as64500.example" },
		{ "prefix 192.0.2.0/24", "_comity.2.0.192.in-addr.arpa" },
		{ "prefix 10.0.0.0/8", "_comity.10.in-addr.arpa" },
		{ "prefix 172.16.0.0/16", "_comity.16.172.in-addr.arpa" },
		{ "prefix 192.0.2.7/32", "_comity.7.2.0.192.in-addr.arpa" },
		{ "prefix 2001:db8::/32", "_comity.8.b.d.0.1.0.0.2.ip6.arpa" },
		{ "prefix 2001:db8:a000::/36", "_comity.a.8.b.d.0.1.0.0.2.ip6.arpa" },
		{ "prefix 2001:db8::f/128",
		  "_comity.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" },
		{ "prefix 192.0.2.0/25", NULL },
		{ "prefix 192.0.0.0/23", NULL },
		{ "prefix 0.0.0.0/0", NULL },
		{ "prefix ::/0", NULL },
		{ "prefix 2001:db8::/33", NULL },
		{ "AS64500", NULL },
		{ "country EE", NULL },
		{ "all", NULL },
	};
	struct addressee to = { .type = TO_PARTY };
	char name[256], domain[254];

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		assert_int_equal(addressee_parse(span_of(table[i].resource), &to), OK);
		assert_int_equal(dnssec_name(&to, name), table[i].name != NULL ? OK : ERR_EVIDENCE);
		if (table[i].name != NULL)
			assert_string_equal(name, table[i].name);
	}
	for (size_t i = 0; i < 253; i++)
		domain[i] = i % 50 == 49 ? '.' : 'a';
	to = (struct addressee){ .type = TO_PARTY, .domain = span_make(domain, 245) };
	assert_int_equal(dnssec_name(&to, name), OK);
	assert_int_equal(strlen(name), 253);
	to.domain.len = 246;
	assert_int_equal(dnssec_name(&to, name), ERR_EVIDENCE);
}

static void the_root_is_built_in(void **state)
{
	struct scratch *s = *state;
	struct anchors *a = NULL, *b = NULL;
	struct span system;

	assert_int_equal(anchors_open(scratch_path(s, "none"), &a), OK);
	assert_int_equal(anchors_count(a), 2);
	assert_int_equal(anchors_at(a, 0)->kind, ANCHOR_DNSSEC);
	if (file_read(s->arena, "/usr/share/dns/root.ds", 1 << 16, &system) == OK) {
		b = open_anchors(s, "system.ds", system);
		assert_int_equal(anchors_count(b), 2);
		for (size_t i = 0; i < 2; i++)
			assert_true(span_equal(anchors_at(a, i)->bytes, anchors_at(b, i)->bytes));
	} else {
		printf("skipped: /usr/share/dns/root.ds is not there\n");
	}
	anchors_free(a);
	anchors_free(b);
}

static void files_of_anchors_are_read_as_zones(void **state)
{
	static const struct {
		const char *text;
		size_t count; /* 0: refused */
	} table[] = {
		{ "example. IN DS 1 13 2 " LAW_KEY, 1 },
		{ "; a comment\n\nExample. 3600 IN DS 1 13 2 " LAW_KEY " ; another\n", 1 },
		{ "example. IN DS 1 13 2 (\n\t5fe1\n\t000000000000000000000000000000000000000000000000000000000ac2 )\n",
		  1 },
		{ "example. IN DS 1 13 1 5fe1000000000000000000000000000000000000", 0 }, /* SHA-1 */
		{ "example. IN DNSKEY 257 3 13 "
		  "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==",
		  1 },
		{ "example. IN DNSKEY 0 3 13 "
		  "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==",
		  0 },
		{ "example. IN DNSKEY 257 3 5 AwEAAaz/", 0 },
		{ "example. IN A 192.0.2.1", 0 },
		{ "$INCLUDE /etc/passwd", 0 },
		{ "example. IN DS", 0 },
		{ "hello", 0 },
		{ "; nothing\n", 0 },
		{ "", 0 },
	};
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "anchors");

	assert_int_equal(folder_make(dir, 0700), OK);
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct anchors *a = NULL;
		enum err e;

		assert_int_equal(scratch_write(s, "anchors/a.ds", span_of(table[i].text)), OK);
		e = anchors_open(dir, &a);
		if (e != (table[i].count > 0 ? OK : ERR_ANCHOR) || (e == OK && anchors_count(a) != table[i].count))
			fail_msg("%s: %s (%s)", table[i].text, err_code(e), err_detail());
		anchors_free(a);
	}
	assert_int_equal(remove(scratch_path(s, "anchors/a.ds")), 0);
}

/* An answer as a server would send it. */
static struct span answer_of(struct scratch *s, const struct dns_set *set, const char *name, ldns_rr_type type,
			     uint16_t id, bool cut)
{
	ldns_rdf *owner = NULL;
	ldns_pkt *p;
	uint8_t *wire = NULL;
	size_t size = 0;
	struct span kept;

	assert_int_equal(ldns_str2rdf_dname(&owner, name), LDNS_STATUS_OK);
	p = ldns_pkt_query_new(owner, type, LDNS_RR_CLASS_IN, LDNS_RD);
	assert_non_null(p);
	ldns_pkt_set_id(p, id);
	ldns_pkt_set_qr(p, true);
	ldns_pkt_set_tc(p, cut);
	for (size_t i = 0; i < ldns_rr_list_rr_count(set->records); i++)
		ldns_pkt_push_rr(p, LDNS_SECTION_ANSWER, ldns_rr_clone(ldns_rr_list_rr(set->records, i)));
	for (size_t i = 0; i < ldns_rr_list_rr_count(set->signatures); i++)
		ldns_pkt_push_rr(p, LDNS_SECTION_ANSWER, ldns_rr_clone(ldns_rr_list_rr(set->signatures, i)));
	assert_int_equal(ldns_pkt2wire(&wire, p, &size), LDNS_STATUS_OK);
	kept = span_make(arena_copy(s->arena, wire, size), size);
	free(wire);
	ldns_pkt_free(p);
	return kept;
}

static void only_the_answer_to_the_question_is_taken(void **state)
{
	struct scratch *s = *state;
	struct chain *c = chain_read(s, "several", "several.example");
	struct span part = c->evidence.parts[0].bytes, answer;
	struct buffer name = BUFFER(256), out = BUFFER(1 << 16);
	struct dns_set set, got = { 0 };
	struct dns_question q;

	assert_int_equal(dns_set_read(part, &set), OK);
	assert_int_equal(dns_name_wire("_comity.several.example", &name), OK);
	q = (struct dns_question){ buffer_view(&name), LDNS_RR_TYPE_TXT, 7 };
	answer = answer_of(s, &set, "_COMITY.several.example", LDNS_RR_TYPE_TXT, 7, false);
	assert_int_equal(dns_answer_read(answer, &q, &got), OK);
	dns_set_print(&got, &out);
	assert_true(span_equal(buffer_view(&out), part)); /* what is gathered is what is kept */
	dns_set_free(&got);
	for (size_t i = 0; i < answer.len; i++)
		assert_int_equal(dns_answer_read(span_make(answer.at, i), &q, &got), ERR_PEER);
	assert_int_equal(
		dns_answer_read(answer_of(s, &set, "_comity.several.example", LDNS_RR_TYPE_TXT, 8, false), &q, &got),
		ERR_PEER);
	assert_int_equal(
		dns_answer_read(answer_of(s, &set, "_comity.several.example", LDNS_RR_TYPE_DS, 7, false), &q, &got),
		ERR_PEER);
	assert_int_equal(
		dns_answer_read(answer_of(s, &set, "_comity.other.example", LDNS_RR_TYPE_TXT, 7, false), &q, &got),
		ERR_PEER);
	assert_int_equal(
		dns_answer_read(answer_of(s, &set, "_comity.several.example", LDNS_RR_TYPE_TXT, 7, true), &q, &got),
		ERR_PEER);
	dns_set_free(&set);
	set = (struct dns_set){ ldns_rr_list_new(), ldns_rr_list_new() };
	assert_int_equal(
		dns_answer_read(answer_of(s, &set, "_comity.several.example", LDNS_RR_TYPE_TXT, 7, false), &q, &got),
		ERR_NOT_FOUND);
	q.name = span_make("", 1); /* the root: the shortest records */
	for (int i = 0; i < DNS_RECORDS_MAX + 1; i++)
		assert_true(ldns_rr_list_push_rr(set.records, record(arena_print(s->arena, ". IN TXT %x", i))));
	answer = answer_of(s, &set, ".", LDNS_RR_TYPE_TXT, 7, false);
	assert_true(answer.len < 65536);
	assert_int_equal(dns_answer_read(answer, &q, &got), ERR_EVIDENCE);
	ldns_rr_free(ldns_rr_list_pop_rr(set.records));
	assert_int_equal(dns_answer_read(answer_of(s, &set, ".", LDNS_RR_TYPE_TXT, 7, false), &q, &got), OK);
	assert_int_equal(ldns_rr_list_rr_count(got.records), DNS_RECORDS_MAX);
	dns_set_free(&got);
	dns_set_free(&set);
	buffer_free(&name);
	buffer_free(&out);
}

static enum err observed(struct scratch *s, const char *resource, const char *source, struct span bytes, int64_t at_ms)
{
	struct chain *c = chain_of(s, resource);
	struct verdict v = { 0 };
	enum err e;

	c->proof.method = c->evidence.method = BASIS_OBSERVED;
	c->evidence.parts[c->evidence.count++] = (struct part){ PART_RESPONSE, span_of(source), bytes };
	e = observed_verify_proof(s->arena, NULL, &c->proof, &c->key, &c->evidence, at_ms, &v);
	if (e == OK)
		assert_int_equal(v.until_ms, LAW_AT_MS + OBSERVED_LIFE_MS);
	return e;
}

static void what_was_seen_names_place_and_key(void **state)
{
	struct scratch *s = *state;
	struct chain *c = chain_read(s, "as64500", "as64500.example"),
		     *d = chain_read(s, "otherkey", "otherkey.example");
	const struct span text = SPAN("comity-key 1\nparty as64500.example\nkey " LAW_KEY "\n");
	const char *at = "https://as64500.example/.well-known/comity.txt";
	const char *dns = "dns:_comity.as64500.example. from 192.0.2.53";
	const char *other = "dns:_comity.otherkey.example. from 192.0.2.53";
	struct span set = c->evidence.parts[0].bytes, keys = c->evidence.parts[1].bytes;

	assert_int_equal(observed(s, "as64500.example", at, text, LAW_AT_MS), OK);
	assert_int_equal(observed(s, "as64500.example", dns, set, LAW_AT_MS), OK);
	assert_int_equal(observed(s, "as64500.example", at, text, LAW_AT_MS + OBSERVED_LIFE_MS - 1), OK);
	assert_int_equal(observed(s, "as64500.example", at, text, LAW_AT_MS + OBSERVED_LIFE_MS), ERR_EVIDENCE_EXPIRED);
	assert_int_equal(observed(s, "other.example", at, text, LAW_AT_MS), ERR_EVIDENCE_RESOURCE);
	assert_int_equal(observed(s, "other.example", dns, set, LAW_AT_MS), ERR_EVIDENCE_RESOURCE);
	assert_int_equal(observed(s, "as64500.example", "", text, LAW_AT_MS), ERR_EVIDENCE_RESOURCE);
	assert_int_equal(observed(s, "as64500.example", dns, keys, LAW_AT_MS), ERR_EVIDENCE_RESOURCE);
	assert_int_equal(observed(s, "as64500.example", dns, d->evidence.parts[0].bytes, LAW_AT_MS),
			 ERR_EVIDENCE_RESOURCE);
	assert_int_equal(observed(s, "otherkey.example", other, d->evidence.parts[0].bytes, LAW_AT_MS),
			 ERR_EVIDENCE_KEY);
	assert_int_equal(observed(s, "as64500.example", dns, text, LAW_AT_MS), ERR_EVIDENCE);
	assert_int_equal(observed(s, "as64500.example", at, SPAN("hello\n"), LAW_AT_MS), ERR_EVIDENCE_KEY);
	assert_int_equal(observed(s, "AS64500", at, text, LAW_AT_MS), ERR_EVIDENCE_RESOURCE);
}

static void observers_ask_host_names_only(void **state)
{
	static const char *bad[] = { "127.0.0.1",      "[::1]",	      "localhost", "a.example/x",
				     "a.example:8080", "u@a.example", "" };
	struct scratch *s = *state;
	struct chain *c = chain_of(s, "as64500.example");
	struct evidence e;

	for (size_t i = 0; i < TABLE_LENGTH(bad); i++) {
		assert_int_equal(observe_https(s->arena, NULL, span_of(bad[i]), &c->key, &e), ERR_DOMAIN);
		assert_int_equal(observe_dns(s->arena, "127.0.0.1", 1, span_of(bad[i]), &c->key, &e), ERR_DOMAIN);
	}
	assert_int_equal(observe_dns(s->arena, "resolver.example", 0, SPAN("a.example"), &c->key, &e), ERR_ADDRESS);
	assert_int_equal(observe_dns(s->arena, "127.0.0.1", 1, SPAN("a.example"), &c->key, &e), ERR_UNREACHABLE);
	/* a name of this machine: the door does not let it out */
	assert_int_equal(observe_https(s->arena, NULL, SPAN("a.localhost"), &c->key, &e), ERR_REFUSED_URL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_chain_has_its_answer),
		cmocka_unit_test(it_holds_until_the_first_signature_ends),
		cmocka_unit_test(each_part_is_needed_and_none_twice),
		cmocka_unit_test(the_nearest_anchor_decides),
		cmocka_unit_test(no_changed_byte_verifies),
		cmocka_unit_test(only_keys_of_the_zone_above_sign),
		cmocka_unit_test(few_signatures_are_tried),
		cmocka_unit_test(sets_are_strictly_read),
		cmocka_unit_test(resources_have_names),
		cmocka_unit_test(the_root_is_built_in),
		cmocka_unit_test(files_of_anchors_are_read_as_zones),
		cmocka_unit_test(only_the_answer_to_the_question_is_taken),
		cmocka_unit_test(what_was_seen_names_place_and_key),
		cmocka_unit_test(observers_ask_host_names_only),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
