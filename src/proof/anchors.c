#include "proof/anchors_private.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/file.h"

#define FILES_MAX 1000
#define ANCHORS_MAX 10000 /* a list of all roots that browsers believe has some 150 */
#define KEPT_MAX ((size_t)64 << 20)

struct anchors {
	struct arena *arena;
	struct anchor *at;
	size_t count, room;
};

/* ---- RPKI: trust anchor locators ---- */

/* RFC 8630 section 2.2: comments, URIs, an empty line, the key in base64 with line breaks anywhere. */
static enum err read_tal(struct arena *a, struct span file, anchor_each *each, void *context)
{
	struct span line, text = file;
	struct buffer digits = BUFFER(ANCHOR_FILE_MAX);
	size_t uris = 0, length = 0;
	bool comments = true;
	const unsigned char *at;
	X509_PUBKEY *key = NULL;
	char *der = NULL;
	enum err e = OK;

	while (span_line(&text, &line) && line.len > 0) {
		comments = comments && line.at[0] == '#';
		if (comments)
			continue;
		if (!span_starts(line, "rsync://") && !span_starts(line, "https://"))
			return fail(ERR_ANCHOR, "neither an rsync nor an https URI");
		uris++;
	}
	while (span_line(&text, &line))
		buffer_span(&digits, span_trim(line));
	if (uris == 0 || digits.err != OK || digits.len == 0)
		e = digits.err == ERR_NO_MEMORY ? digits.err : fail(ERR_ANCHOR, "no URI, empty line and key");
	if (e == OK && (der = arena_alloc(a, digits.len)) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK && base64_decode(buffer_view(&digits), der, digits.len, &length) != OK)
		e = fail(ERR_ANCHOR, "the key is not base64");
	buffer_free(&digits);
	if (e != OK)
		return e;
	at = (const unsigned char *)der;
	key = d2i_X509_PUBKEY(NULL, &at, (long)length);
	if (key == NULL || X509_PUBKEY_get0(key) == NULL || at != (const unsigned char *)der + length)
		e = fail(ERR_ANCHOR, "the key is no SubjectPublicKeyInfo");
	X509_PUBKEY_free(key);
	ERR_clear_error();
	return e == OK ? each(context, span_make(der, length)) : e;
}

/* ---- X.509: certificates ---- */

static enum err one_root(X509 *root, anchor_each *each, void *context)
{
	unsigned char *der = NULL;
	int length;
	enum err e;

	if (X509_check_ca(root) == 0)
		return fail(ERR_ANCHOR, "a certificate that may not sign others");
	if ((length = i2d_X509(root, &der)) <= 0)
		return ERR_NO_MEMORY;
	e = each(context, span_make(der, (size_t)length));
	OPENSSL_free(der);
	return e;
}

static enum err read_pem(struct arena *a, struct span file, anchor_each *each, void *context)
{
	static char nothing[] = "";
	BIO *in = BIO_new_mem_buf(file.at, (int)file.len);
	X509 *root;
	size_t count = 0;
	enum err e = in != NULL ? OK : ERR_NO_MEMORY;

	(void)a;
	while (e == OK && (root = PEM_read_bio_X509(in, NULL, NULL, nothing)) != NULL) {
		e = one_root(root, each, context);
		count++;
		X509_free(root);
	}
	if (e == OK && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		e = fail(ERR_ANCHOR, "certificate %zu cannot be read", count + 1);
	if (e == OK && count == 0)
		e = fail(ERR_ANCHOR, "no certificate in PEM form");
	ERR_clear_error();
	BIO_free(in);
	return e;
}

/* ---- the folder ---- */

static const struct reader_row {
	const char *ending;
	enum anchor_kind kind;
	enum err (*read)(struct arena *a, struct span file, anchor_each *each, void *context);
} readers[] = {
	{ ".tal", ANCHOR_RPKI, read_tal },
	{ ".pem", ANCHOR_LEGAL, read_pem },
	{ ".ds", ANCHOR_DNSSEC, anchors_read_dnssec },
	{ ".key", ANCHOR_DNSSEC, anchors_read_dnssec },
};

/* A name that is the same in every place where it will be written; NULL: no such name, or no file of ours. */
static const struct reader_row *reader_of_name(const char *name)
{
	size_t n = strlen(name);

	if (n > 200 || name[0] == '.' || name[0] == '-')
		return NULL;
	for (size_t i = 0; i < n; i++)
		if ((name[i] < '0' || name[i] > '9') && ((name[i] | 0x20) < 'a' || (name[i] | 0x20) > 'z') &&
		    strchr("._-", name[i]) == NULL)
			return NULL;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (span_ends(span_make(name, n), readers[i].ending))
			return &readers[i];
	return NULL;
}

struct filling {
	struct anchors *anchors;
	enum anchor_kind kind;
	const char *name;
};

static enum err take(void *context, struct span bytes)
{
	struct filling *f = context;
	struct anchors *a = f->anchors;
	size_t room = a->room == 0 ? 16 : 2 * a->room;
	struct anchor *more;
	const char *copy = arena_copy(a->arena, bytes.at, bytes.len);

