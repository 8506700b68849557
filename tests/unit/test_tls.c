#include "test.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/http.h"
#include "net/tls.h"

/* One TLS server on loopback, and clients by GnuTLS itself. */
struct pair {
	struct buffer certificate, key;
};

static struct config config;
static struct listen at = { .text = { "127.0.0.1:0", 11 }, .tls = true };
static struct pair first, second;

static struct pair pair_make(const char *name)
{
	struct pair p = { BUFFER(1 << 16), BUFFER(1 << 16) };
	struct span names = span_of(name);

	assert_int_equal(tls_make_development(&names, 1, &p.certificate, &p.key), OK);
	return p;
}

/* Says whether the client has a certificate that counts. */
static enum http_next get_who(void *context, struct http_request *r, struct http_answer *out)
{
	struct span der;

	(void)context;
	assert_true(r->secure);
	out->status = 200;
	out->media_type = "text/plain";
	out->body = http_client_certificate(r, &der) ? SPAN("known") : SPAN("unknown");
	return HTTP_NOW;
}

static enum http_next get_large(void *context, struct http_request *r, struct http_answer *out)
{
	(void)context;
	out->status = 200;
	out->media_type = "text/plain";
	out->body = span_make(arena_array(r->arena, 1, 1 << 20), 1 << 20);
	return HTTP_NOW;
}

static enum http_next post_length(void *context, struct http_request *r, struct http_answer *out)
{
	(void)context;
	out->status = 201;
	out->media_type = "text/plain";
	out->body = span_of(arena_print(r->arena, "%zu", r->body.len));
	return HTTP_NOW;
}

static const struct http_door doors[] = {
	{ HTTP_GET, "/who", 0, 0, get_who },
	{ HTTP_GET, "/large", 0, 0, get_large },
	{ HTTP_POST, "/length", 1000, 0, post_length },
};

static struct http *start(const struct pair *p, struct span authorities)
{
	struct http_options o = { .config = &config,
				  .doors = doors,
				  .door_count = TABLE_LENGTH(doors),
				  .certificate_pem = buffer_view(&p->certificate),
				  .key_pem = buffer_view(&p->key),
				  .authorities_pem = authorities };
	struct http *h = NULL;

	config = (struct config){ .listens = &at,
				  .listen_count = 1,
				  .connections = 100,
				  .idle_s = 30,
				  .request_s = 30,
				  .threads = 2,
				  .body_most = 1000 };
	at.address = address_ipv4(0x7f000001);
	assert_int_equal(http_start(&o, &h), OK);
	return h;
}

struct client {
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	int fd;
	struct buffer got;
};

static gnutls_datum_t datum(const struct buffer *b)
{
	return (gnutls_datum_t){ (unsigned char *)b->at, (unsigned)b->len };
}

static bool dial(struct client *c, const struct http *h, const char *priorities, const struct pair *trusts,
		 const struct pair *shows, const gnutls_datum_t *resumes)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 60 };
	gnutls_datum_t ca = datum(&trusts->certificate), cert, key;
	int e;

	*c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .got = BUFFER(4 << 20) };
	a.sin_port = htons(http_port(h, 0));
	assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(gnutls_certificate_allocate_credentials(&c->credentials), 0);
	assert_int_equal(gnutls_certificate_set_x509_trust_mem(c->credentials, &ca, GNUTLS_X509_FMT_PEM), 1);
	if (shows != NULL) {
		cert = datum(&shows->certificate);
		key = datum(&shows->key);
		assert_true(gnutls_certificate_set_x509_key_mem(c->credentials, &cert, &key, GNUTLS_X509_FMT_PEM) >= 0);
	}
	assert_int_equal(gnutls_init(&c->session, GNUTLS_CLIENT), 0);
	assert_int_equal(gnutls_priority_set_direct(c->session, priorities, NULL), 0);
	assert_int_equal(gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->credentials), 0);
	gnutls_session_set_verify_cert(c->session, "localhost", 0);
	if (resumes != NULL)
		gnutls_session_set_data(c->session, resumes->data, resumes->size);
	gnutls_transport_set_int(c->session, c->fd);
	do
		e = gnutls_handshake(c->session);
	while (e < 0 && gnutls_error_is_fatal(e) == 0);
	return e == 0;
}

static void hang_up(struct client *c)
{
	gnutls_deinit(c->session);
	gnutls_certificate_free_credentials(c->credentials);
	close(c->fd);
	buffer_free(&c->got);
}

/* Until `enough` bytes are there, or the end. */
static size_t read_some(struct client *c, size_t enough)
{
	static char piece[65536];
	ssize_t n = 1;

	while (c->got.len < enough && n != 0) {
		n = gnutls_record_recv(c->session, piece, sizeof(piece));
		if (n < 0 && gnutls_error_is_fatal((int)n) != 0)
			break;
		if (n > 0)
			buffer_bytes(&c->got, piece, (size_t)n);
	}
	return c->got.len;
}

