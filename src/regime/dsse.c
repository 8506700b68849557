#include "regime/dsse.h"

#include <yyjson.h>

#include "base/encoding.h"
#include "base/json.h"

static enum err wrong(const char *what)
{
	return fail(ERR_CERTIFICATE, "envelope: %s", what);
}

/* One of the two alphabets: what mixes them was written by nobody. */
static enum err decode(struct arena *a, struct span text, const char *name, struct span *out)
{
	char *standard = arena_copy(a, text.at, text.len);
	size_t plain = 0, url = 0, n = 0, room = text.len / 4 * 3 + 3;
	uint8_t *bytes = arena_alloc(a, room);

	if (standard == NULL || bytes == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < text.len; i++) {
		plain += text.at[i] == '+' || text.at[i] == '/';
		url += text.at[i] == '-' || text.at[i] == '_';
		if (text.at[i] == '-')
			standard[i] = '+';
		else if (text.at[i] == '_')
			standard[i] = '/';
	}
	if ((plain > 0 && url > 0) || base64_decode(span_make(standard, text.len), bytes, room, &n) != OK)
		return fail(ERR_CERTIFICATE, "envelope: %s: no base64", name);
	*out = span_make(bytes, n);
	return OK;
}

static enum err read_signature(struct arena *a, yyjson_val *v, struct dsse_signature *out)
{
	yyjson_val *keyid = yyjson_obj_get(v, "keyid"), *sig = yyjson_obj_get(v, "sig");

	if (!yyjson_is_obj(v) || !yyjson_is_str(sig) || yyjson_get_len(sig) == 0)
		return wrong("signatures: each has a sig, and it may have a keyid");
	if (keyid != NULL && !yyjson_is_str(keyid))
		return wrong("keyid: a text");
	out->keyid = keyid != NULL ? json_string_of(keyid) : SPAN("");
	return decode(a, json_string_of(sig), "sig", &out->signature);
}

static enum err read_signatures(struct arena *a, yyjson_val *list, struct dsse *out)
{
	size_t index, count = yyjson_arr_size(list);
	yyjson_val *v;
	enum err e = OK;

	if (!yyjson_is_arr(list) || count == 0)
		return wrong("signatures: a list of at least one");
	if (count > DSSE_SIGNATURES_MAX)
		return fail(ERR_CERTIFICATE, "envelope: %zu signatures, at most %d", count, DSSE_SIGNATURES_MAX);
	yyjson_arr_foreach(list, index, count, v)
	{
		if (e == OK)
			e = read_signature(a, v, &out->signatures[out->signature_count++]);
	}
	return e;
}

enum err dsse_parse(struct arena *a, struct span text, struct dsse *out)
{
	yyjson_val *root, *type, *payload;
	yyjson_doc *doc;
	enum err e;

	out->signature_count = 0;
	if (text.len > DSSE_MAX)
		return wrong("too long");
	e = json_read_strict(a, text, &doc);
	if (e != OK)
		return e == ERR_NO_MEMORY ? e : fail(ERR_CERTIFICATE, "envelope: %s", err_code(e));
	root = yyjson_doc_get_root(doc);
	type = yyjson_obj_get(root, "payloadType");
	payload = yyjson_obj_get(root, "payload");
	if (!yyjson_is_str(type) || yyjson_get_len(type) == 0)
		return wrong("payloadType: missing");
	if (!yyjson_is_str(payload))
		return wrong("payload: missing");
	out->payload_type = json_string_of(type);
	e = decode(a, json_string_of(payload), "payload", &out->payload);
	return e == OK ? read_signatures(a, yyjson_obj_get(root, "signatures"), out) : e;
}

void dsse_encoding(const struct dsse *d, struct buffer *out)
{
	buffer_print(out, "DSSEv1 %zu ", d->payload_type.len);
	buffer_span(out, d->payload_type);
	buffer_print(out, " %zu ", d->payload.len);
	buffer_span(out, d->payload);
}

#define ENCODING_MAX (2 * DSSE_MAX)

static bool is_good(const struct dsse_signature *s, struct span encoding, const struct verifier *key)
{
	return s->signature.len == KEY_SIGNATURE_SIZE &&
	       verifier_check(key, encoding, (const uint8_t *)s->signature.at);
}

bool dsse_signature_is_good(const struct dsse *d, size_t which, const struct verifier *key)
{
	struct buffer b = BUFFER(ENCODING_MAX);
	bool good;

	dsse_encoding(d, &b);
	good = b.err == OK && is_good(&d->signatures[which], buffer_view(&b), key);
	buffer_free(&b);
	return good;
}

bool dsse_signed_by(const struct dsse *d, const struct verifier *key)
{
	struct buffer b = BUFFER(ENCODING_MAX);
	char id[HASH_HEX + 1];
	bool found = false;

	hash_hex(verifier_fingerprint(key), id);
	dsse_encoding(d, &b);
	for (size_t i = 0; b.err == OK && !found && i < d->signature_count; i++) {
		const struct dsse_signature *s = &d->signatures[i];

		found = (s->keyid.len == 0 || span_is(s->keyid, id)) && is_good(s, buffer_view(&b), key);
	}
	buffer_free(&b);
	return found;
}

static enum err make_signature(struct arena *a, const struct dsse *d, const struct signer *key,
			       struct dsse_signature *out)
{
	struct buffer b = BUFFER(ENCODING_MAX);
	uint8_t *signature = arena_alloc(a, KEY_SIGNATURE_SIZE);
	char *id = arena_alloc(a, HASH_HEX + 1);
	enum err e;

	dsse_encoding(d, &b);
	e = signature == NULL || id == NULL ? ERR_NO_MEMORY : b.err;
	if (e == OK) {
		signer_sign(key, buffer_view(&b), signature);
		hash_hex(verifier_fingerprint(signer_verifier(key)), id);
		*out = (struct dsse_signature){ span_make(id, HASH_HEX), span_make(signature, KEY_SIGNATURE_SIZE) };
	}
	buffer_free(&b);
	return e;
}

enum err dsse_sign(struct arena *a, struct dsse *d, const struct signer *key)
{
	enum err e;

	if (dsse_signed_by(d, signer_verifier(key)))
		return fail(ERR_EXISTS, "%s signed it before", signer_verifier(key)->name);
	if (d->signature_count == DSSE_SIGNATURES_MAX)
		return fail(ERR_CERTIFICATE, "envelope: it has %d signatures, and no place for more",
			    DSSE_SIGNATURES_MAX);
	e = make_signature(a, d, key, &d->signatures[d->signature_count]);
	d->signature_count += e == OK;
	return e;
}

static void print_base64(struct buffer *out, struct span bytes)
{
	buffer_byte(out, '"');
	base64_append(out, bytes.at, bytes.len);
	buffer_byte(out, '"');
}

void dsse_print(const struct dsse *d, struct buffer *out)
{
	buffer_text(out, "{\"payloadType\":");
	json_escape(out, d->payload_type);
	buffer_text(out, ",\"payload\":");
	print_base64(out, d->payload);
	buffer_text(out, ",\"signatures\":[");
	for (size_t i = 0; i < d->signature_count; i++) {
		if (i > 0)
			buffer_byte(out, ',');
		buffer_byte(out, '{');
		if (d->signatures[i].keyid.len > 0) {
			buffer_text(out, "\"keyid\":");
			json_escape(out, d->signatures[i].keyid);
			buffer_byte(out, ',');
		}
		buffer_text(out, "\"sig\":");
		print_base64(out, d->signatures[i].signature);
		buffer_byte(out, '}');
	}
	buffer_text(out, "]}\n");
}