	if (copy == NULL)
		return ERR_NO_MEMORY;
	if (a->count == ANCHORS_MAX)
		return fail(ERR_ANCHOR, "more than %d anchors", ANCHORS_MAX);
	if (a->count == a->room) {
		if ((more = realloc(a->at, room * sizeof(*more))) == NULL)
			return ERR_NO_MEMORY;
		a->at = more;
		a->room = room;
	}
	a->at[a->count++] = (struct anchor){ f->kind, f->name, span_make(copy, bytes.len) };
	return OK;
}

static enum err take_nothing(void *context, struct span bytes)
{
	(void)context;
	(void)bytes;
	return OK;
}

/* With the file's name before what is wrong in it. */
static enum err read_one(const struct reader_row *row, const char *path, anchor_each *each, void *context,
			 struct buffer *content)
{
	struct arena *a = arena_new(4 * ANCHOR_FILE_MAX);
	struct span file;
	char why[300];
	enum err e = a != NULL ? file_read(a, path, ANCHOR_FILE_MAX, &file) : ERR_NO_MEMORY;

	if (e == ERR_TOO_LONG)
		e = fail(ERR_ANCHOR, "%s: more than %zu bytes", path, ANCHOR_FILE_MAX);
	else if (e == OK && (e = row->read(a, file, each, context)) == ERR_ANCHOR) {
		snprintf(why, sizeof(why), "%s", err_detail());
		fail(ERR_ANCHOR, "%s: %s", path, why);
	}
	if (e == OK && content != NULL)
		buffer_span(content, file);
	arena_free(a);
	return e;
}

static enum err path_of(const char *dir, const char *name, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	return n > 0 && n < PATH_MAX ? OK : fail(ERR_IO, "%s/%s: the path is too long", dir, name);
}

static enum err add_file(struct anchors *a, const char *dir, const char *name)
{
	const struct reader_row *row = reader_of_name(name);
	struct filling f = { .anchors = a };
	char path[PATH_MAX];
	enum err e = row != NULL ? path_of(dir, name, path) : OK;

	if (e != OK || row == NULL)
		return e;
	if ((f.name = arena_copy(a->arena, name, strlen(name))) == NULL)
		return ERR_NO_MEMORY;
	f.kind = row->kind;
	return read_one(row, path, take, &f, NULL);
}

static enum err add_builtin(struct anchors *a)
{
	struct filling f = { a, ANCHOR_DNSSEC, "the root's own keys" };
	struct arena *reading;
	enum err e;

	for (size_t i = 0; i < a->count; i++)
		if (a->at[i].kind == ANCHOR_DNSSEC)
			return OK;
	if ((reading = arena_new(ANCHOR_FILE_MAX)) == NULL)
		return ERR_NO_MEMORY;
	e = anchors_builtin_dnssec(reading, take, &f);
	arena_free(reading);
	return e;
}

enum err anchors_open(const char *dir, struct anchors **out)
{
	struct anchors *a = calloc(1, sizeof(*a));
	struct dirent **names = NULL;
	int count = 0;
	enum err e = OK;

	if (a == NULL || (a->arena = arena_new(KEPT_MAX)) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK && (count = scandir(dir, &names, NULL, alphasort)) == -1) {
		count = 0;
		e = errno == ENOENT ? OK : fail_errno("%s", dir);
	}
	if (e == OK && count > FILES_MAX)
		e = fail(ERR_ANCHOR, "%s: more than %d files", dir, FILES_MAX);
	for (int i = 0; i < count; i++) {
		if (e == OK)
			e = add_file(a, dir, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (e == OK)
		e = add_builtin(a);
	if (e == OK)
		*out = a;
	else
		anchors_free(a);
	return e;
}

void anchors_free(struct anchors *a)
{
	if (a == NULL)
		return;
	arena_free(a->arena);
	free(a->at);
	free(a);
}

size_t anchors_count(const struct anchors *a)
{
	return a->count;
}

const struct anchor *anchors_at(const struct anchors *a, size_t i)
{
	return &a->at[i];
}

/* ---- the operator's hand ---- */

enum err anchors_add(const char *dir, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	const struct reader_row *row = reader_of_name(name);
	struct buffer content = BUFFER(ANCHOR_FILE_MAX);
	char to[PATH_MAX];
	enum err e = path_of(dir, name, to);

	if (e == OK && row == NULL)
		e = fail(ERR_ANCHOR,
			 "%s: an anchor's name has letters, digits, '.', '_' and '-' and ends in .tal or .pem, .ds or "
			 ".key",
			 name);
	if (e == OK)
		e = read_one(row, path, take_nothing, NULL, &content);
	if (e == OK)
		e = content.err;
	if (e == OK && file_exists(to))
		e = fail(ERR_EXISTS, "%s", to);
	if (e == OK && (e = folder_make_durable(dir, 0700)) == OK)
		e = file_write(to, buffer_view(&content), 0600);
	buffer_free(&content);
	return e;
}

enum err anchors_remove(const char *dir, const char *name)
{
	char path[PATH_MAX];
	enum err e = path_of(dir, name, path);

	if (e != OK)
		return e;
	if (reader_of_name(name) == NULL || !file_exists(path))
		return fail(ERR_NOT_FOUND, "%s: no anchor of this node", name);
	if (unlink(path) != 0)
		return fail_errno("%s", path);
	return folder_sync(dir);
}