static bool has(struct client *c, const char *text)
{
	while (c->got.len == 0 || memmem(c->got.at, c->got.len, text, strlen(text)) == NULL) {
		size_t before = c->got.len;

		if (read_some(c, before + 1) == before)
			return false;
	}
	buffer_clear(&c->got);
	return true;
}

static void put(struct client *c, const char *text)
{
	assert_int_equal(gnutls_record_send(c->session, text, strlen(text)), strlen(text));
}

#define WHO "GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define ONLY(version) "NORMAL:-VERS-ALL:+VERS-" version

static void answers(void **state)
{
	static const char *const versions[] = { ONLY("TLS1.3"), ONLY("TLS1.2") };
	struct http *h = start(&first, span_make("", 0));
	struct client c;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(versions); i++) {
		assert_true(dial(&c, h, versions[i], &first, NULL, NULL));
		put(&c, WHO);
		assert_true(has(&c, "unknown"));
		put(&c, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
		assert_true(read_some(&c, 1 << 20) >= 1 << 20);
		hang_up(&c);
		/* The last word of a body that is too long reaches its sender. */
		assert_true(dial(&c, h, versions[i], &first, NULL, NULL));
		put(&c, "POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\n\r\n");
		assert_true(has(&c, "413"));
		hang_up(&c);
	}
	http_stop(h, 1000);
}

static void old_ways_are_refused(void **state)
{
	static const char *const ways[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA",
	};
	struct http *h = start(&first, span_make("", 0));
	struct client c;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(ways); i++) {
		if (dial(&c, h, ways[i], &first, NULL, NULL))
			fail_msg("%s", ways[i]);
		hang_up(&c);
	}
	http_stop(h, 1000);
}

static void a_new_certificate(void **state)
{
	struct http *h = start(&first, span_make("", 0));
	struct client old, c;

	(void)state;
	assert_true(dial(&old, h, "NORMAL", &first, NULL, NULL));
	assert_int_equal(http_reload(h, SPAN("no certificate"), SPAN("no key"), span_make("", 0)), ERR_USAGE);
	assert_true(dial(&c, h, "NORMAL", &first, NULL, NULL));
	hang_up(&c);
	assert_int_equal(http_reload(h, buffer_view(&second.certificate), buffer_view(&first.key), span_make("", 0)),
			 ERR_USAGE);
	assert_int_equal(http_reload(h, buffer_view(&second.certificate), buffer_view(&second.key), span_make("", 0)),
			 OK);
	assert_false(dial(&c, h, "NORMAL", &first, NULL, NULL));
	hang_up(&c);
	assert_true(dial(&c, h, "NORMAL", &second, NULL, NULL));
	hang_up(&c);
	put(&old, WHO);
	assert_true(has(&old, "unknown"));
	hang_up(&old);
	http_stop(h, 1000);
}

static void authority_make(struct pair *authority, struct pair *client)
{
	gnutls_x509_privkey_t ca_key, key;
	gnutls_x509_crt_t ca, crt;
	gnutls_datum_t out;

	assert_int_equal(gnutls_x509_privkey_init(&ca_key) | gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_crt_init(&ca) | gnutls_x509_crt_init(&crt), 0);
	for (int i = 0; i < 2; i++) {
		gnutls_x509_crt_t one = i == 0 ? ca : crt;

		gnutls_x509_privkey_generate(i == 0 ? ca_key : key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
		gnutls_x509_crt_set_version(one, 3);
		gnutls_x509_crt_set_serial(one, i == 0 ? "\1" : "\2", 1);
		gnutls_x509_crt_set_key(one, i == 0 ? ca_key : key);
		gnutls_x509_crt_set_dn_by_oid(one, GNUTLS_OID_X520_COMMON_NAME, 0, i == 0 ? "authority" : "tool",
					      i == 0 ? 9 : 4);
		gnutls_x509_crt_set_activation_time(one, time(NULL) - 60);
		gnutls_x509_crt_set_expiration_time(one, time(NULL) + 3600);
		gnutls_x509_crt_set_basic_constraints(one, i == 0, -1);
		gnutls_x509_crt_set_key_usage(one, i == 0 ? GNUTLS_KEY_KEY_CERT_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE);
		if (i == 1)
			gnutls_x509_crt_set_key_purpose_oid(one, GNUTLS_KP_TLS_WWW_CLIENT, 0);
		assert_int_equal(gnutls_x509_crt_sign2(one, ca, ca_key, GNUTLS_DIG_SHA256, 0), 0);
	}
	authority->certificate = authority->key = client->certificate = client->key = BUFFER(1 << 16);
	assert_int_equal(gnutls_x509_crt_export2(ca, GNUTLS_X509_FMT_PEM, &out), 0);
	buffer_bytes(&authority->certificate, out.data, out.size);
	gnutls_free(out.data);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out), 0);
	buffer_bytes(&client->certificate, out.data, out.size);
	gnutls_free(out.data);
	assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &out), 0);
	buffer_bytes(&client->key, out.data, out.size);
	gnutls_free(out.data);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(ca_key);
	gnutls_x509_privkey_deinit(key);
}

