#include "proof/path.h"
#include "proof/rsc.h"

struct rsc_parts {
	struct span checklist;
	struct span certificates[PATH_CERTIFICATES_MAX], lists[PATH_LISTS_MAX];
	size_t certificate_count, list_count;
};

static enum err gather(const struct evidence *e, struct rsc_parts *out)
{
	size_t at = 0;
	const struct part *one = evidence_next(e, PART_CHECKLIST, &at);

	*out = (struct rsc_parts){ 0 };
	if (one == NULL || evidence_next(e, PART_CHECKLIST, &at) != NULL)
		return fail(ERR_EVIDENCE, "not exactly one checklist");
	out->checklist = one->bytes;
	for (at = 0; (one = evidence_next(e, PART_CERTIFICATE, &at)) != NULL;) {
		if (out->certificate_count == PATH_CERTIFICATES_MAX)
			return fail(ERR_EVIDENCE, "more than %d certificates", PATH_CERTIFICATES_MAX);
		out->certificates[out->certificate_count++] = one->bytes;
	}
	for (at = 0; (one = evidence_next(e, PART_CRL, &at)) != NULL;) {
		if (out->list_count == PATH_LISTS_MAX)
			return fail(ERR_EVIDENCE, "more than %d revocation lists", PATH_LISTS_MAX);
		out->lists[out->list_count++] = one->bytes;
	}
	return OK;
}

/* Prefixes of the list are the widest that fit, so what it covers lies in one of them. */
static bool covers(const struct rsc *r, const struct addressee *resource)
{
	for (size_t i = 0; i < r->prefix_count && resource->type == TO_PREFIX; i++)
		if (prefix_contains(r->prefixes[i], resource->prefix))
			return true;
	for (size_t i = 0; i < r->number_count && resource->type == TO_AS; i++)
		if (resource->asn >= r->numbers[i].first && resource->asn <= r->numbers[i].last)
			return true;
	return false;
}

static enum err check_resources(const struct rsc *r, const struct proof *p)
{
	struct buffer name = BUFFER(400);
	enum err e = OK;

	for (size_t i = 0; i < p->resource_count && e == OK; i++) {
		if (covers(r, &p->resources[i]))
			continue;
		addressee_print(&p->resources[i], &name);
		e = fail(ERR_EVIDENCE_RESOURCE, "the list does not have %.*s", SPAN_FORMAT(buffer_view(&name)));
	}
	buffer_free(&name);
	return e;
}

enum err rsc_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			  const struct key_statement *key, const struct evidence *e, int64_t at_ms, struct verdict *out)
{
	struct rsc_parts parts;
	struct buffer file = BUFFER(4096);
	struct rsc r;
	enum err refused = gather(e, &parts);

	if (refused == OK) {
		key_statement_print(key, &file);
		refused = file.err;
	}
	if (refused == OK)
		refused = rsc_verify(a, anchors, parts.checklist, parts.certificates, parts.certificate_count,
				     parts.lists, parts.list_count, hash_span(buffer_view(&file)), at_ms, &r);
	if (refused == OK)
		refused = check_resources(&r, p);
	buffer_free(&file);
	if (refused != OK)
		return refused;
	*out = (struct verdict){ .until_ms = r.until_ms, .anchor = span_of(r.anchor->name) };
	return OK;
}
