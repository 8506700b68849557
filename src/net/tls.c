#include "net/tls.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define CERTIFICATE_MOST ((size_t)64 * 1024)
#define DEVELOPMENT_DAYS 90

struct tls_credentials {
	gnutls_certificate_credentials_t has;
	bool asks; /* for the client's certificate */
	atomic_uint users;
};

struct tls {
	pthread_mutex_t lock;
	struct tls_credentials *now;
	gnutls_datum_t ticket_key; /* handshakes that are resumed cost a tenth; GnuTLS derives changing keys from it */
};

static gnutls_datum_t datum(struct span s)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)s.at, (unsigned)s.len };
}

void tls_end(struct tls_credentials *c)
{
	if (c == NULL || atomic_fetch_sub(&c->users, 1) > 1)
		return;
	gnutls_certificate_free_credentials(c->has);
	free(c);
}

static enum err load(struct tls_credentials *c, struct span certificate, struct span key, struct span authorities)
{
	gnutls_datum_t cert = datum(certificate), secret = datum(key), trusted = datum(authorities);
	int got;

	if (certificate.len == 0 || key.len == 0 || certificate.len > UINT32_MAX || key.len > UINT32_MAX ||
	    authorities.len > UINT32_MAX)
		return fail(ERR_USAGE, "TLS needs a certificate and its key");
	got = gnutls_certificate_set_x509_key_mem2(c->has, &cert, &secret, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (got < 0)
		return fail(ERR_USAGE, "certificate and key: %s", gnutls_strerror(got));
	if (authorities.len == 0)
		return OK;
	got = gnutls_certificate_set_x509_trust_mem(c->has, &trusted, GNUTLS_X509_FMT_PEM);
	if (got <= 0)
		return fail(ERR_USAGE, "client authorities: %s", got < 0 ? gnutls_strerror(got) : "there is none");
	c->asks = true;
	return OK;
}

static enum err make(struct span certificate, struct span key, struct span authorities, struct tls_credentials **out)
{
	struct tls_credentials *c = calloc(1, sizeof(*c));
	enum err e;

	if (c == NULL)
		return ERR_NO_MEMORY;
	if (gnutls_certificate_allocate_credentials(&c->has) != GNUTLS_E_SUCCESS) {
		free(c);
		return ERR_NO_MEMORY;
	}
	atomic_init(&c->users, 1);
	if ((e = load(c, certificate, key, authorities)) != OK) {
		tls_end(c);
		return e;
	}
	*out = c;
	return OK;
}

enum err tls_new(struct span certificate, struct span key, struct span authorities, struct tls **out)
{
	struct tls *t = calloc(1, sizeof(*t));
	enum err e;

	if (t == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&t->lock, NULL);
	if ((e = make(certificate, key, authorities, &t->now)) == OK &&
	    gnutls_session_ticket_key_generate(&t->ticket_key) != GNUTLS_E_SUCCESS)
		e = ERR_NO_MEMORY;
	if (e != OK) {
		tls_free(t);
		return e;
	}
	*out = t;
	return OK;
}

enum err tls_reload(struct tls *t, struct span certificate, struct span key, struct span authorities)
{
	struct tls_credentials *fresh = NULL, *old;
	enum err e = make(certificate, key, authorities, &fresh);

	if (e != OK)
		return e;
	pthread_mutex_lock(&t->lock);
	old = t->now;
	t->now = fresh;
	pthread_mutex_unlock(&t->lock);
	tls_end(old);
	return OK;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	tls_end(t->now);
	if (t->ticket_key.data != NULL) {
		gnutls_memset(t->ticket_key.data, 0, t->ticket_key.size);
		gnutls_free(t->ticket_key.data);
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
}

struct tls_credentials *tls_begin(struct tls *t, void *session)
{
	struct tls_credentials *c;

	pthread_mutex_lock(&t->lock);
	c = t->now;
	atomic_fetch_add(&c->users, 1);
	pthread_mutex_unlock(&t->lock);
	if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, c->has) != GNUTLS_E_SUCCESS) {
		tls_end(c);
		return NULL;
	}
	gnutls_certificate_server_set_request(session, c->asks ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
	/* A resumed session brings the client's certificate with it and is judged as a new one is. */
	gnutls_session_ticket_enable_server(session, &t->ticket_key);
	return c;
}

bool tls_client_certificate(struct tls_credentials *c, void *session, struct arena *a, struct span *der)
{
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
					  .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT };
	const gnutls_datum_t *chain;
	unsigned status = ~0u, count = 0;
	char *copy;

