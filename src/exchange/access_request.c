#include "exchange/access_private.h"

#include <sodium.h>

#include "base/encoding.h"

#define NONCE_SIZE 16

static struct span header(const struct http_request *r, const char *name)
{
	struct span value;

	return http_header(r, name, &value) ? value : span_make(NULL, 0);
}

/* A body will come, or none: what the head says. */
static bool announces_content(const struct http_request *r)
{
	struct span length = header(r, "Content-Length");

	return header(r, "Transfer-Encoding").at != NULL || (length.at != NULL && !span_is(length, "0"));
}

static enum err read_message(const struct http_request *r, struct signed_message *m)
{
	*m = (struct signed_message){
		.method = span_of(http_method_name(r->method)),
		.path = r->path,
		.query = r->query,
		.has_content = announces_content(r),
	};
	for (int i = 0; i < SIGNED_FIELDS; i++)
		m->fields[i] = header(r, signed_fields[i]);
	return access_authority(r->arena, header(r, "Host"), r->secure, &m->authority);
}

enum err access_who(struct access *a, const struct http_request *r, struct caller **out)
{
	struct access_head h = {
		.authorization = header(r, "Authorization"),
		.signature_input = header(r, "Signature-Input"),
		.signature = header(r, "Signature"),
		.peer = r->peer,
		.changes = r->method != HTTP_GET && r->method != HTTP_HEAD,
		.secure = r->secure,
	};
	enum err e = OK;

	if (!http_client_certificate(r, &h.certificate))
		h.certificate = span_make(NULL, 0);
	if (h.signature.at != NULL || h.signature_input.at != NULL)
		e = read_message(r, &h.message);
	return e == OK ? access_check(a, r->arena, &h, out) : e;
}

enum err access_body(const struct http_request *r)
{
	const struct caller *c = r->caller;
	struct span digest = header(r, "Content-Digest");
	bool said = false;
	enum err e = digest.at != NULL ? digest_check(r->arena, digest, r->body, &said) : OK;

	if (e == OK && !said && c != NULL && c->how == CALLER_SIGNED && r->body.len > 0)
		e = fail(ERR_CREDENTIALS, "signature: no sha-256 of the content is signed");
	return e;
}

enum err access_sign(const struct signer *key, enum http_method m, struct span authority, struct span path_and_query,
		     struct span body, struct buffer *signature_input, struct buffer *signature, struct buffer *digest)
{
	uint8_t random[NONCE_SIZE];
	char nonce[2 * NONCE_SIZE + 1];
	struct span query = path_and_query, path = span_cut(&query, '?');
	struct signed_message message = {
		.method = span_of(http_method_name(m)),
		.authority = authority,
		.path = path,
		.query = query.at != NULL ? query : SPAN(""),
		.has_content = body.len > 0,
	};

	if (body.len > 0) {
		digest_print(body, digest);
		if (digest->err != OK)
			return digest->err;
		message.fields[SIGNED_CONTENT_DIGEST] = buffer_view(digest);
	}
	randombytes_buf(random, sizeof(random));
	hex_encode(random, sizeof(random), nonce);
	return signature_make(key, &message, clock_now_ms(), span_of(nonce), signature_input, signature);
}
