#include "exchange/signatures.h"

#include "base/encoding.h"

#define LABEL "comity"

const char *const signed_fields[SIGNED_FIELDS] = {
	[SIGNED_CONTENT_DIGEST] = "content-digest",
	[SIGNED_CONTENT_TYPE] = "content-type",
	[SIGNED_CONTENT_LENGTH] = "content-length",
	[SIGNED_ACCEPT] = "accept",
	[SIGNED_DATE] = "date",
};

static enum err refuse(const char *why)
{
	return fail(ERR_CREDENTIALS, "signature: %s", why);
}

static bool read_time(const struct field_parameters *p, const char *key, int64_t *out)
{
	const struct field_value *v = parameter_find(p, key);

	if (v == NULL)
		return true;
	*out = v->number;
	return v->type == FIELD_INTEGER && v->number > 0;
}

static bool read_text(const struct field_parameters *p, const char *key, struct span *out)
{
	const struct field_value *v = parameter_find(p, key);

	if (v == NULL)
		return true;
	*out = v->text;
	return v->type == FIELD_STRING && v->text.len > 0;
}

/* A member whose parameters are those of a party's signature. */
static bool read_parameters(const struct field_member *m, struct signature *out)
{
	struct span key = SPAN(""), algorithm = SPAN("ed25519");

	*out = (struct signature){ .covered = m, .nonce = SPAN("") };
	return m->list && read_time(&m->parameters, "created", &out->created) && out->created > 0 &&
	       read_time(&m->parameters, "expires", &out->expires) && read_text(&m->parameters, "keyid", &key) &&
	       read_text(&m->parameters, "alg", &algorithm) && read_text(&m->parameters, "nonce", &out->nonce) &&
	       out->nonce.len <= SIGNATURE_NONCE_MAX && span_is(algorithm, "ed25519") &&
	       hash_from_hex(key, &out->key) == OK;
}

static enum err syntax(enum err e, const char *why)
{
	return err_is_machine(e) ? e : refuse(why);
}

enum err signature_read(struct arena *a, struct span input, struct span signatures, struct signature *out)
{
	struct dictionary covered, made;
	const struct field_member *m;
	enum err e = dictionary_read(a, input, &covered);

	if (e != OK)
		return syntax(e, "Signature-Input does not read");
	if ((e = dictionary_read(a, signatures, &made)) != OK)
		return syntax(e, "Signature does not read");
	for (size_t i = 0; i < covered.count; i++) {
		if (!read_parameters(&covered.members[i], out))
			continue;
		m = dictionary_find(&made, covered.members[i].key);
		if (m == NULL || m->list || m->items[0].value.type != FIELD_BYTES ||
		    m->items[0].value.text.len != KEY_SIGNATURE_SIZE)
			return refuse("Signature has not its 64 bytes");
		memcpy(out->bytes, m->items[0].value.text.at, KEY_SIGNATURE_SIZE);
		return OK;
	}
	return refuse("none with created, alg ed25519 and a key's fingerprint as keyid");
}

static bool covers(const struct signature *s, const char *component)
{
	for (size_t i = 0; i < s->covered->count; i++)
		if (span_is(s->covered->items[i].value.text, component))
			return true;
	return false;
}

enum err signature_check(const struct signature *s, const struct signed_message *m, int64_t now_ms)
{
	int64_t now = now_ms / 1000;

	if (!covers(s, "@method") || !covers(s, "@authority") || !covers(s, "@path") || !covers(s, "@query"))
		return refuse("it must cover @method, @authority, @path and @query");
	if (m->has_content && !covers(s, "content-digest"))
		return refuse("it must cover content-digest");
	if (s->created < now - SIGNATURE_WINDOW_S || s->created > now + SIGNATURE_WINDOW_S)
		return refuse("created is not within five minutes of now");
	if (s->expires != 0 && s->expires <= now)
		return refuse("it is over");
	return OK;
}