	/* The handshake ends well without a certificate too. */
	if (!c->asks || gnutls_certificate_type_get2(session, GNUTLS_CTYPE_CLIENT) != GNUTLS_CRT_X509 ||
	    (chain = gnutls_certificate_get_peers(session, &count)) == NULL || count == 0)
		return false;
	if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) != GNUTLS_E_SUCCESS || status != 0)
		return false;
	if ((copy = arena_copy(a, chain[0].data, chain[0].size)) == NULL)
		return false;
	*der = span_make(copy, chain[0].size);
	return true;
}

void tls_send(void *session, struct span text)
{
	while (text.len > 0) {
		ssize_t n = gnutls_record_send(session, text.at, text.len);

		if (n <= 0)
			return;
		text = span_from(text, (size_t)n);
	}
}

static int add_name(gnutls_x509_crt_t crt, struct span name)
{
	char text[256];
	uint8_t raw[16];

	if (name.len == 0 || name.len >= sizeof(text))
		return GNUTLS_E_INVALID_REQUEST;
	memcpy(text, name.at, name.len);
	text[name.len] = '\0';
	if (inet_pton(AF_INET, text, raw) == 1)
		return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, raw, 4, GNUTLS_FSAN_APPEND);
	if (inet_pton(AF_INET6, text, raw) == 1)
		return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, raw, 16, GNUTLS_FSAN_APPEND);
	return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, text, (unsigned)name.len,
						    GNUTLS_FSAN_APPEND);
}

static int add_names(gnutls_x509_crt_t crt, const struct span *names, size_t count)
{
	static const struct span always[] = { { "localhost", 9 }, { "127.0.0.1", 9 }, { "::1", 3 } };
	int e = 0;

	for (size_t i = 0; e >= 0 && i < 3; i++)
		e = add_name(crt, always[i]);
	for (size_t i = 0; e >= 0 && i < count; i++)
		e = add_name(crt, names[i]);
	return e;
}

static int add_use(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	uint8_t serial[16], id[32];
	size_t size = sizeof(id);
	int e = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] = (serial[0] & 0x7f) | 1; /* positive, and not short */
	if (e < 0 || (e = gnutls_x509_crt_set_version(crt, 3)) < 0 ||
	    (e = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial))) < 0 ||
	    (e = gnutls_x509_crt_set_key(crt, key)) < 0 ||
	    (e = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE)) < 0 ||
	    (e = gnutls_x509_crt_set_basic_constraints(crt, 0, -1)) < 0 ||
	    (e = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0)) < 0 ||
	    (e = gnutls_x509_crt_get_key_id(crt, 0, id, &size)) < 0)
		return e;
	return gnutls_x509_crt_set_subject_key_id(crt, id, size);
}

static int fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct span *names, size_t count)
{
	static const char common[] = "Comity development certificate";
	time_t now = time(NULL);
	int e;

	if ((e = add_use(crt, key)) < 0 ||
	    (e = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, common, sizeof(common) - 1)) < 0 ||
	    (e = gnutls_x509_crt_set_activation_time(crt, now - 3600)) < 0 ||
	    (e = gnutls_x509_crt_set_expiration_time(crt, now + DEVELOPMENT_DAYS * 86400L)) < 0 ||
	    (e = add_names(crt, names, count)) < 0)
		return e;
	return gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

static int export(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, struct buffer *certificate, struct buffer *secret)
{
	gnutls_datum_t out = { NULL, 0 };
	int e = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out);

	if (e < 0)
		return e;
	buffer_bytes(certificate, out.data, out.size);
	gnutls_free(out.data);
	if ((e = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &out)) < 0)
		return e;
	buffer_bytes(secret, out.data, out.size);
	gnutls_memset(out.data, 0, out.size);
	gnutls_free(out.data);
	return 0;
}

enum err tls_make_development(const struct span *names, size_t count, struct buffer *certificate, struct buffer *secret)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	int e;

	if ((e = gnutls_x509_privkey_init(&key)) >= 0 && (e = gnutls_x509_crt_init(&crt)) >= 0 &&
	    (e = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
					      0)) >= 0 &&
	    (e = fill(crt, key, names, count)) >= 0)
		e = export(crt, key, certificate, secret);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	if (e < 0)
		return fail(e == GNUTLS_E_MEMORY_ERROR ? ERR_NO_MEMORY : ERR_USAGE, "development certificate: %s",
			    gnutls_strerror(e));
	return certificate->err != OK ? certificate->err : secret->err;
}
