#include "proof/evidence.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/json.h"

static const char *const roles[PART_COUNT] = {
	[PART_CHECKLIST] = "checklist",
	[PART_CERTIFICATE] = "certificate",
	[PART_CRL] = "crl",
	[PART_SIGNATURE] = "signature",
	[PART_KEY] = "key",
	[PART_RRSET] = "rrset",
	[PART_RESPONSE] = "response",
	[PART_TEXT] = "text",
};

#define PART(role) (1u << (unsigned)(role))

/* Which parts a method may have, and must. Operators show nothing. */
static const struct {
	unsigned may, must;
} parts_of[BASIS_COUNT] = {
	[BASIS_RSC] = { PART(PART_CHECKLIST) | PART(PART_CERTIFICATE) | PART(PART_CRL), PART(PART_CHECKLIST) },
	[BASIS_DNSSEC] = { PART(PART_RRSET), PART(PART_RRSET) },
	[BASIS_OBSERVED] = { PART(PART_RESPONSE), PART(PART_RESPONSE) },
	[BASIS_LEGAL] = { PART(PART_SIGNATURE) | PART(PART_CERTIFICATE) | PART(PART_CRL), PART(PART_SIGNATURE) },
	[BASIS_OPENPGP] = { PART(PART_KEY) | PART(PART_SIGNATURE), PART(PART_KEY) | PART(PART_SIGNATURE) },
	[BASIS_MANDATE] = { PART(PART_TEXT), 0 },
};

#define SOURCE_MAX 512

const char *part_role_name(enum part_role r)
{
	return roles[r];
}

/* What is wrong with it is in the detail; only the machine's failures keep their own code. */
static enum err bad(enum err e)
{
	char detail[256];

	if (e == OK || err_is_machine(e) || e == ERR_EVIDENCE)
		return e;
	snprintf(detail, sizeof(detail), "%s", err_detail());
	return fail(ERR_EVIDENCE, "the body of a proof: %s", detail);
}

/* The member as a string; one more of the object is accounted for. */
static bool text_member(yyjson_val *object, const char *name, size_t *known, struct span *out)
{
	yyjson_val *v = yyjson_obj_get(object, name);

	*known += v != NULL;
	*out = span_make(yyjson_get_str(v), yyjson_get_len(v));
	return yyjson_is_str(v);
}

static bool is_source(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < ' ' || s.at[i] > '~')
			return false;
	return s.len <= SOURCE_MAX;
}

static enum err read_part(struct arena *a, yyjson_val *v, struct part *out)
{
	size_t known = 0, r = 0;
	struct span role, data, source = SPAN("");
	char *bytes;

	if (!text_member(v, "role", &known, &role) || !text_member(v, "data", &known, &data))
		return fail(ERR_EVIDENCE, "a part has a role and its data, both strings");
	if (yyjson_obj_get(v, "source") != NULL && !text_member(v, "source", &known, &source))
		return fail(ERR_EVIDENCE, "source: a string");
	if (known != yyjson_obj_size(v))
		return fail(ERR_EVIDENCE, "a part has a role, its data, and a source at most");
	while (r < PART_COUNT && !span_is(role, roles[r]))
		r++;
	if (r == PART_COUNT)
		return fail(ERR_EVIDENCE, "no part is called %.*s", role.len > 40 ? 40 : (int)role.len, role.at);
	if (!is_source(source))
		return fail(ERR_EVIDENCE, "source: at most %d printable ASCII characters", SOURCE_MAX);
	if ((bytes = arena_alloc(a, data.len + 1)) == NULL)
		return ERR_NO_MEMORY;
	*out = (struct part){ .role = (enum part_role)r, .source = source };
	if (base64_decode(data, bytes, data.len + 1, &out->bytes.len) != OK)
		return fail(ERR_EVIDENCE, "%s: base64 with its padding, without line breaks", roles[r]);
	if (out->bytes.len == 0)
		return fail(ERR_EVIDENCE, "%s: it is empty", roles[r]);
	out->bytes.at = bytes;
	return OK;
}

static enum err check_parts(const struct evidence *e)
{
	unsigned seen = 0;