/* Its value; false: the message has none. */
static bool component(const struct signed_message *m, struct span name, struct buffer *out)
{
	if (span_is(name, "@method")) {
		buffer_span(out, m->method);
	} else if (span_is(name, "@authority")) {
		buffer_span(out, m->authority);
	} else if (span_is(name, "@path")) {
		buffer_span(out, m->path);
	} else if (span_is(name, "@query")) {
		buffer_byte(out, '?');
		buffer_span(out, m->query);
	} else {
		int i = 0;

		while (i < SIGNED_FIELDS && !span_is(name, signed_fields[i]))
			i++;
		if (i == SIGNED_FIELDS || m->fields[i].at == NULL)
			return false;
		buffer_span(out, span_trim(m->fields[i]));
	}
	return true;
}

/* RFC 9421, 2.5. */
enum err signature_base(const struct signature *s, const struct signed_message *m, struct buffer *out)
{
	const struct field_member *c = s->covered;

	for (size_t i = 0; i < c->count; i++) {
		const struct field_item *one = &c->items[i];

		if (one->value.type != FIELD_STRING || one->parameters.count > 0)
			return refuse("a component that is not known here");
		for (size_t j = 0; j < i; j++)
			if (span_equal(c->items[j].value.text, one->value.text))
				return refuse("a component stands there twice");
		field_item_print(one, out);
		buffer_text(out, ": ");
		if (!component(m, one->value.text, out))
			return refuse("it covers what the request has not, or what is not known here");
		buffer_byte(out, '\n');
	}
	buffer_text(out, "\"@signature-params\": ");
	field_member_print(c, out);
	return out->err;
}

static enum err sign(struct arena *a, const struct signer *key, const struct signed_message *m,
		     const struct buffer *input, struct buffer *signature)
{
	struct buffer base = BUFFER(FIELD_TEXT_MAX * 2);
	uint8_t bytes[KEY_SIGNATURE_SIZE];
	struct dictionary d;
	struct signature s;
	enum err e = input->err;

	if (e == OK)
		e = dictionary_read(a, buffer_view(input), &d);
	if (e == OK) {
		s = (struct signature){ .covered = &d.members[0] };
		e = signature_base(&s, m, &base);
	}
	if (e == OK) {
		signer_sign(key, buffer_view(&base), bytes);
		buffer_text(signature, LABEL "=:");
		base64_append(signature, bytes, sizeof(bytes));
		buffer_byte(signature, ':');
		e = signature->err;
	}
	buffer_free(&base);
	return e;
}

enum err signature_make(const struct signer *key, const struct signed_message *m, int64_t now_ms, struct span nonce,
			struct buffer *input, struct buffer *signature)
{
	struct arena *a = arena_new((size_t)1 << 16);
	char hex[HASH_HEX + 1];
	enum err e;

	hash_hex(verifier_fingerprint(signer_verifier(key)), hex);
	buffer_print(input,
		     LABEL "=(\"@method\" \"@authority\" \"@path\" \"@query\"%s);created=%jd;keyid=\"%s\";"
			   "alg=\"ed25519\";nonce=\"%.*s\"",
		     m->has_content ? " \"content-digest\"" : "", (intmax_t)(now_ms / 1000), hex, SPAN_FORMAT(nonce));
	e = a != NULL ? sign(a, key, m, input, signature) : ERR_NO_MEMORY;
	arena_free(a);
	return e;
}

void digest_print(struct span content, struct buffer *out)
{
	struct hash h = hash_span(content);

	buffer_text(out, "sha-256=:");
	base64_append(out, h.bytes, HASH_SIZE);
	buffer_byte(out, ':');
}

enum err digest_check(struct arena *a, struct span field, struct span content, bool *said)
{
	struct dictionary d;
	const struct field_member *m;
	struct hash h = hash_span(content);
	enum err e = dictionary_read(a, field, &d);

	*said = false;
	if (e != OK)
		return err_is_machine(e) ? e : fail(ERR_FIELD, "Content-Digest: it does not read");
	if ((m = dictionary_find(&d, SPAN("sha-256"))) == NULL)
		return OK;
	*said = true;
	if (m->list || m->items[0].value.type != FIELD_BYTES || m->items[0].value.text.len != HASH_SIZE ||
	    memcmp(m->items[0].value.text.at, h.bytes, HASH_SIZE) != 0)
		return fail(ERR_FIELD, "Content-Digest: the content is another");
	return OK;
}
