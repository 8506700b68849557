#include "mail/mail_openpgp.h"

#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <gpgme.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "mail/mailer.h"

/*
 * Which files there are
 *
 * DIR/openpgp is a home folder of GnuPG's. The file `comity-key` in it has the fingerprint of the key that signs; it is written
 * last, so where it stands the key is whole, and where it does not, no key was set up. It also spares asking GnuPG, which would
 * start its agent for that.
 *
 * The agent is a process of its own that would outlive us. mail_key_rest ends it.
 */

#define KEY_FILE_MAX ((size_t)1 << 20)

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
	gpgme_check_version(NULL);
}

/* gpgme starts programs in children of this process. What waits in a stream is written first, so that no child of ours can
 * write it too when it ends. */
static void begin_library(void)
{
	pthread_once(&once, start_library);
	fflush(NULL);
}

static enum err failed(gpgme_error_t error, const char *doing)
{
	char text[160];

	gpgme_strerror_r(error, text, sizeof(text));
	if (gpgme_err_code(error) == GPG_ERR_ENOMEM)
		return fail(ERR_NO_MEMORY, "OpenPGP: %s", doing);
	return fail(ERR_OPENPGP, "%s: %s", doing, text);
}

static enum err home_path(const char *dir, const char *file, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/openpgp%s%s", dir, file[0] != '\0' ? "/" : "", file);

	return n > 0 && n < PATH_MAX ? OK : fail(ERR_IO, "%s: the path is too long", dir);
}

/* Nobody is there who could be asked. */
static gpgme_error_t no_passphrase(void *hook, const char *hint, const char *info, int was_bad, int fd)
{
	(void)hook;
	(void)hint;
	(void)info;
	(void)was_bad;
	(void)fd;
	return gpgme_err_make(GPG_ERR_SOURCE_USER_1, GPG_ERR_NO_PASSPHRASE);
}

static enum err context_new(const char *home, gpgme_ctx_t *out)
{
	gpgme_error_t error;

	begin_library();
	if ((error = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP)) != 0)
		return failed(error, "GnuPG is not there, or too old");
	if ((error = gpgme_new(out)) != 0)
		return failed(error, "gpgme");
	gpgme_set_offline(*out, 1);
	gpgme_set_passphrase_cb(*out, no_passphrase, NULL);
	if ((error = gpgme_set_protocol(*out, GPGME_PROTOCOL_OpenPGP)) == 0 &&
	    (error = gpgme_ctx_set_engine_info(*out, GPGME_PROTOCOL_OpenPGP, NULL, home)) == 0)
		error = gpgme_set_pinentry_mode(*out, GPGME_PINENTRY_MODE_LOOPBACK);
	if (error == 0)
		return OK;
	gpgme_release(*out);
	*out = NULL;
	return failed(error, home);
}

/* What came out, in lines that end with LF. */
static enum err take(gpgme_data_t data, struct buffer *out)
{
	size_t n = 0;
	char *text = gpgme_data_release_and_get_mem(data, &n);

	if (text == NULL && n > 0)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		if (text[i] != '\r')
			buffer_byte(out, (uint8_t)text[i]);
	gpgme_free(text);
	return out->err;
}

static gpgme_error_t data_of(struct span s, gpgme_data_t *out)
{
	return gpgme_data_new_from_mem(out, s.len > 0 ? s.at : "", s.len, 0);
}

/* ---- signing ---- */

