#include <errno.h>
#include <ftw.h>
#include <gpgme.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "proof/legal.h"
#include "proof/legal_private.h"
#include "proof/openpgp_packets.h"

/*
 * GnuPG judges, in a home folder of its own that has the one key of the evidence and is removed in any case. Its options put its
 * clock to the time of the question, so it tells what had expired then; an option keeps it from starting helpers that would
 * outlive us. Who the key belongs to is not GnuPG's to say: all that is asked is whether this key made this signature.
 */

#define KEY_MAX ((size_t)256 << 10)
#define SIGNATURE_MAX ((size_t)64 << 10)

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
	gpgme_check_version(NULL);
}

static enum err machine(gpgme_error_t error, const char *doing)
{
	char text[160];

	gpgme_strerror_r(error, text, sizeof(text));
	if (gpgme_err_code(error) == GPG_ERR_ENOMEM)
		return fail(ERR_NO_MEMORY, "OpenPGP: %s", doing);
	return fail(ERR_OPENPGP, "%s: %s", doing, text);
}

/* ---- the home folder ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

static enum err home_make(int64_t at_ms, char home[PATH_MAX])
{
	const char *folder = getenv("TMPDIR");
	char path[PATH_MAX + 16], options[200];
	int n;

	snprintf(home, PATH_MAX, "%s/comity-team-XXXXXX",
		 folder != NULL && folder[0] == '/' && strlen(folder) < 1000 ? folder : "/tmp");
	if (mkdtemp(home) == NULL)
		return fail_errno("%s", home);
	snprintf(path, sizeof(path), "%s/gpg.conf", home);
	n = snprintf(options, sizeof(options),
		     "faked-system-time %" PRId64 "!\nno-autostart\nno-auto-check-trustdb\ntrust-model always\n",
		     at_ms / 1000);
	return file_write_lazily(path, span_make(options, (size_t)n), 0600);
}

static enum err context_new(const char *home, gpgme_ctx_t *out)
{
	gpgme_error_t error;

	pthread_once(&once, start_library);
	fflush(NULL); /* gpgme forks: what waits in a stream is not to be written twice */
	if ((error = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP)) != 0)
		return machine(error, "GnuPG is not there, or too old");
	if ((error = gpgme_new(out)) != 0)
		return machine(error, "gpgme");
	gpgme_set_offline(*out, 1);
	if ((error = gpgme_set_protocol(*out, GPGME_PROTOCOL_OpenPGP)) == 0)
		error = gpgme_ctx_set_engine_info(*out, GPGME_PROTOCOL_OpenPGP, NULL, home);
	return error == 0 ? OK : machine(error, home);
}

/* ---- the key and the signature ---- */

static enum err import(gpgme_ctx_t c, struct span key)
{
	gpgme_data_t in = NULL;
	gpgme_import_result_t r = NULL;
	gpgme_error_t error = gpgme_data_new_from_mem(&in, key.at, key.len, 0);

	if (error != 0)
		return machine(error, "OpenPGP");
	error = gpgme_op_import(c, in);
	gpgme_data_release(in);
	if (gpgme_err_code(error) == GPG_ERR_ENOMEM)
		return machine(error, "OpenPGP");
	if (error == 0)
		r = gpgme_op_import_result(c);
	if (r == NULL || r->considered != 1 || r->secret_read > 0 || r->imports == NULL)
		return fail(ERR_EVIDENCE, "not exactly one public OpenPGP key");
	return OK;
}

static bool hash_counts(gpgme_hash_algo_t hash)
{
	return hash == GPGME_MD_SHA256 || hash == GPGME_MD_SHA384 || hash == GPGME_MD_SHA512;
}

