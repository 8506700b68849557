/* Which certificate the server shows. */
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "exchange/server_private.h"
#include "net/tls.h"

#define PEM_MAX ((size_t)1 << 20)
#define NAMES_MOST 20
#define RENEW_S 86400

static enum err read_pem(struct arena *a, struct span path, struct span *out)
{
	enum err e = path.len > 0 ? file_read(a, path.at, PEM_MAX, out) : OK;

	return e == ERR_NOT_FOUND || e == ERR_TOO_LONG ? fail(ERR_USAGE, "%s", err_detail()) : e;
}

/* ---- the development certificate ---- */

/* Its fingerprint, if it is a certificate that is good for another day; else NULL. */
static const char *fingerprint_of(struct arena *a, struct span pem)
{
	gnutls_datum_t data = { (unsigned char *)(uintptr_t)pem.at, (unsigned)pem.len };
	gnutls_x509_crt_t c = NULL;
	unsigned char digest[HASH_SIZE];
	size_t size = sizeof(digest);
	char *text = NULL;

	if (pem.len == 0 || gnutls_x509_crt_init(&c) < 0)
		return NULL;
	if (gnutls_x509_crt_import(c, &data, GNUTLS_X509_FMT_PEM) >= 0 &&
	    gnutls_x509_crt_get_expiration_time(c) > time(NULL) + RENEW_S &&
	    gnutls_x509_crt_get_fingerprint(c, GNUTLS_DIG_SHA256, digest, &size) >= 0 && size == sizeof(digest) &&
	    (text = arena_alloc(a, 3 * sizeof(digest))) != NULL)
		for (size_t i = 0; i < sizeof(digest); i++)
			snprintf(text + 3 * i, 4 - (i + 1 == sizeof(digest)), "%02X%s", digest[i],
				 i + 1 < sizeof(digest) ? ":" : "");
	gnutls_x509_crt_deinit(c);
	return text;
}

/* What it is good for: the node's name, and where it listens. */
static size_t names_of(struct arena *a, struct span node, const struct config *c, struct span names[NAMES_MOST])
{
	size_t n = 0;

	names[n++] = node;
	for (size_t i = 0; i < c->listen_count && n < NAMES_MOST; i++) {
		const struct listen *l = &c->listens[i];
		char *text = arena_alloc(a, ADDRESS_TEXT);

		if (text == NULL || !l->tls || config_is_loopback(l->address) ||
		    (l->address.high | l->address.low) == 0)
			continue;
		names[n++] = span_make(text, address_format(l->address, text));
	}
	return n;
}

static enum err make(struct arena *a, struct span node, const struct config *c, const char *certificate,
		     const char *key)
{
	struct buffer certificate_pem = BUFFER(PEM_MAX), key_pem = BUFFER(PEM_MAX);
	struct span names[NAMES_MOST];
	enum err e = tls_make_development(names, names_of(a, node, c, names), &certificate_pem, &key_pem);

	/* The key first: a certificate without it would be taken for good. */
	if (e == OK)
		e = file_write(key, buffer_view(&key_pem), 0600);
	if (e == OK)
		e = file_write(certificate, buffer_view(&certificate_pem), 0600);
	buffer_free(&key_pem);
	buffer_free(&certificate_pem);
	return e;
}

static enum err development(struct arena *a, struct node *n, const struct config *c, struct server_tls *out)
{
	char *certificate = arena_print(a, "%s/keys/tls.crt", node_dir(n));
	char *key = arena_print(a, "%s/keys/tls.key", node_dir(n));
	enum err e = OK;

	if (certificate == NULL || key == NULL)
		return ERR_NO_MEMORY;
	if (file_exists(certificate) && file_exists(key)) {
		if ((e = file_read(a, certificate, PEM_MAX, &out->certificate)) == OK)
			out->fingerprint = fingerprint_of(a, out->certificate);
	}
	if (e == OK && out->fingerprint == NULL && (e = make(a, node_name(n), c, certificate, key)) == OK &&
	    (e = file_read(a, certificate, PEM_MAX, &out->certificate)) == OK &&
	    (out->fingerprint = fingerprint_of(a, out->certificate)) == NULL)
		e = fail(ERR_CRYPTO_SELF_TEST, "%s: a certificate that was made this moment does not read",
			 certificate);
	return e == OK ? file_read(a, key, PEM_MAX, &out->key) : e;
}

enum err server_tls_read(struct arena *a, struct node *n, const struct config *c, struct server_tls *out)
{
	bool wanted = false;
	enum err e;

	*out = (struct server_tls){ 0 };
	for (size_t i = 0; i < c->listen_count; i++)
		wanted = wanted || c->listens[i].tls;
	if (!wanted)
		return OK;
	if ((e = read_pem(a, c->client_authorities, &out->authorities)) != OK)
		return e;
	if (c->certificate.len == 0)
		return development(a, n, c, out);
	e = read_pem(a, c->certificate, &out->certificate);
	return e == OK ? read_pem(a, c->key, &out->key) : e;
}