/* Being asked for a certificate obliges nobody; only one that the authorities signed counts. */
static void client_certificates(void **state)
{
	static const char *const versions[] = { ONLY("TLS1.3"), ONLY("TLS1.2") };
	struct pair authority, tool;
	gnutls_datum_t ticket;
	struct client c;
	struct http *h;

	(void)state;
	authority_make(&authority, &tool);
	h = start(&first, buffer_view(&authority.certificate));
	for (size_t i = 0; i < TABLE_LENGTH(versions); i++) {
		assert_true(dial(&c, h, versions[i], &first, NULL, NULL));
		put(&c, WHO);
		assert_true(has(&c, "unknown"));
		hang_up(&c);
		/* Not of the authority: GnuTLS's client may hold it back, and if it does not, it does not count. */
		if (dial(&c, h, versions[i], &first, &second, NULL)) {
			put(&c, WHO);
			assert_true(has(&c, "unknown"));
		}
		hang_up(&c);
		assert_true(dial(&c, h, versions[i], &first, &tool, NULL));
		put(&c, WHO);
		assert_true(has(&c, "\nknown"));
		assert_int_equal(gnutls_session_get_data2(c.session, &ticket), 0);
		hang_up(&c);
		/* A resumed session brings it along. */
		assert_true(dial(&c, h, versions[i], &first, &tool, &ticket));
		assert_true(gnutls_session_is_resumed(c.session));
		put(&c, WHO);
		assert_true(has(&c, "\nknown"));
		hang_up(&c);
		/* Another authority is in charge now. */
		assert_int_equal(http_reload(h, buffer_view(&first.certificate), buffer_view(&first.key),
					     buffer_view(&second.certificate)),
				 OK);
		assert_true(dial(&c, h, versions[i], &first, NULL, &ticket));
		put(&c, WHO);
		assert_true(has(&c, "unknown"));
		hang_up(&c);
		gnutls_free(ticket.data);
		assert_int_equal(http_reload(h, buffer_view(&first.certificate), buffer_view(&first.key),
					     buffer_view(&authority.certificate)),
				 OK);
	}
	http_stop(h, 1000);
	buffer_free(&authority.certificate);
	buffer_free(&tool.certificate);
	buffer_free(&tool.key);
}

static void what_is_no_certificate(void **state)
{
	struct http_options o = { .config = &config, .doors = doors, .door_count = 1 };
	struct http *h = NULL;

	(void)state;
	assert_int_equal(http_start(&o, &h), ERR_USAGE);
	o.certificate_pem = buffer_view(&first.certificate);
	o.key_pem = buffer_view(&second.key);
	assert_int_equal(http_start(&o, &h), ERR_USAGE);
	o.key_pem = buffer_view(&first.key);
	o.authorities_pem = SPAN("nobody");
	assert_int_equal(http_start(&o, &h), ERR_USAGE);
	assert_null(h);
}

static void a_development_certificate(void **state)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "::1", "node.example" };
	gnutls_datum_t pem = datum(&first.certificate);
	gnutls_x509_crt_t crt;
	unsigned critical, ca;

	(void)state;
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
	for (size_t i = 0; i < TABLE_LENGTH(names); i++)
		assert_true(gnutls_x509_crt_check_hostname(crt, names[i]));
	assert_false(gnutls_x509_crt_check_hostname(crt, "other.example"));
	assert_int_equal(gnutls_x509_crt_get_basic_constraints(crt, &critical, &ca, NULL), 0);
	assert_false(ca);
	assert_true(gnutls_x509_crt_get_expiration_time(crt) <= time(NULL) + 90 * 86400);
	gnutls_x509_crt_deinit(crt);
}

static int make(void **state)
{
	(void)state;
	first = pair_make("node.example");
	second = pair_make("other.example");
	return 0;
}

static int drop(void **state)
{
	(void)state;
	buffer_free(&first.certificate);
	buffer_free(&first.key);
	buffer_free(&second.certificate);
	buffer_free(&second.key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_development_certificate), cmocka_unit_test(answers),
		cmocka_unit_test(old_ways_are_refused),	     cmocka_unit_test(a_new_certificate),
		cmocka_unit_test(client_certificates),	     cmocka_unit_test(what_is_no_certificate),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