static enum err judge(const struct _gpgme_signature *s, int64_t at_ms)
{
	switch (gpgme_err_code(s->status)) {
	case GPG_ERR_NO_ERROR:
		break;
	case GPG_ERR_SIG_EXPIRED:
	case GPG_ERR_KEY_EXPIRED:
		return fail(ERR_EVIDENCE_EXPIRED, "the OpenPGP signature or its key has expired");
	case GPG_ERR_CERT_REVOKED:
		return fail(ERR_EVIDENCE_REVOKED, "the OpenPGP key was revoked");
	case GPG_ERR_NO_PUBKEY:
		return fail(ERR_EVIDENCE_KEY, "signed with another OpenPGP key than that of the evidence");
	default:
		return fail(ERR_EVIDENCE_SIGNATURE, "the OpenPGP signature does not verify");
	}
	if (!hash_counts(s->hash_algo))
		return fail(ERR_EVIDENCE_SIGNATURE, "signed over a hash that is no SHA-2");
	if ((int64_t)s->timestamp > at_ms / 1000)
		return fail(ERR_EVIDENCE_EXPIRED, "the OpenPGP signature is of a time to come");
	return OK;
}

static void shorten(int64_t *until_ms, long long seconds)
{
	if (seconds > 0 && seconds < INT64_MAX / 1000 && seconds * 1000 < *until_ms)
		*until_ms = seconds * 1000;
}

static enum err judge_key(gpgme_key_t key)
{
	if (key->revoked)
		return fail(ERR_EVIDENCE_REVOKED, "the OpenPGP key was revoked");
	if (key->expired || key->invalid || key->disabled)
		return fail(ERR_EVIDENCE_EXPIRED, "the OpenPGP key has expired");
	if (key->subkeys == NULL || key->subkeys->fpr == NULL || key->subkeys->fpr[0] == '\0')
		return fail(ERR_EVIDENCE, "the OpenPGP key has no fingerprint");
	return OK;
}

/* Until when signature, key and subkey are good. */
static int64_t good_until(gpgme_key_t key, const struct _gpgme_signature *s)
{
	int64_t until_ms = INT64_MAX;

	shorten(&until_ms, (long long)s->exp_timestamp);
	for (gpgme_subkey_t k = key->subkeys; k != NULL; k = k->next)
		if (k == key->subkeys || (k->fpr != NULL && strcmp(k->fpr, s->fpr) == 0))
			shorten(&until_ms, (long long)k->expires);
	return until_ms;
}

/* Fingerprint and first name that stands. */
static enum err read_subject(struct arena *a, gpgme_key_t key, struct span *out)
{
	struct buffer b = BUFFER(1000);
	gpgme_user_id_t user = key->uids;
	const char *copy = NULL;
	enum err e;

	while (user != NULL && user->revoked)
		user = user->next;
	buffer_text(&b, key->subkeys->fpr);
	if (user != NULL && user->uid != NULL) {
		buffer_byte(&b, ' ');
		subject_append(&b, span_of(user->uid));
	}
	if ((e = b.err) == ERR_TOO_LONG)
		e = fail(ERR_EVIDENCE, "the OpenPGP key has too long a name");
	else if (e != OK || (copy = arena_copy(a, b.at, b.len)) == NULL)
		e = ERR_NO_MEMORY;
	*out = span_make(copy, b.len);
	buffer_free(&b);
	return e;
}

/* Of the claim, if it says one: all of it, or the fingerprint alone. */
static enum err check_subject(const struct proof *p, struct span subject)
{
	struct span rest = subject, fingerprint = span_cut(&rest, ' ');

	if (p->subject.len == 0 || span_equal(p->subject, subject) || span_equal(p->subject, fingerprint))
		return OK;
	return fail(ERR_EVIDENCE_RESOURCE, "the key is of %.*s", SPAN_FORMAT(subject));
}

static enum err describe(gpgme_ctx_t c, struct arena *a, const struct _gpgme_signature *s, const struct proof *p,
			 struct verdict *out)
{
	gpgme_key_t key = NULL;
	enum err e;

