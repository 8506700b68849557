#include "cli/acting.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "regime/credential.h"
#include "store/journal.h"

#define PASSWORD_LEAST 12
#define PASSWORD_MOST 256
#define CERTIFICATE_MOST ((size_t)1 << 16)
#define SECRET_SIZE 32

static const struct {
	const char *name;
	unsigned right;
} rights[] = { { "read", RIGHT_READ }, { "write", RIGHT_WRITE }, { "operate", RIGHT_OPERATE } };
#define RIGHT_COUNT (sizeof(rights) / sizeof(rights[0]))

static enum err read_rights(const char *text, unsigned *out)
{
	struct span rest = span_of(text != NULL ? text : "read");

	*out = 0;
	while (rest.at != NULL) {
		struct span one = span_cut(&rest, ',');
		size_t i = 0;

		while (i < RIGHT_COUNT && !span_is(one, rights[i].name))
			i++;
		if (i == RIGHT_COUNT)
			return fail(ERR_USAGE, "--rights: read, write, operate, or several with commas between");
		*out |= rights[i].right;
	}
	return OK;
}

/* A file or standard input, at most `most` bytes. It may be a pipe. */
static enum err read_whole(const char *path, size_t most, char *to, size_t *length)
{
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	ssize_t n = 1;
	enum err e = OK;

	*length = 0;
	if (fd == -1)
		return fail_errno("%s", path);
	while (e == OK && n > 0 && *length <= most) {
		n = read(fd, to + *length, most + 1 - *length);
		if (n == -1 && errno == EINTR)
			n = 1;
		else if (n == -1)
			e = fail_errno("%s", path != NULL ? path : "standard input");
		else
			*length += (size_t)n;
	}
	if (path != NULL)
		close(fd);
	return e == OK && *length > most
		       ? fail(ERR_TOO_LONG, "%s: at most %zu bytes", path != NULL ? path : "standard input", most)
		       : e;
}

/* As RFC 7617 wants it: UTF-8 without control characters. A newline at the end is not part of it. */
static enum err read_password(const char *path, char *to, size_t *length)
{
	enum err e = read_whole(path, PASSWORD_MOST + 1, to, length);

	if (e == OK && *length > 0 && to[*length - 1] == '\n')
		(*length)--;
	if (e == OK && (*length < PASSWORD_LEAST || *length > PASSWORD_MOST))
		e = fail(ERR_USAGE, "a password has %d to %d bytes", PASSWORD_LEAST, PASSWORD_MOST);
	if (e == OK && !span_is_utf8(span_make(to, *length)))
		e = fail(ERR_ENCODING, "the password is not UTF-8");
	for (size_t i = 0; e == OK && i < *length; i++)
		if ((uint8_t)to[i] < 0x20 || to[i] == 0x7f)
			e = fail(ERR_USAGE, "the password has a control character");
	return e;
}

static enum err hash_password(const char *password, size_t length, char out[CREDENTIAL_CHECK_MAX])
{
	_Static_assert(crypto_pwhash_STRBYTES <= CREDENTIAL_CHECK_MAX, "room for what libsodium writes");

	return crypto_pwhash_str(out, password, length, crypto_pwhash_OPSLIMIT_INTERACTIVE,
				 crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0
		       ? OK
		       : ERR_NO_MEMORY;
}

static enum err hash_certificate(const char *path, struct hash *out)
{
	char *text = malloc(CERTIFICATE_MOST + 2);
	unsigned char *der = NULL;
	BIO *bio = NULL;
	X509 *x = NULL;
	size_t length = 0;
	int size = -1;
	enum err e = text != NULL ? read_whole(path, CERTIFICATE_MOST, text, &length) : ERR_NO_MEMORY;