static void micalg_of(gpgme_ctx_t c, char out[OPENPGP_MICALG])
{
	gpgme_sign_result_t r = gpgme_op_sign_result(c);
	const char *name = r != NULL && r->signatures != NULL ? gpgme_hash_algo_name(r->signatures->hash_algo) : NULL;

	snprintf(out, OPENPGP_MICALG, "pgp-%s", name != NULL ? name : "sha256");
	for (char *p = out; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
}

static enum err sign(gpgme_ctx_t c, const char *fingerprint, struct span text, struct buffer *out,
		     char micalg[OPENPGP_MICALG])
{
	gpgme_data_t in = NULL, signature = NULL;
	gpgme_key_t key = NULL;
	gpgme_error_t error = gpgme_get_key(c, fingerprint, &key, 1);
	enum err e = OK;

	gpgme_set_armor(c, 1);
	if (error == 0)
		error = gpgme_signers_add(c, key);
	if (error == 0)
		error = data_of(text, &in);
	if (error == 0)
		error = gpgme_data_new(&signature);
	if (error == 0)
		error = gpgme_op_sign(c, in, signature, GPGME_SIG_MODE_DETACH);
	if (error == 0)
		micalg_of(c, micalg);
	if (error == 0)
		e = take(signature, out);
	else
		gpgme_data_release(signature);
	gpgme_data_release(in);
	gpgme_key_unref(key);
	return error == 0 ? e : failed(error, "signing with the node's OpenPGP key");
}

enum err openpgp_sign(const char *dir, const char *fingerprint, struct span text, struct buffer *out,
		      char micalg[OPENPGP_MICALG])
{
	char home[PATH_MAX];
	gpgme_ctx_t c = NULL;
	enum err e = home_path(dir, "", home);

	if (e == OK && (e = context_new(home, &c)) == OK)
		e = sign(c, fingerprint, text, out, micalg);
	gpgme_release(c);
	return e;
}

/* ---- encrypting ---- */

static enum err encrypt(gpgme_ctx_t c, struct span key, struct span text, struct buffer *out)
{
	gpgme_key_t to[2] = { NULL, NULL };
	gpgme_data_t in = NULL, secret = NULL;
	gpgme_import_result_t imported;
	gpgme_error_t error = data_of(key, &in);
	enum err e = OK;

	gpgme_set_armor(c, 1);
	if (error == 0)
		error = gpgme_op_import(c, in);
	gpgme_data_release(in);
	in = NULL;
	imported = error == 0 ? gpgme_op_import_result(c) : NULL;
	if (error == 0 && (imported == NULL || imported->considered != 1 || imported->imports == NULL))
		error = gpgme_error(GPG_ERR_NO_PUBKEY);
	if (error == 0)
		error = gpgme_get_key(c, imported->imports->fpr, &to[0], 0);
	if (error == 0)
		error = data_of(text, &in);
	if (error == 0)
		error = gpgme_data_new(&secret);
	if (error == 0)
		error = gpgme_op_encrypt(c, to, GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_ENCRYPT_TO, in, secret);
	if (error == 0)
		e = take(secret, out);
	else
		gpgme_data_release(secret);
	gpgme_data_release(in);
	gpgme_key_unref(to[0]);
	return error == 0 ? e : failed(error, "encrypting to the contact's OpenPGP key");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

enum err openpgp_encrypt(struct span key, struct span text, struct buffer *out)
{
	const char *folder = getenv("TMPDIR");
	char home[PATH_MAX];
	gpgme_ctx_t c = NULL;
	enum err e;

	snprintf(home, sizeof(home), "%s/comity-openpgp-XXXXXX",
		 folder != NULL && folder[0] == '/' && strlen(folder) < 1000 ? folder : "/tmp");
	if (mkdtemp(home) == NULL)
		return fail_errno("%s", home);
	if ((e = context_new(home, &c)) == OK)
		e = encrypt(c, key, text, out);
	gpgme_release(c);
	if (nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && e == OK)
		e = fail_errno("%s", home);
	return e;
}

/* ---- the node's key ---- */

enum err mail_key_find(const char *dir, char fingerprint[MAIL_FINGERPRINT])
{
	char path[PATH_MAX];
	struct arena *a;
	struct span text = SPAN("");
	gpgme_error_t error;
	enum err e = home_path(dir, "comity-key", path);

	if (e != OK || !file_exists(path))
		return e == OK ? ERR_NOT_FOUND : e;
	if ((a = arena_new(4096)) == NULL)
		return ERR_NO_MEMORY;
	if ((e = file_read(a, path, 100, &text)) == OK && text.len != MAIL_FINGERPRINT)
		e = fail(ERR_OPENPGP, "%s: no fingerprint", path);
	if (e == OK) {
		memcpy(fingerprint, text.at, MAIL_FINGERPRINT - 1);
		fingerprint[MAIL_FINGERPRINT - 1] = '\0';
		begin_library();
		error = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
		if (error != 0)
			e = failed(error, "there is an OpenPGP key, but GnuPG is not there, or too old");
	}
	arena_free(a);
	return e;
}

/* The folder, and that there is no key yet. */
static enum err prepare(const char *dir, char home[PATH_MAX])
{
	char path[PATH_MAX];
	enum err e = home_path(dir, "", home);

	if (e == OK)
		e = home_path(dir, "comity-key", path);
	if (e == OK && file_exists(path))
		return fail(ERR_EXISTS, "%s: this node has an OpenPGP key; move the folder away first", home);
	if (e == OK && mkdir(home, 0700) != 0 && errno != EEXIST)
		return fail_errno("%s", home);
	if (e == OK && chmod(home, 0700) != 0)
		return fail_errno("%s", home);
	return e;
}

/* A key that cannot sign without being asked is none for us. */
static enum err keep(const char *dir, const char *found, char fingerprint[MAIL_FINGERPRINT])
{
	struct buffer signature = BUFFER((size_t)1 << 16), text = BUFFER(64);
	char path[PATH_MAX], micalg[OPENPGP_MICALG];
	enum err e = home_path(dir, "comity-key", path);

	if (e == OK && strlen(found) != MAIL_FINGERPRINT - 1)
		e = fail(ERR_OPENPGP, "%s: a fingerprint of %zu digits; version 4 keys have 40", found, strlen(found));
	if (e == OK)
		e = openpgp_sign(dir, found, SPAN("a try\r\n"), &signature, micalg);
	if (e == OK) {
		memcpy(fingerprint, found, MAIL_FINGERPRINT);
		buffer_print(&text, "%s\n", found);
		e = file_write(path, buffer_view(&text), 0600);
	}
	buffer_free(&signature);
	buffer_free(&text);
	return e;
}

/* GnuPG reads no angle brackets and control characters in names. */
static void user_id(struct span title, struct span mailbox, char *out, size_t size)
{
	snprintf(out, size, "%.*s <%.*s>", (int)(title.len < 100 ? title.len : 100), title.at, SPAN_FORMAT(mailbox));
	for (size_t i = 0; i < title.len && i < 100; i++)
		if ((unsigned char)out[i] < ' ' || strchr("<>()@\\", out[i]) != NULL)
			out[i] = '_';
}

enum err mail_key_make(const char *dir, struct span title, struct span mailbox, char fingerprint[MAIL_FINGERPRINT])
{
	char home[PATH_MAX], user[500];
	gpgme_genkey_result_t made;
	gpgme_ctx_t c = NULL;
	gpgme_error_t error;
	enum err e = prepare(dir, home);

	if (e != OK || (e = context_new(home, &c)) != OK)
		return e;
	user_id(title, mailbox, user, sizeof(user));
	error = gpgme_op_createkey(c, user, "ed25519", 0, 0, NULL,
				   GPGME_CREATE_SIGN | GPGME_CREATE_NOPASSWD | GPGME_CREATE_NOEXPIRE |
					   GPGME_CREATE_FORCE);
	made = error == 0 ? gpgme_op_genkey_result(c) : NULL;
	if (error != 0)
		e = failed(error, "making an OpenPGP key");
	else if (made == NULL || made->fpr == NULL)
		e = fail(ERR_OPENPGP, "GnuPG made a key and does not say which");
	else
		e = keep(dir, made->fpr, fingerprint);
	gpgme_release(c);
	return e;
}

/* The one secret key among what was imported. */
static enum err import(gpgme_ctx_t c, struct span key, char fingerprint[128])
{
	gpgme_data_t in = NULL;
	gpgme_import_result_t r;
	gpgme_error_t error = data_of(key, &in);

	if (error == 0)
		error = gpgme_op_import(c, in);
	gpgme_data_release(in);
	if (error != 0)
		return failed(error, "importing the key");
	r = gpgme_op_import_result(c);
	if (r == NULL || r->secret_read != 1 || r->imports == NULL)
		return fail(ERR_OPENPGP, "the file has %d secret keys; give it exactly one",
			    r != NULL ? r->secret_read : 0);
	snprintf(fingerprint, 128, "%s", r->imports->fpr);
	return OK;
}

enum err mail_key_import(const char *dir, struct span key, char fingerprint[MAIL_FINGERPRINT])
{
	char home[PATH_MAX], found[128];
	gpgme_ctx_t c = NULL;
	enum err e = prepare(dir, home);

	if (e == OK && key.len > KEY_FILE_MAX)
		e = fail(ERR_TOO_LONG, "a key of more than %zu bytes", KEY_FILE_MAX);
	if (e == OK && (e = context_new(home, &c)) == OK && (e = import(c, key, found)) == OK)
		e = keep(dir, found, fingerprint);
	gpgme_release(c);
	return e;
}

enum err mail_key_export(const char *dir, struct buffer *out)
{
	char home[PATH_MAX], fingerprint[MAIL_FINGERPRINT];
	gpgme_data_t data = NULL;
	gpgme_ctx_t c = NULL;
	gpgme_error_t error;
	enum err e = mail_key_find(dir, fingerprint);

	if (e == ERR_NOT_FOUND)
		e = fail(ERR_NOT_FOUND, "this node has no OpenPGP key: `comity mail key` makes one");
	if (e == OK)
		e = home_path(dir, "", home);
	if (e != OK || (e = context_new(home, &c)) != OK)
		return e;
	gpgme_set_armor(c, 1);
	if ((error = gpgme_data_new(&data)) == 0)
		error = gpgme_op_export(c, fingerprint, 0, data);
	if (error == 0) {
		e = take(data, out);
	} else {
		gpgme_data_release(data);
		e = failed(error, "exporting the key");
	}
	gpgme_release(c);
	return e;
}

void mail_key_rest(const char *dir)
{
	char home[PATH_MAX], path[PATH_MAX], conf[] = "gpgconf", option[] = "--homedir", kill_it[] = "--kill",
					     agent[] = "gpg-agent";
	const char *argv[] = { conf, option, home, kill_it, agent, NULL };
	const char *program;
	gpgme_ctx_t c = NULL;

	if (home_path(dir, "", home) != OK || home_path(dir, "comity-key", path) != OK || !file_exists(path))
		return;
	begin_library();
	program = gpgme_get_dirinfo("gpgconf-name");
	if (program == NULL || gpgme_new(&c) != 0)
		return;
	if (gpgme_set_protocol(c, GPGME_PROTOCOL_SPAWN) == 0)
		gpgme_op_spawn(c, program, argv, NULL, NULL, NULL, 0);
	gpgme_release(c);
}