	if (e->method == BASIS_OPERATOR)
		return fail(ERR_EVIDENCE, "an operator's approval is no proof");
	for (size_t i = 0; i < e->count; i++)
		seen |= PART(e->parts[i].role);
	for (unsigned r = 0; r < PART_COUNT; r++) {
		if ((seen & ~parts_of[e->method].may & PART(r)) != 0)
			return fail(ERR_EVIDENCE, "%s evidence has no %s", basis_name(e->method), roles[r]);
		if ((parts_of[e->method].must & ~seen & PART(r)) != 0)
			return fail(ERR_EVIDENCE, "%s evidence lacks its %s", basis_name(e->method), roles[r]);
	}
	return OK;
}

static enum err read_parts(struct arena *a, yyjson_val *list, struct evidence *out)
{
	size_t index, count;
	yyjson_val *v;
	enum err e = OK;

	if (!yyjson_is_arr(list) || yyjson_arr_size(list) > EVIDENCE_PARTS_MAX)
		return fail(ERR_EVIDENCE, "parts: a list of at most %d", EVIDENCE_PARTS_MAX);
	if ((out->parts = arena_array(a, yyjson_arr_size(list), sizeof(*out->parts))) == NULL)
		return ERR_NO_MEMORY;
	yyjson_arr_foreach(list, index, count, v) if (e == OK) e = read_part(a, v, &out->parts[out->count++]);
	return e == OK ? check_parts(out) : e;
}

enum err evidence_parse(struct arena *a, struct span body, struct evidence *out)
{
	struct yyjson_doc *doc;
	struct span method, obtained;
	yyjson_val *root, *parts;
	size_t known = 0;
	enum err e;

	*out = (struct evidence){ 0 };
	if (body.len > PROOF_BODY_MAX)
		return fail(ERR_EVIDENCE, "%zu bytes, at most %zu", body.len, PROOF_BODY_MAX);
	if ((e = bad(json_read_strict(a, body, &doc))) != OK)
		return e;
	root = yyjson_doc_get_root(doc);
	if (!text_member(root, "method", &known, &method) || !text_member(root, "obtained", &known, &obtained))
		return fail(ERR_EVIDENCE, "an object with method, obtained and parts");
	parts = yyjson_obj_get(root, "parts");
	if (parts == NULL || known + 1 != yyjson_obj_size(root))
		return fail(ERR_EVIDENCE, "an object with method, obtained and parts, and nothing else");
	if (basis_parse(method, &out->method) != OK)
		return fail(ERR_EVIDENCE, "method: none of that name");
	if (clock_parse(obtained, &out->obtained_ms) != OK)
		return fail(ERR_EVIDENCE, "obtained: a time like 2026-11-22T20:45:00Z");
	return read_parts(a, parts, out);
}

static void print_base64(struct json *j, const char *key, struct span bytes)
{
	buffer_print(j->out, ",\"%s\":\"", key);
	base64_append(j->out, bytes.at, bytes.len);
	buffer_byte(j->out, '"');
}

enum err evidence_print(const struct evidence *e, struct buffer *out)
{
	struct json j = { .out = out };
	char obtained[CLOCK_TEXT];
	size_t before = out->len;
	enum err bad_parts = e->count > EVIDENCE_PARTS_MAX
				     ? fail(ERR_EVIDENCE, "%zu parts, at most %d", e->count, EVIDENCE_PARTS_MAX)
				     : check_parts(e);

	if (bad_parts != OK)
		return bad_parts;
	clock_format(e->obtained_ms, obtained);
	json_object(&j, NULL);
	json_text(&j, "method", basis_name(e->method));
	json_text(&j, "obtained", obtained);
	json_array(&j, "parts");
	for (size_t i = 0; i < e->count; i++) {
		json_object(&j, NULL);
		json_text(&j, "role", roles[e->parts[i].role]);
		if (e->parts[i].source.len > 0)
			json_string(&j, "source", e->parts[i].source);
		print_base64(&j, "data", e->parts[i].bytes);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	if (out->err == ERR_TOO_LONG || (out->err == OK && out->len - before > PROOF_BODY_MAX))
		return fail(ERR_EVIDENCE, "over %zu bytes of evidence", PROOF_BODY_MAX);
	return out->err;
}

const struct part *evidence_next(const struct evidence *e, enum part_role role, size_t *at)
{
	while (*at < e->count)
		if (e->parts[(*at)++].role == role)
			return &e->parts[*at - 1];
	return NULL;
}