	if (e == OK) {
		bio = BIO_new_mem_buf(text, (int)length);
		x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
		size = x != NULL ? i2d_X509(x, &der) : -1;
		if (size > 0)
			*out = hash_bytes(der, (size_t)size);
		else
			e = fail(ERR_SYNTAX, "%s: no certificate in PEM", path);
	}
	OPENSSL_free(der);
	X509_free(x);
	BIO_free(bio);
	free(text);
	return e;
}

/* What is to be shown once, and the check that is kept. */
struct making {
	struct credential c;
	char secret[2 * SECRET_SIZE + 1]; /* "": the operator knows it */
	char check[CREDENTIAL_CHECK_MAX];
};

static void generate(struct making *m)
{
	uint8_t bytes[SECRET_SIZE];

	randombytes_buf(bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), m->secret);
	sodium_memzero(bytes, sizeof(bytes));
}

static enum err make_password(struct cli *c, struct making *m)
{
	const char *path = cli_option(c, "password-file");
	char given[PASSWORD_MOST + 2];
	size_t length = 2 * SECRET_SIZE;
	enum err e = OK;

	if (path == NULL && !cli_flag(c, "password-stdin")) {
		generate(m);
		memcpy(given, m->secret, length);
	} else {
		e = read_password(path, given, &length);
	}
	if (e == OK)
		e = hash_password(given, length, m->check);
	sodium_memzero(given, sizeof(given));
	if (e == OK)
		m->c.check = span_of(m->check);
	return e;
}

static enum err make_check(struct cli *c, struct making *m)
{
	const char *certificate = cli_option(c, "certificate");
	bool token = cli_flag(c, "token"), file = cli_option(c, "password-file") != NULL;
	struct hash h;
	enum err e = OK;

	if ((certificate != NULL) + token + file + cli_flag(c, "password-stdin") > 1)
		return fail(ERR_USAGE, "one of --password-file, --password-stdin, --token and --certificate");
	if (certificate == NULL && !token)
		return make_password(c, m);
	m->c.type = token ? CREDENTIAL_TOKEN : CREDENTIAL_CERTIFICATE;
	if (token) {
		generate(m);
		h = hash_bytes(m->secret, 2 * SECRET_SIZE);
	} else {
		e = hash_certificate(certificate, &h);
	}
	if (e == OK) {
		memcpy(m->check, h.bytes, HASH_SIZE);
		m->c.check = span_make(m->check, HASH_SIZE);
	}
	return e;
}

static enum err read_credential(struct cli *c, struct making *m)
{
	const char *party = cli_option(c, "party");
	enum err e = read_rights(cli_option(c, "rights"), &m->c.rights);

	m->c.name = span_of(c->operands[0]);
	m->c.party = span_of(party != NULL ? party : "");
	if (e == OK && !credential_name_valid(m->c.name))
		e = fail(ERR_USAGE, "`%s`: a name has at most %d of a-z A-Z 0-9 . _ -", c->operands[0],
			 CREDENTIAL_NAME_MAX);
	if (e == OK && party == NULL)
		e = fail(ERR_USAGE, "--party: whose eyes the tool has");
	if (e == OK && !span_is_domain(m->c.party))
		e = fail(ERR_DOMAIN, "`%s` cannot name a party", party);
	if (e == OK)
		e = cli_time(c, "expires", 0, &m->c.expires_ms);
	if (e == OK && m->c.expires_ms != 0 && m->c.expires_ms <= clock_now_ms())
		e = fail(ERR_USAGE, "--expires: that time is over");
	return e == OK ? make_check(c, m) : e;
}

/* Nothing that works is taken from another by accident. */
static enum err look_before(struct cli *c, struct node *n, const struct credential *new)
{
	const struct state *st = node_batch_state(n);
	struct credential other;
	struct hash h;
	enum err e;

	if ((new->rights &RIGHT_OPERATE) != 0 && !span_equal(new->party, node_name(n)))
		return fail(ERR_USAGE, "operate: only as the node itself, --party %.*s", SPAN_FORMAT(node_name(n)));
	e = credential_find(st, new->name, &other);
	if (e == OK && !cli_flag(c, "replace"))
		return fail(ERR_EXISTS, "%.*s; --replace gives it another secret", SPAN_FORMAT(new->name));
	if ((e == OK || e == ERR_NOT_FOUND) && new->type == CREDENTIAL_CERTIFICATE) {
		memcpy(h.bytes, new->check.at, HASH_SIZE);
		e = credential_of(st, new->type, h, &other);
		if (e == OK && !span_equal(other.name, new->name))
			return fail(ERR_EXISTS, "that certificate belongs to %.*s", SPAN_FORMAT(other.name));
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static void show_rights(unsigned bits, char out[32])
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < RIGHT_COUNT; i++)
		if ((bits & rights[i].right) != 0)
			at += (size_t)snprintf(out + at, 32 - at, "%s%s", at > 0 ? "," : "", rights[i].name);
}