	if (s->fpr == NULL || gpgme_get_key(c, s->fpr, &key, 0) != 0)
		return fail(ERR_EVIDENCE, "the OpenPGP key cannot be read");
	if ((e = judge_key(key)) == OK) {
		out->until_ms = good_until(key, s);
		e = read_subject(a, key, &out->subject);
	}
	if (e == OK)
		e = check_subject(p, out->subject);
	gpgme_key_unref(key);
	return e;
}

static enum err verify(gpgme_ctx_t c, struct arena *a, struct span signature, struct span text, const struct proof *p,
		       int64_t at_ms, struct verdict *out)
{
	gpgme_data_t sig = NULL, in = NULL;
	gpgme_verify_result_t r = NULL;
	gpgme_error_t error = gpgme_data_new_from_mem(&sig, signature.at, signature.len, 0);
	enum err e;

	if (error == 0)
		error = gpgme_data_new_from_mem(&in, text.at, text.len, 0);
	if (error == 0) {
		error = gpgme_op_verify(c, sig, in, NULL);
		r = error == 0 ? gpgme_op_verify_result(c) : NULL;
	}
	if (gpgme_err_code(error) == GPG_ERR_ENOMEM)
		e = machine(error, "OpenPGP");
	else if (r == NULL || r->signatures == NULL || r->signatures->next != NULL)
		e = fail(ERR_EVIDENCE, "not exactly one OpenPGP signature");
	else if ((e = judge(r->signatures, at_ms)) == OK)
		e = describe(c, a, r->signatures, p, out);
	gpgme_data_release(sig);
	gpgme_data_release(in);
	return e;
}

static enum err verify_at_home(struct arena *a, const char *home, struct span key, struct span signature,
			       const struct key_statement *statement, const struct proof *p, int64_t at_ms,
			       struct verdict *out)
{
	struct buffer text = BUFFER(4096);
	gpgme_ctx_t c = NULL;
	enum err e = context_new(home, &c);

	key_statement_print(statement, &text);
	if (e == OK)
		e = text.err;
	if (e == OK)
		e = import(c, key);
	if (e == OK)
		e = verify(c, a, signature, buffer_view(&text), p, at_ms, out);
	gpgme_release(c);
	buffer_free(&text);
	return e;
}

static enum err verify_in_home(struct arena *a, struct span key, struct span signature,
			       const struct key_statement *statement, const struct proof *p, int64_t at_ms,
			       struct verdict *out)
{
	char home[PATH_MAX] = "";
	enum err e = home_make(at_ms, home);

	if (e == OK)
		e = verify_at_home(a, home, key, signature, statement, p, at_ms, out);
	if (home[0] != '\0' && nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && errno != ENOENT &&
	    e == OK)
		e = fail_errno("%s", home);
	return e;
}

enum err openpgp_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			      const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			      struct verdict *out)
{
	struct span public_key, signature;
	struct buffer key_packets = BUFFER(KEY_MAX), signature_packets = BUFFER(SIGNATURE_MAX);
	enum err refused = only_part(e, PART_KEY, &public_key);

	(void)anchors; /* the key comes along; who trusts it decides by its fingerprint */
	if (refused == OK)
		refused = only_part(e, PART_SIGNATURE, &signature);
	if (refused == OK)
		refused = only_of_party(p, key);
	if (refused != OK)
		return refused;
	if (public_key.len > KEY_MAX || signature.len > SIGNATURE_MAX || at_ms < 0)
		return fail(ERR_EVIDENCE, "an OpenPGP key of more than %zu bytes, or a signature of more than %zu",
			    KEY_MAX, SIGNATURE_MAX);
	*out = (struct verdict){ 0 };
	refused = openpgp_take_key(public_key, &key_packets);
	if (refused == OK)
		refused = openpgp_take_signature(signature, &signature_packets);
	if (refused == OK)
		refused = verify_in_home(a, buffer_view(&key_packets), buffer_view(&signature_packets), key, p, at_ms,
					 out);
	buffer_free(&key_packets);
	buffer_free(&signature_packets);
	return refused;
}
