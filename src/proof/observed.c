#include "proof/observed.h"

#include "base/clock.h"
#include "proof/dnssec_private.h"

#define FILE_MAX ((size_t)16 << 10)

static enum err begin(struct arena *a, struct span domain, struct evidence *out)
{
	*out = (struct evidence){ .method = BASIS_OBSERVED, .obtained_ms = clock_now_ms() / 1000 * 1000 };
	if (!span_is_domain(domain))
		return fail(ERR_DOMAIN, "%.*s", (int)(domain.len > 253 ? 253 : domain.len), domain.at);
	if ((out->parts = arena_array(a, 1, sizeof(*out->parts))) == NULL)
		return ERR_NO_MEMORY;
	return OK;
}

static enum err names_key(struct span text, const struct key_statement *wanted)
{
	struct key_statement seen;

	if (key_statement_parse(text, &seen) != OK)
		return fail(ERR_EVIDENCE_KEY, "what stands there is no key statement");
	if (!span_equal(seen.party, wanted->party) || !hash_equal(seen.key, wanted->key))
		return fail(ERR_EVIDENCE_KEY, "what stands there is another key or party than this one of %.*s",
			    SPAN_FORMAT(wanted->party));
	return OK;
}

enum err observe_dns(struct arena *a, const char *resolver, unsigned port, struct span domain,
		     const struct key_statement *wanted, struct evidence *out)
{
	const struct addressee resource = { .type = TO_PARTY, .domain = domain };
	const struct dns_resolver r = { resolver, port, true };
	struct buffer wire = BUFFER(256);
	struct dns_set s = { 0 };
	const char *from = NULL;
	char name[256];
	enum err e = begin(a, domain, out);

	if (e == OK)
		e = dnssec_name(&resource, name);
	if (e == OK && (e = dns_name_wire(name, &wire)) == OK)
		e = dns_ask(a, &r, buffer_view(&wire), LDNS_RR_TYPE_TXT, &s, &from);
	if (e == OK)
		e = dns_keep(a, &s, PART_RESPONSE, from, out);
	if (e == OK && dns_type(&s) != LDNS_RR_TYPE_TXT)
		e = fail(ERR_EVIDENCE_KEY, "%s is an alias (CNAME), which is not followed", name);
	if (e == OK)
		e = dns_set_names_key(a, &s, wanted);
	dns_set_free(&s);
	buffer_free(&wire);
	return e;
}

static enum err fetch(struct arena *a, const struct door_limits *limits, const char *url, struct span *out)
{
	const struct door_request r = { .method = "GET", .url = url };
	struct door_answer answer;
	struct door *d = NULL;
	enum err e = door_open(limits, NULL, NULL, &d);

	if (e == OK)
		e = door_ask(d, &r, &answer);
	if (e == OK && answer.status == 404)
		e = fail(ERR_NOT_FOUND, "%s: the server has none", url);
	else if (e == OK && answer.status != 200)
		e = fail(ERR_UNREACHABLE, "%s: status %u", url, answer.status);
	if (e == OK) {
		*out = span_make(arena_copy(a, answer.body.at, answer.body.len), answer.body.len);
		e = out->at != NULL ? OK : ERR_NO_MEMORY;
	}
	door_close(d);
	return e;
}

enum err observe_https(struct arena *a, const struct door_limits *limits, struct span domain,
		       const struct key_statement *wanted, struct evidence *out)
{
	struct door_limits narrow = limits != NULL ? *limits : door_default;
	struct span text = SPAN("");
	const char *url;
	enum err e = begin(a, domain, out);

	narrow.allow_plain = false;
	if (narrow.most_bytes > FILE_MAX)
		narrow.most_bytes = FILE_MAX;
	if (e != OK)
		return e;
	if ((url = arena_print(a, "https://%.*s" OBSERVED_PATH, SPAN_FORMAT(domain))) == NULL)
		return ERR_NO_MEMORY;
	if ((e = fetch(a, &narrow, url, &text)) != OK)
		return e;
	if (text.len == 0)
		return fail(ERR_EVIDENCE_KEY, "%s: it is empty", url);
	out->parts[out->count++] = (struct part){ PART_RESPONSE, span_of(url), text };
	return names_key(text, wanted);
}

/* As its source says that it was seen there. */
static enum err verify_seen(struct arena *a, struct span domain, const struct part *p, const struct key_statement *key)
{
	const char *url = arena_print(a, "https://%.*s" OBSERVED_PATH, SPAN_FORMAT(domain));
	const struct addressee resource = { .type = TO_PARTY, .domain = domain };
	const char *dns = NULL;
	struct buffer wire = BUFFER(256);
	struct dns_set s = { 0 };
	char name[256];
	enum err e = dnssec_name(&resource, name);

	if (e == OK && (url == NULL || (dns = arena_print(a, "dns:%s. from ", name)) == NULL))
		e = ERR_NO_MEMORY;
	if (e != OK)
		return e;
	if (span_is(p->source, url))
		return names_key(p->bytes, key);
	if (!span_starts(p->source, dns))
		return fail(ERR_EVIDENCE_RESOURCE, "it was seen elsewhere than at %s or %.*s", url,
			    (int)strlen(dns) - 6, dns);
	if ((e = dns_name_wire(name, &wire)) == OK)
		e = dns_set_read(p->bytes, &s);
	if (e == OK && (!span_equal(dns_owner(&s), buffer_view(&wire)) || dns_type(&s) != LDNS_RR_TYPE_TXT))
		e = fail(ERR_EVIDENCE_RESOURCE, "what was seen is no TXT of %s", name);
	if (e == OK)
		e = dns_set_names_key(a, &s, key);
	dns_set_free(&s);
	buffer_free(&wire);
	return e;
}

enum err observed_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			       const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			       struct verdict *out)
{
	const struct part *seen;
	char text[CLOCK_TEXT];
	size_t at = 0, count = 0;

	(void)anchors;
	if (p->resource_count != 1)
		return fail(ERR_EVIDENCE, "an observation is of one domain");
	if (p->resources[0].type != TO_PARTY)
		return fail(ERR_EVIDENCE_RESOURCE, "only what stands at a domain is observed");
	for (; (seen = evidence_next(e, PART_RESPONSE, &at)) != NULL; count++) {
		enum err bad = verify_seen(a, p->resources[0].domain, seen, key);

		if (bad != OK)
			return bad;
	}
	if (count == 0)
		return fail(ERR_EVIDENCE, "an observation has what was seen, of role response");
	if (at_ms >= e->obtained_ms + OBSERVED_LIFE_MS) {
		clock_format(e->obtained_ms, text);
		return fail(ERR_EVIDENCE_EXPIRED, "it was seen at %s, and that counts for 90 days", text);
	}
	*out = (struct verdict){ .until_ms = e->obtained_ms + OBSERVED_LIFE_MS };
	return OK;
}