static void show_object(struct cli *c, const struct credential *one, const char *secret)
{
	struct json *j = cli_object(c);
	char text[32];

	json_string(j, "name", one->name);
	json_string(j, "party", one->party);
	json_text(j, "type", credential_type_name(one->type));
	show_rights(one->rights, text);
	json_text(j, "rights", text);
	json_time(j, "expires", one->expires_ms);
	if (secret[0] != '\0')
		json_text(j, "secret", secret);
	cli_object_end(c);
}

static void show_lines(struct cli *c, const struct credential *one)
{
	char text[32], until[CLOCK_TEXT] = "";

	show_rights(one->rights, text);
	if (one->expires_ms != 0)
		cli_date(one->expires_ms, until);
	printf("%s", cli_bold(c));
	cli_column(one->name, 24);
	printf("%s", cli_plain(c));
	cli_column(one->party, 28);
	cli_column(span_of(credential_type_name(one->type)), 11);
	printf("%s%s%s%s\n", text, until[0] != '\0' ? ", until " : "", until,
	       one->expires_ms != 0 && one->expires_ms <= clock_now_ms() ? " (over)" : "");
}

static enum err keep(struct cli *c, struct making *m)
{
	struct buffer b = BUFFER(4096);
	struct node *n = NULL;
	struct span part;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = look_before(c, n, &m->c);
	credential_write(&b, &m->c);
	part = buffer_view(&b);
	if (e == OK && (e = b.err) == OK)
		e = node_add_private(n, RECORD_PRIVATE, &part, 1);
	e = act_end(n, e);
	buffer_free(&b);
	return e;
}

int cmd_access_add(struct cli *c)
{
	struct making m = { .c.type = CREDENTIAL_PASSWORD };
	enum err e = sodium_init() == -1 ? ERR_CRYPTO_SELF_TEST : read_credential(c, &m);

	if (e == OK)
		e = keep(c, &m);
	if (e == OK && c->json) {
		show_object(c, &m.c, m.secret);
	} else if (e == OK) {
		show_lines(c, &m.c);
		if (m.secret[0] != '\0')
			printf("  %s %s\n  It is shown this once and kept nowhere.\n", credential_type_name(m.c.type),
			       m.secret);
	}
	sodium_memzero(m.secret, sizeof(m.secret));
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

static enum err list_one(void *context, const struct credential *one)
{
	struct cli *c = context;

	if (c->json)
		show_object(c, one, "");
	else
		show_lines(c, one);
	return OK;
}

int cmd_access_list(struct cli *c)
{
	struct state st;
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = credentials_walk(&st, list_one, c);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

int cmd_access_remove(struct cli *c)
{
	struct span name = span_of(c->operands[0]), part;
	struct buffer b = BUFFER(4096);
	struct credential old;
	struct node *n = NULL;
	enum err e = act_begin(c, &n);

	if (e == OK && (e = credential_find(node_batch_state(n), name, &old)) == ERR_NOT_FOUND)
		e = fail(ERR_NOT_FOUND, "no credential of that name: %s", c->operands[0]);
	if (e == OK) {
		credential_write_removal(&b, name);
		part = buffer_view(&b);
		e = b.err;
	}
	if (e == OK)
		e = node_add_private(n, RECORD_PRIVATE, &part, 1);
	e = act_end(n, e);
	buffer_free(&b);
	if (e != OK)
		return cli_fail(c, e);
	if (!c->json)
		printf("%s has no access any more.\n", c->operands[0]);
	return EXIT_OK;
}
