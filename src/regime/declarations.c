/* CycloneDX 1.6, `declarations`: the members that it has, each of its type, and references that lead somewhere. Components, services,
 * external references and what evidence consists of are looked at on their surface only. Signatures in the JSON itself (JSF) are
 * refused: the envelope is signed, and two kinds of signature would make readers believe the wrong one. Requirements stand in the
 * standard and not here, so these references are not followed. */
#include <stdlib.h>

#include "base/json.h"
#include "regime/form.h"
#include "regime/in_toto.h"

enum sort { ANYWHERE, ASSESSOR, CLAIM, EVIDENCE, TARGET, OTHER };

static const struct form contact[] = {
	{ "bom-ref", FORM_NAMES, OTHER, NULL, false },
	{ "name", FORM_TEXT, 0, NULL, false },
	{ "email", FORM_TEXT, 0, NULL, false },
	{ "phone", FORM_TEXT, 0, NULL, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form address[] = {
	{ "bom-ref", FORM_NAMES, OTHER, NULL, false },
	{ "country", FORM_TEXT, 0, NULL, false },
	{ "region", FORM_TEXT, 0, NULL, false },
	{ "locality", FORM_TEXT, 0, NULL, false },
	{ "postOfficeBoxNumber", FORM_TEXT, 0, NULL, false },
	{ "postalCode", FORM_TEXT, 0, NULL, false },
	{ "streetAddress", FORM_TEXT, 0, NULL, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

#define ORGANIZATION(of)                                                                                               \
	{ "bom-ref", FORM_NAMES, of, NULL, false }, { "name", FORM_TEXT, 0, NULL, false },                             \
		{ "address", FORM_OBJECT, 0, address, false }, { "url", FORM_TEXTS, 0, NULL, false },                  \
		{ "contact", FORM_OBJECTS, 0, contact, false },                                                        \
	{                                                                                                              \
		NULL, FORM_ANY, 0, NULL, false                                                                         \
	}
static const struct form organization[] = { ORGANIZATION(OTHER) };
static const struct form target_organization[] = { ORGANIZATION(TARGET) };

static const struct form assessor[] = {
	{ "bom-ref", FORM_NAMES, ASSESSOR, NULL, false },
	{ "thirdParty", FORM_FLAG, 0, NULL, false },
	{ "organization", FORM_OBJECT, 0, organization, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form conformance[] = {
	{ "score", FORM_SHARE, 0, NULL, false },
	{ "rationale", FORM_TEXT, 0, NULL, false },
	{ "mitigationStrategies", FORM_REFERS_MANY, EVIDENCE, NULL, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form confidence[] = {
	{ "score", FORM_SHARE, 0, NULL, false },
	{ "rationale", FORM_TEXT, 0, NULL, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form map[] = {
	{ "requirement", FORM_REFERS, ANYWHERE, NULL, false },
	{ "claims", FORM_REFERS_MANY, CLAIM, NULL, false },
	{ "counterClaims", FORM_REFERS_MANY, CLAIM, NULL, false },
	{ "conformance", FORM_OBJECT, 0, conformance, false },
	{ "confidence", FORM_OBJECT, 0, confidence, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form attestation[] = {
	{ "summary", FORM_TEXT, 0, NULL, false },
	{ "assessor", FORM_REFERS, ASSESSOR, NULL, false },
	{ "map", FORM_OBJECTS, 0, map, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form claim[] = {
	{ "bom-ref", FORM_NAMES, CLAIM, NULL, false },
	{ "target", FORM_REFERS, TARGET, NULL, false },
	{ "predicate", FORM_TEXT, 0, NULL, false },
	{ "mitigationStrategies", FORM_REFERS_MANY, EVIDENCE, NULL, false },
	{ "reasoning", FORM_TEXT, 0, NULL, false },
	{ "evidence", FORM_REFERS_MANY, EVIDENCE, NULL, false },
	{ "counterEvidence", FORM_REFERS_MANY, EVIDENCE, NULL, false },
	{ "externalReferences", FORM_ANY, 0, NULL, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form attachment[] = {
	{ "contentType", FORM_TEXT, 0, NULL, false },
	{ "encoding", FORM_TEXT, 0, NULL, false },
	{ "content", FORM_TEXT, 0, NULL, true },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form contents[] = {
	{ "attachment", FORM_OBJECT, 0, attachment, false },
	{ "url", FORM_TEXT, 0, NULL, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form data[] = {
	{ "name", FORM_TEXT, 0, NULL, false },		 { "contents", FORM_OBJECT, 0, contents, false },
	{ "classification", FORM_TEXT, 0, NULL, false }, { "sensitiveData", FORM_TEXTS, 0, NULL, false },
	{ "governance", FORM_ANY, 0, NULL, false },	 { NULL, FORM_ANY, 0, NULL, false },
};

static const struct form evidence[] = {
	{ "bom-ref", FORM_NAMES, EVIDENCE, NULL, false },
	{ "propertyName", FORM_TEXT, 0, NULL, false },
	{ "description", FORM_TEXT, 0, NULL, false },
	{ "data", FORM_OBJECTS, 0, data, false },
	{ "created", FORM_TIME, 0, NULL, false },
	{ "expires", FORM_TIME, 0, NULL, false },
	{ "author", FORM_OBJECT, 0, contact, false },
	{ "reviewer", FORM_OBJECT, 0, contact, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

/* On their surface: closed tables cannot say that. */
static const struct form surface[] = {
	{ "bom-ref", FORM_NAMES, TARGET, NULL, false },
	{ "name", FORM_WORD, 0, NULL, true },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form targets[] = {
	{ "organizations", FORM_OBJECTS, 0, target_organization, false },
	{ "components", FORM_ANY, 0, NULL, false },
	{ "services", FORM_ANY, 0, NULL, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form signatory[] = {
	{ "name", FORM_TEXT, 0, NULL, false },
	{ "role", FORM_TEXT, 0, NULL, false },
	{ "organization", FORM_OBJECT, 0, organization, true },
	{ "externalReference", FORM_ANY, 0, NULL, true },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form affirmation[] = {
	{ "statement", FORM_TEXT, 0, NULL, false },
	{ "signatories", FORM_OBJECTS, 0, signatory, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static const struct form declarations[] = {
	{ "assessors", FORM_OBJECTS, 0, assessor, false },
	{ "attestations", FORM_OBJECTS, 0, attestation, false },
	{ "claims", FORM_OBJECTS, 0, claim, false },
	{ "evidence", FORM_OBJECTS, 0, evidence, false },
	{ "targets", FORM_OBJECT, 0, targets, false },
	{ "affirmation", FORM_OBJECT, 0, affirmation, false },
	{ NULL, FORM_ANY, 0, NULL, false },
};

static bool is_component_type(yyjson_val *v)
{
	static const char *const types[] = { "application",
					     "framework",
					     "library",
					     "container",
					     "platform",
					     "operating-system",
					     "device",
					     "device-driver",
					     "firmware",
					     "file",
					     "data",
					     "machine-learning-model",
					     "cryptographic-asset" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (yyjson_equals_str(v, types[i]))
			return true;
	return false;
}

static enum err check_surface(struct arena *a, yyjson_val *d, const char *name, struct form_names *names)
{
	yyjson_val *list = yyjson_obj_get(yyjson_obj_get(d, "targets"), name), *one;
	yyjson_arr_iter all = yyjson_arr_iter_with(list);
	enum err e = OK;

	if (list != NULL && !yyjson_is_arr(list))
		return fail(ERR_CERTIFICATE, "declarations.targets.%s: a list", name);
	while (e == OK && (one = yyjson_arr_iter_next(&all)) != NULL) {
		e = form_check(a, one, surface, false, names, name);
		if (e == OK && name[0] == 'c' && !is_component_type(yyjson_obj_get(one, "type")))
			e = fail(ERR_CERTIFICATE, "%s: type: firmware, application, library, …", name);
	}
	return e;
}

static enum err check_all(struct arena *a, yyjson_val *d, struct form_names *names)
{
	enum err e = form_check(a, d, declarations, true, names, "declarations");

	if (e == OK)
		e = check_surface(a, d, "components", names);
	return e == OK ? check_surface(a, d, "services", names) : e;
}

static void count(yyjson_val *d, struct in_toto *out)
{
	yyjson_arr_iter all = yyjson_arr_iter_with(yyjson_obj_get(d, "claims")), maps;
	yyjson_val *one, *m;

	out->claims = yyjson_arr_size(yyjson_obj_get(d, "claims"));
	out->evidence = yyjson_arr_size(yyjson_obj_get(d, "evidence"));
	while ((one = yyjson_arr_iter_next(&all)) != NULL)
		out->counter_evidence += yyjson_arr_size(yyjson_obj_get(one, "counterEvidence"));
	all = yyjson_arr_iter_with(yyjson_obj_get(d, "attestations"));
	while ((one = yyjson_arr_iter_next(&all)) != NULL) {
		maps = yyjson_arr_iter_with(yyjson_obj_get(one, "map"));
		while ((m = yyjson_arr_iter_next(&maps)) != NULL) {
			out->counter_evidence += yyjson_arr_size(yyjson_obj_get(m, "counterClaims"));
			out->conformance += yyjson_obj_get(m, "conformance") != NULL;
		}
	}
}

enum err declarations_check(struct arena *a, struct yyjson_val *d, struct in_toto *out)
{
	struct form_names names = { .count = 0 };
	enum err e = check_all(a, d, &names);

	if (e == OK)
		e = form_names_sort(&names);
	if (e == OK)
		e = check_all(a, d, &names); /* and now the references */
	if (e == OK)
		count(d, out);
	return e;
}

/* ---- telling ---- */

static yyjson_val *find_named(yyjson_val *list, struct span ref)
{
	yyjson_arr_iter all = yyjson_arr_iter_with(list);
	yyjson_val *one;

	while ((one = yyjson_arr_iter_next(&all)) != NULL)
		if (ref.len > 0 && span_equal(json_string_in(one, "bom-ref"), ref))
			return one;
	return NULL;
}

static void tell_assessed(yyjson_val *d, yyjson_val *by, yyjson_val *m, struct told_claim *out)
{
	yyjson_val *who = find_named(yyjson_obj_get(d, "assessors"), json_string_in(by, "assessor")),
		   *score = yyjson_obj_get(yyjson_obj_get(m, "conformance"), "score"),
		   *sure = yyjson_obj_get(yyjson_obj_get(m, "confidence"), "score");

	out->assessed = true;
	out->assessor = json_string_in(yyjson_obj_get(who, "organization"), "name");
	if (out->assessor.len == 0)
		out->assessor = json_string_in(by, "assessor");
	out->third_party = yyjson_get_bool(yyjson_obj_get(who, "thirdParty"));
	out->requirement = json_string_in(m, "requirement");
	out->has_conformance = score != NULL;
	out->conformance = yyjson_get_num(score);
	out->has_confidence = sure != NULL;
	out->confidence = yyjson_get_num(sure);
}

static int compare_claims(const void *a, const void *b)
{
	const struct told_claim *x = *(struct told_claim *const *)a, *y = *(struct told_claim *const *)b;

	return span_compare(x->ref, y->ref);
}

/* Those that are told, by name. */
struct by_name {
	struct told_claim **at;
	size_t count;
};

static struct told_claim *find_claim(const struct by_name *n, yyjson_val *ref)
{
	struct told_claim wanted = { .ref = json_string_of(ref) }, *key = &wanted, **found;

	if (n->count == 0 || wanted.ref.len == 0)
		return NULL;
	found = bsearch(&key, n->at, n->count, sizeof(*n->at), compare_claims);
	return found != NULL ? *found : NULL;
}

static void tell_map(yyjson_val *d, yyjson_val *by, yyjson_val *m, const struct by_name *names)
{
	yyjson_arr_iter all = yyjson_arr_iter_with(yyjson_obj_get(m, "counterClaims"));
	struct told_claim *c;
	yyjson_val *ref;

	while ((ref = yyjson_arr_iter_next(&all)) != NULL)
		if ((c = find_claim(names, ref)) != NULL)
			c->counter = true;
	all = yyjson_arr_iter_with(yyjson_obj_get(m, "claims"));
	while ((ref = yyjson_arr_iter_next(&all)) != NULL)
		if ((c = find_claim(names, ref)) != NULL && !c->assessed)
			tell_assessed(d, by, m, c);
}

/* Once through all that is attested, and not for each claim again: a document may name a claim as often as it has room. */
#define TOLD_MAX 1000
static enum err tell_attested(struct arena *a, yyjson_val *d, struct told_claim *claims, size_t count)
{
	yyjson_arr_iter all = yyjson_arr_iter_with(yyjson_obj_get(d, "attestations")), maps;
	struct by_name names = { arena_array(a, count, sizeof(*names.at)), 0 };
	yyjson_val *one, *m;

	if (names.at == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		if (claims[i].ref.len > 0)
			names.at[names.count++] = &claims[i];
	if (names.count > 1)
		qsort(names.at, names.count, sizeof(*names.at), compare_claims);
	while ((one = yyjson_arr_iter_next(&all)) != NULL) {
		maps = yyjson_arr_iter_with(yyjson_obj_get(one, "map"));
		while ((m = yyjson_arr_iter_next(&maps)) != NULL)
			tell_map(d, one, m, &names);
	}
	return OK;
}

enum err in_toto_claims(struct arena *a, const struct in_toto *t, struct told_claim **out, size_t *count_out)
{
	yyjson_val *d = yyjson_obj_get(t->predicate, "declarations"), *claims = yyjson_obj_get(d, "claims"), *one;
	yyjson_arr_iter all = yyjson_arr_iter_with(claims);
	size_t n = yyjson_arr_size(claims) < TOLD_MAX ? yyjson_arr_size(claims) : TOLD_MAX;

	*count_out = 0;
	if ((*out = arena_array(a, n, sizeof(**out))) == NULL)
		return ERR_NO_MEMORY;
	while (*count_out < n && (one = yyjson_arr_iter_next(&all)) != NULL) {
		struct told_claim *c = &(*out)[(*count_out)++];

		c->ref = json_string_in(one, "bom-ref");
		c->text = json_string_in(one, "predicate");
		c->reasoning = json_string_in(one, "reasoning");
		c->target = json_string_in(one, "target");
		c->evidence = yyjson_arr_size(yyjson_obj_get(one, "evidence"));
		c->counter_evidence = yyjson_arr_size(yyjson_obj_get(one, "counterEvidence"));
	}
	return tell_attested(a, d, *out, *count_out);
}
